//! `hopgate simulate`: serves a simulated fleet over HTTPS, and writes the inventory that reaches it. The fleet comes from
//! a file, from a seed, or from an estate that was audited.
//!
//! With what is below it and `demo`, the only place that names the simulator in the shipped program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use hopgate_core::names::NameError;
use jiff::Timestamp;
use panos_simulator::{
    AddressError, ControlError, Fleet, LoopbackNet, ServeError, ServeOptions, Served, SimClock, SpecError,
    Twin, TwinError, TwinFleet,
};
pub use panos_simulator::{ControlRequest, FleetSpec};

use crate::audit::Audited;
use crate::clock::{Scale, machine_time};
use crate::config::credentials::{CredentialsRef, SecretSource};
use crate::config::inventory::{Defaults, Entry, Inventory, TrustRef};
use crate::config::selector::Groups;

pub mod roster;
pub mod twin;

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
    /// The twin file is wrong.
    #[error("the twin cannot be used")]
    Twin(#[from] TwinError),
    /// Devices cannot have addresses of their own.
    #[error("the devices cannot have addresses of their own")]
    Addresses(#[from] AddressError),
    /// The estate of a twin cannot be brought into the state it was found in.
    #[error("the twin cannot be brought into the state it was found in")]
    Start(#[from] ControlError),
    /// A file cannot be written.
    #[error("failed to write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl SimulateError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Serve(ServeError::Ports { .. }) => {
                "begin at a lower --port, or give every device an address of its own (--address-per-device 127.20.0.0/16)"
            }
            Self::Serve(ServeError::Listen { .. }) => {
                "choose a --port from which on all are free; one below 1024 may need rights"
            }
            Self::Serve(ServeError::Files { .. }) => "raise the limit before the start: ulimit -n",
            Self::Addresses(_) => "a /16 has room for 65534 devices",
            Self::Twin(_) => "hopgate audit --twin FILE writes one",
            _ => "hopgate simulate --help has an example fleet",
        }
    }
}

/// How a fleet is served.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Simulated seconds a second.
    pub speed: f64,
    /// Port of the first device; 0 takes any free ports.
    pub first_port: u16,
    /// Gives every device an address of its own from this network, all on the first port.
    pub addresses: Option<LoopbackNet>,
    /// The control port's number, where it matters.
    pub control_port: Option<u16>,
}

impl Options {
    /// On any free ports.
    pub fn at_speed(speed: f64) -> Self {
        Options {
            speed,
            first_port: 0,
            addresses: None,
            control_port: None,
        }
    }
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

/// Reads a twin file: the fleet, what has to be done once it stands, and what was left out of it.
pub fn read_twin(path: &Path, seed: u64) -> Result<TwinFleet, SimulateError> {
    let text = std::fs::read_to_string(path).map_err(|source| SimulateError::Read {
        path: path.to_owned(),
        source,
    })?;
    let twin = match twin::of_report(&text) {
        Some(twin) => twin,
        None => Twin::parse(&path.display().to_string(), &text)?,
    };
    Ok(twin.into_fleet(seed)?)
}

/// Makes up an estate.
pub fn generate(devices: usize, seed: u64) -> Result<FleetSpec, SimulateError> {
    Ok(FleetSpec::generate(devices, seed)?)
}

/// Does what brings a fleet into the state that its estate was found in.
pub fn set_up(simulation: &Simulation, start: Vec<ControlRequest>) -> Result<(), SimulateError> {
    for request in start {
        simulation.fleet.control(request)?;
    }
    Ok(())
}

/// Serves a fleet on loopback.
pub async fn serve(mut spec: FleetSpec, options: &Options) -> Result<Simulation, SimulateError> {
    let speed = options.speed;
    if let Some(net) = options.addresses {
        spec.give_addresses(net)?;
    }
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
        first_port: options.first_port,
        own_addresses: options.addresses.is_some(),
        control_port: options.control_port,
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
            serial: None,
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
        groups: Groups::default(),
        devices,
    })
}

/// Writes an inventory as YAML, for `hopgate run` in another process.
pub fn write_inventory(inventory: &Inventory, path: &Path) -> Result<(), SimulateError> {
    let text = inventory.to_yaml().map_err(|error| error.to_string());
    write(path, text)
}

/// Writes a fleet file that reads back as this fleet.
pub fn write_fleet(spec: &FleetSpec, path: &Path) -> Result<(), SimulateError> {
    write(path, spec.to_yaml().map_err(|error| error.to_string()))
}

/// Writes the twin of an estate that was audited.
pub fn write_twin(
    inventory: &Inventory,
    audited: &[Audited],
    at: Timestamp,
    path: &Path,
) -> Result<(), SimulateError> {
    let twin = twin::twin(inventory, audited, at);
    let text = serde_json::to_string_pretty(&twin).map_err(|error| error.to_string());
    write(path, text)
}

fn write(path: &Path, text: Result<String, String>) -> Result<(), SimulateError> {
    let wrong = |source| SimulateError::Write {
        path: path.to_owned(),
        source,
    };
    let text = text.map_err(|error| wrong(std::io::Error::other(error)))?;
    // Renamed into place, so that whoever waits for the file finds it whole.
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, text).map_err(wrong)?;
    std::fs::rename(&temporary, path).map_err(wrong)
}
