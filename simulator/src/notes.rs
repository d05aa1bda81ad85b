//! Notices what changed on a site, by comparing it before and after something happened.
//!
//! So nothing that changes a device has to think of the event log. Knows of a device what is worth an entry, nothing else.

use crate::device::Device;
use crate::device::Phase;
use crate::events::Occurrence;
use crate::jobs::JobStatus;
use crate::pair::HaState;
use crate::release::Version;
use crate::site::Site;

/// What of one device is compared.
#[derive(Debug)]
pub(crate) struct Standing {
    phase: Phase,
    version: Version,
    ha: Option<HaState>,
    /// Ids of jobs that are not over; hardly ever more than two.
    unfinished: Vec<u32>,
}

pub(crate) fn standings(site: &Site) -> Vec<Standing> {
    let devices = site.devices.iter().enumerate();
    devices
        .map(|(index, device)| Standing {
            phase: device.phase,
            version: device.version(),
            ha: site.pair.as_ref().map(|pair| pair.members[index].state),
            unfinished: unfinished(device, site),
        })
        .collect()
}

fn unfinished(device: &Device, site: &Site) -> Vec<u32> {
    let jobs = device.jobs.newest_first();
    jobs.filter(|job| job.status(site.now()) != JobStatus::Finished)
        .map(|job| job.id)
        .collect()
}

/// What is different from `before`, device by device.
pub(crate) fn changes(before: &[Standing], site: &Site) -> Vec<(usize, Occurrence)> {
    let mut changes = Vec::new();
    for (index, (device, before)) in site.devices.iter().zip(before).enumerate() {
        let ended = before.unfinished.iter().filter_map(|id| device.jobs.get(*id));
        for job in ended.filter(|job| job.finished().is_some()) {
            let what = Occurrence::Job {
                id: job.id,
                kind: job.kind.shown(),
                result: job.result(),
            };
            changes.push((index, what));
        }
        let (phase, version) = (device.phase, device.version());
        if (phase, version) != (before.phase, before.version) {
            changes.push((index, Occurrence::Phase { phase, version }));
        }
        let member = site.pair.as_ref().map(|pair| &pair.members[index]);
        if let Some(member) = member.filter(|member| Some(member.state) != before.ha) {
            let what = Occurrence::Ha {
                state: member.state,
                reason: member.reason.clone(),
            };
            changes.push((index, what));
        }
    }
    changes
}
