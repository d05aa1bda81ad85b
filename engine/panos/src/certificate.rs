//! Reads what an X.509 certificate says of itself: whom it names, its end, its key, its digest.
//! Knows as much DER as that takes; verifies nothing, and is never given a private key.

use hopgate_playbooks::ManagementCertificate;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::moment;
use crate::trust::Fingerprint;

mod name;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    subject: Option<String>,
    issuer: Option<String>,
    /// Whether both are the same, however they are written.
    self_signed: bool,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) not_after: Timestamp,
    pub(crate) algorithm: &'static str,
    /// Bits of the modulus, or of the curve.
    pub(crate) bits: Option<u32>,
    pub(crate) digest: Option<&'static str>,
}

/// Reads a certificate in PEM, as a configuration holds it.
pub(crate) fn read(pem: &str) -> Result<Said, &'static str> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| "it is not a certificate in PEM")?;
    said(&der).ok_or(UNREADABLE)
}

/// What the management address shows, as of `now`.
pub(crate) fn shown(der: &[u8], now: Timestamp) -> ManagementCertificate {
    let said = said(der);
    let unreadable = said.is_none().then(|| UNREADABLE.to_owned());
    let of = said.as_ref();
    ManagementCertificate {
        fingerprint: Fingerprint::of_der(der).to_string(),
        subject: of.and_then(|said| said.subject.clone()),
        issuer: of.and_then(|said| said.issuer.clone()),
        self_signed: of.map(|said| said.self_signed),
        not_before: of.and_then(|said| said.not_before),
        not_after: of.map(|said| said.not_after),
        expired: of.map(|said| said.not_after < now),
        algorithm: of.map(|said| said.algorithm.to_owned()),
        bits: of.and_then(|said| said.bits),
        digest: of.and_then(|said| said.digest).map(str::to_owned),
        unreadable,
    }
}

const UNREADABLE: &str = "it is not a certificate that can be read";

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version of a certificate, left out in version 1.
const VERSION: u8 = 0xa0;
/// The hash of RSASSA-PSS parameters, left out where it is SHA-1.
const PSS_HASH: u8 = 0xa0;

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }` (RFC 5280, 4.1).
pub(crate) fn said(der: &[u8]) -> Option<Said> {
    let mut certificate = Der(Der(der).expect(SEQUENCE)?);
    let mut signed = Der(certificate.expect(SEQUENCE)?);
    let mut signature = Der(certificate.expect(SEQUENCE)?);
    if signed.peek() == Some(VERSION) {
        signed.next()?;
    }
    let _serial = signed.expect(INTEGER)?;
    let _signature = signed.expect(SEQUENCE)?;
    let issuer = signed.expect(SEQUENCE)?;
    let mut validity = Der(signed.expect(SEQUENCE)?);
    let not_before = instant(validity.next()?);
    let not_after = instant(validity.next()?)?;
    let subject = signed.expect(SEQUENCE)?;
    let mut key = Der(signed.expect(SEQUENCE)?);
    let (algorithm, bits) = public_key(&mut key)?;
    Some(Said {
        subject: name::read(subject),
        issuer: name::read(issuer),
        self_signed: subject == issuer,
        not_before,
        not_after,
        algorithm,
        bits,
        digest: digest(&mut signature),
    })
}

/// `SubjectPublicKeyInfo ::= SEQUENCE { algorithm SEQUENCE { id, parameters }, BIT STRING }`.
fn public_key(key: &mut Der<'_>) -> Option<(&'static str, Option<u32>)> {
    let mut algorithm = Der(key.expect(SEQUENCE)?);
    let id = object_id(algorithm.expect(OBJECT_ID)?)?;
    let bits = key.expect(BIT_STRING)?;
    Some(match id.as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => ("RSA", modulus_bits(bits)),
        "1.2.840.10045.2.1" => ("EC", curve_bits(&mut algorithm)),
        "1.3.101.112" => ("Ed25519", Some(256)),
        "1.3.101.113" => ("Ed448", Some(448)),
        "1.2.840.10040.4.1" => ("DSA", None),
        _ => ("other", None),
    })
}

/// `RSAPublicKey ::= SEQUENCE { modulus, exponent }` behind the octet of unused bits.
fn modulus_bits(bits: &[u8]) -> Option<u32> {
    let mut key = Der(Der(bits.get(1..)?).expect(SEQUENCE)?);
    let modulus = key.expect(INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let significant = &modulus[first..];
    let bits = u32::try_from(significant.len()).ok()?.checked_mul(8)?;
    Some(bits - significant[0].leading_zeros())
}

fn curve_bits(algorithm: &mut Der<'_>) -> Option<u32> {
    match object_id(algorithm.expect(OBJECT_ID)?)?.as_str() {
        "1.2.840.10045.3.1.1" => Some(192),
        "1.3.132.0.33" => Some(224),
        "1.2.840.10045.3.1.7" => Some(256),
        "1.3.132.0.34" => Some(384),
        "1.3.132.0.35" => Some(521),
        _ => None,
    }
}

fn digest(signature: &mut Der<'_>) -> Option<&'static str> {
    let id = object_id(signature.expect(OBJECT_ID)?)?;
    Some(match id.as_str() {
        "1.2.840.113549.1.1.2" => "md2",
        "1.2.840.113549.1.1.4" => "md5",
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => "sha1",
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => "sha224",
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => "sha256",
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => "sha384",
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "1.3.101.112" => "sha512",
        "1.3.101.113" => "shake256",
        "1.2.840.113549.1.1.10" => pss_digest(signature)?,
        _ => return None,
    })
}

/// `RSASSA-PSS-params ::= SEQUENCE { [0] SEQUENCE { id }, .. }`.
fn pss_digest(signature: &mut Der<'_>) -> Option<&'static str> {
    let mut parameters = Der(signature.expect(SEQUENCE)?);
    if parameters.peek() != Some(PSS_HASH) {
        return Some("sha1");
    }
    let mut hash = Der(Der(parameters.next()?.content).expect(SEQUENCE)?);
    match object_id(hash.expect(OBJECT_ID)?)?.as_str() {
        "1.3.14.3.2.26" => Some("sha1"),
        "2.16.840.1.101.3.4.2.4" => Some("sha224"),
        "2.16.840.1.101.3.4.2.1" => Some("sha256"),
        "2.16.840.1.101.3.4.2.2" => Some("sha384"),
        "2.16.840.1.101.3.4.2.3" => Some("sha512"),
        _ => None,
    }
}

/// `YYMMDDHHMMSSZ`, where 50 and above are of the last century, or `YYYYMMDDHHMMSSZ` (RFC 5280, 4.1.2.5).
fn instant(time: Element<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(time.content).ok()?;
    let century = match (time.tag, text.get(..2)?) {
        (UTC_TIME, year) if year < "50" => "20",
        (UTC_TIME, _) => "19",
        (GENERALIZED_TIME, _) => "",
        _ => return None,
    };
    let time = moment::time(&["%Y%m%d%H%M%SZ"], &format!("{century}{text}"))?;
    // 99991231235959Z means that there is no end (RFC 5280, 4.1.2.5), and is later than an instant can be.
    let instant = time.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    Some(instant.unwrap_or(Timestamp::MAX))
}

fn object_id(content: &[u8]) -> Option<String> {
    let (mut id, mut arc, mut first) = (String::new(), 0_u64, true);
    for byte in content {
        arc = arc.checked_mul(128)? + u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        match first {
            // The first number holds two.
            true => {
                let top = (arc / 40).min(2);
                id = format!("{top}.{}", arc - top * 40);
            }
            false => id.push_str(&format!(".{arc}")),
        }
        (arc, first) = (0, false);
    }
    Some(id)
}

/// Elements one after another.
struct Der<'a>(&'a [u8]);

#[derive(Clone, Copy)]
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

impl<'a> Der<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            // More than four octets of length are more than any reply has.
            let octets = usize::from(first & 0x7f);
            if octets == 0 || octets > 4 {
                return None;
            }
            let (value, after) = rest.split_at_checked(octets)?;
            length = value
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Element { tag, content })
    }

    /// The content of the next element, which has to be of this kind.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|element| element.tag == tag)
            .map(|element| element.content)
    }
}

#[cfg(test)]
mod tests;
