//! What must be true of a firewall before, between and after hops: facts, checks over them, and verdicts.
//!
//! Responsible for: the typed snapshot of a device, playbooks (YAML with CEL expressions) and the library shipped with
//! hopgate, findings, and the gate they make. Must not know: networks, clocks, campaigns, or how a fact was read. What
//! cannot be decided is said to be so: an unknown fact never passes a check.

pub mod advisories;
mod advisory_view;
mod ask;
mod calendar;
mod check;
mod expression;
mod facts;
mod finding;
mod hop;
mod message;
mod optics;
mod playbook;
mod setting;
mod shape;
mod shown;
mod snapshot;
mod values;
mod variables;
mod vocabulary;

pub use advisory_view::Viewed;
pub use ask::{Ask, Parser, Question, Reading};
pub use facts::{
    AdvancedRoute, Aggregate, AggregateMember, ArpEntry, Backup, Backups, BgpPeer, BgpPrefixes, Certificate,
    Clocks, ConfigurationShape, Content, ContentPackage, CoreFile, CoreLoad, DataplaneClock, DataplaneCpu,
    Disk, ExternalList, Fact, FactArea, FactSource, Facts, Features, FibEntry, GlobalProtect,
    GlobalProtectService, GlobalProtectUser, Ha, HaLink, HaLinks, HaMember, HardwareInterface, HeldLock,
    Identity, Image, InterfaceCounters, InterfaceMtu, Interfaces, IpsecTunnel, Job, Licence, LinkChange,
    LinkChanges, LinkGroup, ListCapacity, ListContent, LockKind, LogEvent, LogEvents, LogReceiver, LogTarget,
    LogTargets, LogicalInterface, ManagementCertificate, ManagementCpu, Memory, MonitoredInterface, Ntp,
    NtpServer, Optic, OspfNeighbour, PanoramaLink, PanoramaServer, Partition, Plugin, PortLinkChanges,
    Process, Redistribution, Route, ScheduledJob, Sensor, Support, SyslogChange, SyslogConnections,
    SyslogServer, System, Transceiver, Transceivers, UpdateSchedule, UpdateServer, UserId, UserIdAgent,
    WallClock,
};
pub use finding::{Finding, Gate, Mode, Severity, Verdict};
pub use hop::HopContext;
pub use optics::read_module;
pub use playbook::{About, Place, Playbook, PlaybookError, SettingError};
pub use setting::Setting;
pub use snapshot::{
    AreaDifference, Change, Compared, Difference, Grade, Happened, Rows, Rules, RulesError, Snapshot, compare,
};
pub use variables::Variables;
