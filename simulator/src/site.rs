//! One standalone device or one HA pair: the unit that shares a timeline.
//!
//! Brings its devices up to an instant, event by event in order of time, and lets them act on each other.

use jiff::{SignedDuration, Timestamp};

use crate::boot::MaintenanceExit;
use crate::device::{Device, Happening};
use crate::events::Occurrence;
use crate::fault::{FaultRule, Feature};
use crate::jobs::{JobKind, Plan};
use crate::notes::{self, Standing};
use crate::pair::{Ha1, HaLink, HaState, Pair, View};
use crate::release::Version;
use crate::state::Sight;
use crate::world::World;

pub(crate) struct Site {
    pub(crate) devices: Vec<Device>,
    pub(crate) pair: Option<Pair>,
    now: Timestamp,
    /// What changed and is not in the fleet's event log yet.
    notes: Vec<(Timestamp, usize, Occurrence)>,
}

/// How long a device takes to take a configuration over. Estimated.
const TAKING_OVER: SignedDuration = SignedDuration::from_secs(45);

/// Why a configuration was not handed to the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SyncRefused {
    /// There is none, or it does not answer.
    NoPeer,
    /// It is taking one over already.
    Busy,
}

enum Turn {
    Device(usize),
    Pair,
}

impl Site {
    pub(crate) fn standalone(mut device: Device, world: &World, epoch: Timestamp) -> Self {
        device.begin(world, epoch);
        Self {
            devices: vec![device],
            pair: None,
            now: epoch,
            notes: Vec::new(),
        }
    }

    pub(crate) fn paired(mut devices: [Device; 2], pair: Pair, world: &World, epoch: Timestamp) -> Self {
        let routed = devices
            .iter()
            .any(|device| device.features.contains(&Feature::Ha1InOtherSubnet));
        for (device, ha1) in devices.iter_mut().zip(Ha1::both(routed)) {
            device.in_pair = true;
            device.ha1 = Some(ha1);
        }
        devices[1].configured_as = Some(devices[0].name.as_str().into());
        let mut site = Self {
            devices: devices.into(),
            pair: Some(pair),
            now: epoch,
            notes: Vec::new(),
        };
        site.tell_roles(world);
        if let Some((pair, view)) = site.pair_and_view(world)
            && view.apart >= 2
        {
            pair.part(&view, epoch);
        }
        for device in &mut site.devices {
            device.begin(world, epoch);
        }
        site.settle(world);
        site
    }

    /// Brings everything up to `now`. An earlier instant than the last one changes nothing.
    pub(crate) fn advance(&mut self, world: &World, now: Timestamp) {
        while let Some((at, turn)) = self.next_turn().filter(|(at, _)| *at <= now) {
            let before = notes::standings(self);
            let at = at.max(self.now);
            self.now = at;
            match turn {
                Turn::Device(index) => {
                    let happening = self.devices[index].step(world, at);
                    self.react(world, index, happening);
                }
                Turn::Pair => {
                    if let Some((pair, view)) = self.pair_and_view(world) {
                        pair.step(at, &view);
                    }
                }
            }
            self.settle(world);
            self.note_since(&before);
        }
        self.now = self.now.max(now);
    }

    /// Notes what changed since `before`, at the present instant.
    pub(crate) fn note_since(&mut self, before: &[Standing]) {
        let changes = notes::changes(before, self).into_iter();
        self.notes
            .extend(changes.map(|(index, what)| (self.now, index, what)));
    }

    /// What was noted since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<(Timestamp, usize, Occurrence)> {
        std::mem::take(&mut self.notes)
    }

    /// The instant everything is brought up to.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// When something happens next without anybody asking.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        self.next_turn().map(|(at, _)| at)
    }

    fn next_turn(&self) -> Option<(Timestamp, Turn)> {
        let devices = self.devices.iter().enumerate();
        let devices = devices.filter_map(|(index, device)| Some((device.next_event()?, Turn::Device(index))));
        let pair = self
            .pair
            .as_ref()
            .and_then(Pair::next_event)
            .map(|at| (at, Turn::Pair));
        devices.chain(pair).min_by_key(|(at, _)| *at)
    }

    fn react(&mut self, world: &World, index: usize, happening: Option<Happening>) {
        match happening {
            None => {}
            Some(Happening::WentDown) => {
                let now = self.now;
                if let Some(pair) = &mut self.pair {
                    pair.down(index, now);
                }
            }
            Some(Happening::HaSettled) => {
                // After a revert another configuration runs.
                self.follow_configuration();
                let now = self.now;
                if let Some((pair, view)) = self.pair_and_view(world) {
                    pair.join(index, now, &view);
                }
            }
            Some(Happening::LoadedForBoth(version)) => self.hand_over(world, index, version),
            Some(Happening::Committed) => {
                self.follow_configuration();
                if self.devices[index].configuration.is_some() {
                    // Nobody asked and nobody is told when it is not possible.
                    let _ = self.synchronise(world, index);
                }
            }
        }
    }

    /// One member without preemption is enough to turn it off.
    fn follow_configuration(&mut self) {
        let configured: Vec<bool> = self
            .devices
            .iter()
            .filter_map(Device::configured_preemption)
            .collect();
        if let Some(pair) = self.pair.as_mut().filter(|_| !configured.is_empty()) {
            pair.setup.preemptive = configured.iter().all(|preemptive| *preemptive);
        }
    }

    /// Lets a device's partner take its running configuration over; whether that is possible at present.
    pub(crate) fn synchronise(&mut self, world: &World, from: usize) -> Result<(), SyncRefused> {
        let now = self.now;
        let both = self.devices.iter().all(Device::dataplane_up);
        let Some(pair) = self.pair.as_ref().filter(|_| both) else {
            return Err(SyncRefused::NoPeer);
        };
        let preemptive = Some(pair.setup.preemptive);
        let running = |device| Sight { world, device, now }.running_config(preemptive);
        let (theirs, own) = (running(&self.devices[from]), running(&self.devices[1 - from]));
        let peer = &mut self.devices[1 - from];
        if peer.jobs.runs(|kind| kind == JobKind::HaSync) {
            return Err(SyncRefused::Busy);
        }
        peer.take_over(own, theirs);
        let length = peer.spread(world, "ha sync", TAKING_OVER);
        peer.jobs
            .enqueue(now, JobKind::HaSync, Plan::Succeed, Some(length), None);
        Ok(())
    }

    fn hand_over(&mut self, world: &World, from: usize, version: Version) {
        if let Some(peer) = self.devices.get_mut(1 - from).filter(|peer| peer.dataplane_up()) {
            peer.receive_image(world, version);
        }
    }

    /// Lets HA and the traffic account follow whatever just changed.
    pub(crate) fn settle(&mut self, world: &World) {
        let now = self.now;
        if let Some((pair, view)) = self.pair_and_view(world) {
            pair.settle(now, &view);
        }
        self.tell_roles(world);
    }

    /// Lets each member know its role, and the other's version.
    fn tell_roles(&mut self, world: &World) {
        let Some(pair) = &self.pair else { return };
        let versions: Vec<Version> = self.devices.iter().map(Device::version).collect();
        for (index, device) in self.devices.iter_mut().enumerate() {
            let state = pair.members[index].state;
            let took_over = state.leads() && device.ha.is_some_and(|before| !before.leads());
            device.ha = Some(state);
            device.peer_version = versions.get(1 - index).copied();
            if took_over {
                device.took_over(world, self.now);
            }
        }
    }

    fn pair_and_view(&mut self, world: &World) -> Option<(&mut Pair, View)> {
        let pair = self.pair.as_mut()?;
        let [one, other] = self.devices.as_slice() else {
            return None;
        };
        let links = [one, other].map(|device| device.ha_links(world, self.now));
        let view = View {
            up: [one.dataplane_up(), other.dataplane_up()],
            booted: [one.is_booted(), other.is_booted()],
            stays: [one.stays_up(), other.stays_up()],
            unfit: [one, other].map(|device| device.unfit_for_ha(world, self.now)),
            initial: links.map(|(_, _, initial)| initial),
            ha1: !links.iter().any(|(ha1_down, ..)| *ha1_down),
            ha2: !links.iter().any(|(_, ha2_down, _)| *ha2_down),
            apart: world
                .catalogue
                .distance(one.version(), other.version())
                .unwrap_or(0),
            older: usize::from(other.version() < one.version()),
        };
        Some((pair, view))
    }

    /// Restarts a device at the present instant.
    pub(crate) fn restart(&mut self, world: &World, index: usize) {
        let now = self.now;
        self.by_request(world, |site| site.devices[index].restart(world, now));
    }

    /// Suspends a device; false when it has no HA.
    pub(crate) fn suspend(&mut self, world: &World, index: usize) -> bool {
        if self.pair.is_none() {
            return false;
        }
        self.devices[index].counters.suspends += 1;
        let now = self.now;
        self.by_request(world, |site| {
            if let Some(pair) = &mut site.pair {
                pair.suspend(index, now);
            }
        });
        true
    }

    /// Makes a device functional; false when it has no HA.
    pub(crate) fn functional(&mut self, world: &World, index: usize) -> bool {
        let now = self.now;
        let Some(pair) = &mut self.pair else { return false };
        pair.functional(index, now);
        self.devices[index].counters.functionals += 1;
        self.settle(world);
        true
    }

    /// Makes a change that somebody asked for, and notes when it took out the last member that could serve.
    fn by_request(&mut self, world: &World, change: impl FnOnce(&mut Self)) {
        let served = self
            .pair_and_view(world)
            .is_some_and(|(pair, view)| pair.anyone_in_service(&view));
        change(self);
        if let Some((pair, view)) = self.pair_and_view(world)
            && served
            && !pair.anyone_in_service(&view)
        {
            pair.count_both_out();
        }
        self.settle(world);
    }

    pub(crate) fn power_cycle(&mut self, world: &World, index: usize) {
        let happening = self.devices[index].power_cycle(world, self.now);
        self.react(world, index, Some(happening));
        self.settle(world);
    }

    /// Puts a device into an HA state, as a fault would; false when it has no HA.
    pub(crate) fn force_ha(&mut self, world: &World, index: usize, state: HaState, reason: &str) -> bool {
        let Some(pair) = &mut self.pair else { return false };
        pair.force(index, state, reason, self.now);
        self.settle(world);
        true
    }

    /// Cuts a link between the members, or heals it; false when there is no HA.
    pub(crate) fn cut_ha(&mut self, world: &World, link: HaLink, cut: bool) -> bool {
        let Some(pair) = &mut self.pair else { return false };
        pair.cut(link, cut);
        self.settle(world);
        true
    }

    /// Another fault for one device.
    pub(crate) fn afflict(&mut self, world: &World, index: usize, rule: FaultRule) {
        self.devices[index].afflict(world, rule, self.now);
        self.settle(world);
    }

    /// Ends one of a device's faults, or all of them; false for a fault that nobody gave it.
    pub(crate) fn cure(&mut self, world: &World, index: usize, rule: Option<&str>) -> bool {
        if rule.is_some_and(|rule| !self.devices[index].knows_fault(world, rule)) {
            return false;
        }
        let happening = self.devices[index].cure(world, rule, self.now);
        self.react(world, index, happening);
        self.settle(world);
        true
    }

    /// Somebody at the console leaves maintenance mode; false when that is not possible.
    pub(crate) fn leave_maintenance(&mut self, world: &World, index: usize, exit: MaintenanceExit) -> bool {
        let happening = self.devices[index].leave_maintenance(world, exit, self.now);
        self.react(world, index, happening);
        self.settle(world);
        happening.is_some()
    }
}
