//! Which thing is which: by all of what identifies it, and none is lost. The defects of other tools that are named here
//! are of pan-os-upgrade-assurance 2.1.1 (`snapshot_compare.py`, `firewall_proxy.py`).

use std::collections::BTreeMap;

use super::*;
use crate::facts::ArpEntry;

#[test]
fn one_destination_in_two_virtual_routers_is_two_forwarding_entries() {
    // There, the key of a forwarding entry lacks the virtual router: one of the two overwrites the other.
    let both = |facts: &mut Facts| {
        facts.fib = Fact::Known(vec![
            entry("default", "10.0.0.0/8"),
            entry("guests", "10.0.0.0/8"),
        ]);
    };
    let one = |facts: &mut Facts| facts.fib = Fact::Known(vec![entry("guests", "10.0.0.0/8")]);
    let difference = compared(&facts(both), &facts(one), None);
    assert_eq!(
        of(&difference, "fib").compared,
        Compared::Things { before: 2, after: 1 }
    );
    let gone: Vec<&Change> = of(&difference, "fib").graded(Grade::Look).collect();
    insta::assert_snapshot!(gone[0].sentence, @"forwarding entry 10.0.0.0/8 of default to 192.0.2.1 through ethernet1/1: gone");
    assert_eq!(gone.len(), 1);
    // A table of one virtual router is read as one of several.
    assert_eq!(differs(one, one), "");
}

#[test]
fn siblings_over_several_next_hops_are_kept_apart() {
    let both = |facts: &mut Facts| {
        let ways = ["192.0.2.1", "192.0.2.2"].map(|next_hop| route("default", "0.0.0.0/0", next_hop));
        facts.routes = Fact::Known(ways.to_vec());
    };
    let one = |facts: &mut Facts| {
        facts.routes = Fact::Known(vec![route("default", "0.0.0.0/0", "192.0.2.1")]);
    };
    insta::assert_snapshot!(differs(both, one), @"look: route 0.0.0.0/0 of default to 192.0.2.2 through ethernet1/1: gone");
    insta::assert_snapshot!(differs(one, both), @r"
    look: Routes: 1 -> 2 (+100 %), more than 50 %
    harmless: route 0.0.0.0/0 of default to 192.0.2.2 through ethernet1/1: new
    ");
}

#[test]
fn names_that_only_look_alike_when_they_are_joined_are_two() {
    // There, a peer's key is its virtual router, group and name, joined by underscores.
    let named = |virtual_router: &str, group: &str| BgpPeer {
        virtual_router: virtual_router.to_owned(),
        group: Some(group.to_owned()),
        ..peer("p", "Established")
    };
    let both = |facts: &mut Facts| facts.bgp_peers = Fact::Known(vec![named("a_b", "c"), named("a", "b_c")]);
    let one = |facts: &mut Facts| facts.bgp_peers = Fact::Known(vec![named("a_b", "c")]);
    insta::assert_snapshot!(differs(both, one), @"stop: BGP peer p of a: gone (was Established)");
}

#[test]
fn a_name_that_is_there_several_times_is_numbered_and_none_is_lost() {
    // There, the last one overwrites the others.
    let tunnels = |states: &[&str]| {
        let tunnels = states.iter().map(|state| tunnel("branch-7", state)).collect();
        facts(|facts| facts.ipsec_tunnels = Fact::Known(tunnels))
    };
    let both = tunnels(&["active", "init"]);
    insta::assert_snapshot!(told(&compared(&both, &tunnels(&["init"]), None)), @"stop: tunnel branch-7 (number 1 of this name): gone (was active)");
    insta::assert_snapshot!(told(&compared(&both, &tunnels(&["init", "init"]), None)), @"look: tunnel branch-7 (number 1 of this name): active -> init");
    insta::assert_snapshot!(told(&compared(&both, &tunnels(&["init", "init", "active"]), None)), @"harmless: tunnel branch-7 (number 1 of this name): new (init)");
    // The order in which a device lists them means nothing.
    assert_eq!(told(&compared(&both, &tunnels(&["init", "active"]), None)), "");
    let difference = compared(&both, &tunnels(&["init", "init"]), None);
    let change = &of(&difference, "ipsec_tunnels").changes[0];
    assert_eq!(change.key, ["branch-7"]);
    assert_eq!(change.number, Some(1));
}

#[test]
fn what_changes_by_itself_is_no_difference() {
    // There, whoever compares has to name `!ttl`, `!age` and the counters.
    let neighbour = |ttl| ArpEntry {
        dataplane: Some("dp0".to_owned()),
        interface: "ethernet1/1".to_owned(),
        address: "192.0.2.1".to_owned(),
        mac: Some("00:00:5e:00:53:01".to_owned()),
        port: Some("ethernet1/1".to_owned()),
        status: Some(if ttl > 900 { "c" } else { "e" }.to_owned()),
        ttl: Some(ttl),
    };
    let at = |uptime_seconds: u64, age: u64, ttl: u64| {
        facts(|facts| {
            facts.system = Fact::Known(System {
                uptime_seconds,
                ..system("10.1.14")
            });
            facts.arp = Fact::Known(vec![neighbour(ttl)]);
            let learned = Route {
                age: Some(age),
                ..route("default", "10.0.0.0/8", "192.0.2.1")
            };
            facts.routes = Fact::Known(vec![learned]);
            facts.bgp_peers = Fact::Known(vec![BgpPeer {
                status_seconds: Some(age),
                ..peer("p", "Established")
            }]);
            facts.ipsec_tunnels = Fact::Known(vec![IpsecTunnel {
                id: Some(ttl),
                ..tunnel("t", "active")
            }]);
        })
    };
    assert_eq!(told(&compared(&at(100, 5, 1800), &at(200, 105, 3), None)), "");
}

#[test]
fn an_area_that_is_not_known_is_told_and_hides_no_other() {
    // There, one malformed reply ends the run and all its results are lost.
    let before = facts(|facts| {
        facts.routes = routes(3);
        facts.bgp_peers = Fact::Known(vec![peer("p", "Established")]);
    });
    let after = facts(|facts| {
        facts.routes = Fact::Unknown("show routing route: no answer".to_owned());
        facts.bgp_peers = Fact::Known(Vec::new());
    });
    let difference = compared(&before, &after, None);
    let unknown = Compared::Unknown {
        before: None,
        after: Some("show routing route: no answer".to_owned()),
        severity: crate::finding::Severity::Block,
    };
    assert_eq!(of(&difference, "routes").compared, unknown);
    assert_eq!(of(&difference, "routes").changes, []);
    insta::assert_snapshot!(told(&difference), @"stop: BGP peer p of default: gone (was Established)");
    // An empty list is known, and all that was in it is gone.
    let empty = facts(|facts| facts.routes = Fact::Known(Vec::new()));
    let grade = of(&compared(&before, &empty, None), "routes").grade();
    assert_eq!(grade, Some(Grade::Stop));
}

#[test]
fn numbers_are_compared_with_what_they_were_and_without_a_rule_none_is_lost() {
    // There, percent are those of the larger number, and without thresholds the result is `None`.
    let users = |number: usize| {
        let user = |nth: usize| crate::facts::GlobalProtectUser {
            domain: None,
            user: format!("u{nth}"),
            computer: None,
            virtual_address: None,
        };
        facts(|facts| facts.globalprotect_users = Fact::Known((0..number).map(user).collect()))
    };
    let counted = |from: usize, to: usize| {
        let difference = compared(&users(from), &users(to), None);
        let mut counted = difference.areas.into_iter().flat_map(|area| area.changes);
        counted
            .find(|change| matches!(change.happened, Happened::Counted { .. }))
            .map(|change| change.sentence)
    };
    assert_eq!(counted(100, 50), None, "half of them is the limit");
    insta::assert_snapshot!(counted(100, 49).unwrap(), @"GlobalProtect users: 100 -> 49 (-51 %), more than 50 %");

    let sessions = |active: u64| {
        let counters = BTreeMap::from([("num-active".to_owned(), active), ("pps".to_owned(), active * 3)]);
        move |facts: &mut Facts| facts.sessions = Fact::Known(counters)
    };
    assert_eq!(differs(sessions(1000), sessions(250)), "");
    insta::assert_snapshot!(differs(sessions(1000), sessions(249)), @"look: num-active: 1000 -> 249 (-75.1 %)");
    insta::assert_snapshot!(differs(sessions(0), sessions(12)), @"look: num-active: 0 -> 12 (0 before, so no percentage)");
    insta::assert_snapshot!(differs(sessions(12), sessions(0)), @"look: num-active: 12 -> 0 (-100 %)");
}

#[test]
fn a_snapshot_survives_being_stored_and_the_rules_that_it_was_taken_with() {
    let taken = facts(|facts| {
        facts.system = Fact::Known(system("10.1.14"));
        facts.routes = routes(2);
        facts.ha = pair("active", "passive");
    });
    let snapshot = Snapshot::of(&taken);
    let stored = serde_json::to_string(&snapshot).unwrap();
    let back: Snapshot = serde_json::from_str(&stored).unwrap();
    assert_eq!(back, snapshot);
    assert!(
        !stored.contains("\"age\""),
        "only what is compared is kept: {stored}"
    );

    // Rules that want a field which was not kept say so, and do not take it for empty.
    let own = "areas:\n- {area: routes, ignore: []}\n";
    let rules = Rules::read("own.yaml", own).unwrap();
    let difference = compare(&back, &Snapshot::under(&taken, &rules), &rules, None);
    assert_eq!(of(&difference, "routes").left_out, ["age"]);
    assert_eq!(told(&difference), "");
    let own = "areas:\n- {area: routes, key: [destination, age]}\n";
    let rules = Rules::read("own.yaml", own).unwrap();
    let difference = compare(&back, &Snapshot::under(&taken, &rules), &rules, None);
    assert_eq!(
        of(&difference, "routes").unknown().unwrap(),
        "before: it was kept without age"
    );
    let none = Snapshot {
        areas: BTreeMap::new(),
        ..snapshot
    };
    let difference = compare(&none, &back, Rules::builtin(), None);
    assert_eq!(
        of(&difference, "routes").unknown().unwrap(),
        "before: it was not kept"
    );
}
