//! A campaign's loop as a shell would run it, over devices that only have a standing.

use std::collections::{BTreeMap, BTreeSet};

use hopgate_playbooks::{Ha, HaMember};
use jiff::{SignedDuration, Timestamp};

use crate::campaign::{Campaign, CampaignEffect, CampaignEvent, CampaignInput};
use crate::device::{Permit, Standing, Work};
use crate::halt::HaltReason;
use crate::incident::Incident;
use crate::names::DeviceId;
use crate::plan::Plan;
use crate::plan::tests::plan;
use crate::waiting::Hold;

pub(super) fn id(name: &str) -> DeviceId {
    name.parse().unwrap()
}

pub(super) fn mins(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

pub(super) fn idle() -> Standing {
    Standing {
        hops_done: 0,
        last_permit: 0,
        holds_permit: false,
        out_of_service: false,
        resumes: 0,
        work: Work::Idle(Hold::Permit),
    }
}

pub(super) fn boot_loop() -> HaltReason {
    HaltReason::BootLoop {
        boots: 3,
        dark_spells: 3,
    }
}

pub(super) fn install_failed() -> HaltReason {
    HaltReason::InstallFailed {
        detail: "the device's words".to_owned(),
    }
}

pub(super) fn ha(state: &str) -> Result<Box<Ha>, String> {
    let member = HaMember {
        state: state.to_owned(),
        reason: None,
        build: None,
        state_sync: None,
        address: None,
    };
    Ok(Box::new(Ha {
        enabled: true,
        mode: None,
        local: member,
        peer: None,
        running_sync: None,
        running_sync_enabled: Some(true),
        preemptive: Some(false),
    }))
}

/// A campaign over scripted devices.
#[derive(Debug, Clone)]
pub(super) struct Hall {
    /// Most events of one decision so far.
    pub(super) widest_decision: usize,
    pub(super) now: Timestamp,
    pub(super) campaign: Campaign,
    pub(super) events: Vec<(Timestamp, CampaignEvent)>,
    pub(super) wake: Option<Timestamp>,
    /// What each device would say of its HA role; a device without one does not answer.
    pub(super) roles: BTreeMap<DeviceId, String>,
    /// Grants that were handed over and not taken yet.
    pub(super) on_its_way: BTreeMap<DeviceId, Permit>,
    pub(super) stood_down: BTreeSet<DeviceId>,
    pub(super) resumed: BTreeSet<DeviceId>,
    pub(super) granted: Vec<(DeviceId, Permit)>,
    /// Whether devices take a grant at once.
    pub(super) takes_grants: bool,
}

pub(super) fn first_record(plan: &Plan) -> CampaignEvent {
    CampaignEvent::Planned {
        campaign: plan.campaign.clone(),
        plan: plan.hash(),
        launcher: plan.launcher.clone(),
        devices: u32::try_from(plan.devices.len()).unwrap(),
    }
}

impl Hall {
    pub(super) fn new(plan: Plan) -> Self {
        assert_eq!(plan.check(), Ok(()));
        let now = plan.window.opens;
        let first = first_record(&plan);
        let mut hall = Hall {
            now,
            events: vec![(now, first.clone())],
            campaign: Campaign::begin(&first, plan.clone()).unwrap(),
            wake: None,
            roles: BTreeMap::new(),
            on_its_way: BTreeMap::new(),
            stood_down: BTreeSet::new(),
            resumed: BTreeSet::new(),
            granted: Vec::new(),
            takes_grants: true,
            widest_decision: 0,
        };
        for device in plan.devices.keys() {
            hall.campaign
                .note(now, &CampaignInput::Standing(device.clone(), Box::new(idle())));
        }
        hall
    }

    /// One wave without an approval.
    pub(super) fn of(names: &[&str], pairs: &[(&str, &str)]) -> Self {
        Hall::new(plan(&[("all", false, names)], pairs))
    }

    pub(super) fn start(mut self) -> Self {
        self.turn(CampaignInput::Started);
        self
    }

    pub(super) fn turn(&mut self, input: CampaignInput) {
        self.campaign.note(self.now, &input);
        let mut input = input;
        let mut rounds = 0;
        loop {
            rounds += 1;
            assert!(
                rounds < 50,
                "the campaign never comes to a decision: {:?}",
                self.events.last()
            );
            let decision = self.campaign.decide(self.now, &input);
            let quiet = decision.events.is_empty();
            self.widest_decision = self.widest_decision.max(decision.events.len());
            for event in decision.events {
                self.campaign.apply(self.now, &event).unwrap();
                self.events.push((self.now, event));
            }
            for effect in decision.effects {
                self.campaign.note_asked(&effect);
                self.perform(effect);
            }
            if quiet {
                break;
            }
            input = CampaignInput::Tick;
        }
        self.deliver();
        // What is due now happens now, as a sleep that is over would.
        if self.wake.is_some_and(|at| at <= self.now) {
            self.wake = None;
            self.turn(CampaignInput::Tick);
        }
    }

    fn perform(&mut self, effect: CampaignEffect) {
        match effect {
            CampaignEffect::Grant(device, permit) => {
                self.granted.push((device.clone(), permit));
                self.on_its_way.insert(device, permit);
            }
            CampaignEffect::StandDown(device, _) => drop(self.stood_down.insert(device)),
            CampaignEffect::ResumeDevice(device, ..) => drop(self.resumed.insert(device)),
            CampaignEffect::WakeAt(at) => self.wake = Some(self.wake.map_or(at, |known| known.min(at))),
            CampaignEffect::Survey(device) => {
                let seen = match self.roles.get(&device) {
                    Some(role) => ha(role),
                    None => Err("no route".to_owned()),
                };
                self.turn(CampaignInput::Surveyed(device, seen));
            }
        }
    }

    /// Devices take what was handed to them.
    pub(super) fn deliver(&mut self) {
        if !self.takes_grants {
            return;
        }
        while let Some((device, permit)) = self.on_its_way.pop_first() {
            let standing = self.standing(&device);
            if permit.id > standing.last_permit && matches!(standing.work, Work::Idle(_)) {
                assert_eq!(permit.hop, standing.hops_done);
                let last_permit = permit.id;
                self.say(
                    &device,
                    Standing {
                        last_permit,
                        holds_permit: true,
                        work: Work::Working,
                        ..standing
                    },
                );
            }
        }
    }

    pub(super) fn standing(&self, device: &DeviceId) -> Standing {
        self.campaign.standings()[device].clone()
    }

    pub(super) fn say(&mut self, device: &DeviceId, standing: Standing) {
        self.turn(CampaignInput::Standing(device.clone(), Box::new(standing)));
    }

    /// The device ends its hop.
    pub(super) fn ends_hop(&mut self, name: &str) {
        let device = id(name);
        let standing = self.standing(&device);
        assert_eq!(standing.work, Work::Working, "{name}");
        let hops_done = standing.hops_done + 1;
        let hops = self.campaign.plan().devices[&device].route.hops.len();
        let work = if hops_done as usize == hops {
            Work::Done
        } else {
            Work::Idle(Hold::Permit)
        };
        let ended = Standing {
            hops_done,
            holds_permit: false,
            out_of_service: false,
            work,
            ..standing
        };
        self.stood_down.remove(&device);
        self.say(&device, ended);
    }

    pub(super) fn rests(&mut self, name: &str, hold: Hold) {
        let device = id(name);
        let standing = self.standing(&device);
        self.stood_down.remove(&device);
        self.say(
            &device,
            Standing {
                holds_permit: false,
                out_of_service: false,
                work: Work::Idle(hold),
                ..standing
            },
        );
    }

    /// The device halts, out of service where the reason is a failed reboot.
    pub(super) fn halts(&mut self, name: &str, reason: HaltReason) {
        let device = id(name);
        let standing = self.standing(&device);
        let out = reason.is_failed_reboot();
        self.stood_down.remove(&device);
        let work = Work::Halted { reason, to: None };
        self.say(
            &device,
            Standing {
                holds_permit: out,
                out_of_service: out,
                work,
                ..standing
            },
        );
    }

    /// What the devices that were told to go on do.
    pub(super) fn devices_resume(&mut self) {
        for device in std::mem::take(&mut self.resumed) {
            let standing = self.standing(&device);
            let work = match (&standing.work, standing.out_of_service) {
                (Work::Halted { .. }, true) => Work::Working,
                _ => Work::Idle(Hold::Permit),
            };
            let resumes = standing.resumes + 1;
            self.say(
                &device,
                Standing {
                    resumes,
                    work,
                    ..standing
                },
            );
        }
    }

    pub(super) fn resume(&mut self) {
        self.turn(CampaignInput::Resume {
            by: "nora".parse().unwrap(),
            reason: "looked at it".to_owned(),
        });
    }

    pub(super) fn approve(&mut self, wave: &str, by: &str) {
        let (wave, by) = (wave.parse().unwrap(), by.parse().unwrap());
        self.turn(CampaignInput::Approve {
            wave,
            by,
            reason: "looks good".to_owned(),
        });
    }

    /// Time passes until the campaign wanted to look again.
    pub(super) fn wakes(&mut self) {
        let at = self.wake.take().expect("nothing would wake the campaign");
        self.now = at.max(self.now);
        self.turn(CampaignInput::Tick);
    }

    pub(super) fn at(&mut self, now: Timestamp) {
        self.now = now;
        self.turn(CampaignInput::Tick);
    }

    /// The process dies and comes back: the campaign is replayed, devices report what is durable.
    pub(super) fn come_back(&mut self) {
        let mut replayed = Campaign::begin(&self.events[0].1, self.campaign.plan().clone()).unwrap();
        for (at, event) in &self.events[1..] {
            replayed.apply(*at, event).unwrap();
        }
        for (device, standing) in self.campaign.standings() {
            let input = CampaignInput::Standing(device.clone(), Box::new(standing.clone()));
            replayed.note(self.now, &input);
        }
        self.campaign = replayed;
        self.wake = None;
        self.on_its_way.clear();
        self.stood_down.clear();
        self.resumed.clear();
        self.turn(CampaignInput::Started);
    }

    pub(super) fn working(&self) -> Vec<&str> {
        let working = self
            .campaign
            .standings()
            .iter()
            .filter(|(_, standing)| standing.work == Work::Working);
        working.map(|(device, _)| device.as_str()).collect()
    }

    pub(super) fn why(&self, name: &str) -> String {
        self.campaign
            .why(&id(name), self.now)
            .map_or_else(|| "nothing".to_owned(), |hold| hold.to_string())
    }

    pub(super) fn incidents(&self) -> Vec<&Incident> {
        let opened = self.events.iter().filter_map(|(_, event)| match event {
            CampaignEvent::IncidentOpened(incident) => Some(&**incident),
            _ => None,
        });
        opened.collect()
    }

    pub(super) fn story(&self) -> String {
        let opens = self.campaign.plan().window.opens;
        let lines = self
            .events
            .iter()
            .map(|(at, event)| format!("{:>3} {event}\n", opens.duration_until(*at).as_mins()));
        lines.collect()
    }
}
