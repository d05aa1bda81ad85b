//! What happened in the fleet: who, when, what. The newest some thousands, in the order they were noticed.
//!
//! A device that nobody looks at moves on when somebody does, so an entry can be noticed after a later one of another
//! device; its instant is the one it happened at. The same requests at the same simulated instants give the same entries.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::control::ControlRequest;
use crate::device::Phase;
use crate::jobs::JobResult;
use crate::line::NetworkFault;
use crate::pair::HaState;
use crate::release::Version;

/// Entries kept. A reboot makes about ten, so this is a night of a thousand devices; some two megabytes.
const KEPT: usize = 10_000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its number, from 1 without gaps.
    pub number: u64,
    /// The simulated instant it happened at.
    pub at: Timestamp,
    /// To which device; `None` where it is about several or the whole fleet.
    pub device: Option<String>,
    /// What.
    pub what: Occurrence,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Occurrence {
    /// A device came into a phase.
    Phase {
        /// The phase.
        phase: Phase,
        /// The version of the system that runs, or ran last.
        version: Version,
    },
    /// A member of a pair came into an HA state.
    Ha {
        /// The state.
        state: HaState,
        /// Why, where the device gives a reason.
        reason: String,
    },
    /// A job ended.
    Job {
        /// Its id since the last boot.
        id: u32,
        /// Its type, as the API shows it.
        kind: &'static str,
        /// How it ended.
        result: JobResult,
    },
    /// A request that can change the device, or that asked for a key, reached it.
    Request {
        /// The operation.
        operation: &'static str,
        /// The status of the reply.
        http: u16,
    },
    /// A request met a fault on the way.
    Network {
        /// The fault.
        fault: NetworkFault,
        /// The operation, where the request names one.
        operation: Option<&'static str>,
    },
    /// Whoever runs the simulation intervened.
    Control {
        /// How.
        request: Box<ControlRequest>,
    },
}

/// Some of the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Events {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Number of the last event given here: ask for what comes after it.
    pub last: u64,
    /// Whether there are more after that.
    pub more: bool,
    /// Number of the oldest event that is still known. Asked for earlier ones, they are gone.
    pub oldest: u64,
}

/// The newest events.
#[derive(Debug)]
pub(crate) struct EventLog {
    kept: VecDeque<Event>,
    next: u64,
}

impl Default for EventLog {
    fn default() -> Self {
        Self {
            kept: VecDeque::new(),
            next: 1,
        }
    }
}

impl EventLog {
    pub(crate) fn note(&mut self, at: Timestamp, device: Option<&str>, what: Occurrence) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Event {
            number: self.next,
            at,
            device: device.map(str::to_owned),
            what,
        });
        self.next += 1;
    }

    /// Up to `most` events after the one numbered `since`.
    pub(crate) fn since(&self, since: u64, most: usize) -> Events {
        let oldest = self.kept.front().map_or(self.next, |event| event.number);
        let skipped = usize::try_from((since + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        let events: Vec<Event> = self.kept.iter().skip(skipped).take(most).cloned().collect();
        let last = events
            .last()
            .map_or(since.min(self.next - 1), |event| event.number);
        Events {
            more: last + 1 < self.next && !events.is_empty(),
            events,
            last,
            oldest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(events: usize) -> EventLog {
        let mut log = EventLog::default();
        for _ in 0..events {
            let what = Occurrence::Request {
                operation: "install",
                http: 200,
            };
            log.note(Timestamp::UNIX_EPOCH, Some("fw"), what);
        }
        log
    }

    fn numbers(events: &Events) -> (Option<u64>, usize, u64, bool, u64) {
        let first = events.events.first().map(|event| event.number);
        (
            first,
            events.events.len(),
            events.last,
            events.more,
            events.oldest,
        )
    }

    #[test]
    fn events_are_read_on_from_a_number_and_the_oldest_go() {
        assert_eq!(numbers(&log(0).since(0, 10)), (None, 0, 0, false, 1));
        let few = log(5);
        assert_eq!(numbers(&few.since(0, 2)), (Some(1), 2, 2, true, 1));
        assert_eq!(numbers(&few.since(2, 10)), (Some(3), 3, 5, false, 1));
        assert_eq!(numbers(&few.since(5, 10)), (None, 0, 5, false, 1));
        assert_eq!(numbers(&few.since(99, 10)), (None, 0, 5, false, 1));
        let many = log(KEPT + 3);
        assert_eq!(numbers(&many.since(0, 2)), (Some(4), 2, 5, true, 4));
    }
}
