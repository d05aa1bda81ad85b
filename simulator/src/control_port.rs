//! The control port: JSON over plain HTTP for whoever runs the simulation, on its own port.
//!
//! Says the truth about devices and takes interventions. Nothing here is PAN-OS.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::control::{ControlError, ControlRequest};
use crate::device::Counters;
use crate::fleet::Fleet;
use crate::report::{DeviceState, DeviceSummary};

/// Serves until told to stop.
pub(crate) async fn run(fleet: Arc<Fleet>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    let served = axum::serve(listener, router(fleet)).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is a reason to stop as well.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    });
    if let Err(error) = served.await {
        tracing::warn!(%error, "the control port stopped");
    }
}

pub(crate) fn router(fleet: Arc<Fleet>) -> Router {
    Router::new()
        .route("/fleet", get(devices))
        .route("/devices/{name}", get(device))
        .route("/pairs/{name}", get(pair))
        .route("/clock", get(clock))
        .route("/control", post(control))
        .with_state(fleet)
}

#[derive(Serialize)]
struct FleetReport {
    devices: Vec<DeviceSummary>,
    panoramas: Vec<DeviceSummary>,
    pairs: Vec<String>,
}

async fn devices(State(fleet): State<Arc<Fleet>>) -> Json<FleetReport> {
    Json(FleetReport {
        devices: fleet.devices(),
        panoramas: fleet.panoramas(),
        pairs: fleet.pairs(),
    })
}

#[derive(Serialize)]
struct DeviceReport {
    state: DeviceState,
    counters: Counters,
}

async fn device(State(fleet): State<Arc<Fleet>>, Path(name): Path<String>) -> Response {
    match (fleet.state(&name), fleet.counters(&name)) {
        (Some(state), Some(counters)) => Json(DeviceReport { state, counters }).into_response(),
        _ => refusal(
            StatusCode::NOT_FOUND,
            format!("{name} is not a device of this fleet"),
        ),
    }
}

async fn pair(State(fleet): State<Arc<Fleet>>, Path(name): Path<String>) -> Response {
    match fleet.pair_report(&name) {
        Some(report) => Json(report).into_response(),
        None => refusal(
            StatusCode::NOT_FOUND,
            format!("{name} is not a pair of this fleet"),
        ),
    }
}

/// What another process needs to have the same time: now = epoch + (wall clock - origin) x speed.
#[derive(Serialize)]
struct ClockReport {
    epoch: Timestamp,
    /// Absent when the clock is not anchored to the wall clock.
    origin: Option<Timestamp>,
    speed: f64,
    now: Timestamp,
}

async fn clock(State(fleet): State<Arc<Fleet>>) -> Json<ClockReport> {
    let clock = fleet.clock();
    let origin = clock
        .origin()
        .and_then(|origin: SystemTime| Timestamp::try_from(origin).ok());
    Json(ClockReport {
        epoch: clock.epoch(),
        origin,
        speed: clock.speed(),
        now: fleet.now(),
    })
}

async fn control(State(fleet): State<Arc<Fleet>>, Json(request): Json<ControlRequest>) -> Response {
    match fleet.control(request) {
        Ok(reply) => Json(reply).into_response(),
        Err(error) => {
            let status = match error {
                ControlError::UnknownDevice { .. } => StatusCode::NOT_FOUND,
                ControlError::UnknownOperation { .. }
                | ControlError::NoHa { .. }
                | ControlError::NoCage { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            };
            refusal(status, error.to_string())
        }
    }
}

#[derive(Serialize)]
struct Refused {
    error: String,
}

fn refusal(status: StatusCode, error: String) -> Response {
    (status, Json(Refused { error })).into_response()
}
