//! Two audits of one estate, held against one another: what changed on each device, and what of it matters.
//!
//! Reads the files that `hopgate audit --json` writes and finds out which device of one is which of the other. What a change
//! means is the rules' business.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use hopgate_paths::{Catalogue, Version};
use hopgate_playbooks::{
    Compared, Difference, FactArea, Facts, Grade, HopContext, Rules, RulesError, Severity, Snapshot, compare,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::names_hardware;
use super::record::SCHEMA;
use crate::config::selector::{Selection, Selector, SelectorError};

pub mod record;
mod words;

pub use words::text;

/// Why two audits cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A file cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not what an audit writes.
    #[error("{} is not the report of an audit", path.display())]
    NoReport {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It is one of another shape.
    #[error("{} is the report of another hopgate: its schema is {found}, and this one reads {SCHEMA}", path.display())]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u32,
    },
    /// Rules have a mistake.
    #[error("the rules {} cannot be used{}", path.display(), and_more(.further))]
    Rules {
        /// The file.
        path: PathBuf,
        /// The first mistake.
        #[source]
        source: Box<RulesError>,
        /// How many more there are.
        further: usize,
    },
}

fn and_more(number: &usize) -> String {
    match number {
        0 => String::new(),
        1 => ", for this and one more mistake".to_owned(),
        more => format!(", for this and {more} more mistakes"),
    }
}

/// As much of an audit's report as is compared. Other keys are others' business.
#[derive(Debug, Deserialize)]
pub struct Report {
    schema: u32,
    began: Timestamp,
    devices: Vec<Reported>,
}

#[derive(Debug, Deserialize)]
struct Reported {
    device: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    model: Option<String>,
    serial: Option<String>,
    version: Option<String>,
    unread: Option<String>,
    facts: Option<Facts>,
}

/// What a report has of every device, beside its labels.
const IN_REPORT: [&str; 4] = ["name", "model", "serial", "version"];

impl Reported {
    fn is_meant(&self, selection: &Selection) -> bool {
        selection.of_kept(|key| match key {
            "name" => Some(&self.device),
            "model" => self.model.as_deref(),
            "serial" => self.serial.as_deref(),
            "version" => self.version.as_deref(),
            label => self.labels.get(label).map(String::as_str),
        })
    }

    /// Its serial number, where it has one.
    fn hardware(&self) -> Option<&str> {
        self.serial.as_deref().filter(|serial| names_hardware(serial))
    }
}

impl Report {
    /// Reads a file that `hopgate audit --json` wrote.
    pub fn load(path: &Path) -> Result<Report, DiffError> {
        let opened = File::open(path).map_err(|source| DiffError::Read {
            path: path.to_owned(),
            source,
        })?;
        let read: Result<Report, _> = serde_json::from_reader(BufReader::new(opened));
        let report = read.map_err(|source| {
            let path = path.to_owned();
            if source.is_io() {
                DiffError::Read {
                    path,
                    source: source.into(),
                }
            } else {
                DiffError::NoReport { path, source }
            }
        })?;
        if report.schema == SCHEMA {
            return Ok(report.judged_anew());
        }
        Err(DiffError::OtherSchema {
            path: path.to_owned(),
            found: report.schema,
        })
    }
}

impl Report {
    /// With its modules judged by the list that is shipped and by the release that runs: an audit may have judged by a list of its
    /// own, or for a hop, which changes nothing of what is in a port.
    fn judged_anew(mut self) -> Report {
        if let Ok(catalogue) = Catalogue::embedded() {
            let facts = self
                .devices
                .iter_mut()
                .filter_map(|reported| reported.facts.as_mut());
            facts.for_each(|facts| facts.judge_modules(catalogue, None));
        }
        self
    }
}

/// The areas that some device which could be read was not asked for.
fn not_asked<'r>(devices: impl Iterator<Item = &'r Reported>, rules: &Rules) -> BTreeSet<FactArea> {
    let read = devices.filter(|reported| reported.unread.is_none());
    let facts = read.filter_map(|reported| reported.facts.as_ref());
    let lacking = facts.flat_map(|facts| {
        let areas = rules.areas().into_iter();
        areas.filter(|area| !facts.sources.contains_key(area))
    });
    lacking.collect()
}

/// Reads rules of an operator's own; the built-in ones where there is no file.
pub fn rules(path: Option<&Path>) -> Result<Rules, DiffError> {
    let Some(path) = path else {
        return Ok(Rules::builtin().clone());
    };
    let text = std::fs::read_to_string(path).map_err(|source| DiffError::Read {
        path: path.to_owned(),
        source,
    })?;
    Rules::read(&path.display().to_string(), &text).map_err(|mistakes| {
        let further = mistakes.len().saturating_sub(1);
        match mistakes.into_iter().next() {
            Some(first) => DiffError::Rules {
                path: path.to_owned(),
                source: Box::new(first),
                further,
            },
            // Refused rules have a mistake: this is for the compiler.
            None => DiffError::Read {
                path: path.to_owned(),
                source: std::io::ErrorKind::InvalidData.into(),
            },
        }
    })
}

/// Two audits, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// The earlier one.
    pub before: Side,
    /// The later one.
    pub after: Side,
    /// The devices of both, those that need a person first.
    pub devices: Vec<Device>,
}

/// One of the two audits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// Its file, as it was named.
    pub file: String,
    /// When its first device was asked.
    pub began: Timestamp,
    /// What is compared, and was not asked of all of its devices.
    pub not_asked: BTreeSet<FactArea>,
}

/// One device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its name; the later one, where it has two.
    pub device: String,
    /// Its name before, where that is another.
    pub renamed_from: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its serial number, where it is known.
    pub serial: Option<String>,
    /// The release it ran before, where that is known.
    pub version_before: Option<String>,
    /// The release it ran after.
    pub version_after: Option<String>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a device.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It is in both, and was compared.
    Compared(Box<Difference>),
    /// It could not be read in one of them, or in both.
    Unread {
        /// Why not before, where it could not.
        before: Option<String>,
        /// Why not after.
        after: Option<String>,
    },
    /// The later audit does not have it.
    Gone,
    /// The earlier one did not.
    New,
}

/// How a device stands. The first needs a person most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Something changed that is not to go on with.
    Stop,
    /// It is not there any more.
    Gone,
    /// It could not be read.
    Unread,
    /// Something was known of it that has to be known, and is not any more.
    Unknown,
    /// Something changed that is worth a look.
    Look,
    /// It was not there before.
    New,
    /// It is as it was, but for what is harmless or expected.
    Same,
}

impl Standing {
    /// Each, the worst first.
    pub const ALL: [Standing; 7] = [
        Standing::Stop,
        Standing::Gone,
        Standing::Unread,
        Standing::Unknown,
        Standing::Look,
        Standing::New,
        Standing::Same,
    ];

    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Stop => "stop",
            Standing::Gone => "gone",
            Standing::Unread => "not read",
            Standing::Unknown => "unknown",
            Standing::Look => "look",
            Standing::New => "new",
            Standing::Same => "as before",
        }
    }

    /// Whether a person has to look before anything goes on.
    pub fn holds(self) -> bool {
        self <= Standing::Unknown
    }
}

impl Device {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        let difference = match &self.fate {
            Fate::Compared(difference) => difference,
            Fate::Unread { .. } => return Standing::Unread,
            Fate::Gone => return Standing::Gone,
            Fate::New => return Standing::New,
        };
        let lost = difference.areas.iter().any(|area| {
            let severity = match area.compared {
                Compared::Unknown { severity, .. } => severity,
                Compared::Things { .. } => Severity::Info,
            };
            severity == Severity::Block
        });
        match difference.grade() {
            Some(Grade::Stop) => Standing::Stop,
            _ if lost => Standing::Unknown,
            Some(Grade::Look) => Standing::Look,
            Some(Grade::Harmless) | None => Standing::Same,
        }
    }
}

impl Diff {
    /// Holds two audits against one another, of the devices that are meant. What each says of itself (model, release,
    /// serial number) may be so in either audit. Whose it is (its name, its labels) has to be so where it is told from: of a
    /// firewall that went from one customer to another, each sees its own time only.
    ///
    /// # Errors
    /// A key of the selector that neither of them has, or a group: reports have none.
    pub fn of(
        before: (&Path, Report),
        after: (&Path, Report),
        rules: &Rules,
        selector: &Selector,
    ) -> Result<Diff, SelectorError> {
        let reported = before.1.devices.iter().chain(&after.1.devices);
        let labels: BTreeSet<&str> = reported
            .flat_map(|reported| reported.labels.keys())
            .map(String::as_str)
            .collect();
        let known: Vec<&str> = IN_REPORT.into_iter().chain(labels).collect();
        let (said, whose) = selector.parted(&known)?;
        let own = |devices: Vec<Reported>| devices.into_iter().filter(|one| one.is_meant(&whose)).collect();
        let mut pairs = pairs(own(before.1.devices), own(after.1.devices));
        pairs.retain(|(before, after)| before.iter().chain(after).any(|one| one.is_meant(&said)));
        let was = Side {
            file: before.0.display().to_string(),
            began: before.1.began,
            not_asked: not_asked(pairs.iter().filter_map(|pair| pair.0.as_ref()), rules),
        };
        let is = Side {
            file: after.0.display().to_string(),
            began: after.1.began,
            not_asked: not_asked(pairs.iter().filter_map(|pair| pair.1.as_ref()), rules),
        };
        let mut devices: Vec<Device> = pairs.into_iter().map(|pair| device(pair, rules)).collect();
        devices.sort_by(|one, other| {
            let by_standing = one.standing().cmp(&other.standing());
            by_standing.then_with(|| one.device.cmp(&other.device))
        });
        Ok(Diff {
            before: was,
            after: is,
            devices,
        })
    }

    /// How many devices stand so.
    pub fn count(&self, standing: Standing) -> usize {
        self.devices
            .iter()
            .filter(|device| device.standing() == standing)
            .count()
    }

    /// Whether a person has to look before anything goes on.
    pub fn holds(&self) -> bool {
        self.devices.iter().any(|device| device.standing().holds())
    }
}

type Pair = (Option<Reported>, Option<Reported>);

/// Which device of one audit is which of the other: the one with its serial number, else the one with its name. A name
/// may have gone to other hardware, and hardware may have got another name; the serial number says which.
fn pairs(before: Vec<Reported>, after: Vec<Reported>) -> Vec<Pair> {
    let mut after: Vec<Option<Reported>> = after.into_iter().map(Some).collect();
    let key = |of: fn(&Reported) -> Option<&str>| {
        let mut places = BTreeMap::new();
        for (place, reported) in after.iter().enumerate() {
            if let Some(key) = reported.as_ref().and_then(of) {
                // Two with one serial number tell nothing apart.
                places
                    .entry(key.to_owned())
                    .and_modify(|at| *at = None)
                    .or_insert(Some(place));
            }
        }
        places
    };
    let by_serial = key(Reported::hardware);
    let by_name = key(|reported| Some(&reported.device));
    let mut pairs = Vec::new();
    let mut rest = Vec::new();
    for reported in before {
        let place = reported
            .hardware()
            .and_then(|serial| by_serial.get(serial).copied().flatten());
        match place.and_then(|place| after[place].take()) {
            Some(same) => pairs.push((Some(reported), Some(same))),
            None => rest.push(reported),
        }
    }
    for reported in rest {
        let place = by_name.get(&reported.device).copied().flatten();
        let same = place.and_then(|place| after[place].take());
        pairs.push((Some(reported), same));
    }
    pairs.extend(after.into_iter().flatten().map(|new| (None, Some(new))));
    pairs
}

fn device((before, after): Pair, rules: &Rules) -> Device {
    let fate = match (&before, &after) {
        (Some(before), Some(after)) => compared(before, after, rules),
        (Some(_), None) => Fate::Gone,
        (None, _) => Fate::New,
    };
    let name = |reported: &Option<Reported>| reported.as_ref().map(|reported| reported.device.clone());
    let version =
        |reported: &Option<Reported>| reported.as_ref().and_then(|reported| reported.version.clone());
    let (was, is) = (name(&before), name(&after));
    let (version_before, version_after) = (version(&before), version(&after));
    let newest = after.or(before);
    Device {
        renamed_from: was.filter(|was| is.as_ref().is_some_and(|is| is != was)),
        version_before,
        version_after,
        device: newest
            .as_ref()
            .map(|reported| reported.device.clone())
            .unwrap_or_default(),
        serial: newest.as_ref().and_then(|reported| reported.serial.clone()),
        labels: newest.map(|reported| reported.labels).unwrap_or_default(),
        fate,
    }
}

fn compared(before: &Reported, after: &Reported, rules: &Rules) -> Fate {
    let unread = |reported: &Reported| {
        let no_facts = || {
            reported
                .facts
                .is_none()
                .then(|| "the report holds no facts of it".to_owned())
        };
        reported.unread.clone().or_else(no_facts)
    };
    let (no_before, no_after) = (unread(before), unread(after));
    match (&before.facts, &after.facts) {
        (Some(was), Some(is)) if no_before.is_none() && no_after.is_none() => {
            let (was, is) = (Snapshot::under(was, rules), Snapshot::under(is, rules));
            let hop = upgrade(was.version, is.version);
            Fate::Compared(Box::new(compare(&was, &is, rules, hop.as_ref())))
        }
        _ => Fate::Unread {
            before: no_before,
            after: no_after,
        },
    }
}

/// The hop that lies between two readings of a device that runs a later release than before: what every hop changes is
/// then expected. A downgrade is not.
fn upgrade(from: Option<Version>, to: Option<Version>) -> Option<HopContext> {
    let (from, to) = (from?, to?);
    (to > from).then(|| HopContext {
        from,
        to,
        minimum_content: None,
        downloads: Vec::new(),
        later: Vec::new(),
        minutes: None,
    })
}

#[cfg(test)]
mod tests;
