//! From a campaign file, an inventory and what the devices answer to a plan.
//!
//! Reads devices and asks `paths` for routes; who goes when is the core's business.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use hopgate_core::names::{DeviceId, WaveName};
use hopgate_core::plan::{PLAN_FORMAT, Pin, Plan, PlanError, PlannedDevice, Wave};
use hopgate_panos::{CallError, Client};
use hopgate_paths::{Catalogue, Graph, NoRoute, Route, UnknownAdvisory, UnknownModel, Version};
use hopgate_playbooks::{Setting, System};

use crate::checks::Hashed;
use crate::config::ConfigError;
use crate::config::campaign::{CampaignFile, WaveText};
use crate::config::inventory::Inventory;

/// Devices that are read at once when a plan is made. Each is asked one thing, so this bounds sockets, not devices.
const READ_AT_ONCE: usize = 64;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlannerError {
    /// Some devices did not answer; a plan without them would not be the plan that was asked for.
    #[error("{} of {asked} devices cannot be read: {}", failed.len(), few(failed))]
    Unread {
        /// How many were asked.
        asked: usize,
        /// The ones that failed.
        failed: Vec<CallError>,
    },
    /// Other devices answer than the inventory means; to enrol them would be to upgrade somebody else's.
    #[error("{}", few(strangers))]
    Strangers {
        /// What is to be said of each.
        strangers: Vec<String>,
    },
    /// A wave names a device that the inventory does not have.
    #[error("wave {wave} names {device}, which is not in the inventory{}", nearest.as_ref().map_or_else(String::new, |near| format!("; nearest: {near}")))]
    NotInInventory {
        /// The wave.
        wave: WaveName,
        /// The device.
        device: DeviceId,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// The model is not in the catalogue.
    #[error("no path for {device}")]
    Model {
        /// The device.
        device: DeviceId,
        /// Why.
        #[source]
        source: UnknownModel,
    },
    /// There is no way from here to there.
    #[error("no path for {device} ({model}) from {from} to {to}")]
    NoRoute {
        /// The device.
        device: DeviceId,
        /// Its model.
        model: String,
        /// What it runs.
        from: Version,
        /// The target.
        to: Version,
        /// Why.
        #[source]
        source: Box<NoRoute>,
    },
    /// A device that is under way in the recorded plan would get another path.
    #[error("campaign {campaign} is recorded with target {recorded} {via}and the file says {given}; its devices keep their path", via = if *.pinned { "and another pinned path " } else { "" })]
    RouteChanged {
        /// The campaign.
        campaign: String,
        /// The recorded target.
        recorded: Version,
        /// The target in the file.
        given: Version,
        /// Whether the pinned path differs.
        pinned: bool,
    },
    /// An acceptance names an advisory that the catalogue does not have.
    #[error("the campaign accepts an advisory that nobody knows")]
    NoSuchAdvisory(#[source] UnknownAdvisory),
    /// The campaign file is wrong.
    #[error("the campaign file cannot be used")]
    Config(#[from] ConfigError),
    /// The plan contradicts itself.
    #[error("the plan contradicts itself")]
    Plan(#[from] PlanError),
}

/// The first of them, and how many more there are.
fn few(of: &[impl ToString]) -> String {
    let shown: Vec<String> = of.iter().take(3).map(ToString::to_string).collect();
    let more = of.len().saturating_sub(shown.len());
    let more = if more == 0 {
        String::new()
    } else {
        format!("; and {more} more")
    };
    format!("{}{more}", shown.join("; "))
}

/// Asks every device what it is. All have to answer.
pub async fn read_systems(
    clients: &BTreeMap<DeviceId, Arc<Client>>,
    wanted: &BTreeSet<DeviceId>,
) -> Result<BTreeMap<DeviceId, System>, PlannerError> {
    let asked = clients.iter().filter(|(id, _)| wanted.contains(*id));
    let answers: Vec<(DeviceId, Result<System, CallError>)> = stream::iter(asked)
        .map(|(id, client)| async move { (id.clone(), client.system_info().await) })
        .buffer_unordered(READ_AT_ONCE)
        .collect()
        .await;
    let asked = answers.len();
    let mut systems = BTreeMap::new();
    let mut failed = Vec::new();
    for (id, answer) in answers {
        match answer {
            Ok(system) => {
                systems.insert(id, system);
            }
            Err(error) => failed.push(error),
        }
    }
    failed.sort_by(|a, b| a.device.cmp(&b.device));
    if failed.is_empty() {
        Ok(systems)
    } else {
        Err(PlannerError::Unread { asked, failed })
    }
}

/// The devices of every wave, the rest filled in.
pub fn waves(file: &CampaignFile, inventory: &Inventory) -> Result<Vec<Wave>, PlannerError> {
    let listed: BTreeSet<&DeviceId> = file.waves.iter().flat_map(|wave| &wave.devices).collect();
    file.waves
        .iter()
        .map(|wave| {
            let devices = if wave.rest {
                let all = inventory.devices.iter().map(|entry| &entry.name);
                all.filter(|name| !listed.contains(name)).cloned().collect()
            } else {
                known(wave, inventory)?;
                wave.devices.clone()
            };
            Ok(Wave {
                name: wave.name.clone(),
                approval: wave.approval,
                concurrency: wave.concurrency,
                soak_min: wave.soak_minutes,
                devices,
            })
        })
        .collect()
}

fn known(wave: &WaveText, inventory: &Inventory) -> Result<(), PlannerError> {
    match wave.devices.iter().find(|name| inventory.entry(name).is_none()) {
        None => Ok(()),
        Some(device) => {
            let names = inventory.devices.iter().map(|entry| entry.name.as_str());
            let nearest = hopgate_paths::nearest_names(device.as_str(), names, 1)
                .into_iter()
                .next()
                .map(str::to_owned);
            Err(PlannerError::NotInInventory {
                wave: wave.name.clone(),
                device: device.clone(),
                nearest,
            })
        }
    }
}

/// The plan: one route a device, waves as written, checks by hash. Devices of a `recorded` plan keep their route.
pub fn plan(
    file: &CampaignFile,
    path: &Path,
    inventory: &Inventory,
    systems: &BTreeMap<DeviceId, System>,
    catalogue: &Catalogue,
    (before, after): (&[Hashed], &[Hashed]),
    recorded: Option<&Plan>,
) -> Result<Plan, PlannerError> {
    if let Some(recorded) = recorded {
        same_path(file, recorded)?;
    }
    known_advisories(file, catalogue)?;
    as_meant(inventory, systems)?;
    let waves = waves(file, inventory)?;
    let mut graphs: BTreeMap<&str, Graph<'_>> = BTreeMap::new();
    let mut devices = BTreeMap::new();
    for device in waves.iter().flat_map(|wave| &wave.devices) {
        if let Some(known) = recorded.and_then(|plan| plan.devices.get(device)) {
            devices.insert(device.clone(), known.clone());
            continue;
        }
        let Some(system) = systems.get(device) else {
            continue;
        };
        let model = system.model.as_str();
        if !graphs.contains_key(model) {
            let graph = Graph::new(catalogue, model).map_err(|source| PlannerError::Model {
                device: device.clone(),
                source,
            })?;
            graphs.insert(model, graph);
        }
        let Some(graph) = graphs.get(model) else { continue };
        let peer = inventory.entry(device).and_then(|entry| entry.peer.clone());
        let route = route(graph, file, device, system)?;
        devices.insert(
            device.clone(),
            PlannedDevice {
                model: system.model.clone(),
                serial: system.serial.clone(),
                peer,
                route,
            },
        );
    }
    let plan = Plan {
        format: PLAN_FORMAT,
        campaign: file.campaign.clone(),
        launcher: file.launcher.clone(),
        target: file.target,
        pin: file.pinned_path.as_ref().map(|pin| Pin {
            by: pin.by.clone(),
            reason: pin.reason.trim().to_owned(),
            via: pin.via.clone(),
        }),
        window: file.window(path)?,
        waves,
        devices,
        before: hashes(before),
        after: hashes(after),
        before_with: settings(before),
        after_with: settings(after),
        accepted: file.accepted(path)?,
    };
    plan.check()?;
    Ok(plan)
}

/// Every device that answered is the one that the inventory means, where it says so.
fn as_meant(inventory: &Inventory, systems: &BTreeMap<DeviceId, System>) -> Result<(), PlannerError> {
    let stranger = |(device, system): (&DeviceId, &System)| inventory.entry(device)?.stranger(&system.serial);
    let strangers: Vec<String> = systems.iter().filter_map(stranger).collect();
    if strangers.is_empty() {
        Ok(())
    } else {
        Err(PlannerError::Strangers { strangers })
    }
}

/// An acceptance of what nobody knows would hold nothing and look as if it did.
pub fn known_advisories(file: &CampaignFile, catalogue: &Catalogue) -> Result<(), PlannerError> {
    for accept in &file.accept_advisories {
        catalogue
            .advisory(&accept.advisory)
            .map_err(PlannerError::NoSuchAdvisory)?;
    }
    Ok(())
}

/// Waves, window and checks of a recorded campaign may change, and then need new approvals; where its devices go may not.
fn same_path(file: &CampaignFile, recorded: &Plan) -> Result<(), PlannerError> {
    let via = |pin: Option<&[Version]>| pin.map(<[Version]>::to_vec).unwrap_or_default();
    let pinned = via(file.pinned_path.as_ref().map(|pin| pin.via.as_slice()))
        != via(recorded.pin.as_ref().map(|pin| pin.via.as_slice()));
    if recorded.target == file.target && !pinned {
        return Ok(());
    }
    Err(PlannerError::RouteChanged {
        campaign: recorded.campaign.to_string(),
        recorded: recorded.target,
        given: file.target,
        pinned,
    })
}

fn hashes(playbooks: &[Hashed]) -> BTreeMap<String, String> {
    playbooks
        .iter()
        .map(|hashed| (hashed.name().to_owned(), hashed.hash.clone()))
        .collect()
}

/// The settings that were chosen, by playbook.
fn settings(playbooks: &[Hashed]) -> BTreeMap<String, BTreeMap<String, Setting>> {
    let chosen = playbooks.iter().filter(|hashed| !hashed.settings.is_empty());
    chosen
        .map(|hashed| (hashed.name().to_owned(), hashed.settings.clone()))
        .collect()
}

fn route(
    graph: &Graph<'_>,
    file: &CampaignFile,
    device: &DeviceId,
    system: &System,
) -> Result<Route, PlannerError> {
    let from = system.sw_version;
    // A device that is past a waypoint does not go back to it.
    let via: Vec<Version> = file
        .pinned_path
        .iter()
        .flat_map(|pin| pin.via.iter().copied())
        .filter(|waypoint| *waypoint > from)
        .collect();
    match graph.route(from, file.target, &via) {
        Ok(route) => Ok(route),
        Err(NoRoute::NothingToDo { version }) => Ok(Route {
            model: system.model.clone(),
            from: version,
            to: version,
            hops: Vec::new(),
        }),
        Err(source) => Err(PlannerError::NoRoute {
            device: device.clone(),
            model: system.model.clone(),
            from,
            to: file.target,
            source: Box::new(source),
        }),
    }
}
