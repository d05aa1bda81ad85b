//! High availability: the state of the two members, and what connects them.
//! Knows the shapes; must not know which states are good for an upgrade.

use serde::{Deserialize, Serialize};

/// High availability as one member sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ha {
    /// Whether it is on at all.
    pub enabled: bool,
    /// `Active-Passive` or `Active-Active`.
    pub mode: Option<String>,
    /// The device itself.
    pub local: HaMember,
    /// Its peer, where it knows one.
    pub peer: Option<HaMember>,
    /// `synchronized`, where the members' configurations agree.
    pub running_sync: Option<String>,
    /// Whether configurations are kept in step at all; none where the device does not say.
    pub running_sync_enabled: Option<bool>,
    /// Whether a member takes the active role back when it returns: one that does is enough. None where one of them does
    /// not say and the other does not.
    pub preemptive: Option<bool>,
}

/// One member of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaMember {
    /// `active`, `passive`, `suspended`, `initial`, `tentative`, `non-functional`.
    pub state: String,
    /// Why it is in that state, where it says.
    pub reason: Option<String>,
    /// The release it runs, as HA reports it.
    pub build: Option<String>,
    /// `Complete`, once sessions are in step.
    pub state_sync: Option<String>,
    /// Its management address.
    pub address: Option<String>,
}

/// What connects the members of a pair, and what makes one take over from the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaLinks {
    /// Whether high availability is on at all; where not, the rest is empty.
    pub enabled: bool,
    /// This member's priority; the lower number is preferred.
    pub priority: Option<u32>,
    /// The peer's.
    pub peer_priority: Option<u32>,
    /// Whether this member takes the active role back.
    pub preemptive: Option<bool>,
    /// Whether the peer does.
    pub peer_preemptive: Option<bool>,
    /// `up` or `down`: whether the members reach one another at all.
    pub connection: Option<String>,
    /// `ha1`, `ha1-backup`, `ha2`, `ha2-backup`: as many as the device lists.
    pub links: Vec<HaLink>,
    /// What is not the same on both members, by the names the device gives (`app-compat`, `build-compat`).
    pub mismatches: Vec<String>,
    /// Whether monitored ports can cause a failover.
    pub link_monitoring: Option<bool>,
    /// The groups of monitored ports.
    pub link_groups: Vec<LinkGroup>,
    /// Whether monitored addresses can cause a failover.
    pub path_monitoring: Option<bool>,
    /// How often this member took the active role back from its peer, and lost it within 15 minutes; none where it does not
    /// say, as in facts that were stored before it was asked.
    #[serde(default)]
    pub preemption_flaps: Option<u64>,
    /// How often it left service unfit, within 15 minutes of the time before.
    #[serde(default)]
    pub non_functional_flaps: Option<u64>,
    /// At how many of either it suspends itself; 0 for never.
    #[serde(default)]
    pub most_flaps: Option<u64>,
}

/// One link between the members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaLink {
    /// `ha1`.
    pub name: String,
    /// `up`, `down`; none where the device names the link and not how it is.
    pub status: Option<String>,
}

/// One group of monitored ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkGroup {
    /// Its name.
    pub name: String,
    /// Whether it counts.
    pub enabled: bool,
    /// Its ports.
    pub interfaces: Vec<MonitoredInterface>,
}

/// One monitored port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitoredInterface {
    /// `ethernet1/1`.
    pub name: String,
    /// `up`, `down`.
    pub status: String,
}
