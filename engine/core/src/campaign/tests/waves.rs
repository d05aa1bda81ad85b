//! Waves: opened in order, behind approvals and soaks, inside the window, no wider than allowed.

use super::scripted::{Hall, first_record, id, mins};
use crate::campaign::{Campaign, CampaignEvent, CampaignInput};
use crate::device::Work;
use crate::plan::tests::plan;
use crate::waiting::Hold;

fn canary_and_rest() -> Hall {
    Hall::new(plan(
        &[("canary", false, &["a"]), ("rest", true, &["b", "c"])],
        &[],
    ))
    .start()
}

fn finish(hall: &mut Hall, name: &str) {
    hall.ends_hop(name);
    hall.ends_hop(name);
}

#[test]
fn a_wave_opens_when_the_one_before_it_has_soaked_and_somebody_approved() {
    let mut hall = canary_and_rest();
    assert_eq!(hall.working(), ["a"]);
    insta::assert_snapshot!(hall.why("b"), @"its wave opens when wave canary is finished");
    finish(&mut hall, "a");
    insta::assert_snapshot!(hall.why("b"), @"wave canary is being watched until 2026-03-07T22:10:00Z");
    hall.wakes();
    insta::assert_snapshot!(hall.why("b"), @"wave rest needs an approval (hopgate approve)");
    assert_eq!(hall.campaign.gate(), Some(&"rest".parse().unwrap()));
    assert_eq!(
        hall.campaign.waits_for_person(hall.now),
        Some(Hold::Approval {
            wave: "rest".parse().unwrap()
        })
    );
    hall.approve("rest", "nora");
    assert_eq!(hall.working(), ["b", "c"]);
    finish(&mut hall, "c");
    finish(&mut hall, "b");
    assert!(hall.campaign.is_finished());
    insta::assert_snapshot!(hall.story());
}

#[test]
fn an_approval_given_ahead_waits_for_the_soak() {
    let mut hall = canary_and_rest();
    hall.approve("rest", "nora");
    finish(&mut hall, "a");
    assert_eq!(hall.working(), Vec::<&str>::new());
    hall.wakes();
    assert_eq!(hall.working(), ["b", "c"]);
}

#[test]
fn approvals_that_do_not_count_are_refused_and_say_why() {
    let hall = canary_and_rest();
    let judge = |wave: &str, by: &str, reason: &str, seen: Option<&str>| {
        let judged = hall
            .campaign
            .approve(&wave.parse().unwrap(), &by.parse().unwrap(), reason, seen);
        judged.map_or_else(|refused| refused.to_string(), |event| event.to_string())
    };
    let hash = hall.campaign.hash().as_str();
    let lines = [
        judge("rest", "olga", "mine", None),
        judge("reste", "nora", "good", None),
        judge("canary", "nora", "good", None),
        judge("rest", "nora", "  ", None),
        judge("rest", "nora", "good", Some("0000")),
        judge("rest", "nora", "good", Some("")),
        judge("rest", "nora", "good", Some(&hash[..8])),
    ];
    insta::assert_snapshot!(lines.join("\n").replace(&hash[..12], "PLAN"), @r#"
    olga launched the campaign and cannot approve wave rest of it
    the campaign has no wave reste; it has canary, rest
    wave canary needs no approval
    an approval needs a reason
    the plan is now PLAN, and the approval is for "0000"; look at the new plan first
    the plan is now PLAN, and the approval is for ""; look at the new plan first
    wave rest of plan PLAN approved by nora: good
    "#);
}

#[test]
fn the_launcher_approving_in_the_loop_changes_nothing() {
    let mut hall = canary_and_rest();
    finish(&mut hall, "a");
    hall.wakes();
    let before = hall.events.len();
    hall.approve("rest", "olga");
    assert_eq!((hall.events.len(), hall.working().len()), (before, 0));
}

#[test]
fn another_plan_needs_its_own_approvals_and_is_walked_from_its_first_wave() {
    let mut hall = canary_and_rest();
    hall.approve("rest", "nora");
    finish(&mut hall, "a");
    let mut changed = plan(
        &[("canary", false, &["a", "d"]), ("rest", true, &["b", "c"])],
        &[],
    );
    changed.waves[0].concurrency = 1;
    let event = CampaignEvent::Replanned {
        plan: changed.hash(),
        launcher: changed.launcher.clone(),
    };
    hall.campaign.adopt(changed);
    hall.campaign.apply(hall.now, &event).unwrap();
    hall.turn(CampaignInput::Standing(
        id("d"),
        Box::new(super::scripted::idle()),
    ));
    // The canary wave was finished under the plan before; the device that it gained since is not left out.
    assert_eq!(hall.working(), ["d"]);
    finish(&mut hall, "d");
    hall.wakes();
    assert_eq!(hall.working(), Vec::<&str>::new());
    assert_eq!(hall.campaign.gate(), Some(&"rest".parse().unwrap()));
    hall.approve("rest", "nora");
    assert_eq!(hall.working(), ["b", "c"]);
}

#[test]
fn a_wave_opened_under_an_earlier_plan_stops_at_its_gate_again() {
    let mut hall = canary_and_rest();
    hall.approve("rest", "nora");
    finish(&mut hall, "a");
    hall.wakes();
    assert_eq!(hall.working(), ["b", "c"]);
    let mut changed = hall.campaign.plan().clone();
    changed.waves[1].concurrency = 1;
    let event = CampaignEvent::Replanned {
        plan: changed.hash(),
        launcher: changed.launcher.clone(),
    };
    hall.campaign.adopt(changed);
    hall.campaign.apply(hall.now, &event).unwrap();
    hall.ends_hop("b");
    assert_eq!(hall.working(), ["c"]);
    insta::assert_snapshot!(hall.why("b"), @"wave rest needs an approval (hopgate approve)");
    assert_eq!(hall.campaign.gate(), Some(&"rest".parse().unwrap()));
    hall.ends_hop("c");
    hall.approve("rest", "nora");
    assert_eq!(hall.working(), ["b"]);
}

#[test]
fn a_plan_under_another_hash_is_not_the_one_that_was_recorded() {
    let first = first_record(&plan(&[("all", false, &["a"])], &[]));
    let other = plan(&[("all", false, &["a", "b"])], &[]);
    assert!(Campaign::begin(&first, other).is_err());
}

#[test]
fn no_more_devices_than_the_wave_allows_are_under_way() {
    let mut wide = plan(&[("all", false, &["a", "b", "c", "d"])], &[]);
    wide.waves[0].concurrency = 2;
    let mut hall = Hall::new(wide).start();
    assert_eq!(hall.working(), ["a", "b"]);
    insta::assert_snapshot!(hall.why("c"), @"2 devices are under way, which is the wave's limit");
    finish(&mut hall, "b");
    assert_eq!(hall.working(), ["a", "c"]);
}

#[test]
fn nothing_starts_before_the_window_opens() {
    let mut hall = Hall::of(&["a"], &[]);
    let opens = hall.now;
    hall.now = opens - mins(90);
    let mut hall = hall.start();
    assert_eq!(hall.working(), Vec::<&str>::new());
    insta::assert_snapshot!(hall.why("a"), @"the change window opens at 2026-03-07T22:00:00Z");
    hall.wakes();
    assert_eq!((hall.now, hall.working()), (opens, vec!["a"]));
}

#[test]
fn when_nothing_can_start_any_more_a_person_is_told_once() {
    let mut hall = Hall::of(&["a", "b"], &[]).start();
    hall.ends_hop("b");
    hall.rests("a", Hold::StoodDown { staged: None });
    assert_eq!(hall.working(), ["a", "b"]);
    hall.ends_hop("b");
    hall.now = hall.campaign.plan().window.closes - mins(60);
    hall.rests("a", Hold::StoodDown { staged: None });
    insta::assert_snapshot!(hall.why("a"), @"the hop and its way back may take 160 min and the window closes at 2026-03-08T10:00:00Z");
    hall.at(hall.now + mins(1));
    hall.come_back();
    let told: Vec<&str> = hall
        .incidents()
        .iter()
        .map(|incident| incident.summary.as_str())
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"campaign spring: the window ends with 1 device unfinished; nothing is under way");
    assert!(matches!(
        hall.campaign.waits_for_person(hall.now),
        Some(Hold::WindowTooShort { .. })
    ));
}

#[test]
fn a_window_that_ends_while_an_approval_is_awaited_is_told_too() {
    let mut hall = canary_and_rest();
    finish(&mut hall, "a");
    hall.wakes();
    assert_eq!(hall.incidents().len(), 0);
    hall.wakes();
    assert!(hall.now < hall.campaign.plan().window.closes);
    assert_eq!(hall.incidents().len(), 1, "{}", hall.story());
}

#[test]
fn a_hold_of_a_device_ends_at_its_own_time() {
    let mut hall = Hall::of(&["a"], &[]).start();
    let until = hall.now + mins(10);
    hall.rests(
        "a",
        Hold::Gate {
            reasons: vec!["routes".to_owned()],
            until,
        },
    );
    assert_eq!(hall.working(), Vec::<&str>::new());
    assert_eq!(hall.campaign.waits_for_person(hall.now), None);
    hall.wakes();
    assert_eq!((hall.now, hall.working()), (until, vec!["a"]));
}

#[test]
fn a_device_that_waits_for_a_person_is_not_granted_until_one_resumes() {
    let mut hall = Hall::of(&["a"], &[]).start();
    let version = "10.2.0".parse().unwrap();
    hall.rests("a", Hold::ImageNotOffered { version });
    assert_eq!(
        hall.campaign.waits_for_person(hall.now),
        Some(Hold::ImageNotOffered { version })
    );
    hall.resume();
    assert_eq!(hall.resumed, [id("a")].into());
    hall.devices_resume();
    assert_eq!(hall.working(), ["a"]);
}

#[test]
fn a_stop_stands_everybody_down_and_starts_nothing() {
    let mut wide = plan(&[("all", false, &["a", "b", "c"])], &[]);
    wide.waves[0].concurrency = 2;
    let mut hall = Hall::new(wide).start();
    hall.turn(CampaignInput::Stop {
        because: "terminated".to_owned(),
    });
    assert_eq!(hall.stood_down, [id("a"), id("b")].into());
    assert!(!hall.campaign.is_at_rest());
    hall.rests("a", Hold::StoodDown { staged: None });
    hall.ends_hop("b");
    assert_eq!(hall.working(), Vec::<&str>::new());
    assert!(hall.campaign.is_at_rest());
    hall.come_back();
    assert_eq!(hall.working(), ["a", "b"]);
}

#[test]
fn a_stop_reaches_a_device_whose_grant_is_still_on_its_way() {
    let mut hall = Hall::of(&["a"], &[]);
    hall.takes_grants = false;
    let mut hall = hall.start();
    hall.turn(CampaignInput::Stop {
        because: "terminated".to_owned(),
    });
    assert_eq!(hall.stood_down, [id("a")].into());
    assert!(matches!(hall.standing(&id("a")).work, Work::Idle(_)));
}

/// An append of the journal holds 64 entries; a wave of a thousand was once granted in one decision and refused whole.
#[test]
fn a_wave_wider_than_an_append_is_granted_in_several_decisions() {
    let names: Vec<String> = (0..200).map(|number| format!("fw{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut wide = plan(&[("all", false, &names)], &[]);
    wide.waves[0].concurrency = 200;
    let hall = Hall::new(wide).start();
    assert_eq!(hall.working().len(), 200);
    assert!(hall.widest_decision <= 64, "{}", hall.widest_decision);
}

/// The permit of a halted device that a new plan leaves out once kept the campaign from ever coming to rest.
#[test]
fn a_device_that_a_new_plan_leaves_out_holds_nobody_up() {
    let mut wide = plan(&[("all", false, &["a", "b"])], &[]);
    wide.waves[0].concurrency = 1;
    let mut hall = Hall::new(wide).start();
    hall.halts("a", super::scripted::boot_loop());
    let changed = plan(&[("all", false, &["b"])], &[]);
    let event = CampaignEvent::Replanned {
        plan: changed.hash(),
        launcher: changed.launcher.clone(),
    };
    hall.campaign.adopt(changed);
    hall.campaign.apply(hall.now, &event).unwrap();
    hall.resume();
    assert_eq!(hall.working(), ["b"]);
    finish(&mut hall, "b");
    assert!(hall.campaign.is_finished());
    assert!(hall.campaign.is_at_rest());
}
