//! Any sequence of inputs, fitting, late or garbled: no panic, no illegal event, no request without its intent, nothing out
//! of service without a permit, and never a device that nothing would wake.

use hopgate_playbooks::{Ha, HaMember, Image, Job, Partition, System};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::scripted::{Fate, Firewall, World, failure, finding, two_hops, version};
use crate::device::{Action, Call, FailureKind, Input, Observation, Permit, Probe};
use crate::watchdog::AutoCommit;

#[derive(Debug, Clone)]
enum Step {
    /// What was asked for comes back, after this many seconds more.
    Proceed(i64),
    /// Something else comes instead, or beside it.
    Input(Box<Input>),
    /// The process dies and comes back.
    Crash(i64),
    /// The campaign grants.
    Grant,
}

fn release() -> impl Strategy<Value = hopgate_paths::Version> {
    prop::sample::select(vec!["10.1.14", "10.2.0", "10.2.7", "10.1.9"]).prop_map(version)
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        release().prop_map(Action::Download),
        release().prop_map(Action::Install),
        Just(Action::Suspend),
        Just(Action::MakeFunctional),
        Just(Action::Restart),
    ]
}

fn job() -> impl Strategy<Value = Job> {
    let kinds = prop::sample::select(vec!["Downld", "SWInstall", "AutoCom", "Commit"]);
    let ends = prop::sample::select(vec![
        ("PEND", "PEND"),
        ("ACT", "PEND"),
        ("FIN", "OK"),
        ("FIN", "FAIL"),
    ]);
    (prop::option::of(1..12u32), kinds, ends).prop_map(|(id, kind, (status, result))| Job {
        id,
        kind: kind.to_owned(),
        status: status.to_owned(),
        result: result.to_owned(),
        progress: None,
        details: Vec::new(),
    })
}

fn member() -> impl Strategy<Value = HaMember> {
    let states = prop::sample::select(vec![
        "active",
        "passive",
        "suspended",
        "initial",
        "non-functional",
        "tentative",
        "",
    ]);
    let reasons = prop::option::of(prop::sample::select(vec![
        "User requested",
        "Peer version too old",
    ]));
    (states, reasons, prop::option::of(release())).prop_map(|(state, reason, build)| HaMember {
        state: state.to_owned(),
        reason: reason.map(str::to_owned),
        build: build.map(|build| build.to_string()),
        state_sync: None,
        address: None,
    })
}

fn ha() -> impl Strategy<Value = Box<Ha>> {
    (any::<bool>(), member(), prop::option::of(member()), any::<bool>()).prop_map(
        |(enabled, local, peer, sync)| {
            Box::new(Ha {
                enabled,
                mode: None,
                local,
                peer,
                running_sync: sync.then(|| "synchronized".to_owned()),
                running_sync_enabled: Some(true),
                preemptive: Some(false),
            })
        },
    )
}

fn system(sw_version: hopgate_paths::Version) -> Box<System> {
    Box::new(System {
        hostname: String::new(),
        model: String::new(),
        serial: String::new(),
        sw_version,
        app_version: String::new(),
        uptime_seconds: 5,
        operational_mode: None,
        multi_vsys: false,
    })
}

fn observation() -> impl Strategy<Value = Observation> {
    let jobs = || prop::collection::vec(job(), 0..3);
    let partition = (prop::option::of(release()), any::<bool>()).prop_map(|(version, pending)| Partition {
        name: "sysroot1".to_owned(),
        state: if pending {
            "PENDING-CHANGE"
        } else {
            "RUNNING-ACTIVE"
        }
        .to_owned(),
        version,
    });
    let image = (release(), any::<bool>(), any::<bool>()).prop_map(|(version, downloaded, current)| Image {
        version,
        size_mb: None,
        downloaded,
        current,
        release_type: None,
    });
    let auto_commit = prop_oneof![
        Just(AutoCommit::NotSeen),
        Just(AutoCommit::Running),
        Just(AutoCommit::Ok),
        (1..5u32).prop_map(|attempts| AutoCommit::Failed { attempts }),
    ];
    prop_oneof![
        (release(), any::<bool>()).prop_map(|(release, fails)| Observation::Checked {
            system: system(release),
            ha_enabled: if fails {
                Err("no route".to_owned())
            } else {
                Ok(false)
            },
            findings: vec![finding(fails)]
        }),
        Just(Observation::BackedUp {
            blob: "é".repeat(9),
            bytes: 1,
            snapshot: None,
        }),
        (prop::collection::vec(image, 0..4), jobs())
            .prop_map(|(images, jobs)| Observation::Software { images, jobs }),
        (
            release(),
            prop::option::of(prop::collection::vec(partition, 0..3)),
            jobs()
        )
            .prop_map(|(running, partitions, jobs)| Observation::Staging {
                running,
                partitions,
                jobs
            }),
        job().prop_map(Observation::Job),
        (ha(), prop::result::maybe_ok(ha(), Just("no route".to_owned())))
            .prop_map(|(own, peer)| Observation::Ha { own, peer }),
        (
            release(),
            prop_oneof![0..9_000u64, Just(u64::MAX)],
            auto_commit,
            prop::option::of(any::<bool>())
        )
            .prop_map(
                |(version, uptime_seconds, auto_commit, chassis_ready)| Observation::Boot {
                    version,
                    uptime_seconds,
                    auto_commit,
                    chassis_ready
                }
            ),
        (release(), prop::option::of(ha()), any::<bool>()).prop_map(|(release, ha, fails)| {
            Observation::After {
                system: system(release),
                ha,
                findings: vec![finding(fails)],
                differences: vec![finding(fails)],
            }
        }),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let kind = prop::sample::select(vec![
        FailureKind::Dark,
        FailureKind::Unready,
        FailureKind::Unauthorised,
        FailureKind::Rejected,
        FailureKind::Untrusted,
    ]);
    let call = || (action(), 1..4u32).prop_map(|(action, attempt)| Call { action, attempt });
    let probe = prop_oneof![
        Just(Probe::Checks { hop: 0 }),
        Just(Probe::Backup),
        Just(Probe::Software { refresh: true }),
        Just(Probe::Staging),
        Just(Probe::Job(7)),
        Just(Probe::Ha),
        release().prop_map(|expected| Probe::Boot { expected }),
        Just(Probe::After { hop: 0, before: None }),
    ];
    let failed = kind.prop_map(|kind| failure(kind, "words"));
    let failed = || failed.clone();
    prop_oneof![
        4 => observation().prop_map(Input::Observed),
        2 => (probe, failed()).prop_map(|(probe, failure)| Input::NoObservation { probe, failure }),
        1 => (call(), prop::option::of(1..12u32)).prop_map(|(call, job)| Input::Answered { call, job }),
        1 => (call(), failed()).prop_map(|(call, failure)| Input::Refused { call, failure }),
        1 => (call(), failed()).prop_map(|(call, failure)| Input::Unanswered { call, failure }),
        1 => Just(Input::Tick),
        1 => Just(Input::StandDown { because: "somebody".to_owned() }),
        1 => Just(Input::Resume { by: "nora".parse().unwrap(), reason: "why not".to_owned() }),
        1 => (0..5u64, 0..3u32).prop_map(|(id, hop)| {
            Input::Permit(Permit { id, hop, reboot_by: jiff::Timestamp::MAX })
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => prop_oneof![9 => 0..30i64, 1 => 30..9_000i64].prop_map(Step::Proceed),
        5 => input().prop_map(|input| Step::Input(Box::new(input))),
        1 => (1..9_000i64).prop_map(Step::Crash),
        2 => Just(Step::Grant),
    ]
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop::sample::select(vec![
        Fate::Taken,
        Fate::TakenSilently,
        Fate::Lost,
        Fate::Refused,
        Fate::Fails,
    ]);
    prop::collection::vec(fate, 0..4)
}

fn waits_for_nothing(world: &World) {
    assert!(
        world.at_rest() || world.next.is_some(),
        "{:?} and nothing would wake it\n{}",
        world.device.phase(),
        world.story()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_in_any_order_leave_a_device_that_goes_on(
        pair in prop::option::of(prop::sample::select(vec![("active", "passive"), ("passive", "active")])),
        survives in any::<bool>(),
        swm in any::<bool>(),
        fates in prop::collection::vec((action(), fates()), 0..4),
        steps in prop::collection::vec(step(), 1..160),
    ) {
        let mut firewall = Firewall::new("10.1.14", pair);
        firewall.suspended_survives = survives;
        firewall.swm = swm;
        for (action, fates) in &fates {
            firewall.script(*action, fates);
        }
        let mut world = World::new(two_hops(), firewall);
        for step in steps {
            match step {
                Step::Proceed(seconds) => {
                    world.now += SignedDuration::from_secs(seconds);
                    if !world.at_rest() {
                        world.step();
                    }
                }
                Step::Input(input) => world.turn(&input),
                Step::Crash(seconds) => {
                    world.now += SignedDuration::from_secs(seconds);
                    world.firewall.pass(world.now);
                    world.come_back();
                }
                Step::Grant => {
                    if matches!(world.device.phase(), crate::device::Phase::Waiting(_)) {
                        world.grant_next();
                    }
                }
            }
            waits_for_nothing(&world);
        }
    }

    /// Without garbage, whatever becomes of each request, the rules of service hold on the device itself.
    #[test]
    fn whatever_becomes_of_requests_nobody_is_without_service(
        survives in any::<bool>(),
        swm in any::<bool>(),
        fates in prop::collection::vec((action(), fates()), 0..6),
        crashes in prop::collection::vec((0..60usize, 1..20_000i64), 0..4),
        stand_down in prop::option::of(0..60usize),
    ) {
        let mut world = World::active();
        world.firewall.suspended_survives = survives;
        world.firewall.swm = swm;
        for (action, fates) in &fates {
            world.firewall.script(*action, fates);
        }
        world.grant();
        for index in 0..4_000usize {
            if let Some((_, seconds)) = crashes.iter().find(|(at, _)| *at == index) {
                world.now += SignedDuration::from_secs(*seconds);
                world.firewall.pass(world.now);
                world.come_back();
            }
            if stand_down == Some(index) {
                world.turn(&Input::StandDown { because: "campaign halted".to_owned() });
            }
            if world.at_rest() {
                break;
            }
            world.step();
        }
        prop_assert!(world.at_rest(), "{:?} after 4000 steps", world.device.phase());
        prop_assert_eq!(&world.firewall.outages, &vec![]);
        prop_assert!(world.firewall.restarts <= 1, "{}", world.story());
        if !world.device.out_of_service() {
            prop_assert_ne!(world.firewall.ha.as_deref(), Some("suspended"), "{}", world.story());
        }
    }
}
