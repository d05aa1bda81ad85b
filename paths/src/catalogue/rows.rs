//! The rows of the catalogue's files, as they are written.
//!
//! Responsible for: the shape of each kind of row, read strictly: an unknown key is an error, and so is a value of the
//! wrong kind. Must not know: whether a row makes sense beside the others; that is checked where they are put together.

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;
use toml::value::Datetime;

use super::{Base, Confidence};
use crate::advisory::{AdvisoryKind, Direction, Releases, Severity};
use crate::modules::ModuleVerdict;
use crate::version::{Train, Version};

/// A file: any kind of row may stand in any file, so that a correction of two kinds is one file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    #[serde(default)]
    pub(super) train: Vec<Spanned<TrainEntry>>,
    #[serde(default)]
    pub(super) reach: Vec<Spanned<ReachEntry>>,
    #[serde(default)]
    pub(super) content: Vec<Spanned<ContentEntry>>,
    #[serde(default)]
    pub(super) end_of_life: Vec<Spanned<EndEntry>>,
    #[serde(default)]
    pub(super) release: Vec<Spanned<ReleaseEntry>>,
    #[serde(default)]
    pub(super) releases: Vec<Spanned<ReleasesEntry>>,
    #[serde(default)]
    pub(super) class: Vec<Spanned<ClassEntry>>,
    #[serde(default)]
    pub(super) model: Vec<Spanned<ModelEntry>>,
    #[serde(default)]
    pub(super) support: Vec<Spanned<SupportEntry>>,
    #[serde(default)]
    pub(super) advisory: Vec<Spanned<AdvisoryEntry>>,
    #[serde(default)]
    pub(super) media: Vec<Spanned<MediaEntry>>,
    #[serde(default)]
    pub(super) module: Vec<Spanned<ModuleEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainEntry {
    pub(super) name: Train,
    pub(super) base: BaseEntry,
    pub(super) leave_from: LeaveFrom,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LeaveFrom {
    Preferred,
    Any,
}

pub(super) struct BaseEntry(pub(super) Base);

impl<'de> Deserialize<'de> for BaseEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "read-from-device" => Ok(Self(Base::ReadFromDevice)),
            version => version
                .parse()
                .map(|version| Self(Base::Known(version)))
                .map_err(de::Error::custom),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReachEntry {
    pub(super) from: Train,
    pub(super) to: Vec<Train>,
    /// Off unless asked for by this name; without it the row is the vendor's own table.
    pub(super) option: Option<String>,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContentEntry {
    pub(super) train: Train,
    pub(super) minimum: u32,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndEntry {
    pub(super) train: Train,
    pub(super) date: Datetime,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseEntry {
    pub(super) version: Version,
    #[serde(default)]
    pub(super) preferred: bool,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

/// Releases of which nothing is to say but that the vendor published them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleasesEntry {
    pub(super) versions: Vec<Version>,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassEntry {
    pub(super) name: String,
    pub(super) install: Minutes,
    pub(super) reboot: Minutes,
    pub(super) auto_commit: Minutes,
    pub(super) watchdog: Deadlines,
    pub(super) chassis_ready: bool,
    #[serde(default)]
    pub(super) extended_stream: bool,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Minutes {
    pub(super) expected: u32,
    pub(super) worst: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deadlines {
    pub(super) warn: u32,
    pub(super) fail: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelEntry {
    pub(super) class: String,
    pub(super) names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SupportEntry {
    pub(super) models: Vec<String>,
    pub(super) trains: Vec<SupportedTrain>,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

/// `10.2`, or `10.1.2+` for a model that runs only later maintenance releases, as the vendor's matrix writes it.
pub(super) struct SupportedTrain {
    pub(super) train: Train,
    pub(super) minimum: Option<Version>,
}

impl<'de> Deserialize<'de> for SupportedTrain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.strip_suffix('+') {
            Some(text) => {
                let minimum: Version = text.parse().map_err(de::Error::custom)?;
                Ok(Self {
                    train: minimum.train(),
                    minimum: Some(minimum),
                })
            }
            None => Ok(Self {
                train: text.parse().map_err(de::Error::custom)?,
                minimum: None,
            }),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdvisoryEntry {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) kind: AdvisoryKind,
    #[serde(default)]
    pub(super) models: Vec<String>,
    #[serde(default)]
    pub(super) classes: Vec<String>,
    #[serde(default)]
    pub(super) fixed_in: Vec<Version>,
    #[serde(default)]
    pub(super) affected: Vec<ReleasesText>,
    #[serde(default)]
    pub(super) from: Vec<ReleasesText>,
    #[serde(default)]
    pub(super) to: Vec<ReleasesText>,
    pub(super) direction: Option<Direction>,
    #[serde(default)]
    pub(super) when: Vec<WhenEntry>,
    pub(super) severity: Severity,
    pub(super) effect: String,
    pub(super) action: String,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

/// One predicate: exactly one of `flag`, `not`, `number` and `optics`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhenEntry {
    pub(super) flag: Option<String>,
    pub(super) not: Option<String>,
    pub(super) number: Option<String>,
    pub(super) below: Option<u64>,
    pub(super) at_least: Option<u64>,
    pub(super) optics: Option<OpticsEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpticsEntry {
    #[serde(default)]
    pub(super) ports: Vec<u32>,
    #[serde(default)]
    pub(super) classes: Vec<String>,
    #[serde(default)]
    pub(super) parts: Vec<String>,
    #[serde(default)]
    pub(super) media: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaEntry {
    pub(super) says: String,
    pub(super) means: PortWithoutModule,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PortWithoutModule {
    Empty,
    Fixed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModuleEntry {
    pub(super) part: String,
    pub(super) verdict: ModuleVerdict,
    #[serde(default)]
    pub(super) models: Vec<String>,
    #[serde(default)]
    pub(super) classes: Vec<String>,
    #[serde(default)]
    pub(super) releases: Vec<ReleasesText>,
    #[serde(default)]
    pub(super) ports: Vec<u32>,
    pub(super) effect: Option<String>,
    pub(super) source: String,
    pub(super) confidence: Confidence,
}

pub(super) struct ReleasesText(pub(super) Releases);

impl<'de> Deserialize<'de> for ReleasesText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map(Self)
            .map_err(de::Error::custom)
    }
}
