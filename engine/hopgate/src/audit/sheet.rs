//! An audit as CSV: a row a finding, for spreadsheets.
//!
//! A spreadsheet runs what looks like a formula, and messages hold text that devices sent: such a cell is made a text.

use std::collections::BTreeSet;
use std::path::Path;

use hopgate_playbooks::{Mode, Severity, Verdict};

use super::{Answer, Audit, AuditError, Audited};

/// The columns that every audit has; a column for each label follows, as `label:customer`.
pub const COLUMNS: [&str; 19] = [
    "device",
    "model",
    "serial",
    "version",
    "outcome",
    "unread",
    "playbook",
    "check",
    "title",
    "subject",
    "verdict",
    "severity",
    "mode",
    "message",
    "remedy",
    "link",
    "waived_by",
    "waived_until",
    "waived_because",
];

/// The whole result as CSV (RFC 4180). A device without any finding has one row of its own.
pub fn csv(audit: &Audit) -> String {
    let labels: BTreeSet<&str> = audit
        .devices
        .iter()
        .flat_map(|device| device.labels.keys())
        .map(String::as_str)
        .collect();
    let mut sheet = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let named = labels.iter().map(|label| format!("label:{label}"));
    let header: Vec<String> = COLUMNS.iter().map(ToString::to_string).chain(named).collect();
    let mut put = |cells: Vec<String>| {
        let cells: Vec<String> = cells.into_iter().map(as_text).collect();
        // Writing into memory cannot fail, and every row has the length of the first.
        let _ = sheet.write_record(&cells);
    };
    put(header);
    for device in &audit.devices {
        if device.answers.is_empty() {
            put(row(device, None, &labels));
        }
        for answer in &device.answers {
            put(row(device, Some(answer), &labels));
        }
    }
    let bytes = sheet.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes it.
pub fn write_csv(audit: &Audit, path: &Path) -> Result<(), AuditError> {
    super::write(path, &csv(audit))
}

fn row(device: &Audited, answer: Option<&Answer>, labels: &BTreeSet<&str>) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut cells = vec![
        device.device.to_string(),
        text(&device.model),
        text(&device.serial),
        text(&device.version),
        device.outcome().word().to_owned(),
        text(&device.unread),
    ];
    match answer {
        Some(answer) => cells.extend(found(answer)),
        None => cells.resize(COLUMNS.len(), String::new()),
    }
    let labelled = labels
        .iter()
        .map(|label| device.labels.get(*label).cloned().unwrap_or_default());
    cells.extend(labelled);
    cells
}

fn found(answer: &Answer) -> [String; 13] {
    let finding = &answer.finding;
    let optional = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let (by, until, because) = match &finding.verdict {
        Verdict::Waived { by, reason, until } => (by.clone(), until.to_string(), reason.clone()),
        _ => Default::default(),
    };
    [
        answer.playbook.to_string(),
        finding.check.to_string(),
        finding.title.to_string(),
        optional(finding.subject.as_deref()),
        finding.verdict.word().to_owned(),
        severity(finding.severity).to_owned(),
        mode(finding.mode).to_owned(),
        finding.message.to_string(),
        optional(finding.remedy.as_deref()),
        optional(finding.link.as_deref()),
        by,
        until,
        because,
    ]
}

/// The severity in a word.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warn => "warn",
        Severity::Block => "block",
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    }
}

/// A cell that no spreadsheet takes for a formula: an apostrophe before the characters that begin one, and before those
/// that a spreadsheet drops to find one behind them.
fn as_text(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{cell}")
    } else {
        cell
    }
}
