//! Advisories before a hop: what is known against the rest of a device's way holds it, what is not known as well, and what
//! somebody accepted does not, until it does again.

use std::collections::BTreeMap;
use std::sync::Arc;

use hopgate::fleet::Ending;
use hopgate::journal::memory::MemoryJournal;
use hopgate_core::device::Event;
use hopgate_core::waiting::Hold;
use hopgate_tests::World;

/// A PA-850 with a module that 10.2.4-h4 may not boot with, and one without.
const FLEET: &str = "\
seed: 3
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-850, version: 10.1.14-h9, content: 8900-9000, optics: [{port: 6, vendor: FS, part: SFP1G-SX-85}]}
  - {name: fw2, model: PA-850, version: 10.1.14-h9, content: 8900-9000}
";

const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.4-h4
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T06:00:00Z}
inventory: inventory.yaml
checks: {before: [readiness, advisories], after: [after]}
waves:
  - {name: all, rest: true, concurrency: 2}
";

const ACCEPTED: &str = "\
accept_advisories:
  - {advisory: PAN-221190, devices: [fw1], until: '2026-03-08T00:00:00Z', by: petra, reason: the modules are in unused ports}
";

fn held(event: &Event) -> bool {
    matches!(event, Event::Held(Hold::Gate { .. }))
}

#[tokio::test(start_paused = true)]
async fn the_exposed_device_is_held_and_the_other_goes() {
    let world = World::new(FLEET, CAMPAIGN, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let mut session = world.start(true);
    session.until_device("fw1", "the gate", held).await;
    insta::assert_snapshot!(world.told("fw1").last().unwrap(), @"waits: checks hold it, next try at 2026-03-07T22:10:00Z: PAN-221190: Unsupported modules in ports 5 to 8 reboot a PA-800 (on 10.2.4-h4). The firewall reboots again and again (I2C errors). Here ethernet1/6 holds SFP1G-SX-85 (unknown-vendor). Source: PAN-OS 10.1.11-h1, 10.2.7 and 11.0.4 release notes, addressed issues.");
    let ending = session.end().await;
    assert!(matches!(ending, Ending::WaitsForPerson(_)), "{ending:?}");
    let toll = world.toll();
    assert_eq!(toll["fw1"].installs, BTreeMap::new());
    assert_eq!(toll["fw2"].version, "10.2.4-h4");
}

#[tokio::test(start_paused = true)]
async fn an_accepted_advisory_lets_the_named_device_go_and_says_who_let_it() {
    let world = World::new(
        FLEET,
        &format!("{CAMPAIGN}{ACCEPTED}"),
        Arc::new(MemoryJournal::new()),
    );
    let plan = world.enrol().await;
    assert_eq!(plan.accepted.len(), 1);
    assert_eq!(world.run(Vec::new()).await, Ending::Finished);
    world.assert_all_done_once("with an acceptance");
    let told = world.told("fw1");
    let accepted = told.iter().find(|line| line.contains("accepted by petra"));
    let (_, accepted) = accepted.unwrap().split_once("PAN-221190: ").unwrap();
    let (accepted, _) = accepted.split_once("; PAN-").unwrap();
    insta::assert_snapshot!(accepted, @"Unsupported modules in ports 5 to 8 reboot a PA-800 (on 10.2.4-h4). The firewall reboots again and again (I2C errors). Here ethernet1/6 holds SFP1G-SX-85 (unknown-vendor). Source: PAN-OS 10.1.11-h1, 10.2.7 and 11.0.4 release notes, addressed issues.; accepted by petra until 2026-03-08T00:00:00Z: the modules are in unused ports");
}

#[tokio::test(start_paused = true)]
async fn an_acceptance_that_has_ended_holds_nothing_open() {
    let ended = ACCEPTED.replace("2026-03-08T00:00:00Z", "2026-03-07T22:00:00Z");
    let world = World::new(
        FLEET,
        &format!("{CAMPAIGN}{ended}"),
        Arc::new(MemoryJournal::new()),
    );
    world.enrol().await;
    let mut session = world.start(true);
    session.until_device("fw1", "the gate", held).await;
    assert!(matches!(session.end().await, Ending::WaitsForPerson(_)));
    assert_eq!(world.toll()["fw1"].installs, BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn an_acceptance_for_one_device_is_none_for_another() {
    let other = ACCEPTED.replace("devices: [fw1]", "devices: [fw2]");
    let world = World::new(
        FLEET,
        &format!("{CAMPAIGN}{other}"),
        Arc::new(MemoryJournal::new()),
    );
    world.enrol().await;
    let mut session = world.start(true);
    session.until_device("fw1", "the gate", held).await;
    assert!(matches!(session.end().await, Ending::WaitsForPerson(_)));
    assert_eq!(world.toll()["fw1"].installs, BTreeMap::new());
}
