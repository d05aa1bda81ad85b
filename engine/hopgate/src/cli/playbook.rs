//! `hopgate playbook`: writing a playbook with no device at hand. Must not know: devices, campaigns, the journal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hopgate_playbooks::{Facts, Finding, Mode, Playbook, Severity, Verdict};
use serde_json::Value;

use super::say;
use crate::checks;
use crate::failure::{Exit, Failure};

/// What can be done with playbooks.
#[derive(Debug, Subcommand)]
pub(super) enum PlaybookCommand {
    /// Write a playbook to begin with, every key of it explained.
    #[command(after_help = "Example: hopgate playbook new mine.yaml")]
    New {
        /// The file. It must not be there yet.
        file: PathBuf,
    },
    /// Find the mistakes of playbooks: where, the nearest right name, and what the facts look like there.
    #[command(after_help = "Example: hopgate playbook lint mine.yaml")]
    Lint {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Run a playbook over recorded facts, and hold the verdicts against the expected ones where they stand beside.
    #[command(after_help = TEST_HELP)]
    Test(TestArgs),
    /// List the built-in playbooks.
    #[command(after_help = "Example: hopgate playbook list")]
    List,
    /// Print a built-in playbook: to read it, or to make one's own of it.
    #[command(after_help = "Example: hopgate playbook show optics")]
    Show {
        /// Its name.
        name: String,
    },
    /// Print the format of playbooks as JSON Schema, for editors.
    #[command(after_help = "Example: hopgate playbook schema > playbook.schema.json")]
    Schema,
}

const TEST_HELP: &str = "\
Example: hopgate playbook test mine.yaml --against recorded

The directory holds facts as `hopgate audit --json` writes them, in files that end in .json. Beside fw1.json, a file
fw1.expect.yaml can say what is expected, by check, or by check and subject:
  room-for-reports: pass
  raid-complete: inconclusive
  ha-links-up@ha1: fail";

/// `hopgate playbook test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The playbook: a built-in name or a file.
    playbook: String,
    /// The directory of recorded facts.
    #[arg(long, value_name = "DIR")]
    against: PathBuf,
    /// A setting of the playbook.
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
}

/// `name=value`.
fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("\"{text}\" is not NAME=VALUE"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Why a playbook could not be worked with.
#[derive(Debug, thiserror::Error)]
enum PlaybookFileError {
    #[error("failed to read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to understand {} as recorded facts", path.display())]
    Facts {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("failed to understand {} as expected verdicts", path.display())]
    Expected {
        path: PathBuf,
        #[source]
        source: Box<serde_saphyr::Error>,
    },
}

impl From<PlaybookFileError> for Failure {
    fn from(error: PlaybookFileError) -> Self {
        let code = match error {
            PlaybookFileError::Read { .. } | PlaybookFileError::Write { .. } => "C001",
            PlaybookFileError::Facts { .. } | PlaybookFileError::Expected { .. } => "C002",
        };
        Failure::new(
            code,
            "hopgate playbook test --help says which files are read",
            error,
        )
    }
}

/// Runs a command.
pub(super) fn playbook(command: PlaybookCommand) -> Result<Exit, Failure> {
    match command {
        PlaybookCommand::New { file } => new(&file),
        PlaybookCommand::Lint { files } => lint(&files),
        PlaybookCommand::Test(args) => test(&args),
        PlaybookCommand::List => list(),
        PlaybookCommand::Show { name } => show(&name),
        PlaybookCommand::Schema => {
            say(Playbook::schema());
            Ok(Exit::Success)
        }
    }
}

fn new(file: &Path) -> Result<Exit, Failure> {
    let wrong = |source| PlaybookFileError::Write {
        path: file.to_owned(),
        source,
    };
    // Somebody's work of an afternoon must not be written over.
    let mut opened = std::fs::File::create_new(file).map_err(wrong)?;
    std::io::Write::write_all(&mut opened, Playbook::template().as_bytes()).map_err(wrong)?;
    say(&format!(
        "{} is written; hopgate playbook lint {0} checks it",
        file.display()
    ));
    Ok(Exit::Success)
}

fn read(path: &Path) -> Result<String, PlaybookFileError> {
    std::fs::read_to_string(path).map_err(|source| PlaybookFileError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Every mistake is a line of output: there may be several, and editors read them.
fn lint(files: &[PathBuf]) -> Result<Exit, Failure> {
    let mut mistakes = 0;
    for file in files {
        let found = Playbook::lint(&file.display().to_string(), &read(file)?);
        for mistake in &found {
            say(&mistake.to_string());
        }
        if found.is_empty() {
            say(&format!("{}: no mistakes", file.display()));
        }
        mistakes += found.len();
    }
    Ok(if mistakes == 0 {
        Exit::Success
    } else {
        Exit::Failure
    })
}

fn builtin(name: &str) -> Result<Playbook, Failure> {
    let known = || Playbook::builtin_names().collect::<Vec<_>>().join(", ");
    match Playbook::builtin(name) {
        Some(Ok(playbook)) => Ok(playbook),
        Some(Err(error)) => Err(Failure::new("C006", "this is a defect of hopgate", error)),
        None => Err(Failure::unknown(
            format!("there is no built-in playbook {name}"),
            format!("there are {}", known()),
        )),
    }
}

fn list() -> Result<Exit, Failure> {
    let mut out = String::new();
    for name in Playbook::builtin_names() {
        let playbook = builtin(name)?;
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{name}: {}", playbook.title());
        for (name, value) in playbook.settings() {
            let _ = writeln!(out, "  --with {name}={value}");
        }
        for check in playbook.checks() {
            let severity = match check.severity {
                Severity::Block => "block",
                Severity::Warn => "warn",
                Severity::Info => "info",
            };
            let trial = match check.mode {
                Mode::Observe => ", on trial",
                Mode::Enforce => "",
            };
            let _ = writeln!(out, "  {:<36} {severity}{trial}: {}", check.id, check.title);
        }
    }
    say(&out);
    Ok(Exit::Success)
}

fn show(name: &str) -> Result<Exit, Failure> {
    builtin(name)?;
    say(Playbook::builtin_text(name).unwrap_or_default());
    Ok(Exit::Success)
}

fn test(args: &TestArgs) -> Result<Exit, Failure> {
    let mut playbook = checks::playbook(&args.playbook, Path::new(""))?;
    for (name, value) in &args.settings {
        playbook = playbook
            .with_typed(name, value)
            .map_err(|error| Failure::new("C006", "hopgate playbook list shows the settings", error))?;
    }
    let (mut out, mut wrong, mut devices) = (String::new(), 0, 0);
    for path in recorded(&args.against)? {
        let expected = expected(&path)?;
        for facts in facts(&path)? {
            devices += 1;
            let _ = writeln!(out, "{}", facts.device);
            wrong += report(&playbook.evaluate(&facts, None), expected.as_ref(), &mut out);
        }
    }
    let _ = writeln!(out, "{devices} devices, {wrong} verdicts other than expected");
    say(&out);
    Ok(match (devices, wrong) {
        // A test that looks at nothing has not passed.
        (0, _) => Exit::Failure,
        (_, 0) => Exit::Success,
        _ => Exit::Attention,
    })
}

/// The files of recorded facts of a directory, by name.
fn recorded(directory: &Path) -> Result<Vec<PathBuf>, PlaybookFileError> {
    let wrong = |source| PlaybookFileError::Read {
        path: directory.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The facts in a file: of one device, of a list of them, or of an audit.
fn facts(path: &Path) -> Result<Vec<Facts>, PlaybookFileError> {
    let wrong = |source| PlaybookFileError::Facts {
        path: path.to_owned(),
        source,
    };
    let value: Value = serde_json::from_str(&read(path)?).map_err(wrong)?;
    let listed = match value {
        Value::Array(listed) => listed,
        Value::Object(mut fields) => match fields.remove("devices") {
            Some(Value::Array(listed)) => listed,
            _ => vec![Value::Object(fields)],
        },
        other => vec![other],
    };
    let one = |mut device: Value| {
        let facts = device.get_mut("facts").map_or(Value::Null, Value::take);
        serde_json::from_value(if facts.is_null() { device } else { facts }).map_err(wrong)
    };
    listed.into_iter().map(one).collect()
}

/// What is expected of a file's facts: verdicts by check, or by check and subject.
fn expected(path: &Path) -> Result<Option<BTreeMap<String, String>>, PlaybookFileError> {
    let path = path.with_extension("expect.yaml");
    if !path.is_file() {
        return Ok(None);
    }
    serde_saphyr::from_str(&read(&path)?)
        .map(Some)
        .map_err(|source| PlaybookFileError::Expected {
            path,
            source: Box::new(source),
        })
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive { .. } => "inconclusive",
        Verdict::Error { .. } => "error",
        Verdict::Waived { .. } => "waived",
    }
}

/// Writes a line a finding, and counts the verdicts that are not the expected ones, or that are expected and missing.
fn report(findings: &[Finding], expected: Option<&BTreeMap<String, String>>, out: &mut String) -> usize {
    let (mut wrong, mut seen) = (0, Vec::new());
    for finding in findings {
        let named = match &finding.subject {
            Some(subject) => format!("{}@{subject}", finding.check),
            None => finding.check.clone(),
        };
        let verdict = word(&finding.verdict);
        let wanted = expected.and_then(|expected| {
            expected
                .get_key_value(&named)
                .or_else(|| expected.get_key_value(&finding.check))
        });
        let other = match wanted {
            Some((name, wanted)) => {
                seen.push(name.clone());
                if wanted == verdict {
                    String::new()
                } else {
                    wrong += 1;
                    format!(" (expected {wanted})")
                }
            }
            None => String::new(),
        };
        let _ = writeln!(out, "  {verdict:<12} {named}{other}: {}", finding.message);
    }
    let missing = expected
        .into_iter()
        .flatten()
        .filter(|(name, _)| !seen.contains(name));
    for (name, wanted) in missing {
        wrong += 1;
        let _ = writeln!(out, "  no finding   {name} (expected {wanted})");
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &str = r#"{"device": "fw1", "read_at": "2026-03-01T00:00:00Z",
        "system": {"unknown": "silent"}, "software": {"unknown": "silent"}, "jobs": {"known": []},
        "ha": {"unknown": "silent"}, "disks": {"known": [{"mount": "/", "size_mb": 100, "available_mb": 1}]},
        "partitions": {"unknown": "silent"}, "pending_changes": {"known": true}, "optics": {"unknown": "silent"},
        "locks": {"known": []}}"#;

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("hopgate-playbook-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        directory
    }

    fn run(directory: &Path, settings: &[&str]) -> Exit {
        let args = TestArgs {
            playbook: "after".to_owned(),
            against: directory.to_owned(),
            settings: settings.iter().map(|text| setting(text).unwrap()).collect(),
        };
        test(&args).unwrap()
    }

    #[test]
    fn recorded_facts_are_held_against_what_is_expected() {
        let directory = directory("test");
        assert_eq!(run(&directory, &[]), Exit::Failure);
        std::fs::write(directory.join("one.json"), FACTS).unwrap();
        let audit =
            format!(r#"{{"devices": [{{"device": "fw1", "facts": {FACTS}}}, {{"facts": {FACTS}}}]}}"#);
        std::fs::write(directory.join("audit.json"), audit).unwrap();
        assert_eq!(run(&directory, &[]), Exit::Success);
        let expect = |text: &str| std::fs::write(directory.join("one.expect.yaml"), text).unwrap();
        expect("disks-not-full@/: fail\nauto-commit-succeeded: pass\nha-in-service: inconclusive\n");
        assert_eq!(run(&directory, &[]), Exit::Success);
        expect("disks-not-full@/: pass\n");
        assert_eq!(run(&directory, &[]), Exit::Attention);
        expect("disks-not-full@/opt: fail\n");
        assert_eq!(run(&directory, &[]), Exit::Attention);
        expect("[");
        assert!(expected(&directory.join("one.json")).is_err());
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn the_template_is_written_once_and_has_no_mistakes() {
        let directory = directory("new");
        let file = directory.join("mine.yaml");
        assert_eq!(new(&file).unwrap(), Exit::Success);
        assert_eq!(lint(std::slice::from_ref(&file)).unwrap(), Exit::Success);
        assert!(new(&file).is_err());
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("disk.available_mb", "disk.avialable_mb")).unwrap();
        assert_eq!(lint(&[file]).unwrap(), Exit::Failure);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
