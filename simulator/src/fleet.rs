//! The fleet: finds a device, brings it up to date, and lets others look at it or act on it.
//!
//! Everything is lazy: a site advances when somebody looks at it. What becomes of a request is in `exchange.rs`. Nothing here
//! opens a socket.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};

use crate::clock::SimClock;
use crate::device::{Counters, Device};
use crate::events::{EventLog, Events, Occurrence};
use crate::line::{Cut, Line, LineReport};
use crate::management::Management;
use crate::notes;
use crate::pair::{Pair, Setup};
use crate::panorama::PanoramaSpec;
use crate::report::{self, DeviceState, DeviceSummary, Totals};
use crate::seed::Seed;
use crate::site::Site;
use crate::spec::{Concurrency, FleetSpec, PairSpec, Resolved, SpecError};
use crate::traffic::PairReport;
use crate::world::World;

mod exchange;

pub use exchange::Exchange;
pub(crate) use exchange::{
    Doorstep, EndsInReset, Met, arrive, count, refusal, returned, time_for, worth_noting,
};

/// One site and what its clients meet.
struct Cell {
    site: Mutex<Site>,
    /// Told whenever something changed that no timer announced.
    changed: watch::Sender<()>,
    posts: Vec<Post>,
}

/// One device's management port.
pub(crate) struct Post {
    pub(crate) calls: Semaphore,
    pub(crate) line: Mutex<Line>,
    certificate: AtomicU64,
}

/// A fleet of simulated devices.
pub struct Fleet {
    clock: SimClock,
    world: World,
    concurrency: Concurrency,
    events: Mutex<EventLog>,
    cells: Vec<Cell>,
    /// Cell and place in it, by device.
    places: BTreeMap<String, (usize, usize)>,
    pairs: BTreeMap<String, usize>,
    /// Names of the firewalls, as the fleet file orders them, then of the Panoramas.
    order: Vec<String>,
    pub(crate) management: Management,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Fleet")
            .field("devices", &self.order.len())
            .finish_non_exhaustive()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    /// Builds a fleet. Its devices are in the state the file describes at the clock's epoch.
    ///
    /// # Errors
    /// When the fleet is impossible, as [`FleetSpec::parse`] says it, without a place.
    pub fn new(spec: FleetSpec, clock: SimClock) -> Result<Arc<Self>, SpecError> {
        let resolved = spec
            .resolve()
            .map_err(|problem| problem.into_error("the fleet", None))?;
        let epoch = clock.epoch();
        let concurrency = spec.concurrency;
        let Resolved {
            catalogue,
            classes,
            rules,
        } = resolved;
        let world = World {
            seed: Seed::new(spec.seed),
            catalogue,
            rules,
            credentials: spec.credentials,
        };
        let classes: Vec<Arc<_>> = classes.into_iter().map(Arc::new).collect();
        let panoramas = spec.panoramas.iter().map(PanoramaSpec::device);
        let mut devices: BTreeMap<String, Device> = BTreeMap::new();
        for device in spec.devices.iter().cloned().chain(panoramas) {
            // `resolve` has found a class for every model.
            if let Some(class) = classes.iter().find(|class| class.models.contains(&device.model)) {
                devices.insert(
                    device.name.clone(),
                    Device::new(&device, class.clone(), &world, epoch),
                );
            }
        }
        let management = Management::new(&spec.panoramas, devices.values());
        let firewalls = spec.devices.iter().map(|device| device.name.as_str());
        let order = firewalls
            .chain(management.panoramas())
            .map(str::to_owned)
            .collect();
        let mut sites = Vec::new();
        for pair in &spec.pairs {
            let [one, other] = &pair.members;
            if let (Some(one), Some(other)) = (devices.remove(one), devices.remove(other)) {
                let ha = Pair::new(&pair.name, setup(pair), position(pair, &pair.active), epoch);
                sites.push(Site::paired([one, other], ha, &world, epoch));
            }
        }
        sites.extend(
            devices
                .into_values()
                .map(|device| Site::standalone(device, &world, epoch)),
        );
        Ok(Arc::new(Self::of(
            sites,
            order,
            management,
            world,
            clock,
            concurrency,
        )))
    }

    fn of(
        sites: Vec<Site>,
        order: Vec<String>,
        management: Management,
        world: World,
        clock: SimClock,
        concurrency: Concurrency,
    ) -> Self {
        let (mut places, mut pairs, mut cells) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for site in sites {
            let cell = cells.len();
            for (index, device) in site.devices.iter().enumerate() {
                places.insert(device.name.clone(), (cell, index));
            }
            if let Some(pair) = &site.pair {
                pairs.insert(pair.name.clone(), cell);
            }
            let posts = site.devices.iter().map(|_| Post::new(concurrency)).collect();
            cells.push(Cell {
                site: Mutex::new(site),
                changed: watch::Sender::new(()),
                posts,
            });
        }
        Self {
            clock,
            world,
            concurrency,
            events: Mutex::default(),
            cells,
            places,
            pairs,
            order,
            management,
        }
    }

    /// The clock the fleet lives by.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// All firewalls, as the fleet file orders them.
    pub fn devices(&self) -> Vec<DeviceSummary> {
        let firewalls = self.order.len() - self.management.panoramas().count();
        let names = self.order.iter().take(firewalls);
        names.filter_map(|name| self.summary(name)).collect()
    }

    /// All Panoramas, by name.
    pub fn panoramas(&self) -> Vec<DeviceSummary> {
        self.management
            .panoramas()
            .filter_map(|name| self.summary(name))
            .collect()
    }

    fn summary(&self, device: &str) -> Option<DeviceSummary> {
        self.look(device, |site, index| {
            report::summary(&site.devices[index], site.pair.as_ref().map(|pair| (pair, index)))
        })
    }

    /// The names of the pairs.
    pub fn pairs(&self) -> Vec<String> {
        self.pairs.keys().cloned().collect()
    }

    /// What a device has done; `None` for an unknown one.
    pub fn counters(&self, device: &str) -> Option<Counters> {
        self.look(device, |site, index| site.devices[index].counters.clone())
    }

    /// What all devices have done.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for cell in 0..self.cells.len() {
            let site = self.present(cell);
            site.devices.iter().for_each(|device| totals.add(device));
        }
        totals
    }

    /// What a device is and does; `None` for an unknown one.
    pub fn state(&self, device: &str) -> Option<DeviceState> {
        self.look(device, |site, index| {
            let member = site.pair.as_ref().map(|pair| (pair, index));
            report::state(&self.world, &site.devices[index], member, site.now())
        })
    }

    /// What became of a pair's traffic; `None` for an unknown one.
    pub fn pair_report(&self, pair: &str) -> Option<PairReport> {
        let site = self.present(*self.pairs.get(pair)?);
        let now = site.now();
        site.pair.as_ref().map(|pair| pair.report(now))
    }

    /// What is wrong with the line to a device; `None` for an unknown one.
    pub fn line(&self, device: &str) -> Option<LineReport> {
        self.on_line(device, |line| line.report(self.now()))
    }

    /// Whether a device's management network is whole. Says nothing of the device.
    pub fn reachable(&self, device: &str) -> bool {
        self.on_line(device, |line| line.is_cut(self.now()).is_none())
            .unwrap_or(false)
    }

    /// What happened after the event numbered `since`, up to `most` events. Devices that nobody looked at since something
    /// was due are brought up to the present first.
    pub fn events(&self, since: u64, most: usize) -> Events {
        for cell in 0..self.cells.len() {
            drop(self.present(cell));
        }
        lock(&self.events).since(since, most)
    }

    pub(crate) fn note(&self, at: Timestamp, device: Option<&str>, what: Occurrence) {
        lock(&self.events).note(at, device, what);
    }

    pub(crate) fn knows(&self, device: &str) -> bool {
        self.places.contains_key(device)
    }

    /// Names of the firewalls, as the fleet file orders them, then of the Panoramas.
    pub(crate) fn names(&self) -> &[String] {
        &self.order
    }

    /// A site, brought up to the present.
    fn present(&self, cell: usize) -> MutexGuard<'_, Site> {
        let mut site = lock(&self.cells[cell].site);
        site.advance(&self.world, self.clock.now());
        self.keep_notes(&mut site);
        site
    }

    fn keep_notes(&self, site: &mut Site) {
        let notes = site.take_notes();
        if notes.is_empty() {
            return;
        }
        let mut events = lock(&self.events);
        for (at, index, what) in notes {
            events.note(at, Some(&site.devices[index].name), what);
        }
    }

    /// Looks at a device, brought up to the present.
    pub(crate) fn look<T>(&self, device: &str, see: impl FnOnce(&Site, usize) -> T) -> Option<T> {
        let (cell, index) = *self.places.get(device)?;
        Some(see(&self.present(cell), index))
    }

    /// Does something with a device's site, brought up to the present.
    pub(crate) fn on_site<T>(
        &self,
        device: &str,
        action: impl FnOnce(&World, &mut Site, usize) -> T,
    ) -> Option<T> {
        let (cell, index) = *self.places.get(device)?;
        let mut site = self.present(cell);
        let before = notes::standings(&site);
        let done = action(&self.world, &mut site, index);
        site.note_since(&before);
        self.keep_notes(&mut site);
        Some(done)
    }

    pub(crate) fn post(&self, device: &str) -> Option<&Post> {
        let (cell, index) = *self.places.get(device)?;
        self.cells[cell].posts.get(index)
    }

    pub(crate) fn on_line<T>(&self, device: &str, action: impl FnOnce(&mut Line) -> T) -> Option<T> {
        self.post(device).map(|post| action(&mut lock(&post.line)))
    }

    /// Tells whoever watches a device that it changed.
    pub(crate) fn announce(&self, device: &str) {
        if let Some((cell, _)) = self.places.get(device) {
            self.cells[*cell].changed.send_replace(());
        }
    }

    pub(crate) fn change_certificate(&self, device: &str) {
        if let Some(post) = self.post(device) {
            post.certificate.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often a device's certificate was changed.
    pub(crate) fn certificate(&self, device: &str) -> u64 {
        self.post(device)
            .map_or(0, |post| post.certificate.load(Ordering::Relaxed))
    }

    /// Whether connecting to a device is any use at present.
    fn listens(&self, device: &str) -> bool {
        self.look(device, |site, index| site.devices[index].listens())
            .unwrap_or(false)
    }

    /// Ends when a device stops listening, or its line is cut so that connections break.
    pub(crate) async fn until_down(&self, device: &str) {
        self.until(device, |listens, cut| !listens || cut == Some(Cut::Refuse))
            .await;
    }

    /// Ends when the line to a device is no longer silent.
    pub(crate) async fn until_heard(&self, device: &str) {
        self.until(device, |_, cut| cut != Some(Cut::Silence)).await;
    }

    /// Ends when whether a device listens and how its line is cut are as wanted.
    async fn until(&self, device: &str, wanted: impl Fn(bool, Option<Cut>) -> bool) {
        let Some((cell, index)) = self.places.get(device).copied() else {
            return;
        };
        let mut changed = self.cells[cell].changed.subscribe();
        loop {
            let (listens, mut next) = {
                let site = self.present(cell);
                (site.devices[index].listens(), site.next_event())
            };
            let now = self.now();
            let line = self.on_line(device, |line| (line.is_cut(now), line.heals()));
            let (cut, heals) = line.unwrap_or_default();
            if wanted(listens, cut) {
                return;
            }
            next = next.into_iter().chain(heals.filter(|heals| *heals > now)).min();
            let due = async {
                match next {
                    Some(next) => self.clock.sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                _ = changed.changed() => {}
            }
        }
    }

    /// The simulated instant.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Which member of a pair has a name.
fn position(pair: &PairSpec, name: &str) -> usize {
    usize::from(pair.members[1] == name)
}

fn setup(pair: &PairSpec) -> Setup {
    Setup {
        mode: pair.mode,
        preferred: position(pair, pair.preferred.as_ref().unwrap_or(&pair.active)),
        preemptive: pair.preemptive,
        suspension_survives: pair.suspended_survives_reboot,
        session_owner: pair.session_owner,
    }
}

impl Post {
    fn new(concurrency: Concurrency) -> Self {
        Self {
            calls: Semaphore::new(concurrency.limit.get().into()),
            line: Mutex::new(Line::default()),
            certificate: AtomicU64::new(0),
        }
    }
}
