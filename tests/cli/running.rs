//! A running engine: asked and told through its control port, stopped once and twice, resumed; and its exit statuses.

use std::time::Duration;

use hopgate_tests::process::{Process, Simulator};
use serde_json::{Value, json};

use super::desk::{Desk, plain};

const LONG: Duration = Duration::from_secs(120);

/// One hop in some ten seconds of real time.
const SPEED: u32 = 300;

fn installs_and_reboots(simulator: &Simulator, device: &str) -> (Value, Value) {
    let report = simulator.get(&format!("/devices/{device}"));
    let counter = |name: &str| report.pointer(&format!("/counters/{name}")).cloned().unwrap();
    (counter("installs_started"), counter("reboots_requested"))
}

fn every_device_went_up_once(simulator: &Simulator) {
    for device in ["fw1", "fw2", "core-a", "core-b"] {
        let expected = (json!({"10.2.7": 1}), json!(1));
        assert_eq!(installs_and_reboots(simulator, device), expected, "{device}");
    }
}

/// Data without its times, which go on.
fn without_times(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[test]
fn a_running_engine_and_a_resting_directory_answer_the_same_questions() {
    let (desk, simulator) = Desk::with_fleet(SPEED);
    let mut run = desk.start("run campaign.yaml");
    run.wait_for_text("wave rest waits for an approval", LONG);
    let status = desk.done("status");
    assert!(status.contains("spring") && status.contains("fw1"), "{status}");
    let timeline = desk.done("timeline fw1");
    assert!(timeline.contains("about to install 10.2.7"), "{timeline}");
    let why = desk.done("why core-a");
    assert!(
        why.contains("wave rest needs an approval (hopgate approve)"),
        "{why}"
    );
    let exported = desk.done("journal export running.jsonl");
    assert!(exported.contains(" records of "), "{exported}");
    assert_eq!(desk.done("report --html running.html").trim_end(), "running.html");
    for (refused, because) in [
        ("approve spring rest --as olga --reason x", "olga"),
        (
            "approve spring rest --as petra --reason x --plan deadbeef",
            "deadbeef",
        ),
        ("approve spring rset --as petra --reason x", "rset"),
        (
            "approve autumn rest --as petra --reason x",
            "runs campaign spring, not autumn",
        ),
        (
            "resume autumn --as petra --reason x",
            "runs campaign spring, not autumn",
        ),
        ("status autumn", "runs campaign spring, not autumn"),
        (
            "timeline fw1 --campaign autumn",
            "runs campaign spring, not autumn",
        ),
        ("why fw1 --campaign autumn", "runs campaign spring, not autumn"),
        (
            "report autumn --html autumn.html",
            "runs campaign spring, not autumn",
        ),
        ("timeline fw9", "fw9"),
        ("why fw9", "fw9"),
        ("run campaign.yaml", "in use by pid"),
        ("plan campaign.yaml", "in use by pid"),
        ("journal check", "in use by pid"),
    ] {
        let told = desk.refused(refused);
        assert!(told.contains(because), "hopgate {refused}: {told}");
    }
    assert_eq!(
        desk.done("resume --as petra --reason 'nothing is halted'"),
        "asked to go on\n"
    );
    let approved = desk.done("approve spring rest --as petra --reason 'CHG0042, canary is up'");
    assert!(
        approved.ends_with("approved by petra: CHG0042, canary is up\n"),
        "{approved}"
    );
    let ended = run.wait(LONG);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    plain(&ended);
    assert!(
        ended.stdout.contains("finished: every device is at its target"),
        "{ended:#?}"
    );
    every_device_went_up_once(&simulator);
    assert_eq!(
        without_times(&desk.done("timeline fw1")),
        without_times(&timeline)
    );
    let status = desk.done("status");
    assert!(status.contains("finished"), "{status}");
    let why = desk.done("why core-a");
    assert!(why.contains("it is at its target and waits for nothing"), "{why}");
    let again = desk.run("run campaign.yaml");
    assert_eq!(
        again.code,
        Some(0),
        "a finished campaign stays finished: {again:#?}"
    );
    every_device_went_up_once(&simulator);
}

#[test]
fn audits_of_a_campaign_are_asked_while_it_runs_and_their_history_can_be_read_then() {
    let (desk, simulator) = Desk::with_fleet(SPEED);
    let audits =
        "audits: [{name: nightly, cron: '*/10 * * * *', inventory: inventory.yaml, playbooks: [software]}]\n";
    desk.write("schedules.yaml", audits);
    desk.change("campaign.yaml", "waves:", "audits: schedules.yaml\nwaves:");
    let mut run = desk.start("run campaign.yaml");
    run.wait_for_text("audit nightly: next 2026-03-07", LONG);
    run.wait_for_text("clear; first run", LONG);
    run.wait_for_text("wave rest waits for an approval", LONG);
    let history = desk.done("audit history nightly");
    assert!(history.contains("clear; first run"), "{history}");
    assert!(desk.done("audit history").starts_with("nightly  "));
    assert!(
        desk.refused("audit history weekly")
            .contains("no audit weekly has a history")
    );
    desk.done("approve spring rest --as petra --reason CHG0042");
    let ended = run.wait(LONG);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    every_device_went_up_once(&simulator);
    let after = desk.done("audit history nightly");
    assert!(after.lines().count() >= history.lines().count(), "{after}");
    desk.write("schedules.yaml", "audits: []\n");
    assert!(
        desk.refused("run campaign.yaml")
            .contains("a schedule needs at least one audit")
    );
}

fn ungated() -> (Desk, Simulator, Process) {
    let (desk, simulator) = Desk::with_fleet(SPEED);
    desk.change(
        "campaign.yaml",
        "concurrency: 2, approval: true",
        "concurrency: 4",
    );
    let run = desk.start("run campaign.yaml");
    (desk, simulator, run)
}

/// Waits until a device is in the middle of its install.
fn until_installing(desk: &Desk, simulator: &Simulator, run: &mut Process, device: &str) {
    run.wait_for_text("wave canary opened", LONG);
    for _ in 0..2_000 {
        if installs_and_reboots(simulator, device).0 != json!({}) {
            return;
        }
        assert!(!run.has_ended(), "{}{}", run.stdout(), run.stderr());
        hopgate_tests::process::pause(Duration::from_millis(10));
    }
    panic!("{device} never installs:\n{}", desk.done("status"));
}

#[test]
fn one_interrupt_stops_at_a_safe_place_and_a_resume_finishes() {
    let (desk, simulator, mut run) = ungated();
    until_installing(&desk, &simulator, &mut run, "fw1");
    run.interrupt();
    let ended = run.wait(LONG);
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    plain(&ended);
    assert!(
        ended.stderr.contains(
            "stopping: nothing new starts; waiting for fw1 to reach a safe place (Ctrl-C again stops at once)"
        ),
        "{ended:#?}"
    );
    assert!(
        ended
            .stderr
            .ends_with("stopped; everything is at a safe place. hopgate resume goes on\n"),
        "{ended:#?}"
    );
    let (_, reboots) = installs_and_reboots(&simulator, "fw2");
    assert_eq!(reboots, json!(0), "nothing new starts");
    let resumed = desk.run("resume --as olga --reason 'back from lunch'");
    assert_eq!(resumed.code, Some(0), "{resumed:#?}");
    every_device_went_up_once(&simulator);
    assert!(desk.done("journal check").starts_with("the journal is whole: "));
}

#[test]
fn two_interrupts_stop_at_once_and_nothing_is_done_twice() {
    let (desk, simulator, mut run) = ungated();
    until_installing(&desk, &simulator, &mut run, "fw1");
    run.interrupt();
    run.wait_for_text("stopping: ", LONG);
    run.interrupt();
    let ended = run.wait(Duration::from_secs(5));
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    let said = "stopped at once; hopgate resume finds out what is under way before it does anything\n";
    assert!(ended.stderr.ends_with(said), "{ended:#?}");
    let resumed = desk.run("resume --as olga --reason 'changed my mind'");
    assert_eq!(resumed.code, Some(0), "{resumed:#?}");
    every_device_went_up_once(&simulator);
    let timeline = desk.done("timeline fw1");
    assert!(timeline.contains("picks up here"), "{timeline}");
}

#[test]
fn a_halt_is_status_3_with_what_to_do_next() {
    let desk = Desk::new();
    desk.write(
        "fleet.yaml",
        &format!("{}faults: [never-returns]\n", super::desk::FLEET),
    );
    let simulator = Simulator::serve(desk.path(), 1_200);
    let ended = desk.run("run campaign.yaml");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    plain(&ended);
    assert!(
        ended.stderr.starts_with("campaign spring needs a person: "),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains("\n  next: "), "{ended:#?}");
    let (_, reboots) = installs_and_reboots(&simulator, "fw2");
    assert_eq!(reboots, json!(0), "nothing starts after a failed reboot");
    let why = desk.done("why fw1");
    assert!(
        why.contains("halted: not back") && why.contains("  next: "),
        "{why}"
    );
    let status = desk.done("status");
    assert!(status.contains("needs a person"), "{status}");
    let again = desk.run("run campaign.yaml");
    assert_eq!(
        again.code,
        Some(3),
        "a halt stays one until a person resumes: {again:#?}"
    );
    assert_eq!(installs_and_reboots(&simulator, "fw1").1, json!(1));
}

#[test]
fn a_window_that_is_too_short_is_status_3_and_nothing_starts() {
    let (desk, simulator) = Desk::with_fleet(60);
    desk.change(
        "campaign.yaml",
        "closes: 2026-03-08T19:00:00Z",
        "closes: 2026-03-07T19:40:00Z",
    );
    let ended = desk.run("run campaign.yaml");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert!(
        ended.stderr.contains("the window closes at 2026-03-07T19:40:00Z"),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains("\n  next: set a new window"), "{ended:#?}");
    assert_eq!(installs_and_reboots(&simulator, "fw1"), (json!({}), json!(0)));
}
