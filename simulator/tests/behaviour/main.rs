//! The simulator as a client sees it: every test asks over the API and looks at nothing inside.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as expected"
)]

mod certificates;
mod configuration;
mod fuzz;
mod https;
mod jobs;
mod network;
mod operations;
mod pairs;
mod panorama;
mod probe;
mod reboots;
mod replies;
mod returns;
mod roles;
mod sequences;
mod setup;
mod transfer;
