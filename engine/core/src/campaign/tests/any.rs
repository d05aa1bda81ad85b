//! Any order of what devices, people and crashes do: never both members of a pair, never more than allowed, no grant in a
//! halted campaign, and always somebody or something that leads on.

use proptest::prelude::*;

use super::scripted::{Hall, boot_loop, id, install_failed, mins};
use crate::campaign::CampaignInput;
use crate::device::Work;
use crate::plan::tests::plan;
use crate::waiting::Hold;

#[derive(Debug, Clone)]
enum Step {
    EndsHop(usize),
    Rests(usize, u8),
    Halts(usize, bool),
    Resume,
    Approve,
    Passes(i64),
    Wakes,
    Crash,
    Role(usize, usize, bool),
    Tick,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const PAIRS: [(&str, &str); 2] = [("b", "c"), ("e", "f")];

fn step() -> impl Strategy<Value = Step> {
    let device = || 0..NAMES.len();
    prop_oneof![
        8 => device().prop_map(Step::EndsHop),
        3 => (device(), 0..6u8).prop_map(|(device, hold)| Step::Rests(device, hold)),
        1 => (device(), any::<bool>()).prop_map(|(device, reboot)| Step::Halts(device, reboot)),
        2 => Just(Step::Resume),
        1 => Just(Step::Approve),
        2 => (1..30i64).prop_map(Step::Passes),
        3 => Just(Step::Wakes),
        1 => Just(Step::Crash),
        2 => (0..PAIRS.len(), 0..3usize, any::<bool>()).prop_map(|(pair, kind, flip)| Step::Role(pair, kind, flip)),
        1 => Just(Step::Tick),
    ]
}

fn hold(hall: &Hall, kind: u8) -> Hold {
    let until = hall.now + mins(10);
    let version = "10.2.0".parse().unwrap();
    match kind {
        0 => Hold::StoodDown { staged: None },
        1 => Hold::Gate {
            reasons: Vec::new(),
            until,
        },
        2 => Hold::Unreadable {
            step: "checking".to_owned(),
            why: "dark".to_owned(),
            until: None,
        },
        3 => Hold::Drifted {
            expected: version,
            found: version,
        },
        4 => Hold::PeerNotReady {
            found: "dark".to_owned(),
            until,
        },
        _ => Hold::WindowTooShort {
            needs_min: 90,
            closes: until,
        },
    }
}

fn take(hall: &mut Hall, step: Step) {
    let works = |hall: &Hall, device: usize| hall.standing(&id(NAMES[device])).work == Work::Working;
    match step {
        Step::EndsHop(device) if works(hall, device) => hall.ends_hop(NAMES[device]),
        Step::Rests(device, kind) if works(hall, device) => hall.rests(NAMES[device], hold(hall, kind)),
        Step::Halts(device, reboot) if works(hall, device) => {
            let reason = if reboot { boot_loop() } else { install_failed() };
            hall.halts(NAMES[device], reason);
        }
        Step::Resume => {
            hall.resume();
            hall.devices_resume();
        }
        Step::Approve => hall.approve("rest", "nora"),
        Step::Passes(minutes) => hall.at(hall.now + mins(minutes)),
        Step::Wakes if hall.wake.is_some() => hall.wakes(),
        Step::Crash => hall.come_back(),
        Step::Role(pair, kind, flip) => {
            let (one, other) = PAIRS[pair];
            let (first, second) = [("active", "passive"), ("passive", "passive"), ("active", "")][kind];
            let (first, second) = if flip { (second, first) } else { (first, second) };
            hall.roles.insert(id(one), first.to_owned());
            hall.roles.insert(id(other), second.to_owned());
        }
        Step::Tick => hall.turn(CampaignInput::Tick),
        Step::EndsHop(_) | Step::Rests(..) | Step::Halts(..) | Step::Wakes => {}
    }
}

fn holds(hall: &Hall) {
    let permits = hall.campaign.permits();
    for (one, other) in PAIRS {
        let both = permits.contains_key(&id(one)) && permits.contains_key(&id(other));
        assert!(!both, "both members have a permit\n{}", hall.story());
        let done = |name: &str| hall.standing(&id(name)).hops_done;
        assert!(
            done(one).abs_diff(done(other)) <= 1,
            "{one} and {other} are apart\n{}",
            hall.story()
        );
    }
    assert!(permits.len() <= 4, "{}", hall.story());
    let waits_for_something = hall.campaign.is_finished()
        || hall.wake.is_some()
        || !hall.working().is_empty()
        || hall.campaign.waits_for_person(hall.now).is_some();
    assert!(waits_for_something, "nothing leads on\n{}", hall.story());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_events_keeps_the_rules_and_leads_on(steps in prop::collection::vec(step(), 1..120)) {
        let plan = plan(&[("canary", false, &["a"]), ("rest", true, &NAMES[1..])], &PAIRS);
        let mut hall = Hall::new(plan).start();
        for (one, other) in PAIRS {
            hall.roles.insert(id(one), "passive".to_owned());
            hall.roles.insert(id(other), "active".to_owned());
        }
        for step in steps {
            let (was_halted, granted) = (hall.campaign.halted_by().is_some(), hall.granted.len());
            let lifts = matches!(step, Step::Resume | Step::Crash);
            take(&mut hall, step);
            if was_halted && !lifts {
                prop_assert_eq!(hall.granted.len(), granted, "granted while halted\n{}", hall.story());
            }
            holds(&hall);
        }
    }

    #[test]
    fn a_campaign_that_people_tend_to_reaches_its_end(steps in prop::collection::vec(step(), 0..30)) {
        let mut plan = plan(&[("canary", false, &["a"]), ("rest", true, &NAMES[1..])], &PAIRS);
        plan.window.closes += mins(60 * 24 * 30);
        let mut hall = Hall::new(plan).start();
        for step in steps {
            // With nothing else to do the next wake-up may be the end of the window.
            if !matches!(step, Step::Wakes) {
                take(&mut hall, step);
            }
        }
        for (one, other) in PAIRS {
            hall.roles.insert(id(one), "passive".to_owned());
            hall.roles.insert(id(other), "active".to_owned());
        }
        hall.approve("rest", "nora");
        for _ in 0..200 {
            if hall.campaign.is_finished() {
                break;
            }
            hall.resume();
            hall.devices_resume();
            for name in NAMES {
                take(&mut hall, Step::EndsHop(NAMES.iter().position(|known| *known == name).unwrap()));
            }
            if hall.working().is_empty() {
                take(&mut hall, Step::Wakes);
            }
        }
        prop_assert!(hall.campaign.is_finished(), "{}", hall.story());
    }
}
