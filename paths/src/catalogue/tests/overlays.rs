//! Files laid over the shipped ones: what they change, and what they are refused for.

use super::*;
use crate::{Graph, Request, Target};

fn overlaid(text: &str) -> Result<Catalogue, CatalogueError> {
    Catalogue::embedded().unwrap().overlaid(&[("mine.toml", text)])
}

fn said(text: &str) -> String {
    match overlaid(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => {
            let error = error.to_string();
            // Lines of the shipped files move with every row that is added to them.
            let mut masked = String::new();
            for (place, piece) in error.split("line ").enumerate() {
                let own = ["mine.toml, line ", "mine.toml, row at line "]
                    .iter()
                    .any(|end| masked.ends_with(end));
                let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
                let shown = if place == 0 || own {
                    piece.to_owned()
                } else {
                    format!("N{}", &piece[digits..])
                };
                masked.push_str(&shown);
                masked.push_str("line ");
            }
            masked.trim_end_matches("line ").to_owned()
        }
    }
}

const SOURCED: &str = "source = \"a test\"\nconfidence = \"low\"\n";

#[test]
fn the_example_of_the_readme_is_an_overlay() {
    let readme = include_str!("../../../data/README.md");
    let example = readme
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let catalogue = overlaid(example).unwrap();
    assert_eq!(catalogue.watch("PA-440").unwrap().install_expected_min, 25);
    assert!(
        catalogue
            .release("11.1.13-h4".parse().unwrap())
            .unwrap()
            .preferred
    );
    let graph = Graph::new(&catalogue, "PA-440").unwrap();
    assert_eq!(graph.stop(train("11.1")), Some("11.1.13-h4".parse().unwrap()));
    let shipped = Catalogue::embedded().unwrap();
    assert_eq!(catalogue.advisories().count(), shipped.advisories().count() + 1);
    assert_eq!(
        catalogue.advisory("our-11-1-10-pairs").unwrap().severity,
        crate::Severity::Block
    );
    let seen = |part| crate::ModuleSeen {
        port: 5,
        media: "SFP-Fiber",
        vendor: Some("OEM"),
        part: Some(part),
    };
    let on = |model| catalogue.seat(Some(model), Some("10.2.4".parse().unwrap()));
    let class = |part, model| catalogue.modules().judge(&seen(part), &on(model)).class;
    assert_eq!(class("FTLX1475D3BCL", "PA-3220"), crate::OpticClass::Allowed);
    assert_eq!(class("SFP1G-SX-85", "PA-850"), crate::OpticClass::KnownBad);
}

#[test]
fn every_row_kind_is_described() {
    let readme = include_str!("../../../data/README.md");
    for kind in [
        "train",
        "reach",
        "content",
        "end_of_life",
        "release",
        "releases",
        "class",
        "model",
        "support",
        "advisory",
        "module",
        "media",
    ] {
        assert!(readme.contains(&format!("| `[[{kind}]]` |")), "{kind}");
    }
}

#[test]
fn a_new_feature_release_is_a_few_rows() {
    let text = format!(
        "[[train]]\nname = \"12.3\"\nbase = \"12.3.0\"\nleave_from = \"any\"\n{SOURCED}\
         [[reach]]\nfrom = \"12.1\"\nto = [\"12.2\", \"12.3\"]\n{SOURCED}\
         [[content]]\ntrain = \"12.3\"\nminimum = 9100\n{SOURCED}\
         [[release]]\nversion = \"12.3.2\"\n{SOURCED}\
         [[support]]\nmodels = [\"PA-440\"]\ntrains = [\"12.3\"]\n{SOURCED}"
    );
    let catalogue = overlaid(&text).unwrap();
    let graph = Graph::new(&catalogue, "PA-440").unwrap();
    let request = Request::new("12.1.5".parse().unwrap(), "12.3".parse::<Target>().unwrap());
    let plan = graph.plan(&request).unwrap();
    assert_eq!(plan.route.to.to_string(), "12.3.2");
}

#[test]
fn a_later_overlay_wins_and_one_file_does_not_contradict_itself() {
    let content = |minimum: u32| format!("[[content]]\ntrain = \"11.1\"\nminimum = {minimum}\n{SOURCED}");
    let (one, other) = (content(8800), content(8900));
    let catalogue = Catalogue::embedded()
        .unwrap()
        .overlaid(&[("one.toml", &one), ("other.toml", &other)])
        .unwrap();
    assert_eq!(catalogue.minimum_content(train("11.1")).unwrap().value, 8900);
    let again = catalogue.overlaid(&[("third.toml", &one)]).unwrap();
    assert_eq!(again.minimum_content(train("11.1")).unwrap().value, 8800);
    insta::assert_snapshot!(said(&format!("{one}{other}")), @"checking mine.toml, row at line 6, key `train`: 11.1 is given twice: the other is mine.toml, line 1");
}

#[test]
fn rows_that_disagree_are_both_named() {
    let train_row = |name: &str, base: &str| {
        format!("[[train]]\nname = \"{name}\"\nbase = \"{base}\"\nleave_from = \"any\"\n{SOURCED}")
    };
    let content = "[[content]]\ntrain = \"12.3\"\nminimum = 9100\nsource = \"s\"\nconfidence = \"low\"\n";
    let errors = [
        // A cycle: the way back, and the row that leads up from there.
        said(&format!(
            "[[reach]]\nfrom = \"10.1\"\nto = [\"10.0\", \"10.2\"]\n{SOURCED}"
        )),
        // A hole: nothing leads to a new train, or no more to an old one.
        said(&format!("{}{content}", train_row("12.3", "12.3.0"))),
        said(&format!("[[reach]]\nfrom = \"9.0\"\nto = [\"10.0\"]\n{SOURCED}")),
        // A base that contradicts the releases there are.
        said(&train_row("10.2", "10.2.5")),
        said(&format!("[[release]]\nversion = \"12.1.1\"\n{SOURCED}")),
        said(&format!(
            "{}[[reach]]\nfrom = \"12.2\"\nto = [\"12.3\"]\n{SOURCED}",
            train_row("12.3", "12.3.0")
        )),
        said(&format!(
            "[[support]]\nmodels = [\"PA-441\"]\ntrains = [\"11.1\"]\n{SOURCED}"
        )),
        said("[[model]]\nclass = \"pa-4000\"\nnames = [\"PA-440\"]\n"),
        said("[[model]]\nclass = \"pa-400\"\nnames = [\"PA-441\"]\n"),
        said(&format!("[[content]]\ntrain = \"12.4\"\nminimum = 1\n{SOURCED}")),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r"
    checking mine.toml, row at line 1, key `to`: from 10.1 the list leads back to 10.0, while 10.0 leads up to 10.1 (releases.toml, line N)
    checking mine.toml, row at line 1, key `name`: no [[reach]] row leads to 12.3; the row of 12.2, the feature release before it, is releases.toml, line N
    checking releases.toml, row at line N, key `name`: no [[reach]] row leads to 9.1; the row of 9.0, the feature release before it, is mine.toml, line 1
    checking releases.toml, row at line N, key `versions`: 10.2.0 is older than 10.2.5, the base image of its train (mine.toml, line 1)
    checking mine.toml, row at line 1, key `version`: 12.1.1 is older than 12.1.2, the base image of its train (releases.toml, line N)
    checking mine.toml, row at line 1, key `name`: 12.3 has no [[content]] row
    checking mine.toml, row at line 1, key `models`: there is no model PA-441; the nearest is PA-440
    checking mine.toml, row at line 1, key `class`: there is no class pa-4000; the nearest is pa-3000
    checking mine.toml, row at line 1, key `names`: PA-441 has no [[support]] row
    checking mine.toml, row at line 1, key `train`: 12.4 has no [[train]] row
    ");
}

#[test]
fn an_advisory_that_could_never_matter_is_refused() {
    let row = |rows: &str| {
        format!(
            "[[advisory]]\nid = \"T-1\"\ntitle = \"t\"\n{rows}\nseverity = \"warn\"\neffect = \"e\"\naction = \"a\"\n{SOURCED}"
        )
    };
    let errors = [
        said(&row("kind = \"defect\"")),
        said(&row("kind = \"condition\"\nfixed_in = [\"10.2.4\"]")),
        said(&row("kind = \"defekt\"\nfixed_in = [\"10.2.4\"]")),
        said(&row("kind = \"defect\"\nfixed_in = [\"10.2\"]")),
        said(&row("kind = \"defect\"\nfixed_in = [\"10.3.4\"]")),
        said(&row("kind = \"defect\"\naffected = [\"10.2.4..10.2.4\"]")),
        said(&row("kind = \"condition\"\nto = [\"13.1+\"]")),
        said(&row("kind = \"condition\"\nmodels = [\"PA-8500\"]")),
        said(&row("kind = \"condition\"\nclasses = [\"pa-80\"]")),
        said(&row("kind = \"condition\"\nwhen = [{ flag = \"panorama\" }]")),
        said(&row(
            "kind = \"condition\"\nwhen = [{ number = \"memory\", below = 1 }]",
        )),
        said(&row("kind = \"condition\"\nwhen = [{ number = \"memory-mb\" }]")),
        said(&row(
            "kind = \"condition\"\nwhen = [{ flag = \"ha\", not = \"ha\" }]",
        )),
        said(&row(
            "kind = \"condition\"\nwhen = [{ flag = \"ha\", below = 1 }]",
        )),
        said(&row(
            "kind = \"condition\"\nwhen = [{ optics = { classes = [\"bad\"] } }]",
        )),
        said(&row("kind = \"condition\"\nwhen = [{ optics = { port = 5 } }]")),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    checking mine.toml, row at line 1, key `kind`: a defect needs the releases that fixed it (fixed_in) or that have it (affected)
    checking mine.toml, row at line 1, key `kind`: a condition is on a step, by from and to; fixed_in and affected are for defects
    reading mine.toml, line 4, at `kind`: unknown variant `defekt`, expected `defect` or `condition`
    reading mine.toml, line 5, at `fixed_in`: "10.2" is not a PAN-OS version: the maintenance number is missing (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)
    checking mine.toml, row at line 1, key `fixed_in`: 10.3 has no [[train]] row
    reading mine.toml, line 5, at `affected`: 10.2.4..10.2.4 holds no release: the second must be the later one
    checking mine.toml, row at line 1, key `to`: 13.1 has no [[train]] row
    checking mine.toml, row at line 1, key `models`: there is no model PA-8500; the nearest is PA-500
    checking mine.toml, row at line 1, key `classes`: there is no class pa-80; the nearest is pa-800
    checking mine.toml, row at line 1, key `when`: there is no flag "panorama" in the vocabulary; the nearest is "nat"
    checking mine.toml, row at line 1, key `when`: there is no number "memory" in the vocabulary; the nearest is "memory-mb"
    checking mine.toml, row at line 1, key `when`: a number needs a limit: exactly one of below and at_least
    checking mine.toml, row at line 1, key `when`: each entry is exactly one of flag, not, number and optics
    checking mine.toml, row at line 1, key `when`: below and at_least are limits of a number
    checking mine.toml, row at line 1, key `when`: there is no class of modules "bad" (there are allowed, known-bad, unknown-vendor, unreadable)
    reading mine.toml, line 5, at `when`: unknown field `port`, expected one of `ports`, `classes`, `parts`, `media`
    "#);
}
