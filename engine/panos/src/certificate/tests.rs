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
