//! How wide a text is drawn, and how it is made to fit.
//!
//! Responsible for: widths, cutting and breaking of texts in a picture. Must not know: what is drawn, or where. A picture names
//! no font, so nobody knows the real widths: these are of DejaVu Sans and its bold, the widest of the usual sans-serifs. What
//! fits by them fits everywhere.

/// The look of a text, as far as its width depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    /// Pixels.
    pub(crate) size: i32,
    pub(crate) bold: bool,
}

impl Type {
    pub(crate) const fn plain(size: i32) -> Self {
        Self { size, bold: false }
    }

    pub(crate) const fn bold(size: i32) -> Self {
        Self { size, bold: true }
    }
}

/// Pixels from the start of a text to its end, rounded up.
pub(crate) fn width(text: &str, letters: Type) -> i32 {
    let thousandths: i32 = text.chars().map(|letter| advance(letter, letters.bold)).sum();
    (thousandths * letters.size + 999) / 1000
}

/// The text, or as much of it as there is room for and an ellipsis.
pub(crate) fn fitted(text: &str, letters: Type, room: i32) -> String {
    if width(text, letters) <= room {
        return text.to_owned();
    }
    let room = room - width("…", letters);
    let mut used = 0;
    let kept = text.chars().take_while(|letter| {
        used += advance(*letter, letters.bold);
        (used * letters.size + 999) / 1000 <= room
    });
    let mut kept: String = kept.collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// The first of several wordings that fits, longest first.
pub(crate) fn first_that_fits(wordings: &[String], letters: Type, room: i32) -> Option<&str> {
    let mut fitting = wordings.iter().filter(|text| width(text, letters) <= room);
    fitting.next().map(String::as_str)
}

/// The text in lines of at most `room` pixels, broken between words; a word longer than a line is cut.
pub(crate) fn lines(text: &str, letters: Type, room: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (lines.last_mut(), longer) {
            (Some(line), Some(longer)) if width(&longer, letters) <= room => *line = longer,
            _ => lines.push(fitted(word, letters, room)),
        }
    }
    lines
}

/// Thousandths of the size. Letters are grouped to the widest of their group; what is not listed counts as a full square,
/// which no letter of a sans-serif font exceeds but the widest signs and ideographs.
fn advance(letter: char, bold: bool) -> i32 {
    let plain = match letter {
        ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | 'i' | 'j' | 'l' | 'I' | '·' => 340,
        '(' | ')' | '[' | ']' | '-' | '/' | 'f' | 't' | 'r' | '!' => 420,
        '"' | 's' | 'c' | 'z' | '?' | '*' => 560,
        'a'..='z' if !matches!(letter, 'm' | 'w') => 636,
        '0'..='9' | 'J' | 'L' | 'F' | 'E' | 'T' | 'Z' | '_' => 640,
        '$' | '`' | 'á'..='å' | 'è'..='ï' | 'ò'..='ö' | 'ù'..='ý' | '–' => 640,
        'A'..='Z' if !matches!(letter, 'M' | 'W' | 'Q' | 'O') => 760,
        'Q' | 'O' | 'M' | 'w' | '+' | '<' | '>' | '=' | '→' | '~' | '^' | '#' | '&' => 865,
        // Nothing wider than this has been seen in a version, a rule or a sentence of the vendor's.
        _ => 1050,
    };
    // DejaVu Sans Bold is wider by a tenth, its narrow letters by an eighth.
    if bold { plain * 9 / 8 } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_hotfix_fits_a_column_of_eleven() {
        assert!(width("10.2.10-h39", Type::bold(10)) <= 82 - 8);
        assert_eq!(width("", Type::plain(12)), 0);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        let letters = Type::plain(10);
        assert_eq!(fitted("10.2.4", letters, 100), "10.2.4");
        let cut = fitted("left before the preferred release", letters, 60);
        assert!(cut.ends_with('…') && width(&cut, letters) <= 60, "{cut}");
    }

    #[test]
    fn lines_break_between_words_and_hold_their_room() {
        let letters = Type::plain(10);
        let text = "one two three fourfivesixseveneightnineteneleven twelve";
        let broken = lines(text, letters, 70);
        assert!(broken.iter().all(|line| width(line, letters) <= 70), "{broken:?}");
        assert_eq!(broken.first().map(String::as_str), Some("one two"));
        assert!(lines("", letters, 70).is_empty());
    }
}
