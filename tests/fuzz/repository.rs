//! Seeds: files of this repository that the tests of other crates read too.
//! Knows where they lie; must not know what is in them.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of one file, by its path from the top. Empty where it is not there: `seeds.rs` finds a target without seeds.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Every file below these folders with one of these endings, in the order of their paths.
pub(crate) fn files(folders: &[&str], endings: &[&str]) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else if endings
                .iter()
                .any(|ending| path.to_string_lossy().ends_with(ending))
            {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// What stands behind `key:` on the lines of YAML files, without the quotes around it.
pub(crate) fn values_of(key: &str, files: &[Vec<u8>]) -> Vec<String> {
    let texts = files
        .iter()
        .map(|file| String::from_utf8_lossy(file).into_owned());
    let mut found = Vec::new();
    for text in texts {
        for line in text.lines() {
            let line = line.trim_start().trim_start_matches("- ");
            let value = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
            let value = value.map(|value| value.trim().trim_matches(['"', '\'']));
            found.extend(value.filter(|value| value.len() > 1).map(str::to_owned));
        }
    }
    found
}
