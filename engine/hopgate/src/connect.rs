//! From inventory entries to clients: addresses, trust, credentials; and the journal of certificates that were trusted on
//! first use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hopgate_core::names::DeviceId;
use hopgate_panos::{Client, Fingerprint, HttpsError, HttpsLimits, HttpsTransport, Now};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::config::ConfigError;
use crate::config::credentials::{CredentialsError, Fetched};
use crate::config::inventory::{Entry, Inventory, TrustRef};
use crate::journal::{InvalidStream, StreamId};
use crate::ledger::{Ledger, LedgerError};

/// Port of the XML API where an address names none.
const HTTPS_PORT: u16 = 443;

/// Why a device of the inventory cannot be connected to at all.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its credentials cannot be had.
    #[error("failed to get the credentials of {device}")]
    Credentials {
        /// The device.
        device: DeviceId,
        /// Why.
        #[source]
        source: CredentialsError,
    },
    /// Its trust setting is wrong.
    #[error("failed to read the trust setting of {device}")]
    Trust {
        /// The device.
        device: DeviceId,
        /// Why.
        #[source]
        source: ConfigError,
    },
    /// Its address is wrong.
    #[error("failed to set up the connection to {device}")]
    Transport {
        /// The device.
        device: DeviceId,
        /// Why.
        #[source]
        source: HttpsError,
    },
    /// The pinned certificates cannot be read or recorded.
    #[error("failed to keep the certificates that were trusted on first use")]
    Pins(#[source] LedgerError),
}

/// A certificate was trusted because it was the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TrustEvent {
    Pinned { device: DeviceId, fingerprint: String },
}

/// A client for every device of an inventory, and what is needed to remember their certificates.
pub struct Connections {
    /// The clients.
    pub clients: BTreeMap<DeviceId, Arc<Client>>,
    /// Where each of them asks.
    pub addresses: BTreeMap<DeviceId, String>,
    first_use: BTreeMap<DeviceId, Arc<HttpsTransport>>,
}

fn trust_stream() -> Result<StreamId, InvalidStream> {
    StreamId::new("trust")
}

/// Makes a client for each device; nothing is sent yet.
pub fn connect(inventory: &Inventory, path: &Path, ledger: &Ledger) -> Result<Connections, ConnectError> {
    let pins = pins(ledger).map_err(ConnectError::Pins)?;
    let mut fetched = Fetched::default();
    let civil = inventory.clock();
    let now: Now = Arc::new(move || civil.now());
    let mut connections = Connections {
        clients: BTreeMap::new(),
        addresses: BTreeMap::new(),
        first_use: BTreeMap::new(),
    };
    for entry in &inventory.devices {
        let device = entry.name.clone();
        let trust_ref = entry
            .trust
            .as_ref()
            .or(inventory.defaults.trust.as_ref())
            .unwrap_or(&TrustRef::FirstUse);
        let pinned = pins.get(&device).copied();
        let trust = trust_ref
            .resolve(path, pinned)
            .map_err(|source| ConnectError::Trust {
                device: device.clone(),
                source,
            })?;
        let transport =
            HttpsTransport::new(&authority(entry), trust, HttpsLimits::default()).map_err(|source| {
                ConnectError::Transport {
                    device: device.clone(),
                    source,
                }
            })?;
        let transport = Arc::new(transport);
        if *trust_ref == TrustRef::FirstUse && pinned.is_none() {
            connections
                .first_use
                .insert(device.clone(), Arc::clone(&transport));
        }
        let credentials = entry
            .credentials
            .as_ref()
            .or(inventory.defaults.credentials.as_ref());
        let credentials = credentials
            .ok_or(CredentialsError::Incomplete)
            .and_then(|found| found.resolve(&mut fetched))
            .map_err(|source| ConnectError::Credentials {
                device: device.clone(),
                source,
            })?;
        let client = Client::new(device.to_string(), transport, credentials)
            .pausing_by(|span| Box::pin(clock::pause(span)))
            .dated_by(Arc::clone(&now));
        connections.addresses.insert(device.clone(), authority(entry));
        connections.clients.insert(device, Arc::new(client));
    }
    Ok(connections)
}

impl Connections {
    /// What answered for this device is not known to be it: its certificate is not to be remembered.
    pub fn doubt(&mut self, device: &DeviceId) {
        self.first_use.remove(device);
    }

    /// Records the certificates that were seen for the first time, so that another one later is refused.
    pub async fn record_first_use(&self, ledger: &Ledger, now: Timestamp) -> Result<usize, ConnectError> {
        let seen: Vec<TrustEvent> = self
            .first_use
            .iter()
            .filter_map(|(device, transport)| {
                let fingerprint = transport.fingerprint()?.to_string();
                Some(TrustEvent::Pinned {
                    device: device.clone(),
                    fingerprint,
                })
            })
            .collect();
        let known = pins(ledger).map_err(ConnectError::Pins)?;
        let new: Vec<TrustEvent> = seen
            .into_iter()
            .filter(|TrustEvent::Pinned { device, .. }| !known.contains_key(device))
            .collect();
        let stream = trust_stream().map_err(|error| ConnectError::Pins(error.into()))?;
        for chunk in new.chunks(crate::journal::APPEND_ENTRIES_LIMIT) {
            let next = ledger.next(&stream).map_err(ConnectError::Pins)?;
            ledger
                .append(&stream, next, now, chunk)
                .await
                .map_err(ConnectError::Pins)?;
        }
        Ok(new.len())
    }
}

fn pins(ledger: &Ledger) -> Result<BTreeMap<DeviceId, Fingerprint>, LedgerError> {
    let events = ledger.read::<TrustEvent>(&trust_stream()?)?;
    Ok(events
        .into_iter()
        .filter_map(|dated| {
            let TrustEvent::Pinned { device, fingerprint } = dated.event;
            Some((device, fingerprint.parse().ok()?))
        })
        .collect())
}

/// Host and port of a device.
pub(crate) fn authority(entry: &Entry) -> String {
    let address = &entry.address;
    let has_port = match address.rfind(']') {
        Some(bracket) => address
            .get(bracket + 1..)
            .is_some_and(|rest| rest.starts_with(':')),
        None => address.contains(':'),
    };
    if has_port {
        address.clone()
    } else {
        format!("{address}:{HTTPS_PORT}")
    }
}
