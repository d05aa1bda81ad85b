//! What the simulator tells whoever runs it: the truth about a device, which its API may not tell.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::Serialize;

use crate::area::Area;
use crate::device::{Device, Phase, Reach};
use crate::jobs::{Job, JobResult, JobStatus};
use crate::pair::{HaLink, HaState, Pair};
use crate::release::Version;
use crate::software::{Mount, Partition};
use crate::spec::{ContentVersion, OpticSpec};
use crate::world::World;

/// A device in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceSummary {
    /// Host name.
    pub name: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Running version.
    pub version: Version,
    /// What it is doing.
    pub phase: Phase,
    /// Its HA state, for a member of a pair.
    pub ha: Option<HaState>,
    /// The pair it belongs to.
    pub pair: Option<String>,
    /// Labels of the fleet file.
    pub labels: BTreeMap<String, String>,
}

/// What a whole fleet did, counted since the start of the simulation or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Devices.
    pub devices: u64,
    /// Devices by what they are doing.
    pub phases: BTreeMap<Phase, u64>,
    /// Download jobs enqueued.
    pub downloads_started: u64,
    /// Install jobs enqueued.
    pub installs_started: u64,
    /// Install jobs that ended FIN/OK.
    pub installs_ok: u64,
    /// Restarts asked for through the API.
    pub reboots_requested: u64,
    /// All boots.
    pub boots: u64,
    /// HTTP requests that reached a device.
    pub requests: u64,
    /// Key generations asked for.
    pub logins: u64,
    /// Calls refused because as many as a device takes were being worked on.
    pub calls_refused: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, device: &Device) {
        let counted = &device.counters;
        self.devices += 1;
        *self.phases.entry(device.phase).or_default() += 1;
        self.downloads_started += counted.downloads_started.values().sum::<u64>();
        self.installs_started += counted.installs_started.values().sum::<u64>();
        self.installs_ok += counted.installs_ok.values().sum::<u64>();
        self.reboots_requested += counted.reboots_requested;
        self.boots += counted.boots;
        self.requests += counted.requests;
        self.logins += counted.logins;
        self.calls_refused += counted.calls_refused;
    }
}

/// Everything about a device at an instant.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceState {
    /// Host name.
    pub name: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Management address it reports.
    pub address: Ipv4Addr,
    /// Labels of the fleet file.
    pub labels: BTreeMap<String, String>,
    /// Version of the system that runs, or ran last.
    pub version: Version,
    /// Content version.
    pub content: ContentVersion,
    /// What it is doing.
    pub phase: Phase,
    /// When that ends by itself; `None` when it does not.
    pub phase_ends: Option<Timestamp>,
    /// When the system that runs was started.
    pub booted_at: Timestamp,
    /// HA state, for a member of a pair.
    pub ha: Option<HaReport>,
    /// Jobs, newest first.
    pub jobs: Vec<JobState>,
    /// `sysroot0` and `sysroot1`.
    pub partitions: [Partition; 2],
    /// Images on disk.
    pub images: BTreeSet<Version>,
    /// Free megabytes on `/opt/panrepo`.
    pub panrepo_free_mb: u64,
    /// Saved configurations.
    pub saved_configs: BTreeSet<String>,
    /// Optics in cages.
    pub optics: Vec<OpticSpec>,
    /// What answers at its address.
    pub reach: Reach,
    /// Names of the faults that apply to it now.
    pub faults: Vec<String>,
    /// Areas of its state that are not there, or not yet.
    pub missing: BTreeSet<Area>,
    /// Partitions that are full, but for the one of the images.
    pub full: BTreeSet<Mount>,
    /// Ungraceful shutdowns that its TPM remembers; at 32 a model with one does not boot.
    pub ungraceful_shutdowns: u32,
    /// Boots since its file systems were checked.
    pub boots_since_check: u32,
    /// How many seconds its clock is ahead of the true time.
    pub clock_skew_seconds: i64,
}

/// HA state of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HaReport {
    /// The state.
    pub state: HaState,
    /// Why, where the device gives a reason.
    pub reason: String,
    /// Whether new sessions are its own. Of two that serve, the setting of the pair decides.
    pub owns_sessions: bool,
    /// Links to the other member that somebody cut.
    pub links_cut: Vec<HaLink>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobState {
    /// Its id since the last boot.
    pub id: u32,
    /// Type, as the API shows it.
    pub kind: &'static str,
    /// Where it stands.
    pub status: JobStatus,
    /// How it ended.
    pub result: JobResult,
    /// Whole percent.
    pub progress: u8,
    /// Detail lines.
    pub lines: Vec<String>,
}

fn job(job: &Job, now: Timestamp) -> JobState {
    JobState {
        id: job.id,
        kind: job.kind.shown(),
        status: job.status(now),
        result: job.result(),
        progress: job.progress(now),
        lines: job.lines(now),
    }
}

pub(crate) fn summary(device: &Device, member: Option<(&Pair, usize)>) -> DeviceSummary {
    DeviceSummary {
        name: device.name.clone(),
        model: device.model.clone(),
        serial: device.serial.clone(),
        version: device.version(),
        phase: device.phase,
        ha: member.map(|(pair, index)| pair.members[index].state),
        pair: member.map(|(pair, _)| pair.name.clone()),
        labels: device.labels.clone(),
    }
}

pub(crate) fn state(
    world: &World,
    device: &Device,
    member: Option<(&Pair, usize)>,
    now: Timestamp,
) -> DeviceState {
    DeviceState {
        name: device.name.clone(),
        model: device.model.clone(),
        serial: device.serial.clone(),
        address: device.address,
        labels: device.labels.clone(),
        version: device.version(),
        content: device.content,
        phase: device.phase,
        phase_ends: device.phase_ends,
        booted_at: device.booted_at,
        ha: member.map(|(pair, index)| {
            let member = &pair.members[index];
            HaReport {
                state: member.state,
                reason: member.reason.clone(),
                owns_sessions: pair.owns_sessions(index),
                links_cut: pair.links_cut(),
            }
        }),
        jobs: device.jobs.newest_first().map(|one| job(one, now)).collect(),
        partitions: device.partitions.both(),
        images: device.images.versions(),
        panrepo_free_mb: device.images.free_mb(),
        saved_configs: device.saved_configs.clone(),
        optics: device.optics.clone(),
        reach: device.phase.reach(),
        faults: device.suffers_from(world, now),
        missing: Area::ALL
            .into_iter()
            .filter(|area| !device.has_back(world, *area, now))
            .collect(),
        full: device.full.clone(),
        ungraceful_shutdowns: device.boot_record.ungraceful(now),
        boots_since_check: device.boot_record.boots_since_check,
        clock_skew_seconds: device.clock_skew.as_secs(),
    }
}
