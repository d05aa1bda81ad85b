//! What every source file looks like: it says what it is for, stays short, and is named after the domain.

use std::collections::BTreeSet;

use crate::tree::{before_tests, files, root, rule, shipped};

/// Most lines of a file without its tests: what one person can keep in mind at once.
const FILE_LINES: usize = 600;

/// Most lines of a function. The style asks for 70; a table of transitions with one line a case may be longer.
const FUNCTION_LINES: usize = 90;

/// Most lines of a `fmt`: the sentences of a whole vocabulary are read best in one table.
const SENTENCES_LINES: usize = 120;

/// What may lie at the top, besides files that begin with a dot, README and LICENSE.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "docs",
    "engine",
    "paths",
    "playbooks",
    "simulator",
    "target",
    "tests",
];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] = &[
    "common", "helper", "helpers", "misc", "shared", "stuff", "types", "util", "utils",
];

#[test]
fn every_file_begins_with_what_it_is_for() {
    let broken: Vec<String> = files(&[".rs"])
        .into_iter()
        .filter(|file| {
            let said = file
                .text
                .lines()
                .next()
                .and_then(|first| first.strip_prefix("//! "));
            // Two words say something; one repeats the file's name.
            said.is_none_or(|said| said.split_whitespace().count() < 2)
        })
        .map(|file| file.path)
        .collect();
    rule(
        "begin the file with `//!` lines: what it is responsible for, and what it must not know",
        &broken,
    );
}

#[test]
fn files_stay_short() {
    let shipped: BTreeSet<String> = shipped().into_iter().map(|file| file.path).collect();
    let broken: Vec<String> = files(&[".rs"])
        .into_iter()
        .filter(|file| shipped.contains(&file.path))
        .map(|file| (before_tests(&file.text).lines().count(), file.path))
        .filter(|(lines, _)| *lines > FILE_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines without its tests, at most {FILE_LINES}"))
        .collect();
    rule(
        "split it along what it knows, and name the parts after the domain",
        &broken,
    );
}

#[test]
fn functions_stay_short() {
    let mut broken = Vec::new();
    for file in shipped() {
        for (name, line, length) in functions(&file.text) {
            let most = if name == "fmt" {
                SENTENCES_LINES
            } else {
                FUNCTION_LINES
            };
            if length > most {
                broken.push(format!(
                    "{}:{line} {name} has {length} lines, at most {most}",
                    file.path
                ));
            }
        }
    }
    rule(
        "give the parts names: a match arm with work in it calls a function",
        &broken,
    );
}

/// Name, first line and length of every function with a body. Formatted code closes a body at the indentation it began with.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let Some(at) = trimmed.find("fn ") else { continue };
        let words_before = trimmed[..at].split_whitespace();
        let is_function = words_before.clone().all(|word| {
            word.starts_with("pub")
                || matches!(word, "async" | "const" | "extern" | "in" | "crate)" | "super)")
        });
        let name: String = trimmed[at + 3..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if !is_function || name.is_empty() {
            continue;
        }
        let close = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let end = lines[index..].iter().position(|later| *later == close);
        let declared = lines[index..].iter().position(|later| later.ends_with(';'));
        match (end, declared) {
            // A declaration in a trait ends before any body begins.
            (Some(end), Some(declared))
                if declared < end
                    && !lines[index..index + declared]
                        .iter()
                        .any(|one| one.ends_with('{')) => {}
            (Some(end), _) => found.push((name, index + 1, end + 1)),
            (None, _) => {}
        }
    }
    found
}

#[test]
fn functions_are_measured_from_their_name_to_their_brace() {
    let text = "trait A {\n    fn a(\n        &self,\n    ) -> B;\n    fn b(&self) {\n        c();\n    }\n}\npub(crate) async fn d(\n    x: u8,\n) {\n}\n";
    let found: Vec<(String, usize)> = functions(text)
        .into_iter()
        .map(|(name, _, length)| (name, length))
        .collect();
    assert_eq!(found, [("b".to_owned(), 3), ("d".to_owned(), 4)]);
}

#[test]
fn names_come_from_the_domain() {
    let broken: Vec<String> = files(&[".rs"])
        .into_iter()
        .filter(|file| {
            let parts = file.path.trim_end_matches(".rs").split('/');
            parts.clone().any(|part| EMPTY_NAMES.contains(&part))
        })
        .map(|file| file.path)
        .collect();
    rule(
        "name it after what is inside: watchdog, window, advisory",
        &broken,
    );
}

#[test]
fn the_top_holds_only_what_is_agreed() {
    let broken: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            let agreed = TOP.contains(&name.as_str()) || name.starts_with('.');
            !agreed && !name.starts_with("README") && !name.starts_with("LICENSE")
        })
        .collect();
    rule(
        "put it into the room it belongs to; the top is a table of contents",
        &broken,
    );
}

#[test]
fn nothing_is_left_for_later_in_a_comment() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("HA", "CK:"),
    ];
    let mut broken = Vec::new();
    for file in files(&[".rs", ".toml", ".yaml", ".md", ".sh"]) {
        for (index, line) in file.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                broken.push(format!("{}:{}", file.path, index + 1));
            }
        }
    }
    rule("do it, or say in docs/limits.md that it is not there", &broken);
}

#[test]
fn nothing_knows_the_machine_it_was_written_on() {
    let places = [concat!("/ho", "me/"), concat!("/ro", "ot/")];
    let mut broken = Vec::new();
    for file in files(&[
        ".rs", ".toml", ".yaml", ".md", ".sh", ".snap", ".svg", ".html", ".css", ".js",
    ]) {
        for (index, line) in file.text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                broken.push(format!("{}:{}", file.path, index + 1));
            }
        }
    }
    rule(
        "use a path relative to the repository, or the system's temporary directory",
        &broken,
    );
}

/// A test program that the script does not name is never run in CI.
#[test]
fn every_test_program_is_run_by_the_script() {
    let script = std::fs::read_to_string(root().join("tests/run.sh")).unwrap();
    let mut programs: BTreeSet<String> = BTreeSet::new();
    for folder in [
        "paths",
        "playbooks",
        "engine/core",
        "engine/panos",
        "engine/hopgate",
        "simulator",
    ] {
        if let Ok(entries) = std::fs::read_dir(root().join(folder).join("tests")) {
            programs.extend(entries.map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.trim_end_matches(".rs").to_owned()
            }));
        }
    }
    let manifest = std::fs::read_to_string(root().join("tests/Cargo.toml")).unwrap();
    let declared = manifest.split("[[test]]").skip(1);
    programs.extend(declared.map(|table| table.split('"').nth(1).unwrap().to_owned()));
    assert!(programs.len() > 6, "{programs:?}");
    let broken: Vec<String> = programs
        .into_iter()
        .filter(|name| !script.contains(&format!("--test {name}")))
        .collect();
    rule("name the test program in a step of tests/run.sh", &broken);
}
