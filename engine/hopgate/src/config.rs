//! What a person writes: the inventory and the campaign, read strictly, every complaint with its file, line and key.
//!
//! Three steps, three names: text, the raw shape that serde reads (unknown keys refused), and the checked value that the
//! rest of the program sees. Decides nothing about devices.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub mod campaign;
pub mod check;
pub mod credentials;
pub mod inventory;
pub mod panorama;
pub mod selector;

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
    #[error("{}{}: {key}: {text}", path.display(), line.map_or_else(String::new, |line| format!(":{line}")))]
    Meaning {
        /// The file.
        path: PathBuf,
        /// From 1, where the key was found again in the text.
        line: Option<u64>,
        /// The key, as a path.
        key: String,
        /// What is wrong.
        text: String,
    },
}

/// Reads a YAML file into its raw shape and judges it with `check`.
pub fn read<T: DeserializeOwned>(
    path: &Path,
    check: impl Fn(&T) -> Result<(), ConfigError>,
) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    let value = parse(path, &text)?;
    check(&value).map_err(|error| error.located_in(&text))?;
    Ok(value)
}

/// Parses YAML text into its raw shape; `path` is only named in errors.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| shape(path, text, &error))
}

fn shape(path: &Path, file: &str, error: &serde_saphyr::Error) -> ConfigError {
    let (line, column) = error
        .location()
        .map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
    let said = error.to_string();
    // The place stands in front already.
    let said = said.split(" at line ").next().unwrap_or(&said).trim();
    let said = in_plain_words(said.strip_prefix("error: ").unwrap_or(said));
    let text = match key_before(file, line, column) {
        Some(key) if !said.contains(key) => format!("{key}: {said}"),
        _ => said.to_owned(),
    };
    ConfigError::Shape {
        path: path.to_owned(),
        line,
        column,
        text,
    }
}

/// The parser's own words for a wrong type, in words for whoever wrote the file.
fn in_plain_words(said: &str) -> &str {
    match said {
        "invalid u32" | "invalid u64" => "expected a whole number, 0 or more",
        "invalid f64" => "expected a number",
        "expected sequence start" => "expected a list",
        "expected mapping start" => "expected keys with values",
        // YAML takes what follows `!` for a tag, and finds nothing behind it.
        "cannot deserialize null into string; use Option<String>" => {
            "expected a text, and there is none (what begins with ! has to be quoted)"
        }
        // The parser's advice is for whoever programs with it.
        other => other
            .strip_suffix(", set DuplicateKeyPolicy in Options if acceptable")
            .unwrap_or(other),
    }
}

/// The key whose value stands at this place, both from 1: the last `key:` before it on its line.
fn key_before(file: &str, line: u64, column: u64) -> Option<&str> {
    let line = file.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let before = line
        .get(..usize::try_from(column).ok()?.checked_sub(1)?)?
        .trim_end();
    let before = before.strip_suffix(':')?;
    let start = before
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .map_or(0, |at| at + 1);
    before.get(start..).filter(|key| !key.is_empty())
}

pub(crate) fn meaning(path: &Path, key: impl Into<String>, text: impl Into<String>) -> ConfigError {
    ConfigError::Meaning {
        path: path.to_owned(),
        line: None,
        key: key.into(),
        text: text.into(),
    }
}

impl ConfigError {
    /// The same, with the line of its key in the file's text.
    pub(crate) fn located_in(self, file: &str) -> Self {
        match self {
            ConfigError::Meaning {
                path,
                line: None,
                key,
                text,
            } => {
                let line = line_of(file, &key);
                ConfigError::Meaning {
                    path,
                    line,
                    key,
                    text,
                }
            }
            other => other,
        }
    }
}

/// The line of a key path such as `waves[1].devices` or `groups.branches`, from 1. Looks for the top key, then for the item
/// of its list, then for the inner key in that item or under the top key; what cannot be found more closely is given by what was.
fn line_of(file: &str, key: &str) -> Option<u64> {
    let (top, inner) = key.split_once('.').unwrap_or((key, ""));
    let (top, index) = match top.split_once('[') {
        Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
        None => (top, None),
    };
    let lines: Vec<&str> = file.lines().collect();
    let of_top = lines
        .iter()
        .position(|line| line.strip_prefix(top).is_some_and(|rest| rest.starts_with(':')))?;
    let is_item = |line: &str| line.trim_start().starts_with("- ");
    let item = index.and_then(|index| {
        let items = lines
            .iter()
            .enumerate()
            .skip(of_top + 1)
            .filter(|(_, line)| is_item(line));
        items.map(|(number, _)| number).nth(index)
    });
    let start = item.unwrap_or(of_top);
    // A name may hold a dot itself; a path that goes on does not stand in one line.
    let wanted = [inner, inner.split('.').next().unwrap_or_default()];
    let belongs = |number: usize, line: &str| match item {
        _ if number == start => true,
        Some(_) => line.starts_with(' ') && !is_item(line),
        None => line.is_empty() || line.starts_with([' ', '#', '-']),
    };
    let within = lines
        .iter()
        .enumerate()
        .skip(start)
        .take_while(|(number, line)| belongs(*number, line));
    let found = wanted.into_iter().find_map(|key| {
        let mut lines = within.clone();
        lines.find(|(_, line)| has_key(line, key))
    });
    let at = found.map_or(start, |(number, _)| number);
    u64::try_from(at + 1).ok()
}

/// Whether the line has this key, as it is and not as the end of another: at its beginning, or where YAML's short form has one.
fn has_key(line: &str, key: &str) -> bool {
    let quotes = ['"', '\''];
    let is_there = |at: usize| {
        let (before, after) = (&line[..at], &line[at + key.len()..]);
        let before = before.trim_end_matches(quotes).chars().next_back();
        let begins = before.is_none_or(|last| last.is_whitespace() || "{,[".contains(last));
        begins && after.trim_start_matches(quotes).starts_with(':')
    };
    !key.is_empty()
        && !line.trim_start().starts_with('#')
        && line.match_indices(key).any(|(at, _)| is_there(at))
}
