//! Faults of what depends on others: tunnels, routes, links, Panorama, and of the management plane's memory.
//!
//! `without` is the simulator's own word for what has not come back; the replies about each area follow it.

use panos_simulator::{Area, ControlRequest, OpticSpec};

use crate::probe::{Probe, fleet, wait};
use crate::watch::{Watch, ill, ill_pair};

/// A restart, with and without the rule's feature.
async fn restart(rule: &str, model: &str, version: &str, rest: &str, area: Area) -> Watch {
    let fleet = ill(rule, model, version, rest);
    let mut watch = Watch::on(&fleet, "fw").await.areas(&[area]);
    watch.minutes(2, 30).await;
    watch.restart().await;
    watch.minutes(40, 10).await;
    watch
}

fn cure() -> ControlRequest {
    ControlRequest::Cure {
        device: "fw".into(),
        rule: None,
    }
}

#[tokio::test(start_paused = true)]
async fn ipsec_does_not_return() {
    let rest = ", features: [ike-on-aggregate-dhcp]";
    let mut watch = restart("ipsec-does-not-return", "PA-440", "11.2.7", rest, Area::Ipsec).await;
    watch.control(cure());
    watch.minutes(5, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 11.2.7     AutoCom 1 OK   yes up 68d
    0:02 -- restart
    0:02 icmp 22  443  200 11.2.7     AutoCom 1 OK   yes up 68d
    0:03 icmp -   -    reset                                         without [Ipsec]
    0:03 -    -   -    refused                                       without [Ipsec]
    0:07 icmp 22  -    refused                                       without [Ipsec]
    0:08 icmp 22  443  403                                           without [Ipsec]
    0:08 icmp 22  443  503                                           without [Ipsec]
    0:09 icmp 22  443  200 11.2.7     AutoCom 1 ACT  no  up 0:02     without [Ipsec]
    0:13 icmp 22  443  200 11.2.7     AutoCom 1 OK   yes up 0:06     without [Ipsec]
    0:42 -- control {"cure":{"device":"fw","rule":null}}
    0:42 icmp 22  443  200 11.2.7     AutoCom 1 OK   yes up 0:34
    "#);
}

#[tokio::test(start_paused = true)]
async fn ospf_does_not_return() {
    let rest = ", features: [panorama-managed]";
    let watch = restart("ospf-does-not-return", "PA-440", "11.1.4", rest, Area::Ospf).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:02 -- restart
    0:02 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:03 icmp -   -    reset                                         without [Ospf]
    0:03 -    -   -    refused                                       without [Ospf]
    0:07 icmp 22  -    refused                                       without [Ospf]
    0:08 icmp 22  443  403                                           without [Ospf]
    0:08 icmp 22  443  503                                           without [Ospf]
    0:09 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:02     without [Ospf]
    0:13 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 0:06     without [Ospf]
    "#);
}

#[tokio::test(start_paused = true)]
async fn slow_ports() {
    let fleet = ill_pair("slow-ports", "PA-440", "10.2.4", "");
    let mut watch = Watch::on(&fleet, "b").await.areas(&[Area::Interfaces]);
    watch.minutes(1, 10).await;
    Probe::login(&fleet, "a").await.ha("suspend").await;
    watch.note("a is suspended");
    watch.minutes(10, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 10.2.4     AutoCom 1 OK   yes up 67d     passive
    0:01 -- a is suspended
    0:01 icmp 22  443  200 10.2.4     AutoCom 1 OK   yes up 67d     passive
    0:01 icmp 22  443  200 10.2.4     AutoCom 1 OK   yes up 67d     active without [Interfaces]
    0:05 icmp 22  443  200 10.2.4     AutoCom 1 OK   yes up 67d     active
    "#);
}

#[tokio::test(start_paused = true)]
async fn optic_down_25g() {
    let rest = ", features: [fec-off], optics: [{port: 10, vendor: x, part: S28-25G-LR}]";
    let watch = restart("optic-down-25g", "PA-5410", "11.1.4", rest, Area::Optics).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:02 -- restart
    0:02 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:03 icmp -   -    reset                                         without [Optics]
    0:03 -    -   -    refused                                       without [Optics]
    0:09 icmp 22  -    refused                                       without [Optics]
    0:11 icmp 22  443  403                                           without [Optics]
    0:11 icmp 22  443  503                                           without [Optics]
    0:12 icmp 22  443  200 11.1.4     AutoCom 1 ACT  no  up 0:02     without [Optics]
    0:19 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 0:09     without [Optics]
    "#);
}

#[tokio::test(start_paused = true)]
async fn optic_down_sx() {
    let rest = ", optics: [{port: 6, vendor: x, part: PAN-SFP-SX}]";
    let mut watch = restart("optic-down-sx", "PA-850", "10.1.8", rest, Area::Optics).await;
    watch.control(ControlRequest::SetOptics {
        device: "fw".into(),
        optics: vec![OpticSpec {
            slot: 1,
            port: 6,
            vendor: "x".into(),
            part: "PAN-SFP-LX".into(),
            serial: None,
            media: "SFP-Fiber".into(),
        }],
    });
    watch.minutes(2, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 10.1.8     AutoCom 1 OK   yes up 68d
    0:02 -- restart
    0:02 icmp 22  443  200 10.1.8     AutoCom 1 OK   yes up 68d
    0:03 icmp -   -    reset                                         without [Optics]
    0:03 -    -   -    refused                                       without [Optics]
    0:09 icmp 22  -    refused                                       without [Optics]
    0:11 icmp 22  443  403                                           without [Optics]
    0:11 icmp 22  443  503                                           without [Optics]
    0:12 icmp 22  443  200 10.1.8     AutoCom 1 ACT  no  up 0:02     without [Optics]
    0:19 icmp 22  443  200 10.1.8     AutoCom 1 OK   yes up 0:09     without [Optics]
    0:42 -- control {"set_optics":{"device":"fw","optics":[{"slot":1,"port":6,"vendor":"x","part":"PAN-SFP-LX","media":"SFP-Fiber"}]}}
    0:42 icmp 22  443  200 10.1.8     AutoCom 1 OK   yes up 0:32
    "#);
}

/// Healthy until the date, whatever anybody does; new content ends it.
async fn expiry(rule: &str, epoch: &str, content: &str) -> String {
    let text = format!(
        "epoch: {epoch}\ncredentials: {{user: admin, password: secret-word}}\n\
         devices: [{{name: fw, model: PA-850, version: 10.1.14, content: {content}, features: [panorama-managed]}}]\n\
         faults: [{rule}]\n"
    );
    let spec = panos_simulator::FleetSpec::parse("fleet.yaml", &text).unwrap();
    let clock = panos_simulator::SimClock::new(spec.epoch, 1.0);
    let fleet = panos_simulator::Fleet::new(spec, clock).unwrap();
    let mut watch = Watch::on(&fleet, "fw").await.areas(&[Area::Panorama]);
    watch.minutes(4 * 60, 60).await;
    for command in [
        "<request><content><upgrade><download><latest/></download></upgrade></content></request>",
        "<request><content><upgrade><install><version>latest</version></install></upgrade></content></request>",
    ] {
        let job = crate::probe::job_id(&watch.probe.body(command).await);
        watch.probe.finish(job).await;
    }
    watch.note("new content");
    watch.minutes(5, 10).await;
    watch.table()
}

#[tokio::test(start_paused = true)]
async fn certificate_expiry() {
    let table = expiry("certificate-expiry", "2023-12-30T22:00:00Z", "8700-7000").await;
    insta::assert_snapshot!(table, @r#"
    0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 111d
    2:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 112d     without [Panorama]
    4:03 -- new content
    4:03 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 112d
    "#);
}

#[tokio::test(start_paused = true)]
async fn certificate_expiry_second() {
    let table = expiry("certificate-expiry-second", "2024-04-06T22:00:00Z", "8780-8000").await;
    insta::assert_snapshot!(table, @r#"
    0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 111d
    2:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 112d     without [Panorama]
    4:03 -- new content
    4:03 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 112d
    "#);
}

#[tokio::test(start_paused = true)]
async fn panorama_tls() {
    let rest = ", images: [10.2.0, 10.2.9], features: [panorama-managed]";
    let fleet = ill("panorama-tls", "PA-850", "10.1.14", rest);
    let mut watch = Watch::on(&fleet, "fw").await.areas(&[Area::Panorama]);
    watch.minutes(1, 30).await;
    watch.upgrade("10.2.9").await;
    watch.minutes(40, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 68d
    0:20 -- install 10.2.9: OK |  Software installation of version 10.2.9 successfully completed. Please reboot to switch to it.
    0:20 -- restart
    0:20 icmp 22  443  200 10.1.14    AutoCom 1 OK   yes up 68d
    0:21 icmp -   -    reset                                         without [Panorama]
    0:22 -    -   -    refused                                       without [Panorama]
    0:27 icmp 22  -    refused                                       without [Panorama]
    0:28 icmp 22  443  403                                           without [Panorama]
    0:29 icmp 22  443  503                                           without [Panorama]
    0:30 icmp 22  443  200 10.2.9     AutoCom 1 ACT  no  up 0:02     without [Panorama]
    0:36 icmp 22  443  200 10.2.9     AutoCom 1 OK   yes up 0:09     without [Panorama]
    "#);
}

#[tokio::test(start_paused = true)]
async fn panorama_older() {
    let rest = ", images: [11.1.5], features: [panorama-managed, panorama-older]";
    let fleet = ill("panorama-older", "PA-440", "11.1.4", rest);
    let mut watch = Watch::on(&fleet, "fw").await.areas(&[Area::Panorama]);
    watch.minutes(1, 30).await;
    watch.upgrade("11.1.5").await;
    watch.minutes(40, 10).await;
    insta::assert_snapshot!(watch.table(), @r#"
    0:00 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:20 -- install 11.1.5: OK |  Software installation of version 11.1.5 successfully completed. Please reboot to switch to it.
    0:20 -- restart
    0:20 icmp 22  443  200 11.1.4     AutoCom 1 OK   yes up 68d
    0:21 icmp -   -    reset                                         without [Panorama]
    0:22 -    -   -    refused                                       without [Panorama]
    0:25 icmp 22  -    refused                                       without [Panorama]
    0:25 icmp 22  443  403                                           without [Panorama]
    0:26 icmp 22  443  503                                           without [Panorama]
    0:26 icmp 22  443  200 11.1.5     AutoCom 1 ACT  no  up 0:01     without [Panorama]
    0:30 icmp 22  443  200 11.1.5     AutoCom 1 OK   yes up 0:05     without [Panorama]
    "#);
}

/// Asked every ten seconds: replies slow down, most turn into 503, the firewall leaves HA, a restart cures.
#[tokio::test(start_paused = true)]
async fn management_memory() {
    let fleet = ill_pair("management-memory", "PA-3220", "10.2.9", "");
    let probe = Probe::login(&fleet, "a").await;
    let start = fleet.clock().now();
    let mut rows = Vec::new();
    for round in 0..5 {
        let (mut slowest, mut refused) = (0, 0);
        for _ in 0..60 {
            let asked = fleet.clock().now();
            if let panos_simulator::Exchange::Reply(reply) = probe.ask("<show><clock/></show>").await {
                refused += u32::from(reply.status() == 503);
            }
            slowest = slowest.max(fleet.clock().now().duration_since(asked).as_secs());
            wait(10).await;
        }
        let passed = fleet.clock().now().duration_since(start).as_secs() / 60;
        let ha = fleet.state("a").unwrap().ha.unwrap();
        rows.push(format!(
            "{passed:>3} min, round {round}: slowest reply {slowest} s, {refused} of 60 are 503, {:?} {}",
            ha.state, ha.reason
        ));
    }
    insta::assert_snapshot!(rows.join("\n"), @r#"
    10 min, round 0: slowest reply 0 s, 0 of 60 are 503, Active 
    20 min, round 1: slowest reply 0 s, 0 of 60 are 503, Active 
    30 min, round 2: slowest reply 0 s, 0 of 60 are 503, Active 
    45 min, round 3: slowest reply 8 s, 24 of 60 are 503, NonFunctional Management plane out of memory
    63 min, round 4: slowest reply 8 s, 41 of 60 are 503, NonFunctional Management plane out of memory
    "#);
    fleet
        .control(ControlRequest::PowerCycle { device: "a".into() })
        .unwrap();
    wait(3600).await;
    assert!(
        probe.ha_state().await.starts_with("passive"),
        "a restart gives the memory back"
    );
}

/// Of many devices with one fault, some have it: which ones, the seed says.
#[tokio::test(start_paused = true)]
async fn chance_picks_the_same_devices_every_time() {
    let devices: String = (0..40)
        .map(|n| format!("  - {{name: fw{n}, model: PA-440, version: 11.1.4, content: 9040-9500}}\n"))
        .collect();
    let ill = || {
        let fault = "faults: [{rule: slow-ports, when: {chance_percent: 25}}]\n";
        let fleet = fleet(&format!("devices:\n{devices}{fault}"));
        let names = (0..40).map(|n| format!("fw{n}"));
        names
            .filter(|name| {
                fleet
                    .state(name)
                    .unwrap()
                    .faults
                    .contains(&"slow-ports".to_owned())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(ill(), ill());
    let some = ill().len();
    assert!((4..=18).contains(&some), "{some} of 40");
}
