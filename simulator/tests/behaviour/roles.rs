//! Administrators with and without rights, and how they prove who they are.

use crate::probe::{Probe, form, one, text};

use panos_simulator::Exchange;

const SETUP: &str = "    setup:
      administrators:
        - {user: reader, password: 'p&w=d@+ %', role: superreader}
        - {user: watcher, password: w, role: {custom: [system-info, clock]}}
        - {user: second, password: s}
";

#[tokio::test(start_paused = true)]
async fn a_role_says_what_may_be_asked() {
    let fleet = one(SETUP);
    let reader = Probe::login_with(
        &fleet,
        "fw",
        "type=keygen&user=reader&password=p%26w%3Dd%40%2B+%25",
    )
    .await;
    let watcher = Probe::login_with(&fleet, "fw", "type=keygen&user=watcher&password=w").await;
    let second = Probe::login_with(&fleet, "fw", "type=keygen&user=second&password=s").await;
    let refused =
        "<response status=\"error\" code=\"16\"><msg><line>Unauthorized request</line></msg></response>";
    let (info, jobs, restart) = (
        "<show><system><info/></system></show>",
        "<show><jobs><all/></jobs></show>",
        "<request><restart><system/></restart></request>",
    );
    assert!(reader.body(info).await.contains("<hostname>"));
    assert!(reader.body(jobs).await.contains("AutoCom"));
    assert_eq!(reader.body(restart).await, refused);
    assert_eq!(
        reader.sent(&[("type", "commit"), ("cmd", "<commit/>")]).await,
        refused
    );
    assert!(watcher.body(info).await.contains("<hostname>"));
    assert_eq!(watcher.body(jobs).await, refused);
    assert_eq!(fleet.counters("fw").unwrap().reboots_requested, 0);
    assert!(
        second
            .body("<show><admins><all/></admins></show>")
            .await
            .contains("<admin>watcher</admin>")
    );
    assert!(second.body(restart).await.contains("Command succeeded"));
}

#[tokio::test(start_paused = true)]
async fn keys_are_of_one_person_on_one_device_and_safe_in_any_place() {
    let fleet = one(SETUP);
    let mut keys = std::collections::BTreeSet::new();
    for login in [
        "user=admin&password=secret-word",
        "user=second&password=s",
        "user=watcher&password=w",
    ] {
        let Exchange::Reply(reply) = fleet.exchange("fw", form(&format!("type=keygen&{login}"))).await else {
            panic!("no reply")
        };
        let body = text(reply.body());
        let key = crate::probe::between(&body, "<key>", "</key>").to_owned();
        assert!(key.len() > 20 && key.chars().all(|one| one.is_ascii_alphanumeric() || one == '='));
        assert!(keys.insert(key));
    }
    for login in [
        "user=admin&password=s",
        "user=second",
        "user=&password=",
        "",
        "user=admin&password=secret-wordx",
    ] {
        let Exchange::Reply(reply) = fleet.exchange("fw", form(&format!("type=keygen&{login}"))).await else {
            panic!("no reply")
        };
        assert_eq!(reply.status(), 403, "{login}");
    }
}
