//! What a hop and a change of roles explain, and what they do not.

use super::*;
use crate::facts::{Content, Image, Partition, Plugin};

fn at(version: &str, uptime_seconds: u64, tell: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = facts(|facts| {
        facts.system = Fact::Known(System {
            uptime_seconds,
            ..system(version)
        });
    });
    tell(&mut facts);
    facts
}

fn partitions(running: &str, state: &str, other: &str) -> Fact<Vec<Partition>> {
    let partition = |name: &str, state: &str, version: &str| Partition {
        name: name.to_owned(),
        state: state.to_owned(),
        version: version.parse().ok(),
    };
    Fact::Known(vec![
        partition("sysroot0", "RUNNING-ACTIVE", running),
        partition("sysroot1", state, other),
    ])
}

fn content(installed: &str) -> Fact<Content> {
    Fact::Known(Content {
        installed: Some(installed.to_owned()),
        latest: Some("9000-1".to_owned()),
        refreshed: None,
        packages: Vec::new(),
    })
}

fn plugins(version: &str) -> Fact<Vec<Plugin>> {
    let plugin = |version: &str, installed: bool| Plugin {
        name: "vm_series".to_owned(),
        version: Some(version.to_owned()),
        installed: Some(installed),
        downloaded: Some(true),
    };
    Fact::Known(vec![plugin(version, true), plugin("9.9.9", false)])
}

fn image(version: &str, current: bool) -> Image {
    Image {
        version: version.parse().unwrap(),
        size_mb: Some(400),
        downloaded: true,
        current,
        release_type: None,
    }
}

#[test]
fn what_a_hop_changes_is_told_as_expected() {
    let before = at("10.1.14", 900_000, |facts| {
        facts.partitions = partitions("10.1.14", "READY", "10.1.10");
        facts.content = content("8696-7977");
        facts.plugins = plugins("2.0.9");
        facts.software = Fact::Known(vec![image("10.1.14", true), image("10.2.4", false)]);
        facts.ha = pair("active", "passive");
        facts.jobs = Fact::Known(Vec::new());
    });
    let after = at("10.2.4", 700, |facts| {
        facts.partitions = partitions("10.2.4", "REVERTABLE", "10.1.14");
        facts.content = content("8696-7977");
        facts.plugins = plugins("2.0.10");
        facts.software = Fact::Known(vec![image("10.1.14", false), image("10.2.4", true)]);
        facts.ha = pair("passive", "active");
        facts.jobs = Fact::Unknown("not asked".to_owned());
    });
    let planned = hop("10.1.14", "10.2.4");
    let difference = compared(&before, &after, Some(&planned));
    insta::assert_snapshot!(told(&difference), @r"
    expected (the hop from 10.1.14 to 10.2.4): the device: release 10.1.14 -> 10.2.4
    expected (the hop from 10.1.14 to 10.2.4): the device: uptime in seconds 900000 -> 700 (-99.9 %)
    expected (the hop from 10.1.14 to 10.2.4): partition sysroot0: version 10.1.14 -> 10.2.4
    expected (the hop from 10.1.14 to 10.2.4): partition sysroot1: READY -> REVERTABLE
    expected (the hop from 10.1.14 to 10.2.4): partition sysroot1: version 10.1.10 -> 10.1.14
    expected (the hop from 10.1.14 to 10.2.4): image 10.1.14: current yes -> no
    expected (the hop from 10.1.14 to 10.2.4): image 10.2.4: current no -> yes
    expected (the hop from 10.1.14 to 10.2.4): plugin vm_series: 2.0.9 -> 2.0.10
    expected (the hop from 10.1.14 to 10.2.4): HA: active -> passive
    expected (the hop from 10.1.14 to 10.2.4): HA: peer state passive -> active
    ");
    assert_eq!(difference.grade(), None);
    assert_eq!(
        difference
            .areas
            .iter()
            .map(AreaDifference::expected)
            .sum::<usize>(),
        10
    );
    // The same without a hop is not explained by anything.
    let unplanned = compared(&before, &after, None);
    insta::assert_snapshot!(told(&unplanned), @r"
    look: the device: release 10.1.14 -> 10.2.4
    look: the device: uptime in seconds 900000 -> 700 (-99.9 %)
    look: partition sysroot0: version 10.1.14 -> 10.2.4
    look: partition sysroot1: READY -> REVERTABLE
    look: partition sysroot1: version 10.1.10 -> 10.1.14
    harmless: image 10.1.14: current yes -> no
    harmless: image 10.2.4: current no -> yes
    look: plugin vm_series: 2.0.9 -> 2.0.10
    look: HA: active -> passive
    look: HA: peer state passive -> active
    ");
}

#[test]
fn what_a_hop_does_not_do_is_not_expected_of_it() {
    let before = at("10.1.14", 900_000, |facts| {
        facts.content = content("8696-7977");
        facts.plugins = plugins("2.0.10");
        facts.ha = pair("passive", "active");
        facts.ipsec_tunnels = Fact::Known(vec![tunnel("branch-7", "active")]);
    });
    let after = at("10.2.3", 700, |facts| {
        facts.content = content("8600-1");
        facts.plugins = plugins("2.0.9");
        facts.ha = pair("suspended", "active");
        facts.ipsec_tunnels = Fact::Known(vec![tunnel("branch-7", "init")]);
    });
    insta::assert_snapshot!(told(&compared(&before, &after, Some(&hop("10.1.14", "10.2.4")))), @r"
    stop: the device: release 10.1.14 -> 10.2.3, where the hop goes to 10.2.4
    expected (the hop from 10.1.14 to 10.2.4): the device: uptime in seconds 900000 -> 700 (-99.9 %)
    look: Applications and Threats content: 8696-7977 -> 8600-1
    look: plugin vm_series: 2.0.10 -> 2.0.9
    stop: HA: passive -> suspended
    look: tunnel branch-7: active -> init
    ");
}

#[test]
fn what_a_member_lost_with_its_active_role_is_not_held_against_it() {
    let serving = |facts: &mut Facts| {
        facts.interfaces = ports(&[("ethernet1/1", "up")]);
        facts.bgp_peers = Fact::Known(vec![peer("p", "Established")]);
        facts.plugins = plugins("2.0.9");
    };
    let resting = |facts: &mut Facts| {
        facts.interfaces = ports(&[("ethernet1/1", "down")]);
        facts.bgp_peers = Fact::Known(vec![peer("p", "Idle")]);
        facts.plugins = Fact::Known(Vec::new());
    };
    let member = |local: &str, peer: &str, tell: fn(&mut Facts)| {
        facts(|facts| {
            facts.ha = pair(local, peer);
            tell(facts);
        })
    };
    let was = member("active", "passive", serving);
    insta::assert_snapshot!(told(&compared(&was, &member("passive", "active", resting), None)), @r"
    stop: plugin vm_series: gone (was 2.0.9)
    look: HA: active -> passive
    look: HA: peer state passive -> active
    expected (this member was active and is passive): port ethernet1/1: up -> down
    expected (this member was active and is passive): BGP peer p of default: Established -> Idle
    ");
    // A member that still is active, and one of which that is not known, have no such excuse.
    let still = compared(&was, &member("active", "passive", resting), None);
    assert_eq!(still.areas.iter().map(AreaDifference::expected).sum::<usize>(), 0);
    assert_eq!(still.grade(), Some(Grade::Stop));
    let unknown = compared(&was, &facts(resting), None);
    assert_eq!(of(&unknown, "bgp_peers").grade(), Some(Grade::Stop));
    // One that became active serves more than before, and what it does not is told.
    let became = compared(
        &member("passive", "active", serving),
        &member("active", "passive", resting),
        None,
    );
    assert_eq!(of(&became, "bgp_peers").grade(), Some(Grade::Stop));
}
