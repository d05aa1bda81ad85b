//! A check as somebody writes it into a file: a playbook by name or file, or that with some of its settings chosen.
//!
//! Knows the two ways of writing it; whether there is such a playbook, and such a setting, is told where it is loaded.

use std::collections::BTreeMap;
use std::fmt;

use hopgate_playbooks::Setting;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A check: `readiness`, or `{playbook: licences, with: {warn_days: 60}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckText {
    /// A built-in name, or a file relative to the one that it stands in.
    pub playbook: String,
    /// The settings that are chosen; every other one is as the playbook has it.
    pub with: BTreeMap<String, Setting>,
}

/// The second way of writing it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    playbook: String,
    #[serde(default)]
    with: BTreeMap<String, Setting>,
}

impl From<&str> for CheckText {
    fn from(playbook: &str) -> Self {
        CheckText {
            playbook: playbook.to_owned(),
            with: BTreeMap::new(),
        }
    }
}

impl Serialize for CheckText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.with.is_empty() {
            return self.playbook.serialize(serializer);
        }
        let chosen = Chosen {
            playbook: self.playbook.clone(),
            with: self.with.clone(),
        };
        chosen.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CheckText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherWay;

        impl<'de> Visitor<'de> for EitherWay {
            type Value = CheckText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a playbook, or {playbook: NAME, with: {SETTING: VALUE}}")
            }

            fn visit_str<E>(self, playbook: &str) -> Result<CheckText, E> {
                Ok(playbook.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<CheckText, A::Error> {
                let Chosen { playbook, with } = Chosen::deserialize(MapAccessDeserializer::new(keys))?;
                Ok(CheckText { playbook, with })
            }
        }

        deserializer.deserialize_any(EitherWay)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    fn read(text: &str) -> Result<Vec<CheckText>, String> {
        parse(Path::new("checks.yaml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_check_is_a_name_or_a_name_with_settings() {
        let text = "\
- readiness
- playbook: licences
  with: {warn_days: 60, skip_licences: [WildFire], content_version: 8900-9000}
- {playbook: ours/cores.yaml}
";
        let checks = read(text).unwrap();
        assert_eq!(checks[0], CheckText::from("readiness"));
        assert_eq!(checks[2], CheckText::from("ours/cores.yaml"));
        let with = &checks[1].with;
        assert_eq!(with["warn_days"], Setting::Number(60));
        assert_eq!(with["skip_licences"], Setting::Texts(vec!["WildFire".to_owned()]));
        assert_eq!(with["content_version"], Setting::Text("8900-9000".to_owned()));
        let written = serde_json::to_string(&checks).unwrap();
        assert_eq!(serde_json::from_str::<Vec<CheckText>>(&written).unwrap(), checks);
        assert!(written.starts_with(r#"["readiness",{"#), "{written}");
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let wrong = |text: &str| read(text).unwrap_err();
        insta::assert_snapshot!(wrong("- {playbok: licences}\n"), @"checks.yaml:1:4: unknown field `playbok`, expected one of playbook, with");
        insta::assert_snapshot!(wrong("- {with: {warn_days: 60}}\n"), @"checks.yaml:1:4: missing field `playbook`");
        insta::assert_snapshot!(wrong("- {playbook: licences, with: {warn_days: 1.5}}\n"), @"checks.yaml:1:42: warn_days: 1.5 is not a whole number");
        insta::assert_snapshot!(wrong("- {playbook: licences, with: {warn_days: }}\n"), @r#"checks.yaml:1:40: a setting needs a value; an empty text is "", an empty list []"#);
        insta::assert_snapshot!(wrong("- [licences]\n"), @"checks.yaml:1:3: invalid type: sequence, expected a playbook, or {playbook: NAME, with: {SETTING: VALUE}}");
    }
}
