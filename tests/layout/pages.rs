//! The documentation is true: links lead somewhere, files and tests that are named exist, codes are complete, examples are
//! read by the program's own loaders, and commands are commands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hopgate::catalogue;
use hopgate::config::campaign::CampaignFile;
use hopgate::config::inventory::Inventory;
use hopgate::config::panorama::PanoramaFile;
use hopgate::failure::CODES;
use hopgate_playbooks::Playbook;
use hopgate_tests::tempdir;
use panos_simulator::FleetSpec;

use crate::tree::{File, files, root, rule};

/// The pages for people, and the README.
fn pages() -> Vec<File> {
    let pages: Vec<File> = files(&[".md"])
        .into_iter()
        .filter(|file| file.path.starts_with("docs/") || file.path == "README.md")
        .collect();
    assert!(pages.len() > 8, "the documentation is gone");
    pages
}

fn page(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Lines of a page with their numbers, and whether each is inside a fenced block.
fn lines(text: &str) -> Vec<(usize, bool, &str)> {
    let mut fenced = false;
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            (index + 1, fenced || fence, line)
        })
        .collect()
}

/// Targets of the links in a line.
fn links(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("](") {
        if let Some(end) = line[at + 2..].find(')') {
            found.push(&line[at + 2..at + 2 + end]);
        }
    }
    for (at, mark) in line.match_indices("src=\"") {
        if let Some(end) = line[at + mark.len()..].find('"') {
            found.push(&line[at + mark.len()..at + mark.len() + end]);
        }
    }
    found
}

/// The anchors of a page, as mdBook and GitHub make them of headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = lines(text)
        .into_iter()
        .filter(|(_, fenced, line)| !fenced && line.starts_with('#'));
    headings
        .map(|(_, _, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for file in pages() {
        let folder = Path::new(&file.path).parent().unwrap().to_owned();
        for (number, _, line) in lines(&file.text).into_iter().filter(|(_, fenced, _)| !fenced) {
            for link in links(line).into_iter().filter(|link| !link.contains("://")) {
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = if path.is_empty() {
                    file.path.clone()
                } else {
                    folder.join(path).to_str().unwrap().to_owned()
                };
                if !root().join(&target).exists() {
                    broken.push(format!(
                        "{}:{number} links to {link}, which is not there",
                        file.path
                    ));
                } else if !anchor.is_empty() && !anchors(&page(&target)).contains(anchor) {
                    broken.push(format!(
                        "{}:{number} links to {link}, which has no such heading",
                        file.path
                    ));
                }
            }
        }
    }
    rule("correct the link, or write what it leads to", &broken);
}

#[test]
fn the_book_has_every_page_and_no_other() {
    let summary = page("docs/SUMMARY.md");
    let listed: BTreeSet<String> = summary
        .lines()
        .flat_map(links)
        .map(|link| format!("docs/{link}"))
        .collect();
    let written: BTreeSet<String> = pages()
        .into_iter()
        .map(|file| file.path)
        .filter(|path| path.starts_with("docs/") && path != "docs/SUMMARY.md")
        .collect();
    assert_eq!(
        listed, written,
        "docs/SUMMARY.md is the table of contents: list every page"
    );
}

/// What a line shows as code.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether a code span is meant as a file of the repository.
fn is_path(span: &str) -> bool {
    let rooms = [
        "docs/",
        "engine/",
        "paths/",
        "playbooks/",
        "simulator/",
        "tests/",
        ".ci/",
    ];
    rooms.iter().any(|room| span.starts_with(room)) && !span.contains([' ', '*', '<', '{'])
}

#[test]
fn every_file_and_every_test_that_is_named_exists() {
    let mut broken = Vec::new();
    let mut tests_named = 0;
    for file in pages() {
        for (number, _, line) in lines(&file.text).into_iter().filter(|(_, fenced, _)| !fenced) {
            for span in spans(line).filter(|span| is_path(span)) {
                let (path, test) = span
                    .split_once("::")
                    .map_or((span, None), |(path, test)| (path, Some(test)));
                let target = root().join(path);
                if !target.exists() {
                    broken.push(format!("{}:{number} names {path}, which is not there", file.path));
                    continue;
                }
                let Some(test) = test else { continue };
                tests_named += 1;
                let text = std::fs::read_to_string(&target).unwrap();
                if !is_test(&text, test) {
                    broken.push(format!(
                        "{}:{number} names the test {test} of {path}, which is not there",
                        file.path
                    ));
                }
            }
        }
    }
    assert!(tests_named > 40, "the pages hardly name a test any more");
    rule(
        "name the file or test as it is now; where a test is gone, so is what the page promises",
        &broken,
    );
}

/// Whether the file has a test of this name.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = lines
        .iter()
        .position(|line| line.contains(&format!("fn {name}(")));
    declared.is_some_and(|at| {
        let attributes = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.starts_with('#') || line.starts_with("//"));
        attributes
            .into_iter()
            .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

/// Texts in quotes on the lines of `text` that hold `mark`.
fn quoted_after(text: &str, mark: &str) -> BTreeSet<String> {
    let marked = text.lines().filter_map(|line| line.split_once(mark));
    marked
        .filter_map(|(_, rest)| Some(rest.split('"').nth(1)?.to_owned()))
        .collect()
}

/// The rows of every table on a page: first cell without its code marks, and the whole row.
fn rows(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (_, _, line) in lines(text)
        .into_iter()
        .filter(|(_, fenced, line)| !fenced && line.starts_with("| `"))
    {
        let code = spans(line).next().unwrap().to_owned();
        let before = found.insert(code.clone(), line.to_owned());
        assert!(before.is_none(), "{code} has two rows");
    }
    found
}

#[test]
fn every_code_of_the_program_is_on_the_page_and_no_other() {
    let page = page("docs/errors.md");
    let rows = rows(&page);
    let mut broken = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (code, meaning) in CODES {
        known.insert((*code).to_owned());
        if !rows.get(*code).is_some_and(|row| row.contains(meaning)) {
            broken.push(format!("{code}: no row that says \"{meaning}\""));
        }
    }
    let journal = std::fs::read_to_string(root().join("engine/hopgate/src/journal/error.rs")).unwrap();
    let halts = std::fs::read_to_string(root().join("engine/core/src/halt.rs")).unwrap();
    let journal = quoted_after(crate::tree::before_tests(&journal), "Self::")
        .into_iter()
        .filter(|code| {
            code.len() == 4 && code.starts_with('J') && code[1..].bytes().all(|byte| byte.is_ascii_digit())
        });
    known.extend(journal);
    let halt_codes = quoted_after(&halts, "HaltReason::").into_iter();
    known
        .extend(halt_codes.filter(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
    assert!(
        known.len() > 55,
        "the codes are not found in the sources any more: {known:?}"
    );
    for code in &known {
        match rows.get(code) {
            None => broken.push(format!("{code}: no row")),
            Some(row) if row.matches(" | ").count() < 2 || row.contains("| |") => {
                broken.push(format!(
                    "{code}: say what it means, what causes it and what to do"
                ));
            }
            Some(_) => {}
        }
    }
    broken.extend(
        rows.keys()
            .filter(|code| !known.contains(*code))
            .map(|code| format!("{code}: no such code")),
    );
    rule(
        "keep docs/errors.md in step with the codes: a person looks there with a code in hand",
        &broken,
    );
}

/// The fenced blocks that stand under `<!-- example: NAME -->`, over all pages.
fn examples() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in pages() {
        let mut rest = file.text.as_str();
        while let Some((_, after)) = rest.split_once("<!-- example: ") {
            let (name, after) = after.split_once(" -->").unwrap();
            let block = after
                .split_once("```")
                .and_then(|(_, block)| block.split_once('\n'))
                .unwrap()
                .1;
            let (text, left) = block.split_once("\n```").unwrap();
            found.push((name.to_owned(), format!("{text}\n")));
            rest = left;
        }
    }
    found
}

#[test]
fn every_example_is_read_by_the_program() {
    let examples = examples();
    let directory = tempdir::Dir::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, text) in &examples {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        let kind = name.split(['-', '.']).next().unwrap();
        *kinds.entry(kind).or_default() += 1;
        let refused = match kind {
            "inventory" => Inventory::load(&path).err().map(|error| error.to_string()),
            "campaign" => CampaignFile::load(&path).err().map(|error| error.to_string()),
            "panorama" => PanoramaFile::load(&path).err().map(|error| error.to_string()),
            "catalogue" => catalogue::load(std::slice::from_ref(&path), directory.path())
                .err()
                .map(|error| error.to_string()),
            "playbook" => Playbook::parse(name, text).err().map(|error| error.to_string()),
            "fleet" => FleetSpec::parse(name, text).err().map(|error| error.to_string()),
            other => panic!("{name}: nothing reads a {other}"),
        };
        assert_eq!(refused, None, "the example {name} is not one");
    }
    assert_eq!(
        kinds.keys().copied().collect::<Vec<_>>(),
        [
            "campaign",
            "catalogue",
            "fleet",
            "inventory",
            "panorama",
            "playbook"
        ]
    );
}

/// Every key of the complete examples is told about in the guide, and the examples use every key that there is.
#[test]
fn every_key_of_the_files_is_in_the_guide() {
    let guide = page("docs/operator-guide.md");
    let mut broken = Vec::new();
    for source in [
        "engine/hopgate/src/config/inventory.rs",
        "engine/hopgate/src/config/campaign.rs",
        "engine/hopgate/src/config/credentials.rs",
        "engine/hopgate/src/config/panorama.rs",
        "engine/hopgate/src/config/check.rs",
    ] {
        let text = page(source);
        let fields = crate::tree::before_tests(&text).lines().filter_map(|line| {
            let field = line.strip_prefix("    pub ")?.split_once(':')?.0;
            (!field.contains('(') && !field.contains(' ')).then_some(field)
        });
        for field in fields {
            if !guide.contains(&format!("`{field}`")) && !guide.contains(&format!("`{field}: ")) {
                broken.push(format!("{field} of {source}"));
            }
        }
    }
    rule(
        "tell in docs/operator-guide.md what the key means, with an example",
        &broken,
    );
}

/// A variant's name as clap makes a command of it.
fn kebab(variant: &str) -> String {
    let mut command = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !command.is_empty() {
            command.push('-');
        }
        command.push(letter.to_ascii_lowercase());
    }
    command
}

#[test]
fn every_command_that_is_shown_is_a_command() {
    let main = page("engine/hopgate/src/cli.rs");
    let mut cli = main.clone();
    for file in files(&[".rs"]) {
        if file.path.starts_with("engine/hopgate/src/cli/") {
            cli.push_str(&file.text);
        }
    }
    let enums: String = main
        .split("enum ")
        .skip(1)
        .map(|part| part.split("\n}").next().unwrap())
        .collect();
    let commands: BTreeSet<String> = enums
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| kebab(line.split(['(', ',', ' ', '{']).next().unwrap()))
        .collect();
    assert!(commands.len() > 12, "{commands:?}");
    let mut broken = Vec::new();
    let mut shown = BTreeSet::new();
    for file in pages() {
        for (number, fenced, line) in lines(&file.text) {
            let calls: Vec<&str> = if fenced {
                line.trim_start_matches("$ ")
                    .strip_prefix("hopgate ")
                    .into_iter()
                    .collect()
            } else {
                spans(line)
                    .filter_map(|span| span.strip_prefix("hopgate "))
                    .collect()
            };
            for call in calls {
                let mut words = call.split_whitespace();
                let command = words.find(|word| !word.starts_with('-')).unwrap_or_default();
                shown.insert(command.to_owned());
                let has_more = ["journal", "simulate"].contains(&command);
                let below = words.next().filter(|word| has_more && commands.contains(*word));
                shown.extend(below.map(str::to_owned));
                if !commands.contains(command) {
                    broken.push(format!("{}:{number} shows hopgate {command}", file.path));
                }
                for flag in call.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
                    let field = format!("{}:", flag.replace('-', "_"));
                    if !cli.contains(&field) && !cli.contains(&format!("long = \"{flag}\"")) && flag != "help"
                    {
                        broken.push(format!("{}:{number} shows --{flag}", file.path));
                    }
                }
            }
        }
    }
    broken.extend(
        commands
            .difference(&shown)
            .filter(|one| *one != "help")
            .map(|one| format!("hopgate {one} is never shown")),
    );
    rule("show commands as they are (hopgate --help)", &broken);
}

#[test]
fn the_glossary_is_in_order() {
    let glossary = page("docs/glossary.md");
    let terms: Vec<String> = glossary
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| **")?.split_once("**")?.0.to_lowercase()))
        .collect();
    assert!(terms.len() > 30);
    assert!(
        terms.is_sorted(),
        "keep the terms of docs/glossary.md in alphabetical order: {terms:#?}"
    );
}
