//! A device's job table: ids, PEND/ACT/FIN, progress that may fall, detail lines, a short history.
//!
//! Knows when a job ends and whether it was planned to succeed; what a job does to the device when it ends is
//! `device.rs`'s business.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::release::Version;
use crate::spec::ContentVersion;
use crate::wording;

/// `show jobs all` keeps about this many (paloversion's author counted 29).
const HISTORY: usize = 29;

/// Where a job that never ends stands, unless a fault says otherwise (PAN-218372: 55 %).
const STANDING: u8 = 55;

/// How long a new job waits in the queue: long enough to be seen as PEND.
const QUEUED: SignedDuration = SignedDuration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    AutoCommit,
    Download {
        version: Version,
        sync_to_peer: bool,
    },
    Install(Version),
    ContentDownload(ContentVersion),
    ContentInstall(ContentVersion),
    Commit,
    /// On the peer that takes a configuration over.
    HaSync,
    TechSupport,
    ListRefresh,
    /// An update of WildFire signatures, as many firewalls make every few minutes.
    WildFire,
    /// A `Failed-Job` entry, which has no id (panos-upgrade-assurance, test `skip_nojobid`).
    Unnumbered,
}

impl JobKind {
    /// Job type as the device shows it. The type of content jobs is not documented anywhere; `Downld` and
    /// `Content` follow the software jobs.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::AutoCommit => "AutoCom",
            Self::Download { .. } | Self::ContentDownload(_) => "Downld",
            Self::Install(_) => "SWInstall",
            Self::ContentInstall(_) => "Content",
            Self::Commit => "Commit",
            Self::HaSync => "HA-Sync",
            Self::TechSupport => "Exec",
            Self::ListRefresh => "EDLRefresh",
            Self::WildFire => "WildFire",
            Self::Unnumbered => "Failed-Job",
        }
    }

    /// Whether the job needs the software manager, which serves one job at a time.
    fn is_software(self) -> bool {
        matches!(self, Self::Download { .. } | Self::Install(_))
    }
}

/// How a job is going to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    Succeed,
    Fail(Vec<String>),
    /// Refused by a busy software manager: never starts, then fails.
    Turned(Vec<String>),
}

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u32,
    pub(crate) kind: JobKind,
    pub(crate) enqueued: Timestamp,
    /// Of a download: when the image is here and starts to load into the software manager.
    loads: Option<Timestamp>,
    /// `None` for a job that never ends.
    ends: Option<Timestamp>,
    plan: Plan,
    finished: Option<Timestamp>,
    /// Percentage at which it stands: from the start, or once it would load into the software manager.
    stands_at: Option<u8>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum JobStatus {
    /// In the queue.
    #[serde(rename = "PEND")]
    Pending,
    /// Running.
    #[serde(rename = "ACT")]
    Active,
    /// Over.
    #[serde(rename = "FIN")]
    Finished,
}

/// How a job ended, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum JobResult {
    /// Not over.
    #[serde(rename = "PEND")]
    Pending,
    /// Well.
    #[serde(rename = "OK")]
    Ok,
    /// Badly.
    #[serde(rename = "FAIL")]
    Failed,
}

impl Job {
    pub(crate) fn starts(&self) -> Timestamp {
        after(self.enqueued, QUEUED)
    }

    pub(crate) fn finished(&self) -> Option<Timestamp> {
        self.finished
    }

    pub(crate) fn status(&self, now: Timestamp) -> JobStatus {
        if self.finished.is_some() {
            JobStatus::Finished
        } else if now < self.starts() || matches!(self.plan, Plan::Turned(_)) {
            JobStatus::Pending
        } else {
            JobStatus::Active
        }
    }

    pub(crate) fn result(&self) -> JobResult {
        match (&self.finished, &self.plan) {
            (None, _) => JobResult::Pending,
            (Some(_), Plan::Succeed) => JobResult::Ok,
            (Some(_), Plan::Fail(_) | Plan::Turned(_)) => JobResult::Failed,
        }
    }

    /// Whole percent. A download counts to 99 twice: while it comes, and while it loads into the software
    /// manager. An install falls back once, when it has unpacked the image.
    pub(crate) fn progress(&self, now: Timestamp) -> u8 {
        if self.finished.is_some() {
            return 100;
        }
        let start = self.starts();
        let ends = self.ends.filter(|_| self.stands_at.is_none());
        match (self.kind, self.loads, ends) {
            (_, Some(loads), _) if now < loads => share(start, now, loads, 99),
            (_, _, None) => self.stands_at.unwrap_or(STANDING),
            (_, Some(loads), Some(ends)) => share(loads, now, ends, 99),
            (JobKind::Install(_), None, Some(ends)) => install_progress(share(start, now, ends, 100)),
            (_, None, Some(ends)) => share(start, now, ends, 99),
        }
    }

    pub(crate) fn lines(&self, now: Timestamp) -> Vec<String> {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        match (&self.finished, &self.plan, self.kind) {
            (Some(_), Plan::Fail(lines) | Plan::Turned(lines), _) => lines.clone(),
            (Some(_), Plan::Succeed, kind) => finished_lines(kind),
            (None, Plan::Turned(_), _) => Vec::new(),
            (None, Plan::Succeed | Plan::Fail(_), _) => {
                let loading = self.loads.is_some_and(|loads| now >= loads);
                if loading {
                    owned(&[wording::DOWNLOADED, wording::PRELOADING])
                } else {
                    Vec::new()
                }
            }
        }
    }
}

fn finished_lines(kind: JobKind) -> Vec<String> {
    match kind {
        JobKind::AutoCommit => vec![wording::COMMITTED.to_owned()],
        JobKind::Install(version) => vec![wording::installed(version)],
        JobKind::ContentDownload(_) => vec![wording::DOWNLOADED.to_owned()],
        JobKind::ContentInstall(_) | JobKind::Commit => vec![wording::COMMITTED.to_owned()],
        JobKind::HaSync => vec![wording::SYNCHRONIZED.to_owned()],
        JobKind::ListRefresh => vec![wording::LIST_REFRESHED.to_owned()],
        JobKind::TechSupport | JobKind::WildFire | JobKind::Unnumbered => Vec::new(),
        JobKind::Download { .. } => [wording::DOWNLOADED, wording::PRELOADING, wording::LOADED]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// How much of `from..until` is over at `now`, of `of`.
fn share(from: Timestamp, now: Timestamp, until: Timestamp, of: u8) -> u8 {
    let whole = until.duration_since(from).as_millis().max(1);
    let part = now.duration_since(from).as_millis().clamp(0, whole);
    u8::try_from(part * i128::from(of) / whole).unwrap_or(of)
}

fn install_progress(percent: u8) -> u8 {
    match percent {
        0..=60 => percent,
        61..=70 => 45 + (percent - 60),
        more => more.min(99),
    }
}

/// An instant and a duration, kept in the range of instants.
pub(crate) fn after(instant: Timestamp, duration: SignedDuration) -> Timestamp {
    instant.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

#[derive(Debug, Default)]
pub(crate) struct JobTable {
    last_id: u32,
    jobs: VecDeque<Job>,
}

impl JobTable {
    /// A job of `length` (`None`: for ever), of which the last `loading` is spent in the software manager.
    pub(crate) fn enqueue(
        &mut self,
        now: Timestamp,
        kind: JobKind,
        plan: Plan,
        length: Option<SignedDuration>,
        loading: Option<SignedDuration>,
    ) -> u32 {
        if kind != JobKind::Unnumbered {
            self.last_id += 1;
        }
        let ends = length.map(|length| after(now, length.max(QUEUED)));
        let loads = ends.zip(loading).map(|(ends, loading)| after(ends, -loading));
        let id = self.last_id;
        self.jobs.push_back(Job {
            id,
            kind,
            enqueued: now,
            loads,
            ends,
            plan,
            finished: None,
            stands_at: None,
        });
        self.forget();
        id
    }

    /// A job that stands at a percentage for ever.
    pub(crate) fn enqueue_stuck(&mut self, now: Timestamp, kind: JobKind, percent: u8) -> u32 {
        let id = self.enqueue(now, kind, Plan::Succeed, None, None);
        if let Some(job) = self.jobs.back_mut() {
            job.stands_at = Some(percent);
        }
        id
    }

    /// A download that comes to 99 %, falls to 0, and stands there; it ends badly at last, where `gives_up` says so.
    pub(crate) fn enqueue_stalled(
        &mut self,
        now: Timestamp,
        kind: JobKind,
        fetch: SignedDuration,
        gives_up: Option<(SignedDuration, String)>,
    ) -> u32 {
        let id = self.enqueue_stuck(now, kind, 0);
        if let Some(job) = self.jobs.back_mut() {
            job.loads = Some(after(now, fetch));
            if let Some((length, text)) = gives_up {
                job.plan = Plan::Fail(vec![text]);
                job.ends = Some(after(now, length));
            }
        }
        id
    }

    /// Drops the oldest finished jobs beyond the history. The auto-commit is kept: its id can still be asked for.
    fn forget(&mut self) {
        while self.jobs.len() > HISTORY + 1 {
            let forgotten = |job: &Job| job.finished.is_some() && job.kind != JobKind::AutoCommit;
            let Some(oldest) = self.jobs.iter().position(forgotten) else {
                return;
            };
            self.jobs.remove(oldest);
        }
    }

    /// Records a job that was over before the simulation began.
    pub(crate) fn record(&mut self, enqueued: Timestamp, finished: Timestamp, kind: JobKind) {
        self.enqueue(enqueued, kind, Plan::Succeed, None, None);
        if let Some(job) = self.jobs.back_mut() {
            job.finished = Some(finished);
        }
    }

    /// The earliest end of an unfinished job.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        self.unfinished().filter_map(|job| job.ends).min()
    }

    /// Finishes one job that is due at `now`; says which and whether it succeeded.
    pub(crate) fn finish_due(&mut self, now: Timestamp) -> Option<(JobKind, bool)> {
        let due = self
            .jobs
            .iter_mut()
            .find(|job| job.finished.is_none() && job.ends.is_some_and(|ends| ends <= now))?;
        due.finished = Some(now);
        Some((due.kind, due.plan == Plan::Succeed))
    }

    /// Makes the running download end now, in failure.
    pub(crate) fn break_download(&mut self, now: Timestamp, line: impl Fn(Version) -> String) {
        for job in self.jobs.iter_mut().filter(|job| job.finished.is_none()) {
            if let JobKind::Download { version, .. } = job.kind
                && !matches!(job.plan, Plan::Turned(_))
            {
                job.plan = Plan::Fail(vec![line(version)]);
                job.ends = Some(now);
                job.loads = None;
            }
        }
    }

    fn unfinished(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.finished.is_none())
    }

    /// Whether an unfinished job is of some kind.
    pub(crate) fn runs(&self, kind: impl Fn(JobKind) -> bool) -> bool {
        self.unfinished().any(|job| kind(job.kind))
    }

    /// Lets downloads that a fault held end.
    pub(crate) fn release(&mut self, now: Timestamp) {
        for job in self.jobs.iter_mut().filter(|job| job.finished.is_none()) {
            if job.stands_at.is_some() && job.kind.is_software() {
                (job.plan, job.stands_at, job.ends) = (Plan::Succeed, None, Some(after(now, QUEUED)));
            }
        }
    }

    /// Whether the last auto-commit will not bring the dataplane up: there is none, it stands, or it failed.
    pub(crate) fn auto_commit_hangs(&mut self) -> bool {
        let last = self.jobs.iter().rposition(|job| job.kind == JobKind::AutoCommit);
        let hangs = last.is_none_or(|last| {
            let job = &self.jobs[last];
            job.finished.is_some() || job.ends.is_none()
        });
        if hangs {
            self.jobs
                .retain(|job| job.finished.is_some() || job.kind != JobKind::AutoCommit);
        }
        hangs
    }

    /// The job that holds the software manager.
    pub(crate) fn software_job(&self) -> Option<&Job> {
        self.unfinished()
            .find(|job| job.kind.is_software() && !matches!(job.plan, Plan::Turned(_)))
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Job> {
        self.jobs
            .iter()
            .find(|job| job.id == id && job.kind != JobKind::Unnumbered)
    }

    /// Newest first, as the device lists them: no more than it remembers.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().rev().take(HISTORY)
    }
}
