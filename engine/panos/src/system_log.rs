//! Reads the entries of the system log: whether all of them came, when each was, and from when on they can be believed.
//! Knows the fields that every entry has; must not know how a log is asked, or what follows from an event.

use hopgate_playbooks::{LogEvent, LogEvents};
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

/// How much of a description is kept: all of it. A device writes at most 512 bytes ("System Log Fields").
pub(crate) const DESCRIPTION: usize = 512;

/// `<log><logs count="2" progress="100"><entry logid="..">`, with as many entries as the count says, or the newest `most`. The
/// fields of an entry are those of the vendor's page "System Log Fields". A log without any has a count too: pan-python and
/// pan-os-python have it in every reply that they record, and what does not say how much there is may be anything.
pub(crate) fn entries(result: &Node, most: usize) -> Result<Vec<&Node>, Failure> {
    let logs = result
        .at(&["log", "logs"])
        .ok_or_else(|| Failure::unreadable("no log in the reply"))?;
    let entries: Vec<&Node> = logs.children_named("entry").collect();
    is_whole(logs, entries.len(), most)?;
    Ok(entries)
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

/// When the management plane logged it: by its clock, which is the one that a device shows. `time_generated` is by that of
/// the dataplane.
pub(crate) fn at(entry: &Node) -> Result<DateTime, Failure> {
    let text = match entry.value("receive_time") {
        Some(text) => text,
        None => entry.required("time_generated")?,
    };
    moment::time(&[moment::STAMP], text)
        .ok_or_else(|| Failure::unreadable(format!("an entry of the log is of {:?}", printable(text, 40))))
}

/// What the times of a log are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Since when it tells of everything, in the right order; none where it does from its first entry on.
    pub(crate) cut_at: Option<DateTime>,
    /// Whether no such time can be told.
    pub(crate) times_in_doubt: bool,
}

impl Reach {
    /// Of entries at these times, the newest first, of which at most `most` were asked for.
    pub(crate) fn of(times: &[DateTime], most: usize) -> Self {
        let certain = in_order(times);
        let is_cut = times.len() >= most;
        Self {
            cut_at: certain
                .last()
                .copied()
                .filter(|_| is_cut || certain.len() < times.len()),
            times_in_doubt: certain.is_empty() && !times.is_empty(),
        }
    }
}

/// The newest of the times, as many as can be believed; `times` has the newest entry first.
///
/// A time is believed while no older entry has a later one. Where one does, the clock was set in between, and either may be
/// wrong; so is a time from before there were such devices. What comes after the last believed entry was before it, whatever
/// its own time says: a boot with the clock of 1970 does not make the log reach back to 1970, nor a clock that was years ahead
/// make old entries new ones.
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

/// The entries as they are, in the device's order. One whose event or time cannot be read makes the whole unreadable: that
/// something did not happen must not be concluded from it.
pub(crate) fn events(result: &Node, most: usize) -> Result<LogEvents, Failure> {
    let log = entries(result, most)?
        .into_iter()
        .map(event)
        .collect::<Result<Vec<_>, _>>()?;
    let times: Vec<DateTime> = log.iter().map(|event| event.at).collect();
    let Reach {
        cut_at,
        times_in_doubt,
    } = Reach::of(&times, most);
    Ok(LogEvents {
        complete: log.len() < most,
        log,
        cut_at,
        times_in_doubt,
    })
}

fn event(entry: &Node) -> Result<LogEvent, Failure> {
    Ok(LogEvent {
        at: at(entry)?,
        event: printable(entry.required("eventid")?, 80),
        severity: entry.value("severity").map(|severity| printable(severity, 40)),
        text: entry.value("opaque").map(|text| printable(text, DESCRIPTION)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known of a log with these times of which at most `most` entries were asked for.
    fn known(times: &[&str], most: usize) -> (Option<String>, bool) {
        let times: Vec<DateTime> = times.iter().map(|time| time.parse().unwrap()).collect();
        let reach = Reach::of(&times, most);
        (reach.cut_at.map(|at| at.to_string()), reach.times_in_doubt)
    }

    #[test]
    fn a_time_is_believed_while_no_older_entry_has_a_later_one() {
        let since = |at: &str| (Some(at.to_owned()), false);
        let (everything, nothing) = ((None, false), (None, true));
        for (times, expected) in [
            (&[] as &[&str], everything.clone()),
            (
                &["2026-11-21T10:05:00", "2026-11-21T10:04:00"],
                everything.clone(),
            ),
            // Booted before a time server answered: at the end of the log, amid it, and just now.
            (
                &[
                    "2026-11-21T10:05:00",
                    "2026-11-21T10:04:00",
                    "1970-01-01T00:01:00",
                ],
                since("2026-11-21T10:04:00"),
            ),
            (
                &[
                    "2026-11-21T10:05:00",
                    "1970-01-01T00:01:00",
                    "2026-11-21T09:50:00",
                ],
                since("2026-11-21T10:05:00"),
            ),
            (&["1970-01-01T00:01:00", "2026-11-21T09:50:00"], nothing.clone()),
            // With a clock that was three days behind.
            (
                &[
                    "2026-11-21T10:05:00",
                    "2026-11-18T10:03:00",
                    "2026-11-21T09:50:00",
                ],
                since("2026-11-21T10:05:00"),
            ),
            // Which of two was wrong, the one or the other, the log does not say.
            (
                &[
                    "2026-11-21T10:05:00",
                    "2031-01-01T00:00:00",
                    "2026-11-21T09:50:00",
                ],
                nothing.clone(),
            ),
            (
                &["2031-01-01T00:00:00", "2026-11-21T09:50:00"],
                everything.clone(),
            ),
            // Standard time begins.
            (
                &[
                    "2026-10-25T02:10:00",
                    "2026-10-25T02:59:00",
                    "2026-10-24T12:00:00",
                ],
                everything.clone(),
            ),
            (&["2026-11-18T10:00:00", "2026-11-19T10:00:00"], nothing.clone()),
        ] {
            assert_eq!(known(times, 1_000), expected, "{times:?}");
        }
    }

    #[test]
    fn a_log_that_is_cut_reaches_back_to_what_is_believed() {
        let times = [
            "2026-11-21T10:05:00",
            "2026-11-21T10:04:00",
            "1970-01-01T00:01:00",
        ];
        let reached = (Some("2026-11-21T10:04:00".to_owned()), false);
        assert_eq!(known(&times, 3), reached);
        assert_eq!(known(&times[..2], 2), reached);
        assert_eq!(known(&times[..2], 3), (None, false));
    }
}
