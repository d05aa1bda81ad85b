//! Makes calls to one device: the key, the limit on concurrent calls, the request's form, and the reply's envelope.
//! Knows how PAN-OS is asked anything at all; must not know single commands, retries, deadlines, or upgrades.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use jiff::Timestamp;
use tokio::sync::{Mutex, Semaphore};

use crate::error::{CallError, Failure};
use crate::operation::Operation;
use crate::secret::{Credentials, Secret};
use crate::transport::Transport;
use crate::xml::{Node, Raw};

/// "Limit the number of concurrent API calls to five" (PAN-OS XML API guide): five for everybody who asks the device. Three
/// are left to its Panorama and whatever monitors it. Two, one of which a call that takes long may have; a third is a TLS
/// handshake more on a busy management plane and hardly quicker (an audit's 46 calls: 1.73 s instead of 1.6 s).
pub(crate) const CALLS_IN_FLIGHT: usize = 2;

/// Carries the key outside of the body and the address, so that it is in no log of either.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-pan-key");

/// One device's XML API.
///
/// Cheap to share behind an `Arc`. No call that failed is ever repeated here: that is decided from [`CallError::class`] by the caller.
pub struct Client {
    device: String,
    transport: Arc<dyn Transport>,
    credentials: Credentials,
    calls: Semaphore,
    logins: AtomicU64,
    key: Mutex<KeyState>,
    pause: fn(Duration) -> BoxFuture<'static, ()>,
    now: Option<Now>,
}

/// Civil time, from whoever has a clock.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

#[derive(Default)]
struct KeyState {
    key: Option<Secret>,
    last_failure: Option<CallError>,
}

impl Client {
    /// A client of `device` (a name for people) behind this transport. Nothing is sent yet.
    pub fn new(device: String, transport: Arc<dyn Transport>, credentials: Credentials) -> Self {
        Self {
            device,
            transport,
            credentials,
            calls: Semaphore::new(CALLS_IN_FLIGHT),
            logins: AtomicU64::new(0),
            key: Mutex::default(),
            pause: |_| Box::pin(std::future::ready(())),
            now: None,
        }
    }

    /// With the civil time, which this crate does not have: what is read then says when its reply came. Without it, that is
    /// when the reading began.
    #[must_use]
    pub fn dated_by(mut self, now: Now) -> Self {
        self.now = Some(now);
        self
    }

    /// The instant of a reply that has just come.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.now.as_ref().map(|now| now())
    }

    /// The certificate that the device showed last, as DER; none where it was not reached over TLS.
    pub(crate) fn certificate(&self) -> Option<Bytes> {
        self.transport.certificate()
    }

    /// With a way to let time pass, which this crate does not have. Only what takes the device several requests waits: a
    /// query of a log, whose job is looked at again after a pause. Without this it is looked at again at once, no more often.
    #[must_use]
    pub fn pausing_by(mut self, pause: fn(Duration) -> BoxFuture<'static, ()>) -> Self {
        self.pause = pause;
        self
    }

    /// Lets so much time pass. No place among the calls in flight is held meanwhile.
    pub(crate) async fn pause(&self, span: Duration) {
        (self.pause)(span).await;
    }

    /// The device's name, as given.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Makes sure that there is a key; asks the device for one if there is none. With a ready-made key this sends
    /// nothing.
    ///
    /// # Errors
    /// [`CallError`] for [`Operation::Login`].
    pub async fn login(&self) -> Result<(), CallError> {
        self.key().await.map(|_| ())
    }

    /// Closes the connections that are kept for the next call. Whoever asks thousands of devices one after the other would
    /// otherwise hold those of all of them.
    pub fn rest(&self) {
        self.transport.rest();
    }

    /// Forgets the key, so that the next call asks for a new one. A ready-made key stays.
    pub async fn renew_key(&self) {
        self.key.lock().await.key = None;
    }

    /// The key, asked for by one caller at a time. Whoever waited while a request for it failed gets that failure: a few
    /// waiting callers that each try a password again would lock an account of an external directory.
    async fn key(&self) -> Result<Secret, CallError> {
        let (user, password) = match &self.credentials {
            Credentials::Key(key) => return Ok(key.clone()),
            Credentials::Login { user, password } => (user, password),
        };
        let logins_seen = self.logins.load(Ordering::Acquire);
        let mut state = self.key.lock().await;
        if let Some(key) = &state.key {
            return Ok(key.clone());
        }
        if self.logins.load(Ordering::Acquire) != logins_seen
            && let Some(failure) = &state.last_failure
        {
            return Err(failure.clone());
        }
        let outcome = self.ask_for_key(user, password).await;
        self.logins.fetch_add(1, Ordering::AcqRel);
        match outcome {
            Ok(key) => {
                state.key = Some(key.clone());
                state.last_failure = None;
                Ok(key)
            }
            Err(error) => {
                state.last_failure = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn ask_for_key(&self, user: &str, password: &Secret) -> Result<Secret, CallError> {
        let call = Call {
            client: self,
            operation: Operation::Login,
            secret: password.clone(),
            key: None,
        };
        let form = [
            ("type", "keygen"),
            ("user", user),
            ("password", password.expose()),
        ];
        let reply = call.send(&form).await?;
        let key = call.understand(&reply, |result| result.required("key").map(Secret::new));
        key.map_err(|error| {
            // The beginning of a reply that is cut short can hold the beginning of the key.
            let may_hold_key = String::from_utf8_lossy(&reply.body).contains("<key");
            if !may_hold_key && !matches!(error.failure, Failure::Garbled { .. }) {
                return error;
            }
            let (status, bytes) = (reply.status, reply.body.len());
            call.failed(Failure::garbled(format!(
                "HTTP {status}, {bytes} bytes, not shown because they may hold a key"
            )))
        })
    }

    /// A call that is about to be made, with its key.
    pub(crate) async fn prepare(&self, operation: Operation) -> Result<Call<'_>, CallError> {
        // Before a place among them is taken: the request for the key needs one itself.
        let key = self.key().await?;
        let secret = match &self.credentials {
            Credentials::Login { user: _, password } => password.clone(),
            Credentials::Key(key) => key.clone(),
        };
        Ok(Call {
            client: self,
            operation,
            secret,
            key: Some(key),
        })
    }

    /// A call of type `op`, its result read by `reader`.
    pub(crate) async fn op<T>(
        &self,
        operation: Operation,
        cmd: &str,
        reader: impl Fn(&Node) -> Result<T, Failure> + Send,
    ) -> Result<T, CallError> {
        let call = self.prepare(operation).await?;
        let reply = call.send(&[("type", "op"), ("cmd", cmd)]).await?;
        call.understand(&reply, reader)
    }
}

/// What came back, as small as it can be kept: of a reading's replies a few dozen wait for the last.
pub(crate) struct Received {
    pub(crate) status: u16,
    content_type: Option<Box<str>>,
    pub(crate) body: Bytes,
}

impl From<http::Response<Bytes>> for Received {
    fn from(reply: http::Response<Bytes>) -> Self {
        let kind = reply.headers().get(CONTENT_TYPE);
        Self {
            status: reply.status().as_u16(),
            content_type: kind.and_then(|kind| kind.to_str().ok()).map(Into::into),
            body: reply.into_body(),
        }
    }
}

/// One call: what it asks, the key it carries, and what must not be told about it.
pub(crate) struct Call<'a> {
    client: &'a Client,
    operation: Operation,
    /// The password, or the ready-made key.
    secret: Secret,
    key: Option<Secret>,
}

impl Call<'_> {
    /// Sends a form, and gives the reply as it came.
    pub(crate) async fn send(&self, form: &[(&str, &str)]) -> Result<Received, CallError> {
        let request = self.request(form)?;
        let (device, operation) = (&self.client.device, self.operation);
        // The semaphore is never closed; were it, calls would only lose their limit.
        let _place = self.client.calls.acquire().await.ok();
        tracing::debug!(%device, %operation, "call");
        match self.client.transport.send(request).await {
            Ok(reply) => {
                let reply = Received::from(reply);
                let (status, bytes) = (reply.status, reply.body.len());
                tracing::debug!(%device, %operation, status, bytes, "reply");
                Ok(reply)
            }
            Err(error) => {
                let failure = Failure::of_transport(error);
                tracing::debug!(%device, %operation, %failure, "no reply");
                Err(self.failed(failure))
            }
        }
    }

    fn request(&self, form: &[(&str, &str)]) -> Result<http::Request<Bytes>, CallError> {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = http::Request::new(Bytes::from(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("/api/");
        let headers = request.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if let Some(key) = &self.key {
            let mut key = HeaderValue::from_str(key.expose().trim()).map_err(|_| {
                let text = "the key holds characters that a request cannot carry; nothing was sent";
                self.failed(Failure::Unauthorised { text: text.into() })
            })?;
            key.set_sensitive(true);
            headers.insert(KEY_HEADER, key);
        }
        Ok(request)
    }

    /// The reply's result, as `reader` sees it.
    ///
    /// Some replies repeat what they were sent, and every failure quotes its reply: so a failure is always that of
    /// the reply *without* secrets. Taking them out of the finished text would miss one that the text cuts short.
    pub(crate) fn understand<T>(
        &self,
        reply: &Received,
        reader: impl Fn(&Node) -> Result<T, Failure>,
    ) -> Result<T, CallError> {
        self.understand_raw(reply, |raw| raw.result().and_then(|result| reader(&result)))
    }

    /// As [`Call::understand`], for a reader that goes through the reply itself.
    pub(crate) fn understand_raw<T>(
        &self,
        reply: &Received,
        reader: impl Fn(Raw<'_>) -> Result<T, Failure>,
    ) -> Result<T, CallError> {
        let read = |body: &[u8]| {
            reader(Raw {
                status: reply.status,
                content_type: reply.content_type.as_deref(),
                body,
            })
        };
        let failure = match read(&reply.body) {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let Some(clean) = self.redacted(&reply.body) else {
            return Err(self.failed(failure));
        };
        Err(self.failed(match read(clean.as_bytes()) {
            Err(failure) => failure,
            Ok(_) => Failure::garbled("not shown because it repeats a secret"),
        }))
    }

    /// The body without the secrets of this call; `None` when it holds none.
    fn redacted(&self, body: &[u8]) -> Option<String> {
        let body = String::from_utf8_lossy(body);
        let mut clean = body.clone().into_owned();
        for secret in std::iter::once(&self.secret).chain(&self.key) {
            secret.redact(&mut clean);
            Secret::new(quick_xml::escape::escape(secret.expose())).redact(&mut clean);
        }
        (clean != body).then_some(clean)
    }

    /// The error of this call.
    pub(crate) fn failed(&self, failure: Failure) -> CallError {
        CallError {
            operation: self.operation,
            device: self.client.device.clone(),
            failure,
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
