//! What a campaign does next: permits back, incidents, halt, waves, pairs, window, budget, in that order.
//!
//! Every rule reads recorded state and reported standings; none keeps a note of its own. `why` answers with the same
//! rules that grant, so what people are told is what is decided.

use std::collections::BTreeSet;

use hopgate_paths::Version;
use jiff::{SignedDuration, Timestamp};

use super::{Campaign, CampaignEffect, CampaignEvent, CampaignInput, Decision};
use crate::device::{Permit, Standing, Work};
use crate::incident::{Incident, Severity, device_key, window_key};
use crate::names::DeviceId;
use crate::plan::Wave;
use crate::pulse::{RETRY, ROLE_FRESH};
use crate::quote::quoted;
use crate::waiting::{Hold, PeerWait};
use crate::window::{Fit, minutes, saturating_add, saturating_sub, worst_minutes};

/// Decisions under construction: events and effects of one input, and what they would change.
#[derive(Default)]
pub(super) struct Draft {
    events: Vec<CampaignEvent>,
    effects: Vec<CampaignEffect>,
    returned: BTreeSet<DeviceId>,
    granted: BTreeSet<DeviceId>,
    halted: Option<String>,
    wake: Option<Timestamp>,
}

/// Most events of one decision. They are appended at once, and an append holds 64; whoever decides asks again until nothing
/// follows, so a fleet of thousands is granted, returned and reported in several appends of one instant.
const EVENTS_MAX: usize = 48;

impl Draft {
    fn is_full(&self) -> bool {
        self.events.len() >= EVENTS_MAX
    }

    fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |known| known.min(at)));
    }

    fn decide(mut self) -> Decision {
        if let Some(at) = self.wake {
            self.effects.push(CampaignEffect::WakeAt(at));
        }
        Decision {
            events: self.events,
            effects: self.effects,
        }
    }
}

/// Who goes next in a pair.
enum Turn {
    Mine(Option<String>),
    Wait(PeerWait),
    Unknown,
}

impl Campaign {
    /// What follows from `input` at `now`. Pure; [`Campaign::note`] was given the input before.
    pub fn decide(&self, now: Timestamp, input: &CampaignInput) -> Decision {
        let mut draft = Draft::default();
        match input {
            CampaignInput::Approve { wave, by, reason } => {
                return match self.approve(wave, by, reason, None) {
                    Ok(event) => Decision::then(event, CampaignEffect::WakeAt(now)),
                    Err(_) => Decision::nothing(),
                };
            }
            CampaignInput::Resume { by, reason } => return self.resume(now, by, reason),
            CampaignInput::Stop { because } => {
                self.stand_everybody_down(because, &mut draft);
                return draft.decide();
            }
            CampaignInput::Started => self.hand_out_again(&mut draft),
            CampaignInput::Standing(..) | CampaignInput::Surveyed(..) | CampaignInput::Tick => {}
        }
        self.take_permits_back(&mut draft);
        self.open_incidents(&mut draft);
        // What was left out may be the incident that stops everything: nothing is granted before it was looked at.
        if !draft.is_full() {
            self.advance_waves(now, &mut draft);
        }
        draft.decide()
    }

    /// After a crash a device may not have got the permit that was recorded for it. It ignores one that it has.
    fn hand_out_again(&self, draft: &mut Draft) {
        for (device, permit) in &self.permits {
            let took_it = self
                .standings
                .get(device)
                .is_some_and(|standing| standing.last_permit >= permit.id);
            if !took_it {
                draft.effects.push(CampaignEffect::Grant(device.clone(), *permit));
            }
        }
        if let Some(incident) = &self.halted {
            // Also those that get their permit only now: they take it and give it back, so that it is accounted for.
            self.stand_everybody_down(&halted_by(incident), draft);
        }
    }

    fn take_permits_back(&self, draft: &mut Draft) {
        for (device, permit) in &self.permits {
            if draft.is_full() {
                return;
            }
            let Some(standing) = self.standings.get(device) else {
                continue;
            };
            if standing.last_permit >= permit.id && !standing.holds_permit {
                let done = standing.hops_done > permit.hop;
                draft.events.push(CampaignEvent::Returned {
                    device: device.clone(),
                    permit: permit.id,
                    done,
                });
                draft.returned.insert(device.clone());
            }
        }
    }

    fn open_incidents(&self, draft: &mut Draft) {
        for (device, standing) in &self.standings {
            if draft.is_full() {
                break;
            }
            let Some(incident) = self.incident_of(device, standing) else {
                continue;
            };
            if self.incidents.contains(&incident.key) {
                continue;
            }
            let stops_all = incident.severity == Severity::Critical;
            let key = incident.key.clone();
            draft
                .events
                .push(CampaignEvent::IncidentOpened(Box::new(incident)));
            if stops_all && self.halted.is_none() && draft.halted.is_none() {
                draft.events.push(CampaignEvent::Halted {
                    incident: key.clone(),
                });
                draft.halted = Some(key);
            }
        }
        if let Some(incident) = draft.halted.clone() {
            self.stand_everybody_down(&halted_by(&incident), draft);
        }
    }

    /// What a person has to be paged about on a device, if anything: it is halted, or waits for nobody else. A failed reboot
    /// is the critical one.
    fn incident_of(&self, device: &DeviceId, standing: &Standing) -> Option<Incident> {
        let planned = self.plan.devices.get(device);
        let model = planned.map_or("", |planned| planned.model.as_str());
        let (code, severity, summary, next_step) = match &standing.work {
            Work::Halted { reason, to } => {
                let target = to.map_or_else(String::new, |to| format!(" on the way to {to}"));
                let severity = if reason.is_failed_reboot() {
                    Severity::Critical
                } else {
                    Severity::Error
                };
                let summary = format!("{device} ({model}){target}: {reason}");
                (reason.code(), severity, summary, reason.next_step().to_owned())
            }
            Work::Idle(hold) => {
                let summary = format!("{device} ({model}) waits for a person: {hold}");
                let next_step =
                    "clear the cause, then hopgate resume; nothing of it is out of service".to_owned();
                (hold.code()?, Severity::Warning, summary, next_step)
            }
            Work::Working | Work::Done => return None,
        };
        Some(Incident {
            key: device_key(self.id(), device, standing.hops_done, standing.resumes, code),
            severity,
            device: Some(device.clone()),
            summary,
            next_step,
            evidence: Vec::new(),
        })
    }

    /// Everybody who has a permit or is about to take one: a grant that is still on its way must not outlive the halt.
    fn stand_everybody_down(&self, because: &str, draft: &mut Draft) {
        for device in self.permits.keys() {
            let stopped = self
                .standings
                .get(device)
                .is_some_and(|standing| matches!(standing.work, Work::Halted { .. }));
            if !stopped && !draft.returned.contains(device) {
                draft
                    .effects
                    .push(CampaignEffect::StandDown(device.clone(), because.to_owned()));
            }
        }
    }

    fn resume(&self, now: Timestamp, by: &crate::names::Identity, reason: &str) -> Decision {
        let mut draft = Draft::default();
        draft.events.push(CampaignEvent::Resumed {
            by: by.clone(),
            reason: quoted(reason),
        });
        for (device, standing) in &self.standings {
            let waits_for_person = match &standing.work {
                Work::Halted { .. } => true,
                Work::Idle(hold) => hold.needs_person(),
                Work::Working | Work::Done => false,
            };
            if waits_for_person {
                draft.effects.push(CampaignEffect::ResumeDevice(
                    device.clone(),
                    by.clone(),
                    reason.to_owned(),
                ));
            }
        }
        draft.wake_at(now);
        draft.decide()
    }

    fn may_start(&self, draft: &Draft) -> bool {
        self.halted.is_none() && draft.halted.is_none() && !self.stopping && !self.finished
    }

    fn advance_waves(&self, now: Timestamp, draft: &mut Draft) {
        for (index, wave) in self.plan.waves.iter().enumerate() {
            if self.is_wave_over(wave) {
                continue;
            }
            // A wave of which nothing is left to do, as after a new plan, needs neither an approval nor an opening.
            if self.is_wave_done(wave) {
                draft.events.push(CampaignEvent::WaveFinished {
                    wave: wave.name.clone(),
                });
                draft.wake_at(now);
                return;
            }
            if !self.opened.contains(&wave.name) {
                self.try_to_open(index, wave, now, draft);
            } else if wave.approval && !self.is_approved(&wave.name) {
                // Opened under an earlier plan: what was approved is not what would run now.
                self.reach_gate(wave, draft);
            } else {
                self.grant_in(wave, now, draft);
            }
            self.report_closed_window(now, draft);
            return;
        }
        if !self.finished {
            draft.events.push(CampaignEvent::Finished);
        }
    }

    /// Finished, and still so: a new plan may have given it another device since.
    pub(super) fn is_wave_over(&self, wave: &Wave) -> bool {
        self.finished_waves.contains_key(&wave.name) && self.is_wave_done(wave)
    }

    fn is_wave_done(&self, wave: &Wave) -> bool {
        wave.devices.iter().all(|device| {
            self.standings
                .get(device)
                .is_some_and(|standing| standing.work == Work::Done)
        })
    }

    fn try_to_open(&self, index: usize, wave: &Wave, now: Timestamp, draft: &mut Draft) {
        if !self.may_start(draft) {
            return;
        }
        match self.wave_hold(index, now) {
            None => {
                draft.events.push(CampaignEvent::WaveOpened {
                    wave: wave.name.clone(),
                });
                draft.wake_at(now);
            }
            Some(Hold::Approval { .. }) => self.reach_gate(wave, draft),
            Some(hold) => {
                if let Some(until) = hold.until() {
                    draft.wake_at(until);
                }
            }
        }
    }

    fn reach_gate(&self, wave: &Wave, draft: &mut Draft) {
        if self.may_start(draft) && !self.gates.contains(&wave.name) {
            draft.events.push(CampaignEvent::GateReached {
                wave: wave.name.clone(),
            });
        }
    }

    /// What keeps a wave from being opened.
    pub(super) fn wave_hold(&self, index: usize, now: Timestamp) -> Option<Hold> {
        let wave = self.plan.waves.get(index)?;
        if let Some(before) = index
            .checked_sub(1)
            .and_then(|before| self.plan.waves.get(before))
        {
            let finished = self.finished_waves.get(&before.name);
            let Some(finished) = finished.filter(|_| self.is_wave_over(before)) else {
                return Some(Hold::Wave {
                    behind: before.name.clone(),
                });
            };
            let until = saturating_add(*finished, minutes(before.soak_min));
            if now < until {
                return Some(Hold::Soak {
                    wave: before.name.clone(),
                    until,
                });
            }
        }
        (wave.approval && !self.is_approved(&wave.name)).then(|| Hold::Approval {
            wave: wave.name.clone(),
        })
    }

    fn grant_in(&self, wave: &Wave, now: Timestamp, draft: &mut Draft) {
        if !self.may_start(draft) {
            return;
        }
        let mut next_id = self.last_permit;
        for device in &wave.devices {
            if draft.is_full() {
                return;
            }
            let Some(standing) = self.standings.get(device) else {
                continue;
            };
            if !matches!(standing.work, Work::Idle(_)) {
                continue;
            }
            match self.grantable(wave, device, standing, now, draft) {
                Ok((reboot_by, because)) => {
                    next_id += 1;
                    let permit = Permit {
                        id: next_id,
                        hop: standing.hops_done,
                        reboot_by,
                    };
                    draft.events.push(CampaignEvent::Granted {
                        device: device.clone(),
                        permit,
                        because,
                    });
                    draft.effects.push(CampaignEffect::Grant(device.clone(), permit));
                    draft.granted.insert(device.clone());
                }
                Err(hold) => self.arrange(device, &hold, now, draft),
            }
        }
    }

    /// What has to happen so that a hold can end: a wake-up, or a look at roles.
    fn arrange(&self, device: &DeviceId, hold: &Hold, now: Timestamp, draft: &mut Draft) {
        if let Some(until) = hold.until() {
            draft.wake_at(until.max(now));
        }
        if let Hold::Peer {
            peer,
            because: PeerWait::RolesUnknown,
        } = hold
        {
            for member in [device, peer] {
                match self.roles.get(member) {
                    Some(role) if role.seen.is_err() && now < saturating_add(role.at, RETRY) => {
                        draft.wake_at(saturating_add(role.at, RETRY));
                    }
                    Some(role) if role.seen.is_ok() && now < saturating_add(role.at, ROLE_FRESH) => {
                        // Both roles are fresh and still nobody is first: look again when something may have changed.
                        draft.wake_at(saturating_add(now, RETRY));
                        if now >= saturating_add(role.at, RETRY) {
                            self.survey(member, draft);
                        }
                    }
                    _ => self.survey(member, draft),
                }
            }
        }
    }

    fn survey(&self, member: &DeviceId, draft: &mut Draft) {
        let asked = CampaignEffect::Survey(member.clone());
        if !self.surveys.contains(member) && !draft.effects.contains(&asked) {
            draft.effects.push(asked);
        }
    }

    /// Whether `device` may start its next hop now: the instant by which it must leave service and why it was chosen, or
    /// what it waits for.
    pub(super) fn grantable(
        &self,
        wave: &Wave,
        device: &DeviceId,
        standing: &Standing,
        now: Timestamp,
        draft: &Draft,
    ) -> Result<(Timestamp, Option<String>), Hold> {
        if let Work::Idle(hold) = &standing.work
            && !standing.is_ready(now)
        {
            return Err(hold.clone());
        }
        if self.permits.contains_key(device) && !draft.returned.contains(device) {
            return Err(Hold::Permit);
        }
        let hop = self
            .plan
            .devices
            .get(device)
            .and_then(|planned| planned.route.hops.get(standing.hops_done as usize))
            .ok_or(Hold::Permit)?;
        let reboot_by = match self.plan.window.fit(hop, now) {
            Fit::Early => {
                return Err(Hold::WindowOpens {
                    at: self.plan.window.opens,
                });
            }
            Fit::TooLate => {
                let needs_min = worst_minutes(hop);
                return Err(Hold::WindowTooShort {
                    needs_min,
                    closes: self.plan.window.closes,
                });
            }
            Fit::Fits { reboot_by } => reboot_by,
        };
        let out = self.permits.len() - draft.returned.len() + draft.granted.len();
        if out >= wave.concurrency as usize {
            return Err(Hold::Concurrency {
                limit: wave.concurrency,
            });
        }
        let because = self.pair_turn(device, standing, now, draft)?;
        Ok((reboot_by, because))
    }

    fn pair_turn(
        &self,
        device: &DeviceId,
        standing: &Standing,
        now: Timestamp,
        draft: &Draft,
    ) -> Result<Option<String>, Hold> {
        let Some(peer) = self
            .plan
            .devices
            .get(device)
            .and_then(|planned| planned.peer.as_ref())
        else {
            return Ok(None);
        };
        match self.turn(device, standing, peer, now, draft) {
            Turn::Mine(because) => Ok(because),
            Turn::Wait(because) => Err(Hold::Peer {
                peer: peer.clone(),
                because,
            }),
            Turn::Unknown => Err(Hold::Peer {
                peer: peer.clone(),
                because: PeerWait::RolesUnknown,
            }),
        }
    }

    /// Both members do a hop before either does the next; the passive one is first. Releases further apart than that would
    /// break session sync and, two feature releases apart, suspend the older member ("Peer version too old").
    fn turn(
        &self,
        device: &DeviceId,
        standing: &Standing,
        peer: &DeviceId,
        now: Timestamp,
        draft: &Draft,
    ) -> Turn {
        let Some(other) = self.standings.get(peer) else {
            return Turn::Wait(PeerWait::Working);
        };
        let peer_has_permit = self.permits.contains_key(peer) && !draft.returned.contains(peer);
        let for_a_person = match &other.work {
            Work::Halted { .. } => true,
            Work::Idle(hold) => hold.needs_person(),
            Work::Working | Work::Done => false,
        };
        if for_a_person {
            return Turn::Wait(PeerWait::Halted);
        }
        if peer_has_permit || draft.granted.contains(peer) || other.work == Work::Working {
            return Turn::Wait(PeerWait::Working);
        }
        // Releases, not hops: members that began on different releases have different hops.
        let (own, others) = (self.release(device, standing), self.release(peer, other));
        if own < others {
            let ahead = others.map_or_else(String::new, |release| format!("{peer} runs {release} already"));
            return Turn::Mine(Some(ahead));
        }
        if own > others {
            return Turn::Wait(PeerWait::Behind);
        }
        match (self.fresh_role(device, now), self.fresh_role(peer, now)) {
            (Some("passive"), Some("active")) => {
                Turn::Mine(Some(format!("it is passive and {peer} is active")))
            }
            (Some("active"), Some("passive")) => Turn::Wait(PeerWait::PassiveFirst),
            _ => Turn::Unknown,
        }
    }

    /// The release that a device's hops so far brought it to.
    fn release(&self, device: &DeviceId, standing: &Standing) -> Option<Version> {
        let hops = &self.plan.devices.get(device)?.route.hops;
        match hops.get(standing.hops_done as usize) {
            Some(next) => Some(next.from),
            None => hops.last().map(|last| last.to),
        }
    }

    fn fresh_role(&self, device: &DeviceId, now: Timestamp) -> Option<&str> {
        let role = self.roles.get(device)?;
        let fresh = now < saturating_add(role.at, ROLE_FRESH);
        role.seen.as_deref().ok().filter(|_| fresh)
    }

    /// Nothing waits for ever: when no device can start any more inside this window, whatever it waits for, a person is told
    /// once.
    fn report_closed_window(&self, now: Timestamp, draft: &mut Draft) {
        let key = window_key(self.id(), self.plan.window.closes);
        if self.incidents.contains(&key) || !self.may_start(draft) {
            return;
        }
        if self.permits.len() > draft.returned.len() || !draft.granted.is_empty() {
            return;
        }
        let starts: Vec<Timestamp> = self
            .standings
            .iter()
            .filter(|(_, standing)| matches!(standing.work, Work::Idle(_)))
            .filter_map(|(device, standing)| self.latest_start(device, standing))
            .collect();
        let unfinished = match starts.len() {
            1 => "1 device".to_owned(),
            count => format!("{count} devices"),
        };
        let Some(last) = starts.into_iter().max() else {
            return;
        };
        if now <= last {
            // The window's fit has the last start inside, so the look comes after it.
            draft.wake_at(saturating_add(last, SignedDuration::from_secs(1)));
            return;
        }
        draft
            .events
            .push(CampaignEvent::IncidentOpened(Box::new(Incident {
                key,
                severity: Severity::Warning,
                device: None,
                summary: format!(
                    "campaign {}: the window ends with {unfinished} unfinished; nothing is under way",
                    self.id()
                ),
                next_step: "plan a new window and run the campaign again; it goes on where it is".to_owned(),
                evidence: Vec::new(),
            })));
    }

    /// The last instant at which a device may start its next hop.
    fn latest_start(&self, device: &DeviceId, standing: &Standing) -> Option<Timestamp> {
        let hops = &self.plan.devices.get(device)?.route.hops;
        let hop = hops.get(standing.hops_done as usize)?;
        Some(saturating_sub(
            self.plan.window.closes,
            minutes(worst_minutes(hop)),
        ))
    }
}

fn halted_by(incident: &str) -> String {
    format!("campaign halted by {incident}")
}
