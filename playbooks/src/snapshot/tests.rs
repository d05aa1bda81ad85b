//! Snapshots and their comparison.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rules::Rules;
use super::*;
use crate::facts::FactArea;

#[test]
fn the_built_in_rules_are_readable_and_name_every_area_of_the_facts() {
    let read = file::read("library/differences.yaml", Rules::builtin_text(), None);
    let rules = read.unwrap_or_else(|wrong| {
        panic!(
            "{}",
            wrong
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    assert_eq!(rules.areas.len(), Rules::builtin().areas.len());
    // A new area of the facts belongs under `areas`, or under `not_compared` with the reason.
    let named = |area: &&FactArea| {
        let text = Rules::builtin_text();
        let begins = [
            format!("area: {area}\n"),
            format!("area: {area}."),
            format!("area: {area},"),
        ];
        begins.iter().any(|begin| text.contains(begin))
    };
    let forgotten: Vec<_> = FactArea::ALL.iter().filter(|area| !named(area)).collect();
    assert!(
        forgotten.is_empty(),
        "library/differences.yaml does not name {forgotten:?}"
    );
    let _ = (BTreeSet::<u8>::new(), Timestamp::UNIX_EPOCH);
}
