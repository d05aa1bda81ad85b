//! Rules: what is compared, what identifies a thing, and what a change of it means.
//!
//! Responsible for: the rules as they are used, the built-in ones, and laying an operator's over them. Must not know: YAML,
//! or any reading.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file;
use super::limit::{Held, Limit};
use super::listing::Listing;
use super::thing::Name;
use crate::facts::FactArea;
use crate::finding::Severity;

/// The built-in rules, as they are written.
pub(super) const BUILTIN: &str = include_str!("../../library/differences.yaml");

/// How much a change matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As things change.
    Harmless,
    /// Worth a look before going on.
    Look,
    /// Not to go on with.
    Stop,
}

/// What is compared, and what of it matters.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// In the order in which they are told.
    pub(super) areas: Vec<AreaRules>,
}

/// What is compared of one list of things.
#[derive(Clone, Debug)]
pub(super) struct AreaRules {
    /// Where it is in the facts: `bgp_peers.prefixes`.
    pub(super) name: String,
    pub(super) listing: Listing,
    pub(super) title: String,
    /// What one of its things is called.
    pub(super) thing: Name,
    /// The fields that identify a thing, all of them. None where there is one thing, or things are only counted.
    pub(super) key: Vec<String>,
    /// The field that says how it is; its change is told without its name.
    pub(super) state: Option<String>,
    /// The fields that are compared, beside the key.
    pub(super) compared: Vec<String>,
    /// What a thing must be like to be looked at.
    pub(super) only: Vec<Test>,
    pub(super) missing: Grade,
    pub(super) added: Grade,
    /// Of a field without a rule of its own.
    pub(super) changed: Grade,
    /// Things of which coming, going and getting worse is graded otherwise; the first that fits counts.
    pub(super) some: Vec<Special>,
    pub(super) fields: BTreeMap<String, FieldRule>,
    /// How many things less.
    pub(super) fewer: Limits,
    /// How many things more.
    pub(super) more: Limits,
    /// What a hop does to it anyway.
    pub(super) expected: BTreeSet<Happening>,
    /// What happens to it where a member of a pair is not active any more.
    pub(super) while_active: BTreeSet<Happening>,
    /// How much it matters that it was known and is not any more.
    pub(super) unknown: Severity,
    pub(super) remedy: Option<String>,
}

/// What can happen to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Happening {
    Missing,
    Added,
    Changed,
}

/// A condition on one field.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) field: String,
    pub(super) is: Option<Vec<Value>>,
    pub(super) is_not: Option<Vec<Value>>,
}

/// Things of which coming, going and getting worse is graded otherwise.
#[derive(Clone, Debug)]
pub(super) struct Special {
    pub(super) test: Test,
    pub(super) missing: Option<Grade>,
    pub(super) added: Option<Grade>,
    /// A field leaves its good values.
    pub(super) worse: Option<Grade>,
    /// Of what is missing it is not meant while another one that fits has the same values in these fields.
    pub(super) unless_left: Vec<String>,
}

/// What a change of one field means.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldRule {
    pub(super) called: Option<String>,
    /// The values that are good.
    pub(super) good: Option<Vec<Value>>,
    /// From a good one to another one.
    pub(super) worse: Option<Grade>,
    /// To a good one.
    pub(super) better: Option<Grade>,
    /// Any other change.
    pub(super) changed: Option<Grade>,
    /// It had a value and has none.
    pub(super) untold: Option<Grade>,
    /// The field with the day, or the instant, at which it leaves its good values by itself.
    pub(super) due: Option<String>,
    /// How far a number may fall. Where a number has limits, a change within them is none.
    pub(super) falls: Option<Limits>,
    /// How far it may rise.
    pub(super) rises: Option<Limits>,
    /// What a hop does to it.
    pub(super) hop: Option<Expectation>,
}

/// How far something may go before it is worth a look, and before it stops.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) look: Option<Limit>,
    pub(super) stop: Option<Limit>,
}

/// What a hop does to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expectation {
    /// It becomes the release that the hop goes to, and nothing else.
    Target,
    /// Anything.
    Any,
    /// It goes up: a number, or a version.
    Rises,
    /// It goes down.
    Falls,
    /// It goes from one good value to another, as the roles of a pair do.
    Swaps,
}

impl Rules {
    /// The rules shipped with hopgate.
    pub fn builtin() -> &'static Self {
        static RULES: OnceLock<Rules> = OnceLock::new();
        // The shipped rules are held to be readable by a test; were they not, there would be none, and nothing compared
        // is never told as nothing changed.
        RULES.get_or_init(|| file::read("library/differences.yaml", BUILTIN, None).unwrap_or_default())
    }

    /// The built-in rules with an operator's laid over them, area by area and key by key; or everything that is wrong
    /// with the operator's, at least one thing.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<super::RulesError>> {
        file::read(file, text, Some(BUILTIN))
    }

    /// The text of the built-in ones: what the hash in a plan is of, and what an own file is laid over.
    pub const fn builtin_text() -> &'static str {
        BUILTIN
    }

    /// What has to be read of a device so that it can be compared.
    pub fn areas(&self) -> BTreeSet<FactArea> {
        let areas = self.areas.iter().map(|area| area.listing.area);
        // The serial number tells whose reading it is, the role what can be expected of it.
        areas.chain([FactArea::System, FactArea::Ha]).collect()
    }
}

impl AreaRules {
    /// Every field that a comparison looks at, each once; those that identify a thing first.
    pub(super) fn kept(&self) -> Vec<String> {
        let tested = self
            .only
            .iter()
            .chain(self.some.iter().map(|special| &special.test));
        let tested = tested.map(|test| test.field.as_str());
        let left = self.some.iter().flat_map(|special| &special.unless_left);
        let due = self.fields.values().filter_map(|rule| rule.due.as_deref());
        let wanted = self.key.iter().chain(&self.compared).map(String::as_str);
        let wanted = wanted
            .chain(self.thing.fields())
            .chain(self.state.as_deref())
            .chain(tested)
            .chain(left.map(String::as_str))
            .chain(due);
        let mut kept = Vec::new();
        for field in wanted {
            if !kept.iter().any(|already| already == field) {
                kept.push(field.to_owned());
            }
        }
        kept
    }

    /// What the rules of some things say of this one, where they say something.
    pub(super) fn special(
        &self,
        value: &dyn Fn(&str) -> Value,
        said: impl Fn(usize, &Special) -> Option<Grade>,
    ) -> Option<Grade> {
        let fitting = self.some.iter().enumerate();
        let mut fitting = fitting.filter(|(_, special)| special.test.holds(value));
        fitting.find_map(|(nth, special)| said(nth, special))
    }

    /// What the change of a field means; none where it is within the limits of a number, and so none. `worse` is what
    /// leaving a good value means for this thing, where that is another than for others.
    pub(super) fn grade(
        &self,
        field: &str,
        (before, after): (&Value, &Value),
        worse: &dyn Fn() -> Option<Grade>,
    ) -> Option<Grade> {
        let unruled = FieldRule::default();
        let rule = self.fields.get(field).unwrap_or(&unruled);
        let leaves_good = rule.is_left(before, after);
        let grade = match worse().filter(|_| leaves_good) {
            Some(worse) => worse,
            None => rule.grade(before, after, self.changed)?,
        };
        // That a release tells less is no loss; that a state is not told is one.
        let is_state = leaves_good && self.state.as_deref() == Some(field);
        Some(match (before, after) {
            // That a release tells more is no change.
            (Value::Null, _) => Grade::Harmless,
            (_, Value::Null) if !is_state => rule.untold.unwrap_or(grade.min(Grade::Look)),
            _ => grade,
        })
    }
}

impl Test {
    /// Whether a thing with these values is meant.
    pub(super) fn holds(&self, value: &dyn Fn(&str) -> Value) -> bool {
        let value = value(&self.field);
        let is = self.is.as_ref().is_none_or(|words| words.contains(&value));
        let is_not = self.is_not.as_ref().is_some_and(|words| words.contains(&value));
        is && !is_not
    }
}

impl Limits {
    /// The grade of a number that went so far; none where it is within the limits. Of nothing there are no percent: what
    /// a limit in percent would have said cannot be told, and is worth a look.
    pub(super) fn exceeded(self, before: f64, after: f64) -> Option<(Grade, Limit)> {
        let held = |limit: Option<Limit>| limit.map(|limit| (limit.holds(before, after), limit));
        match (held(self.stop), held(self.look)) {
            (Some((Held::Beyond, limit)), _) => Some((Grade::Stop, limit)),
            (_, Some((Held::Beyond | Held::OfNothing, limit))) | (Some((Held::OfNothing, limit)), _) => {
                Some((Grade::Look, limit))
            }
            _ => None,
        }
    }
}

impl FieldRule {
    /// Whether it had a good value, and has another one.
    pub(super) fn is_left(&self, before: &Value, after: &Value) -> bool {
        let good = self.good.as_deref().unwrap_or_default();
        good.contains(before) && !good.contains(after)
    }

    /// What a change means; none where it is within the limits of a number, and so none.
    fn grade(&self, before: &Value, after: &Value, usual: Grade) -> Option<Grade> {
        let usual = self.changed.unwrap_or(usual);
        if let (Some(from), Some(to), true) = (
            before.as_f64(),
            after.as_f64(),
            self.falls.is_some() || self.rises.is_some(),
        ) {
            let limits = if to < from { self.falls } else { self.rises };
            return limits?.exceeded(from, to).map(|(grade, _)| grade);
        }
        let Some(good) = &self.good else {
            return Some(usual);
        };
        Some(match (good.contains(before), good.contains(after)) {
            (true, false) => self.worse.unwrap_or(Grade::Look),
            (false, true) => self.better.unwrap_or(Grade::Harmless),
            (true, true) | (false, false) => usual,
        })
    }
}
