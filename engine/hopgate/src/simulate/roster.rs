//! Who is where: the devices of a simulated fleet as a table, printed once or kept up to date on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::Simulation;
use crate::clock;

/// Rows of a live table. No terminal shows more, and what is in motion comes first.
const ROWS: usize = 200;

/// How often a live table is renewed.
const RENEWED: Duration = Duration::from_secs(1);

/// The whole table, in the order of the fleet file, Panoramas last.
pub fn whole(simulation: &Simulation) -> String {
    table(simulation, usize::MAX, false)
}

/// Keeps the table up to date on the terminal, until it is dropped in the middle of that. Without a terminal, waits.
pub async fn live(simulation: &Simulation) {
    let style = ProgressStyle::with_template("{msg}").ok();
    let Some(style) = style.filter(|_| std::io::stdout().is_terminal()) else {
        return std::future::pending().await;
    };
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout()).with_style(style);
    loop {
        bar.set_message(format!(
            "{}\n{}",
            summary(simulation),
            table(simulation, ROWS, true)
        ));
        clock::pause(RENEWED).await;
    }
}

/// Whether [`live`] shows anything.
pub fn is_live() -> bool {
    std::io::stdout().is_terminal()
}

fn summary(simulation: &Simulation) -> String {
    let totals = simulation.fleet.totals();
    let clock = simulation.fleet.clock();
    let mut line = format!("{} devices:", totals.devices);
    for (phase, devices) in &totals.phases {
        // Writing into a String cannot fail.
        let _ = write!(line, " {devices} {},", words(phase));
    }
    let _ = write!(
        line,
        " {} requests; {:.0} at speed {}",
        totals.requests,
        clock.now(),
        clock.speed()
    );
    line
}

fn table(simulation: &Simulation, rows: usize, moving_first: bool) -> String {
    let mut devices = simulation.fleet.devices();
    devices.extend(simulation.fleet.panoramas());
    if moving_first {
        // Stable: the order of the fleet file within each half.
        devices.sort_by_key(|device| words(&device.phase) == "up");
    }
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_header(["device", "model", "version", "address", "phase", "ha"]);
    let endpoints: &BTreeMap<_, _> = &simulation.served.endpoints;
    for device in devices.into_iter().take(rows) {
        let address = endpoints.get(&device.name).map(ToString::to_string);
        table.add_row([
            device.name,
            device.model,
            device.version.to_string(),
            address.unwrap_or_default(),
            words(&device.phase),
            device.ha.as_ref().map(words).unwrap_or_default(),
        ]);
    }
    table.to_string()
}

/// A state as its JSON names it, in words.
fn words(state: &impl Serialize) -> String {
    let value = serde_json::to_value(state);
    let name = value.ok().and_then(|value| value.as_str().map(str::to_owned));
    name.unwrap_or_default().replace('_', " ")
}
