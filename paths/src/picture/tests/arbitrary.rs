//! Drawings with any texts in them, in every shape the planner's answers have.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::picture::{Column, Drawing, Finding, Mark, Refused, Runs, Said, Shown, Source, State, Step, Way};
use crate::route::BrokenRule;

/// Texts that mean something to one of the languages.
const TRAPS: &[&str] = &[
    "\"]; r0 -> r1 [label=\"x",
    "\\\"",
    "\\",
    "\\N\\G",
    "</text><script>alert(1)</script>",
    "</title></style>",
    "]]>",
    "<!--",
    "&amp;&lt;&#0;",
    "a\nb\r\nc",
    "\u{0}\u{1b}\u{b}\u{fffe}",
    "\u{202e}cba",
    "\"]\n  click r0 href \"javascript:alert(1)\"",
    "`markdown` **x**",
    "style a:#35;",
    "classDef x:#35;",
    "%%{init: {}}%%",
    "end",
    "10.2.10-h39",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "最新の推奨リリースへ",
    "👩‍👩‍👧‍👦",
    "",
];

pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(TRAPS).prop_map(str::to_owned),
        "[ -~]{0,40}",
        any::<String>(),
    ]
}

fn broken() -> impl Strategy<Value = BrokenRule> {
    (text(), text(), text()).prop_map(|(rule, text, source)| BrokenRule { rule, text, source })
}

fn column() -> impl Strategy<Value = Column> {
    let runs = prop_oneof![Just(Runs::All), Just(Runs::No), text().prop_map(Runs::From)];
    (
        text(),
        option::of((text(), any::<bool>())),
        option::of(text()),
        runs,
    )
        .prop_map(|(name, end_of_life, content, runs)| Column {
            name,
            end_of_life,
            content,
            runs,
        })
}

fn mark() -> impl Strategy<Value = Mark> {
    (text(), text(), select(&State::ALL[..])).prop_map(|(id, title, state)| Mark { id, title, state })
}

fn step() -> impl Strategy<Value = Step> {
    let minutes = prop_oneof![0..500u32, any::<u32>()];
    let said = (text(), text()).prop_map(|(text, source)| Said { text, source });
    (
        (text(), minutes.clone(), minutes, vec(text(), 0..3)),
        (option::of(text()), option::of(text()), option::of(text())),
        (vec(said, 0..3), text(), text(), text()),
        prop_oneof![3 => Just(Vec::new()), 1 => vec(broken(), 1..3)],
    )
        .prop_map(|(one, two, three, broken)| Step {
            kind: one.0,
            expected_min: one.1,
            worst_min: one.2,
            images: one.3,
            disk: two.0,
            content: two.1,
            configuration: two.2,
            open_questions: three.0.len(),
            gates: three.0,
            way_back: three.1,
            lost: three.2,
            ha_rule: three.3,
            broken,
        })
}

fn finding() -> impl Strategy<Value = Finding> {
    (
        (text(), text(), text(), text()),
        (vec(text(), 0..3), vec(text(), 0..3)),
        (text(), text(), text(), select(&State::ALL[..])),
    )
        .prop_map(|(one, (places, found), two)| Finding {
            id: one.0,
            title: one.1,
            effect: one.2,
            severity: one.3,
            places,
            found,
            action: two.0,
            source: two.1,
            confidence: two.2,
            state: two.3,
        })
}

/// Up to two releases in each of up to eleven columns.
fn releases() -> impl Strategy<Value = (Vec<Column>, Vec<Shown>)> {
    let release = (text(), vec(mark(), 0..9));
    vec((column(), vec(release, 1..3)), 1..12).prop_map(|columns| {
        let mut shown = Vec::new();
        let mut heads = Vec::new();
        for (index, (head, releases)) in columns.into_iter().enumerate() {
            heads.push(head);
            shown.extend(releases.into_iter().map(|(name, marks)| Shown {
                name,
                column: index,
                marks,
            }));
        }
        (heads, shown)
    })
}

/// A way over some of `releases`, up or down.
fn way(releases: usize) -> impl Strategy<Value = Way> {
    (
        vec(any::<bool>(), releases),
        any::<bool>(),
        vec(step(), releases),
        text(),
    )
        .prop_map(|(stops, down, mut steps, label)| {
            let mut stations: Vec<_> = (0..stops.len()).filter(|index| stops[*index]).collect();
            if down {
                stations.reverse();
            }
            steps.truncate(stations.len().saturating_sub(1));
            Way {
                label,
                stations,
                steps,
            }
        })
}

pub(super) fn drawing() -> impl Strategy<Value = Drawing> {
    releases().prop_flat_map(|(columns, releases)| {
        let count = releases.len();
        let refused = (0..count, 0..count, vec(broken(), 1..3))
            .prop_filter("a hop leads elsewhere", |(from, to, _)| from != to)
            .prop_map(|(from, to, reasons)| Refused { from, to, reasons });
        let refused = if count > 1 {
            vec(refused, 0..10).boxed()
        } else {
            Just(Vec::new()).boxed()
        };
        let source = (text(), text(), text()).prop_map(|(what, source, confidence)| Source {
            what,
            source,
            confidence,
        });
        (
            (text(), text(), text(), text(), vec(text(), 0..3)),
            way(count),
            vec(way(count), 0..3),
            refused,
            (vec(finding(), 0..3), vec(source, 0..3)),
        )
            .prop_map(move |(texts, chosen, alternatives, refused, lists)| Drawing {
                model: texts.0,
                from: texts.1,
                to: texts.2,
                today: texts.3,
                notes: texts.4,
                columns: columns.clone(),
                releases: releases.clone(),
                chosen,
                alternatives,
                refused,
                advisories: lists.0,
                sources: lists.1,
            })
    })
}
