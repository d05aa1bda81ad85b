//! A fleet of PAN-OS firewalls to test automation against: XML API, jobs, reboots, HA pairs, faults.
//!
//! It does not know who talks to it. The same [`Fleet::exchange`] stands under HTTPS ([`serve`]) and under calls
//! within one process. A device's state is a pure function of its past requests and the simulated instant; it is
//! brought up to date when somebody looks, so thousands of idle devices cost nothing.

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
mod fault;
mod fleet;
mod jobs;
mod line;
mod management;
mod model;
mod multipart;
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
mod tree;
mod wording;
mod world;
mod xpath;

pub use area::{Area, Return};
pub use clock::SimClock;
pub use control::{ControlError, ControlReply, ControlRequest};
pub use device::{Counters, Phase};
pub use fault::{BootPhase, Condition, Effect, FaultRule, OpticCondition, VersionRange};
pub use fleet::{Exchange, Fleet};
pub use jobs::{JobResult, JobStatus};
pub use line::NetworkFault;
pub use pair::{HaState, PairReport};
pub use panorama::{Manages, PanoramaSpec};
pub use release::{Release, Version, VersionError};
pub use report::{DeviceState, DeviceSummary, HaReport, JobState};
pub use serve::{ServeError, ServeOptions, Served, serve};
pub use setup::{
    Administrator, CertificateSpec, DigestKind, KeyKind, LicenceSpec, ListSpec, PluginSpec, Recurrence, Role,
    ScheduleSpec, Setup, TimeOfDay,
};
pub use software::{Partition, PartitionState};
pub use spec::{
    ContentVersion, ContentVersionError, Credentials, DeviceSpec, FaultSpec, FleetSpec,
    LoginBeforeAutocommit, OpticSpec, PairSpec, Place, SpecError,
};
