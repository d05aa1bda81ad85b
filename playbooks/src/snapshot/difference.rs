//! What a comparison found, in a shape that is stored and shown, and the findings it makes.
//!
//! Responsible for: the shape (`docs/audit.md` tells every key), and one finding for each grade of each area. Must not know:
//! how anything was compared.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rules::Grade;
use super::words;
use crate::finding::{Finding, Mode, Severity, Verdict};

/// How many sentences a finding has; the rest is counted.
const SENTENCES: usize = 5;

/// Two readings of one device, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The device, as it was called before.
    pub device: String,
    /// When it was read before.
    pub before: Timestamp,
    /// When it was read after.
    pub after: Timestamp,
    /// What was compared, in the order of the rules.
    pub areas: Vec<AreaDifference>,
}

/// One area, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaDifference {
    /// Its name: `bgp_peers`, `interfaces.hardware`.
    pub area: String,
    /// What it is, in words.
    pub title: String,
    /// The fields that identify a thing of it, in the order in which a change's key has their values.
    pub key: Vec<String>,
    /// Whether it could be compared.
    pub compared: Compared,
    /// What is not as it was: what is expected last, the worst of the others first, then by key.
    pub changes: Vec<Change>,
    /// Fields that one of the readings does not hold, so that they were not compared.
    pub left_out: Vec<String>,
    /// What would cure a finding about it.
    pub remedy: Option<String>,
}

/// Whether an area could be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// It was.
    Things {
        /// How many things there were before.
        before: usize,
        /// How many there were after.
        after: usize,
    },
    /// It is not known in one of the readings, or in both. Never the same as empty.
    Unknown {
        /// Why it was not known before; null where it was.
        before: Option<String>,
        /// Why it was not known after.
        after: Option<String>,
        /// How much that matters.
        severity: Severity,
    },
}

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What the thing is called.
    pub thing: String,
    /// What identifies it: the values of the area's key.
    pub key: Vec<Value>,
    /// Which of several with this key it is, from 1; null where there is one.
    pub number: Option<usize>,
    /// What happened to it.
    pub happened: Happened,
    /// How much that matters.
    pub grade: Grade,
    /// Why it was to be expected, where it was. It then does not count, whatever its grade.
    pub expected: Option<String>,
    /// All of it, as a person reads it.
    pub sentence: String,
}

/// What happened to a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It is not there any more.
    Missing,
    /// It was not there before.
    Added,
    /// A field of it has another value.
    Changed {
        /// The field.
        field: String,
        /// Its value before.
        before: Value,
        /// Its value after.
        after: Value,
    },
    /// There are fewer or more things than the rules allow. It is about the area.
    Counted {
        /// How many there were.
        before: usize,
        /// How many there are.
        after: usize,
    },
}

impl Change {
    /// Whether it counts: it was not to be expected.
    pub const fn counts(&self) -> bool {
        self.expected.is_none()
    }
}

impl AreaDifference {
    /// The worst of what counts; none where there is nothing.
    pub fn grade(&self) -> Option<Grade> {
        let counted = self.changes.iter().filter(|change| change.counts());
        counted.map(|change| change.grade).max()
    }

    /// Those of a grade that count.
    pub fn graded(&self, grade: Grade) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.counts() && change.grade == grade)
    }

    /// How many were to be expected.
    pub fn expected(&self) -> usize {
        self.changes.iter().filter(|change| !change.counts()).count()
    }

    /// Why it could not be compared, in words.
    pub fn unknown(&self) -> Option<String> {
        let Compared::Unknown { before, after, .. } = &self.compared else {
            return None;
        };
        Some(match (before, after) {
            (Some(before), Some(after)) if before == after => format!("before and after: {before}"),
            (Some(before), Some(after)) => format!("before: {before}; after: {after}"),
            (Some(before), None) => format!("before: {before}"),
            (None, Some(after)) => format!("after: {after}"),
            (None, None) => "neither before nor after".to_owned(),
        })
    }

    fn findings(&self) -> Vec<Finding> {
        if let (Compared::Unknown { severity, .. }, Some(why)) = (&self.compared, self.unknown()) {
            let missing = format!("{}: {why}", self.area);
            let message = format!("{} cannot be compared: {why}", self.title);
            return vec![self.finding(None, Verdict::Inconclusive { missing }, *severity, message)];
        }
        let graded = [(Grade::Stop, Severity::Block), (Grade::Look, Severity::Warn)];
        let mut findings: Vec<Finding> = graded
            .into_iter()
            .filter_map(|(grade, severity)| {
                let changes: Vec<&Change> = self.graded(grade).collect();
                let subject = match changes.as_slice() {
                    [] => return None,
                    [one] => Some(one.thing.clone()),
                    _ => None,
                };
                Some(self.finding(subject, Verdict::Fail, severity, sentences(&changes)))
            })
            .collect();
        if !self.left_out.is_empty() {
            let missing = format!("{}: kept without {}", self.area, self.left_out.join(", "));
            let message = format!(
                "{} cannot be compared in {}",
                self.title,
                self.left_out.join(", ")
            );
            findings.push(self.finding(None, Verdict::Inconclusive { missing }, Severity::Warn, message));
        }
        if findings.is_empty() {
            findings.push(self.finding(None, Verdict::Pass, Severity::Info, self.as_it_was()));
        }
        findings
    }

    /// What is said where nothing counts.
    fn as_it_was(&self) -> String {
        let harmless = self.graded(Grade::Harmless).count();
        let mut said = format!("{} as before", self.title);
        for (number, what) in [(harmless, "harmless"), (self.expected(), "expected")] {
            if number > 0 {
                said.push_str(&format!("; {what}: {}", words::count(number)));
            }
        }
        said
    }

    fn finding(
        &self,
        subject: Option<String>,
        verdict: Verdict,
        severity: Severity,
        message: String,
    ) -> Finding {
        let failed = verdict == Verdict::Fail;
        Finding {
            // As checks are named: letters, digits and dashes.
            check: self.area.replace(['_', '.'], "-").into(),
            title: format!("{} are as they were", self.title).into(),
            subject,
            verdict,
            severity,
            mode: Mode::Enforce,
            message: message.into(),
            remedy: self.remedy.as_deref().filter(|_| failed).map(Into::into),
            link: None,
        }
    }
}

/// The first sentences, and how many more there are.
fn sentences(changes: &[&Change]) -> String {
    let mut said: Vec<String> = changes
        .iter()
        .take(SENTENCES)
        .map(|change| change.sentence.clone())
        .collect();
    if changes.len() > SENTENCES {
        said.push(format!("and {} more", words::count(changes.len() - SENTENCES)));
    }
    said.join("; ")
}

impl Difference {
    /// The worst of what counts; none where there is nothing.
    pub fn grade(&self) -> Option<Grade> {
        self.areas.iter().filter_map(AreaDifference::grade).max()
    }

    /// What was found, as checks say it: for every area a failure that blocks, one that warns, or both; one that cannot
    /// tell; or a pass.
    pub fn findings(&self) -> Vec<Finding> {
        if self.areas.is_empty() {
            return vec![nothing_compared()];
        }
        self.areas.iter().flat_map(AreaDifference::findings).collect()
    }
}

/// Nothing compared is not nothing changed.
fn nothing_compared() -> Finding {
    let missing = "the rules name nothing to compare".to_owned();
    Finding {
        check: "rules".into(),
        title: "Something is compared".into(),
        subject: None,
        message: format!("cannot tell: {missing}").into(),
        verdict: Verdict::Inconclusive { missing },
        severity: Severity::Block,
        mode: Mode::Enforce,
        remedy: None,
        link: None,
    }
}
