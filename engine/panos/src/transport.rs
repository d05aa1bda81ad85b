//! The seam between PAN-OS calls and whatever carries them: one HTTP request to one device, one reply or a typed failure.
//! Knows how a call can fail on its way; must not know XML, PAN-OS codes, keys, or which calls change a device.

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// Carries requests to one device.
///
/// The request's URI is path and query only (`/api/`): the transport knows the device's address, and nothing above it
/// does. A future that is dropped may still have sent its request.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and waits for the whole reply: its status, its body, and of its head at least the content type.
    ///
    /// # Errors
    /// [`TransportError`], whose kind tells whether anything can have reached the device. An HTTP error status is a
    /// reply, not an error.
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>>;

    /// The certificate that the device showed last, as DER, of those whose key it proved to have. None before the first
    /// connection, and where there is no TLS. A resumed session shows none: that of its beginning stays.
    fn certificate(&self) -> Option<Bytes> {
        None
    }

    /// Nothing will be asked for a while: whatever is kept for the next request may go. The next one is as good as before.
    fn rest(&self) {}
}

/// Why a request has no complete reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct TransportError {
    /// What the failure means for the request.
    pub kind: TransportErrorKind,
    /// The cause, in the words of the operating system or the protocol library. Never holds request content.
    pub detail: String,
}

impl TransportError {
    /// A failure of this kind with this cause.
    pub fn new(kind: TransportErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// Whether the request, or a part of it, can have reached the device. When false, repeating it is safe whatever
    /// it asks for.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        match self.kind {
            TransportErrorKind::Unreachable | TransportErrorKind::Untrusted { .. } => false,
            TransportErrorKind::Silent | TransportErrorKind::Broken => true,
        }
    }
}

/// The kinds of transport failure, told apart by what the device can have seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// No connection was made (refused, no route, unknown name, handshake not finished): nothing was sent.
    Unreachable,
    /// The request was or may have been sent, and no complete reply came by the deadline.
    Silent,
    /// The connection was reset or closed, or the reply was cut short, after sending had started.
    Broken,
    /// The peer's certificate is not the one trusted; the connection was dropped before anything was sent.
    Untrusted {
        /// What the trust rule asks for.
        expected: String,
        /// What the peer showed.
        found: String,
    },
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("no connection, nothing was sent"),
            Self::Silent => f.write_str("no complete reply in time"),
            Self::Broken => f.write_str("the connection broke before the reply was complete"),
            Self::Untrusted { expected, found } => {
                write!(
                    f,
                    "the certificate is not trusted, expected {expected}, found {found}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_after_sending_count_as_sent() {
        let untrusted = TransportErrorKind::Untrusted {
            expected: "SHA256:aa".into(),
            found: "SHA256:bb".into(),
        };
        let table: Vec<String> = [
            TransportErrorKind::Unreachable,
            TransportErrorKind::Silent,
            TransportErrorKind::Broken,
            untrusted,
        ]
        .into_iter()
        .map(|kind| {
            let error = TransportError::new(kind, "cause");
            format!("sent={} {error}", error.was_sent())
        })
        .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        sent=false no connection, nothing was sent: cause
        sent=true no complete reply in time: cause
        sent=true the connection broke before the reply was complete: cause
        sent=false the certificate is not trusted, expected SHA256:aa, found SHA256:bb: cause
        ");
    }
}
