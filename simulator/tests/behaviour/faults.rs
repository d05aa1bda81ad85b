//! The library of faults as a whole: every file has its table and its row, interventions reach what they name.

use panos_simulator::{ControlError, ControlRequest, FaultRule, FaultSpec};

use crate::probe::{Probe, fleet, one};

fn library() -> Vec<FaultRule> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/faults");
    let mut rules: Vec<FaultRule> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        })
        .collect();
    rules.sort_by(|one, other| one.id.cmp(&other.id));
    rules
}

#[test]
fn every_fault_has_a_test_that_shows_its_table() {
    let tests = [
        include_str!("faults_boot.rs"),
        include_str!("faults_commit.rs"),
        include_str!("faults_pairs.rs"),
        include_str!("faults_services.rs"),
        include_str!("faults_software.rs"),
    ];
    for rule in library() {
        let head = format!("async fn {}() {{", rule.id.replace('-', "_"));
        let body = tests
            .iter()
            .find_map(|file| file.split_once(&head))
            .map(|(_, rest)| rest.split("\n}\n").next().unwrap());
        let body = body.unwrap_or_else(|| panic!("no test `{head}`"));
        assert!(body.contains("assert_snapshot!"), "{} shows no table", rule.id);
        assert!(body.contains(&rule.id), "{} is another fault's test", rule.id);
    }
}

#[test]
fn every_fault_has_its_row_on_the_page() {
    let page = include_str!("../../../docs/simulator.md");
    for rule in library() {
        let number = rule.fault.as_deref().unwrap_or("-");
        let start = format!("| {number} | `{}` |", rule.id);
        let row = page
            .lines()
            .find(|line| line.starts_with(&start))
            .unwrap_or_else(|| panic!("docs/simulator.md has no row that begins {start}"));
        assert!(
            row.contains(&rule.source),
            "{row} names another source than {}",
            rule.source
        );
        for cure in &rule.cure {
            let cure = serde_json::to_string(cure).unwrap().replace('_', " ");
            assert!(row.contains(cure.trim_matches('"')), "{row} does not say {cure}");
        }
    }
}

#[test]
fn the_list_of_known_faults_is_covered() {
    let rules = library();
    for number in 1..=38 {
        let number = format!("F{number}");
        assert!(
            rules.iter().any(|rule| rule.fault.as_deref() == Some(&number)),
            "no file is {number}"
        );
    }
    assert!(
        rules.iter().all(|rule| !rule.cure.is_empty()),
        "every fault says what ends it"
    );
}

#[tokio::test(start_paused = true)]
async fn faults_add_up_on_one_device() {
    let fleet = fleet(
        "devices:\n  - {name: fw, model: PA-440, version: 11.1.4, content: 9040-9500}\n\
         faults: [auto-commit-fails-twice, software-integrity-check, support-expired, \
         {id: slow, effect: {slow_phase: {at: R3, seconds: 600}}}]\n",
    );
    let state = fleet.state("fw").unwrap();
    assert_eq!(
        state.faults,
        ["auto-commit-fails-twice", "support-expired", "slow"],
        "the check wants an installed system"
    );
    let mut watch = crate::watch::Watch::on(&fleet, "fw").await;
    watch.restart().await;
    watch.minutes(40, 10).await;
    watch.download("11.1.5").await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- restart
    0:00 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:01 icmp -   -    reset
    0:01 -    -   -    refused
    0:05 icmp 22  -    refused
    0:14 icmp 22  443  403
    0:15 icmp 22  443  503
    0:16 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:11
    0:20 icmp 22  443  200 11.1.4     AutoCom 2 ACT  no  up 0:15
    0:24 icmp 22  443  200 11.1.4     AutoCom 3 ACT  no  up 0:19
    0:30 icmp 22  443  200 11.1.4     AutoCom 3 OK   yes up 0:24
    0:40 -- download 11.1.5: FAIL |  Failed to download: no valid support license
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_given_to_one_device_and_taken_back() {
    let fleet = fleet(
        "devices:\n  - {name: a, model: PA-3220, version: 10.1.14, content: 9040-9500}\n  \
         - {name: b, model: PA-3220, version: 10.1.14, content: 9040-9500}\n\
         pairs: [{name: p, members: [a, b], active: a}]\n",
    );
    let path = "{id: path, effect: {ha: {fails: {non_functional: Path group down}}}}";
    let fault: FaultSpec = serde_saphyr::from_str(path).unwrap();
    let mut watch = crate::watch::Watch::on(&fleet, "a").await;
    watch.minutes(1, 10).await;
    watch.control(ControlRequest::Afflict {
        device: "a".into(),
        fault: Box::new(fault),
    });
    watch.minutes(2, 10).await;
    assert!(fleet.state("b").unwrap().faults.is_empty());
    watch.control(ControlRequest::Cure {
        device: "a".into(),
        rule: Some("path".into()),
    });
    watch.minutes(2, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     active
    0:01 -- control {"afflict":{"device":"a","fault":{"id":"path","source":"written in the fleet file","when":{},"effect":{"ha":{"fails":{"non_functional":"Path group down"}}}}}}
    0:01 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     non-functional (Path group down)
    0:03 -- control {"cure":{"device":"a","rule":"path"}}
    0:03 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     initial
    0:03 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     passive
    "#);
}

#[tokio::test(start_paused = true)]
async fn interventions_of_faults_read_from_json_and_refuse_strangers() {
    let fleet = one("");
    let request: ControlRequest =
        serde_json::from_str(r#"{"afflict": {"device": "fw", "fault": "never-return"}}"#).unwrap();
    let refused = fleet.control(request).unwrap_err();
    assert!(matches!(refused, ControlError::UnknownFault { .. }));
    let mut said = vec![refused.to_string()];
    let (device, rule) = ("fw".to_owned(), Some("never-returns".to_owned()));
    said.push(
        fleet
            .control(ControlRequest::Cure { device, rule })
            .unwrap_err()
            .to_string(),
    );
    for text in [
        r#"{"cut_ha": {"device": "fw", "link": "ha1"}}"#,
        r#"{"leave_maintenance": {"device": "fw", "exit": "reboot"}}"#,
    ] {
        let request: ControlRequest = serde_json::from_str(text).unwrap();
        assert_eq!(
            serde_json::from_str::<ControlRequest>(&serde_json::to_string(&request).unwrap()).unwrap(),
            request
        );
        said.push(fleet.control(request).unwrap_err().to_string());
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    afflict or cure fw: no fault is called `never-return`; the nearest is never-returns
    afflict or cure fw: no fault is called `never-returns`
    control the HA of fw: it has no HA
    leave maintenance mode of fw: it is not in it, or has no system to revert to
    "#);
    let ill = r#"{"afflict": {"device": "fw", "fault": {"rule": "never-returns", "when": {}}}}"#;
    fleet.control(serde_json::from_str(ill).unwrap()).unwrap();
    assert_eq!(fleet.state("fw").unwrap().faults, ["never-returns"]);
    fleet
        .control(ControlRequest::Cure {
            device: "fw".into(),
            rule: None,
        })
        .unwrap();
    assert!(fleet.state("fw").unwrap().faults.is_empty());
}

/// A day of events that would all come at one instant.
#[tokio::test(start_paused = true)]
async fn faults_without_any_duration_let_time_go_on() {
    for effect in [
        "{boot_loop: {at: R2, up_seconds: 0}}",
        "{boot_loop: {at: R6, up_seconds: 0}}",
        "{reboots_every: {minutes: 0}}",
        "{dataplane_restarts: {minutes: 0, seconds: 0}}",
        "{job_history: {every_minutes: 0}}",
        "{disk_fills: {mount: root, after_minutes: 0}}",
        "{returns: {area: ospf, how: {late: 18446744073709551615}, on_takeover: true}}",
        "{clock_off: {seconds: -9223372036854775808}}",
    ] {
        let fleet = one(&format!("faults: [{{id: none, effect: {effect}}}]\n"));
        let probe = Probe::login(&fleet, "fw").await;
        probe.restart().await;
        crate::probe::wait(86_400).await;
        assert_eq!(fleet.state("fw").unwrap().faults, ["none"], "{effect}");
        let _ = probe.ask("<show><clock/></show>").await;
        let _ = probe.ask("<show><system><info/></system></show>").await;
    }
}
