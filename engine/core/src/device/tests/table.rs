//! The page `docs/device-states.md`, made from the transition table itself: every phase that scripted hops lead through,
//! every event, and what `Device::apply` makes of the two. `UPDATE_DOCS=1` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::scripted::{Fate, Firewall, World, opens, two_hops, version};
use super::words;
use crate::device::{Action, Device, Event, HaltedAt, Permit, Phase};

/// A state as people tell them apart: the phase, and what is remembered beside it where that changes what may follow.
fn label(device: &Device) -> String {
    let name = device.phase().name();
    match device.phase() {
        Phase::Halted {
            at: HaltedAt::Rest, ..
        } => format!("{name}, in service"),
        Phase::Halted {
            at: HaltedAt::Restart(_),
            ..
        } => format!("{name}, after the restart"),
        Phase::Halted {
            at: HaltedAt::Suspended(_),
            ..
        } => format!("{name}, suspended"),
        Phase::Verifying { watch: None, .. } => format!("{name} what was found"),
        Phase::Installing(_) | Phase::Leaving(_) if device.out_of_service() => format!("{name}, suspended"),
        Phase::Rebooting { watch, .. } if watch.was_resumed() => format!("{name}, resumed"),
        _ => name.to_owned(),
    }
}

/// Hops that between them pass through every state.
fn worlds() -> Vec<World> {
    let active = || World::new(two_hops(), Firewall::new("10.1.14", Some(("active", "passive"))));
    let mut plain = active();
    plain.run();
    plain.run();
    let mut found = World::standalone();
    found.firewall.running = version("10.2.0");
    found.run();
    let mut install = World::standalone();
    install
        .firewall
        .script(Action::Install(version("10.2.0")), &[Fate::Fails; 3]);
    install.run();
    let mut restart = active();
    restart.firewall.script(Action::Restart, &[Fate::Lost; 3]);
    restart.run();
    let mut takeover = active();
    takeover.firewall.peer_takes_over = false;
    takeover.run();
    let mut dark = active();
    dark.firewall.dark_for = super::scripted::secs(40_000);
    dark.run();
    dark.resume();
    vec![plain, found, install, restart, takeover, dark]
}

/// One device for each state; the first that is met in it, whose request is not asked yet.
fn states() -> BTreeMap<String, Device> {
    let mut states = BTreeMap::new();
    for world in worlds() {
        let (at, first) = &world.events[0];
        let mut device = Device::begin(*at, first).unwrap();
        states.entry(label(&device)).or_insert_with(|| device.clone());
        for (at, event) in &world.events[1..] {
            device.apply(*at, event).unwrap();
            states.entry(label(&device)).or_insert_with(|| device.clone());
        }
    }
    states
}

fn actions() -> [Action; 5] {
    let target = version("10.2.0");
    [
        Action::Download(target),
        Action::Install(target),
        Action::Suspend,
        Action::MakeFunctional,
        Action::Restart,
    ]
}

/// What an event is called in the page: its stored name, and the request where that decides.
fn event_name(event: &Event) -> String {
    let verb = |action: &Action| {
        action
            .to_string()
            .split(" 10")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    match event {
        Event::Intended { action, .. }
        | Event::Accepted { action, .. }
        | Event::Refused { action, .. }
        | Event::Unanswered { action, .. }
        | Event::FoundUndone { action }
        | Event::JobEnded { action, .. } => format!("{} ({})", event.name(), verb(action)),
        _ => event.name().to_owned(),
    }
}

/// Every event, as it would fit this device if any does.
fn events_for(device: &Device) -> Vec<Event> {
    let hop = device.hops_done();
    let mut events: Vec<Event> = words::events()
        .into_iter()
        .map(|event| match event {
            Event::PermitReceived(_) => Event::PermitReceived(Permit {
                id: 1_000,
                hop,
                reboot_by: opens(),
            }),
            Event::HopEnded {
                version,
                how,
                passed,
                warnings,
                ..
            } => Event::HopEnded {
                hop,
                version,
                how,
                passed,
                warnings,
            },
            other => other,
        })
        .collect();
    for action in actions() {
        events.extend((1..=4).map(|attempt| Event::Intended { action, attempt }));
        events.extend([
            Event::Accepted { action, job: Some(7) },
            Event::Refused {
                action,
                text: String::new(),
            },
            Event::Unanswered {
                action,
                why: String::new(),
            },
            Event::FoundUndone { action },
        ]);
    }
    events
}

fn transitions() -> BTreeSet<(String, String, String)> {
    let mut transitions = BTreeSet::new();
    for (from, device) in states() {
        for event in events_for(&device) {
            let mut after = device.clone();
            match after.apply(opens(), &event) {
                Ok(()) => drop(transitions.insert((from.clone(), event_name(&event), label(&after)))),
                Err(_) => assert_eq!(after, device, "a refused {} changed something", event.name()),
            }
        }
    }
    // The last hop of a device ends elsewhere than the ones before it.
    let (mut last, ended) = verifying_its_last_hop();
    last.apply(opens(), &ended).unwrap();
    transitions.insert((
        "verifying".to_owned(),
        format!("{} (last hop)", ended.name()),
        label(&last),
    ));
    transitions
}

/// A device just before the end of its last hop, and that end.
fn verifying_its_last_hop() -> (Device, Event) {
    let mut plain = worlds().remove(0);
    let (_, ended) = plain.events.pop().unwrap();
    assert!(matches!(ended, Event::HopEnded { hop: 1, .. }), "{ended}");
    (super::scripted::replayed(&plain.events), ended)
}

fn state_id(label: &str) -> String {
    label.replace([' ', ','], "_")
}

fn page() -> String {
    let transitions = transitions();
    let mut page = String::from(
        "# The states of a device\n\n\
         Made from the transition table in `engine/core/src/device/transition.rs` by a test, which fails when this page\n\
         differs. Do not edit it: run `UPDATE_DOCS=1 cargo test -p hopgate-core table`.\n\n\
         A device is *suspended* where it may be out of its HA pair by our doing. Events that leave a device in its state\n\
         are in the table and not in the diagram.\n\n```mermaid\nstateDiagram-v2\n",
    );
    for label in states().keys() {
        let _ = writeln!(page, "    state \"{label}\" as {}", state_id(label));
    }
    page.push_str("    [*] --> waiting : enrolled\n");
    let mut arrows: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (from, event, to) in transitions.iter().filter(|(from, _, to)| from != to) {
        arrows.entry((from, to)).or_default().push(event);
    }
    for ((from, to), events) in arrows {
        let _ = writeln!(
            page,
            "    {} --> {} : {}",
            state_id(from),
            state_id(to),
            events.join(", ")
        );
    }
    page.push_str("    done --> [*]\n```\n\n| state | event | next state |\n| --- | --- | --- |\n");
    for (from, event, to) in &transitions {
        let _ = writeln!(page, "| {from} | `{event}` | {to} |");
    }
    page
}

#[test]
fn the_page_of_the_states_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/device-states.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/device-states.md is not what the table says: run with UPDATE_DOCS=1"
    );
}

#[test]
fn every_phase_is_met_and_every_event_leads_somewhere() {
    let met: BTreeSet<&str> = states().values().map(|device| device.phase().name()).collect();
    assert_eq!(met, Phase::NAMES.into_iter().collect());
    let led: BTreeSet<String> = transitions().into_iter().map(|(_, event, _)| event).collect();
    for event in words::events()
        .iter()
        .filter(|event| !matches!(event, Event::Enrolled(_)))
    {
        assert!(
            led.iter().any(|name| name.starts_with(event.name())),
            "{} fits nowhere",
            event.name()
        );
    }
}

#[test]
fn a_stream_begins_with_an_enrolment_and_holds_one() {
    let refused = Device::begin(opens(), &Event::PickedUp).unwrap_err();
    insta::assert_snapshot!(refused, @r#"a device without an enrolment cannot take the event "picked_up" while unknown"#);
    let mut device = states().remove("waiting").unwrap();
    let again = words::events().remove(0);
    insta::assert_snapshot!(device.apply(opens(), &again).unwrap_err(), @r#"device fw1 cannot take the event "enrolled" while waiting"#);
}
