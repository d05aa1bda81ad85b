//! The release catalogue: feature releases in their order, what each may be reached from, and what each model runs.
//!
//! Responsible for: holding the rows of `data/*.toml`, each with its source, and answering plain questions about them.
//! Must not know: routes, costs or devices. The vendor's table is data because it changes without our code changing,
//! and because sources conflict: a row that is wrong is corrected where it stands, with its source.

mod assembly;
mod draft;
mod file;
mod known_against;
mod known_modules;
mod rows;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

pub use file::CatalogueError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::draft::Draft;
use self::file::Page;
use crate::advisory::Advisory;
use crate::modules::{Modules, Seat};
use crate::spelling::nearest_names;
use crate::version::{Train, Version};

/// How many names an unknown one is answered with.
const SUGGESTED: usize = 3;

/// The data files shipped with hopgate, by the names errors call them.
const EMBEDDED: &[(&str, &str)] = &[
    ("releases.toml", include_str!("../data/releases.toml")),
    ("models.toml", include_str!("../data/models.toml")),
    ("advisories.toml", include_str!("../data/advisories.toml")),
    ("modules.toml", include_str!("../data/modules.toml")),
];

/// How far a row can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// From memory or by inference: no source says it directly.
    Low,
    /// From a third party, or derived from two sourced facts.
    Medium,
    /// Said by the vendor, or seen in the vendor's code.
    High,
}

/// Where a row comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sourced {
    /// The page, release note or repository that says it.
    pub source: String,
    /// How far to trust it.
    pub confidence: Confidence,
}

/// Which image must be on disk before any other image of a feature release can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// This one.
    Known(Version),
    /// No source says: the software list of a device does (`release-type` Base).
    ReadFromDevice,
}

/// A feature release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainRow {
    /// Its number.
    pub train: Train,
    /// Its base image.
    pub base: Base,
    /// Whether the vendor wants a firewall on the latest preferred release of this train before it leaves it.
    pub leave_from_preferred: bool,
    /// Who says so.
    pub sourced: Sourced,
}

/// Which feature releases one feature release may be upgraded to directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// In ascending order.
    pub trains: Vec<Train>,
    /// Who says so.
    pub sourced: Sourced,
}

/// A fact about a feature release that has a value and a source of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stated<T> {
    /// The fact.
    pub value: T,
    /// Who says so.
    pub sourced: Sourced,
}

/// A maintenance release or hotfix that is known to exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// Whether the vendor prefers it. A device's own software list knows better.
    pub preferred: bool,
    /// Who says so.
    pub sourced: Sourced,
}

/// How long the models of a class take, and how long to wait for them. The vendor publishes no such table: these are
/// estimates to be corrected from a fleet's own history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Minutes an install job usually takes.
    pub install_expected_min: u32,
    /// Minutes after which an install job is late.
    pub install_worst_min: u32,
    /// Minutes from the accepted restart to the API answering, usually.
    pub reboot_expected_min: u32,
    /// The same, at worst.
    pub reboot_worst_min: u32,
    /// Minutes from the API answering to the auto-commit ending well, usually.
    pub auto_commit_expected_min: u32,
    /// The same, at worst.
    pub auto_commit_worst_min: u32,
    /// Minutes from the accepted restart to the end of the auto-commit after which to warn.
    pub watchdog_warn_min: u32,
    /// The same, after which the reboot has failed.
    pub watchdog_fail_min: u32,
    /// Whether `show chassis-ready` exists on these models.
    pub chassis_ready: bool,
    /// Whether these models run the extended feature stream (`.xfr`).
    pub extended_stream: bool,
    /// Who says so.
    pub sourced: Sourced,
}

/// That a model runs a feature release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// The lowest maintenance release of that train the model runs, where not all of them.
    pub minimum: Option<Version>,
    /// Who says so.
    pub sourced: Sourced,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Model {
    class: String,
    /// Not an interval: a model can skip a feature release.
    support: BTreeMap<Train, Support>,
}

/// An advisory the catalogue has no row for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the release catalogue has no advisory \"{id}\" (nearest: {})", nearest.join(", "))]
pub struct UnknownAdvisory {
    /// What was asked for.
    pub id: String,
    /// The ids most like it, nearest first.
    pub nearest: Vec<String>,
}

/// The catalogue, validated: every train has content and is led to, every model has a class and support, every
/// advisory asks only what can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    trains: Vec<TrainRow>,
    reach: BTreeMap<Train, Reach>,
    /// By the name of the option that allows it.
    wider: BTreeMap<String, BTreeMap<Train, Reach>>,
    content: BTreeMap<Train, Stated<u32>>,
    ends: BTreeMap<Train, Stated<String>>,
    releases: BTreeMap<Version, Release>,
    classes: BTreeMap<String, Watch>,
    models: BTreeMap<String, Model>,
    advisories: Vec<Arc<Advisory>>,
    modules: Modules,
    /// The texts it was read from, to lay others over them.
    files: Vec<(String, String)>,
}

impl Catalogue {
    /// The catalogue shipped with hopgate. The shipped files are held to be valid by a test, so that a build with a
    /// broken one does not get out; they are read and checked again here.
    ///
    /// # Errors
    /// The same as [`Catalogue::parse`].
    pub fn embedded() -> Result<&'static Self, CatalogueError> {
        static LOADED: OnceLock<Result<Catalogue, CatalogueError>> = OnceLock::new();
        LOADED
            .get_or_init(|| Self::parse(EMBEDDED))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Reads and validates a catalogue from the texts of its files, each with the name errors shall call it:
    /// `releases.toml`, `models.toml`, `advisories.toml` and `modules.toml`, once each.
    ///
    /// # Errors
    /// A missing, doubled or unknown file, and the first row that cannot be read or contradicts another: with file,
    /// line and key, and with file and line of the other row.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, CatalogueError> {
        for (place, (name, _)) in files.iter().enumerate() {
            let known = EMBEDDED.iter().any(|(file, _)| file == name);
            if !known || files[..place].iter().any(|(other, _)| other == name) {
                let names: Vec<_> = EMBEDDED.iter().map(|(file, _)| *file).collect();
                return Err(CatalogueError::Unexpected {
                    file: (*name).to_owned(),
                    expected: names.join(", "),
                });
            }
        }
        if let Some((file, _)) = EMBEDDED
            .iter()
            .find(|(file, _)| !files.iter().any(|(name, _)| name == file))
        {
            return Err(CatalogueError::Missing { file });
        }
        Self::layered(files.iter().map(|(name, text)| (*name, *text)).collect())
    }

    /// This catalogue with other files laid over it, each with the name errors shall call it. A row replaces the one
    /// of the same identity or is added; any kind of row may stand in any file, and a later file wins. What a row is
    /// told apart by is written in `data/README.md` beside the shipped files.
    ///
    /// # Errors
    /// As [`Catalogue::parse`]: what comes out is held to the same rules.
    pub fn overlaid(&self, files: &[(&str, &str)]) -> Result<Self, CatalogueError> {
        let own = self
            .files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        Self::layered(own.chain(files.iter().copied()).collect())
    }

    /// The shipped files are one layer, every other file is one of its own.
    fn layered(files: Vec<(&str, &str)>) -> Result<Self, CatalogueError> {
        let mut draft = Draft::default();
        for (place, (name, text)) in files.iter().enumerate() {
            let layer = (place + 1).saturating_sub(EMBEDDED.len());
            draft.add(&Page::new(name, text, layer))?;
        }
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        assembly::assemble(draft, files.into_iter().map(owned).collect())
    }

    /// The feature releases, oldest first.
    pub fn trains(&self) -> &[TrainRow] {
        &self.trains
    }

    /// The row of one feature release.
    pub fn train(&self, train: Train) -> Option<&TrainRow> {
        self.trains.iter().find(|row| row.train == train)
    }

    /// What may be reached directly from a feature release, for those that have a row.
    pub fn reach(&self, from: Train) -> Option<&Reach> {
        self.reach.get(&from)
    }

    /// The names of the wider reaches, which are off unless asked for.
    pub fn wider_reaches(&self) -> impl Iterator<Item = &str> {
        self.wider.keys().map(String::as_str)
    }

    /// What a wider reach adds from a feature release.
    pub fn wider_reach(&self, option: &str, from: Train) -> Option<&Reach> {
        self.wider.get(option)?.get(&from)
    }

    /// The number of the oldest Applications and Threats content a feature release installs with.
    ///
    /// The device enforces it and can differ by maintenance release: this is for planning, the device's word is final.
    pub fn minimum_content(&self, train: Train) -> Option<&Stated<u32>> {
        self.content.get(&train)
    }

    /// The day (`YYYY-MM-DD`) standard support of a feature release ends or ended.
    pub fn end_of_life(&self, train: Train) -> Option<&Stated<String>> {
        self.ends.get(&train)
    }

    /// The known maintenance releases and hotfixes, in ascending order.
    pub fn releases(&self) -> impl Iterator<Item = &Release> {
        self.releases.values()
    }

    /// The row of one release.
    pub fn release(&self, version: Version) -> Option<&Release> {
        self.releases.get(&version)
    }

    /// The known models, in the order of their names.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// How long a model takes and how long to wait for it.
    pub fn watch(&self, model: &str) -> Option<&Watch> {
        self.classes.get(&self.models.get(model)?.class)
    }

    /// The feature releases a model runs.
    pub fn support(&self, model: &str) -> Option<&BTreeMap<Train, Support>> {
        self.models.get(model).map(|model| &model.support)
    }

    /// How many feature releases apart two trains are, by the list and not by arithmetic: 9.1 and 10.0 are one apart.
    pub fn trains_apart(&self, one: Train, other: Train) -> Option<u32> {
        let place = |train| self.trains.iter().position(|row| row.train == train);
        u32::try_from(place(one)?.abs_diff(place(other)?)).ok()
    }

    /// The advisories, in the order of their ids.
    pub fn advisories(&self) -> impl Iterator<Item = &Arc<Advisory>> {
        self.advisories.iter()
    }

    /// One advisory by its id.
    ///
    /// # Errors
    /// [`UnknownAdvisory`] with the three nearest ids.
    pub fn advisory(&self, id: &str) -> Result<&Arc<Advisory>, UnknownAdvisory> {
        let place = self
            .advisories
            .binary_search_by(|advisory| advisory.id.as_str().cmp(id));
        place.map(|place| &self.advisories[place]).map_err(|_| {
            let ids = self.advisories.iter().map(|advisory| advisory.id.as_str());
            let nearest = nearest_names(id, ids, SUGGESTED);
            UnknownAdvisory {
                id: id.to_owned(),
                nearest: nearest.into_iter().map(str::to_owned).collect(),
            }
        })
    }

    /// The list of modules.
    pub fn modules(&self) -> &Modules {
        &self.modules
    }

    /// What modules sit in: a model as `show system info` names it, and the release that they shall work with.
    pub fn seat<'a>(&'a self, model: Option<&'a str>, release: Option<Version>) -> Seat<'a> {
        Seat {
            model,
            class: model.and_then(|model| self.class(model)),
            release,
        }
    }

    /// The class of a model, which durations and advisories go by.
    pub fn class(&self, model: &str) -> Option<&str> {
        self.models.get(model).map(|model| model.class.as_str())
    }

    /// Whether a release has a row, or is the base image of its feature release.
    pub fn knows(&self, release: Version) -> bool {
        self.releases.contains_key(&release)
            || self
                .train(release.train())
                .is_some_and(|row| row.base == Base::Known(release))
    }

    /// The known releases of the same feature release most like one that is not known, nearest first: by maintenance
    /// number, then by hotfix, the newer of two equally near ones first.
    pub fn nearest_releases(&self, release: Version, count: usize) -> Vec<Version> {
        let hotfix = |version: Version| version.hotfix().unwrap_or(0);
        let mut near: Vec<_> = self
            .releases
            .keys()
            .copied()
            .filter(|known| known.train() == release.train() && *known != release)
            .collect();
        near.sort_by_key(|known| {
            let maintenance = known.maintenance().abs_diff(release.maintenance());
            (
                maintenance,
                hotfix(*known).abs_diff(hotfix(release)),
                std::cmp::Reverse(*known),
            )
        });
        near.truncate(count);
        near
    }

    /// The trains strictly between two others.
    pub(crate) fn trains_between(&self, low: Train, high: Train) -> impl Iterator<Item = Train> {
        self.trains
            .iter()
            .map(|row| row.train)
            .filter(move |train| *train > low && *train < high)
    }
}

#[cfg(test)]
mod tests;
