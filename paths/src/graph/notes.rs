//! What every hop into a feature release asks and rests on, whatever the device: worked out once, shared by all plans.
//!
//! Responsible for: gates that follow from the catalogue alone, and the rows a hop rests on. Must not know: advisories,
//! devices, or what the image of a hop is.

use std::sync::Arc;

use crate::catalogue::{Catalogue, Sourced};
use crate::plan::{GateNote, SourceNote};
use crate::version::Train;

const CHECKLIST: &str = "PAN-OS 11.1 upgrade guide, Upgrade Checklist (2026-07-30)";
const PANORAMA: &str = "Compatibility matrix, Panorama Management Compatibility (2026-07-30)";
const HA: &str = "PAN-OS 11.1 upgrade guide, Upgrade an HA Firewall Pair (2026-07-30)";
const LICENCE: &str = "PAN-OS 11.1 upgrade guide, Troubleshoot Your PAN-OS Upgrade (2026-07-30)";
const CLOCK: &str = "field reports: an image is refused by its signature when the clock is wrong";

/// Below this feature release both peers of a pair do every hop before either does the next.
const PEERS_APART_FROM: Train = Train { major: 10, minor: 1 };

/// The notes of one feature release.
#[derive(Clone, Debug)]
pub(super) struct TrainNotes {
    pub(super) gates: Vec<GateNote>,
    pub(super) sources: Vec<SourceNote>,
}

impl TrainNotes {
    /// The notes of hops into `train` on `model`.
    pub(super) fn of(catalogue: &Catalogue, model: &str, train: Train) -> Self {
        let mut gates = Vec::new();
        let mut sources = Vec::new();
        if let Some(row) = catalogue.train(train) {
            sources.push(source(format!("base image of {train}"), &row.sourced));
        }
        if let Some(content) = catalogue.minimum_content(train) {
            gates.push(gate(
                "content",
                format!(
                    "Applications and Threats content {} or later is installed; an older one is replaced first.",
                    content.value
                ),
                &content.sourced.source,
            ));
            sources.push(source(format!("oldest content for {train}"), &content.sourced));
        }
        if let Some(support) = catalogue.support(model).and_then(|support| support.get(&train)) {
            sources.push(source(format!("{model} runs {train}"), &support.sourced));
        }
        if let Some(watch) = catalogue.watch(model) {
            sources.push(source(format!("minutes of a {model}"), &watch.sourced));
        }
        if let Some(end) = catalogue.end_of_life(train) {
            sources.push(source(
                format!("end of life of {train}: {}", end.value),
                &end.sourced,
            ));
        }
        gates.extend([
            gate(
                "support-licence",
                "The support licence is valid, or no image is offered.",
                LICENCE,
            ),
            gate(
                "panorama-release",
                format!("Where a Panorama manages the firewall, it runs {train} or later."),
                PANORAMA,
            ),
            gate(
                "clock",
                "The clock is right, or the image is refused by its signature.",
                CLOCK,
            ),
            gate(
                "quiet",
                "No job runs, no lock is held, and nothing waits to be committed.",
                CHECKLIST,
            ),
        ]);
        Self { gates, sources }
    }
}

pub(super) fn gate(id: &str, text: impl Into<Arc<str>>, source: &str) -> GateNote {
    GateNote {
        id: id.into(),
        text: text.into(),
        source: source.into(),
    }
}

/// The disk gate of one hop.
pub(super) fn disk(needed_mb: Option<u64>) -> GateNote {
    let text = match needed_mb {
        Some(0) => "Every image of the hop is on disk.".to_owned(),
        Some(needed) => {
            format!("{needed} MB are free in /opt/panrepo, 1.1 times the images that are missing.")
        }
        None => "/opt/panrepo has 1.1 times the size of the missing images free.".to_owned(),
    };
    gate("disk", text, CHECKLIST)
}

/// The gate of a hop that keeps peers of a pair too far apart for comfort.
pub(super) fn pair_gate(apart: u32) -> GateNote {
    let text = format!(
        "In an HA pair, the peers are {apart} feature releases apart until both have done this hop: the older one may suspend itself, and sessions are not in step."
    );
    gate("ha-gap", text, HA)
}

/// What a hop out of `from` asks of a pair.
pub(super) fn ha_rule(from: Train, apart: u32) -> String {
    let below = from < PEERS_APART_FROM;
    match (below, apart) {
        (true, 0 | 1) => {
            format!("Below {PEERS_APART_FROM} both peers do this hop before either does the next.")
        }
        (true, apart) => format!(
            "Below {PEERS_APART_FROM} both peers do this hop before either does the next; {apart} feature releases apart in between, the older one may suspend itself (\"Peer version too old\")."
        ),
        (false, 0 | 1) => "One peer after the other: the second once the first serves again.".to_owned(),
        (false, apart) => format!(
            "One peer after the other: the second once the first serves again; {apart} feature releases apart in between, the older one may suspend itself (\"Peer version too old\")."
        ),
    }
}

pub(super) fn source(what: impl Into<Arc<str>>, sourced: &Sourced) -> SourceNote {
    SourceNote {
        what: what.into(),
        sourced: Arc::new(sourced.clone()),
    }
}
