//! Where a part of a value stands in the text of a playbook.
//!
//! Responsible for: finding a word or a letter of a value that is quoted, folded or put on several lines there. Must not
//! know: what is wrong with it.

use super::mistake::Place;

/// Where a word stands in what begins at a place.
pub(super) fn of_word(text: &str, begins: &Place, word: &str) -> Option<Place> {
    let (line, column) = (begins.line as usize, begins.column as usize);
    let mut lines = text.lines().enumerate().skip(line.saturating_sub(1));
    let (line, column) = lines.find_map(|(number, text)| {
        let from = if number + 1 == line {
            column.saturating_sub(1)
        } else {
            0
        };
        let skipped = text.char_indices().nth(from).map_or(text.len(), |(at, _)| at);
        let at = skipped + whole_word(&text[skipped..], word)?;
        Some((number + 1, text[..at].chars().count() + 1))
    })?;
    Some(place(begins, line, column))
}

/// Where the letter at so many bytes of a value stands; after its last one, behind it. None where the value is written
/// in a way that does not show its letters one after the other.
///
/// Whatever YAML does to a text that is written on several lines, it only changes the blanks in it.
pub(super) fn of_letter(text: &str, begins: &Place, value: &str, at: usize) -> Option<Place> {
    let mut written = Written::of(text, begins)?;
    let blank = |letter: &char| letter.is_whitespace();
    let mut last = (begins.line as usize, begins.column as usize);
    for letter in value.get(..at)?.chars().filter(|letter| !blank(letter)) {
        let (line, column, found) = written.next()?;
        if found != letter {
            return None;
        }
        last = (line, column + 1);
    }
    let is_end = value[at..].trim().is_empty();
    let (line, column) = match written.next() {
        Some((line, column, _)) if !is_end => (line, column),
        _ => last,
    };
    Some(place(begins, line, column))
}

/// The letters of a value as they are written, without blanks: line, column, letter.
struct Written<'t> {
    letters: Box<dyn Iterator<Item = (usize, usize, char)> + 't>,
    quote: Option<char>,
}

impl<'t> Written<'t> {
    fn of(text: &'t str, begins: &Place) -> Option<Self> {
        let (line, column) = (begins.line as usize, begins.column as usize);
        let first_line = text.lines().nth(line.checked_sub(1)?)?;
        let first = first_line.chars().nth(column.checked_sub(1)?)?;
        let (skipped, quote) = match first {
            '\'' | '"' => ((line, column), Some(first)),
            // What follows on the line of a `>-` or `|` says how the text is folded.
            '>' | '|' => ((line, usize::MAX), None),
            _ => ((line, column - 1), None),
        };
        let lines = text.lines().enumerate().skip(line - 1);
        let letters = lines.flat_map(|(number, text)| {
            let letters = text.chars().enumerate();
            letters.map(move |(at, letter)| (number + 1, at + 1, letter))
        });
        let letters = letters.skip_while(move |(line, column, _)| (*line, *column) <= skipped);
        Some(Self {
            letters: Box::new(letters.filter(|(_, _, letter)| !letter.is_whitespace())),
            quote,
        })
    }
}

impl Iterator for Written<'_> {
    type Item = (usize, usize, char);

    fn next(&mut self) -> Option<Self::Item> {
        let (line, column, letter) = self.letters.next()?;
        let stands_for_next = match self.quote {
            Some('"') => letter == '\\',
            Some(quote) => letter == quote,
            None => false,
        };
        let letter = if stands_for_next {
            self.letters.next()?.2
        } else {
            letter
        };
        Some((line, column, letter))
    }
}

fn place(begins: &Place, line: usize, column: usize) -> Place {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Place {
        file: begins.file.clone(),
        line: count(line),
        column: count(column),
    }
}

/// Where a word stands that is not a part of another one.
fn whole_word(text: &str, word: &str) -> Option<usize> {
    let joined = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(joined) && !after.is_some_and(joined)
    })
}
