//! What the engine adds to the time that the devices themselves need: one campaign of 1,000 firewalls on virtual time,
//! against a client that knows the simulator's inside, asks no check and loses not a second between steps.
//! `cargo bench -p hopgate --bench makespan`.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot go on has nothing to report"
)]
#![expect(clippy::print_stdout, reason = "a benchmark reports to whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time too")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hopgate::checks;
use hopgate::clock::Clock;
use hopgate::config::campaign::CampaignFile;
use hopgate::config::check::CheckText;
use hopgate::config::inventory::{Defaults, Entry, Inventory};
use hopgate::config::selector::Groups;
use hopgate::driver::Checks;
use hopgate::fleet::{Ending, Fleet, Setting, enrol};
use hopgate::in_process::InProcess;
use hopgate::journal::blobs::Blobs;
use hopgate::journal::memory::MemoryJournal;
use hopgate::ledger::Ledger;
use hopgate::planner;
use hopgate_core::names::DeviceId;
use hopgate_panos::{Client, Credentials, Secret};
use hopgate_paths::Catalogue;
use jiff::{SignedDuration, Timestamp};
use panos_simulator::{Fleet as Simulated, FleetSpec, JobResult, JobStatus, Phase, SimClock};

/// Firewalls in the campaign; `--test` makes it a handful.
const DEVICES: usize = 1_000;

/// The most that the engine may add.
const MOST_ADDED: f64 = 0.02;

const EPOCH: &str = "2026-03-07T22:00:00Z";
const FROM: &str = "10.1.14-h9";
const TO: &str = "10.2.7";

fn main() {
    let only_try = std::env::args().any(|argument| argument == "--test");
    let devices = if only_try { 5 } else { DEVICES };
    let ideal = on_virtual_time(alone(devices));
    let began = Instant::now();
    let campaign = on_virtual_time(engine(devices));
    let took = began.elapsed();
    let added = campaign.as_secs_f64() / ideal.as_secs_f64() - 1.0;
    println!("makespan of {devices} devices, one hop {FROM} -> {TO}, on virtual time");
    println!("  devices alone  {:>8.0} s", ideal.as_secs_f64());
    println!(
        "  with hopgate   {:>8.0} s   ratio {:.4}, added {:.2} %",
        campaign.as_secs_f64(),
        added + 1.0,
        added * 100.0
    );
    println!("  computed in {:.1} s of real time", took.as_secs_f64());
    if !only_try {
        assert!(
            added < MOST_ADDED,
            "the engine adds {:.2} %, at most {:.0} % are allowed",
            added * 100.0,
            MOST_ADDED * 100.0
        );
    }
}

fn on_virtual_time(work: impl Future<Output = SignedDuration>) -> SignedDuration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(work)
}

fn fleet(devices: usize) -> Arc<Simulated> {
    let mut text =
        format!("seed: 41\nepoch: {EPOCH}\ncredentials: {{user: admin, password: admin}}\ndevices:\n");
    let models = ["PA-850", "PA-3220", "PA-5220", "PA-440", "PA-VM"];
    for (number, model) in (0..devices).zip(models.iter().cycle()) {
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "  - {{name: fw{number:04}, model: {model}, version: {FROM}, content: 8900-9000}}"
        );
    }
    let spec = FleetSpec::parse("bench.yaml", &text).expect("the fleet of the benchmark");
    Simulated::new(spec, SimClock::new(epoch(), 1.0)).expect("the fleet of the benchmark")
}

fn epoch() -> Timestamp {
    EPOCH.parse().expect("an instant")
}

fn clients(fleet: &Arc<Simulated>) -> BTreeMap<DeviceId, Arc<Client>> {
    let devices = fleet.devices();
    let client = |name: &str| {
        let credentials = Credentials::Login {
            user: "admin".to_owned(),
            password: Secret::new("admin"),
        };
        let transport = Arc::new(InProcess::new(Arc::clone(fleet), name.to_owned()));
        Arc::new(Client::new(name.to_owned(), transport, credentials))
    };
    devices
        .iter()
        .map(|device| (device.name.parse().expect("a name"), client(&device.name)))
        .collect()
}

/// Every device at once, each step begun the second the one before it ends.
async fn alone(devices: usize) -> SignedDuration {
    let fleet = fleet(devices);
    let clock = Clock::of_runtime(epoch());
    let mut tasks = tokio::task::JoinSet::new();
    for (id, client) in clients(&fleet) {
        let fleet = Arc::clone(&fleet);
        tasks.spawn(async move { one_alone(&fleet, id.as_str(), &client).await });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no task panics");
    }
    epoch().duration_until(clock.now())
}

async fn one_alone(fleet: &Simulated, name: &str, client: &Client) {
    for image in ["10.2.0", TO] {
        client
            .download(image.parse().expect("a release"))
            .await
            .expect("the download starts");
        until(fleet, name, no_job_runs).await;
    }
    client
        .install(TO.parse().expect("a release"))
        .await
        .expect("the install starts");
    until(fleet, name, no_job_runs).await;
    client.restart().await.expect("the restart is taken");
    until(fleet, name, |state| {
        state.version.to_string() == TO && auto_commit_ended(state)
    })
    .await;
}

fn no_job_runs(state: &panos_simulator::DeviceState) -> bool {
    state.jobs.iter().all(|job| job.status == JobStatus::Finished)
}

fn auto_commit_ended(state: &panos_simulator::DeviceState) -> bool {
    matches!(state.phase, Phase::Up | Phase::Settling | Phase::Returning)
        && state
            .jobs
            .iter()
            .any(|job| job.kind == "AutoCom" && job.result == JobResult::Ok)
}

async fn until(fleet: &Simulated, name: &str, reached: impl Fn(&panos_simulator::DeviceState) -> bool) {
    loop {
        let state = fleet.state(name).expect("the device exists");
        if reached(&state) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The same devices in a campaign, all of them at once.
async fn engine(devices: usize) -> SignedDuration {
    let fleet = fleet(devices);
    let clock = Clock::of_runtime(epoch());
    let clients = clients(&fleet);
    let scratch = std::env::temp_dir().join(format!("hopgate-makespan-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).expect("a scratch directory");
    let blobs = Arc::new(Blobs::open(&scratch).expect("a scratch directory"));
    let ledger = Ledger::new(Arc::new(MemoryJournal::new()), blobs);
    let text = format!(
        "campaign: bench\nlauncher: olga\ntarget: {TO}\nwindow: {{opens: {EPOCH}, closes: 2026-03-08T22:00:00Z}}\n\
         inventory: i.yaml\nwaves:\n  - {{name: all, rest: true, concurrency: {devices}}}\n"
    );
    let path = Path::new("campaign.yaml");
    let file: CampaignFile = hopgate::config::parse(path, &text).expect("the campaign of the benchmark");
    let catalogue = Catalogue::embedded().expect("the shipped catalogue");
    let load =
        |asked: &[CheckText]| checks::load_all(asked, Path::new(""), catalogue).expect("built-in playbooks");
    let (before, after) = (load(&file.checks.before), load(&file.checks.after));
    let wanted: BTreeSet<DeviceId> = clients.keys().cloned().collect();
    let systems = planner::read_systems(&clients, &wanted)
        .await
        .expect("every device answers");
    let plan = planner::plan(
        &file,
        path,
        &inventory(&wanted),
        &systems,
        catalogue,
        (&before, &after),
        None,
    )
    .expect("a plan");
    enrol(&ledger, clock.now(), &plan)
        .await
        .expect("the journal takes it");
    let checks = Checks {
        before: before.into_iter().map(|hashed| hashed.asked).collect(),
        after: after.into_iter().map(|hashed| hashed.asked).collect(),
        catalogue: Cow::Borrowed(catalogue),
        accepted: Vec::new(),
    };
    let setting = Setting {
        ledger,
        clock: clock.clone(),
        clients,
        checks: Arc::new(checks),
        end_at_gate: true,
    };
    let (news, _heard) = tokio::sync::mpsc::unbounded_channel();
    let (_send, mut commands) = tokio::sync::mpsc::unbounded_channel();
    let began = clock.now();
    let running = Fleet::begin(&plan.campaign, setting, news).expect("the campaign begins");
    let ending = running.run(&mut commands).await.expect("the campaign runs");
    assert_eq!(ending, Ending::Finished);
    // A scratch directory that stays behind is only litter.
    let _ = std::fs::remove_dir_all(&scratch);
    began.duration_until(clock.now())
}

fn inventory(names: &BTreeSet<DeviceId>) -> Inventory {
    let entry = |name: &DeviceId| Entry {
        name: name.clone(),
        address: format!("{name}:443"),
        serial: None,
        peer: None,
        labels: BTreeMap::new(),
        credentials: None,
        trust: None,
    };
    Inventory {
        simulated_clock: None,
        defaults: Defaults::default(),
        groups: Groups::default(),
        devices: names.iter().map(entry).collect(),
    }
}
