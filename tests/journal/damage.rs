//! Files cut, flipped, zeroed, deleted, mixed up: the journal is complete or refused, never quietly shorter.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::child::REFUSED;
use super::machine::{Dice, Process, Scratch, Tally, copy_tree};

/// A sound journal to damage copies of, and what it holds.
struct Base {
    scratch: Scratch,
    records: u64,
}

impl Base {
    fn new() -> Self {
        let scratch = Scratch::new("damage");
        let directory = scratch.path("base");
        let grown = [("WRITERS", "50"), ("APPENDS", "50")];
        let (status, told) = Process::task("write", &directory, &grown).end();
        assert!(status.success(), "{told:?}");
        let mut base = Self { scratch, records: 0 };
        // Opens it once more, so that there is a snapshot.
        base.records = base.opened(&directory).unwrap();
        assert!(base.records > 4_500, "{}", base.records);
        assert!(!snapshots(&directory).is_empty());
        base
    }

    fn copy(&self) -> PathBuf {
        let copy = self.scratch.path("copy");
        copy_tree(&self.scratch.path("base"), &copy);
        copy
    }

    /// The number of records, or the code it was refused with. Whatever else happens is a failure of the
    /// test.
    fn opened(&self, directory: &Path) -> Result<u64, String> {
        let (status, told) = Process::task("verify", directory, &[]).end();
        let last = told.last().cloned().unwrap_or_default();
        let words: Vec<&str> = last.split(' ').collect();
        match (status.code(), &words[..]) {
            (Some(0), ["complete", records, ..]) => Ok(records.parse().unwrap()),
            (Some(REFUSED), ["refused", code, ..]) => Err((*code).to_owned()),
            _ => panic!("{status}: {told:?}"),
        }
    }

    /// Damages a copy and opens it: all records, or a refusal.
    fn damaged(&self, damage: impl FnOnce(&Path)) -> Result<(), String> {
        let copy = self.copy();
        damage(&copy);
        let opened = self.opened(&copy);
        if let Ok(records) = opened {
            assert_eq!(records, self.records, "opened with fewer records and no word");
        }
        for entry in fs::read_dir(self.scratch.path("")).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("copy") {
                fs::remove_dir_all(path).unwrap();
            }
        }
        opened.map(|_| ())
    }

    /// Damages many copies, and prints what became of them.
    fn table(&self, what: &str, rounds: u32, mut damage: impl FnMut(&Path, &mut Dice)) -> Tally {
        let mut dice = Dice::seeded(u64::from(rounds) + what.len() as u64);
        let mut tally = Tally::default();
        for _ in 0..rounds {
            tally.count(match self.damaged(|copy| damage(copy, &mut dice)) {
                Ok(()) => "complete".to_owned(),
                Err(code) => format!("refused {code}"),
            });
        }
        println!("{what}: {tally}");
        tally
    }
}

fn snapshots(directory: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    names
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap."))
        .collect()
}

fn cut(file: &Path, dice: &mut Dice) {
    let length = fs::metadata(file).unwrap().len();
    OpenOptions::new()
        .write(true)
        .open(file)
        .unwrap()
        .set_len(dice.below(length))
        .unwrap();
}

fn flip(file: &Path, at: u64, bit: u64) {
    let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << bit)], at).unwrap();
}

fn flip_anywhere(file: &Path, dice: &mut Dice) {
    let length = fs::metadata(file).unwrap().len();
    flip(file, dice.below(length), dice.below(8));
}

#[test]
fn rule_6_a_damaged_log_is_refused_or_complete() {
    let base = Base::new();
    base.table("log cut short", 20, |copy, dice| cut(&copy.join("db"), dice));
    base.table("one bit of the log flipped", 30, |copy, dice| {
        flip_anywhere(&copy.join("db"), dice)
    });
    base.table("4 KB of the log zeroed", 20, |copy, dice| {
        let blocks = fs::metadata(copy.join("db")).unwrap().len() / 4_096;
        let file = OpenOptions::new().write(true).open(copy.join("db")).unwrap();
        file.write_all_at(&[0; 4_096], dice.below(blocks) * 4_096)
            .unwrap();
    });
    base.table("parameters flipped", 10, |copy, dice| {
        flip_anywhere(&copy.join("conf"), dice)
    });
    base.table("parameters cut", 5, |copy, dice| cut(&copy.join("conf"), dice));
    let locks = base.table("lock file flipped", 10, |copy, dice| {
        flip_anywhere(&copy.join("LOCK"), dice)
    });
    assert_eq!(
        locks.of("complete"),
        10,
        "the lock file holds nothing that could be lost"
    );
}

#[test]
fn rule_6_a_damaged_anchor_is_refused_or_the_journal_complete() {
    let base = Base::new();
    // The newer slot unreadable and the store one commit ahead of the older is what a write torn by a power cut leaves; the
    // older one unreadable is what no crash leaves. Which is which depends on how many commits the writers shared.
    let newer = newer_slot(&base.scratch.path("base").join("anchor"));
    let outcome_of_losing = |lost: u64| if lost == newer { "complete" } else { "refused J013" };
    let mut expected = Tally::default();
    let slots = base.table("one bit of the anchor's slots flipped", 20, |copy, dice| {
        let slot = dice.below(2);
        expected.count(outcome_of_losing(slot).to_owned());
        flip(
            &copy.join("anchor"),
            slot * SLOT_DISTANCE + dice.below(64),
            dice.below(8),
        );
    });
    for outcome in ["refused J013", "complete"] {
        assert!(slots.of(outcome) > 0);
        assert_eq!(slots.of(outcome), expected.of(outcome), "{outcome}");
    }
    // Every cut takes the second slot, and one within the first takes both.
    let mut expected = Tally::default();
    let cuts = base.table("anchor cut", 5, |copy, dice| {
        let anchor = copy.join("anchor");
        cut(&anchor, dice);
        let both = fs::metadata(&anchor).unwrap().len() < 64;
        expected.count(
            if both {
                "refused J013"
            } else {
                outcome_of_losing(1)
            }
            .to_owned(),
        );
    });
    for outcome in ["refused J013", "complete"] {
        assert_eq!(cuts.of(outcome), expected.of(outcome), "{outcome}");
    }
}

/// How far apart the slots of an anchor are, and where its commit number stands in each.
const SLOT_DISTANCE: u64 = 4_096;
const COMMIT: std::ops::Range<usize> = 24..32;

fn newer_slot(anchor: &Path) -> u64 {
    let bytes = fs::read(anchor).unwrap();
    let commit = |slot: u64| {
        let slot = &bytes[usize::try_from(slot * SLOT_DISTANCE).unwrap()..];
        u64::from_be_bytes(slot[COMMIT].try_into().unwrap())
    };
    u64::from(commit(1) >= commit(0))
}

#[test]
fn rule_6_missing_mixed_and_old_files_are_refused() {
    let base = Base::new();
    let remove = |names: &'static [&str]| {
        move |copy: &Path| {
            names
                .iter()
                .for_each(|name| fs::remove_file(copy.join(name)).unwrap())
        }
    };
    for names in [
        &["db"][..],
        &["conf"],
        &["anchor"],
        &["LOCK", "anchor"],
        &["db", "conf"],
        &["db", "conf", "anchor"],
    ] {
        assert_eq!(base.damaged(remove(names)), Err("J005".into()), "{names:?}");
    }
    assert_eq!(base.damaged(remove(&["LOCK"])), Ok(()));

    // Every open and close is a commit or more: an anchor from before is stale.
    let other = base.scratch.path("other");
    copy_tree(&base.scratch.path("base"), &other);
    base.opened(&other).unwrap();
    let one_later = fs::read(other.join("anchor")).unwrap();
    base.opened(&other).unwrap();
    assert_eq!(
        base.damaged(|copy| {
            let anchor = fs::read(copy.join("anchor")).unwrap();
            fs::remove_dir_all(copy).unwrap();
            copy_tree(&other, copy);
            fs::write(copy.join("anchor"), anchor).unwrap();
        }),
        Err("J012".into()),
        "an anchor two commits old"
    );
    assert_eq!(
        base.damaged(|copy| {
            fs::remove_dir_all(copy).unwrap();
            copy_tree(&other, copy);
            fs::write(copy.join("anchor"), &one_later).unwrap();
        }),
        Ok(()),
        "an anchor one commit old is what a crash leaves"
    );
    assert_eq!(
        base.damaged(|copy| fs::write(copy.join("anchor"), &one_later).unwrap()),
        Err("J012".into()),
        "records from before the anchor"
    );

    let foreign = base.scratch.path("foreign");
    assert_eq!(base.opened(&foreign), Ok(0));
    let anchor = fs::read(foreign.join("anchor")).unwrap();
    assert_eq!(
        base.damaged(|copy| fs::write(copy.join("anchor"), &anchor).unwrap()),
        Err("J011".into())
    );
}

/// Records rolled back to an earlier copy of the log, under an anchor that knows of more.
#[test]
fn rule_6_a_log_restored_from_before_is_refused() {
    let base = Base::new();
    let before = base.copy();
    let earlier = base.scratch.path("earlier");
    fs::rename(before, &earlier).unwrap();
    let (status, _) = Process::task("write", &base.scratch.path("base"), &[("APPENDS", "1")]).end();
    assert!(status.success());
    let refused = base.damaged(|copy| {
        let anchor = fs::read(copy.join("anchor")).unwrap();
        fs::remove_dir_all(copy).unwrap();
        copy_tree(&earlier, copy);
        fs::write(copy.join("anchor"), anchor).unwrap();
    });
    assert_eq!(refused, Err("J007".into()));
}

#[test]
fn rule_5_a_damaged_snapshot_is_put_aside_and_the_journal_complete() {
    let base = Base::new();
    let snapshot = |copy: &Path| snapshots(copy).pop().unwrap();
    for length in [0, 1, 7, 100] {
        let copy = base.copy();
        let cut = snapshot(&copy);
        OpenOptions::new()
            .write(true)
            .open(&cut)
            .unwrap()
            .set_len(length)
            .unwrap();
        assert_eq!(base.opened(&copy), Ok(base.records), "cut to {length}");
        let aside = base.scratch.path("copy.damaged-1");
        let found = fs::metadata(aside.join(cut.file_name().unwrap()));
        assert_eq!(found.unwrap().len(), length, "the copy is as it was found");
        fs::remove_dir_all(copy).unwrap();
        fs::remove_dir_all(aside).unwrap();
    }
    base.table("snapshot flipped", 10, |copy, dice| {
        flip_anywhere(&snapshot(copy), dice)
    });
}

#[test]
fn rule_5_damage_is_never_met_with_a_new_journal() {
    let base = Base::new();
    let copy = base.copy();
    fs::write(copy.join("db"), vec![0xa5; 1 << 20]).unwrap();
    // However often it is tried.
    let first = base.opened(&copy);
    assert!(first.is_err());
    for _ in 0..3 {
        assert!(base.opened(&copy).is_err());
    }
    let copies = fs::read_dir(base.scratch.path("")).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("copy.damaged-")
    });
    assert!(copies.count() <= 2, "every try put another copy aside");
}

/// The numbers of the format and the checksum are where the next format has to leave them.
#[test]
fn a_newer_format_is_refused_as_such() {
    let base = Base::new();
    let refused = base.damaged(|copy| {
        let mut anchor = fs::read(copy.join("anchor")).unwrap();
        for slot in [0, 4_096] {
            let checksum = u32::from_be_bytes(anchor[slot + 4..slot + 8].try_into().unwrap());
            anchor[slot + 2..slot + 4].copy_from_slice(&2_u16.to_be_bytes());
            anchor[slot + 4..slot + 8].copy_from_slice(&(checksum ^ 1 ^ 2).to_be_bytes());
        }
        fs::write(copy.join("anchor"), anchor).unwrap();
    });
    assert_eq!(refused, Err("J014".into()));
}
