//! How fast a path is found, and a fleet planned, each beside the naive way: the graph made again for every device.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]
#![expect(clippy::print_stdout, reason = "a bench reports to whoever runs it")]

use std::collections::BTreeSet;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hopgate_paths::{Catalogue, FactsView, Graph, Graphs, OpticSeen, Request, Seen, Version};

const MODELS: &[&str] = &["PA-440", "PA-850", "PA-3220", "PA-5220", "PA-VM"];
const STARTS: usize = 200;
const DEVICES: usize = 100_000;

/// A device that says no to everything and has one module nobody vouches for.
struct Device {
    optics: Vec<OpticSeen>,
}

impl Device {
    fn new() -> Self {
        let port = |port| OpticSeen {
            slot: 1,
            port,
            interface: format!("ethernet1/{port}"),
            class: if port == 9 { "unknown-vendor" } else { "allowed" },
            media: Some("SFP-Fiber".to_owned()),
            part: Some("PAN-SFP-LX".to_owned()),
            vendor: Some("OEM".to_owned()),
        };
        Self {
            optics: (1..=12).map(port).collect(),
        }
    }
}

impl FactsView for Device {
    fn flag(&self, _: &str) -> Seen<bool> {
        Seen::Known(false)
    }

    fn number(&self, _: &str) -> Seen<u64> {
        Seen::Unknown("not read".to_owned())
    }

    fn optics(&self, _: Version) -> Seen<Vec<OpticSeen>> {
        Seen::Known(self.optics.clone())
    }
}

fn catalogue() -> &'static Catalogue {
    Catalogue::embedded().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// Where the devices of a fleet start, and where each shall get to: 200 releases of each model, to 11.1.
fn fleet(catalogue: &Catalogue) -> Vec<(&'static str, Version)> {
    let mut asked = Vec::new();
    for model in MODELS {
        let graph = Graph::new(catalogue, model).unwrap();
        let below: Vec<_> = graph.releases().filter(|version| *version < target()).collect();
        assert!(
            below.len() >= STARTS,
            "{model} has only {} releases below",
            below.len()
        );
        asked.extend(below.into_iter().rev().take(STARTS).map(|from| (*model, from)));
    }
    asked
}

fn target() -> Version {
    version("11.1.11")
}

fn one_path(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one path, 9.1.16 to 11.1.11");
    let graph = Graph::new(catalogue(), "PA-850").unwrap();
    let (from, to) = (version("9.1.16"), target());
    let device = Device::new();
    let accepted = BTreeSet::new();
    let plain = Request::new(from, to);
    let seen = Request {
        view: Some(&device),
        accepted: &accepted,
        ..plain
    };
    group.bench_function("route", |bench| {
        bench.iter(|| graph.route(black_box(from), to, &[]))
    });
    group.bench_function("plan", |bench| bench.iter(|| graph.plan(black_box(&plain))));
    group.bench_function("plan with facts", |bench| {
        bench.iter(|| graph.plan(black_box(&seen)))
    });
    group.bench_function("naive: graph and route", |bench| {
        bench.iter(|| {
            Graph::new(catalogue(), "PA-850")
                .unwrap()
                .route(black_box(from), to, &[])
        });
    });
    group.finish();
}

fn a_fleet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a fleet of 100,000");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(DEVICES as u64));
    let catalogue = catalogue();
    let asked = fleet(catalogue);
    let device = Device::new();
    let of = |place: usize| asked[place % asked.len()];
    group.bench_function("planned, no facts", |bench| {
        bench.iter(|| {
            let mut graphs = Graphs::new(catalogue);
            let plans = (0..DEVICES).filter_map(|place| {
                let (model, from) = of(place);
                graphs.plan(model, &Request::new(from, target())).ok()
            });
            plans.collect::<Vec<_>>().len()
        });
    });
    group.bench_function("planned, each with facts of its own", |bench| {
        bench.iter(|| {
            let mut graphs = Graphs::new(catalogue);
            let hops = (0..DEVICES).map(|place| {
                let (model, from) = of(place);
                let request = Request {
                    view: Some(&device),
                    ..Request::new(from, target())
                };
                graphs.plan(model, &request).map_or(0, |plan| plan.hops.len())
            });
            hops.sum::<usize>()
        });
    });
    group.throughput(Throughput::Elements(100));
    group.bench_function("naive: 100 of them, a graph each", |bench| {
        bench.iter(|| {
            let plans = (0..100).filter_map(|place| {
                let (model, from) = of(place);
                let graph = Graph::new(catalogue, model).unwrap();
                graph.plan(&Request::new(from, target())).ok()
            });
            plans.count()
        });
    });
    group.finish();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!(
        "peak memory of this process: {}",
        peak.unwrap_or("not told by this system")
    );
}

criterion_group!(benches, one_path, a_fleet);
criterion_main!(benches);
