//! Installing: the hop's release goes into the partition that is not running. Service is not touched.
//!
//! A restart is allowed only after the install job ended FIN/OK and, where it can be read, the software manager says that
//! exactly this release starts with the next boot.

use hopgate_paths::{Hop, Version};
use hopgate_playbooks::{Job, Partition};
use jiff::{SignedDuration, Timestamp};

use super::preparing::{job_line, running_job, unanswered};
use super::{Action, Ask, Call, Decision, Device, Effect, Event, How, Input, Observation, Probe};
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
            }) => self.staging_seen(now, ask, hop, *running, partitions.as_deref(), jobs),
            Input::Observed(Observation::Job(job)) => self.install_seen(now, ask, limit, job),
            Input::NoObservation {
                probe: Probe::Job(_),
                failure,
            } if !failure.kind.passes() => Decision::perform(Effect::Observe(Probe::Staging)),
            Input::NoObservation { failure, .. } => self.again(now, RETRY, limit, &failure.text),
            Input::Answered { call, job } if Self::is_current(ask, call) => Decision::then(
                Event::Accepted {
                    action: call.action,
                    job: *job,
                },
                Effect::WakeAt(saturating_add(now, JOB_POLL)),
            ),
            Input::Refused { call, failure } if Self::is_current(ask, call) => {
                self.not_taken(now, *call, failure, |text| HaltReason::InstallFailed {
                    detail: text,
                })
            }
            Input::Unanswered { call, failure } if Self::is_current(ask, call) => {
                unanswered(now, *call, failure)
            }
            _ => Decision::nothing(),
        }
    }

    fn staging_seen(
        &self,
        now: Timestamp,
        ask: Ask,
        hop: &Hop,
        running: Version,
        partitions: Option<&[Partition]>,
        jobs: &[Job],
    ) -> Decision {
        if running == hop.to {
            // Somebody restarted it after our install, or our restart was taken late: what is left is to verify it.
            let found = Event::FoundThere { version: running };
            return Decision::then(
                found,
                Effect::Observe(Probe::After {
                    hop: self.hops_done(),
                }),
            );
        }
        if running != hop.from {
            return self.hold(Hold::Drifted {
                expected: hop.from,
                found: running,
            });
        }
        if let Some(job) = running_job(jobs, INSTALL_JOB) {
            return self.follow(now, ask, Action::Install(hop.to), job);
        }
        match next_boot(partitions, running, hop.to) {
            NextBoot::Expected => self.staged(now, hop, staged_how(ask)),
            NextBoot::Other(found) => self.hold(Hold::OtherReleaseStaged { found }),
            NextBoot::Unchanged => self.not_staged(now, ask, hop),
            NextBoot::Unknown if install_ended_ok(jobs) && ask.attempts() > 0 => {
                self.staged(now, hop, How::Done)
            }
            NextBoot::Unknown => self.not_staged(now, ask, hop),
        }
    }

    fn not_staged(&self, now: Timestamp, ask: Ask, hop: &Hop) -> Decision {
        if let Ask::Intended { action, .. } = ask {
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
            return Decision::nothing();
        };
        if job.status != "FIN" {
            return self.again(now, JOB_POLL, limit, &job_line(job));
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
        if let Some(hold) = self.must_rest(now) {
            return Decision {
                events: vec![staged, Event::Held(hold)],
                effects: Vec::new(),
            };
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

/// Whether the newest install job that is listed ended FIN/OK.
fn install_ended_ok(jobs: &[Job]) -> bool {
    jobs.iter()
        .filter(|job| job.kind == INSTALL_JOB)
        .max_by_key(|job| job.id)
        .is_some_and(|job| job.status == "FIN" && job.result == "OK")
}
