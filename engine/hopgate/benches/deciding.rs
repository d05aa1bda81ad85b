//! How many decisions a second one core makes: a device's polling turn, a whole hop, and a campaign of a thousand devices.
//!
//! One element is one decision, with its events applied. A campaign of a thousand devices that are all polled every ten
//! seconds needs a hundred a second.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopgate_core::campaign::{Campaign, CampaignEffect, CampaignEvent, CampaignInput};
use hopgate_core::device::{
    Call, Device, Effect, Enrolment, Event, Input, Observation, Permit, Probe, Standing, Work,
};
use hopgate_core::plan::{PLAN_FORMAT, Plan, PlannedDevice, Wave};
use hopgate_core::watchdog::AutoCommit;
use hopgate_core::window::Window;
use hopgate_paths::{Hop, HopKind, HopTimes, Route};
use hopgate_playbooks::{Image, Job, Partition, System};
use jiff::{SignedDuration, Timestamp};

fn opens() -> Timestamp {
    "2026-03-07T22:00:00Z".parse().unwrap()
}

fn hop() -> Hop {
    Hop {
        from: "10.1.14".parse().unwrap(),
        to: "10.2.7".parse().unwrap(),
        kind: HopKind::Feature,
        downloads: vec!["10.2.0".parse().unwrap(), "10.2.7".parse().unwrap()],
        minimum_content: Some(8614),
        broken_rules: Vec::new(),
        times: HopTimes {
            install_expected_min: 18,
            install_worst_min: 30,
            reboot_expected_min: 18,
            reboot_warn_min: 25,
            reboot_fail_min: 45,
        },
        chassis_ready: true,
        feature_releases_apart: 1,
    }
}

fn plan(devices: u32) -> Plan {
    let names: Vec<_> = (0..devices)
        .map(|number| format!("fw{number:04}").parse().unwrap())
        .collect();
    let planned = PlannedDevice {
        model: "PA-850".to_owned(),
        serial: "0011".to_owned(),
        peer: None,
        route: Route {
            model: "PA-850".to_owned(),
            from: hop().from,
            to: hop().to,
            hops: vec![hop()],
        },
    };
    Plan {
        format: PLAN_FORMAT,
        campaign: "bench".parse().unwrap(),
        launcher: "olga".parse().unwrap(),
        target: hop().to,
        pin: None,
        window: Window {
            opens: opens(),
            closes: opens() + SignedDuration::from_hours(12),
        },
        waves: vec![Wave {
            name: "all".parse().unwrap(),
            approval: false,
            concurrency: 50,
            soak_min: 0,
            devices: names.clone(),
        }],
        devices: names.into_iter().map(|name| (name, planned.clone())).collect(),
        before: BTreeMap::new(),
        after: BTreeMap::new(),
        before_with: BTreeMap::new(),
        after_with: BTreeMap::new(),
        accepted: Vec::new(),
    }
}

fn enrolled() -> Device {
    let enrolment = Enrolment {
        device: "fw1".parse().unwrap(),
        campaign: "bench".parse().unwrap(),
        plan: plan(1).hash(),
        model: "PA-850".to_owned(),
        serial: "0011".to_owned(),
        peer: None,
        hops: vec![hop()],
    };
    Device::begin(opens(), &Event::Enrolled(Box::new(enrolment))).unwrap()
}

fn job(id: u32, kind: &str, status: &str, result: &str) -> Job {
    Job {
        id: Some(id),
        kind: kind.to_owned(),
        status: status.to_owned(),
        result: result.to_owned(),
        progress: Some(55),
        details: Vec::new(),
    }
}

fn system(running: &str) -> Box<System> {
    Box::new(System {
        hostname: "fw1".to_owned(),
        model: "PA-850".to_owned(),
        serial: "0011".to_owned(),
        sw_version: running.parse().unwrap(),
        app_version: "8700-1".to_owned(),
        uptime_seconds: 400,
        operational_mode: None,
        multi_vsys: false,
    })
}

fn images(downloaded: usize) -> Observation {
    let image = |(index, version): (usize, &hopgate_paths::Version)| Image {
        version: *version,
        size_mb: None,
        downloaded: index < downloaded,
        current: false,
        release_type: None,
    };
    Observation::Software {
        images: hop().downloads.iter().enumerate().map(image).collect(),
        jobs: Vec::new(),
    }
}

fn staging(pending: bool) -> Observation {
    let partition = Partition {
        name: "sysroot1".to_owned(),
        state: if pending { "PENDING-CHANGE" } else { "READY" }.to_owned(),
        version: pending.then(|| hop().to),
    };
    Observation::Staging {
        running: hop().from,
        partitions: Some(vec![partition]),
        jobs: Vec::new(),
    }
}

fn boot(uptime_seconds: u64, auto_commit: AutoCommit) -> Observation {
    Observation::Boot {
        version: hop().to,
        uptime_seconds,
        auto_commit,
        chassis_ready: None,
    }
}

/// What a good firewall answers, and how often each job and boot is looked at before it ends.
struct Firewall {
    downloads: usize,
    installs: usize,
    looks: u32,
}

const LOOKS_PER_STEP: u32 = 30;

impl Firewall {
    fn answer(&mut self, effect: &Effect) -> Input {
        match effect {
            Effect::WakeAt(_) => Input::Tick,
            Effect::Send(call) => self.take(*call),
            Effect::Observe(probe) => Input::Observed(self.look(probe)),
        }
    }

    fn take(&mut self, call: Call) -> Input {
        self.looks = 0;
        Input::Answered { call, job: Some(7) }
    }

    fn look(&mut self, probe: &Probe) -> Observation {
        match probe {
            Probe::Checks { .. } => Observation::Checked {
                ha_enabled: Ok(false),
                system: system("10.1.14"),
                findings: Vec::new(),
            },
            Probe::Backup => Observation::BackedUp {
                blob: "c0ffee".repeat(10),
                bytes: 4096,
                snapshot: None,
            },
            Probe::Software { .. } => images(self.downloads),
            Probe::Staging => staging(self.installs > 0),
            Probe::Job(_) => self.job(),
            Probe::Boot { .. } => self.boot(),
            Probe::Ha | Probe::After { .. } => Observation::After {
                system: system("10.2.7"),
                ha: None,
                findings: Vec::new(),
                differences: Vec::new(),
            },
        }
    }

    fn job(&mut self) -> Observation {
        self.looks += 1;
        let installs = self.downloads == hop().downloads.len();
        let kind = if installs { "SWInstall" } else { "Downld" };
        if self.looks < LOOKS_PER_STEP {
            return Observation::Job(job(7, kind, "ACT", "PEND"));
        }
        if installs {
            self.installs += 1;
        } else {
            self.downloads += 1;
        }
        Observation::Job(job(7, kind, "FIN", "OK"))
    }

    fn boot(&mut self) -> Observation {
        self.looks += 1;
        let since_boot = u64::from(self.looks) * 10;
        if self.looks < LOOKS_PER_STEP {
            boot(since_boot, AutoCommit::Running)
        } else {
            boot(since_boot, AutoCommit::Ok)
        }
    }
}

/// A whole hop, as inputs at instants; the firewall's side is not measured.
fn script() -> Vec<(Timestamp, Input)> {
    let mut device = enrolled();
    let mut firewall = Firewall {
        downloads: 0,
        installs: 0,
        looks: 0,
    };
    let mut now = opens();
    let mut input = Input::Permit(Permit {
        id: 1,
        hop: 0,
        reboot_by: opens() + SignedDuration::from_hours(10),
    });
    let mut script = Vec::new();
    while *device.phase() != hopgate_core::device::Phase::Done {
        assert!(
            script.len() < 10_000,
            "the script never ends: {:?}",
            device.phase()
        );
        script.push((now, input.clone()));
        let decision = device.decide(now, &input);
        for event in &decision.events {
            device.apply(now, event).unwrap();
        }
        let Some(effect) = decision.effects.first() else {
            break;
        };
        now = match effect {
            Effect::WakeAt(at) => *at,
            Effect::Observe(_) | Effect::Send(_) => now,
        };
        input = firewall.answer(effect);
    }
    script
}

fn play(device: &mut Device, script: &[(Timestamp, Input)]) {
    for (now, input) in script {
        let decision = device.decide(*now, input);
        for event in &decision.events {
            device.apply(*now, event).unwrap();
        }
        let _ = black_box(decision);
    }
}

fn a_polling_turn(criterion: &mut Criterion) {
    let script = script();
    let polls = |(_, input): &(Timestamp, Input)| matches!(input, Input::Observed(Observation::Job(job)) if job.kind == "SWInstall" && job.status == "ACT");
    let first = script.iter().position(polls).unwrap();
    let mut device = enrolled();
    play(&mut device, &script[..first]);
    let (now, seen) = script[first].clone();
    let mut group = criterion.benchmark_group("device");
    group.throughput(Throughput::Elements(2));
    group.bench_function("polling turn: tick, job seen", |bencher| {
        bencher.iter(|| {
            let _ = black_box(device.decide(black_box(now), &Input::Tick));
            black_box(device.decide(black_box(now), black_box(&seen)))
        });
    });
    group.finish();
}

fn a_whole_hop(criterion: &mut Criterion) {
    let script = script();
    let start = enrolled();
    let mut group = criterion.benchmark_group("device");
    group.throughput(Throughput::Elements(script.len() as u64));
    group.bench_function("whole hop, events applied", |bencher| {
        bencher.iter_batched_ref(
            || start.clone(),
            |device| play(device, &script),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// A campaign whose first fifty devices are under way.
fn busy_campaign(devices: u32) -> Campaign {
    let plan = plan(devices);
    let first = CampaignEvent::Planned {
        campaign: plan.campaign.clone(),
        plan: plan.hash(),
        launcher: plan.launcher.clone(),
        devices,
    };
    let standing = enrolled().standing();
    let names: Vec<_> = plan.devices.keys().cloned().collect();
    let mut campaign = Campaign::begin(&first, plan).unwrap();
    for name in names {
        campaign.note(
            opens(),
            &CampaignInput::Standing(name, Box::new(standing.clone())),
        );
    }
    let mut input = CampaignInput::Started;
    loop {
        let decision = campaign.decide(opens(), &input);
        for event in &decision.events {
            campaign.apply(opens(), event).unwrap();
        }
        for effect in &decision.effects {
            if let CampaignEffect::Grant(device, permit) = effect {
                let taken = Standing {
                    last_permit: permit.id,
                    holds_permit: true,
                    work: Work::Working,
                    ..standing.clone()
                };
                campaign.note(opens(), &CampaignInput::Standing(device.clone(), Box::new(taken)));
            }
        }
        if decision.events.is_empty() {
            return campaign;
        }
        input = CampaignInput::Tick;
    }
}

fn a_campaign_of_a_thousand(criterion: &mut Criterion) {
    let campaign = busy_campaign(1_000);
    assert_eq!(campaign.permits().len(), 50);
    let mut group = criterion.benchmark_group("campaign");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decide, 1,000 devices, 50 under way", |bencher| {
        bencher.iter(|| black_box(campaign.decide(black_box(opens()), &CampaignInput::Tick)));
    });
    group.finish();
}

criterion_group!(deciding, a_polling_turn, a_whole_hop, a_campaign_of_a_thousand);
criterion_main!(deciding);
