//! A fault as a fleet file writes it: the name of a library rule, such a rule with another condition, or one of its own.
//!
//! Only the written form; what a fault does is in `fault.rs`.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fault::{Condition, Cure, Effect, FaultRule};

/// A fault of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultSpec {
    /// A rule of the embedded library, with its own condition or another one.
    Library {
        /// Its name.
        rule: String,
        /// The condition that replaces the rule's own.
        when: Option<Condition>,
    },
    /// A rule written out.
    Inline(FaultRule),
}

impl FaultSpec {
    /// Its name, as it is written.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Inline(rule) => &rule.id,
            Self::Library { rule, .. } => rule,
        }
    }

    /// The rule itself; `None` when the library has none of that name.
    pub(crate) fn rule(&self, library: &[FaultRule]) -> Option<FaultRule> {
        match self {
            Self::Inline(rule) => Some(rule.clone()),
            Self::Library { rule, when } => {
                let mut known = library.iter().find(|known| known.id == *rule)?.clone();
                if let Some(when) = when {
                    known.when = when.clone();
                }
                Some(known)
            }
        }
    }
}

/// Both written forms of a rule at once; which one it is shows from the fields that are there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFault {
    rule: Option<String>,
    id: Option<String>,
    source: Option<String>,
    when: Option<Condition>,
    effect: Option<Effect>,
    fault: Option<String>,
    #[serde(default)]
    cure: Vec<Cure>,
}

impl WrittenFault {
    fn into_spec(self) -> Result<FaultSpec, &'static str> {
        match self {
            Self {
                rule: Some(rule),
                id: None,
                source: None,
                effect: None,
                fault: None,
                when,
                cure,
            } if cure.is_empty() => Ok(FaultSpec::Library { rule, when }),
            Self {
                rule: None,
                id: Some(id),
                effect: Some(effect),
                source,
                fault,
                when,
                cure,
            } => {
                let source = source.unwrap_or_else(|| "written in the fleet file".to_owned());
                Ok(FaultSpec::Inline(FaultRule {
                    id,
                    fault,
                    source,
                    when: when.unwrap_or_default(),
                    effect,
                    cure,
                }))
            }
            _ => Err("a fault is a library name, `rule` with an optional `when`, or `id` with `effect`"),
        }
    }
}

impl<'de> Deserialize<'de> for FaultSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = FaultSpec;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a fault or a fault written out")
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(FaultSpec::Library {
                    rule: name.to_owned(),
                    when: None,
                })
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let written = WrittenFault::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                written.into_spec().map_err(serde::de::Error::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for FaultSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Library { rule, when: None } => serializer.serialize_str(rule),
            Self::Library {
                rule,
                when: Some(when),
            } => {
                let mut written = serializer.serialize_struct("FaultSpec", 2)?;
                written.serialize_field("rule", rule)?;
                written.serialize_field("when", when)?;
                written.end()
            }
            Self::Inline(rule) => rule.serialize(serializer),
        }
    }
}
