//! A believable estate of a managed security provider, of any size, from a seed: customers, sites, models, pairs, versions,
//! content, optics, labels.
//!
//! What it is made of is data (`data/estate.yaml`). The same size and seed give the same estate. Knows nothing of time
//! passing; the result is a fleet file like one that a person writes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{ModelClass, classes};
use crate::pair::{HaMode, SessionOwner};
use crate::release::{Catalogue, Release, Version};
use crate::seed::Seed;
use crate::spec::{ContentVersion, Credentials, DeviceSpec, FleetSpec, OpticSpec, PairSpec, SpecError};

const EMBEDDED: &str = include_str!("../data/estate.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    epoch: Timestamp,
    content: ContentRecipe,
    customers: Words,
    cities: Vec<City>,
    sizes: Vec<Size>,
    kinds: Vec<Kind>,
    trains: BTreeMap<String, u64>,
    optics: Vec<Part>,
    administrators: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentRecipe {
    newest: u32,
    anchor: [u32; 2],
    builds_each: u32,
}

/// Lists of words, several a line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    first: Vec<String>,
    second: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct City {
    code: String,
    region: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Size {
    weight: u64,
    sites: [u64; 2],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    name: String,
    weight: u64,
    units: [u64; 2],
    roles: Vec<String>,
    pairs_percent: u64,
    models: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    weight: u64,
    vendor: String,
    part: String,
    media: String,
}

/// Draws for one thing, one after the other.
struct Lot<'s> {
    seed: Seed,
    of: &'s str,
    drawn: u64,
}

impl<'s> Lot<'s> {
    fn new(seed: Seed, of: &'s str) -> Self {
        Self { seed, of, drawn: 0 }
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        self.drawn += 1;
        self.seed.between(self.of, "estate", self.drawn, low, high)
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of several, by weight; `None` of none.
    fn pick<T>(&mut self, items: impl IntoIterator<Item = (T, u64)>) -> Option<T> {
        let items: Vec<(T, u64)> = items.into_iter().filter(|(_, weight)| *weight > 0).collect();
        let whole: u64 = items.iter().map(|(_, weight)| weight).sum();
        let mut at = self.between(1, whole.max(1));
        items.into_iter().find_map(|(item, weight)| {
            let met = at <= weight;
            at = at.saturating_sub(weight);
            met.then_some(item)
        })
    }

    fn one<'l, T>(&mut self, items: &'l [T]) -> Option<&'l T> {
        self.pick(items.iter().map(|item| (item, 1)))
    }
}

/// What is chosen once for a customer.
struct Customer {
    name: String,
    /// The train most of its firewalls run.
    train: String,
    /// How many contents behind the newest it is.
    lag: u32,
}

struct Estate<'r> {
    recipe: &'r Recipe,
    seed: Seed,
    catalogue: Catalogue,
    /// The releases of each train, lowest first.
    trains: BTreeMap<String, Vec<Release>>,
    classes: Vec<ModelClass>,
    wanted: usize,
    devices: Vec<DeviceSpec>,
    pairs: Vec<PairSpec>,
}

impl FleetSpec {
    /// An estate of `devices` firewalls; the same for the same seed. Its administrator is `admin` with the password
    /// `admin`.
    ///
    /// # Errors
    /// When a list that is built into this crate does not read.
    pub fn generate(devices: usize, seed: u64) -> Result<Self, SpecError> {
        let embedded = |what| {
            move |source| SpecError::Embedded {
                what,
                source: Box::new(source),
            }
        };
        let recipe: Recipe = serde_saphyr::from_str(EMBEDDED).map_err(embedded("estate"))?;
        let catalogue = Catalogue::new(None).map_err(embedded("release list"))?;
        let mut trains: BTreeMap<String, Vec<Release>> = BTreeMap::new();
        for release in catalogue.releases() {
            let train = trains.entry(release.version.train()).or_default();
            train.push(release.clone());
        }
        let mut estate = Estate {
            recipe: &recipe,
            seed: Seed::new(seed),
            catalogue,
            trains,
            classes: classes().map_err(embedded("model list"))?,
            wanted: devices,
            devices: Vec::with_capacity(devices),
            pairs: Vec::new(),
        };
        let mut taken = BTreeSet::new();
        // Every customer has a site, every site a device: this ends.
        for number in 0.. {
            if estate.is_full() {
                break;
            }
            estate.customer(number, &mut taken);
        }
        let Estate { devices, pairs, .. } = estate;
        Ok(Self {
            seed,
            epoch: recipe.epoch,
            credentials: Credentials {
                user: "admin".to_owned(),
                password: "admin".to_owned(),
            },
            releases: None,
            login_before_autocommit_fixed: Default::default(),
            concurrency: Default::default(),
            devices,
            panoramas: Vec::new(),
            pairs,
            faults: Vec::new(),
        })
    }
}

/// Words of lines that hold several, separated by commas.
fn words(lines: &[String]) -> Vec<&str> {
    lines.iter().flat_map(|line| line.split(", ")).collect()
}

impl Estate<'_> {
    fn is_full(&self) -> bool {
        self.devices.len() >= self.wanted
    }

    fn customer(&mut self, number: usize, taken: &mut BTreeSet<String>) {
        let recipe = self.recipe;
        let key = format!("customer {number}");
        let mut lot = Lot::new(self.seed, &key);
        let (first, second) = (words(&recipe.customers.first), words(&recipe.customers.second));
        let drawn = (lot.one(&first), lot.one(&second));
        let (Some(first), Some(second)) = drawn else {
            return;
        };
        let mut name = format!("{first}-{second}");
        if !taken.insert(name.clone()) {
            name = format!("{name}-{number}");
            taken.insert(name.clone());
        }
        let sizes = recipe.sizes.iter().map(|size| (size.sites, size.weight));
        let [low, high] = lot.pick(sizes).unwrap_or([1, 1]);
        // No customer is more than about a fifth of the estate.
        let most = u64::try_from(self.wanted / 6).unwrap_or(u64::MAX).max(1);
        let sites = lot.between(low, high).min(most);
        let train = lot.pick(
            recipe
                .trains
                .iter()
                .map(|(train, weight)| (train.clone(), *weight)),
        );
        let customer = Customer {
            name,
            train: train.unwrap_or_default(),
            lag: u32::try_from(lot.between(0, 6)).unwrap_or(0),
        };
        let mut visited: BTreeMap<&str, u32> = BTreeMap::new();
        for _ in 0..sites {
            let kind = lot.pick(recipe.kinds.iter().map(|kind| (kind, kind.weight)));
            let (Some(kind), Some(city)) = (kind, lot.one(&recipe.cities)) else {
                return;
            };
            let times = visited.entry(&city.code).or_default();
            *times += 1;
            let site = match times {
                1 => city.code.clone(),
                again => format!("{}{again}", city.code),
            };
            self.site(&customer, &site, city, kind);
        }
    }

    fn site(&mut self, customer: &Customer, site: &str, city: &City, kind: &Kind) {
        let key = format!("{} {site}", customer.name);
        let mut lot = Lot::new(self.seed, &key);
        let units = lot.between(kind.units[0], kind.units[1]);
        for (role, _) in kind.roles.iter().zip(0..units) {
            if self.is_full() {
                return;
            }
            let labels = BTreeMap::from(
                [
                    ("customer", customer.name.as_str()),
                    ("site", &format!("{}-{site}", customer.name)),
                    ("region", &city.region),
                    ("kind", &kind.name),
                    ("role", role),
                ]
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
            );
            let name = format!("{}-{site}-{role}", customer.name);
            let paired = lot.percent(kind.pairs_percent) && self.wanted - self.devices.len() >= 2;
            let model = lot.pick(
                kind.models
                    .iter()
                    .map(|(model, weight)| (model.as_str(), *weight)),
            );
            let Some(class) = model.and_then(|model| self.class_of(model)) else {
                continue;
            };
            let (model, class) = (model.unwrap_or_default(), class.clone());
            let Some(version) = self.version(&mut lot, customer, &class) else {
                continue;
            };
            let content = self.content(&mut lot, customer, version);
            let members: Vec<String> = if paired {
                vec![format!("{name}-a"), format!("{name}-b")]
            } else {
                vec![name.clone()]
            };
            for member in &members {
                let device = self.device(member, model, &class, version, content, labels.clone());
                self.devices.push(device);
            }
            if let [one, other] = members.as_slice() {
                self.pairs.push(PairSpec {
                    name,
                    members: [one.clone(), other.clone()],
                    active: if lot.percent(85) {
                        one.clone()
                    } else {
                        other.clone()
                    },
                    preferred: None,
                    preemptive: lot.percent(20),
                    suspended_survives_reboot: false,
                    mode: HaMode::default(),
                    session_owner: SessionOwner::default(),
                });
            }
        }
    }

    fn class_of(&self, model: &str) -> Option<&ModelClass> {
        self.classes
            .iter()
            .find(|class| class.models.iter().any(|one| one == model))
    }

    /// Mostly the customer's train, where the model is offered it; mostly a preferred release of it.
    fn version(&self, lot: &mut Lot<'_>, customer: &Customer, class: &ModelClass) -> Option<Version> {
        let offered = |train: &str| {
            let releases = self.trains.get(train).map_or(&[][..], Vec::as_slice);
            let offered = releases
                .first()
                .is_some_and(|first| class.is_offered(first.version));
            if offered { releases } else { &[] }
        };
        let own = offered(&customer.train);
        let releases = if !own.is_empty() && lot.percent(80) {
            own
        } else {
            let trains = self.recipe.trains.iter();
            let trains = trains.map(|(train, weight)| (offered(train), *weight));
            lot.pick(trains.filter(|(releases, _)| !releases.is_empty()))?
        };
        let preferred: Vec<&Release> = releases.iter().filter(|one| one.preferred).collect();
        let chosen = if !preferred.is_empty() && lot.percent(60) {
            lot.one(&preferred).copied()
        } else {
            // What is installed on purpose is seldom among the first of its train.
            lot.one(&releases[releases.len() / 2..])
        };
        chosen.map(|release| release.version)
    }

    /// The customer's content, a few stale ones apart; never below what the release was installed with.
    fn content(&self, lot: &mut Lot<'_>, customer: &Customer, version: Version) -> ContentVersion {
        let recipe = &self.recipe.content;
        let stale = if lot.percent(4) { lot.between(60, 300) } else { 0 };
        let behind = customer.lag + u32::try_from(stale).unwrap_or(0);
        let lowest = self.catalogue.min_content(version).unwrap_or(0);
        let first = recipe.newest.saturating_sub(behind).max(lowest);
        let [anchor, build] = recipe.anchor;
        let second = if first >= anchor {
            build + (first - anchor) * recipe.builds_each
        } else {
            build.saturating_sub((anchor - first) * recipe.builds_each)
        };
        ContentVersion { first, second }
    }

    fn device(
        &self,
        name: &str,
        model: &str,
        class: &ModelClass,
        version: Version,
        content: ContentVersion,
        labels: BTreeMap<String, String>,
    ) -> DeviceSpec {
        let mut lot = Lot::new(self.seed, name);
        DeviceSpec {
            labels,
            optics: self.optics(&mut lot, class),
            // A few have hardly room for an image.
            panrepo_free_mb: lot.percent(4).then(|| lot.between(200, 1200)),
            pending_changes: lot.percent(2),
            config_locks: lot
                .percent(1)
                .then(|| lot.one(&self.recipe.administrators).cloned())
                .flatten()
                .into_iter()
                .collect(),
            ..DeviceSpec::plain(name, model, version, content)
        }
    }

    /// Up to eight cages are looked at, from the first on; about half of them hold something.
    fn optics(&self, lot: &mut Lot<'_>, class: &ModelClass) -> Vec<OpticSpec> {
        let first = class.ports.copper + 1;
        let mut optics = Vec::new();
        for port in first..first + class.ports.cages.min(8) {
            if !lot.percent(45) {
                continue;
            }
            let part = lot.pick(self.recipe.optics.iter().map(|part| (part, part.weight)));
            optics.extend(part.map(|part| OpticSpec {
                slot: 1,
                port,
                vendor: part.vendor.clone(),
                part: part.part.clone(),
                serial: Some(format!("P{:07X}", lot.between(0, 0xfff_ffff))),
                media: part.media.clone(),
            }));
        }
        optics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(part: usize, whole: usize) -> usize {
        part * 100 / whole
    }

    #[test]
    fn an_estate_is_the_one_of_its_seed_and_of_its_size() {
        let written = |devices, seed| FleetSpec::generate(devices, seed).unwrap().to_yaml().unwrap();
        assert_eq!(written(300, 7), written(300, 7));
        assert_ne!(written(300, 7), written(300, 8));
        for size in [0, 1, 2, 3, 37, 500] {
            let estate = FleetSpec::generate(size, 7).unwrap();
            assert_eq!(estate.devices.len(), size);
            let again = FleetSpec::parse("estate.yaml", &estate.to_yaml().unwrap()).unwrap();
            assert_eq!(again.devices.len(), size, "it is a fleet file");
        }
    }

    #[test]
    fn an_estate_is_mixed_as_estates_are() {
        let estate = FleetSpec::generate(5000, 7).unwrap();
        let devices = &estate.devices;
        let count = |what: &dyn Fn(&DeviceSpec) -> bool| {
            share(
                devices.iter().filter(|device| what(device)).count(),
                devices.len(),
            )
        };
        let distinct = |what: &dyn Fn(&DeviceSpec) -> String| {
            devices.iter().map(what).collect::<BTreeSet<String>>().len()
        };
        let paired = share(estate.pairs.len() * 2, devices.len());
        assert!((34..=46).contains(&paired), "{paired} % are in pairs");
        let small = count(&|device| device.model.starts_with("PA-4") || device.model.starts_with("PA-22"));
        assert!((35..=60).contains(&small), "{small} % are branch boxes");
        assert!((1..=6).contains(&count(&|device| device.model.starts_with("PA-70"))));
        let foreign = |device: &DeviceSpec| device.optics.iter().any(|optic| !optic.part.starts_with("PAN-"));
        assert!((5..=30).contains(&count(&foreign)), "{}", count(&foreign));
        assert!(count(&|device| device.version.train() == "10.2") > 25);
        assert!(distinct(&|device| device.version.train()) >= 7);
        assert!(distinct(&|device| device.model.clone()) >= 20);
        let customers = distinct(&|device| device.labels["customer"].clone());
        assert!((150..=1500).contains(&customers), "{customers} customers");
        let largest = devices
            .iter()
            .fold(BTreeMap::new(), |mut sizes: BTreeMap<&str, usize>, device| {
                *sizes.entry(&device.labels["customer"]).or_default() += 1;
                sizes
            });
        assert!(largest.values().max().unwrap() > &40);
    }

    #[test]
    fn every_device_runs_what_its_model_is_offered_on_enough_content() {
        let (catalogue, classes) = (Catalogue::new(None).unwrap(), classes().unwrap());
        for device in FleetSpec::generate(2000, 11).unwrap().devices {
            let class = classes
                .iter()
                .find(|class| class.models.contains(&device.model))
                .unwrap();
            assert!(
                class.is_offered(device.version),
                "{} {}",
                device.model,
                device.version
            );
            assert!(device.content.first >= catalogue.min_content(device.version).unwrap());
        }
    }
}
