//! Fills the facts of a device: asks only for the areas that are wanted, and turns every failure into "unknown, because".
//! Knows which call answers which area; must not know what the facts are used for, and reads no clock.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use hopgate_playbooks::{Fact, FactArea, Facts, Optic};
use jiff::Timestamp;

use crate::client::Client;
use crate::error::CallError;

impl Client {
    /// Reads these areas, all at once as far as the device's limit on calls allows. Never fails as a whole: an area that
    /// could not be read is unknown, with the call's error as the reason; one that is not wanted is "not asked".
    ///
    /// `now` is the instant written into the facts.
    pub async fn facts(&self, areas: &BTreeSet<FactArea>, now: Timestamp) -> Facts {
        let unread = Facts::unread(self.device(), now);
        let wanted = |area| areas.contains(&area);
        // Boxed: ten calls side by side make a future too large to be moved around.
        let (system, software, jobs, ha, disks, partitions, pending_changes, optics, locks) = tokio::join!(
            known(
                wanted(FactArea::System),
                Box::pin(self.system_info()),
                unread.system
            ),
            known(
                wanted(FactArea::Software),
                Box::pin(self.software_info()),
                unread.software
            ),
            known(wanted(FactArea::Jobs), Box::pin(self.jobs()), unread.jobs),
            known(wanted(FactArea::Ha), Box::pin(self.ha_state()), unread.ha),
            known(wanted(FactArea::Disks), Box::pin(self.disk_space()), unread.disks),
            known(
                wanted(FactArea::Partitions),
                Box::pin(self.software_manager()),
                unread.partitions
            ),
            known(
                wanted(FactArea::PendingChanges),
                Box::pin(self.pending_changes()),
                unread.pending_changes
            ),
            known(wanted(FactArea::Optics), Box::pin(self.optics()), unread.optics),
            known(wanted(FactArea::Locks), Box::pin(self.locks()), unread.locks),
        );
        let model = match &system {
            Fact::Known(system) => Some(system.model.as_str()),
            Fact::Unknown(_) => None,
        };
        let optics = ports_expected(optics, model);
        Facts {
            device: unread.device,
            read_at: unread.read_at,
            system,
            software,
            jobs,
            ha,
            disks,
            partitions,
            pending_changes,
            optics,
            locks,
        }
    }

    /// Both kinds of lock: with either unread, there is no answer.
    async fn locks(&self) -> Result<Vec<String>, CallError> {
        let (mut locks, commit) = tokio::try_join!(self.config_locks(), self.commit_locks())?;
        locks.extend(commit);
        Ok(locks)
    }
}

async fn known<T>(wanted: bool, call: BoxFuture<'_, Result<T, CallError>>, unread: Fact<T>) -> Fact<T> {
    if !wanted {
        return unread;
    }
    match call.await {
        Ok(value) => Fact::Known(value),
        Err(error) => Fact::Unknown(error.to_string()),
    }
}

/// Only a virtual firewall has no ports to list. From any other an empty list means that the port data could not be read
/// (PAN-232924: so on a passive member before 11.0.4), and "no harmful optics" must not be concluded from it.
fn ports_expected(optics: Fact<Vec<Optic>>, model: Option<&str>) -> Fact<Vec<Optic>> {
    match (optics, model) {
        (Fact::Known(ports), Some(model)) if ports.is_empty() && !model.starts_with("PA-VM") => {
            Fact::Unknown(format!("the {model} listed no ports"))
        }
        (Fact::Known(ports), None) if ports.is_empty() => {
            Fact::Unknown("the device listed no ports, and its model is not known".into())
        }
        (optics, _) => optics,
    }
}

#[cfg(test)]
mod tests;
