//! The format of playbooks as editors know it, held against the files of the library and against the parser.

use std::collections::BTreeSet;

use serde_json::Value;

use super::file::{MODES, SEVERITIES};
use super::written::{AskEntry, CheckEntry, PlaybookFile};
use super::{LIBRARY, Playbook};
use crate::ask::Reading;
use crate::facts::FactArea;

fn schema() -> Value {
    serde_json::from_str(Playbook::schema()).unwrap()
}

/// What a value breaks of a schema: as much of JSON Schema as ours uses, and nothing that it does not know passes.
fn broken(schema: &Value, value: &Value, place: &str, said: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" => true,
            "type" => {
                let types: Vec<&str> = match rule {
                    Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
                    one => one.as_str().into_iter().collect(),
                };
                let is = match value {
                    Value::Object(_) => "object",
                    Value::Array(_) => "array",
                    Value::String(_) => "string",
                    Value::Bool(_) => "boolean",
                    Value::Number(number) if number.is_i64() => "integer",
                    Value::Number(_) | Value::Null => "something else",
                };
                types.contains(&is)
            }
            "enum" => rule.as_array().unwrap().contains(value),
            "anyOf" => rule.as_array().unwrap().iter().any(|one| {
                let mut wrong = Vec::new();
                broken(one, value, place, &mut wrong);
                wrong.is_empty()
            }),
            "minItems" => value.as_array().is_none_or(|list| !list.is_empty()),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            // What the parser holds names to is tested there.
            "pattern" | "propertyNames" => rule.is_string() || rule["pattern"].is_string(),
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        broken(rule, value, &format!("{place}/{name}"), said);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let others = value.as_object().into_iter().flatten();
                let others: Vec<_> = others
                    .filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)))
                    .collect();
                if rule.is_object() {
                    for (name, value) in &others {
                        broken(rule, value, &format!("{place}/{name}"), said);
                    }
                }
                rule.is_object() || others.is_empty()
            }
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    broken(rule, item, &format!("{place}/{at}"), said);
                }
                true
            }
            other => panic!("the schema uses {other}, which is not known here"),
        };
        if !holds {
            said.push(format!("{place}: {keyword}"));
        }
    }
}

fn against_schema(text: &str) -> Vec<String> {
    let value: Value = serde_saphyr::from_str(text).unwrap();
    let mut said = Vec::new();
    broken(&schema(), &value, "", &mut said);
    said
}

#[test]
fn every_playbook_of_the_library_is_of_the_format() {
    for (_, file, text) in LIBRARY {
        assert_eq!(against_schema(text), Vec::<String>::new(), "{file}");
    }
    assert_eq!(against_schema(Playbook::template()), Vec::<String>::new());
    let wrong = "playbook: a\nchekcs: []\nchecks:\n  - {id: 1, severity: blocking, needs: [jobs, 7]}\nparams: {a: 1.5}";
    assert_eq!(
        against_schema(wrong),
        [
            ": additionalProperties",
            "/checks/0/id: type",
            "/checks/0/needs/1: anyOf",
            "/checks/0/severity: enum",
            "/checks/0: required",
            "/params/a: type",
            ": required",
        ]
    );
}

#[test]
fn the_template_has_no_mistakes_and_uses_every_key() {
    assert_eq!(Playbook::lint("template.yaml", Playbook::template()), []);
    let template: Value = serde_saphyr::from_str(Playbook::template()).unwrap();
    let schema = schema();
    for key in schema["properties"].as_object().unwrap().keys() {
        assert!(template.get(key).is_some(), "{key}");
    }
    for key in schema["properties"]["checks"]["items"]["properties"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(template["checks"][0].get(key).is_some(), "{key}");
    }
}

/// The keys that the parser takes are those of the format, at every place.
#[test]
fn the_format_has_every_key_of_the_parser() {
    let schema = schema();
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
    let listed = |place: &str| {
        let place = schema.pointer(place).unwrap().as_object().unwrap();
        place.keys().cloned().collect::<BTreeSet<_>>()
    };
    assert_eq!(keys(PlaybookFile::KEYS), listed("/properties"));
    assert_eq!(
        keys(CheckEntry::KEYS),
        listed("/properties/checks/items/properties")
    );
    assert_eq!(
        keys(AskEntry::KEYS),
        listed("/properties/ask/additionalProperties/properties")
    );
}

/// The words that the parser takes are those of the format, and those that reports have.
#[test]
fn the_format_has_every_word_of_the_parser() {
    let schema = schema();
    let listed = |place: &str| {
        let words = schema.pointer(&format!("/properties/{place}/enum")).unwrap();
        let words = words.as_array().unwrap().iter();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        listed("ask/additionalProperties/properties/read"),
        Reading::words().collect::<Vec<_>>()
    );
    assert_eq!(
        listed("checks/items/properties/severity"),
        SEVERITIES.map(|(word, _)| word)
    );
    assert_eq!(
        listed("checks/items/properties/mode"),
        MODES.map(|(word, _)| word)
    );
    for (word, severity) in SEVERITIES {
        assert_eq!(serde_json::to_value(severity).unwrap(), word);
    }
    for (word, mode) in MODES {
        assert_eq!(serde_json::to_value(mode).unwrap(), word);
    }
}

/// An editor completes what a check can need; the names of the playbook's own questions it cannot know.
#[test]
fn the_format_has_every_area_that_a_check_can_need() {
    let schema = schema();
    let items = "/properties/checks/items/properties/needs/items/anyOf";
    let known = schema.pointer(&format!("{items}/0/enum")).unwrap();
    let known: Vec<_> = known
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let areas = FactArea::ALL.into_iter().map(FactArea::name).chain(["hop"]);
    assert_eq!(known, areas.collect::<Vec<_>>());
    let own = schema.pointer(&format!("{items}/1/pattern")).unwrap();
    assert_eq!(
        own,
        schema.pointer("/properties/ask/propertyNames/pattern").unwrap()
    );
}
