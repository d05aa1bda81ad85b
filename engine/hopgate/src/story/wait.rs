//! What the story says about a time in which a device did not go on.
//!
//! The reasons are the campaign's and the device's own; this file only counts them by kind.

use hopgate_core::waiting::Hold;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A time in which a device did not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// From when.
    pub from: Timestamp,
    /// Until when; nothing while it lasts.
    pub until: Option<Timestamp>,
    /// How long, so far where it lasts.
    pub minutes: u32,
    /// What it waited for, in one word.
    pub cause: WaitCause,
    /// What it waited for, in a sentence.
    pub why: String,
}

/// What a device waited for, in one word: a [`Hold`] without its details, to count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitCause {
    /// To be granted its next hop.
    Permit,
    /// The wave before its own.
    Wave,
    /// An approval.
    Approval,
    /// The watch over the wave before its own.
    Soak,
    /// The wave's limit of devices at once.
    Limit,
    /// The change window.
    Window,
    /// The other member of its pair.
    Peer,
    /// A halted campaign.
    CampaignHalt,
    /// A halted device.
    DeviceHalt,
    /// A request to come to rest.
    StoodDown,
    /// Checks before the hop.
    Checks,
    /// To be readable.
    Unreadable,
    /// To run the release that the plan says.
    Drift,
    /// To have no other release staged.
    OtherRelease,
    /// An image that is not offered.
    Image,
}

impl WaitCause {
    /// The words that people read.
    pub fn label(self) -> &'static str {
        match self {
            WaitCause::Permit => "permit",
            WaitCause::Wave => "earlier wave",
            WaitCause::Approval => "approval",
            WaitCause::Soak => "soak",
            WaitCause::Limit => "wave limit",
            WaitCause::Window => "window",
            WaitCause::Peer => "HA peer",
            WaitCause::CampaignHalt => "campaign halt",
            WaitCause::DeviceHalt => "halted device",
            WaitCause::StoodDown => "stood down",
            WaitCause::Checks => "checks",
            WaitCause::Unreadable => "unreadable",
            WaitCause::Drift => "not as planned",
            WaitCause::OtherRelease => "other release staged",
            WaitCause::Image => "image",
        }
    }

    pub(super) fn of(hold: &Hold) -> WaitCause {
        match hold {
            Hold::Permit => WaitCause::Permit,
            Hold::Wave { .. } => WaitCause::Wave,
            Hold::Approval { .. } => WaitCause::Approval,
            Hold::Soak { .. } => WaitCause::Soak,
            Hold::Concurrency { .. } => WaitCause::Limit,
            Hold::WindowOpens { .. } | Hold::WindowTooShort { .. } => WaitCause::Window,
            Hold::Peer { .. } | Hold::PeerNotReady { .. } => WaitCause::Peer,
            Hold::CampaignHalted { .. } => WaitCause::CampaignHalt,
            Hold::DeviceHalted { .. } => WaitCause::DeviceHalt,
            Hold::StoodDown { .. } => WaitCause::StoodDown,
            Hold::Gate { .. } => WaitCause::Checks,
            Hold::Unreadable { .. } => WaitCause::Unreadable,
            Hold::Drifted { .. } | Hold::OtherDevice { .. } | Hold::PeerNotNamed => WaitCause::Drift,
            Hold::OtherReleaseStaged { .. } => WaitCause::OtherRelease,
            Hold::ImageNotOffered { .. } => WaitCause::Image,
        }
    }
}
