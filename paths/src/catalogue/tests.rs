//! What the shipped catalogue says, and what a broken one is answered with.

mod fuzz;
mod overlays;

use super::*;

fn shipped(name: &str) -> &'static str {
    EMBEDDED.iter().find(|(file, _)| *file == name).unwrap().1
}

/// The error for a catalogue in which one piece of one file reads differently.
fn edited(file: &str, from: &str, to: &str) -> String {
    let text = shipped(file);
    assert!(text.contains(from), "{from} is not in {file}");
    let changed = text.replacen(from, to, 1);
    let files: Vec<_> = EMBEDDED
        .iter()
        .map(|(name, text)| (*name, if *name == file { changed.as_str() } else { text }))
        .collect();
    match Catalogue::parse(&files) {
        Ok(_) => panic!("accepted with {to}"),
        Err(error) => error.to_string(),
    }
}

fn train(text: &str) -> Train {
    text.parse().unwrap()
}

#[test]
fn the_shipped_catalogue_is_valid_and_complete() {
    let catalogue = Catalogue::embedded().unwrap();
    let trains: Vec<_> = catalogue
        .trains()
        .iter()
        .map(|row| row.train.to_string())
        .collect();
    assert_eq!(
        trains,
        [
            "8.1", "9.0", "9.1", "10.0", "10.1", "10.2", "11.0", "11.1", "11.2", "12.1", "12.2"
        ]
    );
    for row in catalogue.trains() {
        let last = row.train == train("12.2");
        assert_eq!(
            catalogue.reach(row.train).is_some(),
            !last,
            "reach from {}",
            row.train
        );
        assert!(
            catalogue.minimum_content(row.train).is_some(),
            "content of {}",
            row.train
        );
        let preferred = catalogue
            .releases()
            .filter(|release| release.version.train() == row.train && release.preferred);
        assert_eq!(
            preferred.count(),
            usize::from(!last),
            "one preferred release of {}",
            row.train
        );
    }
    for model in catalogue.models() {
        assert!(
            catalogue.watch(model).is_some() && !catalogue.support(model).unwrap().is_empty(),
            "{model}"
        );
    }
}

#[test]
fn the_facts_that_arithmetic_would_get_wrong() {
    let catalogue = Catalogue::embedded().unwrap();
    assert_eq!(
        catalogue.train(train("12.1")).unwrap().base,
        Base::Known("12.1.2".parse().unwrap())
    );
    assert_eq!(catalogue.train(train("12.2")).unwrap().base, Base::ReadFromDevice);
    assert_eq!(catalogue.trains_apart(train("9.1"), train("10.0")), Some(1));
    assert_eq!(catalogue.trains_apart(train("11.2"), train("10.1")), Some(4));
    assert_eq!(catalogue.trains_apart(train("9.1"), train("9.2")), None);
    assert!(!catalogue.support("PA-7500").unwrap().contains_key(&train("11.2")));
    assert!(!catalogue.watch("PA-7050").unwrap().chassis_ready);
    assert_eq!(catalogue.minimum_content(train("11.2")).unwrap().value, 8902);
    assert_eq!(catalogue.end_of_life(train("9.1")).unwrap().value, "2024-06-30");
    let minimum = catalogue.support("PA-410").unwrap()[&train("10.1")].minimum;
    assert_eq!(minimum, Some("10.1.2".parse().unwrap()));
}

#[test]
fn a_broken_row_is_named_by_file_line_and_key() {
    let errors = [
        edited(
            "releases.toml",
            "leave_from = \"preferred\"",
            "leave_form = \"preferred\"",
        ),
        edited("releases.toml", "base = \"9.0.0\"", "base = \"9.0\""),
        edited(
            "releases.toml",
            "confidence = \"high\"",
            "confidence = \"certain\"",
        ),
        edited("releases.toml", "minimum = 8408", "minimum = \"8408\""),
        edited("releases.toml", "[[train]]", "[[train]"),
        edited("releases.toml", "base = \"9.0.0\"", "base = \"9.1.0\""),
        edited("releases.toml", "name = \"9.1\"", "name = \"8.0\""),
        edited("releases.toml", "to = [\"9.0\"]", "to = [\"8.1\"]"),
        edited("releases.toml", "to = [\"9.0\"]", "to = [\"9.2\"]"),
        edited("releases.toml", "from = \"9.0\"", "from = \"8.1\""),
        edited(
            "releases.toml",
            "train = \"9.0\"\nminimum",
            "train = \"8.1\"\nminimum",
        ),
        edited(
            "releases.toml",
            "date = 2022-03-01",
            "date = 2022-03-01T00:00:00Z",
        ),
        edited("releases.toml", "version = \"9.0.17\"", "version = \"8.1.26\""),
        edited("releases.toml", "version = \"12.1.5\"", "version = \"12.1.1\""),
        edited(
            "releases.toml",
            "source = \"GitHub o5edaxi",
            "source = \" \" # \"GitHub o5edaxi",
        ),
        edited("models.toml", "class = \"pa-800\"", "class = \"pa-8000\""),
        edited(
            "models.toml",
            "names = [\"PA-820\", \"PA-850\"]",
            "names = [\"PA-820\", \"PA-820\"]",
        ),
        edited(
            "models.toml",
            "names = [\"PA-820\", \"PA-850\"]",
            "names = [\"PA-820\", \"PA-850\", \"PA-860\"]",
        ),
        edited(
            "models.toml",
            "models = [\"PA-820\", \"PA-850\"]",
            "models = [\"PA-820\", \"PA-830\"]",
        ),
        edited("models.toml", "[\"10.1.2+\"", "[\"10.1+\""),
        edited(
            "models.toml",
            "expected = 35, worst = 45",
            "expected = 35, worst = 30",
        ),
        edited("models.toml", "warn = 35, fail = 60", "warn = 20, fail = 60"),
        edited("models.toml", "\nname = \"pa-400\"", "\nname = \"pa-220\""),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    reading releases.toml, line 13, at `leave_form`: unknown field `leave_form`, expected one of `name`, `base`, `leave_from`, `source`, `confidence`
    reading releases.toml, line 19, at `base`: "9.0" is not a PAN-OS version: the maintenance number is missing (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)
    reading releases.toml, line 15, at `confidence`: unknown variant `certain`, expected one of `low`, `medium`, `high`
    reading releases.toml, line 198, at `minimum`: invalid type: string "8408", expected u32
    reading releases.toml, line 10, at `[[train]`: unclosed array table, expected `]`
    checking releases.toml, row at line 17, key `base`: 9.1.0 is not an image of 9.0
    checking releases.toml, row at line 24, key `name`: 8.0 stands after 9.0 (releases.toml, line 17): trains are listed oldest first
    checking releases.toml, row at line 92, key `to`: from 8.1 the list leads back to 8.1, while 8.1 stands in the order at releases.toml, line 10
    checking releases.toml, row at line 92, key `to`: 9.2 has no [[train]] row
    checking releases.toml, row at line 98, key `from`: 8.1 is given twice: the other is releases.toml, line 92
    checking releases.toml, row at line 178, key `train`: 8.1 is given twice: the other is releases.toml, line 172
    checking releases.toml, row at line 240, key `date`: 2022-03-01T00:00:00Z is not a day (YYYY-MM-DD)
    checking releases.toml, row at line 454, key `version`: 8.1.26 is given twice: the other is releases.toml, line 448
    checking releases.toml, row at line 502, key `version`: 12.1.1 is older than 12.1.2, the base image of its train (releases.toml, line 74)
    checking releases.toml, row at line 172, key `source`: a row without a source cannot be argued with
    checking models.toml, row at line 189, key `class`: there is no class pa-8000; the nearest is pa-3000
    checking models.toml, row at line 189, key `names`: PA-820 is given twice: the other is models.toml, line 189
    checking models.toml, row at line 189, key `names`: PA-860 has no [[support]] row
    checking models.toml, row at line 318, key `models`: there is no model PA-830; the nearest is PA-820
    reading models.toml, line 248, at `trains`: "10.1" is not a PAN-OS version: the maintenance number is missing (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)
    checking models.toml, row at line 10, key `install`: expected must be at least a minute, and worst neither less than expected nor more than 1440
    checking models.toml, row at line 10, key `watchdog`: warn must not be under 27 (reboot and auto-commit as expected), fail must be over warn and not under 40 (both at worst), nor over 2880
    checking models.toml, row at line 20, key `name`: pa-220 is given twice: the other is models.toml, line 10
    "#);
}

#[test]
fn the_files_are_exactly_the_four() {
    let said = |files: &[(&str, &str)]| Catalogue::parse(files).unwrap_err().to_string();
    let [releases, models, advisories, modules] = EMBEDDED else {
        panic!("there are four");
    };
    insta::assert_snapshot!(
        [
            said(&[*releases, *models, *modules]),
            said(&[*releases, *models, *advisories, *modules, ("release.toml", "")]),
            said(&[*releases, *releases, *models, *advisories, *modules]),
        ]
        .join("\n"),
        @r"
    reading the release catalogue: advisories.toml is missing
    reading the release catalogue: release.toml is not expected here (once each: releases.toml, models.toml, advisories.toml, modules.toml)
    reading the release catalogue: releases.toml is not expected here (once each: releases.toml, models.toml, advisories.toml, modules.toml)
    "
    );
}
