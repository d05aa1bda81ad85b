//! A transport whose requests outlive their sender: what a process sent before it died still arrives.
//!
//! The nastier half of every crash. Knows nothing of what the requests ask for.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hopgate::in_process::InProcess;
use hopgate_panos::{Transport, TransportError, TransportErrorKind};

/// [`InProcess`], with every request in a task of its own.
pub struct Lingering(Arc<InProcess>);

impl Lingering {
    /// Wraps a transport.
    pub fn new(inner: InProcess) -> Self {
        Lingering(Arc::new(inner))
    }
}

impl Transport for Lingering {
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, TransportError>> + Send + 'a>> {
        let inner = Arc::clone(&self.0);
        let task = tokio::spawn(async move { inner.send(request).await });
        Box::pin(async move {
            let ended = task.await;
            ended.unwrap_or_else(|error| {
                Err(TransportError::new(TransportErrorKind::Broken, error.to_string()))
            })
        })
    }
}
