//! The parts of the page below its head: what needs a person, tiles, the device table, incidents, approvals, and every
//! device's own story.
//!
//! Each function writes one section. Every value passes [`Escaped`].

use std::fmt::Write as _;

use hopgate_core::incident::Severity;

use super::wording::{
    Escaped, SHORTEST_WAIT_MIN, clock, duration, hop_word, leap, measured, minute, off_vendor, progress,
    second, waited,
};
use crate::story::{
    DeviceHalt, DeviceStanding, DeviceStory, HopState, HopStory, IncidentStory, Line, Story, Wait,
};

/// The class that colours a standing.
pub(super) fn standing_class(standing: DeviceStanding) -> &'static str {
    match standing {
        DeviceStanding::Waiting => "waiting",
        DeviceStanding::Working => "working",
        DeviceStanding::Done => "done",
        DeviceStanding::Halted => "halted",
    }
}

/// What only a person can do now; empty where nobody is needed.
pub(super) fn needs(story: &Story) -> String {
    let mut items = String::new();
    if let Some(need) = &story.campaign.needs {
        let _ = write!(items, "<li><b>The campaign</b>: {}</li>", Escaped(need));
    }
    for device in story.devices.iter().filter(|device| device.state.needs_person) {
        let _ = write!(
            items,
            "<li><a href=\"#dev-{0}\"><b>{0}</b></a> since {1}: {2}",
            device.device,
            minute(device.state.since),
            Escaped(&device.state.text)
        );
        if let Some(step) = &device.state.next_step {
            let _ = write!(items, "<br><span class=\"next\">Next: {}</span>", Escaped(step));
        }
        items.push_str("</li>");
    }
    if items.is_empty() {
        return items;
    }
    format!(
        "<section class=\"needs\" aria-labelledby=\"h-needs\"><h2 id=\"h-needs\">Needs a person</h2><ul>{items}</ul></section>"
    )
}

/// The counts.
pub(super) fn tiles(story: &Story) -> String {
    let totals = &story.totals;
    let mut out = String::from("<section class=\"tiles\" aria-label=\"Summary\">");
    let mut tile = |class: &str, value: &str, label: &str| {
        let _ = write!(
            out,
            "<div class=\"tile {class}\"><b>{}</b><span>{}</span></div>",
            Escaped(value),
            Escaped(label)
        );
    };
    let loud = |count: u32, class: &'static str| if count > 0 { class } else { "" };
    tile(
        loud(totals.done, "done"),
        &format!("{} / {}", totals.done, totals.devices),
        "devices done",
    );
    tile(
        loud(totals.halted, "halted"),
        &totals.halted.to_string(),
        "halted",
    );
    tile(
        loud(totals.working, "working"),
        &totals.working.to_string(),
        "under way",
    );
    tile("", &totals.waiting.to_string(), "waiting");
    tile(
        "",
        &format!("{} / {}", totals.hops_done, totals.hops),
        "hops done",
    );
    if let Some(median) = totals.median_hop_minutes {
        tile("", &duration(median), "median hop");
    }
    if let Some(slowest) = &totals.slowest {
        tile(
            "",
            &duration(slowest.minutes),
            &format!("slowest: {} hop {}", slowest.device, slowest.hop),
        );
    }
    tile(
        loud(totals.incidents, "halted"),
        &totals.incidents.to_string(),
        "incidents",
    );
    out.push_str("</section>");
    out
}

/// One row a device.
pub(super) fn devices(story: &Story) -> String {
    let mut out = String::from(
        "<table class=\"devices\"><thead><tr><th>Device</th><th>From &rarr; now</th><th>Hops</th><th>Checks</th><th>State</th>\
         <th>Waited for</th></tr></thead><tbody>",
    );
    for device in &story.devices {
        let name = &device.device;
        let standing = device.state.standing;
        let _ = write!(
            out,
            "<tr data-device=\"{name}\" data-standing=\"{0}\" data-person=\"{1}\" data-search=\"{2}\">\
             <td data-label=\"Device\"><div><a href=\"#dev-{name}\"><b>{name}</b></a><small>{3}</small></div></td>\
             <td data-label=\"From &rarr; now\"><div><span class=\"line\">{4}</span><small>target {5}</small></div></td>\
             <td data-label=\"Hops\"><div>{6}</div></td><td data-label=\"Checks\"><div>{7}</div></td>\
             <td data-label=\"State\"><div><span class=\"pill {0}\">{8}</span><small>{9}</small></div></td>\
             <td data-label=\"Waited for\"><div>{10}</div></td></tr>",
            standing_class(standing),
            device.state.needs_person,
            Escaped(search_text(device)),
            Escaped(subtitle(device)),
            Escaped(arrows(&progress(device))),
            device.target,
            hop_items(story, device),
            checks(device),
            standing.label(),
            Escaped(if standing == DeviceStanding::Done {
                ""
            } else {
                device.state.text.as_str()
            }),
            waited_items(device),
        );
    }
    out.push_str("</tbody></table>");
    out
}

/// Model, wave, peer and labels, in one line.
fn subtitle(device: &DeviceStory) -> String {
    let mut parts = vec![device.model.clone()];
    parts.extend(device.wave.as_ref().map(|wave| format!("wave {wave}")));
    parts.extend(device.peer.as_ref().map(|peer| format!("pair with {peer}")));
    parts.extend(device.labels.iter().map(|(key, value)| format!("{key}={value}")));
    parts.join(" · ")
}

/// What the filter looks in, in lower case.
fn search_text(device: &DeviceStory) -> String {
    let off_vendor = if device.is_off_vendor() { " off-vendor" } else { "" };
    let text = format!(
        "{} {} {} {} {} {}{off_vendor}",
        device.device,
        subtitle(device),
        device.serial,
        device.from,
        device.now,
        device.state.text
    );
    text.to_lowercase()
}

fn hop_items(story: &Story, device: &DeviceStory) -> String {
    let mut out = String::from("<ol class=\"hops\">");
    for hop in &device.hops {
        let measured = measured(hop).unwrap_or_else(|| hop_word(hop.state).to_owned());
        let _ = write!(
            out,
            "<li class=\"{}\"><b>{}</b> {}{}</li>",
            hop_class(hop.state),
            hop.to,
            Escaped(measured),
            off_vendor_mark(story, hop)
        );
    }
    out.push_str("</ol>");
    out
}

fn hop_class(state: HopState) -> &'static str {
    match state {
        HopState::Ahead => "ahead",
        HopState::UnderWay => "working",
        HopState::AtRest => "waiting",
        HopState::Halted => "halted",
        HopState::Done => "done",
    }
}

/// The mark of a pinned hop, with who and why: it stands wherever such a hop is shown.
fn off_vendor_mark(story: &Story, hop: &HopStory) -> String {
    if !hop.is_off_vendor() {
        return String::new();
    }
    let text = off_vendor(&story.campaign).unwrap_or_else(|| "OFF-VENDOR".to_owned());
    format!("<span class=\"off\">{}</span>", Escaped(text))
}

fn checks(device: &DeviceStory) -> String {
    lines(device.hops.iter().filter_map(hop_checks))
}

fn hop_checks(hop: &HopStory) -> Option<String> {
    let before = hop.checks_before?;
    let after = hop
        .checks_after
        .map_or_else(|| "&ndash;".to_owned(), |passed| passed.to_string());
    let warnings = match hop.warnings.len() {
        0 => String::new(),
        count => format!(", <span class=\"warning\">{count} to know</span>"),
    };
    Some(format!("{before} before, {after} after{warnings}"))
}

/// Lines of a cell, which do not wrap where there is room; a dash where there is none.
fn lines(lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines
        .map(|line| format!("<span class=\"line\">{line}</span>"))
        .collect();
    if lines.is_empty() {
        "&ndash;".to_owned()
    } else {
        lines
    }
}

/// `->` as the arrow that a page can show.
fn arrows(path: &str) -> String {
    path.replace("->", "→")
}

fn waited_items(device: &DeviceStory) -> String {
    let waited = waited(device).into_iter();
    lines(waited.map(|(cause, minutes)| format!("{} {}", cause.label(), duration(minutes))))
}

/// Incidents with their evidence.
pub(super) fn incidents(story: &Story) -> String {
    if story.campaign.incidents.is_empty() {
        return "<p class=\"none\">None.</p>".to_owned();
    }
    story.campaign.incidents.iter().map(incident).collect()
}

fn incident(incident: &IncidentStory) -> String {
    let severity = match incident.severity {
        Severity::Critical => "critical",
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let end = incident
        .resumed
        .map_or_else(|| "open".to_owned(), |at| format!("resumed {}", minute(at)));
    let mut out = format!(
        "<article class=\"incident {severity}\"><h3>{}</h3><p class=\"meta\"><span class=\"pill {severity}\">{severity}</span> {} · {} · \
         <code>{}</code></p>",
        Escaped(&incident.summary),
        second(incident.at),
        Escaped(end),
        Escaped(&incident.key)
    );
    let _ = write!(
        out,
        "<p class=\"next\">Next: {}</p>",
        Escaped(&incident.next_step)
    );
    evidence(&incident.evidence, &mut out);
    out.push_str("</article>");
    out
}

fn evidence(lines: &[String], out: &mut String) {
    if lines.is_empty() {
        return;
    }
    out.push_str("<ul class=\"evidence\">");
    for line in lines {
        let _ = write!(out, "<li>{}</li>", Escaped(line));
    }
    out.push_str("</ul>");
}

/// Waves, approvals and resumes: who let what happen.
pub(super) fn gates(story: &Story) -> String {
    let mut out = String::from(
        "<table class=\"gates\"><thead><tr><th>Wave</th><th>Devices</th><th>Asked</th><th>Approved</th><th>Opened</th><th>Finished</th></tr></thead><tbody>",
    );
    let when = |at: Option<jiff::Timestamp>| at.map_or_else(|| "&ndash;".to_owned(), minute);
    for wave in &story.campaign.waves {
        let mut approved = String::new();
        for approval in story
            .campaign
            .approvals
            .iter()
            .filter(|approval| approval.wave == wave.name)
        {
            let void = if approval.counts {
                ""
            } else {
                " <i>(void: for an earlier plan)</i>"
            };
            let _ = write!(
                approved,
                "<div>{} by <b>{}</b>{void}: {} <code>{}</code></div>",
                minute(approval.at),
                approval.by,
                Escaped(&approval.reason),
                approval.plan.short()
            );
        }
        if approved.is_empty() {
            approved.push_str(if wave.approval { "not yet" } else { "not needed" });
        }
        let _ = write!(
            out,
            "<tr><td data-label=\"Wave\"><div><b>{}</b></div></td><td data-label=\"Devices\"><div>{}</div></td><td data-label=\"Asked\"><div>{}</div></td>\
             <td data-label=\"Approved\"><div>{approved}</div></td><td data-label=\"Opened\"><div>{}</div></td><td data-label=\"Finished\"><div>{}</div></td></tr>",
            wave.name,
            wave.devices,
            when(wave.gate),
            when(wave.opened),
            when(wave.finished)
        );
    }
    out.push_str("</tbody></table>");
    for resume in &story.campaign.resumes {
        let _ = write!(
            out,
            "<p class=\"resume\"><b>Resumed</b> {} by <b>{}</b>: {}</p>",
            minute(resume.at),
            resume.by,
            Escaped(&resume.reason)
        );
    }
    out
}

/// The campaign's own records.
pub(super) fn campaign_timeline(story: &Story) -> String {
    format!(
        "<details class=\"records\"><summary>{} records of the campaign</summary>{}</details>",
        story.campaign.timeline.len(),
        records(&story.campaign.timeline)
    )
}

fn records(lines: &[Line]) -> String {
    let mut out = String::from("<ol class=\"timeline\">");
    for line in lines {
        let _ = write!(
            out,
            "<li class=\"{}\"><time datetime=\"{}\">{}</time><span>{}</span></li>",
            tone(&line.event),
            line.at,
            second(line.at),
            Escaped(&line.text)
        );
    }
    out.push_str("</ol>");
    out
}

/// How loud a record is shown.
fn tone(event: &str) -> &'static str {
    match event {
        "halted" | "incident_opened" | "failover_failed" => "bad",
        "held" | "refused" | "unanswered" | "slow_boot" | "restart_not_taken" | "stand_down_asked" => "warn",
        "hop_ended" | "back_in_service" | "finished" | "wave_finished" | "resumed" | "approved" => "good",
        _ => "plain",
    }
}

/// A device's whole story, folded until somebody wants it.
pub(super) fn device(story: &Story, device: &DeviceStory) -> String {
    let standing = device.state.standing;
    let name = &device.device;
    let class = standing_class(standing);
    let mut out = format!(
        "<details class=\"device\" id=\"dev-{name}\" data-device=\"{name}\"><summary><b>{name}</b> <span class=\"pill {class}\">{}</span> \
         <span class=\"path\">{}</span><small>{} · {}</small></summary>",
        standing.label(),
        Escaped(arrows(&progress(device))),
        Escaped(subtitle(device)),
        Escaped(&device.serial)
    );
    let _ = write!(
        out,
        "<p>{}, since {}.</p>",
        Escaped(&device.state.text),
        minute(device.state.since)
    );
    if let Some(step) = &device.state.next_step {
        let _ = write!(out, "<p class=\"next\">Next: {}</p>", Escaped(step));
    }
    for hop in &device.hops {
        out.push_str(&hop_story(story, hop));
    }
    for halt in &device.halts {
        out.push_str(&halt_story(halt));
    }
    out.push_str(&waits(&device.waits));
    let _ = write!(
        out,
        "<h4>Every record</h4>{}</details>",
        records(&device.timeline)
    );
    out
}

fn hop_story(story: &Story, hop: &HopStory) -> String {
    let mut facts: Vec<String> = vec![hop_word(hop.state).to_owned()];
    facts.extend(measured(hop));
    if let Some(started) = hop.started {
        let until = hop
            .ended
            .map_or_else(String::new, |ended| format!(" to {}", clock(ended)));
        facts.push(format!("{}{until}", minute(started)));
    }
    if hop.boots > 0 {
        facts.push(format!("boots seen: {}", hop.boots));
    }
    if hop.permits > 1 {
        facts.push(format!("started {} times", hop.permits));
    }
    let mut out = format!(
        "<div class=\"hop {}\"><h4>Hop {}: {}</h4><p>{}</p>",
        hop_class(hop.state),
        hop.number,
        Escaped(arrows(&leap(hop.from, hop.to))),
        Escaped(facts.join(" · "))
    );
    if let Some(checks) = hop_checks(hop) {
        let _ = write!(out, "<p>Checks passed: {checks}</p>");
    }
    if hop.is_off_vendor() {
        let _ = write!(out, "<p>{}</p>", off_vendor_mark(story, hop));
        for rule in &hop.broken_rules {
            let _ = write!(
                out,
                "<p class=\"warning\">Breaks <code>{}</code>: {} <small>({})</small></p>",
                Escaped(&rule.rule),
                Escaped(&rule.text),
                Escaped(&rule.source)
            );
        }
    }
    for warning in &hop.warnings {
        let _ = write!(out, "<p class=\"warning\">To know: {}</p>", Escaped(warning));
    }
    out.push_str("</div>");
    out
}

fn halt_story(halt: &DeviceHalt) -> String {
    let mut out = format!(
        "<div class=\"halt\"><h4>Halted {} in hop {}: {}</h4>",
        minute(halt.at),
        halt.hop,
        Escaped(&halt.reason)
    );
    evidence(&halt.evidence, &mut out);
    match &halt.resumed {
        Some(resume) => {
            let _ = write!(
                out,
                "<p>Resumed {} by <b>{}</b>: {}</p>",
                minute(resume.at),
                resume.by,
                Escaped(&resume.reason)
            );
        }
        None => out.push_str("<p>Not resumed.</p>"),
    }
    out.push_str("</div>");
    out
}

fn waits(waits: &[Wait]) -> String {
    let mut items = String::new();
    for wait in waits
        .iter()
        .filter(|wait| wait.minutes >= SHORTEST_WAIT_MIN || wait.until.is_none())
    {
        let end = wait.until.map_or_else(|| "now".to_owned(), clock);
        let _ = write!(
            items,
            "<li><time>{} &ndash; {end}</time><span><b>{}, {}</b>: {}</span></li>",
            minute(wait.from),
            wait.cause.label(),
            duration(wait.minutes),
            Escaped(&wait.why)
        );
    }
    if items.is_empty() {
        return items;
    }
    format!("<h4>Why it waited</h4><ol class=\"timeline\">{items}</ol>")
}
