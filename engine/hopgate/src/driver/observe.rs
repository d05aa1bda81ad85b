//! Looks: every probe of a device, turned into one input. Nothing here changes a device.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hopgate_core::device::{Failure, FailureKind, Input, Observation, Probe};
use hopgate_core::watchdog::AutoCommit;
use hopgate_panos::JobId;
use hopgate_paths::{Hop, Version};
use hopgate_playbooks::{Fact, FactArea, Facts, Job, System};

use crate::asking::{Patience, gather};
use crate::checks::Asked;

use super::before::unready;
use super::hands::{Hands, failure};

/// How long a look at all facts may take, in real time: a third of the time that checks after a hop have, so that no device
/// is judged by its first look alone.
pub(super) const LOOK_LIMIT: Duration = Duration::from_secs(300);

/// The job that every boot runs before the device is ready, as devices name it.
const AUTO_COMMIT_JOB: &str = "AutoCom";

/// Its id where it scrolled off the list: ids begin again at every boot, and it is the first job.
const AUTO_COMMIT_ID: JobId = JobId(1);

impl Hands {
    /// One look. Whatever fails comes back as an input, classed.
    pub(super) async fn observe(&self, probe: Probe, hop: Option<Hop>) -> Input {
        let seen = match &probe {
            Probe::Checks { .. } => self.checks_before(hop.as_ref()).await,
            Probe::Backup => self.backup(hop.as_ref()).await,
            Probe::Software { refresh } => self.software(*refresh).await,
            Probe::Staging => self.staging().await,
            Probe::Job(id) => self.job(*id).await,
            Probe::Ha => self.ha().await,
            Probe::Boot { expected } => self.boot(*expected, hop.as_ref()).await,
            Probe::After { before, .. } => self.checks_after(before.clone(), hop.as_ref()).await,
        };
        match seen {
            Ok(observation) => Input::Observed(observation),
            Err(failure) => Input::NoObservation { probe, failure },
        }
    }

    async fn checks_before(&self, hop: Option<&Hop>) -> Result<Observation, Failure> {
        let asked = &self.checks().before;
        let needs = self.needs(asked, hop, &[FactArea::System, FactArea::Ha]);
        let (system, facts) = self.facts(asked, needs, hop).await?;
        let findings = self.evaluate(asked, &facts, hop);
        let ha_enabled = match &facts.ha {
            Fact::Known(ha) => Ok(ha.enabled),
            Fact::Unknown(why) => Err(why.clone()),
        };
        Ok(Observation::Checked {
            system: Box::new(system),
            ha_enabled,
            findings,
        })
    }

    async fn checks_after(&self, before: Option<String>, hop: Option<&Hop>) -> Result<Observation, Failure> {
        let asked = &self.checks().after;
        let also: &[FactArea] = if self.peer().is_some() {
            &[FactArea::System, FactArea::Ha]
        } else {
            &[FactArea::System]
        };
        let needs = self.needs(asked, hop, also);
        let (system, facts) = self.facts(asked, needs, hop).await?;
        let ha = facts.ha.known().cloned().map(Box::new);
        let facts = Arc::new(facts);
        let differences = self.differences(before, Arc::clone(&facts), hop).await;
        let findings = self.evaluate(asked, &facts, hop);
        Ok(Observation::After {
            system: Box::new(system),
            ha,
            findings,
            differences,
        })
    }

    /// The facts that are wanted. A device that does not say what it is is asked once more, for the reason.
    async fn facts(
        &self,
        asked: &[Asked],
        areas: BTreeSet<FactArea>,
        hop: Option<&Hop>,
    ) -> Result<(System, Facts), Failure> {
        let playbooks = asked.iter().filter_map(Asked::playbook);
        let mut facts = gather(
            self.client(),
            playbooks,
            &areas,
            self.clock().now(),
            &Patience::of(LOOK_LIMIT),
        )
        .await;
        let system = match facts.system.known() {
            Some(system) => system.clone(),
            None => self.system().await?,
        };
        facts.system = Fact::Known(system.clone());
        self.tell_kept(&mut facts).await;
        facts.judge_modules(&self.checks().catalogue, hop.map(|hop| hop.to));
        Ok((system, facts))
    }

    /// A key that was good and is refused outside a boot is asked for once more: it may have been revoked. Not more often,
    /// because every try counts towards locking the account.
    async fn system(&self) -> Result<System, Failure> {
        let refused = match self.client().system_info().await {
            Ok(system) => return Ok(system),
            Err(error) => failure(&error),
        };
        if refused.kind != FailureKind::Unauthorised {
            return Err(refused);
        }
        self.client().renew_key().await;
        self.client().system_info().await.map_err(|error| failure(&error))
    }

    async fn backup(&self, hop: Option<&Hop>) -> Result<Observation, Failure> {
        let configuration = self
            .client()
            .export_configuration()
            .await
            .as_ref()
            .map_err(failure)?
            .clone();
        let bytes = configuration.len() as u64;
        let blob = self.keep(configuration).await?;
        let snapshot = match self.state(hop).await? {
            Some(state) => Some(self.keep(state).await?),
            None => None,
        };
        Ok(Observation::BackedUp {
            blob,
            bytes,
            snapshot,
        })
    }

    /// Writing and syncing megabytes would block the other devices' loops.
    async fn keep(&self, content: impl AsRef<[u8]> + Send + 'static) -> Result<String, Failure> {
        let ledger = self.ledger().clone();
        match tokio::task::spawn_blocking(move || ledger.store(content.as_ref())).await {
            Ok(Ok(blob)) => Ok(blob),
            Ok(Err(error)) => Err(unready(error.to_string())),
            Err(error) => Err(unready(error.to_string())),
        }
    }

    async fn software(&self, refresh: bool) -> Result<Observation, Failure> {
        let client = self.client();
        let images = if refresh {
            client.software_check().await
        } else {
            client.software_info().await
        };
        let images = images.map_err(|error| failure(&error))?;
        let jobs = client.jobs().await.map_err(|error| failure(&error))?;
        Ok(Observation::Software { images, jobs })
    }

    async fn staging(&self) -> Result<Observation, Failure> {
        let client = self.client();
        let system = client.system_info().await.map_err(|error| failure(&error))?;
        let partitions = match client.software_manager().await {
            Ok(partitions) => Some(partitions),
            Err(error) if error.is_unknown_command() => None,
            Err(error) => return Err(failure(&error)),
        };
        let jobs = client.jobs().await.map_err(|error| failure(&error))?;
        Ok(Observation::Staging {
            running: system.sw_version,
            partitions,
            jobs,
        })
    }

    async fn job(&self, id: u32) -> Result<Observation, Failure> {
        self.client()
            .job(JobId(id))
            .await
            .as_ref()
            .map(|job| Observation::Job(job.clone()))
            .map_err(failure)
    }

    async fn ha(&self) -> Result<Observation, Failure> {
        let own = self.client().ha_state().await.map_err(|error| failure(&error))?;
        let peer = match self.peer() {
            None => Err("it has no peer in the plan".to_owned()),
            Some(peer) => match peer.ha_state().await {
                Ok(ha) => Ok(Box::new(ha)),
                Err(error) => Err(error.to_string()),
            },
        };
        Ok(Observation::Ha {
            own: Box::new(own),
            peer,
        })
    }

    /// Release and uptime are the proof of a boot. The rest is asked only then, and what cannot be read of it yet is not
    /// seen, which is never taken for done.
    async fn boot(&self, expected: Version, hop: Option<&Hop>) -> Result<Observation, Failure> {
        let client = self.client();
        let system = client.system_info().await.map_err(|error| failure(&error))?;
        let auto_commit = self.auto_commit().await;
        let mut chassis_ready = None;
        let model_has_it = hop.is_none_or(|hop| hop.chassis_ready);
        if model_has_it && auto_commit != AutoCommit::Ok && system.sw_version == expected {
            chassis_ready = client.chassis_ready().await.unwrap_or(None);
        }
        let (version, uptime_seconds) = (system.sw_version, system.uptime_seconds);
        Ok(Observation::Boot {
            version,
            uptime_seconds,
            auto_commit,
            chassis_ready,
        })
    }

    async fn auto_commit(&self) -> AutoCommit {
        let jobs = self.client().jobs().await.unwrap_or_default();
        match auto_commit_of(&jobs) {
            AutoCommit::NotSeen if !jobs.is_empty() => match self.client().job(AUTO_COMMIT_ID).await {
                Ok(first) => auto_commit_of(&[first]),
                Err(_) => AutoCommit::NotSeen,
            },
            seen => seen,
        }
    }
}

/// The newest auto-commit decides; failed ones before it are counted.
fn auto_commit_of(jobs: &[Job]) -> AutoCommit {
    let runs: Vec<&Job> = jobs.iter().filter(|job| job.kind == AUTO_COMMIT_JOB).collect();
    let failed = runs
        .iter()
        .filter(|job| job.status == "FIN" && job.result == "FAIL")
        .count();
    match runs.iter().max_by_key(|job| job.id) {
        None => AutoCommit::NotSeen,
        Some(newest) if newest.status != "FIN" => AutoCommit::Running,
        Some(newest) if newest.result == "OK" => AutoCommit::Ok,
        Some(_) => AutoCommit::Failed {
            attempts: u32::try_from(failed).unwrap_or(u32::MAX),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: u32, kind: &str, status: &str, result: &str) -> Job {
        Job {
            id: Some(id),
            kind: kind.to_owned(),
            status: status.to_owned(),
            result: result.to_owned(),
            progress: None,
            details: Vec::new(),
        }
    }

    #[test]
    fn a_failed_auto_commit_followed_by_a_good_one_is_good() {
        let first = job(1, "AutoCom", "FIN", "FAIL");
        assert_eq!(
            auto_commit_of(std::slice::from_ref(&first)),
            AutoCommit::Failed { attempts: 1 }
        );
        assert_eq!(
            auto_commit_of(&[job(2, "AutoCom", "FIN", "OK"), first.clone()]),
            AutoCommit::Ok
        );
        assert_eq!(
            auto_commit_of(&[job(2, "AutoCom", "ACT", "PEND"), first]),
            AutoCommit::Running
        );
        assert_eq!(
            auto_commit_of(&[job(7, "Commit", "FIN", "OK")]),
            AutoCommit::NotSeen
        );
    }
}
