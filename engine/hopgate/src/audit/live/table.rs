//! The table of a running audit: the counts, below them who answered last. Drawn on a terminal, gone when the audit ends.
//!
//! Which firewalls are shown is decided here; what is said of each comes from what it answered. Knows nothing of how devices are
//! asked.

use std::collections::{BTreeSet, VecDeque};

use hopgate_core::names::DeviceId;
use hopgate_playbooks::{Severity, Verdict};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::audit::{Audited, Outcome};
use crate::report::visible;

/// Most firewalls that are shown at once: more move too fast to be read, and leave less of what stood on the screen before.
const SHOWN: usize = 10;

/// Widest column of names; a longer name moves the rest of its own row only.
const NAMES: usize = 32;

/// The rows on the terminal, and which firewalls they are of.
///
/// The newest is at the top, below the counts: what a low terminal has no room for is then what is oldest. Every line is
/// cut to the width that the terminal has when it is drawn.
pub(super) struct Table {
    lines: MultiProgress,
    counts: ProgressBar,
    /// The oldest first.
    rows: VecDeque<(Outcome, ProgressBar)>,
    names: usize,
}

impl Table {
    pub(super) fn on(target: ProgressDrawTarget) -> Table {
        let lines = MultiProgress::with_draw_target(target);
        let counts = line("{bar:12} {pos}/{len}  {wide_msg}");
        Table {
            counts: lines.add(counts),
            lines,
            rows: VecDeque::new(),
            names: 0,
        }
    }

    /// Makes room for these devices.
    pub(super) fn begin<'a>(&mut self, devices: impl Iterator<Item = &'a DeviceId>) {
        let lengths: Vec<usize> = devices.map(|device| device.as_str().chars().count()).collect();
        self.counts.set_length(lengths.len() as u64);
        self.names = lengths.into_iter().max().unwrap_or(0).min(NAMES);
    }

    /// A device has answered. One that needs a person stays until others that do take its place.
    pub(super) fn answered(&mut self, device: &Audited) {
        let outcome = device.outcome();
        if self.rows.len() == SHOWN {
            let clear = self.rows.iter().position(|(shown, _)| *shown == Outcome::Clear);
            let leaves = match (clear, outcome) {
                (Some(clear), _) => clear,
                (None, Outcome::Clear) => return,
                (None, Outcome::Exposed | Outcome::Unknown) => 0,
            };
            if let Some((_, row)) = self.rows.remove(leaves) {
                self.lines.remove(&row);
            }
        }
        let row = line("{wide_msg}").with_message(told(device, outcome, self.names));
        let row = self.lines.insert_after(&self.counts, row);
        row.tick();
        self.rows.push_back((outcome, row));
    }

    /// How many are done, and what is said beside that.
    pub(super) fn counted(&self, done: usize, said: String) {
        self.counts.set_position(done as u64);
        self.counts.set_message(said);
    }

    /// Nothing of it stays.
    pub(super) fn end(&mut self) {
        // First the rows, which would be drawn again with the counts otherwise.
        for (_, row) in self.rows.drain(..) {
            self.lines.remove(&row);
        }
        self.counts.finish_and_clear();
    }
}

/// A line that is drawn nowhere until it has its place.
fn line(template: &str) -> ProgressBar {
    let line = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
    match ProgressStyle::with_template(template) {
        Ok(style) => line.with_style(style.progress_chars("=> ")),
        Err(_) => line,
    }
}

/// A row, what matters most to the left: the right end is what a narrow terminal cuts.
fn told(device: &Audited, outcome: Outcome, names: usize) -> String {
    let what = match outcome {
        Outcome::Exposed => "EXPOSED",
        Outcome::Unknown => "unknown",
        Outcome::Clear => "clear",
    };
    // What a device said is shown, and does nothing to the terminal.
    let model = visible(device.model.as_deref().unwrap_or("?"));
    let version = device.version.as_deref().unwrap_or("?");
    let (seconds, tenths) = (device.took_ms / 1000, device.took_ms % 1000 / 100);
    let found = match &device.unread {
        Some(why) => format!("could not be read: {}", visible(why)),
        None => found(device),
    };
    let row = format!(
        "{what:<7}  {:<names$}  {model:<9} {version:<11} {seconds:>3}.{tenths} s  {found}",
        device.device.as_str()
    );
    row.trim_end().to_owned()
}

/// How many checks hold it up, are worth a look, and could not decide.
fn found(device: &Audited) -> String {
    let mut blocking = BTreeSet::new();
    let mut warning = BTreeSet::new();
    let mut undecided = BTreeSet::new();
    for answer in device.answers.iter().filter(|answer| answer.counts()) {
        let checks = match (&answer.finding.verdict, answer.finding.severity) {
            (Verdict::Pass | Verdict::Waived { .. }, _) => continue,
            (Verdict::Fail, Severity::Block) => &mut blocking,
            (Verdict::Fail, Severity::Warn | Severity::Info) => &mut warning,
            (Verdict::Inconclusive { .. } | Verdict::Error { .. }, _) => &mut undecided,
        };
        checks.insert((&answer.playbook, &answer.finding.check));
    }
    let told: Vec<String> = [
        (blocking.len(), "block"),
        (warning.len(), "warn"),
        (undecided.len(), "cannot tell"),
    ]
    .into_iter()
    .filter(|(checks, _)| *checks > 0)
    .map(|(checks, what)| format!("{checks} {what}"))
    .collect();
    told.join(", ")
}

#[cfg(test)]
mod tests;
