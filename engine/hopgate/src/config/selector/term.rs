//! One term of a selector: a key held against a value, or the name of a group.
//!
//! Knows how a term is written and when a value answers it; nothing of inventories or of devices.

use std::fmt;

use hopgate_core::names::GroupName;
use hopgate_paths::{Train, Version};

use super::SelectorError;

/// One term, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
    /// What one key of a device has to be.
    Compared(Compared),
    /// The devices of a group, or all the others.
    Group {
        /// Its name.
        name: GroupName,
        /// Whether its devices are meant, and not the others.
        within: bool,
    },
}

/// A key, a comparison and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) key: String,
    comparison: Comparison,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Is,
    IsNot,
    Like,
    Unlike,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Longest first, so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 8] = [
    ("!=", Comparison::IsNot),
    ("!~", Comparison::Unlike),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("=", Comparison::Is),
    ("~", Comparison::Like),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

impl Term {
    /// Reads one term; the whole selector is only named in errors.
    pub(super) fn read(selector: &str, term: &str) -> Result<Term, SelectorError> {
        let (name, within) = match term.strip_prefix('!') {
            Some(name) => (name.trim_start(), false),
            None => (term, true),
        };
        // No name holds a sign of comparison, so that none is also a comparison.
        match name.parse() {
            Ok(name) => Ok(Term::Group { name, within }),
            Err(_) => Compared::read(selector, term).map(Term::Compared),
        }
    }

    /// The key that it asks for.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Term::Compared(compared) => Some(&compared.key),
            Term::Group { .. } => None,
        }
    }

    /// The group that it names.
    pub(super) fn group(&self) -> Option<&GroupName> {
        match self {
            Term::Compared(_) => None,
            Term::Group { name, .. } => Some(name),
        }
    }
}

impl Compared {
    fn read(selector: &str, term: &str) -> Result<Compared, SelectorError> {
        let malformed = || SelectorError::Term {
            selector: selector.to_owned(),
            term: term.to_owned(),
        };
        let at = term.find(['=', '!', '~', '<', '>']).ok_or_else(malformed)?;
        let (key, rest) = term.split_at(at);
        let (sign, comparison) = COMPARISONS
            .iter()
            .find(|(sign, _)| rest.starts_with(sign))
            .ok_or_else(malformed)?;
        let (key, value) = (key.trim(), rest[sign.len()..].trim());
        if key.is_empty() || value.is_empty() {
            return Err(malformed());
        }
        let ordered = !matches!(
            comparison,
            Comparison::Is | Comparison::IsNot | Comparison::Like | Comparison::Unlike
        );
        if ordered && key != "version" {
            return Err(SelectorError::NoOrder {
                selector: selector.to_owned(),
                key: key.to_owned(),
            });
        }
        if ordered && value.parse::<Version>().is_err() && value.parse::<Train>().is_err() {
            return Err(SelectorError::Release {
                selector: selector.to_owned(),
                value: value.to_owned(),
            });
        }
        Ok(Compared {
            key: key.to_owned(),
            comparison: *comparison,
            value: value.to_owned(),
        })
    }

    /// A device without the label is not equal to anything, and unlike everything.
    pub(super) fn holds(&self, value: Option<&str>) -> bool {
        match self.comparison {
            Comparison::Is => value == Some(self.value.as_str()),
            Comparison::IsNot => value != Some(self.value.as_str()),
            Comparison::Like => value.is_some_and(|value| like(&self.value, value)),
            Comparison::Unlike => !value.is_some_and(|value| like(&self.value, value)),
            // Only versions have an order, and they do not come here.
            Comparison::Below | Comparison::AtMost | Comparison::Above | Comparison::AtLeast => false,
        }
    }

    /// A feature release stands for all of its releases: `version=10.2` is any 10.2, `version<=10.2` includes them.
    pub(super) fn holds_for(&self, version: Version) -> bool {
        let order = match (self.value.parse::<Version>(), self.value.parse::<Train>()) {
            (Ok(wanted), _) => version.cmp(&wanted),
            (_, Ok(train)) => version.train().cmp(&train),
            _ => return self.holds(Some(&version.to_string())),
        };
        match self.comparison {
            Comparison::Is => order.is_eq(),
            Comparison::IsNot => order.is_ne(),
            Comparison::Below => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Above => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
            Comparison::Like | Comparison::Unlike => self.holds(Some(&version.to_string())),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Compared(compared) => compared.fmt(f),
            Term::Group { name, within } => write!(f, "{}{name}", if *within { "" } else { "!" }),
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = COMPARISONS
            .iter()
            .find(|(_, comparison)| *comparison == self.comparison)
            .map_or("", |(sign, _)| sign);
        write!(f, "{}{sign}{}", self.key, self.value)
    }
}

/// `*` stands for any text, `?` for one character; letters count as written.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // The last star, and how much of the text it has taken so far.
    let (mut at, mut seen, mut star) = (0, 0, None);
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                None => return false,
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    seen = taken + 1;
                }
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_pattern_of_its_own_letters_and_stars_is_like_the_text(text in "[ab]{0,8}", cuts in proptest::collection::vec(0..9usize, 0..3)) {
            let mut pattern = text.clone();
            for cut in cuts {
                let at = cut.min(pattern.len());
                pattern.insert(at, '*');
            }
            proptest::prop_assert!(like(&pattern, &text));
            let more = format!("{text}c");
            proptest::prop_assert!(pattern.ends_with('*') || !like(&pattern, &more));
        }
    }
}
