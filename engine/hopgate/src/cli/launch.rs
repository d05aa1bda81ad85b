//! The commands that run something: `demo`, `simulate`, `run`, `resume`.

use std::path::{Path, PathBuf};

use hopgate_core::names::{CampaignId, DeviceId, Identity};
use hopgate_core::waiting::Hold;
use tokio::sync::mpsc;

use super::{ServingArgs, SimulateArgs, SimulateCommand, ask, note, say};
use crate::api::Running;
use crate::demo;
use crate::failure::{Exit, Failure};
use crate::fleet::{Command, Ending, News};
use crate::progress::Progress;
use crate::run::{self, Audience, Prepared, RunEnding};
use crate::signals::StopRequests;
use crate::simulate::{self as simulating, roster};
use crate::state::{State, launch_of};

/// The whole story.
pub(super) async fn demo(speed: f64, dir: Option<PathBuf>) -> Result<Exit, Failure> {
    let dir =
        dir.unwrap_or_else(|| std::env::temp_dir().join(format!("hopgate-demo-{}", std::process::id())));
    Box::pin(demo::run(&demo::Options { speed, dir }, &mut |text| say(text))).await?;
    Ok(Exit::Success)
}

/// Serves a fleet until it is interrupted.
pub(super) async fn simulate(args: SimulateArgs) -> Result<Exit, Failure> {
    match (args.twin, args.generate, args.fleet) {
        (Some(SimulateCommand::FromAudit(args)), ..) => {
            let twin = simulating::read_twin(&args.twin, args.seed)?;
            for left_out in &twin.left_out {
                note(&format!("left out: {left_out}"));
            }
            serve(twin.spec, twin.start, args.write_fleet.as_deref(), args.serving).await
        }
        (None, Some(devices), _) => {
            let spec = simulating::generate(devices, args.seed)?;
            serve(spec, Vec::new(), args.write_fleet.as_deref(), args.serving).await
        }
        // The command line has one of them; clap sees to it.
        (None, None, fleet) => {
            let spec = simulating::read_fleet(&fleet.unwrap_or_default())?;
            serve(spec, Vec::new(), None, args.serving).await
        }
    }
}

async fn serve(
    spec: simulating::FleetSpec,
    start: Vec<simulating::ControlRequest>,
    write_fleet: Option<&Path>,
    args: ServingArgs,
) -> Result<Exit, Failure> {
    let addresses = args.address_per_device.map(|net| net.parse());
    let options = simulating::Options {
        speed: args.speed,
        first_port: args.port,
        addresses: addresses
            .transpose()
            .map_err(simulating::SimulateError::Addresses)?,
        control_port: args.control_port,
    };
    if let Some(path) = write_fleet {
        simulating::write_fleet(&spec, path)?;
        note(&format!("fleet: {}", path.display()));
    }
    let simulation = simulating::serve(spec, &options).await?;
    simulating::set_up(&simulation, start)?;
    if !roster::is_live() {
        say(&roster::whole(&simulation));
    }
    if let Some(control) = simulation.served.control {
        say(&format!("control port: http://{control}/"));
    }
    if let Some(path) = args.write_inventory {
        simulating::write_inventory(&simulation.inventory, &path)?;
        note(&format!(
            "inventory: {} (set {} to the fleet's password)",
            path.display(),
            simulating::PASSWORD_VARIABLE
        ));
    }
    let mut stop = StopRequests::listen();
    tokio::select! {
        () = stop.next() => {}
        () = roster::live(&simulation) => {}
    }
    simulation.served.shutdown().await;
    Ok(Exit::Success)
}

/// Runs a campaign file.
pub(super) async fn run(state: &Path, campaign: &Path) -> Result<Exit, Failure> {
    run::check_files(campaign)?;
    let state = State::open(state)?;
    let prepared = run::prepare(&state, campaign).await?;
    go(state, prepared, Vec::new()).await
}

/// Goes on: through the running engine where there is one, by starting one where there is none.
pub(super) async fn resume(
    dir: &Path,
    campaign: Option<CampaignId>,
    by: Identity,
    reason: String,
) -> Result<Exit, Failure> {
    let opened = match ask::access(dir).await? {
        ask::Access::Running(running) => {
            ask::must_run(&running, campaign.as_ref())?;
            return resume_running(&running, &by, &reason).await;
        }
        ask::Access::Own(state) => state,
    };
    let campaign = ask::only_campaign(&opened, campaign)?;
    let launch = launch_of(dir, &campaign).ok_or_else(|| {
        Failure::unknown(
            format!("how {campaign} was launched is not known"),
            "use hopgate run with its campaign file",
        )
    })?;
    let prepared = run::prepare(&opened, &launch.campaign_file).await?;
    go(opened, prepared, vec![Command::Resume { by, reason }]).await
}

async fn resume_running(running: &Running, by: &Identity, reason: &str) -> Result<Exit, Failure> {
    say(&running.resume(by, reason).await?);
    Ok(Exit::Success)
}

async fn go(state: State, prepared: Prepared, first: Vec<Command>) -> Result<Exit, Failure> {
    let mut audience = Terminal {
        progress: Progress::new(prepared.about()),
    };
    let ending = Box::pin(run::run(&state, &prepared, first, &mut audience)).await;
    audience.progress.end();
    let ending = ending?;
    let campaign = &prepared.plan.campaign;
    let exit = match &ending {
        RunEnding::Campaign(Ending::Finished) => Exit::Success,
        RunEnding::Campaign(Ending::Stopped) => {
            note("stopped; everything is at a safe place. hopgate resume goes on");
            Exit::Stopped
        }
        RunEnding::Campaign(Ending::WaitsForPerson(hold)) => {
            note(&attention(campaign, hold));
            Exit::Attention
        }
        RunEnding::Interrupted => {
            note("stopped at once; hopgate resume finds out what is under way before it does anything");
            return Ok(Exit::Interrupted);
        }
    };
    ask::close(state).await;
    Ok(exit)
}

fn attention(campaign: &CampaignId, hold: &Hold) -> String {
    let next = match hold {
        Hold::Approval { wave } => format!("hopgate approve {campaign} {wave} --as NAME --reason TEXT"),
        Hold::WindowTooShort { .. } => "set a new window in the campaign file, then hopgate run".to_owned(),
        _ => "hopgate status, hopgate why DEVICE; then hopgate resume --as NAME --reason TEXT".to_owned(),
    };
    format!("campaign {campaign} needs a person: {hold}\n  next: {next}")
}

struct Terminal {
    progress: Progress,
}

impl Audience for Terminal {
    fn hear(&mut self, news: &News) {
        self.progress.show(news);
    }

    fn stopping(&mut self, under_way: &[DeviceId]) {
        self.progress.stopping(under_way);
    }

    fn take_commands(&mut self, _: mpsc::UnboundedSender<Command>) {}
}
