//! What a firewall has again only some time after its dataplane is up: each area with its own delay, which a fault
//! may lengthen or make endless.
//!
//! Decides when an area is back. What the area shows meanwhile is the business of the file that answers for it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::device::{Device, Phase, seconds};
use crate::jobs::after;
use crate::world::World;

/// A part of a firewall's state that comes back by itself after a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Static and connected routes, and with them the forwarding table.
    Routes,
    /// BGP sessions and the routes learned over them.
    Bgp,
    /// OSPF adjacencies and the routes learned over them.
    Ospf,
    /// IPsec tunnels.
    Ipsec,
    /// The ARP table.
    Arp,
    /// Sessions; their number climbs for minutes.
    Sessions,
    /// Links of all front ports.
    Interfaces,
    /// Links of the ports with an optic in them.
    Optics,
    /// The synchronised time.
    Ntp,
    /// GlobalProtect users.
    GlobalProtect,
    /// External dynamic lists.
    Edl,
    /// Licences.
    Licences,
    /// The connection to Panorama.
    Panorama,
}

/// How an area comes back, where a fault has a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Return {
    /// This many seconds after the dataplane came up.
    Late(u64),
    /// Not before something else cures it.
    Never,
}

impl Area {
    pub(crate) const ALL: [Self; 13] = [
        Self::Routes,
        Self::Bgp,
        Self::Ospf,
        Self::Ipsec,
        Self::Arp,
        Self::Sessions,
        Self::Interfaces,
        Self::Optics,
        Self::Ntp,
        Self::GlobalProtect,
        Self::Edl,
        Self::Licences,
        Self::Panorama,
    ];

    /// Shortest and longest delay after the dataplane came up, in seconds. Field knowledge, not the vendor's:
    /// what only reads the disk is there at once, what needs a neighbour takes a minute or two.
    fn delay(self) -> (u64, u64) {
        match self {
            Self::Routes | Self::Licences => (0, 0),
            Self::Interfaces | Self::Optics => (2, 12),
            Self::Arp => (5, 25),
            Self::Ospf => (40, 70),
            Self::Ipsec => (20, 75),
            Self::Bgp => (45, 100),
            Self::Sessions => (5, 15),
            Self::GlobalProtect => (30, 90),
            Self::Panorama => (30, 80),
            Self::Edl => (40, 110),
            // The end of R9, which the phase itself tells.
            Self::Ntp => (0, 0),
        }
    }

    /// Whether the management plane has it without the dataplane.
    fn is_of_management(self) -> bool {
        matches!(self, Self::Ntp | Self::Licences | Self::Panorama)
    }

    /// Whether it consists of neighbours on front ports.
    pub(crate) fn needs_links(self) -> bool {
        matches!(
            self,
            Self::Routes
                | Self::Bgp
                | Self::Ospf
                | Self::Ipsec
                | Self::Arp
                | Self::Sessions
                | Self::GlobalProtect
                | Self::Edl
        )
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::Routes => "return routes",
            Self::Bgp => "return bgp",
            Self::Ospf => "return ospf",
            Self::Ipsec => "return ipsec",
            Self::Arp => "return arp",
            Self::Sessions => "return sessions",
            Self::Interfaces => "return interfaces",
            Self::Optics => "return optics",
            Self::Ntp => "return ntp",
            Self::GlobalProtect => "return globalprotect",
            Self::Edl => "return edl",
            Self::Licences => "return licences",
            Self::Panorama => "return panorama",
        }
    }
}

impl Device {
    /// When an area is, or was, back after the boot that runs; `None` while it is not known to come.
    pub(crate) fn back_at(&self, world: &World, area: Area) -> Option<Timestamp> {
        let up = match (self.dataplane_since, area) {
            (Some(up), _) => up,
            // Licences lie on disk.
            (None, Area::Licences) => self.booted_at,
            (None, _) => return None,
        };
        let delay = match self.returns.get(&area) {
            Some(Return::Never) => return None,
            Some(Return::Late(late)) => *late,
            None => {
                let (low, high) = area.delay();
                world
                    .seed
                    .between(&self.name, area.purpose(), self.boot_record.boots, low, high)
            }
        };
        Some(after(up, seconds(delay)))
    }

    /// How long an area has been back; `None` while it is not.
    pub(crate) fn back_for(&self, world: &World, area: Area, now: Timestamp) -> Option<SignedDuration> {
        if !area.is_of_management() && !self.dataplane_up() {
            return None;
        }
        let on_time = area != Area::Ntp
            || self.returns.contains_key(&area)
            || matches!(self.phase, Phase::Up | Phase::Restarting);
        let since = now.duration_since(self.back_at(world, area)?);
        (on_time && since >= SignedDuration::ZERO).then_some(since)
    }

    /// Whether an area is back.
    pub(crate) fn has_back(&self, world: &World, area: Area, now: Timestamp) -> bool {
        self.back_for(world, area, now).is_some()
    }
}
