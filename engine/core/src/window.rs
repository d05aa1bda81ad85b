//! The change window: when a campaign may start something, and whether it can still be finished inside.
//!
//! Civil time and time zones are resolved before they get here; this file compares instants only.

use hopgate_paths::Hop;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Allowance for fetching the images of one hop, in minutes. Downloads are a gigabyte or two over an office line;
/// published tools wait between 20 minutes and for ever, the vendor's orchestrator allows 60 for the whole device.
pub const FETCH_ALLOWANCE_MIN: u32 = 30;

/// Allowance for the checks and the backup before, and the checks after a hop, in minutes.
pub const CHECK_ALLOWANCE_MIN: u32 = 10;

/// One maintenance window. `opens` is inside, `closes` is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First instant at which something may start.
    pub opens: Timestamp,
    /// First instant at which nothing of ours may be under way any more.
    pub closes: Timestamp,
}

/// Where an instant lies, for one hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Not open yet.
    Early,
    /// Open, and the hop with its way back ends before the window closes.
    Fits {
        /// The last instant at which the device may still be restarted, so that a failed restart can be reverted inside.
        reboot_by: Timestamp,
    },
    /// The hop, or its way back, could end after the window closed.
    TooLate,
}

/// Longest time that one hop may take when all goes wrong but is noticed in time, in minutes: images, install, a reboot
/// up to its watchdog's deadline, and the same again for the way back to the other partition.
pub fn worst_minutes(hop: &Hop) -> u32 {
    CHECK_ALLOWANCE_MIN + FETCH_ALLOWANCE_MIN + hop.times.install_worst_min + 2 * hop.times.reboot_fail_min
}

/// Minutes as a span of time.
pub fn minutes(count: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(count))
}

impl Window {
    /// Whether `hop` may start at `now`.
    pub fn fit(&self, hop: &Hop, now: Timestamp) -> Fit {
        if now < self.opens {
            return Fit::Early;
        }
        let latest_start = saturating_sub(self.closes, minutes(worst_minutes(hop)));
        if now > latest_start {
            return Fit::TooLate;
        }
        Fit::Fits {
            reboot_by: saturating_sub(self.closes, minutes(2 * hop.times.reboot_fail_min)),
        }
    }
}

/// `instant - span`, or the earliest instant there is.
pub(crate) fn saturating_sub(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// `instant + span`, or the latest instant there is.
pub(crate) fn saturating_add(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::hop;

    #[test]
    fn nothing_starts_that_cannot_be_finished_with_its_way_back() {
        let hop = hop("10.1.0", "10.2.0");
        let opens: Timestamp = "2026-03-07T22:00:00Z".parse().unwrap();
        let closes = opens + SignedDuration::from_hours(6);
        let window = Window { opens, closes };
        let last_start = closes - minutes(worst_minutes(&hop));

        assert_eq!(window.fit(&hop, opens - SignedDuration::from_secs(1)), Fit::Early);
        assert!(matches!(window.fit(&hop, opens), Fit::Fits { .. }));
        assert!(matches!(window.fit(&hop, last_start), Fit::Fits { .. }));
        assert_eq!(
            window.fit(&hop, last_start + SignedDuration::from_secs(1)),
            Fit::TooLate
        );
        assert_eq!(window.fit(&hop, closes), Fit::TooLate);
    }
}
