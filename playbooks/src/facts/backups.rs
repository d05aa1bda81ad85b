//! The backups of a device's configuration that hopgate keeps: the one area that is not read from the device.
//! Knows the shapes; must not know where they are kept. A configuration holds secrets, and has no room in them.

use hopgate_paths::Version;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What hopgate keeps of a device's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backups {
    /// The newest backup; none where none is kept.
    pub newest: Option<Backup>,
}

/// One backup: the running configuration as the device exported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// When it was taken, to the second, by the clock of its campaign.
    pub taken_at: Timestamp,
    /// The release that the device ran then; none where the records do not tell.
    pub release: Option<Version>,
    /// The campaign that took it before a hop.
    pub campaign: String,
    /// Its size when it was taken.
    pub bytes: u64,
    /// Why it cannot be read as one whole configuration; none where it can.
    pub unreadable: Option<String>,
}
