//! A journal in memory, for tests and rehearsals: it can lose what was not flushed, and fail where it is told
//! to.
//!
//! An append is made in two steps with an await point after each: written, then flushed, then answered. A
//! caller dropped in between, followed by [`MemoryJournal::crash`], therefore meets every outcome a real
//! crash can have. Must not be used where anything has to survive the process.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::{broadcast, watch};

use super::{
    Appended, Change, Entry, Fence, Journal, JournalError, Record, Seq, StreamId, WATCH_CAPACITY,
    check_append,
};

/// What stands for a path in the errors of this journal.
const PLACE: &str = "memory";

/// How a chosen append ends instead of as it should. See [`MemoryJournal::fail_append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing is written, and the answer is `Unknown`.
    UnknownNotWritten,
    /// Everything is durable, and the answer is `Unknown`.
    UnknownWritten,
    /// Nothing is written, and the answer is a failure of the disk.
    ErrorNotWritten,
    /// Everything is durable, and the answer is a failure of the disk.
    ErrorWritten,
    /// Nothing is written, and the answer is a conflict, with the position that is really next.
    Conflict,
    /// Nothing is written, and the answer names a holder one above this one.
    Fenced,
}

/// One ownership of a journal in memory.
#[derive(Debug)]
pub struct MemoryJournal {
    fence: Fence,
    storage: Arc<Mutex<Storage>>,
    changes: broadcast::Sender<Change>,
    flushing: watch::Sender<bool>,
}

/// What survives a crash, and what does not.
#[derive(Debug, Default)]
struct Storage {
    /// The newest ownership. Older ones are fenced off.
    holder: Fence,
    durable: BTreeMap<StreamId, Vec<Record>>,
    /// Written in this order, not flushed yet.
    unflushed: VecDeque<Record>,
    /// How many appends this ownership was asked for.
    appends: u64,
    faults: BTreeMap<u64, Outcome>,
}

impl Storage {
    /// The position after everything written, flushed or not.
    fn next(&self, stream: &StreamId) -> Seq {
        let waiting = self
            .unflushed
            .iter()
            .filter(|record| record.stream == *stream)
            .count();
        Seq(0).plus(self.durable.get(stream).map_or(0, Vec::len) + waiting)
    }

    fn flush(&mut self) -> BTreeMap<StreamId, Seq> {
        let mut grown = BTreeMap::new();
        for record in self.unflushed.drain(..) {
            grown.insert(record.stream.clone(), record.seq.plus(1));
            self.durable
                .entry(record.stream.clone())
                .or_default()
                .push(record);
        }
        grown
    }

    fn write(&mut self, stream: &StreamId, fence: Fence, entries: Vec<Entry>) -> Seq {
        for Entry { at, payload } in entries {
            let seq = self.next(stream);
            self.unflushed.push_back(Record {
                stream: stream.clone(),
                seq,
                fence,
                at,
                payload,
            });
        }
        self.next(stream)
    }
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Storage {
            holder: Fence(1),
            ..Storage::default()
        })
    }

    fn over(storage: Storage) -> Self {
        Self::sharing(storage.holder, Arc::new(Mutex::new(storage)))
    }

    fn sharing(fence: Fence, storage: Arc<Mutex<Storage>>) -> Self {
        let changes = broadcast::Sender::new(WATCH_CAPACITY);
        Self {
            fence,
            storage,
            changes,
            flushing: watch::Sender::new(true),
        }
    }

    /// Loses what was not flushed and opens the journal again, under the next fence. This ownership goes on
    /// to read, and is fenced off from writing. Faults that were not met yet are forgotten.
    #[must_use]
    pub fn crash(&self) -> Self {
        let fence = {
            let mut storage = self.storage();
            storage.unflushed.clear();
            storage.faults.clear();
            storage.appends = 0;
            storage.holder = Fence(storage.holder.0 + 1);
            storage.holder
        };
        Self::sharing(fence, Arc::clone(&self.storage))
    }

    /// Another journal with the durable records of this one, under the next fence: what a copy of the disk,
    /// taken now, would open as. This one goes on unharmed.
    #[must_use]
    pub fn copy_of_disk(&self) -> Self {
        let storage = self.storage();
        let holder = Fence(storage.holder.0 + 1);
        Self::over(Storage {
            holder,
            durable: storage.durable.clone(),
            ..Storage::default()
        })
    }

    /// Makes append number `n` of this ownership, counted from 0, end as `outcome` says. Appends that are
    /// refused before they are looked at (sizes) are not counted.
    pub fn fail_append(&self, n: u64, outcome: Outcome) {
        self.storage().faults.insert(n, outcome);
    }

    /// While held, appends are written but neither flushed nor answered.
    pub fn hold_flush(&self, held: bool) {
        self.flushing.send_replace(!held);
    }

    /// How many appends this ownership was asked for: the number the next one has for
    /// [`MemoryJournal::fail_append`].
    #[must_use]
    pub fn appends(&self) -> u64 {
        self.storage().appends
    }

    fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes, unless something speaks against it, and says what the append will answer.
    fn write(
        &self,
        stream: &StreamId,
        expected: Seq,
        fence: Fence,
        entries: Vec<Entry>,
    ) -> Result<Appended, JournalError> {
        let mut storage = self.storage();
        let number = storage.appends;
        if self.fence == storage.holder {
            storage.appends += 1;
        }
        let holder = storage.holder;
        if fence != holder || self.fence != holder {
            return Ok(Appended::Fenced { holder });
        }
        let found = storage.next(stream);
        if found != expected {
            return Ok(Appended::Conflict { found });
        }
        match storage.faults.remove(&number) {
            None => {
                let next = storage.write(stream, fence, entries);
                Ok(Appended::Done { next })
            }
            Some(Outcome::UnknownWritten) => {
                storage.write(stream, fence, entries);
                Ok(Appended::Unknown)
            }
            Some(Outcome::ErrorWritten) => {
                storage.write(stream, fence, entries);
                Err(injected())
            }
            Some(Outcome::UnknownNotWritten) => Ok(Appended::Unknown),
            Some(Outcome::ErrorNotWritten) => Err(injected()),
            Some(Outcome::Conflict) => Ok(Appended::Conflict { found }),
            Some(Outcome::Fenced) => Ok(Appended::Fenced {
                holder: Fence(holder.0 + 1),
            }),
        }
    }

    /// Flushes everything written, also what dropped appends left behind, as a later commit would.
    fn flush(&self) {
        let grown = {
            let mut storage = self.storage();
            if storage.holder == self.fence {
                storage.flush()
            } else {
                BTreeMap::new()
            }
        };
        for (stream, next) in grown {
            // Nobody watching is no error.
            let _ = self.changes.send(Change { stream, next });
        }
    }
}

fn injected() -> JournalError {
    let source = Arc::new(io::Error::other("a fault was injected"));
    JournalError::Commit {
        path: PathBuf::from(PLACE),
        source,
    }
}

impl Journal for MemoryJournal {
    fn fence(&self) -> Fence {
        self.fence
    }

    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Seq,
        fence: Fence,
        entries: Vec<Entry>,
    ) -> BoxFuture<'a, Result<Appended, JournalError>> {
        Box::pin(async move {
            check_append(Path::new(PLACE), stream, &entries)?;
            let answer = self.write(stream, expected, fence, entries);
            tokio::task::yield_now().await;
            let mut flushing = self.flushing.subscribe();
            // The sender lives in `self`: waiting cannot fail.
            let _ = flushing.wait_for(|flushing| *flushing).await;
            self.flush();
            tokio::task::yield_now().await;
            if self.storage().holder != self.fence && !matches!(answer, Ok(Appended::Fenced { .. })) {
                // Another ownership came between the steps, as after a crash of this one: nobody is left to
                // ask.
                return Ok(Appended::Unknown);
            }
            answer
        })
    }

    fn read(&self, stream: &StreamId, from: Seq) -> Result<Vec<Record>, JournalError> {
        let storage = self.storage();
        let records = storage.durable.get(stream).map(Vec::as_slice).unwrap_or_default();
        Ok(records
            .iter()
            .filter(|record| record.seq >= from)
            .cloned()
            .collect())
    }

    fn streams(&self) -> Result<Vec<(StreamId, Seq)>, JournalError> {
        let storage = self.storage();
        Ok(storage
            .durable
            .iter()
            .map(|(stream, records)| (stream.clone(), Seq(0).plus(records.len())))
            .collect())
    }

    fn watch(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}
