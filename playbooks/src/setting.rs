//! A setting of a playbook: a threshold or a name that whoever runs it can choose.
//!
//! Responsible for: the kinds of settings, and reading one from what is typed. Must not know: what a setting is for.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shape::Shape;

/// A value of a setting. Its default in the playbook says of which kind it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// True or false.
    YesNo(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
}

impl Setting {
    /// What kind it is of, in words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::YesNo(_) => "true or false",
            Self::Number(_) => "a whole number",
            Self::Text(_) => "a text",
            Self::Texts(_) => "a list of texts",
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::YesNo(_) => Shape::YesNo,
            Self::Number(_) => Shape::Number,
            Self::Text(_) => Shape::Text,
            Self::Texts(_) => Shape::list(Shape::Text),
        }
    }

    pub(crate) const fn is_like(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::YesNo(_), Self::YesNo(_))
                | (Self::Number(_), Self::Number(_))
                | (Self::Text(_), Self::Text(_))
                | (Self::Texts(_), Self::Texts(_))
        )
    }

    /// A value of the same kind, from what is typed; a list has commas. None where it is not of that kind.
    pub fn typed(&self, text: &str) -> Option<Self> {
        match self {
            Self::YesNo(_) => text.parse().ok().map(Self::YesNo),
            Self::Number(_) => text.parse().ok().map(Self::Number),
            Self::Text(_) => Some(Self::Text(text.to_owned())),
            Self::Texts(_) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                Some(Self::Texts(words.map(str::to_owned).collect()))
            }
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::YesNo(yes) => yes.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Texts(texts) => texts.join(",").fmt(f),
        }
    }
}

impl Serialize for Setting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::YesNo(yes) => yes.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Texts(texts) => texts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyKind;

        impl<'de> Visitor<'de> for AnyKind {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, a text, true or false, or a list of texts")
            }

            fn visit_bool<E>(self, yes: bool) -> Result<Setting, E> {
                Ok(Setting::YesNo(yes))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Setting, E> {
                Ok(Setting::Number(number))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Setting, E> {
                i64::try_from(number)
                    .map(Setting::Number)
                    .map_err(|_| E::custom(format!("{number} is too large a number")))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Setting, E> {
                Err(E::custom(format!("{number} is not a whole number")))
            }

            fn visit_str<E>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Setting, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Setting::Texts(texts))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Setting, E> {
                Err(E::custom(
                    "a setting needs a value; an empty text is \"\", an empty list []",
                ))
            }
        }

        deserializer.deserialize_any(AnyKind).map_err(D::Error::custom)
    }
}
