//! What is there before a reboot is there again after it, each part in its own time.

use std::sync::Arc;

use panos_simulator::{ControlRequest, Fleet, Whom};

use crate::probe::{Probe, between, fleet, wait};

const SETUP: &str = "    setup: {bgp_peers: 3, ospf_neighbours: 2, ipsec_tunnels: 4, globalprotect_users: 10, sessions: 3000, \
     external_lists: [{name: block, records: 100}], panorama: [10.0.0.5]}\n";

fn one_with_neighbours() -> Arc<Fleet> {
    crate::probe::one(SETUP)
}

/// How much there is of everything, in one line.
async fn census(probe: &Probe) -> String {
    let count = async |command: &str, mark: &str| probe.body(command).await.matches(mark).count();
    let links = count(
        "<show><interface>hardware</interface></show>",
        "<state>up</state>",
    )
    .await;
    let routes = count("<show><routing><route/></routing></show>", "<entry>").await;
    let bgp = count(
        "<show><routing><protocol><bgp><peer/></bgp></protocol></routing></show>",
        "<status>Established</status>",
    )
    .await;
    let ospf = count(
        "<show><routing><protocol><ospf><neighbor/></ospf></protocol></routing></show>",
        "<status>full</status>",
    )
    .await;
    let tunnels = count(
        "<show><running><tunnel><flow><all/></flow></tunnel></running></show>",
        "<state>active</state>",
    )
    .await;
    let arp = count("<show><arp><entry name='all'/></arp></show>", "<entry>").await;
    let users = count(
        "<show><global-protect-gateway><current-user/></global-protect-gateway></show>",
        "<username>",
    )
    .await;
    let lists = probe
        .read(
            "<request><system><external-list><show><type><ip><name>block</name></ip></type></show></external-list></system></request>",
            "total-valid",
        )
        .await;
    let panorama = count("<show><panorama-status/></show>", "Connected     : yes").await;
    let ntp = probe.read("<show><ntp/></show>", "synched").await == "ntp1.example.net";
    let sessions: u64 = probe
        .read("<show><session><info/></session></show>", "num-active")
        .await
        .parse()
        .unwrap();
    // To hundreds: the rest moves from minute to minute.
    let sessions = (sessions + 50) / 100 * 100;
    format!(
        "links {links:2} routes {routes:2} bgp {bgp} ospf {ospf} ipsec {tunnels} arp {arp:2} users {users:2} list {lists:>3} panorama {panorama} ntp {ntp} sessions {sessions}"
    )
}

#[tokio::test(start_paused = true)]
async fn a_census_before_and_after_a_reboot() {
    let fleet = one_with_neighbours();
    let probe = Probe::login(&fleet, "fw").await;
    let before = census(&probe).await;
    wait(3600).await;
    assert_eq!(census(&probe).await, before, "nothing moves by itself");
    probe.restart().await;
    probe.back().await;
    let mut log = vec![format!("before  {before}")];
    for _ in 0..7 {
        log.push(format!("after   {}", census(&probe).await));
        wait(30).await;
    }
    wait(900).await;
    assert_eq!(census(&probe).await, before, "everything is back");
    insta::assert_snapshot!(log.join("\n"), @r#"
    before  links  4 routes 44 bgp 3 ospf 2 ipsec 4 arp 20 users 10 list 100 panorama 1 ntp true sessions 3000
    after   links  0 routes  0 bgp 0 ospf 0 ipsec 0 arp  0 users  0 list   0 panorama 0 ntp false sessions 0
    after   links  4 routes 14 bgp 0 ospf 0 ipsec 1 arp  6 users  0 list   0 panorama 0 ntp false sessions 300
    after   links  4 routes 14 bgp 0 ospf 0 ipsec 4 arp 18 users  0 list   0 panorama 0 ntp false sessions 700
    after   links  4 routes 36 bgp 2 ospf 2 ipsec 4 arp 20 users  1 list   0 panorama 1 ntp true sessions 1000
    after   links  4 routes 44 bgp 3 ospf 2 ipsec 4 arp 20 users  2 list   0 panorama 1 ntp true sessions 1400
    after   links  4 routes 44 bgp 3 ospf 2 ipsec 4 arp 20 users  3 list 100 panorama 1 ntp true sessions 1800
    after   links  4 routes 44 bgp 3 ospf 2 ipsec 4 arp 20 users  5 list 100 panorama 1 ntp true sessions 2200
    "#);
}

#[tokio::test(start_paused = true)]
async fn tables_are_the_same_row_by_row_once_everything_is_back() {
    let fleet = one_with_neighbours();
    let probe = Probe::login(&fleet, "fw").await;
    let rows = async |command: &str, leave_out: &[&str]| {
        let body = probe.body(command).await;
        let mut rows: Vec<String> = body.split("<entry").skip(1).map(str::to_owned).collect();
        for row in &mut rows {
            for element in leave_out {
                let (start, end) = (format!("<{element}>"), format!("</{element}>"));
                *row = row.replace(&format!("{start}{}{end}", between(row, &start, &end)), "");
            }
        }
        rows.join("\n")
    };
    let tables: [(&str, &[&str]); 6] = [
        ("<show><routing><route/></routing></show>", &["age"]),
        ("<show><routing><fib/></routing></show>", &[]),
        ("<show><arp><entry name='all'/></arp></show>", &["ttl"]),
        (
            "<show><running><tunnel><flow><all/></flow></tunnel></running></show>",
            &[],
        ),
        ("<show><interface>hardware</interface></show>", &[]),
        ("<request><license><info/></license></request>", &[]),
    ];
    let mut before = Vec::new();
    for (command, leave_out) in tables {
        before.push(rows(command, leave_out).await);
    }
    probe.restart().await;
    probe.back().await;
    wait(900).await;
    for ((command, leave_out), before) in tables.into_iter().zip(before) {
        assert!(!before.is_empty(), "{command}");
        assert_eq!(rows(command, leave_out).await, before, "{command}");
    }
}

#[tokio::test(start_paused = true)]
async fn counters_grow_and_begin_again_after_a_reboot() {
    let fleet = one_with_neighbours();
    let probe = Probe::login(&fleet, "fw").await;
    let bytes = async || {
        let body = probe
            .body("<show><counter><interface>ethernet1/1</interface></counter></show>")
            .await;
        between(&body, "<ibytes>", "</ibytes>").parse::<u64>().unwrap()
    };
    let first = bytes().await;
    wait(60).await;
    let second = bytes().await;
    assert!(second > first && first > 0);
    probe.restart().await;
    probe.back().await;
    wait(60).await;
    assert!(bytes().await < second);
}

#[tokio::test(start_paused = true)]
async fn members_of_a_pair_have_one_configuration_and_two_names() {
    let fleet = fleet(
        "devices:\n  - {name: a, model: PA-850, version: 10.1.14-h9, content: 8700-7000}\n  \
         - {name: b, model: PA-850, version: 10.1.14-h9, content: 8700-7000}\n\
         pairs: [{name: p, members: [a, b], active: a}]\n",
    );
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    let routes = "<show><routing><route/></routing></show>";
    let network = async |probe: &Probe| {
        let body = probe.body("<show><config><running/></config></show>").await;
        between(&body, "<network>", "</network>").to_owned()
    };
    assert_eq!(network(&a).await, network(&b).await);
    let destinations = async |probe: &Probe| {
        let body = probe.body(routes).await;
        let rows = body
            .split("<destination>")
            .skip(1)
            .map(|row| row.split('<').next().unwrap().to_owned());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(destinations(&a).await, destinations(&b).await);
    let serial = async |probe: &Probe| {
        probe
            .read("<show><system><info/></system></show>", "serial")
            .await
    };
    assert_ne!(serial(&a).await, serial(&b).await);
}

#[tokio::test(start_paused = true)]
async fn counting_from_nothing_again_moves_nothing_that_is_coming_back() {
    let mut returns = Vec::new();
    for resets in [false, true] {
        let fleet = one_with_neighbours();
        let probe = Probe::login(&fleet, "fw").await;
        probe.restart().await;
        probe.back().await;
        if resets {
            let whom = Whom::Device("fw".into());
            fleet.control(ControlRequest::ResetCounters { whom }).unwrap();
            assert_eq!(fleet.counters("fw").unwrap().boots, 0);
        }
        let mut seen = Vec::new();
        for _ in 0..120 {
            wait(5).await;
            seen.push(fleet.state("fw").unwrap().missing);
        }
        returns.push(seen);
    }
    let different: std::collections::BTreeSet<_> = returns[0].iter().collect();
    assert!(different.len() > 3, "areas come back one by one: {different:?}");
    assert_eq!(returns[0], returns[1]);
}
