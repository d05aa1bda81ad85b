//! What to think of a module: the allowlist of part numbers.
//!
//! Responsible for: classifying what is in a port from what the port and the module say. Must not know: models,
//! defects or releases; which of them an optic endangers is a check's business.

use std::sync::OnceLock;

use hopgate_paths::Confidence;
use serde::Deserialize;

use crate::facts::OpticClass;

const EMBEDDED: &str = include_str!("../library/optics-allowlist.yaml");

/// What to think of a port that says `media`, with a module that names `vendor` and `part`.
///
/// The vendor's name is no proof and never makes a module allowed; a module that does not name a part is unreadable,
/// not harmless (a passive firewall may not be able to read its modules at all, PAN-232924).
pub fn classify(media: &str, vendor: Option<&str>, part: Option<&str>) -> OpticClass {
    static ALLOWLIST: OnceLock<Option<Allowlist>> = OnceLock::new();
    match ALLOWLIST.get_or_init(|| Allowlist::parse(EMBEDDED).ok()) {
        Some(allowlist) => allowlist.classify(media, vendor, part),
        // The shipped list is held to be readable by a test; were it not, nothing could be vouched for.
        None => OpticClass::Unreadable,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowlist {
    empty_media: Vec<String>,
    fixed_media: Vec<String>,
    part_prefixes: Vec<PrefixRow>,
    parts: Vec<PartRow>,
    known_bad: Vec<PartRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartRow {
    part: String,
    #[expect(
        dead_code,
        reason = "a row must have a source; it is read by people, in the file"
    )]
    source: String,
    #[expect(dead_code, reason = "as the source")]
    confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefixRow {
    prefix: String,
    #[expect(
        dead_code,
        reason = "a row must have a source; it is read by people, in the file"
    )]
    source: String,
    #[expect(dead_code, reason = "as the source")]
    confidence: Confidence,
}

impl Allowlist {
    fn parse(text: &str) -> Result<Self, serde_saphyr::Error> {
        serde_saphyr::from_str(text)
    }

    fn classify(&self, media: &str, vendor: Option<&str>, part: Option<&str>) -> OpticClass {
        let media = media.trim();
        if self
            .empty_media
            .iter()
            .any(|empty| empty.eq_ignore_ascii_case(media))
        {
            return OpticClass::Empty;
        }
        if self
            .fixed_media
            .iter()
            .any(|fixed| fixed.eq_ignore_ascii_case(media))
        {
            return OpticClass::Fixed;
        }
        let Some(part) = part.map(str::trim).filter(|part| !part.is_empty()) else {
            return OpticClass::Unreadable;
        };
        let named = |rows: &[PartRow]| rows.iter().any(|row| row.part.eq_ignore_ascii_case(part));
        let begins = |row: &PrefixRow| {
            part.get(..row.prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(&row.prefix))
        };
        if named(&self.known_bad) {
            OpticClass::KnownBad
        } else if named(&self.parts) || self.part_prefixes.iter().any(begins) {
            OpticClass::Allowed
        } else if vendor.is_none_or(|vendor| vendor.trim().is_empty()) {
            OpticClass::Unreadable
        } else {
            OpticClass::UnknownVendor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_is_readable() {
        Allowlist::parse(EMBEDDED).unwrap();
    }

    #[test]
    fn modules_are_classified_by_part_and_never_by_vendor() {
        let rows = [
            ("SFP-Empty", None, None, OpticClass::Empty),
            ("sfp-empty ", Some("X"), Some("Y"), OpticClass::Empty),
            ("CAT5", None, None, OpticClass::Fixed),
            (
                "SFP-Plus-Fiber",
                Some("FINISAR CORP."),
                Some("FTLX1475D3BCL  "),
                OpticClass::UnknownVendor,
            ),
            ("SFP-Fiber", Some("OEM"), Some("pan-sfp-sx"), OpticClass::Allowed),
            ("SFP-Fiber", None, Some("PAN-SFP-LX"), OpticClass::Allowed),
            (
                "SFP-Fiber",
                Some("Palo Alto Networks"),
                Some("SFP-1G-LX"),
                OpticClass::UnknownVendor,
            ),
            ("SFP-Fiber", Some("FS"), Some("PA"), OpticClass::UnknownVendor),
            ("SFP-Fiber", Some("FS"), Some("PÄN-1"), OpticClass::UnknownVendor),
            ("SFP-Fiber", None, Some("SFP-1G-LX"), OpticClass::Unreadable),
            ("SFP-Fiber", Some("FS"), None, OpticClass::Unreadable),
            ("SFP-Fiber", Some("FS"), Some("  "), OpticClass::Unreadable),
            ("", None, None, OpticClass::Unreadable),
        ];
        for (media, vendor, part, expected) in rows {
            assert_eq!(
                classify(media, vendor, part),
                expected,
                "{media} {vendor:?} {part:?}"
            );
        }
    }

    #[test]
    fn what_does_harm_is_not_saved_by_its_name() {
        let bad = "known_bad:\n  - {part: PAN-SFP-X, source: a ticket, confidence: low}";
        let list = Allowlist::parse(&EMBEDDED.replace("known_bad: []", bad)).unwrap();
        assert_eq!(
            list.classify("SFP-Fiber", Some("OEM"), Some("PAN-SFP-X")),
            OpticClass::KnownBad
        );
    }
}
