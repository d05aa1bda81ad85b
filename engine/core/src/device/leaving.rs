//! Leaving service: the only place from which a device is suspended or restarted.
//!
//! A member of a pair leaves only after the other one was seen serving, by its own word and by the word of this member,
//! in the same look that the decision is made from. Nothing of ours can have changed that in between: the campaign gives
//! a pair one permit at a time.

use hopgate_paths::Hop;
use hopgate_playbooks::{Ha, HaMember};
use jiff::Timestamp;

use super::{Action, Ask, Call, Decision, Device, Effect, Event, Input, Observation, Probe};
use crate::halt::HaltReason;
use crate::pulse::{ATTEMPTS_MAX, FAILOVER_LIMIT, GATE_RETRY, JOB_POLL, RETRY};
use crate::waiting::Hold;
use crate::window::{minutes, saturating_add};

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
            // A device without a peer leaves in the decision that finds it staged, so it is here only after a crash.
            Input::Tick if self.enrolment.peer.is_none() => self.staging_again(),
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::Ha { own, peer }) => self.pair_seen(now, ask, own, peer),
            Input::NoObservation { failure, .. } => match self.rest_instead(now) {
                Some(rest) => rest,
                None => self.pair_unsettled(now, ask, &failure.text),
            },
            Input::Answered { .. } | Input::Refused { .. } | Input::Unanswered { .. } => {
                self.answered(now, ask, input, ATTEMPTS_MAX, |text| {
                    refused(Action::Suspend, text)
                })
            }
            _ => Decision::nothing(),
        }
    }

    /// What is staged is read once more, from the phase that knows what to make of it.
    fn staging_again(&self) -> Decision {
        Decision::then(Event::PickedUp, Effect::Observe(Probe::Staging))
    }

    /// Why the device may not be taken out of service now, if it may not.
    pub(super) fn must_rest(&self, now: Timestamp, hop: &Hop) -> Option<Hold> {
        let stood_down = Hold::StoodDown { staged: Some(hop.to) };
        let Some(permit) = self.permit else {
            return Some(stood_down);
        };
        if self.standing_down {
            return Some(stood_down);
        }
        let way_back = 2 * hop.times.reboot_fail_min;
        (now > permit.reboot_by).then(|| Hold::WindowTooShort {
            needs_min: way_back,
            closes: saturating_add(permit.reboot_by, minutes(way_back)),
        })
    }

    /// Back to rest, where the device may not leave any more: at once while it serves, through its pair where we suspended it.
    fn rest_instead(&self, now: Timestamp) -> Option<Decision> {
        let hold = self.must_rest(now, self.hop()?)?;
        Some(self.hold(hold))
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
        let Some(hop) = self.hop() else {
            return Decision::nothing();
        };
        if own.local.build.as_deref() == Some(hop.to.to_string().as_str()) {
            // It was restarted behind our back: restarting it again would be the second time.
            return self.found_there(hop);
        }
        if let Some(rest) = self.rest_instead(now) {
            return rest;
        }
        match pair_view(own, peer) {
            PairView::PeerServes(seen) => self.restart(vec![Event::FailoverProved { seen }]),
            PairView::CanHandOver(seen) => self.hand_over(now, ask, &seen),
            PairView::Unsettled(seen) => self.pair_unsettled(now, ask, &seen),
        }
    }

    fn look_at_pair(&self) -> Effect {
        Effect::Observe(Probe::Ha)
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
        if self.waits_since(ask).duration_until(now) < FAILOVER_LIMIT {
            return Decision::perform(Effect::WakeAt(saturating_add(now, JOB_POLL)));
        }
        if self.suspends == 0 {
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
            Input::NoObservation { failure, .. } => {
                self.again(now, ask, RETRY, FAILOVER_LIMIT * 2, &failure.text)
            }
            Input::Answered { .. } | Input::Refused { .. } | Input::Unanswered { .. } => {
                self.answered(now, ask, input, ATTEMPTS_MAX, |text| {
                    refused(Action::MakeFunctional, text)
                })
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
                self.again(now, ask, JOB_POLL, FAILOVER_LIMIT * 2, &member_line(&own.local))
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

fn refused(action: Action, text: String) -> HaltReason {
    HaltReason::Refused {
        action: action.to_string(),
        text,
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

/// Whether sessions and configuration are in sync. Members that are known to run different releases cannot be, and that is
/// not held against them; where a release is not told, they have to be.
fn in_sync(own: &Ha) -> bool {
    let Some(peer) = &own.peer else { return false };
    let releases_differ = matches!((&own.local.build, &peer.build), (Some(own), Some(peer)) if own != peer);
    let config_ok =
        own.running_sync_enabled == Some(false) || own.running_sync.as_deref() == Some("synchronized");
    let sessions_ok = own
        .local
        .state_sync
        .as_deref()
        .is_none_or(|sync| sync == "Complete");
    releases_differ || (config_ok && sessions_ok)
}

#[cfg(test)]
mod tests {
    use hopgate_playbooks::HaMember;

    use super::*;

    #[test]
    fn members_are_in_sync_where_the_device_says_so_and_not_where_it_says_nothing() {
        let member = |build: &str| HaMember {
            state: "active".to_owned(),
            reason: None,
            build: Some(build.to_owned()),
            state_sync: None,
            address: None,
        };
        let pair = |running_sync_enabled: Option<bool>, running_sync: Option<&str>, peer: &str| Ha {
            enabled: true,
            mode: None,
            local: member("10.1.14"),
            peer: Some(member(peer)),
            running_sync: running_sync.map(str::to_owned),
            running_sync_enabled,
            preemptive: None,
        };
        let (yes, no) = (Some("synchronized"), Some("not synchronized"));
        for (enabled, said, expected) in [
            (Some(true), yes, true),
            (Some(true), no, false),
            (Some(true), None, false),
            (Some(false), no, true),
            (Some(false), None, true),
            (None, yes, true),
            (None, no, false),
            (None, None, false),
        ] {
            assert_eq!(
                in_sync(&pair(enabled, said, "10.1.14")),
                expected,
                "{enabled:?} {said:?}"
            );
            assert!(in_sync(&pair(enabled, said, "10.2.0")), "{enabled:?} {said:?}");
        }
    }
}
