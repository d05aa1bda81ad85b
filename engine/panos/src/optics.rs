//! Reads the optics of a device from the text of `show system state filter sys.s*.p*.phy`.
//! Knows the state dump's grammar; must not know which modules are supported (the catalogue's list does).

use std::collections::BTreeMap;

use hopgate_playbooks::{Optic, read_module};

use crate::error::Failure;
use crate::state_dump::{NO_MATCHES, Value, entries, unreadable};
use crate::xml::{Node, printable};

/// The ports of the dump in order of slot and port. A device without such ports (a virtual one) has none.
///
/// What is written in a module comes from a chip that anybody can program: a dump that can be read in two ways (a
/// port or a field twice) is unreadable as a whole.
pub(crate) fn optics(result: &Node) -> Result<Vec<Optic>, Failure> {
    let mut ports = BTreeMap::new();
    for (key, value) in entries(result)? {
        let Some(port) = key.strip_prefix("sys.s").and_then(|key| key.strip_suffix(".phy")) else {
            continue;
        };
        let fields = match value {
            Value::Block(fields) => fields,
            // A filter without a star answers for the port itself.
            Value::Text(text) if text == NO_MATCHES => continue,
            Value::Text(_) => return Err(unreadable(&key, "its value is not a block")),
        };
        // Left out, it would look like a port without a module.
        let place = place(port).ok_or_else(|| unreadable(&key, "it does not name a slot and a port"))?;
        if ports.insert(place, optic(place, &fields)).is_some() {
            return Err(unreadable(&key, "it is listed twice"));
        }
    }
    Ok(ports.into_values().collect())
}

/// Slot and port of `1.p5`.
fn place(text: &str) -> Option<(u32, u32)> {
    let (slot, port) = text.split_once(".p")?;
    Some((slot.parse().ok()?, port.parse().ok()?))
}

fn optic(place: (u32, u32), fields: &BTreeMap<String, Value>) -> Optic {
    let text = |fields: &BTreeMap<String, Value>, name: &str| match fields.get(name) {
        Some(Value::Text(text)) if !matches!(text.as_str(), "" | "n/a" | "None") => Some(printable(text, 80)),
        Some(Value::Text(_) | Value::Block(_)) | None => None,
    };
    let none = BTreeMap::new();
    let module = match fields.get("sfp") {
        Some(Value::Block(module)) => module,
        Some(Value::Text(_)) | None => &none,
    };
    read_module(
        place,
        text(fields, "media").unwrap_or_default(),
        text(module, "vendor-name"),
        text(module, "vendor-part-number"),
        text(module, "vendor-serial-number"),
    )
}

#[cfg(test)]
mod tests;
