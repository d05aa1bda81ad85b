//! The engine dies at every boundary that there is, and is started again over the same firewalls: one install and one
//! reboot a hop, never both members of a pair out, everything at its target.
//!
//! What was done is read from the simulator's counters, never from our own journal. `HOPGATE_FULL=1` runs the long forms.

use std::sync::Arc;
use std::time::Duration;

use hopgate::clock;
use hopgate::fleet::{Command, Ending, enrol};
use hopgate::journal::memory::{MemoryJournal, Outcome};
use hopgate_tests::tripwire::{Point, Tripwire};
use hopgate_tests::{Wire, World};
use jiff::SignedDuration;
use tokio::sync::mpsc;

const FLEET: &str = "\
seed: 11
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: admin}
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
target: 10.2.4-h4
pinned_path: {via: [10.2.0], by: olga, reason: the change record names it}
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T22:00:00Z}
inventory: inventory.yaml
checks: {before: [readiness, advisories], after: [after]}
waves:
  - {name: all, rest: true, concurrency: 8}
";

/// A campaign that is not over after this much simulated time waits for something that never comes.
const STUCK_AFTER: SignedDuration = SignedDuration::from_hours(20);

/// How a process ended.
#[derive(Debug, PartialEq, Eq)]
enum Life {
    Ended(Ending),
    Died(String),
}

/// `n` where the long forms run, else `short`.
fn of_full(n: usize, short: usize) -> usize {
    if std::env::var_os("HOPGATE_FULL").is_some() {
        n
    } else {
        short
    }
}

/// A process from its start: it records the campaign where that was not done, and runs it.
async fn process(world: &World) -> Life {
    let plan = world.plan().await;
    if let Err(error) = enrol(&world.ledger, world.clock.now(), &plan).await {
        return Life::Died(error.to_string());
    }
    let (running, _news) = match world.begin(true) {
        Ok(begun) => begun,
        Err(error) => return Life::Died(error.to_string()),
    };
    let (_send, mut receive) = mpsc::unbounded_channel::<Command>();
    match running.run(&mut receive).await {
        Ok(ending) => Life::Ended(ending),
        Err(error) => Life::Died(error.to_string()),
    }
}

/// One process over `journal` that dies when the wire is tripped or `instant` is reached.
async fn life(
    world: &mut World,
    journal: &Arc<Tripwire>,
    until: Option<SignedDuration>,
    context: &str,
) -> Life {
    world.restart(Arc::clone(journal) as _);
    let clock = world.clock.clone();
    let stuck = clock.now() + STUCK_AFTER;
    let dies = async {
        match until {
            Some(span) => clock.sleep(span).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        biased;
        () = journal.tripped() => Life::Died("tripped".to_owned()),
        ended = process(world) => ended,
        () = dies => Life::Died("killed".to_owned()),
        () = clock.sleep_until(stuck) => panic!("{context}: stuck\n{}", picture(world)),
    };
    // The loops of its devices were aborted with it and are dropped at their next turn.
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.breaches(), Vec::<String>::new(), "{context}");
    ended
}

/// Where every device stands, for a failed test.
fn picture(world: &World) -> String {
    ["alone", "left", "right"]
        .iter()
        .map(|name| {
            let told = world.told(name);
            let last: Vec<&str> = told.iter().rev().take(8).rev().map(String::as_str).collect();
            format!(
                "{name}: {:?}\n  hold {:?}\n  {}\n",
                world.device(name).phase(),
                world.hold(name),
                last.join("\n  ")
            )
        })
        .collect()
}

/// How a process is made to die.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// At an append.
    At(u64, Point),
    /// After a span of simulated time.
    After(SignedDuration),
    /// The journal answers an append like this; the process gives up by itself.
    Fault(u64, Outcome),
}

/// Runs the campaign to its end. The process number `n` dies as `death(n)` says; the first that does not die ends it.
/// Gives the appends of that last one.
async fn through(wire: Wire, context: &str, death: impl FnMut(usize) -> Option<Death>) -> u64 {
    through_campaign(CAMPAIGN, wire, context, death).await
}

async fn through_campaign(
    campaign: &str,
    wire: Wire,
    context: &str,
    mut death: impl FnMut(usize) -> Option<Death>,
) -> u64 {
    let mut world = World::wired(FLEET, campaign, Arc::new(MemoryJournal::new()), wire);
    let mut journal = MemoryJournal::new();
    let mut processes = 0;
    let appends = loop {
        let death = death(processes);
        let (trip, until) = match death {
            Some(Death::At(at, point)) => (Some((at, point)), None),
            Some(Death::After(span)) => (None, Some(span)),
            Some(Death::Fault(at, outcome)) => {
                journal.fail_append(at, outcome);
                (None, None)
            }
            None => (None, None),
        };
        let tripwire = Tripwire::new(journal, trip);
        let context = format!("{context}, process {processes} ({death:?})");
        match life(&mut world, &tripwire, until, &context).await {
            Life::Ended(Ending::Finished) => break tripwire.appends(),
            Life::Ended(other) => panic!("{context}: {other:?}\n{}", picture(&world)),
            Life::Died(why) => assert!(death.is_some(), "{context}: died by itself: {why}"),
        }
        journal = tripwire.crash();
        processes += 1;
    };
    world.assert_all_done_once(context);
    world.assert_journal_folds(context);
    appends
}

/// Appends of a campaign that nothing happens to.
async fn undisturbed() -> u64 {
    through(Wire::Lost, "undisturbed", |_| None).await
}

/// One death at every append of the campaign in turn, the process after it undisturbed.
async fn at_every_append(wire: Wire, death: impl Fn(u64) -> Option<Death>) {
    let appends = undisturbed().await;
    assert!(
        appends > 80,
        "{appends} appends are too few to be the whole campaign"
    );
    for at in 0..appends {
        let Some(death) = death(at) else { continue };
        through(wire, &format!("{death:?}, {wire:?}"), |process| {
            (process == 0).then_some(death)
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn dying_before_any_append() {
    at_every_append(Wire::Lost, |at| Some(Death::At(at, Point::Before))).await;
}

#[tokio::test(start_paused = true)]
async fn dying_with_any_append_written_and_not_durable() {
    at_every_append(Wire::Arrives, |at| Some(Death::At(at, Point::Written))).await;
}

/// Durable, and nothing done about it yet. In the short form every other append with requests that are lost, the ones
/// between with requests that arrive.
#[tokio::test(start_paused = true)]
async fn dying_with_any_append_durable_and_nothing_done_yet() {
    let full = of_full(1, 0) == 1;
    for (wire, parity) in [(Wire::Lost, 0), (Wire::Arrives, 1)] {
        let death = |at| Death::At(at, Point::Durable);
        at_every_append(wire, |at| (full || at % 2 == parity).then(|| death(at))).await;
    }
}

/// The journal answers one append otherwise than with "done": the process stops, whatever the records really are.
#[tokio::test(start_paused = true)]
async fn any_append_answered_with_an_unknown_outcome_or_a_failure() {
    const OUTCOMES: [Outcome; 6] = [
        Outcome::UnknownNotWritten,
        Outcome::UnknownWritten,
        Outcome::ErrorNotWritten,
        Outcome::ErrorWritten,
        Outcome::Conflict,
        Outcome::Fenced,
    ];
    let appends = undisturbed().await;
    for at in 0..appends {
        // In the short form every append meets one outcome and every outcome a sixth of the appends, evenly.
        let turns = of_full(OUTCOMES.len(), 1);
        for turn in 0..turns {
            let place = (at as usize + turn) % OUTCOMES.len();
            let death = Death::Fault(at, OUTCOMES[place]);
            through(Wire::Arrives, &format!("{death:?}"), |process| {
                (process == 0).then_some(death)
            })
            .await;
        }
    }
}

/// The test of these tests: over a journal that says "durable" and loses it, the same campaign does things twice, and the
/// counters tell.
#[tokio::test(start_paused = true)]
async fn a_journal_that_lies_is_found_out_by_the_counters() {
    const ENOUGH: Duration = Duration::from_secs(4 * 3_600);
    let appends = undisturbed().await;
    let mut found = Vec::new();
    for at in 0..appends {
        let mut world = World::wired(FLEET, CAMPAIGN, Arc::new(MemoryJournal::new()), Wire::Arrives);
        let tripwire = Tripwire::new(MemoryJournal::new(), Some((at, Point::Lied)));
        world.restart(Arc::clone(&tripwire) as _);
        tokio::select! {
            biased;
            () = tripwire.tripped() => {}
            _ = process(&world) => {}
        }
        world.restart(Arc::new(tripwire.crash()));
        // It may also never end: what was lost can be what it would have waited for.
        let _ended = clock::within(ENOUGH, process(&world)).await;
        let breaches = world.breaches();
        if !breaches.is_empty() {
            found.push(format!("{at}: {}", breaches.join(", ")));
        }
        if found.len() == 2 {
            return;
        }
    }
    panic!("every restart should show it: {found:#?}");
}

/// Recovery dies as well: at every append of the second process, after the first died in the middle of a hop.
#[tokio::test(start_paused = true)]
async fn dying_again_at_any_append_of_the_recovery() {
    let appends = undisturbed().await;
    let seconds = of_full(40, 8) as u64;
    for first in (0..appends).step_by(of_full(1, 12)) {
        for second in 0..seconds {
            let context = format!("append {first}, then {second}");
            through(Wire::Arrives, &context, |process| match process {
                0 => Some(Death::At(first, Point::Durable)),
                1 => Some(Death::At(second, Point::Durable)),
                _ => None,
            })
            .await;
        }
    }
}

/// A process that never gets further than a few appends still brings everybody home, a little a life.
#[tokio::test(start_paused = true)]
async fn dying_all_the_time() {
    for lives in [6, 7, 9, 13] {
        for point in [Point::Before, Point::Written, Point::Durable] {
            through(
                Wire::Arrives,
                &format!("{point:?} of every {lives}th append"),
                |process| (process < 400).then_some(Death::At(lives, point)),
            )
            .await;
        }
    }
}

/// What was kept before a hop outlives the process that kept it.
#[tokio::test(start_paused = true)]
async fn dying_between_what_is_kept_and_what_it_is_compared_with() {
    let campaign = CAMPAIGN.replace("after: [after]", "after: [after, differences]");
    for point in [Point::Written, Point::Durable] {
        let context = format!("{point:?} of every 9th append, with differences");
        through_campaign(&campaign, Wire::Arrives, &context, |process| {
            (process < 400).then_some(Death::At(9, point))
        })
        .await;
    }
}

/// Drops the process at random instants, ten times a campaign: in the middle of requests, waits and writes.
#[tokio::test(start_paused = true)]
async fn dying_at_random_instants() {
    const DEATHS: usize = 10;
    let campaigns = of_full(200, 20);
    for seed in 0..campaigns as u64 {
        let mut dice = Dice(seed);
        let wire = if seed % 2 == 0 { Wire::Arrives } else { Wire::Lost };
        through(wire, &format!("seed {seed}"), |process| {
            // A hop takes about half an hour; a third of the deaths come quickly after one another.
            let longest = if dice.roll(3) == 0 { 120_000 } else { 1_500_000 };
            let span = i64::try_from(dice.roll(longest)).unwrap();
            (process < DEATHS).then_some(Death::After(SignedDuration::from_millis(span)))
        })
        .await;
    }
}

/// SplitMix64: the same seed rolls the same dice on every machine.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
