//! One recorded case: the replies of a device, and beside them what they are read as and what the built-in playbooks
//! conclude from it.
//!
//! Responsible for: how the files of a case are laid out, and leading its replies to facts and verdicts with the code that
//! does it for a real device. Must not know: any area, any check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hopgate_paths::{Catalogue, Graph};
use hopgate_playbooks::{
    About, Ask, Fact, FactArea, Facts, Finding, HopContext, Playbook, Question as Asked, Setting, Variables,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::Client;
use crate::facts::tests::now;
use crate::question::{Question, Request, questions, questions_of_advanced_routing};
use crate::scripted::{Answer, Scripted, Seen, golden, reply};
use crate::secret::{Credentials, Secret};

/// What a reply is made to before it is read: nothing, or damage.
pub(super) type Change<'c> = &'c (dyn Fn(Question, Vec<u8>) -> Vec<u8> + Sync);

/// What stands in `<case>.json`: what is chosen for the case, and what comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The way whose first hop is planned, as `10.1.14..11.1.0`; the model is the case's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    way: Option<String>,
    /// Settings, by playbook.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    with: BTreeMap<String, BTreeMap<String, Setting>>,
    /// The fact of the case's area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known: Option<Value>,
    /// Why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
    /// Other areas that are read, for checks that need several, each with its fact.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    besides: BTreeMap<FactArea, Value>,
    /// What the checks that this decides conclude: by playbook and check, a line a finding, and none where it does not apply.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    verdicts: BTreeMap<String, Vec<String>>,
}

impl Written {
    /// As it stands in the file.
    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap() + "\n"
    }

    /// Where another is not this one, in words.
    pub(super) fn difference(&self, other: &Self) -> String {
        let mut lines = String::new();
        let mut say = |what: &str, expected: Value, actual: Value| {
            if expected != actual {
                lines += &format!("  {what}\n    expected {expected}\n    actual   {actual}\n");
            }
        };
        let fact = |case: &Self| json!([case.known, case.unknown, case.besides]);
        say("the facts", fact(self), fact(other));
        let checks: BTreeSet<&String> = self.verdicts.keys().chain(other.verdicts.keys()).collect();
        for check in checks {
            let of = |case: &Self| json!(case.verdicts.get(check));
            say(check, of(self), of(other));
        }
        lines
    }
}

pub(super) struct Case {
    pub(super) area: FactArea,
    /// The path of the files without their endings.
    pub(super) stem: String,
    pub(super) written: Written,
    /// The replies, by what stands between the stem and the ending: nothing for the area's own question.
    replies: BTreeMap<String, Vec<u8>>,
    /// The certificate that the device shows, as DER, where there is one.
    certificate: Option<Bytes>,
    /// The playbooks that have settings chosen.
    playbooks: BTreeMap<&'static str, Playbook>,
}

/// What a case's replies led to.
pub(super) struct Outcome {
    pub(super) facts: Facts,
    /// What was concluded, by playbook and check.
    pub(super) findings: BTreeMap<String, Vec<Finding>>,
}

impl Case {
    /// Every case, read once.
    pub(super) fn all() -> &'static [Self] {
        static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
            let areas = FactArea::ALL.into_iter();
            areas
                .flat_map(|area| Case::of(area, &root.join(area.name())))
                .collect()
        });
        &CASES
    }

    /// The cases of an area.
    fn of(area: FactArea, directory: &Path) -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(directory) else {
            return Vec::new();
        };
        let mut replies: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for entry in entries {
            let path = entry.unwrap().path();
            // Names have full stops of their own: `10.2-pair.xml`.
            let (name, ending) = path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .rsplit_once('.')
                .unwrap();
            let (case, question) = name.split_once('@').unwrap_or((name, ""));
            let stem = directory.join(case).to_str().unwrap().to_owned();
            let of_case = replies.entry(stem).or_default();
            let reply = std::fs::read(&path).unwrap();
            match ending {
                "xml" => of_case.insert(question.to_owned(), reply),
                "txt" => of_case.insert(question.to_owned(), in_its_envelope(&reply)),
                _ => None,
            };
        }
        let cases = replies.into_iter();
        cases
            .map(|(stem, replies)| Self::read(area, stem, replies))
            .collect()
    }

    fn read(area: FactArea, stem: String, replies: BTreeMap<String, Vec<u8>>) -> Self {
        let written: Written = match std::fs::read(format!("{stem}.json")) {
            Ok(json) => serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{stem}.json: {error}")),
            Err(_) => Written::default(),
        };
        // Compiling the whole library for every case would take longer than all the rest.
        let playbooks = written.with.iter().map(|(name, chosen)| {
            let name = Playbook::builtin_names().find(|known| known == name);
            let name = name.unwrap_or_else(|| panic!("{stem}: a playbook that is not built in"));
            let playbook = Playbook::builtin(name).unwrap().unwrap();
            (name, playbook.with(chosen).unwrap())
        });
        Self {
            playbooks: playbooks.collect(),
            area,
            certificate: std::fs::read(format!("{stem}.der")).ok().map(Bytes::from),
            stem,
            written,
            replies,
        }
    }

    /// Whether there is an answer to the area's own question: the others are nothing by themselves.
    pub(super) fn is_answered(&self) -> bool {
        self.replies.contains_key("")
    }

    /// The train whose dialect the case shows, where it is of one: 10 and 2 of `10.2-pair`.
    pub(super) fn release(&self) -> Option<(u32, u32)> {
        let (_, name) = self.stem.rsplit_once('/')?;
        let mut parts = name.split(['.', '-']);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }

    pub(super) fn write(&self, written: &Written) {
        std::fs::write(format!("{}.json", self.stem), written.text()).unwrap();
    }

    /// The playbooks of the library, with the settings of the case.
    fn playbooks(&self) -> impl Iterator<Item = &Playbook> {
        static LIBRARY: LazyLock<Vec<Playbook>> = LazyLock::new(|| {
            let names = Playbook::builtin_names();
            names
                .map(|name| Playbook::builtin(name).unwrap().unwrap())
                .collect()
        });
        LIBRARY
            .iter()
            .map(|playbook| self.playbooks.get(playbook.name()).unwrap_or(playbook))
    }

    fn areas(&self) -> BTreeSet<FactArea> {
        let besides = self.written.besides.keys().copied();
        besides.chain([self.area]).collect()
    }

    /// The question that the area is read from: its last one.
    pub(super) fn own(&self) -> Question {
        *questions(self.area).last().unwrap()
    }

    /// What the device answers to a question: the file `<case>` for the area's own, and `<case>@<command>` for any other.
    /// Without one it is a PA-850 with 9.1, which does not know anything else.
    pub(super) fn answer(&self, question: Question) -> Vec<u8> {
        let otherwise = match question {
            Question::SystemInfo => "system-info-9.1.xml",
            _ => "error-unknown-command.xml",
        };
        let reply = self.replies.get(&self.file(question)).cloned();
        reply.unwrap_or_else(|| golden(otherwise))
    }

    /// What the name of a question's file has after the name of the case.
    fn file(&self, question: Question) -> String {
        match question == self.own() {
            true => String::new(),
            false => question.command().replace(' ', "-").replace('*', "x"),
        }
    }

    /// What the device answers about one external dynamic list: `<case>@<name of the list>`.
    fn about_list(&self, command: &str) -> Vec<u8> {
        let (_, name) = command.split_once("<name>").unwrap_or_default();
        let (name, _) = name.split_once("</name>").unwrap_or_default();
        let reply = self.replies.get(name).cloned();
        reply.unwrap_or_else(|| golden("error-unknown-command.xml"))
    }

    /// The questions of the playbooks' own that the case has an answer to: `<case>@<name of the question>`.
    fn asks(&self) -> BTreeMap<&str, Ask> {
        let mut asks = BTreeMap::new();
        let named = self.replies.keys().filter(|name| !name.is_empty());
        for name in named {
            let ask = self.playbooks().find_map(|playbook| playbook.ask(name));
            asks.extend(ask.map(|ask| (name.as_str(), ask)));
        }
        asks
    }

    /// The files that answer nothing that is asked: a name that is mistyped would leave its question to the default.
    pub(super) fn unasked(&self) -> Vec<&str> {
        let areas = self.areas();
        let questions = areas.iter().flat_map(|area| {
            questions(*area)
                .iter()
                .chain(questions_of_advanced_routing(*area))
        });
        let mut asked: BTreeSet<String> = questions.map(|question| self.file(*question)).collect();
        asked.extend(self.asks().into_keys().map(str::to_owned));
        // Lists have names that the configuration gives them.
        let is_list = |name: &str| self.area == FactArea::ExternalListContents && !name.is_empty();
        let names = self.replies.keys().map(String::as_str);
        names
            .filter(|name| !asked.contains(*name) && !is_list(name))
            .collect()
    }

    /// A device that gives the case's answers, changed.
    fn device(&'static self, change: Change<'_>) -> Client {
        let areas = self.areas();
        let asked = areas.iter().flat_map(|area| {
            questions(*area)
                .iter()
                .chain(questions_of_advanced_routing(*area))
        });
        let replies: BTreeMap<Question, Vec<u8>> = asked
            .map(|question| (*question, change(*question, self.answer(*question))))
            .collect();
        let asks = self.asks();
        let answer = move |seen: &Seen| -> Answer {
            let field = |name: &str| seen.field(name).unwrap_or_default();
            let cmd = field("cmd");
            let own = asks.iter().find(|(_, ask)| match ask.question() {
                Asked::Command(command) => *command == cmd,
                Asked::Configuration(path) => *path == field("xpath"),
            });
            if let Some((name, _)) = own {
                return reply(200, self.replies[*name].clone());
            }
            if cmd.contains("<external-list><show>") {
                return reply(200, self.about_list(&cmd));
            }
            if field("type") == "log" && seen.field("action").is_none() {
                return reply(200, golden("enqueued-log.xml"));
            }
            let asked = replies.iter().find(|(question, _)| match question.request() {
                Request::Command(known) => known == cmd,
                Request::Configuration(path) => path == field("xpath"),
                Request::SystemLog { .. } => field("type") == "log",
            });
            reply(200, asked.unwrap().1.clone())
        };
        let key = Credentials::Key(Secret::new("KEY"));
        let device = Scripted::new(answer).showing(self.certificate.clone());
        Client::new("fw1".into(), Arc::new(device) as _, key)
    }

    /// The facts, with the replies as `change` leaves them.
    fn facts(&'static self, change: Change<'_>) -> Facts {
        let client = self.device(change);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut facts = runtime.block_on(client.facts(&self.areas(), now()));
        for ask in self.asks().into_values() {
            let reply = match runtime.block_on(client.ask(&ask)) {
                Ok(reply) => Fact::Known(reply),
                Err(error) => Fact::Unknown(error.to_string()),
            };
            facts.replies.insert(ask.key(), reply);
        }
        facts
    }

    /// The fact of the case's own area, with the replies as `change` leaves them.
    pub(super) fn fact(&'static self, change: Change<'_>) -> Value {
        stored(&self.facts(change), self.area)
    }

    /// The first hop of the way as it is planned for the model that the case is of, whatever becomes of its replies later.
    fn hop(&'static self) -> Option<HopContext> {
        let (from, to) = self.written.way.as_deref()?.split_once("..").unwrap();
        let facts = self.facts(&|_, reply| reply);
        let Some(system) = facts.system.known() else {
            panic!(
                "{}: a way is planned for a model, which `system` tells",
                self.stem
            )
        };
        let graph = Graph::new(Catalogue::embedded().unwrap(), &system.model).unwrap();
        let route = graph.route(from.parse().unwrap(), to.parse().unwrap(), &[]);
        let route = route.unwrap_or_else(|refused| panic!("{}: {refused}", self.stem));
        HopContext::on_way(&route.hops)
    }

    /// Whether all that a check cannot do without was read, and the case is one of its own: any other area's checks are that
    /// area's cases.
    fn decides(&self, playbook: &Playbook, check: &About<'_>, asked: &BTreeSet<&str>) -> bool {
        let own = check.needs.is_empty() || check.needs.contains(&self.area);
        let has_hop = self.written.way.is_some() || !playbook.is_about_hop(check.id);
        own && has_hop && check.needs.is_subset(&self.areas()) && check.asks.is_subset(asked)
    }

    /// What the replies lead to, as `change` leaves them.
    pub(super) fn outcome(&'static self, change: Change<'_>) -> Outcome {
        let mut facts = self.facts(change);
        let asks = self.asks();
        let asked = asks.keys().copied().collect();
        let hop = self.hop();
        facts.judge_modules(Catalogue::embedded().unwrap(), hop.as_ref().map(|hop| hop.to));
        let variables = Variables::of(&facts);
        let mut findings = BTreeMap::new();
        for playbook in self.playbooks() {
            let mut decided: BTreeMap<&str, Vec<Finding>> = playbook
                .checks()
                .filter(|check| self.decides(playbook, check, &asked))
                .map(|check| (check.id, Vec::new()))
                .collect();
            if decided.is_empty() {
                continue;
            }
            for finding in playbook.evaluate_over(&variables, hop.as_ref()) {
                if let Some(of_check) = decided.get_mut(&*finding.check) {
                    of_check.push(finding);
                }
            }
            let named = decided.into_iter();
            findings.extend(named.map(|(check, found)| (format!("{}/{check}", playbook.name()), found)));
        }
        drop(variables);
        Outcome { facts, findings }
    }

    /// The case as it would have to be written for this outcome.
    pub(super) fn rewritten(&self, outcome: &Outcome) -> Written {
        let mut own = stored(&outcome.facts, self.area);
        let field = |name: &str| own.get_mut(name).map(Value::take);
        let [known, unknown] = ["known", "unknown"].map(field);
        let besides = self.written.besides.keys();
        Written {
            known,
            unknown: unknown.map(|reason| reason.as_str().unwrap().to_owned()),
            besides: besides
                .map(|area| (*area, stored(&outcome.facts, *area)))
                .collect(),
            verdicts: outcome
                .findings
                .iter()
                .map(|(check, findings)| (check.clone(), findings.iter().map(line).collect()))
                .collect(),
            ..self.written.clone()
        }
    }
}

/// A reply of which only the text of its result is recorded.
fn in_its_envelope(text: &[u8]) -> Vec<u8> {
    let (before, after) = (
        &b"<response status=\"success\"><result><![CDATA["[..],
        &b"]]></result></response>"[..],
    );
    [before, text, after].concat()
}

fn stored(facts: &Facts, area: FactArea) -> Value {
    serde_json::to_value(facts).unwrap()[area.name()].take()
}

fn line(finding: &Finding) -> String {
    match &finding.subject {
        Some(subject) => format!("{subject}: {}", finding.verdict.word()),
        None => finding.verdict.word().to_owned(),
    }
}
