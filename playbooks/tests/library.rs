//! Every check of the library over recorded facts, case by case.
//!
//! Responsible for: running `testdata/<playbook>/<check>.yaml`, and holding that each check has a case for each thing it
//! can conclude. Must not know: how a check concludes it.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hopgate_playbooks::{Fact, Facts, Finding, HopContext, Playbook, Setting, Verdict};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// The instant at which every case was read.
const READ_AT: &str = "2026-03-01T00:50:00Z";

/// What a case says of the firewall of `healthy.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    #[serde(default)]
    settings: BTreeMap<String, Setting>,
    /// What is different: maps are merged, everything else is replaced.
    #[serde(default)]
    facts: BTreeMap<String, Value>,
    /// Areas that could not be read, and why.
    #[serde(default)]
    unknown: BTreeMap<String, String>,
    /// Answers to the playbook's own questions, by their names; `{unknown: why}` where there is none.
    #[serde(default)]
    replies: BTreeMap<String, Value>,
    hop: Option<HopEntry>,
    /// Subject and verdict of every finding of the check, in order; none where it does not apply.
    expect: Vec<(String, String)>,
    /// What some finding's message has to say.
    says: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HopEntry {
    from: String,
    to: String,
    minimum_content: Option<u32>,
    downloads: Vec<String>,
}

impl HopEntry {
    fn context(&self) -> HopContext {
        HopContext {
            from: self.from.parse().unwrap(),
            to: self.to.parse().unwrap(),
            minimum_content: self.minimum_content,
            downloads: self
                .downloads
                .iter()
                .map(|version| version.parse().unwrap())
                .collect(),
        }
    }
}

fn testdata() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata"))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (name, change) in change {
                merge(into.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

fn facts(case: &Case, playbook: &Playbook) -> Facts {
    let mut known: Value = read(&testdata().join("healthy.yaml"));
    merge(&mut known, &json!(case.facts));
    let unread = Facts::unread("fw1", READ_AT.parse::<Timestamp>().unwrap());
    let mut stored = serde_json::to_value(unread).unwrap();
    for (area, value) in known.as_object().unwrap() {
        assert!(
            stored.get(area).is_some(),
            "{}: there is no area {area}",
            case.case
        );
        stored[area] = json!({ "known": value });
    }
    for (area, reason) in &case.unknown {
        assert!(
            stored.get(area).is_some(),
            "{}: there is no area {area}",
            case.case
        );
        stored[area] = json!({ "unknown": reason });
    }
    let mut facts: Facts =
        serde_json::from_value(stored).unwrap_or_else(|error| panic!("{}: {error}", case.case));
    for (name, reply) in &case.replies {
        let ask = playbook
            .ask(name)
            .unwrap_or_else(|| panic!("{}: {name} is not asked", case.case));
        let reply = match reply.get("unknown").and_then(Value::as_str) {
            Some(reason) => Fact::Unknown(reason.to_owned()),
            None => Fact::Known(reply.clone()),
        };
        facts.replies.insert(ask.key(), reply);
    }
    facts
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive { .. } => "inconclusive",
        Verdict::Error { .. } => "error",
        Verdict::Waived { .. } => "waived",
    }
}

fn run(file: &str, check: &str, case: &Case, playbook: &Playbook) -> Vec<String> {
    let findings = playbook.evaluate(
        &facts(case, playbook),
        case.hop.as_ref().map(HopEntry::context).as_ref(),
    );
    let of_check: Vec<&Finding> = findings.iter().filter(|finding| finding.check == check).collect();
    let concluded: Vec<(String, String)> = of_check
        .iter()
        .map(|finding| {
            let subject = finding.subject.clone().unwrap_or_default();
            (subject, word(&finding.verdict).to_owned())
        })
        .collect();
    let said: Vec<&str> = of_check.iter().map(|finding| finding.message.as_str()).collect();
    let said = said.join(" | ");
    assert_eq!(concluded, case.expect, "{file}, {}: {said}", case.case);
    if let Some(words) = &case.says {
        assert!(said.contains(words), "{file}, {}: {said}", case.case);
    }
    concluded.into_iter().map(|(_, verdict)| verdict).collect()
}

#[test]
fn every_check_of_the_library_concludes_what_it_should() {
    let mut cases_run = 0;
    for name in Playbook::builtin_names() {
        let ids: Vec<String> = {
            let playbook = Playbook::builtin(name).unwrap().unwrap();
            playbook.checks().map(|check| check.id.to_owned()).collect()
        };
        let mut files: BTreeSet<String> = std::fs::read_dir(testdata().join(name))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        for id in ids {
            let file = format!("{name}/{id}.yaml");
            files.remove(&format!("{id}.yaml"));
            let cases: Vec<Case> = read(&testdata().join(&file));
            let mut seen = BTreeSet::new();
            for case in &cases {
                let playbook = Playbook::builtin(name).unwrap().unwrap();
                let playbook = playbook.with(&case.settings).unwrap();
                seen.extend(run(&file, &id, case, &playbook));
                cases_run += 1;
            }
            for verdict in ["pass", "fail", "inconclusive"] {
                assert!(
                    seen.contains(verdict),
                    "{file} has no case that ends in {verdict}"
                );
            }
        }
        assert_eq!(files, BTreeSet::new(), "of no check of {name}");
    }
    assert!(cases_run > 200, "{cases_run}");
}

/// A repeated name is lost by others: two entries for one playbook with other settings are two answers.
#[test]
fn one_playbook_with_two_settings_gives_two_answers() {
    let case: Case = serde_saphyr::from_str("{case: two, expect: []}").unwrap();
    let verdict = |tunnel: &str| {
        let chosen = BTreeMap::from([("tunnels".to_owned(), Setting::Texts(vec![tunnel.to_owned()]))]);
        let playbook = Playbook::builtin("network")
            .unwrap()
            .unwrap()
            .with(&chosen)
            .unwrap();
        let findings = playbook.evaluate(&facts(&case, &playbook), None);
        let of_tunnels = findings
            .into_iter()
            .find(|finding| finding.check == "ip-sec-tunnel-status");
        word(&of_tunnels.unwrap().verdict)
    };
    assert_eq!([verdict("branch"), verdict("other")], ["pass", "fail"]);
}

#[test]
fn a_healthy_firewall_has_nothing_against_it() {
    let case: Case = serde_saphyr::from_str("{case: healthy, expect: []}").unwrap();
    let mut against = Vec::new();
    for name in Playbook::builtin_names() {
        let playbook = Playbook::builtin(name).unwrap().unwrap();
        let findings = playbook.evaluate(&facts(&case, &playbook), None);
        let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
        against.extend(bad.map(|finding| finding.check.clone()));
    }
    // 10.1 is past its end, and 2026 is past 10.1's.
    assert_eq!(against, ["end-of-life"]);
}
