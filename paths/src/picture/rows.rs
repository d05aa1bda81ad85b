//! A way from release to release as a row of the picture: its releases in their columns, its hops between them.
//!
//! Responsible for: places of releases, hops, their numbers and minutes, and advisory marks in one row. Must not know: other
//! rows. The first release of a column stands on the row's line and later ones of the same column below it, so every hop
//! between columns runs on that line, its words above it have a room of their own, and what a skipped column holds is crossed
//! by nothing but the line.

use std::collections::BTreeMap;

use super::ink::{Anchor, DISC, Ink};
use super::letters::{Type, first_that_fits, width};
use super::svg::{Frame, MARGIN};
use super::{Drawing, Mark, Shown, State, Step, Way, counted};

/// Width and height of an advisory mark, and how far apart marks are.
const MARK: (i32, i32) = (24, 14);
const MARK_PITCH: (i32, i32) = (27, 18);

/// Where a hop down a column runs, from the left edge of its releases; marks and words stand right of it.
const DESCENT: i32 = 8;
const BESIDE_DESCENT: i32 = 18;

/// Where marks stand, from the left edge of a release that no hop leaves downwards.
const MARKS_INDENT: i32 = 4;

/// The look of a row.
#[derive(Clone, Copy, Debug)]
struct Look {
    height: i32,
    letters: Type,
    minutes: Type,
    numbered: bool,
}

const CHOSEN: Look = Look {
    height: 28,
    letters: Type::bold(13),
    minutes: Type::plain(11),
    numbered: true,
};

const ALTERNATIVE: Look = Look {
    height: 22,
    letters: Type::plain(11),
    minutes: Type::plain(10),
    numbered: false,
};

/// The smallest size of letters for a release whose name is long.
const SMALLEST: i32 = 10;

/// A row as it is drawn: where its line is and how far apart releases of one column are.
#[derive(Debug)]
struct Row<'d> {
    drawing: &'d Drawing,
    way: &'d Way,
    frame: Frame,
    look: Look,
    /// Column and place in it of each station.
    places: Vec<(usize, i32)>,
    /// Top of the releases on the line.
    top: i32,
    pitch: i32,
}

/// The chosen path. Returns where it ends.
pub(crate) fn chosen(ink: &mut Ink, frame: Frame, drawing: &Drawing, top: i32) -> i32 {
    if drawing.chosen.stations.is_empty() {
        ink.text(
            (MARGIN + 6, top + 22),
            Anchor::Start,
            Type::bold(12),
            "bad",
            frame.inner() - 12,
            &format!("No path from {} to {}", drawing.from, drawing.to),
        );
        return top + 32;
    }
    row(ink, frame, drawing, &drawing.chosen, CHOSEN, top + 6)
}

/// One alternative under a line that says why it is there. Returns where it ends.
pub(crate) fn alternative(ink: &mut Ink, frame: Frame, drawing: &Drawing, way: &Way, top: i32) -> i32 {
    let off_vendor = if way.is_off_vendor() { ", off-vendor" } else { "" };
    let heading = format!(
        "Alternative: {} ({}, {} minutes{off_vendor})",
        way.label,
        counted(way.steps.len(), "hop"),
        way.expected_minutes()
    );
    ink.line(&[(MARGIN, top + 4), (frame.width - MARGIN, top + 4)], "rule");
    ink.text(
        (MARGIN + 6, top + 20),
        Anchor::Start,
        Type::bold(11),
        "soft",
        frame.inner() - 12,
        &heading,
    );
    row(ink, frame, drawing, way, ALTERNATIVE, top + 20)
}

fn row(ink: &mut Ink, frame: Frame, drawing: &Drawing, way: &Way, look: Look, top: i32) -> i32 {
    let places = places(drawing, way);
    let under = |index: usize| mark_rows(frame, &drawing.releases[way.stations[index]].marks) * MARK_PITCH.1;
    let stations = 0..way.stations.len();
    // Only where a release stands below another do marks push it down.
    let over_another = stations.clone().filter(|index| descends(&places, *index));
    let pitch = look.height + over_another.map(under).max().unwrap_or(0) + 26;
    let row = Row {
        drawing,
        way,
        frame,
        look,
        places,
        // Above the line: the words of hops between columns.
        top: top + 26,
        pitch,
    };
    for (index, step) in way.steps.iter().enumerate() {
        row.hop(ink, index, step);
    }
    for (index, station) in way.stations.iter().enumerate() {
        row.release(ink, index, *station);
    }
    let ends = stations.map(|index| row.top_of(row.places[index].1) + look.height + under(index));
    ends.max().unwrap_or(row.top) + 10
}

/// Whether the hop that leaves a station goes down its column.
fn descends(places: &[(usize, i32)], index: usize) -> bool {
    places
        .get(index + 1)
        .is_some_and(|next| next.0 == places[index].0)
}

/// The first station of a column stands on the line, each later one a place lower.
fn places(drawing: &Drawing, way: &Way) -> Vec<(usize, i32)> {
    let mut taken = BTreeMap::new();
    let places = way.stations.iter().map(|station| {
        let column = drawing.releases[*station].column;
        let place = taken.entry(column).or_insert(0);
        *place += 1;
        (column, *place - 1)
    });
    places.collect()
}

impl Row<'_> {
    fn left(&self, column: usize) -> i32 {
        self.frame.centre(column) - self.frame.node() / 2
    }

    fn top_of(&self, place: i32) -> i32 {
        self.top + place * self.pitch
    }

    fn release(&self, ink: &mut Ink, index: usize, station: usize) {
        let (column, place) = self.places[index];
        let (left, top) = (self.left(column), self.top_of(place));
        let (node, height) = (self.frame.node(), self.look.height);
        let last = index + 1 == self.way.stations.len();
        let (role, class) = match index {
            0 => ("Runs now", "node start"),
            _ if last => ("Target", "node target"),
            _ => ("Stop", "node stop"),
        };
        let name = self.drawing.name(station);
        let class = if self.look.numbered { class } else { "node light" };
        ink.open("", &format!("{role}: {name}"));
        ink.boxed((left, top), (node, height), 6, class);
        let on = if self.look.numbered && last {
            "on-dark"
        } else {
            "ink"
        };
        let size = (SMALLEST..=self.look.letters.size).rev().find(|size| {
            let letters = Type {
                size: *size,
                ..self.look.letters
            };
            width(name, letters) <= node - 8
        });
        let letters = Type {
            size: size.unwrap_or(SMALLEST),
            ..self.look.letters
        };
        let baseline = top + height / 2 + letters.size * 2 / 5;
        ink.text(
            (left + node / 2, baseline),
            Anchor::Middle,
            letters,
            on,
            node - 8,
            name,
        );
        ink.close();
        let beside = if descends(&self.places, index) {
            BESIDE_DESCENT
        } else {
            MARKS_INDENT
        };
        marks(
            ink,
            self.frame,
            (left + beside, top + height + 4),
            &self.drawing.releases[station],
        );
    }

    fn hop(&self, ink: &mut Ink, index: usize, step: &Step) {
        let (from, to) = (self.places[index], self.places[index + 1]);
        let (line, head) = match (self.look.numbered, step.is_off_vendor()) {
            (true, false) => ("hop", "head"),
            (true, true) => ("hop off", "head off"),
            (false, false) => ("light", "head light"),
            (false, true) => ("light off", "head light off"),
        };
        ink.open("", &self.title(index, step));
        if from.0 == to.0 {
            self.down(ink, index, step, (line, head));
        } else {
            self.across(ink, index, step, (line, head));
        }
        ink.close();
    }

    /// Between columns, on the row's line; from a lower release it first climbs beside its column.
    fn across(&self, ink: &mut Ink, index: usize, step: &Step, (line, head): (&str, &str)) {
        let ((from, place), (to, arrives)) = (self.places[index], self.places[index + 1]);
        let ahead = if to > from { 1 } else { -1 };
        let reach = self.frame.node() / 2;
        let y = |place| self.top_of(place) + self.look.height / 2;
        let leaves = self.frame.centre(from) + ahead * reach;
        let enters = self.frame.centre(to) - ahead * reach;
        let mut corners = vec![(leaves, y(place))];
        if place > 0 {
            corners.extend([(leaves + ahead * 4, y(place)), (leaves + ahead * 4, y(0))]);
        }
        if arrives > 0 {
            corners.extend([(enters - ahead * 10, y(0)), (enters - ahead * 10, y(arrives))]);
        }
        corners.push((enters, y(arrives)));
        ink.arrow(&corners, line, head);

        let before = self.before(step);
        let between = (enters - leaves).abs() - 20 - before;
        let (baseline, words) = match self.words(step, between) {
            Some(words) => (y(0) - 8, words),
            None => {
                let room = (self.frame.centre(from) - self.frame.centre(to)).abs() - 8 - before;
                (self.top - 8, self.minutes(step, room))
            }
        };
        let length = before + width(&words, self.look.minutes);
        let start = (leaves + enters - length) / 2;
        self.say(ink, index, step, (start, baseline), &words);
    }

    /// Within a column, from one release to the next below it.
    fn down(&self, ink: &mut Ink, index: usize, step: &Step, (line, head): (&str, &str)) {
        let ((column, from), (_, to)) = (self.places[index], self.places[index + 1]);
        let x = self.left(column) + DESCENT;
        ink.arrow(
            &[(x, self.top_of(from) + self.look.height), (x, self.top_of(to))],
            line,
            head,
        );
        let at = (self.left(column) + BESIDE_DESCENT, self.top_of(to) - 8);
        let room = self.frame.node() - BESIDE_DESCENT - self.before(step);
        let words = self.minutes(step, room);
        self.say(ink, index, step, at, &words);
    }

    /// The number, the warning sign and the words of a hop, from left to right.
    fn say(&self, ink: &mut Ink, index: usize, step: &Step, (mut x, baseline): (i32, i32), words: &str) {
        if self.look.numbered {
            let class = if step.is_off_vendor() { "disc off" } else { "disc" };
            ink.numbered(x + DISC, baseline - 4, index + 1, class);
            x += 2 * DISC + 3;
        }
        if step.is_off_vendor() {
            ink.warning(x + 7, baseline - 4);
            x += 17;
        }
        if !words.is_empty() {
            let class = match (step.is_off_vendor(), self.look.numbered) {
                (true, _) => "warn",
                (false, true) => "ink",
                (false, false) => "soft",
            };
            let room = width(words, self.look.minutes);
            ink.text(
                (x, baseline),
                Anchor::Start,
                self.look.minutes,
                class,
                room,
                words,
            );
        }
    }

    /// What the number and the sign of a hop take up before its words.
    fn before(&self, step: &Step) -> i32 {
        let number = if self.look.numbered { 2 * DISC + 3 } else { 0 };
        number + if step.is_off_vendor() { 17 } else { 0 }
    }

    /// The words of a hop that has room on its line.
    fn words(&self, step: &Step, room: i32) -> Option<String> {
        let minutes = format!("{} min", step.expected_min);
        let kind = if step.is_off_vendor() {
            "off-vendor"
        } else {
            &step.kind
        };
        let wordings = if self.look.numbered {
            vec![format!("{kind}, {minutes}"), minutes]
        } else {
            vec![minutes]
        };
        first_that_fits(&wordings, self.look.minutes, room).map(str::to_owned)
    }

    /// The minutes of a hop, as far as there is room.
    fn minutes(&self, step: &Step, room: i32) -> String {
        let minutes = step.expected_min;
        let wordings = [format!("{minutes} min"), minutes.to_string()];
        first_that_fits(&wordings, self.look.minutes, room)
            .unwrap_or_default()
            .to_owned()
    }

    fn title(&self, index: usize, step: &Step) -> String {
        let (from, to) = (self.way.stations[index], self.way.stations[index + 1]);
        let mut title = format!(
            "Hop {}: {} to {}, {}, {} minutes expected, {} at worst",
            index + 1,
            self.drawing.name(from),
            self.drawing.name(to),
            step.kind,
            step.expected_min,
            step.worst_min
        );
        for broken in &step.broken {
            title.push_str(&format!(
                "\nOff-vendor, {}: {} ({})",
                broken.rule, broken.text, broken.source
            ));
        }
        title
    }
}

/// Marks of one state are one mark with their number.
fn by_state(marks: &[Mark]) -> BTreeMap<State, Vec<&Mark>> {
    let mut states: BTreeMap<State, Vec<&Mark>> = BTreeMap::new();
    for mark in marks {
        states.entry(mark.state).or_default().push(mark);
    }
    states
}

fn marks_a_row(frame: Frame) -> usize {
    usize::try_from((frame.node() - BESIDE_DESCENT) / MARK_PITCH.0)
        .unwrap_or(1)
        .max(1)
}

fn mark_rows(frame: Frame, marks: &[Mark]) -> i32 {
    let rows = by_state(marks).len().div_ceil(marks_a_row(frame));
    i32::try_from(rows).unwrap_or(0)
}

fn marks(ink: &mut Ink, frame: Frame, (left, top): (i32, i32), release: &Shown) {
    let (mut x, mut y) = (left, top);
    for (index, (state, marks)) in by_state(&release.marks).into_iter().enumerate() {
        if index > 0 && index % marks_a_row(frame) == 0 {
            (x, y) = (left, y + MARK_PITCH.1);
        }
        let told = marks.iter().map(|mark| format!("\n{}: {}", mark.id, mark.title));
        let told: String = told.collect();
        ink.open("", &format!("{}, {}{told}", release.name, state.words()));
        mark(ink, (x, y), state, marks.len());
        ink.close();
        x += MARK_PITCH.0;
    }
}

/// One mark: the sign of its state and how many there are.
pub(crate) fn mark(ink: &mut Ink, (x, y): (i32, i32), state: State, number: usize) {
    ink.boxed((x, y), MARK, 4, &format!("mark {}", state.class()));
    let text = match (state, number) {
        (State::Clear, _) | (_, 1) => state.sign().to_owned(),
        // Three letters are what a mark has room for; how many there really are is told on hover.
        _ => format!("{}{}", state.sign(), number.min(99)),
    };
    let class = format!("sign {}", state.class());
    ink.text(
        (x + MARK.0 / 2, y + 11),
        Anchor::Middle,
        Type::bold(9),
        &class,
        MARK.0,
        &text,
    );
}
