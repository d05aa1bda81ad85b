//! Licences, administrators, plugins, and what the device has from others: time, lists, users, Panorama.

use bytes::Bytes;
use http::Response;
use jiff::{SignedDuration, Timestamp};

use super::panorama::is_dense;
use super::{Ask, Scene, administrators};
use crate::area::Area;
use crate::jobs::{JobKind, Plan, after};
use crate::operation::{Operation, unexpected_from};
use crate::reply::{self, Markup};
use crate::state::licences::written;
use crate::wording;

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::License | Operation::LicenseFetch => licences(scene),
        Operation::Support => support(scene),
        Operation::Ntp => ntp(scene),
        Operation::Admins => admins(scene),
        Operation::Plugins => plugins(scene),
        Operation::PanoramaStatus => panorama_status(scene),
        Operation::GlobalProtectUsers => remote_users(scene),
        Operation::ListShow => show_list(scene, ask),
        Operation::ListCapacities => list_capacities(scene),
        Operation::ListRefresh => refresh_list(scene, ask),
        Operation::RedistributionClients | Operation::RedistributionAgents => redistribution(scene, ask),
        Operation::UserIdService => user_id_service(scene),
        Operation::UserIdAgents => user_id_agents(scene),
        Operation::LoggingStatus => logging_status(scene),
        _ => return None,
    };
    Some(reply)
}

fn licences(scene: &Scene<'_>) -> Response<Bytes> {
    let serial = &scene.device().serial;
    let entries = Markup::new().each(scene.sight().licences(), |markup, licence| {
        let expires = licence.expires.map_or_else(|| "Never".to_owned(), written);
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("feature", &licence.feature),
                ("description", &licence.description),
                ("serial", serial),
                ("issued", "January 01, 2020"),
                ("expires", &expires),
                ("expired", if licence.expired { "yes" } else { "no" }),
                ("authcode", ""),
            ])
        })
    });
    reply::success(Markup::new().element("licenses", |licenses| licenses.raw(&entries.into_string())))
}

fn support(scene: &Scene<'_>) -> Response<Bytes> {
    let ends = written(scene.sight().support_ends());
    reply::success(Markup::new().element("SupportInfoResponse", |info| {
        info.raw("<Links/>").element("Support", |support| {
            support.leaves(&[
                ("Contact", ""),
                ("ExpiryDate", &ends),
                ("SupportLevel", "Premium"),
                (
                    "SupportDescription",
                    "24 x 7 phone support; advanced replacement hardware service",
                ),
            ])
        })
    }))
}

/// The time is synchronised again only some minutes after a boot, with the other services that depend on others.
fn ntp(scene: &Scene<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    let back = sight.has_back(Area::Ntp);
    let servers = sight.ntp_servers();
    let (reachable, other) = if back {
        ("yes", "available")
    } else {
        ("no", "rejected")
    };
    let result = Markup::new().each(servers.iter().enumerate(), |markup, (index, name)| {
        let status = if back && index == 0 { "synched" } else { other };
        markup.element(&format!("ntp-server-{}", index + 1), |server| {
            server.leaves(&[
                ("authentication-type", "none"),
                ("name", name),
                ("reachable", reachable),
                ("status", status),
            ])
        })
    });
    let synchronised = servers.first().filter(|_| back).map_or("LOCAL", String::as_str);
    reply::success(result.leaf("synched", synchronised))
}

fn admins(scene: &Scene<'_>) -> Response<Bytes> {
    let begun = scene.now().strftime("%m/%d %H:%M:%S").to_string();
    let known = administrators(scene.world, scene.device());
    let entries = Markup::new().each(known, |markup, (user, _, role)| {
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("admin", user),
                ("type", "Web"),
                ("role", role.shown()),
                ("from", "127.0.0.1"),
                ("session-start", &begun),
                ("idle-for", "00:00:00s"),
            ])
        })
    });
    reply::success(Markup::new().element("admins", |admins| admins.raw(&entries.into_string())))
}

fn plugins(scene: &Scene<'_>) -> Response<Bytes> {
    let entries = Markup::new().each(scene.sight().plugins(), |markup, plugin| {
        let file = format!("{}-{}", plugin.name, plugin.version);
        let installed = if plugin.installed { "yes" } else { "no" };
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("name", &plugin.name),
                ("version", &plugin.version),
                ("pkg-file", &file),
                ("platform", "any"),
                ("installed", installed),
                ("downloaded", "yes"),
            ])
        })
    });
    reply::success(Markup::new().element("plugins", |plugins| plugins.raw(&entries.into_string())))
}

/// Of a firewall whose Panoramas are none of this fleet: the addresses of its configuration, connected once they are back.
fn panorama_status(scene: &Scene<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    let connected = if sight.has_back(Area::Panorama) {
        "yes"
    } else {
        "no"
    };
    let blocks: Vec<String> = sight
        .panorama_servers()
        .iter()
        .zip(1..)
        .map(|(address, number)| {
            format!(
                "Panorama Server {number} : {address}\n    Connected     : {connected}\n    HA state      : {}\n",
                if number == 1 { "Active" } else { "Passive" }
            )
        })
        .collect();
    let dense = is_dense(scene.device().version());
    let text = blocks.join(if dense { "" } else { "\n" });
    reply::success(Markup::new().text(&text))
}

fn remote_users(scene: &Scene<'_>) -> Response<Bytes> {
    const LIFETIME: i64 = 2_592_000;
    let now = scene.now();
    reply::success(Markup::new().each(scene.sight().remote_users(), |markup, user| {
        let login = after(now, SignedDuration::from_secs(-user.since));
        let ends = login.as_second() + LIFETIME;
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("domain", ""),
                ("islocal", "yes"),
                ("username", &user.name),
                ("computer", &user.computer),
                ("client", "Microsoft Windows 10 Pro , 64-bit"),
                ("vpn-type", "Device Level VPN"),
                ("virtual-ip", &user.inside.to_string()),
                ("public-ip", &user.outside.to_string()),
                ("tunnel-type", "IPSec"),
                ("login-time", &login.strftime("%b.%d %H:%M:%S").to_string()),
                ("login-time-utc", &login.as_second().to_string()),
                ("lifetime", &(ends - now.as_second()).to_string()),
            ])
        })
    }))
}

/// Most records that one reply shows.
const MOST_SHOWN: u32 = 1000;

fn show_list(scene: &Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let name = ask.option("name").unwrap_or_default().trim();
    let asked = ask
        .option("num-records")
        .and_then(|count| count.trim().parse::<u32>().ok());
    let Some(list) = scene
        .sight()
        .external_lists()
        .into_iter()
        .find(|list| list.name == name)
    else {
        return reply::error(7, &wording::no_such_list(name));
    };
    let kind = ask.command.words.last().map_or("ip", String::as_str);
    let records = if list.fetched { list.records } else { 0 };
    let shown = records.min(asked.unwrap_or(10)).min(MOST_SHOWN);
    let members = Markup::new().each(0..shown, |markup, number| {
        let [_, _, high, low] = number.to_be_bytes();
        markup.leaf("member", &format!("192.0.{high}.{low}/32"))
    });
    let fetched = if list.fetched { "Yes" } else { "No" };
    reply::success(Markup::new().element("external-list", |inside| {
        inside
            .leaves(&[
                ("vsys", "vsys1"),
                ("name", name),
                ("type", kind),
                ("source", &format!("https://lists.example.net/{name}.txt")),
                ("valid", fetched),
                ("total-valid", &records.to_string()),
                ("total-ignored", "0"),
                ("total-invalid", "0"),
            ])
            .element("valid-members", |inside| inside.raw(&members.into_string()))
    }))
}

fn list_capacities(scene: &Scene<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    let used: u64 = sight
        .external_lists()
        .iter()
        .filter(|list| list.fetched)
        .map(|list| u64::from(list.records))
        .sum();
    let most = sight.scale().pick(50_000_u32, 50_000, 150_000);
    let row = |markup: Markup, kind: &str, used: u64| {
        markup.element(kind, |inside| {
            inside.leaves(&[("running-cap", &used.to_string()), ("max-cap", &most.to_string())])
        })
    };
    let rows = [("ip", used), ("domain", 0), ("url", 0)];
    reply::success(Markup::new().each(rows, |markup, (kind, used)| row(markup, kind, used)))
}

fn refresh_list(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let (world, now) = (scene.world, scene.now());
    let name = ask.option("name").unwrap_or_default().trim();
    if !scene
        .sight()
        .external_lists()
        .iter()
        .any(|list| list.name == name)
    {
        return reply::error(7, &wording::no_such_list(name));
    }
    let device = scene.device_mut();
    let length = device.spread(world, "list refresh", SignedDuration::from_secs(12));
    let id = device
        .jobs
        .enqueue(now, JobKind::ListRefresh, Plan::Succeed, Some(length), None);
    reply::enqueued(&wording::list_refresh_enqueued(id), id)
}

/// Came with 10.0. Before that the command is not known, which is code 17.
fn redistribution(scene: &Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    if !sight.is_since("10.0") {
        return reply::error(17, &unexpected_from(ask.command, 1));
    }
    if !sight.is_on(|setup| setup.redistribution) {
        return reply::success(Markup::new().raw("<entry/>"));
    }
    let last_heard: Timestamp = sight.now;
    let heard = last_heard.strftime("%Y/%m/%d %H:%M:%S").to_string();
    let entry = |entry: Markup| {
        entry.leaves(&[
            ("host", "10.0.0.50"),
            ("port", "5007"),
            ("vsys", "vsys1"),
            ("status", "connected"),
            ("version", "6"),
            ("num_recv_msgs", "1200"),
            ("last-heard", &heard),
        ])
    };
    reply::success(Markup::new().element("entry", entry))
}

fn user_id_service(scene: &Scene<'_>) -> Response<Bytes> {
    let up = scene.sight().is_on(|setup| setup.redistribution);
    let state = if up { "up" } else { "down" };
    let clients = u8::from(up);
    reply::success(Markup::new().text(&format!(
        "\n        User id service:   {state}\n        listening port:    5007\n        number of clients: {clients}\n"
    )))
}

/// Who asks for User-ID data has one agent that it asks itself, once its dataplane is up.
fn user_id_agents(scene: &Scene<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    if !sight.is_on(|setup| setup.redistribution) {
        return reply::success(Markup::new());
    }
    let connected = if sight.device.dataplane_up() { "yes" } else { "no" };
    reply::success(Markup::new().entry("dc1", |entry| {
        entry.leaves(&[
            ("host", "10.0.0.51"),
            ("port", "5007"),
            ("vsys", "vsys1"),
            ("connected", connected),
            ("version", "5"),
            ("usage", "I"),
        ])
    }))
}

/// Logs go where Panorama is, once the connection to it is back. The sentence is the vendor's, the listing around it is not
/// documented.
fn logging_status(scene: &Scene<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    let mut text =
        "> CMS 0\n        Not Sending to CMS 0\n> CMS 1\n        Not Sending to CMS 1\n\n>Log Collector\n"
            .to_owned();
    match sight.panorama_servers().first() {
        Some(server) if sight.has_back(Area::Panorama) => {
            text.push_str(&format!(
                "'Log Collection log forwarding agent' is active and connected to {server}\n"
            ));
        }
        Some(_) => text.push_str("'Log Collection log forwarding agent' is active but not connected\n"),
        None => text.push_str("        Not Sending to Log Collector\n"),
    }
    reply::success(Markup::new().cdata(&text))
}
