//! What is on a device's disks: images, two system partitions, room.
//!
//! Pure bookkeeping. Which job changes it, and when, is decided in `device.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::release::Version;

/// A partition that can run full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mount {
    /// `/`.
    Root,
    /// `/opt/pancfg`: configurations and content.
    Pancfg,
    /// `/opt/panrepo`: images.
    Panrepo,
}

/// State of a system partition, as `debug swm status` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PartitionState {
    /// Runs.
    #[serde(rename = "RUNNING-ACTIVE")]
    RunningActive,
    /// Boots next.
    #[serde(rename = "PENDING-CHANGE")]
    PendingChange,
    /// The one that ran before.
    #[serde(rename = "REVERTABLE")]
    Revertable,
    /// Holds nothing that boots.
    #[serde(rename = "EMPTY")]
    Empty,
}

impl PartitionState {
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::RunningActive => "RUNNING-ACTIVE",
            Self::PendingChange => "PENDING-CHANGE",
            Self::Revertable => "REVERTABLE",
            Self::Empty => "EMPTY",
        }
    }
}

/// One system partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// Its state.
    pub state: PartitionState,
    /// What it holds; `None` while it is empty or being written.
    pub version: Option<Version>,
}

/// `sysroot0` and `sysroot1`. One of them runs, at any time.
#[derive(Debug, Clone)]
pub(crate) struct Partitions {
    running: Version,
    active: usize,
    other: Partition,
}

const EMPTY: Partition = Partition {
    state: PartitionState::Empty,
    version: None,
};

impl Partitions {
    pub(crate) fn new(running: Version) -> Self {
        Self {
            running,
            active: 0,
            other: EMPTY,
        }
    }

    pub(crate) fn running(&self) -> Version {
        self.running
    }

    /// What the next boot brings up.
    pub(crate) fn next_boot(&self) -> Version {
        match self.other {
            Partition {
                state: PartitionState::PendingChange,
                version: Some(version),
            } => version,
            _ => self.running,
        }
    }

    /// An install has begun: the inactive partition is being overwritten.
    pub(crate) fn begin_install(&mut self) {
        self.other = EMPTY;
    }

    pub(crate) fn finish_install(&mut self, version: Version) {
        self.other = Partition {
            state: PartitionState::PendingChange,
            version: Some(version),
        };
    }

    /// Stages the previous system for the next boot; whether there was one.
    pub(crate) fn revert(&mut self) -> bool {
        let possible = self.other.state == PartitionState::Revertable;
        if possible {
            self.other.state = PartitionState::PendingChange;
        }
        possible
    }

    /// Switches to the staged partition, if there is one. Says which version was left.
    pub(crate) fn boot(&mut self) -> Option<Version> {
        let Partition {
            state: PartitionState::PendingChange,
            version: Some(version),
        } = self.other
        else {
            return None;
        };
        let left = self.running;
        self.other = Partition {
            state: PartitionState::Revertable,
            version: Some(left),
        };
        self.running = version;
        self.active = 1 - self.active;
        Some(left)
    }

    /// `sysroot0`, then `sysroot1`.
    pub(crate) fn both(&self) -> [Partition; 2] {
        let running = Partition {
            state: PartitionState::RunningActive,
            version: Some(self.running),
        };
        if self.active == 0 {
            [running, self.other]
        } else {
            [self.other, running]
        }
    }
}

/// `/opt/panrepo`: the images and the room they take.
#[derive(Debug, Clone)]
pub(crate) struct ImageStore {
    total_mb: u64,
    /// Taken by what is no image.
    other_mb: u64,
    images: BTreeMap<Version, u64>,
    /// Those that were uploaded, not downloaded.
    uploaded: BTreeSet<Version>,
}

impl ImageStore {
    /// `images` are there from the start and count as used already; what is not free and no image is other data.
    pub(crate) fn new(total_mb: u64, free_mb: u64, images: BTreeMap<Version, u64>) -> Self {
        let taken: u64 = images.values().sum();
        let total_mb = total_mb.max(free_mb.saturating_add(taken));
        Self {
            total_mb,
            other_mb: total_mb - taken - free_mb,
            images,
            uploaded: BTreeSet::new(),
        }
    }

    pub(crate) fn total_mb(&self) -> u64 {
        self.total_mb
    }

    pub(crate) fn free_mb(&self) -> u64 {
        let taken: u64 = self.images.values().sum();
        self.total_mb.saturating_sub(taken).saturating_sub(self.other_mb)
    }

    pub(crate) fn has(&self, version: Version) -> bool {
        self.images.contains_key(&version)
    }

    /// Whether an image fits, or is there already.
    pub(crate) fn has_room(&self, version: Version, megabytes: u64) -> bool {
        self.has(version) || megabytes <= self.free_mb()
    }

    pub(crate) fn add(&mut self, version: Version, megabytes: u64) {
        self.images.insert(version, megabytes);
    }

    /// An image that somebody brought.
    pub(crate) fn upload(&mut self, version: Version, megabytes: u64) {
        self.add(version, megabytes);
        self.uploaded.insert(version);
    }

    pub(crate) fn is_uploaded(&self, version: Version) -> bool {
        self.uploaded.contains(&version)
    }

    pub(crate) fn remove(&mut self, version: Version) {
        self.images.remove(&version);
        self.uploaded.remove(&version);
    }

    pub(crate) fn versions(&self) -> BTreeSet<Version> {
        self.images.keys().copied().collect()
    }

    /// Makes `megabytes` free, by other data coming or going; as many as fit beside the images.
    pub(crate) fn leave_free(&mut self, megabytes: u64) {
        let taken: u64 = self.images.values().sum();
        let room = self.total_mb.saturating_sub(taken);
        self.other_mb = room.saturating_sub(megabytes);
    }

    /// Fills the disk with other data, or frees what such data took.
    pub(crate) fn fill(&mut self, full: bool) {
        let taken: u64 = self.images.values().sum();
        self.other_mb = if full {
            self.total_mb.saturating_sub(taken)
        } else {
            0
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn shown(partitions: &Partitions) -> String {
        partitions
            .both()
            .iter()
            .map(|part| {
                let version = part
                    .version
                    .map_or("None".to_owned(), |version| version.to_string());
                format!("{} {version}", part.state.shown())
            })
            .collect::<Vec<_>>()
            .join(" | ")
    }

    #[test]
    fn two_partitions_take_turns() {
        let mut partitions = Partitions::new(version("9.1.16"));
        let mut log = vec![format!("start            {}", shown(&partitions))];
        let mut note =
            |what: &str, partitions: &Partitions| log.push(format!("{what:16} {}", shown(partitions)));
        partitions.begin_install();
        note("installing", &partitions);
        partitions.finish_install(version("10.1.0"));
        note("installed", &partitions);
        assert_eq!(partitions.next_boot(), version("10.1.0"));
        assert_eq!(partitions.boot(), Some(version("9.1.16")));
        note("booted", &partitions);
        assert_eq!(partitions.boot(), None, "nothing is staged");
        assert!(partitions.revert());
        note("revert", &partitions);
        partitions.boot();
        note("booted", &partitions);
        partitions.begin_install();
        partitions.boot();
        note("cut off", &partitions);
        assert!(!partitions.revert());
        insta::assert_snapshot!(log.join("\n"), @r#"
        start            RUNNING-ACTIVE 9.1.16 | EMPTY None
        installing       RUNNING-ACTIVE 9.1.16 | EMPTY None
        installed        RUNNING-ACTIVE 9.1.16 | PENDING-CHANGE 10.1.0
        booted           REVERTABLE 9.1.16 | RUNNING-ACTIVE 10.1.0
        revert           PENDING-CHANGE 9.1.16 | RUNNING-ACTIVE 10.1.0
        booted           RUNNING-ACTIVE 9.1.16 | REVERTABLE 10.1.0
        cut off          RUNNING-ACTIVE 9.1.16 | EMPTY None
        "#);
    }

    #[test]
    fn room_counts_images_and_other_data() {
        let images = BTreeMap::from([(version("10.1.0"), 900)]);
        let mut store = ImageStore::new(4000, 1000, images);
        assert_eq!(store.free_mb(), 1000);
        assert!(store.has_room(version("10.2.0"), 1000) && !store.has_room(version("10.2.0"), 1001));
        assert!(store.has_room(version("10.1.0"), 5000), "it is there already");
        store.add(version("10.2.0"), 900);
        assert_eq!(store.free_mb(), 100);
        store.fill(true);
        assert_eq!(store.free_mb(), 0);
        store.fill(false);
        assert_eq!(store.free_mb(), 2200);
        store.leave_free(300);
        assert_eq!(store.free_mb(), 300);
        store.leave_free(9000);
        assert_eq!(store.free_mb(), 2200, "no more than there is");
    }
}
