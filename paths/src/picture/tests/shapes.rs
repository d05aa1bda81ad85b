//! What pictures look like: each was looked at when its snapshot was taken, in light and in dark.

use super::fixtures;
use crate::picture::Drawing;

/// An SVG without its style sheet, which is a file of its own.
fn shape(drawing: &Drawing) -> String {
    without_styles(&drawing.to_svg())
}

fn without_styles(markup: &str) -> String {
    let mut out = String::new();
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once("<style>") {
        out.push_str(before);
        rest = after.split_once("</style>\n").unwrap().1;
    }
    out + rest
}

#[test]
fn a_path_of_the_vendors() {
    insta::assert_snapshot!(shape(&fixtures::vendor()));
}

#[test]
fn a_pinned_path_with_broken_rules() {
    insta::assert_snapshot!(shape(&fixtures::off_vendor()));
}

#[test]
fn a_path_with_advisories() {
    insta::assert_snapshot!(shape(&fixtures::exposed()));
}

#[test]
fn a_downgrade() {
    insta::assert_snapshot!(shape(&fixtures::downgrade()));
}

#[test]
fn eleven_columns() {
    insta::assert_snapshot!(shape(&fixtures::eleven()));
}

#[test]
fn no_path() {
    insta::assert_snapshot!(shape(&fixtures::none()));
}

#[test]
fn the_page_of_a_path_with_advisories() {
    let page = without_styles(&fixtures::exposed().to_html());
    let (before, rest) = page.split_once("<svg").unwrap();
    let (_, after) = rest.split_once("</svg>").unwrap();
    insta::assert_snapshot!(format!("{before}[the picture]{after}"));
}

#[test]
fn the_page_of_a_pinned_path_lists_its_broken_rules() {
    let page = fixtures::off_vendor().to_html();
    let (_, rest) = page
        .split_once("<h2>Rules of the vendor this path breaks</h2>")
        .unwrap();
    let (table, _) = rest.split_once("</table>").unwrap();
    insta::assert_snapshot!(table);
}

#[test]
fn graphviz() {
    insta::assert_snapshot!(fixtures::vendor().to_dot());
    insta::assert_snapshot!(fixtures::off_vendor().to_dot());
}

#[test]
fn mermaid() {
    insta::assert_snapshot!(fixtures::exposed().to_mermaid());
    insta::assert_snapshot!(fixtures::off_vendor().to_mermaid());
}
