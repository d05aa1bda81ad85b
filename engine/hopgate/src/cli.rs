//! The command line: what each command is called, takes and prints. Data goes to standard output, everything else to
//! standard error; exit statuses are in `failure`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use hopgate_core::names::{CampaignId, DeviceId, Identity, WaveName};
use tracing_subscriber::EnvFilter;

use crate::failure::{Exit, Failure};

mod ask;
mod audit;
mod diff;
mod facts;
mod inventory;
mod launch;
mod path;
mod plan;
mod playbook;

pub use plan::plan_text;

/// Takes fleets of Palo Alto Networks firewalls up the PAN-OS upgrade path: hop by hop, through gates, watching every
/// reboot; stops and pages a person the moment one fails; goes on where it was after a crash.
#[derive(Debug, Parser)]
#[command(
    name = "hopgate",
    version,
    max_term_width = 110,
    after_help = "Example: hopgate demo"
)]
struct Cli {
    /// Directory of the journal and the backups. One process owns it at a time; the others ask that one.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = ".hopgate",
        env = "HOPGATE_STATE"
    )]
    state: PathBuf,
    #[command(subcommand)]
    command: Command,
}

/// The fleet in it is served as it stands by a test.
const SIMULATE_HELP: &str = "\
Example: hopgate simulate fleet.yaml --speed 60 --write-inventory inventory.yaml

A fleet file:
  seed: 1
  epoch: 2026-03-07T19:00:00Z
  credentials: {user: admin, password: admin}
  devices:
    - {name: fw1, model: PA-850, version: 10.1.14-h9, content: 8900-9000}
    - {name: fw2a, model: PA-3220, version: 10.1.14-h9, content: 8900-9000}
    - {name: fw2b, model: PA-3220, version: 10.1.14-h9, content: 8900-9000}
  pairs:
    - {name: fw2, members: [fw2a, fw2b], active: fw2a}";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole story on a simulated fleet: a boot loop, a page, an audit, a resume.
    #[command(after_help = "Example: hopgate demo --speed 900 --dir /tmp/story")]
    Demo(DemoArgs),
    /// Serve a simulated fleet over HTTPS on loopback: from a file, from a seed, or the twin of an audited estate.
    #[command(
        after_help = SIMULATE_HELP,
        args_conflicts_with_subcommands = true,
        subcommand_negates_reqs = true
    )]
    Simulate(SimulateArgs),
    /// Find the upgrade path of a model or of a whole fleet, with what is known against it. Changes nothing.
    #[command(after_help = path::HELP)]
    Path(Box<path::PathArgs>),
    /// Make the plan of a campaign, record it, and print it with its hash.
    #[command(after_help = "Example: hopgate plan campaign.yaml")]
    Plan(FileArgs),
    /// Approve a wave of a campaign. Whoever launched it cannot.
    #[command(
        after_help = "Example: hopgate approve spring-2026 rest --as petra --reason 'CHG0042, canaries are up'"
    )]
    Approve(ApproveArgs),
    /// Run a campaign until it is finished or a person has to look.
    #[command(after_help = "Example: hopgate run campaign.yaml")]
    Run(FileArgs),
    /// Let a halted or interrupted campaign go on.
    #[command(after_help = "Example: hopgate resume --as olga --reason 'optics replaced'")]
    Resume(ResumeArgs),
    /// Show where a campaign is.
    #[command(after_help = "Example: hopgate status")]
    Status(CampaignArgs),
    /// Show everything that happened to a device.
    #[command(after_help = "Example: hopgate timeline acme-vie-edge1")]
    Timeline(DeviceArgs),
    /// Say why a device is waiting or halted, and what would end it.
    #[command(after_help = "Example: hopgate why acme-vie-edge1")]
    Why(DeviceArgs),
    /// Write the report of a campaign as one self-contained HTML file.
    #[command(after_help = "Example: hopgate report --html report.html")]
    Report(ReportArgs),
    /// Ask a whole estate the questions of a playbook. Changes nothing.
    #[command(after_help = audit::HELP)]
    Audit(Box<audit::AuditArgs>),
    /// Tell everything that is known of one device, area by area. Changes nothing.
    #[command(after_help = facts::HELP)]
    Facts(facts::FactsArgs),
    /// Make an inventory of the firewalls that Panoramas manage. Changes nothing.
    #[command(after_help = inventory::HELP)]
    Inventory(inventory::InventoryArgs),
    /// Write, check and try playbooks, with no device at hand.
    #[command(subcommand, after_help = "Example: hopgate playbook lint mine.yaml")]
    Playbook(playbook::PlaybookCommand),
    /// Work with the journal itself.
    #[command(subcommand, after_help = "Example: hopgate journal export journal.jsonl")]
    Journal(JournalCommand),
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// Simulated seconds a second.
    #[arg(long, default_value_t = crate::demo::DEFAULT_SPEED)]
    speed: f64,
    /// Where its files go; a new directory under the system's temporary one where it is left out.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SimulateArgs {
    #[command(subcommand)]
    twin: Option<SimulateCommand>,
    /// The fleet file.
    #[arg(required_unless_present = "generate", conflicts_with = "generate")]
    fleet: Option<PathBuf>,
    /// Make up an estate of so many firewalls: customers, sites, pairs, versions, optics.
    #[arg(long, value_name = "DEVICES")]
    generate: Option<usize>,
    /// Seed of the estate that is made up: the same one gives the same estate.
    #[arg(long, default_value_t = 1, requires = "generate", conflicts_with = "fleet")]
    seed: u64,
    /// Write the estate that is made up to this fleet file.
    #[arg(long, value_name = "FILE", requires = "generate", conflicts_with = "fleet")]
    write_fleet: Option<PathBuf>,
    #[command(flatten)]
    serving: ServingArgs,
}

#[derive(Debug, Subcommand)]
enum SimulateCommand {
    /// Serve the twin of an estate: of a report as JSON, or of what `hopgate audit --twin` wrote.
    #[command(after_help = "Example: hopgate simulate from-audit audit.json --speed 60")]
    FromAudit(FromAuditArgs),
}

#[derive(Debug, Args)]
struct FromAuditArgs {
    /// What `hopgate audit --json` or `--twin` wrote.
    twin: PathBuf,
    /// Seed of what the audit does not say.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the twin to this fleet file.
    #[arg(long, value_name = "FILE")]
    write_fleet: Option<PathBuf>,
    #[command(flatten)]
    serving: ServingArgs,
}

#[derive(Debug, Args)]
struct ServingArgs {
    /// Simulated seconds a second.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Port of the first device; the others follow. 0 takes any free ports.
    #[arg(long, default_value_t = 20_000)]
    port: u16,
    /// Give every device a loopback address of its own from this network, as its management address, all on --port.
    #[arg(long, value_name = "NET")]
    address_per_device: Option<String>,
    /// Port of the control port; the one after the last device where it is left out.
    #[arg(long, value_name = "PORT")]
    control_port: Option<u16>,
    /// Write an inventory that reaches the fleet to this file.
    #[arg(long, value_name = "FILE")]
    write_inventory: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct FileArgs {
    /// The campaign file.
    campaign: PathBuf,
}

#[derive(Debug, Args)]
struct ApproveArgs {
    /// The campaign.
    campaign: CampaignId,
    /// The wave.
    wave: WaveName,
    /// Who approves.
    #[arg(long = "as", value_name = "NAME")]
    by: Identity,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Hash of the plan that was looked at, or its beginning; another plan is then refused.
    #[arg(long, value_name = "HASH")]
    plan: Option<String>,
}

#[derive(Debug, Args)]
struct ResumeArgs {
    /// The campaign; the only one of the state directory where it is left out.
    campaign: Option<CampaignId>,
    /// Who resumes.
    #[arg(long = "as", value_name = "NAME")]
    by: Identity,
    /// Why: what was cleared.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
struct CampaignArgs {
    /// The campaign; the only one of the state directory where it is left out.
    campaign: Option<CampaignId>,
}

#[derive(Debug, Args)]
struct DeviceArgs {
    /// The device.
    device: DeviceId,
    /// The campaign; the only one of the state directory where it is left out.
    #[arg(long)]
    campaign: Option<CampaignId>,
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// The campaign; the only one of the state directory where it is left out.
    campaign: Option<CampaignId>,
    /// Where the report goes.
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Write every record as a line of JSON.
    #[command(after_help = "Example: hopgate journal export journal.jsonl")]
    Export {
        /// The file.
        file: PathBuf,
    },
    /// Read an export into a state directory that has no record of its streams yet.
    #[command(after_help = "Example: hopgate journal import journal.jsonl --state restored")]
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Verify every record, chain and anchor.
    #[command(after_help = "Example: hopgate journal check")]
    Check,
}

/// Runs the command line and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&Failure::new(
                "X001",
                "the system refused a thread or a descriptor",
                error,
            ));
            return ExitCode::from(Exit::Failure as u8);
        }
    };
    let ended = runtime.block_on(dispatch(cli));
    // Blocking work of an interrupted run must not hold the process.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(failure) => {
            complain(&failure);
            ExitCode::from(Exit::Failure as u8)
        }
    }
}

async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let state = cli.state;
    match cli.command {
        Command::Demo(args) => launch::demo(args.speed, args.dir).await,
        Command::Simulate(args) => launch::simulate(args).await,
        Command::Path(args) => path::path(&state, *args).await,
        Command::Plan(args) => plan::plan(&state, &args.campaign).await,
        Command::Approve(args) => {
            ask::approve(
                &state,
                &args.campaign,
                &args.wave,
                &args.by,
                &args.reason,
                args.plan.as_deref(),
            )
            .await
        }
        Command::Run(args) => launch::run(&state, &args.campaign).await,
        Command::Resume(args) => launch::resume(&state, args.campaign, args.by, args.reason).await,
        Command::Status(args) => ask::status(&state, args.campaign).await,
        Command::Timeline(args) => ask::timeline(&state, &args.device, args.campaign).await,
        Command::Why(args) => ask::why(&state, &args.device, args.campaign).await,
        Command::Report(args) => ask::report(&state, args.campaign, &args.html).await,
        Command::Audit(args) => audit::audit(&state, *args).await,
        Command::Facts(args) => facts::facts(&state, args).await,
        Command::Inventory(args) => inventory::inventory(&state, &args).await,
        Command::Playbook(command) => playbook::playbook(command),
        Command::Journal(JournalCommand::Export { file }) => ask::export(&state, &file).await,
        Command::Journal(JournalCommand::Import { file }) => ask::import(&state, &file).await,
        Command::Journal(JournalCommand::Check) => ask::check(&state).await,
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_env("HOPGATE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(color)
        .with_writer(std::io::stderr);
    // Somebody else's subscriber, in a test, is as good.
    let _ = log.try_init();
}

/// Prints data. A reader that went away is no failure of ours.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end_matches('\n'));
}

/// Prints what is not data.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end_matches('\n'));
}

fn complain(failure: &Failure) {
    note(&failure.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent_and_every_command_shows_an_example() {
        let command = Cli::command();
        command.clone().debug_assert();
        let mut left: Vec<clap::Command> = vec![command];
        while let Some(command) = left.pop() {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.starts_with("Example: hopgate ") || command.get_name() == "help",
                "{}",
                command.get_name()
            );
            left.extend(command.get_subcommands().cloned());
        }
    }
}
