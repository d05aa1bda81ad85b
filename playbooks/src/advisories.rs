//! Advisories as findings: what the catalogue knows against a device's way, held against its facts.
//!
//! Responsible for: turning exposure into findings that make a gate, with acceptances that end. Must not know: how an
//! advisory is evaluated, that is `paths`, or who runs what.

use std::collections::BTreeSet;

use hopgate_paths::{Advisory, Catalogue, Concern, Exposure, FactsView, Version};
use jiff::Timestamp;

use crate::advisory_view::{area_of_flag, area_of_number};
use crate::facts::{FactArea, Facts};
use crate::finding::{Finding, Mode, Severity, Verdict};

/// Somebody's decision that an advisory does not hold a device for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Who decided.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
    /// The first instant at which it counts again.
    pub until: Timestamp,
}

/// One step of a device's way: the release before and the release after.
pub type Step = (Version, Version);

/// The areas of the facts that some advisories ask about.
pub fn areas<'a>(advisories: impl IntoIterator<Item = &'a Advisory>) -> BTreeSet<FactArea> {
    let mut areas = BTreeSet::new();
    for advisory in advisories {
        let needs = advisory.needs();
        if needs.optics {
            areas.insert(FactArea::Optics);
        }
        areas.extend(needs.flags.iter().map(|name| area_of_flag(name)));
        areas.extend(needs.numbers.iter().map(|name| area_of_number(name)));
    }
    areas
}

/// The advisories of the catalogue that are about some step of a model's way.
pub fn on_the_way<'c>(catalogue: &'c Catalogue, model: &str, steps: &[Step]) -> Vec<&'c Advisory> {
    let class = catalogue.class(model).unwrap_or_default();
    catalogue
        .advisories()
        .map(|advisory| &**advisory)
        .filter(|advisory| {
            advisory.concerns_model(model, class) && steps.iter().any(|step| is_about(advisory, *step))
        })
        .collect()
}

fn is_about(advisory: &Advisory, (from, to): Step) -> bool {
    advisory.concerns_step(from, to) && advisory.concern(to) != Concern::None
}

/// One finding for each advisory that is about some of `steps`, the worst of them deciding how bad it is.
///
/// Modules are judged by the list of `catalogue`, on the device's model, whatever they were judged to be in the facts. A
/// device that is exposed fails; one whose facts cannot tell is inconclusive, which holds a gate as well. `waiver`
/// gives the acceptance that covers the device at this moment, if there is one.
pub fn findings(
    catalogue: &Catalogue,
    model: &str,
    steps: &[Step],
    facts: &Facts,
    waiver: &dyn Fn(&str) -> Option<Waiver>,
) -> Vec<Finding> {
    on_the_way(catalogue, model, steps)
        .into_iter()
        .map(|advisory| {
            let (releases, exposure) = worst(advisory, steps, &facts.viewed(catalogue));
            finding(advisory, &releases, exposure, waiver)
        })
        .collect()
}

/// The worst answer of a device, and the releases that it is for: what is thought of a module goes by the release. Worst is
/// what holds: that it cannot be told on a release that is affected comes before an exposure on one that may be.
fn worst(advisory: &Advisory, steps: &[Step], view: &dyn FactsView) -> (BTreeSet<Version>, Exposure) {
    let told = |exposure: &Exposure| match exposure {
        Exposure::Exposed { .. } => 2,
        Exposure::Unknown { .. } => 1,
        Exposure::Clear { .. } => 0,
    };
    let holds =
        |to: Version, exposure: &Exposure| told(exposure) > 0 && severity(advisory, [to]) == Severity::Block;
    let answers: Vec<(Version, Exposure)> = steps
        .iter()
        .filter_map(|(from, to)| Some((*to, advisory.assess(*from, *to, Some(view))?)))
        .collect();
    // Of several, the first release.
    let worst = answers
        .iter()
        .rev()
        .max_by_key(|(to, exposure)| (holds(*to, exposure), told(exposure)));
    let Some((_, worst)) = worst else {
        return (BTreeSet::new(), advisory.unasked());
    };
    let same = answers
        .iter()
        .filter(|(_, exposure)| told(exposure) == told(worst));
    (same.map(|(to, _)| *to).collect(), worst.clone())
}

/// How bad it is on these releases: where none of them is known to be affected it is a warning.
fn severity(advisory: &Advisory, releases: impl IntoIterator<Item = Version>) -> Severity {
    match advisory.severity {
        hopgate_paths::Severity::Block if is_affected(advisory, releases) => Severity::Block,
        hopgate_paths::Severity::Block | hopgate_paths::Severity::Warn => Severity::Warn,
    }
}

fn is_affected(advisory: &Advisory, releases: impl IntoIterator<Item = Version>) -> bool {
    let mut releases = releases.into_iter();
    releases.any(|release| advisory.concern(release) == Concern::Affected)
}

fn finding(
    advisory: &Advisory,
    releases: &BTreeSet<Version>,
    exposure: Exposure,
    waiver: &dyn Fn(&str) -> Option<Waiver>,
) -> Finding {
    let severity = severity(advisory, releases.iter().copied());
    let named: Vec<_> = releases.iter().map(Version::to_string).collect();
    let on = named.join(", ");
    let (verdict, seen) = match exposure {
        Exposure::Clear { why } => (Verdict::Pass, why),
        Exposure::Exposed { evidence } => (Verdict::Fail, evidence.join("; ")),
        Exposure::Unknown { missing } => {
            let missing = missing.join("; ");
            (
                Verdict::Inconclusive {
                    missing: missing.clone(),
                },
                missing,
            )
        }
    };
    let verdict = match (verdict, waiver(&advisory.id)) {
        (Verdict::Pass, _) => Verdict::Pass,
        (_, Some(Waiver { by, reason, until })) => Verdict::Waived { by, reason, until },
        (other, None) => other,
    };
    let seen = if seen.is_empty() {
        String::new()
    } else {
        format!(" Here {seen}.")
    };
    let sure = if is_affected(advisory, releases.iter().copied()) {
        ""
    } else {
        " No fix is listed for this feature release, so it may be affected."
    };
    Finding {
        check: advisory.id.as_str().into(),
        title: advisory.title.as_str().into(),
        subject: Some(on.clone()),
        verdict,
        severity,
        mode: Mode::Enforce,
        message: format!(
            "{} (on {on}). {}{seen}{sure} Source: {}.",
            advisory.title, advisory.effect, advisory.sourced.source
        )
        .into(),
        remedy: Some(advisory.action.as_str().into()),
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::Fact;
    use crate::read_module;

    const OURS: &str = "[[module]]\npart = \"X-1\"\nverdict = \"allowed\"\nmodels = [\"PA-850\"]\nreleases = [\"10.2+\"]\n\
        source = \"a test\"\nconfidence = \"low\"\n";

    /// What is said of PAN-221190 for a PA-850 with such a module in port 5, on a way from 10.1.3.
    fn said(rows: &str, part: &str, way: &[&str]) -> String {
        said_of(rows, &[(5, Some(part))], way)
    }

    fn said_of(rows: &str, modules: &[(u32, Option<&str>)], way: &[&str]) -> String {
        let catalogue = Catalogue::embedded()
            .unwrap()
            .overlaid(&[("ours.toml", rows)])
            .unwrap();
        let mut facts = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
        let system = json!({"hostname": "fw1", "model": "PA-850", "serial": "1", "sw_version": "10.1.3",
            "app_version": "8676-7858", "uptime_seconds": 1, "operational_mode": null, "multi_vsys": false});
        facts.system = Fact::Known(serde_json::from_value(system).unwrap());
        let owned = |text: &str| Some(text.to_owned());
        let module = |(port, part): &(u32, Option<&str>)| {
            let vendor = part.and_then(|_| owned("FS"));
            read_module(
                (1, *port),
                "SFP-Fiber".to_owned(),
                vendor,
                part.and_then(owned),
                None,
            )
        };
        facts.optics = Fact::Known(modules.iter().map(module).collect());
        let stops: Vec<Version> = ["10.1.3"]
            .iter()
            .chain(way)
            .map(|stop| stop.parse().unwrap())
            .collect();
        let steps: Vec<Step> = stops.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let findings = findings(&catalogue, "PA-850", &steps, &facts, &|_| None);
        let found = findings
            .iter()
            .find(|found| &*found.check == "PAN-221190")
            .unwrap();
        let subject = found.subject.as_deref().unwrap_or_default();
        let verdict = match found.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive { .. } => "cannot tell",
            _ => "other",
        };
        format!("{verdict} {:?} on {subject}", found.severity)
    }

    #[test]
    fn modules_are_judged_on_every_release_of_the_way_and_the_worst_decides() {
        let way = ["10.1.10", "10.2.4", "11.1.5"];
        let table = [
            said("", "X-1", &way),
            said(OURS, "X-1", &way),
            said(OURS, "X-1", &["10.2.4", "11.1.5"]),
            said(
                &OURS.replace("10.2+", "10.1.0..11.0.0"),
                "X-1",
                &["10.2.4", "11.1.5"],
            ),
            said("", "PAN-SFP-SX", &way),
            // Port 5 cannot be judged on a release that is affected; port 6 may loop on one that may be.
            said_of(
                &OURS.replace("10.2+", "10.1.0..11.0.0"),
                &[(5, None), (6, Some("X-1"))],
                &["10.2.4", "11.1.5"],
            ),
        ];
        insta::assert_snapshot!(table.join("\n"), @r"
        fail Block on 10.1.10, 10.2.4, 11.1.5
        fail Block on 10.1.10
        pass Block on 10.2.4, 11.1.5
        fail Warn on 11.1.5
        pass Block on 10.1.10, 10.2.4, 11.1.5
        cannot tell Block on 10.2.4
        ");
    }
}
