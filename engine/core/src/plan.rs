//! The plan: who goes where, in which wave, inside which window, approved by its hash.
//!
//! A plan is a value. It is made once from the campaign file, the inventory and what the devices answered, stored as a
//! document under its hash, and never changed: another plan has another hash and needs its own approvals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hopgate_paths::{Route, Version};
use hopgate_playbooks::Setting;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::acceptance::Acceptance;
use crate::names::{CampaignId, DeviceId, Identity, WaveName};
use crate::window::Window;

/// Format of the stored plan document; raised with every change of its fields.
pub const PLAN_FORMAT: u16 = 1;

/// A whole campaign, before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_FORMAT`] of the writer.
    pub format: u16,
    /// Its name.
    pub campaign: CampaignId,
    /// Who launches it; this identity cannot approve its waves.
    pub launcher: Identity,
    /// The release every device is to reach.
    pub target: Version,
    /// Set where an operator pinned an off-vendor path.
    pub pin: Option<Pin>,
    /// When anything may happen at all.
    pub window: Window,
    /// In order; a wave opens when the one before it is finished.
    pub waves: Vec<Wave>,
    /// What each device does.
    pub devices: BTreeMap<DeviceId, PlannedDevice>,
    /// What is asked before every hop, by name, with the hash of what it asks.
    pub before: BTreeMap<String, String>,
    /// What is asked after every hop, by name, with the hash of what it asks.
    pub after: BTreeMap<String, String>,
    /// Settings that were chosen for playbooks asked before every hop, by playbook. Their hashes hold them too; here a
    /// person can read them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before_with: BTreeMap<String, BTreeMap<String, Setting>>,
    /// Settings that were chosen for playbooks asked after every hop, by playbook.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub after_with: BTreeMap<String, BTreeMap<String, Setting>>,
    /// Advisories that do not hold some of the devices, by somebody's decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Acceptance>,
}

/// An operator's decision to leave the vendor's path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Who pinned it.
    pub by: Identity,
    /// Why, in their words.
    pub reason: String,
    /// The releases to pass, in order, without the target.
    pub via: Vec<Version>,
}

/// One wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// Its name.
    pub name: WaveName,
    /// Whether somebody other than the launcher has to approve it first.
    pub approval: bool,
    /// Most devices under way at once.
    pub concurrency: u32,
    /// Minutes the wave is watched after its last device before the next may open.
    pub soak_min: u32,
    /// Its devices, in the order in which they are granted.
    pub devices: Vec<DeviceId>,
}

/// One device in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedDevice {
    /// Model as the device names itself.
    pub model: String,
    /// Serial number that answered when the plan was made.
    pub serial: String,
    /// The other member of its HA pair.
    pub peer: Option<DeviceId>,
    /// Its hops.
    pub route: Route,
}

/// SHA-256 over the plan's canonical JSON, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanHash(String);

impl PlanHash {
    /// The whole hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, which is what people compare.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower-case hexadecimal SHA-256.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            use fmt::Write as _;
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// A plan that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No wave holds a device.
    #[error("the plan has no device")]
    Empty,
    /// Two waves, or one wave twice, list the same device.
    #[error("device {device} is listed twice, in wave {first} and in wave {second}")]
    ListedTwice {
        /// The device.
        device: DeviceId,
        /// Where it is listed first.
        first: WaveName,
        /// Where it is listed again.
        second: WaveName,
    },
    /// A wave lists a device without a route.
    #[error("wave {wave} lists {device}, which has no route in the plan")]
    NotPlanned {
        /// The device.
        device: DeviceId,
        /// The wave.
        wave: WaveName,
    },
    /// A device is in no wave.
    #[error("device {device} is planned and in no wave")]
    InNoWave {
        /// The device.
        device: DeviceId,
    },
    /// The two members of a pair are in different waves, so one would wait half upgraded for the other's gate.
    #[error("the HA pair {device} and {peer} is split over waves {wave} and {peer_wave}; put both into one")]
    PairSplit {
        /// One member.
        device: DeviceId,
        /// The other.
        peer: DeviceId,
        /// The first one's wave.
        wave: WaveName,
        /// The second one's wave.
        peer_wave: WaveName,
    },
    /// One member names the other, and the other does not name it back.
    #[error("{device} names {peer} as its HA peer, and {peer} does not name {device}")]
    PairOneSided {
        /// The member that names the other.
        device: DeviceId,
        /// The other.
        peer: DeviceId,
    },
    /// A wave with a concurrency of zero never ends.
    #[error("wave {wave} allows 0 devices at once; use at least 1")]
    NoConcurrency {
        /// The wave.
        wave: WaveName,
    },
    /// An acceptance names a device that has no part in the plan, or none at all.
    #[error("the acceptance of {advisory} names {}", device.as_ref().map_or_else(|| "no device".to_owned(), |device| format!("{device}, which is not in the plan")))]
    AcceptedElsewhere {
        /// The advisory.
        advisory: String,
        /// The device; none where the list is empty.
        device: Option<DeviceId>,
    },
    /// The window closes before it opens.
    #[error("the window closes at {closes:.0}, which is not after it opens at {opens:.0}", opens = .window.opens, closes = .window.closes)]
    WindowReversed {
        /// The window.
        window: Window,
    },
}

impl Plan {
    /// The hash that approvals are bound to.
    pub fn hash(&self) -> PlanHash {
        PlanHash(sha256_hex(self.to_json().as_bytes()))
    }

    /// The canonical document: maps are ordered, so the same plan gives the same bytes.
    pub fn to_json(&self) -> String {
        // A plan holds only strings, numbers, lists and string-keyed maps, none of which fail to serialize.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether any device leaves the vendor's path.
    pub fn is_off_vendor(&self) -> bool {
        self.devices.values().any(|device| device.route.is_off_vendor())
    }

    /// The wave of a device, by position.
    pub fn wave_of(&self, device: &DeviceId) -> Option<usize> {
        self.waves.iter().position(|wave| wave.devices.contains(device))
    }

    /// Refuses a plan that contradicts itself.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.window.closes <= self.window.opens {
            return Err(PlanError::WindowReversed { window: self.window });
        }
        let listed = self.check_waves()?;
        if listed.is_empty() {
            return Err(PlanError::Empty);
        }
        if let Some(device) = self.devices.keys().find(|device| !listed.contains_key(*device)) {
            return Err(PlanError::InNoWave {
                device: device.clone(),
            });
        }
        self.check_accepted()?;
        self.check_pairs(&listed)
    }

    fn check_accepted(&self) -> Result<(), PlanError> {
        for accepted in &self.accepted {
            let stranger = accepted
                .devices
                .iter()
                .find(|device| !self.devices.contains_key(*device));
            if accepted.devices.is_empty() || stranger.is_some() {
                return Err(PlanError::AcceptedElsewhere {
                    advisory: accepted.advisory.clone(),
                    device: stranger.cloned(),
                });
            }
        }
        Ok(())
    }

    fn check_waves(&self) -> Result<BTreeMap<&DeviceId, &WaveName>, PlanError> {
        let mut listed: BTreeMap<&DeviceId, &WaveName> = BTreeMap::new();
        for wave in &self.waves {
            if wave.concurrency == 0 {
                return Err(PlanError::NoConcurrency {
                    wave: wave.name.clone(),
                });
            }
            for device in &wave.devices {
                if !self.devices.contains_key(device) {
                    return Err(PlanError::NotPlanned {
                        device: device.clone(),
                        wave: wave.name.clone(),
                    });
                }
                if let Some(first) = listed.insert(device, &wave.name) {
                    return Err(PlanError::ListedTwice {
                        device: device.clone(),
                        first: first.clone(),
                        second: wave.name.clone(),
                    });
                }
            }
        }
        Ok(listed)
    }

    fn check_pairs(&self, listed: &BTreeMap<&DeviceId, &WaveName>) -> Result<(), PlanError> {
        for (device, planned) in &self.devices {
            let Some(peer) = &planned.peer else { continue };
            let names_back = self
                .devices
                .get(peer)
                .is_some_and(|other| other.peer.as_ref() == Some(device));
            if !names_back {
                return Err(PlanError::PairOneSided {
                    device: device.clone(),
                    peer: peer.clone(),
                });
            }
            if let (Some(wave), Some(peer_wave)) = (listed.get(device), listed.get(peer))
                && wave != peer_wave
            {
                return Err(PlanError::PairSplit {
                    device: device.clone(),
                    peer: peer.clone(),
                    wave: (*wave).clone(),
                    peer_wave: (*peer_wave).clone(),
                });
            }
        }
        Ok(())
    }

    /// Every identity that may not approve: today the launcher alone.
    pub fn cannot_approve(&self) -> BTreeSet<&Identity> {
        BTreeSet::from([&self.launcher])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hopgate_paths::{Hop, HopKind, HopTimes};
    use jiff::Timestamp;

    pub(crate) fn hop(from: &str, to: &str) -> Hop {
        Hop {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            kind: HopKind::Feature,
            downloads: vec![to.parse().unwrap()],
            minimum_content: None,
            broken_rules: Vec::new(),
            times: HopTimes {
                install_expected_min: 18,
                install_worst_min: 30,
                reboot_expected_min: 18,
                reboot_warn_min: 25,
                reboot_fail_min: 45,
            },
            chassis_ready: true,
            feature_releases_apart: 1,
        }
    }

    pub(crate) fn planned(peer: Option<&str>) -> PlannedDevice {
        PlannedDevice {
            model: "PA-850".to_owned(),
            serial: "0011".to_owned(),
            peer: peer.map(|peer| peer.parse().unwrap()),
            route: Route {
                model: "PA-850".to_owned(),
                from: "10.1.14".parse().unwrap(),
                to: "10.2.7".parse().unwrap(),
                hops: vec![hop("10.1.14", "10.2.0"), hop("10.2.0", "10.2.7")],
            },
        }
    }

    pub(crate) fn plan(waves: &[(&str, bool, &[&str])], pairs: &[(&str, &str)]) -> Plan {
        let opens: Timestamp = "2026-03-07T22:00:00Z".parse().unwrap();
        let mut devices = BTreeMap::new();
        for (_, _, names) in waves {
            for name in *names {
                let peer = pairs.iter().find_map(|(a, b)| match () {
                    () if a == name => Some(*b),
                    () if b == name => Some(*a),
                    () => None,
                });
                devices.insert(name.parse().unwrap(), planned(peer));
            }
        }
        Plan {
            format: PLAN_FORMAT,
            campaign: "spring".parse().unwrap(),
            launcher: "olga".parse().unwrap(),
            target: "10.2.7".parse().unwrap(),
            pin: None,
            window: Window {
                opens,
                closes: opens + jiff::SignedDuration::from_hours(12),
            },
            waves: waves
                .iter()
                .map(|(name, approval, names)| Wave {
                    name: name.parse().unwrap(),
                    approval: *approval,
                    concurrency: 4,
                    soak_min: 10,
                    devices: names.iter().map(|name| name.parse().unwrap()).collect(),
                })
                .collect(),
            devices,
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            before_with: BTreeMap::new(),
            after_with: BTreeMap::new(),
            accepted: Vec::new(),
        }
    }

    #[test]
    fn a_changed_plan_has_another_hash() {
        let first = plan(
            &[("canary", false, &["a"]), ("rest", true, &["b", "c"])],
            &[("b", "c")],
        );
        assert_eq!(first.check(), Ok(()));
        let mut second = first.clone();
        assert_eq!(first.hash(), second.hash());
        second.waves[1].concurrency = 5;
        assert_ne!(first.hash(), second.hash());
    }

    #[test]
    fn an_acceptance_is_part_of_what_is_approved_and_names_devices_of_the_plan() {
        let bare = plan(&[("canary", false, &["a"]), ("rest", true, &["b"])], &[]);
        let accepting = |devices: &[&str]| {
            let mut plan = bare.clone();
            plan.accepted.push(Acceptance {
                advisory: "PAN-221190".to_owned(),
                devices: devices.iter().map(|name| name.parse().unwrap()).collect(),
                by: "petra".parse().unwrap(),
                reason: "swapped on site".to_owned(),
                until: plan.window.closes,
            });
            plan
        };
        assert!(!bare.to_json().contains("accepted"));
        assert_eq!(accepting(&["a"]).check(), Ok(()));
        assert_ne!(accepting(&["a"]).hash(), bare.hash());
        assert_ne!(accepting(&["a"]).hash(), accepting(&["a", "b"]).hash());
        insta::assert_snapshot!(accepting(&["a", "x"]).check().unwrap_err(), @"the acceptance of PAN-221190 names x, which is not in the plan");
        insta::assert_snapshot!(accepting(&[]).check().unwrap_err(), @"the acceptance of PAN-221190 names no device");
    }

    #[test]
    fn settings_are_part_of_what_is_approved_and_a_plan_without_them_is_what_it_was() {
        let bare = plan(&[("canary", false, &["a"])], &[]);
        assert!(!bare.to_json().contains("_with"));
        let choosing = |days: i64| {
            let mut plan = bare.clone();
            let days = BTreeMap::from([("warn_days".to_owned(), Setting::Number(days))]);
            plan.before_with.insert("licences".to_owned(), days);
            plan
        };
        assert_ne!(choosing(60).hash(), bare.hash());
        assert_ne!(choosing(60).hash(), choosing(61).hash());
        let stored: Plan = serde_json::from_str(&choosing(60).to_json()).unwrap();
        assert_eq!(stored, choosing(60));
        let old: Plan = serde_json::from_str(&bare.to_json()).unwrap();
        assert_eq!(old.hash(), bare.hash());
    }

    #[test]
    fn a_split_pair_is_refused() {
        let split = plan(
            &[("canary", false, &["a", "b"]), ("rest", true, &["c"])],
            &[("b", "c")],
        );
        insta::assert_snapshot!(split.check().unwrap_err(), @"the HA pair b and c is split over waves canary and rest; put both into one");
        let twice = plan(&[("canary", false, &["a"]), ("rest", true, &["a"])], &[]);
        insta::assert_snapshot!(twice.check().unwrap_err(), @"device a is listed twice, in wave canary and in wave rest");
    }
}
