//! The calls that are made to a device, in words, and which of them change it.
//! Knows their names; must not know how they are encoded, sent or answered.

use std::fmt;

use hopgate_paths::Version;
use serde::{Deserialize, Serialize};

/// A job's number on its device.
///
/// Numbers start again at 1 with every boot: a number kept across a reboot names another job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u32);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One kind of call to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Ask for an API key with user and password.
    Login,
    /// `show system info`.
    SystemInfo,
    /// `request system software info`: the list as the device remembers it.
    SoftwareInfo,
    /// `request system software check`: the list, read anew from the update server.
    SoftwareCheck,
    /// `request system software download`.
    Download(Version),
    /// `request system software install`.
    Install(Version),
    /// `show jobs id`.
    Job(JobId),
    /// `show jobs all`.
    Jobs,
    /// `request restart system`.
    Restart,
    /// `show high-availability state`.
    HaState,
    /// `request high-availability state suspend`.
    Suspend,
    /// `request high-availability state functional`.
    Functional,
    /// `show chassis-ready`.
    ChassisReady,
    /// `debug swm status`.
    SoftwareManager,
    /// `show system disk-space`.
    DiskSpace,
    /// `check pending-changes`.
    PendingChanges,
    /// `show config-locks`.
    ConfigLocks,
    /// `show commit-locks`.
    CommitLocks,
    /// `show system state filter sys.s*.p*.phy`.
    Optics,
    /// Export of the running configuration.
    ExportConfiguration,
    /// A question of a playbook's own, which only reads.
    Ask,
    /// A command that only reads, as it is typed on the command line: `show arp all`.
    Read(&'static str),
}

impl Operation {
    /// Whether the call, once it arrives, may change the device. A refreshed software list is not counted: asking
    /// for it again does no harm.
    #[must_use]
    pub fn is_changing(self) -> bool {
        match self {
            Self::Download(_) | Self::Install(_) | Self::Restart | Self::Suspend | Self::Functional => true,
            Self::Login
            | Self::SystemInfo
            | Self::SoftwareInfo
            | Self::SoftwareCheck
            | Self::Job(_)
            | Self::Jobs
            | Self::HaState
            | Self::ChassisReady
            | Self::SoftwareManager
            | Self::DiskSpace
            | Self::PendingChanges
            | Self::ConfigLocks
            | Self::CommitLocks
            | Self::Optics
            | Self::ExportConfiguration
            | Self::Ask
            | Self::Read(_) => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Download(version) => return write!(f, "download {version}"),
            Self::Install(version) => return write!(f, "install {version}"),
            Self::Job(id) => return write!(f, "read job {id}"),
            Self::Login => "log in",
            Self::SystemInfo => "read system information",
            Self::SoftwareInfo => "read the software list",
            Self::SoftwareCheck => "refresh the software list",
            Self::Jobs => "read all jobs",
            Self::Restart => "restart",
            Self::HaState => "read the high-availability state",
            Self::Suspend => "suspend high availability",
            Self::Functional => "make high availability functional",
            Self::ChassisReady => "read chassis readiness",
            Self::SoftwareManager => "read the software manager's partitions",
            Self::DiskSpace => "read disk space",
            Self::PendingChanges => "check for pending changes",
            Self::ConfigLocks => "read configuration locks",
            Self::CommitLocks => "read commit locks",
            Self::Optics => "read the optics",
            Self::ExportConfiguration => "export the configuration",
            Self::Ask => "ask a playbook's question",
            Self::Read(command) => return write!(f, "ask `{command}`"),
        };
        f.write_str(words)
    }
}
