//! What is known against the releases and steps of one question, for the device it is about.
//!
//! Responsible for: asking the facts, each advisory once, and saying what refuses a step, what it weighs, and what a
//! hop meets. Must not know: rules of the vendor, stops, or how a path is found.

use std::borrow::Cow;
use std::sync::Arc;

use super::Against;
use super::question::Question;
use crate::advisory::{Advisory, Direction, Exposure, Severity};
use crate::plan::Assessed;
use crate::route::BlockedBy;
use crate::version::Version;

/// Minutes a blocking advisory counts for: exposed and accepted (or with no facts to refuse by), or open.
const EXPOSED_BLOCK_RISK_MIN: u32 = 20;
const OPEN_BLOCK_RISK_MIN: u32 = 5;

/// Minutes a warning or a suspicion counts for where least risk is asked for. Otherwise it is told and not weighed: the
/// notes say most of the releases that are cared for longest, which would lead every path around them.
const EXPOSED_WARN_RISK_MIN: u32 = 3;

/// What is known against a release or a step, in minutes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// By advisories that block.
    pub(super) blocking: u32,
    /// By all others the device is exposed to.
    pub(super) warning: u32,
}

impl Question<'_, '_> {
    /// What is known against standing on a release, before the device is asked. A release without a row is looked at
    /// as any other.
    pub(super) fn against(&self, release: Version) -> Cow<'_, [Against]> {
        match self.graph.against.get(&release) {
            Some(against) => Cow::Borrowed(against),
            None => Cow::Owned(self.graph.known_against(release)),
        }
    }

    fn advisory(&self, against: Against) -> &Arc<Advisory> {
        self.graph.advisories[against.advisory]
    }

    /// The device's answer.
    fn exposure(&self, against: Against) -> Arc<Exposure> {
        let Some(view) = self.request.view else {
            return Arc::clone(&self.graph.unasked[against.advisory]);
        };
        let advisory = self.advisory(against);
        // What does not depend on the device has its answer already.
        if advisory.when.is_empty() {
            return Arc::clone(&self.graph.unasked[against.advisory]);
        }
        let on = advisory.goes_by_release().then_some(against.release);
        let mut answers = self.answers.borrow_mut();
        let answer = answers
            .entry((against.advisory, on))
            .or_insert_with(|| Arc::new(advisory.exposure(view, against.release)));
        Arc::clone(answer)
    }

    fn accepted(&self, against: Against) -> bool {
        self.request.accepted.contains(&self.advisory(against).id)
    }

    /// Whether an advisory about a release is about reaching it this way.
    pub(super) fn on_step(&self, against: Against, from: Version, to: Version) -> bool {
        let direction = if to < from { Direction::Down } else { Direction::Up };
        let advisory = self.advisory(against);
        advisory.concerns_direction(direction) && advisory.concerns_leaving(from)
    }

    /// Whether an advisory refuses a release: facts are there, it blocks, the device is exposed, nobody accepted it.
    pub(super) fn refuses(&self, against: Against) -> bool {
        self.request.view.is_some()
            && !against.suspect
            && self.advisory(against).severity == Severity::Block
            && !self.accepted(against)
            && matches!(*self.exposure(against), Exposure::Exposed { .. })
    }

    /// Whether the device is exposed, on the way from one release to another, to something that blocks.
    pub(super) fn blocked(&self, from: Version, to: Version) -> bool {
        self.request.view.is_some()
            && self
                .against(to)
                .iter()
                .any(|against| self.on_step(*against, from, to) && self.refuses(*against))
    }

    /// What blocks a step.
    pub(super) fn blocking(&self, from: Version, to: Version) -> Vec<BlockedBy> {
        self.refusals(to, |against| self.on_step(against, from, to))
    }

    /// What blocks standing on a release, whichever release the device comes from.
    pub(super) fn blocking_at(&self, release: Version) -> Vec<BlockedBy> {
        let from = self.request.from;
        self.refusals(release, |against| {
            self.advisory(against).from.is_empty() && self.on_step(against, from, release)
        })
    }

    fn refusals(&self, release: Version, about: impl Fn(Against) -> bool) -> Vec<BlockedBy> {
        if self.request.view.is_none() {
            return Vec::new();
        }
        let against = self.against(release);
        let refusing = against
            .iter()
            .filter(|against| about(**against) && self.refuses(**against));
        refusing
            .map(|against| {
                let advisory = self.advisory(*against);
                let evidence = match &*self.exposure(*against) {
                    Exposure::Exposed { evidence } => evidence.clone(),
                    Exposure::Clear { .. } | Exposure::Unknown { .. } => Vec::new(),
                };
                BlockedBy {
                    advisory: advisory.id.clone(),
                    release,
                    effect: advisory.effect.clone(),
                    evidence,
                    action: advisory.action.clone(),
                }
            })
            .collect()
    }

    /// Minutes that what is known against a release counts for, as far as it is about the step.
    pub(super) fn weighed(&self, against: &[Against], about: impl Fn(&Against) -> bool) -> Held {
        let mut held = Held::default();
        for against in against.iter().filter(|against| about(against)) {
            let blocking = self.advisory(*against).severity == Severity::Block && !against.suspect;
            match (blocking, &*self.exposure(*against)) {
                (true, Exposure::Exposed { .. }) => held.blocking += EXPOSED_BLOCK_RISK_MIN,
                (true, Exposure::Unknown { .. }) => held.blocking += OPEN_BLOCK_RISK_MIN,
                (false, Exposure::Exposed { .. }) => held.warning += EXPOSED_WARN_RISK_MIN,
                (_, Exposure::Clear { .. }) | (false, Exposure::Unknown { .. }) => {}
            }
        }
        held
    }

    /// Everything a hop meets, worst first.
    pub(super) fn assessed(&self, from: Version, to: Version) -> Vec<Assessed> {
        let against = self.against(to);
        let met = against.iter().filter(|against| self.on_step(**against, from, to));
        let mut assessed: Vec<_> = met
            .map(|against| {
                let advisory = self.advisory(*against);
                Assessed {
                    advisory: Arc::clone(advisory),
                    release: to,
                    severity: if against.suspect {
                        Severity::Warn
                    } else {
                        advisory.severity
                    },
                    suspect: against.suspect,
                    accepted: self.accepted(*against),
                    exposure: self.exposure(*against),
                }
            })
            .collect();
        Assessed::sort(&mut assessed);
        assessed
    }
}
