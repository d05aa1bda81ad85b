//! System information, answers and locks in the dialects of several releases.

use super::*;
use crate::scripted::{lines, result_of, result_text};
use crate::xml::read_reply;

#[test]
fn system_information_of_three_releases() {
    let found = [
        "system-info-9.1.xml",
        "system-info-10.1.xml",
        "system-info-10.2.xml",
    ]
    .map(|name| info(&result_of(name)).unwrap());
    insta::assert_snapshot!(lines(&found), @r#"
    System { hostname: "acme-fw1", model: "PA-850", serial: "012801000001", sw_version: Version { train: Train { major: 9, minor: 1 }, maintenance: 16, suffix: None, extended: false }, app_version: "8676-7858", uptime_seconds: 15484054, operational_mode: Some("normal"), multi_vsys: false }
    System { hostname: "Café & Bar", model: "PA-VM", serial: "unknown", sw_version: Version { train: Train { major: 10, minor: 1 }, maintenance: 14, suffix: Hotfix(9), extended: false }, app_version: "", uptime_seconds: 192, operational_mode: Some("FIPS-CC"), multi_vsys: true }
    System { hostname: "acme-fw2", model: "PA-5220", serial: "013101000002", sw_version: Version { train: Train { major: 10, minor: 2 }, maintenance: 4, suffix: Hotfix(4), extended: false }, app_version: "8700-7000", uptime_seconds: 142628, operational_mode: Some("normal"), multi_vsys: true }
    "#);
}

#[test]
fn what_proves_a_reboot_must_be_readable() {
    let fields = |version: &str, uptime: &str| {
        let body = format!(
            "<response status='success'><result><system><hostname>h</hostname><model>m</model><serial>s</serial>\
             <sw-version>{version}</sw-version><uptime>{uptime}</uptime></system></result></response>"
        );
        info(&read_reply(200, None, body.as_bytes()).unwrap())
    };
    assert!(fields("10.2.0", "0 days, 0:01:00").is_ok());
    let table = [
        fields("10.2", "0 days, 0:01:00").unwrap_err(),
        fields("", "0 days, 0:01:00").unwrap_err(),
        fields("10.2.0", "a while").unwrap_err(),
        fields("10.2.0", "").unwrap_err(),
        info(&result_of("empty-result.xml")).unwrap_err(),
    ]
    .map(|failure| failure.to_string());
    insta::assert_snapshot!(table.join("\n"), @r#"
    the reply cannot be understood: "10.2" is not a PAN-OS version: the maintenance number is missing (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)
    the reply cannot be understood: <system> has no <sw-version>
    the reply cannot be understood: the uptime is "a while"
    the reply cannot be understood: <system> has no <uptime>
    the reply cannot be understood: <result> has no <system>
    "#);
}

#[test]
fn yes_no_and_nothing_else() {
    assert_eq!(yes_or_no(&result_of("chassis-ready-10.2.xml")), Ok(true));
    assert_eq!(yes_or_no(&result_text("yes ")), Ok(true));
    assert_eq!(yes_or_no(&result_text("no\n")), Ok(false));
    for other in ["", "maybe", "yes no", "Yes"] {
        assert!(yes_or_no(&result_text(other)).is_err(), "{other}");
    }
    insta::assert_snapshot!(
        yes_or_no(&result_of("empty-result.xml")).unwrap_err(),
        @r#"the reply cannot be understood: expected yes or no, found """#
    );
}

#[test]
fn a_lock_counts_even_when_nobody_is_named() {
    let found = locks(&result_of("config-locks-10.1.xml"), LockKind::Configuration).unwrap();
    let words: Vec<String> = found.iter().map(lock_in_words).collect();
    insta::assert_snapshot!(words.join("\n"), @r"
    configuration lock of admin (shared)
    configuration lock of carol
    configuration lock of an unnamed administrator
    ");
    assert_eq!(
        locks(&result_of("config-locks-none.xml"), LockKind::Configuration),
        Ok(vec![])
    );
    let commit = locks(&result_of("commit-locks-10.1.xml"), LockKind::Commit).unwrap();
    assert_eq!(
        commit.iter().map(lock_in_words).collect::<Vec<_>>(),
        ["commit lock of carol"]
    );
    // The answer to one question is none to the other.
    assert!(locks(&result_of("config-locks-none.xml"), LockKind::Commit).is_err());
    assert!(locks(&result_of("empty-result.xml"), LockKind::Configuration).is_err());
}
