//! `hopgate audit`: the arguments, and which answer goes where.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use hopgate_core::names::AuditName;
use hopgate_paths::Target;
use hopgate_playbooks::{FactArea, Snapshot};

use super::diff::{self, DiffArgs};
use super::{ask, inventory, note, say};
use crate::audit::Outcome;
use crate::audit::history;
use crate::audit::live::Live;
use crate::audit::order::{Order, Reports};
use crate::audit::question::{AT_ONCE, PATIENCE_S};
use crate::audit::schedule::{Home, Schedule};
use crate::checks::choice::Choice;
use crate::config::selector::Selector;
use crate::failure::{Exit, Failure};
use crate::signals::StopRequests;
use crate::simulate::{self, twin};

/// Examples that a test runs.
pub(super) const HELP: &str = "\
Example: hopgate audit --inventory inventory.yaml --playbook optics

  hopgate audit --playbook optics --group customer=acme --html report.html
  hopgate audit --playbook licences --with warn_days=60
  hopgate audit --to 10.2 --waive waivers.yaml --csv findings.csv --json audit.json --junit audit.xml
  hopgate audit --split-by customer --html reports/ --csv reports/
  hopgate audit --from-panorama panorama.yaml --group device_group=vienna
  hopgate audit --schedule schedules.yaml
  hopgate audit history nightly
  hopgate audit --snapshot --json before.json
  hopgate audit diff before.json after.json";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    about: Option<About>,
    /// Ask the audits of this file when they are due, until stopped. Everything else is in the file.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "inventory", "from_panorama", "playbooks", "with", "group", "target", "waive", "overlays", "at_once", "timeout",
        "html", "csv", "json", "junit", "twin", "snapshot", "split_by",
    ])]
    schedule: Option<PathBuf>,
    /// The inventory file.
    #[arg(long, value_name = "FILE", default_value = "inventory.yaml")]
    inventory: PathBuf,
    /// Ask the firewalls that the Panoramas of this file manage, in place of an inventory.
    #[arg(long, value_name = "FILE", conflicts_with = "inventory")]
    from_panorama: Option<PathBuf>,
    /// Playbooks to ask: built-in names or files. All built-in ones where it is left out.
    #[arg(long = "playbook", value_name = "NAME")]
    playbooks: Vec<String>,
    /// A setting of a playbook, for every one that has it, or for one: PLAYBOOK.SETTING=VALUE. May be given several times.
    #[arg(long = "with", value_name = "SETTING=VALUE")]
    with: Vec<Choice>,
    /// Only these devices (customer=acme,model~PA-8*,version<10.2), or a group that the inventory names (canaries, !canaries).
    #[arg(long, value_name = "SELECTOR")]
    group: Option<Selector>,
    /// Plan every device's way to this release, and ask what belongs to its first hop and what is known against it.
    #[arg(long = "to", value_name = "RELEASE")]
    target: Option<Target>,
    /// What somebody decided not to count, for some devices and until some day.
    #[arg(long, value_name = "FILE")]
    waive: Option<PathBuf>,
    /// Overlay of the release catalogue; may be given several times.
    #[arg(long = "catalogue", value_name = "FILE")]
    overlays: Vec<PathBuf>,
    /// Devices that are asked at once.
    #[arg(long, value_name = "N", default_value_t = AT_ONCE as u32, value_parser = clap::value_parser!(u32).range(1..=1000))]
    at_once: u32,
    /// Seconds after which a device is told as not read.
    #[arg(long, value_name = "S", default_value_t = PATIENCE_S, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    #[command(flatten)]
    reports: ReportArgs,
}

#[derive(Debug, Subcommand)]
enum About {
    /// Show what the runs of a scheduled audit found: how many, what is new, what is gone.
    #[command(after_help = "Example: hopgate audit history nightly")]
    History {
        /// The audit; a line for each of them where it is left out.
        name: Option<AuditName>,
    },
    /// Tell what changed on each device between two audits, and what of it matters.
    #[command(after_help = diff::HELP)]
    Diff(DiffArgs),
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("reports").multiple(true)))]
struct ReportArgs {
    /// Write the report as one self-contained HTML file.
    #[arg(long, value_name = "FILE", group = "reports")]
    html: Option<PathBuf>,
    /// Write every finding as a row of CSV.
    #[arg(long, value_name = "FILE", group = "reports")]
    csv: Option<PathBuf>,
    /// Write everything, with the facts, as JSON.
    #[arg(long, value_name = "FILE", group = "reports")]
    json: Option<PathBuf>,
    /// Read everything that `hopgate audit diff` compares, too.
    #[arg(long, requires = "json")]
    snapshot: bool,
    /// Write a test suite a device as JUnit XML.
    #[arg(long, value_name = "FILE", group = "reports")]
    junit: Option<PathBuf>,
    /// Write what a twin of the estate needs, for `hopgate simulate from-audit`.
    #[arg(long, value_name = "FILE")]
    twin: Option<PathBuf>,
    /// Write a file for each value of this label, into the directory that --html, --csv, --json or --junit names.
    #[arg(long, value_name = "LABEL", requires = "reports")]
    split_by: Option<String>,
}

/// Answers.
pub(super) async fn audit(state: &Path, args: AuditArgs) -> Result<Exit, Failure> {
    match (&args.about, &args.schedule) {
        (Some(About::History { name }), _) => past(state, name.as_ref()).await,
        (Some(About::Diff(args)), _) => diff::diff(args),
        (None, Some(file)) => keep(state, file).await,
        (None, None) => once(state, args).await,
    }
}

async fn past(state: &Path, name: Option<&AuditName>) -> Result<Exit, Failure> {
    let text = match ask::access(state).await? {
        ask::Access::Running(running) => running.audits(name).await?,
        ask::Access::Own(opened) => {
            let told = history::told(opened.ledger(), name);
            ask::close(opened).await;
            told?.ok_or_else(|| {
                Failure::unknown(
                    history::none(name),
                    "hopgate audit --schedule FILE makes one, and so does a campaign with audits",
                )
            })?
        }
    };
    say(&text);
    Ok(Exit::Success)
}

/// Keeps to a schedule until the operator ends it.
async fn keep(state: &Path, file: &Path) -> Result<Exit, Failure> {
    let schedule = Schedule::load(file)?;
    let mut stop = StopRequests::listen();
    let home = Home::Directory(state.to_owned());
    tokio::select! {
        () = schedule.keep(&home, &say) => {}
        () = stop.next() => {}
    }
    note("stopped; a run that was under way is not recorded");
    Ok(Exit::Stopped)
}

/// What is read beside what the checks need.
fn also(reports: &ReportArgs) -> Vec<FactArea> {
    let of_twin = reports.twin.iter().flat_map(|_| twin::AREAS);
    let compared = reports.snapshot.then(Snapshot::areas).into_iter().flatten();
    of_twin.chain(compared).collect()
}

/// Asks the estate. Exposed or unknown devices make the exit status say so.
async fn once(state: &Path, args: AuditArgs) -> Result<Exit, Failure> {
    let order = Order {
        base: PathBuf::new(),
        inventory: args.inventory,
        playbooks: args.playbooks,
        with: args.with,
        group: args.group,
        target: args.target,
        waivers: args.waive,
        catalogue: args.overlays,
        at_once: usize::try_from(args.at_once).unwrap_or(AT_ONCE),
        patience: Duration::from_secs(args.timeout),
        keep_facts: args.reports.json.is_some() || args.reports.twin.is_some(),
        also: also(&args.reports),
    };
    let twin = args.reports.twin;
    let reports = Reports {
        html: args.reports.html,
        csv: args.reports.csv,
        json: args.reports.json,
        junit: args.reports.junit,
        split_by: args.reports.split_by,
    };
    let (opened, ready, left_out) = match &args.from_panorama {
        None => {
            let ready = order.read()?;
            reports.check(&ready)?;
            (ask::open_for_pins(state).await?, ready, 0)
        }
        Some(file) => {
            let (opened, listed) = inventory::listed(state, file).await?;
            let ready = order.of(listed.inventory, file.clone())?;
            reports.check(&ready)?;
            (opened, ready, listed.left_out.len())
        }
    };
    let audit = ready.ask(opened.ledger(), &mut Live::on_stderr()).await;
    ask::close(opened).await;
    let audit = audit?;
    say(&crate::audit::text(&audit));
    for path in reports.write(&audit, Path::new(""))? {
        note(&format!("written to {}", path.display()));
    }
    if let Some(path) = twin {
        simulate::write_twin(ready.inventory(), &audit.devices, ready.clock().now(), &path)?;
        note(&format!("written to {}", path.display()));
    }
    if audit.devices.is_empty() {
        note("no device is meant");
    }
    let clear = audit
        .devices
        .iter()
        .all(|device| device.outcome() == Outcome::Clear);
    // What is not in the inventory was not asked, and unknown is not success.
    Ok(if clear && left_out == 0 {
        Exit::Success
    } else {
        Exit::Attention
    })
}
