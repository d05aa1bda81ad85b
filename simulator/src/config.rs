//! The running and the candidate configuration of a device, and what moves one to the other.
//!
//! Until somebody edits it, a configuration is worked out when it is asked for and nothing is stored. Knows nothing
//! of requests; `document.rs` knows what is in a configuration.

pub(crate) mod document;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::device::Device;
use crate::jobs::{JobKind, Plan};
use crate::staging::Refusal;
use crate::state::Sight;
use crate::tree::Element;
use crate::wording;
use crate::world::World;
use crate::xpath::XPath;

/// A commit takes about a fifth of the auto-commit after a boot, which starts every service as well. Estimated.
const COMMIT_SHARE: i64 = 5;

/// What was edited.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    /// As it was before anybody edited it.
    drawn: Arc<Element>,
    running: Arc<Element>,
    candidate: Arc<Element>,
    /// What the commit under way will make the running one.
    committing: Option<Arc<Element>>,
    saved: BTreeMap<String, Arc<Element>>,
}

/// Who holds a lock, and since when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Locks(BTreeMap<String, Lock>);

#[derive(Debug, Clone)]
pub(crate) struct Lock {
    pub(crate) since: Timestamp,
    pub(crate) comment: String,
}

impl Locks {
    pub(crate) fn of(holders: &[String], since: Timestamp) -> Self {
        let mut locks = Self::default();
        for holder in holders {
            locks.take(holder, since, "");
        }
        locks
    }

    pub(crate) fn take(&mut self, holder: &str, since: Timestamp, comment: &str) {
        let comment = comment.to_owned();
        self.0.insert(holder.to_owned(), Lock { since, comment });
    }

    /// Whether there was one.
    pub(crate) fn release(&mut self, holder: &str) -> bool {
        self.0.remove(holder).is_some()
    }

    pub(crate) fn holders(&self) -> impl Iterator<Item = (&str, &Lock)> {
        self.0.iter().map(|(holder, lock)| (holder.as_str(), lock))
    }

    /// A holder other than `user`.
    pub(crate) fn held_by_another(&self, user: &str) -> Option<&str> {
        self.0.keys().map(String::as_str).find(|holder| *holder != user)
    }
}

impl Sight<'_> {
    pub(crate) fn running_config(&self, preemptive: Option<bool>) -> Arc<Element> {
        match &self.device.configuration {
            Some(configuration) => configuration.running.clone(),
            None => Arc::new(self.document(preemptive)),
        }
    }

    pub(crate) fn candidate_config(&self, preemptive: Option<bool>) -> Arc<Element> {
        match &self.device.configuration {
            Some(configuration) => configuration.candidate.clone(),
            None => Arc::new(self.document(preemptive)),
        }
    }
}

impl Device {
    /// Whether something waits for a commit.
    pub(crate) fn has_pending_changes(&self) -> bool {
        self.pending_changes
            || self
                .configuration
                .as_ref()
                .is_some_and(|configuration| configuration.candidate != configuration.running)
    }

    /// What was edited; `running` is what runs, for a device that nobody has edited yet.
    fn edited(&mut self, running: Arc<Element>) -> &mut Configuration {
        self.configuration.get_or_insert_with(|| {
            Box::new(Configuration {
                drawn: running.clone(),
                candidate: running.clone(),
                running,
                committing: None,
                saved: BTreeMap::new(),
            })
        })
    }

    pub(crate) fn replace_candidate(&mut self, running: Arc<Element>, candidate: Arc<Element>) {
        self.edited(running).candidate = candidate;
    }

    /// Keeps the candidate under a name.
    pub(crate) fn save_config(&mut self, running: Arc<Element>, name: &str) {
        let configuration = self.edited(running);
        let candidate = configuration.candidate.clone();
        configuration.saved.insert(name.to_owned(), candidate);
        self.saved_configs.insert(name.to_owned());
    }

    pub(crate) fn keep_config(&mut self, running: Arc<Element>, name: &str, document: Element) {
        self.edited(running)
            .saved
            .insert(name.to_owned(), Arc::new(document));
        self.saved_configs.insert(name.to_owned());
    }

    /// A configuration that was saved. One the device saved by itself holds what ran then, which is what runs now.
    pub(crate) fn saved_config(&self, running: &Arc<Element>, name: &str) -> Option<Arc<Element>> {
        let kept = self
            .configuration
            .as_ref()
            .and_then(|edited| edited.saved.get(name));
        let by_itself = self.saved_configs.contains(name).then_some(running);
        kept.or(by_itself).cloned()
    }

    /// What was not committed is gone after a boot.
    pub(crate) fn forget_candidate(&mut self) {
        if let Some(configuration) = &mut self.configuration {
            configuration.candidate = configuration.running.clone();
            configuration.committing = None;
        }
    }

    /// The system of the other partition boots. One that was installed has taken the configuration over; one that was
    /// reverted to has what ran when it was left, and what was committed since is lost (field report, panos-tool).
    pub(crate) fn switch_configuration(&mut self, installed: bool) {
        let running = self.configuration.as_ref().map(|edited| edited.running.clone());
        let other = std::mem::replace(&mut self.other_configuration, running);
        if installed {
            return;
        }
        if let Some(edited) = &mut self.configuration {
            edited.running = other.unwrap_or_else(|| edited.drawn.clone());
            edited.candidate = edited.running.clone();
        }
    }

    /// Why a commit by `user` is refused at present.
    fn commit_refusal(&self, user: &str) -> Option<String> {
        if self.jobs.runs(|kind| matches!(kind, JobKind::AutoCommit)) {
            return Some(wording::COMMIT_RUNS.to_owned());
        }
        if self.jobs.runs(|kind| matches!(kind, JobKind::Commit)) {
            return Some(wording::ANOTHER_COMMIT.to_owned());
        }
        if self
            .jobs
            .runs(|kind| matches!(kind, JobKind::Install(_) | JobKind::ContentInstall(_)))
        {
            return Some(wording::COMMIT_DURING_INSTALL.to_owned());
        }
        let holder = self.config_locks.held_by_another(user);
        let holder = holder.or(self.commit_locks.held_by_another(user));
        holder.map(wording::configuration_locked)
    }

    /// Enqueues a commit of what is pending; `None` when there is nothing.
    pub(crate) fn commit(
        &mut self,
        world: &World,
        user: &str,
        force: bool,
        now: Timestamp,
    ) -> Result<Option<u32>, Refusal> {
        if let Some(text) = self.commit_refusal(user) {
            return Err(Refusal { code: 14, text });
        }
        if !self.has_pending_changes() && !force {
            return Ok(None);
        }
        if let Some(configuration) = &mut self.configuration {
            configuration.committing = Some(configuration.candidate.clone());
        }
        let nominal = SignedDuration::from_secs(self.class.reboot_seconds.auto_commit / COMMIT_SHARE);
        let length = self.spread(world, "commit", nominal);
        let id = self
            .jobs
            .enqueue(now, JobKind::Commit, Plan::Succeed, Some(length), None);
        Ok(Some(id))
    }

    /// A commit, or a synchronisation, ended well. Edits made meanwhile are still pending.
    pub(crate) fn committed(&mut self) {
        self.pending_changes = false;
        if let Some(configuration) = &mut self.configuration
            && let Some(committed) = configuration.committing.take()
        {
            if configuration.candidate == configuration.running {
                configuration.candidate = committed.clone();
            }
            configuration.running = committed;
        }
    }

    /// Begins to take the partner's configuration over: all of it but the name and addresses, which are one's own.
    pub(crate) fn take_over(&mut self, own: Arc<Element>, partners: Arc<Element>) {
        const DEVICE: &str = "/config/devices/entry[@name='localhost.localdomain']/deviceconfig";
        let mut taken = partners;
        for own_alone in [
            "system/hostname",
            "system/ip-address",
            "high-availability/interface/ha1/ip-address",
            "high-availability/interface/ha1/gateway",
            "high-availability/group/peer-ip",
        ] {
            let Ok(path) = XPath::parse(&format!("{DEVICE}/{own_alone}")) else {
                continue;
            };
            let kept = path.find(&own).first().map(|element| element.text.clone());
            if let Some((kept, place)) = kept.zip(path.make(Arc::make_mut(&mut taken))) {
                place.text = kept;
            }
        }
        self.edited(own).committing = Some(taken);
    }

    /// Whether the running configuration was edited to turn preemption on or off.
    pub(crate) fn configured_preemption(&self) -> Option<bool> {
        let running = &self.configuration.as_ref()?.running;
        let entry = running.at(&["devices", "entry"])?;
        let election = [
            "deviceconfig",
            "high-availability",
            "group",
            "election-option",
            "preemptive",
        ];
        entry.text_at(&election).map(|text| text == "yes")
    }
}
