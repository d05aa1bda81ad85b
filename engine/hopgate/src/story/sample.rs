//! A night of seven firewalls, written record by record, for the tests of the story and of everything that shows it.
//!
//! It holds what a report has to survive: a pair, an off-vendor pin, a boot loop with a resume, a device that comes to
//! rest and goes on, a halt that is still open, and a device whose answers are hostile.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use hopgate_core::campaign::CampaignEvent;
use hopgate_core::device::{Action, Enrolment, Event, How, Permit};
use hopgate_core::halt::HaltReason;
use hopgate_core::incident::{Incident, Severity, device_key};
use hopgate_core::names::{CampaignId, DeviceId};
use hopgate_core::plan::{PLAN_FORMAT, Pin, Plan, PlannedDevice, Wave};
use hopgate_core::waiting::Hold;
use hopgate_core::watchdog::{Boot, Reach};
use hopgate_core::window::Window;
use hopgate_paths::{BrokenRule, Hop, HopKind, HopTimes, Route, Version};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Story;
use crate::journal::blobs::Blobs;
use crate::journal::memory::MemoryJournal;
use crate::journal::{Seq, StreamId};
use crate::ledger::{Ledger, campaign_stream, device_stream};

/// What a device answers that wants to run in the browser, or on the terminal, of whoever reads the report.
pub(crate) const HOSTILE: &str =
    "</td><script>alert(1)</script><img src=x onerror=alert(2)> \"quoted\" & \u{1b}[2Jwiped \u{202e}desrever";

/// A directory that is gone when the test is over.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The night's records, before they are read back.
pub(crate) struct Night {
    ledger: Ledger,
    plan: Plan,
    written: BTreeMap<StreamId, u64>,
    permits: u64,
    runtime: tokio::runtime::Runtime,
    _scratch: Scratch,
}

/// Minutes after the window opens, 2026-03-07 22:00 UTC.
pub(crate) fn at(minutes: f64) -> Timestamp {
    let opens: Timestamp = "2026-03-07T22:00:00Z".parse().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "minutes of one night")]
    let seconds = (minutes * 60.0) as i64;
    opens + SignedDuration::from_secs(seconds)
}

pub(crate) fn id(device: &str) -> DeviceId {
    device.parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn hop(from: &str, to: &str, broken: &[(&str, &str)]) -> Hop {
    Hop {
        from: version(from),
        to: version(to),
        kind: if broken.is_empty() {
            HopKind::Feature
        } else {
            HopKind::Pinned
        },
        downloads: vec![version(to)],
        minimum_content: None,
        broken_rules: broken
            .iter()
            .map(|(rule, text)| BrokenRule {
                rule: (*rule).to_owned(),
                text: (*text).to_owned(),
                source: "Determine the Upgrade Path to PAN-OS 10.2".to_owned(),
            })
            .collect(),
        times: HopTimes {
            install_expected_min: 12,
            install_worst_min: 30,
            reboot_expected_min: 15,
            reboot_warn_min: 25,
            reboot_fail_min: 45,
        },
        chassis_ready: true,
        feature_releases_apart: 1,
    }
}

fn planned(model: &str, serial: &str, peer: Option<&str>, hops: Vec<Hop>) -> PlannedDevice {
    PlannedDevice {
        model: model.to_owned(),
        serial: serial.to_owned(),
        peer: peer.map(id),
        route: Route {
            model: model.to_owned(),
            from: hops.first().unwrap().from,
            to: hops.last().unwrap().to,
            hops,
        },
    }
}

fn wave(name: &str, approval: bool, concurrency: u32, devices: &[&str]) -> Wave {
    Wave {
        name: name.parse().unwrap(),
        approval,
        concurrency,
        soak_min: 10,
        devices: devices.iter().map(|device| id(device)).collect(),
    }
}

fn plan() -> Plan {
    let two = || vec![hop("10.0.12", "10.1.14", &[]), hop("10.1.14", "10.2.7", &[])];
    let one = || vec![hop("10.1.14", "10.2.7", &[])];
    let skip = "9.1.16 to 10.2.7 passes over 10.0 and 10.1; the vendor wants every feature release installed in turn";
    let devices = BTreeMap::from([
        (id("fw-par-1"), planned("PA-440", "021001", None, one())),
        (
            id("fw-lyo-1a"),
            planned("PA-850", "011901", Some("fw-lyo-1b"), two()),
        ),
        (
            id("fw-lyo-1b"),
            planned("PA-850", "011902", Some("fw-lyo-1a"), two()),
        ),
        (id("fw-ber-1"), planned("PA-3220", "016301", None, one())),
        (
            id("fw-old-1"),
            planned(
                "PA-220",
                "012801",
                None,
                vec![hop("9.1.16", "10.2.7", &[("feature-skipped", skip)])],
            ),
        ),
        (id("fw-ham-1"), planned("PA-440", "021002", None, one())),
        (id("fw-zrh-1"), planned("PA-5220", "013201", None, one())),
    ]);
    Plan {
        format: PLAN_FORMAT,
        campaign: "spring".parse().unwrap(),
        launcher: "olga".parse().unwrap(),
        target: version("10.2.7"),
        pin: Some(Pin {
            by: "nadia".parse().unwrap(),
            reason: "the lab passed the direct jump twice; PA-220 has no room for three images".to_owned(),
            via: Vec::new(),
        }),
        window: Window {
            opens: at(0.0),
            closes: at(600.0),
        },
        waves: vec![
            wave("canary", false, 1, &["fw-par-1"]),
            wave("pairs", true, 2, &["fw-lyo-1a", "fw-lyo-1b"]),
            wave("rest", true, 2, &["fw-ber-1", "fw-old-1", "fw-ham-1"]),
            wave("last", true, 2, &["fw-zrh-1"]),
        ],
        devices,
        before: BTreeMap::new(),
        after: BTreeMap::new(),
        before_with: BTreeMap::new(),
        after_with: BTreeMap::new(),
        accepted: Vec::new(),
    }
}

impl Night {
    fn begin(tag: &str) -> Night {
        let dir = std::env::temp_dir().join(format!("hopgate-story-{}-{tag}", std::process::id()));
        let scratch = Scratch(dir.clone());
        let blobs = Arc::new(Blobs::open(&dir).unwrap());
        let ledger = Ledger::new(Arc::new(MemoryJournal::new()), blobs);
        let plan = plan();
        assert_eq!(plan.check(), Ok(()));
        assert_eq!(
            ledger.store(plan.to_json().as_bytes()).unwrap(),
            plan.hash().as_str()
        );
        Night {
            ledger,
            plan,
            written: BTreeMap::new(),
            permits: 0,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            _scratch: scratch,
        }
    }

    fn append<E: Serialize>(&mut self, stream: StreamId, minute: f64, event: E) {
        let next = self.written.entry(stream.clone()).or_insert(0);
        let events = [event];
        let appended = self.ledger.append(&stream, Seq(*next), at(minute), &events);
        self.runtime.block_on(appended).unwrap();
        *next += 1;
    }

    pub(crate) fn campaign(&mut self, minute: f64, event: CampaignEvent) {
        let stream = campaign_stream(&self.plan.campaign).unwrap();
        self.append(stream, minute, event);
    }

    pub(crate) fn device(&mut self, device: &str, minute: f64, event: Event) {
        let stream = device_stream(&self.plan.campaign, &id(device)).unwrap();
        self.append(stream, minute, event);
    }

    /// What the ledger tells of the night so far.
    pub(crate) fn story(&self) -> Story {
        let labels = BTreeMap::from([
            (
                id("fw-par-1"),
                BTreeMap::from([("site".to_owned(), "paris".to_owned())]),
            ),
            (
                id("fw-lyo-1a"),
                BTreeMap::from([
                    ("site".to_owned(), "lyon".to_owned()),
                    ("role".to_owned(), "edge".to_owned()),
                ]),
            ),
        ]);
        Story::of(&self.ledger, &self.plan.campaign, &labels)
            .unwrap()
            .unwrap()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn plan_and_enrol(&mut self) {
        let (campaign, hash) = (self.plan.campaign.clone(), self.plan.hash());
        let planned = CampaignEvent::Planned {
            campaign: campaign.clone(),
            plan: hash.clone(),
            launcher: self.plan.launcher.clone(),
            devices: 7,
        };
        self.campaign(-45.0, planned);
        for (device, planned) in self.plan.devices.clone() {
            let enrolment = Enrolment {
                device: device.clone(),
                campaign: campaign.clone(),
                plan: hash.clone(),
                model: planned.model,
                serial: planned.serial,
                peer: planned.peer,
                hops: planned.route.hops,
            };
            self.device(device.as_str(), -45.0, Event::Enrolled(Box::new(enrolment)));
        }
    }

    /// Another plan takes the place of the first, without the wave `last` and its device.
    pub(crate) fn replan(&mut self, minute: f64) {
        self.plan.waves.retain(|wave| wave.name.as_str() != "last");
        self.plan.devices.remove(&id("fw-zrh-1"));
        self.ledger.store(self.plan.to_json().as_bytes()).unwrap();
        let replanned = CampaignEvent::Replanned {
            plan: self.plan.hash(),
            launcher: "petra".parse().unwrap(),
        };
        self.campaign(minute, replanned);
    }

    fn approve(&mut self, minute: f64, wave: &str, reason: &str) {
        let event = CampaignEvent::Approved {
            wave: wave.parse().unwrap(),
            plan: self.plan.hash(),
            by: "marc".parse().unwrap(),
            reason: reason.to_owned(),
        };
        self.campaign(minute, event);
    }

    fn open(&mut self, minute: f64, wave: &str) {
        let wave = wave.parse().unwrap();
        self.campaign(minute, CampaignEvent::WaveOpened { wave });
    }

    fn finish(&mut self, minute: f64, wave: &str) {
        let wave = wave.parse().unwrap();
        self.campaign(minute, CampaignEvent::WaveFinished { wave });
    }

    fn grant(&mut self, minute: f64, device: &str, hop: u32, because: Option<&str>) {
        self.permits += 1;
        let permit = Permit {
            id: self.permits,
            hop,
            reboot_by: at(510.0),
        };
        let granted = CampaignEvent::Granted {
            device: id(device),
            permit,
            because: because.map(str::to_owned),
        };
        self.campaign(minute, granted);
        self.device(device, minute, Event::PermitReceived(permit));
    }

    fn give_back(&mut self, minute: f64, device: &str, permit: u64, done: bool) {
        let returned = CampaignEvent::Returned {
            device: id(device),
            permit,
            done,
        };
        self.campaign(minute, returned);
    }

    fn ask(&mut self, device: &str, minute: f64, action: Action, attempt: u32, job: Option<u32>) {
        self.device(device, minute, Event::Intended { action, attempt });
        self.device(device, minute + 0.05, Event::Accepted { action, job });
    }

    fn check_and_back_up(&mut self, device: &str, minute: f64, warnings: &[&str]) {
        let passed = Event::ChecksPassed {
            passed: 23,
            warnings: warnings.iter().map(|warning| (*warning).to_owned()).collect(),
        };
        self.device(device, minute + 0.3, passed);
        let backed_up = Event::BackedUp {
            blob: "4be1d3".repeat(10) + "0a1f",
            bytes: 482_113,
            snapshot: None,
        };
        self.device(device, minute + 0.8, backed_up);
    }

    /// Six minutes of download, twelve of install, from `minute` on; ends installed at `minute + 19`.
    fn stage(&mut self, device: &str, minute: f64, to: &str) {
        let to = version(to);
        self.ask(device, minute + 1.0, Action::Download(to), 1, Some(71));
        let downloaded = Event::JobEnded {
            action: Action::Download(to),
            job: 71,
            ok: true,
            detail: String::new(),
        };
        self.device(device, minute + 6.8, downloaded);
        self.device(device, minute + 7.0, Event::ImagesReady { how: How::Done });
        self.ask(device, minute + 7.0, Action::Install(to), 1, Some(72));
        let installed = Event::JobEnded {
            action: Action::Install(to),
            job: 72,
            ok: true,
            detail: String::new(),
        };
        self.device(device, minute + 18.9, installed);
        let staged = Event::Staged {
            version: to,
            how: How::Done,
        };
        self.device(device, minute + 19.0, staged);
    }

    /// Restarts at `minute` and boots once: back at `minute + 15`, hop ended at `minute + 17`.
    fn restart(&mut self, device: &str, minute: f64, hop: u32, to: &str) {
        self.ask(device, minute, Action::Restart, 1, None);
        self.device(device, minute + 1.5, Event::Seen(Reach::Dark));
        self.device(device, minute + 8.0, Event::Seen(Reach::Starting));
        self.back(device, minute + 10.0, hop, to);
    }

    fn back(&mut self, device: &str, minute: f64, hop: u32, to: &str) {
        self.device(device, minute, Event::Seen(Reach::Answering));
        self.boot(device, minute, to);
        self.device(device, minute + 5.0, Event::BackInService { boots: 1 });
        let ended = Event::HopEnded {
            hop,
            version: version(to),
            how: How::Done,
            passed: 21,
            warnings: Vec::new(),
        };
        self.device(device, minute + 7.0, ended);
    }

    fn boot(&mut self, device: &str, minute: f64, to: &str) {
        let boot = Boot {
            at: at(minute - 1.0),
            version: version(to),
        };
        self.device(device, minute, Event::BootSeen(boot));
    }

    /// One whole hop of a device outside a pair: 36 minutes and a little.
    fn whole_hop(&mut self, device: &str, minute: f64, to: &str) -> u64 {
        self.grant(minute, device, 0, None);
        self.check_and_back_up(device, minute, &[]);
        self.stage(device, minute, to);
        self.restart(device, minute + 19.1, 0, to);
        let permit = self.permits;
        self.give_back(minute + 36.1, device, permit, true);
        permit
    }

    /// One hop of a member: the active one is suspended first, the passive one just leaves.
    fn member_hop(&mut self, device: &str, minute: f64, hop: u32, to: &str, because: &str, suspend: bool) {
        self.grant(minute, device, hop, Some(because));
        self.check_and_back_up(device, minute, &[]);
        self.stage(device, minute, to);
        if suspend {
            self.ask(device, minute + 19.2, Action::Suspend, 1, None);
        }
        let proved = Event::FailoverProved {
            seen: "this member suspended, peer active by its own word and active by this one's".to_owned(),
        };
        self.device(device, minute + 20.0, proved);
        self.restart(device, minute + 20.0, hop, to);
        let permit = self.permits;
        self.give_back(minute + 37.0, device, permit, true);
    }

    fn canary_and_pairs(&mut self) {
        self.open(0.0, "canary");
        self.whole_hop("fw-par-1", 0.2, "10.2.7");
        self.finish(36.3, "canary");
        self.campaign(
            46.3,
            CampaignEvent::GateReached {
                wave: "pairs".parse().unwrap(),
            },
        );
        self.approve(58.0, "pairs", "canary is clean");
        self.open(58.0, "pairs");
        let passive = "it is passive and fw-lyo-1a is active";
        self.member_hop("fw-lyo-1b", 58.5, 0, "10.1.14", passive, false);
        self.member_hop(
            "fw-lyo-1a",
            95.6,
            0,
            "10.1.14",
            "fw-lyo-1b has done this hop",
            true,
        );
        let passive = "it is passive and fw-lyo-1b is active";
        self.member_hop("fw-lyo-1a", 133.0, 1, "10.2.7", passive, false);
        self.approve(150.0, "rest", "pairs look good, going to bed");
        self.member_hop(
            "fw-lyo-1b",
            170.2,
            1,
            "10.2.7",
            "fw-lyo-1a has done this hop",
            true,
        );
        self.finish(207.3, "pairs");
    }

    /// fw-ber-1 loops and halts everything; fw-old-1 comes to rest with its release staged.
    fn boot_loop(&mut self) {
        self.open(217.3, "rest");
        self.grant(217.4, "fw-ber-1", 0, None);
        self.grant(217.4, "fw-old-1", 0, None);
        let resting = self.permits;
        self.check_and_back_up("fw-ber-1", 217.4, &[]);
        self.check_and_back_up(
            "fw-old-1",
            217.4,
            &["PAN-164922: data plane may restart once after the upgrade"],
        );
        self.stage("fw-ber-1", 217.4, "10.2.7");
        let to = version("10.2.7");
        self.ask("fw-old-1", 218.5, Action::Download(to), 1, Some(9));
        self.ask("fw-ber-1", 236.5, Action::Restart, 1, None);
        for (index, minute) in [245.0, 253.0, 261.0].into_iter().enumerate() {
            self.device("fw-ber-1", minute - 5.0, Event::Seen(Reach::Dark));
            self.device("fw-ber-1", minute, Event::Seen(Reach::Answering));
            self.boot("fw-ber-1", minute, "10.2.7");
            if index == 0 {
                self.device("fw-old-1", 247.0, Event::ImagesReady { how: How::Done });
                self.ask("fw-old-1", 247.0, Action::Install(to), 1, Some(10));
            }
        }
        let reason = HaltReason::BootLoop {
            boots: 3,
            dark_spells: 3,
        };
        let evidence = vec![
            "restart asked for at 2026-03-08T01:56:30Z".to_owned(),
            "boot 1 at 2026-03-08T02:04:00Z into 10.2.7".to_owned(),
            "boot 2 at 2026-03-08T02:12:00Z into 10.2.7, 480 s after the one before".to_owned(),
            "boot 3 at 2026-03-08T02:20:00Z into 10.2.7, 480 s after the one before".to_owned(),
        ];
        self.device(
            "fw-ber-1",
            261.0,
            Event::Halted {
                reason: reason.clone(),
                evidence,
            },
        );
        let key = self.incident(261.1, "fw-ber-1", &reason, Severity::Critical);
        self.campaign(
            261.1,
            CampaignEvent::Halted {
                incident: key.clone(),
            },
        );
        let because = format!("campaign halted by {key}");
        self.device("fw-old-1", 261.2, Event::StandDownAsked { because });
        self.device(
            "fw-old-1",
            263.0,
            Event::Staged {
                version: to,
                how: How::Done,
            },
        );
        self.device(
            "fw-old-1",
            263.1,
            Event::Held(Hold::StoodDown { staged: Some(to) }),
        );
        self.give_back(263.1, "fw-old-1", resting, false);
    }

    /// An operator pulls the optics of fw-ber-1, which is then back, and resumes the campaign.
    fn resume(&mut self) {
        let (by, why) = ("marc", "optics in port 21 pulled, console shows a clean boot");
        let resumed = CampaignEvent::Resumed {
            by: by.parse().unwrap(),
            reason: why.to_owned(),
        };
        self.campaign(305.0, resumed);
        let resumed = Event::Resumed {
            by: by.parse().unwrap(),
            reason: why.to_owned(),
        };
        self.device("fw-ber-1", 305.0, resumed);
        self.back("fw-ber-1", 306.0, 0, "10.2.7");
        let looping = self.permits - 1;
        self.give_back(313.1, "fw-ber-1", looping, true);
    }

    fn incident(&mut self, minute: f64, device: &str, reason: &HaltReason, severity: Severity) -> String {
        let key = device_key(&self.plan.campaign, &id(device), 0, 0, reason.code());
        let model = self.plan.devices.get(&id(device)).unwrap().model.clone();
        let incident = Incident {
            key: key.clone(),
            severity,
            device: Some(id(device)),
            summary: format!("{device} ({model}) on the way to 10.2.7: {reason}"),
            next_step: reason.next_step().to_owned(),
            evidence: Vec::new(),
        };
        self.campaign(minute, CampaignEvent::IncidentOpened(Box::new(incident)));
        key
    }

    /// fw-old-1 restarts and is on its way at the end; fw-ham-1 answers with markup and halts.
    fn last_hour(&mut self) {
        self.grant(305.1, "fw-old-1", 0, None);
        self.check_and_back_up(
            "fw-old-1",
            305.1,
            &["PAN-164922: data plane may restart once after the upgrade"],
        );
        self.device("fw-old-1", 306.0, Event::ImagesReady { how: How::AlreadySo });
        let staged = Event::Staged {
            version: version("10.2.7"),
            how: How::AlreadySo,
        };
        self.device("fw-old-1", 306.2, staged);
        self.grant(313.2, "fw-ham-1", 0, None);
        let held = Hold::Gate {
            reasons: vec![format!("disk-space: cannot be decided: {HOSTILE}")],
            until: at(323.5),
        };
        self.device("fw-ham-1", 313.5, Event::Held(held));
        let permit = self.permits;
        self.give_back(313.5, "fw-ham-1", permit, false);
        self.grant(323.5, "fw-ham-1", 0, None);
        let permit = self.permits;
        self.check_and_back_up("fw-ham-1", 323.5, &[]);
        let action = Action::Download(version("10.2.7"));
        self.device("fw-ham-1", 324.6, Event::Intended { action, attempt: 1 });
        let refused = Event::Refused {
            action,
            text: HOSTILE.to_owned(),
        };
        self.device("fw-ham-1", 324.7, refused);
        let reason = HaltReason::FetchFailed {
            detail: HOSTILE.to_owned(),
        };
        let evidence = vec![HOSTILE.to_owned()];
        self.device(
            "fw-ham-1",
            325.0,
            Event::Halted {
                reason: reason.clone(),
                evidence,
            },
        );
        self.give_back(325.0, "fw-ham-1", permit, false);
        self.incident(325.0, "fw-ham-1", &reason, Severity::Error);
        self.ask("fw-old-1", 306.4, Action::Restart, 1, None);
        self.device("fw-old-1", 307.9, Event::Seen(Reach::Dark));
        self.device("fw-old-1", 331.5, Event::SlowBoot { minutes: 25 });
    }
}

/// The whole night. `tag` keeps the documents of tests that run at once apart.
pub(crate) fn night(tag: &str) -> Night {
    let mut night = Night::begin(tag);
    night.plan_and_enrol();
    night.canary_and_pairs();
    night.boot_loop();
    night.resume();
    night.last_hour();
    night
}

/// The night up to the boot loop, when everything stands still and somebody was paged.
pub(crate) fn halted_night(tag: &str) -> Night {
    let mut night = Night::begin(tag);
    night.plan_and_enrol();
    night.canary_and_pairs();
    night.boot_loop();
    night
}

/// The name of the campaign.
pub(crate) fn name() -> CampaignId {
    "spring".parse().unwrap()
}
