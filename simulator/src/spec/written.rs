//! A fleet written out as a file that reads back: a line a device, so that thousands can be looked through and edited.

use std::fmt::Write as _;

use serde::Serialize;

use super::FleetSpec;

impl FleetSpec {
    /// The fleet as a fleet file. Each entry of a list is one line, a flow mapping in YAML's JSON subset.
    ///
    /// # Errors
    /// When a value has no written form; no value of this crate is such a one.
    pub fn to_yaml(&self) -> Result<String, serde_json::Error> {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = writeln!(out, "seed: {}\nepoch: {}", self.seed, self.epoch);
        single(&mut out, "credentials", &self.credentials)?;
        if self.concurrency != Default::default() {
            single(&mut out, "concurrency", &self.concurrency)?;
        }
        if self.login_before_autocommit_fixed != Default::default() {
            let value = &self.login_before_autocommit_fixed;
            single(&mut out, "login_before_autocommit_fixed", value)?;
        }
        if let Some(releases) = &self.releases {
            list(&mut out, "releases", releases)?;
        }
        list(&mut out, "devices", &self.devices)?;
        if !self.panoramas.is_empty() {
            list(&mut out, "panoramas", &self.panoramas)?;
        }
        if !self.pairs.is_empty() {
            list(&mut out, "pairs", &self.pairs)?;
        }
        if !self.faults.is_empty() {
            list(&mut out, "faults", &self.faults)?;
        }
        Ok(out)
    }
}

fn single(out: &mut String, key: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
    let _ = writeln!(out, "{key}: {}", serde_json::to_string(value)?);
    Ok(())
}

fn list(out: &mut String, key: &str, entries: &[impl Serialize]) -> Result<(), serde_json::Error> {
    let none = if entries.is_empty() { " []" } else { "" };
    let _ = writeln!(out, "{key}:{none}");
    for entry in entries {
        let _ = writeln!(out, "  - {}", serde_json::to_string(entry)?);
    }
    Ok(())
}
