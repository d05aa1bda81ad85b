//! Only the wanted areas are asked, and a failed one does not take the others with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::*;
use crate::scripted::{Answer, Scripted, Seen, golden, reply};
use crate::secret::{Credentials, Secret};
use crate::transport::{Transport, TransportError};

/// A firewall that answers every read, made of golden replies.
fn firewall(system: &'static str) -> impl Fn(&Seen) -> Answer + Send + Sync {
    move |seen| {
        let cmd = seen.field("cmd").unwrap_or_default();
        let name = match cmd.as_str() {
            "<show><system><info/></system></show>" => system,
            "<request><system><software><info/></software></system></request>" => "software-info-10.2.xml",
            "<show><jobs><all/></jobs></show>" => "jobs-all-10.2.xml",
            "<show><high-availability><state/></high-availability></show>" => "ha-pair-10.1.xml",
            "<show><system><disk-space/></system></show>" => "disk-9.1.xml",
            "<debug><swm><status/></swm></debug>" => "swm-10.2.xml",
            "<check><pending-changes/></check>" => "chassis-ready-10.2.xml",
            "<show><config-locks><vsys>all</vsys></config-locks></show>" => "config-locks-10.1.xml",
            "<show><commit-locks><vsys>all</vsys></commit-locks></show>" => "commit-locks-10.1.xml",
            "<show><system><state><filter>sys.s*.p*.phy</filter></state></system></show>" => {
                "optics-none.xml"
            }
            _ => "error-unknown-command.xml",
        };
        reply(200, golden(name))
    }
}

/// The areas that a hop is decided on: this firewall answers for all of them.
fn decisive() -> BTreeSet<FactArea> {
    FactArea::ALL[..9].iter().copied().collect()
}

fn client(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Arc<Scripted>, Client) {
    let transport = Arc::new(Scripted::new(answer));
    let key = Credentials::Key(Secret::new("KEY"));
    let client = Client::new("acme-fw1".into(), Arc::clone(&transport) as _, key);
    (transport, client)
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn all() -> BTreeSet<FactArea> {
    FactArea::ALL.into_iter().collect()
}

#[tokio::test]
async fn every_area_is_read_within_the_limit_of_calls() {
    let (transport, client) = client(firewall("system-info-10.1.xml"));
    let facts = client.facts(&decisive(), now()).await;
    for area in decisive() {
        assert_eq!(facts.unknown(area), None, "{area}");
    }
    assert_eq!((facts.device.as_str(), facts.read_at), ("acme-fw1", now()));
    assert_eq!(facts.pending_changes, Fact::Known(true));
    let locks = facts.locks.known().unwrap();
    assert_eq!(
        locks.first().map(String::as_str),
        Some("configuration lock of admin (shared)")
    );
    assert_eq!(locks.last().map(String::as_str), Some("commit lock of carol"));
    assert_eq!(transport.most_in_flight(), CALLS_IN_FLIGHT);
}

#[tokio::test]
async fn nothing_is_asked_that_is_not_wanted() {
    let (transport, client) = client(firewall("system-info-10.1.xml"));
    let facts = client.facts(&BTreeSet::new(), now()).await;
    assert_eq!(facts, Facts::unread("acme-fw1", now()));
    assert!(transport.seen().is_empty());
    for area in FactArea::ALL {
        let (transport, client) = self::client(firewall("system-info-10.1.xml"));
        let facts = client.facts(&BTreeSet::from([area]), now()).await;
        assert_eq!(transport.seen().len(), questions(area).len(), "{area}");
        assert_eq!(facts.sources.keys().collect::<Vec<_>>(), [&area]);
        for other in FactArea::ALL.into_iter().filter(|other| *other != area) {
            assert_eq!(facts.unknown(other), Some("not asked"), "{area} {other}");
        }
    }
}

#[tokio::test]
async fn a_command_that_several_areas_need_is_sent_once() {
    let (transport, client) = client(firewall("system-info-10.1.xml"));
    let facts = client.facts(&all(), now()).await;
    let mut sent: Vec<String> = transport.seen().into_iter().map(|seen| seen.body).collect();
    let questions: BTreeSet<Question> = FactArea::ALL
        .into_iter()
        .flat_map(|area| questions(area).iter().copied())
        .collect();
    assert_eq!(sent.len(), questions.len());
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), questions.len());
    assert_eq!(transport.most_in_flight(), CALLS_IN_FLIGHT);
    let source = &facts.sources[&FactArea::Locks];
    assert_eq!(source.read_at, now());
    assert_eq!(
        source.commands,
        ["show config-locks vsys all", "show commit-locks vsys all"]
    );
}

#[tokio::test]
async fn a_command_that_the_release_does_not_know_leaves_its_area_unknown() {
    let (_, client) = client(firewall("system-info-10.1.xml"));
    let facts = client.facts(&all(), now()).await;
    insta::assert_snapshot!(facts.unknown(FactArea::Redistribution).unwrap(), @"ask `show redistribution service client all` on acme-fw1: the device refused (code 17): show -> chassis-ready is unexpected");
    insta::assert_snapshot!(facts.unknown(FactArea::UpdateSchedules).unwrap(), @"ask `show config running deviceconfig system update-schedule` on acme-fw1: the device refused (code 17): show -> chassis-ready is unexpected");
    insta::assert_snapshot!(facts.unknown(FactArea::AdvancedRoutes).unwrap(), @"the advanced routing engine is off");
}

#[tokio::test]
async fn what_has_come_in_is_kept_when_the_rest_is_given_up() {
    let answer = firewall("system-info-10.1.xml");
    let (enough, given_up) = futures_util::future::abortable(pending::<()>());
    let (transport, client) = client(move |seen| {
        // The caller has had enough when the jobs are answered.
        if seen.field("cmd").is_some_and(|cmd| cmd.contains("<jobs>")) {
            given_up.abort();
        }
        answer(seen)
    });
    let enough = async move {
        let _ = enough.await;
    };
    let facts = client
        .facts_until(&decisive(), now(), enough, "no answer within 2 s")
        .await;
    let unknown: Vec<String> = decisive()
        .into_iter()
        .filter_map(|area| Some(format!("{area}: {}", facts.unknown(area)?)))
        .collect();
    insta::assert_snapshot!(unknown.join("\n"), @r"
    ha: read the high-availability state on acme-fw1: no complete reply in time: no answer within 2 s
    disks: read disk space on acme-fw1: no complete reply in time: no answer within 2 s
    partitions: read the software manager's partitions on acme-fw1: no complete reply in time: no answer within 2 s
    pending_changes: check for pending changes on acme-fw1: no complete reply in time: no answer within 2 s
    optics: read the optics on acme-fw1: no complete reply in time: no answer within 2 s
    locks: read configuration locks on acme-fw1: no complete reply in time: no answer within 2 s
    ");
    assert_eq!(facts.sources.len(), decisive().len());
    let before = transport.seen().len();
    let none = client
        .facts_until(&all(), now(), async {}, "no answer within 0 s")
        .await;
    assert_eq!(transport.seen().len(), before, "nothing is sent after the end");
    insta::assert_snapshot!(none.unknown(FactArea::System).unwrap(), @"read system information on acme-fw1: no complete reply in time: no answer within 0 s");
}

#[tokio::test]
async fn an_area_says_when_its_last_reply_came() {
    let (_, client) = client(firewall("system-info-10.1.xml"));
    let seconds = AtomicI64::new(0);
    let client = client.dated_by(Arc::new(move || {
        let second = seconds.fetch_add(1, Ordering::SeqCst);
        now() + jiff::SignedDuration::from_secs(second)
    }));
    let areas = BTreeSet::from([FactArea::System, FactArea::Locks]);
    let facts = client.facts(&areas, now()).await;
    let came = |area| facts.sources[&area].read_at.duration_since(now()).as_secs();
    // One question, then two.
    assert_eq!((came(FactArea::System), came(FactArea::Locks)), (0, 2));
    assert_eq!(facts.read_at, now());
}

/// A device that says nothing to what it would have to ask the vendor's servers.
struct Cut(Scripted);

impl Transport for Cut {
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        let asks = |what: &[u8]| request.body().windows(what.len()).any(|part| part == what);
        if asks(b"software%3E%3Ccheck") || asks(b"support%3E%3Ccheck") {
            return Box::pin(pending());
        }
        self.0.send(request)
    }
}

#[tokio::test]
async fn what_waits_for_the_vendor_keeps_nothing_else_from_being_read() {
    let device = Cut(Scripted::new(firewall("system-info-10.1.xml")));
    let key = Credentials::Key(Secret::new("KEY"));
    let client = Client::new("acme-fw1".into(), Arc::new(device), key);
    let slow = [FactArea::UpdateServer, FactArea::Support];
    let areas: BTreeSet<FactArea> = decisive().into_iter().chain(slow).collect();
    let (enough, given_up) = futures_util::future::abortable(pending::<()>());
    let enough = enough.map(|_| ());
    let reading = tokio::spawn(async move {
        client
            .facts_until(&areas, now(), enough, "no answer within 60 s")
            .await
    });
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    given_up.abort();
    let facts = reading.await.unwrap();
    for area in decisive() {
        assert_eq!(facts.unknown(area), None, "{area}");
    }
    let unknown: Vec<&str> = slow.into_iter().filter_map(|area| facts.unknown(area)).collect();
    insta::assert_snapshot!(unknown.join("\n"), @r"
    refresh the software list on acme-fw1: no complete reply in time: no answer within 60 s
    ask `request support check` on acme-fw1: no complete reply in time: no answer within 60 s
    ");
}

#[tokio::test]
async fn a_failed_area_says_why_and_leaves_the_others() {
    let answer = firewall("system-info-10.1.xml");
    let (_, client) = client(move |seen| {
        let cmd = seen.field("cmd").unwrap_or_default();
        if cmd.contains("<swm>") {
            return reply(200, golden("error-unknown-command.xml"));
        }
        if cmd.contains("<commit-locks>") {
            return reply(503, &b"starting"[..]);
        }
        answer(seen)
    });
    let facts = client.facts(&decisive(), now()).await;
    let unknown: Vec<String> = decisive()
        .into_iter()
        .filter_map(|area| Some(format!("{area}: {}", facts.unknown(area)?)))
        .collect();
    insta::assert_snapshot!(unknown.join("\n"), @r"
    partitions: read the software manager's partitions on acme-fw1: the device refused (code 17): show -> chassis-ready is unexpected
    locks: read commit locks on acme-fw1: the management server is not serving (HTTP 503): not XML: starting
    ");
}

#[tokio::test]
async fn only_a_virtual_firewall_may_have_no_ports() {
    let (_, virtual_one) = client(firewall("system-info-10.1.xml"));
    assert_eq!(
        virtual_one.facts(&decisive(), now()).await.optics,
        Fact::Known(vec![])
    );
    let (_, hardware) = client(firewall("system-info-9.1.xml"));
    let told = hardware.facts(&decisive(), now()).await.optics;
    insta::assert_snapshot!(told.unknown().unwrap(), @"the PA-850 listed no ports");
    let told = hardware
        .facts(&BTreeSet::from([FactArea::Optics]), now())
        .await
        .optics;
    insta::assert_snapshot!(told.unknown().unwrap(), @"the device listed no ports, and its model is not known");
}
