//! The catalogue's files as texts: which there are, and where in them something is wrong.
//!
//! Responsible for: reading a text into rows that know their file and line, and the errors that say file, line and key.
//! Must not know: whether a row makes sense beside the others; that is checked where they are put together.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;
use toml::Spanned;

use super::rows::Rows;

/// What an error names where the line at fault has no key.
const NO_KEY: &str = "(no key)";

/// Longest piece of a line at fault that an error repeats.
const KEY_SHOWN: usize = 60;

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
    #[error("reading the release catalogue: {file} is not expected here (once each: {expected})")]
    Unexpected {
        /// Its name.
        file: String,
        /// The names of the files there are.
        expected: String,
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
        file: String,
        /// The line the row starts at, counted from 1.
        line: usize,
        /// The key at fault.
        key: &'static str,
        /// What is wrong, naming file and line of the other row where two disagree.
        message: String,
    },
}

/// Where a row stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    file: Arc<str>,
    line: usize,
    /// Files of one layer must not repeat a row; those of a later layer replace it.
    pub(super) layer: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

impl Place {
    pub(super) fn wrong(&self, key: &'static str, message: String) -> CatalogueError {
        CatalogueError::Rule {
            file: self.file.as_ref().to_owned(),
            line: self.line,
            key,
            message,
        }
    }
}

/// A file's text, to say where a row of it stands.
pub(super) struct Page<'a> {
    file: Arc<str>,
    text: &'a str,
    layer: usize,
}

impl<'a> Page<'a> {
    pub(super) fn new(file: &str, text: &'a str, layer: usize) -> Self {
        Self {
            file: file.into(),
            text,
            layer,
        }
    }

    pub(super) fn rows(&self) -> Result<Rows, CatalogueError> {
        toml::from_str(self.text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = self.line_of(start);
            let written = self.text.split('\n').nth(line - 1).unwrap_or_default();
            let key: String = written
                .split('=')
                .next()
                .unwrap_or_default()
                .trim()
                .chars()
                .take(KEY_SHOWN)
                .collect();
            CatalogueError::Row {
                file: self.file.as_ref().to_owned(),
                line,
                key: if key.is_empty() { NO_KEY.to_owned() } else { key },
                message: error.message().to_owned(),
            }
        })
    }

    /// A row and where it stands.
    pub(super) fn placed<T>(&self, row: Spanned<T>) -> (Place, T) {
        let place = Place {
            file: Arc::clone(&self.file),
            line: self.line_of(row.span().start),
            layer: self.layer,
        };
        (place, row.into_inner())
    }

    fn line_of(&self, offset: usize) -> usize {
        let bytes = self.text.as_bytes();
        let before = bytes.get(..offset).unwrap_or(bytes);
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}
