//! The audit: one question to a whole estate, answered at once.
//!
//! Reads facts, asks playbooks, shows findings. Changes nothing and decides nothing about campaigns.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use hopgate_core::names::DeviceId;
use hopgate_panos::Client;
use hopgate_playbooks::{FactArea, Facts, Finding, Playbook, Verdict};
use serde::Serialize;

use crate::asking::gather;
use crate::clock::Clock;

/// Devices that are read at once. A slow one holds its own place only.
const AT_ONCE: usize = 64;

/// Why an audit's result could not be delivered.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file cannot be written.
    #[error("failed to write the audit to {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// One device's answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// The device.
    pub device: DeviceId,
    /// Its model, where it answered.
    pub model: Option<String>,
    /// Its release, where it answered.
    pub version: Option<String>,
    /// Why it could not be read, where it could not.
    pub unread: Option<String>,
    /// What the playbooks say.
    pub findings: Vec<Finding>,
    /// What was read; the result is about conclusions and does not repeat it.
    #[serde(skip_serializing)]
    pub facts: Facts,
}

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A check failed.
    Exposed,
    /// A check could not decide, or the device could not be read.
    Unknown,
    /// Everything passed or does not apply.
    Clear,
}

impl Audited {
    /// How it stands: unknown is not success.
    pub fn outcome(&self) -> Outcome {
        if self
            .findings
            .iter()
            .any(|finding| finding.verdict == Verdict::Fail)
        {
            return Outcome::Exposed;
        }
        let undecided = self
            .findings
            .iter()
            .any(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Waived { .. }));
        if undecided || self.unread.is_some() {
            Outcome::Unknown
        } else {
            Outcome::Clear
        }
    }
}

/// Asks every device what the playbooks want to know, and the areas in `also`.
pub async fn audit(
    clients: &BTreeMap<DeviceId, Arc<Client>>,
    playbooks: &[Playbook],
    also: &[FactArea],
    clock: &Clock,
) -> Vec<Audited> {
    let mut areas: std::collections::BTreeSet<FactArea> =
        playbooks.iter().flat_map(Playbook::needs).collect();
    areas.insert(FactArea::System);
    areas.extend(also);
    let areas = &areas;
    let mut audited: Vec<Audited> = stream::iter(clients)
        .map(|(device, client)| async move {
            let facts = gather(client, playbooks, areas, clock.now()).await;
            let system = facts.system.known();
            Audited {
                device: device.clone(),
                model: system.map(|system| system.model.clone()),
                version: system.map(|system| system.sw_version.to_string()),
                unread: facts.system.unknown().map(str::to_owned),
                findings: playbooks
                    .iter()
                    .flat_map(|playbook| playbook.evaluate(&facts, None))
                    .collect(),
                facts,
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    audited.sort_by(|a, b| (a.outcome(), &a.device).cmp(&(b.outcome(), &b.device)));
    audited
}

/// Findings worth a line, then the count: for a terminal.
pub fn text(audited: &[Audited]) -> String {
    let mut out = String::new();
    for device in audited.iter().filter(|device| device.outcome() != Outcome::Clear) {
        let what = match device.outcome() {
            Outcome::Exposed => "EXPOSED",
            Outcome::Unknown => "unknown",
            Outcome::Clear => "clear",
        };
        let model = device.model.as_deref().unwrap_or("?");
        let version = device.version.as_deref().unwrap_or("?");
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{what}  {:<18} {model:<9} {version}", device.device);
        if let Some(why) = &device.unread {
            let _ = writeln!(out, "         could not be read: {why}");
            continue;
        }
        for finding in device
            .findings
            .iter()
            .filter(|finding| finding.verdict != Verdict::Pass)
        {
            let _ = writeln!(out, "         {}", line(finding));
        }
    }
    let count = |outcome| {
        audited
            .iter()
            .filter(|device| device.outcome() == outcome)
            .count()
    };
    let _ = writeln!(
        out,
        "{} devices asked: {} exposed, {} unknown, {} clear",
        audited.len(),
        count(Outcome::Exposed),
        count(Outcome::Unknown),
        count(Outcome::Clear)
    );
    out
}

fn line(finding: &Finding) -> String {
    let subject = finding
        .subject
        .as_ref()
        .map_or_else(String::new, |subject| format!("{subject}: "));
    match &finding.verdict {
        // A message names its subject itself.
        Verdict::Pass | Verdict::Fail => finding.message.clone(),
        Verdict::Waived { by, reason, until } => {
            format!("{}; accepted by {by} until {until:.0}: {reason}", finding.message)
        }
        Verdict::Inconclusive { missing } => format!("{subject}{}: cannot tell, {missing}", finding.title),
        Verdict::Error { detail } => format!("{subject}{}: could not be evaluated, {detail}", finding.title),
    }
}

/// The whole result as JSON.
pub fn write_json(audited: &[Audited], path: &Path) -> Result<(), AuditError> {
    let wrong = |source| AuditError::Write {
        path: path.to_owned(),
        source,
    };
    let text = serde_json::to_string_pretty(audited).map_err(|error| wrong(std::io::Error::other(error)))?;
    std::fs::write(path, text).map_err(wrong)
}
