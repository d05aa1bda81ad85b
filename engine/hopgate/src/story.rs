//! The story of a campaign: one value that says what was planned, what happened, and why each device waited.
//!
//! A pure fold of the campaign's stream and the streams of its devices: the same journal gives the same story, and no
//! clock is read. What is still open is measured up to the last record. It decides nothing and must not know how it is
//! shown; why a device waited is answered by replaying the campaign's own rules, so what people are told afterwards is
//! what was decided.

use std::collections::BTreeMap;

use hopgate_core::names::{CampaignId, DeviceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use campaign::{
    Approval, CampaignHalt, CampaignState, CampaignStory, IncidentStory, PlanTaken, Resume, WaveStory,
};
pub use device::{DeviceHalt, DeviceStanding, DeviceState, DeviceStory, HopState, HopStory, Part, Span};
pub use totals::{SlowestHop, Totals};
pub use wait::{Wait, WaitCause};

use crate::ledger::{Ledger, LedgerError};

mod campaign;
mod device;
mod following;
mod replay;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
mod totals;
mod wait;

/// Everything that happened in a campaign, up to its last record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The campaign as a whole.
    pub campaign: CampaignStory,
    /// Its devices: by wave, in the order in which a wave lists them; devices that dropped out of the plan come last.
    pub devices: Vec<DeviceStory>,
    /// Counts over all devices.
    pub totals: Totals,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it happened.
    pub at: Timestamp,
    /// The event's name, as it is stored.
    pub event: String,
    /// The event in words. May hold what a device answered, as it answered it: whoever shows it has to make it safe.
    pub text: String,
}

impl Story {
    /// The story that the journal tells of a campaign; nothing where it knows no such campaign. `labels` come from the
    /// inventory, which the journal does not keep.
    ///
    /// # Errors
    /// A stream or a plan cannot be read, or contradicts itself.
    pub fn of(
        ledger: &Ledger,
        campaign: &CampaignId,
        labels: &BTreeMap<DeviceId, BTreeMap<String, String>>,
    ) -> Result<Option<Story>, LedgerError> {
        let Some(records) = replay::Records::read(ledger, campaign)? else {
            return Ok(None);
        };
        let (campaign, devices) = replay::tell(&records, labels)?;
        let totals = Totals::over(&devices, campaign.incidents.len());
        Ok(Some(Story {
            campaign,
            devices,
            totals,
        }))
    }

    /// One device of it.
    pub fn device(&self, device: &DeviceId) -> Option<&DeviceStory> {
        self.devices.iter().find(|known| known.device == *device)
    }
}

pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Whole minutes between two instants, rounded to the nearest; 0 where a stepped clock put the end before the start.
pub(crate) fn minutes_between(from: Timestamp, until: Timestamp) -> u32 {
    minutes_of(seconds_between(from, until))
}

fn seconds_between(from: Timestamp, until: Timestamp) -> i64 {
    from.duration_until(until).as_secs().max(0)
}

fn minutes_of(seconds: i64) -> u32 {
    u32::try_from((seconds + 30) / 60).unwrap_or(u32::MAX)
}
