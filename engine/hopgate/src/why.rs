//! Why a device waits or is halted, for a person: the rule that holds it, what would end it, what to do.

use std::fmt::Write as _;

use hopgate_core::campaign::{Campaign, CampaignInput};
use hopgate_core::device::{Device, Event, Phase};
use hopgate_core::names::{CampaignId, DeviceId};
use jiff::Timestamp;

use crate::ledger::{Ledger, LedgerError, device_stream};

/// A campaign with what its devices' streams say, for answering questions without acting.
pub fn campaign_with_standings(
    ledger: &Ledger,
    id: &CampaignId,
    now: Timestamp,
) -> Result<Option<(Campaign, Vec<Device>)>, LedgerError> {
    let Some((mut campaign, _)) = ledger.campaign(id)? else {
        return Ok(None);
    };
    let mut devices = Vec::new();
    let ids: Vec<DeviceId> = campaign.plan().devices.keys().cloned().collect();
    for device in ids {
        if let Some((device, _)) = ledger.device(id, &device)? {
            let standing = Box::new(device.standing());
            campaign.note(now, &CampaignInput::Standing(device.id().clone(), standing));
            devices.push(device);
        }
    }
    Ok(Some((campaign, devices)))
}

/// The answer to `hopgate why DEVICE`; nothing where the campaign has no such device.
pub fn why(
    ledger: &Ledger,
    campaign: &CampaignId,
    device: &DeviceId,
    now: Timestamp,
) -> Result<Option<String>, LedgerError> {
    let Some((campaign, devices)) = campaign_with_standings(ledger, campaign, now)? else {
        return Ok(None);
    };
    let Some(device) = devices.iter().find(|known| known.id() == device) else {
        return Ok(None);
    };
    let mut out = format!(
        "{} is {} since {:.0}",
        device.id(),
        device.phase().name(),
        device.since()
    );
    if let Some(hop) = device.hop() {
        // Writing into a String cannot fail.
        let _ = write!(
            out,
            ", hop {} of {}: {} -> {}",
            device.hops_done() + 1,
            device.enrolment().hops.len(),
            hop.from,
            hop.to
        );
    }
    out.push('\n');
    match device.phase() {
        Phase::Halted { reason, .. } => {
            let _ = writeln!(out, "  halted: {reason}");
            for line in evidence(ledger, campaign.id(), device.id())? {
                let _ = writeln!(out, "    {line}");
            }
            let _ = writeln!(out, "  next: {}", reason.next_step());
            let _ = writeln!(out, "  then: hopgate resume --as NAME --reason TEXT");
        }
        Phase::Done => {
            let _ = writeln!(out, "  it is at its target and waits for nothing");
        }
        _ => {
            if let Some(hold) = campaign.why(device.id(), now) {
                let _ = writeln!(out, "  waits: {hold}");
            } else {
                let _ = writeln!(out, "  it is under way and waits for nobody");
            }
        }
    }
    Ok(Some(out))
}

fn evidence(ledger: &Ledger, campaign: &CampaignId, device: &DeviceId) -> Result<Vec<String>, LedgerError> {
    let events = ledger.read::<Event>(&device_stream(campaign, device)?)?;
    Ok(events
        .into_iter()
        .rev()
        .find_map(|dated| match dated.event {
            Event::Halted { evidence, .. } => Some(evidence),
            _ => None,
        })
        .unwrap_or_default())
}
