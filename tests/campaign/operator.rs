//! People and processes around a campaign: stopping it, going on, and what must not be told to anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hopgate::fleet::{Command, Ending};
use hopgate::journal::memory::MemoryJournal;
use hopgate::story::Story;
use hopgate_core::device::Phase;
use hopgate_tests::{World, secrets};
use panos_simulator::{Exchange, NetworkFault};

const FLEET: &str = "\
seed: 21
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: correct-horse-7}
devices:
  - {name: alone, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
  - {name: left, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
  - {name: right, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
pairs:
  - {name: pair, members: [left, right], active: left}
";

/// Without differences: hundreds of campaigns, and each look would read everything.
const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.7
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T22:00:00Z}
inventory: inventory.yaml
checks: {before: [readiness, advisories], after: [after]}
waves:
  - {name: all, rest: true, concurrency: 8}
";

/// Stopped at any minute, everything comes to a safe place, and a new run goes on from there.
#[tokio::test(start_paused = true)]
async fn a_stop_at_any_minute_comes_to_rest_and_a_new_run_goes_on() {
    for minute in 0..60 {
        let world = World::new(FLEET, CAMPAIGN, Arc::new(MemoryJournal::new()));
        world.enrol().await;
        let session = world.start(true);
        world.wait_minutes(minute).await;
        let context = format!("stopped after {minute} minutes");
        if session
            .commands
            .send(Command::Stop {
                because: "the operator".to_owned(),
            })
            .is_ok()
        {
            let ending = session.end().await;
            assert!(
                matches!(ending, Ending::Stopped | Ending::Finished),
                "{context}: {ending:?}"
            );
        }
        for name in ["alone", "left", "right"] {
            let device = world.device(name);
            assert!(
                matches!(device.phase(), Phase::Waiting(_) | Phase::Done),
                "{context}: {name} {:?}",
                device.phase()
            );
            let ha = world.fleet.state(name).unwrap().ha;
            let suspended = ha.is_some_and(|ha| ha.state == panos_simulator::HaState::Suspended);
            assert!(!suspended, "{context}: {name} is left suspended");
        }
        assert_eq!(world.breaches(), Vec::<String>::new(), "{context}");
        assert_eq!(world.run(Vec::new()).await, Ending::Finished, "{context}");
        world.assert_all_done_once(&context);
        assert_eq!(world.incidents(), [], "{context}");
    }
}

/// Everything that a campaign leaves behind but the stored configurations themselves, after a night with all kinds of
/// trouble, is free of passwords, API keys and private keys.
#[tokio::test(start_paused = true)]
async fn no_secret_is_left_in_records_stories_reports_or_logs() {
    let log = secrets::Log::default();
    let _listening = log.listen();
    let journal = Arc::new(MemoryJournal::new());
    let mut world = World::new(FLEET, CAMPAIGN, Arc::clone(&journal) as _);
    world.enrol().await;
    // A new process has no keys yet: its logins go wrong as well.
    world.restart(Arc::clone(&journal) as _);
    for (operation, fault) in [
        ("keygen", NetworkFault::Truncate),
        ("keygen", NetworkFault::Html),
        ("export-configuration", NetworkFault::Truncate),
        ("export-configuration", NetworkFault::LoseReply),
        ("install", NetworkFault::Html),
        ("restart", NetworkFault::Truncate),
    ] {
        for device in ["alone", "left", "right"] {
            world.inject(device, operation, fault, 1);
        }
    }
    assert_eq!(world.run(Vec::new()).await, Ending::Finished);
    world.assert_all_done_once("secrets");

    let key = api_key(&world).await;
    let mut needles = vec!["correct-horse-7", key.as_str()];
    needles.extend(secrets::IN_CONFIGURATIONS);
    let story = Story::of(&world.ledger, &world.id(), &BTreeMap::new())
        .unwrap()
        .unwrap();
    let told = [
        ("log", log.text()),
        ("story", serde_json::to_string(&story).unwrap()),
        ("report", hopgate::report::html(&story)),
        ("table", hopgate::report::table(&story)),
        ("status", hopgate::report::status_text(&story)),
        (
            "timeline",
            hopgate::report::timeline_text(&story, &"alone".parse().unwrap()).unwrap_or_default(),
        ),
        ("plan", world.recorded_plan().to_json()),
        ("why", world.told("alone").join("\n")),
    ];
    let records = secrets::records(&*journal);
    let haystacks = told.iter().map(|(place, text)| (*place, text.as_bytes())).chain(
        records
            .iter()
            .map(|(place, bytes)| (place.as_str(), bytes.as_slice())),
    );
    assert_eq!(secrets::found(haystacks, &needles), Vec::<String>::new());

    // The search finds what is there: the log is no empty page, and the stored configurations hold their keys.
    assert!(log.text().contains("export"), "{}", log.text());
    let stored: Vec<(String, Vec<u8>)> = stored(&world);
    let haystacks = stored
        .iter()
        .map(|(place, bytes)| (place.as_str(), bytes.as_slice()));
    let found = secrets::found(haystacks, &needles);
    assert!(
        !found.is_empty(),
        "the configurations were stored with their keys"
    );
    assert!(
        found
            .iter()
            .all(|line| !line.contains("correct-horse-7") && !line.contains(&key)),
        "{found:?}"
    );
}

/// The key that a device gives for the fleet's password, straight from the simulator.
async fn api_key(world: &World) -> String {
    let body = "type=keygen&user=admin&password=correct-horse-7";
    let request = http::Request::post("/api/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap();
    let Exchange::Reply(reply) = world.fleet.exchange("alone", request).await else {
        panic!("the device answers")
    };
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    let key = text
        .split("<key>")
        .nth(1)
        .and_then(|rest| rest.split("</key>").next());
    key.unwrap_or_else(|| panic!("{text}")).to_owned()
}

fn stored(world: &World) -> Vec<(String, Vec<u8>)> {
    let backups = world
        .events("alone")
        .into_iter()
        .filter_map(|dated| match dated.event {
            hopgate_core::device::Event::BackedUp { blob, .. } => Some(blob),
            _ => None,
        });
    backups
        .map(|blob| {
            let bytes = world.ledger.document(&blob).unwrap();
            (blob, bytes)
        })
        .collect()
}
