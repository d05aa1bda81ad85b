//! What people read, and what is stored: every variant once, in words and in JSON. A variant that is not in here fails.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::scripted::{enrolment, opens, two_hops, version};
use crate::device::{Action, Event, How, Permit};
use crate::halt::HaltReason;
use crate::plan::tests::hop;
use crate::waiting::{Hold, PeerWait};
use crate::watchdog::{Boot, Reach};

/// The names under which an enum's variants are stored, as its own decoder lists them.
pub(crate) fn variants<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>("\"no such variant\"") else {
        panic!("decoded nonsense")
    };
    let text = error.to_string();
    let names: BTreeSet<String> = text.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(names.len() > 2, "{text}");
    names
}

/// The name a value is stored under.
pub(crate) fn stored_name<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value).unwrap() {
        serde_json::Value::String(name) => name,
        serde_json::Value::Object(fields) => fields.keys().next().unwrap().clone(),
        other => panic!("stored as {other}"),
    }
}

pub(crate) fn all_are_here<T: DeserializeOwned + serde::Serialize>(samples: &[T]) {
    let here: BTreeSet<String> = samples.iter().map(stored_name).collect();
    assert_eq!(here, variants::<T>());
}

/// One line a sample, and proof that what is stored is read back as it was.
pub(crate) fn stored<T>(samples: &[T]) -> String
where
    T: serde::Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let lines = samples.iter().map(|sample| {
        let json = serde_json::to_string(sample).unwrap();
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *sample);
        json
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) fn spoken<T: std::fmt::Display>(samples: &[T]) -> String {
    samples.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}

pub(super) fn events() -> Vec<Event> {
    let (install, restart) = (Action::Install(version("10.2.0")), Action::Restart);
    let words = || "the device's words".to_owned();
    let version = version("10.2.0");
    let seen = "this member passive, peer active by its own word and active by this one's".to_owned();
    vec![
        Event::Enrolled(Box::new(enrolment(two_hops(), Some("fw2")))),
        Event::PermitReceived(Permit {
            id: 3,
            hop: 0,
            reboot_by: opens(),
        }),
        Event::Held(Hold::StoodDown {
            staged: Some(version),
        }),
        Event::StandDownAsked {
            because: "campaign halted by hopgate/spring/fw7/hop-0/0/boot-loop".to_owned(),
        },
        Event::PickedUp,
        Event::FoundThere { version },
        Event::ChecksPassed {
            passed: 14,
            warnings: Vec::new(),
        },
        Event::ChecksPassed {
            passed: 13,
            warnings: vec!["uptime: up for 400 days".to_owned()],
        },
        Event::BackedUp {
            blob: "c0ffee".repeat(10),
            bytes: 48_213,
            snapshot: None,
        },
        Event::BackedUp {
            blob: "c0ffee".repeat(10),
            bytes: 48_213,
            snapshot: Some("facade".repeat(10)),
        },
        Event::Intended {
            action: restart,
            attempt: 1,
        },
        Event::Intended {
            action: install,
            attempt: 2,
        },
        Event::Accepted {
            action: install,
            job: Some(7),
        },
        Event::Accepted {
            action: restart,
            job: None,
        },
        Event::Refused {
            action: Action::Suspend,
            text: words(),
        },
        Event::Unanswered {
            action: restart,
            why: "no answer within 60 s".to_owned(),
        },
        Event::FoundUndone {
            action: Action::Download(version),
        },
        Event::JobEnded {
            action: install,
            job: 7,
            ok: true,
            detail: words(),
        },
        Event::JobEnded {
            action: install,
            job: 7,
            ok: false,
            detail: words(),
        },
        Event::ImagesReady { how: How::Done },
        Event::ImagesReady { how: How::AlreadySo },
        Event::Staged {
            version,
            how: How::Done,
        },
        Event::Staged {
            version,
            how: How::AlreadySo,
        },
        Event::FailoverProved { seen: seen.clone() },
        Event::FailoverFailed { seen },
        Event::PuttingBack,
        Event::Restored,
        Event::RestartNotTaken,
        Event::WentBack { version },
        Event::Seen(Reach::Answering),
        Event::Seen(Reach::Starting),
        Event::Seen(Reach::Dark),
        Event::BootSeen(Boot { at: opens(), version }),
        Event::SlowBoot { minutes: 26 },
        Event::BackInService { boots: 1 },
        Event::BackInService { boots: 2 },
        Event::HaSettled {
            state: "passive".to_owned(),
        },
        Event::HopEnded {
            hop: 0,
            version,
            how: How::Done,
            passed: 9,
            warnings: Vec::new(),
        },
        Event::HopEnded {
            hop: 0,
            version,
            how: How::Done,
            passed: 8,
            warnings: vec!["routes: route 10.1.0.0/16 of default: gone".to_owned()],
        },
        Event::HopEnded {
            hop: 1,
            version,
            how: How::AlreadySo,
            passed: 9,
            warnings: Vec::new(),
        },
        Event::Halted {
            reason: HaltReason::BootLoop {
                boots: 3,
                dark_spells: 4,
            },
            evidence: vec!["boot 1 at 22:06".to_owned()],
        },
        Event::Resumed {
            by: "nora".parse().unwrap(),
            reason: "replaced the optic".to_owned(),
        },
    ]
}

pub(crate) fn holds() -> Vec<Hold> {
    let wave = || "rest".parse().unwrap();
    let peer = |because| Hold::Peer {
        peer: "fw2".parse().unwrap(),
        because,
    };
    let version = version("10.2.0");
    let until = opens();
    vec![
        Hold::Permit,
        Hold::Wave { behind: wave() },
        Hold::Approval { wave: wave() },
        Hold::Soak { wave: wave(), until },
        Hold::Concurrency { limit: 1 },
        Hold::Concurrency { limit: 4 },
        Hold::WindowOpens { at: until },
        Hold::WindowTooShort {
            needs_min: 160,
            closes: until,
        },
        peer(PeerWait::Working),
        peer(PeerWait::Behind),
        peer(PeerWait::PassiveFirst),
        peer(PeerWait::RolesUnknown),
        peer(PeerWait::Halted),
        Hold::CampaignHalted {
            incident: "hopgate/spring/fw7/hop-0/0/boot-loop".to_owned(),
        },
        Hold::DeviceHalted {
            device: "fw7".parse().unwrap(),
        },
        Hold::StoodDown { staged: None },
        Hold::StoodDown {
            staged: Some(version),
        },
        Hold::Gate {
            reasons: vec!["disk: 1 GB free, 3 GB needed".to_owned()],
            until,
        },
        Hold::Unreadable {
            step: "checking".to_owned(),
            why: "no route".to_owned(),
            until: Some(until),
        },
        Hold::Unreadable {
            step: "checking".to_owned(),
            why: "Invalid Credential".to_owned(),
            until: None,
        },
        Hold::Drifted {
            expected: version,
            found: "10.2.7".parse().unwrap(),
        },
        Hold::OtherReleaseStaged { found: version },
        Hold::OtherDevice {
            expected: "0011".to_owned(),
            found: "0022".to_owned(),
        },
        Hold::PeerNotNamed,
        Hold::ImageNotOffered { version },
        Hold::PeerNotReady {
            found: "the peer could not be asked: no route".to_owned(),
            until,
        },
    ]
}

pub(crate) fn reasons() -> Vec<HaltReason> {
    let words = || "the device's words".to_owned();
    let version = version("10.2.0");
    vec![
        HaltReason::BootLoop {
            boots: 3,
            dark_spells: 4,
        },
        HaltReason::NotBack {
            minutes: 45,
            last_seen: "dark since the restart".to_owned(),
        },
        HaltReason::WrongRelease {
            expected: version,
            found: "10.1.14".parse().unwrap(),
        },
        HaltReason::RestartIgnored { attempts: 3 },
        HaltReason::HaNotSettled {
            found: "suspended (Peer version too old)".to_owned(),
        },
        HaltReason::AfterChecks {
            reasons: vec!["routes: 3 are missing".to_owned()],
        },
        HaltReason::InstallFailed { detail: words() },
        HaltReason::FetchFailed { detail: words() },
        HaltReason::NoProgress {
            step: "installing".to_owned(),
            minutes: 35,
            last: "job 7 SWInstall ACT/PEND 55%".to_owned(),
        },
        HaltReason::FailoverNotProved {
            found: "this member suspended, peer passive".to_owned(),
        },
        HaltReason::Refused {
            action: "suspend HA".to_owned(),
            text: words(),
        },
        HaltReason::Untrusted {
            detail: "expected SHA-256 aa, found SHA-256 bb".to_owned(),
        },
    ]
}

#[test]
fn every_event_in_words() {
    all_are_here(&events());
    assert!(events().iter().all(|event| stored_name(event) == event.name()));
    insta::assert_snapshot!(spoken(&events()), @"
    enrolled in spring: PA-850, 10.1.14 -> 10.2.0 -> 10.2.7
    may do hop 1 (restart by 2026-03-07T22:00:00Z)
    waits: stood down before the restart; 10.2.0 is installed and starts with the next boot
    asked to come to rest: campaign halted by hopgate/spring/fw7/hop-0/0/boot-loop
    hopgate came back and picks up here
    runs 10.2.0 already
    checks before the hop: 14 passed
    checks before the hop: 13 passed, to know: uptime: up for 400 days
    configuration backed up, 48213 bytes, c0ffeec0ffee
    configuration backed up, 48213 bytes, c0ffeec0ffee; its state kept to compare with
    about to restart
    about to install 10.2.0, attempt 2
    took the request to install 10.2.0: job 7
    took the request to restart
    refused to suspend HA: the device's words
    no answer to the request to restart (no answer within 60 s); looking before anything else
    the request to download 10.2.0 had no effect
    job 7 to install 10.2.0 ended OK
    job 7 to install 10.2.0 ended FAIL: the device's words
    all images of the hop are on the device
    all images of the hop were on the device already
    10.2.0 is installed and starts with the next boot
    10.2.0 was installed already
    the peer serves: this member passive, peer active by its own word and active by this one's
    the peer did not take over: this member passive, peer active by its own word and active by this one's; putting this member back
    comes to rest after the suspend: putting this member back
    full member of its pair again, not restarted
    kept running: the restart was not taken
    was put back on 10.2.0 by hand; the hop starts over
    the API answers
    something answers, not the API yet
    dark
    booted 10.2.0 at 2026-03-07T22:00:00Z
    slow: 26 min since the restart
    back: expected release, auto-commit ended
    back after 2 boots: expected release, auto-commit ended
    HA settled: passive
    hop 1 done: runs 10.2.0, 9 checks after it passed
    hop 1 done: runs 10.2.0, 8 checks after it passed, to know: routes: route 10.1.0.0/16 of default: gone
    hop 2 was done already: runs 10.2.0
    HALTED: boot loop: 3 boots seen, went dark 4 times, no auto-commit ever finished
    resumed by nora: replaced the optic
    ");
}

#[test]
fn every_hold_in_words() {
    all_are_here(&holds());
    insta::assert_snapshot!(spoken(&holds()), @"
    ready; the campaign has not granted the next hop yet
    its wave opens when wave rest is finished
    wave rest needs an approval (hopgate approve)
    wave rest is being watched until 2026-03-07T22:00:00Z
    another device is under way, and the wave allows one at once
    4 devices are under way, which is the wave's limit
    the change window opens at 2026-03-07T22:00:00Z
    the hop and its way back may take 160 min and the window closes at 2026-03-07T22:00:00Z
    its HA peer fw2 is under way; never both
    its HA peer fw2 has to finish the same hop first
    its HA peer fw2 is passive and goes first
    the HA roles of it and fw2 are being read
    its HA peer fw2 waits for a person; look there first
    the campaign is halted by hopgate/spring/fw7/hop-0/0/boot-loop; nothing new starts until hopgate resume
    fw7 is halted; hopgate why fw7 says what to do
    stood down at a safe place, nothing is staged
    stood down before the restart; 10.2.0 is installed and starts with the next boot
    checks hold it, next try at 2026-03-07T22:00:00Z: disk: 1 GB free, 3 GB needed
    it could not be read while checking (no route); next try at 2026-03-07T22:00:00Z
    it could not be read while checking (Invalid Credential); resume when the cause is cleared
    it runs 10.2.7 where the approved plan says 10.2.0; plan again or put it back, then resume
    10.2.0 is staged for the next boot, which is not this hop's release; clear it, then resume
    serial number 0022 answers where the plan says 0011; put the address right, then resume
    HA is switched on and the inventory names no peer; plan the pair, with both peers named, as a new campaign
    the update server does not offer 10.2.0 to it; resume when it does
    its HA peer cannot be shown to take over (the peer could not be asked: no route); next try at 2026-03-07T22:00:00Z
    ");
}

#[test]
fn every_halt_in_words_with_its_code_and_what_to_do() {
    all_are_here(&reasons());
    let lines = reasons();
    let lines = lines
        .iter()
        .map(|reason| format!("{}: {reason}\n  -> {}", reason.code(), reason.next_step()));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    boot-loop: boot loop: 3 boots seen, went dark 4 times, no auto-commit ever finished
      -> do not power-cycle it (a TPM lockout can hold it down for a day); look at its console and its optics
    not-back: not back 45 min after the restart; last seen: dark since the restart
      -> look at its console; 22 open with 443 closed means maintenance mode, nothing at all means POST or power
    wrong-release: came back on 10.1.14 where 10.2.0 was installed
      -> look at `debug swm status` and its system log before it is restarted again
    restart-ignored: asked to restart 3 times and kept running
      -> look for a running commit or job that blocks the restart
    ha-not-settled: HA did not settle after the boot: suspended (Peer version too old)
      -> look at `show high-availability state` on both members
    after-checks: checks after the hop fail: routes: 3 are missing
      -> compare the failed checks with the state before the hop
    install-failed: the install failed: the device's words
      -> read the job's details on the device; nothing was restarted
    fetch-failed: the download failed: the device's words
      -> check its update server, licence and disk; nothing was installed
    no-progress: installing made no progress for 35 min; last answer: job 7 SWInstall ACT/PEND 55%
      -> look at its jobs and its HA state; nothing was restarted
    failover-not-proved: the peer did not take over: this member suspended, peer passive
      -> the device serves again; repair the pair before going on
    refused: it refused to suspend HA: the device's words
      -> check the account's role and the device's state
    untrusted: its certificate changed: expected SHA-256 aa, found SHA-256 bb
      -> find out who changed the certificate before anything is sent to it
    ");
    let codes: BTreeSet<&str> = reasons().iter().map(HaltReason::code).collect();
    assert_eq!(codes.len(), reasons().len());
}

#[test]
fn every_event_as_it_is_stored() {
    insta::assert_snapshot!(stored(&events()), @r#"
    {"enrolled":{"device":"fw1","campaign":"spring","plan":"ba296b3c589d0e197c80985daacb24134dd05f4dca6f895b587bbabee2c2e60b","model":"PA-850","serial":"0011","peer":"fw2","hops":[{"from":"10.1.14","to":"10.2.0","kind":"feature","downloads":["10.2.0"],"minimum_content":null,"broken_rules":[],"times":{"install_expected_min":18,"install_worst_min":30,"reboot_expected_min":18,"reboot_warn_min":25,"reboot_fail_min":45},"chassis_ready":true,"feature_releases_apart":1},{"from":"10.2.0","to":"10.2.7","kind":"feature","downloads":["10.2.7"],"minimum_content":null,"broken_rules":[],"times":{"install_expected_min":18,"install_worst_min":30,"reboot_expected_min":18,"reboot_warn_min":25,"reboot_fail_min":45},"chassis_ready":true,"feature_releases_apart":1}]}}
    {"permit_received":{"id":3,"hop":0,"reboot_by":"2026-03-07T22:00:00Z"}}
    {"held":{"stood_down":{"staged":"10.2.0"}}}
    {"stand_down_asked":{"because":"campaign halted by hopgate/spring/fw7/hop-0/0/boot-loop"}}
    "picked_up"
    {"found_there":{"version":"10.2.0"}}
    {"checks_passed":{"passed":14,"warnings":[]}}
    {"checks_passed":{"passed":13,"warnings":["uptime: up for 400 days"]}}
    {"backed_up":{"blob":"c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffee","bytes":48213}}
    {"backed_up":{"blob":"c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffee","bytes":48213,"snapshot":"facadefacadefacadefacadefacadefacadefacadefacadefacadefacade"}}
    {"intended":{"action":"restart","attempt":1}}
    {"intended":{"action":{"install":"10.2.0"},"attempt":2}}
    {"accepted":{"action":{"install":"10.2.0"},"job":7}}
    {"accepted":{"action":"restart","job":null}}
    {"refused":{"action":"suspend","text":"the device's words"}}
    {"unanswered":{"action":"restart","why":"no answer within 60 s"}}
    {"found_undone":{"action":{"download":"10.2.0"}}}
    {"job_ended":{"action":{"install":"10.2.0"},"job":7,"ok":true,"detail":"the device's words"}}
    {"job_ended":{"action":{"install":"10.2.0"},"job":7,"ok":false,"detail":"the device's words"}}
    {"images_ready":{"how":"done"}}
    {"images_ready":{"how":"already_so"}}
    {"staged":{"version":"10.2.0","how":"done"}}
    {"staged":{"version":"10.2.0","how":"already_so"}}
    {"failover_proved":{"seen":"this member passive, peer active by its own word and active by this one's"}}
    {"failover_failed":{"seen":"this member passive, peer active by its own word and active by this one's"}}
    "putting_back"
    "restored"
    "restart_not_taken"
    {"went_back":{"version":"10.2.0"}}
    {"seen":"answering"}
    {"seen":"starting"}
    {"seen":"dark"}
    {"boot_seen":{"at":"2026-03-07T22:00:00Z","version":"10.2.0"}}
    {"slow_boot":{"minutes":26}}
    {"back_in_service":{"boots":1}}
    {"back_in_service":{"boots":2}}
    {"ha_settled":{"state":"passive"}}
    {"hop_ended":{"hop":0,"version":"10.2.0","how":"done","passed":9}}
    {"hop_ended":{"hop":0,"version":"10.2.0","how":"done","passed":8,"warnings":["routes: route 10.1.0.0/16 of default: gone"]}}
    {"hop_ended":{"hop":1,"version":"10.2.0","how":"already_so","passed":9}}
    {"halted":{"reason":{"boot_loop":{"boots":3,"dark_spells":4}},"evidence":["boot 1 at 22:06"]}}
    {"resumed":{"by":"nora","reason":"replaced the optic"}}
    "#);
}

#[test]
fn every_hold_as_it_is_stored() {
    insta::assert_snapshot!(stored(&holds()), @r#"
    "permit"
    {"wave":{"behind":"rest"}}
    {"approval":{"wave":"rest"}}
    {"soak":{"wave":"rest","until":"2026-03-07T22:00:00Z"}}
    {"concurrency":{"limit":1}}
    {"concurrency":{"limit":4}}
    {"window_opens":{"at":"2026-03-07T22:00:00Z"}}
    {"window_too_short":{"needs_min":160,"closes":"2026-03-07T22:00:00Z"}}
    {"peer":{"peer":"fw2","because":"working"}}
    {"peer":{"peer":"fw2","because":"behind"}}
    {"peer":{"peer":"fw2","because":"passive_first"}}
    {"peer":{"peer":"fw2","because":"roles_unknown"}}
    {"peer":{"peer":"fw2","because":"halted"}}
    {"campaign_halted":{"incident":"hopgate/spring/fw7/hop-0/0/boot-loop"}}
    {"device_halted":{"device":"fw7"}}
    {"stood_down":{"staged":null}}
    {"stood_down":{"staged":"10.2.0"}}
    {"gate":{"reasons":["disk: 1 GB free, 3 GB needed"],"until":"2026-03-07T22:00:00Z"}}
    {"unreadable":{"step":"checking","why":"no route","until":"2026-03-07T22:00:00Z"}}
    {"unreadable":{"step":"checking","why":"Invalid Credential","until":null}}
    {"drifted":{"expected":"10.2.0","found":"10.2.7"}}
    {"other_release_staged":{"found":"10.2.0"}}
    {"other_device":{"expected":"0011","found":"0022"}}
    "peer_not_named"
    {"image_not_offered":{"version":"10.2.0"}}
    {"peer_not_ready":{"found":"the peer could not be asked: no route","until":"2026-03-07T22:00:00Z"}}
    "#);
}

#[test]
fn every_halt_reason_as_it_is_stored() {
    insta::assert_snapshot!(stored(&reasons()), @r#"
    {"boot_loop":{"boots":3,"dark_spells":4}}
    {"not_back":{"minutes":45,"last_seen":"dark since the restart"}}
    {"wrong_release":{"expected":"10.2.0","found":"10.1.14"}}
    {"restart_ignored":{"attempts":3}}
    {"ha_not_settled":{"found":"suspended (Peer version too old)"}}
    {"after_checks":{"reasons":["routes: 3 are missing"]}}
    {"install_failed":{"detail":"the device's words"}}
    {"fetch_failed":{"detail":"the device's words"}}
    {"no_progress":{"step":"installing","minutes":35,"last":"job 7 SWInstall ACT/PEND 55%"}}
    {"failover_not_proved":{"found":"this member suspended, peer passive"}}
    {"refused":{"action":"suspend HA","text":"the device's words"}}
    {"untrusted":{"detail":"expected SHA-256 aa, found SHA-256 bb"}}
    "#);
}

#[test]
fn an_enrolment_of_four_off_vendor_hops_fits_into_a_record() {
    let rule = |rule: &str| hopgate_paths::BrokenRule {
        rule: rule.to_owned(),
        text: String::new(),
        source: String::new(),
    };
    let hops = [
        "9.1.16",
        "10.0.12-h5",
        "10.1.14-h11",
        "10.2.13-h10",
        "11.1.10-h21",
    ]
    .windows(2)
    .map(|pair| {
        let mut hop = hop(pair[0], pair[1]);
        hop.kind = hopgate_paths::HopKind::Pinned;
        hop.downloads = ["10.0.0", "10.1.0", pair[1]]
            .map(|text| text.parse().unwrap())
            .to_vec();
        hop.minimum_content = Some(8761);
        hop.broken_rules = [
            "feature-release-skipped",
            "not-latest-maintenance",
            "base-as-stop",
        ]
        .map(rule)
        .to_vec();
        hop
    })
    .collect();
    let mut enrolment = enrolment(hops, Some(&"p".repeat(80)));
    enrolment.device = "d".repeat(80).parse().unwrap();
    enrolment.campaign = "c".repeat(80).parse().unwrap();
    let bytes = serde_json::to_vec(&Event::Enrolled(Box::new(enrolment)))
        .unwrap()
        .len();
    assert!(bytes < 3_500, "{bytes} bytes");
}
