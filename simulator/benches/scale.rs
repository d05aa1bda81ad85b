//! What a large fleet costs: bytes a device at rest, the time to start, and requests a second over TLS.
//!
//! `cargo bench -p panos-simulator` prints one line a number. Memory and processor time are read from `/proc`; where there is
//! none, those lines are left out. On a machine that does other things as well, the processor time of a request says more
//! than the rate. Criterion's statistics are for the two request rates.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first thing that is not as expected, and prints"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use panos_simulator::{Fleet, FleetSpec, ServeOptions, Served, SimClock, serve};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, HandshakeKind, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::client::TlsStream;

const DEVICES: usize = 10_000;

/// Devices that are asked, each over one connection at a time.
const ASKED: usize = 128;

/// Requests of one measured round.
const ROUND: usize = 4096;

/// A management plane's forty milliseconds are two thirds of one.
const SPEED: f64 = 60.0;

/// Memory of this process in kilobytes.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Processor time of this process, all threads; a kernel's tick is a hundredth of a second wherever Linux runs.
fn worked() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; user and system time are the 14th and 15th fields.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap()
}

/// Starts the fleet, and prints what that took.
fn started(runtime: &Runtime) -> (Arc<Fleet>, Served) {
    let began = now();
    let spec = FleetSpec::generate(DEVICES, 7).unwrap();
    println!("an estate of {DEVICES} devices is made up in {:?}", now() - began);
    let (before, began) = (resident(), now());
    let clock = runtime.block_on(async { SimClock::new(spec.epoch, SPEED) });
    let fleet = Fleet::new(spec, clock).unwrap();
    let built = resident();
    let options = ServeOptions {
        // Of its own, so that no other program is in the way.
        address: [127, 99, 0, 1].into(),
        first_port: 20_000,
        ..ServeOptions::default()
    };
    let served = runtime.block_on(serve(fleet.clone(), options)).unwrap();
    println!("{DEVICES} devices are served after {:?}", now() - began);
    if let (Some(before), Some(built), Some(after)) = (before, built, resident()) {
        let each = |from: usize, to: usize| to.saturating_sub(from) * 1024 / DEVICES;
        println!(
            "a device at rest takes {} bytes: {} of state, {} of its port",
            each(before, after),
            each(before, built),
            each(built, after)
        );
    }
    (fleet, served)
}

/// Takes any certificate: what is measured is the other side.
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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A client of one device.
struct Client {
    address: SocketAddr,
    config: Arc<rustls::ClientConfig>,
    key: String,
    open: Option<TlsStream<TcpStream>>,
}

impl Client {
    async fn new(address: SocketAddr) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        let mut client = Self {
            address,
            config: Arc::new(config),
            key: String::new(),
            open: None,
        };
        let reply = client.ask("type=keygen&user=admin&password=admin", false).await;
        let (_, key) = reply.split_once("<key>").unwrap();
        client.key = key.split_once("</key>").unwrap().0.to_owned();
        client
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connector = tokio_rustls::TlsConnector::from(self.config.clone());
        connector.connect(name, stream).await.unwrap()
    }

    async fn ask(&mut self, body: &str, close: bool) -> String {
        let mut stream = match self.open.take() {
            Some(stream) => stream,
            None => self.connect().await,
        };
        let connection = if close { "close" } else { "keep-alive" };
        let request = format!(
            "POST /api/ HTTP/1.1\r\nHost: fw\r\nConnection: {connection}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::with_capacity(4096);
        while !received.ends_with(b"</response>") {
            assert!(stream.read_buf(&mut received).await.unwrap() > 0);
        }
        if close {
            let mut rest = [0; 64];
            while stream.read(&mut rest).await.unwrap_or(0) > 0 {}
        } else {
            self.open = Some(stream);
        }
        String::from_utf8(received).unwrap()
    }

    async fn info(&mut self, close: bool) {
        let body = format!(
            "type=op&cmd=<show><system><info/></system></show>&key={}",
            self.key
        );
        let reply = self.ask(&body, close).await;
        assert!(reply.contains("status=\"success\""), "{reply}");
    }
}

/// A round of requests over all clients at once; how long it took.
async fn round(clients: &mut Vec<Client>, close: bool) -> Duration {
    let began = now();
    let mut asking = tokio::task::JoinSet::new();
    for mut client in clients.drain(..) {
        asking.spawn(async move {
            if close {
                client.open = None;
            }
            for _ in 0..ROUND / ASKED {
                client.info(close).await;
            }
            client
        });
    }
    clients.extend(asking.join_all().await);
    now() - began
}

fn scale(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (_fleet, served) = started(&runtime);
    let step = DEVICES / ASKED;
    let addresses: Vec<SocketAddr> = served
        .endpoints
        .values()
        .copied()
        .step_by(step)
        .take(ASKED)
        .collect();
    let mut clients = runtime.block_on(async {
        let mut clients = Vec::new();
        for address in addresses {
            clients.push(Client::new(address).await);
        }
        clients
    });
    let kind = runtime.block_on(async {
        clients[0].info(true).await;
        clients[0].connect().await.get_ref().1.handshake_kind()
    });
    assert_eq!(kind, Some(HandshakeKind::Resumed));
    for (name, close) in [("keep-alive", false), ("connection a request, resumed", true)] {
        let before = worked();
        let took = runtime.block_on(round(&mut clients, close));
        let rate = ROUND as f64 / took.as_secs_f64();
        println!("{name}: {rate:.0} requests a second over TLS, client and fleet on two threads");
        if let (Some(before), Some(after)) = (before, worked()) {
            let each = (after - before).as_secs_f64() / ROUND as f64;
            println!(
                "{name}: {:.0} microseconds of processor a request, client and fleet together: {:.0} a second on two idle cores",
                each * 1e6,
                2.0 / each
            );
        }
        let mut group = criterion.benchmark_group("requests over TLS");
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(5))
            .throughput(Throughput::Elements(ROUND as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                (0..rounds)
                    .map(|_| runtime.block_on(round(&mut clients, close)))
                    .sum()
            });
        });
        group.finish();
    }
    drop(clients);
    runtime.block_on(served.shutdown());
}

criterion_group!(benches, scale);
criterion_main!(benches);
