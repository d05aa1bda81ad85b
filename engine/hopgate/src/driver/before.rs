//! What a device was before a hop: read and kept with its backup, and held against what it is after it.
//!
//! Must not know by which rules, nor what follows from a difference.

use std::collections::BTreeSet;
use std::sync::Arc;

use hopgate_core::device::{Failure, FailureKind};
use hopgate_paths::Hop;
use hopgate_playbooks::{
    FactArea, Facts, Finding, HopContext, Mode, Rules, Severity, Snapshot, Verdict, compare,
};

use super::hands::Hands;
use super::observe::LOOK_LIMIT;
use crate::asking::Patience;
use crate::checks::{Asked, DIFFERENCES};
use crate::ledger::Ledger;

impl Hands {
    /// What the device is now, as it is kept; nothing where the campaign compares nothing.
    pub(super) async fn state(&self, hop: Option<&Hop>) -> Result<Option<Vec<u8>>, Failure> {
        let Some(rules) = self.rules() else {
            return Ok(None);
        };
        let areas = rules.areas();
        let mut facts = self.read(&areas, hop).await;
        // What is not known now can never be missed later: one more try for an answer that was lost on the way.
        if unknown(&facts, &areas) > 0 {
            let again = self.read(&areas, hop).await;
            if unknown(&again, &areas) < unknown(&facts, &areas) {
                facts = again;
            }
        }
        // Without its role, everything that an active member hands over with it would be taken for lost.
        for needed in [FactArea::System, FactArea::Ha] {
            if let Some(why) = facts.unknown(needed) {
                return Err(unready(format!("the state before the hop: {needed}: {why}")));
            }
        }
        let checks = Arc::clone(self.shared_checks());
        let kept = tokio::task::spawn_blocking(move || {
            let snapshot = rules_of(&checks.after).map(|rules| Snapshot::under(&facts, rules));
            serde_json::to_vec(&snapshot)
        });
        let failed = |error: String| unready(format!("the state before the hop cannot be kept: {error}"));
        match kept.await {
            Ok(Ok(kept)) => Ok(Some(kept)),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    async fn read(&self, areas: &BTreeSet<FactArea>, hop: Option<&Hop>) -> Facts {
        let patience = Patience::of(LOOK_LIMIT);
        let mut facts = patience.facts(self.client(), areas, self.clock().now()).await;
        // For the release after the hop, as it is after it: that the release is another is no difference of a module.
        facts.judge_modules(&self.checks().catalogue, hop.map(|hop| hop.to));
        facts
    }

    /// What is not as it was, by the rules of the campaign. On a thread of its own: a large routing table takes seconds,
    /// and other devices are being watched.
    pub(super) async fn differences(
        &self,
        before: Option<String>,
        facts: Arc<Facts>,
        hop: Option<&Hop>,
    ) -> Vec<Finding> {
        let (checks, ledger) = (Arc::clone(self.shared_checks()), self.ledger().clone());
        let hop = hop.map(HopContext::from);
        let compared = tokio::task::spawn_blocking(move || match rules_of(&checks.after) {
            Some(rules) => against(before.as_deref(), &facts, rules, hop.as_ref(), &ledger),
            None => Vec::new(),
        });
        compared
            .await
            .unwrap_or_else(|error| vec![cannot_tell(error.to_string(), Severity::Block)])
    }

    fn rules(&self) -> Option<&Rules> {
        rules_of(&self.checks().after)
    }
}

fn against(
    before: Option<&str>,
    facts: &Facts,
    rules: &Rules,
    hop: Option<&HopContext>,
    ledger: &Ledger,
) -> Vec<Finding> {
    // A device that was found at its release has no before of ours. That is to be known, and cannot be cured.
    let Some(before) = before else {
        let missing = "nothing was read before the hop to compare with".to_owned();
        return vec![cannot_tell(missing, Severity::Warn)];
    };
    match stored(before, ledger) {
        Ok(before) => compare(&before, &Snapshot::under(facts, rules), rules, hop).findings(),
        Err(why) => vec![cannot_tell(
            format!("the state before the hop: {why}"),
            Severity::Block,
        )],
    }
}

fn stored(snapshot: &str, ledger: &Ledger) -> Result<Snapshot, String> {
    let document = ledger.document(snapshot).map_err(|error| error.to_string())?;
    serde_json::from_slice(&document).map_err(|error| error.to_string())
}

fn cannot_tell(missing: String, severity: Severity) -> Finding {
    Finding {
        check: DIFFERENCES.into(),
        title: "It is as it was before the hop".into(),
        subject: None,
        message: format!("cannot tell: {missing}").into(),
        verdict: Verdict::Inconclusive { missing },
        severity,
        mode: Mode::Enforce,
        remedy: None,
        link: None,
    }
}

fn unknown(facts: &Facts, areas: &BTreeSet<FactArea>) -> usize {
    areas
        .iter()
        .filter(|area| facts.unknown(**area).is_some())
        .count()
}

/// The look did not come about, and may another time.
pub(super) fn unready(text: String) -> Failure {
    Failure {
        kind: FailureKind::Unready,
        text,
    }
}

fn rules_of(after: &[Asked]) -> Option<&Rules> {
    after.iter().find_map(|asked| match asked {
        Asked::Differences(rules) => Some(&**rules),
        Asked::Playbook(_) | Asked::Advisories => None,
    })
}
