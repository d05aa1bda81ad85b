//! What stops a device for a person, and that a resume leads on from there.

use jiff::SignedDuration;

use super::scripted::{Fate, Firewall, World, secs, version};
use crate::device::{Action, HaltedAt, Phase, Probe};
use crate::halt::HaltReason;
use crate::plan::tests::hop;

fn reason(world: &World) -> &HaltReason {
    match world.device.phase() {
        Phase::Halted { reason, .. } => reason,
        other => panic!("not halted: {other:?}\n{}", world.story()),
    }
}

fn halted_at(world: &World) -> &HaltedAt {
    match world.device.phase() {
        Phase::Halted { at, .. } => at,
        other => panic!("not halted: {other:?}\n{}", world.story()),
    }
}

#[test]
fn three_failed_installs_stop_it_and_nothing_was_restarted() {
    let mut world = World::standalone();
    world
        .firewall
        .script(Action::Install(version("10.2.0")), &[Fate::Fails; 3]);
    world.run();
    insta::assert_snapshot!(reason(&world), @"the install failed: the device's words");
    assert_eq!(
        (
            world.count(Action::Install(version("10.2.0"))),
            world.count(Action::Restart)
        ),
        (3, 0)
    );
    assert_eq!(*halted_at(&world), HaltedAt::Rest);
    world.resume();
    assert_eq!(world.run_to_the_end(), Phase::Done);
}

#[test]
fn a_restart_that_is_ignored_three_times_stops_it_and_may_be_asked_for_again_after_a_resume() {
    for mut world in [World::standalone(), World::active()] {
        world.firewall.script(Action::Restart, &[Fate::Lost; 3]);
        world.run();
        assert_eq!(*reason(&world), HaltReason::RestartIgnored { attempts: 3 });
        world.resume();
        assert_eq!(world.run_to_the_end(), Phase::Done, "{}", world.story());
        assert_eq!((world.count(Action::Restart), world.firewall.restarts), (4, 1));
        assert_eq!(world.firewall.outages, []);
    }
}

#[test]
fn a_suspended_member_whose_restart_was_ignored_is_never_left_behind() {
    let mut world = World::active();
    world.firewall.script(Action::Restart, &[Fate::Lost]);
    world.grant();
    world.drive_to("rebooting");
    // The restart was not taken, and until that is known the way back got too long for the window.
    world.turn(&crate::device::Input::StandDown {
        because: "campaign halted".to_owned(),
    });
    world.drive();
    assert!(
        matches!(world.device.phase(), Phase::Waiting(_)),
        "{}",
        world.story()
    );
    assert_ne!(
        world.firewall.ha.as_deref(),
        Some("suspended"),
        "{}",
        world.story()
    );
    insta::assert_snapshot!(world.story());
}

#[test]
fn a_peer_that_does_not_take_over_stops_it_and_the_member_serves_again() {
    let mut world = World::active();
    world.firewall.peer_takes_over = false;
    world.run();
    insta::assert_snapshot!(reason(&world), @"the peer did not take over: this member suspended (User requested), peer passive by its own word and passive by this one's");
    assert_eq!(world.firewall.ha.as_deref(), Some("active"));
    assert_eq!((world.firewall.restarts, halted_at(&world)), (0, &HaltedAt::Rest));
    world.firewall.peer_takes_over = true;
    world.resume();
    assert_eq!(world.run_to_the_end(), Phase::Done, "{}", world.story());
}

#[test]
fn a_member_that_refuses_to_become_functional_stays_out_and_keeps_its_permit() {
    let mut world = World::active();
    world.firewall.peer_takes_over = false;
    world.firewall.script(Action::MakeFunctional, &[Fate::Refused; 3]);
    world.run();
    insta::assert_snapshot!(reason(&world), @"it refused to make HA functional: try again later");
    assert!(matches!(halted_at(&world), HaltedAt::Suspended(_)));
    assert!(world.device.out_of_service() && world.device.permit().is_some());
    world.resume();
    world.drive();
    assert_eq!(world.firewall.ha.as_deref(), Some("active"), "{}", world.story());
}

#[test]
fn a_boot_loop_stops_it_and_a_resume_watches_the_same_restart() {
    let mut world = World::standalone();
    world.grant();
    world.drive_to("rebooting");
    world.firewall.loops = true;
    world.firewall.dark_for = secs(120);
    world.firewall.auto_commit_for = secs(400);
    world.drive();
    assert!(
        matches!(reason(&world), HaltReason::BootLoop { .. }),
        "{}",
        world.story()
    );
    assert!(reason(&world).is_failed_reboot());
    assert!(matches!(halted_at(&world), HaltedAt::Restart(_)));
    world.firewall.loops = false;
    world.resume();
    assert_eq!(world.drive(), Phase::Done, "{}", world.story());
    assert_eq!(world.firewall.restarts, 1);
}

#[test]
fn darkness_until_the_deadline_stops_it() {
    let mut world = World::standalone();
    world.firewall.dark_for = SignedDuration::from_hours(3);
    world.run();
    insta::assert_snapshot!(reason(&world), @"not back 45 min after the restart; last seen: dark since the restart");
    world.now += SignedDuration::from_hours(3);
    world.resume();
    assert_eq!(world.drive(), Phase::Done);
}

#[test]
fn checks_after_the_hop_have_their_time_from_the_moment_ha_settled() {
    let mut world = World::active();
    world.firewall.suspended_survives = false;
    world.firewall.ha_settles_after = SignedDuration::from_mins(40);
    world.grant();
    world.drive_to("verifying");
    world.firewall.after_fails_until = Some(world.now + SignedDuration::from_mins(50));
    assert_eq!(world.drive(), Phase::Done, "{}", world.story());

    let mut world = World::standalone();
    world.grant();
    world.drive_to("verifying");
    world.firewall.after_fails_until = Some(world.now + SignedDuration::from_mins(50));
    world.drive();
    insta::assert_snapshot!(reason(&world), @"checks after the hop fail: routes: 3 routes are missing");
    assert!(matches!(halted_at(&world), HaltedAt::Restart(_)));
}

#[test]
fn a_found_release_whose_checks_fail_gives_its_permit_back_and_can_be_granted_again() {
    let mut world = World::standalone();
    world.firewall.running = version("10.2.0");
    world.firewall.after_fails_until = Some(world.now + SignedDuration::from_mins(50));
    world.run();
    assert_eq!(
        (halted_at(&world), world.device.permit()),
        (&HaltedAt::Rest, None)
    );
    world.now += SignedDuration::from_hours(1);
    world.resume();
    assert_eq!(world.run_to_the_end(), Phase::Done);
}

#[test]
fn an_install_has_its_whole_time_in_every_attempt() {
    let mut slow = hop("10.1.14", "10.2.0");
    slow.times.install_worst_min = 2;
    let mut world = World::new(vec![slow], Firewall::new("10.1.14", None));
    world
        .firewall
        .script(Action::Install(version("10.2.0")), &[Fate::Fails, Fate::Fails]);
    assert_eq!(world.run(), Phase::Done, "{}", world.story());
}

/// The way back of a hop is the other partition. A device that was put back by hand was once halted again at every resume,
/// and the campaign with it.
#[test]
fn a_device_that_was_put_back_by_hand_does_the_hop_again_after_a_resume() {
    let mut world = World::standalone();
    world.grant();
    world.drive_to("rebooting");
    world.firewall.comes_up_on = Some(version("10.1.14"));
    world.drive();
    assert_eq!(reason(&world).code(), "wrong-release");
    world.firewall.comes_up_on = None;
    world.resume();
    world.drive();
    assert_eq!(
        *world.device.phase(),
        Phase::Waiting(crate::waiting::Hold::Permit),
        "{}",
        world.story()
    );
    assert_eq!((world.device.permit(), world.device.hops_done()), (None, 0));
    assert_eq!(world.run_to_the_end(), Phase::Done, "{}", world.story());
}

#[test]
fn what_was_kept_before_a_hop_is_compared_with_in_that_hop_only_and_a_resume_says_who_looked() {
    let kept = |world: &World| match world.device.look_after() {
        Probe::After { before, .. } => (
            before.is_some(),
            world.device.accepted_by.as_ref().map(ToString::to_string),
        ),
        other => panic!("{other:?}"),
    };
    let mut world = World::standalone();
    world.grant();
    world.drive_to("verifying");
    assert_eq!(kept(&world), (true, None));
    world.firewall.after_fails_until = Some(world.now + SignedDuration::from_mins(50));
    world.drive();
    assert!(matches!(halted_at(&world), HaltedAt::Restart(_)));
    world.resume();
    world.drive_to("verifying");
    assert_eq!(kept(&world), (true, Some("nora".to_owned())));
    world.now += SignedDuration::from_hours(1);
    assert_eq!(world.drive(), Phase::Done);
    assert_eq!(kept(&world), (false, None));
}
