//! Simulated time. The only file of this crate that reads a clock or sleeps.
//!
//! Knows nothing of devices: everything else gets an instant as a value.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// Maps running time to simulated time: an instant the simulation starts at, and a speed.
#[derive(Debug, Clone)]
pub struct SimClock {
    epoch: Timestamp,
    speed: f64,
    origin: Origin,
}

#[derive(Debug, Clone, Copy)]
enum Origin {
    /// The runtime's clock, which tests pause and advance.
    Runtime(tokio::time::Instant),
    /// The wall clock, which other processes read as well.
    Wall(SystemTime),
}

impl SimClock {
    /// A clock that stands at `epoch` now and runs `speed` times as fast as the tokio runtime's clock. In a paused
    /// runtime simulated time is virtual time. A speed that is not positive and finite counts as 1.
    #[expect(clippy::disallowed_methods, reason = "this is the clock file")]
    pub fn new(epoch: Timestamp, speed: f64) -> Self {
        let origin = Origin::Runtime(tokio::time::Instant::now());
        Self {
            epoch,
            speed: usable(speed),
            origin,
        }
    }

    /// A clock that stood, or will stand, at `epoch` when the wall clock shows `origin`:
    /// now = epoch + (wall - origin) x speed. Another process that knows the three values has the same time.
    pub fn anchored(epoch: Timestamp, speed: f64, origin: SystemTime) -> Self {
        Self {
            epoch,
            speed: usable(speed),
            origin: Origin::Wall(origin),
        }
    }

    /// The simulated instant.
    #[expect(clippy::disallowed_methods, reason = "this is the clock file")]
    pub fn now(&self) -> Timestamp {
        let passed = match self.origin {
            Origin::Runtime(start) => start.elapsed().as_secs_f64(),
            Origin::Wall(origin) => match SystemTime::now().duration_since(origin) {
                Ok(since) => since.as_secs_f64(),
                Err(before) => -before.duration().as_secs_f64(),
            },
        };
        let passed = SignedDuration::try_from_secs_f64(passed * self.speed).unwrap_or(SignedDuration::ZERO);
        self.epoch.saturating_add(passed).unwrap_or(self.epoch)
    }

    /// Simulated seconds in one real second.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// The simulated instant the clock started at.
    pub fn epoch(&self) -> Timestamp {
        self.epoch
    }

    /// The wall-clock instant that `epoch` is anchored to, for an anchored clock.
    pub fn origin(&self) -> Option<SystemTime> {
        match self.origin {
            Origin::Runtime(_) => None,
            Origin::Wall(origin) => Some(origin),
        }
    }

    /// Sleeps for a simulated duration.
    #[expect(clippy::disallowed_methods, reason = "this is the clock file")]
    pub(crate) async fn sleep(&self, simulated: SignedDuration) {
        tokio::time::sleep(self.real(simulated)).await;
    }

    /// Sleeps until the clock shows `instant`, or a moment longer.
    #[expect(clippy::disallowed_methods, reason = "this is the clock file")]
    pub(crate) async fn sleep_until(&self, instant: Timestamp) {
        // The runtime's timer counts milliseconds. Rounding a rest of nanoseconds to nothing would leave the clock
        // just short of the instant, for ever when time is paused.
        const TICK: Duration = Duration::from_millis(1);
        loop {
            let left = instant.duration_since(self.now());
            if left <= SignedDuration::ZERO {
                return;
            }
            tokio::time::sleep(self.real(left).max(TICK)).await;
        }
    }

    fn real(&self, simulated: SignedDuration) -> Duration {
        // A year is longer than any run; it keeps tokio's own arithmetic in range.
        const LONGEST: f64 = 365.0 * 86_400.0;
        let seconds = (simulated.as_secs_f64() / self.speed).clamp(0.0, LONGEST);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
    }
}

/// A moment of real time, for a loop that has nothing to wait for and must not spin.
#[expect(clippy::disallowed_methods, reason = "this is the clock file")]
pub(crate) async fn breathe() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

fn usable(speed: f64) -> f64 {
    if speed.is_finite() && speed > 0.0 {
        speed
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_gives_virtual_time_at_the_clocks_speed() {
        let epoch: Timestamp = "2026-03-01T22:00:00Z".parse().unwrap();
        let clock = SimClock::new(epoch, 60.0);
        assert_eq!(clock.now(), epoch);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now().to_string(), "2026-03-01T22:02:00Z");
        clock.sleep_until("2026-03-01T22:05:00Z".parse().unwrap()).await;
        assert_eq!(clock.now().to_string(), "2026-03-01T22:05:00Z");
    }

    #[test]
    fn an_anchored_clock_follows_the_wall_clock() {
        let epoch: Timestamp = "2026-03-01T22:00:00Z".parse().unwrap();
        let origin = SystemTime::UNIX_EPOCH;
        let (one, other) = (
            SimClock::anchored(epoch, 1.0, origin),
            SimClock::anchored(epoch, 1.0, origin),
        );
        assert!(one.now() > "2060-01-01T00:00:00Z".parse().unwrap());
        assert!(other.now().duration_since(one.now()).as_secs().abs() < 5);
        assert_eq!(one.origin(), Some(origin));
    }
}
