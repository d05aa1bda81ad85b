//! Whose backup is told, which of them, and what is said of one that cannot be read; over a real journal and real files.

use hopgate_core::device::Permit;
use hopgate_paths::{Catalogue, Graph};
use hopgate_playbooks::System;

use super::*;
use crate::journal::Scratch;
use crate::journal::blobs::BlobId;
use crate::state::State;

const CONFIGURATION: &[u8] = b"<?xml version=\"1.0\"?>\n<config version=\"10.1.0\"><shared/></config>\n";

/// A state directory with campaigns in it.
struct Desk {
    state: State,
    scratch: Scratch,
}

impl Desk {
    fn new() -> Desk {
        let scratch = Scratch::new("kept");
        let state = State::open(&scratch.path("state")).unwrap();
        Desk { state, scratch }
    }

    fn ledger(&self) -> &Ledger {
        self.state.ledger()
    }

    async fn append(&self, enrolled: &Enrolment, minute: i64, event: Event) {
        let stream = device_stream(&enrolled.campaign, &enrolled.device).unwrap();
        let next = self.ledger().next(&stream).unwrap();
        let at = Timestamp::from_millisecond(1_772_920_800_999 + minute * 60_000).unwrap();
        self.ledger().append(&stream, next, at, &[event]).await.unwrap();
    }

    async fn enrol(&self, campaign: &str, device: &str, serial: &str) -> Enrolment {
        let graph = Graph::new(Catalogue::embedded().unwrap(), "PA-850").unwrap();
        let (from, to) = ("9.1.16".parse().unwrap(), "11.1.0".parse().unwrap());
        let enrolled = Enrolment {
            device: device.parse().unwrap(),
            campaign: campaign.parse().unwrap(),
            plan: serde_json::from_value("ab".repeat(32).into()).unwrap(),
            model: "PA-850".to_owned(),
            serial: serial.to_owned(),
            peer: None,
            hops: graph.route(from, to, &[]).unwrap().hops,
        };
        self.append(&enrolled, 0, Event::Enrolled(Box::new(enrolled.clone())))
            .await;
        enrolled
    }

    /// Takes a backup before the hop of that number.
    async fn back_up(&self, enrolled: &Enrolment, hop: u32, minute: i64, document: &[u8]) {
        let permit = Permit {
            id: u64::from(hop) + 1,
            hop,
            reboot_by: Timestamp::MAX,
        };
        self.append(enrolled, minute, Event::PermitReceived(permit)).await;
        let taken = Event::BackedUp {
            blob: self.ledger().store(document).unwrap(),
            bytes: document.len() as u64,
            snapshot: None,
        };
        self.append(enrolled, minute, taken).await;
    }

    /// What is told of the firewall that answers with this serial number.
    async fn told(&self, serial: &str) -> String {
        self.told_by(&Kept::of(self.ledger()), serial, None).await
    }

    async fn told_by(&self, kept: &Kept, serial: &str, enrolled: Option<&Enrolment>) -> String {
        let mut facts = asked();
        facts.system = Fact::Known(System {
            hostname: "fw1".to_owned(),
            model: "PA-850".to_owned(),
            serial: serial.to_owned(),
            sw_version: "10.1.14".parse().unwrap(),
            app_version: "8900-9000".to_owned(),
            uptime_seconds: 1,
            operational_mode: None,
            multi_vsys: false,
        });
        kept.tell(&mut facts, enrolled).await;
        assert_eq!(facts.sources[&FactArea::Backup].commands, [OWN_RECORDS]);
        let told = match &facts.backup {
            Fact::Known(Backups { newest: None }) => "none is kept".to_owned(),
            Fact::Known(Backups { newest: Some(newest) }) => serde_json::to_string(newest).unwrap(),
            Fact::Unknown(why) => format!("unknown: {why}"),
        };
        told.replace(&format!("{}/", self.scratch.path("state").display()), "")
    }
}

/// Facts that were asked for the backup, of a firewall that gave no answer.
fn asked() -> Facts {
    let areas = [FactArea::Backup, FactArea::System].into();
    Facts::silent("fw1", Timestamp::UNIX_EPOCH, "no answer", &areas)
}

#[tokio::test]
async fn the_newest_of_the_serial_number_is_told_whatever_its_name() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.told("0011").await, @"none is kept");
    let spring = desk.enrol("spring", "fw1", "0011").await;
    let autumn = desk.enrol("autumn", "vie-edge1", "0011").await;
    let another = desk.enrol("winter", "fw1", "0022").await;
    insta::assert_snapshot!(desk.told("0011").await, @"none is kept");
    desk.back_up(&spring, 1, 20, CONFIGURATION).await;
    desk.back_up(&autumn, 0, 10, CONFIGURATION).await;
    insta::assert_snapshot!(desk.told("0011").await, @r#"{"taken_at":"2026-03-07T22:20:00Z","release":"9.1.19","campaign":"spring","bytes":66,"unreadable":null}"#);
    // The same name, and another customer's firewall.
    insta::assert_snapshot!(desk.told("0022").await, @"none is kept");
    desk.back_up(&another, 0, 30, CONFIGURATION).await;
    desk.back_up(&autumn, 0, 25, CONFIGURATION).await;
    insta::assert_snapshot!(desk.told("0011").await, @r#"{"taken_at":"2026-03-07T22:25:00Z","release":"9.1.16","campaign":"autumn","bytes":66,"unreadable":null}"#);
    insta::assert_snapshot!(desk.told("0022").await, @r#"{"taken_at":"2026-03-07T22:30:00Z","release":"9.1.16","campaign":"winter","bytes":66,"unreadable":null}"#);
}

#[tokio::test]
async fn what_cannot_be_read_says_why_and_quotes_nothing() {
    let desk = Desk::new();
    let enrolled = desk.enrol("spring", "fw1", "0011").await;
    let unreadable = || async {
        let told = desk.told("0011").await;
        let told: Backup = serde_json::from_str(&told).unwrap();
        told.unreadable.unwrap()
    };
    let mut said = Vec::new();
    let cut = &CONFIGURATION[..50];
    for (minute, document) in [(1, cut), (2, b"<html>secret</html>")] {
        desk.back_up(&enrolled, 0, minute, document).await;
        said.push(unreadable().await);
    }
    desk.back_up(&enrolled, 0, 3, CONFIGURATION).await;
    let file = desk
        .scratch
        .path("state/content")
        .join(BlobId::of(CONFIGURATION).to_string());
    std::fs::write(&file, b"<config/>").unwrap();
    said.push(unreadable().await);
    std::fs::remove_file(&file).unwrap();
    said.push(unreadable().await);
    insta::assert_snapshot!(said.join("\n"), @r"
    a configuration that is not whole, seen at byte 50 of 50
    a document that is no configuration
    refused content/4d2d3ab6fa101270cd72dff771eec483056bb371d5272f75a6377bce65915fe3: its content has the hash 22b6aea43b874c33f01d0619be783f9109bd32869bbb9a675e6c54811793d831 (J025)
    cannot read content/4d2d3ab6fa101270cd72dff771eec483056bb371d5272f75a6377bce65915fe3: No such file or directory (os error 2) (J024)
    ");
    // Taken once more, it is there again.
    desk.back_up(&enrolled, 0, 4, CONFIGURATION).await;
    let told: Backup = serde_json::from_str(&desk.told("0011").await).unwrap();
    assert_eq!(told.unreadable, None);
}

#[tokio::test]
async fn a_firewall_without_a_serial_number_is_only_known_in_its_own_campaign() {
    let desk = Desk::new();
    let enrolled = desk.enrol("spring", "fw1", "unknown").await;
    insta::assert_snapshot!(desk.told("unknown").await, @"none is kept");
    desk.back_up(&enrolled, 0, 1, CONFIGURATION).await;
    insta::assert_snapshot!(desk.told("unknown").await, @r#"unknown: its serial number ("unknown") does not tell it from others of which backups are kept"#);
    let kept = Kept::of(desk.ledger());
    let told = desk.told_by(&kept, "unknown", Some(&enrolled)).await;
    insta::assert_snapshot!(told, @r#"{"taken_at":"2026-03-07T22:01:00Z","release":"9.1.16","campaign":"spring","bytes":66,"unreadable":null}"#);
    // Another one answers in its place.
    let told = desk.told_by(&kept, "0011", Some(&enrolled)).await;
    insta::assert_snapshot!(told, @"none is kept");
}

#[tokio::test]
async fn a_campaign_sees_the_backups_that_it_takes_itself() {
    let desk = Desk::new();
    let enrolled = desk.enrol("spring", "fw1", "0011").await;
    let kept = Kept::of(desk.ledger());
    let told = || desk.told_by(&kept, "0011", Some(&enrolled));
    assert_eq!(told().await, "none is kept");
    for (hop, planned) in (0..).zip(&enrolled.hops) {
        desk.back_up(&enrolled, hop, i64::from(hop), CONFIGURATION).await;
        let told: Backup = serde_json::from_str(&told().await).unwrap();
        assert_eq!(
            (told.release, told.campaign.as_str()),
            (Some(planned.from), "spring")
        );
    }
    assert!(enrolled.hops.len() > 1);
}

#[tokio::test]
async fn what_the_records_do_not_tell_is_unknown() {
    let desk = Desk::new();
    let enrolled = desk.enrol("spring", "fw1", "0011").await;
    let mut silent = asked();
    Kept::of(desk.ledger()).tell(&mut silent, Some(&enrolled)).await;
    insta::assert_snapshot!(silent.unknown(FactArea::Backup).unwrap(), @"whose backup to look for is not known: no answer");
    let mut not_asked = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
    Kept::of(desk.ledger())
        .tell(&mut not_asked, Some(&enrolled))
        .await;
    assert_eq!(not_asked, Facts::unread("fw1", Timestamp::UNIX_EPOCH));
    // A record of a later hopgate: whose it is cannot be told.
    let stream = device_stream(&"autumn".parse().unwrap(), &"fw9".parse().unwrap()).unwrap();
    let record = [serde_json::json!({"moved_house": {}})];
    let at = Timestamp::UNIX_EPOCH;
    let next = desk.ledger().next(&stream).unwrap();
    desk.ledger().append(&stream, next, at, &record).await.unwrap();
    insta::assert_snapshot!(desk.told("0011").await, @"unknown: record 0 of device/autumn/fw9 is not an event that this version of hopgate knows");
}
