//! Recorded replies, the facts they give and what the built-in playbooks conclude from them, as data:
//! `testdata/<area>/<case>.xml` (or `.txt`, the text of a result) beside `<case>.json`.
//!
//! Responsible for: holding every case to what is written beside it, and that there are cases enough.
//! Must not know: how the files of a case are laid out, how anything is read or concluded.

use std::collections::{BTreeMap, BTreeSet};

use hopgate_playbooks::{FactArea, Playbook, Verdict};

use self::case::Case;

mod case;
mod damage;

/// Set, the expected facts and verdicts are written anew: for a look at the difference in version control.
const BLESS: &str = "HOPGATE_BLESS";

#[test]
fn recorded_replies_lead_to_the_facts_and_verdicts_beside_them() {
    let bless = std::env::var_os(BLESS).is_some();
    let mut wrong = Vec::new();
    for case in Case::all() {
        let outcome = case.outcome(&|_, reply| reply);
        let actual = case.rewritten(&outcome);
        if bless {
            case.write(&actual);
        } else if case.written != actual {
            wrong.push(format!(
                "{}.json\n{}",
                case.stem,
                case.written.difference(&actual)
            ));
        }
        for (check, findings) in &outcome.findings {
            for finding in findings {
                let broken = matches!(finding.verdict, Verdict::Error { .. });
                assert!(!broken, "{} {check}: {}", case.stem, finding.message);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_recorded_reply_answers_something() {
    for case in Case::all() {
        assert!(case.is_answered(), "{} has no answer of its own", case.stem);
        assert_eq!(case.unasked(), [""; 0], "{}@", case.stem);
    }
}

#[test]
fn every_area_has_a_recorded_reply_that_is_known() {
    let known: BTreeSet<FactArea> = Case::all()
        .iter()
        .filter(|case| case.fact(&|_, reply| reply).get("known").is_some())
        .map(|case| case.area)
        .collect();
    let without: Vec<FactArea> = FactArea::ALL
        .into_iter()
        .filter(|area| !known.contains(area))
        .collect();
    // Not the device's to tell.
    assert_eq!(without, [FactArea::Backup]);
}

#[test]
fn every_area_is_recorded_from_two_releases_at_least() {
    for area in FactArea::ALL {
        let of_area = Case::all().iter().filter(|case| case.area == area);
        let releases: BTreeSet<(u32, u32)> = of_area.filter_map(Case::release).collect();
        // Not the device's to tell.
        assert!(
            releases.len() > 1 || area == FactArea::Backup,
            "{area}: {releases:?}"
        );
    }
}

/// What no recorded reply shows of a check, and why.
const EXCEPTIONS: [(&str, &str, &str); 6] = [
    (
        "modules/optics-known-bad",
        "fail",
        "no part is known to do harm from a source that can be cited; whoever knows one adds it to the catalogue",
    ),
    (
        "network/link-log-reaches-back",
        "fail",
        "it says whether another check can be answered: it passes or cannot tell",
    ),
    ("software/backup-taken", "pass", OWN_RECORDS),
    ("software/backup-taken", "fail", OWN_RECORDS),
    ("software/backup-readable", "pass", OWN_RECORDS),
    ("software/backup-readable", "fail", OWN_RECORDS),
];

const OWN_RECORDS: &str = "backups are told by hopgate's own records, and not by a device";

/// That a check lets a device go on, and that it stops it, is to be seen from replies and not from facts written by hand.
#[test]
fn every_built_in_check_passes_some_recorded_reply_and_fails_another() {
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for case in Case::all() {
        for (check, findings) in case.outcome(&|_, reply| reply).findings {
            let seen = seen.entry(check).or_default();
            // What does not apply lets a device go on as well.
            seen.extend(findings.is_empty().then_some("pass"));
            seen.extend(findings.iter().map(|finding| finding.verdict.word()));
        }
    }
    let mut missing = Vec::new();
    for name in Playbook::builtin_names() {
        let playbook = Playbook::builtin(name).unwrap().unwrap();
        for check in playbook.checks() {
            let check = format!("{name}/{}", check.id);
            let seen = seen.remove(&check).unwrap_or_default();
            let wanted = ["pass", "fail"].into_iter();
            let unseen = wanted.filter(|verdict| !seen.contains(verdict));
            missing.extend(unseen.map(|verdict| format!("{check}: {verdict}")));
        }
    }
    let excepted = EXCEPTIONS.map(|(check, verdict, _)| format!("{check}: {verdict}"));
    assert_eq!(missing, excepted);
}
