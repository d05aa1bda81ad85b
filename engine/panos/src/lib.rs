//! PAN-OS as a service: calls to one firewall's XML API, and what their answers and failures mean.
//!
//! Responsible for: the [`Transport`] seam and HTTPS under it, trust in certificates, keys kept in memory, the XML of
//! requests and replies, and the one table that tells what may be done after a failure ([`CallError::class`]).
//! Must not know: upgrades, campaigns, windows, the journal. It never repeats a call that failed and never reads a clock.

mod advanced_peers;
mod aggregates;
mod ask;
mod calls;
mod certificate;
mod client;
mod configuration;
mod crashes;
mod disk;
mod entitlement;
mod error;
mod facts;
mod features;
mod ha;
mod health;
mod https;
mod interfaces;
mod jobs;
mod link_changes;
mod lists;
mod load;
mod logs;
mod managed;
mod moment;
mod operation;
mod optics;
mod question;
mod receivers;
mod routing;
mod scheduled_jobs;
mod schedules;
#[cfg(test)]
mod scripted;
mod secret;
mod services;
mod software;
mod state_dump;
mod swm;
mod syslog;
mod system;
mod system_log;
mod transceivers;
mod transport;
mod trust;
mod uptime;
mod xml;

pub use calls::{NoConfiguration, whole_configuration};
pub use client::{Client, Now};
pub use error::{BusyCause, CallError, Class, Failure};
pub use https::{HttpsError, HttpsLimits, HttpsTransport};
pub use managed::{Managed, ManagedDevice};
pub use operation::{JobId, Operation};
pub use secret::{Credentials, Secret};
pub use transport::{Transport, TransportError, TransportErrorKind};
pub use trust::{Fingerprint, FingerprintError, Trust, TrustError};
