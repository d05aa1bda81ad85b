//! What reaches a device: permits, observations, replies, silence, ticks and operators.
//!
//! Failures arrive already classed; this crate never sees an HTTP status or a sentence from a device that it would have
//! to understand.

use hopgate_paths::Version;
use hopgate_playbooks::{Finding, Ha, Image, Job, Partition, System};

use super::effect::{Call, Probe};
use super::event::Permit;
use crate::names::Identity;
use crate::watchdog::{AutoCommit, Reach};

/// One thing that happened, for `decide`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The process began and the journal was replayed.
    Resumed,
    /// The campaign grants a hop.
    Permit(Permit),
    /// The campaign or the operator wants it to come to rest at the next safe place.
    StandDown {
        /// Who or what asked.
        because: String,
    },
    /// An operator lets a halted or held device go on.
    Resume {
        /// Who.
        by: Identity,
        /// Why.
        reason: String,
    },
    /// The instant that `WakeAt` named has come.
    Tick,
    /// A probe was answered.
    Observed(Observation),
    /// A probe was not answered.
    NoObservation {
        /// Which.
        probe: Probe,
        /// What came instead.
        failure: Failure,
    },
    /// A changing request was taken.
    Answered {
        /// The request.
        call: Call,
        /// The job it started.
        job: Option<u32>,
    },
    /// A changing request was refused, or never left: it had no effect.
    Refused {
        /// The request.
        call: Call,
        /// What came instead.
        failure: Failure,
    },
    /// A changing request was sent and nothing usable came back.
    Unanswered {
        /// The request.
        call: Call,
        /// What came instead.
        failure: Failure,
    },
}

/// What a probe saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Identity, and the findings of the playbooks that are asked before the hop.
    Checked {
        /// The running system.
        system: Box<System>,
        /// Whether HA is switched on, or why that could not be read.
        ha_enabled: Result<bool, String>,
        /// One per check and subject.
        findings: Vec<Finding>,
    },
    /// The configuration was exported and stored.
    BackedUp {
        /// Hash and file name.
        blob: String,
        /// Size.
        bytes: u64,
        /// Hash and file name of the device's state, where it was read to be compared after the hop.
        snapshot: Option<String>,
    },
    /// Software list and jobs.
    Software {
        /// The device's own list.
        images: Vec<Image>,
        /// Its jobs.
        jobs: Vec<Job>,
    },
    /// Partitions and jobs.
    Staging {
        /// Running release.
        running: Version,
        /// Partitions; nothing where the software manager cannot be read on this model.
        partitions: Option<Vec<Partition>>,
        /// Its jobs.
        jobs: Vec<Job>,
    },
    /// One job.
    Job(Job),
    /// HA, seen from both members.
    Ha {
        /// What this member says.
        own: Box<Ha>,
        /// What the other says of itself, or why it could not be asked.
        peer: Result<Box<Ha>, String>,
    },
    /// A look at a restarting device that answered.
    Boot {
        /// Running release.
        version: Version,
        /// Uptime in seconds.
        uptime_seconds: u64,
        /// The auto-commit job.
        auto_commit: AutoCommit,
        /// `show chassis-ready`.
        chassis_ready: Option<bool>,
    },
    /// Identity, HA and the findings of the playbooks that are asked after the hop.
    After {
        /// The running system.
        system: Box<System>,
        /// HA, for a member of a pair.
        ha: Option<Box<Ha>>,
        /// One per check and subject.
        findings: Vec<Finding>,
        /// What is not as it was before the hop, where that is compared.
        differences: Vec<Finding>,
    },
}

/// How a request failed, classed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// In words, without secrets.
    pub text: String,
}

/// Classes that the machines tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing answers: refused, no route, or silence.
    Dark,
    /// Something answers, but not usefully: resets, half replies, HTML, 5xx, busy, Panorama's "not connected".
    Unready,
    /// A good key is refused: normal while booting, fatal otherwise.
    Unauthorised,
    /// The device understood and said no.
    Rejected,
    /// Another certificate than the pinned one.
    Untrusted,
}

impl FailureKind {
    /// How the device is seen, for the watchdog.
    pub fn reach(self) -> Reach {
        match self {
            FailureKind::Dark => Reach::Dark,
            FailureKind::Unready
            | FailureKind::Unauthorised
            | FailureKind::Rejected
            | FailureKind::Untrusted => Reach::Starting,
        }
    }

    /// Whether another try may go better without a person.
    pub fn passes(self) -> bool {
        match self {
            FailureKind::Dark | FailureKind::Unready => true,
            FailureKind::Unauthorised | FailureKind::Rejected | FailureKind::Untrusted => false,
        }
    }
}
