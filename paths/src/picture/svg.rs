//! The picture for people: columns of feature releases, the path across them, what was refused below, and the legend.
//!
//! Responsible for: the order of the parts, the frame they share, heads and shades of the columns. Must not know: how a path
//! was found. Parts are stacked and each says where it ends; texts have rooms of their own, so none runs into another.

use super::ink::{Anchor, Ink};
use super::letters::{Type, first_that_fits};
use super::markup::escaped;
use super::{Column, Drawing, Runs, lanes, legend, rows, steps};

/// What a change request shows without scaling.
const WIDTH: i32 = 1100;

/// White on the left and right.
pub(crate) const MARGIN: i32 = 20;

/// The narrowest column in which a long hotfix (10.2.10-h39) can be read: eleven of them fit.
const NARROWEST: i32 = 96;

/// White between two releases of neighbouring columns: an arrow's length.
const GUTTER: i32 = 14;

/// A release is never drawn wider: beyond it is room for hops.
const WIDEST_NODE: i32 = 128;

/// What a column says below its name.
const HEAD: Type = Type::plain(10);

const STYLE: &str = include_str!("svg.css");

/// What an SVG holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything, hop by hop in words too.
    Alone,
    /// What a table beside it does not say.
    BesideTables,
}

/// Where columns are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) width: i32,
    pub(crate) column: i32,
    columns: i32,
}

impl Frame {
    fn new(columns: usize) -> Self {
        let columns = i32::try_from(columns).unwrap_or(i32::MAX / NARROWEST).max(1);
        let width = WIDTH.max(2 * MARGIN + columns * NARROWEST);
        Self {
            width,
            column: (width - 2 * MARGIN) / columns,
            columns,
        }
    }

    pub(crate) fn inner(self) -> i32 {
        self.width - 2 * MARGIN
    }

    pub(crate) fn left(self, column: usize) -> i32 {
        let column = i32::try_from(column).unwrap_or(0).min(self.columns);
        MARGIN + self.inner() * column / self.columns
    }

    pub(crate) fn centre(self, column: usize) -> i32 {
        self.left(column) + self.column / 2
    }

    pub(crate) fn node(self) -> i32 {
        (self.column - GUTTER).min(WIDEST_NODE)
    }
}

/// The whole SVG.
pub(crate) fn drawn(drawing: &Drawing, extent: Extent) -> String {
    let frame = Frame::new(drawing.columns.len());
    let mut top = Ink::default();
    // Beside tables the page has said the title.
    let under_title = match extent {
        Extent::Alone => title(&mut top, frame, drawing),
        Extent::BesideTables => 4,
    };
    let heads_top = under_title + 8;
    let under_heads = heads(&mut top, frame, drawing, heads_top);

    let mut parts = Ink::default();
    let mut y = rows::chosen(&mut parts, frame, drawing, under_heads);
    for way in &drawing.alternatives {
        y = rows::alternative(&mut parts, frame, drawing, way, y);
    }
    y = lanes::refused(&mut parts, frame, drawing, y);
    let shade_end = y + 6;
    y = shade_end + 10;
    if extent == Extent::Alone {
        y = steps::listed(&mut parts, frame, drawing, y);
    }
    let height = legend::drawn(&mut parts, frame, drawing, y) + 12;

    let mut shades = Ink::default();
    for (index, column) in drawing.columns.iter().enumerate() {
        shade(&mut shades, frame, index, column, (heads_top, shade_end));
    }
    let mut whole = Ink::default();
    whole.raw(&opening(drawing, frame.width, height));
    whole.boxed((0, 0), (frame.width, height), 0, "paper");
    for part in [shades, top, parts] {
        whole.raw(&part.into_text());
    }
    whole.raw("</svg>\n");
    whole.into_text()
}

fn opening(drawing: &Drawing, width: i32, height: i32) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hopgate-path\" role=\"img\" aria-labelledby=\"hopgate-path-title hopgate-path-said\" \
         viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title id=\"hopgate-path-title\">{}</title>\n<desc id=\"hopgate-path-said\">{}</desc>\n<style>\n{STYLE}</style>\n\
         <defs><pattern id=\"hopgate-path-hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <path d=\"M0 0 V7\" class=\"hatch\"/></pattern></defs>\n",
        escaped(&drawing.title()),
        escaped(&in_words(drawing)),
    )
}

/// The picture for those who do not see it.
fn in_words(drawing: &Drawing) -> String {
    let mut said = vec![drawing.summary()];
    for (number, (from, to, step)) in drawing.chosen.legs().enumerate() {
        said.push(format!(
            "Hop {}, {}, from {} to {} in {} minutes{}",
            number + 1,
            step.kind,
            drawing.name(from),
            drawing.name(to),
            step.expected_min,
            if step.is_off_vendor() { ", off-vendor" } else { "" }
        ));
    }
    for refused in &drawing.refused {
        said.push(format!(
            "Refused: {} to {}, {}",
            drawing.name(refused.from),
            drawing.name(refused.to),
            refused.told().join("; ")
        ));
    }
    said.extend(drawing.notes.iter().cloned());
    said.join(". ")
}

fn title(ink: &mut Ink, frame: Frame, drawing: &Drawing) -> i32 {
    let room = frame.inner();
    ink.text(
        (MARGIN, 32),
        Anchor::Start,
        Type::bold(19),
        "ink",
        room,
        &drawing.title(),
    );
    let off_vendor = drawing.chosen.is_off_vendor();
    let (x, class) = if off_vendor {
        ink.warning(MARGIN + 7, 48);
        (MARGIN + 20, "warn")
    } else {
        (MARGIN, "soft")
    };
    let letters = Type {
        size: 12,
        bold: off_vendor,
    };
    ink.text(
        (x, 53),
        Anchor::Start,
        letters,
        class,
        room - 20,
        &drawing.summary(),
    );
    steps::paragraphs(ink, frame, &drawing.notes, 58)
}

/// Lines of a column's head below its name, with their classes.
fn head_lines(column: &Column, room: i32) -> Vec<(String, &'static str)> {
    let mut lines = Vec::new();
    match &column.end_of_life {
        Some((day, true)) => {
            let wordings = [format!("ended {day}"), format!("EoL {day}")];
            let fitting = first_that_fits(&wordings, HEAD, room).unwrap_or(day);
            lines.push((fitting.to_owned(), "warn"));
        }
        Some((day, false)) => lines.push((format!("until {day}"), "soft")),
        None => lines.push(("end not known".to_owned(), "soft")),
    }
    if let Some(content) = &column.content {
        lines.push((format!("content {content}"), "soft"));
    }
    match &column.runs {
        Runs::All => {}
        Runs::From(minimum) => lines.push((format!("from {minimum}"), "soft")),
        Runs::No => lines.push(("not on model".to_owned(), "bad")),
    }
    lines
}

fn heads(ink: &mut Ink, frame: Frame, drawing: &Drawing, top: i32) -> i32 {
    let mut deepest = 0;
    for (index, column) in drawing.columns.iter().enumerate() {
        let x = frame.centre(index);
        let room = frame.column - 8;
        let lines = head_lines(column, room);
        ink.text(
            (x, top + 22),
            Anchor::Middle,
            Type::bold(15),
            "ink",
            room,
            &column.name,
        );
        let mut y = top + 38;
        for (line, class) in &lines {
            ink.text((x, y), Anchor::Middle, HEAD, class, room, line);
            y += 14;
        }
        deepest = deepest.max(y);
    }
    let under = deepest.max(top + 38);
    ink.line(&[(MARGIN, under), (frame.width - MARGIN, under)], "rule");
    under
}

/// The ground of a column: ended, not on this model, or bare, with a thin line to its left.
fn shade(ink: &mut Ink, frame: Frame, index: usize, column: &Column, (top, end): (i32, i32)) {
    let at = (frame.left(index), top);
    let size = (frame.left(index + 1) - at.0, end - top);
    if let Some((day, true)) = &column.end_of_life {
        ink.open("", &format!("Support of {} ended {day}", column.name));
        ink.boxed(at, size, 0, "ended");
        ink.close();
    }
    if column.runs == Runs::No {
        ink.open("", &format!("The model does not run {}", column.name));
        ink.boxed(at, size, 0, "absent");
        ink.close();
    }
    if index > 0 {
        ink.line(&[at, (at.0, end)], "grid");
    }
}
