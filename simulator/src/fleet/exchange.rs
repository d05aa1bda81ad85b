//! What becomes of a request: it waits for its turn, arrives or does not, is answered, and the reply comes back or does not.

use std::num::NonZeroU32;

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::SemaphorePermit;

use super::{Fleet, Post, lock};
use crate::answer::{Question, Scene, admit, answer};
use crate::device::Phase;
use crate::events::Occurrence;
use crate::line::{Cut, Line, NetworkFault};
use crate::operation::Operation;
use crate::reply;
use crate::request::ApiRequest;
use crate::spec::Excess;

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

/// The mark of a cut reply whose connection is reset rather than ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndsInReset;

/// What becomes of a request, and how slowly its reply arrives.
#[derive(Debug)]
pub(crate) struct Met {
    pub(crate) exchange: Exchange,
    /// Bytes of the body in a simulated second.
    pub(crate) pace: Option<NonZeroU32>,
}

/// What a new connection meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doorstep {
    /// The device.
    Open,
    /// Nobody: it is turned away.
    Closed,
    /// Silence, until the line heals.
    Silent,
}

impl Fleet {
    /// Sends one request to one device, and waits for the whole reply. An unknown device refuses.
    ///
    /// A device works on so many calls at a time as the fleet file says; what becomes of a further one, it says as well.
    pub async fn exchange(&self, device: &str, request: Request<Bytes>) -> Exchange {
        let Met { exchange, pace } = self.meet(device, request).await;
        let (Some(pace), Exchange::Reply(reply) | Exchange::Partial(reply)) = (pace, &exchange) else {
            return exchange;
        };
        self.clock.sleep(time_for(reply.body().len(), pace)).await;
        self.severed(device).unwrap_or(exchange)
    }

    /// Sends one request to one device. The reply is what begins to arrive.
    pub(crate) async fn meet(&self, device: &str, request: Request<Bytes>) -> Met {
        let exchange = |exchange| Met { exchange, pace: None };
        let Some(post) = self.post(device) else {
            return exchange(Exchange::Refused);
        };
        let phase = self.look(device, |site, index| site.devices[index].phase);
        if let Some(away) = self.severed(device).or_else(|| phase.and_then(away)) {
            return exchange(away);
        }
        let Some(api) = ApiRequest::read(&request) else {
            return exchange(Exchange::Reply(reply::not_found()));
        };
        let question = Question::of(&api);
        let operation = question.operation();
        let latency = lock(&post.line).latency(operation, self.now());
        if latency > SignedDuration::ZERO {
            self.clock.sleep(latency).await;
        }
        let Some(_call) = self.take_up(device, post).await else {
            return exchange(Exchange::Reply(reply::too_many_calls()));
        };
        self.work(device, operation).await;
        let passed_on = api
            .target()
            .filter(|_| self.management.is_panorama(device) && operation != Some(Operation::Keygen));
        let met = match passed_on {
            Some(serial) => self.relay(device, serial, &api, &question).await,
            None => self.deliver(device, post, &api, &question),
        };
        let pace = lock(&post.line).pace(operation, self.now());
        Met { exchange: met, pace }
    }

    /// Hands a request to its own device.
    fn deliver(&self, device: &str, post: &Post, api: &ApiRequest, question: &Question) -> Exchange {
        let elsewhere = &self.elsewhere(device, question.operation());
        let met = self.on_site(device, |world, site, index| {
            hand_over(
                &mut Scene {
                    world,
                    site,
                    index,
                    elsewhere,
                },
                &mut lock(&post.line),
                api,
                question,
                &|at, what| self.note(at, Some(device), what),
            )
        });
        if question.operation().is_some_and(Operation::is_changing) {
            self.announce(device);
        }
        met.unwrap_or(Exchange::Refused)
    }

    /// The time that a device works on a request.
    pub(crate) async fn work(&self, device: &str, operation: Option<Operation>) {
        let starved = self.look(device, |site, index| {
            site.devices[index].reply_delay(&self.world, site.now())
        });
        let time = service_time(operation) + starved.unwrap_or(SignedDuration::ZERO);
        self.clock.sleep(time).await;
    }

    /// A place among the calls that a device works on; `None` where a further call is refused.
    pub(crate) async fn take_up<'p>(&self, device: &str, post: &'p Post) -> Option<SemaphorePermit<'p>> {
        let place = match self.concurrency.excess {
            // The semaphore is never closed: no other error can come.
            Excess::Wait => post.calls.acquire().await.ok(),
            Excess::Refuse => post.calls.try_acquire().ok(),
        };
        if place.is_none() {
            self.on_site(device, |_, site, index| {
                site.devices[index].counters.calls_refused += 1
            });
        }
        place
    }

    /// What becomes of whatever is under way while the line is cut.
    fn severed(&self, device: &str) -> Option<Exchange> {
        let cut = self.on_line(device, |line| line.is_cut(self.now())).flatten()?;
        Some(match cut {
            Cut::Silence => Exchange::Silence,
            Cut::Refuse => Exchange::Refused,
        })
    }

    /// What a new connection meets. A fault for connections is used up by one.
    pub(crate) fn doorstep(&self, device: &str) -> Doorstep {
        let now = self.now();
        let cut = self.on_line(device, |line| line.is_cut(now)).flatten();
        match cut {
            Some(Cut::Silence) => return Doorstep::Silent,
            Some(Cut::Refuse) => return Doorstep::Closed,
            None if !self.listens(device) => return Doorstep::Closed,
            None => {}
        }
        let met = self.on_line(device, |line| line.connecting(now)).flatten();
        match met {
            Some(fault) => {
                let operation = None;
                self.note(now, Some(device), Occurrence::Network { fault, operation });
                Doorstep::Closed
            }
            None => Doorstep::Open,
        }
    }
}

fn service_time(operation: Option<Operation>) -> SignedDuration {
    match operation {
        Some(Operation::SoftwareCheck | Operation::Support) => UPDATE_SERVER_TIME,
        _ => SERVICE_TIME,
    }
}

/// What a device that cannot be reached does with a connection.
fn away(phase: Phase) -> Option<Exchange> {
    match phase {
        Phase::ShuttingDown => Some(Exchange::Reset),
        Phase::Dark | Phase::Management | Phase::Maintenance => Some(Exchange::Refused),
        Phase::Up
        | Phase::Restarting
        | Phase::Login
        | Phase::Services
        | Phase::AutoCommit
        | Phase::Settling
        | Phase::Returning => None,
    }
}

/// The time that a body takes at so many bytes a second.
pub(crate) fn time_for(bytes: usize, pace: NonZeroU32) -> SignedDuration {
    let millis = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1000) / u64::from(pace.get());
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Where the event log takes what happens to a request.
type Note<'a> = &'a dyn Fn(Timestamp, Occurrence);

/// The request arrives, or does not; the reply comes back, or does not.
fn hand_over(
    scene: &mut Scene<'_>,
    line: &mut Line,
    api: &ApiRequest,
    question: &Question,
    note: Note<'_>,
) -> Exchange {
    let fault = match arrive(scene, line, question, note) {
        Ok(fault) => fault,
        Err(lost) => return *lost,
    };
    let reply = told(scene, api, question);
    if let Some(what) = worth_noting(question.operation(), &reply) {
        note(scene.site.now(), what);
    }
    returned(reply, fault)
}

/// Whether a request reaches its device; what is going to happen to the reply, or what became of the request.
pub(crate) fn arrive(
    scene: &mut Scene<'_>,
    line: &mut Line,
    question: &Question,
    note: Note<'_>,
) -> Result<Option<NetworkFault>, Box<Exchange>> {
    let now = scene.site.now();
    let severed = match line.is_cut(now) {
        Some(Cut::Silence) => Some(Exchange::Silence),
        Some(Cut::Refuse) => Some(Exchange::Refused),
        None => None,
    };
    if let Some(lost) = away(scene.site.devices[scene.index].phase).or(severed) {
        return Err(Box::new(lost));
    }
    let operation = question.operation();
    let fault = line.take(operation, now);
    if let Some(fault) = fault {
        let operation = operation.map(Operation::name);
        note(now, Occurrence::Network { fault, operation });
    }
    if let Some(exchange) = fault.and_then(instead) {
        return Err(Box::new(exchange));
    }
    count(scene);
    Ok(fault)
}

/// A request is there. One too many, and a management plane that starves leaves HA.
pub(crate) fn count(scene: &mut Scene<'_>) {
    let (world, now) = (scene.world, scene.site.now());
    let device = &mut scene.site.devices[scene.index];
    device.counters.requests += 1;
    device.requests_since_boot += 1;
    if device.in_pair && device.is_starved(world, now) {
        scene.site.settle(world);
    }
}

/// The entry of a request that can change the device, or that asked for a key.
pub(crate) fn worth_noting(operation: Option<Operation>, reply: &Response<Bytes>) -> Option<Occurrence> {
    let operation =
        operation.filter(|operation| operation.is_changing() || *operation == Operation::Keygen)?;
    let (operation, http) = (operation.name(), reply.status().as_u16());
    Some(Occurrence::Request { operation, http })
}

/// What comes of a request that a fault keeps from the device.
fn instead(fault: NetworkFault) -> Option<Exchange> {
    match fault {
        NetworkFault::Refuse => Some(Exchange::Refused),
        NetworkFault::Reset | NetworkFault::ResetBeforeTls => Some(Exchange::Reset),
        NetworkFault::Hang => Some(Exchange::Silence),
        NetworkFault::Html => Some(Exchange::Reply(reply::login_page())),
        NetworkFault::ErrorPage => Some(Exchange::Reply(reply::bad_gateway())),
        NetworkFault::Truncate
        | NetworkFault::ResetMidReply
        | NetworkFault::TruncatedXml
        | NetworkFault::LoseReply
        | NetworkFault::SwallowReply
        | NetworkFault::Latency { .. }
        | NetworkFault::Drip { .. } => None,
    }
}

/// What of a reply comes back.
pub(crate) fn returned(reply: Response<Bytes>, fault: Option<NetworkFault>) -> Exchange {
    match fault {
        Some(NetworkFault::Truncate) => Exchange::Partial(truncated(reply)),
        Some(NetworkFault::ResetMidReply) => {
            let mut reply = truncated(reply);
            reply.extensions_mut().insert(EndsInReset);
            Exchange::Partial(reply)
        }
        Some(NetworkFault::TruncatedXml) => Exchange::Reply(reply.map(|body| body.slice(..body.len() / 2))),
        Some(NetworkFault::LoseReply) => Exchange::Reset,
        Some(NetworkFault::SwallowReply) => Exchange::Silence,
        _ => Exchange::Reply(reply),
    }
}

/// What a device with a web server says.
fn told(scene: &mut Scene<'_>, api: &ApiRequest, question: &Question) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.site.now());
    if scene.is_unable_to_answer() {
        return reply::unavailable();
    }
    let logs_in = question.operation() == Some(Operation::Keygen);
    let reply = match turned_away(scene, question) {
        Some(refusal) => refusal,
        None => answer(scene, api, question),
    };
    if logs_in {
        let accepted = reply.status() == http::StatusCode::OK;
        scene.site.devices[scene.index].login_ended(world, accepted, now);
    }
    reply
}

/// The reply of a device that lets nobody in.
fn turned_away(scene: &mut Scene<'_>, question: &Question) -> Option<Response<Bytes>> {
    let (world, now) = (scene.world, scene.site.now());
    let device = &mut scene.site.devices[scene.index];
    let logs_in = question.operation() == Some(Operation::Keygen);
    let turned = device.refuses_logins(world, now) || (logs_in && device.is_account_locked(now));
    turned.then(|| {
        device.counters.logins += u64::from(logs_in);
        reply::invalid_credential()
    })
}

/// The reply of a Panorama that does not pass a request on.
pub(crate) fn refusal(
    scene: &mut Scene<'_>,
    api: &ApiRequest,
    question: &Question,
) -> Option<Response<Bytes>> {
    if scene.is_unable_to_answer() {
        return Some(reply::unavailable());
    }
    turned_away(scene, question).or_else(|| admit(scene, api, question).err().map(|refusal| *refusal))
}

impl Scene<'_> {
    /// Nobody is behind the web server: services start, or starve.
    pub(crate) fn is_unable_to_answer(&self) -> bool {
        let device = &self.site.devices[self.index];
        device.phase == Phase::Services || device.starves_request(self.world, self.site.now())
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
