//! Which devices are meant, with every group told: what a selector is of one inventory, and the only thing that can be asked.
//!
//! Asked twice: with what the inventory has of a device, and with what the device says of itself. Where the first leaves
//! it open, so may a group, and all but a group. Knows nothing of how a selector is written.

use hopgate_playbooks::System;

use super::SAID_BY_DEVICE;
use super::term::Compared;
use crate::config::inventory::Entry;

/// Some devices of an inventory; all of them by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Each after the groups that it names itself: a group is looked at once for a device, however often it is named.
    pub(super) groups: Vec<AnyOf>,
    pub(super) terms: AllOf,
}

/// A group: one of these is enough.
pub(super) type AnyOf = Vec<AllOf>;

/// A selector: each of these has to hold.
pub(super) type AllOf = Vec<Condition>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Compared(Compared),
    /// In the group at this place, or not in it.
    Group {
        place: usize,
        within: bool,
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

impl Meant {
    fn and(self, other: Meant) -> Meant {
        match (self, other) {
            (Meant::No, _) | (_, Meant::No) => Meant::No,
            (Meant::OnceRead, _) | (_, Meant::OnceRead) => Meant::OnceRead,
            (Meant::Yes, Meant::Yes) => Meant::Yes,
        }
    }

    fn or(self, other: Meant) -> Meant {
        !(!self).and(!other)
    }
}

impl std::ops::Not for Meant {
    type Output = Meant;

    fn not(self) -> Meant {
        match self {
            Meant::Yes => Meant::No,
            Meant::No => Meant::Yes,
            Meant::OnceRead => Meant::OnceRead,
        }
    }
}

impl From<bool> for Meant {
    fn from(holds: bool) -> Meant {
        if holds { Meant::Yes } else { Meant::No }
    }
}

impl Selection {
    /// Whether the inventory alone decides.
    pub fn of_entry(&self, entry: &Entry) -> Meant {
        self.meant(&|term| {
            if SAID_BY_DEVICE.contains(&term.key.as_str()) {
                Meant::OnceRead
            } else {
                term.holds(said_by_inventory(entry, &term.key)).into()
            }
        })
    }

    /// Whether a device of the inventory that said what it is is meant.
    pub fn of_device(&self, entry: &Entry, system: &System) -> bool {
        self.holds(&|term| match term.key.as_str() {
            "model" => term.holds(Some(&system.model)),
            "serial" => term.holds(Some(&system.serial)),
            "hostname" => term.holds(Some(&system.hostname)),
            "version" => term.holds_for(system.sw_version),
            key => term.holds(said_by_inventory(entry, key)),
        })
    }

    /// Whether a device is meant of which only this was kept: the value of each key.
    pub(crate) fn of_kept<'d>(&self, kept: impl Fn(&str) -> Option<&'d str>) -> bool {
        self.holds(&|term| {
            let value = kept(&term.key);
            match value.and_then(|value| value.parse().ok()) {
                Some(version) if term.key == "version" => term.holds_for(version),
                _ => term.holds(value),
            }
        })
    }

    /// Where every key has a value, or has none for good, nothing is left open.
    fn holds(&self, holds: &dyn Fn(&Compared) -> bool) -> bool {
        self.meant(&|term| holds(term).into()) == Meant::Yes
    }

    fn meant(&self, holds: &dyn Fn(&Compared) -> Meant) -> Meant {
        let mut groups: Vec<Meant> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let selectors = group.iter().map(|terms| all(terms, &groups, holds));
            let meant = selectors.fold(Meant::No, Meant::or);
            groups.push(meant);
        }
        all(&self.terms, &groups, holds)
    }
}

fn all(terms: &AllOf, groups: &[Meant], holds: &dyn Fn(&Compared) -> Meant) -> Meant {
    let terms = terms.iter().map(|term| match term {
        Condition::Compared(term) => holds(term),
        Condition::Group { place, within: true } => groups[*place],
        Condition::Group { place, within: false } => !groups[*place],
    });
    terms.fold(Meant::Yes, Meant::and)
}

fn said_by_inventory<'e>(entry: &'e Entry, key: &str) -> Option<&'e str> {
    match key {
        "name" => Some(entry.name.as_str()),
        "address" => Some(&entry.address),
        "peer" => entry.peer.as_ref().map(|peer| peer.as_str()),
        label => entry.labels.get(label).map(String::as_str),
    }
}
