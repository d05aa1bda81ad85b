//! What the story says about one device: its hops, what it did when, and where it stands.
//!
//! Values only; `following.rs` fills them in.

use std::collections::BTreeMap;

use hopgate_core::device::{How, Phase};
use hopgate_core::halt::HaltReason;
use hopgate_core::names::{DeviceId, WaveName};
use hopgate_paths::{BrokenRule, HopKind, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Line, Resume, Wait};

/// What happened to one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStory {
    /// The device.
    pub device: DeviceId,
    /// Model as the device names itself.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Other member of its pair.
    pub peer: Option<DeviceId>,
    /// Labels from the inventory.
    pub labels: BTreeMap<String, String>,
    /// Its wave; nothing where it dropped out of the plan.
    pub wave: Option<WaveName>,
    /// The release it began with.
    pub from: Version,
    /// The release that its finished hops brought it to.
    pub now: Version,
    /// Another release that was seen running since: a boot whose hop has not ended, or a drift.
    pub seen: Option<Version>,
    /// The release it is to reach.
    pub target: Version,
    /// Where it stands.
    pub state: DeviceState,
    /// Its hops, those ahead included.
    pub hops: Vec<HopStory>,
    /// When it was not allowed, or not able, to go on, and why; oldest first, without its own halts.
    pub waits: Vec<Wait>,
    /// When it was halted, oldest first.
    pub halts: Vec<DeviceHalt>,
    /// Every record of its stream.
    pub timeline: Vec<Line>,
}

impl DeviceStory {
    /// Whether any of its hops leaves the vendor's path.
    pub fn is_off_vendor(&self) -> bool {
        self.hops.iter().any(HopStory::is_off_vendor)
    }
}

/// Where a device stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceState {
    /// In one word.
    pub standing: DeviceStanding,
    /// Name of its phase.
    pub phase: String,
    /// Since when.
    pub since: Timestamp,
    /// What it does, why it waits, or why it is halted.
    pub text: String,
    /// What a person should do next, where one is needed.
    pub next_step: Option<String>,
    /// Whether it goes on only after a person did something.
    pub needs_person: bool,
}

/// Where a device stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStanding {
    /// Between hops.
    Waiting,
    /// In a hop.
    Working,
    /// At its target.
    Done,
    /// Stopped for a person.
    Halted,
}

impl DeviceStanding {
    /// The word that people read.
    pub fn label(self) -> &'static str {
        match self {
            DeviceStanding::Waiting => "waiting",
            DeviceStanding::Working => "under way",
            DeviceStanding::Done => "done",
            DeviceStanding::Halted => "HALTED",
        }
    }
}

/// One hop of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HopStory {
    /// From 1.
    pub number: u32,
    /// The release it starts from.
    pub from: Version,
    /// The release it leads to.
    pub to: Version,
    /// What kind of step it is.
    pub kind: HopKind,
    /// The vendor's rules that it breaks.
    pub broken_rules: Vec<BrokenRule>,
    /// Where it stands.
    pub state: HopState,
    /// When the device was first allowed to start it.
    pub started: Option<Timestamp>,
    /// When its after-checks had passed.
    pub ended: Option<Timestamp>,
    /// Minutes under way, so far where it has not ended; time halted or put to rest in between does not count.
    pub minutes: Option<u32>,
    /// Minutes of the install, where one was asked for.
    pub install_minutes: Option<u32>,
    /// Minutes from the intent to restart to "back in service"; time halted in between does not count.
    pub reboot_minutes: Option<u32>,
    /// Findings that passed before it.
    pub checks_before: Option<u32>,
    /// Findings that passed after it.
    pub checks_after: Option<u32>,
    /// Findings before and after it that are to be known and did not hold it.
    pub warnings: Vec<String>,
    /// Boots seen in it.
    pub boots: u32,
    /// Times it was allowed to start; more than 1 where it came to rest in between.
    pub permits: u32,
    /// Whether we did it; nothing while it has not ended.
    pub how: Option<How>,
    /// What it did when, oldest first.
    pub spans: Vec<Span>,
}

impl HopStory {
    /// Whether it leaves the vendor's path.
    pub fn is_off_vendor(&self) -> bool {
        self.kind == HopKind::Pinned
    }
}

/// Where a hop stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HopState {
    /// Never started.
    Ahead,
    /// In it.
    UnderWay,
    /// Started, and came to rest before it ended.
    AtRest,
    /// Halted in it.
    Halted,
    /// Ended well.
    Done,
}

/// A stretch of one hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What it did.
    pub part: Part,
    /// From when.
    pub from: Timestamp,
    /// Until when; nothing while it lasts.
    pub until: Option<Timestamp>,
}

/// A part of a hop, as a timeline shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Checks, backup, images: in service, nothing installed.
    Prepare,
    /// The install into the other partition.
    Install,
    /// Handing over to the peer before the restart, or being put back without one.
    Failover,
    /// From the intent to restart to "back in service".
    Reboot,
    /// HA settles and the checks after the hop run.
    Verify,
    /// A person has to look.
    Halted,
}

impl Part {
    /// Every part, in the order of a hop.
    pub const ALL: [Part; 6] = [
        Part::Prepare,
        Part::Install,
        Part::Failover,
        Part::Reboot,
        Part::Verify,
        Part::Halted,
    ];

    /// The word that people read.
    pub fn label(self) -> &'static str {
        match self {
            Part::Prepare => "prepare",
            Part::Install => "install",
            Part::Failover => "failover",
            Part::Reboot => "reboot",
            Part::Verify => "verify",
            Part::Halted => "halted",
        }
    }

    /// The part that a phase belongs to; nothing between hops.
    pub(super) fn of(phase: &Phase) -> Option<Part> {
        match phase {
            Phase::Checking | Phase::BackingUp | Phase::Fetching(_) => Some(Part::Prepare),
            Phase::Installing(_) => Some(Part::Install),
            Phase::Leaving(_) | Phase::Restoring { .. } => Some(Part::Failover),
            Phase::Rebooting { .. } => Some(Part::Reboot),
            Phase::Verifying { .. } => Some(Part::Verify),
            Phase::Halted { .. } => Some(Part::Halted),
            Phase::Waiting(_) | Phase::Done => None,
        }
    }
}

/// A time in which a device was halted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceHalt {
    /// From when.
    pub at: Timestamp,
    /// The resume that ended it; nothing while it lasts.
    pub resumed: Option<Resume>,
    /// The hop, from 1.
    pub hop: u32,
    /// Key of the incident that it opens.
    pub incident: String,
    /// Why.
    pub reason: HaltReason,
    /// What was seen, oldest first.
    pub evidence: Vec<String>,
}
