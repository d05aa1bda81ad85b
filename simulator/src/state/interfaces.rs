//! Ports and the interfaces on them: which there are, which have a link, what passed through them.

use std::net::Ipv4Addr;

use super::Sight;
use crate::area::Area;
use crate::jobs::after;

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
        let mut interfaces = self.ports();
        interfaces.extend(self.placed());
        interfaces.extend((1..=self.tunnel_count()).map(|unit| Interface {
            zone: "vpn",
            mtu: 1427,
            ..self.plain(format!("tunnel.{unit}"), Kind::Tunnel)
        }));
        interfaces
    }

    fn plain(&self, name: String, kind: Kind) -> Interface {
        Interface {
            name,
            kind,
            port: 0,
            zone: "",
            router: self.first_router(),
            address: None,
            mtu: 1500,
            tag: 0,
        }
    }

    fn inside(&self, third: u8) -> Option<(Ipv4Addr, u8)> {
        Some((Ipv4Addr::new(10, self.site_octet(), third, 1), 24))
    }

    fn ports(&self) -> Vec<Interface> {
        let ports = self.device.class.ports;
        let port = |port: u16| {
            let member = self.has_aggregate() && AGGREGATE.contains(&port);
            let kind = if member { Kind::Member } else { Kind::Ethernet };
            let (zone, address) = match port {
                1 => ("untrust", Some((self.outside_address(), 24))),
                2 => ("trust", self.inside(0)),
                3 if !member => ("dmz", self.inside(3)),
                _ => ("", None),
            };
            Interface {
                port,
                zone,
                address,
                ..self.plain(format!("ethernet1/{port}"), kind)
            }
        };
        (1..=ports.copper + ports.cages).map(port).collect()
    }

    /// What is no port and has an address.
    fn placed(&self) -> Vec<Interface> {
        let last_router = self.routers().pop().unwrap_or_default();
        let unit = |(tag, third, mtu): (u16, u8, u16)| Interface {
            tag,
            mtu,
            port: 2,
            zone: "trust",
            router: last_router.clone(),
            address: self.inside(third),
            ..self.plain(format!("ethernet1/2.{tag}"), Kind::Subinterface)
        };
        let mut placed = [(100, 100, 1500), (200, 200, 1400)].map(unit).to_vec();
        if self.has_aggregate() {
            placed.push(Interface {
                zone: "dmz",
                address: self.inside(3),
                ..self.plain("ae1".to_owned(), Kind::Aggregate)
            });
        }
        placed.push(Interface {
            zone: "trust",
            address: Some((Ipv4Addr::new(10, 255, self.site_octet(), 1), 32)),
            ..self.plain("loopback.1".to_owned(), Kind::Loopback)
        });
        placed
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
        let Some(mut since) = self.back_for(Area::Interfaces) else {
            return false;
        };
        if self.takes_optic(port) {
            let Some(optics) = self.back_for(Area::Optics) else {
                return false;
            };
            since = since.min(optics);
        }
        self.is_cabled(port) && !self.is_flapped(port, after(self.now, -since))
    }

    /// Whether a port has a cage for an optic.
    pub(super) fn takes_optic(&self, port: u16) -> bool {
        port > self.device.class.ports.copper
    }

    /// Whether something that can have a link is plugged into a port.
    pub(super) fn is_cabled(&self, port: u16) -> bool {
        if self.takes_optic(port) {
            let optics = &self.device.optics;
            optics.iter().any(|optic| optic.slot == 1 && optic.port == port)
        } else {
            // What is in use has a cable, and about half of the rest.
            port <= 4 || self.own("cable", u64::from(port), 0, 1) == 1
        }
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
