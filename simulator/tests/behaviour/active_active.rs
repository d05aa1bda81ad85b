//! Active/active pairs: who leads, who serves, how a member comes back.

use std::sync::Arc;

use panos_simulator::{ControlRequest, Fleet, HaLink, HaMode};

use crate::probe::{Probe, fleet};
use crate::watch::Watch;

fn pair(options: &str) -> Arc<Fleet> {
    fleet(&format!(
        "devices:\n  - {{name: a, model: PA-5220, version: 10.2.9, content: 9040-9500, images: [10.2.10]}}\n  \
         - {{name: b, model: PA-5220, version: 10.2.9, content: 9040-9500, images: [10.2.10]}}\n\
         pairs: [{{name: p, members: [a, b], active: a, mode: active-active{options}}}]\n"
    ))
}

#[tokio::test(start_paused = true)]
async fn a_member_that_comes_back_is_tentative_for_a_minute() {
    let fleet = pair(", suspended_survives_reboot: true");
    let (mut a, mut b) = (Watch::on(&fleet, "a").await, Watch::on(&fleet, "b").await);
    b.minutes(1, 30).await;
    a.probe.ha("suspend").await;
    a.note("suspend");
    a.upgrade("10.2.10").await;
    a.minutes(25, 5).await;
    a.probe.ha("functional").await;
    a.note("functional");
    a.minutes(3, 5).await;
    b.minutes(1, 30).await;
    insta::assert_snapshot!(format!("a\n{}\nb\n{}", a.table(), b.table()), @r#"
    a
      0:01 -- suspend
      0:14 -- install 10.2.10: OK |  Software installation of version 10.2.10 successfully completed. Please reboot to switch to it.
      0:14 -- restart
      0:14 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 70d     suspended (User requested)
      0:16 icmp -   -    reset                                        suspended (User requested)
      0:16 -    -   -    refused                                      suspended (User requested)
      0:21 icmp 22  -    refused                                      suspended (User requested)
      0:22 icmp 22  443  403                                          suspended (User requested)
      0:23 icmp 22  443  503                                          suspended (User requested)
      0:24 icmp 22  443  200 10.2.10    AutoCom 1 ACT  no  up 0:02    suspended (User requested)
      0:30 icmp 22  443  200 10.2.10    AutoCom 1 OK   yes up 0:09    suspended (User requested)
      0:39 -- functional
      0:39 icmp 22  443  200 10.2.10    AutoCom 1 OK   yes up 0:18    initial
      0:39 icmp 22  443  200 10.2.10    AutoCom 1 OK   yes up 0:18    tentative
      0:40 icmp 22  443  200 10.2.10    AutoCom 1 OK   yes up 0:19    active-secondary
    b
      0:00 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 67d     active-secondary
      0:42 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 67d     active-primary
    "#);
    let state = "<show><high-availability><state/></high-availability></show>";
    assert!(a.probe.body(state).await.contains("<mode>Active-Active</mode>"));
    let report = fleet.pair_report("p").unwrap();
    assert_eq!(report.seconds_with_nobody_serving, 0.0);
    assert_eq!(
        (report.failovers, report.split_brains),
        (1, 0),
        "two that serve are no split brain"
    );
}

#[tokio::test(start_paused = true)]
async fn one_member_of_two_that_serve_leaves_no_gap() {
    let fleet = pair("");
    let a = Probe::login(&fleet, "a").await;
    a.restart().await;
    a.back().await;
    crate::probe::wait(180).await;
    assert_eq!(a.ha_state().await, "active-secondary, peer active-primary up");
    assert_eq!(fleet.pair_report("p").unwrap().seconds_with_nobody_serving, 0.0);
}

#[tokio::test(start_paused = true)]
async fn without_the_control_link_both_are_primary() {
    let fleet = pair(", preemptive: true");
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    for cut in [true, false] {
        fleet
            .control(ControlRequest::CutHa {
                device: "b".into(),
                link: HaLink::Ha1,
                cut,
            })
            .unwrap();
        crate::probe::wait(100).await;
        let states = format!("{} | {}", a.ha_state().await, b.ha_state().await);
        let expected = if cut {
            "active-primary, peer unknown down | active-primary, peer unknown down"
        } else {
            "active-primary, peer active-secondary up | active-secondary, peer active-primary up"
        };
        assert_eq!(states, expected);
    }
    let report = fleet.pair_report("p").unwrap();
    assert_eq!(report.split_brains, 1);
    assert!(
        (97.0..100.0).contains(&report.seconds_with_both_active),
        "{report:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_owns_a_session_is_set_up() {
    let owners = |options: &str| {
        let fleet = pair(options);
        ["a", "b"].map(|name| fleet.state(name).unwrap().ha.unwrap().owns_sessions)
    };
    assert_eq!(owners(""), [true, true]);
    assert_eq!(owners(", session_owner: primary-device"), [true, false]);
    assert_eq!(HaMode::default(), HaMode::ActivePassive);
}
