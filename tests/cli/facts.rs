//! `hopgate facts`: everything of one device, in words and as JSON, and what a device that answers slowly still gives.

use hopgate_playbooks::FactArea;
use hopgate_tests::process::{self, Simulator};
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

/// Two firewalls, of which one has a port that goes up and down.
const FLAPPING: &str = "\
seed: 5
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: flaps, model: PA-850, version: 10.1.14-h9, content: 8900-9000, setup: {flapping_ports: [2]}}
  - {name: quiet, model: PA-850, version: 10.1.14-h9, content: 8900-9000, setup: {log_exports: ['03:30']}}
";

/// An audit that asked everybody, whatever it found.
fn attended(desk: &Desk, arguments: &str) {
    let ended = desk.run(arguments);
    assert!(
        matches!(ended.code, Some(0 | 3)),
        "hopgate {arguments}: {ended:#?}"
    );
    assert!(ended.stdout.contains("2 devices asked"), "{ended:#?}");
}

/// What the audit in `a.json` found of a device: subject and verdict.
fn found(desk: &Desk, check: &str, device: &str) -> Vec<String> {
    let audit = parsed(&std::fs::read_to_string(desk.path().join("a.json")).unwrap());
    let devices = audit["devices"].as_array().unwrap();
    let device = devices.iter().find(|one| one["device"] == device).unwrap();
    let findings = device["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["check"] == check)
        .map(|finding| format!("{} {}", finding["subject"], finding["verdict"]))
        .collect()
}

#[test]
fn a_port_that_goes_up_and_down_is_named_and_its_changes_are_listed() {
    let desk = Desk::new();
    desk.write("fleet.yaml", FLAPPING);
    let simulator = Simulator::serve(desk.path(), 60);
    let ended = desk.run("audit --playbook network --json a.json");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let found = |check: &str, device: &str| found(&desk, check, device);
    // Its flaps are all of the newest thousand changes, which reach back over days: no other port changed in that time.
    assert_eq!(found("port-flaps", "flaps"), [r#""ethernet1/2" "fail""#]);
    let quiet: Vec<String> = (1..=4)
        .map(|port| format!(r#""ethernet1/{port}" "pass""#))
        .collect();
    assert_eq!(found("port-flaps", "quiet"), quiet);
    for device in ["flaps", "quiet"] {
        assert_eq!(found("link-log-reaches-back", device), [r#"null "pass""#]);
    }
    // Twice an hour; one may come or go between the two readings, of log and of clock.
    let (_, message) = ended
        .stdout
        .split_once("The link of ethernet1/2 went down 4")
        .unwrap();
    assert!(
        message[1..].starts_with(" times within 24 hours, last at 2026-03-07T"),
        "{message}"
    );
    // Once for links and once for syslog servers. What does not name the areas does not ask for them: not other playbooks, and not
    // what is compared before and after a hop.
    let queries = |device: &str| {
        let told = simulator.get(&format!("/devices/{device}"));
        told.pointer("/counters/log_queries").and_then(Value::as_u64)
    };
    assert_eq!((queries("flaps"), queries("quiet")), (Some(2), Some(2)));
    attended(&desk, "audit --playbook readiness --playbook after");
    attended(&desk, "audit --playbook after --snapshot --json b.json");
    assert_eq!((queries("flaps"), queries("quiet")), (Some(2), Some(2)));

    // What the device has scheduled is held against the window of a night to come.
    let asked = "audit --playbook licences --group name=quiet --with window_begins=2026-03-09T03:00 --with window_minutes=60";
    let ended = desk.run(asked);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let exported = "Logs are exported daily at 03:30 by its clock, next at 2026-03-09T03:30:00, which is inside of the 60 minutes from 2026-03-09T03:00:00 on.";
    assert!(ended.stdout.contains(exported), "{ended:#?}");

    let told = desk.done("facts quiet --area link_changes");
    let (_, listed) = told
        .split_once(", show log system direction equal backward eventid equal link-change)\n")
        .unwrap();
    insta::assert_snapshot!(listed, @r"
      cut_at                   -
      ports
        interface ethernet1/1, log at 2026-02-07T11:04:27, up yes
        interface ethernet1/2, log at 2026-02-07T11:04:27, up yes
        interface ethernet1/3, log at 2026-02-07T11:04:27, up yes
        interface ethernet1/4, log at 2026-02-07T11:04:27, up yes
      times_in_doubt           no
    ");
}

/// Two firewalls, of which one logged that its software is not whole, and that a syslog server is gone.
const LOGGED: &str = "\
seed: 5
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - name: doubtful
    model: PA-850
    version: 10.1.14-h9
    content: 8900-9000
    setup:
      system_log:
        - {at: 2026-03-06T01:30:00Z, event: fips-selftest-integ, severity: critical, text: FIPS failure. Software integrity failed.}
        - {at: 2026-03-07T18:00:00Z, event: syslog-conn-status, severity: high, text: 'Syslog connection failed to server[''siem'']'}
  - {name: quiet, model: PA-850, version: 10.1.14-h9, content: 8900-9000}
";

#[test]
fn what_the_system_log_tells_of_software_and_syslog_is_found() {
    let desk = Desk::new();
    desk.write("fleet.yaml", LOGGED);
    let _simulator = Simulator::serve(desk.path(), 60);
    let ended = desk.run("audit --playbook software --playbook network --json a.json");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert_eq!(found(&desk, "software-integrity", "doubtful"), [r#"null "fail""#]);
    assert_eq!(found(&desk, "software-integrity", "quiet"), [r#"null "pass""#]);
    assert_eq!(found(&desk, "syslog-connected", "doubtful"), [r#""siem" "fail""#]);
    assert_eq!(found(&desk, "syslog-connected", "quiet"), [r#"null "pass""#]);
    let told = desk.done("facts doubtful --area integrity_events");
    let asked = "show log system direction equal backward query equal \"(eventid eq fips-selftest-integ) or (eventid eq ima)\"";
    for part in [
        asked,
        "event fips-selftest-integ",
        "text FIPS failure. Software integrity failed.",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}
