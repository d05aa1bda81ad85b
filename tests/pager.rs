//! Pages: decided once, delivered at least once, under one key, across failures and crashes; and no secret on the way.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is part of tests, which fail by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use hopgate::clock::{self, Clock};
use hopgate::fleet::Ending;
use hopgate::journal::Journal;
use hopgate::journal::memory::MemoryJournal;
use hopgate::pager::pagerduty::PagerDuty;
use hopgate::pager::{Channel, Pager, Stop};
use hopgate_core::waiting::Hold;
use hopgate_tests::receiver::{Answer, Receiver};
use hopgate_tests::tripwire::{Point, Tripwire};
use hopgate_tests::{World, secrets};
use tokio::sync::watch;

const ROUTING_KEY: &str = "R0UT1NG-KEY-0123456789";

const FLEET: &str = "\
seed: 3
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
faults: [never-returns]
";

const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.7
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T22:00:00Z}
inventory: inventory.yaml
waves:
  - {name: all, rest: true}
";

/// The one incident of the campaign.
const KEY: &str = "hopgate/spring/fw1/hop-0/0/not-back";

/// Longest time that anything here may take, in real time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a campaign to its incident, on virtual time and a thread of its own; pages go out in real time.
fn halted(journal: &MemoryJournal) -> World {
    let shared: Arc<dyn Journal> = Arc::new(journal.crash());
    let night = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let world = World::new(FLEET, CAMPAIGN, shared);
            world.enrol().await;
            let ending = world.run(Vec::new()).await;
            assert!(
                matches!(ending, Ending::WaitsForPerson(Hold::CampaignHalted { .. })),
                "{ending:?}"
            );
            world
        })
    });
    let world = night.join().unwrap();
    assert_eq!(world.incidents()[0].key, KEY);
    world
}

fn channel(receiver: &Receiver) -> Arc<dyn Channel> {
    Arc::new(PagerDuty::new(receiver.url(), ROUTING_KEY.to_owned()).unwrap())
}

fn pager(world: &World, receiver: &Receiver) -> Pager {
    let channels = vec![channel(receiver)];
    Pager::new(world.ledger.clone(), Clock::system(), channels, world.id())
}

/// A pager from its start until its outbox is empty.
async fn run_until_empty(world: &World, receiver: &Receiver) {
    let (_stop, stops) = watch::channel(Stop::WhenEmpty);
    let run = pager(world, receiver).run(stops);
    clock::within(PATIENCE, run).await.unwrap().unwrap();
    let left = pager(world, receiver).outbox("pagerduty").unwrap();
    assert_eq!(left, []);
}

fn keys(receiver: &Receiver) -> Vec<(Answer, String)> {
    let seen = receiver.seen().into_iter();
    seen.map(|(answer, event)| (answer, event["dedup_key"].as_str().unwrap().to_owned()))
        .collect()
}

fn all(answers: &[Answer]) -> Vec<(Answer, String)> {
    answers.iter().map(|answer| (*answer, KEY.to_owned())).collect()
}

#[tokio::test]
async fn a_page_is_tried_until_it_is_accepted_and_then_not_again() {
    let world = halted(&MemoryJournal::new());
    let answers = [Answer::ServerError, Answer::HangUp];
    let receiver = Receiver::listen(&answers).await;
    run_until_empty(&world, &receiver).await;
    let expected = all(&[Answer::ServerError, Answer::HangUp, Answer::Accept]);
    assert_eq!(keys(&receiver), expected);

    let page = receiver.seen().remove(2).1;
    assert_eq!(page["event_action"], "trigger");
    assert_eq!(page["payload"]["severity"], "critical");
    insta::assert_snapshot!(page["payload"]["summary"].as_str().unwrap(), @"fw1 (PA-VM) on the way to 10.2.7: not back 40 min after the restart; last seen: dark since the restart");
    let evidence = page["payload"]["custom_details"]["evidence"].as_array().unwrap();
    assert!(!evidence.is_empty(), "{page}");

    // Another process finds it delivered.
    run_until_empty(&world, &receiver).await;
    assert_eq!(keys(&receiver), expected);
}

/// The incident is recorded while the pager runs and waits: it goes out without being asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_incident_that_is_recorded_later_wakes_the_pager() {
    let journal = MemoryJournal::new();
    let mut receiver = Receiver::listen(&[]).await;
    let world = {
        let shared: Arc<dyn Journal> = Arc::new(journal.crash());
        let night = tokio::task::spawn_blocking({
            let shared = Arc::clone(&shared);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .start_paused(true)
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let world = World::new(FLEET, CAMPAIGN, shared);
                    world.enrol().await;
                    world
                })
            }
        });
        night.await.unwrap()
    };
    let (stop, stops) = watch::channel(Stop::Run);
    let paging = tokio::spawn(pager(&world, &receiver).run(stops));
    let night = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let ending = world.run(Vec::new()).await;
            assert!(matches!(ending, Ending::WaitsForPerson(_)), "{ending:?}");
        });
    });
    clock::within(PATIENCE, receiver.until(1)).await.unwrap();
    night.await.unwrap();
    stop.send(Stop::WhenEmpty).unwrap();
    clock::within(PATIENCE, paging).await.unwrap().unwrap().unwrap();
    assert_eq!(keys(&receiver), all(&[Answer::Accept]));
}

#[tokio::test]
async fn a_crash_between_the_decision_and_the_delivery_loses_no_page() {
    let journal = MemoryJournal::new();
    let mut world = halted(&journal);
    let mut receiver = Receiver::listen(&[Answer::ServerError]).await;
    // Dies after the first try, which failed.
    let (_stop, stops) = watch::channel(Stop::Run);
    let paging = tokio::spawn(pager(&world, &receiver).run(stops));
    clock::within(PATIENCE, receiver.until(1)).await.unwrap();
    paging.abort();
    assert!(paging.await.unwrap_err().is_cancelled());

    world.restart(Arc::new(journal.crash()));
    run_until_empty(&world, &receiver).await;
    assert_eq!(keys(&receiver), all(&[Answer::ServerError, Answer::Accept]));
}

/// Accepted and not recorded: it goes out again, and its key lets the receiver see that it is the same.
#[tokio::test]
async fn a_crash_between_the_acceptance_and_its_record_delivers_again_under_the_same_key() {
    for point in [Point::Before, Point::Written, Point::Durable] {
        let journal = MemoryJournal::new();
        let mut world = halted(&journal);
        let receiver = Receiver::listen(&[]).await;
        let tripwire = Tripwire::new(journal.crash(), Some((0, point)));
        world.restart(Arc::clone(&tripwire) as _);
        let (_stop, stops) = watch::channel(Stop::Run);
        let paging = tokio::spawn(pager(&world, &receiver).run(stops));
        clock::within(PATIENCE, tripwire.tripped()).await.unwrap();
        paging.abort();
        assert!(paging.await.unwrap_err().is_cancelled());

        world.restart(Arc::new(tripwire.crash()));
        run_until_empty(&world, &receiver).await;
        let times = if point == Point::Durable { 1 } else { 2 };
        assert_eq!(keys(&receiver), all(&vec![Answer::Accept; times]), "{point:?}");
    }
}

/// A receiver that repeats what it was sent does not bring the routing key into logs, nor anything else of ours.
#[tokio::test]
async fn the_routing_key_is_told_to_nobody_but_the_receiver() {
    let log = secrets::Log::default();
    let _listening = log.listen();
    let journal = MemoryJournal::new();
    let world = halted(&journal);
    let receiver = Receiver::listen(&[Answer::ServerError, Answer::EchoAcrossTheQuote]).await;
    run_until_empty(&world, &receiver).await;
    assert_eq!(receiver.seen().len(), 3);
    assert_eq!(receiver.seen()[0].1["routing_key"], ROUTING_KEY);
    let text = log.text();
    assert_eq!(text.matches("page not delivered").count(), 2, "{text}");
    let records = secrets::records(&**world.ledger.journal());
    let haystacks = records
        .iter()
        .map(|(place, bytes)| (place.as_str(), bytes.as_slice()))
        .chain([("log", text.as_bytes())]);
    // The beginning of a key is as bad: it is searched for as well.
    assert_eq!(
        secrets::found(haystacks, &[ROUTING_KEY, &ROUTING_KEY[..8]]),
        Vec::<String>::new()
    );
}
