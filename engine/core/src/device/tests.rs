//! Tests of the device machine, driven synchronously against a scripted firewall.

mod any;
mod crashes;
mod halts;
mod hops;
mod resting;
mod scripted;
mod table;
pub(crate) mod words;
