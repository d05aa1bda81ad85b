//! The YAML of a playbook: its shape, and every reason to refuse it.
//!
//! Responsible for: strict reading (an unknown key, area, function or variable is an error, with the nearest right name),
//! and compiling each expression. Must not know: facts' values, or what a check will find.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hopgate_paths::nearest_names;
use serde_saphyr::{Location, Spanned};

use super::mistake::{Place, PlaybookError, Unreadable};
use super::written::{CheckEntry, PlaybookFile};
use super::{Playbook, spot};
use crate::check::{Check, ForEach};
use crate::expression::{Expression, Need, Problem, Scope};
use crate::finding::{Mode, Severity};
use crate::message::Message;
use crate::shape::Shape;

/// What the element of a `for_each` is called where the check does not say.
const ITEM: &str = "item";

/// The words of a severity.
pub(super) const SEVERITIES: [(&str, Severity); 3] = [
    ("info", Severity::Info),
    ("warn", Severity::Warn),
    ("block", Severity::Block),
];

/// The words of a mode.
pub(super) const MODES: [(&str, Mode); 2] = [("observe", Mode::Observe), ("enforce", Mode::Enforce)];

/// Keys that may have nothing under them, as nothing is a list or a map without an element. Under any other it is most
/// often a text that YAML takes for something else: `when: !system.multi_vsys` would be a check that always applies.
const MAY_BE_EMPTY: [&str; 4] = ["params", "ask", "needs", "columns"];

/// Reads a playbook, or says everything that is wrong with it: at least one thing. What is no YAML, or has a value of
/// another kind than its key takes, has one mistake.
pub(super) fn read(file: &str, text: &str) -> Result<Playbook, Vec<PlaybookError>> {
    let reader = Reader { file, text };
    let read: Spanned<PlaybookFile> =
        serde_saphyr::from_str(text).map_err(|error| vec![reader.unreadable(&error)])?;
    let (begins, read) = (read.referenced, read.value);
    let wrong = [&*read.unknown, &*read.empty];
    let mut errors = reader.wrong_keys(PlaybookFile::KEYS, wrong);
    let wants = Wants::of(&reader, "the playbook", begins, PlaybookFile::KEYS, wrong);
    let name = wants.one("playbook", read.playbook, &mut errors);
    let title = wants.one("title", read.title, &mut errors);
    let checks = wants.one("checks", read.checks, &mut errors);
    reader.outline(begins, name.as_ref(), checks.as_deref(), &mut errors);
    let settings = reader.settings(read.params.unwrap_or_default(), &mut errors);
    let asks = read.ask.unwrap_or_default();
    // A question that is refused is one mistake: whoever uses it makes no other.
    let asked = asks.keys().map(|name| Arc::from(name.as_str())).collect();
    let asks = reader.asks(asks, &settings, &mut errors);
    let scope = Scope {
        item: None,
        params: Shape::record(settings.iter().map(|(name, value)| (name.clone(), value.shape()))),
        asks: asked,
    };
    let mut read = Vec::new();
    for (at, entry) in checks.unwrap_or_default().into_iter().enumerate() {
        read.extend(reader.check(at + 1, entry, &scope, &mut errors));
    }
    let (Some(name), Some(title), true) = (name, title, errors.is_empty()) else {
        errors.sort_by_key(|error| (error.place().line, error.place().column));
        return Err(errors);
    };
    Ok(Playbook {
        name: name.value,
        title,
        settings,
        asks,
        checks: read,
    })
}

/// What has to stand in a part of the file.
pub(super) struct Wants<'w> {
    reader: &'w Reader<'w>,
    part: &'w str,
    begins: Location,
    /// The keys that were most likely meant by those that do not exist: they are not said to be missing too.
    meant: Vec<&'static str>,
    empty: &'w [Spanned<String>],
}

impl<'w> Wants<'w> {
    pub(super) fn of(
        reader: &'w Reader<'w>,
        part: &'w str,
        begins: Location,
        keys: &'static [&'static str],
        [unknown, empty]: [&'w [Spanned<String>]; 2],
    ) -> Self {
        let first = |word: &str| word.chars().next().map(|letter| letter.to_ascii_lowercase());
        let meant = unknown.iter().flat_map(|key| {
            let mut nearest = nearest_names(&key.value, keys.iter().copied(), 1);
            // There is always a nearest one, and it need not be near. Few miss the first letter of a word.
            nearest.retain(|nearest| first(nearest) == first(&key.value));
            nearest
        });
        Self {
            reader,
            part,
            begins,
            meant: meant.collect(),
            empty,
        }
    }

    /// Whether one of these keys was meant.
    pub(super) fn meant(&self, keys: &[&str]) -> bool {
        self.meant.iter().any(|meant| keys.contains(meant))
    }

    /// What stands under a key; one more mistake, where nothing does.
    pub(super) fn one<T>(&self, key: &str, value: Option<T>, errors: &mut Vec<PlaybookError>) -> Option<T> {
        let is_empty = self.empty.iter().any(|empty| empty.value == key);
        if value.is_none() && !is_empty && !self.meant(&[key]) {
            errors.push(PlaybookError::Unreadable {
                place: self.reader.place(self.begins),
                message: format!("{} has no `{key}`", self.part),
            });
        }
        value
    }
}

/// The expressions of a check, and what they need.
struct Compiled {
    needs: BTreeSet<Need>,
    when: Option<Expression>,
    for_each: Option<ForEach>,
    fail_when: Expression,
    subject: Option<Expression>,
    message: Message,
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
pub(super) fn is_variable(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(letter)
}

/// A word that stands for something.
fn worded<T: Copy>(words: &[(&'static str, T)], written: &str) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == written);
    found
        .map(|(_, meant)| *meant)
        .ok_or_else(|| nearest_names(written, words.iter().map(|(word, _)| *word), 1).join(", "))
}

/// A file that is read.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    pub(super) fn place(&self, location: Location) -> Place {
        Place::at(self.file, location)
    }

    /// Where a word stands in the text that begins at a place; that place, where it is not found as it is.
    pub(super) fn place_of(&self, begins: Location, word: &str) -> Place {
        let begins = self.place(begins);
        spot::of_word(self.text, &begins, word).unwrap_or(begins)
    }

    /// The keys that do not exist, and those with nothing under them.
    pub(super) fn wrong_keys(
        &self,
        keys: &'static [&'static str],
        [unknown, empty]: [&[Spanned<String>]; 2],
    ) -> Vec<PlaybookError> {
        let told = unknown.iter().map(|key| {
            let nearest = nearest_names(&key.value, keys.iter().copied(), 1).join(", ");
            self.unknown_name("key", key, nearest)
        });
        let empty = empty
            .iter()
            .filter(|key| !MAY_BE_EMPTY.contains(&key.value.as_str()));
        let empty = empty.map(|key| PlaybookError::Unreadable {
            place: self.place(key.referenced),
            message: format!(
                "nothing stands under `{}`; what begins with `!`, `&` or `#` stands in quotes",
                key.value
            ),
        });
        told.chain(empty).collect()
    }

    pub(super) fn unknown_name(
        &self,
        kind: &'static str,
        name: &Spanned<String>,
        nearest: String,
    ) -> PlaybookError {
        PlaybookError::UnknownName {
            place: self.place(name.referenced),
            kind,
            name: name.value.clone(),
            nearest,
        }
    }

    /// What is wrong with the names in it.
    fn outline(
        &self,
        begins: Location,
        name: Option<&Spanned<String>>,
        checks: Option<&[Spanned<CheckEntry>]>,
        errors: &mut Vec<PlaybookError>,
    ) {
        let mut wrong = |place, message: &str| errors.push(self.contradiction(place, message));
        if let Some(name) = name.filter(|name| !is_name(&name.value)) {
            wrong(
                name.referenced,
                "the name is not made of letters, digits and dashes",
            );
        }
        if checks.is_some_and(<[_]>::is_empty) {
            // An empty playbook would open every gate it stands at.
            wrong(
                name.map_or(begins, |name| name.referenced),
                "a playbook without checks would let everything pass",
            );
        }
        let mut seen = BTreeMap::new();
        let ids = checks.unwrap_or_default().iter();
        for id in ids.filter_map(|check| check.value.id.as_ref()) {
            let place = id.referenced;
            if !is_name(&id.value) {
                wrong(place, "the id is not made of letters, digits and dashes");
            }
            if let Some(first) = seen.insert(id.value.as_str(), place.line()) {
                wrong(
                    place,
                    &format!("check {} stands at line {first} already", id.value),
                );
            }
        }
    }

    /// A check; none where it has mistakes, which then are told. `number` counts from 1: what one without an id is
    /// called by.
    fn check(
        &self,
        number: usize,
        entry: Spanned<CheckEntry>,
        scope: &Scope,
        errors: &mut Vec<PlaybookError>,
    ) -> Option<Check> {
        let (begins, entry) = (entry.referenced, entry.value);
        let before = errors.len();
        let id = entry
            .id
            .as_ref()
            .map_or(format!("#{number}"), |id| id.value.clone());
        let part = format!("check {id}");
        let named = entry.id.as_ref().map_or(begins, |id| id.referenced);
        let wrong = [&*entry.unknown, &*entry.empty];
        errors.extend(self.wrong_keys(CheckEntry::KEYS, wrong));
        let wants = Wants::of(self, &part, named, CheckEntry::KEYS, wrong);
        wants.one("id", entry.id.as_ref(), errors);
        let title = wants.one("title", entry.title.clone(), errors);
        let severity = wants.one("severity", entry.severity.as_ref(), errors);
        let severity = severity.and_then(|word| self.word(&SEVERITIES, word, errors));
        let mode = match &entry.mode {
            Some(word) => self.word(&MODES, word, errors),
            None => Some(Mode::default()),
        };
        wants.one("fail_when", entry.fail_when.as_ref(), errors);
        wants.one("message", entry.message.as_ref(), errors);
        let compiled = self.compiled(&id, named, &entry, scope, errors);
        let compiled = compiled.filter(|_| errors.len() == before)?;
        Some(Check {
            id: id.into(),
            title: title?.into(),
            needs: compiled.needs,
            when: compiled.when,
            for_each: compiled.for_each,
            fail_when: compiled.fail_when,
            subject: compiled.subject,
            severity: severity?,
            mode: mode?,
            message: compiled.message,
            remedy: entry.remedy.map(Into::into),
            link: entry.link.map(Into::into),
        })
    }

    /// What a word stands for.
    fn word<T: Copy>(
        &self,
        words: &[(&'static str, T)],
        written: &Spanned<String>,
        errors: &mut Vec<PlaybookError>,
    ) -> Option<T> {
        let found = worded(words, &written.value);
        keep(
            found.map_err(|nearest| self.unknown_name("value", written, nearest)),
            errors,
        )
    }

    /// The expressions of a check. None where what it cannot do without is missing or wrong; every mistake is told.
    fn compiled(
        &self,
        id: &str,
        place: Location,
        entry: &CheckEntry,
        scope: &Scope,
        errors: &mut Vec<PlaybookError>,
    ) -> Option<Compiled> {
        let (needs, wrong_needs) = self.needs(entry.needs.as_deref().unwrap_or_default(), scope);
        let needs_are_read = wrong_needs.is_empty();
        errors.extend(wrong_needs);
        let item = self.item(entry, scope);
        // Under a name that is refused stands anything: it is one mistake, and none wherever it is used.
        let refused = entry.item.as_ref().filter(|_| item.is_err());
        let refused = refused.map(|item| (item.value.clone(), Shape::Any));
        let item = keep(item, errors).flatten();
        let mut compiled = |key, text: Option<&Spanned<String>>, scope: &Scope| {
            let compiled = self.expression(id, key, text?, scope);
            compiled.map_err(|wrong| errors.extend(wrong)).ok()
        };
        let when = compiled("when", entry.when.as_ref(), scope);
        let list = compiled("for_each", entry.for_each.as_ref(), scope);
        let element = list.as_ref().map_or(Shape::Any, |list| list.shape().element());
        let inner = scope.within(item.clone().map(|item| (item, element)).or(refused));
        let fail_when = compiled("fail_when", entry.fail_when.as_ref(), &inner);
        let subject = compiled("subject", entry.subject.as_ref(), &inner);
        let message = entry.message.as_ref().and_then(|text| {
            let message = Message::parse(&text.value, &inner);
            let wrong = |problems| errors.extend(self.wrong_expression(id, "message", text, problems));
            message.map_err(wrong).ok()
        });
        let used = [when.as_ref(), list.as_ref(), fail_when.as_ref(), subject.as_ref()];
        let messages = message.iter().flat_map(Message::expressions);
        let used = used.into_iter().flatten().chain(messages);
        // Where a name under `needs` is wrong, what else is missing there is not told from it.
        let undeclared = self.undeclared(id, place, &needs, used);
        errors.extend(undeclared.into_iter().filter(|_| needs_are_read));
        Some(Compiled {
            needs,
            when,
            for_each: list.zip(item).map(|(list, item)| ForEach { list, item }),
            fail_when: fail_when?,
            subject,
            message: message?,
        })
    }

    /// What a check cannot do without, and the names that are none.
    fn needs(&self, entries: &[Spanned<String>], scope: &Scope) -> (BTreeSet<Need>, Vec<PlaybookError>) {
        let (mut needs, mut wrong) = (BTreeSet::new(), Vec::new());
        for entry in entries {
            match scope.need(&entry.value) {
                Some(need) => {
                    needs.insert(need);
                }
                None => wrong.push(self.unknown_name("area", entry, scope.nearest_need(&entry.value))),
            }
        }
        (needs, wrong)
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
    ) -> Result<Expression, Vec<PlaybookError>> {
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
            let message = format!("it is {}, not {}", shape.kind(), wanted.1);
            Err(vec![Problem::from(message)])
        });
        let blanks = text.value.len() - text.value.trim_start().len();
        compiled.map_err(|problems| {
            let problems = problems.into_iter().map(|problem| problem.within(blanks));
            self.wrong_expression(check, key, text, problems).collect()
        })
    }

    /// Every area an expression uses has to be declared, or a missing one would be an error instead of "cannot tell".
    /// The hop alone may be used undeclared: it is then nothing (`null`) where none is planned.
    fn undeclared<'u>(
        &self,
        id: &str,
        place: Location,
        needs: &BTreeSet<Need>,
        used: impl Iterator<Item = &'u Expression>,
    ) -> Vec<PlaybookError> {
        let mut told = BTreeSet::from([&Need::Hop]);
        let mut errors = Vec::new();
        for expression in used {
            for need in expression.needs().difference(needs) {
                if told.insert(need) {
                    let message = format!(
                        "check {id} uses `{}` and does not list it under `needs`: `{}`",
                        need.name(),
                        expression.source()
                    );
                    errors.push(self.contradiction(place, &message));
                }
            }
        }
        errors
    }

    fn wrong_expression<'w>(
        &'w self,
        check: &'w str,
        key: &'static str,
        text: &'w Spanned<String>,
        problems: impl IntoIterator<Item = Problem> + 'w,
    ) -> impl Iterator<Item = PlaybookError> + 'w {
        let begins = self.place(text.referenced);
        problems.into_iter().map(move |problem| {
            let place = match (&problem.word, problem.at) {
                (Some(word), _) => spot::of_word(self.text, &begins, word),
                (None, Some(at)) => spot::of_letter(self.text, &begins, &text.value, at),
                (None, None) => None,
            };
            PlaybookError::Expression {
                place: place.unwrap_or_else(|| begins.clone()),
                check: check.to_owned(),
                key,
                expression: text.value.split_whitespace().collect::<Vec<_>>().join(" "),
                message: problem.message,
            }
        })
    }

    pub(super) fn contradiction(&self, place: Location, message: &str) -> PlaybookError {
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
