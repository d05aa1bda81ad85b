//! The commands that ask, and the ones that tell a campaign something: through the running engine where there is one, from
//! the journal where there is none.

use std::collections::BTreeMap;
use std::path::Path;

use hopgate_core::campaign::CampaignEvent;
use hopgate_core::names::{CampaignId, DeviceId, Identity, WaveName};

use super::say;
use crate::api::{ApiError, Running, extent_line};
use crate::clock::Clock;
use crate::config::campaign::CampaignFile;
use crate::config::inventory::Inventory;
use crate::failure::{Exit, Failure};
use crate::journal::{JournalError, export};
use crate::ledger::campaign_stream;
use crate::report;
use crate::state::{State, journal_dir, launch_of};
use crate::story::Story;
use crate::why;

/// How a state directory is reached.
pub(super) enum Access {
    /// Its journal is ours.
    Own(State),
    /// Another process owns it.
    Running(Running),
}

/// Opens the state directory, or finds who owns it. Never makes one: whoever asks in the wrong directory is told so.
pub(super) async fn access(dir: &Path) -> Result<Access, Failure> {
    must_exist(dir)?;
    match State::open(dir) {
        Ok(state) => Ok(Access::Own(state)),
        Err(error @ JournalError::Locked { .. }) => match Running::find(dir) {
            Some(running) => Ok(Access::Running(running)),
            None => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// A running engine answers for its own campaign. What is meant for another one must not reach it.
pub(super) fn must_run(running: &Running, named: Option<&CampaignId>) -> Result<(), Failure> {
    let runs = running.campaign();
    match named {
        Some(named) if named != runs => Err(Failure::unknown(
            format!("the hopgate that owns this state directory runs campaign {runs}, not {named}"),
            format!("name {runs}, or come back when it has ended"),
        )),
        _ => Ok(()),
    }
}

fn must_exist(dir: &Path) -> Result<(), Failure> {
    if journal_dir(dir).is_dir() {
        return Ok(());
    }
    Err(Failure::unknown(
        format!("there is no journal in {}", dir.display()),
        "hopgate plan and hopgate run make one; --state names another directory",
    ))
}

/// The journal of the state directory, for what must be recorded by this process.
pub(super) async fn open_for_pins(dir: &Path) -> Result<State, Failure> {
    Ok(State::open(dir)?)
}

/// Ends a state that this process owned.
pub(super) async fn close(state: State) {
    state.close().await;
}

/// The campaign that is meant: the named one, or the only one.
pub(super) fn only_campaign(state: &State, named: Option<CampaignId>) -> Result<CampaignId, Failure> {
    let known = state.ledger().campaigns()?;
    let list = || {
        known
            .iter()
            .map(CampaignId::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (named, known.as_slice()) {
        (Some(named), _) if known.contains(&named) => Ok(named),
        (Some(named), []) => Err(Failure::unknown(
            format!("there is no campaign {named}"),
            "hopgate run starts one",
        )),
        (Some(named), _) => Err(Failure::unknown(
            format!("there is no campaign {named}"),
            format!("there is {}", list()),
        )),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(Failure::unknown(
            "there is no campaign yet",
            "hopgate run starts one; --state names another directory",
        )),
        (None, _) => Err(Failure::unknown(
            "there is more than one campaign",
            format!("name one of {}", list()),
        )),
    }
}

/// Civil time of a campaign that does not run here: simulated where its inventory says so.
fn clock_of(dir: &Path, campaign: &CampaignId) -> Clock {
    let inventory = launch_of(dir, campaign).and_then(|launch| {
        let file = CampaignFile::load(&launch.campaign_file).ok()?;
        Inventory::load(&file.inventory_path(&launch.campaign_file)).ok()
    });
    inventory.map_or_else(Clock::system, |inventory| inventory.clock())
}

/// Labels of a campaign's inventory, where it can still be read.
fn labels_of(dir: &Path, campaign: &CampaignId) -> BTreeMap<DeviceId, BTreeMap<String, String>> {
    let inventory = launch_of(dir, campaign).and_then(|launch| {
        let file = CampaignFile::load(&launch.campaign_file).ok()?;
        Inventory::load(&file.inventory_path(&launch.campaign_file)).ok()
    });
    let entries = inventory.into_iter().flat_map(|inventory| inventory.devices);
    entries.map(|entry| (entry.name, entry.labels)).collect()
}

fn story(dir: &Path, state: &State, campaign: &CampaignId) -> Result<Story, Failure> {
    let story = Story::of(state.ledger(), campaign, &labels_of(dir, campaign))?;
    story.ok_or_else(|| {
        Failure::unknown(
            format!("there is no campaign {campaign}"),
            "hopgate run starts one",
        )
    })
}

fn no_device(device: &DeviceId, campaign: &CampaignId) -> Failure {
    Failure::unknown(
        format!("campaign {campaign} has no device {device}"),
        "hopgate status lists its devices",
    )
}

/// `hopgate status`.
pub(super) async fn status(dir: &Path, campaign: Option<CampaignId>) -> Result<Exit, Failure> {
    match access(dir).await? {
        Access::Running(running) => {
            must_run(&running, campaign.as_ref())?;
            say(&running.status().await?);
        }
        Access::Own(state) => {
            let campaign = only_campaign(&state, campaign)?;
            say(&report::status_text(&story(dir, &state, &campaign)?));
            close(state).await;
        }
    }
    Ok(Exit::Success)
}

/// `hopgate timeline`.
pub(super) async fn timeline(
    dir: &Path,
    device: &DeviceId,
    campaign: Option<CampaignId>,
) -> Result<Exit, Failure> {
    match access(dir).await? {
        Access::Running(running) => {
            must_run(&running, campaign.as_ref())?;
            say(&running.timeline(device).await?);
        }
        Access::Own(state) => {
            let campaign = only_campaign(&state, campaign)?;
            let text = report::timeline_text(&story(dir, &state, &campaign)?, device);
            close(state).await;
            say(&text.ok_or_else(|| no_device(device, &campaign))?);
        }
    }
    Ok(Exit::Success)
}

/// `hopgate why`.
pub(super) async fn why(
    dir: &Path,
    device: &DeviceId,
    campaign: Option<CampaignId>,
) -> Result<Exit, Failure> {
    match access(dir).await? {
        Access::Running(running) => {
            must_run(&running, campaign.as_ref())?;
            say(&running.why(device).await?);
        }
        Access::Own(state) => {
            let campaign = only_campaign(&state, campaign)?;
            let text = why::why(state.ledger(), &campaign, device, clock_of(dir, &campaign).now())?;
            close(state).await;
            say(&text.ok_or_else(|| no_device(device, &campaign))?);
        }
    }
    Ok(Exit::Success)
}

/// `hopgate report`. Reads the journal itself: a report of a running campaign is made by the process that owns it.
pub(super) async fn report(dir: &Path, campaign: Option<CampaignId>, html: &Path) -> Result<Exit, Failure> {
    let story = match access(dir).await? {
        Access::Running(running) => {
            must_run(&running, campaign.as_ref())?;
            running.story().await?
        }
        Access::Own(state) => {
            let campaign = only_campaign(&state, campaign)?;
            let story = story(dir, &state, &campaign)?;
            close(state).await;
            story
        }
    };
    std::fs::write(html, report::html(&story)).map_err(|error| {
        let source = std::io::Error::new(
            error.kind(),
            format!("failed to write {}: {error}", html.display()),
        );
        Failure::new("C001", "check the path", source)
    })?;
    say(&html.display().to_string());
    Ok(Exit::Success)
}

/// `hopgate approve`.
pub(super) async fn approve(
    dir: &Path,
    campaign: &CampaignId,
    wave: &WaveName,
    by: &Identity,
    reason: &str,
    looked_at: Option<&str>,
) -> Result<Exit, Failure> {
    match access(dir).await? {
        Access::Running(running) => {
            must_run(&running, Some(campaign))?;
            say(&running.approve(wave, by, reason, looked_at).await?);
        }
        Access::Own(state) => {
            let event = approve_here(dir, &state, campaign, wave, by, reason, looked_at).await?;
            close(state).await;
            say(&event.to_string());
        }
    }
    Ok(Exit::Success)
}

async fn approve_here(
    dir: &Path,
    state: &State,
    campaign: &CampaignId,
    wave: &WaveName,
    by: &Identity,
    reason: &str,
    looked_at: Option<&str>,
) -> Result<CampaignEvent, Failure> {
    let known = only_campaign(state, Some(campaign.clone()))?;
    let found = state.ledger().campaign(&known)?;
    let (machine, next) = found.ok_or_else(|| {
        Failure::unknown(
            format!("there is no campaign {known}"),
            "hopgate plan records one",
        )
    })?;
    let event = machine.approve(wave, by, reason, looked_at)?;
    let at = clock_of(dir, &known).now();
    state
        .ledger()
        .append(&campaign_stream(&known)?, next, at, std::slice::from_ref(&event))
        .await?;
    Ok(event)
}

/// `hopgate journal export`.
pub(super) async fn export(dir: &Path, file: &Path) -> Result<Exit, Failure> {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    match access(dir).await? {
        Access::Running(running) => say(&running.export(absolute).await?),
        Access::Own(state) => {
            let extent = export::export(state.ledger().journal().as_ref(), &absolute)?;
            close(state).await;
            say(&extent_line(&extent));
        }
    }
    Ok(Exit::Success)
}

/// `hopgate journal import`. The export holds the records; plans and backups are files of their own.
pub(super) async fn import(dir: &Path, file: &Path) -> Result<Exit, Failure> {
    let state = State::open(dir)?;
    let imported = export::import(state.ledger().journal().as_ref(), file).await;
    close(state).await;
    say(&extent_line(&imported?));
    super::note(&format!(
        "next: copy content/ and the launch-*.json files of the old state directory into {}, then hopgate journal check",
        dir.display()
    ));
    Ok(Exit::Success)
}

/// `hopgate journal check`: opening verifies everything.
pub(super) async fn check(dir: &Path) -> Result<Exit, Failure> {
    must_exist(dir)?;
    let state = State::open(dir)?;
    let streams = state.ledger().journal().streams()?;
    close(state).await;
    let records: u64 = streams.iter().map(|(_, next)| next.0).sum();
    say(&format!(
        "the journal is whole: {records} records of {} streams",
        streams.len()
    ));
    Ok(Exit::Success)
}

/// The running engine, asked for its story.
impl Running {
    async fn story(&self) -> Result<Story, Failure> {
        let text = self.story_json().await?;
        serde_json::from_str(&text).map_err(|error| {
            ApiError::Refused {
                text: format!("the running hopgate is of another version: {error}"),
            }
            .into()
        })
    }
}
