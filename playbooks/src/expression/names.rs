//! Reads an expression before it ever runs: every name in it exists, and every field is one that the facts have there.
//!
//! Responsible for: finding the areas an expression needs, and answering a mistake with the nearest right name and what
//! the facts look like at that place. Must not know: values.

use std::collections::BTreeSet;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue, SelectExpr,
    operators,
};
use hopgate_paths::nearest_names;

use super::{Need, Problem, Scope};
use crate::shape::Shape;
use crate::vocabulary;

/// The names of CEL's own types are values: `type(x) == int`.
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

/// Walks an expression with the names that are bound where it stands, and what is behind each.
pub(super) struct Names<'e> {
    scope: &'e Scope,
    bound: Vec<(&'e str, Shape)>,
    pub(super) needs: BTreeSet<Need>,
    pub(super) problems: Vec<Problem>,
}

impl<'e> Names<'e> {
    pub(super) fn new(scope: &'e Scope) -> Self {
        let item = scope
            .item
            .as_ref()
            .map(|(name, shape)| (name.as_str(), shape.clone()));
        Self {
            scope,
            bound: item.into_iter().collect(),
            needs: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Something is wrong. What is said of it twice is one mistake: some functions are written out as more than one use
    /// of a name.
    fn wrong(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// What an expression comes to; anything, where it has a mistake: nothing further is said of it.
    pub(super) fn shape(&mut self, node: &'e IdedExpr) -> Shape {
        match &node.expr {
            Expr::Unspecified => Shape::Any,
            Expr::Literal(literal) => literal_shape(literal),
            Expr::Ident(name) => self.identifier(name),
            Expr::Select(select) => self.field(select),
            Expr::List(list) => self.list(&list.elements),
            Expr::Map(map) => self.entries(&map.entries),
            Expr::Struct(message) => {
                self.wrong(Problem::about(
                    &message.type_name,
                    format!("`{}` is a message type; there are none here", message.type_name),
                ));
                Shape::Any
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(look) => self.look(look),
        }
    }

    fn list(&mut self, elements: &'e [IdedExpr]) -> Shape {
        let shapes = elements.iter().map(|element| self.shape(element));
        let of = shapes.reduce(|before, shape| shape.joined(before));
        Shape::list(of.unwrap_or(Shape::Any))
    }

    fn entries(&mut self, entries: &'e [IdedEntryExpr]) -> Shape {
        for entry in entries {
            match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.shape(&entry.key);
                    self.shape(&entry.value);
                }
                EntryExpr::StructField(field) => {
                    self.shape(&field.value);
                }
            }
        }
        Shape::Any
    }

    fn identifier(&mut self, name: &'e str) -> Shape {
        if let Some((_, shape)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return shape.clone();
        }
        if name.starts_with('@') || TYPES.contains(&name) {
            return Shape::Any;
        }
        if let Some(shape) = self.scope.always(name) {
            return shape;
        }
        if let Some(need) = self.scope.need(name) {
            let shape = need.shape();
            self.needs.insert(need);
            return shape;
        }
        let known = self.scope.names();
        let bound = self.bound.iter().map(|(name, _)| *name);
        let known = known
            .iter()
            .map(String::as_str)
            .chain(bound.filter(|name| !name.starts_with('@')));
        let nearest = nearest_names(name, known, 1).join(", ");
        self.wrong(Problem::about(
            name,
            format!("there is no variable `{name}`; the nearest is `{nearest}`"),
        ));
        Shape::Any
    }

    fn field(&mut self, select: &'e SelectExpr) -> Shape {
        let of = self.shape(&select.operand);
        let shape = self.field_of(&of, &select.field, &select.operand);
        if select.test { Shape::YesNo } else { shape }
    }

    fn field_of(&mut self, of: &Shape, field: &str, operand: &IdedExpr) -> Shape {
        field_of(of, field, operand).unwrap_or_else(|problem| {
            self.wrong(problem);
            Shape::Any
        })
    }

    fn must_decide(&mut self, node: &IdedExpr, shape: &Shape) {
        if let Err(problem) = must_decide(node, shape) {
            self.wrong(problem);
        }
    }

    fn comparable(&mut self, one: (&IdedExpr, &Shape), other: (&IdedExpr, &Shape)) {
        if let Err(problem) = comparable(one, other) {
            self.wrong(problem);
        }
    }

    fn call(&mut self, call: &'e CallExpr) -> Shape {
        if let Some(target) = &call.target {
            self.shape(target);
        }
        let refused = vocabulary::refuse_function(&call.func_name);
        let is_known = refused.is_none();
        if let Some(refused) = refused {
            self.wrong(Problem::about(&call.func_name, refused));
            if call.target.is_some() {
                // A misspelt `exists` would have made a name of its first argument: nothing is said of them.
                return Shape::Any;
            }
        }
        let shapes: Vec<_> = call.args.iter().map(|argument| self.shape(argument)).collect();
        match (call.func_name.as_str(), call.args.as_slice(), shapes.as_slice()) {
            (operators::CONDITIONAL, [condition, ..], [decides, one, other]) => {
                self.must_decide(condition, decides);
                one.clone().joined(other.clone())
            }
            (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, arguments, shapes) => {
                for (argument, shape) in arguments.iter().zip(shapes) {
                    self.must_decide(argument, shape);
                }
                Shape::YesNo
            }
            (
                operators::EQUALS
                | operators::NOT_EQUALS
                | operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [one, other],
                [left, right],
            ) => {
                self.comparable((one, left), (other, right));
                Shape::YesNo
            }
            (operators::IN, [one, list], [left, right]) => {
                self.is_in((one, left), (list, right));
                Shape::YesNo
            }
            (operators::INDEX, [of, index], [shape, _]) => match (shape.present(), &index.expr) {
                (Shape::Record(_), Expr::Literal(LiteralValue::String(name))) => {
                    self.field_of(shape, name.inner(), of)
                }
                (Shape::Map(of) | Shape::List(of), _) => of.as_ref().clone(),
                _ => Shape::Any,
            },
            (function, _, shapes) if is_known => result(function, shapes),
            _ => Shape::Any,
        }
    }

    fn is_in(&mut self, (one, left): (&IdedExpr, &Shape), (list, right): (&IdedExpr, &Shape)) {
        let Shape::List(of) = right.present() else { return };
        self.comparable((one, left), (list, of));
        if let Expr::List(written) = &list.expr {
            for word in &written.elements {
                self.comparable((one, left), (word, &Shape::Text));
            }
        }
    }

    /// `exists`, `all`, `exists_one`, `filter` and `map`, as they are written out: a fold over a list.
    fn look(&mut self, look: &'e ComprehensionExpr) -> Shape {
        let range = self.shape(&look.iter_range);
        if matches!(
            range.present(),
            Shape::Text | Shape::Words(_) | Shape::Number | Shape::YesNo
        ) {
            let source = spelt(&look.iter_range);
            self.wrong(Problem::about(
                last_name(&look.iter_range),
                format!(
                    "`{source}` is {}: there is nothing in it to look through",
                    range.kind()
                ),
            ));
        }
        let start = self.shape(&look.accu_init);
        let outer = self.bound.len();
        self.bound.push((&look.iter_var, range.element()));
        self.bound.push((&look.accu_var, Shape::Any));
        self.bound
            .extend(look.iter_var2.as_deref().map(|name| (name, Shape::Any)));
        for part in [&look.loop_cond, &look.loop_step, &look.result] {
            self.shape(part);
        }
        let made = match (appended(&look.loop_step), start) {
            (Some(element), _) => Shape::list(self.shape(element)),
            (None, Shape::List(_)) => Shape::list(Shape::Any),
            (None, _) => Shape::YesNo,
        };
        self.bound.truncate(outer);
        made
    }
}

/// `x` of `@result + [x]`, with or without a condition around it.
fn appended(step: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::Call(call) = &step.expr else { return None };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::CONDITIONAL, [_, then, _]) => appended(then),
        (operators::ADD, [_, list]) => match &list.expr {
            Expr::List(list) => list.elements.first(),
            _ => None,
        },
        _ => None,
    }
}

fn literal_shape(literal: &LiteralValue) -> Shape {
    match literal {
        LiteralValue::Boolean(_) => Shape::YesNo,
        LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => Shape::Number,
        LiteralValue::String(_) => Shape::Text,
        LiteralValue::Null => Shape::Nothing,
        LiteralValue::Bytes(_) => Shape::Any,
    }
}

/// What a function or an operator gives.
fn result(function: &str, arguments: &[Shape]) -> Shape {
    match function {
        "size" | "int" | "uint" | "double" | "content_number" | "days_between" | "hours_between"
        | "minutes_between" => Shape::Number,
        "contains" | "startsWith" | "endsWith" | "matches" | "bool" | "version_lt" | "version_le" => {
            Shape::YesNo
        }
        "string" | "fix_state" | "device_time" => Shape::Text,
        "minutes_to_run" => Shape::optional(Shape::Number),
        "end_of_life" | "run_in_window" => Shape::optional(Shape::Text),
        "list_of" => Shape::list(match arguments {
            [one] => match one.present() {
                Shape::List(of) => of.as_ref().clone(),
                other => other.clone(),
            },
            _ => Shape::Any,
        }),
        operators::ADD => match arguments {
            [one, other] if one == other => one.clone(),
            [Shape::Text | Shape::Words(_), _] => Shape::Text,
            _ => Shape::Any,
        },
        operators::SUBSTRACT
        | operators::MULTIPLY
        | operators::DIVIDE
        | operators::MODULO
        | operators::NEGATE => Shape::Number,
        _ => Shape::Any,
    }
}

fn field_of(of: &Shape, field: &str, operand: &IdedExpr) -> Result<Shape, Problem> {
    let place = spelt(operand);
    match of.present() {
        Shape::Any => Ok(Shape::Any),
        Shape::Map(of) => Ok(of.as_ref().clone()),
        Shape::Record(fields) if fields.is_empty() => Err(Problem::about(
            field,
            format!("`{place}` has no `{field}`: it is empty"),
        )),
        Shape::Record(fields) => fields.get(field).cloned().ok_or_else(|| {
            let nearest = nearest_names(field, fields.keys().map(String::as_str), 1).join(", ");
            Problem::about(
                field,
                format!(
                    "`{place}` has no `{field}`; the nearest is `{nearest}`. It is {}",
                    of.described()
                ),
            )
        }),
        Shape::List(_) => Err(Problem::about(
            field,
            format!(
                "`{place}` is a list and has no `{field}`; look through it with `exists`, `all`, `filter` or `map`. It is {}",
                of.described()
            ),
        )),
        other => Err(Problem::about(
            field,
            format!("`{place}` is {} and has no `{field}`", other.kind()),
        )),
    }
}

/// Where a yes or no is asked for.
fn must_decide(node: &IdedExpr, shape: &Shape) -> Result<(), Problem> {
    match shape {
        Shape::Any | Shape::YesNo => Ok(()),
        other => Err(Problem::about(
            last_name(node),
            format!("`{}` is {}, not true or false", spelt(node), other.kind()),
        )),
    }
}

/// Two values that are compared: of one kind, and a word that the other can be.
fn comparable((one, left): (&IdedExpr, &Shape), (other, right): (&IdedExpr, &Shape)) -> Result<(), Problem> {
    let (left, right) = (left.present(), right.present());
    for (words, node, literal) in [(left, one, other), (right, other, one)] {
        if let (Shape::Words(words), Expr::Literal(LiteralValue::String(written))) = (words, &literal.expr)
            && !words.contains(&written.inner())
        {
            let nearest = nearest_names(written.inner(), words.iter().copied(), 1).join(", ");
            return Err(Problem::about(
                written.inner(),
                format!(
                    "`{}` is never \"{}\"; the nearest is \"{nearest}\". It is one of {}",
                    spelt(node),
                    written.inner(),
                    words.join(", ")
                ),
            ));
        }
    }
    let kinds = (left.kind(), right.kind());
    let comparable = kinds.0 == kinds.1
        || [left, right]
            .iter()
            .any(|shape| matches!(shape, Shape::Any | Shape::Nothing))
        || matches!(
            (left, right),
            (Shape::Map(_) | Shape::Record(_), Shape::Map(_) | Shape::Record(_))
        );
    if comparable {
        return Ok(());
    }
    Err(Problem::about(
        last_name(one),
        format!(
            "`{}` is {} and `{}` is {}: they are never the same, and neither is less",
            spelt(one),
            kinds.0,
            spelt(other),
            kinds.1
        ),
    ))
}

/// A part of an expression, as far as it is names and fields.
fn spelt(node: &IdedExpr) -> String {
    match &node.expr {
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) => format!("{}.{}", spelt(&select.operand), select.field),
        Expr::Literal(LiteralValue::String(text)) => format!("\"{}\"", text.inner()),
        Expr::Literal(LiteralValue::Int(number)) => number.inner().to_string(),
        Expr::Literal(LiteralValue::Boolean(yes)) => yes.inner().to_string(),
        Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
            [of, index] => format!("{}[{}]", spelt(of), spelt(index)),
            _ => "..".to_owned(),
        },
        Expr::Call(call)
            if call
                .func_name
                .starts_with(|first: char| first.is_ascii_alphabetic()) =>
        {
            let arguments: Vec<_> = call.args.iter().map(spelt).collect();
            format!("{}({})", call.func_name, arguments.join(", "))
        }
        _ => "..".to_owned(),
    }
}

/// The name by which a part can be found in its text.
fn last_name(node: &IdedExpr) -> &str {
    match &node.expr {
        Expr::Ident(name) => name,
        Expr::Select(select) => &select.field,
        Expr::Call(call) => call.args.first().map_or("", last_name),
        _ => "",
    }
}
