//! What must hold on a device for an advisory to matter.
//!
//! Responsible for: the predicates over facts and their three-valued answers, with what was seen or is missing in
//! words. Must not know: releases, severities, or how facts are read.

use serde::Serialize;

use super::{Exposure, Needs, vocabulary};
use crate::version::Version;
use crate::view::{FactsView, OpticSeen, Seen};

/// What the evidence of one advisory lists before it counts the rest: a chassis has hundreds of ports.
const PORTS_SHOWN: usize = 8;

/// The classes of ports that hold no module.
const NO_MODULE: &[&str] = &["empty", "fixed"];

/// One predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A flag is set.
    Flag(String),
    /// A flag is not set.
    Not(String),
    /// A number is less than this.
    Below {
        /// Its name.
        number: String,
        /// The limit, itself not below.
        limit: u64,
    },
    /// A number is this or more.
    AtLeast {
        /// Its name.
        number: String,
        /// The limit, itself enough.
        limit: u64,
    },
    /// A port holds such a module.
    Optics(OpticsCondition),
}

/// Ports with modules; every list that is not empty must have the port or module in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OpticsCondition {
    /// Numbers of ports in their slot.
    pub ports: Vec<u32>,
    /// Classes of modules.
    pub classes: Vec<String>,
    /// Part numbers, in any case of letters.
    pub parts: Vec<String>,
    /// What the port says is in it, in any case of letters.
    pub media: Vec<String>,
}

impl Condition {
    /// Whether it holds for a device that stands on a release.
    pub(super) fn held(&self, asked: Option<(&dyn FactsView, Version)>) -> Exposure {
        let view = asked.map(|(view, _)| view);
        match self {
            Self::Flag(name) => flag(name, true, view),
            Self::Not(name) => flag(name, false, view),
            Self::Below { number, limit } => compare(number, view, |seen| seen < *limit, "under", *limit),
            Self::AtLeast { number, limit } => {
                compare(number, view, |seen| seen >= *limit, "at least", *limit)
            }
            Self::Optics(condition) => match asked.map(|(view, with)| view.optics(with)) {
                None => unasked("the modules in the ports"),
                Some(Seen::Unknown(why)) => unknown(&format!("the modules in the ports ({why})")),
                Some(Seen::Known(optics)) => condition.held(&optics),
            },
        }
    }

    /// Whether the answer of one device may be another on another release.
    pub(super) fn goes_by_release(&self) -> bool {
        matches!(self, Self::Optics(condition) if !condition.classes.is_empty())
    }

    pub(super) fn needs(&self, needs: &mut Needs) {
        match self {
            Self::Flag(name) | Self::Not(name) => {
                needs.flags.insert(name.clone());
            }
            Self::Below { number, .. } | Self::AtLeast { number, .. } => {
                needs.numbers.insert(number.clone());
            }
            Self::Optics(_) => needs.optics = true,
        }
    }
}

fn unknown(missing: &str) -> Exposure {
    Exposure::Unknown {
        missing: vec![missing.to_owned()],
    }
}

fn unasked(what: &str) -> Exposure {
    unknown(&format!("{what} (not asked)"))
}

fn exposed(seen: String) -> Exposure {
    Exposure::Exposed { evidence: vec![seen] }
}

fn flag(name: &str, wanted: bool, view: Option<&dyn FactsView>) -> Exposure {
    let meaning = meaning(vocabulary::FLAGS, name);
    let seen = match view.map(|view| view.flag(name)) {
        None => return unasked(&format!("whether {meaning}")),
        Some(Seen::Unknown(why)) => return unknown(&format!("whether {meaning} ({why})")),
        Some(Seen::Known(seen)) => seen,
    };
    let said = if seen {
        meaning.to_owned()
    } else {
        format!("it is not so that {meaning}")
    };
    if seen == wanted {
        exposed(said)
    } else {
        Exposure::Clear { why: said }
    }
}

fn compare(
    name: &str,
    view: Option<&dyn FactsView>,
    holds: impl Fn(u64) -> bool,
    relation: &str,
    limit: u64,
) -> Exposure {
    let meaning = meaning(vocabulary::NUMBERS, name);
    match view.map(|view| view.number(name)) {
        None => unasked(meaning),
        Some(Seen::Unknown(why)) => unknown(&format!("{meaning} ({why})")),
        Some(Seen::Known(seen)) if holds(seen) => exposed(format!("{name} is {seen}, {relation} {limit}")),
        Some(Seen::Known(seen)) => Exposure::Clear {
            why: format!("{name} is {seen}, not {relation} {limit}"),
        },
    }
}

fn meaning(words: &'static [vocabulary::Word], name: &str) -> &'static str {
    words
        .iter()
        .find(|word| word.name == name)
        .map_or("something outside the vocabulary", |word| word.meaning)
}

impl OpticsCondition {
    fn held(&self, optics: &[OpticSeen]) -> Exposure {
        let mut matching = Vec::new();
        let mut unreadable = Vec::new();
        for optic in optics {
            match self.matches(optic) {
                Some(true) => matching.push(optic),
                Some(false) => {}
                None => unreadable.push(optic),
            }
        }
        if !matching.is_empty() {
            let evidence = listed(&matching, |optic| {
                let part = optic.part.as_deref().unwrap_or("a module that names no part");
                format!("{} holds {part} ({})", optic.interface, optic.class)
            });
            return Exposure::Exposed { evidence };
        }
        if !unreadable.is_empty() {
            let missing = listed(&unreadable, |optic| {
                format!("what the module in {} is (it does not say)", optic.interface)
            });
            return Exposure::Unknown { missing };
        }
        Exposure::Clear {
            why: "no port holds such a module".to_owned(),
        }
    }

    /// `None` where the module does not say what is asked.
    fn matches(&self, optic: &OpticSeen) -> Option<bool> {
        let among =
            |list: &[String], text: &str| list.iter().any(|one| one.eq_ignore_ascii_case(text.trim()));
        let elsewhere = !self.ports.is_empty() && !self.ports.contains(&optic.port);
        if elsewhere || NO_MODULE.contains(&optic.class) {
            return Some(false);
        }
        let class = match optic.class {
            class if self.classes.is_empty() || among(&self.classes, class) => Some(true),
            "unreadable" => None,
            _ => Some(false),
        };
        let named = |list: &[String], text: &Option<String>| match text {
            _ if list.is_empty() => Some(true),
            Some(text) => Some(among(list, text)),
            None => None,
        };
        let all = [
            class,
            named(&self.parts, &optic.part),
            named(&self.media, &optic.media),
        ];
        if all.contains(&Some(false)) {
            Some(false)
        } else if all.contains(&None) {
            None
        } else {
            Some(true)
        }
    }
}

fn listed(optics: &[&OpticSeen], said: impl Fn(&OpticSeen) -> String) -> Vec<String> {
    let mut texts: Vec<_> = optics.iter().take(PORTS_SHOWN).map(|optic| said(optic)).collect();
    if optics.len() > PORTS_SHOWN {
        texts.push(format!("and {} more ports", optics.len() - PORTS_SHOWN));
    }
    texts
}
