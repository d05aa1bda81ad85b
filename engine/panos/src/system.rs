//! Reads `show system info`, the yes/no answers, and the configuration locks.
//! Knows these replies; must not know how they were asked for or what follows from them.

use hopgate_paths::Version;
use hopgate_playbooks::System;

use crate::error::Failure;
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

/// The two kinds of lock an administrator can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    Configuration,
    Commit,
}

/// `<config-locks><entry name="admin"><type>shared</type>..`: `configuration lock of admin (shared)` for each. An entry
/// without a name is still a lock.
pub(crate) fn locks(result: &Node, kind: Lock) -> Result<Vec<String>, Failure> {
    let (element, words) = match kind {
        Lock::Configuration => ("config-locks", "configuration lock"),
        Lock::Commit => ("commit-locks", "commit lock"),
    };
    let locks = result
        .child(element)
        .ok_or_else(|| Failure::unreadable(format!("<result> has no <{element}>")))?;
    let describe = |entry: &Node| {
        let holder = printable(entry.attribute("name").unwrap_or("an unnamed administrator"), 80);
        match entry.value("type") {
            Some(scope) => format!("{words} of {holder} ({})", printable(scope, 40)),
            None => format!("{words} of {holder}"),
        }
    };
    Ok(locks.children_named("entry").map(describe).collect())
}

#[cfg(test)]
mod tests;
