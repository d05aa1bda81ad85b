//! From stations to hops: what a plan stores of each, and what an operator wants to know besides.
//!
//! Responsible for: images, content, gates, minutes, the way back and the sources of each hop. Must not know: how the
//! stations were found.

use super::notes::{self, TrainNotes};
use super::question::Question;
use crate::advisory::Exposure;
use crate::catalogue::{Base, Watch};
use crate::plan::{Cost, Doubt, GateNote, HopPlan, Image, PathPlan, SourceNote, WayBack};
use crate::route::{Hop, HopKind, HopTimes, NoRoute, Route};
use crate::rules::Leg;
use crate::version::Version;

/// How many known releases an unknown one is answered with.
const RELEASES_SUGGESTED: usize = 3;

impl Question<'_, '_> {
    /// The hops between the stations, as a plan stores them.
    pub(super) fn route(&self, stations: &[Version]) -> Result<Route, NoRoute> {
        let legs = stations.windows(2).map(|pair| self.leg(pair[0], pair[1]));
        Ok(Route {
            model: self.graph.model.clone(),
            from: self.request.from,
            to: self.to,
            hops: legs.map(|leg| self.hop(leg)).collect::<Result<_, _>>()?,
        })
    }

    /// The path through the stations with everything that belongs to it.
    pub(super) fn plan(&self, stations: &[Version]) -> Result<PathPlan, NoRoute> {
        let route = self.route(stations)?;
        let hops: Vec<_> = route.hops.iter().map(|hop| self.hop_plan(hop)).collect();
        let cost = hops.iter().fold(Cost::default(), |sum, hop| sum + hop.cost);
        Ok(PathPlan {
            route,
            hops,
            cost,
            doubts: self.doubts(),
        })
    }

    fn hop(&self, leg: Leg) -> Result<Hop, NoRoute> {
        let row = self.graph.installable(leg.to)?;
        let broken_rules = self.ground(leg).told_all(leg);
        let same_train = leg.from.train() == leg.to.train();
        let kind = match (broken_rules.is_empty(), same_train, leg.is_down()) {
            (false, _, _) => HopKind::Pinned,
            (true, true, false) => HopKind::Maintenance,
            (true, false, false) => HopKind::Feature,
            (true, true, true) => HopKind::MaintenanceDowngrade,
            (true, false, true) => HopKind::FeatureDowngrade,
        };
        let downloads = match self.base(row.train) {
            Base::Known(base) if base == leg.to => vec![leg.to],
            Base::Known(base) => vec![base, leg.to],
            // Within a train its base has been loaded before: the device runs an image that needed it.
            Base::ReadFromDevice if same_train => vec![leg.to],
            Base::ReadFromDevice => {
                return Err(NoRoute::BaseUnknown {
                    version: leg.to,
                    source_row: row.sourced.source.clone(),
                });
            }
        };
        let catalogue = self.graph.catalogue;
        Ok(Hop {
            from: leg.from,
            to: leg.to,
            kind,
            downloads,
            minimum_content: catalogue.minimum_content(row.train).map(|content| content.value),
            broken_rules,
            times: times(self.graph.watch),
            chassis_ready: self.graph.watch.chassis_ready,
            feature_releases_apart: catalogue.trains_apart(leg.from.train(), row.train).unwrap_or(0),
        })
    }

    fn hop_plan(&self, hop: &Hop) -> HopPlan {
        let images: Vec<_> = hop.downloads.iter().map(|image| self.image(*image)).collect();
        let disk_needed_mb = disk_needed(&images);
        let broken = u32::try_from(hop.broken_rules.len()).unwrap_or(u32::MAX);
        let train = hop.to.train();
        let notes = self.graph.notes.get(&train);
        let advisories = self.assessed(hop.from, hop.to);
        let mut gates = notes.map(|notes| notes.gates.clone()).unwrap_or_default();
        gates.push(notes::disk(disk_needed_mb));
        if hop.feature_releases_apart >= 2 {
            gates.push(notes::pair_gate(hop.feature_releases_apart));
        }
        let open = advisories.iter().filter(|assessed| !assessed.accepted);
        gates.extend(open.filter_map(|assessed| match &*assessed.exposure {
            Exposure::Unknown { missing } => Some(GateNote {
                id: assessed.advisory.id.as_str().into(),
                text: format!("{}. Not known: {}.", assessed.advisory.title, missing.join("; ")).into(),
                source: assessed.advisory.sourced.source.as_str().into(),
            }),
            Exposure::Exposed { .. } | Exposure::Clear { .. } => None,
        }));
        HopPlan {
            hop: hop.clone(),
            images,
            content: self.graph.catalogue.minimum_content(train).cloned(),
            gates,
            disk_needed_mb,
            expected_min: hop.expected_minutes(),
            worst_min: hop.times.install_worst_min + hop.times.reboot_fail_min,
            way_back: way_back(hop),
            ha_rule: notes::ha_rule(hop.from.train(), hop.feature_releases_apart).into(),
            configuration: configuration(hop),
            advisories,
            sources: self.sources(hop, notes),
            cost: self.priced(hop.from, hop.to, broken).cost(),
        }
    }

    fn image(&self, version: Version) -> Image {
        let offer = self.offer(version);
        Image {
            version,
            base: self.base(version.train()) == Base::Known(version),
            on_disk: offer.is_some_and(|offer| offer.downloaded),
            size_mb: offer.and_then(|offer| offer.size_mb),
        }
    }

    fn sources(&self, hop: &Hop, notes: Option<&TrainNotes>) -> Vec<SourceNote> {
        let mut sources = Vec::new();
        let (leaves, enters) = (hop.from.train(), hop.to.train());
        let leg = self.leg(hop.from, hop.to);
        if leaves != enters {
            let reach = if leg.is_down() {
                self.ground(leg).reach(enters, leaves)
            } else {
                self.ground(leg).reach(leaves, enters)
            };
            if let Some(reach) = reach {
                let what = if leg.is_down() {
                    format!("{enters} may be upgraded directly to {leaves}, and downgraded the same way")
                } else {
                    format!("{leaves} may be upgraded directly to {enters}")
                };
                sources.push(notes::source(what, &reach.sourced));
            }
        }
        if let Some(release) = self.graph.catalogue.release(hop.to) {
            let what = if release.preferred {
                "is a preferred release"
            } else {
                "exists"
            };
            sources.push(notes::source(format!("{} {what}", hop.to), &release.sourced));
        }
        sources.extend(notes.into_iter().flat_map(|notes| notes.sources.iter().cloned()));
        sources
    }

    /// What may be a slip of the pen: releases of no list. What the device offers or runs by its own word is none.
    fn doubts(&self) -> Vec<Doubt> {
        let catalogue = self.graph.catalogue;
        let mut asked = vec![self.request.from];
        asked.extend(self.request.via);
        asked.push(self.to);
        let mut doubts: Vec<Doubt> = Vec::new();
        for version in asked {
            let told = self.lists(version.train())
                || (version == self.request.from
                    && (self.request.offered.is_some() || self.request.view.is_some()));
            if told || catalogue.knows(version) || doubts.iter().any(|doubt| doubt.version == version) {
                continue;
            }
            let nearest = catalogue.nearest_releases(version, RELEASES_SUGGESTED);
            let names: Vec<_> = nearest.iter().map(Version::to_string).collect();
            let known = if names.is_empty() {
                format!("no release of {} is", version.train())
            } else {
                format!("the nearest known are {}", names.join(", "))
            };
            doubts.push(Doubt {
                version,
                text: format!("{version} is not in the catalogue; {known}"),
                nearest,
            });
        }
        doubts
    }
}

/// Free MB the missing images need, with the tenth on top that the vendor's own readiness check adds; `None` where the
/// size of a missing one is not known.
fn disk_needed(images: &[Image]) -> Option<u64> {
    let missing = images.iter().filter(|image| !image.on_disk);
    let sizes: Option<Vec<u64>> = missing.map(|image| image.size_mb).collect();
    let missing_mb: u64 = sizes?.into_iter().fold(0, u64::saturating_add);
    Some(missing_mb.saturating_add(missing_mb.div_ceil(10)))
}

fn way_back(hop: &Hop) -> WayBack {
    WayBack {
        to: hop.from,
        text: format!(
            "debug swm revert and a restart boot {} from the other partition, with its configuration of before the hop. It leads one hop back: the next install overwrites it.",
            hop.from
        ),
        lost: "Everything committed after the hop.",
    }
}

/// The configuration a downgrade to an older feature release needs.
fn configuration(hop: &Hop) -> Option<String> {
    (hop.to < hop.from && hop.to.train() < hop.from.train()).then(|| {
        format!(
            "Install {to} with the configuration saved when {train} was left (autosave-{to} or the nearest there is); what was changed since is lost. Where {to} is still on the other partition, reverting to it is safer.",
            to = hop.to,
            train = hop.to.train(),
        )
    })
}

fn times(watch: &Watch) -> HopTimes {
    HopTimes {
        install_expected_min: watch.install_expected_min,
        install_worst_min: watch.install_worst_min,
        reboot_expected_min: watch.reboot_expected_min + watch.auto_commit_expected_min,
        reboot_warn_min: watch.watchdog_warn_min,
        reboot_fail_min: watch.watchdog_fail_min,
    }
}
