//! Replays a campaign and its devices together, in the order in which things happened, and asks the campaign's own rules
//! at every turn why each idle device did not go on.
//!
//! Between two records reasons change with time alone (a window opens, a soak ends, a retry is due), so those instants
//! are turns as well. Roles of a pair are not recorded; where only they decided, the reason says that they were read.

use std::collections::{BTreeMap, BTreeSet};

use hopgate_core::IllegalEvent;
use hopgate_core::campaign::{Campaign, CampaignEvent, CampaignInput};
use hopgate_core::device::{Device, Event};
use hopgate_core::names::{CampaignId, DeviceId, WaveName};
use hopgate_core::plan::{Plan, PlanHash, PlannedDevice};
use hopgate_core::waiting::Hold;
use hopgate_core::window::{minutes, worst_minutes};
use jiff::{SignedDuration, Timestamp};

use super::following::Followed;
use super::{CampaignStory, DeviceStory};
use crate::ledger::{Dated, Ledger, LedgerError, campaign_stream, device_stream};

/// Everything the journal holds about one campaign.
pub(super) struct Records {
    campaign: CampaignId,
    events: Vec<Dated<CampaignEvent>>,
    plans: BTreeMap<PlanHash, Plan>,
    devices: BTreeMap<DeviceId, Vec<Dated<Event>>>,
}

impl Records {
    /// Reads them; nothing where the journal knows no such campaign.
    pub(super) fn read(ledger: &Ledger, campaign: &CampaignId) -> Result<Option<Records>, LedgerError> {
        let events: Vec<Dated<CampaignEvent>> = ledger.read(&campaign_stream(campaign)?)?;
        if events.is_empty() {
            return Ok(None);
        }
        let mut plans = BTreeMap::new();
        for dated in &events {
            if let CampaignEvent::Planned { plan, .. } | CampaignEvent::Replanned { plan, .. } = &dated.event
            {
                plans.insert(plan.clone(), ledger.plan(plan)?);
            }
        }
        let mut devices = BTreeMap::new();
        for device in plans.values().flat_map(|plan: &Plan| plan.devices.keys()) {
            if !devices.contains_key(device) {
                devices.insert(device.clone(), ledger.read(&device_stream(campaign, device)?)?);
            }
        }
        Ok(Some(Records {
            campaign: campaign.clone(),
            events,
            plans,
            devices,
        }))
    }

    fn last_plan(&self) -> Option<&Plan> {
        let taken = self.events.iter().rev().find_map(|dated| match &dated.event {
            CampaignEvent::Planned { plan, .. } | CampaignEvent::Replanned { plan, .. } => Some(plan),
            _ => None,
        })?;
        self.plans.get(taken)
    }

    /// What the last plan that knows a device says about it, and its wave where that is the present plan.
    fn planned(&self, device: &DeviceId) -> Option<(&PlannedDevice, Option<WaveName>)> {
        let present = self.last_plan()?;
        if let Some(planned) = present.devices.get(device) {
            let wave = present.wave_of(device).and_then(|index| present.waves.get(index));
            return Some((planned, wave.map(|wave| wave.name.clone())));
        }
        self.plans
            .values()
            .find_map(|plan| plan.devices.get(device))
            .map(|planned| (planned, None))
    }

    /// Every record and every turn of time between them, in the order in which they are replayed. Where a clock stepped
    /// back inside a stream, the stream's own order wins.
    fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        for (device, events) in &self.devices {
            let mut latest = Timestamp::MIN;
            for dated in events {
                latest = latest.max(dated.at);
                steps.push((latest, Step::Device(device, dated)));
            }
        }
        let mut latest = Timestamp::MIN;
        for dated in &self.events {
            latest = latest.max(dated.at);
            steps.push((latest, Step::Campaign(dated)));
        }
        let first = steps.iter().map(|(at, _)| *at).min();
        let last = steps.iter().map(|(at, _)| *at).max();
        let turns = self
            .turns()
            .into_iter()
            .filter(|at| first.is_some_and(|first| first < *at) && last.is_some_and(|last| *at < last));
        steps.extend(turns.map(|at| (at, Step::Turn(at))));
        // Stable: a device's record comes before the campaign's answer to it.
        steps.sort_by_key(|(at, _)| *at);
        steps.into_iter().map(|(_, step)| step).collect()
    }

    /// Instants at which the window alone changes why a device waits: when it opens, and when a hop no longer fits.
    fn turns(&self) -> BTreeSet<Timestamp> {
        let mut turns = BTreeSet::new();
        for plan in self.plans.values() {
            turns.insert(plan.window.opens);
            for hop in plan.devices.values().flat_map(|planned| &planned.route.hops) {
                let worst = minutes(worst_minutes(hop)) - SignedDuration::from_secs(1);
                turns.extend(plan.window.closes.checked_sub(worst).ok());
            }
        }
        turns
    }
}

/// One step of the replay.
enum Step<'a> {
    Campaign(&'a Dated<CampaignEvent>),
    Device(&'a DeviceId, &'a Dated<Event>),
    Turn(Timestamp),
}

/// A replay under way.
struct Replay<'a> {
    records: &'a Records,
    campaign: Option<(Campaign, CampaignStory)>,
    devices: BTreeMap<&'a DeviceId, Followed<'a>>,
    /// When the reason of a waiting device ends by itself.
    due: BTreeSet<(Timestamp, &'a DeviceId)>,
    last_record: Timestamp,
}

/// Tells the story of all records.
pub(super) fn tell(
    records: &Records,
    labels: &BTreeMap<DeviceId, BTreeMap<String, String>>,
) -> Result<(CampaignStory, Vec<DeviceStory>), LedgerError> {
    let mut replay = Replay::new(records, labels);
    for step in records.steps() {
        match step {
            Step::Turn(at) => {
                replay.advance(at);
                replay.explain_all(at);
            }
            Step::Device(device, dated) => replay.device_event(device, dated)?,
            Step::Campaign(dated) => replay.campaign_event(dated)?,
        }
    }
    replay.end()
}

impl<'a> Replay<'a> {
    fn new(records: &'a Records, labels: &BTreeMap<DeviceId, BTreeMap<String, String>>) -> Self {
        let begun = records.events.first().map_or(Timestamp::MIN, |first| first.at);
        let campaign_last = records.events.iter().map(|dated| dated.at).max();
        let device_last = records.devices.values().flatten().map(|dated| dated.at).max();
        let mut devices = BTreeMap::new();
        for device in records.devices.keys() {
            if let Some((planned, wave)) = records.planned(device) {
                let labels = labels.get(device).cloned().unwrap_or_default();
                let followed = Followed::new(&records.campaign, device, planned, wave, labels, begun);
                devices.insert(device, followed);
            }
        }
        Replay {
            records,
            campaign: None,
            devices,
            due: BTreeSet::new(),
            last_record: campaign_last.max(device_last).unwrap_or(begun),
        }
    }

    fn device_event(&mut self, device: &'a DeviceId, dated: &Dated<Event>) -> Result<(), LedgerError> {
        self.advance(dated.at);
        let Some(followed) = self.devices.get_mut(device) else {
            return Ok(());
        };
        followed
            .take(dated.at, &dated.event)
            .map_err(|source| self.records.illegal(Some(device), source))?;
        let peer = followed.peer();
        if let (Some((campaign, _)), Some(machine)) = (&mut self.campaign, followed.machine()) {
            report(campaign, dated.at, machine);
        }
        self.explain(device, dated.at);
        if let Some(peer) = peer {
            self.explain(peer, dated.at);
        }
        Ok(())
    }

    fn campaign_event(&mut self, dated: &Dated<CampaignEvent>) -> Result<(), LedgerError> {
        self.advance(dated.at);
        let at = dated.at;
        match &mut self.campaign {
            None => {
                let mut campaign = self.records.begin(&dated.event)?;
                for machine in self.devices.values().filter_map(Followed::machine) {
                    report(&mut campaign, at, machine);
                }
                let mut story = CampaignStory::begin(&campaign, at, self.last_record);
                story.take(&campaign, at, &dated.event);
                self.campaign = Some((campaign, story));
            }
            Some((campaign, story)) => {
                if let CampaignEvent::Replanned { plan, .. } = &dated.event
                    && let Some(plan) = self.records.plans.get(plan)
                {
                    campaign.adopt(plan.clone());
                }
                campaign
                    .apply(at, &dated.event)
                    .map_err(|source| self.records.illegal(None, source))?;
                story.take(campaign, at, &dated.event);
            }
        }
        match &dated.event {
            // Only the devices that share a budget or a pair with it can be touched by a permit.
            CampaignEvent::Granted { device, .. } | CampaignEvent::Returned { device, .. } => {
                self.explain_wave_of(device, at);
            }
            _ => self.explain_all(at),
        }
        Ok(())
    }

    /// Asks again about every device whose reason ended by itself before `at`.
    fn advance(&mut self, at: Timestamp) {
        while let Some((due, device)) = self.due.first().copied()
            && due < at
        {
            self.due.pop_first();
            self.explain(device, due);
        }
    }

    fn explain_all(&mut self, at: Timestamp) {
        let all: Vec<&'a DeviceId> = self.devices.keys().copied().collect();
        for device in all {
            self.explain(device, at);
        }
    }

    fn explain_wave_of(&mut self, device: &DeviceId, at: Timestamp) {
        let Some((campaign, _)) = &self.campaign else {
            return;
        };
        let wave = campaign
            .plan()
            .wave_of(device)
            .and_then(|index| campaign.plan().waves.get(index));
        let members: Vec<DeviceId> = wave.map(|wave| wave.devices.clone()).unwrap_or_default();
        for member in &members {
            self.explain(member, at);
        }
    }

    /// Asks the rules why a device does not go on at `at`, and when that answer ends by itself.
    fn explain(&mut self, device: &DeviceId, at: Timestamp) {
        let Some((device, _)) = self.devices.get_key_value(device) else {
            return;
        };
        let device: &'a DeviceId = device;
        let Some(followed) = self.devices.get_mut(device) else {
            return;
        };
        let hold = followed.own_hold().and_then(|own| match &self.campaign {
            // It dropped out of the plan: nothing is going to happen that it could wait for.
            Some((campaign, _)) if !campaign.plan().devices.contains_key(device) => None,
            // No answer means that nothing keeps it: the next thing to happen is its permit.
            Some((campaign, _)) => Some(campaign.why(device, at).unwrap_or(Hold::Permit)),
            None => Some(own.clone()),
        });
        if let Some(until) = hold.as_ref().and_then(Hold::until).filter(|until| *until > at) {
            self.due.insert((until, device));
        }
        followed.waits_for(at, hold);
    }

    fn end(self) -> Result<(CampaignStory, Vec<DeviceStory>), LedgerError> {
        let end = self.last_record;
        let mut told: BTreeMap<&DeviceId, DeviceStory> = self
            .devices
            .into_iter()
            .map(|(device, followed)| (device, followed.end(end)))
            .collect();
        let Some((campaign, mut story)) = self.campaign else {
            return Err(self.records.illegal(None, no_campaign()));
        };
        let mut devices: Vec<DeviceStory> = campaign
            .plan()
            .waves
            .iter()
            .flat_map(|wave| &wave.devices)
            .filter_map(|device| told.remove(device))
            .collect();
        devices.extend(told.into_values());
        story.end(&campaign, &devices);
        Ok((story, devices))
    }
}

impl Records {
    fn begin(&self, first: &CampaignEvent) -> Result<Campaign, LedgerError> {
        let plan = match first {
            CampaignEvent::Planned { plan, .. } => self.plans.get(plan),
            _ => None,
        };
        let plan = plan.ok_or_else(|| {
            let source = IllegalEvent {
                event: first.name().to_owned(),
                ..no_campaign()
            };
            self.illegal(None, source)
        })?;
        Campaign::begin(first, plan.clone()).map_err(|source| self.illegal(None, source))
    }

    fn illegal(&self, device: Option<&DeviceId>, source: IllegalEvent) -> LedgerError {
        let stream = match device {
            Some(device) => format!("device/{}/{device}", self.campaign),
            None => format!("campaign/{}", self.campaign),
        };
        LedgerError::Illegal { stream, source }
    }
}

fn no_campaign() -> IllegalEvent {
    IllegalEvent {
        subject: "a campaign stream".to_owned(),
        event: "nothing".to_owned(),
        state: "empty".to_owned(),
    }
}

fn report(campaign: &mut Campaign, at: Timestamp, machine: &Device) {
    let standing = CampaignInput::Standing(machine.id().clone(), Box::new(machine.standing()));
    campaign.note(at, &standing);
}
