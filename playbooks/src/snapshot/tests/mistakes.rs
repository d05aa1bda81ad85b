//! Rules of an operator's own: laid over the built-in ones, and every mistake in them told with its place.

use super::*;

fn wrong(text: &str) -> String {
    let wrong = Rules::read("own.yaml", text).unwrap_err();
    wrong
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_mistake_is_told_with_its_place_and_the_nearest_name() {
    let text = "\
areas:
- area: bgp_peer
- area: bgp_peers.prefix
- area: bgp_peers.status
- area: pending_changes.value
- area: routes
  key: [virtual_router, nexthop]
  ignore: [ages]
  thing: route {dest} of {virtual_router}
  fields:
  - {field: metrics, changed: look}
  - {field: destination, falls: {look: 5 %}}
  - {field: metric, falls: {look: many}, worse: stop}
  fewer: {stop: 5 percent}
- area: certificates
  only:
  - {field: expired, is: [no-idea]}
  - {field: authority}
  some:
  - {field: name, is: [a]}
  - {field: name, is: [a], added: stop, unless_left: [places]}
  fields:
  - {field: expired, due: not_after}
- area: optics
  fields:
  - {field: class, good: [good]}
- area: jobs
- area: routes
- area: ntp
  title: ''
  thing: the clock [of
";
    insta::assert_snapshot!(wrong(text), @r#"
    reading rules own.yaml, line 2, column 9: unknown area `bgp_peer`; the nearest is `bgp_peers`
    reading rules own.yaml, line 3, column 9: unknown area `prefix`; the nearest is `prefixes`
    reading rules own.yaml, line 4, column 9: unknown area `status`; the nearest is `prefixes`
    reading rules own.yaml, line 5, column 9: unknown area `pending_changes.value`
    checking rules own.yaml, line 17, column 27: `expired` is true or false or null, never "no-idea"
    checking rules own.yaml, line 18, column 13: a condition says what the field `is`, or what it `is_not`
    checking rules own.yaml, line 20, column 13: it says neither what `missing` nor what `added` or `worse` means
    checking rules own.yaml, line 21, column 13: `unless_left` is about what is `missing`
    reading rules own.yaml, line 21, column 55: unknown field `places`; the nearest is `place`
    checking rules own.yaml, line 23, column 27: `due` needs to know what is `good` until then
    checking rules own.yaml, line 26, column 27: `class` is one of empty, fixed, allowed, known_bad, unknown_vendor, unreadable, never "good"
    checking rules own.yaml, line 27, column 9: area jobs has no `thing`
    checking rules own.yaml, line 27, column 9: area jobs has no `title`
    checking rules own.yaml, line 28, column 9: area routes stands at line 6 already
    checking rules own.yaml, line 29, column 9: area ntp has no `title`
    checking rules own.yaml, line 31, column 10: `[` before `of` is never closed
    "#);
}

#[test]
fn what_is_no_rules_at_all_has_one_mistake() {
    let texts = [
        "areas: [",
        "area: routes\n",
        "areas:\n- {area: routes, missing: bad}\n",
        "areas:\n- {area: routes, unknown: stop}\n",
        "areas:\n- {area: routes, fields: [{field: metric, hop: climbs}]}\n",
        "areas: 7\n",
        "areas:\n- title: Routes\n",
    ];
    insta::assert_snapshot!(texts.map(wrong).join("\n"), @r"
    reading rules own.yaml, line 1, column 8: unclosed bracket '['
    reading rules own.yaml, line 1, column 1: unknown key `area`; the nearest is `areas`
    reading rules own.yaml, line 2, column 27: unknown value `bad`; the nearest is `look`
    reading rules own.yaml, line 2, column 27: unknown value `stop`; the nearest is `info`
    reading rules own.yaml, line 2, column 48: unknown value `climbs`; the nearest is `rises`
    reading rules own.yaml, line 1, column 8: a list is expected here: `[one, two]`, or lines that begin with a dash
    reading rules own.yaml, line 2, column 3: missing field `area`
    ");
}

#[test]
fn an_operators_rules_differ_only_in_what_they_name() {
    let before = facts(|facts| {
        facts.routes = routes(100);
        facts.bgp_peers = Fact::Known(vec![with_prefixes("a", 100)]);
        facts.jobs = Fact::Known(Vec::new());
    });
    let after = facts(|facts| {
        facts.routes = routes(40);
        facts.bgp_peers = Fact::Known(vec![with_prefixes("a", 80)]);
        let job = crate::facts::Job {
            id: Some(1),
            kind: "AutoCom".to_owned(),
            status: "FIN".to_owned(),
            result: "FAIL".to_owned(),
            progress: None,
            details: Vec::new(),
        };
        facts.jobs = Fact::Known(vec![job]);
    });
    let under = |text: &str| {
        let rules = Rules::read("own.yaml", text).unwrap();
        let [before, after] = [&before, &after].map(|facts| Snapshot::under(facts, &rules));
        let mut difference = compare(&before, &after, &rules, None);
        for area in &mut difference.areas {
            // Sixty routes are gone each for itself, too.
            area.changes.retain(|change| !change.thing.starts_with("route "));
        }
        told(&difference)
    };
    insta::assert_snapshot!(under(""), @r"
    stop: Routes: 100 -> 40 (-60 %), more than 50 % or 20 % and 100
    look: bgpAfiIpv4-unicast of BGP peer a of default: prefixes accepted 100 -> 80 (-20 %)
    ");
    let own = "
areas:
- area: routes
  fewer: {look: 50, stop: 90 %}
- area: bgp_peers.prefixes
  fields:
  - {field: accepted, called: prefixes taken, falls: {stop: 15 %}}
- area: jobs
  title: Jobs
  thing: job {kind}
  key: [kind, id]
  state: result
  added: look
";
    insta::assert_snapshot!(under(own), @r"
    look: Routes: 100 -> 40 (-60 %), more than 50
    stop: bgpAfiIpv4-unicast of BGP peer a of default: prefixes taken 100 -> 80 (-20 %)
    look: job AutoCom: new (FAIL)
    ");
    assert_eq!(
        under(
            "not_compared:\n- {area: routes, because: they flap}\n- {area: bgp_peers.prefixes, because: no}\n"
        ),
        ""
    );
}

#[test]
fn an_area_that_is_not_compared_is_not_read() {
    let all = Rules::builtin().areas();
    assert!(all.contains(&FactArea::Routes) && all.contains(&FactArea::System));
    let own = "not_compared:\n- {area: routes, because: they flap}\n- {area: system, because: it is known}\n";
    let fewer = Rules::read("own.yaml", own).unwrap().areas();
    // What tells whose reading it is, is read all the same.
    assert_eq!(all.difference(&fewer).collect::<Vec<_>>(), [&FactArea::Routes]);
    assert_eq!(Snapshot::areas(), all);
}

#[test]
fn the_built_in_rules_are_readable_and_name_every_area_of_the_facts() {
    let read = file::read("library/differences.yaml", rules::BUILTIN, None);
    let read = read.unwrap_or_else(|wrong| {
        panic!(
            "{}",
            wrong
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    assert_eq!(read.areas.len(), Rules::builtin().areas.len());
    // A new area of the facts belongs under `areas`, or under `not_compared` with the reason.
    let named = |area: &&FactArea| {
        let text = rules::BUILTIN;
        let begins = [
            format!("area: {area}\n"),
            format!("area: {area}."),
            format!("area: {area},"),
        ];
        begins.iter().any(|begin| text.contains(begin))
    };
    let forgotten: Vec<_> = FactArea::ALL.iter().filter(|area| !named(area)).collect();
    assert!(
        forgotten.is_empty(),
        "library/differences.yaml does not name {forgotten:?}"
    );
}
