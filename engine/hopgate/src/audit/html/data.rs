//! The data of the page, small: every text once, every cell one letter, every finding six numbers.
//!
//! What passed is its letter only: its words are the check's title. `page.js` reads exactly this shape.

use std::collections::{BTreeMap, BTreeSet};

use hopgate_playbooks::{FactArea, Mode, Severity, Verdict};
use serde::Serialize;

use super::GROUP;
use crate::audit::evidence::{Commands, Needs};
use crate::audit::{Answer, Audit, Audited, Outcome, Way};
use crate::report::visible;

#[derive(Serialize)]
struct Page<'a> {
    /// Every text.
    strings: Vec<String>,
    /// The labels that devices have, the one that groups them first.
    labels: Vec<&'a str>,
    checks: Vec<Column>,
    /// The ways in which devices were read, each once: for every area that a check looks at, its commands.
    readings: Vec<Vec<Vec<i32>>>,
    devices: Vec<Row>,
}

/// Texts are places in `strings`; -1 is none.
#[derive(Serialize)]
struct Column {
    playbook: i32,
    check: i32,
    title: i32,
    remedy: i32,
    link: i32,
    /// The areas it looks at, as places in a reading.
    areas: Vec<usize>,
    /// The playbook's own questions that it looks at.
    questions: Vec<i32>,
}

#[derive(Serialize)]
struct Row {
    /// Name.
    n: i32,
    /// Labels, in the order of `labels`.
    l: Vec<i32>,
    /// Model.
    m: i32,
    /// Serial.
    s: i32,
    /// Release.
    v: i32,
    /// Outcome: 0 exposed, 1 unknown, 2 clear.
    o: u8,
    /// Milliseconds.
    t: u64,
    /// When it was read, in seconds since 1970, and in which way, as a place in `readings`; empty where it was not asked.
    e: Vec<i64>,
    /// Why it could not be read.
    u: i32,
    /// The way.
    w: i32,
    /// A letter a check.
    c: String,
    /// Findings that did not pass: column, kind, severity (3 more on trial), subject, message, remark.
    f: Vec<i32>,
    /// Areas that are missing: name and reason, one after the other.
    x: Vec<i32>,
}

/// Texts by place, each once.
#[derive(Default)]
struct Strings {
    places: BTreeMap<String, i32>,
    texts: Vec<String>,
}

impl Strings {
    fn place(&mut self, text: &str) -> i32 {
        let text = visible(text);
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        let place = i32::try_from(self.texts.len()).unwrap_or(i32::MAX);
        self.places.insert(text.clone(), place);
        self.texts.push(text);
        place
    }

    fn maybe(&mut self, text: Option<&str>) -> i32 {
        text.map_or(-1, |text| self.place(text))
    }
}

/// The ways in which devices were read, by place.
#[derive(Default)]
struct Readings<'a> {
    places: BTreeMap<&'a Commands, i64>,
    commands: Vec<&'a Commands>,
}

impl<'a> Readings<'a> {
    fn place(&mut self, commands: &'a Commands) -> i64 {
        *self.places.entry(commands).or_insert_with(|| {
            self.commands.push(commands);
            i64::try_from(self.commands.len() - 1).unwrap_or(i64::MAX)
        })
    }

    /// All of them, what no check looks at left out.
    fn listed(&self, areas: &BTreeMap<FactArea, usize>, strings: &mut Strings) -> Vec<Vec<Vec<i32>>> {
        let mut place = |command: &String| strings.place(command);
        let mut listed = |commands: Option<&Vec<String>>| {
            let commands = commands.into_iter().flatten();
            commands.map(&mut place).collect()
        };
        self.commands
            .iter()
            .map(|commands| areas.keys().map(|area| listed(commands.get(area))).collect())
            .collect()
    }
}

/// As JSON that can stand in a script element: nothing in it can end one.
pub(super) fn json(audit: &Audit) -> String {
    let mut strings = Strings::default();
    let places = columns(audit);
    let labels = labels(audit);
    let areas = looked_at(audit, &places);
    let checks = describe(audit, &places, &areas, &mut strings);
    let mut readings = Readings::default();
    let devices = audit
        .devices
        .iter()
        .map(|device| row(device, &places, &labels, &mut strings, &mut readings))
        .collect();
    let readings = readings.listed(&areas, &mut strings);
    let page = Page {
        strings: strings.texts,
        labels,
        checks,
        readings,
        devices,
    };
    // It holds only strings, numbers and lists, none of which fail to serialize.
    serde_json::to_string(&page)
        .unwrap_or_default()
        .replace('<', "\\u003c")
}

/// The place of every check, those of one playbook side by side and in their own order.
fn columns(audit: &Audit) -> BTreeMap<(&str, &str), usize> {
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut known: BTreeSet<(&str, &str)> = BTreeSet::new();
    for answer in audit.devices.iter().flat_map(|device| &device.answers) {
        let key = key(answer);
        if known.insert(key) {
            order.push(key);
        }
    }
    let asked = |playbook: &str| audit.asked.iter().position(|name| name == playbook);
    // A stable sort: within a playbook the order of first sight stays.
    order.sort_by_key(|(playbook, _)| asked(playbook));
    order
        .into_iter()
        .enumerate()
        .map(|(place, key)| (key, place))
        .collect()
}

fn key(answer: &Answer) -> (&str, &str) {
    (&answer.playbook, &answer.finding.check)
}

fn labels(audit: &Audit) -> Vec<&str> {
    let all: BTreeSet<&str> = audit
        .devices
        .iter()
        .flat_map(|device| device.labels.keys())
        .map(String::as_str)
        .collect();
    let first = all.iter().filter(|label| **label == GROUP);
    let rest = all.iter().filter(|label| **label != GROUP);
    first.chain(rest).copied().collect()
}

fn needs<'a>(audit: &'a Audit, (playbook, check): (&str, &str)) -> Option<&'a Needs> {
    audit.needs.get(&format!("{playbook}/{check}"))
}

/// The areas that the checks of these columns look at, by their place in every reading.
fn looked_at(audit: &Audit, places: &BTreeMap<(&str, &str), usize>) -> BTreeMap<FactArea, usize> {
    let needs = places.keys().filter_map(|key| needs(audit, *key));
    let areas: BTreeSet<FactArea> = needs.flat_map(|needs| &needs.areas).copied().collect();
    areas.into_iter().zip(0..).collect()
}

fn describe(
    audit: &Audit,
    places: &BTreeMap<(&str, &str), usize>,
    areas: &BTreeMap<FactArea, usize>,
    strings: &mut Strings,
) -> Vec<Column> {
    let mut described: BTreeMap<usize, Column> = BTreeMap::new();
    for answer in audit.devices.iter().flat_map(|device| &device.answers) {
        let Some(place) = places.get(&key(answer)) else {
            continue;
        };
        let finding = &answer.finding;
        described.entry(*place).or_insert_with(|| {
            let needs = needs(audit, key(answer));
            Column {
                playbook: strings.place(&answer.playbook),
                check: strings.place(&finding.check),
                title: strings.place(&finding.title),
                remedy: strings.maybe(finding.remedy.as_deref()),
                link: strings.maybe(finding.link.as_deref()),
                areas: needs
                    .into_iter()
                    .flat_map(|needs| &needs.areas)
                    .filter_map(|area| areas.get(area).copied())
                    .collect(),
                questions: needs
                    .into_iter()
                    .flat_map(|needs| &needs.questions)
                    .map(|question| strings.place(question))
                    .collect(),
            }
        });
    }
    described.into_values().collect()
}

fn row<'a>(
    device: &'a Audited,
    places: &BTreeMap<(&str, &str), usize>,
    labels: &[&str],
    strings: &mut Strings,
    readings: &mut Readings<'a>,
) -> Row {
    let mut cells = vec![b'.'; places.len()];
    let mut found = Vec::new();
    for answer in &device.answers {
        let Some(place) = places.get(&key(answer)).copied() else {
            continue;
        };
        let letter = letter(answer);
        if let Some(cell) = cells.get_mut(place)
            && rank(letter) < rank(*cell)
        {
            *cell = letter;
        }
        if answer.finding.verdict != Verdict::Pass {
            let column = i32::try_from(place).unwrap_or(-1);
            found.extend([column].into_iter().chain(numbers(device, answer, strings)));
        }
    }
    let way = device.way.as_ref().map(way);
    Row {
        n: strings.place(device.device.as_str()),
        l: labels
            .iter()
            .map(|label| strings.maybe(device.labels.get(*label).map(String::as_str)))
            .collect(),
        m: strings.maybe(device.model.as_deref()),
        s: strings.maybe(device.serial.as_deref()),
        v: strings.maybe(device.version.as_deref()),
        o: match device.outcome() {
            Outcome::Exposed => 0,
            Outcome::Unknown => 1,
            Outcome::Clear => 2,
        },
        t: device.took_ms,
        e: device
            .evidence
            .iter()
            .flat_map(|evidence| [evidence.read_at.as_second(), readings.place(&evidence.commands)])
            .collect(),
        u: strings.maybe(device.unread.as_deref()),
        w: strings.maybe(way.as_deref()),
        c: cells.into_iter().map(char::from).collect(),
        f: found,
        x: device
            .missing
            .iter()
            .flat_map(|(area, why)| [strings.place(area), strings.place(why)])
            .collect(),
    }
}

fn numbers(device: &Audited, answer: &Answer, strings: &mut Strings) -> [i32; 5] {
    let finding = &answer.finding;
    let (kind, remark) = match &finding.verdict {
        Verdict::Fail => (0, None),
        Verdict::Inconclusive { .. } => (1, None),
        Verdict::Error { .. } => (2, None),
        Verdict::Waived { by, reason, until } => {
            (3, Some(format!("accepted by {by} until {until:.0}: {reason}")))
        }
        Verdict::Pass => (4, None),
    };
    let severity = match finding.severity {
        Severity::Info => 0,
        Severity::Warn => 1,
        Severity::Block => 2,
    };
    let trial = if finding.mode == Mode::Observe { 3 } else { 0 };
    // A device that could not be read cannot tell anything, each time for the same reason: told once, not once a check.
    let message = match (&device.unread, &finding.verdict) {
        (Some(why), Verdict::Inconclusive { .. }) => why.as_str(),
        // The page says itself that it cannot tell.
        (None, Verdict::Inconclusive { missing }) => missing,
        (None, Verdict::Error { detail }) => detail,
        _ => &finding.message,
    };
    let remark = remark.as_deref().or(answer.lapsed.as_deref());
    [
        kind,
        severity + trial,
        strings.maybe(finding.subject.as_deref()),
        strings.place(message),
        strings.maybe(remark),
    ]
}

/// A cell shows its worst finding.
fn letter(answer: &Answer) -> u8 {
    match (&answer.finding.verdict, answer.counts()) {
        (Verdict::Pass, _) => b'+',
        (Verdict::Waived { .. }, _) => b'~',
        (_, false) => b'o',
        (Verdict::Fail, true) if answer.finding.severity == Severity::Block => b'B',
        (Verdict::Fail, true) => b'W',
        (Verdict::Error { .. }, true) => b'!',
        (Verdict::Inconclusive { .. }, true) => b'?',
    }
}

/// The letters, worst first.
fn rank(letter: u8) -> usize {
    let order = b"BW!?o~+.";
    order
        .iter()
        .position(|known| *known == letter)
        .unwrap_or(order.len())
}

fn way(way: &Way) -> String {
    match way {
        Way::Stops(stops) => {
            let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
            stops.join(" -> ")
        }
        Way::NothingToDo => "runs the target already".to_owned(),
        Way::Refused(why) => format!("no way: {why}"),
    }
}
