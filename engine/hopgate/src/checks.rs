//! What is asked around a hop or in an audit: playbooks by name or file, with the settings that were chosen for them, and
//! the advisories, and what differs from before a hop, each with the hash that a plan is bound to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hopgate_core::plan::sha256_hex;
use hopgate_core::window::worst_minutes;
use hopgate_paths::{Catalogue, Hop};
use hopgate_playbooks::{
    FactArea, HopContext, Playbook, PlaybookError, Rules, RulesError, Setting, SettingError,
};

use crate::catalogue::{advisories_hash, modules_hash};
use crate::config::check::CheckText;

pub mod choice;
mod differences;

/// The name by which the advisories on a device's way are asked for.
pub const ADVISORIES: &str = "advisories";

/// The name by which what differs from before a hop is asked for.
pub const DIFFERENCES: &str = "differences";

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
    /// Differences are asked where there is nothing to compare with yet.
    #[error("differences are from before a hop to after it: ask them after it")]
    DifferencesBefore,
    /// The rules of differences are in no file.
    #[error("the rules of differences cannot be read from {}", path.display())]
    RulesUnread {
        /// The file as given.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The rules of differences are not rules.
    #[error("the rules of differences cannot be used")]
    Rules(#[source] Box<RulesError>),
    /// It is not a playbook.
    #[error("the playbook {name} cannot be used")]
    Playbook {
        /// The name as given.
        name: String,
        /// Why.
        #[source]
        source: Box<PlaybookError>,
    },
    /// A playbook does not take a setting that was chosen for it.
    #[error("a setting cannot be chosen")]
    Setting(#[source] SettingError),
    /// There is nothing to choose.
    #[error("settings are chosen for {name}, which has none")]
    NoSettings {
        /// The name as given.
        name: String,
    },
    /// A setting is chosen for a playbook that nobody asks.
    #[error("a setting is chosen for the playbook {playbook}, which is not asked; asked are {}", asked.join(", "))]
    NotAsked {
        /// The playbook.
        playbook: String,
        /// What is asked.
        asked: Vec<String>,
    },
    /// No playbook has the setting.
    #[error("no playbook that is asked has the setting {name}{}", nearest.as_ref().map_or_else(String::new, |near| format!("; the nearest is {near}")))]
    NoSuchSetting {
        /// The setting.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// Which of two values is meant cannot be told.
    #[error("the setting {name} is chosen twice")]
    ChosenTwice {
        /// The setting.
        name: String,
    },
    /// A plan names a check once, with one hash: of two that are unlike, it would hold one.
    #[error("two different checks around a hop go by the name {name}")]
    TwoOfOneName {
        /// The name.
        name: String,
    },
}

/// Something that is asked.
pub enum Asked {
    /// A playbook.
    Playbook(Playbook),
    /// The advisories on the rest of a device's way.
    Advisories,
    /// What is not as it was before the hop.
    Differences(Box<Rules>),
}

impl Asked {
    /// The playbook, where it is one.
    pub fn playbook(&self) -> Option<&Playbook> {
        match self {
            Self::Playbook(playbook) => Some(playbook),
            Self::Advisories | Self::Differences(_) => None,
        }
    }
}

/// Something that is asked, and the hash of what it asks.
pub struct Hashed {
    /// What is asked.
    pub asked: Asked,
    /// SHA-256 of a playbook's text and of the settings chosen for it, of the advisories, or of the rules; and of the list of
    /// modules, where what is asked depends on it.
    pub hash: String,
    /// The settings that were chosen for it, as they stand.
    pub settings: BTreeMap<String, Setting>,
}

impl Hashed {
    /// The name it goes by in a plan.
    pub fn name(&self) -> &str {
        match &self.asked {
            Asked::Playbook(playbook) => playbook.name(),
            Asked::Advisories => ADVISORIES,
            Asked::Differences(_) => DIFFERENCES,
        }
    }

    /// The same with these settings chosen, which is another question and has another hash. Without any it is what it was,
    /// so that a plan that chooses none keeps its hash.
    fn with(self, chosen: &BTreeMap<String, Setting>) -> Result<Hashed, ChecksError> {
        if chosen.is_empty() {
            return Ok(self);
        }
        let Asked::Playbook(mut playbook) = self.asked else {
            return Err(ChecksError::NoSettings {
                name: self.name().to_owned(),
            });
        };
        for (name, value) in chosen {
            let known = playbook.settings().get(name);
            let chosen = if known.is_some_and(|known| known.kind() == value.kind()) {
                playbook.with(&BTreeMap::from([(name.clone(), value.clone())]))
            } else {
                // Typed anew: what a file takes for a number may be meant as a text (a port), and a command line has texts.
                playbook.with_typed(name, &value.to_string())
            };
            playbook = chosen.map_err(ChecksError::Setting)?;
        }
        let stands = |name: &String| Some((name.clone(), playbook.settings().get(name)?.clone()));
        let settings: BTreeMap<String, Setting> = chosen.keys().filter_map(stands).collect();
        // Settings are texts, numbers and lists of texts, none of which fail to serialize.
        let written = serde_json::to_string(&settings).unwrap_or_default();
        Ok(Hashed {
            asked: Asked::Playbook(playbook),
            hash: sha256_hex(format!("{} with {written}", self.hash).as_bytes()),
            settings,
        })
    }
}

/// The names of everything that is built in.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    Playbook::builtin_names().chain([ADVISORIES, DIFFERENCES])
}

/// Loads what a name stands for: the advisories, a built-in playbook, or a file relative to `base`.
pub fn load(name: &str, base: &Path, catalogue: &Catalogue) -> Result<Hashed, ChecksError> {
    if name == ADVISORIES {
        return Ok(Hashed {
            asked: Asked::Advisories,
            hash: advisories_hash(catalogue),
            settings: BTreeMap::new(),
        });
    }
    let (file, text) = text_of(name, base)?;
    let playbook = parsed(name, &file, &text)?;
    let mut hash = sha256_hex(text.as_bytes());
    if playbook.needs().contains(&FactArea::Optics) {
        hash = sha256_hex(format!("{hash} by {}", modules_hash(catalogue)).as_bytes());
    }
    Ok(Hashed {
        asked: Asked::Playbook(playbook),
        hash,
        settings: BTreeMap::new(),
    })
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

/// Loads several with their settings, in order.
pub fn load_all(
    checks: &[CheckText],
    base: &Path,
    catalogue: &Catalogue,
) -> Result<Vec<Hashed>, ChecksError> {
    let one = |check: &CheckText| match check.playbook.as_str() {
        DIFFERENCES => differences::load(&check.with, base),
        name => load(name, base, catalogue)?.with(&check.with),
    };
    checks.iter().map(one).collect()
}

/// The first hop of a way as checks see it: with what the later ones need, and how long it may take at worst.
pub fn way_context<'h>(way: impl IntoIterator<Item = &'h Hop>) -> Option<HopContext> {
    let mut way = way.into_iter().peekable();
    let minutes = worst_minutes(way.peek()?);
    Some(HopContext::on_way(way)?.lasting(minutes))
}

/// Refuses checks of one name that are not one check: a plan has room for one hash under a name.
pub fn one_of_each_name(checks: &[Hashed]) -> Result<(), ChecksError> {
    let mut hashes: BTreeMap<&str, &str> = BTreeMap::new();
    for check in checks {
        let earlier = hashes.insert(check.name(), &check.hash);
        if earlier.is_some_and(|earlier| earlier != check.hash) {
            return Err(ChecksError::TwoOfOneName {
                name: check.name().to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn names(playbooks: &[&str]) -> Vec<CheckText> {
        playbooks.iter().map(|name| CheckText::from(*name)).collect()
    }

    fn licences(warn_days: Setting) -> Vec<Hashed> {
        let check = CheckText {
            playbook: "licences".to_owned(),
            with: BTreeMap::from([("warn_days".to_owned(), warn_days)]),
        };
        load_all(&[check], Path::new(""), Catalogue::embedded().unwrap()).unwrap()
    }

    #[test]
    fn a_plan_without_settings_keeps_its_hash_and_each_choice_is_another_question() {
        let plain = load_all(
            &names(&["licences"]),
            Path::new(""),
            Catalogue::embedded().unwrap(),
        )
        .unwrap();
        let text = Playbook::builtin_text("licences").unwrap();
        assert_eq!(plain[0].hash, sha256_hex(text.as_bytes()));
        let sixty = licences(Setting::Number(60));
        assert_ne!(sixty[0].hash, plain[0].hash);
        assert_eq!(sixty[0].hash, licences(Setting::Text("60".to_owned()))[0].hash);
        assert_ne!(sixty[0].hash, licences(Setting::Number(61))[0].hash);
        assert_eq!(
            sixty[0].asked.playbook().unwrap().settings()["warn_days"],
            Setting::Number(60)
        );
    }

    #[test]
    fn two_unlike_checks_of_one_name_do_not_fit_into_a_plan() {
        let of = |days: &[i64]| -> Vec<Hashed> {
            days.iter()
                .flat_map(|days| licences(Setting::Number(*days)))
                .collect()
        };
        assert!(one_of_each_name(&of(&[60, 60])).is_ok());
        let error = one_of_each_name(&of(&[60, 7])).unwrap_err();
        insta::assert_snapshot!(error, @"two different checks around a hop go by the name licences");
    }
}
