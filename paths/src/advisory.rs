//! Advisories: what is known against a release or a step, and whether a device is exposed to it.
//!
//! Responsible for: the shape of an advisory, which releases and steps it is about, and the three-valued answer for one
//! device. Must not know: how facts are read, who accepted what, or what a path costs.

mod condition;
mod fix_points;
pub mod vocabulary;

use std::collections::BTreeSet;

pub use condition::{Condition, OpticsCondition};
pub use fix_points::{FixPoints, FixState};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::catalogue::Sourced;
use crate::target::{InvalidTarget, Target};
use crate::version::{InvalidVersion, Train, Version};
use crate::view::FactsView;

/// Where an advisory sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdvisoryKind {
    /// In a release a device stands on.
    Defect,
    /// On a step: something must hold before it.
    Condition,
}

/// How bad it is. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Reboots, loops, maintenance mode, no way back.
    Block,
    /// The rest.
    Warn,
}

/// Which way a step leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To a newer release.
    Up,
    /// To an older one.
    Down,
    /// Either way.
    Any,
}

/// A set of releases, as advisories write it: `11.1`, `11.1+`, `12.2.2`, `12.2.2+` or `10.1.0..10.1.6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Releases {
    /// A feature release.
    Train(Train),
    /// A feature release and all later ones.
    TrainOn(Train),
    /// One release.
    Exactly(Version),
    /// A release and all later ones.
    On(Version),
    /// From the first to before the second.
    Range(Version, Version),
}

impl Releases {
    /// The feature release the set begins in.
    pub const fn first_train(self) -> Train {
        match self {
            Self::Train(train) | Self::TrainOn(train) => train,
            Self::Exactly(version) | Self::On(version) | Self::Range(version, _) => version.train(),
        }
    }

    /// Whether `release` is one of them.
    pub fn contains(self, release: Version) -> bool {
        match self {
            Self::Train(train) => release.train() == train,
            Self::TrainOn(train) => release.train() >= train,
            Self::Exactly(one) => release == one,
            Self::On(first) => release >= first,
            Self::Range(first, end) => first <= release && release < end,
        }
    }
}

impl std::fmt::Display for Releases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Train(train) => write!(f, "{train}"),
            Self::TrainOn(train) => write!(f, "{train}+"),
            Self::Exactly(one) => write!(f, "{one}"),
            Self::On(first) => write!(f, "{first}+"),
            Self::Range(first, end) => write!(f, "{first}..{end}"),
        }
    }
}

/// A text that is no set of releases.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidReleases {
    /// A bound is no release or feature release.
    #[error(transparent)]
    Bound(#[from] InvalidTarget),
    /// A bound of a range is no release.
    #[error(transparent)]
    Version(#[from] InvalidVersion),
    /// A range that holds nothing.
    #[error("{0}..{1} holds no release: the second must be the later one")]
    Empty(Version, Version),
}

impl std::str::FromStr for Releases {
    type Err = InvalidReleases;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((first, end)) = text.split_once("..") {
            let (first, end) = (first.parse()?, end.parse()?);
            return if first < end {
                Ok(Self::Range(first, end))
            } else {
                Err(InvalidReleases::Empty(first, end))
            };
        }
        let (bound, on) = match text.strip_suffix('+') {
            Some(bound) => (bound, true),
            None => (text, false),
        };
        Ok(match (bound.parse()?, on) {
            (Target::Train(train), false) => Self::Train(train),
            (Target::Train(train), true) => Self::TrainOn(train),
            (Target::Version(version), false) => Self::Exactly(version),
            (Target::Version(version), true) => Self::On(version),
        })
    }
}

impl Serialize for Releases {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One advisory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advisory {
    /// The vendor's id, or a name of ours for a condition.
    pub id: String,
    /// One line.
    pub title: String,
    /// Where it sits.
    pub kind: AdvisoryKind,
    /// The models it is about; with `classes` empty too, all.
    pub models: Vec<String>,
    /// The classes of models it is about.
    pub classes: Vec<String>,
    /// For a defect: the releases that brought the fix.
    pub fixed_in: FixPoints,
    /// For a defect: the releases that have it, where the vendor says.
    pub affected: Vec<Releases>,
    /// The releases a step leaves for this to matter; empty for any.
    pub from: Vec<Releases>,
    /// The releases a step enters for this to matter; empty for any.
    pub to: Vec<Releases>,
    /// Which way the step leads.
    pub direction: Direction,
    /// What all must hold for a device to be exposed; empty where every device of the models is.
    pub when: Vec<Condition>,
    /// How bad it is.
    pub severity: Severity,
    /// What happens.
    pub effect: String,
    /// What an operator does about it.
    pub action: String,
    /// Who says so.
    pub sourced: Sourced,
}

/// Whether an advisory is about a release at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// It is not, or the release holds the fix.
    None,
    /// It is.
    Affected,
    /// No fix is listed for the feature release, so that nobody says.
    Suspect,
}

/// What is known of a device's exposure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// All that is needed holds.
    Exposed {
        /// What was seen, a phrase each; empty where every device of the models is exposed.
        evidence: Vec<String>,
    },
    /// Something that is needed does not hold.
    Clear {
        /// What was seen instead.
        why: String,
    },
    /// It depends on something that is not known. As bad as exposed, wherever something is about to be done.
    Unknown {
        /// What is missing, a phrase each.
        missing: Vec<String>,
    },
}

/// What an advisory asks of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// Names of [`vocabulary::FLAGS`].
    pub flags: BTreeSet<String>,
    /// Names of [`vocabulary::NUMBERS`].
    pub numbers: BTreeSet<String>,
    /// Whether the modules in the ports are asked about.
    pub optics: bool,
}

impl Needs {
    /// Adds what another advisory asks.
    pub fn merge(&mut self, other: Self) {
        self.flags.extend(other.flags);
        self.numbers.extend(other.numbers);
        self.optics |= other.optics;
    }
}

impl Advisory {
    /// Whether it is about a model of a class.
    pub fn concerns_model(&self, model: &str, class: &str) -> bool {
        (self.models.is_empty() && self.classes.is_empty())
            || self.models.iter().any(|named| named == model)
            || self.classes.iter().any(|named| named == class)
    }

    /// Whether it is about standing on `release`. A condition is about steps, whatever the release.
    ///
    /// Where the vendor names the affected releases, no other is; among them, and where none are named, the fix points
    /// decide, and a feature release without one is suspect.
    pub fn concern(&self, release: Version) -> Concern {
        if self.kind == AdvisoryKind::Condition {
            return Concern::Affected;
        }
        let named = self.affected.iter().any(|releases| releases.contains(release));
        if !self.affected.is_empty() && !named {
            return Concern::None;
        }
        match self.fixed_in.state(release) {
            FixState::Fixed => Concern::None,
            FixState::Affected => Concern::Affected,
            FixState::Unlisted if self.fixed_in.is_empty() => Concern::Affected,
            FixState::Unlisted => Concern::Suspect,
        }
    }

    /// Whether it is about the step from one release to another, the concern of the second aside.
    pub fn concerns_step(&self, from: Version, to: Version) -> bool {
        self.concerns_direction(if to < from { Direction::Down } else { Direction::Up })
            && self.concerns_leaving(from)
            && (self.to.is_empty() || self.to.iter().any(|releases| releases.contains(to)))
    }

    pub(crate) fn concerns_direction(&self, direction: Direction) -> bool {
        self.direction == Direction::Any || self.direction == direction
    }

    pub(crate) fn concerns_leaving(&self, from: Version) -> bool {
        self.from.is_empty() || self.from.iter().any(|releases| releases.contains(from))
    }

    /// Whether a device that makes the step from one release to another is exposed. `None` where the advisory is not
    /// about that step or the release it leads to; whether the concern is only a suspicion is [`Advisory::concern`]'s.
    pub fn assess(&self, from: Version, to: Version, view: Option<&dyn FactsView>) -> Option<Exposure> {
        let about = self.concerns_step(from, to) && self.concern(to) != Concern::None;
        about.then(|| match view {
            Some(view) => self.exposure(view, to),
            None => self.unasked(),
        })
    }

    /// Whether the device's facts meet what the advisory asks for, on a release that it is about, or that a step leads to
    /// that it is about.
    pub fn exposure(&self, view: &dyn FactsView, on: Version) -> Exposure {
        self.held(Some((view, on)))
    }

    /// The answer for a device of which nothing is known.
    pub fn unasked(&self) -> Exposure {
        self.held(None)
    }

    /// Whether the answer of one device may be another on another release: what is thought of a module goes by it.
    pub(crate) fn goes_by_release(&self) -> bool {
        self.when.iter().any(Condition::goes_by_release)
    }

    fn held(&self, asked: Option<(&dyn FactsView, Version)>) -> Exposure {
        let mut evidence = Vec::new();
        let mut missing = Vec::new();
        for condition in &self.when {
            match condition.held(asked) {
                Exposure::Clear { why } => return Exposure::Clear { why },
                Exposure::Exposed { evidence: seen } => evidence.extend(seen),
                Exposure::Unknown { missing: unseen } => missing.extend(unseen),
            }
        }
        if missing.is_empty() {
            Exposure::Exposed { evidence }
        } else {
            Exposure::Unknown { missing }
        }
    }

    /// What it asks of a device, so that only that is read.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for condition in &self.when {
            condition.needs(&mut needs);
        }
        needs
    }
}

#[cfg(test)]
mod tests;
