//! Getting software onto a device: downloads and installs, and every reason why one fails.
//!
//! Decides when a job is enqueued how it will end. Knows nothing of HTTP.

use jiff::{SignedDuration, Timestamp};

use crate::device::Device;
use crate::fault::{Effect, UpdateServer};
use crate::jobs::{JobKind, Plan};
use crate::release::Version;
use crate::software::Mount;
use crate::spec::ContentVersion;
use crate::wording;
use crate::world::World;

/// How soon a job fails that finds the software manager busy (a PA-410's log says 11 s).
const BUSY: SignedDuration = SignedDuration::from_secs(11);

/// How soon a job fails on a check it makes first.
const CHECKED: SignedDuration = SignedDuration::from_secs(15);

/// Content is a tenth of the size of an image and installs in a couple of minutes on most models.
const CONTENT_DOWNLOAD: SignedDuration = SignedDuration::from_secs(40);
const CONTENT_INSTALL: SignedDuration = SignedDuration::from_secs(150);

/// Why no job was enqueued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) text: String,
}

impl Device {
    /// Whether the update server offers this device a version. The running one is always listed.
    pub(crate) fn is_offered(&self, version: Version) -> bool {
        self.class.is_offered(version) || version == self.version() || self.images.has(version)
    }

    /// Enqueues a download; the id of its job.
    pub(crate) fn download(
        &mut self,
        world: &World,
        version: Version,
        sync_to_peer: bool,
        now: Timestamp,
    ) -> Result<u32, Refusal> {
        let Some(release) = world.catalogue.get(version).filter(|_| self.is_offered(version)) else {
            return Err(Refusal {
                code: 17,
                text: wording::not_a_keyword(&version.to_string()),
            });
        };
        *self.counters.downloads_started.entry(version).or_default() += 1;
        let kind = JobKind::Download {
            version,
            sync_to_peer,
        };
        if self.software_manager_is_busy(now) {
            let plan = Plan::Turned(vec![wording::SOFTWARE_MANAGER_BUSY.to_owned()]);
            return Ok(self.jobs.enqueue(now, kind, plan, Some(BUSY), None));
        }
        let refused = self.download_refused(world, version, release.size, now);
        if let Some(text) = refused {
            return Ok(self
                .jobs
                .enqueue(now, kind, Plan::Fail(vec![text]), Some(CHECKED), None));
        }
        Ok(self.fetch(world, kind, version, release.size, now))
    }

    /// One job at a time, and none while a fault keeps it busy.
    fn software_manager_is_busy(&self, now: Timestamp) -> bool {
        self.jobs.software_job().is_some() || self.ailments.is_busy(now)
    }

    /// What stops a download before it begins.
    fn download_refused(
        &self,
        world: &World,
        version: Version,
        megabytes: u64,
        now: Timestamp,
    ) -> Option<String> {
        match self.update_server(world, now) {
            Some(UpdateServer::Unreachable) => Some(wording::SERVER_UNREACHABLE.to_owned()),
            Some(UpdateServer::NotEntitled) => Some(wording::NOT_ENTITLED.to_owned()),
            None if self.full.contains(&Mount::Root) => Some(wording::ROOT_FULL.to_owned()),
            None if !self.images.has_room(version, megabytes) => Some(wording::no_space(version)),
            None => None,
        }
    }

    /// The download itself, and how it is going to end.
    fn fetch(
        &mut self,
        world: &World,
        kind: JobKind,
        version: Version,
        megabytes: u64,
        now: Timestamp,
    ) -> u32 {
        let (fetch, load) = (self.class.download(megabytes), self.class.load());
        let fetch = self.spread(world, "download", fetch);
        let load = self.spread(world, "load", load);
        let mut plan = Plan::Succeed;
        for (id, effect) in self.ills(world, self.version(), now) {
            match effect {
                Effect::DownloadStalls {
                    gives_up_after_minutes,
                } => {
                    let gives_up = gives_up_after_minutes.map(|minutes| {
                        let length = SignedDuration::from_mins(i64::from(minutes));
                        (length.max(fetch + load), wording::DOWNLOAD_TIMED_OUT.to_owned())
                    });
                    return self.jobs.enqueue_stalled(now, kind, fetch, gives_up);
                }
                Effect::DownloadFails { text, times } if self.fails_again(&id, version, times) => {
                    plan = Plan::Fail(vec![text]);
                }
                _ => {}
            }
        }
        let missing = world
            .catalogue
            .base_needed(version)
            .filter(|base| !self.images.has(*base));
        if let Some(base) = missing {
            plan = Plan::Fail(vec![wording::base_missing(base)]);
        } else if self.mistrusts_signatures(world, now) {
            plan = Plan::Fail(vec![wording::CLOCK_WRONG.to_owned()]);
        }
        self.jobs.enqueue(now, kind, plan, Some(fetch + load), Some(load))
    }

    /// Whether a fault that fails a job `times` times for a version has not done so yet. Counts it.
    fn fails_again(&mut self, rule: &str, version: Version, times: Option<u32>) -> bool {
        let Some(times) = times else { return true };
        let name = format!("{rule} {version}");
        let again = self.ailments.strikes(&name) < times;
        if again {
            self.ailments.strike(&name);
        }
        again
    }

    /// Enqueues an install; the id of its job.
    pub(crate) fn install(
        &mut self,
        world: &World,
        version: Version,
        now: Timestamp,
    ) -> Result<u32, Refusal> {
        if world.catalogue.get(version).is_none() || !self.is_offered(version) {
            return Err(Refusal {
                code: 17,
                text: wording::not_a_keyword(&version.to_string()),
            });
        }
        if !self.images.has(version) {
            return Err(Refusal {
                code: 14,
                text: wording::not_downloaded(version),
            });
        }
        *self.counters.installs_started.entry(version).or_default() += 1;
        let (plan, length) = self.install_plan(world, version, now);
        Ok(self
            .jobs
            .enqueue(now, JobKind::Install(version), plan, Some(length), None))
    }

    fn install_plan(&mut self, world: &World, version: Version, now: Timestamp) -> (Plan, SignedDuration) {
        if self.software_manager_is_busy(now) {
            let lines = wording::install_failed(version, wording::SOFTWARE_MANAGER_BUSY);
            return (Plan::Turned(lines), BUSY);
        }
        if let Some(text) = self.install_refused(world, version, now) {
            return (Plan::Fail(vec![text]), CHECKED);
        }
        self.partitions.begin_install();
        self.staged = false;
        let mut plan = Plan::Succeed;
        for (id, effect) in self.ills(world, version, now) {
            if let Effect::InstallFails { text, times } = effect
                && self.fails_again(&id, version, times)
            {
                plan = Plan::Fail(wording::install_failed(version, &text));
            }
        }
        let length = self.class.install();
        (plan, self.spread(world, "install", length))
    }

    /// What stops an install before it writes anything.
    fn install_refused(&self, world: &World, version: Version, now: Timestamp) -> Option<String> {
        if self.full.contains(&Mount::Root) {
            return Some(wording::ROOT_FULL.to_owned());
        }
        let asked = self.ills(world, version, now).into_iter();
        let asked = asked.filter_map(|(_, effect)| match effect {
            Effect::ContentMinimum { first } => Some(first),
            _ => None,
        });
        let needed = world
            .catalogue
            .min_content(version)
            .into_iter()
            .chain(asked)
            .max()?;
        (version.train() != self.version().train() && self.content.first < needed)
            .then(|| wording::content_too_old(self.version(), version, needed, self.content))
    }

    /// The newest content on the update server: the device's own and the minimum of the newest train are not above
    /// it, so that a content update never goes backwards and always suffices.
    pub(crate) fn newest_content(&self) -> ContentVersion {
        const NEWEST: ContentVersion = ContentVersion {
            first: 9050,
            second: 9800,
        };
        NEWEST.max(self.content)
    }

    pub(crate) fn download_content(&mut self, world: &World, now: Timestamp) -> u32 {
        let kind = JobKind::ContentDownload(self.newest_content());
        let length = self.spread(world, "content download", CONTENT_DOWNLOAD);
        let plan = match self.update_server(world, now) {
            Some(UpdateServer::Unreachable) => Plan::Fail(vec![wording::SERVER_UNREACHABLE.to_owned()]),
            Some(UpdateServer::NotEntitled) => Plan::Fail(vec![wording::NOT_ENTITLED.to_owned()]),
            None => Plan::Succeed,
        };
        self.jobs.enqueue(now, kind, plan, Some(length), None)
    }

    /// What the update server and the device together know of: two at least, as panos-upgrade-assurance cannot read
    /// a list of one.
    pub(crate) fn listed_content(&self) -> Vec<ContentVersion> {
        let older = ContentVersion {
            first: self.content.first.saturating_sub(1),
            second: self.content.second,
        };
        let mut listed = vec![self.newest_content(), self.content, older];
        listed.extend(self.previous_content);
        listed.extend(self.downloaded_content);
        listed.sort_unstable_by(|one, other| other.cmp(one));
        listed.dedup();
        listed
    }

    /// Whether a content version may be named in a request.
    pub(crate) fn knows_content(&self, content: ContentVersion) -> bool {
        self.listed_content().contains(&content)
    }

    /// Whether a content version is on disk.
    pub(crate) fn holds_content(&self, content: ContentVersion) -> bool {
        content == self.content
            || self.downloaded_content == Some(content)
            || self.previous_content == Some(content)
    }

    /// Installs a content version. Asking again for the one that runs succeeds: pan-os-python does so on every hop.
    pub(crate) fn install_content(
        &mut self,
        world: &World,
        content: ContentVersion,
        now: Timestamp,
    ) -> Result<u32, Refusal> {
        if !self.holds_content(content) {
            return Err(Refusal {
                code: 14,
                text: wording::content_not_downloaded(content),
            });
        }
        let length = self.spread(world, "content install", CONTENT_INSTALL);
        let plan = self.content_plan(world, now);
        let kind = JobKind::ContentInstall(content);
        Ok(self.jobs.enqueue(now, kind, plan, Some(length), None))
    }

    /// Goes back to the content before this one.
    pub(crate) fn downgrade_content(&mut self, world: &World, now: Timestamp) -> Result<u32, Refusal> {
        match self.previous_content {
            Some(previous) => self.install_content(world, previous, now),
            None => Err(Refusal {
                code: 14,
                text: wording::NO_PREVIOUS_CONTENT.to_owned(),
            }),
        }
    }

    /// Deletes an image from disk: not the running one, and no base that another one needs.
    pub(crate) fn delete_image(&mut self, world: &World, version: Version) -> Result<(), Refusal> {
        let refuse = |code, text| Err(Refusal { code, text });
        if !self.images.has(version) {
            return refuse(17, wording::not_a_keyword(&version.to_string()));
        }
        if version == self.version() {
            return refuse(14, wording::image_runs(version));
        }
        let mut others = self.images.versions().into_iter();
        if let Some(dependent) = others.find(|other| world.catalogue.base_needed(*other) == Some(version)) {
            return refuse(10, wording::image_is_base(version, dependent));
        }
        self.images.remove(version);
        Ok(())
    }

    fn content_plan(&self, world: &World, now: Timestamp) -> Plan {
        let full = [
            (Mount::Root, wording::ROOT_FULL),
            (Mount::Pancfg, wording::PANCFG_FULL),
        ];
        let full = full
            .into_iter()
            .find(|(mount, _)| self.full.contains(mount))
            .map(|(_, text)| text.to_owned());
        let fails = self
            .effects(world, now)
            .into_iter()
            .find_map(|effect| match effect {
                Effect::ContentInstallFails { text } => Some(text),
                _ => None,
            });
        full.or(fails)
            .map_or(Plan::Succeed, |text| Plan::Fail(vec![text]))
    }

    /// Takes an image over from the peer, if there is room.
    pub(crate) fn receive_image(&mut self, world: &World, version: Version) {
        if let Some(release) = world.catalogue.get(version)
            && self.images.has_room(version, release.size)
        {
            self.images.add(version, release.size);
        }
    }
}
