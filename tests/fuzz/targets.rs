//! Everything that reads text which others wrote: devices, operators, authors of checks. One target a reader.
//!
//! Responsible for: the list of targets, what each holds of whatever it is given, and where its seeds come from. Reaches
//! every reader the way the program does, so that nothing is made public for it. Must not know: who makes the input up
//! (libFuzzer in `main.rs`, the seeds alone in `seeds.rs`).

mod device;
mod playbooks;
mod replies;
mod repository;
mod written;

/// One reader of foreign text.
pub struct Target {
    /// Its name, for the command line.
    pub name: &'static str,
    /// Reads the input, and panics where what came of it breaks a promise. Whether anything was read.
    pub run: fn(&[u8]) -> bool,
    /// Input to begin with, taken from the test data of the reader's own crate.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the grammar that are seldom met by changing bytes.
    pub words: &'static [&'static str],
}

/// Every target.
pub fn targets() -> Vec<&'static Target> {
    replies::TARGETS
        .iter()
        .chain(playbooks::TARGETS)
        .chain(written::TARGETS)
        .collect()
}
