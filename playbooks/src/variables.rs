//! The facts as expressions see them: an area becomes a value when the first expression names it, once for every playbook
//! that is asked of the same facts.
//!
//! Responsible for: that most areas of a device, which no check looks at, cost nothing. Must not know: checks.

use std::sync::OnceLock;

use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use crate::facts::{FactArea, Facts};

/// What the expressions of any playbook can name of one device's facts.
///
/// A large routing table is made into values once, however many playbooks look at it.
pub struct Variables<'f> {
    facts: &'f Facts,
    /// By the area's place in [`FactArea::ALL`]; nothing where an area is unknown.
    areas: [OnceLock<Option<Box<dyn Val>>>; FactArea::ALL.len()],
}

impl<'f> Variables<'f> {
    /// Of these facts.
    pub fn of(facts: &'f Facts) -> Self {
        Self {
            facts,
            areas: [const { OnceLock::new() }; FactArea::ALL.len()],
        }
    }

    pub(crate) fn facts(&self) -> &'f Facts {
        self.facts
    }

    fn area(&self, area: FactArea) -> Option<&dyn Val> {
        let value = self.areas.get(area as usize)?.get_or_init(|| {
            // Facts serialize: an area that did not would be one that cannot be named, and its check an error.
            self.facts.value(area)?.ok()
        });
        value.as_deref()
    }
}

impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        self.area(FactArea::named(name)?).map(CowVal::Borrowed)
    }
}

impl std::fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variables")
            .field("device", &self.facts.device)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::facts::Fact;

    #[test]
    fn an_area_is_made_into_a_value_when_it_is_named_and_only_then() {
        let mut facts = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
        facts.locks = Fact::Known(vec!["commit lock of carol".to_owned()]);
        facts.jobs = Fact::Known(Vec::new());
        let variables = Variables::of(&facts);
        assert!(variables.resolve("locks").is_some());
        assert!(variables.resolve("optics").is_none(), "it is not known");
        assert!(variables.resolve("lock").is_none() && variables.resolve("locks.size").is_none());
        let made = |area: FactArea| variables.areas[area as usize].get().is_some();
        let looked_at = FactArea::ALL.into_iter().filter(|area| made(*area));
        assert_eq!(looked_at.collect::<Vec<_>>(), [FactArea::Optics, FactArea::Locks]);
    }

    #[test]
    fn every_area_has_its_place() {
        for (place, area) in FactArea::ALL.into_iter().enumerate() {
            assert_eq!(area as usize, place, "{area}");
            assert_eq!(FactArea::named(area.name()), Some(area));
        }
    }
}
