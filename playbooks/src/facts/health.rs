//! How a device is: jobs, disks, memory, processors, sensors, processes, clocks, time servers.
//! Knows the shapes and units; must not know which numbers are bad.

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

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

/// Memory of the management plane, in whole MB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// All of it.
    pub total_mb: u64,
    /// What nothing uses.
    pub free_mb: u64,
    /// What programs use; buffers and caches do not count.
    pub used_mb: u64,
    /// Used of total, in percent, rounded down.
    pub used_percent: u64,
    /// Swap space.
    pub swap_total_mb: Option<u64>,
    /// Used swap space.
    pub swap_used_mb: Option<u64>,
}

/// Load of one management plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagementCpu {
    /// The slot: `s0`; a chassis has more than one.
    pub slot: String,
    /// The average of the last minute, in percent.
    pub one_minute_percent: u64,
}

/// Load of one dataplane over the last five minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataplaneCpu {
    /// `dp0`, `s1dp0`.
    pub dataplane: String,
    /// The average over all cores and the newest five minutes, in percent, rounded up.
    pub average_percent: u64,
    /// The highest average of one core over these minutes, in percent, rounded up.
    pub busiest_core_percent: u64,
    /// The average over all cores of the newest minute, of the newest two, and so on, as far as the device tells, up to an hour;
    /// in percent, rounded up.
    #[serde(default)]
    pub averages: Vec<u64>,
    /// The cores that say their load.
    pub cores: Vec<CoreLoad>,
}

/// Load of one core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreLoad {
    /// Its number.
    pub core: u32,
    /// The average of each of the newest five minutes, newest first, in percent.
    pub minutes: Vec<u64>,
}

/// One sensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensor {
    /// `thermal`, `fantray`, `fan`, `power`, `power-supply`.
    pub kind: String,
    /// The slot, as the device counts.
    pub slot: String,
    /// What it measures: `Temperature near CPU`.
    pub name: String,
    /// Whether it is in alarm.
    pub alarm: bool,
    /// What it reads, with its unit, where it says: `41.5 DegreesC`.
    pub reading: Option<String>,
}

/// One process or group of processes of `show system software status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The slot it runs in, on releases that say.
    pub slot: Option<String>,
    /// `Process` or `Group`.
    pub kind: String,
    /// `mgmtsrvr`.
    pub name: String,
    /// `running`, `stopped`.
    pub state: String,
}

/// The clocks of the management plane and of the dataplanes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// The management plane's.
    pub management: WallClock,
    /// The dataplanes'; none on a device that has no clock there.
    pub dataplanes: Vec<DataplaneClock>,
}

/// What a clock shows. Zones are abbreviations, which do not name an offset: only clocks of one zone can be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClock {
    /// Date and time of day.
    pub time: DateTime,
    /// `PDT`.
    pub zone: String,
}

/// One dataplane's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataplaneClock {
    /// `s3dp0`; `dp0` on a device that does not name it.
    pub dataplane: String,
    /// What it shows.
    pub clock: WallClock,
    /// How far it is from the management plane's, in seconds, either way; none where the zones differ. The two clocks
    /// are read by two requests, so some seconds mean nothing.
    pub apart_seconds: Option<u64>,
}

/// Time synchronisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ntp {
    /// The server in use; none where the device runs on its own clock.
    pub synchronised_to: Option<String>,
    /// The configured servers.
    pub servers: Vec<NtpServer>,
}

/// One time server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NtpServer {
    /// Its name or address.
    pub name: String,
    /// `synched`, `available`, `rejected`.
    pub status: String,
    /// Whether it answers, where the device says.
    pub reachable: Option<bool>,
}

/// A file that a process left behind when it crashed. It is identified by directory and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoreFile {
    /// `/var/cores/`.
    pub directory: String,
    /// `devsrvr_10.1.14_0.gz`.
    pub name: String,
    /// Its size as the device writes it: `128M`.
    pub size: String,
    /// When it was written, as the device writes it, by its clock: `Jun 2 10:11`.
    pub written: String,
}
