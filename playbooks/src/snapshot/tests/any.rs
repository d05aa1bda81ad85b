//! What holds of any two readings, whatever is in them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::shape::Shape;

/// Values of which many are alike, so that keys meet.
fn cell() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop::sample::select(vec![json!("a"), json!("b"), json!("active"), json!("0.0.0.0/0"), json!("up")]),
        2 => prop::sample::select(vec![json!(0), json!(1), json!(99), json!(u64::MAX), json!(-3), json!(0.5)]),
        1 => prop::sample::select(vec![json!(null), json!(true), json!(false), json!(["x", "y"]), json!({"x": 1})]),
        1 => "\\PC{0,6}".prop_map(Value::from),
    ]
}

/// Rows as they might be stored by anybody: fields missing, rows too short or too long.
fn rows(fields: Vec<String>) -> impl Strategy<Value = Rows> {
    let all = fields.len();
    let kept = prop_oneof![9 => Just(all), 1 => 0..=all];
    let rows = prop::collection::vec(
        prop::collection::vec(cell(), all.saturating_sub(1)..=all + 1),
        0..8,
    );
    (kept, rows).prop_map(move |(kept, rows)| Rows {
        fields: fields[..kept].to_vec(),
        rows,
    })
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let areas: Vec<_> = Rules::builtin()
        .areas
        .iter()
        .map(|area| {
            let known = rows(area.kept()).prop_map(Fact::Known);
            let unknown = Just(Fact::Unknown("no answer".to_owned()));
            (
                Just(area.name.clone()),
                prop_oneof![9 => known.boxed(), 1 => unknown.boxed()],
            )
        })
        .collect();
    let role = prop::option::of(prop::sample::select(vec!["active", "passive", "suspended"]));
    (areas, role).prop_map(|(areas, role)| Snapshot {
        device: "fw1".to_owned(),
        serial: None,
        version: None,
        role: role.map(str::to_owned),
        read_at: Timestamp::UNIX_EPOCH,
        areas: areas.into_iter().collect(),
    })
}

/// A value of this shape. Texts that have to mean something often do.
fn of_shape(shape: &Shape) -> BoxedStrategy<Value> {
    let text =
        || prop::sample::select(vec!["10.1.14", "10.2.4-h4", "up", "", "2026-01-01"]).prop_map(Value::from);
    match shape {
        Shape::Any | Shape::Nothing => Just(Value::Null).boxed(),
        Shape::Text => text().boxed(),
        Shape::Words(words) => prop::sample::select(words.to_vec()).prop_map(Value::from).boxed(),
        Shape::Number => prop_oneof![0_u64..3, 0_u64..250].prop_map(Value::from).boxed(),
        Shape::YesNo => any::<bool>().prop_map(Value::from).boxed(),
        Shape::Optional(inner) => prop_oneof![Just(Value::Null), of_shape(inner)].boxed(),
        Shape::List(of) => prop::collection::vec(of_shape(of), 0..4)
            .prop_map(Value::from)
            .boxed(),
        Shape::Map(of) => prop::collection::btree_map("[a-c]", of_shape(of), 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
            .boxed(),
        Shape::Record(fields) => fields
            .iter()
            .map(|(name, shape)| (Just(name.clone()), of_shape(shape)))
            .collect::<Vec<_>>()
            .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>()))
            .boxed(),
    }
}

/// Facts in which anything is known that their types can hold.
fn any_facts() -> impl Strategy<Value = Facts> {
    let areas: Vec<_> = FactArea::ALL
        .into_iter()
        .map(|area| of_shape(&Shape::of_area(area)))
        .collect();
    areas.prop_map(|values| {
        let mut stored = serde_json::to_value(facts(|_| {})).unwrap();
        for (area, value) in FactArea::ALL.into_iter().zip(values) {
            let unknown = stored[area.name()].take();
            stored[area.name()] = json!({"known": value});
            if serde_json::from_value::<Facts>(stored.clone()).is_err() {
                stored[area.name()] = unknown;
            }
        }
        serde_json::from_value(stored).unwrap()
    })
}

/// The keys of what is missing and of what is new, by area.
fn came_and_went(difference: &Difference) -> BTreeMap<&str, [Vec<String>; 2]> {
    let area = |area: &'_ AreaDifference| {
        [Happened::Missing, Happened::Added].map(|happened| {
            let happened = area.changes.iter().filter(|change| change.happened == happened);
            let mut keys: Vec<String> = happened.map(|change| format!("{:?}", change.key)).collect();
            keys.sort();
            keys
        })
    };
    difference
        .areas
        .iter()
        .map(|one| (one.area.as_str(), area(one)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_reading_differs_in_nothing_from_itself(one in snapshot(), planned in any::<bool>()) {
        let hop = planned.then(|| hop("10.1.14", "10.2.4"));
        let difference = compare(&one, &one, Rules::builtin(), hop.as_ref());
        prop_assert_eq!(told(&difference), "");
    }

    #[test]
    fn what_is_missing_one_way_is_new_the_other_way(one in snapshot(), other in snapshot()) {
        let forth = compare(&one, &other, Rules::builtin(), None);
        let back = compare(&other, &one, Rules::builtin(), None);
        for (area, [missing, added]) in came_and_went(&forth) {
            prop_assert_eq!(&[added, missing], &came_and_went(&back)[area], "{}", area);
        }
    }

    #[test]
    fn nothing_that_was_listed_is_lost(one in snapshot(), other in snapshot()) {
        let difference = compare(&one, &other, Rules::builtin(), None);
        for area in &difference.areas {
            let Compared::Things { before, after } = area.compared else { continue };
            let [missing, added] = &came_and_went(&difference)[area.area.as_str()];
            prop_assert_eq!(before - missing.len(), after - added.len(), "{}", area.area);
        }
    }

    #[test]
    fn the_order_of_a_list_means_nothing(one in snapshot(), other in snapshot()) {
        let mut turned = other.clone();
        for rows in turned.areas.values_mut() {
            if let Fact::Known(rows) = rows {
                rows.rows.reverse();
            }
        }
        let straight = compare(&one, &other, Rules::builtin(), None);
        prop_assert_eq!(straight, compare(&one, &turned, Rules::builtin(), None));
    }

    #[test]
    fn a_field_that_is_ignored_makes_no_difference(facts in any_facts(), seconds in any::<u64>()) {
        let mut later = facts.clone();
        if let Fact::Known(routes) = &mut later.routes {
            routes.iter_mut().for_each(|route| route.age = Some(seconds));
        }
        if let Fact::Known(peers) = &mut later.bgp_peers {
            peers.iter_mut().for_each(|peer| peer.status_seconds = Some(seconds));
        }
        if let Fact::Known(tunnels) = &mut later.ipsec_tunnels {
            tunnels.iter_mut().for_each(|tunnel| tunnel.id = Some(seconds));
        }
        if let Fact::Known(neighbours) = &mut later.arp {
            neighbours.iter_mut().for_each(|neighbour| neighbour.ttl = Some(seconds));
        }
        prop_assert_eq!(told(&compared(&facts, &later, None)), "");
    }

    #[test]
    fn any_facts_can_be_compared_stored_and_told(before in any_facts(), after in any_facts()) {
        let difference = compared(&before, &after, Some(&hop("10.1.14", "10.2.4")));
        prop_assert!(difference.findings().len() >= difference.areas.len());
        let stored = serde_json::to_string(&difference).unwrap();
        prop_assert_eq!(serde_json::from_str::<Difference>(&stored).unwrap(), difference);
        let snapshot = Snapshot::of(&before);
        let stored = serde_json::to_string(&snapshot).unwrap();
        prop_assert_eq!(serde_json::from_str::<Snapshot>(&stored).unwrap(), snapshot);
    }

    #[test]
    fn rules_of_any_text_are_read_or_refused(text in "(areas:\n)?(- area: [a-z_.]{1,12}\n)?(  [a-z]{3,7}: [\\PC]{0,12}\n){0,3}") {
        if let Err(wrong) = Rules::read("own.yaml", &text) {
            prop_assert!(!wrong.is_empty());
        }
    }
}
