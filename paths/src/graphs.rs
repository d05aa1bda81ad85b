//! Graphs and answers for a fleet: each made once.
//!
//! Responsible for: one graph a model, and one answer for all devices that ask the same without facts of their own.
//! Must not know: devices.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use thiserror::Error;

use crate::catalogue::Catalogue;
use crate::graph::{Graph, UnknownModel};
use crate::plan::PathPlan;
use crate::request::{Preference, Request};
use crate::route::NoRoute;
use crate::target::Target;
use crate::version::Version;

/// Why a device of a fleet has no path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoPlan {
    /// The catalogue does not know its model.
    #[error(transparent)]
    Model(#[from] UnknownModel),
    /// There is no path for it.
    #[error(transparent)]
    Route(#[from] NoRoute),
}

/// What makes two questions the same one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    from: Version,
    to: Target,
    via: Vec<Version>,
    wider_reach: Option<String>,
    allow_downgrade: bool,
    accepted: Vec<String>,
    prefer: Preference,
}

struct Known<'c> {
    graph: Graph<'c>,
    answers: BTreeMap<Asked, Result<Arc<PathPlan>, NoRoute>>,
}

/// The graphs of the models that were asked for, and the answers that were given.
///
/// A fleet has few models and releases beside its devices: without facts, a hundred thousand devices ask a few
/// thousand questions. A device with facts or a software list of its own is answered by itself.
pub struct Graphs<'c> {
    catalogue: &'c Catalogue,
    models: BTreeMap<String, Known<'c>>,
}

impl<'c> Graphs<'c> {
    /// No graph yet.
    pub fn new(catalogue: &'c Catalogue) -> Self {
        Self {
            catalogue,
            models: BTreeMap::new(),
        }
    }

    /// The graph of a model, made when it is first asked for.
    ///
    /// # Errors
    /// [`UnknownModel`] with the three nearest names.
    pub fn graph(&mut self, model: &str) -> Result<&Graph<'c>, UnknownModel> {
        self.known(model).map(|known| &known.graph)
    }

    /// The best path for one device.
    ///
    /// # Errors
    /// [`NoPlan`]: the model is not known, or there is no path.
    pub fn plan(&mut self, model: &str, request: &Request<'_>) -> Result<Arc<PathPlan>, NoPlan> {
        let known = self.known(model)?;
        if request.view.is_some() || request.offered.is_some() {
            return Ok(Arc::new(known.graph.plan(request)?));
        }
        let asked = Asked {
            from: request.from,
            to: request.to,
            via: request.via.to_vec(),
            wider_reach: request.wider_reach.map(str::to_owned),
            allow_downgrade: request.allow_downgrade,
            accepted: request.accepted.iter().cloned().collect(),
            prefer: request.prefer,
        };
        let Known { graph, answers } = known;
        let answer = answers
            .entry(asked)
            .or_insert_with(|| graph.plan(request).map(Arc::new));
        Ok(answer.clone()?)
    }

    fn known(&mut self, model: &str) -> Result<&mut Known<'c>, UnknownModel> {
        match self.models.entry(model.to_owned()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(Known {
                graph: Graph::new(self.catalogue, model)?,
                answers: BTreeMap::new(),
            })),
        }
    }
}
