//! What an audit of an estate costs: the shipped binary asks 1,000 simulated firewalls over HTTPS on loopback, the simulator
//! in a process of its own on the same cores; first every readiness check of the vendor's tool, which a promise is made for,
//! then everything of ours beside them. Then where the processor time goes, and the ratio to the naive way: a device after
//! the other, and every playbook with connections and commands of its own.
//! `cargo bench -p hopgate --bench audit`; `-- --test` with a handful of devices.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has nothing to report"
)]
#![expect(clippy::print_stdout, reason = "a benchmark reports to whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use hopgate::asking::{Patience, gather};
use hopgate::config::inventory::{Entry, Inventory};
use hopgate_panos::{
    Client, Credentials, HttpsLimits, HttpsTransport, Secret, Transport, TransportError, TransportErrorKind,
    Trust,
};
use hopgate_playbooks::{FactArea, Facts, Playbook, Variables};
use jiff::Timestamp;

/// As in the binary: the parts shall be parts of the same whole.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const BINARY: &str = env!("CARGO_BIN_EXE_hopgate");
const PASSWORD: &str = "admin";

/// Every check that says whether a firewall is ready.
const PLAYBOOKS: [&str; 7] = [
    "readiness",
    "health",
    "licences",
    "certificates",
    "ha",
    "network",
    "software",
];

/// Those of the vendor's pan-os-upgrade-assurance: 21, and 2 of certificates (`docs/playbooks.md` has them side by side).
const VENDORS: [&str; 25] = [
    "panorama",
    "ha",
    "ha-config-sync",
    "ntp-sync",
    "no-pending-changes",
    "full-commit-required",
    "expired-licenses",
    "active-support",
    "content-version",
    "session-exist",
    "arp-entry-exist",
    "ip-sec-tunnel-status",
    "image-store-room",
    "planes-clock-sync",
    "certificates-requirements",
    "dynamic-updates",
    "no-running-jobs",
    "global-jumbo-frame",
    "environmentals",
    "dp-cpu-utilization",
    "mp-cpu-utilization",
    "mp-mem-utilization",
    "no-locks",
    "device-root-certificate-issue",
    "cdss-and-panorama-certificate-issue",
];

/// What is promised for the vendor's checks.
const DEVICES_A_SECOND: f64 = 150.0;
const CPU_A_DEVICE: Duration = Duration::from_millis(5);
const PEAK_MB: f64 = 150.0;

fn main() {
    let only_try = std::env::args().any(|argument| argument == "--test");
    let (devices, sampled) = if only_try { (12, 4) } else { (1_000, 40) };
    let estate = Estate::serve(devices);
    let vendors = estate.audit(&estate.vendors());
    println!("audit of {devices} devices, the vendor's readiness checks");
    vendors.print(devices);
    println!(
        "  promised: {DEVICES_A_SECOND} devices/s, {} ms, {PEAK_MB} MB",
        CPU_A_DEVICE.as_millis()
    );
    let audit = estate.audit(&PLAYBOOKS.map(str::to_owned));
    println!("audit of {devices} devices, {} whole playbooks", PLAYBOOKS.len());
    audit.print(devices);
    let parts = estate.parts(sampled);
    let whole = millis(audit.worked) / devices as f64;
    println!("where the time of a device goes, in ms (sampled over {sampled} devices)");
    println!(
        "  {:>7.2} TLS handshakes, one whole and one that resumes its session",
        parts.tls
    );
    println!("  {:>7.2} HTTP, {} requests", parts.http, parts.requests);
    println!("  {:>7.2} XML into facts, {} kB", parts.xml, parts.bytes / 1_000);
    println!("  {:>7.2} CEL, {} findings", parts.cel, parts.findings);
    println!(
        "  {:>7.2} the rest: start, tasks, journal, report",
        whole - parts.tls - parts.http - parts.xml - parts.cel
    );
    let naive = estate.naive(sampled.min(8));
    println!(
        "ratio to the naive way: {:.1} x the devices a second, {:.1} x less processor time ({:.1} ms a device there)",
        devices as f64 / audit.took.as_secs_f64() / naive.a_second,
        naive.cpu_ms / whole,
        naive.cpu_ms,
    );
}

struct Estate {
    simulator: Child,
    directory: PathBuf,
    inventory: Inventory,
}

struct Whole {
    took: Duration,
    worked: Duration,
    peak_mb: f64,
}

impl Whole {
    fn print(&self, devices: usize) {
        let devices = devices as f64;
        println!("  {:>7.0} devices/s", devices / self.took.as_secs_f64());
        println!(
            "  {:>7.2} ms of its own processor time a device",
            millis(self.worked) / devices
        );
        println!("  {:>7.0} MB at its peak", self.peak_mb);
    }
}

/// Milliseconds of processor time of one device, and what was done in them.
struct Parts {
    tls: f64,
    http: f64,
    xml: f64,
    cel: f64,
    requests: usize,
    bytes: usize,
    findings: usize,
}

struct Naive {
    a_second: f64,
    cpu_ms: f64,
}

impl Estate {
    fn serve(devices: usize) -> Estate {
        let directory = std::env::temp_dir().join(format!("hopgate-bench-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut simulator = Command::new(BINARY)
            .args(["simulate", "--generate", &devices.to_string(), "--port", "0"])
            .args(["--write-inventory", "inventory.yaml"])
            .current_dir(&directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(simulator.stdout.take().unwrap()).lines();
        // The control port is told last.
        while !said.next().unwrap().unwrap().starts_with("control port") {}
        std::thread::spawn(move || said.for_each(drop));
        let path = directory.join("inventory.yaml");
        while !path.exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(200));
        Estate {
            inventory: Inventory::load(&path).unwrap(),
            simulator,
            directory,
        }
    }

    /// Playbooks that hold the vendor's checks only, as files.
    fn vendors(&self) -> Vec<String> {
        let mut found = 0;
        let mut files = Vec::new();
        for name in PLAYBOOKS {
            let text = Playbook::builtin_text(name).unwrap();
            let mut playbook: serde_json::Value = serde_saphyr::from_str(text).unwrap();
            let checks = playbook["checks"].as_array_mut().unwrap();
            checks.retain(|check| VENDORS.contains(&check["id"].as_str().unwrap()));
            found += checks.len();
            if !checks.is_empty() {
                let file = format!("vendors-{name}.yaml");
                playbook["playbook"] = format!("vendors-{name}").into();
                std::fs::write(self.directory.join(&file), playbook.to_string()).unwrap();
                files.push(file);
            }
        }
        assert_eq!(found, VENDORS.len(), "a check has another name now");
        files
    }

    /// The shipped binary, as an operator runs it.
    fn audit(&self, playbooks: &[String]) -> Whole {
        let (began, before) = (Instant::now(), worked(Whose::Children));
        let mut asked = vec!["audit"];
        for playbook in playbooks {
            asked.extend(["--playbook", playbook]);
        }
        let mut audit = Command::new(BINARY)
            .args(asked)
            .current_dir(&self.directory)
            .env("HOPGATE_SIMULATED_PASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut peak = 0;
        let status = loop {
            peak = peak.max(high_water(audit.id()));
            match audit.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        // 3: some of the estate needs a person, as an estate does.
        assert!(matches!(status.code(), Some(0 | 3)), "{status}");
        Whole {
            took: began.elapsed(),
            worked: worked(Whose::Children).saturating_sub(before),
            peak_mb: peak as f64 / 1_000.0,
        }
    }

    fn entries(&self, count: usize) -> Vec<&Entry> {
        let step = (self.inventory.devices.len() / count).max(1);
        self.inventory.devices.iter().step_by(step).take(count).collect()
    }

    fn parts(&self, count: usize) -> Parts {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let playbooks = playbooks();
        let areas: BTreeSet<FactArea> = playbooks.iter().flat_map(Playbook::needs).collect();
        let patience = Patience::of(Duration::from_secs(600));
        // Side by side, as in an audit: a device that is asked alone is mostly waited for, and each wake costs.
        let read = |clients: Vec<Client>| {
            let each = clients.iter();
            let each =
                each.map(|client| gather(client, &playbooks, &areas, Timestamp::UNIX_EPOCH, &patience));
            runtime.block_on(join_all(each))
        };
        let entries = self.entries(count);
        let recorded: Vec<Arc<Recorded>> = entries
            .iter()
            .map(|entry| Arc::new(Recorded::of(entry)))
            .collect();
        let before = worked(Whose::Own);
        let sampled = recorded.iter().map(|one| client("sampled", Arc::clone(one) as _));
        let facts = read(sampled.map(pausing).collect());
        let over_https = worked(Whose::Own).saturating_sub(before);
        let replayed: Vec<Arc<Replayed>> = recorded.iter().map(|one| Arc::new(one.replay())).collect();
        let xml = each(count, || {
            let clients = replayed
                .iter()
                .map(|one| client("replayed", Arc::clone(one) as _));
            let _ = read(clients.collect());
        });
        let mut findings = 0;
        let cel = each(count, || {
            findings = facts.iter().map(|facts| judged(&playbooks, facts)).sum();
        });
        let tls = millis(runtime.block_on(handshakes(entries[0])));
        Parts {
            tls,
            http: millis(over_https) / count as f64 - xml - tls,
            xml,
            cel,
            requests: replayed.iter().map(|one| one.replies.len()).sum::<usize>() / count,
            bytes: replayed.iter().map(|one| one.bytes()).sum::<usize>() / count,
            findings: findings / count,
        }
    }

    /// As a script would: a device after the other, and every playbook with connections and commands of its own.
    fn naive(&self, count: usize) -> Naive {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let playbooks = playbooks();
        let (began, before) = (Instant::now(), worked(Whose::Own));
        for entry in self.entries(count) {
            for playbook in &playbooks {
                let client = pausing(client(entry.name.as_str(), Arc::new(https(entry))));
                let facts = runtime.block_on(async {
                    let (areas, patience) = (playbook.needs(), Patience::of(Duration::from_secs(600)));
                    gather(&client, [playbook], &areas, Timestamp::UNIX_EPOCH, &patience).await
                });
                let _ = playbook.evaluate(&facts, None);
            }
        }
        Naive {
            a_second: count as f64 / began.elapsed().as_secs_f64(),
            cpu_ms: millis(worked(Whose::Own).saturating_sub(before)) / count as f64,
        }
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        let _ = self.simulator.kill();
        let _ = self.simulator.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn playbooks() -> Vec<Playbook> {
    PLAYBOOKS
        .map(|name| Playbook::builtin(name).unwrap().unwrap())
        .into()
}

fn judged(playbooks: &[Playbook], facts: &Facts) -> usize {
    let variables = Variables::of(facts);
    playbooks
        .iter()
        .map(|playbook| playbook.evaluate_over(&variables, None).len())
        .sum()
}

fn https(entry: &Entry) -> HttpsTransport {
    HttpsTransport::new(&entry.address, Trust::TrustOnFirstUse, HttpsLimits::default()).unwrap()
}

fn client(device: &str, transport: Arc<dyn Transport>) -> Client {
    let credentials = Credentials::Login {
        user: "admin".to_owned(),
        password: Secret::new(PASSWORD),
    };
    Client::new(device.to_owned(), transport, credentials)
}

/// A client that waits for a query of the log, as one of a real device has to.
fn pausing(client: Client) -> Client {
    client.pausing_by(|span| Box::pin(hopgate::clock::pause(span)))
}

/// What the two connections of a visit cost beside their requests: the first shows a certificate, the second, which is made
/// for the call beside the first one's next, resumes its session.
async fn handshakes(entry: &Entry) -> Duration {
    const ROUNDS: u32 = 200;
    let client = client("handshakes", Arc::new(https(entry)));
    client.login().await.unwrap();
    let mut measured = [Duration::ZERO; 2];
    for (two, place) in [true, false].into_iter().zip(&mut measured) {
        let before = worked(Whose::Own);
        for _ in 0..ROUNDS {
            if two {
                client.rest();
            }
            let asked = || async { client.system_info().await.unwrap() };
            asked().await;
            if two {
                tokio::join!(asked(), asked());
            } else {
                asked().await;
                asked().await;
            }
        }
        *place = worked(Whose::Own).saturating_sub(before);
    }
    measured[0].saturating_sub(measured[1]) / ROUNDS
}

/// Processor time of a device, in milliseconds, over enough rounds for a clock that ticks a hundred times a second.
fn each(devices: usize, mut round: impl FnMut()) -> f64 {
    let (before, mut rounds) = (worked(Whose::Own), 0_u32);
    let spent = loop {
        round();
        rounds += 1;
        let spent = worked(Whose::Own).saturating_sub(before);
        if spent > Duration::from_millis(500) {
            break spent;
        }
    };
    millis(spent) / f64::from(rounds) / devices as f64
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[derive(Clone, Copy)]
enum Whose {
    Own,
    Children,
}

/// Processor time of this process or of those it has waited for. A kernel's tick is a hundredth of a second wherever Linux
/// runs.
fn worked(whose: Whose) -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name in parentheses may hold anything; own times are the 14th and 15th fields, those of children the next two.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let skipped = match whose {
        Whose::Own => 11,
        Whose::Children => 13,
    };
    let ticks = fields.split_whitespace().skip(skipped).take(2);
    Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
}

/// The most memory that a process has had, in kilobytes; nothing once it has ended.
fn high_water(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

type Replies = BTreeMap<Bytes, http::Response<Bytes>>;

/// HTTPS to a device, and what it answered.
struct Recorded {
    transport: HttpsTransport,
    replies: Mutex<Replies>,
}

impl Recorded {
    fn of(entry: &Entry) -> Recorded {
        Recorded {
            transport: https(entry),
            replies: Mutex::default(),
        }
    }

    fn replay(&self) -> Replayed {
        Replayed {
            replies: self.replies.lock().unwrap().clone(),
        }
    }
}

impl Transport for Recorded {
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        let asked = request.body().clone();
        Box::pin(async move {
            let reply = self.transport.send(request).await?;
            self.replies.lock().unwrap().insert(asked, reply.clone());
            Ok(reply)
        })
    }
}

/// The same answers, without anybody to ask.
struct Replayed {
    replies: Replies,
}

impl Replayed {
    fn bytes(&self) -> usize {
        self.replies.values().map(|reply| reply.body().len()).sum()
    }
}

impl Transport for Replayed {
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        let known = self.replies.get(request.body()).cloned();
        let unknown = || TransportError::new(TransportErrorKind::Unreachable, "it was not recorded");
        Box::pin(std::future::ready(known.ok_or_else(unknown)))
    }
}
