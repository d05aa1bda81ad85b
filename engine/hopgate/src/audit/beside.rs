//! An audit beside a campaign of the same process: whose devices they are, and which of them are left alone just now.
//!
//! Must not know what an audit asks, nor why a campaign does what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use hopgate_core::names::{CampaignId, DeviceId};
use hopgate_panos::Client;

use crate::config::inventory::Entry;
use crate::connect::{Connections, authority};

/// The devices of a campaign that is running, as an audit meets them.
#[derive(Clone)]
pub struct Campaign {
    id: CampaignId,
    devices: BTreeMap<DeviceId, (String, Arc<Client>)>,
    under_way: Arc<Mutex<BTreeSet<DeviceId>>>,
}

impl Campaign {
    /// A campaign with its connections; nothing is under way yet.
    pub fn new(id: CampaignId, connections: &Connections) -> Campaign {
        let devices = connections.clients.iter().filter_map(|(device, client)| {
            let address = connections.addresses.get(device)?.clone();
            Some((device.clone(), (address, Arc::clone(client))))
        });
        Campaign {
            id,
            devices: devices.collect(),
            under_way: Arc::default(),
        }
    }

    /// A device works, or has come to rest.
    pub fn note(&self, device: &DeviceId, works: bool) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if works {
            under_way.insert(device.clone());
        } else {
            under_way.remove(device);
        }
    }

    /// Has an audit ask through the campaign's clients what is the same device: the limit on calls at a time is the device's.
    pub(super) fn share(&self, connections: &mut Connections) {
        for (device, (address, client)) in &self.devices {
            // Another customer's inventory may have another device of that name.
            if connections.addresses.get(device) == Some(address)
                && let Some(place) = connections.clients.get_mut(device)
            {
                *place = Arc::clone(client);
            }
        }
    }

    /// Why a device is not asked now. One that is suspended, or restarts, by our own doing is no finding; and sixty calls of
    /// an audit must not stand before a look at a boot.
    pub(super) fn keeps_from(&self, entry: &Entry) -> Option<String> {
        let (address, _) = self.devices.get(&entry.name)?;
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        (under_way.contains(&entry.name) && *address == authority(entry)).then(|| {
            format!(
                "campaign {} is in the middle of a hop of it; it is asked by the next run",
                self.id
            )
        })
    }
}
