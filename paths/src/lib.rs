//! Which hops lead a firewall from one PAN-OS release to another, and why others do not.
//!
//! Responsible for: versions and their order, the release catalogue (data files, each row with its source), the
//! upgrade graph of one model, paths through it with all that belongs to their hops, advisories, which modules a model
//! takes, and refusals that name the row they rest on.
//!
//! Must not know: devices, facts, networks, clocks, campaigns. Everything here is pure: the same catalogue and the
//! same question give the same answer, and a refusal is a value like any other.

mod advisory;
mod catalogue;
mod graph;
mod graphs;
mod modules;
pub mod picture;
mod plan;
mod request;
mod route;
mod rules;
mod spelling;
mod target;
mod version;
mod view;

pub use advisory::{
    Advisory, AdvisoryKind, Concern, Condition, Direction, Exposure, FixPoints, FixState, InvalidReleases,
    Needs, OpticsCondition, Releases, Severity, vocabulary,
};
pub use catalogue::{
    Base, Catalogue, CatalogueError, Confidence, Reach, Release, Sourced, Stated, Support, TrainRow,
    UnknownAdvisory, Watch,
};
pub use graph::{FixError, Graph, UnknownModel};
pub use graphs::{Graphs, NoPlan};
pub use modules::{Judged, ModuleRow, ModuleSeen, ModuleVerdict, Modules, OpticClass, Seat};
pub use plan::{
    Alternative, Assessed, Cost, Doubt, Edge, Explanation, FixDistance, FixPath, GateNote, HopPlan, Image,
    Label, PathPlan, SourceNote, WayBack,
};
pub use request::{Offered, Preference, Request};
pub use route::{BlockedBy, BrokenRule, Hop, HopKind, HopTimes, NoRoute, Route};
pub use rules::Rule;
pub use spelling::nearest_names;
pub use target::{InvalidTarget, Target};
pub use version::{InvalidTrain, InvalidVersion, Suffix, Train, Version};
pub use view::{FactsView, OpticSeen, Seen};
