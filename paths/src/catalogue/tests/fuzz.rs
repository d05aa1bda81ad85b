//! Whatever is in a file: no panic, and an error that says file, line and key.

use proptest::prelude::*;

use super::*;

/// Short in every build; long where somebody asks for all that can be tested.
fn cases() -> ProptestConfig {
    let full = std::env::var_os("HOPGATE_FULL").is_some_and(|full| full == "1");
    ProptestConfig::with_cases(if full { 20_000 } else { 32 })
}

/// Reads it laid over the shipped files; what is refused says where.
fn read(text: &str) -> Result<(), TestCaseError> {
    match Catalogue::embedded().unwrap().overlaid(&[("mine.toml", text)]) {
        Ok(_) => Ok(()),
        Err(error) => placed(&error, text.split('\n').count()),
    }
}

fn placed(error: &CatalogueError, lines: usize) -> Result<(), TestCaseError> {
    let (file, line, key) = match error {
        CatalogueError::Row { file, line, key, .. } => (file.as_str(), *line, key.as_str()),
        CatalogueError::Rule { file, line, key, .. } => (file.as_str(), *line, *key),
        CatalogueError::Missing { .. } | CatalogueError::Unexpected { .. } => {
            return Err(TestCaseError::fail(format!("no place: {error}")));
        }
    };
    let shipped = EMBEDDED.iter().find(|(name, _)| *name == file);
    let lines = shipped.map_or(lines, |(_, text)| text.lines().count().max(lines));
    prop_assert!(!file.is_empty() && !key.is_empty(), "{error}");
    prop_assert!((1..=lines).contains(&line), "{error}");
    Ok(())
}

/// A change to a text: where (as a share of its length), how much goes, and what comes.
type Edit = (f64, usize, String);

fn any_edit() -> impl Strategy<Value = Edit> {
    let pieces = prop::sample::select(vec![
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        "\n",
        "#",
        ".",
        "-h",
        "+",
        "..",
        "0",
        "99999999999999999999",
        "10.2",
        "12.1.2",
        "[[train]]\n",
        "[[reach]]\n",
        "[[advisory]]\n",
        "[[module]]\n",
        "part = \"X-*\"\n",
        "option = \"x\"\n",
        "preferred = true\n",
        "\u{feff}",
        "\0",
        "ä",
    ]);
    let text = prop_oneof![pieces.prop_map(str::to_owned), any::<String>()];
    (0.0..1.0, 0..30usize, text)
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for (share, gone, come) in edits {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a text of some ten thousand letters"
        )]
        let start = (share * letters.len() as f64) as usize;
        let end = (start + gone).min(letters.len());
        letters.splice(start..end, come.chars());
    }
    letters.into_iter().collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_text_is_read_or_refused_with_its_place(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&text)?;
        read(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn a_damaged_shipped_file_is_read_or_refused_with_its_place(
        file in 0..3usize, edits in prop::collection::vec(any_edit(), 1..4), over in any::<bool>(),
    ) {
        let damaged = edited(EMBEDDED[file].1, &edits);
        if over {
            read(&damaged)?;
        } else {
            let mut files = EMBEDDED.to_vec();
            files[file].1 = &damaged;
            if let Err(error) = Catalogue::parse(&files) {
                placed(&error, damaged.split('\n').count())?;
            }
        }
    }
}
