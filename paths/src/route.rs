//! Routes: the hops a plan stores, and the refusals that explain why there is none.
//!
//! Responsible for: the shapes that go into plans (their field names are for ever) and the words of a refusal. Must not
//! know: how a route is found.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::version::{Train, Version};

/// The hops that lead one model from one release to another, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The model, as `show system info` names it.
    pub model: String,
    /// The release the device runs now.
    pub from: Version,
    /// The release it shall run in the end.
    pub to: Version,
    /// Each starts where the one before it ends. The graph never gives none: that is [`NoRoute::NothingToDo`].
    pub hops: Vec<Hop>,
}

impl Route {
    /// Whether any hop breaks a rule of the vendor: such a route was pinned by an operator and is shown as that.
    pub fn is_off_vendor(&self) -> bool {
        self.hops.iter().any(|hop| !hop.broken_rules.is_empty())
    }

    /// Minutes all hops usually take, one after the other: installs, reboots and auto-commits. Downloads are not in it,
    /// they happen before a window.
    pub fn expected_minutes(&self) -> u32 {
        self.hops.iter().map(Hop::expected_minutes).sum()
    }
}

/// One install and one reboot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    /// The release before.
    pub from: Version,
    /// The release after.
    pub to: Version,
    /// What kind of step this is.
    pub kind: HopKind,
    /// The images this hop needs on disk, base first and target last. An image that is on disk already stays there;
    /// a target loaded before its base has to be downloaded again.
    pub downloads: Vec<Version>,
    /// The oldest Applications and Threats content (the number before the dash) the target installs with.
    pub minimum_content: Option<u32>,
    /// The vendor's rules this hop breaks; empty unless an operator pinned it.
    pub broken_rules: Vec<BrokenRule>,
    /// How long it takes, and how long to wait.
    pub times: HopTimes,
    /// Whether `show chassis-ready` exists on this model; without it the auto-commit job is the only sign.
    pub chassis_ready: bool,
    /// How many feature releases apart HA peers are while one of them has done this hop and the other has not, by the
    /// vendor's list. From two on, the peer on the older release may suspend itself ("Peer version too old").
    pub feature_releases_apart: u32,
}

impl Hop {
    /// Minutes this hop usually takes, from the start of the install to the end of the auto-commit.
    pub fn expected_minutes(&self) -> u32 {
        self.times.install_expected_min + self.times.reboot_expected_min
    }

    /// How many feature releases apart HA peers are in the middle of this hop.
    pub fn peers_apart(&self) -> u32 {
        self.feature_releases_apart
    }
}

/// What kind of step a hop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HopKind {
    /// Within one feature release.
    Maintenance,
    /// To a later feature release, as the vendor allows it.
    Feature,
    /// Pinned by an operator against a rule of the vendor; the hop lists which.
    Pinned,
    /// To an older release of the same feature release.
    MaintenanceDowngrade,
    /// To an older feature release, with a configuration saved before.
    FeatureDowngrade,
    /// Back to the release on the other partition. Shown beside a path, never part of one.
    Revert,
}

impl HopKind {
    /// Whether the step leads to an older release.
    pub const fn is_down(self) -> bool {
        matches!(
            self,
            Self::MaintenanceDowngrade | Self::FeatureDowngrade | Self::Revert
        )
    }
}

/// A rule of the vendor that a pinned hop breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokenRule {
    /// The rule's name, stable across releases of hopgate.
    pub rule: String,
    /// What the hop does and what the vendor says about it.
    pub text: String,
    /// Where the vendor says it.
    pub source: String,
}

/// Minutes of one hop. The reboot counts from the accepted restart to the auto-commit ending well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HopTimes {
    /// The install job, usually.
    pub install_expected_min: u32,
    /// The install job, at worst.
    pub install_worst_min: u32,
    /// The reboot, usually.
    pub reboot_expected_min: u32,
    /// When a reboot is late enough to say so.
    pub reboot_warn_min: u32,
    /// When it has failed.
    pub reboot_fail_min: u32,
}

/// Why there is no route.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NoRoute {
    /// The device runs the target already.
    #[error("nothing to do: the device runs {version} already")]
    NothingToDo {
        /// The release it runs.
        version: Version,
    },
    /// The target is older than what runs.
    #[error(
        "from {from} to {to} is a downgrade, which has to be asked for; the quicker way back from a hop is the other partition"
    )]
    Downgrade {
        /// What runs.
        from: Version,
        /// The older target.
        to: Version,
    },
    /// A pinned waypoint does not lie between its neighbours.
    #[error("pinned waypoint {waypoint} is not newer than {after}, which comes before it")]
    WaypointBackwards {
        /// What comes before it.
        after: Version,
        /// The waypoint, or the target.
        waypoint: Version,
    },
    /// A pinned waypoint of a downgrade does not lie between its neighbours.
    #[error("pinned waypoint {waypoint} is not older than {after}, which comes before it on the way down")]
    WaypointUpwards {
        /// What comes before it.
        after: Version,
        /// The waypoint, or the target.
        waypoint: Version,
    },
    /// A release of a feature release the catalogue does not have.
    #[error("there is no feature release {} (known: {})", version.train(), list(known))]
    UnknownTrain {
        /// The release.
        version: Version,
        /// The feature releases with a row.
        known: Vec<Train>,
    },
    /// The model does not run a release of the route.
    #[error("{model} does not run {version}: {runs} (source: {source_row})")]
    ModelCannotRun {
        /// The model.
        model: String,
        /// The release it does not run.
        version: Version,
        /// What it does run, as a sentence.
        runs: String,
        /// The row that says so.
        source_row: String,
    },
    /// The release is older than the base image of its feature release.
    #[error("{version} is older than {base}, the base image of {} (source: {source_row})", version.train())]
    OlderThanBase {
        /// The release.
        version: Version,
        /// The base image.
        base: Version,
        /// The row that says so.
        source_row: String,
    },
    /// No source says which base image the hop needs.
    #[error("which base image {} needs is not known: read it from the device's software list (source: {source_row})", version.train())]
    BaseUnknown {
        /// The target whose base is asked for.
        version: Version,
        /// The row that says so.
        source_row: String,
    },
    /// The vendor's table does not lead there.
    #[error("no path of the vendor leads {model} from {from} to {to}: {ends}")]
    NoPath {
        /// The model.
        model: String,
        /// What runs.
        from: Version,
        /// The target.
        to: Version,
        /// Where the table ends, with its sources.
        ends: String,
    },
    /// The device's own software list has the feature release and not this release of it.
    #[error("the device does not offer {version} (it offers of {}: {})", version.train(), list(offered))]
    NotOffered {
        /// The release.
        version: Version,
        /// What it offers of the same feature release, in ascending order.
        offered: Vec<Version>,
    },
    /// No release of a feature release is known that the model could stop at.
    #[error(
        "no release of {train} is known that {model} could stop at{}",
        ruled_out(ruled_out_by)
    )]
    NoStop {
        /// The model.
        model: String,
        /// The feature release.
        train: Train,
        /// The ids of the advisories that rule out those there are.
        ruled_out_by: Vec<String>,
    },
    /// Advisories the device is exposed to refuse every way.
    #[error("every way from {from} to {to} is blocked: {}", sentences(blocked))]
    Blocked {
        /// What runs.
        from: Version,
        /// The target.
        to: Version,
        /// What blocks the way that would be taken otherwise, hop by hop.
        blocked: Vec<BlockedBy>,
    },
    /// A wider reach the catalogue does not have.
    #[error("the release catalogue has no wider reach \"{option}\" (known: {})", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    UnknownReach {
        /// What was asked for.
        option: String,
        /// The names there are.
        known: Vec<String>,
    },
}

/// An advisory that refuses a release to a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockedBy {
    /// The advisory's id.
    pub advisory: String,
    /// The release.
    pub release: Version,
    /// What would happen.
    pub effect: String,
    /// What was seen on the device; empty where every device of the model is exposed.
    pub evidence: Vec<String>,
    /// What an operator does about it.
    pub action: String,
}

fn sentences(blocked: &[BlockedBy]) -> String {
    let said = blocked.iter().map(|by| {
        let seen = match by.evidence.as_slice() {
            [] => String::new(),
            evidence => format!(" ({})", evidence.join("; ")),
        };
        format!(
            "{} at {}{seen}: {} {}",
            by.advisory, by.release, by.effect, by.action
        )
    });
    said.collect::<Vec<_>>().join(" | ")
}

fn ruled_out(ids: &[String]) -> String {
    if ids.is_empty() {
        String::new()
    } else {
        format!(": {} rule out those there are", ids.join(", "))
    }
}

fn list(names: &[impl ToString]) -> String {
    let texts: Vec<_> = names.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
