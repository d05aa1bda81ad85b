//! Where packets go: routes, forwarding entries, routing peers, neighbours on a segment.
//! Knows the shapes and what identifies a row; must not know which routes matter.

use serde::{Deserialize, Serialize};

/// One row of the routing table. It is identified by virtual router, table, destination, next hop and interface together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    /// The virtual router.
    pub virtual_router: String,
    /// `unicast`, `multicast`.
    pub table: Option<String>,
    /// `10.0.0.0/8`.
    pub destination: String,
    /// An address, `vr other`, or `discard`.
    pub next_hop: String,
    /// The way out, where there is one.
    pub interface: Option<String>,
    /// Its metric.
    pub metric: Option<u64>,
    /// `A` active, `S` static, `B` BGP: one letter or two each, in the device's order.
    pub flags: Vec<String>,
    /// Seconds since it was learned, for learned ones.
    pub age: Option<u64>,
}

/// One row of the forwarding table. It is identified by dataplane, table, family, destination, interface and next hop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FibEntry {
    /// The dataplane that answered.
    pub dataplane: Option<String>,
    /// The virtual or logical router.
    pub router: String,
    /// `ipv4`, `ipv6`, where the device says.
    pub family: Option<String>,
    /// `10.0.0.0/8`.
    pub destination: String,
    /// The way out.
    pub interface: Option<String>,
    /// The next hop.
    pub next_hop: Option<String>,
    /// `u` up, `g` gateway, together: `ug`.
    pub flags: Option<String>,
    /// The largest packet, in bytes.
    pub mtu: Option<u64>,
}

/// One way that the advanced routing engine knows to a destination.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AdvancedRoute {
    /// The logical router.
    pub logical_router: String,
    /// `10.0.0.0/8`.
    pub destination: String,
    /// `static`, `connected`, `bgp`.
    pub protocol: Option<String>,
    /// The address of the next hop; none for connected routes.
    pub next_hop: Option<String>,
    /// The way out.
    pub interface: Option<String>,
    /// The administrative distance.
    pub distance: Option<u64>,
    /// The metric.
    pub metric: Option<u64>,
    /// Whether it is the chosen one.
    pub selected: bool,
    /// Whether it is in use.
    pub installed: bool,
}

/// One BGP peer. It is identified by virtual router, group and peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BgpPeer {
    /// The virtual router, or the logical one of the advanced routing engine; empty where that engine does not name it.
    pub virtual_router: String,
    /// The peer group.
    pub group: Option<String>,
    /// The peer's name.
    pub peer: String,
    /// `Established`, `Active`, `Idle`.
    pub status: String,
    /// Seconds in that state.
    pub status_seconds: Option<u64>,
    /// The peer's address, with its port.
    pub address: Option<String>,
    /// The peer's autonomous system.
    pub remote_as: Option<String>,
    /// What was exchanged, by address family.
    pub prefixes: Vec<BgpPrefixes>,
}

/// Prefixes exchanged with a peer in one address family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BgpPrefixes {
    /// `bgpAfiIpv4-unicast`; of the advanced routing engine `ipv4Unicast`.
    pub family: String,
    /// Received.
    pub received: Option<u64>,
    /// Received and taken.
    pub accepted: Option<u64>,
    /// Sent.
    pub advertised: Option<u64>,
}

/// One OSPF neighbour. It is identified by virtual router, local address and neighbour address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OspfNeighbour {
    /// The virtual router, or the logical one of the advanced routing engine.
    pub virtual_router: String,
    /// The address on our side.
    pub local_address: Option<String>,
    /// The neighbour's address.
    pub address: String,
    /// The neighbour's router id.
    pub router_id: Option<String>,
    /// The area.
    pub area: Option<String>,
    /// `full`, `2-way`, `down`: the same words for both engines as far as they have the same.
    pub status: String,
}

/// One neighbour on a segment. It is identified by dataplane, interface and address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ArpEntry {
    /// The dataplane that answered.
    pub dataplane: Option<String>,
    /// The interface.
    pub interface: String,
    /// Its address.
    pub address: String,
    /// Its MAC address; none where nobody answered.
    pub mac: Option<String>,
    /// The port it is behind.
    pub port: Option<String>,
    /// `s` static, `c` complete, `e` expiring, `i` incomplete.
    pub status: Option<String>,
    /// Seconds left.
    pub ttl: Option<u64>,
}
