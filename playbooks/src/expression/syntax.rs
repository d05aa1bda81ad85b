//! What the parser of CEL stops at, in words for people who know firewalls and not parsers.
//!
//! Responsible for: one mistake of an expression that is not CEL, with the place of it and, where there is one, what to
//! write instead. Must not know: what any name in the expression stands for.

use cel::ParseErrors;

use super::Problem;

/// What is written out of habit, and what CEL has for it.
const INSTEAD: [(&str, &str); 14] = [
    ("=", "=="),
    ("=>", ">="),
    ("=<", "<="),
    ("=!", "!="),
    ("|", "||"),
    ("&", "&&"),
    ("and", "&&"),
    ("AND", "&&"),
    ("or", "||"),
    ("OR", "||"),
    ("is", "=="),
    ("if", "condition ? one : other"),
    ("‘", "'"),
    ("“", "\""),
];

/// What a person changes first. The parser goes on after a mistake, and what it says then is mostly of the same one.
pub(super) fn mistake(source: &str, errors: &ParseErrors) -> Problem {
    // It tells of its own unfinished work too (`Incomplete ...!`, `No ...!`), in front of what made it unfinished.
    let told = errors.errors.iter().find(|error| !error.msg.ends_with('!'));
    let Some(error) = told.or(errors.errors.first()) else {
        return Problem::from("it is not CEL".to_owned());
    };
    let first_line = error.msg.lines().next().unwrap_or_default();
    let said = first_line.strip_prefix("Syntax error: ").unwrap_or(first_line);
    let at = offset(source, error.pos);
    let text = Brackets::of(source);
    if let Some(letters) = said.strip_prefix("token recognition error at: ") {
        return unreadable(source, at, unquoted(letters), &text);
    }
    let at_end = at >= source.trim_end().len();
    match stopped_at(said) {
        Some(_) if at_end => ends_too_early(source, said, &text),
        Some(Stop {
            token,
            missing: Some(missing),
        }) => Problem::at(at, format!("a `{missing}` is missing before `{token}`")),
        Some(Stop { token, missing: None }) => unexpected(source, at, token, &text),
        None => Problem::at(at, other(said)),
    }
}

/// Letters that begin no word, number, text or sign.
fn unreadable(source: &str, at: usize, letters: &str, text: &Brackets) -> Problem {
    if let Some((begins, quote)) = text.open_quote {
        return Problem::at(begins, format!("the quote {quote} is never closed"));
    }
    if let Some(escape) = letters.rfind('\\').filter(|_| letters.starts_with(['\'', '"'])) {
        let escape = &letters[escape..];
        return Problem::at(
            at,
            format!("`{escape}` stands for nothing in a text; write `\\\\` for a `\\`"),
        );
    }
    unexpected(source, at, letters.trim(), text)
}

fn ends_too_early(source: &str, said: &str, text: &Brackets) -> Problem {
    if source.trim().is_empty() {
        return Problem::at(0, "there is no expression".to_owned());
    }
    if let Some((begins, bracket)) = text.open.last() {
        return Problem::at(*begins, format!("the `{bracket}` is never closed"));
    }
    let end = source.trim_end().len();
    // Of all that could follow, only a `? :` that is not whole lets a `:` do so where no bracket is open.
    if said.contains("':'") {
        return Problem::at(end, "it ends too early: a `?` needs a `:` after it".to_owned());
    }
    Problem::at(end, "it ends too early".to_owned())
}

fn unexpected(source: &str, at: usize, token: &str, text: &Brackets) -> Problem {
    if text.closes_nothing == Some(at) {
        return Problem::at(at, format!("the `{token}` closes nothing"));
    }
    let before = source[..at].trim_end();
    let mut words = before.rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_');
    if matches!(words.next(), Some("not" | "NOT")) {
        let at = before.len() - "not".len();
        return Problem::at(at, "`not` is not expected here; write `!`".to_owned());
    }
    if token == ">" && source[..at].ends_with('<') {
        return Problem::at(at - 1, "`<>` is not expected here; write `!=`".to_owned());
    }
    if source[..at].ends_with(['\'', '"']) {
        // `'it's'`
        return Problem::at(
            at,
            format!(
                "`{token}` is not expected right after a text; a quote inside of one is written with a `\\` before it"
            ),
        );
    }
    Problem::at(at, format!("`{token}` is not expected here{}", instead_of(token)))
}

fn instead_of(written: &str) -> String {
    let known = INSTEAD.iter().find(|(known, _)| *known == written);
    known.map_or(String::new(), |(_, instead)| format!("; write `{instead}`"))
}

/// What is not about a token that stands in the wrong place.
fn other(said: &str) -> String {
    if let Some(word) = said.strip_prefix("reserved identifier: ") {
        return format!(
            "`{word}` is a word of the language, and names nothing{}",
            instead_of(word)
        );
    }
    match said {
        "argument must be a simple name" => {
            "the first argument is the name of one element, as in `jobs.exists(job, job.id == 1)`".to_owned()
        }
        "invalid argument to has() macro" => "`has` takes a field, as in `has(system.model)`".to_owned(),
        "invalid int literal" | "invalid uint literal" | "invalid double literal" => {
            "the number is too large".to_owned()
        }
        // Unknown words are better than none, but nobody reads a list of all tokens.
        said => said.split(" expecting {").next().unwrap_or_default().to_owned(),
    }
}

/// The token at which the parser stopped, and the one that it missed before it.
struct Stop<'s> {
    token: &'s str,
    missing: Option<&'s str>,
}

fn stopped_at(said: &str) -> Option<Stop<'_>> {
    if let Some(rest) = said.strip_prefix("missing ") {
        let (missing, token) = rest.rsplit_once(" at ")?;
        let token = unquoted(token);
        // A set of several is a list of tokens, which says nothing to anyone.
        let missing = Some(unquoted(missing)).filter(|missing| !missing.starts_with('{'));
        return Some(Stop { token, missing });
    }
    let forms = [
        "mismatched input ",
        "extraneous input ",
        "no viable alternative at input ",
    ];
    let rest = forms.iter().find_map(|form| said.strip_prefix(form))?;
    let token = rest.rsplit_once(" expecting ").map_or(rest, |(token, _)| token);
    Some(Stop {
        token: unquoted(token),
        missing: None,
    })
}

/// Without the quotes that the parser puts around what it read.
fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    inner.unwrap_or(text)
}

/// Where a line and a column of the parser are: lines from 1, columns of letters from 1.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let column = usize::try_from(column - 1).unwrap_or(0);
    let begins: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = &source[begins..];
    begins + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

/// Brackets and quotes, without anything between them.
struct Brackets {
    /// Those that are open at the end, the innermost last.
    open: Vec<(usize, char)>,
    open_quote: Option<(usize, char)>,
    /// The first that closes none.
    closes_nothing: Option<usize>,
}

impl Brackets {
    fn of(source: &str) -> Self {
        let mut found = Self {
            open: Vec::new(),
            open_quote: None,
            closes_nothing: None,
        };
        let mut escaped = false;
        for (at, letter) in source.char_indices() {
            match (found.open_quote, letter) {
                _ if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some((_, quote)), _) if letter == quote => found.open_quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => found.open_quote = Some((at, letter)),
                (None, '(' | '[' | '{') => found.open.push((at, letter)),
                (None, ')' | ']' | '}') => found.close(at, letter),
                (None, _) => {}
            }
        }
        found
    }

    fn close(&mut self, at: usize, bracket: char) {
        let opening = match bracket {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        if self.open.last().is_some_and(|(_, open)| *open == opening) {
            self.open.pop();
        } else {
            self.closes_nothing.get_or_insert(at);
        }
    }
}
