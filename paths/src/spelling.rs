//! The names nearest to one that was not found, for messages that help.
//!
//! Responsible for: ranking known names by how few keystrokes separate them from what was written. Must not know what
//! the names stand for.

/// The `count` names nearest to `wanted`, nearest first, equally near ones in the order of `names`.
///
/// Letter case does not count as a difference. Nothing is filtered out: with few names even a far one is worth showing.
pub fn nearest_names<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut ranked: Vec<_> = names
        .into_iter()
        .map(|name| (distance(&wanted, &name.to_lowercase()), name))
        .collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked.truncate(count);
    ranked.into_iter().map(|(_, name)| name).collect()
}

/// Levenshtein distance: insertions, deletions and substitutions cost one each.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keystrokes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn the_nearest_come_first_and_ties_keep_their_order() {
        let models = ["PA-820", "PA-850", "PA-220", "PA-7050"];
        assert_eq!(nearest_names("pa-8200", models, 2), ["PA-820", "PA-850"]);
        assert_eq!(nearest_names("PA-22", models, 1), ["PA-220"]);
        assert!(nearest_names("x", [], 3).is_empty());
    }
}
