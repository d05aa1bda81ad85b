//! Editing, committing, locking, saving: from the candidate to what runs.

use std::sync::Arc;

use panos_simulator::Fleet;
use proptest::prelude::*;

use crate::probe::{Probe, between, fleet, job_id, on_virtual_time, one, wait};

const SYSTEM: &str = "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/system";

async fn get(probe: &Probe, action: &str, xpath: &str) -> String {
    probe
        .sent(&[("type", "config"), ("action", action), ("xpath", xpath)])
        .await
}

async fn edit(probe: &Probe, action: &str, xpath: &str, more: (&str, &str)) -> String {
    probe
        .sent(&[("type", "config"), ("action", action), ("xpath", xpath), more])
        .await
}

async fn commit(probe: &Probe) -> String {
    probe
        .sent(&[("type", "commit"), ("cmd", "<commit></commit>")])
        .await
}

async fn pending(probe: &Probe) -> bool {
    probe.read("<check><pending-changes/></check>", "result").await == "yes"
}

#[tokio::test(start_paused = true)]
async fn an_edit_waits_for_its_commit() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    assert!(!pending(&probe).await);
    let tag = "/config/shared/tag";
    let reply = edit(
        &probe,
        "set",
        tag,
        ("element", "<entry name='blue'><color>color1</color></entry>"),
    )
    .await;
    assert_eq!(
        reply,
        "<response status=\"success\" code=\"20\"><msg>command succeeded</msg></response>"
    );
    assert!(pending(&probe).await);
    let blue = "/config/shared/tag/entry[@name='blue']";
    assert!(get(&probe, "get", blue).await.contains("<color>color1</color>"));
    assert_eq!(
        get(&probe, "show", blue).await,
        "<response status=\"error\" code=\"7\"><msg><line>No such node</line></msg></response>"
    );
    let job = job_id(&commit(&probe).await);
    assert!(probe.finish(job).await.starts_with("OK"));
    assert!(!pending(&probe).await);
    assert!(get(&probe, "show", blue).await.contains("<color>color1</color>"));
    assert!(commit(&probe).await.contains("There are no changes to commit."));
    let forced = probe
        .sent(&[("type", "commit"), ("cmd", "<commit><force></force></commit>")])
        .await;
    assert!(probe.finish(job_id(&forced)).await.starts_with("OK"));
}

#[tokio::test(start_paused = true)]
async fn every_action_on_the_configuration() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let mut log = Vec::new();
    for (action, xpath, more) in [
        (
            "set",
            "/config/shared/tag",
            ("element", "<entry name='a'/><entry name='b'/>"),
        ),
        (
            "set",
            "/config/shared/tag/entry[@name='a']",
            ("element", "<color>color2</color>"),
        ),
        (
            "edit",
            "/config/shared/tag/entry[@name='b']",
            ("element", "<entry name='b'><color>color3</color></entry>"),
        ),
        ("rename", "/config/shared/tag/entry[@name='b']", ("newname", "c")),
        ("delete", "/config/shared/tag/entry[@name='nobody']", ("x", "")),
        ("edit", "/config/shared/tag", ("element", "<other/>")),
        ("set", "/config/shared/tag", ("element", "<unfinished>")),
        (
            "rename",
            "/config/shared/tag/entry[@name='nobody']",
            ("newname", "d"),
        ),
        ("rename", "/config/shared/tag", ("newname", "d")),
        ("set", "/config/shared//tag", ("element", "<entry name='a'/>")),
        ("delete", "config", ("x", "")),
        ("move", "/config/shared", ("x", "")),
    ] {
        let reply = edit(&probe, action, xpath, more).await;
        let short = reply.replace("<response status=", "").replace("</response>", "");
        log.push(format!("{action} {xpath}\n  {short}"));
    }
    log.push(get(&probe, "get", "/config/shared/tag").await);
    log.push(get(&probe, "get", "/config/shared/nothing").await);
    log.push(get(&probe, "get", &format!("{SYSTEM}/*[text()='UTC']")).await);
    insta::assert_snapshot!(log.join("\n"), @r#"
    set /config/shared/tag
      "success" code="20"><msg>command succeeded</msg>
    set /config/shared/tag/entry[@name='a']
      "success" code="20"><msg>command succeeded</msg>
    edit /config/shared/tag/entry[@name='b']
      "success" code="20"><msg>command succeeded</msg>
    rename /config/shared/tag/entry[@name='b']
      "success" code="20"><msg>command succeeded</msg>
    delete /config/shared/tag/entry[@name='nobody']
      "success" code="7"><msg>Object doesn't exist</msg>
    edit /config/shared/tag
      "error" code="6"><msg><line>Bad Xpath</line></msg>
    set /config/shared/tag
      "error" code="12"><msg><line>Invalid Object</line></msg>
    rename /config/shared/tag/entry[@name='nobody']
      "error" code="7"><msg><line>No such node</line></msg>
    rename /config/shared/tag
      "error" code="12"><msg><line>Invalid Object</line></msg>
    set /config/shared//tag
      "error" code="6"><msg><line>Bad Xpath</line></msg>
    delete config
      "error" code="6"><msg><line>Bad Xpath</line></msg>
    move /config/shared
      "error" code="400"><msg><line>Bad request: type config, action move is not supported</line></msg>
    <response status="success" code="19"><result total-count="1" count="1"><tag><entry name="a"><color>color2</color></entry><entry name="c"><color>color3</color></entry></tag></result></response>
    <response status="success" code="7"><result></result></response>
    <response status="success" code="19"><result total-count="1" count="1"><timezone>UTC</timezone></result></response>
    "#);
}

#[tokio::test(start_paused = true)]
async fn every_refusal_of_a_commit() {
    let fleet = one(
        "    setup: {administrators: [{user: bob, password: pw}]}\nlogin_before_autocommit_fixed: true\n",
    );
    let probe = Probe::login(&fleet, "fw").await;
    let bob = Probe::login_with(&fleet, "fw", "type=keygen&user=bob&password=pw").await;
    let change = async || {
        edit(
            &probe,
            "set",
            "/config/shared/tag",
            ("element", "<entry name='a'/>"),
        )
        .await
    };
    let line = |reply: String| between(&reply, "<line>", "</line>").to_owned();
    let mut log = Vec::new();
    change().await;
    let first = job_id(&commit(&probe).await);
    log.push(line(commit(&probe).await));
    assert!(probe.finish(first).await.starts_with("OK"));
    edit(
        &probe,
        "set",
        "/config/shared/tag",
        ("element", "<entry name='b'/>"),
    )
    .await;
    for lock in ["config", "commit"] {
        bob.body(&format!("<request><{lock}-lock><add/></{lock}-lock></request>"))
            .await;
        log.push(line(commit(&probe).await));
        log.push(line(
            probe
                .body(&format!("<request><{lock}-lock><add/></{lock}-lock></request>"))
                .await,
        ));
        let listed = probe
            .body(&format!(
                "<show><{lock}-locks><vsys>all</vsys></{lock}-locks></show>"
            ))
            .await;
        assert!(listed.contains("<entry name=\"bob\">"), "{listed}");
        bob.body(&format!(
            "<request><{lock}-lock><remove/></{lock}-lock></request>"
        ))
        .await;
        log.push(line(
            bob.body(&format!(
                "<request><{lock}-lock><remove/></{lock}-lock></request>"
            ))
            .await,
        ));
    }
    bob.body("<request><config-lock><add/></config-lock></request>")
        .await;
    log.push(line(
        bob.body("<request><config-lock><add/></config-lock></request>")
            .await,
    ));
    log.push(line(change().await));
    bob.body("<request><config-lock><remove/></config-lock></request>")
        .await;
    let version = "10.2.0";
    let install = job_id(&probe.software("install", version).await);
    log.push(line(commit(&probe).await));
    assert!(probe.finish(install).await.starts_with("OK"));
    probe.restart().await;
    let mut ready = true;
    for _ in 0..1000 {
        wait(5).await;
        if let panos_simulator::Exchange::Reply(reply) = probe.ask("<show><chassis-ready/></show>").await
            && crate::probe::text(reply.body()).contains("[no")
        {
            ready = false;
            break;
        }
    }
    assert!(!ready, "the auto-commit is never seen");
    log.push(line(commit(&probe).await));
    insta::assert_snapshot!(log.join("\n"), @r#"
    Another commit/validate is in progress. Please try again later
    Configuration is locked by bob
    Config for scope shared is currently locked by bob
    Config is not currently locked for scope shared
    Configuration is locked by bob
    Commit lock is already held by bob
    Commit lock is not currently held
    You already own a config lock for scope shared
    Configuration is locked by bob
    You cannot commit while an install is in progress. Please try again later.
    A commit is in progress.
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_committed_is_gone_after_a_boot_and_what_was_stays() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    edit(
        &probe,
        "set",
        "/config/shared/tag",
        ("element", "<entry name='kept'/>"),
    )
    .await;
    let job = job_id(&commit(&probe).await);
    probe.finish(job).await;
    edit(
        &probe,
        "set",
        "/config/shared/tag",
        ("element", "<entry name='lost'/>"),
    )
    .await;
    probe.restart().await;
    probe.back().await;
    let tag = get(&probe, "get", "/config/shared/tag").await;
    assert!(tag.contains("kept") && !tag.contains("lost"), "{tag}");
    assert!(!pending(&probe).await);
}

#[tokio::test(start_paused = true)]
async fn a_saved_configuration_can_be_loaded_and_an_edit_reverted() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    probe
        .body("<save><config><to><before.xml/></to></config></save>")
        .await;
    edit(&probe, "set", SYSTEM, ("element", "<hostname>other</hostname>")).await;
    assert!(
        get(&probe, "get", &format!("{SYSTEM}/hostname"))
            .await
            .contains("other")
    );
    probe.body("<revert><config/></revert>").await;
    assert!(
        get(&probe, "get", &format!("{SYSTEM}/hostname"))
            .await
            .contains(">fw<")
    );
    assert!(!pending(&probe).await);
    edit(&probe, "set", SYSTEM, ("element", "<hostname>other</hostname>")).await;
    probe
        .body("<load><config><from>before.xml</from></config></load>")
        .await;
    assert!(!pending(&probe).await, "what was loaded is what runs");
    let missing = probe
        .body("<load><config><from>nothing.xml</from></config></load>")
        .await;
    assert!(missing.contains("nothing.xml does not exist"));
    let job = job_id(&probe.software("install", "10.2.0").await);
    probe.finish(job).await;
    probe.restart().await;
    probe.back().await;
    let autosave = probe
        .body("<show><config><saved>autosave-10.1.14-h9</saved></config></show>")
        .await;
    assert!(autosave.contains("<config version="), "{autosave}");
}

fn pair() -> Arc<Fleet> {
    fleet(
        "devices:\n  - {name: a, model: PA-850, version: 10.1.14-h9, content: 8700-7000}\n  \
         - {name: b, model: PA-850, version: 10.1.14-h9, content: 8700-7000}\n\
         pairs: [{name: p, members: [a, b], active: a, preemptive: true}]\n",
    )
}

#[tokio::test(start_paused = true)]
async fn a_commit_reaches_the_partner_and_turns_preemption_off() {
    let fleet = pair();
    let (a, b) = (Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await);
    let election = "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/high-availability/group/election-option";
    assert!(
        get(&a, "show", election)
            .await
            .contains("<preemptive>yes</preemptive>")
    );
    edit(&a, "set", election, ("element", "<preemptive>no</preemptive>")).await;
    let job = job_id(&commit(&a).await);
    assert!(a.finish(job).await.starts_with("OK"));
    let state = "<show><high-availability><state/></high-availability></show>";
    assert_eq!(a.read(state, "preemptive").await, "no");
    let sync = async || {
        a.body("<request><high-availability><sync-to-remote><running-config/></sync-to-remote></high-availability></request>")
            .await
    };
    assert!(
        sync()
            .await
            .contains("Another sync is in progress. Please try again later")
    );
    wait(120).await;
    assert!(
        get(&b, "show", election)
            .await
            .contains("<preemptive>no</preemptive>")
    );
    assert!(
        get(&b, "show", &format!("{SYSTEM}/hostname"))
            .await
            .contains(">b<"),
        "its own name"
    );
    assert!(!pending(&b).await);
    assert!(
        sync()
            .await
            .contains("HA synchronization job has been queued on peer. Please check job status on peer.")
    );
    assert!(
        b.body("<show><jobs><pending/></jobs></show>")
            .await
            .contains("<type>HA-Sync</type>")
    );
    wait(120).await;
    fleet
        .control(panos_simulator::ControlRequest::PowerCycle { device: "b".into() })
        .unwrap();
    assert!(
        sync()
            .await
            .contains("Failed to synchronize running configuration with HA peer")
    );
}

#[tokio::test(start_paused = true)]
async fn everything_about_high_availability_has_the_state_in_it() {
    let fleet = pair();
    let probe = Probe::login(&fleet, "a").await;
    let state = probe
        .body("<show><high-availability><state/></high-availability></show>")
        .await;
    let all = probe
        .body("<show><high-availability><all/></high-availability></show>")
        .await;
    for part in ["local-info", "peer-info"] {
        let inside = between(&state, &format!("<{part}>"), &format!("</{part}>"));
        assert!(
            all.contains(
                &inside
                    .replace("></mgmt-ipv6>", "")
                    .split("<mgmt-ipv6")
                    .next()
                    .unwrap()
                    .replace("<state-reason></state-reason>", "<state-reason/>")
            ),
            "{all}"
        );
    }
    for part in [
        "<ha1-macaddr>",
        "<conn-ha1><conn-status>up",
        "<conn-ha2>",
        "<link-monitoring>",
        "<path-monitoring>",
        "<running-sync>synchronized",
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
}

/// Requests and pauses in any order, on either member of a pair.
fn act() -> impl Strategy<Value = (usize, &'static str)> {
    let acts = vec![
        "set", "delete", "commit", "lock", "unlock", "save", "load", "revert", "sync", "generate", "restart",
        "wait", "wait", "commit",
    ];
    (0..2_usize, prop::sample::select(acts))
}

async fn perform(probe: &Probe, act: &str) {
    let xpath = "/config/shared/tag";
    let (command, parameters): (&str, &[(&str, &str)]) = match act {
        "set" => (
            "",
            &[
                ("type", "config"),
                ("action", "set"),
                ("xpath", xpath),
                ("element", "<entry name='any'/>"),
            ],
        ),
        "delete" => ("", &[("type", "config"), ("action", "delete"), ("xpath", xpath)]),
        "commit" => ("", &[("type", "commit"), ("cmd", "<commit/>")]),
        "lock" => ("<request><config-lock><add/></config-lock></request>", &[]),
        "unlock" => ("<request><config-lock><remove/></config-lock></request>", &[]),
        "save" => ("<save><config><to>x.xml</to></config></save>", &[]),
        "load" => ("<load><config><from>x.xml</from></config></load>", &[]),
        "revert" => ("<revert><config/></revert>", &[]),
        "generate" => (
            "<request><certificate><generate><certificate-name>g</certificate-name><name>g</name></generate></certificate></request>",
            &[],
        ),
        "sync" => (
            "<request><high-availability><sync-to-remote><running-config/></sync-to-remote></high-availability></request>",
            &[],
        ),
        "restart" => ("<request><restart><system/></restart></request>", &[]),
        _ => return wait(50).await,
    };
    if command.is_empty() {
        probe.attempt(parameters).await;
    } else {
        let _ = probe.ask(command).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn after_any_edits_a_commit_still_reaches_both(acts in prop::collection::vec(act(), 1..30)) {
        let work = async {
            let fleet = pair();
            let probes = [Probe::login(&fleet, "a").await, Probe::login(&fleet, "b").await];
            for (member, act) in &acts {
                perform(&probes[*member], act).await;
            }
            wait(4 * 3600).await;
            for (probe, tag) in probes.iter().zip(["last-a", "last-b"]) {
                let element = format!("<entry name='{tag}'/>");
                edit(probe, "set", "/config/shared/tag", ("element", &element)).await;
                let job = job_id(&commit(probe).await);
                assert!(probe.finish(job).await.starts_with("OK"));
                assert!(!pending(probe).await);
                wait(300).await;
            }
            for (probe, own) in probes.iter().zip(["a", "b"]) {
                let tags = get(probe, "show", "/config/shared/tag").await;
                assert!(tags.contains("last-b"), "{own}: {tags}");
                let name = get(probe, "show", &format!("{SYSTEM}/hostname")).await;
                assert!(name.contains(&format!(">{own}<")), "{name}");
                let open = probe.body("<show><jobs><pending/></jobs></show>").await;
                assert!(!open.contains("<job>"), "{open}");
            }
        };
        on_virtual_time(work);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reverted_system_has_the_configuration_that_it_was_left_with() {
    let fleet = one("");
    let probe = Probe::login(&fleet, "fw").await;
    let banner = async |text: &str| {
        let element = format!("<login-banner>{text}</login-banner>");
        edit(&probe, "set", SYSTEM, ("element", &element)).await;
        let job = job_id(&commit(&probe).await);
        probe.finish(job).await;
    };
    let shown = async || {
        let running = probe.body("<show><config><running/></config></show>").await;
        let candidate = probe.body("<show><config><candidate/></config></show>").await;
        assert_eq!(
            running.matches("login-banner>").count(),
            candidate.matches("login-banner>").count()
        );
        running
            .contains("<login-banner>")
            .then(|| between(&running, "<login-banner>", "</login-banner>").to_owned())
    };
    let revert = async || {
        probe.body("<debug><swm><revert/></swm></debug>").await;
        probe.restart().await;
        probe.back().await;
    };
    banner("before").await;
    probe.install("10.2.0").await;
    probe.restart().await;
    probe.back().await;
    assert_eq!(
        shown().await.as_deref(),
        Some("before"),
        "an install takes it over"
    );
    banner("after").await;
    revert().await;
    assert_eq!(shown().await.as_deref(), Some("before"));
    revert().await;
    assert_eq!(
        shown().await.as_deref(),
        Some("after"),
        "each partition has its own"
    );
}
