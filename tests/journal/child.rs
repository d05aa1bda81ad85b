//! The other side of the tests: what this program does when a test runs it again in a process of its own.
//!
//! Every line told to the parent ends in `;`, so that a line cut by a kill is known for one.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hopgate::journal::sled::{Options, SledJournal};
use hopgate::journal::{Appended, Entry, Journal, JournalError, Record, Seq, StreamId};
use jiff::Timestamp;

use super::machine::TASK;

/// The status of a child whose journal was refused.
pub(crate) const REFUSED: i32 = 3;

/// How many tasks write at once, each to a stream of its own.
pub(crate) const WRITERS: usize = 4;

/// How many entries the n-th append of a writer has: one to three, told by the position it starts at.
pub(crate) fn group(start: Seq) -> u64 {
    start.0 * 40_503 / 256 % 3 + 1
}

#[test]
fn entry() {
    let Ok(task) = std::env::var(TASK) else { return };
    let directory = PathBuf::from(std::env::var_os("HOPGATE_JOURNAL_DIR").unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let ended = runtime.block_on(async {
        match task.as_str() {
            "write" => write(&directory).await,
            "verify" => verify(&directory).await,
            "soak" => soak(&directory).await,
            "fill" => fill(&directory).await,
            other => panic!("unknown task {other}"),
        }
    });
    if let Err(error) = ended {
        tell(format_args!("refused {} {error}", error.code()));
        std::process::exit(REFUSED);
    }
}

fn tell(line: impl Display) {
    // libtest prints "test child::entry ... " without a line end first.
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line};").unwrap();
    out.flush().unwrap();
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().unwrap())
}

fn options() -> Options {
    let mut options = Options::default();
    if let Ok(nanoseconds) = std::env::var("COMMIT_LIMIT_NS") {
        options.commit_limit = Duration::from_nanos(nanoseconds.parse().unwrap());
    }
    options
}

pub(crate) fn device(number: usize) -> StreamId {
    StreamId::new(format!("device/c1/fw-{number:03}")).unwrap()
}

/// What stands at `seq` of `stream`, in any journal of these tests: JSON of some hundred to a thousand bytes.
pub(crate) fn entry_at(stream: &StreamId, seq: Seq) -> Entry {
    let length = 100 + seq.0 * 37 % 900;
    let filling: String = (0..length)
        .map(|n| char::from(b'a' + ((n + seq.0) % 26) as u8))
        .collect();
    let payload = format!(r#"{{"of":"{stream}","seq":{seq},"filling":"{filling}"}}"#).into_bytes();
    Entry {
        at: Timestamp::new(1_700_000_000 + seq.0 as i64, seq.0 as i32).unwrap(),
        payload,
    }
}

pub(crate) fn entries(stream: &StreamId, start: Seq, count: u64) -> Vec<Entry> {
    (start.0..start.0 + count)
        .map(|seq| entry_at(stream, Seq(seq)))
        .collect()
}

/// Whether a record is what [`entry_at`] made.
pub(crate) fn is_as_written(record: &Record) -> bool {
    let Entry { at, payload } = entry_at(&record.stream, record.seq);
    record.at == at && record.payload == payload
}

/// Appends without end, or up to `APPENDS` times a writer, and tells every acknowledgement.
async fn write(directory: &Path) -> Result<(), JournalError> {
    let journal = Arc::new(SledJournal::open_with(directory, options())?);
    tell(format_args!("open {}", journal.fence()));
    let known: BTreeMap<StreamId, Seq> = journal.streams()?.into_iter().collect();
    let appends = number("APPENDS", u64::MAX);
    let writers: Vec<_> = (0..number("WRITERS", WRITERS as u64) as usize)
        .map(|number| {
            let (journal, stream) = (Arc::clone(&journal), device(number));
            let mut next = known.get(&stream).copied().unwrap_or_default();
            tokio::spawn(async move {
                for _ in 0..appends {
                    let batch = entries(&stream, next, group(next));
                    match journal.append(&stream, next, journal.fence(), batch).await? {
                        Appended::Done { next: then } => next = then,
                        other => panic!("append to {stream} at {next}: {other:?}"),
                    }
                    tell(format_args!("ack {stream} {next}"));
                }
                Ok::<_, JournalError>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap()?;
    }
    let commits = journal.commits();
    journal.close().await;
    tell(format_args!("commits {commits}"));
    Ok(())
}

/// Opens a journal and tells what is in it: every record as it was written, every append whole.
async fn verify(directory: &Path) -> Result<(), JournalError> {
    let journal = SledJournal::open(directory)?;
    let grouped = number("GROUPED", 1) == 1;
    let mut records = 0;
    for (stream, next) in journal.streams()? {
        let read = journal.read(&stream, Seq(0))?;
        assert_eq!(read.len() as u64, next.0, "{stream}");
        assert!(
            read.iter().all(is_as_written),
            "{stream} holds what was never written"
        );
        let mut whole = Seq(0);
        while grouped && whole < next {
            whole.0 += group(whole);
        }
        assert!(
            !grouped || whole == next,
            "{stream} ends at {next}, within an append"
        );
        records += next.0;
        tell(format_args!("holds {stream} {next}"));
    }
    tell(format_args!("complete {records} under {}", journal.fence()));
    journal.close().await;
    Ok(())
}

/// Writers that share commits, as few as make them: 64 would put the whole soak into a sixty-fourth of the commits.
const SOAKERS: usize = 4;

/// Commits `COMMITS` times, several writers at once, and tells of progress.
async fn soak(directory: &Path) -> Result<(), JournalError> {
    let journal = Arc::new(SledJournal::open(directory)?);
    let commits = number("COMMITS", 0);
    let writers: Vec<_> = (0..SOAKERS)
        .map(|number| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let stream = device(number);
                let mut seq = 0;
                while journal.commits() < commits {
                    let entry = vec![entry_at(&stream, Seq(seq))];
                    let appended = journal
                        .append(&stream, Seq(seq), journal.fence(), entry)
                        .await
                        .unwrap();
                    seq += 1;
                    assert_eq!(appended, Appended::Done { next: Seq(seq) });
                    if number == 0 && seq % 1_024 == 0 {
                        tell(format_args!("at {seq}"));
                    }
                }
                seq
            })
        })
        .collect();
    let mut wrote = 0;
    for writer in writers {
        wrote += writer.await.unwrap();
    }
    tell(format_args!("wrote {wrote}"));
    journal.close().await;
    tell("soaked");
    Ok(())
}

/// Appends until the disk is full, then tells what the journal says, then and afterwards.
async fn fill(directory: &Path) -> Result<(), JournalError> {
    let journal = SledJournal::open(directory)?;
    let stream = device(0);
    let mut next = Seq(0);
    let full = loop {
        match journal
            .append(
                &stream,
                next,
                journal.fence(),
                entries(&stream, next, group(next)),
            )
            .await
        {
            Ok(Appended::Done { next: then }) => next = then,
            Ok(other) => panic!("append at {next}: {other:?}"),
            Err(error) => break error,
        }
        tell(format_args!("ack {stream} {next}"));
    };
    tell(format_args!("first {} {full}", full.code()));
    let again = journal
        .append(
            &stream,
            next,
            journal.fence(),
            entries(&stream, next, group(next)),
        )
        .await;
    tell(format_args!("then {}", again.unwrap_err().code()));
    // After a failed write the engine underneath may refuse to read what it does not hold in memory. That is told; what it
    // does read is never less than what was acknowledged, and the next open reads all of it.
    match journal.read(&stream, Seq(0)) {
        Ok(records) => assert_eq!(
            records.len() as u64,
            next.0,
            "what was acknowledged stays readable"
        ),
        Err(error) => assert_eq!(error.code(), "J022"),
    }
    std::process::exit(0);
}
