//! Accepted advisories: a person's decision that named devices may go on although a named advisory holds them.
//!
//! Part of the plan, so an approval covers it and another acceptance needs another approval. Must not know what an
//! advisory says or whether it applies.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::{DeviceId, Identity};

/// One advisory, accepted for some devices until a date. There is no way to accept all advisories, or one everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The advisory, by its id.
    pub advisory: String,
    /// The devices it is accepted for.
    pub devices: BTreeSet<DeviceId>,
    /// Who accepted it.
    pub by: Identity,
    /// Why, in their words.
    pub reason: String,
    /// The first instant at which it holds again.
    pub until: Timestamp,
}

impl Acceptance {
    /// Whether `advisory` is accepted for `device` at `now`.
    pub fn covers(&self, advisory: &str, device: &DeviceId, now: Timestamp) -> bool {
        self.advisory == advisory && self.devices.contains(device) && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acceptance_covers_what_it_names_and_ends_on_its_day() {
        let until: Timestamp = "2026-12-24T00:00:00Z".parse().unwrap();
        let accepted = Acceptance {
            advisory: "PAN-221190".to_owned(),
            devices: BTreeSet::from(["fw1".parse().unwrap()]),
            by: "petra".parse().unwrap(),
            reason: "optics are swapped on site".to_owned(),
            until,
        };
        let covers = |advisory, device: &str, now| accepted.covers(advisory, &device.parse().unwrap(), now);
        let before = until - jiff::SignedDuration::from_secs(1);
        assert!(covers("PAN-221190", "fw1", before));
        assert!(!covers("PAN-221190", "fw1", until));
        assert!(!covers("PAN-221190", "fw2", before));
        assert!(!covers("PAN-252131", "fw1", before));
    }
}
