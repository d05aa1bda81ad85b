//! An incident: what a person is paged about, with one deduplication key that stays the same whatever crashes.

use serde::{Deserialize, Serialize};

use crate::names::{AuditName, CampaignId, DeviceId};

/// How loud the page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A device that we took down did not come back.
    Critical,
    /// A device is stopped at a safe place and needs a person.
    Error,
    /// Something to know before morning.
    Warning,
}

/// One incident. It is stored with the campaign, so it holds no secret and stays small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Deduplication key: the same incident has the same key for ever.
    pub key: String,
    /// How loud.
    pub severity: Severity,
    /// The device, where it is about one.
    pub device: Option<DeviceId>,
    /// One line: what happened.
    pub summary: String,
    /// What to do next.
    pub next_step: String,
    /// What was seen, oldest first.
    pub evidence: Vec<String>,
}

/// Key of an incident about one device in one hop. `epoch` counts the operator's resumes of that device, so that the
/// same fault after a resume is a new page and a repeated decision is not.
pub fn device_key(campaign: &CampaignId, device: &DeviceId, hop: u32, epoch: u32, code: &str) -> String {
    format!("hopgate/{campaign}/{device}/hop-{hop}/{epoch}/{code}")
}

/// Key of the incident that the window closed with devices unfinished.
pub fn window_key(campaign: &CampaignId, closes: jiff::Timestamp) -> String {
    format!("hopgate/{campaign}/window/{}", closes.as_second())
}

/// Key of the incident that a run of an audit found blockers that the run before did not.
pub fn audit_key(audit: &AuditName, ran: jiff::Timestamp) -> String {
    format!("hopgate/audit/{audit}/{}/new-blockers", ran.as_second())
}
