//! Recorded replies and the facts they give, as data: `testdata/<area>/<case>.xml` (or `.txt`, the text of a result) beside
//! `<case>.json`. Knows how a case is laid out; must not know any area.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use hopgate_playbooks::{FactArea, Facts};
use proptest::prelude::*;
use serde_json::Value;

use crate::client::Client;
use crate::question::{Question, Request, questions, questions_of_advanced_routing};
use crate::scripted::{Scripted, Seen, golden, reply};
use crate::secret::{Credentials, Secret};

use super::tests::now;

/// Set, the expected facts are written anew: for a look at the difference in version control.
const BLESS: &str = "HOPGATE_BLESS";

struct Case {
    area: FactArea,
    /// The path of the files without their endings.
    stem: String,
}

impl Case {
    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
        let mut cases = Vec::new();
        for area in FactArea::ALL {
            let Ok(entries) = std::fs::read_dir(root.join(area.name())) else {
                continue;
            };
            // Names have full stops of their own: `10.2-pair.xml`.
            let names = entries.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
            let stems: BTreeSet<String> = names
                .filter(|name| !name.contains('@'))
                .map(|name| name.rsplit_once('.').unwrap().0.to_owned())
                .collect();
            cases.extend(stems.into_iter().map(|stem| Self { area, stem }));
        }
        cases
    }

    /// What the device answers to a question: the file `<case>` for the area's last question, which is its own, and
    /// `<case>@<command>` for any other. Without one it is a PA-850 with 9.1, which does not know anything else.
    fn answer(&self, question: Question) -> Vec<u8> {
        let own = questions(self.area).last() == Some(&question);
        let words = question.command().replace(' ', "-").replace('*', "x");
        let stem = if own {
            self.stem.clone()
        } else {
            format!("{}@{words}", self.stem)
        };
        if let Ok(xml) = std::fs::read(format!("{stem}.xml")) {
            return xml;
        }
        match std::fs::read_to_string(format!("{stem}.txt")) {
            Ok(text) => {
                format!("<response status=\"success\"><result><![CDATA[{text}]]></result></response>")
                    .into_bytes()
            }
            Err(_) if question == Question::SystemInfo => golden("system-info-9.1.xml"),
            Err(_) => golden("error-unknown-command.xml"),
        }
    }

    /// What the device answers about one external dynamic list: `<case>@<name of the list>.xml`.
    fn about_list(stem: &str, command: &str) -> Vec<u8> {
        let name = command
            .split("<name>")
            .nth(1)
            .and_then(|rest| rest.split("</name>").next());
        let file = format!("{stem}@{}.xml", name.unwrap_or_default());
        std::fs::read(file).unwrap_or_else(|_| golden("error-unknown-command.xml"))
    }

    /// The fact, with the replies as `damage` leaves them.
    fn fact(&self, damage: impl Fn(Question, Vec<u8>) -> Vec<u8> + Send + Sync + 'static) -> Value {
        let replies: Vec<(Question, Vec<u8>)> = questions(self.area)
            .iter()
            .chain(questions_of_advanced_routing(self.area))
            .map(|question| (*question, damage(*question, self.answer(*question))))
            .collect();
        let stem = self.stem.clone();
        let transport = Arc::new(Scripted::new(move |seen: &Seen| {
            let cmd = seen.field("cmd").unwrap_or_default();
            if cmd.contains("<external-list><show>") {
                return reply(200, Self::about_list(&stem, &cmd));
            }
            if seen.field("type").as_deref() == Some("log") && seen.field("action").is_none() {
                return reply(200, golden("enqueued-log.xml"));
            }
            let asked = replies.iter().find(|(question, _)| match question.request() {
                Request::Command(cmd) => seen.field("cmd").as_deref() == Some(cmd),
                Request::Configuration(path) => seen.field("xpath").as_deref() == Some(path),
                Request::SystemLog { .. } => seen.field("type").as_deref() == Some("log"),
            });
            reply(200, asked.unwrap().1.clone())
        }));
        let key = Credentials::Key(Secret::new("KEY"));
        let client = Client::new("fw1".into(), transport as _, key);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let facts: Facts = runtime.block_on(client.facts(&BTreeSet::from([self.area]), now()));
        serde_json::to_value(&facts).unwrap()[self.area.name()].take()
    }
}

#[test]
fn recorded_replies_give_the_facts_beside_them() {
    let mut wrong = Vec::new();
    for case in Case::all() {
        let expected = format!("{}.json", case.stem);
        let actual = case.fact(|_, reply| reply);
        if std::env::var_os(BLESS).is_some() {
            let text = serde_json::to_string_pretty(&actual).unwrap();
            std::fs::write(&expected, text + "\n").unwrap();
        }
        let known: Value = match std::fs::read(&expected) {
            Ok(json) => serde_json::from_slice(&json).unwrap(),
            Err(_) => Value::Null,
        };
        if known != actual {
            wrong.push(format!("{}\nexpected {known}\nactual   {actual}", expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_area_has_a_recorded_reply_that_is_known() {
    let known: BTreeSet<FactArea> = Case::all()
        .into_iter()
        .filter(|case| case.fact(|_, reply| reply).get("known").is_some())
        .map(|case| case.area)
        .collect();
    let without: Vec<FactArea> = FactArea::ALL
        .into_iter()
        .filter(|area| !known.contains(area))
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

fn numbers(value: &Value, found: &mut BTreeSet<u64>) {
    match value {
        Value::Number(number) => found.extend(number.as_u64()),
        Value::Array(items) => items.iter().for_each(|item| numbers(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| numbers(field, found)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Destroys the `nth` digit of a reply.
fn without_digit(mut reply: Vec<u8>, nth: prop::sample::Index) -> Vec<u8> {
    let digits: Vec<usize> = (0..reply.len())
        .filter(|at| reply[*at].is_ascii_digit())
        .collect();
    if !digits.is_empty() {
        reply[digits[nth.index(digits.len())]] = b'x';
    }
    reply
}

fn damaged(mut reply: Vec<u8>, damages: &[(prop::sample::Index, prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (from, to, byte, kind) in damages {
        if reply.is_empty() {
            break;
        }
        let (from, to) = (from.index(reply.len()), to.index(reply.len()));
        let range = from.min(to)..from.max(to).min(from.min(to) + 40);
        match kind {
            0 => reply[from] = *byte,
            1 => drop(reply.drain(range)),
            2 => {
                let copy = reply[range].to_vec();
                reply.splice(to..to, copy);
            }
            _ => reply.truncate(from),
        }
    }
    reply
}

fn case() -> impl Strategy<Value = usize> {
    0..Case::all().len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// A number that cannot be read is missing, or the area is unknown: it never turns into another one.
    #[test]
    fn a_destroyed_digit_never_gives_another_number(index in case(), nth: prop::sample::Index) {
        let case = &Case::all()[index];
        let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
        numbers(&case.fact(|_, reply| reply), &mut before);
        let own = *questions(case.area).last().unwrap();
        let read = case.fact(move |question, reply| match question == own {
            true => without_digit(reply, nth),
            false => reply,
        });
        numbers(&read, &mut after);
        prop_assert!(after.is_subset(&before), "{}: {read}", case.stem);
    }

    #[test]
    fn no_damaged_reply_makes_a_reader_panic(
        index in case(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let case = &Case::all()[index];
        let fact = case.fact(move |_, reply| damaged(reply, &damages));
        prop_assert!(fact.get("known").is_some() != fact.get("unknown").is_some());
    }

    /// Whatever stands in the place of a text, in its own envelope.
    #[test]
    fn no_text_makes_a_reader_panic(index in case(), text in "(\\PC|\n|[0-9.:%{},' /-]|Mem|total|used|free|DP |yes|sys\\.s1\\.p1\\.phy: ){0,60}") {
        let case = &Case::all()[index];
        let body = format!("<response status='success'><result><![CDATA[{}]]></result></response>", text.replace("]]>", ""));
        let fact = case.fact(move |_, _| body.clone().into_bytes());
        prop_assert!(fact.get("known").is_some() != fact.get("unknown").is_some());
    }
}
