//! Instants and days as the facts hold them, and how far apart they are.
//!
//! Responsible for: the arithmetic behind the expressions' functions about time, on texts. Must not know: any clock; what
//! is now comes with the facts.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

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

fn local_time(text: &str) -> Result<DateTime, String> {
    text.parse()
        .map_err(|_| format!("\"{text}\" is not a local time"))
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

/// A schedule, in the words of the facts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule<'a> {
    /// How often.
    pub(crate) every: &'a str,
    /// The time of day, or the minutes past.
    pub(crate) at: Option<&'a str>,
    /// The day of the week, or of the month.
    pub(crate) day: Option<&'a str>,
}

/// Why it cannot be told when a schedule runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoRun {
    /// What the device has is not understood, or what was asked about is past.
    Unknown(String),
    /// What was asked is no time.
    Wrong(String),
}

/// What the device's clock shows when a schedule runs inside of a window of so many minutes; none where it does not. The window
/// begins at `begins`, as [`device_time`] takes it. Of a window that has begun only what is left of it counts, and one that is
/// over says nothing of what is to come.
pub(crate) fn run_in_window(
    schedule: Schedule<'_>,
    begins: &str,
    minutes: i64,
    (clock, now): (&str, &str),
) -> Result<Option<String>, NoRun> {
    let begin = device_time(begins, clock, now).map_err(NoRun::Wrong)?;
    let gone = minutes_between(&begin, clock).map_err(NoRun::Wrong)?;
    if gone > minutes {
        return Err(NoRun::Unknown(format!(
            "the window that begins at {begins} is over"
        )));
    }
    let from = if gone < 0 { begin.as_str() } else { clock };
    let until = minutes_to_run(schedule, from).map_err(NoRun::Unknown)?;
    let inside = until.filter(|until| *until <= minutes - gone.max(0));
    inside.map(|until| minutes_after(from, until)).transpose()
}

fn minutes_after(time: &str, minutes: i64) -> Result<String, NoRun> {
    let later = local_time(time).and_then(|time| {
        let at = time.time().with().second(0).subsec_nanosecond(0).build();
        let minute = at.map(|at| time.with().time(at).build());
        let run = minute.and_then(|minute| minute?.checked_add(SignedDuration::from_mins(minutes)));
        run.map_err(|error| error.to_string())
    });
    later.map(|later| later.to_string()).map_err(NoRun::Wrong)
}

/// Minutes until a schedule runs next, by the device's own clock; none where it never runs.
///
/// What is not known to run at a certain minute (`every-hour` without one) is taken to run at the latest after its whole
/// interval, and a month without the day that is meant is left out.
///
/// # Errors
/// A word or a time that is not known: "never" must not be concluded from it.
pub(crate) fn minutes_to_run(schedule: Schedule<'_>, clock: &str) -> Result<Option<i64>, String> {
    let Schedule { every, at, day } = schedule;
    let now = local_time(clock)?;
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
        "five-minute" => past(5)?,
        "every-15-mins" => past(15)?,
        "every-30-mins" => past(30)?,
        "every-hour" | "hourly" => past(60)?,
        "daily" => (time_of_day(at)? - minute_of_day).rem_euclid(MINUTES_A_DAY),
        "weekly" => {
            let wanted = weekday(day.ok_or("no day of the week is given")?)?;
            let days = i64::from(now.weekday().until(wanted));
            (days * MINUTES_A_DAY + time_of_day(at)? - minute_of_day).rem_euclid(7 * MINUTES_A_DAY)
        }
        "monthly" => minutes_to_day_of_month(
            now.date(),
            day.ok_or("no day of the month is given")?,
            time_of_day(at)? - minute_of_day,
        )?,
        other => every_so_many(other)
            .ok_or_else(|| format!("it is not known when \"{other}\" runs"))
            .and_then(past)?,
    };
    Ok(Some(run))
}

/// Minutes from a day to the next day of that number, where what is meant is so many minutes later in the day than now.
fn minutes_to_day_of_month(today: Date, day: &str, later: i64) -> Result<i64, String> {
    let wrong = || format!("\"{day}\" is not a day of the month");
    let wanted: i8 = day.parse().map_err(|_| wrong())?;
    // Of three months in a row at least one that is still to come has the day, whichever it is.
    let dates = (0..=2).filter_map(|months| {
        let month = today.first_of_month().checked_add(months.months()).ok()?;
        month.with().day(wanted).build().ok()
    });
    let mut minutes = dates
        .map(|date| i64::from(today.until(date).map_or(0, |span| span.get_days())) * MINUTES_A_DAY + later);
    minutes.find(|minutes| *minutes >= 0).ok_or_else(wrong)
}

/// `every-5-mins` -> 5.
fn every_so_many(text: &str) -> Option<i64> {
    let minutes: i64 = text.strip_prefix("every-")?.strip_suffix("-mins")?.parse().ok()?;
    (1..=60).contains(&minutes).then_some(minutes)
}

fn time_of_day(at: Option<&str>) -> Result<i64, String> {
    let text = at.ok_or("no time of day is given")?;
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
            ("five-minute", None, None, Some(0)),
            ("monthly", Some("01:00"), Some("1"), Some(10)),
            ("monthly", Some("00:30"), Some("1"), Some(31 * 24 * 60 - 20)),
            ("monthly", Some("01:00"), Some("31"), Some(30 * 24 * 60 + 10)),
        ] {
            assert_eq!(
                minutes_to_run(Schedule { every, at, day }, clock),
                Ok(expected),
                "{every} {at:?} {day:?}"
            );
        }
        for (every, at, day) in [
            ("monthly", None, None),
            ("monthly", Some("01:00"), Some("32")),
            ("monthly", Some("01:00"), Some("0")),
            ("monthly", Some("01:00"), Some("monday")),
            ("daily", None, None),
            ("daily", Some("soon"), None),
            ("weekly", Some("01:00"), Some("someday")),
            ("hourly", Some("x"), None),
            ("every-0-mins", None, None),
        ] {
            assert!(
                minutes_to_run(Schedule { every, at, day }, clock).is_err(),
                "{every} {at:?} {day:?}"
            );
        }
    }

    #[test]
    fn a_month_without_the_day_is_left_out() {
        let run = |day: &'static str, clock: &str| {
            let schedule = Schedule {
                every: "monthly",
                at: Some("01:00"),
                day: Some(day),
            };
            minutes_after(clock, minutes_to_run(schedule, clock).unwrap().unwrap()).unwrap()
        };
        for (day, clock, expected) in [
            ("31", "2026-01-31T00:30:00", "2026-01-31T01:00:00"),
            ("31", "2026-01-31T12:00:00", "2026-03-31T01:00:00"),
            ("29", "2026-02-01T00:00:00", "2026-03-29T01:00:00"),
            ("29", "2028-02-01T00:00:00", "2028-02-29T01:00:00"),
            ("15", "2026-12-15T01:00:01", "2026-12-15T01:00:00"),
            ("15", "2026-12-15T01:01:00", "2027-01-15T01:00:00"),
        ] {
            assert_eq!(run(day, clock), expected, "{day} {clock}");
        }
    }

    #[test]
    fn a_run_counts_while_the_window_lasts() {
        let now = "2026-03-01T00:50:00Z";
        let daily = Schedule {
            every: "daily",
            at: Some("03:00"),
            day: None,
        };
        let run =
            |begins: &str, minutes: i64| run_in_window(daily, begins, minutes, ("2026-03-01T00:50:30", now));
        let at = |time: &str| Ok(Some(time.to_owned()));
        assert_eq!(run("", 129), Ok(None));
        assert_eq!(run("", 130), at("2026-03-01T03:00:00"));
        assert_eq!(run("2026-03-07T22:00:00Z", 360), at("2026-03-08T03:00:00"));
        assert_eq!(run("2026-03-07T22:00", 299), Ok(None));
        assert_eq!(run("2026-02-28T22:00", 360), at("2026-03-01T03:00:00"));
        assert_eq!(run("2026-02-28T22:00", 240), Ok(None));
        assert!(matches!(run("2026-02-28T22:00", 60), Err(NoRun::Unknown(_))));
        assert!(matches!(run("tonight", 60), Err(NoRun::Wrong(_))));
    }

    proptest::proptest! {
        #[test]
        fn a_run_is_never_before_the_clock_and_always_at_its_time(
            minute in 0..(400 * MINUTES_A_DAY), hour in 0..24i64, day in 1..=31i64,
        ) {
            let clock = minutes_after("2027-11-30T00:00:00", minute).unwrap();
            let (at, day) = (format!("{hour:02}:00"), day.to_string());
            let schedule = Schedule { every: "monthly", at: Some(&at), day: Some(&day) };
            let until = minutes_to_run(schedule, &clock).unwrap().unwrap();
            let run = minutes_after(&clock, until).unwrap();
            proptest::prop_assert!((0..63 * MINUTES_A_DAY).contains(&until));
            proptest::prop_assert!(run.contains(&at));
            let told: i64 = run[8..10].parse().unwrap();
            proptest::prop_assert_eq!(told.to_string(), day);
        }
    }
}
