//! The state directory: asked at rest, held by somebody else, damaged, on a full disk; plans and approvals kept in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::desk::{CAMPAIGN, Desk, Page};

fn hash_of(plan: &str) -> String {
    let first = plan.lines().next().unwrap_or_default();
    let hash = first.strip_prefix("campaign spring  plan ");
    hash.unwrap_or_else(|| panic!("no hash in {first:?}")).to_owned()
}

#[test]
fn a_plan_has_one_hash_and_its_approval_goes_with_it() {
    let mut page = Page::default();
    let (desk, _simulator) = Desk::with_fleet(60);
    let first = hash_of(&desk.done("plan campaign.yaml"));
    assert_eq!(first.len(), 64);
    assert_eq!(hash_of(&desk.done("plan campaign.yaml")), first);
    let short = &first[..12];
    page.add(
        "by the launcher",
        &desk.refused("approve spring rest --as olga --reason x"),
    );
    page.add(
        "of another plan",
        &desk.refused("approve spring rest --as petra --reason x --plan deadbeef"),
    );
    page.add(
        "without a reason",
        &desk.refused("approve spring rest --as petra --reason ''"),
    );
    page.add(
        "of no wave",
        &desk.refused("approve spring rset --as petra --reason x"),
    );
    page.add(
        "of a wave that needs none",
        &desk.refused("approve spring canary --as petra --reason x"),
    );
    page.add(
        "of no campaign",
        &desk.refused("approve autumn rest --as petra --reason x"),
    );
    let approved = desk.done(&format!(
        "approve spring rest --as petra --reason CHG0042 --plan {short}"
    ));
    assert_eq!(
        approved,
        format!("wave rest of plan {short} approved by petra: CHG0042\n")
    );
    assert_eq!(counting_approvals(&desk), [true]);
    assert_eq!(hash_of(&desk.done("plan campaign.yaml")), first);
    assert_eq!(
        counting_approvals(&desk),
        [true],
        "the same plan keeps its approval"
    );
    desk.change("campaign.yaml", "concurrency: 2", "concurrency: 1");
    let second = hash_of(&desk.done("plan campaign.yaml"));
    assert_ne!(second, first);
    assert_eq!(counting_approvals(&desk), [false], "another plan drops it");
    let old = format!("approve spring rest --as petra --reason x --plan {short}");
    assert!(desk.refused(&old).starts_with("error[A001]"));
    desk.change("campaign.yaml", "target: 10.2.7", "target: 10.2.8");
    page.add(
        "(a plan) with another target under way",
        &desk.refused("plan campaign.yaml"),
    );
    page.matches("approvals");
}

/// Whether each approval of the journal counts for the plan that the journal ends with.
fn counting_approvals(desk: &Desk) -> Vec<bool> {
    desk.done("journal export journal.jsonl");
    let exported = std::fs::read_to_string(desk.path().join("journal.jsonl")).unwrap();
    let mut plan = String::new();
    let mut approved = Vec::new();
    for line in exported.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let event = |name: &str| find(&record, name);
        if let Some(planned) = event("planned").or_else(|| event("replanned")) {
            plan = planned["plan"].as_str().unwrap().to_owned();
        }
        if let Some(approval) = event("approved") {
            approved.push(approval["plan"].as_str().unwrap().to_owned());
        }
    }
    assert!(!plan.is_empty(), "the export has no plan:\n{exported}");
    approved.into_iter().map(|of| of == plan).collect()
}

/// The event of this name, wherever the export keeps a record's payload.
fn find<'v>(value: &'v serde_json::Value, name: &str) -> Option<&'v serde_json::Value> {
    let map = value.as_object()?;
    map.get(name)
        .filter(|event| event.get("plan").is_some())
        .or_else(|| map.values().find_map(|inner| find(inner, name)))
}

#[test]
fn what_the_journal_does_not_have_is_named() {
    let mut page = Page::default();
    let (desk, _simulator) = Desk::with_fleet(60);
    page.add("no state directory", &desk.refused("status"));
    assert!(
        !desk.path().join(".hopgate").exists(),
        "asking made a state directory"
    );
    page.add(
        "no state directory to check",
        &desk.refused("journal check --state elsewhere"),
    );
    page.add(
        "no state directory to resume from",
        &desk.refused("resume --as olga --reason x"),
    );
    assert!(!desk.path().join("elsewhere").exists());
    desk.done("plan campaign.yaml");
    page.add("no such campaign", &desk.refused("status autumn"));
    page.add("no such device", &desk.refused("timeline fw9"));
    page.add("no such device to explain", &desk.refused("why fw9"));
    desk.write(
        "campaign.yaml",
        &CAMPAIGN.replace("campaign: spring", "campaign: autumn"),
    );
    desk.done("plan campaign.yaml");
    page.add("more than one campaign", &desk.refused("status"));
    page.add(
        "a report to nowhere",
        &desk.refused("report spring --html no/where.html"),
    );
    page.matches("unknown");
}

#[test]
fn a_directory_that_somebody_holds_and_nobody_answers_for_is_refused() {
    let mut page = Page::default();
    let (desk, _simulator) = Desk::with_fleet(60);
    desk.done("plan campaign.yaml");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let held = hopgate::state::State::open(&desk.path().join(".hopgate")).unwrap();
        page.add("to run", &desk.refused("run campaign.yaml"));
        page.add("to ask", &desk.refused("status"));
        // What a killed engine left behind names a port that is closed.
        desk.write(
            ".hopgate/control.json",
            r#"{"campaign":"spring","address":"127.0.0.1:1","token":"00","pid":4194304}"#,
        );
        page.add(
            "to ask, with the note of an engine that is gone",
            &desk.refused("status"),
        );
        held.close().await;
    });
    desk.done("status");
    page.matches("locked");
}

#[test]
fn a_damaged_journal_is_refused_and_kept() {
    let (desk, _simulator) = Desk::with_fleet(60);
    desk.done("plan campaign.yaml");
    let journal = desk.path().join(".hopgate/journal");
    let log = journal.join("db");
    let whole = std::fs::read(&log).unwrap();
    let at = whole.windows(6).position(|bytes| bytes == b"spring");
    let at = at.unwrap_or_else(|| panic!("the log does not hold the campaign's name"));
    let mut damaged = whole.clone();
    damaged[at] ^= 1;
    std::fs::write(&log, &damaged).unwrap();
    for asked in [
        "status",
        "run campaign.yaml",
        "journal check",
        "journal export out.jsonl",
    ] {
        let told = desk.refused(asked);
        assert!(told.starts_with("error[J0"), "hopgate {asked}: {told}");
        assert!(told.contains("hint: do not delete it"), "hopgate {asked}: {told}");
    }
    assert!(!desk.path().join("out.jsonl").exists(), "half an export was left");
    std::fs::remove_file(journal.join("anchor")).unwrap();
    let told = desk.refused("status");
    assert!(told.starts_with("error[J0"), "{told}");
    let kept = files(&journal);
    assert!(
        kept.get(&log).is_some_and(|size| *size >= whole.len() as u64),
        "{kept:#?}"
    );
}

fn files(directory: &Path) -> BTreeMap<PathBuf, u64> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.path(), entry.metadata().unwrap().len()))
        .collect()
}

/// A small file system in memory; it is unmounted when dropped.
struct SmallDisk<'d>(&'d Path);

impl SmallDisk<'_> {
    fn mount(point: &Path) -> Result<SmallDisk<'_>, String> {
        std::fs::create_dir_all(point).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(point)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Ok(SmallDisk(point)),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Leaves `bytes` of room.
    fn fill_up_to(&self, bytes: usize) {
        let filler = self.0.join("filler");
        let mut size = 0;
        let block = vec![0; 4096];
        let mut file = std::fs::File::create(&filler).unwrap();
        while std::io::Write::write_all(&mut file, &block).is_ok() {
            size += block.len();
        }
        file.set_len(size.saturating_sub(bytes) as u64).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            // Somebody still has a file open: it goes when that one does.
            let _ = Command::new("umount").arg("-l").arg(self.0).status();
        }
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_that_was_acknowledged_is_lost() {
    let (desk, _simulator) = Desk::with_fleet(60);
    let point = desk.path().join(".hopgate");
    let disk = match SmallDisk::mount(&point) {
        Ok(disk) => disk,
        Err(why) => {
            println!("SKIPPED: a full disk under the journal: no tmpfs can be mounted here: {why}");
            return;
        }
    };
    desk.done("plan campaign.yaml");
    disk.fill_up_to(0);
    desk.change("campaign.yaml", "concurrency: 2", "concurrency: 1");
    let ended = desk.run("plan campaign.yaml");
    let told = desk.refusal("a full disk", &ended);
    assert!(told.starts_with("error[J0"), "{told}");
    assert!(
        told.contains("No space left") || told.contains("disk is full"),
        "{told}"
    );
    std::fs::remove_file(point.join("filler")).unwrap();
    assert!(desk.done("journal check").starts_with("the journal is whole: "));
    desk.done("plan campaign.yaml");
    drop(disk);
    let left = files(&point);
    assert!(left.is_empty(), "it is still mounted: {left:#?}");
}
