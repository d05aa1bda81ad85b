//! An audit beside a campaign of the same process: whose devices they are, and which of them are left alone just now.
//!
//! Must not know what an audit asks, nor why a campaign does what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use hopgate_core::names::{CampaignId, DeviceId};
use hopgate_core::plan::Plan;
use hopgate_panos::Client;

use super::names_hardware;
use crate::config::inventory::{Entry, Inventory};
use crate::connect::{Connections, authority};

/// The devices of a campaign that is running, as an audit meets them.
#[derive(Clone)]
pub struct Campaign {
    id: CampaignId,
    devices: BTreeMap<DeviceId, Device>,
    under_way: Arc<Mutex<BTreeSet<DeviceId>>>,
}

#[derive(Clone)]
struct Device {
    address: String,
    serial: Option<String>,
    client: Arc<Client>,
}

impl Campaign {
    /// A campaign with its connections; nothing is under way yet.
    pub fn new(id: CampaignId, plan: &Plan, connections: &Connections) -> Campaign {
        let devices = connections.clients.iter().filter_map(|(device, client)| {
            let serial = plan.devices.get(device).map(|planned| planned.serial.clone());
            let known = Device {
                address: connections.addresses.get(device)?.clone(),
                serial: serial.filter(|serial| names_hardware(serial)),
                client: Arc::clone(client),
            };
            Some((device.clone(), known))
        });
        Campaign {
            id,
            devices: devices.collect(),
            under_way: Arc::default(),
        }
    }

    /// The campaign's device that an entry of an inventory is: the one of its serial number, whatever it is called there and
    /// however it is reached, or the one of its name at its address. Another customer's inventory may have another device of
    /// that name.
    fn same(&self, entry: &Entry) -> Option<(&DeviceId, &Device)> {
        let by_serial = || {
            let serial = entry.serial.as_deref()?;
            let mut devices = self.devices.iter();
            devices.find(|(_, device)| device.serial.as_deref() == Some(serial))
        };
        let by_name = self.devices.get_key_value(&entry.name);
        by_name
            .filter(|(_, device)| device.address == authority(entry))
            .or_else(by_serial)
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
    pub(super) fn share(&self, inventory: &Inventory, connections: &mut Connections) {
        for entry in &inventory.devices {
            if let Some((_, device)) = self.same(entry)
                && let Some(place) = connections.clients.get_mut(&entry.name)
            {
                *place = Arc::clone(&device.client);
            }
        }
    }

    /// Why a device is not asked now. One that is suspended, or restarts, by our own doing is no finding; and sixty calls of
    /// an audit must not stand before a look at a boot.
    pub(super) fn keeps_from(&self, entry: &Entry) -> Option<String> {
        let (device, _) = self.same(entry)?;
        let under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.contains(device).then(|| {
            format!(
                "campaign {} is in the middle of a hop of it; it is asked by the next run",
                self.id
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use hopgate_panos::{Credentials, HttpsLimits, HttpsTransport, Secret, Trust};

    use super::*;

    #[test]
    fn a_device_is_known_by_its_serial_number_or_by_name_and_address() {
        let known = |address: &str, serial: Option<&str>| Device {
            address: address.to_owned(),
            serial: serial.map(str::to_owned),
            client: Arc::new(Client::new(
                "fw1".to_owned(),
                Arc::new(HttpsTransport::new("192.0.2.1:443", Trust::None, HttpsLimits::default()).unwrap()),
                Credentials::Key(Secret::new("K")),
            )),
        };
        let campaign = Campaign {
            id: "spring".parse().unwrap(),
            devices: BTreeMap::from([
                ("fw1".parse().unwrap(), known("fw1.example:443", Some("0011"))),
                ("fw2".parse().unwrap(), known("192.0.2.2:443", None)),
            ]),
            under_way: Arc::default(),
        };
        campaign.note(&"fw1".parse().unwrap(), true);
        campaign.note(&"fw2".parse().unwrap(), true);
        let kept = |text: &str| {
            let entry: Entry = serde_json::from_str(text).unwrap();
            campaign.keeps_from(&entry).is_some()
        };
        // As Panorama names and reaches it.
        assert!(kept(
            r#"{"name": "VIE-FW-01", "address": "192.0.2.1", "serial": "0011"}"#
        ));
        assert!(kept(r#"{"name": "fw2", "address": "192.0.2.2"}"#));
        assert!(!kept(
            r#"{"name": "fw2", "address": "198.51.100.7", "serial": "0099"}"#
        ));
        assert!(!kept(r#"{"name": "fw3", "address": "192.0.2.2"}"#));
        campaign.note(&"fw1".parse().unwrap(), false);
        assert!(!kept(
            r#"{"name": "VIE-FW-01", "address": "192.0.2.1", "serial": "0011"}"#
        ));
    }
}
