//! Differences after a hop: a device that came back without what it carried is held and then halted, what a hop explains is
//! not, and a person who looked can accept what is left.

use std::sync::Arc;

use hopgate::fleet::{Command, Ending};
use hopgate::journal::memory::MemoryJournal;
use hopgate_core::device::Event;
use hopgate_core::halt::HaltReason;
use hopgate_tests::World;

/// A firewall whose tunnels do not come back on 11.2 before 11.2.8 (PAN-293484), one alone, and a pair.
const FLEET: &str = "\
seed: 3
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-460, version: 11.1.10, content: 9050-9500, features: [ike-on-aggregate-dhcp]}
  - {name: fw2, model: PA-460, version: 11.1.10, content: 9050-9500}
  - {name: core-a, model: PA-460, version: 11.1.10, content: 9050-9500}
  - {name: core-b, model: PA-460, version: 11.1.10, content: 9050-9500}
pairs:
  - {name: core, members: [core-a, core-b], active: core-a}
faults: [ipsec-does-not-return]
";

const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 11.2.7
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T10:00:00Z}
inventory: inventory.yaml
checks: {before: [readiness], after: [after, differences]}
waves:
  - {name: all, rest: true, concurrency: 4}
";

fn world(campaign: &str) -> World {
    World::new(FLEET, campaign, Arc::new(MemoryJournal::new()))
}

/// Why a device was halted after its hop, as it was told.
fn differed(world: &World, device: &str) -> Vec<String> {
    let events = world.events(device);
    let reasons = events.iter().rev().find_map(|dated| match &dated.event {
        Event::Halted {
            reason: HaltReason::AfterChecks { reasons },
            ..
        } => Some(reasons.clone()),
        _ => None,
    });
    reasons.unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn what_a_hop_explains_holds_nobody() {
    let without = FLEET.replace(", features: [ike-on-aggregate-dhcp]", "");
    let world = World::new(&without, CAMPAIGN, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let ending = world.run(Vec::new()).await;
    assert_eq!(ending, Ending::Finished, "{:#?}", world.incidents());
    world.assert_all_done_once("with differences");
    for device in ["fw1", "fw2", "core-a", "core-b"] {
        let told = world.told(device);
        let kept = told
            .iter()
            .any(|line| line.ends_with("; its state kept to compare with"));
        assert!(kept, "{told:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tunnels_that_do_not_come_back_halt_the_campaign_and_a_person_can_accept_them() {
    let world = world(CAMPAIGN);
    world.enrol().await;
    let ending = world.run(Vec::new()).await;
    assert!(matches!(ending, Ending::WaitsForPerson(_)), "{ending:?}");
    insta::assert_snapshot!(differed(&world, "fw1").join("\n"), @"ipsec-tunnels: tunnel to-berlin: monitor up -> down; tunnel to-berlin: active -> init");
    let resume = Command::Resume {
        by: "petra".parse().unwrap(),
        reason: "the far ends are moved tonight".to_owned(),
    };
    assert_eq!(world.run(vec![resume]).await, Ending::Finished);
    world.assert_all_done_once("after a person accepted");
    let told = world.told("fw1");
    let (_, known) = told.last().unwrap().split_once("to know: ").unwrap();
    insta::assert_snapshot!(known, @"ipsec-tunnels: tunnel to-berlin: monitor up -> down; tunnel to-berlin: active -> init; petra looked and let it go on; ipsec-tunnels: tunnel to-oslo: active -> init");
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_compares_nothing_keeps_nothing() {
    let world = world(&CAMPAIGN.replace("[after, differences]", "[after]"));
    world.enrol().await;
    assert_eq!(world.run(Vec::new()).await, Ending::Finished);
    let told = world.told("fw1");
    assert!(
        !told.iter().any(|line| line.contains("kept to compare")),
        "{told:#?}"
    );
}
