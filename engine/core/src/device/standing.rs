//! What the campaign knows about a device: a small summary, computed from the device and never stored.

use hopgate_paths::Version;
use jiff::Timestamp;

use super::{Device, Phase};
use crate::halt::HaltReason;
use crate::waiting::Hold;

/// A device as the campaign sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Hops done.
    pub hops_done: u32,
    /// The id of the last permit that the device took.
    pub last_permit: u64,
    /// Whether it still holds that permit.
    pub holds_permit: bool,
    /// Whether it is, or may be, out of service by our doing.
    pub out_of_service: bool,
    /// Operator resumes so far.
    pub resumes: u32,
    /// What it does.
    pub work: Work,
}

/// What a device does, as far as the campaign cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Ready for a permit, once the hold is over.
    Idle(Hold),
    /// In a hop.
    Working,
    /// At its target.
    Done,
    /// Stopped for a person.
    Halted {
        /// Why.
        reason: HaltReason,
        /// The release the hop leads to.
        to: Option<Version>,
    },
}

impl Device {
    /// The summary for the campaign.
    pub fn standing(&self) -> Standing {
        let work = match &self.phase {
            Phase::Waiting(hold) => Work::Idle(hold.clone()),
            Phase::Done => Work::Done,
            Phase::Halted { reason, .. } => Work::Halted {
                reason: reason.clone(),
                to: self.hop().map(|hop| hop.to),
            },
            Phase::Checking
            | Phase::BackingUp
            | Phase::Fetching(_)
            | Phase::Installing(_)
            | Phase::Leaving(_)
            | Phase::Rebooting { .. }
            | Phase::Verifying { .. }
            | Phase::Restoring { .. } => Work::Working,
        };
        Standing {
            hops_done: self.hop,
            last_permit: self.last_permit,
            holds_permit: self.permit.is_some(),
            out_of_service: self.out_of_service(),
            resumes: self.resumes,
            work,
        }
    }
}

impl Standing {
    /// Whether a permit may be granted at `now`: idle, and no hold of its own is running.
    pub fn is_ready(&self, now: Timestamp) -> bool {
        match &self.work {
            Work::Idle(hold) => !hold.needs_person() && hold.until().is_none_or(|until| until <= now),
            Work::Working | Work::Done | Work::Halted { .. } => false,
        }
    }
}
