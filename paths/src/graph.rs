//! The upgrade graph of one model: which releases it can stand on, and what is known against each.
//!
//! Responsible for: everything that depends on the catalogue and the model only, worked out once and shared by every
//! question, and the questions that can be asked. Must not know: devices, campaigns, or what an operator wants to hear:
//! an off-vendor leg is found, named and returned, not forbidden here.

mod explain;
mod exposure;
mod fixes;
mod hops;
mod notes;
mod question;
mod search;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use fixes::FixError;
use thiserror::Error;

use self::notes::TrainNotes;
use self::question::Question;
use crate::advisory::{Advisory, Concern, Exposure};
use crate::catalogue::{Base, Catalogue, Support, TrainRow, Watch};
use crate::plan::{Alternative, Assessed, Edge, Explanation, FixPath, GateNote, PathPlan};
use crate::request::Request;
use crate::route::{NoRoute, Route};
use crate::spelling::nearest_names;
use crate::version::{Suffix, Train, Version};

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

/// The releases a model can stand on, and the steps between them. Made once for a catalogue and a model, asked by
/// any number of threads.
///
/// What a question searches is small: the release it starts from, one stop in every feature release between, and the
/// target. Which release is a feature release's stop may depend on the device (what it offers, what it is exposed to),
/// so the steps are drawn for a question, from what is worked out here.
#[derive(Clone, Debug)]
pub struct Graph<'c> {
    catalogue: &'c Catalogue,
    model: String,
    watch: &'c Watch,
    support: &'c BTreeMap<Train, Support>,
    bases: BTreeMap<Train, Version>,
    /// Where the model may stop in a train, the best first.
    stops: BTreeMap<Train, Vec<Version>>,
    /// What is known against this model.
    advisories: Vec<&'c Arc<Advisory>>,
    /// Their answers for a device of which nothing is known.
    unasked: Vec<Arc<Exposure>>,
    /// The gates of those answers that are open.
    open: Vec<Option<GateNote>>,
    /// What is known against each known release.
    against: BTreeMap<Version, Vec<Against>>,
    notes: BTreeMap<Train, TrainNotes>,
}

/// An advisory that is about standing on a release, by its place in the list of the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Against {
    advisory: usize,
    suspect: bool,
    release: Version,
}

impl<'c> Graph<'c> {
    /// The graph of one model, named as `show system info` names it.
    ///
    /// # Errors
    /// [`UnknownModel`] with the three nearest names.
    pub fn new(catalogue: &'c Catalogue, model: &str) -> Result<Self, UnknownModel> {
        let (Some(watch), Some(support), Some(class)) = (
            catalogue.watch(model),
            catalogue.support(model),
            catalogue.class(model),
        ) else {
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
        let advisories: Vec<_> = catalogue
            .advisories()
            .filter(|advisory| advisory.concerns_model(model, class))
            .collect();
        let mut graph = Self {
            catalogue,
            model: model.to_owned(),
            watch,
            support,
            bases: bases.collect(),
            stops: BTreeMap::new(),
            unasked: advisories
                .iter()
                .map(|advisory| Arc::new(advisory.unasked()))
                .collect(),
            open: advisories
                .iter()
                .map(|advisory| hops::open_question(advisory, &advisory.unasked()))
                .collect(),
            advisories,
            against: BTreeMap::new(),
            notes: BTreeMap::new(),
        };
        graph.stops = graph.ranked_stops();
        graph.against = catalogue
            .releases()
            .filter(|release| graph.installable(release.version).is_ok())
            .map(|release| (release.version, graph.known_against(release.version)))
            .collect();
        graph.notes = support
            .keys()
            .map(|train| (*train, TrainNotes::of(catalogue, model, *train)))
            .collect();
        Ok(graph)
    }

    /// The same graph with a base image a device's own software list names (`release-type` Base), which wins over the
    /// catalogue's for that feature release. [`Request::offered`] does this and more.
    #[must_use]
    pub fn with_base(mut self, base: Version) -> Self {
        self.bases.insert(base.train(), base);
        self
    }

    /// The model this graph is of.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The catalogue this graph was made from.
    pub fn catalogue(&self) -> &'c Catalogue {
        self.catalogue
    }

    /// The advisories that are about this model, in the order of their ids.
    pub fn advisories(&self) -> impl Iterator<Item = &'c Arc<Advisory>> {
        self.advisories.iter().copied()
    }

    /// The releases this model can stand on that have a row in the catalogue, in ascending order.
    pub fn releases(&self) -> impl Iterator<Item = Version> {
        self.against.keys().copied()
    }

    /// The release this model stops at in a feature release when nothing is known of the device.
    pub fn stop(&self, train: Train) -> Option<Version> {
        self.stops.get(&train)?.first().copied()
    }

    /// The way from one release to another: the vendor's cheapest, or through exactly the waypoints of `via`.
    ///
    /// None of the releases has to be a known one, as long as its feature release is and the model runs it. In `via`,
    /// a last waypoint equal to `to` is the target itself, and a device that stands on a waypoint starts from there.
    ///
    /// # Errors
    /// [`NoRoute`], naming the row it rests on. A pinned leg against the vendor's rules is not an error: the hop is
    /// [`crate::HopKind::Pinned`] and lists them.
    pub fn route(&self, from: Version, to: Version, via: &[Version]) -> Result<Route, NoRoute> {
        let request = Request {
            via,
            ..Request::new(from, to)
        };
        let question = Question::of(self, &request)?;
        let stations = question.stations()?;
        question.route(&stations)
    }

    /// The best path, with everything that belongs to its hops.
    ///
    /// A release that nobody has heard of is no error, unless the device's own list speaks against it: the plan says
    /// what is doubtful ([`PathPlan::doubts`]). Without facts no advisory refuses anything and none is weighed, except
    /// for [`crate::Preference::LeastRisk`]; each is listed with its hop, and what is open is a gate.
    ///
    /// # Errors
    /// [`NoRoute`], as for [`Graph::route`]; and where the device's software list or an advisory it is exposed to is in
    /// every way.
    pub fn plan(&self, request: &Request<'_>) -> Result<PathPlan, NoRoute> {
        let question = Question::of(self, request)?;
        let stations = question.stations()?;
        question.plan(&stations)
    }

    /// Up to `k` different paths: the best by each [`crate::Preference`], then the next cheapest.
    ///
    /// # Errors
    /// As [`Graph::plan`].
    pub fn alternatives(&self, request: &Request<'_>, k: usize) -> Result<Vec<Alternative>, NoRoute> {
        explain::alternatives(self, request, k)
    }

    /// Why a question is answered as it is: what speaks against one hop, which edges on the way are refused and by
    /// which rule, and what would do instead.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        explain::explanation(self, request)
    }

    /// Every step between the releases a question is searched over, refused ones with their reasons, each allowed one
    /// with its revert; for pictures. In ascending order of where they start and end.
    ///
    /// # Errors
    /// As [`Graph::plan`], where the question itself is at fault: a target the model does not run, for one.
    pub fn edges(&self, request: &Request<'_>) -> Result<Vec<Edge>, NoRoute> {
        let question = Question::of(self, request)?;
        Ok(explain::edges(&question))
    }

    /// The nearest releases that hold the fix of a defect, and the path to each, the cheapest first.
    ///
    /// # Errors
    /// [`FixError`]: an advisory that is not known, is not about this model or is no defect; a release that holds the
    /// fix; no release this model can get to that does.
    pub fn fixes(&self, from: Version, advisory: &str) -> Result<Vec<FixPath>, FixError> {
        fixes::fixes(self, from, advisory)
    }

    /// Whether this model can stand on this release at all.
    fn installable(&self, version: Version) -> Result<&'c TrainRow, NoRoute> {
        let Some(row) = self.catalogue.train(version.train()) else {
            return Err(self.unknown_train(version));
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

    fn unknown_train(&self, version: Version) -> NoRoute {
        let known = self.catalogue.trains().iter().map(|row| row.train).collect();
        NoRoute::UnknownTrain { version, known }
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

    /// The releases a path may pass a train at: the vendor's preferred ones, newest first, then the others, newest
    /// first; never its base image, a beta or a candidate.
    fn ranked_stops(&self) -> BTreeMap<Train, Vec<Version>> {
        let mut ranked: BTreeMap<Train, Vec<(bool, Version)>> = BTreeMap::new();
        for release in self.catalogue.releases() {
            let version = release.version;
            let finished = version.suffix() >= Suffix::None && !version.is_extended();
            let base = self.bases.get(&version.train()) == Some(&version);
            if finished && !base && self.installable(version).is_ok() {
                let stops = ranked.entry(version.train()).or_default();
                stops.push((release.preferred, version));
            }
        }
        let best_first = |mut stops: Vec<(bool, Version)>| {
            stops.sort_unstable_by(|one, other| other.cmp(one));
            stops.into_iter().map(|(_, version)| version).collect()
        };
        ranked
            .into_iter()
            .map(|(train, stops)| (train, best_first(stops)))
            .collect()
    }

    /// The gate of an advisory that is open for a device; most devices are asked nothing, and share theirs.
    fn open_question(&self, assessed: &Assessed) -> Option<GateNote> {
        let id = assessed.advisory.id.as_str();
        let place = self
            .advisories
            .binary_search_by(|known| known.id.as_str().cmp(id));
        match place {
            Ok(place) if Arc::ptr_eq(&self.unasked[place], &assessed.exposure) => self.open[place].clone(),
            _ => hops::open_question(&assessed.advisory, &assessed.exposure),
        }
    }

    /// What is known against standing on a release, the way there and the device aside.
    fn known_against(&self, release: Version) -> Vec<Against> {
        let about = |(advisory, row): (usize, &&Arc<Advisory>)| {
            let entered = row.to.is_empty() || row.to.iter().any(|releases| releases.contains(release));
            let concern = if entered {
                row.concern(release)
            } else {
                Concern::None
            };
            (concern != Concern::None).then_some(Against {
                advisory,
                suspect: concern == Concern::Suspect,
                release,
            })
        };
        self.advisories.iter().enumerate().filter_map(about).collect()
    }
}

#[cfg(test)]
mod tests;
