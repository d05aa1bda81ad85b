//! The hops of the chosen path in words, and what a reader has to know first.
//!
//! Responsible for: sentences and their line breaks inside a picture. Must not know: where hops are drawn.

use super::ink::{Anchor, DISC, Ink};
use super::letters::{Type, lines, width};
use super::svg::{Frame, MARGIN};
use super::{Drawing, Step};

const LETTERS: Type = Type::plain(12);
const STRONG: Type = Type::bold(12);
const LINE: i32 = 17;

/// Where words begin, right of a hop's number.
const INDENT: i32 = MARGIN + 2 * DISC + 8;

/// Paragraphs, one under the other from `top` on. Returns where they end.
pub(crate) fn paragraphs(ink: &mut Ink, frame: Frame, texts: &[String], top: i32) -> i32 {
    let mut y = top;
    for text in texts {
        y = wrapped(ink, frame, (MARGIN, y), "ink", text);
    }
    y
}

/// The hops, numbered as in the picture. Returns where they end.
pub(crate) fn listed(ink: &mut Ink, frame: Frame, drawing: &Drawing, top: i32) -> i32 {
    let mut y = top;
    for (index, (from, to, step)) in drawing.chosen.legs().enumerate() {
        let off_vendor = step.is_off_vendor();
        let class = if off_vendor { "disc off" } else { "disc" };
        ink.numbered(MARGIN + DISC, y + LINE - 4, index + 1, class);
        let title = format!("{} to {}", drawing.name(from), drawing.name(to));
        let room = (frame.inner() - INDENT) / 2;
        ink.text((INDENT, y + LINE), Anchor::Start, STRONG, "ink", room, &title);
        let after = INDENT + width(&title, STRONG).min(room) + 10;
        y = beside(ink, frame, (after, y), &sentence(step));
        for broken in &step.broken {
            ink.warning(INDENT + 7, y + LINE - 4);
            let text = format!("{}: {} ({})", broken.rule, broken.text, broken.source);
            y = wrapped(ink, frame, (INDENT + 20, y), "warn", &text);
        }
    }
    y + 14
}

/// What a hop takes, on as little room as it can be said.
pub(crate) fn sentence(step: &Step) -> String {
    let mut parts = vec![step.kind.clone()];
    if !step.images.is_empty() {
        parts.push(format!("images {}", step.images.join(", ")));
    }
    parts.extend(step.content.iter().map(|content| format!("content {content}")));
    parts.extend(step.configuration.iter().cloned());
    parts.push(format!("{} min, {} at worst", step.expected_min, step.worst_min));
    parts.join(" · ")
}

/// A sentence that begins beside something and goes on below it.
fn beside(ink: &mut Ink, frame: Frame, (x, top): (i32, i32), text: &str) -> i32 {
    let right = frame.width - MARGIN;
    let first = lines(text, LETTERS, right - x)
        .into_iter()
        .next()
        .unwrap_or_default();
    ink.text((x, top + LINE), Anchor::Start, LETTERS, "soft", right - x, &first);
    // What was cut in the first line ends in an ellipsis and is not said again.
    match text.strip_prefix(&first) {
        Some(rest) => wrapped(ink, frame, (INDENT, top + LINE), "soft", rest),
        None => top + LINE,
    }
}

fn wrapped(ink: &mut Ink, frame: Frame, (x, top): (i32, i32), class: &str, text: &str) -> i32 {
    let room = frame.width - MARGIN - x;
    let mut y = top;
    for line in lines(text, LETTERS, room) {
        y += LINE;
        ink.text((x, y), Anchor::Start, LETTERS, class, room, &line);
    }
    y
}
