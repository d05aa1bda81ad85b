//! The commands that run something: `demo`, `simulate`, `run`, `resume`.

use std::path::{Path, PathBuf};

use hopgate_core::names::{CampaignId, DeviceId, Identity};
use hopgate_core::waiting::Hold;
use tokio::sync::mpsc;

use super::{ask, note, say};
use crate::api::Running;
use crate::demo;
use crate::failure::{Exit, Failure};
use crate::fleet::{Command, Ending, News};
use crate::progress::Progress;
use crate::run::{self, Audience, Prepared, RunEnding};
use crate::signals::StopRequests;
use crate::simulate as simulating;
use crate::state::{State, launch_of};

/// The whole story.
pub(super) async fn demo(speed: f64, dir: Option<PathBuf>) -> Result<Exit, Failure> {
    let dir =
        dir.unwrap_or_else(|| std::env::temp_dir().join(format!("hopgate-demo-{}", std::process::id())));
    Box::pin(demo::run(&demo::Options { speed, dir }, &mut |text| say(text))).await?;
    Ok(Exit::Success)
}

/// Serves a fleet until it is interrupted.
pub(super) async fn simulate(
    fleet: &Path,
    speed: f64,
    port: u16,
    write_inventory: Option<&Path>,
) -> Result<Exit, Failure> {
    let simulation = simulating::serve(simulating::read_fleet(fleet)?, speed, port).await?;
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_header(["device", "model", "version", "pair", "address"]);
    for device in simulation.fleet.devices() {
        let address = simulation
            .served
            .endpoints
            .get(&device.name)
            .map(ToString::to_string)
            .unwrap_or_default();
        let pair = device.pair.clone().unwrap_or_default();
        table.add_row([
            device.name.clone(),
            device.model.clone(),
            device.version.to_string(),
            pair,
            address,
        ]);
    }
    say(&table.to_string());
    if let Some(control) = simulation.served.control {
        say(&format!("control port: http://{control}/"));
    }
    if let Some(path) = write_inventory {
        simulating::write_inventory(&simulation.inventory, path)?;
        note(&format!(
            "inventory: {} (set {} to the fleet's password)",
            path.display(),
            simulating::PASSWORD_VARIABLE
        ));
    }
    StopRequests::listen().next().await;
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
