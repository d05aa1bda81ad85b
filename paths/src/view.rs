//! What the graph is told of one device: three-valued, so that what nobody read is never taken for a no.
//!
//! Responsible for: the shapes through which facts are asked. Must not know: how anything is read, stored or named
//! outside; the names of flags and numbers are the [vocabulary](crate::vocabulary)'s.

use crate::version::Version;

/// Something asked about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It was read.
    Known(T),
    /// It was not, for this reason, in words a person reads.
    Unknown(String),
}

/// One port and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpticSeen {
    /// The slot, 1 on a box without slots.
    pub slot: u32,
    /// The port in the slot.
    pub port: u32,
    /// `ethernet1/5`.
    pub interface: String,
    /// `allowed`, `known-bad`, `unknown-vendor`, `unreadable`, `empty` or `fixed`.
    pub class: &'static str,
    /// What the port says is in it: `SFP-Plus-Fiber`, `CAT5`.
    pub media: Option<String>,
    /// The part number the module names.
    pub part: Option<String>,
    /// The vendor the module names. No proof of anything.
    pub vendor: Option<String>,
}

/// The facts of one device, as advisories ask for them.
pub trait FactsView {
    /// Whether something is so, by a name of [`crate::vocabulary::FLAGS`].
    fn flag(&self, name: &str) -> Seen<bool>;
    /// How much of something there is, by a name of [`crate::vocabulary::NUMBERS`].
    fn number(&self, name: &str) -> Seen<u64>;
    /// The ports and the modules in them, fixed and empty ones included, each of the class that it is of with a release.
    fn optics(&self, with: Version) -> Seen<Vec<OpticSeen>>;
}
