//! From what an audit read, or from its report as JSON, to the document that the simulator makes a twin of.
//!
//! A fact that could not be read is left out: the simulator then draws what is missing. Decides nothing.

use std::collections::BTreeMap;

use hopgate_paths::OpticClass;
use hopgate_playbooks::{Disk, FactArea, Facts, Ha};
use jiff::Timestamp;
use panos_simulator::{OpticSpec, Twin, TwinDevice, TwinHa};
use serde::Deserialize;

use crate::audit::Audited;
use crate::config::inventory::Inventory;

/// What is read of a device for its twin, beside what playbooks ask.
pub const AREAS: [FactArea; 7] = [
    FactArea::System,
    FactArea::Software,
    FactArea::Ha,
    FactArea::Disks,
    FactArea::PendingChanges,
    FactArea::Optics,
    FactArea::Locks,
];

/// Where PAN-OS keeps its images.
const IMAGES: &str = "/opt/panrepo";

/// The twin of an estate that was audited.
pub fn twin(inventory: &Inventory, audited: &[Audited], read_at: Timestamp) -> Twin {
    let read: BTreeMap<&str, &Audited> = audited.iter().map(|one| (one.device.as_str(), one)).collect();
    let devices = inventory.devices.iter();
    Twin {
        read_at,
        devices: devices
            .filter_map(|entry| {
                let facts = read.get(entry.name.as_str())?.facts.as_deref()?;
                let peer = entry.peer.as_ref().map(|peer| peer.as_str());
                Some(device(entry.name.as_str(), &entry.labels, peer, facts))
            })
            .collect(),
    }
}

/// As much of an audit's report as a twin is made from.
#[derive(Deserialize)]
struct Report {
    began: Timestamp,
    devices: Vec<Reported>,
}

#[derive(Deserialize)]
struct Reported {
    device: String,
    labels: BTreeMap<String, String>,
    facts: Option<Facts>,
}

/// The twin of the estate in a report that `hopgate audit --json` wrote; nothing where the text is no such report.
///
/// A report does not name peers: a member's peer is the device that has the address the member gives for it.
pub fn of_report(text: &str) -> Option<Twin> {
    let report: Report = serde_json::from_str(text).ok()?;
    let addresses: BTreeMap<&str, &str> = report
        .devices
        .iter()
        .filter_map(|one| Some((ha_of(one)?.local.address.as_deref()?, one.device.as_str())))
        .collect();
    let devices = report.devices.iter().filter_map(|one| {
        let address = ha_of(one).and_then(|ha| ha.peer.as_ref()?.address.as_deref());
        let peer = address.and_then(|address| addresses.get(address).copied());
        Some(device(&one.device, &one.labels, peer, one.facts.as_ref()?))
    });
    Some(Twin {
        read_at: report.began,
        devices: devices.collect(),
    })
}

fn ha_of(reported: &Reported) -> Option<&Ha> {
    let ha = reported.facts.as_ref()?.ha.known()?;
    ha.enabled.then_some(ha)
}

fn device(name: &str, labels: &BTreeMap<String, String>, peer: Option<&str>, facts: &Facts) -> TwinDevice {
    let system = facts.system.known();
    let disks = facts.disks.known();
    let repository = disks.and_then(|disks| disks.iter().find(|disk: &&Disk| disk.mount == IMAGES));
    let images = facts.software.known().into_iter().flatten();
    let images = images.filter(|image| image.downloaded && !image.current);
    let ha = facts.ha.known().filter(|ha| ha.enabled);
    TwinDevice {
        name: name.to_owned(),
        labels: labels.clone(),
        model: system.map(|system| system.model.clone()),
        version: system.map(|system| system.sw_version.to_string()),
        serial: system.map(|system| system.serial.clone()),
        content: system.and_then(|system| Some(system.app_version.clone()).filter(|text| !text.is_empty())),
        address: None,
        ha: ha.zip(peer).map(|(ha, peer)| TwinHa {
            peer: peer.to_string(),
            state: ha.local.state.clone(),
            reason: ha.local.reason.clone().filter(|reason| !reason.is_empty()),
            // Not known to be off: a rehearsal meets the worse of the two.
            preemptive: ha.preemptive != Some(false),
        }),
        optics: optics(facts),
        panrepo_free_mb: repository.map(|disk| disk.available_mb),
        images: images.map(|image| image.version.to_string()).collect(),
        pending_changes: facts.pending_changes.known().copied().unwrap_or(false),
        config_locks: facts
            .locks
            .known()
            .into_iter()
            .flatten()
            .filter_map(|lock| holder(lock))
            .collect(),
    }
}

/// Who holds a configuration lock, as the facts describe one: `configuration lock of admin (shared)`.
fn holder(lock: &str) -> Option<String> {
    let described = lock.strip_prefix("configuration lock of ")?;
    Some(described.split(" (").next()?.to_owned())
}

fn optics(facts: &Facts) -> Vec<OpticSpec> {
    let optics = facts.optics.known().into_iter().flatten();
    let modules = optics.filter(|optic| !matches!(optic.class, OpticClass::Empty | OpticClass::Fixed));
    modules
        .filter_map(|optic| {
            Some(OpticSpec {
                slot: u16::try_from(optic.slot).ok()?,
                port: u16::try_from(optic.port).ok()?,
                vendor: optic.vendor.clone().unwrap_or_default(),
                part: optic.part.clone().unwrap_or_default(),
                serial: optic.serial.clone(),
                media: optic.media.clone(),
            })
        })
        .collect()
}
