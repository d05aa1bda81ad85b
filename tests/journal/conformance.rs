//! One suite for every journal: the same operations on it and on a model that is a map of lists, answers
//! compared.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hopgate::journal::memory::{MemoryJournal, Outcome};
use hopgate::journal::sled::SledJournal;
use hopgate::journal::{Appended, Entry, Fence, Journal, JournalError, Record, Seq, StreamId};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::machine::Scratch;

/// A journal that can be opened again.
enum Subject {
    Memory(MemoryJournal),
    Sled(SledJournal, PathBuf),
}

impl Subject {
    fn journal(&self) -> &dyn Journal {
        match self {
            Self::Memory(journal) => journal,
            Self::Sled(journal, _) => journal,
        }
    }

    async fn reopen(self) -> Self {
        match self {
            Self::Memory(journal) => Self::Memory(journal.crash()),
            Self::Sled(journal, path) => {
                journal.close().await;
                drop(journal);
                Self::Sled(SledJournal::open(&path).unwrap(), path)
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append {
        stream: usize,
        off: i64,
        entries: Vec<Vec<u8>>,
        stale: bool,
    },
    Read {
        stream: usize,
        from: u64,
    },
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let payload = proptest::collection::vec(any::<u8>(), 0..40);
    let append = (
        0..3_usize,
        prop_oneof![6 => Just(0), 1 => Just(-1), 1 => Just(1)],
        0..8_u8,
    );
    let append =
        (append, proptest::collection::vec(payload, 0..5)).prop_map(|((stream, off, luck), entries)| {
            Step::Append {
                stream,
                off,
                entries,
                stale: luck == 0,
            }
        });
    let read = (0..3_usize, 0..12_u64).prop_map(|(stream, from)| Step::Read { stream, from });
    proptest::collection::vec(
        prop_oneof![8 => append, 3 => read, 1 => Just(Step::Reopen)],
        1..40,
    )
}

/// Names of which one begins another: a journal that finds records by their names' prefixes would mix them.
fn streams() -> [StreamId; 3] {
    ["device/c/fw", "device/c/fw-1", "pager"].map(|name| StreamId::new(name).unwrap())
}

/// What a journal should hold.
struct Model {
    held: BTreeMap<StreamId, Vec<Record>>,
    fence: Fence,
}

impl Model {
    fn of(&self, stream: &StreamId) -> &[Record] {
        self.held.get(stream).map(Vec::as_slice).unwrap_or_default()
    }

    fn streams(&self) -> Vec<(StreamId, Seq)> {
        self.held
            .iter()
            .map(|(stream, records)| (stream.clone(), Seq(records.len() as u64)))
            .collect()
    }

    /// The answer that is right, after which the entries are held if it is `Done`.
    fn append(&mut self, stream: &StreamId, expected: Seq, fence: Fence, entries: Vec<Entry>) -> Appended {
        let known = Seq(self.of(stream).len() as u64);
        if fence != self.fence {
            return Appended::Fenced { holder: self.fence };
        }
        if expected != known {
            return Appended::Conflict { found: known };
        }
        let next = Seq(known.0 + entries.len() as u64);
        let records = entries
            .into_iter()
            .zip(known.0..)
            .map(|(Entry { at, payload }, seq)| Record {
                stream: stream.clone(),
                seq: Seq(seq),
                fence,
                at,
                payload,
            });
        if next > known {
            self.held.entry(stream.clone()).or_default().extend(records);
        }
        Appended::Done { next }
    }
}

async fn agrees_with_the_model(mut subject: Subject, steps: &[Step]) {
    let names = streams();
    let mut model = Model {
        held: BTreeMap::new(),
        fence: subject.journal().fence(),
    };
    let mut changes = subject.journal().watch();
    for (number, step) in (0..).zip(steps) {
        match step {
            Step::Append {
                stream,
                off,
                entries,
                stale,
            } => {
                let stream = &names[*stream];
                let fence = if *stale {
                    Fence(model.fence.0 - 1)
                } else {
                    model.fence
                };
                let expected = Seq((model.of(stream).len() as u64).saturating_add_signed(*off));
                let at = Timestamp::new(number, 7).unwrap();
                let entries: Vec<_> = entries
                    .iter()
                    .map(|payload| Entry {
                        at,
                        payload: payload.clone(),
                    })
                    .collect();
                let appended = subject
                    .journal()
                    .append(stream, expected, fence, entries.clone())
                    .await;
                let grows = !entries.is_empty();
                let right = model.append(stream, expected, fence, entries);
                assert_eq!(appended.unwrap(), right);
                if let Appended::Done { next } = right
                    && grows
                {
                    let change = changes.recv().await.unwrap();
                    assert_eq!((&change.stream, change.next), (stream, next));
                }
            }
            Step::Read { stream, from } => {
                let stream = &names[*stream];
                let right = model.of(stream).iter().filter(|record| record.seq.0 >= *from);
                let read = subject.journal().read(stream, Seq(*from)).unwrap();
                assert_eq!(read.iter().collect::<Vec<_>>(), right.collect::<Vec<_>>());
            }
            Step::Reopen => {
                subject = subject.reopen().await;
                let fence = subject.journal().fence();
                assert!(fence > model.fence, "a fence came twice");
                model.fence = fence;
                changes = subject.journal().watch();
            }
        }
        assert_eq!(subject.journal().streams().unwrap(), model.streams());
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn memory_agrees_with_the_model() {
    let mut runner = TestRunner::new(Config {
        cases: 256,
        failure_persistence: None,
        ..Config::default()
    });
    let run = runner.run(&steps(), |steps| {
        block_on(agrees_with_the_model(
            Subject::Memory(MemoryJournal::new()),
            &steps,
        ));
        Ok(())
    });
    run.unwrap();
}

#[test]
fn sled_agrees_with_the_model() {
    let scratch = Scratch::new("model");
    let cases = if super::machine::full() { 200 } else { 30 };
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let next = AtomicU64::new(0);
    let run = TestRunner::new(config).run(&steps(), |steps| {
        let path = scratch.path(&format!("{}", next.fetch_add(1, Ordering::Relaxed)));
        block_on(async {
            let journal = SledJournal::open(&path).unwrap();
            agrees_with_the_model(Subject::Sled(journal, path), &steps).await;
        });
        Ok(())
    });
    run.unwrap();
}

/// Of many who append to one position at once, exactly one is told `Done`, the others where the stream is
/// now.
#[test]
fn one_of_many_wins_a_position() {
    let scratch = Scratch::new("race");
    block_on(async {
        let sled = Arc::new(SledJournal::open(&scratch.path("j")).unwrap());
        let memory = Arc::new(MemoryJournal::new());
        let subjects: [Arc<dyn Journal>; 2] = [sled, memory];
        for journal in subjects {
            let stream = StreamId::new("campaign/c1").unwrap();
            let rivals: Vec<_> = (0..100_u8)
                .map(|number| {
                    let (journal, stream) = (Arc::clone(&journal), stream.clone());
                    let entry = Entry {
                        at: Timestamp::UNIX_EPOCH,
                        payload: vec![number],
                    };
                    tokio::spawn(async move {
                        journal
                            .append(&stream, Seq(0), journal.fence(), vec![entry])
                            .await
                            .unwrap()
                    })
                })
                .collect();
            let mut won = 0;
            for rival in rivals {
                match rival.await.unwrap() {
                    Appended::Done { next: Seq(1) } => won += 1,
                    Appended::Conflict { found: Seq(1) } => {}
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!((won, journal.read(&stream, Seq(0)).unwrap().len()), (1, 1));
        }
    });
}

/// What a caller meets who is dropped between two steps of an append and comes back after a crash: the steps
/// of the memory journal are the outcomes of a real one.
#[test]
fn memory_loses_what_was_not_flushed() {
    let stream = StreamId::new("device/c/a").unwrap();
    let entries = || {
        vec![
            Entry {
                at: Timestamp::UNIX_EPOCH,
                payload: b"x".to_vec()
            };
            2
        ]
    };
    let mut kept = Vec::new();
    for polls in 1..=3 {
        let journal = MemoryJournal::new();
        let ended = {
            let mut append = journal.append(&stream, Seq(0), journal.fence(), entries());
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            (0..polls).any(|_| append.as_mut().poll(&mut context).is_ready())
        };
        let after = journal.crash();
        assert!(after.fence() > journal.fence());
        kept.push((ended, after.read(&stream, Seq(0)).unwrap().len()));
    }
    assert_eq!(kept, [(false, 0), (false, 2), (true, 2)]);
}

#[test]
fn memory_fences_off_the_dead() {
    block_on(async {
        let stream = StreamId::new("pager").unwrap();
        let journal = MemoryJournal::new();
        let after = journal.crash();
        let appended = journal
            .append(&stream, Seq(0), journal.fence(), Vec::new())
            .await
            .unwrap();
        assert_eq!(
            appended,
            Appended::Fenced {
                holder: after.fence()
            }
        );
    });
}

#[test]
fn memory_fails_where_it_is_told_to() {
    block_on(async {
        let stream = StreamId::new("device/c/a").unwrap();
        let entry = || {
            vec![Entry {
                at: Timestamp::UNIX_EPOCH,
                payload: b"x".to_vec(),
            }]
        };
        let outcomes = [
            (Outcome::UnknownNotWritten, 0),
            (Outcome::UnknownWritten, 1),
            (Outcome::ErrorNotWritten, 0),
            (Outcome::ErrorWritten, 1),
            (Outcome::Conflict, 0),
            (Outcome::Fenced, 0),
        ];
        for (outcome, written) in outcomes {
            let journal = MemoryJournal::new();
            journal.fail_append(1, outcome);
            let first = journal.append(&stream, Seq(0), journal.fence(), entry()).await;
            assert_eq!(first.unwrap(), Appended::Done { next: Seq(1) });
            let second = journal.append(&stream, Seq(1), journal.fence(), entry()).await;
            match (outcome, second) {
                (Outcome::UnknownNotWritten | Outcome::UnknownWritten, Ok(Appended::Unknown))
                | (Outcome::ErrorNotWritten | Outcome::ErrorWritten, Err(JournalError::Commit { .. }))
                | (Outcome::Conflict, Ok(Appended::Conflict { .. }))
                | (Outcome::Fenced, Ok(Appended::Fenced { .. })) => {}
                (outcome, second) => panic!("{outcome:?}: {second:?}"),
            }
            assert_eq!(
                journal.crash().read(&stream, Seq(0)).unwrap().len(),
                1 + written,
                "{outcome:?}"
            );
        }
    });
}

#[test]
fn memory_holds_appends_while_the_flush_is_held() {
    block_on(async {
        let stream = StreamId::new("device/c/a").unwrap();
        let journal = Arc::new(MemoryJournal::new());
        journal.hold_flush(true);
        let appending = {
            let (journal, stream) = (Arc::clone(&journal), stream.clone());
            let entry = vec![Entry {
                at: Timestamp::UNIX_EPOCH,
                payload: Vec::new(),
            }];
            tokio::spawn(async move {
                journal
                    .append(&stream, Seq(0), journal.fence(), entry)
                    .await
                    .unwrap()
            })
        };
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!appending.is_finished());
        assert!(journal.copy_of_disk().read(&stream, Seq(0)).unwrap().is_empty());
        journal.hold_flush(false);
        assert_eq!(appending.await.unwrap(), Appended::Done { next: Seq(1) });
        assert_eq!(journal.copy_of_disk().read(&stream, Seq(0)).unwrap().len(), 1);
    });
}
