//! The pager: a durable outbox between a decision to page and whoever answers.
//!
//! An incident that a campaign or an audit recorded *is* the decision; a delivery that was accepted is recorded in the `pager` stream.
//! What lies between the two is the outbox, computed from both, so a crash loses nothing and a page goes out at least once
//! under one deduplication key. Which service is called is a [`Channel`], one file each.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use hopgate_core::campaign::CampaignEvent;
use hopgate_core::device::Event;
use hopgate_core::incident::Incident;
use hopgate_core::names::{AuditName, CampaignId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::audit::history;
use crate::clock::{self, Clock};
use crate::failure::chain;
use crate::journal::{InvalidStream, StreamId};
use crate::ledger::{Dated, Ledger, LedgerError, campaign_stream, device_stream};

pub mod pagerduty;

/// First wait after a failed delivery, in real time: a page is for a person, whose night is not simulated.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Longest wait between two tries.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Most lines of evidence in one page; the rest is in the timeline.
const EVIDENCE_LINES: usize = 20;

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The incident, with its stable key and its evidence.
    pub incident: Incident,
    /// Its campaign, or its audit.
    pub group: String,
    /// When it was decided.
    pub decided: Timestamp,
}

/// A delivery that did not take.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The service could not be reached or did not answer.
    #[error("failed to reach {channel}")]
    Unreachable {
        /// The channel.
        channel: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service answered and did not accept the page.
    #[error("{channel} did not accept the page: HTTP {status}, {text}")]
    NotAccepted {
        /// The channel.
        channel: String,
        /// HTTP status.
        status: u16,
        /// What it said, shortened.
        text: String,
    },
}

/// A way to reach a person.
pub trait Channel: Send + Sync + 'static {
    /// Its name, as the delivery is recorded under.
    fn name(&self) -> &str;

    /// Delivers one page; `Ok` only when the service took responsibility for it.
    fn deliver<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), ChannelError>>;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PagerEvent {
    Delivered {
        key: String,
        channel: String,
        attempts: u32,
    },
}

/// The outbox of one journal and the channels it empties into.
pub struct Pager {
    ledger: Ledger,
    clock: Clock,
    channels: Vec<Arc<dyn Channel>>,
    source: Source,
}

/// Whose incidents are paged.
enum Source {
    Campaign(CampaignId),
    Audit(AuditName),
}

impl Source {
    fn stream(&self) -> Result<StreamId, InvalidStream> {
        match self {
            Source::Campaign(campaign) => StreamId::new(format!("pager/{campaign}")),
            Source::Audit(audit) => StreamId::new(format!("pager/audit/{audit}")),
        }
    }

    fn name(&self) -> &str {
        match self {
            Source::Campaign(campaign) => campaign.as_str(),
            Source::Audit(audit) => audit.as_str(),
        }
    }
}

impl Pager {
    /// A pager for a campaign. Without a channel every page stays in the outbox, and [`Pager::outbox`] says so.
    pub fn new(ledger: Ledger, clock: Clock, channels: Vec<Arc<dyn Channel>>, campaign: CampaignId) -> Self {
        Pager {
            ledger,
            clock,
            channels,
            source: Source::Campaign(campaign),
        }
    }

    /// A pager for an audit that is asked again and again.
    pub fn of_audit(ledger: Ledger, clock: Clock, channels: Vec<Arc<dyn Channel>>, audit: AuditName) -> Self {
        Pager {
            ledger,
            clock,
            channels,
            source: Source::Audit(audit),
        }
    }

    /// Pages decided and not yet accepted by `channel`, oldest first.
    pub fn outbox(&self, channel: &str) -> Result<Vec<Page>, LedgerError> {
        let delivered = self.delivered(channel)?;
        let mut pages = Vec::new();
        for dated in self.incidents()? {
            if delivered.contains(&dated.event.key) {
                continue;
            }
            pages.push(Page {
                incident: self.with_evidence(dated.event)?,
                group: self.source.name().to_owned(),
                decided: dated.at,
            });
        }
        Ok(pages)
    }

    /// Every incident of the source, oldest first.
    fn incidents(&self) -> Result<Vec<Dated<Incident>>, LedgerError> {
        let campaign = match &self.source {
            Source::Audit(audit) => return history::incidents(&self.ledger, audit),
            Source::Campaign(campaign) => campaign,
        };
        let events = self.ledger.read::<CampaignEvent>(&campaign_stream(campaign)?)?;
        let incidents = events.into_iter().filter_map(|dated| match dated.event {
            CampaignEvent::IncidentOpened(incident) => Some(Dated {
                at: dated.at,
                event: *incident,
            }),
            _ => None,
        });
        Ok(incidents.collect())
    }

    fn delivered(&self, channel: &str) -> Result<BTreeSet<String>, LedgerError> {
        let events = self.ledger.read::<PagerEvent>(&self.source.stream()?)?;
        let of_channel = events.into_iter().filter_map(|dated| {
            let PagerEvent::Delivered { key, channel: by, .. } = dated.event;
            (by == channel).then_some(key)
        });
        Ok(of_channel.collect())
    }

    /// The evidence of a campaign's incident is in the device's own stream, beside the halt that it is about.
    fn with_evidence(&self, mut incident: Incident) -> Result<Incident, LedgerError> {
        let (Source::Campaign(campaign), Some(device)) = (&self.source, &incident.device) else {
            return Ok(incident);
        };
        let events = self.ledger.read::<Event>(&device_stream(campaign, device)?)?;
        let halts = events.into_iter().rev().find_map(|dated| match dated.event {
            Event::Halted { evidence, .. } => Some(evidence),
            _ => None,
        });
        incident.evidence = halts.unwrap_or_default();
        incident.evidence.truncate(EVIDENCE_LINES);
        Ok(incident)
    }

    /// Delivers what is in the outbox, and what comes, until `stop` turns true and the outbox is empty, or `stop` turns true
    /// a second time.
    pub async fn run(self, mut stop: watch::Receiver<Stop>) -> Result<(), LedgerError> {
        let mut changes = self.ledger.journal().watch();
        let mut wait = FIRST_RETRY;
        loop {
            let left = self.empty_once().await?;
            let asked = *stop.borrow();
            if asked == Stop::Now || (asked == Stop::WhenEmpty && left == 0) {
                return Ok(());
            }
            wait = if left == 0 {
                FIRST_RETRY
            } else {
                (wait * 2).min(LONGEST_RETRY)
            };
            tokio::select! {
                _ = stop.changed() => {}
                _ = changes.recv(), if left == 0 => {}
                () = clock::pause(wait), if left > 0 => {}
            }
        }
    }

    /// One try for everything in the outbox; how much is left.
    async fn empty_once(&self) -> Result<usize, LedgerError> {
        let mut left = 0;
        for channel in &self.channels {
            for page in self.outbox(channel.name())? {
                match channel.deliver(&page).await {
                    Ok(()) => self.record(channel.name(), &page).await?,
                    Err(error) => {
                        left += 1;
                        tracing::warn!(key = page.incident.key, error = %chain(&error), "page not delivered, will be tried again");
                    }
                }
            }
        }
        Ok(left)
    }

    async fn record(&self, channel: &str, page: &Page) -> Result<(), LedgerError> {
        let stream = self.source.stream()?;
        let event = PagerEvent::Delivered {
            key: page.incident.key.clone(),
            channel: channel.to_owned(),
            attempts: 1,
        };
        let next = self.ledger.next(&stream)?;
        self.ledger
            .append(&stream, next, self.clock.now(), &[event])
            .await?;
        Ok(())
    }
}

/// How the pager is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Not at all.
    Run,
    /// As soon as every page was accepted.
    WhenEmpty,
    /// After the try under way.
    Now,
}
