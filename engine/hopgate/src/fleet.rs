//! A running campaign: one loop for the campaign, one for each device, and what passes between them.
//!
//! Starts and resumes drivers, hands grants and stand-downs to them, gives their reports to the campaign. Decides nothing:
//! every rule is in `hopgate_core::campaign`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hopgate_core::IllegalEvent;
use hopgate_core::campaign::{ApprovalRefused, Campaign, CampaignEffect, CampaignEvent, CampaignInput};
use hopgate_core::device::{Device, Enrolment, Event, Input};
use hopgate_core::names::{DeviceId, Identity, WaveName};
use hopgate_core::plan::Plan;
use hopgate_core::waiting::Hold;
use hopgate_panos::Client;
use hopgate_playbooks::Ha;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::driver::{Checks, Driver, DriverError, Hands, Report};
use crate::journal::{Seq, StreamId};
use crate::kept::Kept;
use crate::ledger::{Ledger, LedgerError, campaign_stream, device_stream};

/// Why a campaign's loop had to stop. Nothing is lost: the journal has everything up to here.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The journal did not take an event or could not be read.
    #[error("the campaign loop stops: the journal failed")]
    Ledger(#[from] LedgerError),
    /// A decision produced an event that its own state refuses: a defect of hopgate.
    #[error("the campaign loop stops: a decision contradicts its state; this is a defect of hopgate")]
    Illegal(#[from] IllegalEvent),
    /// A device's loop stopped.
    #[error("the campaign loop stops: a device loop stopped")]
    Driver(#[from] DriverError),
    /// A device's loop panicked: a defect of hopgate.
    #[error("the campaign loop stops: a device loop panicked; this is a defect of hopgate")]
    Panicked(#[source] tokio::task::JoinError),
    /// The plan names a device that nobody can reach.
    #[error("device {device} is in the plan and has no entry in the inventory")]
    NoClient {
        /// The device.
        device: DeviceId,
    },
    /// The campaign is not in the journal.
    #[error("the journal has no campaign {campaign}")]
    NoCampaign {
        /// Its name.
        campaign: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every device is at its target.
    Finished,
    /// A person has to do something first.
    WaitsForPerson(Hold),
    /// It was asked to stop, and everything is at a safe place.
    Stopped,
}

/// What an operator asks of a running campaign.
#[derive(Debug)]
pub enum Command {
    /// Approve a wave.
    Approve {
        /// The wave.
        wave: WaveName,
        /// Who.
        by: Identity,
        /// Why.
        reason: String,
        /// Beginning of the plan hash that they looked at.
        looked_at: Option<String>,
        /// Where the answer goes: the recorded line, or the refusal.
        answer: oneshot::Sender<Result<String, ApprovalRefused>>,
    },
    /// Let a halted campaign, and whatever waits for a person, go on.
    Resume {
        /// Who.
        by: Identity,
        /// Why.
        reason: String,
    },
    /// Start nothing new, come to rest, end.
    Stop {
        /// Who or what asked.
        because: String,
    },
}

/// What is told to whoever watches, after it is durable.
#[derive(Debug, Clone)]
pub enum News {
    /// A device.
    Device(Report),
    /// The campaign.
    Campaign(Timestamp, CampaignEvent),
    /// An audit that was due beside it, in words.
    Audit(Timestamp, String),
}

/// What a campaign runs with.
pub struct Setting {
    /// Events and documents.
    pub ledger: Ledger,
    /// Civil time.
    pub clock: Clock,
    /// One client a device.
    pub clients: BTreeMap<DeviceId, Arc<Client>>,
    /// The playbooks of the plan.
    pub checks: Arc<Checks>,
    /// Whether the run ends at a gate that nobody has approved, instead of waiting there.
    pub end_at_gate: bool,
}

type Survey = BoxFuture<'static, (DeviceId, Result<Box<Ha>, String>)>;

/// One campaign's loop.
pub struct Fleet {
    campaign: Campaign,
    stream: StreamId,
    next: Seq,
    setting: Setting,
    kept: Kept,
    inboxes: BTreeMap<DeviceId, mpsc::UnboundedSender<Input>>,
    drivers: JoinSet<Result<(), DriverError>>,
    reports: mpsc::UnboundedReceiver<Report>,
    surveys: FuturesUnordered<Survey>,
    wake: Option<Timestamp>,
    /// Devices whose loop has not told yet how it found them. That first report answers nothing.
    unheard: BTreeSet<DeviceId>,
    /// Devices that were asked to go on and have not reported since: until they do, the campaign is not judged to be at
    /// rest by what they reported before.
    told: BTreeSet<DeviceId>,
    news: mpsc::UnboundedSender<News>,
    stopping: bool,
}

/// Records a plan as a campaign, and every device of it, unless that was done before. A plan that differs from the recorded
/// one replaces it; devices that the new one adds are enrolled.
pub async fn enrol(ledger: &Ledger, now: Timestamp, plan: &Plan) -> Result<(), LedgerError> {
    let hash = plan.hash();
    ledger.store(plan.to_json().as_bytes())?;
    let stream = campaign_stream(&plan.campaign)?;
    match ledger.campaign(&plan.campaign)? {
        None => {
            let event = CampaignEvent::Planned {
                campaign: plan.campaign.clone(),
                plan: hash.clone(),
                launcher: plan.launcher.clone(),
                devices: u32::try_from(plan.devices.len()).unwrap_or(u32::MAX),
            };
            ledger.append(&stream, Seq(0), now, &[event]).await?;
        }
        Some((campaign, _)) if *campaign.hash() == hash => {}
        Some((_, next)) => {
            let event = CampaignEvent::Replanned {
                plan: hash.clone(),
                launcher: plan.launcher.clone(),
            };
            ledger.append(&stream, next, now, &[event]).await?;
        }
    }
    let enrolments = plan.devices.iter().map(|(id, planned)| {
        let mut hops = planned.route.hops.clone();
        // The sentences of broken rules are in the plan document; a record has room for their names.
        for rule in hops.iter_mut().flat_map(|hop| &mut hop.broken_rules) {
            rule.text.clear();
            rule.source.clear();
        }
        Enrolment {
            device: id.clone(),
            campaign: plan.campaign.clone(),
            plan: hash.clone(),
            model: planned.model.clone(),
            serial: planned.serial.clone(),
            peer: planned.peer.clone(),
            hops,
        }
    });
    // Side by side, so that a thousand devices share commits.
    let mut appends: FuturesUnordered<_> = enrolments
        .map(|enrolment| enrol_device(ledger, now, enrolment))
        .collect();
    while let Some(enrolled) = appends.next().await {
        enrolled?;
    }
    Ok(())
}

async fn enrol_device(ledger: &Ledger, now: Timestamp, enrolment: Enrolment) -> Result<(), LedgerError> {
    if ledger.device(&enrolment.campaign, &enrolment.device)?.is_some() {
        return Ok(());
    }
    let stream = device_stream(&enrolment.campaign, &enrolment.device)?;
    ledger
        .append(&stream, Seq(0), now, &[Event::Enrolled(Box::new(enrolment))])
        .await?;
    Ok(())
}

impl Fleet {
    /// Replays a campaign and its devices and starts a loop for each of them.
    pub fn begin(
        id: &hopgate_core::names::CampaignId,
        setting: Setting,
        news: mpsc::UnboundedSender<News>,
    ) -> Result<Fleet, FleetError> {
        let Some((campaign, next)) = setting.ledger.campaign(id)? else {
            return Err(FleetError::NoCampaign {
                campaign: id.to_string(),
            });
        };
        let (report, reports) = mpsc::unbounded_channel();
        let mut fleet = Fleet {
            stream: campaign_stream(id)?,
            campaign,
            next,
            kept: Kept::of(&setting.ledger),
            setting,
            inboxes: BTreeMap::new(),
            drivers: JoinSet::new(),
            reports,
            surveys: FuturesUnordered::new(),
            wake: None,
            unheard: BTreeSet::new(),
            told: BTreeSet::new(),
            news,
            stopping: false,
        };
        let ids: Vec<DeviceId> = fleet.campaign.plan().devices.keys().cloned().collect();
        for id in ids {
            fleet.start_driver(&id, report.clone())?;
        }
        Ok(fleet)
    }

    /// The campaign as it stands.
    pub fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    fn start_driver(
        &mut self,
        id: &DeviceId,
        report: mpsc::UnboundedSender<Report>,
    ) -> Result<(), FleetError> {
        let campaign = self.campaign.id().clone();
        let Some((device, next)) = self.setting.ledger.device(&campaign, id)? else {
            return Err(FleetError::NoClient { device: id.clone() });
        };
        let client = self.client(id)?;
        let peer = match &device.enrolment().peer {
            Some(peer) => Some(self.client(peer)?),
            None => None,
        };
        let checks = Arc::clone(&self.setting.checks);
        let hands = Hands::new(
            device.enrolment().clone(),
            client,
            peer,
            checks,
            self.setting.ledger.clone(),
            self.kept.clone(),
            self.setting.clock.clone(),
        );
        let (inbox, received) = mpsc::unbounded_channel();
        self.note_first(&device);
        let driver = Driver::new(
            device,
            next,
            self.setting.ledger.clone(),
            Arc::new(hands),
            received,
            report,
        )?;
        self.inboxes.insert(id.clone(), inbox);
        self.unheard.insert(id.clone());
        self.drivers.spawn(driver.run());
        Ok(())
    }

    fn note_first(&mut self, device: &Device) {
        let standing = CampaignInput::Standing(device.id().clone(), Box::new(device.standing()));
        self.campaign.note(self.setting.clock.now(), &standing);
    }

    fn client(&self, device: &DeviceId) -> Result<Arc<Client>, FleetError> {
        let client = self.setting.clients.get(device).cloned();
        client.ok_or_else(|| FleetError::NoClient {
            device: device.clone(),
        })
    }

    /// Runs until the campaign is finished, waits for a person, or was asked to stop and is at rest.
    pub async fn run(
        mut self,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Result<Ending, FleetError> {
        self.turn(CampaignInput::Started).await?;
        let mut commands_open = true;
        loop {
            while let Ok(command) = commands.try_recv() {
                self.command(command).await?;
            }
            if let Some(ending) = self.ending() {
                return self.end(ending).await;
            }
            let clock = self.setting.clock.clone();
            let wake = self.wake;
            tokio::select! {
                Some(report) = self.reports.recv() => self.reported(report).await?,
                Some((device, seen)) = self.surveys.next(), if !self.surveys.is_empty() => {
                    self.turn(CampaignInput::Surveyed(device, seen)).await?;
                }
                command = commands.recv(), if commands_open => match command {
                    Some(command) => self.command(command).await?,
                    None => commands_open = false,
                },
                () = async { clock.sleep_until(wake.unwrap_or(Timestamp::MAX)).await }, if wake.is_some() => {
                    self.wake = None;
                    self.turn(CampaignInput::Tick).await?;
                }
                Some(stopped) = self.drivers.join_next() => {
                    stopped.map_err(FleetError::Panicked)??;
                }
            }
        }
    }

    fn ending(&self) -> Option<Ending> {
        if self.campaign.is_finished() {
            return Some(Ending::Finished);
        }
        if !self.told.is_empty() || !self.reports.is_empty() || !self.campaign.is_at_rest() {
            return None;
        }
        if self.stopping {
            return Some(Ending::Stopped);
        }
        match self.campaign.waits_for_person(self.setting.clock.now()) {
            Some(Hold::Approval { .. }) if !self.setting.end_at_gate => None,
            hold => hold.map(Ending::WaitsForPerson),
        }
    }

    /// Closes every inbox and waits for the loops to end; they are at rest.
    async fn end(mut self, ending: Ending) -> Result<Ending, FleetError> {
        self.inboxes.clear();
        while let Some(stopped) = self.drivers.join_next().await {
            stopped.map_err(FleetError::Panicked)??;
        }
        Ok(ending)
    }

    async fn reported(&mut self, report: Report) -> Result<(), FleetError> {
        let (device, standing) = (report.device.clone(), report.standing.clone());
        if !self.unheard.remove(&device) {
            self.told.remove(&device);
        }
        let changed = self.campaign.standings().get(&device) != Some(&standing);
        // Nobody has to watch.
        let _ = self.news.send(News::Device(report));
        if changed {
            self.turn(CampaignInput::Standing(device, Box::new(standing)))
                .await?;
        }
        Ok(())
    }

    async fn command(&mut self, command: Command) -> Result<(), FleetError> {
        match command {
            Command::Approve {
                wave,
                by,
                reason,
                looked_at,
                answer,
            } => {
                let judged = self.campaign.approve(&wave, &by, &reason, looked_at.as_deref());
                let accepted = judged.is_ok();
                // Whoever asked may have gone; the approval counts all the same once it is recorded.
                let said = judged.map(|event| event.to_string());
                if accepted {
                    self.turn(CampaignInput::Approve { wave, by, reason }).await?;
                }
                let _ = answer.send(said);
                Ok(())
            }
            Command::Resume { by, reason } => self.turn(CampaignInput::Resume { by, reason }).await,
            Command::Stop { because } => {
                self.stopping = true;
                self.turn(CampaignInput::Stop { because }).await
            }
        }
    }

    /// Decide, append, apply, perform, until the decision is quiet: an event can make the next rule apply.
    async fn turn(&mut self, input: CampaignInput) -> Result<(), FleetError> {
        let now = self.setting.clock.now();
        self.campaign.note(now, &input);
        let mut input = input;
        loop {
            let decision = self.campaign.decide(now, &input);
            let quiet = decision.events.is_empty();
            if !quiet {
                self.next = self
                    .setting
                    .ledger
                    .append(&self.stream, self.next, now, &decision.events)
                    .await?;
                for event in decision.events {
                    self.campaign.apply(now, &event)?;
                    let _ = self.news.send(News::Campaign(now, event));
                }
            }
            for effect in decision.effects {
                self.perform(effect);
            }
            if quiet {
                return Ok(());
            }
            input = CampaignInput::Tick;
        }
    }

    fn perform(&mut self, effect: CampaignEffect) {
        self.campaign.note_asked(&effect);
        match effect {
            CampaignEffect::Grant(device, permit) => self.tell(&device, Input::Permit(permit)),
            CampaignEffect::StandDown(device, because) => self.tell(&device, Input::StandDown { because }),
            CampaignEffect::ResumeDevice(device, by, reason) => {
                self.tell(&device, Input::Resume { by, reason });
                self.told.insert(device);
            }
            CampaignEffect::WakeAt(at) => self.wake = Some(self.wake.map_or(at, |known| known.min(at))),
            CampaignEffect::Survey(device) => self.survey(device),
        }
    }

    fn survey(&mut self, device: DeviceId) {
        let Some(client) = self.setting.clients.get(&device).cloned() else {
            return;
        };
        self.surveys.push(Box::pin(async move {
            let seen = client
                .ha_state()
                .await
                .map(Box::new)
                .map_err(|error| error.to_string());
            (device, seen)
        }));
    }

    fn tell(&self, device: &DeviceId, input: Input) {
        if let Some(inbox) = self.inboxes.get(device) {
            // A loop that ended reports through the join set; its inbox is not where that is noticed.
            let _ = inbox.send(input);
        }
    }
}
