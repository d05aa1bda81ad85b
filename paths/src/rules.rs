//! The vendor's rules a pinned hop is held against, each under a stable name and with the page that states it.
//!
//! Responsible for: deciding which rules one leg breaks, and saying so. Must not know: routes, costs or who pinned
//! what. A leg that breaks none is what the vendor would have done.

use crate::catalogue::{Base, Catalogue};
use crate::route::BrokenRule;
use crate::version::{Train, Version};

const PATH: &str = "PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)";
const HA: &str = "PAN-OS 11.1 upgrade guide, Upgrade an HA Firewall Pair (2026-07-30)";

/// From here on several feature releases can be crossed in one hop; below, each has to be installed.
const FIRST_SKIPPING: Train = Train { major: 10, minor: 1 };

/// One step of a path: where it starts, where it ends, and where the whole path ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) from: Version,
    pub(crate) to: Version,
    pub(crate) goal: Version,
}

/// The rules `leg` breaks on `model`, in a fixed order.
pub(crate) fn broken(catalogue: &Catalogue, model: &str, base: Base, leg: Leg) -> Vec<BrokenRule> {
    let (leaves, enters) = (leg.from.train(), leg.to.train());
    if leaves == enters {
        return Vec::new();
    }
    let in_reach = catalogue
        .reach(leaves)
        .is_some_and(|reach| reach.trains.contains(&enters));
    let mut rules = Vec::new();
    if !in_reach {
        rules.push(skipped(catalogue, leg));
    }
    rules.extend(left_early(catalogue, model, leg));
    if base == Base::Known(leg.to) && leg.to != leg.goal {
        rules.push(base_installed(leg));
    }
    let apart = catalogue.trains_apart(leaves, enters).unwrap_or(0);
    if !in_reach && apart >= 2 {
        rules.push(peers_apart(leg, apart));
    }
    rules
}

fn skipped(catalogue: &Catalogue, leg: Leg) -> BrokenRule {
    let between: Vec<_> = catalogue
        .trains_between(leg.from.train(), leg.to.train())
        .map(|train| train.to_string())
        .collect();
    let reach = catalogue.reach(leg.from.train());
    let source = reach
        .map_or(PATH, |reach| reach.sourced.source.as_str())
        .to_owned();
    if leg.from.train() < FIRST_SKIPPING {
        return BrokenRule {
            rule: "feature-release-skipped".to_owned(),
            text: format!(
                "{} to {} skips feature release {}; below {FIRST_SKIPPING} the vendor allows one feature release at a time",
                leg.from,
                leg.to,
                between.join(", ")
            ),
            source,
        };
    }
    let furthest = reach.and_then(|reach| reach.trains.last());
    BrokenRule {
        rule: "feature-release-out-of-reach".to_owned(),
        text: match furthest {
            Some(furthest) => format!(
                "{} to {} goes further than the vendor's table: {} may be upgraded directly up to {furthest}",
                leg.from,
                leg.to,
                leg.from.train()
            ),
            None => format!(
                "{} to {}: the vendor's table has no upgrade from {}",
                leg.from,
                leg.to,
                leg.from.train()
            ),
        },
        source,
    }
}

fn left_early(catalogue: &Catalogue, model: &str, leg: Leg) -> Option<BrokenRule> {
    let row = catalogue
        .train(leg.from.train())
        .filter(|row| row.leave_from_preferred)?;
    let stop = catalogue
        .stop(model, row.train)
        .filter(|stop| stop.version > leg.from)?;
    Some(BrokenRule {
        rule: "left-before-preferred-release".to_owned(),
        text: format!(
            "{} is left before the latest preferred release of {} ({}); the vendor wants it installed and booted first",
            leg.from, row.train, stop.version
        ),
        source: row.sourced.source.clone(),
    })
}

fn base_installed(leg: Leg) -> BrokenRule {
    BrokenRule {
        rule: "base-image-installed".to_owned(),
        text: format!(
            "{} is a base image and not the target ({}); the vendor wants base images downloaded, not installed",
            leg.to, leg.goal
        ),
        source: PATH.to_owned(),
    }
}

fn peers_apart(leg: Leg, apart: u32) -> BrokenRule {
    BrokenRule {
        rule: "ha-peers-too-far-apart".to_owned(),
        text: format!(
            "between {} and {} HA peers are {apart} feature releases apart; from two on, the peer on the older release suspends itself (\"Peer version too old\")",
            leg.from, leg.to
        ),
        source: HA.to_owned(),
    }
}
