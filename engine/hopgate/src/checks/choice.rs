//! Settings that somebody chooses beside the playbooks that an audit asks, and which of these each is for.
//!
//! Knows how a choice is typed and written; what a setting may be is the playbook's business.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use hopgate_paths::nearest_names;
use hopgate_playbooks::{Playbook, Setting};

use super::{ChecksError, Hashed};

/// One setting that somebody chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The playbook that it is for; without it, every one that has such a setting.
    pub playbook: Option<String>,
    /// The setting.
    pub name: String,
    /// Its value.
    pub value: Setting,
}

/// A choice that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is neither SETTING=VALUE nor PLAYBOOK.SETTING=VALUE")]
pub struct InvalidChoice {
    text: String,
}

impl FromStr for Choice {
    type Err = InvalidChoice;

    /// As it is typed: `warn_days=60`, `licences.warn_days=60`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidChoice {
            text: text.to_owned(),
        };
        let (key, value) = text.split_once('=').ok_or_else(invalid)?;
        let (playbook, name) = match key.trim().rsplit_once('.') {
            Some((playbook, name)) => (Some(playbook), name),
            None => (None, key.trim()),
        };
        if name.is_empty() || playbook.is_some_and(str::is_empty) {
            return Err(invalid());
        }
        Ok(Choice {
            playbook: playbook.map(str::to_owned),
            name: name.to_owned(),
            value: Setting::Text(value.to_owned()),
        })
    }
}

/// Choices as a file has them: settings by playbook.
pub fn written(with: &BTreeMap<String, BTreeMap<String, Setting>>) -> Vec<Choice> {
    let one = |playbook: &String, (name, value): (&String, &Setting)| Choice {
        playbook: Some(playbook.clone()),
        name: name.clone(),
        value: value.clone(),
    };
    with.iter()
        .flat_map(|(playbook, settings)| settings.iter().map(move |setting| one(playbook, setting)))
        .collect()
}

/// A playbook with the settings that were chosen for it, for people: `licences (warn_days=60)`.
pub(crate) fn with_settings(playbook: &str, chosen: &BTreeMap<String, Setting>) -> String {
    let chosen: Vec<String> = chosen
        .iter()
        .map(|(name, value)| match value {
            Setting::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| unmistakable(text)).collect();
                format!("{name}=[{}]", texts.join(", "))
            }
            Setting::Text(text) => format!("{name}={}", unmistakable(text)),
            other => format!("{name}={other}"),
        })
        .collect();
    format!("{playbook} ({})", chosen.join(", "))
}

/// A text that could be taken for several, or that acts on a terminal, stands in quotes: who approves did not write it.
fn unmistakable(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-._:/@".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}

/// What is asked, with the choices made. One that is for a playbook by name goes before one for all.
pub fn choose(asked: Vec<Hashed>, choices: &[Choice]) -> Result<Vec<Hashed>, ChecksError> {
    once_each(choices)?;
    let mut chosen: BTreeMap<String, BTreeMap<String, Setting>> = BTreeMap::new();
    let (named, for_all): (Vec<&Choice>, Vec<&Choice>) =
        choices.iter().partition(|choice| choice.playbook.is_some());
    for choice in for_all.into_iter().chain(named) {
        for playbook in meant(&asked, choice)? {
            let settings = chosen.entry(playbook).or_default();
            settings.insert(choice.name.clone(), choice.value.clone());
        }
    }
    asked
        .into_iter()
        .map(|hashed| match chosen.get(hashed.name()) {
            Some(settings) => hashed.with(settings),
            None => Ok(hashed),
        })
        .collect()
}

/// Which of two values somebody meant cannot be told.
fn once_each(choices: &[Choice]) -> Result<(), ChecksError> {
    let mut seen = BTreeSet::new();
    for choice in choices {
        if !seen.insert((&choice.playbook, &choice.name)) {
            return Err(ChecksError::ChosenTwice {
                name: choice.name.clone(),
            });
        }
    }
    Ok(())
}

/// The playbooks that a choice is for, by name.
fn meant(asked: &[Hashed], choice: &Choice) -> Result<Vec<String>, ChecksError> {
    let name = &choice.name;
    if let Some(playbook) = &choice.playbook {
        let found = asked.iter().find(|hashed| hashed.name() == playbook);
        return match found {
            Some(hashed) => Ok(vec![hashed.name().to_owned()]),
            None => Err(ChecksError::NotAsked {
                playbook: playbook.clone(),
                asked: asked.iter().map(|hashed| hashed.name().to_owned()).collect(),
            }),
        };
    }
    let playbooks = || asked.iter().filter_map(|hashed| hashed.asked.playbook());
    let with_it = playbooks().filter(|playbook| playbook.settings().contains_key(name));
    let names: Vec<String> = with_it.map(|playbook| playbook.name().to_owned()).collect();
    if !names.is_empty() {
        return Ok(names);
    }
    let known: BTreeSet<&str> = playbooks()
        .flat_map(Playbook::settings)
        .map(|(name, _)| name.as_str())
        .collect();
    Err(ChecksError::NoSuchSetting {
        name: name.clone(),
        nearest: nearest_names(name, known, 1)
            .first()
            .map(|name| (*name).to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hopgate_paths::Catalogue;

    use super::*;
    use crate::checks::{load_all, tests::names};

    fn asked(playbooks: &[&str]) -> Vec<Hashed> {
        let catalogue = Catalogue::embedded().unwrap();
        load_all(&names(playbooks), Path::new(""), catalogue).unwrap()
    }

    fn typed(choices: &[&str]) -> Vec<Choice> {
        choices.iter().map(|choice| choice.parse().unwrap()).collect()
    }

    /// What stands in the end: the settings chosen, by playbook.
    fn stands(choices: &[&str]) -> String {
        let chosen = choose(
            asked(&["certificates", "licences", "network", "advisories"]),
            &typed(choices),
        );
        let told = |hashed: &Hashed| {
            let settings = hashed.settings.iter();
            let settings: Vec<String> = settings
                .map(|(name, value)| format!("{}.{name}={value:?}", hashed.name()))
                .collect();
            settings.join(" ")
        };
        chosen
            .unwrap()
            .iter()
            .map(told)
            .collect::<Vec<_>>()
            .join(" ")
            .trim()
            .to_owned()
    }

    #[test]
    fn a_choice_goes_to_every_playbook_that_has_it_or_to_the_one_that_it_names() {
        insta::assert_snapshot!(stands(&["warn_days=60"]), @"certificates.warn_days=Number(60) licences.warn_days=Number(60)");
        insta::assert_snapshot!(stands(&["licences.warn_days=60"]), @"licences.warn_days=Number(60)");
        insta::assert_snapshot!(stands(&["licences.warn_days=7", "warn_days=60"]), @"certificates.warn_days=Number(60) licences.warn_days=Number(7)");
        insta::assert_snapshot!(stands(&["tunnels=vie, lnz", "session_port=443", "require_all_active=true"]), @r#"network.require_all_active=YesNo(true) network.session_port=Text("443") network.tunnels=Texts(["vie", "lnz"])"#);
        assert_eq!(stands(&[]), "");
    }

    #[test]
    fn what_is_written_is_what_is_typed() {
        let with = BTreeMap::from([
            (
                "licences".to_owned(),
                BTreeMap::from([("warn_days".to_owned(), Setting::Number(60))]),
            ),
            (
                "network".to_owned(),
                // A port reads as a number, and the setting is a text.
                BTreeMap::from([("session_port".to_owned(), Setting::Number(443))]),
            ),
        ]);
        let comma = Setting::Texts(vec!["to vie, backup".to_owned()]);
        let tunnels = BTreeMap::from([(
            "network".to_owned(),
            BTreeMap::from([("tunnels".to_owned(), comma)]),
        )]);
        let one = choose(asked(&["network"]), &written(&tunnels)).unwrap().remove(0);
        insta::assert_snapshot!(with_settings("network", &one.settings), @r#"network (tunnels=["to vie, backup"])"#);
        let hashes = |choices: &[Choice]| {
            let chosen = choose(asked(&["licences", "network"]), choices).unwrap();
            chosen.into_iter().map(|hashed| hashed.hash).collect::<Vec<_>>()
        };
        assert_eq!(
            hashes(&written(&with)),
            hashes(&typed(&["network.session_port=443", "licences.warn_days=60"]))
        );
        assert_ne!(hashes(&written(&with)), hashes(&[]));
    }

    #[test]
    fn what_was_chosen_is_told_so_that_it_is_taken_for_nothing_else() {
        let chosen = choose(
            asked(&["network"]),
            &typed(&[
                "tunnels=vie,to lnz",
                "session_port=1, tunnels=none\u{1b}[2K",
                "jumbo_frame=on",
            ]),
        );
        let chosen = chosen.unwrap().remove(0);
        insta::assert_snapshot!(with_settings("network", &chosen.settings), @r#"network (jumbo_frame=on, session_port="1, tunnels=none\u{1b}[2K", tunnels=[vie, "to lnz"])"#);
    }

    #[test]
    fn a_choice_for_nobody_is_a_mistake() {
        let wrong = |choices: &[&str]| {
            let error = choose(
                asked(&["certificates", "licences", "advisories"]),
                &typed(choices),
            );
            let error = error.err().unwrap();
            let because = std::error::Error::source(&error);
            format!(
                "{error}{}",
                because.map_or_else(String::new, |because| format!(": {because}"))
            )
        };
        insta::assert_snapshot!(wrong(&["wran_days=60"]), @"no playbook that is asked has the setting wran_days; the nearest is warn_days");
        insta::assert_snapshot!(wrong(&["network.tunnels=vie"]), @"a setting is chosen for the playbook network, which is not asked; asked are certificates, licences, advisories");
        insta::assert_snapshot!(wrong(&["licences.warn_dayz=60"]), @"a setting cannot be chosen: setting warn_dayz of playbook licences: there is none; the nearest is warn_days");
        insta::assert_snapshot!(wrong(&["warn_days=soon"]), @r#"a setting cannot be chosen: setting warn_days of playbook certificates: "soon" is not a whole number"#);
        insta::assert_snapshot!(wrong(&["warn_days=60", "warn_days=7"]), @"the setting warn_days is chosen twice");
        insta::assert_snapshot!(wrong(&["advisories.warn_days=60"]), @"settings are chosen for advisories, which has none");
        let unread = |text: &str| text.parse::<Choice>().unwrap_err().to_string();
        insta::assert_snapshot!(unread("warn_days"), @r#""warn_days" is neither SETTING=VALUE nor PLAYBOOK.SETTING=VALUE"#);
        insta::assert_snapshot!(unread(".warn_days=60"), @r#"".warn_days=60" is neither SETTING=VALUE nor PLAYBOOK.SETTING=VALUE"#);
    }
}
