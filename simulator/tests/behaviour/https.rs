//! The fleet over real sockets: TLS, keep-alive, connections that die, the control port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use panos_simulator::{Fleet, FleetSpec, ServeOptions, Served, SimClock, serve};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::probe::between;

/// Takes any certificate, as the clients that matter here do, but checks that the device holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

pub(crate) struct Client {
    config: Arc<rustls::ClientConfig>,
}

impl Client {
    pub(crate) fn new() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        Self {
            config: Arc::new(config),
        }
    }

    pub(crate) async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        tokio_rustls::TlsConnector::from(self.config.clone())
            .connect(name, stream)
            .await
    }
}

/// Sends a form and reads one reply by its announced length.
pub(crate) async fn ask(stream: &mut TlsStream<TcpStream>, body: &str) -> std::io::Result<String> {
    ask_as(stream, "/api/", "application/x-www-form-urlencoded", body).await
}

/// Sends a body of some type.
pub(crate) async fn ask_as(
    stream: &mut TlsStream<TcpStream>,
    path: &str,
    kind: &str,
    body: &str,
) -> std::io::Result<String> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: fw\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut received = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = between(head, "content-length: ", "\r\n").parse().unwrap();
            if body.len() >= length {
                return Ok(text);
            }
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
pub(crate) async fn started(speed: f64, body: &str) -> (Arc<Fleet>, Served) {
    let head = "epoch: 2026-03-01T22:00:00Z\ncredentials: {user: admin, password: secret-word}\n";
    let spec = FleetSpec::parse("fleet.yaml", &format!("{head}{body}")).unwrap();
    let clock = SimClock::anchored(spec.epoch, speed, SystemTime::now());
    let fleet = Fleet::new(spec, clock).unwrap();
    let served = serve(fleet.clone(), ServeOptions::default()).await.unwrap();
    (fleet, served)
}

const TWO: &str = "\
devices:
  - {name: fw1, model: PA-850, version: 10.1.14, content: 8700-7000}
  - {name: fw2, model: PA-440, version: 10.2.4, content: 8700-7000}
";

pub(crate) const INFO: &str = "type=op&cmd=<show><system><info/></system></show>";

pub(crate) async fn login(stream: &mut TlsStream<TcpStream>) -> String {
    let reply = ask(stream, crate::probe::KEYGEN).await.unwrap();
    between(&reply, "<key>", "</key>").to_owned()
}

pub(crate) async fn control(served: &Served, request: &str) -> String {
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let mut stream = TcpStream::connect(served.control.unwrap()).await.unwrap();
    let request = request.replace("{length}", &body.len().to_string());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

pub(crate) fn post(body: &str) -> String {
    format!(
        "POST /control HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {{length}}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn two_requests_go_over_one_connection_and_sessions_resume() {
    let (fleet, served) = started(1.0, TWO).await;
    let client = Client::new();
    let mut stream = client.connect(served.endpoints["fw1"]).await.unwrap();
    let key = login(&mut stream).await;
    let reply = ask(&mut stream, &format!("{INFO}&key={key}")).await.unwrap();
    assert!(
        reply.starts_with("HTTP/1.1 200 OK")
            && reply.contains("content-type: application/xml; charset=UTF-8")
    );
    assert!(reply.contains("<hostname>fw1</hostname>"));
    let first = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    drop(stream);
    let again = client.connect(served.endpoints["fw1"]).await.unwrap();
    assert_eq!(
        again.get_ref().1.handshake_kind(),
        Some(rustls::HandshakeKind::Resumed)
    );
    let kind = |stream: &TlsStream<TcpStream>| stream.get_ref().1.handshake_kind();
    let other = client.connect(served.endpoints["fw2"]).await.unwrap();
    // The client offers the session of the other port: it keeps them by address.
    assert_ne!(kind(&other), Some(rustls::HandshakeKind::Resumed));
    assert_ne!(
        other.get_ref().1.peer_certificates().unwrap()[0],
        first,
        "a certificate of its own"
    );
    assert_eq!(fleet.counters("fw1").unwrap().requests, 2);
    served.shutdown().await;
}

#[tokio::test]
async fn clients_with_session_ids_resume_as_well() {
    let (_fleet, served) = started(1.0, TWO).await;
    let mut client = Client::new();
    let config = Arc::get_mut(&mut client.config).unwrap();
    // TLS 1.2, and no tickets: what is left is the session id.
    config.resumption = rustls::client::Resumption::in_memory_sessions(8)
        .tls12_resumption(rustls::client::Tls12Resumption::SessionIdOnly);
    let versions = [&rustls::version::TLS12];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut old = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    old.resumption = config.resumption.clone();
    client.config = Arc::new(old);
    let mut kinds = Vec::new();
    for device in ["fw1", "fw1", "fw2", "fw2"] {
        let mut stream = client.connect(served.endpoints[device]).await.unwrap();
        login(&mut stream).await;
        kinds.push(stream.get_ref().1.handshake_kind().unwrap());
    }
    use rustls::HandshakeKind::{Full, Resumed};
    assert_eq!(kinds, [Full, Resumed, Full, Resumed]);
    served.shutdown().await;
}

#[tokio::test]
async fn a_changed_certificate_is_shown_to_new_connections() {
    let (_fleet, served) = started(1.0, TWO).await;
    let shown = async |client: Client| {
        let stream = client.connect(served.endpoints["fw1"]).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let before = shown(Client::new()).await;
    assert_eq!(before, shown(Client::new()).await);
    let reply = control(&served, &post(r#"{"change_certificate": {"device": "fw1"}}"#)).await;
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    assert_ne!(before, shown(Client::new()).await);
    // A session of the old certificate would hide the new one.
    let client = Client::new();
    drop(client.connect(served.endpoints["fw2"]).await.unwrap());
    let reply = control(&served, &post(r#"{"change_certificate": {"device": "fw2"}}"#)).await;
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    let again = client.connect(served.endpoints["fw2"]).await.unwrap();
    assert_ne!(
        again.get_ref().1.handshake_kind(),
        Some(rustls::HandshakeKind::Resumed)
    );
    served.shutdown().await;
}

#[tokio::test]
async fn an_open_connection_dies_with_the_device_and_new_ones_are_turned_away() {
    // 100 times real time: the device answers for about a second after the restart and is away for some four.
    let (_fleet, served) = started(100.0, TWO).await;
    let client = Client::new();
    let mut stream = client.connect(served.endpoints["fw1"]).await.unwrap();
    let key = login(&mut stream).await;
    let restart = format!("type=op&cmd=<request><restart><system/></restart></request>&key={key}");
    assert!(
        ask(&mut stream, &restart)
            .await
            .unwrap()
            .contains("Command succeeded with no output")
    );
    let mut rest = Vec::new();
    // Nothing is asked: the close comes from the other side. Either an end or a reset will do.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(
        client.connect(served.endpoints["fw1"]).await.is_err(),
        "the device is down"
    );
    let mut other = client.connect(served.endpoints["fw2"]).await.unwrap();
    login(&mut other).await;
    served.shutdown().await;
}

#[tokio::test]
async fn lost_and_cut_replies_reach_the_socket_as_such() {
    let (fleet, served) = started(1.0, TWO).await;
    let client = Client::new();
    let mut stream = client.connect(served.endpoints["fw1"]).await.unwrap();
    let key = login(&mut stream).await;
    let info = format!("{INFO}&key={key}");
    for (fault, counted) in [("truncate", 1), ("lose_reply", 1), ("reset", 0)] {
        let request = post(&format!(
            r#"{{"inject": {{"device": "fw1", "fault": "{fault}"}}}}"#
        ));
        assert!(control(&served, &request).await.contains("200 OK"));
        let before = fleet.counters("fw1").unwrap().requests;
        let mut stream = client.connect(served.endpoints["fw1"]).await.unwrap();
        assert!(ask(&mut stream, &info).await.is_err(), "{fault}");
        assert_eq!(
            fleet.counters("fw1").unwrap().requests,
            before + counted,
            "{fault}"
        );
    }
    let request = post(r#"{"inject": {"device": "fw1", "fault": "hang"}}"#);
    assert!(control(&served, &request).await.contains("200 OK"));
    let mut stream = client.connect(served.endpoints["fw1"]).await.unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "silence can only be waited for in real time"
    )]
    let silent = tokio::time::timeout(Duration::from_millis(300), ask(&mut stream, &info)).await;
    assert!(silent.is_err(), "{silent:?}");
    served.shutdown().await;
}

#[tokio::test]
async fn the_control_port_tells_the_truth() {
    let (_fleet, served) = started(60.0, TWO).await;
    let clock = control(&served, &get("/clock")).await;
    assert!(
        clock.contains("\"epoch\":\"2026-03-01T22:00:00Z\"") && clock.contains("\"speed\":60.0"),
        "{clock}"
    );
    assert!(!clock.contains("\"origin\":null"));
    let fleet = control(&served, &get("/fleet")).await;
    assert!(fleet.contains("\"name\":\"fw2\",\"model\":\"PA-440\""), "{fleet}");
    let device = control(&served, &get("/devices/fw1")).await;
    assert!(
        device.contains("\"phase\":\"up\"") && device.contains("\"reboots_requested\":0"),
        "{device}"
    );
    assert!(
        control(&served, &get("/devices/fw9"))
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        control(&served, &get("/pairs/p"))
            .await
            .starts_with("HTTP/1.1 404")
    );
    let refused = control(
        &served,
        &post(r#"{"set_ha_state": {"device": "fw1", "state": "active"}}"#),
    )
    .await;
    assert!(
        refused.starts_with("HTTP/1.1 422") && refused.contains("it has no HA"),
        "{refused}"
    );
    assert!(
        control(&served, &post(r#"{"explode": {}}"#))
            .await
            .starts_with("HTTP/1.1 4")
    );
    served.shutdown().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (fleet, served) = started(1.0, TWO).await;
    let options = ServeOptions {
        first_port: taken.local_addr().unwrap().port(),
        ..ServeOptions::default()
    };
    let error = serve(fleet, options).await.unwrap_err();
    assert!(error.to_string().ends_with("for fw1"), "{error}");
    served.shutdown().await;
}
