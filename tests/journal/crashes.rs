//! The process dies, the power goes, the disk fills: what was acknowledged is there afterwards, and nothing
//! else is.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use super::child::REFUSED;
use super::machine::{Dice, Mount, Process, Scratch, copy_tree, full, now, run, skip, works};

/// What a stream held according to the acknowledgements, or holds according to a child that verified it.
type Positions = BTreeMap<String, u64>;

fn collect(told: &[String], word: &str, positions: &mut Positions) -> usize {
    let mut count = 0;
    for line in told {
        if let [first, stream, next] = line.split(' ').collect::<Vec<_>>()[..]
            && first == word
        {
            let next: u64 = next.parse().unwrap();
            let known = positions.entry(stream.to_owned()).or_default();
            *known = next.max(*known);
            count += 1;
        }
    }
    count
}

/// Opens the journal in a fresh process. Everything acknowledged is there; beyond it at most the one append
/// of each writer that was under way.
fn verify(directory: &Path, acknowledged: &Positions) -> Positions {
    let (status, told) = Process::task("verify", directory, &[]).end();
    assert!(status.success(), "{status}: {told:?}");
    let mut held = Positions::new();
    collect(&told, "holds", &mut held);
    for (stream, next) in acknowledged {
        let found = held.get(stream).copied().unwrap_or_default();
        assert!(
            found >= *next,
            "{stream} was acknowledged up to {next} and holds {found}"
        );
        assert!(
            found <= next + 3,
            "{stream} was acknowledged up to {next} and holds {found}"
        );
    }
    held
}

#[test]
fn kills_lose_nothing() {
    let scratch = Scratch::new("kills");
    let directory = scratch.path("j");
    let mut dice = Dice::seeded(1);
    let (mut acknowledged, mut acks, mut early) = (Positions::new(), 0, 0);
    for round in 0..KILLS {
        let mut writer = Process::task("write", &directory, &[]);
        let mut told = Vec::new();
        // A third of the kills come while the journal is being opened.
        if round % 3 > 0 {
            told.extend(writer.line(Duration::from_secs(30)));
        }
        told.extend(writer.lines_for(Duration::from_millis(1 + dice.below(60))));
        writer.kill();
        told.extend(writer.rest());
        early += u32::from(!told.iter().any(|line| line.starts_with("open ")));
        acks += collect(&told, "ack", &mut acknowledged);
        acknowledged = verify(&directory, &acknowledged);
    }
    println!("{KILLS} kills ({early} before the open was done), {acks} acknowledged appends, none lost");
    assert!(acks > KILLS, "the writers hardly wrote");
}

/// As many as the measurements of the engine were made with; about 40 s.
const KILLS: usize = 200;

/// Kills at every single write, sync, rename and removal of a creation and of a later open.
#[test]
fn a_kill_at_any_file_operation_of_an_open_is_harmless() {
    if !works("strace", &["-f", "-o", "/dev/null", "true"]) {
        return skip("kills at every file operation", "strace cannot trace here");
    }
    let scratch = Scratch::new("operations");
    let base = scratch.path("base");
    let (status, _) = Process::task("write", &base, &[("APPENDS", "20")]).end();
    assert!(status.success());
    let held = verify(&base, &Positions::new());
    let mut kills = 0;
    for call in [
        "pwrite64",
        "write",
        "fsync",
        "fdatasync",
        "rename",
        "unlink",
        "ftruncate",
        "mkdir",
    ] {
        for number in 1..=OPERATIONS {
            let mut died = false;
            for begun in [false, true] {
                let directory = scratch.path("j");
                if begun {
                    copy_tree(&base, &directory);
                }
                let inject = format!("inject={call}:signal=SIGKILL:when={number}");
                let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject].map(AsRef::as_ref);
                let (status, _) = Process::wrapped(&wrapper, "verify", &directory, &[]).end();
                if status.signal() == Some(9) || status.code() == Some(128 + 9) {
                    (died, kills) = (true, kills + 1);
                }
                let after = verify(&directory, &Positions::new());
                assert!(
                    !begun || after == held,
                    "{call} {number}: {after:?} instead of {held:?}"
                );
                fs::remove_dir_all(directory).unwrap();
            }
            if !died {
                break;
            }
        }
    }
    println!("{kills} kills, each at another file operation");
    assert!(kills > 20, "strace killed only {kills} times");
}

/// More operations of one kind than any thread makes in an open.
const OPERATIONS: u32 = 60;

const SCRIPT: &str = include_str!("power_cut.py");

fn loop_mount(scratch: &Scratch) -> Result<Mount, String> {
    let image = scratch.path("image");
    File::create(&image)
        .and_then(|file| file.set_len(256 << 20))
        .unwrap();
    run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), image.as_ref()])?;
    Mount::new(
        &scratch.path("mount"),
        &["-o".as_ref(), "loop".as_ref(), image.as_ref()],
    )
}

#[test]
fn power_cuts_lose_nothing() {
    let scratch = Scratch::new("power");
    let what = "power cuts on a loop-mounted ext4";
    let mut mount = match loop_mount(&scratch) {
        Ok(mount) => mount,
        Err(why) => return skip(what, &why),
    };
    let point = scratch.path("mount");
    let mut dice = Dice::seeded(2);
    let (mut acknowledged, mut acks, mut directory) = (Positions::new(), 0, point.clone());
    let rounds = if full() { 60 } else { 15 };
    for round in 0..rounds {
        if round % 5 == 0 {
            // Also creations are cut.
            (directory, acknowledged) = (point.join(format!("j{round}")), Positions::new());
        }
        let mut writer = Process::task("write", &directory, &[]);
        let mut told = writer.lines_for(Duration::from_millis(dice.below(if round % 5 == 0 {
            100
        } else {
            500
        })));
        writer.signal("STOP");
        told.extend(writer.told());
        if let Err(why) = run("python3", &["-c".as_ref(), SCRIPT.as_ref(), point.as_os_str()]) {
            return skip(what, &why);
        }
        writer.kill();
        mount.unmount();
        mount.mount().unwrap();
        acks += collect(&told, "ack", &mut acknowledged);
        acknowledged = verify(&directory, &acknowledged);
    }
    println!("{rounds} power cuts, {acks} acknowledged appends, none lost");
    assert!(acks > rounds, "the writers hardly wrote");
}

/// A full disk is told as such, nothing is acknowledged any more, and with room again everything acknowledged
/// is there.
#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let scratch = Scratch::new("full");
    let point = scratch.path("mount");
    let options = ["-t", "tmpfs", "-o", "size=12m", "tmpfs"].map(AsRef::as_ref);
    let _mount = match Mount::new(&point, &options) {
        Ok(mount) => mount,
        Err(why) => return skip("a full disk", &why),
    };
    let ballast = point.join("ballast");
    fs::write(&ballast, vec![1; 4 << 20]).unwrap();
    let directory = point.join("j");
    let (status, told) = Process::task("fill", &directory, &[]).end();
    assert!(status.success(), "{status}: {:?}", told.last());
    let mut acknowledged = Positions::new();
    let acks = collect(&told, "ack", &mut acknowledged);
    assert!(acks > 1_000, "full after {acks} appends");
    let said = |word: &str| told.iter().find_map(|line| line.strip_prefix(word)).unwrap();
    assert!(
        said("first ").starts_with("J018 cannot append to the journal in "),
        "{}",
        said("first ")
    );
    assert!(
        said("first ").ends_with(": the disk is full"),
        "{}",
        said("first ")
    );
    assert_eq!(said("then "), "J020");
    fs::remove_file(ballast).unwrap();
    verify(&directory, &acknowledged);
}

/// Finds the deadlocks of the engine's own pool, should somebody lift the bound of a batch.
#[test]
fn a_long_run_never_stalls() {
    let scratch = Scratch::new("soak");
    let directory = scratch.path("j");
    let commits = if full() { 300_000 } else { 30_000 };
    let since = now();
    let soak = Process::task("soak", &directory, &[("COMMITS", &commits.to_string())]);
    let mut wrote = 0;
    loop {
        let line = soak
            .line(Duration::from_secs(60))
            .expect("no progress for a minute");
        if let Some(records) = line.strip_prefix("wrote ") {
            wrote = records.parse().unwrap();
        }
        if line == "soaked" {
            break;
        }
    }
    println!(
        "{commits} commits, {wrote} records in {:.1} s",
        since.elapsed().as_secs_f64()
    );
    let (status, _) = soak.end();
    assert!(status.success());
    let (status, told) = Process::task("verify", &directory, &[("GROUPED", "0")]).end();
    assert!(status.success(), "{told:?}");
    let mut held = Positions::new();
    collect(&told, "holds", &mut held);
    assert!(wrote >= commits, "{wrote} records in {commits} commits");
    assert_eq!(held.values().sum::<u64>(), wrote);
}

/// A second process is refused while the first lives, and let in as soon as it is dead, however it died.
#[test]
fn a_journal_has_one_owner() {
    let scratch = Scratch::new("owner");
    let directory = scratch.path("j");
    let mut first = Process::task("write", &directory, &[]);
    assert!(first.line(Duration::from_secs(30)).unwrap().starts_with("open "));
    let (status, told) = Process::task("verify", &directory, &[]).end();
    assert_eq!(status.code(), Some(REFUSED));
    let refusal = &told[0];
    assert!(
        refusal.starts_with("refused J001 cannot open the journal in "),
        "{refusal}"
    );
    assert!(
        refusal.contains(&format!(": in use by pid {} on ", first.pid())),
        "{refusal}"
    );
    assert!(
        refusal.contains(" since 20") && refusal.ends_with('Z'),
        "{refusal}"
    );
    first.kill();
    verify(&directory, &Positions::new());
}
