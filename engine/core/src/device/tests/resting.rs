//! Coming to rest: stood down in every phase, held by checks, drifted, out of time.

use super::scripted::{Fate, Firewall, World, version};
use crate::device::{Action, Phase};
use crate::plan::tests::hop;
use crate::waiting::Hold;

#[test]
fn stood_down_in_any_phase_it_rests_in_service_or_ends_the_hop() {
    for name in Phase::NAMES {
        for script in [
            None,
            Some(Action::Suspend),
            Some(Action::Restart),
            Some(Action::Install(version("10.2.0"))),
        ] {
            for fate in [Fate::Lost, Fate::TakenSilently, Fate::Refused] {
                let mut world = World::active();
                if let Some(action) = script {
                    world.firewall.script(action, &[fate]);
                }
                world.stand_down_in = Some(name);
                let rested = world.run();
                let context = format!("{name} {script:?} {fate:?}: {rested:?}\n{}", world.story());
                assert!(matches!(rested, Phase::Waiting(_) | Phase::Done), "{context}");
                assert_ne!(world.firewall.ha.as_deref(), Some("suspended"), "{context}");
                assert_eq!(world.firewall.outages, [], "{context}");
                assert_eq!(world.run_to_the_end(), Phase::Done, "{context}");
                assert_eq!(world.firewall.restarts, 1, "{context}");
            }
        }
    }
}

#[test]
fn stood_down_while_serving_nothing_is_suspended_any_more() {
    let mut world = World::active();
    world.firewall.script(Action::Suspend, &[Fate::Lost]);
    world.grant();
    world.drive_to("leaving service");
    world.step();
    world.turn(&crate::device::Input::StandDown {
        because: "campaign halted".to_owned(),
    });
    world.drive();
    assert_eq!(
        (world.count(Action::Suspend), world.firewall.suspends),
        (1, 0),
        "{}",
        world.story()
    );
}

#[test]
fn past_the_last_instant_for_a_restart_it_stays_in_service() {
    for mut world in [World::standalone(), World::active()] {
        world.reboot_by = world.now;
        world.run();
        let Phase::Waiting(hold) = world.device.phase() else {
            panic!("{}", world.story())
        };
        insta::allow_duplicates! { insta::assert_snapshot!(hold, @"the hop and its way back may take 90 min and the window closes at 2026-03-07T23:30:00Z"); }
        assert_eq!((world.firewall.restarts, world.firewall.suspends), (0, 0));
    }
}

#[test]
fn checks_hold_it_and_it_says_which() {
    let mut world = World::standalone();
    world.firewall.before_fails = true;
    world.run();
    let Phase::Waiting(hold) = world.device.phase() else {
        panic!("{}", world.story())
    };
    insta::assert_snapshot!(hold, @"checks hold it, next try at 2026-03-07T22:10:01Z: routes: 3 routes are missing");
    world.firewall.before_fails = false;
    assert_eq!(world.run_to_the_end(), Phase::Done);
}

#[test]
fn a_device_on_another_release_drops_out_of_the_plan() {
    let mut world = World::standalone();
    world.firewall.running = version("10.1.9");
    world.run();
    let Phase::Waiting(hold) = world.device.phase() else {
        panic!("{}", world.story())
    };
    assert!(hold.needs_person());
    insta::assert_snapshot!(hold, @"it runs 10.1.9 where the approved plan says 10.1.14; plan again or put it back, then resume");
    world.firewall.running = version("10.1.14");
    world.resume();
    assert_eq!(world.run_to_the_end(), Phase::Done);
}

#[test]
fn another_release_that_is_staged_holds_it() {
    let mut world = World::standalone();
    world.firewall.pending = Some(version("10.1.20"));
    world.run();
    let held = Phase::Waiting(Hold::OtherReleaseStaged {
        found: version("10.1.20"),
    });
    assert_eq!(*world.device.phase(), held);
    assert_eq!(world.firewall.restarts, 0);
}

#[test]
fn an_image_that_is_not_offered_holds_it() {
    let mut world = World::standalone();
    world.firewall.offered.clear();
    world.run();
    assert_eq!(
        *world.device.phase(),
        Phase::Waiting(Hold::ImageNotOffered {
            version: version("10.2.0")
        })
    );
}

#[test]
fn a_peer_that_cannot_be_asked_keeps_the_member_in_service() {
    let mut world = World::new(
        vec![hop("10.1.14", "10.2.0")],
        Firewall::new("10.1.14", Some(("passive", "active"))),
    );
    world.firewall.peer_answers = false;
    world.run();
    let Phase::Waiting(hold) = world.device.phase() else {
        panic!("{}", world.story())
    };
    insta::assert_snapshot!(hold, @"its HA peer cannot be shown to take over (the peer could not be asked: no route); next try at 2026-03-07T22:23:21Z");
    assert_eq!(world.firewall.restarts, 0);
}

/// Never both members: one that the plan takes for a firewall alone could go down while the other does.
#[test]
fn a_member_of_a_pair_whose_peer_is_not_named_and_another_device_are_left_alone() {
    let mut unnamed = World::standalone();
    unnamed.firewall.ha = Some("active".to_owned());
    unnamed.run();
    assert_eq!(*unnamed.device.phase(), Phase::Waiting(Hold::PeerNotNamed));
    let mut swapped = World::standalone();
    swapped.firewall.serial = "0022".to_owned();
    swapped.run();
    insta::assert_snapshot!(swapped.device.phase().name(), @"waiting");
    assert!(matches!(
        swapped.device.phase(),
        Phase::Waiting(Hold::OtherDevice { .. })
    ));
    for world in [unnamed, swapped] {
        assert_eq!(
            world.count(Action::Install(version("10.2.0"))) + world.count(Action::Restart),
            0
        );
    }
}
