//! `hopgate facts`: everything of one device, in words and as JSON, and what a device that answers slowly still gives.

use hopgate_playbooks::FactArea;
use hopgate_tests::process;
use serde_json::{Value, json};

use super::desk::{Desk, Page};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn everything_of_one_device_is_told_in_words_and_as_json() {
    let (desk, simulator) = Desk::with_fleet(60);
    let few = "--area system --area disks --area pending_changes --area ha";
    let told = desk.done(&format!("facts fw1 {few}"));
    for line in [
        "fw1\n",
        "\nsystem  (2026-03-07 ",
        ", show system info)\n",
        "  model                    PA-VM\n",
    ] {
        assert!(told.contains(line), "{line:?} is not in\n{told}");
    }
    let order: Vec<usize> = ["\nsystem ", "\nha ", "\ndisks ", "\npending_changes "]
        .map(|area| {
            told.find(area)
                .unwrap_or_else(|| panic!("{area} is not in\n{told}"))
        })
        .to_vec();
    assert!(order.is_sorted(), "{told}");
    let raw = parsed(&desk.done(&format!("facts fw1 {few} --raw")));
    assert_eq!(raw["system"]["model"], "PA-VM");
    assert_eq!(raw.as_object().unwrap().len(), 4);
    // What is recorded so is what playbooks are tried with.
    std::fs::create_dir(desk.path().join("recorded")).unwrap();
    desk.write(
        "recorded/fw1.json",
        &desk.done(&format!("facts fw1 {few} --json")),
    );
    desk.write("recorded/fw1.expect.yaml", "disks-not-full: pass\n");
    desk.done("playbook test after --against recorded");

    // All areas: this model has no advanced routing engine, and says so.
    let all = desk.run("facts fw1");
    assert_eq!(all.code, Some(3), "{all:#?}");
    let (_, end) = all
        .stdout
        .rsplit_once(&format!(" of {} areas are unknown\n", FactArea::ALL.len()))
        .unwrap();
    assert!(
        end.contains("advanced_routes        the advanced routing engine is off\n"),
        "{end}"
    );
    let calls = simulator.get("/devices/fw1");
    let most = calls.pointer("/counters/most_at_once").and_then(Value::as_u64);
    assert!(most.is_none_or(|most| most <= 5), "{calls}");

    let mut page = Page::default();
    page.add("a device that is not there", &desk.refused("facts fw11"));
    let wrong = desk.run("facts fw1 --area disk");
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong
            .stderr
            .contains("there is no area disk; the nearest are disks, "),
        "{wrong:#?}"
    );
    simulator.control(&json!({"cut_network": {"whom": {"device": "fw2"}, "how": "refuse"}}));
    let dark = desk.run("facts fw2 --area system --raw");
    assert_eq!((dark.code, parsed(&dark.stdout)), (Some(3), json!({})));
    assert!(
        dark.stderr.starts_with("system is unknown: log in on fw2: "),
        "{dark:#?}"
    );
    page.matches("facts");
}

#[test]
fn what_a_slow_device_answered_in_time_is_kept() {
    let (desk, simulator) = Desk::with_fleet(60);
    let slow = json!({"inject": {
        "device": "fw1",
        "fault": "hang",
        "operation": "jobs",
        "lasts": "until_cleared",
    }});
    simulator.control(&slow);
    let began = process::now();
    let ended = desk.run("facts fw1 --area system --area jobs --area disks --timeout 2");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert!(began.elapsed().as_secs() < 60);
    let (known, end) = ended.stdout.rsplit_once("\n1 of 3 areas are unknown\n").unwrap();
    insta::assert_snapshot!(end, @"  jobs                   read all jobs on fw1: no complete reply in time: no answer within 2 s");
    assert!(
        known.contains("  model                    PA-VM\n") && known.contains("  available_mb "),
        "{known}"
    );
    // An audit keeps it too: one check cannot tell, and the others can.
    let ended = desk.run("audit --playbook after --group name=fw1 --timeout 2 --json a.json");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let text = std::fs::read_to_string(desk.path().join("a.json")).unwrap();
    let device = &parsed(&text)["devices"][0];
    assert_eq!(
        (&device["unread"], &device["model"]),
        (&Value::Null, &json!("PA-VM"))
    );
    assert_eq!(
        device["missing"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["jobs"]
    );
    let verdicts = |wanted: &str| {
        let findings = device["findings"].as_array().unwrap().iter();
        findings.filter(|finding| finding["verdict"] == wanted).count()
    };
    assert!(verdicts("pass") > 0, "{device:#}");
}
