//! One CEL expression of a playbook: compiled once, its names checked, run without taking anything else down.
//!
//! Responsible for: refusing names that do not exist when the playbook is read, and turning every way an expression can
//! go wrong at run time into a value. Must not know: what a check does with the answer.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::common::types::CelBool;
use cel::common::value::CowVal;
use cel::{Context, ExecutionError, Value};
use hopgate_paths::nearest_names;

use crate::facts::FactArea;
use crate::hop::HopView;
use crate::shape::Shape;
use crate::shown::{beginning, kind, shown};
use crate::vocabulary::{self, UNKNOWN};

pub(crate) mod bounds;
mod names;
mod syntax;

use names::Names;

/// The playbook's settings.
pub(crate) const PARAMS: &str = "params";

/// The instant at which the facts were read.
pub(crate) const NOW: &str = "now";

/// Something an expression can use that has to be there: an area of the facts, the hop, or the reply to a question of
/// the playbook's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// An area of the facts.
    Area(FactArea),
    /// The planned hop.
    Hop,
    /// A reply, by the name of its question.
    Ask(Arc<str>),
}

impl Need {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Area(area) => area.name(),
            Self::Hop => "hop",
            Self::Ask(name) => name,
        }
    }

    pub(crate) fn area(&self) -> Option<FactArea> {
        match self {
            Self::Area(area) => Some(*area),
            Self::Hop | Self::Ask(_) => None,
        }
    }

    pub(crate) fn ask(&self) -> Option<&str> {
        match self {
            Self::Ask(name) => Some(name),
            Self::Hop | Self::Area(_) => None,
        }
    }

    fn shape(&self) -> Shape {
        match self {
            Self::Area(area) => Shape::of_area(*area),
            Self::Hop => HopView::shape(),
            Self::Ask(_) => Shape::Any,
        }
    }
}

/// What an expression can name where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The element of the `for_each`, if there is one, and what it looks like.
    pub(crate) item: Option<(String, Shape)>,
    /// The settings of the playbook: a record.
    pub(crate) params: Shape,
    /// The names of the playbook's own questions.
    pub(crate) asks: BTreeSet<Arc<str>>,
}

impl Scope {
    /// The areas of the facts and the hop; nothing of a playbook's own.
    pub(crate) fn bare() -> Self {
        Self {
            item: None,
            params: Shape::record::<String>([]),
            asks: BTreeSet::new(),
        }
    }

    /// With an element.
    pub(crate) fn within(&self, item: Option<(String, Shape)>) -> Self {
        Self { item, ..self.clone() }
    }

    /// What is always there, and never has to be listed.
    fn always(&self, name: &str) -> Option<Shape> {
        match name {
            PARAMS => Some(self.params.clone()),
            NOW => Some(Shape::Text),
            _ => None,
        }
    }

    /// What a name stands for.
    pub(crate) fn need(&self, name: &str) -> Option<Need> {
        let areas = FactArea::ALL.into_iter().map(Need::Area).chain([Need::Hop]);
        let asks = self.asks.iter().cloned().map(Need::Ask);
        areas.chain(asks).find(|need| need.name() == name)
    }

    /// Whether a name is taken: an element called like an area would hide it.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.always(name).is_some() || self.need(name).is_some()
    }

    /// Everything that can be named.
    fn names(&self) -> Vec<String> {
        let areas = FactArea::ALL.into_iter().map(|area| area.name().to_owned());
        let asks = self.asks.iter().map(ToString::to_string);
        areas
            .chain(asks)
            .chain(["hop", PARAMS, NOW].map(str::to_owned))
            .collect()
    }

    /// What can be listed under `needs` and is nearest to `name`.
    pub(crate) fn nearest_need(&self, name: &str) -> String {
        let names = self.names();
        let listed = names
            .iter()
            .map(String::as_str)
            .filter(|name| self.always(name).is_none());
        nearest_names(name, listed, 1).join(", ")
    }
}

/// What is wrong with an expression, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The word that is wrong, where only that is known.
    pub(crate) word: Option<String>,
    /// The place, in bytes from the beginning.
    pub(crate) at: Option<usize>,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn about(word: &str, message: String) -> Self {
        Self {
            word: Some(word.to_owned()).filter(|word| !word.is_empty()),
            at: None,
            message,
        }
    }

    pub(crate) fn at(at: usize, message: String) -> Self {
        Self {
            word: None,
            at: Some(at),
            message,
        }
    }

    /// As it is in a text that the expression stands in, so many bytes after its beginning.
    pub(crate) fn within(self, begins: usize) -> Self {
        Self {
            at: self.at.map(|at| at + begins),
            ..self
        }
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self {
            word: None,
            at: None,
            message,
        }
    }
}

/// Why an expression gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// It said itself that it cannot tell.
    Unknown(String),
    /// It failed.
    Failed(String),
}

/// A compiled expression.
pub(crate) struct Expression {
    source: String,
    tree: IdedExpr,
    nodes: u64,
    needs: BTreeSet<Need>,
    shape: Shape,
}

impl Expression {
    /// Compiles `source` and checks every name in it, or says what is wrong with it: at least one thing.
    pub(crate) fn compile(source: &str, scope: &Scope) -> Result<Self, Vec<Problem>> {
        let mut tree = tree_of(source).map_err(|problem| vec![problem])?;
        let mut names = Names::new(scope);
        let shape = names.shape(&tree);
        let Names { needs, problems, .. } = names;
        if !problems.is_empty() {
            return Err(problems);
        }
        let nodes = bounds::nodes(&tree);
        bounds::meter(&mut tree);
        // Shown on one line: in a playbook an expression is often folded over several.
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self {
            source,
            tree,
            nodes,
            needs,
            shape,
        })
    }

    /// The text it was compiled from, on one line, for people.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The areas it uses, and whether it uses the hop.
    pub(crate) fn needs(&self) -> &BTreeSet<Need> {
        &self.needs
    }

    /// What its value looks like.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Its value as a message shows it, without a copy of the value.
    pub(crate) fn text(&self, context: &Context<'_, '_>) -> Result<String, NoAnswer> {
        self.run(|| shown(Value::resolve_val(&self.tree, context)?.as_ref()))
    }

    /// Its value, which belongs to the context where nothing had to be made for it: a large area is not copied.
    pub(crate) fn seen<'e, 'v>(&'e self, context: &'e Context<'_, 'v>) -> Result<CowVal<'e, 'v>, NoAnswer> {
        self.run(|| Value::resolve_val(&self.tree, context))
    }

    /// An interpreter that stops half way is an expression that failed, not a check that vanished.
    fn run<T>(&self, resolve: impl FnOnce() -> Result<T, ExecutionError>) -> Result<T, NoAnswer> {
        bounds::within(|| {
            let paid = bounds::pay(self.nodes);
            let value = catch_unwind(AssertUnwindSafe(|| paid.and_then(|()| resolve())));
            if bounds::spent() {
                return Err(self.failed(bounds::TOO_MUCH));
            }
            match value {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(ExecutionError::FunctionError { function, message })) if function == UNKNOWN => {
                    Err(NoAnswer::Unknown(message))
                }
                // The fields of facts are known when a playbook is read: only an answer of a device can lack one.
                Ok(Err(ExecutionError::NoSuchKey(name))) => Err(NoAnswer::Unknown(format!(
                    "`{}`: there is no `{name}` in what the device answered",
                    self.source
                ))),
                Ok(Err(error)) => Err(self.failed(&one_line(&error.to_string()))),
                Err(_) => Err(self.failed("the CEL interpreter stopped on it")),
            }
        })
    }

    fn failed(&self, why: &str) -> NoAnswer {
        NoAnswer::Failed(format!("`{}`: {why}", self.source))
    }

    /// Its value, which has to be a yes or a no.
    pub(crate) fn decides(&self, context: &Context<'_, '_>) -> Result<bool, NoAnswer> {
        let seen = self.seen(context)?;
        if let Some(yes) = seen.downcast_ref::<CelBool>() {
            return Ok(*yes.inner());
        }
        let kind = kind(seen.as_ref());
        Err(NoAnswer::Failed(format!(
            "`{}` is {kind}, not true or false",
            self.source
        )))
    }
}

/// What an expression says, as small as it has to be for the interpreter.
fn tree_of(source: &str) -> Result<IdedExpr, Problem> {
    bounds::refuse_text(source)?;
    let compiled = catch_unwind(|| vocabulary::environment().compile(source));
    let tree = match compiled {
        Ok(Ok(program)) => program.expression().clone(),
        Ok(Err(errors)) => return Err(syntax::mistake(source, &errors)),
        Err(_) => return Err("the CEL parser stopped on it".to_owned().into()),
    };
    bounds::refuse_tree(&tree)?;
    Ok(tree)
}

fn one_line(text: &str) -> String {
    beginning(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::value;

    fn beside_an_optic() -> Scope {
        let optics = Shape::of_area(FactArea::Optics);
        Scope::bare().within(Some(("optic".to_owned(), optics.element())))
    }

    fn refused(source: &str) -> String {
        Expression::compile(source, &beside_an_optic())
            .err()
            .unwrap()
            .remove(0)
            .message
    }

    #[test]
    fn names_are_checked_where_they_stand() {
        let accepted = Expression::compile(
            "jobs.exists(job, job.status != 'FIN') && {'a': [hop.to]}.a[0] != optic.part && has(system.model)",
            &beside_an_optic(),
        );
        let accepted = accepted.ok().unwrap();
        let needs: Vec<_> = accepted.needs().iter().map(Need::name).collect();
        assert_eq!(needs, ["system", "jobs", "hop"]);
        let said = [
            refused("jobb.exists(job, true)"),
            refused("jobs.exists(job, joob.status == '')"),
            refused("jobs.exists(job, true) && job.status == ''"),
            refused("version_less(system.sw_version, hop.to)"),
            refused("optik.part == ''"),
            refused("{'a': syste}"),
            refused("Job{id: 1}"),
            refused("system.modell == ''"),
            refused("jobs.kind == ''"),
            refused("jobs.exists(job, job.kynd == '')"),
            refused("jobs.filter(job, job.kind == '')[0].detail"),
            refused("jobs.map(job, job.details)[0] == 1"),
            refused("optic.class == 'alowed'"),
            refused("optic.class in ['allowed', 'emty']"),
            refused("optic.port > '5'"),
            refused("optic.part || true"),
            refused("optic.part ? 1 : 2"),
            refused("system.model.exists(letter, true)"),
            refused("hop.form == ''"),
            refused("features.flags.ha.knwon"),
            refused("params.x > 1"),
            refused("jobs.exists("),
            refused(""),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        there is no variable `jobb`; the nearest is `jobs`
        there is no variable `joob`; the nearest is `job`
        there is no variable `job`; the nearest is `jobs`
        there is no function `version_less`; the nearest is `version_le`
        there is no variable `optik`; the nearest is `optic`
        there is no variable `syste`; the nearest is `system`
        `Job` is a message type; there are none here
        `system` has no `modell`; the nearest is `model`. It is a record of app_version (text), hostname (text), model (text), multi_vsys (true/false), operational_mode (or null), serial (text), sw_version (text), uptime_seconds (number)
        `jobs` is a list and has no `kind`; look through it with `exists`, `all`, `filter` or `map`. It is a list, each a record of details (list), id (or null), kind (text), progress (or null), result (text), status (text)
        `job` has no `kynd`; the nearest is `kind`. It is a record of details (list), id (or null), kind (text), progress (or null), result (text), status (text)
        `..[0]` has no `detail`; the nearest is `details`. It is a record of details (list), id (or null), kind (text), progress (or null), result (text), status (text)
        `..[0]` is a list and `1` is a number: they are never the same, and neither is less
        `optic.class` is never "alowed"; the nearest is "allowed". It is one of empty, fixed, allowed, known_bad, unknown_vendor, unreadable
        `optic.class` is never "emty"; the nearest is "empty". It is one of empty, fixed, allowed, known_bad, unknown_vendor, unreadable
        `optic.port` is a number and `"5"` is a text: they are never the same, and neither is less
        `optic.part` is a text, not true or false
        `optic.part` is a text, not true or false
        `system.model` is a text: there is nothing in it to look through
        `hop` has no `form`; the nearest is `from`. It is a record of downloads (list), from (text), later_disk_mb (or null), minimum_content (or null), minutes (or null), needed_disk_mb (or null), to (text) or null
        `features.flags.ha` has no `knwon`; the nearest is `known`. It is a record of known (true/false), unknown (text)
        `params` has no `x`: it is empty
        the `(` is never closed
        there is no expression
        "#);
    }

    #[test]
    fn what_is_not_cel_is_told_in_plain_words_with_its_place() {
        let said: Vec<_> = [
            "jobs.exists(",
            "",
            "size(jobs) >",
            "system.model == 'PA",
            "a = 1",
            "a | b",
            "a & b",
            "a and b",
            "not a",
            "a <> b",
            "(a",
            "a)",
            "[1, 2",
            "a == 'x\" ",
            "1 2",
            "a..b",
            "a.",
            "a ? b",
            "a ? b :",
            "{'a': 1",
            "{'a' 1}",
            "jobs.exists(x)",
            "jobs.exists(x.y, true)",
            "if a",
            "for",
            "package.x",
            "a; b",
            "a == ‘x’",
            "has(a)",
            "5mb",
            "0x",
            "99999999999999999999",
            "a == b == c",
            "!",
            "a in",
            "'\\q'",
            "a @ b",
            "a,b",
            "f(a b)",
            "f(a,,b)",
            "*",
            "a == #",
            "a\n  && b ==\n c c",
            "1 + + 2",
            "$x",
            "{a}",
            "a[0",
            "a[]",
            "size jobs > 0",
            "const",
            "jobs.exists(job, job.status = 'FIN')",
            "a.exists('x', true)",
            "a{b:1",
            "?",
            "a =! b",
            "a => b",
            "'it's'",
            "a.`b`",
            "1.5.6",
            "jobs.map(1)",
        ]
        .into_iter()
        .map(|source| {
            let problem = match vocabulary::environment().compile(source) {
                Ok(_) => return format!("{source:?}\n    (is CEL)"),
                Err(errors) => syntax::mistake(source, &errors),
            };
            let at = source[..problem.at.unwrap()].chars().count() + 1;
            format!("{source:?}\n    {at}: {}", problem.message)
        })
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        "jobs.exists("
            12: the `(` is never closed
        ""
            1: there is no expression
        "size(jobs) >"
            13: it ends too early
        "system.model == 'PA"
            17: the quote ' is never closed
        "a = 1"
            3: `=` is not expected here; write `==`
        "a | b"
            3: `|` is not expected here; write `||`
        "a & b"
            3: `&` is not expected here; write `&&`
        "a and b"
            3: `and` is not expected here; write `&&`
        "not a"
            1: `not` is not expected here; write `!`
        "a <> b"
            3: `<>` is not expected here; write `!=`
        "(a"
            1: the `(` is never closed
        "a)"
            2: the `)` closes nothing
        "[1, 2"
            1: the `[` is never closed
        "a == 'x\" "
            6: the quote ' is never closed
        "1 2"
            3: `2` is not expected here
        "a..b"
            3: `..` is not expected here
        "a."
            3: it ends too early
        "a ? b"
            6: it ends too early: a `?` needs a `:` after it
        "a ? b :"
            8: it ends too early
        "{'a': 1"
            1: the `{` is never closed
        "{'a' 1}"
            6: a `:` is missing before `1`
        "jobs.exists(x)"
            (is CEL)
        "jobs.exists(x.y, true)"
            14: the first argument is the name of one element, as in `jobs.exists(job, job.id == 1)`
        "if a"
            1: `if` is a word of the language, and names nothing; write `condition ? one : other`
        "for"
            1: `for` is a word of the language, and names nothing
        "package.x"
            1: `package` is a word of the language, and names nothing
        "a; b"
            2: `;` is not expected here
        "a == ‘x’"
            6: `‘` is not expected here; write `'`
        "has(a)"
            5: `has` takes a field, as in `has(system.model)`
        "5mb"
            2: `mb` is not expected here
        "0x"
            2: `x` is not expected here
        "99999999999999999999"
            1: the number is too large
        "a == b == c"
            (is CEL)
        "!"
            2: it ends too early
        "a in"
            5: it ends too early
        "'\\q'"
            1: `\q` stands for nothing in a text; write `\\` for a `\`
        "a @ b"
            3: `@` is not expected here
        "a,b"
            2: `,` is not expected here
        "f(a b)"
            5: `b` is not expected here
        "f(a,,b)"
            5: `,` is not expected here
        "*"
            1: `*` is not expected here
        "a == #"
            6: `#` is not expected here
        "a\n  && b ==\n c c"
            16: `c` is not expected here
        "1 + + 2"
            5: `+` is not expected here
        "$x"
            1: `$` is not expected here
        "{a}"
            3: `}` is not expected here
        "a[0"
            2: the `[` is never closed
        "a[]"
            3: `]` is not expected here
        "size jobs > 0"
            6: `jobs` is not expected here
        "const"
            1: `const` is a word of the language, and names nothing
        "jobs.exists(job, job.status = 'FIN')"
            29: `=` is not expected here; write `==`
        "a.exists('x', true)"
            10: the first argument is the name of one element, as in `jobs.exists(job, job.id == 1)`
        "a{b:1"
            2: the `{` is never closed
        "?"
            1: `?` is not expected here
        "a =! b"
            3: `=!` is not expected here; write `!=`
        "a => b"
            3: `=>` is not expected here; write `>=`
        "'it's'"
            5: `s` is not expected right after a text; a quote inside of one is written with a `\` before it
        "a.`b`"
            2: unsupported syntax: '`'
        "1.5.6"
            4: `.6` is not expected here
        "jobs.map(1)"
            (is CEL)
        "#);
    }

    #[test]
    fn all_mistakes_of_an_expression_are_told_and_none_that_only_follows() {
        let said = [
            "jbs.exists(job, job.anything == 1) || system.modell == ha.nothing",
            "jobs.exist(job, job.kynd == '') && siz(jbs) > 1",
            "jobs.exists(job) || jobs.map(job) || has(jobs, ha)",
            "jbs.size() > 1 && jbs == 2 && jobs.map(job, job.kynd)[0] == ''",
            "optic.class == 'alowed' ? optic.part || true : optic.port > '5'",
            "optic.class in ['emty', 'fixd'] && 1 == 'a'",
        ]
        .map(|source| {
            let problems = Expression::compile(source, &beside_an_optic()).err().unwrap();
            let messages: Vec<_> = problems.into_iter().map(|problem| problem.message).collect();
            format!("{source}\n    {}", messages.join("\n    "))
        });
        insta::assert_snapshot!(said.join("\n"), @r#"
        jbs.exists(job, job.anything == 1) || system.modell == ha.nothing
            there is no variable `jbs`; the nearest is `jobs`
            `system` has no `modell`; the nearest is `model`. It is a record of app_version (text), hostname (text), model (text), multi_vsys (true/false), operational_mode (or null), serial (text), sw_version (text), uptime_seconds (number)
            `ha` has no `nothing`; the nearest is `local`. It is a record of enabled (true/false), local (record), mode (or null), peer (or null), preemptive (or null), running_sync (or null), running_sync_enabled (or null)
        jobs.exist(job, job.kynd == '') && siz(jbs) > 1
            there is no function `exist`; the nearest is `exists`
            there is no function `siz`; the nearest is `size`
            there is no variable `jbs`; the nearest is `jobs`
        jobs.exists(job) || jobs.map(job) || has(jobs, ha)
            `exists` takes a name for one element and what is asked of it, as in `jobs.exists(job, job.id == 1)`
            `map` takes a name for one element and what is asked of it, as in `jobs.map(job, job.id)`
            `has` takes one field, as in `has(system.model)`
        jbs.size() > 1 && jbs == 2 && jobs.map(job, job.kynd)[0] == ''
            there is no variable `jbs`; the nearest is `jobs`
            `job` has no `kynd`; the nearest is `kind`. It is a record of details (list), id (or null), kind (text), progress (or null), result (text), status (text)
        optic.class == 'alowed' ? optic.part || true : optic.port > '5'
            `optic.class` is never "alowed"; the nearest is "allowed". It is one of empty, fixed, allowed, known_bad, unknown_vendor, unreadable
            `optic.part` is a text, not true or false
            `optic.port` is a number and `"5"` is a text: they are never the same, and neither is less
        optic.class in ['emty', 'fixd'] && 1 == 'a'
            `optic.class` is never "emty"; the nearest is "empty". It is one of empty, fixed, allowed, known_bad, unknown_vendor, unreadable
            `optic.class` is never "fixd"; the nearest is "fixed". It is one of empty, fixed, allowed, known_bad, unknown_vendor, unreadable
            `1` is a number and `"a"` is a text: they are never the same, and neither is less
        "#);
    }

    #[test]
    fn every_way_to_go_wrong_is_a_value() {
        let mut context = vocabulary::context().unwrap();
        context.add_variable_as_val("system", value(&serde_json::json!({"model": "PA-850"})).unwrap());
        let said = |source: &str| match Expression::compile(source, &Scope::bare())
            .ok()
            .unwrap()
            .decides(&context)
        {
            Ok(yes) => format!("{yes}"),
            Err(NoAnswer::Unknown(reason)) => format!("unknown: {reason}"),
            Err(NoAnswer::Failed(detail)) => format!("failed: {detail}"),
        };
        let said: Vec<_> = [
            "system.model == 'PA-850'",
            "dyn(system).modell == 'PA-850'",
            "system.model",
            "1 / 0 == 1",
            "9223372036854775807 + 1 > 0",
            "[1][3] == 1",
            "system.model.matches('(')",
            "unknown('no list')",
            "unknown('no list') || true",
            "unknown('no list') && false",
            "false || unknown('no list')",
            "[1, 2].exists(n, n == 2 || unknown('odd'))",
        ]
        .into_iter()
        .map(said)
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        true
        unknown: `dyn(system).modell == 'PA-850'`: there is no `modell` in what the device answered
        failed: `system.model` is string, not true or false
        failed: `1 / 0 == 1`: Division by zero of Int(1)
        failed: `9223372036854775807 + 1 > 0`: Overflow from binary operator 'add': Int(9223372036854775807), Int(1)
        failed: `[1][3] == 1`: Index out of bounds: Int(3)
        failed: `system.model.matches('(')`: Error executing function 'matches': '(' not a valid regex: regex parse error: ( ^ error: unclosed group
        unknown: no list
        true
        false
        unknown: no list
        true
        ");
    }

    #[test]
    fn what_the_facts_do_not_say_may_be_anything() {
        for source in [
            "dyn(system).modell == 1",
            "features.numbers['memory-mb'].known > 1",
            "optic.vendor == null || optic.vendor + 'x' == ''",
            "[optic].map(one, one.part)[0] == optic.vendor",
            "type(optic.port) == int && size(optic.interface) > int('1')",
            "list_of(ha.peer).all(peer, peer.state == 'active')",
            "(hop == null ? system.sw_version : hop.to).startsWith('1')",
            "jobs.filter(job, job.kind == '').map(job, job.id).exists_one(id, id == 1)",
        ] {
            let compiled = Expression::compile(source, &beside_an_optic());
            assert_eq!(compiled.err(), None, "{source}");
        }
    }

    #[test]
    fn a_map_is_looked_through_in_the_same_order_at_every_run() {
        let said = || {
            let mut context = vocabulary::context().unwrap();
            let names: serde_json::Map<_, _> = (0..40).map(|at| (format!("n{at}"), at.into())).collect();
            context.add_variable_as_val("jobs", value(&names).unwrap());
            let looks = Expression::compile("dyn(jobs).map(name, name + string(jobs[name]))", &Scope::bare());
            looks.ok().unwrap().text(&context).ok().unwrap()
        };
        let first = said();
        assert!(first.starts_with("n00, n11, n1010, n1111, n1212, "), "{first}");
        for _ in 0..10 {
            assert_eq!(said(), first);
        }
    }

    /// Nothing of what people can write takes more than a moment, whatever the facts hold. The time is what the runner
    /// allows: without the bounds, each of these runs for hours or takes all memory.
    #[test]
    fn hostile_expressions_end() {
        let deep =
            |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
        let many: Vec<i64> = (0..10_000).collect();
        let mut context = vocabulary::context().unwrap();
        let jobs = value(&many).unwrap();
        context.add_variable_as_val("jobs", jobs);
        let said = |source: &str| match Expression::compile(source, &Scope::bare()) {
            Err(problems) => format!("refused: {}", problems[0].message),
            Ok(expression) => match expression.seen(&context) {
                Ok(_) => "done".to_owned(),
                Err(NoAnswer::Failed(_)) => "stopped".to_owned(),
                Err(NoAnswer::Unknown(_)) => "unknown".to_owned(),
            },
        };
        let said: Vec<_> = [
            ("long", "1 + ".repeat(2_000) + "1"),
            ("many operators", "1 + ".repeat(600) + "1"),
            ("a deep tree", "1 + ".repeat(100) + "1"),
            ("deep selects", "jobs".to_owned() + &".a".repeat(100)),
            ("brackets", deep("(", ")", 100)),
            ("brackets in quotes", deep("(')' == '' ? ", " : 1)", 30)),
            ("lists", deep("[", "]", 25)),
            ("signs", "!".repeat(400) + "true"),
            ("minus", "-".repeat(400) + "1"),
            (
                "nested loops",
                "jobs.all(a, jobs.all(b, jobs.all(c, jobs.all(d, true))))".to_owned(),
            ),
            (
                "three loops",
                "dyn(jobs).all(a, dyn(jobs).all(b, dyn(jobs).all(c, a + b + c > 0)))".to_owned(),
            ),
            (
                "hidden three loops",
                "dyn(jobs).all(a, dyn(jobs).all(b, dyn(jobs).all(c, true))) || true".to_owned(),
            ),
            (
                "doubling texts",
                "['0123456789'].map(x, x + x)".to_owned() + &".map(x, x + x)".repeat(40),
            ),
            (
                "doubling lists",
                "[[1]]".to_owned() + &".map(x, x + x)".repeat(40),
            ),
            ("copies", "dyn(jobs).map(a, jobs).map(b, [b, b, b, b])".to_owned()),
            (
                "copies in maps",
                "dyn(jobs).map(a, {'a': jobs, 'b': jobs})".to_owned(),
            ),
            (
                "whole comparisons",
                "dyn(jobs).filter(a, jobs == jobs)".to_owned(),
            ),
            (
                "copies in what is said of a mistake",
                "dyn(jobs).exists(a, jobs - a == 1) || dyn(jobs).exists(a, a / jobs == 1)".to_owned(),
            ),
            (
                "copies in what is said of a place",
                "dyn(jobs).exists(a, dyn(jobs)[a + 0.5] == 1)".to_owned(),
            ),
            ("searches", "dyn(jobs).filter(a, !(a in jobs))".to_owned()),
            (
                "patterns",
                "dyn(jobs).filter(a, string(a).matches('^([0-9a-z]{1,9}){1,9}$'))".to_owned(),
            ),
            (
                "a pattern bomb",
                "'a'.matches('((((a{10}){10}){10}){10}){10}')".to_owned(),
            ),
            ("a long pattern", format!("'a'.matches('{}')", "a?".repeat(150))),
            ("a made pattern", "'a'.matches('a' + 'b')".to_owned()),
            (
                "a fair amount",
                "dyn(jobs).filter(a, a % 2 == 0 && a < 100).map(a, a * a).exists(a, a == 16)".to_owned(),
            ),
        ]
        .into_iter()
        .map(|(name, source)| format!("{name}: {}", said(&source)))
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        long: refused: it is 8001 characters long; 4000 are allowed
        many operators: refused: it has more than 500 operators, dots and quotes
        a deep tree: refused: it is more than 80 levels deep
        deep selects: refused: it is more than 80 levels deep
        brackets: refused: more than 24 brackets are open at once
        brackets in quotes: done
        lists: refused: more than 24 brackets are open at once
        signs: done
        minus: done
        nested loops: refused: more than 3 lists are looked through inside of one another
        three loops: stopped
        hidden three loops: stopped
        doubling texts: stopped
        doubling lists: stopped
        copies: stopped
        copies in maps: stopped
        whole comparisons: stopped
        copies in what is said of a mistake: stopped
        copies in what is said of a place: stopped
        searches: stopped
        patterns: stopped
        a pattern bomb: refused: a pattern repeats its parts at most 100 times
        a long pattern: refused: a pattern has at most 200 characters
        a made pattern: refused: `matches` takes a pattern that is written out
        a fair amount: done
        ");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_compiler_panic(text in any::<String>(), near in "[a-z\\[\\]{}()!&|=<>.,:?'\"0-9 \\\\-]{0,40}") {
            for text in [text, near] {
                if let Ok(expression) = Expression::compile(&text, &Scope::bare()) {
                    let _ = expression.text(&vocabulary::context().unwrap());
                }
            }
        }
    }
}
