//! The release catalogue in use: the shipped one, with the operator's overlays on it.
//!
//! Reads files; what a row means and whether overlays fit together is decided in `paths`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use hopgate_core::plan::sha256_hex;
use hopgate_paths::{Catalogue, CatalogueError};

/// A catalogue that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueFault {
    /// An overlay cannot be read.
    #[error("failed to read the catalogue overlay {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A row of an overlay is wrong, or contradicts another row.
    #[error("the catalogue overlays cannot be used")]
    Overlay(#[source] Box<CatalogueError>),
    /// The shipped catalogue is broken, which a test rules out.
    #[error("the release catalogue cannot be used")]
    Shipped(#[source] Box<CatalogueError>),
}

/// Loads it; overlays are relative to `base` and apply in their order.
pub fn load(overlays: &[PathBuf], base: &Path) -> Result<Cow<'static, Catalogue>, CatalogueFault> {
    let shipped = Catalogue::embedded().map_err(|source| CatalogueFault::Shipped(Box::new(source)))?;
    if overlays.is_empty() {
        return Ok(Cow::Borrowed(shipped));
    }
    let mut texts = Vec::new();
    for file in overlays {
        let path = base.join(file);
        let text = std::fs::read_to_string(&path).map_err(|source| CatalogueFault::Read {
            path: path.clone(),
            source,
        })?;
        texts.push((path.display().to_string(), text));
    }
    let files: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let overlaid = shipped
        .overlaid(&files)
        .map_err(|source| CatalogueFault::Overlay(Box::new(source)))?;
    Ok(Cow::Owned(overlaid))
}

/// SHA-256 over the advisories and the modules that some of them are about: what a plan that asks them is bound to. Other
/// rows of the catalogue shape the hops, and those stand in the plan themselves.
pub fn advisories_hash(catalogue: &Catalogue) -> String {
    let advisories: Vec<_> = catalogue.advisories().collect();
    hash_of(&(advisories, catalogue.modules()))
}

/// SHA-256 over the list of modules: what a plan whose checks look at modules is bound to.
pub fn modules_hash(catalogue: &Catalogue) -> String {
    hash_of(catalogue.modules())
}

fn hash_of(rows: &impl serde::Serialize) -> String {
    // Rows hold only strings, numbers and lists, none of which fail to serialize.
    sha256_hex(&serde_json::to_vec(rows).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANNED: &str = "[[module]]\npart = \"X-1\"\nverdict = \"known-bad\"\neffect = \"it loops\"\nsource = \"a test\"\n\
        confidence = \"low\"\n";
    const VOUCHED: &str = "[[module]]\npart = \"X-1\"\nverdict = \"allowed\"\nmodels = [\"PA-850\"]\nsource = \"a test\"\n\
        confidence = \"low\"\n";
    const OTHER: &str =
        "[[module]]\npart = \"Y-1\"\nverdict = \"allowed\"\nsource = \"a test\"\nconfidence = \"low\"\n";

    #[test]
    fn the_hash_of_modules_tells_which_file_has_the_last_word() {
        let hash = |files: &[&str]| {
            let files: Vec<(&str, &str)> = files.iter().map(|text| ("ours.toml", *text)).collect();
            let catalogue = Catalogue::embedded().unwrap().overlaid(&files).unwrap();
            (modules_hash(&catalogue), advisories_hash(&catalogue))
        };
        let (banned_last, vouched_last) = (hash(&[VOUCHED, BANNED]), hash(&[BANNED, VOUCHED]));
        assert_ne!(banned_last.0, vouched_last.0);
        assert_ne!(banned_last.1, vouched_last.1);
        // A file about another part changes nothing of who has it about this one.
        assert_eq!(hash(&[BANNED, OTHER, VOUCHED]), hash(&[BANNED, VOUCHED, OTHER]));
    }
}
