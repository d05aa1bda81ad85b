//! Keeps expressions small and their work bounded: a check is written by many people, and none may stop an audit.
//!
//! Responsible for: refusing what is too long or too deep before it is parsed or run, and counting steps while it runs.
//! Must not know: what an expression is about.
//!
//! The interpreter has no limits of its own. So whatever may do much work is wrapped, when an expression is compiled, in
//! calls that pay for it first: each look through a list, each copy, each comparison of whole values. With nothing left
//! to pay with, those calls fail, and so does the check.

use std::cell::Cell;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::common::types::{CelInt, CelList, CelMap, CelString, DYN_TYPE, INT_TYPE, Kind};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

/// Characters of an expression. The longest of the library has less than a quarter of it.
pub(crate) const LENGTH_MAX: usize = 4_000;

/// Brackets inside brackets, before the parser sees them.
const BRACKETS_MAX: usize = 24;

/// Operators, dots and brackets: each can make the tree a level deeper, and the parser descends by calling itself.
const MARKS_MAX: usize = 500;

/// Levels of the tree: the interpreter descends by calling itself too.
const DEPTH_MAX: usize = 80;

/// Lists looked through inside of one another.
const NESTED_MAX: usize = 3;

/// Steps of one check: about a second of work. Going through 100,000 routes with a condition of ten names takes half of
/// them. Tests are not optimised, and have less.
pub(crate) const STEPS: u64 = if cfg!(any(test, fuzzing)) {
    500_000
} else {
    10_000_000
};

/// Steps that making and running one regular expression counts for, before its length.
const PATTERN_STEPS: u64 = 500;

/// Characters of a pattern.
const PATTERN_MAX: usize = 200;

/// Copies of a part that `{n}` in a pattern may ask for, all together.
const REPEATS_MAX: u64 = 100;

/// Steps that a copy of a value counts for, against one for looking at it: a value takes about 70 bytes, and all steps of a
/// check must not make a gigabyte of them. A filter that keeps each of 100,000 routes has just enough.
const COPY_STEPS: u64 = 3;

/// Steps that each entry of a map that is written out counts for, for the same reason.
const ENTRY_STEPS: u64 = 8;

/// Pays for going through a value: `(value, steps for each element)`.
const OVER: &str = "@over";
/// Pays for a whole value, and everything in it.
const WHOLE: &str = "@whole";
/// Pays for a copy of a whole value.
const COPIED: &str = "@copied";
/// Pays for a text as long as it is, and a step for anything else: `(value, steps besides)`.
const LONG: &str = "@long";
/// Pays a step, and refuses what is no place in a list and no name in a map.
const PLACE: &str = "@place";

thread_local! {
    /// What is left of the check that runs on this thread; none where none does. Evaluation never waits for anything, so
    /// a check begins and ends on one thread.
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs one check's work with [`STEPS`] steps. Inside of such work, what is left is shared.
pub(crate) fn within<T>(work: impl FnOnce() -> T) -> T {
    if LEFT.get().is_some() {
        return work();
    }
    LEFT.set(Some(STEPS));
    let done = work();
    LEFT.set(None);
    done
}

/// Whether the work that runs has used all its steps. A failed call can be hidden by what is around it (`x || true`);
/// this cannot.
pub(crate) fn spent() -> bool {
    LEFT.get() == Some(0)
}

/// What a check says that has used all its steps.
pub(crate) const TOO_MUCH: &str = "it takes too many steps; look at fewer things, or filter them first";

/// Pays; nothing is left once it does not suffice.
pub(crate) fn pay(steps: u64) -> Result<(), ExecutionError> {
    let Some(left) = LEFT.get() else { return Ok(()) };
    match left.checked_sub(steps) {
        Some(rest) if rest > 0 => {
            LEFT.set(Some(rest));
            Ok(())
        }
        _ => {
            LEFT.set(Some(0));
            Err(ExecutionError::function_error("steps", TOO_MUCH))
        }
    }
}

/// Adds the calls that pay.
pub(crate) fn declare(environment: &mut Env) -> Result<(), DeclarationError> {
    environment.add_overload(OVER, "over_dyn_int", vec![DYN_TYPE, INT_TYPE], |arguments| {
        let each = steps_of(arguments.get(1));
        let range = pay_first(arguments, |value| {
            let elements = value.as_sizer().map_or(0, |sizer| count(*sizer.size().inner()));
            size(value).saturating_add(elements.saturating_mul(each))
        })?;
        Ok(in_order(range))
    })?;
    environment.add_overload(WHOLE, "whole_dyn", vec![DYN_TYPE], |arguments| {
        pay_first(arguments, size)
    })?;
    environment.add_overload(COPIED, "copied_dyn", vec![DYN_TYPE], |arguments| {
        pay_first(arguments, |value| size(value).saturating_mul(COPY_STEPS))
    })?;
    environment.add_overload(LONG, "long_dyn_int", vec![DYN_TYPE, INT_TYPE], |arguments| {
        let besides = steps_of(arguments.get(1));
        pay_first(arguments, |value| {
            let long = value.downcast_ref::<CelString<'_>>().map_or(1, text_size);
            long.saturating_add(besides)
        })
    })?;
    environment.add_overload(PLACE, "place_dyn", vec![DYN_TYPE], |arguments| {
        if arguments.first().is_some_and(|place| is_place(place.as_ref())) {
            return pay_first(arguments, |_| 1);
        }
        Err(ExecutionError::function_error(
            "[]",
            "what stands in the brackets is neither a whole number nor a name",
        ))
    })
}

/// Of anything else the interpreter would copy what it was to be looked for in, to say so.
fn is_place<'v>(value: &(dyn Val + 'v)) -> bool {
    matches!(
        value.get_type().kind(),
        Kind::Int | Kind::UInt | Kind::String | Kind::Boolean
    )
}

fn steps_of(argument: Option<&CowVal<'_, '_>>) -> u64 {
    argument
        .and_then(|steps| steps.downcast_ref::<CelInt>())
        .map_or(u64::MAX, |steps| count(*steps.inner()))
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Pays for the first argument, and gives it back as it is.
fn pay_first<'b, 'v>(
    mut arguments: Vec<CowVal<'b, 'v>>,
    price: impl FnOnce(&(dyn Val + 'v)) -> u64,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    // Finding the price takes as long as it is high: with nothing left, it is not even looked for.
    if spent() {
        return Err(ExecutionError::function_error("steps", TOO_MUCH));
    }
    let first = arguments.swap_remove(0);
    pay(price(first.as_ref()))?;
    Ok(first)
}

/// What there is to look through, in an order that is the same at every run: of a map its names, which the interpreter
/// would give in the order of a hash that changes with each map.
fn in_order<'b, 'v>(range: CowVal<'b, 'v>) -> CowVal<'b, 'v> {
    let Some(map) = range.downcast_ref::<CelMap<'v>>() else {
        return range;
    };
    let mut keys: Vec<_> = map.inner().keys().collect();
    keys.sort_unstable();
    let keys: Vec<Box<dyn Val + 'v>> = keys.into_iter().map(|key| key.inner().clone_as_boxed()).collect();
    CowVal::owned(CelList::from(keys))
}

/// Steps that copying or comparing a value takes: one for each value in it, and more for long texts.
fn size<'v>(value: &(dyn Val + 'v)) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        return text_size(text);
    }
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        return list.inner().iter().fold(1, |sum, one| sum + size(one.as_ref()));
    }
    if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        return map
            .inner()
            .values()
            .fold(1, |sum, one| sum + 1 + size(one.as_ref()));
    }
    1
}

fn text_size(text: &CelString<'_>) -> u64 {
    1 + text.inner().len() as u64 / 16
}

/// Steps that a text of so many bytes counts for, which a check puts into what it says.
pub(crate) fn copy_of_text(bytes: usize) -> u64 {
    (1 + bytes as u64 / 16).saturating_mul(COPY_STEPS)
}

/// Refuses a text that the parser must not see.
pub(crate) fn refuse_text(source: &str) -> Result<(), String> {
    if source.len() > LENGTH_MAX {
        return Err(format!(
            "it is {} characters long; {LENGTH_MAX} are allowed",
            source.len()
        ));
    }
    // Texts in quotes count too: telling them apart would take the parser that this protects.
    let (mut depth, mut marks) = (0usize, 0usize);
    for letter in source.chars().filter(char::is_ascii_punctuation) {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > BRACKETS_MAX {
            return Err(format!("more than {BRACKETS_MAX} brackets are open at once"));
        }
        marks += usize::from(!matches!(letter, '_' | ','));
    }
    if marks > MARKS_MAX {
        return Err(format!("it has more than {MARKS_MAX} operators, dots and quotes"));
    }
    Ok(())
}

/// Refuses a tree that the interpreter must not see.
pub(crate) fn refuse_tree(root: &IdedExpr) -> Result<(), String> {
    let mut left = vec![(root, 1usize, 0usize)];
    while let Some((node, depth, nested)) = left.pop() {
        if depth > DEPTH_MAX {
            return Err(format!("it is more than {DEPTH_MAX} levels deep"));
        }
        let nested = match &node.expr {
            Expr::Comprehension(_) => nested + 1,
            Expr::Call(call) if call.func_name == "matches" => {
                refuse_pattern(call)?;
                nested
            }
            _ => nested,
        };
        if nested > NESTED_MAX {
            return Err(format!(
                "more than {NESTED_MAX} lists are looked through inside of one another"
            ));
        }
        left.extend(parts(node).into_iter().map(|(part, inside)| {
            let nested = if inside { nested } else { nested - 1 };
            (part, depth + 1, nested)
        }));
    }
    Ok(())
}

/// What a node is made of, and whether it is evaluated once for each element of a list that the node looks through.
/// For a node that looks through none, everything is inside.
fn parts(node: &IdedExpr) -> Vec<(&IdedExpr, bool)> {
    match &node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Vec::new(),
        Expr::Select(select) => vec![(select.operand.as_ref(), true)],
        Expr::List(list) => list.elements.iter().map(|element| (element, true)).collect(),
        Expr::Map(map) => entries(&map.entries),
        Expr::Struct(made) => entries(&made.entries),
        Expr::Call(call) => {
            let target = call.target.as_deref().into_iter();
            target.chain(&call.args).map(|part| (part, true)).collect()
        }
        Expr::Comprehension(look) => vec![
            (&look.iter_range, false),
            (&look.accu_init, false),
            (&look.loop_cond, true),
            (&look.loop_step, true),
            (&look.result, false),
        ],
    }
}

fn entries(entries: &[cel::common::ast::IdedEntryExpr]) -> Vec<(&IdedExpr, bool)> {
    let mut parts = Vec::new();
    for entry in entries {
        match &entry.expr {
            EntryExpr::MapEntry(entry) => parts.extend([(&entry.key, true), (&entry.value, true)]),
            EntryExpr::StructField(field) => parts.push((&field.value, true)),
        }
    }
    parts
}

/// A pattern has to stand in the expression, where it can be looked at: one that is made at run time can take any time.
fn refuse_pattern(call: &CallExpr) -> Result<(), String> {
    let Some(Expr::Literal(LiteralValue::String(pattern))) = call.args.last().map(|pattern| &pattern.expr)
    else {
        return Err("`matches` takes a pattern that is written out".to_owned());
    };
    let pattern = pattern.inner();
    if pattern.len() > PATTERN_MAX {
        return Err(format!("a pattern has at most {PATTERN_MAX} characters"));
    }
    let repeats = repeats(pattern);
    if repeats > REPEATS_MAX {
        return Err(format!("a pattern repeats its parts at most {REPEATS_MAX} times"));
    }
    Ok(())
}

/// How many copies of its parts a pattern asks for, at most.
fn repeats(pattern: &str) -> u64 {
    pattern.split('{').skip(1).fold(1u64, |product, rest| {
        let counts = rest.split('}').next().unwrap_or_default().split(',');
        let highest = counts.filter_map(|count| count.trim().parse::<u64>().ok()).max();
        product.saturating_mul(highest.unwrap_or(1).max(1))
    })
}

/// How many letters the classes of a pattern count for: `\\w` is made of some hundred ranges of letters of all alphabets,
/// and making it takes as long as making a pattern of so many letters.
fn classes(pattern: &str) -> u64 {
    let escaped = pattern.split('\\').skip(1).map(|rest| match rest.chars().next() {
        Some('p' | 'P' | 'w' | 'W' | 'b' | 'B') => 300,
        Some('d' | 'D' | 's' | 'S') => 50,
        _ => 0,
    });
    // Without regard to capitals, or all letters but some.
    let marked = pattern.matches("(?").count() + pattern.matches("[^").count();
    escaped.sum::<u64>() + 100 * marked as u64
}

/// How many nodes a tree has: what running it once costs, without what it looks through.
pub(crate) fn nodes(root: &IdedExpr) -> u64 {
    let (mut count, mut left) = (0, vec![root]);
    while let Some(node) = left.pop() {
        count += match &node.expr {
            Expr::Map(map) => 1 + ENTRY_STEPS * map.entries.len() as u64,
            _ => 1,
        };
        left.extend(parts(node).into_iter().map(|(part, _)| part));
    }
    count
}

/// Wraps everything that may do much work. The tree was held against [`refuse_tree`], so this may call itself.
pub(crate) fn meter(node: &mut IdedExpr) {
    match &mut node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
        Expr::Select(select) => meter(&mut select.operand),
        Expr::List(list) => list.elements.iter_mut().for_each(meter_copied),
        Expr::Map(map) => map.entries.iter_mut().for_each(meter_entry),
        Expr::Struct(made) => made.entries.iter_mut().for_each(meter_entry),
        Expr::Call(call) => meter_call(call),
        Expr::Comprehension(look) => {
            let each = nodes(&look.loop_step);
            for part in [
                &mut look.iter_range,
                &mut look.accu_init,
                &mut look.loop_cond,
                &mut look.loop_step,
                &mut look.result,
            ] {
                meter(part);
            }
            wrap(
                &mut look.iter_range,
                OVER,
                Some(i64::try_from(each).unwrap_or(i64::MAX)),
            );
        }
    }
}

fn meter_entry(entry: &mut cel::common::ast::IdedEntryExpr) {
    match &mut entry.expr {
        EntryExpr::MapEntry(entry) => {
            meter_copied(&mut entry.key);
            meter_copied(&mut entry.value);
        }
        EntryExpr::StructField(field) => meter_copied(&mut field.value),
    }
}

/// What ends up inside of something else is copied into it.
fn meter_copied(part: &mut IdedExpr) {
    meter(part);
    if !is_literal(part) {
        wrap(part, COPIED, None);
    }
}

fn meter_call(call: &mut CallExpr) {
    if let Some(target) = &mut call.target {
        meter(target);
    }
    call.args.iter_mut().for_each(meter);
    let by_literal = call.args.iter().any(is_literal);
    let named = call
        .func_name
        .starts_with(|first: char| first.is_ascii_alphabetic());
    match call.func_name.as_str() {
        // `@result + [x]` is how `map` and `filter` are written out; the interpreter knows it by its form.
        operators::ADD if call.args.first().is_some_and(is_result) => {}
        operators::ADD => wrap_all(&mut call.args, COPIED, None),
        // Of what is no number the interpreter says so with a copy of both.
        operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO => {
            wrap_all(&mut call.args, WHOLE, None);
        }
        operators::INDEX => {
            if let Some(place) = call.args.last_mut().filter(|place| !is_plain_place(place)) {
                wrap(place, PLACE, None);
            }
        }
        operators::EQUALS | operators::NOT_EQUALS if !by_literal => wrap_all(&mut call.args, WHOLE, None),
        operators::IN => {
            let written_out = matches!(call.args.last().map(|list| &list.expr), Some(Expr::List(_)));
            if !written_out {
                wrap_all(&mut call.args, WHOLE, None);
            }
        }
        "matches" => {
            let besides = call.args.last().map_or(0, |pattern| match &pattern.expr {
                Expr::Literal(LiteralValue::String(text)) => {
                    let text = text.inner();
                    (text.len() as u64 + classes(text)) * repeats(text) * 20
                }
                _ => 0,
            });
            if let Some(target) = &mut call.target {
                let steps = i64::try_from(PATTERN_STEPS + besides).unwrap_or(i64::MAX);
                wrap(target, LONG, Some(steps));
            }
        }
        _ if named => {
            let own = crate::vocabulary::takes_whole_values(&call.func_name);
            let (function, besides) = if own { (WHOLE, None) } else { (LONG, Some(0)) };
            if let Some(target) = &mut call.target {
                wrap(target, function, besides);
            }
            wrap_all(&mut call.args, function, besides);
        }
        _ => {}
    }
}

fn is_literal(node: &IdedExpr) -> bool {
    matches!(node.expr, Expr::Literal(_))
}

/// A place that is written out: `[0]`, `['name']`.
fn is_plain_place(node: &IdedExpr) -> bool {
    matches!(
        node.expr,
        Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::String(_))
    )
}

fn is_result(node: &IdedExpr) -> bool {
    matches!(&node.expr, Expr::Ident(name) if name.starts_with('@'))
}

fn wrap_all(arguments: &mut [IdedExpr], function: &str, besides: Option<i64>) {
    for argument in arguments.iter_mut().filter(|argument| !is_literal(argument)) {
        wrap(argument, function, besides);
    }
}

fn wrap(node: &mut IdedExpr, function: &str, steps: Option<i64>) {
    let id = node.id;
    let wrapped = std::mem::take(node);
    let steps = steps.map(|steps| IdedExpr {
        id,
        expr: Expr::Literal(LiteralValue::Int(steps.into())),
    });
    *node = IdedExpr {
        id,
        expr: Expr::Call(CallExpr {
            func_name: function.to_owned(),
            target: None,
            args: std::iter::once(wrapped).chain(steps).collect(),
        }),
    };
}
