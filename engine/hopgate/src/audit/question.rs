//! What an audit asks, and of whom: playbooks, the way, and who is meant.
//!
//! Knows nothing of how devices are asked, or of what they answer.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hopgate_paths::{Catalogue, Target};
use hopgate_playbooks::{FactArea, Playbook, Setting, advisories};

use super::evidence::Needs;
use super::waivers::Waivers;
use crate::checks::{ADVISORIES, Asked, Hashed};
use crate::config::selector::Selection;

/// Devices that are asked at once where nobody says otherwise. A management plane takes its time for every answer, so that
/// an estate is as quick as many of them wait side by side; one holds two connections and its replies, a quarter of a megabyte.
pub const AT_ONCE: usize = 340;

/// Seconds after which a device is told as not read, where nobody says otherwise: as long as a healthy one takes for a
/// large configuration, twice.
pub const PATIENCE_S: u64 = 120;

/// What is asked, and of whom.
pub struct Question {
    /// The checks.
    pub playbooks: Vec<Playbook>,
    /// The settings that were chosen for them, by playbook.
    pub settings: BTreeMap<String, BTreeMap<String, Setting>>,
    /// Whether what the catalogue knows against each device's way is asked too.
    pub advisories: bool,
    /// Where every device's way is planned to.
    pub target: Option<Target>,
    /// The releases, and what is known of them.
    pub catalogue: Cow<'static, Catalogue>,
    /// Which devices are meant.
    pub selection: Selection,
    /// What somebody decided not to count.
    pub waivers: Waivers,
    /// Whether what was read is wanted afterwards.
    pub keep_facts: bool,
    /// Devices that are asked at once; at least 1.
    pub at_once: usize,
    /// How long one device may take.
    pub patience: Duration,
    /// The facts that the checks need.
    pub areas: BTreeSet<FactArea>,
    /// The checks that are about a hop, where there is no target.
    pub not_asked: Vec<String>,
}

impl Question {
    /// These checks, of every device, without waivers or facts kept. Without a target no hop is looked for, and what is
    /// about one is left out: asked all the same, it would make every device unknown.
    pub fn of(asked: Vec<Hashed>, target: Option<Target>, catalogue: Cow<'static, Catalogue>) -> Question {
        let mut question = Question {
            playbooks: Vec::new(),
            settings: BTreeMap::new(),
            advisories: false,
            target,
            catalogue,
            selection: Selection::default(),
            waivers: Waivers::default(),
            keep_facts: false,
            at_once: AT_ONCE,
            patience: Duration::from_secs(PATIENCE_S),
            areas: BTreeSet::from([FactArea::System]),
            not_asked: Vec::new(),
        };
        for hashed in asked {
            if !hashed.settings.is_empty() {
                let chosen = (hashed.name().to_owned(), hashed.settings.clone());
                question.settings.extend([chosen]);
            }
            match hashed.asked {
                Asked::Playbook(playbook) => question.add(playbook),
                Asked::Advisories => question.advisories = true,
                // One look has nothing to compare with: the order refuses it.
                Asked::Differences(_) => {}
            }
        }
        question
    }

    fn add(&mut self, playbook: Playbook) {
        let playbook = if self.target.is_some() {
            playbook
        } else {
            let (rest, left_out) = playbook.without_hop();
            let named = |check| format!("{}/{check}", rest.name());
            self.not_asked.extend(left_out.into_iter().map(named));
            rest
        };
        self.areas.extend(playbook.needs());
        self.playbooks.push(playbook);
    }

    /// A playbook whose checks were all left out: that nothing was found would say nothing.
    pub fn nothing_left(&self) -> Option<&str> {
        let mut empty = self.playbooks.iter().filter(|playbook| {
            let mut checks = playbook.checks();
            checks.next().is_none()
        });
        empty.next().map(Playbook::name)
    }

    /// What each check looks at, by its name as waivers name it.
    pub fn needs(&self) -> BTreeMap<String, Needs> {
        let mut needs = BTreeMap::new();
        for playbook in &self.playbooks {
            for check in playbook.checks() {
                let asks = check.asks.iter().filter_map(|name| playbook.ask(name));
                let questions = asks.map(|ask| ask.to_string()).collect();
                let areas = check.needs;
                needs.insert(
                    format!("{}/{}", playbook.name(), check.id),
                    Needs { areas, questions },
                );
            }
        }
        let asked = self.catalogue.advisories().filter(|_| self.advisories);
        needs.extend(asked.map(|advisory| {
            let mut areas = advisories::areas([&**advisory]);
            // Whether a step of its way is concerned goes by its model and its release.
            areas.insert(FactArea::System);
            let name = format!("{ADVISORIES}/{}", advisory.id);
            (
                name,
                Needs {
                    areas,
                    questions: BTreeSet::new(),
                },
            )
        }));
        needs
    }

    /// The names of what is asked.
    pub fn names(&self) -> Vec<String> {
        let playbooks = self.playbooks.iter().map(|playbook| playbook.name().to_owned());
        let advisories = self.advisories.then(|| ADVISORIES.to_owned());
        playbooks.chain(advisories).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_says_what_it_looks_at() {
        let library = Playbook::builtin_names().map(|name| Playbook::builtin(name).unwrap().unwrap());
        let mut question = Question::of(Vec::new(), None, Cow::Borrowed(Catalogue::embedded().unwrap()));
        question.playbooks.extend(library);
        question.advisories = true;
        let needs = question.needs();
        let checks = question
            .playbooks
            .iter()
            .map(|playbook| playbook.checks().count());
        let advisories = question.catalogue.advisories().count();
        assert_eq!(needs.len(), checks.sum::<usize>() + advisories);
        assert_eq!(
            needs["optics/PAN-221190"].areas,
            BTreeSet::from([FactArea::System, FactArea::Optics])
        );
        assert!(needs["advisories/PAN-221190"].areas.contains(&FactArea::System));
        // One is about the hop alone; the other's question is asked once its setting says what about.
        let nothing: Vec<&String> = needs
            .iter()
            .filter(|(_, needs)| needs.areas.is_empty() && needs.questions.is_empty())
            .map(|(check, _)| check)
            .collect();
        assert_eq!(nothing, ["licences/target-end-of-life", "network/session-exist"]);
    }

    #[test]
    fn the_page_tells_what_holds_where_nobody_says_otherwise() {
        let page = include_str!("../../../../docs/audit.md");
        for told in [
            format!("side by side ({AT_ONCE})"),
            format!("`--timeout` seconds ({PATIENCE_S})"),
        ] {
            assert!(page.contains(&told), "{told}");
        }
    }
}
