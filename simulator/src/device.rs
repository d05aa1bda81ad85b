//! One firewall: what it is, what it is doing, and what it does when the time for that is over.
//!
//! A device is advanced event by event by its site, which owns time and the peer. It knows nothing of HA, of
//! HTTP, or of how a request is written.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::ailments::Ailments;
use crate::area::{Area, Return};
use crate::boot::BootRecord;
use crate::config::{Configuration, Locks};
use crate::fault::{Effect, Feature};
use crate::jobs::{JobKind, JobTable, after};
use crate::logs::LogQueries;
use crate::model::ModelClass;
use crate::pair::{Ha1, HaState};
use crate::release::Version;
use crate::setup::Setup;
use crate::software::{ImageStore, Mount, Partitions};
use crate::spec::{ContentVersion, DeviceSpec, OpticSpec};
use crate::state::link_log::InService;
use crate::tree::Element;
use crate::world::World;

/// What a device is doing, as seen from outside. The letters are the phases of a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// In service.
    Up,
    /// R0: a restart was accepted; the device still answers.
    Restarting,
    /// R1: connections are reset.
    ShuttingDown,
    /// R2: dark.
    Dark,
    /// R3: the management plane is up, its web server is not.
    Management,
    /// R4: the web server is up, authentication is not.
    Login,
    /// R5: services start; 503.
    Services,
    /// R6: the API answers, the auto-commit runs, the dataplane is down.
    AutoCommit,
    /// R8: auto-commit over, dataplane up, HA not settled.
    Settling,
    /// R9: in service; what depends on others, such as the time, is still coming back.
    Returning,
    /// The maintenance recovery tool: no API, SSH for its own user only, until somebody leaves it.
    Maintenance,
}

/// What answers at the management address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// ICMP echo.
    pub icmp: bool,
    /// Port 22.
    pub ssh: bool,
    /// Port 443. Where it is false and the device is not dark, connections are refused or reset.
    pub https: bool,
}

impl Phase {
    /// What answers in this phase. SSH comes up before the web server, and in maintenance mode without it.
    pub fn reach(self) -> Reach {
        let reach = |icmp, ssh, https| Reach { icmp, ssh, https };
        match self {
            Self::Dark => reach(false, false, false),
            Self::ShuttingDown => reach(true, false, false),
            Self::Management | Self::Maintenance => reach(true, true, false),
            Self::Up
            | Self::Restarting
            | Self::Login
            | Self::Services
            | Self::AutoCommit
            | Self::Settling
            | Self::Returning => reach(true, true, true),
        }
    }
}

/// What a device did, counted since the start of the simulation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Download jobs enqueued, by version.
    pub downloads_started: BTreeMap<Version, u64>,
    /// Install jobs enqueued, by version.
    pub installs_started: BTreeMap<Version, u64>,
    /// Install jobs that ended FIN/OK, by version.
    pub installs_ok: BTreeMap<Version, u64>,
    /// Restarts asked for through the API, those of a device that was already restarting included.
    pub reboots_requested: u64,
    /// Boots that follow a requested restart, by the version that booted. Cycles of a loop are not counted again.
    pub reboots_by_version: BTreeMap<Version, u64>,
    /// All boots, each cycle of a loop included.
    pub boots: u64,
    /// Reboots that nobody asked for, cycles of a loop not among them.
    pub unplanned_reboots: u64,
    /// Restarts of the dataplane alone.
    pub dataplane_restarts: u64,
    /// Suspensions by request.
    pub suspends: u64,
    /// Returns to functional by request.
    pub functionals: u64,
    /// HTTP requests that reached the device.
    pub requests: u64,
    /// Key generations asked for, refused ones included.
    pub logins: u64,
    /// Queries of logs asked for.
    pub log_queries: u64,
    /// Calls refused because as many as the device takes were being worked on.
    pub calls_refused: u64,
}

/// Something a device did that others may have to react to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// The dataplane is gone.
    WentDown,
    /// Ready to take part in HA.
    HaSettled,
    /// An image that the peer is to get as well is on disk.
    LoadedForBoth(Version),
    /// A commit ended well.
    Committed,
}

pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) model: String,
    pub(crate) class: Arc<ModelClass>,
    pub(crate) serial: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) content: ContentVersion,
    pub(crate) downloaded_content: Option<ContentVersion>,
    /// The content that a downgrade goes back to.
    pub(crate) previous_content: Option<ContentVersion>,
    pub(crate) optics: Vec<OpticSpec>,
    pub(crate) chassis_ready_known: bool,
    pub(crate) pending_changes: bool,
    pub(crate) config_locks: Locks,
    pub(crate) commit_locks: Locks,
    /// What was edited; `None` until somebody does.
    pub(crate) configuration: Option<Box<Configuration>>,
    /// What ran on the other partition when it was left; `None` where nobody had edited it.
    pub(crate) other_configuration: Option<Arc<Element>>,
    pub(crate) saved_configs: BTreeSet<String>,
    pub(crate) in_pair: bool,
    /// Its control link, as a member of a pair.
    pub(crate) ha1: Option<Ha1>,
    /// How it is set up, where the fleet file says so.
    pub(crate) setup: Option<Arc<Setup>>,
    /// The device whose drawn configuration it shares: its partner's name, on the second member of a pair.
    pub(crate) configured_as: Option<Box<str>>,
    pub(crate) phase: Phase,
    pub(crate) phase_ends: Option<Timestamp>,
    /// The device goes down when the phase ends.
    pub(crate) crashes: bool,
    pub(crate) booted_at: Timestamp,
    /// When the dataplane last came up; `None` while it is down.
    pub(crate) dataplane_since: Option<Timestamp>,
    /// How areas come back where a fault has a say in it. An area that is not here takes its usual time.
    pub(crate) returns: BTreeMap<Area, Return>,
    pub(crate) partitions: Partitions,
    pub(crate) images: ImageStore,
    pub(crate) jobs: JobTable,
    pub(crate) log_queries: LogQueries,
    /// When links were there before the dataplane last came up, the oldest first.
    pub(crate) former_services: Vec<InService>,
    pub(crate) counters: Counters,
    /// The restart under way was asked for and has not brought up a system yet.
    pub(crate) restart_pending: bool,
    pub(crate) failed_auto_commits: u32,
    /// Cycles made under each fault, by its name, since a boot last completed.
    pub(crate) cycles: BTreeMap<String, u32>,
    /// Draws made; keeps one spread from repeating the last.
    pub(crate) draws: u64,
    /// What rules hang on.
    pub(crate) features: Vec<Feature>,
    pub(crate) ailments: Ailments,
    pub(crate) boot_record: BootRecord,
    /// The install that brought up the system that runs; nothing after a revert.
    pub(crate) installed: Option<Installed>,
    /// The other partition holds what was installed, not what ran before.
    pub(crate) staged: bool,
    pub(crate) requests_since_boot: u64,
    /// Partitions that are full, but for the one of the images.
    pub(crate) full: BTreeSet<Mount>,
    /// HA state and the peer's version, as the site last told.
    pub(crate) ha: Option<HaState>,
    pub(crate) peer_version: Option<Version>,
    /// Logins are refused, good ones as well, until told otherwise.
    pub(crate) rejects_logins: bool,
    /// What ran when it last left service: the version that a Panorama knows until it is connected again.
    pub(crate) reported: Version,
    /// When a client last read the clock.
    pub(crate) clock_reading: Option<Timestamp>,
    /// How far its clock is ahead of the true time.
    pub(crate) clock_skew: SignedDuration,
}

/// A system that an install wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Installed {
    /// What ran before.
    pub(crate) left: Version,
    /// How often it was booted.
    pub(crate) boots: u32,
}

impl Device {
    pub(crate) fn new(spec: &DeviceSpec, class: Arc<ModelClass>, world: &World, epoch: Timestamp) -> Self {
        let name = &spec.name;
        let draw = |purpose, low, high| world.seed.between(name, purpose, 0, low, high);
        let booted_at = after(epoch, -seconds(draw("uptime", 10 * 86_400, 200 * 86_400)));
        let mut jobs = JobTable::default();
        let committed = after(
            booted_at,
            SignedDuration::from_secs(class.reboot_seconds.auto_commit),
        );
        jobs.record(booted_at, committed, JobKind::AutoCommit);
        Self {
            name: name.clone(),
            labels: spec.labels.clone(),
            model: spec.model.clone(),
            serial: spec
                .serial
                .clone()
                .unwrap_or_else(|| format!("0{:011}", draw("serial", 12_000_000_000, 98_999_999_999))),
            address: spec.address.unwrap_or_else(|| {
                let [_, a, b, c] = u32::try_from(draw("address", 1, 0x00ff_fffe))
                    .unwrap_or(1)
                    .to_be_bytes();
                Ipv4Addr::new(10, a, b, c)
            }),
            content: spec.content,
            downloaded_content: None,
            previous_content: None,
            optics: spec.optics.clone(),
            chassis_ready_known: spec.chassis_ready.unwrap_or(class.chassis_ready),
            pending_changes: spec.pending_changes,
            config_locks: Locks::of(&spec.config_locks, epoch),
            commit_locks: Locks::default(),
            configuration: None,
            other_configuration: None,
            saved_configs: BTreeSet::new(),
            in_pair: false,
            ha1: None,
            setup: spec.setup.clone(),
            configured_as: None,
            phase: Phase::Up,
            phase_ends: None,
            crashes: false,
            booted_at,
            dataplane_since: Some(committed),
            returns: BTreeMap::new(),
            partitions: Partitions::new(spec.version),
            images: images(spec, &class, world),
            jobs,
            log_queries: LogQueries::default(),
            former_services: Vec::new(),
            counters: Counters::default(),
            restart_pending: false,
            failed_auto_commits: 0,
            cycles: BTreeMap::new(),
            draws: 0,
            features: spec.features.clone(),
            ailments: Ailments::default(),
            boot_record: BootRecord::new(
                spec.ungraceful_shutdowns,
                spec.boots_since_check
                    .unwrap_or_else(|| u32::try_from(draw("boots since check", 0, 4)).unwrap_or(0)),
                booted_at,
                epoch,
            ),
            installed: None,
            staged: false,
            requests_since_boot: 0,
            full: BTreeSet::new(),
            ha: None,
            peer_version: None,
            rejects_logins: false,
            reported: spec.version,
            clock_reading: None,
            clock_skew: SignedDuration::ZERO,
            class,
        }
    }

    /// The simulation begins: what is wrong from the start shows.
    pub(crate) fn begin(&mut self, world: &World, now: Timestamp) {
        let base = world.catalogue.base_needed(self.version());
        let lost = |effect: &Effect| matches!(effect, Effect::BaseImageLost {});
        if let Some(base) = base.filter(|_| self.effects(world, now).iter().any(lost)) {
            self.images.remove(base);
        }
        self.reconsider(world, now);
    }

    pub(crate) fn version(&self) -> Version {
        self.partitions.running()
    }

    pub(crate) fn uptime(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.booted_at).max(SignedDuration::ZERO)
    }

    /// Whether packets flow.
    pub(crate) fn dataplane_up(&self) -> bool {
        self.is_booted() && !self.ailments.dataplane_away()
    }

    /// Whether the boot has come as far as a dataplane. A restart of a boot that has not does not bring it up.
    pub(crate) fn is_booted(&self) -> bool {
        match self.phase {
            Phase::Up | Phase::Settling | Phase::Returning => true,
            Phase::Restarting => self.dataplane_since.is_some() || self.ailments.dataplane_away(),
            _ => false,
        }
    }

    /// What `show chassis-ready` says.
    pub(crate) fn chassis_is_ready(&self) -> bool {
        self.dataplane_up()
    }

    /// Whether a TCP connection to the management port is any use. The login and services phases answer, badly.
    pub(crate) fn listens(&self) -> bool {
        self.phase.reach().https
    }

    /// Whether it can take traffic and was not told to go away.
    pub(crate) fn stays_up(&self) -> bool {
        self.dataplane_up() && self.phase != Phase::Restarting
    }

    /// Whether good credentials are refused in this phase.
    pub(crate) fn refuses_logins(&self, world: &World, now: Timestamp) -> bool {
        // A boot that is about to crash shows its uptime: that is how a client can tell a loop.
        let waits = || {
            self.effects(world, now)
                .iter()
                .any(|effect| matches!(effect, Effect::LoginWaits {}))
        };
        self.rejects_logins
            || self.phase == Phase::Login
            || (self.phase == Phase::AutoCommit && !self.crashes && waits())
    }

    /// When something happens to this device by itself.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        [self.phase_ends, self.jobs.next_end(), self.ailments.next_due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due at `at`; one event a call.
    pub(crate) fn step(&mut self, world: &World, at: Timestamp) -> Option<Happening> {
        if let Some((kind, ok)) = self.jobs.finish_due(at) {
            return self.job_ended(world, kind, ok, at);
        }
        if self.phase_ends.is_some_and(|ends| ends <= at) {
            self.phase_ended(world, at)
        } else {
            self.fell_due(world, at)
        }
    }

    fn job_ended(&mut self, world: &World, kind: JobKind, ok: bool, at: Timestamp) -> Option<Happening> {
        match kind {
            JobKind::AutoCommit => self.auto_commit_ended(world, ok, at),
            JobKind::Download {
                version,
                sync_to_peer,
            } if ok => {
                let size = world.catalogue.get(version).map_or(0, |release| release.size);
                self.images.add(version, size);
                self.image_loaded(world, at);
                sync_to_peer.then_some(Happening::LoadedForBoth(version))
            }
            JobKind::Install(version) if ok => {
                self.partitions.finish_install(version);
                self.staged = true;
                *self.counters.installs_ok.entry(version).or_default() += 1;
                None
            }
            JobKind::ContentDownload(content) if ok => {
                self.downloaded_content = Some(content);
                None
            }
            JobKind::ContentInstall(content) if ok => {
                if content != self.content {
                    self.previous_content = Some(self.content);
                }
                self.content = content;
                self.read_returns(world, at);
                None
            }
            JobKind::Commit if ok => {
                self.committed();
                Some(Happening::Committed)
            }
            JobKind::HaSync if ok => {
                self.committed();
                None
            }
            _ => None,
        }
    }

    /// A nominal duration, spread.
    pub(crate) fn spread(&mut self, world: &World, purpose: &str, nominal: SignedDuration) -> SignedDuration {
        self.draws += 1;
        world.seed.spread(&self.name, purpose, self.draws, nominal)
    }
}

pub(crate) fn seconds(count: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(count).unwrap_or(i64::MAX))
}

/// What is on disk at the start: the running version, its base, and what the fleet file adds.
fn images(spec: &DeviceSpec, class: &ModelClass, world: &World) -> ImageStore {
    let base = world.catalogue.base_needed(spec.version);
    let images: BTreeMap<Version, u64> = spec
        .images
        .iter()
        .copied()
        .chain([spec.version])
        .chain(base)
        .filter_map(|version| {
            world
                .catalogue
                .get(version)
                .map(|release| (version, release.size))
        })
        .collect();
    let free = spec.panrepo_free_mb.unwrap_or(class.panrepo_mb / 2);
    ImageStore::new(class.panrepo_mb, free, images)
}
