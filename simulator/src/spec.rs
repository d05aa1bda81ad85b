//! The fleet file: what a person writes to get a fleet, read strictly, every complaint with its place.
//!
//! Describes a fleet at its start. Knows nothing of time passing or of requests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU16;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use crate::content::{ContentVersion, ContentVersionError};
use crate::fault::{Condition, Effect, FaultRule, Feature, library};
use crate::model::{ModelClass, classes};
use crate::pair::{HaMode, SessionOwner};
use crate::panorama::{self, PanoramaSpec};
use crate::release::{Catalogue, Release, Version};
use crate::setup::Setup;

mod fault;
mod refusal;
mod written;

pub use fault::FaultSpec;
pub(crate) use refusal::Problem;
use refusal::{Complaint, Entry, complain};
pub use refusal::{Place, SpecError};

/// A fleet, as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetSpec {
    /// Seed of everything that varies between devices and runs.
    #[serde(default)]
    pub seed: u64,
    /// Simulated instant the fleet starts at.
    pub epoch: Timestamp,
    /// The administrator every device knows.
    pub credentials: Credentials,
    /// What the update server offers, in place of the embedded list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releases: Option<Vec<Release>>,
    /// Whether devices accept logins while their auto-commit runs (PAN-204830).
    #[serde(default, skip_serializing_if = "is_default")]
    pub login_before_autocommit_fixed: LoginBeforeAutocommit,
    /// How many calls a device works on at a time, and what becomes of one more.
    #[serde(default, skip_serializing_if = "is_default")]
    pub concurrency: Concurrency,
    /// The devices.
    pub devices: Vec<DeviceSpec>,
    /// The Panoramas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub panoramas: Vec<PanoramaSpec>,
    /// Which devices are HA pairs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<PairSpec>,
    /// Faults, from the embedded library by name or written out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultSpec>,
}

/// A user name and password.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// PAN-204830: in 10.1 before 10.1.8 and 10.2 before 10.2.4 no login works until the auto-commit after a boot has
/// ended. Written `vendor` (the default), `true` or `false`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoginBeforeAutocommit {
    /// As the vendor's release notes say, by version.
    #[default]
    Vendor,
    /// `true`: every release behaves as if fixed.
    Fixed,
    /// `false`: every release behaves as if affected.
    Affected,
}

impl LoginBeforeAutocommit {
    /// The library's rule, under the condition that was chosen.
    fn rule(self, library: &[FaultRule]) -> Vec<FaultRule> {
        let known = library
            .iter()
            .filter(|rule| self != Self::Fixed && rule.effect == Effect::LoginWaits {});
        let mut rules: Vec<FaultRule> = known.cloned().collect();
        if self == Self::Affected {
            for rule in &mut rules {
                rule.when = Condition::default();
            }
        }
        rules
    }
}

impl Serialize for LoginBeforeAutocommit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Vendor => serializer.serialize_str("vendor"),
            Self::Fixed => serializer.serialize_bool(true),
            Self::Affected => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for LoginBeforeAutocommit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = LoginBeforeAutocommit;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`vendor`, `true` or `false`")
            }

            fn visit_bool<E>(self, fixed: bool) -> Result<Self::Value, E> {
                Ok(if fixed {
                    LoginBeforeAutocommit::Fixed
                } else {
                    LoginBeforeAutocommit::Affected
                })
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    "vendor" => Ok(LoginBeforeAutocommit::Vendor),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// How many calls a device works on at a time. "Limit the number of concurrent API calls to five" (vendor XML API guide);
/// what a device does with a sixth is in no source, so both ways can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Concurrency {
    /// Calls at a time.
    pub limit: NonZeroU16,
    /// What becomes of a call beyond them.
    pub excess: Excess,
}

impl Default for Concurrency {
    fn default() -> Self {
        const FIVE: NonZeroU16 = NonZeroU16::MIN.saturating_add(4);
        Self {
            limit: FIVE,
            excess: Excess::default(),
        }
    }
}

/// What becomes of a call while a device is busy with as many as it takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    /// It waits for its turn.
    #[default]
    Wait,
    /// It is answered with HTTP 503 at once, and the device sees nothing of it.
    Refuse,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One device at the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSpec {
    /// Host name, unique in the fleet.
    pub name: String,
    /// Free labels; the simulator only hands them out again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Model, such as `PA-850`.
    pub model: String,
    /// Version that runs. It has to be on the update server's list.
    pub version: Version,
    /// Applications and Threats content, such as `8700-7000`.
    pub content: ContentVersion,
    /// Serial number; drawn from the seed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Management address the device reports; drawn from the seed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<std::net::Ipv4Addr>,
    /// Optics, by port. The other cages are empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optics: Vec<OpticSpec>,
    /// Free megabytes on `/opt/panrepo`; half of the partition when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panrepo_free_mb: Option<u64>,
    /// Images on disk besides the running version and its base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Version>,
    /// Whether `show chassis-ready` exists, in place of the model's own answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chassis_ready: Option<bool>,
    /// Whether there are uncommitted changes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pending_changes: bool,
    /// Administrators who hold a configuration lock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_locks: Vec<String>,
    /// What it holds and whom it knows, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<std::sync::Arc<Setup>>,
    /// Facts that faults hang on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    /// What the TPM remembers at the start.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ungraceful_shutdowns: u32,
    /// Boots since the file systems were checked; drawn from the seed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boots_since_check: Option<u32>,
}

/// An optic in a cage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpticSpec {
    /// Slot; 1 but on a chassis.
    #[serde(default = "first_slot")]
    pub slot: u16,
    /// Port on the slot.
    pub port: u16,
    /// Vendor name as the optic reports it.
    pub vendor: String,
    /// Part number as the optic reports it.
    pub part: String,
    /// Serial number as the optic reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Medium as the device reports it.
    #[serde(default = "fiber")]
    pub media: String,
}

fn first_slot() -> u16 {
    1
}

fn fiber() -> String {
    "SFP-Plus-Fiber".to_owned()
}

/// Two devices in HA.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairSpec {
    /// Name of the pair.
    pub name: String,
    /// The two devices.
    pub members: [String; 2],
    /// Which one is active at the start.
    pub active: String,
    /// Which one has the better priority, and takes the role back under preemption; the active one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<String>,
    /// Whether the preferred device takes the active role back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub preemptive: bool,
    /// Whether a suspension by request outlives a reboot. Sources disagree: the vendor's manual sends
    /// `functional` after the reboot, the vendor's playbook never does.
    #[serde(default)]
    pub suspended_survives_reboot: bool,
    /// Whether one member serves, or both.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: HaMode,
    /// Of an active/active pair: which member owns a session.
    #[serde(default, skip_serializing_if = "is_default")]
    pub session_owner: SessionOwner,
}

impl FleetSpec {
    /// Reads a fleet file and checks it as a whole. `file_name` only appears in errors.
    ///
    /// # Errors
    /// When the text is not a fleet file, or the fleet is impossible (a member that is no device, a version the
    /// update server does not list, a model nobody knows). The error names file, line and column.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, SpecError> {
        let spec: Self = serde_saphyr::from_str(text).map_err(|error| SpecError::read(file_name, &error))?;
        spec.resolve()
            .map_err(|problem| problem.into_error(file_name, Some(text)))?;
        Ok(spec)
    }

    /// Checks the fleet and looks up what it refers to.
    pub(crate) fn resolve(&self) -> Result<Resolved, Problem> {
        let catalogue =
            Catalogue::new(self.releases.as_deref()).map_err(|e| Problem::embedded("release list", e))?;
        let classes = classes().map_err(|e| Problem::embedded("model list", e))?;
        let library = library().map_err(|e| Problem::embedded("fault library", e))?;
        self.check_devices(&catalogue, &classes)?;
        panorama::check(self, &catalogue, &classes)
            .map_err(|(index, what)| complain(Entry::Panorama(index), what))?;
        self.check_pairs()?;
        let rules = self.rules(&library)?;
        Ok(Resolved {
            catalogue,
            classes,
            rules,
        })
    }

    fn check_devices(&self, catalogue: &Catalogue, classes: &[ModelClass]) -> Result<(), Complaint> {
        let mut names = BTreeSet::new();
        for (index, device) in self.devices.iter().enumerate() {
            let name = &device.name;
            let wrong = |what: String| Err(complain(Entry::Device(index), what));
            if name.is_empty() || !names.insert(name) {
                return wrong(format!("the device name `{name}` is empty or taken"));
            }
            let Some(class) = classes.iter().find(|class| class.models.contains(&device.model)) else {
                return wrong(format!("{name}: the model {} is not known", device.model));
            };
            if class.panorama {
                return wrong(format!("{name}: a {} belongs under `panoramas`", device.model));
            }
            if let Some(version) = device
                .images
                .iter()
                .chain([&device.version])
                .find(|v| catalogue.get(**v).is_none())
            {
                return wrong(format!("{name}: the update server does not list {version}"));
            }
            if let Some(what) = device.setup.as_ref().and_then(|setup| setup.complaint()) {
                return wrong(format!("{name}: {what}"));
            }
            let cages = class.ports.copper + 1..=class.ports.copper + class.ports.cages;
            let mut taken = BTreeSet::new();
            for optic in &device.optics {
                if optic.slot == 1 && !cages.contains(&optic.port) {
                    return wrong(format!(
                        "{name}: port {} of a {} is no cage",
                        optic.port, device.model
                    ));
                }
                if !taken.insert((optic.slot, optic.port)) {
                    return wrong(format!("{name}: port {} holds two optics", optic.port));
                }
            }
        }
        Ok(())
    }

    fn check_pairs(&self) -> Result<(), Complaint> {
        let (devices, mut names, mut members) = (panorama::kinds(self), BTreeSet::new(), BTreeSet::new());
        for (index, pair) in self.pairs.iter().enumerate() {
            let name = &pair.name;
            let wrong = |what: String| Err(complain(Entry::Pair(index), what));
            if !names.insert(name) {
                return wrong(format!("the pair name `{name}` is taken"));
            }
            for member in &pair.members {
                if !devices.contains_key(member.as_str()) {
                    return wrong(format!("pair {name}: {member} is not a device of this fleet"));
                }
                if !members.insert(member) {
                    return wrong(format!("pair {name}: {member} is already paired"));
                }
            }
            let [one, other] = pair.members.each_ref().map(|member| devices.get(member.as_str()));
            if one != other {
                return wrong(format!("pair {name}: a Panorama and a firewall make no pair"));
            }
            if !pair.members.contains(&pair.active) {
                return wrong(format!("pair {name}: {} is not one of its members", pair.active));
            }
            if let Some(stranger) = pair.preferred.as_ref().filter(|one| !pair.members.contains(one)) {
                return wrong(format!("pair {name}: {stranger} is not one of its members"));
            }
        }
        Ok(())
    }

    fn rules(&self, library: &[FaultRule]) -> Result<Vec<FaultRule>, Complaint> {
        let mut rules: Vec<FaultRule> = self.login_before_autocommit_fixed.rule(library);
        for (index, fault) in self.faults.iter().enumerate() {
            let wrong = |what: String| complain(Entry::Fault(index), what);
            let rule = fault
                .rule(library)
                .ok_or_else(|| wrong(format!("no fault is called `{}`", fault.name())))?;
            if let Some(stranger) = rule
                .when
                .devices
                .iter()
                .find(|name| !self.devices.iter().any(|device| device.name == **name))
            {
                return Err(wrong(format!(
                    "fault {}: {stranger} is not a device of this fleet",
                    rule.id
                )));
            }
            rules.push(rule);
        }
        Ok(rules)
    }
}

/// What a fleet refers to.
pub(crate) struct Resolved {
    pub(crate) catalogue: Catalogue,
    pub(crate) classes: Vec<ModelClass>,
    pub(crate) rules: Vec<FaultRule>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "\
seed: 7
epoch: 2026-03-01T22:00:00Z
credentials: {user: admin, password: secret-word}
devices:
  - {name: a, model: PA-850, version: 9.1.16, content: 8700-7000}
  - name: b
    model: PA-850
    version: 9.1.16
    content: 8700-7000
    optics: [{port: 6, vendor: FINISAR CORP., part: FTLX1475D3BCL}]
pairs:
  - {name: p, members: [a, b], active: a}
faults:
  - optics-boot-loop
  - {rule: never-returns, when: {devices: [b]}}
  - {id: mine, effect: {boot_loop: {at: R4, up_seconds: 30, cycles: 2}}}
";

    #[test]
    fn a_fleet_file_reads() {
        let spec = FleetSpec::parse("fleet.yaml", SMALL).unwrap();
        assert_eq!(spec.devices.len(), 2);
        assert_eq!(spec.login_before_autocommit_fixed, LoginBeforeAutocommit::Vendor);
        assert!(
            matches!(&spec.faults[1], FaultSpec::Library { when: Some(when), .. } if when.devices == ["b"])
        );
        assert!(matches!(&spec.faults[2], FaultSpec::Inline(rule) if rule.id == "mine"));
        assert!(!format!("{spec:?}").contains("secret-word"));
        for (written, read) in [
            ("true", LoginBeforeAutocommit::Fixed),
            ("false", LoginBeforeAutocommit::Affected),
        ] {
            let text = format!("login_before_autocommit_fixed: {written}\n{SMALL}");
            assert_eq!(
                FleetSpec::parse("f", &text)
                    .unwrap()
                    .login_before_autocommit_fixed,
                read
            );
        }
    }

    #[test]
    fn a_fleet_that_is_written_out_reads_back_the_same() {
        let text = format!(
            "concurrency: {{limit: 3, excess: refuse}}\nlogin_before_autocommit_fixed: false\n{SMALL}"
        );
        let written = FleetSpec::parse("fleet.yaml", &text).unwrap().to_yaml().unwrap();
        let again = FleetSpec::parse("written.yaml", &written).unwrap();
        assert_eq!(again.to_yaml().unwrap(), written);
        assert_eq!(again.concurrency.limit.get(), 3);
        insta::assert_snapshot!(written, @r#"
        seed: 7
        epoch: 2026-03-01T22:00:00Z
        credentials: {"user":"admin","password":"secret-word"}
        concurrency: {"limit":3,"excess":"refuse"}
        login_before_autocommit_fixed: false
        devices:
          - {"name":"a","model":"PA-850","version":"9.1.16","content":"8700-7000"}
          - {"name":"b","model":"PA-850","version":"9.1.16","content":"8700-7000","optics":[{"slot":1,"port":6,"vendor":"FINISAR CORP.","part":"FTLX1475D3BCL","media":"SFP-Plus-Fiber"}]}
        pairs:
          - {"name":"p","members":["a","b"],"active":"a","suspended_survives_reboot":false}
        faults:
          - "optics-boot-loop"
          - {"rule":"never-returns","when":{"devices":["b"]}}
          - {"id":"mine","source":"written in the fleet file","when":{},"effect":{"boot_loop":{"at":"R4","up_seconds":30,"cycles":2}}}
        "#);
    }

    #[test]
    fn errors_name_the_place() {
        let cases = [
            SMALL.replace("seed: 7", "sed: 7"),
            SMALL.replace("    version: 9.1.16\n", "    version: 9.1\n"),
            SMALL.replace("    version: 9.1.16\n", "    version: 9.1.99\n"),
            SMALL.replace("    model: PA-850\n", "    model: PA-9\n"),
            SMALL.replace("port: 6", "port: 2"),
            SMALL.replace("name: b\n", "name: a\n"),
            SMALL.replace("[a, b]", "[a, c]"),
            SMALL.replace("[a, b]", "[a, a]"),
            SMALL.replace("active: a", "active: z"),
            SMALL.replace("active: a", "active: a, preferred: y"),
            SMALL.replace("- optics-boot-loop", "- optics-boot-lop"),
            SMALL.replace("devices: [b]", "devices: [x]"),
            SMALL.replace("{id: mine, effect", "{id: mine, rule: x, effect"),
            SMALL.replace("content: 8700-7000}", "content: latest}"),
            SMALL.replace("seed: 7", "login_before_autocommit_fixed: maybe"),
        ];
        let shown: Vec<String> = cases
            .iter()
            .map(|text| FleetSpec::parse("fleet.yaml", text).unwrap_err().to_string())
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        read the fleet file fleet.yaml:1:1: unknown field `sed`, expected one of seed, epoch, credentials, releases, login_before_autocommit_fixed, concurrency, devices, panoramas, pairs, faults
        read the fleet file fleet.yaml:8:14: `9.1` is not a PAN-OS version (such as 10.2.4 or 10.2.4-h4)
        build the fleet of fleet.yaml:6:5: b: the update server does not list 9.1.99
        build the fleet of fleet.yaml:6:5: b: the model PA-9 is not known
        build the fleet of fleet.yaml:6:5: b: port 2 of a PA-850 is no cage
        build the fleet of fleet.yaml:6:5: the device name `a` is empty or taken
        build the fleet of fleet.yaml:12:5: pair p: c is not a device of this fleet
        build the fleet of fleet.yaml:12:5: pair p: a is already paired
        build the fleet of fleet.yaml:12:5: pair p: z is not one of its members
        build the fleet of fleet.yaml:12:5: pair p: y is not one of its members
        build the fleet of fleet.yaml:14:5: no fault is called `optics-boot-lop`
        build the fleet of fleet.yaml:15:5: fault never-returns: x is not a device of this fleet
        read the fleet file fleet.yaml:16:5: a fault is a library name, `rule` with an optional `when`, or `id` with `effect`
        read the fleet file fleet.yaml:5:56: `latest` is not a content version (8700-7000)
        read the fleet file fleet.yaml:1:1: invalid value: string "maybe", expected `vendor`, `true` or `false`
        "#);
    }
}
