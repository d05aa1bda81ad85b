//! One device on its way up: its state, and the one transition table that live running, replay and tests share.
//!
//! What is decided in each phase lies beside it in `device/`; this file must not decide anything.

use hopgate_paths::{Hop, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::IllegalEvent;
use crate::halt::HaltReason;
use crate::names::DeviceId;
use crate::waiting::Hold;
use crate::watchdog::{Note, Watch};

pub use effect::{Call, Effect, Probe};
pub use event::{Action, Enrolment, Event, How, Permit};
pub use input::{Failure, FailureKind, Input, Observation};
pub use standing::{Standing, Work};

mod decide;
mod effect;
mod event;
mod input;
mod leaving;
mod preparing;
mod rebooting;
mod staging;
mod standing;
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
        /// The job.
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

    /// Takes an event that happened at `at` into account. Total: an event that does not fit is refused and changes nothing.
    pub fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), IllegalEvent> {
        let Some(next) = self.next_phase(at, event) else {
            return Err(IllegalEvent {
                subject: format!("device {}", self.id()),
                event: event.name().to_owned(),
                state: self.phase.name().to_owned(),
            });
        };
        self.take_aside(event);
        if next.name() != self.phase.name() || *event == Event::PickedUp {
            self.since = at;
        }
        self.phase = next;
        Ok(())
    }

    /// The transition table: the phase after `event`, or nothing where the event is illegal in this phase.
    fn next_phase(&self, at: Timestamp, event: &Event) -> Option<Phase> {
        let phase = &self.phase;
        match event {
            Event::Enrolled(_) => None,
            Event::PermitReceived(permit) => self.permitted(permit),
            Event::Held(hold) => holdable(phase).then(|| Phase::Waiting(hold.clone())),
            Event::StandDownAsked { .. } => self.permit.map(|_| phase.clone()),
            Event::ChecksPassed { .. } => matches!(phase, Phase::Checking).then_some(Phase::BackingUp),
            Event::BackedUp { .. } => matches!(phase, Phase::BackingUp).then_some(Phase::Fetching(Ask::NEW)),
            Event::Intended { action, attempt } => intended(phase, *action, *attempt, at),
            Event::Accepted { action, job } => with_ask(phase, *action, |ask| ask.taken(*action, *job, at)),
            Event::Refused { action, .. } | Event::FoundUndone { action } => {
                with_ask(phase, *action, Ask::reopened)
            }
            Event::Unanswered { action, .. } => with_ask(phase, *action, |ask| ask),
            Event::JobEnded { action, .. } => with_ask(phase, *action, Ask::reopened),
            Event::ImagesReady { .. } => {
                matches!(phase, Phase::Fetching(_)).then_some(Phase::Installing(Ask::NEW))
            }
            Event::Staged { .. } => matches!(phase, Phase::Installing(_)).then_some(Phase::Leaving(Ask::NEW)),
            Event::FailoverProved { .. } => matches!(phase, Phase::Leaving(_)).then(|| phase.clone()),
            Event::FailoverFailed { seen } => putting_back(phase, Some(seen.clone())),
            Event::PuttingBack => putting_back(phase, None),
            Event::Restored => {
                matches!(phase, Phase::Restoring { .. }).then_some(Phase::Installing(Ask::NEW))
            }
            Event::RestartNotTaken => {
                matches!(phase, Phase::Rebooting { .. }).then_some(Phase::Installing(Ask::NEW))
            }
            Event::Seen(reach) => noted(phase, &Note::Reach(*reach)),
            Event::BootSeen(boot) => noted(phase, &Note::Boot(boot.clone())),
            Event::SlowBoot { .. } => noted(phase, &Note::Slow),
            Event::BackInService { .. } => match phase {
                Phase::Rebooting { watch, .. } => Some(Phase::Verifying {
                    ask: Ask::NEW,
                    watch: Some(watch.clone()),
                }),
                _ => None,
            },
            Event::FoundThere { .. } => {
                let asked = matches!(phase, Phase::Checking | Phase::Installing(_));
                asked.then_some(Phase::Verifying {
                    ask: Ask::NEW,
                    watch: None,
                })
            }
            Event::PickedUp => Some(phase.clone()),
            Event::HopEnded { hop, .. } => self.hop_ended(*hop),
            Event::Halted { reason, .. } => halted(phase, reason),
            Event::Resumed { .. } => resumed(phase, at),
        }
    }

    fn permitted(&self, permit: &Permit) -> Option<Phase> {
        let waits = matches!(self.phase, Phase::Waiting(_));
        (waits && permit.hop == self.hop && permit.id > self.last_permit).then_some(Phase::Checking)
    }

    fn hop_ended(&self, hop: u32) -> Option<Phase> {
        let may_end = matches!(self.phase, Phase::Verifying { .. }) && hop == self.hop;
        let last = self.hop as usize + 1 >= self.enrolment.hops.len();
        may_end.then_some(if last {
            Phase::Done
        } else {
            Phase::Waiting(Hold::Permit)
        })
    }

    /// Everything an event changes besides the phase.
    fn take_aside(&mut self, event: &Event) {
        match event {
            Event::PermitReceived(permit) => {
                self.permit = Some(*permit);
                self.last_permit = permit.id;
                self.standing_down = false;
            }
            Event::Held(_) => self.give_permit_back(),
            Event::StandDownAsked { .. } => self.standing_down = true,
            Event::Intended {
                action: Action::Restart,
                ..
            } => self.restarts += 1,
            Event::HopEnded { .. } => {
                self.give_permit_back();
                self.hop += 1;
                self.restarts = 0;
            }
            Event::Halted { .. } if !self.out_of_service() => self.give_permit_back(),
            Event::Resumed { .. } => self.resumes += 1,
            Event::Enrolled(_)
            | Event::ChecksPassed { .. }
            | Event::BackedUp { .. }
            | Event::Intended { .. }
            | Event::Accepted { .. }
            | Event::Refused { .. }
            | Event::Unanswered { .. }
            | Event::FoundUndone { .. }
            | Event::JobEnded { .. }
            | Event::ImagesReady { .. }
            | Event::Staged { .. }
            | Event::FailoverProved { .. }
            | Event::FailoverFailed { .. }
            | Event::PuttingBack
            | Event::Restored
            | Event::RestartNotTaken
            | Event::PickedUp
            | Event::FoundThere { .. }
            | Event::Seen(_)
            | Event::BootSeen(_)
            | Event::SlowBoot { .. }
            | Event::BackInService { .. }
            | Event::Halted { .. } => {}
        }
    }

    fn give_permit_back(&mut self) {
        self.permit = None;
        self.standing_down = false;
    }

    /// Whether the device is, or may be, out of service by our doing.
    pub fn out_of_service(&self) -> bool {
        match &self.phase {
            Phase::Rebooting { .. } | Phase::Verifying { .. } | Phase::Restoring { .. } => true,
            Phase::Leaving(ask) => ask.attempts() > 0,
            Phase::Halted { at, .. } => *at != HaltedAt::Rest,
            Phase::Waiting(_)
            | Phase::Checking
            | Phase::BackingUp
            | Phase::Fetching(_)
            | Phase::Installing(_)
            | Phase::Done => false,
        }
    }
}

/// A member that we suspended, on its way back into its pair.
fn putting_back(phase: &Phase, failed: Option<String>) -> Option<Phase> {
    matches!(phase, Phase::Leaving(_)).then_some(Phase::Restoring {
        ask: Ask::NEW,
        failed,
    })
}

/// Phases from which a device may come to rest: nothing has been taken out of service in them.
fn holdable(phase: &Phase) -> bool {
    match phase {
        Phase::Waiting(_)
        | Phase::Checking
        | Phase::BackingUp
        | Phase::Fetching(_)
        | Phase::Installing(_)
        | Phase::Verifying { watch: None, .. } => true,
        Phase::Leaving(ask) => ask.attempts() == 0,
        Phase::Restoring { .. }
        | Phase::Rebooting { .. }
        | Phase::Verifying { .. }
        | Phase::Done
        | Phase::Halted { .. } => false,
    }
}

fn intended(phase: &Phase, action: Action, attempt: u32, at: Timestamp) -> Option<Phase> {
    let ask = Ask::intended(action, attempt, at);
    match (phase, action) {
        (Phase::Fetching(_), Action::Download(_)) => Some(Phase::Fetching(ask)),
        (Phase::Installing(_), Action::Install(_)) => Some(Phase::Installing(ask)),
        (Phase::Leaving(_), Action::Suspend) => Some(Phase::Leaving(ask)),
        (Phase::Leaving(_), Action::Restart) => Some(Phase::Rebooting {
            ask,
            watch: Watch::begin(at, attempt),
        }),
        (Phase::Restoring { failed, .. }, Action::MakeFunctional) => Some(Phase::Restoring {
            ask,
            failed: failed.clone(),
        }),
        (Phase::Verifying { watch, .. }, Action::MakeFunctional) => Some(Phase::Verifying {
            ask,
            watch: watch.clone(),
        }),
        _ => None,
    }
}

/// The phase with its request moved on, where the phase is the one that asks for `action`.
fn with_ask(phase: &Phase, action: Action, moved: impl Fn(Ask) -> Ask) -> Option<Phase> {
    match (phase, action) {
        (Phase::Fetching(ask), Action::Download(_)) => Some(Phase::Fetching(moved(*ask))),
        (Phase::Installing(ask), Action::Install(_)) => Some(Phase::Installing(moved(*ask))),
        (Phase::Leaving(ask), Action::Suspend) => Some(Phase::Leaving(moved(*ask))),
        (Phase::Rebooting { ask, watch }, Action::Restart) => Some(Phase::Rebooting {
            ask: moved(*ask),
            watch: watch.clone(),
        }),
        (Phase::Restoring { ask, failed }, Action::MakeFunctional) => Some(Phase::Restoring {
            ask: moved(*ask),
            failed: failed.clone(),
        }),
        (Phase::Verifying { ask, watch }, Action::MakeFunctional) => Some(Phase::Verifying {
            ask: moved(*ask),
            watch: watch.clone(),
        }),
        _ => None,
    }
}

fn noted(phase: &Phase, note: &Note) -> Option<Phase> {
    let Phase::Rebooting { ask, watch } = phase else {
        return None;
    };
    let mut watch = watch.clone();
    watch.remember(note);
    Some(Phase::Rebooting { ask: *ask, watch })
}

fn halted(phase: &Phase, reason: &HaltReason) -> Option<Phase> {
    let at = match phase {
        Phase::Waiting(_) | Phase::Done | Phase::Halted { .. } => return None,
        Phase::Rebooting { watch, .. }
        | Phase::Verifying {
            watch: Some(watch), ..
        } => HaltedAt::Restart(watch.clone()),
        Phase::Restoring { failed, .. } => HaltedAt::Suspended(failed.clone()),
        Phase::Leaving(ask) if ask.attempts() > 0 => HaltedAt::Suspended(None),
        Phase::Checking
        | Phase::BackingUp
        | Phase::Fetching(_)
        | Phase::Installing(_)
        | Phase::Leaving(_)
        | Phase::Verifying { watch: None, .. } => HaltedAt::Rest,
    };
    Some(Phase::Halted {
        reason: reason.clone(),
        at,
    })
}

fn resumed(phase: &Phase, at: Timestamp) -> Option<Phase> {
    match phase {
        Phase::Halted {
            at: HaltedAt::Restart(watch),
            ..
        } => {
            let mut watch = watch.clone();
            watch.resume(at);
            let ask = Ask::NEW.taken(Action::Restart, None, at);
            Some(Phase::Rebooting { ask, watch })
        }
        Phase::Halted {
            at: HaltedAt::Suspended(failed),
            ..
        } => Some(Phase::Restoring {
            ask: Ask::NEW,
            failed: failed.clone(),
        }),
        Phase::Halted {
            at: HaltedAt::Rest, ..
        }
        | Phase::Waiting(_) => Some(Phase::Waiting(Hold::Permit)),
        _ => None,
    }
}
