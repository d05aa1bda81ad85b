//! The sentences of a comparison.
//!
//! Responsible for: values and changes as a person reads them. Must not know: grades, or why something is compared.

use serde_json::Value;

/// How many elements of a list are written out.
const SHOWN: usize = 10;

/// Whether there is nothing to show.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// A value.
pub(super) fn value(value: &Value) -> String {
    match value {
        _ if is_nothing(value) => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let mut words: Vec<String> = items.iter().take(SHOWN).map(self::value).collect();
            if items.len() > SHOWN {
                words.push(format!("and {} more", items.len() - SHOWN));
            }
            words.join(", ")
        }
        other => other.to_string(),
    }
}

/// A value and what became of it. What a release tells for the first time, or not any more, did not change with that.
pub(super) fn change(before: &Value, after: &Value) -> String {
    let (was, is) = (value(before), value(after));
    match (before, after) {
        (Value::Null, _) => format!("newly told: {is}"),
        (_, Value::Null) => format!("not told any more (was {was})"),
        _ => format!("{was} -> {is}"),
    }
}

/// A number with its thousands apart.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a field is called where the rules do not say.
pub(super) fn field(name: &str) -> String {
    name.replace(['_', '.'], " ")
}

/// How far a number went: `-80 %`.
pub(super) fn percent(before: f64, after: f64) -> String {
    if before == 0.0 {
        return "0 before, so no percentage".to_owned();
    }
    // Cut off, not rounded: almost all is not all.
    let tenths = ((after - before) / before.abs() * 1000.0).trunc();
    if tenths == 0.0 {
        let sign = if after < before { '-' } else { '+' };
        return format!("{sign}less than 0.1 %");
    }
    format!("{:+} %", tenths / 10.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_by_people() {
        let long: Vec<u32> = (0..12).collect();
        let values = [
            json!(null),
            json!(""),
            json!(true),
            json!(false),
            json!("up"),
            json!(12),
            json!([]),
            json!(["A", "S"]),
            json!(long),
        ];
        insta::assert_snapshot!(values.map(|one| value(&one)).join("\n"), @r"
        nothing
        nothing
        yes
        no
        up
        12
        nothing
        A, S
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 2 more
        ");
    }

    #[test]
    fn numbers_are_read_by_people() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        let went = [
            (100.0, 20.0),
            (100.0, 300.0),
            (1e6, 1.0),
            (1e6, 1e6 - 1.0),
            (0.0, 5.0),
            (-10.0, -5.0),
        ];
        assert_eq!(
            went.map(|(before, after)| percent(before, after)).join(", "),
            "-80 %, +200 %, -99.9 %, -less than 0.1 %, 0 before, so no percentage, +50 %"
        );
    }
}
