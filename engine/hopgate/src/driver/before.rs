//! What a device was before a hop: read and kept with its backup, and held against what it is after it.
//!
//! Must not know by which rules, nor what follows from a difference.

use std::collections::BTreeSet;

use hopgate_core::device::{Failure, FailureKind};
use hopgate_playbooks::{Facts, Finding, HopContext, Mode, Rules, Severity, Snapshot, Verdict, compare};

use super::hands::Hands;
use crate::checks::{Asked, DIFFERENCES};

/// What is there to compare with.
pub(super) enum Before {
    /// Nothing: no comparison is asked for, none was kept, or a person accepted what differed.
    None,
    /// It was kept and cannot be read.
    Unreadable(String),
    /// It.
    Known(Box<Snapshot>),
}

impl Before {
    /// What is not as it was.
    pub(super) fn differences(&self, facts: &Facts, rules: &Rules, hop: Option<&HopContext>) -> Vec<Finding> {
        match self {
            Before::Known(before) => compare(before, &Snapshot::under(facts, rules), rules, hop).findings(),
            Before::Unreadable(why) => vec![cannot_tell(why.clone(), Severity::Block)],
            // A device that was found at its release has no before of ours. That is to be known, and cannot be cured.
            Before::None => vec![cannot_tell(
                "nothing was read before the hop to compare with".to_owned(),
                Severity::Warn,
            )],
        }
    }
}

fn cannot_tell(missing: String, severity: Severity) -> Finding {
    Finding {
        check: DIFFERENCES.to_owned(),
        title: "It is as it was before the hop".to_owned(),
        subject: None,
        message: format!("cannot tell: {missing}"),
        verdict: Verdict::Inconclusive { missing },
        severity,
        mode: Mode::Enforce,
        remedy: None,
        link: None,
    }
}

impl Hands {
    /// What the device is now, as it is kept; nothing where the campaign compares nothing.
    pub(super) async fn state(&self) -> Result<Option<Vec<u8>>, Failure> {
        let Some(rules) = self.rules() else {
            return Ok(None);
        };
        let areas: BTreeSet<_> = rules.areas();
        let facts = self.client().facts(&areas, self.clock().now()).await;
        let kept = serde_json::to_vec(&Snapshot::under(&facts, rules));
        kept.map(Some).map_err(|error| Failure {
            kind: FailureKind::Unready,
            text: format!("the state before the hop cannot be kept: {error}"),
        })
    }

    /// What was kept under this name.
    pub(super) async fn before(&self, kept: Option<&str>) -> Before {
        let (Some(kept), Some(_)) = (kept.map(str::to_owned), self.rules()) else {
            return Before::None;
        };
        let ledger = self.ledger().clone();
        let read = tokio::task::spawn_blocking(move || {
            let document = ledger.document(&kept).map_err(|error| error.to_string())?;
            serde_json::from_slice(&document).map_err(|error| error.to_string())
        });
        match read.await {
            Ok(Ok(snapshot)) => Before::Known(Box::new(snapshot)),
            Ok(Err(why)) => Before::Unreadable(format!("the state before the hop: {why}")),
            Err(error) => Before::Unreadable(format!("the state before the hop: {error}")),
        }
    }

    fn rules(&self) -> Option<&Rules> {
        let mut after = self.checks().after.iter();
        after.find_map(|asked| match asked {
            Asked::Differences(rules) => Some(&**rules),
            Asked::Playbook(_) | Asked::Advisories => None,
        })
    }
}
