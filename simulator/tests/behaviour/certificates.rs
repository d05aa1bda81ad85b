//! Certificates in the configuration: readable by any X.509 reader, with the keys and dates of the fleet file.

use crate::probe::{Probe, between, one};

fn decode(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let value = |character: char| match character {
        'A'..='Z' => u32::from(character) - 65,
        'a'..='z' => u32::from(character) - 71,
        '0'..='9' => u32::from(character) + 4,
        '+' => 62,
        _ => 63,
    };
    let mut der = Vec::new();
    for four in text.trim_end_matches('=').chars().collect::<Vec<_>>().chunks(4) {
        let word = four.iter().fold(0, |word, one| word << 6 | value(*one)) << (6 * (4 - four.len()));
        der.extend_from_slice(&word.to_be_bytes()[1..four.len()]);
    }
    der
}

/// The parts of a DER value: tag and content of each. Every length has to add up.
fn parts(mut der: &[u8]) -> Vec<(u8, &[u8])> {
    let mut parts = Vec::new();
    while !der.is_empty() {
        let (tag, first) = (der[0], usize::from(der[1]));
        let (length, head) = match first {
            0..=127 => (first, 2),
            _ => {
                let bytes = &der[2..2 + (first - 128)];
                (
                    bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                    2 + bytes.len(),
                )
            }
        };
        parts.push((tag, &der[head..head + length]));
        der = &der[head + length..];
    }
    parts
}

/// Signature algorithm, last day, size of the key in bits, algorithm of the key: read from the DER itself.
fn read(pem: &str) -> String {
    let der = decode(pem);
    let whole = parts(&der);
    let certificate = parts(whole[0].1);
    let body = parts(certificate[0].1);
    let signature = parts(certificate[1].1)[0].1;
    assert_eq!(
        parts(body[2].1)[0].1,
        signature,
        "the two signature algorithms agree"
    );
    let dates = parts(body[4].1);
    let key = parts(body[6].1);
    let bits = &key[1].1[1..];
    let size = match parts(key[0].1)[0].1 {
        [0x2a, 0x86, 0x48, 0x86, ..] => (parts(parts(bits)[0].1)[0].1.len() - 1) * 8,
        _ => (bits.len() - 1) / 2 * 8,
    };
    let until = String::from_utf8_lossy(dates[1].1).into_owned();
    format!(
        "until {until} key {size} signature ..{:02x?}",
        &signature[signature.len() - 2..]
    )
}

#[tokio::test(start_paused = true)]
async fn certificates_are_readable_and_as_the_fleet_file_wants_them() {
    let fleet = one("    setup:
      certificates:
        - {name: old, key: rsa-1024, digest: sha1, expires: 2026-03-15}
        - {name: plain, common_name: fw.example.net, expires: 2055-01-01}
        - {name: long, key: rsa-4096, digest: sha512}
        - {name: curve, key: ecdsa-256}
        - {name: curve-384, key: ecdsa-384, digest: sha384}
");
    let probe = Probe::login(&fleet, "fw").await;
    let config = probe.body("<show><config><running/></config></show>").await;
    let list = between(&config, "<certificate>", "</certificate>");
    let mut log = Vec::new();
    for entry in list.split("<entry name=").skip(1) {
        let part = |name: &str| between(entry, &format!("<{name}>"), &format!("</{name}>")).to_owned();
        let name = entry.split('"').nth(1).unwrap();
        let end = part("not-valid-after");
        log.push(format!(
            "{name}: {} {} [{end}]",
            part("algorithm"),
            read(&part("public-key"))
        ));
        assert!(part("private-key").contains("BEGIN PRIVATE KEY"));
    }
    insta::assert_snapshot!(log.join("\n"), @r#"
    old: RSA until 260315120000Z key 1024 signature ..[01, 05] [Mar 15 12:00:00 2026 GMT]
    plain: RSA until 20550101120000Z key 2048 signature ..[01, 0b] [Jan  1 12:00:00 2055 GMT]
    long: RSA until 351130120000Z key 4096 signature ..[01, 0d] [Nov 30 12:00:00 2035 GMT]
    curve: EC until 350416120000Z key 256 signature ..[03, 02] [Apr 16 12:00:00 2035 GMT]
    curve-384: EC until 371121120000Z key 384 signature ..[03, 03] [Nov 21 12:00:00 2037 GMT]
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_renewed_certificate_has_another_key_and_a_later_end() {
    let fleet = one("    setup: {certificates: [{name: portal, expires: 2026-03-15}]}\n");
    let probe = Probe::login(&fleet, "fw").await;
    let entry = "/config/shared/certificate/entry[@name='portal']";
    let show = async |action: &str| {
        probe
            .sent(&[("type", "config"), ("action", action), ("xpath", entry)])
            .await
    };
    let before = show("show").await;
    assert!(before.contains("<not-valid-after>Mar 15 "), "{before}");
    let renew = "<request><certificate><renew><certificate-name>portal</certificate-name><days-till-expiry>90</days-till-expiry></renew></certificate></request>";
    assert!(
        probe
            .body(renew)
            .await
            .contains("Successfully renewed certificate : portal")
    );
    assert_eq!(show("show").await, before, "not committed");
    let candidate = show("get").await;
    assert!(candidate.contains("<not-valid-after>May 30 "), "{candidate}");
    let pem = |text: &str| between(text, "<public-key>", "</public-key>").to_owned();
    assert_ne!(pem(&candidate), pem(&before));
    let job = crate::probe::job_id(&probe.sent(&[("type", "commit"), ("cmd", "<commit/>")]).await);
    assert!(probe.finish(job).await.starts_with("OK"));
    assert_eq!(pem(&show("show").await), pem(&candidate));
    let missing = probe
        .body("<request><certificate><renew><certificate-name>none</certificate-name></renew></certificate></request>")
        .await;
    assert!(missing.contains("Certificate none does not exist"));
}
