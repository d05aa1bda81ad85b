//! The journal: what has been decided and done, in streams of records that survive `kill -9` and power loss.
//!
//! Responsible for the seam ([`Journal`]), its vocabulary and its errors. Must not know what a payload means,
//! nor which engine is underneath: `journal/sled.rs` is the only file that names one.

pub mod blobs;
mod committer;
mod directory;
mod error;
pub mod export;
mod integrity;
pub mod memory;
pub mod sled;
mod staging;
mod watchdog;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

#[cfg(test)]
pub(crate) use directory::tests::Scratch;
pub use error::JournalError;

/// The most bytes a payload may have.
///
/// A stored value stays within 4 KiB (sled 0.34.7 moves pages over 128 KiB to files it never fsyncs, and a
/// leaf holds sixteen values before it splits: 16 KB values were lost in 25 of 25 power cuts, 4 KB values in
/// none); the envelope of a record takes 65 of them and the rest is head-room. Bigger things go to
/// [`blobs::Blobs`].
pub const PAYLOAD_LIMIT: usize = 4_000;

/// The most entries one append may have: an append is atomic, so it must fit in one commit, and a commit is
/// bounded because sled 0.34.7 deadlocks on large ones (5 of 9 runs at 1,000 writes a flush, 0 of 113 up to
/// 256).
pub const APPEND_ENTRIES_LIMIT: usize = 64;

/// The most payload bytes one append may have in all, for the same reason as [`APPEND_ENTRIES_LIMIT`].
pub const APPEND_BYTES_LIMIT: usize = 64 * 1024;

/// How many [`Change`]s a slow watcher may fall behind before it is told that it lagged. A lagging watcher
/// loses nothing: it reads [`Journal::streams`] again. Nobody ever waits for it.
pub(crate) const WATCH_CAPACITY: usize = 1_024;

/// The name of a stream: `campaign/ID`, `device/CAMPAIGN/NAME`, `pager`.
///
/// 1 to 200 characters out of `a-z A-Z 0-9 . _ -`, in one or more parts separated by a single `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamId(Arc<str>);

/// The longest stream name, in characters (all are ASCII, so also in bytes).
const STREAM_NAME_LIMIT: usize = 200;

impl StreamId {
    /// Accepts `name` if it is a stream name.
    ///
    /// # Errors
    /// [`InvalidStream`] names what is wrong with it.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidStream> {
        let name = name.as_ref();
        match flaw_of_name(name) {
            None => Ok(Self(Arc::from(name))),
            Some(flaw) => Err(InvalidStream {
                name: name.to_owned(),
                flaw,
            }),
        }
    }

    /// The name as it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn flaw_of_name(name: &str) -> Option<NameFlaw> {
    let stray = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/')));
    if let Some(stray) = stray {
        Some(NameFlaw::Character(stray))
    } else if name.len() > STREAM_NAME_LIMIT {
        Some(NameFlaw::Long(name.len()))
    } else if name.split('/').any(str::is_empty) {
        Some(NameFlaw::EmptyPart)
    } else {
        None
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StreamId {
    type Err = InvalidStream;

    fn from_str(name: &str) -> Result<Self, InvalidStream> {
        Self::new(name)
    }
}

impl TryFrom<String> for StreamId {
    type Error = InvalidStream;

    fn try_from(name: String) -> Result<Self, InvalidStream> {
        Self::new(name)
    }
}

impl From<StreamId> for String {
    fn from(id: StreamId) -> Self {
        id.as_str().to_owned()
    }
}

/// A text that is not a stream name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a stream name: {flaw}")]
pub struct InvalidStream {
    name: String,
    flaw: NameFlaw,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum NameFlaw {
    #[error("{0:?} is not one of a-z A-Z 0-9 . _ - /")]
    Character(char),
    #[error("it has {0} characters, at most 200 are allowed")]
    Long(usize),
    #[error("a part of it is empty")]
    EmptyPart,
}

/// A position in a stream. The first record of a stream has position 0; positions have no gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The position `count` records later.
    #[must_use]
    pub(crate) fn plus(self, count: usize) -> Self {
        Self(self.0.saturating_add(count as u64))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which ownership of the journal wrote, or wants to write. It grows with every open of a journal, durably
/// and before the open returns; it comes from the store, never from a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a caller hands over to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it happened, by the caller's clock.
    pub at: Timestamp,
    /// What happened: at most [`PAYLOAD_LIMIT`] bytes the journal does not look into.
    pub payload: Vec<u8>,
}

/// One entry as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The stream it is in.
    pub stream: StreamId,
    /// Its position there.
    pub seq: Seq,
    /// The ownership that wrote it.
    pub fence: Fence,
    /// When it happened, by the writer's clock.
    pub at: Timestamp,
    /// What happened.
    pub payload: Vec<u8>,
}

/// How an append ended.
#[must_use = "only `Done` means that the entries are kept"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Every entry is durable: it survives `kill -9` and power loss.
    Done {
        /// The position the next entry of this stream will take.
        next: Seq,
    },
    /// The expected position is not the next one. Nothing was written.
    Conflict {
        /// The position the next entry of this stream would take.
        found: Seq,
    },
    /// Another ownership holds the journal. Nothing was written.
    Fenced {
        /// The ownership that does.
        holder: Fence,
    },
    /// The entries are all kept or none is; which one is not known. Read the stream before anything else.
    Unknown,
}

/// A stream has grown, durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The stream that grew.
    pub stream: StreamId,
    /// The position its next entry will take.
    pub next: Seq,
}

/// Streams of records, appended by compare-and-set under a fence.
pub trait Journal: Send + Sync + 'static {
    /// The fence of this ownership: what [`Journal::append`] wants to be given.
    fn fence(&self) -> Fence;

    /// Appends `entries` to `stream`, all or none, as the positions from `expected` on.
    ///
    /// Returns only when they are durable or certain not to be written, except for [`Appended::Unknown`].
    /// Dropping the future does not take the append back. With no entries it only compares the position.
    ///
    /// # Errors
    /// An entry or the whole append is over its limit, the journal is closed, or the disk failed. After a
    /// failure of the disk nothing is acknowledged any more: the entries at hand may or may not be there at
    /// the next open.
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Seq,
        fence: Fence,
        entries: Vec<Entry>,
    ) -> BoxFuture<'a, Result<Appended, JournalError>>;

    /// The durable records of `stream` from position `from` on, in order. An unknown stream has none. Blocks
    /// for as long as the disk needs.
    ///
    /// # Errors
    /// A record cannot be read or is damaged, or the journal is closed.
    fn read(&self, stream: &StreamId, from: Seq) -> Result<Vec<Record>, JournalError>;

    /// Every stream with at least one durable record, in the order of names, with its next position.
    ///
    /// # Errors
    /// The journal is closed.
    fn streams(&self) -> Result<Vec<(StreamId, Seq)>, JournalError>;

    /// Tells of every growth of a stream after it has become durable. A watcher that lags reads
    /// [`Journal::streams`] again.
    fn watch(&self) -> broadcast::Receiver<Change>;
}

/// What an append must satisfy before it is looked at any further. `path` names the journal.
fn check_append(path: &std::path::Path, stream: &StreamId, entries: &[Entry]) -> Result<(), JournalError> {
    let bytes: usize = entries.iter().map(|entry| entry.payload.len()).sum();
    if let Some(entry) = entries.iter().find(|entry| entry.payload.len() > PAYLOAD_LIMIT) {
        return Err(JournalError::PayloadSize {
            path: path.to_owned(),
            stream: stream.clone(),
            found: entry.payload.len(),
        });
    }
    if entries.len() > APPEND_ENTRIES_LIMIT || bytes > APPEND_BYTES_LIMIT {
        return Err(JournalError::AppendSize {
            path: path.to_owned(),
            stream: stream.clone(),
            entries: entries.len(),
            bytes,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_names_are_checked() {
        for good in ["pager", "campaign/2026-q1", "device/c_1/FW-01.lab", "a"] {
            assert_eq!(StreamId::new(good).unwrap().as_str(), good);
        }
        let said = |name: &str| StreamId::new(name).unwrap_err().to_string();
        insta::assert_snapshot!(said(""), @r#""" is not a stream name: a part of it is empty"#);
        insta::assert_snapshot!(said("device//x"), @r#""device//x" is not a stream name: a part of it is empty"#);
        insta::assert_snapshot!(said("a b"), @r#""a b" is not a stream name: ' ' is not one of a-z A-Z 0-9 . _ - /"#);
        insta::assert_snapshot!(said("a\0"), @r#""a\0" is not a stream name: '\0' is not one of a-z A-Z 0-9 . _ - /"#);
        assert!(StreamId::new("x".repeat(200)).is_ok());
        assert!(said(&"x".repeat(201)).ends_with("it has 201 characters, at most 200 are allowed"));
        assert!(serde_json::from_str::<StreamId>("\"a b\"").is_err());
        assert_eq!(
            serde_json::to_string(&StreamId::new("a/b").unwrap()).unwrap(),
            "\"a/b\""
        );
    }
}
