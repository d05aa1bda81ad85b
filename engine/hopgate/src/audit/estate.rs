//! Asks every device of an estate, many at once, none waiting for another.
//!
//! Each device is a task of its own with a deadline: a slow one holds its own place only, and one that trips hopgate
//! itself is told as such while the others go on. Knows nothing of reports.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hopgate_core::names::DeviceId;
use hopgate_panos::Client;
use hopgate_paths::{Catalogue, Target};
use hopgate_playbooks::{FactArea, Playbook, Setting};
use tokio::task::{Id, JoinError, JoinSet};

use super::beside::Campaign;
use super::firewall;
use super::live::Live;
use super::waivers::Waivers;
use super::{Audit, Audited, Outcome};
use crate::checks::{ADVISORIES, Asked, Hashed};
use crate::clock::{self, Clock};
use crate::config::inventory::{Entry, Inventory};
use crate::config::selector::{Meant, Selector};

/// Devices that are asked at once where nobody says otherwise. A management plane takes its time for every answer, so that
/// an estate is as quick as many of them wait side by side; one holds two connections and its replies, a quarter of a megabyte.
pub const AT_ONCE: usize = 340;

/// Seconds after which a device is told as not read, where nobody says otherwise: as long as a healthy one takes for a
/// large configuration, twice.
pub const PATIENCE_S: u64 = 120;

/// How often slow devices are looked for.
const LOOK: Duration = Duration::from_millis(250);

/// What is asked, and of whom.
pub struct Question {
    /// The checks.
    pub playbooks: Vec<Playbook>,
    /// The settings that were chosen for them, by playbook.
    pub settings: BTreeMap<String, BTreeMap<String, Setting>>,
    /// Whether what the catalogue knows against each device's way is asked too.
    pub advisories: bool,
    /// Where every device's way is planned to.
    pub target: Option<Target>,
    /// The releases, and what is known of them.
    pub catalogue: Cow<'static, Catalogue>,
    /// Which devices are meant.
    pub selector: Selector,
    /// What somebody decided not to count.
    pub waivers: Waivers,
    /// Whether what was read is wanted afterwards.
    pub keep_facts: bool,
    /// Devices that are asked at once; at least 1.
    pub at_once: usize,
    /// How long one device may take.
    pub patience: Duration,
    /// The facts that the checks need.
    pub areas: BTreeSet<FactArea>,
    /// The checks that are about a hop, where there is no target.
    pub not_asked: Vec<String>,
}

impl Question {
    /// These checks, of every device, without waivers or facts kept. Without a target no hop is looked for, and what is
    /// about one is left out: asked all the same, it would make every device unknown.
    pub fn of(asked: Vec<Hashed>, target: Option<Target>, catalogue: Cow<'static, Catalogue>) -> Question {
        let mut question = Question {
            playbooks: Vec::new(),
            settings: BTreeMap::new(),
            advisories: false,
            target,
            catalogue,
            selector: Selector::default(),
            waivers: Waivers::default(),
            keep_facts: false,
            at_once: AT_ONCE,
            patience: Duration::from_secs(PATIENCE_S),
            areas: BTreeSet::from([FactArea::System]),
            not_asked: Vec::new(),
        };
        for hashed in asked {
            if !hashed.settings.is_empty() {
                let chosen = (hashed.name().to_owned(), hashed.settings.clone());
                question.settings.extend([chosen]);
            }
            match hashed.asked {
                Asked::Playbook(playbook) => question.add(playbook),
                Asked::Advisories => question.advisories = true,
                // One look has nothing to compare with: the order refuses it.
                Asked::Differences(_) => {}
            }
        }
        question
    }

    fn add(&mut self, playbook: Playbook) {
        let playbook = if self.target.is_some() {
            playbook
        } else {
            let (rest, left_out) = playbook.without_hop();
            let named = |check| format!("{}/{check}", rest.name());
            self.not_asked.extend(left_out.into_iter().map(named));
            rest
        };
        self.areas.extend(playbook.needs());
        self.playbooks.push(playbook);
    }

    /// A playbook whose checks were all left out: that nothing was found would say nothing.
    pub fn nothing_left(&self) -> Option<&str> {
        let mut empty = self.playbooks.iter().filter(|playbook| {
            let mut checks = playbook.checks();
            checks.next().is_none()
        });
        empty.next().map(Playbook::name)
    }

    fn names(&self) -> Vec<String> {
        let playbooks = self.playbooks.iter().map(|playbook| playbook.name().to_owned());
        let advisories = self.advisories.then(|| ADVISORIES.to_owned());
        playbooks.chain(advisories).collect()
    }
}

/// Asks every device that is meant.
pub async fn ask(
    clients: &BTreeMap<DeviceId, Arc<Client>>,
    campaign: Option<&Campaign>,
    inventory: &Inventory,
    question: &Arc<Question>,
    clock: &Clock,
    live: &mut Live,
) -> Audit {
    let began = clock.now();
    let mut waiting = inventory
        .devices
        .iter()
        .filter(|entry| question.selector.of_entry(entry) != Meant::No)
        .filter_map(|entry| Some((entry, clients.get(&entry.name)?)));
    let mut tasks: JoinSet<Option<Audited>> = JoinSet::new();
    let mut under_way: BTreeMap<Id, Entry> = BTreeMap::new();
    let mut devices = Vec::new();
    live.begin(waiting.clone().count());
    loop {
        while tasks.len() < question.at_once.max(1)
            && let Some((entry, client)) = waiting.next()
        {
            if let Some(why) = campaign.and_then(|campaign| campaign.keeps_from(entry)) {
                live.asked(&entry.name);
                live.answered(&entry.name, Some(Outcome::Unknown));
                devices.push(unread(entry, why));
                continue;
            }
            let task = one(
                Arc::clone(client),
                entry.clone(),
                Arc::clone(question),
                clock.clone(),
            );
            under_way.insert(tasks.spawn(task).id(), entry.clone());
            live.asked(&entry.name);
        }
        tokio::select! {
            ended = tasks.join_next_with_id() => match ended {
                None => break,
                Some(ended) => take(ended, &mut under_way, &mut devices, live),
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
        devices,
    }
}

async fn one(client: Arc<Client>, entry: Entry, question: Arc<Question>, clock: Clock) -> Option<Audited> {
    let began = clock::machine_time();
    // Boxed: the futures of many calls side by side are too large to be moved around.
    let read = Box::pin(firewall::read(&client, &entry, &question, &clock)).await;
    client.rest();
    let read = read?;
    let took = began.duration_until(clock::machine_time()).as_millis();
    let took_ms = u64::try_from(took).unwrap_or(0);
    Some(firewall::judge(&entry, read, &question, took_ms, &clock))
}

fn take(
    ended: Result<(Id, Option<Audited>), JoinError>,
    under_way: &mut BTreeMap<Id, Entry>,
    devices: &mut Vec<Audited>,
    live: &mut Live,
) {
    let (id, audited) = match ended {
        Ok((id, audited)) => (id, audited),
        Err(error) => {
            let tripped = under_way.get(&error.id()).map(|entry| tripped(entry, &error));
            (error.id(), tripped)
        }
    };
    let Some(entry) = under_way.remove(&id) else {
        return;
    };
    live.answered(&entry.name, audited.as_ref().map(Audited::outcome));
    devices.extend(audited);
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
        facts: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Outcome;

    #[test]
    fn the_page_tells_what_holds_where_nobody_says_otherwise() {
        let page = include_str!("../../../../docs/audit.md");
        for told in [
            format!("side by side ({AT_ONCE})"),
            format!("`--timeout` seconds ({PATIENCE_S})"),
        ] {
            assert!(page.contains(&told), "{told}");
        }
    }

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
        let mut devices = Vec::new();
        let ended = tasks.join_next_with_id().await.unwrap();
        take(ended, &mut under_way, &mut devices, &mut Live::silent());
        assert!(under_way.is_empty());
        let [device] = devices.as_slice() else {
            panic!("{devices:?}")
        };
        assert_eq!(
            (device.device.as_str(), device.outcome()),
            ("fw1", Outcome::Unknown)
        );
        assert_eq!(device.labels["customer"], "acme");
        insta::assert_snapshot!(device.unread.as_deref().unwrap(), @"what it answered could not be judged: a defect of hopgate, please report it");
    }
}
