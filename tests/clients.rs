//! Real client libraries against the simulator over HTTPS: Python from the package index, the scripts in `clients/`, and the
//! fleet's own word at its control port. Where pip cannot install anything, a test says so and is skipped.

#[cfg(test)]
mod clients {
    use std::collections::BTreeMap;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    use hopgate_tests::process::Process;
    use hopgate_tests::tempdir;
    use panos_simulator::{Fleet, FleetSpec, ServeOptions, Served, SimClock};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::runtime::Runtime;

    /// Simulated seconds a second. A PA-VM is away for 297 s at least, and pan-os-python, which looks every five seconds,
    /// has to see it away once.
    const SPEED: f64 = 45.0;

    /// By how much the CLI's waits of a minute and more are shortened: less than time runs faster.
    const HASTE: &str = "6";

    /// Longest run of a script. The longest one takes two minutes on an idle machine.
    const LIMIT: Duration = Duration::from_secs(420);

    fn scripts() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
    }

    fn fleet_file(name: &str) -> FleetSpec {
        let text = std::fs::read_to_string(scripts().join(name)).unwrap();
        FleetSpec::parse(name, &text).unwrap()
    }

    /// A Python with the packages of a list in `clients/`, made once for this build and list.
    fn python(list: &str) -> Option<PathBuf> {
        // Two tests want the same one.
        static MAKING: Mutex<()> = Mutex::new(());
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = std::fs::read_to_string(scripts().join(list)).unwrap();
        let build = std::env::current_exe().unwrap();
        let target = build.ancestors().nth(3).unwrap();
        let home = target
            .join("tools")
            .join(format!("python-{}", list.trim_end_matches(".txt")));
        let installed = home.join("installed.txt");
        if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
            return Some(home.join("bin/python"));
        }
        let made =
            attempt(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home)).and_then(|()| {
                let mut pip = Command::new(home.join("bin/python"));
                pip.args([
                    "-m",
                    "pip",
                    "--disable-pip-version-check",
                    "install",
                    "--quiet",
                    "--requirement",
                ]);
                attempt(pip.arg(scripts().join(list)))
            });
        match made {
            Ok(()) => {
                std::fs::write(installed, wanted).unwrap();
                Some(home.join("bin/python"))
            }
            Err(why) => {
                println!("SKIPPED: no Python with the packages of clients/{list}: {why}");
                None
            }
        }
    }

    /// Runs a command; the last line it says where it fails.
    fn attempt(command: &mut Command) -> Result<(), String> {
        let ended = command.output().map_err(|error| error.to_string())?;
        if ended.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        Err(said.trim_end().lines().next_back().unwrap_or_default().to_owned())
    }

    /// Serves a fleet, runs a script against it and expects that all in it held.
    struct Stage {
        runtime: Runtime,
        served: Served,
        addresses: BTreeMap<String, SocketAddr>,
    }

    impl Stage {
        fn set(spec: FleetSpec) -> Stage {
            let runtime = Runtime::new().unwrap();
            let served = runtime.block_on(async {
                let clock = SimClock::new(spec.epoch, SPEED);
                let fleet = Fleet::new(spec, clock).unwrap();
                panos_simulator::serve(fleet, ServeOptions::default())
                    .await
                    .unwrap()
            });
            let addresses = served.endpoints.clone();
            Stage {
                runtime,
                served,
                addresses,
            }
        }

        fn play(self, python: &Path, script: &str) {
            let scratch = tempdir::Dir::new();
            let told = serde_json::json!({"devices": self.addresses, "control": self.served.control});
            let mut command = Command::new(python);
            command
                .arg(scripts().join(script))
                .current_dir(scratch.path())
                .env("SIMULATED_FLEET", told.to_string())
                .env("SIMULATED_SCRATCH", scratch.path())
                .env("SIMULATED_HASTE", HASTE)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("PYTHONIOENCODING", "utf-8");
            let ended = Process::start(&mut command).wait(LIMIT);
            println!("{}", ended.stdout);
            assert_eq!(
                ended.code,
                Some(0),
                "{script}:\n{}\n{}",
                ended.stdout,
                ended.stderr
            );
            self.runtime.block_on(self.served.shutdown());
        }
    }

    #[test]
    fn pan_os_python_sees_upgrades_pairs_and_panorama_as_they_are() {
        if let Some(python) = python("sdk.txt") {
            Stage::set(fleet_file("sdk.yaml")).play(&python, "sdk.py");
        }
    }

    #[test]
    fn panos_upgrade_assurance_gives_the_right_answer_to_every_check_and_snapshot() {
        if let Some(python) = python("sdk.txt") {
            Stage::set(fleet_file("assurance.yaml")).play(&python, "assurance.py");
        }
    }

    #[test]
    fn the_pan_os_upgrade_cli_upgrades_a_firewall_a_pair_a_batch_and_a_panorama() {
        let Some(python) = python("cli.txt") else { return };
        let mut spec = fleet_file("cli.yaml");
        let own = own_addresses();
        let devices = spec
            .devices
            .iter_mut()
            .map(|device| (&device.name, &mut device.address));
        let panoramas = spec.panoramas.iter_mut().map(|one| (&one.name, &mut one.address));
        let mut fronts = BTreeMap::new();
        for ((name, address), own) in devices.chain(panoramas).zip(own) {
            *address = Some(own);
            fronts.insert(name.clone(), SocketAddr::from((own, 443)));
        }
        let mut stage = Stage::set(spec);
        if let Err(why) = stage.front(&fronts) {
            println!("SKIPPED: port 443 of loopback addresses cannot be listened on: {why}");
            return;
        }
        stage.play(&python, "cli.py");
    }

    #[test]
    fn the_page_names_the_versions_that_run() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulator.md");
        let page = std::fs::read_to_string(page).unwrap();
        let mut pinned = 0;
        for list in ["sdk.txt", "cli.txt"] {
            let text = std::fs::read_to_string(scripts().join(list)).unwrap();
            for (name, version) in text.lines().filter_map(|line| line.split_once("==")) {
                // Only there to make another one start.
                if name != "click" {
                    let told = page
                        .lines()
                        .any(|row| row.contains(name) && row.contains(version));
                    assert!(told, "{name} {version} of {list} has no row in docs/simulator.md");
                    pinned += 1;
                }
            }
        }
        assert_eq!(pinned, 7);
    }

    /// Addresses on loopback that no other run of these tests uses at the same time.
    fn own_addresses() -> impl Iterator<Item = Ipv4Addr> {
        let [_, high, low, ..] = (std::process::id() << 8).to_be_bytes();
        (1..=254).map(move |last| Ipv4Addr::new(127, 64 | (high & 0x3f), low, last))
    }

    impl Stage {
        /// Puts port 443 of an address of its own before every device.
        fn front(&mut self, fronts: &BTreeMap<String, SocketAddr>) -> std::io::Result<()> {
            for (name, front) in fronts {
                let behind = self.addresses[name];
                let listener = self.runtime.block_on(TcpListener::bind(front))?;
                self.runtime.spawn(forward(listener, behind));
            }
            self.addresses.clone_from(fronts);
            Ok(())
        }
    }

    async fn forward(listener: TcpListener, behind: SocketAddr) {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut device) = TcpStream::connect(behind).await {
                    // One that breaks off breaks off on both sides, as it would without this one in between.
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut device).await;
                }
            });
        }
    }
}
