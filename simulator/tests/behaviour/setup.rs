//! What a fleet file says of a device's setup shows in its replies; what it says wrongly is refused with its place.

use panos_simulator::FleetSpec;

use crate::probe::{Probe, between, fleet, one};

const HEAD: &str = "seed: 7\nepoch: 2026-03-01T22:00:00Z\ncredentials: {user: admin, password: x}\n";

#[test]
fn wrong_setups_are_refused_with_their_place() {
    let shown: Vec<String> = [
        "{bgp_peers: 100000}",
        "{bgp_peer: 1}",
        "{administrators: [{user: a, password: b, role: {custom: [reboot]}}]}",
        "{administrators: [{user: a, password: b}, {user: a, password: c}]}",
        "{administrators: [{user: a, password: b, role: king}]}",
        "{certificates: [{name: a}, {name: a}]}",
        "{certificates: [{name: a, key: rsa-512}]}",
        "{licences: [{feature: x, expires: tomorrow}]}",
        "{update_schedule: [{update: threats, every: weekly, at: '01:00'}]}",
        "{update_schedule: [{update: threats, every: weekly, at: '01:00', day: someday}]}",
        "{update_schedule: [{update: threats, every: daily}]}",
        "{update_schedule: [{update: threats, every: daily, at: '25:00'}]}",
        "{panorama: [10.0.0.1, 10.0.0.2, 10.0.0.3]}",
        "{memory_used_percent: 101}",
        "{virtual_routers: []}",
    ]
    .into_iter()
    .map(|setup| {
        let device = "{name: fw, model: PA-850, version: 9.1.16, content: 8700-7000, setup: ";
        let text = format!("{HEAD}devices:\n  - {device}{setup}}}\n");
        FleetSpec::parse("fleet.yaml", &text).unwrap_err().to_string()
    })
    .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    build the fleet of fleet.yaml:5:5: fw: bgp_peers: at most 5000
    read the fleet file fleet.yaml:5:76: unknown field `bgp_peer`, expected one of administrators, certificates, licences, support_expires, ntp_servers, plugins, virtual_routers, advanced_routing, bgp_peers, ospf_neighbours, static_routes, ipsec_tunnels, sessions, globalprotect_users, external_lists, update_schedule, log_exports, panorama, multi_vsys, fips, memory_mb, memory_used_percent, management_cpu_percent, dataplane_cpu_percent, jumbo_frame, custom_master_key, redistribution, alarms, core_files, dim_optics, flapping_ports, system_log
    build the fleet of fleet.yaml:5:5: fw: the role of a: `reboot` is no operation
    build the fleet of fleet.yaml:5:5: fw: the administrator `a` has no name, or one that is taken
    read the fleet file fleet.yaml:5:122: unknown variant `king`, expected one of superuser, superreader, custom
    build the fleet of fleet.yaml:5:5: fw: the certificate `a` has no name, or one that is taken
    read the fleet file fleet.yaml:5:106: unknown variant `rsa-512`, expected one of rsa-1024, rsa-2048, rsa-4096, ecdsa-256, ecdsa-384
    read the fleet file fleet.yaml:5:109: failed to parse four digit integer as year: invalid digit, expected 0-9 but got t
    build the fleet of fleet.yaml:5:5: fw: update_schedule threats: weekly needs a day
    build the fleet of fleet.yaml:5:5: fw: update_schedule threats: `someday` is no day of the week
    build the fleet of fleet.yaml:5:5: fw: update_schedule threats: `at` is missing
    read the fleet file fleet.yaml:5:130: `25:00` is not a time of day (03:05)
    build the fleet of fleet.yaml:5:5: fw: panorama: at most two servers
    build the fleet of fleet.yaml:5:5: fw: memory_used_percent: at most 100
    build the fleet of fleet.yaml:5:5: fw: virtual_routers: at least one
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_setup_shows_in_the_replies() {
    let fleet = one(
        "    setup:
      licences: [{feature: Threat Prevention, expires: 2026-02-28}, {feature: WildFire License, expires: 2026-03-01}, {feature: PA-VM}]
      support_expires: 2025-12-31
      ntp_servers: []
      virtual_routers: [edge, guest]
      bgp_peers: 0
      ospf_neighbours: 0
      ipsec_tunnels: 0
      sessions: 0
      globalprotect_users: 0
      external_lists: []
      update_schedule: [{update: threats, every: daily, at: '01:02'}, {update: wildfire, every: real-time}]
      panorama: [10.9.9.9]
      multi_vsys: true
      fips: true
      jumbo_frame: true
      custom_master_key: true
      redistribution: true
      memory_mb: 4000
      memory_used_percent: 95
      management_cpu_percent: 91
      dataplane_cpu_percent: 85
",
    );
    let probe = Probe::login(&fleet, "fw").await;
    let licences = probe.body("<request><license><info/></license></request>").await;
    let expired: Vec<&str> = licences
        .split("<expired>")
        .skip(1)
        .map(|rest| &rest[..2])
        .collect();
    assert_eq!(
        expired,
        ["ye", "ye", "no", "no"],
        "support, yesterday, today, never: {licences}"
    );
    assert!(licences.contains("<expires>Never</expires>"));
    for (command, part) in [
        (
            "<request><support><check/></support></request>",
            "<ExpiryDate>December 31, 2025</ExpiryDate>",
        ),
        ("<show><ntp/></show>", "<result><synched>LOCAL</synched></result>"),
        (
            "<show><routing><route/></routing></show>",
            "<virtual-router>guest</virtual-router>",
        ),
        (
            "<show><routing><protocol><bgp><peer/></bgp></protocol></routing></show>",
            "<result></result>",
        ),
        (
            "<show><running><tunnel><flow><all/></flow></tunnel></running></show>",
            "<IPSec/>",
        ),
        ("<show><session><all/></session></show>", "<result></result>"),
        (
            "<show><global-protect-gateway><current-user/></global-protect-gateway></show>",
            "<result></result>",
        ),
        (
            "<show><system><info/></system></show>",
            "<multi-vsys>on</multi-vsys>",
        ),
        (
            "<show><system><info/></system></show>",
            "<operational-mode>FIPS-CC</operational-mode>",
        ),
        (
            "<show><system><setting><jumbo-frame/></setting></system></show>",
            "<result>on</result>",
        ),
        (
            "<show><system><masterkey-properties/></system></show>",
            "<expire-at>2026/12/",
        ),
        (
            "<show><user><user-id-service><status/></user-id-service></user></show>",
            "User id service:   up",
        ),
        (
            "<show><redistribution><service><agent><all/></agent></service></redistribution></show>",
            "<status>connected</status>",
        ),
        ("<show><system><resources/></system></show>", "  4000.0 total"),
        ("<show><system><resources/></system></show>", "  3800.0 used"),
        (
            "<show><system><state><filter>sys.monitor.*.mp.exports</filter></state></system></show>",
            "'1minavg': 91",
        ),
        (
            "<show><running><resource-monitor><minute><last>2</last></minute></resource-monitor></running></show>",
            "<value>85,85</value>",
        ),
    ] {
        let body = probe.body(command).await;
        assert!(body.contains(part), "{command}: no {part} in {body}");
    }
    let schedule = probe
        .sent(&[
            ("type", "config"),
            ("action", "get"),
            (
                "xpath",
                "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/system/update-schedule",
            ),
        ])
        .await;
    assert!(
        schedule.contains("<threats><recurring><daily><at>01:02</at>")
            && schedule.contains("<wildfire><recurring><real-time>"),
        "{schedule}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_advanced_engine_answers_in_json_and_the_other_one_falls_silent() {
    let fleet = fleet(
        "devices:\n  - name: fw\n    model: PA-850\n    version: 10.2.7\n    content: 8700-7000\n    \
         setup: {advanced_routing: true, bgp_peers: 1, ospf_neighbours: 1}\n",
    );
    let probe = Probe::login(&fleet, "fw").await;
    let legacy = probe.body("<show><routing><route/></routing></show>").await;
    assert!(!legacy.contains("<entry>"), "{legacy}");
    let info = probe.body("<show><system><info/></system></show>").await;
    assert!(info.contains("<advanced-routing>on</advanced-routing>"), "{info}");
    let json = async |command: &str| -> serde_json::Value {
        let body = probe.body(command).await;
        serde_json::from_str(between(&body, "<json>", "</json>")).unwrap()
    };
    let routes = json("<show><advanced-routing><route/></advanced-routing></show>").await;
    let default = &routes["default"]["0.0.0.0/0"][0];
    assert_eq!(default["installed"], true);
    assert_eq!(default["nexthops"][0]["interfaceName"], "ethernet1/1");
    assert!(default["nexthops"][0]["ip"].is_string());
    let peers =
        json("<show><advanced-routing><bgp><peer><status/></peer></bgp></advanced-routing></show>").await;
    assert_eq!(peers["peer-berlin"]["state"], "Established");
    let neighbours = json("<show><advanced-routing><ospf><neighbor/></ospf></advanced-routing></show>").await;
    assert!(neighbours["default"]["neighbors"].is_object());
    let fib = probe
        .body("<show><advanced-routing><fib/></advanced-routing></show>")
        .await;
    assert!(fib.contains("<type>IPv6</type>") && fib.contains("<dst>0.0.0.0/0</dst>"));
    assert!(
        probe
            .body("<show><routing><fib/></routing></show>")
            .await
            .contains("<fibs/>")
    );
}

#[tokio::test(start_paused = true)]
async fn texts_are_laid_out_as_the_release_lays_them_out() {
    let mut devices = String::from("devices:\n");
    for (name, version) in [
        ("a", "9.0.0"),
        ("b", "9.1.16"),
        ("c", "10.2.7"),
        ("d", "10.2.13"),
        ("e", "11.1.0"),
    ] {
        devices.push_str(&format!(
            "  - {{name: {name}, model: PA-850, version: {version}, content: 9000-7000, setup: {{memory_mb: 8000, memory_used_percent: 50, panorama: [10.0.0.1, 10.0.0.2]}}}}\n"
        ));
    }
    devices.push_str("releases: [{version: 9.0.0, size: 500}, {version: 9.1.16, size: 400}, {version: 10.2.7, size: 400}, {version: 10.2.13, size: 400}, {version: 11.1.0, size: 400}]\n");
    let fleet = fleet(&devices);
    let mut log = Vec::new();
    for device in ["a", "b", "c", "d", "e"] {
        let probe = Probe::login(&fleet, device).await;
        let memory = probe.body("<show><system><resources/></system></show>").await;
        let memory = memory
            .lines()
            .find(|line| line.contains("Mem"))
            .unwrap_or_default()
            .to_owned();
        let panorama = probe.read("<show><panorama-status/></show>", "result").await;
        let gap = if panorama.contains("\n\n") {
            "blocks apart"
        } else {
            "blocks together"
        };
        log.push(format!("{} {memory} | {gap}", probe.version().await));
    }
    insta::assert_snapshot!(log.join("\n"), @r#"
    9.0.0 KiB Mem :   8192000 total,   1024000 free,   4096000 used,   3072000 buff/cache | blocks apart
    9.1.16 MiB Mem :   8000.0 total,   1000.0 free,   4000.0 used,   3000.0 buff/cache | blocks apart
    10.2.7 MiB Mem :   8000.0 total,   1000.0 free,   4000.0 used,   3000.0 buff/cache | blocks apart
    10.2.13 MiB Mem :   8000.0 total,   1000.0 free,   4000.0 used,   3000.0 buff/cache | blocks together
    11.1.0 MiB Mem :   8000.0 total,   1000.0 free,   4000.0 used,   3000.0 buff/cache | blocks together
    "#);
}

#[tokio::test(start_paused = true)]
async fn without_support_the_update_server_gives_nothing() {
    for (extra, ends) in [
        ("    setup: {support_expires: 2025-06-30}\n", "June 30, 2025"),
        ("faults: [support-expired]\n", "December 31, 2025"),
    ] {
        let fleet = one(extra);
        let probe = Probe::login(&fleet, "fw").await;
        let support = probe.body("<request><support><check/></support></request>").await;
        assert!(
            support.contains(&format!("<ExpiryDate>{ends}</ExpiryDate>")),
            "{support}"
        );
        let licences = probe.body("<request><license><info/></license></request>").await;
        assert!(licences.contains(ends), "{licences}");
        let list = probe
            .body("<request><system><software><check/></software></system></request>")
            .await;
        assert!(!list.contains("<version>10.2.4</version>"), "{list}");
    }
}

#[tokio::test(start_paused = true)]
async fn light_logs_agents_and_bundles_are_as_the_device_is() {
    const TRANSCEIVERS: &str = "<show><transceiver><all/></transceiver></show>";
    const LOGS: &str = "<show><logging-status/></show>";
    const AGENTS: &str = "<show><user><user-id-agent><statistics/></user-id-agent></user></show>";
    const BUNDLES: &str = "<show><lacp><aggregate-ethernet>all</aggregate-ethernet></lacp></show>";
    let optic = |port| format!("{{port: {port}, vendor: OEM, part: PAN-SFP-LX}}");
    let fleet = one(&format!(
        "    optics: [{}, {}]\n    setup: {{panorama: [10.9.9.9], redistribution: true, dim_optics: [5]}}\n",
        optic(5),
        optic(6)
    ));
    let probe = Probe::login(&fleet, "fw").await;
    let light = probe.body(TRANSCEIVERS).await;
    let received: Vec<&str> = light
        .split("<rx-power>")
        .skip(1)
        .map(|rest| &rest[..rest.find('<').unwrap()])
        .collect();
    assert_eq!(received.len(), 2, "{light}");
    assert_eq!(received[0], "0.00 mW");
    assert_ne!(received[1], "0.00 mW");
    assert!(
        probe
            .body(LOGS)
            .await
            .contains("is active and connected to 10.9.9.9")
    );
    assert!(probe.body(AGENTS).await.contains("<connected>yes</connected>"));
    let bundled = probe.body(BUNDLES).await;
    assert!(!bundled.contains("<bndl>no</bndl>"), "{bundled}");

    probe.restart().await;
    probe.back().await;
    let said = probe.body(LOGS).await;
    assert!(said.contains("active but not connected"), "{said}");
}
