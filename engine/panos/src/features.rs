//! Works out the features of a device: the answers that advisories ask for, under the names of their vocabulary.
//!
//! Knows where each answer is found. What cannot be read, and what the vendor does not document, is unknown with the
//! reason; must not know advisories.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use hopgate_playbooks::{Certificate, Fact, Features, Ha, Identity, Memory, PanoramaLink, Plugin, System};

use crate::configuration::Found;
use crate::disk;
use crate::entitlement::content_number;
use crate::error::Failure;
use crate::xml::{Node, printable, whole_number};

/// RSA keys and elliptic curves below these sizes are weak, as is every digest before SHA-256.
const WEAK_RSA: u32 = 2048;
const WEAK_CURVE: u32 = 256;
const WEAK_DIGESTS: &[&str] = &["md2", "md5", "sha1", "sha224"];

/// What features are worked out from, each known or not.
pub(crate) struct Evidence {
    pub(crate) system: Fact<System>,
    pub(crate) identity: Fact<Identity>,
    /// Plugins as `show system info` lists them; `None` where it does not.
    pub(crate) plugin_versions: Fact<Option<Vec<(String, String)>>>,
    pub(crate) ha: Fact<Ha>,
    pub(crate) disks: Fact<Vec<disk::Row>>,
    pub(crate) memory: Fact<Memory>,
    pub(crate) configuration: Fact<Found>,
    pub(crate) certificates: Fact<Vec<Certificate>>,
    /// Which of the [`suspects`] anything names.
    pub(crate) used_suspects: Fact<BTreeSet<String>>,
    pub(crate) panorama: Fact<PanoramaLink>,
    pub(crate) plugins: Fact<Vec<Plugin>>,
    pub(crate) default_master_key: Fact<bool>,
    /// The whole text of the inventory of a chassis.
    pub(crate) chassis: Fact<String>,
    pub(crate) reserved_space: Fact<u64>,
}

/// Every name of the vocabulary.
pub(crate) fn features(evidence: &Evidence) -> Features {
    let flags = of_the_device(evidence)
        .into_iter()
        .chain(of_the_configuration(evidence))
        .map(|(name, fact)| (name.to_owned(), fact));
    let numbers = numbers(evidence)
        .into_iter()
        .map(|(name, fact)| (name.to_owned(), fact));
    Features {
        flags: flags.collect(),
        numbers: numbers.collect(),
    }
}

/// `<expire-at>0</expire-at>`, or in words `Master key expires at: unspecified`: a key of one's own always has an end.
pub(crate) fn default_master_key(result: &Node) -> Result<bool, Failure> {
    if let Some(end) = result.value("expire-at") {
        return match end {
            "0" => Ok(true),
            // `2027/03/01 10:00:00`.
            end if end.starts_with("20") => Ok(false),
            end => Err(Failure::unreadable(format!(
                "the master key expires at {:?}",
                printable(end, 40)
            ))),
        };
    }
    let expires = result
        .text()
        .lines()
        .find_map(|line| line.trim().strip_prefix("Master key expires at:"));
    match expires.map(str::trim) {
        Some("unspecified") => Ok(true),
        Some(instant) if !instant.is_empty() => Ok(false),
        _ => Err(Failure::unreadable("when the master key expires")),
    }
}

/// Attribute 232 of the disk: `232 Available_Reservd_Space 0x0033 100 100 010 Pre-fail Always - 0`, of which the fourth
/// column is the normalised value.
pub(crate) fn reserved_space(result: &Node) -> Result<u64, Failure> {
    let mut lines = Vec::new();
    result.all_text(&mut lines);
    let value = lines.iter().flat_map(|text| text.lines()).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        match columns[..] {
            ["232", _, flag, value, ..] if flag.starts_with("0x") => whole_number(value),
            _ => None,
        }
    });
    // Normalised values have one octet.
    value
        .filter(|value| *value <= 255)
        .ok_or_else(|| Failure::unreadable("attribute 232 of the disk"))
}

/// The inventory of a chassis as one text.
pub(crate) fn whole_text(result: &Node) -> String {
    let mut lines = Vec::new();
    result.all_text(&mut lines);
    lines.join("\n")
}

type Named<T> = Vec<(&'static str, Fact<T>)>;

fn of_the_device(evidence: &Evidence) -> Named<bool> {
    let system = &evidence.system;
    let is_chassis = known(system, |system| system.model.starts_with("PA-70"));
    let holds = |part: &str| match &is_chassis {
        Fact::Known(false) => Fact::Known(false),
        _ => known(&evidence.chassis, |text| names_part(text, part)),
    };
    vec![
        ("ha", known(&evidence.ha, |ha| ha.enabled)),
        (
            "active-active",
            known(&evidence.ha, |ha| ha.mode.as_deref() == Some("Active-Active")),
        ),
        ("ha1-peer-in-other-subnet", peer_in_other_subnet(evidence)),
        ("multi-vsys", known(system, |system| system.multi_vsys)),
        (
            "fips-cc",
            and_then(system, |system| match &system.operational_mode {
                Some(mode) => Fact::Known(mode.eq_ignore_ascii_case("fips-cc")),
                None => unknown("the device does not name its operational mode"),
            }),
        ),
        (
            "panorama-managed",
            known(&evidence.panorama, |link| !link.servers.is_empty()),
        ),
        (
            "update-server-unreachable",
            unknown(
                "only a refresh of the software list tells, which reading facts does not ask the update server for",
            ),
        ),
        ("default-master-key", evidence.default_master_key.clone()),
        ("aws-gwlb", gateway_load_balancer(system)),
        ("plugins-installed", plugins_installed(evidence)),
        ("vm-50", known_small_vm(evidence)),
        (
            "first-generation-smc",
            either(holds("PA-7050-SMC"), holds("PA-7080-SMC")),
        ),
        ("npc-100g", holds("PA-7000-100G-NPC")),
    ]
}

/// A part as a word of its own: `PA-7050-SMC` is not in `PA-7050-SMC-B`. A letter of a revision at the end of a card
/// (`PA-7000-100G-NPC-A`) is part of the card's family.
fn names_part(text: &str, part: &str) -> bool {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let is_card = part.ends_with("NPC");
    words.into_iter().any(|word| {
        word == part || (is_card && word.strip_prefix(part).is_some_and(|rest| rest.starts_with('-')))
    })
}

fn gateway_load_balancer(system: &Fact<System>) -> Fact<bool> {
    and_then(system, |system| match system.model.starts_with("PA-VM") {
        true => unknown("the reply of `show plugins vm_series aws gwlb` is not documented"),
        false => Fact::Known(false),
    })
}

fn plugins_installed(evidence: &Evidence) -> Fact<bool> {
    match &evidence.plugin_versions {
        Fact::Known(Some(plugins)) if !plugins.is_empty() => Fact::Known(true),
        _ => and_then(&evidence.plugins, |plugins| {
            let installed: Vec<_> = plugins.iter().map(|plugin| plugin.installed).collect();
            match (installed.contains(&Some(true)), installed.contains(&None)) {
                (true, _) => Fact::Known(true),
                (false, true) => unknown("the device does not say which of its plugins are installed"),
                (false, false) => Fact::Known(false),
            }
        }),
    }
}

fn known_small_vm(evidence: &Evidence) -> Fact<bool> {
    and_then(&evidence.system, |system| {
        match system.model.starts_with("PA-VM") {
            false => Fact::Known(false),
            true => and_then(&evidence.identity, |identity| match &identity.vm_license {
                Some(license) => Fact::Known(license.starts_with("VM-50")),
                None => unknown("the device does not name its VM licence"),
            }),
        }
    })
}

/// HA1 addresses of this member and of its peer, in the configuration of this one.
fn peer_in_other_subnet(evidence: &Evidence) -> Fact<bool> {
    if let Fact::Known(Ha { enabled: false, .. }) = &evidence.ha {
        return Fact::Known(false);
    }
    and_then(&evidence.configuration, |found| {
        let settings = &found.settings;
        let address = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Ipv4Addr>().ok());
        match (
            address(&settings.ha1_peer),
            address(&settings.ha1_address),
            address(&settings.ha1_netmask),
        ) {
            (Some(peer), Some(own), Some(mask)) => Fact::Known((peer & mask) != (own & mask)),
            _ => unknown(
                "the configuration does not hold the HA1 addresses of both members as IPv4 with a netmask",
            ),
        }
    })
}

/// Whether the ids `vsys1`, `vsys2`, ... have a gap (PAN-298505). A device has one virtual system at least, so a
/// configuration that shows none does not tell.
fn vsys_id_gap(evidence: &Evidence) -> Fact<bool> {
    and_then(&evidence.configuration, |found| {
        let ids = found
            .settings
            .vsys
            .iter()
            .map(|id| id.strip_prefix("vsys")?.parse().ok());
        let ids: Option<BTreeSet<u64>> = ids.collect();
        match ids {
            Some(ids) if !ids.is_empty() => {
                let wanted = 1..=u64::try_from(ids.len()).unwrap_or(u64::MAX);
                Fact::Known(!ids.into_iter().eq(wanted))
            }
            _ => unknown("the configuration does not show its virtual systems by their ids"),
        }
    })
}

fn of_the_configuration(evidence: &Evidence) -> Named<bool> {
    let setting = |has: fn(&Found) -> bool| in_configuration(evidence, has);
    vec![
        ("advanced-routing", advanced_routing(evidence)),
        ("ospf", setting(|found| found.settings.ospf)),
        (
            "ospf-point-to-point",
            setting(|found| found.settings.ospf_point_to_point),
        ),
        ("user-id", setting(|found| found.settings.user_id_zone)),
        ("vsys-id-gap", vsys_id_gap(evidence)),
        ("hsm", setting(|found| found.settings.hsm)),
        (
            "edl-without-certificate-profile",
            pushable(evidence, |found| {
                found.lists().iter().any(|list| {
                    let source = list.source.as_deref().unwrap_or_default();
                    source.to_ascii_lowercase().starts_with("https://") && list.certificate_profile.is_none()
                })
            }),
        ),
        (
            "captive-portal-tls-without-max-version",
            portal_without_maximum(evidence),
        ),
        (
            "chacha20-in-decryption-profile",
            pushable(evidence, |found| found.settings.chacha20),
        ),
        ("weak-certificate", weak_certificate(evidence)),
        ("policy-application-usage", application_usage(evidence)),
        ("fail-to-wire", setting(|found| found.settings.fail_open)),
        (
            "ike-on-aggregate-dhcp",
            setting(|found| {
                let settings = &found.settings;
                !settings.ike_interfaces.is_disjoint(&settings.dhcp_aggregates)
            }),
        ),
        ("nat", pushable(evidence, |found| found.settings.nat)),
    ]
}

/// A setting that a Panorama template can push. That it is not in the running configuration proves something where
/// nothing is pushed, or where what is pushed is in it.
fn in_configuration(evidence: &Evidence, has: impl Fn(&Found) -> bool) -> Fact<bool> {
    and_then(&evidence.configuration, |found| {
        match (has(found), is_managed(evidence)) {
            (true, _) => Fact::Known(true),
            (false, Fact::Known(false)) => Fact::Known(false),
            (false, _) if found.has_template_values => Fact::Known(false),
            (false, _) => unknown(TEMPLATE_UNSEEN),
        }
    })
}

/// A setting that a Panorama device group can push: the running configuration never holds what it pushed.
fn pushable(evidence: &Evidence, has: impl Fn(&Found) -> bool) -> Fact<bool> {
    and_then(&evidence.configuration, |found| {
        match (has(found), is_managed(evidence)) {
            (true, _) => Fact::Known(true),
            (false, Fact::Known(false)) => Fact::Known(false),
            (false, _) => unknown(
                "not in the device's own configuration, and what a Panorama device group pushes is not in it",
            ),
        }
    })
}

const TEMPLATE_UNSEEN: &str =
    "not in the device's own configuration, and what a Panorama template pushes may not be in it";

fn is_managed(evidence: &Evidence) -> Fact<bool> {
    known(&evidence.panorama, |link| !link.servers.is_empty())
}

fn advanced_routing(evidence: &Evidence) -> Fact<bool> {
    match &evidence.identity {
        Fact::Known(Identity {
            advanced_routing: Some(on),
            ..
        }) => Fact::Known(*on),
        _ => in_configuration(evidence, |found| found.settings.advanced_routing),
    }
}

/// On unless it was switched off.
fn application_usage(evidence: &Evidence) -> Fact<bool> {
    match in_configuration(evidence, |found| found.settings.application_usage_off) {
        Fact::Known(off) => Fact::Known(!off),
        Fact::Unknown(reason) => Fact::Unknown(reason),
    }
}

fn portal_without_maximum(evidence: &Evidence) -> Fact<bool> {
    and_then(&evidence.configuration, |found| {
        let settings = &found.settings;
        let mut missing = Vec::new();
        for (vsys, profile) in &settings.portal_profiles {
            let own = settings.tls_profiles.get(&(vsys.clone(), profile.clone()));
            let shared = || settings.tls_profiles.get(&("shared".to_owned(), profile.clone()));
            match own.or_else(shared) {
                Some(false) => return Fact::Known(true),
                Some(true) => {}
                None => missing.push(profile.as_str()),
            }
        }
        match missing.first() {
            Some(profile) => unknown(format!(
                "the service profile {profile} is not in the device's own configuration"
            )),
            None => in_configuration(evidence, |_| false),
        }
    })
}

/// A weak certificate that something names. The certificates themselves are local even where Panorama names them.
fn weak_certificate(evidence: &Evidence) -> Fact<bool> {
    and_then(&evidence.used_suspects, |used| {
        and_then(&evidence.certificates, |certificates| {
            let in_use = certificates
                .iter()
                .filter(|certificate| used.contains(&certificate.name));
            let mut unread = None;
            for certificate in in_use {
                match is_weak(certificate) {
                    Some(true) => return Fact::Known(true),
                    Some(false) => {}
                    None => unread = unread.or(Some(certificate)),
                }
            }
            match unread {
                Some(one) => unknown(format!(
                    "the certificate {} of {} cannot be read",
                    one.name, one.place
                )),
                None => in_configuration(evidence, |_| false),
            }
        })
    })
}

/// The names of certificates that are not known to be strong, each as often as there are such.
pub(crate) fn suspects(certificates: &[Certificate]) -> Vec<String> {
    let names: BTreeSet<&str> = certificates
        .iter()
        .filter(|certificate| is_weak(certificate) != Some(false))
        .map(|certificate| certificate.name.as_str())
        .collect();
    // All of that name, strong ones too: each has an entry of its own.
    let all = certificates.iter().map(|certificate| &certificate.name);
    all.filter(|name| names.contains(name.as_str()))
        .cloned()
        .collect()
}

fn is_weak(certificate: &Certificate) -> Option<bool> {
    let weak_digest = certificate
        .digest
        .as_deref()
        .map(|digest| WEAK_DIGESTS.contains(&digest));
    let smallest = match certificate.algorithm.as_deref()? {
        "EC" => WEAK_CURVE,
        _ => WEAK_RSA,
    };
    let weak_key = match certificate.algorithm.as_deref()? {
        "Ed25519" | "Ed448" => Some(false),
        _ => certificate.bits.map(|bits| bits < smallest),
    };
    match (weak_key, weak_digest) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn numbers(evidence: &Evidence) -> Named<u64> {
    let mount = |path: &'static str, number: fn(&disk::Row) -> Option<u64>| {
        and_then(&evidence.disks, |rows| {
            let row = rows.iter().find(|row| row.disk.mount == path);
            match row.and_then(number) {
                Some(number) => Fact::Known(number),
                None => unknown(format!("the device does not list {path}, or not how full it is")),
            }
        })
    };
    vec![
        ("memory-mb", memory_mb(evidence)),
        ("root-used-percent", mount("/", |row| row.used_percent)),
        (
            "pancfg-used-percent",
            mount("/opt/pancfg", |row| row.used_percent),
        ),
        (
            "panrepo-free-mb",
            mount("/opt/panrepo", |row| Some(row.disk.available_mb)),
        ),
        (
            "content",
            and_then(&evidence.system, |system| {
                match content_number(&system.app_version) {
                    Ok((number, _)) => Fact::Known(number),
                    Err(_) if system.app_version.is_empty() => unknown("no content is installed"),
                    Err(failure) => unknown(failure.to_string()),
                }
            }),
        ),
        ("ssd-attribute-232", evidence.reserved_space.clone()),
        ("vm-plugin-version", vm_plugin(evidence)),
    ]
}

/// A virtual firewall says what it was given; any other, what it has.
fn memory_mb(evidence: &Evidence) -> Fact<u64> {
    match &evidence.identity {
        Fact::Known(Identity {
            vm_memory_mb: Some(memory),
            ..
        }) => Fact::Known(*memory),
        _ => known(&evidence.memory, |memory| memory.total_mb),
    }
}

/// The installed vm_series plugin `M.N.P[-hQ]` as one number that can be compared: `M*1000000 + N*10000 + P*100 + Q`.
fn vm_plugin(evidence: &Evidence) -> Fact<u64> {
    const NAME: &str = "vm_series";
    let listed = match &evidence.plugin_versions {
        Fact::Known(Some(plugins)) => {
            let found = plugins.iter().find(|(name, _)| name == NAME);
            found.map(|(_, version)| version.clone())
        }
        Fact::Known(None) | Fact::Unknown(_) => None,
    };
    let installed = || {
        let plugins = evidence.plugins.known()?;
        let found = plugins
            .iter()
            .find(|plugin| plugin.name == NAME && plugin.installed == Some(true));
        found?.version.clone()
    };
    match listed.or_else(installed) {
        None => unknown("the device does not list an installed vm_series plugin"),
        Some(version) => match plugin_number(&version) {
            Some(number) => Fact::Known(number),
            None => unknown(format!("the vm_series plugin {:?}", printable(&version, 40))),
        },
    }
}

fn plugin_number(version: &str) -> Option<u64> {
    let (release, hotfix) = match version.split_once("-h") {
        Some((release, hotfix)) => (release, whole_number(hotfix)?),
        None => (version, 0),
    };
    let parts = release.split('.').map(whole_number).collect::<Option<Vec<_>>>()?;
    let [major, minor, patch] = parts[..] else {
        return None;
    };
    // More than two digits would run into the place of the part before.
    if major > 999 || minor > 99 || patch > 99 || hotfix > 99 {
        return None;
    }
    Some(major * 1_000_000 + minor * 10_000 + patch * 100 + hotfix)
}

fn unknown<T>(reason: impl Into<String>) -> Fact<T> {
    Fact::Unknown(reason.into())
}

fn known<T, U>(fact: &Fact<T>, read: impl FnOnce(&T) -> U) -> Fact<U> {
    and_then(fact, |value| Fact::Known(read(value)))
}

fn and_then<T, U>(fact: &Fact<T>, read: impl FnOnce(&T) -> Fact<U>) -> Fact<U> {
    match fact {
        Fact::Known(value) => read(value),
        Fact::Unknown(reason) => Fact::Unknown(reason.clone()),
    }
}

/// Yes where one is, no where both are not.
fn either(one: Fact<bool>, other: Fact<bool>) -> Fact<bool> {
    match (one, other) {
        (Fact::Known(true), _) | (_, Fact::Known(true)) => Fact::Known(true),
        (Fact::Known(false), other) => other,
        (one, _) => one,
    }
}

#[cfg(test)]
mod tests;
