//! `show high-availability state` and `all`: the tree of the state, with the links and what is watched in it. Both commands
//! show them (pan-os-upgrade-assurance, `get_ha_configuration`, has the reply to `state`).
//!
//! What a member is and why is the business of `availability.rs`; here is only what comes on top.

use bytes::Bytes;
use http::Response;

use super::{Scene, availability};
use crate::reply::{self, Markup};
use crate::tree::Element;

pub(super) fn everything(scene: &Scene<'_>) -> Response<Bytes> {
    let state = availability::state(scene);
    let text = std::str::from_utf8(state.body()).unwrap_or_default();
    let Ok(response) = Element::parse(text) else {
        return state;
    };
    let Some(result) = response.child("result") else {
        return state;
    };
    let Some(group) = result.child("group") else {
        return state;
    };
    let mut group = group.clone();
    let contact = group.text_at(&["peer-info", "conn-status"]) == Some("up");
    for child in &mut group.children {
        match child.name.as_str() {
            "local-info" => child.children.extend(local(scene)),
            "peer-info" => child.children.extend(connections(contact)),
            _ => {}
        }
    }
    group.children.extend(monitoring(scene));
    let before = result.children.iter().filter(|child| child.name != "group");
    let markup = Markup::new().each(before, |markup, child| markup.raw(&child.to_xml()));
    reply::success(markup.raw(&group.to_xml()))
}

/// Fields as elastic's metricbeat module reads them.
fn local(scene: &Scene<'_>) -> Vec<Element> {
    let sight = scene.sight();
    let content = scene.device().content.to_string();
    let leaves = [
        ("version", "1"),
        ("state-sync-type", "ethernet"),
        ("ha1-macaddr", &sight.hardware_address(0xf1)),
        ("ha1-port", "dedicated-ha1"),
        ("ha2-ipaddr", "169.254.2.1/30"),
        ("ha2-macaddr", &sight.hardware_address(0xf2)),
        ("ha2-port", "dedicated-ha2"),
        ("url-version", "0000.00.00.000"),
        ("iot-version", "0"),
        ("av-version", "0"),
        ("threat-version", &content),
        ("vpnclient-version", "Not Installed"),
        ("gpclient-version", "Not Installed"),
    ];
    leaves.map(|(name, text)| Element::leaf(name, text)).to_vec()
}

fn connections(contact: bool) -> Vec<Element> {
    let status = if contact { "up" } else { "down" };
    [("conn-ha1", "heartbeat status"), ("conn-ha2", "link status")]
        .map(|(name, purpose)| {
            Element::new(name).with_leaves(&[
                ("conn-status", status),
                ("conn-primary", "yes"),
                ("conn-desc", purpose),
            ])
        })
        .to_vec()
}

/// The uplink is watched; no path is.
fn monitoring(scene: &Scene<'_>) -> [Element; 2] {
    let sight = scene.sight();
    let up = sight
        .interfaces()
        .first()
        .is_some_and(|uplink| sight.is_up(uplink));
    let status = if up { "up" } else { "down" };
    let uplink = Element::new("entry").with_leaves(&[("name", "ethernet1/1"), ("status", status)]);
    let watched = [("enabled", "yes"), ("failure-condition", "any")];
    let group = Element::new("entry")
        .with(Element::leaf("name", "uplinks"))
        .with_leaves(&watched)
        .with(Element::new("interface").with(uplink));
    [
        Element::new("link-monitoring")
            .with_leaves(&watched)
            .with(Element::new("groups").with(group)),
        Element::new("path-monitoring").with_leaves(&[("enabled", "no"), ("failure-condition", "any")]),
    ]
}
