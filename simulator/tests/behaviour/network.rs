//! Faults on the way, refused logins, and the limit of five calls at a time.

use panos_simulator::{ControlError, ControlRequest, Exchange, Lasts, NetworkFault};

use crate::probe::{KEYGEN, Probe, form, one, text};

fn inject(fault: NetworkFault, operation: Option<&str>) -> ControlRequest {
    ControlRequest::Inject {
        device: "fw".into(),
        fault,
        lasts: Lasts::Requests(1),
        operation: operation.map(str::to_owned),
        changing_only: false,
    }
}

#[tokio::test(start_paused = true)]
async fn each_fault_on_the_way_does_what_it_says() {
    let mut log = Vec::new();
    for fault in [
        NetworkFault::Refuse,
        NetworkFault::Reset,
        NetworkFault::Hang,
        NetworkFault::Html,
        NetworkFault::Truncate,
        NetworkFault::LoseReply,
        NetworkFault::SwallowReply,
        NetworkFault::ResetBeforeTls,
        NetworkFault::ErrorPage,
        NetworkFault::ResetMidReply,
        NetworkFault::TruncatedXml,
    ] {
        let fleet = one("");
        let probe = Probe::login(&fleet, "fw").await;
        fleet.control(inject(fault, Some("restart"))).unwrap();
        assert_eq!(
            probe.version().await,
            "10.1.14-h9",
            "another operation is not touched"
        );
        let met = match probe.ask("<request><restart><system/></restart></request>").await {
            Exchange::Refused => "refused".to_owned(),
            Exchange::Reset => "reset".to_owned(),
            Exchange::Silence => "silence".to_owned(),
            Exchange::Partial(reply) => {
                format!(
                    "{} of {} bytes",
                    reply.body().len(),
                    reply.headers()["content-length"].to_str().unwrap()
                )
            }
            Exchange::Reply(reply) => reply.headers()["content-type"].to_str().unwrap().to_owned(),
        };
        let took_effect = fleet.counters("fw").unwrap().reboots_requested;
        log.push(format!("{fault:?}: {met}, restarts {took_effect}"));
    }
    insta::assert_snapshot!(log.join("\n"), @r#"
    Refuse: refused, restarts 0
    Reset: reset, restarts 0
    Hang: silence, restarts 0
    Html: text/html; charset=UTF-8, restarts 0
    Truncate: 43 of 87 bytes, restarts 1
    LoseReply: reset, restarts 1
    SwallowReply: silence, restarts 1
    ResetBeforeTls: reset, restarts 0
    ErrorPage: text/html; charset=UTF-8, restarts 0
    ResetMidReply: 43 of 87 bytes, restarts 1
    TruncatedXml: application/xml; charset=UTF-8, restarts 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn interventions_name_what_they_cannot_do() {
    let fleet = one("");
    let errors: Vec<String> = [
        ControlRequest::PowerCycle {
            device: "nobody".into(),
        },
        ControlRequest::SetHaState {
            device: "fw".into(),
            state: panos_simulator::HaState::Active,
            reason: String::new(),
        },
        inject(NetworkFault::Hang, Some("instal")),
    ]
    .into_iter()
    .map(|request| {
        fleet
            .control(request)
            .unwrap_err()
            .to_string()
            .chars()
            .take(90)
            .collect()
    })
    .collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    control nobody: it is not a device of this fleet
    control the HA of fw: it has no HA
    inject a fault into fw: `instal` is no operation; there are keygen, version, export-config
    "#);
    let request = r#"{"set_optics": {"device": "fw", "optics": [{"port": 1, "vendor": "x", "part": "y"}]}}"#;
    let error = fleet.control(serde_json::from_str(request).unwrap()).unwrap_err();
    assert_eq!(
        error,
        ControlError::NoCage {
            device: "fw".into(),
            port: 1
        }
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_are_judged_and_logins_counted() {
    let fleet = one("");
    let wrong = form("type=keygen&user=admin&password=guess");
    let Exchange::Reply(reply) = fleet.exchange("fw", wrong).await else {
        panic!("no reply")
    };
    assert_eq!(reply.status(), 403);
    assert_eq!(
        text(reply.body()),
        "<response status=\"error\" code=\"403\"><result><msg>Invalid Credential</msg></result></response>"
    );
    let unkeyed = form("type=op&cmd=<show><system><info/></system></show>&key=LUFRPT1guess==");
    let Exchange::Reply(reply) = fleet.exchange("fw", unkeyed).await else {
        panic!("no reply")
    };
    assert_eq!(reply.status(), 403);
    let probe = Probe::login(&fleet, "fw").await;
    fleet
        .control(ControlRequest::RejectLogin { device: "fw".into() })
        .unwrap();
    let Exchange::Reply(reply) = probe.ask("<show><clock/></show>").await else {
        panic!("no reply")
    };
    assert_eq!(reply.status(), 403);
    fleet
        .control(ControlRequest::Clear { device: "fw".into() })
        .unwrap();
    assert_eq!(probe.version().await, "10.1.14-h9");
    assert_eq!(fleet.counters("fw").unwrap().logins, 2);
    let Exchange::Reply(reply) = fleet.exchange("fw", form(KEYGEN)).await else {
        panic!("no reply")
    };
    assert_eq!(reply.headers()["content-type"], "application/xml; charset=UTF-8");
}

#[tokio::test(start_paused = true)]
async fn the_sixth_call_waits_for_one_of_five() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let start = fleet.clock().now();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let probe = probe.clone();
        calls.spawn(async move {
            probe.body("<show><clock/></show>").await;
            probe.fleet.clock().now()
        });
    }
    let mut ends: Vec<i128> = calls
        .join_all()
        .await
        .into_iter()
        .map(|end| end.duration_since(start).as_millis())
        .collect();
    ends.sort_unstable();
    assert_eq!(ends[0], ends[4]);
    assert!(ends[5] >= 2 * ends[0], "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn the_exported_configuration_is_a_file_with_secrets_in_it() {
    let fleet = one("");
    let Exchange::Reply(reply) = fleet.exchange("fw", form(KEYGEN)).await else {
        panic!("no key")
    };
    let key = crate::probe::between(&text(reply.body()), "<key>", "</key>").to_owned();
    let by_query = http::Request::get(format!("/api/?type=export&category=configuration&key={key}"))
        .body(bytes::Bytes::new())
        .unwrap();
    let Exchange::Reply(reply) = fleet.exchange("fw", by_query).await else {
        panic!("no file")
    };
    assert_eq!(
        reply.headers()["content-disposition"],
        "attachment; filename=running-config.xml"
    );
    let body = text(reply.body());
    assert!(body.contains("<config version=\"10.1.0\"") && body.contains("<hostname>fw</hostname>"));
    assert!(body.contains("BEGIN PRIVATE KEY") && body.contains("<phash>"));
}

#[tokio::test(start_paused = true)]
async fn a_further_call_is_refused_where_the_fleet_file_says_so() {
    let fleet = crate::probe::fleet(
        "concurrency: {limit: 2, excess: refuse}\ndevices:\n  - {name: fw, model: PA-440, version: 10.2.4, content: 8700-7000}\n",
    );
    let probe = Probe::login(&fleet, "fw").await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let probe = probe.clone();
        calls.spawn(async move {
            match probe.ask("<show><clock/></show>").await {
                Exchange::Reply(reply) => reply.status().as_u16(),
                other => panic!("{other:?}"),
            }
        });
    }
    let mut statuses = calls.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 503, 503, 503]);
    assert_eq!(probe.version().await, "10.2.4", "there is room again");
    let counters = fleet.counters("fw").unwrap();
    assert_eq!(counters.calls_refused, 3);
    assert_eq!(counters.requests, 4, "the device saw nothing of the others");
}

#[tokio::test(start_paused = true)]
async fn delays_take_simulated_time_within_one_process_too() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let timed = async || {
        let began = fleet.clock().now();
        let body = probe.body("<show><system><info/></system></show>").await;
        let took = fleet.clock().now().duration_since(began);
        (body.len(), i64::try_from(took.as_millis()).unwrap())
    };
    let (length, usual) = timed().await;
    let lasting = |fault| ControlRequest::Inject {
        device: "fw".into(),
        fault,
        lasts: Lasts::Seconds(60),
        operation: Some("system-info".into()),
        changing_only: false,
    };
    let bytes_per_second = 200.try_into().unwrap();
    fleet
        .control(lasting(NetworkFault::Latency { milliseconds: 1500 }))
        .unwrap();
    fleet
        .control(lasting(NetworkFault::Drip { bytes_per_second }))
        .unwrap();
    let (_, slow) = timed().await;
    let expected = usual + 1500 + i64::try_from(length).unwrap() * 1000 / 200;
    // The runtime's timer counts whole milliseconds, and there are three waits.
    assert!((slow - expected).abs() <= 3, "{slow} ms, {expected} expected");
    fleet.control(ControlRequest::JumpClock { seconds: 60 }).unwrap();
    assert_eq!(timed().await, (length, usual), "their time is over");
}

#[tokio::test(start_paused = true)]
async fn a_cut_network_ends_with_its_time_and_keeps_requests_from_the_device() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let cut = |how| ControlRequest::CutNetwork {
        whom: panos_simulator::Whom::All,
        how,
        seconds: Some(90),
    };
    for how in [panos_simulator::Cut::Silence, panos_simulator::Cut::Refuse] {
        fleet.control(cut(how)).unwrap();
        let met = probe.ask("<request><restart><system/></restart></request>").await;
        let as_cut = match how {
            panos_simulator::Cut::Silence => matches!(met, Exchange::Silence),
            panos_simulator::Cut::Refuse => matches!(met, Exchange::Refused),
        };
        assert!(as_cut, "{how:?}: {met:?}");
        crate::probe::wait(90).await;
        assert_eq!(probe.version().await, "10.1.14-h9");
    }
    assert_eq!(fleet.counters("fw").unwrap().reboots_requested, 0);
}
