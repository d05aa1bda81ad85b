//! What was refused: a bow from release to release for each, in lanes below the paths.
//!
//! Responsible for: which refusals there is room for, and lanes in which neither bows nor words meet. Must not know: why one
//! was refused; rule and reason are only repeated.

use super::ink::{Anchor, Ink};
use super::letters::{Type, fitted, width};
use super::svg::{Frame, MARGIN};
use super::{Drawing, Refused};

/// More refusals than this are a table and no picture.
const MOST: usize = 8;

/// Height of a lane: a bow and the words under it.
const LANE: i32 = 34;
const DEPTH: i32 = 10;

/// White between two refusals in one lane.
const APART: i32 = 14;

/// Half of a bow within one column.
const WITHIN: i32 = 22;

const LETTERS: Type = Type::plain(10);

/// A refusal with its place: the ends of its bow, the left edge of its words, and all that it covers.
#[derive(Debug)]
struct Bow<'d> {
    refused: &'d Refused,
    ends: (i32, i32),
    words: String,
    words_left: i32,
    covers: (i32, i32),
}

/// Draws the refusals there is room for. Returns where they end.
pub(crate) fn refused(ink: &mut Ink, frame: Frame, drawing: &Drawing, top: i32) -> i32 {
    if drawing.refused.is_empty() {
        return top;
    }
    ink.line(&[(MARGIN, top + 4), (frame.width - MARGIN, top + 4)], "rule");
    ink.text(
        (MARGIN + 6, top + 20),
        Anchor::Start,
        Type::bold(11),
        "soft",
        frame.inner() - 12,
        &heading(drawing.refused.len()),
    );
    let first = top + 36;
    let bows: Vec<_> = drawing
        .refused
        .iter()
        .take(MOST)
        .map(|refused| bow(frame, drawing, refused))
        .collect();
    let lanes = lanes(&bows);
    for (bow, lane) in bows.iter().zip(&lanes) {
        draw(ink, drawing, bow, first + lane * LANE);
    }
    first + (lanes.iter().max().copied().unwrap_or(0) + 1) * LANE
}

fn heading(number: usize) -> String {
    let more = match number.saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; {more} more are not drawn"),
    };
    format!("Refused, the reason where the pointer rests{more}")
}

fn bow<'d>(frame: Frame, drawing: &Drawing, refused: &'d Refused) -> Bow<'d> {
    let centre = |release: usize| frame.centre(drawing.releases[release].column);
    let (from, to) = (centre(refused.from), centre(refused.to));
    let ends = if from == to {
        (from - WITHIN, to + WITHIN)
    } else {
        (from, to)
    };
    let words = format!(
        "{} to {}: {}",
        drawing.name(refused.from),
        drawing.name(refused.to),
        refused.rules()
    );
    let words = fitted(&words, LETTERS, frame.inner() - 12);
    let length = width(&words, LETTERS);
    let right_most = frame.width - MARGIN - 6 - length;
    let words_left = ((ends.0 + ends.1 - length) / 2).min(right_most).max(MARGIN + 6);
    let (low, high) = (ends.0.min(ends.1) - 6, ends.0.max(ends.1) + 6);
    Bow {
        refused,
        ends,
        words,
        words_left,
        covers: (low.min(words_left), high.max(words_left + length)),
    }
}

/// The lane of each bow: the first in which it meets no other.
fn lanes(bows: &[Bow<'_>]) -> Vec<i32> {
    let mut lanes: Vec<Vec<(i32, i32)>> = Vec::new();
    let mut chosen = Vec::new();
    for bow in bows {
        let (low, high) = bow.covers;
        let free = |lane: &Vec<(i32, i32)>| {
            lane.iter()
                .all(|(start, end)| high + APART <= *start || end + APART <= low)
        };
        let lane = lanes.iter().position(free).unwrap_or(lanes.len());
        if lane == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[lane].push(bow.covers);
        chosen.push(i32::try_from(lane).unwrap_or(0));
    }
    chosen
}

fn draw(ink: &mut Ink, drawing: &Drawing, bow: &Bow<'_>, y: i32) {
    let refused = bow.refused;
    let (from, to) = (drawing.name(refused.from), drawing.name(refused.to));
    ink.open(
        "",
        &format!("Refused: {from} to {to}\n{}", refused.told().join("\n")),
    );
    ink.dot(bow.ends.0, y, 3, "refused-dot");
    ink.bow(bow.ends.0, bow.ends.1, y, DEPTH, "refused");
    ink.cross(bow.ends.1, y, "refused-cross");
    let at = (bow.words_left, y + DEPTH + 13);
    ink.text(
        at,
        Anchor::Start,
        LETTERS,
        "soft",
        width(&bow.words, LETTERS),
        &bow.words,
    );
    ink.close();
}
