//! Whatever requests, faults, interventions and pauses come in whatever order: the fleet stays possible, the same
//! seed gives the same run, and once everything is cured every device comes back.
//!
//! `HOPGATE_FULL=1` runs many more cases.

use std::sync::Arc;

use panos_simulator::{
    ControlRequest, Exchange, FaultSpec, Fleet, HaLink, HaState, JobStatus, MaintenanceExit, Mount,
    OpticSpec, PartitionState, Phase,
};
use proptest::prelude::*;

use crate::probe::{KEYGEN, Probe, fleet, form, text, wait};

const DEVICES: [&str; 5] = ["a", "b", "c", "d", "e"];

const FLEET: &str = "\
devices:
  - {name: a, model: PA-3220, version: 10.1.14, content: 8800-7000, images: [10.2.0, 10.2.9], features: [ha1-in-other-subnet]}
  - {name: b, model: PA-3220, version: 10.1.14, content: 8800-7000, images: [10.2.0, 10.2.9]}
  - {name: c, model: PA-5220, version: 10.2.9, content: 9040-9500, images: [10.2.10, 11.1.0]}
  - {name: d, model: PA-5220, version: 10.2.9, content: 9040-9500, images: [10.2.10, 11.1.0], features: [hsm, fips-cc]}
  - {name: e, model: PA-440, version: 10.2.9, content: 8700-7000, images: [10.2.0, 10.1.4], features: [panorama-managed, multi-vsys], ungraceful_shutdowns: 25}
pairs:
  - {name: p, members: [a, b], active: a, preemptive: true}
  - {name: q, members: [c, d], active: c, mode: active-active, suspended_survives_reboot: false}
";

const COMMANDS: [&str; 14] = [
    "<show><system><info/></system></show>",
    "<show><jobs><all/></jobs></show>",
    "<show><high-availability><state/></high-availability></show>",
    "<show><system><disk-space/></system></show>",
    "<request><system><software><check/></software></system></request>",
    "<request><system><software><download><sync-to-peer>yes</sync-to-peer><version>10.2.10</version></download></software></system></request>",
    "<request><system><software><install><version>10.2.9</version></install></software></system></request>",
    "<request><system><software><install><version>10.2.10</version></install></software></system></request>",
    "<request><system><software><install><version>10.1.4</version></install></software></system></request>",
    "<request><content><upgrade><download><latest/></download></upgrade></content></request>",
    "<request><restart><system/></restart></request>",
    "<request><high-availability><state><suspend/></state></high-availability></request>",
    "<request><high-availability><state><functional/></state></high-availability></request>",
    "<debug><swm><revert/></swm></debug>",
];

/// Effects that the library does not have in this form, or whose own condition would hardly ever hold here.
const WRITTEN: [&str; 12] = [
    "{id: loop, effect: {boot_loop: {at: R3, up_seconds: 30}}}",
    "{id: below, effect: {boot_loop: {at: R2, up_seconds: 200, cycles: 4}}}",
    "{id: stops, effect: {never_returns: {at: R5}}}",
    "{id: tool, effect: {maintenance_mode: {}}}",
    "{id: falls, effect: {reboots_every: {minutes: 40, times: 3}}}",
    "{id: plane, effect: {dataplane_restarts: {minutes: 9, seconds: 100}}}",
    "{id: commit, effect: {auto_commit_fails: {times: 4, then_maintenance_mode: true}}}",
    "{id: stuck, effect: {auto_commit_stuck: {at_percent: 0}}}",
    "{id: tpm, effect: {tpm_lockout: {ungraceful_shutdowns: 36}}}",
    "{id: role, when: {ha: [active, active-primary]}, effect: {ha: {fails: {non_functional: path group down}}}}",
    "{id: peer, when: {peer_differs: true}, effect: {ha: {fails: ha1_down}}}",
    "{id: content, effect: {content_install_fails: {text: x}}}",
];

const LIBRARY: [&str; 10] = [
    "never-returns",
    "no-auto-commit-job",
    "login-waits-for-auto-commit",
    "download-stalls",
    "download-times-out",
    "corrupt-image",
    "software-manager-busy",
    "job-history",
    "management-memory",
    "ha-stays-initial",
];

#[derive(Debug, Clone)]
enum Act {
    Wait(u64),
    Ask(usize, &'static str),
    Login(usize),
    Do(Box<ControlRequest>),
}

fn written(rule: &str) -> FaultSpec {
    serde_saphyr::from_str(rule).unwrap()
}

fn act() -> impl Strategy<Value = Act> {
    let device = || (0..DEVICES.len()).prop_map(|device| DEVICES[device].to_owned());
    let fault = prop_oneof![
        prop::sample::select(&WRITTEN[..]).prop_map(written),
        prop::sample::select(&LIBRARY[..]).prop_map(|rule| FaultSpec::Library {
            rule: rule.to_owned(),
            when: Some(panos_simulator::Condition::default()),
        }),
    ];
    // Cures that name no fault of the device are refused, and change nothing.
    let intervention = prop_oneof![
        4 => (device(), fault).prop_map(|(device, fault)| ControlRequest::Afflict { device, fault: Box::new(fault) }),
        1 => (device(), prop::option::of(prop::sample::select(&["loop", "stuck", "tool"][..])))
            .prop_map(|(device, rule)| ControlRequest::Cure { device, rule: rule.map(str::to_owned) }),
        1 => device().prop_map(|device| ControlRequest::PowerCycle { device }),
        1 => (0..4_usize, any::<bool>(), any::<bool>()).prop_map(|(device, ha1, cut)| ControlRequest::CutHa {
            device: DEVICES[device].to_owned(),
            link: if ha1 { HaLink::Ha1 } else { HaLink::Ha2 },
            cut,
        }),
        1 => (device(), prop::sample::select(&[Mount::Root, Mount::Pancfg, Mount::Panrepo][..]), any::<bool>())
            .prop_map(|(device, mount, full)| ControlRequest::FullPartition { device, mount, full }),
        1 => (device(), prop::sample::select(&[MaintenanceExit::Reboot, MaintenanceExit::Revert, MaintenanceExit::Reinstall][..]))
            .prop_map(|(device, exit)| ControlRequest::LeaveMaintenance { device, exit }),
        1 => (0..4_usize).prop_map(|device| ControlRequest::SetHaState {
            device: DEVICES[device].to_owned(),
            state: HaState::NonFunctional,
            reason: "Link group down".to_owned(),
        }),
        1 => device().prop_map(|device| ControlRequest::SetOptics { device, optics: Vec::<OpticSpec>::new() }),
    ];
    prop_oneof![
        4 => prop_oneof![0_u64..5, 30_u64..300, 1000_u64..4000, 9000_u64..20_000].prop_map(Act::Wait),
        6 => (0..DEVICES.len(), prop::sample::select(&COMMANDS[..])).prop_map(|(device, ask)| Act::Ask(device, ask)),
        1 => (0..DEVICES.len()).prop_map(Act::Login),
        5 => intervention.prop_map(|request| Act::Do(Box::new(request))),
    ]
}

fn check(fleet: &Fleet) {
    let mut states = Vec::new();
    for device in DEVICES {
        let state = fleet.state(device).unwrap();
        let running = state
            .partitions
            .iter()
            .filter(|partition| partition.state == PartitionState::RunningActive);
        let running: Vec<_> = running.map(|partition| partition.version).collect();
        assert_eq!(
            running,
            [Some(state.version)],
            "{device}: one system runs, and says so"
        );
        for partition in &state.partitions {
            let empty = partition.state == PartitionState::Empty;
            assert_eq!(
                empty,
                partition.version.is_none(),
                "{device}: {:?}",
                state.partitions
            );
        }
        let working = state
            .jobs
            .iter()
            .filter(|job| job.status == JobStatus::Active && job.kind == "SWInstall");
        assert!(working.count() <= 1, "{device}: {:?}", state.jobs);
        assert!(state.jobs.len() <= 29 && state.jobs.iter().all(|job| job.progress <= 100));
        assert_eq!(state.phase == Phase::Dark, !state.reach.icmp, "{device}");
        states.push(state);
    }
    for members in states.chunks(2).take(2) {
        let lead = |state: &panos_simulator::DeviceState| {
            state
                .ha
                .as_ref()
                .is_some_and(|ha| matches!(ha.state, HaState::Active | HaState::ActivePrimary))
        };
        if members.iter().all(lead) {
            let cut = members[0]
                .ha
                .as_ref()
                .is_some_and(|ha| ha.links_cut.contains(&HaLink::Ha1));
            let down = members
                .iter()
                .any(|member| member.faults.iter().any(|fault| fault == "peer"));
            assert!(cut || down, "both lead, and hear each other: {members:?}");
        }
    }
}

async fn run(acts: &[Act]) -> (Arc<Fleet>, String) {
    let fleet = fleet(FLEET);
    let mut probes = Vec::new();
    for device in DEVICES {
        probes.push(Probe::login(&fleet, device).await);
    }
    let mut seen = Vec::new();
    let shown = |exchange: Exchange| match exchange {
        Exchange::Reply(reply) => format!("{} {}", reply.status(), text(reply.body())),
        other => format!("{other:?}"),
    };
    for act in acts {
        match act {
            Act::Wait(seconds) => wait(*seconds).await,
            Act::Ask(device, command) => seen.push(shown(probes[*device].ask(command).await)),
            Act::Login(device) => seen.push(shown(fleet.exchange(DEVICES[*device], form(KEYGEN)).await)),
            Act::Do(request) => seen.push(format!("{:?}", fleet.control(*request.clone()))),
        }
        check(&fleet);
    }
    for device in DEVICES {
        seen.push(serde_json::to_string(&fleet.state(device).unwrap()).unwrap());
        seen.push(serde_json::to_string(&fleet.counters(device).unwrap()).unwrap());
    }
    seen.push(format!(
        "{:?} {:?}",
        fleet.pair_report("p"),
        fleet.pair_report("q")
    ));
    (fleet, seen.join("\n"))
}

/// Everything is cured and healed; a day is more than any boot, lockout and wait takes.
async fn heal(fleet: &Arc<Fleet>) {
    for device in DEVICES {
        let device = device.to_owned();
        fleet
            .control(ControlRequest::Cure {
                device: device.clone(),
                rule: None,
            })
            .unwrap();
        for mount in [Mount::Root, Mount::Pancfg, Mount::Panrepo] {
            let device = device.clone();
            let free = ControlRequest::FullPartition {
                device,
                mount,
                full: false,
            };
            fleet.control(free).unwrap();
        }
    }
    for _ in 0..24 {
        wait(3600).await;
        check(fleet);
    }
    for device in DEVICES {
        let state = fleet.state(device).unwrap();
        assert_eq!(state.phase, Phase::Up, "{device} is back: {:?}", state.faults);
        let unfinished = state.jobs.iter().filter(|job| job.status != JobStatus::Finished);
        assert_eq!(unfinished.count(), 0, "{device}: jobs end: {:?}", state.jobs);
    }
}

fn on_virtual_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work)
}

fn cases() -> u32 {
    if std::env::var_os("HOPGATE_FULL").is_some() {
        1500
    } else {
        12
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn any_run_is_possible_repeats_and_can_be_healed(acts in prop::collection::vec(act(), 1..60)) {
        let once = on_virtual_time(async {
            let (fleet, once) = run(&acts).await;
            heal(&fleet).await;
            once
        });
        let (_, twice) = on_virtual_time(run(&acts));
        prop_assert_eq!(once, twice, "the same requests at the same instants give another run");
    }
}
