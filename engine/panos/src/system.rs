//! Reads `show system info`, the yes/no answers, and the configuration locks.
//! Knows these replies; must not know how they were asked for or what follows from them.

use hopgate_paths::Version;
use hopgate_playbooks::{HeldLock, Identity, LockKind, System};

use crate::error::Failure;
use crate::moment;
use crate::uptime;
use crate::xml::{Node, printable};

/// `<result><system>..`.
pub(crate) fn info(result: &Node) -> Result<System, Failure> {
    let system = result
        .child("system")
        .ok_or_else(|| Failure::unreadable("<result> has no <system>"))?;
    let uptime = system.required("uptime")?;
    Ok(System {
        hostname: system.required("hostname")?.to_owned(),
        model: system.required("model")?.to_owned(),
        serial: system.required("serial")?.to_owned(),
        sw_version: version(system.required("sw-version")?)?,
        // Absent until the first content package; then nothing is known of it, and no minimum is met.
        app_version: system.value("app-version").unwrap_or_default().to_owned(),
        uptime_seconds: uptime::seconds(uptime)
            .ok_or_else(|| Failure::unreadable(format!("the uptime is {:?}", printable(uptime, 40))))?,
        operational_mode: system.value("operational-mode").map(str::to_owned),
        multi_vsys: system.value("multi-vsys") == Some("on"),
    })
}

/// `<result>on</result>`, or a text that ends so: `Device Jumbo-Frame mode: on`.
pub(crate) fn on_or_off(result: &Node) -> Result<bool, Failure> {
    match result.text().rsplit([' ', ':']).next() {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        _ => Err(Failure::unreadable(format!(
            "expected on or off, found {:?}",
            printable(result.text(), 40)
        ))),
    }
}

/// The rest of the same reply. Nothing of it is needed, and what is not there is not known.
pub(crate) fn identity(result: &Node) -> Result<Identity, Failure> {
    let system = result
        .child("system")
        .ok_or_else(|| Failure::unreadable("<result> has no <system>"))?;
    let packages = system.children.iter().filter(|child| {
        child.name.ends_with("-version")
            && !matches!(child.name.as_str(), "sw-version" | "vpnclient-package-version")
    });
    let packages = packages.filter_map(|child| {
        let version = printable(system.value(&child.name)?, 80);
        // Packages that are not installed have version 0 or 0.0.0.
        let installed = version.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        installed.then(|| (printable(&child.name, 80), version))
    });
    Ok(Identity {
        family: system.words("family"),
        address: system.words("ip-address").filter(|address| address != "unknown"),
        mac: system.words("mac-address"),
        device_certificate: system.words("device-certificate-status"),
        advanced_routing: match system.value("advanced-routing") {
            Some("on") => Some(true),
            Some("off") => Some(false),
            _ => None,
        },
        vm_memory_mb: system.number("vm-mem").map(|kib| kib / KIB_PER_MIB),
        vm_license: system.words("vm-license"),
        cloud_mode: system.words("cloud-mode"),
        packages: packages.collect(),
    })
}

/// `<vm-mem>` is in KiB.
const KIB_PER_MIB: u64 = 1024;

/// The plugins that the same reply names: `<plugin_versions><entry name="vm_series" version="3.0.6">`. None where the
/// release does not list them there.
pub(crate) fn plugin_versions(result: &Node) -> Option<Vec<(String, String)>> {
    let listed = result.at(&["system", "plugin_versions"])?;
    let named = listed.children_named("entry").filter_map(|entry| {
        Some((
            printable(entry.attribute("name")?, 80),
            printable(entry.attribute("version")?, 80),
        ))
    });
    Some(named.collect())
}

/// A version that must be readable.
pub(crate) fn version(text: &str) -> Result<Version, Failure> {
    text.parse()
        .map_err(|error| Failure::unreadable(format!("{error}")))
}

/// `<result>yes</result>`; `show chassis-ready` pads it with a space and a newline.
pub(crate) fn yes_or_no(result: &Node) -> Result<bool, Failure> {
    match result.text() {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(Failure::unreadable(format!(
            "expected yes or no, found {:?}",
            printable(other, 40)
        ))),
    }
}

/// `<config-locks><entry name="admin"><type>shared</type>..`. An entry without a name is still a lock.
pub(crate) fn locks(result: &Node, kind: LockKind) -> Result<Vec<HeldLock>, Failure> {
    let element = match kind {
        LockKind::Configuration => "config-locks",
        LockKind::Commit => "commit-locks",
    };
    let locks = result
        .child(element)
        .ok_or_else(|| Failure::unreadable(format!("<result> has no <{element}>")))?;
    let lock = |entry: &Node| HeldLock {
        kind,
        holder: entry.attribute("name").map(|name| printable(name, 80)),
        scope: entry.value("type").map(|scope| printable(scope, 40)),
        since: entry
            .value("created")
            .and_then(|created| moment::time(&[moment::STAMP], created)),
        comment: entry.words("comment"),
    };
    Ok(locks.children_named("entry").map(lock).collect())
}

/// A lock in words: `configuration lock of admin (shared)`.
pub(crate) fn lock_in_words(lock: &HeldLock) -> String {
    let words = match lock.kind {
        LockKind::Configuration => "configuration lock",
        LockKind::Commit => "commit lock",
    };
    let holder = lock.holder.as_deref().unwrap_or("an unnamed administrator");
    match &lock.scope {
        Some(scope) => format!("{words} of {holder} ({scope})"),
        None => format!("{words} of {holder}"),
    }
}

#[cfg(test)]
mod tests;
