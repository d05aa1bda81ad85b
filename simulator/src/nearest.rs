//! The name that may have been meant where a wrong one was given.

/// The candidate that is fewest edits away: at most a third of the name's length, and never more than three. The first
/// of several.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let most = (name.chars().count() / 3).clamp(1, 3);
    let distances = candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 4 * most)
        .map(|candidate| (edits(name, candidate), candidate));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= most).then(|| candidate.to_owned())
}

/// As the end of a sentence.
pub(crate) fn shown(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or_else(String::new, |name| format!("; the nearest is {name}"))
}

/// Letters to insert, drop, replace, or swap with their neighbour (optimal string alignment).
fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (at, letter) in one.iter().enumerate() {
        let mut row = vec![at + 1];
        for (column, there) in other.iter().enumerate() {
            let replaced = rows[at][column] + usize::from(letter != there);
            let mut fewest = replaced.min(rows[at][column + 1] + 1).min(row[column] + 1);
            let swapped = at > 0 && column > 0 && one[at - 1] == *there && other[column - 1] == *letter;
            if swapped {
                fewest = fewest.min(rows[at - 1][column - 1] + 1);
            }
            row.push(fewest);
        }
        rows.push(row);
    }
    rows.last()
        .and_then(|row| row.last())
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_finds_none() {
        let names = ["acme-vie-edge1", "acme-vie-edge2", "fw1"];
        assert_eq!(
            nearest("acme-vei-edge1", names).as_deref(),
            Some("acme-vie-edge1")
        );
        assert_eq!(nearest("fw9", names).as_deref(), Some("fw1"));
        assert_eq!(nearest("nobody", names), None);
        assert_eq!(nearest("x", []), None);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("egde1", "edge1"), 1);
        assert_eq!(edits("", "abc"), 3);
    }
}
