//! Applications and Threats content: its versions and their order.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// Content version `NNNN-MMMM`; the first number orders it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContentVersion {
    /// The number that releases set a minimum for.
    pub first: u32,
    /// The build.
    pub second: u32,
}

impl fmt::Display for ContentVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.first, self.second)
    }
}

impl serde::Serialize for ContentVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is no content version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a content version (8700-7000)")]
pub struct ContentVersionError(String);

impl std::str::FromStr for ContentVersion {
    type Err = ContentVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('-').and_then(|(first, second)| {
            Some(Self {
                first: first.parse().ok()?,
                second: second.parse().ok()?,
            })
        });
        parts.ok_or_else(|| ContentVersionError(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ContentVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
