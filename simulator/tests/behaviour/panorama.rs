//! Panoramas: whom they manage, who is connected, requests passed on, their own HA and upgrades.

use std::sync::Arc;

use panos_simulator::{ControlRequest, Cut, Exchange, Fleet, FleetSpec, SimClock, Whom};

use crate::probe::{Probe, between, fleet, form, job_id, text, wait};

const INFO: &str = "<show><system><info/></system></show>";
const ALL: &str = "<show><devices><all/></devices></show>";
const CONNECTED: &str = "<show><devices><connected/></devices></show>";
const GROUPS: &str = "<show><devicegroups/></show>";
const STATUS: &str = "<show><panorama-status/></show>";
const HA: &str = "<show><high-availability><state/></high-availability></show>";

/// Two sites under a pair of Panoramas, and a lab under one of its own.
const ESTATE: &str = "\
devices:
  - {name: vie, model: PA-VM, version: 10.1.14-h9, content: 8900-9000, serial: '0001', address: 10.0.0.1, images: [10.2.0], labels: {customer: acme, site: vie}}
  - {name: lnz-a, model: PA-VM, version: 10.2.4-h4, content: 8900-9000, serial: '0002', address: 10.0.0.2, labels: {customer: acme, site: lnz}}
  - {name: lnz-b, model: PA-VM, version: 10.2.4-h4, content: 8900-9000, serial: '0003', address: 10.0.0.3, labels: {customer: acme, site: lnz}}
  - {name: lab, model: PA-VM, version: 11.1.0, content: 8900-9000, serial: '0004', address: 10.0.0.4}
  - {name: lab-old, model: PA-VM, version: 10.1.14-h9, content: 8900-9000, serial: '0005', address: 10.0.0.5}
panoramas:
  - {name: pan-a, version: 10.2.4, serial: '0100', address: 10.0.1.1, manages: {customer: acme}}
  - {name: pan-b, version: 10.2.4, serial: '0101', address: 10.0.1.2, manages: {customer: acme}}
  - {name: pan-lab, model: M-200, version: 10.2.4, address: 10.0.1.3, manages: [lab, lab-old]}
pairs:
  - {name: lnz, members: [lnz-a, lnz-b], active: lnz-a}
  - {name: pan, members: [pan-a, pan-b], active: pan-a}
";

fn estate() -> Arc<Fleet> {
    fleet(ESTATE)
}

/// Serial number, name, connected, unsupported, version, HA state and peer, a line a device.
async fn listed(panorama: &Probe, command: &str) -> String {
    let body = panorama.body(command).await;
    let entries = body.split("<entry name=\"00").skip(1);
    let line = |entry: &str| {
        let value = |name: &str| between(entry, &format!("<{name}>"), &format!("</{name}>")).to_owned();
        let ha = between(entry, "<ha>", "</ha>");
        let ha = match (
            between(ha, "<state>", "</state>"),
            between(ha, "<serial>", "</serial>"),
        ) {
            ("", _) => String::new(),
            (state, peer) => format!(" {state}, peer {peer}"),
        };
        format!(
            "{} {} connected={} unsupported={} {}{ha}",
            value("serial"),
            value("hostname"),
            value("connected"),
            value("unsupported-version"),
            value("sw-version")
        )
    };
    entries.map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_panorama_lists_the_firewalls_it_manages() {
    let fleet = estate();
    let (pan, lab) = (
        Probe::login(&fleet, "pan-a").await,
        Probe::login(&fleet, "pan-lab").await,
    );
    insta::assert_snapshot!(listed(&pan, ALL).await, @r"
    0001 vie connected=yes unsupported=no 10.1.14-h9
    0002 lnz-a connected=yes unsupported=no 10.2.4-h4 active, peer 0003
    0003 lnz-b connected=yes unsupported=no 10.2.4-h4 passive, peer 0002
    ");
    assert_eq!(listed(&pan, ALL).await, listed(&pan, CONNECTED).await);
    insta::assert_snapshot!(listed(&lab, ALL).await, @r"
    0004 lab connected=no unsupported=yes 11.1.0
    0005 lab-old connected=yes unsupported=no 10.1.14-h9
    ");
    insta::assert_snapshot!(listed(&lab, CONNECTED).await, @"0005 lab-old connected=yes unsupported=no 10.1.14-h9");
    let names: Vec<String> = fleet.panoramas().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["pan-a", "pan-b", "pan-lab"]);
    assert_eq!(fleet.devices().len(), 5, "firewalls only");
}

#[tokio::test(start_paused = true)]
async fn device_groups_follow_a_label() {
    let fleet = estate();
    let pan = Probe::login(&fleet, "pan-a").await;
    let body = pan.body(GROUPS).await;
    let groups: Vec<(String, Vec<&str>)> =
        body.split("<entry name=\"")
            .skip(1)
            .fold(Vec::new(), |mut groups, entry| {
                let name = entry.split('"').next().unwrap();
                match (name.starts_with("00"), groups.last_mut()) {
                    (true, Some((_, members))) => members.push(name),
                    _ if name != "vsys1" => groups.push((name.to_owned(), Vec::new())),
                    _ => {}
                }
                groups
            });
    assert_eq!(
        groups,
        [
            ("lnz".to_owned(), vec!["0002", "0003"]),
            ("vie".to_owned(), vec!["0001"])
        ]
    );
    let one = pan
        .body("<show><devicegroups><name>vie</name></devicegroups></show>")
        .await;
    assert!(one.contains("0001") && !one.contains("0002"), "{one}");
    let tree = pan.body("<show><dg-hierarchy/></show>").await;
    assert!(tree.contains(r#"<dg name="lnz"/><dg name="vie"/>"#), "{tree}");
    let Exchange::Reply(config) = pan
        .post("type=config&action=get&xpath=/config/devices/entry%5b@name='localhost.localdomain'%5d/device-group")
        .await
    else {
        panic!("no reply")
    };
    let config = text(config.body());
    assert!(
        config.contains(r#"<entry name="vie"><devices><entry name="0001"></entry></devices></entry>"#),
        "{config}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_with_a_target_is_answered_by_the_firewall() {
    let fleet = estate();
    let pan = Probe::login(&fleet, "pan-a").await;
    let before = fleet.counters("vie").unwrap().requests;
    let own = pan.body(INFO).await;
    assert!(
        own.contains("<model>Panorama</model>") && own.contains("<serial>0100</serial>"),
        "{own}"
    );
    let info = pan.relay("0001", INFO).await;
    assert!(
        info.contains("<hostname>vie</hostname>") && info.contains("<model>PA-VM</model>"),
        "{info}"
    );
    assert_eq!(
        fleet.counters("vie").unwrap().requests,
        before + 1,
        "the firewall saw it"
    );
    assert_eq!(
        fleet.counters("pan-a").unwrap().requests,
        3,
        "and so did the Panorama"
    );
    let Exchange::Reply(export) = pan.post("type=export&category=configuration&target=0001").await else {
        panic!("no reply")
    };
    assert!(text(export.body()).contains("<hostname>vie</hostname>"));
    let Exchange::Reply(get) = pan
        .post("type=config&action=get&target=0002&xpath=/config/devices/entry/deviceconfig/system")
        .await
    else {
        panic!("no reply")
    };
    assert!(text(get.body()).contains("<hostname>lnz-a</hostname>"));
    let unknown = pan.relay("0001", "<frobnicate/>").await;
    assert!(unknown.contains(r#"code="17""#), "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn a_serial_number_that_is_not_managed_is_not_connected() {
    let fleet = estate();
    let (pan, lab) = (
        Probe::login(&fleet, "pan-a").await,
        Probe::login(&fleet, "pan-lab").await,
    );
    let answers = [
        pan.relay("9999", INFO).await,
        pan.relay("0004", INFO).await,
        lab.relay("0004", INFO).await,
    ];
    insta::assert_snapshot!(answers.join("\n"), @r#"
    <response status="error"><msg><line>9999 not connected</line></msg></response>
    <response status="error"><msg><line>0004 not connected</line></msg></response>
    <response status="error"><msg><line>0004 not connected</line></msg></response>
    "#);
    assert_eq!(fleet.counters("lab").unwrap().requests, 0);
}

#[tokio::test(start_paused = true)]
async fn a_panorama_judges_the_key_itself() {
    let fleet = estate();
    let vie = Probe::login(&fleet, "vie").await;
    let before = fleet.counters("vie").unwrap().requests;
    let stranger = Probe {
        device: "pan-a".to_owned(),
        ..vie
    };
    let refused = stranger.relay("0001", INFO).await;
    assert!(refused.contains("Invalid Credential"), "{refused}");
    assert_eq!(fleet.counters("vie").unwrap().requests, before);
    // A login that names a firewall is one at the Panorama.
    let Exchange::Reply(reply) = fleet
        .exchange(
            "pan-a",
            form("type=keygen&user=admin&password=secret-word&target=0001"),
        )
        .await
    else {
        panic!("no reply")
    };
    assert!(text(reply.body()).contains("<key>"));
    assert_eq!(fleet.counters("vie").unwrap().logins, 1);
}

#[tokio::test(start_paused = true)]
async fn a_firewall_is_gone_until_its_services_are_back_and_reports_its_version_then() {
    let fleet = estate();
    let (pan, vie) = (
        Probe::login(&fleet, "pan-a").await,
        Probe::login(&fleet, "vie").await,
    );
    vie.install("10.2.0").await;
    let restarted = pan
        .relay("0001", "<request><restart><system/></restart></request>")
        .await;
    assert!(
        restarted.contains("Command succeeded with no output"),
        "{restarted}"
    );
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..300 {
        let phase = format!("{:?}", fleet.state("vie").unwrap().phase);
        let relayed = pan.relay("0001", INFO).await;
        let relayed = between(&relayed, "<sw-version>", "</sw-version>").to_owned()
            + between(&relayed, "<line>", "</line>");
        let line = format!(
            "{phase}: {} | {relayed}",
            listed(&pan, ALL).await.lines().next().unwrap()
        );
        if seen.last() != Some(&line) {
            seen.push(line);
        }
        wait(5).await;
    }
    insta::assert_snapshot!(seen.join("\n"), @r"
    Restarting: 0001 vie connected=yes unsupported=no 10.1.14-h9 | 10.1.14-h9
    ShuttingDown: 0001 vie connected=no unsupported=no 10.1.14-h9 | 0001 not connected
    Dark: 0001 vie connected=no unsupported=no 10.1.14-h9 | 0001 not connected
    Management: 0001 vie connected=no unsupported=no 10.1.14-h9 | 0001 not connected
    Login: 0001 vie connected=no unsupported=no 10.1.14-h9 | 0001 not connected
    Services: 0001 vie connected=no unsupported=no 10.1.14-h9 | 0001 not connected
    AutoCommit: 0001 vie connected=no unsupported=no 10.1.14-h9 | 0001 not connected
    Returning: 0001 vie connected=no unsupported=no 10.1.14-h9 | 0001 not connected
    Up: 0001 vie connected=no unsupported=no 10.1.14-h9 | 0001 not connected
    Up: 0001 vie connected=yes unsupported=no 10.2.0 | 10.2.0
    ");
    assert_eq!(fleet.counters("vie").unwrap().reboots_requested, 1);
}

#[tokio::test(start_paused = true)]
async fn calls_through_panoramas_count_among_the_five_of_a_firewall() {
    let fleet = estate();
    let panoramas = [
        Probe::login(&fleet, "pan-a").await,
        Probe::login(&fleet, "pan-b").await,
    ];
    let start = fleet.clock().now();
    let mut calls = tokio::task::JoinSet::new();
    for pan in panoramas.iter().cycle().take(10) {
        let pan = pan.clone();
        calls.spawn(async move { pan.relay("0001", INFO).await });
    }
    while let Some(reply) = calls.join_next().await {
        assert!(reply.unwrap().contains("<hostname>vie</hostname>"));
    }
    // 40 ms at the Panoramas, then two rounds of five at the firewall.
    let took = fleet.clock().now().duration_since(start).as_millis();
    assert!((120..160).contains(&took), "{took} ms");
}

#[tokio::test(start_paused = true)]
async fn a_firewall_tells_its_panoramas_in_the_layout_of_its_release() {
    let fleet = estate();
    let (vie, lnz, lab) = (
        Probe::login(&fleet, "vie").await,
        Probe::login(&fleet, "lnz-a").await,
        Probe::login(&fleet, "lab").await,
    );
    insta::assert_snapshot!(vie.body(STATUS).await, @r#"
    <response status="success"><result><![CDATA[Panorama Server 1 : 10.0.1.1
        Connected     : yes
        HA state      : Active

    Panorama Server 2 : 10.0.1.2
        Connected     : yes
        HA state      : Passive
    ]]></result></response>
    "#);
    insta::assert_snapshot!(lnz.body(STATUS).await, @r#"
    <response status="success"><result><![CDATA[Panorama Server 1 : 10.0.1.1
        Connected     : yes
        HA state      : Active

    Panorama Server 2 : 10.0.1.2
        Connected     : yes
        HA state      : Passive
    ]]></result></response>
    "#);
    insta::assert_snapshot!(lab.body(STATUS).await, @r#"
    <response status="success"><result><![CDATA[Panorama Server 1 : 10.0.1.3
        Connected     : no
        HA state      : disconnected
    ]]></result></response>
    "#);
    let dense = self::fleet(
        "devices:\n  - {name: fw, model: PA-VM, version: 11.1.0, content: 8900-9000}\npanoramas:\n  \
         - {name: one, version: 11.1.0, address: 10.0.1.1}\n  - {name: two, version: 11.1.0, address: 10.0.1.2}\n",
    );
    insta::assert_snapshot!(Probe::login(&dense, "fw").await.body(STATUS).await, @r#"
    <response status="success"><result><![CDATA[Panorama Server 1 : 10.0.1.1
        Connected     : yes
        HA state      : disconnected
    Panorama Server 2 : 10.0.1.2
        Connected     : yes
        HA state      : disconnected
    ]]></result></response>
    "#);
    let alone = self::fleet("devices:\n  - {name: fw, model: PA-VM, version: 11.1.0, content: 8900-9000}\n");
    let nothing = Probe::login(&alone, "fw").await.body(STATUS).await;
    assert_eq!(
        nothing,
        r#"<response status="success"><result></result></response>"#
    );
}

/// State and reason of both sides, and whether the configurations agree.
async fn ha(panorama: &Probe) -> String {
    let body = panorama.body(HA).await;
    assert!(!body.contains("<group>"), "{body}");
    let side = |name: &str| {
        let part = between(&body, &format!("<{name}>"), &format!("</{name}>"));
        let reason = between(part, "<state-reason>", "</state-reason>");
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(" ({reason})")
        };
        format!("{}{reason}", between(part, "<state>", "</state>"))
    };
    let sync = between(&body, "<running-sync>", "</running-sync>");
    format!("{}, peer {}, {sync}", side("local-info"), side("peer-info"))
}

#[tokio::test(start_paused = true)]
async fn a_pair_of_panoramas_is_upgraded_one_after_the_other() {
    let fleet = estate();
    let (one, other) = (
        Probe::login(&fleet, "pan-a").await,
        Probe::login(&fleet, "pan-b").await,
    );
    let mut story = vec![ha(&one).await, ha(&other).await];
    for version in ["11.0.0", "11.0.2"] {
        let job = job_id(&other.software("download", version).await);
        story.push(format!(
            "download {version}: {}",
            other.finish(job).await.lines().next().unwrap()
        ));
    }
    other.install("11.0.2").await;
    other.restart().await;
    wait(600).await;
    let unreached = one.relay("0001", INFO).await;
    assert!(unreached.contains("<hostname>vie</hostname>"), "{unreached}");
    wait(600).await;
    story.push(format!("upgraded: {}", other.version().await));
    story.push(ha(&other).await);
    story.push(ha(&one).await);
    one.ha("suspend").await;
    wait(30).await;
    story.push(format!("suspended: {}", ha(&one).await));
    insta::assert_snapshot!(story.join("\n"), @r"
    primary-active, peer secondary-passive, synchronized
    secondary-passive, peer primary-active, synchronized
    download 11.0.0: OK
    download 11.0.2: OK
    upgraded: 11.0.2
    secondary-non-functional (Peer version not compatible), peer primary-active, not synchronized
    primary-active, peer secondary-non-functional (Peer version not compatible), not synchronized
    suspended: primary-suspended (User requested), peer secondary-active, not synchronized
    ");
    let list = one
        .body("<request><system><software><info/></software></system></request>")
        .await;
    assert!(list.contains("<filename>Panorama_pc-10.2.4</filename>"), "{list}");
}

#[tokio::test(start_paused = true)]
async fn firewalls_lose_a_panorama_that_reboots_and_an_alone_one_has_no_ha() {
    let fleet = estate();
    let (lab, vie) = (
        Probe::login(&fleet, "pan-lab").await,
        Probe::login(&fleet, "lab-old").await,
    );
    assert_eq!(
        lab.body(HA).await,
        r#"<response status="success"><result><enabled>no</enabled></result></response>"#
    );
    lab.restart().await;
    wait(200).await;
    let status = vie.body(STATUS).await;
    assert!(status.contains("10.0.1.3\n    Connected     : no"), "{status}");
    wait(1500).await;
    assert!(
        vie.body(STATUS)
            .await
            .contains("10.0.1.3\n    Connected     : yes")
    );
}

#[tokio::test(start_paused = true)]
async fn neither_side_knows_the_others_commands() {
    let fleet = estate();
    let (pan, vie) = (
        Probe::login(&fleet, "pan-a").await,
        Probe::login(&fleet, "vie").await,
    );
    let mut refused = Vec::new();
    for command in [
        "<show><chassis-ready/></show>",
        "<show><routing><route/></routing></show>",
        STATUS,
    ] {
        refused.push(pan.body(command).await);
    }
    for command in [ALL, CONNECTED, GROUPS] {
        refused.push(vie.body(command).await);
    }
    let lines: Vec<&str> = refused
        .iter()
        .map(|body| between(body, "<line>", "</line>"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    show -&gt; chassis-ready is unexpected
    show -&gt; routing -&gt; route is unexpected
    show -&gt; panorama-status is unexpected
    show -&gt; devices -&gt; all is unexpected
    show -&gt; devices -&gt; connected is unexpected
    show -&gt; devicegroups is unexpected
    ");
}

#[test]
fn impossible_panoramas_are_refused_with_their_place() {
    let head = "seed: 7\nepoch: 2026-03-01T22:00:00Z\ncredentials: {user: a, password: b}\n";
    let cases = [
        ("name: pan-a,", "name: vie,"),
        ("model: M-200", "model: PA-850"),
        ("model: M-200", "model: M-1"),
        ("manages: [lab, lab-old]", "manages: [lab, pan-a]"),
        ("manages: [lab, lab-old]", "manages: some"),
        (
            "{name: pan-lab, model: M-200, version: 10.2.4,",
            "{name: pan-lab, model: M-200, version: 10.2.99,",
        ),
        ("manages: [lab, lab-old]", "manages: [lab, vie]"),
        ("members: [pan-a, pan-b]", "members: [pan-a, vie]"),
        ("name: vie, model: PA-VM", "name: vie, model: Panorama"),
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|(from, to)| {
            let text = format!("{head}{}", ESTATE.replace(from, to));
            assert_ne!(text, format!("{head}{ESTATE}"), "{from}");
            FleetSpec::parse("fleet.yaml", &text).unwrap_err().to_string()
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    build the fleet of fleet.yaml:11:5: the device name `vie` is empty or taken
    build the fleet of fleet.yaml:13:5: pan-lab: a PA-850 is no Panorama
    build the fleet of fleet.yaml:13:5: pan-lab: the model M-1 is not known
    build the fleet of fleet.yaml:13:5: pan-lab: it cannot manage pan-a, which is not a device of this fleet
    read the fleet file fleet.yaml:13:71: invalid value: string "some", expected `all`, a list of device names, or labels
    build the fleet of fleet.yaml:13:5: pan-lab: the update server does not list 10.2.99
    build the fleet of fleet.yaml:13:5: pan-lab: vie has 2 Panoramas already
    build the fleet of fleet.yaml:16:5: pair pan: a Panorama and a firewall make no pair
    build the fleet of fleet.yaml:5:5: vie: a Panorama belongs under `panoramas`
    "#);
    let spec = FleetSpec::parse("fleet.yaml", &format!("{head}{ESTATE}")).unwrap();
    let clock = spec.epoch;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    assert!(Fleet::new(spec, SimClock::new(clock, 1.0)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_firewall_whose_network_is_cut_is_away_from_its_panorama() {
    let fleet = fleet(
        "devices:\n  - {name: fw, model: PA-440, version: 10.2.4, content: 8700-7000, serial: '007'}\n\
         panoramas:\n  - {name: pan, version: 10.2.7}\n",
    );
    let panorama = Probe::login(&fleet, "pan").await;
    let connected = async || {
        panorama
            .read("<show><devices><all/></devices></show>", "connected")
            .await
    };
    assert_eq!(connected().await, "yes");
    for device in ["fw", "pan"] {
        fleet
            .control(ControlRequest::CutNetwork {
                whom: Whom::Device(device.into()),
                how: Cut::Silence,
                seconds: Some(60),
            })
            .unwrap();
        if device == "fw" {
            assert_eq!(connected().await, "no");
            let refused = panorama
                .relay("007", "<show><system><info/></system></show>")
                .await;
            assert!(refused.contains("007 not connected"), "{refused}");
        }
        wait(61).await;
        assert_eq!(connected().await, "yes", "healed");
    }
}
