//! What end-to-end tests share: a simulated fleet, a campaign over it, and the simulator's own word on what happened.
//!
//! The only place that sees both sides. [`World::toll`] says what was done to each device, [`World::breaches`] what of it
//! breaks the rules that hold everywhere.

#![expect(
    clippy::expect_used,
    reason = "all of this is part of tests, which fail by panicking"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use hopgate::checks::{self, Hashed};
use hopgate::clock::{self, Clock};
use hopgate::config::campaign::CampaignFile;
use hopgate::config::check::CheckText;
use hopgate::config::inventory::{Entry, Inventory};
use hopgate::driver::Checks;
use hopgate::fleet::{Command, Ending, Fleet as Running, FleetError, News, Setting, enrol};
use hopgate::in_process::InProcess;
use hopgate::journal::Journal;
use hopgate::journal::blobs::Blobs;
use hopgate::ledger::{Dated, Ledger, campaign_stream, device_stream};
use hopgate::planner;
use hopgate_core::campaign::CampaignEvent;
use hopgate_core::device::{Device, Event};
use hopgate_core::incident::Incident;
use hopgate_core::names::{CampaignId, DeviceId};
use hopgate_core::plan::Plan;
use hopgate_core::waiting::Hold;
use hopgate_panos::{Client, Credentials, Secret, Transport};
use hopgate_paths::Catalogue;
use jiff::{SignedDuration, Timestamp};
use panos_simulator::{ControlRequest, Fleet, FleetSpec, Lasts, NetworkFault, SimClock};
use tokio::sync::mpsc;

pub mod lingering;
pub mod receiver;
pub mod secrets;
pub mod session;
pub mod tripwire;

use lingering::Lingering;
use session::Session;

/// When every simulated world begins.
pub const EPOCH: &str = "2026-03-07T22:00:00Z";

/// Longest time in which no member of a pair may forward packets: the promotion hold of two seconds, twice over where the
/// role moves there and back within one look, and some room.
const LONGEST_GAP_SECONDS: f64 = 8.0;

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
    /// The password that clients log in with.
    pub password: String,
    wire: Wire,
    catalogue: Cow<'static, Catalogue>,
    blobs: Arc<Blobs>,
    clients: BTreeMap<DeviceId, Arc<Client>>,
}

/// What becomes of a request whose sender dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// It is lost with its sender.
    Lost,
    /// It was sent, and arrives all the same.
    Arrives,
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
    /// Boots that followed them, by the release that booted.
    pub booted: BTreeMap<String, u64>,
}

impl World {
    /// A world from the texts of a fleet file and a campaign file, over `journal`.
    ///
    /// # Panics
    /// Where a text is wrong: it is the test's own.
    pub fn new(fleet: &str, campaign: &str, journal: Arc<dyn Journal>) -> World {
        World::wired(fleet, campaign, journal, Wire::Lost)
    }

    /// As [`World::new`], and what becomes of requests whose sender dies.
    ///
    /// # Panics
    /// Where a text is wrong: it is the test's own.
    pub fn wired(fleet: &str, campaign: &str, journal: Arc<dyn Journal>, wire: Wire) -> World {
        let epoch: Timestamp = EPOCH.parse().expect("the epoch is an instant");
        let spec = FleetSpec::parse("fleet.yaml", fleet).unwrap_or_else(|error| panic!("{error}"));
        let pairs: Vec<(String, String)> = spec
            .pairs
            .iter()
            .map(|pair| (pair.members[0].clone(), pair.members[1].clone()))
            .collect();
        let password = spec.credentials.password.clone();
        let clock = Clock::of_runtime(epoch);
        let fleet = Fleet::new(spec, SimClock::new(epoch, 1.0)).unwrap_or_else(|error| panic!("{error}"));
        let inventory = inventory_of(&fleet, &pairs);
        let state = tempdir::Dir::new();
        let blobs = Arc::new(Blobs::open(state.path()).unwrap_or_else(|error| panic!("{error}")));
        let clients = clients_of(&fleet, wire, &password);
        World {
            fleet,
            clock,
            file: campaign_file(campaign),
            catalogue: shipped(),
            inventory,
            ledger: Ledger::new(journal, Arc::clone(&blobs)),
            state,
            password,
            wire,
            blobs,
            clients,
        }
    }

    /// The engine's process died and is started again over `journal`: nothing of it is left but what was durable.
    pub fn restart(&mut self, journal: Arc<dyn Journal>) {
        self.ledger = Ledger::new(journal, Arc::clone(&self.blobs));
        self.clients = clients_of(&self.fleet, self.wire, &self.password);
    }

    /// Another text of the campaign file, for the next [`World::enrol`].
    ///
    /// # Panics
    /// Where it is wrong.
    pub fn rewrite(&mut self, campaign: &str) {
        self.file = campaign_file(campaign);
    }

    /// Rows of the operator's own, for the next [`World::enrol`].
    ///
    /// # Panics
    /// Where they are wrong.
    pub fn lay_over(&mut self, rows: &str) {
        let overlaid = shipped().overlaid(&[("ours.toml", rows)]);
        self.catalogue = Cow::Owned(overlaid.unwrap_or_else(|error| panic!("{error}")));
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
        let load = |asked: &[CheckText]| {
            checks::load_all(asked, Path::new(""), &self.catalogue).unwrap_or_else(|error| panic!("{error}"))
        };
        (load(&self.file.checks.before), load(&self.file.checks.after))
    }

    /// Reads the devices that are not recorded yet and makes the plan.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn plan(&self) -> Plan {
        let (before, after) = self.playbooks();
        let recorded = self.recorded();
        let known = |device: &&DeviceId| {
            recorded
                .as_ref()
                .is_some_and(|plan| plan.devices.contains_key(*device))
        };
        let wanted: BTreeSet<DeviceId> = self
            .clients
            .keys()
            .filter(|device| !known(device))
            .cloned()
            .collect();
        let systems = planner::read_systems(&self.clients, &wanted)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let path = Path::new("campaign.yaml");
        let recorded = recorded.as_ref();
        planner::plan(
            &self.file,
            path,
            &self.inventory,
            &systems,
            &self.catalogue,
            (&before, &after),
            recorded,
        )
        .unwrap_or_else(|error| {
            panic!(
                "{error}: {:?}",
                std::error::Error::source(&error).map(ToString::to_string)
            )
        })
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
            before: before.into_iter().map(|hashed| hashed.asked).collect(),
            after: after.into_iter().map(|hashed| hashed.asked).collect(),
            catalogue: self.catalogue.clone(),
            accepted: self.file.accepted(Path::new("campaign.yaml")).unwrap_or_default(),
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
        let ended = clock::within(session::STUCK_AFTER, running.run(&mut receive)).await;
        ended
            .expect("the run is stuck: it neither ends nor does anything")
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// A run of the enrolled campaign, started, that a test talks to.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(&self, end_at_gate: bool) -> Session {
        let (running, news) = self.begin(end_at_gate).unwrap_or_else(|error| panic!("{error}"));
        Session::start(running, news)
    }

    /// What was done to every device.
    ///
    /// # Panics
    /// Where the simulator does not know one of its own.
    pub fn toll(&self) -> BTreeMap<String, Toll> {
        let by_name = |counts: &BTreeMap<panos_simulator::Version, u64>| {
            counts
                .iter()
                .map(|(version, count)| (version.to_string(), *count))
                .collect()
        };
        let devices = self.fleet.devices();
        devices
            .iter()
            .map(|device| {
                let counters = self.fleet.counters(&device.name).expect("the device exists");
                let state = self.fleet.state(&device.name).expect("the device exists");
                let toll = Toll {
                    version: state.version.to_string(),
                    installs: by_name(&counters.installs_started),
                    reboots: counters.reboots_requested,
                    booted: by_name(&counters.reboots_by_version),
                };
                (device.name.clone(), toll)
            })
            .collect()
    }

    /// What was done that must never be done, by the simulator's counters: a second install or reboot for a hop, an install
    /// or a reboot of nothing that the plan holds, both members of a pair out by request, traffic interrupted for longer
    /// than a failover needs. Empty where all is well, also in the middle of a campaign.
    ///
    /// # Panics
    /// Where the journal cannot be read.
    pub fn breaches(&self) -> Vec<String> {
        let mut breaches = Vec::new();
        let plan = self.recorded();
        for (name, toll) in self.toll() {
            let device: DeviceId = name.parse().expect("a device name");
            let hops: Vec<String> = plan
                .as_ref()
                .and_then(|plan| plan.devices.get(&device))
                .map(|planned| planned.route.hops.iter().map(|hop| hop.to.to_string()).collect())
                .unwrap_or_default();
            for (what, counts) in [("installed", &toll.installs), ("booted into", &toll.booted)] {
                for (version, count) in counts {
                    if *count > 1 {
                        breaches.push(format!("{name} {what} {version} {count} times"));
                    }
                    if !hops.contains(version) {
                        breaches.push(format!("{name} {what} {version}, which is no hop of its"));
                    }
                }
            }
            let reached = hops.iter().take_while(|to| toll.booted.contains_key(*to)).count() as u64;
            if toll.reboots > (reached + 1).min(hops.len() as u64) {
                breaches.push(format!("{name}: {} reboots for {reached} hops", toll.reboots));
            }
        }
        for pair in self.fleet.pairs() {
            let report = self.fleet.pair_report(&pair).expect("the pair exists");
            if report.both_out_of_service_by_request > 0 {
                breaches.push(format!("{pair}: both members out by request"));
            }
            if report.longest_gap_seconds > LONGEST_GAP_SECONDS {
                breaches.push(format!(
                    "{pair}: nobody served for {:.0} s",
                    report.longest_gap_seconds
                ));
            }
        }
        breaches
    }

    /// Panics unless every device did every hop of the plan: one install, one reboot, one boot each, and nothing besides.
    ///
    /// # Panics
    /// As it says.
    pub fn assert_all_done_once(&self, context: &str) {
        assert_eq!(self.breaches(), Vec::<String>::new(), "{context}");
        let plan = self.recorded_plan();
        for (name, toll) in self.toll() {
            let device: DeviceId = name.parse().expect("a device name");
            let Some(planned) = plan.devices.get(&device) else {
                continue;
            };
            let once: BTreeMap<String, u64> = planned
                .route
                .hops
                .iter()
                .map(|hop| (hop.to.to_string(), 1))
                .collect();
            let expected = Toll {
                version: planned.route.to.to_string(),
                reboots: once.len() as u64,
                booted: once.clone(),
                installs: once,
            };
            assert_eq!(toll, expected, "{context}: {name}");
        }
        for pair in self.fleet.pairs() {
            for device in self.fleet.devices() {
                if device.pair.as_deref() == Some(pair.as_str()) {
                    let ha = self.fleet.state(&device.name).and_then(|state| state.ha);
                    let state = ha.expect("a member has an HA state").state;
                    let in_pair = matches!(
                        state,
                        panos_simulator::HaState::Active | panos_simulator::HaState::Passive
                    );
                    assert!(in_pair, "{context}: {} is left {state:?}", device.name);
                }
            }
        }
    }

    /// Panics unless every stream of the campaign replays.
    ///
    /// # Panics
    /// As it says.
    pub fn assert_journal_folds(&self, context: &str) {
        let plan = self.recorded_plan();
        for device in plan.devices.keys() {
            let folded = self.ledger.device(&self.id(), device);
            assert!(matches!(folded, Ok(Some(_))), "{context}: {device}: {folded:?}");
        }
    }

    /// The plan as recorded, where there is one.
    ///
    /// # Panics
    /// Where the journal cannot be read.
    pub fn recorded(&self) -> Option<Plan> {
        let recorded = self
            .ledger
            .campaign(&self.id())
            .unwrap_or_else(|error| panic!("{error}"));
        recorded.map(|(campaign, _)| campaign.plan().clone())
    }

    /// The plan as recorded.
    ///
    /// # Panics
    /// Where there is none.
    pub fn recorded_plan(&self) -> Plan {
        self.recorded().expect("the campaign is recorded")
    }

    /// A device as its stream says.
    ///
    /// # Panics
    /// Where there is none.
    pub fn device(&self, name: &str) -> Device {
        let device = name.parse().expect("a device name");
        let folded = self.ledger.device(&self.id(), &device);
        let (device, _) = folded
            .unwrap_or_else(|error| panic!("{error}"))
            .expect("the device is recorded");
        device
    }

    /// Everything that was recorded of a device.
    ///
    /// # Panics
    /// Where its stream cannot be read.
    pub fn events(&self, name: &str) -> Vec<Dated<Event>> {
        let device = name.parse().expect("a device name");
        let stream = device_stream(&self.id(), &device).expect("a stream name");
        self.ledger
            .read(&stream)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// What was recorded of a device, in the words people read, without the instants.
    pub fn told(&self, name: &str) -> Vec<String> {
        let events = self.events(name);
        events.iter().map(|dated| dated.event.to_string()).collect()
    }

    /// Everything that was recorded of the campaign.
    ///
    /// # Panics
    /// Where its stream cannot be read.
    pub fn campaign_events(&self) -> Vec<Dated<CampaignEvent>> {
        let stream = campaign_stream(&self.id()).expect("a stream name");
        self.ledger
            .read(&stream)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The incidents that were opened, oldest first.
    pub fn incidents(&self) -> Vec<Incident> {
        let events = self.campaign_events().into_iter();
        events
            .filter_map(|dated| match dated.event {
                CampaignEvent::IncidentOpened(incident) => Some(*incident),
                _ => None,
            })
            .collect()
    }

    /// Why a device waits, by the rules.
    ///
    /// # Panics
    /// Where the journal cannot be read.
    pub fn hold(&self, name: &str) -> Option<Hold> {
        let now = self.clock.now();
        let (campaign, _) = hopgate::why::campaign_with_standings(&self.ledger, &self.id(), now)
            .unwrap_or_else(|error| panic!("{error}"))
            .expect("the campaign is recorded");
        campaign.why(&name.parse().expect("a device name"), now)
    }

    /// Does something to a device behind its API's back.
    ///
    /// # Panics
    /// Where the simulator refuses.
    pub fn control(&self, request: ControlRequest) {
        self.fleet
            .control(request)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// Makes the next requests for one operation go wrong on the way to or from a device.
    pub fn inject(&self, device: &str, operation: &str, fault: NetworkFault, requests: u32) {
        self.control(ControlRequest::Inject {
            device: device.to_owned(),
            fault,
            lasts: Lasts::Requests(requests),
            operation: Some(operation.to_owned()),
            changing_only: false,
        });
    }

    /// Lets virtual time pass.
    pub async fn wait_minutes(&self, minutes: i64) {
        self.clock.sleep(SignedDuration::from_mins(minutes)).await;
    }
}

fn campaign_file(text: &str) -> CampaignFile {
    hopgate::config::parse(Path::new("campaign.yaml"), text).unwrap_or_else(|error| panic!("{error}"))
}

/// The catalogue that hopgate ships.
///
/// # Panics
/// Where it is broken.
pub fn shipped() -> Cow<'static, Catalogue> {
    Cow::Borrowed(Catalogue::embedded().unwrap_or_else(|error| panic!("{error}")))
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
            serial: None,
            peer: peer(&device.name).map(|peer| peer.parse().expect("a device name")),
            labels: device.labels.clone(),
            credentials: None,
            trust: None,
        })
        .collect();
    Inventory {
        simulated_clock: None,
        defaults: hopgate::config::inventory::Defaults::default(),
        groups: hopgate::config::selector::Groups::default(),
        devices,
    }
}

/// A client for every device of a simulated fleet in this process.
///
/// # Panics
/// Where a name of the fleet is not a name here.
pub fn clients_of(fleet: &Arc<Fleet>, wire: Wire, password: &str) -> BTreeMap<DeviceId, Arc<Client>> {
    let devices = fleet.devices();
    devices
        .iter()
        .map(|device| {
            let direct = InProcess::new(Arc::clone(fleet), device.name.clone());
            let transport: Arc<dyn Transport> = match wire {
                Wire::Lost => Arc::new(direct),
                Wire::Arrives => Arc::new(Lingering::new(direct)),
            };
            let credentials = Credentials::Login {
                user: "admin".to_owned(),
                password: Secret::new(password),
            };
            let client = Client::new(device.name.clone(), transport, credentials)
                .pausing_by(|span| Box::pin(clock::pause(span)));
            (device.name.parse().expect("a device name"), Arc::new(client))
        })
        .collect()
}
