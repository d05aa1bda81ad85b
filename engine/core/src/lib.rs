//! The deciding half of hopgate: what one device does next, what a whole campaign does next, and why either waits.
//!
//! Everything here is synchronous and pure: time, observations and replies enter as values, and what leaves is a
//! [`Decision`]: events to make durable first, then effects to perform. The crate must not know about HTTP, XML, the
//! journal's storage, clocks, randomness or the terminal.
//!
//! Two machines share that shape: [`device::Device`] walks one firewall through its hops, [`campaign::Campaign`] grants
//! the permits without which no device may start one.

pub mod acceptance;
pub mod campaign;
pub mod device;
pub mod halt;
pub mod incident;
pub mod names;
pub mod plan;
pub mod pulse;
mod quote;
pub mod waiting;
pub mod watchdog;
pub mod window;

/// What to make durable and then do, in that order.
#[must_use = "append the events, apply them, then perform the effects"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<E, F> {
    /// Facts to append to the stream before anything is performed.
    pub events: Vec<E>,
    /// What the shell is asked to do once the events are durable.
    pub effects: Vec<F>,
}

impl<E, F> Decision<E, F> {
    /// Nothing to record and nothing to do: the input did not matter in this state.
    pub fn nothing() -> Self {
        Decision {
            events: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// One event, no effect.
    pub fn record(event: E) -> Self {
        Decision {
            events: vec![event],
            effects: Vec::new(),
        }
    }

    /// No event, one effect.
    pub fn perform(effect: F) -> Self {
        Decision {
            events: Vec::new(),
            effects: vec![effect],
        }
    }

    /// One event, then one effect.
    pub fn then(event: E, effect: F) -> Self {
        Decision {
            events: vec![event],
            effects: vec![effect],
        }
    }
}

/// An event that the state it met has no transition for: a defect of ours or a journal that is not what it seems.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} cannot take the event {event:?} while {state}")]
pub struct IllegalEvent {
    /// The device or campaign.
    pub subject: String,
    /// The event's name, as it is stored.
    pub event: String,
    /// The state it met, in words.
    pub state: String,
}
