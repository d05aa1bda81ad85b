//! Restarts as seen from outside, good and bad, second by second.

use std::sync::Arc;

use panos_simulator::{ControlRequest, Exchange, Fleet, OpticSpec};

use crate::probe::{Probe, between, fleet, one, text, wait};

/// What a client that knows nothing else can say about a device.
async fn look(probe: &Probe) -> String {
    match probe.ask("<show><system><info/></system></show>").await {
        Exchange::Refused => "refused".to_owned(),
        Exchange::Reset => "reset".to_owned(),
        Exchange::Silence => "silence".to_owned(),
        Exchange::Partial(_) => "cut short".to_owned(),
        Exchange::Reply(reply) if reply.status() != 200 => {
            let body = text(reply.body());
            let cause = ["Invalid Credential", "Transport endpoint is not connected"];
            let cause = cause.iter().find(|cause| body.contains(**cause)).unwrap_or(&"");
            format!("{} {cause}", reply.status().as_u16())
        }
        Exchange::Reply(reply) => {
            let body = text(reply.body());
            let ready = probe.body("<show><chassis-ready/></show>").await;
            let auto_commit = probe.body("<show><jobs><id>1</id></jobs></show>").await;
            format!(
                "{} chassis {} auto-commit {}",
                between(&body, "<sw-version>", "</sw-version>"),
                between(&ready, "CDATA[", "\n"),
                match between(&auto_commit, "<status>", "</status>") {
                    "" => "none",
                    status => status,
                },
            )
        }
    }
}

/// Looks every five seconds and notes each change, with the seconds since the restart.
async fn watch(probe: &Probe, seconds: u64) -> String {
    let start = probe.fleet.clock().now();
    let (mut log, mut last) = (Vec::new(), String::new());
    loop {
        let passed = probe.fleet.clock().now().duration_since(start).as_secs();
        if passed > i64::try_from(seconds).unwrap() {
            return log.join("\n");
        }
        let seen = look(probe).await;
        if seen != last {
            log.push(format!("{:>3}:{:02} {seen}", passed / 60, passed % 60));
            last = seen;
        }
        wait(5).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pa_850_comes_back_with_the_release_it_was_given() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    probe.install("10.2.0").await;
    assert!(probe.restart().await.contains("Command succeeded with no output"));
    // 10.2.0 takes no login before its auto-commit has ended (PAN-204830): 403 from R4 to the end of R6.
    insta::assert_snapshot!(watch(&probe, 2400).await, @r#"
     0:00 10.1.14-h9 chassis yes auto-commit FIN
     1:27 reset
     1:42 refused
     7:47 403 Invalid Credential
     8:37 503 Transport endpoint is not connected
     9:37 403 Invalid Credential
    16:00 10.2.0 chassis yes auto-commit FIN
    "#);
    let counters = fleet.counters("fw").unwrap();
    assert_eq!((counters.reboots_requested, counters.boots), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_fixed_release_answers_while_its_auto_commit_runs() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    probe.restart().await;
    probe.restart().await;
    insta::assert_snapshot!(watch(&probe, 2400).await, @r#"
     0:00 10.1.14-h9 chassis yes auto-commit FIN
     1:37 reset
     1:47 refused
     8:57 403 Invalid Credential
     9:42 503 Transport endpoint is not connected
    10:38 10.1.14-h9 chassis no auto-commit ACT
    17:07 10.1.14-h9 chassis yes auto-commit FIN
    "#);
    let counters = fleet.counters("fw").unwrap();
    assert_eq!(
        (counters.reboots_requested, counters.boots),
        (2, 1),
        "one reboot, asked for twice"
    );
    assert_eq!(probe.version().await, "10.1.14-h9");
}

const STORY: &str = "\
devices:
  - name: fw
    model: PA-850
    version: 10.1.14-h9
    content: 8700-7000
    images: [10.2.0]
    optics: [{port: 6, vendor: FINISAR CORP., part: FTLX1475D3BCL, serial: UXXXXXX}]
faults: [optics-boot-loop]
";

fn uptime(body: &str) -> u64 {
    let shown = between(body, "<uptime>", "</uptime>");
    let (days, time) = shown.split_once(" days, ").unwrap();
    let parts: Vec<u64> = time.split(':').map(|part| part.parse().unwrap()).collect();
    days.parse::<u64>().unwrap() * 86_400 + parts[0] * 3600 + parts[1] * 60 + parts[2]
}

/// The uptimes that can be seen, a line for each stretch in which the device answers.
async fn uptimes(probe: &Probe, seconds: u64) -> Vec<(u64, u64)> {
    let (mut cycles, mut up): (Vec<(u64, u64)>, bool) = (Vec::new(), false);
    let start = probe.fleet.clock().now();
    while probe.fleet.clock().now().duration_since(start).as_secs() < i64::try_from(seconds).unwrap() {
        wait(5).await;
        match probe.ask("<show><system><info/></system></show>").await {
            Exchange::Reply(reply) if reply.status() == 200 => {
                let seen = uptime(&text(reply.body()));
                match cycles.last_mut().filter(|_| up) {
                    Some(cycle) => cycle.1 = seen,
                    None => cycles.push((seen, seen)),
                }
                up = true;
            }
            _ => up = false,
        }
    }
    cycles
}

async fn upgraded_into_the_loop() -> (Arc<Fleet>, Probe) {
    let fleet = fleet(STORY);
    let probe = Probe::login(&fleet, "fw").await;
    probe.install("10.2.0").await;
    probe.restart().await;
    // Past the time in which the old system still answers.
    wait(130).await;
    (fleet, probe)
}

#[tokio::test(start_paused = true)]
async fn an_unsupported_optic_makes_a_loop_whose_uptimes_can_be_seen() {
    let (fleet, probe) = upgraded_into_the_loop().await;
    let cycles = uptimes(&probe, 3600).await;
    let shown: Vec<String> = cycles
        .iter()
        .map(|(from, to)| format!("uptime {from:3} to {to:3} s"))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    uptime 168 to 243 s
    uptime 175 to 250 s
    uptime 160 to 220 s
    uptime 175 to 236 s
    uptime 158 to 229 s
    uptime 162 to 227 s
    "#);
    let counters = fleet.counters("fw").unwrap();
    assert_eq!(counters.reboots_requested, 1);
    assert_eq!(counters.reboots_by_version.values().sum::<u64>(), 1);
    assert!(counters.boots >= u64::try_from(cycles.len()).unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_cycle_after_the_optic_was_replaced_completes() {
    let (fleet, probe) = upgraded_into_the_loop().await;
    let before = uptimes(&probe, 1500).await;
    assert!(before.len() >= 2, "{before:?}");
    let optic = OpticSpec {
        slot: 1,
        port: 6,
        vendor: "Palo Alto Networks".into(),
        part: "PAN-SFP-LX".into(),
        serial: None,
        media: "SFP-Fiber".into(),
    };
    fleet
        .control(ControlRequest::SetOptics {
            device: "fw".into(),
            optics: vec![optic],
        })
        .unwrap();
    probe.ready().await;
    assert_eq!(probe.version().await, "10.2.0");
    wait(7200).await;
    assert!(
        uptime(&probe.body("<show><system><info/></system></show>").await) > 7200,
        "it stays up"
    );
}

#[tokio::test(start_paused = true)]
async fn a_loop_of_n_cycles_recovers_by_itself() {
    let fleet = one("faults: [{id: thrice, effect: {boot_loop: {at: R4, up_seconds: 30, cycles: 3}}}]\n");
    let probe = Probe::login(&fleet, "fw").await;
    probe.restart().await;
    probe.back().await;
    wait(3600).await;
    probe.ready().await;
    assert_eq!(fleet.counters("fw").unwrap().boots, 4);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_never_returns_does_not() {
    let fleet = one("faults: [{rule: never-returns, when: {devices: [fw]}}]\n");
    let probe = Probe::login(&fleet, "fw").await;
    probe.restart().await;
    wait(86_400).await;
    assert!(matches!(
        probe.ask("<show><chassis-ready/></show>").await,
        Exchange::Refused
    ));
    assert_eq!(fleet.counters("fw").unwrap().boots, 0);
}

#[tokio::test(start_paused = true)]
async fn auto_commits_fail_as_often_as_they_are_told_to() {
    let fleet = one("faults: [auto-commit-fails-twice]\n");
    let probe = Probe::login(&fleet, "fw").await;
    probe.restart().await;
    probe.back().await;
    let jobs = probe.body("<show><jobs><all/></jobs></show>").await;
    assert_eq!(jobs.matches("<type>AutoCom</type>").count(), 3);
    assert_eq!(jobs.matches("<result>FAIL</result>").count(), 2);

    let fleet = one("faults: [{id: always, effect: {auto_commit_fails: {times: 9}}}]\n");
    let probe = Probe::login(&fleet, "fw").await;
    probe.restart().await;
    wait(4 * 3600).await;
    let jobs = probe.body("<show><jobs><all/></jobs></show>").await;
    assert_eq!(
        jobs.matches("<result>FAIL</result>").count(),
        4,
        "it gives up after four"
    );
    assert!(probe.body("<show><chassis-ready/></show>").await.contains("no"));
}

#[tokio::test(start_paused = true)]
async fn without_an_auto_commit_job_the_dataplane_stays_down() {
    let fleet = one("faults: [{rule: no-auto-commit-job, when: {devices: [fw]}}]\n");
    let probe = Probe::login(&fleet, "fw").await;
    probe.restart().await;
    wait(4 * 3600).await;
    assert!(
        !probe
            .body("<show><jobs><all/></jobs></show>")
            .await
            .contains("AutoCom")
    );
    assert!(probe.body("<show><chassis-ready/></show>").await.contains("no"));
}

#[tokio::test(start_paused = true)]
async fn a_pa_7000_has_no_chassis_ready() {
    let fleet = fleet("devices:\n  - {name: fw, model: PA-7050, version: 10.1.14, content: 8700-7000}\n");
    let probe = Probe::login(&fleet, "fw").await;
    let reply = probe.body("<show><chassis-ready/></show>").await;
    assert_eq!(
        reply,
        "<response status=\"error\" code=\"17\"><msg><line>show -&gt; chassis-ready is unexpected</line></msg></response>"
    );
}

#[tokio::test(start_paused = true)]
async fn pulling_the_plug_is_no_reboot_by_request() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    fleet
        .control(ControlRequest::PowerCycle { device: "fw".into() })
        .unwrap();
    assert!(matches!(
        probe.ask("<show><chassis-ready/></show>").await,
        Exchange::Refused
    ));
    probe.back().await;
    let counters = fleet.counters("fw").unwrap();
    assert_eq!((counters.boots, counters.reboots_requested), (1, 0));
    assert!(counters.reboots_by_version.is_empty());
}

/// R9: the firewall is in service again before its clock is synchronised again.
#[tokio::test(start_paused = true)]
async fn time_is_synchronised_again_only_after_the_firewall_is_in_service() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let synched = async || {
        between(
            &probe.body("<show><ntp/></show>").await,
            "<synched>",
            "</synched>",
        )
        .to_owned()
    };
    assert_eq!(synched().await, "ntp1.example.net");
    probe.ask("<request><restart><system/></restart></request>").await;
    while look(&probe).await != "refused" {
        wait(5).await;
    }
    while !look(&probe).await.ends_with("chassis yes auto-commit FIN") {
        wait(5).await;
    }
    assert_eq!(synched().await, "LOCAL");
    wait(300).await;
    assert_eq!(synched().await, "ntp1.example.net");
}
