//! Reads the facts of a running configuration of 20 MB: as a stream that visits only what is wanted, and the naive way, as
//! a tree of everything that is searched afterwards. Prints both speeds, their ratio and the peak of memory of each.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time, prints it, and fails by panicking"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::BoxFuture;
use hopgate_panos::{Client, Credentials, Secret, Transport, TransportError};
use hopgate_playbooks::FactArea;
use jiff::Timestamp;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

const SIZE: usize = 20_000_000;

/// A configuration as large installations have it: nearly all of it addresses, services and rules.
fn configuration() -> String {
    let mut shared = String::new();
    for certificate in 0..200 {
        writeln!(
            shared,
            "<entry name=\"certificate-{certificate}\"><subject>/CN=host-{certificate}</subject><expiry-epoch>1898553600</expiry-epoch><algorithm>RSA</algorithm><public-key>{}</public-key><private-key>{}</private-key></entry>",
            include_str!("../certificates/first.pem"),
            "A".repeat(1700),
        )
        .unwrap();
    }
    let mut vsys = String::new();
    let mut object = 0;
    while shared.len() + vsys.len() < SIZE {
        object += 1;
        writeln!(
            vsys,
            "            <entry name=\"host-{object}\">\n              <ip-netmask>10.{}.{}.{}/32</ip-netmask>\n              <description>written by somebody on a day in spring, never looked at again</description>\n              <tag>\n                <member>production</member>\n              </tag>\n            </entry>",
            object / 65536,
            object / 256 % 256,
            object % 256
        )
        .unwrap();
    }
    format!(
        "<response status=\"success\"><result><config version=\"10.2.0\" urldb=\"paloaltonetworks\">\n  <shared><certificate>{shared}</certificate></shared>\n  <devices><entry name=\"localhost.localdomain\"><vsys><entry name=\"vsys1\"><address>\n{vsys}</address></entry></vsys></entry></devices>\n</config></result></response>"
    )
}

/// Answers everything with the configuration.
struct Always(Bytes);

impl Transport for Always {
    fn send<'a>(
        &'a self,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move { Ok(http::Response::new(self.0.clone())) })
    }
}

/// An element of a tree.
#[derive(Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

/// The whole document as a tree, and then the certificates' names in it.
fn naive(text: &str) -> usize {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                let attributes = tag.attributes().flatten();
                open.push(Element {
                    name: tag.name().as_ref().to_owned(),
                    attributes: attributes
                        .map(|attribute| {
                            (
                                attribute.key.as_ref().to_owned(),
                                attribute.value.as_ref().to_owned(),
                            )
                        })
                        .collect(),
                    ..Element::default()
                });
            }
            Event::End(_) => {
                let closed = open.pop().unwrap();
                open.last_mut().unwrap().children.push(closed);
            }
            Event::Text(part) => open.last_mut().unwrap().text.push_str(&part.xml10_content()),
            Event::Eof => return certificates(&open[0]),
            _ => {}
        }
    }
}

fn certificates(element: &Element) -> usize {
    let own = match element.name.as_str() {
        "certificate" => element
            .children
            .iter()
            .filter(|entry| {
                entry.attributes.iter().any(|(name, _)| name == "name") && entry.text.trim().is_empty()
            })
            .count(),
        _ => 0,
    };
    own + element.children.iter().map(certificates).sum::<usize>()
}

fn stream(client: &Client, runtime: &tokio::runtime::Runtime) -> usize {
    let areas = BTreeSet::from([
        FactArea::Certificates,
        FactArea::ExternalLists,
        FactArea::Configuration,
    ]);
    let facts = runtime.block_on(client.facts(&areas, Timestamp::UNIX_EPOCH));
    facts.certificates.known().unwrap().len()
}

/// Resident memory of this process in MB, now (`VmRSS`) or at its highest (`VmHWM`).
fn memory_mb(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(which));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// How many MB some work takes at its highest, above what there was before. Making the configuration took more than
/// reading it does: its peak is forgotten first, where the kernel allows that.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = memory_mb("VmRSS:");
    let done = work();
    (done, memory_mb("VmHWM:").saturating_sub(before))
}

fn fastest(mut work: impl FnMut()) -> Duration {
    let rounds = (0..5).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed()
    });
    rounds.min().unwrap()
}

fn reading(c: &mut Criterion) {
    let text = configuration();
    let key = Credentials::Key(Secret::new("KEY"));
    let always = Always(Bytes::from(text.clone()));
    let client = Client::new("fw1".into(), Arc::new(always), key);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let megabytes = text.len() as f64 / 1e6;
    // The first reading of each: what it leaves behind, the others need no more.
    let (_, stream_mb) = peak_of(|| black_box(stream(&client, &runtime)));
    let streamed = fastest(|| {
        black_box(stream(&client, &runtime));
    });
    let (_, tree_mb) = peak_of(|| black_box(naive(&text)));
    let as_tree = fastest(|| {
        black_box(naive(&text));
    });
    eprintln!(
        "{megabytes:.1} MB: stream {:.0} MB/s, tree {:.0} MB/s, ratio {:.1}; at its highest the stream takes {stream_mb} MB more, the tree {tree_mb} MB",
        megabytes / streamed.as_secs_f64(),
        megabytes / as_tree.as_secs_f64(),
        as_tree.as_secs_f64() / streamed.as_secs_f64(),
    );

    // Only now: the tree takes more memory than anything before it.
    assert_eq!(stream(&client, &runtime), naive(&text));

    let mut group = c.benchmark_group("show config running");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.sample_size(10);
    group.bench_function("stream", |b| b.iter(|| stream(&client, &runtime)));
    group.bench_function("tree", |b| b.iter(|| naive(&text)));
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
