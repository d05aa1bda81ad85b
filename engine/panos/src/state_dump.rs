//! Reads the text of `show system state`: `key: { 'name': value, 'block': { .. }, }`, one key after another.
//! Knows the grammar of a dump; must not know any key of it.

use std::collections::BTreeMap;

use crate::error::Failure;
use crate::xml::{Node, printable};

/// Blocks inside blocks inside blocks do not occur; this only bounds the recursion.
const DEPTH_MAX: usize = 8;

/// What stands in place of a value where nothing matches the filter.
pub(crate) const NO_MATCHES: &str = "NO_MATCHES";

/// The keys of a dump and their values, in its order. A filter without a match gives the filter itself with the text
/// [`NO_MATCHES`].
pub(crate) fn entries(result: &Node) -> Result<Vec<(String, Value)>, Failure> {
    let mut dump = Dump { rest: result.text() };
    if dump.rest.is_empty() {
        return Err(Failure::unreadable("an empty state dump"));
    }
    let mut entries = Vec::new();
    while let Some(entry) = dump.line()? {
        entries.push(entry);
    }
    Ok(entries)
}

pub(crate) fn unreadable(key: &str, why: &str) -> Failure {
    Failure::unreadable(format!("{} in the state dump: {why}", printable(key, 60)))
}

/// A value of the dump: a block in braces, or text without quotes and without an end of its own.
#[derive(Debug)]
pub(crate) enum Value {
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
        // Up to the end of the line, any blank: a block behind one that nobody thought of is no text.
        self.rest = self.rest[length..].trim_start_matches(|c: char| c.is_whitespace() && c != '\n');
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
        // Looks no further than the name goes: this is asked at every comma of a value, however long the rest is.
        let (quoted, inner) = match text.strip_prefix('\'') {
            Some(inner) => (true, inner),
            None => (false, text),
        };
        // `sys.s*.p*.phy` is the filter itself, in a dump without matches. Interfaces are names with a slash; without
        // quotes such a name is more likely a part of a value.
        let of_a_name =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte) || (quoted && byte == b'/');
        let length = inner.bytes().position(|byte| !of_a_name(byte))?;
        let name = &inner[..length];
        let end = if quoted {
            inner[length..].strip_prefix('\'')?;
            length + 2
        } else {
            length
        };
        let after = text[end..].strip_prefix(':')?;
        let ended = after.is_empty() || after.starts_with([' ', '\t', '\n', '\r', '{']);
        (!name.is_empty() && ended).then(|| {
            let name = name.to_owned();
            (Self { name, quoted }, end + 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::parse;

    fn read(text: &str) -> Result<Vec<(String, Value)>, Failure> {
        entries(&parse(format!("<result><![CDATA[{text}]]></result>").as_bytes()).unwrap())
    }

    #[test]
    fn a_block_behind_a_blank_that_nobody_thought_of_is_no_text() {
        assert!(read("s: \u{c}{ hY2t").is_err());
        let [(key, Value::Block(block))] = &read("s: \u{a0}{ 'a': b, }").unwrap()[..] else {
            panic!("no block")
        };
        assert_eq!((key.as_str(), block.len()), ("s", 1));
    }

    /// The time is what the runner allows: looking for the end of a name through the whole rest, this takes minutes.
    #[test]
    fn a_value_of_many_commas_is_read_in_one_pass() {
        let commas = ",a".repeat(1_000_000);
        for dump in [
            format!("a: {{ b: x{commas} }}"),
            format!("a: {{ 'b': x{commas} }}"),
            format!("a: {{ 'b': x{}, }}", ",'a".repeat(1_000_000)),
        ] {
            assert_eq!(read(&dump).unwrap().len(), 1);
        }
    }
}
