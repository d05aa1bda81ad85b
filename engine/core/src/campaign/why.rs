//! What people are told a campaign or a device of it waits for, by the rules that would let it go. Decides nothing.

use jiff::Timestamp;

use super::Campaign;
use super::rules::Draft;
use crate::device::Work;
use crate::names::DeviceId;
use crate::waiting::{Hold, PeerWait};

impl Campaign {
    /// Why a device waits, by the rules that would let it go; nothing where it works, is done or is halted.
    pub fn why(&self, device: &DeviceId, now: Timestamp) -> Option<Hold> {
        let standing = self.standings.get(device)?;
        if !matches!(standing.work, Work::Idle(_)) {
            return None;
        }
        if let Some(incident) = &self.halted {
            return Some(Hold::CampaignHalted {
                incident: incident.clone(),
            });
        }
        let index = self.plan.wave_of(device)?;
        let wave = self.plan.waves.get(index)?;
        if let Some(hold) = self.wave_hold(index, now) {
            return Some(hold);
        }
        self.grantable(wave, device, standing, now, &Draft::default())
            .err()
    }

    /// Whether the whole campaign can only go on after a person did something, and what.
    pub fn waits_for_person(&self, now: Timestamp) -> Option<Hold> {
        if let Some(incident) = &self.halted {
            return Some(Hold::CampaignHalted {
                incident: incident.clone(),
            });
        }
        if !self.is_at_rest() || self.finished {
            return None;
        }
        let index = self.plan.waves.iter().position(|wave| !self.is_wave_over(wave))?;
        let wave = self.plan.waves.get(index)?;
        if let Some(hold) = self.wave_hold(index, now) {
            return hold.needs_person().then_some(hold);
        }
        let mut holds = Vec::new();
        for device in &wave.devices {
            let standing = self.standings.get(device)?;
            match &standing.work {
                Work::Done => {}
                Work::Halted { .. } => holds.push(Hold::DeviceHalted {
                    device: device.clone(),
                }),
                // Nothing holds it: it is about to be granted.
                Work::Idle(_) | Work::Working => holds.push(self.why(device, now)?),
            }
        }
        if holds.iter().any(goes_on_by_itself) {
            return None;
        }
        // What a person has to do comes before what only waits for that.
        let first = holds.iter().position(Hold::needs_person).unwrap_or(0);
        (!holds.is_empty()).then(|| holds.swap_remove(first))
    }
}

/// Whether a hold ends without a person, while nothing is under way and every permit that is out belongs to a halted device:
/// then whoever waits for a place or for its peer waits for a person in the end.
fn goes_on_by_itself(hold: &Hold) -> bool {
    match hold {
        Hold::Peer { because, .. } => match because {
            PeerWait::RolesUnknown => true,
            PeerWait::Working | PeerWait::Behind | PeerWait::PassiveFirst | PeerWait::Halted => false,
        },
        Hold::Concurrency { .. } | Hold::WindowTooShort { .. } => false,
        other => !other.needs_person(),
    }
}
