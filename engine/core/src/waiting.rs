//! Why a device waits: typed, with what would end it and, where known, when. People read this at 02:00.

use std::fmt;

use hopgate_paths::Version;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::{DeviceId, WaveName};
use crate::quote::{cut, cut_lines};

/// A reason for not going on. Waiting is data, never an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Ready; the campaign has not granted the next hop yet.
    Permit,
    /// Its wave has not been opened.
    Wave {
        /// The wave that has to finish first.
        behind: WaveName,
    },
    /// Its wave needs an approval for the plan as it stands.
    Approval {
        /// The wave to approve.
        wave: WaveName,
    },
    /// The wave before it is done and is being watched.
    Soak {
        /// The wave that soaks.
        wave: WaveName,
        /// When it has soaked.
        until: Timestamp,
    },
    /// As many devices are under way as the wave allows at once.
    Concurrency {
        /// The limit.
        limit: u32,
    },
    /// The window is not open yet.
    WindowOpens {
        /// When it opens.
        at: Timestamp,
    },
    /// What is left of the window is too short for the hop and its way back.
    WindowTooShort {
        /// Minutes the hop may take, with its way back.
        needs_min: u32,
        /// When the window closes.
        closes: Timestamp,
    },
    /// The other member of the HA pair goes first, or has to finish this hop first.
    Peer {
        /// The other member.
        peer: DeviceId,
        /// What is awaited of it.
        because: PeerWait,
    },
    /// The campaign stopped; nothing new starts until an operator resumes it.
    CampaignHalted {
        /// The incident that stopped it.
        incident: String,
    },
    /// The device itself is halted; a person has to look first.
    DeviceHalted {
        /// The device.
        device: DeviceId,
    },
    /// Came to rest at a safe place because the campaign or the operator asked for it.
    StoodDown {
        /// Whether the new release is already installed and waits for the restart.
        staged: Option<Version>,
    },
    /// Checks before the hop did not pass, or could not decide.
    Gate {
        /// One line a check that holds.
        reasons: Vec<String>,
        /// When it is tried again.
        until: Timestamp,
    },
    /// The device could not be read.
    Unreadable {
        /// The step that wanted to read.
        step: String,
        /// What came back instead.
        why: String,
        /// When it is tried again; nothing where a person has to act first.
        until: Option<Timestamp>,
    },
    /// The device runs another release than the plan says: it dropped out of the approved plan.
    Drifted {
        /// What the plan says.
        expected: Version,
        /// What runs.
        found: Version,
    },
    /// Another release than the hop's is staged for the next boot: a restart would go somewhere unplanned.
    OtherReleaseStaged {
        /// What is staged.
        found: Version,
    },
    /// Another device answers at the address than the one that was planned.
    OtherDevice {
        /// Serial number in the plan.
        expected: String,
        /// Serial number that answers.
        found: String,
    },
    /// HA is switched on and the inventory names no peer: its other member could be taken out of service at the same time.
    PeerNotNamed,
    /// The update server does not offer an image that the hop needs.
    ImageNotOffered {
        /// The release that is not in the device's list.
        version: Version,
    },
    /// The peer could not be shown to be able to serve, so nothing was taken out of service.
    PeerNotReady {
        /// What was seen.
        found: String,
        /// When it is tried again.
        until: Timestamp,
    },
}

/// What a member of a pair waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerWait {
    /// The peer is in the middle of a hop.
    Working,
    /// The peer has to reach the release that this device already runs.
    Behind,
    /// The peer is passive and therefore first.
    PassiveFirst,
    /// The roles of the two could not be read yet.
    RolesUnknown,
    /// The peer is halted, or held by something that only a person ends.
    Halted,
}

impl Hold {
    /// Cuts the words of others that it carries, so that it fits into a record.
    pub(crate) fn shorten(&mut self) {
        match self {
            Hold::Gate { reasons, .. } => cut_lines(reasons),
            Hold::Unreadable { why: text, .. } | Hold::PeerNotReady { found: text, .. } => cut(text),
            Hold::Permit
            | Hold::Wave { .. }
            | Hold::Approval { .. }
            | Hold::Soak { .. }
            | Hold::Concurrency { .. }
            | Hold::WindowOpens { .. }
            | Hold::WindowTooShort { .. }
            | Hold::Peer { .. }
            | Hold::CampaignHalted { .. }
            | Hold::DeviceHalted { .. }
            | Hold::StoodDown { .. }
            | Hold::Drifted { .. }
            | Hold::OtherReleaseStaged { .. }
            | Hold::OtherDevice { .. }
            | Hold::PeerNotNamed
            | Hold::ImageNotOffered { .. } => {}
        }
    }

    /// When the reason ends by itself, if it does and if that is known.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Hold::Soak { until, .. } | Hold::Gate { until, .. } | Hold::PeerNotReady { until, .. } => {
                Some(*until)
            }
            Hold::WindowOpens { at } => Some(*at),
            Hold::Unreadable { until, .. } => *until,
            Hold::Permit
            | Hold::Wave { .. }
            | Hold::Approval { .. }
            | Hold::Concurrency { .. }
            | Hold::WindowTooShort { .. }
            | Hold::Peer { .. }
            | Hold::CampaignHalted { .. }
            | Hold::DeviceHalted { .. }
            | Hold::StoodDown { .. }
            | Hold::Drifted { .. }
            | Hold::OtherReleaseStaged { .. }
            | Hold::OtherDevice { .. }
            | Hold::PeerNotNamed
            | Hold::ImageNotOffered { .. } => None,
        }
    }

    /// Stable code of a hold that a device is in until a person acts; nothing for a hold that is not of the device.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Hold::Drifted { .. } => Some("drifted"),
            Hold::OtherReleaseStaged { .. } => Some("other-release-staged"),
            Hold::OtherDevice { .. } => Some("other-device"),
            Hold::PeerNotNamed => Some("peer-not-named"),
            Hold::ImageNotOffered { .. } => Some("image-not-offered"),
            Hold::Unreadable { until: None, .. } => Some("unreadable"),
            Hold::Unreadable { until: Some(_), .. }
            | Hold::Permit
            | Hold::Wave { .. }
            | Hold::Approval { .. }
            | Hold::Soak { .. }
            | Hold::Concurrency { .. }
            | Hold::WindowOpens { .. }
            | Hold::WindowTooShort { .. }
            | Hold::Peer { .. }
            | Hold::CampaignHalted { .. }
            | Hold::DeviceHalted { .. }
            | Hold::StoodDown { .. }
            | Hold::Gate { .. }
            | Hold::PeerNotReady { .. } => None,
        }
    }

    /// Whether only a person ends this (`hopgate resume` after the cause was cleared).
    pub fn needs_person(&self) -> bool {
        let of_campaign = matches!(
            self,
            Hold::CampaignHalted { .. } | Hold::DeviceHalted { .. } | Hold::Approval { .. }
        );
        of_campaign || self.code().is_some()
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hold::Permit => write!(f, "ready; the campaign has not granted the next hop yet"),
            Hold::Wave { behind } => write!(f, "its wave opens when wave {behind} is finished"),
            Hold::Approval { wave } => write!(f, "wave {wave} needs an approval (hopgate approve)"),
            Hold::Soak { wave, until } => write!(f, "wave {wave} is being watched until {until:.0}"),
            Hold::Concurrency { limit: 1 } => {
                write!(f, "another device is under way, and the wave allows one at once")
            }
            Hold::Concurrency { limit } => {
                write!(f, "{limit} devices are under way, which is the wave's limit")
            }
            Hold::WindowOpens { at } => write!(f, "the change window opens at {at:.0}"),
            Hold::WindowTooShort { needs_min, closes } => write!(
                f,
                "the hop and its way back may take {needs_min} min and the window closes at {closes:.0}"
            ),
            Hold::Peer { peer, because } => write!(f, "{}", peer_line(peer, *because)),
            Hold::CampaignHalted { incident } => {
                write!(
                    f,
                    "the campaign is halted by {incident}; nothing new starts until hopgate resume"
                )
            }
            Hold::DeviceHalted { device } => {
                write!(f, "{device} is halted; hopgate why {device} says what to do")
            }
            Hold::StoodDown { staged: None } => write!(f, "stood down at a safe place, nothing is staged"),
            Hold::StoodDown {
                staged: Some(version),
            } => {
                write!(
                    f,
                    "stood down before the restart; {version} is installed and starts with the next boot"
                )
            }
            Hold::Gate { reasons, until } => {
                write!(
                    f,
                    "checks hold it, next try at {until:.0}: {}",
                    reasons.join("; ")
                )
            }
            Hold::Unreadable {
                step,
                why,
                until: Some(until),
            } => {
                write!(
                    f,
                    "it could not be read while {step} ({why}); next try at {until:.0}"
                )
            }
            Hold::Unreadable {
                step,
                why,
                until: None,
            } => {
                write!(
                    f,
                    "it could not be read while {step} ({why}); resume when the cause is cleared"
                )
            }
            Hold::Drifted { expected, found } => write!(
                f,
                "it runs {found} where the approved plan says {expected}; plan again or put it back, then resume"
            ),
            Hold::OtherDevice { expected, found } => write!(
                f,
                "serial number {found} answers where the plan says {expected}; put the address right, then resume"
            ),
            Hold::PeerNotNamed => write!(
                f,
                "HA is switched on and the inventory names no peer; plan the pair, with both peers named, as a new campaign"
            ),
            Hold::OtherReleaseStaged { found } => {
                write!(
                    f,
                    "{found} is staged for the next boot, which is not this hop's release; clear it, then resume"
                )
            }
            Hold::ImageNotOffered { version } => {
                write!(
                    f,
                    "the update server does not offer {version} to it; resume when it does"
                )
            }
            Hold::PeerNotReady { found, until } => {
                write!(
                    f,
                    "its HA peer cannot be shown to take over ({found}); next try at {until:.0}"
                )
            }
        }
    }
}

fn peer_line(peer: &DeviceId, because: PeerWait) -> String {
    match because {
        PeerWait::Working => format!("its HA peer {peer} is under way; never both"),
        PeerWait::Behind => format!("its HA peer {peer} has to finish the same hop first"),
        PeerWait::PassiveFirst => format!("its HA peer {peer} is passive and goes first"),
        PeerWait::RolesUnknown => format!("the HA roles of it and {peer} are being read"),
        PeerWait::Halted => format!("its HA peer {peer} waits for a person; look there first"),
    }
}
