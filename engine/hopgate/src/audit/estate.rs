//! Asks every device of an estate, many at once, none waiting for another.
//!
//! Each device is a task of its own with a deadline: a slow one holds its own place only, and one that trips hopgate
//! itself is told as such while the others go on. Knows nothing of reports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hopgate_core::names::DeviceId;
use hopgate_panos::Client;
use tokio::task::{Id, JoinError, JoinSet};

use super::beside::Campaign;
use super::evidence::Shared;
use super::firewall;
use super::live::Live;
use super::question::Question;
use super::{Audit, Audited};
use crate::clock::{self, Clock};
use crate::config::inventory::{Entry, Inventory};
use crate::config::selector::Meant;
use crate::kept::Kept;

/// How often slow devices are looked for.
const LOOK: Duration = Duration::from_millis(250);

/// Asks every device that is meant.
pub async fn ask(
    clients: &BTreeMap<DeviceId, Arc<Client>>,
    campaign: Option<&Campaign>,
    inventory: &Inventory,
    question: &Arc<Question>,
    kept: Kept,
    clock: &Clock,
    live: &mut Live,
) -> Audit {
    let began = clock.now();
    let mut waiting = inventory
        .devices
        .iter()
        .filter(|entry| question.selection.of_entry(entry) != Meant::No)
        .filter_map(|entry| Some((entry, clients.get(&entry.name)?)));
    let mut tasks: JoinSet<Option<Audited>> = JoinSet::new();
    let mut under_way: BTreeMap<Id, Entry> = BTreeMap::new();
    let mut devices = Vec::new();
    let mut shared = Shared::default();
    live.begin(waiting.clone().map(|(entry, _)| &entry.name));
    loop {
        while tasks.len() < question.at_once.max(1)
            && let Some((entry, client)) = waiting.next()
        {
            if let Some(why) = campaign.and_then(|campaign| campaign.keeps_from(entry)) {
                let audited = unread(entry, why);
                live.answered(&entry.name, Some(&audited));
                devices.push(audited);
                continue;
            }
            let task = one(
                Arc::clone(client),
                entry.clone(),
                Arc::clone(question),
                kept.clone(),
                clock.clone(),
            );
            under_way.insert(tasks.spawn(task).id(), entry.clone());
            live.asked(&entry.name);
        }
        tokio::select! {
            ended = tasks.join_next_with_id() => match ended {
                None => break,
                Some(ended) => {
                    let mut audited = take(ended, &mut under_way, live);
                    if let Some(evidence) = audited.as_mut().and_then(|audited| audited.evidence.as_mut()) {
                        shared.share(evidence);
                    }
                    devices.extend(audited);
                }
            },
            () = clock::pause(LOOK) => live.look(),
        }
    }
    live.end();
    devices.sort_by(|a: &Audited, b: &Audited| (a.outcome(), &a.device).cmp(&(b.outcome(), &b.device)));
    Audit {
        began,
        ended: clock.now(),
        asked: question.names(),
        settings: question.settings.clone(),
        target: question.target.map(|target| target.to_string()),
        not_asked: question.not_asked.clone(),
        needs: question.needs(),
        devices,
    }
}

async fn one(
    client: Arc<Client>,
    entry: Entry,
    question: Arc<Question>,
    kept: Kept,
    clock: Clock,
) -> Option<Audited> {
    let began = clock::machine_time();
    // Boxed: the futures of many calls side by side are too large to be moved around.
    let read = Box::pin(firewall::read(&client, &entry, &question, &clock)).await;
    client.rest();
    let mut read = read?;
    let took = began.duration_until(clock::machine_time()).as_millis();
    let took_ms = u64::try_from(took).unwrap_or(0);
    read.tell_kept(&kept).await;
    Some(firewall::judge(&entry, read, &question, took_ms, &clock))
}

fn take(
    ended: Result<(Id, Option<Audited>), JoinError>,
    under_way: &mut BTreeMap<Id, Entry>,
    live: &mut Live,
) -> Option<Audited> {
    let (id, audited) = match ended {
        Ok((id, audited)) => (id, audited),
        Err(error) => {
            let tripped = under_way.get(&error.id()).map(|entry| tripped(entry, &error));
            (error.id(), tripped)
        }
    };
    let entry = under_way.remove(&id)?;
    live.answered(&entry.name, audited.as_ref());
    audited
}

/// A device whose answers made hopgate itself fail.
fn tripped(entry: &Entry, error: &JoinError) -> Audited {
    let said = if error.is_panic() {
        "a defect of hopgate, please report it"
    } else {
        "the task was ended"
    };
    unread(entry, format!("what it answered could not be judged: {said}"))
}

/// A device of which nothing is known, for this reason.
fn unread(entry: &Entry, why: String) -> Audited {
    Audited {
        device: entry.name.clone(),
        labels: entry.labels.clone(),
        model: None,
        serial: None,
        version: None,
        unread: Some(why),
        missing: BTreeMap::new(),
        way: None,
        answers: Vec::new(),
        took_ms: 0,
        evidence: None,
        facts: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Outcome;

    #[tokio::test]
    async fn a_device_that_trips_hopgate_is_told_as_unknown() {
        let inventory = "\
devices:
  - {name: fw1, address: a, labels: {customer: acme}, credentials: {user: admin, password_from: {env: PW}}}
";
        let path = std::path::Path::new("inventory.yaml");
        let inventory: Inventory = crate::config::parse(path, inventory).unwrap();
        let mut tasks: JoinSet<Option<Audited>> = JoinSet::new();
        let id = tasks.spawn(async { panic!("an answer nobody thought of") }).id();
        let mut under_way = BTreeMap::from([(id, inventory.devices[0].clone())]);
        let ended = tasks.join_next_with_id().await.unwrap();
        let device = take(ended, &mut under_way, &mut Live::silent()).unwrap();
        assert!(under_way.is_empty());
        assert_eq!(
            (device.device.as_str(), device.outcome()),
            ("fw1", Outcome::Unknown)
        );
        assert_eq!(device.labels["customer"], "acme");
        insta::assert_snapshot!(device.unread.as_deref().unwrap(), @"what it answered could not be judged: a defect of hopgate, please report it");
    }
}
