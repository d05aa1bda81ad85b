//! Two audits, compared: which device is which, how each stands, and what is said of it.

use hopgate_paths::OpticClass;
use hopgate_playbooks::{BgpPeer, Fact, FactSource, Route, System, read_module};
use serde_json::{Value, json};

use super::*;
use crate::failure::Failure;

fn system(serial: &str, version: &str) -> System {
    System {
        hostname: "fw".to_owned(),
        model: "PA-850".to_owned(),
        serial: serial.to_owned(),
        sw_version: version.parse().unwrap(),
        app_version: "8696-7977".to_owned(),
        uptime_seconds: 1_000_000,
        operational_mode: None,
        multi_vsys: false,
    }
}

/// Facts of a device that was asked for everything that is compared, and knows little.
fn facts(name: &str, serial: &str, version: &str, tell: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = Facts::unread(name, Timestamp::UNIX_EPOCH);
    for area in Snapshot::areas() {
        let source = FactSource {
            read_at: Timestamp::UNIX_EPOCH,
            commands: Vec::new(),
        };
        facts.sources.insert(area, source);
    }
    facts.system = Fact::Known(system(serial, version));
    tell(&mut facts);
    facts
}

fn read(name: &str, serial: &str, version: &str, tell: impl FnOnce(&mut Facts)) -> Value {
    json!({"device": name, "labels": {"customer": "acme"}, "serial": serial, "version": version, "unread": null,
        "facts": facts(name, serial, version, tell)})
}

fn plain(name: &str, serial: &str) -> Value {
    read(name, serial, "10.1.14", |_| {})
}

fn unread(name: &str) -> Value {
    json!({"device": name, "labels": {}, "serial": null, "version": null, "unread": "show system info: no answer",
        "facts": Facts::unread(name, Timestamp::UNIX_EPOCH)})
}

fn report(devices: &[Value]) -> Report {
    let report = json!({"schema": 1, "hopgate": "0", "began": "2026-03-07T19:00:00Z", "devices": devices});
    serde_json::from_value(report).unwrap()
}

fn diff(before: &[Value], after: &[Value]) -> Diff {
    diff_of_group(before, after, &Selector::default()).unwrap()
}

fn diff_of_group(before: &[Value], after: &[Value], group: &Selector) -> Result<Diff, SelectorError> {
    let (before, after) = (report(before), report(after));
    let [earlier, later] = ["before.json", "after.json"].map(Path::new);
    Diff::of((earlier, before), (later, after), Rules::builtin(), group)
}

fn peer(status: &str) -> BgpPeer {
    BgpPeer {
        virtual_router: "default".to_owned(),
        group: None,
        peer: "10.1.1.2".to_owned(),
        status: status.to_owned(),
        status_seconds: None,
        address: None,
        remote_as: None,
        prefixes: Vec::new(),
    }
}

fn routes(number: u32) -> Fact<Vec<Route>> {
    let route = |nth: u32| Route {
        virtual_router: "default".to_owned(),
        table: None,
        destination: format!("10.0.{nth}.0/24"),
        next_hop: "192.0.2.1".to_owned(),
        interface: None,
        metric: None,
        flags: Vec::new(),
        age: None,
    };
    Fact::Known((0..number).map(route).collect())
}

/// An estate of which every device stands otherwise.
fn estate() -> Diff {
    let up = |facts: &mut Facts| facts.bgp_peers = Fact::Known(vec![peer("Established")]);
    let down = |facts: &mut Facts| facts.bgp_peers = Fact::Known(vec![peer("Idle")]);
    let many = |number: u32| move |facts: &mut Facts| facts.routes = routes(number);
    let before = [
        plain("as-before", "1"),
        read("upgraded", "2", "10.1.14", up),
        read("broken", "3", "10.1.14", up),
        plain("gone", "4"),
        plain("silent", "5"),
        read("few-routes", "7", "10.1.14", many(200)),
        read("lost", "8", "10.1.14", many(2)),
        plain("old-name", "9"),
        unread("never-read"),
    ];
    let after = [
        plain("as-before", "1"),
        read("upgraded", "2", "10.2.4", up),
        read("broken", "3", "10.1.14", down),
        unread("silent"),
        plain("new", "6"),
        read("few-routes", "7", "10.1.14", many(194)),
        read("lost", "8", "10.1.14", |facts| {
            facts.routes = Fact::Unknown("show routing route: no answer".to_owned());
        }),
        plain("new-name", "9"),
        unread("never-read"),
    ];
    diff(&before, &after)
}

#[test]
fn every_device_is_told_as_it_stands_the_worst_first() {
    let diff = estate();
    insta::assert_snapshot!(text(&diff), @r"
    STOP       broken             10.1.14
               stop  BGP peer 10.1.1.2 of default: Established -> Idle
    GONE       gone               10.1.14
               the later audit does not have it
    UNREAD     never-read         ?
               could not be read before: show system info: no answer
               could not be read after: show system info: no answer
    UNREAD     silent             10.1.14
               could not be read after: show system info: no answer
    UNKNOWN    lost               10.1.14
               not compared  Routes: after: show routing route: no answer
    look       few-routes         10.1.14
               look  route 10.0.194.0/24 of default to 192.0.2.1: gone
               look  route 10.0.195.0/24 of default to 192.0.2.1: gone
               look  route 10.0.196.0/24 of default to 192.0.2.1: gone
               look  route 10.0.197.0/24 of default to 192.0.2.1: gone
               look  route 10.0.198.0/24 of default to 192.0.2.1: gone
               look  Routes: and 1 more
    new        new                10.1.14
               the earlier audit did not have it
    as before  new-name           10.1.14  (was called old-name)
    as before  upgraded           10.1.14 -> 10.2.4
               besides: 1 expected
    10 devices: 1 stop, 1 gone, 2 not read, 1 unknown, 1 look, 1 new, 3 as before
    ");
    assert!(diff.holds());
    let counted: usize = Standing::ALL
        .into_iter()
        .map(|standing| diff.count(standing))
        .sum();
    assert_eq!(counted, diff.devices.len());
}

#[test]
fn what_is_as_it_was_needs_no_word() {
    let same = diff(&[plain("fw1", "1")], &[plain("fw1", "1")]);
    insta::assert_snapshot!(text(&same), @"1 device: 1 as before");
    assert!(!same.holds());
    let upgraded = diff(&[plain("fw1", "1")], &[read("fw1", "1", "10.2.4", |_| {})]);
    assert!(!upgraded.holds(), "an upgrade is no alarm");
    let downgraded = diff(&[read("fw1", "1", "10.2.4", |_| {})], &[plain("fw1", "1")]);
    assert_eq!(downgraded.devices[0].standing(), Standing::Look);
}

#[test]
fn hardware_is_followed_by_its_serial_number_and_a_name_by_itself_where_that_is_not_known() {
    let told = |before: &[Value], after: &[Value]| {
        let diff = diff(before, after);
        let told = diff.devices.iter().map(|device| {
            let was = device.renamed_from.as_deref().unwrap_or("-");
            format!("{} ({was}): {}", device.device, device.standing().word())
        });
        told.collect::<Vec<_>>().join("; ")
    };
    // Two that swapped their names are not two whose serial numbers changed.
    assert_eq!(
        told(
            &[plain("a", "1"), plain("b", "2")],
            &[plain("a", "2"), plain("b", "1")]
        ),
        "a (b): as before; b (a): as before"
    );
    // Other hardware under the name is told as that.
    assert_eq!(told(&[plain("a", "1")], &[plain("a", "2")]), "a (-): stop");
    // One that did not say its number goes by its name, and does not take the one that did.
    assert_eq!(told(&[plain("a", "1")], &[unread("a")]), "a (-): not read");
    assert_eq!(
        told(&[unread("a"), plain("b", "1")], &[plain("a", "1")]),
        "a (-): gone; a (b): as before"
    );
    // A virtual firewall without a licence has no number of its own.
    let unlicensed = [plain("a", "unknown"), plain("b", "unknown")];
    assert_eq!(
        told(&unlicensed, &unlicensed),
        "a (-): as before; b (-): as before"
    );
}

#[test]
fn a_group_is_told_of_its_own_time_only() {
    let of = |customer: &str, mut device: Value| {
        device["labels"]["customer"] = customer.into();
        device
    };
    let before = [
        of("acme", plain("fw1", "1")),
        of("acme", plain("fw2", "2")),
        of("umbrella", plain("fw3", "3")),
        of(
            "umbrella",
            read("umbrellas", "4", "10.1.14", |facts| facts.routes = routes(2)),
        ),
    ];
    let after = [
        of("acme", read("fw1", "1", "10.2.4", |_| {})),
        of("umbrella", plain("fw3", "3")),
        of("acme", plain("fw4", "4")),
    ];
    let names = |group: &str| {
        let diff = diff_of_group(&before, &after, &group.parse().unwrap())?;
        let mut names: Vec<String> = diff.devices.into_iter().map(|device| device.device).collect();
        names.sort_unstable();
        Ok::<_, SelectorError>(names.join(" "))
    };
    assert_eq!(names("customer=acme").unwrap(), "fw1 fw2 fw4");
    assert_eq!(names("customer=acme,version<10.2").unwrap(), "fw1 fw2 fw4");
    assert_eq!(names("version>=10.2").unwrap(), "fw1");
    assert_eq!(names("serial=3").unwrap(), "fw3");
    assert_eq!(names("name~fw*,customer!=acme").unwrap(), "fw3");
    // One that went from one to the other is new here and gone there.
    let told = |group: &str| {
        let diff = diff_of_group(&before, &after, &group.parse().unwrap()).unwrap();
        (text(&diff), format!("{diff:?}"))
    };
    let (acmes, whole) = told("customer=acme");
    assert!(!whole.contains("umbrella"), "{whole}");
    insta::assert_snapshot!(acmes, @r"
    GONE       fw2                10.1.14
               the later audit does not have it
    new        fw4                10.1.14
               the earlier audit did not have it
    as before  fw1                10.1.14 -> 10.2.4
               besides: 1 expected
    3 devices: 1 gone, 1 new, 1 as before
    ");
    insta::assert_snapshot!(told("customer=umbrella").0, @r"
    GONE       umbrellas          10.1.14
               the later audit does not have it
    2 devices: 1 gone, 1 as before
    ");
    // A report does not know everything that an inventory does.
    let told = ["custmer=acme", "peer=fw2", "version<10.2,!canaries"]
        .map(|group| names(group).unwrap_err().to_string());
    insta::assert_snapshot!(told.join("\n"), @r"
    the selector asks for custmer, which no device has (nearest: customer, name, model)
    the selector asks for peer, which no device has (nearest: name, model, serial)
    the selector asks for the group canaries, and reports have no groups; they have name, model, version, serial and labels
    ");
}

#[test]
fn a_module_that_was_judged_for_a_hop_or_by_another_list_is_the_same_module() {
    let judged = |class: OpticClass| {
        let with = move |facts: &mut Facts| {
            let owned = |text: &str| Some(text.to_owned());
            let mut module = read_module((1, 5), "SFP-Fiber".to_owned(), owned("FS"), owned("X-1"), None);
            module.class = class;
            facts.optics = Fact::Known(vec![module]);
        };
        read("fw1", "1", "10.1.14", with)
    };
    let report = |class| report(&[judged(class)]).judged_anew();
    let [before, after] = ["before.json", "after.json"].map(Path::new);
    let (was, is) = (report(OpticClass::Allowed), report(OpticClass::Unreadable));
    let diff = Diff::of((before, was), (after, is), Rules::builtin(), &Selector::default()).unwrap();
    assert_eq!(text(&diff), "1 device: 1 as before\n");
}

#[test]
fn what_was_not_asked_is_told_once() {
    let mut bare = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
    bare.system = Fact::Known(system("1", "10.1.14"));
    bare.sources = facts("fw1", "1", "10.1.14", |_| {}).sources;
    bare.sources
        .retain(|area, _| *area != FactArea::Arp && *area != FactArea::Routes);
    let short = json!({"device": "fw1", "serial": "1", "version": "10.1.14", "unread": null, "facts": bare});
    let whole = read("fw1", "1", "10.1.14", |facts| {
        facts.routes = routes(2);
        facts.arp = Fact::Known(Vec::new());
    });
    insta::assert_snapshot!(text(&diff(std::slice::from_ref(&short), std::slice::from_ref(&whole))), @r"
    not asked for before.json, so not compared: routes, arp (hopgate audit --snapshot asks everything)
    1 device: 1 as before
    ");
    // What was known, matters and was not asked again is not taken for unchanged.
    insta::assert_snapshot!(text(&diff(&[whole], &[short])), @r"
    UNKNOWN    fw1                10.1.14
               not compared  what was known before and not asked after
    not asked for after.json, so not compared: routes, arp (hopgate audit --snapshot asks everything)
    1 device: 1 unknown
    ");
}

#[test]
fn the_json_tells_the_same() {
    let directory = tempfile("told.json");
    record::write_json(&estate(), &directory).unwrap();
    let written: Value = serde_json::from_slice(&std::fs::read(&directory).unwrap()).unwrap();
    std::fs::remove_file(&directory).unwrap();
    insta::assert_snapshot!(written["counts"], @r#"{"devices":10,"gone":1,"look":1,"new":1,"same":3,"stop":1,"unknown":1,"unread":2}"#);
    assert_eq!(written["schema"], 1);
    let first = &written["devices"][0];
    assert_eq!(
        (first["device"].as_str(), first["standing"].as_str()),
        (Some("broken"), Some("stop"))
    );
    let areas = first["areas"].as_array().unwrap();
    let peers = areas.iter().find(|area| area["area"] == "bgp_peers").unwrap();
    assert_eq!(peers["changes"][0]["grade"], "stop");
    let silent = written["devices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["device"] == "silent");
    assert_eq!(silent.unwrap()["unread_after"], "show system info: no answer");
}

fn tempfile(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("hopgate-diff-{}-{name}", std::process::id()))
}

#[test]
fn a_file_that_is_no_report_is_refused_plainly() {
    let refused = |text: &str| {
        let path = tempfile(&format!("{}.json", text.len()));
        std::fs::write(&path, text).unwrap();
        let told = Failure::from(Report::load(&path).unwrap_err()).to_string();
        std::fs::remove_file(&path).unwrap();
        told.replace(&path.display().to_string(), "a.json")
    };
    let texts = [
        "{}",
        "[1]",
        "no",
        r#"{"schema": 2, "began": "2026-03-07T19:00:00Z", "devices": []}"#,
    ];
    insta::assert_snapshot!(texts.map(refused).join("\n"), @r"
    error[C002]: a.json is not the report of an audit
      because: missing field `schema` at line 1 column 2
      hint: hopgate audit --snapshot --json FILE writes one
    error[C002]: a.json is not the report of an audit
      because: invalid length 1, expected struct Report with 3 elements at line 1 column 3
      hint: hopgate audit --snapshot --json FILE writes one
    error[C002]: a.json is not the report of an audit
      because: expected ident at line 1 column 2
      hint: hopgate audit --snapshot --json FILE writes one
    error[C002]: a.json is the report of another hopgate: its schema is 2, and this one reads 1
      hint: ask again with this hopgate
    ");
    let wrong = tempfile("own.yaml");
    std::fs::write(&wrong, "areas:\n- {area: route, missing: stop}\n- {area: fibs}\n").unwrap();
    let told = Failure::from(rules(Some(&wrong)).unwrap_err()).to_string();
    std::fs::remove_file(&wrong).unwrap();
    insta::assert_snapshot!(told.replace(&wrong.display().to_string(), "own.yaml"), @r"
    error[C002]: the rules own.yaml cannot be used, for this and one more mistake
      because: reading rules own.yaml, line 2, column 10: unknown area `route`; the nearest is `routes`
      hint: docs/audit.md has every key with an example
    ");
}
