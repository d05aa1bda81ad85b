//! The system log: its queries, and what boots and flapping ports leave in it.

use std::collections::BTreeMap;

use crate::probe::{Probe, between, fleet, one, wait};

const RESTART: &str = "<request><restart><system/></restart></request>";

async fn enqueue(probe: &Probe, more: &[(&str, &str)]) -> String {
    let mut parameters = vec![("type", "log"), ("log-type", "system")];
    parameters.extend_from_slice(more);
    probe.sent(&parameters).await
}

async fn look(probe: &Probe, job: &str) -> String {
    probe
        .sent(&[("type", "log"), ("action", "get"), ("job-id", job)])
        .await
}

/// Time and words of each entry.
async fn entries(probe: &Probe, more: &[(&str, &str)]) -> Vec<String> {
    let job = enqueue(probe, more).await;
    let job = between(&job, "<job>", "</job>").to_owned();
    wait(2).await;
    let reply = look(probe, &job).await;
    let found: Vec<String> = reply
        .split("<entry logid=")
        .skip(1)
        .filter(|entry| entry.contains("<receive_time>"))
        .map(|entry| {
            let time = between(entry, "<receive_time>", "</receive_time>");
            format!("{time} {}", between(entry, "<opaque>", "</opaque>"))
        })
        .collect();
    assert!(
        reply.contains(&format!("<logs count=\"{}\" progress=\"100\">", found.len())),
        "{reply}"
    );
    found
}

const LINKS: (&str, &str) = ("query", "(eventid eq link-change)");

#[tokio::test(start_paused = true)]
async fn a_log_without_entries_says_that_it_has_none() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    assert_eq!(
        entries(&probe, &[("query", "(eventid eq general)")]).await,
        [""; 0]
    );
}

#[tokio::test(start_paused = true)]
async fn a_query_is_over_after_one_second() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let mut said = vec![enqueue(&probe, &[LINKS]).await, look(&probe, "1").await];
    wait(1).await;
    let found = look(&probe, "1").await;
    let (job, rest) = found.split_once("<log>").unwrap();
    said.push(job.to_owned());
    said.push(rest.split_once("</entry>").unwrap().0.to_owned());
    // It is no job like the others.
    let jobs = probe.body("<show><jobs><all/></jobs></show>").await;
    assert_eq!(jobs.matches("<job>").count(), 1, "{jobs}");
    insta::assert_snapshot!(said.join("\n"), @r#"
    <response status="success" code="19"><result><msg><line>query job enqueued with jobid 1</line></msg><job>1</job></result></response>
    <response status="success"><result><job><tenq>22:00:00</tenq><tdeq>22:00:00</tdeq><tlast>22:00:00</tlast><status>ACT</status><id>1</id><cached-logs>0</cached-logs></job></result></response>
    <response status="success"><result><job><tenq>22:00:00</tenq><tdeq>22:00:00</tdeq><tlast>22:00:01</tlast><status>FIN</status><id>1</id><cached-logs>4</cached-logs></job>
    <logs count="4" progress="100"><entry logid="1766523533000004"><domain>1</domain><receive_time>2025/12/23 20:58:53</receive_time><serial>029761351752</serial><seqno>1766523533000004</seqno><actionflags>0x0</actionflags><type>SYSTEM</type><subtype>port</subtype><config_ver>0</config_ver><time_generated>2025/12/23 20:58:53</time_generated><device_name>fw</device_name><eventid>link-change</eventid><object>ethernet1/4</object><fmt>0</fmt><id>0</id><module>general</module><severity>informational</severity><opaque>Port ethernet1/4: Up   1Gb/s Full duplex</opaque>
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_restart_takes_each_link_down_once_and_up_once() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let before = entries(&probe, &[LINKS]).await;
    assert!(
        before
            .iter()
            .all(|entry| entry.contains(": Up   1Gb/s Full duplex")),
        "{before:?}"
    );
    probe.body(RESTART).await;
    wait(3600).await;
    let probe = Probe::login(&fleet, "fw").await;
    let after = entries(&probe, &[LINKS]).await;
    let told = |word: &str| after.iter().filter(|entry| entry.contains(word)).count();
    assert_eq!((told(": Down "), told(": Up ")), (before.len(), 2 * before.len()));
    assert!(after.ends_with(&before), "{after:?}");
    insta::assert_snapshot!(after[..before.len() + 1].join("\n"), @r"
    2026/03/01 22:17:10 Port ethernet1/4: Up   1Gb/s Full duplex
    2026/03/01 22:17:10 Port ethernet1/3: Up   1Gb/s Full duplex
    2026/03/01 22:17:10 Port ethernet1/2: Up   1Gb/s Full duplex
    2026/03/01 22:17:10 Port ethernet1/1: Up   1Gb/s Full duplex
    2026/03/01 22:01:36 Port ethernet1/4: Down 1Gb/s Full duplex
    ");
}

#[tokio::test(start_paused = true)]
async fn a_flapping_port_goes_down_twice_an_hour_and_others_do_not() {
    let fleet = fleet(
        "devices:\n  - name: fw\n    model: PA-850\n    version: 10.1.14-h9\n    content: 8700-7000\n    \
         setup: {flapping_ports: [2]}\n",
    );
    let probe = Probe::login(&fleet, "fw").await;
    let day = [
        (
            "query",
            "(eventid eq link-change) and (receive_time geq '2026/02/28 22:00:00')",
        ),
        ("nlogs", "5000"),
    ];
    let found = entries(&probe, &day).await;
    assert_eq!(found.len(), 96, "{found:?}");
    assert!(
        found.iter().all(|entry| entry.contains("Port ethernet1/2: ")),
        "{found:?}"
    );
    insta::assert_snapshot!(found[..4].join("\n"), @r"
    2026/03/01 21:30:25 Port ethernet1/2: Up   1Gb/s Full duplex
    2026/03/01 21:30:17 Port ethernet1/2: Down 1Gb/s Full duplex
    2026/03/01 21:00:25 Port ethernet1/2: Up   1Gb/s Full duplex
    2026/03/01 21:00:17 Port ethernet1/2: Down 1Gb/s Full duplex
    ");
    // The next is at 22:00:17, and it is 22:00:02. While it is down, it is shown so.
    let port = async || {
        let ports = probe.body("<show><interface>hardware</interface></show>").await;
        let port = between(&ports, "<name>ethernet1/2</name>", "</entry>");
        between(port, "<state>", "</state>").to_owned()
    };
    assert_eq!(port().await, "up");
    wait(18).await;
    assert_eq!(port().await, "down");
    let while_down = entries(&probe, &day).await;
    assert_eq!(
        while_down[0],
        "2026/03/01 22:00:17 Port ethernet1/2: Down 1Gb/s Full duplex"
    );
    wait(8).await;
    assert_eq!(port().await, "up");
}

/// A port that goes down was up, whatever takes it down: a restart, a dataplane that goes by itself, a flap.
#[tokio::test(start_paused = true)]
async fn each_port_goes_up_and_down_by_turns() {
    let fleet = fleet(
        "devices:\n  - name: fw\n    model: PA-3220\n    version: 11.0.4\n    content: 8900-9000\n    \
         optics: [{port: 13, vendor: FINISAR CORP., part: FTLX1475D3BCL}]\n    setup: {flapping_ports: [2, 13]}\n\
         faults: [dataplane-loop]\n",
    );
    let mut boots = 0;
    for _ in 0..3 {
        wait(5400).await;
        let probe = Probe::login(&fleet, "fw").await;
        probe.body(RESTART).await;
        boots += 1;
    }
    wait(5400).await;
    let probe = Probe::login(&fleet, "fw").await;
    let since = ("query", "(receive_time geq '2026/03/01 22:00:00')");
    let log = entries(&probe, &[since, ("nlogs", "5000"), ("dir", "forward")]).await;
    let mut ports: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for entry in &log {
        let port = between(entry, "Port ", ":");
        ports.entry(port).or_default().push(entry.contains(": Up "));
    }
    let restarts = usize::try_from(fleet.counters("fw").unwrap().dataplane_restarts).unwrap();
    assert!(restarts > 0);
    for (port, ups) in &ports {
        assert!(
            !ups[0] && ups.windows(2).all(|two| two[0] != two[1]),
            "{port} {ups:?}"
        );
        let downs = ups.iter().filter(|up| !**up).count();
        if matches!(*port, "ethernet1/2" | "ethernet1/13") {
            assert!(downs > boots + restarts, "{port} {downs}");
        } else {
            assert_eq!(downs, boots + restarts, "{port}");
        }
    }
    assert!(ports.len() >= 5, "{ports:?}");
}

#[tokio::test(start_paused = true)]
async fn entries_are_chosen_and_what_is_not_understood_is_refused() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let all = entries(&probe, &[]).await;
    assert!(all.len() > 3, "{all:?}");
    let mut reversed = all.clone();
    reversed.reverse();
    assert_eq!(entries(&probe, &[("dir", "forward")]).await, reversed);
    assert_eq!(entries(&probe, &[("nlogs", "2"), ("skip", "1")]).await, all[1..3]);
    let object = ("query", "( subtype eq port ) and ( object eq 'ethernet1/1' )");
    let of_one = entries(&probe, &[object]).await;
    assert_eq!(of_one.len(), 1);
    assert!(of_one[0].contains("Port ethernet1/1: "), "{of_one:?}");
    for none in [
        "(eventid eq general)",
        "(severity eq critical)",
        "(receive_time geq '2026/03/01 22:00:00')",
    ] {
        assert!(entries(&probe, &[("query", none)]).await.is_empty(), "{none}");
    }
    let mut said = Vec::new();
    for wrong in [
        (
            "query",
            "(eventid eq link-change) or (severity eq high) and (subtype eq port)",
        ),
        ("query", "((eventid eq link-change)"),
        ("query", "link-change"),
        ("query", "(app eq ssl)"),
        ("query", "(severity geq high)"),
        ("nlogs", "5001"),
        ("nlogs", "some"),
        ("dir", "sideways"),
    ] {
        said.push(enqueue(&probe, &[wrong]).await);
    }
    said.push(probe.sent(&[("type", "log"), ("log-type", "traffic")]).await);
    said.push(
        probe
            .sent(&[("type", "log"), ("action", "finish"), ("job-id", "1")])
            .await,
    );
    said.push(look(&probe, "99").await);
    insta::assert_snapshot!(said.join("\n"), @r#"
    <response status="error" code="400"><msg><line>Bad request: type log, query (eventid eq link-change) or (severity eq high) and (subtype eq port) is not supported</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, query ((eventid eq link-change) is not supported</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, query link-change is not supported</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, query (app eq ssl) is not supported</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, query (severity geq high) is not supported</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, nlogs 5001 is more than 5000</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, nlogs some is not a number</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, dir sideways is not supported</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, log-type traffic is not supported</line></msg></response>
    <response status="error" code="400"><msg><line>Bad request: type log, action finish is not supported</line></msg></response>
    <response status="error" code="7"><msg><line>job 99 not found</line></msg></response>
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_the_setup_logs_is_found_by_either_event_from_its_time_on() {
    let fleet = one(
        "    setup:
      system_log:
        - {at: 2026-03-01T21:00:00Z, event: fips-selftest-integ, severity: critical, text: FIPS failure. Software integrity failed.}
        - {at: 2026-03-01T22:10:00Z, event: ima, severity: critical, text: type=INTEGRITY_DATA op=appraise_data}
        - {at: 2026-03-01T21:30:00Z, event: syslog-conn-status, text: 'Syslog connection failed to server[''and or'']'}
",
    );
    let probe = Probe::login(&fleet, "fw").await;
    let either = ("query", "(eventid eq fips-selftest-integ) or (eventid eq ima)");
    let mut found = entries(&probe, &[either]).await;
    wait(900).await;
    found.push("a quarter of an hour later".to_owned());
    found.extend(entries(&probe, &[either]).await);
    let nested = "((eventid eq ima) or (eventid eq syslog-conn-status)) and (severity eq informational)";
    found.push(nested.to_owned());
    found.extend(entries(&probe, &[("query", nested)]).await);
    insta::assert_snapshot!(found.join("\n"), @r"
    2026/03/01 21:00:00 FIPS failure. Software integrity failed.
    a quarter of an hour later
    2026/03/01 22:10:00 type=INTEGRITY_DATA op=appraise_data
    2026/03/01 21:00:00 FIPS failure. Software integrity failed.
    ((eventid eq ima) or (eventid eq syslog-conn-status)) and (severity eq informational)
    2026/03/01 21:30:00 Syslog connection failed to server['and or']
    ");
    let everything = entries(&probe, &[("nlogs", "3")]).await;
    assert!(everything[0].ends_with("op=appraise_data"), "{everything:?}");
}

#[tokio::test(start_paused = true)]
async fn queries_do_not_outlive_a_boot_and_only_the_last_are_kept() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    for _ in 0..17 {
        enqueue(&probe, &[LINKS]).await;
    }
    assert!(look(&probe, "1").await.contains("job 1 not found"));
    assert!(look(&probe, "2").await.contains("<status>ACT</status>"));
    probe.body(RESTART).await;
    wait(3600).await;
    let probe = Probe::login(&fleet, "fw").await;
    assert!(look(&probe, "17").await.contains("job 17 not found"));
    assert!(enqueue(&probe, &[LINKS]).await.contains("<job>1</job>"));
}
