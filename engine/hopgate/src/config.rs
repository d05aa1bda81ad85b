//! What a person writes: the inventory and the campaign, read strictly, every complaint with its file, line and key.
//!
//! Three steps, three names: text, the raw shape that serde reads (unknown keys refused), and the checked value that the
//! rest of the program sees. Decides nothing about devices.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub mod campaign;
pub mod credentials;
pub mod inventory;

/// What is wrong with a file that a person wrote.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not the YAML that it should be: an unknown key, a wrong type, a value out of its range.
    #[error("{}:{line}:{column}: {text}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// From 1.
        column: u64,
        /// What is wrong, with the key.
        text: String,
    },
    /// Each key is right and together they are not.
    #[error("{}: {key}: {text}", path.display())]
    Meaning {
        /// The file.
        path: PathBuf,
        /// The key, as a path.
        key: String,
        /// What is wrong.
        text: String,
    },
}

/// Reads a YAML file into its raw shape.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(path, &text)
}

/// Parses YAML text into its raw shape; `path` is only named in errors.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| shape(path, text, &error))
}

fn shape(path: &Path, file: &str, error: &serde_saphyr::Error) -> ConfigError {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
    let said = error.to_string();
    // The place stands in front already.
    let said = said.split(" at line ").next().unwrap_or(&said).trim();
    let said = in_plain_words(said.strip_prefix("error: ").unwrap_or(said));
    let text = match key_before(file, line, column) {
        Some(key) if !said.contains(key) => format!("{key}: {said}"),
        _ => said.to_owned(),
    };
    ConfigError::Shape { path: path.to_owned(), line, column, text }
}

/// The parser's own words for a wrong type, in words for whoever wrote the file.
fn in_plain_words(said: &str) -> &str {
    match said {
        "invalid u32" | "invalid u64" => "expected a whole number, 0 or more",
        "invalid f64" => "expected a number",
        "expected sequence start" => "expected a list",
        "expected mapping start" => "expected keys with values",
        other => other,
    }
}

/// The key whose value stands at this place, both from 1: the last `key:` before it on its line.
fn key_before(file: &str, line: u64, column: u64) -> Option<&str> {
    let line = file.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let before = line.get(..usize::try_from(column).ok()?.checked_sub(1)?)?.trim_end();
    let before = before.strip_suffix(':')?;
    let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).map_or(0, |at| at + 1);
    before.get(start..).filter(|key| !key.is_empty())
}

pub(crate) fn meaning(path: &Path, key: impl Into<String>, text: impl Into<String>) -> ConfigError {
    ConfigError::Meaning {
        path: path.to_owned(),
        key: key.into(),
        text: text.into(),
    }
}
