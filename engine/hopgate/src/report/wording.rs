//! How instants, durations, paths and foreign text are written, the same on the page and on the terminal.
//!
//! Must not know HTML layout or terminal layout; knows how to keep foreign text from being either.

use std::fmt::{self, Write as _};

use hopgate_paths::Version;
use jiff::Timestamp;

use crate::story::{CampaignState, CampaignStory, DeviceStory, HopState, HopStory, Totals, WaitCause};

/// Waits shorter than this are moments between two records, which no person waited for.
pub(super) const SHORTEST_WAIT_MIN: u32 = 1;

/// Day and time to the minute, UTC.
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Day and time to the second, UTC.
pub(super) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Time of day to the minute, UTC.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}

/// `45 min`, `2 h 05 min`.
pub(super) fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// Whether a character could change what is shown around it instead of being shown: controls, and the marks that
/// reorder text. Tabs and line breaks count, since a record is one line.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Text in which every character that acts is spelled out, as `\u{1b}`.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if acts(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A value inside HTML text or a double-quoted attribute.
pub(crate) struct Escaped<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                acting if acts(acting) => write!(f, "{}", acting.escape_unicode())?,
                plain => f.write_char(plain)?,
            }
        }
        Ok(())
    }
}

/// The campaign's state in one word.
pub(super) fn state_word(campaign: &CampaignStory) -> &'static str {
    match campaign.state {
        CampaignState::Running => "running",
        CampaignState::Halted => "HALTED",
        CampaignState::Finished => "finished",
    }
}

/// Who pinned the off-vendor path, and why; nothing where the campaign stays on the vendor's.
pub(super) fn off_vendor(campaign: &CampaignStory) -> Option<String> {
    match &campaign.pin {
        Some(pin) if campaign.off_vendor => Some(format!("OFF-VENDOR, pinned by {}: {}", pin.by, pin.reason)),
        None if campaign.off_vendor => Some("OFF-VENDOR, and no pin is recorded".to_owned()),
        Some(_) | None => None,
    }
}

/// From where to where a device came so far: `10.1.14 -> 10.2.7`, or one release where it did not move, with what was
/// seen since where that differs.
pub(super) fn progress(device: &DeviceStory) -> String {
    let mut text = if device.now == device.from {
        device.from.to_string()
    } else {
        leap(device.from, device.now)
    };
    if let Some(seen) = device.seen {
        let _ = write!(text, " (seen: {seen})");
    }
    text
}

/// What was measured of a hop: `37 min (install 12, reboot 15)`; nothing where it has not started.
pub(super) fn measured(hop: &HopStory) -> Option<String> {
    let mut text = duration(hop.minutes?);
    if hop.state != HopState::Done {
        text.push_str(" so far");
    }
    let parts = [("install", hop.install_minutes), ("reboot", hop.reboot_minutes)];
    let parts: Vec<String> = parts
        .iter()
        .filter_map(|(name, minutes)| minutes.map(|minutes| format!("{name} {minutes}")))
        .collect();
    if !parts.is_empty() {
        let _ = write!(text, " ({})", parts.join(", "));
    }
    Some(text)
}

/// `10.1.14 -> 10.2.7`.
pub(super) fn leap(from: Version, to: Version) -> String {
    format!("{from} -> {to}")
}

/// What a device waited for since the campaign began, longest first.
pub(super) fn waited(device: &DeviceStory) -> Vec<(WaitCause, u32)> {
    let mut causes: Vec<(WaitCause, u32)> = Vec::new();
    for wait in &device.waits {
        match causes.iter_mut().find(|(cause, _)| *cause == wait.cause) {
            Some((_, minutes)) => *minutes += wait.minutes,
            None => causes.push((wait.cause, wait.minutes)),
        }
    }
    causes.retain(|(_, minutes)| *minutes >= SHORTEST_WAIT_MIN);
    causes.sort_by_key(|(cause, minutes)| (std::cmp::Reverse(*minutes), *cause));
    causes
}

/// `4 done, 1 under way, 1 waiting, 1 HALTED`, without what there is none of.
pub(super) fn standings(totals: &Totals) -> String {
    let counts = [
        (totals.done, "done"),
        (totals.working, "under way"),
        (totals.waiting, "waiting"),
        (totals.halted, "HALTED"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    counts.join(", ")
}

/// Where a hop stands, in a word.
pub(super) fn hop_word(state: HopState) -> &'static str {
    match state {
        HopState::Ahead => "ahead",
        HopState::UnderWay => "under way",
        HopState::AtRest => "at rest",
        HopState::Halted => "halted",
        HopState::Done => "done",
    }
}
