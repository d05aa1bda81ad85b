//! What the runs of an audit found, one after the other: counts, which devices are exposed by which check, what is new.
//!
//! A run is one record of the stream `audit/NAME`; its pairs of device and check are a document beside the journal, the same
//! one for as long as nothing changes. Decides what is new, and what of that a person is paged for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hopgate_core::incident::{Incident, Severity as Loud, audit_key};
use hopgate_core::names::AuditName;
use hopgate_playbooks::{Severity, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Audit, Counts};
use crate::journal::{JournalError, StreamId};
use crate::ledger::{Dated, Ledger, LedgerError};
use crate::path::words::count;

/// Most pairs that are kept of a run: ten for each of ten thousand devices. What is left out is counted.
const PAIRS_MAX: usize = 100_000;

/// Characters of a blocker that a page names, and bytes of all of them: a record of the journal holds less than 4 kB.
const NAMED_CHARACTERS: usize = 160;
const NAMED_BYTES: usize = 2400;

/// Characters of the reason why an audit could not be asked; none is stored as more than six bytes.
const WHY_CHARACTERS: usize = 600;

/// Runs that are listed.
const LISTED: usize = 20;

/// Pairs that are listed.
const PAIRS_LISTED: usize = 40;

/// A device and a check that exposes it.
pub type Pair = (String, String);

/// What happened to an audit that is asked again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    /// It was asked.
    Ran(Run),
    /// Blockers are new: a person is paged.
    IncidentOpened(Box<Incident>),
    /// It could not be asked.
    NotAsked {
        /// Why.
        why: String,
    },
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// How the devices stood.
    pub counts: Counts,
    /// What changed since the run before; nothing for the first.
    pub trend: Option<Trend>,
    /// The document that holds the pairs.
    exposed: String,
    /// Pairs beyond what is kept.
    left_out: usize,
    /// Firewalls that a Panorama manages and that could not be asked: it knows no address of them, or one of two.
    #[serde(default)]
    unlisted: usize,
}

/// What changed between two runs, in pairs of device and check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trend {
    /// There now and not before.
    pub new: usize,
    /// There before and not now.
    pub gone: usize,
    /// There both times; there before and not to be told now too.
    pub still: usize,
}

impl std::fmt::Display for Trend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} new, {} gone, {} still", self.new, self.gone, self.still)
    }
}

fn stream(audit: &AuditName) -> Result<StreamId, LedgerError> {
    Ok(StreamId::new(format!("audit/{audit}"))?)
}

/// The pairs of a run, with those of before that cannot be told now: unknown is not cured, and what comes back after a
/// night in the dark is not new.
fn pairs(audit: &Audit, before: &BTreeSet<Pair>) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    let mut undecided = BTreeSet::new();
    let mut unread = BTreeSet::new();
    for device in &audit.devices {
        let name = device.device.as_str();
        if device.unread.is_some() {
            unread.insert(name);
        }
        pairs.extend(
            device
                .exposed_by()
                .into_iter()
                .map(|check| (name.to_owned(), check)),
        );
        let open = device.answers.iter().filter(|answer| {
            let verdict = &answer.finding.verdict;
            matches!(verdict, Verdict::Inconclusive { .. } | Verdict::Error { .. })
        });
        undecided.extend(open.map(|answer| (name.to_owned(), answer.check())));
    }
    let carried = before
        .iter()
        .filter(|pair| undecided.contains(*pair) || unread.contains(pair.0.as_str()));
    pairs.extend(carried.cloned());
    pairs
}

/// Records a run; what it came down to, and whether a person is paged. `unlisted` firewalls were not even asked.
pub async fn record(
    ledger: &Ledger,
    name: &AuditName,
    audit: &Audit,
    unlisted: usize,
) -> Result<Run, LedgerError> {
    let stream = stream(name)?;
    let before = last_run(ledger, name)?;
    let known = match &before {
        Some(run) => document(ledger, run)?,
        None => BTreeSet::new(),
    };
    let now = pairs(audit, &known);
    let trend = Trend {
        new: now.difference(&known).count(),
        gone: known.difference(&now).count(),
        still: now.intersection(&known).count(),
    };
    let left_out = now.len().saturating_sub(PAIRS_MAX);
    let kept: Vec<&Pair> = now.iter().take(PAIRS_MAX).collect();
    // Pairs of texts do not fail to serialize.
    let exposed = ledger.store(&serde_json::to_vec(&kept).unwrap_or_default())?;
    let run = Run {
        counts: audit.counts(),
        trend: before.map(|_| trend),
        exposed,
        left_out,
        unlisted,
    };
    let incident = incident(name, audit, &known);
    let opened = incident.map(|incident| Event::IncidentOpened(Box::new(incident)));
    let events: Vec<Event> = [Event::Ran(run.clone())].into_iter().chain(opened).collect();
    let next = ledger.next(&stream)?;
    ledger.append(&stream, next, audit.ended, &events).await?;
    Ok(run)
}

/// Records that it could not be asked.
pub async fn record_failure(
    ledger: &Ledger,
    name: &AuditName,
    at: Timestamp,
    why: &str,
) -> Result<(), LedgerError> {
    let stream = stream(name)?;
    let why = why.chars().take(WHY_CHARACTERS).collect();
    let next = ledger.next(&stream)?;
    ledger
        .append(&stream, next, at, &[Event::NotAsked { why }])
        .await?;
    Ok(())
}

/// What is paged: checks that block and are not known to fail on their device yet. All of them in one page: whoever is
/// woken has one thing to look at.
fn incident(name: &AuditName, audit: &Audit, known: &BTreeSet<Pair>) -> Option<Incident> {
    let mut told: Vec<String> = Vec::new();
    let mut devices = BTreeSet::new();
    let mut pairs = BTreeSet::new();
    for device in &audit.devices {
        let blocking = device.answers.iter().filter(|answer| {
            let finding = &answer.finding;
            answer.counts() && finding.severity == Severity::Block && finding.verdict == Verdict::Fail
        });
        for answer in blocking {
            let pair = (device.device.to_string(), answer.check());
            if known.contains(&pair) || !pairs.insert(pair) {
                continue;
            }
            devices.insert(device.device.clone());
            let line = format!(
                "{}: {}: {}",
                device.device,
                answer.check(),
                answer.finding.message
            );
            told.push(line.chars().take(NAMED_CHARACTERS).collect());
        }
    }
    if told.is_empty() {
        return None;
    }
    let summary = format!(
        "audit {name}: {} on {}",
        count(told.len(), "new blocker"),
        count(devices.len(), "device")
    );
    let mut bytes = 0;
    told.retain(|line| {
        // As it is stored: a character can take six bytes.
        bytes += serde_json::to_string(line).map_or(0, |stored| stored.len());
        bytes <= NAMED_BYTES
    });
    Some(Incident {
        key: audit_key(name, audit.ended),
        severity: Loud::Warning,
        device: devices.first().filter(|_| devices.len() == 1).cloned(),
        summary,
        next_step: format!("hopgate audit history {name} lists them; waive what is accepted, cure the rest"),
        evidence: told,
    })
}

/// The incidents of an audit, oldest first.
pub fn incidents(ledger: &Ledger, name: &AuditName) -> Result<Vec<Dated<Incident>>, LedgerError> {
    let events = ledger.read::<Event>(&stream(name)?)?;
    let incidents = events.into_iter().filter_map(|dated| match dated.event {
        Event::IncidentOpened(incident) => Some(Dated {
            at: dated.at,
            event: *incident,
        }),
        Event::Ran(_) | Event::NotAsked { .. } => None,
    });
    Ok(incidents.collect())
}

fn last_run(ledger: &Ledger, name: &AuditName) -> Result<Option<Run>, LedgerError> {
    let events = ledger.read::<Event>(&stream(name)?)?;
    Ok(events.into_iter().rev().find_map(|dated| match dated.event {
        Event::Ran(run) => Some(run),
        Event::IncidentOpened(_) | Event::NotAsked { .. } => None,
    }))
}

fn document(ledger: &Ledger, run: &Run) -> Result<BTreeSet<Pair>, LedgerError> {
    let bytes = ledger.document(&run.exposed)?;
    serde_json::from_slice(&bytes).map_err(|source| LedgerError::Decode {
        stream: run.exposed.clone(),
        seq: 0,
        source,
    })
}

/// The audits that have a history.
pub fn names(ledger: &Ledger) -> Result<Vec<AuditName>, LedgerError> {
    let listed = |source: JournalError| LedgerError::Streams(Box::new(source));
    let streams = ledger.journal().streams().map_err(listed)?;
    Ok(streams
        .iter()
        .filter_map(|(stream, _)| stream.as_str().strip_prefix("audit/")?.parse().ok())
        .collect())
}

/// What is known of one audit, or in a line each of all; nothing where there is none.
pub fn told(ledger: &Ledger, name: Option<&AuditName>) -> Result<Option<String>, LedgerError> {
    match name {
        Some(name) => text(ledger, name),
        None => overview(ledger).map(|text| (!text.is_empty()).then_some(text)),
    }
}

/// That there is nothing to tell.
pub fn none(name: Option<&AuditName>) -> String {
    match name {
        Some(name) => format!("no audit {name} has a history"),
        None => "no audit has a history".to_owned(),
    }
}

/// One line an audit: when it was asked last and how that ended.
fn overview(ledger: &Ledger) -> Result<String, LedgerError> {
    let mut out = String::new();
    for name in names(ledger)? {
        let events = ledger.read::<Event>(&stream(&name)?)?;
        let last = events.iter().rev().find_map(|dated| line(dated.at, &dated.event));
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{name:<20} {}", last.unwrap_or_default());
    }
    Ok(out)
}

/// The last runs of one audit, then what is new since the run before and what is still there; nothing where there is no
/// such audit.
fn text(ledger: &Ledger, name: &AuditName) -> Result<Option<String>, LedgerError> {
    let events = ledger.read::<Event>(&stream(name)?)?;
    if events.is_empty() {
        return Ok(None);
    }
    let lines: Vec<String> = events
        .iter()
        .filter_map(|dated| line(dated.at, &dated.event))
        .collect();
    let mut out = String::new();
    if lines.len() > LISTED {
        let _ = writeln!(out, "{} earlier", count(lines.len() - LISTED, "run"));
    }
    for line in lines.iter().skip(lines.len().saturating_sub(LISTED)) {
        let _ = writeln!(out, "{line}");
    }
    let mut runs = events.iter().rev().filter_map(|dated| match &dated.event {
        Event::Ran(run) => Some((dated.at, run)),
        Event::IncidentOpened(_) | Event::NotAsked { .. } => None,
    });
    let Some((_, last)) = runs.next() else {
        return Ok(Some(out));
    };
    let now = document(ledger, last)?;
    let (since, before) = match runs.next() {
        Some((at, run)) => (format!(" since {}", minute(at)), document(ledger, run)?),
        None => (String::new(), BTreeSet::new()),
    };
    list(&mut out, &format!("new{since}"), now.difference(&before));
    list(&mut out, &format!("gone{since}"), before.difference(&now));
    list(&mut out, "still", now.intersection(&before));
    if last.left_out > 0 {
        let _ = writeln!(out, "{} not kept", count(last.left_out, "pair"));
    }
    Ok(Some(out))
}

fn list<'a>(out: &mut String, what: &str, pairs: impl Iterator<Item = &'a Pair>) {
    let pairs: Vec<&Pair> = pairs.collect();
    if pairs.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{what}: {}", pairs.len());
    for (device, check) in pairs.iter().take(PAIRS_LISTED) {
        let _ = writeln!(out, "  {device:<20} {check}");
    }
    if pairs.len() > PAIRS_LISTED {
        let _ = writeln!(out, "  and {} more", pairs.len() - PAIRS_LISTED);
    }
}

fn line(at: Timestamp, event: &Event) -> Option<String> {
    let told = match event {
        Event::Ran(run) => in_words(run),
        Event::NotAsked { why } => format!("NOT ASKED: {}", why.lines().next().unwrap_or_default()),
        Event::IncidentOpened(_) => return None,
    };
    Some(format!("{}  {told}", minute(at)))
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// What a run came down to, in a line.
pub fn in_words(run: &Run) -> String {
    let Counts {
        exposed,
        unknown,
        clear,
        ..
    } = run.counts;
    let trend = run
        .trend
        .map_or_else(|| "first run".to_owned(), |trend| trend.to_string());
    let unlisted = match run.unlisted {
        0 => String::new(),
        some => format!("; {} left out by Panorama", count(some, "firewall")),
    };
    format!("{exposed} exposed, {unknown} unknown, {clear} clear; {trend}{unlisted}")
}
