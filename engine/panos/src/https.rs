//! Carries requests over HTTPS to one device, and sorts what can go wrong by what the device can have seen.
//! Knows sockets, TLS and HTTP; must not know XML, PAN-OS codes or credentials.

use std::error::Error;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::uri::Authority;
use reqwest::Url;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;

use crate::transport::{Transport, TransportError, TransportErrorKind};
use crate::trust::{DeviceVerifier, Fingerprint, Rejection, Trust, TrustError};

/// Bounds on one request. None of them may be absent: a management server that is starting accepts a connection and
/// then says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpsLimits {
    /// From the first packet to the end of the TLS handshake. Must be shorter than `request_timeout`, or a connection
    /// that was never made could not be told from a request that was never answered.
    pub connect_timeout: Duration,
    /// From the start of the request, connecting included, to the last byte of the reply.
    pub request_timeout: Duration,
    /// The largest reply body, in bytes.
    pub reply_bytes_max: usize,
}

impl Default for HttpsLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            // `request system software check` asks the update server before it answers.
            request_timeout: Duration::from_secs(60),
            // An exported configuration of a large firewall is tens of megabytes.
            reply_bytes_max: 256 << 20,
        }
    }
}

/// Why a transport cannot be made at all.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The address is not `host:port`.
    #[error("{authority:?} is not an address: write host:port, an IPv6 address in brackets")]
    Address {
        /// The text given.
        authority: String,
    },
    /// The limits contradict each other.
    #[error(
        "the connect timeout ({connect:?}) for {authority} must be shorter than the request timeout ({request:?})"
    )]
    Limits {
        /// The device's address.
        authority: String,
        /// The connect timeout given.
        connect: Duration,
        /// The request timeout given.
        request: Duration,
    },
    /// The trust rule cannot be used.
    #[error("setting up trust for {authority}")]
    Trust {
        /// The device's address.
        authority: String,
        /// What is wrong with the rule.
        source: TrustError,
    },
    /// TLS could not be set up.
    #[error("setting up TLS for {authority}")]
    Tls {
        /// The device's address.
        authority: String,
        /// What the TLS library says.
        source: rustls::Error,
    },
}

/// An unused connection is dropped after this long. A firewall closes idle connections by itself, and a request that
/// meets such a closing looks sent and unanswered: for a changing call that costs an observation.
const IDLE_CONNECTION: Duration = Duration::from_secs(4);

/// As many as a client makes calls at once; more are not worth keeping.
const IDLE_CONNECTIONS: usize = crate::client::CALLS_IN_FLIGHT;

/// The same for every device.
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));

/// Room that is made for a reply because its head announces that much: more has to come before it is believed. Nearly every
/// reply fits (the software list, the longest of an audit's usual ones, has 90 kB), and a head that lies costs no more.
const ANNOUNCED_MAX: usize = 1 << 20;

/// Requests after which connections and sessions are begun anew. An audit's visit to a device has about fifty, and so
/// resumes one session; a campaign of weeks asks for the certificate again a few times an hour.
const REQUESTS_A_SESSION: u32 = 200;

/// HTTPS to one device.
#[derive(Debug)]
pub struct HttpsTransport {
    /// Of the device's root: every request would otherwise read the address anew.
    url: Url,
    tls: ClientConfig,
    limits: HttpsLimits,
    /// None before the first request and after a rest: of an estate of thousands, a few hundred devices are asked at once.
    http: Mutex<Option<Session>>,
    verifier: Arc<DeviceVerifier>,
}

/// The connections that are kept, and the TLS session that others resume.
#[derive(Debug)]
struct Session {
    http: reqwest::Client,
    requests_left: u32,
}

impl HttpsTransport {
    /// A transport to `authority` (`host:port`). Nothing is sent yet.
    ///
    /// # Errors
    /// [`HttpsError`] when the address, the limits or the trust rule cannot be used.
    pub fn new(authority: &str, trust: Trust, limits: HttpsLimits) -> Result<Self, HttpsError> {
        let parsed = parse_authority(authority)?;
        let authority = parsed.to_string();
        let url = Url::parse(&format!("https://{authority}/")).map_err(|_| HttpsError::Address {
            authority: authority.clone(),
        })?;
        if limits.connect_timeout >= limits.request_timeout {
            return Err(HttpsError::Limits {
                authority,
                connect: limits.connect_timeout,
                request: limits.request_timeout,
            });
        }
        let provider = Arc::clone(&PROVIDER);
        let verifier = match DeviceVerifier::new(trust, Arc::clone(&provider)) {
            Ok(verifier) => Arc::new(verifier),
            Err(source) => return Err(HttpsError::Trust { authority, source }),
        };
        let mut tls =
            match ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions() {
                Ok(builder) => builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
                    .with_no_client_auth(),
                Err(source) => return Err(HttpsError::Tls { authority, source }),
            };
        tls.resumption = Resumption::disabled();
        Ok(Self {
            url,
            tls,
            limits,
            http: Mutex::new(None),
            verifier,
        })
    }

    fn client(&self) -> Result<reqwest::Client, TransportError> {
        let mut kept = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = &mut *kept
            && let Some(left) = session.requests_left.checked_sub(1)
        {
            session.requests_left = left;
            return Ok(session.http.clone());
        }
        let mut tls = self.tls.clone();
        // A resumed connection shows no certificate, and needs none: only the peer that proved its key when the session
        // began can resume it. A certificate that ended or was replaced since is met when the session is over.
        tls.resumption = Resumption::in_memory_sessions(1);
        let http = http_client(tls, self.limits).map_err(sort)?;
        *kept = Some(Session {
            http: http.clone(),
            requests_left: REQUESTS_A_SESSION - 1,
        });
        Ok(http)
    }

    /// The certificate of the first peer that proved its key on this transport. What to pin after a first use.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.verifier.proven()
    }

    async fn exchange(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let (parts, body) = request.into_parts();
        let mut url = self.url.clone();
        url.set_path(parts.uri.path());
        url.set_query(parts.uri.query());
        let request = self.client()?.request(parts.method, url);
        let sent = request.headers(parts.headers).body(body).send().await;
        let reply = sent.map_err(|error| {
            let error = sort(error.without_url());
            // A device that restarted may not take up its old session, and is not asked to twice.
            if error.kind == TransportErrorKind::Unreachable {
                self.rest();
            }
            error
        })?;
        self.collect(reply).await
    }

    async fn collect(&self, mut reply: reqwest::Response) -> Result<http::Response<Bytes>, TransportError> {
        let announced = reply
            .content_length()
            .map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let mut body = BytesMut::with_capacity(announced.min(ANNOUNCED_MAX));
        while let Some(chunk) = reply
            .chunk()
            .await
            .map_err(|error| sort_body(error.without_url()))?
        {
            if body.len() + chunk.len() > self.limits.reply_bytes_max {
                return Err(TransportError::new(
                    TransportErrorKind::Broken,
                    format!(
                        "the reply is larger than the limit of {} bytes",
                        self.limits.reply_bytes_max
                    ),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = http::Response::new(exactly(body));
        *whole.status_mut() = reply.status();
        *whole.version_mut() = reply.version();
        // Copied, and no more than is read of it: the head of a reply is slices of the connection's buffer, and a few dozen
        // replies that wait to be read would keep as many buffers.
        let kind = reply.headers().get(CONTENT_TYPE);
        if let Some(kind) = kind.and_then(|kind| HeaderValue::from_bytes(kind.as_bytes()).ok()) {
            whole.headers_mut().insert(CONTENT_TYPE, kind);
        }
        Ok(whole)
    }
}

impl Transport for HttpsTransport {
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }

    fn certificate(&self) -> Option<Bytes> {
        self.verifier.shown()
    }

    fn rest(&self) {
        *self.http.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A reply that announced no length came into room that was doubled as it grew, and may wait long to be read.
fn exactly(body: BytesMut) -> Bytes {
    if body.capacity() - body.len() > body.len() / 8 {
        Bytes::copy_from_slice(&body)
    } else {
        body.freeze()
    }
}

fn http_client(tls: ClientConfig, limits: HttpsLimits) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // Whether a request may be repeated is decided far above, never here.
        .retry(reqwest::retry::never())
        .connect_timeout(limits.connect_timeout)
        .timeout(limits.request_timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .user_agent(concat!("hopgate/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// `host:port`, nothing more: no user, no missing port (443 is not assumed, so that a typing error is seen).
fn parse_authority(text: &str) -> Result<Authority, HttpsError> {
    let wrong = || HttpsError::Address {
        authority: text.to_owned(),
    };
    let authority: Authority = text.parse().map_err(|_| wrong())?;
    let usable = !authority.host().is_empty()
        && authority.port_u16().is_some_and(|port| port != 0)
        && !authority.as_str().contains('@');
    if usable { Ok(authority) } else { Err(wrong()) }
}

fn sort(error: reqwest::Error) -> TransportError {
    if let Some(rejection) = rejection_in(&error) {
        let detail = "nothing was sent";
        return TransportError::new(
            TransportErrorKind::Untrusted {
                expected: rejection.expected,
                found: rejection.found,
            },
            detail,
        );
    }
    // Connecting includes the TLS handshake, and its time-out: no part of the request leaves before it ends.
    let kind = if error.is_connect() || error.is_builder() {
        TransportErrorKind::Unreachable
    } else if error.is_timeout() {
        TransportErrorKind::Silent
    } else {
        TransportErrorKind::Broken
    };
    TransportError::new(kind, root_cause(&error))
}

/// Once a reply has started, no failure can mean that nothing was sent.
fn sort_body(error: reqwest::Error) -> TransportError {
    let kind = if error.is_timeout() {
        TransportErrorKind::Silent
    } else {
        TransportErrorKind::Broken
    };
    TransportError::new(kind, root_cause(&error))
}

/// The certificate rejection behind a failed connection. `io::Error` passes its inner error's *source* on, not the
/// inner error itself, so it has to be opened by hand.
fn rejection_in(error: &(dyn Error + 'static)) -> Option<Rejection> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|inner| inner as &(dyn Error + 'static));
        let tls = inner.unwrap_or(error).downcast_ref::<rustls::Error>();
        if let Some(tls) = tls {
            return Rejection::in_tls(tls);
        }
        next = inner.or_else(|| error.source());
    }
    None
}

/// The innermost error's own words: the layers above only say "error sending request".
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    in_plain_words(deepest).map_or_else(|| deepest.to_string(), str::to_owned)
}

/// What the TLS library says in terms of its own protocol, with links for programmers, where something plain is meant.
fn in_plain_words(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let Some(io) = error.downcast_ref::<io::Error>() else {
        return match error.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidMessage(_)) => {
                Some("whatever answers at this port does not speak TLS")
            }
            _ => None,
        };
    };
    let inner = io.get_ref().map(|inner| inner as &(dyn Error + 'static));
    let cut =
        (io.kind() == io::ErrorKind::UnexpectedEof).then_some("the connection was closed in the middle");
    // One `io::Error` may hold another, and `source` skips what each of them holds.
    inner.and_then(in_plain_words).or(cut)
}

#[cfg(test)]
mod tests;
