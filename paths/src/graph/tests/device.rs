//! Devices to hold advisories against: facts as a test wants them, and what it does not say is unknown.

use std::collections::BTreeMap;

use crate::version::Version;
use crate::view::{FactsView, OpticSeen, Seen};

/// Facts as a test gives them.
#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    flags: BTreeMap<String, bool>,
    numbers: BTreeMap<String, u64>,
    optics: Option<Vec<OpticSeen>>,
    /// What flags that were not given are.
    other_flags: Option<bool>,
}

impl Device {
    /// A device with no feature on and nothing in its ports.
    pub(super) fn plain() -> Self {
        Self {
            optics: Some(Vec::new()),
            other_flags: Some(false),
            ..Self::default()
        }
    }

    pub(super) fn flag(mut self, name: &str, so: bool) -> Self {
        self.flags.insert(name.to_owned(), so);
        self
    }

    pub(super) fn number(mut self, name: &str, value: u64) -> Self {
        self.numbers.insert(name.to_owned(), value);
        self
    }

    pub(super) fn module(mut self, port: u32, class: &'static str, part: Option<&str>) -> Self {
        self.optics.get_or_insert_default().push(OpticSeen {
            slot: 1,
            port,
            interface: format!("ethernet1/{port}"),
            class,
            media: Some("SFP-Fiber".to_owned()),
            part: part.map(str::to_owned),
            vendor: Some("OEM".to_owned()),
        });
        self
    }
}

impl FactsView for Device {
    fn flag(&self, name: &str) -> Seen<bool> {
        match self.flags.get(name).copied().or(self.other_flags) {
            Some(so) => Seen::Known(so),
            None => Seen::Unknown("the device did not say".to_owned()),
        }
    }

    fn number(&self, name: &str) -> Seen<u64> {
        match self.numbers.get(name) {
            Some(value) => Seen::Known(*value),
            None => Seen::Unknown("the device did not say".to_owned()),
        }
    }

    fn optics(&self, _: Version) -> Seen<Vec<OpticSeen>> {
        match &self.optics {
            Some(optics) => Seen::Known(optics.clone()),
            None => Seen::Unknown("the device did not say".to_owned()),
        }
    }
}
