//! What a device's loop works with: the client of the device and of its peer, its checks, the ledger and the clock.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use hopgate_core::acceptance::Acceptance;
use hopgate_core::device::{Enrolment, Failure, FailureKind};
use hopgate_panos::{CallError, Client};
use hopgate_paths::{Catalogue, Hop};
use hopgate_playbooks::advisories::{self, Step, Waiver};
use hopgate_playbooks::{FactArea, Facts, Finding, Variables};

use crate::checks::{self, Asked};
use crate::clock::Clock;
use crate::kept::Kept;
use crate::ledger::Ledger;

/// What a campaign asks around its hops.
pub struct Checks {
    /// Asked before every hop.
    pub before: Vec<Asked>,
    /// Asked after every hop.
    pub after: Vec<Asked>,
    /// Where the advisories are.
    pub catalogue: Cow<'static, Catalogue>,
    /// The advisories that do not hold some of the devices.
    pub accepted: Vec<Acceptance>,
}

/// One device, within reach.
pub struct Hands {
    enrolment: Enrolment,
    client: Arc<Client>,
    peer: Option<Arc<Client>>,
    checks: Arc<Checks>,
    ledger: Ledger,
    kept: Kept,
    clock: Clock,
}

impl Hands {
    /// Everything that a device's loop needs.
    pub fn new(
        enrolment: Enrolment,
        client: Arc<Client>,
        peer: Option<Arc<Client>>,
        checks: Arc<Checks>,
        ledger: Ledger,
        kept: Kept,
        clock: Clock,
    ) -> Self {
        Hands {
            enrolment,
            client,
            peer,
            checks,
            ledger,
            kept,
            clock,
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn peer(&self) -> Option<&Client> {
        self.peer.as_deref()
    }

    pub(super) fn checks(&self) -> &Checks {
        &self.checks
    }

    /// For work on another thread.
    pub(super) fn shared_checks(&self) -> &Arc<Checks> {
        &self.checks
    }

    /// The facts that `asked` needs for this hop, and `also`.
    pub(super) fn needs(&self, asked: &[Asked], hop: Option<&Hop>, also: &[FactArea]) -> BTreeSet<FactArea> {
        let mut areas: BTreeSet<FactArea> = also.iter().copied().collect();
        for asked in asked {
            match asked {
                Asked::Playbook(playbook) => areas.extend(playbook.needs()),
                Asked::Advisories => areas.extend(advisories::areas(advisories::on_the_way(
                    &self.checks.catalogue,
                    &self.enrolment.model,
                    &self.steps_from(hop),
                ))),
                Asked::Differences(rules) => areas.extend(rules.areas()),
            }
        }
        areas
    }

    /// Every finding of `asked` over the same facts.
    pub(super) fn evaluate(&self, asked: &[Asked], facts: &Facts, hop: Option<&Hop>) -> Vec<Finding> {
        let context = checks::way_context(self.ahead(hop));
        let variables = Variables::of(facts);
        asked
            .iter()
            .flat_map(|asked| match asked {
                Asked::Playbook(playbook) => playbook.evaluate_over(&variables, context.as_ref()),
                Asked::Advisories => advisories::findings(
                    &self.checks.catalogue,
                    &self.enrolment.model,
                    &self.steps_from(hop),
                    facts,
                    &|advisory| self.waiver(advisory),
                ),
                // Compared beside the checks: what comes of it is told apart.
                Asked::Differences(_) => Vec::new(),
            })
            .collect()
    }

    /// This hop and those after it: what waits further on is better known before the device leaves where it is.
    fn ahead<'h>(&'h self, hop: Option<&'h Hop>) -> impl Iterator<Item = &'h Hop> {
        let is_this =
            move |planned: &&Hop| hop.is_some_and(|hop| (planned.from, planned.to) == (hop.from, hop.to));
        let planned = self.enrolment.hops.iter();
        let later = planned.skip_while(move |planned| !is_this(planned)).skip(1);
        hop.into_iter().chain(later)
    }

    fn steps_from(&self, hop: Option<&Hop>) -> Vec<Step> {
        self.ahead(hop)
            .map(|planned| (planned.from, planned.to))
            .collect()
    }

    fn waiver(&self, advisory: &str) -> Option<Waiver> {
        let now = self.clock.now();
        let accepted = self.checks.accepted.iter();
        accepted
            .filter(|accepted| accepted.covers(advisory, &self.enrolment.device, now))
            .max_by_key(|accepted| accepted.until)
            .map(|accepted| Waiver {
                by: accepted.by.to_string(),
                reason: accepted.reason.clone(),
                until: accepted.until,
            })
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Fills in what is kept of this device.
    pub(super) async fn tell_kept(&self, facts: &mut Facts) {
        self.kept.tell(facts, Some(&self.enrolment)).await;
    }

    /// The clock of the campaign.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// A failed call, in the classes that the machines tell apart.
pub(crate) fn failure(error: &CallError) -> Failure {
    use hopgate_panos::Failure as Call;
    let kind = match &error.failure {
        Call::Unreachable { .. } | Call::Silent { .. } => FailureKind::Dark,
        Call::Broken { .. }
        | Call::Garbled { .. }
        | Call::Unreadable { .. }
        | Call::Busy { .. }
        | Call::NotConnected { .. } => FailureKind::Unready,
        Call::Unauthorised { .. } => FailureKind::Unauthorised,
        Call::NoRights { .. } | Call::Rejected { .. } => FailureKind::Rejected,
        Call::Untrusted { .. } => FailureKind::Untrusted,
    };
    Failure {
        kind,
        text: error.to_string(),
    }
}
