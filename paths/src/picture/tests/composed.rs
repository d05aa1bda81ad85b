//! Answers of the graph as drawings, with the shipped catalogue.

use std::collections::BTreeSet;

use super::measured::meetings;
use super::read::elements;
use crate::picture::{Drawing, Runs, State, Subject};
use crate::{Catalogue, Graph, Request, Target, Version};

const TODAY: &str = "2026-03-01";

fn asked(model: &str, request: &Request<'_>) -> Drawing {
    let catalogue = Catalogue::embedded().unwrap();
    let graph = Graph::new(catalogue, model).unwrap();
    let outcome = graph.plan(request);
    let explanation = graph.explain(request);
    Drawing::of(&Subject {
        catalogue,
        model,
        from: request.from,
        to: request.to,
        outcome: outcome.as_ref(),
        alternatives: &graph.alternatives(request, 3).unwrap_or_default(),
        edges: &graph.edges(request).unwrap_or_default(),
        instead: &explanation.instead,
        today: TODAY,
    })
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

#[test]
fn a_path_becomes_its_stations_and_what_was_refused_between_them() {
    let drawing = asked("PA-850", &Request::new(version("9.1.12-h3"), target("11.1.6")));
    assert_eq!(drawing.title(), "PA-850: 9.1.12-h3 to 11.1.6");
    let names: Vec<_> = drawing
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["9.1", "10.0", "10.1", "10.2", "11.0", "11.1"]);
    assert_eq!(
        drawing.columns[0].end_of_life,
        Some(("2024-06-30".to_owned(), true))
    );
    assert_eq!(
        drawing.columns[5].end_of_life,
        Some(("2027-05-03".to_owned(), false))
    );

    let stations = &drawing.chosen.stations;
    assert_eq!(drawing.name(stations[0]), "9.1.12-h3");
    assert_eq!(drawing.name(*stations.last().unwrap()), "11.1.6");
    assert_eq!(drawing.chosen.steps.len() + 1, stations.len());
    assert!(drawing.alternatives.iter().all(|way| way.stations != *stations));

    let direct = &drawing.refused[0];
    assert_eq!(
        (drawing.name(direct.from), drawing.name(direct.to)),
        ("9.1.12-h3", "11.1.6")
    );
    assert!(
        direct
            .reasons
            .iter()
            .any(|reason| reason.rule == "feature-release-skipped")
    );
    nothing_taken_is_refused(&drawing);
}

fn nothing_taken_is_refused(drawing: &Drawing) {
    let taken: BTreeSet<_> = drawing.chosen.legs().map(|(from, to, _)| (from, to)).collect();
    for refused in &drawing.refused {
        assert!(!taken.contains(&(refused.from, refused.to)), "{refused:?}");
    }
}

#[test]
fn nothing_overlaps_in_the_longest_paths_there_are() {
    for (model, from, to) in [
        ("PA-5220", "8.1.5", "11.2"),
        ("PA-5450", "10.1.6", "12.1"),
        ("PA-850", "9.1.12-h3", "11.1.6"),
    ] {
        let drawing = asked(model, &Request::new(version(from), target(to)));
        assert!(!drawing.chosen.steps.is_empty(), "{model}");
        let found = meetings(&drawing);
        assert!(found.is_empty(), "{model}:\n{}", found.join("\n"));
    }
}

#[test]
fn without_facts_advisories_are_open_questions_and_no_gates_of_their_own() {
    let drawing = asked("PA-850", &Request::new(version("10.1.14"), target("10.2.4-h4")));
    let open = |state: State| drawing.advisories.iter().any(|finding| finding.state == state);
    assert!(open(State::Unknown), "{:?}", drawing.advisories);
    assert!(
        drawing
            .notes
            .iter()
            .any(|note| note.contains("facts that were not read"))
    );
    let step = drawing.chosen.steps.last().unwrap();
    assert!(step.open_questions > 0);
    let ids: Vec<_> = drawing.advisories.iter().map(|finding| &finding.title).collect();
    assert!(
        step.gates
            .iter()
            .all(|gate| ids.iter().all(|title| !gate.text.starts_with(*title))),
        "{:?}",
        step.gates
    );
    let marked = &drawing.releases[*drawing.chosen.stations.last().unwrap()];
    assert!(!marked.marks.is_empty());
}

#[test]
fn a_pinned_path_shows_the_rules_it_breaks() {
    let via = [version("10.1.0"), version("10.2.0")];
    let request = Request {
        via: &via,
        ..Request::new(version("9.1.12"), target("10.2.4-h4"))
    };
    let drawing = asked("PA-850", &request);
    assert!(drawing.chosen.is_off_vendor());
    let rules: Vec<_> = drawing.chosen.steps[0]
        .broken
        .iter()
        .map(|broken| broken.rule.as_str())
        .collect();
    assert!(rules.contains(&"feature-release-skipped"), "{rules:?}");
    assert!(drawing.to_html().contains("Off-vendor: this path was pinned"));
    nothing_taken_is_refused(&drawing);
}

#[test]
fn no_path_says_why_and_shows_what_the_model_does_not_run() {
    let drawing = asked("PA-3220", &Request::new(version("10.1.14"), target("12.1.2")));
    assert_eq!(drawing.summary(), "No path");
    assert!(
        drawing.notes[0].starts_with("PA-3220 does not run 12.1.2"),
        "{:?}",
        drawing.notes
    );
    let last = drawing.columns.last().unwrap();
    assert_eq!((last.name.as_str(), &last.runs), ("12.1", &Runs::No));
    assert!(!elements(&drawing.to_svg()).is_empty());
    assert!(!drawing.to_mermaid().contains("==>"));
}

#[test]
fn a_downgrade_runs_from_right_to_left() {
    let request = Request {
        allow_downgrade: true,
        ..Request::new(version("11.1.11"), target("10.1.14"))
    };
    let drawing = asked("PA-440", &request);
    let stations = &drawing.chosen.stations;
    assert!(stations.windows(2).all(|pair| pair[0] > pair[1]), "{stations:?}");
    assert!(
        drawing
            .chosen
            .steps
            .iter()
            .all(|step| step.kind.ends_with("downgrade"))
    );
}

#[test]
fn a_release_of_a_feature_release_nobody_knows_has_a_column_all_the_same() {
    let drawing = asked("PA-850", &Request::new(version("10.1.14"), target("13.0.1")));
    let last = drawing.columns.last().unwrap();
    assert_eq!((last.name.as_str(), &last.runs), ("13.0", &Runs::No));
    assert!(drawing.releases.iter().any(|release| release.name == "13.0.1"));
}
