//! `hopgate audit diff`: a simulated estate is audited, something happens to some of it, and it is audited again.

use hopgate_tests::process::Simulator;
use serde_json::{Value, json};

use super::desk::Desk;

/// Four firewalls; all that they have neighbours for is back after a boot.
const ESTATE: &str = "\
seed: 5
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: quiet, model: PA-850, version: 10.2.7, content: 8900-9000, setup: {bgp_peers: 2, ipsec_tunnels: 3}}
  - {name: broken, model: PA-850, version: 10.2.7, content: 8900-9000, setup: {bgp_peers: 2, ipsec_tunnels: 3}}
  - name: pulled
    model: PA-3220
    version: 10.2.7
    content: 8900-9000
    optics: [{port: 13, vendor: FINISAR CORP., part: PAN-SFP-PLUS-SR}]
  - {name: cut, model: PA-VM, version: 10.2.7, content: 8900-9000}
";

/// Long enough for a boot and for everything after it.
const AN_HOUR: u32 = 3600;

fn audit(desk: &Desk, arguments: &str) {
    let ended = desk.run(&format!("audit --playbook optics {arguments}"));
    assert!(matches!(ended.code, Some(0 | 3)), "{arguments}: {ended:#?}");
}

fn read(desk: &Desk, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(desk.path().join(name)).unwrap()).unwrap()
}

/// The lines about a device, without its name.
fn about<'t>(text: &'t str, device: &str) -> Vec<&'t str> {
    let begins = |line: &&str| !line.starts_with(' ') && line.split_whitespace().any(|word| word == device);
    let mut lines = text.lines().skip_while(|line| !begins(line));
    let head = lines.next().into_iter();
    head.chain(lines.take_while(|line| line.starts_with(' ')))
        .map(str::trim)
        .collect()
}

fn happen(simulator: &Simulator) {
    simulator.control(&json!({"jump_clock": {"seconds": AN_HOUR}}));
    simulator.control(&json!({"pull_optic": {"device": "pulled", "port": 13}}));
    for (id, area) in [("no-bgp", "bgp"), ("no-tunnels", "ipsec")] {
        let fault = json!({"id": id, "effect": {"returns": {"area": area, "how": "never"}}});
        simulator.control(&json!({"afflict": {"device": "broken", "fault": fault}}));
    }
    simulator.control(&json!({"power_cycle": {"device": "broken"}}));
    simulator.control(&json!({"jump_clock": {"seconds": AN_HOUR}}));
    simulator.control(&json!({"cut_network": {"whom": {"device": "cut"}, "how": "refuse"}}));
}

#[test]
fn what_happened_between_two_audits_is_told_and_nothing_else() {
    let desk = Desk::new();
    desk.write("fleet.yaml", ESTATE);
    let simulator = Simulator::serve(desk.path(), 60);
    audit(&desk, "--snapshot --json before.json");
    happen(&simulator);
    audit(&desk, "--snapshot --json after.json");
    let ended = desk.run("audit diff before.json after.json --json told.json");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    // Which of its states a session that is down is in, and how long ago the boot was, is not the same in every run.
    let broken = about(&ended.stdout, "broken");
    let stops: Vec<&str> = broken
        .iter()
        .filter(|line| !line.starts_with("look"))
        .copied()
        .collect();
    let states = |line: &str| {
        line.split_once("Established -> ")
            .map_or(line.to_owned(), |(told, _)| format!("{told}..."))
    };
    insta::assert_snapshot!(stops.into_iter().map(states).collect::<Vec<_>>().join("\n"), @r"
    STOP       broken             10.2.7
    stop  BGP peer peer-berlin of default: ...
    stop  BGP peer peer-oslo of default: ...
    stop  bgpAfiIpv4-unicast of BGP peer peer-berlin of default: prefixes accepted 9 -> 0 (-100 %)
    stop  bgpAfiIpv4-unicast of BGP peer peer-berlin of default: prefixes received 9 -> 0 (-100 %)
    stop  bgpAfiIpv4-unicast of BGP peer peer-oslo of default: prefixes accepted 2 -> 0 (-100 %)
    stop  bgpAfiIpv4-unicast of BGP peer peer-oslo of default: prefixes received 2 -> 0 (-100 %)
    stop  tunnel to-berlin: monitor up -> down
    stop  tunnel to-berlin: active -> init
    stop  tunnel to-madrid: monitor up -> down
    stop  tunnel to-madrid: active -> init
    ");
    for look in [
        "look  the device: uptime in seconds ",
        "look  Routes: 25 -> 14 (-44 %), more than 5 % and 10",
        // Nothing watches it: it may only be waiting for traffic.
        "look  tunnel to-oslo: active -> init",
    ] {
        assert!(broken.iter().any(|line| line.starts_with(look)), "{broken:#?}");
    }
    insta::assert_snapshot!(about(&ended.stdout, "pulled").join("\n"), @r"
    STOP       pulled             10.2.7
    stop  port ethernet1/13: up -> down
    stop  ethernet1/13: class allowed -> empty
    look  port ethernet1/13: duplex full -> ukn
    look  port ethernet1/13: speed 10000 -> ukn
    look  ethernet1/13: SFP-Plus-Fiber -> SFP-Empty
    look  ethernet1/13: part number of the module not told any more (was PAN-SFP-PLUS-SR)
    look  ethernet1/13: vendor of the module not told any more (was FINISAR CORP.)
    look  module of ethernet1/13: gone
    ");
    let cut = about(&ended.stdout, "cut");
    assert!(
        cut[0].starts_with("UNREAD") && cut[1].starts_with("could not be read after: log in on cut"),
        "{cut:#?}"
    );
    insta::assert_snapshot!(ended.stdout.lines().last().unwrap(), @"4 devices: 2 stop, 1 not read, 1 as before");
    assert!(!ended.stdout.contains("not asked"), "{}", ended.stdout);
    let told = read(&desk, "told.json");
    let standing = |name: &str| {
        let devices = told["devices"].as_array().unwrap();
        devices.iter().find(|device| device["device"] == name).unwrap()["standing"].clone()
    };
    assert_eq!(
        ["quiet", "broken", "pulled", "cut"].map(standing),
        ["same", "stop", "stop", "unread"]
    );

    // With rules of one's own the same is no alarm.
    desk.write(
        "own.yaml",
        "\
areas:
- area: optics
  fields:
  - {field: class, good: [allowed], worse: look}
- area: interfaces.hardware
  fields:
  - {field: state, good: [up], worse: look, changed: harmless}
",
    );
    let ended = desk.run("audit diff before.json after.json --rules own.yaml --json own.json");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let devices = read(&desk, "own.json");
    let pulled = devices["devices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|device| device["device"] == "pulled");
    assert_eq!(pulled.unwrap()["standing"], "look");
}

#[test]
fn an_audit_that_asked_less_is_told_as_that() {
    let desk = Desk::new();
    desk.write("fleet.yaml", ESTATE);
    let _simulator = Simulator::serve(desk.path(), 60);
    audit(&desk, "--json before.json");
    audit(&desk, "--snapshot --json after.json");
    let ended = desk.run("audit diff before.json after.json");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let said = ended
        .stdout
        .lines()
        .find(|line| line.starts_with("not asked for before.json"))
        .unwrap();
    assert!(
        said.contains(" bgp_peers, ") && !said.contains("optics"),
        "{said}"
    );
    let ended = desk.run("audit diff after.json before.json");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let desk = Desk::new();
    desk.write("a.json", "{}");
    desk.write("own.yaml", "areas:\n- {area: route}\n");
    let refused = [
        "audit diff a.json b.json",
        "audit diff c.json a.json",
        "audit diff a.json a.json --rules own.yaml",
    ];
    insta::assert_snapshot!(refused.map(|arguments| desk.refused(arguments)).concat(), @r"
    error[C002]: a.json is not the report of an audit
      because: missing field `schema` at line 1 column 2
      hint: hopgate audit --snapshot --json FILE writes one
    error[C001]: failed to read c.json
      because: No such file or directory (os error 2)
      hint: check the path
    error[C002]: the rules own.yaml cannot be used
      because: reading rules own.yaml, line 2, column 10: unknown area `route`; the nearest is `routes`
      hint: docs/audit.md has every key with an example
    ");
}

/// The keys of a table on the page, under a heading.
fn documented(heading: &str) -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/audit.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, rest) = page
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("{heading}"));
    let rows = rest
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    let mut keys: Vec<String> = rows
        .filter_map(|row| row.split('`').nth(1))
        .map(str::to_owned)
        .collect();
    keys.sort();
    keys
}

#[test]
fn the_json_has_the_keys_that_the_page_tells() {
    let desk = Desk::new();
    let facts = |status: &str| {
        let peer = json!({"virtual_router": "default", "group": null, "peer": "p", "status": status,
            "status_seconds": null, "address": null, "remote_as": null, "prefixes": []});
        let mut facts = serde_json::to_value(hopgate_playbooks::Facts::unread(
            "fw1",
            jiff::Timestamp::UNIX_EPOCH,
        ))
        .unwrap();
        facts["bgp_peers"] = json!({"known": [peer]});
        json!({"schema": 1, "began": "2026-03-07T19:00:00Z",
            "devices": [{"device": "fw1", "facts": facts}]})
        .to_string()
    };
    desk.write("before.json", &facts("Established"));
    desk.write("after.json", &facts("Idle"));
    let ended = desk.run("audit diff before.json after.json --json told.json");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let told = read(&desk, "told.json");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&told), documented("### The file of differences"));
    let device = &told["devices"][0];
    assert_eq!(keys(device), documented("### A device of it"));
    let areas = device["areas"].as_array().unwrap();
    let area = areas.iter().find(|area| area["area"] == "bgp_peers").unwrap();
    assert_eq!(keys(area), documented("### An area"));
    assert_eq!(keys(&area["changes"][0]), documented("### A change"));
}
