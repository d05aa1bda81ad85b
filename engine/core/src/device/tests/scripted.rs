//! A scripted firewall and the loop that a shell would run, both in virtual time.
//!
//! The firewall knows versions, images, jobs, partitions, HA and boots; faults are scripted per request. The loop checks
//! after every decision what must hold after every decision.

use std::collections::{BTreeSet, VecDeque};

use hopgate_paths::{Hop, Version};
use hopgate_playbooks::{Finding, Ha, HaMember, Image, Job, Mode, Partition, Severity, System, Verdict};
use jiff::{SignedDuration, Timestamp};

use crate::device::{
    Action, Call, Device, Effect, Enrolment, Event, Failure, FailureKind, HaltedAt, Input, Observation,
    Permit, Phase, Probe,
};
use crate::plan::tests::{hop, plan};
use crate::watchdog::AutoCommit;

pub(super) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(super) fn opens() -> Timestamp {
    "2026-03-07T22:00:00Z".parse().unwrap()
}

pub(super) fn secs(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

pub(super) fn failure(kind: FailureKind, text: &str) -> Failure {
    Failure {
        kind,
        text: text.to_owned(),
    }
}

/// What becomes of the next request of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Taken and answered.
    Taken,
    /// Taken, and the answer was lost.
    TakenSilently,
    /// It never arrived, and nothing came back.
    Lost,
    /// It takes effect ten minutes later, and the answer was good.
    TakenLate,
    /// The device said no.
    Refused,
    /// Taken, and its job ends in FAIL.
    Fails,
}

#[derive(Debug, Clone)]
struct RunningJob {
    id: u32,
    action: Action,
    ends: Timestamp,
    ok: bool,
}

/// What the firewall is like.
#[derive(Debug, Clone)]
pub(super) struct Firewall {
    pub(super) serial: String,
    pub(super) running: Version,
    pub(super) pending: Option<Version>,
    pub(super) images: BTreeSet<Version>,
    pub(super) offered: Vec<Version>,
    /// Whether the software manager can be read.
    pub(super) swm: bool,
    jobs: Vec<RunningJob>,
    next_job: u32,
    pub(super) booted: Timestamp,
    /// From when it goes dark for a restart that was taken.
    restart_at: Option<Timestamp>,
    pub(super) fates: Vec<(Action, VecDeque<Fate>)>,
    /// Own HA state; nothing on a device without a pair.
    pub(super) ha: Option<String>,
    pub(super) ha_reason: Option<String>,
    pub(super) peer: String,
    pub(super) peer_answers: bool,
    /// Whether the peer takes over when this member leaves.
    pub(super) peer_takes_over: bool,
    pub(super) suspended_survives: bool,
    /// Until when HA stays in `initial` after a boot.
    pub(super) ha_settles_after: SignedDuration,
    pub(super) dark_for: SignedDuration,
    pub(super) auto_commit_for: SignedDuration,
    pub(super) loops: bool,
    /// The release that it boots whatever is staged, as after a revert by hand.
    pub(super) comes_up_on: Option<Version>,
    pub(super) before_fails: bool,
    pub(super) after_fails_until: Option<Timestamp>,
    /// Requests that took effect.
    pub(super) restarts: u32,
    pub(super) installs: u32,
    pub(super) suspends: u32,
    /// Instants at which nobody of the pair served, by our doing.
    pub(super) outages: Vec<Timestamp>,
}

impl Firewall {
    pub(super) fn new(running: &str, pair: Option<(&str, &str)>) -> Self {
        Firewall {
            serial: "0011".to_owned(),
            running: version(running),
            pending: None,
            images: BTreeSet::new(),
            offered: vec![version("10.2.0"), version("10.2.7")],
            swm: true,
            jobs: Vec::new(),
            next_job: 7,
            booted: opens() - SignedDuration::from_hours(900),
            restart_at: None,
            fates: Vec::new(),
            ha: pair.map(|(own, _)| own.to_owned()),
            ha_reason: None,
            peer: pair.map_or("", |(_, peer)| peer).to_owned(),
            peer_answers: true,
            peer_takes_over: true,
            suspended_survives: true,
            ha_settles_after: secs(30),
            dark_for: secs(240),
            auto_commit_for: secs(120),
            loops: false,
            comes_up_on: None,
            before_fails: false,
            after_fails_until: None,
            restarts: 0,
            installs: 0,
            suspends: 0,
            outages: Vec::new(),
        }
    }

    pub(super) fn script(&mut self, action: Action, fates: &[Fate]) {
        self.fates.push((action, fates.iter().copied().collect()));
    }

    fn fate(&mut self, action: Action) -> Fate {
        let scripted = self.fates.iter_mut().find(|(known, _)| *known == action);
        scripted
            .and_then(|(_, fates)| fates.pop_front())
            .unwrap_or(Fate::Taken)
    }

    /// Lets everything happen that is due.
    pub(super) fn pass(&mut self, now: Timestamp) {
        for job in self.jobs.clone() {
            if job.ends <= now && job.ok {
                match job.action {
                    Action::Download(image) => drop(self.images.insert(image)),
                    Action::Install(release) if self.running != release => self.pending = Some(release),
                    _ => {}
                }
            }
        }
        if let Some(at) = self.restart_at
            && at <= now
        {
            self.boot(at);
        }
        while self.loops && self.booted + secs(200) <= now {
            self.boot(self.booted + secs(200));
        }
        self.ha_passes(now);
    }

    /// The restart happens at `at`.
    pub(super) fn boot(&mut self, at: Timestamp) {
        self.restart_at = None;
        self.jobs.clear();
        self.next_job = 2;
        self.booted = at + self.dark_for / 2;
        if let Some(release) = self.pending.take() {
            self.running = self.comes_up_on.unwrap_or(release);
        }
        if let Some(state) = &mut self.ha {
            if *state != "suspended" || !self.suspended_survives {
                *state = "initial".to_owned();
            }
            self.leave(at);
        }
    }

    fn ha_passes(&mut self, now: Timestamp) {
        if self.ha.as_deref() == Some("initial") && now >= self.ready_at() + self.ha_settles_after {
            self.ha = Some("passive".to_owned());
        }
    }

    /// This member stops serving.
    fn leave(&mut self, at: Timestamp) {
        if self.peer == "passive" && self.peer_takes_over {
            self.peer = "active".to_owned();
        }
        if self.peer != "active" {
            self.outages.push(at);
        }
    }

    fn api_from(&self) -> Timestamp {
        self.booted + self.dark_for / 2
    }

    fn ready_at(&self) -> Timestamp {
        self.api_from() + self.auto_commit_for
    }

    fn reach(&self, now: Timestamp) -> Result<(), Failure> {
        if now < self.booted {
            return Err(failure(FailureKind::Dark, "no route"));
        }
        if now < self.api_from() {
            return Err(failure(FailureKind::Unauthorised, "Invalid Credential"));
        }
        Ok(())
    }

    fn system(&self, now: Timestamp) -> Box<System> {
        Box::new(System {
            hostname: "fw".to_owned(),
            model: "PA-850".to_owned(),
            serial: self.serial.clone(),
            sw_version: self.running,
            app_version: "8700-1".to_owned(),
            uptime_seconds: self.uptime(now),
            operational_mode: None,
            multi_vsys: false,
        })
    }

    fn uptime(&self, now: Timestamp) -> u64 {
        u64::try_from(self.booted.duration_until(now).as_secs()).unwrap_or(0)
    }

    fn jobs(&self, now: Timestamp) -> Vec<Job> {
        self.jobs.iter().map(|job| shown(job, now)).collect()
    }

    fn ha(&self) -> Ha {
        Ha {
            enabled: true,
            mode: Some("Active-Passive".to_owned()),
            local: HaMember {
                state: self.ha.clone().unwrap_or_default(),
                reason: self.ha_reason.clone(),
                build: Some(self.running.to_string()),
                state_sync: Some("Complete".to_owned()),
                address: None,
            },
            peer: Some(self.peer_member()),
            running_sync: Some("synchronized".to_owned()),
            running_sync_enabled: Some(true),
            preemptive: Some(false),
        }
    }

    fn peer_member(&self) -> HaMember {
        HaMember {
            state: self.peer.clone(),
            reason: None,
            build: Some("10.1.14".to_owned()),
            state_sync: Some("Complete".to_owned()),
            address: None,
        }
    }

    fn peer_ha(&self) -> Result<Box<Ha>, String> {
        let own = self.ha();
        if !self.peer_answers {
            return Err("no route".to_owned());
        }
        Ok(Box::new(Ha {
            local: self.peer_member(),
            peer: Some(own.local.clone()),
            ..own
        }))
    }

    fn look(&self, probe: &Probe, now: Timestamp) -> Result<Observation, Failure> {
        self.reach(now)?;
        Ok(match probe {
            Probe::Checks { .. } => Observation::Checked {
                system: self.system(now),
                ha_enabled: Ok(self.ha.is_some()),
                findings: vec![finding(self.before_fails)],
            },
            Probe::Backup => Observation::BackedUp {
                blob: "c0ffee".repeat(10),
                bytes: 4096,
                snapshot: Some("facade".repeat(10)),
            },
            Probe::Software { .. } => {
                let image = |version: &Version| Image {
                    version: *version,
                    size_mb: None,
                    downloaded: self.images.contains(version),
                    current: *version == self.running,
                    release_type: None,
                };
                Observation::Software {
                    images: self.offered.iter().map(image).collect(),
                    jobs: self.jobs(now),
                }
            }
            Probe::Staging => Observation::Staging {
                running: self.running,
                partitions: self.swm.then(|| self.partitions()),
                jobs: self.jobs(now),
            },
            Probe::Job(id) => match self.jobs.iter().find(|job| job.id == *id) {
                Some(job) => Observation::Job(shown(job, now)),
                None => return Err(failure(FailureKind::Rejected, "no such job")),
            },
            Probe::Ha => Observation::Ha {
                own: Box::new(self.ha()),
                peer: self.peer_ha(),
            },
            Probe::Boot { .. } => Observation::Boot {
                version: self.running,
                uptime_seconds: self.uptime(now),
                auto_commit: if now < self.ready_at() {
                    AutoCommit::Running
                } else {
                    AutoCommit::Ok
                },
                chassis_ready: None,
            },
            Probe::After { .. } => Observation::After {
                system: self.system(now),
                ha: self.ha.as_ref().map(|_| Box::new(self.ha())),
                findings: vec![finding(self.after_fails_until.is_some_and(|until| now < until))],
                differences: Vec::new(),
            },
        })
    }

    fn partitions(&self) -> Vec<Partition> {
        let mut partitions = vec![Partition {
            name: "sysroot0".to_owned(),
            state: "RUNNING-ACTIVE".to_owned(),
            version: Some(self.running),
        }];
        partitions.extend(self.pending.map(|release| Partition {
            name: "sysroot1".to_owned(),
            state: "PENDING-CHANGE".to_owned(),
            version: Some(release),
        }));
        partitions
    }

    /// One changing request: what it does, and what comes back.
    fn ask(&mut self, call: Call, now: Timestamp) -> Input {
        if let Err(failure) = self.reach(now) {
            return Input::Refused { call, failure };
        }
        let fate = self.fate(call.action);
        let job = match fate {
            Fate::Lost | Fate::Refused => None,
            Fate::TakenLate => {
                self.restart_at = Some(now + secs(600));
                self.restarts += 1;
                None
            }
            Fate::Taken | Fate::TakenSilently | Fate::Fails => {
                self.take(call.action, fate != Fate::Fails, now)
            }
        };
        match fate {
            Fate::Lost | Fate::TakenSilently => Input::Unanswered {
                call,
                failure: failure(FailureKind::Dark, "no answer within 60 s"),
            },
            Fate::Refused => Input::Refused {
                call,
                failure: failure(FailureKind::Rejected, "try again later"),
            },
            Fate::Taken | Fate::TakenLate | Fate::Fails => Input::Answered { call, job },
        }
    }

    fn take(&mut self, action: Action, ok: bool, now: Timestamp) -> Option<u32> {
        match action {
            Action::Download(_) => Some(self.start(action, now + secs(120), ok)),
            Action::Install(_) => {
                self.installs += u32::from(ok);
                Some(self.start(action, now + secs(360), ok))
            }
            Action::Suspend => {
                self.suspends += 1;
                self.ha = Some("suspended".to_owned());
                self.ha_reason = Some("User requested".to_owned());
                self.leave(now);
                None
            }
            Action::MakeFunctional => {
                let serves = if self.peer == "active" {
                    "passive"
                } else {
                    "active"
                };
                self.ha = Some(serves.to_owned());
                self.ha_reason = None;
                None
            }
            Action::Restart => {
                self.restarts += 1;
                self.restart_at = Some(now + secs(60));
                None
            }
        }
    }

    fn start(&mut self, action: Action, ends: Timestamp, ok: bool) -> u32 {
        self.next_job += 1;
        self.jobs.push(RunningJob {
            id: self.next_job,
            action,
            ends,
            ok,
        });
        self.next_job
    }
}

fn shown(job: &RunningJob, now: Timestamp) -> Job {
    let kind = if matches!(job.action, Action::Install(_)) {
        "SWInstall"
    } else {
        "Downld"
    };
    let (status, result) = match (job.ends <= now, job.ok) {
        (false, _) => ("ACT", "PEND"),
        (true, true) => ("FIN", "OK"),
        (true, false) => ("FIN", "FAIL"),
    };
    Job {
        id: Some(job.id),
        kind: kind.to_owned(),
        status: status.to_owned(),
        result: result.to_owned(),
        progress: Some(50),
        details: vec!["the device's words".to_owned()],
    }
}

pub(super) fn finding(fails: bool) -> Finding {
    Finding {
        check: "routes".into(),
        title: "routes".into(),
        subject: None,
        verdict: if fails { Verdict::Fail } else { Verdict::Pass },
        severity: Severity::Block,
        mode: Mode::Enforce,
        message: "3 routes are missing".into(),
        remedy: None,
        link: None,
    }
}

/// Where the loop is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crash {
    /// After this many events were durable.
    pub(super) after_events: usize,
    /// Whether what was decided beside the last one was performed, and only its answer was lost.
    pub(super) performed: bool,
    /// How long the process is gone.
    pub(super) gone: SignedDuration,
}

/// A device's loop over a scripted firewall.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) device: Device,
    pub(super) firewall: Firewall,
    pub(super) events: Vec<(Timestamp, Event)>,
    pub(super) sent: Vec<Call>,
    pub(super) next: Option<Effect>,
    pub(super) crash: Option<Crash>,
    /// Stood down as soon as this phase is reached.
    pub(super) stand_down_in: Option<&'static str>,
    permits: u64,
    pub(super) reboot_by: Timestamp,
}

pub(super) fn enrolment(hops: Vec<Hop>, peer: Option<&str>) -> Enrolment {
    Enrolment {
        device: "fw1".parse().unwrap(),
        campaign: "spring".parse().unwrap(),
        plan: plan(&[("all", false, &["fw1"])], &[]).hash(),
        model: "PA-850".to_owned(),
        serial: "0011".to_owned(),
        peer: peer.map(|peer| peer.parse().unwrap()),
        hops,
    }
}

pub(super) fn two_hops() -> Vec<Hop> {
    vec![hop("10.1.14", "10.2.0"), hop("10.2.0", "10.2.7")]
}

impl World {
    pub(super) fn new(hops: Vec<Hop>, firewall: Firewall) -> Self {
        let peer = firewall.ha.as_ref().map(|_| "fw2");
        let first = Event::Enrolled(Box::new(enrolment(hops, peer)));
        World {
            now: opens(),
            device: Device::begin(opens(), &first).unwrap(),
            firewall,
            events: vec![(opens(), first)],
            sent: Vec::new(),
            next: None,
            crash: None,
            stand_down_in: None,
            permits: 0,
            reboot_by: opens() + SignedDuration::from_hours(200),
        }
    }

    pub(super) fn standalone() -> Self {
        World::new(vec![hop("10.1.14", "10.2.0")], Firewall::new("10.1.14", None))
    }

    pub(super) fn active() -> Self {
        World::new(
            vec![hop("10.1.14", "10.2.0")],
            Firewall::new("10.1.14", Some(("active", "passive"))),
        )
    }

    pub(super) fn at_rest(&self) -> bool {
        matches!(
            self.device.phase(),
            Phase::Waiting(_) | Phase::Done | Phase::Halted { .. }
        )
    }

    /// Grants with an id that is newer than any before; garbage may have brought some of its own.
    pub(super) fn grant_next(&mut self) {
        self.permits = self.permits.max(self.device.standing().last_permit);
        self.grant();
    }

    pub(super) fn grant(&mut self) {
        self.permits += 1;
        let permit = Permit {
            id: self.permits,
            hop: self.device.hops_done(),
            reboot_by: self.reboot_by,
        };
        self.turn(&Input::Permit(permit));
        assert!(
            self.device.permit().is_some(),
            "the permit was not taken in {:?}",
            self.device.phase()
        );
    }

    /// Grants and runs until the device is at rest.
    pub(super) fn run(&mut self) -> Phase {
        self.grant();
        self.drive()
    }

    /// Runs until the device is at rest.
    pub(super) fn drive(&mut self) -> Phase {
        let mut steps = 0;
        while !self.at_rest() {
            self.step();
            steps += 1;
            assert!(steps < 20_000, "{:?} never comes to rest", self.device.phase());
        }
        self.device.phase().clone()
    }

    /// Runs until the device is in the phase of that name.
    pub(super) fn drive_to(&mut self, phase: &str) {
        while self.device.phase().name() != phase {
            assert!(
                !self.at_rest(),
                "rests in {:?} before {phase}",
                self.device.phase()
            );
            self.step();
        }
    }

    /// Grants again and again, as a campaign would, until the device is done or needs a person.
    pub(super) fn run_to_the_end(&mut self) -> Phase {
        for _ in 0..20 {
            if let Phase::Waiting(hold) = self.device.phase() {
                assert!(!hold.needs_person(), "{hold}");
                self.now = hold.until().unwrap_or(self.now).max(self.now) + secs(1);
                self.grant();
            }
            if matches!(self.drive(), Phase::Done | Phase::Halted { .. }) {
                break;
            }
        }
        self.device.phase().clone()
    }

    /// Performs what was decided and hands its result back.
    pub(super) fn step(&mut self) {
        if self.stand_down_in == Some(self.device.phase().name()) {
            self.stand_down_in = None;
            self.turn(&Input::StandDown {
                because: "campaign halted".to_owned(),
            });
        }
        let effect = self.next.take();
        let effect = effect.unwrap_or_else(|| panic!("{:?} waits for ever", self.device.phase()));
        let input = self.perform(effect);
        self.turn(&input);
    }

    pub(super) fn perform(&mut self, effect: Effect) -> Input {
        match effect {
            Effect::WakeAt(at) => {
                self.now = at.max(self.now);
                self.firewall.pass(self.now);
                Input::Tick
            }
            Effect::Observe(probe) => {
                self.now += secs(1);
                self.firewall.pass(self.now);
                match self.firewall.look(&probe, self.now) {
                    Ok(seen) => Input::Observed(seen),
                    Err(failure) => Input::NoObservation { probe, failure },
                }
            }
            Effect::Send(call) => {
                self.sent.push(call);
                self.firewall.pass(self.now);
                let input = self.firewall.ask(call, self.now);
                self.now += secs(if matches!(input, Input::Unanswered { .. }) {
                    60
                } else {
                    1
                });
                self.firewall.pass(self.now);
                input
            }
        }
    }

    /// One decision, recorded event by event; the process may die after each.
    pub(super) fn turn(&mut self, input: &Input) {
        let decision = self.device.decide(self.now, input);
        sends_only_what_is_intended(&decision);
        let effect = decision.effects.into_iter().next();
        let events = decision.events.len();
        for (index, event) in decision.events.into_iter().enumerate() {
            self.device.apply(self.now, &event).unwrap();
            self.events.push((self.now, event));
            holds_after_every_event(&self.device);
            if let Some(crash) = self.crash
                && self.events.len() == crash.after_events
            {
                // What stands beside the events is performed only when all of them are durable.
                self.die(crash, effect.filter(|_| index + 1 == events));
                return;
            }
        }
        if let Some(effect) = effect {
            self.next = Some(effect);
        }
        if self.at_rest() {
            self.next = None;
        }
    }

    fn die(&mut self, crash: Crash, effect: Option<Effect>) {
        self.crash = None;
        if let (true, Some(effect)) = (crash.performed, effect) {
            drop(self.perform(effect));
        }
        self.now += crash.gone;
        self.firewall.pass(self.now);
        self.come_back();
    }

    /// The process begins: replay, then the input that says so.
    pub(super) fn come_back(&mut self) {
        let before = self.device.clone();
        self.device = replayed(&self.events);
        assert_eq!(self.device, before, "replay gives another device");
        self.next = None;
        self.turn(&Input::Resumed);
    }

    pub(super) fn resume(&mut self) {
        let input = Input::Resume {
            by: "nora".parse().unwrap(),
            reason: "looked at it".to_owned(),
        };
        self.turn(&input);
    }

    pub(super) fn count(&self, action: Action) -> usize {
        self.sent.iter().filter(|call| call.action == action).count()
    }

    /// What happened, as people read it, from the first permit on.
    pub(super) fn story(&self) -> String {
        let lines = self.events.iter().skip(1).map(|(at, event)| {
            let minutes = opens().duration_until(*at).as_mins();
            format!("{minutes:>3} {event}\n")
        });
        lines.collect()
    }
}

pub(super) fn replayed(events: &[(Timestamp, Event)]) -> Device {
    let (at, first) = &events[0];
    let mut device = Device::begin(*at, first).unwrap();
    for (at, event) in &events[1..] {
        device.apply(*at, event).unwrap();
    }
    device
}

/// Every changing request is intended in the same decision, last, and nothing is performed beside it.
pub(super) fn sends_only_what_is_intended(decision: &crate::device::Decision) {
    assert!(decision.effects.len() <= 1, "{decision:?}");
    if let Some(Effect::Send(call)) = decision.effects.first() {
        let intent = Event::Intended {
            action: call.action,
            attempt: call.attempt,
        };
        assert_eq!(decision.events.last(), Some(&intent));
    }
    let intents = decision
        .events
        .iter()
        .filter(|event| matches!(event, Event::Intended { .. }))
        .count();
    let sends = decision
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Send(_)))
        .count();
    assert_eq!(intents, sends, "{decision:?}");
}

pub(super) fn holds_after_every_event(device: &Device) {
    let phase = device.phase();
    if device.out_of_service() {
        assert!(
            device.permit().is_some(),
            "out of service without a permit: {phase:?}"
        );
    }
    let rests = matches!(
        phase,
        Phase::Waiting(_)
            | Phase::Done
            | Phase::Halted {
                at: HaltedAt::Rest,
                ..
            }
    );
    if rests {
        assert!(!device.out_of_service(), "{phase:?} is out of service");
        assert_eq!(device.permit(), None, "{phase:?} keeps its permit");
    } else {
        assert!(device.permit().is_some(), "{phase:?} has no permit");
    }
}
