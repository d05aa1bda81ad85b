//! Any order of requests, interventions and pauses leaves a possible device behind.

use std::sync::Arc;

use panos_simulator::{ControlRequest, Exchange, Fleet, HaState, JobStatus, PartitionState};
use proptest::prelude::*;

use crate::probe::{Probe, fleet, on_virtual_time, wait};

#[derive(Debug, Clone)]
enum Act {
    Wait(u64),
    Ask(usize, &'static str),
    Plug(usize),
    FillDisk(usize, bool),
    Break(usize),
}

const COMMANDS: [&str; 12] = [
    "<show><system><info/></system></show>",
    "<show><jobs><all/></jobs></show>",
    "<show><high-availability><state/></high-availability></show>",
    "<request><system><software><download><version>10.1.0</version></download></software></system></request>",
    "<request><system><software><download><sync-to-peer>yes</sync-to-peer><version>10.2.0</version></download></software></system></request>",
    "<request><system><software><download><version>10.2.4</version></download></software></system></request>",
    "<request><system><software><install><version>10.1.0</version></install></software></system></request>",
    "<request><system><software><install><version>10.2.0</version></install></software></system></request>",
    "<request><restart><system/></restart></request>",
    "<request><high-availability><state><suspend/></state></high-availability></request>",
    "<request><high-availability><state><functional/></state></high-availability></request>",
    "<debug><swm><revert/></swm></debug>",
];

const DEVICES: [&str; 3] = ["a", "b", "c"];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => prop_oneof![0_u64..5, 30_u64..300, 1000_u64..4000].prop_map(Act::Wait),
        6 => (0..DEVICES.len(), prop::sample::select(&COMMANDS[..])).prop_map(|(device, ask)| Act::Ask(device, ask)),
        1 => (0..DEVICES.len()).prop_map(Act::Plug),
        1 => (0..DEVICES.len(), any::<bool>()).prop_map(|(device, full)| Act::FillDisk(device, full)),
        1 => (0..2_usize).prop_map(Act::Break),
    ]
}

const FLEET: &str = "\
devices:
  - {name: a, model: PA-850, version: 9.1.16, content: 8700-7000, images: [10.1.0]}
  - {name: b, model: PA-850, version: 9.1.16, content: 8700-7000, images: [10.1.0]}
  - {name: c, model: PA-850, version: 10.1.0, content: 8600-7000, optics: [{port: 5, vendor: x, part: y}]}
pairs: [{name: p, members: [a, b], active: a, preemptive: true}]
faults:
  - optics-boot-loop
  - {id: flaky, when: {devices: [b]}, effect: {boot_loop: {at: R3, up_seconds: 20, cycles: 1}}}
  - {id: slow, when: {devices: [a]}, effect: {auto_commit_fails: {times: 1}}}
";

fn check(fleet: &Fleet) {
    for device in DEVICES {
        let state = fleet.state(device).unwrap();
        let running =
            |partition: &&panos_simulator::Partition| partition.state == PartitionState::RunningActive;
        let running: Vec<_> = state.partitions.iter().filter(running).collect();
        assert_eq!(running.len(), 1, "{state:?}");
        assert_eq!(running[0].version, Some(state.version));
        let active = state
            .jobs
            .iter()
            .filter(|job| job.status == JobStatus::Active && job.kind != "AutoCom");
        assert!(active.count() <= 1, "{:?}", state.jobs);
        assert!(state.jobs.iter().all(|job| job.progress <= 100));
    }
    let active = ["a", "b"].iter().filter(|device| {
        fleet
            .state(device)
            .unwrap()
            .ha
            .is_some_and(|ha| ha.state == HaState::Active)
    });
    assert!(active.count() <= 1, "both members active");
}

async fn run(acts: &[Act]) -> (Arc<Fleet>, String) {
    let fleet = fleet(FLEET);
    let mut probes = Vec::new();
    for device in DEVICES {
        probes.push(Probe::login(&fleet, device).await);
    }
    let mut seen = Vec::new();
    for act in acts {
        match act {
            Act::Wait(seconds) => wait(*seconds).await,
            Act::Ask(device, command) => match probes[*device].ask(command).await {
                Exchange::Reply(reply) => seen.push(crate::probe::text(reply.body())),
                other => seen.push(format!("{other:?}")),
            },
            Act::Plug(device) => {
                fleet
                    .control(ControlRequest::PowerCycle {
                        device: DEVICES[*device].into(),
                    })
                    .unwrap();
            }
            Act::FillDisk(device, full) => {
                let full = ControlRequest::FullDisk {
                    device: DEVICES[*device].into(),
                    full: *full,
                };
                fleet.control(full).unwrap();
            }
            Act::Break(device) => {
                let (device, reason) = (DEVICES[*device].to_owned(), "path monitor failure".to_owned());
                fleet
                    .control(ControlRequest::SetHaState {
                        device,
                        state: HaState::NonFunctional,
                        reason,
                    })
                    .unwrap();
            }
        }
        check(&fleet);
    }
    // Whatever was started is over by then: three failed auto-commits, an install and a loop take less.
    wait(6 * 3600).await;
    check(&fleet);
    for device in DEVICES {
        let state = fleet.state(device).unwrap();
        let unfinished = state
            .jobs
            .iter()
            .filter(|job| job.status != JobStatus::Finished && job.kind != "AutoCom");
        assert_eq!(unfinished.count(), 0, "{:?}", state.jobs);
        seen.push(serde_json::to_string(&state).unwrap());
        seen.push(serde_json::to_string(&fleet.counters(device).unwrap()).unwrap());
    }
    seen.push(format!("{:?}", fleet.pair_report("p")));
    (fleet, seen.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_leaves_a_possible_fleet_and_repeats(acts in prop::collection::vec(act(), 1..40)) {
        let (fleet, once) = on_virtual_time(run(&acts));
        let (_, twice) = on_virtual_time(run(&acts));
        prop_assert_eq!(once, twice, "the same requests at the same instants give another run");
        // Member a has no fault that lasts: in the end it is up, and with b gives somebody who serves, unless told not to.
        let told = acts.iter().any(|act| matches!(act, Act::Break(_)) || matches!(act, Act::Ask(_, ask) if ask.contains("suspend")));
        let states: Vec<_> = ["a", "b"].iter().filter_map(|device| fleet.state(device)?.ha).collect();
        prop_assert!(told || states.iter().any(|ha| ha.state == HaState::Active), "{:?}", states);
    }
}
