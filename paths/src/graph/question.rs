//! One question, resolved: which releases count, what is known against them for this device, what a step costs.
//!
//! Responsible for: bringing together the graph, the device's own software list and its facts. Must not know: how the
//! best way through the steps is found.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Graph;
use super::exposure::Held;
use crate::advisory::Exposure;
use crate::catalogue::{Base, TrainRow, Watch};
use crate::plan::Cost;
use crate::request::{Offered, Preference, Request};
use crate::route::NoRoute;
use crate::rules::{Ground, Leg};
use crate::target::Target;
use crate::version::{Train, Version};

/// Minutes a skipped feature release counts for when paths are compared: less than any model's install and reboot, so
/// that a shorter path the vendor allows wins, and enough that of two equally long ones the smaller jumps do.
const SKIPPED_RELEASE_RISK_MIN: u32 = 3;

/// Minutes a broken rule of the vendor counts for: a pinned hop is never the cheaper one for it.
const BROKEN_RULE_RISK_MIN: u32 = 60;

/// Minutes it counts for to leave a train before its preferred release because that one is ruled out: about two hops,
/// besides the hop that is saved, so that ruling a release out never makes a path cheaper.
const LEFT_EARLY_RISK_MIN: u32 = 60;

/// The most that advisories count for on one hop, in minutes: about two hops more.
const ADVISORIES_AT_MOST_MIN: u32 = 60;

/// Where a path passes a train.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) version: Version,
    /// The better ones, which are ruled out.
    passed_over: Vec<Version>,
}

/// What one step costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) minutes: u32,
    /// Risk of the step itself.
    pub(super) risk: u32,
    /// Risk by advisories, as it adds up.
    pub(super) held: Held,
}

impl Step {
    /// What is shown, and compared where minutes and risk count together.
    pub(super) fn cost(self) -> Cost {
        Cost {
            minutes: self.minutes,
            risk: self.risk + self.held.blocking.min(ADVISORIES_AT_MOST_MIN),
        }
    }
}

/// By the advisory's place in the model's list, and by release where the answer goes by it.
type Answers = BTreeMap<(usize, Option<Version>), Arc<Exposure>>;

/// A question with what it rests on.
pub(super) struct Question<'q, 'c> {
    pub(super) graph: &'q Graph<'c>,
    pub(super) request: &'q Request<'q>,
    pub(super) to: Version,
    offered: BTreeMap<Train, Vec<&'q Offered>>,
    stops: BTreeMap<Train, Stop>,
    /// The device's answers, each worked out when it is first asked.
    pub(super) answers: RefCell<Answers>,
}

impl<'q, 'c> Question<'q, 'c> {
    /// Checks what is asked and finds the stops.
    pub(super) fn of(graph: &'q Graph<'c>, request: &'q Request<'q>) -> Result<Self, NoRoute> {
        let mut question = Self {
            graph,
            request,
            to: request.from,
            offered: BTreeMap::new(),
            stops: BTreeMap::new(),
            answers: RefCell::default(),
        };
        question.check_reach()?;
        for offered in request.offered.unwrap_or_default() {
            let train = offered.version.train();
            question.offered.entry(train).or_default().push(offered);
        }
        graph.installable(request.from)?;
        let (low, high) = {
            let (from, to) = (request.from.train(), request.to.train());
            (from.min(to), from.max(to))
        };
        let trains = graph.support.range(low..=high);
        question.stops = trains
            .filter_map(|(train, _)| Some((*train, question.find_stop(*train)?)))
            .collect();
        question.to = match request.to {
            Target::Version(version) => version,
            Target::Train(train) => question.target_in(train)?,
        };
        question.admit(question.to)?;
        for waypoint in request.via {
            question.admit(*waypoint)?;
        }
        if request.from == question.to {
            return Err(NoRoute::NothingToDo { version: question.to });
        }
        if question.is_down() && !request.allow_downgrade {
            return Err(NoRoute::Downgrade {
                from: request.from,
                to: question.to,
            });
        }
        Ok(question)
    }

    fn check_reach(&self) -> Result<(), NoRoute> {
        let mut known = self.graph.catalogue.wider_reaches();
        match self.request.wider_reach {
            Some(option) if !known.any(|name| name == option) => Err(NoRoute::UnknownReach {
                option: option.to_owned(),
                known: self.graph.catalogue.wider_reaches().map(str::to_owned).collect(),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn is_down(&self) -> bool {
        self.to < self.request.from
    }

    /// Whether the device can stand on a release: its model can, and its own list, where it has one of that feature
    /// release, offers it. What it runs it has.
    pub(super) fn admit(&self, version: Version) -> Result<&'c TrainRow, NoRoute> {
        let row = self.graph.installable(version)?;
        match self.offered.get(&version.train()) {
            Some(offered) if version != self.request.from => {
                if offered.iter().any(|one| one.version == version) {
                    return Ok(row);
                }
                let mut offered: Vec<_> = offered.iter().map(|one| one.version).collect();
                offered.sort_unstable();
                Err(NoRoute::NotOffered { version, offered })
            }
            _ => Ok(row),
        }
    }

    /// The line of the device's own list about a release.
    pub(super) fn offer(&self, version: Version) -> Option<&'q Offered> {
        let offered = self.offered.get(&version.train())?;
        offered.iter().find(|one| one.version == version).copied()
    }

    /// Whether the device's own list has the feature release.
    pub(super) fn lists(&self, train: Train) -> bool {
        self.offered.contains_key(&train)
    }

    /// The base image of a train: the device's word, else the catalogue's.
    pub(super) fn base(&self, train: Train) -> Base {
        let named = self.offered.get(&train).and_then(|offered| {
            let bases = offered.iter().filter(|one| one.is_of_type("base"));
            bases.map(|one| one.version).min()
        });
        match named.or_else(|| self.graph.bases.get(&train).copied()) {
            Some(base) => Base::Known(base),
            None => Base::ReadFromDevice,
        }
    }

    /// The stops of a train, the best first: of those the device offers, where it says what it offers.
    fn candidates(&self, train: Train) -> Vec<Version> {
        let ranked = self.graph.stops.get(&train).map_or(&[][..], Vec::as_slice);
        let Some(offered) = self.offered.get(&train) else {
            return ranked.to_vec();
        };
        let marked = offered.iter().any(|one| one.is_of_type("preferred"));
        let preferred = |one: &Offered| match marked {
            true => one.is_of_type("preferred"),
            false => {
                let row = self.graph.catalogue.release(one.version);
                row.is_some_and(|row| row.preferred)
            }
        };
        let base = self.base(train);
        let mut stops: Vec<(bool, Version)> = offered
            .iter()
            .filter(|one| base != Base::Known(one.version) && self.graph.installable(one.version).is_ok())
            .map(|one| (preferred(one), one.version))
            .collect();
        stops.sort_unstable_by(|one, other| other.cmp(one));
        stops.dedup();
        stops.into_iter().map(|(_, version)| version).collect()
    }

    fn find_stop(&self, train: Train) -> Option<Stop> {
        let mut candidates = self.candidates(train);
        let open = |version: &Version| self.blocking_at(*version).is_empty();
        let place = if self.request.prefer == Preference::LeastRisk {
            let risk = |version| {
                let held = self.weighed(&self.against(version), |_| true);
                held.blocking + held.warning
            };
            let open = candidates.iter().enumerate().filter(|(_, version)| open(version));
            let least = open.min_by_key(|(place, version)| (risk(**version), *place));
            let version = *least?.1;
            return Some(Stop {
                version,
                passed_over: Vec::new(),
            });
        } else {
            candidates.iter().position(open)?
        };
        candidates.truncate(place + 1);
        let version = candidates.pop()?;
        Some(Stop {
            version,
            passed_over: candidates,
        })
    }

    fn target_in(&self, train: Train) -> Result<Version, NoRoute> {
        if let Some(stop) = self.stops.get(&train) {
            return Ok(stop.version);
        }
        // The train itself may be what is refused; its first release shows in whose words.
        self.graph.installable(match self.base(train) {
            Base::Known(base) => base,
            Base::ReadFromDevice => Version::of(train, 0),
        })?;
        let mut ids: Vec<String> = self
            .candidates(train)
            .into_iter()
            .flat_map(|version| self.blocking_at(version))
            .map(|by| by.advisory)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        Err(NoRoute::NoStop {
            model: self.graph.model.clone(),
            train,
            ruled_out_by: ids,
        })
    }

    pub(super) fn stops(&self) -> impl Iterator<Item = Version> {
        self.stops.values().map(|stop| stop.version)
    }

    /// What the rules are read from, for one leg of this question.
    pub(super) fn ground(&self, leg: Leg) -> Ground<'_> {
        let vendor = self.request.prefer == Preference::Vendor;
        Ground {
            catalogue: self.graph.catalogue,
            wider: self.request.wider_reach.filter(|_| !vendor),
            stop: self.stops.get(&leg.from.train()).map(|stop| stop.version),
            recommended: vendor,
            base: self.base(leg.to.train()),
        }
    }

    pub(super) fn leg(&self, from: Version, to: Version) -> Leg {
        Leg {
            from,
            to,
            goal: self.to,
        }
    }

    /// The step between two releases, if it is allowed: no rule broken, and nothing known blocks it.
    pub(super) fn step(&self, from: Version, to: Version) -> Option<Step> {
        let leg = Leg { from, to, goal: to };
        if !self.ground(leg).broken(leg).is_empty() || self.blocked(from, to) {
            return None;
        }
        Some(self.priced(from, to, 0))
    }

    /// What a step costs that breaks so many rules.
    pub(super) fn priced(&self, from: Version, to: Version, broken: u32) -> Step {
        let jump = self.graph.catalogue.trains_apart(from.train(), to.train());
        let skipped = jump.unwrap_or(0).saturating_sub(1);
        let minutes = expected_minutes(self.graph.watch);
        // The preferred release of the train is ruled out, and no other is ahead: it is left early after all.
        let early = !matches!(self.request.to, Target::Version(to) if to < from)
            && from.train() < to.train()
            && self.leaves_without_its_stop(from);
        let risk = skipped * SKIPPED_RELEASE_RISK_MIN
            + broken * BROKEN_RULE_RISK_MIN
            + if early { LEFT_EARLY_RISK_MIN + minutes } else { 0 };
        Step {
            minutes,
            risk,
            held: self.held_against(from, to),
        }
    }

    /// What advisories count for on a step. A second choice is never held to be better than the first one was, what
    /// rules that one out aside: to know more never makes a path cheaper.
    fn held_against(&self, from: Version, to: Version) -> Held {
        let mut held = self.weighed(&self.against(to), |against| self.on_step(*against, from, to));
        let chosen = |stop: &&Stop| stop.version == to && (to != self.to || self.aims_at_a_train());
        let passed_over = self.stops.get(&to.train()).filter(chosen);
        let better = passed_over.into_iter().flat_map(|stop| &stop.passed_over);
        for better in better {
            let other = self.weighed(&self.against(*better), |against| {
                self.on_step(*against, from, *better) && !self.refuses(*against)
            });
            held.blocking = held.blocking.max(other.blocking);
        }
        held
    }

    fn aims_at_a_train(&self) -> bool {
        matches!(self.request.to, Target::Train(_))
    }

    fn leaves_without_its_stop(&self, from: Version) -> bool {
        let demanded = self
            .graph
            .catalogue
            .train(from.train())
            .is_some_and(|row| row.leave_from_preferred || self.request.prefer == Preference::Vendor);
        demanded
            && self
                .candidates(from.train())
                .first()
                .is_some_and(|best| *best > from)
    }

    /// How far from the newest feature release a release is: of two equal paths, the one through newer ones is taken.
    pub(super) fn age(&self, version: Version) -> u32 {
        let newest = self.graph.catalogue.trains().last().map(|row| row.train);
        newest
            .and_then(|newest| self.graph.catalogue.trains_apart(version.train(), newest))
            .unwrap_or(0)
    }
}

pub(super) fn expected_minutes(watch: &Watch) -> u32 {
    watch.install_expected_min + watch.reboot_expected_min + watch.auto_commit_expected_min
}
