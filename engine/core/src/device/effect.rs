//! What a device may ask the shell to do: look, send one changing request, or wake it later.

use hopgate_paths::Version;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::Action;

/// One thing for the shell to perform. Every decision that is not terminal ends in exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Look at the device. Changes nothing on it.
    Observe(Probe),
    /// Send a changing request whose intent is durable.
    Send(Call),
    /// Give `Tick` at this instant.
    WakeAt(Timestamp),
}

/// A changing request, as intended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What.
    pub action: Action,
    /// Which attempt.
    pub attempt: u32,
}

/// A look at the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Read the facts that the before-checks need and evaluate them for this hop.
    Checks {
        /// The hop, from 0.
        hop: u32,
    },
    /// Export the configuration and store it, and the state that is compared after the hop.
    Backup,
    /// The software list (asked anew from the update server where `refresh`) and the jobs.
    Software {
        /// Whether the device asks its update server first.
        refresh: bool,
    },
    /// Partitions, running release and jobs.
    Staging,
    /// One job.
    Job(u32),
    /// HA of this member and of its peer.
    Ha,
    /// A restarting device.
    Boot {
        /// The release that is expected.
        expected: Version,
    },
    /// Identity, HA and the after-checks for this hop.
    After {
        /// The hop, from 0.
        hop: u32,
        /// The state before the hop, to compare with; nothing where none was stored.
        before: Option<String>,
    },
}
