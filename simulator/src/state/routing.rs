//! Routes and whom they are learned from. BGP and OSPF take their time after a boot, and their routes with them.

use std::net::Ipv4Addr;

use super::Sight;
use super::tunnels::place;
use crate::area::Area;

/// Where a route comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Static,
    Connected,
    Host,
    Bgp,
    Ospf,
}

impl Source {
    /// As `show routing route` marks an active one.
    pub(crate) fn flags(self) -> &'static str {
        match self {
            Self::Static => "A S",
            Self::Connected => "A C",
            Self::Host => "A H",
            Self::Bgp => "A?B",
            Self::Ospf => "A Oi",
        }
    }

    /// As the advanced routing engine names it.
    pub(crate) fn protocol(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Connected => "connected",
            Self::Host => "local",
            Self::Bgp => "bgp",
            Self::Ospf => "ospf",
        }
    }

    pub(crate) fn distance(self) -> u32 {
        match self {
            Self::Static => 10,
            Self::Connected | Self::Host => 0,
            Self::Bgp => 20,
            Self::Ospf => 30,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) router: String,
    pub(crate) destination: String,
    pub(crate) nexthop: Ipv4Addr,
    pub(crate) metric: u32,
    pub(crate) source: Source,
    /// Seconds since it was learned.
    pub(crate) age: Option<i64>,
    pub(crate) interface: String,
}

#[derive(Debug, Clone)]
pub(crate) struct BgpPeer {
    pub(crate) index: u64,
    pub(crate) name: String,
    pub(crate) router: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) remote_as: u64,
    pub(crate) prefixes: u64,
    /// Seconds since the session is established.
    pub(crate) up_for: Option<i64>,
}

#[derive(Debug, Clone)]
pub(crate) struct OspfNeighbour {
    pub(crate) index: u64,
    pub(crate) router: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) id: Ipv4Addr,
    pub(crate) routes: u64,
    /// Seconds since the adjacency is full.
    pub(crate) full_for: Option<i64>,
}

/// The neighbour every default route leads to.
const UPSTREAM: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

impl Sight<'_> {
    /// Whether the advanced routing engine runs, which came with 10.2.
    pub(crate) fn is_advanced(&self) -> bool {
        self.is_on(|setup| setup.advanced_routing) && self.is_since("10.2")
    }

    pub(crate) fn local_as(&self) -> u64 {
        self.shared("local as", 0, 64_512, 64_999)
    }

    pub(crate) fn bgp_peers(&self) -> Vec<BgpPeer> {
        let given = self.given(|setup| setup.bgp_peers);
        let count = self.count(given, "bgp peers", [(0, 2), (1, 4), (2, 8)]);
        let routers = self.routers();
        (0..count)
            .map(|index| BgpPeer {
                index,
                name: format!("peer-{}", place(index)),
                router: turn(&routers, index),
                address: Ipv4Addr::new(203, 0, 113, 255 - u8::try_from(index % 4 + 1).unwrap_or(1)),
                remote_as: self.shared("remote as", index, 65_000, 65_500),
                prefixes: self.shared("bgp prefixes", index, 2, 9),
                up_for: self.member_back_for(Area::Bgp, "bgp", index, 60),
            })
            .collect()
    }

    pub(crate) fn ospf_neighbours(&self) -> Vec<OspfNeighbour> {
        let given = self.given(|setup| setup.ospf_neighbours);
        let count = self.count(given, "ospf neighbours", [(0, 1), (1, 2), (1, 4)]);
        let (site, router) = (self.site_octet(), self.first_router());
        (0..count)
            .map(|index| {
                let last = u8::try_from(index % 200 + 2).unwrap_or(2);
                OspfNeighbour {
                    index,
                    router: router.clone(),
                    address: Ipv4Addr::new(10, site, 0, last),
                    id: Ipv4Addr::new(10, 255, site, last),
                    routes: self.shared("ospf routes", index, 2, 6),
                    full_for: self.member_back_for(Area::Ospf, "ospf", index, 25),
                }
            })
            .collect()
    }

    /// Static routes of the configuration: destination and next hop, the default route first.
    pub(crate) fn static_routes(&self) -> Vec<(String, Ipv4Addr)> {
        let given = self.given(|setup| setup.static_routes);
        let count = self.count(given, "static routes", [(1, 3), (2, 6), (4, 12)]);
        let site = self.site_octet();
        let more = (0..count).map(|index| {
            let (third, fourth) = (index / 256, index % 256);
            let host = Ipv4Addr::new(10, site, 0, 254);
            (format!("172.{}.{fourth}.0/24", 16 + third % 16), host)
        });
        std::iter::once(("0.0.0.0/0".to_owned(), UPSTREAM))
            .chain(more)
            .collect()
    }

    /// The routing table as it is now.
    pub(crate) fn routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        if self.has_back(Area::Routes) {
            self.add_static(&mut routes);
            self.add_connected(&mut routes);
        }
        for peer in self.bgp_peers() {
            let Some(age) = peer.up_for else { continue };
            for prefix in 0..peer.prefixes {
                routes.push(Route {
                    router: peer.router.clone(),
                    destination: format!("100.{}.{prefix}.0/24", 64 + peer.index % 64),
                    nexthop: peer.address,
                    metric: 0,
                    source: Source::Bgp,
                    age: Some(age),
                    interface: "ethernet1/1".to_owned(),
                });
            }
        }
        for neighbour in self.ospf_neighbours() {
            let Some(age) = neighbour.full_for else { continue };
            for number in 0..neighbour.routes {
                let (third, last) = (neighbour.index % 64, number * 16);
                routes.push(Route {
                    router: neighbour.router.clone(),
                    destination: format!("10.254.{third}.{last}/28"),
                    nexthop: neighbour.address,
                    metric: 20,
                    source: Source::Ospf,
                    age: Some(age),
                    interface: "ethernet1/2".to_owned(),
                });
            }
        }
        routes
    }

    fn add_static(&self, routes: &mut Vec<Route>) {
        let router = self.first_router();
        for (index, (destination, nexthop)) in self.static_routes().into_iter().enumerate() {
            let interface = if index == 0 { "ethernet1/1" } else { "ethernet1/2" };
            routes.push(Route {
                router: router.clone(),
                destination,
                nexthop,
                metric: 10,
                source: Source::Static,
                age: None,
                interface: interface.to_owned(),
            });
        }
    }

    fn add_connected(&self, routes: &mut Vec<Route>) {
        for interface in self.interfaces() {
            let Some((address, prefix)) = interface.address.filter(|_| self.is_up(&interface)) else {
                continue;
            };
            let route = |destination, source, name: &str| Route {
                router: interface.router.clone(),
                destination,
                nexthop: address,
                metric: 0,
                source,
                age: None,
                interface: name.to_owned(),
            };
            if prefix < 32 {
                let network = network(address, prefix);
                routes.push(route(
                    format!("{network}/{prefix}"),
                    Source::Connected,
                    &interface.name,
                ));
            }
            routes.push(route(format!("{address}/32"), Source::Host, ""));
        }
    }
}

/// Takes turns through a list that is not empty.
fn turn(list: &[String], index: u64) -> String {
    let place = usize::try_from(index).unwrap_or(0) % list.len().max(1);
    list.get(place).cloned().unwrap_or_default()
}

pub(crate) fn network(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    Ipv4Addr::from(u32::from(address) & mask)
}
