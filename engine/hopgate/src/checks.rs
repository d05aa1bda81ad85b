//! What is asked around a hop: playbooks by name or file, and the advisories, each with the hash that a plan is bound to.

use std::path::{Path, PathBuf};

use hopgate_core::plan::sha256_hex;
use hopgate_paths::Catalogue;
use hopgate_playbooks::{Playbook, PlaybookError};

use crate::catalogue::advisories_hash;

/// The name by which the advisories on a device's way are asked for.
pub const ADVISORIES: &str = "advisories";

/// A playbook that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChecksError {
    /// Neither a built-in name nor a file.
    #[error("{name} is neither built in ({known}) nor a readable file")]
    NotFound {
        /// The name as given.
        name: String,
        /// The built-in ones.
        known: String,
        /// Why the file cannot be read.
        #[source]
        source: std::io::Error,
    },
    /// The advisories are asked where they say nothing.
    #[error("advisories are about the way ahead: ask them before a hop, not after it")]
    AdvisoriesAfter,
    /// It is not a playbook.
    #[error("the playbook {name} cannot be used")]
    Playbook {
        /// The name as given.
        name: String,
        /// Why.
        #[source]
        source: Box<PlaybookError>,
    },
}

/// Something that is asked.
pub enum Asked {
    /// A playbook.
    Playbook(Playbook),
    /// The advisories on the rest of a device's way.
    Advisories,
}

impl Asked {
    /// The playbook, where it is one.
    pub fn playbook(&self) -> Option<&Playbook> {
        match self {
            Self::Playbook(playbook) => Some(playbook),
            Self::Advisories => None,
        }
    }
}

/// Something that is asked, and the hash of what it asks.
pub struct Hashed {
    /// What is asked.
    pub asked: Asked,
    /// SHA-256 of a playbook's text, or of the advisories.
    pub hash: String,
}

impl Hashed {
    /// The name it goes by in a plan.
    pub fn name(&self) -> &str {
        match &self.asked {
            Asked::Playbook(playbook) => playbook.name(),
            Asked::Advisories => ADVISORIES,
        }
    }
}

/// The names of everything that is built in.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    Playbook::builtin_names().chain([ADVISORIES])
}

/// Loads what a name stands for: the advisories, a built-in playbook, or a file relative to `base`.
pub fn load(name: &str, base: &Path, catalogue: &Catalogue) -> Result<Hashed, ChecksError> {
    if name == ADVISORIES {
        return Ok(Hashed {
            asked: Asked::Advisories,
            hash: advisories_hash(catalogue),
        });
    }
    let (file, text) = text_of(name, base)?;
    let playbook = parsed(name, &file, &text)?;
    Ok(Hashed {
        asked: Asked::Playbook(playbook),
        hash: sha256_hex(text.as_bytes()),
    })
}

/// A playbook by its name, or by its file relative to `base`.
pub fn playbook(name: &str, base: &Path) -> Result<Playbook, ChecksError> {
    let (file, text) = text_of(name, base)?;
    parsed(name, &file, &text)
}

fn text_of(name: &str, base: &Path) -> Result<(String, String), ChecksError> {
    match Playbook::builtin_text(name) {
        Some(text) => Ok((name.to_owned(), text.to_owned())),
        None => read(name, base),
    }
}

fn parsed(name: &str, file: &str, text: &str) -> Result<Playbook, ChecksError> {
    Playbook::parse(file, text).map_err(|source| ChecksError::Playbook {
        name: name.to_owned(),
        source: Box::new(source),
    })
}

fn read(name: &str, base: &Path) -> Result<(String, String), ChecksError> {
    let path: PathBuf = base.join(name);
    let text = std::fs::read_to_string(&path).map_err(|source| ChecksError::NotFound {
        name: name.to_owned(),
        known: builtin_names().collect::<Vec<_>>().join(", "),
        source,
    })?;
    Ok((path.display().to_string(), text))
}

/// Loads several, in order.
pub fn load_all(names: &[String], base: &Path, catalogue: &Catalogue) -> Result<Vec<Hashed>, ChecksError> {
    names.iter().map(|name| load(name, base, catalogue)).collect()
}
