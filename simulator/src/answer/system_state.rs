//! `show system state`: a flat table of names and values, by filter, in the device's own notation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;

use super::Scene;
use crate::reply::{self, Markup};
use crate::request::Command;
use crate::spec::OpticSpec;
use crate::state::Sight;
use crate::state::interfaces::Kind;

/// `show system state`, by filter. Values are looked up in a flat table, as on the device.
pub(super) fn state(scene: &Scene<'_>, command: &Command) -> Response<Bytes> {
    let pretty = command.option("filter-pretty");
    let filter = pretty.or_else(|| command.option("filter")).unwrap_or_default();
    let table = state_table(&scene.sight());
    let found: String = table
        .iter()
        .filter(|(key, _)| matches(filter, key))
        .map(|(key, value)| {
            if pretty.is_some() {
                value.pretty(key)
            } else {
                value.plain(key)
            }
        })
        .collect();
    let text = if found.is_empty() {
        format!("'{filter}': NO_MATCHES\n")
    } else {
        found
    };
    reply::success(Markup::new().cdata(&text))
}

/// `*` stands for any run of characters.
fn matches(filter: &str, key: &str) -> bool {
    let mut parts = filter.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = key.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A value of the system state: a text, or names with values.
enum State {
    Text(String),
    Block(Vec<(Cow<'static, str>, State)>),
}

impl State {
    fn plain(&self, key: &str) -> String {
        format!("{key}: {}\n", self.inline())
    }

    fn inline(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Block(rows) if rows.is_empty() => "{ }".to_owned(),
            Self::Block(rows) => {
                let rows: String = rows
                    .iter()
                    .map(|(name, value)| format!("'{name}': {}, ", value.inline()))
                    .collect();
                format!("{{ {rows}}}")
            }
        }
    }

    fn pretty(&self, key: &str) -> String {
        let mut text = String::new();
        self.indented(key, 0, "", &mut text);
        text
    }

    fn indented(&self, key: &str, depth: usize, end: &str, text: &mut String) {
        let margin = "  ".repeat(depth);
        match self {
            Self::Block(rows) if !rows.is_empty() => {
                text.push_str(&format!("{margin}{key}: {{\n"));
                for (name, value) in rows {
                    value.indented(name, depth + 1, ",", text);
                }
                text.push_str(&format!("{margin}}}{end}\n"));
            }
            plain => text.push_str(&format!("{margin}{key}: {}{end}\n", plain.inline())),
        }
    }
}

fn state_table(sight: &Sight<'_>) -> BTreeMap<String, State> {
    let device = sight.device;
    let ports = device.class.ports;
    let mut table: BTreeMap<String, State> = (1..=ports.copper)
        .map(|port| (phy_key(1, port), copper()))
        .chain((1..=ports.cages).map(|cage| (phy_key(1, ports.copper + cage), empty_cage())))
        .collect();
    for optic in &device.optics {
        table.insert(phy_key(optic.slot, optic.port), filled_cage(optic));
    }
    let load = State::Text(sight.management_cpu().to_string());
    let cpu = State::Block(vec![("1minavg".into(), load)]);
    table.insert(
        "sys.monitor.s0.mp.exports".to_owned(),
        State::Block(vec![("cpu".into(), cpu)]),
    );
    table.insert("sw.dev.interface.config".to_owned(), interfaces(sight));
    table
}

/// Addresses and frame sizes of ports; interfaces on top of them are named and empty, as on the device.
fn interfaces(sight: &Sight<'_>) -> State {
    let rows = sight.interfaces().into_iter().map(|interface| {
        let inside = match interface.kind {
            Kind::Ethernet | Kind::Member | Kind::Aggregate => {
                let address = sight.hardware_address(0x10 + interface.port);
                vec![
                    ("hwaddr".into(), State::Text(address)),
                    ("mtu".into(), State::Text(interface.mtu.to_string())),
                ]
            }
            Kind::Subinterface | Kind::Tunnel | Kind::Loopback => Vec::new(),
        };
        (Cow::Owned(interface.name), State::Block(inside))
    });
    State::Block(rows.collect())
}

fn phy_key(slot: u16, port: u16) -> String {
    format!("sys.s{slot}.p{port}.phy")
}

fn copper() -> State {
    let text = |text: &str| State::Text(text.to_owned());
    State::Block(vec![
        ("link-partner".into(), State::Block(Vec::new())),
        ("media".into(), text("CAT5")),
        ("type".into(), text("Ethernet")),
    ])
}

fn empty_cage() -> State {
    let text = |text: &str| State::Text(text.to_owned());
    State::Block(vec![
        ("link-partner".into(), State::Block(Vec::new())),
        ("media".into(), text("SFP-Empty")),
        ("type".into(), text("Ethernet")),
    ])
}

/// Values come unquoted and padded to the width of the optic's own memory fields.
fn filled_cage(optic: &OpticSpec) -> State {
    let padded = |text: &str| State::Text(format!("{text:<16}"));
    let text = |text: &str| State::Text(text.to_owned());
    let sfp = State::Block(vec![
        ("connector".into(), text("LC")),
        ("encoding".into(), text("64B66B")),
        ("identifier".into(), text("SFP")),
        ("vendor-name".into(), padded(&optic.vendor)),
        ("vendor-part-number".into(), padded(&optic.part)),
        ("vendor-part-rev".into(), text("A   ")),
        (
            "vendor-serial-number".into(),
            padded(optic.serial.as_deref().unwrap_or("")),
        ),
    ]);
    State::Block(vec![
        ("link-partner".into(), State::Block(Vec::new())),
        ("media".into(), text(&optic.media)),
        ("sfp".into(), sfp),
        ("type".into(), text("Ethernet")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_on_the_device() {
        for (filter, key, expected) in [
            ("sys.s*.p*.phy", "sys.s1.p5.phy", true),
            ("sys.s1.p*.phy", "sys.s1.p12.phy", true),
            ("sys.s1.p5.phy", "sys.s1.p5.phy", true),
            ("sys.s1.p5.phy", "sys.s1.p55.phy", false),
            ("sys.s2.p*.phy", "sys.s1.p5.phy", false),
            ("sys.monitor.*.mp.exports", "sys.monitor.s0.mp.exports", true),
            ("a*ab", "ab", false),
            ("*", "anything", true),
        ] {
            assert_eq!(matches(filter, key), expected, "{filter} {key}");
        }
    }
}
