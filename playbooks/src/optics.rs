//! Modules as facts: what was read of one, and what the catalogue's list makes of it.
//!
//! Responsible for: that every module of a device is judged by one list, on its model and for one release. Must not know:
//! the list, or the defects that a module sets off.

use hopgate_paths::{Catalogue, Judged, ModuleSeen, OpticClass, Seat, Version};

use crate::facts::{Fact, Facts, Optic, System};

impl Optic {
    fn seen(&self) -> ModuleSeen<'_> {
        ModuleSeen {
            port: self.port,
            media: &self.media,
            vendor: self.vendor.as_deref(),
            part: self.part.as_deref(),
        }
    }

    /// What a catalogue's list makes of it. Nobody else asks the list.
    pub(crate) fn judged(&self, catalogue: &Catalogue, seat: &Seat<'_>) -> Judged {
        catalogue.modules().judge(&self.seen(), seat)
    }

    fn judge(&mut self, catalogue: &Catalogue, seat: &Seat<'_>) {
        let Judged { class, why } = self.judged(catalogue, seat);
        (self.class, self.why) = (class, why);
    }
}

/// A port that was read, as far as can be told of it by itself: what the shipped list says of its module whatever the
/// model and the release. [`Facts::judge_modules`] says the rest.
pub fn read_module(
    (slot, port): (u32, u32),
    media: String,
    vendor: Option<String>,
    part: Option<String>,
    serial: Option<String>,
) -> Optic {
    let mut optic = Optic {
        slot,
        port,
        interface: format!("ethernet{slot}/{port}"),
        media,
        vendor,
        part,
        serial,
        class: OpticClass::Unreadable,
        why: None,
    };
    // The shipped catalogue is held to be readable by a test; were it not, nothing could be vouched for.
    if let Ok(catalogue) = Catalogue::embedded() {
        optic.judge(catalogue, &catalogue.seat(None, None));
    }
    optic
}

impl Facts {
    /// Says what to think of every module by this catalogue: on the device's model, for the release that a hop leads to,
    /// or for the one that runs. To be called once all that is wanted was read, before anybody looks at it.
    pub fn judge_modules(&mut self, catalogue: &Catalogue, hop_to: Option<Version>) {
        let running = self.system.known().map(|system| system.sw_version);
        let seat = seat(&self.system, catalogue, hop_to.or(running));
        if let Fact::Known(optics) = &mut self.optics {
            for optic in optics {
                optic.judge(catalogue, &seat);
            }
        }
    }
}

/// What the modules of a device sit in, with a release.
pub(crate) fn seat<'a>(
    system: &'a Fact<System>,
    catalogue: &'a Catalogue,
    release: Option<Version>,
) -> Seat<'a> {
    let model = system.known().map(|system| system.model.as_str());
    catalogue.seat(model, release)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn facts(model: Option<&str>) -> Facts {
        let module = |port, part: &str| {
            read_module(
                (1, port),
                "SFP-Fiber".to_owned(),
                Some("FS".to_owned()),
                Some(part.to_owned()),
                None,
            )
        };
        let mut facts = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
        facts.optics = Fact::Known(vec![
            module(5, "PAN-SFP-SX"),
            module(6, "S28-25G-LR"),
            module(7, "FS-1G"),
        ]);
        if let Some(model) = model {
            let system = json!({"hostname": "fw1", "model": model, "serial": "1", "sw_version": "10.2.3",
                "app_version": "8676-7858", "uptime_seconds": 1, "operational_mode": null, "multi_vsys": false});
            facts.system = Fact::Known(serde_json::from_value(system).unwrap());
        }
        facts
    }

    fn told(facts: &Facts) -> String {
        let optics = facts.optics.known().unwrap().iter();
        let told = optics.map(|optic| match &optic.why {
            Some(why) => format!("{}: {why}", optic.class.name()),
            None => optic.class.name().to_owned(),
        });
        told.collect::<Vec<_>>().join("\n")
    }

    const OURS: &str = "[[module]]\npart = \"FS-1G\"\nverdict = \"known-bad\"\nmodels = [\"PA-5410\"]\nreleases = [\"11.1+\"]\n\
        effect = \"It restarts the card.\"\nsource = \"our case\"\nconfidence = \"high\"\n";

    #[test]
    fn a_module_is_judged_for_the_release_of_the_hop_and_else_for_the_one_that_runs() {
        let catalogue = Catalogue::embedded()
            .unwrap()
            .overlaid(&[("ours.toml", OURS)])
            .unwrap();
        let mut read = facts(Some("PA-5410"));
        insta::assert_snapshot!(told(&read), @r"
        allowed
        unknown-vendor: whether it is allowed depends on the model, which is not known
        unknown-vendor
        ");
        read.judge_modules(&catalogue, None);
        insta::assert_snapshot!(told(&read), @r"
        allowed
        allowed
        unknown-vendor
        ");
        read.judge_modules(&catalogue, Some("11.1.6".parse().unwrap()));
        insta::assert_snapshot!(told(&read), @r"
        allowed
        allowed
        known-bad: It restarts the card.
        ");
        // By another list, and on another model, nothing of that is left.
        read.judge_modules(Catalogue::embedded().unwrap(), Some("11.1.6".parse().unwrap()));
        insta::assert_snapshot!(told(&read), @r"
        allowed
        allowed
        unknown-vendor
        ");
        let mut nameless = facts(None);
        nameless.judge_modules(&catalogue, Some("11.1.6".parse().unwrap()));
        insta::assert_snapshot!(told(&nameless), @r"
        allowed
        unknown-vendor: whether it is allowed depends on the model, which is not known
        unknown-vendor: whether it does harm depends on the model, which is not known
        ");
    }

    #[test]
    fn what_could_not_be_read_stays_unknown() {
        let mut unread = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
        unread.judge_modules(Catalogue::embedded().unwrap(), None);
        assert_eq!(unread.optics.unknown(), Some("not asked"));
    }

    #[test]
    fn modules_that_were_stored_without_a_reason_are_read() {
        let stored = json!({"slot": 1, "port": 5, "interface": "ethernet1/5", "media": "SFP-Fiber", "vendor": "FS",
            "part": "FS-1G", "serial": null, "class": "unknown_vendor"});
        let read: Optic = serde_json::from_value(stored).unwrap();
        assert_eq!((read.class, read.why), (OpticClass::UnknownVendor, None));
    }
}
