//! Interfaces, routes, sessions, ARP: one small, steady network a device, enough for snapshots to compare.
//!
//! Values hang on the device's name only, so that nothing but a dataplane that is down changes them.

use bytes::Bytes;
use http::Response;

use super::Scene;
use crate::reply::{self, Markup};
use crate::request::Command;

/// Every number panos-upgrade-assurance compares by default. An empty element would break its snapshot.
const SESSION_COUNTERS: [&str; 47] = [
    "age-accel-thresh",
    "age-accel-tsf",
    "age-scan-ssf",
    "age-scan-thresh",
    "age-scan-tmo",
    "cps",
    "dis-def",
    "dis-sctp",
    "dis-tcp",
    "dis-udp",
    "icmp-unreachable-rate",
    "kbps",
    "max-pending-mcast",
    "num-active",
    "num-bcast",
    "num-gtpc",
    "num-gtpu-active",
    "num-gtpu-pending",
    "num-http2-5gc",
    "num-icmp",
    "num-installed",
    "num-max",
    "num-mcast",
    "num-pfcpc",
    "num-predict",
    "num-sctp-assoc",
    "num-sctp-sess",
    "num-tcp",
    "num-udp",
    "pps",
    "tcp-reject-siw-thresh",
    "tmo-cp",
    "tmo-def",
    "tmo-icmp",
    "tmo-sctp",
    "tmo-sctpcookie",
    "tmo-sctpinit",
    "tmo-sctpshutdown",
    "tmo-tcp",
    "tmo-tcp-delayed-ack",
    "tmo-tcp-unverif-rst",
    "tmo-tcphalfclosed",
    "tmo-tcphandshake",
    "tmo-tcpinit",
    "tmo-tcptimewait",
    "tmo-udp",
    "vardata-rate",
];

fn serving(scene: &Scene<'_>) -> bool {
    scene.device().dataplane_up()
}

pub(super) fn session_info(scene: &Scene<'_>) -> Response<Bytes> {
    let count = |counter: &str| {
        let value = scene
            .world
            .seed
            .between(&scene.device().name, counter, 0, 10, 4000);
        let flows = counter.starts_with("num-") || matches!(counter, "cps" | "kbps" | "pps");
        if flows && !serving(scene) { 0 } else { value }
    };
    let result = Markup::new().each(SESSION_COUNTERS, |markup, counter| {
        markup.leaf(counter, &count(counter).to_string())
    });
    reply::success(result)
}

pub(super) fn interfaces(scene: &Scene<'_>, command: &Command) -> Response<Bytes> {
    let ports = scene.device().class.ports;
    let optics = &scene.device().optics;
    let linked =
        |port: u16| serving(scene) && (port <= ports.copper || optics.iter().any(|optic| optic.port == port));
    match command.option("interface") {
        Some("hardware") => {
            let entries = Markup::new().each(1..=ports.copper + ports.cages, |markup, port| {
                let state = if linked(port) { "up" } else { "down" };
                markup.element("entry", |entry| {
                    entry.leaves(&[
                        ("name", &format!("ethernet1/{port}")),
                        ("duplex", "full"),
                        ("speed", "1000"),
                        ("state", state),
                        ("mode", "(autoneg)"),
                    ])
                })
            });
            reply::success(Markup::new().element("hw", |hw| hw.raw(&entries.into_string())))
        }
        Some(name) if name.starts_with("ethernet") => {
            reply::success(Markup::new().element("ifnet", |interface| {
                interface.leaves(&[("name", name), ("mtu", "1500")])
            }))
        }
        other => reply::error(
            17,
            &format!("show -> interface -> {} is unexpected", other.unwrap_or_default()),
        ),
    }
}

/// A default route and a connected one; none while the dataplane is down.
pub(super) fn routes(scene: &Scene<'_>) -> Response<Bytes> {
    let rows = [
        ("0.0.0.0/0", "192.0.2.1", "A S", "ethernet1/1"),
        ("198.51.100.0/24", "198.51.100.1", "A C", "ethernet1/2"),
    ];
    let rows = rows.iter().filter(|_| serving(scene));
    reply::success(
        Markup::new().each(rows, |markup, (destination, nexthop, flags, interface)| {
            markup.element("entry", |entry| {
                entry.leaves(&[
                    ("virtual-router", "default"),
                    ("destination", destination),
                    ("nexthop", nexthop),
                    ("metric", "10"),
                    ("flags", flags),
                    ("age", ""),
                    ("interface", interface),
                    ("route-table", "unicast"),
                ])
            })
        }),
    )
}

/// Two tables, IPv4 and IPv6: readers of a single one have been seen to break.
pub(super) fn fib(scene: &Scene<'_>) -> Response<Bytes> {
    let row = |entry: Markup| {
        entry.leaves(&[
            ("id", "1"),
            ("dst", "0.0.0.0/0"),
            ("interface", "ethernet1/1"),
            ("nh_type", "0"),
            ("flags", "ug"),
            ("nexthop", "192.0.2.1"),
            ("mtu", "1500"),
        ])
    };
    let first = |entries: Markup| {
        if serving(scene) {
            entries.element("entry", row)
        } else {
            entries
        }
    };
    reply::success(Markup::new().leaf("dp", "dp0").element("fibs", |fibs| {
        fibs.element("entry", |table| {
            table
                .leaves(&[("id", "1"), ("vr", "default"), ("type", "IPv4")])
                .element("entries", first)
        })
        .element("entry", |table| {
            table
                .leaves(&[("id", "2"), ("vr", "default"), ("type", "IPv6")])
                .element("entries", |entries| entries)
        })
    }))
}

pub(super) fn arp(scene: &Scene<'_>) -> Response<Bytes> {
    let row = |entry: Markup| {
        entry.leaves(&[
            ("status", " c "),
            ("ip", "192.0.2.1"),
            ("mac", "b4:0c:25:ea:00:40"),
            ("ttl", "1500"),
            ("interface", "ethernet1/1"),
            ("port", "ethernet1/1"),
        ])
    };
    reply::success(Markup::new().leaf("dp", "dp0").element("entries", |entries| {
        if serving(scene) {
            entries.element("entry", row)
        } else {
            entries
        }
    }))
}
