//! Every check of the library over recorded facts, case by case.
//!
//! Responsible for: running `testdata/<playbook>/<check>.yaml`, and holding that each check has a case for each thing it
//! can conclude. Must not know: how a check concludes it.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hopgate_paths::{Catalogue, Version};
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
    /// Rows that are laid over the release catalogue; with it, even an empty one, modules are judged as they are in an audit,
    /// and else they are of the class that they are written with.
    catalogue: Option<String>,
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
    #[serde(default)]
    later: Vec<Vec<String>>,
    minutes: Option<u32>,
}

impl HopEntry {
    fn context(&self) -> HopContext {
        HopContext {
            from: self.from.parse().unwrap(),
            to: self.to.parse().unwrap(),
            minimum_content: self.minimum_content,
            downloads: versions(&self.downloads),
            later: self.later.iter().map(|hop| versions(hop)).collect(),
            minutes: self.minutes,
        }
    }
}

fn versions(texts: &[String]) -> Vec<Version> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Checks that ask whether others can be answered: they pass, or cannot tell.
const NEVER_FAILS: [&str; 1] = ["link-log-reaches-back"];

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
    if let Some(rows) = &case.catalogue {
        let overlay = (case.case.as_str(), rows.as_str());
        let catalogue = Catalogue::embedded().unwrap().overlaid(&[overlay]);
        let catalogue = catalogue.unwrap_or_else(|error| panic!("{}: {error}", case.case));
        let hop_to = case.hop.as_ref().map(|hop| hop.context().to);
        facts.judge_modules(&catalogue, hop_to);
    }
    facts
}

fn run(file: &str, check: &str, case: &Case, playbook: &Playbook) -> Vec<String> {
    let findings = playbook.evaluate(
        &facts(case, playbook),
        case.hop.as_ref().map(HopEntry::context).as_ref(),
    );
    let of_check: Vec<&Finding> = findings
        .iter()
        .filter(|finding| *finding.check == *check)
        .collect();
    let concluded: Vec<(String, String)> = of_check
        .iter()
        .map(|finding| {
            let subject = finding.subject.clone().unwrap_or_default();
            (subject, finding.verdict.word().to_owned())
        })
        .collect();
    let said: Vec<&str> = of_check.iter().map(|finding| &*finding.message).collect();
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
                let says_it = verdict != "fail" || !NEVER_FAILS.contains(&id.as_str());
                assert_eq!(
                    seen.contains(verdict),
                    says_it,
                    "{file} and the cases that end in {verdict}"
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
            .find(|finding| &*finding.check == "ip-sec-tunnel-status");
        of_tunnels.unwrap().verdict.word()
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
        against.extend(bad.map(|finding| finding.check.to_string()));
    }
    // 10.1 is past its end, and 2026 is past 10.1's.
    assert_eq!(against, ["end-of-life"]);
}

/// What pan-os-upgrade-assurance 2.1.1 checks and takes into snapshots, and the recorded case that holds what is different
/// here: `playbook/check: case`, or the reply `area/case` that facts are read from.
const PROOFS: [(&str, &str); 36] = [
    ("panorama", "network/panorama: one of two is not enough"),
    ("ha", "ha/ha: no peer is told of"),
    ("ntp_sync", "ntp/no-synched-element"),
    ("candidate_config", "health/full-commit-required: yes"),
    (
        "expired_licenses",
        "licences/expired-licenses: two of one name are both looked at",
    ),
    ("active_support", "licences/active-support: its last day"),
    (
        "content_version",
        "licences/content-version: numbers and not texts are compared",
    ),
    ("session_exist", "network/session-exist: no entry"),
    ("arp_entry_exist", "network/arp-entry-exist: nobody answered"),
    (
        "ip_sec_tunnel_status",
        "network/ip-sec-tunnel-status: a longer name is another tunnel",
    ),
    (
        "free_disk_space",
        "readiness/disk-space: an image that is not listed never passes, however much is free",
    ),
    (
        "planes_clock_sync",
        "health/planes-clock-sync: two dataplanes, each for itself",
    ),
    (
        "certificates_requirements",
        "certificates/certificates-requirements: those of virtual systems count too",
    ),
    ("dynamic_updates", "licences/dynamic-updates: from a template"),
    ("jobs", "readiness/no-running-jobs: one without a number"),
    (
        "global_jumbo_frame",
        "network/global-jumbo-frame: neither on nor off",
    ),
    (
        "environmentals",
        "health/environmentals: a virtual firewall has no sensors",
    ),
    (
        "dp_cpu_utilization",
        "health/dp-cpu-utilization: an idle dataplane does not make up for a busy one",
    ),
    (
        "mp_cpu_utilization",
        "health/mp-cpu-utilization: one of two slots of a chassis",
    ),
    ("mp_mem_utilization", "memory/9.1-kib"),
    ("config_locks", "locks/10.1-several"),
    (
        "device_root_certificate_issue",
        "certificates/device-root-certificate-issue: a higher number without the fix",
    ),
    (
        "cdss_and_panorama_certificate_issue",
        "certificates/cdss-and-panorama-certificate-issue: not read",
    ),
    ("nics", "interfaces/10.1"),
    ("routes", "routes/row-without-a-router"),
    ("bgp_peers", "bgp_peers/advanced-engine-two-routers"),
    ("license", "licences/several"),
    ("arp_table", "arp/one-address-on-two-interfaces"),
    ("content_version", "content/one-package-only"),
    ("session_stats", "sessions/10.1"),
    ("ip_sec_tunnels", "ipsec_tunnels/proxy-ids-and-one-name-twice"),
    ("fib_routes", "fib/two-routers-one-destination"),
    ("global_jumbo_frame", "jumbo_frames/on"),
    ("mtu", "mtus/plain"),
    ("are_routes", "advanced_routes/two-routers"),
    ("are_fib_routes", "advanced_fib/on"),
];

/// The names in backticks.
fn named(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_check_of_the_vendors_tool_has_its_place_here_and_a_case_that_holds_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/playbooks.md")).unwrap();
    let (_, section) = page
        .split_once("## Coming from pan-os-upgrade-assurance")
        .unwrap();
    let mut here: BTreeSet<String> = hopgate_playbooks::FactArea::ALL
        .into_iter()
        .map(|area| area.name().to_owned())
        .collect();
    for name in Playbook::builtin_names() {
        let playbook = Playbook::builtin(name).unwrap().unwrap();
        here.extend(playbook.checks().map(|check| check.id.to_owned()));
    }
    let mut there = Vec::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').collect();
        there.extend(named(cells[1]));
        assert!(!named(cells[2]).is_empty(), "{line}");
        for name in named(cells[2]) {
            assert!(here.contains(name), "there is no {name}: {line}");
        }
    }
    let expected: Vec<&str> = PROOFS.iter().map(|(name, _)| *name).collect();
    assert_eq!(there, expected);
    let (_, besides) = section.rsplit_once("Nothing there looks at").unwrap();
    for name in named(besides) {
        assert!(here.contains(name), "there is no {name}");
    }
    for (name, proof) in PROOFS {
        match proof.split_once(": ") {
            Some((check, case)) => {
                let cases: Vec<Case> = read(&testdata().join(format!("{check}.yaml")));
                assert!(cases.iter().any(|one| one.case == case), "{name}: {proof}");
            }
            None => {
                let facts = root.join(format!("engine/panos/testdata/{proof}.json"));
                assert!(facts.is_file(), "{name}: {proof}");
            }
        }
    }
}
