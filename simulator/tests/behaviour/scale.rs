//! Thousands of devices from one process: they start, answer, keep apart, and stop.

use std::sync::Arc;

use panos_simulator::{Fleet, FleetSpec, ServeOptions, SimClock, serve};

use crate::https::{Client, ask, control, get};
use crate::probe::between;

/// Every so manieth device is asked.
const STRIDE: usize = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_estate_of_thousands_answers() {
    let devices = if std::env::var_os("HOPGATE_FULL").is_some() {
        10_000
    } else {
        2_000
    };
    let spec = FleetSpec::generate(devices, 7).unwrap();
    let clock = SimClock::new(spec.epoch, 60.0);
    let fleet = Fleet::new(spec, clock).unwrap();
    let served = Arc::new(serve(fleet.clone(), ServeOptions::default()).await.unwrap());
    assert_eq!(served.endpoints.len(), devices);
    let names: Vec<String> = served.endpoints.keys().step_by(STRIDE).cloned().collect();
    let mut asking = tokio::task::JoinSet::new();
    // Eight clients, each with its share.
    for share in names.chunks(names.len().div_ceil(8)) {
        let (share, served) = (share.to_vec(), served.clone());
        asking.spawn(async move {
            let client = Client::new();
            let mut keys = std::collections::BTreeSet::new();
            for name in share {
                let mut stream = client.connect(served.endpoints[&name]).await.unwrap();
                let keygen = "type=keygen&user=admin&password=admin";
                let reply = ask(&mut stream, keygen).await.unwrap();
                assert!(
                    keys.insert(between(&reply, "<key>", "</key>").to_owned()),
                    "{name}"
                );
            }
            keys.len()
        });
    }
    let asked: usize = asking.join_all().await.into_iter().sum();
    assert_eq!(asked, names.len());
    let totals = fleet.totals();
    assert_eq!((totals.devices, totals.requests), (devices as u64, asked as u64));
    let page = control(&served, &get("/fleet?from=1990&count=10")).await;
    assert!(page.contains(&format!("\"total\":{devices}")), "{page}");
    Arc::into_inner(served).unwrap().shutdown().await;
}
