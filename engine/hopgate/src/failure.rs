//! What a person is told when a command fails: the chain of causes, a stable code, a hint, and the exit status.
//!
//! The only place that gives codes and exit statuses; `docs/errors.md` has a line for each, held true by a test.

use std::error::Error;
use std::fmt;

use hopgate_core::campaign::ApprovalRefused;
use hopgate_core::names::NameError;
use hopgate_panos::{CallError, Failure as Call};
use hopgate_paths::NoRoute;

use crate::api::ApiError;
use crate::audit::AuditError;
use crate::audit::diff::DiffError;
use crate::catalogue::CatalogueFault;
use crate::checks::ChecksError;
use crate::config::ConfigError;
use crate::config::selector::SelectorError;
use crate::connect::ConnectError;
use crate::fleet::FleetError;
use crate::journal::JournalError;
use crate::ledger::LedgerError;
use crate::panorama::PanoramaError;
use crate::path::PathError;
use crate::planner::PlannerError;
use crate::simulate::SimulateError;

/// How a command ends, for scripts. 2 is the command line's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// It failed, and nothing is half-done.
    Failure = 1,
    /// A person has to look or approve first.
    Attention = 3,
    /// Stopped by the operator; everything is at a safe place.
    Stopped = 4,
    /// Stopped at once; `hopgate resume` finds out what is under way.
    Interrupted = 130,
}

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    /// Stable code.
    pub code: &'static str,
    /// What to do.
    pub hint: String,
    source: Box<dyn Error + Send + Sync>,
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// Every code and what it stands for, in the order of the documentation.
pub const CODES: &[(&str, &str)] = &[
    ("C001", "a file cannot be read"),
    (
        "C002",
        "a file is not the YAML that it should be: an unknown key, a wrong type, a value out of range",
    ),
    ("C003", "the keys of a file contradict each other"),
    ("C004", "a name is not allowed"),
    ("C005", "a secret that a file refers to cannot be had"),
    ("C006", "a playbook cannot be used"),
    ("C007", "an overlay of the release catalogue cannot be used"),
    ("D001", "a device cannot be reached"),
    ("D002", "a device did not answer in time"),
    ("D003", "a device's reply was cut short"),
    ("D004", "a device answered with something other than PAN-OS XML"),
    ("D005", "a device refused the login"),
    (
        "D006",
        "a device shows another certificate than the one that is trusted",
    ),
    ("D007", "a device refused the call"),
    ("D008", "a device is too busy to answer"),
    ("D009", "another device answers at an address"),
    ("P001", "there is no upgrade path"),
    ("P002", "the plan contradicts itself"),
    ("A001", "an approval was refused"),
    ("A002", "a running hopgate could not be asked"),
    ("A003", "there is no such campaign or device"),
    ("S001", "a simulated fleet cannot be served"),
    ("X001", "a defect of hopgate"),
];

/// What to do about `D009`.
pub(crate) const ANOTHER_DEVICE: &str =
    "correct the address, or the serial number where the device was replaced";

impl Failure {
    /// A failure with its code and hint.
    pub fn new(
        code: &'static str,
        hint: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Failure {
            code,
            hint: hint.into(),
            source: Box::new(source),
        }
    }

    /// There is nothing of that name.
    pub fn unknown(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Failure {
            code: "A003",
            hint: hint.into(),
            source: text.into().into(),
        }
    }
}

impl fmt::Display for Failure {
    /// Code, chain and hint, as the command line prints them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.source)?;
        let mut source = self.source.source();
        while let Some(cause) = source {
            write!(f, "\n  because: {cause}")?;
            source = cause.source();
        }
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, "\n  hint: {}", self.hint)
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let (code, hint) = match &error {
            ConfigError::Read { .. } => (
                "C001",
                "check the path; relative paths start at the file that names them",
            ),
            ConfigError::Shape { .. } => ("C002", "docs/operator-guide.md has every key with an example"),
            ConfigError::Meaning { .. } => ("C003", "docs/operator-guide.md has every key with an example"),
        };
        Failure::new(code, hint, error)
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Failure::new(
            "C004",
            "names become journal streams and file names; keep to letters, digits and . _ -",
            error,
        )
    }
}

impl From<ChecksError> for Failure {
    fn from(error: ChecksError) -> Self {
        let hint = match &error {
            ChecksError::Setting(_)
            | ChecksError::NoSettings { .. }
            | ChecksError::NotAsked { .. }
            | ChecksError::NoSuchSetting { .. }
            | ChecksError::ChosenTwice { .. } => {
                "hopgate playbook list shows the settings of the built-in ones"
            }
            ChecksError::TwoOfOneName { .. } => {
                "ask one of them, or give a playbook of your own another name"
            }
            ChecksError::NotFound { .. } | ChecksError::AdvisoriesAfter | ChecksError::Playbook { .. } => {
                "built-in playbooks go by name, your own by their file"
            }
            ChecksError::DifferencesBefore | ChecksError::RulesUnread { .. } | ChecksError::Rules(_) => {
                "docs/audit.md has the rules, and hopgate playbook show differences the built-in ones"
            }
        };
        Failure::new("C006", hint, error)
    }
}

impl From<CatalogueFault> for Failure {
    fn from(error: CatalogueFault) -> Self {
        let (code, hint) = match &error {
            CatalogueFault::Read { .. } => (
                "C001",
                "check the path; relative paths start at the file that names them",
            ),
            CatalogueFault::Overlay(_) => ("C007", "docs/paths.md has every kind of row with an example"),
            CatalogueFault::Shipped(_) => ("X001", "please report it"),
        };
        Failure::new(code, hint, error)
    }
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Self {
        let hint = match &error {
            PathError::Model(_) => "models go by the names that `show system info` gives",
            PathError::NoRoute { source, .. } if matches!(**source, NoRoute::Downgrade { .. }) => {
                "--allow-downgrade plans it all the same, with what is lost"
            }
            PathError::NoRoute { .. } => {
                "hopgate path explain says which edges refuse; --via pins a path against the vendor's rules"
            }
            PathError::Fixes(_) => "hopgate path shows the advisories on a way by their ids",
        };
        Failure::new("P001", hint, error)
    }
}

impl From<SelectorError> for Failure {
    fn from(error: SelectorError) -> Self {
        let hint = match &error {
            SelectorError::Group { .. } => {
                "groups are what the inventory has under `groups`; one device is name=vie-edge1, and a label customer=acme"
            }
            SelectorError::InReports { .. } => "the label that the group is made of says it: customer=acme",
            _ => "a selector is written customer=acme,model~PA-8*,version<10.2",
        };
        Failure::new("C004", hint, error)
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Pins(source) => source.into(),
            ConnectError::Trust { source, .. } => source.into(),
            ConnectError::Credentials { .. } => Failure::new(
                "C005",
                "set the variable or write the file that the inventory names",
                error,
            ),
            ConnectError::Transport { .. } => Failure::new("C003", "addresses are host or host:port", error),
        }
    }
}

/// Code and hint of a failed call.
pub fn of_call(error: &CallError) -> (&'static str, &'static str) {
    match &error.failure {
        Call::Unreachable { .. } | Call::NotConnected { .. } => (
            "D001",
            "check the address, the route and the device's management profile",
        ),
        Call::Silent { .. } => ("D002", "the device may be booting or overloaded; try again"),
        Call::Broken { .. } => (
            "D003",
            "the device may be booting, or something in between cuts connections; try again",
        ),
        Call::Garbled { .. } | Call::Unreadable { .. } => (
            "D004",
            "is this the management address of a firewall, and not of a proxy or a login page?",
        ),
        Call::Unauthorised { .. } => (
            "D005",
            "check user and password; too many tries can lock the account",
        ),
        Call::NoRights { .. } | Call::Rejected { .. } => {
            ("D007", "check the role of the account and the device's state")
        }
        Call::Busy { .. } => ("D008", "another job or a boot is under way; try again later"),
        Call::Untrusted { .. } => (
            "D006",
            "renew a certificate that expired; find out why another one is shown, and if it is right, pin its fingerprint in the inventory (trust: {fingerprint: ...})",
        ),
    }
}

impl From<PlannerError> for Failure {
    fn from(error: PlannerError) -> Self {
        match &error {
            PlannerError::Unread { failed, .. } => {
                let (code, hint) = failed.first().map_or(("D001", ""), of_call);
                Failure::new(code, hint, error)
            }
            PlannerError::Strangers { .. } => Failure::new("D009", ANOTHER_DEVICE, error),
            PlannerError::NotInInventory { .. } => Failure::new(
                "C003",
                "add the device to the inventory or correct the wave",
                error,
            ),
            PlannerError::Model { .. } | PlannerError::NoRoute { .. } => Failure::new(
                "P001",
                "another target, or a pinned path with a reason, may lead there",
                error,
            ),
            PlannerError::RouteChanged { .. } => Failure::new(
                "P002",
                "devices that are under way keep their path; use a new campaign name",
                error,
            ),
            PlannerError::Plan(_) => Failure::new("P002", "correct the campaign file", error),
            PlannerError::NoSuchAdvisory(_) => Failure::new(
                "C003",
                "hopgate path shows the advisories on a way by their ids",
                error,
            ),
            PlannerError::Config(_) => match error {
                PlannerError::Config(config) => config.into(),
                other => Failure::new("C003", "", other),
            },
        }
    }
}

impl From<PanoramaError> for Failure {
    fn from(error: PanoramaError) -> Self {
        match error {
            PanoramaError::Connect(source) => source.into(),
            PanoramaError::Unread(ref call) => {
                let (code, hint) = of_call(call);
                Failure::new(code, hint, error)
            }
            PanoramaError::Groups(source) => source.into(),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let (code, hint) = (error.code(), error.hint().to_owned());
        Failure::new(code, hint, error)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let inner = match &error {
            LedgerError::Journal { source, .. } | LedgerError::Document { source, .. } => Some(source),
            LedgerError::Store { source, .. } => Some(source),
            LedgerError::Streams(source) => Some(source),
            _ => None,
        };
        match inner.map(|source| (source.code(), source.hint().to_owned())) {
            Some((code, hint)) => Failure::new(code, hint, error),
            None => Failure::new(
                "X001",
                "keep the state directory as it is and report it; nothing was changed",
                error,
            ),
        }
    }
}

impl From<FleetError> for Failure {
    fn from(error: FleetError) -> Self {
        match error {
            FleetError::Ledger(source) => source.into(),
            FleetError::NoClient { .. } => {
                Failure::new("C003", "the inventory must list every device of the plan", error)
            }
            FleetError::NoCampaign { .. } => {
                Failure::new("A003", "hopgate status lists the campaigns", error)
            }
            FleetError::Driver(crate::driver::DriverError::Ledger { source, .. }) => source.into(),
            FleetError::Driver(_) | FleetError::Illegal(_) | FleetError::Panicked(_) => Failure::new(
                "X001",
                "nothing is lost; hopgate resume goes on from the journal. Please report it",
                error,
            ),
        }
    }
}

impl From<ApprovalRefused> for Failure {
    fn from(error: ApprovalRefused) -> Self {
        let hint = match &error {
            ApprovalRefused::Launcher { .. } => {
                "somebody other than the launcher looks at `hopgate plan` and approves"
            }
            ApprovalRefused::NoSuchWave { .. } | ApprovalRefused::NotNeeded { .. } => {
                "hopgate plan says which waves need an approval"
            }
            ApprovalRefused::OtherPlan { .. } => "hopgate plan shows the plan and its hash",
            ApprovalRefused::NoReason => {
                "say in --reason what was looked at: a change record, a person, a test"
            }
        };
        Failure::new("A001", hint, error)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Refused { .. } => {
                Failure::new("A001", "hopgate plan shows the plan and its hash", error)
            }
            ApiError::Unknown { .. } => Failure::new("A003", "hopgate status lists its devices", error),
            _ => Failure::new(
                "A002",
                "is the hopgate that owns this state directory still running?",
                error,
            ),
        }
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Write { .. } => Failure::new("C001", "check the path", error),
        }
    }
}

impl From<DiffError> for Failure {
    fn from(error: DiffError) -> Self {
        let (code, hint) = match &error {
            DiffError::Read { .. } => ("C001", "check the path"),
            DiffError::NoReport { .. } => ("C002", "hopgate audit --snapshot --json FILE writes one"),
            DiffError::OtherSchema { .. } => ("C002", "ask again with this hopgate"),
            DiffError::Rules { .. } => ("C002", "docs/audit.md has every key with an example"),
        };
        Failure::new(code, hint, error)
    }
}

impl From<SimulateError> for Failure {
    fn from(error: SimulateError) -> Self {
        Failure::new("S001", error.hint(), error)
    }
}
