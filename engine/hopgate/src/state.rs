//! The state directory: journal, documents, and the note of how each campaign was launched.
//!
//! One process owns it at a time; everybody else asks that process (see `api`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hopgate_core::names::CampaignId;
use serde::{Deserialize, Serialize};

use crate::journal::JournalError;
use crate::journal::blobs::Blobs;
use crate::journal::sled::SledJournal;
use crate::ledger::Ledger;

/// An open state directory.
pub struct State {
    dir: PathBuf,
    journal: Arc<SledJournal>,
    ledger: Ledger,
}

/// How a campaign was launched, so that `resume` needs no more than its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// The campaign file, absolute.
    pub campaign_file: PathBuf,
}

impl State {
    /// Opens it, making it where it does not exist. Fails where another process owns it.
    pub fn open(dir: &Path) -> Result<State, JournalError> {
        let journal = Arc::new(SledJournal::open(&journal_dir(dir))?);
        let blobs = Arc::new(Blobs::open(dir)?);
        let ledger = Ledger::new(Arc::clone(&journal) as _, blobs);
        Ok(State {
            dir: dir.to_owned(),
            journal,
            ledger,
        })
    }

    /// Typed access.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Remembers how a campaign was launched.
    pub fn note_launch(&self, campaign: &CampaignId, launch: &Launch) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(launch).map_err(std::io::Error::other)?;
        std::fs::write(launch_path(&self.dir, campaign), text)
    }

    /// Ends the journal cleanly.
    pub async fn close(self) {
        self.journal.close().await;
    }
}

/// Where the journal of a state directory is.
pub fn journal_dir(dir: &Path) -> PathBuf {
    dir.join("journal")
}

fn launch_path(dir: &Path, campaign: &CampaignId) -> PathBuf {
    dir.join(format!("launch-{campaign}.json"))
}

/// How a campaign of this state directory was launched, where that is known.
pub fn launch_of(dir: &Path, campaign: &CampaignId) -> Option<Launch> {
    let text = std::fs::read_to_string(launch_path(dir, campaign)).ok()?;
    serde_json::from_str(&text).ok()
}
