//! What each intervention does, at the present instant.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{ControlError, ControlReply, ControlRequest, SetFact, Whom};
use crate::device::{Counters, Device};
use crate::events::Occurrence;
use crate::fleet::Fleet;
use crate::jobs::after;
use crate::line::{Cut, Injection};
use crate::nearest::nearest;
use crate::operation::Operation;
use crate::pair::HaState;
use crate::spec::OpticSpec;
use crate::wording;

impl Fleet {
    /// Intervenes, at the present instant.
    ///
    /// # Errors
    /// When the device, the label, the operation or the port does not exist, the cage is empty, or the device has no HA.
    pub fn control(&self, request: ControlRequest) -> Result<ControlReply, ControlError> {
        let devices = match request.whom() {
            Some(whom) => self.those(&whom)?,
            None => Vec::new(),
        };
        match devices.as_slice() {
            [] => self.control_fleet(&request),
            [device] => self.control_device(device, request.clone())?,
            several => several
                .iter()
                .try_for_each(|device| self.control_device(device, request.clone()))?,
        }
        for device in &devices {
            self.announce(device);
        }
        let at = self.clock().now();
        let only = match devices.as_slice() {
            [device] => Some(device.as_str()),
            _ => None,
        };
        let request = Box::new(request);
        self.note(at, only, Occurrence::Control { request });
        Ok(ControlReply { devices, at })
    }

    /// The devices that are meant; at least one.
    fn those(&self, whom: &Whom) -> Result<Vec<String>, ControlError> {
        match whom {
            Whom::All => Ok(self.names().to_vec()),
            Whom::Device(device) if self.knows(device) => Ok(vec![device.clone()]),
            Whom::Device(device) => Err(ControlError::UnknownDevice {
                device: device.clone(),
                nearest: nearest(device, self.names().iter().map(String::as_str)),
            }),
            Whom::Label(label) => self.labelled(label),
        }
    }

    fn labelled(&self, label: &str) -> Result<Vec<String>, ControlError> {
        let mut known = BTreeSet::new();
        let mut found = Vec::new();
        for device in self.devices() {
            let labels = device.labels.iter().map(|(key, value)| format!("{key}={value}"));
            let before = found.len();
            for one in labels {
                if one == label && found.len() == before {
                    found.push(device.name.clone());
                }
                known.insert(one);
            }
        }
        if found.is_empty() {
            return Err(ControlError::UnknownLabel {
                label: label.to_owned(),
                nearest: nearest(label, known.iter().map(String::as_str)),
            });
        }
        Ok(found)
    }

    fn control_fleet(&self, request: &ControlRequest) {
        if let ControlRequest::JumpClock { seconds } = request {
            self.clock().jump(SignedDuration::from_secs(i64::from(*seconds)));
        }
    }

    fn control_device(&self, name: &str, request: ControlRequest) -> Result<(), ControlError> {
        match request {
            ControlRequest::SetOptics { optics, .. } => self.set_optics(name, optics)?,
            ControlRequest::InsertOptic { optic, .. } => self.insert_optic(name, optic)?,
            ControlRequest::PullOptic { slot, port, .. } => self.pull_optic(name, slot, port)?,
            ControlRequest::Inject {
                fault,
                lasts,
                operation,
                changing_only,
                ..
            } => {
                let injection = Injection::new(fault, lasts, operation, changing_only, self.now());
                self.inject(name, injection)?;
            }
            ControlRequest::Clear { .. } => {
                self.on_line(name, |line| line.clear());
                self.change(name, |device| device.rejects_logins = false);
            }
            ControlRequest::CutNetwork { how, seconds, .. } => self.cut_network(name, how, seconds),
            ControlRequest::HealNetwork { .. } => {
                self.on_line(name, |line| line.heal());
            }
            ControlRequest::SkewClock { seconds, .. } => self.change(name, |device| {
                device.clock_skew = SignedDuration::from_secs(i64::from(seconds));
            }),
            ControlRequest::SetFact { fact, .. } => self.change(name, |device| set_fact(device, &fact)),
            ControlRequest::ResetCounters { .. } => {
                self.change(name, |device| device.counters = Counters::default());
            }
            ControlRequest::RejectLogin { .. } => self.change(name, |device| device.rejects_logins = true),
            ControlRequest::FullDisk { full, .. } => self.fill_disk(name, full),
            ControlRequest::ChangeCertificate { .. } => self.change_certificate(name),
            ControlRequest::PowerCycle { .. } => {
                self.on_site(name, |world, site, index| site.power_cycle(world, index));
            }
            ControlRequest::SetConfiguration {
                pending_changes,
                config_locks,
                ..
            } => self.change(name, |device| {
                device.pending_changes = pending_changes;
                device.config_locks = config_locks;
            }),
            ControlRequest::SetHaState { state, reason, .. } => self.set_ha_state(name, state, &reason)?,
            // About no device in particular.
            ControlRequest::JumpClock { .. } => {}
        }
        Ok(())
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Device)) {
        self.on_site(name, |_, site, index| change(&mut site.devices[index]));
    }

    fn cut_network(&self, name: &str, how: Cut, seconds: Option<u32>) {
        let now = self.now();
        let until = seconds.map(|seconds| after(now, SignedDuration::from_secs(i64::from(seconds))));
        self.on_line(name, |line| line.cut(how, until));
    }

    fn set_optics(&self, name: &str, optics: Vec<OpticSpec>) -> Result<(), ControlError> {
        self.fits(name, &optics)?;
        self.change(name, |device| device.optics = optics);
        Ok(())
    }

    fn insert_optic(&self, name: &str, optic: OpticSpec) -> Result<(), ControlError> {
        self.fits(name, std::slice::from_ref(&optic))?;
        self.change(name, |device| {
            device
                .optics
                .retain(|there| (there.slot, there.port) != (optic.slot, optic.port));
            device.optics.push(optic);
            device.optics.sort_by_key(|optic| (optic.slot, optic.port));
        });
        Ok(())
    }

    fn pull_optic(&self, name: &str, slot: u16, port: u16) -> Result<(), ControlError> {
        let pulled = self.on_site(name, |_, site, index| {
            let optics = &mut site.devices[index].optics;
            let before = optics.len();
            optics.retain(|there| (there.slot, there.port) != (slot, port));
            optics.len() < before
        });
        if pulled == Some(true) {
            return Ok(());
        }
        Err(ControlError::NoOptic {
            device: name.to_owned(),
            slot,
            port,
        })
    }

    /// Whether every optic has a cage.
    fn fits(&self, name: &str, optics: &[OpticSpec]) -> Result<(), ControlError> {
        let ports = self.look(name, |site, index| site.devices[index].class.ports);
        let homeless = ports.and_then(|ports| {
            let cages = ports.copper + 1..=ports.copper + ports.cages;
            let mut optics = optics.iter();
            optics.find(|optic| optic.slot == 1 && !cages.contains(&optic.port))
        });
        match homeless {
            None => Ok(()),
            Some(optic) => Err(ControlError::NoCage {
                device: name.to_owned(),
                port: optic.port,
            }),
        }
    }

    fn inject(&self, device: &str, injection: Injection) -> Result<(), ControlError> {
        if let Some(operation) = &injection.operation
            && !Operation::names().any(|name| name == operation)
        {
            let mut known: Vec<&str> = Operation::names().collect();
            known.dedup();
            return Err(ControlError::UnknownOperation {
                device: device.to_owned(),
                operation: operation.clone(),
                nearest: nearest(operation, known.iter().copied()),
                known: known.join(", "),
            });
        }
        self.on_line(device, |line| line.inject(injection));
        Ok(())
    }

    fn fill_disk(&self, device: &str, full: bool) {
        self.on_site(device, |world, site, index| {
            let now = site.now();
            let device = &mut site.devices[index];
            device.images.fill(full);
            if full {
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

fn set_fact(device: &mut Device, fact: &SetFact) {
    match fact {
        SetFact::Content(content) => device.content = *content,
        SetFact::PanrepoFreeMb(megabytes) => device.images.leave_free(*megabytes),
        SetFact::ChassisReady(known) => device.chassis_ready_known = *known,
    }
}
