//! The table of what this PAN-OS understands: each operation's name, its words, whether it changes anything.
//!
//! One row an operation; how it is answered is under `answer`.

use crate::request::Command;

/// Everything the API can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Keygen,
    ExportConfiguration,
    ConfigGet,
    SystemInfo,
    DiskSpace,
    SystemState,
    SystemResources,
    Environmentals,
    JumboFrame,
    AllJobs,
    OneJob,
    ChassisReady,
    HaState,
    HaSuspend,
    HaFunctional,
    Clock,
    ClockMore,
    ConfigLocks,
    CommitLocks,
    PendingChanges,
    FullCommitRequired,
    SoftwareCheck,
    SoftwareInfo,
    Download,
    Install,
    Restart,
    PartitionStatus,
    PartitionRevert,
    RunningConfig,
    License,
    Support,
    Ntp,
    PanoramaStatus,
    SessionInfo,
    SessionAll,
    ContentList,
    ContentDownload,
    ContentInstall,
    ResourceMonitor,
    Arp,
    TunnelFlow,
    Interfaces,
    Routes,
    Fib,
    BgpPeers,
}

struct Row {
    operation: Operation,
    name: &'static str,
    words: &'static [&'static str],
    /// The option that has to be there, where the words alone do not tell.
    option: Option<&'static str>,
    changing: bool,
}

const fn reading(operation: Operation, name: &'static str, words: &'static [&'static str]) -> Row {
    Row {
        operation,
        name,
        words,
        option: None,
        changing: false,
    }
}

const fn changing(operation: Operation, name: &'static str, words: &'static [&'static str]) -> Row {
    Row {
        operation,
        name,
        words,
        option: None,
        changing: true,
    }
}

const fn with(option: &'static str, mut row: Row) -> Row {
    row.option = Some(option);
    row
}

/// Rows without words are no commands: their request has another `type`.
const TABLE: &[Row] = &[
    reading(Operation::Keygen, "keygen", &[]),
    reading(Operation::ExportConfiguration, "export-configuration", &[]),
    reading(Operation::ConfigGet, "config-get", &[]),
    reading(Operation::SystemInfo, "system-info", &["show", "system", "info"]),
    reading(
        Operation::DiskSpace,
        "disk-space",
        &["show", "system", "disk-space"],
    ),
    with(
        "filter",
        reading(
            Operation::SystemState,
            "system-state",
            &["show", "system", "state"],
        ),
    ),
    with(
        "filter-pretty",
        reading(
            Operation::SystemState,
            "system-state",
            &["show", "system", "state"],
        ),
    ),
    reading(
        Operation::SystemResources,
        "system-resources",
        &["show", "system", "resources"],
    ),
    reading(
        Operation::Environmentals,
        "environmentals",
        &["show", "system", "environmentals"],
    ),
    reading(
        Operation::JumboFrame,
        "jumbo-frame",
        &["show", "system", "setting", "jumbo-frame"],
    ),
    reading(Operation::AllJobs, "jobs", &["show", "jobs", "all"]),
    with("id", reading(Operation::OneJob, "job", &["show", "jobs"])),
    reading(
        Operation::ChassisReady,
        "chassis-ready",
        &["show", "chassis-ready"],
    ),
    reading(
        Operation::HaState,
        "ha-state",
        &["show", "high-availability", "state"],
    ),
    changing(
        Operation::HaSuspend,
        "suspend",
        &["request", "high-availability", "state", "suspend"],
    ),
    changing(
        Operation::HaFunctional,
        "functional",
        &["request", "high-availability", "state", "functional"],
    ),
    reading(Operation::Clock, "clock", &["show", "clock"]),
    reading(Operation::ClockMore, "clock-more", &["show", "clock", "more"]),
    reading(Operation::ConfigLocks, "config-locks", &["show", "config-locks"]),
    reading(Operation::CommitLocks, "commit-locks", &["show", "commit-locks"]),
    reading(
        Operation::PendingChanges,
        "pending-changes",
        &["check", "pending-changes"],
    ),
    reading(
        Operation::FullCommitRequired,
        "full-commit-required",
        &["check", "full-commit-required"],
    ),
    reading(
        Operation::SoftwareCheck,
        "software-check",
        &["request", "system", "software", "check"],
    ),
    reading(
        Operation::SoftwareInfo,
        "software-info",
        &["request", "system", "software", "info"],
    ),
    with(
        "version",
        changing(
            Operation::Download,
            "download",
            &["request", "system", "software", "download"],
        ),
    ),
    with(
        "version",
        changing(
            Operation::Install,
            "install",
            &["request", "system", "software", "install"],
        ),
    ),
    changing(Operation::Restart, "restart", &["request", "restart", "system"]),
    reading(
        Operation::PartitionStatus,
        "software-manager",
        &["debug", "swm", "status"],
    ),
    changing(
        Operation::PartitionRevert,
        "software-manager-revert",
        &["debug", "swm", "revert"],
    ),
    reading(
        Operation::RunningConfig,
        "running-configuration",
        &["show", "config", "running"],
    ),
    reading(Operation::License, "license", &["request", "license", "info"]),
    reading(Operation::Support, "support", &["request", "support", "check"]),
    reading(Operation::Ntp, "ntp", &["show", "ntp"]),
    reading(
        Operation::PanoramaStatus,
        "panorama-status",
        &["show", "panorama-status"],
    ),
    reading(
        Operation::SessionInfo,
        "session-info",
        &["show", "session", "info"],
    ),
    reading(Operation::SessionAll, "sessions", &["show", "session", "all"]),
    reading(
        Operation::ContentList,
        "content-check",
        &["request", "content", "upgrade", "check"],
    ),
    reading(
        Operation::ContentList,
        "content-info",
        &["request", "content", "upgrade", "info"],
    ),
    changing(
        Operation::ContentDownload,
        "content-download",
        &["request", "content", "upgrade", "download", "latest"],
    ),
    with(
        "latest",
        changing(
            Operation::ContentDownload,
            "content-download",
            &["request", "content", "upgrade", "download"],
        ),
    ),
    with(
        "version",
        changing(
            Operation::ContentInstall,
            "content-install",
            &["request", "content", "upgrade", "install"],
        ),
    ),
    with(
        "last",
        reading(
            Operation::ResourceMonitor,
            "resource-monitor",
            &["show", "running", "resource-monitor", "minute"],
        ),
    ),
    reading(Operation::Arp, "arp", &["show", "arp", "entry"]),
    reading(
        Operation::TunnelFlow,
        "tunnel-flow",
        &["show", "running", "tunnel", "flow", "all"],
    ),
    with(
        "interface",
        reading(Operation::Interfaces, "interfaces", &["show"]),
    ),
    reading(Operation::Routes, "routes", &["show", "routing", "route"]),
    reading(Operation::Fib, "fib", &["show", "routing", "fib"]),
    reading(
        Operation::BgpPeers,
        "bgp-peers",
        &["show", "routing", "protocol", "bgp", "peer"],
    ),
];

impl Operation {
    /// The operation a command asks for, or the text a device refuses it with.
    pub(crate) fn of(command: &Command) -> Result<Self, String> {
        let found = TABLE.iter().find(|row| {
            !row.words.is_empty()
                && row
                    .words
                    .iter()
                    .copied()
                    .eq(command.words.iter().map(String::as_str))
                && row
                    .option
                    .is_none_or(|option| command.options.contains_key(option))
        });
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

    /// Whether `name` is one of this operation's names.
    pub(crate) fn is_called(self, name: &str) -> bool {
        TABLE.iter().any(|row| row.operation == self && row.name == name)
    }

    /// Every name, in the order of the table; names of several rows come several times.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.name)
    }
}

/// `show -> redistribution  is unexpected`: the words it knows, and the first one it does not. When it knows them
/// all, an option is missing.
pub(crate) fn unexpected(command: &Command) -> String {
    let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    let known = TABLE
        .iter()
        .map(|row| {
            row.words
                .iter()
                .zip(&words)
                .take_while(|(known, word)| known == word)
                .count()
        })
        .max()
        .unwrap_or(0);
    match words.get(known) {
        Some(_) => format!("{} is unexpected", words[..=known].join(" -> ")),
        None => match command.options.keys().next() {
            Some(option) => format!("{} -> {option} is unexpected", words.join(" -> ")),
            None => format!("{} is unexpected", words.join(" -> ")),
        },
    }
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
            "<show><redistribution><service><client><all/></client></service></redistribution></show>",
            "<frobnicate/>",
            "<show><system><infos/></system></show>",
            "<show><jobs><processed/></jobs></show>",
            "<request><system><software><download><sync-to-peer>no</sync-to-peer></download></software></system></request>",
            "<show><nothing>x</nothing></show>",
        ]
        .into_iter()
        .map(|text| of(text).unwrap_err())
        .collect();
        insta::assert_snapshot!(refused.join("\n"), @r#"
        show -> redistribution is unexpected
        frobnicate is unexpected
        show -> system -> infos is unexpected
        show -> jobs -> processed is unexpected
        request -> system -> software -> download -> sync-to-peer is unexpected
        show -> nothing is unexpected
        "#);
    }

    #[test]
    fn what_changes_a_device_is_marked() {
        let changing: std::collections::BTreeSet<&str> = TABLE
            .iter()
            .filter(|row| row.changing)
            .map(|row| row.name)
            .collect();
        assert_eq!(
            changing.into_iter().collect::<Vec<_>>().join(" "),
            "content-download content-install download functional install restart software-manager-revert suspend"
        );
    }
}
