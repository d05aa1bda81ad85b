//! Facts: a typed snapshot of one device, area by area, each either known or unknown with a reason.
//!
//! Responsible for: the shapes, which are stored, shown to people, and visible to checks under exactly these names.
//! Must not know: how they are read, or what anybody concludes from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cel::common::value::Val;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::values::{NoValue, value};

mod backups;
mod configuration;
mod events;
mod health;
mod identity;
mod pair;
mod ports;
mod routing;
mod services;

pub use backups::{Backup, Backups};
pub use configuration::{
    Certificate, ConfigurationShape, ExternalList, Features, GlobalProtect, GlobalProtectService, HeldLock,
    ListCapacity, ListContent, LockKind, LogTarget, LogTargets, ManagementCertificate, ScheduledJob,
    UpdateSchedule,
};
pub use events::{LogEvent, LogEvents, SyslogChange, SyslogConnections, SyslogServer};
pub use health::{
    Clocks, CoreFile, CoreLoad, DataplaneClock, DataplaneCpu, Disk, Job, ManagementCpu, Memory, Ntp,
    NtpServer, Process, Sensor, WallClock,
};
pub use identity::{
    Content, ContentPackage, Identity, Image, Licence, Partition, Plugin, Support, System, UpdateServer,
};
pub use pair::{Ha, HaLink, HaLinks, HaMember, LinkGroup, MonitoredInterface};
pub use ports::{
    Aggregate, AggregateMember, HardwareInterface, InterfaceCounters, InterfaceMtu, Interfaces, LinkChange,
    LinkChanges, LogicalInterface, Optic, PortLinkChanges, Transceiver, Transceivers,
};
pub use routing::{AdvancedRoute, ArpEntry, BgpPeer, BgpPrefixes, FibEntry, OspfNeighbour, Route};
pub use services::{
    GlobalProtectUser, IpsecTunnel, LogReceiver, PanoramaLink, PanoramaServer, Redistribution, UserId,
    UserIdAgent,
};

/// Something read from a device, or why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// It was read.
    Known(T),
    /// It was not, for this reason. Never the same as an empty value.
    Unknown(String),
}

impl<T> Fact<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The reason, where it is not.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(reason) => Some(reason),
        }
    }
}

/// When and how an area was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactSource {
    /// When its last reply came.
    pub read_at: Timestamp,
    /// What the device was asked, as it is typed on its command line. Several questions where one does not tell all, and in
    /// words what no command tells: `hopgate's own records` of what hopgate keeps.
    pub commands: Vec<String>,
}

fn not_asked<T>() -> Fact<T> {
    Fact::Unknown("not asked".to_owned())
}

/// The table of areas: a variant of [`FactArea`], the field of [`Facts`] with its name, and what is known there.
///
/// One table, because a variant without its field, or a name that is not the field's, would be a check that never
/// gets its facts. Areas are added at the end, and are absent from facts that were stored before: `not_asked`.
macro_rules! areas {
    ($($(#[doc = $doc:literal])+ $(#[serde($serde:meta)])? $variant:ident $field:ident: $known:ty,)+) => {
        /// What is known of one device at one instant.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Facts {
            /// The device's name in the inventory.
            pub device: String,
            /// When the reading began.
            pub read_at: Timestamp,
            $($(#[doc = $doc])+ $(#[serde($serde)])? pub $field: Fact<$known>,)+
            /// When and how each area was read, for those that the device was asked about.
            #[serde(default)]
            pub sources: BTreeMap<FactArea, FactSource>,
            /// What it answered to playbooks' own questions, by [`crate::Ask::key`], as the question is read.
            #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
            pub replies: BTreeMap<String, Fact<serde_json::Value>>,
        }

        impl Facts {
            /// Facts of a device that was not asked anything yet.
            pub fn unread(device: impl Into<String>, at: Timestamp) -> Self {
                Self {
                    device: device.into(),
                    read_at: at,
                    $($field: not_asked(),)+
                    sources: BTreeMap::new(),
                    replies: BTreeMap::new(),
                }
            }

            /// One area as expressions see it, where it is known.
            pub(crate) fn value(&self, area: FactArea) -> Option<Result<Box<dyn Val>, NoValue>> {
                match area {
                    $(FactArea::$variant => self.$field.known().map(value),)+
                }
            }

            /// One area as it is stored.
            pub(crate) fn stored(&self, area: FactArea) -> Result<serde_json::Value, serde_json::Error> {
                match area {
                    $(FactArea::$variant => serde_json::to_value(&self.$field),)+
                }
            }

            /// Facts of a device that gave no answer to what it was asked about these areas.
            pub fn silent(
                device: impl Into<String>,
                at: Timestamp,
                why: &str,
                asked: &BTreeSet<FactArea>,
            ) -> Self {
                let mut facts = Self::unread(device, at);
                for area in asked {
                    match area {
                        $(FactArea::$variant => facts.$field = Fact::Unknown(why.to_owned()),)+
                    }
                    let source = FactSource { read_at: at, commands: Vec::new() };
                    facts.sources.insert(*area, source);
                }
                facts
            }

            /// Why an area is unknown, if it is.
            pub fn unknown(&self, area: FactArea) -> Option<&str> {
                match area {
                    $(FactArea::$variant => self.$field.unknown(),)+
                }
            }
        }

        /// A part of the facts that is read, known and unknown as a whole. Named as the field of [`Facts`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FactArea {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl FactArea {
            /// Every area, in the order of the fields.
            pub const ALL: [Self; [$(stringify!($field)),+].len()] = [$(Self::$variant,)+];

            /// The name of the field, and of the variable a check sees.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($field),)+
                }
            }
        }
    };
}

areas! {
    /// What `show system info` says.
    System system: System,
    /// The software list.
    Software software: Vec<Image>,
    /// The jobs the device remembers; about the last 29.
    Jobs jobs: Vec<Job>,
    /// High availability.
    Ha ha: Ha,
    /// Mounted file systems.
    Disks disks: Vec<Disk>,
    /// What the software manager says of the partitions.
    Partitions partitions: Vec<Partition>,
    /// Whether the candidate configuration holds changes that were not committed.
    PendingChanges pending_changes: bool,
    /// The ports and the modules in them.
    Optics optics: Vec<Optic>,
    /// Configuration and commit locks, each as the device describes it.
    Locks locks: Vec<String>,
    /// The rest of `show system info`.
    #[serde(default = "not_asked")]
    Identity identity: Identity,
    /// Applications and Threats content.
    #[serde(default = "not_asked")]
    Content content: Content,
    /// Licences.
    #[serde(default = "not_asked")]
    Licences licences: Vec<Licence>,
    /// The support contract.
    #[serde(default = "not_asked")]
    Support support: Support,
    /// Whether the update server answers. Asking refreshes the software list, which takes the device a while.
    #[serde(default = "not_asked")]
    UpdateServer update_server: UpdateServer,
    /// Plugins.
    #[serde(default = "not_asked")]
    Plugins plugins: Vec<Plugin>,
    /// What connects the members of a pair.
    #[serde(default = "not_asked")]
    HaLinks ha_links: HaLinks,
    /// Ports and logical interfaces.
    #[serde(default = "not_asked")]
    Interfaces interfaces: Interfaces,
    /// What went through the interfaces.
    #[serde(default = "not_asked")]
    InterfaceCounters interface_counters: Vec<InterfaceCounters>,
    /// The largest packets of the interfaces.
    #[serde(default = "not_asked")]
    Mtus mtus: Vec<InterfaceMtu>,
    /// Whether frames larger than usual are on.
    #[serde(default = "not_asked")]
    JumboFrames jumbo_frames: bool,
    /// Memory of the management plane.
    #[serde(default = "not_asked")]
    Memory memory: Memory,
    /// Load of the management planes.
    #[serde(default = "not_asked")]
    ManagementCpu management_cpu: Vec<ManagementCpu>,
    /// Load of the dataplanes.
    #[serde(default = "not_asked")]
    DataplaneCpu dataplane_cpu: Vec<DataplaneCpu>,
    /// Temperatures, fans, power.
    #[serde(default = "not_asked")]
    Environment environment: Vec<Sensor>,
    /// The processes of the device.
    #[serde(default = "not_asked")]
    Processes processes: Vec<Process>,
    /// The clocks of management plane and dataplanes.
    #[serde(default = "not_asked")]
    Clocks clocks: Clocks,
    /// Time synchronisation.
    #[serde(default = "not_asked")]
    Ntp ntp: Ntp,
    /// Configuration and commit locks, and who holds them.
    #[serde(default = "not_asked")]
    HeldLocks held_locks: Vec<HeldLock>,
    /// Whether the next commit has to be a full one.
    #[serde(default = "not_asked")]
    FullCommitRequired full_commit_required: bool,
    /// The running configuration as a whole.
    #[serde(default = "not_asked")]
    Configuration configuration: ConfigurationShape,
    /// Certificates of the running configuration.
    #[serde(default = "not_asked")]
    Certificates certificates: Vec<Certificate>,
    /// When content is fetched.
    #[serde(default = "not_asked")]
    UpdateSchedules update_schedules: Vec<UpdateSchedule>,
    /// External dynamic lists.
    #[serde(default = "not_asked")]
    ExternalLists external_lists: Vec<ExternalList>,
    /// What the device uses of PAN-OS.
    #[serde(default = "not_asked")]
    Features features: Features,
    /// The routing table.
    #[serde(default = "not_asked")]
    Routes routes: Vec<Route>,
    /// The forwarding table.
    #[serde(default = "not_asked")]
    Fib fib: Vec<FibEntry>,
    /// The routing table of the advanced routing engine.
    #[serde(default = "not_asked")]
    AdvancedRoutes advanced_routes: Vec<AdvancedRoute>,
    /// The forwarding table of the advanced routing engine.
    #[serde(default = "not_asked")]
    AdvancedFib advanced_fib: Vec<FibEntry>,
    /// BGP peers.
    #[serde(default = "not_asked")]
    BgpPeers bgp_peers: Vec<BgpPeer>,
    /// OSPF neighbours.
    #[serde(default = "not_asked")]
    OspfNeighbours ospf_neighbours: Vec<OspfNeighbour>,
    /// Neighbours on the segments.
    #[serde(default = "not_asked")]
    Arp arp: Vec<ArpEntry>,
    /// IPsec tunnels.
    #[serde(default = "not_asked")]
    IpsecTunnels ipsec_tunnels: Vec<IpsecTunnel>,
    /// GlobalProtect users that are connected.
    #[serde(default = "not_asked")]
    GlobalprotectUsers globalprotect_users: Vec<GlobalProtectUser>,
    /// The counters of the session table, under the device's names (`num-active`).
    #[serde(default = "not_asked")]
    Sessions sessions: BTreeMap<String, u64>,
    /// The link to Panorama.
    #[serde(default = "not_asked")]
    Panorama panorama: PanoramaLink,
    /// User-ID.
    #[serde(default = "not_asked")]
    UserId user_id: UserId,
    /// Redistribution of User-ID data.
    #[serde(default = "not_asked")]
    Redistribution redistribution: Redistribution,
    /// Aggregate interfaces and whether their ports are in the bundle.
    #[serde(default = "not_asked")]
    Aggregates aggregates: Vec<Aggregate>,
    /// What the modules in the ports measure.
    #[serde(default = "not_asked")]
    Transceivers transceivers: Transceivers,
    /// What is on the external dynamic lists.
    #[serde(default = "not_asked")]
    ExternalListContents external_list_contents: Vec<ListContent>,
    /// How much room there is for what is on external dynamic lists.
    #[serde(default = "not_asked")]
    ExternalListCapacities external_list_capacities: Vec<ListCapacity>,
    /// What processes left behind when they crashed.
    #[serde(default = "not_asked")]
    CoreFiles core_files: Vec<CoreFile>,
    /// Where logs are sent.
    #[serde(default = "not_asked")]
    LogForwarding log_forwarding: Vec<LogReceiver>,
    /// The User-ID agents that are asked who is at which address.
    #[serde(default = "not_asked")]
    UserIdAgents user_id_agents: Vec<UserIdAgent>,
    /// What the system log tells of the links of ports: when each went up and down. Asking takes the device seconds.
    #[serde(default = "not_asked")]
    LinkChanges link_changes: LinkChanges,
    /// What the device does by itself at times that are configured: log exports, refreshes of lists, reports.
    #[serde(default = "not_asked")]
    ScheduledJobs scheduled_jobs: Vec<ScheduledJob>,
    /// What the system log tells of the tests that a device makes of its own software. Asking takes the device seconds.
    #[serde(default = "not_asked")]
    IntegrityEvents integrity_events: LogEvents,
    /// What the system log tells of connections to syslog servers. Asking takes the device seconds.
    #[serde(default = "not_asked")]
    SyslogConnections syslog_connections: SyslogConnections,
    /// The servers that logs are sent to besides Panorama, as far as the running configuration has them.
    #[serde(default = "not_asked")]
    LogTargets log_targets: LogTargets,
    /// The portals and gateways of GlobalProtect, as far as the running configuration has them.
    #[serde(default = "not_asked")]
    Globalprotect globalprotect: GlobalProtect,
    /// The certificate that the management address shows to whoever connects to it over TLS.
    #[serde(default = "not_asked")]
    ManagementCertificate management_certificate: ManagementCertificate,
    /// The newest backup of its configuration. Told by hopgate's own records, and not by the device.
    #[serde(default = "not_asked")]
    Backup backup: Backups,
}

impl FactArea {
    /// The area of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|area| area.name() == name)
    }
}

impl fmt::Display for FactArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_facts_are_unknown_in_every_area_under_the_fields_names() {
        let facts = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
        let stored = serde_json::to_value(&facts).unwrap();
        for area in FactArea::ALL {
            assert_eq!(stored[area.name()]["unknown"], "not asked", "{area}");
            assert_eq!(serde_json::to_value(area).unwrap(), area.name());
            assert_eq!(facts.unknown(area), Some("not asked"));
        }
        assert_eq!(stored.as_object().unwrap().len(), FactArea::ALL.len() + 3);
        assert_eq!(serde_json::from_value::<Facts>(stored).unwrap(), facts);
    }

    #[test]
    fn a_silent_device_says_why_in_what_it_was_asked_and_only_there() {
        let asked = BTreeSet::from([FactArea::Arp, FactArea::System]);
        let facts = Facts::silent("fw1", Timestamp::UNIX_EPOCH, "no answer", &asked);
        for area in FactArea::ALL {
            let why = if asked.contains(&area) {
                "no answer"
            } else {
                "not asked"
            };
            assert_eq!(facts.unknown(area), Some(why), "{area}");
        }
        assert_eq!(facts.sources.keys().copied().collect::<BTreeSet<_>>(), asked);
    }

    /// Facts as they were stored when there were nine areas.
    const STORED_WITH_NINE_AREAS: &str = r#"{
        "device": "fw1", "read_at": "1970-01-01T00:00:00Z",
        "system": {"known": {"hostname": "fw1", "model": "PA-850", "serial": "1", "sw_version": "10.1.14-h9",
            "app_version": "8676-7858", "uptime_seconds": 5, "operational_mode": null, "multi_vsys": false}},
        "software": {"unknown": "silent"}, "jobs": {"known": []},
        "ha": {"known": {"enabled": false, "mode": null, "local": {"state": "disabled", "reason": null, "build": null,
            "state_sync": null, "address": null}, "peer": null, "running_sync": null,
            "running_sync_enabled": false, "preemptive": false}},
        "disks": {"known": [{"mount": "/", "size_mb": 2, "available_mb": 1}]},
        "partitions": {"unknown": "not asked"}, "pending_changes": {"known": false},
        "optics": {"unknown": "not asked"}, "locks": {"known": ["commit lock of carol"]}
    }"#;

    #[test]
    fn facts_stored_before_an_area_was_added_are_read_and_leave_it_unknown() {
        let facts: Facts = serde_json::from_str(STORED_WITH_NINE_AREAS).unwrap();
        assert_eq!(facts.locks, Fact::Known(vec!["commit lock of carol".to_owned()]));
        assert_eq!(facts.unknown(FactArea::Software), Some("silent"));
        for area in &FactArea::ALL[9..] {
            assert_eq!(facts.unknown(*area), Some("not asked"), "{area}");
        }
        assert!(facts.sources.is_empty());
        // What was always stored is never taken for missing.
        for area in &FactArea::ALL[..9] {
            let mut stored: serde_json::Value = serde_json::from_str(STORED_WITH_NINE_AREAS).unwrap();
            stored.as_object_mut().unwrap().remove(area.name());
            assert!(serde_json::from_value::<Facts>(stored).is_err(), "{area}");
        }
    }

    #[test]
    fn where_an_area_comes_from_is_stored_under_its_name() {
        let mut facts = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
        let source = FactSource {
            read_at: Timestamp::UNIX_EPOCH,
            commands: vec!["show arp all".to_owned()],
        };
        facts.sources.insert(FactArea::Arp, source);
        let stored = serde_json::to_value(&facts).unwrap();
        assert_eq!(stored["sources"]["arp"]["commands"][0], "show arp all");
        assert_eq!(serde_json::from_value::<Facts>(stored).unwrap(), facts);
    }

    #[test]
    fn a_known_fact_is_not_an_empty_one() {
        let known = Fact::Known(Vec::<String>::new());
        assert_eq!((known.known(), known.unknown()), (Some(&Vec::new()), None));
        assert_eq!(serde_json::to_string(&known).unwrap(), r#"{"known":[]}"#);
    }
}
