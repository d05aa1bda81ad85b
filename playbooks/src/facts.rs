//! Facts: a typed snapshot of one device, area by area, each either known or unknown with a reason.
//!
//! Responsible for: the shapes, which are stored, shown to people, and visible to checks under exactly these names.
//! Must not know: how they are read, or what anybody concludes from them.

use std::fmt;

use hopgate_paths::Version;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something read from a device, or why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// It was read.
    Known(T),
    /// It was not, for this reason. Never the same as an empty value.
    Unknown(String),
}

impl<T> Fact<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The reason, where it is not.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(reason) => Some(reason),
        }
    }
}

/// What is known of one device at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The device's name in the inventory.
    pub device: String,
    /// When the reading began.
    pub read_at: Timestamp,
    /// What `show system info` says.
    pub system: Fact<System>,
    /// The software list.
    pub software: Fact<Vec<Image>>,
    /// The jobs the device remembers; about the last 29.
    pub jobs: Fact<Vec<Job>>,
    /// High availability.
    pub ha: Fact<Ha>,
    /// Mounted file systems.
    pub disks: Fact<Vec<Disk>>,
    /// What the software manager says of the partitions.
    pub partitions: Fact<Vec<Partition>>,
    /// Whether the candidate configuration holds changes that were not committed.
    pub pending_changes: Fact<bool>,
    /// The ports and the modules in them.
    pub optics: Fact<Vec<Optic>>,
    /// Configuration and commit locks, each as the device describes it.
    pub locks: Fact<Vec<String>>,
}

impl Facts {
    /// Facts of a device that was not asked anything yet.
    pub fn unread(device: impl Into<String>, at: Timestamp) -> Self {
        Self {
            device: device.into(),
            read_at: at,
            system: not_asked(),
            software: not_asked(),
            jobs: not_asked(),
            ha: not_asked(),
            disks: not_asked(),
            partitions: not_asked(),
            pending_changes: not_asked(),
            optics: not_asked(),
            locks: not_asked(),
        }
    }

    /// Why an area is unknown, if it is.
    pub fn unknown(&self, area: FactArea) -> Option<&str> {
        match area {
            FactArea::System => self.system.unknown(),
            FactArea::Software => self.software.unknown(),
            FactArea::Jobs => self.jobs.unknown(),
            FactArea::Ha => self.ha.unknown(),
            FactArea::Disks => self.disks.unknown(),
            FactArea::Partitions => self.partitions.unknown(),
            FactArea::PendingChanges => self.pending_changes.unknown(),
            FactArea::Optics => self.optics.unknown(),
            FactArea::Locks => self.locks.unknown(),
        }
    }
}

fn not_asked<T>() -> Fact<T> {
    Fact::Unknown("not asked".to_owned())
}

/// A part of the facts that is read, known and unknown as a whole. Named as the field of [`Facts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactArea {
    /// [`Facts::system`].
    System,
    /// [`Facts::software`].
    Software,
    /// [`Facts::jobs`].
    Jobs,
    /// [`Facts::ha`].
    Ha,
    /// [`Facts::disks`].
    Disks,
    /// [`Facts::partitions`].
    Partitions,
    /// [`Facts::pending_changes`].
    PendingChanges,
    /// [`Facts::optics`].
    Optics,
    /// [`Facts::locks`].
    Locks,
}

impl FactArea {
    /// Every area, in the order of the fields.
    pub const ALL: [Self; 9] = [
        Self::System,
        Self::Software,
        Self::Jobs,
        Self::Ha,
        Self::Disks,
        Self::Partitions,
        Self::PendingChanges,
        Self::Optics,
        Self::Locks,
    ];

    /// The name of the field, and of the variable a check sees.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Software => "software",
            Self::Jobs => "jobs",
            Self::Ha => "ha",
            Self::Disks => "disks",
            Self::Partitions => "partitions",
            Self::PendingChanges => "pending_changes",
            Self::Optics => "optics",
            Self::Locks => "locks",
        }
    }
}

impl fmt::Display for FactArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What `show system info` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// The configured name.
    pub hostname: String,
    /// `PA-850`, `PA-VM`.
    pub model: String,
    /// The serial number.
    pub serial: String,
    /// The running release.
    pub sw_version: Version,
    /// The installed Applications and Threats content, `8676-7858`; empty where none is installed.
    pub app_version: String,
    /// Seconds since the last boot.
    pub uptime_seconds: u64,
    /// `normal` or `FIPS-CC`, where the device says.
    pub operational_mode: Option<String>,
    /// Whether it runs several virtual systems.
    pub multi_vsys: bool,
}

/// One line of the software list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The release.
    pub version: Version,
    /// The size of the image in MB, where the list says.
    pub size_mb: Option<u64>,
    /// Whether the image is on disk.
    pub downloaded: bool,
    /// Whether it is the running one.
    pub current: bool,
    /// `Base`, `Preferred` or empty, on releases that tell.
    pub release_type: Option<String>,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number; entries of failed jobs may have none. Numbers start over at every boot.
    pub id: Option<u32>,
    /// `AutoCom`, `Commit`, `SWInstall`, `Downld`.
    pub kind: String,
    /// `PEND`, `ACT` or `FIN`.
    pub status: String,
    /// `PEND`, `OK` or `FAIL`.
    pub result: String,
    /// Percent, while it runs. It can go down.
    pub progress: Option<u8>,
    /// What it has to say.
    pub details: Vec<String>,
}

/// High availability as one member sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ha {
    /// Whether it is on at all.
    pub enabled: bool,
    /// `Active-Passive` or `Active-Active`.
    pub mode: Option<String>,
    /// The device itself.
    pub local: HaMember,
    /// Its peer, where it knows one.
    pub peer: Option<HaMember>,
    /// `synchronized`, where the members' configurations agree.
    pub running_sync: Option<String>,
    /// Whether configurations are kept in step at all.
    pub running_sync_enabled: bool,
    /// Whether a member takes the active role back when it returns.
    pub preemptive: bool,
}

/// One member of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaMember {
    /// `active`, `passive`, `suspended`, `initial`, `tentative`, `non-functional`.
    pub state: String,
    /// Why it is in that state, where it says.
    pub reason: Option<String>,
    /// The release it runs, as HA reports it.
    pub build: Option<String>,
    /// `Complete`, once sessions are in step.
    pub state_sync: Option<String>,
    /// Its management address.
    pub address: Option<String>,
}

/// One mounted file system, in whole MB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Its size.
    pub size_mb: u64,
    /// What is free.
    pub available_mb: u64,
}

/// One partition of the software manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// `sysroot0`, `sysroot1`, `maint`.
    pub name: String,
    /// `RUNNING-ACTIVE`, `PENDING-CHANGE`, `REVERTABLE`, `READY`, `EMPTY`.
    pub state: String,
    /// The release on it, if any.
    pub version: Option<Version>,
}

/// One port and the module in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Optic {
    /// The slot, 1 on a box without slots.
    pub slot: u32,
    /// The port in the slot.
    pub port: u32,
    /// `ethernet1/5`.
    pub interface: String,
    /// What the port says is in it: `SFP-Plus-Fiber`, `SFP-Empty`, `CAT5`.
    pub media: String,
    /// The vendor the module names. No proof of anything: genuine modules name their makers, clones write what they like.
    pub vendor: Option<String>,
    /// The part number the module names.
    pub part: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// What to think of it.
    pub class: OpticClass,
}

/// What to think of what is in a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpticClass {
    /// Nothing is in the cage.
    Empty,
    /// A fixed copper port: it takes no module.
    Fixed,
    /// A part on the allowlist.
    Allowed,
    /// A part known to do harm.
    KnownBad,
    /// A part nobody vouches for.
    UnknownVendor,
    /// There is a module, and it does not say what it is.
    Unreadable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_facts_are_unknown_in_every_area_under_the_fields_names() {
        let facts = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
        let stored = serde_json::to_value(&facts).unwrap();
        for area in FactArea::ALL {
            assert_eq!(stored[area.name()]["unknown"], "not asked", "{area}");
            assert_eq!(serde_json::to_value(area).unwrap(), area.name());
            assert_eq!(facts.unknown(area), Some("not asked"));
        }
        assert_eq!(stored.as_object().unwrap().len(), FactArea::ALL.len() + 2);
        assert_eq!(serde_json::from_value::<Facts>(stored).unwrap(), facts);
    }

    #[test]
    fn a_known_fact_is_not_an_empty_one() {
        let known = Fact::Known(Vec::<String>::new());
        assert_eq!((known.known(), known.unknown()), (Some(&Vec::new()), None));
        assert_eq!(serde_json::to_string(&known).unwrap(), r#"{"known":[]}"#);
    }
}
