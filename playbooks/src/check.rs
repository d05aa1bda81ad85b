//! One check: when it applies, what it looks at, what it holds on, and what it says.
//!
//! Responsible for: reaching exactly one conclusion for the device, or for each thing it looks at, from facts that may
//! be missing and expressions that may fail. Must not know: other checks. A check that breaks is a finding of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::{Context, Value};

use crate::expression::{Expression, Need, NoAnswer, bounds};
use crate::facts::{Fact, Facts};
use crate::finding::{Finding, Mode, Severity, Verdict};
use crate::message::Message;
use crate::vocabulary::shown;

/// A compiled check.
pub(crate) struct Check {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) needs: BTreeSet<Need>,
    pub(crate) when: Option<Expression>,
    pub(crate) for_each: Option<ForEach>,
    pub(crate) fail_when: Expression,
    pub(crate) subject: Option<Expression>,
    pub(crate) severity: Severity,
    pub(crate) mode: Mode,
    pub(crate) message: Message,
    pub(crate) remedy: Option<String>,
    pub(crate) link: Option<String>,
}

/// The things a check looks at one by one.
pub(crate) struct ForEach {
    pub(crate) list: Expression,
    pub(crate) item: String,
}

/// How many things one check looks at: a report of more is read by nobody, and each costs memory.
const LOOKED_AT: usize = 10_000;

/// What a check sees: the facts, and a context with every known area in it.
pub(crate) struct Scene<'a, 'v> {
    pub(crate) facts: &'a Facts,
    /// The replies to the playbook's own questions, by their names.
    pub(crate) replies: &'a BTreeMap<Arc<str>, Fact<serde_json::Value>>,
    pub(crate) context: &'a Context<'a, 'v>,
    pub(crate) has_hop: bool,
}

impl Scene<'_, '_> {
    /// Why something needed is not there.
    fn missing(&self, need: &Need) -> Option<String> {
        match need {
            Need::Area(area) => self
                .facts
                .unknown(*area)
                .map(|reason| format!("{area}: {reason}")),
            Need::Hop if self.has_hop => None,
            Need::Hop => Some("no hop is planned".to_owned()),
            Need::Ask(name) => match self.replies.get(name) {
                Some(Fact::Known(_)) => None,
                Some(Fact::Unknown(reason)) => Some(format!("{name}: {reason}")),
                None => Some(format!("{name}: not asked")),
            },
        }
    }

    fn lacks<'n>(&self, needs: impl IntoIterator<Item = &'n Need>) -> Vec<String> {
        needs.into_iter().filter_map(|need| self.missing(need)).collect()
    }
}

impl Check {
    /// What it concludes: nothing where it does not apply, else at least one finding. Whatever it does has one measure
    /// of steps, however many things it looks at.
    pub(crate) fn evaluate(&self, scene: &Scene<'_, '_>) -> Vec<Finding> {
        bounds::within(|| self.concluded(scene))
    }

    fn concluded(&self, scene: &Scene<'_, '_>) -> Vec<Finding> {
        match self.applies(scene) {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(verdict) => return vec![self.finding(None, verdict, String::new())],
        }
        let lacking = scene.lacks(&self.needs);
        if !lacking.is_empty() {
            let missing = lacking.join("; ");
            let message = format!("cannot tell: {missing}");
            return vec![self.finding(None, Verdict::Inconclusive { missing }, message)];
        }
        let Some(for_each) = &self.for_each else {
            return vec![self.conclude(scene.context)];
        };
        match for_each.list.value(scene.context) {
            // Nothing to look at is a conclusion too, and better said than left out.
            Ok(Value::List(items)) if items.is_empty() => {
                vec![self.finding(None, Verdict::Pass, "nothing to look at".to_owned())]
            }
            Ok(Value::List(items)) if items.len() > LOOKED_AT => {
                let detail = format!(
                    "`{}` has {} things to look at; {LOOKED_AT} are the most",
                    for_each.list.source(),
                    items.len()
                );
                vec![self.finding(None, Verdict::Error { detail }, String::new())]
            }
            Ok(Value::List(items)) => items
                .iter()
                .map(|item| self.look_at(for_each, item, scene))
                .collect(),
            Ok(other) => {
                let detail = format!("`{}` is {}, not a list", for_each.list.source(), other.type_of());
                vec![self.finding(None, Verdict::Error { detail }, String::new())]
            }
            Err(no_answer) => vec![self.finding(None, verdict(no_answer), String::new())],
        }
    }

    /// Whether it applies. It is asked before the needs of the rest are: optics nobody could read are no matter on a
    /// model the check is not about.
    fn applies(&self, scene: &Scene<'_, '_>) -> Result<bool, Verdict> {
        let Some(when) = &self.when else { return Ok(true) };
        let required = when.needs().intersection(&self.needs);
        if !scene.lacks(required).is_empty() {
            // It may apply; the needs of the whole check will say what is missing.
            return Ok(true);
        }
        when.decides(scene.context).map_err(verdict)
    }

    fn look_at(&self, for_each: &ForEach, item: &Value, scene: &Scene<'_, '_>) -> Finding {
        let mut inner = scene.context.new_inner_scope();
        inner.add_variable_from_value(for_each.item.as_str(), item.clone());
        self.conclude(&inner)
    }

    fn conclude(&self, context: &Context<'_, '_>) -> Finding {
        // A subject that cannot be named must not hide what was found about it.
        let subject = self.subject.as_ref().map(|subject| match subject.value(context) {
            Ok(value) => shown(&value),
            Err(_) => "(not nameable)".to_owned(),
        });
        match self.fail_when.decides(context) {
            Ok(false) => self.finding(subject, Verdict::Pass, self.title.clone()),
            Ok(true) => {
                let message = self
                    .message
                    .render(context)
                    .unwrap_or_else(|no_answer| match no_answer {
                        NoAnswer::Unknown(reason) => format!("{} ({reason})", self.title),
                        NoAnswer::Failed(detail) => format!("{} (its message failed: {detail})", self.title),
                    });
                self.finding(subject, Verdict::Fail, message)
            }
            Err(no_answer) => self.finding(subject, verdict(no_answer), String::new()),
        }
    }

    /// A finding; an empty message says what the verdict says.
    fn finding(&self, subject: Option<String>, verdict: Verdict, message: String) -> Finding {
        let message = match &verdict {
            _ if !message.is_empty() => message,
            Verdict::Inconclusive { missing } => format!("cannot tell: {missing}"),
            Verdict::Error { detail } => format!("the check does not work: {detail}"),
            Verdict::Pass | Verdict::Fail | Verdict::Waived { .. } => self.title.clone(),
        };
        Finding {
            check: self.id.clone(),
            title: self.title.clone(),
            subject,
            verdict,
            severity: self.severity,
            mode: self.mode,
            message,
            remedy: self.remedy.clone(),
            link: self.link.clone(),
        }
    }
}

fn verdict(no_answer: NoAnswer) -> Verdict {
    match no_answer {
        NoAnswer::Unknown(missing) => Verdict::Inconclusive { missing },
        NoAnswer::Failed(detail) => Verdict::Error { detail },
    }
}
