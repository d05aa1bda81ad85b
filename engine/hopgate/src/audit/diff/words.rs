//! A comparison of two audits for a terminal: the devices that need a person with what changed, then the count.

use std::fmt::Write as _;

use hopgate_playbooks::{AreaDifference, Change, Compared, Difference, Grade, Severity};

use super::{Device, Diff, Fate, Side, Standing};
use crate::path::words::count;
use crate::report::visible;

/// What facts say of an area that nobody asked for.
const NOT_ASKED: &str = "not asked";

/// How many changes of one area and grade are written out; the rest is counted.
const LISTED: usize = 5;

/// What changed, and what it comes down to.
pub fn text(diff: &Diff) -> String {
    let mut out = String::new();
    for device in &diff.devices {
        tell(&mut out, device);
    }
    for side in [&diff.before, &diff.after] {
        lacks(&mut out, side);
    }
    let told = Standing::ALL.into_iter().filter_map(|standing| {
        let number = diff.count(standing);
        (number > 0).then(|| format!("{number} {}", standing.word()))
    });
    let told: Vec<String> = told.collect();
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "{}: {}",
        count(diff.devices.len(), "device"),
        told.join(", ")
    );
    out
}

fn tell(out: &mut String, device: &Device) {
    let standing = device.standing();
    let lines = match &device.fate {
        Fate::Compared(difference) => changes(difference),
        Fate::Unread { before, after } => unread(before.as_deref(), after.as_deref()),
        Fate::Gone => vec!["the later audit does not have it".to_owned()],
        Fate::New => vec!["the earlier audit did not have it".to_owned()],
    };
    if standing == Standing::Same && lines.is_empty() && device.renamed_from.is_none() {
        return;
    }
    let word = match standing {
        Standing::Stop => "STOP",
        Standing::Gone => "GONE",
        Standing::Unread => "UNREAD",
        Standing::Unknown => "UNKNOWN",
        other => other.word(),
    };
    let versions = match (&device.version_before, &device.version_after) {
        (Some(was), Some(is)) if was != is => format!("{was} -> {is}"),
        (_, Some(version)) | (Some(version), None) => version.clone(),
        (None, None) => "?".to_owned(),
    };
    let renamed = device
        .renamed_from
        .as_ref()
        .map(|was| format!("  (was called {was})"));
    // What a device said is shown, and does nothing to the terminal.
    let head = format!(
        "{word:<9}  {:<18} {versions}{}",
        device.device,
        renamed.unwrap_or_default()
    );
    let _ = writeln!(out, "{}", visible(&head));
    for line in lines {
        let _ = writeln!(out, "           {}", visible(&line));
    }
}

fn unread(before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let told = [("before", before), ("after", after)];
    let told = told
        .into_iter()
        .filter_map(|(when, why)| Some(format!("could not be read {when}: {}", why?)));
    told.collect()
}

/// The changes that count, the worst first; then what is only counted, and what could not be compared.
fn changes(difference: &Difference) -> Vec<String> {
    let mut lines = Vec::new();
    for (grade, word) in [(Grade::Stop, "stop"), (Grade::Look, "look")] {
        for area in &difference.areas {
            let graded: Vec<&Change> = area.graded(grade).collect();
            lines.extend(
                graded
                    .iter()
                    .take(LISTED)
                    .map(|change| format!("{word}  {}", change.sentence)),
            );
            if graded.len() > LISTED {
                let more = graded.len() - LISTED;
                lines.push(format!("{word}  {}: and {more} more", area.title));
            }
        }
    }
    let harmless = difference
        .areas
        .iter()
        .map(|area| area.graded(Grade::Harmless).count())
        .sum::<usize>();
    let expected = difference
        .areas
        .iter()
        .map(AreaDifference::expected)
        .sum::<usize>();
    let counted = [(harmless, "harmless"), (expected, "expected")];
    let counted: Vec<String> = counted
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    if !counted.is_empty() {
        lines.push(format!("besides: {}", counted.join(", ")));
    }
    lines.extend(not_compared(difference));
    lines
}

/// The areas that could not be compared. What was not asked is told once for the whole audit; what is unknown for the same
/// reason before and after says nothing of a change.
fn not_compared(difference: &Difference) -> Vec<String> {
    let told = difference.areas.iter().filter_map(|area| {
        let Compared::Unknown { before, after, .. } = &area.compared else {
            return None;
        };
        let left_out = before == after
            || [before, after]
                .into_iter()
                .any(|why| why.as_deref() == Some(NOT_ASKED));
        let why = area.unknown().filter(|_| !left_out)?;
        Some(format!("not compared  {}: {why}", area.title))
    });
    let lost = difference.areas.iter().any(|area| {
        let Compared::Unknown { after, severity, .. } = &area.compared else {
            return false;
        };
        *severity == Severity::Block && after.as_deref() == Some(NOT_ASKED)
    });
    let lost = lost.then(|| "not compared  what was known before and not asked after".to_owned());
    let fields = difference.areas.iter().filter(|area| !area.left_out.is_empty());
    let fields = fields.map(|area| format!("not compared  {}: {}", area.title, area.left_out.join(", ")));
    lost.into_iter().chain(told).chain(fields).collect()
}

/// What one of the audits did not ask.
fn lacks(out: &mut String, side: &Side) {
    if side.not_asked.is_empty() {
        return;
    }
    let names: Vec<&str> = side.not_asked.iter().map(|area| area.name()).collect();
    let _ = writeln!(
        out,
        "not asked for {}, so not compared: {} (hopgate audit --snapshot asks everything)",
        visible(&side.file),
        names.join(", ")
    );
}
