//! The twin of an estate that was read: the same names, models, versions, content, optics, room and HA roles.
//!
//! A twin is a JSON document of this crate's own; whoever reads an estate writes one. What it does not say is drawn from
//! the seed. Reads no device and opens no file.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::control::ControlRequest;
use crate::model::{ModelClass, classes};
use crate::pair::{HaMode, HaState, SessionOwner};
use crate::release::{Catalogue, Release, Version};
use crate::spec::{Credentials, DeviceSpec, FleetSpec, OpticSpec, PairSpec, SpecError};

/// Content of a device that was not heard of its own: what a well-kept firewall of early 2026 has.
const CONTENT: &str = "9070-9828";

/// Size of an image that the embedded release list does not know, in megabytes: that of a usual maintenance release.
const IMAGE_MB: u64 = 550;

/// An estate as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twin {
    /// When it was read; the simulation starts there.
    pub read_at: Timestamp,
    /// Its devices.
    pub devices: Vec<TwinDevice>,
}

/// One device as it was found. What could not be read is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TwinDevice {
    /// Its name, unique in the estate.
    pub name: String,
    /// Labels, handed through.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Model. A device without one has no twin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Running version. A device without one has no twin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Applications and Threats content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Management address it reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// High availability, where it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ha: Option<TwinHa>,
    /// Optics in its cages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub optics: Vec<OpticSpec>,
    /// Free megabytes on `/opt/panrepo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panrepo_free_mb: Option<u64>,
    /// Images on disk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Whether there were uncommitted changes.
    pub pending_changes: bool,
    /// Administrators who held a configuration lock.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub config_locks: Vec<String>,
}

/// High availability as one member was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinHa {
    /// The other member, by its name in the estate.
    pub peer: String,
    /// The member's state, as PAN-OS spells it.
    pub state: String,
    /// Why, where the device gave a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the pair preempts.
    #[serde(default)]
    pub preemptive: bool,
}

/// A text that is no twin.
#[derive(Debug, thiserror::Error)]
#[error("read the twin {file}")]
pub struct TwinError {
    /// Name of the file.
    pub file: String,
    /// What is wrong with it, and where.
    pub source: serde_json::Error,
}

/// What of an estate can be simulated.
#[derive(Debug)]
pub struct TwinFleet {
    /// The fleet.
    pub spec: FleetSpec,
    /// What has to be done once it stands, for it to be as the estate was.
    pub start: Vec<ControlRequest>,
    /// What is not in it, and why, in words.
    pub left_out: Vec<String>,
}

impl Twin {
    /// Reads a twin. `file_name` only appears in errors.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, TwinError> {
        serde_json::from_str(text).map_err(|source| TwinError {
            file: file_name.to_owned(),
            source,
        })
    }

    /// The fleet that is like the estate. Its administrator is `admin` with the password `admin`.
    ///
    /// # Errors
    /// When a list that is built into this crate does not read.
    pub fn into_fleet(self, seed: u64) -> Result<TwinFleet, SpecError> {
        let embedded = |what| {
            move |source| SpecError::Embedded {
                what,
                source: Box::new(source),
            }
        };
        let mut building = Building {
            catalogue: Catalogue::new(None).map_err(embedded("release list"))?,
            classes: classes().map_err(embedded("model list"))?,
            added: BTreeMap::new(),
            left_out: Vec::new(),
        };
        let roles: BTreeMap<String, TwinHa> = self
            .devices
            .iter()
            .filter_map(|device| Some((device.name.clone(), device.ha.clone()?)))
            .collect();
        let mut names = BTreeSet::new();
        let mut devices = Vec::new();
        for device in self.devices {
            if let Some(built) = building.device(device)
                && names.insert(built.name.clone())
            {
                devices.push(built);
            }
        }
        let (pairs, start) = pairs(&devices, &roles);
        let releases = building.releases();
        Ok(TwinFleet {
            spec: FleetSpec {
                seed,
                epoch: self.read_at,
                credentials: Credentials {
                    user: "admin".to_owned(),
                    password: "admin".to_owned(),
                },
                releases,
                login_before_autocommit_fixed: Default::default(),
                concurrency: Default::default(),
                devices,
                panoramas: Vec::new(),
                pairs,
                faults: Vec::new(),
            },
            start,
            left_out: building.left_out,
        })
    }
}

struct Building {
    catalogue: Catalogue,
    classes: Vec<ModelClass>,
    /// Releases that run somewhere and are not in the embedded list.
    added: BTreeMap<Version, Release>,
    left_out: Vec<String>,
}

impl Building {
    fn device(&mut self, found: TwinDevice) -> Option<DeviceSpec> {
        let name = found.name;
        let (Some(model), Some(version)) = (found.model, found.version) else {
            self.left_out.push(format!("{name}: it could not be read"));
            return None;
        };
        let class = self.classes.iter().find(|class| class.models.contains(&model));
        let Some(ports) = class.map(|class| class.ports) else {
            self.left_out
                .push(format!("{name}: the model {model} is not known"));
            return None;
        };
        let Some(version) = self.release(&version) else {
            self.left_out
                .push(format!("{name}: the release {version} is of no known train"));
            return None;
        };
        let content = found.content.as_deref().and_then(|content| content.parse().ok());
        // What the list cannot name is left away; the bases that matter are on it.
        let images = found.images.iter().filter_map(|image| image.parse().ok());
        let images = images.filter(|image| self.catalogue.get(*image).is_some());
        let images: Vec<Version> = images.collect();
        let mut cages = BTreeSet::new();
        let first = ports.copper + 1;
        let (optics, homeless): (Vec<OpticSpec>, Vec<OpticSpec>) =
            found.optics.into_iter().partition(|optic| {
                let has_cage = optic.slot != 1 || (first..first + ports.cages).contains(&optic.port);
                has_cage && cages.insert((optic.slot, optic.port))
            });
        for optic in homeless {
            let OpticSpec { part, port, .. } = optic;
            self.left_out
                .push(format!("{name}: {part} in port {port}, which has no cage here"));
        }
        let content = content.or_else(|| CONTENT.parse().ok())?;
        Some(DeviceSpec {
            labels: found.labels,
            serial: found.serial,
            address: found.address,
            optics,
            panrepo_free_mb: found.panrepo_free_mb,
            images,
            pending_changes: found.pending_changes,
            config_locks: found.config_locks,
            ..DeviceSpec::plain(&name, &model, version, content)
        })
    }

    /// A release of a known train; one that the update server does not list is added to what it lists.
    fn release(&mut self, text: &str) -> Option<Version> {
        let version: Version = text.parse().ok()?;
        if self.catalogue.get(version).is_none() {
            self.catalogue.min_content(version)?;
            let release = Release {
                version,
                size: IMAGE_MB,
                preferred: false,
            };
            self.added.insert(version, release);
        }
        Some(version)
    }

    /// The whole list, where the embedded one is not enough.
    fn releases(&self) -> Option<Vec<Release>> {
        if self.added.is_empty() {
            return None;
        }
        let all = self.catalogue.releases().chain(self.added.values());
        Some(all.cloned().collect())
    }
}

/// The pairs whose members are both there and name each other, and what brings them into the states they were found in.
fn pairs(devices: &[DeviceSpec], roles: &BTreeMap<String, TwinHa>) -> (Vec<PairSpec>, Vec<ControlRequest>) {
    let there: BTreeSet<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    let (mut pairs, mut start) = (Vec::new(), Vec::new());
    for device in devices {
        let one = device.name.as_str();
        let Some(own) = roles.get(one) else { continue };
        let other = own.peer.as_str();
        let Some(peers) = roles.get(other) else { continue };
        // Each pair once, by its first member in order of names.
        if peers.peer != one || one >= other || !there.contains(other) {
            continue;
        }
        let leads = |role: &TwinHa| matches!(role.state.as_str(), "active" | "active-primary");
        let active = if leads(peers) && !leads(own) { other } else { one };
        let both_serve = |role: &TwinHa| role.state.starts_with("active-") || role.state == "tentative";
        let mode = if both_serve(own) || both_serve(peers) {
            HaMode::ActiveActive
        } else {
            HaMode::ActivePassive
        };
        pairs.push(PairSpec {
            name: format!("{one}+{other}"),
            members: [one.to_owned(), other.to_owned()],
            active: active.to_owned(),
            preferred: None,
            preemptive: own.preemptive || peers.preemptive,
            suspended_survives_reboot: false,
            mode,
            session_owner: SessionOwner::default(),
        });
        for (member, role) in [(one, own), (other, peers)] {
            let state = match role.state.as_str() {
                "suspended" => HaState::Suspended,
                "non-functional" => HaState::NonFunctional,
                _ => continue,
            };
            start.push(ControlRequest::SetHaState {
                device: member.to_owned(),
                state,
                reason: role.reason.clone().unwrap_or_default(),
            });
        }
    }
    (pairs, start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESTATE: &str = r#"{
      "read_at": "2026-03-01T22:00:00Z",
      "devices": [
        {"name": "edge-b", "model": "PA-3220", "version": "10.1.14-h9", "content": "8900-9000", "serial": "0123",
         "ha": {"peer": "edge-a", "state": "active", "preemptive": true},
         "optics": [{"port": 13, "vendor": "FS", "part": "SFP-10GSR-85"}, {"port": 2, "vendor": "FS", "part": "T"}]},
        {"name": "edge-a", "model": "PA-3220", "version": "10.1.14-h9",
         "ha": {"peer": "edge-b", "state": "suspended", "reason": "User requested"}},
        {"name": "odd", "model": "PA-850", "version": "10.1.6-h77", "panrepo_free_mb": 812, "images": ["10.1.0", "10.1.6-h77"]},
        {"name": "orphan", "model": "PA-440", "version": "10.2.10", "ha": {"peer": "gone", "state": "active"}},
        {"name": "gone"},
        {"name": "old", "model": "PA-500", "version": "8.1.0"},
        {"name": "far", "model": "PA-440", "version": "99.1.0"}
      ]
    }"#;

    #[test]
    fn a_twin_is_what_the_estate_was_as_far_as_it_can_be() {
        let fleet = Twin::parse("twin.json", ESTATE).unwrap().into_fleet(3).unwrap();
        insta::assert_snapshot!(fleet.left_out.join("\n"), @r#"
        edge-b: T in port 2, which has no cage here
        gone: it could not be read
        old: the model PA-500 is not known
        far: the release 99.1.0 is of no known train
        "#);
        let mut spec = fleet.spec;
        let releases = spec.releases.take().unwrap();
        assert!(
            releases
                .iter()
                .any(|release| release.version.to_string() == "10.1.6-h77")
        );
        insta::assert_snapshot!(spec.to_yaml().unwrap(), @r#"
        seed: 3
        epoch: 2026-03-01T22:00:00Z
        credentials: {"user":"admin","password":"admin"}
        devices:
          - {"name":"edge-b","model":"PA-3220","version":"10.1.14-h9","content":"8900-9000","serial":"0123","optics":[{"slot":1,"port":13,"vendor":"FS","part":"SFP-10GSR-85","media":"SFP-Plus-Fiber"}]}
          - {"name":"edge-a","model":"PA-3220","version":"10.1.14-h9","content":"9070-9828"}
          - {"name":"odd","model":"PA-850","version":"10.1.6-h77","content":"9070-9828","panrepo_free_mb":812,"images":["10.1.0"]}
          - {"name":"orphan","model":"PA-440","version":"10.2.10","content":"9070-9828"}
        pairs:
          - {"name":"edge-a+edge-b","members":["edge-a","edge-b"],"active":"edge-b","preemptive":true,"suspended_survives_reboot":false}
        "#);
        insta::assert_snapshot!(serde_json::to_string(&fleet.start).unwrap(), @r#"[{"set_ha_state":{"device":"edge-a","state":"suspended","reason":"User requested"}}]"#);
    }

    #[test]
    fn a_twin_has_no_other_keys() {
        let text = ESTATE.replace("\"serial\"", "\"serail\"");
        let refused = Twin::parse("twin.json", &text).unwrap_err();
        assert_eq!(refused.to_string(), "read the twin twin.json");
        assert!(
            refused.source.to_string().contains("unknown field `serail`"),
            "{}",
            refused.source
        );
    }
}
