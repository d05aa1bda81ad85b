//! Checks and drift: what keeps a device from starting, what ends that, and what was done already and is not done again.

use std::collections::BTreeMap;
use std::sync::Arc;

use hopgate::fleet::Ending;
use hopgate::journal::memory::MemoryJournal;
use hopgate_core::device::Event;
use hopgate_core::waiting::Hold;
use hopgate_panos::Client;
use hopgate_tests::{Wire, World, clients_of};
use panos_simulator::ControlRequest;

fn fleet(device: &str) -> String {
    format!(
        "\
seed: 3
epoch: 2026-03-07T22:00:00Z
credentials: {{user: admin, password: admin}}
devices:
  - {{name: fw1, model: PA-850, version: 10.1.14-h9, content: 8900-9000{device}}}
"
    )
}

const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.7
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T06:00:00Z}
inventory: inventory.yaml
waves:
  - {name: all, rest: true}
";

async fn world(device: &str) -> World {
    let world = World::new(&fleet(device), CAMPAIGN, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    world
}

fn held(event: &Event) -> bool {
    matches!(event, Event::Held(Hold::Gate { .. }))
}

/// Held until the cause is gone, and then let go by itself at the next try.
async fn held_and_released(world: &World, cure: ControlRequest) -> String {
    let mut session = world.start(true);
    session.until_device("fw1", "a gate", held).await;
    let told = world.told("fw1");
    session.until_device("fw1", "a second try", held).await;
    assert_eq!(world.toll()["fw1"].installs, BTreeMap::new());
    world.control(cure);
    assert_eq!(session.end().await, Ending::Finished);
    world.assert_all_done_once("after the gate opened");
    told.last().unwrap().clone()
}

fn configuration(pending_changes: bool, config_locks: &[&str]) -> ControlRequest {
    ControlRequest::SetConfiguration {
        device: "fw1".to_owned(),
        pending_changes,
        config_locks: config_locks.iter().map(|by| (*by).to_owned()).collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn uncommitted_changes_hold_until_they_are_committed() {
    let world = world(", pending_changes: true").await;
    let told = held_and_released(&world, configuration(false, &[])).await;
    insta::assert_snapshot!(told, @"waits: checks hold it, next try at 2026-03-07T22:10:00Z: no-pending-changes: The candidate configuration holds changes that were not committed.");
}

#[tokio::test(start_paused = true)]
async fn a_lock_holds_until_it_is_released() {
    let world = world(", config_locks: [ben]").await;
    let told = held_and_released(&world, configuration(false, &[])).await;
    insta::assert_snapshot!(told, @"waits: checks hold it, next try at 2026-03-07T22:10:00Z: no-locks: Locks are held: configuration lock of ben (shared)");
}

#[tokio::test(start_paused = true)]
async fn a_full_image_store_holds_until_there_is_room() {
    let world = world("").await;
    let disk = |full| ControlRequest::FullDisk {
        device: "fw1".to_owned(),
        full,
    };
    world.control(disk(true));
    let told = held_and_released(&world, disk(false)).await;
    insta::assert_snapshot!(told, @"waits: checks hold it, next try at 2026-03-07T22:10:00Z: disk-space: /opt/panrepo has 0 MB free; 10.2.0, 10.2.7 still need 1641 MB, a tenth of margin included.");
}

/// The hop may take until midnight and longer: an update that is due then holds, and once it ran nothing does.
#[tokio::test(start_paused = true)]
async fn an_update_that_is_due_while_the_hop_may_last_holds_until_it_ran() {
    let device = ", setup: {update_schedule: [{update: threats, every: daily, at: \"00:01\"}]}";
    let campaign = format!("{CAMPAIGN}checks: {{before: [readiness, advisories, licences]}}\n");
    let world = World::new(&fleet(device), &campaign, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let mut session = world.start(true);
    session.until_device("fw1", "a gate", held).await;
    insta::assert_snapshot!(world.told("fw1").last().unwrap(), @"waits: checks hold it, next try at 2026-03-07T22:10:01Z: dynamic-updates: threats is fetched daily at 00:01 by its clock, next at 2026-03-08T00:01:00, which is inside of the 150 minutes from 2026-03-07T22:00:00 on.");
    assert_eq!(session.end().await, Ending::Finished);
    world.assert_all_done_once("after the update");
    assert!(world.clock.now() > "2026-03-08T00:01:00Z".parse().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_never_opens_ends_with_the_window_and_one_page() {
    let world = world(", pending_changes: true").await;
    let ending = world.run(Vec::new()).await;
    assert!(
        matches!(
            ending,
            Ending::WaitsForPerson(Hold::WindowTooShort { .. } | Hold::Gate { .. })
        ),
        "{ending:?}"
    );
    assert_eq!(world.toll()["fw1"].installs, BTreeMap::new());
    assert_eq!(world.incidents().len(), 1);
    assert!(world.clock.now() < "2026-03-08T06:00:00Z".parse().unwrap());
}

#[tokio::test(start_paused = true)]
async fn optics_that_would_loop_hold_and_name_port_and_part() {
    let fleet = "\
seed: 3
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-850, version: 10.1.14-h9, content: 8900-9000, optics: [{port: 6, vendor: FS, part: SFP1G-SX-85}]}
faults: [optics-boot-loop]
";
    let campaign = CAMPAIGN.replace(
        "target: 10.2.7",
        "target: 10.2.4-h4\npinned_path: {via: [10.2.0], by: olga, reason: the change record names it}",
    );
    let world = World::new(fleet, &campaign, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let cure = ControlRequest::SetOptics {
        device: "fw1".to_owned(),
        optics: Vec::new(),
    };
    let told = held_and_released(&world, cure).await;
    insta::assert_snapshot!(told, @"waits: checks hold it, next try at 2026-03-07T22:10:01Z: PAN-221190: Unsupported modules in ports 5 to 8 reboot a PA-800 (on 10.2.0, 10.2.4-h4). The firewall reboots again and again (I2C errors). Here ethernet1/6 holds SFP1G-SX-85 (unknown-vendor). Source: PAN-OS 10.1.11-h1, 10.2.7 and 11.0.4 release notes, addressed issues.");
}

/// Two firewalls with the same module, bought twice, where it can keep their model from booting.
const TWINS: &str = "\
seed: 3
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-850, version: 10.1.14-h9, content: 8900-9000, optics: [{port: 6, vendor: FINISAR CORP., part: FTLX1475D3BCL}]}
  - {name: fw2, model: PA-850, version: 10.1.14-h9, content: 8900-9000, optics: [{port: 9, vendor: FS, part: SFP-10GSR-85}]}
";

/// Vouches for the one with the release that the campaign leads to, and tells of the other what it did with that.
const OURS: &str = r#"
[[module]]
part = "FTLX1475D3BCL"
verdict = "allowed"
classes = ["pa-800"]
releases = ["10.2+"]
source = "bought from the vendor"
confidence = "high"

[[module]]
part = "SFP-10GSR-85"
verdict = "known-bad"
models = ["PA-850"]
releases = ["10.2.0..10.2.7"]
effect = "The port stays down after the restart."
source = "our case of 2026-02-11"
confidence = "high"
"#;

#[tokio::test(start_paused = true)]
async fn what_the_operator_says_of_modules_lets_go_and_holds_by_the_release_that_a_hop_leads_to() {
    let campaign = CAMPAIGN.replace("target: 10.2.7", "target: 10.2.4-h4").replace(
        "waves:",
        "checks: {before: [readiness, optics, modules, advisories], after: [after]}\nwaves:",
    );
    let mut world = World::new(TWINS, &campaign, Arc::new(MemoryJournal::new()));
    let shipped = world.plan().await.hash();
    world.lay_over(OURS);
    let plan = world.enrol().await;
    assert_ne!(
        plan.hash(),
        shipped,
        "an approval of the one list is none of the other"
    );
    let mut session = world.start(true);
    session.until_device("fw2", "the gate", held).await;
    let told = world.told("fw2");
    let (_, why) = told.last().unwrap().split_once("Z: ").unwrap();
    insta::assert_snapshot!(why, @"optics-known-bad: ethernet1/9 holds SFP-10GSR-85, which is known to do harm in a PA-850 with 10.2.4-h4: The port stays down after the restart.");
    session.end().await;
    let toll = world.toll();
    assert_eq!(toll["fw1"].version, "10.2.4-h4");
    assert_eq!(toll["fw2"].installs, BTreeMap::new());
}

/// Somebody at the device's own web interface.
fn by_hand(world: &World) -> Arc<Client> {
    let mut clients = clients_of(&world.fleet, Wire::Lost, &world.password);
    clients.remove(&"fw1".parse().unwrap()).unwrap()
}

async fn install_by_hand(world: &World, version: &str) -> Arc<Client> {
    let client = by_hand(world);
    for image in ["10.2.0", version] {
        client.download(image.parse().unwrap()).await.unwrap();
        world.wait_minutes(15).await;
    }
    client.install(version.parse().unwrap()).await.unwrap();
    world.wait_minutes(25).await;
    client
}

#[tokio::test(start_paused = true)]
async fn a_device_that_runs_another_release_than_planned_drops_out() {
    let world = world("").await;
    let client = install_by_hand(&world, "10.2.4-h4").await;
    client.restart().await.unwrap();
    world.wait_minutes(30).await;
    let ending = world.run(Vec::new()).await;
    let Ending::WaitsForPerson(hold) = ending else {
        panic!("{ending:?}")
    };
    insta::assert_snapshot!(hold, @"it runs 10.2.4-h4 where the approved plan says 10.1.14-h9; plan again or put it back, then resume");
    let toll = &world.toll()["fw1"];
    assert_eq!((toll.reboots, toll.version.as_str()), (1, "10.2.4-h4"));
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_somebody_did_by_hand_is_not_done_again() {
    let world = world("").await;
    let client = install_by_hand(&world, "10.2.7").await;
    client.restart().await.unwrap();
    world.wait_minutes(30).await;
    assert_eq!(world.run(Vec::new()).await, Ending::Finished);
    world.assert_all_done_once("by hand");
    insta::assert_snapshot!(world.told("fw1").last().unwrap(), @"hop 1 was done already: runs 10.2.7, to know: differences: cannot tell, nothing was read before the hop to compare with");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_somebody_installed_is_only_restarted_into() {
    let world = world("").await;
    install_by_hand(&world, "10.2.7").await;
    assert_eq!(world.run(Vec::new()).await, Ending::Finished);
    world.assert_all_done_once("staged by hand");
}

#[tokio::test(start_paused = true)]
async fn another_release_that_waits_for_the_next_boot_holds() {
    let world = world("").await;
    install_by_hand(&world, "10.2.4-h4").await;
    let mut session = world.start(true);
    session.until_device("fw1", "a gate", held).await;
    insta::assert_snapshot!(world.told("fw1").last().unwrap(), @"waits: checks hold it, next try at 2026-03-07T23:05:00Z: software-manager-clear: 10.2.4-h4 is installed and waits for the next boot; a reboot now would not lead to 10.2.7.");
    session.stop();
    assert_eq!(session.end().await, Ending::Stopped);
    assert_eq!(world.toll()["fw1"].reboots, 0);
}

/// The update server of this fleet has no 10.2.7.
#[tokio::test(start_paused = true)]
async fn an_image_that_is_not_offered_holds_until_a_person_looks() {
    let fleet = fleet("").replace(
        "devices:",
        "releases: [{version: 10.1.0, size: 900}, {version: 10.1.14-h9, size: 400}, {version: 10.2.0, size: 900}]\ndevices:",
    );
    // Without the before-checks: the hold that is under them.
    let campaign = CAMPAIGN.replace("waves:", "checks: {before: [], after: [after]}\nwaves:");
    let world = World::new(&fleet, &campaign, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let ending = world.run(Vec::new()).await;
    let Ending::WaitsForPerson(hold) = ending else {
        panic!("{ending:?}")
    };
    insta::assert_snapshot!(hold, @"the update server does not offer 10.2.7 to it; resume when it does");
    assert_eq!(world.toll()["fw1"].installs, BTreeMap::new());

    // With them it does not get that far.
    let world = World::new(&fleet, CAMPAIGN, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let mut session = world.start(true);
    session.until_device("fw1", "a gate", held).await;
    insta::assert_snapshot!(world.told("fw1").last().unwrap(), @"waits: checks hold it, next try at 2026-03-07T22:10:00Z: images-offered: The software list has no 10.2.7, and a release a device does not list cannot be downloaded or installed.; disk-space: cannot tell, the software list does not say how large 10.2.7 or its base image is");
    session.stop();
    assert_eq!(session.end().await, Ending::Stopped);
}

#[tokio::test(start_paused = true)]
async fn content_that_is_too_old_holds() {
    let fleet = fleet("").replace("8900-9000", "8000-5000");
    let world = World::new(&fleet, CAMPAIGN, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let mut session = world.start(true);
    session.until_device("fw1", "a gate", held).await;
    insta::assert_snapshot!(world.told("fw1").last().unwrap(), @"waits: checks hold it, next try at 2026-03-07T22:10:00Z: content-new-enough: 10.2.7 installs with content 8614 or later; installed is 8000-5000.");
    let client = by_hand(&world);
    drop(client);
    session.stop();
    assert_eq!(session.end().await, Ending::Stopped);
    assert_eq!(world.toll()["fw1"].installs, BTreeMap::new());
}
