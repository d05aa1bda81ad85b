//! Playbooks: named lists of checks, read from YAML and run over facts.
//!
//! Responsible for: reading a playbook or saying where it is wrong, the library shipped with hopgate, and running every
//! check whatever the others do. Must not know: devices, campaigns, or what is done about a finding.

mod file;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use file::{Place, PlaybookError};

use crate::check::{Check, Scene};
use crate::expression::Need;
use crate::facts::{FactArea, Facts};
use crate::finding::{Finding, Mode, Severity, Verdict};
use crate::hop::HopContext;
use crate::vocabulary;

/// The library shipped with hopgate: name, file, text.
const LIBRARY: &[(&str, &str, &str)] = &[
    (
        "after",
        "library/after.yaml",
        include_str!("../library/after.yaml"),
    ),
    (
        "optics",
        "library/optics.yaml",
        include_str!("../library/optics.yaml"),
    ),
    (
        "readiness",
        "library/readiness.yaml",
        include_str!("../library/readiness.yaml"),
    ),
];

/// A list of checks, compiled.
pub struct Playbook {
    name: String,
    title: String,
    checks: Vec<Check>,
}

impl Playbook {
    /// Reads a playbook; `file` is what errors call it.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and column, and the nearest right name for a wrong one.
    pub fn parse(file: &str, text: &str) -> Result<Self, PlaybookError> {
        file::parse(file, text)
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

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The areas of the facts its checks need: what to read before running it.
    pub fn needs(&self) -> BTreeSet<FactArea> {
        let needs = self.checks.iter().flat_map(|check| &check.needs);
        let areas = needs.filter_map(|need| match need {
            Need::Area(area) => Some(*area),
            Need::Hop => None,
        });
        areas.collect()
    }

    /// Runs every check over the facts of a device, and the hop planned for it, if one is.
    ///
    /// Findings come in the order of the checks, and of the things a check looks at. A check that does not apply gives
    /// none; one that cannot tell or breaks gives one that says so.
    pub fn evaluate(&self, facts: &Facts, hop: Option<&HopContext>) -> Vec<Finding> {
        let context = match context(facts, hop) {
            Ok(context) => context,
            Err(detail) => return self.checks.iter().map(|check| broken(check, &detail)).collect(),
        };
        let scene = Scene {
            facts,
            context: &context,
            has_hop: hop.is_some(),
        };
        self.checks
            .iter()
            .flat_map(|check| by_itself(check, || check.evaluate(&scene)))
            .collect()
    }
}

impl std::fmt::Debug for Playbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let checks: Vec<_> = self.checks.iter().map(|check| check.id.as_str()).collect();
        f.debug_struct("Playbook")
            .field("name", &self.name)
            .field("checks", &checks)
            .finish_non_exhaustive()
    }
}

/// Every known area as a variable of its name, and the hop, or nothing in its place.
fn context(facts: &Facts, hop: Option<&HopContext>) -> Result<cel::Context<'static, 'static>, String> {
    let mut context =
        vocabulary::context().map_err(|error| format!("the expressions' functions: {error:?}"))?;
    let stored = serde_json::to_value(facts).map_err(|error| format!("the facts: {error}"))?;
    for area in FactArea::ALL {
        if let Some(known) = stored.get(area.name()).and_then(|fact| fact.get("known")) {
            let value = vocabulary::value(known).map_err(|error| format!("{area}: {error}"))?;
            context.add_variable_from_value(area.name(), value);
        }
    }
    let view = hop.map(|hop| hop.view(facts));
    let hop = vocabulary::value(&view).map_err(|error| format!("the hop: {error}"))?;
    context.add_variable_from_value(Need::Hop.name(), hop);
    Ok(context)
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
        message: format!("the check could not be run: {detail}"),
        remedy: None,
        link: None,
    }
}

#[cfg(test)]
mod tests;
