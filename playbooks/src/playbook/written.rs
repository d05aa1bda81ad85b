//! What is written in the file of a playbook, key by key.
//!
//! Responsible for: the keys of each part of the file, and keeping those that do not exist beside those that do, so that
//! one mistake hides no other. Must not know: what the values of keys mean.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::setting::Setting;

/// A part of the file: each key with what it is in the code, and the type of its value. No key has to be there, and
/// any other is kept under `unknown`: the reader tells both.
macro_rules! part {
    ($($(#[doc = $doc:literal])+ $part:ident { $($key:literal $field:ident: $value:ty,)+ })+) => {$(
        $(#[doc = $doc])+
        #[derive(Default)]
        pub(super) struct $part {
            $(pub(super) $field: Option<$value>,)+
            pub(super) unknown: Vec<Spanned<String>>,
            /// The keys with nothing under them.
            pub(super) empty: Vec<Spanned<String>>,
        }

        impl $part {
            /// Its keys.
            pub(super) const KEYS: &'static [&'static str] = &[$($key),+];
        }

        impl<'de> Deserialize<'de> for $part {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Keys;

                impl<'de> Visitor<'de> for Keys {
                    type Value = $part;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "keys with values: {}", $part::KEYS.join(", "))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$part, A::Error> {
                        let mut part = $part::default();
                        while let Some(key) = map.next_key::<Spanned<String>>()? {
                            match key.value.as_str() {
                                $($key => {
                                    part.$field = map.next_value()?;
                                    part.empty.extend(part.$field.is_none().then_some(key));
                                })+
                                _ => {
                                    map.next_value::<IgnoredAny>()?;
                                    part.unknown.push(key);
                                }
                            }
                        }
                        Ok(part)
                    }
                }

                deserializer.deserialize_struct(stringify!($part), Self::KEYS, Keys)
            }
        }
    )+};
}

part! {
    /// The whole file.
    PlaybookFile {
        "playbook" playbook: Spanned<String>,
        "title" title: String,
        "params" params: BTreeMap<String, Spanned<Setting>>,
        "ask" ask: BTreeMap<String, Spanned<AskEntry>>,
        "checks" checks: Vec<Spanned<CheckEntry>>,
    }

    /// A question of the playbook's own.
    AskEntry {
        "command" command: Spanned<String>,
        "config" config: Spanned<String>,
        "read" read: Spanned<String>,
        "columns" columns: Vec<String>,
    }

    /// A check.
    CheckEntry {
        "id" id: Spanned<String>,
        "title" title: String,
        "needs" needs: Vec<Spanned<String>>,
        "when" when: Spanned<String>,
        "for_each" for_each: Spanned<String>,
        "as" item: Spanned<String>,
        "fail_when" fail_when: Spanned<String>,
        "severity" severity: Spanned<String>,
        "mode" mode: Spanned<String>,
        "message" message: Spanned<String>,
        "subject" subject: Spanned<String>,
        "remedy" remedy: String,
        "link" link: String,
    }
}
