//! What a value looks like: which fields a record has, what is in a list, which words a text can be.
//!
//! Responsible for: the shape of every area of the facts, taken from their Rust types so that it cannot differ from them,
//! and saying it to a person. Must not know: expressions, or any value.

mod trace;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;

use crate::facts::{FactArea, Facts};

/// How many fields a description lists.
const LISTED: usize = 24;

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing is known about it: what a device answered to a question of somebody's own.
    Any,
    /// Nothing: `null`.
    Nothing,
    /// A text.
    Text,
    /// One of these texts.
    Words(&'static [&'static str]),
    /// A number.
    Number,
    /// True or false.
    YesNo,
    /// A list of such values.
    List(Arc<Shape>),
    /// Such values by any name.
    Map(Arc<Shape>),
    /// Values by these names.
    Record(Arc<BTreeMap<String, Shape>>),
    /// Such a value, or `null`.
    Optional(Arc<Shape>),
}

impl Shape {
    /// The shape of an area of the facts, once it is known.
    pub(crate) fn of_area(area: FactArea) -> Self {
        let Self::Record(areas) = facts() else {
            return Self::Any;
        };
        match areas.get(area.name()) {
            Some(Self::Record(fact)) => fact.get("known").cloned().unwrap_or(Self::Any),
            _ => Self::Any,
        }
    }

    /// The shape of anything that can be read back from where it was stored.
    pub(crate) fn of<T: DeserializeOwned>() -> Option<Self> {
        trace::trace::<T>()
    }

    /// A record with these fields.
    pub(crate) fn record<N: Into<String>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        let fields = fields.into_iter().map(|(name, shape)| (name.into(), shape));
        Self::Record(Arc::new(fields.collect()))
    }

    /// A list of these.
    pub(crate) fn list(of: Self) -> Self {
        Self::List(Arc::new(of))
    }

    /// Such a value, or `null`.
    pub(crate) fn optional(of: Self) -> Self {
        Self::Optional(Arc::new(of))
    }

    /// Without "or `null`".
    pub(crate) fn present(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner.present(),
            other => other,
        }
    }

    /// What is in it, where it is looked through: elements of a list, names of a map.
    pub(crate) fn element(&self) -> Self {
        match self.present() {
            Self::List(of) => of.as_ref().clone(),
            Self::Map(_) | Self::Record(_) => Self::Text,
            _ => Self::Any,
        }
    }

    /// What two branches have in common.
    pub(crate) fn joined(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Nothing, one) | (one, Self::Nothing) => Self::optional(one),
            (Self::Text | Self::Words(_), Self::Text | Self::Words(_)) => Self::Text,
            _ => Self::Any,
        }
    }

    /// In words, without what is inside.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Nothing => "null",
            Self::Text | Self::Words(_) => "a text",
            Self::Number => "a number",
            Self::YesNo => "true or false",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Record(_) => "a record",
            Self::Optional(inner) => inner.kind(),
        }
    }

    /// In words, with what is inside: what the facts look like at a place.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Words(words) => format!("one of {}", words.join(", ")),
            Self::List(of) => match of.as_ref() {
                Self::Any => "a list".to_owned(),
                of => format!("a list, each {}", of.described()),
            },
            Self::Map(of) => format!("a map, each {}", of.described()),
            Self::Optional(inner) => format!("{} or null", inner.described()),
            Self::Record(fields) => {
                let shown = fields.iter().take(LISTED).map(|(name, shape)| {
                    let shape = match shape {
                        Self::Words(_) | Self::Text => "text",
                        Self::Number => "number",
                        Self::YesNo => "true/false",
                        Self::Optional(_) => "or null",
                        Self::List(_) => "list",
                        Self::Map(_) | Self::Record(_) => "record",
                        Self::Any | Self::Nothing => return name.clone(),
                    };
                    format!("{name} ({shape})")
                });
                let more = if fields.len() > LISTED { ", .." } else { "" };
                format!("a record of {}{more}", shown.collect::<Vec<_>>().join(", "))
            }
            other => other.kind().to_owned(),
        }
    }
}

/// The shape of all facts. Traced once: a shape that cannot be traced would only mean that nothing is checked, and a
/// test holds that it can.
fn facts() -> &'static Shape {
    static FACTS: OnceLock<Shape> = OnceLock::new();
    FACTS.get_or_init(|| Shape::of::<Facts>().unwrap_or(Shape::Any))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_area_has_the_shape_of_its_type() {
        for area in FactArea::ALL {
            assert_ne!(Shape::of_area(area), Shape::Any, "{area}");
        }
        let said = [
            FactArea::System,
            FactArea::Optics,
            FactArea::PendingChanges,
            FactArea::Sessions,
        ]
        .map(|area| format!("{area}: {}", Shape::of_area(area).described()));
        insta::assert_snapshot!(said.join("\n"), @r"
        system: a record of app_version (text), hostname (text), model (text), multi_vsys (true/false), operational_mode (or null), serial (text), sw_version (text), uptime_seconds (number)
        optics: a list, each a record of class (text), interface (text), media (text), part (or null), port (number), serial (or null), slot (number), vendor (or null), why (or null)
        pending_changes: true or false
        sessions: a map, each a number
        ");
    }
}
