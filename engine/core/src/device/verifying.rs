//! Verifying: HA settles, the checks after the hop pass, and only then the hop has ended.

use hopgate_playbooks::{Finding, Gate, Ha, System};
use jiff::Timestamp;

use super::leaving::{is_member, member_line};
use super::preparing::{finding_line, passed, unanswered};
use super::{Action, Ask, Call, Decision, Device, Effect, Event, How, Input, Observation};
use crate::halt::HaltReason;
use crate::pulse::{AFTER_CHECK_LIMIT, ATTEMPTS_MAX, HA_SETTLE_LIMIT, JOB_POLL, RETRY};
use crate::watchdog::Watch;
use crate::window::saturating_add;

/// The reason that a member shows while it is suspended by a request; any other reason is not ours to undo.
const SUSPENDED_BY_REQUEST: &str = "User requested";

impl Device {
    pub(super) fn verifying(
        &self,
        now: Timestamp,
        ask: Ask,
        watch: Option<&Watch>,
        input: &Input,
    ) -> Decision {
        match input {
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::After { system, ha, findings }) => {
                self.after_seen(now, ask, watch, system, ha.as_deref(), findings)
            }
            Input::NoObservation { failure, .. } => {
                self.wait_or_fail(now, watch, AFTER_CHECK_LIMIT, |device| HaltReason::AfterChecks {
                    reasons: vec![format!("{} cannot be read: {}", device.id(), failure.text)],
                })
            }
            Input::Answered { call, .. } if Self::is_current(ask, call) => Decision::then(
                Event::Accepted {
                    action: call.action,
                    job: None,
                },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            ),
            Input::Refused { call, failure } if Self::is_current(ask, call) => {
                self.not_taken(now, *call, failure, |text| HaltReason::HaNotSettled {
                    found: format!("it refused to become functional: {text}"),
                })
            }
            Input::Unanswered { call, failure } if Self::is_current(ask, call) => {
                unanswered(now, *call, failure)
            }
            _ => Decision::nothing(),
        }
    }

    fn after_seen(
        &self,
        now: Timestamp,
        ask: Ask,
        watch: Option<&Watch>,
        system: &System,
        ha: Option<&Ha>,
        findings: &[Finding],
    ) -> Decision {
        let Some(hop) = self.hop() else {
            return Decision::nothing();
        };
        if system.sw_version != hop.to {
            let reason = HaltReason::WrongRelease {
                expected: hop.to,
                found: system.sw_version,
            };
            return self.halt(reason, evidence(watch));
        }
        if self.enrolment.peer.is_some() {
            match ha {
                Some(ha) if is_member(&ha.local) => {}
                Some(ha) => return self.unsettled(now, ask, watch, ha),
                None => {
                    return self.wait_or_fail(now, watch, HA_SETTLE_LIMIT, |_| HaltReason::HaNotSettled {
                        found: "HA cannot be read".to_owned(),
                    });
                }
            }
        }
        match Gate::of(findings) {
            Gate::Open => {
                let how = if watch.is_some() {
                    How::Done
                } else {
                    How::AlreadySo
                };
                Decision::record(Event::HopEnded {
                    hop: self.hop,
                    version: hop.to,
                    how,
                    passed: passed(findings),
                })
            }
            Gate::Held { reasons } => {
                self.wait_or_fail(now, watch, AFTER_CHECK_LIMIT, |_| HaltReason::AfterChecks {
                    reasons: reasons.iter().map(finding_line).collect(),
                })
            }
        }
    }

    /// Whether "suspended" survives a reboot differs by release and is read, never assumed.
    fn unsettled(&self, now: Timestamp, ask: Ask, watch: Option<&Watch>, ha: &Ha) -> Decision {
        let found = member_line(&ha.local);
        if ha.local.state != "suspended" {
            return self.wait_or_fail(now, watch, HA_SETTLE_LIMIT, |_| HaltReason::HaNotSettled {
                found: found.clone(),
            });
        }
        let by_request = ha
            .local
            .reason
            .as_deref()
            .is_none_or(|reason| reason.contains(SUSPENDED_BY_REQUEST));
        if !by_request {
            return self.halt(HaltReason::HaNotSettled { found }, evidence(watch));
        }
        match ask {
            Ask::Open { attempts } if attempts < ATTEMPTS_MAX => self.intend(
                Vec::new(),
                Call {
                    action: Action::MakeFunctional,
                    attempt: attempts + 1,
                },
            ),
            Ask::Intended { action, .. } => Decision::then(
                Event::FoundUndone { action },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            ),
            Ask::Open { .. } | Ask::Taken { .. } => self.wait_or_fail(now, watch, HA_SETTLE_LIMIT, |_| {
                HaltReason::HaNotSettled { found: found.clone() }
            }),
        }
    }

    fn wait_or_fail(
        &self,
        now: Timestamp,
        watch: Option<&Watch>,
        limit: jiff::SignedDuration,
        reason: impl Fn(&Device) -> HaltReason,
    ) -> Decision {
        if self.since.duration_until(now) < limit {
            let after = if limit == HA_SETTLE_LIMIT {
                JOB_POLL
            } else {
                RETRY / 2
            };
            return Decision::perform(Effect::WakeAt(saturating_add(now, after)));
        }
        self.halt(reason(self), evidence(watch))
    }
}

fn evidence(watch: Option<&Watch>) -> Vec<String> {
    watch.map_or_else(Vec::new, Watch::evidence)
}
