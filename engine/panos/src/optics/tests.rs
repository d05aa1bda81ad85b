//! State dumps in both dialects, and with hostile modules.

use proptest::prelude::*;

use super::*;
use crate::scripted::{lines, result_of, result_text};

fn read(name: &str) -> String {
    lines(&optics(&result_of(name)).unwrap())
}

#[test]
fn a_plain_dump() {
    insta::assert_snapshot!(read("optics-plain-10.1.xml"), @r#"
    Optic { slot: 1, port: 1, interface: "ethernet1/1", media: "CAT5", vendor: None, part: None, serial: None, class: Fixed, why: None }
    Optic { slot: 1, port: 5, interface: "ethernet1/5", media: "SFP-Fiber", vendor: Some("ACME, INC. 2.0"), part: Some("AC-SFP, rev: A"), serial: None, class: UnknownVendor, why: None }
    Optic { slot: 1, port: 6, interface: "ethernet1/6", media: "SFP-Empty", vendor: None, part: None, serial: None, class: Empty, why: None }
    Optic { slot: 1, port: 7, interface: "ethernet1/7", media: "SFP-Fiber", vendor: None, part: None, serial: None, class: Unreadable, why: None }
    Optic { slot: 1, port: 10, interface: "ethernet1/10", media: "SFP-Plus-Fiber", vendor: Some("FINISAR CORP."), part: Some("FTLX1475D3BCL"), serial: Some("UXXXXXX"), class: UnknownVendor, why: None }
    Optic { slot: 2, port: 1, interface: "ethernet2/1", media: "SFP-Fiber", vendor: Some("Palo Alto"), part: Some("PAN-SFP-SX"), serial: None, class: Allowed, why: None }
    "#);
}

#[test]
fn a_pretty_dump() {
    insta::assert_snapshot!(read("optics-pretty-9.1.xml"), @r#"
    Optic { slot: 1, port: 1, interface: "ethernet1/1", media: "CAT5", vendor: None, part: None, serial: None, class: Fixed, why: None }
    Optic { slot: 1, port: 5, interface: "ethernet1/5", media: "SFP-Fiber", vendor: Some("ACME, INC. 2.0"), part: Some("AC-SFP-5"), serial: None, class: UnknownVendor, why: None }
    "#);
}

#[test]
fn a_pretty_dump_on_one_line() {
    let text = "sys.s1.p1.phy: { link-partner: { }, media: CAT5, type: Ethernet, }";
    let found = optics(&result_text(text)).unwrap();
    assert_eq!(
        (found[0].media.as_str(), found[0].interface.as_str()),
        ("CAT5", "ethernet1/1")
    );
}

#[test]
fn a_device_without_such_ports() {
    assert_eq!(optics(&result_of("optics-none.xml")), Ok(vec![]));
    assert_eq!(optics(&result_text("sys.s*.p*.phy: NO_MATCHES")), Ok(vec![]));
}

#[test]
fn a_dump_that_can_be_read_in_two_ways_is_not_read() {
    let table = [
        "",
        "Server error",
        "sys.s1.p5.phy: { 'media': SFP-Fiber",
        "sys.s1.p5.phy: { 'media': SFP-Fiber, 'sfp': { 'vendor-name': A",
        "sys.s1.p5.phy: SFP-Fiber",
        "sys.s1.p5.phy: { 'media': A, }\nsys.s1.p5.phy: { 'media': B, }",
        // A module that names itself so as to look like a second field.
        "sys.s1.p5.phy: { 'media': SFP-Fiber, 'sfp': { 'vendor-name': X, 'vendor-part-number': PAN-SFP-SX, 'vendor-part-number': BAD, }, }",
        "sys.s1.p5.phy: { 'media': SFP-Fiber, 'sfp': { 'vendor-name': X } Y, 'vendor-part-number': B, }, }",
        "sys.s1.p5.phy: {{{{{{{{{{{{",
        &format!("sys.s1.p5.phy: {}", "{ 'a': ".repeat(12)),
    ]
    .map(|text| optics(&result_text(text)).map_err(|failure| failure.to_string()).unwrap_err());
    insta::assert_snapshot!(table.join("\n"), @r"
    the reply cannot be understood: an empty state dump
    the reply cannot be understood: Server error in the state dump: this is not a field
    the reply cannot be understood: media in the state dump: the dump breaks off
    the reply cannot be understood: vendor-name in the state dump: the dump breaks off
    the reply cannot be understood: sys.s1.p5.phy in the state dump: its value is not a block
    the reply cannot be understood: sys.s1.p5.phy in the state dump: it is listed twice
    the reply cannot be understood: vendor-part-number in the state dump: the field is there twice
    the reply cannot be understood: Y, 'vendor-part-number': B, }, } in the state dump: this is not a field
    the reply cannot be understood: {{{{{{{{{{{ in the state dump: this is not a field
    the reply cannot be understood: a in the state dump: blocks are nested too deeply
    ");
}

#[test]
fn other_keys_of_the_state_are_passed_over() {
    let text = "sys.s1.p5.stats: { 'media': A, }\nsys.monitor.s0: 3\nsys.s1.p6.phy: { 'media': SFP-Empty, }";
    let found = optics(&result_text(text)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].port, 6);
}

/// What a module can hold: sixteen printable characters without a brace; a quote could only end the field early.
fn module_text() -> impl Strategy<Value = String> {
    "[A-Za-z0-9 .,:/#&()+_-]{0,16}".prop_filter("must not look like another field", |text| {
        !text.contains("n/a") && text.trim() != "None"
    })
}

#[test]
fn a_port_without_its_numbers_is_not_left_out() {
    let text = "sys.s1.p5.phy: { 'media': SFP-Empty, }\nsys.s1.pX.phy: { 'media': SFP-Fiber, }";
    insta::assert_snapshot!(optics(&result_text(text)).unwrap_err(), @"the reply cannot be understood: sys.s1.pX.phy in the state dump: it does not name a slot and a port");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = optics(&Node::clone(&result_text(&text.replace("]]>", ""))));
    }

    #[test]
    fn nothing_made_of_its_own_signs_makes_the_reader_panic(text in "(sys\\.s1\\.p[1-3]\\.phy: |\\{ |\\}|, |'|'sfp': |media: |\n|A){0,40}") {
        let _ = optics(&result_text(&text));
    }

    #[test]
    fn a_plain_dump_gives_back_what_the_module_holds(vendor in module_text(), part in module_text()) {
        let text = format!(
            "sys.s1.p5.phy: {{ 'media': SFP-Fiber, 'sfp': {{ 'vendor-name': {vendor:16}, 'vendor-part-number': {part:16}, }}, 'type': Ethernet, }}"
        );
        let found = optics(&result_text(&text)).unwrap();
        let clean = |text: &str| Some(printable(text.trim(), 80)).filter(|text| !text.is_empty());
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(&found[0].media, "SFP-Fiber");
        prop_assert_eq!(&found[0].vendor, &clean(&vendor));
        prop_assert_eq!(&found[0].part, &clean(&part));
    }
}
