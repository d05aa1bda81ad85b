//! Panoramas, as a fleet file writes them, and whether one of them may manage a firewall's release.
//!
//! A Panorama is otherwise a device like any other: it has jobs, images, partitions and reboots. Who is connected at
//! an instant is `management.rs`'s business, replies are `answer`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::ModelClass;
use crate::release::{Catalogue, Version};
use crate::spec::{ContentVersion, DeviceSpec, FleetSpec};

/// One Panorama at the start. Two of them can be named as a pair.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanoramaSpec {
    /// Host name, unique among Panoramas and firewalls.
    pub name: String,
    /// `Panorama` for the virtual appliance, or an `M-` model.
    #[serde(default = "virtual_appliance")]
    pub model: String,
    /// Version that runs. It has to be on the update server's list.
    pub version: Version,
    /// Applications and Threats content.
    #[serde(default = "recent_content")]
    pub content: ContentVersion,
    /// Serial number; drawn from the seed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Management address it reports; drawn from the seed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// Which firewalls it manages.
    #[serde(default)]
    pub manages: Manages,
    /// The label whose value is a firewall's device group. A firewall without the label is in none.
    #[serde(default = "site")]
    pub device_group_label: String,
    /// Free labels; the simulator only hands them out again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

fn virtual_appliance() -> String {
    "Panorama".to_owned()
}

/// Enough for every train of the embedded list.
fn recent_content() -> ContentVersion {
    ContentVersion {
        first: 8900,
        second: 9000,
    }
}

fn site() -> String {
    "site".to_owned()
}

/// How many Panoramas a firewall's configuration has room for: `panorama-server` and `panorama-server-2`.
const SERVERS: usize = 2;

/// Which firewalls a Panorama manages. Written `all`, a list of names, or labels that all have to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Manages {
    /// Every firewall of the fleet.
    #[default]
    All,
    /// These.
    Named(BTreeSet<String>),
    /// Those that carry every one of these labels.
    Labelled(BTreeMap<String, String>),
}

impl Manages {
    /// Whether a firewall is among them.
    pub(crate) fn covers(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
            Self::Labelled(wanted) => wanted
                .iter()
                .all(|(label, value)| labels.get(label) == Some(value)),
        }
    }
}

impl<'de> Deserialize<'de> for Manages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Manages;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`all`, a list of device names, or labels")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    "all" => Ok(Manages::All),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, names: A) -> Result<Self::Value, A::Error> {
                let names = serde::de::value::SeqAccessDeserializer::new(names);
                Deserialize::deserialize(names).map(Manages::Named)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, labels: A) -> Result<Self::Value, A::Error> {
                let labels = serde::de::value::MapAccessDeserializer::new(labels);
                Deserialize::deserialize(labels).map(Manages::Labelled)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Manages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Named(names) => names.serialize(serializer),
            Self::Labelled(labels) => labels.serialize(serializer),
        }
    }
}

impl PanoramaSpec {
    /// The device it is.
    pub(crate) fn device(&self) -> DeviceSpec {
        DeviceSpec {
            labels: self.labels.clone(),
            serial: self.serial.clone(),
            address: self.address,
            ..DeviceSpec::plain(&self.name, &self.model, self.version, self.content)
        }
    }

    /// What is impossible about it beside the firewalls of its fleet and the Panoramas listed before it.
    pub(crate) fn contradiction(
        &self,
        firewalls: &[DeviceSpec],
        earlier: &[Self],
        class: &ModelClass,
    ) -> Option<String> {
        let name = &self.name;
        if !class.panorama {
            return Some(format!("{name}: a {} is no Panorama", self.model));
        }
        if let Manages::Named(names) = &self.manages {
            let known = |named: &String| firewalls.iter().any(|firewall| firewall.name == *named);
            if let Some(stranger) = names.iter().find(|named| !known(named)) {
                return Some(format!(
                    "{name}: it cannot manage {stranger}, which is not a device of this fleet"
                ));
            }
        }
        let manages =
            |one: &Self, firewall: &DeviceSpec| one.manages.covers(&firewall.name, &firewall.labels);
        let servers = |firewall: &DeviceSpec| earlier.iter().filter(|one| manages(one, firewall)).count();
        firewalls
            .iter()
            .find(|firewall| manages(self, firewall) && servers(firewall) >= SERVERS)
            .map(|firewall| format!("{name}: {} has {SERVERS} Panoramas already", firewall.name))
    }
}

impl DeviceSpec {
    /// A device about which the fleet file says no more than this.
    pub(crate) fn plain(name: &str, model: &str, version: Version, content: ContentVersion) -> Self {
        Self {
            name: name.to_owned(),
            labels: BTreeMap::new(),
            model: model.to_owned(),
            version,
            content,
            serial: None,
            address: None,
            optics: Vec::new(),
            panrepo_free_mb: None,
            images: Vec::new(),
            chassis_ready: None,
            pending_changes: false,
            config_locks: Vec::new(),
            setup: None,
            features: Vec::new(),
            ungraceful_shutdowns: 0,
            boots_since_check: None,
        }
    }
}

/// Every device of a fleet, and whether it is a Panorama.
pub(crate) fn kinds(fleet: &FleetSpec) -> BTreeMap<&str, bool> {
    let firewalls = fleet.devices.iter().map(|device| (device.name.as_str(), false));
    let panoramas = fleet
        .panoramas
        .iter()
        .map(|panorama| (panorama.name.as_str(), true));
    firewalls.chain(panoramas).collect()
}

/// Checks the Panoramas of a fleet; which one is impossible, and why.
pub(crate) fn check(
    fleet: &FleetSpec,
    catalogue: &Catalogue,
    classes: &[ModelClass],
) -> Result<(), (usize, String)> {
    let mut names: BTreeSet<&str> = fleet.devices.iter().map(|device| device.name.as_str()).collect();
    for (index, panorama) in fleet.panoramas.iter().enumerate() {
        let name = &panorama.name;
        let wrong = |what: String| Err((index, what));
        if name.is_empty() || !names.insert(name) {
            return wrong(format!("the device name `{name}` is empty or taken"));
        }
        let Some(class) = classes
            .iter()
            .find(|class| class.models.contains(&panorama.model))
        else {
            return wrong(format!("{name}: the model {} is not known", panorama.model));
        };
        if catalogue.get(panorama.version).is_none() {
            return wrong(format!(
                "{name}: the update server does not list {}",
                panorama.version
            ));
        }
        let earlier = &fleet.panoramas[..index];
        if let Some(contradiction) = panorama.contradiction(&fleet.devices, earlier, class) {
            return wrong(contradiction);
        }
    }
    Ok(())
}

/// Whether a Panorama may manage a firewall's release: not one of a later train, and within a train none of a later
/// maintenance release, which Panoramas from 10.2.7 on accept as well (compatibility matrix, Panorama management
/// compatibility). Hotfixes do not count: the matrix does not name any.
pub(crate) fn may_manage(panorama: Version, firewall: Version) -> bool {
    let (ours, theirs) = (panorama.feature(), firewall.feature());
    if ours != theirs {
        return ours > theirs;
    }
    let relaxed = (panorama.feature(), panorama.maintenance()) >= ((10, 2), 7);
    relaxed || panorama.maintenance() >= firewall.maintenance()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_rule_is_relaxed_from_10_2_7_within_a_train() {
        for (panorama, firewall, expected) in [
            ("10.1.4", "10.2.0", false),
            ("10.2.0", "10.1.14-h9", true),
            ("10.2.4", "10.2.4-h4", true),
            ("10.2.4", "10.2.7", false),
            ("10.2.7", "10.2.11", true),
            ("11.1.4", "11.2.0", false),
            ("11.1.4", "11.1.6", true),
            ("12.1.2", "9.1.16", true),
        ] {
            let (one, other) = (panorama.parse().unwrap(), firewall.parse().unwrap());
            assert_eq!(may_manage(one, other), expected, "{panorama} {firewall}");
        }
    }

    #[test]
    fn what_is_managed_is_written_in_three_ways() {
        let read = |text: &str| serde_saphyr::from_str::<Manages>(text);
        let labels = BTreeMap::from([("customer".to_owned(), "acme".to_owned())]);
        assert!(read("all").unwrap().covers("fw", &BTreeMap::new()));
        assert!(read("[fw, other]").unwrap().covers("fw", &BTreeMap::new()));
        assert!(!read("[other]").unwrap().covers("fw", &labels));
        assert!(read("{customer: acme}").unwrap().covers("fw", &labels));
        assert!(!read("{customer: acme, site: vie}").unwrap().covers("fw", &labels));
        assert!(read("none").unwrap_err().to_string().contains("`all`, a list"));
    }
}
