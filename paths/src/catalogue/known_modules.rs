//! The rows about modules, held against the rest of the catalogue.
//!
//! Responsible for: refusing a row that could never matter, or that vouches for what nobody named. Must not know: what
//! several rows about one part come to.

use std::collections::BTreeMap;

use super::draft::{Draft, Placed, sourced};
use super::file::{CatalogueError, Place};
use super::known_against::concerned;
use super::rows::{MediaEntry, ModuleEntry, PortWithoutModule};
use crate::modules::{ANY_END, Listed, Media, ModuleRow, ModuleVerdict, Modules, OpticClass};

/// Fewest characters that the beginning of a part has: one that nearly every part has would vouch for all of them.
const SHORTEST_BEGINNING: usize = 3;

/// The list of modules.
pub(super) fn modules(draft: &Draft) -> Result<Modules, CatalogueError> {
    let media = draft
        .media
        .values()
        .map(|Placed { row, place }| media(row, place));
    let media = media.collect::<Result<_, _>>()?;
    let mut listed: BTreeMap<&str, Listed> = BTreeMap::new();
    for ((part, ..), Placed { row, place }) in &draft.modules {
        let entry = listed.entry(part).or_insert_with(|| Listed {
            part: part.clone(),
            rows: Vec::new(),
        });
        entry.rows.push(module(draft, row, place)?);
    }
    Ok(Modules::new(media, listed.into_values().collect()))
}

fn media(row: &MediaEntry, place: &Place) -> Result<Media, CatalogueError> {
    if row.says.trim().is_empty() {
        return Err(place.wrong("says", "a port that says nothing says nothing".to_owned()));
    }
    Ok(Media {
        says: row.says.trim().to_owned(),
        means: match row.means {
            PortWithoutModule::Empty => OpticClass::Empty,
            PortWithoutModule::Fixed => OpticClass::Fixed,
        },
        sourced: sourced(place, row.source.clone(), row.confidence)?,
    })
}

fn module(draft: &Draft, row: &ModuleEntry, place: &Place) -> Result<ModuleRow, CatalogueError> {
    part(row.part.trim(), place)?;
    concerned(&row.models, &draft.models, "model", "models", place)?;
    concerned(&row.classes, &draft.classes, "class", "classes", place)?;
    for text in &row.releases {
        super::assembly::known(draft, text.0.first_train(), place, "releases")?;
    }
    let effect = row.effect.as_deref().map(str::trim);
    match (row.verdict, effect) {
        (ModuleVerdict::KnownBad, None | Some("")) => {
            let message = "a part that is known to do harm needs words for the harm";
            return Err(place.wrong("effect", message.to_owned()));
        }
        (ModuleVerdict::Allowed, Some(_)) => {
            let message = "a part that is allowed has no effect to tell of";
            return Err(place.wrong("effect", message.to_owned()));
        }
        (ModuleVerdict::KnownBad, Some(_)) | (ModuleVerdict::Allowed, None) => {}
    }
    Ok(ModuleRow {
        verdict: row.verdict,
        models: row.models.clone(),
        classes: row.classes.clone(),
        releases: row.releases.iter().map(|text| text.0).collect(),
        ports: row.ports.clone(),
        effect: effect.map(str::to_owned),
        sourced: sourced(place, row.source.clone(), row.confidence)?,
        layer: place.layer,
    })
}

fn part(part: &str, place: &Place) -> Result<(), CatalogueError> {
    let beginning = part.strip_suffix(ANY_END);
    let wrong = |message: String| Err(place.wrong("part", message));
    match (part, beginning.unwrap_or(part)) {
        ("", _) => wrong("a row without a part is about no module".to_owned()),
        (_, text) if text.contains(ANY_END) => wrong(format!(
            "the {ANY_END} of {part} may stand at its end, and nowhere else"
        )),
        (_, text) if beginning.is_some() && text.chars().count() < SHORTEST_BEGINNING => wrong(format!(
            "{part} is too much of a guess: a beginning has {SHORTEST_BEGINNING} characters or more"
        )),
        _ => Ok(()),
    }
}
