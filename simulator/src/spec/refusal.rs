//! Why a fleet cannot be built, and where in its file that stands.
//!
//! Knows the lists of a fleet file by name, and nothing of what makes an entry wrong.

use std::fmt;

use serde::Deserialize;

/// Why a fleet cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The text is not a fleet file.
    #[error("read the fleet file {file}{place}: {reason}")]
    Read {
        /// Name of the file.
        file: String,
        /// Where, when known.
        place: Place,
        /// What is wrong there.
        reason: String,
    },
    /// The text reads, but describes no possible fleet.
    #[error("build the fleet of {file}{place}: {what}")]
    Impossible {
        /// Name of the file.
        file: String,
        /// Where, when known.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// One of the files built into this crate does not read.
    #[error("read the embedded {what}")]
    Embedded {
        /// Which.
        what: &'static str,
        /// Why.
        source: Box<serde_saphyr::Error>,
    },
}

/// A place in a file, printed as `:line:column`, or as nothing when it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(Option<(u64, u64)>);

impl Place {
    fn of(location: serde_saphyr::Location) -> Self {
        Self(Some((location.line(), location.column())).filter(|(line, _)| *line > 0))
    }

    /// Line and column, from 1.
    pub fn line_and_column(self) -> Option<(u64, u64)> {
        self.0
    }
}

impl SpecError {
    /// What the parser found wrong with a text.
    pub(crate) fn read(file: &str, error: &serde_saphyr::Error) -> Self {
        Self::Read {
            file: file.to_owned(),
            place: error.location().map_or(Place(None), Place::of),
            reason: reason(error),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |(line, column)| write!(formatter, ":{line}:{column}"))
    }
}

/// What an impossible fleet stumbles over: an entry of one of the lists.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry {
    Device(usize),
    Panorama(usize),
    Pair(usize),
    Fault(usize),
}

pub(crate) struct Complaint {
    entry: Entry,
    what: String,
}

pub(super) fn complain(entry: Entry, what: String) -> Complaint {
    Complaint { entry, what }
}

/// The parser's own words, without its picture of the text: the place is told apart.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    text.split(" at line ")
        .next()
        .unwrap_or(&text)
        .trim_start_matches("error: ")
        .to_owned()
}

/// Why a fleet did not resolve, before a place in a file is known.
pub(crate) struct Problem(ProblemKind);

enum ProblemKind {
    Complaint(Complaint),
    Embedded(&'static str, Box<serde_saphyr::Error>),
}

impl From<Complaint> for Problem {
    fn from(complaint: Complaint) -> Self {
        Self(ProblemKind::Complaint(complaint))
    }
}

impl Problem {
    pub(super) fn embedded(what: &'static str, source: serde_saphyr::Error) -> Self {
        Self(ProblemKind::Embedded(what, Box::new(source)))
    }

    pub(crate) fn into_error(self, file: &str, text: Option<&str>) -> SpecError {
        match self.0 {
            ProblemKind::Embedded(what, source) => SpecError::Embedded { what, source },
            ProblemKind::Complaint(Complaint { entry, what }) => {
                let place = text
                    .and_then(|text| locate(text, entry))
                    .map_or(Place(None), Place::of);
                SpecError::Impossible {
                    file: file.to_owned(),
                    place,
                    what,
                }
            }
        }
    }
}

/// Where an entry stands. A second, lenient reading that is only made once something is wrong.
fn locate(text: &str, entry: Entry) -> Option<serde_saphyr::Location> {
    #[derive(Deserialize)]
    struct Lists {
        #[serde(default)]
        devices: Vec<serde_saphyr::Spanned<serde::de::IgnoredAny>>,
        #[serde(default)]
        panoramas: Vec<serde_saphyr::Spanned<serde::de::IgnoredAny>>,
        #[serde(default)]
        pairs: Vec<serde_saphyr::Spanned<serde::de::IgnoredAny>>,
        #[serde(default)]
        faults: Vec<serde_saphyr::Spanned<serde::de::IgnoredAny>>,
    }
    let lists: Lists = serde_saphyr::from_str(text).ok()?;
    let found = match entry {
        Entry::Device(index) => lists.devices.get(index),
        Entry::Panorama(index) => lists.panoramas.get(index),
        Entry::Pair(index) => lists.pairs.get(index),
        Entry::Fault(index) => lists.faults.get(index),
    };
    found.map(|entry| entry.referenced)
}
