//! Cron expressions in a time zone: `30 2 * * mon-fri`, and which instant comes next.
//!
//! Five fields as crontab(5) has them: minute, hour, day of month, month, day of week; where both days are given, either
//! will do. A local time that the zone skips counts after the gap, one that it has twice counts the first time.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// The days that are looked through: the 29th of February comes at most eight years after the last one.
const DAYS: usize = 9 * 366;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// From Sunday, which is 0 and 7.
const WEEKDAYS: [&str; 8] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Times that come again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    days: BTreeSet<i8>,
    months: BTreeSet<i8>,
    weekdays: BTreeSet<i8>,
    /// Whether both kinds of days were given, so that either will do.
    either_day: bool,
}

/// A text that is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    /// It has not five fields.
    #[error("{text:?} has {found} fields; it takes five: minute, hour, day of month, month, day of week")]
    Fields {
        /// The text.
        text: String,
        /// How many fields it has.
        found: usize,
    },
    /// A field holds something else than its values.
    #[error("{part:?} is no {field} ({low} to {high}, lists, ranges and steps: 1,15 or 9-17/2)")]
    Part {
        /// The part of the text.
        part: String,
        /// The field it stands in.
        field: &'static str,
        /// The lowest value there.
        low: i8,
        /// The highest.
        high: i8,
    },
    /// No day is like that: the 30th of February.
    #[error("{text:?} never comes")]
    Never {
        /// The text.
        text: String,
    },
}

struct Field {
    name: &'static str,
    low: i8,
    high: i8,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        low: 0,
        high: 59,
        names: &[],
    },
    Field {
        name: "hour",
        low: 0,
        high: 23,
        names: &[],
    },
    Field {
        name: "day of month",
        low: 1,
        high: 31,
        names: &[],
    },
    Field {
        name: "month",
        low: 1,
        high: 12,
        names: &MONTHS,
    },
    Field {
        name: "day of week",
        low: 0,
        high: 7,
        names: &WEEKDAYS,
    },
];

impl Field {
    fn read(&self, text: &str) -> Result<BTreeSet<i8>, InvalidCron> {
        let mut values = BTreeSet::new();
        for part in text.split(',') {
            let range = self.range(part).ok_or_else(|| InvalidCron::Part {
                part: part.to_owned(),
                field: self.name,
                low: self.low,
                high: self.high,
            })?;
            values.extend(range);
        }
        Ok(values)
    }

    fn range(&self, part: &str) -> Option<impl Iterator<Item = i8> + use<>> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u8>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.low, self.high),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            // A single value with a step counts on from there, as cron has it.
            None if part.contains('/') => (self.value(range)?, self.high),
            None => (self.value(range)?, self.value(range)?),
        };
        (from <= to).then(|| (from..=to).step_by(usize::from(step)))
    }

    fn value(&self, text: &str) -> Option<i8> {
        let lower = text.to_ascii_lowercase();
        if let Some(at) = self.names.iter().position(|name| *name == lower) {
            return i8::try_from(at).ok().map(|at| at + self.low);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value: i8 = text.parse().ok().filter(|_| digits)?;
        (self.low..=self.high).contains(&value).then_some(value)
    }
}

impl FromStr for Cron {
    type Err = InvalidCron;

    fn from_str(text: &str) -> Result<Self, InvalidCron> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err(InvalidCron::Fields {
                text: text.to_owned(),
                found: parts.len(),
            });
        };
        let [minutes, hours, days, months, weekdays] = &FIELDS;
        let read = Cron {
            minutes: minutes.read(minute)?,
            hours: hours.read(hour)?,
            days: days.read(day)?,
            months: months.read(month)?,
            weekdays: weekdays.read(weekday)?.into_iter().map(|day| day % 7).collect(),
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        let any = Timestamp::UNIX_EPOCH;
        match read.next(any, &TimeZone::UTC) {
            Some(_) => Ok(read),
            None => Err(InvalidCron::Never {
                text: text.to_owned(),
            }),
        }
    }
}

impl Cron {
    /// The first instant after `after`.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // A day early: a gap at midnight can move the last time of a day into the next one.
        let first = after.to_zoned(zone.clone()).date().yesterday().ok()?;
        let days = first.series(1.day()).take(DAYS);
        days.filter(|day| self.is_on(*day))
            .find_map(|day| self.on(day, zone).filter(|at| *at > after).min())
    }

    fn is_on(&self, day: Date) -> bool {
        let of_month = self.days.contains(&day.day());
        let of_week = self.weekdays.contains(&day.weekday().to_sunday_zero_offset());
        let matches = if self.either_day {
            of_month || of_week
        } else {
            of_month && of_week
        };
        matches && self.months.contains(&day.month())
    }

    fn on<'a>(&'a self, day: Date, zone: &'a TimeZone) -> impl Iterator<Item = Timestamp> + 'a {
        let times = self
            .hours
            .iter()
            .flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
        times.filter_map(move |(hour, minute)| {
            let local = day.at(hour, minute, 0, 0);
            Some(local.to_zoned(zone.clone()).ok()?.timestamp())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(text: &str, after: &str, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let cron: Cron = text.parse().unwrap();
        let mut at: Timestamp = after.parse().unwrap();
        let mut told = Vec::new();
        for _ in 0..3 {
            at = cron.next(at, &zone).unwrap();
            told.push(at.to_zoned(zone.clone()).strftime("%a %F %H:%M%:z").to_string());
        }
        told.join(", ")
    }

    #[test]
    fn the_next_times_are_those_of_crontab() {
        let from = "2026-03-06T12:00:00Z";
        insta::assert_snapshot!(following("30 2 * * *", from, "UTC"), @"Sat 2026-03-07 02:30+00:00, Sun 2026-03-08 02:30+00:00, Mon 2026-03-09 02:30+00:00");
        insta::assert_snapshot!(following("0 9-17/4 * * mon-fri", from, "UTC"), @"Fri 2026-03-06 13:00+00:00, Fri 2026-03-06 17:00+00:00, Mon 2026-03-09 09:00+00:00");
        insta::assert_snapshot!(following("*/20 * * * *", from, "UTC"), @"Fri 2026-03-06 12:20+00:00, Fri 2026-03-06 12:40+00:00, Fri 2026-03-06 13:00+00:00");
        insta::assert_snapshot!(following("0 0 1,15 * SUN", from, "UTC"), @"Sun 2026-03-08 00:00+00:00, Sun 2026-03-15 00:00+00:00, Sun 2026-03-22 00:00+00:00");
        insta::assert_snapshot!(following("0 0 29 feb *", from, "UTC"), @"Tue 2028-02-29 00:00+00:00, Sun 2032-02-29 00:00+00:00, Fri 2036-02-29 00:00+00:00");
        insta::assert_snapshot!(following("0 0 * * 7", from, "UTC"), @"Sun 2026-03-08 00:00+00:00, Sun 2026-03-15 00:00+00:00, Sun 2026-03-22 00:00+00:00");
    }

    #[test]
    fn a_time_that_the_zone_skips_comes_after_the_gap_and_one_that_comes_twice_counts_once() {
        insta::assert_snapshot!(following("30 2 * * *", "2026-03-28T00:00:00Z", "Europe/Vienna"), @"Sat 2026-03-28 02:30+01:00, Sun 2026-03-29 03:30+02:00, Mon 2026-03-30 02:30+02:00");
        insta::assert_snapshot!(following("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Vienna"), @"Sun 2026-10-25 02:30+02:00, Mon 2026-10-26 02:30+01:00, Tue 2026-10-27 02:30+01:00");
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        let wrong = |text: &str| text.parse::<Cron>().unwrap_err().to_string();
        insta::assert_snapshot!(wrong("30 2 * *"), @r#""30 2 * *" has 4 fields; it takes five: minute, hour, day of month, month, day of week"#);
        insta::assert_snapshot!(wrong("60 2 * * *"), @r#""60" is no minute (0 to 59, lists, ranges and steps: 1,15 or 9-17/2)"#);
        insta::assert_snapshot!(wrong("0 2 * * fry"), @r#""fry" is no day of week (0 to 7, lists, ranges and steps: 1,15 or 9-17/2)"#);
        insta::assert_snapshot!(wrong("0 17-9 * * *"), @r#""17-9" is no hour (0 to 23, lists, ranges and steps: 1,15 or 9-17/2)"#);
        insta::assert_snapshot!(wrong("0 2 */0 * *"), @r#""*/0" is no day of month (1 to 31, lists, ranges and steps: 1,15 or 9-17/2)"#);
        insta::assert_snapshot!(wrong("0 0 31 feb *"), @r#""0 0 31 feb *" never comes"#);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_and_the_next_is_always_later(text in "[-0-9*/, a-z]{0,20}", seconds in 0i64..4_000_000_000) {
            let after = Timestamp::from_second(seconds).unwrap();
            for text in [text.clone(), format!("{text} * * * *"), format!("0 {text} * * *")] {
                if let Ok(cron) = text.parse::<Cron>() {
                    proptest::prop_assert!(cron.next(after, &TimeZone::UTC).unwrap() > after);
                }
            }
        }
    }
}
