//! IPsec tunnels: where they lead, and whether they are up.

use std::net::Ipv4Addr;

use super::Sight;
use crate::area::Area;

/// Places that tunnels are named after; more of them get a number.
const PLACES: [&str; 24] = [
    "berlin", "oslo", "madrid", "vienna", "zurich", "lyon", "porto", "turin", "ghent", "malmo", "graz",
    "leeds", "cork", "bergen", "brno", "gdansk", "tartu", "varna", "split", "patras", "aarhus", "tampere",
    "utrecht", "basel",
];

/// The name of the `index`th of what is named after places.
pub(crate) fn place(index: u64) -> String {
    let count = PLACES.len() as u64;
    let name = usize::try_from(index % count)
        .ok()
        .and_then(|place| PLACES.get(place))
        .unwrap_or(&"site");
    match index / count {
        0 => (*name).to_owned(),
        round => format!("{name}-{}", round + 1),
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Tunnel {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) gateway: u64,
    pub(crate) inner: String,
    pub(crate) local: Ipv4Addr,
    pub(crate) peer: Ipv4Addr,
    /// Seconds since it came up; `None` while it is negotiated.
    pub(crate) up_for: Option<i64>,
    /// Whether tunnel monitoring watches its far end, and brings it up without traffic.
    pub(crate) is_monitored: bool,
}

impl Tunnel {
    pub(crate) fn state(&self) -> &'static str {
        if self.up_for.is_some() { "active" } else { "init" }
    }

    pub(crate) fn monitor(&self) -> &'static str {
        match (self.is_monitored, self.up_for) {
            (false, _) => "off",
            (true, Some(_)) => "up",
            (true, None) => "down",
        }
    }
}

impl Sight<'_> {
    pub(crate) fn tunnel_count(&self) -> u64 {
        let given = self.given(|setup| setup.ipsec_tunnels);
        self.count(given, "tunnels", [(1, 3), (3, 8), (6, 18)])
    }

    pub(crate) fn tunnels(&self) -> Vec<Tunnel> {
        (0..self.tunnel_count())
            .map(|index| Tunnel {
                id: index + 1,
                name: format!("to-{}", place(index)),
                gateway: index + 1,
                inner: format!("tunnel.{}", index + 1),
                local: self.outside_address(),
                peer: Ipv4Addr::new(198, 51, 100, self.octet("tunnel peer", index, 1, 254)),
                up_for: self.member_back_for(Area::Ipsec, "tunnel", index, 45),
                is_monitored: index.is_multiple_of(2),
            })
            .collect()
    }
}
