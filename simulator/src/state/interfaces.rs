//! Ports and the interfaces on them: which there are, which have a link, what passed through them.

use std::net::Ipv4Addr;

use super::Sight;
use crate::area::Area;

/// An interface that has an address, or a port that has none.
#[derive(Debug, Clone)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Slot 1 port; 0 for what is no port.
    pub(crate) port: u16,
    pub(crate) zone: &'static str,
    pub(crate) router: String,
    pub(crate) address: Option<(Ipv4Addr, u8)>,
    pub(crate) mtu: u16,
    pub(crate) tag: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ethernet,
    /// A port that belongs to an aggregate.
    Member,
    Aggregate,
    Subinterface,
    Tunnel,
    Loopback,
}

/// The ports that form an aggregate on all but the smallest devices.
const AGGREGATE: [u16; 2] = [3, 4];

/// What passed through an interface since the dataplane came up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) errors: u64,
    pub(crate) drops: u64,
}

impl Sight<'_> {
    /// The first router: what is not said to be elsewhere belongs to it.
    pub(crate) fn first_router(&self) -> String {
        self.routers().swap_remove(0)
    }

    pub(crate) fn routers(&self) -> Vec<String> {
        self.given(|setup| setup.virtual_routers.clone())
            .filter(|routers| !routers.is_empty())
            .unwrap_or_else(|| vec!["default".to_owned()])
    }

    /// The second octet of the networks behind the device.
    pub(crate) fn site_octet(&self) -> u8 {
        self.octet("site octet", 0, 16, 250)
    }

    pub(crate) fn outside_address(&self) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, 113, self.octet("outside", 0, 2, 250))
    }

    pub(crate) fn has_aggregate(&self) -> bool {
        self.device.class.ports.copper + self.device.class.ports.cages > 12
    }

    /// Everything with a name, ports first.
    pub(crate) fn interfaces(&self) -> Vec<Interface> {
        let ports = self.device.class.ports;
        let (site, router) = (self.site_octet(), self.first_router());
        let last_router = self.routers().pop().unwrap_or_default();
        let plain = |name: String, kind, port| Interface {
            name,
            kind,
            port,
            zone: "",
            router: router.clone(),
            address: None,
            mtu: 1500,
            tag: 0,
        };
        let placed = |name: &str, kind, zone, address, prefix| Interface {
            zone,
            address: Some((address, prefix)),
            ..plain(name.to_owned(), kind, 0)
        };
        let inside = |third| Ipv4Addr::new(10, site, third, 1);
        let mut interfaces = Vec::new();
        for port in 1..=ports.copper + ports.cages {
            let name = format!("ethernet1/{port}");
            let member = self.has_aggregate() && AGGREGATE.contains(&port);
            let kind = if member { Kind::Member } else { Kind::Ethernet };
            let (zone, address) = match port {
                1 => ("untrust", Some((self.outside_address(), 24))),
                2 => ("trust", Some((inside(0), 24))),
                3 if !member => ("dmz", Some((inside(3), 24))),
                _ => ("", None),
            };
            interfaces.push(Interface {
                zone,
                address,
                ..plain(name, kind, port)
            });
        }
        for (tag, mtu) in [(100, 1500), (200, 1400)] {
            let third = u8::try_from(tag).unwrap_or(0);
            interfaces.push(Interface {
                tag,
                mtu,
                port: 2,
                router: last_router.clone(),
                ..placed(
                    &format!("ethernet1/2.{tag}"),
                    Kind::Subinterface,
                    "trust",
                    inside(third),
                    24,
                )
            });
        }
        if self.has_aggregate() {
            interfaces.push(placed("ae1", Kind::Aggregate, "dmz", inside(3), 24));
        }
        interfaces.push(placed(
            "loopback.1",
            Kind::Loopback,
            "trust",
            Ipv4Addr::new(10, 255, site, 1),
            32,
        ));
        for unit in 1..=self.tunnel_count() {
            let name = format!("tunnel.{unit}");
            interfaces.push(Interface {
                zone: "vpn",
                mtu: 1427,
                ..plain(name, Kind::Tunnel, 0)
            });
        }
        interfaces
    }

    /// Whether an interface has a link, or what stands for one.
    pub(crate) fn is_up(&self, interface: &Interface) -> bool {
        match interface.kind {
            Kind::Ethernet | Kind::Member | Kind::Subinterface => self.has_link(interface.port),
            Kind::Aggregate => AGGREGATE.iter().any(|port| self.has_link(*port)),
            Kind::Tunnel | Kind::Loopback => self.device.dataplane_up(),
        }
    }

    pub(crate) fn members_up(&self) -> Vec<(u16, bool)> {
        AGGREGATE.map(|port| (port, self.has_link(port))).to_vec()
    }

    fn has_link(&self, port: u16) -> bool {
        let ports = self.device.class.ports;
        let cabled = if port <= ports.copper {
            // What is in use has a cable, and about half of the rest.
            port <= 4 || self.own("cable", u64::from(port), 0, 1) == 1
        } else {
            let optics = &self.device.optics;
            optics.iter().any(|optic| optic.slot == 1 && optic.port == port) && self.has_back(Area::Optics)
        };
        cabled && self.has_back(Area::Interfaces)
    }

    /// Megabits a second.
    pub(crate) fn speed(&self, port: u16) -> u32 {
        let optic = self.device.optics.iter().find(|optic| optic.port == port);
        match optic.map(|optic| optic.media.as_str()) {
            Some(media) if media.contains("QSFP28") => 100_000,
            Some(media) if media.contains("QSFP") => 40_000,
            Some(media) if media.contains("Plus") => 10_000,
            _ => 1000,
        }
    }

    /// The hardware address of port `port`; of the management port for 0.
    pub(crate) fn hardware_address(&self, port: u16) -> String {
        let own = self.own("hardware address", 0, 0, 0xffff);
        let [_, _, _, _, _, _, high, low] = own.to_be_bytes();
        let port = u8::try_from(port).unwrap_or(u8::MAX);
        format!("b4:0c:25:{high:02x}:{low:02x}:{port:02x}")
    }

    pub(crate) fn traffic(&self, interface: &Interface, index: u64) -> Traffic {
        let none = Traffic {
            received: 0,
            sent: 0,
            errors: 0,
            drops: 0,
        };
        let Some(up) = self.back_for(Area::Interfaces).filter(|_| {
            self.is_up(interface) && (interface.address.is_some() || interface.kind == Kind::Member)
        }) else {
            return none;
        };
        let seconds = u64::try_from(up.as_secs()).unwrap_or(0);
        let rate = |purpose: &str| self.shared(purpose, index, 20_000, 4_000_000);
        Traffic {
            received: seconds.saturating_mul(rate("received")),
            sent: seconds.saturating_mul(rate("sent")),
            errors: 0,
            drops: seconds / self.shared("drops", index, 40, 4000),
        }
    }
}
