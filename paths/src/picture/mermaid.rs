//! A path as a Mermaid flowchart.
//!
//! Responsible for: Mermaid's grammar and the escapes of its labels. Must not know: how a picture for people looks.
//!
//! Names of nodes are of our making and never a word of the grammar. In labels everything but letters, digits and a few
//! harmless signs is written as a numbered entity (`#34;`): quotes end a label, backticks make it Markdown, and Mermaid takes
//! the `;` off an entity in a line that holds `style`, a colon and a `#`, so the colon is an entity too.

use std::fmt::Write as _;

use super::markup::on_one_line;
use super::{Drawing, Shown, State};

/// ASCII signs that mean nothing to Mermaid inside a quoted label.
const HARMLESS: &str = " .,-()/+";

pub(crate) fn drawn(drawing: &Drawing) -> String {
    let mut out = String::from("flowchart LR\n");
    let _ = writeln!(
        out,
        "  accTitle: Upgrade path\n  accDescr: {}",
        plain(&format!("{}. {}", drawing.title(), drawing.summary()))
    );
    for (index, column) in drawing.columns.iter().enumerate() {
        let inside = drawing.releases.iter().enumerate();
        let inside: Vec<_> = inside.filter(|(_, release)| release.column == index).collect();
        // An empty subgraph is drawn as a node without a meaning.
        if !inside.is_empty() {
            let _ = writeln!(
                out,
                "  subgraph c{index}[\"{}\"]",
                label(&column.said().join(", "))
            );
            for (release, shown) in inside {
                let _ = writeln!(
                    out,
                    "    r{release}[\"{}\"]{}",
                    named(shown),
                    role(drawing, release)
                );
            }
            out.push_str("  end\n");
        }
    }
    let styles = edges(&mut out, drawing);
    out.push_str(&styles);
    out.push_str(CLASSES);
    out
}

const CLASSES: &str = "  classDef start stroke-width:3px\n  classDef stop stroke:#1d5fd1,stroke-width:2px\n  classDef target stroke:#1d5fd1,stroke-width:4px\n  classDef other stroke:#8a96a8,stroke-dasharray:2\n";

fn role(drawing: &Drawing, release: usize) -> &'static str {
    let stations = &drawing.chosen.stations;
    match stations.iter().position(|station| *station == release) {
        Some(0) => ":::start",
        Some(place) if place + 1 == stations.len() => ":::target",
        Some(_) => ":::stop",
        None => ":::other",
    }
}

/// A release and how many advisories of each state it has.
fn named(release: &Shown) -> String {
    let mut text = label(&release.name);
    for state in State::ALL {
        let number = release.marks.iter().filter(|mark| mark.state == state).count();
        // What is clear is no reason to look.
        if number > 0 && state != State::Clear {
            let _ = write!(text, "<br/>{number} {}", state.adjective());
        }
    }
    text
}

/// Writes all edges and returns the styles of those that are not plain: Mermaid counts edges in the order they are written.
fn edges(out: &mut String, drawing: &Drawing) -> String {
    let mut styles = String::new();
    let mut number = 0;
    for (index, (from, to, step)) in drawing.chosen.legs().enumerate() {
        let off_vendor = if step.is_off_vendor() { ", OFF-VENDOR" } else { "" };
        let words = label(&format!("{}. {} min{off_vendor}", index + 1, step.expected_min));
        let _ = writeln!(out, "  r{from} ==>|\"{words}\"| r{to}");
        let look = if step.is_off_vendor() {
            "stroke:#c0241f,stroke-width:4px,stroke-dasharray:7 4"
        } else {
            "stroke:#1d5fd1,stroke-width:4px"
        };
        let _ = writeln!(styles, "  linkStyle {number} {look}");
        number += 1;
    }
    for (from, to, _, step) in drawing.other_legs() {
        let off_vendor = if step.is_off_vendor() { ", OFF-VENDOR" } else { "" };
        let words = label(&format!("{} min{off_vendor}", step.expected_min));
        let _ = writeln!(out, "  r{from} -->|\"{words}\"| r{to}");
        number += 1;
    }
    for refused in drawing.few_refused() {
        let words = label(&format!("refused, {}", refused.main_rule()));
        let _ = writeln!(out, "  r{} -.-x|\"{words}\"| r{}", refused.from, refused.to);
        let _ = writeln!(styles, "  linkStyle {number} stroke:#8a96a8,stroke-width:1px");
        number += 1;
    }
    styles
}

/// A text inside a quoted label.
fn label(text: &str) -> String {
    let mut out = String::new();
    for letter in on_one_line(text).chars() {
        if !letter.is_ascii() || letter.is_ascii_alphanumeric() || HARMLESS.contains(letter) {
            out.push(letter);
        } else {
            let _ = write!(out, "#{};", u32::from(letter));
        }
    }
    out
}

/// A text outside of labels, where Mermaid reads no entities.
fn plain(text: &str) -> String {
    let words = on_one_line(text);
    let kept = words.chars().map(|letter| {
        let harmless = !letter.is_ascii() || letter.is_ascii_alphanumeric() || HARMLESS.contains(letter);
        if harmless { letter } else { ' ' }
    });
    kept.collect()
}
