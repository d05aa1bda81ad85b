//! Shows the story of a campaign to people: one HTML page that needs nothing else, and plain text for the terminal.
//!
//! A pure function of the story. Whatever a device answered is data: it reaches neither the page as markup nor the
//! terminal as a control sequence. All times are UTC, and every output says so.

use hopgate_core::names::DeviceId;

use crate::story::Story;

mod gantt;
mod page;
mod sections;
mod terminal;
#[cfg(test)]
mod tests;
mod wording;

pub(crate) use page::base64;
pub(crate) use wording::{Escaped, visible};

/// The whole report as one HTML file: no request leaves it, light and dark, for screens, phones and paper.
pub fn html(story: &Story) -> String {
    page::page(story)
}

/// One row a device, at most 110 columns wide: path with minutes, state, and what it waited for.
pub fn table(story: &Story) -> String {
    terminal::table(story)
}

/// What `hopgate status` prints: where the campaign stands, what needs a person, and the table. At most 110 columns.
pub fn status_text(story: &Story) -> String {
    terminal::status(story)
}

/// What `hopgate timeline DEVICE` prints: every record of a device's stream with its waits in between, at most 110
/// columns wide; nothing where the campaign has no such device.
pub fn timeline_text(story: &Story, device: &DeviceId) -> Option<String> {
    story
        .device(device)
        .map(|device| terminal::timeline(story, device))
}
