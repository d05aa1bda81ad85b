//! An active/passive HA pair: who is active, why, since when nobody is, and whose doing that was.
//!
//! Sees of its members only whether they can serve and what they run. Knows nothing of requests or jobs.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::jobs::after;
use crate::wording;

/// Promotion hold of the vendor's recommended HA timer profile.
const PROMOTION_HOLD: SignedDuration = SignedDuration::from_millis(2000);

/// Preemption hold of the same profile.
const PREEMPTION_HOLD: SignedDuration = SignedDuration::from_secs(60);

/// How long a member that was made functional again stays in `initial`.
const JOINING: SignedDuration = SignedDuration::from_secs(10);

/// HA state of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HaState {
    /// Not decided yet, after a boot or a return to functional.
    Initial,
    /// Serves.
    Active,
    /// Ready to take over.
    Passive,
    /// Out of HA until told otherwise.
    Suspended,
    /// Out of HA because something is broken.
    NonFunctional,
}

impl HaState {
    /// The state as the device spells it.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Suspended => "suspended",
            Self::NonFunctional => "non-functional",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) state: HaState,
    pub(crate) reason: String,
    /// When a member in `initial` by request joins again.
    joins: Option<Timestamp>,
}

/// What the pair can see of its members at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// Whether packets flow.
    pub(crate) up: [bool; 2],
    /// Whether it was not told to restart either.
    pub(crate) stays: [bool; 2],
    /// How many feature releases apart the two are; trains that nobody knows count as the same.
    pub(crate) apart: usize,
    /// Which one runs the older release.
    pub(crate) older: usize,
}

pub(crate) struct Pair {
    pub(crate) name: String,
    preferred: usize,
    preemptive: bool,
    suspension_survives: bool,
    pub(crate) members: [Member; 2],
    promotion: Option<(usize, Timestamp)>,
    preemption: Option<Timestamp>,
    traffic: Traffic,
}

/// What became of a pair's traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PairReport {
    /// Seconds in which no member was active with its dataplane up.
    pub seconds_with_nobody_serving: f64,
    /// The longest stretch of them.
    pub longest_gap_seconds: f64,
    /// How often a request took out the last member that could serve.
    pub both_out_of_service_by_request: u64,
    /// How often the active role changed hands.
    pub failovers: u64,
}

#[derive(Debug, Default)]
struct Traffic {
    nobody_since: Option<Timestamp>,
    total: SignedDuration,
    longest: SignedDuration,
    failovers: u64,
    last_active: Option<usize>,
    both_out: u64,
}

impl Pair {
    pub(crate) fn new(name: &str, active: usize, preemptive: bool, suspension_survives: bool) -> Self {
        let member = |state| Member {
            state,
            reason: String::new(),
            joins: None,
        };
        let mut members = [member(HaState::Passive), member(HaState::Passive)];
        members[active].state = HaState::Active;
        let traffic = Traffic {
            last_active: Some(active),
            ..Traffic::default()
        };
        Self {
            name: name.to_owned(),
            preferred: active,
            preemptive,
            suspension_survives,
            members,
            promotion: None,
            preemption: None,
            traffic,
        }
    }

    pub(crate) fn is_preemptive(&self) -> bool {
        self.preemptive
    }

    pub(crate) fn set_preemptive(&mut self, preemptive: bool) {
        self.preemptive = preemptive;
    }

    /// 100 for the preferred member, 110 for the other: lower wins.
    pub(crate) fn priority(&self, member: usize) -> u32 {
        if member == self.preferred { 100 } else { 110 }
    }

    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        let joins = self.members.iter().filter_map(|member| member.joins);
        joins
            .chain(self.promotion.map(|(_, at)| at))
            .chain(self.preemption)
            .min()
    }

    /// Does what is due at `at`; one event a call.
    pub(crate) fn step(&mut self, at: Timestamp, view: &View) {
        if let Some(member) = (0..2).find(|&i| self.members[i].joins.is_some_and(|due| due <= at)) {
            self.join(member, view);
        } else if let Some((member, _)) = self.promotion.filter(|(_, due)| *due <= at) {
            self.promotion = None;
            if self.members[member].state == HaState::Passive && view.up[member] {
                self.set(member, HaState::Active, "");
            }
        } else if self.preemption.is_some_and(|due| due <= at) {
            self.preemption = None;
            self.set(1 - self.preferred, HaState::Passive, "");
            self.set(self.preferred, HaState::Active, "");
        }
    }

    fn set(&mut self, member: usize, state: HaState, reason: &str) {
        self.members[member] = Member {
            state,
            reason: reason.to_owned(),
            joins: None,
        };
    }

    /// A member's dataplane is gone.
    pub(crate) fn down(&mut self, member: usize) {
        let keeps = self.suspension_survives && self.suspended_by_user(member);
        if !keeps {
            self.set(member, HaState::Initial, "");
        }
    }

    fn suspended_by_user(&self, member: usize) -> bool {
        let member = &self.members[member];
        member.state == HaState::Suspended && member.reason == wording::USER_REQUESTED
    }

    /// A member is ready to take part.
    pub(crate) fn join(&mut self, member: usize, view: &View) {
        self.members[member].joins = None;
        // One that was suspended stays so; one without a dataplane joins when it has one.
        if self.members[member].state != HaState::Initial || !view.up[member] {
            return;
        }
        let peer = 1 - member;
        let peer_in_ha =
            view.up[peer] && matches!(self.members[peer].state, HaState::Active | HaState::Passive);
        if peer_in_ha && view.apart >= 2 {
            // Two feature releases apart, the older one leaves.
            self.set(member, HaState::Passive, "");
            self.set(view.older, HaState::Suspended, wording::PEER_TOO_OLD);
        } else if peer_in_ha {
            self.set(member, HaState::Passive, "");
        } else {
            self.set(member, HaState::Active, "");
        }
    }

    /// Brings timers and accounts in line with what just changed.
    pub(crate) fn settle(&mut self, at: Timestamp, view: &View) {
        let state = |i: usize| self.members[i].state;
        let active = (0..2).find(|&i| state(i) == HaState::Active && view.up[i]);
        let candidate = (0..2).find(|&i| state(i) == HaState::Passive && view.up[i]);
        self.promotion = match (active, candidate) {
            (None, Some(candidate)) => {
                let running = self.promotion.filter(|(member, _)| *member == candidate);
                running.or(Some((candidate, after(at, PROMOTION_HOLD))))
            }
            _ => None,
        };
        let preempts = self.preemptive
            && candidate == Some(self.preferred)
            && view.stays[self.preferred]
            && active == Some(1 - self.preferred);
        self.preemption = preempts.then(|| self.preemption.unwrap_or_else(|| after(at, PREEMPTION_HOLD)));
        self.traffic.observe(at, active);
    }

    /// Whether a member serves or could take over.
    fn in_service(&self, member: usize, view: &View) -> bool {
        view.stays[member] && matches!(self.members[member].state, HaState::Active | HaState::Passive)
    }

    pub(crate) fn anyone_in_service(&self, view: &View) -> bool {
        (0..2).any(|member| self.in_service(member, view))
    }

    /// A request took out the last member that could serve.
    pub(crate) fn count_both_out(&mut self) {
        self.traffic.both_out += 1;
    }

    pub(crate) fn suspend(&mut self, member: usize) {
        self.set(member, HaState::Suspended, wording::USER_REQUESTED);
    }

    /// Ends a suspension. Does nothing to a member that is in HA.
    pub(crate) fn functional(&mut self, member: usize, at: Timestamp) {
        if matches!(
            self.members[member].state,
            HaState::Suspended | HaState::NonFunctional
        ) {
            self.set(member, HaState::Initial, "");
            self.members[member].joins = Some(after(at, JOINING));
        }
    }

    /// Puts a member into a state, as a fault would.
    pub(crate) fn force(&mut self, member: usize, state: HaState, reason: &str) {
        self.set(member, state, reason);
    }

    pub(crate) fn report(&self, now: Timestamp) -> PairReport {
        let current = self
            .traffic
            .nobody_since
            .map_or(SignedDuration::ZERO, |since| now.duration_since(since));
        PairReport {
            seconds_with_nobody_serving: (self.traffic.total + current).as_secs_f64(),
            longest_gap_seconds: self.traffic.longest.max(current).as_secs_f64(),
            both_out_of_service_by_request: self.traffic.both_out,
            failovers: self.traffic.failovers,
        }
    }
}

impl Traffic {
    fn observe(&mut self, at: Timestamp, active: Option<usize>) {
        match (active, self.nobody_since) {
            (None, None) => self.nobody_since = Some(at),
            (Some(_), Some(since)) => {
                let gap = at.duration_since(since);
                self.nobody_since = None;
                self.total += gap;
                self.longest = self.longest.max(gap);
            }
            _ => {}
        }
        if active.is_some() && active != self.last_active {
            self.last_active = active;
            self.failovers += 1;
        }
    }
}
