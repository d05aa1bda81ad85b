//! What authors of checks write: playbooks as YAML, expressions, and commands of their own.
//! Knows what lint promises of a playbook that it accepts; must not know the rules by which it refuses one.

use std::sync::LazyLock;

use hopgate_playbooks::{Fact, FactArea, Facts, Finding, Playbook, Question, Verdict};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Target;
use crate::device::{answer, question};
use crate::repository::{files, text, values_of};

/// Letters of one finding, at most: a message shows a thousand letters of each of its expressions, and names the check,
/// whose text the input is.
const SAID: usize = 8_000;

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "playbook",
        run: playbook,
        seeds: || {
            let mut seeds = files(&["playbooks/library"], &[".yaml"]);
            seeds.push(Playbook::template().as_bytes().to_vec());
            seeds
        },
        words: &[
            "playbook: ",
            "\nchecks:\n  - ",
            "needs: [",
            "fail_when: ",
            "for_each: ",
            "severity: block",
            "message: \"{",
            "params:\n  ",
            "ask:\n  ",
            "command: show ",
            "read: table",
            "columns: [",
            "&a ",
            "*a",
            "<<: ",
            "|-\n",
            "!!str ",
        ],
    },
    Target {
        name: "expression",
        run: expression,
        seeds: || {
            let library = files(&["playbooks/library"], &[".yaml"]);
            let keys = ["when", "for_each", "fail_when", "subject"].map(|key| values_of(key, &library));
            keys.concat()
                .into_iter()
                .map(String::into_bytes)
                .chain(HOSTILE.iter().map(|seed| seed.as_bytes().to_vec()))
                .collect()
        },
        words: &[
            ".exists(x, ",
            ".all(x, ",
            ".filter(x, ",
            ".map(x, ",
            ".exists_one(x, ",
            ".matches('",
            "has(",
            "size(",
            "string(",
            "int(",
            "dyn(",
            "type(",
            "list_of(",
            "unknown('",
            "version_lt(",
            "fix_state(",
            "days_between(",
            "hours_between(",
            "minutes_to_run(",
            "run_in_window(",
            "device_time(",
            "end_of_life(",
            "content_number(",
            ".contains(",
            ".startsWith(",
            "reply",
            "reply.a",
            "jobs",
            "optics",
            "system.",
            "features.flags",
            "params.words",
            "now",
            "hop",
            " && ",
            " || ",
            " ? ",
            " : ",
            " in ",
            "null",
            "true",
            "{'a': ",
            "[1, ",
            "9223372036854775807",
            "-9223372036854775808",
            "1u",
            "1.5",
            "b'a'",
            "r'a'",
        ],
    },
    Target {
        name: "command",
        run: command,
        seeds: || {
            let library = files(&["playbooks/library"], &[".yaml"]);
            let typed = values_of("command", &library).into_iter();
            let xml = [
                "<show><jobs><id>1</id></jobs></show>",
                "<show><x><entry name='a'/></x></show>",
                "<show><jobs><id\u{c}>1</id></jobs></show>",
                "show session id {id}",
                "show session id '\u{2}'",
                "show {id} session {id}",
            ];
            typed
                .chain(xml.map(str::to_owned))
                .map(String::into_bytes)
                .collect()
        },
        words: &[
            "show ",
            "check ",
            "debug swm status",
            "request license info",
            "<show>",
            "</show>",
            "<request><restart/>",
            "{id}",
            " name='",
            "/>",
            "<!--",
            "<![CDATA[",
        ],
    },
];

/// An answer on the first line, and an expression that does much with it.
const HOSTILE: &[&str] = &[
    "[1,2,3]\nreply.map(x, reply.map(y, reply.map(z, x + y + z)))",
    "{\"a\":[{\"b\":\"c\"}],\"d\":null}\nreply.a.exists(x, x.b.matches('^c+$')) && has(reply.d)",
    "{\"b\":1,\"a\":2}\nreply.map(name, name)",
    "\"text\"\n[reply].map(x, x + x).map(x, x + x).map(x, x + x)",
    "[[1,2],{\"a\":\"b\"}]\nreply",
    "[[1,2],{\"a\":\"b\"}]\nreply.exists(x, reply - x == 1)",
    "[[1,2],{\"a\":\"b\"}]\nreply[0.5] == reply[reply]",
];

/// A text as YAML, whatever is in it: JSON is YAML.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What lint accepts can be read, and the other way round; and reading it says nothing without its place.
fn linted(text: &str) -> Option<Playbook> {
    let errors = Playbook::lint("p.yaml", text);
    for error in &errors {
        let said = error.to_string();
        assert!(
            said.len() <= 4 * text.len() + 4_000,
            "{} letters of error about {} of playbook",
            said.len(),
            text.len()
        );
    }
    let read = Playbook::parse("p.yaml", text);
    assert_eq!(read.is_err(), !errors.is_empty(), "lint says {errors:?}");
    read.ok()
}

fn playbook(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let Some(read) = linted(&text) else { return false };
    findings(&read, &FACTS);
    true
}

/// Runs it, and holds what is true of every run. The same facts give the same findings.
fn findings(playbook: &Playbook, facts: &Facts) -> Vec<Finding> {
    let found = playbook.evaluate(facts, None);
    for finding in &found {
        if let Verdict::Error { detail } = &finding.verdict {
            for never in ["tripped hopgate", "Undeclared reference", "stopped on it"] {
                assert!(!detail.contains(never), "{}: {detail}", finding.check);
            }
        }
    }
    assert_eq!(
        playbook.evaluate(facts, None),
        found,
        "another run, other findings"
    );
    found
}

/// A firewall with everything known, as the checks of the library are tested with.
static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let healthy = text("playbooks/testdata/healthy.yaml");
    let known: Value =
        hopgate::config::parse("healthy.yaml".as_ref(), &healthy).unwrap_or_else(|error| panic!("{error}"));
    let mut stored = json!(Facts::unread("fw1", Timestamp::UNIX_EPOCH));
    for (area, value) in known.as_object().into_iter().flatten() {
        stored[area] = json!({ "known": value });
    }
    serde_json::from_value(stored).unwrap_or_else(|error| panic!("the healthy firewall: {error}"))
});

/// An expression in each place that one can stand in, over facts that are known and an answer that may be anything.
fn expression(input: &[u8]) -> bool {
    let said = String::from_utf8_lossy(input);
    let (reply, source) = match said.split_once('\n') {
        Some((first, rest)) => match serde_json::from_str(first) {
            Ok(reply) => (reply, rest),
            Err(_) => (Value::Null, said.as_ref()),
        },
        None => (Value::Null, said.as_ref()),
    };
    let source = source.trim();
    let in_braces = format!("{{{source}}}");
    let places = [
        format!("fail_when: {}, message: m", quoted(source)),
        format!(
            "for_each: {}, as: one, fail_when: one == null, message: '{{one}}'",
            quoted(source)
        ),
        format!("fail_when: 'true', message: {}", quoted(&in_braces)),
    ];
    let areas = FactArea::ALL.map(FactArea::name).join(", ");
    let mut read = false;
    for place in places {
        let text = format!(
            "{{playbook: p, title: t, params: {{limit: 3, words: [a, b]}}, ask: {{reply: {{command: show clock, read: xml}}}}, \
             checks: [{{id: c, title: t, needs: [reply, {areas}], severity: block, {place}}}]}}"
        );
        let Some(playbook) = linted(&text) else { continue };
        read = true;
        let mut facts = FACTS.clone();
        if let Some(ask) = playbook.ask("reply") {
            facts.replies.insert(ask.key(), Fact::Known(reply.clone()));
        }
        let found = findings(&playbook, &facts);
        assert!(!found.is_empty(), "a check without a finding");
        for finding in found {
            let said = format!("{finding:?}").len();
            assert!(said <= SAID + 4 * source.len(), "{said} letters about {source}");
        }
    }
    read
}

/// A command that is accepted is one element of XML that begins with a word which reads; and written as that XML it is
/// the same question.
fn command(input: &[u8]) -> bool {
    let command = String::from_utf8_lossy(input);
    let asked = |command: &str| {
        let text = format!(
            "{{playbook: p, title: t, params: {{id: 7}}, ask: {{q: {{command: {}, read: lines}}}}, \
             checks: [{{id: c, title: t, needs: [q], fail_when: q == null, severity: info, message: m}}]}}",
            quoted(command)
        );
        linted(&text)?.ask("q")
    };
    let Some(ask) = asked(&command) else { return false };
    let Question::Command(xml) = ask.question() else {
        panic!("{ask} is no command")
    };
    // A reference can be to a letter that there is none of; the device says so.
    if xml.contains('&') {
        return true;
    }
    static XML: LazyLock<hopgate_playbooks::Ask> = LazyLock::new(|| question("xml", ""));
    let reply = format!("<response status=\"success\"><result>{xml}</result></response>");
    let seen = answer(&XML, reply.as_bytes()).unwrap_or_else(|error| panic!("{xml}: {error}"));
    let first: Vec<&String> = seen
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys())
        .collect();
    let [first] = first.as_slice() else {
        panic!("{xml} is not one element: {seen}")
    };
    assert!(
        ["show", "check", "debug", "request"].contains(&first.as_str()),
        "{xml} does not only read"
    );
    assert_eq!(asked(xml).as_ref(), Some(&ask), "{xml} written as XML");
    true
}
