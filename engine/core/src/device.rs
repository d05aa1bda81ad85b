//! One device on its way up: its state.
//!
//! The one transition table is `device/transition.rs`, what is decided in each phase lies beside it; this file must not
//! decide anything.

use hopgate_paths::{Hop, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::IllegalEvent;
use crate::halt::HaltReason;
use crate::names::{DeviceId, Identity};
use crate::waiting::Hold;
use crate::watchdog::Watch;

pub use effect::{Call, Effect, Probe};
pub use event::{Action, Enrolment, Event, How, Permit};
pub use input::{Failure, FailureKind, Input, Observation};
pub use standing::{Standing, Work};

mod asked;
mod decide;
mod effect;
mod event;
mod input;
mod leaving;
mod preparing;
mod rebooting;
mod staging;
mod standing;
mod transition;
mod verifying;

/// A decision of a device.
pub type Decision = crate::Decision<Event, Effect>;

/// Where one changing request of a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Not asked, or observed to have had no effect, this many times so far.
    Open {
        /// Attempts so far.
        attempts: u32,
    },
    /// Durable intent; it may have been sent and may have taken effect.
    Intended {
        /// The request.
        action: Action,
        /// From 1.
        attempt: u32,
        /// When.
        at: Timestamp,
    },
    /// Taken, and its job is followed where it has one.
    Taken {
        /// The request.
        action: Action,
        /// From 1.
        attempt: u32,
        /// The job that is followed; nothing where it has none, or where it ended well.
        job: Option<u32>,
        /// When it was taken.
        at: Timestamp,
    },
}

impl Ask {
    const NEW: Ask = Ask::Open { attempts: 0 };

    /// Attempts so far, the current one included.
    pub(crate) fn attempts(self) -> u32 {
        match self {
            Ask::Open { attempts } => attempts,
            Ask::Intended { attempt, .. } | Ask::Taken { attempt, .. } => attempt,
        }
    }

    fn intended(action: Action, attempt: u32, at: Timestamp) -> Self {
        Ask::Intended { action, attempt, at }
    }

    fn taken(self, action: Action, job: Option<u32>, at: Timestamp) -> Self {
        Ask::Taken {
            action,
            attempt: self.attempts().max(1),
            job,
            at,
        }
    }

    fn reopened(self) -> Self {
        Ask::Open {
            attempts: self.attempts(),
        }
    }

    /// Its job ended. The good end of an install stays known, without a job to follow: it is the only sign of one on a device
    /// whose software manager cannot be read.
    fn ended(self, action: Action, ok: bool, at: Timestamp) -> Self {
        match action {
            Action::Install(_) if ok => self.taken(action, None, at),
            _ => self.reopened(),
        }
    }

    /// The request that has to be found undone before another attempt.
    fn unsettled(self) -> Option<Action> {
        match self {
            Ask::Open { .. } => None,
            Ask::Intended { action, .. } | Ask::Taken { action, .. } => Some(action),
        }
    }

    /// When the request was last moved on.
    fn at(self) -> Option<Timestamp> {
        match self {
            Ask::Open { .. } => None,
            Ask::Intended { at, .. } | Ask::Taken { at, .. } => Some(at),
        }
    }
}

/// What a device is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Between hops, without a permit.
    Waiting(Hold),
    /// The checks before the hop are asked.
    Checking,
    /// The configuration is being exported.
    BackingUp,
    /// Images are brought onto the device.
    Fetching(Ask),
    /// The hop's release is written into the other partition.
    Installing(Ask),
    /// About to leave service: a member of a pair first shows that its peer serves. Holds the suspend request.
    Leaving(Ask),
    /// The restart was intended; the watch decides what it sees.
    Rebooting {
        /// The request.
        ask: Ask,
        /// The watch.
        watch: Watch,
    },
    /// Back; HA settles and the checks after the hop are asked.
    Verifying {
        /// The request to become functional again.
        ask: Ask,
        /// The restart it came from; nothing where it ran the hop's release before we asked.
        watch: Option<Watch>,
    },
    /// Taken out of its pair and not restarted: it is put back.
    Restoring {
        /// The request to become functional again.
        ask: Ask,
        /// What was seen when the peer did not take over; nothing where the campaign stood it down.
        failed: Option<String>,
    },
    /// It runs its target.
    Done,
    /// A person has to look.
    Halted {
        /// Why.
        reason: HaltReason,
        /// What it goes back to when an operator resumes it.
        at: HaltedAt,
    },
}

/// Where a halt left the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HaltedAt {
    /// In service, nothing under way.
    Rest,
    /// In a restart of ours.
    Restart(Watch),
    /// Suspended by us and not restarted; what was seen when the peer did not take over.
    Suspended(Option<String>),
}

impl Phase {
    /// Every phase's name, in the order of a hop, as people say it.
    pub const NAMES: [&'static str; 11] = [
        "waiting",
        "checking",
        "backing up",
        "fetching",
        "installing",
        "leaving service",
        "rebooting",
        "verifying",
        "restoring",
        "done",
        "halted",
    ];

    /// Whether nothing of ours is under way and nothing is out of service: the permit is given back here.
    fn is_at_rest(&self) -> bool {
        match self {
            Phase::Waiting(_)
            | Phase::Done
            | Phase::Halted {
                at: HaltedAt::Rest, ..
            } => true,
            Phase::Checking
            | Phase::BackingUp
            | Phase::Fetching(_)
            | Phase::Installing(_)
            | Phase::Leaving(_)
            | Phase::Rebooting { .. }
            | Phase::Verifying { .. }
            | Phase::Restoring { .. }
            | Phase::Halted { .. } => false,
        }
    }

    /// This phase's name.
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Waiting(_) => "waiting",
            Phase::Checking => "checking",
            Phase::BackingUp => "backing up",
            Phase::Fetching(_) => "fetching",
            Phase::Installing(_) => "installing",
            Phase::Leaving(_) => "leaving service",
            Phase::Rebooting { .. } => "rebooting",
            Phase::Verifying { .. } => "verifying",
            Phase::Restoring { .. } => "restoring",
            Phase::Done => "done",
            Phase::Halted { .. } => "halted",
        }
    }
}

/// One device of a campaign, as its journal stream says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    enrolment: Enrolment,
    phase: Phase,
    since: Timestamp,
    hop: u32,
    permit: Option<Permit>,
    last_permit: u64,
    standing_down: bool,
    resumes: u32,
    restarts: u32,
    /// Suspends asked for in this hop and not undone since: above zero it may be out of its pair by our doing.
    suspends: u32,
    /// The last restart that was found not taken. It may still be taken late, and is then watched from here.
    untaken: Option<Watch>,
    /// Since when HA is seen settled after the hop's boot; the checks after the hop are timed from here.
    settled: Option<Timestamp>,
    /// The stored state from before this hop, which the one after it is compared with.
    #[serde(default)]
    before: Option<String>,
    /// Who let it go on although checks after this hop failed.
    #[serde(default)]
    accepted_by: Option<Identity>,
}

impl Device {
    /// A device at the first record of its stream. Anything but an enrolment there is not a device stream.
    pub fn begin(at: Timestamp, first: &Event) -> Result<Device, IllegalEvent> {
        let Event::Enrolled(enrolment) = first else {
            return Err(IllegalEvent {
                subject: "a device without an enrolment".to_owned(),
                event: first.name().to_owned(),
                state: "unknown".to_owned(),
            });
        };
        let phase = if enrolment.hops.is_empty() {
            Phase::Done
        } else {
            Phase::Waiting(Hold::Permit)
        };
        Ok(Device {
            enrolment: (**enrolment).clone(),
            phase,
            since: at,
            hop: 0,
            permit: None,
            last_permit: 0,
            standing_down: false,
            resumes: 0,
            restarts: 0,
            suspends: 0,
            untaken: None,
            settled: None,
            before: None,
            accepted_by: None,
        })
    }

    /// The device's name.
    pub fn id(&self) -> &DeviceId {
        &self.enrolment.device
    }

    /// What it was enrolled with.
    pub fn enrolment(&self) -> &Enrolment {
        &self.enrolment
    }

    /// What it is doing.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Since when it is in this phase.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Hops done, which is also the position of the one it does next or now.
    pub fn hops_done(&self) -> u32 {
        self.hop
    }

    /// The hop it does next or now; nothing when it is done.
    pub fn hop(&self) -> Option<&Hop> {
        self.enrolment.hops.get(self.hop as usize)
    }

    /// The release that its hops so far brought it to.
    pub fn release(&self) -> Option<Version> {
        match self.hop.checked_sub(1) {
            None => self.enrolment.hops.first().map(|hop| hop.from),
            Some(last) => self.enrolment.hops.get(last as usize).map(|hop| hop.to),
        }
    }

    /// Operator resumes so far; part of every incident's key.
    pub fn resumes(&self) -> u32 {
        self.resumes
    }

    /// Restarts asked for in this hop.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// The permit it holds.
    pub fn permit(&self) -> Option<Permit> {
        self.permit
    }

    /// Whether the device is, or may be, out of service by our doing.
    pub fn out_of_service(&self) -> bool {
        match &self.phase {
            Phase::Rebooting { .. } | Phase::Verifying { .. } | Phase::Restoring { .. } => true,
            Phase::Halted { at, .. } => *at != HaltedAt::Rest,
            Phase::Waiting(_)
            | Phase::Checking
            | Phase::BackingUp
            | Phase::Fetching(_)
            | Phase::Installing(_)
            | Phase::Leaving(_)
            | Phase::Done => self.suspends > 0,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
