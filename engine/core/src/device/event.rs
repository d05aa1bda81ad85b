//! The journal vocabulary of a device: facts, in the past tense, each with a line for people.
//!
//! Stored for ever: a field is never renamed, and a variant never changes its meaning. Instants are not in here: every
//! record carries its own.

use std::fmt;

use hopgate_paths::{Hop, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::halt::HaltReason;
use crate::names::{CampaignId, DeviceId, Identity};
use crate::plan::PlanHash;
use crate::quote::{cut, cut_lines};
use crate::waiting::Hold;
use crate::watchdog::{Boot, Reach};

/// What the campaign gives a device so that it may do one hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// Grows with every permit of a campaign.
    pub id: u64,
    /// The hop, from 0.
    pub hop: u32,
    /// The last instant at which the device may be taken out of service.
    pub reboot_by: Timestamp,
}

/// What a device is enrolled with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The device.
    pub device: DeviceId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// The plan it was enrolled under.
    pub plan: PlanHash,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Other member of its pair.
    pub peer: Option<DeviceId>,
    /// Its hops. The texts of broken rules are in the plan document, their ids here.
    pub hops: Vec<Hop>,
}

/// A request that changes the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Fetch an image from the update server.
    Download(Version),
    /// Install an image into the partition that is not running.
    Install(Version),
    /// Take the device out of its HA pair.
    Suspend,
    /// Put it back.
    MakeFunctional,
    /// Restart the device.
    Restart,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Download(version) => write!(f, "download {version}"),
            Action::Install(version) => write!(f, "install {version}"),
            Action::Suspend => f.write_str("suspend HA"),
            Action::MakeFunctional => f.write_str("make HA functional"),
            Action::Restart => f.write_str("restart"),
        }
    }
}

/// How a step came to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Our request did it.
    Done,
    /// It was so before we asked.
    AlreadySo,
}

/// What happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// First record of every device stream.
    Enrolled(Box<Enrolment>),
    /// The campaign lets it start a hop.
    PermitReceived(Permit),
    /// It waits, and gave its permit back.
    Held(Hold),
    /// The campaign or the operator asked it to come to rest.
    StandDownAsked {
        /// Who or what asked.
        because: String,
    },
    /// The process came back in the middle of a hop; deadlines of steps count from here.
    PickedUp,
    /// It already runs the hop's release.
    FoundThere {
        /// The release.
        version: Version,
    },
    /// The checks before the hop let it pass.
    ChecksPassed {
        /// Findings that passed.
        passed: u32,
        /// Findings to know about that do not hold.
        warnings: Vec<String>,
    },
    /// The configuration was exported and stored.
    BackedUp {
        /// Hash and file name of the stored export.
        blob: String,
        /// Its size.
        bytes: u64,
        /// Hash and file name of what was read of its state, where that is compared after the hop.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot: Option<String>,
    },
    /// A changing request is about to be sent.
    Intended {
        /// The request.
        action: Action,
        /// From 1; another attempt only after the one before was observed to have done nothing.
        attempt: u32,
    },
    /// The device took the request.
    Accepted {
        /// The request.
        action: Action,
        /// The job it started, where it did.
        job: Option<u32>,
    },
    /// The device refused the request.
    Refused {
        /// The request.
        action: Action,
        /// What it said.
        text: String,
    },
    /// The request was sent and nothing usable came back: it may have taken effect.
    Unanswered {
        /// The request.
        action: Action,
        /// What came instead.
        why: String,
    },
    /// A look at the device shows that the request had no effect.
    FoundUndone {
        /// The request.
        action: Action,
    },
    /// A job that follows one of our requests, or one found running for the same purpose.
    JobEnded {
        /// The request it belongs to.
        action: Action,
        /// The job.
        job: u32,
        /// FIN/OK.
        ok: bool,
        /// What it said.
        detail: String,
    },
    /// All images of the hop are on the device.
    ImagesReady {
        /// How the last one came.
        how: How,
    },
    /// The hop's release is installed and starts with the next boot.
    Staged {
        /// The release.
        version: Version,
        /// How it came.
        how: How,
    },
    /// The other member serves; this one may leave.
    FailoverProved {
        /// What was seen of the two.
        seen: String,
    },
    /// The other member did not take over; this one is put back.
    FailoverFailed {
        /// What was seen of the two.
        seen: String,
    },
    /// It comes to rest after the suspend: this member is put back first.
    PuttingBack,
    /// It is a full member of its pair again without having been restarted.
    Restored,
    /// The restart was asked for, and the device kept running.
    RestartNotTaken,
    /// A person put the device back on the release before the hop, and it is up there; the hop starts over.
    WentBack {
        /// The release that runs.
        version: Version,
    },
    /// How the restarting device is seen changed.
    Seen(Reach),
    /// A boot.
    BootSeen(Boot),
    /// The restart takes longer than the model usually needs.
    SlowBoot {
        /// Minutes so far.
        minutes: u32,
    },
    /// Expected release, our boot, auto-commit ended.
    BackInService {
        /// Boots it took.
        boots: u32,
    },
    /// A member of a pair serves or stands by again after the boot; the checks after the hop are timed from here.
    HaSettled {
        /// Its HA state.
        state: String,
    },
    /// The hop is done and its after-checks passed.
    HopEnded {
        /// The hop, from 0.
        hop: u32,
        /// The release that runs.
        version: Version,
        /// How it came to run.
        how: How,
        /// Findings of the after-checks that passed.
        passed: u32,
        /// Findings to know about that do not hold.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// It stopped and a person has to look.
    Halted {
        /// Why.
        reason: HaltReason,
        /// What was seen, oldest first.
        evidence: Vec<String>,
    },
    /// An operator let it go on.
    Resumed {
        /// Who.
        by: Identity,
        /// Why, in their words.
        reason: String,
    },
}

impl Event {
    /// Cuts the words of others that it carries, so that it fits into a record.
    pub(super) fn shorten(&mut self) {
        match self {
            Event::Refused { text, .. }
            | Event::Unanswered { why: text, .. }
            | Event::JobEnded { detail: text, .. } => {
                cut(text);
            }
            Event::FailoverProved { seen } | Event::FailoverFailed { seen } => cut(seen),
            Event::StandDownAsked { because } => cut(because),
            Event::Resumed { reason, .. } => cut(reason),
            Event::ChecksPassed { warnings, .. } => cut_lines(warnings),
            Event::Held(hold) => hold.shorten(),
            Event::Halted { reason, evidence } => {
                reason.shorten();
                cut_lines(evidence);
            }
            Event::Enrolled(_)
            | Event::PermitReceived(_)
            | Event::PickedUp
            | Event::FoundThere { .. }
            | Event::BackedUp { .. }
            | Event::Intended { .. }
            | Event::Accepted { .. }
            | Event::FoundUndone { .. }
            | Event::ImagesReady { .. }
            | Event::Staged { .. }
            | Event::PuttingBack
            | Event::Restored
            | Event::RestartNotTaken
            | Event::WentBack { .. }
            | Event::Seen(_)
            | Event::BootSeen(_)
            | Event::SlowBoot { .. }
            | Event::BackInService { .. }
            | Event::HaSettled { .. }
            | Event::HopEnded { .. } => {}
        }
    }

    /// The name it is stored under.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Enrolled(_) => "enrolled",
            Event::PermitReceived(_) => "permit_received",
            Event::Held(_) => "held",
            Event::StandDownAsked { .. } => "stand_down_asked",
            Event::ChecksPassed { .. } => "checks_passed",
            Event::BackedUp { .. } => "backed_up",
            Event::Intended { .. } => "intended",
            Event::Accepted { .. } => "accepted",
            Event::Refused { .. } => "refused",
            Event::Unanswered { .. } => "unanswered",
            Event::FoundUndone { .. } => "found_undone",
            Event::JobEnded { .. } => "job_ended",
            Event::ImagesReady { .. } => "images_ready",
            Event::Staged { .. } => "staged",
            Event::FailoverProved { .. } => "failover_proved",
            Event::FailoverFailed { .. } => "failover_failed",
            Event::PuttingBack => "putting_back",
            Event::Restored => "restored",
            Event::PickedUp => "picked_up",
            Event::FoundThere { .. } => "found_there",
            Event::RestartNotTaken => "restart_not_taken",
            Event::WentBack { .. } => "went_back",
            Event::Seen(_) => "seen",
            Event::BootSeen(_) => "boot_seen",
            Event::SlowBoot { .. } => "slow_boot",
            Event::BackInService { .. } => "back_in_service",
            Event::HaSettled { .. } => "ha_settled",
            Event::HopEnded { .. } => "hop_ended",
            Event::Halted { .. } => "halted",
            Event::Resumed { .. } => "resumed",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Enrolled(enrolment) => write_enrolled(f, enrolment),
            Event::PermitReceived(permit) => {
                write!(
                    f,
                    "may do hop {} (restart by {:.0})",
                    permit.hop + 1,
                    permit.reboot_by
                )
            }
            Event::Held(hold) => write!(f, "waits: {hold}"),
            Event::StandDownAsked { because } => write!(f, "asked to come to rest: {because}"),
            Event::ChecksPassed { passed, warnings } if warnings.is_empty() => {
                write!(f, "checks before the hop: {passed} passed")
            }
            Event::ChecksPassed { passed, warnings } => {
                write!(
                    f,
                    "checks before the hop: {passed} passed, to know: {}",
                    warnings.join("; ")
                )
            }
            Event::BackedUp {
                blob,
                bytes,
                snapshot,
            } => write_backed_up(f, blob, *bytes, snapshot.is_some()),
            Event::Intended { action, attempt: 1 } => write!(f, "about to {action}"),
            Event::Intended { action, attempt } => write!(f, "about to {action}, attempt {attempt}"),
            Event::Accepted {
                action,
                job: Some(job),
            } => write!(f, "took the request to {action}: job {job}"),
            Event::Accepted { action, job: None } => write!(f, "took the request to {action}"),
            Event::Refused { action, text } => write!(f, "refused to {action}: {text}"),
            Event::Unanswered { action, why } => {
                write!(
                    f,
                    "no answer to the request to {action} ({why}); looking before anything else"
                )
            }
            Event::FoundUndone { action } => write!(f, "the request to {action} had no effect"),
            Event::JobEnded {
                action,
                job,
                ok: true,
                ..
            } => write!(f, "job {job} to {action} ended OK"),
            Event::JobEnded {
                action,
                job,
                ok: false,
                detail,
            } => {
                write!(f, "job {job} to {action} ended FAIL: {detail}")
            }
            Event::ImagesReady { how: How::Done } => write!(f, "all images of the hop are on the device"),
            Event::ImagesReady { how: How::AlreadySo } => {
                write!(f, "all images of the hop were on the device already")
            }
            Event::Staged {
                version,
                how: How::Done,
            } => write!(f, "{version} is installed and starts with the next boot"),
            Event::Staged {
                version,
                how: How::AlreadySo,
            } => write!(f, "{version} was installed already"),
            Event::FailoverProved { seen } => write!(f, "the peer serves: {seen}"),
            Event::FailoverFailed { seen } => {
                write!(f, "the peer did not take over: {seen}; putting this member back")
            }
            Event::PuttingBack => write!(f, "comes to rest after the suspend: putting this member back"),
            Event::PickedUp => write!(f, "hopgate came back and picks up here"),
            Event::FoundThere { version } => write!(f, "runs {version} already"),
            Event::Restored => write!(f, "full member of its pair again, not restarted"),
            Event::RestartNotTaken => write!(f, "kept running: the restart was not taken"),
            Event::WentBack { version } => {
                write!(f, "was put back on {version} by hand; the hop starts over")
            }
            Event::Seen(Reach::Answering) => write!(f, "the API answers"),
            Event::Seen(Reach::Starting) => write!(f, "something answers, not the API yet"),
            Event::Seen(Reach::Dark) => write!(f, "dark"),
            Event::BootSeen(boot) => write!(f, "booted {} at {:.0}", boot.version, boot.at),
            Event::SlowBoot { minutes } => write!(f, "slow: {minutes} min since the restart"),
            Event::BackInService { boots: 1 } => write!(f, "back: expected release, auto-commit ended"),
            Event::BackInService { boots } => {
                write!(f, "back after {boots} boots: expected release, auto-commit ended")
            }
            Event::HaSettled { state } => write!(f, "HA settled: {state}"),
            Event::HopEnded {
                hop,
                version,
                how,
                passed,
                warnings,
            } => write_hop_ended(f, hop + 1, *version, *how, *passed, warnings),
            Event::Halted { reason, .. } => write!(f, "HALTED: {reason}"),
            Event::Resumed { by, reason } => write!(f, "resumed by {by}: {reason}"),
        }
    }
}

fn write_backed_up(f: &mut fmt::Formatter<'_>, blob: &str, bytes: u64, kept: bool) -> fmt::Result {
    let name = blob.get(..12).unwrap_or(blob);
    write!(f, "configuration backed up, {bytes} bytes, {name}")?;
    if kept {
        f.write_str("; its state kept to compare with")?;
    }
    Ok(())
}

fn write_hop_ended(
    f: &mut fmt::Formatter<'_>,
    hop: u32,
    version: Version,
    how: How,
    passed: u32,
    warnings: &[String],
) -> fmt::Result {
    match how {
        How::Done => write!(
            f,
            "hop {hop} done: runs {version}, {passed} checks after it passed"
        )?,
        How::AlreadySo => write!(f, "hop {hop} was done already: runs {version}")?,
    }
    if !warnings.is_empty() {
        write!(f, ", to know: {}", warnings.join("; "))?;
    }
    Ok(())
}

fn write_enrolled(f: &mut fmt::Formatter<'_>, enrolment: &Enrolment) -> fmt::Result {
    write!(f, "enrolled in {}: {}", enrolment.campaign, enrolment.model)?;
    if let Some(first) = enrolment.hops.first() {
        write!(f, ", {}", first.from)?;
    }
    enrolment
        .hops
        .iter()
        .try_for_each(|hop| write!(f, " -> {}", hop.to))
}
