//! The table of the module's header, row by row, and what comes of several rows about one part.

use super::*;
use crate::catalogue::{Catalogue, CatalogueError};

/// Rows as an operator writes them, laid over the shipped ones, one file each.
fn overlaid(files: &[&str]) -> Result<Catalogue, CatalogueError> {
    let sourced = |text: &&str| {
        text.split("\n\n")
            .map(|row| format!("{row}\nsource = \"a test\"\nconfidence = \"low\"\n"))
            .collect::<String>()
    };
    let texts: Vec<String> = files.iter().map(sourced).collect();
    let names: Vec<String> = (1..=files.len()).map(|nth| format!("ours-{nth}.toml")).collect();
    let files: Vec<(&str, &str)> = names
        .iter()
        .zip(&texts)
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    Catalogue::embedded().unwrap().overlaid(&files)
}

fn module<'a>(vendor: Option<&'a str>, part: &'a str) -> ModuleSeen<'a> {
    ModuleSeen {
        port: 5,
        media: "SFP-Fiber",
        vendor,
        part: (!part.is_empty()).then_some(part),
    }
}

/// Class and words for a module by FS in port 5.
fn judged(catalogue: &Catalogue, part: &str, model: &str, release: &str) -> String {
    in_port(catalogue, 5, part, model, release)
}

fn in_port(catalogue: &Catalogue, port: u32, part: &str, model: &str, release: &str) -> String {
    let seat = catalogue.seat(
        (!model.is_empty()).then_some(model),
        (!release.is_empty()).then(|| release.parse().unwrap()),
    );
    let seen = ModuleSeen {
        port,
        ..module(Some("FS"), part)
    };
    let Judged { class, why } = catalogue.modules().judge(&seen, &seat);
    match why {
        Some(why) => format!("{}: {why}", class.name()),
        None => class.name().to_owned(),
    }
}

#[test]
fn the_shipped_list_goes_by_part_and_model_and_never_by_vendor() {
    let catalogue = Catalogue::embedded().unwrap();
    let seat = catalogue.seat(Some("PA-5410"), Some("11.1.6".parse().unwrap()));
    let rows = [
        ("SFP-Empty", None, "", OpticClass::Empty),
        ("sfp-empty ", Some("X"), "Y", OpticClass::Empty),
        ("CAT5", None, "", OpticClass::Fixed),
        (
            "SFP-Fiber",
            Some("FINISAR CORP."),
            "FTLX1475D3BCL  ",
            OpticClass::UnknownVendor,
        ),
        ("SFP-Fiber", Some("OEM"), "pan-sfp-sx", OpticClass::Allowed),
        ("SFP-Fiber", None, "PAN-SFP-LX", OpticClass::Allowed),
        ("SFP-Fiber", Some("OEM"), " s28-25g-lr ", OpticClass::Allowed),
        (
            "SFP-Fiber",
            Some("Palo Alto Networks"),
            "SFP-1G-LX",
            OpticClass::UnknownVendor,
        ),
        ("SFP-Fiber", Some("FS"), "PA", OpticClass::UnknownVendor),
        ("SFP-Fiber", Some("FS"), "PÄN-1", OpticClass::UnknownVendor),
        ("SFP-Fiber", None, "SFP-1G-LX", OpticClass::Unreadable),
        ("SFP-Fiber", Some("FS"), "", OpticClass::Unreadable),
        ("SFP-Fiber", Some("FS"), "  ", OpticClass::Unreadable),
        ("", None, "", OpticClass::Unreadable),
    ];
    for (media, vendor, part, class) in rows {
        let seen = ModuleSeen {
            media,
            ..module(vendor, part)
        };
        let judged = catalogue.modules().judge(&seen, &seat);
        assert_eq!(judged.class, class, "{media} {vendor:?} {part}");
    }
}

#[test]
fn the_shipped_list_says_on_which_models() {
    let catalogue = Catalogue::embedded().unwrap();
    let table = [
        judged(catalogue, "S28-25G-LR", "PA-5430", "11.1.6"),
        judged(catalogue, "S28-25G-LR", "PA-5420", "11.1.6"),
        judged(catalogue, "S28-25G-LR", "", ""),
        judged(catalogue, "QSFP-40G-SR-BD", "", ""),
        judged(catalogue, "PAN-SFPPLUS10GBASE-T", "PA-1420", "11.1.6"),
        judged(catalogue, "PAN-SFPPLUS10GBASE-T", "PA-1410", "11.1.6"),
        judged(catalogue, "FTLX1475D3BCL", "PA-3220", "10.2.4"),
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    allowed
    unknown-vendor: the list has it only on PA-5410, PA-5430
    unknown-vendor: whether it is allowed depends on the model, which is not known
    allowed
    allowed
    allowed
    unknown-vendor
    ");
}

/// Allowed from a release on and in some ports, harmful in a range; by class, by beginning.
const OURS: &str = r#"[[module]]
part = "FTLX1475D3BCL"
verdict = "allowed"
models = ["PA-3220"]
releases = ["10.2.4+"]

[[module]]
part = "FS-*"
verdict = "allowed"
classes = ["pa-800"]
ports = [5, 6]

[[module]]
part = "FS-1G-SX"
verdict = "known-bad"
classes = ["pa-800"]
releases = ["10.1", "10.2.0..10.2.7"]
effect = "The port goes down under load."
"#;

#[test]
fn what_is_not_known_makes_a_module_neither_allowed_nor_known_bad() {
    let catalogue = overlaid(&[OURS.trim()]).unwrap();
    let mut table = Vec::new();
    for part in ["FTLX1475D3BCL", "FS-10G-SR", "FS-1G-SX", "PAN-SFP-SX", "XYZ-1"] {
        for model in ["PA-3220", "PA-850", "PA-9999", ""] {
            for release in ["10.2.3", "10.2.8", ""] {
                let said = judged(&catalogue, part, model, release);
                table.push(format!("{part:<13} {model:<7} {release:<6} {said}"));
            }
        }
    }
    insta::assert_snapshot!(table.join("\n"), @r"
    FTLX1475D3BCL PA-3220 10.2.3 unknown-vendor: the list has it only on PA-3220 with 10.2.4+
    FTLX1475D3BCL PA-3220 10.2.8 allowed
    FTLX1475D3BCL PA-3220        unknown-vendor: whether it is allowed depends on the release, which is not known
    FTLX1475D3BCL PA-850  10.2.3 unknown-vendor: the list has it only on PA-3220 with 10.2.4+
    FTLX1475D3BCL PA-850  10.2.8 unknown-vendor: the list has it only on PA-3220 with 10.2.4+
    FTLX1475D3BCL PA-850         unknown-vendor: the list has it only on PA-3220 with 10.2.4+
    FTLX1475D3BCL PA-9999 10.2.3 unknown-vendor: the list has it only on PA-3220 with 10.2.4+
    FTLX1475D3BCL PA-9999 10.2.8 unknown-vendor: the list has it only on PA-3220 with 10.2.4+
    FTLX1475D3BCL PA-9999        unknown-vendor: the list has it only on PA-3220 with 10.2.4+
    FTLX1475D3BCL         10.2.3 unknown-vendor: the list has it only on PA-3220 with 10.2.4+
    FTLX1475D3BCL         10.2.8 unknown-vendor: whether it is allowed depends on the model, which is not known
    FTLX1475D3BCL                unknown-vendor: whether it is allowed depends on the model, which is not known
    FS-10G-SR     PA-3220 10.2.3 unknown-vendor: the list has it only on pa-800 in ports 5, 6
    FS-10G-SR     PA-3220 10.2.8 unknown-vendor: the list has it only on pa-800 in ports 5, 6
    FS-10G-SR     PA-3220        unknown-vendor: the list has it only on pa-800 in ports 5, 6
    FS-10G-SR     PA-850  10.2.3 allowed
    FS-10G-SR     PA-850  10.2.8 allowed
    FS-10G-SR     PA-850         allowed
    FS-10G-SR     PA-9999 10.2.3 unknown-vendor: whether it is allowed depends on the class of a PA-9999, a model that is not known
    FS-10G-SR     PA-9999 10.2.8 unknown-vendor: whether it is allowed depends on the class of a PA-9999, a model that is not known
    FS-10G-SR     PA-9999        unknown-vendor: whether it is allowed depends on the class of a PA-9999, a model that is not known
    FS-10G-SR             10.2.3 unknown-vendor: whether it is allowed depends on the model, which is not known
    FS-10G-SR             10.2.8 unknown-vendor: whether it is allowed depends on the model, which is not known
    FS-10G-SR                    unknown-vendor: whether it is allowed depends on the model, which is not known
    FS-1G-SX      PA-3220 10.2.3 unknown-vendor: the list has it only on pa-800 in ports 5, 6
    FS-1G-SX      PA-3220 10.2.8 unknown-vendor: the list has it only on pa-800 in ports 5, 6
    FS-1G-SX      PA-3220        unknown-vendor: the list has it only on pa-800 in ports 5, 6
    FS-1G-SX      PA-850  10.2.3 known-bad: The port goes down under load.
    FS-1G-SX      PA-850  10.2.8 allowed
    FS-1G-SX      PA-850         unknown-vendor: whether it does harm depends on the release, which is not known
    FS-1G-SX      PA-9999 10.2.3 unknown-vendor: whether it does harm depends on the class of a PA-9999, a model that is not known
    FS-1G-SX      PA-9999 10.2.8 unknown-vendor: whether it is allowed depends on the class of a PA-9999, a model that is not known
    FS-1G-SX      PA-9999        unknown-vendor: whether it does harm depends on the class of a PA-9999, a model that is not known
    FS-1G-SX              10.2.3 unknown-vendor: whether it does harm depends on the model, which is not known
    FS-1G-SX              10.2.8 unknown-vendor: whether it is allowed depends on the model, which is not known
    FS-1G-SX                     unknown-vendor: whether it does harm depends on the model, which is not known
    PAN-SFP-SX    PA-3220 10.2.3 allowed
    PAN-SFP-SX    PA-3220 10.2.8 allowed
    PAN-SFP-SX    PA-3220        allowed
    PAN-SFP-SX    PA-850  10.2.3 allowed
    PAN-SFP-SX    PA-850  10.2.8 allowed
    PAN-SFP-SX    PA-850         allowed
    PAN-SFP-SX    PA-9999 10.2.3 allowed
    PAN-SFP-SX    PA-9999 10.2.8 allowed
    PAN-SFP-SX    PA-9999        allowed
    PAN-SFP-SX            10.2.3 allowed
    PAN-SFP-SX            10.2.8 allowed
    PAN-SFP-SX                   allowed
    XYZ-1         PA-3220 10.2.3 unknown-vendor
    XYZ-1         PA-3220 10.2.8 unknown-vendor
    XYZ-1         PA-3220        unknown-vendor
    XYZ-1         PA-850  10.2.3 unknown-vendor
    XYZ-1         PA-850  10.2.8 unknown-vendor
    XYZ-1         PA-850         unknown-vendor
    XYZ-1         PA-9999 10.2.3 unknown-vendor
    XYZ-1         PA-9999 10.2.8 unknown-vendor
    XYZ-1         PA-9999        unknown-vendor
    XYZ-1                 10.2.3 unknown-vendor
    XYZ-1                 10.2.8 unknown-vendor
    XYZ-1                        unknown-vendor
    ");
    insta::assert_snapshot!(in_port(&catalogue, 7, "FS-10G-SR", "PA-850", "10.2.8"), @"unknown-vendor: the list has it only on pa-800 in ports 5, 6");
}

#[test]
fn of_several_rows_about_one_part_the_right_one_counts() {
    let row = |verdict: &str, part: &str, more: &str| {
        let effect = if verdict == "known-bad" {
            "\neffect = \"It burns.\""
        } else {
            ""
        };
        format!("[[module]]\npart = \"{part}\"\nverdict = \"{verdict}\"{more}{effect}")
    };
    let allowed = |part: &str, more: &str| row("allowed", part, more);
    let bad = |part: &str, more: &str| row("known-bad", part, more);
    let on = |models: &str| format!("\nmodels = [\"{models}\"]");
    let (here, there) = (on("PA-850"), on("PA-820"));
    let table: Vec<(&str, Vec<String>, &str)> = vec![
        (
            "banned on a model, though all of the vendor's are allowed",
            vec![bad("PAN-SFP-SX", &here)],
            "known-bad",
        ),
        (
            "banned on another model",
            vec![bad("PAN-SFP-SX", &there)],
            "allowed",
        ),
        (
            "vouched for, and banned in a later file",
            vec![allowed("XYZ-1", &here), bad("XYZ-1", "")],
            "known-bad",
        ),
        (
            "banned, and vouched for here in a later file",
            vec![bad("XYZ-1", ""), allowed("XYZ-1", &here)],
            "allowed",
        ),
        (
            "banned, and vouched for elsewhere in a later file",
            vec![bad("XYZ-1", ""), allowed("XYZ-1", &there)],
            "known-bad",
        ),
        (
            "banned, and vouched for by its beginning alone",
            vec![bad("XYZ-1", ""), allowed("XYZ-*", "")],
            "known-bad",
        ),
        (
            "both in one file",
            vec![format!("{}\n\n{}", bad("XYZ-1", &here), allowed("XYZ-1", ""))],
            "known-bad",
        ),
        (
            "harm in other ports takes nothing back",
            vec![allowed("XYZ-1", ""), bad("XYZ-1", "\nports = [6]")],
            "allowed",
        ),
        (
            "the row of the model before the one for all",
            vec![format!(
                "{}\n\n{}",
                allowed("XYZ-1", ""),
                allowed("XYZ-1", &format!("{here}\nreleases = [\"11.0+\"]"))
            )],
            "unknown-vendor",
        ),
        (
            "a later row for all before the one of the model",
            vec![
                allowed("XYZ-1", &format!("{here}\nreleases = [\"11.0+\"]")),
                allowed("XYZ-1", ""),
            ],
            "allowed",
        ),
        (
            "the longest beginning",
            vec![format!(
                "{}\n\n{}",
                allowed("XYZ-1*", "\nreleases = [\"11.0+\"]"),
                allowed("XYZ-*", "")
            )],
            "unknown-vendor",
        ),
        (
            "a beginning that says nothing of the model",
            vec![format!(
                "{}\n\n{}",
                allowed("XYZ-1*", &there),
                allowed("XYZ-*", "")
            )],
            "allowed",
        ),
        (
            "a row that is written anew, with other releases",
            vec![
                bad("XYZ-1", "\nreleases = [\"10.1+\"]"),
                bad("XYZ-1", "\nreleases = [\"11.0+\"]"),
            ],
            "unknown-vendor",
        ),
        (
            "letter case and spaces are no difference",
            vec![bad(" xyz-1 ", "")],
            "known-bad",
        ),
    ];
    for (case, files, expected) in table {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let catalogue = overlaid(&files).unwrap();
        let part = if files[0].contains("PAN-SFP-SX") {
            "PAN-SFP-SX"
        } else {
            "XYZ-1"
        };
        let said = judged(&catalogue, part, "PA-850", "10.2.4-h4");
        assert_eq!(said.split(':').next(), Some(expected), "{case}: {said}");
    }
}

#[test]
fn a_row_that_cannot_be_meant_is_refused() {
    let row = |rows: &str| match overlaid(&[rows]) {
        Ok(_) => panic!("accepted: {rows}"),
        Err(error) => error.to_string(),
    };
    let module = |rows: &str| row(&format!("[[module]]\n{rows}"));
    let errors = [
        module("part = \"XYZ-1\"\nverdict = \"alowed\""),
        module("part = \"XYZ-1\"\nverdict = \"allowed\"\nmodel = [\"PA-850\"]"),
        module("part = \"XYZ-1\"\nverdict = \"allowed\"\nmodels = [\"PA-8500\"]"),
        module("part = \"XYZ-1\"\nverdict = \"allowed\"\nclasses = [\"pa-80\"]"),
        module("part = \"XYZ-1\"\nverdict = \"allowed\"\nreleases = [\"10.3+\"]"),
        module("part = \"XYZ-1\"\nverdict = \"allowed\"\nreleases = [\"10.2.x\"]"),
        module("part = \" \"\nverdict = \"allowed\""),
        module("part = \"*\"\nverdict = \"allowed\""),
        module("part = \"XYZ*1\"\nverdict = \"allowed\""),
        module("part = \"XYZ-1\"\nverdict = \"known-bad\""),
        module("part = \"XYZ-1\"\nverdict = \"allowed\"\neffect = \"None.\""),
        row(
            "[[module]]\npart = \"XYZ-1\"\nverdict = \"allowed\"\n\n[[module]]\npart = \"xyz-1\"\nverdict = \"allowed\"",
        ),
        row("[[media]]\nsays = \"\"\nmeans = \"empty\""),
        row("[[media]]\nsays = \"DAC\"\nmeans = \"allowed\""),
        row("[[media]]\nsays = \"DAC\"\nmeans = \"empty\"\n\n[[media]]\nsays = \"dac\"\nmeans = \"fixed\""),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    reading ours-1.toml, line 3, at `verdict`: unknown variant `alowed`, expected `allowed` or `known-bad`
    reading ours-1.toml, line 4, at `model`: unknown field `model`, expected one of `part`, `verdict`, `models`, `classes`, `releases`, `ports`, `effect`, `source`, `confidence`
    checking ours-1.toml, row at line 1, key `models`: there is no model PA-8500; the nearest is PA-500
    checking ours-1.toml, row at line 1, key `classes`: there is no class pa-80; the nearest is pa-800
    checking ours-1.toml, row at line 1, key `releases`: 10.3 has no [[train]] row
    reading ours-1.toml, line 4, at `releases`: "10.2.x" is not a PAN-OS version: the maintenance number is not a number (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)
    checking ours-1.toml, row at line 1, key `part`: a row without a part is about no module
    checking ours-1.toml, row at line 1, key `part`: * is too much of a guess: a beginning has 3 characters or more
    checking ours-1.toml, row at line 1, key `part`: the * of XYZ*1 may stand at its end, and nowhere else
    checking ours-1.toml, row at line 1, key `effect`: a part that is known to do harm needs words for the harm
    checking ours-1.toml, row at line 1, key `effect`: a part that is allowed has no effect to tell of
    checking ours-1.toml, row at line 6, key `part`: XYZ-1 for these models is given twice: the other is ours-1.toml, line 1
    checking ours-1.toml, row at line 1, key `says`: a port that says nothing says nothing
    reading ours-1.toml, line 3, at `means`: unknown variant `allowed`, expected `empty` or `fixed`
    checking ours-1.toml, row at line 6, key `says`: DAC is given twice: the other is ours-1.toml, line 1
    "#);
}

#[test]
fn a_port_may_say_more_than_the_shipped_list_knows() {
    let catalogue = overlaid(&["[[media]]\nsays = \"QSFP28-Empty\"\nmeans = \"empty\""]).unwrap();
    let seen = ModuleSeen {
        media: "qsfp28-empty",
        ..module(None, "")
    };
    let seat = catalogue.seat(None, None);
    assert_eq!(catalogue.modules().judge(&seen, &seat).class, OpticClass::Empty);
}
