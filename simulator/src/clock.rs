//! Simulated time. The only file of this crate that reads a clock or sleeps.
//!
//! Knows nothing of devices: everything else gets an instant as a value.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

/// Maps running time to simulated time: an instant the simulation starts at, a speed, and the jumps made so far. Clones are
/// one clock.
#[derive(Debug, Clone)]
pub struct SimClock {
    epoch: Timestamp,
    speed: f64,
    origin: Origin,
    jumps: Arc<Jumps>,
}

#[derive(Debug, Default)]
struct Jumps {
    /// Simulated milliseconds jumped over, all jumps together.
    ahead: AtomicI64,
    /// Wakes whoever sleeps: the instant may have come.
    made: Notify,
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
            jumps: Arc::default(),
        }
    }

    /// A clock that stood, or will stand, at `epoch` when the wall clock shows `origin`:
    /// now = epoch + (wall - origin) x speed. Another process that knows the three values has the same time.
    pub fn anchored(epoch: Timestamp, speed: f64, origin: SystemTime) -> Self {
        Self {
            epoch,
            speed: usable(speed),
            origin: Origin::Wall(origin),
            jumps: Arc::default(),
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
        let anchor = self.anchor();
        anchor.saturating_add(passed).unwrap_or(anchor)
    }

    /// Goes forward by `simulated` at once, whole milliseconds; whoever sleeps until an instant passed over wakes. A clock
    /// never goes back: a negative duration counts as none.
    pub fn jump(&self, simulated: SignedDuration) {
        let millis = i64::try_from(simulated.as_millis()).unwrap_or(i64::MAX).max(0);
        // The closure never gives up, so neither does the update.
        let _ = self
            .jumps
            .ahead
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| {
                Some(ahead.saturating_add(millis))
            });
        self.jumps.made.notify_waiters();
    }

    /// The simulated instant that [`SimClock::origin`] stands for by now: the epoch and all jumps.
    pub fn anchor(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.jumps.ahead.load(Ordering::SeqCst));
        self.epoch.saturating_add(ahead).unwrap_or(self.epoch)
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
        let mut jumped = pin!(self.jumps.made.notified());
        let until = self.now().saturating_add(simulated).unwrap_or(Timestamp::MAX);
        let mut timer = pin!(tokio::time::sleep(self.real(simulated)));
        loop {
            tokio::select! {
                () = &mut timer => return,
                () = &mut jumped => {
                    // Waits for the next jump before it looks, so that none falls in between.
                    jumped.set(self.jumps.made.notified());
                    if self.now() >= until {
                        return;
                    }
                }
            }
        }
    }

    /// Sleeps until the clock shows `instant`, or a moment longer.
    #[expect(clippy::disallowed_methods, reason = "this is the clock file")]
    pub(crate) async fn sleep_until(&self, instant: Timestamp) {
        // The runtime's timer counts milliseconds. Rounding a rest of nanoseconds to nothing would leave the clock
        // just short of the instant, for ever when time is paused.
        const TICK: Duration = Duration::from_millis(1);
        loop {
            let jumped = self.jumps.made.notified();
            let left = instant.duration_since(self.now());
            if left <= SignedDuration::ZERO {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(self.real(left).max(TICK)) => {}
                () = jumped => {}
            }
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

    #[tokio::test(start_paused = true)]
    async fn a_jump_wakes_who_sleeps_and_nothing_goes_back() {
        let epoch: Timestamp = "2026-03-01T22:00:00Z".parse().unwrap();
        let clock = SimClock::new(epoch, 1.0);
        let sleeper = |hours| {
            let clock = clock.clone();
            tokio::spawn(async move {
                clock.sleep(SignedDuration::from_hours(hours)).await;
                clock.now()
            })
        };
        let (until, short, long) = (epoch + SignedDuration::from_hours(5), sleeper(1), sleeper(3));
        let by_instant = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(until).await }
        });
        tokio::task::yield_now().await;
        clock.jump(SignedDuration::from_hours(2));
        clock.jump(SignedDuration::from_hours(-1));
        assert_eq!(short.await.unwrap(), epoch + SignedDuration::from_hours(2));
        assert!(!long.is_finished());
        // The rest passes on the runtime's own clock.
        assert_eq!(long.await.unwrap(), epoch + SignedDuration::from_hours(5));
        by_instant.await.unwrap();
        assert_eq!(clock.now(), until);
        assert_eq!(clock.anchor(), epoch + SignedDuration::from_hours(2));
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
