//! The fleet over HTTPS: a port a device, its own certificate, connections that die with the device.
//!
//! Only moves bytes: every reply, and every way of not replying, is decided by [`Fleet::exchange`].

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::rt::TokioIo;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::fleet::{Exchange, Fleet};
use crate::{clock, control_port};

/// Largest request body read. The largest real one, a multi-image download, is under a kilobyte.
const LARGEST_REQUEST: usize = 64 * 1024;

/// Where and how to serve a fleet.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Address to listen on.
    pub address: IpAddr,
    /// Port of the first device; the others follow in the order of the fleet file, then Panoramas, the control port
    /// comes last.
    /// 0 lets the system choose every port.
    pub first_port: u16,
    /// Whether to open the control port.
    pub control: bool,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            address: IpAddr::from([127, 0, 0, 1]),
            first_port: 0,
            control: true,
        }
    }
}

/// Why a fleet is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A port could not be opened.
    #[error("listen on {address} for {whom}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The device, or `the control port`.
        whom: String,
        /// Why not.
        source: std::io::Error,
    },
    /// More devices than ports after the first.
    #[error("give every device a port from {first_port} on: {devices} devices do not fit")]
    Ports {
        /// The first port.
        first_port: u16,
        /// How many devices there are.
        devices: usize,
    },
    /// A certificate could not be made.
    #[error("make a certificate for {device}")]
    Certificate {
        /// The device.
        device: String,
        /// Why not.
        source: rcgen::Error,
    },
    /// TLS could not be set up with a certificate.
    #[error("set up TLS for {device}")]
    Tls {
        /// The device.
        device: String,
        /// Why not.
        source: rustls::Error,
    },
}

/// A fleet that is being served. Dropping it stops it.
#[derive(Debug)]
pub struct Served {
    /// Where each device listens.
    pub endpoints: BTreeMap<String, SocketAddr>,
    /// Where the control port listens.
    pub control: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Served {
    /// Closes every connection and port, and waits until they are closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Serves a fleet until [`Served::shutdown`].
///
/// How long a device is away in real time is its simulated time divided by the clock's speed. pan-os-python's
/// `syncreboot` looks every five seconds and has to see the device away once, so a fleet for that client should
/// not run faster than some 60 times real time.
///
/// # Errors
/// When a port cannot be opened or a certificate cannot be made.
pub async fn serve(fleet: Arc<Fleet>, options: ServeOptions) -> Result<Served, ServeError> {
    let devices = fleet.devices().into_iter().chain(fleet.panoramas());
    let names: Vec<String> = devices.map(|device| device.name).collect();
    let (stop, stopped) = watch::channel(false);
    let mut served = Served {
        endpoints: BTreeMap::new(),
        control: None,
        stop,
        tasks: JoinSet::new(),
    };
    for (index, name) in names.iter().enumerate() {
        let listener = listen(&options, index, names.len(), name).await?;
        let address = listener.local_addr().map_err(|source| ServeError::Listen {
            address: SocketAddr::new(options.address, options.first_port),
            whom: name.clone(),
            source,
        })?;
        served.endpoints.insert(name.clone(), address);
        let door = Door::new(fleet.clone(), name.clone(), options.address)?;
        served.tasks.spawn(door.keep(listener, stopped.clone()));
    }
    if options.control {
        let listener = listen(&options, names.len(), names.len(), "the control port").await?;
        served.control = listener.local_addr().ok();
        served.tasks.spawn(control_port::run(fleet, listener, stopped));
    }
    Ok(served)
}

async fn listen(
    options: &ServeOptions,
    index: usize,
    devices: usize,
    whom: &str,
) -> Result<TcpListener, ServeError> {
    let port = match options.first_port {
        0 => Some(0),
        first => u16::try_from(index)
            .ok()
            .and_then(|index| first.checked_add(index)),
    };
    let port = port.ok_or(ServeError::Ports {
        first_port: options.first_port,
        devices,
    })?;
    let address = SocketAddr::new(options.address, port);
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen {
            address,
            whom: whom.to_owned(),
            source,
        })
}

/// An error means that the sender is gone, which is a reason to stop as well.
async fn stop_asked(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// One device's port.
struct Door {
    fleet: Arc<Fleet>,
    device: String,
    address: IpAddr,
    /// The certificate's generation, and TLS with it.
    tls: (u64, TlsAcceptor),
}

impl Door {
    fn new(fleet: Arc<Fleet>, device: String, address: IpAddr) -> Result<Self, ServeError> {
        let generation = fleet.certificate(&device);
        let tls = (generation, acceptor(&device, address)?);
        Ok(Self {
            fleet,
            device,
            address,
            tls,
        })
    }

    async fn keep(mut self, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop_asked(&mut stopped) => break,
                accepted = listener.accept() => {
                    match accepted {
                        Ok((stream, _)) => self.admit(stream, &mut connections),
                        Err(error) => {
                            // The client went away at once, or the process is out of file descriptors.
                            tracing::warn!(device = self.device, %error, "accept a connection");
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
        if !self.fleet.listens(&self.device) {
            // A reset instead of an orderly end, as from a host without the port.
            let _ = stream.set_zero_linger();
            return;
        }
        let _ = stream.set_nodelay(true);
        self.renew();
        let (fleet, device, tls) = (self.fleet.clone(), self.device.clone(), self.tls.1.clone());
        connections.spawn(async move {
            tokio::select! {
                () = fleet.until_down(&device) => {}
                () = talk(&fleet, &device, &tls, stream) => {}
            }
        });
    }

    /// Makes a new certificate when one was asked for. Connections that are open keep the old one.
    fn renew(&mut self) {
        let generation = self.fleet.certificate(&self.device);
        if generation != self.tls.0 {
            match acceptor(&self.device, self.address) {
                Ok(acceptor) => self.tls = (generation, acceptor),
                Err(error) => tracing::warn!(device = self.device, %error, "keeping the old certificate"),
            }
        }
    }
}

/// TLS with a new self-signed certificate. Sessions are resumed from a store of the device's own.
fn acceptor(device: &str, address: IpAddr) -> Result<TlsAcceptor, ServeError> {
    let certificate = |source| ServeError::Certificate {
        device: device.to_owned(),
        source,
    };
    let tls = |source| ServeError::Tls {
        device: device.to_owned(),
        source,
    };
    let made = rcgen::generate_simple_self_signed([address.to_string(), device.to_owned()])
        .or_else(|_| rcgen::generate_simple_self_signed([address.to_string()]))
        .map_err(certificate)?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .map_err(tls)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn talk(fleet: &Arc<Fleet>, device: &str, tls: &TlsAcceptor, stream: TcpStream) {
    let Ok(stream) = tls.accept(stream).await else {
        return;
    };
    let cut = Arc::new(Notify::new());
    let service = hyper::service::service_fn(|request| {
        let (fleet, device, cut) = (fleet.clone(), device.to_owned(), cut.clone());
        async move { Ok::<_, Infallible>(reply(&fleet, &device, request, &cut).await) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = connection => {}
        () = cut.notified() => {}
    }
}

/// The reply, once there is one. Without one the connection is cut and this never ends.
async fn reply(fleet: &Fleet, device: &str, request: Request<Incoming>, cut: &Notify) -> Response<ReplyBody> {
    let (parts, body) = request.into_parts();
    let exchange = match read(body).await {
        Some(body) => fleet.exchange(device, Request::from_parts(parts, body)).await,
        None => Exchange::Reset,
    };
    match exchange {
        Exchange::Reply(reply) => reply.map(|body| ReplyBody {
            left: Some(body),
            breaks: None,
        }),
        Exchange::Partial(reply) => {
            let whole = reply.headers().get(http::header::CONTENT_LENGTH);
            let whole = whole
                .and_then(|length| length.to_str().ok())
                .and_then(|length| length.parse().ok());
            reply.map(|body| ReplyBody {
                left: Some(body),
                breaks: Some(whole.unwrap_or(u64::MAX)),
            })
        }
        Exchange::Refused | Exchange::Reset => {
            cut.notify_one();
            std::future::pending().await
        }
        Exchange::Silence => std::future::pending().await,
    }
}

/// The whole body, if it comes and is not too large.
async fn read(body: Incoming) -> Option<Bytes> {
    let mut body = pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            whole.extend_from_slice(&data);
        }
        if whole.len() > LARGEST_REQUEST {
            return None;
        }
    }
    Some(whole.into())
}

/// A body that may break off.
struct ReplyBody {
    left: Option<Bytes>,
    /// The length announced for a body that will not reach it.
    breaks: Option<u64>,
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match (self.left.take(), self.breaks) {
            (Some(data), _) => Poll::Ready(Some(Ok(Frame::data(data)))),
            (None, Some(_)) => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
            (None, None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && self.breaks.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self
            .left
            .as_ref()
            .map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        SizeHint::with_exact(self.breaks.unwrap_or(left))
    }
}
