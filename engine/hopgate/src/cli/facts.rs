//! `hopgate facts`: everything that is known of one device. Must not know: checks, reports, other devices.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use hopgate_core::names::DeviceId;
use hopgate_paths::nearest_names;
use hopgate_playbooks::{FactArea, Facts};

use super::{ask, inventory, note, say};
use crate::asking::Patience;
use crate::audit::question::PATIENCE_S;
use crate::catalogue;
use crate::config::inventory::Inventory;
use crate::connect::connect;
use crate::failure::{ANOTHER_DEVICE, Exit, Failure};
use crate::kept::Kept;
use crate::knowledge;
use crate::state::State;

/// Examples that a test runs.
pub(super) const HELP: &str = "\
Example: hopgate facts fw1

  hopgate facts fw1 --area system --area optics
  hopgate facts fw1 --raw
  hopgate facts fw1 --json";

#[derive(Debug, Args)]
pub(super) struct FactsArgs {
    /// The device.
    device: DeviceId,
    /// The inventory file.
    #[arg(long, value_name = "FILE", default_value = "inventory.yaml")]
    inventory: PathBuf,
    /// A firewall that the Panoramas of this file manage, in place of an inventory.
    #[arg(long, value_name = "FILE", conflicts_with = "inventory")]
    from_panorama: Option<PathBuf>,
    /// Only this area of the facts; may be given several times.
    #[arg(long = "area", value_name = "NAME", value_parser = area)]
    areas: Vec<FactArea>,
    /// As JSON, as the expressions of checks see it: the known areas by name, lists whole.
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// As JSON, as reports hold it and `hopgate playbook test` reads it: with what is unknown, and when and how it was read.
    #[arg(long)]
    json: bool,
    /// Overlay of the release catalogue, by which modules are judged; may be given several times.
    #[arg(long = "catalogue", value_name = "FILE")]
    overlays: Vec<PathBuf>,
    /// Seconds after which what has not been answered is told as unknown.
    #[arg(long, value_name = "S", default_value_t = PATIENCE_S, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

fn area(text: &str) -> Result<FactArea, String> {
    let found = FactArea::ALL.into_iter().find(|area| area.name() == text);
    found.ok_or_else(|| {
        let nearest = nearest_names(text, FactArea::ALL.map(FactArea::name), 3);
        format!("there is no area {text}; the nearest are {}", nearest.join(", "))
    })
}

/// Answers.
pub(super) async fn facts(state: &Path, args: FactsArgs) -> Result<Exit, Failure> {
    let areas: BTreeSet<FactArea> = if args.areas.is_empty() {
        FactArea::ALL.into_iter().collect()
    } else {
        args.areas.iter().copied().collect()
    };
    let catalogue = catalogue::load(&args.overlays, Path::new(""))?;
    let (opened, inventory, path) = match args.from_panorama {
        None => {
            let inventory = only(Inventory::load(&args.inventory)?, &args.device)?;
            (ask::open_for_pins(state).await?, inventory, args.inventory)
        }
        Some(file) => {
            let (opened, listed) = inventory::listed(state, &file).await?;
            (opened, only(listed.inventory, &args.device)?, file)
        }
    };
    let patience = Duration::from_secs(args.timeout);
    let read = read(&opened, &inventory, &path, &areas, patience).await;
    ask::close(opened).await;
    let mut facts = read?;
    facts.judge_modules(&catalogue, None);
    if args.raw {
        say(&pretty(&knowledge::raw(&facts, &areas)));
    } else if args.json {
        say(&pretty(&facts));
    } else {
        say(&knowledge::text(&facts, &areas));
    }
    let unknown = knowledge::unknown(&facts, &areas);
    if args.raw {
        for (area, why) in &unknown {
            note(&format!("{area} is unknown: {why}"));
        }
    }
    Ok(if unknown.is_empty() {
        Exit::Success
    } else {
        Exit::Attention
    })
}

/// The inventory with this device alone: nobody is asked for the password of another one.
fn only(mut inventory: Inventory, device: &DeviceId) -> Result<Inventory, Failure> {
    let names = inventory.devices.iter().map(|entry| entry.name.as_str());
    let nearest = nearest_names(device.as_str(), names, 1).join("");
    inventory.devices.retain(|entry| entry.name == *device);
    if inventory.devices.is_empty() {
        return Err(Failure::unknown(
            format!("{device} is not in the inventory"),
            if nearest.is_empty() {
                "the inventory has no device".to_owned()
            } else {
                format!("the nearest name is {nearest}")
            },
        ));
    }
    Ok(inventory)
}

async fn read(
    opened: &State,
    inventory: &Inventory,
    path: &Path,
    areas: &BTreeSet<FactArea>,
    patience: Duration,
) -> Result<Facts, Failure> {
    let clock = inventory.clock();
    let connections = connect(inventory, path, opened.ledger())?;
    let mut asked = areas.clone();
    // What is thought of a module depends on what it sits in.
    asked.extend(areas.contains(&FactArea::Optics).then_some(FactArea::System));
    // Whose backup is looked for goes by what the device says of itself.
    asked.extend(areas.contains(&FactArea::Backup).then_some(FactArea::System));
    // Who answers is asked too where the inventory says who is meant.
    asked.extend(
        inventory
            .devices
            .iter()
            .filter(|entry| entry.serial.is_some())
            .map(|_| FactArea::System),
    );
    let mut read = None;
    for (entry, client) in inventory.devices.iter().zip(connections.clients.values()) {
        let patience = Patience::of(patience);
        let facts = Box::pin(patience.facts(client, &asked, clock.now())).await;
        if let Some(why) = facts
            .system
            .known()
            .and_then(|system| entry.stranger(&system.serial))
        {
            return Err(Failure::new("D009", ANOTHER_DEVICE, std::io::Error::other(why)));
        }
        let mut facts = entry.own(facts, &asked);
        Kept::of(opened.ledger()).tell(&mut facts, None).await;
        read = Some(facts);
    }
    connections.record_first_use(opened.ledger(), clock.now()).await?;
    read.ok_or_else(|| Failure::unknown("no device was read", "this is a defect of hopgate"))
}

fn pretty(value: &impl serde::Serialize) -> String {
    // Facts hold only strings, numbers, lists and maps with texts for keys, none of which fail to serialize.
    serde_json::to_string_pretty(value).unwrap_or_default()
}
