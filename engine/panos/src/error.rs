//! What a failed call means: the one table from transport failure, HTTP status and PAN-OS code to a failure and a class.
//! Knows codes and texts of PAN-OS; must not know how often or when anything is tried again, nor whether a device is booting.

use std::fmt;

use crate::operation::Operation;
use crate::transport::{TransportError, TransportErrorKind};

/// A call that did not succeed.
///
/// Holds no source: [`Failure`] is the whole story and is part of the printed text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation} on {device}: {failure}")]
pub struct CallError {
    /// What was asked. A failed key request before the call proper is [`Operation::Login`]: then the call itself was
    /// never sent.
    pub operation: Operation,
    /// The device's name, as the client was given it.
    pub device: String,
    /// What happened.
    pub failure: Failure,
}

/// What happened to a call. Texts come from the device or the operating system, bounded, printable, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection: nothing was sent.
    Unreachable {
        /// The operating system's words.
        detail: String,
    },
    /// Sent, or maybe sent; no complete reply in time.
    Silent {
        /// Which limit ended the wait.
        detail: String,
    },
    /// The connection broke after sending had started.
    Broken {
        /// How it broke.
        detail: String,
    },
    /// The certificate is not the one trusted; nothing was sent.
    Untrusted {
        /// What the trust rule asks for.
        expected: String,
        /// What the peer showed.
        found: String,
    },
    /// A reply that is not PAN-OS XML: an HTML page, nothing at all, XML cut short.
    Garbled {
        /// What it was instead.
        found: String,
    },
    /// A well-formed success reply without the element that is needed, or with one that cannot be read.
    Unreadable {
        /// Which element, and why.
        what: String,
    },
    /// Login or key not accepted (HTTP 401 or 403, code 403). During a boot also the answer to a good key: the caller
    /// knows whether the device is booting.
    Unauthorised {
        /// The device's words.
        text: String,
    },
    /// The administrator's role does not allow the call (code 16).
    NoRights {
        /// The device's words.
        text: String,
    },
    /// The device cannot answer now.
    Busy {
        /// In which way.
        cause: BusyCause,
        /// The device's words.
        text: String,
    },
    /// Panorama has no connection to the device.
    NotConnected {
        /// Panorama's words.
        text: String,
    },
    /// The device understood and said no.
    Rejected {
        /// The PAN-OS code, where it gave one.
        code: Option<u16>,
        /// The device's words.
        text: String,
    },
}

/// The ways a device is too busy to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusyCause {
    /// It says that something else is in progress, or to try again later: this call was not started.
    InProgress,
    /// An HTTP 5xx: the web server answers, the management server behind it may or may not have seen the call.
    HttpStatus(u16),
    /// Codes 2-5, 11 and 21, or the management server's own socket error: how far the call got is not known.
    InternalError(Option<u16>),
    /// Code 22: the management server gave up on the call's session; how far it got is not known.
    SessionTimedOut,
}

/// What may be done after a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The call had no effect, or was a read: it may be asked again.
    Retryable,
    /// The call had no effect, and asking again gives the same answer until a person or the device's state changes.
    Refused,
    /// The call changes the device and may have taken effect: observe, never repeat.
    Indeterminate,
}

impl CallError {
    /// What may be done now. The only place that decides it.
    #[must_use]
    pub fn class(&self) -> Class {
        let unless_changing = if self.operation.is_changing() {
            Class::Indeterminate
        } else {
            Class::Retryable
        };
        match &self.failure {
            Failure::Unreachable { .. } | Failure::NotConnected { .. } => Class::Retryable,
            Failure::Silent { .. }
            | Failure::Broken { .. }
            | Failure::Garbled { .. }
            | Failure::Unreadable { .. } => unless_changing,
            Failure::Busy { cause, text: _ } => match cause {
                BusyCause::InProgress => Class::Retryable,
                BusyCause::HttpStatus(_) | BusyCause::InternalError(_) | BusyCause::SessionTimedOut => {
                    unless_changing
                }
            },
            Failure::Untrusted { .. }
            | Failure::Unauthorised { .. }
            | Failure::NoRights { .. }
            | Failure::Rejected { .. } => Class::Refused,
        }
    }

    /// Whether the device does not know the command: a code says so (1 unknown, 17 not in this release or model).
    #[must_use]
    pub fn is_unknown_command(&self) -> bool {
        matches!(
            self.failure,
            Failure::Rejected {
                code: Some(1 | 17),
                ..
            }
        )
    }
}

impl Failure {
    pub(crate) fn garbled(found: impl Into<String>) -> Self {
        Self::Garbled { found: found.into() }
    }

    pub(crate) fn unreadable(what: impl Into<String>) -> Self {
        Self::Unreadable { what: what.into() }
    }

    /// An HTTP status that decides by itself, whatever the body says. The vendor's page "PAN-OS XML API Error Codes"
    /// has 400 and 403 as HTTP statuses too; 5xx come from the web server while the management server starts.
    pub(crate) fn of_http_status(status: u16, text: &str) -> Option<Self> {
        let text = text.to_owned();
        match status {
            401 | 403 => Some(Self::Unauthorised { text }),
            500..=599 => Some(Self::Busy {
                cause: BusyCause::HttpStatus(status),
                text,
            }),
            _ => None,
        }
    }

    /// The failure of an error reply, after the vendor's page "PAN-OS XML API Error Codes". Texts are looked at only
    /// where one code, or none, stands for several states.
    pub(crate) fn of_reply(code: Option<u16>, text: &str) -> Self {
        let text = text.to_owned();
        let busy = |cause, text| Self::Busy { cause, text };
        match code {
            Some(403) => return Self::Unauthorised { text },
            Some(16) => return Self::NoRights { text },
            Some(22) => return busy(BusyCause::SessionTimedOut, text),
            _ => {}
        }
        if says_try_later(&text) {
            return busy(BusyCause::InProgress, text);
        }
        if says_not_connected(&text) {
            return Self::NotConnected { text };
        }
        if text == "Session timed out" {
            return busy(BusyCause::SessionTimedOut, text);
        }
        if code.is_none() && text.starts_with("Invalid Credential") {
            return Self::Unauthorised { text };
        }
        if text.contains("Transport endpoint is not connected") {
            return busy(BusyCause::InternalError(code), text);
        }
        match code {
            Some(2..=5 | 11 | 21) => busy(BusyCause::InternalError(code), text),
            // 1 unknown command, 6/7/12/13 xpath and object, 8/10 references, 14/15 state, 17/18 command, 400 request.
            Some(_) | None => Self::Rejected { code, text },
        }
    }

    /// Codes 19 and 20 are success, 19 with a job enqueued.
    pub(crate) fn is_success_code(code: Option<u16>) -> bool {
        matches!(code, Some(19 | 20))
    }

    pub(crate) fn of_transport(error: TransportError) -> Self {
        let detail = error.detail;
        match error.kind {
            TransportErrorKind::Unreachable => Self::Unreachable { detail },
            TransportErrorKind::Silent => Self::Silent { detail },
            TransportErrorKind::Broken => Self::Broken { detail },
            TransportErrorKind::Untrusted { expected, found } => Self::Untrusted { expected, found },
        }
    }
}

/// "Another commit/validate is in progress. Please try again later", "You cannot commit while an install is in
/// progress", "The software manager is currently in use. Please try again later."
fn says_try_later(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("in progress") || text.contains("please try again later")
}

/// Panorama's "<serial> not connected". Not the device's own "Transport endpoint is not connected".
fn says_not_connected(text: &str) -> bool {
    text.trim_end_matches('.')
        .strip_suffix(" not connected")
        .is_some_and(|serial| !serial.is_empty() && !serial.contains(' '))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { detail } => write!(f, "no connection, nothing was sent: {detail}"),
            Self::Silent { detail } => write!(f, "no complete reply in time: {detail}"),
            Self::Broken { detail } => {
                write!(f, "the connection broke before the reply was complete: {detail}")
            }
            Self::Untrusted { expected, found } => write!(
                f,
                "the certificate is not trusted, nothing was sent: expected {expected}, found {found}"
            ),
            Self::Garbled { found } => write!(f, "the reply is not a PAN-OS reply: {found}"),
            Self::Unreadable { what } => write!(f, "the reply cannot be understood: {what}"),
            Self::Unauthorised { text } => {
                write!(f, "the login or key was not accepted: {text}")
            }
            Self::NoRights { text } => {
                write!(f, "the administrator's role does not allow it (code 16): {text}")
            }
            Self::Busy { cause, text } => write!(f, "{cause}: {text}"),
            Self::NotConnected { text } => {
                write!(f, "Panorama has no connection to the device: {text}")
            }
            Self::Rejected {
                code: Some(code),
                text,
            } => write!(f, "the device refused (code {code}): {text}"),
            Self::Rejected { code: None, text } => write!(f, "the device refused: {text}"),
        }
    }
}

impl fmt::Display for BusyCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProgress => f.write_str("the device is busy"),
            Self::HttpStatus(status) => {
                write!(f, "the management server is not serving (HTTP {status})")
            }
            Self::InternalError(Some(code)) => {
                write!(f, "the device reports an internal error (code {code})")
            }
            Self::InternalError(None) => f.write_str("the device reports an internal error"),
            Self::SessionTimedOut => f.write_str("the session timed out on the device"),
        }
    }
}

#[cfg(test)]
mod tests;
