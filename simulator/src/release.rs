//! PAN-OS releases: version numbers and their order, trains, the update server's list.
//!
//! Knows nothing of devices: which model is offered a release is `model.rs`, what is on a disk is `software.rs`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A PAN-OS version, such as `10.2.4-h4`. Ordered as the vendor's SDK orders it: numerically, and within one
/// maintenance release candidate < beta < release < hotfix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
    maintenance: u16,
    suffix: Suffix,
}

/// What follows the three numbers. The order of the variants is the vendor's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Suffix {
    Candidate(u16),
    Beta(u16),
    None,
    Hotfix(u16),
}

/// A text that is not a PAN-OS version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a PAN-OS version (such as 10.2.4 or 10.2.4-h4)")]
pub struct VersionError {
    /// The text as it was given.
    pub text: String,
}

impl Version {
    /// The train, such as `10.2`.
    pub fn train(self) -> String {
        format!("{}.{}", self.major, self.minor)
    }

    /// The first two numbers, which order trains.
    pub(crate) fn feature(self) -> (u16, u16) {
        (self.major, self.minor)
    }

    /// The third number.
    pub(crate) fn maintenance(self) -> u16 {
        self.maintenance
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || VersionError {
            text: text.to_owned(),
        };
        let (numbers, suffix) = match text.split_once('-') {
            None => (text, Suffix::None),
            Some((numbers, tail)) => (numbers, suffix(tail).ok_or_else(wrong)?),
        };
        let parts: Option<Vec<u16>> = numbers.split('.').map(number).collect();
        match parts.as_deref() {
            Some(&[major, minor, maintenance]) => Ok(Self {
                major,
                minor,
                maintenance,
                suffix,
            }),
            _ => Err(wrong()),
        }
    }
}

fn suffix(tail: &str) -> Option<Suffix> {
    let mut characters = tail.chars();
    let kind = characters.next()?;
    let value = number(characters.as_str())?;
    match kind {
        'h' => Some(Suffix::Hotfix(value)),
        'b' => Some(Suffix::Beta(value)),
        'c' => Some(Suffix::Candidate(value)),
        _ => None,
    }
}

/// Digits only: `u16::from_str` alone would also take `+4`.
fn number(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.maintenance)?;
        match self.suffix {
            Suffix::None => Ok(()),
            Suffix::Hotfix(number) => write!(formatter, "-h{number}"),
            Suffix::Beta(number) => write!(formatter, "-b{number}"),
            Suffix::Candidate(number) => write!(formatter, "-c{number}"),
        }
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One release the update server offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The version.
    pub version: Version,
    /// Size of the image in whole megabytes, as the device lists it.
    pub size: u64,
    /// Whether the device lists it as `release-type` Preferred.
    #[serde(default)]
    pub preferred: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Train {
    name: String,
    base: Version,
    min_content: u32,
    #[serde(default)]
    released: Option<jiff::civil::Date>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    trains: Vec<Train>,
    releases: Vec<Release>,
}

/// The releases on offer and the train table they are judged by.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    trains: Vec<Train>,
    releases: BTreeMap<Version, Release>,
}

const EMBEDDED: &str = include_str!("../data/releases.yaml");

impl Catalogue {
    /// The embedded list, or `releases` in its place. The train table is always the embedded one.
    pub(crate) fn new(releases: Option<&[Release]>) -> Result<Self, serde_saphyr::Error> {
        let document: Document = serde_saphyr::from_str(EMBEDDED)?;
        let releases = releases.map_or(document.releases, <[Release]>::to_vec);
        Ok(Self {
            trains: document.trains,
            releases: releases
                .into_iter()
                .map(|release| (release.version, release))
                .collect(),
        })
    }

    /// All releases, lowest version first. pan-os-python takes the lowest maintenance release of the next train
    /// that it meets, so a base has to come before its hotfixes.
    pub(crate) fn releases(&self) -> impl Iterator<Item = &Release> {
        self.releases.values()
    }

    pub(crate) fn get(&self, version: Version) -> Option<&Release> {
        self.releases.get(&version)
    }

    fn train(&self, version: Version) -> Option<(usize, &Train)> {
        let name = version.train();
        self.trains
            .iter()
            .enumerate()
            .find(|(_, train)| train.name == name)
    }

    /// How many feature releases lie between two versions; `None` when a train is not in the table.
    pub(crate) fn distance(&self, one: Version, other: Version) -> Option<usize> {
        Some(self.train(one)?.0.abs_diff(self.train(other)?.0))
    }

    /// Whether `version` belongs to `train` or a later one. A train that is not in the table is not.
    pub(crate) fn is_since(&self, version: Version, train: &str) -> bool {
        let of = |name: &str| self.trains.iter().position(|train| train.name == name);
        of(&version.train())
            .zip(of(train))
            .is_some_and(|(version, train)| version >= train)
    }

    /// The image that has to be on disk before `version` loads; `None` when `version` is that image itself.
    pub(crate) fn base_needed(&self, version: Version) -> Option<Version> {
        self.train(version)
            .map(|(_, train)| train.base)
            .filter(|base| *base != version)
    }

    pub(crate) fn is_base(&self, version: Version) -> bool {
        self.train(version)
            .is_some_and(|(_, train)| train.base == version)
    }

    /// Lowest content (first number) the train of `version` installs with.
    pub(crate) fn min_content(&self, version: Version) -> Option<u32> {
        self.train(version).map(|(_, train)| train.min_content)
    }

    /// Day of publication. Only bases have a known one; maintenance releases are placed 45 days apart after
    /// their base, which keeps the list in order and claims no more than that.
    pub(crate) fn released(&self, version: Version) -> Option<jiff::civil::Date> {
        let (_, train) = self.train(version)?;
        let after = i64::from(version.maintenance().saturating_sub(train.base.maintenance()));
        train
            .released?
            .checked_add(jiff::Span::new().days(after * 45))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_order_as_the_vendor_orders_them() {
        let mut sorted: Vec<Version> = [
            "10.2.5",
            "10.2.4-h4",
            "10.2.4",
            "10.2.4-b9",
            "10.2.4-c3",
            "9.1.19",
            "10.2.4-h10",
        ]
        .into_iter()
        .map(version)
        .collect();
        sorted.sort();
        let shown: Vec<String> = sorted.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "9.1.19",
                "10.2.4-c3",
                "10.2.4-b9",
                "10.2.4",
                "10.2.4-h4",
                "10.2.4-h10",
                "10.2.5"
            ]
        );
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
        for text in [
            "",
            "10.1",
            "10.1.0.1",
            "10.1.0-",
            "10.1.0-x3",
            "10.1.+3",
            "10.1.0-h",
            "v10.1.0",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_train_table_is_a_list_and_knows_odd_bases() {
        let catalogue = Catalogue::new(None).unwrap();
        assert_eq!(catalogue.distance(version("9.1.16"), version("10.1.0")), Some(2));
        assert_eq!(catalogue.distance(version("11.2.4"), version("12.1.2")), Some(1));
        assert_eq!(catalogue.distance(version("9.2.0"), version("10.1.0")), None);
        assert_eq!(catalogue.base_needed(version("12.1.4")), Some(version("12.1.2")));
        assert_eq!(catalogue.base_needed(version("10.2.0")), None);
        assert_eq!(catalogue.min_content(version("10.2.4-h4")), Some(8614));
    }

    #[test]
    fn the_embedded_list_has_every_base_before_its_train() {
        let catalogue = Catalogue::new(None).unwrap();
        for release in catalogue.releases() {
            if let Some(base) = catalogue.base_needed(release.version) {
                assert!(
                    catalogue
                        .get(base)
                        .is_some_and(|base| base.version < release.version),
                    "{base}"
                );
            }
        }
        for text in [
            "9.1.16",
            "9.1.19",
            "10.0.0",
            "10.1.14-h9",
            "10.2.4-h4",
            "10.2.7",
            "12.1.2",
        ] {
            assert!(catalogue.get(version(text)).is_some(), "{text}");
        }
    }
}
