//! What whoever runs the simulation may do to a device behind its API's back.
//!
//! The same requests come from library callers and, as JSON, from the control port. What each does is in `effects.rs`.

use serde::{Deserialize, Serialize};

use crate::boot::MaintenanceExit;
use crate::line::{Cut, Lasts, NetworkFault};
use crate::nearest;
use crate::pair::{HaLink, HaState};
use crate::software::Mount;
use crate::spec::{ContentVersion, FaultSpec, OpticSpec};

mod effects;

/// One intervention. As JSON: `{"power_cycle": {"device": "fw1"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ControlRequest {
    /// Replaces all optics of a device.
    SetOptics {
        /// The device.
        device: String,
        /// What is in its cages from now on.
        optics: Vec<OpticSpec>,
    },
    /// Puts an optic into a cage, in place of one that is there.
    InsertOptic {
        /// The device.
        device: String,
        /// The optic.
        optic: OpticSpec,
    },
    /// Takes an optic out of its cage.
    PullOptic {
        /// The device.
        device: String,
        /// Its slot; 1 but on a chassis.
        #[serde(default = "first_slot")]
        slot: u16,
        /// Its port.
        port: u16,
    },
    /// Makes requests to a device go wrong on the way.
    Inject {
        /// The device.
        device: String,
        /// How.
        fault: NetworkFault,
        /// How long; one request where it is left out.
        #[serde(default)]
        lasts: Lasts,
        /// Only requests for this operation, such as `install`.
        #[serde(default)]
        operation: Option<String>,
        /// Only requests that change the device.
        #[serde(default)]
        changing_only: bool,
    },
    /// Takes back injected faults, a cut network and refused logins.
    Clear {
        /// The device.
        device: String,
    },
    /// Cuts the management network to devices.
    CutNetwork {
        /// Which devices.
        whom: Whom,
        /// What their clients meet.
        #[serde(default)]
        how: Cut,
        /// After how many simulated seconds it heals by itself; never, where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u32>,
    },
    /// Mends the management network to devices.
    HealNetwork {
        /// Which devices.
        whom: Whom,
    },
    /// Sets a device's clock wrong: what it shows is so far from the true time.
    SkewClock {
        /// The device.
        device: String,
        /// Seconds ahead; behind where negative; right again at 0.
        seconds: i32,
    },
    /// Lets time jump forward for the whole fleet.
    JumpClock {
        /// Simulated seconds.
        seconds: u32,
    },
    /// Makes a fact about a device another one, as if it always had been.
    SetFact {
        /// The device.
        device: String,
        /// The fact.
        fact: SetFact,
    },
    /// Counts from nothing again.
    ResetCounters {
        /// Which devices.
        whom: Whom,
    },
    /// Refuses every key and password, until cleared.
    RejectLogin {
        /// The device.
        device: String,
    },
    /// Fills `/opt/panrepo`, or frees it; a download that is running fails.
    FullDisk {
        /// The device.
        device: String,
        /// Whether it is to be full.
        #[serde(default = "yes")]
        full: bool,
    },
    /// Gives the device another certificate. Only HTTPS shows one.
    ChangeCertificate {
        /// The device.
        device: String,
    },
    /// Pulls the plug and puts it back.
    PowerCycle {
        /// The device.
        device: String,
    },
    /// Somebody edits, commits, locks or unlocks the configuration.
    SetConfiguration {
        /// The device.
        device: String,
        /// Whether there are uncommitted changes from now on.
        #[serde(default)]
        pending_changes: bool,
        /// Administrators who hold a configuration lock from now on.
        #[serde(default)]
        config_locks: Vec<String>,
    },
    /// Puts a member of a pair into an HA state, as a fault would.
    SetHaState {
        /// The device.
        device: String,
        /// The state.
        state: HaState,
        /// The reason the device gives.
        #[serde(default)]
        reason: String,
    },
    /// Fills any partition, or frees it.
    FullPartition {
        /// The device.
        device: String,
        /// Which one.
        mount: Mount,
        /// Whether it is to be full.
        #[serde(default = "yes")]
        full: bool,
    },
    /// Makes a device suffer from another fault, of the library by its name or written out.
    Afflict {
        /// The device.
        device: String,
        /// The fault.
        fault: Box<FaultSpec>,
    },
    /// Ends a fault on a device, whatever its own cure is, and lets what it held go on.
    Cure {
        /// The device.
        device: String,
        /// Name of the rule; absent ends all that apply.
        #[serde(default)]
        rule: Option<String>,
    },
    /// Cuts a link of the pair that a device belongs to, or heals it.
    CutHa {
        /// Either member.
        device: String,
        /// Which link.
        link: HaLink,
        /// Whether it is to be cut.
        #[serde(default = "yes")]
        cut: bool,
    },
    /// Somebody goes to the console of a device in maintenance mode.
    LeaveMaintenance {
        /// The device.
        device: String,
        /// What is done there.
        exit: MaintenanceExit,
    },
}

/// Which devices a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// This one.
    Device(String),
    /// All with this label, `key=value`.
    Label(String),
    /// Every one.
    All,
}

/// A fact that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetFact {
    /// The Applications and Threats content that is installed.
    Content(ContentVersion),
    /// Free megabytes on `/opt/panrepo`; as many as fit beside the images.
    PanrepoFreeMb(u64),
    /// Whether `show chassis-ready` exists.
    ChassisReady(bool),
}

fn first_slot() -> u16 {
    1
}

fn yes() -> bool {
    true
}

/// An intervention was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlReply {
    /// The devices it was made on.
    pub devices: Vec<String>,
    /// The simulated instant.
    pub at: jiff::Timestamp,
}

/// Why an intervention was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No such device.
    #[error(
        "control {device}: it is not a device of this fleet{}",
        nearest::shown(nearest)
    )]
    UnknownDevice {
        /// The name given.
        device: String,
        /// The name that may have been meant.
        nearest: Option<String>,
    },
    /// No device has such a label.
    #[error(
        "control devices with {label}: no device has this label{}",
        nearest::shown(nearest)
    )]
    UnknownLabel {
        /// The label given.
        label: String,
        /// The label that may have been meant.
        nearest: Option<String>,
    },
    /// No such operation.
    #[error("inject a fault into {device}: `{operation}` is no operation; there are {known}")]
    UnknownOperation {
        /// The device.
        device: String,
        /// The name given.
        operation: String,
        /// All names.
        known: String,
        /// The name that may have been meant.
        nearest: Option<String>,
    },
    /// The device is no member of a pair.
    #[error("control the HA of {device}: it has no HA")]
    NoHa {
        /// The device.
        device: String,
    },
    /// The library has no such rule, or, for a cure, the fleet and the device have none.
    #[error(
        "afflict or cure {device}: no fault is called `{rule}`{}",
        nearest::shown(nearest)
    )]
    UnknownFault {
        /// The device.
        device: String,
        /// The name given.
        rule: String,
        /// The name that may have been meant.
        nearest: Option<String>,
    },
    /// Maintenance mode cannot be left like that.
    #[error("leave maintenance mode of {device}: it is not in it, or has no system to revert to")]
    NoMaintenance {
        /// The device.
        device: String,
    },
    /// A port that takes no optic.
    #[error("set the optics of {device}: port {port} is no cage")]
    NoCage {
        /// The device.
        device: String,
        /// The port.
        port: u16,
    },
    /// A cage that is empty.
    #[error("pull an optic from {device}: port {port} of slot {slot} holds none")]
    NoOptic {
        /// The device.
        device: String,
        /// The slot.
        slot: u16,
        /// The port.
        port: u16,
    },
}

impl ControlError {
    /// The name that may have been meant, where one was wrong and there is one like it.
    pub fn nearest(&self) -> Option<&str> {
        match self {
            Self::UnknownDevice { nearest, .. }
            | Self::UnknownLabel { nearest, .. }
            | Self::UnknownOperation { nearest, .. }
            | Self::UnknownFault { nearest, .. } => nearest.as_deref(),
            Self::NoHa { .. } | Self::NoMaintenance { .. } | Self::NoCage { .. } | Self::NoOptic { .. } => {
                None
            }
        }
    }
}

impl ControlRequest {
    /// The devices it is about; `None` where it is about the fleet.
    pub(crate) fn whom(&self) -> Option<Whom> {
        let device = match self {
            Self::CutNetwork { whom, .. } | Self::HealNetwork { whom } | Self::ResetCounters { whom } => {
                return Some(whom.clone());
            }
            Self::JumpClock { .. } => return None,
            Self::SetOptics { device, .. }
            | Self::InsertOptic { device, .. }
            | Self::PullOptic { device, .. }
            | Self::Inject { device, .. }
            | Self::Clear { device }
            | Self::SkewClock { device, .. }
            | Self::SetFact { device, .. }
            | Self::RejectLogin { device }
            | Self::FullDisk { device, .. }
            | Self::ChangeCertificate { device }
            | Self::PowerCycle { device }
            | Self::SetConfiguration { device, .. }
            | Self::SetHaState { device, .. }
            | Self::FullPartition { device, .. }
            | Self::Afflict { device, .. }
            | Self::Cure { device, .. }
            | Self::CutHa { device, .. }
            | Self::LeaveMaintenance { device, .. } => device,
        };
        Some(Whom::Device(device.clone()))
    }
}
