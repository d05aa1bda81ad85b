//! The campaign: the only one that lets a device start a hop, so that waves, pairs, budgets and halts are decided in one
//! place.
//!
//! This file holds its state and its transition table; `campaign/rules.rs` decides, `campaign/why.rs` explains,
//! `campaign/approval.rs` judges approvals. What devices do reaches it as [`Standing`]s, which are recomputed and never stored here.

use std::collections::{BTreeMap, BTreeSet};

use hopgate_playbooks::Ha;
use jiff::Timestamp;

use crate::IllegalEvent;
use crate::device::{Permit, Standing};
use crate::names::{CampaignId, DeviceId, Identity, WaveName};
use crate::plan::{Plan, PlanHash};

pub use approval::ApprovalRefused;
pub use event::CampaignEvent;

mod approval;
mod event;
mod rules;
mod why;

/// A decision of a campaign.
pub type Decision = crate::Decision<CampaignEvent, CampaignEffect>;

/// What a campaign asks the shell to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CampaignEffect {
    /// Hand a permit, already recorded, to a device.
    Grant(DeviceId, Permit),
    /// Ask a device to come to rest.
    StandDown(DeviceId, String),
    /// Let a halted or held device go on.
    ResumeDevice(DeviceId, Identity, String),
    /// Read the HA role of a device that is not in a hop.
    Survey(DeviceId),
    /// Give `Tick` at this instant.
    WakeAt(Timestamp),
}

/// What reaches a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CampaignInput {
    /// The process began; every device's standing was reported before.
    Started,
    /// A device's summary changed.
    Standing(DeviceId, Box<Standing>),
    /// A survey came back.
    Surveyed(DeviceId, Result<Box<Ha>, String>),
    /// The instant that `WakeAt` named has come.
    Tick,
    /// An approval, already judged by [`Campaign::approve`].
    Approve {
        /// The wave.
        wave: WaveName,
        /// Who.
        by: Identity,
        /// Why.
        reason: String,
    },
    /// An operator lets the campaign go on.
    Resume {
        /// Who.
        by: Identity,
        /// Why.
        reason: String,
    },
    /// The process is asked to end: nothing new, everybody to a safe place. Not recorded; the next start goes on.
    Stop {
        /// Who or what asked.
        because: String,
    },
}

/// A role that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Role {
    at: Timestamp,
    seen: Result<String, String>,
}

/// One campaign, as its journal stream says it is, with what its devices report.
#[derive(Debug, Clone)]
pub struct Campaign {
    plan: Plan,
    hash: PlanHash,
    approvals: BTreeMap<WaveName, PlanHash>,
    opened: BTreeSet<WaveName>,
    finished_waves: BTreeMap<WaveName, Timestamp>,
    gates: BTreeSet<WaveName>,
    permits: BTreeMap<DeviceId, Permit>,
    last_permit: u64,
    incidents: BTreeSet<String>,
    halted: Option<String>,
    finished: bool,
    standings: BTreeMap<DeviceId, Standing>,
    roles: BTreeMap<DeviceId, Role>,
    surveys: BTreeSet<DeviceId>,
    stopping: bool,
}

impl Campaign {
    /// A campaign at the first record of its stream. The document that the record names must be given with it.
    pub fn begin(first: &CampaignEvent, plan: Plan) -> Result<Campaign, IllegalEvent> {
        let hash = plan.hash();
        match first {
            CampaignEvent::Planned { plan: recorded, .. } if *recorded == hash => {}
            other => {
                return Err(IllegalEvent {
                    subject: format!("campaign {}", plan.campaign),
                    event: other.name().to_owned(),
                    state: format!("begun with plan {}", hash.short()),
                });
            }
        }
        Ok(Campaign {
            plan,
            hash,
            approvals: BTreeMap::new(),
            opened: BTreeSet::new(),
            finished_waves: BTreeMap::new(),
            gates: BTreeSet::new(),
            permits: BTreeMap::new(),
            last_permit: 0,
            incidents: BTreeSet::new(),
            halted: None,
            finished: false,
            standings: BTreeMap::new(),
            roles: BTreeMap::new(),
            surveys: BTreeSet::new(),
            stopping: false,
        })
    }

    /// Its name.
    pub fn id(&self) -> &CampaignId {
        &self.plan.campaign
    }

    /// Its plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan's hash.
    pub fn hash(&self) -> &PlanHash {
        &self.hash
    }

    /// The incident that halted it.
    pub fn halted_by(&self) -> Option<&str> {
        self.halted.as_deref()
    }

    /// Whether every device reached its target.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The wave that waits for an approval, if one does.
    pub fn gate(&self) -> Option<&WaveName> {
        self.gates.iter().find(|wave| !self.is_approved(wave))
    }

    /// Permits that are out.
    pub fn permits(&self) -> &BTreeMap<DeviceId, Permit> {
        &self.permits
    }

    /// What devices last reported.
    pub fn standings(&self) -> &BTreeMap<DeviceId, Standing> {
        &self.standings
    }

    /// Whether nothing of ours is under way: no permit is out, or every one that is belongs to a halted device.
    pub fn is_at_rest(&self) -> bool {
        self.permits.keys().all(|device| {
            self.standings
                .get(device)
                .is_some_and(|standing| matches!(standing.work, crate::device::Work::Halted { .. }))
        })
    }

    /// Takes the plan of a `Replanned` record into account, before [`Campaign::apply`] is given that record.
    pub fn adopt(&mut self, plan: Plan) {
        self.hash = plan.hash();
        self.plan = plan;
    }

    /// Takes what is reported and not recorded into account: standings and surveys. Called before `decide`.
    pub fn note(&mut self, now: Timestamp, input: &CampaignInput) {
        match input {
            CampaignInput::Standing(device, standing) => {
                self.standings.insert(device.clone(), (**standing).clone());
                // A hop changes roles, so what was read before it does not count after it.
                self.roles.remove(device);
                if let Some(peer) = self
                    .plan
                    .devices
                    .get(device)
                    .and_then(|planned| planned.peer.clone())
                {
                    self.roles.remove(&peer);
                }
            }
            CampaignInput::Surveyed(device, seen) => {
                let seen = match seen {
                    Ok(ha) => Ok(ha.local.state.clone()),
                    Err(why) => Err(why.clone()),
                };
                self.surveys.remove(device);
                self.roles.insert(device.clone(), Role { at: now, seen });
            }
            CampaignInput::Stop { .. } => self.stopping = true,
            CampaignInput::Started
            | CampaignInput::Tick
            | CampaignInput::Approve { .. }
            | CampaignInput::Resume { .. } => {}
        }
    }

    /// Remembers that a survey was asked for, so that it is asked once.
    pub fn note_asked(&mut self, effect: &CampaignEffect) {
        if let CampaignEffect::Survey(device) = effect {
            self.surveys.insert(device.clone());
        }
    }

    /// Takes a recorded event into account. Total: what does not fit is refused and changes nothing.
    pub fn apply(&mut self, at: Timestamp, event: &CampaignEvent) -> Result<(), IllegalEvent> {
        if !self.is_legal(event) {
            return Err(IllegalEvent {
                subject: format!("campaign {}", self.plan.campaign),
                event: event.name().to_owned(),
                state: self.state_name().to_owned(),
            });
        }
        match event {
            CampaignEvent::Planned { .. } => {}
            CampaignEvent::Replanned { .. } => {
                self.approvals.clear();
                self.gates.clear();
                self.finished = false;
                // A device that the new plan leaves out is left as it is: whoever planned it took it on.
                self.permits
                    .retain(|device, _| self.plan.devices.contains_key(device));
                self.standings
                    .retain(|device, _| self.plan.devices.contains_key(device));
            }
            CampaignEvent::Approved { wave, plan, .. } => {
                self.approvals.insert(wave.clone(), plan.clone());
            }
            CampaignEvent::WaveOpened { wave } => {
                self.opened.insert(wave.clone());
            }
            CampaignEvent::WaveFinished { wave } => {
                self.finished_waves.insert(wave.clone(), at);
            }
            CampaignEvent::GateReached { wave } => {
                self.gates.insert(wave.clone());
            }
            CampaignEvent::Granted { device, permit, .. } => {
                self.permits.insert(device.clone(), *permit);
                self.last_permit = permit.id;
            }
            CampaignEvent::Returned { device, .. } => {
                self.permits.remove(device);
            }
            CampaignEvent::IncidentOpened(incident) => {
                self.incidents.insert(incident.key.clone());
            }
            CampaignEvent::Halted { incident } => self.halted = Some(incident.clone()),
            CampaignEvent::Resumed { .. } => self.halted = None,
            CampaignEvent::Finished => self.finished = true,
        }
        Ok(())
    }

    fn is_legal(&self, event: &CampaignEvent) -> bool {
        match event {
            CampaignEvent::Planned { .. } => false,
            CampaignEvent::Replanned { plan, .. } => *plan == self.hash,
            CampaignEvent::Granted { device, permit, .. } => {
                permit.id > self.last_permit
                    && !self.permits.contains_key(device)
                    && self.plan.devices.contains_key(device)
            }
            CampaignEvent::Returned { device, permit, .. } => {
                self.permits.get(device).is_some_and(|held| held.id == *permit)
            }
            CampaignEvent::Approved { wave, .. }
            | CampaignEvent::WaveOpened { wave }
            | CampaignEvent::WaveFinished { wave }
            | CampaignEvent::GateReached { wave } => self.plan.waves.iter().any(|known| known.name == *wave),
            CampaignEvent::IncidentOpened(incident) => !self.incidents.contains(&incident.key),
            CampaignEvent::Halted { .. } => true,
            CampaignEvent::Resumed { .. } => true,
            CampaignEvent::Finished => !self.finished,
        }
    }

    fn state_name(&self) -> &'static str {
        match (&self.halted, self.finished) {
            (Some(_), _) => "halted",
            (None, true) => "finished",
            (None, false) => "running",
        }
    }

    fn is_approved(&self, wave: &WaveName) -> bool {
        self.approvals.get(wave) == Some(&self.hash)
    }
}

#[cfg(test)]
mod tests;
