//! HTTPS against small loopback servers that misbehave in one way each, and the certificates they show.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use hopgate_playbooks::{FactArea, Facts, Playbook};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::client::Client;
use crate::scripted::golden;
use crate::secret::{Credentials, Secret};

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 5\r\n\r\nhello";

/// As above, of a server that then closes the connection: the client must not send its next request into the closing.
const LAST_REPLY: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

/// Long enough that a busy machine does not turn a good answer into a time-out.
fn limits() -> HttpsLimits {
    HttpsLimits {
        connect_timeout: Duration::from_secs(15),
        request_timeout: Duration::from_secs(20),
        reply_bytes_max: 100,
    }
}

/// For servers that never answer.
fn impatient() -> HttpsLimits {
    HttpsLimits {
        connect_timeout: Duration::from_millis(1500),
        request_timeout: Duration::from_millis(2500),
        ..limits()
    }
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("certificates")
            .join(name),
    )
    .unwrap()
}

fn der(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&file(&format!("{name}.pem"))).unwrap()
}

fn fingerprint(name: &str) -> Fingerprint {
    Fingerprint::of_der(&der(name))
}

/// Whose certificate the transport tells of.
fn shown(transport: &HttpsTransport) -> Option<&'static str> {
    let shown = transport.certificate()?;
    let names = ["first", "second", "issued", "ended"];
    names.into_iter().find(|name| *der(name) == *shown)
}

fn server_tls(name: &str) -> Arc<ServerConfig> {
    let chain = vec![der(name)];
    let key = PrivateKeyDer::from_pem_slice(&file(&format!("{name}.key.pem"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

/// What a server does with each connection it gets, in turn; it is gone after the last.
fn serve(connections: Vec<Box<dyn FnOnce(TcpStream) + Send>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in connections {
            let (stream, _) = listener.accept().unwrap();
            std::thread::spawn(move || connection(stream));
        }
    });
    address
}

/// A TLS connection with this certificate: reads a request, writes this, then closes.
fn answer(certificate: &'static str, reply: &'static [u8]) -> Box<dyn FnOnce(TcpStream) + Send> {
    Box::new(move |stream| {
        if let Some(mut tls) = read_request(certificate, stream) {
            tls.write_all(reply).unwrap();
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    })
}

/// As `answer`, but goes on holding the connection without a word until the client leaves.
fn answer_and_hang(certificate: &'static str, reply: &'static [u8]) -> Box<dyn FnOnce(TcpStream) + Send> {
    Box::new(move |stream| {
        if let Some(mut tls) = read_request(certificate, stream) {
            tls.write_all(reply).unwrap();
            let _ = tls.flush();
            wait_for_the_end(&mut tls);
        }
    })
}

fn wait_for_the_end(stream: &mut impl Read) {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).is_ok_and(|length| length > 0) {}
}

fn read_request(certificate: &str, stream: TcpStream) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    read_request_by(server_tls(certificate), stream)
}

fn read_request_by(
    tls: Arc<ServerConfig>,
    stream: TcpStream,
) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    let connection = ServerConnection::new(tls).unwrap();
    read_another(StreamOwned::new(connection, stream))
}

fn read_another(
    mut tls: StreamOwned<ServerConnection, TcpStream>,
) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !is_whole(&request) {
        let length = tls.read(&mut buffer).ok().filter(|length| *length > 0)?;
        request.extend_from_slice(&buffer[..length]);
    }
    Some(tls)
}

/// Whether the head is there, and as much behind it as it announces.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() == length.parse::<usize>().unwrap())
}

fn transport(address: &str, trust: Trust) -> HttpsTransport {
    HttpsTransport::new(address, trust, limits()).unwrap()
}

async fn ask(transport: &HttpsTransport) -> Result<http::Response<Bytes>, TransportError> {
    let request = http::Request::post("/api/")
        .header("x-pan-key", "K")
        .body(Bytes::from_static(b"body"));
    transport.send(request.unwrap()).await
}

async fn kind_of(connection: Box<dyn FnOnce(TcpStream) + Send>) -> TransportErrorKind {
    let address = serve(vec![connection]);
    ask(&transport(&address, Trust::None)).await.unwrap_err().kind
}

/// As `kind_of`, where it is a time-out that must end the wait.
async fn kind_in_time(connection: Box<dyn FnOnce(TcpStream) + Send>) -> TransportErrorKind {
    let address = serve(vec![connection]);
    let transport = HttpsTransport::new(&address, Trust::None, impatient()).unwrap();
    ask(&transport).await.unwrap_err().kind
}

#[tokio::test]
async fn a_whole_reply_arrives_with_status_and_content_type_and_nothing_else_of_its_head() {
    let reply = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: 5\r\n\r\nhello";
    let address = serve(vec![answer("first", reply)]);
    let reply = ask(&transport(&address, Trust::None)).await.unwrap();
    assert_eq!(reply.status(), 403);
    assert_eq!(reply.headers()["content-type"], "application/xml");
    assert_eq!(reply.headers().len(), 1);
    assert_eq!(&reply.body()[..], b"hello");
}

#[tokio::test]
async fn connections_resume_the_session_of_the_first_until_the_device_is_left_alone() {
    let device = server_tls("first");
    let (told, kinds) = std::sync::mpsc::channel();
    let connection = || -> Box<dyn FnOnce(TcpStream) + Send> {
        let (device, told) = (Arc::clone(&device), told.clone());
        Box::new(move |stream| {
            let mut tls = read_request_by(device, stream).unwrap();
            told.send(tls.conn.handshake_kind().unwrap()).unwrap();
            tls.write_all(LAST_REPLY).unwrap();
            tls.conn.send_close_notify();
            let _ = tls.flush();
        })
    };
    let address = serve(vec![connection(), connection(), connection()]);
    let transport = transport(&address, Trust::Pinned(fingerprint("first")));
    // A connection that resumes shows no certificate: the one of the session's beginning stays known.
    for _ in 0..2 {
        ask(&transport).await.unwrap();
        assert_eq!(shown(&transport), Some("first"));
    }
    transport.rest();
    assert_eq!(shown(&transport), Some("first"));
    ask(&transport).await.unwrap();
    assert_eq!(
        kinds.iter().take(3).collect::<Vec<_>>(),
        [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Full]
    );
}

#[tokio::test]
async fn a_session_ends_after_so_many_requests_and_the_certificate_is_asked_for_again() {
    let patient = || -> Box<dyn FnOnce(TcpStream) + Send> {
        Box::new(|stream| {
            let mut next = read_request("first", stream);
            while let Some(mut tls) = next {
                if tls.write_all(REPLY).is_err() {
                    return;
                }
                next = read_another(tls);
            }
        })
    };
    let address = serve(vec![patient(), answer("second", LAST_REPLY)]);
    let transport = transport(&address, Trust::Pinned(fingerprint("first")));
    for _ in 0..REQUESTS_A_SESSION {
        ask(&transport).await.unwrap();
    }
    let kind = ask(&transport).await.unwrap_err().kind;
    assert!(matches!(kind, TransportErrorKind::Untrusted { .. }), "{kind}");
}

#[tokio::test]
async fn a_reply_without_a_length_keeps_no_more_room_than_it_needs() {
    let grown = |capacity: usize| {
        let mut body = BytesMut::with_capacity(capacity);
        body.extend_from_slice(&[b'x'; 1000]);
        exactly(body).try_into_mut().unwrap().capacity()
    };
    assert_eq!((grown(1000), grown(1100)), (1000, 1100));
    assert!(grown(2000) < 1100);
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    // Not 127.0.0.1: there the port could at once be given to the server of another test.
    let free = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
    let error = ask(&transport(&free.to_string(), Trust::None)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unreachable);
    assert!(!error.was_sent());
    assert!(error.detail.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_unreachable() {
    // RFC 2606: `invalid` never resolves.
    let error = ask(&transport("fw.invalid:443", Trust::None)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unreachable, "{error}");
}

#[tokio::test]
async fn a_connection_closed_before_tls_is_unreachable() {
    assert_eq!(kind_of(Box::new(drop)).await, TransportErrorKind::Unreachable);
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_unreachable() {
    let plain =
        Box::new(|mut stream: TcpStream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap());
    assert_eq!(kind_of(plain).await, TransportErrorKind::Unreachable);
}

#[tokio::test]
async fn silence_during_the_handshake_is_unreachable_because_nothing_was_sent() {
    let silent = Box::new(|mut stream: TcpStream| wait_for_the_end(&mut stream));
    assert_eq!(kind_in_time(silent).await, TransportErrorKind::Unreachable);
}

#[tokio::test]
async fn silence_after_the_request_is_silence() {
    assert_eq!(
        kind_in_time(answer_and_hang("first", b"")).await,
        TransportErrorKind::Silent
    );
}

#[tokio::test]
async fn silence_in_the_middle_of_a_reply_is_silence() {
    assert_eq!(
        kind_in_time(answer_and_hang("first", &REPLY[..REPLY.len() - 2])).await,
        TransportErrorKind::Silent
    );
    assert_eq!(
        kind_in_time(answer_and_hang("first", &REPLY[..20])).await,
        TransportErrorKind::Silent
    );
}

#[tokio::test]
async fn a_connection_closed_instead_of_a_reply_is_broken() {
    assert_eq!(kind_of(answer("first", b"")).await, TransportErrorKind::Broken);
}

#[tokio::test]
async fn a_connection_dropped_without_goodbye_is_broken() {
    let rude = Box::new(|stream| drop(read_request("first", stream)));
    assert_eq!(kind_of(rude).await, TransportErrorKind::Broken);
}

#[tokio::test]
async fn a_reply_cut_short_is_broken() {
    assert_eq!(
        kind_of(answer("first", &REPLY[..REPLY.len() - 2])).await,
        TransportErrorKind::Broken
    );
    assert_eq!(
        kind_of(answer("first", &REPLY[..20])).await,
        TransportErrorKind::Broken
    );
}

#[tokio::test]
async fn what_is_not_http_is_broken() {
    assert_eq!(
        kind_of(answer("first", b"SSH-2.0-OpenSSH\r\n\r\n")).await,
        TransportErrorKind::Broken
    );
}

#[tokio::test]
async fn a_reply_beyond_the_limit_is_broken() {
    const TOO_LONG: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n\
        01234567890123456789012345678901234567890123456789\
        012345678901234567890123456789012345678901234567890";
    let address = serve(vec![answer("first", TOO_LONG)]);
    let error = ask(&transport(&address, Trust::None)).await.unwrap_err();
    insta::assert_snapshot!(error, @"the connection broke before the reply was complete: the reply is larger than the limit of 100 bytes");
}

#[tokio::test]
async fn a_redirection_is_a_reply_and_not_followed() {
    let reply = b"HTTP/1.1 302 Found\r\nLocation: /php/login.php\r\nContent-Length: 0\r\n\r\n";
    let address = serve(vec![answer("first", reply)]);
    assert_eq!(
        ask(&transport(&address, Trust::None)).await.unwrap().status(),
        302
    );
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let twice = Box::new(|stream| {
        let mut tls = read_request("first", stream).unwrap();
        tls.write_all(REPLY).unwrap();
        let mut tls = read_another(tls).unwrap();
        tls.write_all(REPLY).unwrap();
        wait_for_the_end(&mut tls);
    });
    let address = serve(vec![twice]);
    let transport = transport(&address, Trust::None);
    assert!(ask(&transport).await.is_ok());
    assert!(ask(&transport).await.is_ok());
}

#[tokio::test]
async fn the_pinned_certificate_is_accepted_and_another_is_not() {
    let address = serve(vec![answer("first", LAST_REPLY), answer("second", LAST_REPLY)]);
    let pinned = || transport(&address, Trust::Pinned(fingerprint("first")));
    let accepted = pinned();
    assert!(ask(&accepted).await.is_ok());
    assert_eq!(accepted.fingerprint(), Some(fingerprint("first")));
    let refused = pinned();
    let error = ask(&refused).await.unwrap_err();
    let expected = TransportErrorKind::Untrusted {
        expected: fingerprint("first").to_string(),
        found: fingerprint("second").to_string(),
    };
    assert_eq!(error.kind, expected);
    assert!(!error.was_sent());
    assert_eq!((refused.fingerprint(), shown(&refused)), (None, None));
}

#[tokio::test]
async fn the_first_certificate_is_remembered_and_a_change_is_noticed() {
    let address = serve(vec![
        answer("first", LAST_REPLY),
        answer("first", LAST_REPLY),
        answer("second", LAST_REPLY),
    ]);
    let transport = transport(&address, Trust::TrustOnFirstUse);
    assert_eq!(transport.fingerprint(), None);
    assert!(ask(&transport).await.is_ok());
    assert_eq!(transport.fingerprint(), Some(fingerprint("first")));
    assert!(ask(&transport).await.is_ok());
    let kind = ask(&transport).await.unwrap_err().kind;
    assert!(matches!(kind, TransportErrorKind::Untrusted { .. }), "{kind}");
    assert_eq!(transport.fingerprint(), Some(fingerprint("first")));
    assert_eq!(shown(&transport), Some("first"));
}

/// Shows one certificate and signs with the key of another.
fn impostor() -> Box<dyn FnOnce(TcpStream) + Send> {
    Box::new(|stream| {
        let key = PrivateKeyDer::from_pem_slice(&file("first.key.pem")).unwrap();
        let signer = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let shown = rustls::sign::CertifiedKey::new(vec![der("second")], signer);
        let resolver = Arc::new(rustls::sign::SingleCertAndKey::from(shown));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = builder.with_no_client_auth().with_cert_resolver(resolver);
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        wait_for_the_end(&mut StreamOwned::new(connection, stream));
    })
}

#[tokio::test]
async fn a_peer_without_the_key_of_its_certificate_is_not_remembered() {
    let address = serve(vec![impostor(), answer("first", LAST_REPLY)]);
    let transport = transport(&address, Trust::TrustOnFirstUse);
    let error = ask(&transport).await.unwrap_err();
    assert!(
        matches!(error.kind, TransportErrorKind::Untrusted { .. }),
        "{error}"
    );
    assert_eq!((transport.fingerprint(), shown(&transport)), (None, None));
    assert!(ask(&transport).await.is_ok());
    assert_eq!(transport.fingerprint(), Some(fingerprint("first")));
    assert_eq!(shown(&transport), Some("first"));
}

#[tokio::test]
async fn of_the_certificates_whose_key_was_proven_the_newest_is_told() {
    let address = serve(vec![
        answer("first", LAST_REPLY),
        answer("issued", LAST_REPLY),
        impostor(),
        answer("ended", LAST_REPLY),
    ]);
    let transport = transport(&address, Trust::None);
    let mut told = vec![shown(&transport)];
    for _ in 0..4 {
        // Each connection is a session of its own, as after a while.
        transport.rest();
        let _ = ask(&transport).await;
        told.push(shown(&transport));
    }
    assert_eq!(
        told,
        [None, Some("first"), Some("issued"), Some("issued"), Some("ended")]
    );
    assert_eq!(transport.fingerprint(), Some(fingerprint("first")));
}

/// A firewall that says who it is, once.
fn firewall(certificate: &'static str) -> Box<dyn FnOnce(TcpStream) + Send> {
    Box::new(move |stream| {
        if let Some(mut tls) = read_request(certificate, stream) {
            let body = golden("system-info-10.2.xml");
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            tls.write_all(&[head.as_bytes(), &body].concat()).unwrap();
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    })
}

fn client(address: &str, trust: Trust) -> Client {
    let transport = HttpsTransport::new(address, trust, HttpsLimits::default()).unwrap();
    let key = Credentials::Key(Secret::new("KEY"));
    Client::new("fw1".into(), Arc::new(transport), key)
}

async fn facts(client: &Client, now: &str) -> Facts {
    // A session of its own.
    client.rest();
    let areas = BTreeSet::from([FactArea::ManagementCertificate]);
    client.facts(&areas, now.parse().unwrap()).await
}

/// What the built-in check says of it.
fn concluded(facts: &Facts) -> String {
    let playbook = Playbook::builtin("certificates").unwrap().unwrap();
    let findings = playbook.evaluate(facts, None);
    let finding = findings
        .iter()
        .find(|finding| &*finding.check == "management-certificate-expiry")
        .unwrap();
    format!("{}: {}", finding.verdict.word(), finding.message)
}

#[tokio::test]
async fn what_a_firewall_shows_in_the_handshake_is_a_fact_and_a_renewal_is_seen() {
    let address = serve(vec![
        firewall("ended"),
        firewall("first"),
        firewall("first"),
        firewall("issued"),
    ]);
    let client = client(&address, Trust::None);
    let mut told = Vec::new();
    for now in [
        "2025-01-01T08:00:00Z",
        "2123-11-01T00:00:00Z",
        "2123-12-15T00:00:00Z",
        "2123-12-15T00:00:00Z",
    ] {
        let facts = facts(&client, now).await;
        told.push(format!("{now} {}", concluded(&facts)));
        let known = facts.management_certificate.known().unwrap();
        let (Some(subject), Some(issuer)) = (&known.subject, &known.issuer) else {
            panic!("{known:?}");
        };
        told.push(format!(
            "  {subject} by {issuer}, self-signed {:?}",
            known.self_signed
        ));
        assert_eq!(
            facts.sources[&FactArea::ManagementCertificate].commands,
            ["show system info", "the TLS handshake before it"]
        );
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    2025-01-01T08:00:00Z fail: The certificate of the management address, /CN=hopgate test ended, ended on 2025-01-01T00:00:00Z.
      /CN=hopgate test ended by /CN=hopgate test issuer, self-signed Some(false)
    2123-11-01T00:00:00Z pass: The certificate of the management address does not end soon
      /CN=hopgate test first by /CN=hopgate test first, self-signed Some(true)
    2123-12-15T00:00:00Z fail: The certificate of the management address, /CN=hopgate test first, ends on 2124-01-01T00:00:00Z.
      /CN=hopgate test first by /CN=hopgate test first, self-signed Some(true)
    2123-12-15T00:00:00Z fail: The certificate of the management address, /CN=hopgate test issued, ends on 2124-01-01T00:00:00Z.
      /CN=hopgate test issued by /CN=hopgate test authority, self-signed Some(false)
    ");
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused_in_plain_words_where_an_authority_is_trusted() {
    let address = serve(vec![firewall("ended")]);
    let roots_pem = file("issuer.pem");
    let facts = facts(
        &client(&address, Trust::Verify { roots_pem }),
        "2026-01-01T00:00:00Z",
    )
    .await;
    let why = facts.unknown(FactArea::ManagementCertificate).unwrap();
    let why = why.replace(&fingerprint("ended").to_string(), "[fingerprint]");
    insta::assert_snapshot!(why, @"read system information on fw1: the certificate is not trusted, nothing was sent: expected a certificate for 127.0.0.1 from a trusted authority, found [fingerprint] (it expired on 2025-01-01T00:00:00Z)");
}

#[tokio::test]
async fn without_an_answer_nothing_is_told_of_a_connection_of_long_ago() {
    let address = serve(vec![firewall("first")]);
    let client = client(&address, Trust::None);
    let read = facts(&client, "2026-01-01T00:00:00Z").await;
    assert!(read.management_certificate.known().is_some());
    // The server is gone.
    let read = facts(&client, "2026-01-02T00:00:00Z").await;
    let why = read.unknown(FactArea::ManagementCertificate).unwrap();
    assert!(why.contains("no connection, nothing was sent"), "{why}");
}

#[tokio::test]
async fn a_chain_to_a_trusted_authority_is_accepted_and_a_self_signed_one_is_not() {
    let address = serve(vec![answer("issued", LAST_REPLY), answer("first", LAST_REPLY)]);
    let verified = || {
        transport(
            &address,
            Trust::Verify {
                roots_pem: file("authority.pem"),
            },
        )
    };
    assert!(ask(&verified()).await.is_ok());
    let TransportErrorKind::Untrusted { expected, found } = ask(&verified()).await.unwrap_err().kind else {
        panic!("a self-signed certificate must not be trusted");
    };
    assert_eq!(expected, "a certificate for 127.0.0.1 from a trusted authority");
    assert!(found.starts_with(&fingerprint("first").to_string()), "{found}");
    assert!(found.ends_with(" (no trusted authority issued it)"), "{found}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let address = serve(vec![answer("issued", LAST_REPLY)]);
    let port = address.rsplit_once(':').unwrap().1;
    let roots_pem = file("authority.pem");
    let transport = transport(&format!("localhost:{port}"), Trust::Verify { roots_pem });
    let kind = ask(&transport).await.unwrap_err().kind;
    assert!(matches!(kind, TransportErrorKind::Untrusted { .. }), "{kind}");
}

#[test]
fn addresses_are_host_and_port() {
    for good in [
        "fw1:443",
        "192.0.2.1:8443",
        "[2001:db8::1]:443",
        "fw1.example.com:443",
    ] {
        assert!(HttpsTransport::new(good, Trust::None, limits()).is_ok(), "{good}");
    }
    for bad in [
        "",
        "fw1",
        "fw1:",
        "fw1:0",
        ":443",
        "fw1:99999",
        "https://fw1:443",
        "user@fw1:443",
        "fw1:443/api",
    ] {
        let error = HttpsTransport::new(bad, Trust::None, limits())
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error, HttpsError::Address { .. }), "{bad}: {error}");
    }
}

#[test]
fn a_transport_that_cannot_be_made_says_why() {
    let no_roots = Trust::Verify {
        roots_pem: Vec::new(),
    };
    let slow = HttpsLimits {
        connect_timeout: Duration::from_secs(60),
        ..limits()
    };
    let table = [
        HttpsTransport::new("fw1", Trust::None, limits()),
        HttpsTransport::new("fw1:443", Trust::None, slow),
        HttpsTransport::new("fw1:443", no_roots, limits()),
    ]
    .map(|outcome| {
        let error = outcome.map(|_| ()).unwrap_err();
        let source = error
            .source()
            .map_or_else(String::new, |source| format!(": {source}"));
        format!("{error}{source}")
    });
    insta::assert_snapshot!(table.join("\n"), @r#"
    "fw1" is not an address: write host:port, an IPv6 address in brackets
    the connect timeout (60s) for fw1:443 must be shorter than the request timeout (20s)
    setting up trust for fw1:443: the file of certificate authorities holds no certificate
    "#);
}
