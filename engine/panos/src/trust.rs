//! Which certificate a device may show: the trust rules, fingerprints, and the TLS verifier that enforces them.
//! Knows certificates; must not know HTTP, PAN-OS or where fingerprints are stored between runs.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

use crate::certificate;

/// How the device's certificate is judged.
///
/// Every rule also checks the handshake's signature: the peer must hold the private key of the certificate it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The certificate must chain to one of these authorities and name the device.
    Verify {
        /// One or more authorities as PEM certificates.
        roots_pem: Vec<u8>,
    },
    /// The leaf certificate must be exactly this one. The usual choice: a firewall's default certificate is self-signed.
    Pinned(Fingerprint),
    /// The first certificate that proves its key is remembered by this transport; a different one later is not trusted.
    TrustOnFirstUse,
    /// Any certificate. For laboratories only: whoever answers receives the credentials.
    None,
}

/// SHA-256 over the DER of a leaf certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate given as DER.
    #[must_use]
    pub fn of_der(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHA256")?;
        for byte in self.0 {
            write!(f, ":{byte:02x}")?;
        }
        Ok(())
    }
}

/// A text that is not a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a certificate fingerprint: write SHA256: and 32 pairs of hexadecimal digits with colons between"
)]
pub struct FingerprintError {
    text: String,
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Accepts the form this type prints, in either case. Without the `SHA256:` in front it is what
    /// `openssl x509 -fingerprint -sha256` prints after its `=`.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let wrong = || FingerprintError {
            text: text.to_owned(),
        };
        let digits = match text.get(..7) {
            Some(prefix) if prefix.eq_ignore_ascii_case("SHA256:") => &text[7..],
            _ => text,
        };
        let mut bytes = [0; 32];
        let mut pairs = digits.split(':');
        for byte in &mut bytes {
            let pair = pairs.next().ok_or_else(wrong)?;
            let hexadecimal = pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
            if !hexadecimal {
                return Err(wrong());
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        match pairs.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(wrong()),
        }
    }
}

/// Why the trust rule itself cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The text given as authorities is not PEM.
    #[error("the certificate authorities cannot be read as PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// An authority's certificate is not usable as a trust anchor.
    #[error("a certificate authority cannot be used as a trust anchor")]
    Anchor(#[source] rustls::Error),
    /// The PEM holds no certificate.
    #[error("the file of certificate authorities holds no certificate")]
    NoAuthority,
    /// The chain verifier could not be built.
    #[error("the certificate verifier could not be built")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
}

/// A certificate that the rule does not accept; travels inside `rustls::Error` to whoever maps the failed connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub(crate) struct Rejection {
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Rejection {
    fn into_tls(self) -> rustls::Error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(self))))
    }

    /// The rejection inside a TLS error, if a certificate was the reason for it.
    pub(crate) fn in_tls(error: &rustls::Error) -> Option<Self> {
        let rustls::Error::InvalidCertificate(reason) = error else {
            return None;
        };
        let own = match reason {
            CertificateError::Other(other) => other.0.downcast_ref::<Self>().cloned(),
            _ => None,
        };
        Some(own.unwrap_or_else(|| Self {
            expected: "a certificate that can be checked".into(),
            found: reason.to_string(),
        }))
    }
}

#[derive(Debug)]
enum Rule {
    Chain(Arc<WebPkiServerVerifier>),
    Pinned(Fingerprint),
    FirstUse,
    Any,
}

/// The rule as a TLS verifier. It also remembers the certificates of peers that proved their key.
#[derive(Debug)]
pub(crate) struct DeviceVerifier {
    rule: Rule,
    provider: Arc<CryptoProvider>,
    proven: Mutex<Proven>,
}

/// Of the peers that proved their key.
#[derive(Debug, Default)]
struct Proven {
    /// Whoever was first.
    first: Option<Fingerprint>,
    /// The certificate of whoever was last, as DER.
    newest: Option<Bytes>,
}

impl DeviceVerifier {
    pub(crate) fn new(trust: Trust, provider: Arc<CryptoProvider>) -> Result<Self, TrustError> {
        let rule = match trust {
            Trust::Verify { roots_pem } => Rule::Chain(chain_verifier(&roots_pem, Arc::clone(&provider))?),
            Trust::Pinned(fingerprint) => Rule::Pinned(fingerprint),
            Trust::TrustOnFirstUse => Rule::FirstUse,
            Trust::None => Rule::Any,
        };
        Ok(Self {
            rule,
            provider,
            proven: Mutex::default(),
        })
    }

    /// The certificate of the first peer that proved its key.
    pub(crate) fn proven(&self) -> Option<Fingerprint> {
        self.known().first
    }

    /// The certificate of the last peer that proved its key, as DER.
    pub(crate) fn shown(&self) -> Option<Bytes> {
        self.known().newest.clone()
    }

    fn known(&self) -> MutexGuard<'_, Proven> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<(), Rejection> {
        let found = Fingerprint::of_der(end_entity);
        match &self.rule {
            Rule::Chain(chain) => chain
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map(|_| ())
                .map_err(|reason| Rejection {
                    expected: format!(
                        "a certificate for {} from a trusted authority",
                        server_name.to_str()
                    ),
                    found: format!("{found} ({})", in_plain_words(&reason, end_entity)),
                }),
            Rule::Pinned(expected) => must_be(*expected, found),
            Rule::FirstUse => self.proven().map_or(Ok(()), |expected| must_be(expected, found)),
            Rule::Any => Ok(()),
        }
    }

    /// Remembers a certificate only here, after its key was proven: a peer that replays somebody else's certificate
    /// without the key must not become the one that is trusted.
    fn remember(&self, certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let found = Fingerprint::of_der(certificate);
        let mut proven = self.known();
        let first = *proven.first.get_or_insert(found);
        // Two first connections at once: the second to finish is held to the first.
        if let Rule::FirstUse = self.rule {
            must_be(first, found).map_err(Rejection::into_tls)?;
        }
        if proven.newest.as_deref() != Some(certificate) {
            proven.newest = Some(Bytes::copy_from_slice(certificate));
        }
        Ok(())
    }
}

/// Why a certificate is refused. The library tells of ends in seconds since 1970, and not which one of a chain has come to its
/// end; of some reasons it has only the name of a variant.
fn in_plain_words(error: &rustls::Error, end_entity: &[u8]) -> String {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return error.to_string();
    };
    let at = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).ok();
        seconds.and_then(|seconds| Timestamp::from_second(seconds).ok())
    };
    let said = certificate::said(end_entity);
    let whose = |own: Option<Timestamp>, told: Timestamp| match own == Some(told) {
        true => "it",
        false => "an authority that it is issued by",
    };
    let plain = match reason {
        CertificateError::ExpiredContext { not_after, .. } => at(not_after).map(|end| {
            let own = said.map(|said| said.not_after);
            format!("{} expired on {end}", whose(own, end))
        }),
        CertificateError::NotValidYetContext { not_before, .. } => at(not_before).map(|begin| {
            let own = said.and_then(|said| said.not_before);
            format!("{} is not valid before {begin}", whose(own, begin))
        }),
        CertificateError::UnknownIssuer => Some("no trusted authority issued it".to_owned()),
        _ => None,
    };
    plain.unwrap_or_else(|| reason.to_string())
}

fn must_be(expected: Fingerprint, found: Fingerprint) -> Result<(), Rejection> {
    if expected == found {
        return Ok(());
    }
    Err(Rejection {
        expected: expected.to_string(),
        found: found.to_string(),
    })
}

fn chain_verifier(
    roots_pem: &[u8],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(roots_pem) {
        roots
            .add(certificate.map_err(TrustError::Pem)?)
            .map_err(TrustError::Anchor)?;
    }
    if roots.is_empty() {
        return Err(TrustError::NoAuthority);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(TrustError::Verifier)
}

impl ServerCertVerifier for DeviceVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.judge(end_entity, intermediates, server_name, ocsp_response, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(Rejection::into_tls)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let valid = verify_tls12_signature(message, certificate, signature, algorithms)?;
        self.remember(certificate).map(|()| valid)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let valid = verify_tls13_signature(message, certificate, signature, algorithms)?;
        self.remember(certificate).map(|()| valid)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_what_it_prints_and_what_openssl_prints() {
        let fingerprint = Fingerprint::of_der(b"certificate");
        let printed = fingerprint.to_string();
        assert!(printed.starts_with("SHA256:") && printed.len() == 7 + 32 * 3 - 1);
        assert_eq!(printed.parse(), Ok(fingerprint));
        assert_eq!(printed[7..].to_uppercase().parse(), Ok(fingerprint));
    }

    #[test]
    fn a_wrong_fingerprint_says_what_a_right_one_looks_like() {
        let printed = Fingerprint::of_der(b"certificate").to_string();
        for wrong in [
            "",
            "SHA256:",
            &printed[..printed.len() - 1],
            &format!("{printed}:00"),
            &printed.replacen(':', ":+", 1),
            &printed.replace(':', ""),
            "SHA1:00",
            "\u{1F512}SHA256",
        ] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
        insta::assert_snapshot!(
            "12:34".parse::<Fingerprint>().unwrap_err(),
            @r#""12:34" is not a certificate fingerprint: write SHA256: and 32 pairs of hexadecimal digits with colons between"#
        );
    }

    #[test]
    fn what_is_wrong_with_a_chain_is_told_in_plain_words() {
        let pem = include_bytes!("../certificates/ended.pem");
        let ended = CertificateDer::from_pem_slice(pem).unwrap();
        let at = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let expired = |not_after| CertificateError::ExpiredContext {
            time: at(1_800_000_000),
            not_after: at(not_after),
        };
        let not_yet = |not_before| CertificateError::NotValidYetContext {
            time: at(1_600_000_000),
            not_before: at(not_before),
        };
        let told = [
            expired(1_735_689_600),
            expired(1_700_000_000),
            expired(u64::MAX),
            not_yet(1_704_067_200),
            not_yet(1_700_000_000),
            CertificateError::UnknownIssuer,
            CertificateError::NotValidForNameContext {
                expected: ServerName::try_from("fw1.example").unwrap(),
                presented: vec!["fw2.example".to_owned()],
            },
        ]
        .map(|reason| in_plain_words(&rustls::Error::InvalidCertificate(reason), &ended));
        insta::assert_snapshot!(told.join("\n"), @r#"
        it expired on 2025-01-01T00:00:00Z
        an authority that it is issued by expired on 2023-11-14T22:13:20Z
        certificate expired: verification time 1800000000 (UNIX), but certificate is not valid after 18446744073709551615 (0 seconds ago)
        it is not valid before 2024-01-01T00:00:00Z
        an authority that it is issued by is not valid before 2023-11-14T22:13:20Z
        no trusted authority issued it
        certificate not valid for name "fw1.example"; certificate is only valid for fw2.example
        "#);
    }

    #[test]
    fn a_file_without_authorities_is_refused() {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = Trust::Verify {
            roots_pem: b"no PEM here".to_vec(),
        };
        let error = DeviceVerifier::new(trust, provider).unwrap_err();
        assert!(matches!(error, TrustError::NoAuthority), "{error}");
    }
}
