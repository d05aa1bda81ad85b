//! Facts as advisories ask for them.
//!
//! Responsible for: answering the names of the advisories' vocabulary from the areas of the facts. Must not know: any
//! advisory, or how a fact was read.

use hopgate_paths::{Catalogue, FactsView, OpticSeen, Seen, Version};

use crate::facts::{Fact, FactArea, Facts};
use crate::optics::seat;

/// The facts of one device, and the catalogue by which its modules are judged.
#[derive(Clone, Copy, Debug)]
pub struct Viewed<'a> {
    facts: &'a Facts,
    catalogue: &'a Catalogue,
}

impl Facts {
    /// As advisories of this catalogue ask for them.
    pub fn viewed<'a>(&'a self, catalogue: &'a Catalogue) -> Viewed<'a> {
        Viewed {
            facts: self,
            catalogue,
        }
    }
}

impl FactsView for Viewed<'_> {
    /// From the area that holds it, where that was read by itself; else from the features. So a reading of the few
    /// areas that every hop needs answers what it can.
    fn flag(&self, name: &str) -> Seen<bool> {
        let own = match name {
            "ha" => self.facts.ha.known().map(|ha| ha.enabled),
            "active-active" => self
                .facts
                .ha
                .known()
                .map(|ha| ha.mode.as_deref() == Some("Active-Active")),
            "multi-vsys" => self.facts.system.known().map(|system| system.multi_vsys),
            "update-server-unreachable" => self.facts.update_server.known().map(|server| !server.reachable),
            "panorama-managed" => self.facts.panorama.known().map(|link| !link.servers.is_empty()),
            _ => None,
        };
        match (own, &self.facts.features) {
            (Some(known), _) => Seen::Known(known),
            (None, Fact::Known(features)) => seen(name, features.flags.get(name)),
            (None, Fact::Unknown(reason)) => Seen::Unknown(format!("features: {reason}")),
        }
    }

    fn number(&self, name: &str) -> Seen<u64> {
        let content = || {
            let (number, _) = self.facts.system.known()?.app_version.split_once('-')?;
            number.parse().ok()
        };
        let own = if name == "content" { content() } else { None };
        match (own, &self.facts.features) {
            (Some(known), _) => Seen::Known(known),
            (None, Fact::Known(features)) => seen(name, features.numbers.get(name)),
            (None, Fact::Unknown(reason)) => Seen::Unknown(format!("features: {reason}")),
        }
    }

    fn optics(&self, with: Version) -> Seen<Vec<OpticSeen>> {
        let seat = seat(&self.facts.system, self.catalogue, Some(with));
        match &self.facts.optics {
            Fact::Unknown(reason) => Seen::Unknown(format!("optics: {reason}")),
            Fact::Known(ports) => Seen::Known(
                ports
                    .iter()
                    .map(|port| OpticSeen {
                        slot: port.slot,
                        port: port.port,
                        interface: port.interface.clone(),
                        class: port.judged(self.catalogue, &seat).class.name(),
                        media: (!port.media.is_empty()).then(|| port.media.clone()),
                        part: port.part.clone(),
                        vendor: port.vendor.clone(),
                    })
                    .collect(),
            ),
        }
    }
}

/// The area that answers a flag.
pub(crate) fn area_of_flag(name: &str) -> FactArea {
    match name {
        "ha" | "active-active" => FactArea::Ha,
        "multi-vsys" => FactArea::System,
        "panorama-managed" => FactArea::Panorama,
        "update-server-unreachable" => FactArea::UpdateServer,
        _ => FactArea::Features,
    }
}

/// The area that answers a number.
pub(crate) fn area_of_number(name: &str) -> FactArea {
    match name {
        "content" => FactArea::System,
        _ => FactArea::Features,
    }
}

/// A name that facts of an older reading do not hold is unknown, and never a no.
fn seen<T: Copy>(name: &str, fact: Option<&Fact<T>>) -> Seen<T> {
    match fact {
        Some(Fact::Known(value)) => Seen::Known(*value),
        Some(Fact::Unknown(reason)) => Seen::Unknown(reason.clone()),
        None => Seen::Unknown(format!("{name} was not asked for when the facts were read")),
    }
}

#[cfg(test)]
mod tests {
    use hopgate_paths::OpticClass;
    use jiff::Timestamp;

    use super::*;
    use crate::facts::{Features, Ha, HaMember, PanoramaLink, System};

    fn by_shipped(facts: &Facts) -> Viewed<'_> {
        facts.viewed(Catalogue::embedded().unwrap())
    }

    fn unread() -> Facts {
        Facts::unread("fw1", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_was_not_read_is_unknown_with_the_reason() {
        let facts = unread();
        assert_eq!(
            by_shipped(&facts).flag("ha"),
            Seen::Unknown("features: not asked".to_owned())
        );
        assert_eq!(
            by_shipped(&facts).number("content"),
            Seen::Unknown("features: not asked".to_owned())
        );
        assert_eq!(
            by_shipped(&facts).optics("10.2.4".parse().unwrap()),
            Seen::Unknown("optics: not asked".to_owned())
        );
        let facts = Facts {
            features: Fact::Known(Features::default()),
            ..facts
        };
        assert_eq!(
            by_shipped(&facts).flag("ospf"),
            Seen::Unknown("ospf was not asked for when the facts were read".to_owned())
        );
    }

    #[test]
    fn features_answer_under_their_names() {
        let mut features = Features::default();
        features.flags.insert("ospf".to_owned(), Fact::Known(true));
        features
            .flags
            .insert("nat".to_owned(), Fact::Unknown("no configuration".to_owned()));
        features.numbers.insert("memory-mb".to_owned(), Fact::Known(7900));
        let facts = Facts {
            features: Fact::Known(features),
            ..unread()
        };
        assert_eq!(by_shipped(&facts).flag("ospf"), Seen::Known(true));
        assert_eq!(
            by_shipped(&facts).flag("nat"),
            Seen::Unknown("no configuration".to_owned())
        );
        assert_eq!(by_shipped(&facts).number("memory-mb"), Seen::Known(7900));
    }

    #[test]
    fn areas_that_were_read_by_themselves_answer_without_the_features() {
        let member = HaMember {
            state: "active".to_owned(),
            reason: None,
            build: None,
            state_sync: None,
            address: None,
        };
        let facts = Facts {
            ha: Fact::Known(Ha {
                enabled: true,
                mode: Some("Active-Active".to_owned()),
                local: member,
                peer: None,
                running_sync: None,
                running_sync_enabled: Some(true),
                preemptive: Some(false),
            }),
            system: Fact::Known(System {
                hostname: "fw1".to_owned(),
                model: "PA-850".to_owned(),
                serial: "1".to_owned(),
                sw_version: "10.1.14".parse().unwrap(),
                app_version: "8676-7858".to_owned(),
                uptime_seconds: 1,
                operational_mode: None,
                multi_vsys: true,
            }),
            panorama: Fact::Known(PanoramaLink { servers: Vec::new() }),
            ..unread()
        };
        assert_eq!(by_shipped(&facts).flag("ha"), Seen::Known(true));
        assert_eq!(by_shipped(&facts).flag("active-active"), Seen::Known(true));
        assert_eq!(by_shipped(&facts).flag("multi-vsys"), Seen::Known(true));
        assert_eq!(by_shipped(&facts).flag("panorama-managed"), Seen::Known(false));
        assert_eq!(by_shipped(&facts).number("content"), Seen::Known(8676));
    }

    #[test]
    fn ports_are_seen_as_the_list_has_them_with_the_release_that_is_asked_for() {
        let rows = "[[module]]\npart = \"X-1\"\nverdict = \"known-bad\"\nreleases = [\"11.0+\"]\neffect = \"e\"\n\
            source = \"s\"\nconfidence = \"low\"\n";
        let catalogue = Catalogue::embedded()
            .unwrap()
            .overlaid(&[("ours.toml", rows)])
            .unwrap();
        let table = [
            ("SFP-Empty", None, "empty", "empty"),
            ("CAT5", None, "fixed", "fixed"),
            ("SFP-Fiber", Some("PAN-SFP-SX"), "allowed", "allowed"),
            ("SFP-Fiber", Some("X-1"), "unknown-vendor", "known-bad"),
            ("SFP-Fiber", None, "unreadable", "unreadable"),
            ("", Some("X-2"), "unknown-vendor", "unknown-vendor"),
        ];
        for (media, part, before, after) in table {
            let owned = |text: &str| Some(text.to_owned());
            let mut optic = crate::read_module(
                (1, 5),
                media.to_owned(),
                owned("FS"),
                part.map(str::to_owned),
                None,
            );
            // What was thought of it once does not count.
            optic.class = OpticClass::Allowed;
            let facts = Facts {
                optics: Fact::Known(vec![optic]),
                ..unread()
            };
            for (with, class) in [("10.2.4", before), ("11.0.1", after)] {
                let Seen::Known(seen) = facts.viewed(&catalogue).optics(with.parse().unwrap()) else {
                    panic!("known optics are seen");
                };
                assert_eq!(
                    (seen[0].port, seen[0].class),
                    (5, class),
                    "{media} {part:?} with {with}"
                );
                assert_eq!(
                    (seen[0].media.as_deref(), seen[0].part.as_deref()),
                    ((!media.is_empty()).then_some(media), part)
                );
            }
        }
    }
}
