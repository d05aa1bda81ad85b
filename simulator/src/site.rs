//! One standalone device or one HA pair: the unit that shares a timeline.
//!
//! Brings its devices up to an instant, event by event in order of time, and lets them act on each other.

use jiff::Timestamp;

use crate::device::{Device, Happening};
use crate::events::Occurrence;
use crate::notes::{self, Standing};
use crate::pair::{HaState, Pair, View};
use crate::release::Version;
use crate::wording;
use crate::world::World;

pub(crate) struct Site {
    pub(crate) devices: Vec<Device>,
    pub(crate) pair: Option<Pair>,
    now: Timestamp,
    /// What changed and is not in the fleet's event log yet.
    notes: Vec<(Timestamp, usize, Occurrence)>,
}

enum Turn {
    Device(usize),
    Pair,
}

impl Site {
    pub(crate) fn standalone(device: Device, epoch: Timestamp) -> Self {
        Self {
            devices: vec![device],
            pair: None,
            now: epoch,
            notes: Vec::new(),
        }
    }

    pub(crate) fn paired(mut devices: [Device; 2], pair: Pair, world: &World, epoch: Timestamp) -> Self {
        for device in &mut devices {
            device.in_pair = true;
        }
        let mut site = Self {
            devices: devices.into(),
            pair: Some(pair),
            now: epoch,
            notes: Vec::new(),
        };
        if let Some((pair, view)) = site.pair_and_view(world) {
            if view.apart >= 2 {
                pair.force(1 - view.older, HaState::Active, "");
                pair.force(view.older, HaState::Suspended, wording::PEER_TOO_OLD);
            }
            pair.settle(epoch, &view);
        }
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
                if let Some(pair) = &mut self.pair {
                    pair.down(index);
                }
            }
            Some(Happening::HaSettled) => {
                if let Some((pair, view)) = self.pair_and_view(world) {
                    pair.join(index, &view);
                }
            }
            Some(Happening::LoadedForBoth(version)) => self.hand_over(world, index, version),
        }
    }

    fn hand_over(&mut self, world: &World, from: usize, version: Version) {
        if let Some(peer) = self.devices.get_mut(1 - from).filter(|peer| peer.dataplane_up()) {
            peer.receive_image(world, version);
        }
    }

    /// Lets HA and the traffic account follow whatever just changed.
    fn settle(&mut self, world: &World) {
        let now = self.now;
        if let Some((pair, view)) = self.pair_and_view(world) {
            pair.settle(now, &view);
        }
    }

    fn pair_and_view(&mut self, world: &World) -> Option<(&mut Pair, View)> {
        let pair = self.pair.as_mut()?;
        let [one, other] = self.devices.as_slice() else {
            return None;
        };
        let view = View {
            up: [one.dataplane_up(), other.dataplane_up()],
            stays: [one.stays_up(), other.stays_up()],
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
        self.by_request(world, |site| {
            if let Some(pair) = &mut site.pair {
                pair.suspend(index);
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
        pair.force(index, state, reason);
        self.settle(world);
        true
    }
}
