//! What the system log holds of links: a dataplane that goes takes the links of all ports with it, and a port that flaps goes
//! by itself. Worked out when somebody asks; of former boots only when their links came and went is kept.

use jiff::{SignedDuration, Timestamp};

use super::Sight;
use super::interfaces::Kind;
use crate::area::Area;
use crate::device::{Device, seconds};
use crate::jobs::after;
use crate::world::World;

/// A flapping port goes down twice an hour, for a few seconds. Assumed: flaps of the field come by the day and by the second.
const FLAP_EVERY: SignedDuration = SignedDuration::from_mins(30);
const FLAP_LASTS: SignedDuration = SignedDuration::from_secs(8);

/// Flaps of one time in service that are told, the newest; a reply holds at most 5000 entries.
const FLAPS_TOLD: i64 = 2500;

/// Former times in service that are remembered. A log is kept for weeks, and in weeks few devices go down so often.
const SERVICES_KEPT: usize = 100;

/// When links were there: from, by the kind of port, and until.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InService {
    ports: Option<Timestamp>,
    optics: Option<Timestamp>,
    until: Timestamp,
}

/// One change of the link of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkChange {
    pub(crate) at: Timestamp,
    pub(crate) port: u16,
    pub(crate) up: bool,
}

impl Device {
    /// The dataplane is about to go: when its links came is noted down.
    pub(crate) fn lose_links(&mut self, world: &World, at: Timestamp) {
        let came = |area| self.back_at(world, area).filter(|came| *came <= at);
        let service = InService {
            ports: came(Area::Interfaces),
            optics: came(Area::Optics),
            until: at,
        };
        if service.ports.is_some() {
            if self.former_services.len() >= SERVICES_KEPT {
                self.former_services.remove(0);
            }
            self.former_services.push(service);
        }
    }
}

impl Sight<'_> {
    /// The changes of links, the newest first. Of former boots those of the ports that have a cable now.
    pub(crate) fn link_changes(&self) -> Vec<LinkChange> {
        let came = |area| {
            self.device
                .back_at(self.world, area)
                .filter(|came| *came <= self.now)
        };
        let runs = self.device.dataplane_up().then(|| InService {
            ports: came(Area::Interfaces),
            optics: came(Area::Optics),
            until: Timestamp::MAX,
        });
        let services: Vec<InService> = self.device.former_services.iter().copied().chain(runs).collect();
        let ports = self
            .interfaces()
            .into_iter()
            .filter(|one| matches!(one.kind, Kind::Ethernet | Kind::Member) && self.is_cabled(one.port));
        let mut changes: Vec<LinkChange> = ports
            .flat_map(|one| {
                let of_port = services
                    .iter()
                    .flat_map(move |service| self.changes_of(one.port, service));
                of_port.collect::<Vec<_>>()
            })
            .collect();
        changes.sort_by(|one, other| other.cmp(one));
        changes
    }

    /// The changes of one port in one time in service, in no order.
    fn changes_of(&self, port: u16, service: &InService) -> Vec<LinkChange> {
        let from = if self.takes_optic(port) {
            // An optic has a link when both are there.
            service
                .ports
                .zip(service.optics)
                .map(|(ports, optics)| ports.max(optics))
        } else {
            service.ports
        };
        let Some(from) = from else { return Vec::new() };
        let change = |at, up| LinkChange { at, port, up };
        let mut changes = vec![change(from, true)];
        let seen = service.until.min(self.now);
        let mut gone = false;
        if let Some(last) = self.flap_before(port, from, seen) {
            for flap in (last - FLAPS_TOLD).max(0)..=last {
                let down = flap_at(self.first_flap(port, from), flap);
                changes.push(change(down, false));
                gone = after(down, FLAP_LASTS) > seen;
                if !gone {
                    changes.push(change(after(down, FLAP_LASTS), true));
                }
            }
        }
        // Down already, it does not go down again.
        if service.until <= self.now && !gone {
            changes.push(change(service.until, false));
        }
        changes
    }

    /// Whether the link of a flapping port is gone right now, having come `since`.
    pub(super) fn is_flapped(&self, port: u16, since: Timestamp) -> bool {
        self.flap_before(port, since, self.now)
            .is_some_and(|last| after(flap_at(self.first_flap(port, since), last), FLAP_LASTS) > self.now)
    }

    /// The last flap of a port that began by `at`, counted from 0; none of a port that does not flap.
    fn flap_before(&self, port: u16, since: Timestamp, at: Timestamp) -> Option<i64> {
        if !self.is_on(|setup| setup.flapping_ports.contains(&port)) {
            return None;
        }
        let passed = at.duration_since(self.first_flap(port, since));
        (!passed.is_negative()).then(|| passed.as_secs() / FLAP_EVERY.as_secs())
    }

    /// Ports flap each in their own time.
    fn first_flap(&self, port: u16, since: Timestamp) -> Timestamp {
        let offset = self.own("first flap", u64::from(port), 60, 600);
        after(since, seconds(offset))
    }
}

fn flap_at(first: Timestamp, flap: i64) -> Timestamp {
    let passed = flap.saturating_mul(FLAP_EVERY.as_secs());
    after(first, SignedDuration::from_secs(passed))
}
