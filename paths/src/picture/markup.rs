//! Text inside markup: escaped, and free of what markup cannot hold.
//!
//! Responsible for: making any text safe as content or attribute of XML and HTML. Must not know: what is drawn.

/// A text as content or inside a double-quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().map(legal) {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A text on one line: what breaks lines becomes a space.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_whitespace() {
                ' '
            } else {
                legal(letter)
            }
        })
        .collect()
}

/// XML has no way to write control characters, and marks of writing direction would let a text turn what stands around it.
fn legal(letter: char) -> char {
    match letter {
        '\n' | '\t' => letter,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        // A carriage return would be read back as a line break.
        control if control.is_control() && control.is_whitespace() => ' ',
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_markup() {
        assert_eq!(
            escaped("<b a=\"1\" c='2'>&\u{0}\u{1b}\u{202e}\r\n"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\u{fffd}\u{fffd}\u{fffd} \n"
        );
        assert_eq!(on_one_line("a\r\nb\tc\u{2028}d"), "a  b c d");
    }
}
