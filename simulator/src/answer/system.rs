//! The device as a machine: identity, uptime, clock, disks, optics, environment, licences.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use jiff::{SignedDuration, Timestamp};

use super::Scene;
use crate::device::{Device, Phase};
use crate::operation::unexpected;
use crate::reply::{self, Markup};
use crate::request::Command;
use crate::spec::OpticSpec;

pub(super) fn info(scene: &Scene<'_>) -> Response<Bytes> {
    let (device, now) = (scene.device(), scene.now());
    let content = device.content.to_string();
    let vm = device.class.name == "vm";
    reply::success(Markup::new().element("system", |system| {
        system.leaves(&[
            ("hostname", &device.name),
            ("ip-address", &device.address.to_string()),
            ("netmask", "255.255.255.0"),
            ("default-gateway", "10.0.0.1"),
            ("is-dhcp", "no"),
            ("mac-address", "b4:0c:25:ea:00:01"),
            (
                "time",
                &device
                    .shown_time(now)
                    .strftime("%a %b %e %H:%M:%S %Y")
                    .to_string(),
            ),
            ("uptime", &uptime(device.uptime(now))),
            ("devicename", &device.name),
            ("family", &device.class.family),
            ("model", &device.model),
            ("serial", &device.serial),
            ("cloud-mode", if vm { "cloud" } else { "non-cloud" }),
            ("sw-version", &device.version().to_string()),
            ("global-protect-client-package-version", "0.0.0"),
            ("app-version", &content),
            ("av-version", "0"),
            ("threat-version", &content),
            ("wildfire-version", "0"),
            ("url-filtering-version", "0000.00.00.000"),
            ("logdb-version", &format!("{}.0", device.version().train())),
            ("platform-family", &device.class.family),
            ("vpn-disable-mode", "off"),
            ("multi-vsys", "off"),
            ("operational-mode", "normal"),
            ("device-certificate-status", "None"),
        ])
    }))
}

/// `179 days, 5:07:34`; on the first day as well with its number of days.
fn uptime(uptime: SignedDuration) -> String {
    let seconds = uptime.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!(
        "{days} days, {}:{:02}:{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

pub(super) fn disk_space(scene: &Scene<'_>) -> Response<Bytes> {
    let images = &scene.device().images;
    let (total, free) = (images.total_mb(), images.free_mb());
    let used = total - free.min(total);
    let row = |device: &str, size: &str, used: &str, free: &str, share: u64, mount: &str| {
        format!("{device:<16}{size:>5} {used:>5} {free:>5} {share:>3}% {mount}\n")
    };
    let mut table = "Filesystem       Size  Used Avail Use% Mounted on\n".to_owned();
    table.push_str(&row("/dev/root", "6.9G", "4.1G", "2.5G", 63, "/"));
    table.push_str(&row("none", "2.0G", "64K", "2.0G", 1, "/dev"));
    table.push_str(&row("/dev/sda5", "15G", "3.2G", "11G", 23, "/opt/pancfg"));
    let share = (used * 100).checked_div(total).unwrap_or(0);
    table.push_str(&row(
        "/dev/sda6",
        &size(total),
        &size(used),
        &size(free),
        share,
        "/opt/panrepo",
    ));
    table.push_str(&row("tmpfs", "1.3G", "412M", "875M", 33, "/dev/shm"));
    table.push_str(&row("/dev/sda8", "89G", "22G", "63G", 26, "/opt/panlogs"));
    reply::success(Markup::new().cdata(&table))
}

/// Megabytes as `df -h` writes them: one decimal below ten, rounded up.
fn size(megabytes: u64) -> String {
    match megabytes {
        0 => "0".to_owned(),
        1..1024 => format!("{megabytes}M"),
        _ => match (megabytes * 10).div_ceil(1024) {
            tenths @ ..100 => format!("{}.{}G", tenths / 10, tenths % 10),
            _ => format!("{}G", megabytes.div_ceil(1024)),
        },
    }
}

/// `show system state`, by filter. Values are looked up in a flat table, as on the device.
pub(super) fn state(scene: &mut Scene<'_>, command: &Command) -> Response<Bytes> {
    let pretty = command.option("filter-pretty");
    let filter = pretty.or_else(|| command.option("filter")).unwrap_or_default();
    let table = state_table(scene.device());
    let found: String = table
        .iter()
        .filter(|(key, _)| matches(filter, key))
        .map(|(key, value)| {
            if pretty.is_some() {
                value.pretty(key)
            } else {
                value.plain(key)
            }
        })
        .collect();
    let text = if found.is_empty() {
        format!("'{filter}': NO_MATCHES\n")
    } else {
        found
    };
    reply::success(Markup::new().cdata(&text))
}

/// `*` stands for any run of characters.
fn matches(filter: &str, key: &str) -> bool {
    let mut parts = filter.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = key.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A value of the system state: a text, or names with values.
enum State {
    Text(String),
    Block(Vec<(&'static str, State)>),
}

impl State {
    fn plain(&self, key: &str) -> String {
        format!("{key}: {}\n", self.inline())
    }

    fn inline(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Block(rows) if rows.is_empty() => "{ }".to_owned(),
            Self::Block(rows) => {
                let rows: String = rows
                    .iter()
                    .map(|(name, value)| format!("'{name}': {}, ", value.inline()))
                    .collect();
                format!("{{ {rows}}}")
            }
        }
    }

    fn pretty(&self, key: &str) -> String {
        let mut text = String::new();
        self.indented(key, 0, "", &mut text);
        text
    }

    fn indented(&self, key: &str, depth: usize, end: &str, text: &mut String) {
        let margin = "  ".repeat(depth);
        match self {
            Self::Block(rows) if !rows.is_empty() => {
                text.push_str(&format!("{margin}{key}: {{\n"));
                for (name, value) in rows {
                    value.indented(name, depth + 1, ",", text);
                }
                text.push_str(&format!("{margin}}}{end}\n"));
            }
            plain => text.push_str(&format!("{margin}{key}: {}{end}\n", plain.inline())),
        }
    }
}

fn state_table(device: &Device) -> BTreeMap<String, State> {
    let ports = device.class.ports;
    let mut table: BTreeMap<String, State> = (1..=ports.copper)
        .map(|port| (phy_key(1, port), copper()))
        .chain((1..=ports.cages).map(|cage| (phy_key(1, ports.copper + cage), empty_cage())))
        .collect();
    for optic in &device.optics {
        table.insert(phy_key(optic.slot, optic.port), filled_cage(optic));
    }
    let text = |text: &str| State::Text(text.to_owned());
    table.insert(
        "sys.monitor.s0.mp.exports".to_owned(),
        State::Block(vec![("cpu", State::Block(vec![("1minavg", text("3"))]))]),
    );
    table.insert(
        "sw.dev.interface.config".to_owned(),
        text("{ 'ethernet1/1': { 'hwaddr': b4:0c:25:ea:00:40, 'mtu': 1500, }, }"),
    );
    table
}

fn phy_key(slot: u16, port: u16) -> String {
    format!("sys.s{slot}.p{port}.phy")
}

fn copper() -> State {
    let text = |text: &str| State::Text(text.to_owned());
    State::Block(vec![
        ("link-partner", State::Block(Vec::new())),
        ("media", text("CAT5")),
        ("type", text("Ethernet")),
    ])
}

fn empty_cage() -> State {
    let text = |text: &str| State::Text(text.to_owned());
    State::Block(vec![
        ("link-partner", State::Block(Vec::new())),
        ("media", text("SFP-Empty")),
        ("type", text("Ethernet")),
    ])
}

/// Values come unquoted and padded to the width of the optic's own memory fields.
fn filled_cage(optic: &OpticSpec) -> State {
    let padded = |text: &str| State::Text(format!("{text:<16}"));
    let text = |text: &str| State::Text(text.to_owned());
    let sfp = State::Block(vec![
        ("connector", text("LC")),
        ("encoding", text("64B66B")),
        ("identifier", text("SFP")),
        ("vendor-name", padded(&optic.vendor)),
        ("vendor-part-number", padded(&optic.part)),
        ("vendor-part-rev", text("A   ")),
        (
            "vendor-serial-number",
            padded(optic.serial.as_deref().unwrap_or("")),
        ),
    ]);
    State::Block(vec![
        ("link-partner", State::Block(Vec::new())),
        ("media", text(&optic.media)),
        ("sfp", sfp),
        ("type", text("Ethernet")),
    ])
}

pub(super) fn chassis_ready(scene: &Scene<'_>, command: &Command) -> Response<Bytes> {
    let device = scene.device();
    if !device.chassis_ready_known {
        return reply::error(17, &unexpected(command));
    }
    let ready = device.phase != Phase::AutoCommit;
    reply::success(Markup::new().cdata(if ready { "yes\n" } else { "no\n" }))
}

/// Both planes show one reading for a few seconds: panos-upgrade-assurance asks for them one after the other and
/// takes a second in between for a difference.
fn reading(scene: &mut Scene<'_>) -> Timestamp {
    const KEPT: SignedDuration = SignedDuration::from_secs(10);
    let now = scene.now();
    let device = scene.device_mut();
    let read = match device.clock_reading {
        Some(read) if now.duration_since(read) < KEPT => read,
        _ => now,
    };
    device.clock_reading = Some(read);
    device.shown_time(read)
}

const CLOCK: &str = "%a %b %e %H:%M:%S UTC %Y";

pub(super) fn clock(scene: &mut Scene<'_>) -> Response<Bytes> {
    let text = format!("{}\n", reading(scene).strftime(CLOCK));
    reply::success(Markup::new().text(&text))
}

pub(super) fn clock_more(scene: &mut Scene<'_>) -> Response<Bytes> {
    let text = format!("dataplane time: {}", reading(scene).strftime(CLOCK));
    reply::success(Markup::new().leaf("member", &text))
}

pub(super) fn license(scene: &Scene<'_>) -> Response<Bytes> {
    let features = [
        ("PA-Support", "Standard support"),
        ("Threat Prevention", "Threat Prevention"),
    ];
    let serial = &scene.device().serial;
    let entries = Markup::new().each(features, |markup, (feature, description)| {
        markup.element("entry", |entry| {
            entry.leaves(&[
                ("feature", feature),
                ("description", description),
                ("serial", serial),
                ("issued", "January 01, 2020"),
                ("expires", "December 31, 2099"),
                ("expired", "no"),
                ("authcode", ""),
            ])
        })
    });
    reply::success(Markup::new().element("licenses", |licenses| licenses.raw(&entries.into_string())))
}

pub(super) fn support() -> Response<Bytes> {
    reply::success(Markup::new().element("SupportInfoResponse", |info| {
        info.raw("<Links/>").element("Support", |support| {
            support.leaves(&[
                ("Contact", ""),
                ("ExpiryDate", "December 31, 2099"),
                ("SupportLevel", "Standard"),
                ("SupportDescription", "24 x 7 phone support"),
            ])
        })
    }))
}

/// The time is synchronised again only some minutes after a boot, with the other services that depend on others.
pub(super) fn ntp(scene: &Scene<'_>) -> Response<Bytes> {
    const SERVER: &str = "ntp.example.net";
    let back = matches!(scene.device().phase, Phase::Up | Phase::Restarting);
    let (reachable, status) = if back {
        ("yes", "synched")
    } else {
        ("no", "not synched")
    };
    reply::success(
        Markup::new()
            .element("ntp-server-1", |server| {
                server.leaves(&[
                    ("authentication-type", "none"),
                    ("name", SERVER),
                    ("reachable", reachable),
                    ("status", status),
                ])
            })
            .leaf("synched", if back { SERVER } else { "LOCAL" }),
    )
}

pub(super) fn resources() -> Response<Bytes> {
    reply::success(Markup::new().cdata(
        "top - 11:50:21 up 41 days,  2:10,  0 users,  load average: 0.31, 0.28, 0.30\n\
         MiB Mem :   7900.0 total,   1000.0 free,   3900.0 used,   3000.0 buff/cache\n\
         MiB Swap:   4000.0 total,   4000.0 free,      0.0 used.   3400.0 avail Mem\n",
    ))
}

pub(super) fn environmentals(scene: &Scene<'_>) -> Response<Bytes> {
    if scene.device().class.name == "vm" {
        return reply::success(Markup::new());
    }
    let slot = |description: &'static str| {
        move |group: Markup| {
            group.element("Slot1", |slot| {
                slot.element("entry", |entry| {
                    entry.leaves(&[("slot", "1"), ("description", description), ("alarm", "False")])
                })
            })
        }
    };
    reply::success(
        Markup::new()
            .element("thermal", slot("Temperature: CPU"))
            .element("fan", slot("Fan #1 RPM"))
            .element("power", slot("Power: Core"))
            .element("power-supply", slot("Power Supply #1")),
    )
}

pub(super) fn resource_monitor() -> Response<Bytes> {
    let cores = Markup::new().each(0..2, |markup, core| {
        markup.element("entry", |entry| {
            entry.leaves(&[("coreid", &core.to_string()), ("value", "4,5,4,6,5")])
        })
    });
    let levels = [
        "resource-monitor",
        "data-processors",
        "dp0",
        "minute",
        "cpu-load-average",
    ];
    let nested = levels.iter().rev().fold(cores, |inside, level| {
        Markup::new().element(level, |outside| outside.raw(&inside.into_string()))
    });
    reply::success(nested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_on_the_device() {
        for (filter, key, expected) in [
            ("sys.s*.p*.phy", "sys.s1.p5.phy", true),
            ("sys.s1.p*.phy", "sys.s1.p12.phy", true),
            ("sys.s1.p5.phy", "sys.s1.p5.phy", true),
            ("sys.s1.p5.phy", "sys.s1.p55.phy", false),
            ("sys.s2.p*.phy", "sys.s1.p5.phy", false),
            ("sys.monitor.*.mp.exports", "sys.monitor.s0.mp.exports", true),
            ("a*ab", "ab", false),
            ("*", "anything", true),
        ] {
            assert_eq!(matches(filter, key), expected, "{filter} {key}");
        }
    }

    #[test]
    fn uptimes_and_sizes_read_as_the_device_writes_them() {
        let shown = [59, 3661, 86_399, 179 * 86_400 + 5 * 3600 + 7 * 60 + 34]
            .map(|seconds| uptime(SignedDuration::from_secs(seconds)));
        assert_eq!(
            shown,
            [
                "0 days, 0:00:59",
                "0 days, 1:01:01",
                "0 days, 23:59:59",
                "179 days, 5:07:34"
            ]
        );
        assert_eq!(
            [0, 875, 1024, 2253, 10_239, 20_480].map(size),
            ["0", "875M", "1.0G", "2.3G", "10G", "20G"]
        );
    }
}
