//! The YAML of rules: its shape, and every reason to refuse it.
//!
//! Responsible for: strict reading (an unknown key, area or field is an error, with the nearest right name), and laying one
//! file over another, key by key. Must not know: readings, or what a comparison will find.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use super::limit::Limit;
use super::listing::{Astray, Listing};
use super::rules::{AreaRules, Expectation, FieldRule, Grade, Happening, Limits, Rules, Special, Test};
use super::thing::Name;
use crate::finding::Severity;
use crate::playbook::{Place, Unreadable};
use crate::shape::Shape;

/// Rules that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// It is not YAML, misses a key, or has a value of the wrong kind.
    #[error("reading rules {place}: {message}")]
    Unreadable {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
    },
    /// A key or a word that does not exist.
    #[error("reading rules {place}: unknown {kind} `{name}`{}", hint(.nearest))]
    UnknownName {
        /// Where.
        place: Place,
        /// What it should be: a key, a value, an area, a field.
        kind: &'static str,
        /// What was written.
        name: String,
        /// The nearest that exists; empty where nothing could stand there.
        nearest: String,
    },
    /// Rules that contradict themselves or the facts.
    #[error("checking rules {place}: {message}")]
    Contradiction {
        /// Where.
        place: Place,
        /// How.
        message: String,
    },
}

fn hint(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!("; the nearest is `{name}`")
    }
}

impl RulesError {
    /// Where.
    pub fn place(&self) -> &Place {
        match self {
            Self::Unreadable { place, .. }
            | Self::UnknownName { place, .. }
            | Self::Contradiction { place, .. } => place,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default)]
    areas: Vec<AreaEntry>,
    #[serde(default)]
    not_compared: Vec<LeftOut>,
}

/// A list of things that is left alone, and why: so that nobody takes it for forgotten.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeftOut {
    area: Spanned<String>,
    #[expect(dead_code, reason = "it is read by people, in the file")]
    because: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaEntry {
    area: Spanned<String>,
    title: Option<String>,
    thing: Option<Spanned<String>>,
    key: Option<Vec<Spanned<String>>>,
    state: Option<Spanned<String>>,
    ignore: Option<Vec<Spanned<String>>>,
    only: Option<Vec<TestEntry>>,
    missing: Option<Grade>,
    added: Option<Grade>,
    changed: Option<Grade>,
    some: Option<Vec<SpecialEntry>>,
    #[serde(default)]
    fields: Vec<FieldEntry>,
    fewer: Option<LimitsEntry>,
    more: Option<LimitsEntry>,
    expected: Option<BTreeSet<Happening>>,
    while_active: Option<BTreeSet<Happening>>,
    unknown: Option<Severity>,
    remedy: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestEntry {
    field: Spanned<String>,
    is: Option<Vec<Spanned<Value>>>,
    is_not: Option<Vec<Spanned<Value>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecialEntry {
    field: Spanned<String>,
    is: Option<Vec<Spanned<Value>>>,
    is_not: Option<Vec<Spanned<Value>>>,
    missing: Option<Grade>,
    added: Option<Grade>,
    worse: Option<Grade>,
    unless_left: Option<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEntry {
    field: Spanned<String>,
    called: Option<String>,
    good: Option<Vec<Spanned<Value>>>,
    worse: Option<Grade>,
    better: Option<Grade>,
    changed: Option<Grade>,
    untold: Option<Grade>,
    due: Option<Spanned<String>>,
    falls: Option<LimitsEntry>,
    rises: Option<LimitsEntry>,
    hop: Option<Expectation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsEntry {
    look: Option<Spanned<String>>,
    stop: Option<Spanned<String>>,
}

impl AreaEntry {
    /// This entry where it says something, else the one below.
    fn over(self, below: Self) -> Self {
        let mut fields = self.fields;
        let said: BTreeSet<String> = fields.iter().map(|field| field.field.value.clone()).collect();
        fields.extend(
            below
                .fields
                .into_iter()
                .filter(|field| !said.contains(&field.field.value)),
        );
        Self {
            area: self.area,
            title: self.title.or(below.title),
            thing: self.thing.or(below.thing),
            key: self.key.or(below.key),
            state: self.state.or(below.state),
            ignore: self.ignore.or(below.ignore),
            only: self.only.or(below.only),
            missing: self.missing.or(below.missing),
            added: self.added.or(below.added),
            changed: self.changed.or(below.changed),
            some: self.some.or(below.some),
            fields,
            fewer: self.fewer.or(below.fewer),
            more: self.more.or(below.more),
            expected: self.expected.or(below.expected),
            while_active: self.while_active.or(below.while_active),
            unknown: self.unknown.or(below.unknown),
            remedy: self.remedy.or(below.remedy),
        }
    }
}

/// Reads rules, over others where there are some; or says everything that is wrong with them: at least one thing.
pub(super) fn read(file: &str, text: &str, over: Option<&str>) -> Result<Rules, Vec<RulesError>> {
    let reader = Reader { file };
    let read: RulesFile = serde_saphyr::from_str(text).map_err(|error| vec![reader.unreadable(&error)])?;
    let below = match over {
        Some(text) => serde_saphyr::from_str(text).map_err(|error| vec![reader.unreadable(&error)])?,
        None => RulesFile {
            areas: Vec::new(),
            not_compared: Vec::new(),
        },
    };
    let mut errors = reader.twice(&read);
    let mut said: BTreeMap<String, AreaEntry> = BTreeMap::new();
    let mut order: Vec<String> = below.areas.iter().map(|entry| entry.area.value.clone()).collect();
    for entry in read.areas {
        if !order.contains(&entry.area.value) {
            order.push(entry.area.value.clone());
        }
        said.insert(entry.area.value.clone(), entry);
    }
    for entry in below.areas {
        let name = entry.area.value.clone();
        let entry = match said.remove(&name) {
            Some(own) => own.over(entry),
            None => entry,
        };
        said.insert(name, entry);
    }
    for left_out in &read.not_compared {
        if said.remove(&left_out.area.value).is_none()
            && let Err(astray) = Listing::named(&left_out.area.value)
        {
            errors.push(reader.astray("area", &left_out.area, &left_out.area.value, astray));
        }
    }
    let mut areas = Vec::new();
    for name in order {
        let Some(entry) = said.remove(&name) else { continue };
        match reader.area(entry) {
            Ok(area) => areas.push(area),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() {
        return Ok(Rules { areas });
    }
    errors.sort_by_key(|error| (error.place().line, error.place().column));
    Err(errors)
}

struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    /// The areas that stand there more than once.
    fn twice(&self, read: &RulesFile) -> Vec<RulesError> {
        let compared = read.areas.iter().map(|entry| &entry.area);
        let mut seen = BTreeMap::new();
        let mut errors = Vec::new();
        for area in compared.chain(read.not_compared.iter().map(|entry| &entry.area)) {
            if let Some(first) = seen.insert(area.value.as_str(), area.referenced.line()) {
                let message = format!("area {} stands at line {first} already", area.value);
                errors.push(self.contradiction(area.referenced, message));
            }
        }
        errors
    }

    fn area(&self, entry: AreaEntry) -> Result<AreaRules, Vec<RulesError>> {
        let named = Listing::named(&entry.area.value);
        let listing =
            named.map_err(|astray| vec![self.astray("area", &entry.area, &entry.area.value, astray)])?;
        let mut wrong = Vec::new();
        let key = self.fields(&listing, entry.key.as_deref().unwrap_or_default(), &mut wrong);
        let ignored = self.fields(&listing, entry.ignore.as_deref().unwrap_or_default(), &mut wrong);
        let state = self.fields(&listing, entry.state.as_slice(), &mut wrong).pop();
        let only = entry.only.unwrap_or_default().into_iter();
        let only = only.map(|test| self.test(&listing, test, &mut wrong)).collect();
        let some = entry.some.unwrap_or_default().into_iter();
        let some = some
            .map(|special| self.special(&listing, special, &mut wrong))
            .collect();
        let fields = entry.fields.into_iter();
        let fields = fields
            .map(|field| self.field(&listing, field, &mut wrong))
            .collect();
        let fewer = self.limits(entry.fewer, &mut wrong);
        let more = self.limits(entry.more, &mut wrong);
        let thing = self.thing(&listing, &entry.area, entry.thing.as_ref(), &mut wrong);
        let Some(title) = entry.title.filter(|title| !title.trim().is_empty()) else {
            wrong.push(self.incomplete(&entry.area, "title"));
            return Err(wrong);
        };
        let (Some(thing), true) = (thing, wrong.is_empty()) else {
            return Err(wrong);
        };
        let of_key = |field: &&str| !key.iter().chain(&ignored).any(|other| other == field);
        let compared = listing.own().filter(of_key).map(str::to_owned).collect();
        Ok(AreaRules {
            name: entry.area.value,
            title,
            thing,
            key,
            state,
            compared,
            only,
            missing: entry.missing.unwrap_or(Grade::Look),
            added: entry.added.unwrap_or(Grade::Harmless),
            changed: entry.changed.unwrap_or(Grade::Look),
            some,
            fields,
            fewer,
            more,
            expected: entry.expected.unwrap_or_default(),
            while_active: entry.while_active.unwrap_or_default(),
            unknown: entry.unknown.unwrap_or(Severity::Warn),
            remedy: entry.remedy,
            listing,
        })
    }

    fn thing(
        &self,
        listing: &Listing,
        area: &Spanned<String>,
        entry: Option<&Spanned<String>>,
        wrong: &mut Vec<RulesError>,
    ) -> Option<Name> {
        let Some(entry) = entry else {
            wrong.push(self.incomplete(area, "thing"));
            return None;
        };
        let name = match Name::parse(&entry.value) {
            Ok(name) => name,
            Err(message) => {
                wrong.push(self.contradiction(entry.referenced, message));
                return None;
            }
        };
        for field in name.fields() {
            if let Err(astray) = listing.field(field) {
                wrong.push(self.astray("field", entry, field, astray));
            }
        }
        Some(name)
    }

    /// The names that are fields; the others are mistakes.
    fn fields(
        &self,
        listing: &Listing,
        names: &[Spanned<String>],
        wrong: &mut Vec<RulesError>,
    ) -> Vec<String> {
        let mut fields = Vec::new();
        for name in names {
            match listing.field(&name.value) {
                Ok(_) => fields.push(name.value.clone()),
                Err(astray) => wrong.push(self.astray("field", name, &name.value, astray)),
            }
        }
        fields
    }

    /// Values that a field can have.
    fn values(
        &self,
        listing: &Listing,
        field: &Spanned<String>,
        values: Option<Vec<Spanned<Value>>>,
        wrong: &mut Vec<RulesError>,
    ) -> Option<Vec<Value>> {
        let shape = listing.field(&field.value).ok().map(|field| field.shape.clone());
        let values = values?.into_iter().map(|value| {
            if let Some(shape) = &shape
                && !fits(shape, &value.value)
            {
                let message = format!(
                    "`{}` is {}, never {}",
                    field.value,
                    shape.described(),
                    value.value
                );
                wrong.push(self.contradiction(value.referenced, message));
            }
            value.value
        });
        Some(values.collect())
    }

    fn test(&self, listing: &Listing, entry: TestEntry, wrong: &mut Vec<RulesError>) -> Test {
        self.fields(listing, std::slice::from_ref(&entry.field), wrong);
        if entry.is.is_none() && entry.is_not.is_none() {
            let message = "a condition says what the field `is`, or what it `is_not`".to_owned();
            wrong.push(self.contradiction(entry.field.referenced, message));
        }
        Test {
            is: self.values(listing, &entry.field, entry.is, wrong),
            is_not: self.values(listing, &entry.field, entry.is_not, wrong),
            field: entry.field.value,
        }
    }

    fn special(&self, listing: &Listing, entry: SpecialEntry, wrong: &mut Vec<RulesError>) -> Special {
        let SpecialEntry {
            field,
            is,
            is_not,
            missing,
            added,
            worse,
            unless_left,
        } = entry;
        if missing.is_none() && added.is_none() && worse.is_none() {
            let message = "it says neither what `missing` nor what `added` or `worse` means".to_owned();
            wrong.push(self.contradiction(field.referenced, message));
        }
        if missing.is_none() && unless_left.is_some() {
            let message = "`unless_left` is about what is `missing`".to_owned();
            wrong.push(self.contradiction(field.referenced, message));
        }
        Special {
            unless_left: self.fields(listing, unless_left.as_deref().unwrap_or_default(), wrong),
            test: self.test(listing, TestEntry { field, is, is_not }, wrong),
            missing,
            added,
            worse,
        }
    }

    fn field(
        &self,
        listing: &Listing,
        entry: FieldEntry,
        wrong: &mut Vec<RulesError>,
    ) -> (String, FieldRule) {
        let own = self
            .fields(listing, std::slice::from_ref(&entry.field), wrong)
            .pop();
        let shape = own
            .and_then(|name| listing.field(&name).ok())
            .map(|field| field.shape.present());
        let limited = entry.falls.is_some() || entry.rises.is_some();
        if limited && shape.is_some_and(|shape| !matches!(shape, Shape::Number)) {
            let message = format!("`{}` is no number, so it has no limits", entry.field.value);
            wrong.push(self.contradiction(entry.field.referenced, message));
        }
        if entry.good.is_none() && (entry.worse.is_some() || entry.better.is_some()) {
            let message = "`worse` and `better` need to know what is `good`".to_owned();
            wrong.push(self.contradiction(entry.field.referenced, message));
        }
        if entry.good.is_none()
            && let Some(due) = &entry.due
        {
            let message = "`due` needs to know what is `good` until then".to_owned();
            wrong.push(self.contradiction(due.referenced, message));
        }
        let rule = FieldRule {
            called: entry.called,
            due: self.fields(listing, entry.due.as_slice(), wrong).pop(),
            untold: entry.untold,
            good: self.values(listing, &entry.field, entry.good, wrong),
            worse: entry.worse,
            better: entry.better,
            changed: entry.changed,
            falls: entry.falls.map(|limits| self.limits(Some(limits), wrong)),
            rises: entry.rises.map(|limits| self.limits(Some(limits), wrong)),
            hop: entry.hop,
        };
        (entry.field.value, rule)
    }

    fn limits(&self, entry: Option<LimitsEntry>, wrong: &mut Vec<RulesError>) -> Limits {
        let mut read = |text: Option<Spanned<String>>| -> Option<Limit> {
            let text = text?;
            let limit = text.value.parse();
            limit
                .map_err(|message| wrong.push(self.contradiction(text.referenced, message)))
                .ok()
        };
        entry.map_or_else(Limits::default, |entry| Limits {
            look: read(entry.look),
            stop: read(entry.stop),
        })
    }

    fn incomplete(&self, area: &Spanned<String>, key: &str) -> RulesError {
        let message = format!("area {} has no `{key}`", area.value);
        self.contradiction(area.referenced, message)
    }

    fn astray(&self, kind: &'static str, at: &Spanned<String>, whole: &str, astray: Astray) -> RulesError {
        let place = Place::at(self.file, at.referenced);
        RulesError::UnknownName {
            place,
            kind,
            name: if astray.nearest.is_empty() {
                whole.to_owned()
            } else {
                astray.part
            },
            nearest: astray.nearest,
        }
    }

    fn contradiction(&self, place: Location, message: String) -> RulesError {
        RulesError::Contradiction {
            place: Place::at(self.file, place),
            message,
        }
    }

    fn unreadable(&self, error: &serde_saphyr::Error) -> RulesError {
        let place = Place::at(self.file, error.location().unwrap_or(Location::UNKNOWN));
        match Unreadable::of(error) {
            Unreadable::Unknown { kind, name, nearest } => RulesError::UnknownName {
                place,
                kind,
                name,
                nearest,
            },
            Unreadable::Other(message) => RulesError::Unreadable { place, message },
        }
    }
}

/// Whether a field that looks so can have this value.
fn fits(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Optional(_), Value::Null) | (Shape::Any, _) => true,
        (Shape::Optional(inner), _) => fits(inner, value),
        (Shape::Words(words), Value::String(text)) => words.contains(&text.as_str()),
        (Shape::Text, Value::String(_))
        | (Shape::Number, Value::Number(_))
        | (Shape::YesNo, Value::Bool(_))
        | (Shape::Nothing, Value::Null) => true,
        (Shape::List(of), Value::Array(items)) => items.iter().all(|item| fits(of, item)),
        _ => false,
    }
}
