//! What these tests share: a directory with the files of a campaign, commands run in it, and the redaction of what differs
//! from run to run.

use std::path::Path;
use std::time::Duration;

use hopgate_tests::process::{self, Ended, Process, Simulator};
use hopgate_tests::tempdir;

/// Two firewalls and a pair, one release behind.
pub(crate) const FLEET: &str = "\
seed: 3
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
  - {name: fw2, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
  - {name: core-a, model: PA-3220, version: 10.1.14-h9, content: 8900-9000}
  - {name: core-b, model: PA-3220, version: 10.1.14-h9, content: 8900-9000}
pairs:
  - {name: core, members: [core-a, core-b], active: core-a}
";

/// An inventory of two firewalls where nobody listens.
pub(crate) const INVENTORY: &str = "\
defaults:
  credentials: {user: admin, password_from: {env: HOPGATE_SIMULATED_PASSWORD}}
devices:
  - {name: fw1, address: \"127.0.0.1:1\"}
  - {name: fw2, address: \"127.0.0.1:2\"}
";

/// A campaign of one hop, the second wave behind an approval.
pub(crate) const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.7
window: {opens: 2026-03-07T19:00:00Z, closes: 2026-03-08T19:00:00Z}
inventory: inventory.yaml
checks: {before: [readiness], after: [after]}
waves:
  - {name: canary, devices: [fw1]}
  - {name: rest, rest: true, concurrency: 2, approval: true}
";

/// A directory in which commands are run.
pub(crate) struct Desk {
    directory: tempdir::Dir,
}

impl Desk {
    /// With the campaign and an inventory where nobody listens.
    pub(crate) fn new() -> Desk {
        let desk = Desk {
            directory: tempdir::Dir::new(),
        };
        desk.write("campaign.yaml", CAMPAIGN);
        desk.write("inventory.yaml", INVENTORY);
        desk
    }

    /// With the campaign, and the fleet that it is about.
    pub(crate) fn with_fleet(speed: u32) -> (Desk, Simulator) {
        let desk = Desk::new();
        desk.write("fleet.yaml", FLEET);
        let simulator = Simulator::serve(desk.path(), speed);
        (desk, simulator)
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// Changes a file, which has to hold what is changed.
    pub(crate) fn change(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path().join(name)).unwrap();
        assert!(text.contains(from), "{name} does not hold {from:?}:\n{text}");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub(crate) fn start(&self, arguments: &str) -> Process {
        Process::start(&mut process::command(self.path(), words(arguments)))
    }

    pub(crate) fn run(&self, arguments: &str) -> Ended {
        self.start(arguments).wait(Duration::from_secs(120))
    }

    /// Runs a command that has to succeed; its data.
    pub(crate) fn done(&self, arguments: &str) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "hopgate {arguments}: {ended:#?}");
        plain(&ended);
        ended.stdout
    }

    /// Runs a command that has to be refused; what its user reads, redacted.
    pub(crate) fn refused(&self, arguments: &str) -> String {
        let ended = self.run(arguments);
        self.refusal(arguments, &ended)
    }

    /// What the user of a refused command reads, after everything that holds of every refusal was checked: status 1, no
    /// data, one error with a stable code that the documentation can list, and a hint at the end.
    pub(crate) fn refusal(&self, what: &str, ended: &Ended) -> String {
        assert_eq!(ended.code, Some(1), "{what}: {ended:#?}");
        assert_eq!(ended.stdout, "", "{what}: data of a failed command");
        plain(ended);
        let told = &ended.stderr;
        assert_eq!(
            told.matches("error[").count(),
            1,
            "{what}: not one error:\n{told}"
        );
        let code = told
            .strip_prefix("error[")
            .and_then(|rest| rest.get(..4))
            .unwrap_or_default();
        assert!(is_code(code), "{what}: no code:\n{told}");
        assert!(
            told.lines()
                .last()
                .is_some_and(|line| line.starts_with("  hint: ")),
            "{what}: no hint:\n{told}"
        );
        assert!(!told.contains("admin\""), "{what}: may show a secret:\n{told}");
        self.redacted(told)
    }

    pub(crate) fn redacted(&self, text: &str) -> String {
        let here = format!("{}/", self.path().display());
        let text = text
            .replace(&here, "")
            .replace(&self.path().display().to_string(), ".");
        let digits = |c: char| c.is_ascii_digit();
        let text = after(&text, "127.0.0.1:", digits, "PORT");
        let text = after(&text, "pid ", digits, "PID");
        let text = after(&text, "process ", digits, "PID");
        let text = between(&text, "pid PID on ", " since ", "HOST");
        let text = after(&text, " since ", is_of_time, "TIME");
        let text = after(&text, "the plan is now ", |c| c.is_ascii_hexdigit(), "HASH");
        after(&text, "SHA256:", |c| c.is_ascii_hexdigit() || c == ':', "HASH")
    }

    /// The campaign's name in the journal is still free.
    pub(crate) fn has_no_campaign(&self) {
        let refused = self.run("status");
        assert_eq!(refused.code, Some(1), "{refused:#?}");
        assert!(refused.stderr.starts_with("error[A003]"), "{refused:#?}");
    }
}

/// No escape codes where nothing is a terminal.
pub(crate) fn plain(ended: &Ended) {
    assert!(!ended.stdout.contains('\u{1b}'), "{ended:#?}");
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:#?}");
}

/// A code of the command line or of the journal.
fn is_code(code: &str) -> bool {
    let listed = hopgate::failure::CODES.iter().any(|(known, _)| *known == code);
    let of_journal = code
        .strip_prefix('J')
        .is_some_and(|number| number.len() == 3 && number.chars().all(|c| c.is_ascii_digit()));
    listed || of_journal
}

/// Words, with 'several in quotes' as one.
fn words(line: &str) -> Vec<String> {
    line.split('\'')
        .enumerate()
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

fn is_of_time(c: char) -> bool {
    c.is_ascii_digit() || "TZ:.-".contains(c)
}

/// Replaces the run of `member` characters after each `literal`.
fn after(text: &str, literal: &str, member: impl Fn(char) -> bool, name: &str) -> String {
    let mut parts = text.split(literal);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&member);
        out.push_str(literal);
        out.push_str(if rest.len() == part.len() { "" } else { name });
        out.push_str(rest);
    }
    out
}

/// Replaces what stands between two literals.
fn between(text: &str, left: &str, right: &str, name: &str) -> String {
    match text
        .split_once(left)
        .and_then(|(head, rest)| Some((head, rest.split_once(right)?.1)))
    {
        Some((head, tail)) => format!("{head}{left}{name}{right}{tail}"),
        None => text.to_owned(),
    }
}

/// One page of messages, each under what was wrong.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn add(&mut self, what: &str, told: &str) {
        self.0.push_str(&format!("# {what}\n{}\n\n", told.trim_end()));
    }

    pub(crate) fn matches(self, name: &str) {
        insta::with_settings!({
            snapshot_path => "snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name, self.0);
        });
    }
}
