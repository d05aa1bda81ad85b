//! The rows of all files put together by identity, before anything is known of whether they agree.
//!
//! Responsible for: which rows are the same one, and that a later layer's replaces an earlier one's. Must not know:
//! what a row means beside the others.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{CatalogueError, Page, Place};
use super::rows::{
    AdvisoryEntry, ClassEntry, ContentEntry, EndEntry, MediaEntry, ModelEntry, ModuleEntry, ReachEntry,
    ReleaseEntry, ReleasesEntry, Rows as Written, SupportEntry, TrainEntry,
};
use super::{Confidence, Release, Sourced, Support};
use crate::modules::ModuleVerdict;
use crate::version::{Train, Version};

/// A row and where it stands.
pub(super) struct Placed<T> {
    pub(super) row: T,
    pub(super) place: Place,
}

type Rows<K, T> = BTreeMap<K, Placed<T>>;

/// Every row once, the last layer's.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) trains: Rows<Train, TrainEntry>,
    /// By where it starts, and by the option it needs.
    pub(super) reach: Rows<(Train, Option<String>), ReachEntry>,
    pub(super) content: Rows<Train, ContentEntry>,
    pub(super) ends: Rows<Train, EndEntry>,
    pub(super) releases: Rows<Version, Release>,
    /// Releases of which only the existence is stated: a row of their own says more and wins.
    pub(super) listed: Rows<Version, Release>,
    pub(super) classes: Rows<String, ClassEntry>,
    /// The class of each model.
    pub(super) models: Rows<String, String>,
    pub(super) support: Rows<(String, Train), Support>,
    pub(super) advisories: Rows<String, AdvisoryEntry>,
    pub(super) media: Rows<String, MediaEntry>,
    pub(super) modules: Rows<ModuleKey, ModuleEntry>,
}

/// What a row about a module is told apart by: its part, what it says of it, models and classes.
type ModuleKey = (String, ModuleVerdict, BTreeSet<String>, BTreeSet<String>);

impl Draft {
    /// Adds the rows of one file.
    pub(super) fn add(&mut self, page: &Page<'_>) -> Result<(), CatalogueError> {
        let mut rows = page.rows()?;
        self.add_ports(page, &mut rows)?;
        let mut before: Option<(Train, Place)> = None;
        for entry in rows.train {
            let (place, row) = page.placed(entry);
            in_order(before.as_ref(), &place, row.name)?;
            before = Some((row.name, place.clone()));
            stated(&place, &row.source)?;
            put(
                &mut self.trains,
                row.name,
                row,
                place,
                "name",
                ToString::to_string,
            )?;
        }
        for entry in rows.reach {
            let (place, row) = page.placed(entry);
            stated(&place, &row.source)?;
            let key = (row.from, row.option.clone());
            put(&mut self.reach, key, row, place, "from", start)?;
        }
        for entry in rows.content {
            let (place, row) = page.placed(entry);
            stated(&place, &row.source)?;
            put(
                &mut self.content,
                row.train,
                row,
                place,
                "train",
                ToString::to_string,
            )?;
        }
        for entry in rows.end_of_life {
            let (place, row) = page.placed(entry);
            stated(&place, &row.source)?;
            put(
                &mut self.ends,
                row.train,
                row,
                place,
                "train",
                ToString::to_string,
            )?;
        }
        for entry in rows.release {
            let (place, row) = page.placed(entry);
            self.add_release(place, row)?;
        }
        for entry in rows.releases {
            let (place, row) = page.placed(entry);
            self.add_releases(&place, row)?;
        }
        for entry in rows.class {
            let (place, row) = page.placed(entry);
            stated(&place, &row.source)?;
            put(
                &mut self.classes,
                row.name.clone(),
                row,
                place,
                "name",
                ToString::to_string,
            )?;
        }
        for entry in rows.model {
            let (place, row) = page.placed(entry);
            self.add_models(&place, row)?;
        }
        for entry in rows.support {
            let (place, row) = page.placed(entry);
            self.add_support(&place, row)?;
        }
        for entry in rows.advisory {
            let (place, row) = page.placed(entry);
            stated(&place, &row.source)?;
            put(
                &mut self.advisories,
                row.id.clone(),
                row,
                place,
                "id",
                ToString::to_string,
            )?;
        }
        Ok(())
    }

    /// What is said of ports and of the modules in them.
    fn add_ports(&mut self, page: &Page<'_>, rows: &mut Written) -> Result<(), CatalogueError> {
        for entry in rows.media.drain(..) {
            let (place, row) = page.placed(entry);
            // Ports are asked without regard to letter case.
            let key = row.says.trim().to_ascii_uppercase();
            put(&mut self.media, key, row, place, "says", Clone::clone)?;
        }
        for entry in rows.module.drain(..) {
            let (place, row) = page.placed(entry);
            let set = |names: &[String]| names.iter().cloned().collect();
            let key: ModuleKey = (
                row.part.trim().to_ascii_uppercase(),
                row.verdict,
                set(&row.models),
                set(&row.classes),
            );
            put(&mut self.modules, key, row, place, "part", |(part, ..)| {
                format!("{part} for these models")
            })?;
        }
        Ok(())
    }

    fn add_release(&mut self, place: Place, row: ReleaseEntry) -> Result<(), CatalogueError> {
        let release = Release {
            version: row.version,
            preferred: row.preferred,
            sourced: sourced(&place, row.source, row.confidence)?,
        };
        put(
            &mut self.releases,
            row.version,
            release,
            place,
            "version",
            ToString::to_string,
        )
    }

    fn add_releases(&mut self, place: &Place, row: ReleasesEntry) -> Result<(), CatalogueError> {
        let sourced = sourced(place, row.source, row.confidence)?;
        for version in row.versions {
            let release = Release {
                version,
                preferred: false,
                sourced: sourced.clone(),
            };
            put(
                &mut self.listed,
                version,
                release,
                place.clone(),
                "versions",
                ToString::to_string,
            )?;
        }
        Ok(())
    }

    fn add_models(&mut self, place: &Place, row: ModelEntry) -> Result<(), CatalogueError> {
        for name in row.names {
            put(
                &mut self.models,
                name,
                row.class.clone(),
                place.clone(),
                "names",
                ToString::to_string,
            )?;
        }
        Ok(())
    }

    fn add_support(&mut self, place: &Place, row: SupportEntry) -> Result<(), CatalogueError> {
        let sourced = sourced(place, row.source, row.confidence)?;
        for model in row.models {
            for supported in &row.trains {
                let support = Support {
                    minimum: supported.minimum,
                    sourced: sourced.clone(),
                };
                let key = (model.clone(), supported.train);
                let shown = |(model, train): &(String, Train)| format!("{train} for {model}");
                put(&mut self.support, key, support, place.clone(), "trains", shown)?;
            }
        }
        Ok(())
    }
}

/// Adds a row or replaces one of an earlier layer; two of one layer disagree, even where they say the same.
fn put<K: Ord, T>(
    rows: &mut Rows<K, T>,
    key: K,
    row: T,
    place: Place,
    name: &'static str,
    shown: impl Fn(&K) -> String,
) -> Result<(), CatalogueError> {
    if let Some(other) = rows.get(&key).filter(|other| other.place.layer == place.layer) {
        let message = format!("{} is given twice: the other is {}", shown(&key), other.place);
        return Err(place.wrong(name, message));
    }
    rows.insert(key, Placed { row, place });
    Ok(())
}

/// The start of a reach, as an error says it.
fn start((from, option): &(Train, Option<String>)) -> String {
    match option {
        None => from.to_string(),
        Some(option) => format!("{from} with option {option}"),
    }
}

fn in_order(before: Option<&(Train, Place)>, place: &Place, train: Train) -> Result<(), CatalogueError> {
    match before.filter(|(last, _)| *last > train) {
        None => Ok(()),
        Some((last, other)) => Err(place.wrong(
            "name",
            format!("{train} stands after {last} ({other}): trains are listed oldest first"),
        )),
    }
}

fn stated(place: &Place, source: &str) -> Result<(), CatalogueError> {
    if source.trim().is_empty() {
        Err(place.wrong(
            "source",
            "a row without a source cannot be argued with".to_owned(),
        ))
    } else {
        Ok(())
    }
}

pub(super) fn sourced(
    place: &Place,
    source: String,
    confidence: Confidence,
) -> Result<Sourced, CatalogueError> {
    stated(place, &source)?;
    Ok(Sourced { source, confidence })
}
