//! The groups that an inventory names: each is a selector, or several of which any may hold, and may name other groups.
//!
//! Knows how they are written and what is wrong with them; which devices are in one is the selection's business.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use hopgate_core::names::GroupName;
use hopgate_paths::nearest_names;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::selection::{AllOf, AnyOf, Condition};
use super::term::Term;
use super::{Selection, Selector, SelectorError, check_keys, keys_of};
use crate::config::inventory::Entry;
use crate::config::{ConfigError, meaning};

/// The groups, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Groups(BTreeMap<GroupName, Group>);

/// Written as one selector, or as a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group(Vec<Selector>);

impl Groups {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses a group of nobody, one of a group that there is not, and one that is made of itself.
    pub(in crate::config) fn check(&self, path: &Path) -> Result<(), ConfigError> {
        for (name, group) in &self.0 {
            let wrong = |text: String| Err(meaning(path, key(name), text));
            if group.0.is_empty() {
                let told = "names no selector, and would be a group of nobody; quote one that begins with !";
                return wrong(told.to_owned());
            }
            if let Some(stray) = group.named().find(|named| !self.0.contains_key(*named)) {
                return wrong(self.unknown(stray).to_string());
            }
        }
        let placed = self.placed(self.0.keys());
        placed.map(|_| ()).map_err(|error| {
            let at = match &error {
                SelectorError::Circle { groups } => groups.first().map(key),
                _ => None,
            };
            meaning(path, at.unwrap_or_else(|| "groups".to_owned()), error.to_string())
        })
    }

    /// Refuses a group that asks for what none of these devices has.
    pub(crate) fn check_keys(&self, path: &Path, devices: &[Entry]) -> Result<(), ConfigError> {
        let known = keys_of(devices);
        for (name, group) in &self.0 {
            for selector in &group.0 {
                check_keys(&selector.terms, &known)
                    .map_err(|error| meaning(path, key(name), error.to_string()))?;
            }
        }
        Ok(())
    }

    /// What these terms select, with the groups that they name.
    pub(super) fn selection(&self, terms: &[Term], known: &[&str]) -> Result<Selection, SelectorError> {
        check_keys(terms, known)?;
        let placed = self.placed(terms.iter().filter_map(Term::group))?;
        for name in placed.places.keys() {
            for selector in self.0.get(*name).iter().flat_map(|group| &group.0) {
                check_keys(&selector.terms, known)?;
            }
        }
        let terms = placed.all_of(terms).map_err(|name| self.unknown(name))?;
        Ok(Selection {
            groups: placed.groups,
            terms,
        })
    }

    /// These groups and whatever they name, each after those it names itself. Goes round by round, and never into a group
    /// from within another: neither a circle nor a chain of any length can exhaust the stack.
    fn placed<'g>(&'g self, named: impl Iterator<Item = &'g GroupName>) -> Result<Placed<'g>, SelectorError> {
        let mut waiting: BTreeMap<&GroupName, &Group> = BTreeMap::new();
        let mut open: Vec<&GroupName> = named.collect();
        while let Some(name) = open.pop() {
            let group = self.0.get(name).ok_or_else(|| self.unknown(name))?;
            if waiting.insert(name, group).is_none() {
                open.extend(group.named());
            }
        }
        let mut placed = Placed::default();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|name, group| !placed.take(name, group));
            if waiting.len() == before {
                return Err(circle(&waiting));
            }
        }
        Ok(placed)
    }

    fn unknown(&self, name: &GroupName) -> SelectorError {
        let known = self.0.keys().map(GroupName::as_str);
        SelectorError::Group {
            name: name.clone(),
            nearest: nearest_names(name.as_str(), known, 3)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// The key of a group in its file.
fn key(name: &GroupName) -> String {
    format!("groups.{name}")
}

/// Of groups that all wait for one another, one that is made of itself.
fn circle(waiting: &BTreeMap<&GroupName, &Group>) -> SelectorError {
    let mut walked: Vec<&GroupName> = Vec::new();
    let mut next = waiting.keys().next().copied();
    while let Some(name) = next
        && !walked.contains(&name)
    {
        walked.push(name);
        let group = waiting.get(name);
        next = group.and_then(|group| group.named().find(|named| waiting.contains_key(named)));
    }
    let to_it = walked.into_iter().skip_while(|name| Some(*name) != next);
    SelectorError::Circle {
        groups: to_it.cloned().collect(),
    }
}

/// Groups that are told, and where each is found.
#[derive(Default)]
struct Placed<'g> {
    places: BTreeMap<&'g GroupName, usize>,
    groups: Vec<AnyOf>,
}

impl<'g> Placed<'g> {
    /// Whether each group that it names is placed, so that it is placed too.
    fn take(&mut self, name: &'g GroupName, group: &Group) -> bool {
        let selectors = group.0.iter().map(|selector| self.all_of(&selector.terms));
        match selectors.collect() {
            Err(_) => false,
            Ok(any_of) => {
                self.places.insert(name, self.groups.len());
                self.groups.push(any_of);
                true
            }
        }
    }

    /// The terms; or a group of theirs that is not placed.
    fn all_of<'t>(&self, terms: &'t [Term]) -> Result<AllOf, &'t GroupName> {
        let condition = |term: &'t Term| match term {
            Term::Compared(compared) => Ok(Condition::Compared(compared.clone())),
            Term::Group { name, within } => match self.places.get(name) {
                None => Err(name),
                Some(place) => Ok(Condition::Group {
                    place: *place,
                    within: *within,
                }),
            },
        };
        terms.iter().map(condition).collect()
    }
}

impl Group {
    /// The groups that it names itself.
    fn named(&self) -> impl Iterator<Item = &GroupName> {
        let terms = self.0.iter().flat_map(|selector| &selector.terms);
        terms.filter_map(Term::group)
    }
}

impl Serialize for Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Group;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a selector, or a list of selectors of which any may hold")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Group, E> {
        text.parse().map(|only| Group(vec![only])).map_err(E::custom)
    }

    /// Nothing behind the name: told with its place, as an empty list is.
    fn visit_unit<E: Error>(self) -> Result<Group, E> {
        Ok(Group(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Group, A::Error> {
        let mut selectors = Vec::new();
        while let Some(selector) = list.next_element()? {
            selectors.push(selector);
        }
        Ok(Group(selectors))
    }
}
