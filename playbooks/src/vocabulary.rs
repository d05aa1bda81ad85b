//! The words of a playbook's expressions: the variables they may use and the functions they may call.
//!
//! Responsible for: turning facts into CEL values, adding hopgate's own functions to the standard ones, and listing
//! what is allowed, so that a misspelt name is found when a playbook is read and not in the night it is needed. Must
//! not know: checks and what they are for.

use std::sync::{Arc, OnceLock};

use cel::objects::Key;
use cel::{Context, DeclarationError, Env, ExecutionError, Value};
use hopgate_paths::{Catalogue, FixPoints, Version, nearest_names};

use crate::calendar::{self, NoRun, Schedule};
use crate::expression::bounds;

/// The name of the function a check calls to say that it cannot tell.
pub(crate) const UNKNOWN: &str = "unknown";

/// The functions of CEL's standard library a playbook may call; operators have names no one can misspell.
const STANDARD: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "type",
    "dyn",
];

/// hopgate's own.
const OWN: &[&str] = &[
    "version_lt",
    "version_le",
    "content_number",
    "fix_state",
    "days_between",
    "hours_between",
    "minutes_between",
    "minutes_to_run",
    "run_in_window",
    "device_time",
    "end_of_life",
    "list_of",
    UNKNOWN,
];

/// The standard library, built once: playbooks are compiled and run against the same one.
pub(crate) fn environment() -> Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    Arc::clone(ENVIRONMENT.get_or_init(|| {
        let mut environment = Env::stdlib();
        // Only a name that is declared twice is refused. Were one, every expression would fail, and a test with it.
        let _ = bounds::declare(&mut environment);
        Arc::new(environment)
    }))
}

/// A context with every function and no variable.
pub(crate) fn context<'v>() -> Result<Context<'v, 'v>, DeclarationError> {
    let mut context = Context::with_env(environment());
    context.add_function("version_lt", |a: Arc<String>, b: Arc<String>| {
        Ok::<_, ExecutionError>(Value::Bool(
            version("version_lt", &a)? < version("version_lt", &b)?,
        ))
    })?;
    context.add_function("version_le", |a: Arc<String>, b: Arc<String>| {
        Ok::<_, ExecutionError>(Value::Bool(
            version("version_le", &a)? <= version("version_le", &b)?,
        ))
    })?;
    context.add_function("content_number", |content: Arc<String>| {
        content_number(&content).map(Value::Int)
    })?;
    context.add_function("fix_state", |running: Arc<String>, fixes: Value| {
        fix_state(&running, &fixes)
    })?;
    context.add_function("days_between", |from: Arc<String>, to: Arc<String>| {
        calendar::days_between(&from, &to)
            .map(Value::Int)
            .map_err(|wrong| ExecutionError::function_error("days_between", wrong))
    })?;
    context.add_function("hours_between", |from: Arc<String>, to: Arc<String>| {
        calendar::hours_between(&from, &to)
            .map(Value::Int)
            .map_err(|wrong| ExecutionError::function_error("hours_between", wrong))
    })?;
    context.add_function("minutes_between", |from: Arc<String>, to: Arc<String>| {
        calendar::minutes_between(&from, &to)
            .map(Value::Int)
            .map_err(|wrong| ExecutionError::function_error("minutes_between", wrong))
    })?;
    context.add_function("minutes_to_run", |schedule: Value, clock: Arc<String>| {
        minutes_to_run(&schedule, &clock)
    })?;
    context.add_function(
        "run_in_window",
        |schedule: Value, begins: Arc<String>, minutes: i64, clock: Arc<String>, now: Arc<String>| {
            run_in_window(&schedule, &begins, minutes, (&clock, &now))
        },
    )?;
    context.add_function(
        "device_time",
        |time: Arc<String>, clock: Arc<String>, now: Arc<String>| {
            calendar::device_time(&time, &clock, &now)
                .map(|shown| Value::String(Arc::new(shown)))
                .map_err(|wrong| ExecutionError::function_error("device_time", wrong))
        },
    )?;
    context.add_function("end_of_life", |release: Arc<String>| end_of_life(&release))?;
    context.add_function("list_of", |value: Value| Ok::<_, ExecutionError>(list_of(value)))?;
    context.add_function(UNKNOWN, |reason: Arc<String>| {
        Err::<Value, _>(ExecutionError::function_error(UNKNOWN, reason))
    })?;
    Ok(context)
}

/// Whether a function looks at all of its arguments, however much is in them.
pub(crate) fn takes_whole_values(function: &str) -> bool {
    OWN.contains(&function)
}

/// What looks through a list.
const LOOKING: [&str; 5] = ["exists", "all", "exists_one", "filter", "map"];

/// Why a function may not be called, with the nearest one that may.
pub(crate) fn refuse_function(name: &str) -> Option<String> {
    // Operators and what macros expand to are no identifiers: `_+_`, `!_`, `@in`, `_?_:_`, `-_`.
    let operator = !name.starts_with(|first: char| first.is_ascii_alphabetic());
    if operator || STANDARD.contains(&name) || OWN.contains(&name) {
        return None;
    }
    if name == "has" {
        return Some("`has` takes one field, as in `has(system.model)`".to_owned());
    }
    if LOOKING.contains(&name) {
        // With what it takes, it is written out before anyone asks for a function.
        let said = if name == "map" { "job.id" } else { "job.id == 1" };
        return Some(format!(
            "`{name}` takes a name for one element and what is asked of it, as in `jobs.{name}(job, {said})`"
        ));
    }
    let known = STANDARD.iter().chain(OWN).copied().chain(LOOKING).chain(["has"]);
    let nearest = nearest_names(name, known, 1).join(", ");
    Some(format!(
        "there is no function `{name}`; the nearest is `{nearest}`"
    ))
}

fn version(function: &str, text: &str) -> Result<Version, ExecutionError> {
    text.parse()
        .map_err(|error| ExecutionError::function_error(function, error))
}

/// `8676-7858` -> 8676.
fn content_number(content: &str) -> Result<i64, ExecutionError> {
    let digits = content.split('-').next().unwrap_or_default();
    let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    };
    // It stands as the device wrote it: what cannot be read is unknown, and no fault of the check.
    let wrong = || format!("\"{content}\" is not a content version (expected NNNN-MMMM)");
    number.ok_or_else(|| ExecutionError::function_error(UNKNOWN, wrong()))
}

/// Whether a release holds a fix: `fixed`, `affected`, or `unlisted` where no release of its train is listed. The fix is
/// named by the id of an advisory of the catalogue, or given as the list of the releases that brought it.
fn fix_state(running: &str, fix: &Value) -> Result<Value, ExecutionError> {
    let wrong = |text: &str| ExecutionError::function_error("fix_state", text);
    let running = version("fix_state", running)?;
    let state = match fix {
        Value::String(id) => {
            let catalogue = Catalogue::embedded().map_err(|error| wrong(&error.to_string()))?;
            let advisory = catalogue
                .advisory(id)
                .map_err(|error| wrong(&error.to_string()))?;
            advisory.fixed_in.state(running)
        }
        Value::List(fixes) => {
            let listed = fixes.iter().map(|fix| match fix {
                Value::String(fix) => version("fix_state", fix),
                _ => Err(wrong("a fix is not a text")),
            });
            listed.collect::<Result<FixPoints, _>>()?.state(running)
        }
        _ => {
            return Err(wrong(
                "the fix is neither the id of an advisory nor a list of releases",
            ));
        }
    };
    Ok(Value::String(Arc::new(state.name().to_owned())))
}

/// Minutes until a schedule of the facts runs next, by a local time of its device; nothing where it never does.
fn minutes_to_run(schedule: &Value, clock: &str) -> Result<Value, ExecutionError> {
    let schedule = schedule_of("minutes_to_run", schedule)?;
    // A schedule stands as it is configured; one that cannot be read is unknown, and no fault of the check.
    let unread = |text: String| ExecutionError::function_error(UNKNOWN, text);
    let minutes = calendar::minutes_to_run(schedule, clock).map_err(unread)?;
    Ok(minutes.map_or(Value::Null, Value::Int))
}

/// When a schedule of the facts runs inside of a window, by the clock of its device; nothing where it does not.
fn run_in_window(
    schedule: &Value,
    begins: &str,
    minutes: i64,
    clock_and_now: (&str, &str),
) -> Result<Value, ExecutionError> {
    let schedule = schedule_of("run_in_window", schedule)?;
    let run = calendar::run_in_window(schedule, begins, minutes, clock_and_now);
    let run = run.map_err(|error| match error {
        NoRun::Unknown(why) => ExecutionError::function_error(UNKNOWN, why),
        NoRun::Wrong(why) => ExecutionError::function_error("run_in_window", why),
    })?;
    Ok(run.map_or(Value::Null, |run| Value::String(Arc::new(run))))
}

fn schedule_of<'v>(function: &str, schedule: &'v Value) -> Result<Schedule<'v>, ExecutionError> {
    let Value::Map(fields) = schedule else {
        return Err(ExecutionError::function_error(
            function,
            "the schedule is not one of the facts' schedules",
        ));
    };
    let text = |name: &'static str| match fields.map.get(&Key::from(name)) {
        Some(Value::String(text)) => Some(text.as_str()),
        _ => None,
    };
    Ok(Schedule {
        every: text("every").unwrap_or_default(),
        at: text("at"),
        day: text("day"),
    })
}

/// The day standard support of a release ends or ended, as far as it is known.
fn end_of_life(release: &str) -> Result<Value, ExecutionError> {
    let train = version("end_of_life", release)?.train();
    let catalogue =
        Catalogue::embedded().map_err(|error| ExecutionError::function_error("end_of_life", error))?;
    let day = catalogue.end_of_life(train);
    Ok(day.map_or(Value::Null, |day| Value::String(Arc::new(day.value.clone()))))
}

/// A list from what may be one element, several, or nothing: XML does not tell a list of one from an element.
fn list_of(value: Value) -> Value {
    match value {
        Value::List(_) => value,
        Value::Null => Value::List(Arc::default()),
        Value::String(text) if text.is_empty() => Value::List(Arc::default()),
        other => Value::List(Arc::new(vec![other])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(source: &str) -> Result<Value, ExecutionError> {
        environment()
            .compile(source)
            .unwrap()
            .execute(&context().unwrap())
    }

    #[test]
    fn every_allowed_function_exists() {
        let calls = [
            "size([1]) == 1",
            "'ab'.contains('a')",
            "'ab'.startsWith('a')",
            "'ab'.endsWith('b')",
            "'ab'.matches('a.')",
            "string(1) == '1'",
            "int('1') == 1",
            "uint(1) == 1u",
            "double(1) == 1.0",
            "bool('true')",
            "type(1) == int",
            "dyn(1) == 1",
            "version_lt('10.2.4', '10.2.4-h4')",
            "version_le('10.2.4', '10.2.4')",
            "content_number('8676-7858') == 8676",
            "fix_state('10.2.7', ['10.2.7']) == 'fixed'",
            "days_between('2026-01-01T00:00:00Z', '2026-01-02') == 1",
            "hours_between('2026-01-01T00:00:00', '2026-01-01T02:30:00') == 2",
            "minutes_between('2026-01-01T00:00:00', '2026-01-01T02:30:59') == 150",
            "minutes_to_run({'every': 'daily', 'at': '01:00'}, '2026-01-01T00:00:00') == 60",
            "run_in_window({'every': 'daily', 'at': '01:00'}, '', 60, '2026-01-01T00:00:00', '2026-01-01T00:00:00Z') == '2026-01-01T01:00:00'",
            "device_time('2026-01-01T22:00:00Z', '2026-01-01T01:00:00', '2026-01-01T00:00:00Z') == '2026-01-01T23:00:00'",
            "end_of_life('9.1.16') == '2024-06-30'",
            "list_of('a') == ['a'] && list_of(null) == [] && list_of(['b']) == ['b']",
            "unknown('x') || true",
        ];
        assert_eq!(calls.len(), STANDARD.len() + OWN.len());
        for (call, name) in calls.iter().zip(STANDARD.iter().chain(OWN)) {
            assert!(call.contains(name), "{call} calls {name}");
            assert_eq!(run(call), Ok(Value::Bool(true)), "{call}");
            assert_eq!(refuse_function(name), None);
        }
    }

    #[test]
    fn hopgates_functions_fail_rather_than_guess() {
        for call in [
            "version_lt('10.2', '10.2.4')",
            "version_le(1, 2)",
            "content_number('')",
            "content_number('8676a-1')",
            "content_number('-1')",
            "fix_state('10.2.7', 'PAN-000000')",
            "fix_state('10.2.7', 1)",
            "fix_state('10.2.7', [1])",
            "days_between('then', 'now')",
            "hours_between('then', 'now')",
            "minutes_to_run('daily', '2026-01-01T00:00:00')",
            "minutes_to_run({'every': 'sometimes'}, '2026-01-01T00:00:00')",
            "run_in_window({'every': 'daily', 'at': '01:00'}, 'tonight', 60, '2026-01-01T00:00:00', '2026-01-01T00:00:00Z')",
            "device_time('tonight', '2026-01-01T01:00:00', '2026-01-01T00:00:00Z')",
            "end_of_life('9.1')",
            "unknown('the reason')",
        ] {
            assert!(run(call).is_err(), "{call}");
        }
    }

    #[test]
    fn a_fix_is_named_by_its_releases_or_by_its_advisory() {
        let fixes = "['10.2.10-h17', '10.2.13-h7', '10.2.14', '10.1.11-h1']";
        for (running, fix, expected) in [
            ("10.2.13", fixes, "affected"),
            ("10.2.13-h7", fixes, "fixed"),
            ("11.0.1", fixes, "unlisted"),
            ("10.2.4-h4", "'PAN-221190'", "affected"),
            ("10.2.7", "'PAN-221190'", "fixed"),
            ("11.1.5", "'PAN-221190'", "unlisted"),
        ] {
            let state = run(&format!("fix_state('{running}', {fix})")).unwrap();
            assert_eq!(
                state,
                Value::String(Arc::new(expected.to_owned())),
                "{running} {fix}"
            );
        }
        let error = run("fix_state('10.2.7', 'PAN-22119')").unwrap_err();
        insta::assert_snapshot!(error, @r#"Error executing function 'fix_state': the release catalogue has no advisory "PAN-22119" (nearest: PAN-221190, PAN-221127, PAN-172419)"#);
    }

    #[test]
    fn misspelt_functions_are_answered_with_the_nearest() {
        insta::assert_snapshot!(refuse_function("version_less").unwrap(), @"there is no function `version_less`; the nearest is `version_le`");
        insta::assert_snapshot!(refuse_function("exist").unwrap(), @"there is no function `exist`; the nearest is `exists`");
        assert_eq!(refuse_function("_+_"), None);
    }
}
