//! Waivers: what somebody decided not to count, for some devices and until some day.
//!
//! A waiver changes how a finding is told and never whether it is made; one that has ended is told beside the finding that
//! it covered.

use std::collections::BTreeSet;
use std::path::Path;

use hopgate_core::names::{DeviceId, Identity};
use hopgate_paths::nearest_names;
use hopgate_playbooks::{System, Verdict};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Answer;
use crate::config::campaign::end_of;
use crate::config::inventory::{Entry, Inventory};
use crate::config::selector::{Meant, Selection, Selector};
use crate::config::{ConfigError, meaning, read};

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    waivers: Vec<WaiverText>,
}

/// One waiver as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaiverText {
    /// A check, by itself or with its playbook before it: `PAN-221190`, `optics/PAN-221190`.
    check: String,
    /// The devices by name.
    #[serde(default)]
    devices: Vec<DeviceId>,
    /// Or the devices by what they are.
    group: Option<String>,
    /// The last day on which it holds, in UTC; or an instant.
    until: String,
    /// Who decided it.
    by: Identity,
    /// Why.
    reason: String,
}

/// All waivers of an audit.
#[derive(Debug, Default)]
pub struct Waivers(Vec<Waiver>);

#[derive(Debug)]
struct Waiver {
    check: String,
    covers: Covers,
    until: Timestamp,
    by: Identity,
    reason: String,
}

#[derive(Debug)]
enum Covers {
    Devices(BTreeSet<DeviceId>),
    Group(Selection),
}

impl Waivers {
    /// Reads and checks a file of waivers, for the devices of an inventory.
    pub fn load(path: &Path, inventory: &Inventory) -> Result<Waivers, ConfigError> {
        let check = |file: &File| checked(path, file, inventory).map(|_| ());
        let file: File = read(path, check)?;
        checked(path, &file, inventory).map(Waivers)
    }

    /// Marks a finding that did not pass as waived, where a waiver covers it; or with the waiver that has ended.
    pub(super) fn apply(&self, entry: &Entry, system: Option<&System>, answer: &mut Answer, now: Timestamp) {
        if matches!(answer.finding.verdict, Verdict::Pass | Verdict::Waived { .. }) {
            return;
        }
        let covering = self
            .0
            .iter()
            .filter(|waiver| waiver.is_about(answer) && waiver.covers.has(entry, system));
        // The one that lasts longest: an older one must not hide that a newer one was made.
        let Some(waiver) = covering.max_by_key(|waiver| waiver.until) else {
            return;
        };
        let (by, reason, until) = (waiver.by.to_string(), waiver.reason.clone(), waiver.until);
        if now < until {
            answer.finding.verdict = Verdict::Waived { by, reason, until };
        } else {
            answer.lapsed = Some(format!("the waiver of {by} ended {until:.0}: {reason}"));
        }
    }
}

impl Waiver {
    fn is_about(&self, answer: &Answer) -> bool {
        self.check == *answer.finding.check || self.check == answer.check()
    }
}

impl Covers {
    /// A device that did not say what it is is covered by a group only where the inventory alone decides.
    fn has(&self, entry: &Entry, system: Option<&System>) -> bool {
        match (self, system) {
            (Covers::Devices(names), _) => names.contains(&entry.name),
            (Covers::Group(group), Some(system)) => group.of_device(entry, system),
            (Covers::Group(group), None) => group.of_entry(entry) == Meant::Yes,
        }
    }
}

fn checked(path: &Path, file: &File, inventory: &Inventory) -> Result<Vec<Waiver>, ConfigError> {
    let waivers = file.waivers.iter().enumerate();
    waivers
        .map(|(index, text)| {
            let key = |field: &str| format!("waivers[{index}].{field}");
            if text.check.trim().is_empty() {
                return Err(meaning(path, key("check"), "name the check that it is about"));
            }
            if text.reason.trim().is_empty() {
                return Err(meaning(path, key("reason"), "a waiver needs a reason"));
            }
            Ok(Waiver {
                check: text.check.clone(),
                covers: covers(path, text, inventory, &key)?,
                until: end_of(path, &key("until"), &text.until, TimeZone::UTC)?,
                by: text.by.clone(),
                reason: text.reason.trim().to_owned(),
            })
        })
        .collect()
}

fn covers(
    path: &Path,
    text: &WaiverText,
    inventory: &Inventory,
    key: &dyn Fn(&str) -> String,
) -> Result<Covers, ConfigError> {
    let group = match (&text.group, text.devices.is_empty()) {
        (Some(group), true) => group,
        (None, false) => {
            if let Some(stray) = text.devices.iter().find(|name| inventory.entry(name).is_none()) {
                let known = inventory.devices.iter().map(|entry| entry.name.as_str());
                let nearest = nearest_names(stray.as_str(), known, 1).join(", ");
                let told = format!("{stray} is not in the inventory; the nearest is {nearest}");
                return Err(meaning(path, key("devices"), told));
            }
            return Ok(Covers::Devices(text.devices.iter().cloned().collect()));
        }
        _ => {
            let told = "name the devices, or a group, and not both: there is no way to waive it for all";
            return Err(meaning(path, key("devices"), told));
        }
    };
    let parsed: Result<Selector, _> = group.parse();
    let wrong = |error: &dyn std::error::Error| meaning(path, key("group"), error.to_string());
    let resolved = parsed.and_then(|selector| selector.resolved(inventory));
    resolved.map(Covers::Group).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
waivers:
  - {check: optics/PAN-221190, devices: [vie1], until: 2026-12-24, by: petra, reason: modules are swapped on Friday}
  - {check: disk-space, group: 'customer=acme,model~PA-8*', until: 2026-03-01, by: olga, reason: too small anyway}
";

    fn inventory() -> Inventory {
        let text = "\
defaults:
  credentials: {user: admin, password_from: {env: PW}}
groups: {acme: customer=acme, small: model!~PA-8*}
devices:
  - {name: vie1, address: a, labels: {customer: acme}}
  - {name: gra1, address: c, labels: {customer: bolt}}
";
        crate::config::parse(Path::new("inventory.yaml"), text).unwrap()
    }

    fn load(text: &str) -> Result<Waivers, String> {
        let path = Path::new("waivers.yaml");
        let file: File = crate::config::parse(path, text).map_err(|error| error.to_string())?;
        checked(path, &file, &inventory())
            .map(Waivers)
            .map_err(|error| error.located_in(text).to_string())
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let wrong = |from: &str, to: &str| load(&GOOD.replacen(from, to, 1)).unwrap_err();
        insta::assert_snapshot!(wrong("[vie1]", "[vie2]"), @"waivers.yaml:2: waivers[0].devices: vie2 is not in the inventory; the nearest is vie1");
        insta::assert_snapshot!(wrong("devices: [vie1], ", ""), @"waivers.yaml:2: waivers[0].devices: name the devices, or a group, and not both: there is no way to waive it for all");
        insta::assert_snapshot!(wrong("[vie1]", "[vie1], group: customer=acme"), @"waivers.yaml:2: waivers[0].devices: name the devices, or a group, and not both: there is no way to waive it for all");
        insta::assert_snapshot!(wrong("customer=acme", "custmer=acme"), @"waivers.yaml:3: waivers[1].group: the selector asks for custmer, which no device has (nearest: customer, hostname, name)");
        insta::assert_snapshot!(wrong("customer=acme,model~PA-8*", "acme,!smal"), @"waivers.yaml:3: waivers[1].group: the selector asks for the group smal, which the inventory does not have (nearest: small, acme)");
        insta::assert_snapshot!(wrong("2026-12-24", "Christmas"), @r#"waivers.yaml:2: waivers[0].until: "Christmas" is no day (2026-12-24), no local time with its zone and no instant"#);
        insta::assert_snapshot!(wrong("modules are swapped on Friday", "' '"), @"waivers.yaml:2: waivers[0].reason: a waiver needs a reason");
        insta::assert_snapshot!(wrong("by: petra, ", ""), @"waivers.yaml:2:68: missing field `by`");
    }

    #[test]
    fn what_is_covered_is_waived_until_its_day_is_over_and_told_afterwards() {
        use hopgate_playbooks::{Finding, Mode, Severity};
        let waivers = load(GOOD).unwrap();
        let inventory = inventory();
        let told = |device: usize, playbook: &str, check: &str, verdict: Verdict, now: &str| {
            let mut answer = Answer {
                playbook: playbook.into(),
                finding: Finding {
                    check: check.into(),
                    title: "t".into(),
                    subject: None,
                    verdict,
                    severity: Severity::Block,
                    mode: Mode::Enforce,
                    message: "m".into(),
                    remedy: None,
                    link: None,
                },
                lapsed: None,
            };
            waivers.apply(
                &inventory.devices[device],
                None,
                &mut answer,
                now.parse().unwrap(),
            );
            let verdict = serde_json::to_string(&answer.finding.verdict).unwrap();
            format!("{verdict} {}", answer.lapsed.unwrap_or_default())
        };
        let unknown = || Verdict::Inconclusive {
            missing: "x".to_owned(),
        };
        insta::assert_snapshot!(told(0, "optics", "PAN-221190", Verdict::Fail, "2026-12-24T23:59:59Z"), @r#"{"waived":{"by":"petra","reason":"modules are swapped on Friday","until":"2026-12-25T00:00:00Z"}}"#);
        insta::assert_snapshot!(told(0, "optics", "PAN-221190", unknown(), "2026-12-24T23:59:59Z"), @r#"{"waived":{"by":"petra","reason":"modules are swapped on Friday","until":"2026-12-25T00:00:00Z"}}"#);
        insta::assert_snapshot!(told(0, "optics", "PAN-221190", Verdict::Fail, "2026-12-25T00:00:00Z"), @r#""fail" the waiver of petra ended 2026-12-25T00:00:00Z: modules are swapped on Friday"#);
        // Another playbook's check of that name, another device, nothing to waive, a group that cannot be told.
        for (device, playbook, verdict) in [
            (0, "mine", Verdict::Fail),
            (1, "optics", Verdict::Fail),
            (0, "optics", Verdict::Pass),
        ] {
            let before = serde_json::to_string(&verdict).unwrap();
            assert_eq!(
                told(device, playbook, "PAN-221190", verdict, "2026-12-01T00:00:00Z"),
                format!("{before} ")
            );
        }
        assert_eq!(
            told(
                0,
                "readiness",
                "disk-space",
                Verdict::Fail,
                "2026-02-01T00:00:00Z"
            ),
            "\"fail\" "
        );
    }
}
