//! Ends the process when a commit does not: the engine can deadlock in a way that cannot be undone from
//! inside.
//!
//! Runs in real time on a thread of its own, whatever the runtime's clock says. Must not know what a commit
//! does.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// How many parts the limit is waited for in. A process that was stopped (a suspended virtual machine,
/// SIGSTOP) loses the part it was stopped in, and is not ended on waking for time it did not have.
const PARTS: u32 = 10;

/// A thread that waits with whoever is being watched.
#[derive(Debug)]
pub(crate) struct Watchdog {
    tell: mpsc::Sender<Step>,
}

#[derive(Debug)]
enum Step {
    Begin,
    End,
}

/// Watched for as long as it lives.
#[must_use]
pub(crate) struct Watched<'w>(&'w Watchdog);

impl Watchdog {
    /// Starts the thread. `expired` is called once, if something takes longer than `limit`.
    fn start(limit: Duration, expired: impl FnOnce() + Send + 'static) -> std::io::Result<Self> {
        let (tell, told) = mpsc::channel();
        let part = (limit / PARTS).max(Duration::from_nanos(1));
        std::thread::Builder::new()
            .name("journal-watchdog".into())
            .spawn(move || {
                while let Ok(step) = told.recv() {
                    if matches!(step, Step::Begin) && !ends_in_time(&told, part) {
                        return expired();
                    }
                }
            })?;
        Ok(Self { tell })
    }

    /// A watchdog over the commits to the journal in `path`, which aborts the process.
    pub(crate) fn of_commits(path: &Path, limit: Duration) -> std::io::Result<Self> {
        let path = path.to_owned();
        Self::start(limit, move || {
            tracing::error!(
                path = %path.display(),
                limit_s = limit.as_secs_f64(),
                "a commit to the journal does not end; aborting: nothing of it was acknowledged, the next start resumes"
            );
            std::process::abort();
        })
    }

    /// Watches until the returned value is dropped.
    pub(crate) fn watch(&self) -> Watched<'_> {
        // The thread is gone only after it has already ended the process.
        let _ = self.tell.send(Step::Begin);
        Watched(self)
    }
}

fn ends_in_time(told: &mpsc::Receiver<Step>, part: Duration) -> bool {
    (0..PARTS).any(|_| !matches!(told.recv_timeout(part), Err(mpsc::RecvTimeoutError::Timeout)))
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let _ = self.0.tell.send(Step::End);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(limit: Duration) -> (Watchdog, mpsc::Receiver<()>) {
        let (tell, told) = mpsc::channel();
        let watchdog = Watchdog::start(limit, move || tell.send(()).unwrap()).unwrap();
        (watchdog, told)
    }

    #[test]
    fn what_does_not_end_expires() {
        let (watchdog, expired) = started(Duration::from_millis(20));
        let _watched = watchdog.watch();
        expired.recv_timeout(Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn what_ends_in_time_does_not() {
        let (watchdog, expired) = started(Duration::from_secs(20));
        for _ in 0..1_000 {
            drop(watchdog.watch());
        }
        drop(watchdog);
        assert!(matches!(
            expired.recv_timeout(Duration::from_secs(20)),
            Err(mpsc::RecvTimeoutError::Disconnected)
        ));
    }
}
