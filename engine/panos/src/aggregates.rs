//! Reads aggregate interfaces from the reply to `show lacp aggregate-ethernet all`.
//! Knows the reply as XML and as the listing that the command line shows; must not know which members matter.

use hopgate_playbooks::{Aggregate, AggregateMember};

use crate::error::Failure;
use crate::xml::{Node, printable};

/// The aggregates of a device; none on one that has none.
///
/// The vendor documents the command and not its reply. Collectors show groups as `<entry name="ae1">` with the ports as
/// entries below them; the listing of the command line (`AE group: ae1`) comes as text. What says anything else is
/// unreadable: "every port is in its bundle" must not be concluded from it. So is a group without ports, which are there in
/// words that are not known here; and one entry without a name makes the whole unreadable, for it may be the port that is down.
pub(crate) fn aggregates(result: &Node) -> Result<Vec<Aggregate>, Failure> {
    let text = result.text();
    if text.is_empty() && result.children.is_empty() {
        return Ok(Vec::new());
    }
    let entries = result.children_named("entry").map(group);
    let mut groups: Vec<Aggregate> = entries.collect::<Result<_, _>>()?;
    if groups.is_empty() {
        groups = listing(text)?;
    }
    if groups.is_empty() {
        return Err(Failure::unreadable("<result> lists no aggregate interface"));
    }
    // Where LACP does not run it has nothing to say of ports.
    match groups
        .iter()
        .find(|group| group.members.is_empty() && group.lacp != Some(false))
    {
        Some(group) => Err(Failure::unreadable(format!("{} without any port", group.name))),
        None => Ok(groups),
    }
}

/// The name of an entry: its attribute, or an element.
fn name(entry: &Node) -> Option<String> {
    let given = entry.attribute("name").map(str::trim);
    let given = given.filter(|name| !name.is_empty());
    given
        .or_else(|| entry.value("name"))
        .or_else(|| entry.value("interface"))
        .map(|name| printable(name, 80))
}

fn group(entry: &Node) -> Result<Aggregate, Failure> {
    let name = name(entry).ok_or_else(|| Failure::unreadable("an aggregate interface without a name"))?;
    let mut ports = Vec::new();
    members(entry, &name, &mut ports)?;
    let partner = entry.children.iter().find(|child| spelt(&child.name, "partner"));
    let address = partner.and_then(|side| field(side, &["systemmac", "sysmac", "mac"]));
    Ok(Aggregate {
        name,
        lacp: field(entry, &["lacp", "status"]).and_then(|said| on(&said)),
        mode: field(entry, &["mode"]),
        rate: field(entry, &["rate"]),
        pre_negotiation: field(entry, &["prenegotiation"]).and_then(|said| on(&said)),
        partner: address.and_then(answered),
        members: ports.into_iter().map(Said::member).collect(),
    })
}

/// Every port below a group, once. The tables of ports, of their states and of their counters each have an entry for it.
fn members(below: &Node, group: &str, ports: &mut Vec<Said>) -> Result<(), Failure> {
    for child in &below.children {
        if child.name != "entry" {
            members(child, group, ports)?;
            continue;
        }
        let interface =
            name(child).ok_or_else(|| Failure::unreadable(format!("a port of {group} without a name")))?;
        let mut said = Said {
            interface,
            ..Said::default()
        };
        said.take(child);
        if let Some(known) = ports.iter_mut().find(|port| port.interface == said.interface) {
            known.take(child);
        } else if said.interface.starts_with("ethernet") || said.says_anything() {
            ports.push(said);
        } else {
            members(child, group, ports)?;
        }
    }
    Ok(())
}

/// What is said of a port, in the device's words.
#[derive(Default)]
struct Said {
    interface: String,
    bundled: Option<String>,
    selection: Option<String>,
    receive: Option<String>,
    mux: Option<String>,
    reason: Option<String>,
}

impl Said {
    /// Adds what an entry says and no entry before it said.
    fn take(&mut self, entry: &Node) {
        let places: [(&mut Option<String>, &[&str]); 5] = [
            (&mut self.bundled, &["bndl", "bundled", "inbundle"]),
            (
                &mut self.selection,
                &["selstate", "selectionstate", "selectstate", "selection"],
            ),
            (&mut self.receive, &["rxstate", "receivestate"]),
            (&mut self.mux, &["muxstate"]),
            (&mut self.reason, &["unselectedreason", "reason"]),
        ];
        for (place, names) in places {
            if place.is_none() {
                *place = field(entry, names);
            }
        }
    }

    /// Whether it is a port, whatever it is called: nothing else has any of this.
    fn says_anything(&self) -> bool {
        let said = [
            &self.bundled,
            &self.selection,
            &self.receive,
            &self.mux,
            &self.reason,
        ];
        said.iter().any(|text| text.is_some())
    }

    fn member(self) -> AggregateMember {
        AggregateMember {
            bundled: self.in_bundle(),
            interface: self.interface,
            selection: self.selection,
            receive: self.receive,
            mux: self.mux,
            reason: self.reason,
        }
    }

    /// The device's own yes or no, and else what follows from the state machines. A port leaves its bundle while it stays
    /// selected when the other side falls silent ("moved out of AE-group ae1. Selection state Selected", vendor knowledge
    /// base kA10g000000ClaY), so the selection alone says nothing good.
    fn in_bundle(&self) -> Option<bool> {
        match self.bundled.as_deref() {
            Some("yes") => return Some(true),
            Some("no") => return Some(false),
            Some(_) | None => {}
        }
        let selection = self.selection.as_deref()?;
        if !selection.eq_ignore_ascii_case("selected") {
            return selection
                .to_ascii_lowercase()
                .starts_with("unselected")
                .then_some(false);
        }
        match (self.mux.as_deref(), self.receive.as_deref()) {
            (Some(mux), _) => Some(spelt(mux, "txrx")),
            (None, Some(receive)) => Some(receive.eq_ignore_ascii_case("current")),
            (None, None) => None,
        }
    }
}

/// Whether a name is this one, however its words are joined: `rx-state`, `rx_state`, `Rx state`.
fn spelt(name: &str, letters: &str) -> bool {
    let plain = name.bytes().filter(u8::is_ascii_alphanumeric);
    plain.map(|byte| byte.to_ascii_lowercase()).eq(letters.bytes())
}

/// The text of the child with one of these names.
fn field(node: &Node, names: &[&str]) -> Option<String> {
    let known = |child: &&Node| names.iter().any(|name| spelt(&child.name, name));
    let texts = node.children.iter().filter(known).map(Node::text);
    let mut told = texts.filter(|text| !text.is_empty() && *text != "(null)");
    told.next().map(|text| printable(text, 80))
}

fn on(said: &str) -> Option<bool> {
    match said.to_ascii_lowercase().as_str() {
        "enabled" | "yes" => Some(true),
        "disabled" | "no" => Some(false),
        _ => None,
    }
}

/// An address of zeros stands for a side that was never heard.
fn answered(address: String) -> Option<String> {
    let silent = address.chars().all(|c| matches!(c, '0' | ':' | '-' | '.'));
    (!silent).then_some(address)
}

/// Where a line of the listing stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Members,
    Partner,
}

/// The listing of the command line: `AE group: ae1`, a table `Members: Bndl Rx state  Mux state  Sel state`, then
/// `Status: Enabled`, `Mode: Active`, `Partner: System Priority: ..`, and tables that are not read.
fn listing(text: &str) -> Result<Vec<Aggregate>, Failure> {
    let mut groups: Vec<Aggregate> = Vec::new();
    let mut part = Part::Head;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("AE group:") {
            part = Part::Head;
            if name.trim().is_empty() {
                return Err(Failure::unreadable("an aggregate interface without a name"));
            }
            groups.push(Aggregate {
                name: printable(name, 80),
                lacp: None,
                mode: None,
                rate: None,
                pre_negotiation: None,
                partner: None,
                members: Vec::new(),
            });
            continue;
        }
        let Some(group) = groups.last_mut() else { continue };
        if part == Part::Members && is_row(line) {
            group.members.extend(row(line));
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = printable(value, 80);
        match name {
            "Members" => part = Part::Members,
            "Status" => group.lacp = on(&value),
            "Mode" => group.mode = Some(value),
            "Rate" => group.rate = Some(value),
            "Pre-negotiation" => group.pre_negotiation = on(&value),
            "Partner" => part = Part::Partner,
            "System MAC" if part == Part::Partner => group.partner = answered(value),
            "Local" | "Port State" => part = Part::Head,
            _ => {}
        }
    }
    Ok(groups)
}

/// Whether a line below the head of the table is a port, whatever it is called: the lines that end the table have a colon,
/// are drawn, or are the title of the next one.
fn is_row(line: &str) -> bool {
    !line.contains(':') && line.contains(char::is_alphanumeric) && line != "Port State"
}

/// `ethernet1/19  yes  Current  Tx_Rx  Selected`.
fn row(line: &str) -> Option<AggregateMember> {
    let mut words = line.split_whitespace().map(|word| printable(word, 80));
    let said = Said {
        interface: words.next()?,
        bundled: words.next(),
        receive: words.next(),
        mux: words.next(),
        // `Unselected(Link down)` is of two words.
        selection: words.reduce(|text, word| format!("{text} {word}")),
        reason: None,
    };
    Some(said.member())
}
