//! Replies word by word, where a client's parser depends on the words.

use crate::probe::{Probe, fleet};

const FLEET: &str = "\
devices:
  - name: fw
    model: PA-850
    version: 9.1.16
    content: 8700-7000
    serial: '012345678901'
    address: 10.1.2.3
    config_locks: [alice]
    optics: [{port: 6, vendor: FINISAR CORP., part: FTLX1475D3BCL, serial: UXXXXXX}]
releases:
  - {version: 9.1.0, size: 775}
  - {version: 9.1.16, size: 440, preferred: true}
  - {version: 10.0.0, size: 868}
";

/// One element a line, so that a difference shows where it is.
fn lines(body: &str) -> String {
    body.replace("><", ">\n<")
}

#[tokio::test(start_paused = true)]
async fn the_replies_that_parsers_depend_on() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    insta::assert_snapshot!(lines(&probe.body("<show><system><info/></system></show>").await), @"");
    insta::assert_snapshot!(
        lines(&probe.body("<request><system><software><info/></software></system></request>").await), @"");
    insta::assert_snapshot!(probe.body("<show><system><disk-space/></system></show>").await, @"");
    insta::assert_snapshot!(lines(&probe.body("<show><jobs><id>1</id></jobs></show>").await), @"");
    insta::assert_snapshot!(lines(&probe.body("<show><config-locks><vsys>all</vsys></config-locks></show>").await), @"");
}

#[tokio::test(start_paused = true)]
async fn optics_read_as_system_state() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    let state = async |filter: &str| {
        probe
            .body(&format!("<show><system><state>{filter}</state></system></show>"))
            .await
    };
    let all = state("<filter>sys.s*.p*.phy</filter>").await;
    assert_eq!(all.matches(".phy: {").count(), 12, "a PA-850 has twelve ports");
    assert_eq!(all.matches("SFP-Empty").count(), 7);
    insta::assert_snapshot!(state("<filter>sys.s1.p6.phy</filter>").await, @"");
    insta::assert_snapshot!(state("<filter-pretty>sys.s1.p6.phy</filter-pretty>").await, @"");
    insta::assert_snapshot!(state("<filter>sys.s4.p*.phy</filter>").await, @"");
}

#[tokio::test(start_paused = true)]
async fn every_other_read_that_published_clients_make_is_answered() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    for (command, part) in [
        ("<check><pending-changes/></check>", "<result>no</result>"),
        ("<check><full-commit-required/></check>", "<result>no</result>"),
        (
            "<show><commit-locks><vsys>all</vsys></commit-locks></show>",
            "<commit-locks/>",
        ),
        ("<show><chassis-ready/></show>", "yes"),
        (
            "<request><license><info/></license></request>",
            "<expired>no</expired>",
        ),
        (
            "<request><support><check/></support></request>",
            "<ExpiryDate>December 31, 2099</ExpiryDate>",
        ),
        ("<show><ntp/></show>", "<status>synched</status>"),
        ("<show><panorama-status/></show>", "<result></result>"),
        ("<show><clock/></show>", "Sun Mar  1 22:00:"),
        (
            "<show><clock><more/></clock></show>",
            "<member>dataplane time: Sun Mar  1 22:00:",
        ),
        ("<show><session><info/></session></show>", "<num-active>"),
        ("<show><session><all/></session></show>", "success"),
        (
            "<show><config><running/></config></show>",
            "<result><config version=\"9.1.0\"",
        ),
        (
            "<request><content><upgrade><check/></upgrade></content></request>",
            "<version>8700-7000</version>",
        ),
        ("<show><system><resources/></system></show>", "MiB Mem :"),
        (
            "<show><system><environmentals/></system></show>",
            "<alarm>False</alarm>",
        ),
        (
            "<show><system><setting><jumbo-frame/></setting></system></show>",
            "<result>off</result>",
        ),
        (
            "<show><running><resource-monitor><minute><last>5</last></minute></resource-monitor></running></show>",
            "<resource-monitor><data-processors><dp0><minute><cpu-load-average><entry>",
        ),
        (
            "<show><system><state><filter>sys.monitor.*.mp.exports</filter></state></system></show>",
            "'1minavg': 3",
        ),
        (
            "<show><arp><entry name = 'all'/></arp></show>",
            "<ip>192.0.2.1</ip>",
        ),
        (
            "<show><running><tunnel><flow><all/></flow></tunnel></running></show>",
            "<IPSec/>",
        ),
        (
            "<show><interface>hardware</interface></show>",
            "<name>ethernet1/12</name>",
        ),
        (
            "<show><routing><route/></routing></show>",
            "<virtual-router>default</virtual-router>",
        ),
        (
            "<show><routing><fib/></routing></show>",
            "<nexthop>192.0.2.1</nexthop>",
        ),
        (
            "<show><routing><protocol><bgp><peer/></bgp></protocol></routing></show>",
            "success",
        ),
    ] {
        let body = probe.body(command).await;
        assert!(
            body.starts_with("<response status=\"success\">") && body.contains(part),
            "{command}: {body}"
        );
    }
    let session = probe.body("<show><session><info/></session></show>").await;
    assert!(
        !session.replace("</result></response>", "").contains("></"),
        "an empty element breaks a snapshot"
    );
}

#[tokio::test(start_paused = true)]
async fn content_updates_succeed_even_when_there_is_nothing_newer() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    let install = "<request><content><upgrade><install><commit>yes</commit><sync-to-peer>yes</sync-to-peer>\
                   <version>latest</version></install></upgrade></content></request>";
    assert!(probe.body(install).await.contains("has not been downloaded"));
    let job = crate::probe::job_id(
        &probe
            .body("<request><content><upgrade><download><latest/></download></upgrade></content></request>")
            .await,
    );
    assert!(probe.finish(job).await.starts_with("OK"));
    for _ in 0..2 {
        let job = crate::probe::job_id(&probe.body(install).await);
        assert!(probe.finish(job).await.starts_with("OK"));
        assert_eq!(
            probe
                .read("<show><system><info/></system></show>", "app-version")
                .await,
            "9050-9800"
        );
    }
}
