//! The first failed reboot stops everything; other halts page and do not; a resume leads on.

use super::scripted::{Hall, boot_loop, id, install_failed, mins};
use crate::campaign::{CampaignEvent, CampaignInput};
use crate::device::{Standing, Work};
use crate::halt::HaltReason;
use crate::incident::Severity;
use crate::waiting::Hold;

#[test]
fn the_first_failed_reboot_halts_the_campaign_and_stands_the_others_down() {
    let mut hall = Hall::of(&["a", "b", "c", "d", "e"], &[]).start();
    assert_eq!(hall.working(), ["a", "b", "c", "d"]);
    hall.halts("b", boot_loop());
    assert_eq!(hall.stood_down, [id("a"), id("c"), id("d")].into());
    hall.halts("c", boot_loop());
    hall.rests("a", Hold::StoodDown { staged: None });
    hall.ends_hop("d");
    hall.at(hall.now + mins(60));
    assert_eq!(hall.working(), Vec::<&str>::new());
    insta::assert_snapshot!(hall.why("e"), @"the campaign is halted by hopgate/spring/b/hop-0/0/boot-loop; nothing new starts until hopgate resume");
    let halts = hall
        .events
        .iter()
        .filter(|(_, event)| matches!(event, CampaignEvent::Halted { .. }))
        .count();
    assert_eq!((halts, hall.incidents().len()), (1, 2));
    assert!(matches!(
        hall.campaign.waits_for_person(hall.now),
        Some(Hold::CampaignHalted { .. })
    ));
    insta::assert_snapshot!(hall.story());
}

#[test]
fn a_halt_without_a_reboot_pages_and_the_others_go_on() {
    let mut hall = Hall::of(&["a", "b"], &[]).start();
    hall.halts("a", install_failed());
    assert_eq!(hall.incidents()[0].severity, Severity::Error);
    assert_eq!((hall.campaign.halted_by(), hall.stood_down.len()), (None, 0));
    hall.ends_hop("b");
    hall.ends_hop("b");
    assert_eq!(
        hall.campaign.waits_for_person(hall.now),
        Some(Hold::DeviceHalted { device: id("a") })
    );
    assert_eq!(hall.incidents().len(), 1);
}

#[test]
fn a_device_that_cannot_be_told_from_another_after_its_restart_halts_everything() {
    let mut hall = Hall::of(&["a", "b"], &[]).start();
    hall.halts(
        "a",
        HaltReason::Untrusted {
            detail: "another certificate".to_owned(),
        },
    );
    assert!(hall.campaign.halted_by().is_some());
}

#[test]
fn a_resume_resumes_devices_once_and_the_same_fault_again_is_a_new_page() {
    let mut hall = Hall::of(&["a", "b"], &[]).start();
    hall.halts("a", boot_loop());
    hall.resume();
    assert_eq!(
        (hall.campaign.halted_by(), hall.resumed.clone()),
        (None, [id("a")].into())
    );
    hall.devices_resume();
    assert_eq!(hall.working(), ["a", "b"]);
    hall.halts("a", boot_loop());
    assert_eq!(hall.incidents().len(), 2);
    assert_ne!(hall.incidents()[0].key, hall.incidents()[1].key);
    assert!(hall.campaign.halted_by().is_some());
}

#[test]
fn an_incident_is_opened_once_whatever_crashes() {
    let mut hall = Hall::of(&["a", "b"], &[]).start();
    hall.halts("a", boot_loop());
    let events = hall.events.len();
    hall.come_back();
    hall.come_back();
    assert_eq!(hall.events.len(), events);
    assert_eq!(hall.stood_down, [id("b")].into());
}

#[test]
fn a_grant_that_is_still_on_its_way_does_not_outlive_the_halt() {
    let mut hall = Hall::of(&["a", "b"], &[]).start();
    hall.takes_grants = false;
    hall.ends_hop("b");
    assert!(hall.on_its_way.contains_key(&id("b")));
    hall.halts("a", boot_loop());
    assert!(
        hall.stood_down.contains(&id("b")),
        "b was granted and would start a hop in a halted campaign"
    );
}

#[test]
fn a_grant_that_a_crash_swallowed_is_given_again_once_and_stood_down_where_the_campaign_is_halted() {
    let mut hall = Hall::of(&["a", "b"], &[]);
    hall.takes_grants = false;
    let mut hall = hall.start();
    let granted = hall.granted.clone();
    hall.granted.clear();
    hall.come_back();
    assert_eq!(hall.granted, granted);
    hall.takes_grants = true;
    hall.deliver();
    assert_eq!(hall.working(), ["a", "b"]);
    hall.granted.clear();
    hall.come_back();
    assert_eq!(hall.granted, []);

    hall.takes_grants = false;
    hall.ends_hop("b");
    hall.halts("a", boot_loop());
    hall.come_back();
    assert!(hall.on_its_way.contains_key(&id("b")) && hall.stood_down.contains(&id("b")));
}

#[test]
fn a_halted_member_out_of_service_keeps_its_place_and_the_campaign_says_that_it_waits_for_a_person() {
    let mut narrow = crate::plan::tests::plan(&[("all", false, &["a", "b"])], &[]);
    narrow.waves[0].concurrency = 1;
    let mut hall = Hall::new(narrow).start();
    let refused = HaltReason::Refused {
        action: "make HA functional".to_owned(),
        text: "no".to_owned(),
    };
    let standing = hall.standing(&id("a"));
    let work = Work::Halted {
        reason: refused,
        to: None,
    };
    hall.say(
        &id("a"),
        Standing {
            out_of_service: true,
            work,
            ..standing
        },
    );
    assert_eq!((hall.campaign.halted_by(), hall.working()), (None, vec![]));
    insta::assert_snapshot!(hall.why("b"), @"another device is under way, and the wave allows one at once");
    assert_eq!(
        hall.campaign.waits_for_person(hall.now),
        Some(Hold::DeviceHalted { device: id("a") })
    );
}

#[test]
fn an_illegal_event_is_refused_and_changes_nothing() {
    let mut hall = Hall::of(&["a"], &[]).start();
    let before = hall.campaign.permits().clone();
    let (device, permit) = (id("a"), before[&id("a")]);
    let wrong = [
        CampaignEvent::Granted {
            device: device.clone(),
            permit,
            because: None,
        },
        CampaignEvent::Returned {
            device: device.clone(),
            permit: 99,
            done: true,
        },
        CampaignEvent::WaveOpened {
            wave: "none".parse().unwrap(),
        },
        hall.events[0].1.clone(),
    ];
    for event in wrong {
        let refused = hall.campaign.apply(hall.now, &event).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("campaign spring cannot take the event"),
            "{refused}"
        );
    }
    assert_eq!(*hall.campaign.permits(), before);
    hall.turn(CampaignInput::Tick);
}

/// A device that only a person can help was once held, and the run ended, without anybody being told.
#[test]
fn a_hold_that_needs_a_person_pages_and_stops_nobody_else() {
    let mut hall = Hall::of(&["a", "b"], &[]);
    hall = hall.start();
    let expected = "10.1.14".parse().unwrap();
    hall.rests(
        "a",
        Hold::Drifted {
            expected,
            found: "10.1.0".parse().unwrap(),
        },
    );
    let told: Vec<&str> = hall
        .incidents()
        .iter()
        .map(|incident| incident.key.as_str())
        .collect();
    assert_eq!(told, ["hopgate/spring/a/hop-0/0/drifted"]);
    assert_eq!(hall.campaign.halted_by(), None);
    assert_eq!(hall.working(), ["b"]);
}
