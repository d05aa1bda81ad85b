//! Ports, interfaces, optics and aggregates, as the API shows them.

use bytes::Bytes;
use http::Response;

use super::{Ask, Scene};
use crate::operation::{Operation, unexpected_from};
use crate::reply::{self, Markup};
use crate::spec::OpticSpec;
use crate::state::Sight;
use crate::state::interfaces::{Interface, Kind};

pub(super) fn answer(scene: &Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::Interfaces => interfaces(scene, ask.name("interface").trim()),
        Operation::InterfaceCounters => counters(scene, ask.name("interface").trim()),
        Operation::Transceiver => transceivers(scene, ask, "transceiver"),
        Operation::TransceiverDetail => transceivers(scene, ask, "transceiver-detail"),
        Operation::Lacp => lacp(scene),
        _ => return None,
    };
    Some(reply)
}

fn shown(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

fn interfaces(scene: &Scene<'_>, asked: &str) -> Response<Bytes> {
    let sight = scene.sight();
    match asked {
        "hardware" => reply::success(hardware(&sight)),
        "logical" => reply::success(logical(&sight)),
        "all" => reply::success(hardware(&sight).raw(&logical(&sight).into_string())),
        "management" => reply::success(management(&sight)),
        name => {
            let found = sight.interfaces().into_iter().zip(0..);
            match found.into_iter().find(|(interface, _)| interface.name == name) {
                Some((interface, index)) => reply::success(details(&sight, &interface, index)),
                // As panos-upgrade-assurance's fixtures have it.
                None => reply::success(
                    Markup::new()
                        .leaf("dp", "dp0")
                        .leaf("error", &format!("Interface '{name}' not found")),
                ),
            }
        }
    }
}

fn hardware(sight: &Sight<'_>) -> Markup {
    let ports = sight
        .interfaces()
        .into_iter()
        .filter(|one| matches!(one.kind, Kind::Ethernet | Kind::Member | Kind::Aggregate));
    let entries = Markup::new().each(ports.zip(16..), |markup, (one, id)| {
        let up = sight.is_up(&one);
        let speed = if up {
            sight.speed(one.port).to_string()
        } else {
            "ukn".to_owned()
        };
        let status = if up {
            format!("{speed}/full/up")
        } else {
            "ukn/ukn/down".to_owned()
        };
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("name", &one.name),
                ("duplex", if up { "full" } else { "ukn" }),
                ("type", "0"),
                ("state", shown(up)),
                ("st", &status),
                ("mac", &sight.hardware_address(0x10 + one.port)),
                ("mode", "(autoneg)"),
                ("speed", &speed),
                ("id", &id.to_string()),
            ])
        })
    });
    Markup::new().element("hw", |hw| hw.raw(&entries.into_string()))
}

fn address(one: &Interface) -> String {
    one.address.map_or_else(
        || "N/A".to_owned(),
        |(address, prefix)| format!("{address}/{prefix}"),
    )
}

fn logical(sight: &Sight<'_>) -> Markup {
    let used = sight
        .interfaces()
        .into_iter()
        .filter(|one| one.address.is_some() || one.kind == Kind::Tunnel);
    let entries = Markup::new().each(used.zip(256..), |markup, (one, id)| {
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("name", &one.name),
                ("zone", one.zone),
                ("fwd", &format!("vr:{}", one.router)),
                ("vsys", "1"),
                ("dyn-addr", ""),
                ("addr6", ""),
                ("tag", &one.tag.to_string()),
                ("ip", &address(&one)),
                ("id", &id.to_string()),
                ("addr", ""),
            ])
        })
    });
    Markup::new().element("ifnet", |ifnet| ifnet.raw(&entries.into_string()))
}

fn management(sight: &Sight<'_>) -> Markup {
    let device = sight.device;
    Markup::new().element("info", |info| {
        info.leaves(&[
            ("name", "Management Interface"),
            ("ip", &device.address.to_string()),
            ("netmask", "255.255.255.0"),
            ("gw", "10.0.0.1"),
            ("speed", "1000"),
            ("duplex", "full"),
            ("state", "up"),
            ("hwaddr", &sight.hardware_address(0)),
        ])
    })
}

/// The counters of an interface as an entry of the two lists that show them.
fn counted(entry: Markup, sight: &Sight<'_>, one: &Interface, index: u64) -> Markup {
    let traffic = sight.traffic(one, index);
    // Packets of 700 bytes, a common mean.
    let packets = |bytes: u64| (bytes / 700).to_string();
    entry.leaves(&[
        ("name", &one.name),
        ("ibytes", &traffic.received.to_string()),
        ("obytes", &traffic.sent.to_string()),
        ("ipackets", &packets(traffic.received)),
        ("opackets", &packets(traffic.sent)),
        ("ierrors", &traffic.errors.to_string()),
        ("idrops", &traffic.drops.to_string()),
    ])
}

fn details(sight: &Sight<'_>, one: &Interface, index: u64) -> Markup {
    let counters = counted(Markup::new(), sight, one, index).into_string();
    let mode = if one.address.is_some() { "layer3" } else { "ukn" };
    Markup::new()
        .element("ifnet", |ifnet| {
            ifnet
                .element("counters", |inside| {
                    inside.raw("<hw/>").element("ifnet", |inside| {
                        inside.element("entry", |entry| entry.raw(&counters))
                    })
                })
                .leaves(&[
                    ("name", &one.name),
                    ("mode", mode),
                    ("state", shown(sight.is_up(one))),
                    ("zone", if one.zone.is_empty() { "N/A" } else { one.zone }),
                    ("vr", &one.router),
                    ("vsys", "vsys1"),
                    ("tag", &one.tag.to_string()),
                    ("mtu", &one.mtu.to_string()),
                    ("ip", &address(one)),
                    ("id", &(index + 256).to_string()),
                ])
        })
        .leaf("dp", "dp0")
}

fn counters(scene: &Scene<'_>, asked: &str) -> Response<Bytes> {
    let sight = scene.sight();
    let all: Vec<(Interface, u64)> = sight.interfaces().into_iter().zip(0..).collect();
    let wanted = |one: &Interface| asked == "all" || one.name == asked;
    let list = |ports: bool| {
        let rows = all.iter().filter(|(one, _)| {
            let is_port = matches!(one.kind, Kind::Ethernet | Kind::Member | Kind::Aggregate);
            wanted(one)
                && if ports {
                    is_port
                } else {
                    one.address.is_some() || one.kind == Kind::Tunnel
                }
        });
        Markup::new()
            .each(rows, |markup, (one, index)| {
                markup.element("entry", |entry| counted(entry, &sight, one, *index))
            })
            .into_string()
    };
    reply::success(
        Markup::new()
            .leaf("dp", "dp0")
            .element("hw", |hw| hw.raw(&list(true)))
            .element("ifnet", |ifnet| {
                ifnet.element("ifnet", |inside| inside.raw(&list(false)))
            }),
    )
}

/// Models that read their optics' sensors (vendor's page on transceivers).
const READING: [&str; 8] = [
    "pa-800", "pa-1400", "pa-3200", "pa-3400", "pa-5200", "pa-5400", "pa-7000", "pa-400",
];

/// Only these of the small series do.
const READING_400: [&str; 2] = ["PA-415", "PA-445"];

/// Came with 10.0; what an optic does not tell is `n/a`.
fn transceivers(scene: &Scene<'_>, ask: &Ask<'_>, command: &str) -> Response<Bytes> {
    let sight = scene.sight();
    let device = sight.device;
    let class = device.class.name.as_str();
    let reads =
        READING.contains(&class) && (class != "pa-400" || READING_400.contains(&device.model.as_str()));
    if !reads || !sight.is_since("10.0") {
        return reply::error(17, &unexpected_from(ask.command, 1));
    }
    let asked = ask.name(command).trim();
    let ports = device.class.ports;
    let cages = (ports.copper + 1..=ports.copper + ports.cages).map(|port| (1, port));
    let elsewhere = device
        .optics
        .iter()
        .filter(|optic| optic.slot != 1)
        .map(|optic| (optic.slot, optic.port));
    let wanted = cages
        .chain(elsewhere)
        .filter(|(slot, port)| asked == "all" || *asked == format!("ethernet{slot}/{port}"));
    let detail = command == "transceiver-detail";
    reply::success(Markup::new().each(wanted, |markup, (slot, port)| {
        let optic = device
            .optics
            .iter()
            .find(|optic| (optic.slot, optic.port) == (slot, port));
        markup.entry(&format!("ethernet{slot}/{port}"), |entry| {
            transceiver(entry, &sight, optic, detail)
        })
    }))
}

fn transceiver(entry: Markup, sight: &Sight<'_>, optic: Option<&OpticSpec>, detail: bool) -> Markup {
    let Some(optic) = optic else {
        return entry.leaf("present", "no");
    };
    let port = u64::from(optic.port);
    // Copper has nothing to measure.
    let fiber = !optic.media.contains("CAT") && !optic.part.contains("BASE-T");
    let tenths = |purpose: &str, low: u64, high: u64, unit: &str| {
        if fiber {
            let drawn = sight.own(purpose, port, low, high);
            format!("{}.{} {unit}", drawn / 10, drawn % 10)
        } else {
            "n/a".to_owned()
        }
    };
    let dim = optic.slot == 1 && sight.is_on(|setup| setup.dim_optics.contains(&optic.port));
    let received = if dim && fiber {
        "0.00 mW".to_owned()
    } else {
        tenths("optic receives", 2, 8, "mW")
    };
    let entry = entry.leaves(&[
        ("present", "yes"),
        ("temperature", &tenths("optic temperature", 280, 460, "C")),
        ("voltage", &tenths("optic voltage", 32, 33, "V")),
        ("current", &tenths("optic current", 60, 80, "mA")),
        ("tx-power", &tenths("optic sends", 4, 9, "mW")),
        ("rx-power", &received),
    ]);
    if !detail {
        return entry;
    }
    entry.leaves(&[
        ("vendor-name", &optic.vendor),
        ("vendor-part-number", &optic.part),
        ("vendor-serial-number", optic.serial.as_deref().unwrap_or("n/a")),
        ("media", &optic.media),
    ])
}

/// Ports as collectors read them: entries below the entry of their group.
fn lacp(scene: &Scene<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    if !sight.has_aggregate() {
        return reply::success(Markup::new());
    }
    let members = sight.members_up();
    let heard = members.iter().any(|(_, up)| *up);
    let partner = if heard {
        "00:1b:17:ae:01:02"
    } else {
        "00:00:00:00:00:00"
    };
    let group = Markup::new().leaves(&[
        ("lacp", "Enabled"),
        ("mode", "Active"),
        ("rate", "Slow"),
        ("max-port", "8"),
        ("fast-failover", "Disabled"),
        ("pre-negotiation", "Disabled"),
    ]);
    let group = group.element("local", |side| {
        side.leaf("system-mac", &sight.hardware_address(0x30))
    });
    let group = group.element("partner", |side| side.leaf("system-mac", partner));
    let group = group.each(&members, |group, (port, up)| {
        let states: &[(&str, &str)] = if *up {
            &[
                ("bndl", "yes"),
                ("rx-state", "Current"),
                ("mux-state", "Tx_Rx"),
                ("sel-state", "Selected"),
            ]
        } else {
            &[
                ("bndl", "no"),
                ("rx-state", "Port disabled"),
                ("mux-state", "Detached"),
                ("sel-state", "Unselected(Link down)"),
            ]
        };
        group.entry(&format!("ethernet1/{port}"), |entry| entry.leaves(states))
    });
    reply::success(Markup::new().entry("ae1", |entry| entry.raw(&group.into_string())))
}
