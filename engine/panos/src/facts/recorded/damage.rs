//! What no damage to a recorded reply may do: make a reader panic, break a check, or turn a number or a time into another.
//!
//! Responsible for: damaging replies. Must not know: any area, any check.

use std::collections::BTreeSet;

use hopgate_playbooks::Verdict;
use jiff::Timestamp;
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::case::Case;

fn numbers(value: &Value, found: &mut BTreeSet<u64>) {
    match value {
        Value::Number(number) => found.extend(number.as_u64()),
        Value::Array(items) => items.iter().for_each(|item| numbers(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| numbers(field, found)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The times in a fact, as they are stored.
fn times(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let is_time =
                text.contains('-') && (text.parse::<Date>().is_ok() || text.parse::<Timestamp>().is_ok());
            found.extend(is_time.then(|| text.clone()));
        }
        Value::Array(items) => items.iter().for_each(|item| times(item, found)),
        Value::Object(fields) => {
            let uptime = fields.get("uptime_seconds").map(Value::to_string);
            found.extend(uptime.filter(|seconds| seconds != "null"));
            fields.values().for_each(|field| times(field, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What may stand in the place of a digit: what is in no time, what readers pass over, and what they take for a sign.
const DESTROYED: [u8; 3] = *b"~ -";

/// The longest line that is a time: a longer one is encoded, as a certificate is.
const LONGEST: usize = 60;

/// The digits of a reply that may belong to a time: of texts with what stands between the parts of one, and of ten digits,
/// which are seconds since 1970.
fn digits_of_times(reply: &[u8]) -> Vec<usize> {
    let mut digits = Vec::new();
    let mut at = 0;
    for text in reply.split(|byte| b"<>\n".contains(byte)) {
        let parts = text.iter().any(|byte| b":/,".contains(byte));
        if text.len() < LONGEST && (parts || text.len() == 10) {
            let of_text = (at..).zip(text).filter(|(_, byte)| byte.is_ascii_digit());
            digits.extend(of_text.map(|(place, _)| place));
        }
        at += text.len() + 1;
    }
    digits
}

/// Whether a byte is the first or the last of a text: a blank there is none of it.
fn ends_a_text(reply: &[u8], at: usize) -> bool {
    let ends = |at: Option<usize>| {
        at.and_then(|at| reply.get(at))
            .is_none_or(|byte| b"<>\n".contains(byte))
    };
    ends(at.checked_sub(1)) || ends(at.checked_add(1))
}

/// Holds a case to its times, with each of their digits destroyed; nothing where it has none.
fn keeps_its_times(case: &'static Case) -> bool {
    let mut before = BTreeSet::new();
    times(&case.fact(&|_, reply| reply), &mut before);
    if before.is_empty() {
        return false;
    }
    let reply = case.answer(case.own());
    for digit in digits_of_times(&reply) {
        for destroyed in DESTROYED {
            if destroyed == b' ' && ends_a_text(&reply, digit) {
                continue;
            }
            let read = case.fact(&|question, mut reply| {
                if question == case.own() {
                    reply[digit] = destroyed;
                }
                reply
            });
            let mut after = BTreeSet::new();
            times(&read, &mut after);
            let place = format!("{}, byte {digit} as {:?}", case.stem, char::from(destroyed));
            assert!(after.is_subset(&before), "{place}: {after:?} of {before:?}");
        }
    }
    true
}

/// A time that cannot be read is missing, or the area is unknown: it never turns into another one.
#[test]
fn a_destroyed_digit_never_gives_another_time() {
    let with_times = Case::all().iter().filter(|case| keeps_its_times(case));
    let areas: BTreeSet<&str> = with_times.map(|case| case.area.name()).collect();
    let expected = [
        "certificates",
        "clocks",
        "held_locks",
        "integrity_events",
        "licences",
        "link_changes",
        "support",
        "syslog_connections",
        "system",
    ];
    assert!(areas.is_superset(&BTreeSet::from(expected)), "{areas:?}");
}

/// More digits than any table here has: certificates, in which they are no numbers.
const OF_CERTIFICATES: usize = 1500;

/// A number that cannot be read is missing, or the area is unknown: it never turns into another one.
#[test]
fn a_destroyed_digit_never_gives_another_number() {
    for case in Case::all() {
        let reply = case.answer(case.own());
        let digits = (0..reply.len()).filter(|at| reply[*at].is_ascii_digit());
        let digits: Vec<usize> = digits.collect();
        if digits.len() > OF_CERTIFICATES {
            continue;
        }
        let mut before = BTreeSet::new();
        numbers(&case.fact(&|_, reply| reply), &mut before);
        for digit in digits {
            let read = case.fact(&|question, mut reply| {
                if question == case.own() {
                    reply[digit] = b'x';
                }
                reply
            });
            let mut after = BTreeSet::new();
            numbers(&read, &mut after);
            assert!(after.is_subset(&before), "{}, byte {digit}: {read}", case.stem);
        }
    }
}

fn damaged(mut reply: Vec<u8>, damages: &[(Index, Index, u8, u8)]) -> Vec<u8> {
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

    /// Whatever cannot be read is missing or unknown to a check: an error would be told of the check.
    #[test]
    fn no_damaged_reply_makes_a_reader_panic_or_breaks_a_check(
        index in case(),
        damages in prop::collection::vec((any::<Index>(), any::<Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let case = &Case::all()[index];
        let outcome = case.outcome(&|_, reply| damaged(reply, &damages));
        for (check, findings) in &outcome.findings {
            let broken = findings.iter().find(|finding| matches!(finding.verdict, Verdict::Error { .. }));
            prop_assert!(broken.is_none(), "{} {check}: {broken:?}", case.stem);
        }
    }

    /// Whatever stands in the place of a text, in its own envelope.
    #[test]
    fn no_text_makes_a_reader_panic(index in case(), text in "(\\PC|\n|[0-9.:%{},' /-]|Mem|total|used|free|DP |yes|sys\\.s1\\.p1\\.phy: ){0,60}") {
        let case = &Case::all()[index];
        let body = format!("<response status='success'><result><![CDATA[{}]]></result></response>", text.replace("]]>", ""));
        let fact = case.fact(&|_, _| body.clone().into_bytes());
        prop_assert!(fact.get("known").is_some() != fact.get("unknown").is_some());
    }
}
