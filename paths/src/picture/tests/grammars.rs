//! Texts stay texts: whatever is written, markup stays well-formed and graph languages see labels and nothing else.

use proptest::prelude::*;

use super::arbitrary;
use super::fixtures;
use super::read::{Element, elements};
use crate::picture::Drawing;
use crate::picture::markup::on_one_line;

/// What an SVG of ours is made of.
const SVG: &[&str] = &[
    "svg", "title", "desc", "style", "defs", "pattern", "g", "rect", "text", "polyline", "polygon", "path",
    "circle",
];

/// What the page adds.
const HTML: &[&str] = &[
    "html", "head", "meta", "body", "header", "h1", "h2", "p", "ul", "li", "main", "section", "table",
    "thead", "tbody", "tr", "th", "td", "div", "b", "small", "span", "code", "footer",
];

fn nothing_runs(elements: &[Element], known: &[&[&str]]) {
    for element in elements {
        let name = element.name.as_str();
        assert!(known.iter().any(|names| names.contains(&name)), "<{name}>");
        for attribute in element.attributes.keys() {
            assert!(
                !attribute.starts_with("on") && !attribute.ends_with("href") && attribute != "src",
                "{attribute}"
            );
        }
    }
}

fn markup_holds(drawing: &Drawing) {
    let svg = elements(&drawing.to_svg());
    nothing_runs(&svg, &[SVG]);
    let title = svg.iter().find(|element| element.name == "title").unwrap();
    assert_eq!(on_one_line(&title.text), on_one_line(&drawing.title()));
    let page = elements(&drawing.to_html());
    nothing_runs(&page, &[SVG, HTML]);
    let policy = page
        .iter()
        .find(|element| element.attributes.contains_key("http-equiv"))
        .unwrap();
    assert_eq!(
        policy.attributes["content"],
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    );
}

/// The words of a DOT text outside of its quotes. Panics on a quote that does not end.
fn outside_quotes(dot: &str) -> Vec<String> {
    let mut out = String::new();
    let mut letters = dot.chars();
    while let Some(letter) = letters.next() {
        if letter != '"' {
            out.push(letter);
            continue;
        }
        loop {
            match letters.next().expect("a quote that does not end") {
                '\\' => assert!(letters.next().is_some()),
                '"' => break,
                inside => assert!(!inside.is_control(), "{inside:?}"),
            }
        }
        out.push(' ');
    }
    let words = out.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '.'));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

const DOT_WORDS: &[&str] = &[
    "digraph",
    "path",
    "rankdir",
    "LR",
    "labelloc",
    "t",
    "label",
    "node",
    "edge",
    "shape",
    "box",
    "style",
    "fillcolor",
    "white",
    "fontname",
    "sans",
    "subgraph",
    "color",
    "fontcolor",
    "tooltip",
    "penwidth",
    "peripheries",
    "arrowhead",
    "tee",
    "constraint",
    "false",
    "dashed",
    "dotted",
    "solid",
    "blue3",
    "red3",
    "orange3",
    "gray40",
    "gray50",
    "gray60",
];

fn dot_holds(drawing: &Drawing) {
    let numbered = |word: &str, prefix: &str| {
        word.strip_prefix(prefix).is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .chars()
                    .all(|letter| letter.is_ascii_digit() || letter == '.')
        })
    };
    for word in outside_quotes(&drawing.to_dot()) {
        let known = DOT_WORDS.contains(&word.as_str())
            || ["r", "cluster_", ""].iter().any(|prefix| numbered(&word, prefix));
        assert!(known, "{word} stands outside of quotes");
    }
}

/// A line of Mermaid with its labels taken out. Panics on a label that holds more than words and numbered entities.
fn without_labels(line: &str) -> String {
    let parts: Vec<_> = line.split('"').collect();
    assert!(parts.len() % 2 == 1, "{line}");
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index % 2 == 0 {
            out.push_str(part);
            continue;
        }
        out.push('_');
        let rest = part.replace("<br/>", "");
        let mut pieces = rest.split('#');
        let harmless = |text: &str| {
            let fine = |letter: char| {
                !letter.is_ascii() || letter.is_ascii_alphanumeric() || " .,-()/+".contains(letter)
            };
            assert!(text.chars().all(fine), "{line}");
        };
        harmless(pieces.next().unwrap());
        for piece in pieces {
            let (code, after) = piece.split_once(';').unwrap();
            assert!(code.parse::<u32>().is_ok(), "{line}");
            harmless(after);
        }
    }
    out
}

fn mermaid_holds(drawing: &Drawing) {
    let text = drawing.to_mermaid();
    let (mut subgraphs, mut edges, mut styled) = (0, 0, 0);
    for (index, line) in text.lines().enumerate() {
        let bare = without_labels(line);
        let words: Vec<_> = bare.split_whitespace().collect();
        match words.as_slice() {
            ["flowchart", "LR"] => assert_eq!(index, 0),
            ["accTitle:", ..] | ["accDescr:", ..] => {
                assert!(!bare.contains([';', '#', '{', '%']), "{line}");
            }
            ["subgraph", name] => {
                assert!(name.starts_with('c') && name.ends_with("[_]"), "{line}");
                subgraphs += 1;
            }
            ["end"] => subgraphs -= 1,
            ["classDef", ..] => {}
            ["linkStyle", number, _] | ["linkStyle", number, _, _] => {
                styled = styled.max(number.parse::<usize>().unwrap() + 1);
            }
            [node] => assert!(node.starts_with('r') && node.contains("[_]"), "{line}"),
            [from, arrow, to] => {
                assert!(from.starts_with('r') && to.starts_with('r'), "{line}");
                assert!(["==>|_|", "-->|_|", "-.-x|_|"].contains(arrow), "{line}");
                edges += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(subgraphs, 0);
    assert!(
        styled <= edges,
        "a style without an edge is an error of Mermaid's"
    );
}

#[test]
fn pictures_of_the_documentation_are_well_formed() {
    for (_, drawing) in fixtures::all() {
        markup_holds(&drawing);
        dot_holds(&drawing);
        mermaid_holds(&drawing);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_text_breaks_out(drawing in arbitrary::drawing()) {
        markup_holds(&drawing);
        dot_holds(&drawing);
        mermaid_holds(&drawing);
    }
}
