//! Playbooks by name or file, with the hash that a plan is bound to.

use std::path::{Path, PathBuf};

use hopgate_core::plan::sha256_hex;
use hopgate_playbooks::{Playbook, PlaybookError};

/// A playbook that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChecksError {
    /// Neither a built-in name nor a file.
    #[error("{name} is neither a built-in playbook ({known}) nor a readable file")]
    NotFound {
        /// The name as given.
        name: String,
        /// The built-in ones.
        known: String,
        /// Why the file cannot be read.
        #[source]
        source: std::io::Error,
    },
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

/// A playbook and the hash of its text.
pub struct Hashed {
    /// The playbook.
    pub playbook: Playbook,
    /// SHA-256 of its text.
    pub hash: String,
}

/// Loads a playbook: a built-in name, or a file relative to `base`.
pub fn load(name: &str, base: &Path) -> Result<Hashed, ChecksError> {
    let wrong = |source| ChecksError::Playbook {
        name: name.to_owned(),
        source: Box::new(source),
    };
    if let Some(text) = Playbook::builtin_text(name) {
        let playbook = Playbook::parse(name, text).map_err(wrong)?;
        return Ok(Hashed {
            playbook,
            hash: sha256_hex(text.as_bytes()),
        });
    }
    let path: PathBuf = base.join(name);
    let text = std::fs::read_to_string(&path).map_err(|source| ChecksError::NotFound {
        name: name.to_owned(),
        known: Playbook::builtin_names().collect::<Vec<_>>().join(", "),
        source,
    })?;
    let playbook = Playbook::parse(&path.display().to_string(), &text).map_err(wrong)?;
    Ok(Hashed {
        playbook,
        hash: sha256_hex(text.as_bytes()),
    })
}

/// Loads several, in order.
pub fn load_all(names: &[String], base: &Path) -> Result<Vec<Hashed>, ChecksError> {
    names.iter().map(|name| load(name, base)).collect()
}
