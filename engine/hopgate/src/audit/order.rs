//! An audit as it is ordered, on the command line or in a schedule: names and files, made into a question.
//!
//! Everything that can be wrong in them is told before a device is asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hopgate_paths::Target;
use hopgate_playbooks::{FactArea, Playbook};

use super::beside::Campaign;
use super::estate;
use super::live::Live;
use super::question::Question;
use super::waivers::Waivers;
use super::{Audit, AuditError};
use crate::catalogue;
use crate::checks::choice::{self, Choice};
use crate::checks::{self, ADVISORIES, Asked};
use crate::clock::Clock;
use crate::config::check::CheckText;
use crate::config::inventory::Inventory;
use crate::config::selector::Selector;
use crate::connect::connect;
use crate::failure::Failure;
use crate::kept::Kept;
use crate::ledger::Ledger;

/// What is asked, as a person says it. Relative paths start at `base`.
#[derive(Debug, Clone)]
pub struct Order {
    /// Where relative paths start.
    pub base: PathBuf,
    /// The inventory.
    pub inventory: PathBuf,
    /// Playbooks; where there is none, every built-in one that has something to say.
    pub playbooks: Vec<String>,
    /// Settings chosen for them.
    pub with: Vec<Choice>,
    /// Which devices are meant.
    pub group: Option<Selector>,
    /// Where each device's way is planned to.
    pub target: Option<Target>,
    /// The waivers.
    pub waivers: Option<PathBuf>,
    /// Overlays of the release catalogue.
    pub catalogue: Vec<PathBuf>,
    /// Devices that are asked at once.
    pub at_once: usize,
    /// How long one device may take.
    pub patience: Duration,
    /// Whether what was read is wanted afterwards.
    pub keep_facts: bool,
    /// Areas that are read beside those the checks need.
    pub also: Vec<FactArea>,
}

/// An order whose files are read and make sense together.
pub struct Ready {
    question: Arc<Question>,
    inventory: Inventory,
    path: PathBuf,
    clock: Clock,
}

impl Order {
    /// Reads and checks every file.
    pub fn read(&self) -> Result<Ready, Failure> {
        let path = self.base.join(&self.inventory);
        let inventory = Inventory::load(&path)?;
        self.of(inventory, path)
    }

    /// As [`Order::read`], for an inventory that is no file: `path` is where it comes from.
    pub fn of(&self, inventory: Inventory, path: PathBuf) -> Result<Ready, Failure> {
        let mut question = self.question()?;
        if let Some(group) = &self.group {
            question.selection = group.resolved(&inventory)?;
        }
        if let Some(file) = &self.waivers {
            question.waivers = Waivers::load(&self.base.join(file), &inventory)?;
        }
        Ok(Ready {
            question: Arc::new(question),
            clock: inventory.clock(),
            inventory,
            path,
        })
    }

    /// What is asked, as far as it does not depend on the inventory: of every device, without waivers.
    pub fn question(&self) -> Result<Question, Failure> {
        let catalogue = catalogue::load(&self.catalogue, &self.base)?;
        let asked = checks::load_all(&self.checks(), &self.base, &catalogue)?;
        let asked = choice::choose(asked, &self.with)?;
        if asked
            .iter()
            .any(|asked| matches!(asked.asked, Asked::Differences(_)))
        {
            return Err(Failure::unknown(
                "an audit is one look, and differences are between two",
                "hopgate audit --snapshot --json FILE keeps one, hopgate audit diff compares two",
            ));
        }
        let mut question = Question::of(asked, self.target, catalogue);
        if let Some(empty) = question.nothing_left() {
            return Err(Failure::unknown(
                format!("every check of the playbook {empty} is about a hop, and this audit has none"),
                "--to RELEASE plans every device's way and asks about its first hop",
            ));
        }
        if question.advisories && self.target.is_none() {
            return Err(Failure::unknown(
                "advisories are about a way, and this audit has none",
                "--to RELEASE plans every device's way and holds what is known against it",
            ));
        }
        question.at_once = self.at_once;
        question.patience = self.patience;
        question.keep_facts = self.keep_facts;
        question.areas.extend(&self.also);
        Ok(question)
    }

    fn checks(&self) -> Vec<CheckText> {
        if !self.playbooks.is_empty() {
            return self.playbooks.iter().map(|name| name.as_str().into()).collect();
        }
        let library = Playbook::builtin_names();
        let advisories = self.target.map(|_| ADVISORIES);
        library.chain(advisories).map(CheckText::from).collect()
    }
}

impl Ready {
    /// Asks the devices. Certificates that are trusted on first use are recorded.
    pub async fn ask(&self, ledger: &Ledger, live: &mut Live) -> Result<Audit, Failure> {
        self.ask_beside(None, ledger, live).await
    }

    /// As [`Ready::ask`], beside a campaign of this process.
    pub async fn ask_beside(
        &self,
        campaign: Option<&Campaign>,
        ledger: &Ledger,
        live: &mut Live,
    ) -> Result<Audit, Failure> {
        let mut connections = connect(&self.inventory, &self.path, ledger)?;
        if let Some(campaign) = campaign {
            campaign.share(&self.inventory, &mut connections);
        }
        let asking = estate::ask(
            &connections.clients,
            campaign,
            &self.inventory,
            &self.question,
            Kept::of(ledger),
            &self.clock,
            live,
        );
        let audit = Box::pin(asking).await;
        for device in audit.devices.iter().filter(|device| device.unread.is_some()) {
            connections.doubt(&device.device);
        }
        connections.record_first_use(ledger, self.clock.now()).await?;
        Ok(audit)
    }

    /// The inventory.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// Civil time of its devices.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether some device of its inventory has this label.
    fn has_label(&self, label: &str) -> bool {
        let mut devices = self.inventory.devices.iter();
        devices.any(|entry| entry.labels.contains_key(label))
    }
}

/// Where the reports of an audit go.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// HTML. Each is a file, or with `split_by` a directory.
    pub html: Option<PathBuf>,
    /// CSV.
    pub csv: Option<PathBuf>,
    /// JSON.
    pub json: Option<PathBuf>,
    /// JUnit XML.
    pub junit: Option<PathBuf>,
    /// One file for each value of this label.
    pub split_by: Option<String>,
}

impl Reports {
    /// Refuses what cannot be written for these devices.
    pub fn check(&self, ready: &Ready) -> Result<(), Failure> {
        match &self.split_by {
            Some(label) if !ready.has_label(label) => Err(Failure::unknown(
                format!("no device of the inventory has the label {label}"),
                "a report is split by a label of the inventory, such as customer",
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Writes those that are wanted; what was written.
    pub fn write(&self, audit: &Audit, base: &Path) -> Result<Vec<PathBuf>, AuditError> {
        type Writer = fn(&Audit, &Path) -> Result<(), AuditError>;
        let wanted: [(&Option<PathBuf>, &str, Writer); 4] = [
            (&self.html, "html", super::html::write_html),
            (&self.csv, "csv", super::sheet::write_csv),
            (&self.json, "json", super::record::write_json),
            (&self.junit, "xml", super::junit::write_junit),
        ];
        let parts = self
            .split_by
            .as_ref()
            .map(|label| super::split::by_label(audit, label));
        let mut written = Vec::new();
        for (path, ending, write) in wanted {
            let Some(path) = path.as_ref().map(|path| base.join(path)) else {
                continue;
            };
            let Some(parts) = &parts else {
                write(audit, &path)?;
                written.push(path);
                continue;
            };
            std::fs::create_dir_all(&path).map_err(|source| AuditError::Write {
                path: path.clone(),
                source,
            })?;
            for (name, part) in parts {
                let file = path.join(format!("{name}.{ending}"));
                write(part, &file)?;
                written.push(file);
            }
        }
        Ok(written)
    }
}
