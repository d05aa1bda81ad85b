//! The uptime of `show system info`: `179 days, 5:07:34`.
//! Knows this one grammar; must not know clocks.

/// Uptime in seconds: `H:MM:SS`, with `N day(s), ` in front from the second day on. None for any other text: uptime
/// proves a reboot, so half a reading is worse than none.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let (days, clock) = match text.trim().split_once(',') {
        Some((days, clock)) => (days_of(days)?, clock.strip_prefix(' ')?),
        None => (0, text.trim()),
    };
    let mut parts = clock.split(':');
    let hours = number(parts.next()?, 1..=2, 23)?;
    let minutes = number(parts.next()?, 2..=2, 59)?;
    let seconds = number(parts.next()?, 2..=2, 59)?;
    if parts.next().is_some() {
        return None;
    }
    Some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
}

fn days_of(text: &str) -> Option<u64> {
    let count = text.strip_suffix(" days").or_else(|| text.strip_suffix(" day"))?;
    // Five digits are 270 years.
    number(count, 1..=5, 99_999)
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>, max: u64) -> Option<u64> {
    if !digits.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|value| *value <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptimes_that_firewalls_print() {
        for (text, expected) in [
            ("179 days, 5:07:34", ((179 * 24 + 5) * 60 + 7) * 60 + 34),
            ("1 day, 0:00:05", 86_405),
            ("0 days, 0:01:30", 90),
            ("  12 days, 15:37:08\n", ((12 * 24 + 15) * 60 + 37) * 60 + 8),
            ("0:00:00", 0),
            ("23:59:59", 86_399),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_uptime() {
        for text in [
            "",
            "5:07",
            "5:7:34",
            "5:07:34:00",
            "24:00:00",
            "0:60:00",
            "days, 5:07:34",
            "-1 days, 5:07:34",
            "+1 days, 5:07:34",
            "1 week, 5:07:34",
            "1 days 5:07:34",
            "17  days, 5:07:34",
            "179days, 5:07:34",
            "179 days,  5:07:34",
            "179 days,5:07:34",
            "179 days, ",
            "999999999999999999999 days, 0:00:00",
            "١ days, 0:00:00",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
