//! HA pairs: who goes first, what is proved before a member leaves, how it comes back, what happens when it cannot.

use std::sync::Arc;

use hopgate::fleet::Ending;
use hopgate::journal::memory::MemoryJournal;
use hopgate_core::device::{Action, Event, Phase};
use hopgate_core::halt::HaltReason;
use hopgate_core::waiting::Hold;
use hopgate_tests::World;
use panos_simulator::{ControlRequest, HaState, NetworkFault};

fn fleet(version: &str, pair: &str) -> String {
    format!(
        "\
seed: 9
epoch: 2026-03-07T22:00:00Z
credentials: {{user: admin, password: admin}}
devices:
  - {{name: left, model: PA-VM, version: {version}, content: 8900-9000}}
  - {{name: right, model: PA-VM, version: {version}, content: 8900-9000}}
pairs:
  - {{name: pair, members: [left, right], active: left{pair}}}
"
    )
}

fn campaign(target: &str, path: &str) -> String {
    format!(
        "\
campaign: spring
launcher: olga
target: {target}
{path}window: {{opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T22:00:00Z}}
inventory: inventory.yaml
waves:
  - {{name: all, rest: true, concurrency: 8}}
"
    )
}

async fn world(pair: &str) -> World {
    let world = World::new(
        &fleet("10.1.14-h9", pair),
        &campaign("10.2.7", ""),
        Arc::new(MemoryJournal::new()),
    );
    world.enrol().await;
    world
}

#[tokio::test(start_paused = true)]
async fn the_passive_member_goes_first_and_the_active_one_hands_over() {
    let world = world(", suspended_survives_reboot: true").await;
    assert_eq!(world.run(Vec::new()).await, Ending::Finished);
    world.assert_all_done_once("pair");
    let asked = |name: &str| {
        let actions = world
            .events(name)
            .into_iter()
            .filter_map(|dated| match dated.event {
                Event::Intended { action, .. } => Some(action.to_string()),
                Event::FailoverProved { seen } => Some(seen),
                _ => None,
            });
        actions.collect::<Vec<String>>().join("\n")
    };
    insta::assert_snapshot!(asked("right"), @"
    download 10.2.0
    download 10.2.7
    install 10.2.7
    this member passive, peer active by its own word and active by this one's
    restart
    ");
    insta::assert_snapshot!(asked("left"), @"
    download 10.2.0
    download 10.2.7
    install 10.2.7
    suspend HA
    this member suspended (User requested), peer active by its own word and active by this one's
    restart
    make HA functional
    ");
    let granted: Vec<String> = world
        .campaign_events()
        .iter()
        .map(|dated| dated.event.to_string())
        .filter(|line| line.contains("may do hop"))
        .collect();
    insta::assert_snapshot!(granted.join("\n"), @"
    right may do hop 1: it is passive and left is active
    left may do hop 1: right runs 10.2.7 already
    ");
    let report = world.fleet.pair_report("pair").unwrap();
    assert_eq!(report.both_out_of_service_by_request, 0);
    assert!(report.seconds_with_nobody_serving < 5.0, "{report:?}");
}

/// Whether a suspension outlives a reboot differs by source: it is read, and undone only where it is there.
#[tokio::test(start_paused = true)]
async fn a_suspension_that_does_not_survive_the_reboot_is_not_undone_again() {
    for (pair, functionals) in [
        (", suspended_survives_reboot: true", 1),
        (", suspended_survives_reboot: false", 0),
    ] {
        let world = world(pair).await;
        assert_eq!(world.run(Vec::new()).await, Ending::Finished);
        world.assert_all_done_once(pair);
        let counters = world.fleet.counters("left").unwrap();
        assert_eq!(
            (counters.suspends, counters.functionals),
            (1, functionals),
            "{pair}"
        );
    }
}

/// 9.1 to 10.1 is two feature releases: the older member suspends itself until it has done the same hop.
#[tokio::test(start_paused = true)]
async fn two_feature_releases_apart_the_older_member_is_suspended_and_cured_by_its_own_hop() {
    let path = "pinned_path: {via: [10.1.0], by: olga, reason: the vendor allows it}\n";
    let world = World::new(
        &fleet("9.1.16", ""),
        &campaign("10.2.0", path),
        Arc::new(MemoryJournal::new()),
    );
    world.enrol().await;
    let mut session = world.start(true);
    session
        .until_device("right", "its first hop", |event| {
            matches!(event, Event::HopEnded { hop: 0, .. })
        })
        .await;
    world.wait_minutes(1).await;
    let ha = world.fleet.state("left").unwrap().ha.unwrap();
    assert_eq!(
        (ha.state, ha.reason.as_str()),
        (HaState::Suspended, "Peer version too old")
    );
    assert_eq!(session.end().await, Ending::Finished, "{:#?}", world.told("left"));
    world.assert_all_done_once("peer version too old");
    let counters = world.fleet.counters("left").unwrap();
    assert_eq!(
        counters.functionals, counters.suspends,
        "that suspension was not ours to undo"
    );
}

#[tokio::test(start_paused = true)]
async fn preemption_holds_both_members() {
    let world = world(", preemptive: true").await;
    let mut session = world.start(true);
    session
        .until_device("right", "a gate", |event| {
            matches!(event, Event::Held(Hold::Gate { .. }))
        })
        .await;
    insta::assert_snapshot!(world.told("right").last().unwrap(), @"waits: checks hold it, next try at 2026-03-07T22:10:00Z: ha-preemption-off: Preemption is on; a member that comes back from its reboot would take the active role before it is checked.");
    session.stop();
    assert_eq!(session.end().await, Ending::Stopped);
    assert_eq!(world.toll()["left"].reboots + world.toll()["right"].reboots, 0);
}

/// The peer breaks while this member is installed to: nothing leaves service, and it goes on when the peer is well.
#[tokio::test(start_paused = true)]
async fn a_member_does_not_leave_while_its_peer_cannot_serve() {
    let world = world("").await;
    let mut session = world.start(true);
    session.until_phase("left", "installing").await;
    set_ha(
        &world,
        "right",
        HaState::NonFunctional,
        "Dataplane down: path monitor failure",
    );
    session
        .until_device("left", "it waits for its peer", |event| {
            matches!(event, Event::Held(Hold::PeerNotReady { .. }))
        })
        .await;
    insta::assert_snapshot!(world.told("left").last().unwrap(), @"waits: its HA peer cannot be shown to take over (this member active, peer non-functional (Dataplane down: path monitor failure) by its own word and non-functional (Dataplane down: path monitor failure) by this one's); next try at 2026-03-07T22:58:18Z");
    assert_eq!(world.toll()["left"].reboots, 0);
    assert_eq!(world.fleet.counters("left").unwrap().suspends, 0);
    set_ha(&world, "right", HaState::Passive, "");
    assert_eq!(session.end().await, Ending::Finished, "{:#?}", world.told("left"));
    world.assert_all_done_once("peer not ready");
}

/// The peer breaks in the moment in which this member was suspended: it is put back, not restarted.
#[tokio::test(start_paused = true)]
async fn a_failover_that_is_not_proved_puts_the_member_back() {
    let world = world("").await;
    let mut session = world.start(true);
    session
        .until_device("left", "suspended", |event| {
            matches!(
                event,
                Event::Accepted {
                    action: Action::Suspend,
                    ..
                }
            )
        })
        .await;
    set_ha(
        &world,
        "right",
        HaState::NonFunctional,
        "Dataplane down: path monitor failure",
    );
    let ending = session.end().await;
    assert!(
        matches!(ending, Ending::WaitsForPerson(Hold::DeviceHalted { .. })),
        "{ending:?}"
    );
    let left = world.device("left");
    assert!(
        matches!(
            left.phase(),
            Phase::Halted {
                reason: HaltReason::FailoverNotProved { .. },
                ..
            }
        ),
        "{:?}",
        left.phase()
    );
    assert!(!left.out_of_service());
    let toll = world.toll();
    assert_eq!(
        (toll["left"].reboots, toll["left"].version.as_str()),
        (0, "10.1.14-h9")
    );
    let ha = world.fleet.state("left").unwrap().ha.unwrap();
    assert_eq!(ha.state, HaState::Active);
    let incidents = world.incidents();
    assert_eq!(incidents.len(), 1);
    insta::assert_snapshot!(incidents[0].summary, @"left (PA-VM) on the way to 10.2.7: the peer did not take over: this member suspended (User requested), peer non-functional (Dataplane down: path monitor failure) by its own word and non-functional (Dataplane down: path monitor failure) by this one's");

    set_ha(&world, "right", HaState::Passive, "");
    let ending = world.run(vec![hopgate_tests::session::resume()]).await;
    assert_eq!(ending, Ending::Finished, "{:#?}", world.told("left"));
    let toll = world.toll();
    assert_eq!((toll["left"].reboots, toll["left"].installs["10.2.7"]), (1, 1));
    assert_eq!(
        world
            .fleet
            .pair_report("pair")
            .unwrap()
            .both_out_of_service_by_request,
        0
    );
}

/// One member never comes back: the other is not touched, whatever anybody asks.
#[tokio::test(start_paused = true)]
async fn the_peer_of_a_lost_member_is_never_touched() {
    let fleet = format!(
        "{}faults: [{{rule: never-returns, when: {{devices: [right]}}}}]\n",
        fleet("10.1.14-h9", "")
    );
    let world = World::new(&fleet, &campaign("10.2.7", ""), Arc::new(MemoryJournal::new()));
    world.enrol().await;
    for _ in 0..3 {
        let ending = world.run(vec![hopgate_tests::session::resume()]).await;
        assert!(
            matches!(ending, Ending::WaitsForPerson(Hold::CampaignHalted { .. })),
            "{ending:?}"
        );
        let toll = world.toll();
        assert_eq!((toll["left"].reboots, toll["left"].installs.len()), (0, 0));
        assert_eq!(world.fleet.counters("left").unwrap().suspends, 0);
        assert_eq!(toll["right"].reboots, 1);
    }
    assert_eq!(world.fleet.pair_report("pair").unwrap().longest_gap_seconds, 0.0);
}

/// The roles cannot be read for a while: nobody goes first on a guess.
#[tokio::test(start_paused = true)]
async fn roles_that_cannot_be_read_hold_both() {
    let world = world("").await;
    for member in ["left", "right"] {
        world.inject(member, "ha-state", NetworkFault::Html, 20);
    }
    let session = world.start(true);
    world.wait_minutes(5).await;
    insta::assert_snapshot!(world.hold("left").unwrap(), @"the HA roles of it and right are being read");
    assert_eq!(
        world.told("left").len() + world.told("right").len(),
        2,
        "only enrolled"
    );
    assert_eq!(session.end().await, Ending::Finished);
    world.assert_all_done_once("roles");
}

/// A power cut makes the passive member active while the other one is being prepared: it is proved anew who serves.
#[tokio::test(start_paused = true)]
async fn roles_that_change_during_the_hop_are_seen_before_anything_leaves() {
    for minute in [5, 9, 12, 16, 20] {
        let world = world("").await;
        let session = world.start(true);
        world.wait_minutes(minute).await;
        world.control(ControlRequest::PowerCycle {
            device: "left".to_owned(),
        });
        let ending = session.end().await;
        let context = format!("minute {minute}: {}", world.told("right").join("\n"));
        assert_eq!(ending, Ending::Finished, "{context}");
        assert_eq!(
            world
                .fleet
                .pair_report("pair")
                .unwrap()
                .both_out_of_service_by_request,
            0,
            "{context}"
        );
        for member in ["left", "right"] {
            let toll = &world.toll()[member];
            assert_eq!((toll.reboots, toll.version.as_str()), (1, "10.2.7"), "{context}");
        }
    }
}

fn set_ha(world: &World, device: &str, state: HaState, reason: &str) {
    world.control(ControlRequest::SetHaState {
        device: device.to_owned(),
        state,
        reason: reason.to_owned(),
    });
}
