//! Reads from entries of the system log how the links of ports changed.
//! Knows the entries of a change of a link; must not know how a log is asked, or how many changes are too many.

use std::collections::BTreeMap;

use hopgate_playbooks::{LinkChange, LinkChanges, PortLinkChanges};

use crate::error::Failure;
use crate::system_log::{Reach, at, entries};
use crate::xml::{Node, printable};

/// An entry whose port or time cannot be read makes the whole unreadable: "it did not go down" must not be concluded from it.
pub(crate) fn link_changes(result: &Node, most: usize) -> Result<LinkChanges, Failure> {
    let entries = entries(result, most)?;
    let mut ports: BTreeMap<String, Vec<LinkChange>> = BTreeMap::new();
    let mut times = Vec::with_capacity(entries.len());
    for entry in entries {
        let (interface, change) = change(entry)?;
        times.push(change.at);
        ports.entry(interface).or_default().push(change);
    }
    let ports = ports.into_iter().map(|(interface, mut log)| {
        // A device gives the newest first; entries of one second keep its order.
        log.sort_by_key(|change| std::cmp::Reverse(change.at));
        PortLinkChanges { interface, log }
    });
    let ports = ports.collect();
    let Reach {
        cut_at,
        times_in_doubt,
    } = Reach::of(&times, most);
    Ok(LinkChanges {
        ports,
        cut_at,
        times_in_doubt,
    })
}

/// `Port ethernet1/4: Down 1Gb/s-full duplex` (knowledge base, "Why does one interface of the vwire pair display
/// power-down?"), `Port MGT: Up   1Gb/s Full duplex`; the port is the entry's object too.
fn change(entry: &Node) -> Result<(String, LinkChange), Failure> {
    let said = entry.value("opaque").unwrap_or_default();
    let described = said
        .strip_prefix("Port ")
        .and_then(|said| said.split_once(':'))
        .map(|(port, state)| (port.trim(), state))
        .filter(|(port, _)| !port.is_empty());
    let (port, state) = match (described, entry.value("object")) {
        (Some((port, state)), _) => (port, state),
        (None, Some(object)) => (object, said),
        (None, None) => {
            return Err(Failure::unreadable(format!(
                "the entry {:?} of the log names no port",
                printable(said, 80)
            )));
        }
    };
    let up = match state.split_whitespace().next() {
        Some(word) if word.eq_ignore_ascii_case("up") => Some(true),
        Some(word) if word.eq_ignore_ascii_case("down") => Some(false),
        _ => None,
    };
    let at = at(entry)?;
    Ok((printable(port, 80), LinkChange { at, up }))
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;

    use super::*;
    use crate::xml::parse;

    fn log(entries: &[(&str, &str)]) -> Node {
        let entries: Vec<String> = entries
            .iter()
            .map(|(time, said)| {
                format!("<entry><receive_time>{time}</receive_time><opaque>{said}</opaque></entry>")
            })
            .collect();
        let log = format!(
            "<result><log><logs count='{}' progress='100'>{}</logs></log></result>",
            entries.len(),
            entries.concat()
        );
        parse(log.as_bytes()).unwrap()
    }

    #[test]
    fn a_reply_as_long_as_it_may_be_says_how_far_back_it_reaches() {
        let log = log(&[
            ("2026/11/21 10:00:09", "Port ethernet1/1: Up 1Gb/s Full duplex"),
            ("2026/11/21 10:00:05", "Port ethernet1/2: Down 1Gb/s Full duplex"),
            ("2026/11/21 09:00:00", "Port ethernet1/1: Down 1Gb/s Full duplex"),
        ]);
        let cut_at = |most| link_changes(&log, most).unwrap().cut_at;
        assert_eq!(cut_at(4), None);
        let oldest: DateTime = "2026-11-21T09:00:00".parse().unwrap();
        assert_eq!((cut_at(3), cut_at(2)), (Some(oldest), Some(oldest)));
    }

    #[test]
    fn changes_of_one_second_stay_in_the_order_of_the_device() {
        let log = log(&[
            ("2026/11/21 10:00:05", "Port ethernet1/1: Up 1Gb/s Full duplex"),
            ("2026/11/21 10:00:05", "Port ethernet1/1: Down 1Gb/s Full duplex"),
        ]);
        let changes = &link_changes(&log, 10).unwrap().ports[0].log;
        let ups: Vec<Option<bool>> = changes.iter().map(|change| change.up).collect();
        assert_eq!(ups, [Some(true), Some(false)]);
    }
}
