//! The running engine's API, for the command line today and a console later: read the journal's fold, send commands.
//!
//! On loopback, behind a token that lies in the state directory and only its owner can read. Decides nothing and never
//! talks to a device.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path as Segment, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hopgate_core::names::{AuditName, CampaignId, DeviceId, Identity, WaveName};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::audit::history;
use crate::clock::Clock;
use crate::fleet::Command;
use crate::journal::export;
use crate::ledger::{Ledger, LedgerError};
use crate::story::Story;
use crate::{report, why};

/// Longest wait for an answer of a running engine, in real time. Everything it answers comes from its journal.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How a running engine is found: written beside its journal, readable by its owner only.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Door {
    campaign: CampaignId,
    address: SocketAddr,
    token: String,
    pid: u32,
}

/// A running engine could not be asked, or said no.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The door could not be opened.
    #[error("failed to open the control port")]
    Listen(#[source] std::io::Error),
    /// The note of where it is could not be written.
    #[error("failed to write {}", path.display())]
    Note {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It does not answer.
    #[error("the running hopgate (process {pid}) does not answer")]
    Silent {
        /// Its process id.
        pid: u32,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// What was asked for is not there.
    #[error("{text}")]
    Unknown {
        /// What it said.
        text: String,
    },
    /// It answered no.
    #[error("{text}")]
    Refused {
        /// What it said.
        text: String,
    },
}

fn door_path(state: &Path) -> PathBuf {
    state.join("control.json")
}

/// What the API works with.
#[derive(Clone)]
pub struct Desk {
    /// Events and documents.
    pub ledger: Ledger,
    /// Civil time.
    pub clock: Clock,
    /// The campaign that runs.
    pub campaign: CampaignId,
    /// The inventory's labels.
    pub labels: BTreeMap<DeviceId, BTreeMap<String, String>>,
    /// Where commands go.
    pub commands: mpsc::UnboundedSender<Command>,
}

struct Guarded {
    desk: Desk,
    token: String,
}

/// An open door; it is closed and its note removed when dropped.
pub struct Serving {
    note: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
        // A note that stays behind leads to a closed port, which the reader finds out.
        let _ = std::fs::remove_file(&self.note);
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    wave: WaveName,
    by: Identity,
    reason: String,
    plan: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resumption {
    by: Identity,
    reason: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exporting {
    path: PathBuf,
}

/// Opens the door of a running engine.
pub async fn serve(state: &Path, desk: Desk) -> Result<Serving, ApiError> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(ApiError::Listen)?;
    let address = listener.local_addr().map_err(ApiError::Listen)?;
    let token = token().map_err(ApiError::Listen)?;
    let note = door_path(state);
    let door = Door {
        campaign: desk.campaign.clone(),
        address,
        token: token.clone(),
        pid: std::process::id(),
    };
    write_private(&note, &door).map_err(|source| ApiError::Note {
        path: note.clone(),
        source,
    })?;
    let guarded = Arc::new(Guarded { desk, token });
    let router = Router::new()
        .route("/v1/status", get(status))
        .route("/v1/story", get(story))
        .route("/v1/timeline/{device}", get(timeline))
        .route("/v1/why/{device}", get(why_device))
        .route("/v1/audits", get(audits))
        .route("/v1/audits/{audit}", get(audit))
        .route("/v1/journal", post(journal))
        .route("/v1/approve", post(approve))
        .route("/v1/resume", post(resume))
        .with_state(guarded);
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the control port closed");
        }
    });
    Ok(Serving { note, task })
}

/// 128 bits from the system, in hexadecimal.
fn token() -> std::io::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_private(path: &Path, door: &Door) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    // One that a killed process left behind may have other permissions.
    let _ = std::fs::remove_file(path);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(
        serde_json::to_string(door)
            .map_err(std::io::Error::other)?
            .as_bytes(),
    )
}

/// No, and why.
struct Denied {
    status: StatusCode,
    text: String,
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        (self.status, self.text).into_response()
    }
}

fn denied(status: StatusCode, text: impl Into<String>) -> Denied {
    Denied {
        status,
        text: text.into(),
    }
}

fn admit(guarded: &Guarded, headers: &HeaderMap) -> Result<(), Denied> {
    let given = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let same = given
        .strip_prefix("Bearer ")
        .is_some_and(|given| same_text(given, &guarded.token));
    if same {
        Ok(())
    } else {
        Err(denied(StatusCode::UNAUTHORIZED, "the token is missing or wrong"))
    }
}

/// Compares in a time that does not tell how much is right.
fn same_text(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0
}

fn failed(error: &LedgerError) -> Denied {
    denied(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn read_story(desk: &Desk) -> Result<Story, Denied> {
    let story = Story::of(&desk.ledger, &desk.campaign, &desk.labels).map_err(|error| failed(&error))?;
    story.ok_or_else(|| denied(StatusCode::NOT_FOUND, "the campaign is not in the journal"))
}

async fn status(State(guarded): State<Arc<Guarded>>, headers: HeaderMap) -> Result<String, Denied> {
    admit(&guarded, &headers)?;
    Ok(report::status_text(&read_story(&guarded.desk)?))
}

async fn story(State(guarded): State<Arc<Guarded>>, headers: HeaderMap) -> Result<Json<Story>, Denied> {
    admit(&guarded, &headers)?;
    Ok(Json(read_story(&guarded.desk)?))
}

async fn timeline(
    State(guarded): State<Arc<Guarded>>,
    headers: HeaderMap,
    Segment(device): Segment<DeviceId>,
) -> Result<String, Denied> {
    admit(&guarded, &headers)?;
    let story = read_story(&guarded.desk)?;
    report::timeline_text(&story, &device).ok_or_else(|| no_device(&device))
}

fn no_device(device: &DeviceId) -> Denied {
    denied(
        StatusCode::NOT_FOUND,
        format!("the campaign that runs has no device {device}"),
    )
}

async fn why_device(
    State(guarded): State<Arc<Guarded>>,
    headers: HeaderMap,
    Segment(device): Segment<DeviceId>,
) -> Result<String, Denied> {
    admit(&guarded, &headers)?;
    let desk = &guarded.desk;
    let answer =
        why::why(&desk.ledger, &desk.campaign, &device, desk.clock.now()).map_err(|error| failed(&error))?;
    answer.ok_or_else(|| no_device(&device))
}

async fn audits(State(guarded): State<Arc<Guarded>>, headers: HeaderMap) -> Result<String, Denied> {
    admit(&guarded, &headers)?;
    audit_history(&guarded.desk, None)
}

async fn audit(
    State(guarded): State<Arc<Guarded>>,
    headers: HeaderMap,
    Segment(audit): Segment<AuditName>,
) -> Result<String, Denied> {
    admit(&guarded, &headers)?;
    audit_history(&guarded.desk, Some(&audit))
}

fn audit_history(desk: &Desk, audit: Option<&AuditName>) -> Result<String, Denied> {
    let told = history::told(&desk.ledger, audit).map_err(|error| failed(&error))?;
    told.ok_or_else(|| denied(StatusCode::NOT_FOUND, history::none(audit)))
}

async fn journal(
    State(guarded): State<Arc<Guarded>>,
    headers: HeaderMap,
    Json(exporting): Json<Exporting>,
) -> Result<String, Denied> {
    admit(&guarded, &headers)?;
    let ledger = guarded.desk.ledger.clone();
    let path = exporting.path;
    let written = tokio::task::spawn_blocking(move || export::export(ledger.journal().as_ref(), &path)).await;
    match written {
        Ok(Ok(extent)) => Ok(extent_line(&extent)),
        Ok(Err(error)) => Err(denied(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
        Err(error) => Err(denied(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

/// What an export holds, in a line.
pub fn extent_line(extent: &export::Extent) -> String {
    format!("{} records of {} streams", extent.records, extent.streams)
}

async fn approve(
    State(guarded): State<Arc<Guarded>>,
    headers: HeaderMap,
    Json(approval): Json<Approval>,
) -> Result<String, Denied> {
    admit(&guarded, &headers)?;
    let (answer, answered) = oneshot::channel();
    let Approval {
        wave,
        by,
        reason,
        plan,
    } = approval;
    send(
        &guarded,
        Command::Approve {
            wave,
            by,
            reason,
            looked_at: plan,
            answer,
        },
    )?;
    match answered.await {
        Ok(Ok(said)) => Ok(said),
        Ok(Err(refused)) => Err(denied(StatusCode::CONFLICT, refused.to_string())),
        Err(_) => Err(denied(
            StatusCode::SERVICE_UNAVAILABLE,
            "the campaign loop is ending",
        )),
    }
}

async fn resume(
    State(guarded): State<Arc<Guarded>>,
    headers: HeaderMap,
    Json(resumption): Json<Resumption>,
) -> Result<String, Denied> {
    admit(&guarded, &headers)?;
    let Resumption { by, reason } = resumption;
    send(&guarded, Command::Resume { by, reason })?;
    Ok("asked to go on".to_owned())
}

fn send(guarded: &Guarded, command: Command) -> Result<(), Denied> {
    let sent = guarded.desk.commands.send(command);
    sent.map_err(|_| denied(StatusCode::SERVICE_UNAVAILABLE, "the campaign loop is ending"))
}

/// A running engine, seen from another process.
pub struct Running {
    door: Door,
    http: reqwest::Client,
}

impl Running {
    /// The engine that owns this state directory, if one left a note.
    pub fn find(state: &Path) -> Option<Running> {
        let door: Door = serde_json::from_str(&std::fs::read_to_string(door_path(state)).ok()?).ok()?;
        let http = crate::tls::client(ANSWER_TIMEOUT).ok()?;
        Some(Running { door, http })
    }

    /// The campaign that it runs, which is the only one it answers for.
    pub fn campaign(&self) -> &CampaignId {
        &self.door.campaign
    }

    /// Its status, in words.
    pub async fn status(&self) -> Result<String, ApiError> {
        self.get("v1/status").await
    }

    /// Its story, as JSON.
    pub async fn story_json(&self) -> Result<String, ApiError> {
        self.get("v1/story").await
    }

    /// A device's timeline, in words.
    pub async fn timeline(&self, device: &DeviceId) -> Result<String, ApiError> {
        self.get(&format!("v1/timeline/{device}")).await
    }

    /// Why a device waits, in words.
    pub async fn why(&self, device: &DeviceId) -> Result<String, ApiError> {
        self.get(&format!("v1/why/{device}")).await
    }

    /// What its audits found, or one of them.
    pub async fn audits(&self, audit: Option<&AuditName>) -> Result<String, ApiError> {
        match audit {
            Some(audit) => self.get(&format!("v1/audits/{audit}")).await,
            None => self.get("v1/audits").await,
        }
    }

    /// Has it write its journal to a file, one JSON record a line.
    pub async fn export(&self, path: PathBuf) -> Result<String, ApiError> {
        self.post("v1/journal", &Exporting { path }).await
    }

    /// Approves a wave.
    pub async fn approve(
        &self,
        wave: &WaveName,
        by: &Identity,
        reason: &str,
        plan: Option<&str>,
    ) -> Result<String, ApiError> {
        let (wave, by) = (wave.clone(), by.clone());
        self.post(
            "v1/approve",
            &Approval {
                wave,
                by,
                reason: reason.to_owned(),
                plan: plan.map(str::to_owned),
            },
        )
        .await
    }

    /// Lets the campaign go on.
    pub async fn resume(&self, by: &Identity, reason: &str) -> Result<String, ApiError> {
        self.post(
            "v1/resume",
            &Resumption {
                by: by.clone(),
                reason: reason.to_owned(),
            },
        )
        .await
    }

    async fn get(&self, path: &str) -> Result<String, ApiError> {
        self.exchange(self.http.get(self.url(path))).await
    }

    async fn post<T: Serialize>(&self, path: &str, body: &T) -> Result<String, ApiError> {
        let body = serde_json::to_string(body).map_err(|error| ApiError::Refused {
            text: error.to_string(),
        })?;
        let request = self
            .http
            .post(self.url(path))
            .header("content-type", "application/json")
            .body(body);
        self.exchange(request).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.door.address)
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<String, ApiError> {
        let silent = |source| ApiError::Silent {
            pid: self.door.pid,
            source,
        };
        let reply = request
            .bearer_auth(&self.door.token)
            .send()
            .await
            .map_err(silent)?;
        let status = reply.status();
        let text = reply.text().await.map_err(silent)?;
        match status {
            ok if ok.is_success() => Ok(text),
            StatusCode::NOT_FOUND => Err(ApiError::Unknown { text }),
            _ => Err(ApiError::Refused { text }),
        }
    }
}
