//! What is wrong with a playbook, and where.
//!
//! Responsible for: the words of each mistake, and telling those of the reader of YAML in plain ones. Must not know: how
//! a mistake is found.

use std::fmt;

use hopgate_paths::nearest_names;
use serde_saphyr::{Location, RenderOptions, SnippetMode};
use thiserror::Error;

/// Where in a playbook. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The playbook's file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// The place that the reader of YAML tells.
    pub(crate) fn at(file: &str, location: Location) -> Self {
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            file: file.to_owned(),
            line: count(location.line()),
            column: count(location.column()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}, column {}", self.file, self.line, self.column)
    }
}

/// A playbook that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlaybookError {
    /// It is not YAML, misses a key, or has a value of the wrong kind.
    #[error("reading playbook {place}: {message}")]
    Unreadable {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
    },
    /// A key or a word that does not exist.
    #[error("reading playbook {place}: unknown {kind} `{name}`; the nearest is `{nearest}`")]
    UnknownName {
        /// Where.
        place: Place,
        /// What it should be: a key, a value, an area.
        kind: &'static str,
        /// What was written.
        name: String,
        /// The nearest that exists.
        nearest: String,
    },
    /// An expression that does not compile.
    #[error("reading playbook {place}: check {check}, `{key}: {expression}`: {message}")]
    Expression {
        /// Where.
        place: Place,
        /// The check.
        check: String,
        /// The key it stands under.
        key: &'static str,
        /// The expression, or the message that holds it.
        expression: String,
        /// What is wrong with it.
        message: String,
    },
    /// A check, or a playbook, that contradicts itself.
    #[error("checking playbook {place}: {message}")]
    Contradiction {
        /// Where.
        place: Place,
        /// How.
        message: String,
    },
}

impl PlaybookError {
    /// Where.
    pub fn place(&self) -> &Place {
        match self {
            Self::Unreadable { place, .. }
            | Self::UnknownName { place, .. }
            | Self::Expression { place, .. }
            | Self::Contradiction { place, .. } => place,
        }
    }
}

/// Why a file is not what it should be, as the reader of YAML sees it.
pub(crate) enum Unreadable {
    /// A key or a word that does not exist.
    Unknown {
        kind: &'static str,
        name: String,
        nearest: String,
    },
    /// Anything else, without the place.
    Other(String),
}

impl Unreadable {
    pub(crate) fn of(error: &serde_saphyr::Error) -> Self {
        let unknown = |kind, name: &str, expected: &[&'static str]| Self::Unknown {
            kind,
            name: name.to_owned(),
            nearest: nearest_names(name, expected.iter().copied(), 1).join(", "),
        };
        match error.without_snippet() {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => unknown("key", field, expected),
            serde_saphyr::Error::SerdeUnknownVariant {
                variant, expected, ..
            } => unknown("value", variant, expected),
            serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => {
                Self::Other(format!("the key `{key}` stands twice"))
            }
            serde_saphyr::Error::Unexpected { expected, .. } => Self::Other(expects(expected)),
            other => {
                let mut plain = RenderOptions::default();
                plain.snippets = SnippetMode::Off;
                let said = other.render_with_options(plain);
                // The place stands in front already.
                let said = said.split(" at line ").next().unwrap_or_default();
                Self::Other(in_plain_words(said).unwrap_or(said).to_owned())
            }
        }
    }
}

/// What has to stand at a place, by what the reader of YAML calls it.
fn expects(what: &str) -> String {
    match what {
        "string scalar" => {
            "a text is expected here; one that begins with a bracket or a brace stands in quotes".to_owned()
        }
        "sequence start" => {
            "a list is expected here: `[one, two]`, or lines that begin with a dash".to_owned()
        }
        "mapping start" => "keys with values are expected here: `key: value`".to_owned(),
        other => format!("expected {other}"),
    }
}

/// What the reader of YAML says of what people write first.
const SAID: [(&str, &str); 6] = [
    (
        "mapping values are not allowed",
        "a second `: ` on a line makes another key; put the text in quotes",
    ),
    ("simple key expected ':'", "a key is followed by `:` and a blank"),
    ("found a tab", "a tab indents nothing; indent with blanks"),
    (
        "did not find expected '-' indicator",
        "the line is not indented as those it belongs to",
    ),
    (
        "invalid indentation in multiline quoted scalar",
        "a quote before this line is never closed",
    ),
    (
        "multiple YAML documents",
        "another document begins here; a file has one",
    ),
];

fn in_plain_words(said: &str) -> Option<&'static str> {
    let known = SAID.iter().find(|(part, _)| said.contains(part));
    known.map(|(_, plain)| *plain)
}
