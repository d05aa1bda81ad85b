//! The device as a machine: identity, uptime, clock, disks, memory, sensors, daemons.

use bytes::Bytes;
use http::Response;
use jiff::{SignedDuration, Timestamp};

use super::{Ask, Scene, system_state};
use crate::jobs::after;
use crate::operation::{Operation, unexpected, unexpected_from};
use crate::reply::{self, Markup};
use crate::request::Command;
use crate::software::Mount;

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::SystemInfo => info(scene),
        Operation::Version => version(scene),
        Operation::DiskSpace => disk_space(scene),
        Operation::SystemState => system_state::state(scene, ask.command),
        Operation::SystemResources => resources(scene),
        Operation::SystemServices => daemons(scene),
        Operation::SystemFiles => files(scene),
        Operation::Raid => raid(scene, ask.command),
        Operation::MasterKey => master_key(scene),
        Operation::Environmentals => environmentals(scene),
        Operation::JumboFrame => reply::done(on_off(scene.sight().is_on(|setup| setup.jumbo_frame))),
        Operation::ChassisReady => chassis_ready(scene, ask.command),
        Operation::Clock => clock(scene),
        Operation::ClockMore => clock_more(scene),
        Operation::ResourceMonitor => resource_monitor(scene, ask),
        _ => return None,
    };
    Some(reply)
}

fn info(scene: &Scene<'_>) -> Response<Bytes> {
    let (device, now) = (scene.device(), scene.now());
    let shown = after(now, device.clock_offset(scene.world, now));
    let content = device.content.to_string();
    let vm = scene.sight().is_virtual();
    let setup = device.setup.as_deref();
    let mode = if setup.is_some_and(|setup| setup.fips) {
        "FIPS-CC"
    } else {
        "normal"
    };
    // Told from 10.2 on, where there are two.
    let engine = [("advanced-routing", on_off(scene.sight().is_advanced()))];
    let engine = if scene.sight().is_since("10.2") {
        &engine[..]
    } else {
        &[]
    };
    reply::success(Markup::new().element("system", |system| {
        system
            .leaves(&[
                ("hostname", &device.name),
                ("ip-address", &device.address.to_string()),
                ("netmask", "255.255.255.0"),
                ("default-gateway", "10.0.0.1"),
                ("is-dhcp", "no"),
                ("mac-address", &scene.sight().hardware_address(0)),
                ("time", &shown.strftime("%a %b %e %H:%M:%S %Y").to_string()),
                (
                    "uptime",
                    &uptime(device.uptime(now), scene.sight().is_since("12.1")),
                ),
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
                ("multi-vsys", on_off(setup.is_some_and(|setup| setup.multi_vsys))),
                ("operational-mode", mode),
            ])
            .leaves(engine)
            .leaf("device-certificate-status", "None")
    }))
}

/// `179 days, 5:07:34`. On the first day `0 days, 5:07:34`, and from 12.1 on without days (a published script's
/// record of a PA-440 with 12.1.10).
pub(super) fn uptime(uptime: SignedDuration, terse: bool) -> String {
    let seconds = uptime.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if terse && days == 0 {
        clock
    } else {
        format!("{days} days, {clock}")
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn disk_space(scene: &Scene<'_>) -> Response<Bytes> {
    let images = &scene.device().images;
    let (total, free) = (images.total_mb(), images.free_mb());
    let used = total - free.min(total);
    let row = |device: &str, size: &str, used: &str, free: &str, share: u64, mount: &str| {
        format!("{device:<16}{size:>5} {used:>5} {free:>5} {share:>3}% {mount}\n")
    };
    let mut table = "Filesystem       Size  Used Avail Use% Mounted on\n".to_owned();
    let full = |mount| scene.device().full.contains(&mount);
    table.push_str(&if full(Mount::Root) {
        row("/dev/root", "6.9G", "6.9G", "0", 100, "/")
    } else {
        row("/dev/root", "6.9G", "4.1G", "2.5G", 63, "/")
    });
    table.push_str(&row("none", "2.0G", "64K", "2.0G", 1, "/dev"));
    table.push_str(&if full(Mount::Pancfg) {
        row("/dev/sda5", "15G", "15G", "0", 100, "/opt/pancfg")
    } else {
        row("/dev/sda5", "15G", "3.2G", "11G", 23, "/opt/pancfg")
    });
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

fn chassis_ready(scene: &Scene<'_>, command: &Command) -> Response<Bytes> {
    let device = scene.device();
    if !device.chassis_ready_known {
        return reply::error(17, &unexpected(command));
    }
    let ready = device.chassis_is_ready();
    reply::success(Markup::new().cdata(if ready { "yes\n" } else { "no\n" }))
}

/// Both planes show one reading for a few seconds: panos-upgrade-assurance asks for them one after the other and
/// takes a second in between for a difference.
fn reading(scene: &mut Scene<'_>) -> Timestamp {
    const KEPT: SignedDuration = SignedDuration::from_secs(10);
    let (world, now) = (scene.world, scene.now());
    let device = scene.device_mut();
    let read = match device.clock_reading {
        Some(read) if now.duration_since(read) < KEPT => read,
        _ => now,
    };
    device.clock_reading = Some(read);
    after(read, device.clock_offset(world, read))
}

const CLOCK: &str = "%a %b %e %H:%M:%S UTC %Y";

fn clock(scene: &mut Scene<'_>) -> Response<Bytes> {
    let text = format!("{}\n", reading(scene).strftime(CLOCK));
    reply::success(Markup::new().text(&text))
}

fn clock_more(scene: &mut Scene<'_>) -> Response<Bytes> {
    let text = format!("dataplane time: {}", reading(scene).strftime(CLOCK));
    reply::success(Markup::new().leaf("member", &text))
}

/// `type=version`, the shortest of all questions.
fn version(scene: &Scene<'_>) -> Response<Bytes> {
    let device = scene.device();
    reply::success(Markup::new().leaves(&[
        ("sw-version", &device.version().to_string()),
        (
            "multi-vsys",
            on_off(scene.sight().is_on(|setup| setup.multi_vsys)),
        ),
        ("model", &device.model),
        ("serial", &device.serial),
    ]))
}

/// Text of `top`. Up to 9.0 it counts in KiB, later in MiB; at which release that changed is an estimate.
fn resources(scene: &Scene<'_>) -> Response<Bytes> {
    let sight = scene.sight();
    let now = sight.now.strftime("%H:%M:%S");
    let up = uptime(scene.device().uptime(sight.now), false);
    let load = sight.management_cpu();
    let (total, used) = sight.memory();
    let cache = (total - used.min(total)) * 3 / 4;
    let free = total - used.min(total) - cache;
    let mebi = sight.is_since("9.1");
    let amount = |megabytes: u64| {
        if mebi {
            format!("{megabytes:>6}.0")
        } else {
            format!("{:>9}", megabytes * 1024)
        }
    };
    let (unit, comma) = if mebi { ("MiB", ", ") } else { ("KiB", ", ") };
    let line = |name: &str, rest: String| format!("{unit} {name}: {rest}\n");
    let memory = line(
        "Mem ",
        format!(
            "{} total{comma}{} free{comma}{} used{comma}{} buff/cache",
            amount(total),
            amount(free),
            amount(used),
            amount(cache)
        ),
    );
    let swap = line(
        "Swap",
        format!(
            "{} total{comma}{} free{comma}{} used.",
            amount(4000),
            amount(4000),
            amount(0)
        ),
    );
    let text = format!(
        "top - {now} up {up},  0 users,  load average: 0.31, 0.28, 0.30\n\
         %Cpu(s): {load:>4}.0 us,  1.0 sy,  0.0 ni, {:>4}.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st\n{memory}{swap}",
        99 - load.min(99)
    );
    reply::success(Markup::new().cdata(&text))
}

/// The daemons that clients wait for after a boot. Those of the dataplane come last.
fn daemons(scene: &Scene<'_>) -> Response<Bytes> {
    const MANAGEMENT: [&str; 10] = [
        "authd", "configd", "devsrvr", "dnsproxy", "ha_agent", "logrcvr", "masterd", "mgmtsrvr", "useridd",
        "varrcvr",
    ];
    const DATAPLANE: [&str; 6] = ["brdagent", "ikemgr", "keymgr", "l3svc", "rasmgr", "routed"];
    let up = scene.device().dataplane_up();
    let row = |(index, name): (usize, &&str), runs: bool| {
        let state = if runs {
            let pid = scene.sight().own("pid", index as u64, 2000, 9000);
            format!("running (pid: {pid})")
        } else {
            "stopped".to_owned()
        };
        format!("Process  {name:<22}{state}\n")
    };
    let mut text =
        String::from("Slot 1, Role mp\n-----------------\nType    Name                  State-Info\n");
    text.extend(MANAGEMENT.iter().enumerate().map(|one| row(one, true)));
    text.push_str("Slot 1, Role dp0\n-----------------\n");
    text.extend(DATAPLANE.iter().enumerate().map(|one| row(one, up)));
    reply::success(Markup::new().cdata(&text))
}

fn files(scene: &Scene<'_>) -> Response<Bytes> {
    let cores = scene
        .device()
        .setup
        .as_deref()
        .map_or(&[][..], |setup| &setup.core_files);
    let mut text = "/opt/dpfs/var/cores/:\ntotal 4.0K\n\n/var/cores/:\n".to_owned();
    text.push_str(&format!("total {}M\n", cores.len() * 128));
    text.extend(
        cores
            .iter()
            .map(|name| format!("-rw-rw-rw- 1 root root 128M Jan  1 00:00 {name}\n")),
    );
    reply::success(Markup::new().cdata(&text))
}

/// Only the large models have two disks for logs.
fn raid(scene: &Scene<'_>, command: &Command) -> Response<Bytes> {
    if !matches!(
        scene.device().class.name.as_str(),
        "pa-5200" | "pa-5400" | "pa-7000"
    ) {
        return reply::error(17, &unexpected_from(command, 2));
    }
    reply::success(Markup::new().cdata(
        "Disk Pair Log                           Available\n   Status                                  clean\n   \
         Disk id 1                               Present\n       status      : active sync\n   \
         Disk id 2                               Present\n       status      : active sync\n",
    ))
}

/// Ten fields; an `expire-at` of 0 is the key from the factory (a published collector's measurements).
fn master_key(scene: &Scene<'_>) -> Response<Bytes> {
    const LIFETIME: i64 = 365 * 86_400;
    const REMINDER: i64 = 30 * 86_400;
    let custom = scene.sight().is_on(|setup| setup.custom_master_key);
    // A key of one's own has a lifetime; it was set when the system was booted.
    let booted = scene.device().booted_at.as_second();
    let written = |second: i64| {
        Timestamp::from_second(second).map_or_else(
            |_| String::new(),
            |at| at.strftime("%Y/%m/%d %H:%M:%S").to_string(),
        )
    };
    let moment = |at: i64| if custom { written(at) } else { "0".to_owned() };
    let left = |until: i64, unit: i64| {
        let seconds = if custom {
            (until - scene.now().as_second()).max(0)
        } else {
            0
        };
        (seconds / unit).to_string()
    };
    let (expiry, reminder) = (booted + LIFETIME, booted + LIFETIME - REMINDER);
    reply::success(Markup::new().leaves(&[
        ("auto-renew-mkey", "0"),
        ("expire-at", &moment(expiry)),
        ("hours-to-expiry", &left(expiry, 3600)),
        ("minutes-to-expiry", &left(expiry, 60)),
        ("seconds-to-expiry", &left(expiry, 1)),
        ("hours-to-reminder", &left(reminder, 3600)),
        ("minutes-to-reminder", &left(reminder, 60)),
        ("seconds-to-reminder", &left(reminder, 1)),
        ("on-hsm", "no"),
        ("remind-at", &moment(reminder)),
    ]))
}

/// Sensors by group; a VM has none. An alarm of the setup is on a sensor of that name.
fn environmentals(scene: &Scene<'_>) -> Response<Bytes> {
    const GROUPS: [(&str, &[&str]); 5] = [
        ("thermal", &["Temperature: CPU", "Temperature: Board"]),
        ("fantray", &["Fan Tray"]),
        ("fan", &["Fan #1 RPM", "Fan #2 RPM"]),
        ("power", &["Power: Core", "Power: 12V"]),
        ("power-supply", &["Power Supply #1", "Power Supply #2"]),
    ];
    let sight = scene.sight();
    if sight.is_virtual() {
        return reply::success(Markup::new());
    }
    let alarms = sight.setup().map_or(&[][..], |setup| &setup.alarms);
    let value = |group: &str, index: u64| match group {
        "thermal" => Some(("DegreesC", sight.own("degrees", index, 32, 58), 0, 95)),
        "fan" => Some(("RPMs", sight.own("rpm", index, 4200, 7800), 1500, 15_000)),
        _ => None,
    };
    let sensor = |markup: Markup, group: &str, index: u64, description: &str| {
        let alarm = alarms.iter().any(|alarm| alarm == description);
        markup.element("entry", |entry| {
            let entry = entry.leaves(&[
                ("slot", "1"),
                ("description", description),
                ("alarm", if alarm { "True" } else { "False" }),
            ]);
            match value(group, index) {
                Some((unit, value, low, high)) => entry.leaves(&[
                    (unit, &format!("{value}.0")),
                    ("min", &format!("{low}.0")),
                    ("max", &format!("{high}.0")),
                ]),
                None => entry.leaf("Inserted", "True"),
            }
        })
    };
    reply::success(Markup::new().each(GROUPS, |markup, (group, sensors)| {
        markup.element(group, |inside| {
            inside.element("Slot1", |slot| {
                slot.each(sensors.iter().zip(0..), |slot, (description, index)| {
                    sensor(slot, group, index, description)
                })
            })
        })
    }))
}

/// Load of the dataplane, newest first: as many values as asked for, at most 60.
fn resource_monitor(scene: &Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    const MOST: u64 = 60;
    let sight = scene.sight();
    let period = ask.command.words.get(3).map_or("minute", String::as_str);
    if !matches!(period, "second" | "minute" | "hour" | "day" | "week") {
        return reply::error(17, &unexpected_from(ask.command, 3));
    }
    let count = ask.option("last").and_then(|last| last.trim().parse().ok());
    let count: u64 = count.unwrap_or(MOST).clamp(1, MOST);
    // The load of one period stays what it was when the next one has begun.
    let unit = match period {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        _ => 86_400,
    };
    let newest = sight.now.as_second().unsigned_abs() / unit;
    let cores = sight.scale().pick(2, 4, 8);
    let load = |name: &str, peak: u64| {
        let entries = Markup::new().each(0..cores, |markup, core| {
            let values: Vec<String> = (0..count)
                .map(|back| {
                    (sight.dataplane_cpu(core, newest.saturating_sub(back) % 64) + peak)
                        .min(100)
                        .to_string()
                })
                .collect();
            markup.element("entry", |entry| {
                entry.leaves(&[("coreid", &core.to_string()), ("value", &values.join(","))])
            })
        });
        Markup::new()
            .element(name, |inside| inside.raw(&entries.into_string()))
            .into_string()
    };
    let inside = format!("{}{}", load("cpu-load-average", 0), load("cpu-load-maximum", 4));
    let levels = ["resource-monitor", "data-processors", "dp0", period];
    let nested = levels
        .iter()
        .rev()
        .fold(Markup::new().raw(&inside), |inside, level| {
            Markup::new().element(level, |outside| outside.raw(&inside.into_string()))
        });
    reply::success(nested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptimes_and_sizes_read_as_the_device_writes_them() {
        let shown = [59, 3661, 86_399, 179 * 86_400 + 5 * 3600 + 7 * 60 + 34]
            .map(|seconds| uptime(SignedDuration::from_secs(seconds), false));
        assert_eq!(uptime(SignedDuration::from_secs(3661), true), "1:01:01");
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
