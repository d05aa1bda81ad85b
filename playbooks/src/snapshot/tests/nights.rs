//! What would have halted a campaign at night without anything lost, and what would have been lost without a word.

use serde_json::json;

use super::*;
use crate::finding::{Severity, Verdict};

/// An area as it is stored.
fn known<T: serde::de::DeserializeOwned>(value: Value) -> Fact<T> {
    Fact::Known(serde_json::from_value(value).unwrap())
}

fn on_a_hop(before: impl FnOnce(&mut Facts), after: impl FnOnce(&mut Facts)) -> String {
    let hop = hop("10.1.14", "10.2.4");
    told(&compared(&facts(before), &facts(after), Some(&hop)))
}

/// What counts of a comparison.
fn counted(told: &str) -> Vec<&str> {
    told.lines()
        .filter(|line| !line.starts_with("expected"))
        .collect()
}

fn of_identity(advanced_routing: Value, vm_license: Value) -> impl Fn(&mut Facts) {
    move |facts| {
        facts.identity = known(
            json!({"family": null, "address": null, "mac": null, "device_certificate": null,
            "advanced_routing": advanced_routing, "vm_memory_mb": null, "vm_license": vm_license,
            "cloud_mode": null, "packages": {}}),
        );
    }
}

#[test]
fn what_a_later_release_tells_for_the_first_time_did_not_change() {
    // The advanced routing engine is told from 10.2 on: every hop to it would have halted.
    let (earlier, later) = (
        of_identity(json!(null), json!(null)),
        of_identity(json!(false), json!("VM-300")),
    );
    insta::assert_snapshot!(on_a_hop(&earlier, &later), @r"
    harmless: the device: advanced routing engine newly told: no
    harmless: the device: licence of the virtual machine newly told: VM-300
    ");
    insta::assert_snapshot!(on_a_hop(&later, &earlier), @r"
    look: the device: advanced routing engine not told any more (was no)
    look: the device: licence of the virtual machine not told any more (was VM-300)
    ");
    insta::assert_snapshot!(on_a_hop(&later, of_identity(json!(true), json!("VM-100"))), @r"
    stop: the device: advanced routing engine no -> yes
    stop: the device: licence of the virtual machine VM-300 -> VM-100
    ");
    let little = |facts: &mut Facts| {
        facts.system = Fact::Known(System {
            operational_mode: None,
            ..system("10.1.14")
        });
        facts.mtus = known(json!([{"interface": "ethernet1/1", "mtu": null}]));
        facts.ha = pair("active", "passive");
        if let Fact::Known(ha) = &mut facts.ha {
            ha.mode = None;
        }
        facts.interfaces = logical(json!(null), json!(null), &[]);
    };
    let more = |facts: &mut Facts| {
        facts.system = Fact::Known(System {
            operational_mode: Some("normal".to_owned()),
            ..system("10.1.14")
        });
        facts.mtus = known(json!([{"interface": "ethernet1/1", "mtu": 1500}]));
        facts.ha = pair("active", "passive");
        facts.interfaces = logical(json!("trust"), json!("vsys1"), &[]);
    };
    insta::assert_snapshot!(differs(little, more), @r"
    harmless: the device: operational mode newly told: normal
    harmless: HA: mode newly told: Active-Passive
    harmless: interface ethernet1/1: virtual system newly told: vsys1
    harmless: interface ethernet1/1: zone newly told: trust
    harmless: MTU of ethernet1/1: newly told: 1500
    ");
    insta::assert_snapshot!(differs(more, little), @r"
    look: the device: operational mode not told any more (was normal)
    look: HA: mode not told any more (was Active-Passive)
    look: interface ethernet1/1: virtual system not told any more (was vsys1)
    look: interface ethernet1/1: zone not told any more (was trust)
    look: MTU of ethernet1/1: not told any more (was 1500)
    ");
}

#[test]
fn a_state_that_is_not_told_any_more_is_a_loss() {
    let with_peer = |facts: &mut Facts| facts.ha = pair("active", "passive");
    let alone = |facts: &mut Facts| {
        facts.ha = pair("active", "passive");
        if let Fact::Known(ha) = &mut facts.ha {
            ha.peer = None;
        }
    };
    insta::assert_snapshot!(on_a_hop(with_peer, alone), @"stop: HA: peer state not told any more (was passive)");
    let links = |connection: Value| {
        move |facts: &mut Facts| {
            let links = json!({"enabled": true, "priority": null, "peer_priority": null, "preemptive": null,
                "peer_preemptive": null, "connection": connection, "links": [], "link_monitoring": null,
                "link_groups": [], "path_monitoring": null, "mismatches": [],
                "preemption_flaps": null, "non_functional_flaps": null, "most_flaps": null});
            facts.ha_links = known(links);
        }
    };
    insta::assert_snapshot!(differs(links(json!("up")), links(json!(null))), @"stop: HA: connection to the peer not told any more (was up)");
    let link = |status: Value| {
        move |facts: &mut Facts| {
            links(json!("up"))(facts);
            if let Fact::Known(links) = &mut facts.ha_links {
                links.links = serde_json::from_value(json!([{"name": "ha2", "status": status}])).unwrap();
            }
        }
    };
    insta::assert_snapshot!(differs(link(json!("up")), link(json!(null))), @"stop: HA link ha2: not told any more (was up)");
}

#[test]
fn a_few_routes_of_a_full_table_and_one_of_a_small_one_stop_nothing() {
    let worst = |from: u32, to: u32| {
        let difference = compared(
            &facts(|facts| facts.routes = routes(from)),
            &facts(|facts| facts.routes = routes(to)),
            None,
        );
        of(&difference, "routes").changes[0].clone()
    };
    assert_eq!(worst(60_000, 59_989).grade, Grade::Look);
    assert!(worst(60_000, 59_989).happened == Happened::Missing);
    assert_eq!(worst(12, 11).grade, Grade::Look);
    insta::assert_snapshot!(worst(12, 5).sentence, @"Routes: 12 -> 5 (-58.3 %), more than 50 % or 20 % and 100");
    insta::assert_snapshot!(worst(12, 1).sentence, @"Routes: 12 -> 1 (-91.6 %), more than 50 % or 20 % and 100");
    insta::assert_snapshot!(worst(2000, 1599).sentence, @"Routes: 2,000 -> 1,599 (-20 %), more than 50 % or 20 % and 100");
    insta::assert_snapshot!(worst(2000, 1700).sentence, @"Routes: 2,000 -> 1,700 (-15 %), more than 5 % and 10");
}

#[test]
fn a_default_route_of_several_may_go_and_the_last_one_may_not() {
    let ways = |ways: &[(&str, &str)]| {
        let routes = ways
            .iter()
            .map(|(router, way)| route(router, "0.0.0.0/0", way))
            .collect();
        let entries = ways.iter().map(|(router, way)| FibEntry {
            next_hop: Some((*way).to_owned()),
            ..entry(router, "0.0.0.0/0")
        });
        let entries = entries.collect();
        facts(|facts| (facts.routes, facts.fib) = (Fact::Known(routes), Fact::Known(entries)))
    };
    let both = ways(&[("default", "192.0.2.1"), ("default", "192.0.2.2")]);
    let one = ways(&[("default", "192.0.2.2")]);
    let moved = ways(&[("default", "192.0.2.7")]);
    let elsewhere = ways(&[("guests", "192.0.2.1"), ("guests", "192.0.2.2")]);
    insta::assert_snapshot!(told(&compared(&both, &one, None)), @r"
    look: route 0.0.0.0/0 of default to 192.0.2.1 through ethernet1/1: gone
    look: forwarding entry 0.0.0.0/0 of default to 192.0.2.1 through ethernet1/1: gone
    ");
    insta::assert_snapshot!(told(&compared(&one, &moved, None)), @r"
    look: route 0.0.0.0/0 of default to 192.0.2.2 through ethernet1/1: gone
    harmless: route 0.0.0.0/0 of default to 192.0.2.7 through ethernet1/1: new
    look: forwarding entry 0.0.0.0/0 of default to 192.0.2.2 through ethernet1/1: gone
    harmless: forwarding entry 0.0.0.0/0 of default to 192.0.2.7 through ethernet1/1: new
    ");
    assert_eq!(compared(&both, &elsewhere, None).grade(), Some(Grade::Stop));
    // One of the other family is no way for this one.
    let six = facts(|facts| facts.routes = Fact::Known(vec![route("default", "::/0", "2001:db8::1")]));
    insta::assert_snapshot!(told(&compared(&one, &six, None)), @r"
    stop: route 0.0.0.0/0 of default to 192.0.2.2 through ethernet1/1: gone
    harmless: route ::/0 of default to 2001:db8::1 through ethernet1/1: new
    ");
}

#[test]
fn a_tunnel_without_traffic_stops_only_where_it_is_monitored() {
    let tunnels = |state: &str, monitor: Option<&str>| {
        let tunnel = IpsecTunnel {
            monitor: monitor.map(str::to_owned),
            ..tunnel("branch-7", state)
        };
        facts(|facts| facts.ipsec_tunnels = Fact::Known(vec![tunnel]))
    };
    let went = |before: (&str, Option<&str>), after: (&str, Option<&str>)| {
        let (before, after) = (tunnels(before.0, before.1), tunnels(after.0, after.1));
        told(&compared(&before, &after, None))
    };
    insta::assert_snapshot!(went(("active", Some("off")), ("init", Some("off"))), @"look: tunnel branch-7: active -> init");
    insta::assert_snapshot!(went(("active", None), ("inactive", None)), @"look: tunnel branch-7: active -> inactive");
    insta::assert_snapshot!(went(("active", Some("up")), ("init", Some("down"))), @r"
    stop: tunnel branch-7: monitor up -> down
    stop: tunnel branch-7: active -> init
    ");
    insta::assert_snapshot!(went(("active", Some("up")), ("init", None)), @r"
    stop: tunnel branch-7: active -> init
    look: tunnel branch-7: monitor not told any more (was up)
    ");
    insta::assert_snapshot!(went(("active", Some("down")), ("init", Some("down"))), @"look: tunnel branch-7: active -> init");
}

fn logical(zone: Value, vsys: Value, addresses: &[&str]) -> Fact<Interfaces> {
    known(
        json!({"hardware": [], "logical": [{"name": "ethernet1/1", "vsys": vsys, "zone": zone,
        "forwarding": "vr:default", "tag": 0, "addresses": addresses}]}),
    )
}

#[test]
fn an_address_that_changed_is_worth_a_look_and_another_zone_is_a_stop() {
    let at = |zone: &str, addresses: &'static [&str]| {
        let zone = json!(zone);
        move |facts: &mut Facts| facts.interfaces = logical(zone, json!("1"), addresses)
    };
    insta::assert_snapshot!(differs(at("trust", &["192.0.2.5/24"]), at("trust", &["192.0.2.9/24"])), @"look: interface ethernet1/1: addresses 192.0.2.5/24 -> 192.0.2.9/24");
    insta::assert_snapshot!(differs(at("trust", &[]), at("guests", &[])), @"stop: interface ethernet1/1: zone trust -> guests");
    insta::assert_snapshot!(differs(at("trust", &[]), |facts| facts.interfaces = ports(&[])), @"stop: interface ethernet1/1: gone");
}

#[test]
fn what_a_member_has_in_any_role_is_lost_when_it_is_gone() {
    let has = |facts: &mut Facts| {
        facts.ha = pair("active", "passive");
        facts.interfaces = ports(&[("ethernet1/1", "up"), ("ethernet1/2", "up")]);
        facts.optics = known(json!([
            {"slot": 1, "port": 5, "interface": "ethernet1/5", "media": "SFP", "vendor": null, "part": null,
             "serial": null, "class": "allowed"},
            {"slot": 1, "port": 6, "interface": "ethernet1/6", "media": "SFP", "vendor": null, "part": null,
             "serial": null, "class": "allowed"}]));
        let member = |name: &str| {
            json!({"interface": name, "bundled": true, "selection": null, "receive": null,
            "mux": null, "reason": null})
        };
        let bundle = |name: &str, members: Value| {
            json!({"name": name, "lacp": true, "mode": null, "rate": null,
            "pre_negotiation": null, "partner": null, "members": members})
        };
        facts.aggregates = known(json!([
            bundle("ae1", json!([member("ethernet1/5"), member("ethernet1/6")])),
            bundle("ae2", json!([])),
        ]));
        facts.bgp_peers = Fact::Known(vec![peer("p", "Established")]);
    };
    let lost = |facts: &mut Facts| {
        has(facts);
        facts.ha = pair("passive", "active");
        facts.interfaces = ports(&[("ethernet1/1", "down")]);
        if let Fact::Known(optics) = &mut facts.optics {
            optics.truncate(1);
            optics[0].class = hopgate_paths::OpticClass::Unreadable;
        }
        if let Fact::Known(aggregates) = &mut facts.aggregates {
            aggregates.truncate(1);
            aggregates[0].members.truncate(1);
            aggregates[0].members[0].bundled = Some(false);
        }
        facts.bgp_peers = Fact::Known(Vec::new());
    };
    insta::assert_snapshot!(on_a_hop(has, lost), @r"
    expected (the hop from 10.1.14 to 10.2.4): HA: active -> passive
    expected (the hop from 10.1.14 to 10.2.4): HA: peer state passive -> active
    stop: port ethernet1/2: gone (was up)
    expected (this member was active and is passive): port ethernet1/1: up -> down
    stop: ethernet1/6: gone (was SFP)
    expected (this member was active and is passive): ethernet1/5: class allowed -> unreadable
    expected (this member was active and is passive): BGP peer p of default: gone (was Established)
    stop: aggregate ae2: gone
    stop: ethernet1/6 in ae1: gone
    expected (this member was active and is passive): ethernet1/5 in ae1: bundled yes -> no
    ");
}

#[test]
fn what_the_rules_single_out_is_not_explained_by_a_hop() {
    let sensor = |name: &str, alarm: bool| json!({"kind": "power-supply", "slot": "1", "name": name, "alarm": alarm, "reading": null});
    let process =
        |name: &str, state: &str| json!({"slot": null, "kind": "process", "name": name, "state": state});
    let before = |facts: &mut Facts| {
        facts.environment = known(json!([
            sensor("PSU 1", false),
            sensor("PSU 2", true),
            sensor("PSU 3", false)
        ]));
        facts.processes = known(json!([
            process("routed", "running"),
            process("devsrvr", "running"),
            process("once", "stopped")
        ]));
    };
    let after = |facts: &mut Facts| {
        facts.environment = known(json!([
            sensor("PSU 1", false),
            sensor("Fan 9", true),
            sensor("Fan 8", false)
        ]));
        facts.processes = known(json!([
            process("devsrvr", "running"),
            process("gnmid", "running"),
            process("new", "stopped")
        ]));
    };
    insta::assert_snapshot!(on_a_hop(before, after), @r"
    look: new: new (stopped)
    look: routed: gone (was running)
    harmless: once: gone (was stopped)
    expected (the hop from 10.1.14 to 10.2.4): gnmid: new (running)
    stop: Fan 9, slot 1: new
    look: PSU 3, slot 1: gone
    harmless: PSU 2, slot 1: gone
    expected (the hop from 10.1.14 to 10.2.4): Fan 8, slot 1: new
    ");
    // What changed for the worse counts as ever.
    let alarm = |alarm| move |facts: &mut Facts| facts.environment = known(json!([sensor("PSU 1", alarm)]));
    assert_eq!(
        counted(&on_a_hop(alarm(false), alarm(true))),
        ["stop: PSU 1, slot 1: alarm no -> yes"]
    );
}

#[test]
fn fields_that_were_not_kept_are_an_open_question() {
    let read = facts(|facts| facts.bgp_peers = Fact::Known(vec![peer("p", "Established")]));
    let mut before = Snapshot::of(&read);
    let Some(Fact::Known(rows)) = before.areas.get_mut("bgp_peers") else {
        panic!("not kept")
    };
    let at = rows.fields.iter().position(|field| field == "remote_as").unwrap();
    rows.fields.remove(at);
    rows.rows[0].remove(at);
    let difference = compare(&before, &Snapshot::of(&read), Rules::builtin(), None);
    let findings = difference.findings();
    let of_peers: Vec<_> = findings
        .iter()
        .filter(|finding| &*finding.check == "bgp-peers")
        .collect();
    let [finding] = of_peers.as_slice() else {
        panic!("{of_peers:#?}")
    };
    assert_eq!(finding.severity, Severity::Warn);
    assert!(matches!(finding.verdict, Verdict::Inconclusive { .. }));
    insta::assert_snapshot!(finding.message, @"BGP peers cannot be compared in remote_as");
}

#[test]
fn what_ended_by_its_date_is_worth_a_look_and_what_ended_before_it_is_a_stop() {
    let at = |read_at: &str, licence: &str, certificate: &str, expired: bool| {
        let mut facts = facts(|facts| {
            facts.licences = known(
                json!([{"feature": "Threat Prevention", "description": null, "serial": null,
                "issued": null, "expires": licence, "perpetual": false, "expired": expired}]),
            );
            facts.certificates = known(json!([{"place": "shared", "name": "portal", "subject": null,
                "not_after": certificate, "expired": expired, "algorithm": null, "bits": null, "digest": null,
                "authority": false, "unreadable": null}]));
        });
        facts.read_at = read_at.parse().unwrap();
        facts
    };
    let ended = |licence: &str, certificate: &str| {
        let before = at("2026-03-07T22:00:00Z", licence, certificate, false);
        told(&compared(
            &before,
            &at("2026-03-08T01:00:00Z", licence, certificate, true),
            None,
        ))
    };
    insta::assert_snapshot!(ended("2026-03-07", "2026-03-08T00:30:00Z"), @r"
    look: licence Threat Prevention: expired no -> yes, as it was due on 2026-03-07
    look: certificate portal of shared: expired no -> yes, as it was due on 2026-03-08T00:30:00Z
    ");
    // Where the device is, its last day may be over before it is in UTC.
    insta::assert_snapshot!(ended("2026-03-08", "2026-03-08T01:00:01Z"), @r"
    look: licence Threat Prevention: expired no -> yes, as it was due on 2026-03-08
    stop: certificate portal of shared: expired no -> yes
    ");
    insta::assert_snapshot!(ended("2027-03-08", "2027-03-08T00:00:00Z"), @r"
    stop: licence Threat Prevention: expired no -> yes
    stop: certificate portal of shared: expired no -> yes
    ");
}

#[test]
fn what_is_worth_a_look_is_told_with_its_sentences() {
    let before = facts(|facts| facts.routes = routes(3));
    let after = facts(|facts| facts.routes = routes(2));
    let findings = compared(&before, &after, None).findings();
    let routes: Vec<_> = findings
        .iter()
        .filter(|finding| &*finding.check == "routes")
        .collect();
    let [finding] = routes.as_slice() else {
        panic!("{routes:#?}")
    };
    assert_eq!(
        (finding.severity, &finding.verdict),
        (Severity::Warn, &Verdict::Fail)
    );
    insta::assert_snapshot!(finding.message, @"route 10.0.2.0/24 of default to 192.0.2.1 through ethernet1/1: gone");
}
