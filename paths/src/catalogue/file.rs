//! The catalogue's files: the checks a catalogue passes before anything is planned with it.
//!
//! Responsible for: turning the rows of the files into the catalogue, and saying file, line and key of the first thing
//! that is wrong. Must not know: what routes are made of the rows.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use super::rows::{
    ClassEntry, EndEntry, LeaveFrom, ModelsFile, ReachEntry, ReleaseEntry, ReleasesFile, SupportEntry,
    TrainEntry,
};
use super::{Base, Catalogue, Confidence, Model, Reach, Release, Sourced, Stated, Support, TrainRow, Watch};
use crate::spelling::nearest_names;
use crate::version::Train;

const RELEASES: &str = "releases.toml";
const MODELS: &str = "models.toml";

/// A catalogue that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// A file the catalogue needs was not given.
    #[error("reading the release catalogue: {file} is missing")]
    Missing {
        /// Its name.
        file: &'static str,
    },
    /// A file was given twice, or is none of the catalogue's.
    #[error(
        "reading the release catalogue: {file} is not expected here (once each: releases.toml, models.toml)"
    )]
    Unexpected {
        /// Its name.
        file: String,
    },
    /// A row is not valid TOML, misspells a key, or has a value of the wrong kind.
    #[error("reading {file}, line {line}, at `{key}`: {message}")]
    Row {
        /// The file's name.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The key, or the table's header where no key is at fault.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// A row is well formed and yet cannot be: it contradicts itself or another.
    #[error("checking {file}, row at line {line}, key `{key}`: {message}")]
    Rule {
        /// The file's name.
        file: &'static str,
        /// The line the row starts at, counted from 1.
        line: usize,
        /// The key at fault.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
}

pub(super) fn parse(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
    let (mut releases, mut models) = (None, None);
    for (name, text) in files {
        let place = match *name {
            RELEASES => &mut releases,
            MODELS => &mut models,
            _ => {
                return Err(CatalogueError::Unexpected {
                    file: (*name).to_owned(),
                });
            }
        };
        if place.replace(*text).is_some() {
            return Err(CatalogueError::Unexpected {
                file: (*name).to_owned(),
            });
        }
    }
    let releases = releases.ok_or(CatalogueError::Missing { file: RELEASES })?;
    let models = models.ok_or(CatalogueError::Missing { file: MODELS })?;

    let mut catalogue = Catalogue {
        trains: Vec::new(),
        reach: BTreeMap::new(),
        content: BTreeMap::new(),
        ends: BTreeMap::new(),
        releases: BTreeMap::new(),
        classes: BTreeMap::new(),
        models: BTreeMap::new(),
    };
    add_releases(
        &mut catalogue,
        read(RELEASES, releases)?,
        &Page {
            file: RELEASES,
            text: releases,
        },
    )?;
    add_models(
        &mut catalogue,
        read(MODELS, models)?,
        &Page {
            file: MODELS,
            text: models,
        },
    )?;
    Ok(catalogue)
}

fn read<T: for<'de> Deserialize<'de>>(file: &'static str, text: &str) -> Result<T, CatalogueError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = line_of(text, start);
        let written = text.lines().nth(line - 1).unwrap_or_default();
        let key = written.split('=').next().unwrap_or_default().trim();
        CatalogueError::Row {
            file: file.to_owned(),
            line,
            key: key.to_owned(),
            message: error.message().to_owned(),
        }
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The file a row stands in, to say where a wrong one is.
struct Page<'a> {
    file: &'static str,
    text: &'a str,
}

impl Page<'_> {
    fn wrong(&self, span: &Range<usize>, key: &'static str, message: String) -> CatalogueError {
        CatalogueError::Rule {
            file: self.file,
            line: line_of(self.text, span.start),
            key,
            message,
        }
    }
}

/// A row out of its span, which stays behind for errors.
fn row<T>(spanned: Spanned<T>) -> (Range<usize>, T) {
    (spanned.span(), spanned.into_inner())
}

fn sourced(
    page: &Page<'_>,
    span: &Range<usize>,
    source: String,
    confidence: Confidence,
) -> Result<Sourced, CatalogueError> {
    if source.trim().is_empty() {
        return Err(page.wrong(
            span,
            "source",
            "a row without a source cannot be argued with".to_owned(),
        ));
    }
    Ok(Sourced { source, confidence })
}

fn add_releases(
    catalogue: &mut Catalogue,
    file: ReleasesFile,
    page: &Page<'_>,
) -> Result<(), CatalogueError> {
    for entry in file.train {
        add_train(catalogue, entry, page)?;
    }
    for entry in file.reach {
        add_reach(catalogue, entry, page)?;
    }
    for entry in file.content {
        let (span, entry) = row(entry);
        known(catalogue, entry.train, page, &span, "train")?;
        let sourced = sourced(page, &span, entry.source, entry.confidence)?;
        let fact = Stated {
            value: entry.minimum,
            sourced,
        };
        once(
            catalogue.content.insert(entry.train, fact).is_none(),
            page,
            &span,
            "train",
            entry.train,
        )?;
    }
    for entry in file.end_of_life {
        add_end(catalogue, entry, page)?;
    }
    for entry in file.release {
        add_release(catalogue, entry, page)?;
    }
    match catalogue
        .trains
        .iter()
        .find(|row| !catalogue.content.contains_key(&row.train))
    {
        None => Ok(()),
        Some(row) => Err(page.wrong(
            &(0..0),
            "content",
            format!("{} has no [[content]] row", row.train),
        )),
    }
}

fn add_train(
    catalogue: &mut Catalogue,
    entry: Spanned<TrainEntry>,
    page: &Page<'_>,
) -> Result<(), CatalogueError> {
    let (span, entry) = row(entry);
    if let Some(last) = catalogue.trains.last().filter(|last| last.train >= entry.name) {
        let message = format!(
            "{} stands after {}: trains are listed oldest first, once each",
            entry.name, last.train
        );
        return Err(page.wrong(&span, "name", message));
    }
    if let Base::Known(base) = entry.base.0
        && base.train() != entry.name
    {
        return Err(page.wrong(&span, "base", format!("{base} is not an image of {}", entry.name)));
    }
    catalogue.trains.push(TrainRow {
        train: entry.name,
        base: entry.base.0,
        leave_from_preferred: matches!(entry.leave_from, LeaveFrom::Preferred),
        sourced: sourced(page, &span, entry.source, entry.confidence)?,
    });
    Ok(())
}

fn add_reach(
    catalogue: &mut Catalogue,
    entry: Spanned<ReachEntry>,
    page: &Page<'_>,
) -> Result<(), CatalogueError> {
    let (span, entry) = row(entry);
    known(catalogue, entry.from, page, &span, "from")?;
    for to in &entry.to {
        known(catalogue, *to, page, &span, "to")?;
    }
    let forward = entry.to.first().is_some_and(|first| *first > entry.from);
    if !forward || !entry.to.is_sorted_by(|low, high| low < high) {
        let message = format!(
            "from {} the list must lead forward, in ascending order",
            entry.from
        );
        return Err(page.wrong(&span, "to", message));
    }
    let reach = Reach {
        trains: entry.to,
        sourced: sourced(page, &span, entry.source, entry.confidence)?,
    };
    once(
        catalogue.reach.insert(entry.from, reach).is_none(),
        page,
        &span,
        "from",
        entry.from,
    )
}

fn add_end(
    catalogue: &mut Catalogue,
    entry: Spanned<EndEntry>,
    page: &Page<'_>,
) -> Result<(), CatalogueError> {
    let (span, entry) = row(entry);
    known(catalogue, entry.train, page, &span, "train")?;
    if entry.date.date.is_none() || entry.date.time.is_some() || entry.date.offset.is_some() {
        return Err(page.wrong(&span, "date", format!("{} is not a day (YYYY-MM-DD)", entry.date)));
    }
    let fact = Stated {
        value: entry.date.to_string(),
        sourced: sourced(page, &span, entry.source, entry.confidence)?,
    };
    once(
        catalogue.ends.insert(entry.train, fact).is_none(),
        page,
        &span,
        "train",
        entry.train,
    )
}

fn add_release(
    catalogue: &mut Catalogue,
    entry: Spanned<ReleaseEntry>,
    page: &Page<'_>,
) -> Result<(), CatalogueError> {
    let (span, entry) = row(entry);
    let train = known(catalogue, entry.version.train(), page, &span, "version")?;
    if let Base::Known(base) = train.base
        && entry.version < base
    {
        let message = format!(
            "{} is older than {base}, the base image of its train",
            entry.version
        );
        return Err(page.wrong(&span, "version", message));
    }
    let release = Release {
        version: entry.version,
        preferred: entry.preferred,
        sourced: sourced(page, &span, entry.source, entry.confidence)?,
    };
    once(
        catalogue.releases.insert(entry.version, release).is_none(),
        page,
        &span,
        "version",
        entry.version,
    )
}

fn add_models(catalogue: &mut Catalogue, file: ModelsFile, page: &Page<'_>) -> Result<(), CatalogueError> {
    for entry in file.class {
        add_class(catalogue, entry, page)?;
    }
    let mut spans = Vec::new();
    for entry in file.model {
        let (span, entry) = row(entry);
        if !catalogue.classes.contains_key(&entry.class) {
            let message = unknown("class", &entry.class, catalogue.classes.keys());
            return Err(page.wrong(&span, "class", message));
        }
        for name in entry.names {
            let model = Model {
                class: entry.class.clone(),
                support: BTreeMap::new(),
            };
            once(
                catalogue.models.insert(name.clone(), model).is_none(),
                page,
                &span,
                "names",
                &name,
            )?;
            spans.push((span.clone(), name));
        }
    }
    for entry in file.support {
        add_support(catalogue, entry, page)?;
    }
    let bare = |name: &String| {
        catalogue
            .models
            .get(name)
            .is_some_and(|model| model.support.is_empty())
    };
    match spans.iter().find(|(_, name)| bare(name)) {
        None => Ok(()),
        Some((span, name)) => Err(page.wrong(span, "names", format!("{name} has no [[support]] row"))),
    }
}

fn add_class(
    catalogue: &mut Catalogue,
    entry: Spanned<ClassEntry>,
    page: &Page<'_>,
) -> Result<(), CatalogueError> {
    let (span, entry) = row(entry);
    let phases = [
        ("install", &entry.install),
        ("reboot", &entry.reboot),
        ("auto_commit", &entry.auto_commit),
    ];
    for (key, minutes) in phases {
        if minutes.expected == 0 || minutes.worst < minutes.expected {
            let message = "expected must be at least a minute, and worst not less than expected".to_owned();
            return Err(page.wrong(&span, key, message));
        }
    }
    // A warning before the expected end, or a verdict before the worst seen, would page for healthy reboots.
    let expected = entry.reboot.expected + entry.auto_commit.expected;
    let worst = entry.reboot.worst + entry.auto_commit.worst;
    if entry.watchdog.warn < expected
        || entry.watchdog.fail <= entry.watchdog.warn
        || entry.watchdog.fail < worst
    {
        let message = format!(
            "warn must not be under {expected} (reboot and auto-commit as expected), fail must be over warn and not under {worst} (both at worst)"
        );
        return Err(page.wrong(&span, "watchdog", message));
    }
    let watch = Watch {
        install_expected_min: entry.install.expected,
        install_worst_min: entry.install.worst,
        reboot_expected_min: entry.reboot.expected,
        reboot_worst_min: entry.reboot.worst,
        auto_commit_expected_min: entry.auto_commit.expected,
        auto_commit_worst_min: entry.auto_commit.worst,
        watchdog_warn_min: entry.watchdog.warn,
        watchdog_fail_min: entry.watchdog.fail,
        chassis_ready: entry.chassis_ready,
        extended_stream: entry.extended_stream,
        sourced: sourced(page, &span, entry.source, entry.confidence)?,
    };
    once(
        catalogue.classes.insert(entry.name.clone(), watch).is_none(),
        page,
        &span,
        "name",
        &entry.name,
    )
}

fn add_support(
    catalogue: &mut Catalogue,
    entry: Spanned<SupportEntry>,
    page: &Page<'_>,
) -> Result<(), CatalogueError> {
    let (span, entry) = row(entry);
    let sourced = sourced(page, &span, entry.source, entry.confidence)?;
    for supported in &entry.trains {
        known(catalogue, supported.train, page, &span, "trains")?;
    }
    for name in &entry.models {
        if !catalogue.models.contains_key(name) {
            return Err(page.wrong(&span, "models", unknown("model", name, catalogue.models.keys())));
        }
        let Some(model) = catalogue.models.get_mut(name) else {
            continue;
        };
        for supported in &entry.trains {
            let support = Support {
                minimum: supported.minimum,
                sourced: sourced.clone(),
            };
            let first = model.support.insert(supported.train, support).is_none();
            once(
                first,
                page,
                &span,
                "trains",
                format_args!("{} for {name}", supported.train),
            )?;
        }
    }
    Ok(())
}

fn known<'c>(
    catalogue: &'c Catalogue,
    train: Train,
    page: &Page<'_>,
    span: &Range<usize>,
    key: &'static str,
) -> Result<&'c TrainRow, CatalogueError> {
    catalogue
        .train(train)
        .ok_or_else(|| page.wrong(span, key, format!("{train} has no [[train]] row")))
}

fn once(
    first: bool,
    page: &Page<'_>,
    span: &Range<usize>,
    key: &'static str,
    what: impl std::fmt::Display,
) -> Result<(), CatalogueError> {
    if first {
        Ok(())
    } else {
        Err(page.wrong(span, key, format!("{what} is given twice")))
    }
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    match nearest_names(name, known.map(String::as_str), 1).first() {
        Some(nearest) => format!("there is no {kind} {name}; the nearest is {nearest}"),
        None => format!("there is no {kind} {name}"),
    }
}
