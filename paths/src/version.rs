//! PAN-OS version numbers: their grammar and the vendor's order.
//!
//! Responsible for: parsing and printing `10.2.4-h4` and `10.2`, and comparing them as the vendor's own SDK does
//! (pan-os-python, `PanOSVersion`). Must not know: which releases exist, which are supported, or which contain a fix.
//! "Higher" does not mean "has the fix": hotfixes live on each maintenance release.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

const GRAMMAR: &str = "MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr";

/// Longest piece of a rejected text that an error repeats: a whole page pasted by mistake is not a message.
const SHOWN: usize = 40;

/// A feature release: the first two numbers of a version, `10.1`.
///
/// Trains are ordered by number, but how far apart two of them are is a question for the catalogue: there was no 9.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Train {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

/// What follows the maintenance number. The order of the variants is the vendor's: candidate, beta, release, hotfix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suffix {
    /// `-cN`: a candidate or internal build.
    Candidate(u16),
    /// `-bN`: a beta.
    Beta(u16),
    /// No suffix: the maintenance release as first published.
    None,
    /// `-hN`: a hotfix on that maintenance release.
    Hotfix(u16),
}

/// A PAN-OS version: `MAJOR.MINOR.MAINT[-hN|-bN|-cN][.xfr]`.
///
/// Ordered by number, then candidate < beta < release < hotfix, then the suffix's number, then the extended feature
/// stream after the plain release of equal numbers: `10.2.4-c2 < 10.2.4-b1 < 10.2.4 < 10.2.4-h4 < 10.2.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    train: Train,
    maintenance: u16,
    suffix: Suffix,
    extended: bool,
}

impl Version {
    /// The plain maintenance release `train.maintenance`.
    pub const fn of(train: Train, maintenance: u16) -> Self {
        Self {
            train,
            maintenance,
            suffix: Suffix::None,
            extended: false,
        }
    }

    /// The feature release this version belongs to.
    pub const fn train(self) -> Train {
        self.train
    }

    /// The third number.
    pub const fn maintenance(self) -> u16 {
        self.maintenance
    }

    /// What follows the third number.
    pub const fn suffix(self) -> Suffix {
        self.suffix
    }

    /// The hotfix number, for a hotfix.
    pub const fn hotfix(self) -> Option<u16> {
        match self.suffix {
            Suffix::Hotfix(number) => Some(number),
            Suffix::Candidate(_) | Suffix::Beta(_) | Suffix::None => None,
        }
    }

    /// Whether this is of the extended feature stream (`.xfr`), which exists for VM-Series only.
    pub const fn is_extended(self) -> bool {
        self.extended
    }
}

impl fmt::Display for Train {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.train, self.maintenance)?;
        match self.suffix {
            Suffix::Candidate(number) => write!(f, "-c{number}")?,
            Suffix::Beta(number) => write!(f, "-b{number}")?,
            Suffix::Hotfix(number) => write!(f, "-h{number}")?,
            Suffix::None => {}
        }
        if self.extended {
            f.write_str(".xfr")
        } else {
            Ok(())
        }
    }
}

/// A text that is not a version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{text}\" is not a PAN-OS version: {problem} (expected {GRAMMAR})")]
pub struct InvalidVersion {
    text: String,
    problem: Problem,
}

/// A text that is not a feature release.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{text}\" is not a PAN-OS feature release: {problem} (expected MAJOR.MINOR, such as 10.1)")]
pub struct InvalidTrain {
    text: String,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
enum Problem {
    #[error("the {0} number is missing")]
    Missing(&'static str),
    #[error("the {0} number is not a number")]
    NotANumber(&'static str),
    #[error("the {0} number is written with a leading zero")]
    LeadingZero(&'static str),
    #[error("the {0} number is larger than 65535")]
    TooLarge(&'static str),
    #[error("\"{0}\" is not a known suffix")]
    Suffix(String),
    #[error("\"{0}\" follows where the version should end")]
    Trailing(String),
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_version(text).map_err(|problem| InvalidVersion {
            text: shown(text),
            problem,
        })
    }
}

impl FromStr for Train {
    type Err = InvalidTrain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_train(text).map_err(|problem| InvalidTrain {
            text: shown(text),
            problem,
        })
    }
}

fn parse_version(text: &str) -> Result<Version, Problem> {
    let (plain, extended) = match text.strip_suffix(".xfr") {
        Some(plain) => (plain, true),
        None => (text, false),
    };
    let (numbers, suffix) = match plain.split_once('-') {
        Some((numbers, suffix)) => (numbers, parse_suffix(suffix)?),
        None => (plain, Suffix::None),
    };
    let mut parts = numbers.splitn(4, '.');
    let train = Train {
        major: number(parts.next(), "major")?,
        minor: number(parts.next(), "minor")?,
    };
    let maintenance = number(parts.next(), "maintenance")?;
    match parts.next() {
        Some(rest) => Err(Problem::Trailing(shown(rest))),
        None => Ok(Version {
            train,
            maintenance,
            suffix,
            extended,
        }),
    }
}

fn parse_train(text: &str) -> Result<Train, Problem> {
    let mut parts = text.splitn(3, '.');
    let train = Train {
        major: number(parts.next(), "major")?,
        minor: number(parts.next(), "minor")?,
    };
    match parts.next() {
        Some(rest) => Err(Problem::Trailing(shown(rest))),
        None => Ok(train),
    }
}

fn parse_suffix(text: &str) -> Result<Suffix, Problem> {
    let mut letters = text.chars();
    let (kind, name): (fn(u16) -> Suffix, _) = match letters.next() {
        Some('h') => (Suffix::Hotfix, "hotfix"),
        Some('b') => (Suffix::Beta, "beta"),
        Some('c') => (Suffix::Candidate, "candidate"),
        _ => return Err(Problem::Suffix(format!("-{}", shown(text)))),
    };
    number(Some(letters.as_str()), name).map(kind)
}

/// Reads one number. Leading zeros are refused, so that a version has one spelling and a text one version.
fn number(part: Option<&str>, name: &'static str) -> Result<u16, Problem> {
    let part = part
        .filter(|part| !part.is_empty())
        .ok_or(Problem::Missing(name))?;
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::NotANumber(name));
    }
    if part.len() > 1 && part.starts_with('0') {
        return Err(Problem::LeadingZero(name));
    }
    part.parse().map_err(|_| Problem::TooLarge(name))
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl Serialize for Train {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Train {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn orders_as_the_vendor_does() {
        let ascending = [
            "9.0.5",
            "9.0.5.xfr",
            "9.0.5-h1",
            "9.0.5-h1.xfr",
            "10.1.10-h9",
            "10.1.10-h21",
            "10.2.4-c2",
            "10.2.4-c65",
            "10.2.4-b1",
            "10.2.4",
            "10.2.4-h4",
            "10.2.5",
            "10.10.0",
        ];
        for pair in ascending.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn reads_its_parts() {
        let read = version("10.1.10-h21");
        assert_eq!(read.train(), Train { major: 10, minor: 1 });
        assert_eq!(
            (read.maintenance(), read.hotfix(), read.is_extended()),
            (10, Some(21), false)
        );
        assert_eq!(version("7.1.0-c65").suffix(), Suffix::Candidate(65));
        assert_eq!(version("10.2.0-b6").hotfix(), None);
        assert!(version("9.0.5.xfr").is_extended());
        assert_eq!("10.1".parse(), Ok(read.train()));
    }

    #[test]
    fn refusals_say_what_is_wrong_and_show_the_grammar() {
        let said = |text: &str| text.parse::<Version>().unwrap_err().to_string();
        insta::assert_snapshot!(said("10.1"), @r#""10.1" is not a PAN-OS version: the maintenance number is missing (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)"#);
        insta::assert_snapshot!(
            [
                "", "v10.1.0", "10.1.0.1", "10.1.0-h", "10.1.0-x1", "10.1.0-h1-h2", "10.01.0", "10.1.70000",
                "10.1.0-", "10.1.4 ", "+10.1.0", &"9".repeat(200),
            ]
            .map(said)
            .map(|text| text.split(" (expected").next().unwrap().to_owned())
            .join("\n"),
            @r#"
        "" is not a PAN-OS version: the major number is missing
        "v10.1.0" is not a PAN-OS version: the major number is not a number
        "10.1.0.1" is not a PAN-OS version: "1" follows where the version should end
        "10.1.0-h" is not a PAN-OS version: the hotfix number is missing
        "10.1.0-x1" is not a PAN-OS version: "-x1" is not a known suffix
        "10.1.0-h1-h2" is not a PAN-OS version: the hotfix number is not a number
        "10.01.0" is not a PAN-OS version: the minor number is written with a leading zero
        "10.1.70000" is not a PAN-OS version: the maintenance number is larger than 65535
        "10.1.0-" is not a PAN-OS version: "-" is not a known suffix
        "10.1.4 " is not a PAN-OS version: the maintenance number is not a number
        "+10.1.0" is not a PAN-OS version: the major number is not a number
        "9999999999999999999999999999999999999999…" is not a PAN-OS version: the major number is larger than 65535
        "#
        );
        insta::assert_snapshot!("10.1.3".parse::<Train>().unwrap_err(), @r#""10.1.3" is not a PAN-OS feature release: "3" follows where the version should end (expected MAJOR.MINOR, such as 10.1)"#);
    }

    #[test]
    fn is_stored_as_its_text() {
        let stored = serde_json::to_string(&version("10.2.4-h4")).unwrap();
        assert_eq!(stored, "\"10.2.4-h4\"");
        assert_eq!(
            serde_json::from_str::<Version>(&stored).unwrap(),
            version("10.2.4-h4")
        );
        assert!(serde_json::from_str::<Version>("\"10.2\"").is_err());
    }

    fn any_version() -> impl Strategy<Value = Version> {
        let suffix = prop_oneof![
            (0..4u16).prop_map(Suffix::Candidate),
            (0..4u16).prop_map(Suffix::Beta),
            Just(Suffix::None),
            (0..40u16).prop_map(Suffix::Hotfix),
        ];
        (0..3u16, 0..3u16, 0..12u16, suffix, any::<bool>()).prop_map(
            |(major, minor, maintenance, suffix, extended)| Version {
                train: Train { major, minor },
                maintenance,
                suffix,
                extended,
            },
        )
    }

    /// The order written a second time, straight from the vendor's sentence, to hold the derived one to it.
    fn vendor_key(version: Version) -> (u16, u16, u16, u8, u16, bool) {
        let (rank, number) = match version.suffix {
            Suffix::Candidate(number) => (0, number),
            Suffix::Beta(number) => (1, number),
            Suffix::None => (2, 0),
            Suffix::Hotfix(number) => (3, number),
        };
        (
            version.train.major,
            version.train.minor,
            version.maintenance,
            rank,
            number,
            version.extended,
        )
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(version in any_version()) {
            prop_assert_eq!(version.to_string().parse(), Ok(version));
        }

        #[test]
        fn what_is_read_prints_back(text in r"[0-9]{1,5}\.[0-9]{1,2}\.[0-9]{1,2}(-[hbc][0-9]{1,2})?(\.xfr)?") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string(), text);
            }
        }

        #[test]
        fn the_order_is_the_vendors(a in any_version(), b in any_version()) {
            prop_assert_eq!(a.cmp(&b), vendor_key(a).cmp(&vendor_key(b)));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>(), near in r"[0-9.hbcxfr-]{0,20}") {
            for text in [text, near] {
                if let Ok(version) = text.parse::<Version>() {
                    prop_assert_eq!(&version.to_string(), &text);
                }
                let _ = text.parse::<Train>();
            }
        }
    }
}
