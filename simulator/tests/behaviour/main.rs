//! The simulator as a client sees it: every test asks over the API and looks at nothing inside.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as expected"
)]

mod active_active;
mod certificates;
mod configuration;
mod control_port;
mod faults;
mod faults_boot;
mod faults_commit;
mod faults_pairs;
mod faults_services;
mod faults_software;
mod fuzz;
mod https;
mod jobs;
mod logs;
mod network;
mod operations;
mod pairs;
mod panorama;
mod probe;
mod properties;
mod reboots;
mod replies;
mod returns;
mod roles;
mod scale;
mod sequences;
mod setup;
mod sockets;
mod time;
mod transfer;
mod watch;
