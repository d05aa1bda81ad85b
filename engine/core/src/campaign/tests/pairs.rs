//! HA pairs: one member at a time, the passive one first, hop by hop.

use super::scripted::{Hall, id, install_failed, mins};
use crate::plan::tests::{hop, plan};
use crate::waiting::Hold;

fn pair(a: &str, b: &str) -> Hall {
    let mut hall = Hall::of(&["a", "b"], &[("a", "b")]);
    hall.roles.insert(id("a"), a.to_owned());
    hall.roles.insert(id("b"), b.to_owned());
    hall.start()
}

#[test]
fn the_passive_member_goes_first_and_both_do_a_hop_before_either_does_the_next() {
    let mut hall = pair("active", "passive");
    assert_eq!(hall.working(), ["b"]);
    insta::assert_snapshot!(hall.why("a"), @"its HA peer b is under way; never both");
    hall.ends_hop("b");
    assert_eq!(hall.working(), ["a"]);
    insta::assert_snapshot!(hall.why("b"), @"its HA peer a is under way; never both");
    hall.roles = [(id("a"), "passive".to_owned()), (id("b"), "active".to_owned())].into();
    hall.ends_hop("a");
    assert_eq!(hall.working(), ["a"]);
    hall.ends_hop("a");
    assert_eq!(hall.working(), ["b"]);
    hall.ends_hop("b");
    assert!(hall.campaign.is_finished());
    insta::assert_snapshot!(hall.story());
}

#[test]
fn roles_that_cannot_be_read_hold_both_and_are_read_again() {
    let mut hall = pair("active", "passive");
    hall.ends_hop("b");
    hall.roles.clear();
    hall.ends_hop("a");
    assert_eq!(hall.working(), Vec::<&str>::new());
    insta::assert_snapshot!(hall.why("a"), @"the HA roles of it and b are being read");
    hall.wakes();
    assert_eq!(hall.working(), Vec::<&str>::new());
    hall.roles = [(id("a"), "active".to_owned()), (id("b"), "passive".to_owned())].into();
    hall.wakes();
    assert_eq!(hall.working(), ["b"]);
}

#[test]
fn two_active_members_start_nothing_until_the_window_is_over_and_then_a_person_is_told() {
    let mut hall = pair("active", "active");
    let mut looks = 0;
    while hall.incidents().is_empty() {
        hall.wakes();
        looks += 1;
        assert!(looks < 2_000);
    }
    assert_eq!(hall.granted, []);
    assert!(hall.now < hall.campaign.plan().window.closes);
}

#[test]
fn a_halted_peer_holds_the_other_member() {
    let mut hall = pair("active", "passive");
    hall.halts("b", install_failed());
    assert_eq!(hall.working(), Vec::<&str>::new());
    insta::assert_snapshot!(hall.why("a"), @"its HA peer b waits for a person; look there first");
    assert_eq!(
        hall.campaign.waits_for_person(hall.now),
        Some(Hold::DeviceHalted { device: id("b") })
    );
}

#[test]
fn a_peer_that_drifted_holds_the_other_member_and_the_campaign_says_so() {
    let mut hall = pair("active", "passive");
    let drifted = Hold::Drifted {
        expected: "10.1.14".parse().unwrap(),
        found: "10.1.9".parse().unwrap(),
    };
    hall.rests("b", drifted.clone());
    hall.at(hall.now + mins(30));
    assert_eq!(hall.working(), Vec::<&str>::new());
    assert_eq!(hall.campaign.waits_for_person(hall.now), Some(drifted));
}

#[test]
fn members_on_different_releases_come_level_first() {
    let mut uneven = plan(&[("all", false, &["a", "b"])], &[("a", "b")]);
    let ahead = uneven.devices.get_mut(&id("b")).unwrap();
    ahead.route.from = "10.2.0".parse().unwrap();
    ahead.route.hops = vec![hop("10.2.0", "10.2.7")];
    let mut hall = Hall::new(uneven);
    hall.roles = [(id("a"), "active".to_owned()), (id("b"), "passive".to_owned())].into();
    let mut hall = hall.start();
    assert_eq!(hall.working(), ["a"]);
    insta::assert_snapshot!(hall.why("b"), @"its HA peer a is under way; never both");
    hall.ends_hop("a");
    assert_eq!(hall.working(), ["b"]);
}

#[test]
fn a_pair_never_has_both_permits_out_over_crashes() {
    let mut hall = pair("active", "passive");
    for _ in 0..3 {
        hall.come_back();
        assert_eq!(hall.campaign.permits().len(), 1);
        assert_eq!(hall.working(), ["b"]);
    }
}
