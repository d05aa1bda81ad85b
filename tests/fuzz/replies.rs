//! What devices say: XML, the texts in it, and the JSON in it.
//! Knows what is promised of every reading; must not know how one is done.

use std::sync::LazyLock;

use hopgate_playbooks::{Ask, Disk, Fact, FactArea, Facts, Memory};
use serde_json::Value;

use crate::Target;
use crate::device::{Device, answer, facts, question};
use crate::repository::files;

use FactArea as A;

/// Letters of facts for a letter of reply, at most: a route of an advanced engine is three letters (`{},`), and repeats
/// the names of its router and its prefix.
const GROWTH: usize = 200;

/// Letters of facts without a reply: reasons why areas are unknown, commands, and what stands beside them.
const BESIDE: usize = 40_000;

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "xml",
        run: xml,
        seeds: || files(&["engine/panos/replies", "engine/panos/testdata"], &[".xml"]),
        words: &[
            "<response status=\"success\">",
            "</response>",
            "<result>",
            "</result>",
            "<entry name=\"",
            "<msg><line>",
            "<![CDATA[",
            "]]>",
            "&lt;",
            "&#10;",
            "<!--",
            "-->",
            "<?xml",
            "<member>",
            " code=\"19\"",
        ],
    },
    Target {
        name: "state",
        run: state,
        seeds: || {
            files(
                &[
                    "engine/panos/testdata/optics",
                    "engine/panos/testdata/management_cpu",
                    "engine/panos/testdata/mtus",
                ],
                &[".xml", ".txt"],
            )
        },
        words: &[
            "': { '",
            "', }, ",
            "NO_MATCHES",
            "sys.s1.p1.phy: {",
            ", 'sfp': {",
            "\n  sfp: {",
        ],
    },
    Target {
        name: "table",
        run: table,
        seeds: || {
            files(
                &[
                    "engine/panos/testdata/partitions",
                    "engine/panos/testdata/processes",
                    "engine/panos/testdata/disks",
                ],
                &[".xml", ".txt"],
            )
        },
        words: &["-----", "\n", "    ", "\t", "Name   State   Since\n"],
    },
    Target {
        name: "disks",
        run: disks,
        seeds: || files(&["engine/panos/testdata/disks"], &[".xml", ".txt"]),
        words: &[
            "\n/dev/root ",
            " 2.2G",
            " 512K",
            " 100%",
            " /opt/panrepo",
            "1T",
            " - ",
        ],
    },
    Target {
        name: "memory",
        run: memory,
        seeds: || files(&["engine/panos/testdata/memory"], &[".xml", ".txt"]),
        words: &[
            "MiB Mem :",
            "KiB Mem :",
            "GiB Mem :",
            "\nMem:",
            "\nSwap:",
            "k total,",
            " free,",
            " used,",
            " buff/cache",
            " used. ",
            "cached",
            "buffers",
        ],
    },
    Target {
        name: "load",
        run: |input| areas(&[A::ManagementCpu, A::DataplaneCpu], Device::Legacy, input),
        seeds: || {
            files(
                &[
                    "engine/panos/testdata/management_cpu",
                    "engine/panos/testdata/dataplane_cpu",
                ],
                &[".xml", ".txt"],
            )
        },
        words: &[
            "sys.monitor.s0.mp.exports: {",
            "cpu",
            "DP s1dp0:",
            "core   0   1",
            "Resource utilization (%)",
        ],
    },
    Target {
        name: "uptime",
        run: uptime,
        seeds: || {
            files(
                &["engine/panos/replies/"],
                &[
                    "system-info-9.1.xml",
                    "system-info-10.1.xml",
                    "system-info-10.2.xml",
                ],
            )
        },
        words: &[
            "<uptime>",
            "</uptime>",
            " days, ",
            "23:59:59",
            "<sw-version>",
            "-h4",
        ],
    },
    Target {
        name: "partitions",
        run: |input| areas(&[A::Partitions], Device::Legacy, input),
        seeds: || files(&["engine/panos/testdata/partitions"], &[".xml", ".txt"]),
        words: &[
            "sysroot0",
            "RUNNING-ACTIVE",
            "REVERTABLE",
            "PENDING-REVERT",
            "maint",
            "EMPTY",
            "None",
        ],
    },
    Target {
        name: "processes",
        run: |input| areas(&[A::Processes], Device::Legacy, input),
        seeds: || files(&["engine/panos/testdata/processes"], &[".xml", ".txt"]),
        words: &["Process", "Group", "running", "stopped", "(pid: ", "Exit Code:"],
    },
    Target {
        name: "jobs",
        run: |input| areas(&[A::Jobs], Device::Legacy, input),
        seeds: || files(&["engine/panos/testdata/jobs"], &[".xml", ".txt"]),
        words: &[
            "<job>",
            "<id>",
            "<status>FIN</status>",
            "<result>OK</result>",
            "<progress>",
            "<details><line>",
        ],
    },
    Target {
        name: "software",
        run: |input| areas(&[A::Software], Device::Legacy, input),
        seeds: || {
            files(
                &[
                    "engine/panos/testdata/software",
                    "engine/panos/testdata/update_server",
                ],
                &[".xml", ".txt"],
            )
        },
        words: &[
            "<sw-updates>",
            "<versions><entry>",
            "<version>",
            "<downloaded>yes",
            "<current>no",
            "<size>",
        ],
    },
    Target {
        name: "optics",
        run: |input| areas(&[A::Optics], Device::Legacy, input),
        seeds: || files(&["engine/panos/testdata/optics"], &[".xml", ".txt"]),
        words: &[
            "sys.s1.p1.phy: {",
            "'sfp': {",
            "'vendor-name': ",
            "'media': SFP-Fiber",
            "'vendor-part-number': ",
        ],
    },
    Target {
        name: "configuration",
        run: configuration,
        seeds: || {
            files(
                &[
                    "engine/panos/testdata/configuration",
                    "engine/panos/testdata/certificates",
                    "engine/panos/testdata/external_lists",
                    "engine/panos/testdata/features",
                    "engine/panos/testdata/globalprotect",
                    "engine/panos/testdata/log_targets",
                ],
                &[".xml"],
            )
        },
        words: &[
            "<config version=\"10.2.0\">",
            "<shared>",
            "<certificate>",
            "<entry name=\"",
            "<private-key>",
            "<vsys>",
            "<devices>",
            " src=\"tpl\"",
            "-----BEGIN CERTIFICATE-----",
        ],
    },
    Target {
        name: "routes",
        run: |input| {
            areas(
                &[
                    A::Routes,
                    A::Fib,
                    A::BgpPeers,
                    A::OspfNeighbours,
                    A::Arp,
                    A::IpsecTunnels,
                    A::GlobalprotectUsers,
                ],
                Device::Legacy,
                input,
            )
        },
        seeds: || {
            files(
                &[
                    "engine/panos/testdata/routes",
                    "engine/panos/testdata/fib",
                    "engine/panos/testdata/bgp_peers",
                    "engine/panos/testdata/ospf_neighbours",
                    "engine/panos/testdata/arp",
                    "engine/panos/testdata/ipsec_tunnels",
                    "engine/panos/testdata/globalprotect_users",
                ],
                &[".xml"],
            )
        },
        words: &[
            "<entry>",
            "<virtual-router>",
            "<destination>",
            "<fibs>",
            "<entries>",
            "<prefix-counter>",
            " vr=\"",
            " peer=\"",
        ],
    },
    Target {
        name: "advanced-routes",
        run: |input| areas(&[A::AdvancedRoutes, A::AdvancedFib], Device::Advanced, input),
        seeds: || {
            files(
                &[
                    "engine/panos/testdata/advanced_routes",
                    "engine/panos/testdata/advanced_fib",
                ],
                &[".xml"],
            )
        },
        words: &[
            "<json>",
            "</json>",
            "\"nexthops\":[",
            "\"interfaceName\":",
            "\"protocol\":",
            "\"installed\":true",
        ],
    },
    Target {
        name: "system-log",
        run: |input| {
            let of = [A::LinkChanges, A::IntegrityEvents, A::SyslogConnections];
            areas(&of, Device::Legacy, input)
        },
        seeds: || {
            let of = ["link_changes", "integrity_events", "syslog_connections"];
            let of = of.map(|area| format!("engine/panos/testdata/{area}"));
            files(&of.each_ref().map(String::as_str), &[".xml"])
        },
        words: &[
            "<job><status>FIN</status><id>18</id></job>",
            "<log><logs count=\"1\" progress=\"100\">",
            "<entry logid=\"",
            "<receive_time>2026/11/21 10:00:00</receive_time>",
            "<opaque>Port ethernet1/1: Down 1Gb/s",
            "<object>",
            "<eventid>fips-selftest-integ</eventid>",
            "<opaque>Syslog connection failed to server['TEST']",
        ],
    },
    Target {
        name: "management-certificate",
        run: certificate,
        seeds: || files(&["engine/panos/testdata/management_certificate"], &[".der"]),
        words: &["\x06\x03U\x04\x03", "\x0c", "\x17\r", "\x18\x0f"],
    },
    Target {
        name: "facts",
        run: every_area,
        seeds: || files(&["engine/panos/testdata"], &[".xml", ".txt"]),
        words: &[
            "<entry>",
            "yes",
            "no",
            "<enabled>",
            "<expires>",
            "(null)",
            "Never",
        ],
    },
];

/// Reads the areas, and holds what is true of every reading. Whether any area is known.
fn areas(of: &[FactArea], device: Device, input: &[u8]) -> bool {
    !known(&checked(of, device, input), of).is_empty()
}

/// What a device shows over TLS. Whatever it is has a fingerprint; whether it is a certificate.
fn certificate(input: &[u8]) -> bool {
    let facts = checked(&[A::ManagementCertificate], Device::Legacy, input);
    let shown = facts.management_certificate.known();
    shown.is_some_and(|shown| shown.unreadable.is_none())
}

/// One answer to everything that a device is asked; whether it is one that says what the device is. Its backups are hopgate's to
/// tell.
fn every_area(input: &[u8]) -> bool {
    let areas: Vec<FactArea> = A::ALL.into_iter().filter(|area| *area != A::Backup).collect();
    checked(&areas, Device::Input, input).system.known().is_some()
}

/// The facts, once they are found to be bounded, and to be the same when they are read from where they are stored.
fn checked(of: &[FactArea], device: Device, input: &[u8]) -> Facts {
    let read = facts(of, device, input);
    let stored = text_of(&read);
    assert!(
        stored.len() <= GROWTH * input.len() + BESIDE,
        "{} letters of facts from a reply of {}",
        stored.len(),
        input.len()
    );
    let again: Facts = serde_json::from_str(&stored).unwrap_or_else(|error| panic!("{error}: {stored}"));
    assert_eq!(again, read, "what is stored is what was read");
    for area in of {
        if let Some(reason) = read.unknown(*area) {
            assert!(!reason.is_empty() && reason.len() < 4_000, "{area}: {reason}");
            assert_ne!(reason, "not asked", "{area} was asked for");
        }
    }
    read
}

fn text_of(facts: &Facts) -> String {
    serde_json::to_string(facts).unwrap_or_else(|error| panic!("facts that cannot be stored: {error}"))
}

fn known(facts: &Facts, of: &[FactArea]) -> Vec<FactArea> {
    of.iter()
        .copied()
        .filter(|area| facts.unknown(*area).is_none())
        .collect()
}

fn disks(input: &[u8]) -> bool {
    let read = checked(&[A::Disks], Device::Legacy, input);
    let Fact::Known(disks) = &read.disks else {
        return false;
    };
    assert!(!disks.is_empty(), "no mount is no reading");
    for Disk { mount, .. } in disks {
        assert!(
            mount.starts_with('/') && !mount.contains(char::is_whitespace),
            "{mount:?} is no mount"
        );
    }
    true
}

fn memory(input: &[u8]) -> bool {
    let read = checked(&[A::Memory], Device::Legacy, input);
    let Fact::Known(memory) = &read.memory else {
        return false;
    };
    let Memory {
        total_mb,
        free_mb,
        used_mb,
        used_percent,
        ..
    } = memory;
    // Parts of the total, with the fiftieth that the reader allows for rounding.
    let most = total_mb + total_mb / 50 + 1;
    assert!(
        *free_mb <= most && *used_mb <= most && *used_percent <= 102,
        "{memory:?}"
    );
    true
}

/// An uptime that was read is one that a firewall prints.
fn uptime(input: &[u8]) -> bool {
    let read = checked(&[A::System, A::Identity], Device::Input, input);
    let Fact::Known(system) = &read.system else {
        return false;
    };
    let seconds = system.uptime_seconds;
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    let printed = format!(
        "<response status='success'><result><system><hostname>h</hostname><model>m</model><serial>s</serial><sw-version>{}</sw-version>\
         <app-version>a</app-version><uptime>{days} days, {}:{:02}:{:02}</uptime></system></result></response>",
        system.sw_version,
        clock / 3600,
        clock / 60 % 60,
        clock % 60
    );
    let again = facts(&[A::System], Device::Input, printed.as_bytes());
    let again = again
        .system
        .known()
        .map(|again| (again.uptime_seconds, again.sw_version));
    assert_eq!(again, Some((seconds, system.sw_version)), "{printed}");
    true
}

/// No private key, password or community comes out of a configuration.
fn configuration(input: &[u8]) -> bool {
    let of = [
        A::Configuration,
        A::Certificates,
        A::ExternalLists,
        A::Features,
        A::LogTargets,
        A::Globalprotect,
        A::ScheduledJobs,
    ];
    let read = checked(&of, Device::Legacy, input);
    let stored = text_of(&read);
    let said = String::from_utf8_lossy(input);
    // Where text is not what it looks like, the words between two tags need not be a key.
    let plain = !said.contains("<!") && !said.contains("<?");
    // Nor is what a device says of its own accord.
    let plain = plain
        && !["<msg", "<line", "<details"]
            .iter()
            .any(|words| said.contains(words));
    for secret in ["private-key", "community", "authpwd", "privpwd", "password"] {
        let element = format!("<{secret}>");
        for part in said.split(&element).skip(1).filter(|_| plain) {
            let key = part.split('<').next().unwrap_or_default().trim();
            if key.len() >= 12 && said.matches(key).count() == 1 {
                assert!(!stored.contains(key), "a {secret} is in the facts: {stored}");
            }
        }
    }
    read.configuration.known().is_some()
}

/// XML as it is, written again and read again, is the same.
fn xml(input: &[u8]) -> bool {
    static XML: LazyLock<Ask> = LazyLock::new(|| question("xml", ""));
    let Ok(value) = answer(&XML, input) else {
        return false;
    };
    let mut written = String::from("<response status=\"success\">");
    if write_element("result", &value, &mut written).is_none() {
        return true;
    }
    written.push_str("</response>");
    let again = answer(&XML, written.as_bytes());
    let again = again.unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(again, value, "{written}");
    true
}

/// Nothing where a name cannot be told from what stands for attributes and text.
fn write_element(name: &str, value: &Value, out: &mut String) -> Option<()> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !name.chars().all(plain) || name.is_empty() {
        return None;
    }
    let none = serde_json::Map::new();
    let (fields, text) = match value {
        Value::String(text) => (&none, text.as_str()),
        Value::Object(fields) => (
            fields,
            fields.get("#text").and_then(Value::as_str).unwrap_or_default(),
        ),
        _ => return None,
    };
    out.push('<');
    out.push_str(name);
    for (attribute, value) in fields {
        if let Some(attribute) = attribute.strip_prefix('@') {
            if !attribute.chars().all(plain) || attribute.is_empty() {
                return None;
            }
            out.push_str(&format!(" {attribute}=\"{}\"", escaped(value.as_str()?)));
        }
    }
    out.push('>');
    out.push_str(&escaped(text));
    let elements = fields
        .iter()
        .filter(|(name, _)| !name.starts_with('@') && *name != "#text");
    for (child, value) in elements {
        match value {
            Value::Array(list) => list.iter().try_for_each(|one| write_element(child, one, out))?,
            one => write_element(child, one, out)?,
        }
    }
    out.push_str(&format!("</{name}>"));
    Some(())
}

/// Marks and space as references; the rest, which can be letters that no reference may name, as it is.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if "<>&\"' \t\r\n".contains(letter) {
            out.push_str(&format!("&#{};", u32::from(letter)));
        } else {
            out.push(letter);
        }
    }
    out
}

/// A dump, written again in its plain dialect and read again, is the same.
fn state(input: &[u8]) -> bool {
    static STATE: LazyLock<Ask> = LazyLock::new(|| question("state", ""));
    let Ok(Value::Object(fields)) = answer(&STATE, input) else {
        return false;
    };
    let mut written = String::new();
    for (key, value) in &fields {
        let line = match value {
            Value::String(text) => {
                Some(text.clone()).filter(|text| !text.contains("]]>") && !text.contains('\r'))
            }
            block => dumped(block),
        };
        let Some(line) = line else { return true };
        written.push_str(&format!("'{key}': {line}\n"));
    }
    if !fields.is_empty() {
        let again = answer(&STATE, written.as_bytes());
        let again = again.unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!(again, Value::Object(fields), "{written}");
    }
    true
}

/// A block of the plain dialect; nothing where a text could be taken for its end or for another field.
fn dumped(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.contains([',', '\'', '{', '}', '\r'])).then(|| text.clone()),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| Some(format!("'{key}': {}, ", dumped(value)?)));
            Some(format!("{{ {}}}", fields.collect::<Option<String>>()?))
        }
        _ => None,
    }
}

/// Of a table that can be read, every letter is in a cell.
fn table(input: &[u8]) -> bool {
    static LINES: LazyLock<Ask> = LazyLock::new(|| question("lines", ""));
    static HEADED: LazyLock<Ask> = LazyLock::new(|| question("table", ""));
    static NAMED: LazyLock<Ask> = LazyLock::new(|| question("table", ", columns: [first, second, rest]"));
    let Ok(Value::Array(lines)) = answer(&LINES, input) else {
        return false;
    };
    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    let ruled = |line: &&str| !line.chars().all(|letter| "-=+ ".contains(letter));
    let rows: Vec<&str> = lines.iter().copied().filter(ruled).collect();
    let mut read = false;
    for (ask, rows) in [
        (&*NAMED, rows.as_slice()),
        (&*HEADED, rows.get(1..).unwrap_or_default()),
    ] {
        let Ok(Value::Array(cells)) = answer(ask, input) else {
            continue;
        };
        assert_eq!(cells.len(), rows.len(), "a line is a row");
        for (row, cells) in rows.iter().zip(&cells) {
            let cells = cells.as_object().into_iter().flat_map(|cells| cells.values());
            let kept: usize = cells.filter_map(Value::as_str).map(letters).sum();
            assert_eq!(kept, letters(row), "a part of {row:?} is lost");
        }
        read |= !rows.is_empty();
    }
    read
}

fn letters(text: &str) -> usize {
    text.chars().filter(|letter| !letter.is_whitespace()).count()
}
