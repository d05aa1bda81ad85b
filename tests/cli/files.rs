//! Mistakes in what people write: told with file, line, column and key before anything is made or asked.

use std::time::Duration;

use hopgate_tests::process::{self, PASSWORD, Process};

use super::desk::{Desk, Page};

/// What is wrong, where, and how it got so.
const MISTAKES: [(&str, &str, &str, &str); 15] = [
    (
        "an unknown key",
        "campaign.yaml",
        "launcher: olga",
        "lancher: olga",
    ),
    (
        "an unknown key of a device",
        "inventory.yaml",
        "{name: fw2, address:",
        "{name: fw2, adress:",
    ),
    ("a missing key", "campaign.yaml", "launcher: olga\n", ""),
    (
        "a key twice",
        "campaign.yaml",
        "launcher: olga",
        "launcher: olga\nlauncher: petra",
    ),
    (
        "a wrong type",
        "campaign.yaml",
        "concurrency: 2",
        "concurrency: two",
    ),
    ("not YAML", "campaign.yaml", "[readiness]", "[readiness"),
    (
        "a version that cannot be",
        "campaign.yaml",
        "target: 10.2.7",
        "target: 10.2",
    ),
    (
        "a name that is not allowed",
        "inventory.yaml",
        "name: fw2",
        "name: acme/fw2",
    ),
    ("a device twice", "inventory.yaml", "name: fw2", "name: fw1"),
    ("an address twice", "inventory.yaml", "127.0.0.1:2", "127.0.0.1:1"),
    (
        "a wave with a device that is not there",
        "campaign.yaml",
        "[fw1]",
        "[fw3]",
    ),
    (
        "a wave with neither devices nor the rest",
        "campaign.yaml",
        "rest: true, ",
        "",
    ),
    (
        "a time without its zone",
        "campaign.yaml",
        "2026-03-07T19:00:00Z",
        "2026-03-07T19:00",
    ),
    (
        "an inventory that is not there",
        "campaign.yaml",
        "inventory.yaml",
        "estate.yaml",
    ),
    (
        "a playbook that is not there",
        "campaign.yaml",
        "[readiness]",
        "[readyness]",
    ),
];

/// Has the campaign ask this before its hops.
fn ask_before(desk: &Desk, before: &str) {
    let text = std::fs::read_to_string(desk.path().join("campaign.yaml")).unwrap();
    let line = text.lines().find(|line| line.starts_with("checks:"));
    let asked = format!("checks: {{before: [{before}], after: [after]}}");
    desk.change("campaign.yaml", line.unwrap(), &asked);
}

#[test]
fn the_settings_of_a_check_are_shown_to_who_approves_and_are_part_of_the_plan() {
    let (desk, _simulator) = Desk::with_fleet(60);
    desk.change(
        "campaign.yaml",
        "  - {name: rest, rest: true, concurrency: 2, approval: true}\n",
        "",
    );
    let plan = |before: &str| {
        ask_before(&desk, before);
        desk.done("plan campaign.yaml")
    };
    let last = |told: &str| told.trim_end().lines().last().unwrap().to_owned();
    let hash = |told: &str| {
        told.lines()
            .next()
            .unwrap()
            .split_once("plan ")
            .unwrap()
            .1
            .to_owned()
    };
    let plain = plan("readiness, licences");
    let sixty = plan("readiness, {playbook: licences, with: {warn_days: 60}}");
    insta::assert_snapshot!(last(&sixty), @"checks before every hop: licences (warn_days=60), readiness; after: after");
    assert_ne!(hash(&sixty), hash(&plain));
    assert_ne!(
        hash(&plan("readiness, {playbook: licences, with: {warn_days: 61}}")),
        hash(&sixty)
    );
    assert_eq!(hash(&plan("readiness, licences")), hash(&plain));
    let mut page = Page::default();
    for (what, before) in [
        (
            "a setting that there is not",
            "{playbook: licences, with: {warn_dayz: 60}}",
        ),
        (
            "two of one name",
            "licences, {playbook: licences, with: {warn_days: 60}}",
        ),
        (
            "settings of advisories",
            "{playbook: advisories, with: {warn_days: 60}}",
        ),
    ] {
        ask_before(&desk, before);
        page.add(what, &desk.refused("plan campaign.yaml"));
    }
    page.matches("check_settings");
}

#[test]
fn a_mistake_is_told_with_its_place_and_nothing_is_made() {
    let mut page = Page::default();
    for (what, file, from, to) in MISTAKES {
        let desk = Desk::new();
        desk.change(file, from, to);
        let told = desk.refused("plan campaign.yaml");
        assert_eq!(
            told,
            desk.refused("run campaign.yaml"),
            "plan and run say the same"
        );
        assert!(
            !desk.path().join(".hopgate").exists(),
            "{what}: a state directory was made"
        );
        page.add(what, &told);
    }
    page.matches("files");
}

#[test]
fn what_is_not_there_is_named() {
    let mut page = Page::default();
    let desk = Desk::new();
    page.add("no campaign file", &desk.refused("run autumn.yaml"));
    page.add("no fleet file", &desk.refused("simulate fleet.yaml --port 0"));
    page.add(
        "no inventory to audit",
        &desk.refused("audit --inventory estate.yaml"),
    );
    page.add(
        "no such playbook to audit with",
        &desk.refused("audit --playbook optiks"),
    );
    desk.write("fleet.yaml", "seed: 1\ndevises: []\n");
    page.add(
        "an unknown key of a fleet",
        &desk.refused("simulate fleet.yaml --port 0"),
    );
    desk.write("mine.yaml", "playbook: mine\ntitle: Mine\ncheks: []\n");
    desk.change("campaign.yaml", "[readiness]", "[mine.yaml]");
    page.add(
        "an unknown key of a playbook",
        &desk.refused("plan campaign.yaml"),
    );
    page.matches("missing");
}

#[test]
fn a_secret_that_cannot_be_had_is_named_by_its_place() {
    let mut page = Page::default();
    let desk = Desk::new();
    let mut command = process::command(desk.path(), ["run", "campaign.yaml"]);
    let ended = Process::start(command.env_remove(PASSWORD.0)).wait(Duration::from_secs(60));
    page.add("no such variable", &desk.refusal("no variable", &ended));
    desk.has_no_campaign();
    desk.change(
        "inventory.yaml",
        "{env: HOPGATE_SIMULATED_PASSWORD}",
        "{file: secret}",
    );
    page.add("no such file", &desk.refused("run campaign.yaml"));
    desk.write("secret", "\n");
    page.add("nothing in it", &desk.refused("run campaign.yaml"));
    page.matches("secrets");
}
