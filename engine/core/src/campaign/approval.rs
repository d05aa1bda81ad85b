//! Who may approve what: never the launcher, never a wave that does not exist, never another plan than the present one.

use super::{Campaign, CampaignEvent};
use crate::names::{Identity, WaveName};
use crate::plan::PlanHash;
use crate::quote::quoted;

/// Why an approval was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefused {
    /// Whoever launches a campaign cannot approve it.
    #[error("{by} launched the campaign and cannot approve wave {wave} of it")]
    Launcher {
        /// Who tried.
        by: Identity,
        /// The wave.
        wave: WaveName,
    },
    /// No such wave.
    #[error("the campaign has no wave {wave}; it has {known}")]
    NoSuchWave {
        /// The wave as given.
        wave: WaveName,
        /// The waves there are.
        known: String,
    },
    /// The wave needs no approval.
    #[error("wave {wave} needs no approval")]
    NotNeeded {
        /// The wave.
        wave: WaveName,
    },
    /// The approval names another plan.
    #[error("the plan is now {now}, and the approval is for {given:?}; look at the new plan first", now = .now.short(), given = .given)]
    OtherPlan {
        /// The present plan.
        now: PlanHash,
        /// The plan that was looked at.
        given: String,
    },
    /// An approval without a reason tells nobody anything.
    #[error("an approval needs a reason")]
    NoReason,
}

impl Campaign {
    /// Judges an approval. `looked_at` is the plan hash, or its beginning, that the approver saw, where they gave it.
    pub fn approve(
        &self,
        wave: &WaveName,
        by: &Identity,
        reason: &str,
        looked_at: Option<&str>,
    ) -> Result<CampaignEvent, ApprovalRefused> {
        let Some(known) = self.plan.waves.iter().find(|known| known.name == *wave) else {
            let known: Vec<&str> = self.plan.waves.iter().map(|wave| wave.name.as_str()).collect();
            return Err(ApprovalRefused::NoSuchWave {
                wave: wave.clone(),
                known: known.join(", "),
            });
        };
        if !known.approval {
            return Err(ApprovalRefused::NotNeeded { wave: wave.clone() });
        }
        if self.plan.cannot_approve().contains(by) {
            return Err(ApprovalRefused::Launcher {
                by: by.clone(),
                wave: wave.clone(),
            });
        }
        if reason.trim().is_empty() {
            return Err(ApprovalRefused::NoReason);
        }
        if let Some(given) = looked_at
            && (given.is_empty() || !self.hash.as_str().starts_with(given))
        {
            return Err(ApprovalRefused::OtherPlan {
                now: self.hash.clone(),
                given: given.to_owned(),
            });
        }
        Ok(CampaignEvent::Approved {
            wave: wave.clone(),
            plan: self.hash.clone(),
            by: by.clone(),
            reason: quoted(reason.trim()),
        })
    }
}
