//! A loopback address of its own for every device, so that clients that go to a management address on port 443 get there.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::spec::FleetSpec;

/// A part of 127.0.0.0/8, such as `127.20.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopbackNet {
    network: u32,
    bits: u32,
}

/// Why devices get no addresses of their own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The text is no such network.
    #[error("`{text}` is not a loopback network (such as 127.20.0.0/16)")]
    NotANet {
        /// The text as it was given.
        text: String,
    },
    /// It has too few addresses.
    #[error("give {devices} devices an address each: the network has {addresses}")]
    Full {
        /// How many devices there are.
        devices: usize,
        /// How many addresses.
        addresses: u32,
    },
}

impl FromStr for LoopbackNet {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (address, bits) = text.split_once('/')?;
            let (address, bits): (Ipv4Addr, u32) = (address.parse().ok()?, bits.parse().ok()?);
            let network = address.to_bits();
            // At least the two addresses of a /30; the bits after the prefix have to be 0.
            let whole = (8..=30).contains(&bits) && network.trailing_zeros() >= 32 - bits;
            (address.is_loopback() && whole).then_some(Self { network, bits })
        };
        read().ok_or_else(|| AddressError::NotANet {
            text: text.to_owned(),
        })
    }
}

impl LoopbackNet {
    /// Addresses for hosts: neither the first nor the last of the network.
    fn hosts(self) -> impl Iterator<Item = Ipv4Addr> {
        let size = 1_u32 << (32 - self.bits);
        (1..size - 1).map(move |host| Ipv4Addr::from_bits(self.network + host))
    }
}

impl FleetSpec {
    /// Gives every device, Panoramas included, an address from the network as its management address. A loopback address that the fleet file
    /// gives a device stays.
    ///
    /// # Errors
    /// When the network has too few addresses.
    pub fn give_addresses(&mut self, net: LoopbackNet) -> Result<(), AddressError> {
        let devices = self.devices.len() + self.panoramas.len();
        let firewalls = self.devices.iter_mut().map(|device| &mut device.address);
        let panoramas = self.panoramas.iter_mut().map(|panorama| &mut panorama.address);
        let mut addresses: Vec<&mut Option<Ipv4Addr>> = firewalls.chain(panoramas).collect();
        let own = addresses.iter().filter_map(|address| **address);
        let taken: BTreeSet<Ipv4Addr> = own.filter(Ipv4Addr::is_loopback).collect();
        let mut free = net.hosts().filter(|address| !taken.contains(address));
        for address in &mut addresses {
            if address.is_some_and(|address| address.is_loopback()) {
                continue;
            }
            **address = Some(free.next().ok_or(AddressError::Full {
                devices,
                addresses: (1 << (32 - net.bits)) - 2,
            })?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_loopback_networks_are_read() {
        for good in ["127.20.0.0/16", "127.0.0.0/8", "127.1.2.4/30"] {
            good.parse::<LoopbackNet>().unwrap();
        }
        for bad in [
            "10.0.0.0/8",
            "127.20.0.1/16",
            "127.20.0.0",
            "127.20.0.0/31",
            "127.0.0.0/7",
            "x/16",
        ] {
            assert!(bad.parse::<LoopbackNet>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_device_gets_an_address_and_what_is_written_stays() {
        let mut fleet = FleetSpec::generate(4, 1).unwrap();
        fleet.devices[1].address = Some(Ipv4Addr::new(127, 20, 0, 1));
        fleet.devices[2].address = Some(Ipv4Addr::new(10, 1, 2, 3));
        fleet.give_addresses("127.20.0.0/29".parse().unwrap()).unwrap();
        let given: Vec<String> = fleet
            .devices
            .iter()
            .map(|device| device.address.unwrap().to_string())
            .collect();
        assert_eq!(given, ["127.20.0.2", "127.20.0.1", "127.20.0.3", "127.20.0.4"]);
        let mut large = FleetSpec::generate(7, 1).unwrap();
        let refused = large
            .give_addresses("127.20.0.0/29".parse().unwrap())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "give 7 devices an address each: the network has 6"
        );
    }
}
