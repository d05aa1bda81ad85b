//! What to think of the module in a port, by its part number and by what it sits in.
//!
//! Responsible for: the one decision which class a module is of, on one model with one release. Must not know: facts, how
//! a port is read, or the defects that a module of a class sets off.
//!
//! | what the port and the module say | class |
//! | --- | --- |
//! | the port says that it is empty, or takes no module | empty, fixed |
//! | the module names no part | unreadable |
//! | a row of harm holds for model, release and port | known bad, by whatever else the list vouches |
//! | a row of harm may hold: it takes the model, its class or the release to tell, and that is not known | unknown vendor |
//! | the nearest rows vouch for it on this model, with this release, in this port | allowed |
//! | the nearest rows vouch for it with other releases, or in other ports | unknown vendor |
//! | the nearest rows may vouch for it: it takes something to tell that is not known | unknown vendor |
//! | no row is about the part on this model | unknown vendor |
//! | any of the three before, and the module names no vendor | unreadable |
//!
//! So what is not known never makes a module allowed, and never known bad either. Rows are about a part as it is written,
//! in full or by its beginning. Of those that vouch for one such text on one model only the last file's count, and of these
//! those that name the model before those for all. The longest text that says anything of the model is the nearest. A row
//! of harm counts, wherever it stands, unless a later file vouches for the same text here.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::advisory::Releases;
use crate::catalogue::Sourced;
use crate::version::Version;

/// What stands at the end of a part that is given by its beginning.
pub(crate) const ANY_END: char = '*';

/// What to think of what is in a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpticClass {
    /// Nothing is in the cage.
    Empty,
    /// A fixed copper port: it takes no module.
    Fixed,
    /// A part that is supported on this model with this release.
    Allowed,
    /// A part known to do harm.
    KnownBad,
    /// A part nobody vouches for here.
    UnknownVendor,
    /// There is a module, and it does not say what it is.
    Unreadable,
}

impl OpticClass {
    /// As advisories write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Fixed => "fixed",
            Self::Allowed => "allowed",
            Self::KnownBad => "known-bad",
            Self::UnknownVendor => "unknown-vendor",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a row says of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleVerdict {
    /// It is supported.
    Allowed,
    /// It does harm.
    KnownBad,
}

/// A row about a part. Every list that is not empty must have in it what the module sits in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModuleRow {
    /// What it says of the part.
    pub verdict: ModuleVerdict,
    /// The models it is about; with `classes` empty too, all.
    pub models: Vec<String>,
    /// The classes of models it is about.
    pub classes: Vec<String>,
    /// The releases it is about; empty for any.
    pub releases: Vec<Releases>,
    /// Numbers of ports in their slot; empty for any.
    pub ports: Vec<u32>,
    /// What harm it does; a part that is allowed does none.
    pub effect: Option<String>,
    /// Who says so.
    pub sourced: Sourced,
    /// Of the rows about one part on one model, those of the highest layer count: 0 for the first file that has the part, and so
    /// on. Written out with the rest, as a plan is bound to what decides.
    pub(crate) layer: usize,
}

/// The rows about one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Listed {
    /// The part, or its beginning.
    pub(crate) part: String,
    /// In the order of their files and lines.
    pub(crate) rows: Vec<ModuleRow>,
}

impl Listed {
    /// Files that have nothing of the part do not count: with or without them, it is the same list.
    fn number_layers(&mut self) {
        let layers: BTreeSet<usize> = self.rows.iter().map(|row| row.layer).collect();
        for row in &mut self.rows {
            row.layer = layers.range(..row.layer).count();
        }
    }
}

/// A word of a port for itself, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Media {
    pub(crate) says: String,
    pub(crate) means: OpticClass,
    pub(crate) sourced: Sourced,
}

/// The list of modules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Modules {
    media: Vec<Media>,
    /// Parts in full, in the order that [`by_letters`] gives.
    parts: Vec<Listed>,
    /// Beginnings of parts, the longest first.
    beginnings: Vec<Listed>,
}

/// What a module sits in. What is not known is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat<'a> {
    /// The model, as `show system info` names it.
    pub model: Option<&'a str>,
    /// The class of the model.
    pub class: Option<&'a str>,
    /// The release that it shall work with.
    pub release: Option<Version>,
}

/// A port, as far as it matters here, and what its module says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleSeen<'a> {
    /// The port in its slot.
    pub port: u32,
    /// What the port says is in it.
    pub media: &'a str,
    /// The vendor that the module names. No proof of anything.
    pub vendor: Option<&'a str>,
    /// The part that the module names.
    pub part: Option<&'a str>,
}

/// What is thought of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The class.
    pub class: OpticClass,
    /// What harm it does, or what keeps it from being allowed where the list knows its part.
    pub why: Option<String>,
}

/// What the rows about one text come to.
enum Said<'r> {
    /// Nothing is said of this model.
    Nothing,
    Harm(&'r ModuleRow),
    Allowed,
    /// Not here, for this reason.
    NotHere(String),
    /// It takes something to tell that is not known.
    CannotTell {
        what: String,
        harm: bool,
    },
}

/// Whether a row is about what a module sits in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    Yes,
    No,
    /// It takes this to tell.
    Open(String),
}

impl Modules {
    pub(crate) fn new(media: Vec<Media>, mut listed: Vec<Listed>) -> Self {
        for listed in &mut listed {
            listed.number_layers();
        }
        let mut beginnings: Vec<_> = listed
            .extract_if(.., |listed| listed.part.ends_with(ANY_END))
            .collect();
        for beginning in &mut beginnings {
            beginning.part.pop();
        }
        beginnings.sort_by_key(|listed| std::cmp::Reverse(listed.part.len()));
        listed.sort_by(|one, other| by_letters(&one.part, &other.part));
        Self {
            media,
            parts: listed,
            beginnings,
        }
    }

    /// What to think of a module in this seat.
    pub fn judge(&self, seen: &ModuleSeen<'_>, seat: &Seat<'_>) -> Judged {
        let class = |class| Judged { class, why: None };
        let media = seen.media.trim();
        if let Some(known) = self
            .media
            .iter()
            .find(|known| known.says.eq_ignore_ascii_case(media))
        {
            return class(known.means);
        }
        let Some(part) = seen.part.map(str::trim).filter(|part| !part.is_empty()) else {
            return class(OpticClass::Unreadable);
        };
        let why = match self.said(part, seen.port, seat) {
            Said::Allowed => return class(OpticClass::Allowed),
            Said::Harm(row) => {
                return Judged {
                    class: OpticClass::KnownBad,
                    why: row.effect.clone(),
                };
            }
            Said::Nothing => self.elsewhere(part),
            Said::NotHere(why) => Some(why),
            Said::CannotTell { what, harm } => {
                let question = if harm { "does harm" } else { "is allowed" };
                Some(format!("whether it {question} depends on {what}"))
            }
        };
        let nameless = seen.vendor.is_none_or(|vendor| vendor.trim().is_empty());
        Judged {
            class: if nameless {
                OpticClass::Unreadable
            } else {
                OpticClass::UnknownVendor
            },
            why,
        }
    }

    /// What all rows about a part come to: harm first, then the doubt about it, then the nearest that says anything.
    fn said(&self, part: &str, port: u32, seat: &Seat<'_>) -> Said<'_> {
        let (mut doubt, mut nearest) = (None, Said::Nothing);
        for listed in self.about(part) {
            match said(&listed.rows, port, seat) {
                harm @ Said::Harm(_) => return harm,
                open @ Said::CannotTell { harm: true, .. } => doubt = doubt.or(Some(open)),
                said if matches!(nearest, Said::Nothing) => nearest = said,
                _ => {}
            }
        }
        doubt.unwrap_or(nearest)
    }

    /// What is listed about a part, the nearest first.
    fn about(&self, part: &str) -> impl Iterator<Item = &Listed> {
        let exact = self
            .parts
            .binary_search_by(|listed| by_letters(&listed.part, part));
        let exact = exact.ok().and_then(|place| self.parts.get(place));
        let begins = |listed: &&Listed| {
            part.get(..listed.part.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(&listed.part))
        };
        exact.into_iter().chain(self.beginnings.iter().filter(begins))
    }

    /// Where a part is allowed that is not so here.
    fn elsewhere(&self, part: &str) -> Option<String> {
        let allowing = |listed: &Listed| only(listed.rows.iter().filter(|row| row.allows()));
        self.about(part).find_map(allowing)
    }
}

/// Without regard to letter case, and with nothing copied: every port of an estate is looked up.
fn by_letters(one: &str, other: &str) -> Ordering {
    let letters = |letter: u8| letter.to_ascii_uppercase();
    one.bytes().map(letters).cmp(other.bytes().map(letters))
}

/// What the rows about one text come to.
fn said<'r>(rows: &'r [ModuleRow], port: u32, seat: &Seat<'_>) -> Said<'r> {
    let allowing = |row: &&ModuleRow| row.allows() && row.model(seat) != About::No;
    let last = rows.iter().filter(allowing).map(|row| row.layer).max();
    let vouching: Vec<(&ModuleRow, About)> = rows
        .iter()
        .filter(allowing)
        .filter(|row| Some(row.layer) == last)
        .map(|row| (row, row.about(port, seat)))
        .collect();
    let (for_all, named): (Vec<_>, Vec<_>) = vouching.into_iter().partition(|(row, _)| row.is_for_all());
    let vouching = if named.is_empty() { for_all } else { named };
    let vouched = vouching.iter().any(|(_, about)| *about == About::Yes);
    let mut doubt = None;
    // Who vouches in a later file for what an earlier one says does harm knows of it.
    let believed = |row: &&ModuleRow| {
        let overruled = vouched && Some(row.layer) < last;
        !row.allows() && !overruled
    };
    for row in rows.iter().filter(believed) {
        match row.about(port, seat) {
            About::Yes => return Said::Harm(row),
            About::Open(what) => doubt = doubt.or(Some(what)),
            About::No => {}
        }
    }
    if let Some(what) = doubt {
        return Said::CannotTell { what, harm: true };
    }
    if vouched {
        return Said::Allowed;
    }
    let open = vouching.iter().find_map(|(_, about)| match about {
        About::Open(what) => Some(what.clone()),
        About::Yes | About::No => None,
    });
    match open {
        Some(what) => Said::CannotTell { what, harm: false },
        None => only(vouching.into_iter().map(|(row, _)| row)).map_or(Said::Nothing, Said::NotHere),
    }
}

impl ModuleRow {
    fn allows(&self) -> bool {
        self.verdict == ModuleVerdict::Allowed
    }

    fn is_for_all(&self) -> bool {
        self.models.is_empty() && self.classes.is_empty()
    }

    fn about(&self, port: u32, seat: &Seat<'_>) -> About {
        if !self.ports.is_empty() && !self.ports.contains(&port) {
            return About::No;
        }
        match (self.model(seat), self.release(seat)) {
            (About::No, _) | (_, About::No) => About::No,
            (open @ About::Open(_), _) | (_, open @ About::Open(_)) => open,
            (About::Yes, About::Yes) => About::Yes,
        }
    }

    fn model(&self, seat: &Seat<'_>) -> About {
        if self.is_for_all() {
            return About::Yes;
        }
        let Some(model) = seat.model else {
            return About::Open("the model, which is not known".to_owned());
        };
        if self.models.iter().any(|named| named == model) {
            return About::Yes;
        }
        match seat.class {
            _ if self.classes.is_empty() => About::No,
            Some(class) if self.classes.iter().any(|named| named == class) => About::Yes,
            Some(_) => About::No,
            None => About::Open(format!("the class of a {model}, a model that is not known")),
        }
    }

    fn release(&self, seat: &Seat<'_>) -> About {
        match seat.release {
            _ if self.releases.is_empty() => About::Yes,
            None => About::Open("the release, which is not known".to_owned()),
            Some(release) if self.releases.iter().any(|releases| releases.contains(release)) => About::Yes,
            Some(_) => About::No,
        }
    }
}

/// Where alone rows vouch for a part, in words; none where they do so everywhere, or where there are none.
fn only<'r>(rows: impl Iterator<Item = &'r ModuleRow>) -> Option<String> {
    let words = |row: &ModuleRow| {
        let mut words = Vec::new();
        let models = [row.models.as_slice(), row.classes.as_slice()].concat();
        if !models.is_empty() {
            words.push(format!("on {}", models.join(", ")));
        }
        if !row.releases.is_empty() {
            let releases: Vec<String> = row.releases.iter().map(Releases::to_string).collect();
            words.push(format!("with {}", releases.join(", ")));
        }
        if !row.ports.is_empty() {
            let ports: Vec<String> = row.ports.iter().map(u32::to_string).collect();
            words.push(format!("in ports {}", ports.join(", ")));
        }
        words.join(" ")
    };
    let places: Vec<String> = rows.map(words).collect();
    (!places.is_empty() && places.iter().all(|place| !place.is_empty()))
        .then(|| format!("the list has it only {}", places.join("; ")))
}

#[cfg(test)]
mod tests;
