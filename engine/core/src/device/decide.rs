//! Where inputs are handed to the phase they meet, and the few that mean the same in every phase.

use hopgate_paths::Hop;
use jiff::{SignedDuration, Timestamp};

use super::{Ask, Call, Decision, Device, Effect, Event, Failure, Input, Permit, Phase, Probe};
use crate::halt::HaltReason;
use crate::names::Identity;
use crate::pulse::{RETRY, SETTLE};
use crate::waiting::Hold;
use crate::window::saturating_add;

impl Device {
    /// What follows from `input` at `now`. Pure: same device, instant and input, same decision.
    pub fn decide(&self, now: Timestamp, input: &Input) -> Decision {
        let mut decision = self.follow_up(now, input);
        decision.events.iter_mut().for_each(Event::shorten);
        decision
    }

    fn follow_up(&self, now: Timestamp, input: &Input) -> Decision {
        match input {
            Input::Permit(permit) => self.on_permit(*permit),
            Input::StandDown { because } => self.on_stand_down(because),
            Input::Resume { by, reason } => self.on_resume(by, reason),
            Input::Resumed => self.on_process_start(now),
            Input::Tick
            | Input::Observed(_)
            | Input::NoObservation { .. }
            | Input::Answered { .. }
            | Input::Refused { .. }
            | Input::Unanswered { .. } => self.in_phase(now, input),
        }
    }

    fn in_phase(&self, now: Timestamp, input: &Input) -> Decision {
        match &self.phase {
            Phase::Waiting(_) | Phase::Done | Phase::Halted { .. } => Decision::nothing(),
            Phase::Checking => self.checking(now, input),
            Phase::BackingUp => self.backing_up(now, input),
            Phase::Fetching(ask) => self.fetching(now, *ask, input),
            Phase::Installing(ask) => self.installing(now, *ask, input),
            Phase::Leaving(ask) => self.leaving(now, *ask, input),
            Phase::Rebooting { ask, watch } => self.rebooting(now, *ask, watch, input),
            Phase::Verifying { ask, watch } => self.verifying(now, *ask, watch.as_ref(), input),
            Phase::Restoring { ask, failed } => self.restoring(now, *ask, failed.as_deref(), input),
        }
    }

    fn on_permit(&self, permit: Permit) -> Decision {
        let new =
            matches!(self.phase, Phase::Waiting(_)) && permit.hop == self.hop && permit.id > self.last_permit;
        if !new {
            return Decision::nothing();
        }
        Decision::then(
            Event::PermitReceived(permit),
            Effect::Observe(Probe::Checks { hop: permit.hop }),
        )
    }

    fn on_stand_down(&self, because: &str) -> Decision {
        if self.permit.is_none() || self.standing_down {
            return Decision::nothing();
        }
        Decision::record(Event::StandDownAsked {
            because: because.to_owned(),
        })
    }

    fn on_resume(&self, by: &Identity, reason: &str) -> Decision {
        let event = Event::Resumed {
            by: by.clone(),
            reason: reason.to_owned(),
        };
        match &self.phase {
            Phase::Waiting(hold) if hold.needs_person() => Decision::record(event),
            Phase::Halted {
                at: super::HaltedAt::Rest,
                ..
            } => Decision::record(event),
            Phase::Halted {
                at: super::HaltedAt::Restart(_),
                ..
            } => {
                let look = self
                    .hop()
                    .map(|hop| Effect::Observe(Probe::Boot { expected: hop.to }));
                Decision {
                    events: vec![event],
                    effects: look.into_iter().collect(),
                }
            }
            Phase::Halted {
                at: super::HaltedAt::Suspended(_),
                ..
            } => Decision::then(event, Effect::Observe(Probe::Ha)),
            _ => Decision::nothing(),
        }
    }

    /// After a crash: never repeat, look. A request whose outcome is unknown is given the time to arrive or die first.
    fn on_process_start(&self, now: Timestamp) -> Decision {
        let ask = match &self.phase {
            Phase::Waiting(_) | Phase::Done | Phase::Halted { .. } => return Decision::nothing(),
            Phase::Checking | Phase::BackingUp => Ask::NEW,
            Phase::Fetching(ask)
            | Phase::Installing(ask)
            | Phase::Leaving(ask)
            | Phase::Rebooting { ask, .. }
            | Phase::Verifying { ask, .. }
            | Phase::Restoring { ask, .. } => *ask,
        };
        let effect = match ask {
            Ask::Intended { at, .. } if saturating_add(at, SETTLE) > now => {
                Effect::WakeAt(saturating_add(at, SETTLE))
            }
            // Whoever left comes back through the staged release: see the transition of `PickedUp`.
            _ if matches!(self.phase, Phase::Leaving(_)) => Effect::Observe(Probe::Staging),
            Ask::Intended { .. } | Ask::Open { .. } | Ask::Taken { .. } => self.look(),
        };
        Decision::then(Event::PickedUp, effect)
    }

    /// The look that fits the phase; every tick leads here.
    pub(super) fn look(&self) -> Effect {
        let expected = self.hop().map(|hop| hop.to);
        Effect::Observe(match &self.phase {
            Phase::Waiting(_) | Phase::Done | Phase::Halted { .. } | Phase::Checking => {
                Probe::Checks { hop: self.hop }
            }
            Phase::BackingUp => Probe::Backup,
            Phase::Fetching(Ask::Taken { job: Some(job), .. })
            | Phase::Installing(Ask::Taken { job: Some(job), .. }) => Probe::Job(*job),
            Phase::Fetching(ask) => Probe::Software {
                refresh: ask.attempts() == 0,
            },
            Phase::Installing(_) => Probe::Staging,
            Phase::Leaving(_) | Phase::Restoring { .. } => Probe::Ha,
            Phase::Rebooting { .. } => match expected {
                Some(expected) => Probe::Boot { expected },
                None => Probe::Staging,
            },
            Phase::Verifying { .. } => self.look_after(),
        })
    }

    /// The look after the hop.
    pub(super) fn look_after(&self) -> Probe {
        Probe::After {
            hop: self.hop,
            before: self.before.clone(),
        }
    }

    /// Intends a changing request and sends it, in that order.
    pub(super) fn intend(&self, mut events: Vec<Event>, call: Call) -> Decision {
        events.push(Event::Intended {
            action: call.action,
            attempt: call.attempt,
        });
        Decision {
            events,
            effects: vec![Effect::Send(call)],
        }
    }

    /// Comes to rest and gives the permit back. A member that we suspended is put back into its pair first.
    pub(super) fn hold(&self, hold: Hold) -> Decision {
        if self.suspends > 0 {
            return Decision::then(Event::PuttingBack, Effect::Observe(Probe::Ha));
        }
        Decision::record(Event::Held(hold))
    }

    /// The hop's release runs. A restart of ours that was taken late is watched to its end like any other.
    pub(super) fn found_there(&self, hop: &Hop) -> Decision {
        let look = match self.untaken {
            Some(_) => Probe::Boot { expected: hop.to },
            None => self.look_after(),
        };
        Decision::then(Event::FoundThere { version: hop.to }, Effect::Observe(look))
    }

    /// Stops for a person. The evidence of the phase goes with it.
    pub(super) fn halt(&self, reason: HaltReason, evidence: Vec<String>) -> Decision {
        Decision::record(Event::Halted { reason, evidence })
    }

    /// Looks again after a while, unless time ran out: `limit` after the phase began, or after its request was last moved
    /// on, so that every attempt has the whole of it.
    pub(super) fn again(
        &self,
        now: Timestamp,
        ask: Ask,
        after: SignedDuration,
        limit: SignedDuration,
        last: &str,
    ) -> Decision {
        let since = self.waits_since(ask);
        if since.duration_until(now) < limit {
            return Decision::perform(Effect::WakeAt(saturating_add(now, after)));
        }
        let reason = HaltReason::NoProgress {
            step: self.phase.name().to_owned(),
            minutes: u32::try_from(limit.as_mins()).unwrap_or(u32::MAX),
            last: last.to_owned(),
        };
        self.halt(
            reason,
            vec![format!("since {since:.0}"), format!("last answer: {last}")],
        )
    }

    /// What the deadline of a step counts from: the phase, this process, or the request, whichever came last.
    pub(super) fn waits_since(&self, ask: Ask) -> Timestamp {
        ask.at().map_or(self.since, |at| at.max(self.since))
    }

    /// A read before the hop that failed: tried again for a while, then the device waits at rest.
    pub(super) fn unreadable(
        &self,
        now: Timestamp,
        ask: Ask,
        failure: &Failure,
        limit: SignedDuration,
    ) -> Decision {
        if self.standing_down {
            return self.hold(Hold::StoodDown { staged: None });
        }
        let passes = failure.kind.passes();
        if passes && self.waits_since(ask).duration_until(now) < limit {
            return Decision::perform(Effect::WakeAt(saturating_add(now, RETRY)));
        }
        self.hold(Hold::Unreadable {
            step: self.phase.name().to_owned(),
            why: failure.text.clone(),
            until: passes.then(|| saturating_add(now, crate::pulse::GATE_RETRY)),
        })
    }

    /// Whether an answer belongs to the request that this phase waits for; late answers to earlier ones do not count.
    pub(super) fn is_current(ask: Ask, call: &Call) -> bool {
        matches!(ask, Ask::Intended { action, attempt, .. } if action == call.action && attempt == call.attempt)
    }
}
