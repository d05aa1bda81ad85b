//! What only a Panorama says, and what a firewall says of its Panoramas.

use bytes::Bytes;
use http::Response;

use super::system::uptime;
use super::{Ask, Scene};
use crate::device::{Device, Phase};
use crate::jobs::after;
use crate::management::{Elsewhere, Link, ManagedFirewall, Manager};
use crate::operation::Operation;
use crate::pair::{HaState, Pair};
use crate::release::Version;
use crate::reply::{self, Markup};
use crate::wording;

/// Asked before the others: a Panorama says some things in its own way.
pub(super) fn answer(scene: &Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    if !scene.device().class.panorama {
        return match ask.operation {
            Operation::PanoramaStatus => status(scene),
            _ => None,
        };
    }
    let reply = match ask.operation {
        Operation::SystemInfo => info(scene),
        Operation::HaState => ha_state(scene),
        Operation::ConnectedDevices => connected_devices(scene),
        Operation::AllDevices => all_devices(scene),
        Operation::DeviceGroups => device_groups(scene, ask),
        Operation::DeviceGroupTree => device_group_tree(scene),
        Operation::ConfigGet | Operation::ConfigShow if ask.parameter("xpath").ends_with("/device-group") => {
            device_group_config(scene)
        }
        _ => return None,
    };
    Some(reply)
}

fn info(scene: &Scene<'_>) -> Response<Bytes> {
    let (device, now) = (scene.device(), scene.now());
    let shown = after(now, device.clock_offset(scene.world, now));
    let content = device.content.to_string();
    reply::success(Markup::new().element("system", |system| {
        system.leaves(&[
            ("hostname", &device.name),
            ("ip-address", &device.address.to_string()),
            ("netmask", "255.255.255.0"),
            ("default-gateway", "10.0.0.1"),
            ("ipv6-address", "unknown"),
            ("mac-address", "b4:0c:25:ea:00:02"),
            ("time", &shown.strftime("%a %b %e %H:%M:%S %Y").to_string()),
            ("uptime", &shown_uptime(device.uptime(now), device.version())),
            ("devicename", &device.name),
            ("family", &device.class.family),
            ("model", &device.model),
            ("serial", &device.serial),
            ("sw-version", &device.version().to_string()),
            ("app-version", &content),
            ("av-version", "0"),
            ("wildfire-version", "0"),
            ("logdb-version", &format!("{}.0", device.version().train())),
            ("platform-family", &device.class.family),
            ("system-mode", "panorama"),
            ("licensed-device-capacity", "1000"),
            ("operational-mode", "normal"),
            ("device-certificate-status", "None"),
        ])
    }))
}

/// As a device of this release writes it.
fn shown_uptime(span: jiff::SignedDuration, version: Version) -> String {
    uptime(span, version.feature() >= (12, 1))
}

fn firewalls<'s>(scene: &'s Scene<'_>) -> &'s [ManagedFirewall] {
    match scene.elsewhere {
        Elsewhere::Firewalls(firewalls) => firewalls,
        Elsewhere::Nothing | Elsewhere::Panoramas(_) => &[],
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn connected_devices(scene: &Scene<'_>) -> Response<Bytes> {
    devices(
        firewalls(scene)
            .iter()
            .filter(|firewall| firewall.link == Link::Connected),
    )
}

fn all_devices(scene: &Scene<'_>) -> Response<Bytes> {
    devices(firewalls(scene).iter())
}

fn devices<'m>(firewalls: impl Iterator<Item = &'m ManagedFirewall>) -> Response<Bytes> {
    reply::success(Markup::new().element("devices", |devices| {
        devices.each(firewalls, |markup, firewall| {
            entry(markup, &firewall.serial, |entry| managed(entry, firewall))
        })
    }))
}

/// An element with a name in its attribute.
fn entry(markup: Markup, name: &str, content: impl FnOnce(Markup) -> Markup) -> Markup {
    let name = quick_xml::escape::escape(name);
    content(markup.raw(&format!("<entry name=\"{name}\">"))).raw("</entry>")
}

fn managed(markup: Markup, firewall: &ManagedFirewall) -> Markup {
    let connected = firewall.link == Link::Connected;
    let content = firewall.content.to_string();
    // Whoever is not connected has no uptime.
    let up = if connected {
        shown_uptime(firewall.uptime, firewall.version)
    } else {
        String::new()
    };
    let markup = markup.leaves(&[
        ("serial", &firewall.serial),
        ("connected", yes(connected)),
        ("unsupported-version", yes(firewall.link == Link::Unsupported)),
        ("deactivated", "no"),
        ("hostname", &firewall.name),
        ("ip-address", &firewall.address.to_string()),
        ("ipv6-address", "unknown"),
        ("mac-addr", ""),
        ("uptime", &up),
        ("family", &firewall.family),
        ("model", &firewall.model),
        ("sw-version", &firewall.version.to_string()),
        ("app-version", &content),
        ("av-version", "0"),
        ("wildfire-version", "0"),
        ("threat-version", &content),
        ("url-db", "paloaltonetworks"),
        ("url-filtering-version", "0000.00.00.000"),
        ("logdb-version", &format!("{}.0", firewall.version.train())),
        ("global-protect-client-package-version", "0.0.0"),
        ("vpn-disable-mode", "no"),
        ("operational-mode", "normal"),
        ("multi-vsys", "no"),
    ]);
    let markup = match &firewall.ha {
        Some((state, peer)) => markup.element("ha", |ha| {
            ha.leaf("state", state.shown())
                .element("peer", |found| found.leaf("serial", peer))
        }),
        None => markup,
    };
    vsys(markup)
}

/// A firewall with one virtual system, and no policy pushed that it lacks.
fn vsys(markup: Markup) -> Markup {
    markup.element("vsys", |vsys| {
        entry(vsys, "vsys1", |one| {
            one.leaf("display-name", "vsys1")
                .leaf("shared-policy-status", "In Sync")
        })
    })
}

/// The device groups, by name.
fn groups(firewalls: &[ManagedFirewall]) -> Vec<(&str, Vec<&ManagedFirewall>)> {
    let mut groups: std::collections::BTreeMap<&str, Vec<&ManagedFirewall>> = Default::default();
    for firewall in firewalls {
        if let Some(group) = &firewall.group {
            groups.entry(group).or_default().push(firewall);
        }
    }
    groups.into_iter().collect()
}

fn device_groups(scene: &Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let asked = ask.option("name");
    let groups = groups(firewalls(scene));
    let groups = groups
        .into_iter()
        .filter(|(name, _)| asked.is_none_or(|asked| asked == *name));
    reply::success(Markup::new().element("devicegroups", |markup| {
        markup.each(groups, |markup, (name, members)| {
            entry(markup, name, |group| {
                group.element("devices", |devices| {
                    devices.each(members, |markup, firewall| {
                        entry(markup, &firewall.serial, |entry| managed(entry, firewall))
                    })
                })
            })
        })
    }))
}

fn device_group_tree(scene: &Scene<'_>) -> Response<Bytes> {
    let groups = groups(firewalls(scene));
    reply::success(Markup::new().element("dg-hierarchy", |tree| {
        tree.each(groups, |tree, (name, _)| {
            let name = quick_xml::escape::escape(name);
            tree.raw(&format!("<dg name=\"{name}\"/>"))
        })
    }))
}

/// The `device-group` element of the configuration.
fn device_group_config(scene: &Scene<'_>) -> Response<Bytes> {
    let groups = groups(firewalls(scene));
    let config = Markup::new()
        .element("device-group", |config| {
            config.each(groups, |markup, (name, members)| {
                entry(markup, name, |group| {
                    group.element("devices", |devices| {
                        devices.each(members, |markup, firewall| {
                            entry(markup, &firewall.serial, |entry| entry)
                        })
                    })
                })
            })
        })
        .into_string();
    reply::found(19, " total-count=\"1\" count=\"1\"", &config)
}

/// Without the `group` of a firewall, and with the role in the state: `primary-active`.
fn ha_state(scene: &Scene<'_>) -> Response<Bytes> {
    let (Some(pair), [_, _]) = (&scene.site.pair, scene.site.devices.as_slice()) else {
        return reply::success(Markup::new().leaf("enabled", "no"));
    };
    let (local, peer) = (scene.index, 1 - scene.index);
    let devices = &scene.site.devices;
    let reachable = |index: usize| {
        matches!(
            devices[index].phase,
            Phase::Up | Phase::Restarting | Phase::Settling | Phase::Returning
        )
    };
    let contact = reachable(local) && reachable(peer);
    let alike = devices[local].version().feature() == devices[peer].version().feature();
    let synchronized = contact && alike;
    reply::success(
        Markup::new()
            .leaf("enabled", "yes")
            .element("local-info", |info| member(info, pair, devices, local))
            .element("peer-info", |info| {
                let info = if contact {
                    member(info, pair, devices, peer)
                } else {
                    identity(info.leaf("state", "unknown"), pair, &devices[peer], peer)
                };
                info.leaf("conn-status", if contact { "up" } else { "down" })
            })
            .leaf(
                "running-sync",
                if synchronized {
                    "synchronized"
                } else {
                    "not synchronized"
                },
            ),
    )
}

fn role(pair: &Pair, index: usize) -> &'static str {
    if pair.priority(index) < pair.priority(1 - index) {
        "primary"
    } else {
        "secondary"
    }
}

/// Two Panoramas of different feature releases: the one that is not active is no more than ready to be upgraded
/// too (ansible-playbooks, HA upgrade of Panorama).
fn member(info: Markup, pair: &Pair, devices: &[Device], index: usize) -> Markup {
    let state = &pair.members[index];
    let apart = devices[index].version().feature() != devices[1 - index].version().feature();
    let (shown, reason) = match state.state {
        HaState::Passive | HaState::Suspended if apart && state.reason != wording::USER_REQUESTED => {
            (HaState::NonFunctional, wording::PEER_NOT_COMPATIBLE)
        }
        as_is => (as_is, state.reason.as_str()),
    };
    let info = info.leaf("state", &format!("{}-{}", role(pair, index), shown.shown()));
    identity(info.leaf("state-reason", reason), pair, &devices[index], index)
}

fn identity(info: Markup, pair: &Pair, device: &Device, index: usize) -> Markup {
    info.leaf("version", "1")
        .leaf("mode", "Active-Passive")
        .leaf("priority", role(pair, index))
        .leaf("preemptive", yes(pair.setup.preemptive))
        .leaf("build-rel", &device.version().to_string())
        .leaf("app-version", &device.content.to_string())
        .leaf("app-compat", "Match")
        .leaf("platform-model", &device.model)
        .leaf("mgmt-ip", &format!("{}/24", device.address))
        .leaf("mgmt-ipv6", "")
}

/// `show panorama-status` of a firewall that a Panorama of this fleet manages.
fn status(scene: &Scene<'_>) -> Option<Response<Bytes>> {
    let managers = match scene.elsewhere {
        Elsewhere::Panoramas(managers) => managers.as_slice(),
        Elsewhere::Nothing | Elsewhere::Firewalls(_) => &[],
    };
    if managers.is_empty() {
        return None;
    }
    let between = if is_dense(scene.device().version()) {
        ""
    } else {
        "\n"
    };
    let blocks: Vec<String> = (1..)
        .zip(managers)
        .map(|(number, manager)| server(number, manager))
        .collect();
    Some(reply::success(Markup::new().cdata(&blocks.join(between))))
}

fn server(number: usize, manager: &Manager) -> String {
    let connected = manager.link == Link::Connected;
    let ha = match manager.ha {
        Some(HaState::Active) if connected => "Active",
        Some(HaState::Passive) if connected => "Passive",
        Some(HaState::Suspended) if connected => "Suspended",
        _ => "disconnected",
    };
    format!(
        "Panorama Server {number} : {}\n    Connected     : {}\n    HA state      : {ha}\n",
        manager.address,
        yes(connected)
    )
}

/// Older releases leave an empty line between two servers (panos-upgrade-assurance pull request 159,
/// pan-os-upgrade issue 142).
pub(super) fn is_dense(version: Version) -> bool {
    version.feature() >= (11, 0) || (version.feature() == (10, 2) && version.maintenance() >= 12)
}
