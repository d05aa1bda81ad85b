//! The audit: one question to a whole estate, answered at once.
//!
//! Reads facts, asks playbooks, shows findings. Changes nothing and decides nothing about campaigns.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hopgate_core::names::DeviceId;
use hopgate_paths::Version;
use hopgate_playbooks::{Facts, Finding, Mode, Setting, Severity, Verdict};
use jiff::Timestamp;
use serde::Serialize;

use self::evidence::{Evidence, Needs};

pub mod beside;
pub mod cron;
pub mod diff;
pub mod estate;
pub mod evidence;
mod firewall;
pub mod history;
pub mod html;
pub mod junit;
pub mod live;
pub mod order;
pub mod question;
pub mod record;
pub mod schedule;
pub mod sheet;
pub mod split;
mod terminal;
pub mod waivers;

pub use terminal::text;

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

/// What was asked of which devices, and what they answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// When the first device was asked.
    pub began: Timestamp,
    /// When the last one had answered, or was given up.
    pub ended: Timestamp,
    /// The playbooks, by name.
    pub asked: Vec<String>,
    /// The settings that were chosen for them, by playbook.
    pub settings: BTreeMap<String, BTreeMap<String, Setting>>,
    /// Where every device was held against the way to, if that was asked.
    pub target: Option<String>,
    /// The checks that are about a hop, as waivers name them, where no target says which; nobody was asked them.
    pub not_asked: Vec<String>,
    /// What each check looks at, by its name as waivers name it. What is about the way itself looks at no area of its own.
    pub needs: BTreeMap<String, Needs>,
    /// The devices, those that need a person first.
    pub devices: Vec<Audited>,
}

/// One device's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// The device.
    pub device: DeviceId,
    /// Customer, site, anything: as the inventory says.
    pub labels: BTreeMap<String, String>,
    /// Its model, where it answered.
    pub model: Option<String>,
    /// Its serial number, where it answered.
    pub serial: Option<String>,
    /// Its release, where it answered.
    pub version: Option<String>,
    /// Why it could not be read, where it could not.
    pub unread: Option<String>,
    /// Areas that it was asked for and did not give, each with the call that failed.
    pub missing: BTreeMap<String, String>,
    /// Its way to the target, where one was asked for and it said what it runs.
    pub way: Option<Way>,
    /// What the playbooks say.
    pub answers: Vec<Answer>,
    /// How long it took, in milliseconds of real time.
    pub took_ms: u64,
    /// When it was read and with which commands; nothing where it was not asked.
    pub evidence: Option<Evidence>,
    /// What was read of it, where that is wanted afterwards.
    pub facts: Option<Box<Facts>>,
}

/// A finding, and who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The playbook whose check it is.
    pub playbook: Arc<str>,
    /// What was found.
    pub finding: Finding,
    /// A waiver that would have covered it and has ended.
    pub lapsed: Option<String>,
}

/// A device's way to the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The releases it stops at, the target last.
    Stops(Vec<Version>),
    /// It runs the target already.
    NothingToDo,
    /// There is none, for this reason.
    Refused(String),
}

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A check failed.
    Exposed,
    /// A check could not decide, or the device could not be read.
    Unknown,
    /// Everything passed, is waived, or does not apply.
    Clear,
}

impl Outcome {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Exposed => "exposed",
            Outcome::Unknown => "unknown",
            Outcome::Clear => "clear",
        }
    }
}

/// How many devices stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Counts {
    /// All of them.
    pub devices: usize,
    /// With a check that failed.
    pub exposed: usize,
    /// With a check that could not decide.
    pub unknown: usize,
    /// With neither.
    pub clear: usize,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome) {
        self.devices += 1;
        match outcome {
            Outcome::Exposed => self.exposed += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::Clear => self.clear += 1,
        }
    }

    /// Of these devices.
    pub fn of<'a>(devices: impl IntoIterator<Item = &'a Audited>) -> Counts {
        let mut counts = Counts::default();
        devices
            .into_iter()
            .for_each(|device| counts.add(device.outcome()));
        counts
    }
}

impl Answer {
    /// Whether it says something of how the device stands. What is only worth knowing, and checks on trial, are shown
    /// and do not.
    pub fn counts(&self) -> bool {
        self.finding.mode == Mode::Enforce && self.finding.severity != Severity::Info
    }

    /// The check, as waivers and histories name it.
    pub fn check(&self) -> String {
        format!("{}/{}", self.playbook, self.finding.check)
    }
}

impl Audited {
    /// How it stands: unknown is not success.
    pub fn outcome(&self) -> Outcome {
        let counted = || {
            let counted = self.answers.iter().filter(|answer| answer.counts());
            counted.map(|answer| &answer.finding.verdict)
        };
        if counted().any(|verdict| *verdict == Verdict::Fail) {
            return Outcome::Exposed;
        }
        let undecided = counted().any(|verdict| !matches!(verdict, Verdict::Pass | Verdict::Waived { .. }));
        if undecided || self.unread.is_some() {
            Outcome::Unknown
        } else {
            Outcome::Clear
        }
    }

    /// The checks that expose it.
    pub fn exposed_by(&self) -> BTreeSet<String> {
        self.answers
            .iter()
            .filter(|answer| answer.counts() && answer.finding.verdict == Verdict::Fail)
            .map(Answer::check)
            .collect()
    }
}

impl Audit {
    /// Why checks of its playbooks were not asked, in words; nothing where all were.
    fn left_out(&self) -> Option<String> {
        let checks = match self.not_asked.len() {
            0 => return None,
            1 => "1 check is about a hop and was".to_owned(),
            more => format!("{more} checks are about a hop and were"),
        };
        Some(format!("{checks} not asked; --to RELEASE plans one"))
    }

    /// How many of its devices stand how.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.devices)
    }
}

/// Whether a serial number tells a device from others: a virtual firewall without a licence says `unknown`.
pub(crate) fn names_hardware(serial: &str) -> bool {
    !matches!(serial, "" | "unknown")
}

/// Writes a whole file; its text is on the disk when this returns.
fn write(path: &Path, text: &str) -> Result<(), AuditError> {
    write_through(path, |out| out.write_all(text.as_bytes()))
}

/// As [`write`], for what is better not held in memory as one text.
fn write_through(
    path: &Path,
    put: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), AuditError> {
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        put(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()
    });
    written.map_err(|source| AuditError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
