//! Everything that is known of one device, for a person and for whoever writes a check: area by area, with when and how each
//! was read, and why where it was not.
//!
//! Knows no area by its meaning: it shows what the facts hold under the names that checks see. Asks nobody.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hopgate_playbooks::{FactArea, Facts};
use serde_json::{Map, Value};

use crate::report::visible;

/// Lines of a list that are shown. A routing table of a million entries is for programs.
const LISTED: usize = 12;

/// Letters of one line of a list; what is longer is cut, and whole in the JSON.
const WIDTH: usize = 160;

/// These areas, the device's identity first.
fn in_order(areas: &BTreeSet<FactArea>) -> Vec<FactArea> {
    let first = [FactArea::System, FactArea::Identity];
    let rest = FactArea::ALL.into_iter().filter(|area| !first.contains(area));
    let all = first.into_iter().chain(rest);
    all.filter(|area| areas.contains(area)).collect()
}

/// The areas that are not known, each with the reason.
pub fn unknown<'f>(facts: &'f Facts, areas: &BTreeSet<FactArea>) -> Vec<(FactArea, &'f str)> {
    let areas = in_order(areas).into_iter();
    areas
        .filter_map(|area| Some((area, facts.unknown(area)?)))
        .collect()
}

/// What is known, as the expressions of checks see it: a value for each area under its name, and nothing for what is unknown.
pub fn raw(facts: &Facts, areas: &BTreeSet<FactArea>) -> Value {
    let mut stored = stored(facts);
    let known = in_order(areas).into_iter().filter_map(|area| {
        let known = stored.get_mut(area.name())?.get_mut("known")?.take();
        Some((area.name().to_owned(), known))
    });
    Value::Object(known.collect())
}

/// The facts as they are stored.
fn stored(facts: &Facts) -> Value {
    // They hold only strings, numbers, lists and maps with texts for keys, none of which fail to serialize.
    serde_json::to_value(facts).unwrap_or_default()
}

/// The whole, in words: each area, then what is unknown once more.
pub fn text(facts: &Facts, areas: &BTreeSet<FactArea>) -> String {
    let stored = stored(facts);
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{}", facts.device);
    for area in in_order(areas) {
        let _ = writeln!(out, "\n{area}{}", source(facts, area));
        match (
            stored.get(area.name()).and_then(|fact| fact.get("known")),
            facts.unknown(area),
        ) {
            (Some(known), _) => value(&mut out, known),
            (None, why) => {
                let _ = writeln!(out, "  unknown: {}", visible(why.unwrap_or("not asked")));
            }
        }
    }
    let unknown = unknown(facts, areas);
    if !unknown.is_empty() {
        let _ = writeln!(out, "\n{} of {} areas are unknown", unknown.len(), areas.len());
        for (area, why) in unknown {
            let _ = writeln!(out, "  {:<22} {}", area.name(), visible(why));
        }
    }
    out
}

fn source(facts: &Facts, area: FactArea) -> String {
    let Some(source) = facts.sources.get(&area) else {
        return String::new();
    };
    let at = source.read_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("  ({at}, {})", source.commands.join("; "))
}

/// One area. A map is a line a field, a list is a line an element, anything else is one line.
fn value(out: &mut String, known: &Value) {
    match known {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| field(out, 2, name, value)),
        Value::Array(items) => list(out, 2, items),
        other => {
            let _ = writeln!(out, "  {}", plain(other));
        }
    }
}

/// A field of a map; a list or a map in it is indented below its name.
fn field(out: &mut String, indent: usize, name: &str, value: &Value) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let _ = writeln!(out, "{pad}{}", visible(name));
            for (name, value) in fields {
                field(out, indent + 2, name, value);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            let _ = writeln!(out, "{pad}{}", visible(name));
            list(out, indent + 2, items);
        }
        other => {
            let width = 26_usize.saturating_sub(indent);
            let _ = writeln!(
                out,
                "{pad}{:<width$} {}",
                visible(name),
                cut(&plain(other), WIDTH)
            );
        }
    }
}

fn list(out: &mut String, indent: usize, items: &[Value]) {
    let pad = " ".repeat(indent);
    if items.is_empty() {
        let _ = writeln!(out, "{pad}none");
    }
    for item in items.iter().take(LISTED) {
        let _ = writeln!(out, "{pad}{}", cut(&plain(item), WIDTH));
    }
    if items.len() > LISTED {
        let _ = writeln!(out, "{pad}and {} more", thousands(items.len() - LISTED));
    }
}

/// A value on one line; what is not there is left out of a map.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        // What a device said is shown, and does nothing to the terminal.
        Value::String(text) => visible(text),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => {
            let shown: Vec<String> = items.iter().take(LISTED).map(plain).collect();
            let more = match items.len() - shown.len() {
                0 => String::new(),
                more => format!(", and {} more", thousands(more)),
            };
            format!("{}{more}", shown.join(", "))
        }
        Value::Object(fields) => on_one_line(fields),
    }
}

fn on_one_line(fields: &Map<String, Value>) -> String {
    let there = fields.iter().filter(|(_, value)| !value.is_null());
    let shown: Vec<String> = there
        .map(|(name, value)| match value {
            Value::Object(inner) => format!("{} ({})", visible(name), on_one_line(inner)),
            other => format!("{} {}", visible(name), plain(other)),
        })
        .collect();
    shown.join(", ")
}

/// At most `width` letters.
fn cut(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// `1,204`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use hopgate_playbooks::{ArpEntry, Fact, FactSource, Licence, PanoramaLink, PanoramaServer, System};

    use super::*;

    fn facts() -> Facts {
        let at = "2026-03-07T19:00:05Z".parse().unwrap();
        let mut facts = Facts::unread("acme-fw1", at);
        facts.system = Fact::Known(System {
            hostname: "fw1\u{1b}[31m".to_owned(),
            model: "PA-850".to_owned(),
            serial: "0011".to_owned(),
            sw_version: "10.1.14-h9".parse().unwrap(),
            app_version: String::new(),
            uptime_seconds: 86_400,
            operational_mode: None,
            multi_vsys: false,
        });
        facts.arp = Fact::Known(
            (0..1_216)
                .map(|number| ArpEntry {
                    dataplane: None,
                    interface: "ethernet1/1".to_owned(),
                    address: format!("192.0.{}.{}", number / 256, number % 256),
                    mac: None,
                    port: None,
                    status: Some("c".to_owned()),
                    ttl: Some(1_800),
                })
                .collect(),
        );
        facts.jobs = Fact::Unknown("read all jobs on acme-fw1: no answer within 2 s".to_owned());
        facts.licences = Fact::Known(Vec::<Licence>::new());
        facts.jumbo_frames = Fact::Known(false);
        facts.panorama = Fact::Known(PanoramaLink {
            servers: vec![PanoramaServer {
                address: "192.0.2.9".to_owned(),
                connected: true,
                ha_state: Some("Active".to_owned()),
            }],
        });
        for (area, commands) in [
            (FactArea::System, vec!["show system info"]),
            (FactArea::Arp, vec!["show arp all"]),
            (FactArea::Jobs, vec!["show jobs all"]),
        ] {
            let commands = commands.into_iter().map(str::to_owned).collect();
            facts.sources.insert(
                area,
                FactSource {
                    read_at: at,
                    commands,
                },
            );
        }
        facts
    }

    fn areas() -> BTreeSet<FactArea> {
        use FactArea as A;
        BTreeSet::from([
            A::System,
            A::Arp,
            A::Jobs,
            A::Licences,
            A::JumboFrames,
            A::Panorama,
        ])
    }

    #[test]
    fn what_is_known_is_told_and_what_is_not_is_told_twice() {
        insta::assert_snapshot!(text(&facts(), &areas()), @r#"
        acme-fw1

        system  (2026-03-07 19:00:05 UTC, show system info)
          app_version              ""
          hostname                 fw1\u{1b}[31m
          model                    PA-850
          multi_vsys               no
          operational_mode         -
          serial                   0011
          sw_version               10.1.14-h9
          uptime_seconds           86400

        jobs  (2026-03-07 19:00:05 UTC, show jobs all)
          unknown: read all jobs on acme-fw1: no answer within 2 s

        licences
          none

        jumbo_frames
          no

        arp  (2026-03-07 19:00:05 UTC, show arp all)
          address 192.0.0.0, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.1, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.2, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.3, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.4, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.5, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.6, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.7, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.8, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.9, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.10, interface ethernet1/1, status c, ttl 1800
          address 192.0.0.11, interface ethernet1/1, status c, ttl 1800
          and 1,204 more

        panorama
          servers
            address 192.0.2.9, connected yes, ha_state Active

        1 of 6 areas are unknown
          jobs                   read all jobs on acme-fw1: no answer within 2 s
        "#);
    }

    #[test]
    fn the_raw_form_has_the_known_areas_under_the_names_that_checks_see() {
        let raw = raw(&facts(), &areas());
        let names: Vec<&String> = raw.as_object().unwrap().keys().collect();
        assert_eq!(names, ["arp", "jumbo_frames", "licences", "panorama", "system"]);
        assert_eq!(raw["arp"].as_array().unwrap().len(), 1_216);
        assert_eq!(raw["system"]["sw_version"], "10.1.14-h9");
        assert_eq!(raw["jumbo_frames"], false);
    }

    #[test]
    fn numbers_are_readable_and_lines_have_an_end() {
        assert_eq!(
            [12, 1_204, 1_000_000].map(thousands),
            ["12", "1,204", "1,000,000"]
        );
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
