//! Audits that are asked again and again: the file they are written in, and keeping to it.
//!
//! By itself it opens the state directory for each run and leaves it alone in between, so that `hopgate audit history`,
//! another audit or a campaign can have it. Inside of a running campaign it uses that engine's journal and clients.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hopgate_core::names::{AuditName, DeviceId};
use hopgate_paths::Target;
use hopgate_playbooks::Setting;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use tokio::sync::watch;

use super::beside::Campaign;
use super::cron::Cron;
use super::history;
use super::live::Live;
use super::order::{Order, Ready, Reports};
use super::question::{AT_ONCE, PATIENCE_S};
use crate::checks::choice;
use crate::clock::{self, Clock};
use crate::config::campaign::PagerText;
use crate::config::panorama::PanoramaFile;
use crate::config::{ConfigError, meaning, read};
use crate::failure::Failure;
use crate::journal::JournalError;
use crate::ledger::Ledger;
use crate::pager::{Channel, Pager, Stop};
use crate::panorama;
use crate::run::channels;
use crate::state::State;

/// How long a run waits for a state directory that somebody else has, in real time, and how often it looks.
const STATE_WITHIN: Duration = Duration::from_secs(600);
const STATE_LOOK: Duration = Duration::from_secs(2);

/// How long pages are tried after a run, in real time. What is left goes out with the next one, or after the pause below.
const PAGES_WITHIN: Duration = Duration::from_secs(30);

/// How long until pages that were not accepted are tried again, in real time.
const PAGES_AGAIN: Duration = Duration::from_secs(60);

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    audits: Vec<AuditText>,
    pager: Option<PagerText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditText {
    name: AuditName,
    cron: String,
    #[serde(default = "utc")]
    zone: String,
    inventory: Option<PathBuf>,
    from_panorama: Option<PathBuf>,
    #[serde(default)]
    playbooks: Vec<String>,
    #[serde(default)]
    with: BTreeMap<String, BTreeMap<String, Setting>>,
    group: Option<String>,
    to: Option<Target>,
    waive: Option<PathBuf>,
    #[serde(default)]
    catalogue: Vec<PathBuf>,
    #[serde(default)]
    reports: ReportsText,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportsText {
    html: Option<PathBuf>,
    csv: Option<PathBuf>,
    json: Option<PathBuf>,
    junit: Option<PathBuf>,
    split_by: Option<String>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// The audits of a file, checked.
pub struct Schedule {
    base: PathBuf,
    audits: Vec<Planned>,
    channels: Vec<Arc<dyn Channel>>,
}

struct Planned {
    name: AuditName,
    cron: Cron,
    zone: TimeZone,
    order: Order,
    /// The file that names the Panoramas whose firewalls are asked, in place of an inventory.
    panoramas: Option<PathBuf>,
    reports: Reports,
}

impl Planned {
    /// Reads its files anew: whoever changed the inventory, or added a firewall to a Panorama, does not have to come here. Of a
    /// Panorama also how many firewalls cannot be asked.
    async fn ready(&self, ledger: &Ledger) -> Result<(Ready, usize), Failure> {
        let Some(path) = &self.panoramas else {
            return Ok((self.order.read()?, 0));
        };
        let path = self.order.base.join(path);
        let file = PanoramaFile::load(&path)?;
        let listed = Box::pin(panorama::list(&file, &path, ledger)).await?;
        let left_out = listed.left_out.len();
        Ok((self.order.of(listed.inventory, path)?, left_out))
    }

    /// Refuses what can be told to be wrong before anything is asked.
    fn check(&self) -> Result<(), Failure> {
        match &self.panoramas {
            None => {
                let ready = self.order.read()?;
                self.refuse_typing(ready.inventory().asks_a_person())?;
                self.reports.check(&ready)
            }
            Some(path) => {
                let file = PanoramaFile::load(&self.order.base.join(path))?;
                let themselves = file.themselves();
                let typed = file.devices.credentials.asks_a_person();
                let whose = themselves.asks_a_person().or_else(|| {
                    themselves
                        .devices
                        .first()
                        .filter(|_| typed)
                        .map(|entry| &entry.name)
                });
                self.refuse_typing(whose)?;
                self.order.question().map(|_| ())
            }
        }
    }

    /// A run at night would wait for whoever types, and everything of its process with it.
    fn refuse_typing(&self, whose: Option<&DeviceId>) -> Result<(), Failure> {
        match whose {
            None => Ok(()),
            Some(device) => Err(Failure::unknown(
                format!(
                    "the audit {} would ask somebody for a secret of {device}",
                    self.name
                ),
                "a schedule takes secrets from env, file or command, and not from prompt",
            )),
        }
    }

    /// Civil time of its devices, before they are known. Panoramas are in the machine's.
    fn clock(&self) -> Clock {
        let ready = self.panoramas.is_none().then(|| self.order.read().ok()).flatten();
        ready.map_or_else(Clock::system, |ready| ready.clock().clone())
    }
}

impl Schedule {
    /// Reads and checks the file, and every file that it names.
    pub fn load(path: &Path) -> Result<Schedule, Failure> {
        let file: File = read(path, |file: &File| planned(path, file).map(|_| ()))?;
        let audits = planned(path, &file)?;
        audits.iter().try_for_each(Planned::check)?;
        Ok(Schedule {
            base: base_of(path),
            audits,
            channels: channels(file.pager.as_ref())?,
        })
    }

    /// Keeps to it for ever; `say` hears a line a run, and what could not be done.
    pub async fn keep(&self, home: &Home, say: &(dyn Fn(&str) + Sync)) {
        // One at a time: the state directory has one owner, and devices are asked enough by one audit.
        let turn = tokio::sync::Mutex::new(());
        let kept = self
            .audits
            .iter()
            .map(|audit| self.keep_one(audit, home, say, &turn));
        futures_util::future::join_all(kept).await;
    }

    async fn keep_one(
        &self,
        audit: &Planned,
        home: &Home,
        say: &(dyn Fn(&str) + Sync),
        turn: &tokio::sync::Mutex<()>,
    ) {
        let mut clock = audit.clock();
        loop {
            let Some(at) = audit.cron.next(clock.now(), &audit.zone) else {
                return;
            };
            say(&format!("{}: next {}", audit.name, minute(at)));
            clock.sleep_until(at).await;
            let _turn = turn.lock().await;
            let (told, left) = match self.run(audit, home, &mut clock).await {
                Ok((told, left)) => (told, left),
                Err(failure) => (self.failed(audit, home, &clock, &failure).await, false),
            };
            say(&format!("{}: {} {told}", audit.name, minute(at)));
            drop(_turn);
            if left {
                self.page_again(audit, home, &clock, at, say, turn).await;
            }
        }
    }

    /// Asks once; what it came down to, and whether pages are left.
    async fn run(&self, audit: &Planned, home: &Home, clock: &mut Clock) -> Result<(String, bool), Failure> {
        let opened = home.open().await?;
        let ledger = opened.ledger();
        let done = async {
            let (ready, unlisted) = audit.ready(ledger).await?;
            *clock = ready.clock().clone();
            let asked = ready
                .ask_beside(home.campaign(), ledger, &mut Live::silent())
                .await?;
            let run = history::record(ledger, &audit.name, &asked, unlisted).await?;
            let left = self.page(audit, ledger, clock).await;
            let mut told = history::in_words(&run);
            if let Err(error) = audit.reports.write(&asked, &self.base) {
                // It was asked and is recorded; who wants the file has to hear all the same.
                told.push_str(&format!("\n{}", Failure::from(error)));
            }
            Ok::<_, Failure>((told, left))
        };
        let done = Box::pin(done).await;
        opened.close().await;
        done
    }

    /// Delivers what is to be paged; whether some of it is left.
    async fn page(&self, audit: &Planned, ledger: &Ledger, clock: &Clock) -> bool {
        let (ledger, channels) = (ledger.clone(), self.channels.clone());
        let pager = Pager::of_audit(ledger, clock.clone(), channels, audit.name.clone());
        let (_stop, stops) = watch::channel(Stop::WhenEmpty);
        !matches!(clock::within(PAGES_WITHIN, pager.run(stops)).await, Some(Ok(())))
    }

    async fn page_again(
        &self,
        audit: &Planned,
        home: &Home,
        clock: &Clock,
        ran: Timestamp,
        say: &(dyn Fn(&str) + Sync),
        turn: &tokio::sync::Mutex<()>,
    ) {
        // Until the next run, which tries again itself.
        while audit
            .cron
            .next(ran, &audit.zone)
            .is_some_and(|next| clock.now() < next)
        {
            say(&format!("{}: pages are left, trying again", audit.name));
            clock::pause(PAGES_AGAIN).await;
            let _turn = turn.lock().await;
            let Ok(opened) = home.open().await else { continue };
            let left = self.page(audit, opened.ledger(), clock).await;
            opened.close().await;
            if !left {
                return;
            }
        }
    }

    async fn failed(&self, audit: &Planned, home: &Home, clock: &Clock, failure: &Failure) -> String {
        let why = failure.to_string();
        if let Ok(opened) = home.open_now() {
            // What could not be recorded is told all the same.
            let _ = history::record_failure(opened.ledger(), &audit.name, clock.now(), &why).await;
            opened.close().await;
        }
        format!("NOT ASKED: {why}")
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn base_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// Where the records of runs are kept, and what a run shares with others.
pub enum Home {
    /// A state directory of which this process owns nothing in between.
    Directory(PathBuf),
    /// The engine that runs a campaign.
    Engine {
        /// Its journal.
        ledger: Ledger,
        /// Its devices.
        campaign: Campaign,
    },
}

/// A home for as long as one run takes.
enum Opened<'h> {
    State(State),
    Engine(&'h Ledger),
}

impl Home {
    fn campaign(&self) -> Option<&Campaign> {
        match self {
            Home::Directory(_) => None,
            Home::Engine { campaign, .. } => Some(campaign),
        }
    }

    /// Opens it, once whoever has it lets it go.
    async fn open(&self) -> Result<Opened<'_>, JournalError> {
        let waited = clock::within(STATE_WITHIN, async {
            loop {
                match self.open_now() {
                    Err(JournalError::Locked { .. }) => clock::pause(STATE_LOOK).await,
                    other => return other,
                }
            }
        });
        match waited.await {
            Some(opened) => opened,
            None => self.open_now(),
        }
    }

    fn open_now(&self) -> Result<Opened<'_>, JournalError> {
        match self {
            Home::Directory(path) => State::open(path).map(Opened::State),
            Home::Engine { ledger, .. } => Ok(Opened::Engine(ledger)),
        }
    }
}

impl Opened<'_> {
    fn ledger(&self) -> &Ledger {
        match self {
            Opened::State(state) => state.ledger(),
            Opened::Engine(ledger) => ledger,
        }
    }

    async fn close(self) {
        match self {
            Opened::State(state) => state.close().await,
            Opened::Engine(_) => {}
        }
    }
}

fn planned(path: &Path, file: &File) -> Result<Vec<Planned>, ConfigError> {
    let mut planned: Vec<Planned> = Vec::new();
    for (index, text) in file.audits.iter().enumerate() {
        let key = |field: &str| format!("audits[{index}].{field}");
        if planned.iter().any(|earlier| earlier.name == text.name) {
            let told = format!("{} is the name of an earlier audit", text.name);
            return Err(meaning(path, key("name"), told));
        }
        let cron: Cron = text
            .cron
            .parse()
            .map_err(|error: super::cron::InvalidCron| meaning(path, key("cron"), error.to_string()))?;
        let zone =
            TimeZone::get(&text.zone).map_err(|error| meaning(path, key("zone"), error.to_string()))?;
        let group = text.group.as_ref().map(|group| group.parse()).transpose();
        let group = group.map_err(|error: crate::config::selector::SelectorError| {
            meaning(path, key("group"), error.to_string())
        })?;
        let inventory = match (&text.inventory, &text.from_panorama) {
            (Some(inventory), None) => inventory.clone(),
            (None, Some(panoramas)) => panoramas.clone(),
            _ => {
                let told = "an audit has an inventory, or from_panorama in its place";
                return Err(meaning(path, key("inventory"), told));
            }
        };
        let reports = &text.reports;
        let written = [&reports.html, &reports.csv, &reports.json, &reports.junit];
        if reports.split_by.is_some() && written.into_iter().all(Option::is_none) {
            let told = "split_by takes html, csv, json or junit: the directory that the parts go to";
            return Err(meaning(path, key("reports"), told));
        }
        planned.push(Planned {
            name: text.name.clone(),
            cron,
            zone,
            order: Order {
                base: base_of(path),
                inventory,
                playbooks: text.playbooks.clone(),
                with: choice::written(&text.with),
                group,
                target: text.to,
                waivers: text.waive.clone(),
                catalogue: text.catalogue.clone(),
                at_once: AT_ONCE,
                patience: Duration::from_secs(PATIENCE_S),
                keep_facts: reports.json.is_some(),
                also: Vec::new(),
            },
            panoramas: text.from_panorama.clone(),
            reports: Reports {
                html: reports.html.clone(),
                csv: reports.csv.clone(),
                json: reports.json.clone(),
                junit: reports.junit.clone(),
                split_by: reports.split_by.clone(),
            },
        });
    }
    if planned.is_empty() {
        return Err(meaning(path, "audits", "a schedule needs at least one audit"));
    }
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
audits:
  - {name: nightly, cron: '30 2 * * *', zone: Europe/Vienna, inventory: inventory.yaml, playbooks: [optics]}
  - {name: weekly, cron: '0 3 * * sun', inventory: inventory.yaml, to: 10.2.7, with: {licences: {warn_days: 60}}, reports: {html: weekly.html}}
";

    fn load(text: &str) -> Result<Vec<Planned>, String> {
        let path = Path::new("schedules.yaml");
        let file: File = crate::config::parse(path, text).map_err(|error| error.to_string())?;
        planned(path, &file).map_err(|error| error.located_in(text).to_string())
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let audits = load(GOOD).unwrap();
        let with: Vec<usize> = audits.iter().map(|audit| audit.order.with.len()).collect();
        assert_eq!(with, [0, 1]);
        let wrong = |from: &str, to: &str| {
            load(&GOOD.replacen(from, to, 1))
                .map(|audits| audits.len())
                .unwrap_err()
        };
        insta::assert_snapshot!(wrong("30 2 * * *", "30 25 * * *"), @r#"schedules.yaml:2: audits[0].cron: "25" is no hour (0 to 23, lists, ranges and steps: 1,15 or 9-17/2)"#);
        insta::assert_snapshot!(wrong("Europe/Vienna", "Europe/Viena"), @"schedules.yaml:2: audits[0].zone: failed to find time zone `Europe/Viena` in time zone database");
        insta::assert_snapshot!(wrong("weekly", "nightly"), @"schedules.yaml:3: audits[1].name: nightly is the name of an earlier audit");
        insta::assert_snapshot!(wrong("html: weekly.html", "split_by: customer"), @"schedules.yaml:3: audits[1].reports: split_by takes html, csv, json or junit: the directory that the parts go to");
        insta::assert_snapshot!(wrong("playbooks: [optics]", "with: {licences: {warn_days: }}"), @r#"schedules.yaml:2:116: a setting needs a value; an empty text is "", an empty list []"#);
        insta::assert_snapshot!(wrong("inventory: inventory.yaml", "group: customer=acme"), @"schedules.yaml:2: audits[0].inventory: an audit has an inventory, or from_panorama in its place");
        insta::assert_snapshot!(wrong("inventory: inventory.yaml", "inventory: inventory.yaml, from_panorama: panorama.yaml"), @"schedules.yaml:2: audits[0].inventory: an audit has an inventory, or from_panorama in its place");
        insta::assert_snapshot!(wrong("playbooks", "playbook"), @"schedules.yaml:2:89: unknown field `playbook`, expected one of name, cron, zone, inventory, from_panorama, playbooks, with, group, to, waive, catalogue, reports");
        insta::assert_snapshot!(wrong("to: 10.2.7", "to: 10.2.7.9"), @r#"schedules.yaml:3:72: to: "10.2.7.9" is not a PAN-OS version: "9" follows where the version should end (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)"#);
    }
}
