//! An audit for a terminal: the devices that need a person with what was found, then the count.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hopgate_playbooks::Verdict;

use super::{Answer, Audit, Counts, Outcome, Way};
use crate::path::words::count;
use crate::report::visible;

/// Findings worth a line, then what they come down to.
pub fn text(audit: &Audit) -> String {
    let mut out = String::new();
    for device in &audit.devices {
        let outcome = device.outcome();
        let lines: Vec<String> = device.answers.iter().filter_map(line).collect();
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

/// The checks that expose devices, the most first, then the count of all.
fn summary(out: &mut String, audit: &Audit) {
    let mut by_check: BTreeMap<String, usize> = BTreeMap::new();
    for check in audit.devices.iter().flat_map(super::Audited::exposed_by) {
        *by_check.entry(check).or_default() += 1;
    }
    let mut by_check: Vec<(String, usize)> = by_check.into_iter().collect();
    by_check.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if by_check.len() > 1 {
        for (check, devices) in by_check {
            let _ = writeln!(out, "{:>7}  {check}", count(devices, "device"));
        }
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
