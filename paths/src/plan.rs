//! Answers: a path with everything an operator wants to know before the night, and the edges that were not taken.
//!
//! Responsible for: the shapes, which are printed as JSON under exactly these names. Must not know: how a path is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::advisory::{Advisory, Exposure, Severity};
use crate::catalogue::{Sourced, Stated};
use crate::request::Preference;
use crate::route::{BrokenRule, Hop, HopKind, NoRoute, Route};
use crate::version::Version;

/// What a path or an edge costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cost {
    /// Minutes of installs, reboots and auto-commits, as expected.
    pub minutes: u32,
    /// Risk, on the scale of minutes: skipped feature releases, second choices, broken rules, advisories. Never
    /// negative, so that nothing that becomes known makes a path cheaper.
    pub risk: u32,
}

impl Cost {
    /// Minutes and risk together.
    pub const fn total(self) -> u32 {
        self.minutes.saturating_add(self.risk)
    }
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            minutes: self.minutes.saturating_add(other.minutes),
            risk: self.risk.saturating_add(other.risk),
        }
    }
}

/// A path, hop by hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathPlan {
    /// The hops as a plan stores them.
    pub route: Route,
    /// The same hops with what each takes and what it meets.
    pub hops: Vec<HopPlan>,
    /// All hops together.
    pub cost: Cost,
    /// What may be a slip: releases nobody has heard of.
    pub doubts: Vec<Doubt>,
}

/// A release that is in no list: perhaps newer than the catalogue, perhaps a typing error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// The release.
    pub version: Version,
    /// What is doubtful, as a sentence.
    pub text: String,
    /// Up to three known releases most like it, nearest first.
    pub nearest: Vec<Version>,
}

/// One hop and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HopPlan {
    /// The hop as a plan stores it.
    pub hop: Hop,
    /// The images it needs on disk, in the order they must be loaded.
    pub images: Vec<Image>,
    /// The oldest Applications and Threats content (the number before the dash) the target installs with.
    pub content: Option<Stated<u32>>,
    /// What will be asked before the hop.
    pub gates: Vec<GateNote>,
    /// Free MB this needs in `/opt/panrepo`: 1.1 times the images that are missing. Absent where a size is not known.
    pub disk_needed_mb: Option<u64>,
    /// Minutes from the start of the install to the end of the auto-commit, as expected.
    pub expected_min: u32,
    /// The same when everything is late but still counts as coming back: the install at worst, and the reboot up to its
    /// watchdog's deadline.
    pub worst_min: u32,
    /// How to undo it.
    pub way_back: WayBack,
    /// What the hop asks of an HA pair, as a sentence.
    pub ha_rule: Arc<str>,
    /// For a downgrade to an older feature release: the configuration to load with it, as a sentence.
    pub configuration: Option<String>,
    /// Advisories the device would meet: exposed or open ones first, then those its facts clear.
    pub advisories: Vec<Assessed>,
    /// What all this rests on.
    pub sources: Vec<SourceNote>,
    /// What this hop costs.
    pub cost: Cost,
}

/// An image a hop needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// The release.
    pub version: Version,
    /// Whether it is the base image of its feature release: downloaded, not installed, unless it is the target itself.
    pub base: bool,
    /// Whether the device has it on disk already. Without the device's software list: no.
    pub on_disk: bool,
    /// Its size in MB, where the device's software list says.
    pub size_mb: Option<u64>,
}

/// Something that will be asked before a hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateNote {
    /// Its name, stable across releases of hopgate; the advisory's id for an open question of an advisory.
    pub id: Arc<str>,
    /// What must hold, as a sentence.
    pub text: Arc<str>,
    /// Who says so.
    pub source: Arc<str>,
}

/// How to undo a hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WayBack {
    /// The release it leads back to.
    pub to: Version,
    /// How, as a sentence.
    pub text: String,
    /// What is lost, as a sentence.
    pub lost: &'static str,
}

/// A row a hop rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceNote {
    /// What the row says of the hop.
    pub what: Arc<str>,
    /// The row's source and how far to trust it.
    pub sourced: Arc<Sourced>,
}

/// An advisory held against one hop of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assessed {
    /// The advisory.
    pub advisory: Arc<Advisory>,
    /// The release the device would stand on.
    pub release: Version,
    /// How bad it is here: lowered to a warning where the release is only suspect.
    pub severity: Severity,
    /// Whether no fix is listed for the feature release, so that nobody says whether it is affected.
    pub suspect: bool,
    /// Whether it was accepted for this device.
    pub accepted: bool,
    /// Whether the device is exposed.
    pub exposure: Arc<Exposure>,
}

impl Assessed {
    /// Whether it refuses the hop: exposed, not accepted, and of the blocking kind.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Block
            && !self.accepted
            && matches!(*self.exposure, Exposure::Exposed { .. })
    }

    /// Worst first: what blocks, what is open, what warns, what is clear; then by id.
    fn rank(&self) -> (u8, bool, Severity, bool, &str) {
        let state = match *self.exposure {
            Exposure::Exposed { .. } => 0,
            Exposure::Unknown { .. } => 1,
            Exposure::Clear { .. } => 2,
        };
        (
            state,
            self.accepted,
            self.severity,
            self.suspect,
            &self.advisory.id,
        )
    }

    pub(crate) fn sort(all: &mut [Self]) {
        all.sort_by(|one, other| one.rank().cmp(&other.rank()));
    }
}

impl PathPlan {
    /// Every advisory of the path once, at its worst, with the releases it sits on; worst first.
    pub fn advisories(&self) -> Vec<(&Assessed, Vec<Version>)> {
        let mut met: BTreeMap<&str, (&Assessed, Vec<Version>)> = BTreeMap::new();
        for assessed in self.hops.iter().flat_map(|hop| &hop.advisories) {
            let entry = met
                .entry(&assessed.advisory.id)
                .or_insert_with(|| (assessed, Vec::new()));
            entry.1.push(assessed.release);
            if assessed.rank() < entry.0.rank() {
                entry.0 = assessed;
            }
        }
        let mut met: Vec<_> = met.into_values().collect();
        met.sort_by(|one, other| one.0.rank().cmp(&other.0.rank()));
        met
    }
}

/// One of several paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alternative {
    /// Why it is offered, one reason or several.
    pub labels: Vec<Label>,
    /// The path.
    pub plan: PathPlan,
}

/// Why a path is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// The best by a preference.
    Best(Preference),
    /// The next cheapest after those, by minutes and risk.
    NextCheapest,
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Best(Preference::Balanced) => "balanced",
            Self::Best(Preference::FewestReboots) => "fewest reboots",
            Self::Best(Preference::LeastRisk) => "least risk",
            Self::Best(Preference::Vendor) => "as the vendor recommends",
            Self::NextCheapest => "next cheapest",
        })
    }
}

/// A step between two releases, allowed or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// Where it starts.
    pub from: Version,
    /// Where it ends.
    pub to: Version,
    /// What kind of step it is or would be. A revert is shown and never part of a path.
    pub kind: HopKind,
    /// What it costs, where it is allowed.
    pub cost: Option<Cost>,
    /// Why it is refused; empty where it is allowed. Every rule is one of [`crate::Rule::ALL`].
    pub refused: Vec<BrokenRule>,
}

/// Why a question is answered as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The model.
    pub model: String,
    /// What runs.
    pub from: Version,
    /// The target, once it is one release.
    pub to: Option<Version>,
    /// The rules against going there in one hop; empty where one hop is allowed.
    pub direct: Vec<BrokenRule>,
    /// The path there is.
    pub plan: Option<PathPlan>,
    /// Why there is none.
    pub refusal: Option<NoRoute>,
    /// The edges refused on the way.
    pub refused: Vec<Edge>,
    /// What would do instead, a sentence each.
    pub instead: Vec<String>,
}

/// A release that holds a fix, and the path there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FixPath {
    /// The release.
    pub version: Version,
    /// How far it is.
    pub distance: FixDistance,
    /// The path.
    pub plan: PathPlan,
}

/// How far a release with a fix is from what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixDistance {
    /// A hotfix on the same maintenance release.
    SameMaintenance,
    /// A later release of the same feature release.
    SameTrain,
    /// So many feature releases on.
    FeatureReleases(u32),
}
