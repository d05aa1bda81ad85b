//! Who manages whom: which firewalls are connected to which Panorama, and what each side knows of the other.
//!
//! Looks at one device at a time, brought up to the present. Knows nothing of how a reply is written.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::Response;
use jiff::{SignedDuration, Timestamp};

use crate::answer::{Question, Scene, answer, first_key};
use crate::area::Area;
use crate::device::{Device, Phase};
use crate::events::Occurrence;
use crate::fleet::{Exchange, Fleet, arrive, count, lock, refusal, returned, worth_noting};
use crate::line::{Line, NetworkFault};
use crate::operation::{Needs, Operation};
use crate::pair::HaState;
use crate::panorama::{PanoramaSpec, may_manage};
use crate::release::Version;
use crate::reply;
use crate::request::ApiRequest;
use crate::site::Site;
use crate::spec::ContentVersion;
use crate::world::World;

/// Every Panorama with the firewalls it manages.
#[derive(Debug, Default)]
pub(crate) struct Management(BTreeMap<String, Roster>);

#[derive(Debug)]
struct Roster {
    /// Names of the managed firewalls, by serial number.
    firewalls: BTreeMap<String, String>,
    group_label: String,
}

impl Management {
    /// `firewalls` yields each one's device.
    pub(crate) fn new<'d>(
        panoramas: &[PanoramaSpec],
        firewalls: impl Iterator<Item = &'d Device> + Clone,
    ) -> Self {
        let roster = |panorama: &PanoramaSpec| Roster {
            firewalls: firewalls
                .clone()
                .filter(|device| {
                    !device.class.panorama && panorama.manages.covers(&device.name, &device.labels)
                })
                .map(|device| (device.serial.clone(), device.name.clone()))
                .collect(),
            group_label: panorama.device_group_label.clone(),
        };
        Self(
            panoramas
                .iter()
                .map(|panorama| (panorama.name.clone(), roster(panorama)))
                .collect(),
        )
    }

    pub(crate) fn panoramas(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn is_panorama(&self, device: &str) -> bool {
        self.0.contains_key(device)
    }

    fn firewall(&self, panorama: &str, serial: &str) -> Option<&str> {
        self.0.get(panorama)?.firewalls.get(serial).map(String::as_str)
    }
}

/// What a reply may say of devices elsewhere in the fleet.
#[derive(Debug)]
pub(crate) enum Elsewhere {
    Nothing,
    /// The firewalls that a Panorama manages.
    Firewalls(Vec<ManagedFirewall>),
    /// The Panoramas that manage a firewall.
    Panoramas(Vec<Manager>),
}

/// Whether a firewall is connected to a Panorama.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Connected,
    Away,
    /// The Panorama is too old for what the firewall runs.
    Unsupported,
}

/// A firewall as its Panorama knows it.
#[derive(Debug)]
pub(crate) struct ManagedFirewall {
    pub(crate) serial: String,
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) family: String,
    pub(crate) model: String,
    /// What it ran when it was last connected.
    pub(crate) version: Version,
    pub(crate) content: ContentVersion,
    pub(crate) uptime: SignedDuration,
    /// HA state and the peer's serial number.
    pub(crate) ha: Option<(HaState, String)>,
    pub(crate) link: Link,
    pub(crate) group: Option<String>,
}

/// A Panorama as a firewall knows it.
#[derive(Debug)]
pub(crate) struct Manager {
    pub(crate) address: Ipv4Addr,
    pub(crate) link: Link,
    pub(crate) ha: Option<HaState>,
}

/// The Panorama's side of a link.
#[derive(Clone, Copy)]
struct Office {
    /// It runs, and its network is not cut.
    serves: bool,
    version: Version,
}

impl Office {
    fn of(device: &Device, reachable: bool) -> Self {
        Self {
            serves: reachable && is_in_service(device),
            version: device.version(),
        }
    }

    /// `reachable` is whether the firewall's network is not cut.
    fn link(self, world: &World, firewall: &Device, reachable: bool, now: Timestamp) -> Link {
        let back = is_in_service(firewall) && firewall.has_back(world, Area::Panorama, now);
        if !self.serves || !reachable || !back {
            Link::Away
        } else if may_manage(self.version, firewall.version()) {
            Link::Connected
        } else {
            Link::Unsupported
        }
    }
}

/// A firewall connects again with the last services of a boot, and stays connected until it goes down.
fn is_in_service(device: &Device) -> bool {
    matches!(device.phase, Phase::Up | Phase::Restarting)
}

fn ha_state(site: &Site, index: usize) -> Option<HaState> {
    site.pair.as_ref().map(|pair| pair.members[index].state)
}

impl Fleet {
    /// What the reply to an operation needs to know of the rest of the fleet. Other devices are looked at one by one,
    /// before the one that is asked.
    pub(crate) fn elsewhere(&self, device: &str, operation: Option<Operation>) -> Elsewhere {
        let needs = operation.map_or(Needs::Nothing, Operation::needs);
        match (needs, self.management.0.get(device)) {
            (Needs::Firewalls, Some(roster)) => Elsewhere::Firewalls(self.managed(device, roster)),
            (Needs::Panoramas, None) => Elsewhere::Panoramas(self.managers(device)),
            _ => Elsewhere::Nothing,
        }
    }

    fn managed(&self, panorama: &str, roster: &Roster) -> Vec<ManagedFirewall> {
        let reachable = self.reachable(panorama);
        let office = self.look(panorama, |site, index| {
            Office::of(&site.devices[index], reachable)
        });
        let Some(office) = office else { return Vec::new() };
        let firewall = |name: &String| {
            let reachable = self.reachable(name);
            self.on_site(name, |world, site, index| {
                let link = office.link(world, &site.devices[index], reachable, site.now());
                managed_firewall(site, index, link, &roster.group_label)
            })
        };
        roster.firewalls.values().filter_map(firewall).collect()
    }

    fn managers(&self, firewall: &str) -> Vec<Manager> {
        let Some(serial) = self.look(firewall, |site, index| site.devices[index].serial.clone()) else {
            return Vec::new();
        };
        let ours = self
            .management
            .0
            .iter()
            .filter(|(_, roster)| roster.firewalls.contains_key(&serial));
        ours.filter_map(|(panorama, _)| {
            let reachable = self.reachable(panorama);
            let (office, address, ha) = self.look(panorama, |site, index| {
                let device = &site.devices[index];
                (
                    Office::of(device, reachable),
                    device.address,
                    ha_state(site, index),
                )
            })?;
            let link = self.link(office, firewall)?;
            Some(Manager { address, link, ha })
        })
        .collect()
    }

    /// A request that names a firewall: the Panorama judges the key, the firewall answers. Both work on it, each with
    /// its limit of calls.
    pub(crate) async fn relay(
        &self,
        panorama: &str,
        serial: &str,
        api: &ApiRequest,
        question: &Question,
    ) -> Exchange {
        let received = self.post(panorama).and_then(|post| {
            self.on_site(panorama, |world, site, index| {
                let elsewhere = &Elsewhere::Nothing;
                let scene = &mut Scene {
                    world,
                    site,
                    index,
                    elsewhere,
                };
                let note = |at, what| self.note(at, Some(panorama), what);
                Receipt::of(scene, &mut lock(&post.line), api, question, &note)
            })
        });
        let Receipt {
            fault,
            refused,
            office,
        } = match received {
            Some(Ok(receipt)) => receipt,
            Some(Err(lost)) => return *lost,
            None => return Exchange::Refused,
        };
        let reply = match (refused, self.management.firewall(panorama, serial)) {
            (Some(refused), _) => refused,
            (None, Some(firewall)) => self
                .forward(firewall, office, api, question)
                .await
                .unwrap_or_else(|| reply::not_connected(serial)),
            (None, None) => reply::not_connected(serial),
        };
        returned(reply, fault)
    }

    /// The firewall's own reply; `None` when it is not connected.
    async fn forward(
        &self,
        firewall: &str,
        office: Office,
        api: &ApiRequest,
        question: &Question,
    ) -> Option<Response<Bytes>> {
        let connected = || self.link(office, firewall) == Some(Link::Connected);
        if !connected() {
            return None;
        }
        let Some(_call) = self.take_up(firewall, self.post(firewall)?).await else {
            return Some(reply::too_many_calls());
        };
        self.work(firewall, question.operation()).await;
        // It may have gone down while the request waited.
        if !connected() {
            return None;
        }
        let elsewhere = &self.elsewhere(firewall, question.operation());
        let reply = self.on_site(firewall, |world, site, index| {
            let api = api.relayed(first_key(world, &site.devices[index]));
            let scene = &mut Scene {
                world,
                site,
                index,
                elsewhere,
            };
            count(scene);
            let reply = if scene.is_unable_to_answer() {
                reply::unavailable()
            } else {
                answer(scene, &api, question)
            };
            if let Some(what) = worth_noting(question.operation(), &reply) {
                self.note(scene.site.now(), Some(firewall), what);
            }
            reply
        });
        if question.operation().is_some_and(Operation::is_changing) {
            self.announce(firewall);
        }
        reply
    }

    /// Whether a firewall is connected to a Panorama; `None` for an unknown one.
    fn link(&self, office: Office, firewall: &str) -> Option<Link> {
        let reachable = self.reachable(firewall);
        self.on_site(firewall, |world, site, index| {
            office.link(world, &site.devices[index], reachable, site.now())
        })
    }
}

/// What a Panorama makes of a request that it is to pass on.
struct Receipt {
    /// What is going to happen to the reply.
    fault: Option<NetworkFault>,
    /// The reply, when it passes nothing on.
    refused: Option<Response<Bytes>>,
    office: Office,
}

impl Receipt {
    fn of(
        scene: &mut Scene<'_>,
        line: &mut Line,
        api: &ApiRequest,
        question: &Question,
        note: &dyn Fn(Timestamp, Occurrence),
    ) -> Result<Self, Box<Exchange>> {
        Ok(Self {
            fault: arrive(scene, line, question, note)?,
            refused: refusal(scene, api, question),
            // The request came over its network.
            office: Office::of(&scene.site.devices[scene.index], true),
        })
    }
}

fn managed_firewall(site: &Site, index: usize, link: Link, group_label: &str) -> ManagedFirewall {
    let device = &site.devices[index];
    let peer = site.devices.get(1 - index).map(|peer| peer.serial.clone());
    ManagedFirewall {
        serial: device.serial.clone(),
        name: device.name.clone(),
        address: device.address,
        family: device.class.family.clone(),
        model: device.model.clone(),
        version: if link == Link::Away {
            device.reported
        } else {
            device.version()
        },
        content: device.content,
        uptime: device.uptime(site.now()),
        ha: ha_state(site, index).zip(peer),
        link,
        group: device.labels.get(group_label).cloned(),
    }
}
