//! The inventory: which devices there are, where they answer, whom to trust there and how to log in.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hopgate_core::names::DeviceId;
use hopgate_panos::{Fingerprint, Trust};
use hopgate_playbooks::{Fact, FactArea, Facts};
use serde::{Deserialize, Serialize};

use super::credentials::CredentialsRef;
use super::selector::Groups;
use super::{ConfigError, meaning};
use crate::clock::{Clock, Scale};

/// The inventory file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Only where the devices are simulated: how their time runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated_clock: Option<Scale>,
    /// What devices have that do not say otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// Devices that go by one name wherever a selector is written.
    #[serde(default, skip_serializing_if = "Groups::is_empty")]
    pub groups: Groups,
    /// The devices.
    pub devices: Vec<Entry>,
}

/// What holds for every device that does not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// How to log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsRef>,
    /// Whom to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustRef>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name here and everywhere.
    pub name: DeviceId,
    /// Host and port of its management interface; 443 where the port is left out.
    pub address: String,
    /// The serial number of the device that is meant: what another one says at this address is not taken for its.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The other member of its HA pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<DeviceId>,
    /// Customer, site, anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How to log in to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsRef>,
    /// Whom to trust for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustRef>,
}

/// How a device proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TrustRef {
    /// Its certificate is signed by an authority in this PEM file, for its name.
    Authority(std::path::PathBuf),
    /// Its certificate has this SHA-256 fingerprint.
    Fingerprint(String),
    /// The certificate of the first contact is pinned and journaled; another one later is refused.
    FirstUse,
    /// Any certificate. Whoever sits in between can read the password.
    None,
}

impl Inventory {
    /// Reads and checks the inventory: a table where the file is called `.csv`, YAML otherwise.
    pub fn load(path: &Path) -> Result<Inventory, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// Civil time of its devices: the machine's, or a simulation's.
    pub fn clock(&self) -> Clock {
        self.simulated_clock.map_or_else(Clock::system, Clock::scaled)
    }

    /// A device whose secret somebody has to type.
    pub fn asks_a_person(&self) -> Option<&DeviceId> {
        let credentials = |entry: &Entry| {
            let own = entry.credentials.as_ref();
            own.or(self.defaults.credentials.as_ref())
                .is_some_and(CredentialsRef::asks_a_person)
        };
        let mut devices = self.devices.iter();
        devices.find(|entry| credentials(entry)).map(|entry| &entry.name)
    }

    /// As [`Inventory::load`], from the text of the file.
    pub fn parse(path: &Path, text: &str) -> Result<Inventory, ConfigError> {
        let is_table = path
            .extension()
            .is_some_and(|name| name.eq_ignore_ascii_case("csv"));
        if is_table {
            let inventory = table::parse(path, text)?;
            inventory.check(path).map(|()| inventory)
        } else {
            let inventory: Inventory = super::parse(path, text)?;
            let checked = inventory.check(path);
            checked
                .map(|()| inventory)
                .map_err(|error| error.located_in(text))
        }
    }

    /// A device by name.
    pub fn entry(&self, name: &DeviceId) -> Option<&Entry> {
        self.devices.iter().find(|entry| entry.name == *name)
    }

    /// The inventory as a file, which reads back as it is.
    pub fn to_yaml(&self) -> Result<String, serde_saphyr::ser::Error> {
        serde_saphyr::to_string(self)
    }

    pub(crate) fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let mut addresses: BTreeMap<&str, &DeviceId> = BTreeMap::new();
        for (index, entry) in self.devices.iter().enumerate() {
            let key = |field: &str| format!("devices[{index}].{field}");
            if self
                .devices
                .iter()
                .take(index)
                .any(|earlier| earlier.name == entry.name)
            {
                return Err(meaning(
                    path,
                    key("name"),
                    format!("{} is listed twice", entry.name),
                ));
            }
            if let Some(other) = addresses.insert(&entry.address, &entry.name) {
                let text = format!("{} is the address of {other} already", entry.address);
                return Err(meaning(path, key("address"), text));
            }
            if entry.address.is_empty() {
                return Err(meaning(path, key("address"), "is empty"));
            }
            self.check_peer(path, entry, &key("peer"))?;
            if entry.credentials.is_none() && self.defaults.credentials.is_none() {
                let text = format!("{} has none, and neither have the defaults", entry.name);
                return Err(meaning(path, key("credentials"), text));
            }
            if let Some(TrustRef::Fingerprint(text)) = &entry.trust
                && let Err(error) = text.parse::<Fingerprint>()
            {
                return Err(meaning(path, key("trust.fingerprint"), error.to_string()));
            }
        }
        self.groups.check(path)?;
        self.groups.check_keys(path, &self.devices)
    }

    fn check_peer(&self, path: &Path, entry: &Entry, key: &str) -> Result<(), ConfigError> {
        let Some(peer) = &entry.peer else { return Ok(()) };
        if *peer == entry.name {
            return Err(meaning(path, key, format!("{peer} is its own HA peer")));
        }
        match self.entry(peer) {
            None => Err(meaning(path, key, format!("{peer} is not in the inventory"))),
            Some(other) if other.peer.as_ref() != Some(&entry.name) => Err(meaning(
                path,
                key,
                format!("{peer} does not name {} as its peer", entry.name),
            )),
            Some(_) => Ok(()),
        }
    }
}

impl Entry {
    /// Why a device that gives this serial number is not the one that is meant; nothing where it is, or may be.
    pub fn stranger(&self, serial: &str) -> Option<String> {
        let meant = self.serial.as_deref().filter(|meant| *meant != serial)?;
        Some(format!(
            "another device answers at this address: its serial number is {serial}, and {} has {meant}",
            self.name
        ))
    }

    /// The facts, if they are this device's. Another one's are shown to nobody, and neither are those of who did not say who it
    /// is while a serial number is meant: they may be another customer's. Then the areas that were asked for are unknown.
    pub(crate) fn own(&self, facts: Facts, asked: &BTreeSet<FactArea>) -> Facts {
        if self.serial.is_none() {
            return facts;
        }
        let silent = |why: &str| Facts::silent(self.name.as_str(), facts.read_at, why, asked);
        match &facts.system {
            Fact::Known(system) => match self.stranger(&system.serial) {
                Some(why) => silent(&why),
                None => facts,
            },
            Fact::Unknown(why) => Facts {
                // What a person has to look at is why it did not say so.
                system: Fact::Unknown(why.clone()),
                ..silent(&format!("whose answer this is could not be verified: {why}"))
            },
        }
    }
}

impl TrustRef {
    /// The trust to connect with. `pinned` is what the journal holds for a device that is trusted on first use.
    pub fn resolve(&self, path: &Path, pinned: Option<Fingerprint>) -> Result<Trust, ConfigError> {
        match self {
            TrustRef::Authority(file) => {
                let roots_pem = std::fs::read(file).map_err(|source| ConfigError::Read {
                    path: file.clone(),
                    source,
                })?;
                Ok(Trust::Verify { roots_pem })
            }
            TrustRef::Fingerprint(text) => match text.parse() {
                Ok(fingerprint) => Ok(Trust::Pinned(fingerprint)),
                Err(error) => Err(meaning(path, "trust.fingerprint", format!("{error}"))),
            },
            TrustRef::FirstUse => Ok(pinned.map_or(Trust::TrustOnFirstUse, Trust::Pinned)),
            TrustRef::None => Ok(Trust::None),
        }
    }
}

#[cfg(test)]
mod tests {
    use hopgate_playbooks::System;
    use jiff::Timestamp;

    use super::*;

    fn refused(text: &str) -> String {
        let path = Path::new("inventory.yaml");
        let parsed = super::super::parse::<Inventory>(path, text)
            .and_then(|inventory| inventory.check(path))
            .map_err(|error| error.located_in(text));
        parsed.unwrap_err().to_string()
    }

    const HEAD: &str = "defaults:\n  credentials: {user: admin, password_from: {env: PW}}\n";

    #[test]
    fn mistakes_are_named_with_their_place() {
        insta::assert_snapshot!(refused("devices:\n  - name: a\n    adress: h\n"), @"inventory.yaml:3:5: unknown field `adress`, expected one of name, address, serial, peer, labels, credentials, trust");
        insta::assert_snapshot!(refused("devices: 7\n"), @"inventory.yaml:1:10: devices: expected a list");
        insta::assert_snapshot!(refused(&format!("{HEAD}devices:\n  - {{name: a, address: h}}\n  - {{name: a, address: i}}\n")), @"inventory.yaml:5: devices[1].name: a is listed twice");
        insta::assert_snapshot!(refused(&format!("{HEAD}devices:\n  - {{name: a, address: h, peer: b}}\n")), @"inventory.yaml:4: devices[0].peer: b is not in the inventory");
        insta::assert_snapshot!(refused("devices:\n  - {name: a, address: h}\n"), @"inventory.yaml:2: devices[0].credentials: a has none, and neither have the defaults");
        insta::assert_snapshot!(refused("devices:\n  - {name: a/b, address: h}\n"), @r#"inventory.yaml:2:12: the device name "a/b" may hold letters, digits, '.', '_' and '-', not '/'"#);
    }

    const OF_ACME: &str = "devices:\n  - {name: vie1, address: h, labels: {customer: acme}}\n";

    #[test]
    fn mistakes_in_groups_are_named_with_their_place() {
        let wrong = |groups: &str| refused(&format!("{HEAD}groups:\n{groups}{OF_ACME}"));
        insta::assert_snapshot!(wrong("  eu=: name=vie1\n"), @r#"inventory.yaml:4:3: the group name "eu=" may hold letters, digits, '.', '_' and '-', not '='"#);
        insta::assert_snapshot!(wrong("  eu: name<vie1\n"), @r#"inventory.yaml:4:7: eu: reading the selector "name<vie1": name has no order; < <= > >= are for version"#);
        insta::assert_snapshot!(wrong("  eu: [name=vie1, 'vie 2']\n"), @r#"inventory.yaml:4:19: reading the selector "vie 2": "vie 2" is neither a key, one of = != ~ !~ < <= > >= and a value, nor the name of a group"#);
        insta::assert_snapshot!(wrong("  eu: 7\n"), @"inventory.yaml:4:3: invalid type: integer `7`, expected a selector, or a list of selectors of which any may hold");
        insta::assert_snapshot!(wrong("  eu: {name: vie1}\n"), @"inventory.yaml:4:7: eu: invalid type: map, expected a selector, or a list of selectors of which any may hold");
        insta::assert_snapshot!(wrong("  eu: name=vie1\n  eu: name=vie2\n"), @"inventory.yaml:5:3: duplicate mapping key: eu");
        insta::assert_snapshot!(wrong("  vienna: name=vie1\n  # na: later\n  na: []\n"), @"inventory.yaml:6: groups.na: names no selector, and would be a group of nobody; quote one that begins with !");
        insta::assert_snapshot!(wrong("  vienna: name=vie1\n  na:\n"), @"inventory.yaml:5: groups.na: names no selector, and would be a group of nobody; quote one that begins with !");
        insta::assert_snapshot!(wrong("  vienna: name=vie1\n  na: !vienna\n"), @"inventory.yaml:5: groups.na: names no selector, and would be a group of nobody; quote one that begins with !");
        insta::assert_snapshot!(wrong("  vienna: name=vie1\n  na: [!vienna]\n"), @"inventory.yaml:5:15: expected a text, and there is none (what begins with ! has to be quoted)");
        insta::assert_snapshot!(wrong("  vienna:\n    - name=vie1\n\n  eu.west: vienna,!vienne\n"), @"inventory.yaml:7: groups.eu.west: the selector asks for the group vienne, which the inventory does not have (nearest: vienna, eu.west)");
        insta::assert_snapshot!(wrong("  canaries:\n  - vie1\n"), @"inventory.yaml:4: groups.canaries: the selector asks for the group vie1, which the inventory does not have (nearest: canaries)");
        insta::assert_snapshot!(wrong("  vienna:\n  - name=vie1\n  eu.west: [name=vie1, custommer=acme]\n"), @"inventory.yaml:6: groups.eu.west: the selector asks for custommer, which no device has (nearest: customer, hostname, model)");
        insta::assert_snapshot!(wrong("  a: d\n  b: a,c\n  c: '!d'\n  d: [name=vie1, b]\n"), @"inventory.yaml:4: groups.a: the group a is made of itself, by way of d, b");
        insta::assert_snapshot!(wrong("  all: name=vie1\n  'me': [all, me]\n"), @"inventory.yaml:5: groups.me: the group me is made of itself");
        let short = format!("{HEAD}groups: {{all: name=vie1, me: '!me'}}\n{OF_ACME}");
        insta::assert_snapshot!(refused(&short), @"inventory.yaml:3: groups.me: the group me is made of itself");
    }

    #[test]
    fn groups_read_back_as_they_are_written() {
        let groups = "groups:\n  'on': ['!rest', 'name=vie1']\n  rest: '!acme,version<10.2'\n  acme: [customer=acme]\n  1.5: rest\n";
        let read =
            Inventory::parse(Path::new("inventory.yaml"), &format!("{HEAD}{groups}{OF_ACME}")).unwrap();
        let written = read.to_yaml().unwrap();
        assert_eq!(
            Inventory::parse(Path::new("inventory.yaml"), &written).unwrap(),
            read
        );
        let (_, written) = written.split_once("groups:").unwrap();
        let (written, _) = written.split_once("devices:").unwrap();
        insta::assert_snapshot!(written, @r#"
"1.5": rest
acme: customer=acme
"on":
- "!rest"
- name=vie1
rest: "!acme,version<10.2"
"#);
        let none = Inventory::parse(Path::new("inventory.yaml"), &format!("{HEAD}{OF_ACME}")).unwrap();
        assert!(!none.to_yaml().unwrap().contains("groups"));
    }

    #[test]
    fn nothing_is_a_devices_own_unless_it_says_who_it_is() {
        let text = "devices:\n  - {name: fw1, address: h}\n  - {name: fw2, address: i, serial: \"2\"}\n";
        let inventory: Inventory =
            super::super::parse(Path::new("inventory.yaml"), &format!("{HEAD}{text}")).unwrap();
        let asked = BTreeSet::from([FactArea::System, FactArea::Locks]);
        let shown = |entry: &Entry, system: Fact<System>| {
            let mut facts = Facts::silent("fw", Timestamp::UNIX_EPOCH, "not asked", &asked);
            facts.locks = Fact::Known(vec!["commit lock of carol".to_owned()]);
            facts.system = system;
            let own = entry.own(facts, &asked);
            assert_eq!(own.sources.keys().copied().collect::<BTreeSet<_>>(), asked);
            let system = own.system.unknown().unwrap_or("known");
            format!("{system}; {}", own.locks.unknown().unwrap_or("shown"))
        };
        let answers = |serial: &str| {
            Fact::Known(System {
                hostname: "fw".to_owned(),
                model: "PA-850".to_owned(),
                serial: serial.to_owned(),
                sw_version: "10.2.7".parse().unwrap(),
                app_version: "8900-9000".to_owned(),
                uptime_seconds: 5,
                operational_mode: None,
                multi_vsys: false,
            })
        };
        let [any, meant] = inventory.devices.as_slice() else {
            panic!()
        };
        let silent = || Fact::Unknown("no answer within 5 s".to_owned());
        insta::assert_snapshot!(shown(any, answers("1")), @"known; shown");
        insta::assert_snapshot!(shown(any, silent()), @"no answer within 5 s; shown");
        insta::assert_snapshot!(shown(meant, answers("2")), @"known; shown");
        insta::assert_snapshot!(shown(meant, answers("1")), @"another device answers at this address: its serial number is 1, and fw2 has 2; another device answers at this address: its serial number is 1, and fw2 has 2");
        insta::assert_snapshot!(shown(meant, silent()), @"no answer within 5 s; whose answer this is could not be verified: no answer within 5 s");
    }
}
