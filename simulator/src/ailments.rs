//! What a device suffers from: which rules apply to it now, and what they do to it while it is in service.
//!
//! What they do to a boot is in `boot.rs`, to a job in `staging.rs`. Knows nothing of requests or of the peer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::area::{Area, Return};
use crate::device::{Device, Happening, Phase, seconds};
use crate::fault::{Effect, FaultRule, HaFailure, Patient, UpdateServer};
use crate::jobs::{JobKind, after};
use crate::release::Version;
use crate::software::Mount;
use crate::state::Sight;
use crate::wording;
use crate::world::World;

/// From which error of the clock on signatures do not verify. A day covers every time zone.
const CLOCK_TOLERANCE: i64 = 86_400;

/// Something that comes over a device in service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Onset {
    /// A date of a rule has come.
    Date,
    DataplaneBack,
    /// The turn of the rule of this name.
    Of(String),
}

/// What a device keeps of its faults.
#[derive(Debug, Default)]
pub(crate) struct Ailments {
    /// Rules of this device alone.
    own: Vec<FaultRule>,
    cured: BTreeSet<String>,
    /// How often each rule struck, for those that strike a number of times.
    strikes: BTreeMap<String, u32>,
    due: BTreeSet<(Timestamp, Onset)>,
    dataplane_away: bool,
    /// Areas that have their entry in the device's `returns` from a rule.
    areas: BTreeSet<Area>,
    /// Until when the software manager turns jobs away.
    busy_until: Option<Timestamp>,
    failed_logins: u32,
    locked_until: Option<Timestamp>,
}

impl Ailments {
    /// The device goes down: what came of being in service is over. Dates stay.
    pub(crate) fn rest(&mut self) {
        self.due.retain(|(_, onset)| *onset == Onset::Date);
        self.dataplane_away = false;
        self.busy_until = None;
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(crate) fn strikes(&self, rule: &str) -> u32 {
        self.strikes.get(rule).copied().unwrap_or(0)
    }

    pub(crate) fn strike(&mut self, rule: &str) {
        *self.strikes.entry(rule.to_owned()).or_default() += 1;
    }

    /// The system was written anew: what led to maintenance mode is gone.
    pub(crate) fn cure_maintenance(&mut self, world: &World) {
        let leads = |rule: &&FaultRule| {
            matches!(
                rule.effect,
                Effect::MaintenanceMode {}
                    | Effect::AutoCommitFails {
                        then_maintenance_mode: true,
                        ..
                    }
            )
        };
        let ids = world.rules.iter().chain(&self.own).filter(leads);
        let ids: Vec<String> = ids.map(|rule| rule.id.clone()).collect();
        self.cured.extend(ids);
    }

    /// Whether the dataplane is restarting by itself.
    pub(crate) fn dataplane_away(&self) -> bool {
        self.dataplane_away
    }

    pub(crate) fn is_busy(&self, now: Timestamp) -> bool {
        self.busy_until.is_some_and(|until| now < until)
    }
}

impl Device {
    /// Names and effects of the rules that apply with `version`, in the order of the fleet file.
    pub(crate) fn ills(&self, world: &World, version: Version, now: Timestamp) -> Vec<(String, Effect)> {
        self.rules(world, version, now, true)
    }

    /// The effects that apply to the system that runs.
    pub(crate) fn effects(&self, world: &World, now: Timestamp) -> Vec<Effect> {
        let ills = self.ills(world, self.version(), now);
        ills.into_iter().map(|(_, effect)| effect).collect()
    }

    /// `in_role` is false for what is only planned: the role may have changed by then.
    fn rules(&self, world: &World, version: Version, now: Timestamp, in_role: bool) -> Vec<(String, Effect)> {
        let optics: Vec<(u16, &str)> = self
            .optics
            .iter()
            .map(|optic| (optic.port, optic.part.as_str()))
            .collect();
        let (left, boot) = self.history(version);
        let patient = Patient {
            name: &self.name,
            model: &self.model,
            version,
            left,
            boot,
            optics: &optics,
            features: &self.features,
            content: self.content.first,
            ha: self.ha,
            peer: self.peer_version,
            now,
        };
        let holds = |rule: &&FaultRule| {
            !self.ailments.cured.contains(&rule.id)
                && rule.when.holds(&patient)
                && (!in_role || rule.when.holds_in_role(&patient))
                && self.is_chosen(world, rule)
        };
        world
            .rules
            .iter()
            .chain(&self.ailments.own)
            .filter(holds)
            .map(|rule| (rule.id.clone(), rule.effect.clone()))
            .collect()
    }

    /// What the system with `version` replaced, or is about to, and which of its boots is judged. A system that was
    /// there from the start, or came back by a revert, has neither.
    fn history(&self, version: Version) -> (Option<Version>, Option<u32>) {
        if version == self.version() {
            let coming = u32::from(self.phase == Phase::Dark);
            let installed = self.installed.as_ref();
            return (
                installed.map(|installed| installed.left),
                installed.map(|installed| installed.boots + coming),
            );
        }
        let reverts = version == self.partitions.next_boot() && !self.staged;
        if reverts {
            (None, None)
        } else {
            (Some(self.version()), Some(1))
        }
    }

    fn is_chosen(&self, world: &World, rule: &FaultRule) -> bool {
        rule.when
            .chance_percent
            .is_none_or(|percent| world.seed.between(&self.name, &rule.id, 0, 1, 100) <= u64::from(percent))
    }

    /// The device is in service from now on: plans what is going to come over it.
    pub(crate) fn in_service(&mut self, world: &World, now: Timestamp) {
        for (id, effect) in self.rules(world, self.version(), now, false) {
            match effect {
                Effect::SoftwareManagerBusy {
                    after_boot_seconds, ..
                } => self.keep_busy(now, after_boot_seconds),
                effect => self.plan(world, id, &effect, now),
            }
        }
    }

    fn keep_busy(&mut self, now: Timestamp, length: u32) {
        self.ailments.busy_until = Some(after(now, seconds(u64::from(length))));
    }

    /// The next turn of a rule that has turns.
    fn plan(&mut self, world: &World, id: String, effect: &Effect, now: Timestamp) {
        let (minutes, times) = match effect {
            Effect::RebootsEvery { minutes, times } | Effect::DataplaneRestarts { minutes, times, .. } => {
                (*minutes, *times)
            }
            Effect::DiskFills { after_minutes: 0, .. } => return self.onset(world, &id, effect, now),
            Effect::DiskFills { after_minutes, .. } => (*after_minutes, None),
            Effect::JobHistory { every_minutes, .. } => (*every_minutes, None),
            _ => return,
        };
        if times.is_none_or(|times| self.ailments.strikes(&id) < times) {
            // A turn every instant would never let time go on.
            let nominal = SignedDuration::from_mins(i64::from(minutes.max(1)));
            let at = after(now, self.spread(world, "turn", nominal));
            self.ailments.due.insert((at, Onset::Of(id)));
        }
    }

    /// Starts over with the rules as they are now: at the start, and after an intervention.
    pub(crate) fn reconsider(&mut self, world: &World, now: Timestamp) {
        let dates: Vec<Timestamp> = world
            .rules
            .iter()
            .chain(&self.ailments.own)
            .filter_map(|rule| rule.when.since.filter(|since| *since > now))
            .collect();
        let back = self
            .ailments
            .due
            .iter()
            .filter(|(_, onset)| *onset == Onset::DataplaneBack)
            .cloned();
        self.ailments.due = back
            .chain(dates.into_iter().map(|date| (date, Onset::Date)))
            .collect();
        if matches!(self.phase, Phase::Up | Phase::Restarting | Phase::Returning) {
            self.in_service(world, now);
        }
        self.read_returns(world, now);
    }

    /// Brings what comes back late, or never, in line with the rules.
    pub(crate) fn read_returns(&mut self, world: &World, now: Timestamp) {
        for area in std::mem::take(&mut self.ailments.areas) {
            self.returns.remove(&area);
        }
        // What does not return after a boot is there before the first one; what ends on a date needs no boot.
        let of_a_boot = |id: &str| {
            let rule = world.rules.iter().find(|rule| rule.id == id);
            rule.is_some_and(|rule| rule.when.since.is_none())
        };
        for (id, effect) in self.ills(world, self.version(), now) {
            if let Effect::Returns { area, how, .. } = effect
                && (self.boot_record.boots > 0 || !of_a_boot(&id))
            {
                self.returns.insert(area, how);
                self.ailments.areas.insert(area);
            }
        }
    }

    /// The device took the active role over.
    pub(crate) fn took_over(&mut self, world: &World, now: Timestamp) {
        for effect in self.effects(world, now) {
            if let Effect::Returns {
                area,
                how: Return::Late(late),
                on_takeover: true,
            } = effect
                && let Some(up) = self.dataplane_since
            {
                let passed = u64::try_from(now.duration_since(up).as_secs()).unwrap_or(0);
                self.returns.insert(area, Return::Late(passed + late));
                self.ailments.areas.insert(area);
            }
        }
    }

    /// Does what is due; one turn a call.
    pub(crate) fn fell_due(&mut self, world: &World, at: Timestamp) -> Option<Happening> {
        let (due, onset) = self.ailments.due.pop_first()?;
        if due > at {
            self.ailments.due.insert((due, onset));
            return None;
        }
        match onset {
            Onset::Date => self.read_returns(world, at),
            Onset::DataplaneBack => self.dataplane_back(world, at),
            Onset::Of(id) => return self.turn(world, &id, at),
        }
        None
    }

    fn turn(&mut self, world: &World, id: &str, at: Timestamp) -> Option<Happening> {
        let ills = self.ills(world, self.version(), at);
        let planned = self.rules(world, self.version(), at, false);
        let effect = planned.into_iter().find(|(rule, _)| rule == id)?.1;
        if ills.iter().any(|(rule, _)| rule == id) {
            self.ailments.strike(id);
            if matches!(effect, Effect::RebootsEvery { .. }) {
                return Some(self.fall(world, at));
            }
            self.onset(world, id, &effect, at);
        }
        if !matches!(effect, Effect::DiskFills { .. }) {
            self.plan(world, id.to_owned(), &effect, at);
        }
        None
    }

    fn onset(&mut self, world: &World, id: &str, effect: &Effect, at: Timestamp) {
        match effect {
            Effect::DataplaneRestarts { seconds: away, .. } => {
                let away = self.spread(world, "dataplane away", seconds(u64::from(*away)));
                self.lose_links(world, at);
                self.ailments.dataplane_away = true;
                self.dataplane_since = None;
                self.ailments.due.insert((after(at, away), Onset::DataplaneBack));
                self.counters.dataplane_restarts += 1;
            }
            Effect::DiskFills { mount, .. } if !self.ailments.cured.contains(id) => self.fill(*mount, true),
            Effect::JobHistory { without_id, .. } => {
                let kind = if *without_id {
                    JobKind::Unnumbered
                } else {
                    JobKind::WildFire
                };
                self.jobs.record(at, at, kind);
            }
            _ => {}
        }
    }

    fn dataplane_back(&mut self, world: &World, at: Timestamp) {
        self.ailments.dataplane_away = false;
        if self.phase != Phase::AutoCommit {
            self.dataplane_since = Some(at);
            self.read_returns(world, at);
        }
    }

    /// Fills a partition, or frees it.
    pub(crate) fn fill(&mut self, mount: Mount, full: bool) {
        match (mount, full) {
            (Mount::Panrepo, _) => self.images.fill(full),
            (_, true) => {
                self.full.insert(mount);
            }
            (_, false) => {
                self.full.remove(&mount);
            }
        }
    }

    /// Why it is to leave HA, in the words of its state reason.
    pub(crate) fn unfit_for_ha(&self, world: &World, now: Timestamp) -> Option<String> {
        if self.ailments.dataplane_away {
            return Some(wording::DATAPLANE_DOWN.to_owned());
        }
        let starved = self.is_starved(world, now);
        self.effects(world, now)
            .into_iter()
            .find_map(|effect| match effect {
                Effect::Ha {
                    fails: HaFailure::NonFunctional(reason),
                } => Some(reason),
                Effect::DiskFills {
                    mount,
                    leaves_ha: true,
                    ..
                } if self.full.contains(&mount) => Some(wording::DISK_FULL.to_owned()),
                Effect::ManagementStarves { leaves_ha: true, .. } if starved => {
                    Some(wording::OUT_OF_MEMORY.to_owned())
                }
                _ => None,
            })
    }

    /// What a rule does to its HA links: HA1 down, HA2 down, seconds in `initial`.
    pub(crate) fn ha_links(&self, world: &World, now: Timestamp) -> (bool, bool, u32) {
        let mut links = (false, false, 0);
        for effect in self.effects(world, now) {
            match effect {
                Effect::Ha {
                    fails: HaFailure::Ha1Down,
                } if self.boot_record.boots > 0 => links.0 = true,
                Effect::Ha {
                    fails: HaFailure::Ha2Down,
                } if self.boot_record.boots > 0 => links.1 = true,
                Effect::Ha {
                    fails: HaFailure::StaysInitial(seconds),
                } => links.2 = links.2.max(seconds),
                _ => {}
            }
        }
        links
    }

    /// Delay of each reply and share of 503s while the management plane starves.
    fn starvation(&self, world: &World, now: Timestamp) -> Option<(u32, u8)> {
        self.effects(world, now)
            .into_iter()
            .find_map(|effect| match effect {
                Effect::ManagementStarves {
                    after_requests,
                    delay_seconds,
                    unavailable_percent,
                    ..
                } if self.requests_since_boot > after_requests => Some((delay_seconds, unavailable_percent)),
                _ => None,
            })
    }

    /// Whether the management plane has no memory left.
    pub(crate) fn is_starved(&self, world: &World, now: Timestamp) -> bool {
        self.starvation(world, now).is_some()
    }

    /// How much longer a reply takes than usual.
    pub(crate) fn reply_delay(&self, world: &World, now: Timestamp) -> SignedDuration {
        let delay = self.starvation(world, now).map_or(0, |(delay, _)| delay);
        seconds(u64::from(delay))
    }

    /// Whether this request finds nobody behind the web server.
    pub(crate) fn starves_request(&self, world: &World, now: Timestamp) -> bool {
        self.starvation(world, now).is_some_and(|(_, percent)| {
            world
                .seed
                .between(&self.name, "starved request", self.requests_since_boot, 1, 100)
                <= u64::from(percent)
        })
    }

    /// What is wrong with the update server; `None` when it answers.
    pub(crate) fn update_server(&self, world: &World, now: Timestamp) -> Option<UpdateServer> {
        self.effects(world, now)
            .into_iter()
            .find_map(|effect| match effect {
                Effect::UpdateServer { gives } => Some(gives),
                _ => None,
            })
            .or_else(|| {
                let sight = Sight {
                    world,
                    device: self,
                    now,
                };
                sight.support_is_over().then_some(UpdateServer::NotEntitled)
            })
    }

    /// How fast its clock is.
    pub(crate) fn clock_offset(&self, world: &World, now: Timestamp) -> SignedDuration {
        let offsets = self.effects(world, now).into_iter().map(|effect| match effect {
            Effect::ClockOff { seconds } => seconds,
            _ => 0,
        });
        self.clock_skew + SignedDuration::from_secs(offsets.sum())
    }

    /// Whether its clock is too wrong for signatures.
    pub(crate) fn mistrusts_signatures(&self, world: &World, now: Timestamp) -> bool {
        self.clock_offset(world, now).as_secs().abs() >= CLOCK_TOLERANCE
    }

    /// An image was loaded into the software manager.
    pub(crate) fn image_loaded(&mut self, world: &World, now: Timestamp) {
        for effect in self.effects(world, now) {
            if let Effect::SoftwareManagerBusy {
                after_load_seconds, ..
            } = effect
            {
                self.keep_busy(now, after_load_seconds);
            }
        }
    }

    /// Whether the account is locked for passwords.
    pub(crate) fn is_account_locked(&self, now: Timestamp) -> bool {
        self.ailments.locked_until.is_some_and(|until| now < until)
    }

    /// A password login ended; refused ones add up.
    pub(crate) fn login_ended(&mut self, world: &World, accepted: bool, now: Timestamp) {
        if accepted {
            self.ailments.failed_logins = 0;
            return;
        }
        let lock = self
            .effects(world, now)
            .into_iter()
            .find_map(|effect| match effect {
                Effect::AccountLocks {
                    after_failures,
                    minutes,
                } => Some((after_failures, minutes)),
                _ => None,
            });
        let Some((limit, minutes)) = lock.filter(|_| !self.is_account_locked(now)) else {
            return;
        };
        self.ailments.failed_logins += 1;
        if self.ailments.failed_logins >= limit {
            self.ailments.failed_logins = 0;
            let length = SignedDuration::from_mins(i64::from(minutes));
            self.ailments.locked_until = Some(after(now, length));
        }
    }

    /// Another rule for this device alone. One of the same name gives way.
    pub(crate) fn afflict(&mut self, world: &World, rule: FaultRule, now: Timestamp) {
        self.ailments.own.retain(|known| known.id != rule.id);
        self.ailments.cured.remove(&rule.id);
        self.ailments.strikes.remove(&rule.id);
        self.ailments.own.push(rule);
        self.reconsider(world, now);
    }

    /// Names of the rules that apply.
    pub(crate) fn suffers_from(&self, world: &World, now: Timestamp) -> Vec<String> {
        let ills = self.rules(world, self.version(), now, true);
        ills.into_iter().map(|(id, _)| id).collect()
    }

    /// Ends a fault, or every one: the rule no longer applies here, and what it held goes on.
    pub(crate) fn cure(&mut self, world: &World, rule: Option<&str>, now: Timestamp) -> Option<Happening> {
        let ends = |one: &&FaultRule| rule.is_none_or(|rule| rule == one.id);
        let rules = world.rules.iter().chain(&self.ailments.own).filter(ends);
        let (ids, effects): (Vec<String>, Vec<Effect>) = rules
            .filter(|rule| !self.ailments.cured.contains(&rule.id))
            .map(|rule| (rule.id.clone(), rule.effect.clone()))
            .unzip();
        self.ailments.cured.extend(ids);
        for effect in &effects {
            match effect {
                Effect::DiskFills { mount, .. } => self.fill(*mount, false),
                Effect::AccountLocks { .. } => self.ailments.locked_until = None,
                Effect::SoftwareManagerBusy { .. } => self.ailments.busy_until = None,
                Effect::DownloadStalls { .. } => self.jobs.release(now),
                _ => {}
            }
        }
        self.reconsider(world, now);
        self.go_on(world, &effects, now)
    }

    /// Whether there is a rule of this name that could apply.
    pub(crate) fn knows_fault(&self, world: &World, rule: &str) -> bool {
        let mut rules = world.rules.iter().chain(&self.ailments.own);
        rules.any(|known| known.id == rule)
    }
}
