//! The library over healthy and unhealthy facts, and what a broken playbook is answered with.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::facts::Fact;
use crate::finding::Gate;

/// What a campaign asks around its hops unless it says otherwise. The rest of the library is held to its recorded cases.
const GATES: [&str; 3] = ["after", "optics", "readiness"];

/// A PA-850 on 10.1.3, passive in a healthy pair, with one genuine optic.
fn healthy() -> Value {
    json!({
        "device": "fw1",
        "read_at": Timestamp::UNIX_EPOCH,
        "system": {"known": {
            "hostname": "fw1", "model": "PA-850", "serial": "0123", "sw_version": "10.1.3",
            "app_version": "8676-7858", "uptime_seconds": 86400, "operational_mode": "normal", "multi_vsys": false,
        }},
        "software": {"known": [
            {"version": "10.1.3", "size_mb": 400, "downloaded": true, "current": true, "release_type": null},
            {"version": "10.2.0", "size_mb": 1037, "downloaded": true, "current": false, "release_type": "Base"},
            {"version": "10.2.4-h4", "size_mb": 492, "downloaded": false, "current": false, "release_type": null},
        ]},
        "jobs": {"known": [
            {"id": 2, "kind": "Commit", "status": "FIN", "result": "OK", "progress": null, "details": []},
            {"id": 1, "kind": "AutoCom", "status": "FIN", "result": "OK", "progress": null, "details": []},
        ]},
        "ha": {"known": {
            "enabled": true, "mode": "Active-Passive",
            "local": {"state": "passive", "reason": null, "build": "10.1.3", "state_sync": "Complete", "address": null},
            "peer": {"state": "active", "reason": null, "build": "10.1.3", "state_sync": null, "address": "192.0.2.12"},
            "running_sync": "synchronized", "running_sync_enabled": true, "preemptive": false,
        }},
        "disks": {"known": [
            {"mount": "/", "size_mb": 8000, "available_mb": 3000},
            {"mount": "/opt/pancfg", "size_mb": 4000, "available_mb": 2000},
            {"mount": "/opt/panrepo", "size_mb": 6000, "available_mb": 542},
        ]},
        "partitions": {"known": [
            {"name": "sysroot0", "state": "RUNNING-ACTIVE", "version": "10.1.3"},
            {"name": "sysroot1", "state": "EMPTY", "version": null},
        ]},
        "pending_changes": {"known": false},
        "optics": {"known": [
            optic(1, "CAT5", None, None),
            optic(5, "SFP-Plus-Fiber", Some("FINISAR CORP."), Some("PAN-SFP-PLUS-LR")),
            optic(6, "SFP-Empty", None, None),
        ]},
        "locks": {"known": []},
    })
}

fn optic(port: u32, media: &str, vendor: Option<&str>, part: Option<&str>) -> Value {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let optic = crate::read_module((1, port), media.to_owned(), owned(vendor), owned(part), None);
    serde_json::to_value(optic).unwrap()
}

fn facts(changes: &[(&str, Value)]) -> Facts {
    let mut stored = healthy();
    for (pointer, value) in changes {
        *stored
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer} is not in the facts")) = value.clone();
    }
    serde_json::from_value(stored).unwrap()
}

fn hop(from: &str, to: &str, downloads: &[&str]) -> HopContext {
    HopContext {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        minimum_content: Some(8614),
        downloads: downloads.iter().map(|version| version.parse().unwrap()).collect(),
        later: Vec::new(),
        minutes: None,
    }
}

fn usual_hop() -> HopContext {
    hop("10.1.3", "10.2.4-h4", &["10.2.0", "10.2.4-h4"])
}

fn builtin(name: &str) -> Playbook {
    Playbook::builtin(name).unwrap().unwrap()
}

/// What did not pass, one line each: `check[@subject] verdict: message`.
fn said(playbook: &str, facts: &Facts, hop: Option<&HopContext>) -> String {
    let lines = builtin(playbook)
        .evaluate(facts, hop)
        .into_iter()
        .filter_map(|finding| {
            let verdict = match finding.verdict {
                Verdict::Pass => return None,
                Verdict::Fail => "fail",
                Verdict::Inconclusive { .. } => "inconclusive",
                Verdict::Error { .. } => "error",
                Verdict::Waived { .. } => "waived",
            };
            let subject = finding
                .subject
                .map_or(String::new(), |subject| format!("@{subject}"));
            Some(format!(
                "{}{subject} {verdict}: {}",
                finding.check, finding.message
            ))
        });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_library_has_no_mistakes() {
    for (_, file, text) in LIBRARY {
        assert_eq!(Playbook::lint(file, text), [], "{file}");
    }
}

#[test]
fn the_library_reads_and_says_what_it_needs() {
    let needs = |name| {
        builtin(name)
            .needs()
            .into_iter()
            .map(FactArea::name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        Playbook::builtin_names().collect::<Vec<_>>().join(" "),
        "after certificates ha health licences modules network optics readiness software"
    );
    for name in Playbook::builtin_names() {
        assert_eq!(builtin(name).name(), name);
    }
    assert_eq!(
        needs("readiness"),
        "system software jobs ha disks partitions pending_changes locks"
    );
    assert_eq!(needs("after"), "jobs ha disks");
    assert_eq!(needs("optics"), "system optics");
    assert!(Playbook::builtin("nothing").is_none());
    assert!(Playbook::builtin_text("nothing").is_none());
    let text = Playbook::builtin_text("optics").unwrap();
    assert!(text.contains("\nplaybook: optics\n"));
}

#[test]
fn a_healthy_firewall_passes_every_check_and_opens_every_gate() {
    for name in GATES {
        let findings = builtin(name).evaluate(&facts(&[]), Some(&usual_hop()));
        assert!(
            findings.iter().all(|finding| finding.verdict == Verdict::Pass),
            "{name}: {findings:#?}"
        );
        assert!(!findings.is_empty());
        assert_eq!(Gate::of(&findings), Gate::Open);
    }
    let single = facts(&[
        ("/ha/known/enabled", json!(false)),
        ("/ha/known/peer", json!(null)),
    ]);
    assert_eq!(said("readiness", &single, Some(&usual_hop())), "");
    assert_eq!(said("after", &single, None), "");
}

#[test]
fn nothing_read_is_nothing_passed() {
    let unread = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
    for name in GATES {
        let findings = builtin(name).evaluate(&unread, None);
        let held = findings.iter().filter(|finding| finding.holds()).count();
        assert!(held > 0, "{name}");
        let passed = findings.iter().filter(|finding| finding.verdict == Verdict::Pass);
        assert_eq!(passed.count(), 0, "{name}");
    }
    insta::assert_snapshot!(said("readiness", &unread, None), @r"
    no-running-jobs inconclusive: cannot tell: jobs: not asked
    no-pending-changes inconclusive: cannot tell: pending_changes: not asked
    no-locks inconclusive: cannot tell: locks: not asked
    operational-mode inconclusive: cannot tell: system: not asked
    content-new-enough inconclusive: cannot tell: system: not asked; no hop is planned
    images-offered inconclusive: cannot tell: software: not asked; no hop is planned
    disk-space inconclusive: cannot tell: software: not asked; disks: not asked; no hop is planned
    software-manager-clear inconclusive: cannot tell: partitions: not asked; no hop is planned
    ha-mode inconclusive: cannot tell: ha: not asked
    ha-states inconclusive: cannot tell: ha: not asked
    ha-preemption-off inconclusive: cannot tell: ha: not asked
    ha-configuration-in-sync inconclusive: cannot tell: ha: not asked
    ");
}

#[test]
fn readiness_holds_on_each_thing_that_is_wrong_and_says_so() {
    let job = |kind: &str, status: &str| json!({"id": null, "kind": kind, "status": status, "result": "PEND", "progress": 3, "details": []});
    let cases: Vec<(&str, Value)> = vec![
        ("/jobs/known/0", job("Downld", "ACT")),
        ("/pending_changes/known", json!(true)),
        (
            "/locks/known",
            json!(["config lock of admin1 (shared)", "commit lock of admin2"]),
        ),
        ("/system/known/operational_mode", json!(null)),
        ("/system/known/operational_mode", json!("maint")),
        ("/system/known/app_version", json!("8503-7125")),
        ("/system/known/app_version", json!("")),
        ("/system/known/app_version", json!("unknown")),
        ("/software/known/1/version", json!("10.2.1")),
        ("/software/known/2/size_mb", json!(null)),
        ("/software/known/1/downloaded", json!(false)),
        ("/disks/known/2/available_mb", json!(541)),
        ("/disks/known/2/mount", json!("/opt/other")),
        ("/disks", json!({"unknown": "no reply within 30 s"})),
        (
            "/partitions/known/1",
            json!({"name": "sysroot1", "state": "PENDING-CHANGE", "version": "10.1.9"}),
        ),
        ("/ha/known/mode", json!("Active-Active")),
        ("/ha/known/mode", json!(null)),
        ("/ha/known/peer", json!(null)),
        ("/ha/known/peer/state", json!("non-functional")),
        ("/ha/known/local/state", json!("active")),
        ("/ha/known/peer/state", json!("passive")),
        ("/ha/known/preemptive", json!(true)),
        ("/ha/known/running_sync", json!("not synchronized")),
    ];
    let lines = cases.into_iter().map(|(pointer, value)| {
        let findings = said(
            "readiness",
            &facts(&[(pointer, value.clone())]),
            Some(&usual_hop()),
        );
        format!("{pointer} = {value}\n{findings}")
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n\n"), @r#"
    /jobs/known/0 = {"details":[],"id":null,"kind":"Downld","progress":3,"result":"PEND","status":"ACT"}
    no-running-jobs fail: Not finished yet: Downld ACT

    /pending_changes/known = true
    no-pending-changes fail: The candidate configuration holds changes that were not committed.

    /locks/known = ["config lock of admin1 (shared)","commit lock of admin2"]
    no-locks fail: Locks are held: config lock of admin1 (shared), commit lock of admin2

    /system/known/operational_mode = null
    operational-mode inconclusive: cannot tell: the device does not say which operational mode it is in

    /system/known/operational_mode = "maint"
    operational-mode fail: The operational mode is maint, not normal or FIPS-CC.

    /system/known/app_version = "8503-7125"
    content-new-enough fail: 10.2.4-h4 installs with content 8614 or later; installed is 8503-7125.

    /system/known/app_version = ""
    content-new-enough fail: 10.2.4-h4 installs with content 8614 or later; installed is none.

    /system/known/app_version = "unknown"
    content-new-enough inconclusive: cannot tell: "unknown" is not a content version (expected NNNN-MMMM)

    /software/known/1/version = "10.2.1"
    images-offered@10.2.0 fail: The software list has no 10.2.0, and a release a device does not list cannot be downloaded or installed.
    disk-space inconclusive: cannot tell: the software list does not say how large 10.2.4-h4 or its base image is

    /software/known/2/size_mb = null
    disk-space inconclusive: cannot tell: the software list does not say how large 10.2.4-h4 or its base image is

    /software/known/1/downloaded = false
    disk-space fail: /opt/panrepo has 542 MB free; 10.2.0, 10.2.4-h4 still need 1682 MB, a tenth of margin included.

    /disks/known/2/available_mb = 541
    disk-space fail: /opt/panrepo has 541 MB free; 10.2.0, 10.2.4-h4 still need 542 MB, a tenth of margin included.

    /disks/known/2/mount = "/opt/other"
    disk-space inconclusive: cannot tell: the device shows no file system at /opt/panrepo

    /disks = {"unknown":"no reply within 30 s"}
    disk-space inconclusive: cannot tell: disks: no reply within 30 s

    /partitions/known/1 = {"name":"sysroot1","state":"PENDING-CHANGE","version":"10.1.9"}
    software-manager-clear fail: 10.1.9 is installed and waits for the next boot; a reboot now would not lead to 10.2.4-h4.

    /ha/known/mode = "Active-Active"
    ha-mode fail: The high availability mode is Active-Active; hopgate upgrades active/passive pairs and single firewalls.

    /ha/known/mode = null
    ha-mode inconclusive: cannot tell: the device does not say which high availability mode it is in

    /ha/known/peer = null
    ha-states inconclusive: cannot tell: the device knows no peer

    /ha/known/peer/state = "non-functional"
    ha-states fail: This member is passive, its peer is non-functional.

    /ha/known/local/state = "active"
    ha-states fail: This member is active, its peer is active.

    /ha/known/peer/state = "passive"
    ha-states fail: This member is passive, its peer is passive.

    /ha/known/preemptive = true
    ha-preemption-off fail: Preemption is on; a member that comes back from its reboot would take the active role before it is checked.

    /ha/known/running_sync = "not synchronized"
    ha-configuration-in-sync fail: The running configuration is not synchronized.
    "#);
}

#[test]
fn what_is_usual_in_the_middle_of_an_upgrade_does_not_hold() {
    let older_peer = facts(&[
        ("/ha/known/local/state", json!("suspended")),
        ("/ha/known/local/reason", json!("Peer version too old")),
    ]);
    assert_eq!(said("readiness", &older_peer, Some(&usual_hop())), "");
    let suspended = facts(&[
        ("/ha/known/local/state", json!("suspended")),
        ("/ha/known/local/reason", json!("User requested")),
    ]);
    assert!(
        said("readiness", &suspended, Some(&usual_hop()))
            .starts_with("ha-states fail: This member is suspended (User requested)")
    );
    let ours = json!({"name": "sysroot1", "state": "PENDING-CHANGE", "version": "10.2.4-h4"});
    assert_eq!(
        said(
            "readiness",
            &facts(&[("/partitions/known/1", ours)]),
            Some(&usual_hop())
        ),
        ""
    );
}

#[test]
fn after_a_hop_the_device_must_be_well() {
    let auto_commit = |id: u32, status: &str, result: &str| {
        json!({"id": id, "kind": "AutoCom", "status": status, "result": result, "progress": null,
               "details": ["ID population failed", "Commit failed"]})
    };
    let cases: Vec<(&str, Value)> = vec![
        ("/jobs/known", json!([auto_commit(1, "FIN", "FAIL")])),
        (
            "/jobs/known",
            json!([auto_commit(2, "FIN", "OK"), auto_commit(1, "FIN", "FAIL")]),
        ),
        ("/jobs/known", json!([auto_commit(1, "ACT", "PEND")])),
        ("/ha/known/local/state", json!("suspended")),
        ("/ha/known/local/state", json!("initial")),
        ("/ha/known/local/state", json!("active")),
        ("/ha/known/peer", json!(null)),
        ("/disks/known/0/available_mb", json!(399)),
        ("/disks/known/0/available_mb", json!(400)),
        ("/disks/known/1/available_mb", json!(399)),
    ];
    let lines = cases.into_iter().map(|(pointer, value)| {
        format!(
            "{pointer} = {value}\n{}",
            said("after", &facts(&[(pointer, value.clone())]), None)
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n\n"), @r#"
    /jobs/known = [{"details":["ID population failed","Commit failed"],"id":1,"kind":"AutoCom","progress":null,"result":"FAIL","status":"FIN"}]
    auto-commit-succeeded fail: The automatic commit failed and no later one succeeded: ID population failed, Commit failed

    /jobs/known = [{"details":["ID population failed","Commit failed"],"id":2,"kind":"AutoCom","progress":null,"result":"OK","status":"FIN"},{"details":["ID population failed","Commit failed"],"id":1,"kind":"AutoCom","progress":null,"result":"FAIL","status":"FIN"}]
    auto-commit-at-once fail: Attempts of the automatic commit that failed before one succeeded: 1

    /jobs/known = [{"details":["ID population failed","Commit failed"],"id":1,"kind":"AutoCom","progress":null,"result":"PEND","status":"ACT"}]
    no-running-commit fail: A commit is still running: AutoCom

    /ha/known/local/state = "suspended"
    ha-in-service fail: This member is suspended; its peer must not be touched while it is.

    /ha/known/local/state = "initial"
    ha-in-service fail: This member is initial; its peer must not be touched while it is.

    /ha/known/local/state = "active"
    ha-one-active fail: This member is active and its peer is active; exactly one of them has to be active.

    /ha/known/peer = null
    ha-one-active inconclusive: cannot tell: the device knows no peer

    /disks/known/0/available_mb = 399
    disks-not-full@/ fail: / has 399 of 8000 MB left.

    /disks/known/0/available_mb = 400


    /disks/known/1/available_mb = 399
    disks-not-full@/opt/pancfg fail: /opt/pancfg has 399 of 4000 MB left.
    "#);
}

/// The optics of a device: a clone, a module that does not speak, a part known to be good, and two beyond the range.
fn mixed_optics() -> Value {
    json!([
        optic(2, "SFP-Fiber", Some("CLONE INC"), Some("SFP-1G-SX")),
        optic(5, "SFP-Fiber", Some("CLONE INC"), Some("SFP-1G-SX")),
        optic(6, "SFP-Fiber", None, None),
        optic(7, "SFP-Fiber", Some("OEM"), Some("PAN-SFP-LX")),
        optic(8, "SFP-Empty", None, None),
        optic(9, "SFP-Fiber", Some("CLONE INC"), Some("SFP-1G-SX")),
    ])
}

#[test]
fn optics_tells_who_is_exposed_port_by_port() {
    let on = |model: &str, release: &str| {
        facts(&[
            ("/system/known/model", json!(model)),
            ("/system/known/sw_version", json!(release)),
            ("/optics/known", mixed_optics()),
        ])
    };
    let planned = |to: &str| hop("9.1.16", to, &[to]);
    let cases = [
        ("PA-850", "9.1.16", None),
        ("PA-820", "10.2.6", Some("10.2.7")),
        ("PA-820", "9.1.16", Some("10.2.4-h4")),
        ("PA-820", "9.1.16", Some("10.0.12")),
        ("PA-850", "10.1.11-h1", None),
        ("PA-440", "10.1.3", None),
        ("PA-7050", "11.1.4", None),
        ("PA-5220", "10.2.4", Some("11.1.5")),
        ("PA-5220", "10.1.3", Some("10.2.4")),
    ];
    let lines = cases.map(|(model, release, to)| {
        let hop = to.map(planned);
        let findings = said("optics", &on(model, release), hop.as_ref());
        format!("{model} {release} -> {to:?}\n{findings}")
    });
    insta::assert_snapshot!(lines.join("\n\n"), @r#"
    PA-850 9.1.16 -> None
    PAN-221190@ethernet1/5 fail: ethernet1/5 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules: a PA-850 reboots again and again with an unsupported module in ports 5 to 8 (PAN-221190). It runs 9.1.16, and any release before the fix is exposed; fixed in 10.1.11-h1, 10.2.7 and 11.0.4.
    PAN-221190@ethernet1/6 inconclusive: cannot tell: the module in ethernet1/6 of this PA-850 does not say what it is

    PA-820 10.2.6 -> Some("10.2.7")


    PA-820 9.1.16 -> Some("10.2.4-h4")
    PAN-221190@ethernet1/5 fail: ethernet1/5 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules: a PA-820 reboots again and again with an unsupported module in ports 5 to 8 (PAN-221190). 10.2.4-h4 does not have the fix; fixed in 10.1.11-h1, 10.2.7 and 11.0.4.
    PAN-221190@ethernet1/6 inconclusive: cannot tell: the module in ethernet1/6 of this PA-820 does not say what it is

    PA-820 9.1.16 -> Some("10.0.12")
    PAN-221190-suspect@ethernet1/5 fail: ethernet1/5 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules. The notes list no fix of PAN-221190 for the train of 10.0.12: it may be exposed.
    PAN-221190-suspect@ethernet1/6 inconclusive: cannot tell: the module in ethernet1/6 of this PA-820 does not say what it is

    PA-850 10.1.11-h1 -> None


    PA-440 10.1.3 -> None


    PA-7050 11.1.4 -> None
    PAN-252131@ethernet1/2 fail: ethernet1/2 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules: an unsupported module can restart a PA-7050 (PAN-252131). It runs 11.1.4, and any release before the fix is exposed; fixed in 11.1.5.
    PAN-252131@ethernet1/5 fail: ethernet1/5 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules: an unsupported module can restart a PA-7050 (PAN-252131). It runs 11.1.4, and any release before the fix is exposed; fixed in 11.1.5.
    PAN-252131@ethernet1/6 inconclusive: cannot tell: the module in ethernet1/6 of this PA-7050 does not say what it is
    PAN-252131@ethernet1/9 fail: ethernet1/9 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules: an unsupported module can restart a PA-7050 (PAN-252131). It runs 11.1.4, and any release before the fix is exposed; fixed in 11.1.5.

    PA-5220 10.2.4 -> Some("11.1.5")


    PA-5220 10.1.3 -> Some("10.2.4")
    PAN-252131-suspect@ethernet1/2 fail: ethernet1/2 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules. The notes list no fix of PAN-252131 for the train of 10.2.4: it may be exposed.
    PAN-252131-suspect@ethernet1/5 fail: ethernet1/5 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules. The notes list no fix of PAN-252131 for the train of 10.2.4: it may be exposed.
    PAN-252131-suspect@ethernet1/6 inconclusive: cannot tell: the module in ethernet1/6 of this PA-5220 does not say what it is
    PAN-252131-suspect@ethernet1/9 fail: ethernet1/9 holds SFP-1G-SX by CLONE INC, which is not on the list of allowed modules. The notes list no fix of PAN-252131 for the train of 10.2.4: it may be exposed.
    "#);
}

#[test]
fn optics_nobody_could_read_hold_where_they_matter_and_only_there() {
    let unread = (
        "/optics",
        json!({"unknown": "a passive member could not read its modules"}),
    );
    let matters = facts(std::slice::from_ref(&unread));
    insta::assert_snapshot!(said("optics", &matters, Some(&usual_hop())), @r"
    PAN-221190 inconclusive: cannot tell: optics: a passive member could not read its modules
    PAN-221190-suspect inconclusive: cannot tell: optics: a passive member could not read its modules
    ");
    let other = facts(&[unread, ("/system/known/model", json!("PA-440"))]);
    assert_eq!(builtin("optics").evaluate(&other, Some(&usual_hop())), []);
}

fn playbook(checks: &str) -> Playbook {
    Playbook::parse(
        "own.yaml",
        &format!("playbook: own\ntitle: Own\nchecks:\n{checks}"),
    )
    .unwrap()
}

#[test]
fn one_bad_check_does_not_hide_another() {
    let own = playbook(
        r#"
  - {id: no-such-field, title: A, needs: [system], fail_when: dyn(system).modell == "x", severity: block, message: m}
  - {id: not-a-bool, title: B, needs: [system], fail_when: dyn(system.model), severity: block, message: m}
  - {id: not-a-list, title: C, needs: [system], for_each: dyn(system.model), fail_when: "true", severity: block, message: m}
  - {id: bad-when, title: D, needs: [system], when: dyn(system.model), fail_when: "false", severity: block, message: m}
  - {id: bad-message, title: E, needs: [system], fail_when: "true", severity: block, message: "{dyn(system).modell}"}
  - {id: bad-subject, title: F, needs: [system], fail_when: "true", subject: dyn(system).modell, severity: block, message: m}
  - {id: some-bad, title: G, for_each: "[1, 0, 2]", fail_when: 2 / item == 1, subject: item, severity: block, message: "{item}"}
  - {id: nothing-to-see, title: H, for_each: "[]", fail_when: "true", severity: block, message: m}
  - {id: needs-hop, title: I, needs: [hop], fail_when: hop.to == "1.1.1", severity: block, message: m}
  - {id: not-now, title: J, when: "false", fail_when: "true", severity: block, message: m}
  - {id: on-trial, title: K, fail_when: "true", severity: block, mode: observe, message: m}
  - {id: good, title: L, fail_when: "false", severity: block, message: m}
"#,
    );
    let findings = own.evaluate(&facts(&[]), None);
    let lines = findings.iter().map(|finding| {
        let subject = finding.subject.as_deref().unwrap_or("-");
        format!(
            "{} {subject} {} | {}",
            finding.check,
            json!(finding.verdict),
            finding.message
        )
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    no-such-field - {"inconclusive":{"missing":"`dyn(system).modell == \"x\"`: there is no `modell` in what the device answered"}} | cannot tell: `dyn(system).modell == "x"`: there is no `modell` in what the device answered
    not-a-bool - {"error":{"detail":"`dyn(system.model)` is string, not true or false"}} | the check does not work: `dyn(system.model)` is string, not true or false
    not-a-list - {"error":{"detail":"`dyn(system.model)` is string, not a list"}} | the check does not work: `dyn(system.model)` is string, not a list
    bad-when - {"error":{"detail":"`dyn(system.model)` is string, not true or false"}} | the check does not work: `dyn(system.model)` is string, not true or false
    bad-message - "fail" | E (`dyn(system).modell`: there is no `modell` in what the device answered)
    bad-subject (not nameable) "fail" | m
    some-bad 1 "pass" | G
    some-bad 0 {"error":{"detail":"`2 / item == 1`: Division by zero of Int(2)"}} | the check does not work: `2 / item == 1`: Division by zero of Int(2)
    some-bad 2 "fail" | 2
    nothing-to-see - "pass" | nothing to look at
    needs-hop - {"inconclusive":{"missing":"no hop is planned"}} | cannot tell: no hop is planned
    on-trial - "fail" | m
    good - "pass" | L
    "#);
    let Gate::Held { reasons } = Gate::of(&findings) else {
        panic!("the gate is open")
    };
    assert!(
        reasons
            .iter()
            .all(|finding| &*finding.check != "on-trial" && &*finding.check != "good")
    );
}

#[test]
fn a_broken_playbook_is_refused_with_the_place_and_the_nearest_name() {
    let whole = "playbook: own\ntitle: Own\nchecks:\n  - id: a\n    title: A\n    needs: [jobs]\n    \
                 fail_when: size(jobs) > 0\n    severity: block\n    message: m\n";
    assert!(Playbook::parse("own.yaml", whole).is_ok());
    let edits = [
        ("checks:", "chekcs:"),
        ("severity: block", "severity: blocking"),
        ("message: m", "mesage: m"),
        ("needs: [jobs]", "needs: [job]"),
        ("needs: [jobs]", "needs: []"),
        ("size(jobs) > 0", "siz(jobs) > 0"),
        ("size(jobs) > 0", "size(jbs) > 0"),
        ("size(jobs) > 0", "size(jobs) >"),
        ("message: m", "message: \"{size(jobs)\""),
        ("message: m", "message: m\n    as: job"),
        ("message: m", "message: m\n    for_each: jobs\n    as: system"),
        (
            "message: m",
            "message: m\n  - {id: a, title: B, fail_when: 'true', severity: info, message: m}",
        ),
        ("id: a", "id: a b"),
        ("playbook: own", "playbook: ''"),
        ("    fail_when: size(jobs) > 0\n", ""),
        ("title: Own", "title: [Own"),
        ("title: Own", "title: Own\ntitle: Twice"),
    ];
    let errors = edits.map(|(from, to)| {
        let text = whole.replacen(from, to, 1);
        assert_ne!(text, whole);
        Playbook::parse("own.yaml", &text).unwrap_err().to_string()
    });
    let empty = Playbook::parse("own.yaml", "playbook: own\ntitle: Own\nchecks: []").unwrap_err();
    insta::assert_snapshot!(format!("{}\n{empty}", errors.join("\n")), @r"
    reading playbook own.yaml, line 3, column 1: unknown key `chekcs`; the nearest is `checks`
    reading playbook own.yaml, line 8, column 15: unknown value `blocking`; the nearest is `block`
    reading playbook own.yaml, line 9, column 5: unknown key `mesage`; the nearest is `message`
    reading playbook own.yaml, line 6, column 13: unknown area `job`; the nearest is `jobs`
    checking playbook own.yaml, line 4, column 9: check a uses `jobs` and does not list it under `needs`: `size(jobs) > 0`
    reading playbook own.yaml, line 7, column 16: check a, `fail_when: siz(jobs) > 0`: there is no function `siz`; the nearest is `size`
    reading playbook own.yaml, line 7, column 21: check a, `fail_when: size(jbs) > 0`: there is no variable `jbs`; the nearest is `jobs`
    reading playbook own.yaml, line 7, column 28: check a, `fail_when: size(jobs) >`: it ends too early
    reading playbook own.yaml, line 9, column 15: check a, `message: {size(jobs)`: a `{` is never closed; write `{{` for a brace
    checking playbook own.yaml, line 10, column 9: `as` names the element of a `for_each`, and there is none
    checking playbook own.yaml, line 11, column 9: `as` must be made of small letters and underscores, and not be the name of an area
    checking playbook own.yaml, line 10, column 10: check a stands at line 4 already
    checking playbook own.yaml, line 4, column 9: the id is not made of letters, digits and dashes
    checking playbook own.yaml, line 1, column 11: the name is not made of letters, digits and dashes
    reading playbook own.yaml, line 4, column 9: check a has no `fail_when`
    reading playbook own.yaml, line 2, column 8: a text is expected here; one that begins with a bracket or a brace stands in quotes
    reading playbook own.yaml, line 3, column 1: the key `title` stands twice
    checking playbook own.yaml, line 1, column 11: a playbook without checks would let everything pass
    ");
}

#[test]
fn playbooks_can_be_shared_between_tasks() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Playbook>();
}

#[test]
fn settings_are_typed_and_named() {
    let network = || builtin("network");
    let told = |error: SettingError| error.to_string();
    let chosen = BTreeMap::from([("tunnels".to_owned(), Setting::Number(1))]);
    let said = [
        network().with_typed("tunnel", "a").map_err(told).unwrap_err(),
        network()
            .with_typed("errors_per_million", "many")
            .map_err(told)
            .unwrap_err(),
        network()
            .with_typed("require_all_active", "yes")
            .map_err(told)
            .unwrap_err(),
        network().with(&chosen).map_err(told).unwrap_err(),
        builtin("after").with_typed("x", "1").map_err(told).unwrap_err(),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    setting tunnel of playbook network: there is none; the nearest is tunnels
    setting errors_per_million of playbook network: "many" is not a whole number
    setting require_all_active of playbook network: "yes" is not true or false
    setting tunnels of playbook network: "1" is not a list of texts
    setting x of playbook after: there is none; it has no settings
    "#);
    let network = network().with_typed("tunnels", "a, b").unwrap();
    assert_eq!(network.settings()["tunnels"].to_string(), "a,b");
}

#[test]
fn a_question_is_asked_once_and_only_where_its_settings_say_what() {
    let network = builtin("network");
    assert_eq!(network.ask("session_table"), None);
    assert_eq!(network.ask("nothing"), None);
    assert!(network.asks().is_empty());
    let mut network = network;
    for (name, value) in [
        ("session_source", "10.0.0.1"),
        ("session_destination", "a<b"),
        ("session_port", "443"),
    ] {
        network = network.with_typed(name, value).unwrap();
    }
    let ask = network.ask("session_table").unwrap();
    assert_eq!(network.asks().len(), 1);
    assert_eq!(
        ask.to_string(),
        "<show><session><all><filter><source>10.0.0.1</source><destination>a&lt;b</destination>\
         <destination-port>443</destination-port></filter></all></session></show>"
    );
}

#[test]
fn mistakes_are_told_all_at_once_with_place_and_what_the_facts_look_like() {
    let text = r#"playbook: own
title: Own
params:
  Limit: 1
  limit: 5
ask:
  raid: {command: show system raid, read: xlm}
  system: {command: show jobs all, read: xml}
  reboot: {command: request restart system, read: xml}
  both: {command: show jobs all, config: /config/x, read: xml}
  wide: {command: show jobs all, read: xml, columns: [a]}
  open: {command: "show jobs id {limt}", read: xml}
checks:
  - id: a
    title: A
    needs: [system, raidd]
    fail_when: >-
      system.model == "PA-850"
      && system.sw_versoin != ""
    severity: block
    message: "{params.limits} {system.model}"
  - id: b
    title: B
    needs: [jobs]
    for_each: jobs
    as: params
    fail_when: size(jobs)
    severity: block
    message: m
  - id: c
    title: C
    for_each: now
    fail_when: "true"
    severity: info
    message: m
"#;
    let said: Vec<_> = Playbook::lint("own.yaml", text)
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    checking playbook own.yaml, line 4, column 10: `Limit`: a setting is named with small letters, digits and underscores
    reading playbook own.yaml, line 7, column 43: unknown reading `xlm`; the nearest is `xml`
    checking playbook own.yaml, line 8, column 11: `system`: a question is named with small letters, digits and underscores, and not like an area
    checking playbook own.yaml, line 9, column 21: a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
    checking playbook own.yaml, line 10, column 9: a question is either a `command` or a path under `config`
    checking playbook own.yaml, line 11, column 40: `columns` are those of a `table`
    reading playbook own.yaml, line 12, column 34: unknown setting `limt`; the nearest is `limit`
    reading playbook own.yaml, line 16, column 21: unknown area `raidd`; the nearest is `raid`
    reading playbook own.yaml, line 19, column 17: check a, `fail_when: system.model == "PA-850" && system.sw_versoin != ""`: `system` has no `sw_versoin`; the nearest is `sw_version`. It is a record of app_version (text), hostname (text), model (text), multi_vsys (true/false), operational_mode (or null), serial (text), sw_version (text), uptime_seconds (number)
    reading playbook own.yaml, line 21, column 23: check a, `message: {params.limits} {system.model}`: `params` has no `limits`; the nearest is `limit`. It is a record of limit (number)
    checking playbook own.yaml, line 26, column 9: `as` must be made of small letters and underscores, and not be the name of an area
    reading playbook own.yaml, line 27, column 16: check b, `fail_when: size(jobs)`: it is a number, not true or false
    reading playbook own.yaml, line 32, column 15: check c, `for_each: now`: it is a text, not a list
    "#);
    assert_eq!(
        Playbook::parse("own.yaml", text).unwrap_err().to_string(),
        said[0]
    );
}

#[test]
fn a_check_that_looks_at_too_much_is_an_error_and_not_a_long_wait() {
    let own = playbook(
        r#"
  - {id: many, title: A, needs: [jobs], for_each: jobs, fail_when: "false", severity: block, message: m}
  - {id: much, title: B, needs: [jobs], fail_when: "jobs.exists(a, jobs.exists(b, a.kind == b.kind && a.status == 'x'))", severity: block, message: m}
  - {id: long, title: C, needs: [jobs], fail_when: size(jobs) > 0, severity: block, message: "{jobs.map(job, job.kind)}"}
"#,
    );
    let job = json!({"id": null, "kind": "Commit", "status": "FIN", "result": "OK", "progress": null, "details": []});
    let jobs = facts(&[("/jobs/known", Value::Array(vec![job; 10_001]))]);
    let findings = own.evaluate(&jobs, None);
    let said: Vec<_> = findings.iter().map(|finding| &*finding.message).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    the check does not work: `jobs` has 10001 things to look at; 10000 are the most
    the check does not work: `jobs.exists(a, jobs.exists(b, a.kind == b.kind && a.status == 'x'))`: it takes too many steps; look at fewer things, or filter them first
    Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, Commit, and 9981 more
    ");
}

/// 10,000 neighbours, and 100,000 routes that each of them names: a thousand million values, were they copied.
#[test]
fn what_a_check_says_of_a_large_table_is_not_copied_for_each_thing() {
    let own = playbook(
        r#"
  - {id: said, title: A, needs: [arp, routes], for_each: arp, as: one, subject: routes, fail_when: "true", severity: block, message: "{one.address} {routes}"}
  - {id: kind, title: B, needs: [arp, routes], for_each: arp, as: one, fail_when: dyn(routes), severity: block, message: m}
  - {id: sum, title: C, needs: [arp, routes], for_each: arp, as: one, fail_when: dyn(routes) - 1 == 0, severity: block, message: m}
  - {id: at, title: D, needs: [arp, routes], for_each: arp, as: one, fail_when: 'dyn(routes)[0.5] == 0', severity: block, message: m}
"#,
    );
    let route = json!({"virtual_router": "default", "table": null, "destination": "192.0.2.0/24", "next_hop": "192.0.2.1",
        "interface": null, "metric": 10, "flags": ["A"], "age": null});
    let neighbour = json!({"dataplane": null, "interface": "ethernet1/1", "address": "192.0.2.7", "mac": null, "port": null,
        "status": null, "ttl": null});
    let mut much = facts(&[]);
    let route: crate::Route = serde_json::from_value(route).unwrap();
    let neighbour: crate::ArpEntry = serde_json::from_value(neighbour).unwrap();
    much.routes = Fact::Known(vec![route; 100_000]);
    much.arp = Fact::Known(vec![neighbour; 10_000]);
    let findings = own.evaluate(&much, None);
    assert_eq!(findings.len(), 40_000);
    let said = findings.iter().map(|finding| {
        let message: String = finding.message.chars().take(140).collect();
        format!("{}: {message}", finding.check)
    });
    let mut said: Vec<String> = said.collect();
    said.dedup();
    insta::assert_snapshot!(said.join("\n"), @r#"
    said: 192.0.2.7 {"age":null,"destination":"192.0.2.0/24","flags":["A"],"interface":null,"metric":10,"next_hop":"192.0.2.1","table":null,"virtual_r
    said: the check does not work: `true`: it takes too many steps; look at fewer things, or filter them first
    kind: the check does not work: `dyn(routes)` is list, not true or false
    sum: the check does not work: `dyn(routes) - 1 == 0`: it takes too many steps; look at fewer things, or filter them first
    at: the check does not work: `dyn(routes)[0.5] == 0`: Error executing function '[]': what stands in the brackets is neither a whole number nor a
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = Playbook::parse("own.yaml", &text);
    }

    /// A library file with a piece cut out or doubled, which is close enough to a playbook to get far.
    #[test]
    fn no_damaged_playbook_makes_the_reader_or_a_run_panic(
        which in 0..LIBRARY.len(), at in any::<prop::sample::Index>(), length in 1..200usize, doubled in any::<bool>(),
    ) {
        let letters: Vec<char> = LIBRARY[which].2.chars().collect();
        let start = at.index(letters.len());
        let end = (start + length).min(letters.len());
        let resume = if doubled { start } else { end };
        let text: String = letters[..if doubled { end } else { start }].iter().chain(&letters[resume..]).collect();
        if let Ok(playbook) = Playbook::parse("own.yaml", &text) {
            let _ = playbook.evaluate(&facts(&[]), Some(&usual_hop()));
            let _ = playbook.evaluate(&Facts::unread("fw1", Timestamp::UNIX_EPOCH), None);
        }
    }
}

#[test]
fn a_check_that_trips_is_a_finding_and_hides_no_other() {
    let playbook = Playbook::builtin("readiness").unwrap().unwrap();
    let check = &playbook.checks[0];
    let found = by_itself(check, || panic!("index {} of nothing", 7));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].check, check.id);
    insta::assert_snapshot!(found[0].message, @"the check could not be run: it tripped hopgate (index 7 of nothing)");
    assert!(found[0].holds(), "it holds a gate: what tripped has not passed");
}

#[test]
fn a_refused_question_or_setting_is_told_once_and_not_again_where_it_is_used() {
    let text = r#"playbook: own
title: Own
params:
  Limit: 1
ask:
  cfg: {command: request restart system, read: xml}
  raid: {command: "show system raid {Limit}", read: xlm}
checks:
  - id: a
    title: A
    needs: [cfg, raid, jobs]
    for_each: jobs
    as: system
    fail_when: size(cfg) > params.Limit && raid.all(disk, disk.state == system.anything)
    severity: block
    message: m
"#;
    let said: Vec<_> = Playbook::lint("own.yaml", text)
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    checking playbook own.yaml, line 4, column 10: `Limit`: a setting is named with small letters, digits and underscores
    checking playbook own.yaml, line 6, column 18: a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
    reading playbook own.yaml, line 7, column 53: unknown reading `xlm`; the nearest is `xml`
    checking playbook own.yaml, line 13, column 9: `as` must be made of small letters and underscores, and not be the name of an area
    ");
}

#[test]
fn what_is_not_cel_is_told_at_its_place_however_it_is_written() {
    let text = r#"playbook: own
title: Own
checks:
  - id: plain
    title: A
    fail_when: 1 = 2
    severity: block
    message: "ä {1 + 1} {1 +} m"
  - id: folded
    title: A
    fail_when: >-
      1 == 1
      && 2 = 2
    severity: block
    message: m
  - id: kept
    title: A
    when: |
      1 == 1 &&
        (true
    fail_when: 1 == 1
      &&
    severity: block
    message: m
  - {id: quoted, title: A, when: "\"a\" = 'b'", fail_when: '''a'' = "b"', severity: block, message: m}
  - {id: hidden, title: A, fail_when: "'\x41' = 'b'", severity: block, message: m}
"#;
    let said: Vec<_> = Playbook::lint("own.yaml", text)
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    reading playbook own.yaml, line 6, column 18: check plain, `fail_when: 1 = 2`: `=` is not expected here; write `==`
    reading playbook own.yaml, line 8, column 29: check plain, `message: ä {1 + 1} {1 +} m`: it ends too early
    reading playbook own.yaml, line 13, column 12: check folded, `fail_when: 1 == 1 && 2 = 2`: `=` is not expected here; write `==`
    reading playbook own.yaml, line 20, column 9: check kept, `when: 1 == 1 && (true`: the `(` is never closed
    reading playbook own.yaml, line 22, column 9: check kept, `fail_when: 1 == 1 &&`: it ends too early
    reading playbook own.yaml, line 25, column 41: check quoted, `when: "a" = 'b'`: `=` is not expected here; write `==`
    reading playbook own.yaml, line 25, column 67: check quoted, `fail_when: 'a' = "b"`: `=` is not expected here; write `==`
    reading playbook own.yaml, line 26, column 39: check hidden, `fail_when: 'A' = 'b'`: `=` is not expected here; write `==`
    "#);
}

#[test]
fn a_wrong_word_or_key_hides_no_other_mistake() {
    let text = r#"playbook: own
titel: Own
title: Own
ask:
  raid: {command: show system raid, raed: xml}
  cfg: {comand: show jobs all, read: xml}
owner: me
checks:
  - id: a
    title: A
    needs: [jobbs, dsks]
    fail_when: siz(jbs) > 0
    severity: wran
    mode: obsrve
    mesage: "{system.modell} and {system.serail}"
  - title: B
    needs: [jobs]
    fail_when: jobs.exists(job, job.kynd == '' || job.state == '')
    severity: block
    message: "{jbos} {1 = 2} {"
    extra: {nested: [1, 2]}
  - id: c
    title: C
    fail_when: size(jobs) > 0 || size(disks) > 0
    message: "{disks}"
"#;
    let said: Vec<_> = Playbook::lint("own.yaml", text)
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    reading playbook own.yaml, line 2, column 1: unknown key `titel`; the nearest is `title`
    reading playbook own.yaml, line 5, column 37: unknown key `raed`; the nearest is `read`
    reading playbook own.yaml, line 6, column 9: unknown key `comand`; the nearest is `command`
    reading playbook own.yaml, line 7, column 1: unknown key `owner`; the nearest is `title`
    reading playbook own.yaml, line 11, column 13: unknown area `jobbs`; the nearest is `jobs`
    reading playbook own.yaml, line 11, column 20: unknown area `dsks`; the nearest is `disks`
    reading playbook own.yaml, line 12, column 16: check a, `fail_when: siz(jbs) > 0`: there is no function `siz`; the nearest is `size`
    reading playbook own.yaml, line 12, column 20: check a, `fail_when: siz(jbs) > 0`: there is no variable `jbs`; the nearest is `jobs`
    reading playbook own.yaml, line 13, column 15: unknown value `wran`; the nearest is `warn`
    reading playbook own.yaml, line 14, column 11: unknown value `obsrve`; the nearest is `observe`
    reading playbook own.yaml, line 15, column 5: unknown key `mesage`; the nearest is `message`
    reading playbook own.yaml, line 16, column 5: check #2 has no `id`
    reading playbook own.yaml, line 18, column 37: check #2, `fail_when: jobs.exists(job, job.kynd == '' || job.state == '')`: `job` has no `kynd`; the nearest is `kind`. It is a record of details (list), id (or null), kind (text), progress (or null), result (text), status (text)
    reading playbook own.yaml, line 18, column 55: check #2, `fail_when: jobs.exists(job, job.kynd == '' || job.state == '')`: `job` has no `state`; the nearest is `status`. It is a record of details (list), id (or null), kind (text), progress (or null), result (text), status (text)
    reading playbook own.yaml, line 20, column 16: check #2, `message: {jbos} {1 = 2} {`: there is no variable `jbos`; the nearest is `jobs`
    reading playbook own.yaml, line 20, column 25: check #2, `message: {jbos} {1 = 2} {`: `=` is not expected here; write `==`
    reading playbook own.yaml, line 20, column 30: check #2, `message: {jbos} {1 = 2} {`: a `{` is never closed; write `{{` for a brace
    reading playbook own.yaml, line 21, column 5: unknown key `extra`; the nearest is `title`
    reading playbook own.yaml, line 22, column 9: check c has no `severity`
    checking playbook own.yaml, line 22, column 9: check c uses `jobs` and does not list it under `needs`: `size(jobs) > 0 || size(disks) > 0`
    checking playbook own.yaml, line 22, column 9: check c uses `disks` and does not list it under `needs`: `size(jobs) > 0 || size(disks) > 0`
    ");
}

/// What people write first, and YAML takes for something else.
#[test]
fn a_value_of_another_kind_is_told_in_plain_words() {
    let whole = "playbook: own\ntitle: Own\nparams:\n  a: 1\nchecks:\n  - id: a\n    title: A\n    needs: [jobs]\n    \
                 fail_when: size(jobs) > 0\n    severity: block\n    message: m\n";
    assert_eq!(Playbook::lint("own.yaml", whole), []);
    let none_chosen = whole.replacen("params:\n  a: 1", "params:\nask:", 1);
    assert_eq!(Playbook::lint("own.yaml", &none_chosen), []);
    let edits = [
        ("needs: [jobs]", "needs: jobs"),
        ("message: m", "message: {size(jobs)} left"),
        ("message: m", "message: {size(jobs)}"),
        ("message: m", "message: left: {size(jobs)}"),
        ("message: m", "message: \"m"),
        ("message: m", "message: [m]"),
        ("message: m", "message:"),
        ("size(jobs) > 0", "!size(jobs)"),
        ("message: m", "message: m\n    when: !system.multi_vsys"),
        ("severity: block", "severity: [block]"),
        ("severity: block", "severity:block"),
        ("  - id: a", "    id: a"),
        ("    title: A", "   title: A"),
        ("    title: A", "\ttitle: A"),
        ("  a: 1", "  a: 1.5"),
        ("  a: 1", "  a: {b: 1}"),
        ("  a: 1", "  a:"),
        ("params:", "params: 7"),
        ("  - id: a", "  - text\n  - id: a"),
        ("playbook: own", "- playbook: own"),
        ("playbook: own", "---\nplaybook: own\n---"),
    ];
    let said = edits.map(|(from, to)| {
        let text = whole.replacen(from, to, 1);
        assert_ne!(text, whole, "{to}");
        let mistakes = Playbook::lint("own.yaml", &text);
        let mistakes: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        format!("{to:?}\n    {}", mistakes.join("\n    "))
    });
    insta::assert_snapshot!(said.join("\n"), @r#"
    "needs: jobs"
        reading playbook own.yaml, line 8, column 12: a list is expected here: `[one, two]`, or lines that begin with a dash
    "message: {size(jobs)} left"
        reading playbook own.yaml, line 11, column 14: a text is expected here; one that begins with a bracket or a brace stands in quotes
    "message: {size(jobs)}"
        reading playbook own.yaml, line 11, column 14: a text is expected here; one that begins with a bracket or a brace stands in quotes
    "message: left: {size(jobs)}"
        reading playbook own.yaml, line 11, column 18: a second `: ` on a line makes another key; put the text in quotes
    "message: \"m"
        reading playbook own.yaml, line 12, column 1: a quote before this line is never closed
    "message: [m]"
        reading playbook own.yaml, line 11, column 14: a text is expected here; one that begins with a bracket or a brace stands in quotes
    "message:"
        reading playbook own.yaml, line 11, column 5: nothing stands under `message`; what begins with `!`, `&` or `#` stands in quotes
    "!size(jobs)"
        reading playbook own.yaml, line 9, column 5: nothing stands under `fail_when`; what begins with `!`, `&` or `#` stands in quotes
    "message: m\n    when: !system.multi_vsys"
        reading playbook own.yaml, line 12, column 5: nothing stands under `when`; what begins with `!`, `&` or `#` stands in quotes
    "severity: [block]"
        reading playbook own.yaml, line 10, column 15: a text is expected here; one that begins with a bracket or a brace stands in quotes
    "severity:block"
        reading playbook own.yaml, line 10, column 5: a key is followed by `:` and a blank
    "    id: a"
        reading playbook own.yaml, line 6, column 5: a list is expected here: `[one, two]`, or lines that begin with a dash
    "   title: A"
        reading playbook own.yaml, line 7, column 4: the line is not indented as those it belongs to
    "\ttitle: A"
        reading playbook own.yaml, line 6, column 9: a tab indents nothing; indent with blanks
    "  a: 1.5"
        reading playbook own.yaml, line 4, column 6: 1.5 is not a whole number
    "  a: {b: 1}"
        reading playbook own.yaml, line 4, column 6: invalid type: map, expected a whole number, a text, true or false, or a list of texts
    "  a:"
        reading playbook own.yaml, line 4, column 4: a setting needs a value; an empty text is "", an empty list []
    "params: 7"
        reading playbook own.yaml, line 3, column 9: keys with values are expected here: `key: value`
    "  - text\n  - id: a"
        reading playbook own.yaml, line 6, column 5: keys with values are expected here: `key: value`
    "- playbook: own"
        reading playbook own.yaml, line 1, column 1: keys with values are expected here: `key: value`
    "---\nplaybook: own\n---"
        reading playbook own.yaml, line 4, column 1: another document begins here; a file has one
    "#);
}
