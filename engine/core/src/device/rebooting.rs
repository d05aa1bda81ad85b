//! Rebooting: the shell looks, the watch says what it means, and this file turns that into events.

use jiff::Timestamp;

use super::{Ask, Decision, Device, Effect, Event, FailureKind, Input, Observation, Probe};
use crate::halt::HaltReason;
use crate::pulse::BOOT_POLL;
use crate::watchdog::{Limits, Note, Outcome, Sight, Watch};
use crate::window::saturating_add;

impl Device {
    pub(super) fn rebooting(&self, now: Timestamp, ask: Ask, watch: &Watch, input: &Input) -> Decision {
        match input {
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::Boot {
                version,
                uptime_seconds,
                auto_commit,
                chassis_ready,
            }) => {
                let sight = Sight::Answer {
                    version: *version,
                    uptime_seconds: *uptime_seconds,
                    auto_commit: *auto_commit,
                    chassis_ready: *chassis_ready,
                };
                self.sighted(now, watch, &sight)
            }
            Input::NoObservation { failure, .. } if failure.kind == FailureKind::Untrusted => {
                let reason = HaltReason::Untrusted {
                    detail: failure.text.clone(),
                };
                self.halt(reason, watch.evidence())
            }
            Input::NoObservation { failure, .. } => self.sighted(
                now,
                watch,
                &Sight::Nothing {
                    reach: failure.kind.reach(),
                },
            ),
            Input::Answered { call, job } if Self::is_current(ask, call) => Decision::then(
                Event::Accepted {
                    action: call.action,
                    job: *job,
                },
                Effect::WakeAt(saturating_add(now, BOOT_POLL)),
            ),
            // Refused or silent, the watch finds out whether it restarts: the boot instant tells, the reply does not.
            Input::Refused { call, failure } if Self::is_current(ask, call) => Decision::then(
                Event::Refused {
                    action: call.action,
                    text: failure.text.clone(),
                },
                Effect::WakeAt(saturating_add(now, BOOT_POLL)),
            ),
            Input::Unanswered { call, failure } if Self::is_current(ask, call) => Decision::then(
                Event::Unanswered {
                    action: call.action,
                    why: failure.text.clone(),
                },
                Effect::WakeAt(saturating_add(now, BOOT_POLL)),
            ),
            _ => Decision::nothing(),
        }
    }

    fn sighted(&self, now: Timestamp, watch: &Watch, sight: &Sight) -> Decision {
        let Some(hop) = self.hop() else {
            return Decision::nothing();
        };
        let limits = Limits {
            warn_min: hop.times.reboot_warn_min,
            fail_min: hop.times.reboot_fail_min,
        };
        let (notes, outcome) = watch.look(now, sight, hop.to, limits);
        let mut after = watch.clone();
        notes.iter().for_each(|note| after.remember(note));
        let mut events: Vec<Event> = notes
            .into_iter()
            .map(|note| self.note_event(now, watch, note))
            .collect();
        let effect = match outcome {
            Outcome::KeepWatching => Some(Effect::WakeAt(saturating_add(now, BOOT_POLL))),
            Outcome::Back => {
                let boots = u32::try_from(after.boots.len()).unwrap_or(u32::MAX).max(1);
                events.push(Event::BackInService { boots });
                Some(Effect::Observe(self.look_after()))
            }
            Outcome::NotTaken => {
                events.push(Event::RestartNotTaken);
                Some(Effect::Observe(Probe::Staging))
            }
            // The way back of a hop is the other partition, and its release is the one before the hop.
            Outcome::Failed(HaltReason::WrongRelease { found, .. })
                if found == hop.from && watch.was_resumed() =>
            {
                events.push(Event::WentBack { version: found });
                None
            }
            Outcome::Failed(reason) => {
                events.push(Event::Halted {
                    reason,
                    evidence: after.evidence(),
                });
                None
            }
        };
        Decision {
            events,
            effects: effect.into_iter().collect(),
        }
    }

    fn note_event(&self, now: Timestamp, watch: &Watch, note: Note) -> Event {
        match note {
            Note::Reach(reach) => Event::Seen(reach),
            Note::Boot(boot) => Event::BootSeen(boot),
            Note::Slow => Event::SlowBoot {
                minutes: u32::try_from(watch.asked_at.duration_until(now).as_mins()).unwrap_or(u32::MAX),
            },
        }
    }
}
