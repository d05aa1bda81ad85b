//! For tests: a transport that answers from a script in memory and records what it was asked; and the golden replies.
//! Must not be used outside of tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::transport::{Transport, TransportError};
use crate::xml::{Node, read_reply};

pub(crate) type Answer = Result<http::Response<Bytes>, TransportError>;

/// A request as the transport saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.body.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

pub(crate) struct Scripted {
    answer: Box<dyn Fn(&Seen) -> Answer + Send + Sync>,
    certificate: Option<Bytes>,
    seen: Mutex<Vec<Seen>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

impl Scripted {
    pub(crate) fn new(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answer: Box::new(answer),
            certificate: None,
            seen: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        }
    }

    /// As if it had shown this certificate, as DER.
    pub(crate) fn showing(mut self, certificate: Option<Bytes>) -> Self {
        self.certificate = certificate;
        self
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.most_in_flight.load(Ordering::SeqCst)
    }
}

impl Transport for Scripted {
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let headers = request.headers().iter();
            let seen = Seen {
                line: format!("{} {}", request.method(), request.uri()),
                headers: headers
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                    .collect(),
                body: String::from_utf8(request.body().to_vec()).unwrap(),
            };
            self.seen.lock().unwrap().push(seen.clone());
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_in_flight.fetch_max(now, Ordering::SeqCst);
            // Long enough for every other task to reach its own send.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            (self.answer)(&seen)
        })
    }

    fn certificate(&self) -> Option<Bytes> {
        self.certificate.clone()
    }
}

pub(crate) fn reply(status: u16, body: impl Into<Bytes>) -> Answer {
    let reply = http::Response::builder()
        .status(status)
        .header("content-type", "application/xml; charset=UTF-8")
        .body(body.into());
    Ok(reply.unwrap())
}

/// A reply of the collection, as bytes.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("replies").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of all replies of the collection.
pub(crate) fn golden_names() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("replies");
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".xml"))
        .collect();
    names.sort();
    names
}

/// The result of a golden success reply.
pub(crate) fn result_of(name: &str) -> Node {
    read_reply(200, Some("application/xml"), &golden(name)).unwrap()
}

/// A result made of this text.
pub(crate) fn result_text(text: &str) -> Node {
    let body = format!("<response status='success'><result><![CDATA[{text}]]></result></response>");
    read_reply(200, None, body.as_bytes()).unwrap()
}

/// One line a value, for snapshots.
pub(crate) fn lines<T: std::fmt::Debug>(values: &[T]) -> String {
    let lines: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    lines.join("\n")
}
