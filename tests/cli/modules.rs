//! The operator's own rows about modules: what they change in audits, facts, paths, tried playbooks and plans.

use hopgate_tests::process::Simulator;
use serde_json::Value;

use super::desk::{Desk, Page};

/// A firewall with a module that boot-loops its model where nobody vouches for it, and one with a module that somebody was
/// hurt by, and a part that is allowed.
const ESTATE: &str = "\
seed: 7
epoch: 2026-03-07T19:00:00Z
credentials: {user: admin, password: admin}
devices:
  - {name: edge, model: PA-850, version: 10.1.14-h9, content: 8900-9000, optics: [{port: 5, vendor: FINISAR CORP., part: FTLX1475D3BCL}]}
  - name: core
    model: PA-3220
    version: 10.2.4-h4
    content: 8900-9000
    optics: [{port: 17, vendor: FS, part: SFP-10GSR-85}, {port: 18, vendor: Palo Alto Networks, part: PAN-SFP-PLUS-SR}]
";

/// Vouches for the one with later releases than run, and bans the other on its model.
const OURS: &str = r#"
[[module]]
part = "FTLX1475D3BCL"
verdict = "allowed"
models = ["PA-850"]
releases = ["10.2+"]
source = "bought from the vendor, CHG0042"
confidence = "high"

[[module]]
part = "SFP-10GSR-*"
verdict = "known-bad"
classes = ["pa-3200"]
effect = "The port flaps after every restart."
source = "our case of 2026-02-11"
confidence = "high"
"#;

fn estate() -> (Desk, Simulator) {
    let desk = Desk::new();
    desk.write("fleet.yaml", ESTATE);
    desk.write("ours.toml", OURS);
    let simulator = Simulator::serve(desk.path(), 60);
    (desk, simulator)
}

/// What an audit told, and the class of every module in its report.
fn audited(desk: &Desk, arguments: &str) -> String {
    let ended = desk.run(&format!("audit {arguments} --json a.json"));
    assert!(matches!(ended.code, Some(0 | 3)), "{ended:#?}");
    let report = std::fs::read_to_string(desk.path().join("a.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let mut told = ended.stdout;
    for device in report["devices"].as_array().unwrap() {
        for optic in device["facts"]["optics"]["known"].as_array().unwrap() {
            if !optic["part"].is_null() {
                let class = format!(
                    "{} {}: {} ({})\n",
                    device["device"], optic["part"], optic["class"], optic["why"]
                );
                told.push_str(&class.replace('"', ""));
            }
        }
    }
    told
}

#[test]
fn rows_of_ones_own_change_what_an_audit_says() {
    let (desk, _simulator) = estate();
    insta::assert_snapshot!(audited(&desk, "--playbook optics --playbook modules"), @r"
    2 clear devices  modules/optics-unsupported
    2 devices asked: 0 exposed, 0 unknown, 2 clear
    core SFP-10GSR-85: unknown_vendor (null)
    core PAN-SFP-PLUS-SR: allowed (null)
    edge FTLX1475D3BCL: unknown_vendor (null)
    ");
    insta::assert_snapshot!(audited(&desk, "--playbook optics --playbook modules --catalogue ours.toml"), @r"
    EXPOSED  core               PA-3220   10.2.4-h4
             ethernet1/17 holds SFP-10GSR-85, which is known to do harm in a PA-3220 with 10.2.4-h4: The port flaps after every restart.
             (does not count) ethernet1/17 holds SFP-10GSR-85 by FS, which is not on the list of allowed modules for a PA-3220 with 10.2.4-h4.
    1 clear device  modules/optics-unsupported
    2 devices asked: 1 exposed, 0 unknown, 1 clear
    core SFP-10GSR-85: known_bad (The port flaps after every restart.)
    core PAN-SFP-PLUS-SR: allowed (null)
    edge FTLX1475D3BCL: unknown_vendor (the list has it only on PA-850 with 10.2+)
    ");
    // On the way to a release that the module is vouched for with, nothing is held against it, and neither is the release.
    insta::assert_snapshot!(audited(&desk, "--playbook optics --playbook advisories --group name=edge --to 10.2.4"), @r"
    EXPOSED  edge               PA-850    10.1.14-h9
             no way to 10.2.4: every way from 10.1.14-h9 to 10.2.4 is blocked: PAN-221190 at 10.2.4 (ethernet1/5 holds FTLX1475D3BCL (unknown-vendor)): The firewall reboots again and again (I2C errors). Take the modules out or replace them before the hop, or choose a release with the fix.
    1 device asked: 1 exposed, 0 unknown, 0 clear
    edge FTLX1475D3BCL: unknown_vendor (null)
    ");
    let vouched = audited(
        &desk,
        "--playbook optics --playbook advisories --group name=edge --to 10.2.4 --catalogue ours.toml",
    );
    assert!(
        vouched.contains("10.1.14-h9 -> 10.2.4\n")
            && vouched.ends_with("edge FTLX1475D3BCL: allowed (null)\n"),
        "{vouched}"
    );
    assert!(!vouched.contains("PAN-221190"), "{vouched}");
}

#[test]
fn paths_facts_and_tried_playbooks_go_by_them_too() {
    let (desk, _simulator) = estate();
    let path = |more: &str| {
        desk.run(&format!(
            "path --inventory inventory.yaml --to 10.2.4 --group name=edge {more}"
        ))
        .stdout
    };
    assert!(
        path("").contains("ethernet1/5 holds FTLX1475D3BCL (unknown-vendor)"),
        "{}",
        path("")
    );
    let vouched = path("--catalogue ours.toml");
    assert!(
        !vouched.contains("PAN-221190") && vouched.contains("1 with a path"),
        "{vouched}"
    );

    let class = |more: &str| {
        let told: Value =
            serde_json::from_str(&desk.done(&format!("facts core --area optics --raw {more}"))).unwrap();
        let optics = told["optics"].as_array().unwrap();
        let module = optics.iter().find(|optic| optic["part"] == "SFP-10GSR-85");
        format!("{} {}", module.unwrap()["class"], module.unwrap()["why"])
    };
    insta::assert_snapshot!(class(""), @r#""unknown_vendor" null"#);
    insta::assert_snapshot!(class("--catalogue ours.toml"), @r#""known_bad" "The port flaps after every restart.""#);

    std::fs::create_dir(desk.path().join("recorded")).unwrap();
    let recorded = desk.done("facts edge --area optics --area system --json");
    desk.write("recorded/edge.json", &recorded);
    let tried = |more: &str| {
        desk.run(&format!(
            "playbook test optics --against recorded --hop 10.1.14-h9..10.2.4 {more}"
        ))
        .stdout
    };
    insta::assert_snapshot!(tried(""), @r"
    edge
      fail         PAN-221190@ethernet1/5: ethernet1/5 holds FTLX1475D3BCL by FINISAR CORP., which is not on the list of allowed modules: a PA-850 reboots again and again with an unsupported module in ports 5 to 8 (PAN-221190). 10.2.4 does not have the fix; fixed in 10.1.11-h1, 10.2.7 and 11.0.4.
      pass         PAN-221190-suspect@ethernet1/5: Ports 5 to 8 of a PA-800 hold no module that a train without a listed fix may not boot with
    1 devices, 0 verdicts other than expected
    ");
    insta::assert_snapshot!(tried("--catalogue ours.toml"), @r"
    edge
      pass         PAN-221190@ethernet1/5: Ports 5 to 8 hold no module that reboots a PA-800
      pass         PAN-221190-suspect@ethernet1/5: Ports 5 to 8 of a PA-800 hold no module that a train without a listed fix may not boot with
    1 devices, 0 verdicts other than expected
    ");
}

#[test]
fn another_list_is_another_plan() {
    let (desk, _simulator) = estate();
    desk.change(
        "campaign.yaml",
        "target: 10.2.7\n",
        "target: 10.2.7\ncatalogue: [ours.toml]\n",
    );
    desk.change(
        "campaign.yaml",
        "  - {name: canary, devices: [fw1]}\n  - {name: rest, rest: true, concurrency: 2, approval: true}\n",
        "  - {name: all, rest: true}\n",
    );
    let hash = |before: &str| {
        let text = std::fs::read_to_string(desk.path().join("campaign.yaml")).unwrap();
        let asked = text.lines().find(|line| line.starts_with("checks:")).unwrap();
        desk.change(
            "campaign.yaml",
            asked,
            &format!("checks: {{before: [{before}], after: [after]}}"),
        );
        let told = desk.done("plan campaign.yaml");
        let (_, hash) = told.lines().next().unwrap().split_once("plan ").unwrap();
        hash.to_owned()
    };
    let asked = [
        "readiness, optics",
        "readiness, advisories",
        "readiness, modules",
        "readiness",
    ];
    let ours = asked.map(hash);
    desk.change("ours.toml", "models = [\"PA-850\"]", "models = [\"PA-820\"]");
    let others = asked.map(hash);
    for (place, asked) in asked.iter().enumerate() {
        let looks_at_modules = *asked != "readiness";
        assert_eq!(ours[place] != others[place], looks_at_modules, "{asked}");
    }
    desk.change("ours.toml", "models = [\"PA-820\"]", "models = [\"PA-850\"]");
    assert_eq!(asked.map(hash), ours);
}

#[test]
fn a_wrong_row_is_told_with_its_line_and_the_nearest_right_name() {
    let (desk, _simulator) = estate();
    let mut page = Page::default();
    for (what, from, to) in [
        ("a misspelt key", "releases =", "release ="),
        ("an unknown model", "\"PA-850\"", "\"PA-8500\""),
        ("an unknown class of models", "pa-3200", "pa-3300"),
        ("an unknown feature release", "10.2+", "10.3+"),
        ("an unknown verdict", "known-bad", "knownbad"),
        (
            "harm without words",
            "effect = \"The port flaps after every restart.\"\n",
            "",
        ),
        ("every part there is", "SFP-10GSR-*", "*"),
    ] {
        desk.write("ours.toml", OURS);
        desk.change("ours.toml", from, to);
        page.add(
            what,
            &desk.refused("audit --playbook optics --catalogue ours.toml"),
        );
    }
    page.matches("modules");
}
