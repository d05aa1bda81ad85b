//! PAN-OS as a service: calls to one firewall's XML API, and what their answers and failures mean.
//!
//! Responsible for: the [`Transport`] seam and HTTPS under it, trust in certificates, keys kept in memory, the XML of
//! requests and replies, and the one table that tells what may be done after a failure ([`CallError::class`]).
//! Must not know: upgrades, campaigns, windows, the journal. It never repeats a call and never reads a clock.

mod calls;
mod client;
mod disk;
mod error;
mod facts;
mod ha;
mod https;
mod jobs;
mod operation;
mod optics;
#[cfg(test)]
mod scripted;
mod secret;
mod software;
mod swm;
mod system;
mod transport;
mod trust;
mod uptime;
mod xml;

pub use client::Client;
pub use error::{BusyCause, CallError, Class, Failure};
pub use https::{HttpsError, HttpsLimits, HttpsTransport};
pub use operation::{JobId, Operation};
pub use secret::{Credentials, Secret};
pub use transport::{Transport, TransportError, TransportErrorKind};
pub use trust::{Fingerprint, FingerprintError, Trust, TrustError};
