//! Time that jumps, clocks that are wrong, and runs that repeat event for event.

use std::sync::Arc;

use panos_simulator::{ControlRequest, Fleet, FleetSpec, Lasts, NetworkFault, Occurrence, SetFact, SimClock};

use crate::probe::{Probe, fleet, job_id, one, wait};

fn control(fleet: &Fleet, request: &str) {
    fleet.control(serde_json::from_str(request).unwrap()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_jump_lets_everything_that_was_due_happen() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let job = job_id(&probe.software("download", "10.2.7").await);
    control(&fleet, r#"{"jump_clock": {"seconds": 3600}}"#);
    assert!(probe.job(job).await.contains("<status>FIN</status>"));
    probe.install("10.2.7").await;
    probe.restart().await;
    control(&fleet, r#"{"jump_clock": {"seconds": 7200}}"#);
    assert_eq!(probe.version().await, "10.2.7");
    let whole = fleet.clock().now().duration_since(fleet.clock().epoch());
    assert!((3..5).contains(&whole.as_hours()), "{whole}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_shows_in_every_reading_and_moves_no_job() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    control(&fleet, r#"{"skew_clock": {"device": "fw", "seconds": -86400}}"#);
    let mut seen = vec![
        probe.body("<show><clock/></show>").await,
        probe.body("<show><clock><more/></clock></show>").await,
        probe.read("<show><system><info/></system></show>", "time").await,
    ];
    wait(11).await;
    control(&fleet, r#"{"skew_clock": {"device": "fw", "seconds": 0}}"#);
    seen.push(probe.body("<show><clock/></show>").await);
    insta::assert_snapshot!(seen.join("\n"), @r#"
    <response status="success"><result>Sat Feb 28 22:00:00 UTC 2026
    </result></response>
    <response status="success"><result><member>dataplane time: Sat Feb 28 22:00:00 UTC 2026</member></result></response>
    Sat Feb 28 22:00:00 2026
    <response status="success"><result>Sun Mar  1 22:00:11 UTC 2026
    </result></response>
    "#);
    assert_eq!(fleet.state("fw").unwrap().clock_skew_seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn facts_optics_and_counters_can_be_set_behind_the_devices_back() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let optic = r#"{"port": 6, "vendor": "FS", "part": "SFP-10GSR-85"}"#;
    control(
        &fleet,
        &format!(r#"{{"insert_optic": {{"device": "fw", "optic": {optic}}}}}"#),
    );
    control(
        &fleet,
        &format!(r#"{{"insert_optic": {{"device": "fw", "optic": {optic}}}}}"#),
    );
    assert_eq!(fleet.state("fw").unwrap().optics.len(), 1, "one cage, one optic");
    control(&fleet, r#"{"pull_optic": {"device": "fw", "port": 6}}"#);
    assert!(fleet.state("fw").unwrap().optics.is_empty());
    let empty = serde_json::from_str(r#"{"pull_optic": {"device": "fw", "port": 6}}"#).unwrap();
    let refused = fleet.control(empty).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "pull an optic from fw: port 6 of slot 1 holds none"
    );
    for fact in [
        SetFact::Content("9001-9500".parse().unwrap()),
        SetFact::PanrepoFreeMb(77),
        SetFact::ChassisReady(false),
    ] {
        let device = "fw".to_owned();
        fleet.control(ControlRequest::SetFact { device, fact }).unwrap();
    }
    assert_eq!(
        probe
            .read("<show><system><info/></system></show>", "app-version")
            .await,
        "9001-9500"
    );
    assert_eq!(fleet.state("fw").unwrap().panrepo_free_mb, 77);
    assert!(
        probe
            .body("<show><chassis-ready/></show>")
            .await
            .contains("code=\"17\"")
    );
    assert!(fleet.counters("fw").unwrap().requests >= 3);
    control(&fleet, r#"{"reset_counters": {"whom": "all"}}"#);
    assert_eq!(fleet.counters("fw").unwrap().requests, 0);
}

const NIGHT: &str = "\
devices:
  - {name: a, model: PA-3220, version: 10.1.14-h9, content: 8900-9000, images: [10.2.0, 10.2.7]}
  - {name: b, model: PA-3220, version: 10.1.14-h9, content: 8900-9000, images: [10.2.0, 10.2.7]}
pairs:
  - {name: p, members: [a, b], active: a}
faults:
  - {rule: auto-commit-fails-twice, when: {devices: [b]}}
";

/// An upgrade of one member with trouble on the way; everything that happened, as JSON.
async fn night(seed: u64) -> String {
    let head = "epoch: 2026-03-01T22:00:00Z\ncredentials: {user: admin, password: secret-word}\n";
    let spec = FleetSpec::parse("fleet.yaml", &format!("seed: {seed}\n{head}{NIGHT}")).unwrap();
    let clock = SimClock::new(spec.epoch, 1.0);
    let fleet: Arc<Fleet> = Fleet::new(spec, clock).unwrap();
    let probe = Probe::login(&fleet, "b").await;
    probe.ha("suspend").await;
    let lost = ControlRequest::Inject {
        device: "b".into(),
        fault: NetworkFault::LoseReply,
        lasts: Lasts::Requests(1),
        operation: Some("install".into()),
        changing_only: false,
    };
    fleet.control(lost).unwrap();
    let command = "<request><system><software><install><version>10.2.7</version></install></software></system></request>";
    probe.ask(command).await;
    probe.finish(2).await;
    probe.restart().await;
    control(
        &fleet,
        r#"{"cut_network": {"whom": {"device": "a"}, "seconds": 120}}"#,
    );
    probe.back().await;
    probe.ha("functional").await;
    wait(3600).await;
    serde_json::to_string_pretty(&fleet.events(0, 1000)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run_event_for_event() {
    let (one, again, other) = (night(7).await, night(7).await, night(8).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
    // And it tells the story.
    for told in [
        "\"operation\": \"suspend\"",
        "\"lose_reply\"",
        "\"kind\": \"SWInstall\"",
        "\"phase\": \"dark\"",
        "\"result\": \"FAIL\"",
        "\"cut_network\"",
        "\"state\": \"passive\"",
    ] {
        assert!(one.contains(told), "{told} in {one}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_are_noticed_of_devices_that_nobody_asks() {
    let fleet = fleet("devices:\n  - {name: x, model: PA-440, version: 10.2.4, content: 8700-7000}\n");
    control(&fleet, r#"{"power_cycle": {"device": "x"}}"#);
    wait(3600).await;
    let events = fleet.events(0, 100).events;
    let phases = events
        .iter()
        .filter(|event| matches!(event.what, Occurrence::Phase { .. }));
    assert!(phases.count() >= 7, "{events:#?}");
    assert!(events.is_sorted_by_key(|event| event.number));
}
