//! What the system log of a device tells: of its software, and of where its logs go.
//! Knows the shapes; must not know which event is harmless.

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// The newest entries of some events of the system log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvents {
    /// The entries, the newest first, as the device has them.
    pub log: Vec<LogEvent>,
    /// Since when it tells of everything, in the right order: where the device gave only its newest entries, or its clock was
    /// set. What was before is not known, whatever the times of entries say. None where it gave all that it has.
    pub cut_at: Option<DateTime>,
    /// Whether its clock was set and no such time can be told.
    pub times_in_doubt: bool,
    /// Whether it is all that the log has of them, however its clock was set.
    pub complete: bool,
}

/// One entry of the system log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogEvent {
    /// When the management plane logged it, by its own clock, in a zone that the log does not name.
    pub at: DateTime,
    /// The event, as the vendor names it: `fips-selftest-integ`.
    pub event: String,
    /// `informational`, `low`, `medium`, `high`, `critical`. For some events it is another from release to release.
    pub severity: Option<String>,
    /// What it says.
    pub text: Option<String>,
}

/// What the system log tells of connections to syslog servers. Over UDP there is none, and nothing is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyslogConnections {
    /// The servers that it tells of, by their names.
    pub servers: Vec<SyslogServer>,
    /// As [`LogEvents::cut_at`].
    pub cut_at: Option<DateTime>,
    /// As [`LogEvents::times_in_doubt`].
    pub times_in_doubt: bool,
}

/// What became of the connection to one syslog server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyslogServer {
    /// As the log names it: the server of a profile (`TEST`), or an address (`AF_INET.10.0.0.1:5614.`). None for the entries
    /// that name none.
    pub server: Option<String>,
    /// What the log tells of it, the newest first.
    pub log: Vec<SyslogChange>,
}

/// One word on a connection to a syslog server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SyslogChange {
    /// As [`LogEvent::at`].
    pub at: DateTime,
    /// Whether it was established, or failed; none where the entry says neither.
    pub connected: Option<bool>,
    /// What the entry says.
    pub text: Option<String>,
}
