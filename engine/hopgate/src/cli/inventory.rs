//! `hopgate inventory`: what Panoramas manage, as an inventory file. Must not know: firewalls, checks, campaigns.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{ask, note, say};
use crate::config::panorama::PanoramaFile;
use crate::failure::{Exit, Failure};
use crate::panorama::{self, Listed};
use crate::report::visible;
use crate::state::State;

/// Examples that a test runs.
pub(super) const HELP: &str = "\
Example: hopgate inventory --from-panorama panorama.yaml --write inventory.yaml";

#[derive(Debug, Args)]
pub(super) struct InventoryArgs {
    /// The file that names the Panoramas.
    #[arg(long, value_name = "FILE")]
    from_panorama: PathBuf,
    /// Where the inventory goes; to standard output where it is left out. What is there is written over.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Makes it. A firewall that is left out is for a person to look at.
pub(super) async fn inventory(state: &Path, args: &InventoryArgs) -> Result<Exit, Failure> {
    let (opened, listed) = listed(state, &args.from_panorama).await?;
    ask::close(opened).await;
    let text = listed
        .inventory
        .to_yaml()
        .map_err(|error| Failure::new("X001", "please report it", error))?;
    match &args.write {
        None => say(&text),
        Some(file) => {
            std::fs::write(file, text).map_err(|error| {
                let what = std::io::Error::other(format!("failed to write {}: {error}", file.display()));
                Failure::new("C001", "check the directory and its rights", what)
            })?;
            let devices = listed.inventory.devices.len();
            note(&format!("{devices} firewalls written to {}", file.display()));
        }
    }
    Ok(if listed.left_out.is_empty() {
        Exit::Success
    } else {
        Exit::Attention
    })
}

/// Asks the Panoramas of a file, and tells what is worth knowing of their answers. The state directory stays open for what
/// is asked next.
pub(super) async fn listed(state: &Path, file: &Path) -> Result<(State, Listed), Failure> {
    let panoramas = PanoramaFile::load(file)?;
    let opened = ask::open_for_pins(state).await?;
    let listed = Box::pin(panorama::list(&panoramas, file, opened.ledger())).await?;
    for told in &listed.notes {
        note(&visible(told));
    }
    for told in &listed.left_out {
        note(&format!("left out: {}", visible(told)));
    }
    Ok((opened, listed))
}
