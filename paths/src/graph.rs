//! The upgrade graph of one model, and the search for a route through it.
//!
//! Responsible for: which releases a model can stand on, which steps the vendor allows between them, the cheapest way
//! and, for pinned waypoints, exactly the way asked for. Must not know: devices, campaigns, or what an operator wants
//! to hear: an off-vendor leg is found, named and returned, not forbidden here.

use std::collections::BTreeMap;
use std::ops::Add;

use petgraph::algo::astar;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{EdgeFiltered, EdgeRef};
use thiserror::Error;

use crate::catalogue::{Base, Catalogue, Support, TrainRow, Watch};
use crate::route::{Hop, HopKind, HopTimes, NoRoute, Route};
use crate::rules::{self, Leg};
use crate::spelling::nearest_names;
use crate::version::{Train, Version};

/// Minutes a skipped feature release counts for when paths are compared: less than any model's install and reboot, so
/// that a shorter path the vendor allows wins, and enough that of two equally long ones the smaller jumps do.
const SKIPPED_RELEASE_RISK_MIN: u32 = 3;

/// How many known models an unknown one is answered with.
const MODELS_SUGGESTED: usize = 3;

/// `9.0.5.xfr` was published for VM-Series alone, and the vendor's own automation leaves the stream out.
const EXTENDED_STREAM_SOURCE: &str =
    "PaloAltoNetworks/xsoar-panos-upgrade-automation (filters .xfr releases out)";

/// A model the catalogue has no row for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the release catalogue has no model \"{model}\" (nearest: {})", nearest.join(", "))]
pub struct UnknownModel {
    /// What was asked for.
    pub model: String,
    /// The names most like it, nearest first.
    pub nearest: Vec<String>,
}

/// The releases a model can stand on and the steps the vendor allows between them.
#[derive(Clone, Debug)]
pub struct Graph<'c> {
    catalogue: &'c Catalogue,
    model: String,
    watch: &'c Watch,
    support: &'c BTreeMap<Train, Support>,
    bases: BTreeMap<Train, Version>,
    known: DiGraph<Version, Cost>,
}

/// What a path costs. Compared by minutes and risk, then by the age of the releases it passes: of two equal paths the
/// one through newer feature releases is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    minutes: u32,
    age: u32,
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            minutes: self.minutes + other.minutes,
            age: self.age + other.age,
        }
    }
}

impl<'c> Graph<'c> {
    /// The graph of one model, named as `show system info` names it.
    ///
    /// # Errors
    /// [`UnknownModel`] with the three nearest names.
    pub fn new(catalogue: &'c Catalogue, model: &str) -> Result<Self, UnknownModel> {
        let (Some(watch), Some(support)) = (catalogue.watch(model), catalogue.support(model)) else {
            let nearest = nearest_names(model, catalogue.models(), MODELS_SUGGESTED);
            return Err(UnknownModel {
                model: model.to_owned(),
                nearest: nearest.into_iter().map(str::to_owned).collect(),
            });
        };
        let bases = catalogue.trains().iter().filter_map(|row| match row.base {
            Base::Known(base) => Some((row.train, base)),
            Base::ReadFromDevice => None,
        });
        let mut graph = Self {
            catalogue,
            model: model.to_owned(),
            watch,
            support,
            bases: bases.collect(),
            known: DiGraph::new(),
        };
        // Only stops are known in advance: a path passes a train at its stop and nowhere else.
        let stops: Vec<_> = support
            .keys()
            .filter_map(|train| catalogue.stop(model, *train))
            .collect();
        let mut known = DiGraph::new();
        for stop in stops {
            graph.insert(&mut known, stop.version);
        }
        graph.known = known;
        Ok(graph)
    }

    /// The same graph with a base image a device's own software list names (`release-type` Base), which wins over the
    /// catalogue's for that feature release.
    #[must_use]
    pub fn with_base(mut self, base: Version) -> Self {
        self.bases.insert(base.train(), base);
        self
    }

    /// The model this graph is of.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The way from one release to another: the vendor's cheapest, or through exactly the waypoints of `via`.
    ///
    /// None of the releases has to be a known one, as long as its feature release is and the model runs it. In `via`,
    /// a last waypoint equal to `to` is the target itself, and a device that stands on a waypoint starts from there.
    ///
    /// # Errors
    /// [`NoRoute`], naming the row it rests on. A pinned leg against the vendor's rules is not an error: the hop is
    /// [`HopKind::Pinned`] and lists them.
    pub fn route(&self, from: Version, to: Version, via: &[Version]) -> Result<Route, NoRoute> {
        for version in [from, to].iter().chain(via) {
            self.installable(*version)?;
        }
        if from == to {
            return Err(NoRoute::NothingToDo { version: to });
        }
        if to < from {
            return Err(NoRoute::Downgrade { from, to });
        }
        let stations = if via.is_empty() {
            self.cheapest(from, to)?
        } else {
            pinned(from, to, via)?
        };
        let legs = stations.windows(2).map(|pair| Leg {
            from: pair[0],
            to: pair[1],
            goal: to,
        });
        let hops = legs.map(|leg| self.hop(leg)).collect::<Result<_, _>>()?;
        Ok(Route {
            model: self.model.clone(),
            from,
            to,
            hops,
        })
    }

    /// Whether this model can stand on this release at all.
    fn installable(&self, version: Version) -> Result<&'c TrainRow, NoRoute> {
        let Some(row) = self.catalogue.train(version.train()) else {
            let known = self.catalogue.trains().iter().map(|row| row.train).collect();
            return Err(NoRoute::UnknownTrain { version, known });
        };
        let refused = |runs: String, source_row: &str| NoRoute::ModelCannotRun {
            model: self.model.clone(),
            version,
            runs,
            source_row: source_row.to_owned(),
        };
        let Some(support) = self.support.get(&row.train) else {
            let (runs, source) = self.runs();
            return Err(refused(runs, &source));
        };
        if let Some(minimum) = support.minimum.filter(|minimum| version < *minimum) {
            return Err(refused(
                format!("it runs {} from {minimum} on", row.train),
                &support.sourced.source,
            ));
        }
        if version.is_extended() && !self.watch.extended_stream {
            let runs = "the extended feature stream (.xfr) is for VM-Series only".to_owned();
            return Err(refused(runs, EXTENDED_STREAM_SOURCE));
        }
        match self.bases.get(&row.train) {
            Some(base) if version < *base => Err(NoRoute::OlderThanBase {
                version,
                base: *base,
                source_row: row.sourced.source.clone(),
            }),
            _ => Ok(row),
        }
    }

    /// What the model runs, as a sentence, and the sources of the rows that say so.
    fn runs(&self) -> (String, String) {
        let trains: Vec<_> = self.support.keys().map(Train::to_string).collect();
        let mut sources: Vec<_> = self
            .support
            .values()
            .map(|row| row.sourced.source.as_str())
            .collect();
        sources.dedup();
        (format!("it runs {}", trains.join(", ")), sources.join("; "))
    }

    fn cheapest(&self, from: Version, to: Version) -> Result<Vec<Version>, NoRoute> {
        let mut graph = self.known.clone();
        let start = self.insert(&mut graph, from);
        let goal = self.insert(&mut graph, to);
        // A release that is no stop is only ever left (the start) or arrived at (the goal), never passed.
        let open = EdgeFiltered::from_fn(&graph, |edge| {
            edge.target() == goal || self.is_stop(graph[edge.target()])
        });
        let found = astar(
            &open,
            start,
            |node| node == goal,
            |edge| *edge.weight(),
            |_| Cost::default(),
        );
        match found {
            Some((_, nodes)) => Ok(nodes.into_iter().map(|node| graph[node]).collect()),
            None => Err(NoRoute::NoPath {
                model: self.model.clone(),
                from,
                to,
                ends: self.ends(&graph, start),
            }),
        }
    }

    /// Adds a release and every step the vendor allows to and from it; a release that is there already stays as it is.
    fn insert(&self, graph: &mut DiGraph<Version, Cost>, version: Version) -> NodeIndex {
        if let Some(node) = graph.node_indices().find(|node| graph[*node] == version) {
            return node;
        }
        let others: Vec<_> = graph.node_indices().collect();
        let node = graph.add_node(version);
        for other in others {
            let (low, high) = if graph[other] < version {
                (other, node)
            } else {
                (node, other)
            };
            if let Some(cost) = self.step(graph[low], graph[high]) {
                graph.add_edge(low, high, cost);
            }
        }
        node
    }

    /// The vendor's step between two releases, the second the higher one.
    fn step(&self, from: Version, to: Version) -> Option<Cost> {
        let leg = Leg { from, to, goal: to };
        let base = self.base(to.train());
        if !rules::broken(self.catalogue, &self.model, base, leg).is_empty() {
            return None;
        }
        let jump = self.catalogue.trains_apart(from.train(), to.train())?;
        let newest = self.catalogue.trains().last()?.train;
        Some(Cost {
            minutes: expected_minutes(self.watch) + jump.saturating_sub(1) * SKIPPED_RELEASE_RISK_MIN,
            age: self.catalogue.trains_apart(to.train(), newest)?,
        })
    }

    fn is_stop(&self, version: Version) -> bool {
        self.catalogue
            .stop(&self.model, version.train())
            .is_some_and(|stop| stop.version == version)
    }

    /// Where the vendor's table leads from `start`, as a sentence with its sources.
    fn ends(&self, graph: &DiGraph<Version, Cost>, start: NodeIndex) -> String {
        let mut reached = vec![graph[start].train()];
        let mut search = petgraph::visit::Bfs::new(graph, start);
        while let Some(node) = search.next(graph) {
            reached.push(graph[node].train());
        }
        reached.sort_unstable();
        reached.dedup();
        let rows = reached
            .iter()
            .filter_map(|train| Some((train, self.catalogue.reach(*train)?)));
        let told = rows.map(|(train, reach)| {
            let to: Vec<_> = reach.trains.iter().map(Train::to_string).collect();
            format!("{train} leads to {} ({})", to.join(", "), reach.sourced.source)
        });
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            return format!("the catalogue has no [[reach]] row from {}", graph[start].train());
        }
        let (runs, source) = self.runs();
        format!("{}; {runs} ({source})", told.join("; "))
    }

    fn base(&self, train: Train) -> Base {
        self.bases
            .get(&train)
            .map_or(Base::ReadFromDevice, |base| Base::Known(*base))
    }

    fn hop(&self, leg: Leg) -> Result<Hop, NoRoute> {
        let row = self.installable(leg.to)?;
        let broken_rules = rules::broken(self.catalogue, &self.model, self.base(row.train), leg);
        let kind = match (broken_rules.is_empty(), leg.from.train() == leg.to.train()) {
            (false, _) => HopKind::Pinned,
            (true, true) => HopKind::Maintenance,
            (true, false) => HopKind::Feature,
        };
        let downloads = match self.base(row.train) {
            Base::Known(base) if base == leg.to => vec![leg.to],
            Base::Known(base) => vec![base, leg.to],
            // Within a train its base has been loaded before: the device runs an image that needed it.
            Base::ReadFromDevice if leg.from.train() == leg.to.train() => vec![leg.to],
            Base::ReadFromDevice => {
                return Err(NoRoute::BaseUnknown {
                    version: leg.to,
                    source_row: row.sourced.source.clone(),
                });
            }
        };
        Ok(Hop {
            from: leg.from,
            to: leg.to,
            kind,
            downloads,
            minimum_content: self
                .catalogue
                .minimum_content(row.train)
                .map(|content| content.value),
            broken_rules,
            times: times(self.watch),
            chassis_ready: self.watch.chassis_ready,
            feature_releases_apart: self
                .catalogue
                .trains_apart(leg.from.train(), row.train)
                .unwrap_or(0),
        })
    }
}

/// The stations of a pinned path: exactly the waypoints, each newer than the one before.
fn pinned(from: Version, to: Version, via: &[Version]) -> Result<Vec<Version>, NoRoute> {
    let passed = via
        .iter()
        .position(|waypoint| *waypoint == from)
        .map_or(0, |place| place + 1);
    let ahead = via[passed..].strip_suffix(&[to]).unwrap_or(&via[passed..]);
    let mut stations = vec![from];
    let mut after = from;
    for waypoint in ahead.iter().chain([&to]) {
        if *waypoint <= after {
            return Err(NoRoute::WaypointBackwards {
                after,
                waypoint: *waypoint,
            });
        }
        stations.push(*waypoint);
        after = *waypoint;
    }
    Ok(stations)
}

fn times(watch: &Watch) -> HopTimes {
    HopTimes {
        install_expected_min: watch.install_expected_min,
        install_worst_min: watch.install_worst_min,
        reboot_expected_min: watch.reboot_expected_min + watch.auto_commit_expected_min,
        reboot_warn_min: watch.watchdog_warn_min,
        reboot_fail_min: watch.watchdog_fail_min,
    }
}

fn expected_minutes(watch: &Watch) -> u32 {
    watch.install_expected_min + watch.reboot_expected_min + watch.auto_commit_expected_min
}

#[cfg(test)]
mod tests;
