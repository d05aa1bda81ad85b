//! What goes wrong on the way, as a client with nothing but a socket sees it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use panos_simulator::{ControlRequest, Cut, Fleet, Lasts, NetworkFault, Served, Whom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::https::{Client, INFO, ask, ask_as, login, started};

const RESTART: &str = "type=op&cmd=<request><restart><system/></restart></request>";

/// Long enough for whatever is going to come; silence lasts longer.
const PATIENCE: Duration = Duration::from_millis(2500);

#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap()
}

/// Sends one request over a new connection and says what became of it.
async fn met(client: &Client, address: SocketAddr, body: &str) -> String {
    let began = now();
    let connected = match within(PATIENCE, client.connect(address)).await {
        None => return "silence before TLS".to_owned(),
        Some(connected) => connected,
    };
    let mut stream = match connected {
        Ok(stream) => stream,
        Err(error) => return format!("{:?} before TLS", error.kind()),
    };
    let head = format!(
        "POST /api/ HTTP/1.1\r\nHost: fw\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut received, mut pieces) = (Vec::with_capacity(16 * 1024), 0);
    let ended = within(PATIENCE, async {
        loop {
            match stream.read_buf(&mut received).await {
                Ok(0) => return None,
                Ok(_) => pieces += 1,
                Err(error) => return Some(error.kind()),
            }
        }
    })
    .await;
    let text = String::from_utf8_lossy(&received);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("HTTP/1.1 ");
    let xml = body.ends_with("</response>") || body.ends_with("</html>");
    let slow = if now() - began >= Duration::from_millis(600) {
        ", slowly"
    } else {
        ""
    };
    match ended {
        None => "silence".to_owned(),
        // Whether the part that came is still there after a reset is up to the kernel.
        Some(Some(ErrorKind::ConnectionReset)) => "reset".to_owned(),
        Some(Some(ErrorKind::UnexpectedEof)) => {
            format!("{status}, ends within the body ({} bytes)", body.len())
        }
        Some(Some(other)) => format!("{other:?}"),
        Some(None) if xml && pieces > 5 => format!("{status}, in pieces{slow}"),
        Some(None) if xml => format!("{status}{slow}"),
        Some(None) => format!("{status}, the XML ends early"),
    }
}

fn fleet_of(faults: usize) -> String {
    let devices = (0..faults).map(|index| {
        format!("  - {{name: fw{index}, model: PA-850, version: 10.1.14, content: 8700-7000, labels: {{site: s{index}}}}}\n")
    });
    format!("devices:\n{}", devices.collect::<String>())
}

async fn key(client: &Client, served: &Served, device: &str) -> String {
    let mut stream = client.connect(served.endpoints[device]).await.unwrap();
    login(&mut stream).await
}

fn inject(fleet: &Fleet, device: &str, fault: NetworkFault, operation: Option<&str>) {
    let request = ControlRequest::Inject {
        device: device.to_owned(),
        fault,
        lasts: Lasts::Requests(1),
        operation: operation.map(str::to_owned),
        changing_only: false,
    };
    fleet.control(request).unwrap();
}

#[tokio::test]
async fn each_fault_on_the_way_is_seen_at_the_socket() {
    let faults = [
        NetworkFault::Refuse,
        NetworkFault::ResetBeforeTls,
        NetworkFault::Reset,
        NetworkFault::Hang,
        NetworkFault::Html,
        NetworkFault::ErrorPage,
        NetworkFault::Truncate,
        NetworkFault::ResetMidReply,
        NetworkFault::TruncatedXml,
        NetworkFault::LoseReply,
        NetworkFault::SwallowReply,
        NetworkFault::Latency { milliseconds: 700 },
        NetworkFault::Drip {
            bytes_per_second: 100.try_into().unwrap(),
        },
    ];
    let (fleet, served) = started(1.0, &fleet_of(faults.len())).await;
    let client = Client::new();
    let mut waiting = tokio::task::JoinSet::new();
    for (index, fault) in faults.into_iter().enumerate() {
        let device = format!("fw{index}");
        let key = key(&client, &served, &device).await;
        inject(&fleet, &device, fault, None);
        let (client, fleet, address) = (Client::new(), fleet.clone(), served.endpoints[&device]);
        waiting.spawn(async move {
            let first = met(&client, address, &format!("{RESTART}&key={key}")).await;
            let restarts = fleet.counters(&device).unwrap().reboots_requested;
            let then = met(&client, address, &format!("{INFO}&key={key}")).await;
            let name = serde_json::to_string(&fault).unwrap();
            (
                index,
                format!("{name}: {first}; restarts {restarts}; then {then}"),
            )
        });
    }
    let mut log = waiting.join_all().await;
    log.sort();
    let log: Vec<String> = log.into_iter().map(|(_, line)| line).collect();
    insta::assert_snapshot!(log.join("\n"), @r#"
    "refuse": ConnectionReset before TLS; restarts 0; then 200 OK
    "reset_before_tls": ConnectionReset before TLS; restarts 0; then 200 OK
    "reset": reset; restarts 0; then 200 OK
    "hang": silence; restarts 0; then 200 OK
    "html": 200 OK; restarts 0; then 200 OK
    "error_page": 502 Bad Gateway; restarts 0; then 200 OK
    "truncate": 200 OK, ends within the body (43 bytes); restarts 1; then 200 OK
    "reset_mid_reply": reset; restarts 1; then 200 OK
    "truncated_xml": 200 OK, the XML ends early; restarts 1; then 200 OK
    "lose_reply": reset; restarts 1; then 200 OK
    "swallow_reply": silence; restarts 1; then 200 OK
    {"latency":{"milliseconds":700}}: 200 OK, slowly; restarts 1; then 200 OK
    {"drip":{"bytes_per_second":100}}: 200 OK, in pieces, slowly; restarts 1; then 200 OK
    "#);
    served.shutdown().await;
}

#[tokio::test]
async fn a_fault_for_one_operation_leaves_the_connection_alone() {
    let (fleet, served) = started(1.0, &fleet_of(1)).await;
    let client = Client::new();
    let mut stream = client.connect(served.endpoints["fw0"]).await.unwrap();
    let key = login(&mut stream).await;
    inject(&fleet, "fw0", NetworkFault::Refuse, Some("restart"));
    ask(&mut stream, &format!("{INFO}&key={key}")).await.unwrap();
    assert!(ask(&mut stream, &format!("{RESTART}&key={key}")).await.is_err());
    assert_eq!(fleet.counters("fw0").unwrap().reboots_requested, 0);
    served.shutdown().await;
}

#[tokio::test]
async fn an_upload_may_be_large_and_nothing_else() {
    let (_fleet, served) = started(1.0, &fleet_of(1)).await;
    let client = Client::new();
    let mut stream = client.connect(served.endpoints["fw0"]).await.unwrap();
    let key = login(&mut stream).await;
    let path = format!("/api/?type=import&category=software&key={key}");
    let image = "x".repeat(3 << 20);
    let form = format!(
        "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"PanOS_800-10.2.4\"\r\n\r\n\
         {image}\r\n--frontier--\r\n"
    );
    let kind = "multipart/form-data; boundary=frontier";
    let saved = ask_as(&mut stream, &path, kind, &form).await.unwrap();
    assert!(saved.contains("PanOS_800-10.2.4 saved"), "{saved}");
    let refused = ask(&mut stream, &format!("{INFO}&key={key}&padding={image}")).await;
    assert!(refused.is_err(), "{refused:?}");
    served.shutdown().await;
}

#[tokio::test]
async fn a_cut_network_is_silent_or_refuses_and_heals() {
    let (fleet, served) = started(1.0, &fleet_of(2)).await;
    let client = Client::new();
    let (own, other) = (
        key(&client, &served, "fw0").await,
        key(&client, &served, "fw1").await,
    );
    let (here, there) = (served.endpoints["fw0"], served.endpoints["fw1"]);
    let info = |key: &str| format!("{INFO}&key={key}");
    let mut open = client.connect(here).await.unwrap();
    let mut log = Vec::new();
    for how in [Cut::Silence, Cut::Refuse] {
        let whom = Whom::Label("site=s0".to_owned());
        let cut = ControlRequest::CutNetwork {
            whom: whom.clone(),
            how,
            seconds: None,
        };
        assert_eq!(fleet.control(cut).unwrap().devices, ["fw0"]);
        assert!(!fleet.reachable("fw0") && fleet.reachable("fw1"));
        log.push(format!(
            "{how:?}: a new connection meets {}",
            met(&client, here, &info(&own)).await
        ));
        let asked = within(PATIENCE, ask(&mut open, &info(&own))).await;
        let asked = asked.map(|asked| asked.map(|_| "a reply").unwrap_or("a reset"));
        log.push(format!(
            "{how:?}: an open one meets {}",
            asked.unwrap_or("silence")
        ));
        log.push(format!(
            "{how:?}: another site answers {}",
            met(&client, there, &info(&other)).await
        ));
        fleet.control(ControlRequest::HealNetwork { whom }).unwrap();
        log.push(format!(
            "{how:?}: healed, {}",
            met(&client, here, &info(&own)).await
        ));
        open = client.connect(here).await.unwrap();
    }
    assert_eq!(
        fleet.counters("fw0").unwrap().requests,
        3,
        "the key, and one after each cut"
    );
    insta::assert_snapshot!(log.join("\n"), @r#"
    Silence: a new connection meets silence before TLS
    Silence: an open one meets silence
    Silence: another site answers 200 OK
    Silence: healed, 200 OK
    Refuse: a new connection meets ConnectionReset before TLS
    Refuse: an open one meets a reset
    Refuse: another site answers 200 OK
    Refuse: healed, 200 OK
    "#);
    served.shutdown().await;
}

#[tokio::test]
async fn devices_with_addresses_of_their_own_share_a_port_and_report_them() {
    let spec = format!(
        "epoch: 2026-03-01T22:00:00Z\ncredentials: {{user: admin, password: secret-word}}\n{}",
        fleet_of(3)
    );
    let mut spec = panos_simulator::FleetSpec::parse("fleet.yaml", &spec).unwrap();
    spec.devices[2].address = Some("10.0.0.1".parse().unwrap());
    let free = std::net::TcpListener::bind("127.77.4.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let options = panos_simulator::ServeOptions {
        first_port: port,
        own_addresses: true,
        ..Default::default()
    };
    let clock = || panos_simulator::SimClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 1.0);
    let fleet = Fleet::new(spec.clone(), clock()).unwrap();
    let refused = panos_simulator::serve(fleet, options.clone()).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with(": only loopback addresses are served"),
        "{refused}"
    );
    spec.give_addresses("127.77.4.0/28".parse().unwrap()).unwrap();
    let fleet = Fleet::new(spec, clock()).unwrap();
    let served = panos_simulator::serve(fleet, options).await.unwrap();
    assert_ne!(served.control.unwrap().port(), 0);
    let client = Client::new();
    for (index, device) in ["fw0", "fw1", "fw2"].into_iter().enumerate() {
        let expected = format!("127.77.4.{}", index + 1);
        assert_eq!(served.endpoints[device].to_string(), format!("{expected}:{port}"));
        let mut stream = client.connect(served.endpoints[device]).await.unwrap();
        let key = login(&mut stream).await;
        let info = ask(&mut stream, &format!("{INFO}&key={key}")).await.unwrap();
        assert!(
            info.contains(&format!("<ip-address>{expected}</ip-address>")),
            "{info}"
        );
    }
    served.shutdown().await;
}
