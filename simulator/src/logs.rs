//! Queries of logs: the jobs that carry them out, and the filters they are written with.
//!
//! Knows when a query is over and which entries it is after; what a log holds is the business of `state`.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::jobs::after;

/// How long a query takes. Of the two recorded ones one began and ended within a second (pan-os-python, `test_opstate.py`),
/// and one was over at a look two seconds after it was enqueued (pan-python, `panxapi` documentation).
const TAKES: SignedDuration = SignedDuration::from_secs(1);

/// Queries that are remembered. Their number is not documented anywhere.
const KEPT: usize = 16;

/// Entries of a reply where nothing else is said, and at most (vendor's API guide, log retrieval parameters).
const USUAL_ENTRIES: usize = 20;
const MOST_ENTRIES: usize = 5000;

/// The queries of one device. They are jobs of their own, with numbers of their own: `show jobs all` does not list them.
#[derive(Debug, Default)]
pub(crate) struct LogQueries {
    last_id: u32,
    kept: VecDeque<LogQuery>,
}

/// One query.
#[derive(Debug, Clone)]
pub(crate) struct LogQuery {
    pub(crate) id: u32,
    pub(crate) enqueued: Timestamp,
    pub(crate) wanted: Wanted,
}

/// Which entries are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    filter: Filter,
    entries: usize,
    skip: usize,
    oldest_first: bool,
}

/// What an entry is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Filter {
    One(Condition),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

/// Parentheses inside of parentheses that are read. Nobody writes more by hand, and each is a call.
const DEEPEST: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    field: &'static str,
    comparison: Comparison,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotBefore,
    NotAfter,
}

/// A log's entry as a list of fields and their texts, in the order of the reply.
pub(crate) type Fields = Vec<(&'static str, String)>;

/// Fields that a filter may name.
const FIELDS: [&str; 6] = [
    "receive_time",
    "time_generated",
    "subtype",
    "eventid",
    "object",
    "severity",
];

impl LogQueries {
    pub(crate) fn enqueue(&mut self, at: Timestamp, wanted: Wanted) -> u32 {
        self.last_id += 1;
        self.kept.push_back(LogQuery {
            id: self.last_id,
            enqueued: at,
            wanted,
        });
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        self.last_id
    }

    pub(crate) fn get(&self, id: u32) -> Option<&LogQuery> {
        self.kept.iter().find(|query| query.id == id)
    }
}

impl LogQuery {
    pub(crate) fn ends(&self) -> Timestamp {
        after(self.enqueued, TAKES)
    }
}

impl Wanted {
    /// Reads the parameters of a request; the error says what cannot be read.
    pub(crate) fn read(filter: &str, entries: &str, skip: &str, direction: &str) -> Result<Self, String> {
        let number = |name: &str, text: &str, usual: usize| match text {
            "" => Ok(usual),
            text => text
                .parse::<usize>()
                .map_err(|_| format!("{name} {text} is not a number")),
        };
        let oldest_first = match direction {
            "" | "backward" => false,
            "forward" => true,
            other => return Err(format!("dir {other} is not supported")),
        };
        let entries = number("nlogs", entries, USUAL_ENTRIES)?;
        if entries > MOST_ENTRIES {
            return Err(format!("nlogs {entries} is more than {MOST_ENTRIES}"));
        }
        Ok(Self {
            filter: Filter::read(filter)?,
            entries,
            skip: number("skip", skip, 0)?,
            oldest_first,
        })
    }

    /// What of a log, the newest first, is wanted.
    pub(crate) fn of(&self, mut log: Vec<Fields>) -> Vec<Fields> {
        log.retain(|entry| self.filter.leaves(entry));
        if self.oldest_first {
            log.reverse();
        }
        log.into_iter().skip(self.skip).take(self.entries).collect()
    }
}

impl Filter {
    /// `(eventid eq link-change) and (receive_time geq '2026/03/01 00:00:00')`: of the language of filters what the vendor's
    /// guide and knowledge base show for the system log.
    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::All(Vec::new()));
        }
        Self::part(text, 0).ok_or_else(|| format!("query {text} is not supported"))
    }

    fn part(text: &str, depth: usize) -> Option<Self> {
        let text = text.trim();
        if depth > DEEPEST {
            return None;
        }
        let parts = |word: &str| -> Option<Vec<Self>> {
            let split = split_outside(text, word)?;
            split
                .into_iter()
                .map(|part| Self::part(part, depth + 1))
                .collect()
        };
        match (
            split_outside(text, " and ")?.len(),
            split_outside(text, " or ")?.len(),
        ) {
            (1, 1) => match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
                Some(inner) => Self::part(inner, depth + 1),
                None => Condition::read(text).map(Self::One),
            },
            (_, 1) => parts(" and ").map(Self::All),
            (1, _) => parts(" or ").map(Self::Any),
            // Which of them binds tighter is said nowhere.
            _ => None,
        }
    }

    fn leaves(&self, entry: &Fields) -> bool {
        match self {
            Self::One(condition) => condition.holds(entry),
            Self::All(parts) => parts.iter().all(|part| part.leaves(entry)),
            Self::Any(parts) => parts.iter().any(|part| part.leaves(entry)),
        }
    }
}

/// The parts of a filter between a word that is in no parentheses and no quotes; none where either is left open.
fn split_outside<'t>(text: &'t str, word: &str) -> Option<Vec<&'t str>> {
    let (mut parts, mut begins) = (Vec::new(), 0);
    let (mut open, mut quoted) = (0_usize, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => open += 1,
            ')' if !quoted => open = open.checked_sub(1)?,
            ' ' if !quoted && open == 0 && at >= begins && text[at..].starts_with(word) => {
                parts.push(&text[begins..at]);
                begins = at + word.len();
            }
            _ => {}
        }
    }
    parts.push(&text[begins..]);
    (open == 0 && !quoted).then_some(parts)
}

impl Condition {
    fn read(text: &str) -> Option<Self> {
        let (field, rest) = text.split_once(' ')?;
        let (comparison, value) = rest.trim_start().split_once(' ')?;
        let field = FIELDS.into_iter().find(|known| *known == field)?;
        let comparison = match comparison {
            "eq" => Comparison::Equal,
            "geq" if field.contains("time") => Comparison::NotBefore,
            "leq" if field.contains("time") => Comparison::NotAfter,
            _ => return None,
        };
        let value = value.trim();
        let quoted = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        let value = quoted.unwrap_or(value);
        let strange = |letter: char| "'()".contains(letter) || (quoted.is_none() && letter.is_whitespace());
        (!value.contains(strange)).then(|| Self {
            field,
            comparison,
            value: value.to_owned(),
        })
    }

    /// Times are written so that the later one is the greater text.
    fn holds(&self, entry: &Fields) -> bool {
        let found = entry.iter().find(|(name, _)| *name == self.field);
        found.is_some_and(|(_, text)| match self.comparison {
            Comparison::Equal => *text == self.value,
            Comparison::NotBefore => *text >= self.value,
            Comparison::NotAfter => *text <= self.value,
        })
    }
}
