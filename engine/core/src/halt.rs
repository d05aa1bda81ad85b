//! Why a device was halted: the outcomes that stop it and page a person, each with a stable code.
//!
//! A halt is not an error of ours and not a wait: it is a fact about a device that a person has to look at.

use std::fmt;

use hopgate_paths::Version;
use serde::{Deserialize, Serialize};

use crate::quote::{cut, cut_lines};

/// What went wrong on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HaltReason {
    /// It restarted again and again without ever finishing its auto-commit.
    BootLoop {
        /// Distinct boots seen since our restart.
        boots: u32,
        /// Times it answered and went dark again.
        dark_spells: u32,
    },
    /// It never came back by the deadline.
    NotBack {
        /// Minutes since the watch began.
        minutes: u32,
        /// The last thing that was seen of it.
        last_seen: String,
    },
    /// It came back on another release than the one installed.
    WrongRelease {
        /// The release that should run.
        expected: Version,
        /// The release that runs.
        found: Version,
    },
    /// The restart was asked for and the device kept running, more than once.
    RestartIgnored {
        /// Times it was asked.
        attempts: u32,
    },
    /// HA did not settle after the boot.
    HaNotSettled {
        /// The member's state and its reason.
        found: String,
    },
    /// The checks after the hop did not pass by their deadline.
    AfterChecks {
        /// One line a check that failed.
        reasons: Vec<String>,
    },
    /// The install job ended in FAIL, as often as it was tried.
    InstallFailed {
        /// What the job said.
        detail: String,
    },
    /// The download job ended in FAIL, as often as it was tried.
    FetchFailed {
        /// What the job said.
        detail: String,
    },
    /// A step made no progress until its deadline.
    NoProgress {
        /// The step.
        step: String,
        /// Minutes it was given.
        minutes: u32,
        /// The last thing that came back.
        last: String,
    },
    /// The peer did not take over after the suspend, so the device was put back and not restarted.
    FailoverNotProved {
        /// What was seen of the two.
        found: String,
    },
    /// The device refused a request that the hop needs.
    Refused {
        /// The request.
        action: String,
        /// What the device said.
        text: String,
    },
    /// After the restart the device shows another TLS certificate than the one it was pinned to: nobody can tell whether it
    /// is back, or whether it is the device.
    Untrusted {
        /// What was expected and what was found.
        detail: String,
    },
}

impl HaltReason {
    /// Cuts the words of others that it carries, so that it fits into a record.
    pub(crate) fn shorten(&mut self) {
        match self {
            HaltReason::NotBack { last_seen: text, .. }
            | HaltReason::HaNotSettled { found: text }
            | HaltReason::InstallFailed { detail: text }
            | HaltReason::FetchFailed { detail: text }
            | HaltReason::NoProgress { last: text, .. }
            | HaltReason::FailoverNotProved { found: text }
            | HaltReason::Refused { text, .. }
            | HaltReason::Untrusted { detail: text } => cut(text),
            HaltReason::AfterChecks { reasons } => cut_lines(reasons),
            HaltReason::BootLoop { .. }
            | HaltReason::WrongRelease { .. }
            | HaltReason::RestartIgnored { .. } => {}
        }
    }

    /// Whether the device went down for a restart of ours and did not come back as it should: the outcome that stops the
    /// whole campaign. "Back" includes HA and the checks after the hop.
    pub fn is_failed_reboot(&self) -> bool {
        match self {
            HaltReason::BootLoop { .. }
            | HaltReason::NotBack { .. }
            | HaltReason::WrongRelease { .. }
            | HaltReason::HaNotSettled { .. }
            | HaltReason::AfterChecks { .. }
            | HaltReason::Untrusted { .. } => true,
            HaltReason::RestartIgnored { .. }
            | HaltReason::InstallFailed { .. }
            | HaltReason::FetchFailed { .. }
            | HaltReason::NoProgress { .. }
            | HaltReason::FailoverNotProved { .. }
            | HaltReason::Refused { .. } => false,
        }
    }

    /// Stable code, for tickets and deduplication keys.
    pub fn code(&self) -> &'static str {
        match self {
            HaltReason::BootLoop { .. } => "boot-loop",
            HaltReason::NotBack { .. } => "not-back",
            HaltReason::WrongRelease { .. } => "wrong-release",
            HaltReason::RestartIgnored { .. } => "restart-ignored",
            HaltReason::HaNotSettled { .. } => "ha-not-settled",
            HaltReason::AfterChecks { .. } => "after-checks",
            HaltReason::InstallFailed { .. } => "install-failed",
            HaltReason::FetchFailed { .. } => "fetch-failed",
            HaltReason::NoProgress { .. } => "no-progress",
            HaltReason::FailoverNotProved { .. } => "failover-not-proved",
            HaltReason::Refused { .. } => "refused",
            HaltReason::Untrusted { .. } => "untrusted",
        }
    }

    /// What a person should do next.
    pub fn next_step(&self) -> &'static str {
        match self {
            HaltReason::BootLoop { .. } => {
                "do not power-cycle it (a TPM lockout can hold it down for a day); look at its console and its optics"
            }
            HaltReason::NotBack { .. } => {
                "look at its console; 22 open with 443 closed means maintenance mode, nothing at all means POST or power"
            }
            HaltReason::WrongRelease { .. } => {
                "look at `debug swm status` and its system log before it is restarted again"
            }
            HaltReason::RestartIgnored { .. } => "look for a running commit or job that blocks the restart",
            HaltReason::HaNotSettled { .. } => "look at `show high-availability state` on both members",
            HaltReason::AfterChecks { .. } => "compare the failed checks with the state before the hop",
            HaltReason::InstallFailed { .. } => "read the job's details on the device; nothing was restarted",
            HaltReason::FetchFailed { .. } => {
                "check its update server, licence and disk; nothing was installed"
            }
            HaltReason::NoProgress { .. } => "look at its jobs and its HA state; nothing was restarted",
            HaltReason::FailoverNotProved { .. } => {
                "the device serves again; repair the pair before going on"
            }
            HaltReason::Refused { .. } => "check the account's role and the device's state",
            HaltReason::Untrusted { .. } => {
                "find out who changed the certificate before anything is sent to it"
            }
        }
    }
}

impl fmt::Display for HaltReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HaltReason::BootLoop { boots, dark_spells } => {
                write!(
                    f,
                    "boot loop: {boots} boots seen, went dark {dark_spells} times, no auto-commit ever finished"
                )
            }
            HaltReason::NotBack { minutes, last_seen } => {
                write!(
                    f,
                    "not back {minutes} min after the restart; last seen: {last_seen}"
                )
            }
            HaltReason::WrongRelease { expected, found } => {
                write!(f, "came back on {found} where {expected} was installed")
            }
            HaltReason::RestartIgnored { attempts } => {
                write!(f, "asked to restart {attempts} times and kept running")
            }
            HaltReason::HaNotSettled { found } => write!(f, "HA did not settle after the boot: {found}"),
            HaltReason::AfterChecks { reasons } => {
                write!(f, "checks after the hop fail: {}", reasons.join("; "))
            }
            HaltReason::InstallFailed { detail } => write!(f, "the install failed: {detail}"),
            HaltReason::FetchFailed { detail } => write!(f, "the download failed: {detail}"),
            HaltReason::NoProgress { step, minutes, last } => {
                write!(
                    f,
                    "{step} made no progress for {minutes} min; last answer: {last}"
                )
            }
            HaltReason::FailoverNotProved { found } => write!(f, "the peer did not take over: {found}"),
            HaltReason::Refused { action, text } => write!(f, "it refused to {action}: {text}"),
            HaltReason::Untrusted { detail } => write!(f, "its certificate changed: {detail}"),
        }
    }
}
