//! The YAML of a playbook: its shape, and every reason to refuse it.
//!
//! Responsible for: strict reading (an unknown key, area, function or variable is an error, with the nearest right name),
//! and compiling each expression. Must not know: facts' values, or what a check will find.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hopgate_paths::nearest_names;
use serde::Deserialize;
use serde_saphyr::{Location, RenderOptions, SnippetMode, Spanned};
use thiserror::Error;

use super::Playbook;
use crate::check::{Check, ForEach};
use crate::expression::{Expression, Need, NoSuchNeed};
use crate::finding::{Mode, Severity};
use crate::message::Message;

/// What the element of a `for_each` is called where the check does not say.
const ITEM: &str = "item";

/// Where in a playbook. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The playbook's file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}, column {}", self.file, self.line, self.column)
    }
}

/// A playbook that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlaybookError {
    /// It is not YAML, misses a key, or has a value of the wrong kind.
    #[error("reading playbook {place}: {message}")]
    Unreadable {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
    },
    /// A key or a word that does not exist.
    #[error("reading playbook {place}: unknown {kind} `{name}`; the nearest is `{nearest}`")]
    UnknownName {
        /// Where.
        place: Place,
        /// What it should be: a key, a value, an area.
        kind: &'static str,
        /// What was written.
        name: String,
        /// The nearest that exists.
        nearest: String,
    },
    /// An expression that does not compile.
    #[error("reading playbook {place}: check {check}, `{key}: {expression}`: {message}")]
    Expression {
        /// Where.
        place: Place,
        /// The check.
        check: String,
        /// The key it stands under.
        key: &'static str,
        /// The expression, or the message that holds it.
        expression: String,
        /// What is wrong with it.
        message: String,
    },
    /// A check, or a playbook, that contradicts itself.
    #[error("checking playbook {place}: {message}")]
    Contradiction {
        /// Where.
        place: Place,
        /// How.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaybookFile {
    playbook: Spanned<String>,
    title: String,
    checks: Vec<CheckEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckEntry {
    id: Spanned<String>,
    title: String,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    when: Option<Spanned<String>>,
    for_each: Option<Spanned<String>>,
    #[serde(rename = "as")]
    item: Option<Spanned<String>>,
    fail_when: Spanned<String>,
    severity: Severity,
    #[serde(default)]
    mode: Mode,
    message: Spanned<String>,
    subject: Option<Spanned<String>>,
    remedy: Option<String>,
    link: Option<String>,
}

pub(super) fn parse(file: &str, text: &str) -> Result<Playbook, PlaybookError> {
    let reader = Reader { file };
    let read: PlaybookFile = serde_saphyr::from_str(text).map_err(|error| reader.unreadable(&error))?;
    if !is_name(&read.playbook.value) {
        return Err(reader.contradiction(
            read.playbook.referenced,
            "the name is not made of letters, digits and dashes",
        ));
    }
    if read.checks.is_empty() {
        // An empty playbook would open every gate it stands at.
        return Err(reader.contradiction(
            read.playbook.referenced,
            "a playbook without checks would let everything pass",
        ));
    }
    let mut seen = BTreeMap::new();
    for check in &read.checks {
        let place = check.id.referenced;
        if !is_name(&check.id.value) {
            return Err(reader.contradiction(place, "the id is not made of letters, digits and dashes"));
        }
        if let Some(first) = seen.insert(check.id.value.as_str(), place.line()) {
            let message = format!("check {} stands at line {first} already", check.id.value);
            return Err(reader.contradiction(place, &message));
        }
    }
    drop(seen);
    let checks = read
        .checks
        .into_iter()
        .map(|entry| reader.check(entry))
        .collect::<Result<_, _>>()?;
    Ok(Playbook {
        name: read.playbook.value,
        title: read.title,
        checks,
    })
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(letter)
}

struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    fn place(&self, location: Location) -> Place {
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Place {
            file: self.file.to_owned(),
            line: count(location.line()),
            column: count(location.column()),
        }
    }

    fn check(&self, entry: CheckEntry) -> Result<Check, PlaybookError> {
        let id = entry.id.value.as_str();
        let needs = self.needs(&entry.needs)?;
        let item = self.item(&entry)?;
        let item = item.as_deref();
        let whole = |key, text: &Option<Spanned<String>>| {
            text.as_ref()
                .map(|text| self.expression(id, key, text, None))
                .transpose()
        };
        let when = whole("when", &entry.when)?;
        let list = whole("for_each", &entry.for_each)?;
        let fail_when = self.expression(id, "fail_when", &entry.fail_when, item)?;
        let subject = entry
            .subject
            .as_ref()
            .map(|text| self.expression(id, "subject", text, item))
            .transpose()?;
        let message = Message::parse(&entry.message.value, item)
            .map_err(|problem| self.wrong_expression(id, "message", &entry.message, problem))?;
        let used = [when.as_ref(), list.as_ref(), Some(&fail_when), subject.as_ref()];
        for expression in used.into_iter().flatten().chain(message.expressions()) {
            self.declared(&entry.id, &needs, expression)?;
        }
        let for_each = list
            .zip(item.map(str::to_owned))
            .map(|(list, item)| ForEach { list, item });
        Ok(Check {
            id: entry.id.value,
            title: entry.title,
            needs,
            when,
            for_each,
            fail_when,
            subject,
            severity: entry.severity,
            mode: entry.mode,
            message,
            remedy: entry.remedy,
            link: entry.link,
        })
    }

    fn needs(&self, entries: &[Spanned<String>]) -> Result<BTreeSet<Need>, PlaybookError> {
        let read = |entry: &Spanned<String>| {
            entry
                .value
                .parse()
                .map_err(|NoSuchNeed { nearest }| PlaybookError::UnknownName {
                    place: self.place(entry.referenced),
                    kind: "area",
                    name: entry.value.clone(),
                    nearest,
                })
        };
        entries.iter().map(read).collect()
    }

    /// The name of the element, where there is a `for_each`.
    fn item(&self, entry: &CheckEntry) -> Result<Option<String>, PlaybookError> {
        match (&entry.for_each, &entry.item) {
            (None, None) => Ok(None),
            (Some(_), None) => Ok(Some(ITEM.to_owned())),
            (None, Some(item)) => Err(self.contradiction(
                item.referenced,
                "`as` names the element of a `for_each`, and there is none",
            )),
            (Some(_), Some(item)) => {
                let plain = item
                    .value
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                if !plain || item.value.is_empty() || item.value.parse::<Need>().is_ok() {
                    let message =
                        "`as` must be made of small letters and underscores, and not be the name of an area";
                    return Err(self.contradiction(item.referenced, message));
                }
                Ok(Some(item.value.clone()))
            }
        }
    }

    fn expression(
        &self,
        check: &str,
        key: &'static str,
        text: &Spanned<String>,
        item: Option<&str>,
    ) -> Result<Expression, PlaybookError> {
        Expression::compile(text.value.trim(), item)
            .map_err(|problem| self.wrong_expression(check, key, text, problem))
    }

    /// Every area an expression uses has to be declared, or a missing one would be an error instead of "cannot tell".
    /// The hop alone may be used undeclared: it is then nothing (`null`) where none is planned.
    fn declared(
        &self,
        id: &Spanned<String>,
        needs: &BTreeSet<Need>,
        expression: &Expression,
    ) -> Result<(), PlaybookError> {
        let undeclared = expression
            .needs()
            .difference(needs)
            .find(|need| **need != Need::Hop);
        match undeclared {
            None => Ok(()),
            Some(need) => {
                let message = format!(
                    "check {} uses `{}` and does not list it under `needs`: `{}`",
                    id.value,
                    need.name(),
                    expression.source()
                );
                Err(self.contradiction(id.referenced, &message))
            }
        }
    }

    fn wrong_expression(
        &self,
        check: &str,
        key: &'static str,
        text: &Spanned<String>,
        message: String,
    ) -> PlaybookError {
        PlaybookError::Expression {
            place: self.place(text.referenced),
            check: check.to_owned(),
            key,
            expression: text.value.trim().to_owned(),
            message,
        }
    }

    fn contradiction(&self, place: Location, message: &str) -> PlaybookError {
        PlaybookError::Contradiction {
            place: self.place(place),
            message: message.to_owned(),
        }
    }

    fn unreadable(&self, error: &serde_saphyr::Error) -> PlaybookError {
        let place = self.place(error.location().unwrap_or(Location::UNKNOWN));
        let unknown = |kind, name: &str, expected: &[&'static str]| PlaybookError::UnknownName {
            place: place.clone(),
            kind,
            name: name.to_owned(),
            nearest: nearest_names(name, expected.iter().copied(), 1).join(", "),
        };
        match error.without_snippet() {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => unknown("key", field, expected),
            serde_saphyr::Error::SerdeUnknownVariant {
                variant, expected, ..
            } => unknown("value", variant, expected),
            other => {
                let mut plain = RenderOptions::default();
                plain.snippets = SnippetMode::Off;
                let said = other.render_with_options(plain);
                // The place stands in front already.
                let message = said.split(" at line ").next().unwrap_or_default().to_owned();
                PlaybookError::Unreadable { place, message }
            }
        }
    }
}
