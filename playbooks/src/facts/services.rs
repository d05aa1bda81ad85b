//! What a device does for others: tunnels, remote users, Panorama, User-ID, redistribution.
//! Knows the shapes; must not know what counts as healthy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One IPsec tunnel, or one proxy id of a tunnel. It is identified by name and number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IpsecTunnel {
    /// `branch-7`, or `branch-7:proxy-1` for one proxy id.
    pub name: String,
    /// The device's number for it.
    pub id: Option<u64>,
    /// The number of its gateway.
    pub gateway: Option<u64>,
    /// `active`, `init`, `inactive`.
    pub state: String,
    /// The tunnel interface.
    pub inner_interface: Option<String>,
    /// The interface to the outside.
    pub outer_interface: Option<String>,
    /// The address on our side.
    pub local_address: Option<String>,
    /// The peer's.
    pub peer_address: Option<String>,
    /// What tunnel monitoring says.
    pub monitor: Option<String>,
}

/// One GlobalProtect user that is connected. A user can be there several times, from several computers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GlobalProtectUser {
    /// The domain.
    pub domain: Option<String>,
    /// The name.
    pub user: String,
    /// The computer.
    pub computer: Option<String>,
    /// The address inside of the tunnel.
    pub virtual_address: Option<String>,
}

/// The link to Panorama.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanoramaLink {
    /// The configured Panoramas; none on a device that is managed by nobody.
    pub servers: Vec<PanoramaServer>,
}

/// One Panorama.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanoramaServer {
    /// Its address.
    pub address: String,
    /// Whether the device is connected to it.
    pub connected: bool,
    /// Its role, in the device's words: `Active`, `disconnected`.
    pub ha_state: Option<String>,
}

/// User-ID on this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserId {
    /// Whether the User-ID service is up, so that other firewalls can ask it.
    pub service_up: bool,
}

/// Redistribution of User-ID and similar data. The fields of an entry are those that the device gives: the vendor
/// does not document them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redistribution {
    /// Firewalls that ask this one.
    pub clients: Vec<BTreeMap<String, String>>,
    /// Agents and firewalls that this one asks.
    pub agents: Vec<BTreeMap<String, String>>,
}

/// One receiver of logs. It is identified by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogReceiver {
    /// `CMS 0`, `Log Collector`, as the device heads it.
    pub name: String,
    /// Whether logs go there; none where the device says it in words that are not known.
    pub connected: Option<bool>,
    /// What it says of the connection.
    pub said: Option<String>,
}

/// One User-ID agent that this firewall asks. It is identified by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserIdAgent {
    /// Its name.
    pub name: String,
    /// Its address.
    pub host: Option<String>,
    /// The virtual system it serves.
    pub vsys: Option<String>,
    /// Whether the firewall is connected to it; none where the device does not say.
    pub connected: Option<bool>,
}
