//! What the lines, shades and marks of a picture mean: those it holds, no others.
//!
//! Responsible for: the legend. Must not know: where anything else is drawn.

use super::ink::{Anchor, Ink};
use super::letters::{Type, width};
use super::rows::mark;
use super::svg::{Frame, MARGIN};
use super::{Drawing, Runs, State};

const LETTERS: Type = Type::plain(11);

/// Width of a sample, and of a sample with its white.
const SAMPLE: i32 = 24;
const BEFORE_WORDS: i32 = 31;
const APART: i32 = 20;
const LINE: i32 = 20;

/// What a sample looks like.
#[derive(Clone, Copy, Debug)]
enum Sample {
    Arrow(&'static str, &'static str),
    Bow,
    Shade(&'static str),
    Sign(State),
}

/// Draws the legend. Returns where it ends.
pub(crate) fn drawn(ink: &mut Ink, frame: Frame, drawing: &Drawing, top: i32) -> i32 {
    ink.line(&[(MARGIN, top), (frame.width - MARGIN, top)], "rule");
    let (mut x, mut y) = (MARGIN, top + 14);
    for (sample, words) in entries(drawing) {
        let length = BEFORE_WORDS + width(&words, LETTERS);
        if x + length > frame.width - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        draw(ink, sample, (x, y));
        let room = width(&words, LETTERS);
        ink.text(
            (x + BEFORE_WORDS, y + 4),
            Anchor::Start,
            LETTERS,
            "soft",
            room,
            &words,
        );
        x += length + APART;
    }
    let note = format!("Dates as of {}; minutes are estimates.", drawing.today);
    y += LINE;
    ink.text(
        (MARGIN, y + 4),
        Anchor::Start,
        LETTERS,
        "soft",
        frame.inner(),
        &note,
    );
    y + 8
}

fn entries(drawing: &Drawing) -> Vec<(Sample, String)> {
    let mut entries = Vec::new();
    let mut add = |wanted: bool, sample, words: &str| {
        if wanted {
            entries.push((sample, words.to_owned()));
        }
    };
    let steps = &drawing.chosen.steps;
    let sure = steps.iter().any(|step| !step.is_off_vendor());
    add(sure, Sample::Arrow("hop", "head"), "chosen hop");
    let off_vendor = drawing.chosen.is_off_vendor();
    let off = Sample::Arrow("hop off", "head off");
    add(off_vendor, off, "off-vendor hop: breaks a rule of the vendor");
    let light = Sample::Arrow("light", "head light");
    add(!drawing.alternatives.is_empty(), light, "alternative");
    add(!drawing.refused.is_empty(), Sample::Bow, "refused");
    let columns = &drawing.columns;
    let ended = columns
        .iter()
        .any(|column| matches!(column.end_of_life, Some((_, true))));
    add(ended, Sample::Shade("ended"), "support has ended");
    let absent = columns.iter().any(|column| column.runs == Runs::No);
    add(absent, Sample::Shade("absent"), "the model does not run it");
    for state in State::ALL {
        // A mark is on a release of the chosen path or of an alternative; both are drawn.
        let marked = drawing
            .releases
            .iter()
            .any(|release| release.marks.iter().any(|mark| mark.state == state));
        add(
            marked,
            Sample::Sign(state),
            &format!("advisory: {}", state.words()),
        );
    }
    entries
}

fn draw(ink: &mut Ink, sample: Sample, (x, y): (i32, i32)) {
    match sample {
        Sample::Arrow(line, head) => ink.arrow(&[(x, y), (x + SAMPLE, y)], line, head),
        Sample::Bow => {
            ink.dot(x + 2, y - 4, 3, "refused-dot");
            ink.bow(x + 2, x + SAMPLE - 4, y - 4, 8, "refused");
            ink.cross(x + SAMPLE - 4, y - 4, "refused-cross");
        }
        Sample::Shade(class) => {
            ink.boxed((x, y - 7), (SAMPLE, 14), 2, class);
            ink.boxed((x, y - 7), (SAMPLE, 14), 2, "frame");
        }
        Sample::Sign(state) => mark(ink, (x, y - 7), state, 1),
    }
}
