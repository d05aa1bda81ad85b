//! Where a path shall lead: to one release, or to wherever the model stops in a feature release.
//!
//! Responsible for: telling the two apart in what an operator writes. Must not know: which releases exist; the graph
//! finds out what a feature release means for a model.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::version::{InvalidTrain, InvalidVersion, Train, Version};

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Exactly this release: `10.2.4-h4`.
    Version(Version),
    /// The release the model stops at in this feature release: `10.2`.
    Train(Train),
}

/// A text that is neither a release nor a feature release.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidTarget {
    /// It has three numbers or more, and is no release.
    #[error(transparent)]
    Version(InvalidVersion),
    /// It has two numbers or fewer, and is no feature release.
    #[error(transparent)]
    Train(InvalidTrain),
}

impl Target {
    /// The feature release it is in.
    pub const fn train(self) -> Train {
        match self {
            Self::Version(version) => version.train(),
            Self::Train(train) => train,
        }
    }
}

impl From<Version> for Target {
    fn from(version: Version) -> Self {
        Self::Version(version)
    }
}

impl From<Train> for Target {
    fn from(train: Train) -> Self {
        Self::Train(train)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Train(train) => train.fmt(f),
        }
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.bytes().filter(|byte| *byte == b'.').count() < 2 {
            text.parse().map(Self::Train).map_err(InvalidTarget::Train)
        } else {
            text.parse().map(Self::Version).map_err(InvalidTarget::Version)
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_are_a_feature_release_and_three_a_release() {
        assert_eq!("10.2".parse(), Ok(Target::Train("10.2".parse().unwrap())));
        let release = "10.2.4-h4".parse::<Target>().unwrap();
        assert_eq!(release, Target::Version("10.2.4-h4".parse().unwrap()));
        assert_eq!(release.to_string(), "10.2.4-h4");
        assert_eq!(release.train(), "10.2".parse().unwrap());
        assert_eq!(serde_json::to_string(&release).unwrap(), "\"10.2.4-h4\"");
        assert_eq!(
            serde_json::from_str::<Target>("\"10.2\"").unwrap().to_string(),
            "10.2"
        );
    }

    #[test]
    fn a_text_that_is_neither_is_answered_with_what_it_looks_like() {
        let said = |text: &str| text.parse::<Target>().unwrap_err().to_string();
        insta::assert_snapshot!([said("10.x"), said("latest"), said("10.2.x")].join("\n"), @r#"
        "10.x" is not a PAN-OS feature release: the minor number is not a number (expected MAJOR.MINOR, such as 10.1)
        "latest" is not a PAN-OS feature release: the major number is not a number (expected MAJOR.MINOR, such as 10.1)
        "10.2.x" is not a PAN-OS version: the maintenance number is not a number (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)
        "#);
    }
}
