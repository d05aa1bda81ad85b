//! Routes, forwarding tables and routing neighbours, as the API shows them: in XML by the older engine, in JSON by
//! the advanced one. Only one of the two runs; the other one's tables are empty.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::{Ask, Scene};
use crate::operation::{Operation, unexpected_from};
use crate::reply::{self, Markup};
use crate::state::Sight;
use crate::state::routing::{BgpPeer, Route, Source};

pub(super) fn answer(scene: &Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let sight = scene.sight();
    let reply = match ask.operation {
        Operation::Routes => routes(&sight),
        Operation::Fib => fib(&sight, !sight.is_advanced()),
        Operation::BgpPeers => bgp_peers(&sight),
        Operation::OspfNeighbours => ospf_neighbours(&sight),
        Operation::AdvancedRoutes
        | Operation::AdvancedFib
        | Operation::AdvancedBgpPeers
        | Operation::AdvancedOspfNeighbours => {
            if !sight.is_since("10.2") {
                return Some(reply::error(17, &unexpected_from(ask.command, 1)));
            }
            advanced(&sight, ask.operation)
        }
        _ => return None,
    };
    Some(reply)
}

fn advanced(sight: &Sight<'_>, operation: Operation) -> Response<Bytes> {
    let tables = match operation {
        Operation::AdvancedFib => return fib(sight, sight.is_advanced()),
        _ if !sight.is_advanced() => json!({}),
        Operation::AdvancedRoutes => advanced_routes(sight),
        Operation::AdvancedBgpPeers => advanced_bgp(sight),
        _ => advanced_ospf(sight),
    };
    reply::success(Markup::new().leaf("json", &tables.to_string()))
}

/// Seconds as `show routing protocol` writes them are plain; the advanced engine writes a clock.
fn clock(seconds: i64) -> String {
    let (hours, rest) = (seconds / 3600, seconds % 3600);
    match hours / 24 {
        0 => format!("{hours:02}:{:02}:{:02}", rest / 60, rest % 60),
        days => format!("{days}d{:02}h{:02}m", hours % 24, rest / 60),
    }
}

const FLAGS: &str = "flags: A:active, ?:loose, C:connect, H:host, S:static, ~:internal, R:rip, O:ospf, B:bgp, \
     Oi:ospf intra-area, Oo:ospf inter-area, O1:ospf ext-type-1, O2:ospf ext-type-2, E:ecmp, M:multicast";

fn routes(sight: &Sight<'_>) -> Response<Bytes> {
    let routes = if sight.is_advanced() {
        Vec::new()
    } else {
        sight.routes()
    };
    let rows = Markup::new().leaf("flags", FLAGS);
    reply::success(rows.each(routes, |markup, route| {
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("virtual-router", &route.router),
                ("destination", &route.destination),
                ("nexthop", &route.nexthop.to_string()),
                ("metric", &route.metric.to_string()),
                ("flags", route.source.flags()),
                ("age", &route.age.map_or_else(String::new, |age| age.to_string())),
                ("interface", &route.interface),
                ("route-table", "unicast"),
            ])
        })
    }))
}

/// Two tables, IPv4 and IPv6: readers of a single one have been seen to break. Nothing while the other engine runs.
fn fib(sight: &Sight<'_>, runs: bool) -> Response<Bytes> {
    if !runs {
        return reply::success(
            Markup::new()
                .leaves(&[("dp", "dp0"), ("total", "0")])
                .raw("<fibs/>"),
        );
    }
    let routes = sight.routes();
    let mut tables: BTreeMap<String, Vec<&Route>> = BTreeMap::new();
    for router in sight.routers() {
        tables.entry(router).or_default();
    }
    for route in &routes {
        tables.entry(route.router.clone()).or_default().push(route);
    }
    let most = sight.scale().pick("5000", "28000", "100000");
    let total = (tables.len() * 2).to_string();
    let table = |markup: Markup, id: usize, router: &str, kind: &str, rows: &[&Route]| {
        let entries = Markup::new().each(rows.iter().zip(1..), |markup, (route, id)| row(markup, id, route));
        markup.element("entry", |entry| {
            entry
                .leaves(&[
                    ("id", &id.to_string()),
                    ("vr", router),
                    ("max", most),
                    ("type", kind),
                    ("ecmp", "0"),
                ])
                .element("entries", |inside| inside.raw(&entries.into_string()))
                .leaf("nentries", &rows.len().to_string())
        })
    };
    let inside = Markup::new().each(tables.iter().enumerate(), |markup, (index, (router, rows))| {
        let markup = table(markup, index * 2 + 1, router, "IPv4", rows);
        table(markup, index * 2 + 2, router, "IPv6", &[])
    });
    reply::success(
        Markup::new()
            .leaves(&[("dp", "dp0"), ("total", &total)])
            .element("fibs", |fibs| fibs.raw(&inside.into_string())),
    )
}

fn row(markup: Markup, id: u32, route: &Route) -> Markup {
    let (kind, flags) = match route.source {
        Source::Host => ("2", "uh"),
        Source::Connected => ("1", "u"),
        Source::Static | Source::Bgp | Source::Ospf => ("0", "ug"),
    };
    markup.element("entry", |entry| {
        entry.leaves(&[
            ("id", &id.to_string()),
            ("dst", &route.destination),
            ("interface", &route.interface),
            ("nh_type", kind),
            ("flags", flags),
            ("nexthop", &route.nexthop.to_string()),
            ("mtu", "1500"),
        ])
    })
}

/// What a peer that is not established is doing: it tries, sees no answer, tries again.
fn bgp_state(sight: &Sight<'_>, peer: &BgpPeer) -> &'static str {
    match peer.up_for {
        Some(_) => "Established",
        None if sight.device.dataplane_up() => {
            let turn = sight.now.as_second().unsigned_abs() / 20 + peer.index;
            if turn.is_multiple_of(3) {
                "Connect"
            } else {
                "Active"
            }
        }
        None => "Idle",
    }
}

fn bgp_peers(sight: &Sight<'_>) -> Response<Bytes> {
    let peers = if sight.is_advanced() {
        Vec::new()
    } else {
        sight.bgp_peers()
    };
    let local = sight.local_as().to_string();
    reply::success(Markup::new().each(peers, |markup, peer| {
        let up = peer.up_for.unwrap_or(0);
        let prefixes = if peer.up_for.is_some() { peer.prefixes } else { 0 };
        let start = format!(
            "<entry peer=\"{}\" vr=\"{}\">",
            quick_xml::escape::escape(peer.name.as_str()),
            quick_xml::escape::escape(peer.router.as_str())
        );
        markup
            .raw(&start)
            .leaves(&[
                ("peer-group", "upstream"),
                ("peer-router-id", &peer.address.to_string()),
                ("remote-as", &peer.remote_as.to_string()),
                ("local-as", &local),
                ("status", bgp_state(sight, &peer)),
                ("status-duration", &up.to_string()),
                ("password-set", "no"),
                ("passive", "no"),
                ("peer-address", &format!("{}:179", peer.address)),
                ("local-address", &format!("{}:50000", sight.outside_address())),
                ("holdtime", "90"),
                ("keepalive", "30"),
                (
                    "msg-update-in",
                    &(u64::try_from(up / 300).unwrap_or(0) + prefixes).to_string(),
                ),
                ("msg-update-out", &(up / 600).to_string()),
                ("msg-total-in", &(up / 30).to_string()),
                ("msg-total-out", &(up / 30).to_string()),
                ("last-error", ""),
                ("status-flap-counts", "1"),
                (
                    "established-counts",
                    if peer.up_for.is_some() { "1" } else { "0" },
                ),
            ])
            .element("prefix-counter", |counter| {
                counter
                    .raw("<entry afi-safi=\"bgpAfiIpv4-unicast\">")
                    .leaves(&[
                        ("incoming-total", &prefixes.to_string()),
                        ("incoming-accepted", &prefixes.to_string()),
                        ("incoming-rejected", "0"),
                        ("outgoing-total", "1"),
                        ("outgoing-advertised", "1"),
                    ])
                    .raw("</entry>")
            })
            .raw("</entry>")
    }))
}

fn ospf_neighbours(sight: &Sight<'_>) -> Response<Bytes> {
    let neighbours = if sight.is_advanced() {
        Vec::new()
    } else {
        sight.ospf_neighbours()
    };
    reply::success(Markup::new().each(neighbours, |markup, neighbour| {
        let full = neighbour.full_for.is_some();
        let state = match (full, sight.device.dataplane_up()) {
            (true, _) => "full",
            (false, true) => "exchange start",
            (false, false) => "down",
        };
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("virtual-router", &neighbour.router),
                ("neighbor-address", &neighbour.address.to_string()),
                ("local-address-binding", "0.0.0.0"),
                ("type", "dynamic"),
                ("status", state),
                ("neighbor-router-id", &neighbour.id.to_string()),
                ("area-id", "0.0.0.0"),
                ("neighbor-priority", "1"),
                ("lifetime-remain", "38"),
                ("messages-pending", "0"),
                ("lsa-request-pending", "0"),
                ("hello-suppressed", "no"),
                ("restart-helper-status", "not helping"),
            ])
        })
    }))
}

fn advanced_routes(sight: &Sight<'_>) -> Value {
    let mut routers: BTreeMap<String, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
    for router in sight.routers() {
        routers.entry(router).or_default();
    }
    for route in sight.routes() {
        let hop = json!({
            "active": true,
            "fib": true,
            "interfaceName": route.interface,
            "ip": route.nexthop.to_string(),
            "directlyConnected": route.source == Source::Connected,
        });
        let one = json!({
            "prefix": route.destination,
            "protocol": route.source.protocol(),
            "vrfName": route.router,
            "selected": true,
            "destSelected": true,
            "distance": route.source.distance(),
            "metric": route.metric,
            "installed": true,
            "uptime": clock(route.age.unwrap_or(sight.device.uptime(sight.now).as_secs())),
            "nexthops": [hop],
        });
        let table = routers.entry(route.router).or_default();
        table.entry(route.destination).or_default().push(one);
    }
    json!(routers)
}

fn advanced_bgp(sight: &Sight<'_>) -> Value {
    let peers: BTreeMap<String, Value> = sight
        .bgp_peers()
        .into_iter()
        .map(|peer| {
            let state = bgp_state(sight, &peer);
            let prefixes = peer.up_for.map_or(0, |_| peer.prefixes);
            let one = json!({
                "peer-name": peer.name,
                "logical-router": peer.router,
                "peer-group-name": "upstream",
                "peer-ip": peer.address.to_string(),
                "remote-as": peer.remote_as,
                "local-as": sight.local_as(),
                "state": state,
                "status-time": peer.up_for.unwrap_or(0),
                "detail": {"addressFamilyInfo": {"ipv4Unicast": {"acceptedPrefixCounter": prefixes}}},
            });
            (peer.name, one)
        })
        .collect();
    json!(peers)
}

fn advanced_ospf(sight: &Sight<'_>) -> Value {
    let mut routers: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for neighbour in sight.ospf_neighbours() {
        let state = if neighbour.full_for.is_some() {
            "Full/DR"
        } else {
            "ExStart/DROther"
        };
        // FRR adds the address on its own side of the link: the first of the network, as the interface has it.
        let [a, b, c, _] = neighbour.address.octets();
        let own = std::net::Ipv4Addr::new(a, b, c, 1);
        let one = json!([{
            "state": state,
            "address": neighbour.address.to_string(),
            "ifaceName": format!("ethernet1/2:{own}"),
            "upTime": clock(neighbour.full_for.unwrap_or(0)),
            "priority": 1,
        }]);
        let table = routers.entry(neighbour.router).or_default();
        table.insert(neighbour.id.to_string(), one);
    }
    let routers: BTreeMap<String, Value> = routers
        .into_iter()
        .map(|(router, neighbours)| (router, json!({ "neighbors": neighbours })))
        .collect();
    json!(routers)
}
