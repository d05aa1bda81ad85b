//! High-availability states in the dialects of several releases.

use super::*;
use crate::scripted::{lines, result_of};
use crate::xml::read_reply;

fn read(name: &str) -> String {
    lines(&[state(&result_of(name)).unwrap()])
}

#[test]
fn a_firewall_without_high_availability() {
    insta::assert_snapshot!(read("ha-disabled.xml"), @r#"Ha { enabled: false, mode: None, local: HaMember { state: "disabled", reason: None, build: None, state_sync: None, address: None }, peer: None, running_sync: None, running_sync_enabled: Some(false), preemptive: Some(false) }"#);
}

#[test]
fn a_pair_whose_peer_is_suspended() {
    insta::assert_snapshot!(read("ha-pair-10.1.xml"), @r#"Ha { enabled: true, mode: Some("Active-Passive"), local: HaMember { state: "active", reason: None, build: Some("10.1.14-h9"), state_sync: Some("Complete"), address: Some("192.0.2.11") }, peer: Some(HaMember { state: "suspended", reason: Some("User requested"), build: Some("10.2.0"), state_sync: None, address: Some("192.0.2.12") }), running_sync: Some("synchronized"), running_sync_enabled: Some(true), preemptive: Some(false) }"#);
}

#[test]
fn a_peer_that_is_gone_has_an_unknown_state() {
    insta::assert_snapshot!(read("ha-peer-gone-10.2.xml"), @r#"Ha { enabled: true, mode: Some("Active-Passive"), local: HaMember { state: "non-functional", reason: Some("Dataplane down: path monitor failure"), build: Some("10.2.4-h4"), state_sync: None, address: None }, peer: Some(HaMember { state: "unknown", reason: None, build: None, state_sync: None, address: None }), running_sync: Some("not synchronized"), running_sync_enabled: Some(false), preemptive: Some(true) }"#);
}

#[test]
fn a_pair_whose_peer_was_never_seen() {
    insta::assert_snapshot!(read("ha-no-peer-9.1.xml"), @r#"Ha { enabled: true, mode: Some("Active-Passive"), local: HaMember { state: "initial", reason: None, build: Some("9.1.16"), state_sync: None, address: None }, peer: None, running_sync: None, running_sync_enabled: None, preemptive: None }"#);
}

#[test]
fn what_is_missing_is_never_taken_for_a_healthy_answer() {
    let read = |inner: &str| {
        let body = format!("<response status='success'><result>{inner}</result></response>");
        state(&read_reply(200, None, body.as_bytes()).unwrap())
    };
    let table = [
        read(""),
        read("<enabled/>"),
        read("<enabled>maybe</enabled>"),
        read("<enabled>yes</enabled>"),
        read("<enabled>yes</enabled><group/>"),
        read("<enabled>yes</enabled><group><local-info/></group>"),
    ]
    .map(|outcome| outcome.unwrap_err().to_string());
    insta::assert_snapshot!(table.join("\n"), @r#"
    the reply cannot be understood: <result> has no <enabled>
    the reply cannot be understood: <result> has no <enabled>
    the reply cannot be understood: <enabled> is "maybe"
    the reply cannot be understood: <result> has no <group>
    the reply cannot be understood: <result> has no <local-info>
    the reply cannot be understood: <local-info> has no <state>
    "#);
}

#[test]
fn preemption_of_either_member_counts() {
    let read = |local: &str, peer: &str| {
        let body = format!(
            "<response status='success'><result><enabled>yes</enabled><group><local-info><state>active</state>{local}\
             </local-info><peer-info><state>passive</state>{peer}</peer-info></group></result></response>"
        );
        state(&read_reply(200, None, body.as_bytes()).unwrap()).map(|ha| ha.preemptive)
    };
    let (yes, no) = ("<preemptive>yes</preemptive>", "<preemptive>no</preemptive>");
    assert_eq!(read(no, no), Ok(Some(false)));
    assert_eq!(read(yes, no), Ok(Some(true)));
    assert_eq!(read(no, yes), Ok(Some(true)));
    assert_eq!(read("", yes), Ok(Some(true)));
    assert_eq!(read(no, ""), Ok(None));
    assert_eq!(read("", no), Ok(None));
    assert_eq!(read("", ""), Ok(None));
}

#[test]
fn a_link_that_does_not_say_how_it_is_stays_in_the_list() {
    let body = "<response status='success'><result><enabled>yes</enabled><group><local-info/><peer-info>\
        <conn-status>up</conn-status><conn-ha1><conn-status>up</conn-status></conn-ha1>\
        <conn-ha1-backup><conn-desc>heartbeat status</conn-desc></conn-ha1-backup><conn-ha2/>\
        </peer-info></group></result></response>";
    let read = links(&read_reply(200, None, body.as_bytes()).unwrap()).unwrap();
    let said: Vec<_> = read
        .links
        .iter()
        .map(|link| (link.name.as_str(), link.status.as_deref()))
        .collect();
    assert_eq!(said, [("ha1", Some("up")), ("ha1-backup", None), ("ha2", None)]);
}
