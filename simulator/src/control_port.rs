//! The control port: JSON over plain HTTP for whoever runs the simulation, on its own port.
//!
//! Says the truth about devices and takes interventions. Nothing here is PAN-OS. Every refusal is JSON too: what is wrong,
//! and the name that may have been meant.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Path, RawQuery, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::control::{ControlError, ControlRequest};
use crate::device::Counters;
use crate::fault;
use crate::fleet::Fleet;
use crate::line::LineReport;
use crate::nearest::nearest;
use crate::operation::Operation;
use crate::report::{DeviceState, DeviceSummary, Totals};
use crate::traffic::PairReport;

/// Entries of a page where the request does not say: a screenful of JSON for a script, not for an eye.
const PAGE: usize = 500;

/// What is there to ask for.
const PATHS: [&str; 10] = [
    "/fleet",
    "/endpoints",
    "/devices",
    "/pairs",
    "/counters",
    "/events",
    "/clock",
    "/faults",
    "/operations",
    "/control",
];

/// What the port tells of.
struct Desk {
    fleet: Arc<Fleet>,
    endpoints: BTreeMap<String, SocketAddr>,
}

/// Serves until told to stop.
pub(crate) async fn run(
    fleet: Arc<Fleet>,
    endpoints: BTreeMap<String, SocketAddr>,
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
) {
    let router = router(Arc::new(Desk { fleet, endpoints }));
    let served = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is a reason to stop as well.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    });
    if let Err(error) = served.await {
        tracing::warn!(%error, "the control port stopped");
    }
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/fleet", get(devices))
        .route("/endpoints", get(endpoints))
        .route("/devices/{name}", get(device))
        .route("/pairs", get(pairs))
        .route("/pairs/{name}", get(pair))
        .route("/counters", get(counters))
        .route("/events", get(events))
        .route("/clock", get(clock))
        .route("/faults", get(faults))
        .route("/operations", get(operations))
        .route("/control", post(control))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .with_state(desk)
}

/// The parameters of a query, each of which the request may have.
struct Query(BTreeMap<String, String>);

impl Query {
    fn read(query: Option<&str>, known: &[&'static str]) -> Result<Self, Box<Response>> {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let pairs: BTreeMap<String, String> = pairs.into_owned().collect();
        match pairs.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Self(pairs)),
            Some(stranger) => Err(Box::new(refusal(
                StatusCode::BAD_REQUEST,
                format!(
                    "`{stranger}` is no parameter here; there are {}",
                    known.join(", ")
                ),
                nearest(stranger, known.iter().copied()),
            ))),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number(&self, name: &str, otherwise: usize) -> Result<usize, Box<Response>> {
        let Some(text) = self.text(name) else {
            return Ok(otherwise);
        };
        text.parse().map_err(|_| {
            let error = format!("`{text}` is no {name}: a whole number is");
            Box::new(refusal(StatusCode::BAD_REQUEST, error, None))
        })
    }
}

/// A reply that is already a refusal where it could not be made.
fn settled(reply: Result<Response, Box<Response>>) -> Response {
    reply.unwrap_or_else(|refusal| *refusal)
}

#[derive(Serialize)]
struct FleetReport {
    devices: Vec<DeviceSummary>,
    /// The Panoramas, on every page; with a label, those that have it.
    panoramas: Vec<DeviceSummary>,
    /// How many devices there are that were asked for, on all pages.
    total: usize,
    /// Where the next page begins; absent on the last one.
    next: Option<usize>,
    /// The pairs of what is on this page.
    pairs: BTreeSet<String>,
}

async fn devices(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Response {
    settled(page_of_devices(&desk.fleet, query.as_deref()))
}

fn page_of_devices(fleet: &Fleet, query: Option<&str>) -> Result<Response, Box<Response>> {
    let query = Query::read(query, &["from", "count", "label"])?;
    let (from, count) = (query.number("from", 0)?, query.number("count", PAGE)?);
    let (mut devices, mut panoramas) = (fleet.devices(), fleet.panoramas());
    if let Some(label) = query.text("label") {
        let labelled = |device: &DeviceSummary| {
            device
                .labels
                .iter()
                .any(|(key, value)| label.split_once('=') == Some((key, value)))
        };
        devices.retain(labelled);
        panoramas.retain(labelled);
    }
    let total = devices.len();
    let devices: Vec<DeviceSummary> = devices.into_iter().skip(from).take(count).collect();
    let next = from + devices.len();
    let shown = devices.iter().chain(&panoramas);
    let pairs: BTreeSet<String> = shown.filter_map(|device| device.pair.clone()).collect();
    Ok(Json(FleetReport {
        next: (next < total && !devices.is_empty()).then_some(next),
        devices,
        panoramas,
        total,
        pairs,
    })
    .into_response())
}

async fn endpoints(State(desk): State<Arc<Desk>>) -> Response {
    Json(&desk.endpoints).into_response()
}

#[derive(Serialize)]
struct DeviceReport {
    state: DeviceState,
    counters: Counters,
    line: LineReport,
    /// How often its certificate was changed.
    certificates: u64,
}

async fn device(State(desk): State<Arc<Desk>>, Path(name): Path<String>) -> Response {
    let fleet = &desk.fleet;
    match (fleet.state(&name), fleet.counters(&name), fleet.line(&name)) {
        (Some(state), Some(counters), Some(line)) => Json(DeviceReport {
            state,
            counters,
            line,
            certificates: fleet.certificate(&name),
        })
        .into_response(),
        _ => refusal(
            StatusCode::NOT_FOUND,
            format!("{name} is not a device of this fleet"),
            nearest(&name, fleet.names().iter().map(String::as_str)),
        ),
    }
}

async fn pairs(State(desk): State<Arc<Desk>>) -> Json<BTreeMap<String, PairReport>> {
    let names = desk.fleet.pairs().into_iter();
    Json(
        names
            .filter_map(|name| Some((name.clone(), desk.fleet.pair_report(&name)?)))
            .collect(),
    )
}

async fn pair(State(desk): State<Arc<Desk>>, Path(name): Path<String>) -> Response {
    match desk.fleet.pair_report(&name) {
        Some(report) => Json(report).into_response(),
        None => refusal(
            StatusCode::NOT_FOUND,
            format!("{name} is not a pair of this fleet"),
            nearest(&name, desk.fleet.pairs().iter().map(String::as_str)),
        ),
    }
}

async fn counters(State(desk): State<Arc<Desk>>) -> Json<Totals> {
    Json(desk.fleet.totals())
}

async fn events(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Response {
    let page = || {
        let query = Query::read(query.as_deref(), &["since", "count"])?;
        let since = u64::try_from(query.number("since", 0)?).unwrap_or(u64::MAX);
        Ok(Json(desk.fleet.events(since, query.number("count", PAGE)?)).into_response())
    };
    settled(page())
}

/// What another process needs to have the same time: now = epoch + (wall clock - origin) x speed.
#[derive(Serialize)]
struct ClockReport {
    /// The simulated instant at `origin`, all jumps included.
    epoch: Timestamp,
    /// Absent when the clock is not anchored to the wall clock.
    origin: Option<Timestamp>,
    speed: f64,
    now: Timestamp,
}

async fn clock(State(desk): State<Arc<Desk>>) -> Json<ClockReport> {
    let clock = desk.fleet.clock();
    let origin = clock
        .origin()
        .and_then(|origin: SystemTime| Timestamp::try_from(origin).ok());
    Json(ClockReport {
        epoch: clock.anchor(),
        origin,
        speed: clock.speed(),
        now: desk.fleet.now(),
    })
}

/// The library of faults.
async fn faults() -> Response {
    match fault::library() {
        Ok(rules) => Json(rules).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), None),
    }
}

async fn operations() -> Json<BTreeSet<&'static str>> {
    Json(Operation::names().collect())
}

async fn control(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let request: ControlRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return misread(&error.to_string()),
    };
    match desk.fleet.control(request) {
        Ok(reply) => Json(reply).into_response(),
        Err(error) => {
            let status = match error {
                ControlError::UnknownDevice { .. } | ControlError::UnknownLabel { .. } => {
                    StatusCode::NOT_FOUND
                }
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            refusal(status, error.to_string(), error.nearest().map(str::to_owned))
        }
    }
}

/// A body that is no intervention. The parser names the stranger and all that it knows, each in backticks.
fn misread(problem: &str) -> Response {
    let mut names = problem.split('`').skip(1).step_by(2);
    let near = names.next().and_then(|stranger| nearest(stranger, names));
    refusal(
        StatusCode::BAD_REQUEST,
        format!("read the intervention: {problem}"),
        near,
    )
}

async fn nowhere(uri: Uri) -> Response {
    let path = uri.path();
    refusal(
        StatusCode::NOT_FOUND,
        format!("there is no {path}; there are {}", PATHS.join(", ")),
        nearest(path, PATHS),
    )
}

async fn not_so(method: Method, uri: Uri) -> Response {
    let how = if uri.path() == "/control" { "POST" } else { "GET" };
    refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not for {}; {how} is", uri.path()),
        None,
    )
}

#[derive(Serialize)]
struct Refused {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<String>,
}

fn refusal(status: StatusCode, error: String, nearest: Option<String>) -> Response {
    (status, Json(Refused { error, nearest })).into_response()
}
