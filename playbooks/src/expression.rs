//! One CEL expression of a playbook: compiled once, its names checked, run without taking anything else down.
//!
//! Responsible for: refusing names that do not exist when the playbook is read, and turning every way an expression can
//! go wrong at run time into a value. Must not know: what a check does with the answer.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr};
use cel::{Context, ExecutionError, Program, Value};
use hopgate_paths::nearest_names;

use crate::facts::FactArea;
use crate::vocabulary::{self, UNKNOWN};

/// Something an expression can use that has to be there: an area of the facts, or the hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// An area of the facts.
    Area(FactArea),
    /// The planned hop.
    Hop,
}

impl Need {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Area(area) => area.name(),
            Self::Hop => "hop",
        }
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        FactArea::ALL.into_iter().map(Self::Area).chain([Self::Hop])
    }
}

/// A name that is none of the areas and not `hop`.
pub(crate) struct NoSuchNeed {
    pub(crate) nearest: String,
}

impl FromStr for Need {
    type Err = NoSuchNeed;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::all().find(|need| need.name() == name);
        let nearest = || nearest_names(name, Self::all().map(Self::name), 1).join(", ");
        found.ok_or_else(|| NoSuchNeed { nearest: nearest() })
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
    program: Program,
    needs: BTreeSet<Need>,
}

impl Expression {
    /// Compiles `source` and checks every name in it; `item` is the name of the element of a `for_each`, if there is one.
    pub(crate) fn compile(source: &str, item: Option<&str>) -> Result<Self, String> {
        let compiled = catch_unwind(|| vocabulary::environment().compile(source));
        let program = match compiled {
            Ok(Ok(program)) => program,
            Ok(Err(errors)) => {
                let said = errors
                    .errors
                    .first()
                    .map_or("it is not CEL", |error| error.msg.as_str());
                return Err(said.lines().next().unwrap_or_default().to_owned());
            }
            Err(_) => return Err("the CEL parser stopped on it".to_owned()),
        };
        let mut names = Names {
            bound: item.into_iter().collect(),
            needs: BTreeSet::new(),
        };
        names.check(program.expression())?;
        let needs = names.needs;
        // Shown on one line: in a playbook an expression is often folded over several.
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self {
            source,
            program,
            needs,
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

    /// Its value. An interpreter that stops half way is an expression that failed, not a check that vanished.
    pub(crate) fn value(&self, context: &Context<'_, '_>) -> Result<Value, NoAnswer> {
        match catch_unwind(AssertUnwindSafe(|| self.program.execute(context))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(ExecutionError::FunctionError { function, message })) if function == UNKNOWN => {
                Err(NoAnswer::Unknown(message))
            }
            Ok(Err(error)) => Err(NoAnswer::Failed(format!(
                "`{}`: {}",
                self.source,
                one_line(&error.to_string())
            ))),
            Err(_) => Err(NoAnswer::Failed(format!(
                "`{}`: the CEL interpreter stopped on it",
                self.source
            ))),
        }
    }

    /// Its value, which has to be a yes or a no.
    pub(crate) fn decides(&self, context: &Context<'_, '_>) -> Result<bool, NoAnswer> {
        match self.value(context)? {
            Value::Bool(yes) => Ok(yes),
            other => {
                let kind = other.type_of();
                Err(NoAnswer::Failed(format!(
                    "`{}` is {kind}, not true or false",
                    self.source
                )))
            }
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Walks an expression with the names that are bound where it stands.
struct Names<'e> {
    bound: Vec<&'e str>,
    needs: BTreeSet<Need>,
}

impl<'e> Names<'e> {
    fn check(&mut self, node: &'e IdedExpr) -> Result<(), String> {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.identifier(name),
            Expr::Select(select) => self.check(&select.operand),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.check(element)),
            Expr::Map(map) => self.entries(&map.entries),
            Expr::Struct(message) => Err(format!(
                "`{}` is a message type; there are none here",
                message.type_name
            )),
            Expr::Call(call) => {
                if let Some(refused) = vocabulary::refuse_function(&call.func_name) {
                    return Err(refused);
                }
                if let Some(target) = &call.target {
                    self.check(target)?;
                }
                call.args.iter().try_for_each(|argument| self.check(argument))
            }
            Expr::Comprehension(comprehension) => {
                self.check(&comprehension.iter_range)?;
                self.check(&comprehension.accu_init)?;
                let outer = self.bound.len();
                self.bound
                    .extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
                self.bound.extend(comprehension.iter_var2.as_deref());
                let inner = [
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ];
                let checked = inner.into_iter().try_for_each(|part| self.check(part));
                self.bound.truncate(outer);
                checked
            }
        }
    }

    fn entries(&mut self, entries: &'e [IdedEntryExpr]) -> Result<(), String> {
        entries.iter().try_for_each(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => self.check(&entry.key).and_then(|()| self.check(&entry.value)),
            EntryExpr::StructField(field) => self.check(&field.value),
        })
    }

    fn identifier(&mut self, name: &'e str) -> Result<(), String> {
        // The names of CEL's own types are values: `type(x) == int`.
        const TYPES: [&str; 9] = [
            "int",
            "uint",
            "double",
            "bool",
            "string",
            "list",
            "map",
            "null_type",
            "type",
        ];
        if self.bound.contains(&name) || name.starts_with('@') || TYPES.contains(&name) {
            return Ok(());
        }
        if let Ok(need) = name.parse() {
            self.needs.insert(need);
            return Ok(());
        }
        let mut known: Vec<&str> = Need::all().map(Need::name).collect();
        known.extend(self.bound.iter().filter(|name| !name.starts_with('@')));
        let nearest = nearest_names(name, known, 1).join(", ");
        Err(format!(
            "there is no variable `{name}`; the nearest is `{nearest}`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(source: &str) -> String {
        Expression::compile(source, Some("optic")).err().unwrap()
    }

    #[test]
    fn names_are_checked_where_they_stand() {
        let accepted = Expression::compile(
            "jobs.exists(job, job.status != 'FIN') && {'a': [hop.to]}.a[0] != optic.part && has(system.model)",
            Some("optic"),
        );
        let needs: Vec<_> = accepted
            .ok()
            .unwrap()
            .needs()
            .iter()
            .map(|need| need.name())
            .collect();
        assert_eq!(needs, ["system", "jobs", "hop"]);
        let said = [
            refused("jobb.exists(job, true)"),
            refused("jobs.exists(job, joob.status == '')"),
            refused("jobs.exists(job, true) && job.status == ''"),
            refused("version_less(system.sw_version, hop.to)"),
            refused("optik.part == ''"),
            refused("{'a': syste}"),
            refused("Job{id: 1}"),
            refused("jobs.exists("),
            refused(""),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        there is no variable `jobb`; the nearest is `jobs`
        there is no variable `joob`; the nearest is `job`
        there is no variable `job`; the nearest is `jobs`
        there is no function `version_less`; the nearest is `version_le`
        there is no variable `optik`; the nearest is `optic`
        there is no variable `syste`; the nearest is `system`
        `Job` is a message type; there are none here
        Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', ')', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
        Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
        ");
    }

    #[test]
    fn every_way_to_go_wrong_is_a_value() {
        let mut context = vocabulary::context().unwrap();
        context.add_variable_from_value(
            "system",
            vocabulary::value(&serde_json::json!({"model": "PA-850"})).unwrap(),
        );
        let said = |source: &str| match Expression::compile(source, None).ok().unwrap().decides(&context) {
            Ok(yes) => format!("{yes}"),
            Err(NoAnswer::Unknown(reason)) => format!("unknown: {reason}"),
            Err(NoAnswer::Failed(detail)) => format!("failed: {detail}"),
        };
        let said: Vec<_> = [
            "system.model == 'PA-850'",
            "system.modell == 'PA-850'",
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
        failed: `system.modell == 'PA-850'`: No such key: modell
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

    proptest! {
        #[test]
        fn no_text_makes_the_compiler_panic(text in any::<String>(), near in "[a-z\\[\\]{}()!&|=<>.,:?'\"0-9 \\\\-]{0,40}") {
            for text in [text, near] {
                if let Ok(expression) = Expression::compile(&text, None) {
                    let _ = expression.value(&vocabulary::context().unwrap());
                }
            }
        }
    }
}
