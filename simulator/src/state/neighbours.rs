//! The ARP table: hosts on the device's own networks, learned again after a boot.

use std::net::Ipv4Addr;

use super::Sight;
use crate::area::Area;

/// Seconds an entry lives, the vendor's default.
pub(crate) const LIFETIME: i64 = 1800;

#[derive(Debug, Clone)]
pub(crate) struct Neighbour {
    pub(crate) address: Ipv4Addr,
    pub(crate) hardware: String,
    pub(crate) interface: String,
    pub(crate) port: String,
    /// Seconds until it is asked for again.
    pub(crate) left: i64,
}

impl Sight<'_> {
    /// Who answered so far: whoever is talked to is learned within the first minute.
    pub(crate) fn neighbours(&self) -> Vec<Neighbour> {
        let (low, high) = self.scale().pick((2, 5), (3, 8), (4, 12));
        let mut neighbours = Vec::new();
        for (index, interface) in self.interfaces().into_iter().enumerate() {
            let (Some((own, prefix)), true) = (interface.address, self.is_up(&interface)) else {
                continue;
            };
            if prefix > 30 {
                continue;
            }
            let index = index as u64;
            let hosts = self.shared("hosts", index, low, high);
            for host in 0..hosts {
                let seed = index * 1000 + host;
                let [a, b, c, last] = own.octets();
                // The gateway of the outside network is the first to be known; nobody has the device's own address.
                let fourth = if host == 0 && index == 0 {
                    1
                } else {
                    u8::try_from(host * 7 + 20).unwrap_or(250)
                };
                let Some(since) = self.member_back_for(Area::Arp, "arp", seed, 60) else {
                    continue;
                };
                if fourth == last {
                    continue;
                }
                let hardware = self.shared("host hardware", seed, 0, 0x00ff_ffff);
                let [_, _, _, _, _, x, y, z] = hardware.to_be_bytes();
                neighbours.push(Neighbour {
                    address: Ipv4Addr::new(a, b, c, fourth),
                    hardware: format!("00:1b:17:{x:02x}:{y:02x}:{z:02x}"),
                    interface: interface.name.clone(),
                    port: match interface.port {
                        0 => interface.name.clone(),
                        port => format!("ethernet1/{port}"),
                    },
                    left: LIFETIME - since % LIFETIME,
                });
            }
        }
        neighbours
    }
}
