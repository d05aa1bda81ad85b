//! Which of two values is the higher one: numbers as numbers, versions number by number.
//!
//! Responsible for: `2.0.9` before `2.0.10`. Must not know: what the values are of.

use std::cmp::Ordering;

use serde_json::Value;

/// Digits, or what is between them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'t> {
    Text(&'t str),
    /// Without leading zeros, the longer one is the higher one.
    Number(usize, &'t str),
}

/// How one stands to the other. What cannot be ordered is alike: it neither rises nor falls.
pub(super) fn of(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::String(one), Value::String(other)) => parts(one).cmp(&parts(other)),
        _ => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => Ordering::Equal,
        },
    }
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|letter| is_digit(letter) != is_digit(first))
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(if is_digit(first) {
            let digits = part.trim_start_matches('0');
            Part::Number(digits.len(), digits)
        } else {
            Part::Text(part)
        });
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_ordered_number_by_number() {
        for (lower, higher) in [
            ("2.0.9", "2.0.10"),
            ("8696-7977", "8700-1"),
            ("3.1", "3.1-c2"),
            ("1.09", "1.10"),
        ] {
            assert_eq!(
                of(&json!(lower), &json!(higher)),
                Ordering::Less,
                "{lower} {higher}"
            );
            assert_eq!(of(&json!(higher), &json!(lower)), Ordering::Greater);
        }
        assert_eq!(of(&json!(9), &json!(10)), Ordering::Less);
        assert_eq!(of(&json!(null), &json!("1")), Ordering::Equal);
        assert_eq!(of(&json!("1"), &json!(2)), Ordering::Equal);
    }
}
