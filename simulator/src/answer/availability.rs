//! Restarts and high availability, as the API tells and takes them.

use bytes::Bytes;
use http::Response;

use super::{Ask, Scene, links};
use crate::device::{Device, Phase};
use crate::operation::Operation;
use crate::pair::{FLAP_MAX, Pair};
use crate::reply::{self, Markup};
use crate::site::SyncRefused;
use crate::wording;

const NO_HA: &str = "HA is not enabled on this device";

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::Restart => restart(scene),
        Operation::HaState | Operation::HaAll => links::everything(scene),
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

pub(super) fn state(scene: &Scene<'_>) -> Response<Bytes> {
    let (Some(pair), [_, _]) = (&scene.site.pair, scene.site.devices.as_slice()) else {
        return reply::success(Markup::new().leaf("enabled", "no"));
    };
    let (local, peer, now) = (scene.index, 1 - scene.index, scene.now());
    let devices = &scene.site.devices;
    let contact = pair.is_in_contact();
    let settled = [local, peer]
        .iter()
        .all(|member| devices[*member].phase != Phase::Settling);
    let sessions = settled && pair.sessions_in_sync(now);
    let configuration = settled && pair.configuration_in_sync(now);
    let result = Markup::new().leaf("enabled", "yes").element("group", |group| {
        group
            .leaf("mode", pair.setup.mode.shown())
            .element("local-info", |info| {
                let info = member(info, pair, devices, local);
                info.leaf("state-sync", if sessions { "Complete" } else { "Incomplete" })
                    .leaf("ha1-ipaddr", &ha1(&devices[local]))
                    .leaves(&[
                        ("preempt-flap-cnt", "0"),
                        ("nonfunc-flap-cnt", &pair.flaps(local).to_string()),
                        ("max-flaps", &FLAP_MAX.to_string()),
                    ])
            })
            .element("peer-info", |info| {
                let info = if contact {
                    member(info, pair, devices, peer)
                } else {
                    absent(info, pair, &devices[peer])
                };
                info.leaf("conn-status", if contact { "up" } else { "down" })
                    .leaf("ha1-ipaddr", &ha1(&devices[peer]))
            })
            .leaf(
                "running-sync",
                if configuration {
                    "synchronized"
                } else {
                    "not synchronized"
                },
            )
            .leaf("running-sync-enabled", "yes")
    });
    reply::success(result)
}

fn ha1(device: &Device) -> String {
    device
        .ha1
        .map_or_else(String::new, |ha1| format!("{}/30", ha1.own))
}

fn member(info: Markup, pair: &Pair, devices: &[Device], index: usize) -> Markup {
    let (state, device) = (&pair.members[index], &devices[index]);
    identity(
        info.leaf("state", state.state.shown())
            .leaf("state-reason", &state.reason),
        pair,
        device,
    )
    .leaf("priority", &pair.priority(index).to_string())
    .leaf("preemptive", if pair.setup.preemptive { "yes" } else { "no" })
}

/// A peer that cannot be heard: its state is not known, its versions are the last ones heard.
fn absent(info: Markup, pair: &Pair, device: &Device) -> Markup {
    identity(info.leaf("state", "unknown"), pair, device)
}

fn identity(info: Markup, pair: &Pair, device: &Device) -> Markup {
    info.leaf("mode", pair.setup.mode.shown())
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
