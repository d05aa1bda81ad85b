//! A restart, phase by phase, and what faults make of it.
//!
//! The phases follow what clients have recorded of real devices: still answering, resetting, dark, refusing,
//! 403, 503, API with the auto-commit running, HA settling. Knows nothing of requests or of the peer.

use jiff::{SignedDuration, Timestamp};

use crate::device::{Device, Happening, Phase};
use crate::fault::{BootPhase, Effect, FaultRule, Patient};
use crate::jobs::{JobKind, JobTable, Plan, after};
use crate::release::Version;
use crate::wording;
use crate::world::World;

/// Attempts at an auto-commit before the device gives up (PAN-281725 describes four).
const AUTO_COMMIT_ATTEMPTS: u32 = 4;

/// What a fault does to the phase that begins.
enum Affliction {
    /// Down again after this many seconds.
    Crash { after: u32 },
    /// Never leaves the phase.
    Stuck,
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
        self.go_down(world, Phase::Dark, at)
    }

    fn go_down(&mut self, world: &World, phase: Phase, at: Timestamp) -> Happening {
        if matches!(self.phase, Phase::Up | Phase::Restarting) {
            self.reported = self.version();
        }
        // Jobs die with the system. An install that is cut off leaves its partition empty.
        self.jobs = JobTable::default();
        self.dataplane_since = None;
        self.forget_candidate();
        self.enter(world, phase, at);
        Happening::WentDown
    }

    pub(crate) fn phase_ended(&mut self, world: &World, at: Timestamp) -> Option<Happening> {
        if self.crashes {
            return Some(self.crash(world, at));
        }
        match self.phase {
            Phase::Up | Phase::AutoCommit => self.phase_ends = None,
            Phase::Restarting => return Some(self.go_down(world, Phase::ShuttingDown, at)),
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
        }
        self.go_down(world, Phase::Dark, at)
    }

    fn start_system(&mut self, world: &World, at: Timestamp) {
        if let Some(left) = self.partitions.boot()
            && left.train() != self.version().train()
        {
            self.saved_configs.insert(format!("autosave-{left}"));
        }
        self.booted_at = at;
        self.failed_auto_commits = 0;
        self.counters.boots += 1;
        if std::mem::take(&mut self.restart_pending) {
            *self
                .counters
                .reboots_by_version
                .entry(self.version())
                .or_default() += 1;
        }
        self.enter(world, Phase::Management, at);
    }

    fn enter(&mut self, world: &World, phase: Phase, at: Timestamp) {
        self.phase = phase;
        self.crashes = false;
        self.phase_ends = self
            .nominal(phase)
            .map(|(purpose, nominal)| after(at, self.spread(world, purpose, nominal)));
        let affliction = boot_phase(phase).and_then(|phase| self.affliction(world, phase));
        match affliction {
            Some(Affliction::Crash { after: up }) => {
                let up = self.spread(world, "up", SignedDuration::from_secs(i64::from(up)));
                self.phase_ends = Some(after(at, up));
                self.crashes = true;
            }
            Some(Affliction::Stuck) => self.phase_ends = None,
            None => {}
        }
        match phase {
            Phase::AutoCommit => self.start_auto_commit(world, affliction.is_none(), at),
            Phase::Returning => self.cycles.clear(),
            _ => {}
        }
    }

    /// How long a phase usually takes; `None` for one that something else ends.
    fn nominal(&self, phase: Phase) -> Option<(&'static str, SignedDuration)> {
        let times = &self.class.reboot_seconds;
        let (purpose, seconds) = match phase {
            Phase::Up | Phase::AutoCommit => return None,
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

    /// The first fault that ends the boot in `phase`.
    fn affliction(&mut self, world: &World, phase: BootPhase) -> Option<Affliction> {
        let version = if phase == BootPhase::R2 {
            self.partitions.next_boot()
        } else {
            self.version()
        };
        for rule in &world.rules {
            if !self.suffers(rule, version) {
                continue;
            }
            match rule.effect {
                Effect::NeverReturns { at } if at == phase => return Some(Affliction::Stuck),
                Effect::BootLoop {
                    at,
                    up_seconds,
                    cycles,
                } if at == phase => {
                    let made = self.cycles.entry(rule.id.clone()).or_default();
                    if cycles.is_none_or(|cycles| *made < cycles) {
                        *made += 1;
                        return Some(Affliction::Crash { after: up_seconds });
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Whether a rule applies to this device with `version`.
    pub(crate) fn suffers(&self, rule: &FaultRule, version: Version) -> bool {
        let optics: Vec<(u16, &str)> = self
            .optics
            .iter()
            .map(|optic| (optic.port, optic.part.as_str()))
            .collect();
        rule.when.holds(&Patient {
            name: &self.name,
            model: &self.model,
            version,
            optics: &optics,
        })
    }

    fn effects<'w>(&self, world: &'w World) -> Vec<&'w Effect> {
        let version = self.version();
        world
            .rules
            .iter()
            .filter(|rule| self.suffers(rule, version))
            .map(|rule| &rule.effect)
            .collect()
    }

    /// `ends` is false when a fault takes the device down, or holds it, before the commit is over.
    fn start_auto_commit(&mut self, world: &World, ends: bool, at: Timestamp) {
        let mut plan = Plan::Succeed;
        for effect in self.effects(world) {
            match effect {
                Effect::NoAutoCommitJob {} => return,
                Effect::AutoCommitFails { times } if self.failed_auto_commits < *times => {
                    plan = Plan::Fail(wording::AUTO_COMMIT_FAILED.map(str::to_owned).to_vec());
                }
                _ => {}
            }
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
            }
            return None;
        }
        self.dataplane_since = Some(at);
        let next = if self.in_pair {
            Phase::Settling
        } else {
            Phase::Returning
        };
        self.enter(world, next, at);
        None
    }
}

fn boot_phase(phase: Phase) -> Option<BootPhase> {
    match phase {
        Phase::Dark => Some(BootPhase::R2),
        Phase::Management => Some(BootPhase::R3),
        Phase::Login => Some(BootPhase::R4),
        Phase::Services => Some(BootPhase::R5),
        Phase::AutoCommit => Some(BootPhase::R6),
        Phase::Up | Phase::Restarting | Phase::ShuttingDown | Phase::Settling | Phase::Returning => None,
    }
}
