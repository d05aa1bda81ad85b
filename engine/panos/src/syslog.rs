//! Reads from entries of the system log what became of connections to syslog servers.
//! Knows the entries about such a connection; must not know how a log is asked, or what a lost connection means.

use std::collections::BTreeMap;

use hopgate_playbooks::{SyslogChange, SyslogConnections, SyslogServer};

use crate::error::Failure;
use crate::system_log::{DESCRIPTION, Reach, at, entries};
use crate::xml::{Node, printable};

/// The connections by their servers. An entry whose time cannot be read makes the whole unreadable; one that names no server, or
/// does not say what became of it, is kept as that.
pub(crate) fn connections(result: &Node, most: usize) -> Result<SyslogConnections, Failure> {
    let mut times = Vec::new();
    let mut servers: BTreeMap<Option<String>, Vec<SyslogChange>> = BTreeMap::new();
    for entry in entries(result, most)? {
        let at = at(entry)?;
        let text = entry.value("opaque");
        times.push(at);
        let change = SyslogChange {
            at,
            connected: text.and_then(connected),
            text: text.map(|text| printable(text, DESCRIPTION)),
        };
        servers.entry(text.and_then(server)).or_default().push(change);
    }
    let servers = servers.into_iter();
    let Reach {
        cut_at,
        times_in_doubt,
    } = Reach::of(&times, most);
    Ok(SyslogConnections {
        servers: servers
            .map(|(server, log)| SyslogServer { server, log })
            .collect(),
        cut_at,
        times_in_doubt,
    })
}

/// `Syslog connection failed to server['TEST']` (test data of Cortex XSOAR's collector of PAN-OS logs), `Syslog connection
/// established to server['AF_INET.10.0.0.1:5614.']`: the vendor's list of events has "<syslog-ng message>" here, and the third
/// that syslog-ng has of a server it sends to is "Syslog connection broken" (`logwriter.c`).
fn connected(text: &str) -> Option<bool> {
    match text
        .strip_prefix("Syslog connection ")?
        .split_whitespace()
        .next()?
    {
        "established" => Some(true),
        "failed" | "broken" => Some(false),
        _ => None,
    }
}

fn server(text: &str) -> Option<String> {
    let (_, named) = text.split_once("server['")?;
    let (name, _) = named.split_once("']")?;
    (!name.is_empty()).then(|| printable(name, 200))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_which_server_and_whether_it_is_connected_or_nothing() {
        let known = |text: &str| (server(text), connected(text));
        let named = |name: &str| Some(name.to_owned());
        for (text, expected) in [
            (
                "Syslog connection failed to server['TEST']",
                (named("TEST"), Some(false)),
            ),
            (
                "Syslog connection established to server['AF_INET.10.0.0.1:5614.']",
                (named("AF_INET.10.0.0.1:5614."), Some(true)),
            ),
            (
                "Syslog connection broken to server['AF_INET.10.0.0.1:5614.']",
                (named("AF_INET.10.0.0.1:5614."), Some(false)),
            ),
            (
                "Syslog connection resumed to server['TEST']",
                (named("TEST"), None),
            ),
            ("Syslog connection failed to server['']", (None, Some(false))),
            ("Syslog connection failed to server['TEST", (None, Some(false))),
            ("Connection failed", (None, None)),
            ("", (None, None)),
        ] {
            assert_eq!(known(text), expected, "{text}");
        }
    }
}
