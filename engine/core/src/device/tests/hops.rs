//! Whole hops: what is sent, in which order, when requests are taken, fail, or are not answered.

use super::scripted::{Fate, Firewall, World, opens, two_hops, version};
use crate::device::{Action, Event, Phase};
use crate::plan::tests::hop;

#[test]
fn a_device_alone_goes_through_its_hops() {
    let mut world = World::new(two_hops(), Firewall::new("10.1.14", None));
    assert!(matches!(world.run(), Phase::Waiting(_)));
    assert_eq!(world.device.release(), Some(version("10.2.0")));
    assert_eq!(world.run(), Phase::Done);
    assert_eq!(
        (world.firewall.running, world.firewall.restarts),
        (version("10.2.7"), 2)
    );
    insta::assert_snapshot!(world.story());
}

#[test]
fn the_active_member_hands_over_first_and_is_made_functional_after_the_boot() {
    let mut world = World::active();
    assert_eq!(world.run(), Phase::Done);
    assert_eq!(world.firewall.outages, []);
    assert_eq!(world.firewall.ha.as_deref(), Some("passive"));
    insta::assert_snapshot!(world.story());
}

#[test]
fn the_passive_member_leaves_without_a_suspend() {
    let firewall = Firewall::new("10.1.14", Some(("passive", "active")));
    let mut world = World::new(vec![hop("10.1.14", "10.2.0")], firewall);
    assert_eq!(world.run(), Phase::Done);
    assert_eq!((world.firewall.suspends, world.firewall.restarts), (0, 1));
    assert_eq!(world.firewall.outages, []);
}

#[test]
fn a_member_that_forgets_its_suspension_over_the_boot_is_not_asked_to_become_functional() {
    let mut world = World::active();
    world.firewall.suspended_survives = false;
    assert_eq!(world.run(), Phase::Done);
    assert_eq!(world.count(Action::MakeFunctional), 0);
}

#[test]
fn every_request_may_go_unanswered_and_takes_effect_once() {
    let target = version("10.2.0");
    let requests = [
        Action::Download(target),
        Action::Install(target),
        Action::Suspend,
        Action::Restart,
        Action::MakeFunctional,
    ];
    for action in requests {
        for (fate, sent) in [(Fate::TakenSilently, 1), (Fate::Lost, 2), (Fate::Refused, 2)] {
            let mut world = World::active();
            world.firewall.script(action, &[fate]);
            assert_eq!(world.run(), Phase::Done, "{action} {fate:?}\n{}", world.story());
            assert_eq!(world.count(action), sent, "{action} {fate:?}\n{}", world.story());
            let effects = (
                world.firewall.installs,
                world.firewall.restarts,
                world.firewall.suspends,
            );
            assert_eq!(effects, (1, 1, 1), "{action} {fate:?}");
            assert_eq!(world.firewall.outages, [], "{action} {fate:?}");
        }
    }
}

#[test]
fn nothing_but_looking_follows_an_unanswered_restart() {
    let mut world = World::standalone();
    world.firewall.script(Action::Restart, &[Fate::Lost]);
    assert_eq!(world.run(), Phase::Done);
    insta::assert_snapshot!(world.story());
}

#[test]
fn a_restart_that_is_taken_late_is_watched_and_not_asked_for_again_once_it_is_seen() {
    let mut world = World::standalone();
    world
        .firewall
        .script(Action::Restart, &[Fate::TakenLate, Fate::Refused, Fate::Refused]);
    assert_eq!(world.run(), Phase::Done, "{}", world.story());
    assert_eq!(world.firewall.restarts, 1);
    // The auto-commit after the late boot was awaited, as after any other.
    let back = world
        .events
        .iter()
        .any(|(_, event)| matches!(event, Event::BackInService { .. }));
    assert!(back, "{}", world.story());
}

#[test]
fn an_image_that_is_there_already_is_not_downloaded() {
    let mut world = World::standalone();
    world.firewall.images.insert(version("10.2.0"));
    world.firewall.pending = Some(version("10.2.0"));
    assert_eq!(world.run(), Phase::Done);
    assert_eq!((world.sent.len(), world.count(Action::Restart)), (1, 1));
}

#[test]
fn each_image_of_a_hop_has_its_own_attempts() {
    let mut world = World::standalone();
    let base = version("10.2.0");
    world.device = {
        let mut hop = hop("10.1.14", "10.2.7");
        hop.downloads = vec![base, version("10.2.7")];
        World::new(vec![hop], Firewall::new("10.1.14", None)).device
    };
    world.events = World::new(vec![], Firewall::new("10.1.14", None)).events;
    world
        .firewall
        .script(Action::Download(base), &[Fate::Fails, Fate::Fails]);
    world.firewall.script(
        Action::Download(version("10.2.7")),
        &[Fate::Refused, Fate::Refused],
    );
    assert_eq!(world.run(), Phase::Done, "{}", world.story());
    assert_eq!(world.count(Action::Download(version("10.2.7"))), 3);
}

#[test]
fn where_the_software_manager_cannot_be_read_the_job_of_our_own_install_decides() {
    let mut world = World::standalone();
    world.firewall.swm = false;
    assert_eq!(world.run(), Phase::Done, "{}", world.story());
    assert_eq!((world.firewall.installs, world.firewall.restarts), (1, 1));

    let mut world = World::standalone();
    world.firewall.swm = false;
    world
        .firewall
        .script(Action::Install(version("10.2.0")), &[Fate::Fails, Fate::Lost]);
    let stopped = world.run();
    // The failed install is listed and the second one was not answered: nobody can say what boots next.
    assert!(matches!(stopped, Phase::Halted { .. }), "{stopped:?}");
    assert_eq!(world.count(Action::Restart), 0);
    insta::assert_snapshot!(world.events.last().unwrap().1, @"HALTED: the install failed: its end was not seen and the software manager cannot be read");
}

#[test]
fn a_device_that_runs_the_release_already_is_only_verified() {
    let mut world = World::standalone();
    world.firewall.running = version("10.2.0");
    assert_eq!(world.run(), Phase::Done);
    assert_eq!(world.sent, []);
    assert_eq!(world.now.duration_since(opens()).as_mins(), 0);
}

#[test]
fn a_member_restarted_by_somebody_else_is_not_restarted_again() {
    let mut world = World::active();
    world.firewall.peer_answers = false;
    world.grant();
    world.drive_to("leaving service");
    world.firewall.boot(world.now);
    world.firewall.peer_answers = true;
    assert_eq!(world.run_to_the_end(), Phase::Done, "{}", world.story());
    assert_eq!(world.count(Action::Restart), 0, "{}", world.story());
}
