//! What the story says about the campaign as a whole, and how its stream is folded into it.
//!
//! Must not know about single devices, except for the evidence that a device's halt lends to its incident.

use std::collections::BTreeMap;

use hopgate_core::campaign::{Campaign, CampaignEvent};
use hopgate_core::incident::Severity;
use hopgate_core::names::{CampaignId, DeviceId, Identity, WaveName};
use hopgate_core::plan::{Pin, PlanHash};
use hopgate_core::window::Window;
use hopgate_paths::Version;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DeviceHalt, DeviceStory, Line, count};

/// What happened to the campaign as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignStory {
    /// Its name.
    pub name: CampaignId,
    /// The plan it runs by now.
    pub plan: PlanHash,
    /// Every plan it ran by, oldest first.
    pub plans: Vec<PlanTaken>,
    /// The release that every device is to reach.
    pub target: Version,
    /// Whether any device leaves the vendor's path.
    pub off_vendor: bool,
    /// Who pinned the off-vendor path and why, where one is pinned.
    pub pin: Option<Pin>,
    /// Who launched it.
    pub launcher: Identity,
    /// When anything may happen at all.
    pub window: Window,
    /// When it was planned.
    pub begun: Timestamp,
    /// When every device had reached its target.
    pub finished: Option<Timestamp>,
    /// The last record of any of its streams: what is open is measured up to here.
    pub last_record: Timestamp,
    /// Where it stands.
    pub state: CampaignState,
    /// What only a person can do so that it goes on, where it needs one.
    pub needs: Option<String>,
    /// Its waves, in order.
    pub waves: Vec<WaveStory>,
    /// Approvals, oldest first.
    pub approvals: Vec<Approval>,
    /// Incidents, oldest first.
    pub incidents: Vec<IncidentStory>,
    /// Times in which nothing new started, oldest first.
    pub halts: Vec<CampaignHalt>,
    /// Resumes by operators, oldest first.
    pub resumes: Vec<Resume>,
    /// Every record of the campaign's stream.
    pub timeline: Vec<Line>,
}

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// Neither halted nor finished.
    Running,
    /// Nothing new starts until an operator resumes it.
    Halted,
    /// Every device is at its target.
    Finished,
}

/// A plan that the campaign ran by from `at` on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTaken {
    /// From when.
    pub at: Timestamp,
    /// The plan.
    pub plan: PlanHash,
    /// Who launched it.
    pub launcher: Identity,
}

/// One wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveStory {
    /// Its name.
    pub name: WaveName,
    /// How many devices it has.
    pub devices: u32,
    /// Whether it needs an approval.
    pub approval: bool,
    /// Since when it waited for an approval, if it did.
    pub gate: Option<Timestamp>,
    /// When it was opened.
    pub opened: Option<Timestamp>,
    /// When all its devices were done.
    pub finished: Option<Timestamp>,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Identity,
    /// The wave.
    pub wave: WaveName,
    /// The plan it was given for.
    pub plan: PlanHash,
    /// Why, in their words.
    pub reason: String,
    /// Whether it still counts: another plan makes it void.
    pub counts: bool,
}

/// An incident, with the evidence that the device's halt recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentStory {
    /// When it was opened.
    pub at: Timestamp,
    /// Deduplication key.
    pub key: String,
    /// How loud.
    pub severity: Severity,
    /// The device, where it is about one.
    pub device: Option<DeviceId>,
    /// What happened.
    pub summary: String,
    /// What to do next.
    pub next_step: String,
    /// What was seen, oldest first.
    pub evidence: Vec<String>,
    /// When an operator let the device, or a campaign without one, go on after it.
    pub resumed: Option<Timestamp>,
}

/// A time in which nothing new started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignHalt {
    /// From when.
    pub at: Timestamp,
    /// Until when; nothing while it lasts.
    pub until: Option<Timestamp>,
    /// Key of the incident that stopped it.
    pub incident: String,
}

/// An operator let the campaign or a device go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Identity,
    /// Why, in their words.
    pub reason: String,
}

impl CampaignStory {
    /// The story at the first record of the campaign's stream.
    pub(super) fn begin(campaign: &Campaign, at: Timestamp, last_record: Timestamp) -> CampaignStory {
        let plan = campaign.plan();
        CampaignStory {
            name: plan.campaign.clone(),
            plan: campaign.hash().clone(),
            plans: Vec::new(),
            target: plan.target,
            off_vendor: plan.is_off_vendor(),
            pin: plan.pin.clone(),
            launcher: plan.launcher.clone(),
            window: plan.window,
            begun: at,
            finished: None,
            last_record,
            state: CampaignState::Running,
            needs: None,
            waves: Vec::new(),
            approvals: Vec::new(),
            incidents: Vec::new(),
            halts: Vec::new(),
            resumes: Vec::new(),
            timeline: Vec::new(),
        }
    }

    /// Takes one record into account. `campaign` has applied it already.
    pub(super) fn take(&mut self, campaign: &Campaign, at: Timestamp, event: &CampaignEvent) {
        self.timeline.push(Line {
            at,
            event: event.name().to_owned(),
            text: event.to_string(),
        });
        match event {
            CampaignEvent::Planned { plan, launcher, .. } | CampaignEvent::Replanned { plan, launcher } => {
                self.take_plan(campaign, at, plan, launcher);
            }
            CampaignEvent::Approved {
                wave,
                plan,
                by,
                reason,
            } => self.approvals.push(Approval {
                at,
                by: by.clone(),
                wave: wave.clone(),
                plan: plan.clone(),
                reason: reason.clone(),
                counts: true,
            }),
            CampaignEvent::GateReached { wave } => self.in_wave(wave, |wave| wave.gate = Some(at)),
            CampaignEvent::WaveOpened { wave } => self.in_wave(wave, |wave| wave.opened = Some(at)),
            CampaignEvent::WaveFinished { wave } => self.in_wave(wave, |wave| wave.finished = Some(at)),
            CampaignEvent::IncidentOpened(incident) => self.incidents.push(IncidentStory {
                at,
                key: incident.key.clone(),
                severity: incident.severity,
                device: incident.device.clone(),
                summary: incident.summary.clone(),
                next_step: incident.next_step.clone(),
                evidence: incident.evidence.clone(),
                resumed: None,
            }),
            CampaignEvent::Halted { incident } => self.halts.push(CampaignHalt {
                at,
                until: None,
                incident: incident.clone(),
            }),
            CampaignEvent::Resumed { by, reason } => self.resume(at, by, reason),
            CampaignEvent::Finished => self.finished = Some(at),
            CampaignEvent::Granted { .. } | CampaignEvent::Returned { .. } => {}
        }
    }

    fn take_plan(&mut self, campaign: &Campaign, at: Timestamp, hash: &PlanHash, launcher: &Identity) {
        let plan = campaign.plan();
        self.plan = hash.clone();
        self.plans.push(PlanTaken {
            at,
            plan: hash.clone(),
            launcher: launcher.clone(),
        });
        self.target = plan.target;
        self.off_vendor = plan.is_off_vendor();
        self.pin = plan.pin.clone();
        self.launcher = launcher.clone();
        self.window = plan.window;
        self.finished = None;
        for approval in &mut self.approvals {
            approval.counts = false;
        }
        let before = std::mem::take(&mut self.waves);
        self.waves = plan
            .waves
            .iter()
            .map(|wave| {
                let known = before.iter().find(|known| known.name == wave.name);
                WaveStory {
                    name: wave.name.clone(),
                    devices: count(wave.devices.len()),
                    approval: wave.approval,
                    // A gate of an earlier plan asked for another approval.
                    gate: None,
                    opened: known.and_then(|known| known.opened),
                    finished: known.and_then(|known| known.finished),
                }
            })
            .collect();
    }

    fn in_wave(&mut self, name: &WaveName, change: impl FnOnce(&mut WaveStory)) {
        if let Some(wave) = self.waves.iter_mut().find(|wave| wave.name == *name) {
            change(wave);
        }
    }

    fn resume(&mut self, at: Timestamp, by: &Identity, reason: &str) {
        for halt in self.halts.iter_mut().filter(|halt| halt.until.is_none()) {
            halt.until = Some(at);
        }
        // What no device's own resume ends, the campaign's resume does.
        let open = |incident: &&mut IncidentStory| incident.device.is_none() && incident.resumed.is_none();
        for incident in self.incidents.iter_mut().filter(open) {
            incident.resumed = Some(at);
        }
        self.resumes.push(Resume {
            at,
            by: by.clone(),
            reason: reason.to_owned(),
        });
    }

    /// Ends the fold: where the campaign stands, and what the halts of its devices know about its incidents.
    pub(super) fn end(&mut self, campaign: &Campaign, devices: &[DeviceStory]) {
        self.state = if self.finished.is_some() {
            CampaignState::Finished
        } else if campaign.halted_by().is_some() {
            CampaignState::Halted
        } else {
            CampaignState::Running
        };
        self.needs = campaign
            .waits_for_person(self.last_record)
            .map(|hold| hold.to_string());
        let halts: BTreeMap<&str, &DeviceHalt> = devices
            .iter()
            .flat_map(|device| &device.halts)
            .map(|halt| (halt.incident.as_str(), halt))
            .collect();
        for incident in &mut self.incidents {
            let Some(halt) = halts.get(incident.key.as_str()) else {
                continue;
            };
            if incident.evidence.is_empty() {
                incident.evidence.clone_from(&halt.evidence);
            }
            incident.resumed = halt.resumed.as_ref().map(|resume| resume.at);
        }
    }
}
