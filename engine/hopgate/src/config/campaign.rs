//! The campaign file: where to, on which path, in which waves, inside which window, and who is paged.

use std::path::{Path, PathBuf};

use hopgate_core::names::{CampaignId, DeviceId, Identity, WaveName};
use hopgate_core::window::Window;
use hopgate_paths::Version;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

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
    /// Playbooks asked around every hop.
    #[serde(default)]
    pub checks: ChecksText,
    /// The waves, in order.
    pub waves: Vec<WaveText>,
    /// Who is paged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pager: Option<PagerText>,
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

/// A window as people write it: local times with their zone (`2026-03-07T22:00[Europe/Vienna]`) or instants (`…Z`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowText {
    /// First instant at which something may start.
    pub opens: String,
    /// First instant at which nothing may be under way any more.
    pub closes: String,
}

/// Playbooks by name (built in) or file (relative to the campaign file).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecksText {
    /// Asked before every hop.
    #[serde(default)]
    pub before: Vec<String>,
    /// Asked after every hop.
    #[serde(default)]
    pub after: Vec<String>,
}

impl Default for ChecksText {
    /// The whole library: who leaves checks out has to say so.
    fn default() -> Self {
        ChecksText {
            before: vec!["readiness".to_owned(), "optics".to_owned()],
            after: vec!["after".to_owned()],
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

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        self.window(path)?;
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
    fn mistakes_are_named_with_their_place() {
        let wrong = |from: &str, to: &str| load(&GOOD.replace(from, to)).unwrap_err();
        insta::assert_snapshot!(wrong("10.2.4-h4", "10.2"), @r#"campaign.yaml:3:9: target: "10.2" is not a PAN-OS version: the maintenance number is missing (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)"#);
        insta::assert_snapshot!(wrong("launcher", "lancher"), @"campaign.yaml:2:1: unknown field `lancher`, expected one of campaign, launcher, target, pinned_path, window, inventory, checks, waves, pager");
        insta::assert_snapshot!(wrong("rest: true, ", ""), @"campaign.yaml:8: waves[1].devices: name the devices, or say `rest: true`, and not both");
        insta::assert_snapshot!(wrong("[Europe/Vienna]', closes", "[Europe/Viena]', closes"), @r#"campaign.yaml:4: window.opens: "2026-03-28T22:00[Europe/Viena]" is neither a local time with its zone nor an instant (failed to find time zone `Europe/Viena` in time zone database)"#);
        insta::assert_snapshot!(wrong("concurrency: 8", "concurrency: -8"), @"campaign.yaml:8:43: concurrency: expected a whole number, 0 or more");
    }
}
