//! What the story says of a scripted night, and that it says the same of every half-told one.

use hopgate_core::device::Event;
use hopgate_core::names::CampaignId;
use jiff::Timestamp;

use super::sample::{self, at, id};
use super::{CampaignState, DeviceStanding, DeviceStory, HopState, Story, WaitCause};

fn device<'a>(story: &'a Story, name: &str) -> &'a DeviceStory {
    story.device(&id(name)).unwrap()
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

fn waits(device: &DeviceStory) -> String {
    let lines: Vec<String> = device
        .waits
        .iter()
        .map(|wait| {
            let until = wait.until.map_or_else(|| "...".to_owned(), clock);
            let cause = wait.cause.label();
            format!(
                "{} {until} {:>3} min {cause}: {}",
                clock(wait.from),
                wait.minutes,
                wait.why
            )
        })
        .collect();
    lines.join("\n")
}

#[test]
fn a_campaign_that_the_journal_does_not_know_has_no_story() {
    let night = sample::night("unknown");
    let unknown: CampaignId = "autumn".parse().unwrap();
    let story = Story::of(night.ledger(), &unknown, &std::collections::BTreeMap::new()).unwrap();
    assert_eq!(story, None);
}

#[test]
fn devices_are_told_in_the_order_of_their_waves() {
    let story = sample::night("order").story();
    let names: Vec<&str> = story
        .devices
        .iter()
        .map(|device| device.device.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "fw-par-1",
            "fw-lyo-1a",
            "fw-lyo-1b",
            "fw-ber-1",
            "fw-old-1",
            "fw-ham-1",
            "fw-zrh-1"
        ]
    );
    assert_eq!(
        device(&story, "fw-par-1").labels.get("site").map(String::as_str),
        Some("paris")
    );
}

#[test]
fn a_hop_is_measured_in_its_parts() {
    let story = sample::night("parts").story();
    let first = &device(&story, "fw-lyo-1a").hops[0];
    assert_eq!((first.started, first.ended), (Some(at(95.6)), Some(at(132.6))));
    assert_eq!(first.state, HopState::Done);
    assert_eq!(
        (first.minutes, first.install_minutes, first.reboot_minutes),
        (Some(37), Some(12), Some(15))
    );
    assert_eq!(
        (first.checks_before, first.checks_after, first.boots),
        (Some(23), Some(21), 1)
    );
}

#[test]
fn time_under_a_halt_counts_neither_as_the_hop_nor_as_the_reboot() {
    let story = sample::night("halt").story();
    let ber = device(&story, "fw-ber-1");
    let hop = &ber.hops[0];
    // Restart at 236.5, halted at 261, resumed at 305, back at 311, ended at 313; granted at 217.4.
    assert_eq!(hop.reboot_minutes, Some(31));
    assert_eq!(hop.minutes, Some(52));
    assert_eq!(hop.boots, 4);
    assert_eq!(ber.halts.len(), 1);
    let halt = &ber.halts[0];
    assert_eq!(halt.resumed.as_ref().map(|resume| resume.at), Some(at(305.0)));
    let incident = &story.campaign.incidents[0];
    assert_eq!(incident.key, halt.incident);
    assert_eq!(incident.evidence, halt.evidence);
    assert_eq!(incident.resumed, Some(at(305.0)));
    assert_eq!(story.campaign.incidents[1].resumed, None);
}

#[test]
fn a_boot_is_not_yet_a_release_that_runs() {
    let halted = sample::halted_night("boot").story();
    let ber = device(&halted, "fw-ber-1");
    assert_eq!(ber.now.to_string(), "10.1.14");
    assert_eq!(ber.seen.map(|seen| seen.to_string()).as_deref(), Some("10.2.7"));
    let resumed = sample::night("boot-2").story();
    let ber = device(&resumed, "fw-ber-1");
    assert_eq!((ber.now.to_string().as_str(), ber.seen), ("10.2.7", None));
}

#[test]
fn every_wait_has_the_reason_that_the_rules_gave() {
    let story = sample::night("waits").story();
    insta::assert_snapshot!(waits(device(&story, "fw-par-1")), @r"
    21:15:00 22:00:00  45 min window: the change window opens at 2026-03-07T22:00:00Z
    22:00:00 22:00:12   0 min permit: ready; the campaign has not granted the next hop yet
    ");
    insta::assert_snapshot!(waits(device(&story, "fw-lyo-1a")), @r"
    21:15:00 22:36:18  81 min earlier wave: its wave opens when wave canary is finished
    22:36:18 22:46:18  10 min soak: wave canary is being watched until 2026-03-07T22:46:18Z
    22:46:18 22:58:00  12 min approval: wave pairs needs an approval (hopgate approve)
    22:58:00 22:58:30   1 min HA peer: the HA roles of it and fw-lyo-1b are being read
    22:58:30 23:35:30  37 min HA peer: its HA peer fw-lyo-1b is under way; never both
    23:35:30 23:35:36   0 min permit: ready; the campaign has not granted the next hop yet
    00:12:36 00:13:00   0 min HA peer: the HA roles of it and fw-lyo-1b are being read
    ");
    insta::assert_snapshot!(waits(device(&story, "fw-old-1")), @r"
    21:15:00 01:27:18 252 min earlier wave: its wave opens when wave pairs is finished
    01:27:18 01:37:18  10 min soak: wave pairs is being watched until 2026-03-08T01:37:18Z
    01:37:18 01:37:24   0 min permit: ready; the campaign has not granted the next hop yet
    02:23:06 03:05:00  42 min campaign halt: the campaign is halted by hopgate/spring/fw-ber-1/hop-0/0/boot-loop; nothing new starts until hopgate resume
    03:05:00 03:05:06   0 min permit: ready; the campaign has not granted the next hop yet
    ");
    insta::assert_snapshot!(waits(device(&story, "fw-zrh-1")), @r"
    21:15:00 02:21:06 306 min earlier wave: its wave opens when wave rest is finished
    02:21:06 03:05:00  44 min campaign halt: the campaign is halted by hopgate/spring/fw-ber-1/hop-0/0/boot-loop; nothing new starts until hopgate resume
    03:05:00 ...  27 min earlier wave: its wave opens when wave rest is finished
    ");
}

#[test]
fn waits_and_work_of_a_device_never_overlap_and_leave_no_gap() {
    let story = sample::night("gaps").story();
    for device in &story.devices {
        let mut stretches: Vec<(Timestamp, Timestamp)> = device
            .waits
            .iter()
            .map(|wait| (wait.from, wait.until.unwrap_or(story.campaign.last_record)))
            .collect();
        let spans = device.hops.iter().flat_map(|hop| &hop.spans);
        stretches.extend(spans.map(|span| (span.from, span.until.unwrap_or(story.campaign.last_record))));
        stretches.sort_unstable();
        for pair in stretches.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "{}: {stretches:?}", device.device);
        }
        let end = stretches.last().unwrap().1;
        let done = device.state.standing == DeviceStanding::Done;
        assert!(done || end == story.campaign.last_record, "{}", device.device);
    }
}

#[test]
fn a_halted_night_says_who_is_needed_for_what() {
    let story = sample::halted_night("needs").story();
    assert_eq!(story.campaign.state, CampaignState::Halted);
    insta::assert_snapshot!(story.campaign.needs.as_deref().unwrap_or_default(), @"the campaign is halted by hopgate/spring/fw-ber-1/hop-0/0/boot-loop; nothing new starts until hopgate resume");
    let ber = &device(&story, "fw-ber-1").state;
    insta::assert_snapshot!(ber.text, @"boot loop: 3 boots seen, went dark 3 times, no auto-commit ever finished");
    insta::assert_snapshot!(ber.next_step.as_deref().unwrap_or_default(), @"do not power-cycle it (a TPM lockout can hold it down for a day); look at its console and its optics");
    assert!(ber.needs_person);
    // The campaign's halt needs a person once, not once for every device that waits for its end.
    assert_eq!(story.totals.need_person, 1);
    let old = device(&story, "fw-old-1");
    assert_eq!(old.hops[0].state, HopState::AtRest);
    assert_eq!(
        old.waits.last().map(|wait| wait.cause),
        Some(WaitCause::CampaignHalt)
    );
}

#[test]
fn another_plan_makes_approvals_void_and_lets_a_device_drop_out() {
    let mut night = sample::night("replan");
    let before = night.story();
    night.replan(340.0);
    let story = night.story();
    assert_ne!(story.campaign.plan, before.campaign.plan);
    let launchers: Vec<&str> = story
        .campaign
        .plans
        .iter()
        .map(|taken| taken.launcher.as_str())
        .collect();
    assert_eq!(launchers, ["olga", "petra"]);
    assert!(before.campaign.approvals.iter().all(|approval| approval.counts));
    assert!(story.campaign.approvals.iter().all(|approval| !approval.counts));
    let dropped = story.devices.last().unwrap();
    assert_eq!((dropped.device.as_str(), &dropped.wave), ("fw-zrh-1", &None));
    assert_eq!(dropped.state.text, "not in the present plan");
    assert_eq!(dropped.waits.last().unwrap().until, Some(at(340.0)));
}

#[test]
fn totals_count_every_device_once() {
    let totals = sample::night("totals").story().totals;
    assert_eq!(
        totals.done + totals.working + totals.waiting + totals.halted,
        totals.devices
    );
    insta::assert_snapshot!(serde_json::to_string(&totals).unwrap(), @r#"{"devices":7,"done":4,"working":1,"waiting":1,"halted":1,"need_person":1,"hops":9,"hops_done":6,"median_hop_minutes":37,"slowest":{"device":"fw-ber-1","hop":1,"minutes":52},"incidents":2}"#);
}

#[test]
fn a_story_survives_json() {
    let story = sample::night("json").story();
    let json = serde_json::to_string(&story).unwrap();
    assert_eq!(serde_json::from_str::<Story>(&json).unwrap(), story);
}

#[test]
fn an_event_that_does_not_fit_names_its_stream() {
    let mut night = sample::halted_night("illegal");
    night.device("fw-zrh-1", 400.0, Event::Restored);
    let refused = Story::of(
        night.ledger(),
        &sample::name(),
        &std::collections::BTreeMap::new(),
    )
    .unwrap_err();
    insta::assert_snapshot!(refused, @"the stream device/spring/fw-zrh-1 contradicts itself");
    insta::assert_snapshot!(std::error::Error::source(&refused).unwrap(), @r#"device fw-zrh-1 cannot take the event "restored" while waiting"#);
}

#[test]
fn the_middle_of_an_even_number_of_hops_is_rounded_up() {
    assert_eq!(super::totals::median(vec![9, 4, 6, 5]), Some(6));
    assert_eq!(super::totals::median(vec![7, 4, 9]), Some(7));
    assert_eq!(super::totals::median(Vec::new()), None);
}
