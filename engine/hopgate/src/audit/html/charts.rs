//! Totals and bars: how many devices stand how, by customer, by release, and which checks expose the most.
//!
//! Drawn here and not by the script, so that they are there on paper and without it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::GROUP;
use crate::audit::{Audit, Audited, Counts};
use crate::report::Escaped;

/// Most bars of a chart; the rest is told as a number.
const BARS: usize = 10;

pub(super) fn charts(audit: &Audit) -> String {
    let mut out = tiles(&audit.counts());
    out.push_str("<section class=\"charts\">");
    let by_check = by_check(audit);
    if !by_check.is_empty() {
        let most = by_check.iter().map(|(_, devices)| *devices).max().unwrap_or(1);
        let bars = by_check.iter().map(|(check, devices)| {
            let counts = Counts {
                exposed: *devices,
                ..Counts::default()
            };
            (check.as_str(), counts)
        });
        chart(&mut out, "Devices exposed, by check", bars, most, true);
    }
    let customer = |device: &Audited| device.labels.get(GROUP).cloned();
    standing(&mut out, audit, "By customer", customer);
    standing(&mut out, audit, "By release", |device| device.version.clone());
    standing(&mut out, audit, "By model", |device| device.model.clone());
    out.push_str("</section>");
    out
}

fn tiles(counts: &Counts) -> String {
    let mut out = String::from("<section class=\"tiles\">");
    let tiles = [
        ("exposed", counts.exposed),
        ("unknown", counts.unknown),
        ("clear", counts.clear),
    ];
    for (word, number) in tiles {
        let _ = write!(
            out,
            "<div class=\"tile {word}\"><b>{number}</b><span>{word}</span></div>"
        );
    }
    out.push_str("<div class=\"whole\">");
    bar(&mut out, counts, counts.devices);
    out.push_str("</div></section>");
    out
}

fn by_check(audit: &Audit) -> Vec<(String, usize)> {
    let mut devices: BTreeMap<String, usize> = BTreeMap::new();
    for check in audit.devices.iter().flat_map(Audited::exposed_by) {
        *devices.entry(check).or_default() += 1;
    }
    let mut devices: Vec<(String, usize)> = devices.into_iter().collect();
    devices.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    devices
}

/// How the devices that share something stand, those with the most exposed first. One group alone tells nothing.
fn standing(out: &mut String, audit: &Audit, title: &str, of: impl Fn(&Audited) -> Option<String>) {
    let mut groups: BTreeMap<Option<String>, Counts> = BTreeMap::new();
    for device in &audit.devices {
        groups.entry(of(device)).or_default().add(device.outcome());
    }
    if groups.len() < 2 {
        return;
    }
    let mut groups: Vec<(String, Counts)> = groups
        .into_iter()
        .map(|(name, counts)| (name.unwrap_or_else(|| "not known".to_owned()), counts))
        .collect();
    let weight = |counts: &Counts| (counts.exposed, counts.unknown, counts.devices);
    groups.sort_by(|a, b| weight(&b.1).cmp(&weight(&a.1)).then_with(|| a.0.cmp(&b.0)));
    let most = groups.iter().map(|(_, counts)| counts.devices).max().unwrap_or(1);
    let bars = groups.iter().map(|(name, counts)| (name.as_str(), *counts));
    chart(out, title, bars, most, false);
}

fn chart<'a>(
    out: &mut String,
    title: &str,
    bars: impl ExactSizeIterator<Item = (&'a str, Counts)>,
    most: usize,
    of_checks: bool,
) {
    let more = bars.len().saturating_sub(BARS);
    let _ = write!(out, "<figure><figcaption>{title}</figcaption><ul>");
    for (name, counts) in bars.take(BARS) {
        let name = Escaped(name).to_string();
        let data = if of_checks {
            format!(" data-check=\"{name}\"")
        } else {
            String::new()
        };
        let _ = write!(
            out,
            "<li{data}><span class=\"what\" title=\"{name}\">{name}</span>"
        );
        bar(out, &counts, most);
        let told = [
            (counts.exposed, "exposed"),
            (counts.unknown, "unknown"),
            (counts.clear, "clear"),
        ];
        let told: Vec<String> = told
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("<b class=\"{word}\" title=\"{word}\">{number}</b>"))
            .collect();
        let _ = write!(out, "<span class=\"numbers\">{}</span></li>", told.join(" "));
    }
    out.push_str("</ul>");
    if more > 0 {
        let _ = write!(out, "<p>and {more} more</p>");
    }
    out.push_str("</figure>");
}

/// A bar of up to three parts, as long as its share of `most`.
fn bar(out: &mut String, counts: &Counts, most: usize) {
    out.push_str("<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    let mut x = 0;
    let parts = [
        ("exposed", counts.exposed),
        ("unknown", counts.unknown),
        ("clear", counts.clear),
    ];
    for (word, number) in parts {
        // A single device among thousands is still seen.
        let width = (number * 1000 / most.max(1)).max(usize::from(number > 0) * 4);
        if width > 0 {
            let _ = write!(
                out,
                "<rect class=\"{word}\" x=\"{x}\" width=\"{width}\" height=\"10\"/>"
            );
        }
        x += width;
    }
    out.push_str("</svg>");
}
