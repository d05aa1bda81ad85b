//! From rows to a catalogue: the checks it passes before anything is planned with it.
//!
//! Responsible for: holding the rows against each other, and naming both where two disagree. Must not know: what
//! routes are made of them, or how the texts were read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draft::{Draft, Placed, sourced};
use super::file::{CatalogueError, Place};
use super::rows::{ClassEntry, EndEntry, LeaveFrom, ReachEntry, TrainEntry};
use super::{Base, Catalogue, Model, Reach, Stated, TrainRow, Watch};
use crate::spelling::nearest_names;
use crate::version::Train;

/// The rows that were checked, on the way to a catalogue.
type Checked<T> = Result<T, CatalogueError>;

/// The catalogue of these rows.
pub(super) fn assemble(draft: Draft, files: Vec<(String, String)>) -> Checked<Catalogue> {
    let trains = trains(&draft)?;
    let (reach, wider) = reaches(&draft)?;
    no_holes(&draft)?;
    let content = content(&draft)?;
    let ends = ends(&draft)?;
    releases(&draft)?;
    let classes = classes(&draft)?;
    let models = models(&draft)?;
    let advisories = super::known_against::advisories(&draft)?;
    let modules = super::known_modules::modules(&draft)?;
    let mut releases: BTreeMap<_, _> = bare(draft.listed).collect();
    releases.extend(bare(draft.releases));
    Ok(Catalogue {
        trains,
        reach,
        wider,
        content,
        ends,
        releases,
        classes,
        models,
        advisories: advisories.into_iter().map(Arc::new).collect(),
        modules,
        files,
    })
}

fn bare<K: Ord, T>(rows: BTreeMap<K, Placed<T>>) -> impl Iterator<Item = (K, T)> {
    rows.into_iter().map(|(key, placed)| (key, placed.row))
}

fn trains(draft: &Draft) -> Checked<Vec<TrainRow>> {
    let train = |Placed { row, place }: &Placed<TrainEntry>| {
        if let Base::Known(base) = row.base.0
            && base.train() != row.name
        {
            return Err(place.wrong("base", format!("{base} is not an image of {}", row.name)));
        }
        Ok(TrainRow {
            train: row.name,
            base: row.base.0,
            leave_from_preferred: matches!(row.leave_from, LeaveFrom::Preferred),
            sourced: sourced(place, row.source.clone(), row.confidence)?,
        })
    };
    draft.trains.values().map(train).collect()
}

type Reaches = (BTreeMap<Train, Reach>, BTreeMap<String, BTreeMap<Train, Reach>>);

fn reaches(draft: &Draft) -> Checked<Reaches> {
    let (mut strict, mut wider) = (BTreeMap::new(), BTreeMap::<_, BTreeMap<_, _>>::new());
    for ((from, option), Placed { row, place }) in &draft.reach {
        known(draft, *from, place, "from")?;
        for to in &row.to {
            known(draft, *to, place, "to")?;
            leads_forward(draft, *from, *to, place)?;
        }
        if row.to.is_empty() || !row.to.is_sorted_by(|low, high| low < high) {
            let message = format!("from {from} the list must lead somewhere, in ascending order, each once");
            return Err(place.wrong("to", message));
        }
        let reach = Reach {
            trains: row.to.clone(),
            sourced: sourced(place, row.source.clone(), row.confidence)?,
        };
        match option {
            None => strict.insert(*from, reach),
            Some(option) => wider.entry(option.clone()).or_default().insert(*from, reach),
        };
    }
    Ok((strict, wider))
}

/// A row that leads to its own train or an older one makes a cycle with the row that leads up from there.
fn leads_forward(draft: &Draft, from: Train, to: Train, place: &Place) -> Checked<()> {
    if to > from {
        return Ok(());
    }
    let up = draft
        .reach
        .range((to, None)..)
        .take_while(|((start, _), _)| *start == to)
        .map(|(_, other)| other)
        .find(|other| other.row.to.iter().any(|train| *train > to));
    let against = match up {
        Some(other) if to != from => format!("{to} leads up to {} ({})", shown(&other.row.to), other.place),
        _ => match draft.trains.get(&to) {
            Some(train) => format!("{to} stands in the order at {}", train.place),
            None => format!("{to} has no [[train]] row"),
        },
    };
    let message = format!("from {from} the list leads back to {to}, while {against}");
    Err(place.wrong("to", message))
}

fn shown(trains: &[Train]) -> String {
    trains.iter().map(Train::to_string).collect::<Vec<_>>().join(", ")
}

/// Every train but the oldest is led to by the vendor's own table: one that is not is a hole no path crosses.
fn no_holes(draft: &Draft) -> Checked<()> {
    let vendors = |(key, placed): (_, _)| -> Option<&Placed<ReachEntry>> {
        let (_, option): &(Train, Option<String>) = key;
        option.is_none().then_some(placed)
    };
    let led: BTreeSet<Train> = draft
        .reach
        .iter()
        .filter_map(vendors)
        .flat_map(|placed| placed.row.to.iter().copied())
        .collect();
    let mut before: Option<(&Train, &Place)> = None;
    for (train, placed) in &draft.trains {
        if let Some((older, place)) = before
            && !led.contains(train)
        {
            let place = draft.reach.get(&(*older, None)).map_or(place, |row| &row.place);
            let message = format!(
                "no [[reach]] row leads to {train}; the row of {older}, the feature release before it, is {place}"
            );
            return Err(placed.place.wrong("name", message));
        }
        before = Some((train, &placed.place));
    }
    Ok(())
}

fn content(draft: &Draft) -> Checked<BTreeMap<Train, Stated<u32>>> {
    for (train, placed) in &draft.trains {
        if !draft.content.contains_key(train) {
            return Err(placed
                .place
                .wrong("name", format!("{train} has no [[content]] row")));
        }
    }
    let mut content = BTreeMap::new();
    for (train, Placed { row, place }) in &draft.content {
        known(draft, *train, place, "train")?;
        let sourced = sourced(place, row.source.clone(), row.confidence)?;
        let value = row.minimum;
        content.insert(*train, Stated { value, sourced });
    }
    Ok(content)
}

fn ends(draft: &Draft) -> Checked<BTreeMap<Train, Stated<String>>> {
    let mut ends = BTreeMap::new();
    for (train, Placed { row, place }) in &draft.ends {
        known(draft, *train, place, "train")?;
        ends.insert(*train, end(row, place)?);
    }
    Ok(ends)
}

fn end(row: &EndEntry, place: &Place) -> Checked<Stated<String>> {
    if row.date.date.is_none() || row.date.time.is_some() || row.date.offset.is_some() {
        return Err(place.wrong("date", format!("{} is not a day (YYYY-MM-DD)", row.date)));
    }
    Ok(Stated {
        value: row.date.to_string(),
        sourced: sourced(place, row.source.clone(), row.confidence)?,
    })
}

fn releases(draft: &Draft) -> Checked<()> {
    let listed = draft.listed.iter().map(|row| (row, "versions"));
    let rows = draft.releases.iter().map(|row| (row, "version")).chain(listed);
    for ((version, Placed { place, .. }), key) in rows {
        let train = known(draft, version.train(), place, key)?;
        if let Base::Known(base) = train.row.base.0
            && *version < base
        {
            let message = format!(
                "{version} is older than {base}, the base image of its train ({})",
                train.place
            );
            return Err(place.wrong(key, message));
        }
    }
    Ok(())
}

fn classes(draft: &Draft) -> Checked<BTreeMap<String, Watch>> {
    let class = |(name, Placed { row, place }): (&String, &Placed<ClassEntry>)| {
        minutes(row, place)?;
        let watch = Watch {
            install_expected_min: row.install.expected,
            install_worst_min: row.install.worst,
            reboot_expected_min: row.reboot.expected,
            reboot_worst_min: row.reboot.worst,
            auto_commit_expected_min: row.auto_commit.expected,
            auto_commit_worst_min: row.auto_commit.worst,
            watchdog_warn_min: row.watchdog.warn,
            watchdog_fail_min: row.watchdog.fail,
            chassis_ready: row.chassis_ready,
            extended_stream: row.extended_stream,
            sourced: sourced(place, row.source.clone(), row.confidence)?,
        };
        Ok((name.clone(), watch))
    };
    draft.classes.iter().map(class).collect()
}

/// A day in minutes. Nothing on a firewall takes longer, and sums of such numbers stay far from any limit.
const MOST_MINUTES: u32 = 24 * 60;

fn minutes(row: &ClassEntry, place: &Place) -> Checked<()> {
    let phases = [
        ("install", &row.install),
        ("reboot", &row.reboot),
        ("auto_commit", &row.auto_commit),
    ];
    for (key, minutes) in phases {
        if minutes.expected == 0 || minutes.worst < minutes.expected || minutes.worst > MOST_MINUTES {
            let message = format!(
                "expected must be at least a minute, and worst neither less than expected nor more than {MOST_MINUTES}"
            );
            return Err(place.wrong(key, message));
        }
    }
    // A warning before the expected end, or a verdict before the worst seen, would page for healthy reboots.
    let expected = row.reboot.expected + row.auto_commit.expected;
    let worst = row.reboot.worst + row.auto_commit.worst;
    let watchdog = &row.watchdog;
    let early = watchdog.warn < expected || watchdog.fail <= watchdog.warn || watchdog.fail < worst;
    if early || watchdog.fail > 2 * MOST_MINUTES {
        let message = format!(
            "warn must not be under {expected} (reboot and auto-commit as expected), fail must be over warn and not under {worst} (both at worst), nor over {}",
            2 * MOST_MINUTES
        );
        return Err(place.wrong("watchdog", message));
    }
    Ok(())
}

fn models(draft: &Draft) -> Checked<BTreeMap<String, Model>> {
    let mut models = BTreeMap::new();
    for (name, Placed { row: class, place }) in &draft.models {
        if !draft.classes.contains_key(class) {
            return Err(place.wrong("class", unknown("class", class, draft.classes.keys())));
        }
        let model = Model {
            class: class.clone(),
            support: BTreeMap::new(),
        };
        models.insert(name.clone(), model);
    }
    for ((name, train), Placed { row, place }) in &draft.support {
        known(draft, *train, place, "trains")?;
        match models.get_mut(name) {
            Some(model) => model.support.insert(*train, row.clone()),
            None => return Err(place.wrong("models", unknown("model", name, draft.models.keys()))),
        };
    }
    for (name, Placed { place, .. }) in &draft.models {
        if models.get(name).is_none_or(|model| model.support.is_empty()) {
            return Err(place.wrong("names", format!("{name} has no [[support]] row")));
        }
    }
    Ok(models)
}

pub(super) fn known<'d>(
    draft: &'d Draft,
    train: Train,
    place: &Place,
    key: &'static str,
) -> Checked<&'d Placed<TrainEntry>> {
    draft
        .trains
        .get(&train)
        .ok_or_else(|| place.wrong(key, format!("{train} has no [[train]] row")))
}

pub(super) fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    match nearest_names(name, known.map(String::as_str), 1).first() {
        Some(nearest) => format!("there is no {kind} {name}; the nearest is {nearest}"),
        None => format!("there is no {kind} {name}"),
    }
}
