//! Selectors: which devices of an inventory are meant, as `customer=acme,model~PA-8*,version<10.2,!canaries`.
//!
//! Terms are joined by commas and all have to hold. A selector is what somebody wrote; what a group holds is the inventory's
//! to say, so that only the [`Selection`] made of both can be asked. Knows nothing of how a device is read.

mod groups;
mod selection;
mod term;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use hopgate_core::names::GroupName;
use hopgate_paths::nearest_names;
use serde::{Deserialize, Serialize};

pub use groups::Groups;
use selection::Condition;
pub use selection::{Meant, Selection};
use term::Term;

use super::inventory::{Entry, Inventory};

/// What a device says of itself; every other key is one of the inventory's.
const SAID_BY_DEVICE: [&str; 4] = ["model", "version", "serial", "hostname"];

/// What the inventory has for every device, beside its labels.
const IN_INVENTORY: [&str; 3] = ["name", "address", "peer"];

/// Some devices of an inventory, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selector {
    terms: Vec<Term>,
}

/// A selector that cannot be read, or that says nothing of the devices it is for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// A term is neither key, comparison and value nor a name.
    #[error(
        "reading the selector {selector:?}: {term:?} is neither a key, one of = != ~ !~ < <= > >= and a value, nor the name of a group"
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
    /// The inventory names no such group.
    #[error("the selector asks for the group {name}, which the inventory does not have ({})", nearest_groups(.nearest))]
    Group {
        /// The group.
        name: GroupName,
        /// The groups most like it; none where there are no groups.
        nearest: Vec<String>,
    },
    /// Nobody can say who is in it.
    #[error("{}", circle(.groups))]
    Circle {
        /// The group, and those that lead from it to itself.
        groups: Vec<GroupName>,
    },
    /// Reports keep the labels of each device and not the groups of its inventory.
    #[error(
        "the selector asks for the group {name}, and reports have no groups; they have name, model, version, serial and labels"
    )]
    InReports {
        /// The group.
        name: GroupName,
    },
}

fn nearest_groups(nearest: &[String]) -> String {
    if nearest.is_empty() {
        "it has no groups".to_owned()
    } else {
        format!("nearest: {}", nearest.join(", "))
    }
}

fn circle(groups: &[GroupName]) -> String {
    let mut names = groups.iter().map(GroupName::as_str);
    let itself = format!("the group {} is made of itself", names.next().unwrap_or_default());
    let others: Vec<&str> = names.collect();
    if others.is_empty() {
        itself
    } else {
        format!("{itself}, by way of {}", others.join(", "))
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let terms = text.split(',').map(|term| Term::read(text, term.trim()));
        Ok(Self {
            terms: terms.collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<String> for Selector {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> String {
        selector.to_string()
    }
}

impl Selector {
    /// What it selects of this inventory, whose groups it may name.
    ///
    /// # Errors
    /// A group that the inventory does not have, or a key that no device can have, in the selector or in a group that it
    /// names: a misspelt one would select nothing, or with `!` everything, and look like an answer.
    pub fn resolved(&self, inventory: &Inventory) -> Result<Selection, SelectorError> {
        inventory
            .groups
            .selection(&self.terms, &keys_of(&inventory.devices))
    }

    /// What it selects of devices that were kept with these keys, in two parts: by what a device says of itself, and by the
    /// other terms, which say whose it is.
    ///
    /// # Errors
    /// A key that is none of these, or any group.
    pub(crate) fn parted(&self, known: &[&str]) -> Result<(Selection, Selection), SelectorError> {
        check_keys(&self.terms, known)?;
        let (mut said, mut whose) = (Selection::default(), Selection::default());
        for term in &self.terms {
            let part = match term {
                Term::Group { name, .. } => return Err(SelectorError::InReports { name: name.clone() }),
                Term::Compared(term) => term,
            };
            let of_device = SAID_BY_DEVICE.contains(&part.key.as_str());
            let part_of = if of_device { &mut said } else { &mut whose };
            part_of.terms.push(Condition::Compared(part.clone()));
        }
        Ok((said, whose))
    }
}

/// Every key that one of these devices can have.
fn keys_of(devices: &[Entry]) -> Vec<&str> {
    let labels: BTreeSet<&str> = devices
        .iter()
        .flat_map(|entry| entry.labels.keys())
        .map(String::as_str)
        .collect();
    SAID_BY_DEVICE
        .into_iter()
        .chain(IN_INVENTORY)
        .chain(labels)
        .collect()
}

/// Refuses a key that is none of these: a misspelt label would select nothing and look like an answer.
fn check_keys(terms: &[Term], known: &[&str]) -> Result<(), SelectorError> {
    match terms
        .iter()
        .filter_map(Term::key)
        .find(|key| !known.contains(key))
    {
        None => Ok(()),
        Some(key) => Err(SelectorError::Key {
            key: key.to_owned(),
            nearest: nearest_names(key, known.iter().copied(), 3)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }),
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{term}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hopgate_playbooks::System;

    use super::*;

    fn inventory() -> Inventory {
        of_groups(
            "groups: {branches: [site!=vienna], large: 'model~PA-8*', acme: 'customer=acme', canaries: [name=vie1, 'large,!acme']}",
        )
    }

    /// Three devices of two customers, and these groups of them.
    fn of_groups(groups: &str) -> Inventory {
        let text = "\
defaults:
  credentials: {user: admin, password_from: {env: PW}}
devices:
  - {name: vie1, address: a, labels: {customer: acme, site: vienna}}
  - {name: vie2, address: b, labels: {customer: acme}}
  - {name: gra1, address: c, labels: {customer: bolt}}
";
        super::super::parse(
            std::path::Path::new("inventory.yaml"),
            &format!("{text}{groups}\n"),
        )
        .unwrap()
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
            let selection = selector.resolved(&inventory).unwrap();
            let devices = inventory.devices.iter();
            devices
                .map(|entry| format!("{} {:?}", entry.name, selection.of_entry(entry)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        insta::assert_snapshot!(meant("customer=acme"), @"vie1 Yes, vie2 Yes, gra1 No");
        insta::assert_snapshot!(meant("customer=acme,site!=vienna"), @"vie1 No, vie2 Yes, gra1 No");
        insta::assert_snapshot!(meant("name~vie?, model~PA-8*"), @"vie1 OnceRead, vie2 OnceRead, gra1 No");
        insta::assert_snapshot!(meant("site!~v*"), @"vie1 No, vie2 Yes, gra1 Yes");
        insta::assert_snapshot!(meant("branches"), @"vie1 No, vie2 Yes, gra1 Yes");
        insta::assert_snapshot!(meant("! branches"), @"vie1 Yes, vie2 No, gra1 No");
        insta::assert_snapshot!(meant("!large"), @"vie1 OnceRead, vie2 OnceRead, gra1 OnceRead");
        insta::assert_snapshot!(meant("canaries"), @"vie1 Yes, vie2 No, gra1 OnceRead");
        insta::assert_snapshot!(meant("!canaries"), @"vie1 No, vie2 Yes, gra1 OnceRead");
        insta::assert_snapshot!(meant("canaries,version<10.2"), @"vie1 OnceRead, vie2 No, gra1 OnceRead");
    }

    #[test]
    fn what_a_device_says_decides_the_rest() {
        let inventory = inventory();
        let of = |place: usize, selector: &str, model: &str, version: &str| {
            let selector: Selector = selector.parse().unwrap();
            let selection = selector.resolved(&inventory).unwrap();
            selection.of_device(&inventory.devices[place], &system(model, version))
        };
        let is = |selector: &str, model: &str, version: &str| of(0, selector, model, version);
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
        assert!(is("canaries", "PA-440", "10.2.0"));
        assert!(!is("canaries,version<10.2", "PA-440", "10.2.0"));
        // Of the large ones of others, and of nobody else's.
        let (large, small) = (("PA-850", "10.2.0"), ("PA-440", "10.2.0"));
        let canary = |place, (model, version)| of(place, "canaries", model, version);
        assert!(canary(2, large) && !canary(2, small) && !canary(1, large));
        assert!(of(1, "!canaries", "PA-850", "10.2.0"));
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        let said = |text: &str| match text.parse::<Selector>() {
            Err(error) => error.to_string(),
            Ok(selector) => selector.resolved(&inventory()).unwrap_err().to_string(),
        };
        insta::assert_snapshot!(said("customer acme"), @r#"reading the selector "customer acme": "customer acme" is neither a key, one of = != ~ !~ < <= > >= and a value, nor the name of a group"#);
        insta::assert_snapshot!(said("customer=acme,"), @r#"reading the selector "customer=acme,": "" is neither a key, one of = != ~ !~ < <= > >= and a value, nor the name of a group"#);
        insta::assert_snapshot!(said("!!canaries"), @r#"reading the selector "!!canaries": "!!canaries" is neither a key, one of = != ~ !~ < <= > >= and a value, nor the name of a group"#);
        insta::assert_snapshot!(said("!"), @r#"reading the selector "!": "!" is neither a key, one of = != ~ !~ < <= > >= and a value, nor the name of a group"#);
        insta::assert_snapshot!(said("model<PA-850"), @r#"reading the selector "model<PA-850": model has no order; < <= > >= are for version"#);
        insta::assert_snapshot!(said("version<ten"), @r#"reading the selector "version<ten": "ten" is neither a release (10.2.4-h4) nor a feature release (10.2)"#);
        insta::assert_snapshot!(said("custommer=acme"), @"the selector asks for custommer, which no device has (nearest: customer, hostname, model)");
        insta::assert_snapshot!(said("customer=acme,!canries"), @"the selector asks for the group canries, which the inventory does not have (nearest: canaries, branches, large)");
        insta::assert_snapshot!(said("customer"), @"the selector asks for the group customer, which the inventory does not have (nearest: acme, canaries, branches)");
        let of_nothing = of_groups("");
        let selector: Selector = "canaries".parse().unwrap();
        insta::assert_snapshot!(selector.resolved(&of_nothing).unwrap_err(), @"the selector asks for the group canaries, which the inventory does not have (it has no groups)");
        insta::assert_snapshot!(selector.parted(&["name", "customer"]).unwrap_err(), @"the selector asks for the group canaries, and reports have no groups; they have name, model, version, serial and labels");
    }

    #[test]
    fn an_inventory_that_nobody_checked_selects_nobody_by_mistake() {
        let refused = |groups: &str, selector: &str| {
            let selector: Selector = selector.parse().unwrap();
            let resolved = selector.resolved(&of_groups(groups));
            resolved.unwrap_err().to_string()
        };
        let circle = "groups: {a: '!b', b: [name=vie1, c], c: b, d: custommer=acme}";
        insta::assert_snapshot!(refused(circle, "!a"), @"the group b is made of itself, by way of c");
        insta::assert_snapshot!(refused(circle, "d"), @"the selector asks for custommer, which no device has (nearest: customer, hostname, model)");
        insta::assert_snapshot!(refused("groups: {a: nobody}", "!a"), @"the selector asks for the group nobody, which the inventory does not have (nearest: a)");
    }

    #[test]
    fn a_long_chain_of_groups_and_one_that_doubles_itself_are_told_all_the_same() {
        let chain = |named: &dyn Fn(usize) -> String| {
            let groups: Vec<String> = (1..400)
                .map(|at| format!("  g{at}: {}\n", named(at - 1)))
                .collect();
            of_groups(&format!("groups:\n  g0: name=vie1\n{}", groups.concat()))
        };
        for inventory in [
            chain(&|before| format!("[g{before}, g{before}]")),
            chain(&|before| format!("['!g{before}']")),
        ] {
            inventory
                .groups
                .check(std::path::Path::new("inventory.yaml"))
                .unwrap();
            let selector: Selector = "g398".parse().unwrap();
            let selection = selector.resolved(&inventory).unwrap();
            let meant = [0, 1].map(|place| selection.of_entry(&inventory.devices[place]));
            assert_eq!(meant, [Meant::Yes, Meant::No]);
        }
    }

    /// Whether a device is meant, told from the texts by going into every group: slow, and plain.
    fn plainly(text: &str, groups: &BTreeMap<String, Vec<String>>, holds: &dyn Fn(&str) -> bool) -> bool {
        text.split(',').all(|term| {
            let (name, within) = term.strip_prefix('!').map_or((term, true), |name| (name, false));
            match groups.get(name) {
                None => holds(term),
                Some(group) => within == group.iter().any(|text| plainly(text, groups, holds)),
            }
        })
    }

    /// One of these terms, or a group before this one.
    fn written((pick, all_but): &(usize, bool), at: usize) -> String {
        let terms = [
            "name=vie1",
            "site!=vienna",
            "customer~a*",
            "model~PA-8*",
            "version<10.2",
        ];
        match terms.get(*pick) {
            Some(term) => (*term).to_owned(),
            None if at == 0 => terms[pick % terms.len()].to_owned(),
            None => format!("{}g{}", if *all_but { "!" } else { "" }, pick % at),
        }
    }

    proptest::proptest! {
        #[test]
        fn groups_of_groups_select_what_going_into_each_of_them_does(
            picked in proptest::collection::vec(
                proptest::collection::vec(
                    proptest::collection::vec((0..12usize, proptest::bool::ANY), 1..3),
                    1..3,
                ),
                1..6,
            ),
            old in proptest::bool::ANY,
            large in proptest::bool::ANY,
        ) {
            let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (at, group) in picked.iter().enumerate() {
                let selector = |terms: &Vec<(usize, bool)>| {
                    let terms: Vec<String> = terms.iter().map(|term| written(term, at)).collect();
                    terms.join(",")
                };
                groups.insert(format!("g{at}"), group.iter().map(selector).collect());
            }
            let mut inventory = of_groups("");
            inventory.groups = serde_json::from_value(serde_json::to_value(&groups).unwrap()).unwrap();
            inventory.groups.check(std::path::Path::new("inventory.yaml")).unwrap();
            let system = system(if large { "PA-850" } else { "PA-440" }, if old { "10.1.0" } else { "11.1.0" });
            let last = format!("!g{}", picked.len() - 1);
            let selection = last.parse::<Selector>().unwrap().resolved(&inventory).unwrap();
            for entry in &inventory.devices {
                let holds = |term: &str| {
                    let alone = term.parse::<Selector>().unwrap().resolved(&inventory).unwrap();
                    alone.of_device(entry, &system)
                };
                let is = selection.of_device(entry, &system);
                proptest::prop_assert_eq!(is, plainly(&last, &groups, &holds));
                match selection.of_entry(entry) {
                    Meant::Yes => proptest::prop_assert!(is),
                    Meant::No => proptest::prop_assert!(!is),
                    Meant::OnceRead => {}
                }
            }
        }

        #[test]
        fn a_selector_reads_back_as_it_is_shown(
            terms in proptest::collection::vec(("[a-z]{1,6}", 0..6usize, "[A-Za-z0-9*?.-]{1,8}"), 1..4),
        ) {
            let text: Vec<_> = terms.iter().map(|(key, form, value)| match form {
                4 => key.clone(),
                5 => format!("!{key}"),
                sign => format!("{key}{}{value}", ["=", "!=", "~", "!~"][*sign]),
            }).collect();
            let selector: Selector = text.join(",").parse().unwrap();
            proptest::prop_assert_eq!(selector.to_string(), text.join(","));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = text.parse::<Selector>();
        }
    }
}
