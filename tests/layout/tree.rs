//! The repository as files: which there are, which of them are compiled into the program, and their code without comments and
//! texts. Knows nothing of the rules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file, by its path from the top of the repository.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file with one of these endings, in the order of their paths. What is built, and what tools keep in directories that
/// begin with a dot, is not the repository's.
pub(crate) fn files(endings: &[&str]) -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let built = folder == root && name == "target" || path == root.join("docs/book");
            if path.is_dir() {
                if !name.starts_with('.') && !built {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(File {
                    path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
                    text: std::fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no file ends with any of {endings:?}");
    found
}

/// The code that is compiled into what users run: sources outside of tests and benches, without comments and texts, and
/// without the tests at the end of a file.
pub(crate) fn shipped() -> Vec<File> {
    let all = files(&[".rs"]);
    let only_tests = test_modules(&all);
    let shipped = all.into_iter().filter(|file| {
        let outside = file.path.contains("/benches/") || file.path.starts_with("tests/");
        let tests = file.path.contains("/tests/") || only_tests.contains(&file.path);
        !outside && !tests
    });
    shipped
        .map(|file| File {
            text: without_texts(before_tests(&file.text)),
            path: file.path,
        })
        .collect()
}

/// Files whose `mod` line stands under `#[cfg(test)]`.
fn test_modules(all: &[File]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in all {
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        for pair in lines.windows(2) {
            let declares = pair[1].trim_start_matches("pub(crate) ").strip_prefix("mod ");
            if let (true, Some(name)) = (
                pair[0] == "#[cfg(test)]",
                declares.and_then(|rest| rest.strip_suffix(';')),
            ) {
                let folder = file.path.trim_end_matches(".rs").trim_end_matches("/lib");
                found.insert(format!("{folder}/{name}.rs"));
            }
        }
    }
    found
}

/// The file up to its own tests, which stand at its end.
pub(crate) fn before_tests(text: &str) -> &str {
    let tests = text.match_indices("#[cfg(test)]\n").find(|(at, marker)| {
        let next = text[at + marker.len()..].lines().next().unwrap_or_default();
        next.contains("mod ") && next.ends_with('{')
    });
    tests.map_or(text, |(at, _)| &text[..at])
}

/// Code with every comment and every text blanked, so that what is only talked about does not count. Lines stay lines.
pub(crate) fn without_texts(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (length, keep) = token(rest, first);
        let (taken, left) = rest.split_at(length);
        if keep {
            out.push_str(taken);
        } else {
            out.extend(taken.chars().filter(|character| *character == '\n'));
        }
        rest = left;
    }
    out
}

/// Length of what `rest` begins with, and whether it is code.
fn token(rest: &str, first: char) -> (usize, bool) {
    let to_end_of_line = || rest.find('\n').unwrap_or(rest.len());
    match first {
        '/' if rest.starts_with("//") => (to_end_of_line(), false),
        '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), false),
        'r' if rest.starts_with("r\"") || rest.starts_with("r#") => match raw_text(rest) {
            Some(length) => (length, false),
            None => (1, true),
        },
        '"' => (text_length(rest), false),
        '\'' => match character_length(rest) {
            Some(length) => (length, false),
            None => (1, true),
        },
        other => (other.len_utf8(), true),
    }
}

fn raw_text(rest: &str) -> Option<usize> {
    let hashes = rest[1..]
        .chars()
        .take_while(|character| *character == '#')
        .count();
    rest[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    Some(body + rest[body..].find(&end)? + end.len())
}

fn text_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `'x'` and `'\n'` are characters, `'a` is a lifetime.
fn character_length(rest: &str) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        return rest[2..]
            .char_indices()
            .skip(1)
            .find(|(_, one)| *one == '\'')
            .map(|(at, _)| at + 3);
    }
    let (at, second) = characters.next()?;
    (second == '\'').then_some(at + 1)
}

/// Fails with everything that breaks the rule, and with what to do about it.
pub(crate) fn rule(what_to_do: &str, broken: &[String]) {
    assert!(
        broken.is_empty(),
        "\n{}\n\nWhat to do: {what_to_do}\n",
        broken.join("\n")
    );
}

#[test]
fn comments_and_texts_are_blanked_and_code_is_kept() {
    let code = "let a = \"tokio \\\" x\"; // tokio\nlet b = r#\"tokio \"x\" \"#; let c = '\"'; fn d<'a>(_: &'a str) {} '\\'' /* tokio */ done";
    let left = without_texts(code);
    assert!(!left.contains("tokio"), "{left}");
    assert!(
        left.contains("fn d<'a>(_: &'a str) {}") && left.ends_with("done"),
        "{left}"
    );
    assert_eq!(left.lines().count(), code.lines().count());
}

#[test]
fn tests_at_the_end_of_a_file_are_not_shipped() {
    let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
    assert_eq!(before_tests(text), "fn a() {}\n\n");
    let declared = "#[cfg(test)]\nmod tests;\nfn a() {}\n";
    assert_eq!(before_tests(declared), declared);
    assert!(shipped().iter().all(|file| !file.path.ends_with("/tests.rs")));
    assert!(
        shipped()
            .iter()
            .any(|file| file.path == "engine/hopgate/src/driver/act.rs")
    );
}
