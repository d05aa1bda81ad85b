//! Drawings as the planner makes them, written by hand: what a picture shows does not depend on how a path was found.

use crate::picture::{Column, Drawing, Finding, Mark, Refused, Runs, Said, Shown, Source, State, Step, Way};
use crate::route::BrokenRule;

/// Every feature release with the day its support ends.
const TRAINS: &[(&str, &str, &str)] = &[
    ("8.1", "2022-03-01", "769"),
    ("9.0", "2022-03-01", "8103"),
    ("9.1", "2024-06-30", "8332"),
    ("10.0", "2022-07-16", "8332"),
    ("10.1", "2024-12-01", "8408"),
    ("10.2", "2025-08-27", "8614"),
    ("11.0", "2024-11-17", "8635"),
    ("11.1", "2027-05-03", "8761"),
    ("11.2", "2027-05-02", "8902"),
    ("12.1", "2028-08-28", "9007"),
    ("12.2", "", "9007"),
];

pub(super) const TODAY: &str = "2026-03-01";

pub(super) fn columns(first: &str, last: &str) -> Vec<Column> {
    let place = |name| TRAINS.iter().position(|(train, ..)| *train == name).unwrap();
    let shown = TRAINS[place(first)..=place(last)].iter();
    shown
        .map(|(name, end, content)| Column {
            name: (*name).to_owned(),
            end_of_life: (!end.is_empty()).then(|| ((*end).to_owned(), *end < TODAY)),
            content: Some((*content).to_owned()),
            runs: Runs::All,
        })
        .collect()
}

/// A drawing through these releases and nothing else.
pub(super) fn through(model: &str, columns: Vec<Column>, stations: &[&str]) -> Drawing {
    let mut drawing = Drawing {
        model: model.to_owned(),
        from: stations[0].to_owned(),
        to: (*stations.last().unwrap()).to_owned(),
        today: TODAY.to_owned(),
        notes: Vec::new(),
        columns,
        releases: Vec::new(),
        chosen: Way::default(),
        alternatives: Vec::new(),
        refused: Vec::new(),
        advisories: Vec::new(),
        sources: Vec::new(),
    };
    drawing.chosen = way(&mut drawing, "", stations);
    drawing
}

/// The index of a release, which is added where it is not there yet.
pub(super) fn release(drawing: &mut Drawing, name: &str) -> usize {
    if let Some(index) = drawing.releases.iter().position(|release| release.name == name) {
        return index;
    }
    let train = &name[..name.rfind('.').unwrap()];
    let column = drawing
        .columns
        .iter()
        .position(|column| column.name == train)
        .unwrap();
    drawing.releases.push(Shown {
        name: name.to_owned(),
        column,
        marks: Vec::new(),
    });
    drawing.releases.len() - 1
}

pub(super) fn way(drawing: &mut Drawing, label: &str, stations: &[&str]) -> Way {
    let steps = stations.windows(2).map(|pair| step(pair[0], pair[1])).collect();
    Way {
        label: label.to_owned(),
        stations: stations.iter().map(|name| release(drawing, name)).collect(),
        steps,
    }
}

fn train(version: &str) -> &str {
    &version[..version.rfind('.').unwrap()]
}

fn step(from: &str, to: &str) -> Step {
    let base = format!("{}.0", train(to));
    let within = train(from) == train(to);
    let mut images = Vec::new();
    if !within && base != to {
        images.push(format!("{base} (base)"));
    }
    images.push(to.to_owned());
    Step {
        kind: if within {
            "maintenance release"
        } else {
            "feature release"
        }
        .to_owned(),
        expected_min: 28,
        worst_min: 65,
        images,
        disk: Some("1683 MB of free disk".to_owned()),
        content: (!within).then(|| "8614 or newer".to_owned()),
        gates: vec![said(
            "the configuration commits without errors",
            "PAN-OS 11.1 upgrade guide, PAN-OS Upgrade Checklist",
        )],
        open_questions: 0,
        way_back: format!("the other partition, to {from}"),
        lost: "changes made since".to_owned(),
        ha_rule: "both peers before the next hop; 1 feature release apart in between".to_owned(),
        configuration: None,
        broken: Vec::new(),
    }
}

pub(super) fn said(text: &str, source: &str) -> Said {
    Said {
        text: text.to_owned(),
        source: source.to_owned(),
    }
}

pub(super) fn refuse(drawing: &mut Drawing, from: &str, to: &str, rule: &str, text: &str) {
    let refused = Refused {
        from: release(drawing, from),
        to: release(drawing, to),
        reasons: vec![broken(rule, text, TABLE)],
    };
    drawing.refused.push(refused);
}

const TABLE: &str = "PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)";

fn broken(rule: &str, text: &str, source: &str) -> BrokenRule {
    BrokenRule {
        rule: rule.to_owned(),
        text: text.to_owned(),
        source: source.to_owned(),
    }
}

fn mark(drawing: &mut Drawing, at: &str, id: &str, state: State, title: &str) {
    let release = release(drawing, at);
    drawing.releases[release].marks.push(Mark {
        id: id.to_owned(),
        title: title.to_owned(),
        state,
    });
}

fn source(what: &str, source: &str, confidence: &str) -> Source {
    Source {
        what: what.to_owned(),
        source: source.to_owned(),
        confidence: confidence.to_owned(),
    }
}

/// Four hops as the vendor wants them, with two alternatives and three refusals.
pub(super) fn vendor() -> Drawing {
    let stations = ["9.1.12-h3", "9.1.19", "10.0.12", "10.1.14", "11.1.6"];
    let mut drawing = through("PA-850", columns("9.1", "11.2"), &stations);
    drawing.columns.last_mut().unwrap().runs = Runs::No;
    let gentle = way(
        &mut drawing,
        "least risk",
        &[
            "9.1.12-h3",
            "9.1.19",
            "10.0.12",
            "10.1.14",
            "10.2.10-h39",
            "11.1.6",
        ],
    );
    let fixed = way(
        &mut drawing,
        "leaves 10.1 on a release with the fix",
        &["9.1.12-h3", "9.1.19", "10.0.12", "10.1.14-h20", "11.1.6"],
    );
    drawing.alternatives = vec![gentle, fixed];
    refuse(
        &mut drawing,
        "9.1.19",
        "10.1.14",
        "feature-release-skipped",
        "9.1.19 to 10.1.14 skips feature release 10.0; below 10.1 the vendor allows one feature release at a time",
    );
    refuse(
        &mut drawing,
        "9.1.12-h3",
        "10.0.12",
        "left-before-preferred-release",
        "9.1.12-h3 is left before the latest preferred release of 9.1 (9.1.19)",
    );
    refuse(
        &mut drawing,
        "10.0.12",
        "11.1.6",
        "feature-release-skipped",
        "10.0.12 to 11.1.6 skips feature releases 10.1, 10.2, 11.0",
    );
    drawing.sources = vec![
        source(
            "9.1 leads to 10.0",
            "PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)",
            "high",
        ),
        source("minutes of a PA-800", "Estimate around field durations", "low"),
    ];
    drawing
}

/// Bases installed on the way, as an operator pinned it.
pub(super) fn off_vendor() -> Drawing {
    let mut drawing = through(
        "PA-850",
        columns("9.1", "10.2"),
        &["9.1.12", "10.1.0", "10.2.0", "10.2.4-h4"],
    );
    drawing.chosen.steps[0].broken = vec![
        broken(
            "feature-release-skipped",
            "9.1.12 to 10.1.0 skips feature release 10.0; below 10.1 the vendor allows one feature release at a time",
            TABLE,
        ),
        broken(
            "ha-peers-too-far-apart",
            "between 9.1.12 and 10.1.0 HA peers are 2 feature releases apart; from two on, the peer on the older release suspends itself (\"Peer version too old\")",
            "PAN-OS 11.1 upgrade guide, Upgrade an HA Firewall Pair (2026-07-30)",
        ),
    ];
    drawing.chosen.steps[1].broken = vec![broken(
        "base-image-installed",
        "10.2.0 is a base image and not the target (10.2.4-h4); the vendor wants base images downloaded, not installed",
        TABLE,
    )];
    drawing.alternatives = vec![way(
        &mut drawing.clone(),
        "the vendor's own",
        &["9.1.12", "10.1.0", "10.2.4-h4"],
    )];
    drawing
}

/// Releases with advisories of every state, and notes.
pub(super) fn exposed() -> Drawing {
    let mut drawing = through(
        "PA-850",
        columns("10.1", "11.1"),
        &["10.1.5", "10.1.14", "10.2.4-h4", "11.1.6"],
    );
    let optics = "Unsupported optics in ports 5 to 8 reboot a PA-800";
    mark(&mut drawing, "10.2.4-h4", "PAN-221190", State::Blocks, optics);
    mark(
        &mut drawing,
        "10.2.4-h4",
        "PAN-273453",
        State::Warns,
        "Certificates of a chain are lost",
    );
    mark(
        &mut drawing,
        "10.2.4-h4",
        "PAN-215436",
        State::Warns,
        "Traffic stops after a commit",
    );
    mark(
        &mut drawing,
        "10.2.4-h4",
        "PAN-198372",
        State::Unknown,
        "Memory of the management plane runs out",
    );
    for (id, state) in [
        ("PAN-300001", State::Suspect),
        ("PAN-300002", State::Accepted),
        ("PAN-300003", State::Clear),
        ("PAN-300004", State::Clear),
    ] {
        mark(&mut drawing, "11.1.6", id, state, "A defect of the release");
    }
    mark(
        &mut drawing,
        "10.1.14",
        "PAN-198372",
        State::Unknown,
        "Memory of the management plane runs out",
    );
    mark(
        &mut drawing,
        "10.1.5",
        "PAN-198372",
        State::Unknown,
        "Memory of the management plane runs out",
    );
    drawing.chosen.steps[1].open_questions = 2;
    drawing.notes = vec![
        "2 advisories hold open questions: they become gates of the hops, and a device whose facts are known is told at once."
            .to_owned(),
    ];
    drawing.advisories = findings(optics);
    refuse(
        &mut drawing,
        "10.1.5",
        "10.2.4-h4",
        "advisory-exposed",
        "PAN-221190 hits this device at 10.2.4-h4",
    );
    drawing
}

fn findings(optics: &str) -> Vec<Finding> {
    vec![
        Finding {
            id: "PAN-198372".to_owned(),
            title: "Memory of the management plane runs out".to_owned(),
            effect: "The management plane restarts.".to_owned(),
            state: State::Unknown,
            severity: "warn".to_owned(),
            places: vec!["10.1.14".to_owned(), "10.2.4-h4".to_owned()],
            found: vec![
                "memory-mb: not read from a device".to_owned(),
                "ha: not read".to_owned(),
            ],
            action: "Read the device's facts.".to_owned(),
            source: "PAN-OS 10.2.7 release notes, addressed issues".to_owned(),
            confidence: "high".to_owned(),
        },
        Finding {
            id: "PAN-221190".to_owned(),
            title: optics.to_owned(),
            effect: "The firewall reboots again and again (I2C errors).".to_owned(),
            state: State::Blocks,
            severity: "block".to_owned(),
            places: vec!["10.2.4-h4".to_owned()],
            found: vec!["ethernet1/5 holds a known-bad optic (PAN-SFP-SX)".to_owned()],
            action: "Replace the optics before the hop, or choose a release with the fix.".to_owned(),
            source: "PAN-OS 10.2.7 release notes, addressed issues".to_owned(),
            confidence: "high".to_owned(),
        },
    ]
}

/// From right to left, through the release that older ones are reached from.
pub(super) fn downgrade() -> Drawing {
    let mut drawing = through(
        "PA-440",
        columns("9.1", "11.1"),
        &["11.1.6", "10.1.14", "10.1.3", "10.0.12"],
    );
    for step in &mut drawing.chosen.steps {
        step.kind = "downgrade".to_owned();
        step.content = None;
        step.configuration = Some("load autosave-10.1.14 with it".to_owned());
    }
    refuse(
        &mut drawing,
        "11.1.6",
        "10.0.12",
        "downgrade-through-10-1-3",
        "from 10.2 or later to a release older than 10.1 the device has to run 10.1.3 or later in between",
    );
    drawing
}

/// Every feature release there is, with the longest names there are and more refusals than a picture has room for.
pub(super) fn eleven() -> Drawing {
    let stations = [
        "8.1.26-h10",
        "8.1.26-h11",
        "9.0.17-h15",
        "9.1.19-h16",
        "10.0.12-h28",
        "10.1.14-h11",
        "11.1.10-h24",
        "12.1.4-h12",
        "12.2.2-h10",
    ];
    let mut drawing = through("PA-5450", columns("8.1", "12.2"), &stations);
    let long = [
        "8.1.26-h10",
        "8.1.26-h11",
        "9.0.17-h15",
        "9.1.19-h16",
        "10.0.12-h28",
        "10.1.14-h11",
        "10.2.10-h39",
        "11.1.10-h24",
        "11.2.10-h12",
        "12.1.4-h12",
        "12.2.2-h10",
    ];
    drawing.alternatives = vec![way(&mut drawing, "least risk", &long)];
    for step in &mut drawing.chosen.steps {
        (step.expected_min, step.worst_min) = (115, 240);
    }
    drawing.columns[6].runs = Runs::No;
    drawing.columns[9].runs = Runs::From("12.1.4-h2".to_owned());
    for index in 0..12 {
        let id = format!("PAN-2{index:05}");
        mark(
            &mut drawing,
            "11.1.10-h24",
            &id,
            State::Clear,
            "Fixed before this release",
        );
    }
    mark(&mut drawing, "10.1.14-h11", "PAN-221190", State::Blocks, "Optics");
    mark(
        &mut drawing,
        "10.1.14-h11",
        "PAN-221191",
        State::Unknown,
        "Memory",
    );
    mark(&mut drawing, "10.1.14-h11", "PAN-221192", State::Suspect, "Disk");
    for (index, from) in stations.iter().enumerate() {
        for to in stations.iter().skip(index + 2) {
            refuse(
                &mut drawing,
                from,
                to,
                "feature-release-out-of-reach",
                &format!("{from} to {to} goes further than the vendor's table"),
            );
        }
    }
    drawing
}

/// A model that does not run the target.
pub(super) fn none() -> Drawing {
    let mut drawing = through("PA-3220", columns("10.1", "12.1"), &["10.1.14", "12.1.2"]);
    drawing.chosen = Way::default();
    for column in &mut drawing.columns[4..] {
        column.runs = Runs::No;
    }
    drawing.notes = vec![
        "PA-3220 does not run 12.1.2: it runs 10.1, 10.2, 11.0, 11.1 (source: compatibility matrix, Supported OS Releases by Model)"
            .to_owned(),
        "11.1.6 is the newest release this model runs".to_owned(),
    ];
    refuse(
        &mut drawing,
        "10.1.14",
        "12.1.2",
        "feature-release-out-of-reach",
        "10.1.14 to 12.1.2 goes further than the vendor's table: 10.1 may be upgraded directly up to 11.1",
    );
    drawing
}

pub(super) fn all() -> Vec<(&'static str, Drawing)> {
    vec![
        ("vendor", vendor()),
        ("off_vendor", off_vendor()),
        ("exposed", exposed()),
        ("downgrade", downgrade()),
        ("eleven", eleven()),
        ("none", none()),
    ]
}
