//! Days and times as devices write them, read to the letter.
//! Knows that a time which is damaged must not turn into another one; must not know what any time means.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::{self, BrokenDownTime};

/// Logs, locks: `2026/11/21 10:00:41`.
pub(crate) const STAMP: &str = "%Y/%m/%d %H:%M:%S";

/// A date and time that stands there in one of these ways.
pub(crate) fn time(ways: &[&str], text: &str) -> Option<DateTime> {
    ways.iter()
        .find_map(|way| written_so(way, text)?.to_datetime().ok())
}

/// A day that stands there in one of these ways.
pub(crate) fn day(ways: &[&str], text: &str) -> Option<Date> {
    ways.iter().find_map(|way| written_so(way, text)?.to_date().ok())
}

/// Seconds since 1970 in ten digits, which are those from 2001 to 2286: with one lost they would be a year long past.
pub(crate) fn epoch_seconds(text: &str) -> Option<i64> {
    let ten_digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    ten_digits.then(|| text.parse().ok())?
}

/// Written in the same way again, it has to be the same text: reading alone takes fewer digits, signs and blanks for what
/// was meant, and `026/11/21` for a day of the year 26.
fn written_so(way: &str, text: &str) -> Option<BrokenDownTime> {
    let read = strtime::parse(way, text).ok()?;
    let same = read.to_string(way).ok()? == text;
    // The sign is a digit of a year before the first.
    (same && read.year()? > 0).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_to_the_letter() {
        let read = time(&[STAMP], "2026/11/21 10:00:41");
        assert_eq!(read, Some("2026-11-21T10:00:41".parse().unwrap()));
        for damaged in [
            "026/11/21 10:00:41",
            "-026/11/21 10:00:41",
            "+026/11/21 10:00:41",
            "2026/ 1/21 10:00:41",
            "2026/1/21 10:00:41",
            "2026/11/2  10:00:41",
            "2026/11/21  0:00:41",
            "2026/11/21 10:00: 1",
            "2026/11/21 10:00:4",
            "2026/11/21 10:00:4 ",
            "2026/02/30 10:00:41",
            "2026/11/21  10:00:41",
            "2026/11/21",
        ] {
            assert_eq!(time(&[STAMP], damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn a_day_is_read_in_any_of_the_ways_and_in_no_other() {
        let ways = ["%B %-d, %Y", "%B %d, %Y"];
        for (text, expected) in [
            ("January 5, 2025", Some("2025-01-05")),
            ("June 01, 2027", Some("2027-06-01")),
            ("December 31, 2099", Some("2099-12-31")),
            ("December  1, 2099", None),
            ("December 3 , 2099", None),
            ("January 5, 025", None),
            ("January 5, 202", None),
            ("May 32, 2024", None),
            ("someday", None),
        ] {
            let expected = expected.map(|day| day.parse().unwrap());
            assert_eq!(day(&ways, text), expected, "{text}");
        }
    }

    #[test]
    fn seconds_since_1970_have_ten_digits() {
        for (text, expected) in [
            ("1735689600", Some(1_735_689_600)),
            ("735689600", None),
            ("-735689600", None),
            ("+735689600", None),
            ("17356896000", None),
            ("", None),
        ] {
            assert_eq!(epoch_seconds(text), expected, "{text}");
        }
    }
}
