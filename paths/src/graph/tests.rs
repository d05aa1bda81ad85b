//! Routes over the shipped catalogue: the vendor's own path, the story's pinned one, and every refusal.

use proptest::prelude::*;

mod advisories;
mod device;
mod explaining;
mod plans;
mod properties;
mod vendor_table;

use super::*;
use crate::graphs::{Graphs, NoPlan};
use crate::request::{Offered, Preference};
use crate::route::{Hop, HopKind};
use crate::rules::Rule;
use crate::target::Target;

fn graph(model: &str) -> Graph<'static> {
    Graph::new(Catalogue::embedded().unwrap(), model).unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn route(model: &str, from: &str, to: &str, via: &[&str]) -> Result<Route, NoRoute> {
    let via: Vec<_> = via.iter().map(|text| version(text)).collect();
    graph(model).route(version(from), version(to), &via)
}

/// One line a hop: `from -> to kind [downloads] content`.
fn shown(route: &Route) -> String {
    let hop = |hop: &Hop| {
        let downloads: Vec<_> = hop.downloads.iter().map(Version::to_string).collect();
        let content = hop.minimum_content.unwrap();
        let kind = format!("{:?}", hop.kind).to_lowercase();
        format!(
            "{} -> {} {kind} [{}] {content}",
            hop.from,
            hop.to,
            downloads.join(" ")
        )
    };
    route.hops.iter().map(hop).collect::<Vec<_>>().join("\n")
}

fn said(model: &str, from: &str, to: &str, via: &[&str]) -> String {
    route(model, from, to, via).unwrap_err().to_string()
}

#[test]
fn the_vendors_path_takes_every_train_below_10_1_at_its_preferred_release() {
    let route = route("PA-850", "9.1.16", "10.2.4-h4", &[]).unwrap();
    insta::assert_snapshot!(shown(&route), @r"
    9.1.16 -> 9.1.19 maintenance [9.1.0 9.1.19] 8332
    9.1.19 -> 10.0.12-h5 feature [10.0.0 10.0.12-h5] 8332
    10.0.12-h5 -> 10.1.14-h9 feature [10.1.0 10.1.14-h9] 8408
    10.1.14-h9 -> 10.2.4-h4 feature [10.2.0 10.2.4-h4] 8614
    ");
    assert!(!route.is_off_vendor());
    assert_eq!(route.expected_minutes(), 4 * (18 + 18));
    assert!(
        route
            .hops
            .iter()
            .all(|hop| hop.peers_apart() <= 1 && hop.chassis_ready)
    );
}

#[test]
fn on_or_past_the_preferred_release_no_maintenance_hop_comes_first() {
    for from in ["9.1.19", "9.1.19-h1", "9.1.20"] {
        let route = route("PA-850", from, "10.0.12-h5", &[]).unwrap();
        assert_eq!(route.hops.len(), 1, "{from}");
        assert_eq!(route.hops[0].kind, HopKind::Feature);
    }
}

#[test]
fn from_10_1_on_the_longest_allowed_jump_wins() {
    insta::assert_snapshot!(shown(&route("PA-5220", "10.1.3", "11.1.5", &[]).unwrap()), @"10.1.3 -> 11.1.5 feature [11.1.0 11.1.5] 8761");
    insta::assert_snapshot!(shown(&route("PA-440", "10.1.3", "12.1.5", &[]).unwrap()), @r"
    10.1.3 -> 11.1.11 feature [11.1.0 11.1.11] 8761
    11.1.11 -> 12.1.5 feature [12.1.2 12.1.5] 9007
    ");
    insta::assert_snapshot!(shown(&route("PA-7500", "11.1.5", "12.1.5", &[]).unwrap()), @"11.1.5 -> 12.1.5 feature [12.1.2 12.1.5] 9007");
    insta::assert_snapshot!(shown(&route("PA-VM", "8.1.0", "11.2.8", &[]).unwrap()), @r"
    8.1.0 -> 8.1.26 maintenance [8.1.0 8.1.26] 769
    8.1.26 -> 9.0.17 feature [9.0.0 9.0.17] 8103
    9.0.17 -> 9.1.19 feature [9.1.0 9.1.19] 8332
    9.1.19 -> 10.0.12-h5 feature [10.0.0 10.0.12-h5] 8332
    10.0.12-h5 -> 10.1.14-h9 feature [10.1.0 10.1.14-h9] 8408
    10.1.14-h9 -> 11.1.11 feature [11.1.0 11.1.11] 8761
    11.1.11 -> 11.2.8 feature [11.2.0 11.2.8] 8902
    ");
}

#[test]
fn a_maintenance_hop_needs_its_base_on_disk_too() {
    insta::assert_snapshot!(shown(&route("PA-820", "10.2.4-h4", "10.2.7", &[]).unwrap()), @"10.2.4-h4 -> 10.2.7 maintenance [10.2.0 10.2.7] 8614");
    insta::assert_snapshot!(shown(&route("PA-820", "10.1.14", "10.2.0", &[]).unwrap()), @"10.1.14 -> 10.2.0 feature [10.2.0] 8614");
}

#[test]
fn a_pinned_path_is_taken_exactly_and_lists_what_it_breaks() {
    let route = route(
        "PA-850",
        "9.1.16",
        "10.2.4-h4",
        &["10.1.0", "10.2.0", "10.2.4-h4"],
    )
    .unwrap();
    assert!(route.is_off_vendor());
    insta::assert_snapshot!(shown(&route), @r"
    9.1.16 -> 10.1.0 pinned [10.1.0] 8408
    10.1.0 -> 10.2.0 pinned [10.2.0] 8614
    10.2.0 -> 10.2.4-h4 maintenance [10.2.0 10.2.4-h4] 8614
    ");
    let rules = |hop: &Hop| {
        let broken = hop
            .broken_rules
            .iter()
            .map(|rule| format!("{}: {} [{}]", rule.rule, rule.text, rule.source));
        broken.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(rules(&route.hops[0]), @r#"
    feature-release-skipped: 9.1.16 to 10.1.0 skips feature release 10.0; below 10.1 the vendor allows one feature release at a time [PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)]
    left-before-preferred-release: 9.1.16 is left before the latest preferred release of 9.1 (9.1.19); the vendor wants it installed and booted first [PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)]
    base-image-installed: 10.1.0 is a base image and not the target (10.2.4-h4); the vendor wants base images downloaded, not installed [PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)]
    ha-peers-too-far-apart: between 9.1.16 and 10.1.0 HA peers are 2 feature releases apart; from two on, the peer on the older release suspends itself ("Peer version too old") [PAN-OS 11.1 upgrade guide, Upgrade an HA Firewall Pair (2026-07-30)]
    "#);
    insta::assert_snapshot!(rules(&route.hops[1]), @"base-image-installed: 10.2.0 is a base image and not the target (10.2.4-h4); the vendor wants base images downloaded, not installed [PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)]");
    assert!(route.hops[2].broken_rules.is_empty());
    assert_eq!(
        route.hops.iter().map(Hop::peers_apart).collect::<Vec<_>>(),
        [2, 1, 0]
    );
}

#[test]
fn a_device_on_a_waypoint_starts_from_there() {
    let whole = route("PA-850", "9.1.16", "10.2.4-h4", &["10.1.0", "10.2.0"]).unwrap();
    let rest = route("PA-850", "10.1.0", "10.2.4-h4", &["10.1.0", "10.2.0"]).unwrap();
    assert_eq!(rest.hops, whole.hops[1..]);
}

#[test]
fn waypoints_the_vendor_would_take_are_not_off_vendor() {
    let own = route("PA-850", "9.1.16", "10.2.7", &[]).unwrap();
    let via: Vec<_> = own.hops.iter().map(|hop| hop.to).collect();
    assert_eq!(graph("PA-850").route(own.from, own.to, &via), Ok(own));
}

#[test]
fn a_jump_out_of_the_vendors_reach_is_pinned_with_its_rule() {
    let route = route("PA-440", "10.2.18-h5", "12.1.5", &["12.1.5"]).unwrap();
    let broken: Vec<_> = route.hops[0]
        .broken_rules
        .iter()
        .map(|rule| rule.rule.as_str())
        .collect();
    assert_eq!(broken, ["feature-release-out-of-reach", "ha-peers-too-far-apart"]);
    insta::assert_snapshot!(route.hops[0].broken_rules[0].text, @"10.2.18-h5 to 12.1.5 goes further than the vendor's table: 10.2 may be upgraded directly up to 11.2");
}

#[test]
fn refusals_name_the_row_they_rest_on() {
    let refusals = [
        said("PA-850", "10.1.3", "10.1.3", &[]),
        said("PA-850", "10.2.4", "10.1.3", &[]),
        said("PA-850", "10.2.4", "10.3.1", &[]),
        said("PA-220", "10.1.3", "11.1.5", &[]),
        said("PA-410", "10.1.2", "10.2.7", &["10.1.1"]),
        said("PA-440", "11.2.8", "12.1.1", &[]),
        said("PA-440", "12.1.5", "12.2.2", &[]),
        said("PA-820", "9.0.17", "9.0.17-h1.xfr", &[]),
        said("PA-850", "9.1.16", "10.2.4", &["10.1.0", "10.0.12"]),
        said("PA-850", "10.1.3", "10.2.4", &["10.2.5"]),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r"
    nothing to do: the device runs 10.1.3 already
    from 10.2.4 to 10.1.3 is a downgrade, which has to be asked for; the quicker way back from a hop is the other partition
    there is no feature release 10.3 (known: 8.1, 9.0, 9.1, 10.0, 10.1, 10.2, 11.0, 11.1, 11.2, 12.1, 12.2)
    PA-220 does not run 11.1.5: it runs 8.1, 9.0, 9.1, 10.0, 10.1, 10.2 (source: From memory: the vendor's matrix no longer lists releases before 10.1; Compatibility matrix, Supported OS Releases by Model (2026-07-30))
    PA-410 does not run 10.1.1: it runs 10.1 from 10.1.2 on (source: Compatibility matrix, Supported OS Releases by Model (2026-07-30))
    12.1.1 is older than 12.1.2, the base image of 12.1 (source: pan-os-ansible panos_software.py, BASE_IMAGE_OVERRIDES; compatibility matrix, Supported OS Releases by Model)
    which base image 12.2 needs is not known: read it from the device's software list (source: PAN-OS 12.2 release notes (first release listed 12.2.2); PAN-316972 (mentions 12.2.0))
    PA-820 does not run 9.0.17-h1.xfr: the extended feature stream (.xfr) is for VM-Series only (source: PaloAltoNetworks/xsoar-panos-upgrade-automation (filters .xfr releases out))
    pinned waypoint 10.0.12 is not newer than 10.1.0, which comes before it
    pinned waypoint 10.2.4 is not newer than 10.2.5, which comes before it
    ");
}

#[test]
fn a_base_the_device_names_opens_the_train_whose_base_no_source_names() {
    let opened = graph("PA-440").with_base(version("12.2.0"));
    let route = opened.route(version("12.1.5"), version("12.2.2"), &[]).unwrap();
    insta::assert_snapshot!(shown(&route), @"12.1.5 -> 12.2.2 feature [12.2.0 12.2.2] 9007");
    let within = graph("PA-440")
        .route(version("12.2.2"), version("12.2.3"), &[])
        .unwrap();
    assert_eq!(within.hops[0].downloads, [version("12.2.3")]);
}

#[test]
fn an_unknown_model_is_answered_with_the_nearest() {
    let error = Graph::new(Catalogue::embedded().unwrap(), "PA-8200").unwrap_err();
    insta::assert_snapshot!(error, @r#"the release catalogue has no model "PA-8200" (nearest: PA-200, PA-820, PA-220)"#);
}

#[test]
fn without_a_row_that_leads_on_the_refusal_says_where_the_table_ends() {
    let files = [
        ("releases.toml", include_str!("../../data/releases.toml")),
        ("models.toml", include_str!("../../data/models.toml")),
        ("advisories.toml", include_str!("../../data/advisories.toml")),
        ("modules.toml", include_str!("../../data/modules.toml")),
    ];
    let cut = files[0]
        .1
        .replace("from = \"10.0\"\nto = [\"10.1\"]", "from = \"12.2\"\nto = []");
    let error = Catalogue::parse(&[("releases.toml", &cut), files[1], files[2], files[3]]).unwrap_err();
    insta::assert_snapshot!(error, @"checking releases.toml, row at line 110, key `to`: from 12.2 the list must lead somewhere, in ascending order, each once");
    let gap = files[1].1.replace(
        "\"PA-VM\"]\ntrains = [\"8.1\", \"9.0\", \"9.1\", \"10.0\"]",
        "\"PA-VM\"]\ntrains = [\"8.1\", \"9.0\", \"9.1\"]",
    );
    assert_ne!(gap, files[1].1);
    let catalogue = Catalogue::parse(&[files[0], ("models.toml", &gap), files[2], files[3]]).unwrap();
    let graph = Graph::new(&catalogue, "PA-850").unwrap();
    insta::assert_snapshot!(graph.route(version("9.1.16"), version("10.1.14"), &[]).unwrap_err(), @"no path of the vendor leads PA-850 from 9.1.16 to 10.1.14: 9.1 leads to 10.0 (PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)); it runs 8.1, 9.0, 9.1, 10.1, 10.2, 11.0, 11.1 (From memory: the vendor's matrix no longer lists releases before 10.1; Compatibility matrix, Supported OS Releases by Model (2026-07-30))");
}

#[test]
fn a_route_is_stored_and_read_back_as_it_was() {
    let route = route("PA-7050", "9.1.16", "10.1.14", &["10.1.0"]).unwrap();
    let stored = serde_json::to_string(&route).unwrap();
    assert_eq!(serde_json::from_str::<Route>(&stored).unwrap(), route);
    insta::assert_snapshot!(serde_json::to_string_pretty(&route.hops[1]).unwrap(), @r#"
    {
      "from": "10.1.0",
      "to": "10.1.14",
      "kind": "maintenance",
      "downloads": [
        "10.1.0",
        "10.1.14"
      ],
      "minimum_content": 8408,
      "broken_rules": [],
      "times": {
        "install_expected_min": 18,
        "install_worst_min": 20,
        "reboot_expected_min": 30,
        "reboot_warn_min": 40,
        "reboot_fail_min": 75
      },
      "chassis_ready": false,
      "feature_releases_apart": 0
    }
    "#);
    assert!(serde_json::from_str::<Route>(&stored.replacen("\"model\"", "\"modell\"", 1)).is_err());
}

proptest! {
    /// Whatever is asked, a route joins up, climbs, starts and ends where it was asked to, keeps the vendor's rules
    /// when nothing is pinned, and is the same the second time.
    #[test]
    fn routes_join_up_and_keep_the_rules(
        model in prop::sample::select(vec!["PA-220", "PA-410", "PA-850", "PA-5220", "PA-7500", "PA-VM"]),
        from in (0..11usize, 0..30u16),
        to in (0..11usize, 0..30u16),
        pins in prop::collection::vec((0..11usize, 0..30u16), 0..3),
    ) {
        let catalogue = Catalogue::embedded().unwrap();
        let at = |(place, maintenance): (usize, u16)| Version::of(catalogue.trains()[place].train, maintenance);
        let via: Vec<_> = pins.into_iter().map(at).collect();
        let found = graph(model).route(at(from), at(to), &via);
        prop_assert_eq!(&found, &graph(model).route(at(from), at(to), &via));
        if let Ok(route) = found {
            prop_assert_eq!((route.hops[0].from, route.hops.last().unwrap().to), (at(from), at(to)));
            prop_assert!(route.hops.windows(2).all(|pair| pair[0].to == pair[1].from));
            prop_assert!(route.hops.iter().all(|hop| hop.from < hop.to && hop.downloads.last() == Some(&hop.to)));
            prop_assert!(!via.is_empty() || !route.is_off_vendor());
            for hop in &route.hops {
                prop_assert_eq!(hop.kind == HopKind::Pinned, !hop.broken_rules.is_empty());
            }
        }
    }
}
