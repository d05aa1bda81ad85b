//! The story as plain text of at most 110 columns, without colours or control sequences.
//!
//! Everything that a device answered passes [`visible`] on its way here.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::wording::{
    SHORTEST_WAIT_MIN, clock, duration, hop_word, leap, measured, minute, off_vendor, progress, second,
    standings, state_word, visible, waited,
};
use crate::story::{CampaignState, DeviceStanding, DeviceStory, HopState, HopStory, Story};

/// Columns of every line. Wide enough for a path of three hops, narrow enough for a split screen.
const COLUMNS: u16 = 110;

/// Reasons for waiting that fit into a row; the timeline of the device has all of them.
const WAITS_SHOWN: usize = 2;

/// Where text begins in a timeline: after `2026-03-07 22:00:00  `.
const TEXT_COLUMN: usize = 21;

/// The table by itself, with who pinned what is marked in it.
pub(super) fn table(story: &Story) -> String {
    let mut out = Text::new();
    out.raw(&rows(story));
    if let Some(mark) = off_vendor(&story.campaign) {
        out.line(&mark);
    }
    out.done()
}

fn rows(story: &Story) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(COLUMNS)
        .force_no_tty()
        .set_header(["device", "model", "from -> now", "hops", "state", "waited for"]);
    for device in &story.devices {
        let hops: Vec<String> = device.hops.iter().map(hop_cell).collect();
        let waited: Vec<String> = waited(device)
            .into_iter()
            .take(WAITS_SHOWN)
            .map(|(cause, minutes)| format!("{} {}", cause.label(), short(minutes)))
            .collect();
        table.add_row([
            device.device.to_string(),
            visible(&device.model),
            progress(device),
            hops.join("\n"),
            state_cell(device),
            waited.join("\n"),
        ]);
    }
    // Names and releases are what people search for: they keep their width, the sentences wrap.
    let constraints =
        [22, 9, 20, 30, 25, 24].map(|width| ColumnConstraint::UpperBoundary(Width::Fixed(width)));
    table.set_constraints(constraints);
    trimmed(&table.to_string())
}

fn trimmed(text: &str) -> String {
    let mut lines: String = text
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    lines.truncate(lines.trim_end().len());
    lines.push('\n');
    lines
}

/// `45m`, `2h05m`: for cells, where there is no room for words.
fn short(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h{minutes:02}m"),
    }
}

fn hop_cell(hop: &HopStory) -> String {
    let mark = if hop.is_off_vendor() { " OFF-VENDOR" } else { "" };
    let so_far = match (hop.minutes, hop.state) {
        (Some(minutes), HopState::Done) => short(minutes),
        (Some(minutes), _) => format!("{} so far", short(minutes)),
        (None, state) => hop_word(state).to_owned(),
    };
    format!("{} {so_far}{mark}", hop.to)
}

fn state_cell(device: &DeviceStory) -> String {
    let word = device.state.standing.label();
    match device.state.standing {
        DeviceStanding::Halted => match device.halts.last() {
            Some(halt) => format!("{word}: {}", halt.reason.code()),
            None => word.to_owned(),
        },
        DeviceStanding::Working => format!("{} since {}", device.state.phase, clock(device.state.since)),
        DeviceStanding::Waiting => match device.waits.last().filter(|wait| wait.until.is_none()) {
            Some(wait) => format!("{word}: {}", wait.cause.label()),
            None => word.to_owned(),
        },
        DeviceStanding::Done => word.to_owned(),
    }
}

pub(super) fn status(story: &Story) -> String {
    let campaign = &story.campaign;
    let mut out = Text::new();
    out.line(&format!(
        "campaign {}: {}, target {}, plan {}",
        campaign.name,
        state_word(campaign),
        campaign.target,
        campaign.plan.short()
    ));
    out.line(&format!(
        "launched by {}, window {} to {}; as of {}, all times UTC",
        campaign.launcher,
        minute(campaign.window.opens),
        minute(campaign.window.closes),
        second(campaign.last_record)
    ));
    if let Some(mark) = off_vendor(campaign) {
        out.line(&mark);
    }
    out.line(&counts(story));
    needs(story, &mut out);
    out.blank();
    out.raw(&rows(story));
    out.done()
}

fn counts(story: &Story) -> String {
    let totals = &story.totals;
    let mut text = format!(
        "{} devices: {}; {} of {} hops done",
        totals.devices,
        standings(totals),
        totals.hops_done,
        totals.hops
    );
    if let Some(median) = totals.median_hop_minutes {
        text.push_str(&format!(", median {}", duration(median)));
    }
    if let Some(slowest) = &totals.slowest {
        let minutes = duration(slowest.minutes);
        text.push_str(&format!(
            ", slowest {minutes} ({} hop {})",
            slowest.device, slowest.hop
        ));
    }
    text
}

fn needs(story: &Story, out: &mut Text) {
    let devices: Vec<&DeviceStory> = story
        .devices
        .iter()
        .filter(|device| device.state.needs_person)
        .collect();
    let campaign = story
        .campaign
        .needs
        .as_deref()
        .filter(|_| story.campaign.state != CampaignState::Finished);
    if devices.is_empty() && campaign.is_none() {
        return;
    }
    out.blank();
    out.line("needs a person:");
    if let Some(need) = campaign {
        out.hanging(2, &format!("campaign: {need}"));
    }
    for device in devices {
        let since = minute(device.state.since);
        out.hanging(
            2,
            &format!("{}: {} (since {since})", device.device, device.state.text),
        );
        if let Some(step) = &device.state.next_step {
            out.hanging(4, &format!("next: {step}"));
        }
    }
}

pub(super) fn timeline(story: &Story, device: &DeviceStory) -> String {
    let mut out = Text::new();
    let wave = device.wave.as_ref().map_or_else(
        || "no wave of the present plan".to_owned(),
        |wave| format!("wave {wave}"),
    );
    let peer = device
        .peer
        .as_ref()
        .map_or_else(String::new, |peer| format!(", HA peer {peer}"));
    out.line(&format!(
        "{}: {} {}, {wave} of campaign {}{peer}; all times UTC",
        device.device, device.model, device.serial, story.campaign.name
    ));
    out.line(&format!(
        "{}, target {}; {}: {}",
        progress(device),
        device.target,
        device.state.standing.label(),
        device.state.text
    ));
    if let Some(step) = &device.state.next_step {
        out.line(&format!("next: {step}"));
    }
    for hop in &device.hops {
        hop_lines(story, hop, &mut out);
    }
    out.blank();
    for (at, text) in interleaved(device) {
        out.hanging_after(&format!("{}  ", second(at)), TEXT_COLUMN, &text);
    }
    out.done()
}

fn hop_lines(story: &Story, hop: &HopStory, out: &mut Text) {
    let mut text = format!(
        "hop {}: {}, {}",
        hop.number,
        leap(hop.from, hop.to),
        hop_word(hop.state)
    );
    if let Some(measured) = measured(hop) {
        text.push_str(&format!(", {measured}"));
    }
    out.hanging(2, &text);
    if !hop.is_off_vendor() {
        return;
    }
    if let Some(mark) = off_vendor(&story.campaign) {
        out.hanging(4, &mark);
    }
    for rule in &hop.broken_rules {
        out.hanging(4, &format!("breaks {}: {}", rule.rule, rule.text));
    }
}

/// Records, and the waits between them that somebody noticed; a wait comes after the record that began it.
fn interleaved(device: &DeviceStory) -> Vec<(jiff::Timestamp, String)> {
    let mut lines: Vec<(jiff::Timestamp, String)> = device
        .timeline
        .iter()
        .map(|line| (line.at, line.text.clone()))
        .collect();
    let waits = device
        .waits
        .iter()
        .filter(|wait| wait.minutes >= SHORTEST_WAIT_MIN || wait.until.is_none());
    for wait in waits {
        let how_long = match wait.until {
            Some(_) => format!("waited {}", duration(wait.minutes)),
            None => "waits".to_owned(),
        };
        let after = lines.partition_point(|(at, _)| *at <= wait.from);
        lines.insert(
            after,
            (
                wait.from,
                format!("  {how_long} for {}: {}", wait.cause.label(), wait.why),
            ),
        );
    }
    lines
}

/// Lines of text, wrapped.
struct Text(String);

impl Text {
    fn new() -> Self {
        Text(String::new())
    }

    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn line(&mut self, text: &str) {
        self.hanging_after("", 2, text);
    }

    fn hanging(&mut self, indent: usize, text: &str) {
        self.hanging_after(&" ".repeat(indent), indent + 2, text);
    }

    /// `text` after `lead`, its further lines indented by `indent`. A word longer than a line is cut: it is foreign.
    fn hanging_after(&mut self, lead: &str, indent: usize, text: &str) {
        let text = visible(text);
        let mut column = lead.chars().count();
        self.0.push_str(lead);
        let leading = text.len() - text.trim_start().len();
        self.0.push_str(&" ".repeat(leading));
        column += leading;
        let mut fresh = true;
        for word in text.split_whitespace() {
            let room = usize::from(COLUMNS);
            let length = word.chars().count();
            if !fresh && column + 1 + length > room {
                self.new_line(indent);
                (column, fresh) = (indent, true);
            }
            if !fresh {
                self.0.push(' ');
                column += 1;
            }
            for character in word.chars() {
                if column == room {
                    self.new_line(indent);
                    column = indent;
                }
                self.0.push(character);
                column += 1;
            }
            fresh = false;
        }
        self.0.push('\n');
    }

    fn new_line(&mut self, indent: usize) {
        self.0.push('\n');
        self.0.push_str(&" ".repeat(indent));
    }

    fn done(self) -> String {
        self.0
    }
}
