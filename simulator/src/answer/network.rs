//! Sessions, the ARP table and tunnels, as the API shows them.

use bytes::Bytes;
use http::Response;

use super::{Ask, Scene};
use crate::operation::Operation;
use crate::reply::{self, Markup};
use crate::state::neighbours::LIFETIME;
use crate::state::sessions::Session;

pub(super) fn answer(scene: &Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::SessionInfo => session_info(scene),
        Operation::SessionAll => sessions(scene, ask),
        Operation::Arp => arp(scene, ask),
        Operation::TunnelFlow => tunnel_flow(scene),
        Operation::VpnFlow => vpn_flow(scene),
        _ => return None,
    };
    Some(reply)
}

fn session_info(scene: &Scene<'_>) -> Response<Bytes> {
    let numbers = scene.sight().session_numbers();
    reply::success(Markup::new().each(numbers, |markup, (name, value)| {
        markup.leaf(name, &value.to_string())
    }))
}

/// Some sessions, all of them or those a filter lets through.
fn sessions(scene: &Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let wants = |name: &str, value: &str| ask.option(name).is_none_or(|wanted| wanted.trim() == value);
    let begun = |session: &Session| {
        let at = crate::jobs::after(scene.now(), jiff::SignedDuration::from_secs(-session.age));
        at.strftime("%a %b %e %H:%M:%S %Y").to_string()
    };
    let shown = scene.sight().sessions().into_iter().filter(|session| {
        wants("source", &session.source.to_string())
            && wants("destination", &session.destination.to_string())
            && wants("destination-port", &session.destination_port.to_string())
            && wants("application", session.application)
            && wants("protocol", &session.protocol.to_string())
    });
    reply::success(Markup::new().each(shown, |markup, session| {
        let (source, destination) = (session.source.to_string(), session.destination.to_string());
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("idx", &session.id.to_string()),
                ("vsys", "vsys1"),
                ("application", session.application),
                ("state", "ACTIVE"),
                ("type", "FLOW"),
                ("from", "trust"),
                ("to", "untrust"),
                ("source", &source),
                ("sport", &session.source_port.to_string()),
                ("dst", &destination),
                ("dport", &session.destination_port.to_string()),
                ("proto", &session.protocol.to_string()),
                ("xsource", &scene.sight().outside_address().to_string()),
                ("xsport", &session.source_port.to_string()),
                ("xdst", &destination),
                ("xdport", &session.destination_port.to_string()),
                ("ingress", "ethernet1/2"),
                ("egress", "ethernet1/1"),
                ("security-rule", "rule-1"),
                ("start-time", &begun(&session)),
                ("nat", "True"),
                ("srcnat", "True"),
                ("dstnat", "False"),
                ("proxy", "False"),
                ("decrypt-mirror", "False"),
                ("vsys-idx", "1"),
            ])
        })
    }))
}

fn arp(scene: &Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    // `<entry name="ethernet1/1"/>` asks for one interface, `all` or nothing for every one.
    let asked = ask.command.branch.attribute("name").unwrap_or("all");
    let found: Vec<_> = sight
        .neighbours()
        .into_iter()
        .filter(|one| asked == "all" || one.interface == asked)
        .collect();
    let count = found.len().to_string();
    let entries = Markup::new().each(found, |markup, one| {
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("status", "  c  "),
                ("ip", &one.address.to_string()),
                ("mac", &one.hardware),
                ("ttl", &one.left.to_string()),
                ("interface", &one.interface),
                ("port", &one.port),
            ])
        })
    });
    let most = sight.scale().pick("3000", "20000", "128000");
    let entries = entries.into_string();
    reply::success(
        Markup::new()
            .leaves(&[
                ("max", most),
                ("total", &count),
                ("timeout", &LIFETIME.to_string()),
                ("dp", "dp0"),
            ])
            .element("entries", |inside| inside.raw(&entries)),
    )
}

fn tunnel_flow(scene: &Scene<'_>) -> Response<Bytes> {
    let tunnels = scene.sight().tunnels();
    let count = tunnels.len().to_string();
    let entries = Markup::new().each(tunnels, |markup, tunnel| {
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("peerip", &tunnel.peer.to_string()),
                ("name", &tunnel.name),
                ("outer-if", "ethernet1/1"),
                ("gwid", &tunnel.gateway.to_string()),
                ("localip", &tunnel.local.to_string()),
                ("state", tunnel.state()),
                ("inner-if", &tunnel.inner),
                ("mon", tunnel.monitor()),
                ("owner", "1"),
                ("id", &tunnel.id.to_string()),
            ])
        })
    });
    let ipsec = match entries.into_string() {
        none if none.is_empty() => "<IPSec/>".to_owned(),
        some => format!("<IPSec>{some}</IPSec>"),
    };
    reply::success(
        Markup::new()
            .leaves(&[("total", &count), ("num_ipsec", &count), ("num_sslvpn", "0")])
            .raw(&ipsec)
            .raw("<SSL-VPN/><hop/><GlobalProtect-Gateway/><GlobalProtect-site-to-site/>"),
    )
}

fn vpn_flow(scene: &Scene<'_>) -> Response<Bytes> {
    let tunnels = scene.sight().tunnels();
    let count = tunnels.len().to_string();
    let entries = Markup::new().each(tunnels, |markup, tunnel| {
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("id", &tunnel.id.to_string()),
                ("name", &tunnel.name),
                ("state", tunnel.state()),
                ("monitor", tunnel.monitor()),
                ("localip", &tunnel.local.to_string()),
                ("peerip", &tunnel.peer.to_string()),
                ("tunnel-interface", &tunnel.inner),
            ])
        })
    });
    reply::success(
        Markup::new()
            .element("IPSec", |inside| inside.raw(&entries.into_string()))
            .leaves(&[("total", &count), ("num_ipsec", &count)]),
    )
}
