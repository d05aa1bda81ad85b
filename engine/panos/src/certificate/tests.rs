//! Certificates of every kind of key, and bytes that are none.

use proptest::prelude::*;

use super::*;

/// The certificates of the recorded configuration, by place and name.
fn recorded() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join("testdata/certificates/10.2.xml")).unwrap()
}

fn pem(nth: usize) -> String {
    const BEGIN: &str = "-----BEGIN";
    let text = recorded();
    let pem = text.split(BEGIN).nth(nth + 1).unwrap();
    format!("{BEGIN}{}", pem.split("</public-key>").next().unwrap())
}

fn der(nth: usize) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem(nth).as_bytes())
        .unwrap()
        .to_vec()
}

#[test]
fn every_kind_of_key_is_read() {
    let read: Vec<_> = (0..5)
        .map(|nth| {
            let said = read(&pem(nth)).unwrap();
            (said.algorithm, said.bits, said.digest)
        })
        .collect();
    assert_eq!(
        read,
        [
            ("RSA", Some(2048), Some("sha256")),
            ("RSA", Some(1024), Some("sha1")),
            ("RSA", Some(2048), Some("sha256")),
            ("RSA", Some(3072), Some("sha512")),
            ("Ed25519", Some(256), Some("sha512")),
        ]
    );
    let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("certificates/first.pem");
    let said = super::read(&std::fs::read_to_string(own).unwrap()).unwrap();
    assert_eq!((said.algorithm, said.bits), ("EC", Some(256)));
}

#[test]
fn what_is_no_certificate_is_told_from_one() {
    assert_eq!(read(""), Err("it is not a certificate in PEM"));
    assert_eq!(
        read("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        Err("it is not a certificate in PEM")
    );
    assert_eq!(
        read("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Err("it is not a certificate that can be read")
    );
}

fn in_der(case: &str) -> Vec<u8> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(root.join(format!("testdata/management_certificate/{case}.der"))).unwrap()
}

#[test]
fn names_are_written_as_a_configuration_writes_them() {
    let names = |case: &str| {
        let said = said(&in_der(case)).unwrap();
        (said.subject, said.issuer, said.self_signed)
    };
    let own = |name: &str| (Some(name.to_owned()), Some(name.to_owned()), true);
    assert_eq!(
        names("9.1-ended"),
        own("/CN=fw1/emailAddress=noc@example.com/O=Müller")
    );
    assert_eq!(
        names("10.2-self-signed"),
        own("/C=US/O=Example/OU=Network/CN=acme-fw7")
    );
    let authority = Some("/O=Example/CN=Example Issuing CA".to_owned());
    assert_eq!(names("names-nobody"), (None, authority, false));
}

/// An element of DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let long: &[u8] = if length < 0x80 { &[] } else { &[0x81] };
    [&[tag], long, &[length], content].concat()
}

/// One part of a name: its type, and the value with its kind of string.
fn part(id: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
    let both = [element(OBJECT_ID, id), element(tag, value)].concat();
    element(0x31, &element(SEQUENCE, &both))
}

#[test]
fn every_kind_of_string_is_read_and_nothing_in_a_name_acts_on_a_terminal() {
    const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
    let read = |tag, value: &[u8]| name::read(&part(&COMMON_NAME, tag, value));
    let told = |text: &str| Some(format!("/CN={text}"));
    assert_eq!(read(0x0c, "Zürich".as_bytes()), told("Zürich"));
    assert_eq!(read(0x13, b"fw1"), told("fw1"));
    assert_eq!(read(0x14, b"Z\xfcrich"), told("Zürich"));
    assert_eq!(read(0x16, b"fw1"), told("fw1"));
    assert_eq!(read(0x1e, &[0, b'Z', 0, 0xfc]), told("Zü"));
    // No text: cut in the middle of a letter, no UTF-8, a number.
    assert_eq!(read(0x1e, &[0, b'Z', 0]), None);
    assert_eq!(read(0x0c, b"Z\xfcrich"), None);
    assert_eq!(read(INTEGER, b"1"), None);
    let loud = read(0x0c, b"fw1\x1b[31m\nfw2").unwrap();
    assert!(!loud.contains(['\x1b', '\n']), "{loud:?}");
    assert!(read(0x0c, &[b'x'; 100]).unwrap().len() == 104);
    let long = part(&COMMON_NAME, 0x0c, &[b'x'; 100]).repeat(5);
    assert!(name::read(&long).unwrap().chars().count() <= 301);
    // A type without a name of its own.
    assert_eq!(
        name::read(&part(&[0x55, 4, 12], 0x0c, b"Dr.")),
        Some("/2.5.4.12=Dr.".to_owned())
    );
    assert_eq!(name::read(&[]), None);
    assert_eq!(name::read(&part(&COMMON_NAME, 0x0c, b"fw1")[..6]), None);
}

#[test]
fn what_is_shown_says_its_fingerprint_even_where_it_cannot_be_read() {
    let now = "2027-01-15T08:00:00Z".parse().unwrap();
    let bytes = in_der("thirteenth-month");
    let told = shown(&bytes, now);
    assert_eq!(told.fingerprint, Fingerprint::of_der(&bytes).to_string());
    assert_eq!(
        (told.not_after, told.expired, told.self_signed),
        (None, None, None)
    );
    assert_eq!(told.unreadable.as_deref(), Some(UNREADABLE));
    let told = shown(&in_der("10.1-ends-soon"), now);
    assert_eq!((told.expired, told.unreadable), (Some(false), None));
    // The instant itself is still within.
    let end = told.not_after.unwrap();
    assert_eq!(shown(&in_der("10.1-ends-soon"), end).expired, Some(false));
    let after = end + jiff::SignedDuration::from_secs(1);
    assert_eq!(shown(&in_der("10.1-ends-soon"), after).expired, Some(true));
}

#[test]
fn both_forms_of_time_are_read() {
    let at = |tag, text: &'static str| {
        instant(Element {
            tag,
            content: text.as_bytes(),
        })
        .map(|instant| instant.to_string())
    };
    assert_eq!(at(UTC_TIME, "491231235959Z").unwrap(), "2049-12-31T23:59:59Z");
    assert_eq!(at(UTC_TIME, "500101000000Z").unwrap(), "1950-01-01T00:00:00Z");
    assert_eq!(
        at(GENERALIZED_TIME, "20500101000000Z").unwrap(),
        "2050-01-01T00:00:00Z"
    );
    let without_end = at(GENERALIZED_TIME, "99991231235959Z").unwrap();
    assert!(without_end.starts_with("9999-12-30"), "{without_end}");
    for (tag, text) in [
        (UTC_TIME, "20500101000000Z"),
        (GENERALIZED_TIME, "500101000000Z"),
        (UTC_TIME, "491332235959Z"),
        (UTC_TIME, "491231235959+0100"),
        (UTC_TIME, ""),
        (INTEGER, "491231235959Z"),
    ] {
        assert_eq!(at(tag, text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = said(&bytes);
        let _ = name::read(&bytes);
        let _ = shown(&bytes, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_damaged_certificate_never_makes_the_reader_panic(
        nth in 0..5_usize,
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut: prop::sample::Index,
    ) {
        let mut bytes = der(nth);
        for (at, byte) in damages {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = said(&bytes);
        let _ = said(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn a_certificate_cut_short_is_none(nth in 0..5_usize, cut: prop::sample::Index) {
        let bytes = der(nth);
        prop_assert_eq!(said(&bytes[..cut.index(bytes.len())]), None);
    }
}
