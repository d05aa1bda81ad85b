//! The campaign file: where to, on which path, in which waves, inside which window, and who is paged.

use std::path::{Path, PathBuf};

use hopgate_core::acceptance::Acceptance;
use hopgate_core::names::{CampaignId, DeviceId, Identity, WaveName};
use hopgate_core::window::Window;
use hopgate_paths::Version;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::check::CheckText;
use super::credentials::SecretSource;
use super::{ConfigError, meaning};

/// The campaign file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignFile {
    /// Its name; also the name of its journal stream.
    pub campaign: CampaignId,
    /// Who launches it. Cannot approve its waves.
    pub launcher: Identity,
    /// The release every device is to reach.
    pub target: Version,
    /// An off-vendor path, pinned by name and with a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_path: Option<PinnedPath>,
    /// The change window.
    pub window: WindowText,
    /// The inventory file, relative to this one.
    pub inventory: PathBuf,
    /// Overlays of the release catalogue, relative to this file, in the order in which they apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catalogue: Vec<PathBuf>,
    /// Playbooks asked around every hop.
    #[serde(default)]
    pub checks: ChecksText,
    /// Advisories that do not hold some devices, each by somebody's decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept_advisories: Vec<AcceptText>,
    /// The waves, in order.
    pub waves: Vec<WaveText>,
    /// Who is paged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pager: Option<PagerText>,
    /// Audits that are asked when they are due while the campaign runs: a schedule file, relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audits: Option<PathBuf>,
}

/// An operator's decision to leave the vendor's path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedPath {
    /// Releases to pass, in order, without the target.
    pub via: Vec<Version>,
    /// Who decided it.
    pub by: Identity,
    /// Why.
    pub reason: String,
}

/// One advisory that does not hold some devices for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptText {
    /// Its id.
    pub advisory: String,
    /// The devices, by name. There is no way to say all of them.
    pub devices: Vec<DeviceId>,
    /// The last day on which it is accepted, in the zone of the window; or an instant.
    pub until: String,
    /// Who accepts it.
    pub by: Identity,
    /// Why.
    pub reason: String,
}

/// A window as people write it: local times with their zone (`2026-03-07T22:00[Europe/Vienna]`) or instants (`…Z`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowText {
    /// First instant at which something may start.
    pub opens: String,
    /// First instant at which nothing may be under way any more.
    pub closes: String,
}

/// Playbooks by name (built in) or file (relative to the campaign file), with the settings chosen for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecksText {
    /// Asked before every hop.
    #[serde(default)]
    pub before: Vec<CheckText>,
    /// Asked after every hop.
    #[serde(default)]
    pub after: Vec<CheckText>,
}

impl Default for ChecksText {
    /// The whole library: who leaves checks out has to say so.
    fn default() -> Self {
        ChecksText {
            before: vec!["readiness".into(), "advisories".into()],
            after: vec!["after".into(), "differences".into()],
        }
    }
}

/// One wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaveText {
    /// Its name.
    pub name: WaveName,
    /// Its devices by name; or `rest: true`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceId>,
    /// Every device of the inventory that no other wave lists.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rest: bool,
    /// Most devices under way at once.
    #[serde(default = "one")]
    pub concurrency: u32,
    /// Minutes it is watched before the next wave may open.
    #[serde(default)]
    pub soak_minutes: u32,
    /// Whether somebody other than the launcher approves it first.
    #[serde(default)]
    pub approval: bool,
}

fn one() -> u32 {
    1
}

/// Who is paged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PagerText {
    /// PagerDuty Events API v2.
    Pagerduty {
        /// Where events are sent; PagerDuty's own address where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// Where the integration's routing key is.
        routing_key_from: SecretSource,
    },
}

impl CampaignFile {
    /// Reads and checks a campaign file.
    pub fn load(path: &Path) -> Result<CampaignFile, ConfigError> {
        super::read(path, |file: &CampaignFile| file.check(path))
    }

    /// The inventory's path, resolved.
    pub fn inventory_path(&self, campaign_file: &Path) -> PathBuf {
        campaign_file
            .parent()
            .unwrap_or(Path::new(""))
            .join(&self.inventory)
    }

    /// The window as instants.
    pub fn window(&self, path: &Path) -> Result<Window, ConfigError> {
        Ok(Window {
            opens: instant(path, "window.opens", &self.window.opens)?,
            closes: instant(path, "window.closes", &self.window.closes)?,
        })
    }

    /// The acceptances as the plan holds them.
    pub fn accepted(&self, path: &Path) -> Result<Vec<Acceptance>, ConfigError> {
        let accepts = self.accept_advisories.iter().enumerate();
        accepts
            .map(|(index, accept)| {
                let key = |field: &str| format!("accept_advisories[{index}].{field}");
                if accept.devices.is_empty() {
                    return Err(meaning(
                        path,
                        key("devices"),
                        "name the devices it is accepted for",
                    ));
                }
                if accept.reason.trim().is_empty() {
                    return Err(meaning(
                        path,
                        key("reason"),
                        "accepting an advisory needs a reason",
                    ));
                }
                Ok(Acceptance {
                    advisory: accept.advisory.clone(),
                    devices: accept.devices.iter().cloned().collect(),
                    by: accept.by.clone(),
                    reason: accept.reason.trim().to_owned(),
                    until: end_of(path, &key("until"), &accept.until, self.zone())?,
                })
            })
            .collect()
    }

    /// The zone that days are meant in: the window's.
    fn zone(&self) -> TimeZone {
        self.window
            .opens
            .parse::<Zoned>()
            .map_or(TimeZone::UTC, |opens| opens.time_zone().clone())
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        self.window(path)?;
        self.accepted(path)?;
        if self.waves.is_empty() {
            return Err(meaning(path, "waves", "a campaign needs at least one wave"));
        }
        for (index, wave) in self.waves.iter().enumerate() {
            let key = |field: &str| format!("waves[{index}].{field}");
            if wave.rest != wave.devices.is_empty() {
                let text = "name the devices, or say `rest: true`, and not both";
                return Err(meaning(path, key("devices"), text));
            }
            if self
                .waves
                .iter()
                .take(index)
                .any(|earlier| earlier.name == wave.name)
            {
                return Err(meaning(
                    path,
                    key("name"),
                    format!("{} is the name of an earlier wave", wave.name),
                ));
            }
            if wave.rest && self.waves.iter().take(index).any(|earlier| earlier.rest) {
                return Err(meaning(
                    path,
                    key("rest"),
                    "an earlier wave takes the rest already",
                ));
            }
        }
        if let Some(pin) = &self.pinned_path
            && pin.reason.trim().is_empty()
        {
            return Err(meaning(
                path,
                "pinned_path.reason",
                "leaving the vendor's path needs a reason",
            ));
        }
        Ok(())
    }
}

/// The end of a day in a zone, or an instant as it stands.
pub(crate) fn end_of(path: &Path, key: &str, text: &str, zone: TimeZone) -> Result<Timestamp, ConfigError> {
    let neither = || {
        let text = format!("{text:?} is no day (2026-12-24), no local time with its zone and no instant");
        meaning(path, key, text)
    };
    if text.contains('T') {
        return instant(path, key, text).map_err(|_| neither());
    }
    let day: Date = text.parse().map_err(|_| neither())?;
    let ends = day.tomorrow().and_then(|next| next.to_zoned(zone));
    ends.map(|ends| ends.timestamp()).map_err(|_| neither())
}

/// A local time with its zone, or an instant; the error is the one of what was meant.
fn instant(path: &Path, key: &str, text: &str) -> Result<Timestamp, ConfigError> {
    let parsed = if text.contains('[') {
        text.parse::<Zoned>().map(|zoned| zoned.timestamp())
    } else {
        text.parse::<Timestamp>()
    };
    parsed.map_err(|error| {
        let text = format!("{text:?} is neither a local time with its zone nor an instant ({error})");
        meaning(path, key, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
campaign: spring
launcher: olga
target: 10.2.4-h4
window: {opens: '2026-03-28T22:00[Europe/Vienna]', closes: '2026-03-29T08:00[Europe/Vienna]'}
inventory: inventory.yaml
waves:
  - {name: canary, devices: [a], soak_minutes: 30}
  - {name: rest, rest: true, concurrency: 8, approval: true}
";

    fn load(text: &str) -> Result<CampaignFile, String> {
        let path = Path::new("campaign.yaml");
        let file: CampaignFile = super::super::parse(path, text).map_err(|error| error.to_string())?;
        file.check(path)
            .map(|()| file)
            .map_err(|error| error.located_in(text).to_string())
    }

    #[test]
    fn the_night_of_the_summer_time_is_an_hour_short() {
        let window = load(GOOD).unwrap().window(Path::new("campaign.yaml")).unwrap();
        assert_eq!(window.opens.duration_until(window.closes).as_hours(), 9);
    }

    #[test]
    fn an_advisory_is_accepted_to_the_end_of_a_day_where_the_window_is() {
        let until = |text: &str| {
            let accept = format!(
                "{GOOD}accept_advisories:\n  - {{advisory: PAN-221190, devices: [a], until: '{text}', by: petra, reason: swapped}}\n"
            );
            load(&accept)
                .unwrap()
                .accepted(Path::new("campaign.yaml"))
                .unwrap()[0]
                .until
                .to_string()
        };
        assert_eq!(until("2026-12-24"), "2026-12-24T23:00:00Z");
        assert_eq!(until("2026-12-24T12:00:00Z"), "2026-12-24T12:00:00Z");
        assert_eq!(until("2026-12-24T12:00[Europe/Vienna]"), "2026-12-24T11:00:00Z");
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let wrong = |from: &str, to: &str| load(&GOOD.replace(from, to)).unwrap_err();
        insta::assert_snapshot!(wrong("10.2.4-h4", "10.2"), @r#"campaign.yaml:3:9: target: "10.2" is not a PAN-OS version: the maintenance number is missing (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)"#);
        insta::assert_snapshot!(wrong("launcher", "lancher"), @"campaign.yaml:2:1: unknown field `lancher`, expected one of campaign, launcher, target, pinned_path, window, inventory, catalogue, checks, accept_advisories, waves, pager, audits");
        insta::assert_snapshot!(wrong("rest: true, ", ""), @"campaign.yaml:8: waves[1].devices: name the devices, or say `rest: true`, and not both");
        insta::assert_snapshot!(wrong("[Europe/Vienna]', closes", "[Europe/Viena]', closes"), @r#"campaign.yaml:4: window.opens: "2026-03-28T22:00[Europe/Viena]" is neither a local time with its zone nor an instant (failed to find time zone `Europe/Viena` in time zone database)"#);
        let accept = |text: &str| {
            load(&format!(
                "{GOOD}accept_advisories:\n  - {{advisory: PAN-221190, {text}}}\n"
            ))
            .unwrap_err()
        };
        insta::assert_snapshot!(accept("devices: [], until: 2026-12-24, by: petra, reason: swapped"), @"campaign.yaml:10: accept_advisories[0].devices: name the devices it is accepted for");
        insta::assert_snapshot!(accept("devices: ['*'], until: 2026-12-24, by: petra, reason: swapped"), @r#"campaign.yaml:10:38: the device name "*" may hold letters, digits, '.', '_' and '-', not '*'"#);
        insta::assert_snapshot!(accept("devices: [a], until: soon, by: petra, reason: swapped"), @r#"campaign.yaml:10: accept_advisories[0].until: "soon" is no day (2026-12-24), no local time with its zone and no instant"#);
        insta::assert_snapshot!(accept("devices: [a], until: 2026-12-24, by: petra, reason: ' '"), @"campaign.yaml:10: accept_advisories[0].reason: accepting an advisory needs a reason");
        insta::assert_snapshot!(wrong("concurrency: 8", "concurrency: -8"), @"campaign.yaml:8:43: concurrency: expected a whole number, 0 or more");
    }
}
