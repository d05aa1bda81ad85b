//! Instants and days as the facts hold them, and how far apart they are.
//!
//! Responsible for: the arithmetic behind the expressions' functions about time, on texts. Must not know: any clock; what
//! is now comes with the facts.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const MINUTES_A_DAY: i64 = 24 * 60;

/// Whole days from one instant to the other, rounded down: minus one a minute after the end. A day stands for its end
/// when it is the later one, as a licence is valid on its last day.
pub(crate) fn days_between(from: &str, to: &str) -> Result<i64, String> {
    seconds_between(from, to).map(|seconds| seconds.div_euclid(24 * 60 * 60))
}

/// Whole hours from one instant to the other, as [`days_between`]. Between two local times it is what a wall clock shows: an
/// hour more or less on the two days of a year on which the clock is put forward or back.
pub(crate) fn hours_between(from: &str, to: &str) -> Result<i64, String> {
    seconds_between(from, to).map(|seconds| seconds.div_euclid(60 * 60))
}

/// Whole minutes from one instant to the other, as [`hours_between`].
pub(crate) fn minutes_between(from: &str, to: &str) -> Result<i64, String> {
    seconds_between(from, to).map(|seconds| seconds.div_euclid(60))
}

fn seconds_between(from: &str, to: &str) -> Result<i64, String> {
    Ok(instant(to, true)?.as_second() - instant(from, false)?.as_second())
}

/// An instant, a local time taken as UTC, or a day.
fn instant(text: &str, end_of_day: bool) -> Result<Timestamp, String> {
    let wrong = || format!("\"{text}\" is neither an instant nor a day");
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let local = match text.parse::<Date>() {
        Ok(day) if end_of_day && !text.contains(':') => day.at(23, 59, 59, 0),
        Ok(_) | Err(_) => text.parse::<DateTime>().map_err(|_| wrong())?,
    };
    local
        .to_zoned(TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .map_err(|_| wrong())
}

/// Zones are whole quarters of an hour away from UTC. Within that, a clock that is read a little later than `now`, or is a little
/// off, shows the same zone.
const ZONE_STEP_SECONDS: i64 = 15 * 60;

/// What a device's clock shows at some time: an instant is turned into its local time, by how far its clock is from `now`; a local
/// time is its own, and an empty text is what it shows at present. Until then no change to or from summer time is foreseen.
pub(crate) fn device_time(time: &str, clock: &str, now: &str) -> Result<String, String> {
    let local = |text: &str| {
        text.parse::<DateTime>()
            .map_err(|_| format!("\"{text}\" is neither an instant nor a local time"))
    };
    if time.is_empty() {
        return local(clock).map(|clock| clock.to_string());
    }
    let Ok(instant) = time.parse::<Timestamp>() else {
        return local(time).map(|time| time.to_string());
    };
    local(clock)?;
    let ahead = seconds_between(now, clock)?;
    let zone = (ahead + ZONE_STEP_SECONDS / 2).div_euclid(ZONE_STEP_SECONDS) * ZONE_STEP_SECONDS;
    let shown = instant
        .to_zoned(TimeZone::UTC)
        .datetime()
        .checked_add(SignedDuration::from_secs(zone))
        .map_err(|_| format!("\"{time}\" is too far away"))?;
    Ok(shown.to_string())
}

/// Minutes until a schedule of updates runs next, by the device's own clock; none where it never runs.
///
/// `every`, `at` and `day` are as in the facts. What is not known to run at a certain minute (`every-hour` without one)
/// is taken to run at the latest after its whole interval.
///
/// # Errors
/// A word or a time that is not known: "never" must not be concluded from it.
pub(crate) fn minutes_to_run(
    every: &str,
    at: Option<&str>,
    day: Option<&str>,
    clock: &str,
) -> Result<Option<i64>, String> {
    let now: DateTime = clock
        .parse()
        .map_err(|_| format!("\"{clock}\" is not a local time"))?;
    let minute_of_day = i64::from(now.hour()) * 60 + i64::from(now.minute());
    let past = |interval: i64| -> Result<i64, String> {
        let offset = match at {
            None => 0,
            Some(text) => text
                .parse::<i64>()
                .map_err(|_| format!("\"{text}\" is not a number of minutes"))?,
        };
        Ok((offset - minute_of_day).rem_euclid(interval))
    };
    let run = match every {
        "none" => return Ok(None),
        "real-time" | "every-min" => 0,
        "every-15-mins" => past(15)?,
        "every-30-mins" => past(30)?,
        "every-hour" | "hourly" => past(60)?,
        "daily" => (time_of_day(at)? - minute_of_day).rem_euclid(MINUTES_A_DAY),
        "weekly" => {
            let wanted = weekday(day.unwrap_or_default())?;
            let days = i64::from(now.weekday().until(wanted));
            (days * MINUTES_A_DAY + time_of_day(at)? - minute_of_day).rem_euclid(7 * MINUTES_A_DAY)
        }
        other => every_so_many(other)
            .ok_or_else(|| format!("it is not known when \"{other}\" runs"))
            .and_then(past)?,
    };
    Ok(Some(run))
}

/// `every-5-mins` -> 5.
fn every_so_many(text: &str) -> Option<i64> {
    let minutes: i64 = text.strip_prefix("every-")?.strip_suffix("-mins")?.parse().ok()?;
    (1..=60).contains(&minutes).then_some(minutes)
}

fn time_of_day(at: Option<&str>) -> Result<i64, String> {
    let text = at.unwrap_or_default();
    let time: Time = text
        .parse()
        .map_err(|_| format!("\"{text}\" is not a time of day"))?;
    Ok(i64::from(time.hour()) * 60 + i64::from(time.minute()))
}

fn weekday(name: &str) -> Result<Weekday, String> {
    let days = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let found = days.into_iter().find(|(word, _)| *word == name);
    found
        .map(|(_, day)| day)
        .ok_or_else(|| format!("\"{name}\" is not a day of the week"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_a_day_lasts_to_its_end() {
        let now = "2026-03-01T12:00:00Z";
        for (to, expected) in [
            ("2026-03-02T12:00:00Z", 1),
            ("2026-03-02T11:59:59Z", 0),
            ("2026-03-01T11:59:59Z", -1),
            ("2026-03-01", 0),
            ("2026-02-28", -1),
            ("2026-03-31", 30),
            ("2026-03-02T12:00:00", 1),
        ] {
            assert_eq!(days_between(now, to), Ok(expected), "{to}");
        }
        for (from, to, expected) in [
            ("2026-03-01T12:00:00", "2026-03-02T12:00:00", 24),
            ("2026-03-01T12:00:01", "2026-03-02T12:00:00", 23),
            ("2026-03-02T12:00:01", "2026-03-02T12:00:00", -1),
        ] {
            assert_eq!(hours_between(from, to), Ok(expected), "{from} {to}");
        }
        assert!(hours_between(now, "soon").is_err());
        assert!(days_between(now, "soon").is_err());
        assert!(days_between("", "2026-03-01").is_err());
    }

    #[test]
    fn an_instant_is_what_the_devices_clock_shows_then() {
        let now = "2026-03-01T12:00:00Z";
        for (time, clock, expected) in [
            ("", "2026-03-01T12:00:07", "2026-03-01T12:00:07"),
            (
                "2026-03-01T22:00:00",
                "2026-03-01T04:00:00",
                "2026-03-01T22:00:00",
            ),
            ("2026-03-01T22:00", "2026-03-01T04:00:00", "2026-03-01T22:00:00"),
            (
                "2026-03-01T22:00:00Z",
                "2026-03-01T12:00:00",
                "2026-03-01T22:00:00",
            ),
            (
                "2026-03-01T23:00:00+01:00",
                "2026-03-01T12:00:00",
                "2026-03-01T22:00:00",
            ),
            // Vienna, read seven minutes late; Los Angeles, read before; Kathmandu.
            (
                "2026-03-01T22:00:00Z",
                "2026-03-01T13:07:00",
                "2026-03-01T23:00:00",
            ),
            (
                "2026-03-01T22:00:00Z",
                "2026-03-01T03:58:00",
                "2026-03-01T14:00:00",
            ),
            (
                "2026-03-01T22:00:00Z",
                "2026-03-01T17:45:30",
                "2026-03-02T03:45:00",
            ),
        ] {
            assert_eq!(
                device_time(time, clock, now).as_deref(),
                Ok(expected),
                "{time} {clock}"
            );
        }
        for (time, clock, now) in [
            ("tonight", "2026-03-01T12:00:00", now),
            ("2026-03-01T22:00:00Z", "noon", now),
            ("2026-03-01T22:00:00Z", "2026-03-01T12:00:00Z", now),
            ("2026-03-01T22:00:00Z", "2026-03-01T12:00:00", "now"),
            ("", "", now),
            ("9999-12-30T22:00:00Z", "2026-03-03T12:00:00", now),
        ] {
            assert!(device_time(time, clock, now).is_err(), "{time} {clock} {now}");
        }
    }

    #[test]
    fn schedules_run_when_the_devices_clock_says_so() {
        // A Sunday.
        let clock = "2026-03-01T00:50:00";
        for (every, at, day, expected) in [
            ("none", None, None, None),
            ("real-time", None, None, Some(0)),
            ("every-min", None, None, Some(0)),
            ("every-15-mins", Some("7"), None, Some(2)),
            ("every-15-mins", None, None, Some(10)),
            ("every-5-mins", None, None, Some(0)),
            ("every-30-mins", Some("20"), None, Some(0)),
            ("hourly", Some("15"), None, Some(25)),
            ("every-hour", None, None, Some(10)),
            ("daily", Some("01:02"), None, Some(12)),
            ("daily", Some("00:49"), None, Some(24 * 60 - 1)),
            ("weekly", Some("01:00"), Some("sunday"), Some(10)),
            ("weekly", Some("00:30"), Some("sunday"), Some(7 * 24 * 60 - 20)),
            ("weekly", Some("01:00"), Some("monday"), Some(24 * 60 + 10)),
        ] {
            assert_eq!(
                minutes_to_run(every, at, day, clock),
                Ok(expected),
                "{every} {at:?} {day:?}"
            );
        }
        for (every, at, day) in [
            ("monthly", None, None),
            ("daily", None, None),
            ("daily", Some("soon"), None),
            ("weekly", Some("01:00"), Some("someday")),
            ("hourly", Some("x"), None),
            ("every-0-mins", None, None),
        ] {
            assert!(minutes_to_run(every, at, day, clock).is_err(), "{every}");
        }
    }
}
