//! Before anything is installed: checks, backup, images. A device in these phases may be left as it is at any moment.

use hopgate_paths::Version;
use hopgate_playbooks::{Finding, Gate, Image, Job, Severity, System, Verdict};
use jiff::{SignedDuration, Timestamp};

use super::{Action, Ask, Call, Decision, Device, Effect, Event, How, Input, Observation, Probe};
use crate::halt::HaltReason;
use crate::pulse::{ATTEMPTS_MAX, FETCH_LIMIT, GATE_RETRY, JOB_POLL, PREPARE_LIMIT, RETRY};
use crate::waiting::Hold;
use crate::window::saturating_add;

/// The job type of a software download, as devices name it.
const DOWNLOAD_JOB: &str = "Downld";

impl Device {
    pub(super) fn checking(&self, now: Timestamp, input: &Input) -> Decision {
        match input {
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::Checked {
                system,
                ha_enabled,
                findings,
            }) => match self.not_as_planned(now, system, ha_enabled) {
                Some(hold) => self.hold(hold),
                None => self.checked(now, system, findings),
            },
            Input::NoObservation {
                probe: Probe::Checks { .. },
                failure,
            } => self.unreadable(now, Ask::NEW, failure, PREPARE_LIMIT),
            _ => Decision::nothing(),
        }
    }

    /// Why the device that answers is not the one of the plan, if it is not. Nothing of it is asked any further then: another
    /// firewall, or a member of a pair that the plan takes for a firewall alone, must not be taken out of service.
    fn not_as_planned(
        &self,
        now: Timestamp,
        system: &System,
        ha_enabled: &Result<bool, String>,
    ) -> Option<Hold> {
        if system.serial != self.enrolment.serial {
            return Some(Hold::OtherDevice {
                expected: self.enrolment.serial.clone(),
                found: system.serial.clone(),
            });
        }
        match ha_enabled {
            _ if self.enrolment.peer.is_some() => None,
            Ok(false) => None,
            Ok(true) => Some(Hold::PeerNotNamed),
            Err(why) => Some(Hold::Unreadable {
                step: "HA".to_owned(),
                why: why.clone(),
                until: Some(saturating_add(now, GATE_RETRY)),
            }),
        }
    }

    fn checked(&self, now: Timestamp, system: &System, findings: &[Finding]) -> Decision {
        let Some(hop) = self.hop() else {
            return Decision::nothing();
        };
        if self.standing_down {
            return self.hold(Hold::StoodDown { staged: None });
        }
        if system.sw_version == hop.to {
            return self.found_there(hop);
        }
        if system.sw_version != hop.from {
            return self.hold(Hold::Drifted {
                expected: hop.from,
                found: system.sw_version,
            });
        }
        match Gate::of(findings) {
            Gate::Held { reasons } => self.hold(Hold::Gate {
                reasons: reasons.iter().map(finding_line).collect(),
                until: saturating_add(now, GATE_RETRY),
            }),
            Gate::Open => Decision::then(
                Event::ChecksPassed {
                    passed: passed(findings),
                    warnings: warnings(findings),
                },
                Effect::Observe(Probe::Backup),
            ),
        }
    }

    pub(super) fn backing_up(&self, now: Timestamp, input: &Input) -> Decision {
        match input {
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::BackedUp {
                blob,
                bytes,
                snapshot,
            }) => Decision::then(
                Event::BackedUp {
                    blob: blob.clone(),
                    bytes: *bytes,
                    snapshot: snapshot.clone(),
                },
                Effect::Observe(Probe::Software { refresh: true }),
            ),
            Input::NoObservation {
                probe: Probe::Backup,
                failure,
            } => self.unreadable(now, Ask::NEW, failure, PREPARE_LIMIT),
            _ => Decision::nothing(),
        }
    }

    pub(super) fn fetching(&self, now: Timestamp, ask: Ask, input: &Input) -> Decision {
        match input {
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::Software { images, jobs }) => {
                self.software_seen(now, ask, images, jobs)
            }
            Input::Observed(Observation::Job(job)) => self.download_seen(now, ask, job),
            Input::NoObservation {
                probe: Probe::Job(_),
                failure,
            } if !failure.kind.passes() => {
                // A job id means nothing after an unplanned reboot: what counts is the list.
                Decision::perform(Effect::Observe(Probe::Software { refresh: false }))
            }
            Input::NoObservation { failure, .. } => self.unreadable(now, ask, failure, FETCH_LIMIT),
            Input::Answered { .. } | Input::Refused { .. } | Input::Unanswered { .. } => {
                self.answered(now, ask, input, self.downloads_max(), |detail| {
                    HaltReason::FetchFailed { detail }
                })
            }
            _ => Decision::nothing(),
        }
    }

    fn software_seen(&self, now: Timestamp, ask: Ask, images: &[Image], jobs: &[Job]) -> Decision {
        let Some(hop) = self.hop() else {
            return Decision::nothing();
        };
        let missing = hop
            .downloads
            .iter()
            .copied()
            .find(|version| !is_downloaded(images, *version));
        let Some(missing) = missing else {
            let how = if ask.attempts() > 0 {
                How::Done
            } else {
                How::AlreadySo
            };
            return Decision::then(Event::ImagesReady { how }, Effect::Observe(Probe::Staging));
        };
        if let Some(job) = running_job(jobs, DOWNLOAD_JOB) {
            return self.follow(now, ask, Action::Download(missing), job, FETCH_LIMIT);
        }
        if self.standing_down {
            return self.hold(Hold::StoodDown { staged: None });
        }
        if let Some(action) = ask.unsettled() {
            let undone = Event::FoundUndone { action };
            return Decision::then(undone, Effect::WakeAt(saturating_add(now, JOB_POLL)));
        }
        if !images.iter().any(|image| image.version == missing) {
            return self.hold(Hold::ImageNotOffered { version: missing });
        }
        let attempts = ask.attempts();
        if attempts >= self.downloads_max() {
            let detail = format!("{missing} is still not on the device after {attempts} downloads");
            return self.halt(HaltReason::FetchFailed { detail }, Vec::new());
        }
        self.intend(
            Vec::new(),
            Call {
                action: Action::Download(missing),
                attempt: attempts + 1,
            },
        )
    }

    /// Downloads of one hop, all its images and their further attempts together.
    fn downloads_max(&self) -> u32 {
        let images = self.hop().map_or(1, |hop| hop.downloads.len());
        ATTEMPTS_MAX * u32::try_from(images).unwrap_or(1)
    }

    fn download_seen(&self, now: Timestamp, ask: Ask, job: &Job) -> Decision {
        let Ask::Taken {
            action,
            job: Some(id),
            ..
        } = ask
        else {
            return Decision::perform(self.look());
        };
        if job.kind != DOWNLOAD_JOB {
            // Ids begin again at every boot: this one is somebody else's now, and the list tells what became of ours.
            return Decision::perform(Effect::Observe(Probe::Software { refresh: false }));
        }
        if job.status != "FIN" {
            if self.standing_down {
                return self.hold(Hold::StoodDown { staged: None });
            }
            return self.again(now, ask, JOB_POLL, FETCH_LIMIT, &job_line(job));
        }
        let ok = job.result == "OK";
        let ended = Event::JobEnded {
            action,
            job: id,
            ok,
            detail: job.details.join(" / "),
        };
        if ok {
            return Decision::then(ended, Effect::Observe(Probe::Software { refresh: false }));
        }
        if ask.attempts() >= self.downloads_max() {
            let reason = HaltReason::FetchFailed {
                detail: job.details.join(" / "),
            };
            let halted = Event::Halted {
                reason,
                evidence: vec![job_line(job)],
            };
            return Decision {
                events: vec![ended, halted],
                effects: Vec::new(),
            };
        }
        Decision::then(ended, Effect::WakeAt(saturating_add(now, RETRY)))
    }

    /// A job for our purpose is already running: follow it, whoever started it, for as long as such a job may take.
    pub(super) fn follow(
        &self,
        now: Timestamp,
        ask: Ask,
        action: Action,
        job: u32,
        limit: SignedDuration,
    ) -> Decision {
        let action = match ask {
            Ask::Taken { job: Some(known), .. } if known == job => {
                return self.again(
                    now,
                    ask,
                    JOB_POLL,
                    limit,
                    &format!("job {job} is listed as running"),
                );
            }
            Ask::Taken { action, .. } | Ask::Intended { action, .. } => action,
            Ask::Open { .. } => action,
        };
        let accepted = Event::Accepted {
            action,
            job: Some(job),
        };
        Decision::then(accepted, Effect::WakeAt(saturating_add(now, JOB_POLL)))
    }
}

fn is_downloaded(images: &[Image], version: Version) -> bool {
    images
        .iter()
        .any(|image| image.version == version && (image.downloaded || image.current))
}

/// The id of a pending or active job of this type.
pub(super) fn running_job(jobs: &[Job], kind: &str) -> Option<u32> {
    jobs.iter()
        .filter(|job| job.kind == kind && job.status != "FIN")
        .find_map(|job| job.id)
}

/// A job in one line.
pub(super) fn job_line(job: &Job) -> String {
    let progress = job
        .progress
        .map_or_else(String::new, |progress| format!(" {progress}%"));
    let id = job.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    format!("job {id} {} {}/{}{progress}", job.kind, job.status, job.result)
}

/// Findings that passed.
pub(super) fn passed(findings: &[Finding]) -> u32 {
    u32::try_from(
        findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Pass)
            .count(),
    )
    .unwrap_or(u32::MAX)
}

/// Findings that do not hold, and are more than information.
pub(super) fn to_know(findings: &[Finding]) -> Vec<String> {
    let told = findings
        .iter()
        .filter(|finding| finding.severity != Severity::Info);
    warnings(told)
}

fn warnings<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Vec<String> {
    findings
        .into_iter()
        .filter(|finding| finding.verdict != Verdict::Pass)
        .map(finding_line)
        .collect()
}

/// A finding that did not pass, in one line.
pub(super) fn finding_line(finding: &Finding) -> String {
    match &finding.verdict {
        Verdict::Pass => format!("{}: passed", finding.check),
        Verdict::Fail => format!("{}: {}", finding.check, finding.message),
        Verdict::Inconclusive { missing } => format!("{}: cannot tell, {missing}", finding.check),
        Verdict::Error { detail } => format!("{}: could not be evaluated, {detail}", finding.check),
        Verdict::Waived { by, reason, until } => {
            format!(
                "{}: {}; accepted by {by} until {until:.0}: {reason}",
                finding.check, finding.message
            )
        }
    }
}
