//! The rules that make the embedded engine safe, each with its test. Rules 5 and 6 are in `damage`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hopgate::journal::sled::SledJournal;
use hopgate::journal::{
    APPEND_ENTRIES_LIMIT, Appended, Entry, Journal, JournalError, PAYLOAD_LIMIT, Seq, StreamId,
};
use jiff::Timestamp;

use super::child::{device, entries};
use super::machine::{Process, Scratch, pause, skip, works};

fn entry(payload: &[u8]) -> Entry {
    Entry {
        at: Timestamp::UNIX_EPOCH,
        payload: payload.to_vec(),
    }
}

/// A thousand who append at once share commits, of at most 64 entries, and all get through.
#[test]
fn rule_1_commits_are_shared_and_bounded() {
    let scratch = Scratch::new("rule-1");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    runtime.block_on(async {
        let journal = Arc::new(SledJournal::open(&scratch.path("j")).unwrap());
        let before = journal.commits();
        let writers: Vec<_> = (0..1_000)
            .map(|number| {
                let journal = Arc::clone(&journal);
                tokio::spawn(async move {
                    let stream = device(number);
                    journal
                        .append(&stream, Seq(0), journal.fence(), entries(&stream, Seq(0), 3))
                        .await
                        .unwrap()
                })
            })
            .collect();
        for writer in writers {
            assert_eq!(writer.await.unwrap(), Appended::Done { next: Seq(3) });
        }
        let commits = journal.commits() - before;
        let largest = APPEND_ENTRIES_LIMIT as u64 / 3;
        assert!(
            commits >= 1_000_u64.div_ceil(largest),
            "{commits} commits, one was too large"
        );
        assert!(commits <= 500, "{commits} commits: hardly any was shared");
    });
}

/// An append that would not fit into one commit is refused whole.
#[test]
fn rule_1_an_append_fits_into_a_commit() {
    let scratch = Scratch::new("rule-1");
    block_on(async {
        let journal = SledJournal::open(&scratch.path("j")).unwrap();
        let stream = StreamId::new("pager").unwrap();
        let most = vec![entry(b"x"); APPEND_ENTRIES_LIMIT];
        let appended = journal.append(&stream, Seq(0), journal.fence(), most).await;
        assert_eq!(appended.unwrap(), Appended::Done { next: Seq(64) });
        for (count, length) in [(APPEND_ENTRIES_LIMIT + 1, 1), (17, PAYLOAD_LIMIT)] {
            let error = journal
                .append(
                    &stream,
                    Seq(64),
                    journal.fence(),
                    vec![entry(&vec![0; length]); count],
                )
                .await;
            assert!(matches!(error, Err(JournalError::AppendSize { .. })), "{error:?}");
        }
        assert_eq!(journal.streams().unwrap(), [(stream, Seq(64))]);
    });
}

/// One file names the engine, and it never calls what deadlocks or what is not durable.
#[test]
fn rule_1_the_engine_stays_in_one_file() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine");
    let mut named = BTreeSet::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                for line in code {
                    if [
                        "sled::Db",
                        "sled::Config",
                        "sled::Error",
                        "sled::Batch",
                        "sled::open",
                    ]
                    .iter()
                    .any(|name| line.contains(name))
                    {
                        named.insert(path.strip_prefix(&source).unwrap().to_owned());
                    }
                    for never in [
                        ".flush_async(",
                        ".generate_id(",
                        ".watch_prefix(",
                        "flush_every_ms(Some",
                    ] {
                        assert!(!line.contains(never), "{}: {line}", path.display());
                    }
                }
            }
        }
    }
    assert_eq!(
        named,
        BTreeSet::from([PathBuf::from("hopgate/src/journal/sled.rs")])
    );
}

/// Counts the syncs of the engine's log and of the anchor: one each for every commit.
#[test]
fn rule_2_every_commit_syncs_the_log_and_the_anchor() {
    if !works("strace", &["-f", "-o", "/dev/null", "true"]) {
        return skip("the count of syncs", "strace cannot trace here");
    }
    let scratch = Scratch::new("rule-2");
    let (directory, trace) = (scratch.path("j"), scratch.path("trace"));
    let wrapper = [
        "strace".as_ref(),
        "-f".as_ref(),
        "-qq".as_ref(),
        "-y".as_ref(),
        "-o".as_ref(),
        trace.as_os_str(),
    ];
    let wrapper = [&wrapper[..], &["-e".as_ref(), "trace=fdatasync".as_ref()]].concat();
    let (status, told) = Process::wrapped(&wrapper, "write", &directory, &[("APPENDS", "100")]).end();
    assert!(status.success(), "{told:?}");
    let commits: usize = told
        .iter()
        .find_map(|line| line.strip_prefix("commits "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(commits >= 100, "{commits}");
    let trace = fs::read_to_string(trace).unwrap();
    let syncs = |file: &str| {
        trace
            .lines()
            .filter(|line| line.contains("fdatasync(") && line.contains(file))
            .count()
    };
    println!(
        "{commits} commits, {} syncs of the log, {} of the anchor",
        syncs("/j/db>"),
        syncs("/j/anchor>")
    );
    assert!(
        syncs("/j/db>") >= commits,
        "{} syncs for {commits} commits",
        syncs("/j/db>")
    );
    assert!(
        syncs("/j/anchor>") >= commits,
        "{} syncs for {commits} commits",
        syncs("/j/anchor>")
    );
}

/// The largest payload is kept, one byte more is refused, and nothing of it is.
#[test]
fn rule_3_values_stay_within_four_kilobytes() {
    let scratch = Scratch::new("rule-3");
    let directory = scratch.path("j");
    block_on(async {
        let stream = StreamId::new("x".repeat(200)).unwrap();
        let largest = vec![0xfe; PAYLOAD_LIMIT];
        let journal = SledJournal::open(&directory).unwrap();
        // Enough for leaves to be written out full.
        for round in 0..20 {
            let expected = Seq(round * 16);
            let appended = journal
                .append(&stream, expected, journal.fence(), vec![entry(&largest); 16])
                .await;
            assert_eq!(
                appended.unwrap(),
                Appended::Done {
                    next: Seq(expected.0 + 16)
                }
            );
        }
        let larger = vec![entry(b"x"), entry(&vec![0; PAYLOAD_LIMIT + 1])];
        let error = journal
            .append(&stream, Seq(320), journal.fence(), larger)
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.ends_with(": a payload has 4001 bytes, at most 4000 are kept"),
            "{text}"
        );
        journal.close().await;
        drop(journal);
        let journal = SledJournal::open(&directory).unwrap();
        let records = journal.read(&stream, Seq(0)).unwrap();
        assert!(records.len() == 320 && records.iter().all(|record| record.payload == largest));
        // Nothing went to the files the engine does not sync.
        let overflow = fs::read_dir(directory.join("blobs")).map_or(0, Iterator::count);
        assert_eq!(overflow, 0);
    });
}

/// A snapshot whose writing was cut off by a kill is removed before the engine can take it for a finished
/// one.
#[test]
fn rule_4_unfinished_snapshots_are_removed() {
    let scratch = Scratch::new("rule-4");
    let directory = scratch.path("j");
    block_on(async {
        let stream = device(0);
        let journal = SledJournal::open(&directory).unwrap();
        let appended = journal
            .append(&stream, Seq(0), journal.fence(), entries(&stream, Seq(0), 30))
            .await;
        assert_eq!(appended.unwrap(), Appended::Done { next: Seq(30) });
        journal.close().await;
        drop(journal);
        let unfinished = directory.join("snap.7FFFFFFFFFFFFFFF.generating");
        fs::write(&unfinished, [1; 1_000]).unwrap();
        let journal = SledJournal::open(&directory).unwrap();
        assert_eq!(journal.read(&stream, Seq(0)).unwrap().len(), 30);
        assert!(!unfinished.exists());
        assert!(
            !scratch.path("j.damaged-1").exists(),
            "it was met with the protocol for damage"
        );
    });
}

/// Creation is all or nothing: until its last file is durable it begins anew, and from then on nothing does.
#[test]
fn rule_4_an_interrupted_creation_begins_anew() {
    let scratch = Scratch::new("rule-4");
    block_on(async {
        let whole = scratch.path("whole");
        SledJournal::open(&whole).unwrap().close().await;
        let part = scratch.path("part");
        fs::create_dir(&part).unwrap();
        fs::write(part.join("LOCK"), "hopgate journal, being created\npid 1\n").unwrap();
        fs::write(part.join("conf"), [7; 3]).unwrap();
        fs::write(part.join("db"), [7; 1_000]).unwrap();
        fs::write(part.join("snap.0000000000000001"), [7; 100]).unwrap();
        let journal = SledJournal::open(&part).unwrap();
        assert_eq!(journal.streams().unwrap(), []);
        assert!(
            fs::read_to_string(part.join("LOCK"))
                .unwrap()
                .starts_with("hopgate journal\npid ")
        );
        // The same files without the mark are a journal that lost its anchor.
        let lost = scratch.path("lost");
        fs::create_dir(&lost).unwrap();
        fs::copy(whole.join("conf"), lost.join("conf")).unwrap();
        fs::copy(whole.join("db"), lost.join("db")).unwrap();
        let error = SledJournal::open(&lost).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with(": anchor is missing although conf, db are there"),
            "{error}"
        );
    });
}

/// A commit that takes longer than it may ends the process, by a signal nobody catches; what was acknowledged
/// stays.
#[test]
fn rule_7_a_commit_that_does_not_end_aborts() {
    let scratch = Scratch::new("rule-7");
    let directory = scratch.path("j");
    let (status, _) = Process::task("write", &directory, &[("COMMIT_LIMIT_NS", "1")]).end();
    assert_eq!(status.signal(), Some(6), "{status}");
    let (status, told) = Process::task("verify", &directory, &[]).end();
    assert!(status.success(), "{told:?}");
}

/// A process that was stopped for longer than a commit may take is not ended on waking.
#[test]
fn rule_7_a_stopped_process_is_not_aborted() {
    let scratch = Scratch::new("rule-7");
    let writer = Process::task("write", &scratch.path("j"), &[("COMMIT_LIMIT_NS", "2000000000")]);
    assert!(writer.line(Duration::from_secs(30)).is_some());
    writer.signal("STOP");
    pause(Duration::from_secs(3));
    writer.told();
    writer.signal("CONT");
    assert!(
        writer
            .line(Duration::from_secs(30))
            .is_some_and(|line| line.starts_with("ack "))
    );
    assert!(
        writer.lines_for(Duration::from_secs(3)).len() > 100,
        "it did not go on"
    );
}

/// With the runtime's clock paused a deadline does not overtake the disk: the clock stands while a commit is
/// made.
#[test]
fn a_paused_clock_waits_for_the_disk() {
    let scratch = Scratch::new("paused");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let journal = SledJournal::open(&scratch.path("j")).unwrap();
        let stream = device(0);
        for seq in 0..50 {
            let append = journal.append(&stream, Seq(seq), journal.fence(), entries(&stream, Seq(seq), 1));
            #[expect(
                clippy::disallowed_methods,
                reason = "the runtime's own clock is what is tested"
            )]
            let ended = tokio::time::timeout(Duration::from_millis(1), append).await;
            assert_eq!(ended.unwrap().unwrap(), Appended::Done { next: Seq(seq + 1) });
        }
    });
}

/// Watchers are told after the records can be read; one that does not listen holds nobody up.
#[test]
fn watchers_are_told_of_what_is_durable() {
    let scratch = Scratch::new("watch");
    block_on(async {
        let journal = SledJournal::open(&scratch.path("j")).unwrap();
        let mut watching = journal.watch();
        let _deaf = journal.watch();
        let stream = device(0);
        for seq in 0..1_200 {
            let one = entries(&stream, Seq(seq), 1);
            assert_eq!(
                journal
                    .append(&stream, Seq(seq), journal.fence(), one)
                    .await
                    .unwrap(),
                Appended::Done { next: Seq(seq + 1) }
            );
            let change = watching.recv().await.unwrap();
            assert_eq!((change.stream, change.next), (stream.clone(), Seq(seq + 1)));
        }
    });
}

/// After a close the directory is free at once, in the same process, and the closed journal says what it is.
#[test]
fn a_closed_journal_lets_go() {
    let scratch = Scratch::new("close");
    let directory = scratch.path("j");
    block_on(async {
        let stream = device(0);
        let closed = SledJournal::open(&directory).unwrap();
        let again = SledJournal::open(&directory).unwrap_err();
        assert_eq!(again.code(), "J001");
        assert!(
            again
                .to_string()
                .contains(&format!("in use by pid {} on ", std::process::id())),
            "{again}"
        );
        closed.close().await;
        closed.close().await;
        let open = SledJournal::open(&directory).unwrap();
        assert!(open.fence() > closed.fence());
        let append = closed
            .append(&stream, Seq(0), closed.fence(), entries(&stream, Seq(0), 1))
            .await;
        assert!(matches!(append, Err(JournalError::Closed { .. })));
        assert!(matches!(
            closed.read(&stream, Seq(0)),
            Err(JournalError::Closed { .. })
        ));
        assert!(matches!(closed.streams(), Err(JournalError::Closed { .. })));
    });
    assert_eq!(
        SledJournal::open(&directory).unwrap_err().code(),
        "J015",
        "there is no runtime here"
    );
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
