//! Reads where packets go: routing and forwarding tables of both engines, BGP and OSPF peers, neighbours on a segment.
//! Knows these tables, which can have a million rows; must not know which rows matter.

use hopgate_playbooks::{AdvancedRoute, ArpEntry, BgpPeer, BgpPrefixes, FibEntry, OspfNeighbour, Route};
use serde_json::Value;

use crate::error::Failure;
use crate::xml::{Node, Raw, printable, read_rows, whole_number};

/// `<entry><virtual-router/><destination/><nexthop/>..` below `<result>`, beside the legend of the flags.
pub(crate) fn routes(reply: Raw<'_>) -> Result<Vec<Route>, Failure> {
    let (_, routes) = read_rows(reply, &["entry"], |_, entry| {
        let flags = entry.value("flags").unwrap_or_default();
        Ok(Route {
            virtual_router: entry.required_words("virtual-router")?,
            table: entry.words("route-table"),
            destination: entry.required_words("destination")?,
            next_hop: entry.words("nexthop").unwrap_or_default(),
            interface: entry.words("interface"),
            metric: entry.number("metric"),
            flags: flags.split_whitespace().map(|flag| printable(flag, 10)).collect(),
            age: entry.number("age"),
        })
    })?;
    Ok(routes)
}

/// `<fibs><entry><vr/><type/><entries><entry>..`: the same destination occurs in several routers.
pub(crate) fn fib(reply: Raw<'_>) -> Result<Vec<FibEntry>, Failure> {
    let (result, entries) = read_rows(reply, &["fibs", "entry", "entries", "entry"], |around, entry| {
        let dataplane = around.get(1).and_then(|result| result.words("dp"));
        let table = around
            .get(3)
            .ok_or_else(|| Failure::unreadable("a forwarding entry outside of a table"))?;
        Ok(FibEntry {
            dataplane,
            router: table.required_words("vr")?,
            family: table.words("type"),
            destination: entry.required_words("dst")?,
            interface: entry.words("interface"),
            next_hop: entry.words("nexthop"),
            flags: entry.words("flags"),
            mtu: entry.number("mtu"),
        })
    })?;
    if result.child("fibs").is_none() {
        return Err(Failure::unreadable("<result> has no <fibs>"));
    }
    Ok(entries)
}

/// What the advanced routing engine tells, which is JSON inside of `<json>`. None where it has nothing to tell.
pub(crate) fn advanced_json(result: &Node) -> Result<Option<Value>, Failure> {
    let text = result
        .child("json")
        .ok_or_else(|| Failure::unreadable("<result> has no <json>"))?
        .text();
    if text.is_empty() {
        return Ok(None);
    }
    let told = serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        not_so(&format!("something that is no JSON at {place}"))
    })?;
    Ok(Some(told))
}

pub(crate) fn not_so(what: &str) -> Failure {
    Failure::unreadable(format!("{what} in the JSON of the advanced routing engine"))
}

/// The JSON of the advanced routing engine: `{"LR": {"0.0.0.0/0": [{"protocol": .., "nexthops": [..]}]}}`. A route
/// with several next hops is several rows; one with none is one.
pub(crate) fn advanced_routes(result: &Node) -> Result<Vec<AdvancedRoute>, Failure> {
    let Some(routers) = advanced_json(result)? else {
        return Ok(Vec::new());
    };
    let mut routes = Vec::new();
    for (router, prefixes) in routers.as_object().ok_or_else(|| not_so("no logical routers"))? {
        for (prefix, known) in prefixes.as_object().ok_or_else(|| not_so("no prefixes"))? {
            for route in known.as_array().ok_or_else(|| not_so("no list of routes"))? {
                if !route.is_object() {
                    return Err(not_so("a route that is none"));
                }
                ways(router, prefix, route, &mut routes);
            }
        }
    }
    Ok(routes)
}

fn ways(router: &str, prefix: &str, route: &Value, routes: &mut Vec<AdvancedRoute>) {
    let text = |of: &Value, name: &str| {
        of.get(name)
            .and_then(Value::as_str)
            .map(|text| printable(text, 200))
            // A local route leads nowhere and says so with an empty name.
            .filter(|text| !text.is_empty())
    };
    let number = |name: &str| route.get(name).and_then(Value::as_u64);
    let yes = |name: &str| route.get(name).and_then(Value::as_bool) == Some(true);
    let way = |next_hop: &Value| AdvancedRoute {
        logical_router: printable(router, 80),
        destination: printable(prefix, 80),
        protocol: text(route, "protocol"),
        next_hop: text(next_hop, "ip"),
        interface: text(next_hop, "interfaceName"),
        distance: number("distance"),
        metric: number("metric"),
        selected: yes("selected"),
        installed: yes("installed"),
    };
    match route.get("nexthops").and_then(Value::as_array) {
        Some(next_hops) if !next_hops.is_empty() => routes.extend(next_hops.iter().map(way)),
        Some(_) | None => routes.push(way(&Value::Null)),
    }
}

/// `<entry peer="P" vr="default"><peer-group/><status>Established</status>..`.
pub(crate) fn bgp_peers(reply: Raw<'_>) -> Result<Vec<BgpPeer>, Failure> {
    let (_, peers) = read_rows(reply, &["entry"], |_, entry| {
        let named = |name: &str| {
            let given = entry.attribute(name).map(|text| printable(text, 200));
            given.ok_or_else(|| Failure::unreadable(format!("a BGP peer without its {name}")))
        };
        let families = entry.child("prefix-counter").into_iter();
        Ok(BgpPeer {
            virtual_router: named("vr")?,
            group: entry.words("peer-group"),
            peer: named("peer")?,
            status: entry.required_words("status")?,
            status_seconds: entry.number("status-duration"),
            address: entry.words("peer-address"),
            remote_as: entry.words("remote-as"),
            prefixes: families
                .flat_map(|counter| counter.children_named("entry"))
                .map(prefixes)
                .collect(),
        })
    })?;
    Ok(peers)
}

fn prefixes(entry: &Node) -> BgpPrefixes {
    BgpPrefixes {
        family: printable(entry.attribute("afi-safi").unwrap_or("unnamed"), 80),
        received: entry.number("incoming-total"),
        accepted: entry.number("incoming-accepted"),
        advertised: entry.number("outgoing-advertised"),
    }
}

/// `<entry><virtual-router/><neighbor-address/><status>full</status>..`.
pub(crate) fn ospf_neighbours(reply: Raw<'_>) -> Result<Vec<OspfNeighbour>, Failure> {
    let (_, neighbours) = read_rows(reply, &["entry"], |_, entry| {
        Ok(OspfNeighbour {
            virtual_router: entry.required_words("virtual-router")?,
            local_address: entry.words("local-address-binding"),
            address: entry.required_words("neighbor-address")?,
            router_id: entry.words("neighbor-router-id"),
            area: entry.words("area-id"),
            status: entry.required_words("status")?,
        })
    })?;
    Ok(neighbours)
}

/// `<dp>dp0</dp><entries><entry><interface/><ip/><mac/><status> c </status>..`.
pub(crate) fn arp(reply: Raw<'_>) -> Result<Vec<ArpEntry>, Failure> {
    let (result, entries) = read_rows(reply, &["entries", "entry"], |around, entry| {
        Ok(ArpEntry {
            dataplane: around.get(1).and_then(|result| result.words("dp")),
            interface: entry.required_words("interface")?,
            address: entry.required_words("ip")?,
            mac: entry.words("mac").filter(|mac| !mac.contains("incomplete")),
            port: entry.words("port"),
            status: entry.words("status"),
            // Static entries have no end; some releases write a sign in front of what is left.
            ttl: entry.value("ttl").and_then(whole_number),
        })
    })?;
    if result.child("entries").is_none() {
        return Err(Failure::unreadable("<result> has no <entries>"));
    }
    Ok(entries)
}
