//! The fleet over HTTPS: a port or an address a device, its own certificate, connections that die with the device.
//!
//! Only moves bytes: every reply, and every way of not replying, is decided by `fleet.rs`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::control_port;
use crate::fleet::Fleet;

mod body;
mod door;
mod tls;

use door::Door;
use tls::Tls;

/// Descriptors beside the listeners: a few of the runtime's own, and connections enough to be of use.
const SPARE_FILES: u64 = 128;

/// Where and how to serve a fleet.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Address to listen on.
    pub address: IpAddr,
    /// Port of the first device; the others follow in the order of the fleet file, then Panoramas. 0 lets the system choose
    /// every port.
    pub first_port: u16,
    /// Every device listens on the management address it reports, all on `first_port`. Only loopback addresses are
    /// served; [`FleetSpec::give_addresses`](crate::FleetSpec::give_addresses) hands such out.
    pub own_addresses: bool,
    /// Whether to open the control port.
    pub control: bool,
    /// The control port's number. Where it is left out, the one after the last device; any free one where devices have
    /// addresses of their own.
    pub control_port: Option<u16>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            address: IpAddr::from([127, 0, 0, 1]),
            first_port: 0,
            own_addresses: false,
            control: true,
            control_port: None,
        }
    }
}

/// Why a fleet is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A port could not be opened.
    #[error("listen on {address} for {whom}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The device, or `the control port`.
        whom: String,
        /// Why not.
        source: std::io::Error,
    },
    /// More devices than ports after the first.
    #[error("give every device a port from {first_port} on: {devices} devices do not fit")]
    Ports {
        /// The first port.
        first_port: u16,
        /// How many devices there are.
        devices: usize,
    },
    /// A device's own address is not one that may be listened on.
    #[error("listen on {address} for {device}: only loopback addresses are served")]
    Address {
        /// The device.
        device: String,
        /// The address.
        address: IpAddr,
    },
    /// The system lets this process open too few files: each port takes one.
    #[error("open {needed} files for the fleet: the system allows this process {allowed}")]
    Files {
        /// How many are needed.
        needed: u64,
        /// How many are allowed, at most.
        allowed: u64,
    },
    /// A certificate could not be made.
    #[error("make a certificate for {device}")]
    Certificate {
        /// The device.
        device: String,
        /// Why not.
        source: rcgen::Error,
    },
    /// TLS could not be set up with a certificate.
    #[error("set up TLS for {device}")]
    Tls {
        /// The device.
        device: String,
        /// Why not.
        source: rustls::Error,
    },
}

/// A fleet that is being served. Dropping it stops it.
#[derive(Debug)]
pub struct Served {
    /// Where each device listens.
    pub endpoints: BTreeMap<String, SocketAddr>,
    /// Where the control port listens.
    pub control: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Served {
    /// Closes every connection and port, and waits until they are closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Serves a fleet until [`Served::shutdown`].
///
/// How long a device is away in real time is its simulated time divided by the clock's speed. pan-os-python's
/// `syncreboot` looks every five seconds and has to see the device away once, so a fleet for that client should
/// not run faster than some 60 times real time.
///
/// # Errors
/// When a port cannot be opened, or the process may not open enough files.
pub async fn serve(fleet: Arc<Fleet>, options: ServeOptions) -> Result<Served, ServeError> {
    let devices = fleet.names().len();
    if !options.own_addresses {
        // The last one, before any is opened.
        port(&options, devices, devices)?;
    }
    enough_files(devices)?;
    let tls = Arc::new(Tls::new().map_err(|source| ServeError::Tls {
        device: "the fleet".to_owned(),
        source,
    })?);
    let (stop, stopped) = watch::channel(false);
    let mut served = Served {
        endpoints: BTreeMap::new(),
        control: None,
        stop,
        tasks: JoinSet::new(),
    };
    for (index, name) in fleet.names().iter().enumerate() {
        let address = place(&fleet, &options, index, name)?;
        let (listener, address) = listen(address, name).await?;
        served.endpoints.insert(name.clone(), address);
        let door = Door::new(fleet.clone(), name, address.ip(), tls.clone());
        served.tasks.spawn(door.keep(listener, stopped.clone()));
    }
    if options.control {
        let port = match options.control_port {
            Some(port) => port,
            None if options.own_addresses => 0,
            None => port(&options, devices, devices)?,
        };
        let address = SocketAddr::new(options.address, port);
        let (listener, address) = listen(address, "the control port").await?;
        served.control = Some(address);
        served.tasks.spawn(control_port::run(
            fleet,
            served.endpoints.clone(),
            listener,
            stopped,
        ));
    }
    Ok(served)
}

/// Raises the limit of open files as far as the system lets it, and sees whether that is enough.
fn enough_files(devices: usize) -> Result<(), ServeError> {
    let needed = u64::try_from(devices)
        .unwrap_or(u64::MAX)
        .saturating_add(SPARE_FILES);
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(allowed) if allowed < needed => Err(ServeError::Files { needed, allowed }),
        Ok(_) => Ok(()),
        Err(error) => {
            // Opening the ports will show whether there are enough.
            tracing::debug!(%error, "the limit of open files cannot be read");
            Ok(())
        }
    }
}

/// Where a device is to listen.
fn place(
    fleet: &Fleet,
    options: &ServeOptions,
    index: usize,
    device: &str,
) -> Result<SocketAddr, ServeError> {
    if !options.own_addresses {
        let port = port(options, index, fleet.names().len())?;
        return Ok(SocketAddr::new(options.address, port));
    }
    let own = fleet.look(device, |site, index| site.devices[index].address);
    let address = own.map_or(options.address, IpAddr::from);
    if !address.is_loopback() {
        let device = device.to_owned();
        return Err(ServeError::Address { device, address });
    }
    Ok(SocketAddr::new(address, options.first_port))
}

/// The port that lies `index` after the first.
fn port(options: &ServeOptions, index: usize, devices: usize) -> Result<u16, ServeError> {
    let port = match options.first_port {
        0 => Some(0),
        first => u16::try_from(index)
            .ok()
            .and_then(|index| first.checked_add(index)),
    };
    port.ok_or(ServeError::Ports {
        first_port: options.first_port,
        devices,
    })
}

async fn listen(address: SocketAddr, whom: &str) -> Result<(TcpListener, SocketAddr), ServeError> {
    let wrong = |source| ServeError::Listen {
        address,
        whom: whom.to_owned(),
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    Ok((listener, address))
}
