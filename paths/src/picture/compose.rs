//! How an answer of the graph becomes a drawing.
//!
//! Responsible for: what of an answer is shown, in which words, and in which order. Must not know: how any of it is drawn.

use std::collections::{BTreeMap, BTreeSet};

use super::{Column, Drawing, Finding, Mark, Refused, Runs, Said, Shown, Source, State, Step, Way};
use crate::advisory::{Exposure, Severity};
use crate::catalogue::{Catalogue, Confidence};
use crate::plan::{Alternative, Assessed, Edge, HopPlan, Image, PathPlan};
use crate::route::NoRoute;
use crate::target::Target;
use crate::version::{Train, Version};

/// What a drawing is made of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The rows the columns are taken from.
    pub catalogue: &'a Catalogue,
    /// The model, as `show system info` names it.
    pub model: &'a str,
    /// What runs.
    pub from: Version,
    /// Where the path shall lead.
    pub to: Target,
    /// The path, or why there is none.
    pub outcome: Result<&'a PathPlan, &'a NoRoute>,
    /// Other paths; one with the same releases as the path is left out.
    pub alternatives: &'a [Alternative],
    /// Edges of the graph: of those it refuses, the ones between releases that are drawn are drawn too. Without a path all
    /// that leave what runs or lead to the target are.
    pub edges: &'a [Edge],
    /// Where there is no path: what would do instead, a sentence each.
    pub instead: &'a [String],
    /// The day (`YYYY-MM-DD`) that ends of life are held against.
    pub today: &'a str,
}

impl Drawing {
    /// The picture of an answer.
    pub fn of(subject: &Subject<'_>) -> Self {
        let stations = subject.outcome.map(stations).unwrap_or_default();
        let others: Vec<_> = subject
            .alternatives
            .iter()
            .map(|other| (other, self::stations(&other.plan)))
            .filter(|(_, other)| *other != stations)
            .collect();
        let refused = refused(subject, &stations, &others);

        let mut drawn: BTreeSet<Version> = stations.iter().copied().collect();
        drawn.insert(subject.from);
        if let Target::Version(to) = subject.to {
            drawn.insert(to);
        }
        drawn.extend(others.iter().flat_map(|(_, stations)| stations));
        drawn.extend(refused.iter().flat_map(|edge| [edge.from, edge.to]));
        let trains = trains(subject, &drawn);
        let index: BTreeMap<Version, usize> = drawn.iter().copied().zip(0..).collect();

        let plans = subject
            .outcome
            .into_iter()
            .chain(others.iter().map(|(other, _)| &other.plan));
        let mut marks = marks(plans);
        let shown = drawn.iter().filter_map(|version| {
            Some(Shown {
                name: version.to_string(),
                column: trains.iter().position(|train| *train == version.train())?,
                marks: marks.remove(version).unwrap_or_default(),
            })
        });
        let way = |label: String, plan: &PathPlan, stations: &[Version]| Way {
            label,
            stations: stations.iter().map(|station| index[station]).collect(),
            steps: plan.hops.iter().map(step).collect(),
        };
        Self {
            model: subject.model.to_owned(),
            from: subject.from.to_string(),
            to: match subject.outcome {
                Ok(plan) => plan.route.to.to_string(),
                Err(_) => subject.to.to_string(),
            },
            today: subject.today.to_owned(),
            notes: notes(subject),
            columns: trains.iter().map(|train| column(subject, *train)).collect(),
            releases: shown.collect(),
            chosen: subject
                .outcome
                .map(|plan| way(String::new(), plan, &stations))
                .unwrap_or_default(),
            alternatives: others
                .iter()
                .map(|(other, stations)| way(labels(other), &other.plan, stations))
                .collect(),
            refused: refused
                .into_iter()
                .map(|edge| Refused {
                    from: index[&edge.from],
                    to: index[&edge.to],
                    reasons: edge.refused.clone(),
                })
                .collect(),
            advisories: subject.outcome.map(findings).unwrap_or_default(),
            sources: subject.outcome.map(sources).unwrap_or_default(),
        }
    }
}

fn stations(plan: &PathPlan) -> Vec<Version> {
    let hops = plan.hops.iter().map(|plan| plan.hop.to);
    [plan.route.from].into_iter().chain(hops).collect()
}

fn labels(other: &Alternative) -> String {
    let labels: Vec<_> = other.labels.iter().map(ToString::to_string).collect();
    labels.join(", ")
}

/// The refused edges that are shown, the most telling first: the whole way in one hop, shortcuts to the target, shortcuts of
/// the path, and all others.
fn refused<'a>(
    subject: &Subject<'a>,
    stations: &[Version],
    others: &[(&Alternative, Vec<Version>)],
) -> Vec<&'a Edge> {
    let target = match (subject.outcome, subject.to) {
        (Ok(plan), _) => Some(plan.route.to),
        (Err(_), Target::Version(to)) => Some(to),
        (Err(_), Target::Train(_)) => None,
    };
    let drawn: BTreeSet<Version> = stations
        .iter()
        .chain(others.iter().flat_map(|(_, stations)| stations))
        .copied()
        .collect();
    // A pinned hop is against the rules and drawn as that already.
    let taken = |edge: &Edge| stations.windows(2).any(|pair| pair == [edge.from, edge.to]);
    let shown = |edge: &&Edge| {
        let ends = if subject.outcome.is_ok() {
            drawn.contains(&edge.from) && drawn.contains(&edge.to)
        } else {
            edge.from == subject.from || target == Some(edge.to)
        };
        ends && edge.from != edge.to && !edge.refused.is_empty() && !taken(edge)
    };
    // What a path of this direction could have taken: a downgrade is not explained by upgrades.
    let up = target.is_none_or(|target| subject.from <= target);
    let along = |edge: &&Edge| (edge.from < edge.to) == up;
    let mut edges: Vec<_> = subject.edges.iter().filter(along).filter(shown).collect();
    edges.sort_by_key(|edge| {
        let starts = stations.contains(&edge.from) || edge.from == subject.from;
        let rank = match (edge.from == subject.from, target == Some(edge.to), starts) {
            (true, true, _) => 0,
            (_, true, true) => 1,
            (_, _, true) => 2,
            _ => 3,
        };
        (rank, edge.from, edge.to)
    });
    edges.dedup_by_key(|edge| (edge.from, edge.to));
    edges
}

/// The feature releases from the first to the last that is drawn, and those the catalogue does not have.
fn trains(subject: &Subject<'_>, drawn: &BTreeSet<Version>) -> Vec<Train> {
    let mut own: BTreeSet<Train> = drawn.iter().map(|version| version.train()).collect();
    own.insert(subject.to.train());
    let (first, last) = (own.first().copied(), own.last().copied());
    let between = subject.catalogue.trains().iter().map(|row| row.train);
    own.extend(between.filter(|train| Some(*train) > first && Some(*train) < last));
    own.into_iter().collect()
}

fn column(subject: &Subject<'_>, train: Train) -> Column {
    let catalogue = subject.catalogue;
    let support = catalogue.support(subject.model);
    let end = catalogue.end_of_life(train).map(|end| end.value.clone());
    Column {
        name: train.to_string(),
        // Days in this form are ordered as texts are.
        end_of_life: end.map(|day| {
            let past = day.as_str() < subject.today;
            (day, past)
        }),
        content: catalogue
            .minimum_content(train)
            .map(|content| content.value.to_string()),
        runs: match support.map(|trains| trains.get(&train)) {
            Some(None) => Runs::No,
            Some(Some(row)) => row
                .minimum
                .map_or(Runs::All, |minimum| Runs::From(minimum.to_string())),
            None => Runs::All,
        },
    }
}

/// Advisories by the release they sit on, each once and at its worst.
fn marks<'p>(plans: impl Iterator<Item = &'p PathPlan>) -> BTreeMap<Version, Vec<Mark>> {
    let mut found: BTreeMap<Version, BTreeMap<&str, (&Assessed, State)>> = BTreeMap::new();
    for assessed in plans.flat_map(|plan| &plan.hops).flat_map(|hop| &hop.advisories) {
        let state = state(assessed);
        let of_release = found.entry(assessed.release).or_default();
        let kept = of_release
            .entry(&assessed.advisory.id)
            .or_insert((assessed, state));
        kept.1 = kept.1.min(state);
    }
    let marks = found.into_iter().map(|(release, found)| {
        let marks = found.into_values().map(|(assessed, state)| Mark {
            id: assessed.advisory.id.clone(),
            title: assessed.advisory.title.clone(),
            state,
        });
        (release, marks.collect())
    });
    marks.collect()
}

fn state(assessed: &Assessed) -> State {
    match *assessed.exposure {
        Exposure::Clear { .. } => State::Clear,
        _ if assessed.accepted => State::Accepted,
        Exposure::Exposed { .. } if assessed.blocks() => State::Blocks,
        _ if assessed.suspect => State::Suspect,
        Exposure::Exposed { .. } => State::Warns,
        Exposure::Unknown { .. } => State::Unknown,
    }
}

fn step(plan: &HopPlan) -> Step {
    let asked = |id: &str| plan.advisories.iter().any(|assessed| assessed.advisory.id == id);
    let gates = plan.gates.iter().filter(|gate| !asked(&gate.id));
    let gates: Vec<_> = gates
        .map(|gate| Said {
            text: gate.text.to_string(),
            source: gate.source.to_string(),
        })
        .collect();
    Step {
        kind: kind(plan).to_owned(),
        expected_min: plan.expected_min,
        worst_min: plan.worst_min,
        images: plan.images.iter().map(image).collect(),
        disk: plan
            .disk_needed_mb
            .map(|needed| format!("{needed} MB free in /opt/panrepo")),
        content: plan
            .content
            .as_ref()
            .map(|content| format!("{} or newer", content.value)),
        open_questions: plan.gates.len() - gates.len(),
        gates,
        way_back: plan.way_back.text.clone(),
        lost: plan.way_back.lost.to_owned(),
        ha_rule: plan.ha_rule.to_string(),
        configuration: plan.configuration.clone(),
        broken: plan.hop.broken_rules.clone(),
    }
}

/// By what the hop does: that it breaks a rule is shown beside it.
fn kind(plan: &HopPlan) -> &'static str {
    let (from, to) = (plan.hop.from, plan.hop.to);
    match (from.train() == to.train(), to < from) {
        (true, false) => "maintenance release",
        (false, false) => "feature release",
        (true, true) => "maintenance downgrade",
        (false, true) => "feature downgrade",
    }
}

fn image(image: &Image) -> String {
    let mut known = Vec::new();
    if image.base {
        known.push("base".to_owned());
    }
    known.extend(image.size_mb.map(|size| format!("{size} MB")));
    if image.on_disk {
        known.push("on disk".to_owned());
    }
    if known.is_empty() {
        image.version.to_string()
    } else {
        format!("{} ({})", image.version, known.join(", "))
    }
}

fn findings(plan: &PathPlan) -> Vec<Finding> {
    let found = plan.advisories().into_iter().map(|(assessed, releases)| {
        let advisory = &assessed.advisory;
        Finding {
            id: advisory.id.clone(),
            title: advisory.title.clone(),
            effect: advisory.effect.clone(),
            state: state(assessed),
            severity: match assessed.severity {
                Severity::Block => "blocks",
                Severity::Warn => "warns",
            }
            .to_owned(),
            places: releases.iter().map(Version::to_string).collect(),
            found: match &*assessed.exposure {
                Exposure::Exposed { evidence } if evidence.is_empty() => {
                    vec!["every device of these models".to_owned()]
                }
                Exposure::Exposed { evidence } => evidence.clone(),
                Exposure::Clear { why } => vec![why.clone()],
                Exposure::Unknown { missing } => missing.clone(),
            },
            action: advisory.action.clone(),
            source: advisory.sourced.source.clone(),
            confidence: confidence(advisory.sourced.confidence).to_owned(),
        }
    });
    found.collect()
}

fn sources(plan: &PathPlan) -> Vec<Source> {
    let mut sources = Vec::new();
    for note in plan.hops.iter().flat_map(|hop| &hop.sources) {
        let source = Source {
            what: note.what.to_string(),
            source: note.sourced.source.clone(),
            confidence: confidence(note.sourced.confidence).to_owned(),
        };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

fn notes(subject: &Subject<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    match subject.outcome {
        Ok(plan) => {
            notes.extend(plan.doubts.iter().map(|doubt| doubt.text.clone()));
            let met = plan.advisories();
            let blocking = met.iter().filter(|(assessed, _)| assessed.blocks()).count();
            match blocking {
                0 => {}
                1 => notes.push("1 advisory hits this device and blocks".to_owned()),
                hits => notes.push(format!("{hits} advisories hit this device and block")),
            }
            let open = met.iter().filter(|(assessed, _)| {
                !assessed.accepted && matches!(*assessed.exposure, Exposure::Unknown { .. })
            });
            match open.count() {
                0 => {}
                1 => {
                    notes.push("1 advisory waits for facts that were not read: a gate of the hops".to_owned())
                }
                open => notes.push(format!(
                    "{open} advisories wait for facts that were not read: gates of the hops"
                )),
            }
        }
        Err(refusal) => {
            notes.push(refusal.to_string());
            notes.extend(subject.instead.iter().cloned());
        }
    }
    notes
}
