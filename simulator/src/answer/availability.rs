//! Restarts and high availability, as the API tells and takes them.

use bytes::Bytes;
use http::Response;

use super::{Ask, Scene, links};
use crate::device::{Device, Phase};
use crate::operation::Operation;
use crate::pair::Pair;
use crate::reply::{self, Markup};
use crate::site::SyncRefused;
use crate::wording;

const NO_HA: &str = "HA is not enabled on this device";

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::Restart => restart(scene),
        Operation::HaState => state(scene),
        Operation::HaAll => links::everything(scene),
        Operation::HaSuspend => suspend(scene),
        Operation::HaFunctional => functional(scene),
        Operation::HaSync => sync(scene),
        _ => return None,
    };
    Some(reply)
}

/// Answered before the device goes away.
fn restart(scene: &mut Scene<'_>) -> Response<Bytes> {
    scene.site.restart(scene.world, scene.index);
    reply::done(wording::RESTART_ACCEPTED)
}

fn suspend(scene: &mut Scene<'_>) -> Response<Bytes> {
    if scene.site.suspend(scene.world, scene.index) {
        reply::done(wording::SUSPENDED)
    } else {
        reply::error(14, NO_HA)
    }
}

fn functional(scene: &mut Scene<'_>) -> Response<Bytes> {
    if scene.site.functional(scene.world, scene.index) {
        reply::done(wording::FUNCTIONAL)
    } else {
        reply::error(14, NO_HA)
    }
}

/// Whether a member's HA links are up, as the other one sees it.
fn in_contact(device: &Device) -> bool {
    matches!(
        device.phase,
        Phase::Up | Phase::Restarting | Phase::Settling | Phase::Returning
    )
}

pub(super) fn state(scene: &Scene<'_>) -> Response<Bytes> {
    let (Some(pair), [_, _]) = (&scene.site.pair, scene.site.devices.as_slice()) else {
        return reply::success(Markup::new().leaf("enabled", "no"));
    };
    let (local, peer) = (scene.index, 1 - scene.index);
    let devices = &scene.site.devices;
    let contact = in_contact(&devices[local]) && in_contact(&devices[peer]);
    let complete = contact
        && [local, peer]
            .iter()
            .all(|member| devices[*member].phase != Phase::Settling);
    let result = Markup::new().leaf("enabled", "yes").element("group", |group| {
        group
            .leaf("mode", "Active-Passive")
            .element("local-info", |info| {
                let info = member(info, pair, devices, local);
                info.leaf("state-sync", if complete { "Complete" } else { "Incomplete" })
                    .leaf("ha1-ipaddr", "169.254.1.1")
            })
            .element("peer-info", |info| {
                let info = if contact {
                    member(info, pair, devices, peer)
                } else {
                    absent(info, &devices[peer])
                };
                info.leaf("conn-status", if contact { "up" } else { "down" })
                    .leaf("ha1-ipaddr", "169.254.1.2")
            })
            .leaf(
                "running-sync",
                if complete {
                    "synchronized"
                } else {
                    "not synchronized"
                },
            )
            .leaf("running-sync-enabled", "yes")
    });
    reply::success(result)
}

fn member(info: Markup, pair: &Pair, devices: &[Device], index: usize) -> Markup {
    let (state, device) = (&pair.members[index], &devices[index]);
    identity(
        info.leaf("state", state.state.shown())
            .leaf("state-reason", &state.reason),
        device,
    )
    .leaf("priority", &pair.priority(index).to_string())
    .leaf("preemptive", if pair.is_preemptive() { "yes" } else { "no" })
}

/// A peer that cannot be heard: its state is not known, its versions are the last ones heard.
fn absent(info: Markup, device: &Device) -> Markup {
    identity(info.leaf("state", "unknown"), device)
}

fn identity(info: Markup, device: &Device) -> Markup {
    info.leaf("mode", "Active-Passive")
        .leaf("build-rel", &device.version().to_string())
        .leaf("app-version", &device.content.to_string())
        .leaf("url-compat", "Match")
        .leaf("app-compat", "Match")
        .leaf("platform-model", &device.model)
        .leaf("mgmt-ip", &format!("{}/24", device.address))
        .leaf("mgmt-ipv6", "")
}

/// The job runs on the peer; this side only says that it was asked.
fn sync(scene: &mut Scene<'_>) -> Response<Bytes> {
    if scene.site.pair.is_none() {
        return reply::error(14, NO_HA);
    }
    match scene.site.synchronise(scene.world, scene.index) {
        Ok(()) => reply::noted(wording::SYNC_QUEUED),
        Err(SyncRefused::NoPeer) => reply::error(14, wording::SYNC_FAILED),
        Err(SyncRefused::Busy) => reply::error(14, wording::ANOTHER_SYNC),
    }
}
