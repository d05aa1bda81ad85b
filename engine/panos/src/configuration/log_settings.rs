//! Where a configuration sends logs: its server profiles, and which of them its match lists name.
//! Knows how a name leads to a profile; must not know where either is written.

use std::collections::{BTreeMap, BTreeSet};

use hopgate_playbooks::{LogTarget, LogTargets};

/// Place, kind and name of a profile.
type Key = (String, String, String);

/// What was found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogSettings {
    profiles: BTreeMap<Key, Vec<String>>,
    named: BTreeSet<Key>,
    pub(super) to_panorama: bool,
}

impl LogSettings {
    /// The servers of a profile, which is there from now on.
    pub(super) fn servers(&mut self, place: String, kind: String, name: String) -> &mut Vec<String> {
        self.profiles.entry((place, kind, name)).or_default()
    }

    /// A match list of `place` names a profile under `<send-syslog>` or the like.
    pub(super) fn names(&mut self, place: String, action: &str, profile: String) {
        if let Some(kind) = action.strip_prefix("send-") {
            self.named.insert((place, kind.to_owned(), profile));
        }
    }

    /// The profiles in order. A match list of a virtual system means the profile of its own, and else the shared one. A profile
    /// that is named and is nowhere was pushed by somebody: logs go there all the same.
    pub(super) fn targets(&self) -> LogTargets {
        let mut used: BTreeMap<Key, Vec<String>> = BTreeMap::new();
        for key @ (_, kind, name) in &self.named {
            let shared = ("shared".to_owned(), kind.clone(), name.clone());
            let meant = [key, &shared]
                .into_iter()
                .find(|key| self.profiles.contains_key(*key))
                .unwrap_or(key);
            let servers = self.profiles.get(meant).cloned();
            used.insert(meant.clone(), servers.unwrap_or_default());
        }
        let unused = self.profiles.iter().filter(|(key, _)| !used.contains_key(*key));
        let unused = unused.map(|(key, servers)| target(key, servers, false));
        let mut profiles: Vec<LogTarget> = unused.collect();
        profiles.extend(used.iter().map(|(key, servers)| target(key, servers, true)));
        profiles.sort();
        LogTargets {
            profiles,
            to_panorama: self.to_panorama,
        }
    }
}

fn target((place, kind, name): &Key, servers: &[String], used: bool) -> LogTarget {
    LogTarget {
        place: place.clone(),
        kind: kind.clone(),
        name: name.clone(),
        servers: servers.to_vec(),
        used,
    }
}
