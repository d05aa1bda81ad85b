//! A path for Graphviz: a cluster for each feature release, an edge for each hop.
//!
//! Responsible for: the DOT language and its quoting. Must not know: how a picture for people looks.

use std::fmt::Write as _;

use super::markup::on_one_line;
use super::{Drawing, Step};

pub(crate) fn drawn(drawing: &Drawing) -> String {
    let mut out = String::from("digraph path {\n  rankdir=LR;\n  labelloc=t;\n");
    let _ = writeln!(
        out,
        "  label={};\n  fontname=sans;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=sans];\n  edge [fontname=sans];",
        quoted(&[&drawing.title(), &drawing.summary()])
    );
    for (index, column) in drawing.columns.iter().enumerate() {
        let colour = match column.end_of_life {
            Some((_, true)) => "orange3",
            _ => "gray60",
        };
        let lines = column.said();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let _ = writeln!(
            out,
            "  subgraph cluster_{index} {{\n    label={};\n    color={colour};",
            quoted(&lines)
        );
        releases(&mut out, drawing, index);
        out.push_str("  }\n");
    }
    edges(&mut out, drawing);
    out.push_str("}\n");
    out
}

fn releases(out: &mut String, drawing: &Drawing, column: usize) {
    let inside = drawing.releases.iter().enumerate();
    for (index, release) in inside.filter(|(_, release)| release.column == column) {
        let marks = release.marks.iter();
        let told: Vec<_> = marks
            .map(|mark| format!("{}, {}: {}", mark.id, mark.state.words(), mark.title))
            .collect();
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        let place = drawing
            .chosen
            .stations
            .iter()
            .position(|station| *station == index);
        let look = match place {
            Some(0) => ", penwidth=2.5",
            Some(place) if place + 1 == drawing.chosen.stations.len() => {
                ", penwidth=2.5, color=blue3, peripheries=2"
            }
            Some(_) => ", penwidth=2.5, color=blue3",
            None => ", color=gray50",
        };
        let _ = writeln!(
            out,
            "    r{index} [label={}, tooltip={}{look}];",
            quoted(&[&release.name]),
            quoted(&told)
        );
    }
}

fn edges(out: &mut String, drawing: &Drawing) {
    for (index, (from, to, step)) in drawing.chosen.legs().enumerate() {
        let number = format!("{}: {} min", index + 1, step.expected_min);
        let label = if step.is_off_vendor() {
            quoted(&[&number, "OFF-VENDOR"])
        } else {
            quoted(&[&number])
        };
        let look = if step.is_off_vendor() {
            "penwidth=3, color=red3, fontcolor=red3, style=dashed"
        } else {
            "penwidth=3, color=blue3"
        };
        let _ = writeln!(
            out,
            "  r{from} -> r{to} [label={label}, tooltip={}, {look}];",
            quoted(&told(step))
        );
    }
    for (from, to, way, step) in drawing.other_legs() {
        let _ = writeln!(
            out,
            "  r{from} -> r{to} [label={}, tooltip={}, color=gray50, fontcolor=gray40, style={}];",
            quoted(&[&format!("{} min", step.expected_min)]),
            quoted(&[&way.label]),
            if step.is_off_vendor() { "dashed" } else { "solid" }
        );
    }
    for refused in drawing.few_refused() {
        let told = refused.told();
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        let _ = writeln!(
            out,
            "  r{} -> r{} [label={}, tooltip={}, style=dotted, color=gray50, fontcolor=gray40, arrowhead=tee, constraint=false];",
            refused.from,
            refused.to,
            quoted(&["refused", &refused.main_rule()]),
            quoted(&told)
        );
    }
}

fn told(step: &Step) -> Vec<&str> {
    let broken = step.broken.iter().map(|broken| broken.text.as_str());
    [step.kind.as_str()].into_iter().chain(broken).collect()
}

/// Lines as one quoted text. Inside quotes a backslash begins an escape, and an ampersand an entity of HTML.
fn quoted(lines: &[&str]) -> String {
    let mut out = String::from("\"");
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push_str("\\n");
        }
        for letter in on_one_line(line).chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '&' => out.push_str("&amp;"),
                other => out.push(other),
            }
        }
    }
    out.push('"');
    out
}
