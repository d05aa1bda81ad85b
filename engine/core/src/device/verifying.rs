//! Verifying: HA settles, the checks after the hop pass, and only then the hop has ended.

use hopgate_paths::Hop;
use hopgate_playbooks::{Finding, Gate, Ha, Severity, System, Verdict};
use jiff::Timestamp;

use super::leaving::{is_member, member_line};
use super::preparing::{finding_line, passed, to_know};
use super::{Action, Ask, Call, Decision, Device, Effect, Event, How, Input, Observation};
use crate::halt::HaltReason;
use crate::names::Identity;
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
            Input::Observed(Observation::After {
                system,
                ha,
                findings,
                differences,
            }) => {
                let findings = self.with_differences(findings, differences);
                self.after_seen(now, ask, watch, system, ha.as_deref(), &findings)
            }
            Input::NoObservation { failure, .. } => self.after_unreadable(now, watch, &failure.text),
            Input::Answered { .. } | Input::Refused { .. } | Input::Unanswered { .. } => {
                self.answered(now, ask, input, ATTEMPTS_MAX, |text| HaltReason::HaNotSettled {
                    found: format!("it refused to become functional: {text}"),
                })
            }
            _ => Decision::nothing(),
        }
    }

    /// The findings after the hop. What differs still stands once somebody has looked at it, and does not hold any more.
    fn with_differences(&self, findings: &[Finding], differences: &[Finding]) -> Vec<Finding> {
        let differences = differences.iter().cloned().map(|found| match &self.accepted_by {
            Some(by) => accepted(found, by),
            None => found,
        });
        findings.iter().cloned().chain(differences).collect()
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
                Some(ha) if is_member(&ha.local) => return self.member_seen(now, watch, ha, hop, findings),
                Some(ha) => return self.unsettled(now, ask, watch, ha),
                None => {
                    let found = "HA cannot be read".to_owned();
                    return self.wait_for_ha(now, ask, watch, found);
                }
            }
        }
        self.after_checks(now, watch, hop, findings)
    }

    /// The checks after the hop have their time from the moment HA settled, not from the boot.
    fn member_seen(
        &self,
        now: Timestamp,
        watch: Option<&Watch>,
        ha: &Ha,
        hop: &Hop,
        findings: &[Finding],
    ) -> Decision {
        if self.settled.is_some() {
            return self.after_checks(now, watch, hop, findings);
        }
        let settled = Event::HaSettled {
            state: ha.local.state.clone(),
        };
        let mut decision = match Gate::of(findings) {
            Gate::Open => self.after_checks(now, watch, hop, findings),
            Gate::Held { .. } => Decision::perform(Effect::WakeAt(saturating_add(now, RETRY / 2))),
        };
        decision.events.insert(0, settled);
        decision
    }

    fn after_checks(
        &self,
        now: Timestamp,
        watch: Option<&Watch>,
        hop: &Hop,
        findings: &[Finding],
    ) -> Decision {
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
                    warnings: to_know(findings),
                })
            }
            Gate::Held { reasons } => {
                let reasons = reasons.iter().map(finding_line).collect();
                self.wait_for_checks(now, watch, reasons)
            }
        }
    }

    fn after_unreadable(&self, now: Timestamp, watch: Option<&Watch>, why: &str) -> Decision {
        if self.enrolment.peer.is_some() && self.settled.is_none() {
            return self.wait_for_ha(now, Ask::NEW, watch, format!("it cannot be read: {why}"));
        }
        self.wait_for_checks(now, watch, vec![format!("{} cannot be read: {why}", self.id())])
    }

    /// Whether "suspended" survives a reboot differs by release and is read, never assumed.
    fn unsettled(&self, now: Timestamp, ask: Ask, watch: Option<&Watch>, ha: &Ha) -> Decision {
        let found = member_line(&ha.local);
        if ha.local.state != "suspended" {
            return self.wait_for_ha(now, ask, watch, found);
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
            Ask::Open { .. } | Ask::Taken { .. } => self.wait_for_ha(now, ask, watch, found),
        }
    }

    fn wait_for_ha(&self, now: Timestamp, ask: Ask, watch: Option<&Watch>, found: String) -> Decision {
        if self.waits_since(ask).duration_until(now) < HA_SETTLE_LIMIT {
            return Decision::perform(Effect::WakeAt(saturating_add(now, JOB_POLL)));
        }
        self.halt(HaltReason::HaNotSettled { found }, evidence(watch))
    }

    fn wait_for_checks(&self, now: Timestamp, watch: Option<&Watch>, reasons: Vec<String>) -> Decision {
        let since = self.settled.map_or(self.since, |settled| settled.max(self.since));
        if since.duration_until(now) < AFTER_CHECK_LIMIT {
            return Decision::perform(Effect::WakeAt(saturating_add(now, RETRY / 2)));
        }
        self.halt(HaltReason::AfterChecks { reasons }, evidence(watch))
    }
}

fn accepted(mut finding: Finding, by: &Identity) -> Finding {
    if finding.severity == Severity::Block && finding.verdict != Verdict::Pass {
        finding.severity = Severity::Warn;
        let by = format!("; {by} looked and let it go on");
        finding.message = format!("{}{by}", finding.message).into();
        if let Verdict::Inconclusive { missing } = &mut finding.verdict {
            missing.push_str(&by);
        }
    }
    finding
}

fn evidence(watch: Option<&Watch>) -> Vec<String> {
    watch.map_or_else(Vec::new, Watch::evidence)
}
