//! HA pairs: who is active, what a suspension does, what traffic notices.

use std::sync::Arc;

use panos_simulator::{ControlRequest, Fleet, HaState};

use crate::probe::{Probe, between, fleet, wait};

fn pair(version: &str, options: &str) -> Arc<Fleet> {
    fleet(&format!(
        "devices:\n  \
         - {{name: a, model: PA-850, version: {version}, content: 8700-7000, images: [10.1.0, 10.2.0]}}\n  \
         - {{name: b, model: PA-850, version: {version}, content: 8700-7000, images: [10.1.0, 10.2.0]}}\n\
         pairs: [{{name: p, members: [a, b], active: a{options}}}]\n"
    ))
}

async fn both(a: &Probe, b: &Probe) -> String {
    format!("a {} | b {}", a.ha_state().await, b.ha_state().await)
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_peer_by_peer_costs_one_failover_each_way() {
    let fleet = pair("10.1.14-h9", ", suspended_survives_reboot: true");
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    let mut log = vec![format!("start          {}", both(&a, &b).await)];
    for probe in [&a, &b] {
        probe.install("10.2.0").await;
    }
    assert!(
        b.ha("suspend")
            .await
            .contains("Successfully changed HA state to suspended")
    );
    log.push(format!("b suspended    {}", both(&a, &b).await));
    b.restart().await;
    wait(200).await;
    log.push(format!("b away         a {}", a.ha_state().await));
    b.back().await;
    wait(60).await;
    log.push(format!("b back         {}", both(&a, &b).await));
    assert!(
        b.ha("functional")
            .await
            .contains("Successfully changed HA state to functional")
    );
    log.push(format!("b functional   {}", both(&a, &b).await));
    wait(30).await;
    log.push(format!("b joined       {}", both(&a, &b).await));
    assert_eq!(fleet.pair_report("p").unwrap().seconds_with_nobody_serving, 0.0);
    a.ha("suspend").await;
    wait(5).await;
    log.push(format!("a suspended    {}", both(&a, &b).await));
    a.restart().await;
    a.back().await;
    wait(60).await;
    a.ha("functional").await;
    wait(30).await;
    log.push(format!("a joined       {}", both(&a, &b).await));
    insta::assert_snapshot!(log.join("\n"), @r#"
    start          a active, peer passive up | b passive, peer active up
    b suspended    a active, peer suspended up | b suspended (User requested), peer active up
    b away         a active, peer unknown down
    b back         a active, peer suspended up | b suspended (User requested), peer active up
    b functional   a active, peer initial up | b initial, peer active up
    b joined       a active, peer passive up | b passive, peer active up
    a suspended    a suspended (User requested), peer active up | b active, peer suspended up
    a joined       a passive, peer active up | b active, peer passive up
    "#);
    let report = fleet.pair_report("p").unwrap();
    assert_eq!((report.failovers, report.both_out_of_service_by_request), (1, 0));
    assert!((report.longest_gap_seconds - 2.0).abs() < 0.01, "{report:?}");
    let counters = fleet.counters("a").unwrap();
    assert_eq!((counters.suspends, counters.functionals), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn rebooting_the_active_member_fails_over_when_it_goes() {
    let fleet = pair("10.1.14-h9", "");
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    a.restart().await;
    wait(30).await;
    assert_eq!(
        b.ha_state().await,
        "passive, peer active up",
        "it still answers, and serves"
    );
    wait(100).await;
    assert_eq!(b.ha_state().await, "active, peer unknown down");
    a.back().await;
    wait(60).await;
    assert_eq!(
        both(&a, &b).await,
        "a passive, peer active up | b active, peer passive up"
    );
    let report = fleet.pair_report("p").unwrap();
    assert_eq!((report.failovers, report.both_out_of_service_by_request), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_suspension_outlives_a_reboot_or_does_not() {
    for (options, expected) in [
        (
            ", suspended_survives_reboot: true",
            "suspended (User requested), peer active up",
        ),
        ("", "passive, peer active up"),
    ] {
        let fleet = pair("10.1.14-h9", options);
        let b = Probe::login(&fleet, "b").await;
        b.ha("suspend").await;
        b.restart().await;
        b.back().await;
        wait(60).await;
        assert_eq!(b.ha_state().await, expected, "{options}");
    }
}

#[tokio::test(start_paused = true)]
async fn taking_out_the_last_member_is_noticed_and_timed() {
    let fleet = pair("10.1.14-h9", "");
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    a.restart().await;
    wait(10).await;
    b.restart().await;
    assert_eq!(fleet.pair_report("p").unwrap().both_out_of_service_by_request, 1);
    a.back().await;
    b.ready().await;
    wait(60).await;
    let report = fleet.pair_report("p").unwrap();
    assert!(report.longest_gap_seconds > 600.0, "{report:?}");
    assert_eq!(report.both_out_of_service_by_request, 1);
    let states = both(&a, &b).await;
    assert_eq!(states.matches("active, peer passive up").count(), 1, "{states}");
}

#[tokio::test(start_paused = true)]
async fn two_feature_releases_apart_the_older_member_leaves() {
    let fleet = pair("9.1.16", ", suspended_survives_reboot: true");
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    b.install("10.1.0").await;
    b.ha("suspend").await;
    b.restart().await;
    b.back().await;
    wait(60).await;
    let mut log = vec![format!("b back         {}", both(&a, &b).await)];
    b.ha("functional").await;
    wait(30).await;
    log.push(format!("b functional   {}", both(&a, &b).await));
    a.ha("functional").await;
    wait(30).await;
    log.push(format!("a tries        {}", both(&a, &b).await));
    a.install("10.1.0").await;
    a.restart().await;
    a.back().await;
    wait(60).await;
    log.push(format!("a on 10.1.0    {}", both(&a, &b).await));
    insta::assert_snapshot!(log.join("\n"), @r#"
    b back         a active, peer suspended up | b suspended (User requested), peer active up
    b functional   a suspended (Peer version too old), peer active up | b active, peer suspended up
    a tries        a suspended (Peer version too old), peer active up | b active, peer suspended up
    a on 10.1.0    a passive, peer active up | b active, peer passive up
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_preemptive_member_takes_its_role_back() {
    let fleet = pair("10.1.14-h9", ", preemptive: true");
    let a = Probe::login(&fleet, "a").await;
    a.restart().await;
    a.back().await;
    wait(60).await;
    assert_eq!(a.ha_state().await, "passive, peer active up");
    wait(60).await;
    assert_eq!(a.ha_state().await, "active, peer passive up");
    assert_eq!(fleet.pair_report("p").unwrap().failovers, 2);
}

#[tokio::test(start_paused = true)]
async fn the_preferred_member_need_not_be_the_active_one() {
    let fleet = pair("10.1.14-h9", ", preferred: b");
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    wait(3600).await;
    assert_eq!(
        a.ha_state().await,
        "active, peer passive up",
        "without preemption it waits"
    );
    let state = "<show><high-availability><state/></high-availability></show>";
    assert_eq!(
        (a.read(state, "priority").await, b.read(state, "priority").await),
        ("110".to_owned(), "100".to_owned())
    );
    let fleet = pair("10.1.14-h9", ", preferred: b, preemptive: true");
    let b = Probe::login(&fleet, "b").await;
    wait(50).await;
    assert_eq!(
        b.ha_state().await,
        "passive, peer active up",
        "the preemption hold"
    );
    wait(15).await;
    assert_eq!(b.ha_state().await, "active, peer passive up");
    assert_eq!(fleet.pair_report("p").unwrap().failovers, 1);
}

#[tokio::test(start_paused = true)]
async fn an_image_can_be_sent_to_the_peer_as_well() {
    let fleet = pair("10.1.14-h9", "");
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    let both = "<request><system><software><download><sync-to-peer>yes</sync-to-peer><version>10.2.4</version>\
                </download></software></system></request>";
    let job = crate::probe::job_id(&a.body(both).await);
    a.finish(job).await;
    b.install("10.2.4").await;
    assert!(fleet.counters("b").unwrap().downloads_started.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_broken_active_member_is_replaced() {
    let fleet = pair("10.1.14-h9", "");
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    let broken = ControlRequest::SetHaState {
        device: "a".into(),
        state: HaState::NonFunctional,
        reason: "Dataplane down: path monitor failure".into(),
    };
    fleet.control(broken).unwrap();
    wait(3).await;
    assert_eq!(
        both(&a, &b).await,
        "a non-functional (Dataplane down: path monitor failure), peer active up | b active, peer non-functional up"
    );
}

#[tokio::test(start_paused = true)]
async fn a_standalone_device_has_no_ha() {
    let fleet = crate::probe::one("");
    let probe = Probe::login(&fleet, "fw").await;
    assert_eq!(
        probe
            .read(
                "<show><high-availability><state/></high-availability></show>",
                "enabled"
            )
            .await,
        "no"
    );
    assert!(probe.ha("suspend").await.contains("HA is not enabled"));
}

#[tokio::test(start_paused = true)]
async fn the_control_link_is_in_the_configuration_of_both_members() {
    const HA: &str = "/config/devices/entry/deviceconfig/high-availability";
    let mut shown = Vec::new();
    for features in ["", ", features: [ha1-in-other-subnet]"] {
        let fleet = fleet(&format!(
            "devices:\n  - {{name: a, model: PA-440, version: 10.2.4, content: 8700-7000{features}}}\n  \
             - {{name: b, model: PA-440, version: 10.2.4, content: 8700-7000}}\n\
             pairs:\n  - {{name: p, members: [a, b], active: a}}\n"
        ));
        for member in ["a", "b"] {
            let probe = Probe::login(&fleet, member).await;
            let reply = probe
                .sent(&[("type", "config"), ("action", "show"), ("xpath", HA)])
                .await;
            let told = probe
                .body("<show><high-availability><state/></high-availability></show>")
                .await;
            let local = between(&told, "<local-info>", "</local-info>");
            shown.push(format!(
                "{member} {} peer-ip {}, says {}",
                between(&reply, "<interface>", "</interface>"),
                between(&reply, "<peer-ip>", "</peer-ip>"),
                between(local, "<ha1-ipaddr>", "</ha1-ipaddr>"),
            ));
        }
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    a <ha1><port>dedicated-ha1</port><ip-address>169.254.1.1</ip-address><netmask>255.255.255.252</netmask></ha1> peer-ip 169.254.1.2, says 169.254.1.1/30
    b <ha1><port>dedicated-ha1</port><ip-address>169.254.1.2</ip-address><netmask>255.255.255.252</netmask></ha1> peer-ip 169.254.1.1, says 169.254.1.2/30
    a <ha1><port>dedicated-ha1</port><ip-address>169.254.1.1</ip-address><netmask>255.255.255.252</netmask><gateway>169.254.1.2</gateway></ha1> peer-ip 169.254.5.2, says 169.254.1.1/30
    b <ha1><port>dedicated-ha1</port><ip-address>169.254.5.2</ip-address><netmask>255.255.255.252</netmask><gateway>169.254.5.1</gateway></ha1> peer-ip 169.254.1.1, says 169.254.5.2/30
    "#);
}
