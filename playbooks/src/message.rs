//! Messages with expressions in braces: `content {system.app_version} is too old`.
//!
//! Responsible for: splitting a text into what stands there and what is computed, and putting it together. `{{` and
//! `}}` are braces. Must not know: what the message is about.

use cel::Context;

use crate::expression::{Expression, NoAnswer, Problem, Scope};

/// A message, its expressions compiled.
pub(crate) struct Message {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Computed(Box<Expression>),
}

impl Message {
    /// # Errors
    /// Everything that is wrong with it and with the expressions in it: at least one thing.
    pub(crate) fn parse(text: &str, scope: &Scope) -> Result<Self, Vec<Problem>> {
        let mut parts = Vec::new();
        let mut problems = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                plain.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let begins = text.len() - brace.len();
            if let Some(after) = brace.strip_prefix('}') {
                let message = "a `}` stands alone; write `}}` for a brace".to_owned();
                problems.push(Problem::at(begins, message));
                rest = after;
                continue;
            }
            let Some(end) = end_of(&brace[1..]) else {
                let message = "a `{` is never closed; write `{{` for a brace".to_owned();
                problems.push(Problem::at(begins, message));
                // What follows may belong to it, or not.
                rest = "";
                break;
            };
            parts.push(Part::Text(std::mem::take(&mut plain)));
            match Expression::compile(&brace[1..=end], scope) {
                Ok(computed) => parts.push(Part::Computed(Box::new(computed))),
                Err(wrong) => problems.extend(wrong.into_iter().map(|problem| problem.within(begins + 1))),
            }
            rest = &brace[end + 2..];
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(Self { parts })
    }

    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Computed(expression) => Some(expression.as_ref()),
        })
    }

    pub(crate) fn render(&self, context: &Context<'_, '_>) -> Result<String, NoAnswer> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Ok(text.clone()),
                Part::Computed(expression) => expression.text(context),
            })
            .collect()
    }
}

/// Where the expression that begins `text` ends: at the brace that closes it, past braces and quotes inside.
fn end_of(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0u32, None, false);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vocabulary;

    fn rendered(text: &str) -> Result<String, String> {
        let message = Message::parse(text, &Scope::bare()).map_err(|problems| problems[0].message.clone())?;
        let context = vocabulary::context().unwrap();
        message
            .render(&context)
            .map_err(|no_answer| format!("{no_answer:?}"))
    }

    #[test]
    fn expressions_are_put_in_and_braces_can_be_written() {
        assert_eq!(rendered("a {1 + 2} b").unwrap(), "a 3 b");
        assert_eq!(rendered("{{x}} {['a', 'b']}").unwrap(), "{x} a, b");
        assert_eq!(
            rendered("{{'}': 1}['}']}").unwrap_err(),
            "a `}` stands alone; write `}}` for a brace"
        );
        assert_eq!(rendered("{ {'}': 1}['}']}").unwrap(), "1");
        assert_eq!(rendered("{'it\\'s }'}ä").unwrap(), "it's }ä");
        assert_eq!(rendered("").unwrap(), "");
    }

    #[test]
    fn broken_messages_are_refused_when_read() {
        for text in ["{1", "1}", "{", "}", "{}", "{nothing}"] {
            assert!(rendered(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[{}'\"a1 ä\\\\]{0,24}") {
            let _ = rendered(&text);
        }

        #[test]
        fn a_text_without_braces_is_itself(text in "[^{}]{0,40}") {
            prop_assert_eq!(rendered(&text), Ok(text));
        }
    }
}
