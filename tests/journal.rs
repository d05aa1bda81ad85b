//! The journal against crashes, power cuts, damage and its own model: files and processes, nothing simulated.
//!
//! A test that needs another process runs this one again (`child::entry`). What a machine does not allow
//! (loop mounts, tracing) is skipped with a printed reason. `HOPGATE_FULL=1` runs the long forms.

#[cfg(test)]
#[path = "journal/child.rs"]
mod child;
#[cfg(test)]
#[path = "journal/conformance.rs"]
mod conformance;
#[cfg(test)]
#[path = "journal/crashes.rs"]
mod crashes;
#[cfg(test)]
#[path = "journal/damage.rs"]
mod damage;
#[cfg(test)]
#[path = "journal/machine.rs"]
mod machine;
#[cfg(test)]
#[path = "journal/rules.rs"]
mod rules;
