//! The vendor's table of direct upgrades, row by row: every pair of feature releases, on models that run all of them.

use super::*;

/// Each row of the table "Determine the Upgrade Path", whole: what a feature release may be upgraded to directly.
const TABLE: &[(&str, &[&str])] = &[
    ("8.1", &["9.0"]),
    ("9.0", &["9.1"]),
    ("9.1", &["10.0"]),
    ("10.0", &["10.1"]),
    ("10.1", &["10.2", "11.0", "11.1"]),
    ("10.2", &["11.0", "11.1", "11.2"]),
    ("11.0", &["11.1", "11.2", "12.1"]),
    ("11.1", &["11.2", "12.1"]),
    ("11.2", &["12.1"]),
    ("12.1", &["12.2"]),
    ("12.2", &[]),
];

/// What the vendor's Ansible module allows beyond it.
const ANSIBLE: &[(&str, &str)] = &[("10.1", "11.2"), ("10.2", "12.1")];

fn trains() -> impl Iterator<Item = Train> {
    TABLE.iter().map(|(train, _)| train.parse().unwrap())
}

/// A release of the train from which nothing has to be done first, and which is no base image.
fn late(train: Train) -> Version {
    Version::of(train, 99)
}

fn is_direct(graph: &Graph<'_>, request: &Request<'_>) -> bool {
    let question = Question::of(graph, request).unwrap();
    question.step(request.from, question.to).is_some()
}

#[test]
fn every_pair_of_feature_releases_is_direct_exactly_where_the_table_says_so() {
    // PA-VM runs every feature release; the base image of 12.2 is the device's to name.
    let graph = graph("PA-VM").with_base(version("12.2.0"));
    for (from, reach) in TABLE {
        for to in trains() {
            let from = from.parse::<Train>().unwrap();
            if from >= to {
                continue;
            }
            let listed = reach.contains(&to.to_string().as_str());
            let request = Request::new(late(from), late(to));
            assert_eq!(is_direct(&graph, &request), listed, "{from} -> {to}");
            let pinned = graph.route(late(from), late(to), &[late(to)]).unwrap();
            assert_eq!(pinned.is_off_vendor(), !listed, "{from} -> {to}, pinned");
            assert!(
                graph.route(late(from), late(to), &[]).is_ok(),
                "{from} -> {to} has a way"
            );
        }
    }
}

#[test]
fn the_wider_reach_is_off_unless_asked_for_by_its_name() {
    let graph = graph("PA-VM").with_base(version("12.2.0"));
    let mut wider = Vec::new();
    for from in trains() {
        for to in trains().filter(|to| *to > from) {
            let plain = Request::new(late(from), late(to));
            let asked = Request {
                wider_reach: Some("ansible"),
                ..plain
            };
            match (is_direct(&graph, &plain), is_direct(&graph, &asked)) {
                (false, true) => wider.push((from.to_string(), to.to_string())),
                (plain, asked) => assert_eq!(plain, asked, "{from} -> {to}"),
            }
        }
    }
    let wider: Vec<_> = wider
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str()))
        .collect();
    assert_eq!(wider, ANSIBLE);
    let unknown = Request {
        wider_reach: Some("anisble"),
        ..Request::new(version("10.1.3"), version("11.2.8"))
    };
    insta::assert_snapshot!(graph.plan(&unknown).unwrap_err(), @r#"the release catalogue has no wider reach "anisble" (known: ansible)"#);
}

#[test]
fn with_the_wider_reach_a_path_is_shorter_and_says_what_it_rests_on() {
    let graph = graph("PA-440");
    let plain = Request::new(version("10.2.10"), version("12.1.5"));
    let wider = Request {
        wider_reach: Some("ansible"),
        ..plain
    };
    assert_eq!(graph.plan(&plain).unwrap().route.hops.len(), 2);
    let plan = graph.plan(&wider).unwrap();
    assert_eq!(plan.route.hops.len(), 1);
    assert_eq!(plan.route.hops[0].kind, HopKind::Feature);
    let first = &plan.hops[0].sources[0];
    insta::assert_snapshot!(format!("{}: {} ({:?})", first.what, first.sourced.source, first.sourced.confidence), @"10.2 may be upgraded directly to 12.1: pan-os-ansible panos_software.py, check of the upgrade sequence (Medium)");
    assert!(plan.hops[0].gates.iter().any(|gate| &*gate.id == "ha-gap"));
    // The vendor's own path keeps to the table, whatever else is allowed.
    let vendor = Request {
        prefer: Preference::Vendor,
        ..wider
    };
    assert!(graph.plan(&vendor).unwrap().route.hops.len() > 1);
}
