//! The question a path answers.
//!
//! Responsible for: everything a path may depend on, in one place, so that equal questions have equal answers. Must not
//! know: how they are answered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::target::Target;
use crate::version::Version;
use crate::view::FactsView;

/// What matters most where several paths lead to the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preference {
    /// Minutes and risk together.
    #[default]
    Balanced,
    /// As few installs and reboots as the rules allow, then minutes and risk.
    FewestReboots,
    /// As little risk as possible, then minutes; a train is passed at the release with the least known against it.
    LeastRisk,
    /// What the vendor recommends beyond what it requires: every feature release is left from its latest preferred
    /// release, and nothing but the published table counts.
    Vendor,
}

/// One line of a device's own software list. It outranks the catalogue for the feature releases it lists: which
/// releases there are, which are preferred, which image is the base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// The release.
    pub version: Version,
    /// `Base`, `Preferred` or nothing, on releases that tell (`release-type`).
    pub release_type: Option<String>,
    /// Whether the image is on disk.
    pub downloaded: bool,
    /// The size of the image in MB, where the list says.
    pub size_mb: Option<u64>,
}

impl Offered {
    /// Whether the device says it is of a type; the word may be one of several.
    pub(crate) fn is_of_type(&self, wanted: &str) -> bool {
        let words = self
            .release_type
            .iter()
            .flat_map(|words| words.split_whitespace());
        words.into_iter().any(|word| word.eq_ignore_ascii_case(wanted))
    }
}

/// A question for [`crate::Graph::plan`].
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What the device runs.
    pub from: Version,
    /// Where it shall get to.
    pub to: Target,
    /// The releases to stop at on the way, exactly these; empty for the cheapest way of the vendor's.
    pub via: &'a [Version],
    /// The name of a wider reach (an `option` of `[[reach]]` rows) to allow beside the vendor's table.
    pub wider_reach: Option<&'a str>,
    /// Whether a target older than what runs is meant.
    pub allow_downgrade: bool,
    /// The device's own software list.
    pub offered: Option<&'a [Offered]>,
    /// What is known of the device. Without it, no advisory refuses a release: all are open questions.
    pub view: Option<&'a dyn FactsView>,
    /// The ids of the advisories accepted for this device.
    pub accepted: &'a BTreeSet<String>,
    /// What matters most.
    pub prefer: Preference,
}

static NONE_ACCEPTED: BTreeSet<String> = BTreeSet::new();

impl Request<'_> {
    /// The plain question: the vendor's cheapest way, for any device of the model.
    pub fn new(from: Version, to: impl Into<Target>) -> Self {
        Self {
            from,
            to: to.into(),
            via: &[],
            wider_reach: None,
            allow_downgrade: false,
            offered: None,
            view: None,
            accepted: &NONE_ACCEPTED,
            prefer: Preference::Balanced,
        }
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("via", &self.via)
            .field("wider_reach", &self.wider_reach)
            .field("allow_downgrade", &self.allow_downgrade)
            .field("offered", &self.offered.map(<[Offered]>::len))
            .field("view", &self.view.is_some())
            .field("accepted", &self.accepted)
            .field("prefer", &self.prefer)
            .finish()
    }
}
