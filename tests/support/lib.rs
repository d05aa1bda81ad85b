//! What end-to-end tests share: a simulated fleet, a campaign over it, and the simulator's own word on what happened.
//!
//! The only place that sees both sides. It asserts nothing by itself; [`World::toll`] says what was done to each device.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use hopgate::checks::{self, Hashed};
use hopgate::clock::Clock;
use hopgate::config::campaign::CampaignFile;
use hopgate::config::inventory::{Entry, Inventory};
use hopgate::driver::Checks;
use hopgate::fleet::{Command, Ending, Fleet as Running, FleetError, News, Setting, enrol};
use hopgate::in_process::InProcess;
use hopgate::journal::Journal;
use hopgate::journal::blobs::Blobs;
use hopgate::ledger::Ledger;
use hopgate::planner;
use hopgate_core::names::{CampaignId, DeviceId};
use hopgate_core::plan::Plan;
use hopgate_panos::{Client, Credentials, Secret};
use jiff::Timestamp;
use panos_simulator::{Fleet, FleetSpec, SimClock};
use tokio::sync::mpsc;

/// When every simulated world begins.
pub const EPOCH: &str = "2026-03-07T22:00:00Z";

/// A simulated fleet and a campaign over it, in this process and on the runtime's (virtual) time.
pub struct World {
    /// The fleet.
    pub fleet: Arc<Fleet>,
    /// The engine's clock.
    pub clock: Clock,
    /// The campaign as written.
    pub file: CampaignFile,
    /// The inventory.
    pub inventory: Inventory,
    /// The journal and documents.
    pub ledger: Ledger,
    /// Where documents are.
    pub state: tempdir::Dir,
    clients: BTreeMap<DeviceId, Arc<Client>>,
}

pub mod process;

pub mod tempdir {
    //! A directory that goes with its owner.

    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNTER: AtomicU64 = AtomicU64::new(0);

    /// Removed, with all in it, when dropped.
    #[derive(Debug)]
    pub struct Dir(PathBuf);

    impl Dir {
        /// A new empty directory under the system's temporary one.
        ///
        /// # Panics
        /// Where it cannot be made.
        pub fn new() -> Dir {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("hopgate-test-{}-{number}", std::process::id()));
            std::fs::create_dir_all(&path).expect("the temporary directory can be written");
            Dir(path)
        }

        /// Where it is.
        pub fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Default for Dir {
        fn default() -> Self {
            Dir::new()
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            // Left behind, it is only litter in a temporary directory.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// What was done to a device, by the simulator's own counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toll {
    /// The release that runs.
    pub version: String,
    /// Installs started, by release.
    pub installs: BTreeMap<String, u64>,
    /// Reboots that were asked for.
    pub reboots: u64,
}

impl World {
    /// A world from the texts of a fleet file and a campaign file, over `journal`.
    ///
    /// # Panics
    /// Where a text is wrong: it is the test's own.
    pub fn new(fleet: &str, campaign: &str, journal: Arc<dyn Journal>) -> World {
        let epoch: Timestamp = EPOCH.parse().expect("the epoch is an instant");
        let spec = FleetSpec::parse("fleet.yaml", fleet).unwrap_or_else(|error| panic!("{error}"));
        let pairs: Vec<(String, String)> = spec
            .pairs
            .iter()
            .map(|pair| (pair.members[0].clone(), pair.members[1].clone()))
            .collect();
        let clock = Clock::of_runtime(epoch);
        let fleet = Fleet::new(spec, SimClock::new(epoch, 1.0)).unwrap_or_else(|error| panic!("{error}"));
        let inventory = inventory_of(&fleet, &pairs);
        let file: CampaignFile = hopgate::config::parse(Path::new("campaign.yaml"), campaign)
            .unwrap_or_else(|error| panic!("{error}"));
        let state = tempdir::Dir::new();
        let blobs = Arc::new(Blobs::open(state.path()).unwrap_or_else(|error| panic!("{error}")));
        let clients = clients_of(&fleet);
        World {
            fleet,
            clock,
            file,
            inventory,
            ledger: Ledger::new(journal, blobs),
            state,
            clients,
        }
    }

    /// The campaign's name.
    pub fn id(&self) -> CampaignId {
        self.file.campaign.clone()
    }

    /// Playbooks before and after, as the campaign names them.
    ///
    /// # Panics
    /// Where a playbook cannot be loaded.
    pub fn playbooks(&self) -> (Vec<Hashed>, Vec<Hashed>) {
        let load = |names: &[String]| {
            checks::load_all(names, Path::new("")).unwrap_or_else(|error| panic!("{error}"))
        };
        (load(&self.file.checks.before), load(&self.file.checks.after))
    }

    /// Reads the devices and makes the plan.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn plan(&self) -> Plan {
        let (before, after) = self.playbooks();
        let wanted: BTreeSet<DeviceId> = self.clients.keys().cloned().collect();
        let systems = planner::read_systems(&self.clients, &wanted)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let path = Path::new("campaign.yaml");
        planner::plan(&self.file, path, &self.inventory, &systems, &before, &after, None).unwrap_or_else(
            |error| {
                panic!(
                    "{error}: {:?}",
                    std::error::Error::source(&error).map(ToString::to_string)
                )
            },
        )
    }

    /// Plans and records the campaign.
    ///
    /// # Panics
    /// Where the journal does not take it.
    pub async fn enrol(&self) -> Plan {
        let plan = self.plan().await;
        enrol(&self.ledger, self.clock.now(), &plan)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        plan
    }

    /// A run of the enrolled campaign, not started.
    ///
    /// # Errors
    /// As [`Running::begin`].
    pub fn begin(&self, end_at_gate: bool) -> Result<(Running, mpsc::UnboundedReceiver<News>), FleetError> {
        let (before, after) = self.playbooks();
        let checks = Checks {
            before: before.into_iter().map(|hashed| hashed.playbook).collect(),
            after: after.into_iter().map(|hashed| hashed.playbook).collect(),
        };
        let (news, seen) = mpsc::unbounded_channel();
        let setting = Setting {
            ledger: self.ledger.clone(),
            clock: self.clock.clone(),
            clients: self.clients.clone(),
            checks: Arc::new(checks),
            end_at_gate,
        };
        Ok((Running::begin(&self.id(), setting, news)?, seen))
    }

    /// Runs the enrolled campaign with these commands given at the start.
    ///
    /// # Panics
    /// Where it fails.
    pub async fn run(&self, commands: Vec<Command>) -> Ending {
        let (running, _seen) = self.begin(true).unwrap_or_else(|error| panic!("{error}"));
        let (send, mut receive) = mpsc::unbounded_channel();
        for command in commands {
            send.send(command).expect("the receiver is here");
        }
        running
            .run(&mut receive)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// What was done to every device.
    ///
    /// # Panics
    /// Where the simulator does not know one of its own.
    pub fn toll(&self) -> BTreeMap<String, Toll> {
        let devices = self.fleet.devices();
        devices
            .iter()
            .map(|device| {
                let counters = self.fleet.counters(&device.name).expect("the device exists");
                let state = self.fleet.state(&device.name).expect("the device exists");
                let installs = counters
                    .installs_started
                    .iter()
                    .map(|(version, count)| (version.to_string(), *count))
                    .collect();
                let toll = Toll {
                    version: state.version.to_string(),
                    installs,
                    reboots: counters.reboots_requested,
                };
                (device.name.clone(), toll)
            })
            .collect()
    }
}

/// An inventory of a simulated fleet whose devices are called in this process.
///
/// # Panics
/// Where a name of the fleet is not a name here.
pub fn inventory_of(fleet: &Fleet, pairs: &[(String, String)]) -> Inventory {
    let peer = |name: &str| {
        pairs.iter().find_map(|(a, b)| match () {
            () if a == name => Some(b.clone()),
            () if b == name => Some(a.clone()),
            () => None,
        })
    };
    let devices = fleet
        .devices()
        .iter()
        .map(|device| Entry {
            name: device.name.parse().expect("a device name"),
            address: format!("{}:443", device.name),
            peer: peer(&device.name).map(|peer| peer.parse().expect("a device name")),
            labels: device.labels.clone(),
            credentials: None,
            trust: None,
        })
        .collect();
    Inventory {
        simulated_clock: None,
        defaults: hopgate::config::inventory::Defaults::default(),
        devices,
    }
}

/// A client for every device of a simulated fleet in this process.
///
/// # Panics
/// Where a name of the fleet is not a name here.
pub fn clients_of(fleet: &Arc<Fleet>) -> BTreeMap<DeviceId, Arc<Client>> {
    let devices = fleet.devices();
    devices
        .iter()
        .map(|device| {
            let transport = Arc::new(InProcess::new(Arc::clone(fleet), device.name.clone()));
            let credentials = Credentials::Login {
                user: "admin".to_owned(),
                password: Secret::new("admin"),
            };
            let client = Client::new(device.name.clone(), transport, credentials);
            (device.name.parse().expect("a device name"), Arc::new(client))
        })
        .collect()
}
