//! Reads sensors, processes and time: `show system environmentals`, `show system software status`, clocks, `show ntp`.
//! Knows these replies; must not know what is healthy.

use hopgate_playbooks::{Clocks, DataplaneClock, Ntp, NtpServer, Process, Sensor, WallClock};

use crate::error::Failure;
use crate::moment;
use crate::xml::{Node, printable};

/// The units of readings, as the device names them.
const UNITS: &[&str] = &["DegreesC", "RPMs", "Volts", "Watts"];

/// `<thermal><Slot1><entry><description/><alarm>False</alarm>..` for each kind of sensor. Empty on a virtual firewall.
pub(crate) fn sensors(result: &Node) -> Result<Vec<Sensor>, Failure> {
    let mut sensors = Vec::new();
    for kind in &result.children {
        for slot in &kind.children {
            for entry in slot.children_named("entry") {
                sensors.push(sensor(kind, slot, entry)?);
            }
        }
    }
    Ok(sensors)
}

fn sensor(kind: &Node, slot: &Node, entry: &Node) -> Result<Sensor, Failure> {
    let name = entry.words("description").unwrap_or_else(|| "unnamed".to_owned());
    let kind = printable(&kind.name, 40);
    let alarm = match entry.value("alarm") {
        Some("True") => true,
        Some("False") => false,
        _ => {
            return Err(Failure::unreadable(format!(
                "the {kind} sensor {name:?} does not say whether it is in alarm"
            )));
        }
    };
    let reading = UNITS
        .iter()
        .find_map(|unit| Some(format!("{} {unit}", printable(entry.value(unit)?, 40))));
    Ok(Sensor {
        kind,
        slot: entry.words("slot").unwrap_or_else(|| printable(&slot.name, 40)),
        name,
        alarm,
        reading,
    })
}

/// The table of processes: `Process  mgmtsrvr  running  (pid: 2789)`, below lines that name the slot (`Slot 1, Role mp`).
pub(crate) fn processes(result: &Node) -> Result<Vec<Process>, Failure> {
    let (mut processes, mut slot) = (Vec::new(), None);
    for line in result.text().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["Slot", number, ..] => slot = Some(printable(number.trim_end_matches(','), 20)),
            [kind @ ("Process" | "Group"), name, state, ..] => processes.push(Process {
                slot: slot.clone(),
                kind: kind.to_owned(),
                name: printable(name, 80),
                state: printable(state, 40),
            }),
            [kind @ ("Process" | "Group"), ..] => {
                return Err(Failure::unreadable(format!(
                    "a row of the table begins with {kind} and ends there"
                )));
            }
            _ => {}
        }
    }
    if processes.is_empty() {
        return Err(Failure::unreadable("no processes in the reply"));
    }
    Ok(processes)
}

/// `Wed May 31 11:50:21 2023`, the zone left out. A day of one digit is padded, or not where blanks were put together.
const CLOCK: [&str; 2] = ["%a %b %e %H:%M:%S %Y", "%a %b %-d %H:%M:%S %Y"];

/// `Wed May 31 11:50:21 PDT 2023`. The weekday must be the date's: a clock that is read wrongly in any part is not read.
pub(crate) fn clock(text: &str) -> Option<WallClock> {
    let (rest, year) = text.trim().rsplit_once(' ')?;
    let (time, zone) = rest.rsplit_once(' ')?;
    let is_zone = zone.len() <= 6
        && zone
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'));
    if !is_zone {
        return None;
    }
    Some(WallClock {
        time: moment::time(&CLOCK, &format!("{time} {year}"))?,
        zone: zone.to_owned(),
    })
}

/// The management plane's clock.
pub(crate) fn management_clock(result: &Node) -> Result<WallClock, Failure> {
    clock(result.text())
        .ok_or_else(|| Failure::unreadable(format!("the clock shows {:?}", printable(result.text(), 60))))
}

/// The dataplanes' clocks: `dataplane time: Wed May 31 11:52:34 PDT 2023`, on a chassis each below a line with its name
/// (`DP s3dp0:`). Each in an element of its own, or as lines of one text.
pub(crate) fn dataplane_clocks(result: &Node) -> Result<Vec<(String, WallClock)>, Failure> {
    let mut lines = Vec::new();
    result.all_text(&mut lines);
    let (mut clocks, mut name) = (Vec::new(), None);
    for line in lines.iter().flat_map(|text| text.lines()).map(str::trim) {
        if let Some(named) = line.strip_prefix("DP ").and_then(|line| line.strip_suffix(':')) {
            name = Some(printable(named, 40));
        } else if let Some(shown) = line.strip_prefix("dataplane time:") {
            let shown = clock(shown).ok_or_else(|| {
                Failure::unreadable(format!("a dataplane's clock shows {:?}", printable(shown, 60)))
            })?;
            let name = name.take().unwrap_or_else(|| format!("dp{}", clocks.len()));
            clocks.push((name, shown));
        }
    }
    if clocks.is_empty() {
        return Err(Failure::unreadable("no dataplane's clock in the reply"));
    }
    Ok(clocks)
}

/// The two replies together.
pub(crate) fn clocks(management: WallClock, dataplanes: Vec<(String, WallClock)>) -> Clocks {
    let dataplanes = dataplanes
        .into_iter()
        .map(|(dataplane, clock)| DataplaneClock {
            dataplane,
            apart_seconds: (clock.zone == management.zone).then(|| {
                clock
                    .time
                    .duration_since(management.time)
                    .unsigned_abs()
                    .as_secs()
            }),
            clock,
        })
        .collect();
    Clocks {
        management,
        dataplanes,
    }
}

/// `<synched>NAME</synched><ntp-server-1><name>NAME</name><status>synched</status>..`; `LOCAL` without a server in use.
pub(crate) fn ntp(result: &Node) -> Result<Ntp, Failure> {
    let synched = result.required("synched")?;
    let servers = result
        .children
        .iter()
        .filter(|child| child.name.starts_with("ntp-server"));
    let server = |node: &Node| {
        Ok(NtpServer {
            name: node.required_words("name")?,
            status: node.required_words("status")?,
            reachable: node.yes("reachable"),
        })
    };
    Ok(Ntp {
        synchronised_to: (synched != "LOCAL").then(|| printable(synched, 80)),
        servers: servers.map(server).collect::<Result<_, _>>()?,
    })
}
