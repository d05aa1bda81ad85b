//! Looks for secrets where none may be: in records, stories, reports, logs and errors.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hopgate::journal::{Journal, Seq};

/// What the simulator's configurations hold that nothing but a stored configuration may.
pub const IN_CONFIGURATIONS: [&str; 3] = [
    "U0lNVUxBVE9SLVBSSVZBVEUtS0VZLVRIQVQtTVVTVC1ORVZFUi1BUFBFQVItSU4tQS1MT0c=",
    "BEGIN PRIVATE KEY",
    "PASSWORD-HASH-THAT-MUST-NEVER-APPEAR-IN-A-LOG",
];

/// Where a secret was found: `place: secret`, for every secret in every text.
pub fn found<'a>(texts: impl IntoIterator<Item = (&'a str, &'a [u8])>, secrets: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, text) in texts {
        for secret in secrets {
            assert!(secret.len() >= 4, "{secret:?} would be found by chance");
            if text
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
            {
                found.push(format!("{place}: {secret}"));
            }
        }
    }
    found
}

/// Every record of a journal, with its place.
///
/// # Panics
/// Where the journal cannot be read.
pub fn records(journal: &dyn Journal) -> Vec<(String, Vec<u8>)> {
    let streams = journal.streams().expect("the journal is open");
    let records = streams
        .iter()
        .flat_map(|(stream, _)| journal.read(stream, Seq(0)).expect("the stream reads"));
    records
        .map(|record| (format!("{} {}", record.stream, record.seq), record.payload))
        .collect()
}

/// A log that is kept, for `tracing_subscriber::fmt().with_writer(...)`.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Everything that was logged.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Everything down to `trace` goes into it on this thread, for as long as the guard lives.
    pub fn listen(&self) -> tracing::subscriber::DefaultGuard {
        // While there is only one subscriber, tracing asks the thread that meets a place first whether anybody listens there,
        // and remembers that: another test's thread would switch places off for this one. A second one ends that.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(io::sink)
                .finish();
            tracing::Dispatch::new(subscriber)
        });
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
