//! The real binary, killed at fifty random instants of a campaign and started again each time, against a fleet that another
//! process simulates: every hop is installed once and restarted once, and no pair loses both members.
//!
//! `HOPGATE_FULL=1` does it ten times; `HOPGATE_SEED=n` does it with one seed. Kill instants are drawn from the seed and
//! printed; where in the campaign they fall depends on the machine, so a seed is a hint and not a recording.

#[cfg(test)]
mod killed {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::time::Duration;

    use hopgate_tests::process::{self, Ended, Process, Simulator};
    use hopgate_tests::tempdir;
    use serde_json::{Value, json};

    /// Two pairs and four firewalls alone, of classes that differ in how long everything takes.
    const FLEET: &str = "\
seed: 50
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: vm1, model: PA-VM, version: 9.1.16, content: 8900-9000}
  - {name: vm2, model: PA-VM, version: 9.1.16, content: 8900-9000}
  - {name: edge1, model: PA-850, version: 9.1.16, content: 8900-9000}
  - {name: edge2, model: PA-820, version: 9.1.16, content: 8900-9000}
  - {name: core-a, model: PA-3220, version: 9.1.16, content: 8900-9000}
  - {name: core-b, model: PA-3220, version: 9.1.16, content: 8900-9000}
  - {name: dc-a, model: PA-5220, version: 9.1.16, content: 8900-9000}
  - {name: dc-b, model: PA-5220, version: 9.1.16, content: 8900-9000}
pairs:
  - {name: core, members: [core-a, core-b], active: core-a}
  - {name: dc, members: [dc-a, dc-b], active: dc-b}
";

    const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.4-h4
pinned_path: {via: [10.1.0, 10.2.0], by: olga, reason: the change record names these releases}
window: {opens: 2026-03-07T19:00:00Z, closes: 2026-03-09T19:00:00Z}
inventory: inventory.yaml
waves:
  - {name: all, rest: true, concurrency: 8}
";

    const DEVICES: [&str; 8] = ["vm1", "vm2", "edge1", "edge2", "core-a", "core-b", "dc-a", "dc-b"];
    const PAIRS: [&str; 2] = ["core", "dc"];
    const HOPS: [&str; 3] = ["10.1.0", "10.2.0", "10.2.4-h4"];

    const KILLS: u32 = 50;

    /// Simulated seconds a second. The slowest pair needs some four simulated hours, which is 50 s of real time, and every kill
    /// costs it some: so that all fifty fall into the campaign.
    const SPEED: u32 = 300;

    /// Longest life of a run that is to be killed, in milliseconds.
    const LIFE_MAX: u64 = 1_600;

    /// Every fourth kill falls into the start: opening and verifying the journal, reading the devices, enrolling, replaying.
    const START_MAX: u64 = 150;

    /// SplitMix64 (Steele, Lea and Flood, 2014): all of a seed's draws, in order.
    struct Draws(u64);

    impl Draws {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % limit
        }
    }

    fn lives(seed: u64) -> Vec<Duration> {
        let mut draws = Draws(seed);
        (0..KILLS)
            .map(|kill| draws.below(if kill % 4 == 0 { START_MAX } else { LIFE_MAX }))
            .map(Duration::from_millis)
            .collect()
    }

    #[test]
    fn fifty_kills_and_every_hop_is_done_once() {
        let seeds: Vec<u64> = match std::env::var("HOPGATE_SEED") {
            Ok(seed) => vec![seed.parse().unwrap()],
            Err(_) if process::full() => (1..=10).collect(),
            Err(_) => vec![1],
        };
        for seed in seeds {
            let began = process::now();
            killed_with(seed);
            println!(
                "seed {seed}: {KILLS} kills, {:.1} s",
                began.elapsed().as_secs_f64()
            );
        }
    }

    fn killed_with(seed: u64) {
        let directory = tempdir::Dir::new();
        let path = directory.path();
        std::fs::write(path.join("fleet.yaml"), FLEET).unwrap();
        std::fs::write(path.join("campaign.yaml"), CAMPAIGN).unwrap();
        let simulator = Simulator::serve(path, SPEED);
        let lives = lives(seed);
        println!(
            "seed {seed}: killed after (ms) {:?}",
            lives.iter().map(Duration::as_millis).collect::<Vec<_>>()
        );
        for (kill, life) in lives.into_iter().enumerate() {
            let run = Process::start(&mut process::command(path, ["run", "campaign.yaml"]));
            process::pause(life);
            let ended = run.kill();
            assert_eq!(
                ended.signal,
                Some(9),
                "seed {seed}: run {kill} ended by itself: {ended:#?}"
            );
        }
        let run = Process::start(&mut process::command(path, ["run", "campaign.yaml"]));
        let ended = run.wait(Duration::from_secs(240));
        assert_eq!(ended.code, Some(0), "seed {seed}: the last run: {ended:#?}");
        every_hop_was_done_once(&simulator, seed);
        no_pair_lost_both_members(&simulator, seed);
        the_journal_is_whole_and_tells_of_it(path, seed);
        assert_eq!(simulator.end().code, Some(0));
    }

    fn every_hop_was_done_once(simulator: &Simulator, seed: u64) {
        let once: BTreeMap<&str, u64> = HOPS.iter().map(|release| (*release, 1)).collect();
        for name in DEVICES {
            let device = simulator.get(&format!("/devices/{name}"));
            let counters = device.get("counters").unwrap();
            let of = |counter: &str| counters.get(counter).cloned().unwrap();
            assert_eq!(
                of("installs_started"),
                json!(once),
                "seed {seed}: installs of {name}"
            );
            assert_eq!(
                of("installs_ok"),
                json!(once),
                "seed {seed}: finished installs of {name}"
            );
            assert_eq!(
                of("reboots_requested"),
                json!(HOPS.len()),
                "seed {seed}: reboots of {name}"
            );
            assert_eq!(
                of("reboots_by_version"),
                json!(once),
                "seed {seed}: boots of {name}"
            );
            assert_eq!(
                device.pointer("/state/version"),
                Some(&json!("10.2.4-h4")),
                "seed {seed}: {name}"
            );
        }
    }

    fn no_pair_lost_both_members(simulator: &Simulator, seed: u64) {
        for name in PAIRS {
            let pair = simulator.get(&format!("/pairs/{name}"));
            let both = pair.get("both_out_of_service_by_request").and_then(Value::as_u64);
            assert_eq!(both, Some(0), "seed {seed}: {name}: {pair}");
        }
    }

    fn the_journal_is_whole_and_tells_of_it(path: &Path, seed: u64) {
        let checked = done(process::run(path, ["journal", "check"]));
        assert!(checked.starts_with("the journal is whole: "), "{checked}");
        let pick_ups: usize = DEVICES
            .iter()
            .map(|device| done(process::run(path, ["timeline", device])))
            .map(|timeline| timeline.matches("picks up here").count())
            .sum();
        // A run that lives for a second finds devices under way; only a kill during the start finds nothing to pick up.
        assert!(
            pick_ups > KILLS as usize,
            "seed {seed}: {pick_ups} pick-ups in the timelines"
        );
    }

    fn done(ended: Ended) -> String {
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        ended.stdout
    }
}
