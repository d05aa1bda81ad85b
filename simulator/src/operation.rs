//! The table of what this PAN-OS understands: each operation's name, its words, whether it changes anything.
//!
//! One row an operation, or a spelling of it; how it is answered is under `answer`.

use crate::request::Command;

/// Everything the API can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    // Other types of request than `op`.
    Keygen,
    Version,
    ExportConfiguration,
    ExportDeviceState,
    ExportTechSupport,
    ExportCertificate,
    ImportSoftware,
    ImportConfiguration,
    ConfigGet,
    ConfigShow,
    ConfigSet,
    ConfigEdit,
    ConfigDelete,
    ConfigRename,
    Commit,
    LogQuery,
    LogGet,
    // The system.
    SystemInfo,
    DiskSpace,
    SystemState,
    SystemResources,
    SystemServices,
    SystemFiles,
    Raid,
    MasterKey,
    Environmentals,
    JumboFrame,
    ChassisReady,
    Clock,
    ClockMore,
    Ntp,
    Admins,
    Plugins,
    License,
    LicenseFetch,
    Support,
    ResourceMonitor,
    PanoramaStatus,
    // Jobs, software, content.
    AllJobs,
    PendingJobs,
    ProcessedJobs,
    OneJob,
    SoftwareCheck,
    SoftwareInfo,
    Download,
    Install,
    DeleteImage,
    Restart,
    PartitionStatus,
    PartitionList,
    PartitionHistory,
    PartitionInfo,
    PartitionRevert,
    ContentList,
    ContentDownload,
    ContentInstall,
    ContentDowngrade,
    // High availability.
    HaState,
    HaAll,
    HaSuspend,
    HaFunctional,
    HaSync,
    // Configuration.
    RunningConfig,
    CandidateConfig,
    SavedConfig,
    SaveConfig,
    LoadConfig,
    RevertConfig,
    PendingChanges,
    FullCommitRequired,
    ConfigLocks,
    CommitLocks,
    TakeConfigLock,
    ReleaseConfigLock,
    TakeCommitLock,
    ReleaseCommitLock,
    GenerateCertificate,
    RenewCertificate,
    // Network.
    SessionInfo,
    SessionAll,
    Arp,
    TunnelFlow,
    VpnFlow,
    Interfaces,
    InterfaceCounters,
    Transceiver,
    TransceiverDetail,
    Lacp,
    Routes,
    Fib,
    BgpPeers,
    OspfNeighbours,
    AdvancedRoutes,
    AdvancedFib,
    AdvancedBgpPeers,
    AdvancedOspfNeighbours,
    GlobalProtectUsers,
    ListShow,
    ListCapacities,
    ListRefresh,
    RedistributionClients,
    RedistributionAgents,
    UserIdService,
    UserIdAgents,
    LoggingStatus,
    ConnectedDevices,
    AllDevices,
    DeviceGroups,
    DeviceGroupTree,
}

/// Which other devices a reply speaks of: on a Panorama its firewalls, on a firewall its Panoramas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    Firewalls,
    Panoramas,
}

struct Row {
    operation: Operation,
    name: &'static str,
    /// Words of the command; `*` stands for any one word. Empty for what is no command.
    words: &'static str,
    /// The option that has to be there, where the words alone do not tell.
    option: Option<&'static str>,
    changing: bool,
}

impl Row {
    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.words.split_whitespace()
    }
}

const fn reading(operation: Operation, name: &'static str, words: &'static str) -> Row {
    Row {
        operation,
        name,
        words,
        option: None,
        changing: false,
    }
}

const fn changing(operation: Operation, name: &'static str, words: &'static str) -> Row {
    let mut row = reading(operation, name, words);
    row.changing = true;
    row
}

const fn with(option: &'static str, mut row: Row) -> Row {
    row.option = Some(option);
    row
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    reading(Operation::Keygen, "keygen", ""),
    reading(Operation::Version, "version", ""),
    reading(Operation::ExportConfiguration, "export-configuration", ""),
    reading(Operation::ExportDeviceState, "export-device-state", ""),
    reading(Operation::ExportTechSupport, "export-tech-support", ""),
    reading(Operation::ExportCertificate, "export-certificate", ""),
    changing(Operation::ImportSoftware, "import-software", ""),
    changing(Operation::ImportConfiguration, "import-configuration", ""),
    reading(Operation::ConfigGet, "config-get", ""),
    reading(Operation::ConfigShow, "config-show", ""),
    changing(Operation::ConfigSet, "config-set", ""),
    changing(Operation::ConfigEdit, "config-edit", ""),
    changing(Operation::ConfigDelete, "config-delete", ""),
    changing(Operation::ConfigRename, "config-rename", ""),
    changing(Operation::Commit, "commit", ""),
    reading(Operation::LogQuery, "log-query", ""),
    reading(Operation::LogGet, "log-get", ""),

    reading(Operation::SystemInfo, "system-info", "show system info"),
    reading(Operation::DiskSpace, "disk-space", "show system disk-space"),
    with("filter", reading(Operation::SystemState, "system-state", "show system state")),
    with("filter-pretty", reading(Operation::SystemState, "system-state", "show system state")),
    reading(Operation::SystemResources, "system-resources", "show system resources"),
    reading(Operation::SystemServices, "system-services", "show system software status"),
    reading(Operation::SystemFiles, "system-files", "show system files"),
    reading(Operation::Raid, "raid", "show system raid"),
    reading(Operation::Raid, "raid", "show system raid detail"),
    reading(Operation::MasterKey, "master-key", "show system masterkey-properties"),
    reading(Operation::Environmentals, "environmentals", "show system environmentals"),
    reading(Operation::JumboFrame, "jumbo-frame", "show system setting jumbo-frame"),
    reading(Operation::ChassisReady, "chassis-ready", "show chassis-ready"),
    reading(Operation::Clock, "clock", "show clock"),
    reading(Operation::ClockMore, "clock-more", "show clock more"),
    reading(Operation::Ntp, "ntp", "show ntp"),
    reading(Operation::Admins, "admins", "show admins"),
    reading(Operation::Admins, "admins", "show admins all"),
    reading(Operation::Plugins, "plugins", "show plugins packages"),
    reading(Operation::License, "license", "request license info"),
    changing(Operation::LicenseFetch, "license-fetch", "request license fetch"),
    reading(Operation::Support, "support", "request support check"),
    reading(Operation::Support, "support", "request support info"),
    reading(Operation::ResourceMonitor, "resource-monitor", "show running resource-monitor"),
    reading(Operation::ResourceMonitor, "resource-monitor", "show running resource-monitor *"),
    reading(Operation::PanoramaStatus, "panorama-status", "show panorama-status"),

    reading(Operation::ConnectedDevices, "connected-devices", "show devices connected"),
    reading(Operation::AllDevices, "managed-devices", "show devices all"),
    reading(Operation::DeviceGroups, "device-groups", "show devicegroups"),
    reading(Operation::DeviceGroupTree, "device-group-tree", "show dg-hierarchy"),

    reading(Operation::AllJobs, "jobs", "show jobs all"),
    reading(Operation::PendingJobs, "jobs-pending", "show jobs pending"),
    reading(Operation::ProcessedJobs, "jobs-processed", "show jobs processed"),
    with("id", reading(Operation::OneJob, "job", "show jobs")),
    reading(Operation::SoftwareCheck, "software-check", "request system software check"),
    reading(Operation::SoftwareInfo, "software-info", "request system software info"),
    with("version", changing(Operation::Download, "download", "request system software download")),
    with("version", changing(Operation::Install, "install", "request system software install")),
    with("version", changing(Operation::DeleteImage, "delete-image", "delete software")),
    changing(Operation::Restart, "restart", "request restart system"),
    reading(Operation::PartitionStatus, "software-manager", "debug swm status"),
    reading(Operation::PartitionList, "software-manager-list", "debug swm list"),
    reading(Operation::PartitionHistory, "software-manager-history", "debug swm history"),
    reading(Operation::PartitionInfo, "software-manager-info", "debug swm info"),
    changing(Operation::PartitionRevert, "software-manager-revert", "debug swm revert"),
    reading(Operation::ContentList, "content-check", "request content upgrade check"),
    reading(Operation::ContentList, "content-info", "request content upgrade info"),
    changing(Operation::ContentDownload, "content-download", "request content upgrade download latest"),
    with("latest", changing(Operation::ContentDownload, "content-download", "request content upgrade download")),
    with("version", changing(Operation::ContentInstall, "content-install", "request content upgrade install")),
    with("install", changing(Operation::ContentDowngrade, "content-downgrade", "request content downgrade")),

    reading(Operation::HaState, "ha-state", "show high-availability state"),
    reading(Operation::HaAll, "ha-all", "show high-availability all"),
    changing(Operation::HaSuspend, "suspend", "request high-availability state suspend"),
    changing(Operation::HaFunctional, "functional", "request high-availability state functional"),
    changing(Operation::HaSync, "ha-sync", "request high-availability sync-to-remote running-config"),

    reading(Operation::RunningConfig, "running-configuration", "show config running"),
    reading(Operation::CandidateConfig, "candidate-configuration", "show config candidate"),
    with("saved", reading(Operation::SavedConfig, "saved-configuration", "show config")),
    reading(Operation::SavedConfig, "saved-configuration", "show config saved *"),
    with("to", changing(Operation::SaveConfig, "save-configuration", "save config")),
    changing(Operation::SaveConfig, "save-configuration", "save config to *"),
    with("from", changing(Operation::LoadConfig, "load-configuration", "load config")),
    changing(Operation::LoadConfig, "load-configuration", "load config from *"),
    changing(Operation::RevertConfig, "revert-configuration", "revert config"),
    reading(Operation::PendingChanges, "pending-changes", "check pending-changes"),
    reading(Operation::FullCommitRequired, "full-commit-required", "check full-commit-required"),
    reading(Operation::ConfigLocks, "config-locks", "show config-locks"),
    reading(Operation::ConfigLocks, "config-locks", "show config-locks vsys *"),
    reading(Operation::CommitLocks, "commit-locks", "show commit-locks"),
    reading(Operation::CommitLocks, "commit-locks", "show commit-locks vsys *"),
    changing(Operation::TakeConfigLock, "config-lock-add", "request config-lock add"),
    changing(Operation::ReleaseConfigLock, "config-lock-remove", "request config-lock remove"),
    changing(Operation::TakeCommitLock, "commit-lock-add", "request commit-lock add"),
    changing(Operation::ReleaseCommitLock, "commit-lock-remove", "request commit-lock remove"),
    with("certificate-name", changing(Operation::GenerateCertificate, "certificate-generate", "request certificate generate")),
    with("certificate-name", changing(Operation::RenewCertificate, "certificate-renew", "request certificate renew")),

    reading(Operation::SessionInfo, "session-info", "show session info"),
    reading(Operation::SessionAll, "sessions", "show session all"),
    reading(Operation::SessionAll, "sessions", "show session all filter"),
    reading(Operation::Arp, "arp", "show arp entry"),
    reading(Operation::Arp, "arp", "show arp all"),
    reading(Operation::TunnelFlow, "tunnel-flow", "show running tunnel flow all"),
    reading(Operation::VpnFlow, "vpn-flow", "show vpn flow"),
    with("interface", reading(Operation::Interfaces, "interfaces", "show")),
    reading(Operation::Interfaces, "interfaces", "show interface *"),
    with("interface", reading(Operation::InterfaceCounters, "interface-counters", "show counter")),
    reading(Operation::InterfaceCounters, "interface-counters", "show counter interface *"),
    with("transceiver", reading(Operation::Transceiver, "transceiver", "show")),
    reading(Operation::Transceiver, "transceiver", "show transceiver *"),
    with("transceiver-detail", reading(Operation::TransceiverDetail, "transceiver-detail", "show")),
    reading(Operation::TransceiverDetail, "transceiver-detail", "show transceiver-detail *"),
    with("aggregate-ethernet", reading(Operation::Lacp, "lacp", "show lacp")),
    reading(Operation::Routes, "routes", "show routing route"),
    reading(Operation::Fib, "fib", "show routing fib"),
    reading(Operation::BgpPeers, "bgp-peers", "show routing protocol bgp peer"),
    reading(Operation::OspfNeighbours, "ospf-neighbours", "show routing protocol ospf neighbor"),
    reading(Operation::AdvancedRoutes, "advanced-routes", "show advanced-routing route"),
    reading(Operation::AdvancedFib, "advanced-fib", "show advanced-routing fib"),
    reading(Operation::AdvancedBgpPeers, "advanced-bgp-peers", "show advanced-routing bgp peer status"),
    reading(Operation::AdvancedOspfNeighbours, "advanced-ospf-neighbours", "show advanced-routing ospf neighbor"),
    reading(Operation::GlobalProtectUsers, "globalprotect-users", "show global-protect-gateway current-user"),
    with("name", reading(Operation::ListShow, "external-list", "request system external-list show type *")),
    reading(Operation::ListCapacities, "external-list-capacities", "request system external-list list-capacities"),
    with("name", changing(Operation::ListRefresh, "external-list-refresh", "request system external-list refresh type *")),
    reading(Operation::RedistributionClients, "redistribution-clients", "show redistribution service client all"),
    reading(Operation::RedistributionAgents, "redistribution-agents", "show redistribution service agent all"),
    with("state", reading(Operation::RedistributionAgents, "redistribution-agents", "show redistribution agent")),
    reading(Operation::UserIdService, "user-id-service", "show user user-id-service status"),
    reading(Operation::UserIdAgents, "user-id-agents", "show user user-id-agent statistics"),
    reading(Operation::LoggingStatus, "logging-status", "show logging-status"),
];

impl Operation {
    /// The operation a command asks for, or the text a device refuses it with.
    pub(crate) fn of(command: &Command) -> Result<Self, String> {
        let means = |row: &&Row| {
            !row.words.is_empty()
                && follows(row, command) == command.words.len()
                && row.words().count() == command.words.len()
                && row.option.is_none_or(|option| command.option(option).is_some())
        };
        let found = TABLE.iter().find(means);
        found.map(|row| row.operation).ok_or_else(|| unexpected(command))
    }

    /// Whether it can change the device.
    pub(crate) fn is_changing(self) -> bool {
        TABLE.iter().any(|row| row.operation == self && row.changing)
    }

    /// Its first name.
    pub(crate) fn name(self) -> &'static str {
        let row = TABLE.iter().find(|row| row.operation == self);
        row.map_or("", |row| row.name)
    }

    /// What a reply says of other devices of the fleet.
    pub(crate) fn needs(self) -> Needs {
        match self {
            Self::ConnectedDevices | Self::AllDevices | Self::DeviceGroups | Self::DeviceGroupTree => {
                Needs::Firewalls
            }
            Self::ConfigGet | Self::ConfigShow => Needs::Firewalls,
            Self::PanoramaStatus => Needs::Panoramas,
            _ => Needs::Nothing,
        }
    }

    /// Whether a Panorama, or a firewall, knows it.
    pub(crate) fn is_known_to(self, panorama: bool) -> bool {
        match self {
            Self::ConnectedDevices | Self::AllDevices | Self::DeviceGroups | Self::DeviceGroupTree => {
                panorama
            }
            Self::JumboFrame
            | Self::ChassisReady
            | Self::ClockMore
            | Self::PanoramaStatus
            | Self::LoggingStatus
            | Self::UserIdAgents
            | Self::ResourceMonitor
            | Self::ExportDeviceState
            | Self::SessionInfo
            | Self::SessionAll
            | Self::Arp
            | Self::TunnelFlow
            | Self::VpnFlow
            | Self::InterfaceCounters
            | Self::Transceiver
            | Self::TransceiverDetail
            | Self::Lacp
            | Self::Routes
            | Self::Fib
            | Self::BgpPeers
            | Self::OspfNeighbours
            | Self::AdvancedRoutes
            | Self::AdvancedFib
            | Self::AdvancedBgpPeers
            | Self::AdvancedOspfNeighbours
            | Self::GlobalProtectUsers => !panorama,
            _ => true,
        }
    }

    /// Whether `name` is one of this operation's names.
    pub(crate) fn is_called(self, name: &str) -> bool {
        TABLE.iter().any(|row| row.operation == self && row.name == name)
    }

    /// Every name, in the order of the table; names of several rows come several times.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.name)
    }
}

/// How many words of a command a row knows.
fn follows(row: &Row, command: &Command) -> usize {
    row.words()
        .zip(&command.words)
        .take_while(|(known, word)| *known == "*" || known == word)
        .count()
}

/// `show -> redistribution  is unexpected`: the words it knows, and the first one it does not. When it knows them
/// all, an option is missing.
pub(crate) fn unexpected(command: &Command) -> String {
    let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    let known = TABLE.iter().map(|row| follows(row, command)).max().unwrap_or(0);
    let unknown = match words.get(known) {
        Some(_) => words[..=known].join(" -> "),
        None => match command.options().next() {
            Some(option) => format!("{} -> {option}", words.join(" -> ")),
            None => words.join(" -> "),
        },
    };
    format!("{unknown} is unexpected")
}

/// The refusal of a command that this release or model has not got, from its `known`th word on.
pub(crate) fn unexpected_from(command: &Command, known: usize) -> String {
    let end = (known + 1).min(command.words.len());
    // Two blanks, as the vendor's tool has the text in its tests.
    format!("{}  is unexpected", command.words[..end].join(" -> "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Operation, String> {
        Operation::of(&Command::parse(text).unwrap())
    }

    #[test]
    fn unknown_commands_are_refused_word_by_word() {
        assert_eq!(
            of("<show><system><info/></system></show>"),
            Ok(Operation::SystemInfo)
        );
        let refused: Vec<String> = [
            "<show><redistribution><service><client><some/></client></service></redistribution></show>",
            "<frobnicate/>",
            "<show><system><infos/></system></show>",
            "<show><jobs><finished/></jobs></show>",
            "<request><system><software><download><sync-to-peer>no</sync-to-peer></download></software></system></request>",
            "<request><system><private-data-reset/></system></request>",
            "<show><nothing>x</nothing></show>",
            "<request><anti-virus><upgrade><check/></upgrade></anti-virus></request>",
        ]
        .into_iter()
        .map(|text| of(text).unwrap_err())
        .collect();
        insta::assert_snapshot!(refused.join("\n"), @r#"
        show -> redistribution -> service -> client -> some is unexpected
        frobnicate is unexpected
        show -> system -> infos is unexpected
        show -> jobs -> finished is unexpected
        request -> system -> software -> download -> sync-to-peer is unexpected
        request -> system -> private-data-reset is unexpected
        show -> nothing is unexpected
        request -> anti-virus is unexpected
        "#);
    }

    #[test]
    fn what_changes_a_device_is_marked() {
        let changing: std::collections::BTreeSet<&str> = TABLE
            .iter()
            .filter(|row| row.changing)
            .map(|row| row.name)
            .collect();
        insta::assert_snapshot!(changing.into_iter().collect::<Vec<_>>().join(" "), @r#"certificate-generate certificate-renew commit commit-lock-add commit-lock-remove config-delete config-edit config-lock-add config-lock-remove config-rename config-set content-downgrade content-download content-install delete-image download external-list-refresh functional ha-sync import-configuration import-software install license-fetch load-configuration restart revert-configuration save-configuration software-manager-revert suspend"#);
    }

    #[test]
    fn names_with_a_free_word_come_both_ways() {
        for (text, operation) in [
            (
                "<save><config><to>a.xml</to></config></save>",
                Operation::SaveConfig,
            ),
            (
                "<save><config><to><a.xml/></to></config></save>",
                Operation::SaveConfig,
            ),
            (
                "<show><transceiver><all/></transceiver></show>",
                Operation::Transceiver,
            ),
            (
                "<show><transceiver-detail>all</transceiver-detail></show>",
                Operation::TransceiverDetail,
            ),
            ("<show><arp><entry name = 'all'/></arp></show>", Operation::Arp),
            (
                "<show><config-locks><vsys>all</vsys></config-locks></show>",
                Operation::ConfigLocks,
            ),
            ("<show><config-locks/></show>", Operation::ConfigLocks),
        ] {
            assert_eq!(of(text), Ok(operation), "{text}");
        }
    }
}
