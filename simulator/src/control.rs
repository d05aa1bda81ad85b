//! What whoever runs the simulation may do to a device behind its API's back.
//!
//! The same requests come from library callers and, as JSON, from the control port.

use serde::{Deserialize, Serialize};

use crate::boot::MaintenanceExit;
use crate::config::Locks;
use crate::fault::library;
use crate::fleet::Fleet;
use crate::line::{Injection, NetworkFault};
use crate::operation::Operation;
use crate::pair::{HaLink, HaState};
use crate::software::Mount;
use crate::spec::{FaultSpec, OpticSpec};
use crate::wording;

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
    /// Makes the next requests to a device go wrong on the way.
    Inject {
        /// The device.
        device: String,
        /// How.
        fault: NetworkFault,
        /// How many requests.
        #[serde(default = "once")]
        requests: u32,
        /// Only requests for this operation, such as `install`.
        #[serde(default)]
        operation: Option<String>,
        /// Only requests that change the device.
        #[serde(default)]
        changing_only: bool,
    },
    /// Takes back injected faults and refused logins.
    Clear {
        /// The device.
        device: String,
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

fn once() -> u32 {
    1
}

fn yes() -> bool {
    true
}

/// An intervention was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlReply {
    /// The device it was made on.
    pub device: String,
    /// The simulated instant.
    pub at: jiff::Timestamp,
}

/// Why an intervention was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// No such device.
    #[error("control {device}: it is not a device of this fleet")]
    UnknownDevice {
        /// The name given.
        device: String,
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
    },
    /// The device is no member of a pair.
    #[error("control the HA of {device}: it has no HA")]
    NoHa {
        /// The device.
        device: String,
    },
    /// The library has no such rule, or, for a cure, the fleet and the device have none.
    #[error("afflict or cure {device}: no fault is called `{rule}`")]
    UnknownFault {
        /// The device.
        device: String,
        /// The name given.
        rule: String,
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
}

impl ControlRequest {
    /// The device it is about.
    pub fn device(&self) -> &str {
        match self {
            Self::SetOptics { device, .. }
            | Self::Inject { device, .. }
            | Self::Clear { device }
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
        }
    }
}

impl Fleet {
    /// Intervenes, at the present instant.
    ///
    /// # Errors
    /// When the device, the operation or the port does not exist, or the device has no HA.
    pub fn control(&self, request: ControlRequest) -> Result<ControlReply, ControlError> {
        let device = request.device().to_owned();
        if !self.knows(&device) {
            return Err(ControlError::UnknownDevice { device });
        }
        match request {
            ControlRequest::SetOptics { optics, .. } => self.set_optics(&device, optics)?,
            ControlRequest::Inject {
                fault,
                requests,
                operation,
                changing_only,
                ..
            } => {
                let injection = Injection {
                    fault,
                    requests,
                    operation,
                    changing_only,
                };
                self.inject(&device, injection)?;
            }
            ControlRequest::Clear { .. } => {
                self.on_line(&device, |line| line.clear());
                self.on_site(&device, |_, site, index| {
                    site.devices[index].rejects_logins = false
                });
            }
            ControlRequest::RejectLogin { .. } => {
                self.on_site(&device, |_, site, index| {
                    site.devices[index].rejects_logins = true
                });
            }
            ControlRequest::FullDisk { full, .. } => self.fill_disk(&device, Mount::Panrepo, full),
            ControlRequest::FullPartition { mount, full, .. } => self.fill_disk(&device, mount, full),
            ControlRequest::ChangeCertificate { .. } => self.change_certificate(&device),
            ControlRequest::PowerCycle { .. } => {
                self.on_site(&device, |world, site, index| site.power_cycle(world, index));
            }
            ControlRequest::SetConfiguration {
                pending_changes,
                config_locks,
                ..
            } => {
                self.on_site(&device, |_, site, index| {
                    let now = site.now();
                    let device = &mut site.devices[index];
                    device.pending_changes = pending_changes;
                    device.config_locks = Locks::of(&config_locks, now);
                });
            }
            ControlRequest::SetHaState { state, reason, .. } => self.set_ha_state(&device, state, &reason)?,
            ControlRequest::Afflict { fault, .. } => self.afflict(&device, &fault)?,
            ControlRequest::Cure { rule, .. } => {
                let cured = self.on_site(&device, |world, site, index| {
                    site.cure(world, index, rule.as_deref())
                });
                if let (Some(false), Some(rule)) = (cured, rule) {
                    return Err(ControlError::UnknownFault { device, rule });
                }
            }
            ControlRequest::CutHa { link, cut, .. } => {
                let done = self.on_site(&device, |world, site, _| site.cut_ha(world, link, cut));
                if done != Some(true) {
                    return Err(ControlError::NoHa { device });
                }
            }
            ControlRequest::LeaveMaintenance { exit, .. } => {
                let left = self.on_site(&device, |world, site, index| {
                    site.leave_maintenance(world, index, exit)
                });
                if left != Some(true) {
                    return Err(ControlError::NoMaintenance { device });
                }
            }
        }
        // HA follows whatever changed.
        self.on_site(&device, |world, site, _| site.settle(world));
        self.announce(&device);
        Ok(ControlReply {
            device,
            at: self.clock().now(),
        })
    }

    fn set_optics(&self, name: &str, optics: Vec<OpticSpec>) -> Result<(), ControlError> {
        let refused = self.on_site(name, |world, site, index| {
            let now = site.now();
            let device = &mut site.devices[index];
            let ports = device.class.ports;
            let cages = ports.copper + 1..=ports.copper + ports.cages;
            match optics
                .iter()
                .find(|optic| optic.slot == 1 && !cages.contains(&optic.port))
            {
                Some(optic) => Some(optic.port),
                None => {
                    device.optics = optics;
                    device.read_returns(world, now);
                    None
                }
            }
        });
        match refused.flatten() {
            Some(port) => Err(ControlError::NoCage {
                device: name.to_owned(),
                port,
            }),
            None => Ok(()),
        }
    }

    fn inject(&self, device: &str, injection: Injection) -> Result<(), ControlError> {
        if let Some(operation) = &injection.operation
            && !Operation::names().any(|name| name == operation)
        {
            let mut known: Vec<&str> = Operation::names().collect();
            known.dedup();
            let (device, operation) = (device.to_owned(), operation.clone());
            return Err(ControlError::UnknownOperation {
                device,
                operation,
                known: known.join(", "),
            });
        }
        self.on_line(device, |line| line.inject(injection));
        Ok(())
    }

    fn afflict(&self, name: &str, fault: &FaultSpec) -> Result<(), ControlError> {
        // The embedded library has been read when the fleet was built.
        let library = library().unwrap_or_default();
        let Some(rule) = fault.rule(&library) else {
            let rule = fault.name().to_owned();
            let device = name.to_owned();
            return Err(ControlError::UnknownFault { device, rule });
        };
        self.on_site(name, |world, site, index| site.afflict(world, index, rule));
        Ok(())
    }

    fn fill_disk(&self, device: &str, mount: Mount, full: bool) {
        self.on_site(device, |world, site, index| {
            let now = site.now();
            let device = &mut site.devices[index];
            device.fill(mount, full);
            if full && mount == Mount::Panrepo {
                device.jobs.break_download(now, wording::no_space);
            }
            site.advance(world, now);
        });
    }

    fn set_ha_state(&self, device: &str, state: HaState, reason: &str) -> Result<(), ControlError> {
        let done = self.on_site(device, |world, site, index| {
            site.force_ha(world, index, state, reason)
        });
        if done == Some(true) {
            Ok(())
        } else {
            Err(ControlError::NoHa {
                device: device.to_owned(),
            })
        }
    }
}
