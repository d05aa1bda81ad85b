//! `hopgate audit diff`: the arguments, and which answer goes where.

use std::path::PathBuf;

use clap::Args;

use super::{note, say};
use crate::audit::diff::{self, Diff, Report};
use crate::config::selector::Selector;
use crate::failure::{Exit, Failure};

/// Examples that a test runs.
pub(super) const HELP: &str = "\
Example: hopgate audit diff before.json after.json

  hopgate audit --snapshot --json before.json
  hopgate audit diff before.json after.json --group customer=acme --rules own.yaml --json differences.json";

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// What `hopgate audit --json` wrote first.
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// What it wrote later.
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Firewalls that are meant, such as `customer=acme,model~PA-8*`.
    #[arg(long, value_name = "SELECTOR")]
    group: Option<Selector>,
    /// Rules of your own, laid over the built-in ones.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Write everything as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Answers. A device that a person has to look at makes the exit status say so.
pub(super) fn diff(args: &DiffArgs) -> Result<Exit, Failure> {
    let rules = diff::rules(args.rules.as_deref())?;
    let (before, after) = (Report::load(&args.before)?, Report::load(&args.after)?);
    let group = args.group.clone().unwrap_or_default();
    let diff = Diff::of((&args.before, before), (&args.after, after), &rules, &group)?;
    say(&diff::text(&diff));
    if let Some(path) = &args.json {
        diff::record::write_json(&diff, path)?;
        note(&format!("written to {}", path.display()));
    }
    if diff.devices.is_empty() {
        note("no device is meant");
    }
    // That nobody was compared says nothing of anybody.
    Ok(if diff.holds() || diff.devices.is_empty() {
        Exit::Attention
    } else {
        Exit::Success
    })
}
