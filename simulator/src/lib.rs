//! A fleet of PAN-OS firewalls to test automation against: XML API, jobs, reboots, HA pairs, faults.
//!
//! It does not know who talks to it. The same [`Fleet::exchange`] stands under HTTPS ([`serve`]) and under calls
//! within one process. A device's state is a pure function of its past requests and the simulated instant; it is
//! brought up to date when somebody looks, so thousands of idle devices cost nothing.

mod addresses;
mod answer;
mod boot;
mod clock;
mod control;
mod control_port;
mod device;
mod events;
mod fault;
mod fleet;
mod generate;
mod jobs;
mod line;
mod model;
mod nearest;
mod notes;
mod operation;
mod pair;
mod release;
mod reply;
mod report;
mod request;
mod seed;
mod serve;
mod site;
mod software;
mod spec;
mod staging;
mod twin;
mod wording;
mod world;

pub use addresses::{AddressError, LoopbackNet};
pub use clock::SimClock;
pub use control::{ControlError, ControlReply, ControlRequest, SetFact, Whom};
pub use device::{Counters, Phase};
pub use events::{Event, Events, Occurrence};
pub use fault::{BootPhase, Condition, Effect, FaultRule, OpticCondition, VersionRange};
pub use fleet::{Exchange, Fleet};
pub use jobs::{JobResult, JobStatus};
pub use line::{Cut, Injection, Lasts, LineReport, NetworkFault};
pub use pair::{HaState, PairReport};
pub use release::{Release, Version, VersionError};
pub use report::{DeviceState, DeviceSummary, HaReport, JobState, Totals};
pub use serve::{ServeError, ServeOptions, Served, serve};
pub use software::{Partition, PartitionState};
pub use spec::{
    Concurrency, ContentVersion, ContentVersionError, Credentials, DeviceSpec, Excess, FaultSpec, FleetSpec,
    LoginBeforeAutocommit, OpticSpec, PairSpec, Place, SpecError,
};
pub use twin::{Twin, TwinDevice, TwinError, TwinFleet, TwinHa};
