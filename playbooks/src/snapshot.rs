//! Snapshots: what of a device's facts is worth comparing, kept until there is something to compare it with.
//!
//! Responsible for: what a snapshot holds and how it is taken. `compare` tells two of them apart by rules
//! (`library/differences.yaml`), and what it finds becomes findings. Must not know: devices, when one is taken, or what is
//! done about a difference.

mod compare;
mod difference;
mod file;
mod limit;
mod listing;
mod order;
mod rules;
mod thing;
mod words;

use std::collections::{BTreeMap, BTreeSet};

pub use compare::compare;
pub use difference::{AreaDifference, Change, Compared, Difference, Happened};
pub use file::RulesError;
use jiff::Timestamp;
pub use rules::{Grade, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::{Fact, FactArea, Facts};

/// What is kept of one reading of a device. It holds every thing that was listed, also where two have one name, and says
/// itself which fields it holds: rules may change before it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The device's name in the inventory.
    pub device: String,
    /// Its serial number, where it is known.
    pub serial: Option<String>,
    /// The release it ran, where it is known.
    pub version: Option<hopgate_paths::Version>,
    /// Its role in its pair: `active`, `passive`. None where it is alone, and where that is not known.
    pub role: Option<String>,
    /// When it was read.
    pub read_at: Timestamp,
    /// What was listed, by the name of the area in the rules: `bgp_peers`, `interfaces.hardware`.
    pub areas: BTreeMap<String, Fact<Rows>>,
}

/// Things and their fields, as a table: the names of the fields stand there once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// The fields.
    pub fields: Vec<String>,
    /// A row a thing, with a value a field.
    pub rows: Vec<Vec<Value>>,
}

impl Snapshot {
    /// What the built-in rules compare.
    pub fn of(facts: &Facts) -> Self {
        Self::under(facts, Rules::builtin())
    }

    /// What these rules compare.
    pub fn under(facts: &Facts, rules: &Rules) -> Self {
        let area = |area: &rules::AreaRules| {
            let fields = area.kept();
            let rows = match area.listing.rows(facts, &fields) {
                Ok(rows) => Fact::Known(Rows { fields, rows }),
                Err(why) => Fact::Unknown(why),
            };
            (area.name.clone(), rows)
        };
        let system = facts.system.known();
        let ha = facts.ha.known().filter(|ha| ha.enabled);
        Self {
            device: facts.device.clone(),
            serial: system.map(|system| system.serial.clone()),
            version: system.map(|system| system.sw_version),
            role: ha.map(|ha| ha.local.state.clone()),
            read_at: facts.read_at,
            areas: rules.areas.iter().map(area).collect(),
        }
    }

    /// What has to be read for [`Snapshot::of`].
    pub fn areas() -> BTreeSet<FactArea> {
        Rules::builtin().areas()
    }
}

#[cfg(test)]
mod tests;
