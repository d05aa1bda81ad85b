//! The names people give things: devices, campaigns, waves, pairs, identities.
//!
//! Validated once, at the edge, so that they are safe in stream names, file names and deduplication keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name, in bytes. Two names and a prefix must fit into a stream name of 200.
pub const NAME_MAX: usize = 80;

/// A name that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a {kind} name is empty")]
    Empty {
        /// What was being named.
        kind: &'static str,
    },
    /// Longer than [`NAME_MAX`].
    #[error("the {kind} name {name:?} is longer than {NAME_MAX} characters")]
    TooLong {
        /// What was being named.
        kind: &'static str,
        /// The name as given.
        name: String,
    },
    /// A character outside letters, digits, `.`, `_` and `-`.
    #[error("the {kind} name {name:?} may hold letters, digits, '.', '_' and '-', not {found:?}")]
    Character {
        /// What was being named.
        kind: &'static str,
        /// The name as given.
        name: String,
        /// The first character that is not allowed.
        found: char,
    },
}

fn check(kind: &'static str, name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if name.len() > NAME_MAX {
        return Err(NameError::TooLong {
            kind,
            name: name.to_owned(),
        });
    }
    match name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "._-".contains(*c)))
    {
        Some(found) => Err(NameError::Character {
            kind,
            name: name.to_owned(),
            found,
        }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The name as given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(name: &str) -> Result<Self, NameError> {
                check($kind, name).map(|()| $type(name.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                check($kind, &name).map(|()| $type(name))
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// A device as the inventory names it; unique in a campaign.
    DeviceId,
    "device"
);
name!(
    /// A campaign: one plan, one journal stream, one set of approvals.
    CampaignId,
    "campaign"
);
name!(
    /// An audit that is asked again and again: one schedule, one history.
    AuditName,
    "audit"
);
name!(
    /// A wave of a campaign.
    WaveName,
    "wave"
);
name!(
    /// A group of devices, as the inventory names it.
    GroupName,
    "group"
);
name!(
    /// A person or a service that launches, approves or resumes.
    Identity,
    "identity"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_could_leave_its_stream_and_is_refused() {
        let refused = "acme/fw1".parse::<DeviceId>().unwrap_err();
        insta::assert_snapshot!(refused, @r#"the device name "acme/fw1" may hold letters, digits, '.', '_' and '-', not '/'"#);
        assert!("".parse::<WaveName>().is_err());
        assert!("x".repeat(81).parse::<Identity>().is_err());
        assert_eq!(
            "PA-850_3.lab".parse::<DeviceId>().unwrap().as_str(),
            "PA-850_3.lab"
        );
    }
}
