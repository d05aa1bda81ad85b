//! The page around the sections: head, style, script, and the policy that lets nothing else run or load.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::wording::{Escaped, minute, off_vendor, second, state_word};
use super::{gantt, sections};
use crate::story::{CampaignState, Story};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn page(story: &Story) -> String {
    let campaign = &story.campaign;
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{}: {}</title><style>{STYLE}</style></head><body>",
        policy(),
        Escaped(&campaign.name),
        state_word(campaign)
    );
    out.push_str(&head(story));
    out.push_str("<main>");
    out.push_str(&sections::needs(story));
    out.push_str(&sections::tiles(story));
    section(&mut out, "timeline", "Timeline", &gantt::gantt(story));
    section(
        &mut out,
        "devices",
        "Devices",
        &(filter(story) + &sections::devices(story)),
    );
    section(&mut out, "incidents", "Incidents", &sections::incidents(story));
    section(&mut out, "gates", "Approvals and waves", &sections::gates(story));
    let stories: String = story
        .devices
        .iter()
        .map(|device| sections::device(story, device))
        .collect();
    let records = sections::campaign_timeline(story);
    section(&mut out, "stories", "Every device's story", &(stories + &records));
    let _ = writeln!(
        out,
        "</main><footer>Told from the journal up to its last record, {} UTC. What was open then is measured up to then.</footer>\
         <script>{SCRIPT}</script></body></html>",
        second(campaign.last_record)
    );
    out
}

/// Only this page's own script runs, known by its hash, and nothing is ever loaded: text that a device sent could not act
/// even if it got past the escaping.
fn policy() -> String {
    let hash = base64(&Sha256::digest(SCRIPT.as_bytes()));
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    )
}

/// Base64 with padding (RFC 4648 section 4), which is how a policy spells a hash.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0u32, |bits, (index, byte)| {
            bits | u32::from(*byte) << (16 - 8 * index)
        });
        for digit in 0..4 {
            if digit <= group.len() {
                let index = (bits >> (18 - 6 * digit)) & 63;
                text.push(char::from(DIGITS[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

fn section(out: &mut String, id: &str, title: &str, body: &str) {
    let _ = write!(out, "<section id=\"{id}\"><h2>{title}</h2>{body}</section>");
}

fn head(story: &Story) -> String {
    let campaign = &story.campaign;
    let class = match campaign.state {
        CampaignState::Running => "working",
        CampaignState::Halted => "halted",
        CampaignState::Finished => "done",
    };
    let mut out = format!(
        "<header><h1>{} <span class=\"pill {class}\">{}</span></h1><dl>\
         <div><dt>Target</dt><dd>{}</dd></div><div><dt>Plan</dt><dd><code title=\"{}\">{}</code></dd></div>\
         <div><dt>Launched by</dt><dd>{}</dd></div><div><dt>Window</dt><dd>{} &ndash; {} UTC</dd></div>\
         <div><dt>As of</dt><dd>{} UTC</dd></div></dl>",
        Escaped(&campaign.name),
        state_word(campaign),
        campaign.target,
        campaign.plan,
        campaign.plan.short(),
        campaign.launcher,
        minute(campaign.window.opens),
        minute(campaign.window.closes),
        second(campaign.last_record)
    );
    for earlier in campaign.plans.iter().rev().skip(1) {
        let _ = write!(
            out,
            "<p class=\"meta\">Earlier plan <code>{}</code>, from {} by {}</p>",
            earlier.plan.short(),
            minute(earlier.at),
            earlier.launcher
        );
    }
    if let Some(text) = off_vendor(campaign) {
        let _ = write!(out, "<p class=\"banner\">{}</p>", Escaped(text));
    }
    out.push_str("</header>");
    out
}

fn filter(story: &Story) -> String {
    let mut out = String::from(
        "<div class=\"filter\" hidden><input id=\"q\" type=\"search\" placeholder=\"name, model, site, state&hellip;\" aria-label=\"Filter devices\">",
    );
    let totals = &story.totals;
    let choices = [
        ("all", "all", totals.devices),
        ("person", "needs a person", totals.need_person),
        ("halted", "halted", totals.halted),
        ("working", "under way", totals.working),
        ("waiting", "waiting", totals.waiting),
        ("done", "done", totals.done),
    ];
    for (value, label, count) in choices {
        let pressed = value == "all";
        let _ = write!(
            out,
            "<button type=\"button\" data-show=\"{value}\" aria-pressed=\"{pressed}\">{label} {count}</button>"
        );
    }
    out.push_str("<output id=\"shown\"></output></div>");
    out
}
