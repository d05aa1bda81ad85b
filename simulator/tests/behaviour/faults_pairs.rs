//! Faults of pairs: links, states and members that do not come together, as a client sees them.

use std::sync::Arc;

use panos_simulator::{ControlRequest, Fleet, HaLink};

use crate::watch::{Watch, ill_pair};

/// What a pair's traffic saw, in whole seconds.
fn traffic(fleet: &Arc<Fleet>) -> String {
    let report = fleet.pair_report("p").unwrap();
    format!(
        "nobody {:.0} s, longest {:.0} s, both active {:.0} s, failovers {}",
        report.seconds_with_nobody_serving,
        report.longest_gap_seconds,
        report.seconds_with_both_active,
        report.failovers
    )
}

fn cut(link: HaLink, cut: bool) -> ControlRequest {
    ControlRequest::CutHa {
        device: "a".into(),
        link,
        cut,
    }
}

#[tokio::test(start_paused = true)]
async fn passive_reboots() {
    let fleet = ill_pair("passive-reboots", "PA-3410", "11.1.6", "");
    let mut watch = Watch::on(&fleet, "b").await;
    watch.minutes(100, 10).await;
    watch.note(&traffic(&fleet));
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 67d     passive
    0:28 -    -   -    refused                                      initial
    0:32 icmp 22  -    refused                                      initial
    0:32 icmp 22  443  403                                          initial
    0:33 icmp 22  443  503                                          initial
    0:33 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01    initial
    0:38 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 0:06    initial
    0:39 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 0:07    passive
    1:04 -    -   -    refused                                      initial
    1:07 icmp 22  -    refused                                      initial
    1:08 icmp 22  443  403                                          initial
    1:08 icmp 22  443  503                                          initial
    1:09 icmp 22  443  200 11.1.6     AutoCom 1 ACT  no  up 0:01    initial
    1:14 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 0:06    initial
    1:14 icmp 22  443  200 11.1.6     AutoCom 1 OK   yes up 0:07    passive
    1:39 -    -   -    refused                                      initial
    1:40 -- nobody 0 s, longest 0 s, both active 0 s, failovers 0
    "#);
    assert_eq!(fleet.counters("a").unwrap().boots, 0, "the active one stays");
}

#[tokio::test(start_paused = true)]
async fn ha1_stays_down() {
    let rest = ", images: [10.1.0], features: [ha1-in-other-subnet]";
    let fleet = ill_pair("ha1-stays-down", "PA-3220", "10.0.12", rest);
    let mut watch = Watch::on(&fleet, "b").await;
    watch.upgrade("10.1.0").await;
    watch.minutes(40, 10).await;
    watch.note(&format!(
        "a: {}",
        crate::probe::Probe::login(&fleet, "a").await.ha_state().await
    ));
    watch.note(&traffic(&fleet));
    watch.control(ControlRequest::Cure {
        device: "b".into(),
        rule: None,
    });
    watch.minutes(5, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:10 -- install 10.1.0: OK |  Software installation of version 10.1.0 successfully completed. Please reboot to switch to it.
    0:10 -- restart
    0:10 icmp 22  443  200 10.0.12    AutoCom 1 OK   yes up 67d     passive
    0:11 icmp -   -    reset                                        initial
    0:11 -    -   -    refused                                      initial
    0:16 icmp 22  -    refused                                      initial
    0:17 icmp 22  443  403                                          initial
    0:17 icmp 22  443  503                                          initial
    0:18 icmp 22  443  403                                          initial
    0:24 icmp 22  443  200 10.1.0     AutoCom 1 OK   yes up 0:08    initial
    0:25 icmp 22  443  200 10.1.0     AutoCom 1 OK   yes up 0:08    active
    0:50 -- a: active, peer unknown down
    0:50 -- nobody 0 s, longest 0 s, both active 1509 s, failovers 0
    0:50 -- control {"cure":{"device":"b","rule":null}}
    0:50 icmp 22  443  200 10.1.0     AutoCom 1 OK   yes up 0:34    passive
    "#);
}

#[tokio::test(start_paused = true)]
async fn nat_mismatch() {
    let rest = ", images: [10.0.1]";
    let fleet = ill_pair("nat-mismatch", "PA-3220", "10.0.0", rest);
    let mut watch = Watch::on(&fleet, "b").await;
    watch.upgrade("10.0.1").await;
    watch.minutes(40, 10).await;
    let mut peer = Watch::on(&fleet, "a").await;
    peer.upgrade("10.0.1").await;
    watch.note("the peer goes to 10.0.1 as well");
    watch.minutes(40, 10).await;
    watch.note(&traffic(&fleet));
    insta::assert_snapshot!(watch.table(), @r#"
    0:10 -- install 10.0.1: OK |  Software installation of version 10.0.1 successfully completed. Please reboot to switch to it.
    0:10 -- restart
    0:10 icmp 22  443  200 10.0.0     AutoCom 1 OK   yes up 67d     passive
    0:11 icmp -   -    reset                                        initial
    0:11 -    -   -    refused                                      initial
    0:16 icmp 22  -    refused                                      initial
    0:17 icmp 22  443  403                                          initial
    0:17 icmp 22  443  503                                          initial
    0:18 icmp 22  443  200 10.0.1     AutoCom 1 ACT  no  up 0:02    initial
    0:24 icmp 22  443  200 10.0.1     AutoCom 1 OK   yes up 0:08    non-functional (NAT oversubscription mismatch)
    1:04 -- the peer goes to 10.0.1 as well
    1:04 icmp 22  443  200 10.0.1     AutoCom 1 OK   yes up 0:47    non-functional (NAT oversubscription mismatch)
    1:10 icmp 22  443  200 10.0.1     AutoCom 1 OK   yes up 0:54    initial
    1:10 icmp 22  443  200 10.0.1     AutoCom 1 OK   yes up 0:54    active
    1:44 -- nobody 320 s, longest 320 s, both active 0 s, failovers 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn licence_mismatch() {
    let fleet = ill_pair(
        "licence-mismatch",
        "PA-VM",
        "9.1.6",
        ", features: [licence-mismatch]",
    );
    let mut watch = Watch::on(&fleet, "b").await;
    watch.minutes(10, 10).await;
    watch.control(ControlRequest::Cure {
        device: "b".into(),
        rule: None,
    });
    watch.minutes(10, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 9.1.6      AutoCom 1 OK   yes up 67d     non-functional (VM license mismatch)
    0:10 -- control {"cure":{"device":"b","rule":null}}
    0:10 icmp 22  443  200 9.1.6      AutoCom 1 OK   yes up 67d     initial
    0:10 icmp 22  443  200 9.1.6      AutoCom 1 OK   yes up 67d     active
    "#);
}

#[tokio::test(start_paused = true)]
async fn ha_stays_initial() {
    let fleet = ill_pair(
        "ha-stays-initial",
        "PA-3220",
        "10.1.14",
        ", features: [ha2-incomplete]",
    );
    let mut watch = Watch::on(&fleet, "b").await;
    watch.restart().await;
    watch.minutes(100, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- restart
    0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 67d     passive
    0:01 icmp -   -    reset                                        initial
    0:01 -    -   -    refused                                      initial
    0:07 icmp 22  -    refused                                      initial
    0:08 icmp 22  443  403                                          initial
    0:08 icmp 22  443  503                                          initial
    0:09 icmp 22  443  200 10.1.14    AutoCom 1 ACT  no  up 0:02    initial
    0:15 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 0:08    initial
    1:15 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 1:08    passive
    "#);
}

#[tokio::test(start_paused = true)]
async fn ha2_stays_down() {
    let fleet = ill_pair("ha2-stays-down", "PA-3220", "10.1.14", "");
    let mut watch = Watch::on(&fleet, "b").await;
    watch.restart().await;
    watch.minutes(100, 10).await;
    let state = "<show><high-availability><state/></high-availability></show>";
    let sync = watch.probe.read(state, "state-sync").await;
    watch.note(&format!("state-sync {sync}"));
    watch.control(ControlRequest::Cure {
        device: "b".into(),
        rule: None,
    });
    watch.minutes(2, 10).await;
    let sync = watch.probe.read(state, "state-sync").await;
    watch.note(&format!("state-sync {sync}"));
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- restart
    0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 67d     passive
    0:01 icmp -   -    reset                                        initial
    0:01 -    -   -    refused                                      initial
    0:07 icmp 22  -    refused                                      initial
    0:08 icmp 22  443  403                                          initial
    0:08 icmp 22  443  503                                          initial
    0:09 icmp 22  443  200 10.1.14    AutoCom 1 ACT  no  up 0:02    initial
    0:15 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 0:08    initial
    1:15 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 1:08    passive
    1:40 -- state-sync Incomplete
    1:40 -- control {"cure":{"device":"b","rule":null}}
    1:40 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 1:32    passive
    1:42 -- state-sync Complete
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_cut_control_link_makes_both_active_until_it_heals() {
    let fleet = crate::probe::fleet(
        "devices:\n  - {name: a, model: PA-3220, version: 10.1.14, content: 9040-9500}\n  \
         - {name: b, model: PA-3220, version: 10.1.14, content: 9040-9500}\n\
         pairs: [{name: p, members: [a, b], active: a}]\n",
    );
    let (mut a, mut b) = (Watch::on(&fleet, "a").await, Watch::on(&fleet, "b").await);
    a.control(cut(HaLink::Ha1, true));
    a.minutes(5, 10).await;
    b.minutes(1, 10).await;
    let split = traffic(&fleet);
    a.control(cut(HaLink::Ha1, false));
    a.minutes(1, 10).await;
    b.minutes(1, 10).await;
    a.note(&format!("{split}; later {}", traffic(&fleet)));
    insta::assert_snapshot!(format!("a\n{}\nb\n{}", a.table(), b.table()), @r#"
    a
      0:00 -- control {"cut_ha":{"device":"a","link":"ha1","cut":true}}
      0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     active
      0:06 -- control {"cut_ha":{"device":"a","link":"ha1","cut":false}}
      0:06 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     active
      0:08 -- nobody 0 s, longest 0 s, both active 362 s, failovers 0; later nobody 0 s, longest 0 s, both active 362 s, failovers 0
    b
      0:05 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 67d     active
      0:07 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 67d     passive
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_dataplane_fails_too_often_is_suspended() {
    let fleet = crate::probe::fleet(
        "devices:\n  - {name: a, model: PA-3220, version: 10.1.14, content: 9040-9500}\n  \
         - {name: b, model: PA-3220, version: 10.1.14, content: 9040-9500}\n\
         pairs: [{name: p, members: [a, b], active: a}]\n\
         faults: [{id: flaps, when: {devices: [a]}, effect: {dataplane_restarts: {minutes: 5, seconds: 60}}}]\n",
    );
    let mut watch = Watch::on(&fleet, "a").await;
    watch.minutes(40, 5).await;
    let state = "<show><high-availability><state/></high-availability></show>";
    assert_eq!(watch.probe.read(state, "nonfunc-flap-cnt").await, "3");
    watch.probe.ha("functional").await;
    assert_eq!(watch.probe.read(state, "nonfunc-flap-cnt").await, "0");
    watch.note("functional");
    watch.minutes(3, 5).await;
    watch.note(&traffic(&fleet));
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     active
    0:04 icmp 22  443  200 10.1.14    AutoCom 1 OK   no  up 70d     non-functional (Dataplane down: path monitor failure)
    0:06 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     initial
    0:06 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     passive
    0:10 icmp 22  443  200 10.1.14    AutoCom 1 OK   no  up 70d     non-functional (Dataplane down: path monitor failure)
    0:11 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     initial
    0:11 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     passive
    0:15 icmp 22  443  200 10.1.14    AutoCom 1 OK   no  up 70d     non-functional (Dataplane down: path monitor failure)
    0:16 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     initial
    0:16 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     passive
    0:20 icmp 22  443  200 10.1.14    AutoCom 1 OK   no  up 70d     suspended (Non-functional loop)
    0:21 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     suspended (Non-functional loop)
    0:25 icmp 22  443  200 10.1.14    AutoCom 1 OK   no  up 70d     suspended (Non-functional loop)
    0:26 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     suspended (Non-functional loop)
    0:30 icmp 22  443  200 10.1.14    AutoCom 1 OK   no  up 70d     suspended (Non-functional loop)
    0:31 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     suspended (Non-functional loop)
    0:35 icmp 22  443  200 10.1.14    AutoCom 1 OK   no  up 70d     suspended (Non-functional loop)
    0:36 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     suspended (Non-functional loop)
    0:40 -- functional
    0:40 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     initial
    0:40 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     passive
    0:41 icmp 22  443  200 10.1.14    AutoCom 1 OK   no  up 70d     non-functional (Dataplane down: path monitor failure)
    0:42 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     initial
    0:42 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 70d     passive
    0:43 -- nobody 2 s, longest 2 s, both active 0 s, failovers 1
    "#);
}

/// With HA2 cut a member that boots waits an hour, once.
#[tokio::test(start_paused = true)]
async fn a_cut_data_link_keeps_a_booting_member_initial_for_an_hour() {
    let fleet = crate::probe::fleet(
        "devices:\n  - {name: a, model: PA-3220, version: 10.1.14, content: 9040-9500}\n  \
         - {name: b, model: PA-3220, version: 10.1.14, content: 9040-9500}\n\
         pairs: [{name: p, members: [a, b], active: a}]\n",
    );
    let mut watch = Watch::on(&fleet, "b").await;
    watch.control(cut(HaLink::Ha2, true));
    watch.restart().await;
    watch.minutes(90, 10).await;
    watch.note(&traffic(&fleet));
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- control {"cut_ha":{"device":"a","link":"ha2","cut":true}}
    0:00 -- restart
    0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 67d     passive
    0:01 icmp -   -    reset                                        initial
    0:01 -    -   -    refused                                      initial
    0:07 icmp 22  -    refused                                      initial
    0:08 icmp 22  443  403                                          initial
    0:08 icmp 22  443  503                                          initial
    0:09 icmp 22  443  200 10.1.14    AutoCom 1 ACT  no  up 0:02    initial
    0:15 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 0:08    initial
    1:15 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 1:08    passive
    1:30 -- nobody 0 s, longest 0 s, both active 0 s, failovers 0
    "#);
}

/// What a cut link hid shows when it heals: the two are too far apart.
#[tokio::test(start_paused = true)]
async fn members_too_far_apart_part_when_they_hear_each_other_again() {
    let fleet = crate::probe::fleet(
        "devices:\n  - {name: a, model: PA-3220, version: 9.1.16, content: 9040-9500}\n  \
         - {name: b, model: PA-3220, version: 9.1.16, content: 9040-9500, images: [10.1.0]}\n\
         pairs: [{name: p, members: [a, b], active: a}]\n\
         login_before_autocommit_fixed: true\n",
    );
    let mut watch = Watch::on(&fleet, "b").await;
    watch.control(cut(HaLink::Ha1, true));
    watch.upgrade("10.1.0").await;
    watch.probe.back().await;
    watch.minutes(2, 10).await;
    watch.control(cut(HaLink::Ha1, false));
    watch.minutes(2, 10).await;
    let a = crate::probe::Probe::login(&fleet, "a").await;
    watch.note(&format!("a: {}", a.ha_state().await));
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 -- control {"cut_ha":{"device":"a","link":"ha1","cut":true}}
    0:10 -- install 10.1.0: OK |  Software installation of version 10.1.0 successfully completed. Please reboot to switch to it.
    0:10 -- restart
    0:24 icmp 22  443  200 10.1.0     AutoCom 1 OK   yes up 0:08    initial
    0:25 icmp 22  443  200 10.1.0     AutoCom 1 OK   yes up 0:08    active
    0:26 -- control {"cut_ha":{"device":"a","link":"ha1","cut":false}}
    0:26 icmp 22  443  200 10.1.0     AutoCom 1 OK   yes up 0:10    active
    0:28 -- a: suspended (Peer version too old), peer active up
    "#);
}
