//! TLS for a whole fleet: one provider, one ticket key, one store of sessions, and a certificate a device.
//!
//! Clients keep sessions by address and not by port, so each device only takes up sessions of its own: a ticket or a
//! session id of another device, or of a certificate it had before, leads to a full handshake.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions};
use tokio_rustls::TlsAcceptor;

use super::ServeError;

/// Sessions of clients without tickets, over the whole fleet; a few hundred bytes each.
const SESSIONS: usize = 4096;

/// What all devices share.
#[derive(Debug)]
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    tickets: Arc<dyn ProducesTickets>,
    sessions: Arc<ServerSessionMemoryCache>,
}

impl Tls {
    pub(super) fn new() -> Result<Self, rustls::Error> {
        Ok(Self {
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            tickets: rustls::crypto::ring::Ticketer::new()?,
            sessions: ServerSessionMemoryCache::new(SESSIONS),
        })
    }

    /// TLS with a new self-signed certificate, in the device's name. `generation` counts the certificates of the device.
    pub(super) fn acceptor(
        &self,
        device: &str,
        generation: u64,
        address: IpAddr,
    ) -> Result<TlsAcceptor, ServeError> {
        let certificate = |source| ServeError::Certificate {
            device: device.to_owned(),
            source,
        };
        let tls = |source| ServeError::Tls {
            device: device.to_owned(),
            source,
        };
        let mut says = CertificateParams::new([address.to_string(), device.to_owned()])
            .or_else(|_| CertificateParams::new([address.to_string()]))
            .map_err(certificate)?;
        says.distinguished_name = DistinguishedName::new();
        says.distinguished_name.push(DnType::CommonName, device);
        let key = KeyPair::generate().map_err(certificate)?;
        let shown = says.self_signed(&key).map_err(certificate)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let mut config = rustls::ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_no_client_auth()
            .with_single_cert(vec![shown.der().clone()], key)
            .map_err(tls)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut owner = device.as_bytes().to_vec();
        owner.push(0);
        owner.extend(generation.to_be_bytes());
        let owner: Arc<[u8]> = owner.into();
        config.ticketer = Arc::new(OwnTickets {
            owner: owner.clone(),
            all: self.tickets.clone(),
        });
        config.session_storage = Arc::new(OwnSessions {
            owner,
            all: self.sessions.clone(),
        });
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Tickets that say inside whose they are.
#[derive(Debug)]
struct OwnTickets {
    owner: Arc<[u8]>,
    all: Arc<dyn ProducesTickets>,
}

impl ProducesTickets for OwnTickets {
    fn enabled(&self) -> bool {
        self.all.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.all.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.all.encrypt(&[&self.owner, plain].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.all.decrypt(cipher)?;
        // The name ends with a zero, so that no owner is the beginning of another.
        plain.strip_prefix(&*self.owner).map(<[u8]>::to_vec)
    }
}

/// Sessions under ids of the owner's own.
#[derive(Debug)]
struct OwnSessions {
    owner: Arc<[u8]>,
    all: Arc<ServerSessionMemoryCache>,
}

impl OwnSessions {
    fn id(&self, id: &[u8]) -> Vec<u8> {
        [&self.owner, id].concat()
    }
}

impl StoresServerSessions for OwnSessions {
    fn put(&self, id: Vec<u8>, session: Vec<u8>) -> bool {
        self.all.put(self.id(&id), session)
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.all.get(&self.id(id))
    }

    fn take(&self, id: &[u8]) -> Option<Vec<u8>> {
        self.all.take(&self.id(id))
    }

    fn can_cache(&self) -> bool {
        self.all.can_cache()
    }
}
