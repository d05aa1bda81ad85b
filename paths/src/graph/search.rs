//! The search: the best ways from the start of a question to its target.
//!
//! Responsible for: drawing the steps between the releases of a question, and finding the best ways through them, ties
//! broken the same way every time. Must not know: why a step is allowed or what it costs.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::ops::Add;

use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{EdgeRef, Reversed};

use super::question::{Question, Step};
use crate::request::{Preference, Request};
use crate::route::{BlockedBy, NoRoute};
use crate::rules::Leg;
use crate::version::{Train, Version};

/// What ways are compared by: what matters most first, and the age of the releases they pass last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Weight([u32; 3]);

impl Add for Weight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|place| {
            self.0[place].saturating_add(other.0[place])
        }))
    }
}

/// A way from the start that may lead on to the target; the best has the least weight with what is ahead, and of equal
/// ones the first in the order of its releases.
#[derive(PartialEq, Eq)]
struct Way {
    ahead: Weight,
    behind: Weight,
    nodes: Vec<NodeIndex>,
}

impl Ord for Way {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.ahead, &self.nodes).cmp(&(other.ahead, &other.nodes))
    }
}

impl PartialOrd for Way {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Question<'_, '_> {
    /// The releases of the best path, from the start to the target.
    pub(super) fn stations(&self) -> Result<Vec<Version>, NoRoute> {
        if !self.request.via.is_empty() {
            return self.pinned();
        }
        match self.best(1).pop() {
            Some(stations) => Ok(stations),
            None => Err(self.no_way()),
        }
    }

    /// The `k` best paths, each as its releases; fewer where there are not so many.
    pub(super) fn best(&self, k: usize) -> Vec<Vec<Version>> {
        let graph = self.drawn();
        let place = |version| graph.node_indices().find(|node| graph[*node] == version);
        let (Some(start), Some(goal)) = (place(self.request.from), place(self.to)) else {
            return Vec::new();
        };
        let left = dijkstra(Reversed(&graph), goal, None, |edge| *edge.weight());
        let mut open = BinaryHeap::new();
        if let Some(ahead) = left.get(&start) {
            open.push(Reverse(Way {
                ahead: *ahead,
                behind: Weight::default(),
                nodes: vec![start],
            }));
        }
        let mut found: Vec<Vec<Version>> = Vec::new();
        while let Some(Reverse(way)) = open.pop() {
            let Some(last) = way.nodes.last().copied() else {
                continue;
            };
            if last == goal {
                found.push(way.nodes.iter().map(|node| graph[*node]).collect());
                if found.len() >= k {
                    break;
                }
                continue;
            }
            for edge in graph.edges(last) {
                if let Some(rest) = left.get(&edge.target()) {
                    let behind = way.behind + *edge.weight();
                    let mut nodes = Vec::with_capacity(way.nodes.len() + 1);
                    nodes.extend_from_slice(&way.nodes);
                    nodes.push(edge.target());
                    open.push(Reverse(Way {
                        ahead: behind + *rest,
                        behind,
                        nodes,
                    }));
                }
            }
        }
        found
    }

    /// The releases of the question in the order they may be passed: the start, a stop in every train between that is
    /// on the way, the target.
    pub(super) fn places(&self) -> Vec<Version> {
        let (from, to) = (self.request.from, self.to);
        let (low, high) = (from.min(to), from.max(to));
        let between = self.stops().filter(|stop| low < *stop && *stop < high);
        let mut places: Vec<_> = between.chain([from, to]).collect();
        places.sort_unstable();
        places.dedup();
        if self.is_down() {
            places.reverse();
        }
        places
    }

    fn drawn(&self) -> DiGraph<Version, Weight> {
        let places = self.places();
        let mut graph = DiGraph::with_capacity(places.len(), places.len() * places.len() / 2);
        let nodes: Vec<_> = places.iter().map(|place| graph.add_node(*place)).collect();
        for (place, from) in nodes.iter().enumerate() {
            for to in &nodes[place + 1..] {
                let (leaves, enters) = (graph[*from], graph[*to]);
                if let Some(step) = self.step(leaves, enters) {
                    graph.add_edge(*from, *to, self.weight_of(step, enters));
                }
            }
        }
        graph
    }

    fn weight_of(&self, step: Step, enters: Version) -> Weight {
        let age = self.age(enters);
        let cost = step.cost();
        let facts = self.request.view.is_some();
        let weighed = step.minutes + if facts { cost.risk } else { step.risk };
        Weight(match self.request.prefer {
            Preference::Balanced | Preference::Vendor => [weighed, 0, age],
            Preference::FewestReboots => [1, weighed, age],
            Preference::LeastRisk => [
                step.risk + step.held.blocking + step.held.warning,
                step.minutes,
                age,
            ],
        })
    }

    /// The stations of a pinned path: exactly the waypoints, each on from the one before.
    fn pinned(&self) -> Result<Vec<Version>, NoRoute> {
        let (from, to, via) = (self.request.from, self.to, self.request.via);
        let passed = via
            .iter()
            .position(|waypoint| *waypoint == from)
            .map_or(0, |place| place + 1);
        let ahead = via[passed..].strip_suffix(&[to]).unwrap_or(&via[passed..]);
        let mut stations = vec![from];
        let mut after = from;
        for waypoint in ahead.iter().chain([&to]) {
            let on = if self.is_down() {
                *waypoint < after
            } else {
                *waypoint > after
            };
            if !on {
                return Err(self.off_course(after, *waypoint));
            }
            stations.push(*waypoint);
            after = *waypoint;
        }
        let blocked = self.blocked_on(&stations);
        if blocked.is_empty() {
            Ok(stations)
        } else {
            Err(NoRoute::Blocked { from, to, blocked })
        }
    }

    fn off_course(&self, after: Version, waypoint: Version) -> NoRoute {
        if self.is_down() {
            NoRoute::WaypointUpwards { after, waypoint }
        } else {
            NoRoute::WaypointBackwards { after, waypoint }
        }
    }

    fn blocked_on(&self, stations: &[Version]) -> Vec<BlockedBy> {
        let legs = stations.windows(2);
        legs.flat_map(|pair| self.blocking(pair[0], pair[1])).collect()
    }

    /// Why there is no way: what the device is exposed to, where there would be one for another device, else where the
    /// vendor's table ends.
    fn no_way(&self) -> NoRoute {
        let (from, to) = (self.request.from, self.to);
        let unasked = Request {
            view: None,
            to: to.into(),
            ..*self.request
        };
        let otherwise = Question::of(self.graph, &unasked)
            .ok()
            .and_then(|question| question.best(1).pop());
        if let Some(stations) = otherwise {
            let blocked = self.blocked_on(&stations);
            if !blocked.is_empty() {
                return NoRoute::Blocked { from, to, blocked };
            }
        }
        NoRoute::NoPath {
            model: self.graph.model.clone(),
            from,
            to,
            ends: self.ends(),
        }
    }

    /// Where the vendor's table leads from the start, as a sentence with its sources.
    fn ends(&self) -> String {
        let (runs, source) = self.graph.runs();
        if self.is_down() {
            let told: Vec<_> = self
                .places()
                .windows(2)
                .map(|pair| self.refused_down(pair))
                .collect();
            return format!("{}; {runs} ({source})", told.concat());
        }
        let places = self.places();
        let mut reached = vec![self.request.from];
        for to in &places {
            if reached
                .iter()
                .any(|from| from < to && self.step(*from, *to).is_some())
            {
                reached.push(*to);
            }
        }
        let mut trains: Vec<_> = reached.iter().map(|version| version.train()).collect();
        trains.dedup();
        let rows = trains
            .iter()
            .filter_map(|train| Some((train, self.graph.catalogue.reach(*train)?)));
        let told = rows.map(|(train, reach)| {
            let to: Vec<_> = reach.trains.iter().map(Train::to_string).collect();
            format!("{train} leads to {} ({})", to.join(", "), reach.sourced.source)
        });
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            return format!(
                "the catalogue has no [[reach]] row from {}",
                self.request.from.train()
            );
        }
        format!("{}; {runs} ({source})", told.join("; "))
    }

    fn refused_down(&self, pair: &[Version]) -> String {
        let leg: Leg = self.leg(pair[0], pair[1]);
        let told = self.ground(leg).told_all(leg).into_iter();
        told.map(|rule| rule.text).collect::<Vec<_>>().join("; ")
    }
}
