//! Hardware classes: what each model takes how long to do, which ports it has, which trains it is offered.
//!
//! Pure data from `data/models.yaml`. Knows nothing of a device's state.

use jiff::SignedDuration;
use serde::Deserialize;

use crate::release::Version;

/// One class of hardware.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelClass {
    pub(crate) name: String,
    pub(crate) models: Vec<String>,
    pub(crate) family: String,
    pub(crate) platform: String,
    /// Manages firewalls and forwards no traffic.
    #[serde(default)]
    pub(crate) panorama: bool,
    trains: Vec<String>,
    /// Whether `show chassis-ready` exists.
    pub(crate) chassis_ready: bool,
    /// Whether it counts ungraceful shutdowns and locks itself out at 32 of them.
    #[serde(default)]
    pub(crate) tpm: bool,
    pub(crate) ports: Ports,
    /// Size of the image partition in megabytes.
    pub(crate) panrepo_mb: u64,
    download_minutes_per_gb: f64,
    load_minutes: f64,
    install_minutes: f64,
    pub(crate) reboot_seconds: RebootSeconds,
}

/// Front ports of slot 1: copper first, cages after.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ports {
    pub(crate) copper: u16,
    pub(crate) cages: u16,
}

/// Nominal length of each phase of a reboot, in seconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RebootSeconds {
    pub(crate) restarting: i64,
    pub(crate) shutting_down: i64,
    pub(crate) dark: i64,
    pub(crate) management: i64,
    pub(crate) login: i64,
    pub(crate) services: i64,
    pub(crate) auto_commit: i64,
    pub(crate) ha_settle: i64,
    /// R9.
    pub(crate) services_return: i64,
}

impl ModelClass {
    /// Whether the update server offers `version` for this class.
    pub(crate) fn is_offered(&self, version: Version) -> bool {
        self.trains.contains(&version.train())
    }

    /// Nominal time to fetch an image of `megabytes`.
    pub(crate) fn download(&self, megabytes: u64) -> SignedDuration {
        let gigabytes = u32::try_from(megabytes).map_or(f64::from(u32::MAX), f64::from) / 1024.0;
        minutes(self.download_minutes_per_gb * gigabytes)
    }

    /// Nominal time to load a downloaded image into the software manager.
    pub(crate) fn load(&self) -> SignedDuration {
        minutes(self.load_minutes)
    }

    /// Nominal time of an install job.
    pub(crate) fn install(&self) -> SignedDuration {
        minutes(self.install_minutes)
    }
}

fn minutes(minutes: f64) -> SignedDuration {
    SignedDuration::from_secs_f64(minutes * 60.0)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    classes: Vec<ModelClass>,
}

const EMBEDDED: &str = include_str!("../data/models.yaml");

/// The embedded classes.
pub(crate) fn classes() -> Result<Vec<ModelClass>, serde_saphyr::Error> {
    serde_saphyr::from_str::<Document>(EMBEDDED).map(|document| document.classes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_model_is_in_one_class_and_answers_one_to_two_minutes_after_a_restart() {
        let mut seen = BTreeSet::new();
        for class in classes().unwrap() {
            for model in &class.models {
                assert!(seen.insert(model.clone()), "{model} is in two classes");
            }
            // With 15 % spread the device still answers for 60 to 120 s.
            assert!(
                (71..=104).contains(&class.reboot_seconds.restarting),
                "{}",
                class.name
            );
            assert!(class.install() > class.load(), "{}", class.name);
        }
        assert!(seen.contains("PA-850"));
    }
}
