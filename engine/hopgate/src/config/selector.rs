//! Selectors: which devices of an inventory are meant, as `customer=acme,model~PA-8*,version<10.2`.
//!
//! Terms are joined by commas and all have to hold. Names, addresses and labels are in the inventory; model, version,
//! serial and hostname are known only once a device has said them, so a selector is asked twice. Knows nothing of how
//! a device is read.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use hopgate_paths::{Train, Version, nearest_names};
use hopgate_playbooks::System;

use super::inventory::{Entry, Inventory};

/// What a device says of itself; every other key is one of the inventory's.
const SAID_BY_DEVICE: [&str; 4] = ["model", "version", "serial", "hostname"];

/// What the inventory has for every device, beside its labels.
const IN_INVENTORY: [&str; 3] = ["name", "address", "peer"];

/// Some devices of an inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    key: String,
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

/// A selector that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// A term is not key, comparison and value.
    #[error(
        "reading the selector {selector:?}: {term:?} is not a key, one of = != ~ !~ < <= > >= and a value"
    )]
    Term {
        /// The whole selector.
        selector: String,
        /// The term.
        term: String,
    },
    /// Only releases have an order.
    #[error("reading the selector {selector:?}: {key} has no order; < <= > >= are for version")]
    NoOrder {
        /// The whole selector.
        selector: String,
        /// The key.
        key: String,
    },
    /// The value is no release.
    #[error(
        "reading the selector {selector:?}: {value:?} is neither a release (10.2.4-h4) nor a feature release (10.2)"
    )]
    Release {
        /// The whole selector.
        selector: String,
        /// The value.
        value: String,
    },
    /// No device has such a label.
    #[error("the selector asks for {key}, which no device has (nearest: {})", nearest.join(", "))]
    Key {
        /// The key.
        key: String,
        /// The names most like it.
        nearest: Vec<String>,
    },
}

/// Whether a device is meant, before it was asked anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// The inventory alone says so.
    Yes,
    /// The inventory alone says it is not.
    No,
    /// That depends on what the device says of itself.
    OnceRead,
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let terms = text.split(',').map(|term| term_of(text, term.trim()));
        Ok(Self {
            terms: terms.collect::<Result<_, _>>()?,
        })
    }
}

fn term_of(selector: &str, term: &str) -> Result<Term, SelectorError> {
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
    Ok(Term {
        key: key.to_owned(),
        comparison: *comparison,
        value: value.to_owned(),
    })
}

impl Selector {
    /// Refuses a key that no device can have: a misspelt label would select nothing and look like an answer.
    pub fn check(&self, inventory: &Inventory) -> Result<(), SelectorError> {
        let labels: BTreeSet<&str> = inventory
            .devices
            .iter()
            .flat_map(|entry| entry.labels.keys())
            .map(String::as_str)
            .collect();
        self.check_among(SAID_BY_DEVICE.into_iter().chain(IN_INVENTORY).chain(labels))
    }

    /// Refuses a key that is none of these.
    pub(crate) fn check_among<'k>(&self, known: impl Iterator<Item = &'k str>) -> Result<(), SelectorError> {
        let known: Vec<&str> = known.collect();
        match self.terms.iter().find(|term| !known.contains(&term.key.as_str())) {
            None => Ok(()),
            Some(term) => Err(SelectorError::Key {
                key: term.key.clone(),
                nearest: nearest_names(&term.key, known, 3)
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            }),
        }
    }

    /// Whether the inventory alone decides.
    pub fn of_entry(&self, entry: &Entry) -> Meant {
        let mut once_read = false;
        for term in &self.terms {
            if SAID_BY_DEVICE.contains(&term.key.as_str()) {
                once_read = true;
            } else if !term.holds(said_by_inventory(entry, &term.key)) {
                return Meant::No;
            }
        }
        if once_read { Meant::OnceRead } else { Meant::Yes }
    }

    /// Whether a device of the inventory that said what it is is meant.
    pub fn of_device(&self, entry: &Entry, system: &System) -> bool {
        self.terms.iter().all(|term| match term.key.as_str() {
            "model" => term.holds(Some(&system.model)),
            "serial" => term.holds(Some(&system.serial)),
            "hostname" => term.holds(Some(&system.hostname)),
            "version" => term.holds_for(system.sw_version),
            key => term.holds(said_by_inventory(entry, key)),
        })
    }

    /// Its terms about what a device says of itself, and the others: whose it is.
    pub(crate) fn parted(&self) -> (Selector, Selector) {
        let said = |term: &Term| SAID_BY_DEVICE.contains(&term.key.as_str());
        let (said, others) = self.terms.iter().cloned().partition(said);
        (Selector { terms: said }, Selector { terms: others })
    }

    /// Whether a device is meant of which only this was kept: the value of each key.
    pub(crate) fn of_kept<'d>(&self, kept: impl Fn(&str) -> Option<&'d str>) -> bool {
        self.terms.iter().all(|term| {
            let value = kept(&term.key);
            match value.and_then(|value| value.parse().ok()) {
                Some(version) if term.key == "version" => term.holds_for(version),
                _ => term.holds(value),
            }
        })
    }
}

fn said_by_inventory<'e>(entry: &'e Entry, key: &str) -> Option<&'e str> {
    match key {
        "name" => Some(entry.name.as_str()),
        "address" => Some(&entry.address),
        "peer" => entry.peer.as_ref().map(|peer| peer.as_str()),
        label => entry.labels.get(label).map(String::as_str),
    }
}

impl Term {
    /// A device without the label is not equal to anything, and unlike everything.
    fn holds(&self, value: Option<&str>) -> bool {
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
    fn holds_for(&self, version: Version) -> bool {
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

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let sign = COMPARISONS
                .iter()
                .find(|(_, comparison)| *comparison == term.comparison)
                .map_or("", |(sign, _)| sign);
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}{sign}{}", term.key, term.value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory() -> Inventory {
        let text = "\
defaults:
  credentials: {user: admin, password_from: {env: PW}}
devices:
  - {name: vie1, address: a, labels: {customer: acme, site: vienna}}
  - {name: vie2, address: b, labels: {customer: acme}}
  - {name: gra1, address: c, labels: {customer: bolt}}
";
        super::super::parse(std::path::Path::new("inventory.yaml"), text).unwrap()
    }

    fn system(model: &str, version: &str) -> System {
        System {
            hostname: "h".to_owned(),
            model: model.to_owned(),
            serial: "0011".to_owned(),
            sw_version: version.parse().unwrap(),
            app_version: String::new(),
            uptime_seconds: 1,
            operational_mode: None,
            multi_vsys: false,
        }
    }

    #[test]
    fn the_inventory_decides_where_it_can() {
        let inventory = inventory();
        let meant = |selector: &str| {
            let selector: Selector = selector.parse().unwrap();
            selector.check(&inventory).unwrap();
            let devices = inventory.devices.iter();
            devices
                .map(|entry| format!("{} {:?}", entry.name, selector.of_entry(entry)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        insta::assert_snapshot!(meant("customer=acme"), @"vie1 Yes, vie2 Yes, gra1 No");
        insta::assert_snapshot!(meant("customer=acme,site!=vienna"), @"vie1 No, vie2 Yes, gra1 No");
        insta::assert_snapshot!(meant("name~vie?, model~PA-8*"), @"vie1 OnceRead, vie2 OnceRead, gra1 No");
        insta::assert_snapshot!(meant("site!~v*"), @"vie1 No, vie2 Yes, gra1 Yes");
    }

    #[test]
    fn what_a_device_says_decides_the_rest() {
        let inventory = inventory();
        let is = |selector: &str, model: &str, version: &str| {
            let selector: Selector = selector.parse().unwrap();
            selector.of_device(&inventory.devices[0], &system(model, version))
        };
        assert!(is(
            "customer=acme,model~PA-8*,version<10.2",
            "PA-850",
            "10.1.14-h9"
        ));
        assert!(!is("customer=acme,model~PA-8*,version<10.2", "PA-850", "10.2.0"));
        assert!(!is("model~PA-8*", "PA-440", "10.2.0"));
        assert!(is("version=10.2", "PA-440", "10.2.18-h5"));
        assert!(is("version<=10.2,version>=10.2.4", "PA-440", "10.2.4-h4"));
        assert!(!is("version>10.2", "PA-440", "10.2.18-h5"));
        assert!(is("version~10.2.*,version!=10.2.4", "PA-440", "10.2.4-h4"));
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        let said = |text: &str| match text.parse::<Selector>() {
            Err(error) => error.to_string(),
            Ok(selector) => selector.check(&inventory()).unwrap_err().to_string(),
        };
        insta::assert_snapshot!(said("customer"), @r#"reading the selector "customer": "customer" is not a key, one of = != ~ !~ < <= > >= and a value"#);
        insta::assert_snapshot!(said("customer=acme,"), @r#"reading the selector "customer=acme,": "" is not a key, one of = != ~ !~ < <= > >= and a value"#);
        insta::assert_snapshot!(said("model<PA-850"), @r#"reading the selector "model<PA-850": model has no order; < <= > >= are for version"#);
        insta::assert_snapshot!(said("version<ten"), @r#"reading the selector "version<ten": "ten" is neither a release (10.2.4-h4) nor a feature release (10.2)"#);
        insta::assert_snapshot!(said("custommer=acme"), @"the selector asks for custommer, which no device has (nearest: customer, hostname, model)");
    }

    proptest::proptest! {
        #[test]
        fn a_selector_reads_back_as_it_is_shown(
            terms in proptest::collection::vec(("[a-z]{1,6}", 0..4usize, "[A-Za-z0-9*?.-]{1,8}"), 1..4),
        ) {
            let signs = ["=", "!=", "~", "!~"];
            let text: Vec<_> = terms.iter().map(|(key, sign, value)| format!("{key}{}{value}", signs[*sign])).collect();
            let selector: Selector = text.join(",").parse().unwrap();
            proptest::prop_assert_eq!(selector.to_string(), text.join(","));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = text.parse::<Selector>();
        }

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
