//! The reboot watchdog: from what a restarting device shows to whether it is back, slow, looping or lost.
//!
//! Pure: it is given sights and instants and keeps what it needs as evidence. It must not know how a device is asked.
//!
//! A restart looks like this from outside: still answering for a minute or two, then resets and silence, then refused
//! connections, then 403 for a good key, then 5xx, then answers with a small uptime while the auto-commit runs, then the
//! auto-commit ends. 403, resets and refusals are therefore no failures here. What counts is the boot instant, `now -
//! uptime`: it cannot move unless the device booted again.

use hopgate_paths::Version;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::halt::HaltReason;
use crate::pulse::RESTART_TAKEN_WITHIN;
use crate::window::{minutes, saturating_sub};

/// Two boot instants further apart than this are two boots. The instant of an answer is taken when the whole look is over,
/// and a booting management plane may take its time with each of the up to three requests after the one that gave the
/// uptime; with 60 s the same boot would be counted again and a slow boot taken for a loop. A loop that is faster than
/// this is still counted, at half its rate.
const SAME_BOOT_WITHIN: SignedDuration = SignedDuration::from_secs(180);

/// Boots after one restart at which it is a loop: the one we asked for, and two that nobody did. One extra boot is seen
/// in the field (a bootloader or FPGA update, an fsck); two in a row with no auto-commit in between are not.
pub const LOOP_BOOTS: u32 = 3;

/// Answering-then-dark spells that make a device that missed its deadline a loop rather than lost: for devices whose
/// login is refused until the auto-commit ends (PAN-204830), where no uptime can be read.
const LOOP_DARK_SPELLS: u32 = 3;

/// Auto-commit attempts after which it is not going to succeed: the device itself makes up to four.
const AUTO_COMMIT_TRIES: u32 = 4;

/// One boot, as seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// When it booted: the instant of the answer less the uptime in it.
    pub at: Timestamp,
    /// What it booted.
    pub version: Version,
}

/// How the device was last seen, coarsely: each change of it is worth a line in the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The API answers.
    Answering,
    /// Something answers, but not the API: 403, 5xx, half replies.
    Starting,
    /// Nothing answers.
    Dark,
}

/// The watch over one restart. Stored with the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// When the restart was intended; a boot before this is not ours.
    pub asked_at: Timestamp,
    /// What the deadline counts from: the restart, or the last resume by an operator.
    pub watched_from: Timestamp,
    /// Which attempt at a restart this is, from 1.
    pub attempt: u32,
    /// Distinct boots since `watched_from`, oldest first.
    pub boots: Vec<Boot>,
    /// How it was last seen.
    pub reach: Reach,
    /// Times it answered or was starting, and then went dark.
    pub dark_spells: u32,
    /// Whether the warning deadline was already reported.
    pub warned: bool,
}

/// State of the auto-commit after a boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoCommit {
    /// No such job is listed (yet).
    NotSeen,
    /// Pending or active.
    Running,
    /// FIN/OK.
    Ok,
    /// The latest one ended FIN/FAIL.
    Failed {
        /// How many failed so far in this boot.
        attempts: u32,
    },
}

/// What one look at the device gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// The API answered.
    Answer {
        /// Running release.
        version: Version,
        /// Uptime, in seconds.
        uptime_seconds: u64,
        /// The auto-commit job.
        auto_commit: AutoCommit,
        /// `show chassis-ready`, where the model has it.
        chassis_ready: Option<bool>,
    },
    /// No usable answer.
    Nothing {
        /// Whether something answered at all.
        reach: Reach,
    },
}

/// Something the watch wants remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// How the device is seen changed.
    Reach(Reach),
    /// A boot not seen before.
    Boot(Boot),
    /// The warning deadline passed.
    Slow,
}

/// What the watch says after a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Look again.
    KeepWatching,
    /// The device still runs as before and did not take the restart; it may be asked again.
    NotTaken,
    /// Expected release, our boot, auto-commit done.
    Back,
    /// It will not come back by itself.
    Failed(HaltReason),
}

/// Deadlines of one hop, in minutes since the watch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Report it as slow.
    pub warn_min: u32,
    /// Give up.
    pub fail_min: u32,
}

impl Watch {
    /// A watch that begins with the intent to restart.
    pub fn begin(at: Timestamp, attempt: u32) -> Self {
        Watch {
            asked_at: at,
            watched_from: at,
            attempt,
            boots: Vec::new(),
            reach: Reach::Answering,
            dark_spells: 0,
            warned: false,
        }
    }

    /// Whether an operator has looked at it since the restart.
    pub(crate) fn was_resumed(&self) -> bool {
        self.watched_from > self.asked_at
    }

    /// The same restart, watched anew after an operator looked at it.
    pub fn resume(&mut self, at: Timestamp) {
        *self = Watch {
            asked_at: self.asked_at,
            ..Watch::begin(at, self.attempt)
        };
    }

    /// Takes a note into account.
    pub fn remember(&mut self, note: &Note) {
        match note {
            Note::Reach(reach) => {
                if *reach == Reach::Dark && self.reach != Reach::Dark {
                    self.dark_spells += 1;
                }
                self.reach = *reach;
            }
            Note::Boot(boot) => self.boots.push(boot.clone()),
            Note::Slow => self.warned = true,
        }
    }

    /// What a look at `now` means. `expected` is the release that was installed.
    pub fn look(
        &self,
        now: Timestamp,
        sight: &Sight,
        expected: Version,
        limits: Limits,
    ) -> (Vec<Note>, Outcome) {
        let mut notes = Vec::new();
        let outcome = match sight {
            Sight::Nothing { reach } => {
                self.note_reach(*reach, &mut notes);
                Outcome::KeepWatching
            }
            Sight::Answer {
                version,
                uptime_seconds,
                auto_commit,
                chassis_ready,
            } => {
                self.note_reach(Reach::Answering, &mut notes);
                let uptime = SignedDuration::from_secs(i64::try_from(*uptime_seconds).unwrap_or(i64::MAX));
                let boot = Boot {
                    at: saturating_sub(now, uptime),
                    version: *version,
                };
                let done = *auto_commit == AutoCommit::Ok || *chassis_ready == Some(true);
                self.answered(now, boot, done, *auto_commit, expected, &mut notes)
            }
        };
        let outcome = match outcome {
            Outcome::KeepWatching => self.against_deadline(now, limits, &mut notes),
            Outcome::NotTaken | Outcome::Back | Outcome::Failed(_) => outcome,
        };
        (notes, outcome)
    }

    fn note_reach(&self, reach: Reach, notes: &mut Vec<Note>) {
        if reach != self.reach {
            notes.push(Note::Reach(reach));
        }
    }

    fn answered(
        &self,
        now: Timestamp,
        boot: Boot,
        done: bool,
        auto_commit: AutoCommit,
        expected: Version,
        notes: &mut Vec<Note>,
    ) -> Outcome {
        if boot.at < self.asked_at {
            let taken_by = self.asked_at.max(self.watched_from).duration_until(now);
            return if taken_by > RESTART_TAKEN_WITHIN {
                Outcome::NotTaken
            } else {
                Outcome::KeepWatching
            };
        }
        let mut boots = u32::try_from(self.boots.len()).unwrap_or(u32::MAX);
        let known = self
            .boots
            .last()
            .is_some_and(|last| last.at.duration_until(boot.at) <= SAME_BOOT_WITHIN);
        let version = boot.version;
        if !known {
            notes.push(Note::Boot(boot));
            boots += 1;
        }
        if done {
            return if version == expected {
                Outcome::Back
            } else {
                Outcome::Failed(HaltReason::WrongRelease {
                    expected,
                    found: version,
                })
            };
        }
        if boots >= LOOP_BOOTS {
            return Outcome::Failed(HaltReason::BootLoop {
                boots,
                dark_spells: self.dark_spells,
            });
        }
        match auto_commit {
            AutoCommit::Failed { attempts } if attempts >= AUTO_COMMIT_TRIES => {
                Outcome::Failed(HaltReason::NotBack {
                    minutes: self.minutes_since(now),
                    last_seen: format!("the API answers and the auto-commit failed {attempts} times"),
                })
            }
            AutoCommit::NotSeen | AutoCommit::Running | AutoCommit::Ok | AutoCommit::Failed { .. } => {
                Outcome::KeepWatching
            }
        }
    }

    fn against_deadline(&self, now: Timestamp, limits: Limits, notes: &mut Vec<Note>) -> Outcome {
        let since = self.watched_from.duration_until(now);
        if since >= minutes(limits.fail_min) {
            let boots = u32::try_from(self.boots.len()).unwrap_or(u32::MAX);
            return Outcome::Failed(if self.dark_spells >= LOOP_DARK_SPELLS {
                HaltReason::BootLoop {
                    boots,
                    dark_spells: self.dark_spells,
                }
            } else {
                HaltReason::NotBack {
                    minutes: limits.fail_min,
                    last_seen: self.last_seen(),
                }
            });
        }
        if since >= minutes(limits.warn_min) && !self.warned {
            notes.push(Note::Slow);
        }
        Outcome::KeepWatching
    }

    fn minutes_since(&self, now: Timestamp) -> u32 {
        u32::try_from(self.watched_from.duration_until(now).as_mins()).unwrap_or(0)
    }

    fn last_seen(&self) -> String {
        match (self.reach, self.boots.last()) {
            (Reach::Answering, Some(boot)) => {
                format!(
                    "the API answers on {}, the auto-commit has not finished",
                    boot.version
                )
            }
            (Reach::Answering, None) => "the API answers and it has not restarted".to_owned(),
            (Reach::Starting, _) => "something answers, but not the API".to_owned(),
            (Reach::Dark, Some(boot)) => format!("dark, after a boot into {}", boot.version),
            (Reach::Dark, None) => "dark since the restart".to_owned(),
        }
    }

    /// The evidence in words, oldest first.
    pub fn evidence(&self) -> Vec<String> {
        let mut lines: Vec<String> = vec![format!("restart asked for at {:.0}", self.asked_at)];
        if self.watched_from > self.asked_at {
            lines.push(format!(
                "watched again from {:.0}, after a resume",
                self.watched_from
            ));
        }
        let mut before: Option<Timestamp> = None;
        for (index, boot) in self.boots.iter().enumerate() {
            let gap = before.map_or_else(String::new, |earlier| {
                format!(
                    ", {} s after the one before",
                    earlier.duration_until(boot.at).as_secs()
                )
            });
            lines.push(format!(
                "boot {} at {:.0} into {}{gap}",
                index + 1,
                boot.at,
                boot.version
            ));
            before = Some(boot.at);
        }
        lines.push(format!(
            "went dark {} times; last seen: {}",
            self.dark_spells,
            self.last_seen()
        ));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        warn_min: 25,
        fail_min: 45,
    };

    fn at(seconds: i64) -> Timestamp {
        "2026-03-07T22:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
    }

    fn answer(version: &str, uptime_seconds: u64, auto_commit: AutoCommit) -> Sight {
        Sight::Answer {
            version: version.parse().unwrap(),
            uptime_seconds,
            auto_commit,
            chassis_ready: None,
        }
    }

    fn expected() -> Version {
        "10.2.0".parse().unwrap()
    }

    /// Feeds sights to a watch that began at 0 s, as the device would, and gives the first outcome that ends it.
    fn run(sights: &[(i64, Sight)]) -> (Watch, i64, Outcome) {
        let mut watch = Watch::begin(at(0), 1);
        for (second, sight) in sights {
            let (notes, outcome) = watch.look(at(*second), sight, expected(), LIMITS);
            notes.iter().for_each(|note| watch.remember(note));
            if outcome != Outcome::KeepWatching {
                return (watch, *second, outcome);
            }
        }
        let last = sights.last().map_or(0, |(second, _)| *second);
        (watch, last, Outcome::KeepWatching)
    }

    const DARK: Sight = Sight::Nothing { reach: Reach::Dark };
    const STARTING: Sight = Sight::Nothing {
        reach: Reach::Starting,
    };

    #[test]
    fn a_good_boot_is_back_only_when_the_auto_commit_ended() {
        let (watch, second, outcome) = run(&[
            (30, answer("10.1.0", 900_000, AutoCommit::Ok)),
            (90, DARK),
            (500, STARTING),
            (600, answer("10.2.0", 200, AutoCommit::NotSeen)),
            (700, answer("10.2.0", 300, AutoCommit::Running)),
            (900, answer("10.2.0", 500, AutoCommit::Ok)),
        ]);
        assert_eq!((second, outcome), (900, Outcome::Back));
        assert_eq!(watch.boots.len(), 1);
    }

    #[test]
    fn uptime_that_resets_twice_is_a_loop_with_its_evidence() {
        let (watch, second, outcome) = run(&[
            (90, DARK),
            (500, answer("10.2.0", 100, AutoCommit::Running)),
            (560, DARK),
            (960, answer("10.2.0", 100, AutoCommit::Running)),
            (1020, DARK),
            (1420, answer("10.2.0", 100, AutoCommit::Running)),
        ]);
        assert_eq!(second, 1420);
        assert_eq!(
            outcome,
            Outcome::Failed(HaltReason::BootLoop {
                boots: 3,
                dark_spells: 3
            })
        );
        insta::assert_snapshot!(watch.evidence().join("\n"), @"
        restart asked for at 2026-03-07T22:00:00Z
        boot 1 at 2026-03-07T22:06:40Z into 10.2.0
        boot 2 at 2026-03-07T22:14:20Z into 10.2.0, 460 s after the one before
        boot 3 at 2026-03-07T22:22:00Z into 10.2.0, 460 s after the one before
        went dark 3 times; last seen: the API answers on 10.2.0, the auto-commit has not finished
        ");
    }

    #[test]
    fn an_old_uptime_is_no_boot_and_after_five_minutes_the_restart_was_not_taken() {
        let (_, second, outcome) = run(&[
            (100, answer("10.1.0", 900_000, AutoCommit::Ok)),
            (300, answer("10.1.0", 900_200, AutoCommit::Ok)),
            (310, answer("10.1.0", 900_210, AutoCommit::Ok)),
        ]);
        assert_eq!((second, outcome), (310, Outcome::NotTaken));
    }

    #[test]
    fn the_old_release_after_a_real_boot_is_not_success() {
        let (_, _, outcome) = run(&[(90, DARK), (800, answer("10.1.0", 300, AutoCommit::Ok))]);
        let Outcome::Failed(reason) = outcome else {
            panic!("must fail")
        };
        insta::assert_snapshot!(reason, @"came back on 10.1.0 where 10.2.0 was installed");
        assert!(reason.is_failed_reboot());
    }

    #[test]
    fn silence_until_the_deadline_is_an_outcome() {
        let (watch, second, outcome) = run(&[(90, DARK), (1600, DARK), (2699, DARK), (2700, DARK)]);
        assert!(watch.warned);
        assert_eq!(second, 2700);
        let Outcome::Failed(reason) = outcome else {
            panic!("must fail")
        };
        insta::assert_snapshot!(reason, @"not back 45 min after the restart; last seen: dark since the restart");
    }

    #[test]
    fn a_loop_whose_uptime_can_never_be_read_is_told_by_its_dark_spells() {
        let mut sights = Vec::new();
        for cycle in 0..8 {
            sights.push((90 + cycle * 330, DARK));
            sights.push((300 + cycle * 330, STARTING));
        }
        sights.push((2700, DARK));
        let (_, _, outcome) = run(&sights);
        assert!(matches!(
            outcome,
            Outcome::Failed(HaltReason::BootLoop {
                boots: 0,
                dark_spells: 4..
            })
        ));
    }

    #[test]
    fn four_failed_auto_commits_are_not_waited_out() {
        let (_, second, outcome) = run(&[
            (90, DARK),
            (700, answer("10.2.0", 200, AutoCommit::Failed { attempts: 1 })),
            (800, answer("10.2.0", 300, AutoCommit::Failed { attempts: 4 })),
        ]);
        assert_eq!(second, 800);
        assert!(matches!(outcome, Outcome::Failed(HaltReason::NotBack { .. })));
    }
}
