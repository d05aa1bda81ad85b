//! Ports and interfaces: hardware, logical interfaces, aggregates, counters, packet sizes, optics, light.
//! Knows the shapes; must not know which ports matter.

use hopgate_paths::OpticClass;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// One port and the module in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Optic {
    /// The slot, 1 on a box without slots.
    pub slot: u32,
    /// The port in the slot.
    pub port: u32,
    /// `ethernet1/5`.
    pub interface: String,
    /// What the port says is in it: `SFP-Plus-Fiber`, `SFP-Empty`, `CAT5`.
    pub media: String,
    /// The vendor the module names. No proof of anything: genuine modules name their makers, clones write what they like.
    pub vendor: Option<String>,
    /// The part number the module names.
    pub part: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// What to think of it, on its model and with the release that it was looked at for: that of the hop that is planned, else
    /// the running one.
    pub class: OpticClass,
    /// What harm it does, or what keeps it from being allowed where the list of modules knows its part.
    #[serde(default)]
    pub why: Option<String>,
}

/// The interfaces of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interfaces {
    /// The ports, each once.
    pub hardware: Vec<HardwareInterface>,
    /// What is configured on them, each name once.
    pub logical: Vec<LogicalInterface>,
}

/// One port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwareInterface {
    /// `ethernet1/1`, `ae1`, `ha1-a`.
    pub name: String,
    /// `up`, `down`, `power-down`.
    pub state: String,
    /// `1000`, `ukn`.
    pub speed: Option<String>,
    /// `full`.
    pub duplex: Option<String>,
    /// Its MAC address.
    pub mac: Option<String>,
    /// `(autoneg)`.
    pub mode: Option<String>,
}

/// One logical interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogicalInterface {
    /// `ethernet1/1.100`, `loopback.1`, `tunnel.7`.
    pub name: String,
    /// The virtual system, as the device numbers it.
    pub vsys: Option<String>,
    /// The zone.
    pub zone: Option<String>,
    /// What forwards its packets: `vr:default`.
    pub forwarding: Option<String>,
    /// The VLAN tag; 0 for none.
    pub tag: Option<u32>,
    /// Its addresses, with prefix lengths, each once and in the order of their texts.
    pub addresses: Vec<String>,
}

/// What went through an interface since the dataplane came up. Whatever the device does not count is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceCounters {
    /// The interface.
    pub name: String,
    /// Whether it is a logical one: a port and the logical interface on it have the same name.
    pub logical: bool,
    /// Bytes received.
    pub bytes_in: Option<u64>,
    /// Bytes sent.
    pub bytes_out: Option<u64>,
    /// Packets received.
    pub packets_in: Option<u64>,
    /// Packets sent.
    pub packets_out: Option<u64>,
    /// Packets received with errors: of a port, the larger of what it counts itself and what the processor behind it does.
    pub errors_in: Option<u64>,
    /// Packets that were received and thrown away.
    pub drops_in: Option<u64>,
}

/// The largest packet of one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceMtu {
    /// The interface.
    pub interface: String,
    /// In bytes; none where the device does not say, as for many subinterfaces.
    pub mtu: Option<u64>,
}

/// One aggregate interface, as LACP sees it. It is identified by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Aggregate {
    /// `ae1`.
    pub name: String,
    /// Whether LACP runs on it; none where the device does not say.
    pub lacp: Option<bool>,
    /// `Active`, `Passive`.
    pub mode: Option<String>,
    /// `Slow`, `Fast`.
    pub rate: Option<String>,
    /// Whether a passive member of a pair negotiates too; where not, its ports are in no bundle until it is active.
    pub pre_negotiation: Option<bool>,
    /// The system address of the other side; none where nobody answered there.
    pub partner: Option<String>,
    /// Its ports.
    pub members: Vec<AggregateMember>,
}

/// One port of an aggregate interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AggregateMember {
    /// `ethernet1/3`.
    pub interface: String,
    /// Whether it carries traffic of the bundle; none where the device does not say. A port that is `Selected` need not
    /// be in the bundle.
    pub bundled: Option<bool>,
    /// `Selected`, `Unselected(Link down)`.
    pub selection: Option<String>,
    /// `Current`, `Expired`, `Defaulted`: what was heard from the other side.
    pub receive: Option<String>,
    /// `Tx_Rx`, `Waiting`, `Detached`.
    pub mux: Option<String>,
    /// Why it is not selected, where the device says so.
    pub reason: Option<String>,
}

/// What the modules measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transceivers {
    /// Whether this model and release read the sensors of modules at all.
    pub readable: bool,
    /// The modules that are in a port.
    pub modules: Vec<Transceiver>,
}

/// What one module measures. None where it does not tell, as modules for copper and many of other makers do not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Transceiver {
    /// `ethernet1/21`.
    pub interface: String,
    /// Thousandths of a degree Celsius.
    pub temperature_millidegrees: Option<i64>,
    /// Thousandths of a volt.
    pub voltage_millivolts: Option<i64>,
    /// The current of the laser, in millionths of an ampere.
    pub current_microamperes: Option<i64>,
    /// The light it sends, in millionths of a watt.
    pub sent_microwatts: Option<i64>,
    /// The light it receives, in millionths of a watt.
    pub received_microwatts: Option<i64>,
}

/// What the system log tells of the links of ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkChanges {
    /// The ports that it tells of, by their names. One whose link never changed is not among them.
    pub ports: Vec<PortLinkChanges>,
    /// Since when it tells of every change, in the right order: where the device gave only its newest entries, or its clock was
    /// set. What was before is not known, whatever the times of entries say. None where it gave all that it has.
    pub cut_at: Option<DateTime>,
    /// Whether its clock was set and no such time can be told.
    #[serde(default)]
    pub times_in_doubt: bool,
}

/// How the link of one port changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortLinkChanges {
    /// `ethernet1/1`, `MGT`, `HA1-A`.
    pub interface: String,
    /// What the log tells of it, the newest first.
    pub log: Vec<LinkChange>,
}

/// One change of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkChange {
    /// When the management plane logged it, by its own clock, in a zone that the log does not name.
    pub at: DateTime,
    /// Whether it is the link's coming up; none where the entry says neither up nor down.
    pub up: Option<bool>,
}
