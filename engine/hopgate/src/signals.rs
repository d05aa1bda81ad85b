//! How the operator, or the system, asks this process to stop: Ctrl-C and SIGTERM mean the same.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to stop, one after the other. Made once and kept, because a signal that nobody listens for is lost.
pub struct StopRequests {
    signals: Option<(Signal, Signal)>,
}

impl StopRequests {
    /// Listens from now on. Where signals cannot be had, nobody can ask.
    pub fn listen() -> Self {
        let interrupt = signal(SignalKind::interrupt());
        let terminate = signal(SignalKind::terminate());
        StopRequests {
            signals: interrupt.ok().zip(terminate.ok()),
        }
    }

    /// Waits for the next request.
    pub async fn next(&mut self) {
        let Some((interrupt, terminate)) = &mut self.signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
