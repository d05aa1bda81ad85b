//! A query of a log: asked for, looked at after growing pauses, given up in the end.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::FutureExt as _;
use hopgate_playbooks::{Fact, FactArea, Facts};
use jiff::Timestamp;

use crate::client::{CALLS_IN_FLIGHT, Client};
use crate::scripted::{Answer, Scripted, Seen, golden, reply};
use crate::secret::{Credentials, Secret};

const ENQUEUED: &str = "<response status=\"success\" code=\"19\"><result><msg><line>query job enqueued with jobid 18</line></msg>\
    <job>18</job></result></response>";

/// A device whose query is over at the `looks`th look.
fn device(looks: usize, over: &'static str) -> impl Fn(&Seen) -> Answer + Send + Sync {
    let looked = AtomicUsize::new(0);
    move |seen| {
        let field = |name: &str| seen.field(name).unwrap_or_default();
        match (field("type").as_str(), field("action").as_str()) {
            ("log", "") => reply(200, ENQUEUED),
            ("log", "get") if looked.fetch_add(1, Ordering::SeqCst) + 1 < looks => reply(
                200,
                "<response status=\"success\"><result><job><tenq>10:00:00</tenq><status>ACT</status><id>18</id></job></result></response>",
            ),
            ("log", "get") => reply(200, over),
            _ => reply(200, golden("error-unknown-command.xml")),
        }
    }
}

const FOUND: &str = "<response status=\"success\"><result><job><status>FIN</status><id>18</id></job>\
    <log><logs count=\"1\" progress=\"100\"><entry logid=\"1\"><receive_time>2026/11/21 10:00:00</receive_time>\
    <opaque>Port ethernet1/1: Down 10Gb/s Full duplex</opaque></entry></logs></log></result></response>";

async fn read(client: Client) -> Facts {
    let areas = BTreeSet::from([FactArea::LinkChanges]);
    client.facts(&areas, Timestamp::UNIX_EPOCH).await
}

fn client(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Arc<Scripted>, Client) {
    let transport = Arc::new(Scripted::new(answer));
    let key = Credentials::Key(Secret::new("KEY"));
    let client = Client::new("acme-fw1".into(), Arc::clone(&transport) as _, key);
    (transport, client)
}

#[tokio::test]
async fn a_query_is_enqueued_looked_at_and_read() {
    let (transport, client) = client(device(3, FOUND));
    let facts = read(client).await;
    let asked: Vec<String> = transport.seen().into_iter().map(|seen| seen.body).collect();
    insta::assert_snapshot!(asked.join("\n"), @r"
    type=log&log-type=system&nlogs=1000&dir=backward&query=%28eventid+eq+link-change%29
    type=log&action=get&job-id=18
    type=log&action=get&job-id=18
    type=log&action=get&job-id=18
    ");
    let changes = facts.link_changes.known().unwrap();
    assert_eq!(changes.ports[0].interface, "ethernet1/1");
    assert_eq!(changes.ports[0].log[0].up, Some(false));
    assert_eq!(
        facts.sources[&FactArea::LinkChanges].commands,
        ["show log system direction equal backward eventid equal link-change"]
    );
}

#[tokio::test]
async fn what_a_query_cannot_be_read_from_says_why() {
    let mut said = Vec::new();
    let other =
        "<response status=\"success\"><result><job><status>FIN</status><id>19</id></job></result></response>";
    let no_log =
        "<response status=\"success\"><result><job><status>FIN</status><id>18</id></job></result></response>";
    let no_status = "<response status=\"success\"><result><job><id>18</id></job></result></response>";
    let no_job = "<response status=\"success\"><result/></response>";
    let gone = "<response status=\"error\" code=\"7\"><msg><line>job 18 not found</line></msg></response>";
    let no_id = "<response status=\"success\"><result><job><status>FIN</status></job></result></response>";
    for over in [other, no_id, no_log, no_status, no_job, gone] {
        let facts = read(client(device(1, over)).1).await;
        said.extend(facts.unknown(FactArea::LinkChanges).map(str::to_owned));
    }
    let (transport, never) = client(device(usize::MAX, FOUND));
    said.extend(
        read(never)
            .await
            .unknown(FactArea::LinkChanges)
            .map(str::to_owned),
    );
    assert_eq!(transport.seen().len(), 1 + super::PAUSES.len());
    let refused = |_: &Seen| reply(200, golden("error-unknown-command.xml"));
    said.extend(
        read(client(refused).1)
            .await
            .unknown(FactArea::LinkChanges)
            .map(str::to_owned),
    );
    insta::assert_snapshot!(said.join("\n"), @r"
    ask `show log system direction equal backward eventid equal link-change` on acme-fw1: the reply cannot be understood: no job 18 in the reply
    ask `show log system direction equal backward eventid equal link-change` on acme-fw1: the reply cannot be understood: no job 18 in the reply
    ask `show log system direction equal backward eventid equal link-change` on acme-fw1: the reply cannot be understood: no log in the reply
    ask `show log system direction equal backward eventid equal link-change` on acme-fw1: the reply cannot be understood: <job> has no <status>
    ask `show log system direction equal backward eventid equal link-change` on acme-fw1: the reply cannot be understood: the reply about the query of a log names no job
    ask `show log system direction equal backward eventid equal link-change` on acme-fw1: the device refused (code 7): job 18 not found
    ask `show log system direction equal backward eventid equal link-change` on acme-fw1: no complete reply in time: the query of the log was not over after 11 looks
    ask `show log system direction equal backward eventid equal link-change` on acme-fw1: the device refused (code 17): show -> chassis-ready is unexpected
    ");
}

/// What a client paused for, of a kind that comes back from a pause at once.
static PAUSES: Mutex<Vec<Duration>> = Mutex::new(Vec::new());

#[tokio::test]
async fn a_busy_device_is_looked_at_less_and_less() {
    let (_, client) = client(device(usize::MAX, FOUND));
    let client = client.pausing_by(|span| {
        PAUSES.lock().unwrap().push(span);
        Box::pin(std::future::ready(()))
    });
    read(client).await;
    let paused = PAUSES.lock().unwrap().clone();
    assert_eq!(paused, super::PAUSES);
    assert!(paused.is_sorted());
    assert_eq!(paused.iter().sum::<Duration>(), Duration::from_millis(40_750));
}

/// How often a client paused, of a kind that never comes back from a pause.
static PAUSED: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn a_pause_holds_no_place_among_the_calls_and_ends_with_everybodys_patience() {
    let system = |seen: &Seen| match seen.field("type").as_deref() {
        Some("log") => reply(200, ENQUEUED),
        _ => reply(200, golden("system-info-10.1.xml")),
    };
    let (transport, client) = client(system);
    let client = Arc::new(client.pausing_by(|span| {
        assert_eq!(span, Duration::from_millis(250));
        PAUSED.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::pending())
    }));
    let (enough, had_enough) = futures_util::future::abortable(std::future::pending::<()>());
    let enough = enough.map(|_| ()).shared();
    let asked: Vec<_> = (0..CALLS_IN_FLIGHT)
        .map(|_| {
            let (client, enough) = (Arc::clone(&client), enough.clone());
            tokio::spawn(async move {
                let areas = BTreeSet::from([FactArea::LinkChanges]);
                client
                    .facts_until(&areas, Timestamp::UNIX_EPOCH, enough, "no answer within 2 s")
                    .await
            })
        })
        .collect();
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(PAUSED.load(Ordering::SeqCst), CALLS_IN_FLIGHT);
    // As many queries pause as there are places, and the device is asked all the same.
    assert!(client.system_info().await.is_ok());
    had_enough.abort();
    for facts in asked {
        let facts = facts.await.unwrap();
        assert_eq!(
            facts.link_changes,
            Fact::Unknown(
                "ask `show log system direction equal backward eventid equal link-change` on acme-fw1: no complete reply in \
                 time: no answer within 2 s"
                    .to_owned()
            )
        );
    }
    assert_eq!(transport.seen().len(), CALLS_IN_FLIGHT + 1);
}
