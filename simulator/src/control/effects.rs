//! What each intervention does, at the present instant.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{ControlError, ControlReply, ControlRequest, SetFact, Whom};
use crate::boot::MaintenanceExit;
use crate::config::Locks;
use crate::device::{Counters, Device};
use crate::events::Occurrence;
use crate::fault::library;
use crate::fleet::Fleet;
use crate::jobs::after;
use crate::line::{Cut, Injection};
use crate::nearest::nearest;
use crate::operation::Operation;
use crate::pair::{HaLink, HaState};
use crate::software::Mount;
use crate::spec::{FaultSpec, OpticSpec};
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
        for device in self.devices().into_iter().chain(self.panoramas()) {
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
            ControlRequest::SetFact { fact, .. } => self.refit(name, |device| set_fact(device, &fact)),
            ControlRequest::ResetCounters { .. } => {
                self.change(name, |device| device.counters = Counters::default());
            }
            ControlRequest::RejectLogin { .. } => self.change(name, |device| device.rejects_logins = true),
            ControlRequest::FullDisk { full, .. } => self.fill_disk(name, Mount::Panrepo, full),
            ControlRequest::FullPartition { mount, full, .. } => self.fill_disk(name, mount, full),
            ControlRequest::ChangeCertificate { .. } => self.change_certificate(name),
            ControlRequest::PowerCycle { .. } => {
                self.on_site(name, |world, site, index| site.power_cycle(world, index));
            }
            ControlRequest::SetConfiguration {
                pending_changes,
                config_locks,
                ..
            } => self.set_configuration(name, pending_changes, &config_locks),
            ControlRequest::SetHaState { state, reason, .. } => self.set_ha_state(name, state, &reason)?,
            ControlRequest::Afflict { fault, .. } => self.afflict(name, &fault)?,
            ControlRequest::Cure { rule, .. } => self.cure(name, rule.as_deref())?,
            ControlRequest::CutHa { link, cut, .. } => self.cut_ha(name, link, cut)?,
            ControlRequest::LeaveMaintenance { exit, .. } => self.leave_maintenance(name, exit)?,
            // About no device in particular.
            ControlRequest::JumpClock { .. } => {}
        }
        // HA follows whatever changed.
        self.on_site(name, |world, site, _| site.settle(world));
        Ok(())
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Device)) {
        self.on_site(name, |_, site, index| change(&mut site.devices[index]));
    }

    /// A change that faults may hang on.
    fn refit(&self, name: &str, change: impl FnOnce(&mut Device)) {
        self.on_site(name, |world, site, index| {
            let now = site.now();
            change(&mut site.devices[index]);
            site.devices[index].read_returns(world, now);
        });
    }

    fn set_configuration(&self, name: &str, pending_changes: bool, holders: &[String]) {
        self.on_site(name, |_, site, index| {
            let now = site.now();
            let device = &mut site.devices[index];
            device.pending_changes = pending_changes;
            device.config_locks = Locks::of(holders, now);
        });
    }

    fn cut_network(&self, name: &str, how: Cut, seconds: Option<u32>) {
        let now = self.now();
        let until = seconds.map(|seconds| after(now, SignedDuration::from_secs(i64::from(seconds))));
        self.on_line(name, |line| line.cut(how, until));
    }

    fn set_optics(&self, name: &str, optics: Vec<OpticSpec>) -> Result<(), ControlError> {
        self.fits(name, &optics)?;
        self.refit(name, |device| device.optics = optics);
        Ok(())
    }

    fn insert_optic(&self, name: &str, optic: OpticSpec) -> Result<(), ControlError> {
        self.fits(name, std::slice::from_ref(&optic))?;
        self.refit(name, |device| {
            device
                .optics
                .retain(|there| (there.slot, there.port) != (optic.slot, optic.port));
            device.optics.push(optic);
            device.optics.sort_by_key(|optic| (optic.slot, optic.port));
        });
        Ok(())
    }

    fn pull_optic(&self, name: &str, slot: u16, port: u16) -> Result<(), ControlError> {
        let mut pulled = false;
        self.refit(name, |device| {
            let before = device.optics.len();
            device
                .optics
                .retain(|there| (there.slot, there.port) != (slot, port));
            pulled = device.optics.len() < before;
        });
        if pulled {
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

    fn afflict(&self, name: &str, fault: &FaultSpec) -> Result<(), ControlError> {
        // The embedded library has been read when the fleet was built.
        let library = library().unwrap_or_default();
        match fault.rule(&library) {
            Some(rule) => {
                self.on_site(name, |world, site, index| site.afflict(world, index, rule));
                Ok(())
            }
            None => Err(unknown_fault(
                name,
                fault.name(),
                library.iter().map(|rule| rule.id.as_str()),
            )),
        }
    }

    fn cure(&self, name: &str, rule: Option<&str>) -> Result<(), ControlError> {
        let cured = self.on_site(name, |world, site, index| site.cure(world, index, rule));
        match rule {
            Some(rule) if cured == Some(false) => {
                let suffered = self.state(name).map(|state| state.faults).unwrap_or_default();
                Err(unknown_fault(name, rule, suffered.iter().map(String::as_str)))
            }
            _ => Ok(()),
        }
    }

    fn cut_ha(&self, name: &str, link: HaLink, cut: bool) -> Result<(), ControlError> {
        let done = self.on_site(name, |world, site, _| site.cut_ha(world, link, cut));
        has_ha(name, done)
    }

    fn leave_maintenance(&self, name: &str, exit: MaintenanceExit) -> Result<(), ControlError> {
        let left = self.on_site(name, |world, site, index| {
            site.leave_maintenance(world, index, exit)
        });
        if left == Some(true) {
            return Ok(());
        }
        let device = name.to_owned();
        Err(ControlError::NoMaintenance { device })
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
        has_ha(device, done)
    }
}

/// What was done to the HA of a device was done if it has any.
fn has_ha(device: &str, done: Option<bool>) -> Result<(), ControlError> {
    if done == Some(true) {
        return Ok(());
    }
    let device = device.to_owned();
    Err(ControlError::NoHa { device })
}

fn unknown_fault<'a>(device: &str, rule: &str, known: impl Iterator<Item = &'a str>) -> ControlError {
    ControlError::UnknownFault {
        device: device.to_owned(),
        rule: rule.to_owned(),
        nearest: nearest(rule, known),
    }
}

fn set_fact(device: &mut Device, fact: &SetFact) {
    match fact {
        SetFact::Content(content) => device.content = *content,
        SetFact::PanrepoFreeMb(megabytes) => device.images.leave_free(*megabytes),
        SetFact::ChassisReady(known) => device.chassis_ready_known = *known,
    }
}
