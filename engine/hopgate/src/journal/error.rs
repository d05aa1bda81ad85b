//! What can go wrong with a journal, told to a person: what was being done, to which path, and what was found
//! there.
//!
//! Responsible for texts, stable codes and hints. Must not know how an engine works.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{APPEND_BYTES_LIMIT, APPEND_ENTRIES_LIMIT, PAYLOAD_LIMIT, Seq, StreamId};

/// The reason an engine gave, kept behind a pointer because one failed commit answers many appends.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// Why the journal, its blobs or its export could not do what was asked. `path` is always the directory or
/// file in question.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each variant is documented; its fields are the values its text shows"
)]
pub enum JournalError {
    /// Another process has the journal open.
    #[error("cannot open the journal in {}: in use by {holder}", path.display())]
    Locked { path: PathBuf, holder: String },

    /// The lock file cannot be made, locked or written.
    #[error("cannot lock the journal in {}", path.display())]
    Lock { path: PathBuf, source: io::Error },

    /// A new journal cannot be set up.
    #[error("cannot create a journal in {}", path.display())]
    Create { path: PathBuf, source: Cause },

    /// The files of an existing journal cannot be read, by no fault of their content.
    #[error("cannot open the journal in {}", path.display())]
    Open { path: PathBuf, source: Cause },

    /// Part of an existing journal is gone.
    #[error("refused the journal in {}: {missing} missing although {present} there", path.display())]
    Missing {
        path: PathBuf,
        missing: String,
        present: String,
    },

    /// The storage engine cannot read its own files. `copy` is where they were put aside before a second try.
    #[error("refused the journal in {}: its files are damaged: {found}{}", path.display(), put_aside(copy.as_ref()))]
    Damaged {
        path: PathBuf,
        found: String,
        copy: Option<PathBuf>,
    },

    /// Records are gone, or there are more than were ever written.
    #[error("refused the journal in {}: it should hold {expected} records and holds {found}", path.display())]
    Count {
        path: PathBuf,
        expected: u64,
        found: u64,
    },

    /// As many records as there should be, but not the ones that were written.
    #[error("refused the journal in {}: its {records} records are not the ones that were acknowledged", path.display())]
    Content { path: PathBuf, records: u64 },

    /// A record is not what was written, or does not follow the one before it.
    #[error("refused record {seq} of {stream} in {}: {found}", path.display())]
    Record {
        path: PathBuf,
        stream: StreamId,
        seq: Seq,
        found: String,
    },

    /// Something that no journal writes.
    #[error("refused the journal in {}: {found}", path.display())]
    Unexpected { path: PathBuf, found: String },

    /// The anchor belongs to another journal.
    #[error("refused the journal in {}: its anchor is of journal {anchor}, its records are of journal {store}", path.display())]
    Foreign {
        path: PathBuf,
        anchor: String,
        store: String,
    },

    /// The anchor and the records are of different ages.
    #[error(
        "refused the journal in {}: its anchor was written at commit {anchor}, its records end at commit {store}",
        path.display()
    )]
    Stale { path: PathBuf, anchor: u64, store: u64 },

    /// The anchor itself is damaged.
    #[error("refused the journal in {}: its anchor is damaged: {found}", path.display())]
    Anchor { path: PathBuf, found: String },

    /// A newer program wrote it.
    #[error(
        "refused the journal in {}: written by a newer hopgate, in format {found} (this one reads up to {supported})",
        path.display()
    )]
    Newer {
        path: PathBuf,
        found: u16,
        supported: u16,
    },

    /// The journal needs a tokio runtime to commit on.
    #[error("cannot open the journal in {}: not called from within a tokio runtime", path.display())]
    Runtime { path: PathBuf },

    /// One payload is too large.
    #[error("cannot append to {stream} in {}: a payload has {found} bytes, at most {PAYLOAD_LIMIT} are kept", path.display())]
    PayloadSize {
        path: PathBuf,
        stream: StreamId,
        found: usize,
    },

    /// One append is too large to be atomic.
    #[error(
        "cannot append to {stream} in {}: {entries} entries of {bytes} bytes at once, at most {APPEND_ENTRIES_LIMIT} of {APPEND_BYTES_LIMIT} are kept",
        path.display()
    )]
    AppendSize {
        path: PathBuf,
        stream: StreamId,
        entries: usize,
        bytes: usize,
    },

    /// The disk is full. Nothing was acknowledged and nothing will be.
    #[error("cannot append to the journal in {}: the disk is full", path.display())]
    Full { path: PathBuf, source: Cause },

    /// The disk or the engine failed. Nothing was acknowledged and nothing will be.
    #[error("cannot append to the journal in {}", path.display())]
    Commit { path: PathBuf, source: Cause },

    /// An earlier append failed; the journal takes no more.
    #[error("cannot append to the journal in {}: it stopped after an earlier failure: {reason}", path.display())]
    Stopped { path: PathBuf, reason: String },

    /// The journal was closed.
    #[error("the journal in {} is closed", path.display())]
    Closed { path: PathBuf },

    /// A stream cannot be read.
    #[error("cannot read {stream} from the journal in {}", path.display())]
    Read {
        path: PathBuf,
        stream: StreamId,
        source: Cause,
    },

    /// A blob cannot be written.
    #[error("cannot keep {}", path.display())]
    BlobWrite { path: PathBuf, source: io::Error },

    /// A blob cannot be read.
    #[error("cannot read {}", path.display())]
    BlobRead { path: PathBuf, source: io::Error },

    /// A blob is not what its name says.
    #[error("refused {}: its content has the hash {found}", path.display())]
    BlobContent { path: PathBuf, found: String },

    /// The export cannot be written.
    #[error("cannot export the journal to {}", path.display())]
    Export { path: PathBuf, source: io::Error },

    /// The export cannot be read.
    #[error("cannot import {}", path.display())]
    Import { path: PathBuf, source: io::Error },

    /// The export is not one, or not a whole one.
    #[error("refused the export {}: line {line}: {found}", path.display())]
    ImportContent { path: PathBuf, line: u64, found: String },
}

fn put_aside(copy: Option<&PathBuf>) -> String {
    copy.map(|copy| format!("; a copy as it was found is in {}", copy.display()))
        .unwrap_or_default()
}

impl JournalError {
    /// The stable code of this kind of error, for manuals and searches.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "J001",
            Self::Lock { .. } => "J002",
            Self::Create { .. } => "J003",
            Self::Open { .. } => "J004",
            Self::Missing { .. } => "J005",
            Self::Damaged { .. } => "J006",
            Self::Count { .. } => "J007",
            Self::Content { .. } => "J008",
            Self::Record { .. } => "J009",
            Self::Unexpected { .. } => "J010",
            Self::Foreign { .. } => "J011",
            Self::Stale { .. } => "J012",
            Self::Anchor { .. } => "J013",
            Self::Newer { .. } => "J014",
            Self::Runtime { .. } => "J015",
            Self::PayloadSize { .. } => "J016",
            Self::AppendSize { .. } => "J017",
            Self::Full { .. } => "J018",
            Self::Commit { .. } => "J019",
            Self::Stopped { .. } => "J020",
            Self::Closed { .. } => "J021",
            Self::Read { .. } => "J022",
            Self::BlobWrite { .. } => "J023",
            Self::BlobRead { .. } => "J024",
            Self::BlobContent { .. } => "J025",
            Self::Export { .. } => "J026",
            Self::Import { .. } => "J027",
            Self::ImportContent { .. } => "J028",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "stop that process first, or talk to it instead of starting a second one",
            Self::Lock { .. } | Self::Create { .. } | Self::Open { .. } => {
                "check that the directory is on a local disk with room and that this user may write to it"
            }
            Self::Missing { .. }
            | Self::Damaged { .. }
            | Self::Count { .. }
            | Self::Content { .. }
            | Self::Record { .. }
            | Self::Unexpected { .. }
            | Self::Anchor { .. } => {
                "do not delete it: keep the directory as evidence, check the disk, and import the latest export into a new directory"
            }
            Self::Foreign { .. } | Self::Stale { .. } => {
                "files of different journals or ages were mixed: restore the whole directory from one backup, never single files"
            }
            Self::Newer { .. } => "install the hopgate that wrote it, or a newer one",
            Self::Runtime { .. } | Self::AppendSize { .. } => {
                "this is a fault of hopgate: please report it with this message"
            }
            Self::PayloadSize { .. } => "keep the large part as a blob and put its hash into the journal",
            Self::Full { .. } => "make room and start hopgate again: nothing that was acknowledged is lost",
            Self::Commit { .. } | Self::Stopped { .. } => {
                "look at the disk and the system log, then start hopgate again: nothing that was acknowledged is lost"
            }
            Self::Closed { .. } => "hopgate is shutting down: start it again",
            Self::Read { .. } => "look at the disk and the system log; the next start verifies every record",
            Self::BlobWrite { .. } | Self::Export { .. } => {
                "check that the disk has room and that this user may write there"
            }
            Self::BlobRead { .. } | Self::Import { .. } => {
                "check that the file is there and that this user may read it"
            }
            Self::BlobContent { .. } => {
                "the file was changed or the disk damaged it: restore it from a backup"
            }
            Self::ImportContent { .. } => "take another export: this one is cut short or was edited",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> PathBuf {
        PathBuf::from("/var/lib/hopgate/journal")
    }

    fn stream() -> StreamId {
        StreamId::new("device/2026-q1/fw-1").unwrap()
    }

    fn io() -> io::Error {
        io::Error::other("the reason")
    }

    fn cause() -> Cause {
        Arc::new(io())
    }

    fn every_error() -> Vec<JournalError> {
        errors_of_opening().into_iter().chain(errors_of_use()).collect()
    }

    fn errors_of_opening() -> Vec<JournalError> {
        let copy = Some(PathBuf::from("/var/lib/hopgate/journal.damaged-1"));
        vec![
            JournalError::Locked {
                path: path(),
                holder: "pid 12 on ops-1 since 2026-05-01T10:00:00Z".into(),
            },
            JournalError::Lock {
                path: path(),
                source: io(),
            },
            JournalError::Create {
                path: path(),
                source: cause(),
            },
            JournalError::Open {
                path: path(),
                source: cause(),
            },
            JournalError::Missing {
                path: path(),
                missing: "db is".into(),
                present: "conf, anchor are".into(),
            },
            JournalError::Damaged {
                path: path(),
                found: "the storage engine panicked: x".into(),
                copy,
            },
            JournalError::Count {
                path: path(),
                expected: 500,
                found: 480,
            },
            JournalError::Content {
                path: path(),
                records: 500,
            },
            JournalError::Record {
                path: path(),
                stream: stream(),
                seq: Seq(4),
                found: "it is missing".into(),
            },
            JournalError::Unexpected {
                path: path(),
                found: "it holds the key \"z\"".into(),
            },
            JournalError::Foreign {
                path: path(),
                anchor: "0a".into(),
                store: "0b".into(),
            },
            JournalError::Stale {
                path: path(),
                anchor: 7,
                store: 9,
            },
            JournalError::Anchor {
                path: path(),
                found: "its checksum does not match".into(),
            },
            JournalError::Newer {
                path: path(),
                found: 2,
                supported: 1,
            },
            JournalError::Runtime { path: path() },
        ]
    }

    fn errors_of_use() -> Vec<JournalError> {
        vec![
            JournalError::PayloadSize {
                path: path(),
                stream: stream(),
                found: 5_000,
            },
            JournalError::AppendSize {
                path: path(),
                stream: stream(),
                entries: 65,
                bytes: 650,
            },
            JournalError::Full {
                path: path(),
                source: cause(),
            },
            JournalError::Commit {
                path: path(),
                source: cause(),
            },
            JournalError::Stopped {
                path: path(),
                reason: "the reason".into(),
            },
            JournalError::Closed { path: path() },
            JournalError::Read {
                path: path(),
                stream: stream(),
                source: cause(),
            },
            JournalError::BlobWrite {
                path: path(),
                source: io(),
            },
            JournalError::BlobRead {
                path: path(),
                source: io(),
            },
            JournalError::BlobContent {
                path: path(),
                found: "0c".into(),
            },
            JournalError::Export {
                path: path(),
                source: io(),
            },
            JournalError::Import {
                path: path(),
                source: io(),
            },
            JournalError::ImportContent {
                path: path(),
                line: 3,
                found: "it ends without its last line".into(),
            },
        ]
    }

    #[test]
    fn every_error_reads_well() {
        let told: Vec<String> = every_error()
            .iter()
            .map(|error| format!("{} {error}\n     hint: {}", error.code(), error.hint()))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        J001 cannot open the journal in /var/lib/hopgate/journal: in use by pid 12 on ops-1 since 2026-05-01T10:00:00Z
             hint: stop that process first, or talk to it instead of starting a second one
        J002 cannot lock the journal in /var/lib/hopgate/journal
             hint: check that the directory is on a local disk with room and that this user may write to it
        J003 cannot create a journal in /var/lib/hopgate/journal
             hint: check that the directory is on a local disk with room and that this user may write to it
        J004 cannot open the journal in /var/lib/hopgate/journal
             hint: check that the directory is on a local disk with room and that this user may write to it
        J005 refused the journal in /var/lib/hopgate/journal: db is missing although conf, anchor are there
             hint: do not delete it: keep the directory as evidence, check the disk, and import the latest export into a new directory
        J006 refused the journal in /var/lib/hopgate/journal: its files are damaged: the storage engine panicked: x; a copy as it was found is in /var/lib/hopgate/journal.damaged-1
             hint: do not delete it: keep the directory as evidence, check the disk, and import the latest export into a new directory
        J007 refused the journal in /var/lib/hopgate/journal: it should hold 500 records and holds 480
             hint: do not delete it: keep the directory as evidence, check the disk, and import the latest export into a new directory
        J008 refused the journal in /var/lib/hopgate/journal: its 500 records are not the ones that were acknowledged
             hint: do not delete it: keep the directory as evidence, check the disk, and import the latest export into a new directory
        J009 refused record 4 of device/2026-q1/fw-1 in /var/lib/hopgate/journal: it is missing
             hint: do not delete it: keep the directory as evidence, check the disk, and import the latest export into a new directory
        J010 refused the journal in /var/lib/hopgate/journal: it holds the key "z"
             hint: do not delete it: keep the directory as evidence, check the disk, and import the latest export into a new directory
        J011 refused the journal in /var/lib/hopgate/journal: its anchor is of journal 0a, its records are of journal 0b
             hint: files of different journals or ages were mixed: restore the whole directory from one backup, never single files
        J012 refused the journal in /var/lib/hopgate/journal: its anchor was written at commit 7, its records end at commit 9
             hint: files of different journals or ages were mixed: restore the whole directory from one backup, never single files
        J013 refused the journal in /var/lib/hopgate/journal: its anchor is damaged: its checksum does not match
             hint: do not delete it: keep the directory as evidence, check the disk, and import the latest export into a new directory
        J014 refused the journal in /var/lib/hopgate/journal: written by a newer hopgate, in format 2 (this one reads up to 1)
             hint: install the hopgate that wrote it, or a newer one
        J015 cannot open the journal in /var/lib/hopgate/journal: not called from within a tokio runtime
             hint: this is a fault of hopgate: please report it with this message
        J016 cannot append to device/2026-q1/fw-1 in /var/lib/hopgate/journal: a payload has 5000 bytes, at most 4000 are kept
             hint: keep the large part as a blob and put its hash into the journal
        J017 cannot append to device/2026-q1/fw-1 in /var/lib/hopgate/journal: 65 entries of 650 bytes at once, at most 64 of 65536 are kept
             hint: this is a fault of hopgate: please report it with this message
        J018 cannot append to the journal in /var/lib/hopgate/journal: the disk is full
             hint: make room and start hopgate again: nothing that was acknowledged is lost
        J019 cannot append to the journal in /var/lib/hopgate/journal
             hint: look at the disk and the system log, then start hopgate again: nothing that was acknowledged is lost
        J020 cannot append to the journal in /var/lib/hopgate/journal: it stopped after an earlier failure: the reason
             hint: look at the disk and the system log, then start hopgate again: nothing that was acknowledged is lost
        J021 the journal in /var/lib/hopgate/journal is closed
             hint: hopgate is shutting down: start it again
        J022 cannot read device/2026-q1/fw-1 from the journal in /var/lib/hopgate/journal
             hint: look at the disk and the system log; the next start verifies every record
        J023 cannot keep /var/lib/hopgate/journal
             hint: check that the disk has room and that this user may write there
        J024 cannot read /var/lib/hopgate/journal
             hint: check that the file is there and that this user may read it
        J025 refused /var/lib/hopgate/journal: its content has the hash 0c
             hint: the file was changed or the disk damaged it: restore it from a backup
        J026 cannot export the journal to /var/lib/hopgate/journal
             hint: check that the disk has room and that this user may write there
        J027 cannot import /var/lib/hopgate/journal
             hint: check that the file is there and that this user may read it
        J028 refused the export /var/lib/hopgate/journal: line 3: it ends without its last line
             hint: take another export: this one is cut short or was edited
        "#);
    }

    #[test]
    fn every_error_has_its_own_code_and_names_its_path() {
        let errors = every_error();
        let codes: std::collections::BTreeSet<_> = errors.iter().map(JournalError::code).collect();
        assert_eq!(codes.len(), errors.len());
        for error in errors {
            assert!(error.to_string().contains("/var/lib/hopgate/journal"), "{error}");
        }
    }

    #[test]
    fn a_cause_is_in_the_chain_and_not_in_the_text() {
        let with_cause = every_error().into_iter().filter(|error| error.source().is_some());
        let mut count = 0;
        for error in with_cause {
            count += 1;
            assert!(!error.to_string().contains("the reason"), "{error}");
            assert_eq!(
                error.source().map(ToString::to_string).as_deref(),
                Some("the reason")
            );
        }
        assert_eq!(count, 10);
    }
}
