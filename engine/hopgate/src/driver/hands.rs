//! What a device's loop works with: the client of the device and of its peer, the playbooks, the ledger and the clock.

use std::collections::BTreeSet;
use std::sync::Arc;

use hopgate_core::device::{Failure, FailureKind};
use hopgate_panos::{CallError, Client};
use hopgate_playbooks::{FactArea, Facts, Finding, HopContext, Playbook};

use crate::clock::Clock;
use crate::ledger::Ledger;

/// The playbooks of a campaign.
#[derive(Default)]
pub struct Checks {
    /// Asked before every hop.
    pub before: Vec<Playbook>,
    /// Asked after every hop.
    pub after: Vec<Playbook>,
}

/// One device, within reach.
pub struct Hands {
    client: Arc<Client>,
    peer: Option<Arc<Client>>,
    checks: Arc<Checks>,
    ledger: Ledger,
    clock: Clock,
}

impl Hands {
    /// Everything that a device's loop needs.
    pub fn new(
        client: Arc<Client>,
        peer: Option<Arc<Client>>,
        checks: Arc<Checks>,
        ledger: Ledger,
        clock: Clock,
    ) -> Self {
        Hands {
            client,
            peer,
            checks,
            ledger,
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

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The clock of the campaign.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// Every finding of `playbooks` over the same facts.
pub(super) fn evaluate(playbooks: &[Playbook], facts: &Facts, hop: Option<&HopContext>) -> Vec<Finding> {
    playbooks
        .iter()
        .flat_map(|playbook| playbook.evaluate(facts, hop))
        .collect()
}

/// The facts that `playbooks` need, and `also`.
pub(super) fn needs(playbooks: &[Playbook], also: &[FactArea]) -> BTreeSet<FactArea> {
    let wanted = playbooks.iter().flat_map(Playbook::needs);
    wanted.chain(also.iter().copied()).collect()
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
