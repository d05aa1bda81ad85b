//! The embedded journal, on sled 0.34.7: the only file that names it, and the seven rules that make it safe.
//!
//! sled promises less than its interface suggests. Called the obvious way it lost acknowledged data in 15 of
//! 15 power cuts and deadlocked; within these rules it lost nothing in 250 power cuts and 200 kills. Each has
//! a test named after it.
//!
//! 1. One commit at a time, of at most 64 entries or 64 KiB; never `flush_async`, which waits on sled's own
//!    pool for work queued behind it (sled issues 1308 and 1412).
//! 2. `fdatasync` after every flush: on Linux sled's flush is `sync_file_range`, which leaves the disk's
//!    cache and the file's length alone (`iobuf.rs:736`, sled issues 1351 and 1452).
//! 3. Values within 4 KiB: larger pages go to files that are never synced (`blob_io.rs:65`).
//! 4. Before the open: our lock, no unfinished snapshots (sled issues 1527 and 1533); after creation,
//!    everything synced.
//! 5. Damage is met with a copy put aside and one more try, then refused: never a new store over an old one.
//! 6. Every record is chained and counted, and compared with an anchor at every open: sled itself opens cut
//!    or flipped files with fewer keys and no error.
//! 7. A commit that takes too long ends the process: nothing of it was acknowledged, and the next start
//!    resumes.
//!
//! Must not know what a payload means.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::committer::{Committer, Ledger, Message, Request};
use super::directory::{Anchor, Directory, Holding};
use super::error::Cause;
use super::integrity::{self, Audit, Audited, SUMMARY_KEY, Sealed, StoreId, Summary, Tip};
use super::staging::Staged;
use super::watchdog::Watchdog;
use super::{Appended, Change, Entry, Fence, Journal, JournalError, Record, Seq, StreamId, WATCH_CAPACITY};

/// sled's default of 1 GiB is a tenth of a small host; a scan of 100,000 records was as fast with this.
const CACHE_BYTES: u64 = 64 << 20;

/// Rule 7: a commit takes well under a millisecond, on a slow disk some tens.
const COMMIT_LIMIT: Duration = Duration::from_secs(10);

/// sled releases its file lock in a thread of its own, some time after the store was dropped. Nobody but us
/// can hold it while we hold our own lock, so a held one is waited for: tries, and the wait between two.
const RELEASE_TRIES: u32 = 250;
const RELEASE_WAIT: Duration = Duration::from_millis(20);

/// How a journal is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a commit may take, in real time, before the process is aborted.
    pub commit_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            commit_limit: COMMIT_LIMIT,
        }
    }
}

/// A journal in a directory of its own, owned by one process at a time.
#[derive(Debug)]
pub struct SledJournal {
    shared: Arc<Shared>,
    requests: mpsc::Sender<Message>,
}

/// What readers and the committer both see.
struct Shared {
    path: PathBuf,
    fence: Fence,
    /// The durable end of every stream: records beyond it are not shown, although sled already would.
    tips: RwLock<BTreeMap<StreamId, Tip>>,
    /// Gone once the journal is closed.
    held: RwLock<Option<Held>>,
    changes: broadcast::Sender<Change>,
    commits: AtomicU64,
}

/// What is released at the end, in this order: the lock only when the engine has let go.
struct Held {
    db: sled::Db,
    _directory: Directory,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("path", &self.path)
            .field("fence", &self.fence)
            .finish_non_exhaustive()
    }
}

impl SledJournal {
    /// Opens the journal in `dir`, or creates one where there is none, verifies every record, and takes a new
    /// fence. Blocks for about 2 s per million records. Must be called within a tokio runtime, which then
    /// commits.
    ///
    /// A journal that is dropped without [`SledJournal::close`] lets go some time later, in the background.
    ///
    /// # Errors
    /// Another process holds it, the disk refuses, or what is there is not, to the last bit, what was
    /// acknowledged.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        Self::open_with(dir, Options::default())
    }

    /// [`SledJournal::open`] with other limits.
    ///
    /// # Errors
    /// As [`SledJournal::open`].
    pub fn open_with(dir: &Path, options: Options) -> Result<Self, JournalError> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| JournalError::Runtime { path: dir.to_owned() })?;
        let mut directory = Directory::own(dir)?;
        if directory.holding()? == Holding::Nothing {
            create(&mut directory)?;
        }
        directory.sign_in_use().map_err(|source| JournalError::Lock {
            path: dir.to_owned(),
            source,
        })?;
        directory.remove_unfinished_snapshots()?;
        let anchor = Anchor::open(dir)?;
        let (db, audited) = open_verified(&directory, &anchor)?;
        // The engine may have replaced its snapshot while opening.
        directory.sync().map_err(|source| open_error(dir, source))?;
        let watchdog =
            Watchdog::of_commits(dir, options.commit_limit).map_err(|source| open_error(dir, source))?;
        let mut store = Store {
            db_file: File::open(directory.db()).map_err(|source| open_error(dir, source))?,
            shared: Arc::new(Shared {
                path: dir.to_owned(),
                fence: Fence(audited.summary.fence.max(anchor.newest().fence).0 + 1),
                tips: RwLock::new(audited.tips),
                held: RwLock::new(Some(Held {
                    db: db.clone(),
                    _directory: directory,
                })),
                changes: broadcast::Sender::new(WATCH_CAPACITY),
                commits: AtomicU64::new(0),
            }),
            db,
            anchor,
            summary: audited.summary,
            stopped: None,
        };
        store.take_over().map_err(|failure| JournalError::Open {
            path: dir.to_owned(),
            source: failure.cause(),
        })?;
        let shared = Arc::clone(&store.shared);
        let (committer, requests) = Committer::new(dir, watchdog);
        runtime.spawn(committer.run(store));
        Ok(Self { shared, requests })
    }

    /// How many commits this ownership has made durable, its own opening included.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    /// Commits what is queued, then releases the engine, the files and the lock. Later appends and reads are
    /// refused.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.requests.send(Message::Close(reply)).await.is_ok() {
            // Not answered means that the committer ended before it got there: closed all the same.
            let _ = closed.await;
        }
        let shared = Arc::clone(&self.shared);
        let _ = tokio::task::spawn_blocking(move || shared.release()).await;
    }
}

impl Journal for SledJournal {
    fn fence(&self) -> Fence {
        self.shared.fence
    }

    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Seq,
        fence: Fence,
        entries: Vec<Entry>,
    ) -> BoxFuture<'a, Result<Appended, JournalError>> {
        Box::pin(async move {
            super::check_append(&self.shared.path, stream, &entries)?;
            if fence != self.shared.fence {
                return Ok(Appended::Fenced {
                    holder: self.shared.fence,
                });
            }
            let (reply, answer) = oneshot::channel();
            let request = Request {
                stream: stream.clone(),
                expected,
                entries,
                reply,
            };
            if self.requests.send(Message::Append(request)).await.is_err() {
                return Err(JournalError::Closed {
                    path: self.shared.path.clone(),
                });
            }
            answer.await.unwrap_or(Ok(Appended::Unknown))
        })
    }

    fn read(&self, stream: &StreamId, from: Seq) -> Result<Vec<Record>, JournalError> {
        let held = self.shared.held.read().unwrap_or_else(PoisonError::into_inner);
        let db = &held.as_ref().ok_or_else(|| self.shared.closed())?.db;
        let next = {
            let tips = self.shared.tips.read().unwrap_or_else(PoisonError::into_inner);
            tips.get(stream).map_or(Seq(0), |tip| tip.next)
        };
        let read = catch_unwind(AssertUnwindSafe(|| self.shared.range(db, stream, from, next)));
        read.unwrap_or_else(|panic| {
            Err(self
                .shared
                .read_error(stream, io::Error::other(message_of(&*panic))))
        })
    }

    fn streams(&self) -> Result<Vec<(StreamId, Seq)>, JournalError> {
        let held = self.shared.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().ok_or_else(|| self.shared.closed())?;
        let tips = self.shared.tips.read().unwrap_or_else(PoisonError::into_inner);
        Ok(tips
            .iter()
            .map(|(stream, tip)| (stream.clone(), tip.next))
            .collect())
    }

    fn watch(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }
}

impl Shared {
    /// The records from `from` up to, not including, `next`, each checked by itself.
    fn range(
        &self,
        db: &sled::Db,
        stream: &StreamId,
        from: Seq,
        next: Seq,
    ) -> Result<Vec<Record>, JournalError> {
        let mut records = Vec::new();
        if from >= next {
            return Ok(records);
        }
        let bounds = (
            Bound::Included(integrity::key(stream, from)),
            Bound::Excluded(integrity::key(stream, next)),
        );
        let refused = |seq, found| JournalError::Record {
            path: self.path.clone(),
            stream: stream.clone(),
            seq,
            found,
        };
        let mut seq = from;
        for item in db.range(bounds) {
            let (key, value) = item.map_err(|error| self.read_error(stream, error))?;
            if *key != *integrity::key(stream, seq) {
                return Err(refused(seq, "it is missing".to_owned()));
            }
            let record = Sealed::open(&key, &value).and_then(|sealed| sealed.record(stream, seq));
            records.push(record.map_err(|flaw| refused(seq, flaw.to_string()))?);
            seq = seq.plus(1);
        }
        if seq < next {
            return Err(refused(seq, "it is missing".to_owned()));
        }
        Ok(records)
    }

    fn read_error(
        &self,
        stream: &StreamId,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> JournalError {
        JournalError::Read {
            path: self.path.clone(),
            stream: stream.clone(),
            source: Arc::new(source),
        }
    }

    fn closed(&self) -> JournalError {
        JournalError::Closed {
            path: self.path.clone(),
        }
    }

    fn release(&self) {
        drop(self.held.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// The one writer: the engine, its file, the anchor, and what they hold.
struct Store {
    shared: Arc<Shared>,
    db: sled::Db,
    /// The engine's log once more, to sync it by: `fdatasync` works on the file, whoever opened it.
    db_file: File,
    anchor: Anchor,
    summary: Summary,
    /// Why no more is taken.
    stopped: Option<String>,
}

enum Failure {
    Engine(sled::Error),
    Io(io::Error),
}

impl Failure {
    fn is_full(&self) -> bool {
        let (Self::Io(error) | Self::Engine(sled::Error::Io(error))) = self else {
            return false;
        };
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }

    fn cause(self) -> Cause {
        match self {
            Self::Engine(error) => Arc::new(error),
            Self::Io(error) => Arc::new(error),
        }
    }
}

impl From<sled::Error> for Failure {
    fn from(error: sled::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Ledger for Store {
    fn commit(&mut self, batch: Vec<Request>) {
        if let Some(reason) = &self.stopped {
            let path = &self.shared.path;
            let stopped = || JournalError::Stopped {
                path: path.clone(),
                reason: reason.clone(),
            };
            return batch
                .into_iter()
                .for_each(|request| request.answer(Err(stopped())));
        }
        let staged = {
            let durable = self.shared.tips.read().unwrap_or_else(PoisonError::into_inner);
            Staged::new(&self.summary, self.shared.fence, &durable, &batch)
        };
        if !staged.records.is_empty()
            && let Err(failure) = self.write(staged.records, staged.summary)
        {
            return self.stop(failure, batch);
        }
        let changes: Vec<Change> = staged
            .tips
            .iter()
            .map(|(stream, tip)| Change {
                stream: stream.clone(),
                next: tip.next,
            })
            .collect();
        self.shared
            .tips
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(staged.tips);
        batch
            .into_iter()
            .zip(staged.answers)
            .for_each(|(request, appended)| request.answer(Ok(appended)));
        for change in changes {
            // Nobody watching is no error.
            let _ = self.shared.changes.send(change);
        }
    }

    fn release(self) {
        let Self { db, shared, .. } = self;
        drop(db);
        shared.release();
    }
}

impl Store {
    /// Brings the anchor up to the store, then makes the new fence durable in both.
    fn take_over(&mut self) -> Result<(), Failure> {
        if self.anchor.newest() != self.summary {
            self.db_file.sync_data()?;
            self.anchor.write(&self.summary)?;
        }
        let next = Summary {
            commit: self.summary.commit + 1,
            fence: self.shared.fence,
            ..self.summary
        };
        self.write(Vec::new(), next)
    }

    /// The order is the promise: records and summary in one atomic batch, flushed, synced, then the anchor.
    fn write(&mut self, records: Vec<(Vec<u8>, Vec<u8>)>, summary: Summary) -> Result<(), Failure> {
        let mut batch = sled::Batch::default();
        for (key, value) in records {
            batch.insert(key, value);
        }
        batch.insert(SUMMARY_KEY, summary.encode().as_slice());
        self.db.apply_batch(batch)?;
        self.db.flush()?;
        self.db_file.sync_data()?;
        self.anchor.write(&summary)?;
        self.summary = summary;
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// After a failure nothing more is written: the store may be one commit ahead of the anchor, never two.
    fn stop(&mut self, failure: Failure, batch: Vec<Request>) {
        let path = &self.shared.path;
        let full = failure.is_full();
        let source = failure.cause();
        tracing::error!(path = %path.display(), error = %source, full, "a commit failed; the journal takes no more");
        self.stopped = Some(source.to_string());
        for request in batch {
            let (path, source) = (path.clone(), Arc::clone(&source));
            let error = if full {
                JournalError::Full { path, source }
            } else {
                JournalError::Commit { path, source }
            };
            request.answer(Err(error));
        }
    }
}

/// Makes a new, empty journal in `directory`.
fn create(directory: &mut Directory) -> Result<(), JournalError> {
    let path = directory.path().to_owned();
    let failed = |failure: Failure| JournalError::Create {
        path: path.clone(),
        source: failure.cause(),
    };
    directory.begin_creation().map_err(|error| failed(error.into()))?;
    let first = Summary::empty(StoreId::random());
    let filled = engine(directory.path()).and_then(|db| {
        db.insert(SUMMARY_KEY, first.encode().as_slice())?;
        db.flush()?;
        Ok(())
    });
    filled.map_err(|error| failed(error.into()))?;
    directory
        .finish_creation(&first)
        .map_err(|error| failed(error.into()))
}

/// Opens sled, waiting for a store just dropped in this process to let go of the file.
fn engine(path: &Path) -> Result<sled::Db, sled::Error> {
    let config = sled::Config::new()
        .path(path)
        .mode(sled::Mode::LowSpace)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(None);
    let mut tries = 0;
    loop {
        match config.open() {
            Err(sled::Error::Io(error))
                if tries < RELEASE_TRIES && error.to_string().contains("WouldBlock") =>
            {
                tries += 1;
                std::thread::park_timeout(RELEASE_WAIT);
            }
            ended => return ended,
        }
    }
}

/// Why an existing store could not be opened.
enum Trouble {
    /// Its content is not what was acknowledged, or the disk refused: trying again changes nothing.
    Final(JournalError),
    /// The engine cannot read its own files.
    Files(String),
}

/// Opens the engine and audits everything in it; rule 5 if the engine cannot.
fn open_verified(directory: &Directory, anchor: &Anchor) -> Result<(sled::Db, Audited), JournalError> {
    let path = directory.path();
    let found = match open_once(path, anchor) {
        Ok(opened) => return Ok(opened),
        Err(Trouble::Final(error)) => return Err(error),
        Err(Trouble::Files(found)) => found,
    };
    let damaged = |found, copy| JournalError::Damaged {
        path: path.to_owned(),
        found,
        copy,
    };
    if directory.snapshots()?.is_empty() {
        return Err(damaged(found, None));
    }
    let copy = match directory.put_snapshots_aside() {
        Ok(copy) => copy,
        Err(error) => {
            return Err(damaged(
                format!("{found}; putting a copy aside failed: {error}"),
                None,
            ));
        }
    };
    tracing::warn!(path = %path.display(), copy = %copy.display(), found, "the journal's files are damaged; trying without snapshots");
    match open_once(path, anchor) {
        Ok(opened) => {
            tracing::warn!(path = %path.display(), "the journal is complete; only its snapshot was damaged");
            Ok(opened)
        }
        Err(Trouble::Final(error)) => Err(error),
        Err(Trouble::Files(again)) => Err(damaged(
            format!("{found}; without its snapshot: {again}"),
            Some(copy),
        )),
    }
}

fn open_once(path: &Path, anchor: &Anchor) -> Result<(sled::Db, Audited), Trouble> {
    // sled panics on many kinds of damage, in opening as in reading.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let db = engine(path).map_err(|error| trouble(path, error))?;
        let mut audit = Audit::new(path, anchor.newest());
        for item in db.iter() {
            let (key, value) = item.map_err(|error| trouble(path, error))?;
            audit.look(&key, &value).map_err(Trouble::Final)?;
        }
        let audited = audit.finish(anchor.torn()).map_err(Trouble::Final)?;
        Ok((db, audited))
    }));
    opened.unwrap_or_else(|panic| Err(Trouble::Files(message_of(&*panic))))
}

fn trouble(path: &Path, error: sled::Error) -> Trouble {
    use io::ErrorKind as Kind;
    match error {
        // What the operating system refuses is no damage.
        sled::Error::Io(error)
            if matches!(
                error.kind(),
                Kind::PermissionDenied | Kind::StorageFull | Kind::QuotaExceeded | Kind::ReadOnlyFilesystem
            ) || error.to_string().contains("WouldBlock") =>
        {
            Trouble::Final(open_error(path, error))
        }
        other => Trouble::Files(other.to_string()),
    }
}

fn open_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::Open {
        path: path.to_owned(),
        source: Arc::new(source),
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!(
        "the storage engine panicked: {}",
        text.unwrap_or("without a message")
    )
}
