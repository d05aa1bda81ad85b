//! The account of a pair's traffic: how long nobody served, how long both did who must not, how often it moved.
//!
//! Is told who serves whenever that may have changed. Decides nothing.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// What became of a pair's traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PairReport {
    /// Seconds in which no member was active with its dataplane up.
    pub seconds_with_nobody_serving: f64,
    /// The longest stretch of them.
    pub longest_gap_seconds: f64,
    /// Seconds in which both members held the role that only one may hold: a split brain.
    pub seconds_with_both_active: f64,
    /// How often it came to that.
    pub split_brains: u64,
    /// How often a request took out the last member that could serve.
    pub both_out_of_service_by_request: u64,
    /// How often the active role changed hands.
    pub failovers: u64,
}

/// Stretches of time in which something held.
#[derive(Debug, Default)]
struct Stretches {
    since: Option<Timestamp>,
    total: SignedDuration,
    longest: SignedDuration,
    count: u64,
}

impl Stretches {
    fn observe(&mut self, at: Timestamp, holds: bool) {
        match (holds, self.since) {
            (true, None) => {
                self.since = Some(at);
                self.count += 1;
            }
            (false, Some(since)) => {
                let length = at.duration_since(since);
                self.since = None;
                self.total += length;
                self.longest = self.longest.max(length);
            }
            _ => {}
        }
    }

    /// Total and longest, the stretch under way included.
    fn seconds(&self, now: Timestamp) -> (f64, f64) {
        let current = self
            .since
            .map_or(SignedDuration::ZERO, |since| now.duration_since(since));
        (
            (self.total + current).as_secs_f64(),
            self.longest.max(current).as_secs_f64(),
        )
    }
}

#[derive(Debug, Default)]
pub(crate) struct Traffic {
    nobody: Stretches,
    both: Stretches,
    failovers: u64,
    last_active: Option<usize>,
    both_out: u64,
}

impl Traffic {
    pub(crate) fn new(active: usize) -> Self {
        Self {
            last_active: Some(active),
            ..Self::default()
        }
    }

    /// `leading`: who holds the role that only one may hold; `serving`: through whom packets flow.
    pub(crate) fn observe(&mut self, at: Timestamp, leading: [bool; 2], serving: [bool; 2]) {
        self.nobody.observe(at, serving == [false, false]);
        self.both.observe(at, leading == [true, true]);
        let keeps = self.last_active.is_some_and(|last| leading[last]);
        let leader = (0..2).find(|&member| leading[member]);
        if !keeps && leader.is_some() && leader != self.last_active {
            self.last_active = leader;
            self.failovers += 1;
        }
    }

    /// A request took out the last member that could serve.
    pub(crate) fn count_both_out(&mut self) {
        self.both_out += 1;
    }

    pub(crate) fn report(&self, now: Timestamp) -> PairReport {
        let (nobody, longest) = self.nobody.seconds(now);
        PairReport {
            seconds_with_nobody_serving: nobody,
            longest_gap_seconds: longest,
            seconds_with_both_active: self.both.seconds(now).0,
            split_brains: self.both.count,
            both_out_of_service_by_request: self.both_out,
            failovers: self.failovers,
        }
    }
}
