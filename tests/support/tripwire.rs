//! A journal that ends its process at a chosen append: before it is written, after it is written and before it is durable,
//! or durable and never answered.
//!
//! Knows nothing of what is appended. What "ends" means is the test's business: it hears of it and drops the engine.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hopgate::journal::memory::MemoryJournal;
use hopgate::journal::{Appended, Change, Entry, Fence, Journal, JournalError, Record, Seq, StreamId};
use tokio::sync::{Notify, broadcast};

/// Where in an append the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Nothing was written.
    Before,
    /// Written, not durable: a crash loses it.
    Written,
    /// Durable; nobody heard of it.
    Durable,
    /// Answered as durable and lost, as by a disk that lies; the process ends at its next append. Nothing can be safe over
    /// such a journal: it shows that a test would notice.
    Lied,
}

/// A memory journal with a tripwire.
#[derive(Debug)]
pub struct Tripwire {
    inner: MemoryJournal,
    at: Option<(u64, Point)>,
    appends: AtomicU64,
    tripped: Notify,
}

impl Tripwire {
    /// Trips at append number `n`, from 0; never where it is nothing.
    pub fn new(inner: MemoryJournal, at: Option<(u64, Point)>) -> Arc<Tripwire> {
        Arc::new(Tripwire {
            inner,
            at,
            appends: AtomicU64::new(0),
            tripped: Notify::new(),
        })
    }

    /// Ends when the wire was tripped.
    pub async fn tripped(&self) {
        self.tripped.notified().await;
    }

    /// Appends that were asked for.
    pub fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    /// What a process finds that is started after this one ended.
    pub fn crash(&self) -> MemoryJournal {
        self.inner.crash()
    }
}

impl Journal for Tripwire {
    fn fence(&self) -> Fence {
        self.inner.fence()
    }

    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Seq,
        fence: Fence,
        entries: Vec<Entry>,
    ) -> Pin<Box<dyn Future<Output = Result<Appended, JournalError>> + Send + 'a>> {
        let number = self.appends.fetch_add(1, Ordering::Relaxed);
        let point = self.at.and_then(|(at, point)| match point {
            Point::Lied if number == at + 1 => Some(Point::Before),
            _ if number == at => Some(point),
            _ => None,
        });
        Box::pin(async move {
            match point {
                Some(Point::Lied) => {
                    let next = Seq(expected.0 + entries.len() as u64);
                    return Ok(Appended::Done { next });
                }
                None => return self.inner.append(stream, expected, fence, entries).await,
                Some(Point::Before) => {}
                Some(Point::Written) => {
                    self.inner.hold_flush(true);
                    let append = self.inner.append(stream, expected, fence, entries);
                    // Written at its first poll, and then held.
                    tokio::select! {
                        biased;
                        answer = append => panic!("a held append answered {answer:?}"),
                        () = several_turns() => {}
                    }
                }
                Some(Point::Durable) => {
                    let answer = self.inner.append(stream, expected, fence, entries).await;
                    assert!(matches!(answer, Ok(Appended::Done { .. })), "{answer:?}");
                }
            }
            self.tripped.notify_one();
            std::future::pending().await
        })
    }

    fn read(&self, stream: &StreamId, from: Seq) -> Result<Vec<Record>, JournalError> {
        self.inner.read(stream, from)
    }

    fn streams(&self) -> Result<Vec<(StreamId, Seq)>, JournalError> {
        self.inner.streams()
    }

    fn watch(&self) -> broadcast::Receiver<Change> {
        self.inner.watch()
    }
}

async fn several_turns() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}
