//! A restart, phase by phase, and what faults make of it.
//!
//! The phases follow what clients have recorded of real devices: still answering, resetting, dark, refusing,
//! 403, 503, API with the auto-commit running, HA settling. Knows nothing of requests or of the peer.

use jiff::{SignedDuration, Timestamp};

use crate::device::{Device, Happening, Installed, Phase, seconds};
use crate::fault::{BootPhase, Effect};
use crate::jobs::{JobKind, JobTable, Plan, after};
use crate::logs::LogQueries;
use crate::release::Version;
use crate::wording;
use crate::world::World;

/// Attempts at an auto-commit before the device gives up (PAN-281725 describes four).
const AUTO_COMMIT_ATTEMPTS: u32 = 4;

/// Ungraceful shutdowns that lock a TPM (vendor knowledge base on TPM lockout).
const TPM_LIMIT: u32 = 32;

/// Hours of power in which the TPM forgets one of them (same page).
const TPM_HOURS: i64 = 2;

/// What a fault does to the phase that begins.
enum Affliction {
    /// Down again after this many seconds.
    Crash { after: u32 },
    /// Never leaves the phase.
    Stuck,
}

/// How a system went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By a restart that was asked for.
    Orderly,
    /// By a crash or for want of power.
    Ungraceful,
}

/// The counters that a boot looks at before anything else.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BootRecord {
    ungraceful: u32,
    /// When `ungraceful` was right; it falls from then on.
    counted_at: Timestamp,
    /// All boots since the simulation began.
    pub(crate) boots: u64,
    /// Boots since the file systems were checked.
    pub(crate) boots_since_check: u32,
    checked_at: Timestamp,
}

impl BootRecord {
    pub(crate) fn new(ungraceful: u32, boots_since_check: u32, booted_at: Timestamp, now: Timestamp) -> Self {
        Self {
            ungraceful,
            counted_at: now,
            boots: 0,
            boots_since_check,
            checked_at: booted_at,
        }
    }

    /// Ungraceful shutdowns that the TPM still remembers.
    pub(crate) fn ungraceful(&self, now: Timestamp) -> u32 {
        let fallen = now.duration_since(self.counted_at).as_hours() / TPM_HOURS;
        self.ungraceful.saturating_sub(u32::try_from(fallen).unwrap_or(0))
    }

    fn set_ungraceful(&mut self, count: u32, now: Timestamp) {
        self.ungraceful = count;
        self.counted_at = now;
    }

    /// When a locked TPM lets a boot pass; `None` for one that is not locked.
    fn unlocks(&self, now: Timestamp) -> Option<Timestamp> {
        let over = i64::from(self.ungraceful(now).checked_sub(TPM_LIMIT)? + 1);
        let fallen = i64::from(self.ungraceful.saturating_sub(self.ungraceful(now)));
        Some(after(
            self.counted_at,
            SignedDuration::from_hours((fallen + over) * TPM_HOURS),
        ))
    }

    /// Makes the TPM forget.
    fn unlock(&mut self, now: Timestamp) {
        self.set_ungraceful(0, now);
    }

    fn is_check_due(&self, after_boots: u32, after_days: u32, now: Timestamp) -> bool {
        self.boots_since_check + 1 >= after_boots
            || now.duration_since(self.checked_at).as_hours() >= i64::from(after_days) * 24
    }
}

/// What somebody does at the console of a device in maintenance mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaintenanceExit {
    /// Boots the same system again.
    Reboot,
    /// Boots the system on the other partition.
    Revert,
    /// Writes the system anew from its image, and boots it: what was wrong with it is gone.
    Reinstall,
}

impl Device {
    /// Accepts a restart. One that is already under way goes on as it was.
    pub(crate) fn restart(&mut self, world: &World, at: Timestamp) {
        self.counters.reboots_requested += 1;
        if self.phase != Phase::Restarting {
            self.restart_pending = true;
            self.enter(world, Phase::Restarting, at);
        }
    }

    /// Pulls the plug and puts it back.
    pub(crate) fn power_cycle(&mut self, world: &World, at: Timestamp) -> Happening {
        self.go_down(world, Phase::Dark, End::Ungraceful, at)
    }

    /// Goes down without anybody having asked for it.
    pub(crate) fn fall(&mut self, world: &World, at: Timestamp) -> Happening {
        self.counters.unplanned_reboots += 1;
        self.go_down(world, Phase::Dark, End::Ungraceful, at)
    }

    /// Stages the other partition's system again; whether there is one.
    pub(crate) fn revert(&mut self) -> bool {
        let done = self.partitions.revert();
        self.staged &= !done;
        done
    }

    /// Leaves maintenance mode; `None` for a device that is not in it, or has nothing to revert to.
    pub(crate) fn leave_maintenance(
        &mut self,
        world: &World,
        exit: MaintenanceExit,
        at: Timestamp,
    ) -> Option<Happening> {
        if self.phase != Phase::Maintenance {
            return None;
        }
        match exit {
            MaintenanceExit::Reboot => {}
            MaintenanceExit::Revert if !self.revert() => return None,
            MaintenanceExit::Revert => {}
            MaintenanceExit::Reinstall => self.ailments.cure_maintenance(world),
        }
        Some(self.go_down(world, Phase::Dark, End::Orderly, at))
    }

    fn go_down(&mut self, world: &World, phase: Phase, end: End, at: Timestamp) -> Happening {
        if matches!(self.phase, Phase::Up | Phase::Restarting) {
            self.reported = self.version();
        }
        // Jobs die with the system. An install that is cut off leaves its partition empty.
        self.jobs = JobTable::default();
        self.log_queries = LogQueries::default();
        self.lose_links(world, at);
        self.dataplane_since = None;
        self.forget_candidate();
        self.ailments.rest();
        if end == End::Ungraceful {
            let count = self.boot_record.ungraceful(at) + 1;
            self.boot_record.set_ungraceful(count, at);
        }
        self.enter(world, phase, at);
        Happening::WentDown
    }

    pub(crate) fn phase_ended(&mut self, world: &World, at: Timestamp) -> Option<Happening> {
        if self.crashes {
            return Some(self.crash(world, at));
        }
        match self.phase {
            Phase::Up | Phase::AutoCommit | Phase::Maintenance => self.phase_ends = None,
            Phase::Restarting => return Some(self.go_down(world, Phase::ShuttingDown, End::Orderly, at)),
            Phase::ShuttingDown => self.enter(world, Phase::Dark, at),
            Phase::Dark => self.start_system(world, at),
            Phase::Management => self.enter(world, Phase::Login, at),
            Phase::Login => self.enter(world, Phase::Services, at),
            Phase::Services => self.enter(world, Phase::AutoCommit, at),
            Phase::Settling => {
                self.enter(world, Phase::Returning, at);
                return Some(Happening::HaSettled);
            }
            Phase::Returning => self.enter(world, Phase::Up, at),
        }
        None
    }

    fn crash(&mut self, world: &World, at: Timestamp) -> Happening {
        if self.phase == Phase::Dark {
            // The loop turns below the operating system: a boot that nobody sees.
            self.counters.boots += 1;
            self.boot_record.boots += 1;
        }
        self.go_down(world, Phase::Dark, End::Ungraceful, at)
    }

    fn start_system(&mut self, world: &World, at: Timestamp) {
        if self.class.tpm
            && let Some(unlocks) = self.boot_record.unlocks(at)
        {
            self.phase_ends = Some(unlocks);
            return;
        }
        let left = self.partitions.boot();
        if let Some(left) = left
            && left.train() != self.version().train()
        {
            self.saved_configs.insert(format!("autosave-{left}"));
        }
        self.count_boot(left);
        self.booted_at = at;
        self.failed_auto_commits = 0;
        self.requests_since_boot = 0;
        self.counters.boots += 1;
        if std::mem::take(&mut self.restart_pending) {
            *self
                .counters
                .reboots_by_version
                .entry(self.version())
                .or_default() += 1;
        }
        // The system is up, whatever it is going to do: its boot is no longer a coming one.
        self.phase = Phase::Management;
        let effects = self.effects(world, at);
        let maintenance = effects
            .iter()
            .any(|effect| matches!(effect, Effect::MaintenanceMode {}));
        self.enter(
            world,
            if maintenance {
                Phase::Maintenance
            } else {
                Phase::Management
            },
            at,
        );
    }

    /// Which boot of an installed system this is. `left` is what ran before, when the boot changed partitions.
    fn count_boot(&mut self, left: Option<Version>) {
        self.boot_record.boots += 1;
        self.boot_record.boots_since_check += 1;
        let staged = std::mem::take(&mut self.staged);
        if left.is_some() {
            self.switch_configuration(staged);
        }
        match left {
            Some(left) if staged => self.installed = Some(Installed { left, boots: 1 }),
            Some(_) => self.installed = None,
            None => {
                self.staged = staged;
                if let Some(installed) = &mut self.installed {
                    installed.boots += 1;
                }
            }
        }
    }

    fn enter(&mut self, world: &World, phase: Phase, at: Timestamp) {
        self.phase = phase;
        self.crashes = false;
        self.phase_ends = self
            .nominal(phase)
            .map(|(purpose, nominal)| after(at, self.spread(world, purpose, nominal)));
        if phase == Phase::Dark {
            self.check_before_boot(world, at);
        }
        let affliction = boot_phase(phase).and_then(|phase| self.affliction(world, phase, at));
        match affliction {
            Some(Affliction::Crash { after: up }) => {
                // A cycle that takes no time would never end.
                let up = self.spread(world, "up", SignedDuration::from_secs(i64::from(up.max(1))));
                self.phase_ends = Some(after(at, up));
                self.crashes = true;
            }
            Some(Affliction::Stuck) => self.phase_ends = None,
            None => {}
        }
        match phase {
            Phase::AutoCommit => self.start_auto_commit(world, affliction.is_none(), at),
            Phase::Returning => {
                self.cycles.clear();
                self.in_service(world, at);
            }
            _ => {}
        }
    }

    /// How long a phase usually takes; `None` for one that something else ends.
    fn nominal(&self, phase: Phase) -> Option<(&'static str, SignedDuration)> {
        let times = &self.class.reboot_seconds;
        let (purpose, seconds) = match phase {
            Phase::Up | Phase::AutoCommit | Phase::Maintenance => return None,
            Phase::Restarting => ("restarting", times.restarting),
            Phase::ShuttingDown => ("shutting down", times.shutting_down),
            Phase::Dark => ("dark", times.dark),
            Phase::Management => ("management", times.management),
            Phase::Login => ("login", times.login),
            Phase::Services => ("services", times.services),
            Phase::Settling => ("ha settle", times.ha_settle),
            Phase::Returning => ("services return", times.services_return),
        };
        Some((purpose, SignedDuration::from_secs(seconds)))
    }

    /// What happens below the operating system of the boot that begins: the TPM and the file systems.
    fn check_before_boot(&mut self, world: &World, at: Timestamp) {
        for (id, effect) in self.ills(world, self.partitions.next_boot(), at) {
            match effect {
                Effect::TpmLockout { ungraceful_shutdowns } if self.ailments.strikes(&id) == 0 => {
                    self.ailments.strike(&id);
                    let count = self.boot_record.ungraceful(at).max(ungraceful_shutdowns);
                    self.boot_record.set_ungraceful(count, at);
                }
                Effect::FileSystemCheck {
                    after_boots,
                    after_days,
                    seconds: length,
                } if self.boot_record.is_check_due(after_boots, after_days, at) => {
                    self.boot_record.boots_since_check = 0;
                    self.boot_record.checked_at = at;
                    self.prolong(world, "file system check", length);
                }
                _ => {}
            }
        }
    }

    /// Makes the phase that begins longer.
    fn prolong(&mut self, world: &World, purpose: &str, length: u32) {
        let extra = self.spread(world, purpose, seconds(u64::from(length)));
        self.phase_ends = self.phase_ends.map(|ends| after(ends, extra));
    }

    /// The first fault that ends the boot in `phase`.
    fn affliction(&mut self, world: &World, phase: BootPhase, now: Timestamp) -> Option<Affliction> {
        let version = if phase == BootPhase::R2 {
            self.partitions.next_boot()
        } else {
            self.version()
        };
        for (id, effect) in self.ills(world, version, now) {
            match effect {
                Effect::NeverReturns { at } if at == phase => return Some(Affliction::Stuck),
                Effect::BootLoop {
                    at,
                    up_seconds,
                    cycles,
                } if at == phase => {
                    let made = self.cycles.entry(id).or_default();
                    if cycles.is_none_or(|cycles| *made < cycles) {
                        *made += 1;
                        return Some(Affliction::Crash { after: up_seconds });
                    }
                }
                Effect::SlowPhase { at, seconds } if at == phase => {
                    self.prolong(world, "slow phase", seconds)
                }
                _ => {}
            }
        }
        None
    }

    /// `ends` is false when a fault takes the device down, or holds it, before the commit is over.
    fn start_auto_commit(&mut self, world: &World, ends: bool, at: Timestamp) {
        let (mut plan, mut stuck) = (Plan::Succeed, None);
        for effect in self.effects(world, at) {
            match effect {
                Effect::NoAutoCommitJob {} => return,
                Effect::AutoCommitFails { times, lines, .. } if self.failed_auto_commits < times => {
                    let usual = || wording::AUTO_COMMIT_FAILED.map(str::to_owned).to_vec();
                    plan = Plan::Fail(if lines.is_empty() { usual() } else { lines });
                }
                Effect::AutoCommitStuck { at_percent } => stuck = Some(at_percent),
                _ => {}
            }
        }
        if let Some(percent) = stuck {
            self.jobs.enqueue_stuck(at, JobKind::AutoCommit, percent);
            return;
        }
        let nominal = SignedDuration::from_secs(self.class.reboot_seconds.auto_commit);
        let length = ends.then(|| self.spread(world, "auto-commit", nominal));
        self.jobs.enqueue(at, JobKind::AutoCommit, plan, length, None);
    }

    pub(crate) fn auto_commit_ended(&mut self, world: &World, ok: bool, at: Timestamp) -> Option<Happening> {
        if self.phase != Phase::AutoCommit {
            return None;
        }
        if !ok {
            self.failed_auto_commits += 1;
            if self.failed_auto_commits < AUTO_COMMIT_ATTEMPTS {
                self.start_auto_commit(world, true, at);
                return None;
            }
            return self.gave_up(world, at);
        }
        self.dataplane_since = Some(at);
        self.read_returns(world, at);
        let next = if self.in_pair {
            Phase::Settling
        } else {
            Phase::Returning
        };
        self.enter(world, next, at);
        None
    }

    /// Lets a boot go on that one of these effects held, now that they are cured.
    pub(crate) fn go_on(&mut self, world: &World, cured: &[Effect], at: Timestamp) -> Option<Happening> {
        let was = |held: fn(&Effect) -> bool| cured.iter().any(held);
        let never = |effect: &Effect| matches!(effect, Effect::NeverReturns { .. });
        let commits = |effect: &Effect| {
            matches!(
                effect,
                Effect::AutoCommitFails { .. } | Effect::AutoCommitStuck { .. } | Effect::NoAutoCommitJob {}
            )
        };
        let below =
            |effect: &Effect| matches!(effect, Effect::TpmLockout { .. } | Effect::FileSystemCheck { .. });
        let led_to_maintenance = was(commits) || was(|effect| matches!(effect, Effect::MaintenanceMode {}));
        if was(below) {
            self.boot_record.unlock(at);
        }
        match self.phase {
            Phase::Maintenance if led_to_maintenance => {
                return Some(self.go_down(world, Phase::Dark, End::Orderly, at));
            }
            Phase::AutoCommit
                if !self.crashes && (was(commits) || was(never)) && self.jobs.auto_commit_hangs() =>
            {
                self.failed_auto_commits = 0;
                self.enter(world, Phase::AutoCommit, at);
            }
            Phase::Dark if was(below) && self.phase_ends.is_some() => self.phase_ends = Some(at),
            phase if was(never) && self.phase_ends.is_none() && boot_phase(phase).is_some() => {
                self.enter(world, phase, at);
            }
            _ => {}
        }
        None
    }

    /// The last attempt at an auto-commit failed.
    fn gave_up(&mut self, world: &World, at: Timestamp) -> Option<Happening> {
        let maintenance = self.effects(world, at).iter().any(|effect| {
            matches!(
                effect,
                Effect::AutoCommitFails {
                    then_maintenance_mode: true,
                    ..
                }
            )
        });
        maintenance.then(|| self.go_down(world, Phase::Maintenance, End::Orderly, at))
    }
}

fn boot_phase(phase: Phase) -> Option<BootPhase> {
    match phase {
        Phase::Dark => Some(BootPhase::R2),
        Phase::Management => Some(BootPhase::R3),
        Phase::Login => Some(BootPhase::R4),
        Phase::Services => Some(BootPhase::R5),
        Phase::AutoCommit => Some(BootPhase::R6),
        Phase::Up
        | Phase::Restarting
        | Phase::ShuttingDown
        | Phase::Settling
        | Phase::Returning
        | Phase::Maintenance => None,
    }
}
