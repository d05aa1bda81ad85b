//! Words of others in our records: what devices and playbooks say, cut so that a record stays within its size.
//!
//! A journal record holds 4,000 bytes. Texts come printable from the client, so JSON at most doubles them.

/// Longest single text, in bytes.
const TEXT_MAX: usize = 400;

/// Longest list of texts, in bytes of all of them.
const LINES_MAX: usize = 1_400;

/// Cuts a text at a character boundary and says so with an ellipsis.
pub(crate) fn cut(text: &mut String) {
    if text.len() <= TEXT_MAX {
        return;
    }
    let end = (0..=TEXT_MAX)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    text.truncate(end);
    text.push('…');
}

/// A copy, cut.
pub(crate) fn quoted(text: &str) -> String {
    let mut text = text.to_owned();
    cut(&mut text);
    text
}

/// Cuts each line, keeps as many as fit, and says how many more there were.
pub(crate) fn cut_lines(lines: &mut Vec<String>) {
    let mut room = LINES_MAX;
    let mut kept = 0;
    for line in lines.iter_mut() {
        cut(line);
        if line.len() > room {
            break;
        }
        room -= line.len();
        kept += 1;
    }
    let more = lines.len() - kept;
    lines.truncate(kept);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_says_how_much_was_left_out() {
        let mut lines: Vec<String> = (0..40)
            .map(|number| format!("{number}: {}", "ö".repeat(300)))
            .collect();
        cut_lines(&mut lines);
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[3], "and 37 more");
        assert!(lines.iter().map(String::len).sum::<usize>() < 1_500);
        let mut short = vec!["one".to_owned()];
        cut_lines(&mut short);
        assert_eq!(short, ["one"]);
    }
}
