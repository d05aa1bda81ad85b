//! The strokes an SVG is made of: texts, boxes, lines, arrowheads and the signs beside them.
//!
//! Responsible for: well-formed SVG, whatever the texts hold. Must not know: paths, releases or where anything belongs. Every
//! text carries its size and anchor as attributes, so that a test can measure whether two of them overlap.

use std::fmt::Write as _;

use super::letters::{self, Type};
use super::markup::{escaped, on_one_line};

/// From which point of a text its place is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
}

/// Half the width of an arrowhead, and its length.
const HEAD: i32 = 5;

/// Radius of a numbered disc.
pub(crate) const DISC: i32 = 8;

/// An SVG being drawn.
#[derive(Debug, Default)]
pub(crate) struct Ink {
    out: String,
}

impl Ink {
    pub(crate) fn into_text(self) -> String {
        self.out
    }

    /// Shapes until [`Ink::close`] belong together; the title is shown where the pointer rests on them.
    pub(crate) fn open(&mut self, class: &str, title: &str) {
        let _ = write!(self.out, "<g class=\"{class}\">");
        if !title.is_empty() {
            let _ = write!(self.out, "<title>{}</title>", escaped(title));
        }
        self.out.push('\n');
    }

    pub(crate) fn close(&mut self) {
        self.out.push_str("</g>\n");
    }

    /// A text cut to `room`, all of it on hover where it was cut.
    pub(crate) fn text(
        &mut self,
        at: (i32, i32),
        anchor: Anchor,
        letters: Type,
        class: &str,
        room: i32,
        text: &str,
    ) {
        let line = on_one_line(text);
        let shown = letters::fitted(&line, letters, room);
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
        };
        let weight = if letters.bold { " font-weight=\"700\"" } else { "" };
        let _ = write!(
            self.out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" font-size=\"{}\"{weight} class=\"{class}\">",
            at.0, at.1, letters.size
        );
        if shown != line {
            let _ = write!(self.out, "<title>{}</title>", escaped(text));
        }
        let _ = writeln!(self.out, "{}</text>", escaped(&shown));
    }

    pub(crate) fn boxed(&mut self, at: (i32, i32), size: (i32, i32), round: i32, class: &str) {
        let _ = writeln!(
            self.out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{round}\" class=\"{class}\"/>",
            at.0, at.1, size.0, size.1
        );
    }

    /// A line through corners.
    pub(crate) fn line(&mut self, corners: &[(i32, i32)], class: &str) {
        let points: Vec<_> = corners.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let _ = writeln!(
            self.out,
            "<polyline points=\"{}\" class=\"{class}\"/>",
            points.join(" ")
        );
    }

    /// A line through corners with a head at its last one; the last piece must be longer than the head.
    pub(crate) fn arrow(&mut self, corners: &[(i32, i32)], class: &str, head: &str) {
        let [.., (from_x, from_y), (x, y)] = corners else {
            return;
        };
        let (dx, dy) = ((x - from_x).signum(), (y - from_y).signum());
        let neck = (x - dx * HEAD, y - dy * HEAD);
        let mut shaft = corners.to_vec();
        if let Some(last) = shaft.last_mut() {
            *last = neck;
        }
        self.line(&shaft, class);
        let _ = writeln!(
            self.out,
            "<polygon points=\"{x},{y} {},{} {},{}\" class=\"{head}\"/>",
            neck.0 - dx * 3 - dy * HEAD,
            neck.1 - dy * 3 - dx * HEAD,
            neck.0 - dx * 3 + dy * HEAD,
            neck.1 - dy * 3 + dx * HEAD,
        );
    }

    /// A shallow bow below its two ends.
    pub(crate) fn bow(&mut self, from: i32, to: i32, y: i32, depth: i32, class: &str) {
        let bend = 12.min((to - from).abs() / 2) * (to - from).signum();
        let _ = writeln!(
            self.out,
            "<path d=\"M{from} {y} Q{from} {low} {} {low} L{} {low} Q{to} {low} {to} {y}\" class=\"{class}\"/>",
            from + bend,
            to - bend,
            low = y + depth,
        );
    }

    /// A small cross: no way through here.
    pub(crate) fn cross(&mut self, x: i32, y: i32, class: &str) {
        let _ = writeln!(
            self.out,
            "<path d=\"M{} {} L{} {} M{} {} L{} {}\" class=\"{class}\"/>",
            x - 4,
            y - 4,
            x + 4,
            y + 4,
            x - 4,
            y + 4,
            x + 4,
            y - 4
        );
    }

    pub(crate) fn dot(&mut self, x: i32, y: i32, radius: i32, class: &str) {
        let _ = writeln!(
            self.out,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" class=\"{class}\"/>"
        );
    }

    /// A number on a disc around `(x, y)`.
    pub(crate) fn numbered(&mut self, x: i32, y: i32, number: usize, class: &str) {
        self.dot(x, y, DISC, class);
        let letters = Type::bold(if number > 9 { 9 } else { 10 });
        self.text(
            (x, y + 4),
            Anchor::Middle,
            letters,
            "on-dark",
            2 * DISC,
            &number.to_string(),
        );
    }

    /// A warning triangle, 14 wide, around `(x, y)`.
    pub(crate) fn warning(&mut self, x: i32, y: i32) {
        let _ = writeln!(
            self.out,
            "<path d=\"M{x} {} L{} {} L{} {} Z\" class=\"triangle\"/>\n<path d=\"M{x} {} V{} M{x} {} V{}\" class=\"bang\"/>",
            y - 7,
            x + 7,
            y + 6,
            x - 7,
            y + 6,
            y - 3,
            y + 2,
            y + 3,
            y + 5,
        );
    }

    /// Something written by this program and already markup.
    pub(crate) fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }
}
