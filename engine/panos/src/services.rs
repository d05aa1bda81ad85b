//! Reads what a device does for others: tunnels, remote users, sessions, Panorama, User-ID, redistribution.
//! Knows these replies; must not know what counts as healthy.

use std::collections::BTreeMap;

use hopgate_playbooks::{GlobalProtectUser, IpsecTunnel, PanoramaLink, PanoramaServer};

use crate::error::Failure;
use crate::xml::{Node, Raw, printable, read_rows};

/// Parts of field names whose values are secrets.
const SECRETS: &[&str] = &["key", "secret", "password", "passwd", "phash", "pwd"];

/// `<IPSec><entry><name/><id/><state>active</state>..`.
pub(crate) fn tunnels(reply: Raw<'_>) -> Result<Vec<IpsecTunnel>, Failure> {
    let (result, tunnels) = read_rows(reply, &["IPSec", "entry"], |_, entry| {
        Ok(IpsecTunnel {
            name: entry.required_words("name")?,
            id: entry.number("id"),
            gateway: entry.number("gwid"),
            state: entry.required_words("state")?,
            inner_interface: entry.words("inner-if"),
            outer_interface: entry.words("outer-if"),
            local_address: entry.words("localip"),
            peer_address: entry.words("peerip"),
            monitor: entry.words("mon"),
        })
    })?;
    if result.child("IPSec").is_none() {
        return Err(Failure::unreadable("<result> has no <IPSec>"));
    }
    Ok(tunnels)
}

/// `<entry><domain/><username/><computer/><virtual-ip/>..`, one for each connected computer.
pub(crate) fn globalprotect_users(reply: Raw<'_>) -> Result<Vec<GlobalProtectUser>, Failure> {
    let (_, users) = read_rows(reply, &["entry"], |_, entry| {
        let user = entry
            .words("username")
            .or_else(|| entry.words("primary-username"));
        Ok(GlobalProtectUser {
            domain: entry.words("domain"),
            user: user.ok_or_else(|| Failure::unreadable("a GlobalProtect user without a name"))?,
            computer: entry.words("computer"),
            virtual_address: entry.words("virtual-ip"),
        })
    })?;
    Ok(users)
}

/// The counters of `show session info`: every element that holds a whole number. What holds anything else is left out,
/// so that a counter that cannot be read is missing and not zero.
pub(crate) fn sessions(result: &Node) -> Result<BTreeMap<String, u64>, Failure> {
    let counters: BTreeMap<String, u64> = result
        .children
        .iter()
        .filter_map(|child| Some((printable(&child.name, 80), result.number(&child.name)?)))
        .collect();
    if !counters.contains_key("num-active") {
        return Err(Failure::unreadable(
            "<result> does not say how many sessions there are",
        ));
    }
    Ok(counters)
}

/// `Panorama Server 1 : 192.0.2.5`, `Connected : yes`, `HA state : Active`. Blank lines between the servers went with
/// 11.0, and the spaces before some colons with 10.2.12 (pan-os-upgrade-assurance#158, pan-os-upgrade#142), so nothing
/// but the words counts. No text at all: no Panorama is configured.
pub(crate) fn panorama(result: &Node) -> Result<PanoramaLink, Failure> {
    let mut servers: Vec<(String, Option<bool>, Option<String>)> = Vec::new();
    for line in result.text().lines().filter(|line| !line.trim().is_empty()) {
        let wrong = || {
            Failure::unreadable(format!(
                "the line {:?} of the Panorama status",
                printable(line, 80)
            ))
        };
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        let (name, value) = (name.trim(), value.trim());
        if name.starts_with("Panorama Server") {
            servers.push((printable(value, 80), None, None));
            continue;
        }
        let (_, connected, ha_state) = servers.last_mut().ok_or_else(wrong)?;
        match (name, value) {
            ("Connected", "yes") => *connected = Some(true),
            ("Connected", "no") => *connected = Some(false),
            ("Connected", _) => return Err(wrong()),
            ("HA state", state) => *ha_state = Some(printable(state, 80)),
            _ => {}
        }
    }
    let server = |(address, connected, ha_state): (String, Option<bool>, Option<String>)| {
        let unsaid = || Failure::unreadable(format!("whether Panorama {address} is connected"));
        Ok(PanoramaServer {
            connected: connected.ok_or_else(unsaid)?,
            address,
            ha_state,
        })
    };
    Ok(PanoramaLink {
        servers: servers.into_iter().map(server).collect::<Result<_, _>>()?,
    })
}

/// `User id service:   up`, whatever else the text says.
pub(crate) fn user_id_service(result: &Node) -> Result<bool, Failure> {
    let said = result.text().lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("user id service")
            .then(|| value.trim())
    });
    match said {
        Some("up") => Ok(true),
        Some("down") => Ok(false),
        _ => Err(Failure::unreadable("whether the User-ID service is up")),
    }
}

/// The entries of a redistribution reply, each as the fields it gives. An idle device answers with one empty `<entry/>`.
pub(crate) fn redistribution(result: &Node) -> Vec<BTreeMap<String, String>> {
    let fields = |entry: &Node| {
        let named = entry
            .attribute("name")
            .map(|name| ("name".to_owned(), printable(name, 200)));
        let fields = entry.children.iter().filter_map(|field| {
            let secret = SECRETS.iter().any(|secret| field.name.contains(secret));
            let value = entry.words(&field.name).filter(|_| !secret)?;
            Some((printable(&field.name, 80), value))
        });
        named.into_iter().chain(fields).collect::<BTreeMap<_, _>>()
    };
    let entries = result.children_named("entry").map(fields);
    entries.filter(|fields| !fields.is_empty()).collect()
}
