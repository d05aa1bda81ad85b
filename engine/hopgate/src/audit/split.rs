//! One audit as several, by a label: a customer's report holds that customer's devices and nothing of anybody else's.

use std::collections::{BTreeMap, BTreeSet};

use super::Audit;

/// The name of the part that has no such label.
const WITHOUT: &str = "without";

/// The parts, each under a name that can be a file's. Every device is in exactly one.
pub fn by_label(audit: &Audit, label: &str) -> BTreeMap<String, Audit> {
    let mut names: BTreeMap<Option<&str>, String> = BTreeMap::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let values: BTreeSet<Option<&str>> = audit
        .devices
        .iter()
        .map(|device| device.labels.get(label).map(String::as_str))
        .collect();
    for value in values {
        let plain = value.map_or_else(|| format!("{WITHOUT}-{}", file_name(label)), file_name);
        let mut name = plain.clone();
        let mut again = 2;
        // Two customers must not end up in one file because their names differ by a character that files cannot have.
        while !taken.insert(name.to_lowercase()) {
            name = format!("{plain}-{again}");
            again += 1;
        }
        names.insert(value, name);
    }
    let mut parts: BTreeMap<String, Audit> = BTreeMap::new();
    for device in &audit.devices {
        let value = device.labels.get(label).map(String::as_str);
        let Some(name) = names.get(&value) else { continue };
        let part = parts.entry(name.clone()).or_insert_with(|| Audit {
            devices: Vec::new(),
            asked: audit.asked.clone(),
            settings: audit.settings.clone(),
            target: audit.target.clone(),
            not_asked: audit.not_asked.clone(),
            needs: audit.needs.clone(),
            ..*audit
        });
        part.devices.push(device.clone());
    }
    parts
}

/// Letters, digits, `.`, `_` and `-`, not beginning with a dot; anything else is a dash.
fn file_name(value: &str) -> String {
    let name: String = value
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '_' | '-' | '.') {
                c
            } else {
                '-'
            }
        })
        .collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() {
        "-".to_owned()
    } else {
        name.to_owned()
    }
}
