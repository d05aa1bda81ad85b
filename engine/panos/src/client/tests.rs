//! Requests byte by byte, the key and its secrecy, and the limit on concurrent calls.

use std::sync::Mutex as StdMutex;

use super::*;
use crate::error::{BusyCause, Class};
use crate::scripted::{Answer, Scripted, Seen, golden, reply};
use crate::transport::{TransportError, TransportErrorKind};

const PASSWORD: &str = "p&s=w%rd @1<x>";
const KEY: &str = "LUFRPT1aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789==";

fn credentials() -> Credentials {
    Credentials::Login {
        user: "ad+min".into(),
        password: Secret::new(PASSWORD),
    }
}

fn client(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Arc<Scripted>, Client) {
    let transport = Arc::new(Scripted::new(answer));
    let client = Client::new("acme-fw1".into(), Arc::clone(&transport) as _, credentials());
    (transport, client)
}

fn is_login(seen: &Seen) -> bool {
    seen.field("type").as_deref() == Some("keygen")
}

/// Gives the key to a login, and this to everything else.
fn after_login(answer: impl Fn() -> Answer + Send + Sync + 'static) -> (Arc<Scripted>, Client) {
    client(move |seen| {
        if is_login(seen) {
            reply(200, golden("keygen.xml"))
        } else {
            answer()
        }
    })
}

#[tokio::test]
async fn the_requests_of_a_login_and_a_call() {
    let (transport, client) = after_login(|| reply(200, golden("chassis-ready-10.2.xml")));
    assert_eq!(client.chassis_ready().await, Ok(Some(true)));
    let requests: Vec<String> = transport
        .seen()
        .into_iter()
        .map(|seen| format!("{}\n{:?}\n{}", seen.line, seen.headers, seen.body))
        .collect();
    insta::assert_snapshot!(requests.join("\n\n"), @r#"
    POST /api/
    {"content-type": "application/x-www-form-urlencoded"}
    type=keygen&user=ad%2Bmin&password=p%26s%3Dw%25rd+%401%3Cx%3E

    POST /api/
    {"content-type": "application/x-www-form-urlencoded", "x-pan-key": "LUFRPT1aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789=="}
    type=op&cmd=%3Cshow%3E%3Cchassis-ready%2F%3E%3C%2Fshow%3E
    "#);
}

#[tokio::test]
async fn the_password_survives_its_encoding() {
    let (transport, client) = after_login(|| reply(200, golden("empty-result.xml")));
    client.login().await.unwrap();
    let login = &transport.seen()[0];
    assert_eq!(login.field("password").as_deref(), Some(PASSWORD));
    assert_eq!(login.field("user").as_deref(), Some("ad+min"));
}

#[tokio::test]
async fn one_key_serves_all_calls_until_it_is_renewed() {
    let (transport, client) = after_login(|| reply(200, golden("chassis-ready-10.2.xml")));
    let logins = || transport.seen().iter().filter(|seen| is_login(seen)).count();
    let calls = (0..20).map(|_| client.pending_changes());
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(outcome, Ok(true));
    }
    assert_eq!(logins(), 1);
    client.renew_key().await;
    assert_eq!(logins(), 1);
    client.login().await.unwrap();
    client.login().await.unwrap();
    assert_eq!(logins(), 2);
    for seen in transport.seen().iter().filter(|seen| !is_login(seen)) {
        assert_eq!(seen.headers.get("x-pan-key").map(String::as_str), Some(KEY));
        assert!(
            !seen.body.contains("LUFRPT") && !seen.line.contains("LUFRPT"),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_password_is_tried_once_for_all_who_wait() {
    let (transport, client) = client(|_| reply(403, golden("error-result-message.xml")));
    let calls = (0..20).map(|_| client.pending_changes());
    for outcome in futures_util::future::join_all(calls).await {
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.operation, error.class()),
            (Operation::Login, Class::Refused)
        );
    }
    assert_eq!(transport.seen().len(), 1);
    // Whoever comes later asks again.
    assert!(client.pending_changes().await.is_err());
    assert_eq!(transport.seen().len(), 2);
}

#[tokio::test]
async fn a_failed_login_before_a_changing_call_means_that_nothing_was_changed() {
    let (_, client) = client(|_| {
        Err(TransportError::new(
            TransportErrorKind::Silent,
            "operation timed out",
        ))
    });
    let error = client.restart().await.unwrap_err();
    assert_eq!(error.class(), Class::Retryable);
    insta::assert_snapshot!(error, @"log in on acme-fw1: no complete reply in time: operation timed out");
}

#[tokio::test]
async fn a_ready_made_key_needs_no_login_and_stays() {
    let transport = Arc::new(Scripted::new(|_| reply(200, golden("chassis-ready-10.2.xml"))));
    let key = Credentials::Key(Secret::new(format!("{KEY}\n")));
    let client = Client::new("acme-fw1".into(), Arc::clone(&transport) as _, key);
    client.login().await.unwrap();
    assert!(transport.seen().is_empty());
    client.renew_key().await;
    client.pending_changes().await.unwrap();
    assert_eq!(
        transport.seen()[0].headers.get("x-pan-key").map(String::as_str),
        Some(KEY)
    );
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_refused_before_anything_is_sent() {
    let transport = Arc::new(Scripted::new(|_| reply(200, golden("empty-result.xml"))));
    let key = Credentials::Key(Secret::new("se\ncret"));
    let client = Client::new("acme-fw1".into(), Arc::clone(&transport) as _, key);
    insta::assert_snapshot!(client.restart().await.unwrap_err(), @"restart on acme-fw1: the login or key was not accepted: the key holds characters that a request cannot carry; nothing was sent");
    assert!(transport.seen().is_empty());
}

#[tokio::test]
async fn as_many_calls_at_once_as_are_allowed_and_never_more() {
    let (transport, client) = after_login(|| reply(200, golden("chassis-ready-10.2.xml")));
    let calls = (0..40).map(|_| client.pending_changes());
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(outcome, Ok(true));
    }
    assert_eq!(transport.most_in_flight(), CALLS_IN_FLIGHT);
}

#[tokio::test]
async fn a_call_that_is_given_up_gives_its_place_back() {
    let (transport, client) = after_login(|| reply(200, golden("chassis-ready-10.2.xml")));
    client.login().await.unwrap();
    for _ in 0..10 {
        let call = client.pending_changes();
        tokio::select! {
            biased;
            _ = call => panic!("the scripted transport answers after some turns"),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(client.pending_changes().await, Ok(true));
    assert!(transport.most_in_flight() >= 1);
}

#[test]
fn calls_can_be_made_from_any_thread() {
    fn from_any_thread(_: &impl Send) {}
    let (_, client) = after_login(|| reply(200, golden("empty-result.xml")));
    from_any_thread(&client.restart());
    from_any_thread(&client.job(crate::JobId(1)));
    from_any_thread(&client.export_configuration());
    from_any_thread(&client.facts(&std::collections::BTreeSet::new(), Timestamp::UNIX_EPOCH));
}

/// Replies that repeat what they were sent, in every place that an error quotes.
fn echoes() -> Vec<Answer> {
    let escaped = quick_xml::escape::escape(PASSWORD).into_owned();
    let padding = "x".repeat(480);
    let told = |text: &str| {
        let error = format!("<response status='error' code='17'><msg><line>{text}</line></msg></response>");
        reply(200, error)
    };
    vec![
        told(&format!("bad password {escaped} and key {KEY}")),
        told(&format!("{padding} {KEY}")),
        told(&format!("{padding} {escaped}")),
        reply(200, format!("<html>{KEY} {PASSWORD}")),
        reply(503, format!("{KEY} {PASSWORD}")),
        reply(
            200,
            format!("<response status='success'><result>{KEY}</result></response>"),
        ),
        reply(200, format!("<response status='success'><result>{KEY}")),
        reply(200, format!("<{KEY}/>")),
    ]
}

#[tokio::test]
async fn no_error_tells_a_secret() {
    let mut redacted = 0;
    for index in 0..echoes().len() {
        let (_, client) = after_login(move || echoes().swap_remove(index));
        let error = client.pending_changes().await.unwrap_err();
        let text = format!("{error}\n{error:?}\n{client:?}");
        // The beginnings too: a text can be cut short inside a secret.
        assert!(
            !text.contains(&KEY[..6]) && !text.contains(&PASSWORD[..4]),
            "{text}"
        );
        redacted += usize::from(text.contains("[redacted]"));

        // Before there is a key, only the password can be known for a secret.
        let (_, client) = self::client(move |_| echoes().swap_remove(index));
        let error = client.login().await.unwrap_err();
        let text = format!("{error}\n{error:?}\n{client:?}");
        assert!(!text.contains(&PASSWORD[..4]), "{text}");
    }
    assert!(redacted >= 5, "{redacted}");
}

#[tokio::test]
async fn a_login_reply_that_is_cut_short_is_not_shown() {
    let whole = golden("keygen.xml");
    for end in 0..whole.trim_ascii_end().len() {
        let cut = whole[..end].to_vec();
        let (_, client) = client(move |_| reply(200, cut.clone()));
        let error = client.login().await.unwrap_err();
        assert!(!error.to_string().contains("LUF"), "{error}");
    }
    let (_, client) = client(move |_| reply(200, &b"<response status='success'><result><key>LUFR"[..]));
    insta::assert_snapshot!(client.login().await.unwrap_err(), @"log in on acme-fw1: the reply is not a PAN-OS reply: HTTP 200, 44 bytes, not shown because they may hold a key");
}

#[tokio::test]
async fn a_reply_without_a_key_is_no_login() {
    let (_, client) = client(|_| reply(200, golden("empty-result.xml")));
    insta::assert_snapshot!(client.login().await.unwrap_err(), @"log in on acme-fw1: the reply cannot be understood: <result> has no <key>");
}

/// Collects everything that is traced.
#[derive(Clone, Default)]
struct Traced(Arc<StdMutex<String>>);

impl tracing::field::Visit for Traced {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{field}={value:?} "));
    }
}

impl tracing::Subscriber for Traced {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        attributes.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
        self.0.lock().unwrap().push('\n');
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn traces_tell_calls_and_outcomes_and_no_secret() {
    let traced = Traced::default();
    // With a single subscriber, tracing remembers for good what the thread that meets a place first says, and the threads
    // of other tests have none: a second one ends that.
    let _second = tracing::Dispatch::new(Traced::default());
    let guard = tracing::subscriber::set_default(traced.clone());
    let (_, ready) = after_login(|| reply(200, golden("chassis-ready-10.2.xml")));
    ready.pending_changes().await.unwrap();
    let (_, broken) = after_login(|| {
        Err(TransportError::new(
            TransportErrorKind::Broken,
            "connection reset",
        ))
    });
    assert!(broken.restart().await.is_err());
    for index in 0..echoes().len() {
        let (_, echo) = after_login(move || echoes().swap_remove(index));
        assert!(echo.pending_changes().await.is_err());
    }
    drop(guard);
    let text = traced.0.lock().unwrap().clone();
    assert!(!text.contains(KEY) && !text.contains(PASSWORD), "{text}");
    let first: Vec<&str> = text.lines().take(8).map(str::trim_end).collect();
    insta::assert_snapshot!(first.join("\n"), @r"
    message=call device=acme-fw1 operation=log in
    message=reply device=acme-fw1 operation=log in status=200 bytes=114
    message=call device=acme-fw1 operation=check for pending changes
    message=reply device=acme-fw1 operation=check for pending changes status=200 bytes=72
    message=call device=acme-fw1 operation=log in
    message=reply device=acme-fw1 operation=log in status=200 bytes=114
    message=call device=acme-fw1 operation=restart
    message=no reply device=acme-fw1 operation=restart failure=the connection broke before the reply was complete: connection reset
    ");
}

#[tokio::test]
async fn failures_of_a_changing_call() {
    let broken = |kind: TransportErrorKind| move || Err(TransportError::new(kind.clone(), "detail"));
    let html = || reply(200, &b"<html>Please wait</html>"[..]);
    let unavailable = || reply(503, &b"Service Unavailable"[..]);
    let busy = || reply(200, golden("error-bare-message.xml"));
    let cases: Vec<(Arc<Scripted>, Client)> = vec![
        after_login(broken(TransportErrorKind::Unreachable)),
        after_login(broken(TransportErrorKind::Silent)),
        after_login(broken(TransportErrorKind::Broken)),
        after_login(html),
        after_login(unavailable),
        after_login(busy),
    ]
    .into_iter()
    .collect();
    let mut table = Vec::new();
    for (_, client) in &cases {
        let version = "10.2.0".parse().unwrap();
        let error = client.install(version).await.unwrap_err();
        table.push(format!("{:?}: {error}", error.class()));
    }
    insta::assert_snapshot!(table.join("\n"), @r"
    Retryable: install 10.2.0 on acme-fw1: no connection, nothing was sent: detail
    Indeterminate: install 10.2.0 on acme-fw1: no complete reply in time: detail
    Indeterminate: install 10.2.0 on acme-fw1: the connection broke before the reply was complete: detail
    Indeterminate: install 10.2.0 on acme-fw1: the reply is not a PAN-OS reply: an HTML page: <html>Please wait</html>
    Indeterminate: install 10.2.0 on acme-fw1: the management server is not serving (HTTP 503): not XML: Service Unavailable
    Retryable: install 10.2.0 on acme-fw1: the device is busy: Another commit/validate is in progress. Please try again later
    ");
    let (_, client) = &cases[4];
    let failure = client.jobs().await.unwrap_err().failure;
    assert!(matches!(
        failure,
        Failure::Busy {
            cause: BusyCause::HttpStatus(503),
            ..
        }
    ));
}
