//! The only file that reads a clock: civil time for windows and journals, and sleeping until an instant of it.
//!
//! Everything that decides gets instants as values. A scaled clock runs civil time faster than the machine's, so that a
//! simulated fleet and the engine agree while every deadline keeps its real value; under a paused tokio runtime civil time
//! follows the runtime's virtual time.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest uninterrupted sleep, in real time. The machine's clock may be stepped and a laptop may be suspended, so a long
/// wait is cut into looks at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A mapping from the machine's time to a simulated one: `epoch` was at `origin`, and time runs `speed` times as fast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The simulated instant at `origin`.
    pub epoch: Timestamp,
    /// The machine's instant at which the simulation began.
    pub origin: Timestamp,
    /// Simulated seconds a second.
    pub speed: f64,
}

/// Civil time, and waiting for it.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    System,
    Scaled(Scale),
    Runtime {
        epoch: Timestamp,
        start: tokio::time::Instant,
    },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Clock {
            source: Source::System,
        }
    }

    /// The machine's clock, scaled.
    pub fn scaled(scale: Scale) -> Self {
        Clock {
            source: Source::Scaled(scale),
        }
    }

    /// `epoch` now, then as fast as the tokio runtime's time; virtual where that is paused. Must be called inside one.
    #[expect(clippy::disallowed_methods, reason = "this is the clock file")]
    pub fn of_runtime(epoch: Timestamp) -> Self {
        Clock {
            source: Source::Runtime {
                epoch,
                start: tokio::time::Instant::now(),
            },
        }
    }

    /// Civil time.
    pub fn now(&self) -> Timestamp {
        match &self.source {
            Source::System => machine_time(),
            Source::Scaled(scale) => {
                let real = scale.origin.duration_until(machine_time()).as_secs_f64();
                add_seconds(scale.epoch, real * scale.speed)
            }
            Source::Runtime { epoch, start } => add_seconds(*epoch, start.elapsed().as_secs_f64()),
        }
    }

    /// Simulated seconds a second; 1 for real time.
    pub fn speed(&self) -> f64 {
        match &self.source {
            Source::System | Source::Runtime { .. } => 1.0,
            Source::Scaled(scale) => scale.speed,
        }
    }

    /// Waits until civil time has reached `at`.
    pub async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = self.now().duration_until(at);
            if left <= SignedDuration::ZERO {
                return;
            }
            self.sleep_real(Duration::from_secs_f64(left.as_secs_f64() / self.speed()))
                .await;
        }
    }

    /// Waits for a span of civil time.
    pub async fn sleep(&self, span: SignedDuration) {
        let at = self.now().checked_add(span).unwrap_or(Timestamp::MAX);
        self.sleep_until(at).await;
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock file")]
    async fn sleep_real(&self, span: Duration) {
        // A millisecond more than needed wakes once and late instead of twice and early.
        let span = match self.source {
            Source::Runtime { .. } => span.max(Duration::from_millis(1)),
            Source::System | Source::Scaled(_) => span.clamp(Duration::from_millis(1), LONGEST_SLEEP),
        };
        tokio::time::sleep(span).await;
    }
}

/// Real time, for what belongs to the machine and not to the campaign: how long people are asked to wait, progress bars.
#[expect(clippy::disallowed_methods, reason = "this is the clock file")]
pub fn machine_time() -> Timestamp {
    // The machine's clock is before 1970 or after 9999 only when it is broken; the nearest instant is as good as any.
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Gives up on `work` after `limit` of real time.
#[expect(clippy::disallowed_methods, reason = "this is the clock file")]
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

/// Waits for a span of real time.
#[expect(clippy::disallowed_methods, reason = "this is the clock file")]
pub async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

fn add_seconds(epoch: Timestamp, seconds: f64) -> Timestamp {
    let span = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::ZERO);
    epoch.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn four_hours_of_virtual_time_pass_at_once() {
        let epoch: Timestamp = "2026-03-07T22:00:00Z".parse().unwrap();
        let clock = Clock::of_runtime(epoch);
        clock.sleep(SignedDuration::from_hours(4)).await;
        assert!(clock.now() >= epoch + SignedDuration::from_hours(4));
        assert!(clock.now() < epoch + SignedDuration::from_hours(4) + SignedDuration::from_secs(1));
    }

    #[tokio::test]
    async fn a_scaled_clock_reaches_its_instant_early_in_real_time() {
        let epoch: Timestamp = "2026-03-07T22:00:00Z".parse().unwrap();
        let clock = Clock::scaled(Scale {
            epoch,
            origin: machine_time(),
            speed: 36_000.0,
        });
        clock.sleep(SignedDuration::from_hours(1)).await;
        assert!(clock.now() >= epoch + SignedDuration::from_hours(1));
    }
}
