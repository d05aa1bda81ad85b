//! Faults of boots, of running systems and of partitions: loops, darkness, maintenance mode, as a client sees them.

use panos_simulator::{ControlRequest, MaintenanceExit, OpticSpec};

use crate::watch::{Watch, ill, ill_pair};

fn genuine(port: u16) -> OpticSpec {
    OpticSpec {
        slot: 1,
        port,
        vendor: "Palo Alto Networks".into(),
        part: "PAN-SFP-LX".into(),
        serial: None,
        media: "SFP-Fiber".into(),
    }
}

fn exit(exit: MaintenanceExit) -> ControlRequest {
    ControlRequest::LeaveMaintenance {
        device: "fw".into(),
        exit,
    }
}

#[tokio::test(start_paused = true)]
async fn optics_boot_loop() {
    let optics = ", images: [10.2.0], optics: [{port: 6, vendor: FINISAR CORP., part: FTLX1475D3BCL}]";
    let fleet = ill("optics-boot-loop", "PA-850", "10.1.14-h9", optics);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("10.2.0").await;
    watch.minutes(40, 10).await;
    watch.control(ControlRequest::SetOptics {
        device: "fw".into(),
        optics: vec![genuine(6)],
    });
    watch.minutes(40, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:19 -- install 10.2.0: OK |  Software installation of version 10.2.0 successfully completed. Please reboot to switch to it.
    0:19 -- restart
    0:19 icmp 22  443  200 10.1.14-h9 AutoCom 1 OK   yes up 68d
    0:20 icmp -   -    reset
    0:21 -    -   -    refused
    0:26 icmp 22  -    refused
    0:27 icmp 22  443  403
    0:28 icmp 22  443  503
    0:29 icmp 22  443  200 10.2.0     AutoCom 1 ACT  no  up 0:02
    0:30 -    -   -    refused
    0:35 icmp 22  -    refused
    0:37 icmp 22  443  403
    0:37 icmp 22  443  503
    0:38 icmp 22  443  200 10.2.0     AutoCom 1 ACT  no  up 0:03
    0:40 -    -   -    refused
    0:45 icmp 22  -    refused
    0:46 icmp 22  443  403
    0:47 icmp 22  443  503
    0:48 icmp 22  443  200 10.2.0     AutoCom 1 ACT  no  up 0:02
    0:49 -    -   -    refused
    0:54 icmp 22  -    refused
    0:55 icmp 22  443  403
    0:56 icmp 22  443  503
    0:57 icmp 22  443  200 10.2.0     AutoCom 1 ACT  no  up 0:02
    0:58 -    -   -    refused
    0:59 -- control {"set_optics":{"device":"fw","optics":[{"slot":1,"port":6,"vendor":"Palo Alto Networks","part":"PAN-SFP-LX","media":"SFP-Fiber"}]}}
    0:59 -    -   -    refused
    1:05 icmp 22  -    refused
    1:06 icmp 22  443  403
    1:06 icmp 22  443  503
    1:07 icmp 22  443  403
    1:15 icmp 22  443  200 10.2.0     AutoCom 1 OK   yes up 0:10
    "#);
}

#[tokio::test(start_paused = true)]
async fn optics_restart() {
    let optics = ", optics: [{port: 9, vendor: x, part: CLONE-SFP}]";
    let fleet = ill("optics-restart", "PA-5220", "11.1.4", optics);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.minutes(8 * 60, 60).await;
    watch.control(ControlRequest::SetOptics {
        device: "fw".into(),
        optics: vec![genuine(9)],
    });
    watch.minutes(8 * 60, 60).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    3:07 -    -   -    refused
    3:13 icmp 22  -    refused
    3:14 icmp 22  443  403
    3:15 icmp 22  443  503
    3:16 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:03
    3:24 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 0:11
    6:30 -    -   -    refused
    6:35 icmp 22  -    refused
    6:36 icmp 22  443  403
    6:37 icmp 22  443  503
    6:38 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:03
    6:45 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 0:10
    8:00 -- control {"set_optics":{"device":"fw","optics":[{"slot":1,"port":9,"vendor":"Palo Alto Networks","part":"PAN-SFP-LX","media":"SFP-Fiber"}]}}
    8:00 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 1:25
    "#);
}

#[tokio::test(start_paused = true)]
async fn dataplane_loop() {
    let fleet = ill_pair("dataplane-loop", "PA-3220", "11.0.4", "");
    let mut watch = Watch::on(&fleet, "a").await;
    watch.minutes(60, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     active
    0:07 icmp 22  443  200 11.0.4     AutoCom 1 OK   no  up 70d     non-functional (Dataplane down: path monitor failure)
    0:11 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     initial
    0:11 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     active
    0:16 icmp 22  443  200 11.0.4     AutoCom 1 OK   no  up 70d     non-functional (Dataplane down: path monitor failure)
    0:19 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     initial
    0:19 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     active
    0:24 icmp 22  443  200 11.0.4     AutoCom 1 OK   no  up 70d     non-functional (Dataplane down: path monitor failure)
    0:28 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     initial
    0:28 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     active
    0:32 icmp 22  443  200 11.0.4     AutoCom 1 OK   no  up 70d     suspended (Non-functional loop)
    0:35 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     suspended (Non-functional loop)
    0:40 icmp 22  443  200 11.0.4     AutoCom 1 OK   no  up 70d     suspended (Non-functional loop)
    0:44 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     suspended (Non-functional loop)
    0:48 icmp 22  443  200 11.0.4     AutoCom 1 OK   no  up 70d     suspended (Non-functional loop)
    0:51 icmp 22  443  200 11.0.4     AutoCom 1 OK   yes up 70d     suspended (Non-functional loop)
    0:56 icmp 22  443  200 11.0.4     AutoCom 1 OK   no  up 70d     suspended (Non-functional loop)
    "#);
    assert!(fleet.counters("b").unwrap().dataplane_restarts > 0);
}

#[tokio::test(start_paused = true)]
async fn reboots_every_few_hours() {
    let fleet = ill("reboots-every-few-hours", "PA-220", "10.1.3", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.minutes(10 * 60, 60).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 10.1.3     AutoCom 1 OK   yes up 68d
    4:30 -    -   -    refused
    4:39 icmp 22  -    refused
    4:40 icmp 22  443  403
    4:41 icmp 22  443  503
    4:43 icmp 22  443  403
    4:56 icmp 22  443  200 10.1.3     AutoCom 1 OK   yes up 0:17
    9:25 -    -   -    refused
    9:34 icmp 22  -    refused
    9:35 icmp 22  443  403
    9:36 icmp 22  443  503
    9:38 icmp 22  443  403
    9:48 icmp 22  443  200 10.1.3     AutoCom 1 OK   yes up 0:14
    "#);
    let counters = fleet.counters("fw").unwrap();
    assert_eq!((counters.unplanned_reboots, counters.reboots_requested), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn edl_boot_loop() {
    let features = ", images: [10.2.13-h5], features: [edl-without-certificate-profile]";
    let fleet = ill("edl-boot-loop", "PA-850", "10.2.9-h1", features);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("10.2.13-h5").await;
    watch.minutes(90, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:19 -- install 10.2.13-h5: OK |  Software installation of version 10.2.13-h5 successfully completed. Please reboot to switch to it.
    0:19 -- restart
    0:19 icmp 22  443  200 10.2.9-h1  AutoCom 1 OK   yes up 68d
    0:20 icmp -   -    reset
    0:21 -    -   -    refused
    0:26 icmp 22  -    refused
    0:27 icmp 22  443  403
    0:28 icmp 22  443  503
    0:29 icmp 22  443  200 10.2.13-h5 AutoCom 1 ACT  no  up 0:02
    0:31 -    -   -    refused
    0:36 icmp 22  -    refused
    0:37 icmp 22  443  403
    0:38 icmp 22  443  503
    0:39 icmp 22  443  200 10.2.13-h5 AutoCom 1 ACT  no  up 0:03
    0:41 -    -   -    refused
    0:47 icmp 22  -    refused
    0:48 icmp 22  443  403
    0:48 icmp 22  443  503
    0:49 icmp 22  443  200 10.2.13-h5 AutoCom 1 ACT  no  up 0:02
    0:51 -    -   -    refused
    0:56 icmp 22  -    refused
    0:58 icmp 22  443  403
    0:58 icmp 22  443  503
    0:59 icmp 22  443  200 10.2.13-h5 AutoCom 1 ACT  no  up 0:02
    1:06 icmp 22  443  200 10.2.13-h5 AutoCom 1 OK   yes up 0:09
    "#);
}

/// The four loops of F6 differ in what they hang on.
async fn configuration_loop(rule: &str, model: &str, features: &str) -> String {
    let well = ill(rule, model, "11.1.6", "");
    let mut watch = Watch::on(&well, "fw").await;
    watch.restart().await;
    watch.probe.back().await;
    watch.note("without the feature: back");
    let mut rows = watch.table();
    let fleet = ill(rule, model, "11.1.6", &format!(", features: [{features}]"));
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.restart().await;
    watch.minutes(25, 10).await;
    watch.control(ControlRequest::Cure {
        device: "fw".into(),
        rule: Some(rule.into()),
    });
    watch.minutes(25, 10).await;
    rows.push('\n');
    rows + &watch.table()
}

#[tokio::test(start_paused = true)]
async fn ospf_boot_loop() {
    let table = configuration_loop("ospf-boot-loop", "PA-440", "ospf-point-to-point").await;
    insta::assert_snapshot!(table, @r#"
    0:00 -- restart
    0:11 -- without the feature: back
    0:00 -- restart
    0:00 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 68d
    0:01 icmp -   -    reset
    0:01 -    -   -    refused
    0:05 icmp 22  -    refused
    0:06 icmp 22  443  403
    0:06 icmp 22  443  503
    0:07 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:02
    0:08 -    -   -    refused
    0:12 icmp 22  -    refused
    0:12 icmp 22  443  403
    0:13 icmp 22  443  503
    0:13 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:15 -    -   -    refused
    0:18 icmp 22  -    refused
    0:18 icmp 22  443  403
    0:19 icmp 22  443  503
    0:20 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:21 -    -   -    refused
    0:25 -- control {"cure":{"device":"fw","rule":"ospf-boot-loop"}}
    0:25 -    -   -    refused
    0:25 icmp 22  -    refused
    0:26 icmp 22  443  403
    0:27 icmp 22  443  503
    0:27 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:32 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 0:06
    "#);
}

#[tokio::test(start_paused = true)]
async fn user_id_boot_loop() {
    let table = configuration_loop("user-id-boot-loop", "PA-440", "user-id").await;
    insta::assert_snapshot!(table, @r#"
    0:00 -- restart
    0:11 -- without the feature: back
    0:00 -- restart
    0:00 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 68d
    0:01 icmp -   -    reset
    0:01 -    -   -    refused
    0:05 icmp 22  -    refused
    0:06 icmp 22  443  403
    0:06 icmp 22  443  503
    0:07 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:02
    0:08 -    -   -    refused
    0:12 icmp 22  -    refused
    0:12 icmp 22  443  403
    0:13 icmp 22  443  503
    0:13 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:15 -    -   -    refused
    0:18 icmp 22  -    refused
    0:18 icmp 22  443  403
    0:19 icmp 22  443  503
    0:20 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:21 -    -   -    refused
    0:25 -- control {"cure":{"device":"fw","rule":"user-id-boot-loop"}}
    0:25 -    -   -    refused
    0:25 icmp 22  -    refused
    0:26 icmp 22  443  403
    0:27 icmp 22  443  503
    0:27 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:32 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 0:06
    "#);
}

#[tokio::test(start_paused = true)]
async fn gwlb_boot_loop() {
    let table = configuration_loop("gwlb-boot-loop", "PA-VM", "aws-gwlb").await;
    insta::assert_snapshot!(table, @r#"
    0:00 -- restart
    0:11 -- without the feature: back
    0:00 -- restart
    0:00 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 68d
    0:01 icmp -   -    reset
    0:01 -    -   -    refused
    0:05 icmp 22  -    refused
    0:06 icmp 22  443  403
    0:06 icmp 22  443  503
    0:07 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:09 -    -   -    refused
    0:12 icmp 22  -    refused
    0:13 icmp 22  443  403
    0:13 icmp 22  443  503
    0:14 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:15 -    -   -    refused
    0:19 icmp 22  -    refused
    0:19 icmp 22  443  403
    0:20 icmp 22  443  503
    0:20 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:22 -    -   -    refused
    0:25 -- control {"cure":{"device":"fw","rule":"gwlb-boot-loop"}}
    0:25 -    -   -    refused
    0:27 icmp 22  -    refused
    0:27 icmp 22  443  403
    0:28 icmp 22  443  503
    0:28 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:33 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 0:06
    "#);
}

#[tokio::test(start_paused = true)]
async fn hsm_boot_loop() {
    let table = configuration_loop("hsm-boot-loop", "PA-440", "hsm, panorama-managed").await;
    insta::assert_snapshot!(table, @r#"
    0:00 -- restart
    0:11 -- without the feature: back
    0:00 -- restart
    0:00 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 68d
    0:01 icmp -   -    reset
    0:01 -    -   -    refused
    0:05 icmp 22  -    refused
    0:06 icmp 22  443  403
    0:06 icmp 22  443  503
    0:07 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:02
    0:08 -    -   -    refused
    0:12 icmp 22  -    refused
    0:12 icmp 22  443  403
    0:13 icmp 22  443  503
    0:13 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:15 -    -   -    refused
    0:18 icmp 22  -    refused
    0:18 icmp 22  443  403
    0:19 icmp 22  443  503
    0:20 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:21 -    -   -    refused
    0:25 -- control {"cure":{"device":"fw","rule":"hsm-boot-loop"}}
    0:25 -    -   -    refused
    0:25 icmp 22  -    refused
    0:26 icmp 22  443  403
    0:27 icmp 22  443  503
    0:27 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01
    0:32 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 0:06
    "#);
}

#[tokio::test(start_paused = true)]
async fn never_returns() {
    let fleet = ill("never-returns", "PA-850", "10.2.9", "");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.restart().await;
    watch.minutes(24 * 60, 60).await;
    watch.control(ControlRequest::Cure {
        device: "fw".into(),
        rule: None,
    });
    watch.minutes(40, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
     0:00 -- restart
     0:00 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 68d
     0:02 -    -   -    refused
    24:00 -- control {"cure":{"device":"fw","rule":null}}
    24:00 -    -   -    refused
    24:05 icmp 22  -    refused
    24:06 icmp 22  443  403
    24:07 icmp 22  443  503
    24:08 icmp 22  443  200 10.2.9     AutoCom 1 ACT  no  up 0:02
    24:14 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 0:09
    "#);
}

#[tokio::test(start_paused = true)]
async fn tpm_lockout() {
    let fleet = ill("tpm-lockout", "PA-3410", "10.2.9", ", images: [11.0.0, 11.0.3]");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("11.0.3").await;
    watch.minutes(30 * 60, 60).await;
    watch.restart().await;
    watch.minutes(60, 30).await;
    insta::assert_snapshot!(watch.table(), @r#"
     0:13 -- install 11.0.3: OK |  Software installation of version 11.0.3 successfully completed. Please reboot to switch to it.
     0:13 -- restart
     0:13 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 68d
     0:15 -    -   -    refused
    26:15 icmp 22  -    refused
    26:16 icmp 22  443  503
    26:17 icmp 22  443  200 11.0.3     AutoCom 1 ACT  no  up 0:02
    26:21 icmp 22  443  200 11.0.3     AutoCom 1 OK   yes up 0:06
    30:14 -- restart
    30:14 icmp 22  443  200 11.0.3     AutoCom 1 OK   yes up 3:58
    30:15 icmp -   -    reset
    30:16 -    -   -    refused
    30:19 icmp 22  -    refused
    30:20 icmp 22  443  403
    30:20 icmp 22  443  503
    30:21 icmp 22  443  200 11.0.3     AutoCom 1 ACT  no  up 0:01
    30:25 icmp 22  443  200 11.0.3     AutoCom 1 OK   yes up 0:06
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_looping_device_locks_itself_out_by_its_tpm() {
    let rest = ", features: [hsm, panorama-managed], ungraceful_shutdowns: 29";
    let fleet = ill("hsm-boot-loop", "PA-440", "11.1.4", rest);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.restart().await;
    watch.minutes(3 * 60, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- restart
    0:00 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:01 icmp -   -    reset
    0:01 -    -   -    refused
    0:05 icmp 22  -    refused
    0:06 icmp 22  443  403
    0:06 icmp 22  443  503
    0:07 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:02
    0:08 -    -   -    refused
    0:12 icmp 22  -    refused
    0:12 icmp 22  443  403
    0:13 icmp 22  443  503
    0:13 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:01
    0:15 -    -   -    refused
    0:18 icmp 22  -    refused
    0:18 icmp 22  443  403
    0:19 icmp 22  443  503
    0:20 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:01
    0:21 -    -   -    refused
    2:21 icmp 22  -    refused
    2:22 icmp 22  443  403
    2:23 icmp 22  443  503
    2:23 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:02
    2:25 -    -   -    refused
    "#);
    assert_eq!(fleet.state("fw").unwrap().ungraceful_shutdowns, 32);
}

#[tokio::test(start_paused = true)]
async fn file_system_check() {
    let fleet = ill("file-system-check", "PA-850", "10.2.9", ", boots_since_check: 6");
    let mut watch = Watch::on(&fleet, "fw").await;
    for _ in 0..2 {
        watch.restart().await;
        watch.minutes(150, 10).await;
    }
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- restart
    0:00 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 68d
    0:01 icmp -   -    reset
    0:01 -    -   -    refused
    0:07 icmp 22  -    refused
    0:09 icmp 22  443  403
    0:09 icmp 22  443  503
    0:10 icmp 22  443  200 10.2.9     AutoCom 1 ACT  no  up 0:02
    0:17 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 0:09
    2:30 -- restart
    2:30 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 2:22
    2:31 icmp -   -    reset
    2:31 -    -   -    refused
    4:13 icmp 22  -    refused
    4:14 icmp 22  443  403
    4:15 icmp 22  443  503
    4:16 icmp 22  443  200 10.2.9     AutoCom 1 ACT  no  up 0:02
    4:22 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 0:09
    "#);
}

#[tokio::test(start_paused = true)]
async fn software_integrity_check() {
    let fleet = ill(
        "software-integrity-check",
        "PA-440",
        "11.1.4",
        ", images: [11.1.5]",
    );
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("11.1.5").await;
    watch.minutes(30, 10).await;
    watch.restart().await;
    watch.minutes(30, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:19 -- install 11.1.5: OK |  Software installation of version 11.1.5 successfully completed. Please reboot to switch to it.
    0:19 -- restart
    0:19 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:20 icmp -   -    reset
    0:21 -    -   -    refused
    0:24 icmp 22  -    refused
    0:28 icmp 22  443  403
    0:29 icmp 22  443  503
    0:29 icmp 22  443  200 11.1.5     AutoCom 1 ACT  no  up 0:05
    0:34 icmp 22  443  200 11.1.5     AutoCom 1 OK   yes up 0:10
    0:49 -- restart
    0:49 icmp 22  443  200 11.1.5     AutoCom 1 OK   yes up 0:25
    0:51 icmp -   -    reset
    0:51 -    -   -    refused
    0:54 icmp 22  -    refused
    0:55 icmp 22  443  403
    0:55 icmp 22  443  503
    0:56 icmp 22  443  200 11.1.5     AutoCom 1 ACT  no  up 0:01
    1:00 icmp 22  443  200 11.1.5     AutoCom 1 OK   yes up 0:06
    "#);
}

#[tokio::test(start_paused = true)]
async fn corrupt_image_fips() {
    let rest = ", images: [10.2.3], features: [fips-cc]";
    let fleet = ill("corrupt-image-fips", "PA-850", "10.2.2", rest);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("10.2.3").await;
    watch.minutes(4 * 60, 30).await;
    watch.control(exit(MaintenanceExit::Revert));
    watch.minutes(40, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:19 -- install 10.2.3: OK |  Software installation of version 10.2.3 successfully completed. Please reboot to switch to it.
    0:19 -- restart
    0:19 icmp 22  443  200 10.2.2     AutoCom 1 OK   yes up 68d
    0:20 icmp -   -    reset
    0:21 -    -   -    refused
    0:26 icmp 22  -    refused
    4:19 -- control {"leave_maintenance":{"device":"fw","exit":"revert"}}
    4:19 -    -   -    refused
    4:25 icmp 22  -    refused
    4:26 icmp 22  443  403
    4:26 icmp 22  443  503
    4:27 icmp 22  443  403
    4:35 icmp 22  443  200 10.2.2     AutoCom 1 OK   yes up 0:10
    "#);
}

#[tokio::test(start_paused = true)]
async fn hsm_unreachable() {
    let fleet = ill("hsm-unreachable", "PA-850", "10.2.9", ", features: [hsm]");
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.restart().await;
    watch.minutes(60, 30).await;
    watch.control(exit(MaintenanceExit::Reboot));
    watch.minutes(30, 10).await;
    watch.control(exit(MaintenanceExit::Reinstall));
    watch.minutes(40, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- restart
    0:00 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 68d
    0:02 -    -   -    refused
    0:08 icmp 22  -    refused
    1:00 -- control {"leave_maintenance":{"device":"fw","exit":"reboot"}}
    1:00 -    -   -    refused
    1:05 icmp 22  -    refused
    1:30 -- control {"leave_maintenance":{"device":"fw","exit":"reinstall"}}
    1:30 -    -   -    refused
    1:35 icmp 22  -    refused
    1:36 icmp 22  443  403
    1:37 icmp 22  443  503
    1:38 icmp 22  443  200 10.2.9     AutoCom 1 ACT  no  up 0:02
    1:45 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 0:10
    "#);
    let again = fleet
        .control(exit(MaintenanceExit::Reboot))
        .unwrap_err()
        .to_string();
    assert_eq!(
        again,
        "leave maintenance mode of fw: it is not in it, or has no system to revert to"
    );
}

#[tokio::test(start_paused = true)]
async fn downgrade_maintenance_mode() {
    let rest = ", images: [10.1.0, 10.1.4], features: [panorama-managed]";
    let fleet = ill("downgrade-maintenance-mode", "PA-850", "10.2.9", rest);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("10.1.4").await;
    watch.minutes(60, 30).await;
    watch.control(exit(MaintenanceExit::Revert));
    watch.minutes(40, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:19 -- install 10.1.4: OK |  Software installation of version 10.1.4 successfully completed. Please reboot to switch to it.
    0:19 -- restart
    0:19 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 68d
    0:20 icmp -   -    reset
    0:21 -    -   -    refused
    0:26 icmp 22  -    refused
    1:19 -- control {"leave_maintenance":{"device":"fw","exit":"revert"}}
    1:19 -    -   -    refused
    1:25 icmp 22  -    refused
    1:26 icmp 22  443  403
    1:26 icmp 22  443  503
    1:27 icmp 22  443  200 10.2.9     AutoCom 1 ACT  no  up 0:02
    1:35 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 0:10
    "#);
}

#[tokio::test(start_paused = true)]
async fn downgrade_maintenance_mode_vm() {
    let rest = ", images: [11.2.0, 11.2.7]";
    let fleet = ill("downgrade-maintenance-mode-vm", "PA-VM", "12.1.2", rest);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("11.2.7").await;
    watch.minutes(60, 30).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:08 -- install 11.2.7: OK |  Software installation of version 11.2.7 successfully completed. Please reboot to switch to it.
    0:08 -- restart
    0:08 icmp 22  443  200 12.1.2     AutoCom 1 OK   yes up 68d
    0:09 -    -   -    refused
    0:13 icmp 22  -    refused
    "#);
}

/// The way back that needs no downgrade: the other partition, with what the rule says of downgrades not applying.
#[tokio::test(start_paused = true)]
async fn a_revert_is_no_downgrade() {
    let rest = ", images: [10.2.0], features: [panorama-managed]";
    let fleet = ill("downgrade-maintenance-mode", "PA-850", "10.1.3", rest);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("10.2.0").await;
    watch.probe.back().await;
    let reply = watch.probe.body("<debug><swm><revert/></swm></debug>").await;
    watch.note(crate::probe::between(&reply, "<result>", "</result>"));
    watch.restart().await;
    watch.minutes(30, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:19 -- install 10.2.0: OK |  Software installation of version 10.2.0 successfully completed. Please reboot to switch to it.
    0:19 -- restart
    0:35 -- Reverted. Please reboot the system.
    0:35 -- restart
    0:35 icmp 22  443  200 10.2.0     AutoCom 1 OK   yes up 0:09
    0:37 icmp -   -    reset
    0:37 -    -   -    refused
    0:43 icmp 22  -    refused
    0:44 icmp 22  443  403
    0:44 icmp 22  443  503
    0:45 icmp 22  443  403
    0:52 icmp 22  443  200 10.1.3     AutoCom 1 OK   yes up 0:09
    "#);
}

#[tokio::test(start_paused = true)]
async fn downgrade_boot_loop() {
    let rest = ", images: [11.1.0, 11.1.10]";
    let fleet = ill("downgrade-boot-loop", "PA-440", "11.2.7", rest);
    let mut watch = Watch::on(&fleet, "fw").await;
    watch.upgrade("11.1.10").await;
    watch.minutes(30, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:19 -- install 11.1.10: OK |  Software installation of version 11.1.10 successfully completed. Please reboot to switch to it.
    0:19 -- restart
    0:19 icmp 22  443  200 11.2.7     AutoCom 1 OK   yes up 68d
    0:20 icmp -   -    reset
    0:21 -    -   -    refused
    0:24 icmp 22  -    refused
    0:24 icmp 22  443  403
    0:25 -    -   -    refused
    0:28 icmp 22  -    refused
    0:29 icmp 22  443  403
    0:30 -    -   -    refused
    0:33 icmp 22  -    refused
    0:34 icmp 22  443  403
    0:35 -    -   -    refused
    0:38 icmp 22  -    refused
    0:39 icmp 22  443  403
    0:40 -    -   -    refused
    0:43 icmp 22  -    refused
    0:44 icmp 22  443  403
    0:45 -    -   -    refused
    0:48 icmp 22  -    refused
    "#);
}
