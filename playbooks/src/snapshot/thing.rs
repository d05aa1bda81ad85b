//! What a thing is called: `BGP peer {peer} of {virtual_router}[, group {group}]`.
//!
//! Responsible for: the text with fields in braces, and leaving out what is in brackets where a field there has no value.
//! Must not know: which fields there are.

use serde_json::Value;

use super::words;

/// Most brackets in brackets.
const DEPTH: usize = 8;

/// A name with fields in it.
#[derive(Clone, Debug)]
pub(super) struct Name {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Field(String),
    /// Only where every field in it has a value.
    Optional(Vec<Part>),
}

impl Name {
    /// Reads one, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (parts, rest) = parse(text, 0)?;
        if rest.is_empty() {
            Ok(Self { parts })
        } else {
            Err(format!("`]` in `{text}` closes no `[`"))
        }
    }

    /// The fields it names.
    pub(super) fn fields(&self) -> Vec<&str> {
        fn of<'p>(parts: &'p [Part], fields: &mut Vec<&'p str>) {
            for part in parts {
                match part {
                    Part::Text(_) => {}
                    Part::Field(field) => fields.push(field),
                    Part::Optional(parts) => of(parts, fields),
                }
            }
        }
        let mut fields = Vec::new();
        of(&self.parts, &mut fields);
        fields
    }

    /// The name of the thing with these values.
    pub(super) fn of(&self, value: &dyn Fn(&str) -> Value) -> String {
        let mut text = String::new();
        put(&self.parts, value, &mut text);
        text
    }
}

/// Writes the parts; whether every field has a value.
fn put(parts: &[Part], value: &dyn Fn(&str) -> Value, text: &mut String) -> bool {
    let mut whole = true;
    for part in parts {
        match part {
            Part::Text(said) => text.push_str(said),
            Part::Field(field) => {
                let value = value(field);
                whole &= !words::is_nothing(&value);
                text.push_str(&words::value(&value));
            }
            Part::Optional(inner) => {
                let length = text.len();
                if !put(inner, value, text) {
                    text.truncate(length);
                }
            }
        }
    }
    whole
}

/// The parts up to the end, or up to the bracket that closes them; and what follows.
fn parse(text: &str, within: usize) -> Result<(Vec<Part>, &str), String> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let Some(at) = rest.find(['{', '[', ']']) else {
            if within > 0 {
                return Err(format!("`[` before `{text}` is never closed"));
            }
            parts.push(Part::Text(rest.to_owned()));
            return Ok((parts, ""));
        };
        parts.push(Part::Text(rest[..at].to_owned()));
        let (sign, after) = rest[at..].split_at(1);
        match sign {
            "{" => {
                let (field, after) = after
                    .split_once('}')
                    .ok_or_else(|| format!("`{{` before `{after}` is never closed"))?;
                parts.push(Part::Field(field.trim().to_owned()));
                rest = after;
            }
            "[" if within == DEPTH => return Err(format!("more than {DEPTH} `[` in one another")),
            "[" => {
                let (inner, after) = parse(after, within + 1)?;
                parts.push(Part::Optional(inner));
                rest = after;
            }
            _ if within > 0 => return Ok((parts, after)),
            _ => return Ok((parts, &rest[at..])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let value = |field: &str| match field {
            "peer" => Value::from("10.1.1.2"),
            "metric" => Value::from(7),
            _ => Value::Null,
        };
        match Name::parse(text) {
            Ok(name) => name.of(&value),
            Err(wrong) => wrong,
        }
    }

    #[test]
    fn what_has_no_value_takes_its_brackets_with_it() {
        assert_eq!(said("peer {peer}[ of {group}]"), "peer 10.1.1.2");
        assert_eq!(
            said("peer {peer}[, metric {metric}[ ({age})]]"),
            "peer 10.1.1.2, metric 7"
        );
        assert_eq!(said("peer {peer} of {group}"), "peer 10.1.1.2 of nothing");
        assert_eq!(
            Name::parse("a {b}[ c {d}[{e}]]").unwrap().fields(),
            ["b", "d", "e"]
        );
    }

    #[test]
    fn braces_and_brackets_that_do_not_match_are_told() {
        insta::assert_snapshot!(
            ["a {b", "a [b", "a ]b", "a [{b]", "[[[[[[[[["].map(said).join("\n"),
            @r"
            `{` before `b` is never closed
            `[` before `b` is never closed
            `]` in `a ]b` closes no `[`
            `{` before `b]` is never closed
            more than 8 `[` in one another
            "
        );
    }
}
