//! The process dies after every single event of a hop, before or after what was decided beside it was performed, and for
//! a moment or for long. Whatever happened: one install and one restart took effect, and nobody was without service.

use jiff::SignedDuration;

use super::scripted::{Crash, Fate, World, secs};
use crate::device::{Action, Phase};

fn worlds() -> Vec<(&'static str, World)> {
    let mut lost = World::active();
    lost.firewall.script(Action::Restart, &[Fate::Lost]);
    let mut late = World::standalone();
    late.firewall.script(Action::Restart, &[Fate::TakenSilently]);
    let mut forgetful = World::active();
    forgetful.firewall.suspended_survives = false;
    let mut unreadable = World::standalone();
    unreadable.firewall.swm = false;
    vec![
        ("alone", World::standalone()),
        ("active member", World::active()),
        ("active member, restart lost", lost),
        ("alone, restart not answered", late),
        ("suspension forgotten over the boot", forgetful),
        ("software manager unreadable", unreadable),
    ]
}

#[test]
fn a_crash_after_any_event_repeats_nothing() {
    for (name, start) in worlds() {
        let mut whole = start.clone();
        whole.run_to_the_end();
        let events = whole.events.len();
        assert!(events > 12, "{name}: {}", whole.story());
        for after_events in 2..=events {
            for performed in [false, true] {
                for gone in [
                    secs(1),
                    SignedDuration::from_mins(7),
                    SignedDuration::from_hours(5),
                ] {
                    let crash = Crash {
                        after_events,
                        performed,
                        gone,
                    };
                    let mut world = start.clone();
                    world.crash = Some(crash);
                    world.run_to_the_end();
                    check(name, &world, crash);
                }
            }
        }
    }
}

fn check(name: &str, world: &World, crash: Crash) {
    let context = format!("{name}, {crash:?}\n{}", world.story());
    let unreadable = name == "software manager unreadable";
    if unreadable && matches!(world.device.phase(), Phase::Halted { .. }) {
        // The one place where nobody can tell: it stops before the restart instead of guessing.
        assert_eq!(
            (world.firewall.installs, world.firewall.restarts),
            (1, 0),
            "{context}"
        );
        return;
    }
    assert_eq!(*world.device.phase(), Phase::Done, "{context}");
    assert_eq!(
        (world.firewall.installs, world.firewall.restarts),
        (1, 1),
        "{context}"
    );
    assert!(world.firewall.suspends <= 2, "{context}");
    assert_eq!(world.firewall.outages, [], "{context}");
    assert_ne!(world.firewall.ha.as_deref(), Some("suspended"), "{context}");
}
