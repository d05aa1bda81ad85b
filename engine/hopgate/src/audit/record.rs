//! An audit as JSON: everything, for programs. `docs/audit.md` tells every key.
//!
//! The shape is a promise to whoever reads it: keys are added, and what exists keeps its meaning, or `schema` changes.

use std::collections::BTreeMap;
use std::path::Path;

use hopgate_playbooks::{Facts, Mode, Setting, Severity, Verdict};
use jiff::Timestamp;
use serde::Serialize;

use super::{Audit, AuditError, Audited, Counts, Outcome, Way};

/// The version of the shape.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Record<'a> {
    schema: u32,
    hopgate: &'static str,
    began: Timestamp,
    ended: Timestamp,
    asked: &'a [String],
    settings: &'a BTreeMap<String, BTreeMap<String, Setting>>,
    target: Option<&'a str>,
    not_asked: &'a [String],
    counts: Counts,
    devices: Vec<Device<'a>>,
}

#[derive(Serialize)]
struct Device<'a> {
    device: &'a str,
    labels: &'a BTreeMap<String, String>,
    model: Option<&'a str>,
    serial: Option<&'a str>,
    version: Option<&'a str>,
    outcome: Outcome,
    took_ms: u64,
    unread: Option<&'a str>,
    missing: &'a BTreeMap<String, String>,
    way: Option<&'a Way>,
    findings: Vec<Found<'a>>,
    facts: Option<&'a Facts>,
}

#[derive(Serialize)]
struct Found<'a> {
    playbook: &'a str,
    check: &'a str,
    title: &'a str,
    subject: Option<&'a str>,
    verdict: &'a Verdict,
    severity: Severity,
    mode: Mode,
    message: &'a str,
    remedy: Option<&'a str>,
    link: Option<&'a str>,
    lapsed_waiver: Option<&'a str>,
}

/// The whole result as JSON.
pub fn json(audit: &Audit) -> String {
    // It holds only strings, numbers, lists and maps with texts for keys, none of which fail to serialize.
    serde_json::to_string(&record(audit)).unwrap_or_default()
}

/// Writes it. The facts of a large estate are hundreds of megabytes as one text, so it is written as it is made.
pub fn write_json(audit: &Audit, path: &Path) -> Result<(), AuditError> {
    super::write_through(path, |out| {
        serde_json::to_writer(out, &record(audit)).map_err(std::io::Error::from)
    })
}

fn record(audit: &Audit) -> Record<'_> {
    Record {
        schema: SCHEMA,
        hopgate: env!("CARGO_PKG_VERSION"),
        began: audit.began,
        ended: audit.ended,
        asked: &audit.asked,
        settings: &audit.settings,
        target: audit.target.as_deref(),
        not_asked: &audit.not_asked,
        counts: audit.counts(),
        devices: audit.devices.iter().map(device).collect(),
    }
}

fn device(audited: &Audited) -> Device<'_> {
    Device {
        device: audited.device.as_str(),
        labels: &audited.labels,
        model: audited.model.as_deref(),
        serial: audited.serial.as_deref(),
        version: audited.version.as_deref(),
        outcome: audited.outcome(),
        took_ms: audited.took_ms,
        unread: audited.unread.as_deref(),
        missing: &audited.missing,
        way: audited.way.as_ref(),
        findings: audited.answers.iter().map(found).collect(),
        facts: audited.facts.as_deref(),
    }
}

fn found(answer: &super::Answer) -> Found<'_> {
    let finding = &answer.finding;
    Found {
        playbook: &answer.playbook,
        check: &finding.check,
        title: &finding.title,
        subject: finding.subject.as_deref(),
        verdict: &finding.verdict,
        severity: finding.severity,
        mode: finding.mode,
        message: &finding.message,
        remedy: finding.remedy.as_deref(),
        link: finding.link.as_deref(),
        lapsed_waiver: answer.lapsed.as_deref(),
    }
}
