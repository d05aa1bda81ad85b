//! What follows the answer to a changing request, the same in every phase but the restart: taken, refused, or unknown.

use jiff::Timestamp;

use super::{Ask, Call, Decision, Device, Effect, Event, Failure, Input};
use crate::halt::HaltReason;
use crate::pulse::{JOB_POLL, RETRY, SETTLE};
use crate::window::saturating_add;

impl Device {
    /// An answer to the request that the phase waits for; an answer to any other does not count. A refusal after `limit`
    /// attempts stops the device with `reason`.
    pub(super) fn answered(
        &self,
        now: Timestamp,
        ask: Ask,
        input: &Input,
        limit: u32,
        reason: impl Fn(String) -> HaltReason,
    ) -> Decision {
        match input {
            Input::Answered { call, job } if Self::is_current(ask, call) => Decision::then(
                Event::Accepted {
                    action: call.action,
                    job: *job,
                },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            ),
            Input::Refused { call, failure } if Self::is_current(ask, call) => {
                self.not_taken(now, *call, limit, failure, reason)
            }
            Input::Unanswered { call, failure } if Self::is_current(ask, call) => {
                unanswered(now, *call, failure)
            }
            _ => Decision::nothing(),
        }
    }

    /// A request that had no effect: tried again after a while where that may help, else the device stops.
    fn not_taken(
        &self,
        now: Timestamp,
        call: Call,
        limit: u32,
        failure: &Failure,
        reason: impl Fn(String) -> HaltReason,
    ) -> Decision {
        let refused = Event::Refused {
            action: call.action,
            text: failure.text.clone(),
        };
        if call.attempt < limit {
            return Decision::then(refused, Effect::WakeAt(saturating_add(now, RETRY)));
        }
        let halted = Event::Halted {
            reason: reason(failure.text.clone()),
            evidence: vec![failure.text.clone()],
        };
        Decision {
            events: vec![refused, halted],
            effects: Vec::new(),
        }
    }
}

/// A request that may have taken effect: nothing but looking may follow, and not before it has arrived or died.
pub(super) fn unanswered(now: Timestamp, call: Call, failure: &Failure) -> Decision {
    Decision::then(
        Event::Unanswered {
            action: call.action,
            why: failure.text.clone(),
        },
        Effect::WakeAt(saturating_add(now, SETTLE)),
    )
}
