//! Which room may know which. Cargo enforces most of it; this file keeps the table that Cargo's files have to agree with, and
//! the finer rules inside a crate.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{File, root, rule, shipped};

/// Every crate: its folder, its name, and the crates of this workspace that it may depend on.
const ROOMS: &[(&str, &str, &[&str])] = &[
    ("paths", "hopgate-paths", &[]),
    ("playbooks", "hopgate-playbooks", &["hopgate-paths"]),
    (
        "engine/core",
        "hopgate-core",
        &["hopgate-paths", "hopgate-playbooks"],
    ),
    (
        "engine/panos",
        "hopgate-panos",
        &["hopgate-paths", "hopgate-playbooks"],
    ),
    (
        "engine/hopgate",
        "hopgate",
        &[
            "hopgate-core",
            "hopgate-panos",
            "hopgate-paths",
            "hopgate-playbooks",
            "panos-simulator",
        ],
    ),
    ("simulator", "panos-simulator", &[]),
    (
        "tests",
        "hopgate-tests",
        &[
            "hopgate",
            "hopgate-core",
            "hopgate-panos",
            "hopgate-paths",
            "hopgate-playbooks",
            "panos-simulator",
        ],
    ),
    (
        "tests/fuzz",
        "hopgate-fuzz",
        &["hopgate", "hopgate-panos", "hopgate-paths", "hopgate-playbooks"],
    ),
];

/// All that the deciding crates may link: nothing that does I/O, keeps time or draws lots.
const PURE: &[(&str, &[&str])] = &[
    ("paths", &["petgraph", "serde", "thiserror", "toml"]),
    (
        "playbooks",
        &[
            "cel",
            "hopgate-paths",
            "jiff",
            "serde",
            "serde-saphyr",
            "serde_json",
            "thiserror",
        ],
    ),
    (
        "engine/core",
        &[
            "hopgate-paths",
            "hopgate-playbooks",
            "jiff",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
        ],
    ),
];

/// Names of what the deciding crates must not touch, of the standard library and around it.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "tracing",
    "rand::",
    "HashMap",
    "HashSet",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::io",
];

/// Names by which a clock is read or waited on.
const CLOCKS: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "tokio::time",
    "thread::sleep",
];

/// Keys of a section of a manifest.
fn section(folder: &str, name: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let mut keys = BTreeSet::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            assert!(
                !line.starts_with(&format!("[{name}.")),
                "{folder}: a table a dependency is not read here"
            );
            inside = line == format!("[{name}]");
        } else if inside && let Some((key, _)) = line.split_once('=') {
            keys.insert(key.trim().split('.').next().unwrap().to_owned());
        }
    }
    keys
}

/// Where `code` uses one of `names`, as whole words.
fn uses<'n>(code: &str, names: &[&'n str]) -> Vec<(usize, &'n str)> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for name in names {
            let word = |at: usize| {
                let before = line[..at].chars().next_back();
                let after = line[at + name.len()..].chars().next();
                let inside =
                    |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
                (!name.starts_with(|c: char| c.is_alphanumeric()) || !inside(before))
                    && (name.ends_with(':') || name.ends_with('(') || !inside(after))
            };
            if line.match_indices(name).any(|(at, _)| word(at)) {
                found.push((index + 1, *name));
            }
        }
    }
    found
}

/// Uses of `names` in files of `folder` other than `allowed`, and a complaint where an allowed file has none: then the rule
/// guards nothing any more.
fn only_in(files: &[File], folder: &str, names: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut used = BTreeSet::new();
    for file in files.iter().filter(|file| file.path.starts_with(folder)) {
        for (line, name) in uses(&file.text, names) {
            if allowed.contains(&file.path.as_str()) {
                used.insert(file.path.clone());
            } else {
                broken.push(format!("{}:{line} names {name}", file.path));
            }
        }
    }
    for file in allowed {
        if !used.contains(*file) {
            broken.push(format!("{file} does not use any of {names:?} any more"));
        }
    }
    broken
}

#[test]
fn crates_depend_on_each_other_as_the_architecture_says() {
    let names: BTreeSet<&str> = ROOMS.iter().map(|(_, name, _)| *name).collect();
    let mut broken = Vec::new();
    for (folder, _, allowed) in ROOMS {
        let mut linked = BTreeSet::new();
        for part in ["dependencies", "dev-dependencies", "build-dependencies"] {
            linked.extend(section(folder, part));
        }
        let linked: BTreeSet<&str> = linked
            .iter()
            .map(String::as_str)
            .filter(|name| names.contains(name))
            .collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        if linked != allowed {
            broken.push(format!("{folder}: depends on {linked:?}, agreed is {allowed:?}"));
        }
    }
    rule(
        "an arrow between rooms is a decision: change the table in docs/architecture.md and ROOMS here with it, or take the arrow out",
        &broken,
    );
}

#[test]
fn every_crate_of_the_workspace_is_a_room() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = "))
        .unwrap();
    let members: BTreeSet<&str> = members
        .trim_matches(['[', ']'])
        .split(", ")
        .map(|name| name.trim_matches('"'))
        .collect();
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|(folder, _, _)| *folder).collect();
    assert_eq!(
        members, rooms,
        "a new crate needs its row in docs/architecture.md and in ROOMS"
    );
    let names: BTreeMap<&str, &str> = ROOMS.iter().map(|(folder, name, _)| (*folder, *name)).collect();
    for (folder, name) in names {
        let own = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        assert!(
            own.contains(&format!("name = \"{name}\"\n")),
            "{folder} is called {name}"
        );
    }
}

#[test]
fn what_decides_links_nothing_that_acts() {
    let mut broken = Vec::new();
    for (folder, allowed) in PURE {
        let linked = section(folder, "dependencies");
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        broken.extend(
            linked
                .difference(&allowed)
                .map(|name| format!("{folder} links {name}")),
        );
    }
    rule(
        "give the deciding crate a value instead, and let engine/hopgate fetch it; a new pure library goes into PURE with a look at what it does",
        &broken,
    );
}

#[test]
fn what_decides_touches_nothing_outside() {
    let files = shipped();
    let mut broken = Vec::new();
    for folder in ["paths/src", "engine/core/src"] {
        broken.extend(only_in(&files, folder, IMPURE, &[]));
    }
    // The interpreter's own map type is a HashMap; nothing of ours is kept in it.
    broken.extend(only_in(
        &files,
        "playbooks/src",
        IMPURE,
        &["playbooks/src/values.rs"],
    ));
    rule(
        "take a value instead of reading it, and a BTreeMap instead of a HashMap: the same input must give the same decision",
        &broken,
    );
}

#[test]
fn only_the_clock_files_read_a_clock() {
    let clocks = ["engine/hopgate/src/clock.rs", "simulator/src/clock.rs"];
    rule(
        "take the instant as a value, or the Clock where something has to wait: a bare clock ignores simulated time",
        &only_in(&shipped(), "", CLOCKS, &clocks),
    );
}

#[test]
fn only_one_file_knows_the_storage_engine() {
    let mut broken = Vec::new();
    for file in shipped() {
        for (index, line) in file.text.lines().enumerate() {
            let of_the_crate = line
                .match_indices("sled::")
                .any(|(at, _)| !line[..at].ends_with(':'));
            if (of_the_crate || line.trim() == "use sled;")
                && file.path != "engine/hopgate/src/journal/sled.rs"
            {
                broken.push(format!("{}:{} names the crate sled", file.path, index + 1));
            }
        }
    }
    rule(
        "use the Journal trait; what sled needs to be safe is kept in engine/hopgate/src/journal/sled.rs and nowhere else",
        &broken,
    );
}

#[test]
fn only_one_file_sends_what_changes_a_device() {
    let files = shipped();
    let changing = [
        ".download(",
        ".install(",
        ".suspend(",
        ".functional(",
        ".restart(",
    ];
    let act = "engine/hopgate/src/driver/act.rs";
    let mut broken = only_in(&files, "engine/hopgate/src", &changing, &[act]);
    // And that file is called from the loop alone, at one place, after the intent was appended.
    broken.extend(only_in(
        &files,
        "engine/hopgate/src",
        &["hands.send("],
        &["engine/hopgate/src/driver.rs"],
    ));
    let driver = files
        .iter()
        .find(|file| file.path == "engine/hopgate/src/driver.rs")
        .unwrap();
    let sends = driver.text.matches("hands.send(").count();
    if sends != 1 {
        broken.push(format!(
            "engine/hopgate/src/driver.rs sends at {sends} places, agreed is 1"
        ));
    }
    rule(
        "let the device machine decide an Effect::Send: its intent is then durable before anything leaves",
        &broken,
    );
}

#[test]
fn only_what_simulates_names_the_simulator() {
    let may = [
        "engine/hopgate/src/demo.rs",
        "engine/hopgate/src/in_process.rs",
        "engine/hopgate/src/simulate.rs",
        "engine/hopgate/src/simulate/twin.rs",
    ];
    rule(
        "a real campaign must not know that a simulator exists: go through simulate.rs or the Transport",
        &only_in(&shipped(), "engine", &["panos_simulator"], &may),
    );
}

#[test]
fn words_are_found_whole() {
    let code = "use std::fs;\nlet my_rand = strand::x();\nlet a: HashMapLike;\nrand::random()";
    assert_eq!(
        uses(code, &["std::fs", "rand::", "HashMap"]),
        [(1, "std::fs"), (4, "rand::")]
    );
}
