//! What becomes of a request: it waits for its turn, arrives or does not, is answered, and the reply comes back or does not.

use std::num::NonZeroU32;

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::SemaphorePermit;

use super::{Fleet, Post, lock};
use crate::answer::{Question, Scene, answer};
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
        let Some(_call) = self.take_up(post).await else {
            self.on_site(device, |_, site, index| {
                site.devices[index].counters.calls_refused += 1
            });
            return exchange(Exchange::Reply(reply::too_many_calls()));
        };
        let starved = self.on_site(device, |world, site, index| {
            site.devices[index].reply_delay(world, site.now())
        });
        self.clock
            .sleep(service_time(operation) + starved.unwrap_or(SignedDuration::ZERO))
            .await;
        let met = self.on_site(device, |world, site, index| {
            let exchange = hand_over(
                &mut Scene { world, site, index },
                &mut lock(&post.line),
                &api,
                &question,
                &|at, what| self.note(at, Some(device), what),
            );
            let pace = lock(&post.line).pace(operation, site.now());
            Met { exchange, pace }
        });
        if operation.is_some_and(Operation::is_changing) {
            self.announce(device);
        }
        met.unwrap_or(exchange(Exchange::Refused))
    }

    /// A place among the calls that a device works on; `None` where a further call is refused.
    async fn take_up<'p>(&self, post: &'p Post) -> Option<SemaphorePermit<'p>> {
        match self.concurrency.excess {
            // The semaphore is never closed: no other error can come.
            Excess::Wait => post.calls.acquire().await.ok(),
            Excess::Refuse => post.calls.try_acquire().ok(),
        }
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

/// The request arrives, or does not; the reply comes back, or does not.
fn hand_over(
    scene: &mut Scene<'_>,
    line: &mut Line,
    api: &ApiRequest,
    question: &Question,
    note: &dyn Fn(Timestamp, Occurrence),
) -> Exchange {
    let now = scene.site.now();
    if let Some(away) = away(scene.site.devices[scene.index].phase) {
        return away;
    }
    match line.is_cut(now) {
        Some(Cut::Silence) => return Exchange::Silence,
        Some(Cut::Refuse) => return Exchange::Refused,
        None => {}
    }
    let operation = question.operation();
    let fault = line.take(operation, now);
    if let Some(fault) = fault {
        let operation = operation.map(Operation::name);
        note(now, Occurrence::Network { fault, operation });
    }
    if let Some(exchange) = fault.and_then(instead) {
        return exchange;
    }
    let reply = reply_of(scene, api, question);
    if let Some(operation) =
        operation.filter(|operation| operation.is_changing() || *operation == Operation::Keygen)
    {
        let (operation, http) = (operation.name(), reply.status().as_u16());
        note(now, Occurrence::Request { operation, http });
    }
    match fault {
        Some(fault) => distorted(fault, reply),
        None => Exchange::Reply(reply),
    }
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

/// What a fault leaves of a reply.
fn distorted(fault: NetworkFault, reply: Response<Bytes>) -> Exchange {
    match fault {
        NetworkFault::Truncate => Exchange::Partial(truncated(reply)),
        NetworkFault::ResetMidReply => {
            let mut reply = truncated(reply);
            reply.extensions_mut().insert(EndsInReset);
            Exchange::Partial(reply)
        }
        NetworkFault::TruncatedXml => Exchange::Reply(reply.map(|body| body.slice(..body.len() / 2))),
        NetworkFault::LoseReply => Exchange::Reset,
        NetworkFault::SwallowReply => Exchange::Silence,
        _ => Exchange::Reply(reply),
    }
}

/// The reply of a device that can be reached.
fn reply_of(scene: &mut Scene<'_>, api: &ApiRequest, question: &Question) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.site.now());
    let device = &mut scene.site.devices[scene.index];
    device.counters.requests += 1;
    device.requests_since_boot += 1;
    if device.in_pair && device.is_starved(world, now) {
        scene.site.settle(world);
    }
    told(scene, api, question)
}

/// What a device with a web server says.
fn told(scene: &mut Scene<'_>, api: &ApiRequest, question: &Question) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.site.now());
    let device = &mut scene.site.devices[scene.index];
    let logs_in = question.operation() == Some(Operation::Keygen);
    if device.phase == Phase::Services || device.starves_request(world, now) {
        return reply::unavailable();
    }
    let reply = if device.refuses_logins(world, now) || (logs_in && device.is_account_locked(now)) {
        device.counters.logins += u64::from(logs_in);
        reply::invalid_credential()
    } else {
        answer(scene, api, question)
    };
    if logs_in {
        let accepted = reply.status() == http::StatusCode::OK;
        scene.site.devices[scene.index].login_ended(world, accepted, now);
    }
    reply
}

/// The first half of a reply, under the length of the whole.
fn truncated(reply: Response<Bytes>) -> Response<Bytes> {
    let (mut parts, body) = reply.into_parts();
    parts
        .headers
        .insert(http::header::CONTENT_LENGTH, http::HeaderValue::from(body.len()));
    Response::from_parts(parts, body.slice(..body.len() / 2))
}
