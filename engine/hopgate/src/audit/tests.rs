//! Every report over one small estate, and their sizes and escapes over large and hostile ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hopgate_playbooks::{FactArea, Finding, Mode, Severity, Verdict};

use super::evidence::{Evidence, Needs};
use super::{Answer, Audit, Audited, Counts, Outcome, Way, html, junit, record, sheet, split, text};

pub(super) fn answer(check: &str, subject: Option<&str>, verdict: Verdict, message: &str) -> Answer {
    Answer {
        playbook: "optics".into(),
        finding: Finding {
            check: check.into(),
            title: format!("{check} does not apply").into(),
            subject: subject.map(str::to_owned),
            verdict,
            severity: Severity::Block,
            mode: Mode::Enforce,
            message: message.into(),
            remedy: Some("Swap it.".into()),
            link: Some("https://example.net/".into()),
        },
        lapsed: None,
    }
}

pub(super) fn device(name: &str, customer: Option<&str>, answers: Vec<Answer>) -> Audited {
    Audited {
        device: name.parse().unwrap(),
        labels: customer
            .map(|customer| ("customer".to_owned(), customer.to_owned()))
            .into_iter()
            .collect(),
        model: Some("PA-850".to_owned()),
        serial: Some("0011".to_owned()),
        version: Some("10.1.14-h9".to_owned()),
        unread: None,
        missing: BTreeMap::new(),
        way: None,
        answers,
        took_ms: 1234,
        evidence: None,
        facts: None,
    }
}

fn audit(devices: Vec<Audited>) -> Audit {
    Audit {
        began: "2026-03-07T19:00:00Z".parse().unwrap(),
        ended: "2026-03-07T19:00:02Z".parse().unwrap(),
        asked: vec!["optics".to_owned()],
        settings: BTreeMap::new(),
        target: None,
        not_asked: Vec::new(),
        needs: BTreeMap::new(),
        devices,
    }
}

pub(super) fn unknown(missing: &str) -> Verdict {
    Verdict::Inconclusive {
        missing: missing.to_owned(),
    }
}

/// A device for every way to stand.
fn small() -> Audit {
    let waived = Verdict::Waived {
        by: "petra".to_owned(),
        reason: "swapped on Friday".to_owned(),
        until: "2026-12-25T00:00:00Z".parse().unwrap(),
    };
    let mut lapsed = answer(
        "PAN-221190",
        Some("ethernet1/5"),
        Verdict::Fail,
        "ethernet1/5 loops.",
    );
    lapsed.lapsed = Some("the waiver of olga ended 2026-03-01T00:00:00Z: too late".to_owned());
    let mut on_trial = answer("PAN-252131", None, Verdict::Fail, "Only noted.");
    on_trial.finding.mode = Mode::Observe;
    let mut dark = device(
        "dark",
        Some("bolt"),
        vec![answer(
            "PAN-221190",
            None,
            unknown("optics: not asked"),
            "cannot tell",
        )],
    );
    (dark.model, dark.serial, dark.version) = (None, None, None);
    dark.unread = Some("read system info on dark: no connection".to_owned());
    let mut moving = device(
        "moving",
        Some("bolt"),
        vec![answer("PAN-221190", None, Verdict::Pass, "")],
    );
    moving.way = Some(Way::Stops(vec![
        "10.2.0".parse().unwrap(),
        "10.2.7".parse().unwrap(),
    ]));
    let broken = Verdict::Error {
        detail: "no such key".to_owned(),
    };
    audit(vec![
        device("loops", Some("acme"), vec![lapsed]),
        device(
            "broken",
            None,
            vec![answer(
                "PAN-221190",
                None,
                broken,
                "the check does not work: no such key",
            )],
        ),
        dark,
        device(
            "accepted",
            Some("acme"),
            vec![answer("PAN-221190", None, waived, "ethernet1/5 loops.")],
        ),
        moving,
        device("noted", Some("acme"), vec![on_trial]),
    ])
}

#[test]
fn what_does_not_count_leaves_a_device_clear_and_unknown_does_not() {
    let outcomes: Vec<Outcome> = small().devices.iter().map(Audited::outcome).collect();
    use Outcome::{Clear, Exposed, Unknown};
    assert_eq!(outcomes, [Exposed, Unknown, Unknown, Clear, Clear, Clear]);
    let counts = Counts {
        devices: 6,
        exposed: 1,
        unknown: 2,
        clear: 3,
    };
    assert_eq!(small().counts(), counts);
    for severity in [Severity::Info, Severity::Warn, Severity::Block] {
        let mut fails = answer("c", None, Verdict::Fail, "m");
        fails.finding.severity = severity;
        let expected = if severity == Severity::Info {
            Clear
        } else {
            Exposed
        };
        assert_eq!(device("a", None, vec![fails]).outcome(), expected);
    }
}

#[test]
fn the_terminal_shows_what_needs_a_person() {
    insta::assert_snapshot!(text(&small()), @r#"
EXPOSED  loops              PA-850    10.1.14-h9
         ethernet1/5 loops. (the waiver of olga ended 2026-03-01T00:00:00Z: too late)
unknown  broken             PA-850    10.1.14-h9
         PAN-221190 does not apply: could not be evaluated, no such key
unknown  dark               ?         ?
         could not be read: read system info on dark: no connection
clear    accepted           PA-850    10.1.14-h9
         ethernet1/5 loops; accepted by petra until 2026-12-25T00:00:00Z: swapped on Friday
clear    noted              PA-850    10.1.14-h9
         (does not count) Only noted.
1 finding again: their waivers have ended
6 devices asked: 1 exposed, 2 unknown, 3 clear
"#);
}

#[test]
fn what_is_only_worth_knowing_of_a_clear_device_is_counted() {
    let noted = |check: &str| {
        let mut noted = answer(check, None, Verdict::Fail, "Only worth knowing.");
        noted.finding.severity = Severity::Info;
        noted
    };
    let exposed = answer("PAN-221190", None, Verdict::Fail, "It loops.");
    insta::assert_snapshot!(text(&audit(vec![
        device("loops", None, vec![exposed, noted("way-back")]),
        device("clear1", None, vec![noted("way-back"), noted("recent-restart")]),
        device("clear2", None, vec![noted("way-back")]),
    ])), @r"
    EXPOSED  loops              PA-850    10.1.14-h9
             It loops.
             (does not count) Only worth knowing.
    2 clear devices  optics/way-back
    1 clear device  optics/recent-restart
    3 devices asked: 1 exposed, 0 unknown, 2 clear
    ");
}

#[test]
fn what_is_about_a_hop_and_was_not_asked_is_told() {
    let told = |checks: &[&str]| {
        let mut estate = audit(Vec::new());
        estate.not_asked = checks.iter().map(|&check| check.to_owned()).collect();
        let said = text(&estate);
        let (said, _) = said.rsplit_once("0 devices asked").unwrap();
        assert_eq!(html::page(&estate).contains("Not asked"), !said.is_empty());
        assert!(html::page(&estate).contains(said.trim_end()));
        said.to_owned()
    };
    assert_eq!(told(&[]), "");
    insta::assert_snapshot!(told(&["readiness/disk-space"]), @"1 check is about a hop and was not asked; --to RELEASE plans one");
    insta::assert_snapshot!(told(&["readiness/disk-space", "licences/target-end-of-life"]), @"2 checks are about a hop and were not asked; --to RELEASE plans one");
}

#[test]
fn the_terminal_shows_no_control_sequence_of_a_device() {
    let mut estate = small();
    estate.devices[0].answers[0].finding.message = "\u{1b}[2Jgone\r".into();
    estate.devices[2].unread = Some("\u{1b}]0;x\u{7}".to_owned());
    estate.devices[4].model = Some("\u{1b}[8m".to_owned());
    estate.devices[4].answers[0].finding.verdict = Verdict::Fail;
    let told = text(&estate);
    assert!(!told.contains(['\u{1b}', '\u{7}', '\r']), "{told:?}");
    assert!(told.contains("\\u{1b}[2Jgone\\u{d}"), "{told}");
}

#[test]
fn csv_is_a_row_a_finding_and_reads_back() {
    let text = sheet::csv(&small());
    insta::assert_snapshot!(text.replace("\r\n", "\n"), @r#"
device,model,serial,version,outcome,unread,playbook,check,title,subject,verdict,severity,mode,message,remedy,link,waived_by,waived_until,waived_because,label:customer
loops,PA-850,0011,10.1.14-h9,exposed,,optics,PAN-221190,PAN-221190 does not apply,ethernet1/5,fail,block,enforce,ethernet1/5 loops.,Swap it.,https://example.net/,,,,acme
broken,PA-850,0011,10.1.14-h9,unknown,,optics,PAN-221190,PAN-221190 does not apply,,error,block,enforce,the check does not work: no such key,Swap it.,https://example.net/,,,,
dark,,,,unknown,read system info on dark: no connection,optics,PAN-221190,PAN-221190 does not apply,,inconclusive,block,enforce,cannot tell,Swap it.,https://example.net/,,,,bolt
accepted,PA-850,0011,10.1.14-h9,clear,,optics,PAN-221190,PAN-221190 does not apply,,waived,block,enforce,ethernet1/5 loops.,Swap it.,https://example.net/,petra,2026-12-25T00:00:00Z,swapped on Friday,acme
moving,PA-850,0011,10.1.14-h9,clear,,optics,PAN-221190,PAN-221190 does not apply,,pass,block,enforce,,Swap it.,https://example.net/,,,,bolt
noted,PA-850,0011,10.1.14-h9,clear,,optics,PAN-252131,PAN-252131 does not apply,,fail,block,observe,Only noted.,Swap it.,https://example.net/,,,,acme
"#);
    assert!(text.ends_with("\r\n"));
}

#[test]
fn a_cell_that_would_be_a_formula_is_a_text_and_every_text_survives() {
    for hostile in [
        "=HYPERLINK(\"http://x\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
    ] {
        let mut estate = small();
        estate.devices[0].answers[0].finding.message = hostile.into();
        estate.devices[0]
            .labels
            .insert("site".to_owned(), hostile.to_owned());
        let sheet = sheet::csv(&estate);
        let mut reader = csv::Reader::from_reader(sheet.as_bytes());
        let first = reader.records().next().unwrap().unwrap();
        let harmless = format!("'{hostile}");
        assert_eq!(&first[13], harmless);
        assert_eq!(&first[first.len() - 1], harmless);
    }
    let mut estate = small();
    let awkward = "a \"quoted\", text\nof two lines";
    estate.devices[0].answers[0].finding.message = awkward.into();
    let sheet = sheet::csv(&estate);
    let mut reader = csv::Reader::from_reader(sheet.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(&rows[0][13], awkward);
    assert_eq!(rows.len(), 6);
}

#[test]
fn junit_tells_unknown_as_an_error_and_what_does_not_count_as_skipped() {
    insta::assert_snapshot!(junit::xml(&small()), @r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="hopgate audit" tests="12" failures="1" errors="3" skipped="2">
  <testsuite name="loops" tests="2" failures="1" errors="0" skipped="0" time="1.234" timestamp="2026-03-07T19:00:00Z">
    <testcase classname="loops" name="the device can be read"/>
    <testcase classname="loops" name="optics/PAN-221190 [ethernet1/5]"><failure type="block" message="ethernet1/5 loops.">Swap it.</failure></testcase>
  </testsuite>
  <testsuite name="broken" tests="2" failures="0" errors="1" skipped="0" time="1.234" timestamp="2026-03-07T19:00:00Z">
    <testcase classname="broken" name="the device can be read"/>
    <testcase classname="broken" name="optics/PAN-221190"><error type="error" message="the check does not work: no such key">Swap it.</error></testcase>
  </testsuite>
  <testsuite name="dark" tests="2" failures="0" errors="2" skipped="0" time="1.234" timestamp="2026-03-07T19:00:00Z">
    <testcase classname="dark" name="the device can be read"><error type="unread" message="read system info on dark: no connection"/></testcase>
    <testcase classname="dark" name="optics/PAN-221190"><error type="inconclusive" message="cannot tell">Swap it.</error></testcase>
  </testsuite>
  <testsuite name="accepted" tests="2" failures="0" errors="0" skipped="1" time="1.234" timestamp="2026-03-07T19:00:00Z">
    <testcase classname="accepted" name="the device can be read"/>
    <testcase classname="accepted" name="optics/PAN-221190"><skipped message="waived by petra until 2026-12-25T00:00:00Z: swapped on Friday; ethernet1/5 loops.">Swap it.</skipped></testcase>
  </testsuite>
  <testsuite name="moving" tests="2" failures="0" errors="0" skipped="0" time="1.234" timestamp="2026-03-07T19:00:00Z">
    <testcase classname="moving" name="the device can be read"/>
    <testcase classname="moving" name="optics/PAN-221190"/>
  </testsuite>
  <testsuite name="noted" tests="2" failures="0" errors="0" skipped="1" time="1.234" timestamp="2026-03-07T19:00:00Z">
    <testcase classname="noted" name="the device can be read"/>
    <testcase classname="noted" name="optics/PAN-252131"><skipped message="does not count: Only noted.">Swap it.</skipped></testcase>
  </testsuite>
</testsuites>
"#);
}

#[test]
fn junit_is_xml_whatever_a_device_said() {
    let hostile = "<b>&\"'\u{1b}[31m\u{0}\r\n\t\u{ffff}ä]]>";
    let mut estate = small();
    estate.devices[0].answers[0].finding.message = hostile.into();
    estate.devices[0].answers[0].finding.remedy = Some(hostile.into());
    estate.devices[2].unread = Some(hostile.to_owned());
    let xml = junit::xml(&estate);
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut messages = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        use quick_xml::events::Event;
        let event = reader.read_event().unwrap();
        if let Event::Start(element) | Event::Empty(element) = &event {
            *counted.entry(element.name().as_ref().to_owned()).or_default() += 1;
            for attribute in element.attributes() {
                let attribute = attribute.unwrap();
                if attribute.key.as_ref() == "message" {
                    messages.push(
                        attribute
                            .normalized_value(quick_xml::XmlVersion::Explicit1_0)
                            .unwrap()
                            .into_owned(),
                    );
                }
            }
        }
        match event {
            Event::Start(element) => open.push(element.name().as_ref().to_owned()),
            Event::End(element) => assert_eq!(open.pop().unwrap(), element.name().as_ref()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty());
    assert_eq!(counted["testsuite"], 6);
    assert_eq!(counted["testcase"], 12);
    let spelled = "<b>&\"'\\u{1b}[31m\\u{0}\r\n\t\\u{ffff}ä]]>";
    assert_eq!(messages[0], spelled);
    assert!(
        xml.contains("tests=\"12\" failures=\"1\" errors=\"3\" skipped=\"2\""),
        "{xml}"
    );
}

#[test]
fn json_holds_every_key_that_it_promises() {
    let json: serde_json::Value = serde_json::from_str(&record::json(&small())).unwrap();
    assert_eq!(json["schema"], record::SCHEMA);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["devices"][0]).unwrap(), @r#"
{
  "device": "loops",
  "facts": null,
  "findings": [
    {
      "check": "PAN-221190",
      "lapsed_waiver": "the waiver of olga ended 2026-03-01T00:00:00Z: too late",
      "link": "https://example.net/",
      "message": "ethernet1/5 loops.",
      "mode": "enforce",
      "playbook": "optics",
      "remedy": "Swap it.",
      "severity": "block",
      "subject": "ethernet1/5",
      "title": "PAN-221190 does not apply",
      "verdict": "fail"
    }
  ],
  "labels": {
    "customer": "acme"
  },
  "missing": {},
  "model": "PA-850",
  "outcome": "exposed",
  "serial": "0011",
  "took_ms": 1234,
  "unread": null,
  "version": "10.1.14-h9",
  "way": null
}
"#);
    assert_eq!(json["devices"][4]["way"]["stops"][1], "10.2.7");
}

/// What stands in the page's data element.
fn data(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn the_page_holds_no_markup_of_a_device_and_loads_nothing() {
    let hostile = "</script><img src=x onerror=alert(1)><!--\u{202e}\u{1b}";
    let mut estate = small();
    let finding = &mut estate.devices[0].answers[0].finding;
    finding.message = hostile.into();
    finding.title = hostile.into();
    finding.check = hostile.into();
    estate.devices[0]
        .labels
        .insert("customer".to_owned(), hostile.to_owned());
    estate.devices[0].version = Some(hostile.to_owned());
    estate.target = Some(hostile.to_owned());
    let page = html::page(&estate);
    assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{1b}'));
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    assert!(!page.contains("style=\"") && !page.contains(" onclick"));
    let data = data(&page);
    let shown = "</script><img src=x onerror=alert(1)><!--\\u{202e}\\u{1b}";
    assert!(
        data["strings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|text| text == shown)
    );
}

#[test]
fn every_cell_and_every_finding_is_in_the_data() {
    let data = data(&html::page(&small()));
    let cells: Vec<&str> = data["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["c"].as_str().unwrap())
        .collect();
    assert_eq!(cells, ["B.", "!.", "?.", "~.", "+.", ".o"]);
    let said = |place: &serde_json::Value| data["strings"][place.as_u64().unwrap() as usize].clone();
    let found = data["devices"][0]["f"].as_array().unwrap();
    assert_eq!(found.len(), 6);
    assert_eq!(said(&found[3]), "ethernet1/5");
    assert_eq!(said(&found[4]), "ethernet1/5 loops.");
    // A device that could not be read says why once, not in the words of every check.
    assert_eq!(
        said(&data["devices"][2]["f"][4]),
        "read system info on dark: no connection"
    );
    assert_eq!(data["devices"][2]["f"][4], data["devices"][2]["u"]);
}

/// What a device was asked, by area.
fn read_with(areas: &[(FactArea, &str)]) -> Option<Evidence> {
    let commands = areas
        .iter()
        .map(|(area, command)| (*area, vec![(*command).to_owned()]));
    Some(Evidence {
        read_at: "2026-03-07T19:00:01Z".parse().unwrap(),
        commands: Arc::new(commands.collect()),
    })
}

fn looks_at(areas: &[FactArea], question: Option<&str>) -> Needs {
    Needs {
        areas: areas.iter().copied().collect(),
        questions: question.map(str::to_owned).into_iter().collect(),
    }
}

const LIST: &str = "request system external-list show type ip name";

#[test]
fn what_a_finding_rests_on_is_in_the_data_once_and_no_other_customers() {
    let mut estate = small();
    let areas = [FactArea::ExternalListContents, FactArea::Optics];
    estate.needs = BTreeMap::from([
        (
            "optics/PAN-221190".to_owned(),
            looks_at(&areas, Some("show clock")),
        ),
        // Nobody was asked this one: its area is of no interest.
        ("optics/other".to_owned(), looks_at(&[FactArea::Arp], None)),
    ]);
    for (place, device) in estate.devices.iter_mut().enumerate() {
        let list = format!("{LIST} {}", if place == 4 { "of-bolt" } else { "of-all" });
        device.evidence = read_with(&[
            (FactArea::Arp, "show arp all"),
            (FactArea::Optics, "show transceiver-detail all"),
            (FactArea::ExternalListContents, &list),
        ]);
    }
    estate.devices[2].evidence = None;
    let page = html::page(&estate);
    assert!(!page.contains("show arp all"));
    let data = data(&page);
    let said = |place: &serde_json::Value| data["strings"][place.as_u64().unwrap() as usize].clone();
    let asked: Vec<String> = data["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["e"].to_string())
        .collect();
    let (first, other) = ("[1772910001,0]", "[1772910001,1]");
    assert_eq!(asked, [first, first, "[]", first, other, first]);
    assert_eq!(data["readings"].as_array().unwrap().len(), 2);
    let check = &data["checks"][0];
    assert_eq!(said(&check["questions"][0]), "show clock");
    let rests_on = |reading: usize| -> BTreeSet<String> {
        let areas = check["areas"].as_array().unwrap().iter();
        let commands = areas.map(|area| &data["readings"][reading][area.as_u64().unwrap() as usize][0]);
        commands
            .map(|command| said(command).as_str().unwrap().to_owned())
            .collect()
    };
    let optics = "show transceiver-detail all".to_owned();
    assert_eq!(
        rests_on(0),
        BTreeSet::from([optics.clone(), format!("{LIST} of-all")])
    );
    assert_eq!(rests_on(1), BTreeSet::from([optics, format!("{LIST} of-bolt")]));
    let parts = split::by_label(&estate, "customer");
    assert!(!html::page(&parts["acme"]).contains("of-bolt"));
    assert!(html::page(&parts["bolt"]).contains("of-bolt"));
}

#[test]
fn a_part_holds_nothing_of_another_customer() {
    let mut estate = small();
    estate.devices[0]
        .labels
        .insert("customer".to_owned(), "Acme / North".to_owned());
    estate.devices[3]
        .labels
        .insert("customer".to_owned(), "acme---north".to_owned());
    let parts = split::by_label(&estate, "customer");
    let named: Vec<(&str, Vec<&str>)> = parts
        .iter()
        .map(|(name, part)| {
            (
                name.as_str(),
                part.devices.iter().map(|device| device.device.as_str()).collect(),
            )
        })
        .collect();
    assert_eq!(
        named,
        [
            ("Acme---North", vec!["loops"]),
            ("acme", vec!["noted"]),
            ("acme---north-2", vec!["accepted"]),
            ("bolt", vec!["dark", "moving"]),
            ("without-customer", vec!["broken"]),
        ]
    );
    for (name, part) in &parts {
        let page = html::page(part);
        for other in &estate.devices {
            let own = part.devices.contains(other);
            let named = format!("\"{}\"", other.device);
            assert_eq!(page.contains(&named), own, "{name} and {}", other.device);
        }
    }
    assert!(!html::page(&parts["bolt"]).to_lowercase().contains("acme"));
}

/// As estates are: a few percent exposed or unread, some findings for each, messages that differ from device to device.
fn large(devices: usize, checks: usize) -> Audit {
    const CUSTOMERS: usize = 37;
    const RELEASES: [&str; 5] = ["10.1.14-h9", "10.2.7", "10.2.10-h9", "11.1.4-h7", "9.1.19"];
    const MODELS: [&str; 5] = ["PA-220", "PA-440", "PA-850", "PA-3220", "PA-5250"];
    let one = |index: usize| {
        let answers = (0..checks).map(|check| {
            let dice = (index * 7919 + check * 104_729) % 1000;
            let (verdict, message) = match dice {
                0..12 => (
                    Verdict::Fail,
                    format!(
                        "ethernet1/{} holds a module of a vendor that nobody knows ({index})",
                        dice + 1
                    ),
                ),
                12..30 => (
                    unknown("show system disk-space"),
                    format!(
                        "cannot tell: disks: show system disk-space on fw-{index}: no answer within 60 s"
                    ),
                ),
                30..35 => (
                    Verdict::Waived {
                        by: "petra".to_owned(),
                        reason: "swapped at the next visit".to_owned(),
                        until: "2026-12-25T00:00:00Z".parse().unwrap(),
                    },
                    "4 modules are not listed".to_owned(),
                ),
                _ => (Verdict::Pass, String::new()),
            };
            let mut answer = answer(&format!("check-number-{check}"), None, verdict, &message);
            answer.playbook = if check < checks / 2 { "readiness" } else { "optics" }.into();
            answer.finding.severity = if check % 3 == 0 {
                Severity::Warn
            } else {
                Severity::Block
            };
            answer
        });
        let mut device = device(
            &format!("fw-{index:05}-edge"),
            Some(&format!("customer-{}", index % CUSTOMERS)),
            answers.collect(),
        );
        device
            .labels
            .insert("site".to_owned(), format!("site-{}", index % 211));
        device.version = Some(RELEASES[index % 5].to_owned());
        device.model = Some(MODELS[index % 7 % 5].to_owned());
        // A few firewalls have lists of their own, and are asked about them by name.
        let list = format!("{LIST} list-{}", if index.is_multiple_of(10) { index } else { 0 });
        device.evidence = read_with(&[
            (FactArea::System, "show system info"),
            (FactArea::Optics, "show transceiver-detail all"),
            (FactArea::ExternalListContents, &list),
        ]);
        if index.is_multiple_of(50) {
            device.unread = Some(format!(
                "read system info on fw-{index}: no connection, nothing was sent"
            ));
            (device.model, device.version) = (None, None);
            for answer in &mut device.answers {
                answer.finding.verdict = unknown("system: not asked");
            }
        }
        device
    };
    let mut estate = audit((0..devices).map(one).collect());
    estate.asked = vec!["readiness".to_owned(), "optics".to_owned()];
    let areas = [FactArea::System, FactArea::Optics, FactArea::ExternalListContents];
    estate.needs = (0..checks)
        .map(|check| {
            let playbook = if check < checks / 2 { "readiness" } else { "optics" };
            let needs = looks_at(&areas[..=check % 3], None);
            (format!("{playbook}/check-number-{check}"), needs)
        })
        .collect();
    estate.devices.sort_by_key(Audited::outcome);
    estate
}

/// Pages to look at go where `HOPGATE_LOOK` says.
#[test]
fn ten_thousand_devices_with_forty_checks_are_below_fifteen_megabytes() {
    let sizes = [10, 300, 10_000].map(|devices| {
        let page = html::page(&large(devices, 40));
        if let Some(directory) = std::env::var_os("HOPGATE_LOOK") {
            std::fs::write(
                std::path::Path::new(&directory).join(format!("{devices}.html")),
                &page,
            )
            .unwrap();
        }
        page.len()
    });
    println!("{sizes:?} bytes");
    assert!(sizes[2] < 15_000_000, "{sizes:?}");
    assert!(sizes[0] < 100_000, "{sizes:?}");
}

mod histories {
    use std::sync::Arc;

    use super::{Audit, Verdict, answer, audit, device};
    use crate::audit::history;
    use crate::journal::blobs::Blobs;
    use crate::journal::memory::MemoryJournal;
    use crate::ledger::Ledger;

    fn at(mut audit: Audit, day: &str) -> Audit {
        audit.ended = format!("{day}T02:30:07Z").parse().unwrap();
        audit
    }

    fn exposed(name: &str) -> super::Audited {
        device(
            name,
            None,
            vec![answer(
                "PAN-221190",
                Some("ethernet1/5"),
                Verdict::Fail,
                "ethernet1/5 loops.",
            )],
        )
    }

    fn clear(name: &str) -> super::Audited {
        device(name, None, vec![answer("PAN-221190", None, Verdict::Pass, "")])
    }

    fn open(name: &str) -> super::Audited {
        device(
            name,
            None,
            vec![answer("PAN-221190", None, super::unknown("optics: silent"), "")],
        )
    }

    fn unread(name: &str) -> super::Audited {
        let mut dark = device(name, None, Vec::new());
        dark.unread = Some("no connection".to_owned());
        dark
    }

    #[tokio::test]
    async fn a_run_tells_what_is_new_since_the_one_before_and_pages_it_once() {
        let directory = std::env::temp_dir().join(format!("hopgate-history-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let blobs = Arc::new(Blobs::open(&directory).unwrap());
        let ledger = Ledger::new(Arc::new(MemoryJournal::new()), blobs);
        let name = "nightly".parse().unwrap();
        assert_eq!(history::told(&ledger, Some(&name)).unwrap(), None);
        let nights = [
            vec![exposed("fw1"), exposed("fw2"), clear("fw3")],
            // fw1 is cured, fw2 cannot be read and is not taken for cured, fw3 is new.
            vec![clear("fw1"), unread("fw2"), exposed("fw3")],
            vec![clear("fw1"), exposed("fw2"), exposed("fw3")],
            // Its check cannot tell, which is no cure either.
            vec![clear("fw1"), exposed("fw2"), open("fw3")],
            vec![clear("fw1"), exposed("fw2"), exposed("fw3")],
        ];
        for (index, devices) in nights.into_iter().enumerate() {
            let night = at(audit(devices), &format!("2026-03-0{}", index + 1));
            history::record(&ledger, &name, &night, 0).await.unwrap();
        }
        history::record_failure(
            &ledger,
            &name,
            "2026-03-06T02:30:00Z".parse().unwrap(),
            "error[C001]: gone\n  hint",
        )
        .await
        .unwrap();
        insta::assert_snapshot!(history::told(&ledger, Some(&name)).unwrap().unwrap(), @r#"
2026-03-01 02:30  2 exposed, 0 unknown, 1 clear; first run
2026-03-02 02:30  1 exposed, 1 unknown, 1 clear; 1 new, 1 gone, 1 still
2026-03-03 02:30  2 exposed, 0 unknown, 1 clear; 0 new, 0 gone, 2 still
2026-03-04 02:30  1 exposed, 1 unknown, 1 clear; 0 new, 0 gone, 2 still
2026-03-05 02:30  2 exposed, 0 unknown, 1 clear; 0 new, 0 gone, 2 still
2026-03-06 02:30  NOT ASKED: error[C001]: gone

still: 2
  fw2                  optics/PAN-221190
  fw3                  optics/PAN-221190
"#);
        insta::assert_snapshot!(history::told(&ledger, None).unwrap().unwrap(), @"nightly              2026-03-06 02:30  NOT ASKED: error[C001]: gone");
        let paged = history::incidents(&ledger, &name).unwrap();
        let told: Vec<String> = paged
            .iter()
            .map(|dated| {
                format!(
                    "{} {} {:?}",
                    dated.event.key, dated.event.summary, dated.event.evidence
                )
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
hopgate/audit/nightly/1772332207/new-blockers audit nightly: 2 new blockers on 2 devices ["fw1: optics/PAN-221190: ethernet1/5 loops.", "fw2: optics/PAN-221190: ethernet1/5 loops."]
hopgate/audit/nightly/1772418607/new-blockers audit nightly: 1 new blocker on 1 device ["fw3: optics/PAN-221190: ethernet1/5 loops."]
"#);
        let next = at(
            audit(vec![exposed("fw1"), exposed("fw2"), clear("fw3")]),
            "2026-03-07",
        );
        history::record(&ledger, &name, &next, 2).await.unwrap();
        let told = history::told(&ledger, Some(&name)).unwrap().unwrap();
        assert!(
            told.contains("1 new, 1 gone, 1 still; 2 firewalls left out by Panorama\n"),
            "{told}"
        );
        insta::assert_snapshot!(told.split_once("\n\n").unwrap().1, @r"
        new since 2026-03-05 02:30: 1
          fw1                  optics/PAN-221190

        gone since 2026-03-05 02:30: 1
          fw3                  optics/PAN-221190

        still: 1
          fw2                  optics/PAN-221190
        ");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[tokio::test]
    async fn a_page_of_a_whole_estate_fits_into_a_record() {
        let directory = std::env::temp_dir().join(format!("hopgate-history-large-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let blobs = Arc::new(Blobs::open(&directory).unwrap());
        let ledger = Ledger::new(Arc::new(MemoryJournal::new()), blobs);
        let name = "nightly".parse().unwrap();
        let devices = (0..2000).map(|index| {
            let mut device = exposed(&format!("{}-{index}", "long-name".repeat(7)));
            device.answers[0].finding.message = "ü\"\\".repeat(500).into();
            device
        });
        let run = history::record(&ledger, &name, &at(audit(devices.collect()), "2026-03-01"), 0)
            .await
            .unwrap();
        assert_eq!(run.counts.exposed, 2000);
        let paged = history::incidents(&ledger, &name).unwrap();
        assert_eq!(
            paged[0].event.summary,
            "audit nightly: 2000 new blockers on 2000 devices"
        );
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
