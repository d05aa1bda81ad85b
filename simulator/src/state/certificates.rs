//! Certificates as the configuration holds them: readable X.509 in PEM, with the right names, dates, keys and
//! digests. Nobody signed them, and the private keys are none.
//!
//! Written by hand in DER, so that a key may be too short and a digest too weak, which no library would make.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use super::Sight;
use crate::setup::{CertificateSpec, DigestKind, KeyKind};

#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) name: String,
    pub(crate) common_name: String,
    pub(crate) algorithm: &'static str,
    pub(crate) from: Date,
    pub(crate) until: Date,
    /// PEM of the certificate; the device calls it the public key.
    pub(crate) public_key: String,
}

impl KeyKind {
    /// As the configuration names it.
    pub(crate) fn algorithm(self) -> &'static str {
        match self {
            Self::Rsa1024 | Self::Rsa2048 | Self::Rsa4096 => "RSA",
            Self::Ecdsa256 | Self::Ecdsa384 => "EC",
        }
    }
}

impl Sight<'_> {
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        let given = self.given(|setup| setup.certificates.as_ref());
        let seeded: Vec<CertificateSpec>;
        let specs = match given {
            Some(specs) => specs,
            None => {
                seeded = self.usual_certificates();
                &seeded
            }
        };
        specs
            .iter()
            .zip(0..)
            .map(|(spec, index)| self.certificate(spec, index))
            .collect()
    }

    fn usual_certificates(&self) -> Vec<CertificateSpec> {
        let spec = |name: &str, common: String, key| CertificateSpec {
            name: name.to_owned(),
            common_name: Some(common),
            key,
            digest: DigestKind::Sha256,
            expires: None,
        };
        let name = self.device.configured_as.as_deref().unwrap_or(&self.device.name);
        vec![
            spec("internal-ca", "Internal CA".to_owned(), KeyKind::Rsa4096),
            spec("portal", format!("vpn.{name}.example.net"), KeyKind::Rsa2048),
            spec("management", name.to_owned(), KeyKind::Ecdsa256),
        ]
    }

    /// A certificate of the setup, the `index`th.
    pub(crate) fn certificate(&self, spec: &CertificateSpec, index: u64) -> Certificate {
        let until = spec.expires.unwrap_or_else(|| {
            let days = i32::try_from(self.shared("certificate days", index, 0, 1500)).unwrap_or(0);
            add_days(Date::constant(2034, 1, 1), days)
        });
        let from = add_days(until, -3652);
        let common_name = spec.common_name.clone().unwrap_or_else(|| spec.name.clone());
        let noise = |counter: u64| self.shared("certificate noise", index * 1000 + counter, 0, u64::MAX - 1);
        let der = x509(&common_name, spec, from, until, &noise);
        Certificate {
            name: spec.name.clone(),
            common_name,
            algorithm: spec.key.algorithm(),
            from,
            until,
            public_key: pem("CERTIFICATE", &der),
        }
    }
}

fn add_days(date: Date, days: i32) -> Date {
    date.saturating_add(jiff::Span::new().days(days))
}

/// `Mar  1 22:00:00 2034 GMT`, as the configuration writes the end of a certificate.
pub(crate) fn moment(date: Date) -> String {
    date.at(12, 0, 0, 0).strftime("%b %e %H:%M:%S %Y GMT").to_string()
}

pub(crate) fn epoch(date: Date) -> i64 {
    date.at(12, 0, 0, 0)
        .to_zoned(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
        .as_second()
}

// Tags of DER (ITU-T X.690).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0c;
const GENERALIZED_TIME: u8 = 0x18;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

const RSA_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The generators of the two curves: points that every reader accepts, and whose private key is no secret.
const POINT_256: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
const POINT_384: &str = "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7\
                         3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match content.len() {
        length @ 0..128 => der.push(u8::try_from(length).unwrap_or(0)),
        length => {
            let bytes = length.to_be_bytes();
            let skip = bytes.iter().take_while(|byte| **byte == 0).count();
            let count = u8::try_from(bytes.len() - skip).unwrap_or(0);
            der.push(0x80 | count);
            der.extend_from_slice(&bytes[skip..]);
        }
    }
    der.extend_from_slice(content);
    der
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tagged(SEQUENCE, &parts.concat())
}

/// Unsigned, big-endian.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(bytes.len() + 1);
    if bytes.first().is_none_or(|first| *first >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(bytes);
    tagged(INTEGER, &content)
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    tagged(BIT_STRING, &[&[0], bytes].concat())
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let digits: Vec<u8> = text.as_bytes().iter().filter_map(digit).collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] * 16 + pair[1])
        .collect()
}

fn random(length: usize, noise: &dyn Fn(u64) -> u64, from: u64) -> Vec<u8> {
    (from..)
        .flat_map(|counter| noise(counter).to_be_bytes())
        .take(length)
        .collect()
}

fn name(common: &str) -> Vec<u8> {
    let attribute = sequence(&[tagged(OBJECT, COMMON_NAME), tagged(UTF8, common.as_bytes())]);
    sequence(&[tagged(SET, &attribute)])
}

fn time(date: Date) -> Vec<u8> {
    let at = date.at(12, 0, 0, 0);
    if (1950..2050).contains(&date.year()) {
        tagged(UTC_TIME, at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
    } else {
        tagged(
            GENERALIZED_TIME,
            at.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes(),
        )
    }
}

fn public_key(key: KeyKind, noise: &dyn Fn(u64) -> u64) -> Vec<u8> {
    let rsa = |bits_of_key: usize| {
        let mut modulus = random(bits_of_key / 8, noise, 0);
        if let Some(first) = modulus.first_mut() {
            *first |= 0x80;
        }
        if let Some(last) = modulus.last_mut() {
            *last |= 1;
        }
        let numbers = sequence(&[integer(&modulus), integer(&[1, 0, 1])]);
        sequence(&[
            sequence(&[tagged(OBJECT, RSA_KEY), tagged(NULL, &[])]),
            bits(&numbers),
        ])
    };
    let curve = |curve: &[u8], point: &str| {
        sequence(&[
            sequence(&[tagged(OBJECT, EC_KEY), tagged(OBJECT, curve)]),
            bits(&unhex(point)),
        ])
    };
    match key {
        KeyKind::Rsa1024 => rsa(1024),
        KeyKind::Rsa2048 => rsa(2048),
        KeyKind::Rsa4096 => rsa(4096),
        KeyKind::Ecdsa256 => curve(P256, POINT_256),
        KeyKind::Ecdsa384 => curve(P384, POINT_384),
    }
}

fn signature_algorithm(key: KeyKind, digest: DigestKind) -> Vec<u8> {
    let rsa = |last: u8| {
        let object = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last];
        sequence(&[tagged(OBJECT, &object), tagged(NULL, &[])])
    };
    let ec = |tail: &[u8]| {
        let object = [&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04], tail].concat();
        sequence(&[tagged(OBJECT, &object)])
    };
    match (key.algorithm(), digest) {
        ("RSA", DigestKind::Sha1) => rsa(5),
        ("RSA", DigestKind::Sha256) => rsa(11),
        ("RSA", DigestKind::Sha384) => rsa(12),
        ("RSA", DigestKind::Sha512) => rsa(13),
        (_, DigestKind::Sha1) => ec(&[0x01]),
        (_, DigestKind::Sha256) => ec(&[0x03, 0x02]),
        (_, DigestKind::Sha384) => ec(&[0x03, 0x03]),
        (_, DigestKind::Sha512) => ec(&[0x03, 0x04]),
    }
}

fn x509(
    common: &str,
    spec: &CertificateSpec,
    from: Date,
    until: Date,
    noise: &dyn Fn(u64) -> u64,
) -> Vec<u8> {
    let algorithm = signature_algorithm(spec.key, spec.digest);
    let mut serial = random(8, noise, 900);
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    let subject = name(common);
    let body = sequence(&[
        tagged(VERSION, &tagged(INTEGER, &[2])),
        integer(&serial),
        algorithm.clone(),
        subject.clone(),
        sequence(&[time(from), time(until)]),
        subject,
        public_key(spec.key, noise),
    ]);
    let signature = match spec.key {
        KeyKind::Ecdsa256 | KeyKind::Ecdsa384 => {
            let half = || integer(&[&[0x41], random(31, noise, 910).as_slice()].concat());
            sequence(&[half(), half()])
        }
        _ => random(256, noise, 920),
    };
    sequence(&[body, algorithm, bits(&signature)])
}

/// PEM, 64 characters a line.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = base64(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = [0_u8; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for place in 0..4 {
            let sextet = usize::try_from(word >> (18 - 6 * place) & 63).unwrap_or(0);
            text.push(if place <= chunk.len() {
                char::from(ALPHABET[sextet])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        let shown = [&b""[..], b"f", b"fo", b"foo", b"foob"].map(base64);
        assert_eq!(shown, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn lengths_and_integers_are_der() {
        assert_eq!(tagged(SEQUENCE, &[0; 3]), [0x30, 3, 0, 0, 0]);
        assert_eq!(tagged(SEQUENCE, &[0; 200])[..3], [0x30, 0x81, 200]);
        assert_eq!(tagged(SEQUENCE, &[0; 300])[..4], [0x30, 0x82, 1, 44]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
    }
}
