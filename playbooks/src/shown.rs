//! What a value looks like in a message.
//!
//! Responsible for: the words and the beginning of a value, without a copy of it: a message may name a table of 100,000
//! routes, and be said of 10,000 things. Must not know: what a message is about.

use std::borrow::Cow;

use cel::common::types::{CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;
use cel::objects::Key;
use cel::{ExecutionError, Value};

use crate::expression::bounds;

/// How many elements of a list a message shows.
const ELEMENTS: usize = 20;

/// How many characters a value takes up in a message.
const LENGTH: usize = 1_000;

/// A value as a message shows it: texts bare, lists separated by commas, nothing as "none", the rest as JSON; the beginning
/// of it, where there is too much to read. What is written is paid for, and no more than that is looked at, but for the names
/// of a map, which have to be put in order.
///
/// # Errors
/// The check has no steps left.
pub(crate) fn shown(value: &dyn Val) -> Result<String, ExecutionError> {
    let mut page = Page::default();
    page.words(value)?;
    bounds::pay(bounds::copy_of_text(page.text.len()))?;
    Ok(page.text)
}

/// As much of a text as a value takes up in a message: what the interpreter says of a mistake can hold whole tables.
pub(crate) fn beginning(text: &str) -> String {
    let mut page = Page::default();
    page.write(text);
    page.text
}

/// The beginning of a text.
#[derive(Default)]
struct Page {
    text: String,
    letters: usize,
}

impl Page {
    fn is_full(&self) -> bool {
        self.letters > LENGTH
    }

    /// Writes as much as there is room for; what does not fit is one more letter, an ellipsis.
    fn write(&mut self, text: &str) {
        for letter in text.chars() {
            if self.is_full() {
                return;
            }
            let letter = if self.letters == LENGTH { '…' } else { letter };
            self.text.push(letter);
            self.letters += 1;
        }
    }

    fn words(&mut self, value: &dyn Val) -> Result<(), ExecutionError> {
        if let Some(text) = value.downcast_ref::<CelString<'_>>() {
            self.write(text.inner());
        } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
            self.list(list.inner())?;
        } else if value.downcast_ref::<CelNull>().is_some() {
            self.write("none");
        } else {
            self.json(value)?;
        }
        Ok(())
    }

    fn list<'v>(&mut self, items: &[Box<dyn Val + 'v>]) -> Result<(), ExecutionError> {
        if items.is_empty() {
            self.write("none");
        }
        for (at, item) in items.iter().enumerate() {
            if self.is_full() {
                return Ok(());
            }
            if at > 0 {
                self.write(", ");
            }
            if at == ELEMENTS {
                self.write(&format!("and {} more", items.len() - ELEMENTS));
                return Ok(());
            }
            self.words(item.as_ref())?;
        }
        Ok(())
    }

    fn json(&mut self, value: &dyn Val) -> Result<(), ExecutionError> {
        if let Some(text) = value.downcast_ref::<CelString<'_>>() {
            self.quoted(text.inner());
        } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
            self.write("[");
            for (at, item) in list.inner().iter().enumerate() {
                if self.is_full() {
                    return Ok(());
                }
                self.write(if at > 0 { "," } else { "" });
                self.json(item.as_ref())?;
            }
            self.write("]");
        } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
            self.json_of_map(map)?;
        } else {
            self.write(&small(value));
        }
        Ok(())
    }

    fn json_of_map(&mut self, map: &CelMap<'_>) -> Result<(), ExecutionError> {
        bounds::pay(map.inner().len() as u64)?;
        let mut fields: Vec<_> = map
            .inner()
            .iter()
            .map(|(key, value)| (name(key), value))
            .collect();
        fields.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        self.write("{");
        for (at, (name, value)) in fields.into_iter().enumerate() {
            if self.is_full() {
                return Ok(());
            }
            self.write(if at > 0 { "," } else { "" });
            self.quoted(&name);
            self.write(":");
            self.json(value.as_ref())?;
        }
        self.write("}");
        Ok(())
    }

    /// A text as JSON. More of it than fits need not be quoted.
    fn quoted(&mut self, text: &str) {
        let fits = text
            .char_indices()
            .nth(LENGTH + 1)
            .map_or(text, |(end, _)| &text[..end]);
        self.write(&serde_json::Value::from(fits).to_string());
    }
}

/// What is neither a list nor a map, as JSON, or by its kind where JSON has nothing for it.
fn small(value: &dyn Val) -> String {
    let json = Value::try_from(value).ok().and_then(|value| value.json().ok());
    json.map_or_else(|| format!("a {}", kind(value)), |json| json.to_string())
}

fn name<'k>(key: &'k CelMapKey<'_>) -> Cow<'k, str> {
    match key {
        CelMapKey::String(name) => Cow::Borrowed(name.inner()),
        other => Cow::Owned(Key::from(other.clone()).to_string()),
    }
}

/// What kind of value it is, in a word.
pub(crate) fn kind(value: &dyn Val) -> &str {
    match value.get_type().name() {
        "null_type" => "null",
        "double" => "float",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::value;
    use crate::vocabulary;

    fn text(source: &str) -> String {
        let value = vocabulary::environment()
            .compile(source)
            .unwrap()
            .execute(&vocabulary::context().unwrap())
            .unwrap();
        let value: Box<dyn Val> = value.try_into().unwrap();
        shown(value.as_ref()).unwrap()
    }

    #[test]
    fn values_are_shown_as_a_person_writes_them() {
        for (source, expected) in [
            ("'a b'", "a b"),
            ("12", "12"),
            ("1.5", "1.5"),
            ("true", "true"),
            ("['a', 1, true]", "a, 1, true"),
            ("[['a', 'b'], [], [null]]", "a, b, none, none"),
            ("[]", "none"),
            ("null", "none"),
            ("{'a': 1}", "{\"a\":1}"),
            (
                "[{'b': ['x', null], 'a': {'d': 'say \"ä\"', 1: 2u}}]",
                "{\"a\":{\"1\":2,\"d\":\"say \\\"ä\\\"\"},\"b\":[\"x\",null]}",
            ),
            ("{}", "{}"),
            ("int", "int"),
        ] {
            assert_eq!(text(source), expected, "{source}");
        }
    }

    #[test]
    fn of_what_is_long_the_beginning_is_shown() {
        let many = |count: usize| shown(value(&(0..count).collect::<Vec<_>>()).unwrap().as_ref()).unwrap();
        assert!(many(20).ends_with(", 19"));
        assert!(many(21).ends_with(", 19, and 1 more"));
        for long in [
            value(&"ä".repeat(5_000)).unwrap(),
            value(&vec!["a".repeat(600); 3]).unwrap(),
            value(
                &[("a", "b".repeat(5_000))]
                    .into_iter()
                    .collect::<std::collections::BTreeMap<_, _>>(),
            )
            .unwrap(),
            value(
                &[("a", vec![1; 5_000])]
                    .into_iter()
                    .collect::<std::collections::BTreeMap<_, _>>(),
            )
            .unwrap(),
        ] {
            let text = shown(long.as_ref()).unwrap();
            assert_eq!(text.chars().count(), LENGTH + 1);
            assert!(text.ends_with('…') && text.matches('…').count() == 1, "{text}");
        }
        let exact = "x".repeat(LENGTH);
        assert_eq!(shown(value(&exact).unwrap().as_ref()).unwrap(), exact);
    }

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        let kinds = ["'a'", "1", "1u", "1.5", "true", "null", "[1]", "{'a': 1}", "b'a'"].map(|source| {
            let value = vocabulary::environment()
                .compile(source)
                .unwrap()
                .execute(&vocabulary::context().unwrap())
                .unwrap();
            let value: Box<dyn Val> = value.try_into().unwrap();
            kind(value.as_ref()).to_owned()
        });
        assert_eq!(
            kinds,
            [
                "string", "int", "uint", "float", "bool", "null", "list", "map", "bytes"
            ]
        );
    }
}
