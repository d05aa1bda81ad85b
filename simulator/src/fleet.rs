//! The fleet: finds the device a request is for, brings it up to date, and answers as its network would.
//!
//! Everything is lazy: a site advances when somebody looks at it. Nothing here opens a socket.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, watch};

use crate::answer::{Question, Scene, admit, answer};
use crate::clock::SimClock;
use crate::device::{Counters, Device, Phase};
use crate::line::{Line, NetworkFault};
use crate::management::Management;
use crate::operation::Operation;
use crate::pair::{Pair, PairReport};
use crate::panorama::PanoramaSpec;
use crate::reply;
use crate::report::{self, DeviceState, DeviceSummary};
use crate::request::ApiRequest;
use crate::seed::Seed;
use crate::site::Site;
use crate::spec::{FleetSpec, Resolved, SpecError};
use crate::world::World;

/// "Limit the number of concurrent API calls to five" (vendor XML API guide).
const CONCURRENT_CALLS: usize = 5;

/// What a management plane takes to answer.
const SERVICE_TIME: SignedDuration = SignedDuration::from_millis(40);

/// What it takes when the update server has to be asked first.
const UPDATE_SERVER_TIME: SignedDuration = SignedDuration::from_millis(1500);

/// What becomes of a request.
#[derive(Debug)]
pub enum Exchange {
    /// A whole reply.
    Reply(Response<Bytes>),
    /// Nothing listens.
    Refused,
    /// The connection was closed before the reply, or during it, and nothing usable came.
    Reset,
    /// The reply breaks off: the body is the part that came, the rest is missing.
    Partial(Response<Bytes>),
    /// Nothing is ever answered. Whoever waits has to give up by itself.
    Silence,
}

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
    cells: Vec<Cell>,
    /// Cell and place in it, by device.
    places: BTreeMap<String, (usize, usize)>,
    pairs: BTreeMap<String, usize>,
    /// Names of the firewalls, as the fleet file orders them.
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
        let Resolved {
            catalogue,
            classes,
            rules,
        } = resolved;
        let world = World {
            seed: Seed::new(spec.seed),
            catalogue,
            rules,
            login: spec.login_before_autocommit_fixed,
            credentials: spec.credentials,
        };
        let classes: Vec<Arc<_>> = classes.into_iter().map(Arc::new).collect();
        let order: Vec<String> = spec.devices.iter().map(|device| device.name.clone()).collect();
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
        let mut sites = Vec::new();
        for pair in &spec.pairs {
            let [one, other] = &pair.members;
            if let (Some(one), Some(other)) = (devices.remove(one), devices.remove(other)) {
                let active = usize::from(other.name == pair.active);
                let ha = Pair::new(
                    &pair.name,
                    active,
                    pair.preemptive,
                    pair.suspended_survives_reboot,
                );
                sites.push(Site::paired([one, other], ha, &world, epoch));
            }
        }
        sites.extend(
            devices
                .into_values()
                .map(|device| Site::standalone(device, epoch)),
        );
        Ok(Arc::new(Self::of(sites, order, management, world, clock)))
    }

    fn of(
        sites: Vec<Site>,
        order: Vec<String>,
        management: Management,
        world: World,
        clock: SimClock,
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
            let posts = site.devices.iter().map(|_| Post::new()).collect();
            cells.push(Cell {
                site: Mutex::new(site),
                changed: watch::Sender::new(()),
                posts,
            });
        }
        Self {
            clock,
            world,
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
        self.order.iter().filter_map(|name| self.summary(name)).collect()
    }

    /// All Panoramas, by name.
    pub fn panoramas(&self) -> Vec<DeviceSummary> {
        self.management
            .panoramas()
            .filter_map(|name| self.summary(name))
            .collect()
    }

    fn summary(&self, device: &str) -> Option<DeviceSummary> {
        self.on_site(device, |_, site, index| {
            report::summary(&site.devices[index], site.pair.as_ref())
        })
    }

    /// The names of the pairs.
    pub fn pairs(&self) -> Vec<String> {
        self.pairs.keys().cloned().collect()
    }

    /// What a device has done; `None` for an unknown one.
    pub fn counters(&self, device: &str) -> Option<Counters> {
        self.on_site(device, |_, site, index| site.devices[index].counters.clone())
    }

    /// What a device is and does; `None` for an unknown one.
    pub fn state(&self, device: &str) -> Option<DeviceState> {
        self.on_site(device, |_, site, index| {
            let member = site.pair.as_ref().map(|pair| (pair, index));
            report::state(&site.devices[index], member, site.now())
        })
    }

    /// What became of a pair's traffic; `None` for an unknown one.
    pub fn pair_report(&self, pair: &str) -> Option<PairReport> {
        let mut site = lock(&self.cells[*self.pairs.get(pair)?].site);
        site.advance(&self.world, self.clock.now());
        let now = site.now();
        site.pair.as_ref().map(|pair| pair.report(now))
    }

    pub(crate) fn knows(&self, device: &str) -> bool {
        self.places.contains_key(device)
    }

    /// Does something with a device's site, brought up to the present.
    pub(crate) fn on_site<T>(
        &self,
        device: &str,
        action: impl FnOnce(&World, &mut Site, usize) -> T,
    ) -> Option<T> {
        let (cell, index) = *self.places.get(device)?;
        let mut site = lock(&self.cells[cell].site);
        site.advance(&self.world, self.clock.now());
        Some(action(&self.world, &mut site, index))
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

    /// Sends one request to one device. An unknown device refuses.
    ///
    /// A device works on five calls at a time; further ones wait.
    pub async fn exchange(&self, device: &str, request: Request<Bytes>) -> Exchange {
        let Some(post) = self.post(device) else {
            return Exchange::Refused;
        };
        if let Some(away) = self
            .on_site(device, |_, site, index| away(site.devices[index].phase))
            .flatten()
        {
            return away;
        }
        let Some(api) = ApiRequest::read(&request) else {
            return Exchange::Reply(reply::not_found());
        };
        let question = Question::of(&api);
        // The semaphore is never closed: an error cannot come, and would only mean not to wait.
        let _call = post.calls.acquire().await;
        self.clock.sleep(service_time(question.operation())).await;
        if let Some(serial) = api.target().filter(|_| self.management.is_panorama(device))
            && question.operation() != Some(Operation::Keygen)
        {
            return self.relay(device, serial, &api, &question).await;
        }
        let elsewhere = &self.elsewhere(device, question.operation());
        let exchanged = self.on_site(device, |world, site, index| {
            hand_over(
                &mut Scene {
                    world,
                    site,
                    index,
                    elsewhere,
                },
                &mut lock(&post.line),
                &api,
                &question,
            )
        });
        if question.operation().is_some_and(Operation::is_changing) {
            self.announce(device);
        }
        exchanged.unwrap_or(Exchange::Refused)
    }

    /// Whether connecting to a device is any use at present.
    pub(crate) fn listens(&self, device: &str) -> bool {
        self.on_site(device, |_, site, index| site.devices[index].listens())
            .unwrap_or(false)
    }

    /// Ends when a device stops listening.
    pub(crate) async fn until_down(&self, device: &str) {
        let Some((cell, index)) = self.places.get(device).copied() else {
            return;
        };
        let mut changed = self.cells[cell].changed.subscribe();
        loop {
            let (listens, next) = {
                let mut site = lock(&self.cells[cell].site);
                site.advance(&self.world, self.clock.now());
                (site.devices[index].listens(), site.next_event())
            };
            if !listens {
                return;
            }
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

impl Post {
    fn new() -> Self {
        Self {
            calls: Semaphore::new(CONCURRENT_CALLS),
            line: Mutex::new(Line::default()),
            certificate: AtomicU64::new(0),
        }
    }
}

pub(crate) fn service_time(operation: Option<Operation>) -> SignedDuration {
    match operation {
        Some(Operation::SoftwareCheck | Operation::Support) => UPDATE_SERVER_TIME,
        _ => SERVICE_TIME,
    }
}

/// What a device that cannot be reached does with a connection.
fn away(phase: Phase) -> Option<Exchange> {
    match phase {
        Phase::ShuttingDown => Some(Exchange::Reset),
        Phase::Dark | Phase::Management => Some(Exchange::Refused),
        Phase::Up
        | Phase::Restarting
        | Phase::Login
        | Phase::Services
        | Phase::AutoCommit
        | Phase::Settling
        | Phase::Returning => None,
    }
}

/// The request arrives, or does not; the reply comes back, or does not.
fn hand_over(scene: &mut Scene<'_>, line: &mut Line, api: &ApiRequest, question: &Question) -> Exchange {
    let fault = match arrive(scene, line, question) {
        Ok(fault) => fault,
        Err(lost) => return *lost,
    };
    let reply = match unable(scene, question) {
        Some(refusal) => refusal,
        None => answer(scene, api, question),
    };
    returned(reply, fault)
}

/// Whether a request reaches its device; what is going to happen to the reply, or what became of the request.
pub(crate) fn arrive(
    scene: &mut Scene<'_>,
    line: &mut Line,
    question: &Question,
) -> Result<Option<NetworkFault>, Box<Exchange>> {
    let device = &mut scene.site.devices[scene.index];
    if let Some(away) = away(device.phase) {
        return Err(Box::new(away));
    }
    let fault = line.take(question.operation());
    let lost = match fault {
        Some(NetworkFault::Refuse) => Exchange::Refused,
        Some(NetworkFault::Reset) => Exchange::Reset,
        Some(NetworkFault::Hang) => Exchange::Silence,
        Some(NetworkFault::Html) => Exchange::Reply(reply::login_page()),
        Some(NetworkFault::Truncate | NetworkFault::LoseReply | NetworkFault::SwallowReply) | None => {
            device.counters.requests += 1;
            return Ok(fault);
        }
    };
    Err(Box::new(lost))
}

/// The reply of a device whose API is not up, or not for anybody.
fn unable(scene: &mut Scene<'_>, question: &Question) -> Option<Response<Bytes>> {
    let device = &mut scene.site.devices[scene.index];
    if device.phase == Phase::Services {
        return Some(reply::unavailable());
    }
    if !device.refuses_logins(scene.world) {
        return None;
    }
    if question.operation() == Some(Operation::Keygen) {
        device.counters.logins += 1;
    }
    Some(reply::invalid_credential())
}

/// The reply of a Panorama that does not pass a request on.
pub(crate) fn refusal(
    scene: &mut Scene<'_>,
    api: &ApiRequest,
    question: &Question,
) -> Option<Response<Bytes>> {
    unable(scene, question).or_else(|| admit(scene, api, question).err().map(|refusal| *refusal))
}

/// What of a reply comes back.
pub(crate) fn returned(reply: Response<Bytes>, fault: Option<NetworkFault>) -> Exchange {
    match fault {
        Some(NetworkFault::Truncate) => Exchange::Partial(truncated(reply)),
        Some(NetworkFault::LoseReply) => Exchange::Reset,
        Some(NetworkFault::SwallowReply) => Exchange::Silence,
        _ => Exchange::Reply(reply),
    }
}

/// The first half of a reply, under the length of the whole.
fn truncated(reply: Response<Bytes>) -> Response<Bytes> {
    let (mut parts, body) = reply.into_parts();
    parts
        .headers
        .insert(http::header::CONTENT_LENGTH, http::HeaderValue::from(body.len()));
    Response::from_parts(parts, body.slice(..body.len() / 2))
}
