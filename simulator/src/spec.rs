//! The fleet file: what a person writes to get a fleet, read strictly, every complaint with its place.
//!
//! Describes a fleet at its start. Knows nothing of time passing or of requests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

pub use crate::content::{ContentVersion, ContentVersionError};
use crate::fault::{Condition, Effect, FaultRule, library};
use crate::model::{ModelClass, classes};
use crate::panorama::{self, PanoramaSpec};
use crate::release::{Catalogue, Release, Version};
use crate::setup::Setup;

/// A fleet, as written.
#[derive(Debug, Clone, Deserialize)]
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
    #[serde(default)]
    pub releases: Option<Vec<Release>>,
    /// Whether devices accept logins while their auto-commit runs (PAN-204830).
    #[serde(default)]
    pub login_before_autocommit_fixed: LoginBeforeAutocommit,
    /// The devices.
    pub devices: Vec<DeviceSpec>,
    /// The Panoramas.
    #[serde(default)]
    pub panoramas: Vec<PanoramaSpec>,
    /// Which devices are HA pairs.
    #[serde(default)]
    pub pairs: Vec<PairSpec>,
    /// Faults, from the embedded library by name or written out.
    #[serde(default)]
    pub faults: Vec<FaultSpec>,
}

/// A user name and password.
#[derive(Clone, Deserialize)]
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

/// One device at the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSpec {
    /// Host name, unique in the fleet.
    pub name: String,
    /// Free labels; the simulator only hands them out again.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Model, such as `PA-850`.
    pub model: String,
    /// Version that runs. It has to be on the update server's list.
    pub version: Version,
    /// Applications and Threats content, such as `8700-7000`.
    pub content: ContentVersion,
    /// Serial number; drawn from the seed when absent.
    #[serde(default)]
    pub serial: Option<String>,
    /// Management address the device reports; drawn from the seed when absent.
    #[serde(default)]
    pub address: Option<std::net::Ipv4Addr>,
    /// Optics, by port. The other cages are empty.
    #[serde(default)]
    pub optics: Vec<OpticSpec>,
    /// Free megabytes on `/opt/panrepo`; half of the partition when absent.
    #[serde(default)]
    pub panrepo_free_mb: Option<u64>,
    /// Images on disk besides the running version and its base.
    #[serde(default)]
    pub images: Vec<Version>,
    /// Whether `show chassis-ready` exists, in place of the model's own answer.
    #[serde(default)]
    pub chassis_ready: Option<bool>,
    /// Whether there are uncommitted changes.
    #[serde(default)]
    pub pending_changes: bool,
    /// Administrators who hold a configuration lock.
    #[serde(default)]
    pub config_locks: Vec<String>,
    /// What it holds and whom it knows, where that matters.
    #[serde(default)]
    pub setup: Option<std::sync::Arc<Setup>>,
}

/// An optic in a cage.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
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
    #[serde(default)]
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

/// Two devices in active/passive HA.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairSpec {
    /// Name of the pair.
    pub name: String,
    /// The two devices.
    pub members: [String; 2],
    /// Which one is active at the start, and preferred under preemption.
    pub active: String,
    /// Whether the preferred device takes the active role back.
    #[serde(default)]
    pub preemptive: bool,
    /// Whether a suspension by request outlives a reboot. Sources disagree: the vendor's manual sends
    /// `functional` after the reboot, the vendor's playbook never does.
    #[serde(default = "survives")]
    pub suspended_survives_reboot: bool,
}

fn survives() -> bool {
    true
}

/// A fault of the fleet.
#[derive(Debug, Clone)]
pub enum FaultSpec {
    /// A rule of the embedded library, with its own condition or another one.
    Library {
        /// Its name.
        rule: String,
        /// The condition that replaces the rule's own.
        when: Option<Condition>,
    },
    /// A rule written out.
    Inline(FaultRule),
}

/// Both written forms of a rule at once; which one it is shows from the fields that are there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFault {
    rule: Option<String>,
    id: Option<String>,
    source: Option<String>,
    when: Option<Condition>,
    effect: Option<Effect>,
}

impl WrittenFault {
    fn into_spec(self) -> Result<FaultSpec, &'static str> {
        match self {
            Self {
                rule: Some(rule),
                id: None,
                source: None,
                effect: None,
                when,
            } => Ok(FaultSpec::Library { rule, when }),
            Self {
                rule: None,
                id: Some(id),
                effect: Some(effect),
                source,
                when,
            } => {
                let source = source.unwrap_or_else(|| "written in the fleet file".to_owned());
                Ok(FaultSpec::Inline(FaultRule {
                    id,
                    source,
                    when: when.unwrap_or_default(),
                    effect,
                }))
            }
            _ => Err("a fault is a library name, `rule` with an optional `when`, or `id` with `effect`"),
        }
    }
}

impl<'de> Deserialize<'de> for FaultSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = FaultSpec;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a fault or a fault written out")
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(FaultSpec::Library {
                    rule: name.to_owned(),
                    when: None,
                })
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let written = WrittenFault::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                written.into_spec().map_err(serde::de::Error::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Why a fleet cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The text is not a fleet file.
    #[error("read the fleet file {file}{place}: {reason}")]
    Read {
        /// Name of the file.
        file: String,
        /// Where, when known.
        place: Place,
        /// What is wrong there.
        reason: String,
    },
    /// The text reads, but describes no possible fleet.
    #[error("build the fleet of {file}{place}: {what}")]
    Impossible {
        /// Name of the file.
        file: String,
        /// Where, when known.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// One of the files built into this crate does not read.
    #[error("read the embedded {what}")]
    Embedded {
        /// Which.
        what: &'static str,
        /// Why.
        source: Box<serde_saphyr::Error>,
    },
}

/// A place in a file, printed as `:line:column`, or as nothing when it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(Option<(u64, u64)>);

impl Place {
    fn of(location: serde_saphyr::Location) -> Self {
        Self(Some((location.line(), location.column())).filter(|(line, _)| *line > 0))
    }

    /// Line and column, from 1.
    pub fn line_and_column(self) -> Option<(u64, u64)> {
        self.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |(line, column)| write!(formatter, ":{line}:{column}"))
    }
}

/// What an impossible fleet stumbles over: an entry of one of the lists.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Device(usize),
    Panorama(usize),
    Pair(usize),
    Fault(usize),
}

struct Complaint {
    entry: Entry,
    what: String,
}

fn complain(entry: Entry, what: String) -> Complaint {
    Complaint { entry, what }
}

impl FleetSpec {
    /// Reads a fleet file and checks it as a whole. `file_name` only appears in errors.
    ///
    /// # Errors
    /// When the text is not a fleet file, or the fleet is impossible (a member that is no device, a version the
    /// update server does not list, a model nobody knows). The error names file, line and column.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, SpecError> {
        let spec: Self = serde_saphyr::from_str(text).map_err(|error| SpecError::Read {
            file: file_name.to_owned(),
            place: error.location().map_or(Place(None), Place::of),
            reason: reason(&error),
        })?;
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
        }
        Ok(())
    }

    fn rules(&self, library: &[FaultRule]) -> Result<Vec<FaultRule>, Complaint> {
        let mut rules: Vec<FaultRule> = Vec::new();
        for (index, fault) in self.faults.iter().enumerate() {
            let wrong = |what: String| complain(Entry::Fault(index), what);
            let rule = match fault {
                FaultSpec::Inline(rule) => rule.clone(),
                FaultSpec::Library { rule, when } => {
                    let found = library.iter().find(|known| known.id == *rule);
                    let mut known = found
                        .cloned()
                        .ok_or_else(|| wrong(format!("no fault is called `{rule}`")))?;
                    if let Some(when) = when {
                        known.when = when.clone();
                    }
                    known
                }
            };
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

/// The parser's own words, without its picture of the text: the place is told apart.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    text.split(" at line ")
        .next()
        .unwrap_or(&text)
        .trim_start_matches("error: ")
        .to_owned()
}

/// What a fleet refers to.
pub(crate) struct Resolved {
    pub(crate) catalogue: Catalogue,
    pub(crate) classes: Vec<ModelClass>,
    pub(crate) rules: Vec<FaultRule>,
}

/// Why a fleet did not resolve, before a place in a file is known.
pub(crate) struct Problem(ProblemKind);

enum ProblemKind {
    Complaint(Complaint),
    Embedded(&'static str, Box<serde_saphyr::Error>),
}

impl From<Complaint> for Problem {
    fn from(complaint: Complaint) -> Self {
        Self(ProblemKind::Complaint(complaint))
    }
}

impl Problem {
    fn embedded(what: &'static str, source: serde_saphyr::Error) -> Self {
        Self(ProblemKind::Embedded(what, Box::new(source)))
    }

    pub(crate) fn into_error(self, file: &str, text: Option<&str>) -> SpecError {
        match self.0 {
            ProblemKind::Embedded(what, source) => SpecError::Embedded { what, source },
            ProblemKind::Complaint(Complaint { entry, what }) => {
                let place = text
                    .and_then(|text| locate(text, entry))
                    .map_or(Place(None), Place::of);
                SpecError::Impossible {
                    file: file.to_owned(),
                    place,
                    what,
                }
            }
        }
    }
}

/// Where an entry stands. A second, lenient reading that is only made once something is wrong.
fn locate(text: &str, entry: Entry) -> Option<serde_saphyr::Location> {
    #[derive(Deserialize)]
    struct Lists {
        #[serde(default)]
        devices: Vec<serde_saphyr::Spanned<serde::de::IgnoredAny>>,
        #[serde(default)]
        panoramas: Vec<serde_saphyr::Spanned<serde::de::IgnoredAny>>,
        #[serde(default)]
        pairs: Vec<serde_saphyr::Spanned<serde::de::IgnoredAny>>,
        #[serde(default)]
        faults: Vec<serde_saphyr::Spanned<serde::de::IgnoredAny>>,
    }
    let lists: Lists = serde_saphyr::from_str(text).ok()?;
    let found = match entry {
        Entry::Device(index) => lists.devices.get(index),
        Entry::Panorama(index) => lists.panoramas.get(index),
        Entry::Pair(index) => lists.pairs.get(index),
        Entry::Fault(index) => lists.faults.get(index),
    };
    found.map(|entry| entry.referenced)
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
        read the fleet file fleet.yaml:1:1: unknown field `sed`, expected one of seed, epoch, credentials, releases, login_before_autocommit_fixed, devices, panoramas, pairs, faults
        read the fleet file fleet.yaml:8:14: `9.1` is not a PAN-OS version (such as 10.2.4 or 10.2.4-h4)
        build the fleet of fleet.yaml:6:5: b: the update server does not list 9.1.99
        build the fleet of fleet.yaml:6:5: b: the model PA-9 is not known
        build the fleet of fleet.yaml:6:5: b: port 2 of a PA-850 is no cage
        build the fleet of fleet.yaml:6:5: the device name `a` is empty or taken
        build the fleet of fleet.yaml:12:5: pair p: c is not a device of this fleet
        build the fleet of fleet.yaml:12:5: pair p: a is already paired
        build the fleet of fleet.yaml:12:5: pair p: z is not one of its members
        build the fleet of fleet.yaml:14:5: no fault is called `optics-boot-lop`
        build the fleet of fleet.yaml:15:5: fault never-returns: x is not a device of this fleet
        read the fleet file fleet.yaml:16:5: a fault is a library name, `rule` with an optional `when`, or `id` with `effect`
        read the fleet file fleet.yaml:5:56: `latest` is not a content version (8700-7000)
        read the fleet file fleet.yaml:1:1: invalid value: string "maybe", expected `vendor`, `true` or `false`
        "#);
    }
}
