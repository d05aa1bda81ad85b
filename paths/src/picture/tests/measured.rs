//! Room: no text of a picture meets another text, a release, a hop or the border, whatever the texts are.

use proptest::prelude::*;

use super::fixtures;
use super::read::{Element, elements};
use crate::picture::Drawing;
use crate::picture::letters::{Type, width};
use crate::picture::tests::arbitrary;

/// Left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
struct Area(i32, i32, i32, i32);

impl Area {
    fn meets(self, other: Self) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }

    fn holds(self, other: Self) -> bool {
        self.0 <= other.0 && other.2 <= self.2 && self.1 <= other.1 && other.3 <= self.3
    }
}

/// The letters of a text: from the top of a capital to below the line.
fn of_text(element: &Element) -> Area {
    let size = element.number("font-size");
    let letters = Type {
        size,
        bold: element.attributes.contains_key("font-weight"),
    };
    let length = width(&element.text, letters);
    let start = match element.attributes["text-anchor"].as_str() {
        "middle" => element.number("x") - length / 2,
        _ => element.number("x"),
    };
    let baseline = element.number("y");
    Area(
        start,
        baseline - size * 3 / 4,
        start + length,
        baseline + size / 5,
    )
}

fn of_box(element: &Element) -> Area {
    let (x, y) = (element.number("x"), element.number("y"));
    Area(x, y, x + element.number("width"), y + element.number("height"))
}

fn of_disc(element: &Element) -> Area {
    let (x, y, r) = (element.number("cx"), element.number("cy"), element.number("r"));
    Area(x - r, y - r, x + r, y + r)
}

/// The pieces of a hop's line; all run along an axis.
fn of_line(element: &Element) -> Vec<Area> {
    let points: Vec<(i32, i32)> = element.attributes["points"]
        .split(' ')
        .map(|point| point.split_once(',').unwrap())
        .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
        .collect();
    let pieces = points.windows(2).map(|pair| {
        let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
        assert!(x1 == x2 || y1 == y2, "a hop runs askew: {pair:?}");
        Area(x1.min(x2) - 1, y1.min(y2) - 1, x1.max(x2) + 1, y1.max(y2) + 1)
    });
    pieces.collect()
}

/// Every meeting of two things that must not meet.
pub(super) fn meetings(drawing: &Drawing) -> Vec<String> {
    let all = elements(&drawing.to_svg());
    let texts: Vec<_> = all
        .iter()
        .filter(|one| one.name == "text")
        .map(|one| (&one.text, of_text(one)))
        .collect();
    let named = |one: &&Element, wanted: &[&str]| {
        let class = one
            .attributes
            .get("class")
            .map(String::as_str)
            .unwrap_or_default();
        class.split(' ').any(|word| wanted.contains(&word))
    };
    let boxes = all
        .iter()
        .filter(|one| one.name == "rect" && named(one, &["node", "mark"]))
        .map(of_box);
    let discs = all
        .iter()
        .filter(|one| one.name == "circle" && named(one, &["disc"]))
        .map(of_disc);
    let solid: Vec<_> = boxes.chain(discs).collect();
    let lines: Vec<_> = all
        .iter()
        .filter(|one| one.name == "polyline" && named(one, &["hop", "light"]))
        .flat_map(of_line)
        .collect();
    let page = of_box(all.iter().find(|one| named(one, &["paper"])).unwrap());

    let mut found = Vec::new();
    for (index, (text, area)) in texts.iter().enumerate() {
        if !page.holds(*area) {
            found.push(format!("{text:?} {area:?} leaves the page {page:?}"));
        }
        for (other, there) in &texts[index + 1..] {
            if area.meets(*there) {
                found.push(format!("{text:?} {area:?} and {other:?} {there:?}"));
            }
        }
        for there in &solid {
            if area.meets(*there) && !there.holds(*area) {
                found.push(format!("{text:?} {area:?} and the border of {there:?}"));
            }
        }
        for there in &lines {
            if area.meets(*there) {
                found.push(format!("{text:?} {area:?} and a hop {there:?}"));
            }
        }
    }
    for (index, one) in solid.iter().enumerate() {
        for other in &solid[index + 1..] {
            if one.meets(*other) {
                found.push(format!("{one:?} and {other:?}"));
            }
        }
    }
    found
}

#[test]
fn nothing_overlaps_in_the_pictures_of_the_documentation() {
    for (name, drawing) in fixtures::all() {
        let found = meetings(&drawing);
        assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
    }
}

#[test]
fn an_overlap_would_be_seen() {
    let text = |x: i32| Element::of_text("10.1.14", &[("x", x), ("y", 100), ("font-size", 10)]);
    assert!(of_text(&text(10)).meets(of_text(&text(40))));
    assert!(!of_text(&text(10)).meets(of_text(&text(60))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn nothing_overlaps_whatever_is_written(drawing in arbitrary::drawing()) {
        let found = meetings(&drawing);
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
    }
}
