//! What findings rest on: when a firewall was read, what each area of it was read with, and which areas each check needs.
//!
//! Most firewalls of an estate are asked the same: what they were asked is kept once. Knows nothing of what was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hopgate_playbooks::{FactArea, Facts};
use jiff::Timestamp;

/// What each area was read with, as it is typed on the command line of the firewall.
pub type Commands = BTreeMap<FactArea, Vec<String>>;

/// How one device was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// When the reading began.
    pub read_at: Timestamp,
    /// What it was asked.
    pub commands: Arc<Commands>,
}

impl Evidence {
    /// Of these facts. Areas that nothing was asked for are left out.
    pub(super) fn of(facts: &Facts) -> Evidence {
        let asked = facts
            .sources
            .iter()
            .filter(|(_, source)| !source.commands.is_empty());
        let commands = asked.map(|(area, source)| (*area, source.commands.clone()));
        Evidence {
            read_at: facts.read_at,
            commands: Arc::new(commands.collect()),
        }
    }
}

/// What a check looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The areas of the facts.
    pub areas: BTreeSet<FactArea>,
    /// The playbook's own questions, as they are sent.
    pub questions: BTreeSet<String>,
}

/// What devices were asked, each way to be asked once: ten thousand copies would be most of what an audit holds.
#[derive(Default)]
pub(super) struct Shared(BTreeSet<Arc<Commands>>);

impl Shared {
    pub(super) fn share(&mut self, evidence: &mut Evidence) {
        match self.0.get(&evidence.commands) {
            Some(known) => evidence.commands = Arc::clone(known),
            None => {
                self.0.insert(Arc::clone(&evidence.commands));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hopgate_playbooks::FactSource;

    use super::*;

    fn asked(at: &str, areas: &[(FactArea, &[&str])]) -> Evidence {
        let read_at: Timestamp = at.parse().unwrap();
        let mut facts = Facts::unread("fw1", read_at);
        for (area, commands) in areas {
            let commands = commands.iter().map(|command| (*command).to_owned()).collect();
            facts.sources.insert(*area, FactSource { read_at, commands });
        }
        Evidence::of(&facts)
    }

    #[test]
    fn devices_that_were_asked_the_same_share_what_they_were_asked() {
        let system: (FactArea, &[&str]) = (FactArea::System, &["show system info"]);
        let mut first = asked("2026-03-07T19:00:00Z", &[system]);
        let mut other = asked(
            "2026-03-07T19:00:01Z",
            &[system, (FactArea::Arp, &["show arp all"])],
        );
        let mut last = asked("2026-03-07T19:00:02Z", &[system, (FactArea::Arp, &[])]);
        let mut shared = Shared::default();
        for evidence in [&mut first, &mut other, &mut last] {
            shared.share(evidence);
        }
        assert!(Arc::ptr_eq(&first.commands, &last.commands));
        assert!(!Arc::ptr_eq(&first.commands, &other.commands));
        assert_eq!(other.commands[&FactArea::Arp], ["show arp all"]);
        assert_ne!(first.read_at, last.read_at);
    }
}
