//! Answers to `hopgate path`: for one device from its release and model, for a fleet from what its devices say.
//!
//! Asks devices and asks `paths`; finds no path itself. Nothing here changes a device.

pub mod fleet;
pub mod words;

use std::collections::BTreeSet;

use hopgate_paths::{
    Catalogue, FixError, Graph, NoRoute, Preference, Request, Target, UnknownModel, Version,
};

/// What can be said about a path beside its ends.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Releases to stop at.
    pub via: Vec<Version>,
    /// The name of a wider reach.
    pub reach: Option<String>,
    /// Whether an older target is meant.
    pub allow_downgrade: bool,
    /// What matters most.
    pub prefer: Preference,
}

/// Advisories nobody has accepted.
static NONE_ACCEPTED: BTreeSet<String> = BTreeSet::new();

impl Wishes {
    /// The question for one device.
    pub fn request(&self, from: Version, to: Target) -> Request<'_> {
        Request {
            from,
            to,
            via: &self.via,
            wider_reach: self.reach.as_deref(),
            allow_downgrade: self.allow_downgrade,
            offered: None,
            view: None,
            accepted: &NONE_ACCEPTED,
            prefer: self.prefer,
        }
    }
}

/// A question about paths that has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The model is not in the catalogue.
    #[error("no path for a {model} is known", model = .0.model)]
    Model(#[source] Box<UnknownModel>),
    /// There is no way.
    #[error("no path leads {model} from {from} to {to}")]
    NoRoute {
        /// The model.
        model: String,
        /// What runs.
        from: Version,
        /// The target.
        to: Target,
        /// Why.
        #[source]
        source: Box<NoRoute>,
    },
    /// No release with the fix can be named.
    #[error("no release with the fix can be found")]
    Fixes(#[source] FixError),
}

/// The graph of one model.
pub fn graph<'c>(catalogue: &'c Catalogue, model: &str) -> Result<Graph<'c>, PathError> {
    Graph::new(catalogue, model).map_err(|unknown| PathError::Model(Box::new(unknown)))
}

/// The refusal of a question, told with what was asked.
pub fn no_route(model: &str, request: &Request<'_>, source: NoRoute) -> PathError {
    PathError::NoRoute {
        model: model.to_owned(),
        from: request.from,
        to: request.to,
        source: Box::new(source),
    }
}
