//! The questions that facts come from: one command each, and which areas need which.
//! Knows the commands of PAN-OS that only read; must not know the shape of any answer.

use hopgate_playbooks::FactArea;

use crate::operation::Operation;

/// Where the update schedules are kept. Read by its path, as the settings of the device are: a `get` merges what a Panorama template
/// pushed, which no operational command shows (pan-os-upgrade-assurance, `get_update_schedules`).
const SCHEDULES_PATH: &str =
    "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/system/update-schedule";

/// Where the settings of the device itself are kept, among them when it exports logs and makes reports; a Panorama template can
/// push them, too.
const DEVICE_PATH: &str = "/config/devices/entry[@name='localhost.localdomain']/deviceconfig";

/// One command that only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    SystemInfo,
    SoftwareInfo,
    SoftwareCheck,
    Jobs,
    HaState,
    DiskSpace,
    SoftwareManager,
    PendingChanges,
    Optics,
    ConfigLocks,
    CommitLocks,
    ContentInfo,
    Licences,
    Support,
    Plugins,
    Interfaces,
    InterfaceCounters,
    Mtus,
    JumboFrames,
    Resources,
    ManagementCpu,
    DataplaneCpu,
    Environment,
    Processes,
    Clock,
    DataplaneClock,
    Ntp,
    FullCommit,
    Configuration,
    Routes,
    Fib,
    AdvancedRoutes,
    AdvancedFib,
    BgpPeers,
    OspfNeighbours,
    Arp,
    Tunnels,
    GlobalProtect,
    Sessions,
    Panorama,
    UserId,
    RedistributionClients,
    RedistributionAgents,
    MasterKey,
    ChassisInventory,
    DiskHealth,
    UpdateSchedules,
    Aggregates,
    Transceivers,
    AdvancedBgpPeers,
    AdvancedOspfNeighbours,
    ListCapacities,
    SystemFiles,
    LoggingStatus,
    UserIdAgents,
    LinkChanges,
    DeviceSettings,
    IntegrityEvents,
    SyslogConnections,
}

/// Changes of links that are asked for, the newest: a device gives at most 5000 entries, and 20 unasked (PAN-OS XML API
/// guide, "API Log Retrieval Parameters"). A chassis of a hundred ports logs two hundred at each restart, so that these tell
/// of five; at some 700 bytes each they are a reply that a management plane gives in a second.
pub(crate) const LINK_CHANGES: u16 = 1000;

/// Entries about tests of the software that are asked for, the newest. From 12.1 on a device makes one a day: these are of years
/// where all is well, and where it is not a failure is among them, however many there are.
pub(crate) const INTEGRITY_EVENTS: u16 = 1000;

/// Entries about connections to syslog servers that are asked for, the newest. They are asked for by themselves: a server that
/// is gone is tried again every minute, and these would leave no room for any other event.
pub(crate) const SYSLOG_CONNECTIONS: u16 = 1000;

/// How a question is put to the XML API.
#[derive(Clone, Copy)]
pub(crate) enum Request {
    /// An operational command.
    Command(&'static str),
    /// A part of the running configuration.
    Configuration(&'static str),
    /// The newest entries of the system log that a filter leaves.
    SystemLog {
        /// As it is written in the web interface.
        filter: &'static str,
        /// How many, at most.
        newest: u16,
    },
}

/// How a question takes its turn among the others, those first that begin first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Most of the time that it takes is no call's: a job of the device is looked at now and then.
    Pausing,
    /// It takes the device seconds, or as long as a call may: it asks a server of the vendor.
    Slow,
    /// It is answered at once.
    Quick,
}

/// Every question in the order of the variants: as it is typed on the command line, and as it is sent.
const QUESTIONS: [(Question, &str, Request); 59] = [
    (
        Question::SystemInfo,
        "show system info",
        Request::Command("<show><system><info/></system></show>"),
    ),
    (
        Question::SoftwareInfo,
        "request system software info",
        Request::Command("<request><system><software><info/></software></system></request>"),
    ),
    (
        Question::SoftwareCheck,
        "request system software check",
        Request::Command("<request><system><software><check/></software></system></request>"),
    ),
    (
        Question::Jobs,
        "show jobs all",
        Request::Command("<show><jobs><all/></jobs></show>"),
    ),
    (
        Question::HaState,
        "show high-availability state",
        Request::Command("<show><high-availability><state/></high-availability></show>"),
    ),
    (
        Question::DiskSpace,
        "show system disk-space",
        Request::Command("<show><system><disk-space/></system></show>"),
    ),
    (
        Question::SoftwareManager,
        "debug swm status",
        Request::Command("<debug><swm><status/></swm></debug>"),
    ),
    (
        Question::PendingChanges,
        "check pending-changes",
        Request::Command("<check><pending-changes/></check>"),
    ),
    (
        Question::Optics,
        "show system state filter sys.s*.p*.phy",
        Request::Command("<show><system><state><filter>sys.s*.p*.phy</filter></state></system></show>"),
    ),
    (
        Question::ConfigLocks,
        "show config-locks vsys all",
        Request::Command("<show><config-locks><vsys>all</vsys></config-locks></show>"),
    ),
    (
        Question::CommitLocks,
        "show commit-locks vsys all",
        Request::Command("<show><commit-locks><vsys>all</vsys></commit-locks></show>"),
    ),
    (
        Question::ContentInfo,
        "request content upgrade info",
        Request::Command("<request><content><upgrade><info/></upgrade></content></request>"),
    ),
    (
        Question::Licences,
        "request license info",
        Request::Command("<request><license><info/></license></request>"),
    ),
    (
        Question::Support,
        "request support check",
        Request::Command("<request><support><check/></support></request>"),
    ),
    (
        Question::Plugins,
        "show plugins packages",
        Request::Command("<show><plugins><packages/></plugins></show>"),
    ),
    (
        Question::Interfaces,
        "show interface all",
        Request::Command("<show><interface>all</interface></show>"),
    ),
    (
        Question::InterfaceCounters,
        "show counter interface all",
        Request::Command("<show><counter><interface>all</interface></counter></show>"),
    ),
    (
        Question::Mtus,
        "show system state filter sw.dev.interface.config",
        Request::Command(
            "<show><system><state><filter>sw.dev.interface.config</filter></state></system></show>",
        ),
    ),
    (
        Question::JumboFrames,
        "show system setting jumbo-frame",
        Request::Command("<show><system><setting><jumbo-frame/></setting></system></show>"),
    ),
    (
        Question::Resources,
        "show system resources",
        Request::Command("<show><system><resources/></system></show>"),
    ),
    (
        Question::ManagementCpu,
        "show system state filter sys.monitor.*.mp.exports",
        Request::Command(
            "<show><system><state><filter>sys.monitor.*.mp.exports</filter></state></system></show>",
        ),
    ),
    (
        Question::DataplaneCpu,
        "show running resource-monitor minute last 60",
        Request::Command(
            "<show><running><resource-monitor><minute><last>60</last></minute></resource-monitor></running></show>",
        ),
    ),
    (
        Question::Environment,
        "show system environmentals",
        Request::Command("<show><system><environmentals/></system></show>"),
    ),
    (
        Question::Processes,
        "show system software status",
        Request::Command("<show><system><software><status/></software></system></show>"),
    ),
    (
        Question::Clock,
        "show clock",
        Request::Command("<show><clock/></show>"),
    ),
    (
        Question::DataplaneClock,
        "show clock more",
        Request::Command("<show><clock><more/></clock></show>"),
    ),
    (Question::Ntp, "show ntp", Request::Command("<show><ntp/></show>")),
    (
        Question::FullCommit,
        "check full-commit-required",
        Request::Command("<check><full-commit-required/></check>"),
    ),
    (
        Question::Configuration,
        "show config running",
        Request::Command("<show><config><running/></config></show>"),
    ),
    (
        Question::Routes,
        "show routing route",
        Request::Command("<show><routing><route/></routing></show>"),
    ),
    (
        Question::Fib,
        "show routing fib",
        Request::Command("<show><routing><fib/></routing></show>"),
    ),
    (
        Question::AdvancedRoutes,
        "show advanced-routing route",
        Request::Command("<show><advanced-routing><route/></advanced-routing></show>"),
    ),
    (
        Question::AdvancedFib,
        "show advanced-routing fib",
        Request::Command("<show><advanced-routing><fib/></advanced-routing></show>"),
    ),
    (
        Question::BgpPeers,
        "show routing protocol bgp peer",
        Request::Command("<show><routing><protocol><bgp><peer/></bgp></protocol></routing></show>"),
    ),
    (
        Question::OspfNeighbours,
        "show routing protocol ospf neighbor",
        Request::Command("<show><routing><protocol><ospf><neighbor/></ospf></protocol></routing></show>"),
    ),
    (
        Question::Arp,
        "show arp all",
        Request::Command("<show><arp><entry name='all'/></arp></show>"),
    ),
    (
        Question::Tunnels,
        "show running tunnel flow all",
        Request::Command("<show><running><tunnel><flow><all/></flow></tunnel></running></show>"),
    ),
    (
        Question::GlobalProtect,
        "show global-protect-gateway current-user",
        Request::Command("<show><global-protect-gateway><current-user/></global-protect-gateway></show>"),
    ),
    (
        Question::Sessions,
        "show session info",
        Request::Command("<show><session><info/></session></show>"),
    ),
    (
        Question::Panorama,
        "show panorama-status",
        Request::Command("<show><panorama-status/></show>"),
    ),
    (
        Question::UserId,
        "show user user-id-service status",
        Request::Command("<show><user><user-id-service><status/></user-id-service></user></show>"),
    ),
    (
        Question::RedistributionClients,
        "show redistribution service client all",
        Request::Command(
            "<show><redistribution><service><client><all/></client></service></redistribution></show>",
        ),
    ),
    (
        Question::RedistributionAgents,
        "show redistribution agent state all",
        Request::Command("<show><redistribution><agent><state>all</state></agent></redistribution></show>"),
    ),
    (
        Question::MasterKey,
        "show system masterkey-properties",
        Request::Command("<show><system><masterkey-properties/></system></show>"),
    ),
    (
        Question::ChassisInventory,
        "show chassis inventory",
        Request::Command("<show><chassis><inventory/></chassis></show>"),
    ),
    (
        Question::DiskHealth,
        "debug system disk-smart-info disk-1",
        Request::Command("<debug><system><disk-smart-info><disk-1/></disk-smart-info></system></debug>"),
    ),
    (
        Question::UpdateSchedules,
        "show config running deviceconfig system update-schedule",
        Request::Configuration(SCHEDULES_PATH),
    ),
    (
        Question::Aggregates,
        "show lacp aggregate-ethernet all",
        Request::Command("<show><lacp><aggregate-ethernet>all</aggregate-ethernet></lacp></show>"),
    ),
    (
        Question::Transceivers,
        "show transceiver all",
        Request::Command("<show><transceiver><all/></transceiver></show>"),
    ),
    (
        Question::AdvancedBgpPeers,
        "show advanced-routing bgp peer status",
        Request::Command(
            "<show><advanced-routing><bgp><peer><status/></peer></bgp></advanced-routing></show>",
        ),
    ),
    (
        Question::AdvancedOspfNeighbours,
        "show advanced-routing ospf neighbor",
        Request::Command("<show><advanced-routing><ospf><neighbor/></ospf></advanced-routing></show>"),
    ),
    (
        Question::ListCapacities,
        "request system external-list list-capacities",
        Request::Command(
            "<request><system><external-list><list-capacities/></external-list></system></request>",
        ),
    ),
    (
        Question::SystemFiles,
        "show system files",
        Request::Command("<show><system><files/></system></show>"),
    ),
    (
        Question::LoggingStatus,
        "show logging-status",
        Request::Command("<show><logging-status/></show>"),
    ),
    (
        Question::UserIdAgents,
        "show user user-id-agent statistics",
        Request::Command("<show><user><user-id-agent><statistics/></user-id-agent></user></show>"),
    ),
    (
        // As the vendor's knowledge base types it ("Why does one interface of the vwire pair display power-down?").
        Question::LinkChanges,
        "show log system direction equal backward eventid equal link-change",
        Request::SystemLog {
            filter: "(eventid eq link-change)",
            newest: LINK_CHANGES,
        },
    ),
    (
        Question::DeviceSettings,
        "show config running deviceconfig",
        Request::Configuration(DEVICE_PATH),
    ),
    (
        // The filter of the vendor's page on software integrity checks, for both of its events: the filter builder of the web
        // interface joins conditions by `and` and `or`, and `query equal` takes what it builds. By event and not by severity,
        // which is not all that tells a failure from a success.
        Question::IntegrityEvents,
        "show log system direction equal backward query equal \"(eventid eq fips-selftest-integ) or (eventid eq ima)\"",
        Request::SystemLog {
            filter: "(eventid eq fips-selftest-integ) or (eventid eq ima)",
            newest: INTEGRITY_EVENTS,
        },
    ),
    (
        Question::SyslogConnections,
        "show log system direction equal backward eventid equal syslog-conn-status",
        Request::SystemLog {
            filter: "(eventid eq syslog-conn-status)",
            newest: SYSLOG_CONNECTIONS,
        },
    ),
];

impl Question {
    #[cfg(test)]
    pub(crate) const ALL: [Self; QUESTIONS.len()] = {
        let mut all = [Self::SystemInfo; QUESTIONS.len()];
        let mut nth = 0;
        while nth < all.len() {
            all[nth] = QUESTIONS[nth].0;
            nth += 1;
        }
        all
    };

    /// How it takes its turn among the others.
    pub(crate) fn pace(self) -> Pace {
        match (self, self.request()) {
            (_, Request::SystemLog { .. }) => Pace::Pausing,
            (Self::SoftwareCheck | Self::Support, _) => Pace::Slow,
            _ => Pace::Quick,
        }
    }

    /// As it is typed on the command line, and as it is sent.
    const fn words(self) -> (&'static str, Request) {
        let (_, command, request) = QUESTIONS[self as usize];
        (command, request)
    }

    /// As it is typed on the command line.
    pub(crate) const fn command(self) -> &'static str {
        self.words().0
    }

    pub(crate) const fn request(self) -> Request {
        self.words().1
    }

    /// The call it is. Those that are made for themselves too have words of their own.
    pub(crate) const fn operation(self) -> Operation {
        match self {
            Self::SystemInfo => Operation::SystemInfo,
            Self::SoftwareInfo => Operation::SoftwareInfo,
            Self::SoftwareCheck => Operation::SoftwareCheck,
            Self::Jobs => Operation::Jobs,
            Self::HaState => Operation::HaState,
            Self::DiskSpace => Operation::DiskSpace,
            Self::SoftwareManager => Operation::SoftwareManager,
            Self::PendingChanges => Operation::PendingChanges,
            Self::Optics => Operation::Optics,
            Self::ConfigLocks => Operation::ConfigLocks,
            Self::CommitLocks => Operation::CommitLocks,
            other => Operation::Read(other.command()),
        }
    }
}

/// What the device is asked for one area. An area that two questions answer is unknown when one of them fails.
pub(crate) const fn questions(area: FactArea) -> &'static [Question] {
    use Question as Q;
    match area {
        // No question tells of the certificate: the connection that one is put over does.
        FactArea::System | FactArea::Identity | FactArea::ManagementCertificate => &[Q::SystemInfo],
        FactArea::Software => &[Q::SoftwareInfo],
        FactArea::Jobs => &[Q::Jobs],
        FactArea::Ha | FactArea::HaLinks => &[Q::HaState],
        FactArea::Disks => &[Q::DiskSpace],
        FactArea::Partitions => &[Q::SoftwareManager],
        FactArea::PendingChanges => &[Q::PendingChanges],
        FactArea::Optics => &[Q::Optics],
        FactArea::Locks | FactArea::HeldLocks => &[Q::ConfigLocks, Q::CommitLocks],
        FactArea::Content => &[Q::ContentInfo],
        FactArea::Licences => &[Q::Licences],
        FactArea::Support => &[Q::Support],
        FactArea::UpdateServer => &[Q::SoftwareCheck],
        FactArea::Plugins => &[Q::Plugins],
        FactArea::Interfaces => &[Q::Interfaces],
        FactArea::InterfaceCounters => &[Q::InterfaceCounters],
        FactArea::Mtus => &[Q::Mtus],
        FactArea::JumboFrames => &[Q::JumboFrames],
        FactArea::Memory => &[Q::Resources],
        FactArea::ManagementCpu => &[Q::ManagementCpu],
        FactArea::DataplaneCpu => &[Q::DataplaneCpu],
        FactArea::Environment => &[Q::SystemInfo, Q::Environment],
        FactArea::Processes => &[Q::Processes],
        FactArea::Clocks => &[Q::Clock, Q::DataplaneClock],
        FactArea::Ntp => &[Q::Ntp],
        FactArea::FullCommitRequired => &[Q::FullCommit],
        // What is on each list is asked when the configuration has told which there are.
        FactArea::Configuration
        | FactArea::Certificates
        | FactArea::ExternalLists
        | FactArea::ExternalListContents
        | FactArea::LogTargets
        | FactArea::Globalprotect => &[Q::Configuration],
        FactArea::ExternalListCapacities => &[Q::ListCapacities],
        FactArea::CoreFiles => &[Q::SystemFiles],
        FactArea::LogForwarding => &[Q::LoggingStatus],
        FactArea::UserIdAgents => &[Q::UserIdAgents],
        FactArea::UpdateSchedules => &[Q::UpdateSchedules],
        FactArea::Features => &[
            Q::SystemInfo,
            Q::HaState,
            Q::DiskSpace,
            Q::Resources,
            Q::Configuration,
            Q::Panorama,
            Q::Plugins,
            Q::MasterKey,
            Q::ChassisInventory,
            Q::DiskHealth,
        ],
        FactArea::Routes => &[Q::SystemInfo, Q::Routes],
        FactArea::Fib => &[Q::SystemInfo, Q::Fib],
        FactArea::AdvancedRoutes => &[Q::SystemInfo, Q::AdvancedRoutes],
        FactArea::AdvancedFib => &[Q::SystemInfo, Q::AdvancedFib],
        FactArea::BgpPeers => &[Q::SystemInfo, Q::BgpPeers],
        FactArea::OspfNeighbours => &[Q::SystemInfo, Q::OspfNeighbours],
        FactArea::Arp => &[Q::Arp],
        FactArea::IpsecTunnels => &[Q::Tunnels],
        FactArea::GlobalprotectUsers => &[Q::GlobalProtect],
        FactArea::Sessions => &[Q::Sessions],
        FactArea::Panorama => &[Q::Panorama],
        FactArea::UserId => &[Q::UserId],
        FactArea::Redistribution => &[Q::SystemInfo, Q::RedistributionClients, Q::RedistributionAgents],
        FactArea::Aggregates => &[Q::Aggregates],
        FactArea::Transceivers => &[Q::SystemInfo, Q::Transceivers],
        FactArea::LinkChanges => &[Q::LinkChanges],
        FactArea::ScheduledJobs => &[Q::SystemInfo, Q::Configuration, Q::DeviceSettings],
        FactArea::IntegrityEvents => &[Q::IntegrityEvents],
        FactArea::SyslogConnections => &[Q::SyslogConnections],
        // Whoever keeps backups tells of them; the device does not know of any.
        FactArea::Backup => &[],
    }
}

/// What is asked besides where the advanced routing engine runs, which the first answers tell: its peers are listed by
/// commands of its own.
pub(crate) const fn questions_of_advanced_routing(area: FactArea) -> &'static [Question] {
    match area {
        FactArea::BgpPeers => &[Question::AdvancedBgpPeers],
        FactArea::OspfNeighbours => &[Question::AdvancedOspfNeighbours],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Node, parse};

    /// Names and values of a command in the order in which they are typed.
    fn typed(node: &Node, words: &mut Vec<String>) {
        match node.attribute("name") {
            Some(name) => words.push(name.to_owned()),
            None => words.push(node.name.to_string()),
        }
        if !node.text().is_empty() {
            words.push(node.text().to_owned());
        }
        for child in &node.children {
            typed(child, words);
        }
    }

    #[test]
    fn what_is_sent_is_what_is_shown() {
        for question in Question::ALL {
            let Request::Command(xml) = question.request() else {
                continue;
            };
            let mut words = Vec::new();
            typed(&parse(xml.as_bytes()).unwrap(), &mut words);
            assert_eq!(words.join(" "), question.command());
        }
    }

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        for (nth, question) in Question::ALL.into_iter().enumerate() {
            assert_eq!(question as usize, nth, "{question:?}");
        }
    }

    #[test]
    fn every_question_only_reads_and_is_asked_for_some_area() {
        for question in Question::ALL {
            assert!(!question.operation().is_changing(), "{question:?}");
            let asked = FactArea::ALL.into_iter().any(|area| {
                let more = questions_of_advanced_routing(area);
                questions(area).contains(&question) || more.contains(&question)
            });
            assert!(asked, "{question:?}");
        }
    }
}
