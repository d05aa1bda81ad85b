//! The simulator as a client sees it: every test asks over the API and looks at nothing inside.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as expected"
)]

mod control_port;
mod https;
mod jobs;
mod network;
mod pairs;
mod probe;
mod reboots;
mod replies;
mod scale;
mod sequences;
mod sockets;
mod time;
