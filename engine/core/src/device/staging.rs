//! Installing: the hop's release goes into the partition that is not running. Service is not touched.
//!
//! A restart is allowed only after the install job ended FIN/OK and, where it can be read, the software manager says that
//! exactly this release starts with the next boot.

use hopgate_paths::{Hop, Version};
use hopgate_playbooks::{Job, Partition};
use jiff::{SignedDuration, Timestamp};

use super::asked::unanswered;
use super::preparing::{job_line, running_job};
use super::{
    Action, Ask, Call, Decision, Device, Effect, Event, Failure, FailureKind, How, Input, Observation, Probe,
};
use crate::halt::HaltReason;
use crate::pulse::{ATTEMPTS_MAX, JOB_POLL, RETRY};
use crate::waiting::Hold;
use crate::window::{minutes, saturating_add};

/// The job type of a software install, as devices name it.
const INSTALL_JOB: &str = "SWInstall";

/// State of the partition that starts with the next boot.
const PENDING: &str = "PENDING-CHANGE";

/// What the software manager says about the next boot.
enum NextBoot {
    /// It boots this hop's release.
    Expected,
    /// It boots another release than the one that runs and than this hop's.
    Other(Version),
    /// It boots what runs.
    Unchanged,
    /// It cannot be read on this device.
    Unknown,
}

impl Device {
    pub(super) fn installing(&self, now: Timestamp, ask: Ask, input: &Input) -> Decision {
        let Some(hop) = self.hop() else {
            return Decision::nothing();
        };
        let limit = minutes(hop.times.install_worst_min) + crate::pulse::FAILOVER_LIMIT;
        match input {
            Input::Tick => Decision::perform(self.look()),
            Input::Observed(Observation::Staging {
                running,
                partitions,
                jobs,
            }) => self.staging_seen(now, ask, limit, *running, partitions.as_deref(), jobs),
            Input::Observed(Observation::Job(job)) => self.install_seen(now, ask, limit, job),
            Input::NoObservation {
                probe: Probe::Job(_),
                failure,
            } if !failure.kind.passes() => Decision::perform(Effect::Observe(Probe::Staging)),
            Input::NoObservation { failure, .. } => self.again(now, ask, RETRY, limit, &failure.text),
            Input::Answered { call, job: None } if Self::is_current(ask, call) => {
                unanswered(now, *call, &no_job())
            }
            Input::Answered { .. } | Input::Refused { .. } | Input::Unanswered { .. } => {
                self.answered(now, ask, input, ATTEMPTS_MAX, |detail| {
                    HaltReason::InstallFailed { detail }
                })
            }
            _ => Decision::nothing(),
        }
    }

    fn staging_seen(
        &self,
        now: Timestamp,
        ask: Ask,
        limit: SignedDuration,
        running: Version,
        partitions: Option<&[Partition]>,
        jobs: &[Job],
    ) -> Decision {
        let Some(hop) = self.hop() else {
            return Decision::nothing();
        };
        if running == hop.to {
            // Somebody restarted it after our install, or our restart was taken late.
            return self.found_there(hop);
        }
        if running != hop.from {
            return self.hold(Hold::Drifted {
                expected: hop.from,
                found: running,
            });
        }
        let job = running_job(jobs, INSTALL_JOB);
        match (next_boot(partitions, running, hop.to), job) {
            // Nobody can say afterwards what an install that is not ours left for the next boot: it is waited for.
            (NextBoot::Unknown, Some(job)) if matches!(ask, Ask::Open { .. }) => {
                let last = format!("job {job} installs something, and it is not ours");
                self.again(now, ask, JOB_POLL, limit, &last)
            }
            (_, Some(job)) => self.follow(now, ask, Action::Install(hop.to), job, limit),
            (NextBoot::Expected, None) => self.staged(now, hop, staged_how(ask)),
            (NextBoot::Other(found), None) => self.hold(Hold::OtherReleaseStaged { found }),
            (NextBoot::Unchanged, None) => self.not_staged(now, ask, hop),
            (NextBoot::Unknown, None) => self.next_boot_unknown(now, ask, hop, jobs),
        }
    }

    /// Only the end of our own job tells: seen, or not seen and then for a person.
    fn next_boot_unknown(&self, now: Timestamp, ask: Ask, hop: &Hop, jobs: &[Job]) -> Decision {
        match ask {
            Ask::Taken { job: None, .. } => self.staged(now, hop, How::Done),
            Ask::Intended { .. } if !install_listed(jobs) => self.not_staged(now, ask, hop),
            Ask::Intended { .. } | Ask::Taken { job: Some(_), .. } => {
                let detail = "its end was not seen and the software manager cannot be read".to_owned();
                self.halt(
                    HaltReason::InstallFailed { detail },
                    jobs.iter().map(job_line).collect(),
                )
            }
            Ask::Open { .. } => self.not_staged(now, ask, hop),
        }
    }

    fn not_staged(&self, now: Timestamp, ask: Ask, hop: &Hop) -> Decision {
        if let Some(action) = ask.unsettled() {
            return Decision::then(
                Event::FoundUndone { action },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            );
        }
        if self.standing_down {
            return self.hold(Hold::StoodDown { staged: None });
        }
        if ask.attempts() >= ATTEMPTS_MAX {
            let detail = format!("{} is not staged after {ATTEMPTS_MAX} installs", hop.to);
            return self.halt(HaltReason::InstallFailed { detail }, Vec::new());
        }
        self.intend(
            Vec::new(),
            Call {
                action: Action::Install(hop.to),
                attempt: ask.attempts() + 1,
            },
        )
    }

    fn install_seen(&self, now: Timestamp, ask: Ask, limit: SignedDuration, job: &Job) -> Decision {
        let Ask::Taken {
            action,
            job: Some(id),
            ..
        } = ask
        else {
            return Decision::perform(self.look());
        };
        if job.kind != INSTALL_JOB {
            // Ids begin again at every boot: this one is somebody else's now, and the partitions tell what became of ours.
            return Decision::perform(Effect::Observe(Probe::Staging));
        }
        if job.status != "FIN" {
            return self.again(now, ask, JOB_POLL, limit, &job_line(job));
        }
        let ok = job.result == "OK";
        let detail = job.details.join(" / ");
        let ended = Event::JobEnded {
            action,
            job: id,
            ok,
            detail: detail.clone(),
        };
        if ok {
            return Decision::then(ended, Effect::Observe(Probe::Staging));
        }
        if ask.attempts() >= ATTEMPTS_MAX {
            let reason = HaltReason::InstallFailed { detail };
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

    /// The release is staged: leave service, unless we were told to rest or the time for it has passed.
    fn staged(&self, now: Timestamp, hop: &Hop, how: How) -> Decision {
        let staged = Event::Staged { version: hop.to, how };
        if let Some(hold) = self.must_rest(now, hop) {
            let mut rest = self.hold(hold);
            rest.events.insert(0, staged);
            return rest;
        }
        match self.enrolment.peer {
            Some(_) => Decision::then(staged, Effect::Observe(Probe::Ha)),
            None => self.restart(vec![staged]),
        }
    }
}

fn staged_how(ask: Ask) -> How {
    if ask.attempts() > 0 {
        How::Done
    } else {
        How::AlreadySo
    }
}

fn next_boot(partitions: Option<&[Partition]>, running: Version, expected: Version) -> NextBoot {
    let Some(partitions) = partitions else {
        return NextBoot::Unknown;
    };
    match partitions.iter().find(|partition| partition.state == PENDING) {
        None => NextBoot::Unchanged,
        Some(Partition {
            version: Some(version),
            ..
        }) if *version == expected => NextBoot::Expected,
        Some(Partition {
            version: Some(version),
            ..
        }) if *version == running => NextBoot::Unchanged,
        Some(Partition {
            version: Some(version),
            ..
        }) => NextBoot::Other(*version),
        Some(Partition { version: None, .. }) => NextBoot::Unknown,
    }
}

/// Whether any install that ended is listed: it may be ours.
fn install_listed(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| job.kind == INSTALL_JOB)
}

/// An install without a job to follow is not known to have begun.
fn no_job() -> Failure {
    Failure {
        kind: FailureKind::Unready,
        text: "the reply names no job".to_owned(),
    }
}
