//! An audit as JUnit XML: a suite a device, a case a check and what it looked at, for build servers.
//!
//! JUnit knows passed, failed, broken and skipped. What could not be decided is broken and not skipped: build servers
//! count a skipped case as harmless, and unknown is not success.

use std::fmt::Write as _;
use std::path::Path;

use hopgate_playbooks::Verdict;

use super::{Answer, Audit, AuditError, Audited};
use crate::audit::sheet::severity;

/// The whole result as JUnit XML.
pub fn xml(audit: &Audit) -> String {
    let tally = audit
        .devices
        .iter()
        .map(Tally::of)
        .fold(Tally::default(), Tally::and);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into a String cannot fail.
    let _ = writeln!(out, "<testsuites name=\"hopgate audit\" {tally}>");
    for device in &audit.devices {
        suite(&mut out, device, &audit.began.to_string());
    }
    out.push_str("</testsuites>\n");
    out
}

/// Writes it.
pub fn write_junit(audit: &Audit, path: &Path) -> Result<(), AuditError> {
    super::write(path, &xml(audit))
}

/// What the cases of a suite come down to.
#[derive(Default)]
struct Tally {
    cases: usize,
    failed: usize,
    broken: usize,
    skipped: usize,
}

impl Tally {
    fn of(device: &Audited) -> Tally {
        let mut tally = Tally {
            cases: 1,
            broken: usize::from(device.unread.is_some()),
            ..Tally::default()
        };
        for answer in &device.answers {
            tally.cases += 1;
            match ending(answer) {
                Ending::Passed => {}
                Ending::Skipped => tally.skipped += 1,
                Ending::Failed => tally.failed += 1,
                Ending::Broken => tally.broken += 1,
            }
        }
        tally
    }

    fn and(self, other: Tally) -> Tally {
        Tally {
            cases: self.cases + other.cases,
            failed: self.failed + other.failed,
            broken: self.broken + other.broken,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally {
            cases,
            failed,
            broken,
            skipped,
        } = self;
        write!(
            f,
            "tests=\"{cases}\" failures=\"{failed}\" errors=\"{broken}\" skipped=\"{skipped}\""
        )
    }
}

enum Ending {
    Passed,
    Skipped,
    Failed,
    Broken,
}

/// What does not count cannot fail a build: it is skipped, with what it says.
fn ending(answer: &Answer) -> Ending {
    match answer.finding.verdict {
        Verdict::Pass => Ending::Passed,
        Verdict::Waived { .. } => Ending::Skipped,
        _ if !answer.counts() => Ending::Skipped,
        Verdict::Fail => Ending::Failed,
        Verdict::Inconclusive { .. } | Verdict::Error { .. } => Ending::Broken,
    }
}

fn suite(out: &mut String, device: &Audited, began: &str) {
    let tally = Tally::of(device);
    let name = Attribute(device.device.as_str());
    let (seconds, millis) = (device.took_ms / 1000, device.took_ms % 1000);
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" {tally} time=\"{seconds}.{millis:03}\" timestamp=\"{began}\">"
    );
    let _ = write!(
        out,
        "    <testcase classname=\"{name}\" name=\"the device can be read\""
    );
    match &device.unread {
        None => out.push_str("/>\n"),
        Some(why) => {
            let _ = writeln!(
                out,
                "><error type=\"unread\" message=\"{}\"/></testcase>",
                Attribute(why)
            );
        }
    }
    for answer in &device.answers {
        case(out, &name, answer);
    }
    out.push_str("  </testsuite>\n");
}

fn case(out: &mut String, device: &Attribute<'_>, answer: &Answer) {
    let finding = &answer.finding;
    let check = answer.check();
    let subject = finding.subject.as_deref();
    let named = subject.map_or_else(|| check.clone(), |subject| format!("{check} [{subject}]"));
    let _ = write!(
        out,
        "    <testcase classname=\"{device}\" name=\"{}\"",
        Attribute(&named)
    );
    let (element, kind, message) = match (ending(answer), &finding.verdict) {
        (Ending::Passed, _) => {
            out.push_str("/>\n");
            return;
        }
        (Ending::Skipped, Verdict::Waived { by, reason, until }) => {
            let said = format!("waived by {by} until {until:.0}: {reason}; {}", finding.message);
            ("skipped", None, said)
        }
        (Ending::Skipped, _) => ("skipped", None, format!("does not count: {}", finding.message)),
        (Ending::Failed, _) => (
            "failure",
            Some(severity(finding.severity)),
            finding.message.to_string(),
        ),
        (Ending::Broken, verdict) => ("error", Some(verdict.word()), finding.message.to_string()),
    };
    let kind = kind.map_or_else(String::new, |kind| format!(" type=\"{kind}\""));
    let remedy = finding.remedy.as_deref().unwrap_or_default();
    let _ = writeln!(
        out,
        "><{element}{kind} message=\"{}\">{}</{element}></testcase>",
        Attribute(&message),
        Attribute(remedy)
    );
}

/// Text in XML 1.0, as an attribute or between tags. Characters that XML cannot hold at all are spelled out.
struct Attribute<'a>(&'a str);

impl std::fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\n' => f.write_str("&#10;")?,
                '\t' => f.write_str("&#9;")?,
                '\r' => f.write_str("&#13;")?,
                control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                    write!(f, "{}", control.escape_unicode())?;
                }
                plain => f.write_char(plain)?,
            }
        }
        Ok(())
    }
}
