//! What a firewall has besides its own machinery: neighbours, routes, tunnels, sessions, licences, certificates.
//!
//! Nothing of it is stored. Everything is worked out, when somebody asks, from the seed, the setup, the number of
//! boots and the instant, so that a device at rest costs nothing and the same question has the same answer. Knows
//! nothing of requests.

pub(crate) mod certificates;
pub(crate) mod interfaces;
pub(crate) mod licences;
pub(crate) mod link_log;
pub(crate) mod neighbours;
pub(crate) mod routing;
pub(crate) mod services;
pub(crate) mod sessions;
pub(crate) mod tunnels;

use jiff::{SignedDuration, Timestamp};

use crate::area::Area;
use crate::device::Device;
use crate::setup::Setup;
use crate::world::World;

/// A device seen at an instant.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) world: &'a World,
    pub(crate) device: &'a Device,
    pub(crate) now: Timestamp,
}

/// How much a device has to do, by the number of its ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Branch,
    Campus,
    Core,
}

impl Scale {
    /// One of three values.
    pub(crate) fn pick<T>(self, branch: T, campus: T, core: T) -> T {
        match self {
            Self::Branch => branch,
            Self::Campus => campus,
            Self::Core => core,
        }
    }
}

impl<'a> Sight<'a> {
    /// A number that both members of a pair have in common, as they share their configuration.
    pub(crate) fn shared(&self, purpose: &str, counter: u64, low: u64, high: u64) -> u64 {
        let name = self.device.configured_as.as_deref().unwrap_or(&self.device.name);
        self.world.seed.between(name, purpose, counter, low, high)
    }

    /// A number of this device alone.
    pub(crate) fn own(&self, purpose: &str, counter: u64, low: u64, high: u64) -> u64 {
        self.world
            .seed
            .between(&self.device.name, purpose, counter, low, high)
    }

    /// A number below 256 that both members of a pair have in common.
    pub(crate) fn octet(&self, purpose: &str, counter: u64, low: u8, high: u8) -> u8 {
        let drawn = self.shared(purpose, counter, u64::from(low), u64::from(high));
        u8::try_from(drawn).unwrap_or(high)
    }

    /// A count of the setup, or one drawn from a range by how much the device has to do.
    pub(crate) fn count(&self, given: Option<u32>, purpose: &str, ranges: [(u64, u64); 3]) -> u64 {
        match given {
            Some(count) => u64::from(count),
            None => {
                let [branch, campus, core] = ranges;
                let (low, high) = self.scale().pick(branch, campus, core);
                self.shared(purpose, 0, low, high)
            }
        }
    }

    pub(crate) fn setup(&self) -> Option<&'a Setup> {
        self.device.setup.as_deref()
    }

    /// A value of the setup, where it gives one.
    pub(crate) fn given<T>(&self, value: impl FnOnce(&'a Setup) -> Option<T>) -> Option<T> {
        self.setup().and_then(value)
    }

    /// A switch of the setup; off where there is no setup.
    pub(crate) fn is_on(&self, switch: impl FnOnce(&Setup) -> bool) -> bool {
        self.setup().is_some_and(switch)
    }

    pub(crate) fn scale(&self) -> Scale {
        let ports = self.device.class.ports;
        match ports.copper + ports.cages {
            0..=12 => Scale::Branch,
            13..=22 => Scale::Campus,
            _ => Scale::Core,
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.device.class.name == "vm"
    }

    /// How long an area has been back since the last boot. What has neighbours needs links first.
    pub(crate) fn back_for(&self, area: Area) -> Option<SignedDuration> {
        let back = |area| self.device.back_for(self.world, area, self.now);
        let own = back(area)?;
        if area.needs_links() {
            Some(own.min(back(Area::Interfaces)?))
        } else {
            Some(own)
        }
    }

    pub(crate) fn has_back(&self, area: Area) -> bool {
        self.back_for(area).is_some()
    }

    /// Seconds since the `index`th of an area's members is back: they do not all come at once. After a boot each
    /// takes up to `spread` seconds more.
    pub(crate) fn member_back_for(&self, area: Area, purpose: &str, index: u64, spread: u64) -> Option<i64> {
        let late = self.own(purpose, index + 1000 * self.device.boot_record.boots, 0, spread);
        let since = self.back_for(area)?.as_secs() - i64::try_from(late).unwrap_or(0);
        (since >= 0).then_some(since)
    }

    /// Whether the running release is of `train` or a later one.
    pub(crate) fn is_since(&self, train: &str) -> bool {
        self.world.catalogue.is_since(self.device.version(), train)
    }
}
