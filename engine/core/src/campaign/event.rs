//! The journal vocabulary of a campaign: what was launched, approved, granted, stopped and resumed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::device::Permit;
use crate::incident::Incident;
use crate::names::{CampaignId, DeviceId, Identity, WaveName};
use crate::plan::PlanHash;

/// What happened to a campaign. Stored for ever, like a device's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignEvent {
    /// First record of every campaign stream. The plan itself is stored as a document under its hash.
    Planned {
        /// Its name.
        campaign: CampaignId,
        /// Hash of the plan.
        plan: PlanHash,
        /// Who launches it.
        launcher: Identity,
        /// Devices in it.
        devices: u32,
    },
    /// Another plan took the place of the one before; approvals of that one no longer count.
    Replanned {
        /// Hash of the plan.
        plan: PlanHash,
        /// Who launches it.
        launcher: Identity,
    },
    /// Somebody approved a wave of this plan.
    Approved {
        /// The wave.
        wave: WaveName,
        /// The plan it holds for.
        plan: PlanHash,
        /// Who.
        by: Identity,
        /// Why, in their words.
        reason: String,
    },
    /// A wave was opened.
    WaveOpened {
        /// The wave.
        wave: WaveName,
    },
    /// Every device of a wave is at its target; it is watched from here.
    WaveFinished {
        /// The wave.
        wave: WaveName,
    },
    /// The next wave needs an approval that is not there.
    GateReached {
        /// The wave.
        wave: WaveName,
    },
    /// A device may do a hop.
    Granted {
        /// The device.
        device: DeviceId,
        /// What it may do.
        permit: Permit,
        /// Why this one, where there was a choice: the HA role that was seen.
        because: Option<String>,
    },
    /// A permit came back.
    Returned {
        /// The device.
        device: DeviceId,
        /// The permit's id.
        permit: u64,
        /// Whether its hop was done.
        done: bool,
    },
    /// Something that a person is paged about. Being recorded is the decision to page.
    IncidentOpened(Box<Incident>),
    /// Nothing new starts until an operator resumes the campaign.
    Halted {
        /// Key of the incident that stopped it.
        incident: String,
    },
    /// An operator lets it go on.
    Resumed {
        /// Who.
        by: Identity,
        /// Why, in their words.
        reason: String,
    },
    /// Every device is at its target.
    Finished,
}

impl CampaignEvent {
    /// The name it is stored under.
    pub fn name(&self) -> &'static str {
        match self {
            CampaignEvent::Planned { .. } => "planned",
            CampaignEvent::Replanned { .. } => "replanned",
            CampaignEvent::Approved { .. } => "approved",
            CampaignEvent::WaveOpened { .. } => "wave_opened",
            CampaignEvent::WaveFinished { .. } => "wave_finished",
            CampaignEvent::GateReached { .. } => "gate_reached",
            CampaignEvent::Granted { .. } => "granted",
            CampaignEvent::Returned { .. } => "returned",
            CampaignEvent::IncidentOpened(_) => "incident_opened",
            CampaignEvent::Halted { .. } => "halted",
            CampaignEvent::Resumed { .. } => "resumed",
            CampaignEvent::Finished => "finished",
        }
    }
}

impl fmt::Display for CampaignEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CampaignEvent::Planned {
                campaign,
                plan,
                launcher,
                devices,
            } => {
                write!(
                    f,
                    "campaign {campaign} planned by {launcher}: {devices} devices, plan {}",
                    plan.short()
                )
            }
            CampaignEvent::Replanned { plan, launcher } => {
                write!(
                    f,
                    "planned anew by {launcher}: plan {}; earlier approvals no longer count",
                    plan.short()
                )
            }
            CampaignEvent::Approved {
                wave,
                plan,
                by,
                reason,
            } => {
                write!(
                    f,
                    "wave {wave} of plan {} approved by {by}: {reason}",
                    plan.short()
                )
            }
            CampaignEvent::WaveOpened { wave } => write!(f, "wave {wave} opened"),
            CampaignEvent::WaveFinished { wave } => write!(f, "wave {wave} finished"),
            CampaignEvent::GateReached { wave } => write!(f, "wave {wave} waits for an approval"),
            CampaignEvent::Granted {
                device,
                permit,
                because: None,
            } => {
                write!(f, "{device} may do hop {}", permit.hop + 1)
            }
            CampaignEvent::Granted {
                device,
                permit,
                because: Some(why),
            } => {
                write!(f, "{device} may do hop {}: {why}", permit.hop + 1)
            }
            CampaignEvent::Returned {
                device, done: true, ..
            } => write!(f, "{device} ended its hop"),
            CampaignEvent::Returned {
                device, done: false, ..
            } => write!(f, "{device} came to rest before its hop was done"),
            CampaignEvent::IncidentOpened(incident) => {
                write!(f, "INCIDENT {}: {}", incident.key, incident.summary)
            }
            CampaignEvent::Halted { incident } => write!(f, "HALTED by {incident}: nothing new starts"),
            CampaignEvent::Resumed { by, reason } => write!(f, "resumed by {by}: {reason}"),
            CampaignEvent::Finished => write!(f, "finished: every device is at its target"),
        }
    }
}
