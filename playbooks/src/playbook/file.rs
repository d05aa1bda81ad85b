//! The YAML of a playbook: its shape, and every reason to refuse it.
//!
//! Responsible for: strict reading (an unknown key, area, function or variable is an error, with the nearest right name),
//! and compiling each expression. Must not know: facts' values, or what a check will find.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hopgate_paths::nearest_names;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::mistake::{Place, PlaybookError, Unreadable};
use super::{Playbook, Template, spot};
use crate::ask::{self, Ask, Reading, Word};
use crate::check::{Check, ForEach};
use crate::expression::{Expression, Need, Problem, Scope};
use crate::finding::{Mode, Severity};
use crate::message::Message;
use crate::setting::Setting;
use crate::shape::Shape;

/// What the element of a `for_each` is called where the check does not say.
const ITEM: &str = "item";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaybookFile {
    playbook: Spanned<String>,
    title: String,
    #[serde(default)]
    params: BTreeMap<String, Spanned<Setting>>,
    #[serde(default)]
    ask: BTreeMap<String, Spanned<AskEntry>>,
    checks: Vec<CheckEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskEntry {
    command: Option<Spanned<String>>,
    config: Option<Spanned<String>>,
    read: Spanned<String>,
    columns: Option<Vec<String>>,
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

/// Reads a playbook, or says everything that is wrong with it: at least one thing. What cannot be read as YAML at all
/// has one mistake.
pub(super) fn read(file: &str, text: &str) -> Result<Playbook, Vec<PlaybookError>> {
    let reader = Reader { file, text };
    let read: PlaybookFile = serde_saphyr::from_str(text).map_err(|error| vec![reader.unreadable(&error)])?;
    let mut errors = reader.outline(&read);
    let settings = reader.settings(read.params, &mut errors);
    // A question that is refused is one mistake: whoever uses it makes no other.
    let asked = read.ask.keys().map(|name| Arc::from(name.as_str())).collect();
    let asks = reader.asks(read.ask, &settings, &mut errors);
    let scope = Scope {
        item: None,
        params: Shape::record(settings.iter().map(|(name, value)| (name.clone(), value.shape()))),
        asks: asked,
    };
    let mut checks = Vec::new();
    for entry in read.checks {
        match reader.check(entry, &scope) {
            Ok(check) => checks.push(check),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| (error.place().line, error.place().column));
        return Err(errors);
    }
    Ok(Playbook {
        name: read.playbook.value,
        title: read.title,
        settings,
        asks,
        checks,
    })
}

/// What was read, or nothing and one more mistake.
fn keep<T>(read: Result<T, PlaybookError>, errors: &mut Vec<PlaybookError>) -> Option<T> {
    read.map_err(|error| errors.push(error)).ok()
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(letter)
}

/// A name that an expression can use.
fn is_variable(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(letter)
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn place(&self, location: Location) -> Place {
        Place::at(self.file, location)
    }

    /// Where a word stands in the text that begins at a place; that place, where it is not found as it is.
    fn place_of(&self, begins: Location, word: &str) -> Place {
        let begins = self.place(begins);
        spot::of_word(self.text, &begins, word).unwrap_or(begins)
    }

    /// What is wrong with the names in it.
    fn outline(&self, read: &PlaybookFile) -> Vec<PlaybookError> {
        let mut errors = Vec::new();
        let mut wrong = |place, message: &str| errors.push(self.contradiction(place, message));
        let place = read.playbook.referenced;
        if !is_name(&read.playbook.value) {
            wrong(place, "the name is not made of letters, digits and dashes");
        }
        if read.checks.is_empty() {
            // An empty playbook would open every gate it stands at.
            wrong(place, "a playbook without checks would let everything pass");
        }
        let mut seen = BTreeMap::new();
        for check in &read.checks {
            let place = check.id.referenced;
            if !is_name(&check.id.value) {
                wrong(place, "the id is not made of letters, digits and dashes");
            }
            if let Some(first) = seen.insert(check.id.value.as_str(), place.line()) {
                wrong(
                    place,
                    &format!("check {} stands at line {first} already", check.id.value),
                );
            }
        }
        errors
    }

    fn settings(
        &self,
        entries: BTreeMap<String, Spanned<Setting>>,
        errors: &mut Vec<PlaybookError>,
    ) -> BTreeMap<String, Setting> {
        let (mut settings, misnamed): (BTreeMap<_, _>, BTreeMap<_, _>) =
            entries.into_iter().partition(|(name, _)| is_variable(name));
        for (name, value) in misnamed {
            let message = format!("`{name}`: a setting is named with small letters, digits and underscores");
            errors.push(self.contradiction(value.referenced, &message));
            // One mistake, and none wherever it is used. One that has its right name already is not offered under the wrong one.
            if !settings.contains_key(&name.to_lowercase()) {
                settings.insert(name, value);
            }
        }
        let plain = |(name, value): (String, Spanned<Setting>)| (name, value.value);
        settings.into_iter().map(plain).collect()
    }

    fn asks(
        &self,
        entries: BTreeMap<String, Spanned<AskEntry>>,
        settings: &BTreeMap<String, Setting>,
        errors: &mut Vec<PlaybookError>,
    ) -> BTreeMap<Arc<str>, Template> {
        let mut asks = BTreeMap::new();
        for (name, entry) in entries {
            if !is_variable(&name) || Scope::bare().takes(&name) {
                let message = format!(
                    "`{name}`: a question is named with small letters, digits and underscores, and not like an area"
                );
                errors.push(self.contradiction(entry.referenced, &message));
            }
            match self.ask(entry.referenced, entry.value, settings) {
                Ok(template) => {
                    asks.insert(Arc::from(name), template);
                }
                Err(error) => errors.push(error),
            }
        }
        asks
    }

    fn ask(
        &self,
        place: Location,
        entry: AskEntry,
        settings: &BTreeMap<String, Setting>,
    ) -> Result<Template, PlaybookError> {
        let is_table = entry.read.value == "table";
        if entry.columns.is_some() && !is_table {
            return Err(self.contradiction(entry.read.referenced, "`columns` are those of a `table`"));
        }
        let reading = Reading::by_name(&entry.read.value, entry.columns.unwrap_or_default());
        let reading = reading.map_err(|nearest| PlaybookError::UnknownName {
            place: self.place(entry.read.referenced),
            kind: "reading",
            name: entry.read.value.clone(),
            nearest,
        })?;
        let wrong = |text: &Spanned<String>| {
            let place = text.referenced;
            move |message: String| self.contradiction(place, &message)
        };
        match (&entry.command, &entry.config) {
            (Some(command), None) if command.value.trim_start().starts_with('<') => ask::xml(&command.value)
                .map(|ask| Template::Fixed(ask.read_as(reading)))
                .map_err(wrong(command)),
            (Some(command), None) => {
                let words = ask::words(&command.value).map_err(wrong(command))?;
                for word in &words {
                    if let Word::Setting(name) = word
                        && !settings.contains_key(name)
                    {
                        return Err(PlaybookError::UnknownName {
                            place: self.place_of(command.referenced, name),
                            kind: "setting",
                            name: name.clone(),
                            nearest: nearest_names(name, settings.keys().map(String::as_str), 1).join(", "),
                        });
                    }
                }
                if words.iter().any(|word| matches!(word, Word::Setting(_))) {
                    return Ok(Template::Open(words, reading));
                }
                Ask::command(&words, reading)
                    .map(Template::Fixed)
                    .map_err(wrong(command))
            }
            (None, Some(xpath)) => Ask::configuration(&xpath.value, reading)
                .map(Template::Fixed)
                .map_err(wrong(xpath)),
            (Some(_), Some(_)) | (None, None) => {
                Err(self.contradiction(place, "a question is either a `command` or a path under `config`"))
            }
        }
    }

    fn check(&self, entry: CheckEntry, scope: &Scope) -> Result<Check, Vec<PlaybookError>> {
        let id = entry.id.value.as_str();
        let mut errors = Vec::new();
        let needs = keep(self.needs(&entry.needs, scope), &mut errors);
        let needs_are_read = needs.is_some();
        let needs = needs.unwrap_or_default();
        let item = self.item(&entry, scope);
        // Under a name that is refused stands anything: it is one mistake, and none wherever it is used.
        let refused = entry.item.as_ref().filter(|_| item.is_err());
        let refused = refused.map(|item| (item.value.clone(), Shape::Any));
        let item = keep(item, &mut errors).flatten();
        let mut compiled = |key, text: &Spanned<String>, scope: &Scope| {
            keep(self.expression(id, key, text, scope), &mut errors)
        };
        let when = entry.when.as_ref().and_then(|text| compiled("when", text, scope));
        let list = entry
            .for_each
            .as_ref()
            .and_then(|text| compiled("for_each", text, scope));
        let element = list.as_ref().map_or(Shape::Any, |list| list.shape().element());
        let inner = scope.within(item.clone().map(|item| (item, element)).or(refused));
        let fail_when = compiled("fail_when", &entry.fail_when, &inner);
        let subject = entry
            .subject
            .as_ref()
            .and_then(|text| compiled("subject", text, &inner));
        let message = Message::parse(&entry.message.value, &inner)
            .map_err(|problem| self.wrong_expression(id, "message", &entry.message, problem));
        let message = keep(message, &mut errors);
        let used = [when.as_ref(), list.as_ref(), fail_when.as_ref(), subject.as_ref()];
        let messages = message.iter().flat_map(Message::expressions);
        // Where a name under `needs` is wrong, what else is missing there is not told from it.
        for expression in used
            .into_iter()
            .flatten()
            .chain(messages)
            .filter(|_| needs_are_read)
        {
            keep(self.declared(&entry.id, &needs, expression), &mut errors);
        }
        let (Some(fail_when), Some(message), true) = (fail_when, message, errors.is_empty()) else {
            return Err(errors);
        };
        let for_each = list.zip(item).map(|(list, item)| ForEach { list, item });
        Ok(Check {
            id: entry.id.value.into(),
            title: entry.title.into(),
            needs,
            when,
            for_each,
            fail_when,
            subject,
            severity: entry.severity,
            mode: entry.mode,
            message,
            remedy: entry.remedy.map(Into::into),
            link: entry.link.map(Into::into),
        })
    }

    fn needs(&self, entries: &[Spanned<String>], scope: &Scope) -> Result<BTreeSet<Need>, PlaybookError> {
        let read = |entry: &Spanned<String>| {
            let need = scope.need(&entry.value);
            need.ok_or_else(|| PlaybookError::UnknownName {
                place: self.place(entry.referenced),
                kind: "area",
                name: entry.value.clone(),
                nearest: scope.nearest_need(&entry.value),
            })
        };
        entries.iter().map(read).collect()
    }

    /// The name of the element, where there is a `for_each`.
    fn item(&self, entry: &CheckEntry, scope: &Scope) -> Result<Option<String>, PlaybookError> {
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
                if !plain || item.value.is_empty() || scope.takes(&item.value) {
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
        scope: &Scope,
    ) -> Result<Expression, PlaybookError> {
        let compiled = Expression::compile(text.value.trim(), scope).and_then(|expression| {
            let wanted = match key {
                "when" | "fail_when" => (Shape::YesNo, "true or false"),
                "for_each" => (Shape::list(Shape::Any), "a list"),
                _ => return Ok(expression),
            };
            let shape = expression.shape();
            if matches!(shape, Shape::Any) || shape.kind() == wanted.0.kind() {
                return Ok(expression);
            }
            Err(Problem::from(format!("it is {}, not {}", shape.kind(), wanted.1)))
        });
        let blanks = text.value.len() - text.value.trim_start().len();
        compiled.map_err(|problem| self.wrong_expression(check, key, text, problem.within(blanks)))
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
        problem: Problem,
    ) -> PlaybookError {
        let begins = self.place(text.referenced);
        let place = match (&problem.word, problem.at) {
            (Some(word), _) => spot::of_word(self.text, &begins, word),
            (None, Some(at)) => spot::of_letter(self.text, &begins, &text.value, at),
            (None, None) => None,
        };
        PlaybookError::Expression {
            place: place.unwrap_or(begins),
            check: check.to_owned(),
            key,
            expression: text.value.split_whitespace().collect::<Vec<_>>().join(" "),
            message: problem.message,
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
        match Unreadable::of(error) {
            Unreadable::Unknown { kind, name, nearest } => PlaybookError::UnknownName {
                place,
                kind,
                name,
                nearest,
            },
            Unreadable::Other(message) => PlaybookError::Unreadable { place, message },
        }
    }
}
