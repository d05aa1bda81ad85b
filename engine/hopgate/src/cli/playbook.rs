//! `hopgate playbook`: writing a playbook with no device at hand. Must not know: devices, campaigns, the journal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Subcommand};
use hopgate_core::window::worst_minutes;
use hopgate_paths::{Catalogue, Graph, InvalidVersion, Version};
use hopgate_playbooks::{Fact, Facts, Finding, HopContext, Mode, Playbook, Rules, Severity};
use serde_json::Value;

use super::say;
use crate::catalogue;
use crate::checks::choice::{self, Choice};
use crate::checks::{self, DIFFERENCES};
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

  hopgate playbook test licences --with warn_days=60 --against recorded
  hopgate playbook test readiness --hop 10.1.14..10.2.0 --against recorded

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
    #[arg(long = "with", value_name = "SETTING=VALUE")]
    settings: Vec<Choice>,
    /// The hop that the devices are about to make, for checks that look at it.
    #[arg(long, value_name = "FROM..TO")]
    hop: Option<Tried>,
    /// Overlay of the release catalogue, for the hop and for what to think of modules; may be given several times.
    #[arg(long = "catalogue", value_name = "FILE")]
    overlays: Vec<PathBuf>,
}

/// A hop to try: what a device needs for it depends on its model.
#[derive(Debug, Clone, Copy)]
struct Tried {
    from: Version,
    to: Version,
}

impl FromStr for Tried {
    type Err = String;

    /// `10.1.14..10.2.0`, or with an arrow between them, which a shell takes for itself where it is not quoted.
    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text
            .split_once("..")
            .or_else(|| text.split_once("->"))
            .ok_or_else(|| format!("{text:?} is not FROM..TO, such as 10.1.14..10.2.0"))?;
        let release = |text: &str| {
            text.trim()
                .parse()
                .map_err(|error: InvalidVersion| error.to_string())
        };
        Ok(Tried {
            from: release(from)?,
            to: release(to)?,
        })
    }
}

impl Tried {
    /// The hop as it would be planned for a device, or why it would not.
    fn hop(self, facts: &Facts, catalogue: &Catalogue) -> Result<HopContext, String> {
        let Tried { from, to } = self;
        let system = match &facts.system {
            Fact::Known(system) => system,
            Fact::Unknown(why) => return Err(format!("its model is not known: {why}")),
        };
        let graph = Graph::new(catalogue, &system.model).map_err(|unknown| unknown.to_string())?;
        let route = graph
            .route(from, to, &[])
            .map_err(|refused| refused.to_string())?;
        match route.hops.as_slice() {
            [hop] => Ok(HopContext::from(hop).lasting(worst_minutes(hop))),
            hops => {
                let stops: Vec<String> = hops.iter().map(|hop| hop.to.to_string()).collect();
                Err(format!(
                    "{from} to {to} is {} hops on a {}: {from} -> {}",
                    hops.len(),
                    system.model,
                    stops.join(" -> ")
                ))
            }
        }
    }
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
    if name == DIFFERENCES {
        say(Rules::builtin_text());
        return Ok(Exit::Success);
    }
    builtin(name)?;
    say(Playbook::builtin_text(name).unwrap_or_default());
    Ok(Exit::Success)
}

fn test(args: &TestArgs) -> Result<Exit, Failure> {
    let catalogue = catalogue::load(&args.overlays, Path::new(""))?;
    let loaded = checks::load(&args.playbook, Path::new(""), &catalogue)?;
    let chosen = choice::choose(vec![loaded], &args.settings)?;
    let Some(playbook) = chosen.iter().find_map(|hashed| hashed.asked.playbook()) else {
        return Err(Failure::unknown(
            format!("{} is no playbook", args.playbook),
            "hopgate path and hopgate audit --to hold advisories against devices",
        ));
    };
    let (mut out, mut wrong, mut devices, mut without_hop) = (String::new(), 0, 0, 0);
    for path in recorded(&args.against)? {
        let expected = expected(&path)?;
        for mut facts in facts(&path)? {
            devices += 1;
            let _ = writeln!(out, "{}", facts.device);
            let hop = args.hop.map(|tried| tried.hop(&facts, &catalogue));
            if let Some(Err(why)) = &hop {
                without_hop += 1;
                let _ = writeln!(out, "  no such hop: {why}");
            }
            let hop = hop.and_then(Result::ok);
            if !args.overlays.is_empty() || hop.is_some() {
                facts.judge_modules(&catalogue, hop.as_ref().map(|hop| hop.to));
            }
            wrong += report(
                &playbook.evaluate(&facts, hop.as_ref()),
                expected.as_ref(),
                &mut out,
            );
        }
    }
    let _ = writeln!(out, "{devices} devices, {wrong} verdicts other than expected");
    if without_hop > 0 {
        let _ = writeln!(out, "{without_hop} of them cannot make the hop");
    }
    say(&out);
    Ok(match (devices, wrong + without_hop) {
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

/// Writes a line a finding, and counts the verdicts that are not the expected ones, or that are expected and missing.
fn report(findings: &[Finding], expected: Option<&BTreeMap<String, String>>, out: &mut String) -> usize {
    let (mut wrong, mut seen) = (0, Vec::new());
    for finding in findings {
        let named = match &finding.subject {
            Some(subject) => format!("{}@{subject}", finding.check),
            None => finding.check.to_string(),
        };
        let verdict = finding.verdict.word();
        let wanted = expected.and_then(|expected| {
            expected
                .get_key_value(&named)
                .or_else(|| expected.get_key_value(&*finding.check))
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
            settings: settings.iter().map(|text| text.parse().unwrap()).collect(),
            hop: None,
            overlays: Vec::new(),
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
    fn a_check_about_a_hop_is_tried_on_the_hop_that_the_model_would_make() {
        let facts = |model: &str| -> Facts {
            let system = format!(
                r#"{{"known": {{"hostname": "fw1", "model": "{model}", "serial": "1", "sw_version": "10.1.14-h9",
                    "app_version": "8676-7858", "uptime_seconds": 5, "operational_mode": null, "multi_vsys": false}}}}"#
            );
            let stored = FACTS.replacen(r#"{"unknown": "silent"}"#, &system, 1);
            serde_json::from_str(&stored).unwrap()
        };
        let catalogue = Catalogue::embedded().unwrap();
        let tried = |text: &str, facts: &Facts| {
            let hop = text.parse::<Tried>()?.hop(facts, catalogue)?;
            let downloads: Vec<String> = hop.downloads.iter().map(ToString::to_string).collect();
            Ok::<_, String>(format!(
                "{} to {} with {}",
                hop.from,
                hop.to,
                downloads.join(", ")
            ))
        };
        let fw = facts("PA-850");
        insta::assert_snapshot!(tried("10.1.14..10.2.7", &fw).unwrap(), @"10.1.14 to 10.2.7 with 10.2.0, 10.2.7");
        assert_eq!(tried("10.1.14->10.2.7", &fw), tried("10.1.14..10.2.7", &fw));
        insta::assert_snapshot!(tried("9.1.16..10.2.7", &fw).unwrap_err(), @"9.1.16 to 10.2.7 is 4 hops on a PA-850: 9.1.16 -> 9.1.19 -> 10.0.12-h5 -> 10.1.14-h9 -> 10.2.7");
        insta::assert_snapshot!(tried("10.2.7..10.1.14", &fw).unwrap_err(), @"from 10.2.7 to 10.1.14 is a downgrade, which has to be asked for; the quicker way back from a hop is the other partition");
        insta::assert_snapshot!(tried("10.1.14..10.2.7", &facts("PA-9")).unwrap_err(), @r#"the release catalogue has no model "PA-9" (nearest: PA-VM, PA-200, PA-220)"#);
        insta::assert_snapshot!(tried("10.1.14..10.2.7", &serde_json::from_str(FACTS).unwrap()).unwrap_err(), @"its model is not known: silent");
        insta::assert_snapshot!(tried("10.1.14-", &fw).unwrap_err(), @r#""10.1.14-" is not FROM..TO, such as 10.1.14..10.2.0"#);
        insta::assert_snapshot!(tried("10.1.14..10.2", &fw).unwrap_err(), @r#""10.2" is not a PAN-OS version: the maintenance number is missing (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)"#);
        let directory = directory("hop");
        let stored = serde_json::to_string(&fw).unwrap();
        std::fs::write(directory.join("one.json"), stored).unwrap();
        let run = |hop: Option<&str>| {
            test(&TestArgs {
                playbook: "readiness".to_owned(),
                against: directory.clone(),
                settings: Vec::new(),
                hop: hop.map(|hop| hop.parse().unwrap()),
                overlays: Vec::new(),
            })
            .unwrap()
        };
        // The list of images could not be read, so what the hop needs on disk is not known; without a hop it says that.
        let expect = "disk-space: inconclusive\ncontent-new-enough: pass\n";
        std::fs::write(directory.join("one.expect.yaml"), expect).unwrap();
        assert_eq!(run(Some("10.1.14-h9..10.2.7")), Exit::Success);
        assert_eq!(run(None), Exit::Attention);
        assert_eq!(run(Some("10.2.7..10.1.14")), Exit::Attention);
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
