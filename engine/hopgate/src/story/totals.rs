//! Counts over all devices of a campaign, and how long its hops took.
//!
//! Computed from the finished stories of the devices; knows nothing of the journal.

use hopgate_core::device::How;
use hopgate_core::names::DeviceId;
use serde::{Deserialize, Serialize};

use super::{DeviceStanding, DeviceStory, HopState, count};

/// Counts over all devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Devices in the campaign.
    pub devices: u32,
    /// Of these, at their target.
    pub done: u32,
    /// Of these, in a hop.
    pub working: u32,
    /// Of these, between hops.
    pub waiting: u32,
    /// Of these, stopped for a person.
    pub halted: u32,
    /// Of these, the ones that go on only after a person did something.
    pub need_person: u32,
    /// Hops of all devices.
    pub hops: u32,
    /// Of these, ended well.
    pub hops_done: u32,
    /// Middle of the minutes of all hops that we did; the mean of both middle ones where their number is even.
    pub median_hop_minutes: Option<u32>,
    /// The hop that took longest, of those that we did.
    pub slowest: Option<SlowestHop>,
    /// Incidents opened.
    pub incidents: u32,
}

/// The hop that took longest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowestHop {
    /// The device.
    pub device: DeviceId,
    /// The hop, from 1.
    pub hop: u32,
    /// How long it took.
    pub minutes: u32,
}

impl Totals {
    pub(super) fn over(devices: &[DeviceStory], incidents: usize) -> Totals {
        let mut totals = Totals {
            devices: count(devices.len()),
            incidents: count(incidents),
            ..Totals::default()
        };
        let mut taken: Vec<u32> = Vec::new();
        for device in devices {
            match device.state.standing {
                DeviceStanding::Waiting => totals.waiting += 1,
                DeviceStanding::Working => totals.working += 1,
                DeviceStanding::Done => totals.done += 1,
                DeviceStanding::Halted => totals.halted += 1,
            }
            totals.need_person += u32::from(device.state.needs_person);
            totals.hops += count(device.hops.len());
            for hop in &device.hops {
                totals.hops_done += u32::from(hop.state == HopState::Done);
                let (Some(How::Done), Some(minutes)) = (hop.how, hop.minutes) else {
                    continue;
                };
                taken.push(minutes);
                if totals
                    .slowest
                    .as_ref()
                    .is_none_or(|slowest| slowest.minutes < minutes)
                {
                    totals.slowest = Some(SlowestHop {
                        device: device.device.clone(),
                        hop: hop.number,
                        minutes,
                    });
                }
            }
        }
        totals.median_hop_minutes = median(taken);
        totals
    }
}

pub(super) fn median(mut values: Vec<u32>) -> Option<u32> {
    values.sort_unstable();
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get(middle.checked_sub(1)?)?;
    Some(lower + (upper - lower).div_ceil(2))
}
