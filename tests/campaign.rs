//! Whole campaigns over the simulated fleet, in this process and on virtual time: hours in milliseconds.

use std::sync::Arc;

use hopgate::fleet::{Command, Ending};
use hopgate::journal::memory::MemoryJournal;
use hopgate_core::waiting::Hold;
use hopgate_tests::World;

const ONE: &str = "\
seed: 7
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-850, version: 10.1.14-h9, content: 8900-9000}
";

const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.7
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T10:00:00Z}
inventory: inventory.yaml
waves:
  - {name: all, rest: true, concurrency: 8}
";

#[tokio::test(start_paused = true)]
async fn one_firewall_goes_up_one_hop() {
    let world = World::new(ONE, CAMPAIGN, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let ending = world.run(Vec::new()).await;
    if ending != Ending::Finished {
        let (device, _) = world
            .ledger
            .device(&world.id(), &"fw1".parse().unwrap())
            .unwrap()
            .unwrap();
        panic!("{ending:?} {:?}", device.phase());
    }
    let toll = &world.toll()["fw1"];
    assert_eq!(toll.version, "10.2.7");
    assert_eq!(toll.reboots, 1);
}
