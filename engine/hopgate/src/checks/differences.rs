//! The rules by which what a firewall is after a hop is compared with what it was before: the built-in ones, or a file laid
//! over them, with the hash that a plan is bound to. Must not know how a comparison is made.

use std::collections::BTreeMap;
use std::path::Path;

use hopgate_core::plan::sha256_hex;
use hopgate_playbooks::{Rules, RulesError, Setting};

use super::{Asked, ChecksError, Hashed};

/// The one setting: a file of rules, relative to the campaign file.
const RULES: &str = "rules";

/// The comparison with these settings.
pub(super) fn load(chosen: &BTreeMap<String, Setting>, base: &Path) -> Result<Hashed, ChecksError> {
    if let Some(other) = chosen.keys().find(|name| *name != RULES) {
        return Err(ChecksError::NoSuchSetting {
            name: other.clone(),
            nearest: Some(RULES.to_owned()),
        });
    }
    let builtin = sha256_hex(Rules::builtin_text().as_bytes());
    let Some(file) = chosen.get(RULES).map(Setting::to_string) else {
        return Ok(hashed(Rules::builtin().clone(), builtin, chosen));
    };
    let text = std::fs::read_to_string(base.join(&file)).map_err(|source| ChecksError::RulesUnread {
        path: file.clone().into(),
        source,
    })?;
    let rules = Rules::read(&file, &text).map_err(first)?;
    let hash = sha256_hex(format!("{builtin} under {}", sha256_hex(text.as_bytes())).as_bytes());
    Ok(hashed(rules, hash, chosen))
}

fn hashed(rules: Rules, hash: String, chosen: &BTreeMap<String, Setting>) -> Hashed {
    Hashed {
        asked: Asked::Differences(Box::new(rules)),
        hash,
        settings: chosen.clone(),
    }
}

/// There is at least one; the first is the one to correct first.
fn first(mut errors: Vec<RulesError>) -> ChecksError {
    ChecksError::Rules(Box::new(errors.swap_remove(0)))
}

#[cfg(test)]
mod tests {
    use hopgate_paths::Catalogue;

    use super::*;
    use crate::checks::{DIFFERENCES, load_all};
    use crate::config::check::CheckText;

    fn with(rules: &str) -> Result<Hashed, ChecksError> {
        let directory = tempdir();
        std::fs::write(directory.join("rules.yaml"), rules).unwrap();
        let check = CheckText {
            playbook: DIFFERENCES.to_owned(),
            with: BTreeMap::from([(RULES.to_owned(), Setting::Text("rules.yaml".to_owned()))]),
        };
        let loaded = load_all(&[check], &directory, Catalogue::embedded().unwrap());
        std::fs::remove_dir_all(&directory).unwrap();
        loaded.map(|mut loaded| loaded.remove(0))
    }

    fn tempdir() -> std::path::PathBuf {
        let name = format!(
            "hopgate-rules-{:?}-{}",
            std::thread::current().id(),
            std::process::id()
        );
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        directory
    }

    #[test]
    fn rules_of_ones_own_are_another_question() {
        let plain = load(&BTreeMap::new(), Path::new("")).unwrap();
        assert_eq!(plain.name(), DIFFERENCES);
        let own = with("areas:\n  - {area: arp, missing: stop}\n").unwrap();
        let other = with("areas:\n  - {area: arp, missing: look}\n").unwrap();
        assert_ne!(own.hash, plain.hash);
        assert_ne!(own.hash, other.hash);
        assert_eq!(own.settings[RULES], Setting::Text("rules.yaml".to_owned()));
    }

    #[test]
    fn mistakes_are_told() {
        let said = |loaded: Result<Hashed, ChecksError>| crate::failure::Failure::from(loaded.err().unwrap());
        insta::assert_snapshot!(said(with("areas:\n  - {area: arpp}\n")), @"
        error[C006]: the rules of differences cannot be used
          because: reading rules rules.yaml, line 2, column 12: unknown area `arpp`; the nearest is `arp`
          hint: docs/audit.md has the rules, and hopgate playbook show differences the built-in ones
        ");
        let chosen = BTreeMap::from([("rule".to_owned(), Setting::Number(1))]);
        insta::assert_snapshot!(said(load(&chosen, Path::new(""))), @"
        error[C006]: no playbook that is asked has the setting rule; the nearest is rules
          hint: hopgate playbook list shows the settings of the built-in ones
        ");
        let chosen = BTreeMap::from([(RULES.to_owned(), Setting::Text("none.yaml".to_owned()))]);
        insta::assert_snapshot!(said(load(&chosen, Path::new("/nowhere"))), @"
        error[C006]: the rules of differences cannot be read from none.yaml
          because: No such file or directory (os error 2)
          hint: docs/audit.md has the rules, and hopgate playbook show differences the built-in ones
        ");
    }
}
