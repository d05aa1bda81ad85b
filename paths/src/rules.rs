//! The rules a step is held against, each under a stable name and with the page that states it.
//!
//! Responsible for: the closed list of rules, which of them one leg breaks, and saying so. Must not know: routes, costs
//! or who pinned what. A leg that breaks none is what the vendor would have done.

use crate::catalogue::{Base, Catalogue, Reach};
use crate::route::{BrokenRule, NoRoute};
use crate::version::{Train, Version};

const PATH: &str = "PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)";
const HA: &str = "PAN-OS 11.1 upgrade guide, Upgrade an HA Firewall Pair (2026-07-30)";
const DOWN: &str = "PAN-OS 11.1 upgrade guide, Downgrade PAN-OS (2026-07-30)";
const SKIP: &str = "PAN-OS 11.0 new features, Skip Software Version Upgrade";

/// From here on several feature releases can be crossed in one hop; below, each has to be installed.
const FIRST_SKIPPING: Train = Train { major: 10, minor: 1 };

/// The oldest release a firewall that leaves 10.2 or later can go back to: downgrades to earlier ones fail.
const LOWEST_LANDING: (Train, u16) = (FIRST_SKIPPING, 3);

/// A rule, for every refusal there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Below 10.1, one feature release at a time.
    FeatureReleaseSkipped,
    /// From 10.1 on, as far as the vendor's table leads.
    FeatureReleaseOutOfReach,
    /// Leave a feature release from its latest preferred release.
    LeftBeforePreferredRelease,
    /// Base images are downloaded, not installed.
    BaseImageInstalled,
    /// HA peers two feature releases apart do not work together.
    HaPeersTooFarApart,
    /// Downgrades go as far as upgrades do.
    DowngradeOutOfReach,
    /// From 10.2 on, nothing older than 10.1.3 can be landed on.
    DowngradeLandsTooLow,
    /// The model runs certain releases only.
    ModelCannotRun,
    /// Nothing older than its base image is an image of a feature release.
    OlderThanBase,
    /// The base image of the feature release has to be known.
    BaseUnknown,
    /// The device's own software list has the last word.
    NotOffered,
    /// The device is exposed to an advisory that blocks.
    AdvisoryBlocks,
}

impl Rule {
    /// Every rule.
    pub const ALL: &[Self] = &[
        Self::FeatureReleaseSkipped,
        Self::FeatureReleaseOutOfReach,
        Self::LeftBeforePreferredRelease,
        Self::BaseImageInstalled,
        Self::HaPeersTooFarApart,
        Self::DowngradeOutOfReach,
        Self::DowngradeLandsTooLow,
        Self::ModelCannotRun,
        Self::OlderThanBase,
        Self::BaseUnknown,
        Self::NotOffered,
        Self::AdvisoryBlocks,
    ];

    /// Its name, stable across releases of hopgate: plans store it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::FeatureReleaseSkipped => "feature-release-skipped",
            Self::FeatureReleaseOutOfReach => "feature-release-out-of-reach",
            Self::LeftBeforePreferredRelease => "left-before-preferred-release",
            Self::BaseImageInstalled => "base-image-installed",
            Self::HaPeersTooFarApart => "ha-peers-too-far-apart",
            Self::DowngradeOutOfReach => "downgrade-out-of-reach",
            Self::DowngradeLandsTooLow => "downgrade-lands-too-low",
            Self::ModelCannotRun => "model-cannot-run",
            Self::OlderThanBase => "older-than-base",
            Self::BaseUnknown => "base-unknown",
            Self::NotOffered => "not-offered",
            Self::AdvisoryBlocks => "advisory-blocks",
        }
    }

    /// What it demands, as a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::FeatureReleaseSkipped => "Below 10.1, feature releases are taken one at a time.",
            Self::FeatureReleaseOutOfReach => {
                "From 10.1 on, one hop crosses as many feature releases as the vendor's table allows."
            }
            Self::LeftBeforePreferredRelease => {
                "A feature release is left from its latest preferred maintenance release."
            }
            Self::BaseImageInstalled => {
                "The base image of a feature release is downloaded, not installed, unless it is the target."
            }
            Self::HaPeersTooFarApart => {
                "HA peers two feature releases apart do not work together: the older one suspends itself."
            }
            Self::DowngradeOutOfReach => {
                "A downgrade crosses in one hop what an upgrade could cross in one hop."
            }
            Self::DowngradeLandsTooLow => {
                "From 10.2 or later, a downgrade lands on 10.1.3 or later before it goes further down."
            }
            Self::ModelCannotRun => "A model runs the releases the vendor's matrix lists for it.",
            Self::OlderThanBase => "No image of a feature release is older than its base image.",
            Self::BaseUnknown => "The base image of the feature release a hop enters is known.",
            Self::NotOffered => "A device installs what its own software list offers.",
            Self::AdvisoryBlocks => {
                "No device is taken to a release on which a blocking advisory that was not accepted exposes it."
            }
        }
    }

    /// This rule, broken.
    pub(crate) fn broken(self, text: String, source: impl Into<String>) -> BrokenRule {
        BrokenRule {
            rule: self.id().to_owned(),
            text,
            source: source.into(),
        }
    }
}

/// One step of a path: where it starts, where it ends, and where the whole path ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) from: Version,
    pub(crate) to: Version,
    pub(crate) goal: Version,
}

impl Leg {
    pub(crate) fn is_down(self) -> bool {
        self.to < self.from
    }
}

/// What the rules are read from, for one leg.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) catalogue: &'a Catalogue,
    /// The wider reach that was asked for.
    pub(crate) wider: Option<&'a str>,
    /// Where the model stops in the train the leg leaves.
    pub(crate) stop: Option<Version>,
    /// Whether every train is to be left from its stop, and not only those the vendor demands it of.
    pub(crate) recommended: bool,
    /// The base image of the train the leg enters.
    pub(crate) base: Base,
}

impl<'a> Ground<'a> {
    /// The rules a leg breaks, in a fixed order. Allocates only for a leg that breaks one.
    pub(crate) fn broken(self, leg: Leg) -> Vec<Rule> {
        let (leaves, enters) = (leg.from.train(), leg.to.train());
        let mut rules = Vec::new();
        if leg.is_down() {
            if leaves != enters && !self.reaches(enters, leaves) {
                rules.push(Rule::DowngradeOutOfReach);
            }
            let landing = Version::of(LOWEST_LANDING.0, LOWEST_LANDING.1);
            if leaves > LOWEST_LANDING.0 && leg.to < landing {
                rules.push(Rule::DowngradeLandsTooLow);
            }
            return rules;
        }
        if leaves == enters {
            return rules;
        }
        let in_reach = self.reaches(leaves, enters);
        if !in_reach {
            rules.push(if leaves < FIRST_SKIPPING {
                Rule::FeatureReleaseSkipped
            } else {
                Rule::FeatureReleaseOutOfReach
            });
        }
        if self.left_early(leg).is_some() {
            rules.push(Rule::LeftBeforePreferredRelease);
        }
        if self.base == Base::Known(leg.to) && leg.to != leg.goal {
            rules.push(Rule::BaseImageInstalled);
        }
        if !in_reach && self.apart(leg) >= 2 {
            rules.push(Rule::HaPeersTooFarApart);
        }
        rules
    }

    /// A broken rule in words.
    pub(crate) fn told(self, rule: Rule, leg: Leg) -> BrokenRule {
        match rule {
            Rule::FeatureReleaseSkipped => self.skipped(leg),
            Rule::LeftBeforePreferredRelease => self.left_before_preferred(leg),
            Rule::BaseImageInstalled => base_installed(leg),
            Rule::HaPeersTooFarApart => self.peers_apart(leg),
            Rule::DowngradeOutOfReach => self.too_far_down(leg),
            Rule::DowngradeLandsTooLow => lands_too_low(leg),
            // The others are about a release, and told where it is refused.
            Rule::FeatureReleaseOutOfReach
            | Rule::ModelCannotRun
            | Rule::OlderThanBase
            | Rule::BaseUnknown
            | Rule::NotOffered
            | Rule::AdvisoryBlocks => self.out_of_reach(leg),
        }
    }

    /// Every broken rule in words.
    pub(crate) fn told_all(self, leg: Leg) -> Vec<BrokenRule> {
        let rules = self.broken(leg).into_iter();
        rules.map(|rule| self.told(rule, leg)).collect()
    }

    /// The row that lets one train be left for another, where there is one.
    pub(crate) fn reach(self, from: Train, to: Train) -> Option<&'a Reach> {
        let wider = self
            .wider
            .and_then(|option| self.catalogue.wider_reach(option, from));
        let rows = [self.catalogue.reach(from), wider];
        rows.into_iter()
            .flatten()
            .find(|reach| reach.trains.contains(&to))
    }

    fn reaches(self, from: Train, to: Train) -> bool {
        self.reach(from, to).is_some()
    }

    fn apart(self, leg: Leg) -> u32 {
        self.catalogue
            .trains_apart(leg.from.train(), leg.to.train())
            .unwrap_or(0)
    }

    /// The stop the leg leaves too early for, with the source of the demand.
    fn left_early(self, leg: Leg) -> Option<(Version, &'a str)> {
        let row = self.catalogue.train(leg.from.train())?;
        let stop = self.stop.filter(|stop| *stop > leg.from)?;
        (row.leave_from_preferred || self.recommended).then_some((stop, row.sourced.source.as_str()))
    }

    fn skipped(self, leg: Leg) -> BrokenRule {
        let between: Vec<_> = self
            .catalogue
            .trains_between(leg.from.train(), leg.to.train())
            .map(|train| train.to_string())
            .collect();
        let source = self.catalogue.reach(leg.from.train());
        let text = format!(
            "{} to {} skips feature release {}; below {FIRST_SKIPPING} the vendor allows one feature release at a time",
            leg.from,
            leg.to,
            between.join(", ")
        );
        let source = source.map_or(PATH, |reach| reach.sourced.source.as_str());
        Rule::FeatureReleaseSkipped.broken(text, source)
    }

    fn out_of_reach(self, leg: Leg) -> BrokenRule {
        let leaves = leg.from.train();
        let reach = self.catalogue.reach(leaves);
        let text = match reach.and_then(|reach| reach.trains.last()) {
            Some(furthest) => format!(
                "{} to {} goes further than the vendor's table: {leaves} may be upgraded directly up to {furthest}",
                leg.from, leg.to
            ),
            None => format!(
                "{} to {}: the vendor's table has no upgrade from {leaves}",
                leg.from, leg.to
            ),
        };
        let source = reach.map_or(PATH, |reach| reach.sourced.source.as_str());
        Rule::FeatureReleaseOutOfReach.broken(text, source)
    }

    fn left_before_preferred(self, leg: Leg) -> BrokenRule {
        let (stop, source) = self.left_early(leg).unwrap_or((leg.from, PATH));
        let text = format!(
            "{} is left before the latest preferred release of {} ({stop}); the vendor wants it installed and booted first",
            leg.from,
            leg.from.train()
        );
        Rule::LeftBeforePreferredRelease.broken(text, source)
    }

    fn peers_apart(self, leg: Leg) -> BrokenRule {
        let text = format!(
            "between {} and {} HA peers are {} feature releases apart; from two on, the peer on the older release suspends itself (\"Peer version too old\")",
            leg.from,
            leg.to,
            self.apart(leg)
        );
        Rule::HaPeersTooFarApart.broken(text, HA)
    }

    fn too_far_down(self, leg: Leg) -> BrokenRule {
        let text = format!(
            "{} to {} goes further down than the vendor's table goes up: {} may not be upgraded directly to {}",
            leg.from,
            leg.to,
            leg.to.train(),
            leg.from.train()
        );
        Rule::DowngradeOutOfReach.broken(text, format!("{DOWN}; {SKIP}"))
    }
}

fn base_installed(leg: Leg) -> BrokenRule {
    let text = format!(
        "{} is a base image and not the target ({}); the vendor wants base images downloaded, not installed",
        leg.to, leg.goal
    );
    Rule::BaseImageInstalled.broken(text, PATH)
}

fn lands_too_low(leg: Leg) -> BrokenRule {
    let landing = Version::of(LOWEST_LANDING.0, LOWEST_LANDING.1);
    let text = format!(
        "{} to {}: a downgrade from {} fails below {landing}; it lands on {landing} or a later {} first",
        leg.from,
        leg.to,
        leg.from.train(),
        landing.train()
    );
    Rule::DowngradeLandsTooLow.broken(text, DOWN)
}

/// A refusal of a release as a broken rule; `None` for the refusals that are about a question and not a release.
pub(crate) fn of_release(refusal: &NoRoute) -> Option<BrokenRule> {
    Some(match refusal {
        NoRoute::UnknownTrain { .. } => {
            Rule::ModelCannotRun.broken(refusal.to_string(), "the release catalogue, [[train]] rows")
        }
        NoRoute::ModelCannotRun {
            model,
            version,
            runs,
            source_row,
        } => Rule::ModelCannotRun.broken(
            format!("{model} does not run {version}: {runs}"),
            source_row.as_str(),
        ),
        NoRoute::OlderThanBase {
            version,
            base,
            source_row,
        } => Rule::OlderThanBase.broken(
            format!(
                "{version} is older than {base}, the base image of {}",
                version.train()
            ),
            source_row.as_str(),
        ),
        NoRoute::BaseUnknown { version, source_row } => Rule::BaseUnknown.broken(
            format!("which base image {} needs is not known", version.train()),
            source_row.as_str(),
        ),
        NoRoute::NotOffered { .. } => {
            Rule::NotOffered.broken(refusal.to_string(), "the device's software list")
        }
        NoRoute::NothingToDo { .. }
        | NoRoute::Downgrade { .. }
        | NoRoute::WaypointBackwards { .. }
        | NoRoute::WaypointUpwards { .. }
        | NoRoute::NoPath { .. }
        | NoRoute::NoStop { .. }
        | NoRoute::Blocked { .. }
        | NoRoute::UnknownReach { .. } => return None,
    })
}
