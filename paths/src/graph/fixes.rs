//! From a defect to the releases that hold its fix, and the ways there.
//!
//! Responsible for: which releases are worth going to for a fix, and why there may be none. Must not know: how a way is
//! found.

use std::collections::BTreeSet;

use thiserror::Error;

use super::Graph;
use crate::advisory::{AdvisoryKind, Concern, FixState};
use crate::catalogue::UnknownAdvisory;
use crate::plan::{FixDistance, FixPath};
use crate::request::Request;
use crate::route::NoRoute;
use crate::version::{Suffix, Train, Version};

/// Why there is no path to a fix.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FixError {
    /// The catalogue has no such advisory.
    #[error(transparent)]
    Unknown(#[from] UnknownAdvisory),
    /// The advisory is about a step and not in a release: there is nothing to fix.
    #[error("{advisory} is a condition of a hop, not a defect of a release: {action}")]
    NoDefect {
        /// Its id.
        advisory: String,
        /// What to do about it instead.
        action: String,
    },
    /// It is about other models.
    #[error("{advisory} is not about {model}")]
    OtherModels {
        /// Its id.
        advisory: String,
        /// The model.
        model: String,
    },
    /// What runs holds the fix, or never had the defect.
    #[error("{from} is not affected by {advisory}")]
    NotAffected {
        /// Its id.
        advisory: String,
        /// What runs.
        from: Version,
    },
    /// The model cannot stand on what is said to run.
    #[error("a path to the fix of {advisory} cannot start at {from}")]
    Start {
        /// Its id.
        advisory: String,
        /// What runs.
        from: Version,
        /// Why not.
        #[source]
        source: Box<NoRoute>,
    },
    /// No release the model gets to holds the fix.
    #[error("no release {model} gets to from {from} holds the fix of {advisory} (fixed in {})", if points.is_empty() { "none that is listed".to_owned() } else { points.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") })]
    NoFix {
        /// Its id.
        advisory: String,
        /// The model.
        model: String,
        /// What runs.
        from: Version,
        /// Where it is fixed.
        points: Vec<Version>,
    },
}

/// The nearest releases with the fix: see [`Graph::fixes`].
pub(super) fn fixes(graph: &Graph<'_>, from: Version, id: &str) -> Result<Vec<FixPath>, FixError> {
    let advisory = graph.catalogue.advisory(id)?;
    let named = || advisory.id.clone();
    if advisory.kind == AdvisoryKind::Condition {
        return Err(FixError::NoDefect {
            advisory: named(),
            action: advisory.action.clone(),
        });
    }
    if !graph.advisories().any(|known| known.id == advisory.id) {
        return Err(FixError::OtherModels {
            advisory: named(),
            model: graph.model.clone(),
        });
    }
    if let Err(source) = graph.installable(from) {
        return Err(FixError::Start {
            advisory: named(),
            from,
            source: Box::new(source),
        });
    }
    if advisory.concern(from) == Concern::None {
        return Err(FixError::NotAffected {
            advisory: named(),
            from,
        });
    }
    // A listed point exists: the vendor's notes of that release list it. What no point covers is not held to be fixed.
    let listed = advisory.fixed_in.iter();
    let known = listed
        .chain(graph.releases())
        .collect::<BTreeSet<_>>()
        .into_iter();
    let holding: Vec<Version> = known
        .filter(|version| *version > from && version.suffix() >= Suffix::None)
        .filter(|version| advisory.fixed_in.state(*version) == FixState::Fixed)
        .filter(|version| graph.installable(*version).is_ok())
        .collect();
    let mut paths: Vec<FixPath> = nearest(graph, from, &holding)
        .into_iter()
        .filter_map(|(version, distance)| {
            let plan = graph.plan(&Request::new(from, version)).ok()?;
            Some(FixPath {
                version,
                distance,
                plan,
            })
        })
        .collect();
    // Of equally long ways the one that changes least comes first: nobody leaves a feature release for one fix.
    paths.sort_by_key(|path| {
        let cost = path.plan.cost;
        (cost.minutes, path.distance, cost.risk, path.version)
    });
    if paths.is_empty() {
        return Err(FixError::NoFix {
            advisory: named(),
            model: graph.model.clone(),
            from,
            points: advisory.fixed_in.iter().collect(),
        });
    }
    Ok(paths)
}

/// Of each feature release the lowest release with the fix and, where it has the fix, its stop; of the running
/// maintenance release the lowest hotfix too.
fn nearest(graph: &Graph<'_>, from: Version, holding: &[Version]) -> BTreeSet<(Version, FixDistance)> {
    let distance = |version: Version| match graph.catalogue.trains_apart(from.train(), version.train()) {
        Some(0) | None if version.maintenance() == from.maintenance() => FixDistance::SameMaintenance,
        Some(0) | None => FixDistance::SameTrain,
        Some(apart) => FixDistance::FeatureReleases(apart),
    };
    let mut nearest = BTreeSet::new();
    let trains: BTreeSet<Train> = holding.iter().map(|version| version.train()).collect();
    for train in trains {
        let in_train = || holding.iter().copied().filter(|version| version.train() == train);
        let lowest = in_train().next();
        let later = in_train().find(|version| distance(*version) != FixDistance::SameMaintenance);
        let stop = graph.stop(train).filter(|stop| holding.contains(stop));
        for version in [lowest, later, stop].into_iter().flatten() {
            nearest.insert((version, distance(version)));
        }
    }
    nearest
}
