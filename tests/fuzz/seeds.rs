//! Every target with its seeds, without a fuzzer: what the fuzzer starts from is right, and on machines without a C++
//! compiler the targets run at least this far.

use hopgate_fuzz::targets;

#[test]
fn every_target_holds_for_its_seeds_and_reads_some() {
    for target in targets() {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        let read = seeds.iter().filter(|seed| (target.run)(seed)).count();
        assert!(
            read > 0,
            "{} reads none of its {} seeds",
            target.name,
            seeds.len()
        );
    }
}

/// A target that says it reads anything would hold nothing. Two read any words: as a reply's text, and as lines.
#[test]
fn no_target_reads_what_is_nothing() {
    let mut read = Vec::new();
    for target in targets() {
        for nothing in ["<", "<a><b></a>", "\u{0}\u{1}", "{", "\u{feff}"] {
            let reads_words = matches!(target.name, "xml" | "table") && !nothing.starts_with('<');
            if !reads_words && (target.run)(nothing.as_bytes()) {
                read.push((target.name, nothing));
            }
        }
    }
    assert_eq!(read, []);
}

#[test]
fn every_target_has_a_name_of_its_own() {
    let mut names: Vec<_> = targets().iter().map(|target| target.name).collect();
    let plain = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    assert!(
        names.iter().all(plain),
        "a name is a word of the command line and of file names"
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), targets().len());
}
