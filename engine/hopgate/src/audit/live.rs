//! What a person sees while an audit runs: a table on a terminal, or a line now and then, with the counts and the slow ones.
//!
//! Goes to standard error: standard output is for what was found.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};

use hopgate_core::names::DeviceId;
use indicatif::ProgressDrawTarget;
use jiff::{SignedDuration, Timestamp};

use self::table::Table;
use super::{Audited, Counts};
use crate::clock;

mod table;

/// A device that takes longer than this is named; most answer within a second.
const SLOW: SignedDuration = SignedDuration::from_secs(5);

/// Most slow devices that are named at once.
const NAMED: usize = 3;

/// Without a terminal, how often a line says how far it is.
const BETWEEN_LINES: SignedDuration = SignedDuration::from_secs(10);

/// The view of a running audit.
pub struct Live {
    view: View,
    total: usize,
    left_out: usize,
    counts: Counts,
    under_way: BTreeMap<DeviceId, Timestamp>,
    said: Timestamp,
}

enum View {
    Nothing,
    Lines,
    Table(Box<Table>),
}

impl Live {
    /// For whoever shows the result only.
    pub fn silent() -> Live {
        Live::with(View::Nothing)
    }

    /// A table that changes where standard error is a terminal, lines now and then where it is not.
    pub fn on_stderr() -> Live {
        if !std::io::stderr().is_terminal() {
            return Live::with(View::Lines);
        }
        let table = Table::on(ProgressDrawTarget::stderr());
        Live::with(View::Table(Box::new(table)))
    }

    fn with(view: View) -> Live {
        Live {
            view,
            total: 0,
            left_out: 0,
            counts: Counts::default(),
            under_way: BTreeMap::new(),
            said: clock::machine_time(),
        }
    }

    pub(super) fn begin<'a>(&mut self, devices: impl Iterator<Item = &'a DeviceId> + Clone) {
        self.total = devices.clone().count();
        self.said = clock::machine_time();
        if let View::Table(table) = &mut self.view {
            table.begin(devices);
        }
    }

    pub(super) fn asked(&mut self, device: &DeviceId) {
        self.under_way.insert(device.clone(), clock::machine_time());
    }

    /// `audited` is nothing for a device that turned out not to be meant.
    pub(super) fn answered(&mut self, device: &DeviceId, audited: Option<&Audited>) {
        self.under_way.remove(device);
        match audited {
            Some(audited) => self.counts.add(audited.outcome()),
            None => self.left_out += 1,
        }
        if let (View::Table(table), Some(audited)) = (&mut self.view, audited) {
            table.answered(audited);
        }
        if let View::Table(table) = &self.view {
            table.counted(self.done(), self.line(clock::machine_time()));
        }
    }

    /// Time has passed.
    pub(super) fn look(&mut self) {
        let now = clock::machine_time();
        match &self.view {
            View::Nothing => {}
            View::Table(table) => table.counted(self.done(), self.line(now)),
            View::Lines if self.said.duration_until(now) >= BETWEEN_LINES => {
                // Whoever stopped reading has the result all the same.
                let _ = writeln!(
                    std::io::stderr(),
                    "{} of {} asked: {}",
                    self.done(),
                    self.total,
                    self.line(now)
                );
                self.said = now;
            }
            View::Lines => {}
        }
    }

    pub(super) fn end(&mut self) {
        if let View::Table(table) = &mut self.view {
            table.end();
        }
    }

    fn done(&self) -> usize {
        self.counts.devices + self.left_out
    }

    fn line(&self, now: Timestamp) -> String {
        let Counts {
            exposed,
            unknown,
            clear,
            ..
        } = self.counts;
        let mut line = format!("{exposed} exposed, {unknown} unknown, {clear} clear");
        let mut slow: Vec<(SignedDuration, &DeviceId)> = self
            .under_way
            .iter()
            .map(|(device, since)| (since.duration_until(now), device))
            .filter(|(taken, _)| *taken >= SLOW)
            .collect();
        slow.sort_by(|a, b| b.cmp(a));
        let named: Vec<String> = slow
            .iter()
            .take(NAMED)
            .map(|(taken, device)| format!("{device} {} s", taken.as_secs()))
            .collect();
        if !named.is_empty() {
            line.push_str("; slow: ");
            line.push_str(&named.join(", "));
        }
        if slow.len() > NAMED {
            line.push_str(&format!(" and {} more", slow.len() - NAMED));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use hopgate_playbooks::Verdict;

    use super::*;
    use crate::audit::tests::{answer, device};

    #[test]
    fn the_slow_ones_are_named_longest_first_and_not_all_of_them() {
        let mut live = Live::silent();
        for (name, verdict) in [("a", Verdict::Fail), ("b", Verdict::Pass)] {
            let audited = device(name, None, vec![answer("PAN-221190", None, verdict, "")]);
            live.asked(&audited.device);
            live.answered(&audited.device, Some(&audited));
        }
        let now: Timestamp = "2026-03-07T19:00:00Z".parse().unwrap();
        for (device, seconds) in [("c", 1), ("d", 6), ("e", 90), ("f", 7), ("g", 8)] {
            let since = now - SignedDuration::from_secs(seconds);
            live.under_way.insert(device.parse().unwrap(), since);
        }
        insta::assert_snapshot!(live.line(now), @"1 exposed, 0 unknown, 1 clear; slow: e 90 s, g 8 s, f 7 s and 1 more");
    }
}
