//! Which hops lead a firewall from one PAN-OS release to another, and why others do not.
//!
//! Responsible for: versions and their order, the release catalogue (data files, each row with its source), the
//! upgrade graph of one model, routes through it, and refusals that name the row they rest on.
//!
//! Must not know: devices, facts, networks, clocks, campaigns. Everything here is pure: the same catalogue and the
//! same question give the same answer, and a refusal is a value like any other.

mod catalogue;
mod graph;
mod route;
mod rules;
mod spelling;
mod version;

pub use catalogue::{
    Base, Catalogue, CatalogueError, Confidence, Reach, Release, Sourced, Stated, Support, TrainRow, Watch,
};
pub use graph::{Graph, UnknownModel};
pub use route::{BrokenRule, Hop, HopKind, HopTimes, NoRoute, Route};
pub use spelling::nearest_names;
pub use version::{InvalidTrain, InvalidVersion, Suffix, Train, Version};
