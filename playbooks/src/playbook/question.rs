//! The settings and the questions of a playbook's own, as they are read.
//!
//! Responsible for: refusing a name that an expression could not use, and a question that is none. Must not know: checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use hopgate_paths::nearest_names;
use serde_saphyr::Spanned;

use super::Template;
use super::file::{Reader, Wants, is_variable};
use super::mistake::PlaybookError;
use super::written::AskEntry;
use crate::ask::{self, Ask, Reading, Word};
use crate::expression::Scope;
use crate::setting::Setting;

impl Reader<'_> {
    pub(super) fn settings(
        &self,
        entries: BTreeMap<String, Spanned<Setting>>,
        errors: &mut Vec<PlaybookError>,
    ) -> BTreeMap<String, Setting> {
        let (mut settings, misnamed): (BTreeMap<_, _>, BTreeMap<_, _>) =
            entries.into_iter().partition(|(name, _)| is_variable(name));
        for (name, value) in misnamed {
            let message = format!("`{name}`: a setting is named with small letters, digits and underscores");
            errors.push(self.contradiction(value.referenced, &message));
            // One mistake, and none wherever it is used. One that has its right name already is not offered under the
            // wrong one.
            if !settings.contains_key(&name.to_lowercase()) {
                settings.insert(name, value);
            }
        }
        let plain = |(name, value): (String, Spanned<Setting>)| (name, value.value);
        settings.into_iter().map(plain).collect()
    }

    pub(super) fn asks(
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
            if let Some(template) = self.ask(&name, entry, settings, errors) {
                asks.insert(Arc::from(name), template);
            }
        }
        asks
    }

    fn ask(
        &self,
        name: &str,
        entry: Spanned<AskEntry>,
        settings: &BTreeMap<String, Setting>,
        errors: &mut Vec<PlaybookError>,
    ) -> Option<Template> {
        let (begins, entry) = (entry.referenced, entry.value);
        let wrong = [&*entry.unknown, &*entry.empty];
        errors.extend(self.wrong_keys(AskEntry::KEYS, wrong));
        let part = format!("question {name}");
        let wants = Wants::of(self, &part, begins, AskEntry::KEYS, wrong);
        let read = wants.one("read", entry.read, errors);
        let reading = read.and_then(|read| self.reading(&read, entry.columns, errors));
        // How the answer is read does not matter to what is asked.
        let read_as = reading.clone().unwrap_or(Reading::Xml);
        let template = match (&entry.command, &entry.config) {
            (Some(command), None) => self.command(command, read_as, settings),
            (None, Some(xpath)) => Ask::configuration(&xpath.value, read_as)
                .map(Template::Fixed)
                .map_err(|message| self.contradiction(xpath.referenced, &message)),
            (None, None) if wants.meant(&["command", "config"]) => return None,
            (Some(_), Some(_)) | (None, None) => Err(self.contradiction(
                begins,
                "a question is either a `command` or a path under `config`",
            )),
        };
        match template {
            Ok(template) => reading.map(|_| template),
            Err(error) => {
                errors.push(error);
                None
            }
        }
    }

    fn reading(
        &self,
        read: &Spanned<String>,
        columns: Option<Vec<String>>,
        errors: &mut Vec<PlaybookError>,
    ) -> Option<Reading> {
        let has_columns = columns.is_some();
        match Reading::by_name(&read.value, columns.unwrap_or_default()) {
            Ok(Reading::Table(columns)) => Some(Reading::Table(columns)),
            Ok(_) if has_columns => {
                errors.push(self.contradiction(read.referenced, "`columns` are those of a `table`"));
                None
            }
            Ok(reading) => Some(reading),
            Err(nearest) => {
                errors.push(self.unknown_name("reading", read, nearest));
                None
            }
        }
    }

    fn command(
        &self,
        command: &Spanned<String>,
        reading: Reading,
        settings: &BTreeMap<String, Setting>,
    ) -> Result<Template, PlaybookError> {
        let wrong = |message: String| self.contradiction(command.referenced, &message);
        if command.value.trim_start().starts_with('<') {
            let ask = ask::xml(&command.value).map_err(wrong)?;
            return Ok(Template::Fixed(ask.read_as(reading)));
        }
        let words = ask::words(&command.value).map_err(wrong)?;
        let chosen = words.iter().filter_map(|word| match word {
            Word::Setting(name) => Some(name),
            Word::Element(_) | Word::Value(_) => None,
        });
        let mut is_fixed = true;
        for name in chosen {
            is_fixed = false;
            if !settings.contains_key(name) {
                return Err(PlaybookError::UnknownName {
                    place: self.place_of(command.referenced, name),
                    kind: "setting",
                    name: name.clone(),
                    nearest: nearest_names(name, settings.keys().map(String::as_str), 1).join(", "),
                });
            }
        }
        if is_fixed {
            return Ask::command(&words, reading).map(Template::Fixed).map_err(wrong);
        }
        Ok(Template::Open(words, reading))
    }
}
