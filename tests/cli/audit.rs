//! `hopgate audit`: every output against a simulated estate, deadlines, waivers, ways, parts, schedules and their history.

use std::collections::BTreeSet;
use std::time::Duration;

use hopgate_tests::process::{self, Ended, Simulator};
use hopgate_tests::receiver::Receiver;
use serde_json::{Value, json};

use super::desk::{Desk, Page};

/// Three firewalls of two customers; one holds a module that boot-loops its model.
const ESTATE: &str = "\
seed: 5
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - name: acme-loops
    model: PA-850
    version: 9.1.16
    content: 8900-9000
    labels: {customer: acme}
    optics: [{port: 5, vendor: FS, part: SFP-10GSR-85}]
  - {name: acme-fine, model: PA-850, version: 9.1.16, content: 8900-9000, labels: {customer: acme}}
  - {name: bolt-fine, model: PA-VM, version: 9.1.16, content: 8900-9000, labels: {customer: bolt}}
";

fn estate(speed: u32) -> (Desk, Simulator) {
    let desk = Desk::new();
    desk.write("fleet.yaml", ESTATE);
    let simulator = Simulator::serve(desk.path(), speed);
    (desk, simulator)
}

/// An audit that has to find something: status 3.
fn attention(desk: &Desk, arguments: &str) -> Ended {
    let ended = desk.run(arguments);
    assert_eq!(ended.code, Some(3), "hopgate {arguments}: {ended:#?}");
    ended
}

fn read(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn json(desk: &Desk, name: &str) -> Value {
    serde_json::from_str(&read(desk, name)).unwrap()
}

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/audit.md");
    std::fs::read_to_string(path).unwrap()
}

/// The example of a file on the page.
fn example(name: &str) -> String {
    let page = page();
    let (_, rest) = page.split_once(&format!("`{name}`:\n\n```yaml\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn every_report_tells_the_same() {
    let (desk, _simulator) = estate(60);
    let ended = attention(
        &desk,
        "audit --playbook optics --html a.html --csv a.csv --json a.json --junit a.xml",
    );
    insta::assert_snapshot!(ended.stdout, @r#"
EXPOSED  acme-loops         PA-850    9.1.16
         ethernet1/5 holds SFP-10GSR-85 by FS, which is not on the list of allowed modules: a PA-850 reboots again and again with an unsupported module in ports 5 to 8 (PAN-221190). It runs 9.1.16, and any release before the fix is exposed; fixed in 10.1.11-h1, 10.2.7 and 11.0.4.
3 devices asked: 1 exposed, 0 unknown, 2 clear
"#);
    let whole = json(&desk, "a.json");
    assert_eq!(
        whole["counts"],
        json!({"devices": 3, "exposed": 1, "unknown": 0, "clear": 2})
    );
    let csv = read(&desk, "a.csv");
    assert!(csv.starts_with("device,model,serial,version,outcome,"), "{csv}");
    assert_eq!(
        csv.lines().filter(|line| line.contains(",fail,")).count(),
        1,
        "{csv}"
    );
    let junit = read(&desk, "a.xml");
    assert_eq!(junit.matches("<testsuite ").count(), 3);
    assert!(junit.contains("failures=\"1\" errors=\"0\""), "{junit}");
    let html = read(&desk, "a.html");
    assert!(html.contains("<title>Audit: 1 exposed, 0 unknown, 2 clear</title>"));
    for ways in ["http://127", "admin", &desk.path().display().to_string()] {
        assert!(
            !html.contains(ways) && !whole.to_string().contains(&format!("\"{ways}\"")),
            "{ways}"
        );
    }
}

/// The keys of a table on the page, under a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let page = page();
    let (_, rest) = page.split_once(&format!("{heading}\n")).unwrap();
    let rows = rest
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| row.split('`').nth(1))
        .map(str::to_owned)
        .collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_json_has_the_keys_that_the_page_tells() {
    let (desk, _simulator) = estate(60);
    attention(&desk, "audit --playbook optics --to 10.2.7 --json a.json");
    let whole = json(&desk, "a.json");
    assert_eq!(keys(&whole), documented("### The file"));
    let device = &whole["devices"][0];
    assert_eq!(keys(device), documented("### A device"));
    assert_eq!(keys(&device["findings"][0]), documented("### A finding"));
    assert_eq!(device["device"], "acme-loops");
    assert_eq!(device["outcome"], "exposed");
    // What was read is there, where it was asked for; what was not is not made up.
    assert!(
        device["facts"]["optics"]["known"]
            .to_string()
            .contains("SFP-10GSR-85"),
        "{device:#}"
    );
    assert_eq!(device["facts"]["arp"]["unknown"], "not asked");
    let stops = device["way"]["stops"].as_array().unwrap();
    assert_eq!(stops.last().unwrap(), "10.2.7");
    let verdicts = whole.to_string();
    assert!(
        !verdicts.contains("no hop is planned"),
        "the checks see the first hop: {verdicts}"
    );
}

/// A check about a hop, for a playbook that has no other.
const ABOUT_A_HOP: &str = "\
playbook: mine
title: About a hop
checks:
  - id: not-yet
    title: The hop is to a later release
    needs: [hop]
    fail_when: hop.to == \"9.1.0\"
    severity: warn
    message: No.
";

#[test]
fn what_is_about_a_hop_is_asked_where_one_is_looked_for_and_ahead() {
    let (desk, _simulator) = estate(60);
    let bolt = "--group customer=bolt --json a.json";
    let ended = desk.run(&format!("audit --playbook readiness {bolt}"));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    insta::assert_snapshot!(ended.stdout, @r"
    4 checks are about a hop and were not asked; --to RELEASE plans one
    1 device asked: 0 exposed, 0 unknown, 1 clear
    ");
    let not_asked = json(&desk, "a.json")["not_asked"].clone();
    assert_eq!(
        not_asked,
        json!([
            "readiness/content-new-enough",
            "readiness/images-offered",
            "readiness/disk-space",
            "readiness/software-manager-clear",
        ])
    );
    // It is there: nothing is about a hop.
    let ended = desk.run(&format!("audit --playbook readiness --to 9.1.16 {bolt}"));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(json(&desk, "a.json")["not_asked"], json!([]));
    // No way leads there: what is about the hop cannot be told.
    let ended = attention(&desk, &format!("audit --playbook readiness --to 8.1.0 {bolt}"));
    assert_eq!(ended.stdout.matches("no hop is planned").count(), 4, "{ended:#?}");

    desk.write("mine.yaml", ABOUT_A_HOP);
    let refused = desk.run("audit --playbook mine.yaml");
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    insta::assert_snapshot!(refused.stderr, @r"
    error[A003]: every check of the playbook mine is about a hop, and this audit has none
      hint: --to RELEASE plans every device's way and asks about its first hop
    ");
    let ended = desk.run("audit --playbook mine.yaml --to 10.1.0 --group customer=bolt");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[test]
fn settings_are_chosen_for_an_audit_and_told_in_its_reports() {
    let (desk, _simulator) = estate(60);
    let told = |arguments: &str| {
        let asked = "audit --playbook licences --playbook certificates --group name=bolt-fine";
        let ended = desk.run(&format!("{asked} --json a.json --html a.html {arguments}"));
        assert_eq!(ended.code, Some(3), "{ended:#?}");
        let weak = ended.stdout.matches("RSA 16384").count();
        (weak, json(&desk, "a.json")["settings"].clone())
    };
    assert_eq!(told(""), (0, json!({})));
    let (weak, settings) =
        told("--with rsa_bits=16384 --with warn_days=60 --with licences.skip_licences=WildFire,DNS");
    assert!(weak > 0);
    assert_eq!(
        settings,
        json!({
            "licences": {"warn_days": 60, "skip_licences": ["WildFire", "DNS"]},
            "certificates": {"warn_days": 60, "rsa_bits": 16384},
        })
    );
    let asked =
        "licences (skip_licences=[WildFire, DNS], warn_days=60), certificates (rsa_bits=16384, warn_days=60)";
    assert!(read(&desk, "a.html").contains(asked));
    let mut page = Page::default();
    page.add(
        "a setting that nobody has",
        &desk.refused("audit --playbook licences --with warn_dayz=60"),
    );
    page.add(
        "a playbook that is not asked",
        &desk.refused("audit --playbook licences --with optics.warn_days=60"),
    );
    page.add(
        "a value of another kind",
        &desk.refused("audit --playbook licences --with licences.warn_days=soon"),
    );
    page.matches("settings");
}

#[test]
fn an_audit_tells_when_the_certificate_of_the_management_address_ends() {
    let (desk, _simulator) = estate(60);
    let audited = |arguments: &str| {
        let asked = "audit --playbook certificates --group name=bolt-fine --json a.json";
        let ended = desk.run(&format!("{asked} {arguments}"));
        let told = ended.stdout.lines().map(str::trim);
        let told = told.filter(|line| line.contains("management address"));
        told.map(str::to_owned).collect::<Vec<_>>()
    };
    // A simulated device's ends in two thousand years.
    assert_eq!(audited(""), [""; 0]);
    let told = audited("--with warn_days=1000000");
    assert_eq!(
        told,
        ["The certificate of the management address, /CN=bolt-fine, ends on 4096-01-01T00:00:00Z."]
    );
    let report = json(&desk, "a.json");
    let facts = &report["devices"][0]["facts"];
    let fingerprint = &facts["management_certificate"]["known"]["fingerprint"];
    let pinned = format!("trust: {{fingerprint: {}}}", fingerprint.as_str().unwrap());
    // What it says of itself is what an inventory pins.
    let inventory = read(&desk, "inventory.yaml");
    desk.write(
        "inventory.yaml",
        &inventory.replace("name: bolt-fine", &format!("name: bolt-fine\n  {pinned}")),
    );
    assert_eq!(audited("--with warn_days=1000000"), told);
}

#[test]
fn a_device_that_does_not_answer_delays_nobody_and_is_told_as_unread() {
    let (desk, simulator) = estate(60);
    let hang = json!({"inject": {"device": "acme-fine", "fault": "hang", "lasts": {"requests": 1000}}});
    simulator.control(&hang);
    let began = process::now();
    let ended = attention(&desk, "audit --playbook optics --timeout 2 --json a.json");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    insta::assert_snapshot!(ended.stdout, @r"
    EXPOSED  acme-loops         PA-850    9.1.16
             ethernet1/5 holds SFP-10GSR-85 by FS, which is not on the list of allowed modules: a PA-850 reboots again and again with an unsupported module in ports 5 to 8 (PAN-221190). It runs 9.1.16, and any release before the fix is exposed; fixed in 10.1.11-h1, 10.2.7 and 11.0.4.
    unknown  acme-fine          ?         ?
             could not be read: read system information on acme-fine: no complete reply in time: no answer within 2 s
    3 devices asked: 1 exposed, 1 unknown, 1 clear
    ");
    let whole = json(&desk, "a.json");
    let dark = whole["devices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|device| device["device"] == "acme-fine")
        .unwrap();
    assert_eq!(dark["outcome"], "unknown");
    assert!(dark["took_ms"].as_u64().unwrap() >= 2000);
    let quick = whole["devices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|device| device["device"] == "bolt-fine")
        .unwrap();
    assert_eq!(quick["outcome"], "clear");
    simulator.control(&json!({"clear": {"device": "acme-fine"}}));
    simulator
        .control(&json!({"inject": {"device": "acme-fine", "fault": "refuse", "lasts": {"requests": 1000}}}));
    let refused = attention(&desk, "audit --playbook optics --group name=acme-fine");
    assert!(refused.stdout.contains("could not be read: "), "{refused:#?}");
}

#[test]
fn a_group_of_the_inventory_is_asked_waived_for_and_left_out() {
    let (desk, _simulator) = estate(60);
    let inventory = read(&desk, "inventory.yaml");
    let groups = "groups:\n  acme: customer=acme\n  canaries: [name=bolt-fine, 'acme,!loops']\n  loops: name=acme-loops\n";
    desk.write("inventory.yaml", &format!("{groups}{inventory}"));
    let asked = |group: &str| {
        let told = desk.run(&format!("audit --playbook optics --group {group} --json a.json"));
        assert!(matches!(told.code, Some(0 | 3)), "{told:#?}");
        let whole = json(&desk, "a.json");
        let devices = whole["devices"].as_array().unwrap().iter();
        let mut names: Vec<_> = devices
            .map(|one| one["device"].as_str().unwrap().to_owned())
            .collect();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(asked("canaries"), "acme-fine bolt-fine");
    assert_eq!(asked("!canaries"), "acme-loops");
    assert_eq!(asked("canaries,model=PA-850,version<10.2"), "acme-fine");
    desk.write(
        "waivers.yaml",
        "waivers:\n  - {check: PAN-221190, group: '!canaries', until: 2026-12-24, by: petra, reason: swapped on Friday}\n",
    );
    let told = desk.done("audit --playbook optics --waive waivers.yaml");
    assert!(
        told.ends_with("3 devices asked: 0 exposed, 0 unknown, 3 clear\n"),
        "{told}"
    );
    // Another look at the same reports knows the labels and no groups.
    insta::assert_snapshot!(desk.refused("audit diff a.json a.json --group !canaries"), @r"
error[C004]: the selector asks for the group canaries, and reports have no groups; they have name, model, version, serial and labels
  hint: the label that the group is made of says it: customer=acme
");
}

#[test]
fn what_is_waived_does_not_count_until_it_ends() {
    let (desk, _simulator) = estate(60);
    let waivers = |until: &str| {
        let text = format!(
            "waivers:\n  - {{check: PAN-221190, group: customer=acme, until: {until}, by: petra, reason: swapped on Friday}}\n"
        );
        desk.write("waivers.yaml", &text);
    };
    waivers("2026-12-24");
    let told = desk.done("audit --playbook optics --waive waivers.yaml");
    insta::assert_snapshot!(told, @r#"
clear    acme-loops         PA-850    9.1.16
         ethernet1/5 holds SFP-10GSR-85 by FS, which is not on the list of allowed modules: a PA-850 reboots again and again with an unsupported module in ports 5 to 8 (PAN-221190). It runs 9.1.16, and any release before the fix is exposed; fixed in 10.1.11-h1, 10.2.7 and 11.0.4; accepted by petra until 2026-12-25T00:00:00Z: swapped on Friday
3 devices asked: 0 exposed, 0 unknown, 3 clear
"#);
    waivers("2026-03-06");
    let told = attention(&desk, "audit --playbook optics --waive waivers.yaml");
    insta::assert_snapshot!(told.stdout, @r#"
EXPOSED  acme-loops         PA-850    9.1.16
         ethernet1/5 holds SFP-10GSR-85 by FS, which is not on the list of allowed modules: a PA-850 reboots again and again with an unsupported module in ports 5 to 8 (PAN-221190). It runs 9.1.16, and any release before the fix is exposed; fixed in 10.1.11-h1, 10.2.7 and 11.0.4. (the waiver of petra ended 2026-03-07T00:00:00Z: swapped on Friday)
1 finding again: their waivers have ended
3 devices asked: 1 exposed, 0 unknown, 2 clear
"#);
    let mut page = Page::default();
    waivers("tomorrow");
    page.add(
        "a day that is none",
        &desk.refused("audit --playbook optics --waive waivers.yaml"),
    );
    page.add(
        "advisories without a way",
        &desk.refused("audit --playbook advisories"),
    );
    page.add(
        "no such label",
        &desk.refused("audit --html reports --split-by custommer"),
    );
    page.add(
        "a key that no device has",
        &desk.refused("audit --group custommer=acme"),
    );
    page.add(
        "a group that the inventory does not have",
        &desk.refused("audit --group acme-fine"),
    );
    page.add("no history", &desk.refused("audit history"));
    page.matches("audit");
}

#[test]
fn the_way_of_every_device_is_held_against_what_is_known() {
    let (desk, _simulator) = estate(60);
    let arguments = "audit --playbook advisories --to 10.2.7 --json a.json";
    let ended = attention(&desk, arguments);
    assert!(ended.stdout.contains(" -> 10.2.7\n"), "{ended:#?}");
    let whole = json(&desk, "a.json");
    let playbooks: BTreeSet<&str> = whole["devices"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["playbook"].as_str().unwrap())
        .collect();
    assert_eq!(playbooks, BTreeSet::from(["advisories", "path"]));
    let none = attention(&desk, "audit --playbook optics --group customer=bolt --to 9.1.3");
    assert!(none.stdout.contains("no way to 9.1.3: "), "{none:#?}");
}

#[test]
fn a_report_for_a_customer_names_no_other() {
    let (desk, _simulator) = estate(60);
    let names = ["acme-loops", "acme-fine", "bolt-fine"];
    let all = "--html a.html --csv a.csv --json a.json --junit a.xml";
    let ended = desk.run(&format!("audit --playbook optics --group customer=bolt {all}"));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for file in ["a.html", "a.csv", "a.json", "a.xml"] {
        let text = read(&desk, file);
        assert!(text.contains("bolt-fine") && !text.contains("acme"), "{file}");
    }
    let each = "--html parts/ --csv parts/ --json parts/ --junit parts/";
    attention(
        &desk,
        &format!("audit --playbook optics --split-by customer {each}"),
    );
    let mut files: Vec<String> = std::fs::read_dir(desk.path().join("parts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let expected = ["acme.csv", "acme.html", "acme.json", "acme.xml"];
    let expected = expected
        .into_iter()
        .chain(["bolt.csv", "bolt.html", "bolt.json", "bolt.xml"]);
    assert_eq!(files, expected.collect::<Vec<_>>());
    for file in files {
        let customer = file.split('.').next().unwrap();
        let text = read(&desk, &format!("parts/{file}"));
        for name in names {
            assert_eq!(
                text.contains(name),
                name.starts_with(customer),
                "{customer} and {name}"
            );
        }
    }
}

#[test]
fn a_schedule_is_kept_and_its_history_tells_what_is_new() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let receiver = runtime.block_on(Receiver::listen(&[]));
    // A simulated minute is a second and a half.
    let (desk, simulator) = estate(40);
    let schedule = format!(
        "audits:\n  - {{name: nightly, cron: '* * * * *', inventory: inventory.yaml, playbooks: [optics], reports: {{json: nightly.json}}}}\n\
         pager: {{pagerduty: {{url: \"{}\", routing_key_from: {{env: HOPGATE_SIMULATED_PASSWORD}}}}}}\n",
        receiver.url()
    );
    desk.write("schedules.yaml", &schedule);
    let mut keeping = desk.start("audit --schedule schedules.yaml");
    keeping.wait_for_text(
        "1 exposed, 0 unknown, 2 clear; first run",
        Duration::from_secs(60),
    );
    let swap = |device: &str, part: &str| {
        let optic = json!({"port": 6, "vendor": "FS", "part": part});
        simulator.control(&json!({"set_optics": {"device": device, "optics": [optic]}}));
    };
    swap("acme-fine", "SFP-10GSR-85");
    keeping.wait_for_text(
        "2 exposed, 0 unknown, 1 clear; 1 new, 0 gone, 1 still",
        Duration::from_secs(60),
    );
    simulator.control(&json!({"set_optics": {"device": "acme-loops", "optics": []}}));
    keeping.wait_for_text(
        "1 exposed, 0 unknown, 2 clear; 0 new, 1 gone, 1 still",
        Duration::from_secs(60),
    );
    keeping.interrupt();
    let ended = keeping.wait(Duration::from_secs(60));
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    assert_eq!(json(&desk, "nightly.json")["schema"], 1);
    let history = desk.done("audit history nightly");
    assert!(
        history.contains("1 exposed, 0 unknown, 2 clear; first run"),
        "{history}"
    );
    assert!(
        history.contains("2 exposed, 0 unknown, 1 clear; 1 new, 0 gone, 1 still"),
        "{history}"
    );
    assert!(history.contains("optics/PAN-221190"), "{history}");
    assert!(desk.done("audit history").starts_with("nightly  "));
    let pages: Vec<String> = receiver
        .seen()
        .iter()
        .map(|(_, event)| event["payload"]["summary"].as_str().unwrap().to_owned())
        .collect();
    // Once when it was first seen, once for what was new then, and never for what stayed.
    assert_eq!(
        pages,
        [
            "audit nightly: 1 new blocker on 1 device",
            "audit nightly: 1 new blocker on 1 device"
        ]
    );
}

#[test]
fn the_examples_on_the_page_are_read() {
    let (desk, _simulator) = estate(60);
    desk.change("inventory.yaml", "name: acme-fine", "name: vie-edge1");
    desk.write("waivers.yaml", &example("waivers.yaml"));
    let ended = attention(&desk, "audit --playbook optics --waive waivers.yaml");
    assert_eq!(ended.stderr, "", "{ended:#?}");
    desk.write(
        "schedules.yaml",
        &example("schedules.yaml").replace("PAGERDUTY_KEY", "HOPGATE_SIMULATED_PASSWORD"),
    );
    let mut keeping = desk.start("audit --schedule schedules.yaml");
    keeping.wait_for_text("nightly: next 2026-03-08", Duration::from_secs(60));
    keeping.interrupt();
    assert_eq!(keeping.wait(Duration::from_secs(60)).code, Some(4));
}
