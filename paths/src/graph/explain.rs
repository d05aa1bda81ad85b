//! Why not: the edges that were refused, other paths, and what would do instead.
//!
//! Responsible for: everything shown beside the best path. Must not know: how a path is searched.

use std::collections::BTreeSet;

use super::Graph;
use super::question::{Question, expected_minutes};
use crate::plan::{Alternative, Cost, Edge, Explanation, Label, PathPlan};
use crate::request::{Preference, Request};
use crate::route::{BrokenRule, HopKind, NoRoute};
use crate::rules::{self, Ground, Leg, Rule};
use crate::target::Target;
use crate::version::Version;

/// The order in which preferences fill the first places.
const PREFERENCES: &[Preference] = &[
    Preference::Balanced,
    Preference::FewestReboots,
    Preference::LeastRisk,
    Preference::Vendor,
];

/// Up to `k` different paths: see [`Graph::alternatives`].
pub(super) fn alternatives(
    graph: &Graph<'_>,
    request: &Request<'_>,
    k: usize,
) -> Result<Vec<Alternative>, NoRoute> {
    let mut found: Vec<Alternative> = vec![Alternative {
        labels: vec![Label::Best(request.prefer)],
        plan: graph.plan(request)?,
    }];
    // A pinned path is exactly what was asked for: there is no other.
    if !request.via.is_empty() {
        return Ok(found);
    }
    for prefer in PREFERENCES.iter().filter(|prefer| **prefer != request.prefer) {
        let asked = Request {
            prefer: *prefer,
            ..*request
        };
        // What one preference demands may lead nowhere; the path there is stays.
        if let Ok(plan) = graph.plan(&asked) {
            add(&mut found, Label::Best(*prefer), plan);
        }
    }
    let balanced = Request {
        prefer: Preference::Balanced,
        ..*request
    };
    if found.len() < k {
        let question = Question::of(graph, &balanced)?;
        // Those there are may be among the next ones too.
        for stations in question.best(k.saturating_add(found.len())) {
            let plan = question.plan(&stations)?;
            if found.len() < k && !found.iter().any(|known| known.plan.route == plan.route) {
                add(&mut found, Label::NextCheapest, plan);
            }
        }
    }
    found.truncate(k.max(1));
    Ok(found)
}

fn add(found: &mut Vec<Alternative>, label: Label, plan: PathPlan) {
    match found.iter_mut().find(|known| known.plan.route == plan.route) {
        Some(known) => known.labels.push(label),
        None => found.push(Alternative {
            labels: vec![label],
            plan,
        }),
    }
}

/// Every step between the releases of a question: see [`Graph::edges`].
pub(super) fn edges(question: &Question<'_, '_>) -> Vec<Edge> {
    let places = question.places();
    let mut edges = Vec::new();
    for (place, from) in places.iter().enumerate() {
        for to in &places[place + 1..] {
            let edge = edge(question, *from, *to);
            if edge.refused.is_empty() {
                edges.push(revert(question, &edge));
            }
            edges.push(edge);
        }
        edges.extend(outside(question, *from));
    }
    edges.sort_by_key(|edge| (edge.from, edge.to, edge.kind));
    edges
}

fn edge(question: &Question<'_, '_>, from: Version, to: Version) -> Edge {
    let leg = Leg { from, to, goal: to };
    let mut refused = question.ground(leg).told_all(leg);
    refused.extend(question.blocking(from, to).into_iter().map(|by| {
        let text = format!("{} at {}: {} {}", by.advisory, by.release, by.effect, by.action);
        let advisory = question.graph.catalogue.advisory(&by.advisory);
        let source = advisory.map_or(String::new(), |advisory| advisory.sourced.source.clone());
        Rule::AdvisoryBlocks.broken(text, source)
    }));
    Edge {
        from,
        to,
        kind: kind(leg),
        cost: refused.is_empty().then(|| question.priced(from, to, 0).cost()),
        refused,
    }
}

fn kind(leg: Leg) -> HopKind {
    match (leg.from.train() == leg.to.train(), leg.is_down()) {
        (true, false) => HopKind::Maintenance,
        (false, false) => HopKind::Feature,
        (true, true) => HopKind::MaintenanceDowngrade,
        (false, true) => HopKind::FeatureDowngrade,
    }
}

/// The way back of a hop: one reboot into the other partition.
fn revert(question: &Question<'_, '_>, hop: &Edge) -> Edge {
    let watch = question.graph.watch;
    Edge {
        from: hop.to,
        to: hop.from,
        kind: HopKind::Revert,
        cost: Some(Cost {
            minutes: expected_minutes(watch) - watch.install_expected_min,
            risk: 0,
        }),
        refused: Vec::new(),
    }
}

/// The steps the vendor's table allows to feature releases this model does not run, up to the target's: they are the
/// ones people ask about.
fn outside(question: &Question<'_, '_>, from: Version) -> Vec<Edge> {
    let graph = question.graph;
    let Some(reach) = graph.catalogue.reach(from.train()) else {
        return Vec::new();
    };
    let beyond = reach
        .trains
        .iter()
        .filter(|train| !graph.support.contains_key(train) && **train <= question.to.train());
    let refused = beyond.filter_map(|train| {
        let newest = graph
            .catalogue
            .releases()
            .filter(|row| row.version.train() == *train);
        let to = newest.last()?.version;
        let refusal = graph.installable(to).err()?;
        Some(Edge {
            from,
            to,
            kind: HopKind::Feature,
            cost: None,
            refused: rules::of_release(&refusal).into_iter().collect(),
        })
    });
    refused.collect()
}

/// Why a question is answered as it is: see [`Graph::explain`].
pub(super) fn explanation(graph: &Graph<'_>, request: &Request<'_>) -> Explanation {
    let answer = graph.plan(request);
    let question = Question::of(graph, request);
    let to = match (&question, request.to) {
        (Ok(question), _) => Some(question.to),
        (Err(_), Target::Version(version)) => Some(version),
        (Err(_), Target::Train(train)) => graph.stop(train),
    };
    let (direct, refused) = match &question {
        Ok(question) => (
            edge(question, request.from, question.to).refused,
            refused(question),
        ),
        Err(_) => (
            to.map_or_else(Vec::new, |to| against(graph, request, to)),
            Vec::new(),
        ),
    };
    let instead = instead(graph, request, to, &direct, &answer);
    let (plan, refusal) = match answer {
        Ok(plan) => (Some(plan), None),
        Err(refusal) => (None, Some(refusal)),
    };
    Explanation {
        model: graph.model.clone(),
        from: request.from,
        to,
        direct,
        plan,
        refusal,
        refused,
        instead,
    }
}

fn refused(question: &Question<'_, '_>) -> Vec<Edge> {
    let mut edges = edges(question);
    edges.retain(|edge| !edge.refused.is_empty());
    edges
}

/// The rules against one hop for a question that cannot even be asked: the releases', then the table's.
fn against(graph: &Graph<'_>, request: &Request<'_>, to: Version) -> Vec<BrokenRule> {
    let releases = [request.from, to];
    let refusals = releases
        .iter()
        .filter_map(|version| graph.installable(*version).err());
    let mut broken: Vec<_> = refusals
        .filter_map(|refusal| rules::of_release(&refusal))
        .collect();
    let known = |version: &Version| graph.catalogue.train(version.train()).is_some();
    if releases.iter().all(known) && request.from != to {
        let leg = Leg {
            from: request.from,
            to,
            goal: to,
        };
        let ground = Ground {
            catalogue: graph.catalogue,
            wider: request.wider_reach,
            stop: graph.stop(request.from.train()),
            recommended: false,
            base: graph
                .bases
                .get(&to.train())
                .map_or(crate::catalogue::Base::ReadFromDevice, |base| {
                    crate::catalogue::Base::Known(*base)
                }),
        };
        broken.extend(ground.told_all(leg));
    }
    if let Some(offered) = request
        .offered
        .filter(|offered| !offered.iter().any(|one| one.version == to))
        && offered.iter().any(|one| one.version.train() == to.train())
    {
        let text = format!("the device does not offer {to}");
        broken.push(Rule::NotOffered.broken(text, "the device's software list"));
    }
    broken
}

fn instead(
    graph: &Graph<'_>,
    request: &Request<'_>,
    to: Option<Version>,
    direct: &[BrokenRule],
    answer: &Result<PathPlan, NoRoute>,
) -> Vec<String> {
    let mut said = Vec::new();
    match answer {
        Ok(plan) if plan.route.hops.len() > 1 || !direct.is_empty() => {
            let mut stations = vec![plan.route.from.to_string()];
            stations.extend(plan.route.hops.iter().map(|hop| hop.to.to_string()));
            said.push(format!("Go {}.", stations.join(" -> ")));
        }
        Ok(_) => said.push("One hop does it.".to_owned()),
        Err(NoRoute::Blocked { blocked, .. }) => {
            let each: BTreeSet<_> = blocked.iter().map(|by| (&by.advisory, &by.action)).collect();
            said.extend(each.into_iter().map(|(id, action)| format!("{id}: {action}")));
        }
        Err(NoRoute::Downgrade { .. }) => {
            said.push("Allow the downgrade by name, or revert to the other partition.".to_owned());
        }
        Err(NoRoute::NotOffered { offered, .. }) => {
            let newest = offered.last();
            said.extend(
                newest.map(|newest| format!("The newest it offers of that feature release is {newest}.")),
            );
        }
        Err(_) => said.extend(furthest(graph, request, to)),
    }
    said
}

/// The newest release on the way to a target that cannot be had.
fn furthest(graph: &Graph<'_>, request: &Request<'_>, to: Option<Version>) -> Option<String> {
    let to = to?;
    let stops = graph.stops.iter().rev();
    let below = stops
        .filter(|(train, _)| **train <= to.train())
        .filter_map(|(_, stops)| stops.first().copied())
        .filter(|stop| *stop > request.from && *stop != to);
    for stop in below {
        let asked = Request {
            to: Target::Version(stop),
            via: &[],
            ..*request
        };
        if let Ok(plan) = graph.plan(&asked) {
            let hops = plan.route.hops.len();
            return Some(format!(
                "{} gets as far as {stop}, in {hops} {}.",
                graph.model,
                if hops == 1 { "hop" } else { "hops" }
            ));
        }
    }
    None
}
