//! The rows of advisories, held against the rest of the catalogue.
//!
//! Responsible for: refusing an advisory that could never matter, asks what nobody can read, or names what there is
//! not. Must not know: whether a device is exposed.

use std::collections::BTreeMap;

use super::assembly::unknown;
use super::draft::{Draft, Placed, sourced};
use super::file::{CatalogueError, Place};
use super::rows::{AdvisoryEntry, OpticsEntry, ReleasesText, WhenEntry};
use crate::advisory::vocabulary::{FLAGS, NUMBERS, Word};
use crate::advisory::{Advisory, AdvisoryKind, Condition, Direction, OpticsCondition, Releases};
use crate::spelling::nearest_names;

/// The classes of ports a condition may name.
const OPTIC_CLASSES: &[&str] = &["allowed", "known-bad", "unknown-vendor", "unreadable"];

/// Every advisory, in the order of the ids.
pub(super) fn advisories(draft: &Draft) -> Result<Vec<Advisory>, CatalogueError> {
    draft
        .advisories
        .values()
        .map(|Placed { row, place }| advisory(draft, row, place))
        .collect()
}

fn advisory(draft: &Draft, row: &AdvisoryEntry, place: &Place) -> Result<Advisory, CatalogueError> {
    texts(row, place)?;
    concerned(&row.models, &draft.models, "model", "models", place)?;
    concerned(&row.classes, &draft.classes, "class", "classes", place)?;
    for fix in &row.fixed_in {
        super::assembly::known(draft, fix.train(), place, "fixed_in")?;
    }
    for (key, releases) in [("affected", &row.affected), ("from", &row.from), ("to", &row.to)] {
        for text in releases {
            super::assembly::known(draft, text.0.first_train(), place, key)?;
        }
    }
    let placed = !row.fixed_in.is_empty() || !row.affected.is_empty();
    match row.kind {
        AdvisoryKind::Defect if !placed => {
            let message = "a defect needs the releases that fixed it (fixed_in) or that have it (affected)";
            return Err(place.wrong("kind", message.to_owned()));
        }
        AdvisoryKind::Condition if placed => {
            let message = "a condition is on a step, by from and to; fixed_in and affected are for defects";
            return Err(place.wrong("kind", message.to_owned()));
        }
        AdvisoryKind::Defect | AdvisoryKind::Condition => {}
    }
    let when = row.when.iter().map(|entry| condition(entry, place));
    let bare = |releases: &[ReleasesText]| releases.iter().map(|text| text.0).collect::<Vec<Releases>>();
    Ok(Advisory {
        id: row.id.clone(),
        title: row.title.clone(),
        kind: row.kind,
        models: row.models.clone(),
        classes: row.classes.clone(),
        fixed_in: row.fixed_in.iter().copied().collect(),
        affected: bare(&row.affected),
        from: bare(&row.from),
        to: bare(&row.to),
        // A defect sits in a release however one gets there; a step has a way it leads.
        direction: row.direction.unwrap_or(match row.kind {
            AdvisoryKind::Defect => Direction::Any,
            AdvisoryKind::Condition => Direction::Up,
        }),
        when: when.collect::<Result<_, _>>()?,
        severity: row.severity,
        effect: row.effect.clone(),
        action: row.action.clone(),
        sourced: sourced(place, row.source.clone(), row.confidence)?,
    })
}

fn texts(row: &AdvisoryEntry, place: &Place) -> Result<(), CatalogueError> {
    let texts = [
        ("id", &row.id),
        ("title", &row.title),
        ("effect", &row.effect),
        ("action", &row.action),
    ];
    match texts.iter().find(|(_, text)| text.trim().is_empty()) {
        None => Ok(()),
        Some((key, _)) => Err(place.wrong(key, "an advisory has to say this".to_owned())),
    }
}

/// Refuses a name of a model or class that there is not.
pub(super) fn concerned<T>(
    names: &[String],
    known: &BTreeMap<String, T>,
    kind: &str,
    key: &'static str,
    place: &Place,
) -> Result<(), CatalogueError> {
    match names.iter().find(|name| !known.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(place.wrong(key, unknown(kind, name, known.keys()))),
    }
}

fn condition(entry: &WhenEntry, place: &Place) -> Result<Condition, CatalogueError> {
    let wrong = |message: &str| place.wrong("when", message.to_owned());
    match (&entry.flag, &entry.not, &entry.number, &entry.optics) {
        (Some(flag), None, None, None) => named(flag, FLAGS, "flag", place).map(Condition::Flag),
        (None, Some(flag), None, None) => named(flag, FLAGS, "flag", place).map(Condition::Not),
        (None, None, Some(number), None) => {
            let number = named(number, NUMBERS, "number", place)?;
            match (entry.below, entry.at_least) {
                (Some(limit), None) => Ok(Condition::Below { number, limit }),
                (None, Some(limit)) => Ok(Condition::AtLeast { number, limit }),
                _ => Err(wrong("a number needs a limit: exactly one of below and at_least")),
            }
        }
        (None, None, None, Some(optics)) => modules(optics, place).map(Condition::Optics),
        _ => Err(wrong("each entry is exactly one of flag, not, number and optics")),
    }
    .and_then(|condition| {
        let limited = entry.below.is_some() || entry.at_least.is_some();
        if limited && entry.number.is_none() {
            Err(wrong("below and at_least are limits of a number"))
        } else {
            Ok(condition)
        }
    })
}

fn named(name: &str, words: &[Word], kind: &str, place: &Place) -> Result<String, CatalogueError> {
    if words.iter().any(|word| word.name == name) {
        return Ok(name.to_owned());
    }
    let nearest = nearest_names(name, words.iter().map(|word| word.name), 1).join("");
    let message = format!("there is no {kind} \"{name}\" in the vocabulary; the nearest is \"{nearest}\"");
    Err(place.wrong("when", message))
}

fn modules(entry: &OpticsEntry, place: &Place) -> Result<OpticsCondition, CatalogueError> {
    if let Some(class) = entry
        .classes
        .iter()
        .find(|class| !OPTIC_CLASSES.contains(&class.as_str()))
    {
        let message = format!(
            "there is no class of modules \"{class}\" (there are {})",
            OPTIC_CLASSES.join(", ")
        );
        return Err(place.wrong("when", message));
    }
    Ok(OpticsCondition {
        ports: entry.ports.clone(),
        classes: entry.classes.clone(),
        parts: entry.parts.clone(),
        media: entry.media.clone(),
    })
}
