//! Plans: targets, software lists, doubts, downgrades, and everything that belongs to a hop.

use super::*;
use crate::plan::PathPlan;

fn offered(text: &str) -> Vec<Offered> {
    let line = |line: &str| {
        let mut words = line.split(' ');
        Offered {
            version: version(words.next().unwrap()),
            release_type: words.next().filter(|word| *word != "-").map(str::to_owned),
            downloaded: words.next() == Some("yes"),
            size_mb: words.next().map(|size| size.parse().unwrap()),
        }
    };
    text.lines()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(line)
        .collect()
}

fn stations(plan: &PathPlan) -> String {
    let mut stations = vec![plan.route.from.to_string()];
    stations.extend(plan.route.hops.iter().map(|hop| hop.to.to_string()));
    stations.join(" -> ")
}

fn down(from: &str, to: &str) -> Request<'static> {
    Request {
        allow_downgrade: true,
        ..Request::new(version(from), version(to))
    }
}

#[test]
fn a_feature_release_as_target_is_the_models_stop_in_it() {
    let target: Target = "10.2".parse().unwrap();
    let plan = graph("PA-850")
        .plan(&Request::new(version("10.1.14-h9"), target))
        .unwrap();
    insta::assert_snapshot!(stations(&plan), @"10.1.14-h9 -> 10.2.18-h5");
    let said = |model: &str, from: &str, to: &str| {
        let request = Request::new(version(from), to.parse::<Target>().unwrap());
        graph(model).plan(&request).unwrap_err().to_string()
    };
    insta::assert_snapshot!(
        [
            said("PA-850", "10.2.18-h5", "10.2"),
            said("PA-220", "10.2.4", "11.1"),
            said("PA-220", "10.2.4", "10.3"),
        ]
        .join("\n"),
        @r"
    nothing to do: the device runs 10.2.18-h5 already
    PA-220 does not run 11.1.0: it runs 8.1, 9.0, 9.1, 10.0, 10.1, 10.2 (source: From memory: the vendor's matrix no longer lists releases before 10.1; Compatibility matrix, Supported OS Releases by Model (2026-07-30))
    there is no feature release 10.3 (known: 8.1, 9.0, 9.1, 10.0, 10.1, 10.2, 11.0, 11.1, 11.2, 12.1, 12.2)
    "
    );
}

#[test]
fn a_plan_without_facts_takes_the_route_a_plan_stores() {
    for (model, from, to) in [
        ("PA-850", "9.1.16", "10.2.4-h4"),
        ("PA-440", "10.1.3", "12.1.5"),
        ("PA-7500", "11.1.5", "12.1.5"),
        ("PA-VM", "8.1.0", "11.2.8"),
    ] {
        let plan = graph(model)
            .plan(&Request::new(version(from), version(to)))
            .unwrap();
        assert_eq!(
            plan.route,
            route(model, from, to, &[]).unwrap(),
            "{model} {from} {to}"
        );
    }
}

#[test]
fn the_devices_own_list_outranks_the_catalogue() {
    let graph = graph("PA-440");
    let list = offered(
        "11.1.0 Base yes 1100
         11.1.6 - no 500
         11.1.7 Preferred no 510
         11.1.10-h1 - no 520",
    );
    let request = Request {
        offered: Some(&list),
        ..Request::new(version("10.1.3"), version("12.1.5"))
    };
    let plan = graph.plan(&request).unwrap();
    insta::assert_snapshot!(stations(&plan), @"10.1.3 -> 11.1.7 -> 12.1.5");
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&(&plan.hops[0].images, plan.hops[0].disk_needed_mb)).unwrap(), @r#"
    [
      [
        {
          "version": "11.1.0",
          "base": true,
          "on_disk": true,
          "size_mb": 1100
        },
        {
          "version": "11.1.7",
          "base": false,
          "on_disk": false,
          "size_mb": 510
        }
      ],
      561
    ]
    "#
    );
    // What the list has of a feature release is all there is of it; of the others it says nothing.
    let absent = Request {
        to: version("11.1.11").into(),
        ..request
    };
    insta::assert_snapshot!(graph.plan(&absent).unwrap_err(), @"the device does not offer 11.1.11 (it offers of 11.1: 11.1.0, 11.1.6, 11.1.7, 11.1.10-h1)");
    let on_disk = offered("11.1.0 Base yes 1100\n11.1.7 Preferred yes 510");
    let ready = Request {
        offered: Some(&on_disk),
        ..request
    };
    assert_eq!(graph.plan(&ready).unwrap().hops[0].disk_needed_mb, Some(0));
    assert_eq!(graph.plan(&ready).unwrap().hops[1].disk_needed_mb, None);
    // A base the device names opens the train whose base no source names.
    let newest = offered("12.2.0 Base no 1200\n12.2.2 - no 600");
    let request = Request {
        offered: Some(&newest),
        ..Request::new(version("12.1.5"), version("12.2.2"))
    };
    assert_eq!(graph.plan(&request).unwrap().hops[0].disk_needed_mb, Some(1980));
}

#[test]
fn a_release_nobody_has_heard_of_is_doubted_with_the_nearest() {
    let doubts = |from: &str, to: &str, list: Option<&[Offered]>| {
        let request = Request {
            offered: list,
            ..Request::new(version(from), version(to))
        };
        let plan = graph("PA-850").plan(&request).unwrap();
        plan.doubts
            .into_iter()
            .map(|doubt| doubt.text)
            .collect::<Vec<_>>()
    };
    insta::assert_snapshot!(doubts("10.1.14", "10.2.99", None).join("\n"), @"10.2.99 is not in the catalogue; the nearest known are 10.2.18, 10.2.18-h1, 10.2.18-h5");
    insta::assert_snapshot!(doubts("10.1.144", "10.2.7-h99", None).join("\n"), @r"
    10.1.144 is not in the catalogue; the nearest known are 10.1.14, 10.1.14-h2, 10.1.14-h4
    10.2.7-h99 is not in the catalogue; the nearest known are 10.2.7-h36, 10.2.7-h35, 10.2.7-h34
    ");
    assert!(
        doubts("10.1.14", "10.2.0", None).is_empty(),
        "a base image is known by its train"
    );
    let list = offered("10.2.0 Base no 1000\n10.2.99 - no 500");
    assert!(
        doubts("10.1.144", "10.2.99", Some(&list)).is_empty(),
        "the device knows better"
    );
}

#[test]
fn a_downgrade_has_to_be_meant() {
    let request = Request::new(version("10.2.4"), version("10.1.14"));
    let refused = graph("PA-850").plan(&request).unwrap_err();
    assert!(matches!(refused, NoRoute::Downgrade { .. }), "{refused}");
}

#[test]
fn downgrades_keep_their_own_rules() {
    let shown = |model: &str, from: &str, to: &str| {
        let plan = graph(model).plan(&down(from, to)).unwrap();
        shown(&plan.route)
    };
    insta::assert_snapshot!(shown("PA-850", "10.2.7", "10.2.4-h4"), @"10.2.7 -> 10.2.4-h4 maintenancedowngrade [10.2.0 10.2.4-h4] 8614");
    insta::assert_snapshot!(shown("PA-850", "10.2.7", "10.1.14"), @"10.2.7 -> 10.1.14 featuredowngrade [10.1.0 10.1.14] 8408");
    insta::assert_snapshot!(shown("PA-VM", "11.1.5", "9.1.16"), @r"
    11.1.5 -> 10.1.14-h9 featuredowngrade [10.1.0 10.1.14-h9] 8408
    10.1.14-h9 -> 10.0.12-h5 featuredowngrade [10.0.0 10.0.12-h5] 8332
    10.0.12-h5 -> 9.1.16 featuredowngrade [9.1.0 9.1.16] 8332
    ");
    insta::assert_snapshot!(shown("PA-850", "10.2.7", "10.1.1"), @r"
    10.2.7 -> 10.1.14-h9 featuredowngrade [10.1.0 10.1.14-h9] 8408
    10.1.14-h9 -> 10.1.1 maintenancedowngrade [10.1.0 10.1.1] 8408
    ");
}

#[test]
fn a_pinned_downgrade_lists_what_it_breaks() {
    let via = [version("10.1.2")];
    let request = Request {
        via: &via,
        ..down("10.2.7", "9.1.16")
    };
    let plan = graph("PA-850").plan(&request).unwrap();
    let rules: Vec<_> = plan
        .route
        .hops
        .iter()
        .flat_map(|hop| &hop.broken_rules)
        .map(|rule| format!("{}: {} [{}]", rule.rule, rule.text, rule.source))
        .collect();
    insta::assert_snapshot!(rules.join("\n"), @r"
    downgrade-lands-too-low: 10.2.7 to 10.1.2: a downgrade from 10.2 fails below 10.1.3; it lands on 10.1.3 or a later 10.1 first [PAN-OS 11.1 upgrade guide, Downgrade PAN-OS (2026-07-30)]
    downgrade-out-of-reach: 10.1.2 to 9.1.16 goes further down than the vendor's table goes up: 9.1 may not be upgraded directly to 10.1 [PAN-OS 11.1 upgrade guide, Downgrade PAN-OS (2026-07-30); PAN-OS 11.0 new features, Skip Software Version Upgrade]
    ");
    let upwards = [version("10.2.8")];
    let request = Request {
        via: &upwards,
        ..down("10.2.7", "10.1.14")
    };
    insta::assert_snapshot!(graph("PA-850").plan(&request).unwrap_err(), @"pinned waypoint 10.2.8 is not older than 10.2.7, which comes before it on the way down");
}

#[test]
fn a_downgrade_to_an_older_feature_release_names_the_configuration_to_load() {
    let plan = graph("PA-850").plan(&down("10.2.7", "10.1.14")).unwrap();
    insta::assert_snapshot!(plan.hops[0].configuration.as_deref().unwrap(), @"Install 10.1.14 with the configuration saved when 10.1 was left (autosave-10.1.14 or the nearest there is); what was changed since is lost. Where 10.1.14 is still on the other partition, reverting to it is safer.");
    let within = graph("PA-850").plan(&down("10.2.7", "10.2.4")).unwrap();
    assert_eq!(within.hops[0].configuration, None);
}

#[test]
fn a_hop_says_all_that_belongs_to_it() {
    let mut plan = graph("PA-850")
        .plan(&Request::new(version("9.1.19"), version("10.0.12-h5")))
        .unwrap();
    let hop = plan.hops.remove(0);
    let advisories = hop.advisories.len();
    assert!(advisories > 0, "something is known against 10.0.12-h5");
    let mut json = serde_json::to_value(&hop).unwrap();
    // Advisories have tests of their own, and more rows every month.
    json["advisories"] = serde_json::Value::Null;
    let gates = json["gates"].as_array_mut().unwrap();
    gates.retain(|gate| !gate["id"].as_str().unwrap().starts_with("PAN-"));
    json["cost"] = serde_json::Value::Null;
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "advisories": null,
      "configuration": null,
      "content": {
        "sourced": {
          "confidence": "medium",
          "source": "GitHub o5edaxi/paloversion, content.csv"
        },
        "value": 8332
      },
      "cost": null,
      "disk_needed_mb": null,
      "expected_min": 36,
      "gates": [
        {
          "id": "content",
          "source": "GitHub o5edaxi/paloversion, content.csv",
          "text": "Applications and Threats content 8332 or later is installed; an older one is replaced first."
        },
        {
          "id": "support-licence",
          "source": "PAN-OS 11.1 upgrade guide, Troubleshoot Your PAN-OS Upgrade (2026-07-30)",
          "text": "The support licence is valid, or no image is offered."
        },
        {
          "id": "panorama-release",
          "source": "Compatibility matrix, Panorama Management Compatibility (2026-07-30)",
          "text": "Where a Panorama manages the firewall, it runs 10.0 or later."
        },
        {
          "id": "clock",
          "source": "field reports: an image is refused by its signature when the clock is wrong",
          "text": "The clock is right, or the image is refused by its signature."
        },
        {
          "id": "quiet",
          "source": "PAN-OS 11.1 upgrade guide, Upgrade Checklist (2026-07-30)",
          "text": "No job runs, no lock is held, and nothing waits to be committed."
        },
        {
          "id": "disk",
          "source": "PAN-OS 11.1 upgrade guide, Upgrade Checklist (2026-07-30)",
          "text": "/opt/panrepo has 1.1 times the size of the missing images free."
        },
        {
          "id": "pancfg-partition-nearly-full",
          "source": "Incident High Disk Space Usage: pancfg Partition (90 percent and above); PAN-256939",
          "text": "/opt/pancfg has room. Not known: use of /opt/pancfg (not asked)."
        },
        {
          "id": "root-partition-nearly-full",
          "source": "Incident High Disk Space Usage on Root Partition (above 95 percent)",
          "text": "The root partition has room. Not known: use of the root file system (not asked)."
        }
      ],
      "ha_rule": "Below 10.1 both peers do this hop before either does the next.",
      "hop": {
        "broken_rules": [],
        "chassis_ready": true,
        "downloads": [
          "10.0.0",
          "10.0.12-h5"
        ],
        "feature_releases_apart": 1,
        "from": "9.1.19",
        "kind": "feature",
        "minimum_content": 8332,
        "times": {
          "install_expected_min": 18,
          "install_worst_min": 20,
          "reboot_expected_min": 18,
          "reboot_fail_min": 45,
          "reboot_warn_min": 25
        },
        "to": "10.0.12-h5"
      },
      "images": [
        {
          "base": true,
          "on_disk": false,
          "size_mb": null,
          "version": "10.0.0"
        },
        {
          "base": false,
          "on_disk": false,
          "size_mb": null,
          "version": "10.0.12-h5"
        }
      ],
      "sources": [
        {
          "sourced": {
            "confidence": "high",
            "source": "PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)"
          },
          "what": "9.1 may be upgraded directly to 10.0"
        },
        {
          "sourced": {
            "confidence": "low",
            "source": "Late 10.0 hotfix (named by redist-check.py of Palo Alto Networks); preferred is from memory"
          },
          "what": "10.0.12-h5 is a preferred release"
        },
        {
          "sourced": {
            "confidence": "high",
            "source": "PAN-OS 11.1 upgrade guide, Determine the Upgrade Path (2026-07-30)"
          },
          "what": "base image of 10.0"
        },
        {
          "sourced": {
            "confidence": "medium",
            "source": "GitHub o5edaxi/paloversion, content.csv"
          },
          "what": "oldest content for 10.0"
        },
        {
          "sourced": {
            "confidence": "low",
            "source": "From memory: the vendor's matrix no longer lists releases before 10.1"
          },
          "what": "PA-850 runs 10.0"
        },
        {
          "sourced": {
            "confidence": "low",
            "source": "Estimate around field durations (panos-tool, paloversion, pan-os-ansible waits); the vendor publishes none"
          },
          "what": "minutes of a PA-850"
        },
        {
          "sourced": {
            "confidence": "medium",
            "source": "GitHub endoflife-date/endoflife.date, products/pan-os.md"
          },
          "what": "end of life of 10.0: 2022-07-16"
        }
      ],
      "way_back": {
        "lost": "Everything committed after the hop.",
        "text": "debug swm revert and a restart boot 9.1.19 from the other partition, with its configuration of before the hop. It leads one hop back: the next install overwrites it.",
        "to": "9.1.19"
      },
      "worst_min": 65
    }
    "#);
}

#[test]
fn a_pair_is_told_how_far_apart_it_gets() {
    let rules = |model: &str, from: &str, to: &str| {
        let plan = graph(model)
            .plan(&Request::new(version(from), version(to)))
            .unwrap();
        plan.hops[0].ha_rule.to_string()
    };
    insta::assert_snapshot!(
        [
            rules("PA-850", "9.1.19", "10.0.12-h5"),
            rules("PA-850", "10.1.14", "10.2.7"),
            rules("PA-850", "10.1.14", "11.1.11"),
        ]
        .join("\n"),
        @r#"
    Below 10.1 both peers do this hop before either does the next.
    One peer after the other: the second once the first serves again.
    One peer after the other: the second once the first serves again; 3 feature releases apart in between, the older one may suspend itself ("Peer version too old").
    "#
    );
}

#[test]
fn preferences_change_what_is_taken() {
    let taken = |prefer| {
        let request = Request {
            prefer,
            ..Request::new(version("10.1.3"), version("11.1.5"))
        };
        stations(&graph("PA-5220").plan(&request).unwrap())
    };
    assert_eq!(taken(Preference::Balanced), "10.1.3 -> 11.1.5");
    assert_eq!(taken(Preference::FewestReboots), "10.1.3 -> 11.1.5");
    insta::assert_snapshot!(taken(Preference::Vendor), @"10.1.3 -> 10.1.14-h9 -> 11.1.5");
    insta::assert_snapshot!(taken(Preference::LeastRisk), @"10.1.3 -> 11.1.5");
}

#[test]
fn alternatives_are_different_and_say_why_they_are_there() {
    let graph = graph("PA-440");
    let request = Request::new(version("10.1.3"), version("12.1.5"));
    let found = graph.alternatives(&request, 5).unwrap();
    let shown: Vec<_> = found
        .iter()
        .map(|alternative| {
            let labels: Vec<_> = alternative.labels.iter().map(ToString::to_string).collect();
            let cost = alternative.plan.cost;
            format!(
                "{}: {} ({} min)",
                labels.join(", "),
                stations(&alternative.plan),
                cost.minutes
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    balanced, fewest reboots: 10.1.3 -> 11.1.11 -> 12.1.5 (60 min)
    least risk: 10.1.3 -> 11.1.16-h1 -> 12.1.5 (60 min)
    as the vendor recommends: 10.1.3 -> 10.1.14-h9 -> 11.1.11 -> 12.1.5 (90 min)
    next cheapest: 10.1.3 -> 11.0.5 -> 12.1.5 (60 min)
    next cheapest: 10.1.3 -> 11.1.11 -> 11.2.8 -> 12.1.5 (90 min)
    ");
    for (place, one) in found.iter().enumerate() {
        assert!(
            found[..place]
                .iter()
                .all(|other| other.plan.route != one.plan.route)
        );
    }
    assert_eq!(graph.alternatives(&request, 2).unwrap(), found[..2]);
    assert_eq!(graph.alternatives(&request, 0).unwrap().len(), 1);
}

#[test]
fn a_fleet_is_answered_from_what_was_worked_out_once() {
    let mut graphs = Graphs::new(Catalogue::embedded().unwrap());
    let request = Request::new(version("10.1.3"), version("10.2.7"));
    let first = graphs.plan("PA-850", &request).unwrap();
    assert!(Arc::ptr_eq(&first, &graphs.plan("PA-850", &request).unwrap()));
    let device = device::Device::plain();
    let seen = Request {
        view: Some(&device),
        ..request
    };
    assert!(!Arc::ptr_eq(&first, &graphs.plan("PA-850", &seen).unwrap()));
    assert!(matches!(graphs.plan("PA-85", &request), Err(NoPlan::Model(_))));
    let none = Request::new(version("10.2.7"), version("10.2.7"));
    assert!(matches!(
        graphs.plan("PA-850", &none),
        Err(NoPlan::Route(NoRoute::NothingToDo { .. }))
    ));
}
