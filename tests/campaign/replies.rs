//! Requests and replies that get lost, cut short or replaced: whatever does not come back, nothing is done twice.

use std::sync::Arc;

use hopgate::fleet::Ending;
use hopgate::journal::memory::MemoryJournal;
use hopgate_tests::World;
use panos_simulator::NetworkFault;

const FLEET: &str = "\
seed: 5
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: alone, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
  - {name: left, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
  - {name: right, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
pairs:
  - {name: pair, members: [left, right], active: left}
";

/// Without differences: hundreds of campaigns, and each look would read everything.
const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.7
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T16:00:00Z}
inventory: inventory.yaml
checks: {before: [readiness, advisories], after: [after]}
waves:
  - {name: all, rest: true, concurrency: 8}
";

const FAULTS: [NetworkFault; 7] = [
    NetworkFault::Refuse,
    NetworkFault::Reset,
    NetworkFault::Hang,
    NetworkFault::Html,
    NetworkFault::Truncate,
    NetworkFault::LoseReply,
    NetworkFault::SwallowReply,
];

async fn goes_well(operation: &str, fault: NetworkFault, requests: u32) -> World {
    let world = World::new(FLEET, CAMPAIGN, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    for device in ["alone", "left", "right"] {
        world.inject(device, operation, fault, requests);
    }
    let context = format!("{requests} x {fault:?} on {operation}");
    let ending = world.run(Vec::new()).await;
    assert_eq!(
        ending,
        Ending::Finished,
        "{context}\n{}",
        world.told("left").join("\n")
    );
    world.assert_all_done_once(&context);
    world
}

#[tokio::test(start_paused = true)]
async fn a_changing_request_that_goes_wrong_on_the_way_is_done_once() {
    for operation in ["download", "install", "suspend", "functional", "restart"] {
        for fault in FAULTS {
            goes_well(operation, fault, 1).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_goes_wrong_three_times_is_looked_again() {
    let looks = [
        "keygen",
        "system-info",
        "export-configuration",
        "software-check",
        "software-info",
        "jobs",
        "job",
        "software-manager",
        "ha-state",
        "chassis-ready",
        "config-locks",
        "pending-changes",
        "disk-space",
    ];
    for operation in looks {
        for fault in FAULTS {
            goes_well(operation, fault, 3).await;
        }
    }
}

/// What was sent and not answered is told as it is, and nothing but looking follows it.
#[tokio::test(start_paused = true)]
async fn the_timeline_says_what_was_not_answered_and_what_was_found() {
    let world = goes_well("install", NetworkFault::LoseReply, 1).await;
    let told = world.told("alone");
    let from = told
        .iter()
        .position(|line| line.starts_with("about to install"))
        .unwrap();
    insta::assert_snapshot!(told[from..from + 5].join("\n"), @"
    about to install 10.2.7
    no answer to the request to install 10.2.7 (install 10.2.7 on alone: the connection broke before the reply was complete: connection reset); looking before anything else
    took the request to install 10.2.7: job 4
    job 4 to install 10.2.7 ended OK
    10.2.7 is installed and starts with the next boot
    ");
    let world = goes_well("install", NetworkFault::Html, 1).await;
    let told = world.told("alone");
    let from = told
        .iter()
        .position(|line| line.starts_with("about to install"))
        .unwrap();
    insta::assert_snapshot!(told[from..from + 5].join("\n"), @"
    about to install 10.2.7
    no answer to the request to install 10.2.7 (install 10.2.7 on alone: the reply is not a PAN-OS reply: an HTML page: <!DOCTYPE html><html><head><title>Login</title></head><body><h1>Login</h1>Please …); looking before anything else
    the request to install 10.2.7 had no effect
    about to install 10.2.7, attempt 2
    took the request to install 10.2.7: job 4
    ");
    let world = goes_well("restart", NetworkFault::Hang, 1).await;
    let told = world.told("alone");
    let from = told
        .iter()
        .position(|line| line.starts_with("about to restart"))
        .unwrap();
    insta::assert_snapshot!(told[from..from + 5].join("\n"), @"
    about to restart
    no answer to the request to restart (restart on alone: no complete reply in time: no reply in time); looking before anything else
    kept running: the restart was not taken
    10.2.7 is installed and starts with the next boot
    about to restart, attempt 2
    ");
}
