//! Panorama as the inventory: what it manages is named, paired and labelled, asked directly, and held against who answers.

use std::net::TcpListener;
use std::time::Duration;

use hopgate_tests::process::Simulator;
use serde_json::{Value, json};

use super::desk::{Desk, Page};

/// A firewall and a pair behind a pair of Panoramas, and a firewall that none of them manages.
const FLEET: &str = "\
seed: 3
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: vie-edge1, model: PA-VM, version: 10.1.14-h9, content: 8900-9000, labels: {customer: acme, site: vienna}}
  - {name: lnz-a, model: PA-3220, version: 10.1.14-h9, content: 8900-9000, labels: {customer: acme, site: linz}}
  - {name: lnz-b, model: PA-3220, version: 10.1.14-h9, content: 8900-9000, labels: {customer: acme, site: linz}}
  - {name: bolt-edge1, model: PA-VM, version: 10.1.14-h9, content: 8900-9000, labels: {customer: bolt}}
panoramas:
  - {name: pan-a, version: 10.2.7, manages: {customer: acme}}
  - {name: pan-b, version: 10.2.7, manages: {customer: acme}}
pairs:
  - {name: lnz, members: [lnz-a, lnz-b], active: lnz-a}
  - {name: pan, members: [pan-a, pan-b], active: pan-a}
";

/// The fleet, each device at an address of its own in this network, as its Panorama tells; and the file that names the Panoramas.
fn estate(network: &str) -> (Desk, Simulator) {
    let desk = Desk::new();
    desk.write("fleet.yaml", FLEET);
    // Free on one loopback address, and so on the others of a network that nobody else uses.
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let port = port.to_string();
    let arguments = [
        "fleet.yaml",
        "--speed",
        "60",
        "--address-per-device",
        network,
        "--port",
        &port,
        "--write-inventory",
        "served.yaml",
    ];
    let simulator = Simulator::start(desk.path(), &arguments);
    let table = simulator.stdout();
    let address = |name: &str| {
        let row = table
            .lines()
            .find(|line| line.trim_start().starts_with(name))
            .unwrap();
        row.split_whitespace().nth(3).unwrap().to_owned()
    };
    let credentials = "{user: admin, password_from: {env: HOPGATE_SIMULATED_PASSWORD}}";
    let file = format!(
        "panoramas:\n  \
         - {{name: pan-a, address: \"{}\", credentials: {credentials}, labels: {{customer: acme}}}}\n  \
         - {{name: pan-b, address: \"{}\", credentials: {credentials}}}\n\
         devices: {{credentials: {credentials}, port: {port}}}\n\
         groups:\n  linz: device_group=linz\n",
        address("pan-a"),
        address("pan-b"),
    );
    desk.write("panorama.yaml", &file);
    (desk, simulator)
}

fn json_of(desk: &Desk, name: &str) -> Value {
    let text = std::fs::read_to_string(desk.path().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_schedule_asks_whatever_panoramas_manage_then() {
    let (desk, _simulator) = estate("127.64.0.0/16");
    let schedule = |more: &str| {
        format!("audits:\n  - {{name: nightly, cron: '* * * * *', {more}, playbooks: [optics]}}\n")
    };
    desk.write("schedules.yaml", &schedule("from_panorama: panorama.yml"));
    let refused = desk.refused("audit --schedule schedules.yaml");
    assert!(
        refused.starts_with("error[C001]: failed to read panorama.yml"),
        "{refused}"
    );

    // Nobody is there at night to type.
    let typed = std::fs::read_to_string(desk.path().join("panorama.yaml")).unwrap();
    let typed = typed.replace("{env: HOPGATE_SIMULATED_PASSWORD}", "{prompt: Password}");
    desk.write("typed.yaml", &typed);
    desk.write("schedules.yaml", &schedule("from_panorama: typed.yaml"));
    insta::assert_snapshot!(desk.refused("audit --schedule schedules.yaml"), @r"
    error[A003]: the audit nightly would ask somebody for a secret of pan-a
      hint: a schedule takes secrets from env, file or command, and not from prompt
    ");
    desk.write("schedules.yaml", &schedule("from_panorama: panorama.yaml"));
    let mut keeping = desk.start("audit --schedule schedules.yaml");
    // At the next full minute: of what Panoramas manage nobody says that its time is simulated.
    keeping.wait_for_text(
        "0 exposed, 0 unknown, 3 clear; first run",
        Duration::from_secs(90),
    );
    keeping.interrupt();
    assert_eq!(keeping.wait(Duration::from_secs(60)).code, Some(4));
    let history = desk.done("audit history nightly");
    assert!(history.contains("3 clear; first run"), "{history}");
}

#[test]
fn what_panoramas_manage_is_an_inventory_that_is_asked_directly() {
    let (desk, simulator) = estate("127.61.0.0/16");
    let made = desk.run("inventory --from-panorama panorama.yaml --write made.yaml");
    assert_eq!(made.code, Some(0), "{made:#?}");
    assert_eq!(made.stderr, "3 firewalls written to made.yaml\n");
    let written = std::fs::read_to_string(desk.path().join("made.yaml")).unwrap();
    assert!(
        !written.contains("bolt-edge1") && !written.contains("password: "),
        "{written}"
    );
    assert_eq!(
        desk.done("inventory --from-panorama panorama.yaml").trim(),
        written.trim()
    );

    // Asked from the file that was made and directly, they say the same.
    let ask = |how: &str| {
        let asked = desk.run(&format!(
            "audit --playbook optics --playbook ha {how} --json a.json"
        ));
        assert_eq!(asked.code, Some(0), "{asked:#?}");
        json_of(&desk, "a.json")["devices"].as_array().unwrap().clone()
    };
    let from_file = ask("--inventory made.yaml");
    let directly = ask("--from-panorama panorama.yaml");
    let told = |devices: &[Value]| {
        devices
            .iter()
            .map(|device| {
                (
                    device["device"].clone(),
                    device["serial"].clone(),
                    device["labels"].clone(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&from_file), told(&directly));
    let lnz = directly
        .iter()
        .find(|device| device["device"] == "lnz-a")
        .unwrap();
    assert_eq!(
        lnz["labels"],
        json!({"customer": "acme", "panorama": "pan-a", "connected": "yes", "device_group": "linz"})
    );
    let group = ask("--from-panorama panorama.yaml --group device_group=linz");
    assert_eq!(group.len(), 2);
    assert_eq!(
        told(&ask("--from-panorama panorama.yaml --group linz")),
        told(&group)
    );
    assert_eq!(ask("--inventory made.yaml --group !linz").len(), 1);
    let misspelt = std::fs::read_to_string(desk.path().join("panorama.yaml")).unwrap();
    desk.write("misspelt.yaml", &misspelt.replace("device_group", "device_grop"));
    insta::assert_snapshot!(desk.refused("inventory --from-panorama misspelt.yaml"), @r"
error[C003]: misspelt.yaml:6: groups.linz: the selector asks for device_grop, which no device has (nearest: device_group, version, peer)
  hint: docs/operator-guide.md has every key with an example
");
    let facts = desk.done("facts vie-edge1 --from-panorama panorama.yaml --area system");
    assert!(
        facts.contains("  hostname                 vie-edge1\n"),
        "{facts}"
    );

    // Members of a pair name each other.
    for (one, other) in [("lnz-a", "lnz-b"), ("lnz-b", "lnz-a")] {
        let (_, entry) = written.split_once(&format!("name: {one}\n")).unwrap();
        let entry = entry.split("- name:").next().unwrap();
        assert!(entry.contains(&format!("peer: {other}\n")), "{entry}");
    }

    // A firewall that Panorama lost is kept and told, and an audit says that it cannot be read.
    simulator.control(&json!({"cut_network": {"whom": {"device": "vie-edge1"}, "how": "refuse"}}));
    simulator.control(&json!({"cut_network": {"whom": {"device": "pan-b"}, "how": "refuse"}}));
    let mut page = Page::default();
    let refused = desk.refused("audit --from-panorama panorama.yaml");
    assert!(
        refused.contains("the firewalls of a Panorama cannot be listed: "),
        "{refused}"
    );
    simulator.control(&json!({"heal_network": {"whom": {"device": "pan-b"}}}));
    let dark = desk.run("audit --playbook optics --from-panorama panorama.yaml");
    assert_eq!(dark.code, Some(3), "{dark:#?}");
    assert!(dark.stdout.contains("unknown  vie-edge1 "), "{dark:#?}");
    desk.change("panorama.yaml", "panoramas:", "panorama:");
    page.add(
        "a key that there is not",
        &desk.refused("inventory --from-panorama panorama.yaml"),
    );
    page.matches("panoramas");
}

#[test]
fn another_device_at_an_address_is_told_and_shown_to_nobody() {
    let (desk, _simulator) = estate("127.62.0.0/16");
    desk.done("inventory --from-panorama panorama.yaml --write made.yaml");
    // The addresses of two firewalls are exchanged, as after a wrong change of a NAT rule.
    let made = std::fs::read_to_string(desk.path().join("made.yaml")).unwrap();
    let address = |name: &str| {
        let (_, rest) = made.split_once(&format!("name: {name}\n")).unwrap();
        let (_, rest) = rest.split_once("address: ").unwrap();
        rest.lines().next().unwrap().to_owned()
    };
    let (one, other) = (address("vie-edge1"), address("lnz-a"));
    let exchanged = made
        .replace(&one, "SWAP")
        .replace(&other, &one)
        .replace("SWAP", &other);
    desk.write("made.yaml", &exchanged);
    let told = desk.run("audit --playbook optics --inventory made.yaml --json a.json --to 10.2.7");
    assert_eq!(told.code, Some(3), "{told:#?}");
    let whole = json_of(&desk, "a.json");
    for device in whole["devices"].as_array().unwrap() {
        let name = device["device"].as_str().unwrap();
        let unread = device["unread"].as_str().unwrap_or_default();
        let is_other = unread.starts_with("another device answers at this address: its serial number is ");
        assert_eq!(is_other, name != "lnz-b", "{device:#}");
        // Not a word of the other one.
        assert_eq!(device["model"].is_null(), is_other, "{device:#}");
    }
    let refused = desk.refused("facts vie-edge1 --inventory made.yaml --area disks");
    assert!(
        refused.starts_with("error[D009]: another device answers at this address"),
        "{refused}"
    );
    // Nor is it enrolled in a campaign: it would be upgraded.
    desk.change(
        "campaign.yaml",
        "inventory: inventory.yaml",
        "inventory: made.yaml",
    );
    desk.change("campaign.yaml", "devices: [fw1]", "devices: [vie-edge1]");
    let refused = desk.refused("plan campaign.yaml");
    insta::assert_snapshot!(refused, @r"
    error[D009]: another device answers at this address: its serial number is 085602629943, and lnz-a has 067938974224; another device answers at this address: its serial number is 067938974224, and vie-edge1 has 085602629943
      hint: correct the address, or the serial number where the device was replaced
    ");
    assert_eq!(desk.refused("run campaign.yaml"), refused);
    desk.has_no_campaign();
    desk.write("made.yaml", &made);
    desk.done("plan campaign.yaml");
}

#[test]
fn of_a_device_that_does_not_say_who_it_is_nothing_is_shown() {
    let (desk, simulator) = estate("127.63.0.0/16");
    desk.done("inventory --from-panorama panorama.yaml --write made.yaml");
    let slow = json!({"inject": {
        "device": "vie-edge1",
        "fault": "hang",
        "operation": "system-info",
        "lasts": "until_cleared",
    }});
    simulator.control(&slow);
    let told = desk.run("facts vie-edge1 --inventory made.yaml --area disks --area locks --timeout 2");
    assert_eq!(told.code, Some(3), "{told:#?}");
    let (shown, _) = told.stdout.rsplit_once("\n2 of 2 areas are unknown\n").unwrap();
    assert_eq!(
        shown
            .matches("  unknown: whose answer this is could not be verified: ")
            .count(),
        2,
        "{shown}"
    );
    let told = desk
        .run("audit --playbook after --group name=vie-edge1 --inventory made.yaml --timeout 2 --json a.json");
    assert_eq!(told.code, Some(3), "{told:#?}");
    let device = &json_of(&desk, "a.json")["devices"][0];
    let findings = device["findings"].as_array().unwrap();
    assert!(!findings.is_empty(), "{device:#}");
    assert!(
        findings
            .iter()
            .all(|finding| finding["verdict"]["inconclusive"].is_object()),
        "{device:#}"
    );
    insta::assert_snapshot!(device["unread"].as_str().unwrap(), @"read system information on vie-edge1: no complete reply in time: no answer within 2 s");
    insta::assert_snapshot!(device["missing"]["disks"].as_str().unwrap(), @"whose answer this is could not be verified: read system information on vie-edge1: no complete reply in time: no answer within 2 s");
}
