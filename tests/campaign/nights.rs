//! Windows, waves, soak and approvals: what runs when, and what rests when the window closes.

use std::sync::Arc;

use hopgate::fleet::Ending;
use hopgate::journal::memory::MemoryJournal;
use hopgate_core::campaign::{ApprovalRefused, CampaignEvent};
use hopgate_core::device::Phase;
use hopgate_core::incident::Severity;
use hopgate_core::waiting::Hold;
use hopgate_tests::World;
use jiff::{SignedDuration, Timestamp};

/// Six sites of four models, three hops each; two pairs among them.
const ESTATE: &str = "\
seed: 7
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: vm1, model: PA-VM, version: 9.1.16, content: 8900-9000}
  - {name: branch1, model: PA-850, version: 9.1.16, content: 8900-9000}
  - {name: branch2, model: PA-3220, version: 9.1.16, content: 8900-9000}
  - {name: core-a, model: PA-3220, version: 9.1.16, content: 8900-9000}
  - {name: core-b, model: PA-3220, version: 9.1.16, content: 8900-9000}
  - {name: dc-a, model: PA-5220, version: 9.1.16, content: 8900-9000}
  - {name: dc-b, model: PA-5220, version: 9.1.16, content: 8900-9000}
pairs:
  - {name: core, members: [core-a, core-b], active: core-a}
  - {name: dc, members: [dc-a, dc-b], active: dc-b}
";

/// The campaign over [`ESTATE`], with a window.
fn spring(opens: &str, closes: &str) -> String {
    format!(
        "\
campaign: spring
launcher: olga
target: 10.2.4-h4
pinned_path: {{via: [10.1.0, 10.2.0], by: olga, reason: the change record names them}}
window: {{opens: {opens}, closes: {closes}}}
inventory: inventory.yaml
waves:
  - {{name: canary, devices: [vm1], soak_minutes: 20}}
  - {{name: rest, rest: true, concurrency: 4, approval: true}}
"
    )
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

#[tokio::test(start_paused = true)]
async fn a_whole_estate_goes_up_three_hops_in_one_long_night() {
    let campaign = spring("2026-03-07T22:00:00Z", "2026-03-08T10:00:00Z");
    let world = World::new(ESTATE, &campaign, Arc::new(MemoryJournal::new()));
    let plan = world.enrol().await;
    assert!(plan.devices.values().all(|device| device.route.hops.len() == 3));
    let mut session = world.start(false);
    session
        .until_campaign("the gate", |event| {
            matches!(event, CampaignEvent::GateReached { .. })
        })
        .await;
    session.approve("rest", "ben", None).await.unwrap();
    assert_eq!(session.end().await, Ending::Finished);

    world.assert_all_done_once("one long night");
    world.assert_journal_folds("one long night");
    assert_eq!(world.incidents(), []);
    // Both members of a pair did every hop before either did the next.
    for (first, second) in [("core-b", "core-a"), ("dc-a", "dc-b")] {
        let ends = |name| hop_ends(&world, name);
        let (first, second) = (ends(first), ends(second));
        assert!(first[0] < second[0], "the passive member goes first");
        for hop in 0..2 {
            assert!(first[hop].max(second[hop]) < first[hop + 1].min(second[hop + 1]));
        }
    }
}

fn hop_ends(world: &World, name: &str) -> Vec<Timestamp> {
    let ends =
        |event: &hopgate_core::device::Event| matches!(event, hopgate_core::device::Event::HopEnded { .. });
    let events = world.events(name).into_iter();
    events
        .filter(|dated| ends(&dated.event))
        .map(|dated| dated.at)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn windows_of_four_hours_take_several_nights_and_nothing_is_under_way_between_them() {
    let mut opens: Timestamp = "2026-03-07T22:00:00Z".parse().unwrap();
    let night = |opens: Timestamp| spring(&opens.to_string(), &(opens + hours(4)).to_string());
    let mut world = World::new(ESTATE, &night(opens), Arc::new(MemoryJournal::new()));
    let mut nights = 0;
    loop {
        nights += 1;
        assert!(nights < 10, "no progress: {:?}", world.toll());
        let closes = opens + hours(4);
        world.rewrite(&night(opens));
        world.enrol().await;
        let mut session = world.start(false);
        let needs_approval = world.recorded_plan().waves.iter().any(|wave| wave.approval);
        assert!(needs_approval);
        if nights == 1 {
            session
                .until_campaign("the gate", |event| {
                    matches!(event, CampaignEvent::GateReached { .. })
                })
                .await;
        }
        // The window changed and with it the plan: last night's approval does not count.
        session.approve("rest", "ben", None).await.unwrap();
        let ending = session.end().await;
        assert_eq!(world.breaches(), Vec::<String>::new(), "night {nights}");
        assert!(
            world.clock.now() <= closes,
            "night {nights} ends inside its window"
        );
        if ending == Ending::Finished {
            break;
        }
        assert!(
            matches!(ending, Ending::WaitsForPerson(Hold::WindowTooShort { .. })),
            "night {nights}: {ending:?}"
        );
        for device in world.recorded_plan().devices.keys() {
            let device = world.device(device.as_str());
            let at_rest = matches!(device.phase(), Phase::Waiting(_) | Phase::Done);
            assert!(at_rest, "night {nights}: {} is {:?}", device.id(), device.phase());
        }
        let incidents = world.incidents();
        assert_eq!(incidents.len(), nights, "one page a night");
        assert!(
            incidents
                .iter()
                .all(|incident| incident.severity == Severity::Warning)
        );
        opens += hours(24);
        world.clock.sleep_until(opens).await;
    }
    assert!(nights > 1, "three hops of a pair do not fit into one such night");
    world.assert_all_done_once("several nights");
    insta::assert_snapshot!(world.incidents()[0].summary, @"campaign spring: the window ends with 6 devices unfinished; nothing is under way");
}

const ONE: &str = "\
seed: 7
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-850, version: 10.1.14-h9, content: 8900-9000}
";

fn to_10_2_7(opens: &str, closes: &str) -> String {
    format!(
        "\
campaign: spring
launcher: olga
target: 10.2.7
window: {{opens: {opens}, closes: {closes}}}
inventory: inventory.yaml
waves:
  - {{name: all, rest: true, concurrency: 8}}
"
    )
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_in_a_window_that_is_too_short() {
    let campaign = to_10_2_7("2026-03-07T22:00:00Z", "2026-03-08T00:00:00Z");
    let world = World::new(ONE, &campaign, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    let ending = world.run(Vec::new()).await;
    let Ending::WaitsForPerson(hold) = ending else {
        panic!("{ending:?}")
    };
    insta::assert_snapshot!(hold, @"the hop and its way back may take 150 min and the window closes at 2026-03-08T00:00:00Z");
    assert_eq!(world.told("fw1").len(), 1, "only enrolled");
    assert_eq!(world.toll()["fw1"].installs.len(), 0);
    assert_eq!(world.incidents().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_starts_early_waits_for_its_window() {
    let campaign = to_10_2_7("2026-03-08T22:00:00Z", "2026-03-09T06:00:00Z");
    let world = World::new(ONE, &campaign, Arc::new(MemoryJournal::new()));
    world.enrol().await;
    insta::assert_snapshot!(world.hold("fw1").unwrap(), @"the change window opens at 2026-03-08T22:00:00Z");
    assert_eq!(world.run(Vec::new()).await, Ending::Finished);
    let first = world.events("fw1")[1].at;
    assert!(first >= "2026-03-08T22:00:00Z".parse().unwrap(), "{first}");
    assert!(first < "2026-03-08T22:00:02Z".parse().unwrap(), "{first}");
    world.assert_all_done_once("early");
}

/// Granted in time and installed too late to come back inside: it rests with the release staged, and the next night only
/// restarts it.
#[tokio::test(start_paused = true)]
async fn a_device_that_is_late_rests_staged_and_is_not_installed_again() {
    let mut world = World::new(
        ONE,
        &to_10_2_7("2026-03-07T22:00:00Z", "2026-03-08T00:45:00Z"),
        Arc::new(MemoryJournal::new()),
    );
    world.enrol().await;
    // Its update server is out of reach for an hour: the download takes until the time for the restart has passed.
    world.inject("fw1", "software-check", panos_simulator::NetworkFault::Reset, 55);
    let ending = world.run(Vec::new()).await;
    assert!(
        matches!(ending, Ending::WaitsForPerson(Hold::WindowTooShort { .. })),
        "{ending:?}"
    );
    let toll = world.toll();
    assert_eq!((toll["fw1"].reboots, toll["fw1"].installs["10.2.7"]), (0, 1));
    let told = world.told("fw1");
    insta::assert_snapshot!(told[told.len() - 2..].join("\n"), @"
    10.2.7 is installed and starts with the next boot
    waits: the hop and its way back may take 90 min and the window closes at 2026-03-08T00:45:00Z
    ");

    world.rewrite(&to_10_2_7("2026-03-08T22:00:00Z", "2026-03-09T06:00:00Z"));
    world.enrol().await;
    assert_eq!(world.run(Vec::new()).await, Ending::Finished);
    world.assert_all_done_once("the second night");
}

#[tokio::test(start_paused = true)]
async fn the_second_wave_opens_after_the_soak_and_by_another_persons_approval() {
    let fleet = "\
seed: 7
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: canary1, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
  - {name: rest1, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
  - {name: rest2, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
";
    let campaign = "\
campaign: spring
launcher: olga
target: 10.2.7
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T10:00:00Z}
inventory: inventory.yaml
waves:
  - {name: canary, devices: [canary1], soak_minutes: 45}
  - {name: rest, rest: true, concurrency: 1, approval: true}
";
    let world = World::new(fleet, campaign, Arc::new(MemoryJournal::new()));
    let plan = world.enrol().await;
    let mut session = world.start(false);
    insta::assert_snapshot!(world.hold("rest1").unwrap(), @"its wave opens when wave canary is finished");
    session
        .until_campaign("the canary is done", |event| {
            matches!(event, CampaignEvent::WaveFinished { .. })
        })
        .await;
    let canary_done = world.clock.now();
    world.wait_minutes(5).await;
    assert!(matches!(world.hold("rest1"), Some(Hold::Soak { .. })));
    session
        .until_campaign("the gate", |event| {
            matches!(event, CampaignEvent::GateReached { .. })
        })
        .await;
    let soaked = canary_done.duration_until(world.clock.now());
    assert!(soaked >= SignedDuration::from_mins(45), "{soaked}");

    let refused = session.approve("rest", "olga", None).await.unwrap_err();
    insta::assert_snapshot!(refused, @"olga launched the campaign and cannot approve wave rest of it");
    let refused = session.approve("rest", "ben", Some("0123")).await.unwrap_err();
    assert!(matches!(refused, ApprovalRefused::OtherPlan { .. }), "{refused}");
    let refused = session.approve("canary", "ben", None).await.unwrap_err();
    insta::assert_snapshot!(refused, @"wave canary needs no approval");
    world.wait_minutes(120).await;
    assert_eq!(
        world.toll()["rest1"].installs.len(),
        0,
        "nothing moves without approval"
    );

    let hash = plan.hash();
    session.approve("rest", "ben", Some(hash.short())).await.unwrap();
    assert_eq!(session.end().await, Ending::Finished);
    world.assert_all_done_once("waves");
    let (first, second) = (hop_ends(&world, "rest1"), world.events("rest2"));
    let second_starts = second[1].at;
    assert!(
        first[0] <= second_starts,
        "one at a time: {} {second_starts}",
        first[0]
    );
}
