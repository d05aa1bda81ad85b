//! Over real HTTPS on loopback and a real clock: one hop, and every way in which a device can fail to be the one we trust,
//! as the error that a person sees.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is part of tests, which fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use hopgate::checks;
use hopgate::clock::Clock;
use hopgate::config::campaign::CampaignFile;
use hopgate::config::credentials::{CredentialsRef, SecretSource};
use hopgate::config::inventory::{Inventory, TrustRef};
use hopgate::connect::{Connections, connect};
use hopgate::driver::Checks;
use hopgate::failure::Failure;
use hopgate::fleet::{Ending, Fleet, Setting, enrol};
use hopgate::journal::blobs::Blobs;
use hopgate::journal::memory::MemoryJournal;
use hopgate::journal::{Journal as _, Seq, StreamId};
use hopgate::ledger::Ledger;
use hopgate::planner;
use hopgate::simulate::{Options, Simulation, serve};
use hopgate_playbooks::FactArea;
use hopgate_tests::tempdir;
use panos_simulator::{ControlRequest, FleetSpec, Lasts, NetworkFault};
use tokio::sync::mpsc;

const FLEET: &str = "\
seed: 7
epoch: 2026-03-07T22:00:00Z
credentials: {user: admin, password: correct-horse-7}
devices:
  - {name: fw1, model: PA-VM, version: 10.1.14-h9, content: 8900-9000}
";

const CAMPAIGN: &str = "\
campaign: spring
launcher: olga
target: 10.2.7
window: {opens: 2026-03-07T22:00:00Z, closes: 2026-03-08T10:00:00Z}
inventory: inventory.yaml
waves:
  - {name: all, rest: true}
";

/// Simulated seconds a second: a hop of half an hour takes a quarter of a minute, and a stall of the machine for seconds
/// is still shorter than any deadline.
const SPEED: f64 = 120.0;

/// A served fleet and an engine's state directory.
struct Wire {
    simulation: Simulation,
    inventory: Inventory,
    journal: Arc<MemoryJournal>,
    ledger: Ledger,
    state: tempdir::Dir,
}

impl Wire {
    async fn new() -> Wire {
        let spec = FleetSpec::parse("fleet.yaml", FLEET).unwrap();
        let simulation = serve(spec, &Options::at_speed(SPEED)).await.unwrap();
        let state = tempdir::Dir::new();
        let journal = Arc::new(MemoryJournal::new());
        let blobs = Arc::new(Blobs::open(state.path()).unwrap());
        let mut wire = Wire {
            inventory: simulation.inventory.clone(),
            simulation,
            ledger: Ledger::new(Arc::clone(&journal) as _, blobs),
            journal,
            state,
        };
        wire.password("correct-horse-7");
        wire
    }

    fn password(&mut self, password: &str) {
        let file = self.state.path().join("password");
        std::fs::write(&file, password).unwrap();
        self.inventory.defaults.credentials = Some(CredentialsRef {
            user: Some("admin".to_owned()),
            password_from: Some(SecretSource::File(file)),
            key_from: None,
        });
    }

    fn inject(&self, operation: &str, fault: NetworkFault) {
        let request = ControlRequest::Inject {
            device: "fw1".to_owned(),
            fault,
            lasts: Lasts::default(),
            operation: Some(operation.to_owned()),
            changing_only: false,
        };
        self.simulation.fleet.control(request).unwrap();
    }

    fn connect(&self) -> Connections {
        connect(&self.inventory, Path::new("inventory.yaml"), &self.ledger).unwrap()
    }

    /// Reads the device, as every plan begins; what a person sees where that fails, with what differs from run to run
    /// named instead.
    async fn read(&self) -> Result<Connections, String> {
        let connections = self.connect();
        let wanted: BTreeSet<_> = connections.clients.keys().cloned().collect();
        match planner::read_systems(&connections.clients, &wanted).await {
            Ok(_) => Ok(connections),
            Err(error) => Err(self.named(&Failure::from(error).to_string())),
        }
    }

    fn named(&self, text: &str) -> String {
        let address = &self.inventory.devices[0].address;
        let mut words: Vec<String> = Vec::new();
        let mut fingerprints: BTreeMap<String, usize> = BTreeMap::new();
        for word in text.replace(address.as_str(), "[address]").split(' ') {
            match word.find("SHA256:") {
                Some(at) => {
                    let known = fingerprints.len() + 1;
                    let number = *fingerprints.entry(word[at..at + 102].to_owned()).or_insert(known);
                    words.push(format!(
                        "{}[fingerprint {number}]{}",
                        &word[..at],
                        &word[at + 102..]
                    ));
                }
                None => words.push(word.to_owned()),
            }
        }
        words.join(" ")
    }

    /// The fingerprints that were trusted on first use, as recorded.
    fn pinned(&self) -> Vec<String> {
        let records = self
            .journal
            .read(&StreamId::new("trust").unwrap(), Seq(0))
            .unwrap();
        records
            .iter()
            .map(|record| {
                let event: serde_json::Value = serde_json::from_slice(&record.payload).unwrap();
                event["pinned"]["fingerprint"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    /// Makes the plan, records it and runs it.
    async fn campaign(&self, connections: &Connections) -> Ending {
        let file: CampaignFile = hopgate::config::parse(Path::new("campaign.yaml"), CAMPAIGN).unwrap();
        let shipped = hopgate_tests::shipped();
        let before = checks::load_all(&file.checks.before, Path::new(""), &shipped).unwrap();
        let after = checks::load_all(&file.checks.after, Path::new(""), &shipped).unwrap();
        let clients = &connections.clients;
        let wanted = clients.keys().cloned().collect();
        let systems = planner::read_systems(clients, &wanted).await.unwrap();
        let path = Path::new("campaign.yaml");
        let plan = planner::plan(
            &file,
            path,
            &self.inventory,
            &systems,
            &shipped,
            (&before, &after),
            None,
        )
        .unwrap();
        let clock = Clock::scaled(self.simulation.scale);
        enrol(&self.ledger, clock.now(), &plan).await.unwrap();
        let only = |hashed: Vec<checks::Hashed>| hashed.into_iter().map(|one| one.asked).collect();
        let setting = Setting {
            ledger: self.ledger.clone(),
            clock,
            clients: clients.clone(),
            checks: Arc::new(Checks {
                before: only(before),
                after: only(after),
                catalogue: shipped,
                accepted: plan.accepted.clone(),
            }),
            end_at_gate: true,
        };
        let (news, _heard) = mpsc::unbounded_channel();
        let (_send, mut commands) = mpsc::unbounded_channel();
        let running = Fleet::begin(&plan.campaign, setting, news).unwrap();
        running.run(&mut commands).await.unwrap()
    }
}

#[tokio::test]
async fn a_device_goes_one_hop_over_https_and_its_first_certificate_is_pinned() {
    let wire = Wire::new().await;
    let connections = wire.read().await.unwrap();
    let now = Clock::scaled(wire.simulation.scale).now();
    assert_eq!(connections.record_first_use(&wire.ledger, now).await.unwrap(), 1);
    assert_eq!(wire.pinned().len(), 1);

    let ending = wire.campaign(&connections).await;
    assert_eq!(ending, Ending::Finished);
    let counters = wire.simulation.fleet.counters("fw1").unwrap();
    assert_eq!(counters.reboots_requested, 1);
    assert_eq!(counters.installs_started.values().sum::<u64>(), 1);
    assert_eq!(
        wire.simulation.fleet.state("fw1").unwrap().version.to_string(),
        "10.2.7"
    );

    // Another process reads the pin; the same certificate is nothing new, another one is refused before the password leaves.
    wire.read().await.unwrap();
    let again = wire.connect();
    assert_eq!(again.record_first_use(&wire.ledger, now).await.unwrap(), 0);
    let logins = wire.simulation.fleet.counters("fw1").unwrap().logins;
    change_certificate(&wire);
    insta::assert_snapshot!(wire.read().await.err().unwrap(), @"
    error[D006]: 1 of 1 devices cannot be read: log in on fw1: the certificate is not trusted, nothing was sent: expected [fingerprint 1], found [fingerprint 2]
      hint: renew a certificate that expired; find out why another one is shown, and if it is right, pin its fingerprint in the inventory (trust: {fingerprint: ...})
    ");
    assert_eq!(wire.simulation.fleet.counters("fw1").unwrap().logins, logins);
}

fn change_certificate(wire: &Wire) {
    let request = ControlRequest::ChangeCertificate {
        device: "fw1".to_owned(),
    };
    wire.simulation.fleet.control(request).unwrap();
}

#[tokio::test]
async fn a_fingerprint_in_the_inventory_is_the_only_one_that_is_trusted() {
    let mut wire = Wire::new().await;
    let connections = wire.read().await.unwrap();
    let now = Clock::scaled(wire.simulation.scale).now();
    connections.record_first_use(&wire.ledger, now).await.unwrap();
    let fingerprint = wire.pinned().remove(0);
    wire.inventory.devices[0].trust = Some(TrustRef::Fingerprint(fingerprint));
    wire.read().await.unwrap();
    change_certificate(&wire);
    insta::assert_snapshot!(wire.read().await.err().unwrap(), @"
    error[D006]: 1 of 1 devices cannot be read: log in on fw1: the certificate is not trusted, nothing was sent: expected [fingerprint 1], found [fingerprint 2]
      hint: renew a certificate that expired; find out why another one is shown, and if it is right, pin its fingerprint in the inventory (trust: {fingerprint: ...})
    ");
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let mut wire = Wire::new().await;
    wire.password("wrong-horse-8");
    let told = wire.read().await.err().unwrap();
    insta::assert_snapshot!(told, @"
    error[D005]: 1 of 1 devices cannot be read: log in on fw1: the login or key was not accepted: Invalid Credential
      hint: check user and password; too many tries can lock the account
    ");
    assert_eq!(wire.simulation.fleet.counters("fw1").unwrap().logins, 1);
    assert!(!told.contains("wrong-horse-8"));
}

#[tokio::test]
async fn replies_that_are_none_say_what_came_instead() {
    let wire = Wire::new().await;
    wire.inject("system-info", NetworkFault::Html);
    insta::assert_snapshot!(wire.read().await.err().unwrap(), @"
    error[D004]: 1 of 1 devices cannot be read: read system information on fw1: the reply is not a PAN-OS reply: an HTML page: <!DOCTYPE html><html><head><title>Login</title></head><body><h1>Login</h1>Please …
      hint: is this the management address of a firewall, and not of a proxy or a login page?
    ");
    wire.inject("system-info", NetworkFault::Truncate);
    insta::assert_snapshot!(wire.read().await.err().unwrap(), @"
    error[D003]: 1 of 1 devices cannot be read: read system information on fw1: the connection broke before the reply was complete: the connection was closed in the middle
      hint: the device may be booting, or something in between cuts connections; try again
    ");
    wire.inject("system-info", NetworkFault::Reset);
    let told = wire.read().await.err().unwrap();
    assert!(told.starts_with("error[D003]"), "{told}");
    // A key in a reply that was cut short is not shown.
    wire.inject("keygen", NetworkFault::Truncate);
    let told = wire.read().await.err().unwrap();
    assert!(
        told.starts_with("error[D003]") && !told.contains("<key>"),
        "{told}"
    );
    wire.read().await.unwrap();
}

#[tokio::test]
async fn nobody_at_the_address_and_an_address_that_is_none() {
    let mut wire = Wire::new().await;
    // Bound and closed again: nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    wire.inventory.devices[0].address = closed.to_string();
    insta::assert_snapshot!(wire.read().await.err().unwrap(), @"
    error[D001]: 1 of 1 devices cannot be read: log in on fw1: no connection, nothing was sent: Connection refused (os error 111)
      hint: check the address, the route and the device's management profile
    ");
    wire.inventory.devices[0].address = "no-such-host.invalid".to_owned();
    let told = wire.read().await.err().unwrap();
    assert!(
        told.starts_with("error[D001]: 1 of 1 devices cannot be read: "),
        "{told}"
    );
    assert!(told.contains("nothing was sent"), "{told}");
    wire.inventory.devices[0].address = "not an address".to_owned();
    let error = connect(&wire.inventory, Path::new("inventory.yaml"), &wire.ledger)
        .err()
        .unwrap();
    insta::assert_snapshot!(Failure::from(error), @r#"
    error[C003]: failed to set up the connection to fw1
      because: "not an address:443" is not an address: write host:port, an IPv6 address in brackets
      hint: addresses are host or host:port
    "#);
}

/// Everything that hopgate reads, asked of the simulator over HTTPS.
#[tokio::test]
async fn every_fact_is_read_or_its_command_is_not_known() {
    let wire = Wire::new().await;
    let connections = wire.read().await.unwrap();
    let client = connections.clients.values().next().unwrap();
    // Backups are told by hopgate's own records.
    let of_device = |area: &FactArea| *area != FactArea::Backup;
    let all: BTreeSet<FactArea> = FactArea::ALL.into_iter().filter(of_device).collect();
    let now = Clock::scaled(wire.simulation.scale).now();
    let facts = client.facts(&all, now).await;
    // Whatever is answered is understood: an area is unknown only where the device does not know the command, or says
    // that there is nothing to read.
    let misread: Vec<String> = all
        .iter()
        .filter_map(|area| Some((area, facts.unknown(*area)?)))
        .filter(|(_, why)| !why.contains("(code 17)") && !why.ends_with("routing engine is off"))
        .map(|(area, why)| format!("{area}: {why}"))
        .collect();
    assert!(misread.is_empty(), "{}", misread.join("\n"));
    for area in READ_FOR_EVERY_HOP {
        assert_eq!(facts.unknown(area), None, "{area}");
    }
    assert_eq!(facts.sources.len(), all.len());
}

/// What no simulated device may leave unanswered.
const READ_FOR_EVERY_HOP: [FactArea; 11] = [
    FactArea::System,
    FactArea::Software,
    FactArea::Jobs,
    FactArea::Ha,
    FactArea::Disks,
    FactArea::Partitions,
    FactArea::PendingChanges,
    FactArea::Optics,
    FactArea::Locks,
    FactArea::Certificates,
    FactArea::ManagementCertificate,
];

/// What the handshake shows is what is pinned; where another one is accepted, it is the one that is told.
#[tokio::test]
async fn the_certificate_that_is_told_is_the_newest_that_the_device_showed() {
    let mut wire = Wire::new().await;
    let areas = BTreeSet::from([FactArea::ManagementCertificate]);
    let now = Clock::scaled(wire.simulation.scale).now();
    let connections = wire.connect();
    let client = connections.clients.values().next().unwrap();
    let facts = client.facts(&areas, now).await;
    let shown = facts.management_certificate.known().unwrap();
    connections.record_first_use(&wire.ledger, now).await.unwrap();
    assert_eq!(wire.pinned(), [&*shown.fingerprint]);
    assert_eq!(shown.subject.as_deref(), Some("/CN=fw1"));
    assert_eq!((shown.self_signed, shown.expired), (Some(true), Some(false)));

    wire.inventory.devices[0].trust = Some(TrustRef::None);
    let connections = wire.connect();
    let client = connections.clients.values().next().unwrap();
    assert_eq!(
        client.facts(&areas, now).await.management_certificate,
        facts.management_certificate
    );
    change_certificate(&wire);
    client.rest();
    let renewed = client.facts(&areas, now).await;
    let renewed = renewed.management_certificate.known().unwrap();
    assert_ne!(renewed.fingerprint, shown.fingerprint);
}

/// Somebody else's service on the port: not TLS at all.
#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_not_sent_anything() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let mut wire = Wire::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    wire.inventory.devices[0].address = listener.local_addr().unwrap().to_string();
    let other = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut first = [0; 2048];
        let read = stream.read(&mut first).await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        first[..read].to_vec()
    });
    let told = wire.read().await.err().unwrap();
    insta::assert_snapshot!(told, @"
    error[D001]: 1 of 1 devices cannot be read: log in on fw1: no connection, nothing was sent: whatever answers at this port does not speak TLS
      hint: check the address, the route and the device's management profile
    ");
    let sent = other.await.unwrap();
    assert_eq!(sent[0], 22, "a TLS handshake and nothing else");
}
