//! Reads the names in a certificate: whom it names, and who issued it.
//! Knows how a name is written for people; must not know what any of them is good for.

use super::{Der, OBJECT_ID, SEQUENCE, object_id};
use crate::xml::printable;

const SET: u8 = 0x31;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const BMP_STRING: u8 = 0x1e;

/// Characters of a name that are kept. Names of certificates that are in use are a third of it.
const NAME: usize = 300;

/// `Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }` (RFC 5280, 4.1.2.4), in the one line that a configuration has for it:
/// `/C=US/O=Example/CN=fw1`. None for an empty name, and for one that cannot be read.
pub(super) fn read(name: &[u8]) -> Option<String> {
    let mut line = String::new();
    let mut sets = Der(name);
    while !sets.is_empty() {
        let mut parts = Der(sets.expect(SET)?);
        while !parts.is_empty() {
            let mut part = Der(parts.expect(SEQUENCE)?);
            let id = object_id(part.expect(OBJECT_ID)?)?;
            let value = part.next()?;
            line.push('/');
            line.push_str(abbreviation(&id).unwrap_or(&id));
            line.push('=');
            line.push_str(&text(value.tag, value.content)?);
        }
    }
    (!line.is_empty()).then(|| printable(&line, NAME))
}

/// Of the types that certificates have (RFC 4519 and RFC 2985); any other is told by its number.
fn abbreviation(id: &str) -> Option<&'static str> {
    Some(match id {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

fn text(tag: u8, content: &[u8]) -> Option<String> {
    match tag {
        UTF8_STRING | PRINTABLE_STRING | IA5_STRING => String::from_utf8(content.to_vec()).ok(),
        // Written as Latin-1 by everybody who writes it at all.
        TELETEX_STRING => Some(content.iter().copied().map(char::from).collect()),
        BMP_STRING => {
            let (units, rest) = content.as_chunks::<2>();
            let units: Vec<u16> = units.iter().copied().map(u16::from_be_bytes).collect();
            rest.is_empty().then(|| String::from_utf16(&units).ok())?
        }
        _ => None,
    }
}
