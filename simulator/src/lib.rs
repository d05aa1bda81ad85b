//! A fleet of PAN-OS firewalls to test automation against: XML API, jobs, reboots, HA pairs, faults.
//!
//! It does not know who talks to it. The same [`Fleet::exchange`] stands under HTTPS ([`serve`]) and under calls
//! within one process. A device's state is a pure function of its past requests and the simulated instant; it is
//! brought up to date when somebody looks, so thousands of idle devices cost nothing.

mod addresses;
mod ailments;
mod answer;
mod archive;
mod area;
mod boot;
mod clock;
mod config;
mod content;
mod control;
mod control_port;
mod device;
mod events;
mod fault;
mod fleet;
mod generate;
mod jobs;
mod line;
mod logs;
mod management;
mod model;
mod multipart;
mod nearest;
mod notes;
mod operation;
mod pair;
mod panorama;
mod release;
mod reply;
mod report;
mod request;
mod seed;
mod serve;
mod setup;
mod site;
mod software;
mod spec;
mod staging;
mod state;
mod traffic;
mod tree;
mod twin;
mod wording;
mod world;
mod xpath;

pub use addresses::{AddressError, LoopbackNet};
pub use area::{Area, Return};
pub use boot::MaintenanceExit;
pub use clock::SimClock;
pub use control::{ControlError, ControlReply, ControlRequest, SetFact, Whom};
pub use device::{Counters, Phase, Reach};
pub use events::{Event, Events, Occurrence};
pub use fault::{
    BootPhase, Condition, Cure, Effect, FaultRule, Feature, HaFailure, OpticCondition, UpdateServer,
    VersionRange,
};
pub use fleet::{Exchange, Fleet};
pub use jobs::{JobResult, JobStatus};
pub use line::{Cut, Injection, Lasts, LineReport, NetworkFault};
pub use pair::{HaLink, HaMode, HaState, SessionOwner};
pub use panorama::{Manages, PanoramaSpec};
pub use release::{Release, Version, VersionError};
pub use report::{DeviceState, DeviceSummary, HaReport, JobState, Totals};
pub use serve::{ServeError, ServeOptions, Served, serve};
pub use setup::{
    Administrator, CertificateSpec, DigestKind, KeyKind, LicenceSpec, ListSpec, LogSeverity, LoggedSpec,
    PluginSpec, Recurrence, Role, ScheduleSpec, Setup, TimeOfDay,
};
pub use software::{Mount, Partition, PartitionState};
pub use spec::{
    Concurrency, ContentVersion, ContentVersionError, Credentials, DeviceSpec, Excess, FaultSpec, FleetSpec,
    LoginBeforeAutocommit, OpticSpec, PairSpec, Place, SpecError,
};
pub use traffic::PairReport;
pub use twin::{Twin, TwinDevice, TwinError, TwinFleet, TwinHa};
