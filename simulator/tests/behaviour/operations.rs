//! Every request that a firewall answers, with the least that the reply has to hold for published clients.

use std::collections::BTreeSet;

use panos_simulator::{ControlError, ControlRequest, Exchange, Fleet, Lasts, NetworkFault};

use crate::probe::{Probe, fleet, text};

const FLEET: &str = "\
devices:
  - name: fw
    model: PA-5220
    version: 10.2.7
    content: 8700-7000
    images: [10.2.4, 11.0.0]
    optics: [{port: 6, vendor: FINISAR CORP., part: FTLX1475D3BCL, serial: UXXXXXX}]
    setup:
      bgp_peers: 2
      ospf_neighbours: 1
      ipsec_tunnels: 2
      globalprotect_users: 3
      sessions: 500
      panorama: [10.0.0.5, 10.0.0.6]
      external_lists: [{name: block, records: 12}]
      plugins: [{name: dlp, version: 3.0.2}]
      core_files: [l3svc_10.2.7_0.core]
      alarms: ['Fan #2 RPM']
";

/// Name of the operation, command, and what the reply holds. Wanted parts are split at blanks.
const COMMANDS: &[(&str, &str, &str)] = &[
    (
        "system-info",
        "<show><system><info/></system></show>",
        "<hostname>fw</hostname> <multi-vsys>off</multi-vsys> <uptime> <ip-address> <serial>",
    ),
    (
        "disk-space",
        "<show><system><disk-space/></system></show>",
        "/opt/panrepo /opt/pancfg",
    ),
    (
        "system-state",
        "<show><system><state><filter>sys.monitor.*.mp.exports</filter></state></system></show>",
        "sys.monitor.s0.mp.exports: 'cpu': '1minavg':",
    ),
    (
        "system-resources",
        "<show><system><resources/></system></show>",
        "MiB total, free, used, buff/cache",
    ),
    (
        "system-services",
        "<show><system><software><status/></software></system></show>",
        "Process mgmtsrvr running (pid:",
    ),
    (
        "system-files",
        "<show><system><files/></system></show>",
        "/var/cores/: l3svc_10.2.7_0.core",
    ),
    (
        "raid",
        "<show><system><raid><detail/></raid></system></show>",
        "clean active",
    ),
    (
        "master-key",
        "<show><system><masterkey-properties/></system></show>",
        "<expire-at>0</expire-at> <on-hsm>no</on-hsm>",
    ),
    (
        "environmentals",
        "<show><system><environmentals/></system></show>",
        "<thermal><Slot1><entry> <fantray> <fan> <power> <power-supply> <alarm>False</alarm> <alarm>True</alarm>",
    ),
    (
        "jumbo-frame",
        "<show><system><setting><jumbo-frame/></setting></system></show>",
        "<result>off</result>",
    ),
    ("chassis-ready", "<show><chassis-ready/></show>", "yes"),
    ("clock", "<show><clock/></show>", "Sun Mar 22:00: UTC 2026"),
    (
        "clock-more",
        "<show><clock><more/></clock></show>",
        "<member>dataplane time:",
    ),
    (
        "ntp",
        "<show><ntp/></show>",
        "<synched>ntp1.example.net</synched> <ntp-server-1> <status>synched</status> <ntp-server-2>",
    ),
    (
        "admins",
        "<show><admins><all/></admins></show>",
        "<admin>admin</admin> <role>superuser</role>",
    ),
    (
        "plugins",
        "<show><plugins><packages/></plugins></show>",
        "<plugins><entry> <name>dlp</name> <installed>yes</installed>",
    ),
    (
        "license",
        "<request><license><info/></license></request>",
        "<licenses><entry> <feature> <description> <serial> <issued> <expires> <expired>no</expired> <authcode>",
    ),
    (
        "license-fetch",
        "<request><license><fetch/></license></request>",
        "<licenses><entry>",
    ),
    (
        "support",
        "<request><support><check/></support></request>",
        "<SupportInfoResponse> <ExpiryDate>December 31, 2099</ExpiryDate> <SupportLevel>",
    ),
    (
        "resource-monitor",
        "<show><running><resource-monitor><minute><last>5</last></minute></resource-monitor></running></show>",
        "<resource-monitor><data-processors><dp0><minute><cpu-load-average><entry> <coreid>0</coreid>",
    ),
    (
        "panorama-status",
        "<show><panorama-status/></show>",
        "Server 1 10.0.0.5 Connected yes",
    ),
    (
        "jobs",
        "<show><jobs><all/></jobs></show>",
        "<job> <type>AutoCom</type> <status>FIN</status>",
    ),
    ("jobs-pending", "<show><jobs><pending/></jobs></show>", "<status>"),
    (
        "jobs-processed",
        "<show><jobs><processed/></jobs></show>",
        "<type>AutoCom</type>",
    ),
    (
        "job",
        "<show><jobs><id>1</id></jobs></show>",
        "<id>1</id> <user> <tenq> <tfin> <status>FIN</status> <result>OK</result> <details><line>",
    ),
    (
        "software-check",
        "<request><system><software><check/></software></system></request>",
        "<sw-updates <versions><entry> <current>yes</current> <size> <downloaded>no</downloaded>",
    ),
    (
        "software-info",
        "<request><system><software><info/></software></system></request>",
        "<uploaded>no</uploaded>",
    ),
    (
        "software-manager",
        "<debug><swm><status/></swm></debug>",
        "sysroot0 RUNNING-ACTIVE maint",
    ),
    (
        "software-manager-list",
        "<debug><swm><list/></swm></debug>",
        "PanOS_5200-10.2.7 (base)",
    ),
    (
        "software-manager-history",
        "<debug><swm><history/></swm></debug>",
        "running 10.2.7 since",
    ),
    (
        "software-manager-info",
        "<debug><swm><info/></swm></debug>",
        "pending version None idle",
    ),
    (
        "content-check",
        "<request><content><upgrade><check/></upgrade></content></request>",
        "<content-updates><entry> <version>8700-7000</version> <current>yes</current> <current>no</current> <downloaded>",
    ),
    (
        "content-info",
        "<request><content><upgrade><info/></upgrade></content></request>",
        "<content-updates><entry>",
    ),
    (
        "ha-state",
        "<show><high-availability><state/></high-availability></show>",
        "<enabled>no</enabled>",
    ),
    (
        "ha-all",
        "<show><high-availability><all/></high-availability></show>",
        "<enabled>no</enabled>",
    ),
    (
        "running-configuration",
        "<show><config><running/></config></show>",
        "<result><config <shared><certificate><entry <public-key>-----BEGIN",
    ),
    (
        "candidate-configuration",
        "<show><config><candidate/></config></show>",
        "<result><config <shared>",
    ),
    (
        "pending-changes",
        "<check><pending-changes/></check>",
        "<result>no</result>",
    ),
    (
        "full-commit-required",
        "<check><full-commit-required/></check>",
        "<result>no</result>",
    ),
    (
        "config-locks",
        "<show><config-locks><vsys>all</vsys></config-locks></show>",
        "<config-locks/>",
    ),
    (
        "commit-locks",
        "<show><commit-locks><vsys>all</vsys></commit-locks></show>",
        "<commit-locks/>",
    ),
    (
        "session-info",
        "<show><session><info/></session></show>",
        "<num-active> <num-tcp> <tmo-udp>30</tmo-udp>",
    ),
    (
        "sessions",
        "<show><session><all/></session></show>",
        "<entry> <source> <xdst> <dport>",
    ),
    (
        "arp",
        "<show><arp><entry name = 'all'/></arp></show>",
        "<entries><entry> <status> <ip> <mac> <ttl> <interface> <port>",
    ),
    (
        "tunnel-flow",
        "<show><running><tunnel><flow><all/></flow></tunnel></running></show>",
        "<IPSec><entry> <name>to-berlin</name> <state>active</state> <peerip> <localip> <outer-if> <inner-if> <gwid> <mon> <owner> <id>",
    ),
    (
        "vpn-flow",
        "<show><vpn><flow/></vpn></show>",
        "<IPSec><entry> <state>active</state>",
    ),
    (
        "interfaces",
        "<show><interface>hardware</interface></show>",
        "<hw><entry> <name>ethernet1/24</name> <state>up</state> <state>down</state>",
    ),
    (
        "interface-counters",
        "<show><counter><interface>all</interface></counter></show>",
        "<ibytes> <ierrors>0</ierrors>",
    ),
    (
        "transceiver",
        "<show><transceiver><all/></transceiver></show>",
        "name=\"ethernet1/6\" <temperature> <rx-power> <present>no</present>",
    ),
    (
        "transceiver-detail",
        "<show><transceiver-detail>all</transceiver-detail></show>",
        "<vendor-part-number>FTLX1475D3BCL</vendor-part-number>",
    ),
    (
        "lacp",
        "<show><lacp><aggregate-ethernet>all</aggregate-ethernet></lacp></show>",
        "name=\"ae1\" <mode>Active</mode> <bndl>yes</bndl> <sel-state>Selected</sel-state>",
    ),
    (
        "routes",
        "<show><routing><route/></routing></show>",
        "<flags> <virtual-router>default</virtual-router> <destination>0.0.0.0/0</destination> <nexthop> <metric> <age> <interface> <route-table>",
    ),
    (
        "fib",
        "<show><routing><fib/></routing></show>",
        "<fibs><entry> <type>IPv4</type> <type>IPv6</type> <dst>0.0.0.0/0</dst> <nh_type> <mtu>",
    ),
    (
        "bgp-peers",
        "<show><routing><protocol><bgp><peer/></bgp></protocol></routing></show>",
        "<entry peer=\"peer-berlin\" vr=\"default\"> <peer-group> <status>Established</status>",
    ),
    (
        "ospf-neighbours",
        "<show><routing><protocol><ospf><neighbor/></ospf></protocol></routing></show>",
        "<status>full</status>",
    ),
    (
        "advanced-routes",
        "<show><advanced-routing><route/></advanced-routing></show>",
        "<json>{}</json>",
    ),
    (
        "advanced-fib",
        "<show><advanced-routing><fib/></advanced-routing></show>",
        "<fibs/>",
    ),
    (
        "advanced-bgp-peers",
        "<show><advanced-routing><bgp><peer><status/></peer></bgp></advanced-routing></show>",
        "<json>{}</json>",
    ),
    (
        "advanced-ospf-neighbours",
        "<show><advanced-routing><ospf><neighbor/></ospf></advanced-routing></show>",
        "<json>{}</json>",
    ),
    (
        "globalprotect-users",
        "<show><global-protect-gateway><current-user/></global-protect-gateway></show>",
        "<username> <virtual-ip> <login-time-utc>",
    ),
    (
        "external-list",
        "<request><system><external-list><show><type><ip><name>block</name><num-records>1</num-records></ip></type></show></external-list></system></request>",
        "<total-valid>12</total-valid> <member>",
    ),
    (
        "external-list-capacities",
        "<request><system><external-list><list-capacities/></external-list></system></request>",
        "<running-cap>12</running-cap>",
    ),
    (
        "external-list-refresh",
        "<request><system><external-list><refresh><type><ip><name>block</name></ip></type></refresh></external-list></system></request>",
        "code=\"19\" <job>",
    ),
    (
        "redistribution-clients",
        "<show><redistribution><service><client><all/></client></service></redistribution></show>",
        "<entry/>",
    ),
    (
        "redistribution-agents",
        "<show><redistribution><service><agent><all/></agent></service></redistribution></show>",
        "<entry/>",
    ),
    (
        "user-id-service",
        "<show><user><user-id-service><status/></user-id-service></user></show>",
        "User id service: down",
    ),
    (
        "user-id-agents",
        "<show><user><user-id-agent><statistics/></user-id-agent></user></show>",
        "<result>",
    ),
    (
        "logging-status",
        "<show><logging-status/></show>",
        ">Log Collector",
    ),
    (
        "delete-image",
        "<delete><software><version>11.0.0</version></software></delete>",
        "11.0.0",
    ),
    (
        "download",
        "<request><system><software><download><sync-to-peer>no</sync-to-peer><version>10.2.5</version></download></software></system></request>",
        "code=\"19\" enqueued with jobid <job>",
    ),
    (
        "install",
        "<request><system><software><install><load-config>a.xml</load-config><version>10.2.4</version></install></software></system></request>",
        "code=\"19\" <job>",
    ),
    (
        "content-download",
        "<request><content><upgrade><download><latest/></download></upgrade></content></request>",
        "code=\"19\" <job>",
    ),
    (
        "content-install",
        "<request><content><upgrade><install><commit>yes</commit><sync-to-peer>yes</sync-to-peer><version>8700-7000</version></install></upgrade></content></request>",
        "code=\"19\" <job>",
    ),
    (
        "content-downgrade",
        "<request><content><downgrade><install>previous</install></downgrade></content></request>",
        "code=\"14\" previous",
    ),
    (
        "suspend",
        "<request><high-availability><state><suspend/></state></high-availability></request>",
        "code=\"14\"",
    ),
    (
        "functional",
        "<request><high-availability><state><functional/></state></high-availability></request>",
        "code=\"14\"",
    ),
    (
        "ha-sync",
        "<request><high-availability><sync-to-remote><running-config/></sync-to-remote></high-availability></request>",
        "code=\"14\"",
    ),
    (
        "software-manager-revert",
        "<debug><swm><revert/></swm></debug>",
        "code=\"14\"",
    ),
    (
        "save-configuration",
        "<save><config><to>a.xml</to></config></save>",
        "saved a.xml",
    ),
    (
        "saved-configuration",
        "<show><config><saved>a.xml</saved></config></show>",
        "<result><config",
    ),
    (
        "load-configuration",
        "<load><config><from>a.xml</from></config></load>",
        "loaded a.xml",
    ),
    ("revert-configuration", "<revert><config/></revert>", "success"),
    (
        "config-lock-add",
        "<request><config-lock><add><comment>x</comment></add></config-lock></request>",
        "Successfully acquired lock",
    ),
    (
        "config-lock-remove",
        "<request><config-lock><remove/></config-lock></request>",
        "success",
    ),
    (
        "commit-lock-add",
        "<request><commit-lock><add/></commit-lock></request>",
        "Successfully acquired lock",
    ),
    (
        "commit-lock-remove",
        "<request><commit-lock><remove/></commit-lock></request>",
        "success",
    ),
    (
        "certificate-generate",
        "<request><certificate><generate><certificate-name>new</certificate-name><name>new.example.net</name><algorithm><RSA><rsa-nbits>2048</rsa-nbits></RSA></algorithm></generate></certificate></request>",
        "Successfully generated new",
    ),
    (
        "certificate-renew",
        "<request><certificate><renew><certificate-name>portal</certificate-name><days-till-expiry>90</days-till-expiry></renew></certificate></request>",
        "Successfully portal",
    ),
    (
        "restart",
        "<request><restart><system/></restart></request>",
        "Command succeeded with no output",
    ),
];

/// A request of another type than `op`: name of the operation, parameters, and what the reply holds.
type Request = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const REQUESTS: &[Request] = &[
    (
        "version",
        &[("type", "version")],
        "<sw-version>10.2.7</sw-version> <model>PA-5220</model>",
    ),
    (
        "config-get",
        &[
            ("type", "config"),
            ("action", "get"),
            (
                "xpath",
                "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/system",
            ),
        ],
        "<hostname>fw</hostname> <ip-address>",
    ),
    (
        "config-show",
        &[
            ("type", "config"),
            ("action", "show"),
            ("xpath", "/config/shared"),
        ],
        "<shared>",
    ),
    (
        "config-set",
        &[
            ("type", "config"),
            ("action", "set"),
            ("xpath", "/config/shared/tag"),
            ("element", "<entry name='x'/>"),
        ],
        "command succeeded",
    ),
    (
        "config-edit",
        &[
            ("type", "config"),
            ("action", "edit"),
            ("xpath", "/config/shared/tag"),
            ("element", "<tag><entry name='y'/></tag>"),
        ],
        "command succeeded",
    ),
    (
        "config-rename",
        &[
            ("type", "config"),
            ("action", "rename"),
            ("xpath", "/config/shared/tag/entry[@name='y']"),
            ("newname", "z"),
        ],
        "command succeeded",
    ),
    (
        "config-delete",
        &[
            ("type", "config"),
            ("action", "delete"),
            ("xpath", "/config/shared/tag"),
        ],
        "command succeeded",
    ),
    (
        "commit",
        &[("type", "commit"), ("cmd", "<commit/>")],
        "There are no changes to commit.",
    ),
    (
        "log-query",
        &[
            ("type", "log"),
            ("log-type", "system"),
            ("query", "(eventid eq link-change)"),
        ],
        "code=\"19\" enqueued with jobid <job>1</job>",
    ),
    (
        "log-get",
        &[("type", "log"), ("action", "get"), ("job-id", "1")],
        "<tenq> <status>ACT</status> <id>1</id>",
    ),
    (
        "export-configuration",
        &[("type", "export"), ("category", "configuration")],
        "<config version=",
    ),
    (
        "export-certificate",
        &[
            ("type", "export"),
            ("category", "certificate"),
            ("certificate-name", "portal"),
        ],
        "-----BEGIN CERTIFICATE-----",
    ),
    (
        "export-tech-support",
        &[("type", "export"), ("category", "tech-support")],
        "code=\"19\" <job>",
    ),
    (
        "import-software",
        &[("type", "import"), ("category", "software")],
        "code=\"400\"",
    ),
    (
        "import-configuration",
        &[("type", "import"), ("category", "configuration")],
        "code=\"400\"",
    ),
];

/// Every name in the table of operations, as the simulator itself tells them.
pub(crate) fn names(fleet: &Fleet) -> BTreeSet<String> {
    let request = ControlRequest::Inject {
        device: "fw".into(),
        fault: NetworkFault::Hang,
        lasts: Lasts::Requests(1),
        operation: Some("no such operation".into()),
        changing_only: false,
    };
    match fleet.control(request) {
        Err(ControlError::UnknownOperation { known, .. }) => known.split(", ").map(str::to_owned).collect(),
        other => panic!("{other:?}"),
    }
}

fn holds(name: &str, body: &str, parts: &str) {
    assert!(body.starts_with('<') || body.starts_with('-'), "{name}: {body}");
    for part in parts.split(' ') {
        assert!(body.contains(part), "{name}: no {part} in {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_is_answered_as_clients_need_it() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    let mut asked: BTreeSet<String> = ["keygen", "export-device-state"].map(str::to_owned).into();
    // Only a Panorama knows these: `panorama.rs` asks one.
    asked.extend(
        [
            "connected-devices",
            "managed-devices",
            "device-groups",
            "device-group-tree",
        ]
        .map(str::to_owned),
    );
    for (name, parameters, parts) in REQUESTS {
        holds(name, &probe.sent(parameters).await, parts);
        asked.insert((*name).to_owned());
    }
    for (name, command, parts) in COMMANDS {
        holds(name, &probe.body(command).await, parts);
        asked.insert((*name).to_owned());
    }
    assert_eq!(
        asked,
        names(&fleet),
        "an operation is not in this list, or not in the table"
    );
}

#[test]
fn the_page_lists_every_operation() {
    let page = include_str!("../../../docs/simulator.md");
    let (_, section) = page.split_once("## Requests\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let listed: BTreeSet<String> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    let known = crate::probe::on_virtual_time(async { names(&fleet(FLEET)) });
    assert_eq!(
        listed, known,
        "the table in docs/simulator.md and the table of operations differ"
    );
}

#[tokio::test(start_paused = true)]
async fn session_numbers_are_forty_seven_and_none_is_empty() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    let body = probe.body("<show><session><info/></session></show>").await;
    let inside = crate::probe::between(&body, "<result>", "</result>");
    let numbers = inside
        .split("</")
        .filter_map(|part| part.rsplit_once('>'))
        .map(|(_, value)| value);
    let numbers: Vec<&str> = numbers.filter(|value| !value.is_empty()).collect();
    assert_eq!(numbers.len(), 47);
    assert!(numbers.iter().all(|number| number.parse::<u64>().is_ok()));
}

#[tokio::test(start_paused = true)]
async fn commands_belong_to_releases_and_models() {
    let fleet = fleet(
        "devices:\n  - {name: old, model: PA-850, version: 9.1.16, content: 8700-7000}\n  \
         - {name: small, model: PA-440, version: 10.2.7, content: 8700-7000}\n  \
         - {name: vm, model: PA-VM, version: 10.2.7, content: 8700-7000}\n  \
         - {name: chassis, model: PA-7080, version: 10.2.7, content: 8700-7000}\n",
    );
    let mut log = Vec::new();
    for (device, command) in [
        (
            "old",
            "<show><redistribution><service><client><all/></client></service></redistribution></show>",
        ),
        (
            "old",
            "<show><advanced-routing><route/></advanced-routing></show>",
        ),
        ("old", "<show><transceiver><all/></transceiver></show>"),
        ("small", "<show><transceiver><all/></transceiver></show>"),
        ("small", "<show><system><raid><detail/></raid></system></show>"),
        ("vm", "<show><system><environmentals/></system></show>"),
        ("chassis", "<show><chassis-ready/></show>"),
        ("vm", "<request><system><private-data-reset/></system></request>"),
    ] {
        let body = Probe::login(&fleet, device).await.body(command).await;
        log.push(format!(
            "{device}: {}",
            body.chars().take(140).collect::<String>()
        ));
    }
    insta::assert_snapshot!(log.join("\n"), @r#"
    old: <response status="error" code="17"><msg><line>show -&gt; redistribution  is unexpected</line></msg></response>
    old: <response status="error" code="17"><msg><line>show -&gt; advanced-routing  is unexpected</line></msg></response>
    old: <response status="error" code="17"><msg><line>show -&gt; transceiver  is unexpected</line></msg></response>
    small: <response status="error" code="17"><msg><line>show -&gt; transceiver  is unexpected</line></msg></response>
    small: <response status="error" code="17"><msg><line>show -&gt; system -&gt; raid  is unexpected</line></msg></response>
    vm: <response status="success"><result></result></response>
    chassis: <response status="error" code="17"><msg><line>show -&gt; chassis-ready is unexpected</line></msg></response>
    vm: <response status="error" code="17"><msg><line>request -&gt; system -&gt; private-data-reset is unexpected</line></msg></response>
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_request_comes_by_get_or_post_and_the_key_in_three_ways() {
    let fleet = fleet(FLEET);
    let probe = Probe::login(&fleet, "fw").await;
    let key = crate::probe::between(
        &probe
            .sent(&[("type", "keygen"), ("user", "admin"), ("password", "secret-word")])
            .await,
        "<key>",
        "</key>",
    )
    .to_owned();
    let cmd = "cmd=%3Cshow%3E%3Cclock%3E%3C/clock%3E%3C/show%3E";
    let requests = [
        http::Request::get(format!("/api/?type=op&{cmd}&key={key}")).body(bytes::Bytes::new()),
        http::Request::get(format!("/api?type=op&{cmd}"))
            .header("X-PAN-KEY", &key)
            .body(bytes::Bytes::new()),
        http::Request::post(format!("/api/?key={key}"))
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(format!("type=op&{cmd}").into()),
        http::Request::post("/api/").body(format!("type=op&{cmd}&key={key}").into()),
    ];
    for request in requests {
        let Exchange::Reply(reply) = fleet.exchange("fw", request.unwrap()).await else {
            panic!("no reply")
        };
        assert!(text(reply.body()).contains("UTC 2026"), "{reply:?}");
        assert_eq!(reply.headers()["content-type"], "application/xml; charset=UTF-8");
    }
}
