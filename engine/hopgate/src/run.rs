//! Running a campaign in this process: prepare the plan, then everything that has to live while it runs.
//!
//! Used by `run`, `resume` and `demo` alike. Puts parts together; decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hopgate_core::names::{CampaignId, DeviceId};
use hopgate_core::plan::Plan;
use hopgate_paths::Catalogue;
use tokio::sync::{mpsc, watch};

use crate::api::{self, Desk};
use crate::audit::beside;
use crate::audit::schedule::{Home, Schedule};
use crate::catalogue;
use crate::checks::{self, Asked, ChecksError, Hashed};
use crate::clock::{self, Clock};
use crate::config;
use crate::config::campaign::{CampaignFile, PagerText};
use crate::config::credentials::CredentialsError;
use crate::config::inventory::Inventory;
use crate::connect::{Connections, connect};
use crate::driver::Checks;
use crate::failure::Failure;
use crate::fleet::{Command, Ending, Fleet, News, Setting, enrol};
use crate::pager::pagerduty::{EVENTS_URL, PagerDuty};
use crate::pager::{Channel, Pager, Stop};
use crate::planner::{self, PlannerError};
use crate::progress::About;
use crate::signals::StopRequests;
use crate::state::{Launch, State};

/// How long the end of a run waits for pages to be accepted, in real time. What is left stays in the outbox and goes out
/// with the next start.
const PAGES_AT_THE_END: Duration = Duration::from_secs(30);

/// A campaign, ready to run.
pub struct Prepared {
    /// The recorded plan.
    pub plan: Plan,
    /// Civil time.
    pub clock: Clock,
    connections: Connections,
    checks: Arc<Checks>,
    channels: Vec<Arc<dyn Channel>>,
    audits: Option<Arc<Schedule>>,
    labels: BTreeMap<DeviceId, BTreeMap<String, String>>,
}

impl Prepared {
    /// What progress shows beside each device.
    pub fn about(&self) -> BTreeMap<DeviceId, About> {
        let devices = self.plan.devices.iter();
        devices
            .map(|(id, planned)| {
                let releases = planned.route.hops.iter().map(|hop| hop.to.to_string()).collect();
                (
                    id.clone(),
                    About {
                        model: planned.model.clone(),
                        releases,
                    },
                )
            })
            .collect()
    }

    /// The inventory's labels.
    pub fn labels(&self) -> &BTreeMap<DeviceId, BTreeMap<String, String>> {
        &self.labels
    }

    /// The clients.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }
}

/// Reads and checks every file that a campaign is written in, and touches nothing else: a mistake in one of them is told
/// before a state directory is made or a device is asked.
pub fn check_files(campaign_file: &Path) -> Result<(), Failure> {
    let file = CampaignFile::load(campaign_file)?;
    let inventory = Inventory::load(&file.inventory_path(campaign_file))?;
    let base = campaign_file.parent().unwrap_or(Path::new(""));
    let catalogue = catalogue::load(&file.catalogue, base)?;
    load_checks(&file, base, &catalogue)?;
    planner::known_advisories(&file, &catalogue)?;
    planner::waves(&file, &inventory).map_err(|error| in_its_place(error, &file, campaign_file))?;
    channels(file.pager.as_ref())?;
    audits(&file, base)?;
    Ok(())
}

/// A wave's unknown device, with the line of the campaign file that names it.
fn in_its_place(error: PlannerError, file: &CampaignFile, campaign_file: &Path) -> Failure {
    let PlannerError::NotInInventory {
        wave,
        device,
        nearest,
    } = &error
    else {
        return error.into();
    };
    let index = file
        .waves
        .iter()
        .position(|known| known.name == *wave)
        .unwrap_or(0);
    let nearest = nearest.as_ref();
    let nearest = nearest.map_or_else(String::new, |near| format!("; the nearest is {near}"));
    let text = format!("{device} of wave {wave} is not in the inventory{nearest}");
    // It was read a moment ago; without it the complaint is the same, less its line.
    let written = std::fs::read_to_string(campaign_file).unwrap_or_default();
    config::meaning(campaign_file, format!("waves[{index}].devices"), text)
        .located_in(&written)
        .into()
}

/// Reads the files, asks the devices, makes the plan and records it. A campaign that is recorded already keeps the paths of
/// its devices; what else changed in its file becomes a new plan, which needs new approvals.
pub async fn prepare(state: &State, campaign_file: &Path) -> Result<Prepared, Failure> {
    let file = CampaignFile::load(campaign_file)?;
    let inventory_path = file.inventory_path(campaign_file);
    let inventory = Inventory::load(&inventory_path)?;
    let base = campaign_file.parent().unwrap_or(Path::new(""));
    let catalogue = catalogue::load(&file.catalogue, base)?;
    let (before, after) = load_checks(&file, base, &catalogue)?;
    let clock = inventory.clock();
    let connections = connect(&inventory, &inventory_path, state.ledger())?;
    let plan = make_plan(
        state,
        campaign_file,
        &file,
        &inventory,
        &connections,
        (&catalogue, &before, &after),
    )
    .await?;
    connections.record_first_use(state.ledger(), clock.now()).await?;
    enrol(state.ledger(), clock.now(), &plan).await?;
    let launch = Launch {
        campaign_file: absolute(campaign_file),
    };
    state.note_launch(&plan.campaign, &launch).map_err(|source| {
        Failure::new(
            "C001",
            "check the state directory",
            std::io::Error::other(format!("failed to note the launch: {source}")),
        )
    })?;
    let checks = Checks {
        before: asked(before),
        after: asked(after),
        catalogue,
        accepted: plan.accepted.clone(),
    };
    Ok(Prepared {
        plan,
        clock,
        connections,
        checks: Arc::new(checks),
        channels: channels(file.pager.as_ref())?,
        audits: audits(&file, base)?.map(Arc::new),
        labels: inventory
            .devices
            .into_iter()
            .map(|entry| (entry.name, entry.labels))
            .collect(),
    })
}

async fn make_plan(
    state: &State,
    path: &Path,
    file: &CampaignFile,
    inventory: &Inventory,
    connections: &Connections,
    (catalogue, before, after): (&Catalogue, &[Hashed], &[Hashed]),
) -> Result<Plan, Failure> {
    let recorded = state
        .ledger()
        .campaign(&file.campaign)?
        .map(|(campaign, _)| campaign.plan().clone());
    let known = |device: &DeviceId| {
        recorded
            .as_ref()
            .is_some_and(|plan| plan.devices.contains_key(device))
    };
    let wanted: BTreeSet<DeviceId> = planner::waves(file, inventory)?
        .into_iter()
        .flat_map(|wave| wave.devices)
        .filter(|device| !known(device))
        .collect();
    let systems = planner::read_systems(&connections.clients, &wanted).await?;
    Ok(planner::plan(
        file,
        path,
        inventory,
        &systems,
        catalogue,
        (before, after),
        recorded.as_ref(),
    )?)
}

/// What is asked before and after a hop. Advisories look ahead, and differences back: each has its side.
fn load_checks(
    file: &CampaignFile,
    base: &Path,
    catalogue: &Catalogue,
) -> Result<(Vec<Hashed>, Vec<Hashed>), Failure> {
    let before = checks::load_all(&file.checks.before, base, catalogue)?;
    let after = checks::load_all(&file.checks.after, base, catalogue)?;
    if before
        .iter()
        .any(|check| matches!(check.asked, Asked::Differences(_)))
    {
        return Err(ChecksError::DifferencesBefore.into());
    }
    if after.iter().any(|check| matches!(check.asked, Asked::Advisories)) {
        return Err(ChecksError::AdvisoriesAfter.into());
    }
    checks::one_of_each_name(&before)?;
    checks::one_of_each_name(&after)?;
    Ok((before, after))
}

/// The audits that are kept beside the campaign.
fn audits(file: &CampaignFile, base: &Path) -> Result<Option<Schedule>, Failure> {
    let path = file.audits.as_ref();
    path.map(|path| Schedule::load(&base.join(path))).transpose()
}

fn asked(hashed: Vec<Hashed>) -> Vec<Asked> {
    hashed.into_iter().map(|hashed| hashed.asked).collect()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The ways to reach a person, as they are written in a file.
pub(crate) fn channels(pager: Option<&PagerText>) -> Result<Vec<Arc<dyn Channel>>, Failure> {
    let Some(PagerText::Pagerduty {
        url,
        routing_key_from,
    }) = pager
    else {
        return Ok(Vec::new());
    };
    let no_key = |error: CredentialsError| {
        Failure::new("C005", "set the variable or write the file that it names", error)
    };
    let routing_key = routing_key_from.text().map_err(no_key)?;
    let url = url.clone().unwrap_or_else(|| EVENTS_URL.to_owned());
    let channel = PagerDuty::new(url, routing_key)
        .map_err(|error| Failure::new("C003", "check the pager's address", error))?;
    Ok(vec![Arc::new(channel)])
}

/// What happens around a run that its caller wants to hear of.
pub trait Audience {
    /// Something was recorded.
    fn hear(&mut self, news: &News);

    /// The operator asked once to stop; these devices are still under way.
    fn stopping(&mut self, under_way: &[DeviceId]);

    /// Hands over the way to send commands, before anything runs.
    fn take_commands(&mut self, commands: mpsc::UnboundedSender<Command>);
}

/// How a run ended for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnding {
    /// By the campaign's rules.
    Campaign(Ending),
    /// At once, because the operator asked twice.
    Interrupted,
}

/// Runs a prepared campaign to its end, with its pager and its control port. `first` is given to it before anything else.
pub async fn run(
    state: &State,
    prepared: &Prepared,
    first: Vec<Command>,
    audience: &mut dyn Audience,
) -> Result<RunEnding, Failure> {
    let campaign: CampaignId = prepared.plan.campaign.clone();
    let (send, mut commands) = mpsc::unbounded_channel();
    for command in first {
        // The receiver is right here.
        let _ = send.send(command);
    }
    audience.take_commands(send.clone());
    let desk = Desk {
        ledger: state.ledger().clone(),
        clock: prepared.clock.clone(),
        campaign: campaign.clone(),
        labels: prepared.labels.clone(),
        commands: send.clone(),
    };
    let serving = api::serve(state.dir(), desk).await?;
    let (stop_pager, pager_stops) = watch::channel(Stop::Run);
    let pager = Pager::new(
        state.ledger().clone(),
        prepared.clock.clone(),
        prepared.channels.clone(),
        campaign.clone(),
    );
    let pager = tokio::spawn(pager.run(pager_stops));
    let (news, mut heard) = mpsc::unbounded_channel();
    let setting = Setting {
        ledger: state.ledger().clone(),
        clock: prepared.clock.clone(),
        clients: prepared.connections.clients.clone(),
        checks: Arc::clone(&prepared.checks),
        end_at_gate: false,
    };
    let beside = beside::Campaign::new(campaign.clone(), &prepared.plan, &prepared.connections);
    let told = news.clone();
    let fleet = Fleet::begin(&campaign, setting, news)?;
    let audits = keep_audits(state, prepared, beside.clone(), told);
    let ending = follow(fleet, &mut commands, &mut heard, &send, audience, &beside).await;
    if let Some(audits) = audits {
        // One that is under way is not recorded, which the history shows as a run less.
        audits.abort();
    }
    let ending = ending?;
    drop(serving);
    if ending == RunEnding::Interrupted {
        pager.abort();
        return Ok(ending);
    }
    // The receiver ends with the task, which then has nothing to be told.
    let _ = stop_pager.send(Stop::WhenEmpty);
    if clock::within(PAGES_AT_THE_END, pager).await.is_none() {
        tracing::warn!("some pages were not accepted yet; they go out with the next start");
    }
    Ok(ending)
}

/// Audits of the campaign's schedule, as a task of their own: judging a large estate must not hold up a look at a device
/// that restarts.
fn keep_audits(
    state: &State,
    prepared: &Prepared,
    campaign: beside::Campaign,
    news: mpsc::UnboundedSender<News>,
) -> Option<tokio::task::JoinHandle<()>> {
    let schedule = Arc::clone(prepared.audits.as_ref()?);
    let home = Home::Engine {
        ledger: state.ledger().clone(),
        campaign,
    };
    let clock = prepared.clock.clone();
    Some(tokio::spawn(async move {
        // Nobody hears it any more once the campaign has ended.
        let say = |told: &str| drop(news.send(News::Audit(clock.now(), told.to_owned())));
        schedule.keep(&home, &say).await;
    }))
}

async fn follow(
    fleet: Fleet,
    commands: &mut mpsc::UnboundedReceiver<Command>,
    heard: &mut mpsc::UnboundedReceiver<News>,
    send: &mpsc::UnboundedSender<Command>,
    audience: &mut dyn Audience,
    beside: &beside::Campaign,
) -> Result<RunEnding, Failure> {
    let mut under_way: BTreeSet<DeviceId> = BTreeSet::new();
    let mut stop_requests = StopRequests::listen();
    let mut stops = 0;
    let mut running = Box::pin(fleet.run(commands));
    let ending = loop {
        tokio::select! {
            biased;
            Some(news) = heard.recv() => {
                note_under_way(&mut under_way, beside, &news);
                audience.hear(&news);
            }
            ended = &mut running => break ended?,
            () = stop_requests.next() => {
                stops += 1;
                if stops > 1 {
                    return Ok(RunEnding::Interrupted);
                }
                let devices: Vec<DeviceId> = under_way.iter().cloned().collect();
                audience.stopping(&devices);
                // A loop that is gone has ended, which the next turn of this one sees.
                let _ = send.send(Command::Stop { because: "the operator stopped hopgate".to_owned() });
            }
        }
    };
    drop(running);
    while let Ok(news) = heard.try_recv() {
        audience.hear(&news);
    }
    Ok(RunEnding::Campaign(ending))
}

fn note_under_way(under_way: &mut BTreeSet<DeviceId>, beside: &beside::Campaign, news: &News) {
    if let News::Device(report) = news {
        let works = report.standing.work == hopgate_core::device::Work::Working;
        beside.note(&report.device, works);
        if works {
            under_way.insert(report.device.clone());
        } else {
            under_way.remove(&report.device);
        }
    }
}
