//! Reads whom a firewall sends to and asks: receivers of logs, User-ID agents.
//! Knows these replies; must not know which of them must be there.

use hopgate_playbooks::{LogReceiver, UserIdAgent};

use crate::error::Failure;
use crate::xml::{Node, printable};

/// The text of `show logging-status`: `> CMS 0`, `Not Sending to CMS 0`, `>Log Collector`, `'Log Collection log
/// forwarding agent' is active and connected to 192.0.2.1`, and tables of counters that are not read.
///
/// The vendor documents the sentence (Panorama administration, "Verify Log Forwarding to Panorama"), not the listing
/// around it. One without any receiver is unreadable.
pub(crate) fn log_receivers(result: &Node) -> Result<Vec<LogReceiver>, Failure> {
    let mut texts = Vec::new();
    result.all_text(&mut texts);
    let mut receivers: Vec<LogReceiver> = Vec::new();
    let lines = texts.iter().flat_map(|text| text.lines());
    for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('>') {
            receivers.push(LogReceiver {
                name: printable(name, 80),
                connected: None,
                said: None,
            });
            continue;
        }
        if !is_about_connection(line) {
            continue;
        }
        if receivers.is_empty() {
            receivers.push(LogReceiver {
                name: "log forwarding agent".to_owned(),
                connected: None,
                said: None,
            });
        }
        if let Some(receiver) = receivers.last_mut() {
            receiver.connected = connected(line);
            receiver.said = Some(printable(line, 200));
        }
    }
    if receivers.is_empty() {
        return Err(Failure::unreadable("<result> names no receiver of logs"));
    }
    Ok(receivers)
}

fn is_about_connection(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.contains("log forwarding agent") || line.contains("sending to")
}

fn connected(line: &str) -> Option<bool> {
    let line = line.to_ascii_lowercase();
    let bad = [
        "not connected",
        "disconnected",
        "not active",
        "inactive",
        "not sending",
    ];
    if bad.iter().any(|words| line.contains(words)) {
        return Some(false);
    }
    line.contains("is active and connected").then_some(true)
}

/// `show user user-id-agent statistics`: `<entry name="dc1"><host/><connected>yes</connected>..`, and none where there is
/// no agent.
pub(crate) fn user_id_agents(result: &Node) -> Result<Vec<UserIdAgent>, Failure> {
    let entries = result.children_named("entry").filter(|entry| {
        // An idle device has been seen to answer other questions of its kind with one empty entry.
        !entry.children.is_empty() || entry.attribute("name").is_some()
    });
    let agents: Vec<UserIdAgent> = entries.map(user_id_agent).collect::<Result<_, _>>()?;
    let none = result.text().is_empty() || result.text().to_ascii_lowercase().contains("no user-id agent");
    if agents.is_empty() && !none {
        return Err(Failure::unreadable("<result> lists no User-ID agent"));
    }
    Ok(agents)
}

fn user_id_agent(entry: &Node) -> Result<UserIdAgent, Failure> {
    let name = entry.attribute("name").or_else(|| entry.value("name"));
    let name = name.ok_or_else(|| Failure::unreadable("a User-ID agent without a name"))?;
    let state = entry.value("state").or_else(|| entry.value("status"));
    Ok(UserIdAgent {
        name: printable(name, 200),
        host: entry.words("host"),
        vsys: entry.words("vsys"),
        connected: entry.yes("connected").or_else(|| state.and_then(is_connected)),
    })
}

/// `conn:idle`, `connected`, `not-conn:idle`, `disconnected`.
fn is_connected(state: &str) -> Option<bool> {
    let state = state.to_ascii_lowercase();
    if state.starts_with("conn") && !state.starts_with("connecting") {
        return Some(true);
    }
    (state.starts_with("not") || state.starts_with("dis") || state.starts_with("connecting")).then_some(false)
}
