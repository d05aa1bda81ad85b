//! The journal with types: campaign and device events in, machines out.
//!
//! Knows how events are encoded and which stream is whose; must not know what follows from them.

use std::sync::Arc;

use hopgate_core::IllegalEvent;
use hopgate_core::campaign::{Campaign, CampaignEvent};
use hopgate_core::device::{Device, Event};
use hopgate_core::names::{CampaignId, DeviceId};
use hopgate_core::plan::{Plan, PlanHash};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::journal::blobs::{BlobId, Blobs};
use crate::journal::{Appended, Entry, InvalidStream, Journal, JournalError, Seq, StreamId};

/// An event and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<E> {
    /// Civil time.
    pub at: Timestamp,
    /// What happened.
    pub event: E,
}

/// What went wrong between a machine and its stream.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The journal failed.
    #[error("failed to {doing} the journal stream {stream}")]
    Journal {
        /// read or append to.
        doing: &'static str,
        /// The stream.
        stream: String,
        /// Why.
        #[source]
        source: Box<JournalError>,
    },
    /// A list of streams could not be had.
    #[error("failed to list the journal's streams")]
    Streams(#[source] Box<JournalError>),
    /// Somebody else appended first, owns the journal now, or the outcome is unknown: this process must stop and read.
    #[error("the append to {stream} did not take ({how}); another hopgate may own the journal")]
    NotTaken {
        /// The stream.
        stream: String,
        /// What the journal answered.
        how: String,
    },
    /// A record is not an event that this version knows.
    #[error("record {seq} of {stream} is not an event that this version of hopgate knows")]
    Decode {
        /// The stream.
        stream: String,
        /// Its position.
        seq: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An event could not be written as JSON.
    #[error("failed to encode an event for {stream}")]
    Encode {
        /// The stream.
        stream: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The stream holds an event that its machine has no transition for.
    #[error("the stream {stream} contradicts itself")]
    Illegal {
        /// The stream.
        stream: String,
        /// Why.
        #[source]
        source: IllegalEvent,
    },
    /// A stored document is missing or damaged.
    #[error("failed to read the stored document {id}")]
    Document {
        /// Its hash.
        id: String,
        /// Why.
        #[source]
        source: Box<JournalError>,
    },
    /// A document could not be stored.
    #[error("failed to store a document of {bytes} bytes")]
    Store {
        /// Its size.
        bytes: usize,
        /// Why.
        #[source]
        source: Box<JournalError>,
    },
    /// A stored plan is not a plan that this version knows.
    #[error("the stored plan {id} is not one that this version of hopgate knows")]
    PlanFormat {
        /// Its hash.
        id: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A hash in the journal is not a hash.
    #[error("{id:?} is not the name of a stored document")]
    DocumentName {
        /// What it is.
        id: String,
    },
    /// Two names make a stream name that the journal refuses.
    #[error("failed to name a journal stream")]
    StreamName(#[from] InvalidStream),
}

/// Typed access to one journal and its documents.
#[derive(Clone)]
pub struct Ledger {
    journal: Arc<dyn Journal>,
    blobs: Arc<Blobs>,
}

/// The stream of a campaign.
pub fn campaign_stream(campaign: &CampaignId) -> Result<StreamId, LedgerError> {
    Ok(StreamId::new(format!("campaign/{campaign}"))?)
}

/// The stream of a device in a campaign.
pub fn device_stream(campaign: &CampaignId, device: &DeviceId) -> Result<StreamId, LedgerError> {
    Ok(StreamId::new(format!("device/{campaign}/{device}"))?)
}

impl Ledger {
    /// A ledger over an open journal.
    pub fn new(journal: Arc<dyn Journal>, blobs: Arc<Blobs>) -> Self {
        Ledger { journal, blobs }
    }

    /// The journal underneath.
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// Appends events that happened at `at`; they are durable when this returns, all or none.
    pub async fn append<E: Serialize>(
        &self,
        stream: &StreamId,
        expected: Seq,
        at: Timestamp,
        events: &[E],
    ) -> Result<Seq, LedgerError> {
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            let payload = serde_json::to_vec(event).map_err(|source| LedgerError::Encode {
                stream: stream.to_string(),
                source,
            })?;
            entries.push(Entry { at, payload });
        }
        let fence = self.journal.fence();
        let appended = self
            .journal
            .append(stream, expected, fence, entries)
            .await
            .map_err(|source| LedgerError::Journal {
                doing: "append to",
                stream: stream.to_string(),
                source: Box::new(source),
            })?;
        match appended {
            Appended::Done { next } => Ok(next),
            Appended::Conflict { found } => Err(not_taken(
                stream,
                format!("position {found} is next, not {expected}"),
            )),
            Appended::Fenced { holder } => {
                Err(not_taken(stream, format!("owner {holder} holds it, not {fence}")))
            }
            Appended::Unknown => Err(not_taken(stream, "the outcome is unknown".to_owned())),
        }
    }

    /// Every event of a stream, in order.
    pub fn read<E: DeserializeOwned>(&self, stream: &StreamId) -> Result<Vec<Dated<E>>, LedgerError> {
        let records = self
            .journal
            .read(stream, Seq(0))
            .map_err(|source| LedgerError::Journal {
                doing: "read",
                stream: stream.to_string(),
                source: Box::new(source),
            })?;
        records
            .into_iter()
            .map(|record| {
                let event =
                    serde_json::from_slice(&record.payload).map_err(|source| LedgerError::Decode {
                        stream: stream.to_string(),
                        seq: record.seq.0,
                        source,
                    })?;
                Ok(Dated { at: record.at, event })
            })
            .collect()
    }

    fn streams(&self) -> Result<Vec<(StreamId, Seq)>, LedgerError> {
        let streams = self.journal.streams();
        streams.map_err(|source| LedgerError::Streams(Box::new(source)))
    }

    /// The position that the next record of a stream takes.
    pub fn next(&self, stream: &StreamId) -> Result<Seq, LedgerError> {
        Ok(self
            .streams()?
            .into_iter()
            .find(|(known, _)| known == stream)
            .map_or(Seq(0), |(_, next)| next))
    }

    /// The campaigns that the journal knows, in the order of their names.
    pub fn campaigns(&self) -> Result<Vec<CampaignId>, LedgerError> {
        Ok(self
            .streams()?
            .iter()
            .filter_map(|(stream, _)| stream.as_str().strip_prefix("campaign/")?.parse().ok())
            .collect())
    }

    /// The streams of devices, of all campaigns.
    pub fn device_streams(&self) -> Result<Vec<StreamId>, LedgerError> {
        let streams = self.streams()?.into_iter().map(|(stream, _)| stream);
        Ok(streams
            .filter(|stream| stream.as_str().starts_with("device/"))
            .collect())
    }

    /// A campaign as its stream says, with the position of its next record.
    pub fn campaign(&self, id: &CampaignId) -> Result<Option<(Campaign, Seq)>, LedgerError> {
        let stream = campaign_stream(id)?;
        let events = self.read::<CampaignEvent>(&stream)?;
        let Some(first) = events.first() else {
            return Ok(None);
        };
        let CampaignEvent::Planned { plan, .. } = &first.event else {
            return Err(illegal(&stream, &first.event));
        };
        let wrong = |source| LedgerError::Illegal {
            stream: stream.to_string(),
            source,
        };
        let mut campaign = Campaign::begin(&first.event, self.plan(plan)?).map_err(wrong)?;
        for dated in events.iter().skip(1) {
            if let CampaignEvent::Replanned { plan, .. } = &dated.event {
                campaign.adopt(self.plan(plan)?);
            }
            campaign.apply(dated.at, &dated.event).map_err(wrong)?;
        }
        Ok(Some((campaign, Seq(events.len() as u64))))
    }

    /// A device as its stream says, with the position of its next record.
    pub fn device(
        &self,
        campaign: &CampaignId,
        device: &DeviceId,
    ) -> Result<Option<(Device, Seq)>, LedgerError> {
        let stream = device_stream(campaign, device)?;
        let events = self.read::<Event>(&stream)?;
        let Some(first) = events.first() else {
            return Ok(None);
        };
        let wrong = |source| LedgerError::Illegal {
            stream: stream.to_string(),
            source,
        };
        let mut machine = Device::begin(first.at, &first.event).map_err(wrong)?;
        for dated in events.iter().skip(1) {
            machine.apply(dated.at, &dated.event).map_err(wrong)?;
        }
        Ok(Some((machine, Seq(events.len() as u64))))
    }

    /// The plan stored under a hash.
    pub fn plan(&self, hash: &PlanHash) -> Result<Plan, LedgerError> {
        let bytes = self.document(hash.as_str())?;
        serde_json::from_slice(&bytes).map_err(|source| LedgerError::PlanFormat {
            id: hash.as_str().to_owned(),
            source,
        })
    }

    /// Stores a document durably under its hash.
    pub fn store(&self, bytes: &[u8]) -> Result<String, LedgerError> {
        let id = self.blobs.put(bytes).map_err(|source| LedgerError::Store {
            bytes: bytes.len(),
            source: Box::new(source),
        })?;
        Ok(id.to_string())
    }

    /// A stored document; its hash is verified.
    pub fn document(&self, id: &str) -> Result<Vec<u8>, LedgerError> {
        let blob: BlobId = id
            .parse()
            .map_err(|_| LedgerError::DocumentName { id: id.to_owned() })?;
        self.blobs.get(blob).map_err(|source| LedgerError::Document {
            id: id.to_owned(),
            source: Box::new(source),
        })
    }
}

fn not_taken(stream: &StreamId, how: String) -> LedgerError {
    LedgerError::NotTaken {
        stream: stream.to_string(),
        how,
    }
}

fn illegal(stream: &StreamId, event: &CampaignEvent) -> LedgerError {
    LedgerError::Illegal {
        stream: stream.to_string(),
        source: IllegalEvent {
            subject: "a campaign stream".to_owned(),
            event: event.name().to_owned(),
            state: "empty".to_owned(),
        },
    }
}
