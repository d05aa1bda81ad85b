//! Snapshots and their comparison.

mod any;
mod findings;
mod hops;
mod matching;
mod mistakes;
mod nights;
mod sentences;

use std::fmt::Write as _;

use super::*;
use crate::facts::{
    BgpPeer, BgpPrefixes, FibEntry, Ha, HaMember, HardwareInterface, Interfaces, IpsecTunnel, Route, System,
};
use crate::hop::HopContext;

/// Facts in which only this is known.
fn facts(tell: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
    tell(&mut facts);
    facts
}

fn compared(before: &Facts, after: &Facts, hop: Option<&HopContext>) -> Difference {
    compare(&Snapshot::of(before), &Snapshot::of(after), Rules::builtin(), hop)
}

/// What is not as it was, a line each.
fn told(difference: &Difference) -> String {
    let mut text = String::new();
    for change in difference.areas.iter().flat_map(|area| &area.changes) {
        let grade = match change.grade {
            Grade::Harmless => "harmless",
            Grade::Look => "look",
            Grade::Stop => "stop",
        };
        let _ = match &change.expected {
            None => writeln!(text, "{grade}: {}", change.sentence),
            Some(why) => writeln!(text, "expected ({why}): {}", change.sentence),
        };
    }
    text
}

fn differs(before: impl FnOnce(&mut Facts), after: impl FnOnce(&mut Facts)) -> String {
    told(&compared(&facts(before), &facts(after), None))
}

/// What was compared of an area.
fn of<'d>(difference: &'d Difference, area: &str) -> &'d AreaDifference {
    difference
        .areas
        .iter()
        .find(|compared| compared.area == area)
        .unwrap()
}

fn hop(from: &str, to: &str) -> HopContext {
    HopContext {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        minimum_content: None,
        downloads: Vec::new(),
        later: Vec::new(),
        minutes: None,
    }
}

fn system(version: &str) -> System {
    System {
        hostname: "fw1".to_owned(),
        model: "PA-850".to_owned(),
        serial: "001".to_owned(),
        sw_version: version.parse().unwrap(),
        app_version: "8696-7977".to_owned(),
        uptime_seconds: 1_000_000,
        operational_mode: None,
        multi_vsys: false,
    }
}

fn member(state: &str) -> HaMember {
    HaMember {
        state: state.to_owned(),
        reason: None,
        build: None,
        state_sync: None,
        address: None,
    }
}

fn pair(local: &str, peer: &str) -> Fact<Ha> {
    Fact::Known(Ha {
        enabled: true,
        mode: Some("Active-Passive".to_owned()),
        local: member(local),
        peer: Some(member(peer)),
        running_sync: Some("synchronized".to_owned()),
        running_sync_enabled: Some(true),
        preemptive: Some(false),
    })
}

fn route(virtual_router: &str, destination: &str, next_hop: &str) -> Route {
    Route {
        virtual_router: virtual_router.to_owned(),
        table: Some("unicast".to_owned()),
        destination: destination.to_owned(),
        next_hop: next_hop.to_owned(),
        interface: Some("ethernet1/1".to_owned()),
        metric: Some(10),
        flags: vec!["A".to_owned(), "S".to_owned()],
        age: None,
    }
}

fn routes(number: u32) -> Fact<Vec<Route>> {
    let nth = |nth: u32| format!("10.{}.{}.0/24", nth / 256 % 256, nth % 256);
    Fact::Known(
        (0..number)
            .map(|at| route("default", &nth(at), "192.0.2.1"))
            .collect(),
    )
}

fn entry(router: &str, destination: &str) -> FibEntry {
    FibEntry {
        dataplane: Some("dp0".to_owned()),
        router: router.to_owned(),
        family: Some("ipv4".to_owned()),
        destination: destination.to_owned(),
        interface: Some("ethernet1/1".to_owned()),
        next_hop: Some("192.0.2.1".to_owned()),
        flags: Some("ug".to_owned()),
        mtu: Some(1500),
    }
}

fn peer(name: &str, status: &str) -> BgpPeer {
    BgpPeer {
        virtual_router: "default".to_owned(),
        group: Some("transit".to_owned()),
        peer: name.to_owned(),
        status: status.to_owned(),
        status_seconds: Some(77),
        address: Some("192.0.2.9:179".to_owned()),
        remote_as: Some("64512".to_owned()),
        prefixes: Vec::new(),
    }
}

fn with_prefixes(name: &str, accepted: u64) -> BgpPeer {
    let prefixes = BgpPrefixes {
        family: "bgpAfiIpv4-unicast".to_owned(),
        received: None,
        accepted: Some(accepted),
        advertised: None,
    };
    BgpPeer {
        prefixes: vec![prefixes],
        ..peer(name, "Established")
    }
}

fn tunnel(name: &str, state: &str) -> IpsecTunnel {
    IpsecTunnel {
        name: name.to_owned(),
        id: Some(7),
        gateway: Some(3),
        state: state.to_owned(),
        inner_interface: Some("tunnel.7".to_owned()),
        outer_interface: Some("ethernet1/1".to_owned()),
        local_address: Some("198.51.100.1".to_owned()),
        peer_address: Some("203.0.113.1".to_owned()),
        monitor: None,
    }
}

fn ports(states: &[(&str, &str)]) -> Fact<Interfaces> {
    let port = |(name, state): &(&str, &str)| HardwareInterface {
        name: (*name).to_owned(),
        state: (*state).to_owned(),
        speed: Some("1000".to_owned()),
        duplex: Some("full".to_owned()),
        mac: None,
        mode: None,
    };
    Fact::Known(Interfaces {
        hardware: states.iter().map(port).collect(),
        logical: Vec::new(),
    })
}
