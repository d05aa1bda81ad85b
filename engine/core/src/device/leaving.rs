//! Leaving service: the only place from which a device is suspended or restarted.
//!
//! A member of a pair leaves only after the other one was seen serving, by its own word and by the word of this member,
//! in the same look that the decision is made from. Nothing of ours can have changed that in between: the campaign gives
//! a pair one permit at a time.

use hopgate_playbooks::{Ha, HaMember};
use jiff::Timestamp;

use super::preparing::unanswered;
use super::{Action, Ask, Call, Decision, Device, Effect, Event, Input, Observation};
use crate::halt::HaltReason;
use crate::pulse::{ATTEMPTS_MAX, FAILOVER_LIMIT, GATE_RETRY, JOB_POLL, RETRY};
use crate::waiting::Hold;
use crate::window::saturating_add;

/// What both members show, taken together.
enum PairView {
    /// The other serves; this one may go down.
    PeerServes(String),
    /// This one serves and the other stands by, in sync: suspending hands over.
    CanHandOver(String),
    /// Neither; what was seen.
    Unsettled(String),
}

impl Device {
    pub(super) fn leaving(&self, now: Timestamp, ask: Ask, input: &Input) -> Decision {
        match input {
            Input::Tick if self.enrolment.peer.is_none() => self.leave_alone(now),
            Input::Observed(Observation::Staging { .. }) if self.enrolment.peer.is_none() => {
                self.leave_alone(now)
            }
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::Ha { own, peer }) => self.pair_seen(now, ask, own, peer),
            Input::NoObservation { failure, .. } => self.pair_unsettled(now, ask, &failure.text),
            Input::Answered { call, .. } if Self::is_current(ask, call) => Decision::then(
                Event::Accepted {
                    action: call.action,
                    job: None,
                },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            ),
            Input::Refused { call, failure } if Self::is_current(ask, call) => {
                self.not_taken(now, *call, failure, |text| HaltReason::Refused {
                    action: "suspend HA".to_owned(),
                    text,
                })
            }
            Input::Unanswered { call, failure } if Self::is_current(ask, call) => {
                unanswered(now, *call, failure)
            }
            _ => Decision::nothing(),
        }
    }

    fn leave_alone(&self, now: Timestamp) -> Decision {
        match self.must_rest(now) {
            Some(hold) => self.hold(hold),
            None => self.restart(Vec::new()),
        }
    }

    /// Why the device may not be taken out of service now, if it may not.
    pub(super) fn must_rest(&self, now: Timestamp) -> Option<Hold> {
        let hop = self.hop()?;
        let permit = self.permit?;
        if self.standing_down {
            return Some(Hold::StoodDown { staged: Some(hop.to) });
        }
        (now > permit.reboot_by).then(|| Hold::WindowTooShort {
            needs_min: 2 * hop.times.reboot_fail_min,
            closes: saturating_add(
                permit.reboot_by,
                crate::window::minutes(2 * hop.times.reboot_fail_min),
            ),
        })
    }

    /// Intends the restart. The caller has just seen that the device may leave.
    pub(super) fn restart(&self, events: Vec<Event>) -> Decision {
        if self.restarts >= ATTEMPTS_MAX {
            return self.halt(
                HaltReason::RestartIgnored {
                    attempts: self.restarts,
                },
                Vec::new(),
            );
        }
        self.intend(
            events,
            Call {
                action: Action::Restart,
                attempt: self.restarts + 1,
            },
        )
    }

    fn pair_seen(&self, now: Timestamp, ask: Ask, own: &Ha, peer: &Result<Box<Ha>, String>) -> Decision {
        let view = pair_view(own, peer);
        let suspended_by_us = ask.attempts() > 0;
        if let (Some(hold), false) = (self.must_rest(now), suspended_by_us) {
            return self.hold(hold);
        }
        match view {
            PairView::PeerServes(_) if self.must_rest(now).is_some() => {
                Decision::then(Event::PuttingBack, self.look_at_pair())
            }
            PairView::PeerServes(seen) => self.restart(vec![Event::FailoverProved { seen }]),
            PairView::CanHandOver(seen) => self.hand_over(now, ask, &seen),
            PairView::Unsettled(seen) => self.pair_unsettled(now, ask, &seen),
        }
    }

    fn look_at_pair(&self) -> Effect {
        Effect::Observe(super::Probe::Ha)
    }

    fn hand_over(&self, now: Timestamp, ask: Ask, seen: &str) -> Decision {
        match ask {
            Ask::Taken { .. } => self.pair_unsettled(now, ask, seen),
            Ask::Intended { action, .. } => Decision::then(
                Event::FoundUndone { action },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            ),
            Ask::Open { attempts } if attempts >= ATTEMPTS_MAX => self.halt(
                HaltReason::Refused {
                    action: "suspend HA".to_owned(),
                    text: format!("still serving: {seen}"),
                },
                vec![seen.to_owned()],
            ),
            Ask::Open { attempts } => self.intend(
                Vec::new(),
                Call {
                    action: Action::Suspend,
                    attempt: attempts + 1,
                },
            ),
        }
    }

    /// Neither member can be shown to serve for sure. Waits a little; then a member still in service rests, and one that
    /// we suspended is put back.
    fn pair_unsettled(&self, now: Timestamp, ask: Ask, seen: &str) -> Decision {
        let since = match ask {
            Ask::Taken { at, .. } | Ask::Intended { at, .. } => at,
            Ask::Open { .. } => self.since,
        };
        if since.duration_until(now) < FAILOVER_LIMIT {
            return Decision::perform(Effect::WakeAt(saturating_add(now, JOB_POLL)));
        }
        if ask.attempts() == 0 {
            return self.hold(Hold::PeerNotReady {
                found: seen.to_owned(),
                until: saturating_add(now, GATE_RETRY),
            });
        }
        Decision::then(
            Event::FailoverFailed {
                seen: seen.to_owned(),
            },
            self.look_at_pair(),
        )
    }

    /// Suspended by us and not restarted: back into the pair, then to rest or to a person.
    pub(super) fn restoring(
        &self,
        now: Timestamp,
        ask: Ask,
        failed: Option<&str>,
        input: &Input,
    ) -> Decision {
        match input {
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::Ha { own, .. }) => self.restoring_seen(now, ask, failed, own),
            Input::NoObservation { failure, .. } => self.again(now, RETRY, FAILOVER_LIMIT * 2, &failure.text),
            Input::Answered { call, .. } if Self::is_current(ask, call) => Decision::then(
                Event::Accepted {
                    action: call.action,
                    job: None,
                },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            ),
            Input::Refused { call, failure } if Self::is_current(ask, call) => {
                self.not_taken(now, *call, failure, |text| HaltReason::Refused {
                    action: "make HA functional".to_owned(),
                    text,
                })
            }
            Input::Unanswered { call, failure } if Self::is_current(ask, call) => {
                unanswered(now, *call, failure)
            }
            _ => Decision::nothing(),
        }
    }

    fn restoring_seen(&self, now: Timestamp, ask: Ask, failed: Option<&str>, own: &Ha) -> Decision {
        if is_member(&own.local) {
            return self.restored(failed);
        }
        let suspended = own.local.state == "suspended";
        match ask {
            Ask::Open { attempts } if suspended && attempts < ATTEMPTS_MAX => self.intend(
                Vec::new(),
                Call {
                    action: Action::MakeFunctional,
                    attempt: attempts + 1,
                },
            ),
            Ask::Intended { action, .. } if suspended => Decision::then(
                Event::FoundUndone { action },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            ),
            Ask::Open { .. } | Ask::Intended { .. } | Ask::Taken { .. } => {
                self.again(now, JOB_POLL, FAILOVER_LIMIT * 2, &member_line(&own.local))
            }
        }
    }

    fn restored(&self, failed: Option<&str>) -> Decision {
        let rest = match (failed, self.hop()) {
            (Some(seen), _) => Event::Halted {
                reason: HaltReason::FailoverNotProved {
                    found: seen.to_owned(),
                },
                evidence: vec![seen.to_owned()],
            },
            (None, hop) => Event::Held(Hold::StoodDown {
                staged: hop.map(|hop| hop.to),
            }),
        };
        Decision {
            events: vec![Event::Restored, rest],
            effects: Vec::new(),
        }
    }
}

/// Serving or standing by.
pub(super) fn is_member(member: &HaMember) -> bool {
    member.state == "active" || member.state == "passive"
}

/// A member in words.
pub(super) fn member_line(member: &HaMember) -> String {
    match &member.reason {
        Some(reason) => format!("{} ({reason})", member.state),
        None => member.state.clone(),
    }
}

fn pair_view(own: &Ha, peer: &Result<Box<Ha>, String>) -> PairView {
    let peer = match peer {
        Ok(peer) => peer,
        Err(why) => return PairView::Unsettled(format!("the peer could not be asked: {why}")),
    };
    let Some(peer_by_own) = &own.peer else {
        return PairView::Unsettled("this member reports no peer".to_owned());
    };
    if !own.enabled || !peer.enabled {
        return PairView::Unsettled("HA is switched off on a member".to_owned());
    }
    let seen = format!(
        "this member {}, peer {} by its own word and {} by this one's",
        member_line(&own.local),
        member_line(&peer.local),
        member_line(peer_by_own)
    );
    if peer.local.state != peer_by_own.state {
        return PairView::Unsettled(seen);
    }
    match (own.local.state.as_str(), peer.local.state.as_str()) {
        ("passive" | "suspended" | "non-functional" | "initial", "active") => PairView::PeerServes(seen),
        ("active", "passive") if in_sync(own) => PairView::CanHandOver(seen),
        ("active", "passive") => PairView::Unsettled(format!("{seen}, not in sync")),
        _ => PairView::Unsettled(seen),
    }
}

/// Whether sessions and configuration are in sync; members on different releases cannot be, and that is not held against them.
fn in_sync(own: &Ha) -> bool {
    let Some(peer) = &own.peer else { return false };
    let same_release = own.local.build.is_some() && own.local.build == peer.build;
    let config_ok = !own.running_sync_enabled || own.running_sync.as_deref() == Some("synchronized");
    !same_release || config_ok
}
