//! Which releases and steps an advisory is about, and what a device's facts make of it.

use crate::catalogue::Catalogue;
use crate::version::Version;
use crate::view::{FactsView, OpticSeen, Seen};

use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// An advisory from the keys of its row, read as an overlay would be.
fn advisory(keys: &str) -> Advisory {
    let row = format!(
        "[[advisory]]\nid = \"T-1\"\ntitle = \"t\"\n{keys}\nseverity = \"block\"\neffect = \"e\"\naction = \"a\"\n\
         source = \"s\"\nconfidence = \"low\"\n"
    );
    let catalogue = Catalogue::embedded().unwrap().overlaid(&[("mine.toml", &row)]);
    Advisory::clone(catalogue.unwrap().advisory("T-1").unwrap())
}

fn concerns(advisory: &Advisory, releases: &[&str]) -> Vec<Concern> {
    releases
        .iter()
        .map(|text| advisory.concern(version(text)))
        .collect()
}

#[test]
fn fix_points_alone_make_earlier_releases_affected_and_other_trains_suspect() {
    let advisory = advisory("kind = \"defect\"\nfixed_in = [\"10.1.11-h1\", \"10.2.7\"]");
    let found = concerns(
        &advisory,
        &["10.1.11", "10.1.11-h1", "10.1.12", "10.2.0", "10.2.7", "11.0.1"],
    );
    use Concern::{Affected, None, Suspect};
    assert_eq!(found, [Affected, None, None, Affected, None, Suspect]);
}

#[test]
fn where_the_vendor_names_the_affected_releases_no_other_is() {
    use Concern::{Affected, None, Suspect};
    let named = advisory("kind = \"defect\"\naffected = [\"11.0.4..11.0.5\", \"11.1.2\"]");
    assert_eq!(
        concerns(
            &named,
            &["11.0.3", "11.0.4", "11.0.4-h1", "11.0.5", "11.1.2", "11.1.2-h1"]
        ),
        [None, Affected, Affected, None, Affected, None]
    );
    let both = advisory("kind = \"defect\"\naffected = [\"10.1+\"]");
    assert_eq!(
        concerns(&both, &["10.0.5", "10.1.0", "12.1.5"]),
        [None, Affected, Affected]
    );
    let bounded =
        advisory("kind = \"defect\"\naffected = [\"10.1.0..11.1.0\"]\nfixed_in = [\"10.1.5\", \"10.2.3\"]");
    assert_eq!(
        concerns(
            &bounded,
            &["10.0.9", "10.1.4", "10.1.5", "10.2.2", "11.0.1", "11.1.0"]
        ),
        [None, Affected, None, Affected, Suspect, None]
    );
}

#[test]
fn a_condition_is_about_the_steps_it_names() {
    let up = advisory("kind = \"condition\"\nfrom = [\"10.1\"]\nto = [\"11.1+\"]");
    for (from, to, about) in [
        ("10.1.3", "11.1.5", true),
        ("10.1.3", "12.1.5", true),
        ("10.1.3", "11.0.5", false),
        ("10.2.3", "11.1.5", false),
    ] {
        assert_eq!(up.concerns_step(version(from), version(to)), about, "{from} {to}");
    }
    let down = advisory("kind = \"condition\"\nfrom = [\"12.1.2+\"]\nto = [\"11.2\"]\ndirection = \"down\"");
    assert!(down.concerns_step(version("12.1.5"), version("11.2.7")));
    assert!(!down.concerns_step(version("12.1.1"), version("11.2.7")));
    assert!(!up.concerns_step(version("11.1.5"), version("10.1.3")));
    assert!(
        advisory("kind = \"defect\"\nfixed_in = [\"10.1.5\"]")
            .concerns_step(version("10.2.3"), version("10.1.4"))
    );
}

/// What one module makes of one condition.
struct Module(OpticSeen);

impl FactsView for Module {
    fn flag(&self, _: &str) -> Seen<bool> {
        Seen::Known(true)
    }

    fn number(&self, _: &str) -> Seen<u64> {
        Seen::Known(100)
    }

    fn optics(&self, _: Version) -> Seen<Vec<OpticSeen>> {
        Seen::Known(vec![self.0.clone()])
    }
}

fn module(port: u32, class: &'static str, part: Option<&str>) -> Module {
    Module(OpticSeen {
        slot: 1,
        port,
        interface: format!("ethernet1/{port}"),
        class,
        media: Some("SFP-Fiber".to_owned()),
        part: part.map(str::to_owned),
        vendor: None,
    })
}

fn said(when: &str, module: &Module) -> String {
    let advisory = advisory(&format!("kind = \"condition\"\nwhen = [{when}]"));
    serde_json::to_string(&advisory.exposure(module, version("10.2.4"))).unwrap()
}

#[test]
fn a_module_exposes_clears_or_leaves_open() {
    let ports = "{ optics = { ports = [5, 6], classes = [\"unknown-vendor\"] } }";
    let parts = "{ optics = { parts = [\"PAN-SFP-SX\"] } }";
    let rows = [
        said(ports, &module(5, "unknown-vendor", Some("SFP-1G"))),
        said(ports, &module(7, "unknown-vendor", Some("SFP-1G"))),
        said(ports, &module(5, "allowed", Some("PAN-SFP-LX"))),
        said(ports, &module(5, "unreadable", None)),
        said(ports, &module(5, "empty", None)),
        said(ports, &module(7, "unreadable", None)),
        said(parts, &module(1, "allowed", Some("pan-sfp-sx "))),
        said(parts, &module(1, "allowed", None)),
        said(parts, &module(1, "allowed", Some("PAN-SFP-LX"))),
        said("{ optics = { media = [\"CAT5\"] } }", &module(1, "allowed", None)),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r#"
    {"exposed":{"evidence":["ethernet1/5 holds SFP-1G (unknown-vendor)"]}}
    {"clear":{"why":"no port holds such a module"}}
    {"clear":{"why":"no port holds such a module"}}
    {"unknown":{"missing":["what the module in ethernet1/5 is (it does not say)"]}}
    {"clear":{"why":"no port holds such a module"}}
    {"clear":{"why":"no port holds such a module"}}
    {"exposed":{"evidence":["ethernet1/1 holds pan-sfp-sx  (allowed)"]}}
    {"unknown":{"missing":["what the module in ethernet1/1 is (it does not say)"]}}
    {"clear":{"why":"no port holds such a module"}}
    {"clear":{"why":"no port holds such a module"}}
    "#);
}

#[test]
fn flags_and_numbers_say_what_was_seen() {
    let plain = module(1, "empty", None);
    let rows = [
        said("{ flag = \"ha\" }", &plain),
        said("{ not = \"ha\" }", &plain),
        said("{ number = \"memory-mb\", below = 101 }", &plain),
        said("{ number = \"memory-mb\", below = 100 }", &plain),
        said("{ number = \"memory-mb\", at_least = 100 }", &plain),
        said(
            "{ flag = \"ha\" }, { number = \"memory-mb\", at_least = 101 }",
            &plain,
        ),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r#"
    {"exposed":{"evidence":["high availability is on"]}}
    {"clear":{"why":"high availability is on"}}
    {"exposed":{"evidence":["memory-mb is 100, under 101"]}}
    {"clear":{"why":"memory-mb is 100, not under 100"}}
    {"exposed":{"evidence":["memory-mb is 100, at least 100"]}}
    {"clear":{"why":"memory-mb is 100, not at least 101"}}
    "#);
}

#[test]
fn one_no_outweighs_what_is_not_known_and_what_is_not_known_outweighs_a_yes() {
    let advisory =
        advisory("kind = \"condition\"\nwhen = [{ optics = {} }, { flag = \"ha\" }, { not = \"hsm\" }]");
    let module = module(5, "unreadable", None);
    assert!(
        matches!(
            advisory.exposure(&module, version("10.2.4")),
            Exposure::Clear { .. }
        ),
        "hsm is on"
    );
    let open = Advisory {
        when: advisory.when[..2].to_vec(),
        ..advisory.clone()
    };
    assert!(
        matches!(
            open.exposure(&module, version("10.2.4")),
            Exposure::Exposed { .. }
        ),
        "any module is meant"
    );
    insta::assert_snapshot!(serde_json::to_string(&advisory.unasked()).unwrap(), @r#"{"unknown":{"missing":["the modules in the ports (not asked)","whether high availability is on (not asked)","whether a hardware security module is configured (not asked)"]}}"#);
    let needs = advisory.needs();
    assert!(needs.optics && needs.numbers.is_empty());
    assert_eq!(needs.flags.into_iter().collect::<Vec<_>>(), ["ha", "hsm"]);
}

#[test]
fn every_shipped_advisory_can_matter() {
    let catalogue = Catalogue::embedded().unwrap();
    for advisory in catalogue.advisories() {
        let about = catalogue
            .models()
            .any(|model| advisory.concerns_model(model, catalogue.class(model).unwrap()));
        assert!(about, "{} is about no model", advisory.id);
        if advisory.kind == AdvisoryKind::Defect {
            let concerned = catalogue
                .releases()
                .any(|release| advisory.concern(release.version) != Concern::None);
            assert!(concerned, "{} is about no release", advisory.id);
        }
    }
}
