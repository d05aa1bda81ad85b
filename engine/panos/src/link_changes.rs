//! Reads from entries of the system log how the links of ports changed.
//! Knows the entries of a change of a link; must not know how a log is asked, or how many changes are too many.

use std::collections::BTreeMap;

use hopgate_playbooks::{LinkChange, LinkChanges, PortLinkChanges};
use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::error::Failure;
use crate::moment;
use crate::xml::{Node, printable, whole_number};

/// The vendor's first firewalls, the PA-4000 series, came in 2007: an earlier time is that of a clock which nobody had set yet,
/// as before the first answer of a time server after a boot.
const FIRST_YEAR: i16 = 2007;

/// How far back a clock goes that is put back to standard time: the log is in local time.
const SUMMER_TIME: SignedDuration = SignedDuration::from_hours(1);

/// `<log><logs count="2" progress="100"><entry logid="..">`, with as many entries as the count says, or the newest `most`. The
/// fields of an entry are those of the vendor's page "System Log Fields". A log without any has a count too: pan-python and
/// pan-os-python have it in every reply that they record, and what does not say how much there is may be anything.
///
/// An entry whose port or time cannot be read makes the whole unreadable: "it did not go down" must not be concluded from it.
pub(crate) fn link_changes(result: &Node, most: usize) -> Result<LinkChanges, Failure> {
    let logs = result
        .at(&["log", "logs"])
        .ok_or_else(|| Failure::unreadable("no log in the reply"))?;
    let entries: Vec<&Node> = logs.children_named("entry").collect();
    is_whole(logs, entries.len(), most)?;
    let mut ports: BTreeMap<String, Vec<LinkChange>> = BTreeMap::new();
    let mut times = Vec::with_capacity(entries.len());
    for entry in &entries {
        let (interface, change) = change(entry)?;
        times.push(change.at);
        ports.entry(interface).or_default().push(change);
    }
    let ports = ports.into_iter().map(|(interface, mut log)| {
        // A device gives the newest first; entries of one second keep its order.
        log.sort_by_key(|change| std::cmp::Reverse(change.at));
        PortLinkChanges { interface, log }
    });
    let certain = in_order(&times);
    let is_cut = entries.len() >= most;
    Ok(LinkChanges {
        ports: ports.collect(),
        cut_at: certain
            .last()
            .copied()
            .filter(|_| is_cut || certain.len() < times.len()),
        times_in_doubt: certain.is_empty() && !times.is_empty(),
    })
}

/// Whether the reply is all of what was found, or the newest `most` of it.
fn is_whole(logs: &Node, entries: usize, most: usize) -> Result<(), Failure> {
    if let Some(progress) = logs.attribute("progress")
        && whole_number(progress) != Some(100)
    {
        return Err(Failure::unreadable(format!(
            "the log was read to {:?} of 100",
            printable(progress, 20)
        )));
    }
    let count = logs
        .attribute("count")
        .ok_or_else(|| Failure::unreadable("the log does not say how many entries it has"))?;
    if entries < most && whole_number(count) != u64::try_from(entries).ok() {
        return Err(Failure::unreadable(format!(
            "the log is said to have {} entries, and has {entries}",
            printable(count, 20)
        )));
    }
    Ok(())
}

/// The newest of the times, as many as can be believed; `times` has the newest entry first.
///
/// A time is believed while no older entry has a later one. Where one does, the clock was set in between, and either may be
/// wrong; so is a time from before there were such devices. What comes after the last believed entry was before it, whatever
/// its own time says: a boot with the clock of 1970 does not make the log reach back to 1970, nor a clock that was years ahead
/// make old changes new ones.
fn in_order(times: &[DateTime]) -> &[DateTime] {
    let is_set = |at: DateTime| at.year() >= FIRST_YEAR;
    let (mut believed, mut latest_older) = (times.len(), DateTime::MIN);
    for (nth, at) in times.iter().enumerate().rev() {
        if !is_set(*at) || at.saturating_add(SUMMER_TIME) < latest_older {
            believed = nth;
        }
        latest_older = latest_older.max(*at);
    }
    &times[..believed]
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

/// When the management plane logged it: by its clock, which is the one that a device shows. `time_generated` is by that of
/// the dataplane.
fn at(entry: &Node) -> Result<DateTime, Failure> {
    let text = match entry.value("receive_time") {
        Some(text) => text,
        None => entry.required("time_generated")?,
    };
    moment::time(&[moment::STAMP], text)
        .ok_or_else(|| Failure::unreadable(format!("an entry of the log is of {:?}", printable(text, 40))))
}

#[cfg(test)]
mod tests {
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

    /// What is known of a log that is not cut short: since when, and whether that can be told.
    fn known(times: &[&str]) -> (Option<String>, bool) {
        let entries: Vec<(&str, &str)> = times
            .iter()
            .map(|time| (*time, "Port ethernet1/1: Down 1Gb/s Full duplex"))
            .collect();
        let read = link_changes(&log(&entries), 1_000).unwrap();
        (read.cut_at.map(|at| at.to_string()), read.times_in_doubt)
    }

    #[test]
    fn a_time_is_believed_while_no_older_entry_has_a_later_one() {
        let since = |at: &str| (Some(at.to_owned()), false);
        let (everything, nothing) = ((None, false), (None, true));
        for (times, expected) in [
            (&[] as &[&str], everything.clone()),
            (
                &["2026/11/21 10:05:00", "2026/11/21 10:04:00"],
                everything.clone(),
            ),
            // Booted before a time server answered: at the end of the log, amid it, and just now.
            (
                &[
                    "2026/11/21 10:05:00",
                    "2026/11/21 10:04:00",
                    "1970/01/01 00:01:00",
                ],
                since("2026-11-21T10:04:00"),
            ),
            (
                &[
                    "2026/11/21 10:05:00",
                    "1970/01/01 00:01:00",
                    "2026/11/21 09:50:00",
                ],
                since("2026-11-21T10:05:00"),
            ),
            (&["1970/01/01 00:01:00", "2026/11/21 09:50:00"], nothing.clone()),
            // With a clock that was three days behind.
            (
                &[
                    "2026/11/21 10:05:00",
                    "2026/11/18 10:03:00",
                    "2026/11/21 09:50:00",
                ],
                since("2026-11-21T10:05:00"),
            ),
            // Which of two was wrong, the one or the other, the log does not say.
            (
                &[
                    "2026/11/21 10:05:00",
                    "2031/01/01 00:00:00",
                    "2026/11/21 09:50:00",
                ],
                nothing.clone(),
            ),
            (
                &["2031/01/01 00:00:00", "2026/11/21 09:50:00"],
                everything.clone(),
            ),
            // Standard time begins.
            (
                &[
                    "2026/10/25 02:10:00",
                    "2026/10/25 02:59:00",
                    "2026/10/24 12:00:00",
                ],
                everything.clone(),
            ),
            (&["2026/11/18 10:00:00", "2026/11/19 10:00:00"], nothing.clone()),
        ] {
            assert_eq!(known(times), expected, "{times:?}");
        }
    }

    #[test]
    fn a_log_that_is_cut_reaches_back_to_what_is_believed() {
        let down = "Port ethernet1/1: Down 1Gb/s Full duplex";
        let log = log(&[
            ("2026/11/21 10:05:00", down),
            ("2026/11/21 10:04:00", down),
            ("1970/01/01 00:01:00", down),
        ]);
        let cut_at = link_changes(&log, 3).unwrap().cut_at;
        assert_eq!(cut_at, Some("2026-11-21T10:04:00".parse().unwrap()));
    }
}
