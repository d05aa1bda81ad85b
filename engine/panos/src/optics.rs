//! Reads the optics of a device from the text of `show system state filter sys.s*.p*.phy`.
//! Knows the state dump's grammar; must not know which optics are harmful (the playbooks' allowlist does).

use std::collections::BTreeMap;

use hopgate_playbooks::{Optic, classify};

use crate::error::Failure;
use crate::xml::{Node, printable};

/// Blocks inside blocks inside blocks do not occur; this only bounds the recursion.
const DEPTH_MAX: usize = 8;

/// The ports of the dump in order of slot and port. A device without such ports (a virtual one) has none.
///
/// What is written in a module comes from a chip that anybody can program: a dump that can be read in two ways (a
/// port or a field twice) is unreadable as a whole.
pub(crate) fn optics(result: &Node) -> Result<Vec<Optic>, Failure> {
    let mut ports = BTreeMap::new();
    let mut dump = Dump { rest: result.text() };
    if dump.rest.is_empty() {
        return Err(Failure::unreadable("an empty state dump"));
    }
    while let Some((key, value)) = dump.line()? {
        let Some(place) = place(&key) else { continue };
        let port = match value {
            Value::Block(port) => port,
            // A filter without a star answers for the port itself.
            Value::Text(text) if text == NO_MATCHES => continue,
            Value::Text(_) => return Err(unreadable(&key, "its value is not a block")),
        };
        if ports.insert(place, optic(place, &port)).is_some() {
            return Err(unreadable(&key, "it is listed twice"));
        }
    }
    Ok(ports.into_values().collect())
}

const NO_MATCHES: &str = "NO_MATCHES";

/// Slot and port of `sys.s1.p5.phy`.
fn place(key: &str) -> Option<(u32, u32)> {
    let (slot, port) = key
        .strip_prefix("sys.s")?
        .strip_suffix(".phy")?
        .split_once(".p")?;
    Some((slot.parse().ok()?, port.parse().ok()?))
}

fn optic((slot, port): (u32, u32), fields: &BTreeMap<String, Value>) -> Optic {
    let text = |fields: &BTreeMap<String, Value>, name: &str| match fields.get(name) {
        Some(Value::Text(text)) if !matches!(text.as_str(), "" | "n/a" | "None") => Some(printable(text, 80)),
        Some(Value::Text(_) | Value::Block(_)) | None => None,
    };
    let none = BTreeMap::new();
    let module = match fields.get("sfp") {
        Some(Value::Block(module)) => module,
        Some(Value::Text(_)) | None => &none,
    };
    let media = text(fields, "media").unwrap_or_default();
    let vendor = text(module, "vendor-name");
    let part = text(module, "vendor-part-number");
    Optic {
        slot,
        port,
        interface: format!("ethernet{slot}/{port}"),
        class: classify(&media, vendor.as_deref(), part.as_deref()),
        media,
        vendor,
        part,
        serial: text(module, "vendor-serial-number"),
    }
}

fn unreadable(key: &str, why: &str) -> Failure {
    Failure::unreadable(format!("{} in the state dump: {why}", printable(key, 60)))
}

/// A value of the dump: a block in braces, or text without quotes and without an end of its own.
enum Value {
    Text(String),
    Block(BTreeMap<String, Value>),
}

/// The unread rest of a dump.
///
/// Two dialects: plain, `key: { 'media': SFP-Fiber, 'sfp': { 'vendor-name': ACME, INC.   , }, }` on a line, and
/// pretty, the same over many lines and without quotes around keys. Values hold spaces, dots and commas.
struct Dump<'a> {
    rest: &'a str,
}

impl Dump<'_> {
    /// The next `key: value` at the top, where a text value ends with its line.
    fn line(&mut self) -> Result<Option<(String, Value)>, Failure> {
        self.skip_separators();
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.key()?.name;
        if self.rest.starts_with('{') {
            let block = self.block(&key, 1)?;
            return Ok(Some((key, Value::Block(block))));
        }
        let (text, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        Ok(Some((key, Value::Text(text.trim().to_owned()))))
    }

    fn block(&mut self, owner: &str, depth: usize) -> Result<BTreeMap<String, Value>, Failure> {
        if depth > DEPTH_MAX {
            return Err(unreadable(owner, "blocks are nested too deeply"));
        }
        self.rest = self.rest.strip_prefix('{').unwrap_or(self.rest);
        let mut fields = BTreeMap::new();
        loop {
            self.skip_separators();
            if let Some(rest) = self.rest.strip_prefix('}') {
                self.rest = rest;
                return Ok(fields);
            }
            if self.rest.is_empty() {
                return Err(unreadable(owner, "the dump breaks off"));
            }
            let key = self.key()?;
            let value = if self.rest.starts_with('{') {
                Value::Block(self.block(&key.name, depth + 1)?)
            } else {
                Value::Text(self.text(&key)?)
            };
            if fields.insert(key.name.clone(), value).is_some() {
                return Err(unreadable(&key.name, "the field is there twice"));
            }
        }
    }

    fn key(&mut self) -> Result<Key, Failure> {
        let (key, length) = Key::at(self.rest).ok_or_else(|| unreadable(self.rest, "this is not a field"))?;
        self.rest = self.rest[length..].trim_start_matches([' ', '\t']);
        Ok(key)
    }

    /// A text value: up to the closing brace, or to a comma that is followed by that brace or by the next field in
    /// the dialect of this one. Any other comma is part of the value.
    fn text(&mut self, key: &Key) -> Result<String, Failure> {
        let end = self
            .rest
            .char_indices()
            .find(|&(at, c)| match c {
                '}' => true,
                ',' => {
                    let next = self.rest[at + 1..].trim_start();
                    next.starts_with('}') || Key::at(next).is_some_and(|(next, _)| next.quoted == key.quoted)
                }
                _ => false,
            })
            .map(|(at, _)| at)
            .ok_or_else(|| unreadable(&key.name, "the dump breaks off"))?;
        let text = self.rest[..end].trim();
        self.rest = &self.rest[end..];
        Ok(text.trim_matches('\'').trim().to_owned())
    }

    fn skip_separators(&mut self) {
        self.rest = self
            .rest
            .trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
}

struct Key {
    name: String,
    quoted: bool,
}

impl Key {
    /// A field name and its colon at the start of `text`, and how many bytes they take.
    fn at(text: &str) -> Option<(Self, usize)> {
        let (name, quoted, end) = match text.strip_prefix('\'') {
            Some(inner) => {
                let length = inner.find('\'')?;
                (&inner[..length], true, length + 2)
            }
            None => {
                let length = text.find(':')?;
                (&text[..length], false, length)
            }
        };
        // `sys.s*.p*.phy` is the filter itself, in a dump without matches.
        let well_formed = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte));
        let after = text[end..].strip_prefix(':')?;
        let ended = after.is_empty() || after.starts_with([' ', '\t', '\n', '\r', '{']);
        (well_formed && ended).then(|| {
            let name = name.to_owned();
            (Self { name, quoted }, end + 1)
        })
    }
}

#[cfg(test)]
mod tests;
