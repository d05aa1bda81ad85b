//! Faults as data: when a device falls ill, and how.
//!
//! A rule says nothing of how its effect plays out in time; `boot.rs` and `software.rs` do that.

use serde::{Deserialize, Serialize};

use crate::release::Version;

/// One fault: where it comes from, when it applies, what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Name of the rule, as a fleet file selects it.
    pub id: String,
    /// Where the fault is known from: a vendor defect id or a document.
    pub source: String,
    /// When it applies. An empty condition applies to every device.
    pub when: Condition,
    /// What happens then.
    pub effect: Effect,
}

/// All parts that are given have to hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Device names; empty means all.
    pub devices: Vec<String>,
    /// Models; empty means all.
    pub models: Vec<String>,
    /// Half-open version ranges, one or more a train; empty means all. Judged on the version that boots, or that
    /// is being installed.
    pub versions: Vec<VersionRange>,
    /// Optics that trigger the fault.
    pub optics: Option<OpticCondition>,
}

/// `from <= version < before`; either end may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionRange {
    /// First version in the range.
    #[serde(default)]
    pub from: Option<Version>,
    /// First version after the range.
    #[serde(default)]
    pub before: Option<Version>,
}

/// Holds while one of the ports has an optic whose part number starts with none of the allowed prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpticCondition {
    /// Ports to look at; empty means all.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Part-number prefixes that do no harm.
    pub allowed: Vec<String>,
}

/// What a fault does to a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The boot comes as far as `at`, stays there, and the device goes down again.
    BootLoop {
        /// The phase each cycle ends in. At R6 the API answers, with a small uptime.
        at: BootPhase,
        /// Seconds in that phase, spread by 15 %.
        up_seconds: u32,
        /// How many cycles before a boot completes; absent means as long as the condition holds.
        #[serde(default)]
        cycles: Option<u32>,
    },
    /// The boot comes as far as `at` and stays there for good.
    NeverReturns {
        /// The phase the boot ends in; R2 is dark, R3 looks like maintenance mode.
        at: BootPhase,
    },
    /// The first auto-commits after a boot end FIN/FAIL. After the fourth the device gives up.
    AutoCommitFails {
        /// How many fail.
        times: u32,
    },
    /// No auto-commit job appears and the dataplane stays down.
    NoAutoCommitJob {},
    /// Install jobs end FIN/FAIL.
    InstallFails {
        /// The detail line.
        text: String,
    },
}

/// A phase of a boot that a fault can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BootPhase {
    /// Dark: nothing answers.
    R2,
    /// The management plane is up, its web server is not: connections are refused.
    R3,
    /// A good key is answered with 403.
    R4,
    /// 503 while services start.
    R5,
    /// The API answers, the auto-commit runs.
    R6,
}

/// What a condition is judged on.
pub(crate) struct Patient<'a> {
    pub(crate) name: &'a str,
    pub(crate) model: &'a str,
    pub(crate) version: Version,
    /// Port and part number of each optic.
    pub(crate) optics: &'a [(u16, &'a str)],
}

impl Condition {
    pub(crate) fn holds(&self, patient: &Patient<'_>) -> bool {
        let named = |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| one == name);
        named(&self.devices, patient.name)
            && named(&self.models, patient.model)
            && (self.versions.is_empty() || self.versions.iter().any(|range| range.contains(patient.version)))
            && self
                .optics
                .as_ref()
                .is_none_or(|optics| optics.holds(patient.optics))
    }
}

impl VersionRange {
    fn contains(self, version: Version) -> bool {
        self.from.is_none_or(|from| from <= version) && self.before.is_none_or(|before| version < before)
    }
}

impl OpticCondition {
    fn holds(&self, optics: &[(u16, &str)]) -> bool {
        optics.iter().any(|(port, part)| {
            (self.ports.is_empty() || self.ports.contains(port))
                && !self
                    .allowed
                    .iter()
                    .any(|prefix| part.starts_with(prefix.as_str()))
        })
    }
}

const LIBRARY: [&str; 5] = [
    include_str!("../faults/optics-boot-loop.yaml"),
    include_str!("../faults/no-auto-commit-job.yaml"),
    include_str!("../faults/auto-commit-fails-twice.yaml"),
    include_str!("../faults/never-returns.yaml"),
    include_str!("../faults/install-fails.yaml"),
];

/// The embedded rules. None applies unless a fleet file selects it.
pub(crate) fn library() -> Result<Vec<FaultRule>, serde_saphyr::Error> {
    LIBRARY.iter().map(|text| serde_saphyr::from_str(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn optics_rule() -> FaultRule {
        library()
            .unwrap()
            .into_iter()
            .find(|rule| rule.id == "optics-boot-loop")
            .unwrap()
    }

    fn holds(version: &str, model: &str, optics: &[(u16, &str)]) -> bool {
        let version = version.parse().unwrap();
        optics_rule().when.holds(&Patient {
            name: "fw",
            model,
            version,
            optics,
        })
    }

    #[test]
    fn the_optics_rule_needs_model_version_port_and_part() {
        let bad = [(6, "FTLX1475D3BCL")];
        assert!(holds("10.2.0", "PA-850", &bad));
        assert!(holds("10.2.4-h4", "PA-820", &bad));
        assert!(!holds("10.2.7", "PA-850", &bad), "fixed there");
        assert!(!holds("10.1.0", "PA-850", &bad), "before the range");
        assert!(!holds("10.2.0", "PA-440", &bad), "another model");
        assert!(
            !holds("10.2.0", "PA-850", &[(9, "FTLX1475D3BCL")]),
            "another port"
        );
        assert!(
            !holds("10.2.0", "PA-850", &[(6, "PAN-SFP-LX")]),
            "a supported part"
        );
        assert!(!holds("10.2.0", "PA-850", &[]), "an empty cage");
    }

    #[test]
    fn the_library_reads_and_its_names_are_its_own() {
        let rules = library().unwrap();
        let names: std::collections::BTreeSet<_> = rules.iter().map(|rule| &rule.id).collect();
        assert_eq!(names.len(), LIBRARY.len());
    }
}
