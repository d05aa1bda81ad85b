//! What is kept of a firewall: its newest backup, and whether it can be read.
//!
//! Knows which records tell of backups and where they are stored; must not know what a check thinks of it. Writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use hopgate_core::device::{Enrolment, Event};
use hopgate_core::names::CampaignId;
use hopgate_panos::whole_configuration;
use hopgate_paths::Version;
use hopgate_playbooks::{Backup, Backups, Fact, FactArea, FactSource, Facts};
use jiff::Timestamp;
use tokio::sync::{OnceCell, Semaphore};

use crate::audit::names_hardware;
use crate::failure::chain;
use crate::ledger::{Dated, Ledger, LedgerError, device_stream};

/// In the place of a command: no device tells what is kept of it.
const OWN_RECORDS: &str = "hopgate's own records";

/// Backups that are read at once. Each is in memory as a whole, tens of megabytes of a large one, and an audit has hundreds
/// of firewalls under way.
const READ_AT_ONCE: usize = 2;

/// The backups of a state directory. Its records are gone through once, for the first firewall whose backup is asked for;
/// clones share what was found.
#[derive(Clone)]
pub struct Kept(Arc<Shared>);

struct Shared {
    ledger: Ledger,
    found: OnceCell<Result<Found, String>>,
    reading: Semaphore,
}

/// The newest backup of each firewall.
#[derive(Default)]
struct Found {
    by_serial: BTreeMap<String, Taken>,
    /// Whether there are some of firewalls whose serial number is none.
    of_nobody: bool,
}

/// A backup as the journal tells of it.
#[derive(Clone)]
struct Taken {
    at: Timestamp,
    release: Option<Version>,
    campaign: CampaignId,
    bytes: u64,
    blob: String,
}

impl Kept {
    /// What this ledger has.
    pub fn of(ledger: &Ledger) -> Kept {
        Kept(Arc::new(Shared {
            ledger: ledger.clone(),
            found: OnceCell::new(),
            reading: Semaphore::new(READ_AT_ONCE),
        }))
    }

    /// Fills the area `backup`, where these facts were asked for it. A firewall is known by its serial number: names differ
    /// between inventories, and another customer's may have the same. In a campaign it is the `enrolled` one too.
    pub async fn tell(&self, facts: &mut Facts, enrolled: Option<&Enrolment>) {
        let Some(source) = facts.sources.get_mut(&FactArea::Backup) else {
            return;
        };
        *source = FactSource {
            read_at: source.read_at,
            commands: vec![OWN_RECORDS.to_owned()],
        };
        facts.backup = match &facts.system {
            Fact::Known(system) => match self.newest(&system.serial, enrolled).await {
                Ok(newest) => Fact::Known(Backups { newest }),
                Err(why) => Fact::Unknown(why),
            },
            Fact::Unknown(why) => Fact::Unknown(format!("whose backup to look for is not known: {why}")),
        };
    }

    async fn newest(&self, serial: &str, enrolled: Option<&Enrolment>) -> Result<Option<Backup>, String> {
        let found = self.found().await.as_ref().map_err(Clone::clone)?;
        // A campaign of this process goes on taking them.
        let own = match enrolled.filter(|enrolled| enrolled.serial == serial) {
            Some(enrolled) => self.of_enrolled(enrolled.clone()).await?,
            None => None,
        };
        let newest = if names_hardware(serial) {
            let before = found.by_serial.get(serial).cloned();
            before.into_iter().chain(own).max_by_key(|taken| taken.at)
        } else if own.is_none() && found.of_nobody {
            return Err(format!(
                "its serial number ({serial:?}) does not tell it from others of which backups are kept"
            ));
        } else {
            own
        };
        match newest {
            None => Ok(None),
            Some(taken) => self.read(taken).await.map(Some),
        }
    }

    async fn found(&self) -> &Result<Found, String> {
        let ledger = &self.0.ledger;
        let found = || async { blocking(ledger, Found::read).await };
        self.0.found.get_or_init(found).await
    }

    async fn of_enrolled(&self, enrolled: Enrolment) -> Result<Option<Taken>, String> {
        let read = move |ledger: &Ledger| {
            let stream = device_stream(&enrolled.campaign, &enrolled.device)?;
            let newest = newest(&ledger.read(&stream)?);
            Ok(newest.map(|(_, taken)| taken))
        };
        blocking(&self.0.ledger, read).await
    }

    async fn read(&self, taken: Taken) -> Result<Backup, String> {
        let _turn = self
            .0
            .reading
            .acquire()
            .await
            .map_err(|error| error.to_string())?;
        let blob = taken.blob;
        let unreadable = blocking(&self.0.ledger, move |ledger| Ok(flaw(ledger, &blob))).await?;
        Ok(Backup {
            // What is below the second says nothing to anybody.
            taken_at: Timestamp::from_second(taken.at.as_second()).unwrap_or(taken.at),
            release: taken.release,
            campaign: taken.campaign.to_string(),
            bytes: taken.bytes,
            unreadable,
        })
    }
}

impl Found {
    fn read(ledger: &Ledger) -> Result<Found, LedgerError> {
        let mut found = Found::default();
        for stream in ledger.device_streams()? {
            let Some((enrolled, taken)) = newest(&ledger.read(&stream)?) else {
                continue;
            };
            if !names_hardware(&enrolled.serial) {
                found.of_nobody = true;
                continue;
            }
            let known = found.by_serial.get(&enrolled.serial);
            if known.is_none_or(|known| known.at < taken.at) {
                found.by_serial.insert(enrolled.serial, taken);
            }
        }
        Ok(found)
    }
}

/// The newest backup that a device's stream tells of, and whose it is.
fn newest(events: &[Dated<Event>]) -> Option<(Enrolment, Taken)> {
    let mut enrolled: Option<&Enrolment> = None;
    let mut hop = None;
    let mut newest: Option<Taken> = None;
    for dated in events {
        match &dated.event {
            Event::Enrolled(enrolment) => enrolled = Some(enrolment),
            Event::PermitReceived(permit) => hop = usize::try_from(permit.hop).ok(),
            Event::BackedUp { blob, bytes, .. }
                if newest.as_ref().is_none_or(|newest| newest.at <= dated.at) =>
            {
                let hops = enrolled.map(|enrolment| enrolment.hops.as_slice());
                newest = Some(Taken {
                    at: dated.at,
                    release: hops.and_then(|hops| Some(hops.get(hop?)?.from)),
                    campaign: enrolled?.campaign.clone(),
                    bytes: *bytes,
                    blob: blob.clone(),
                });
            }
            _ => {}
        }
    }
    Some((enrolled?.clone(), newest?))
}

/// Why a stored backup is not what a device could be given back. Quotes nothing of it.
fn flaw(ledger: &Ledger, blob: &str) -> Option<String> {
    match ledger.document(blob) {
        Ok(document) => whole_configuration(&document).err().map(|flaw| flaw.to_string()),
        Err(LedgerError::Document { source, .. }) => Some(format!("{} ({})", chain(&*source), source.code())),
        Err(other) => Some(chain(&other)),
    }
}

/// Reads from the disk where it keeps nobody else waiting. The error is the reason as it is told.
async fn blocking<T: Send + 'static>(
    ledger: &Ledger,
    read: impl FnOnce(&Ledger) -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, String> {
    let ledger = ledger.clone();
    match tokio::task::spawn_blocking(move || read(&ledger)).await {
        Ok(Ok(read)) => Ok(read),
        // What came instead of the record, and all that it could have been, is for whoever repairs it.
        Ok(Err(error @ LedgerError::Decode { .. })) => Err(error.to_string()),
        Ok(Err(error)) => Err(chain(&error)),
        Err(error) => Err(format!(
            "the records of backups were not read to their end: {error}"
        )),
    }
}

#[cfg(test)]
mod tests;
