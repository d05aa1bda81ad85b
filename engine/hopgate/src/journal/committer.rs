//! The committer: gathers appends into bounded batches and has one committed at a time.
//!
//! Responsible for rule 1 (one bounded commit in flight) and rule 7 (a commit that does not end, ends the
//! process). Must not know the engine: it drives whatever [`Ledger`] it is given.

use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, oneshot};

use super::watchdog::Watchdog;
use super::{APPEND_BYTES_LIMIT, APPEND_ENTRIES_LIMIT, Appended, Entry, JournalError, Seq, StreamId};

/// Rule 1: what one commit takes at most. Larger ones were seen to deadlock in sled; these never were, in 1.8
/// million.
const BATCH_ENTRIES: usize = APPEND_ENTRIES_LIMIT;
const BATCH_BYTES: usize = APPEND_BYTES_LIMIT;

/// How many appends may wait unread by the committer; more wait in their senders. Enough to fill any batch.
const QUEUE: usize = 1_024;

/// What a committer commits to. Both calls may block.
pub(crate) trait Ledger: Send + 'static {
    /// Makes the batch durable and answers every request.
    fn commit(&mut self, batch: Vec<Request>);

    /// Lets go of everything.
    fn release(self);
}

pub(crate) enum Message {
    Append(Request),
    Close(oneshot::Sender<()>),
}

pub(crate) struct Request {
    pub(crate) stream: StreamId,
    pub(crate) expected: Seq,
    pub(crate) entries: Vec<Entry>,
    pub(crate) reply: oneshot::Sender<Result<Appended, JournalError>>,
}

impl Request {
    fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.payload.len()).sum()
    }

    pub(crate) fn answer(self, answer: Result<Appended, JournalError>) {
        // Whoever asked may have stopped waiting; the record is there all the same.
        let _ = self.reply.send(answer);
    }
}

/// Takes requests off the queue in batches and has one committed at a time.
pub(crate) struct Committer {
    path: PathBuf,
    inbox: mpsc::Receiver<Message>,
    /// A request that did not fit into the batch before.
    carried: Option<Message>,
    watchdog: Watchdog,
}

/// What a batch ends with, besides being full.
enum Then {
    GoOn,
    Close(oneshot::Sender<()>),
}

impl Committer {
    /// A committer for the journal in `path`, and the way to it. It ends when every sender is gone.
    pub(crate) fn new(path: &Path, watchdog: Watchdog) -> (Self, mpsc::Sender<Message>) {
        let (requests, inbox) = mpsc::channel(QUEUE);
        (
            Self {
                path: path.to_owned(),
                inbox,
                carried: None,
                watchdog,
            },
            requests,
        )
    }

    /// An async task with one blocking call a batch: a runtime whose clock is paused then waits for the disk.
    /// A thread that answers over a channel would not hold that clock, and every deadline would fire at once.
    pub(crate) async fn run(mut self, mut ledger: impl Ledger) {
        let mut closing = None;
        while closing.is_none()
            && let Some((batch, then)) = self.gather().await
        {
            let watched = self.watchdog.watch();
            let committed = tokio::task::spawn_blocking(move || {
                ledger.commit(batch);
                ledger
            });
            match committed.await {
                Ok(back) => ledger = back,
                Err(panic) => {
                    drop(watched);
                    return self.refuse_everything(&panic.to_string()).await;
                }
            }
            drop(watched);
            if let Then::Close(reply) = then {
                closing = Some(reply);
            }
        }
        // Appends that come after a close find the channel closed; those already in it are told so.
        self.inbox.close();
        while let Some(message) = self.inbox.recv().await {
            if let Message::Append(request) = message {
                let closed = JournalError::Closed {
                    path: self.path.clone(),
                };
                request.answer(Err(closed));
            }
        }
        let watched = self.watchdog.watch();
        let _ = tokio::task::spawn_blocking(move || ledger.release()).await;
        drop(watched);
        if let Some(reply) = closing {
            let _ = reply.send(());
        }
    }

    /// The next batch: waits for one request, then takes what is there, up to the bounds of a commit.
    async fn gather(&mut self) -> Option<(Vec<Request>, Then)> {
        let mut batch = Vec::new();
        let (mut entries, mut bytes) = (0, 0);
        let first = match self.carried.take() {
            Some(message) => Some(message),
            None => self.inbox.recv().await,
        };
        let mut message = first?;
        loop {
            match message {
                Message::Close(reply) => return Some((batch, Then::Close(reply))),
                Message::Append(request) => {
                    (entries, bytes) = (entries + request.entries.len(), bytes + request.bytes());
                    if !batch.is_empty() && (entries > BATCH_ENTRIES || bytes > BATCH_BYTES) {
                        self.carried = Some(Message::Append(request));
                        return Some((batch, Then::GoOn));
                    }
                    batch.push(request);
                }
            }
            match self.inbox.try_recv() {
                Ok(next) => message = next,
                Err(_) => return Some((batch, Then::GoOn)),
            }
        }
    }

    /// After a panic in the engine: the appends at hand are told `Unknown` by their dropped replies, later
    /// ones this.
    async fn refuse_everything(mut self, reason: &str) {
        tracing::error!(
            reason,
            "the journal's engine panicked in a commit; the journal takes no more"
        );
        let mut message = self.carried.take();
        loop {
            match message {
                Some(Message::Append(request)) => {
                    let stopped = JournalError::Stopped {
                        path: self.path.clone(),
                        reason: reason.to_owned(),
                    };
                    request.answer(Err(stopped));
                }
                Some(Message::Close(reply)) => {
                    let _ = reply.send(());
                }
                None => {}
            }
            message = self.inbox.recv().await;
            if message.is_none() {
                return;
            }
        }
    }
}
