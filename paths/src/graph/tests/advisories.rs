//! Advisories on paths: what refuses, what stays open, what is weighed, and where a fix is.

use std::collections::BTreeSet;

use super::device::Device;
use super::*;
use crate::advisory::Severity;
use crate::plan::Assessed;

fn exposed_850() -> Device {
    Device::plain().module(5, "unknown-vendor", Some("SFP-1G-LX"))
}

fn found<'p>(plan: &'p PathPlan, id: &str) -> Vec<&'p Assessed> {
    let hops = plan.hops.iter().flat_map(|hop| &hop.advisories);
    hops.filter(|assessed| assessed.advisory.id == id).collect()
}

#[test]
fn the_storys_target_is_refused_for_the_storys_box_and_says_why() {
    let device = exposed_850();
    let request = Request {
        view: Some(&device),
        ..Request::new(version("9.1.16"), version("10.2.4-h4"))
    };
    insta::assert_snapshot!(graph("PA-850").plan(&request).unwrap_err(), @"every way from 9.1.16 to 10.2.4-h4 is blocked: PAN-221190 at 10.2.4-h4 (ethernet1/5 holds SFP-1G-LX (unknown-vendor)): The firewall reboots again and again (I2C errors). Take the modules out or replace them before the hop, or choose a release with the fix.");
}

#[test]
fn without_facts_the_path_is_there_and_the_question_is_a_gate() {
    let plan = graph("PA-850")
        .plan(&Request::new(version("9.1.16"), version("10.2.4-h4")))
        .unwrap();
    let gate = plan
        .hops
        .last()
        .unwrap()
        .gates
        .iter()
        .find(|gate| &*gate.id == "PAN-221190")
        .unwrap();
    insta::assert_snapshot!(format!("{} [{}]", gate.text, gate.source), @"Unsupported modules in ports 5 to 8 reboot a PA-800. Not known: the modules in the ports (not asked). [PAN-OS 10.1.11-h1, 10.2.7 and 11.0.4 release notes, addressed issues]");
}

#[test]
fn a_fact_nobody_could_read_refuses_nothing_and_says_what_is_missing() {
    let device = Device::default();
    let request = Request {
        view: Some(&device),
        ..Request::new(version("10.1.14"), version("10.2.4-h4"))
    };
    let plan = graph("PA-850").plan(&request).unwrap();
    let open = found(&plan, "PAN-221190");
    insta::assert_snapshot!(serde_json::to_string(&*open[0].exposure).unwrap(), @r#"{"unknown":{"missing":["the modules in the ports (the device did not say)"]}}"#);
    assert!(!open[0].blocks());
}

#[test]
fn a_module_that_is_allowed_clears_the_hop() {
    let device = Device::plain().module(5, "allowed", Some("PAN-SFP-LX"));
    let request = Request {
        view: Some(&device),
        ..Request::new(version("10.1.14"), version("10.2.4-h4"))
    };
    let plan = graph("PA-850").plan(&request).unwrap();
    let clear = found(&plan, "PAN-221190");
    assert_eq!(
        *clear[0].exposure,
        Exposure::Clear {
            why: "no port holds such a module".to_owned()
        }
    );
}

#[test]
fn an_accepted_advisory_refuses_no_more_and_is_still_told() {
    let device = exposed_850();
    let accepted = BTreeSet::from(["PAN-221190".to_owned()]);
    let request = Request {
        view: Some(&device),
        accepted: &accepted,
        ..Request::new(version("10.1.14"), version("10.2.4-h4"))
    };
    let plan = graph("PA-850").plan(&request).unwrap();
    let told = found(&plan, "PAN-221190");
    assert!(told[0].accepted && !told[0].blocks());
    assert_eq!(told[0].severity, Severity::Block);
    let (first, releases) = plan.advisories().remove(0);
    assert_eq!(
        (first.accepted, releases.is_empty()),
        (false, false),
        "accepted ones stand behind open ones"
    );
}

#[test]
fn a_path_goes_around_a_stop_the_device_may_not_stand_on() {
    // The preferred release of 11.1 is ruled out, and the next best known one of it is taken.
    let rows = "[[advisory]]\nid = \"T-1\"\ntitle = \"Loops\"\nkind = \"defect\"\nmodels = [\"PA-440\"]\n\
        affected = [\"11.1.11\"]\nwhen = [{ flag = \"npc-100g\" }]\nseverity = \"block\"\neffect = \"It loops.\"\n\
        action = \"Take another.\"\nsource = \"a test\"\nconfidence = \"low\"\n";
    let catalogue = Catalogue::embedded()
        .unwrap()
        .overlaid(&[("mine.toml", rows)])
        .unwrap();
    let graph = Graph::new(&catalogue, "PA-440").unwrap();
    let plain = Request::new(version("10.1.3"), version("12.1.5"));
    let stop = |plan: &PathPlan| plan.route.hops[0].to;
    let free = graph.plan(&plain).unwrap();
    assert_eq!(stop(&free), version("11.1.11"));
    let device = Device::plain().flag("npc-100g", true);
    let held = Request {
        view: Some(&device),
        ..plain
    };
    let around = graph.plan(&held).unwrap();
    assert_eq!(stop(&around).train(), version("11.1.11").train());
    assert!(stop(&around) != version("11.1.11") && !around.route.is_off_vendor());
    let plain_device = Device::plain();
    let unmoved = Request {
        view: Some(&plain_device),
        ..plain
    };
    assert!(around.cost.total() >= graph.plan(&unmoved).unwrap().cost.total());
    // A pinned path through it is exactly what was asked for, so it is refused.
    let via = [version("11.1.11")];
    let pinned = Request { via: &via, ..held };
    insta::assert_snapshot!(graph.plan(&pinned).unwrap_err(), @"every way from 10.1.3 to 12.1.5 is blocked: T-1 at 11.1.11 (the chassis holds a 100G network processing card): It loops. Take another.");
}

#[test]
fn a_condition_on_a_step_refuses_that_step_only() {
    let device = Device::plain().number("memory-mb", 8192);
    let request = Request {
        view: Some(&device),
        ..Request::new(version("11.2.8"), version("12.1.5"))
    };
    let vm = graph("PA-VM").with_base(version("12.2.0"));
    assert!(vm.plan(&request).is_ok());
    let further = Request {
        to: version("12.2.2").into(),
        ..request
    };
    let refused = vm.plan(&further).unwrap_err();
    insta::assert_snapshot!(refused, @"every way from 11.2.8 to 12.2.2 is blocked: vm-memory-12-2 at 12.2.2 (memory-mb is 8192, under 13568): The installation is blocked. Give the virtual machine 14 GB of memory or more before the hop. With more than that, expect a smaller session capacity on 12.2.");
    let enough = Device::plain().number("memory-mb", 16_384);
    let fits = Request {
        view: Some(&enough),
        ..further
    };
    assert!(vm.plan(&fits).is_ok());
}

#[test]
fn a_feature_release_without_a_listed_fix_is_suspect_and_never_refused() {
    let rows = "[[advisory]]\nid = \"T-2\"\ntitle = \"Loops\"\nkind = \"defect\"\nfixed_in = [\"10.1.5\"]\nseverity = \"block\"\n\
        effect = \"It loops.\"\naction = \"Take another.\"\nsource = \"a test\"\nconfidence = \"low\"\n";
    let catalogue = Catalogue::embedded()
        .unwrap()
        .overlaid(&[("mine.toml", rows)])
        .unwrap();
    let device = Device::plain();
    let plan = |to: &str| {
        let request = Request {
            view: Some(&device),
            ..Request::new(version("10.1.3"), version(to))
        };
        Graph::new(&catalogue, "PA-850").unwrap().plan(&request)
    };
    let plan_on = plan("10.2.7").unwrap();
    let suspect = found(&plan_on, "T-2");
    assert!(suspect[0].suspect && !suspect[0].blocks());
    assert_eq!(suspect[0].severity, Severity::Warn);
    assert!(matches!(plan("10.1.4"), Err(NoRoute::Blocked { .. })));
    assert!(found(&plan("10.1.5").unwrap(), "T-2").is_empty());
}

#[test]
fn the_fix_is_found_where_it_is_nearest() {
    let shown = |model: &str, from: &str, id: &str| {
        let paths = graph(model).fixes(version(from), id).unwrap();
        let line = |path: &FixPath| {
            let hops: Vec<_> = path
                .plan
                .route
                .hops
                .iter()
                .map(|hop| hop.to.to_string())
                .collect();
            format!("{} {:?} via {}", path.version, path.distance, hops.join(" "))
        };
        paths.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(shown("PA-850", "10.2.4-h4", "PAN-221190"), @r"
    10.2.18-h5 SameTrain via 10.2.18-h5
    10.2.7 SameTrain via 10.2.7
    11.0.4 FeatureReleases(1) via 11.0.4
    11.0.5 FeatureReleases(1) via 11.0.5
    ");
    insta::assert_snapshot!(shown("PA-5220", "10.2.4-h4", "PAN-252131"), @r"
    11.1.11 FeatureReleases(2) via 11.1.11
    11.1.5 FeatureReleases(2) via 11.1.5
    ");
}

#[test]
fn where_there_is_no_fix_to_go_to_the_answer_says_why() {
    let said =
        |model: &str, from: &str, id: &str| graph(model).fixes(version(from), id).unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            said("PA-850", "10.2.4", "PAN-22119"),
            said("PA-850", "10.2.7", "PAN-221190"),
            said("PA-440", "10.2.4", "PAN-221190"),
            said("PA-850", "11.2.4", "PAN-221190"),
            said("PA-850", "11.1.5", "PAN-221190"),
            said("PA-VM", "11.1.5", "vm-memory-12-2"),
        ]
        .join("\n"),
        @r#"
    the release catalogue has no advisory "PAN-22119" (nearest: PAN-221190, PAN-221127, PAN-172419)
    10.2.7 is not affected by PAN-221190
    PAN-221190 is not about PA-440
    a path to the fix of PAN-221190 cannot start at 11.2.4
    no release PA-850 gets to from 11.1.5 holds the fix of PAN-221190 (fixed in 10.1.11-h1, 10.2.7, 11.0.4)
    vm-memory-12-2 is a condition of a hop, not a defect of a release: Give the virtual machine 14 GB of memory or more before the hop. With more than that, expect a smaller session capacity on 12.2.
    "#
    );
}
