//! `hopgate plan`: the plan for people, with every mark that an approver has to see.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use hopgate_core::plan::Plan;
use hopgate_paths::{BrokenRule, HopKind, Route};
use hopgate_playbooks::Setting;

use super::{ask, say};
use crate::checks::choice::with_settings;
use crate::failure::{Exit, Failure};
use crate::run;
use crate::state::State;

/// Makes, records and prints the plan.
pub(super) async fn plan(state: &Path, campaign: &Path) -> Result<Exit, Failure> {
    run::check_files(campaign)?;
    let state = State::open(state)?;
    let prepared = run::prepare(&state, campaign).await?;
    say(&plan_text(&prepared.plan));
    let gates: Vec<&str> = prepared
        .plan
        .waves
        .iter()
        .filter(|wave| wave.approval)
        .map(|wave| wave.name.as_str())
        .collect();
    for gate in gates {
        super::note(&format!(
            "next: hopgate approve {} {gate} --plan {} --as NAME --reason TEXT",
            prepared.plan.campaign,
            prepared.plan.hash().short()
        ));
    }
    ask::close(state).await;
    Ok(Exit::Success)
}

/// The plan in words: routes that are the same are told once, broken rules one by one.
pub fn plan_text(plan: &Plan) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(out, "campaign {}  plan {}", plan.campaign, plan.hash());
    let _ = writeln!(out, "launched by {}, target {}", plan.launcher, plan.target);
    let _ = writeln!(
        out,
        "window {:.0} to {:.0}",
        plan.window.opens, plan.window.closes
    );
    if let Some(pin) = &plan.pin {
        let mark = if plan.is_off_vendor() {
            "OFF-VENDOR path"
        } else {
            "path"
        };
        let _ = writeln!(out, "{mark} pinned by {}: {}", pin.by, pin.reason);
    }
    let mut routes: BTreeMap<String, (Vec<&str>, &Route)> = BTreeMap::new();
    for (device, planned) in &plan.devices {
        let steps: Vec<String> = planned.route.hops.iter().map(|hop| hop.to.to_string()).collect();
        let key = format!(
            "{} {} -> {}",
            planned.model,
            planned.route.from,
            steps.join(" -> ")
        );
        routes
            .entry(key)
            .or_insert_with(|| (Vec::new(), &planned.route))
            .0
            .push(device.as_str());
    }
    for (key, (devices, route)) in &routes {
        let minutes = route.expected_minutes();
        let _ = writeln!(out, "  {key}  ({minutes} min expected): {}", devices.join(", "));
    }
    broken_rules(plan, &mut out);
    for wave in &plan.waves {
        let gate = if wave.approval { ", needs an approval" } else { "" };
        let soak = if wave.soak_min > 0 {
            format!(", watched {} min after", wave.soak_min)
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "wave {}: {} devices, {} at once{soak}{gate}",
            wave.name,
            wave.devices.len(),
            wave.concurrency
        );
    }
    let _ = writeln!(
        out,
        "checks before every hop: {}; after: {}",
        checks(&plan.before, &plan.before_with),
        checks(&plan.after, &plan.after_with)
    );
    out
}

/// The checks by name, each with the settings that were chosen for it: an approval is for these.
fn checks(asked: &BTreeMap<String, String>, chosen: &BTreeMap<String, BTreeMap<String, Setting>>) -> String {
    let named = asked.keys().map(|name| match chosen.get(name) {
        Some(settings) => with_settings(name, settings),
        None => name.clone(),
    });
    match asked.len() {
        0 => "none".to_owned(),
        _ => named.collect::<Vec<_>>().join(", "),
    }
}

/// Each broken rule once a release that it leads to, with one device's sentence as the example.
fn broken_rules(plan: &Plan, out: &mut String) {
    let mut told: BTreeMap<(String, String), (&BrokenRule, usize)> = BTreeMap::new();
    for hop in plan.devices.values().flat_map(|planned| &planned.route.hops) {
        for rule in hop.broken_rules.iter().filter(|_| hop.kind == HopKind::Pinned) {
            told.entry((hop.to.to_string(), rule.rule.clone()))
                .or_insert((rule, 0))
                .1 += 1;
        }
    }
    for ((to, name), (rule, count)) in &told {
        let devices = if *count == 1 {
            "1 device".to_owned()
        } else {
            format!("{count} devices")
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "  OFF-VENDOR to {to}, {devices}: {name}\n    {}\n    source: {}",
            rule.text, rule.source
        );
    }
}
