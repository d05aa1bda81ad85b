//! Findings and the gate they make.
//!
//! Responsible for: what a check concluded, in a shape that is stored and shown, and the one rule that turns findings
//! into go or hold. Must not know: how a conclusion was reached.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What one check concluded about one device, or about one part of it. An estate has a hundred thousand, and most of their
/// texts are those of the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's name.
    pub check: Arc<str>,
    /// What it looks after, in words.
    pub title: Arc<str>,
    /// The part of the device it is about, such as a port; none where it is about the device.
    pub subject: Option<String>,
    /// The conclusion.
    pub verdict: Verdict,
    /// How much it matters.
    pub severity: Severity,
    /// Whether it counts.
    pub mode: Mode,
    /// What a person reads.
    pub message: Arc<str>,
    /// What would cure it.
    pub remedy: Option<Arc<str>>,
    /// Where to read on.
    pub link: Option<Arc<str>>,
}

impl Finding {
    /// Whether this holds a gate: an enforced blocking check that did not pass, for whatever reason.
    pub fn holds(&self) -> bool {
        let decided = match self.verdict {
            Verdict::Pass | Verdict::Waived { .. } => false,
            Verdict::Fail | Verdict::Inconclusive { .. } | Verdict::Error { .. } => true,
        };
        decided && self.severity == Severity::Block && self.mode == Mode::Enforce
    }
}

/// A conclusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The condition to hold on is not there.
    Pass,
    /// It is.
    Fail,
    /// It cannot be told, because something is not known.
    Inconclusive {
        /// What, and why.
        missing: String,
    },
    /// The check itself does not work: its expression fails or yields no yes or no.
    Error {
        /// How.
        detail: String,
    },
    /// It did not pass, and somebody decided that it does not count for this device.
    Waived {
        /// Who.
        by: String,
        /// Why, in their words.
        reason: String,
        /// When it counts again.
        until: Timestamp,
    },
}

impl Verdict {
    /// In a word, as reports and recorded cases write it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive { .. } => "inconclusive",
            Self::Error { .. } => "error",
            Self::Waived { .. } => "waived",
        }
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look before going on.
    Warn,
    /// Not to go on with.
    Block,
}

/// Whether a finding counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is shown and does not hold anything: for a check on trial.
    Observe,
    /// It counts.
    #[default]
    Enforce,
}

/// Go, or hold and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum Gate {
    /// Nothing holds it.
    Open,
    /// These do.
    Held {
        /// At least one.
        reasons: Vec<Finding>,
    },
}

impl Gate {
    /// The gate these findings make: held by every enforced blocking check that failed, could not tell, or broke.
    pub fn of(findings: &[Finding]) -> Self {
        let reasons: Vec<_> = findings
            .iter()
            .filter(|finding| finding.holds())
            .cloned()
            .collect();
        if reasons.is_empty() {
            Self::Open
        } else {
            Self::Held { reasons }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Verdict, severity: Severity, mode: Mode) -> Finding {
        Finding {
            check: "c".into(),
            title: "t".into(),
            subject: None,
            verdict,
            severity,
            mode,
            message: "m".into(),
            remedy: None,
            link: None,
        }
    }

    #[test]
    fn only_enforced_blocking_checks_that_did_not_pass_hold() {
        let bad = [
            Verdict::Fail,
            Verdict::Inconclusive {
                missing: "x".to_owned(),
            },
            Verdict::Error {
                detail: "y".to_owned(),
            },
        ];
        for verdict in bad {
            for severity in [Severity::Info, Severity::Warn, Severity::Block] {
                for mode in [Mode::Observe, Mode::Enforce] {
                    let findings = [finding(verdict.clone(), severity, mode)];
                    let holds = severity == Severity::Block && mode == Mode::Enforce;
                    let expected = if holds {
                        Gate::Held {
                            reasons: findings.to_vec(),
                        }
                    } else {
                        Gate::Open
                    };
                    assert_eq!(Gate::of(&findings), expected);
                }
            }
        }
        let waived = Verdict::Waived {
            by: "petra".to_owned(),
            reason: "swapped on site".to_owned(),
            until: Timestamp::UNIX_EPOCH,
        };
        for verdict in [Verdict::Pass, waived] {
            assert_eq!(
                Gate::of(&[finding(verdict, Severity::Block, Mode::Enforce)]),
                Gate::Open
            );
        }
    }

    #[test]
    fn is_stored_in_plain_words() {
        let missing = Verdict::Inconclusive {
            missing: "optics: silent".to_owned(),
        };
        insta::assert_snapshot!(
            serde_json::to_string(&Gate::of(&[finding(missing, Severity::Block, Mode::Enforce)])).unwrap(),
            @r#"{"held":{"reasons":[{"check":"c","title":"t","subject":null,"verdict":{"inconclusive":{"missing":"optics: silent"}},"severity":"block","mode":"enforce","message":"m","remedy":null,"link":null}]}}"#
        );
        assert_eq!(serde_json::to_string(&Verdict::Pass).unwrap(), "\"pass\"");
    }
}
