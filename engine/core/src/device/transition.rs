//! The transition table of a device: the state after each event, live, on replay and in tests.
//!
//! Must not decide anything, and must not know what an event was decided from: the order of what is recorded is all it
//! sees. What it refuses cannot happen: a second attempt before the first was observed to have done nothing, or rest
//! while a member is suspended by our doing.

use jiff::Timestamp;

use super::{Action, Ask, Device, Event, HaltedAt, Permit, Phase};
use crate::IllegalEvent;
use crate::halt::HaltReason;
use crate::waiting::Hold;
use crate::watchdog::{Note, Watch};

impl Device {
    /// Takes an event that happened at `at` into account. Total: an event that does not fit is refused and changes nothing.
    pub fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), IllegalEvent> {
        let Some(next) = self.next_phase(at, event) else {
            return Err(IllegalEvent {
                subject: format!("device {}", self.id()),
                event: event.name().to_owned(),
                state: self.phase.name().to_owned(),
            });
        };
        self.take_aside(at, event);
        if next.name() != self.phase.name() || *event == Event::PickedUp {
            self.since = at;
        }
        if next.is_at_rest() {
            self.permit = None;
            self.standing_down = false;
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
            Event::Held(hold) => self.held(hold),
            Event::StandDownAsked { .. } => self.permit.map(|_| phase.clone()),
            Event::ChecksPassed { .. } => matches!(phase, Phase::Checking).then_some(Phase::BackingUp),
            Event::BackedUp { .. } => matches!(phase, Phase::BackingUp).then_some(Phase::Fetching(Ask::NEW)),
            Event::Intended { action, attempt } => self.intended(*action, *attempt, at),
            Event::Accepted { action, job } => with_ask(phase, *action, |ask| ask.taken(*action, *job, at)),
            Event::Refused { action, .. } | Event::FoundUndone { action } => {
                with_ask(phase, *action, Ask::reopened)
            }
            Event::Unanswered { action, .. } => with_ask(phase, *action, |ask| ask),
            Event::JobEnded { action, ok, .. } => with_ask(phase, *action, |ask| ask.ended(*action, *ok, at)),
            Event::ImagesReady { .. } => {
                matches!(phase, Phase::Fetching(_)).then_some(Phase::Installing(Ask::NEW))
            }
            Event::Staged { .. } => {
                matches!(phase, Phase::Installing(_)).then_some(Phase::Leaving(Ask::Open {
                    attempts: self.suspends,
                }))
            }
            Event::FailoverProved { .. } => matches!(phase, Phase::Leaving(_)).then(|| phase.clone()),
            Event::FailoverFailed { seen } => self.putting_back(Some(seen.clone())),
            Event::PuttingBack => self.putting_back(None),
            Event::Restored if matches!(phase, Phase::Restoring { .. }) => self.staged_before(at),
            Event::RestartNotTaken if matches!(phase, Phase::Rebooting { .. }) => self.staged_before(at),
            Event::Restored | Event::RestartNotTaken => None,
            Event::WentBack { .. } => went_back(phase),
            Event::Seen(reach) => noted(phase, &Note::Reach(*reach)),
            Event::BootSeen(boot) => noted(phase, &Note::Boot(boot.clone())),
            Event::SlowBoot { .. } => noted(phase, &Note::Slow),
            Event::BackInService { .. } => back_in_service(phase),
            Event::FoundThere { .. } => self.runs_already(at),
            Event::HaSettled { .. } => matches!(phase, Phase::Verifying { .. }).then(|| phase.clone()),
            Event::PickedUp => self.picked_up(at),
            Event::HopEnded { hop, .. } => self.hop_ended(*hop),
            Event::Halted { reason, .. } => self.halted(reason),
            Event::Resumed { .. } => resumed(phase, at),
        }
    }

    /// Comes to rest, where nothing of ours has been taken out of service.
    fn held(&self, hold: &Hold) -> Option<Phase> {
        let holdable = match &self.phase {
            Phase::Waiting(_)
            | Phase::Checking
            | Phase::BackingUp
            | Phase::Fetching(_)
            | Phase::Installing(_)
            | Phase::Leaving(_) => self.suspends == 0,
            Phase::Restoring { .. }
            | Phase::Rebooting { .. }
            | Phase::Verifying { .. }
            | Phase::Done
            | Phase::Halted { .. } => false,
        };
        holdable.then(|| Phase::Waiting(hold.clone()))
    }

    /// A request is intended only while none is open whose outcome is unknown, and attempts are counted without a gap: an
    /// attempt that was not observed to have done nothing has no successor.
    fn intended(&self, action: Action, attempt: u32, at: Timestamp) -> Option<Phase> {
        if action == Action::Restart {
            let next = matches!(self.phase, Phase::Leaving(_)) && attempt == self.restarts + 1;
            return next.then(|| Phase::Rebooting {
                ask: Ask::intended(action, attempt, at),
                watch: Watch::begin(at, attempt),
            });
        }
        with_ask_if(&self.phase, action, |ask| {
            let next = ask
                == Ask::Open {
                    attempts: attempt.checked_sub(1)?,
                };
            next.then_some(Ask::intended(action, attempt, at))
        })
    }

    /// A member that we suspended, on its way back into its pair.
    fn putting_back(&self, failed: Option<String>) -> Option<Phase> {
        let leaving = matches!(self.phase, Phase::Leaving(_) | Phase::Installing(_));
        (leaving && self.suspends > 0).then_some(Phase::Restoring {
            ask: Ask::NEW,
            failed,
        })
    }

    /// Its release runs without a boot that was watched. Where a restart of ours was taken late, that boot is watched now.
    fn runs_already(&self, at: Timestamp) -> Option<Phase> {
        let asked = matches!(
            self.phase,
            Phase::Checking | Phase::Installing(_) | Phase::Leaving(_)
        );
        asked.then(|| match &self.untaken {
            None => Phase::Verifying {
                ask: Ask::NEW,
                watch: None,
            },
            Some(watch) => watched_again(watch, at),
        })
    }

    /// Back where it is read what is staged. That our install ended well is not forgotten: where the software manager cannot be
    /// read, forgetting it would install a second time.
    fn staged_before(&self, at: Timestamp) -> Option<Phase> {
        let install = Action::Install(self.hop()?.to);
        Some(Phase::Installing(Ask::NEW.taken(install, None, at)))
    }

    /// Nobody watched while the process was gone: what is staged is read again before the device may leave.
    fn picked_up(&self, at: Timestamp) -> Option<Phase> {
        Some(match &self.phase {
            Phase::Waiting(_) | Phase::Done | Phase::Halted { .. } => return None,
            Phase::Leaving(_) => self.staged_before(at)?,
            phase => phase.clone(),
        })
    }

    fn halted(&self, reason: &HaltReason) -> Option<Phase> {
        let at = match &self.phase {
            Phase::Waiting(_) | Phase::Done | Phase::Halted { .. } => return None,
            Phase::Rebooting { watch, .. }
            | Phase::Verifying {
                watch: Some(watch), ..
            } => HaltedAt::Restart(watch.clone()),
            Phase::Restoring { failed, .. } => HaltedAt::Suspended(failed.clone()),
            Phase::Checking
            | Phase::BackingUp
            | Phase::Fetching(_)
            | Phase::Installing(_)
            | Phase::Leaving(_)
            | Phase::Verifying { watch: None, .. }
                if self.suspends > 0 =>
            {
                HaltedAt::Suspended(None)
            }
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
    fn take_aside(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::PermitReceived(permit) => {
                self.permit = Some(*permit);
                self.last_permit = permit.id;
                self.standing_down = false;
                // What was kept for an earlier permit is too old to compare with.
                self.before = None;
                self.accepted_by = None;
            }
            Event::StandDownAsked { .. } => self.standing_down = true,
            Event::Intended {
                action: Action::Restart,
                ..
            } => self.restarts += 1,
            Event::Intended {
                action: Action::Suspend,
                attempt,
            } => self.suspends = *attempt,
            Event::Restored => self.suspends = 0,
            Event::RestartNotTaken => {
                if let Phase::Rebooting { watch, .. } = &self.phase {
                    self.untaken = Some(watch.clone());
                }
            }
            Event::BackInService { .. } | Event::FoundThere { .. } => self.settled = None,
            Event::HaSettled { .. } => self.settled = Some(at),
            Event::WentBack { .. } => {
                self.restarts = 0;
                self.suspends = 0;
                self.untaken = None;
            }
            Event::HopEnded { .. } => {
                self.hop += 1;
                self.restarts = 0;
                self.suspends = 0;
                self.untaken = None;
                self.settled = None;
                self.before = None;
                self.accepted_by = None;
            }
            Event::BackedUp { snapshot, .. } => self.before.clone_from(snapshot),
            Event::Resumed { by, .. } => {
                self.resumes += 1;
                let looked = matches!(
                    self.phase,
                    Phase::Halted {
                        reason: HaltReason::AfterChecks { .. },
                        ..
                    }
                );
                // What differs for good could never go on otherwise. It is told all the same, with this name.
                if looked {
                    self.accepted_by = Some(by.clone());
                }
                // A person looked: what was tried before no longer counts against what is tried now.
                self.restarts = 0;
            }
            Event::Enrolled(_)
            | Event::Held(_)
            | Event::ChecksPassed { .. }
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
            | Event::PickedUp
            | Event::Seen(_)
            | Event::BootSeen(_)
            | Event::SlowBoot { .. }
            | Event::Halted { .. } => {}
        }
    }
}

/// Only a person can have put the device back, and only after somebody looked: a restart that was resumed.
fn went_back(phase: &Phase) -> Option<Phase> {
    let Phase::Rebooting { watch, .. } = phase else {
        return None;
    };
    watch.was_resumed().then_some(Phase::Waiting(Hold::Permit))
}

fn back_in_service(phase: &Phase) -> Option<Phase> {
    match phase {
        Phase::Rebooting { watch, .. } => Some(Phase::Verifying {
            ask: Ask::NEW,
            watch: Some(watch.clone()),
        }),
        _ => None,
    }
}

/// The phase with its request moved on, where the phase is the one that asks for `action`.
fn with_ask(phase: &Phase, action: Action, moved: impl Fn(Ask) -> Ask) -> Option<Phase> {
    with_ask_if(phase, action, |ask| Some(moved(ask)))
}

/// The same, where the request may not be in a state to be moved on.
fn with_ask_if(phase: &Phase, action: Action, moved: impl Fn(Ask) -> Option<Ask>) -> Option<Phase> {
    Some(match (phase, action) {
        (Phase::Fetching(ask), Action::Download(_)) => Phase::Fetching(moved(*ask)?),
        (Phase::Installing(ask), Action::Install(_)) => Phase::Installing(moved(*ask)?),
        (Phase::Leaving(ask), Action::Suspend) => Phase::Leaving(moved(*ask)?),
        (Phase::Rebooting { ask, watch }, Action::Restart) => Phase::Rebooting {
            ask: moved(*ask)?,
            watch: watch.clone(),
        },
        (Phase::Restoring { ask, failed }, Action::MakeFunctional) => Phase::Restoring {
            ask: moved(*ask)?,
            failed: failed.clone(),
        },
        (Phase::Verifying { ask, watch }, Action::MakeFunctional) => Phase::Verifying {
            ask: moved(*ask)?,
            watch: watch.clone(),
        },
        _ => return None,
    })
}

fn noted(phase: &Phase, note: &Note) -> Option<Phase> {
    let Phase::Rebooting { ask, watch } = phase else {
        return None;
    };
    let mut watch = watch.clone();
    watch.remember(note);
    Some(Phase::Rebooting { ask: *ask, watch })
}

/// A restart that was asked for before, watched anew.
fn watched_again(watch: &Watch, at: Timestamp) -> Phase {
    let mut watch = watch.clone();
    watch.resume(at);
    Phase::Rebooting {
        ask: Ask::NEW.taken(Action::Restart, None, at),
        watch,
    }
}

fn resumed(phase: &Phase, at: Timestamp) -> Option<Phase> {
    match phase {
        Phase::Halted {
            at: HaltedAt::Restart(watch),
            ..
        } => Some(watched_again(watch, at)),
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
