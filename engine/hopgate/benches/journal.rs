//! What the journal costs: a shared commit against one of its own for every append, and the verified
//! reopening of a large journal. `cargo bench -p hopgate --bench journal`.
//!
//! The reopening runs in a process of its own, so that its peak memory is its own.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has nothing to report"
)]
#![expect(clippy::print_stdout, reason = "a benchmark reports to whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use hopgate::journal::sled::SledJournal;
use hopgate::journal::{APPEND_ENTRIES_LIMIT, Appended, Entry, Journal, Seq, StreamId};
use jiff::Timestamp;
use tokio::runtime::Runtime;

/// Names the journal to reopen in the process that does it.
const REOPEN: &str = "HOPGATE_BENCH_REOPEN";

/// The fleet a journal is sized for, and the events of one device in one campaign.
const DEVICES: usize = 10_000;
const EVENTS: usize = 100;

/// How many append at once.
const TASKS: usize = 1_000;

/// What one event of a device takes, and what the measurements of sled were made with.
const EVENT_BYTES: usize = 240;
const RECORD_BYTES: usize = 1_000;

/// The least by which shared commits must be faster, the most a reopening may take.
const LEAST_RATIO: f64 = 2.5;
const MOST_SECONDS: f64 = 6.0;
const MOST_MEGABYTES: f64 = 500.0;

fn main() {
    if let Some(directory) = std::env::var_os(REOPEN) {
        return reopen(Path::new(&directory));
    }
    // `cargo test` runs benchmarks once, to see that they run.
    let only_try = std::env::args().any(|argument| argument == "--test");
    let scratch = Scratch::new();
    let ratio = shared_commits(&scratch, if only_try { 1 } else { 20 });
    let reopened = large_journal(&scratch, if only_try { 10 } else { DEVICES });
    let mut criterion = Criterion::default().configure_from_args();
    appends(&mut criterion, &scratch);
    criterion.final_summary();
    drop(scratch);
    if !only_try {
        assert!(
            ratio >= LEAST_RATIO,
            "shared commits are only {ratio:.1} times as fast"
        );
        let (seconds, megabytes) = reopened;
        assert!(seconds < MOST_SECONDS, "reopening took {seconds:.1} s");
        assert!(megabytes < MOST_MEGABYTES, "reopening took {megabytes:.0} MB");
    }
}

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn stream(number: usize) -> StreamId {
    StreamId::new(format!("device/2026-q1/fw-{number:05}")).unwrap()
}

fn entry(bytes: usize) -> Entry {
    Entry {
        at: Timestamp::UNIX_EPOCH,
        payload: vec![b'x'; bytes],
    }
}

async fn append(journal: &SledJournal, stream: &StreamId, at: Seq, entries: Vec<Entry>) -> Seq {
    match journal
        .append(stream, at, journal.fence(), entries)
        .await
        .unwrap()
    {
        Appended::Done { next } => next,
        other => panic!("{other:?}"),
    }
}

/// Appends `rounds` records by each of 1,000 tasks at once; how long each append took.
async fn at_once(journal: &Arc<SledJournal>, from: u64, rounds: u64) -> Vec<Duration> {
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let journal = Arc::clone(journal);
            tokio::spawn(async move {
                let stream = stream(number);
                let mut took = Vec::new();
                for seq in from..from + rounds {
                    let begun = Instant::now();
                    append(&journal, &stream, Seq(seq), vec![entry(RECORD_BYTES)]).await;
                    took.push(begun.elapsed());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    took
}

/// The same records with one commit each, against 1,000 tasks that share them.
fn shared_commits(scratch: &Scratch, rounds: u64) -> f64 {
    let runtime = runtime();
    let (alone, shared) = runtime.block_on(async {
        let journal = SledJournal::open(&scratch.0.join("alone")).unwrap();
        let mut took = Vec::new();
        let begun = Instant::now();
        for seq in 0..rounds {
            for number in 0..TASKS / 4 {
                let one = Instant::now();
                append(&journal, &stream(number), Seq(seq), vec![entry(RECORD_BYTES)]).await;
                took.push(one.elapsed());
            }
        }
        let alone = Figures::new(begun.elapsed(), took);
        journal.close().await;
        let journal = Arc::new(SledJournal::open(&scratch.0.join("shared")).unwrap());
        let begun = Instant::now();
        let took = at_once(&journal, 0, rounds).await;
        let shared = Figures::new(begun.elapsed(), took);
        journal.close().await;
        (alone, shared)
    });
    let ratio = shared.rate / alone.rate;
    println!("one commit an append: {alone}");
    println!("1,000 tasks at once:  {shared}");
    println!("shared commits are {ratio:.1} times as fast (at least {LEAST_RATIO} wanted)");
    ratio
}

struct Figures {
    rate: f64,
    median: Duration,
    p99: Duration,
}

impl Figures {
    fn new(whole: Duration, mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let rate = took.len() as f64 / whole.as_secs_f64();
        Self {
            rate,
            median: took[took.len() / 2],
            p99: took[took.len() * 99 / 100],
        }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        let Self { rate, median, p99 } = self;
        write!(
            f,
            "{rate:.0} appends/s, p50 {:.2} ms, p99 {:.2} ms",
            milliseconds(*median),
            milliseconds(*p99)
        )
    }
}

/// Fills a journal and has it reopened: seconds and peak megabytes.
fn large_journal(scratch: &Scratch, devices: usize) -> (f64, f64) {
    let directory = scratch.0.join("large");
    let begun = Instant::now();
    runtime().block_on(async {
        let journal = Arc::new(SledJournal::open(&directory).unwrap());
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let journal = Arc::clone(&journal);
                tokio::spawn(async move {
                    for number in (task..devices).step_by(8) {
                        let mut next = Seq(0);
                        while next.0 < EVENTS as u64 {
                            let count = (EVENTS - next.0 as usize).min(APPEND_ENTRIES_LIMIT);
                            next = append(&journal, &stream(number), next, vec![entry(EVENT_BYTES); count])
                                .await;
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        journal.close().await;
    });
    println!(
        "{devices} devices x {EVENTS} events written in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let output = Command::new(std::env::current_exe().unwrap())
        .env(REOPEN, &directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut figures = said
        .split_whitespace()
        .map(|figure| figure.parse::<f64>().unwrap());
    let (seconds, megabytes, streams) = (
        figures.next().unwrap(),
        figures.next().unwrap(),
        figures.next().unwrap(),
    );
    println!(
        "reopened and verified in {seconds:.2} s (under {MOST_SECONDS} s wanted), peak {megabytes:.0} MB (under {MOST_MEGABYTES} MB wanted)"
    );
    assert!((streams - devices as f64).abs() < 0.5, "{streams} streams");
    (seconds, megabytes)
}

/// In its own process: opens the journal and says what that took.
fn reopen(directory: &Path) {
    runtime().block_on(async {
        let begun = Instant::now();
        let journal = SledJournal::open(directory).unwrap();
        let took = begun.elapsed();
        let streams = journal.streams().unwrap();
        assert!(streams.iter().all(|(_, next)| next.0 == EVENTS as u64));
        println!("{} {} {}", took.as_secs_f64(), peak_megabytes(), streams.len());
        journal.close().await;
    });
}

/// The largest resident set so far. Where the kernel does not tell, nothing is known and 0 is reported.
fn peak_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1_024.0
}

fn appends(criterion: &mut Criterion, scratch: &Scratch) {
    let runtime = runtime();
    let journal =
        runtime.block_on(async { Arc::new(SledJournal::open(&scratch.0.join("criterion")).unwrap()) });
    let mut group = criterion.benchmark_group("append");
    group.sample_size(20);
    for entries in [1, 16, APPEND_ENTRIES_LIMIT] {
        let stream = StreamId::new(format!("bench/{entries}")).unwrap();
        let mut next = Seq(0);
        group.throughput(Throughput::Elements(entries as u64));
        group.bench_function(BenchmarkId::new("entries", entries), |bencher| {
            bencher.iter(|| {
                let batch = vec![entry(EVENT_BYTES); entries];
                next = runtime.block_on(append(&journal, &stream, next, black_box(batch)));
            });
        });
    }
    group.finish();
    runtime.block_on(journal.close());
}
