//! How much a number may change: `5 %`, `10`, `5 % or 10`.
//!
//! Responsible for: reading it, and telling what is more than it. Must not know: what is counted.

use std::fmt;
use std::str::FromStr;

/// The most that is still within the limit. With both parts, whichever is exceeded first counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limit {
    percent: Option<f64>,
    count: Option<f64>,
}

/// Where a number stands to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It is kept.
    Within,
    /// It is exceeded.
    Beyond,
    /// It is one in percent only, and of nothing there are no percent.
    OfNothing,
}

impl Limit {
    /// Where a change stands to it. Percent are those of the number before.
    pub(super) fn holds(&self, before: f64, after: f64) -> Held {
        let moved = (after - before).abs();
        if self.count.is_some_and(|count| moved > count) {
            return Held::Beyond;
        }
        match (self.percent, self.count) {
            _ if moved == 0.0 => Held::Within,
            (Some(_), None) if before == 0.0 => Held::OfNothing,
            // Multiplied and not divided: nothing is lost to rounding, and nothing is divided by zero.
            (Some(percent), _) if before != 0.0 && moved * 100.0 > percent * before.abs() => Held::Beyond,
            _ => Held::Within,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.percent, self.count) {
            (Some(percent), Some(count)) => write!(f, "{percent} % or {count}"),
            (Some(percent), None) => write!(f, "{percent} %"),
            (None, Some(count)) => write!(f, "{count}"),
            (None, None) => Ok(()),
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is no limit; write `5 %`, `10` or `5 % or 10`");
        let mut limit = Self {
            percent: None,
            count: None,
        };
        for part in text.split(" or ").map(str::trim) {
            let (number, slot) = match part.strip_suffix('%') {
                Some(number) => (number.trim_end(), &mut limit.percent),
                None => (part, &mut limit.count),
            };
            let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let number: f64 = number.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
            if slot.replace(number).is_some() {
                return Err(wrong());
            }
        }
        Ok(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Limit {
        text.parse().unwrap()
    }

    #[test]
    fn is_read_and_written_alike() {
        for text in ["5 %", "10", "5 % or 10", "0.5 %", "0"] {
            assert_eq!(limit(text).to_string(), text);
        }
        assert_eq!(limit("10 or 5%"), limit("5 % or 10"));
        for wrong in ["", "5 % or 6 %", "-1", "many", "5 percent", "inf", "1 or 2 or 3"] {
            assert_eq!(
                wrong.parse::<Limit>().unwrap_err(),
                format!("`{wrong}` is no limit; write `5 %`, `10` or `5 % or 10`")
            );
        }
    }

    #[test]
    fn whichever_part_is_exceeded_counts_and_the_limit_itself_is_kept() {
        assert_eq!(limit("5 %").holds(100.0, 95.0), Held::Within);
        assert_eq!(limit("5 %").holds(100.0, 94.0), Held::Beyond);
        assert_eq!(limit("5 % or 10").holds(1000.0, 989.0), Held::Beyond);
        assert_eq!(limit("5 % or 10").holds(20.0, 18.0), Held::Beyond);
        assert_eq!(limit("5 % or 10").holds(1000.0, 990.0), Held::Within);
        assert_eq!(limit("0").holds(3.0, 2.0), Held::Beyond);
        assert_eq!(limit("10 %").holds(-10.0, -12.0), Held::Beyond);
    }

    #[test]
    fn percent_of_nothing_are_not_made_up() {
        assert_eq!(limit("5 %").holds(0.0, 7.0), Held::OfNothing);
        assert_eq!(limit("5 %").holds(0.0, 0.0), Held::Within);
        assert_eq!(limit("5 % or 10").holds(0.0, 7.0), Held::Within);
        assert_eq!(limit("5 % or 10").holds(0.0, 11.0), Held::Beyond);
    }
}
