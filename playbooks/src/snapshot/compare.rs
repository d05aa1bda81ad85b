//! Comparing two snapshots: which thing of one is which of the other, and what of it is not as it was.
//!
//! Responsible for: pairing things by all of what identifies them, so that none is lost where several have one name, and
//! what a hop or a change of roles explains. Must not know: the facts, or where a snapshot comes from. It sorts and
//! merges: the work grows with the number of things and not with its square.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::difference::{AreaDifference, Change, Compared, Difference, Happened};
use super::rules::{AreaRules, Expectation, Grade, Happening, Rules, Special};
use super::{Rows, Snapshot, order, words};
use crate::facts::Fact;
use crate::finding::Severity;
use crate::hop::HopContext;

/// What is not in `after` as it was in `before`. With a hop, what every hop changes is told as expected.
pub fn compare(before: &Snapshot, after: &Snapshot, rules: &Rules, hop: Option<&HopContext>) -> Difference {
    let circumstances = Circumstances {
        hop,
        stepped_down: stepped_down(before, after),
        read_at: after.read_at,
    };
    let areas = rules.areas.iter().map(|area| {
        area_of(
            area,
            before.areas.get(&area.name),
            after.areas.get(&area.name),
            &circumstances,
        )
    });
    Difference {
        device: before.device.clone(),
        before: before.read_at,
        after: after.read_at,
        areas: areas.collect(),
    }
}

/// What explains changes.
struct Circumstances<'c> {
    hop: Option<&'c HopContext>,
    /// What became of a member that was active, where it is not any more.
    stepped_down: Option<String>,
    /// When the later reading was taken.
    read_at: Timestamp,
}

/// A member of a pair that was active and is not serves nothing: what it lost went to its peer.
fn stepped_down(before: &Snapshot, after: &Snapshot) -> Option<String> {
    let (was, is) = (before.role.as_deref()?, after.role.as_deref()?);
    (was.starts_with("active") && !is.starts_with("active"))
        .then(|| format!("this member was {was} and is {is}"))
}

fn area_of(
    rules: &AreaRules,
    before: Option<&Fact<Rows>>,
    after: Option<&Fact<Rows>>,
    circumstances: &Circumstances<'_>,
) -> AreaDifference {
    let (before, after) = (Side::of(rules, before), Side::of(rules, after));
    let (compared, changes, left_out) = match (&before, &after) {
        (Ok(before), Ok(after)) => {
            let comparison = Comparison::of(rules, before, after, circumstances);
            let things = Compared::Things {
                before: before.things.len(),
                after: after.things.len(),
            };
            let left_out = comparison.left_out.clone();
            (things, comparison.changes(), left_out)
        }
        (before, after) => {
            let severity = match (before, after) {
                (Ok(_), _) => rules.unknown,
                (Err(_), Ok(_)) => rules.unknown.min(Severity::Warn),
                // It may well not exist on this device.
                (Err(_), Err(_)) => Severity::Info,
            };
            let unknown = Compared::Unknown {
                before: before.as_ref().err().cloned(),
                after: after.as_ref().err().cloned(),
                severity,
            };
            (unknown, Vec::new(), Vec::new())
        }
    };
    AreaDifference {
        area: rules.name.clone(),
        title: rules.title.clone(),
        key: rules.key.clone(),
        compared,
        changes,
        left_out,
        remedy: rules.remedy.clone(),
    }
}

/// One reading of an area.
struct Side<'s> {
    /// Where each field is in a row.
    at: BTreeMap<&'s str, usize>,
    /// The things, by key.
    things: Vec<Thing<'s>>,
}

struct Thing<'s> {
    /// What identifies it. Values are written as JSON, so that no two keys are written alike.
    key: String,
    row: &'s [Value],
}

impl<'s> Side<'s> {
    fn of(rules: &AreaRules, rows: Option<&'s Fact<Rows>>) -> Result<Self, String> {
        let rows = match rows {
            Some(Fact::Known(rows)) => rows,
            Some(Fact::Unknown(why)) => return Err(why.clone()),
            None => return Err("it was not kept".to_owned()),
        };
        let at: BTreeMap<&str, usize> = rows
            .fields
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), at))
            .collect();
        let tests = rules.only.iter().map(|test| &test.field);
        if let Some(lacking) = rules
            .key
            .iter()
            .chain(tests)
            .find(|field| !at.contains_key(field.as_str()))
        {
            return Err(format!("it was kept without {lacking}"));
        }
        let mut side = Self {
            at,
            things: Vec::new(),
        };
        let mut things = Vec::with_capacity(rows.rows.len());
        for row in &rows.rows {
            if rules.only.iter().all(|test| test.holds(&side.values(row))) {
                let key = written(rules.key.iter().map(|field| side.value(row, field)));
                things.push(Thing { key, row });
            }
        }
        things.sort_by(|one, other| one.key.cmp(&other.key));
        side.things = things;
        Ok(side)
    }

    fn value<'r>(&self, row: &'r [Value], field: &str) -> &'r Value {
        let at = self.at.get(field);
        at.and_then(|at| row.get(*at)).unwrap_or(&Value::Null)
    }

    /// What the things that a rule means have in the fields that excuse that others are missing.
    fn left(&self, special: &Special) -> BTreeSet<String> {
        if special.unless_left.is_empty() {
            return BTreeSet::new();
        }
        let rows = self.things.iter().map(|thing| thing.row);
        rows.filter(|row| special.test.holds(&self.values(row)))
            .map(|row| self.in_fields(row, &special.unless_left))
            .collect()
    }

    /// What a thing has in these fields.
    fn in_fields(&self, row: &[Value], fields: &[String]) -> String {
        written(fields.iter().map(|field| self.value(row, field)))
    }

    fn values<'r>(&self, row: &'r [Value]) -> impl Fn(&str) -> Value + use<'_, 'r, 's> {
        move |field| self.value(row, field).clone()
    }
}

/// Values as one text that no others have.
fn written<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    let mut text = String::new();
    for value in values {
        text.push_str(&value.to_string());
        text.push(',');
    }
    text
}

/// How many of the first things have one key.
fn alike(things: &[Thing<'_>]) -> usize {
    let Some(first) = things.first() else { return 0 };
    things.iter().take_while(|thing| thing.key == first.key).count()
}

struct Comparison<'c> {
    rules: &'c AreaRules,
    before: &'c Side<'c>,
    after: &'c Side<'c>,
    circumstances: &'c Circumstances<'c>,
    /// The fields that both readings hold, and where.
    fields: Vec<(&'c str, usize, usize)>,
    left_out: Vec<String>,
    /// For each rule of some things, what is left in the fields that excuse that others are missing.
    left: Vec<BTreeSet<String>>,
}

impl<'c> Comparison<'c> {
    fn of(
        rules: &'c AreaRules,
        before: &'c Side<'c>,
        after: &'c Side<'c>,
        circumstances: &'c Circumstances<'c>,
    ) -> Self {
        let (mut fields, mut left_out) = (Vec::new(), Vec::new());
        for field in &rules.compared {
            match (before.at.get(field.as_str()), after.at.get(field.as_str())) {
                (Some(was), Some(is)) => fields.push((field.as_str(), *was, *is)),
                _ => left_out.push(field.clone()),
            }
        }
        Self {
            rules,
            before,
            after,
            circumstances,
            fields,
            left_out,
            left: rules.some.iter().map(|special| after.left(special)).collect(),
        }
    }

    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = self.counted().into_iter().collect();
        let (mut before, mut after) = (self.before.things.as_slice(), self.after.things.as_slice());
        loop {
            // The things of both sides with the least key that is left.
            let least = match (before.first(), after.first()) {
                (Some(was), Some(is)) => was.key.cmp(&is.key),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => break,
            };
            let (was, before_rest) = before.split_at(if least.is_le() { alike(before) } else { 0 });
            let (is, after_rest) = after.split_at(if least.is_ge() { alike(after) } else { 0 });
            self.with_one_key(was, is, &mut changes);
            (before, after) = (before_rest, after_rest);
        }
        changes.sort_by_key(|change| (!change.counts(), Reverse(change.grade)));
        changes
    }

    /// Things with one key. Where there are several, those that are as they were are paired first, then the others in
    /// the order of what they hold: the order in which a device lists them means nothing.
    fn with_one_key(&self, was: &[Thing<'_>], is: &[Thing<'_>], changes: &mut Vec<Change>) {
        if let ([was], [is]) = (was, is) {
            return self.fields_of(was.row, is.row, None, changes);
        }
        let several = was.len().max(is.len()) > 1;
        let (left, right) = unlike(
            self.by_content(was, |field| field.1),
            self.by_content(is, |field| field.2),
        );
        let number = |nth: usize| several.then_some(nth + 1);
        let both = left.len().min(right.len());
        for (nth, (from, to)) in left.iter().zip(&right).enumerate() {
            self.fields_of(from, to, number(nth), changes);
        }
        for (nth, gone) in left.iter().enumerate().skip(both) {
            changes.push(self.came_or_went(Happening::Missing, self.before, gone, number(nth)));
        }
        for (nth, new) in right.iter().enumerate().skip(both) {
            changes.push(self.came_or_went(Happening::Added, self.after, new, number(nth)));
        }
    }

    /// Things in the order of what is compared of them, then of all that is known of them.
    fn by_content<'t>(
        &self,
        things: &[Thing<'t>],
        at: fn(&(&str, usize, usize)) -> usize,
    ) -> Vec<(String, &'t [Value])> {
        let cell = |row: &'t [Value], at: usize| row.get(at).unwrap_or(&Value::Null);
        let content = |thing: &Thing<'t>| {
            let compared = written(self.fields.iter().map(|field| cell(thing.row, at(field))));
            (compared, thing.row)
        };
        let mut rows: Vec<_> = things.iter().map(content).collect();
        rows.sort_by_cached_key(|(compared, row)| (compared.clone(), written(row.iter())));
        rows
    }

    fn came_or_went(
        &self,
        happening: Happening,
        side: &Side<'_>,
        row: &[Value],
        number: Option<usize>,
    ) -> Change {
        let value = side.values(row);
        let thing = self.called(side, row, number);
        let state = self
            .rules
            .state
            .as_deref()
            .map(&value)
            .filter(|state| !words::is_nothing(state));
        let state = |tense: &str| {
            state
                .as_ref()
                .map_or_else(String::new, |state| format!(" ({tense}{})", words::value(state)))
        };
        let (happened, sentence) = if happening == Happening::Missing {
            (Happened::Missing, format!("{thing}: gone{}", state("was ")))
        } else {
            (Happened::Added, format!("{thing}: new{}", state("")))
        };
        let special = self.special(happening, side, row);
        let grade = special.unwrap_or(match happening {
            Happening::Missing => self.rules.missing,
            Happening::Added => self.rules.added,
            Happening::Changed => self.rules.changed,
        });
        // What a hop does to things at large does not explain what the rules single out.
        let expected = match special {
            Some(Grade::Look | Grade::Stop) => self.explained_by_role(happening),
            Some(Grade::Harmless) | None => self.explained(happening),
        };
        Change {
            key: self.key(side, row),
            number,
            happened,
            grade,
            expected,
            sentence,
            thing,
        }
    }

    /// What the rules of some things say of one that came or went.
    fn special(&self, happening: Happening, side: &Side<'_>, row: &[Value]) -> Option<Grade> {
        self.rules
            .special(&side.values(row), |nth, special| match happening {
                Happening::Missing => {
                    let left = self.left.get(nth).is_some_and(|left| {
                        !left.is_empty() && left.contains(&side.in_fields(row, &special.unless_left))
                    });
                    special.missing.filter(|_| !left)
                }
                Happening::Added => special.added,
                Happening::Changed => None,
            })
    }

    fn fields_of(&self, was: &[Value], is: &[Value], number: Option<usize>, changes: &mut Vec<Change>) {
        for (field, from, to) in &self.fields {
            let before = was.get(*from).unwrap_or(&Value::Null);
            let after = is.get(*to).unwrap_or(&Value::Null);
            if before != after
                && let Some(judged) = self.judge(field, (before, after), (was, is))
            {
                changes.push(self.changed(field, before, after, judged, (was, number)));
            }
        }
    }

    /// What a change of a field means; none where it is within the limits.
    fn judge(
        &self,
        field: &str,
        (before, after): (&Value, &Value),
        (was, is): (&[Value], &[Value]),
    ) -> Option<Judged> {
        let rule = self.rules.fields.get(field);
        let worse = || {
            self.rules
                .special(&self.before.values(was), |_, special| special.worse)
        };
        let mut grade = self.rules.grade(field, (before, after), &worse)?;
        let due = rule
            .filter(|rule| rule.is_left(before, after))
            .and_then(|rule| rule.due.as_deref())
            .map(|due| self.after.value(is, due))
            .filter(|due| is_past(due, self.circumstances.read_at));
        if due.is_some() {
            grade = grade.min(Grade::Look);
        }
        let (Some(hop), Some(expectation)) = (self.circumstances.hop, rule.and_then(|rule| rule.hop)) else {
            return Some(Judged {
                grade,
                expected: self.explained(Happening::Changed),
                besides: due.map(|due| format!(", as it was due on {}", words::value(due))),
            });
        };
        let good = rule.and_then(|rule| rule.good.as_deref()).unwrap_or_default();
        let target = hop.to.to_string();
        if expectation == Expectation::Target && after.as_str() != Some(target.as_str()) {
            return Some(Judged {
                grade: Grade::Stop,
                expected: None,
                besides: Some(format!(", where the hop goes to {target}")),
            });
        }
        let as_expected = match expectation {
            Expectation::Target | Expectation::Any => true,
            Expectation::Rises => order::of(before, after).is_lt(),
            Expectation::Falls => order::of(before, after).is_gt(),
            Expectation::Swaps => good.contains(before) && good.contains(after),
        };
        let expected = if as_expected {
            Some(of_hop(hop))
        } else {
            self.explained(Happening::Changed)
        };
        Some(Judged {
            grade,
            expected,
            besides: None,
        })
    }

    fn changed(
        &self,
        field: &str,
        before: &Value,
        after: &Value,
        judged: Judged,
        (was, number): (&[Value], Option<usize>),
    ) -> Change {
        let rule = self.rules.fields.get(field);
        let thing = self.called(self.before, was, number);
        let mut sentence = format!("{thing}: ");
        if self.rules.state.as_deref() != Some(field) && field != "value" {
            let called = rule
                .and_then(|rule| rule.called.clone())
                .unwrap_or_else(|| words::field(field));
            sentence.push_str(&called);
            sentence.push(' ');
        }
        sentence.push_str(&words::change(before, after));
        let limited = rule.is_some_and(|rule| rule.falls.is_some() || rule.rises.is_some());
        if let (Some(from), Some(to), true) = (before.as_f64(), after.as_f64(), limited) {
            sentence.push_str(&format!(" ({})", words::percent(from, to)));
        }
        sentence.push_str(judged.besides.as_deref().unwrap_or_default());
        Change {
            key: self.key(self.before, was),
            number,
            happened: Happened::Changed {
                field: field.to_owned(),
                before: before.clone(),
                after: after.clone(),
            },
            grade: judged.grade,
            expected: judged.expected,
            sentence,
            thing,
        }
    }

    /// Whether there are fewer or more things than the rules allow.
    fn counted(&self) -> Option<Change> {
        let (before, after) = (self.before.things.len(), self.after.things.len());
        let (limits, happening) = if after < before {
            (self.rules.fewer, Happening::Missing)
        } else {
            (self.rules.more, Happening::Added)
        };
        // Counts of things are far below 2^53.
        let (was, is) = (before as f64, after as f64);
        let (grade, limit) = limits.exceeded(was, is)?;
        let sentence = format!(
            "{}: {} -> {} ({}), more than {limit}",
            self.rules.title,
            words::count(before),
            words::count(after),
            words::percent(was, is)
        );
        Some(Change {
            thing: self.rules.title.clone(),
            key: Vec::new(),
            number: None,
            happened: Happened::Counted { before, after },
            grade,
            expected: self.explained(happening),
            sentence,
        })
    }

    /// Why something was to be expected, where it was.
    fn explained(&self, happening: Happening) -> Option<String> {
        let hop = self
            .circumstances
            .hop
            .filter(|_| self.rules.expected.contains(&happening));
        self.explained_by_role(happening).or_else(|| hop.map(of_hop))
    }

    /// What became of a member that is not active any more, where that explains it.
    fn explained_by_role(&self, happening: Happening) -> Option<String> {
        let stepped_down = self.circumstances.stepped_down.clone();
        stepped_down.filter(|_| self.rules.while_active.contains(&happening))
    }

    fn called(&self, side: &Side<'_>, row: &[Value], number: Option<usize>) -> String {
        let name = self.rules.thing.of(&side.values(row));
        match number {
            Some(number) => format!("{name} (number {number} of this name)"),
            None => name,
        }
    }

    fn key(&self, side: &Side<'_>, row: &[Value]) -> Vec<Value> {
        self.rules
            .key
            .iter()
            .map(|field| side.value(row, field).clone())
            .collect()
    }
}

/// What a change of a field means.
struct Judged {
    grade: Grade,
    expected: Option<String>,
    /// What is said of it besides.
    besides: Option<String>,
}

/// Whether a day or an instant has come. A day comes with its first instant of UTC: where the device is, it may end up to
/// 14 hours before it ends in UTC.
fn is_past(due: &Value, read_at: Timestamp) -> bool {
    let due = due.as_str().unwrap_or_default();
    let day = || due.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    let instant = due.parse().ok();
    instant
        .or_else(|| Some(day()?.timestamp()))
        .is_some_and(|due| due <= read_at)
}

fn of_hop(hop: &HopContext) -> String {
    format!("the hop from {} to {}", hop.from, hop.to)
}

/// What is on one side only, of two sides that are sorted.
fn unlike<'l, 'r>(
    left: Vec<(String, &'l [Value])>,
    right: Vec<(String, &'r [Value])>,
) -> (Vec<&'l [Value]>, Vec<&'r [Value]>) {
    let (mut only_left, mut only_right) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (Some(one), Some(other)) if one.0 == other.0 => {
                left.next();
                right.next();
            }
            (Some(one), Some(other)) if one.0 < other.0 => only_left.extend(left.next().map(|row| row.1)),
            (_, Some(_)) => only_right.extend(right.next().map(|row| row.1)),
            (Some(_), None) => only_left.extend(left.next().map(|row| row.1)),
            (None, None) => return (only_left, only_right),
        }
    }
}
