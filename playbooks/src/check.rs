//! One check: when it applies, what it looks at, what it holds on, and what it says.
//!
//! Responsible for: reaching exactly one conclusion for the device, or for each thing it looks at, from facts that may
//! be missing and expressions that may fail. Must not know: other checks. A check that breaks is a finding of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cel::Context;
use cel::common::types::CelList;
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use crate::expression::{Expression, Need, NoAnswer, bounds};
use crate::facts::{Fact, Facts};
use crate::finding::{Finding, Mode, Severity, Verdict};
use crate::message::Message;
use crate::shown::kind;

/// A compiled check.
pub(crate) struct Check {
    pub(crate) id: Arc<str>,
    pub(crate) title: Arc<str>,
    pub(crate) needs: BTreeSet<Need>,
    pub(crate) when: Option<Expression>,
    pub(crate) for_each: Option<ForEach>,
    pub(crate) fail_when: Expression,
    pub(crate) subject: Option<Expression>,
    pub(crate) severity: Severity,
    pub(crate) mode: Mode,
    pub(crate) message: Message,
    pub(crate) remedy: Option<Arc<str>>,
    pub(crate) link: Option<Arc<str>>,
}

/// The things a check looks at one by one.
pub(crate) struct ForEach {
    pub(crate) list: Expression,
    pub(crate) item: String,
}

/// The thing that is looked at, by its name.
struct Item<'i> {
    name: &'i str,
    item: &'i dyn Val,
}

impl VariableResolver for Item<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        (name == self.name).then_some(CowVal::Borrowed(self.item))
    }
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
            Err(verdict) => return vec![self.undecided(None, verdict)],
        }
        let lacking = scene.lacks(&self.needs);
        if !lacking.is_empty() {
            let missing = lacking.join("; ");
            return vec![self.undecided(None, Verdict::Inconclusive { missing })];
        }
        let Some(for_each) = &self.for_each else {
            return vec![self.conclude(scene.context)];
        };
        let list = match for_each.list.seen(scene.context) {
            Ok(list) => list,
            Err(no_answer) => return vec![self.undecided(None, verdict(no_answer))],
        };
        let broken = |detail| vec![self.undecided(None, Verdict::Error { detail })];
        let Some(items) = list.downcast_ref::<CelList<'_>>().map(CelList::inner) else {
            return broken(format!(
                "`{}` is {}, not a list",
                for_each.list.source(),
                kind(list.as_ref())
            ));
        };
        if items.len() > LOOKED_AT {
            return broken(format!(
                "`{}` has {} things to look at; {LOOKED_AT} are the most",
                for_each.list.source(),
                items.len()
            ));
        }
        if items.is_empty() {
            // Nothing to look at is a conclusion too, and better said than left out.
            return vec![self.finding(None, Verdict::Pass, "nothing to look at".into())];
        }
        items
            .iter()
            .map(|item| self.look_at(for_each, item.as_ref(), scene))
            .collect()
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

    fn look_at(&self, for_each: &ForEach, item: &dyn Val, scene: &Scene<'_, '_>) -> Finding {
        let name = for_each.item.as_str();
        let item = Item { name, item };
        let mut inner = scene.context.new_inner_scope();
        inner.set_variable_resolver(&item);
        self.conclude(&inner)
    }

    fn conclude(&self, context: &Context<'_, '_>) -> Finding {
        // A subject that cannot be named must not hide what was found about it.
        let subject = self.subject.as_ref().map(|subject| {
            let named = subject.text(context);
            named.unwrap_or_else(|_| "(not nameable)".to_owned())
        });
        match self.fail_when.decides(context) {
            Ok(false) => self.finding(subject, Verdict::Pass, Arc::clone(&self.title)),
            Ok(true) => {
                let message = self
                    .message
                    .render(context)
                    .unwrap_or_else(|no_answer| match no_answer {
                        NoAnswer::Unknown(reason) => format!("{} ({reason})", self.title),
                        NoAnswer::Failed(detail) => format!("{} (its message failed: {detail})", self.title),
                    });
                let message = if message.is_empty() {
                    Arc::clone(&self.title)
                } else {
                    message.into()
                };
                self.finding(subject, Verdict::Fail, message)
            }
            Err(no_answer) => self.undecided(subject, verdict(no_answer)),
        }
    }

    /// A finding that says no more than its verdict.
    fn undecided(&self, subject: Option<String>, verdict: Verdict) -> Finding {
        let message = match &verdict {
            Verdict::Inconclusive { missing } => format!("cannot tell: {missing}").into(),
            Verdict::Error { detail } => format!("the check does not work: {detail}").into(),
            Verdict::Pass | Verdict::Fail | Verdict::Waived { .. } => Arc::clone(&self.title),
        };
        self.finding(subject, verdict, message)
    }

    fn finding(&self, subject: Option<String>, verdict: Verdict, message: Arc<str>) -> Finding {
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
