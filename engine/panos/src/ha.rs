//! Reads `show high-availability state` of a firewall.
//! Knows the reply; must not know which states are good for an upgrade.

use hopgate_playbooks::{Ha, HaLink, HaLinks, HaMember, LinkGroup, MonitoredInterface};

use crate::error::Failure;
use crate::xml::{Node, printable};

/// The state of this device and, where it knows one, of its peer.
///
/// A device that has just booted answers with an empty result: that is unreadable, not "disabled".
pub(crate) fn state(result: &Node) -> Result<Ha, Failure> {
    match result.required("enabled")? {
        "no" => Ok(standalone()),
        "yes" => pair(result),
        other => Err(Failure::unreadable(format!(
            "<enabled> is {:?}",
            printable(other, 40)
        ))),
    }
}

fn standalone() -> Ha {
    Ha {
        enabled: false,
        mode: None,
        local: HaMember {
            state: "disabled".into(),
            reason: None,
            build: None,
            state_sync: None,
            address: None,
        },
        peer: None,
        running_sync: None,
        running_sync_enabled: Some(false),
        preemptive: Some(false),
    }
}

fn pair(result: &Node) -> Result<Ha, Failure> {
    let missing = |name| Failure::unreadable(format!("<result> has no <{name}>"));
    let group = result.child("group").ok_or_else(|| missing("group"))?;
    let local = group.child("local-info").ok_or_else(|| missing("local-info"))?;
    let peer = group.child("peer-info");
    Ok(Ha {
        enabled: true,
        mode: text(group, "mode"),
        local: member(local, local.required("state")?),
        // A peer that was never heard of has an element without a state.
        peer: peer.map(|peer| member(peer, peer.value("state").unwrap_or("unknown"))),
        running_sync: text(group, "running-sync"),
        running_sync_enabled: group.yes("running-sync-enabled"),
        preemptive: preemptive(local, peer),
    })
}

fn member(info: &Node, state: &str) -> HaMember {
    HaMember {
        state: printable(state, 80),
        reason: text(info, "state-reason"),
        build: text(info, "build-rel"),
        state_sync: text(info, "state-sync"),
        // `192.0.2.11/24`: the prefix is of no use to whoever connects.
        address: text(info, "mgmt-ip").map(|ip| match ip.split_once('/') {
            Some((address, _)) => address.to_owned(),
            None => ip,
        }),
    }
}

/// Preemption acts when a member that has it on comes back, so one member is enough. Without a word of either the answer is
/// not "off": a member that takes over by itself is what upgrades of pairs are most afraid of. A peer that is not heard says
/// nothing, and is not known to have it off.
fn preemptive(local: &Node, peer: Option<&Node>) -> Option<bool> {
    let of = |member: Option<&Node>| member.and_then(|member| member.yes("preemptive"));
    match (of(Some(local)), of(peer)) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (None, _) | (_, None) => None,
    }
}

fn text(node: &Node, name: &str) -> Option<String> {
    node.value(name).map(|text| printable(text, 200))
}

/// What connects the members, from the same reply.
pub(crate) fn links(result: &Node) -> Result<HaLinks, Failure> {
    let enabled = match result.required("enabled")? {
        "no" => false,
        "yes" => true,
        other => {
            return Err(Failure::unreadable(format!(
                "<enabled> is {:?}",
                printable(other, 40)
            )));
        }
    };
    let none = Node::default();
    let group = result.child("group");
    if enabled && group.is_none() {
        return Err(Failure::unreadable("<result> has no <group>"));
    }
    let part = |name: &str| group.and_then(|group| group.child(name)).unwrap_or(&none);
    let (local, peer) = (part("local-info"), part("peer-info"));
    let priority = |info: &Node| {
        info.number("priority")
            .and_then(|number| u32::try_from(number).ok())
    };
    Ok(HaLinks {
        enabled,
        priority: priority(local),
        peer_priority: priority(peer),
        preemptive: local.yes("preemptive"),
        peer_preemptive: peer.yes("preemptive"),
        connection: text(peer, "conn-status"),
        links: peer.children.iter().filter_map(link).collect(),
        mismatches: mismatches(local),
        link_monitoring: part("link-monitoring").yes("enabled"),
        link_groups: link_groups(part("link-monitoring"))?,
        path_monitoring: part("path-monitoring").yes("enabled"),
        preemption_flaps: local.number("preempt-flap-cnt"),
        non_functional_flaps: local.number("nonfunc-flap-cnt"),
        most_flaps: local.number("max-flaps"),
    })
}

/// `<conn-ha1-backup><conn-status>up</conn-status>..` is the link `ha1-backup`. One that does not say how it is stays in the
/// list: were it left out, every link would be up. `<conn-status>` beside them is that of the members, and no link.
fn link(node: &Node) -> Option<HaLink> {
    let name = node.name.strip_prefix("conn-").filter(|name| *name != "status")?;
    Some(HaLink {
        name: printable(name, 40),
        status: text(node, "conn-status"),
    })
}

/// `<app-compat>Mismatch</app-compat>`.
fn mismatches(local: &Node) -> Vec<String> {
    let compared = local.children.iter().filter(|child| child.text() == "Mismatch");
    compared.map(|child| printable(&child.name, 80)).collect()
}

fn link_groups(monitoring: &Node) -> Result<Vec<LinkGroup>, Failure> {
    let groups = monitoring.child("groups").into_iter();
    let port = |entry: &Node| {
        Ok(MonitoredInterface {
            name: entry.required_words("name")?,
            status: entry.required_words("status")?,
        })
    };
    let group = |entry: &Node| {
        let ports = entry.child("interface").into_iter();
        Ok(LinkGroup {
            name: entry.required_words("name")?,
            enabled: entry.yes("enabled") != Some(false),
            interfaces: ports
                .flat_map(|ports| ports.children_named("entry"))
                .map(port)
                .collect::<Result<_, Failure>>()?,
        })
    };
    groups
        .flat_map(|groups| groups.children_named("entry"))
        .map(group)
        .collect()
}

#[cfg(test)]
mod tests;
