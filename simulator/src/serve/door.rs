//! One device's port: who is let in, and how each connection ends.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::body::ReplyBody;
use super::tls::Tls;
use crate::clock;
use crate::fleet::{Doorstep, EndsInReset, Exchange, Fleet, Met};

/// Largest request body read. The largest real one, a multi-image download, is under a kilobyte.
const LARGEST_REQUEST: usize = 64 * 1024;

/// Largest upload read (`type=import`). Images are larger, but a simulated one is told by its name, not its length.
const LARGEST_UPLOAD: usize = 64 * 1024 * 1024;

/// One device's port.
pub(super) struct Door {
    fleet: Arc<Fleet>,
    device: Arc<str>,
    address: IpAddr,
    shared: Arc<Tls>,
    /// The certificate's generation, and TLS with it. Made for the first connection: most devices of a large fleet are
    /// never asked.
    tls: Option<(u64, TlsAcceptor)>,
}

impl Door {
    pub(super) fn new(fleet: Arc<Fleet>, device: &str, address: IpAddr, shared: Arc<Tls>) -> Self {
        Self {
            fleet,
            device: device.into(),
            address,
            shared,
            tls: None,
        }
    }

    pub(super) async fn keep(mut self, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop_asked(&mut stopped) => break,
                accepted = listener.accept() => {
                    match accepted {
                        Ok((stream, _)) => self.admit(stream, &mut connections),
                        Err(error) => {
                            // The client went away at once, or the process is out of file descriptors.
                            tracing::warn!(device = &*self.device, %error, "accept a connection");
                            clock::breathe().await;
                        }
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
        connections.shutdown().await;
    }

    /// Lets a connection in, or closes it at once when the device is not there.
    fn admit(&mut self, stream: TcpStream, connections: &mut JoinSet<()>) {
        let (fleet, device) = (self.fleet.clone(), self.device.clone());
        match fleet.doorstep(&device) {
            Doorstep::Closed => reset(&stream),
            Doorstep::Silent => {
                connections.spawn(async move { ignore(&fleet, &device, stream).await });
            }
            Doorstep::Open => {
                let Some(tls) = self.tls() else { return };
                let _ = stream.set_nodelay(true);
                connections.spawn(async move { talk(&fleet, &device, &tls, stream).await });
            }
        }
    }

    /// TLS with the certificate of the moment. Connections that are open keep the one they began with.
    fn tls(&mut self) -> Option<TlsAcceptor> {
        let generation = self.fleet.certificate(&self.device);
        if self.tls.as_ref().is_none_or(|(made, _)| *made != generation) {
            match self.shared.acceptor(&self.device, generation, self.address) {
                Ok(acceptor) => self.tls = Some((generation, acceptor)),
                Err(error) => tracing::warn!(device = &*self.device, %error, "no new certificate"),
            }
        }
        self.tls.as_ref().map(|(_, acceptor)| acceptor.clone())
    }
}

/// An error means that the sender is gone, which is a reason to stop as well.
async fn stop_asked(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// The end is a reset instead of an orderly one, as from a host without the port.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// Swallows whatever comes over a cut line, until the client gives up. The kernel has accepted the connection, so what
/// a client sees is silence in the TLS handshake. When the line heals the connection is reset: what was sent is lost.
async fn ignore(fleet: &Fleet, device: &str, mut stream: TcpStream) {
    let mut lost = [0; 1024];
    tokio::select! {
        () = fleet.until_heard(device) => {}
        () = async { while stream.read(&mut lost).await.is_ok_and(|bytes| bytes > 0) {} } => {}
    }
    reset(&stream);
}

/// How a connection is to end early.
#[derive(Default)]
struct Cutting {
    /// Told when it is to end now.
    now: Notify,
    /// Whether it ends in a reset when a reply has broken off.
    resets: AtomicBool,
}

async fn talk(fleet: &Arc<Fleet>, device: &Arc<str>, tls: &TlsAcceptor, stream: TcpStream) {
    let mut down = pin!(fleet.until_down(device));
    let stream = tokio::select! {
        () = &mut down => return,
        accepted = tls.accept(stream) => accepted,
    };
    let Ok(stream) = stream else { return };
    let cutting = Arc::new(Cutting::default());
    let service = hyper::service::service_fn(|request| {
        let (fleet, device, cutting) = (fleet.clone(), device.clone(), cutting.clone());
        async move { Ok::<_, Infallible>(reply(&fleet, &device, request, &cutting).await) }
    });
    let mut connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let resets = tokio::select! {
        _ = &mut connection => cutting.resets.load(Ordering::Relaxed),
        () = cutting.now.notified() => true,
        () = &mut down => true,
    };
    if resets {
        let stream = connection.into_parts().io.into_inner();
        reset(stream.get_ref().0);
    }
}

/// The reply, once there is one. Without one the connection is cut and this never ends.
async fn reply(
    fleet: &Arc<Fleet>,
    device: &Arc<str>,
    request: Request<Incoming>,
    cutting: &Cutting,
) -> Response<ReplyBody> {
    let (parts, body) = request.into_parts();
    let met = match read(body, largest(&parts)).await {
        Some(body) => fleet.meet(device, Request::from_parts(parts, body)).await,
        None => Met {
            exchange: Exchange::Reset,
            pace: None,
        },
    };
    let reply = match met.exchange {
        Exchange::Reply(reply) => reply.map(ReplyBody::whole),
        Exchange::Partial(reply) => {
            let resets = reply.extensions().get::<EndsInReset>().is_some();
            cutting.resets.store(resets, Ordering::Relaxed);
            let announced = reply.headers().get(http::header::CONTENT_LENGTH);
            let announced = announced
                .and_then(|length| length.to_str().ok())
                .and_then(|length| length.parse().ok());
            reply.map(|part| ReplyBody::broken(part, announced.unwrap_or(u64::MAX)))
        }
        Exchange::Refused | Exchange::Reset => {
            cutting.now.notify_one();
            std::future::pending().await
        }
        Exchange::Silence => std::future::pending().await,
    };
    match met.pace {
        Some(pace) => reply.map(|body| body.slowly(fleet.clone(), device.clone(), pace)),
        None => reply,
    }
}

/// Files are uploaded as multipart forms, and nothing else is.
fn largest(request: &Parts) -> usize {
    let kind = request.headers.get(http::header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data")) {
        LARGEST_UPLOAD
    } else {
        LARGEST_REQUEST
    }
}

/// The whole body, if it comes and is no larger than that.
async fn read(body: Incoming, largest: usize) -> Option<Bytes> {
    let mut body = pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            whole.extend_from_slice(&data);
        }
        if whole.len() > largest {
            return None;
        }
    }
    Some(whole.into())
}
