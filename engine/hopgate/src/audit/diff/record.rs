//! A comparison of two audits as JSON: everything, for programs. `docs/audit.md` tells every key.

use std::collections::BTreeMap;
use std::path::Path;

use hopgate_playbooks::AreaDifference;
use serde::Serialize;

use super::{Device, Diff, Fate, Side, Standing};
use crate::audit::AuditError;

/// The version of the shape: keys are added, and what exists keeps its meaning, or this changes.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Record<'a> {
    schema: u32,
    hopgate: &'static str,
    before: &'a Side,
    after: &'a Side,
    counts: BTreeMap<&'static str, usize>,
    devices: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    device: &'a str,
    renamed_from: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    serial: Option<&'a str>,
    version_before: Option<&'a str>,
    version_after: Option<&'a str>,
    standing: Standing,
    unread_before: Option<&'a str>,
    unread_after: Option<&'a str>,
    areas: &'a [AreaDifference],
}

/// Writes it.
pub fn write_json(diff: &Diff, path: &Path) -> Result<(), AuditError> {
    crate::audit::write_through(path, |out| {
        serde_json::to_writer(out, &record(diff)).map_err(std::io::Error::from)
    })
}

fn record(diff: &Diff) -> Record<'_> {
    let name = |standing: Standing| match standing {
        Standing::Unread => "unread",
        Standing::Same => "same",
        other => other.word(),
    };
    let counts = Standing::ALL
        .into_iter()
        .map(|standing| (name(standing), diff.count(standing)));
    Record {
        schema: SCHEMA,
        hopgate: env!("CARGO_PKG_VERSION"),
        before: &diff.before,
        after: &diff.after,
        counts: counts.chain([("devices", diff.devices.len())]).collect(),
        devices: diff.devices.iter().map(row).collect(),
    }
}

fn row(device: &Device) -> Row<'_> {
    let (unread_before, unread_after) = match &device.fate {
        Fate::Unread { before, after } => (before.as_deref(), after.as_deref()),
        Fate::Compared(_) | Fate::Gone | Fate::New => (None, None),
    };
    Row {
        device: &device.device,
        renamed_from: device.renamed_from.as_deref(),
        labels: &device.labels,
        serial: device.serial.as_deref(),
        version_before: device.version_before.as_deref(),
        version_after: device.version_after.as_deref(),
        standing: device.standing(),
        unread_before,
        unread_after,
        areas: match &device.fate {
            Fate::Compared(difference) => &difference.areas,
            Fate::Unread { .. } | Fate::Gone | Fate::New => &[],
        },
    }
}
