//! An audit for a terminal: the devices that need a person with what was found, then the count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hopgate_playbooks::{Severity, Verdict};

use super::{Answer, Audit, Audited, Counts, Outcome, Way};
use crate::path::words::count;
use crate::report::visible;

/// Findings worth a line, then what they come down to.
pub fn text(audit: &Audit) -> String {
    let mut out = String::new();
    for device in &audit.devices {
        let outcome = device.outcome();
        let told = device.answers.iter().filter(|answer| is_told(answer, outcome));
        let lines: Vec<String> = told.filter_map(line).collect();
        if outcome == Outcome::Clear && lines.is_empty() {
            continue;
        }
        let what = match outcome {
            Outcome::Exposed => "EXPOSED",
            Outcome::Unknown => "unknown",
            Outcome::Clear => "clear  ",
        };
        // What a device said is shown, and does nothing to the terminal.
        let model = visible(device.model.as_deref().unwrap_or("?"));
        let version = device.version.as_deref().unwrap_or("?");
        let way = match &device.way {
            Some(Way::Stops(stops)) => {
                let stops: Vec<String> = stops.iter().map(|stop| format!(" -> {stop}")).collect();
                stops.concat()
            }
            _ => String::new(),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{what}  {:<18} {model:<9} {version}{way}", device.device);
        if let Some(why) = &device.unread {
            let _ = writeln!(out, "         could not be read: {}", visible(why));
            continue;
        }
        for line in lines {
            let _ = writeln!(out, "         {}", visible(&line));
        }
    }
    summary(&mut out, audit);
    out
}

/// What is only worth knowing of a device that is clear is told in the summary: of a large estate it would be most of what
/// is read.
fn is_told(answer: &Answer, outcome: Outcome) -> bool {
    outcome != Outcome::Clear || answer.finding.severity != Severity::Info
}

/// The checks that expose devices, the most first, then what is only worth knowing, then the count of all.
fn summary(out: &mut String, audit: &Audit) {
    let exposing = by_check(audit.devices.iter().flat_map(Audited::exposed_by));
    if exposing.len() > 1 {
        for (check, devices) in exposing {
            let _ = writeln!(out, "{:>7}  {check}", count(devices, "device"));
        }
    }
    for (check, devices) in by_check(audit.devices.iter().flat_map(worth_knowing)) {
        let _ = writeln!(out, "{:>7}  {check}", count(devices, "clear device"));
    }
    let lapsed = audit.devices.iter().flat_map(|device| &device.answers);
    let lapsed = lapsed.filter(|answer| answer.lapsed.is_some()).count();
    if lapsed > 0 {
        let _ = writeln!(
            out,
            "{} again: their waivers have ended",
            count(lapsed, "finding")
        );
    }
    if let Some(left_out) = audit.left_out() {
        let _ = writeln!(out, "{left_out}");
    }
    let Counts {
        devices,
        exposed,
        unknown,
        clear,
    } = audit.counts();
    let _ = writeln!(
        out,
        "{} asked: {exposed} exposed, {unknown} unknown, {clear} clear",
        count(devices, "device")
    );
}

/// The checks that found something at a clear device that is only worth knowing.
fn worth_knowing(device: &Audited) -> BTreeSet<String> {
    let outcome = device.outcome();
    let untold = device.answers.iter().filter(|answer| !is_told(answer, outcome));
    let found = untold.filter(|answer| answer.finding.verdict == Verdict::Fail);
    found.map(Answer::check).collect()
}

/// How many devices each check is said of, the most first.
fn by_check(checks: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for check in checks {
        *counted.entry(check).or_default() += 1;
    }
    let mut counted: Vec<(String, usize)> = counted.into_iter().collect();
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted
}

/// What a finding says, where it says something: nothing for what passed.
fn line(answer: &Answer) -> Option<String> {
    let finding = &answer.finding;
    let subject = finding
        .subject
        .as_ref()
        .map_or_else(String::new, |subject| format!("{subject}: "));
    let mut line = match &finding.verdict {
        Verdict::Pass => return None,
        // A message names its subject itself.
        Verdict::Fail => finding.message.to_string(),
        Verdict::Waived { by, reason, until } => {
            let message = finding.message.trim_end_matches('.');
            format!("{message}; accepted by {by} until {until:.0}: {reason}")
        }
        Verdict::Inconclusive { missing } => format!("{subject}{}: cannot tell, {missing}", finding.title),
        Verdict::Error { detail } => format!("{subject}{}: could not be evaluated, {detail}", finding.title),
    };
    if !answer.counts() {
        line.insert_str(0, "(does not count) ");
    }
    if let Some(lapsed) = &answer.lapsed {
        let _ = write!(line, " ({lapsed})");
    }
    Some(line)
}
