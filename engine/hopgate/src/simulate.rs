//! `hopgate simulate`: serves a simulated fleet over HTTPS, and writes the inventory that reaches it.
//!
//! With `demo`, the only place that names the simulator in the shipped program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use hopgate_core::names::NameError;
use panos_simulator::{Fleet, FleetSpec, ServeError, ServeOptions, Served, SimClock, SpecError};

use crate::clock::{Scale, machine_time};
use crate::config::credentials::{CredentialsRef, SecretSource};
use crate::config::inventory::{Defaults, Entry, Inventory, TrustRef};

/// The environment variable that a written inventory takes the simulated password from.
pub const PASSWORD_VARIABLE: &str = "HOPGATE_SIMULATED_PASSWORD";

/// Why a fleet is not served.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The fleet file cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The fleet file is wrong.
    #[error("the fleet file cannot be used")]
    Spec(#[from] SpecError),
    /// It cannot be served.
    #[error("the fleet cannot be served")]
    Serve(#[from] ServeError),
    /// A device of the fleet has a name that an inventory refuses.
    #[error("a device of the fleet has a name that an inventory refuses")]
    Name(#[from] NameError),
    /// The inventory cannot be written.
    #[error("failed to write the inventory {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A fleet that is being served.
pub struct Simulation {
    /// The fleet.
    pub fleet: Arc<Fleet>,
    /// Where it answers.
    pub served: Served,
    /// How its time runs.
    pub scale: Scale,
    /// An inventory that reaches it.
    pub inventory: Inventory,
}

/// Reads a fleet file.
pub fn read_fleet(path: &Path) -> Result<FleetSpec, SimulateError> {
    let text = std::fs::read_to_string(path).map_err(|source| SimulateError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(FleetSpec::parse(&path.display().to_string(), &text)?)
}

/// Serves a fleet on loopback: device ports from `first_port` on, or any free ones where it is 0.
pub async fn serve(spec: FleetSpec, speed: f64, first_port: u16) -> Result<Simulation, SimulateError> {
    let origin = machine_time();
    let user = spec.credentials.user.clone();
    let scale = Scale {
        epoch: spec.epoch,
        origin,
        speed,
    };
    let pairs: Vec<[String; 2]> = spec.pairs.iter().map(|pair| pair.members.clone()).collect();
    let clock = SimClock::anchored(spec.epoch, speed, SystemTime::from(origin));
    let fleet = Fleet::new(spec, clock)?;
    let options = ServeOptions {
        first_port,
        ..ServeOptions::default()
    };
    let served = panos_simulator::serve(Arc::clone(&fleet), options).await?;
    let inventory = inventory(&fleet, &served, &pairs, scale, user)?;
    Ok(Simulation {
        fleet,
        served,
        scale,
        inventory,
    })
}

fn inventory(
    fleet: &Fleet,
    served: &Served,
    pairs: &[[String; 2]],
    scale: Scale,
    user: String,
) -> Result<Inventory, SimulateError> {
    let mut peers: BTreeMap<&str, &str> = BTreeMap::new();
    for [a, b] in pairs {
        peers.insert(a, b);
        peers.insert(b, a);
    }
    let mut devices = Vec::new();
    for device in fleet.devices() {
        let Some(address) = served.endpoints.get(&device.name) else {
            continue;
        };
        let peer = peers.get(device.name.as_str());
        devices.push(Entry {
            name: device.name.parse()?,
            address: address.to_string(),
            peer: peer.map(|peer| peer.parse()).transpose()?,
            labels: device.labels.clone(),
            credentials: None,
            trust: None,
        });
    }
    let credentials = CredentialsRef {
        user: Some(user),
        password_from: Some(SecretSource::Env(PASSWORD_VARIABLE.to_owned())),
        key_from: None,
    };
    let defaults = Defaults {
        credentials: Some(credentials),
        trust: Some(TrustRef::FirstUse),
    };
    Ok(Inventory {
        simulated_clock: Some(scale),
        defaults,
        devices,
    })
}

/// Writes an inventory as YAML, for `hopgate run` in another process.
pub fn write_inventory(inventory: &Inventory, path: &Path) -> Result<(), SimulateError> {
    let wrong = |source| SimulateError::Write {
        path: path.to_owned(),
        source,
    };
    let text = serde_saphyr::to_string(inventory)
        .map_err(|error| wrong(std::io::Error::other(error.to_string())))?;
    // Renamed into place, so that whoever waits for the file finds it whole.
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, text).map_err(wrong)?;
    std::fs::rename(&temporary, path).map_err(wrong)
}
