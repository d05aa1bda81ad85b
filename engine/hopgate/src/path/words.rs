//! A path for a terminal: the hops and what each takes, what is known against them, and what all of it rests on.
//!
//! Words only; nothing is decided and nothing is asked here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hopgate_paths::{
    Alternative, Assessed, Confidence, Explanation, Exposure, FixDistance, FixPath, GateNote, HopKind,
    HopPlan, PathPlan, Severity, Version,
};

/// How much is told of the advisories that are neither met nor of the blocking kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// A line each.
    Short,
    /// Everything.
    Full,
}

/// One path.
pub fn path(plan: &PathPlan, length: Length) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{}", headline(plan));
    for doubt in &plan.doubts {
        let _ = writeln!(out, "DOUBT  {}", doubt.text);
    }
    for (index, hop) in plan.hops.iter().enumerate() {
        let _ = writeln!(out);
        one_hop(&mut out, index + 1, hop);
    }
    advisories(&mut out, plan, length);
    gates(&mut out, plan);
    sources(&mut out, plan);
    out
}

/// Several paths: a line each, then each in full.
pub fn alternatives(found: &[Alternative], length: Length) -> String {
    let mut out = String::new();
    for (index, alternative) in found.iter().enumerate() {
        let stops = stops(&alternative.plan);
        let plan = &alternative.plan;
        let _ = writeln!(
            out,
            "{}. {}: {stops} ({}, {}, risk {})",
            index + 1,
            labels(alternative),
            count(plan.hops.len(), "reboot"),
            hours(expected(plan)),
            plan.cost.risk
        );
    }
    for (index, alternative) in found.iter().enumerate() {
        let _ = writeln!(out, "\n{}. {}", index + 1, labels(alternative));
        out.push_str(&path(&alternative.plan, length));
    }
    out
}

/// Why, and what would do instead.
pub fn explanation(told: &Explanation) -> String {
    let mut out = String::new();
    let to = told.to.map_or_else(|| "?".to_owned(), |to| to.to_string());
    let _ = writeln!(out, "{}  {} -> {to}", told.model, told.from);
    if let Some(refusal) = &told.refusal {
        let _ = writeln!(out, "refused: {refusal}");
    } else if told.direct.is_empty() {
        let _ = writeln!(out, "allowed in one hop");
    }
    if !told.direct.is_empty() {
        let _ = writeln!(out, "\nnot in one hop:");
        for rule in &told.direct {
            let _ = writeln!(out, "  {}: {}\n    source: {}", rule.rule, rule.text, rule.source);
        }
    }
    if !told.refused.is_empty() {
        let _ = writeln!(out, "\nrefused on the way:");
        for edge in &told.refused {
            let _ = writeln!(out, "  {} -> {}", edge.from, edge.to);
            for rule in &edge.refused {
                let _ = writeln!(
                    out,
                    "    {}: {}\n      source: {}",
                    rule.rule, rule.text, rule.source
                );
            }
        }
    }
    if let Some(plan) = &told.plan {
        let _ = writeln!(out, "\nthe way there: {} -> {}", told.from, stops(plan));
    }
    if !told.instead.is_empty() {
        let _ = writeln!(out, "\ninstead:");
        for sentence in &told.instead {
            let _ = writeln!(out, "  {sentence}");
        }
    }
    out
}

/// The releases with a fix, nearest first, each with its path.
pub fn fixes(advisory: &str, title: &str, from: Version, found: &[FixPath]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{advisory}  {title}");
    if found.is_empty() {
        let _ = writeln!(
            out,
            "no known release that this model runs is listed with the fix"
        );
    }
    for fix in found {
        let far = match fix.distance {
            FixDistance::SameMaintenance => "hotfix on the same maintenance release".to_owned(),
            FixDistance::SameTrain => "same feature release".to_owned(),
            FixDistance::FeatureReleases(apart) => format!("{} on", count(apart as usize, "feature release")),
        };
        let _ = writeln!(
            out,
            "  {:<12} {far}: {from} -> {} ({}, {})",
            fix.version.to_string(),
            stops(&fix.plan),
            count(fix.plan.hops.len(), "reboot"),
            hours(expected(&fix.plan))
        );
    }
    out
}

/// `PA-850  9.1.12-h3 -> 11.1.6: 5 hops ...`.
pub(super) fn headline(plan: &PathPlan) -> String {
    let route = &plan.route;
    let mark = if route.is_off_vendor() {
        "  OFF-VENDOR PATH"
    } else {
        ""
    };
    format!(
        "{}  {} -> {}: {}, {}, at worst {}{mark}",
        route.model,
        route.from,
        route.to,
        count(plan.hops.len(), "reboot"),
        hours(expected(plan)),
        hours(plan.hops.iter().map(|hop| hop.worst_min).sum())
    )
}

/// The releases after the start, joined by arrows.
pub(super) fn stops(plan: &PathPlan) -> String {
    let stops: Vec<_> = plan.route.hops.iter().map(|hop| hop.to.to_string()).collect();
    stops.join(" -> ")
}

fn expected(plan: &PathPlan) -> u32 {
    plan.hops.iter().map(|hop| hop.expected_min).sum()
}

fn labels(alternative: &Alternative) -> String {
    let labels: Vec<_> = alternative.labels.iter().map(ToString::to_string).collect();
    labels.join(", ")
}

fn one_hop(out: &mut String, number: usize, plan: &HopPlan) {
    let hop = &plan.hop;
    let _ = writeln!(
        out,
        "{number}. {} -> {}  {}, {} (worst {})",
        hop.from,
        hop.to,
        kind(hop.kind),
        hours(plan.expected_min),
        hours(plan.worst_min)
    );
    for rule in &hop.broken_rules {
        let _ = writeln!(out, "   OFF-VENDOR {}: {}", rule.rule, rule.text);
        let _ = writeln!(out, "              source: {}", rule.source);
    }
    let mut line = |title: &str, text: &str| {
        let _ = writeln!(out, "   {title:<9} {text}");
    };
    line("download", &images(plan));
    line("install", &format!("{}, then restart", hop.to));
    if let Some(content) = &plan.content {
        let text = format!("{} or newer before the install", content.value);
        line("content", &text);
    }
    if let Some(needed) = plan.disk_needed_mb {
        line("disk", &format!("{needed} MB free in /opt/panrepo"));
    }
    if let Some(configuration) = &plan.configuration {
        line("config", configuration);
    }
    let gates: Vec<&str> = named_gates(plan).map(|gate| &*gate.id).collect();
    if !gates.is_empty() {
        line("gates", &gates.join(", "));
    }
    line("way back", &plan.way_back.text);
    line("lost", plan.way_back.lost);
    line("HA", &plan.ha_rule);
}

/// An advisory's open question is a gate as well, and stands among the advisories.
fn named_gates(plan: &HopPlan) -> impl Iterator<Item = &GateNote> {
    let of_advisory = |gate: &GateNote| {
        let mut met = plan.advisories.iter();
        met.any(|assessed| assessed.advisory.id == *gate.id)
    };
    plan.gates.iter().filter(move |gate| !of_advisory(gate))
}

fn images(plan: &HopPlan) -> String {
    let named: Vec<_> = plan
        .images
        .iter()
        .map(|image| {
            let base = if image.base { " (base image)" } else { "" };
            let there = if image.on_disk { " (on disk)" } else { "" };
            let size = image
                .size_mb
                .map_or_else(String::new, |size| format!(" {size} MB"));
            format!("{}{base}{size}{there}", image.version)
        })
        .collect();
    named.join(", then ")
}

fn kind(kind: HopKind) -> &'static str {
    match kind {
        HopKind::Maintenance => "maintenance release",
        HopKind::Feature => "feature release",
        HopKind::Pinned => "pinned against the vendor's rules",
        HopKind::Revert => "back to the other partition",
        HopKind::MaintenanceDowngrade => "downgrade within its feature release",
        HopKind::FeatureDowngrade => "downgrade to an older feature release",
    }
}

fn advisories(out: &mut String, plan: &PathPlan, length: Length) {
    let met = plan.advisories();
    if met.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nadvisories");
    let mut short = Vec::new();
    let mut clear = 0;
    for (assessed, releases) in &met {
        match &*assessed.exposure {
            Exposure::Clear { .. } => clear += 1,
            Exposure::Unknown { .. }
                if length == Length::Short && (assessed.suspect || assessed.severity == Severity::Warn) =>
            {
                short.push(format!(
                    "      {} {}: {}",
                    standing(assessed),
                    assessed.advisory.id,
                    assessed.advisory.title
                ));
            }
            Exposure::Exposed { .. } | Exposure::Unknown { .. } => advisory(out, assessed, releases),
        }
    }
    if !short.is_empty() {
        let _ = writeln!(
            out,
            "   {} that facts of the device would settle (--full tells all of them):\n{}",
            count(short.len(), "warning"),
            short.join("\n")
        );
    }
    if clear > 0 {
        let _ = writeln!(out, "   {} ruled out by the facts", count(clear, "advisory"));
    }
}

/// One advisory: how the device stands to it, and what to do.
pub(super) fn advisory(out: &mut String, assessed: &Assessed, releases: &[Version]) {
    let advisory = &assessed.advisory;
    let on: Vec<_> = releases.iter().map(Version::to_string).collect();
    let _ = writeln!(
        out,
        "   {}  {}  {}  (on {})",
        standing(assessed),
        advisory.id,
        advisory.title,
        on.join(", ")
    );
    let _ = writeln!(out, "      {}", advisory.effect);
    match &*assessed.exposure {
        Exposure::Exposed { evidence } => {
            for sentence in evidence {
                let _ = writeln!(out, "      seen: {sentence}");
            }
        }
        Exposure::Unknown { missing } => {
            let _ = writeln!(out, "      not known: {}", missing.join("; "));
        }
        Exposure::Clear { .. } => {}
    }
    let _ = writeln!(out, "      do: {}", advisory.action);
    let _ = writeln!(out, "      source: {}", sourced(&advisory.sourced));
}

fn standing(assessed: &Assessed) -> String {
    let what = match &*assessed.exposure {
        _ if assessed.accepted => "accepted",
        Exposure::Exposed { .. } => "EXPOSED",
        Exposure::Unknown { .. } => "open",
        Exposure::Clear { .. } => "clear",
    };
    let severity = match (assessed.suspect, assessed.severity) {
        (true, _) => "suspect",
        (false, Severity::Block) => "BLOCK",
        (false, Severity::Warn) => "warn",
    };
    format!("{what} {severity}")
}

fn gates(out: &mut String, plan: &PathPlan) {
    let mut told: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for gate in plan.hops.iter().flat_map(named_gates) {
        let texts = told.entry(&gate.id).or_default();
        let text: (&str, &str) = (&gate.text, &gate.source);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if told.is_empty() {
        return;
    }
    let _ = writeln!(out, "\ngates");
    for (id, texts) in told {
        for (text, source) in texts {
            let _ = writeln!(out, "   {id}: {text} [{source}]");
        }
    }
}

fn sources(out: &mut String, plan: &PathPlan) {
    let mut told: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for note in plan.hops.iter().flat_map(|hop| &hop.sources) {
        let said = told.entry(sourced(&note.sourced)).or_default();
        if !said.contains(&&*note.what) {
            said.push(&note.what);
        }
    }
    if told.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nsources");
    for (source, what) in told {
        let _ = writeln!(out, "   {source}\n      {}", what.join("; "));
    }
}

fn sourced(row: &hopgate_paths::Sourced) -> String {
    let confidence = match row.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    format!("{} ({confidence} confidence)", row.source)
}

/// `1 hop`, `3 hops`, `2 advisories`.
pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = match what.strip_suffix('y') {
        _ if number == 1 => what.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{what}s"),
    };
    format!("{number} {plural}")
}

/// `36 min`, `2 h 5 min`.
pub(super) fn hours(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
