//! Sessions: how many there are, and some of them. After a boot their number climbs for some minutes.

use std::net::Ipv4Addr;

use super::Sight;
use crate::area::Area;

/// Seconds from the first sessions to the usual number.
const CLIMB: u64 = 240;

/// Most sessions that a listing shows.
const SHOWN: u64 = 40;

/// Timers and thresholds: fixed, the vendor's defaults where a sample shows one.
const SETTINGS: [(&str, u64); 27] = [
    ("age-accel-thresh", 80),
    ("age-accel-tsf", 2),
    ("age-scan-ssf", 8),
    ("age-scan-thresh", 80),
    ("age-scan-tmo", 10),
    ("dis-def", 60),
    ("dis-sctp", 30),
    ("dis-tcp", 90),
    ("dis-udp", 60),
    ("icmp-unreachable-rate", 200),
    ("max-pending-mcast", 0),
    ("tcp-reject-siw-thresh", 4),
    ("tmo-cp", 30),
    ("tmo-def", 30),
    ("tmo-icmp", 6),
    ("tmo-sctp", 3600),
    ("tmo-sctpcookie", 60),
    ("tmo-sctpinit", 5),
    ("tmo-sctpshutdown", 60),
    ("tmo-tcp", 3600),
    ("tmo-tcp-delayed-ack", 25),
    ("tmo-tcp-unverif-rst", 30),
    ("tmo-tcphalfclosed", 120),
    ("tmo-tcphandshake", 10),
    ("tmo-tcpinit", 5),
    ("tmo-tcptimewait", 15),
    ("tmo-udp", 30),
];

/// Counters that stand still on a firewall without mobile-network protection.
const IDLE: [&str; 9] = [
    "num-bcast",
    "num-gtpc",
    "num-gtpu-active",
    "num-gtpu-pending",
    "num-http2-5gc",
    "num-mcast",
    "num-pfcpc",
    "num-sctp-assoc",
    "num-sctp-sess",
];

#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) source: Ipv4Addr,
    pub(crate) source_port: u64,
    pub(crate) destination: Ipv4Addr,
    pub(crate) destination_port: u16,
    pub(crate) application: &'static str,
    pub(crate) protocol: u8,
    pub(crate) age: i64,
}

impl Sight<'_> {
    /// The number of sessions at present.
    pub(crate) fn session_count(&self) -> u64 {
        let given = self.given(|setup| setup.sessions);
        let usual = self.count(
            given,
            "sessions",
            [(300, 4000), (3000, 30_000), (20_000, 200_000)],
        );
        let Some(up) = self.back_for(Area::Sessions) else {
            return 0;
        };
        let seconds = u64::try_from(up.as_secs()).unwrap_or(0);
        let climbed = usual * seconds.min(CLIMB) / CLIMB;
        // Within two percent from one minute to the next.
        let minute = self.now.as_second().unsigned_abs() / 60;
        climbed * (980 + self.own("session minute", minute, 0, 40)) / 1000
    }

    /// Every number panos-upgrade-assurance compares by default, in the order of their names. None is empty.
    pub(crate) fn session_numbers(&self) -> Vec<(&'static str, u64)> {
        let active = self.session_count();
        let udp = active * self.shared("udp share", 0, 25, 45) / 100;
        let icmp = active / 100;
        let most = self.scale().pick(64_000, 400_000, 4_000_000);
        let rate = active / 40;
        let seconds = self
            .back_for(Area::Sessions)
            .map_or(0, |up| u64::try_from(up.as_secs()).unwrap_or(0));
        let flows = [
            ("cps", rate),
            ("kbps", active * 24),
            ("num-active", active),
            ("num-icmp", icmp),
            ("num-installed", seconds * self.shared("installed", 0, 5, 90)),
            ("num-max", most),
            ("num-predict", active / 200),
            ("num-tcp", active - udp - icmp),
            ("num-udp", udp),
            ("pps", active * 3),
            ("vardata-rate", 10 * rate),
        ];
        let idle = IDLE.iter().map(|name| (*name, 0));
        let mut numbers: Vec<_> = SETTINGS.into_iter().chain(flows).chain(idle).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Some of the sessions: the long-lived ones, which are the same whenever one looks.
    pub(crate) fn sessions(&self) -> Vec<Session> {
        const KINDS: [(&str, u16, u8); 6] = [
            ("ssl", 443, 6),
            ("dns", 53, 17),
            ("web-browsing", 80, 6),
            ("ssh", 22, 6),
            ("ms-ds-smbv3", 445, 6),
            ("ntp", 123, 17),
        ];
        let site = self.site_octet();
        let since = self.back_for(Area::Sessions).map_or(0, |up| up.as_secs());
        (0..self.session_count().min(SHOWN))
            .map(|index| {
                let (application, destination_port, protocol) = usize::try_from(index)
                    .ok()
                    .and_then(|index| KINDS.get(index % KINDS.len()))
                    .copied()
                    .unwrap_or(("unknown-tcp", 9, 6));
                Session {
                    id: 1 + index * 61 + self.shared("session id", index, 0, 60),
                    source: Ipv4Addr::new(10, site, 0, self.octet("session source", index, 20, 250)),
                    source_port: self.shared("session port", index, 20_000, 60_000),
                    destination: Ipv4Addr::new(192, 0, 2, self.octet("session target", index, 1, 254)),
                    destination_port,
                    application,
                    protocol,
                    age: since,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_forty_seven_numbers() {
        // Eleven flow numbers besides these.
        assert_eq!(SETTINGS.len() + IDLE.len() + 11, 47);
    }
}
