//! Whole campaigns over the simulated fleet, in this process and on virtual time: nights in milliseconds.
//!
//! Every rule that holds everywhere is asked of the simulator's counters, not of our own journal.

#[cfg(test)]
#[path = "campaign/advisories.rs"]
mod advisories;
#[cfg(test)]
#[path = "campaign/differences.rs"]
mod differences;
#[cfg(test)]
#[path = "campaign/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "campaign/gates.rs"]
mod gates;
#[cfg(test)]
#[path = "campaign/nights.rs"]
mod nights;
#[cfg(test)]
#[path = "campaign/operator.rs"]
mod operator;
#[cfg(test)]
#[path = "campaign/pairs.rs"]
mod pairs;
#[cfg(test)]
#[path = "campaign/replies.rs"]
mod replies;
