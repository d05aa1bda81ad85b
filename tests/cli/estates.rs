//! Fleets that nobody wrote: made up from a seed, and the twin of one that was audited.

use hopgate_tests::process::Simulator;
use serde_json::{Value, json};

use super::desk::Desk;

/// The devices of a fleet without what differs from process to process.
fn devices(simulator: &Simulator) -> Vec<Value> {
    let fleet = simulator.get("/fleet");
    fleet["devices"].as_array().unwrap().clone()
}

#[test]
fn an_estate_is_made_up_shown_and_written_as_a_fleet_file() {
    let desk = Desk::new();
    let made = [
        "--generate",
        "40",
        "--seed",
        "7",
        "--write-fleet",
        "fleet.yaml",
        "--write-inventory",
        "made.yaml",
    ];
    let simulator = Simulator::start(desk.path(), &made);
    let made = devices(&simulator);
    assert_eq!(made.len(), 40);
    let table = simulator.stdout();
    for device in &made {
        let row = table
            .lines()
            .find(|line| line.contains(device["name"].as_str().unwrap()));
        let row = row.unwrap_or_else(|| panic!("{device} is not in\n{table}"));
        assert!(
            row.contains(device["model"].as_str().unwrap()) && row.contains("127.0.0.1:"),
            "{row}"
        );
    }
    assert_eq!(table.matches("control port: http://").count(), 1);
    assert!(
        !table.contains('\u{1b}'),
        "printed once where nothing is a terminal"
    );
    assert_eq!(simulator.end().code, Some(0));
    let simulator = Simulator::serve(desk.path(), 60);
    assert_eq!(devices(&simulator), made);
    assert_eq!(simulator.end().code, Some(0));
}

#[test]
fn the_twin_of_an_audited_estate_is_like_it() {
    let (desk, simulator) = Desk::with_fleet(60);
    simulator.control(&json!({"insert_optic": {"device": "core-a", "optic": {"port": 13, "vendor": "FS", "part": "SFP-10GSR-85"}}}));
    simulator.control(&json!({"set_fact": {"device": "fw2", "fact": {"panrepo_free_mb": 900}}}));
    simulator.control(
        &json!({"set_ha_state": {"device": "core-b", "state": "suspended", "reason": "User requested"}}),
    );
    simulator.control(&json!({"cut_network": {"whom": {"device": "fw1"}, "how": "refuse"}}));
    let audited = desk.run("audit --playbook optics --twin twin.json");
    assert_eq!(audited.code, Some(3), "fw1 is unknown: {audited:#?}");
    let twin = Simulator::start(
        desk.path(),
        &["from-audit", "twin.json", "--write-inventory", "twin.yaml"],
    );
    assert_eq!(
        twin.stderr().lines().next(),
        Some("left out: fw1: it could not be read")
    );
    let same = |name: &str| {
        let state = |from: &Simulator| {
            let mut state = from.get(&format!("/devices/{name}"))["state"].take();
            // What an audit does not say is drawn anew.
            for own in [
                "phase_ends",
                "booted_at",
                "boots_since_check",
                "jobs",
                "address",
                "images",
            ] {
                state.as_object_mut().unwrap().remove(own);
            }
            state
        };
        assert_eq!(state(&twin), state(&simulator), "{name}");
    };
    for name in ["fw2", "core-a", "core-b"] {
        same(name);
    }
    let fleet = twin.get("/fleet");
    assert_eq!(
        (fleet["total"].clone(), fleet["pairs"].clone()),
        (json!(3), json!(["core-a+core-b"]))
    );
    assert_eq!(twin.end().code, Some(0));
}

/// The whole library reads what a twin needs, and a report does not name peers: they are found by their addresses.
#[test]
fn the_report_of_an_audit_has_a_twin_too() {
    let (desk, simulator) = Desk::with_fleet(60);
    let audited = desk.run("audit --json audit.json");
    assert!(matches!(audited.code, Some(0 | 3)), "{audited:#?}");
    let twin = Simulator::start(
        desk.path(),
        &["from-audit", "audit.json", "--write-inventory", "twin.yaml"],
    );
    let fleet = twin.get("/fleet");
    assert_eq!(
        (fleet["total"].clone(), fleet["pairs"].clone()),
        (json!(4), json!(["core-a+core-b"]))
    );
    for name in ["fw1", "fw2", "core-a", "core-b"] {
        let of = |from: &Simulator| from.get(&format!("/devices/{name}"))["state"].take();
        let (twin, own) = (of(&twin), of(&simulator));
        for same in [
            "model",
            "serial",
            "version",
            "content",
            "optics",
            "panrepo_free_mb",
        ] {
            assert_eq!(twin[same], own[same], "{name}: {same}");
        }
        assert_eq!(twin["ha"]["state"], own["ha"]["state"], "{name}");
    }
    assert_eq!(twin.end().code, Some(0));
}

#[test]
fn a_fleet_that_has_no_place_is_refused_with_what_to_do() {
    let desk = Desk::new();
    desk.write("twin.json", "{\"devices\": []}");
    for (wrong, because, hint) in [
        (
            "simulate --generate 300 --port 65400",
            "300 devices do not fit",
            "--address-per-device 127.20.0.0/16",
        ),
        (
            "simulate --generate 3 --address-per-device 10.0.0.0/8",
            "`10.0.0.0/8` is not a loopback network",
            "a /16 has room",
        ),
        (
            "simulate --generate 9 --address-per-device 127.9.0.0/29",
            "the network has 6",
            "a /16 has room",
        ),
        (
            "simulate from-audit twin.json",
            "missing field `read_at`",
            "hopgate audit --twin FILE",
        ),
        (
            "simulate from-audit gone.json",
            "No such file",
            "hopgate simulate --help",
        ),
    ] {
        let told = desk.refused(wrong);
        assert!(
            told.contains(because) && told.contains(hint),
            "hopgate {wrong}: {told}"
        );
    }
}
