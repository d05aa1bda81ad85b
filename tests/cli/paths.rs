//! `hopgate path`: what a path, a refusal, a fix and a fleet look like to whoever asks, and what bad input is answered with.

use serde_json::Value;

use super::desk::{Desk, Page};

#[test]
fn every_question_is_answered_in_words() {
    let mut page = Page::default();
    let desk = Desk::new();
    let mut ask = |question: &str| page.add(question, &desk.done(question));
    ask("path 10.2.4-h4 10.2.7 --model PA-440");
    ask("path 10.1.3 10.1.14-h9 --model PA-440 --alternatives 2");
    ask("path explain 10.1.14 12.1.2 --model PA-3220");
    ask("path explain 10.1.14-h9 10.2.7 --model PA-3220");
    ask("path fixes PAN-221190 --model PA-850 --from 10.2.4-h4");
    page.matches("path-words");
}

#[test]
fn questions_without_an_answer_say_why_and_what_is_near() {
    let mut page = Page::default();
    let desk = Desk::new();
    let mut ask = |question: &str| page.add(question, &desk.refused(question));
    ask("path 10.1.3 11.1.5 --model PA-85");
    ask("path 10.1.3 10.3 --model PA-850");
    ask("path 10.2.4 10.1.3 --model PA-850");
    ask("path 10.1.3 12.1.5 --model PA-850");
    ask("path 10.1.3 11.2.8 --model PA-440 --reach anisble");
    ask("path fixes PAN-22119 --model PA-850 --from 10.2.4-h4");
    ask("path --inventory inventory.yaml --to 10.2 --group custommer=acme");
    page.matches("path-refusals");
}

#[test]
fn an_overlay_changes_the_answer_and_a_wrong_one_is_told_with_its_line() {
    let mut page = Page::default();
    let desk = Desk::new();
    desk.write(
        "ours.toml",
        "[[release]]\nversion = \"10.2.99\"\npreferred = true\nsource = \"ours\"\nconfidence = \"high\"\n",
    );
    let path = desk.done("path 10.1.14-h9 10.2 --model PA-440 --catalogue ours.toml --format json");
    let path: Value = serde_json::from_str(&path).unwrap();
    assert_eq!(path["route"]["to"], "10.2.99");
    let mut wrong = |what: &str, text: &str| {
        desk.write("ours.toml", text);
        page.add(
            what,
            &desk.refused("path 10.1.14-h9 10.2 --model PA-440 --catalogue ours.toml"),
        );
    };
    let sourced = "source = \"ours\"\nconfidence = \"high\"\n";
    wrong(
        "a cycle",
        &format!("[[reach]]\nfrom = \"10.2\"\nto = [\"10.1\"]\n{sourced}"),
    );
    wrong(
        "a hole",
        &format!("[[train]]\nname = \"12.3\"\nbase = \"12.3.0\"\nleave_from = \"any\"\n{sourced}"),
    );
    wrong(
        "a misspelt key",
        &format!("[[release]]\nverison = \"10.2.99\"\n{sourced}"),
    );
    wrong(
        "an unknown flag",
        &format!(
            "[[advisory]]\nid = \"x\"\ntitle = \"t\"\nkind = \"condition\"\nto = [\"10.2\"]\nwhen = [{{ flag = \"haa\" }}]\nseverity = \"warn\"\neffect = \"e\"\naction = \"a\"\n{sourced}"
        ),
    );
    std::fs::remove_file(desk.path().join("ours.toml")).unwrap();
    page.add(
        "a file that is not there",
        &desk.refused("path 10.1.14-h9 10.2 --model PA-440 --catalogue ours.toml"),
    );
    page.matches("path-overlays");
}

#[test]
fn a_path_is_drawn_in_every_format_and_a_refusal_too() {
    let desk = Desk::new();
    let ask = |format: &str| desk.done(&format!("path 9.1.12-h3 11.1.6 --model PA-850 --format {format}"));
    assert!(ask("svg").starts_with("<svg "), "no svg");
    assert!(ask("html").starts_with("<!DOCTYPE html>"), "no page");
    assert!(ask("dot").starts_with("digraph"), "no graph");
    assert!(ask("mermaid").starts_with("flowchart LR"), "no flowchart");
    let plan: Value = serde_json::from_str(&ask("json")).unwrap();
    assert_eq!(plan["hops"].as_array().map(Vec::len), Some(4));
    let several = desk.done("path 10.1.14-h9 11.1.6 --model PA-850 --alternatives 3 --format json");
    let several: Value = serde_json::from_str(&several).unwrap();
    assert!(several.as_array().is_some_and(|found| found.len() > 1));
    assert_eq!(
        desk.done("path 9.1.12-h3 11.1.6 --model PA-850 --format svg --out path.svg"),
        ""
    );
    let written = std::fs::read_to_string(desk.path().join("path.svg")).unwrap();
    assert_eq!(written.trim_end(), ask("svg").trim_end());
    let refused = desk.run("path 10.1.3 12.1.5 --model PA-850 --format svg");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stdout.starts_with("<svg "), "{}", refused.stdout);
    let nothing = desk.run("path 10.1.3 10.1.3 --model PA-850");
    assert_eq!(
        (nothing.code, nothing.stdout.as_str(), nothing.stderr.as_str()),
        (Some(0), "", "nothing to do: the PA-850 runs 10.1.3 already\n")
    );
}

#[test]
fn a_fleet_is_told_a_path_once_with_the_devices_it_is_for() {
    let (desk, _simulator) = Desk::with_fleet(60);
    let told = desk.done("path --inventory inventory.yaml --to 10.2.7");
    let heads: Vec<&str> = told.lines().filter(|line| line.starts_with("PA-")).collect();
    assert_eq!(heads.len(), 2, "{told}");
    assert!(told.contains("2 devices: core-a, core-b"), "{told}");
    assert!(
        told.ends_with("4 devices: 4 with a path, 0 with nothing to do, 0 without a path, 0 not read\n"),
        "{told}"
    );
    let chosen = "path --inventory inventory.yaml --to 10.2.7 --group model=PA-VM,version<10.2,name!=fw2 --format json";
    let rows: Value = serde_json::from_str(&desk.done(chosen)).unwrap();
    let names: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["device"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["fw1"]);
    assert!(rows[0]["found"]["path"]["hops"][0]["images"][0]["size_mb"].is_u64());
    let unlisted = desk.run("path --inventory inventory.yaml --to 10.2.99 --group name=fw1");
    assert_eq!(unlisted.code, Some(3));
    assert!(
        unlisted.stdout.starts_with("NO PATH: "),
        "the device does not list it: {}",
        unlisted.stdout
    );
}

#[test]
fn a_device_that_does_not_answer_is_a_row_and_not_the_end() {
    let desk = Desk::new();
    let ended = desk.run("path --inventory inventory.yaml --to 10.2.7");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert!(ended.stdout.contains("NOT READ: "), "{}", ended.stdout);
    assert!(ended.stdout.contains("fw1"), "{}", ended.stdout);
    assert!(ended.stdout.contains("2 not read"), "{}", ended.stdout);
}
