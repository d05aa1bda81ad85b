//! What a device is and what it holds: identity, images, content, licences, support, plugins.
//! Knows the shapes; must not know how they are read.

use std::collections::BTreeMap;

use hopgate_paths::Version;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

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

/// The rest of `show system info`: what does not decide a hop, and is worth comparing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The family: `800`, `vm`.
    pub family: Option<String>,
    /// The management address.
    pub address: Option<String>,
    /// The MAC address of the management interface.
    pub mac: Option<String>,
    /// `None`, `Valid`, `Expired`: the state of the device certificate, where the release has one.
    pub device_certificate: Option<String>,
    /// Whether the advanced routing engine is on; releases without one do not say.
    pub advanced_routing: Option<bool>,
    /// The memory that a virtual firewall was given, in MB.
    pub vm_memory_mb: Option<u64>,
    /// The licence a virtual firewall runs with: `VM-300`.
    pub vm_license: Option<String>,
    /// What the device says of the cloud it runs in: `non-cloud`, `cloud`.
    pub cloud_mode: Option<String>,
    /// Every installed package by the name the device gives it (`app-version`, `av-version`), as far as one is installed.
    pub packages: BTreeMap<String, String>,
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

/// The Applications and Threats packages a device knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The installed one, `8696-7977`; none where none is installed.
    pub installed: Option<String>,
    /// The newest that the device knows of. It learns of new ones when it asks the update server.
    pub latest: Option<String>,
    /// When it last asked, in its own words.
    pub refreshed: Option<String>,
    /// All of them, by number.
    pub packages: Vec<ContentPackage>,
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentPackage {
    /// `8696-7977`.
    pub version: String,
    /// Whether it is on disk.
    pub downloaded: bool,
    /// Whether it is the installed one.
    pub current: bool,
    /// Whether it is the one to go back to.
    pub previous: bool,
    /// When the vendor released it, in the device's words.
    pub released: Option<String>,
    /// Its size as it is downloaded, in MB; none where the device does not say.
    #[serde(default)]
    pub size_mb: Option<u64>,
}

/// One licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// What it is for: `Threat Prevention`.
    pub feature: String,
    /// More words on it.
    pub description: Option<String>,
    /// The serial number it was issued to.
    pub serial: Option<String>,
    /// When it was issued.
    pub issued: Option<Date>,
    /// Its last day; none where it never ends, and where the day cannot be read.
    pub expires: Option<Date>,
    /// Whether it never ends.
    pub perpetual: bool,
    /// Whether the device says that it has ended.
    pub expired: bool,
}

/// The support contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    /// Its last day; none where it never ends.
    pub expires: Option<Date>,
    /// `Premium`.
    pub level: Option<String>,
}

/// The vendor's update server, as the device sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateServer {
    /// Whether it answers. A device that cannot reach it gets its images by hand.
    pub reachable: bool,
}

/// One plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    /// `vm_series`, `dlp`.
    pub name: String,
    /// `2.0.6`; one name can be there with several versions.
    pub version: Option<String>,
    /// Whether this version is installed, where the device says.
    pub installed: Option<bool>,
    /// Whether it is on disk, where the device says.
    pub downloaded: Option<bool>,
}
