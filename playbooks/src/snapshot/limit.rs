//! How much a number may change: `5 %`, `10`, `5 % or 10`, `5 % and 10`, `50 % or 20 % and 100`.
//!
//! Responsible for: reading it, and telling what is more than it. Must not know: what is counted.

use std::fmt;
use std::str::FromStr;

/// The most that is still within the limit. Whichever of its parts is exceeded first counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Limit {
    percent: Option<f64>,
    count: Option<f64>,
    /// Percent and a count that have to be exceeded both: one alone says little of a small number, the other of a big one.
    both: Option<(f64, f64)>,
}

/// Where a number stands to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It is kept.
    Within,
    /// It is exceeded.
    Beyond,
    /// It is one in percent, and of nothing there are no percent.
    OfNothing,
}

impl Limit {
    /// Where a change stands to it. Percent are those of the number before.
    pub(super) fn holds(&self, before: f64, after: f64) -> Held {
        let moved = (after - before).abs();
        if self.count.is_some_and(|count| moved > count) {
            return Held::Beyond;
        }
        if before == 0.0 {
            let in_percent = self.percent.is_some() || self.both.is_some_and(|(_, count)| moved > count);
            return if in_percent && self.count.is_none() && moved > 0.0 {
                Held::OfNothing
            } else {
                Held::Within
            };
        }
        // Multiplied and not divided: nothing is lost to rounding, and nothing is divided by zero.
        let beyond = |percent: f64| moved * 100.0 > percent * before.abs();
        let both = |(percent, count): (f64, f64)| beyond(percent) && moved > count;
        if self.percent.is_some_and(beyond) || self.both.is_some_and(both) {
            Held::Beyond
        } else {
            Held::Within
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.percent.map(|percent| format!("{percent} %")),
            self.count.map(|count| count.to_string()),
            self.both
                .map(|(percent, count)| format!("{percent} % and {count}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(" or "))
    }
}

/// A number, and whether it is of percent.
fn part(text: &str) -> Option<(f64, bool)> {
    let text = text.trim();
    let percent = text.strip_suffix('%').map(str::trim_end);
    let number = percent.unwrap_or(text);
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = number.parse().ok().filter(|_| plain)?;
    Some((number, percent.is_some()))
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is no limit; write `5 %`, `10`, `5 % or 10` or `5 % and 10`");
        let mut limit = Self::default();
        for either in text.split(" or ") {
            let parts: Option<Vec<_>> = either.split(" and ").map(part).collect();
            let twice = match parts.ok_or_else(wrong)?.as_slice() {
                [(percent, true)] => limit.percent.replace(*percent).is_some(),
                [(count, false)] => limit.count.replace(*count).is_some(),
                [(percent, true), (count, false)] | [(count, false), (percent, true)] => {
                    limit.both.replace((*percent, *count)).is_some()
                }
                _ => true,
            };
            if twice {
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
        for text in [
            "5 %",
            "10",
            "5 % or 10",
            "0.5 %",
            "0",
            "5 % and 10",
            "50 % or 20 % and 100",
        ] {
            assert_eq!(limit(text).to_string(), text);
        }
        assert_eq!(limit("10 or 5%"), limit("5 % or 10"));
        assert_eq!(limit("100 and 20% or 50%"), limit("50 % or 20 % and 100"));
        for wrong in [
            "",
            "5 % or 6 %",
            "-1",
            "many",
            "5 percent",
            "inf",
            "1 or 2 or 3",
            "5 % and",
            "5 % and 6 %",
            "1 and 2",
            "5 % and 1 and 2",
            "5 % and 1 or 6 % and 2",
        ] {
            assert_eq!(
                wrong.parse::<Limit>().unwrap_err(),
                format!("`{wrong}` is no limit; write `5 %`, `10`, `5 % or 10` or `5 % and 10`")
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
    fn parts_with_and_are_exceeded_both_or_not_at_all() {
        assert_eq!(limit("5 % and 10").holds(900_000.0, 899_989.0), Held::Within);
        assert_eq!(limit("5 % and 10").holds(12.0, 11.0), Held::Within);
        assert_eq!(limit("5 % and 10").holds(200.0, 190.0), Held::Within);
        assert_eq!(limit("5 % and 10").holds(200.0, 189.0), Held::Beyond);
        let lost = limit("50 % or 20 % and 100");
        assert_eq!(lost.holds(12.0, 6.0), Held::Within);
        assert_eq!(lost.holds(12.0, 5.0), Held::Beyond);
        assert_eq!(lost.holds(1000.0, 800.0), Held::Within);
        assert_eq!(lost.holds(1000.0, 799.0), Held::Beyond);
    }

    #[test]
    fn percent_of_nothing_are_not_made_up() {
        assert_eq!(limit("5 %").holds(0.0, 7.0), Held::OfNothing);
        assert_eq!(limit("5 %").holds(0.0, 0.0), Held::Within);
        assert_eq!(limit("5 % or 10").holds(0.0, 7.0), Held::Within);
        assert_eq!(limit("5 % or 10").holds(0.0, 11.0), Held::Beyond);
        assert_eq!(limit("5 % and 10").holds(0.0, 7.0), Held::Within);
        assert_eq!(limit("5 % and 10").holds(0.0, 11.0), Held::OfNothing);
        assert_eq!(limit("50 % or 20 % and 100").holds(0.0, 7.0), Held::OfNothing);
    }
}
