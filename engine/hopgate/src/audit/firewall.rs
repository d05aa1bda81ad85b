//! One firewall of an audit: what is read of it, the way planned for it, and what the checks say to both.
//!
//! Knows nothing of the other firewalls. Sends only what the checks and the way ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hopgate_panos::Client;
use hopgate_paths::{FactsView, Graph, NoRoute, PathPlan, Target};
use hopgate_playbooks::{
    Fact, FactArea, Facts, Finding, Mode, Severity, System, Variables, Verdict, advisories,
};

use super::evidence::Evidence;
use super::question::Question;
use super::{Answer, Audited, Way};
use crate::asking::{Patience, gather};
use crate::checks::{self, ADVISORIES};
use crate::clock::Clock;
use crate::config::inventory::Entry;
use crate::config::selector::Meant;
use crate::kept::Kept;
use crate::path::{Wishes, fleet};

/// The playbook that the finding about the way itself goes by.
const WAY: &str = "path";

/// What was read of a device, and the way that was found for it.
pub(super) struct Read {
    facts: Facts,
    way: Option<Planned>,
}

impl Read {
    /// Fills in what is kept of it.
    pub(super) async fn tell_kept(&mut self, kept: &Kept) {
        kept.tell(&mut self.facts, None).await;
    }
}

enum Planned {
    Way(Box<PathPlan>),
    NothingToDo,
    Refused(String),
}

/// Reads a device as far as it answers in time; nothing where it turns out not to be meant.
pub(super) async fn read(client: &Client, entry: &Entry, question: &Question, clock: &Clock) -> Option<Read> {
    let patience = Patience::of(question.patience);
    let by_itself = question.selection.of_entry(entry) == Meant::OnceRead;
    if !by_itself && question.target.is_none() {
        let facts = gather(
            client,
            &question.playbooks,
            &question.areas,
            clock.now(),
            &patience,
        )
        .await;
        let facts = entry.own(facts, &question.areas);
        return Some(Read { facts, way: None });
    }
    let mut first = BTreeSet::from([FactArea::System]);
    if question.target.is_some() {
        first.insert(FactArea::Software);
    }
    let facts = patience.facts(client, &first, clock.now()).await;
    let facts = entry.own(facts, &question.areas);
    let system = match &facts.system {
        Fact::Known(system) => system,
        // Whether it is meant cannot be told, so it is shown as what it is: not read.
        Fact::Unknown(why) => {
            let facts = Facts::silent(entry.name.as_str(), facts.read_at, why, &question.areas);
            return Some(Read { facts, way: None });
        }
    };
    if by_itself && !question.selection.of_device(entry, system) {
        return None;
    }
    let system = system.clone();
    let Some(target) = question.target else {
        let facts = read_on(client, facts, &question.areas, question, (clock, &patience)).await;
        return Some(Read { facts, way: None });
    };
    let open = plan(question, target, &system, &facts, None);
    let mut areas = question.areas.clone();
    if let Planned::Way(plan) = &open {
        let on_it = plan.hops.iter().flat_map(|hop| &hop.advisories);
        areas.extend(advisories::areas(on_it.map(|assessed| &*assessed.advisory)));
    }
    let facts = read_on(client, facts, &areas, question, (clock, &patience)).await;
    let view = facts.viewed(&question.catalogue);
    let way = plan(question, target, &system, &facts, Some(&view));
    Some(Read {
        facts,
        way: Some(way),
    })
}

/// What is wanted beside what is known already, as one set of facts.
async fn read_on(
    client: &Client,
    known: Facts,
    areas: &BTreeSet<FactArea>,
    question: &Question,
    (clock, patience): (&Clock, &Patience),
) -> Facts {
    let rest: BTreeSet<FactArea> = areas
        .iter()
        .filter(|area| !known.sources.contains_key(area))
        .copied()
        .collect();
    let mut more = gather(client, &question.playbooks, &rest, clock.now(), patience).await;
    if known.sources.contains_key(&FactArea::Software) {
        more.software = known.software;
    }
    more.system = known.system;
    more.sources.extend(known.sources);
    more.read_at = known.read_at;
    more
}

fn plan(
    question: &Question,
    target: Target,
    system: &System,
    facts: &Facts,
    view: Option<&dyn FactsView>,
) -> Planned {
    let graph = match Graph::new(&question.catalogue, &system.model) {
        Ok(graph) => graph,
        Err(unknown) => return Planned::Refused(unknown.to_string()),
    };
    let offered = fleet::offered(facts);
    let wishes = Wishes::default();
    let mut request = wishes.request(system.sw_version, target);
    request.offered = offered.as_deref();
    request.view = view;
    match graph.plan(&request) {
        Ok(plan) => Planned::Way(Box::new(plan)),
        Err(NoRoute::NothingToDo { .. }) => Planned::NothingToDo,
        Err(other) => Planned::Refused(other.to_string()),
    }
}

/// Asks the checks.
pub(super) fn judge(entry: &Entry, read: Read, question: &Question, took_ms: u64, clock: &Clock) -> Audited {
    let Read { mut facts, way } = read;
    let plan = match &way {
        Some(Planned::Way(plan)) => Some(&**plan),
        _ => None,
    };
    let hop = plan.and_then(|plan| checks::way_context(plan.hops.iter().map(|planned| &planned.hop)));
    facts.judge_modules(&question.catalogue, hop.as_ref().map(|hop| hop.to));
    let told = way.as_ref().map(told);
    let mut answers: Vec<Answer> = Vec::new();
    if let (Some(told), Some(target)) = (&told, question.target) {
        answers.push(answer(&WAY.into(), about_way(told, target)));
    }
    let variables = Variables::of(&facts);
    for playbook in &question.playbooks {
        let mut findings = playbook.evaluate_over(&variables, hop.as_ref());
        if matches!(way, Some(Planned::NothingToDo)) {
            findings.retain(|found| !playbook.is_about_hop(&found.check));
        }
        let name = playbook.name().into();
        answers.extend(findings.into_iter().map(|found| answer(&name, found)));
    }
    if question.advisories {
        answers.extend(of_advisories(question, &facts, plan));
    }
    for answer in &mut answers {
        question
            .waivers
            .apply(entry, facts.system.known(), answer, clock.now());
    }
    // Kept until the last device has answered.
    answers.shrink_to_fit();
    let system = facts.system.known();
    Audited {
        device: entry.name.clone(),
        labels: entry.labels.clone(),
        model: system.map(|system| system.model.clone()),
        serial: system.map(|system| system.serial.clone()),
        version: system.map(|system| system.sw_version.to_string()),
        unread: facts.system.unknown().map(str::to_owned),
        missing: missing(&facts),
        way: told,
        answers,
        took_ms,
        evidence: Some(Evidence::of(&facts)),
        facts: question.keep_facts.then(|| Box::new(facts)),
    }
}

fn answer(playbook: &Arc<str>, finding: Finding) -> Answer {
    Answer {
        playbook: Arc::clone(playbook),
        finding,
        lapsed: None,
    }
}

fn told(planned: &Planned) -> Way {
    match planned {
        Planned::Way(plan) => Way::Stops(plan.route.hops.iter().map(|hop| hop.to).collect()),
        Planned::NothingToDo => Way::NothingToDo,
        Planned::Refused(why) => Way::Refused(why.clone()),
    }
}

fn about_way(way: &Way, target: Target) -> Finding {
    let (verdict, message) = match way {
        Way::Stops(stops) => {
            let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
            (Verdict::Pass, format!("the way is {}", stops.join(" -> ")))
        }
        Way::NothingToDo => (Verdict::Pass, "it runs the target already".to_owned()),
        Way::Refused(why) => (Verdict::Fail, format!("no way to {target}: {why}")),
    };
    Finding {
        check: "leads-to-target".into(),
        title: format!("A path leads to {target}").into(),
        subject: None,
        verdict,
        severity: Severity::Block,
        mode: Mode::Enforce,
        message: message.into(),
        remedy: Some("hopgate path explain says which edges refuse, and what would do instead.".into()),
        link: None,
    }
}

/// What the catalogue knows against the rest of its way. Without a way there is nothing it could be about.
fn of_advisories(question: &Question, facts: &Facts, plan: Option<&PathPlan>) -> Vec<Answer> {
    let (Some(plan), Some(system)) = (plan, facts.system.known()) else {
        return Vec::new();
    };
    let steps: Vec<advisories::Step> = plan.route.hops.iter().map(|hop| (hop.from, hop.to)).collect();
    let findings = advisories::findings(&question.catalogue, &system.model, &steps, facts, &|_| None);
    let name = ADVISORIES.into();
    findings.into_iter().map(|found| answer(&name, found)).collect()
}

/// The areas that were asked for and are not known.
fn missing(facts: &Facts) -> BTreeMap<String, String> {
    let asked = facts.sources.keys();
    asked
        .filter_map(|area| Some((area.name().to_owned(), facts.unknown(*area)?.to_owned())))
        .collect()
}
