//! Playbooks: named lists of checks, read from YAML and run over facts.
//!
//! Responsible for: reading a playbook or saying where it is wrong, the library shipped with hopgate, and running every
//! check whatever the others do. Must not know: devices, campaigns, or what is done about a finding.

mod file;
mod mistake;
mod question;
mod spot;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use hopgate_paths::nearest_names;
pub(crate) use mistake::Unreadable;
pub use mistake::{Place, PlaybookError};
use thiserror::Error;

use crate::ask::{Ask, Reading, Word};
use crate::check::{Check, Scene};
use crate::expression::{NOW, Need, PARAMS};
use crate::facts::{Fact, FactArea, Facts};
use crate::finding::{Finding, Mode, Severity, Verdict};
use crate::hop::HopContext;
use crate::setting::Setting;
use crate::values::{NoValue, value};
use crate::variables::Variables;
use crate::vocabulary;

/// Files of the library: name, file, text.
macro_rules! library {
    ($($name:literal,)+) => {
        &[$((
            $name,
            concat!("library/", $name, ".yaml"),
            include_str!(concat!("../library/", $name, ".yaml")),
        ),)+]
    };
}

/// The library shipped with hopgate: name, file, text.
const LIBRARY: &[(&str, &str, &str)] = library! {
    "after",
    "certificates",
    "ha",
    "health",
    "licences",
    "modules",
    "network",
    "optics",
    "readiness",
    "software",
};

/// The format of playbooks, for editors.
const SCHEMA: &str = include_str!("../schema/playbook.json");

/// A playbook to begin with.
const TEMPLATE: &str = include_str!("../schema/template.yaml");

/// A list of checks, compiled.
pub struct Playbook {
    name: String,
    title: String,
    settings: BTreeMap<String, Setting>,
    asks: BTreeMap<Arc<str>, Template>,
    checks: Vec<Check>,
}

/// A question of a playbook's own, before its settings are put in.
enum Template {
    /// One without settings.
    Fixed(Ask),
    /// One with some.
    Open(Vec<Word>, Reading),
}

impl Template {
    /// The question; none where a setting that stands in it is empty, as it then is nothing to ask.
    fn filled(&self, settings: &BTreeMap<String, Setting>) -> Option<Ask> {
        let (words, reading) = match self {
            Self::Fixed(ask) => return Some(ask.clone()),
            Self::Open(words, reading) => (words, reading),
        };
        let fill = |word: &Word| match word {
            Word::Setting(name) => {
                let value = settings.get(name)?.to_string();
                (!value.is_empty()).then_some(Word::Value(value))
            }
            other => Some(other.clone()),
        };
        let words: Vec<_> = words.iter().map(fill).collect::<Option<_>>()?;
        Ask::command(&words, reading.clone()).ok()
    }
}

/// What is said of a check without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About<'p> {
    /// Its name.
    pub id: &'p str,
    /// What it looks after, in words.
    pub title: &'p str,
    /// How much it matters.
    pub severity: Severity,
    /// Whether it counts.
    pub mode: Mode,
    /// The areas of the facts that it cannot do without.
    pub needs: BTreeSet<FactArea>,
    /// The playbook's own questions that it cannot do without, by their names.
    pub asks: BTreeSet<&'p str>,
}

impl<'p> About<'p> {
    fn of(check: &'p Check) -> Self {
        Self {
            id: &check.id,
            title: &check.title,
            severity: check.severity,
            mode: check.mode,
            needs: check.needs.iter().filter_map(Need::area).collect(),
            asks: check.needs.iter().filter_map(Need::ask).collect(),
        }
    }
}

/// A setting that a playbook does not take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingError {
    /// There is none of that name.
    #[error("setting {name} of playbook {playbook}: there is none; {nearest}")]
    Unknown {
        /// The playbook.
        playbook: String,
        /// The name.
        name: String,
        /// The nearest that there is, in words.
        nearest: String,
    },
    /// It is of another kind.
    #[error("setting {name} of playbook {playbook}: \"{value}\" is not {kind}")]
    WrongKind {
        /// The playbook.
        playbook: String,
        /// The name.
        name: String,
        /// The value.
        value: String,
        /// What it has to be.
        kind: &'static str,
    },
}

impl Playbook {
    /// Reads a playbook; `file` is what errors call it.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and column, and the nearest right name for a wrong one.
    pub fn parse(file: &str, text: &str) -> Result<Self, PlaybookError> {
        file::read(file, text).map_err(|mut errors| errors.swap_remove(0))
    }

    /// Everything that is wrong with a playbook, in the order of its lines; nothing where it can be used.
    pub fn lint(file: &str, text: &str) -> Vec<PlaybookError> {
        file::read(file, text).err().unwrap_or_default()
    }

    /// A playbook of the library, by name.
    ///
    /// # Errors
    /// None for a name the library does not have; an error only if the shipped file is broken, which a test rules out.
    pub fn builtin(name: &str) -> Option<Result<Self, PlaybookError>> {
        let (_, file, text) = LIBRARY.iter().find(|(known, _, _)| *known == name)?;
        Some(Self::parse(file, text))
    }

    /// The text of a playbook of the library, by name: what the hash in a plan is of.
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        LIBRARY
            .iter()
            .find(|(known, _, _)| *known == name)
            .map(|(_, _, text)| *text)
    }

    /// The names in the library, in alphabetical order.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        LIBRARY.iter().map(|(name, _, _)| *name)
    }

    /// The format of playbooks as JSON Schema, for editors.
    pub const fn schema() -> &'static str {
        SCHEMA
    }

    /// A playbook to begin with, every key of it explained.
    pub const fn template() -> &'static str {
        TEMPLATE
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its checks, in order.
    pub fn checks(&self) -> impl Iterator<Item = About<'_>> {
        self.checks.iter().map(About::of)
    }

    /// Its settings as they stand.
    pub fn settings(&self) -> &BTreeMap<String, Setting> {
        &self.settings
    }

    /// This playbook with some of its settings chosen.
    ///
    /// # Errors
    /// The first that it does not have, or that is of another kind.
    pub fn with(mut self, chosen: &BTreeMap<String, Setting>) -> Result<Self, SettingError> {
        for (name, value) in chosen {
            let known = self.setting(name)?;
            if !value.is_like(known) {
                return Err(self.wrong_kind(name, &value.to_string(), known));
            }
            self.settings.insert(name.clone(), value.clone());
        }
        Ok(self)
    }

    /// This playbook with a setting as it is typed; a list has commas.
    ///
    /// # Errors
    /// As [`Playbook::with`].
    pub fn with_typed(mut self, name: &str, text: &str) -> Result<Self, SettingError> {
        let known = self.setting(name)?;
        let value = known
            .typed(text)
            .ok_or_else(|| self.wrong_kind(name, text, known))?;
        self.settings.insert(name.to_owned(), value);
        Ok(self)
    }

    fn setting(&self, name: &str) -> Result<&Setting, SettingError> {
        self.settings.get(name).ok_or_else(|| SettingError::Unknown {
            playbook: self.name.clone(),
            name: name.to_owned(),
            nearest: match nearest_names(name, self.settings.keys().map(String::as_str), 1).first() {
                Some(nearest) => format!("the nearest is {nearest}"),
                None => "it has no settings".to_owned(),
            },
        })
    }

    fn wrong_kind(&self, name: &str, value: &str, known: &Setting) -> SettingError {
        SettingError::WrongKind {
            playbook: self.name.clone(),
            name: name.to_owned(),
            value: value.to_owned(),
            kind: known.kind(),
        }
    }

    /// Whether this check of it needs a hop to be planned.
    pub fn is_about_hop(&self, check: &str) -> bool {
        let mut checks = self.checks.iter();
        checks.any(|known| *known.id == *check && known.needs.contains(&Need::Hop))
    }

    /// What is left to ask where no hop is looked for, and the names of the checks that are left out. What only those
    /// needed is not read either.
    pub fn without_hop(mut self) -> (Self, Vec<Arc<str>>) {
        let about = self
            .checks
            .extract_if(.., |check| check.needs.contains(&Need::Hop));
        let left_out = about.map(|check| check.id).collect();
        (self, left_out)
    }

    /// The areas of the facts its checks need: what to read before running it.
    pub fn needs(&self) -> BTreeSet<FactArea> {
        let needs = self.checks.iter().flat_map(|check| &check.needs);
        needs.filter_map(Need::area).collect()
    }

    /// The questions of its own that its checks need: what to ask before running it. The answers belong into
    /// [`Facts::replies`].
    pub fn asks(&self) -> BTreeSet<Ask> {
        self.filled().into_values().collect()
    }

    /// One of its own questions, by its name; none where there is none, or where a setting that stands in it is empty.
    pub fn ask(&self, name: &str) -> Option<Ask> {
        self.asks.get(name)?.filled(&self.settings)
    }

    fn filled(&self) -> BTreeMap<&Arc<str>, Ask> {
        let needs = self.checks.iter().flat_map(|check| &check.needs);
        let asks = needs.filter_map(|need| {
            let (name, template) = self.asks.get_key_value(need.ask()?)?;
            Some((name, template.filled(&self.settings)?))
        });
        asks.collect()
    }

    /// Runs every check over the facts of a device, and the hop planned for it, if one is.
    ///
    /// Findings come in the order of the checks, and of the things a check looks at. A check that does not apply gives
    /// none; one that cannot tell or breaks gives one that says so.
    pub fn evaluate(&self, facts: &Facts, hop: Option<&HopContext>) -> Vec<Finding> {
        self.evaluate_over(&Variables::of(facts), hop)
    }

    /// As [`Playbook::evaluate`], over what other playbooks looked at already.
    pub fn evaluate_over(&self, variables: &Variables<'_>, hop: Option<&HopContext>) -> Vec<Finding> {
        let facts = variables.facts();
        let replies = self.replies(facts);
        let context = match self.context(variables, &replies, hop) {
            Ok(context) => context,
            Err(detail) => return self.checks.iter().map(|check| broken(check, &detail)).collect(),
        };
        let scene = Scene {
            facts,
            replies: &replies,
            context: &context,
            has_hop: hop.is_some(),
        };
        self.checks
            .iter()
            .flat_map(|check| by_itself(check, || check.evaluate(&scene)))
            .collect()
    }

    /// What the device answered to the playbook's own questions.
    fn replies(&self, facts: &Facts) -> BTreeMap<Arc<str>, Fact<serde_json::Value>> {
        let reply = |(name, ask): (&Arc<str>, Ask)| {
            let reply = facts.replies.get(&ask.key()).cloned();
            let reply = reply.unwrap_or_else(|| Fact::Unknown("not asked".to_owned()));
            (Arc::clone(name), reply)
        };
        self.filled().into_iter().map(reply).collect()
    }

    /// The facts, the replies, the settings, and the hop or nothing in its place, each under its name.
    fn context<'v>(
        &self,
        variables: &'v Variables<'_>,
        replies: &BTreeMap<Arc<str>, Fact<serde_json::Value>>,
        hop: Option<&HopContext>,
    ) -> Result<cel::Context<'v, 'v>, String> {
        let mut context =
            vocabulary::context().map_err(|error| format!("the expressions' functions: {error:?}"))?;
        let wrong = |what: &str| {
            let what = what.to_owned();
            move |error: NoValue| format!("{what}: {error}")
        };
        context.set_variable_resolver(variables);
        let facts = variables.facts();
        for (name, reply) in replies {
            if let Fact::Known(reply) = reply {
                context.add_variable_as_val(name.as_ref(), value(reply).map_err(wrong("a reply"))?);
            }
        }
        let hop = hop.map(|hop| hop.view(facts));
        let settings = value(&self.settings).map_err(wrong("the settings"))?;
        context.add_variable_as_val(PARAMS, settings);
        context.add_variable_from_value(NOW, facts.read_at.to_string());
        let hop = value(&hop).map_err(wrong("the hop"))?;
        context.add_variable_as_val(Need::Hop.name(), hop);
        Ok(context)
    }
}

impl std::fmt::Debug for Playbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let checks: Vec<_> = self.checks.iter().map(|check| &*check.id).collect();
        f.debug_struct("Playbook")
            .field("name", &self.name)
            .field("checks", &checks)
            .finish_non_exhaustive()
    }
}

/// What a check concludes, or a finding that it tripped: a defect in one expression, or in what evaluates it, must not
/// hide what every other check found.
fn by_itself(check: &Check, evaluate: impl FnOnce() -> Vec<Finding>) -> Vec<Finding> {
    // Nothing that was half changed can be seen afterwards: a check only reads its scene.
    catch_unwind(AssertUnwindSafe(evaluate)).unwrap_or_else(|payload| {
        let said = payload.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| payload.downcast_ref::<&str>().copied());
        vec![broken(
            check,
            &format!("it tripped hopgate ({})", said.unwrap_or("no reason given")),
        )]
    })
}

fn broken(check: &Check, detail: &str) -> Finding {
    Finding {
        check: check.id.clone(),
        title: check.title.clone(),
        subject: None,
        verdict: Verdict::Error {
            detail: detail.to_owned(),
        },
        severity: Severity::Block,
        mode: Mode::Enforce,
        message: format!("the check could not be run: {detail}").into(),
        remedy: None,
        link: None,
    }
}

#[cfg(test)]
mod format;
#[cfg(test)]
mod tests;
