//! Paths of a whole fleet: each device says what it runs and what it has, and the same paths are told once.
//!
//! Asks only what the advisories on a device's own way want to know. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use hopgate_core::names::DeviceId;
use hopgate_panos::Client;
use hopgate_paths::{Catalogue, Exposure, Graph, NoRoute, Offered, PathPlan, Target, Version};
use hopgate_playbooks::{Fact, FactArea, Facts, System, advisories};
use serde::Serialize;

use super::{Wishes, words};
use crate::clock::Clock;
use crate::config::inventory::Inventory;
use crate::config::selector::{Meant, Selection};

/// Devices that are read at once. A slow one holds its own place only.
const AT_ONCE: usize = 64;

/// One device and its way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The device.
    pub device: DeviceId,
    /// Its model, where it answered.
    pub model: Option<String>,
    /// What it runs, where it answered.
    pub from: Option<Version>,
    /// What was found.
    pub found: Found,
}

/// What was found for a device.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// A path.
    Path(Box<PathPlan>),
    /// It runs the target already.
    NothingToDo,
    /// There is none, for this reason.
    Refused(String),
    /// It could not be read, for this reason.
    Unread(String),
}

/// Reads the devices that are meant and finds each one's way. Rows come in the order of the inventory's names.
pub async fn rows(
    clients: &BTreeMap<DeviceId, Arc<Client>>,
    inventory: &Inventory,
    selection: &Selection,
    catalogue: &Catalogue,
    (target, wishes): (Target, &Wishes),
    clock: &Clock,
) -> Vec<Row> {
    let meant = |device: &DeviceId| {
        inventory
            .entry(device)
            .is_some_and(|entry| selection.of_entry(entry) != Meant::No)
    };
    let read = stream::iter(clients.iter().filter(|(device, _)| meant(device)))
        .map(|(device, client)| async move {
            let facts = client
                .facts(
                    &BTreeSet::from([FactArea::System, FactArea::Software]),
                    clock.now(),
                )
                .await;
            (device, client, facts)
        })
        .buffer_unordered(AT_ONCE)
        .filter(|(device, _, facts)| {
            let chosen = match (&facts.system, inventory.entry(device)) {
                (Fact::Known(system), Some(entry)) => selection.of_device(entry, system),
                // Whether it is meant cannot be told, so it is shown as what it is: not read.
                _ => true,
            };
            std::future::ready(chosen)
        })
        .map(|(device, client, facts)| async move {
            let found = match &facts.system {
                Fact::Unknown(why) => Found::Unread(why.clone()),
                Fact::Known(system) => {
                    found(client, catalogue, system, &facts, (target, wishes), clock).await
                }
            };
            let system = facts.system.known();
            Row {
                device: device.clone(),
                model: system.map(|system| system.model.clone()),
                from: system.map(|system| system.sw_version),
                found,
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut rows: Vec<Row> = read.collect().await;
    rows.sort_by(|one, other| one.device.cmp(&other.device));
    rows
}

/// First the way as for any device of the model, then, with what its advisories ask, the way of this one.
async fn found(
    client: &Client,
    catalogue: &Catalogue,
    system: &System,
    facts: &Facts,
    (target, wishes): (Target, &Wishes),
    clock: &Clock,
) -> Found {
    let graph = match Graph::new(catalogue, &system.model) {
        Ok(graph) => graph,
        Err(unknown) => return Found::Refused(unknown.to_string()),
    };
    let offered = offered(facts);
    let mut request = wishes.request(system.sw_version, target);
    request.offered = offered.as_deref();
    let open = match graph.plan(&request) {
        Err(refusal) => return refused(refusal),
        Ok(plan) => plan,
    };
    let asked = open.hops.iter().flat_map(|hop| &hop.advisories);
    let areas = advisories::areas(asked.map(|assessed| &*assessed.advisory));
    if areas.is_empty() {
        return Found::Path(Box::new(open));
    }
    let mut known = client.facts(&areas, clock.now()).await;
    known.system = facts.system.clone();
    known.software = facts.software.clone();
    let view = known.viewed(catalogue);
    request.view = Some(&view);
    match graph.plan(&request) {
        Err(refusal) => refused(refusal),
        Ok(plan) => Found::Path(Box::new(plan)),
    }
}

/// What the device's own list offers, where it could be read.
pub(crate) fn offered(facts: &Facts) -> Option<Vec<Offered>> {
    let images = facts.software.known()?;
    let offered = images.iter().map(|image| Offered {
        version: image.version,
        release_type: image.release_type.clone(),
        downloaded: image.downloaded,
        size_mb: image.size_mb,
    });
    Some(offered.collect())
}

fn refused(refusal: NoRoute) -> Found {
    match refusal {
        NoRoute::NothingToDo { .. } => Found::NothingToDo,
        other => Found::Refused(other.to_string()),
    }
}

/// The rows for a terminal: a path once, with the devices it is for, then what is known against some of them.
pub fn text(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut paths: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let key = match &row.found {
            Found::Path(plan) => format!("{}\n   {}", words::headline(plan), arrows(plan)),
            Found::NothingToDo => "nothing to do: they run the target already".to_owned(),
            Found::Refused(why) => format!("NO PATH: {why}"),
            Found::Unread(why) => format!("NOT READ: {why}"),
        };
        paths.entry(key).or_default().push(row);
    }
    for (path, devices) in &paths {
        let names: Vec<&str> = devices.iter().map(|row| row.device.as_str()).collect();
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "{path}\n   {}: {}",
            words::count(names.len(), "device"),
            names.join(", ")
        );
        against(&mut out, devices);
        let _ = writeln!(out);
    }
    let count = |is: fn(&Found) -> bool| rows.iter().filter(|row| is(&row.found)).count();
    let _ = writeln!(
        out,
        "{}: {} with a path, {} with nothing to do, {} without a path, {} not read",
        words::count(rows.len(), "device"),
        count(|found| matches!(found, Found::Path(_))),
        count(|found| matches!(found, Found::NothingToDo)),
        count(|found| matches!(found, Found::Refused(_))),
        count(|found| matches!(found, Found::Unread(_))),
    );
    out
}

fn arrows(plan: &PathPlan) -> String {
    format!("{} -> {}", plan.route.from, words::stops(plan))
}

/// The advisories some of the devices are exposed to, or may be, with their names and what was seen or is missing.
fn against(out: &mut String, devices: &[&Row]) {
    let mut met: BTreeMap<(u8, String), Vec<String>> = BTreeMap::new();
    for row in devices {
        let Found::Path(plan) = &row.found else { continue };
        for (assessed, _) in plan.advisories() {
            let (rank, standing, seen) = match &*assessed.exposure {
                Exposure::Clear { .. } => continue,
                Exposure::Exposed { evidence } => (0, "EXPOSED", evidence.join("; ")),
                Exposure::Unknown { missing } => (1, "open", missing.join("; ")),
            };
            let told = format!("{standing} {}: {}", assessed.advisory.id, assessed.advisory.title);
            let device = if seen.is_empty() {
                row.device.to_string()
            } else {
                format!("{} ({seen})", row.device)
            };
            met.entry((rank, told)).or_default().push(device);
        }
    }
    for ((_, told), devices) in met {
        let _ = writeln!(out, "   {told}\n      {}", devices.join(", "));
    }
}
