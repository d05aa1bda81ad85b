//! The backup that a campaign leaves: an audit finds it, by the serial number of its firewall, and finds it damaged or gone.

use std::path::PathBuf;
use std::time::Duration;

use hopgate_tests::process::Simulator;
use serde_json::Value;

use super::desk::{CAMPAIGN, Desk};

/// The install fails, after the backup: the firewall still runs the release that it is of.
const FLEET: &str = "\
seed: 3
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: fw1, model: PA-850, version: 10.1.14-h9, content: 8900-9000}
  - {name: fw2, model: PA-850, version: 10.1.14-h9, content: 8900-9000}
faults: [install-fails]
";

/// Verdict and message of both checks, of one firewall.
fn told(desk: &Desk, inventory: &str, device: &str) -> String {
    let asked = format!(
        "audit --inventory {inventory} --playbook software --group name={device} --json {device}.json"
    );
    let ended = desk.run(&asked);
    assert!(matches!(ended.code, Some(0 | 3)), "hopgate {asked}: {ended:#?}");
    let text = std::fs::read_to_string(desk.path().join(format!("{device}.json"))).unwrap();
    let audit: Value = serde_json::from_str(&text).unwrap();
    let findings = audit["devices"][0]["findings"].as_array().unwrap().iter();
    let lines: Vec<String> = findings
        .filter(|finding| finding["check"].as_str().unwrap().starts_with("backup-"))
        .map(|finding| {
            let of = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}", of("check"), of("verdict"), of("message"))
        })
        .collect();
    lines.join("\n")
}

/// The stored configuration: plans are kept beside it.
fn backup(desk: &Desk) -> PathBuf {
    let content = std::fs::read_dir(desk.path().join(".hopgate/content")).unwrap();
    let mut files = content.map(|file| file.unwrap().path());
    let is_configuration = |file: &PathBuf| {
        let document = std::fs::read(file).unwrap();
        String::from_utf8_lossy(&document).contains("<config ")
    };
    files.find(is_configuration).unwrap()
}

#[test]
fn an_audit_finds_the_backup_of_a_campaign_and_tells_when_it_cannot_be_read() {
    let desk = Desk::new();
    desk.write("fleet.yaml", FLEET);
    desk.write(
        "campaign.yaml",
        &CAMPAIGN.replace("[readiness]", "[readiness, software]"),
    );
    let _simulator = Simulator::serve(desk.path(), 300);
    insta::assert_snapshot!(told(&desk, "inventory.yaml", "fw1"), @"backup-taken fail: No backup of its configuration is kept; it runs 10.1.14-h9.");
    let ended = desk.start("run campaign.yaml").wait(Duration::from_secs(120));
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    // The campaign asked too, before it took the first one.
    let timeline = desk.done("timeline fw1");
    assert!(
        timeline.contains("No backup of its configuration is kept; it runs 10.1.14-h9."),
        "{timeline}"
    );

    let passed = "backup-taken pass: A backup of the configuration is kept, of the release that runs\n\
                  backup-readable pass: The newest backup of the configuration can be read";
    assert_eq!(told(&desk, "inventory.yaml", "fw1"), passed);
    let facts = desk.done("facts fw1 --area backup");
    assert!(facts.contains(", hopgate's own records)\n"), "{facts}");
    // Another firewall, in an inventory that gives it the same name.
    let inventory = std::fs::read_to_string(desk.path().join("inventory.yaml")).unwrap();
    let swapped = inventory
        .replace("fw1", "FW")
        .replace("fw2", "fw1")
        .replace("FW", "fw2")
        // Under that name another certificate is known.
        .replace("first_use", "none");
    desk.write("swapped.yaml", &swapped);
    insta::assert_snapshot!(told(&desk, "swapped.yaml", "fw1"), @"backup-taken fail: No backup of its configuration is kept; it runs 10.1.14-h9.");
    assert_eq!(told(&desk, "swapped.yaml", "fw2"), passed);

    let file = backup(&desk);
    let damaged = |told: String| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (_, told) = told.split_once("\nbackup-readable ").unwrap();
        let (before, message) = told.split_once(": The backup of 2026-03-07T").unwrap();
        let (_, reason) = message
            .split_once(", taken by the campaign spring, cannot be read: ")
            .unwrap();
        desk.redacted(&format!("{before}: {reason}"))
            .replace(&name, "HASH")
    };
    let mut document = std::fs::read(&file).unwrap();
    let middle = document.len() / 2;
    document[middle] ^= 1;
    std::fs::write(&file, document).unwrap();
    let text = damaged(told(&desk, "inventory.yaml", "fw1"));
    assert!(
        text.starts_with("fail: refused .hopgate/content/HASH: its content has the hash ")
            && text.ends_with(" (J025)."),
        "{text}"
    );
    std::fs::remove_file(&file).unwrap();
    insta::assert_snapshot!(damaged(told(&desk, "inventory.yaml", "fw1")), @"fail: cannot read .hopgate/content/HASH: No such file or directory (os error 2) (J024).");
}
