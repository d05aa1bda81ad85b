//! The demo's stand-in for PagerDuty: takes Events API v2 posts on loopback and hands them on.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::sync::mpsc;

/// A receiver; it stops when dropped.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    pub(super) pages: mpsc::UnboundedReceiver<Value>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens on a free port of loopback.
pub(super) async fn listen() -> std::io::Result<Receiver> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (send, pages) = mpsc::unbounded_channel();
    let router = Router::new().route("/v2/enqueue", post(take)).with_state(send);
    let task = tokio::spawn(async move {
        // It ends with the demo; a receiver that broke shows as a page that never arrived, which the demo checks.
        let _ = axum::serve(listener, router).await;
    });
    Ok(Receiver { address, pages, task })
}

/// Accepts what the Events API would accept.
async fn take(State(pages): State<mpsc::UnboundedSender<Value>>, body: String) -> (StatusCode, &'static str) {
    let event: Value = match serde_json::from_str(&body) {
        Ok(event) => event,
        Err(_) => {
            return (
                StatusCode::BAD_REQUEST,
                r#"{"status":"invalid event","message":"not JSON"}"#,
            );
        }
    };
    let has = |pointer: &str| {
        event
            .pointer(pointer)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    let complete = [
        "/routing_key",
        "/event_action",
        "/dedup_key",
        "/payload/summary",
        "/payload/source",
        "/payload/severity",
    ];
    if !complete.iter().all(|pointer| has(pointer)) {
        return (
            StatusCode::BAD_REQUEST,
            r#"{"status":"invalid event","message":"a required field is missing"}"#,
        );
    }
    // The demo may have ended; the event was accepted all the same.
    let _ = pages.send(event);
    (
        StatusCode::ACCEPTED,
        r#"{"status":"success","message":"Event processed"}"#,
    )
}
