//! A [`Transport`] that calls a simulated fleet in this process: no sockets, so that virtual time can run.
//!
//! Under it lie the same requests, replies and silences as under HTTPS. Used by simulations, tests and benches only.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hopgate_panos::{Transport, TransportError, TransportErrorKind};
use panos_simulator::{Exchange, Fleet};

use crate::clock;

/// How long a request may take, by the runtime's time; as the HTTPS transport's own limit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// One simulated device.
pub struct InProcess {
    fleet: Arc<Fleet>,
    device: String,
}

impl InProcess {
    /// A transport to `device` of `fleet`.
    pub fn new(fleet: Arc<Fleet>, device: String) -> Self {
        InProcess { fleet, device }
    }
}

impl Transport for InProcess {
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let exchange = clock::within(REQUEST_TIMEOUT, self.fleet.exchange(&self.device, request)).await;
            match exchange {
                Some(Exchange::Reply(reply)) => Ok(reply),
                Some(Exchange::Refused) => Err(failed(TransportErrorKind::Unreachable, "connection refused")),
                Some(Exchange::Reset) => Err(failed(TransportErrorKind::Broken, "connection reset")),
                Some(Exchange::Partial(_)) => {
                    Err(failed(TransportErrorKind::Broken, "the reply was cut short"))
                }
                Some(Exchange::Silence) => {
                    clock::pause(REQUEST_TIMEOUT).await;
                    Err(failed(TransportErrorKind::Silent, "no reply in time"))
                }
                None => Err(failed(TransportErrorKind::Silent, "no reply in time")),
            }
        })
    }
}

fn failed(kind: TransportErrorKind, detail: &str) -> TransportError {
    TransportError::new(kind, detail)
}
