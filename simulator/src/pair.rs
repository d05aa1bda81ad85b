//! An HA pair, active/passive or active/active: who leads, why, what is in sync, and whose doing that was.
//!
//! Sees of its members only whether they can serve, what they run and which links they have. Knows nothing of
//! requests or jobs.

use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::jobs::after;
use crate::traffic::{PairReport, Traffic};
use crate::wording;

/// Promotion hold of the vendor's recommended HA timer profile.
const PROMOTION_HOLD: SignedDuration = SignedDuration::from_millis(2000);

/// Preemption hold of the same profile.
const PREEMPTION_HOLD: SignedDuration = SignedDuration::from_secs(60);

/// Tentative hold of the same profile: how long an active/active member synchronises before it serves.
const TENTATIVE_HOLD: SignedDuration = SignedDuration::from_secs(60);

/// How long a member that was made functional again stays in `initial`.
const JOINING: SignedDuration = SignedDuration::from_secs(10);

/// How long `ha_agent` waits in `initial` for a session synchronisation that does not end (knowledge base).
const INITIAL_WAIT: SignedDuration = SignedDuration::from_secs(3600);

/// What session and configuration synchronisation take once both members are there; the vendor names no times.
const SESSION_SYNC: SignedDuration = SignedDuration::from_secs(15);
const CONFIGURATION_SYNC: SignedDuration = SignedDuration::from_secs(25);

/// "Flap max" of the same profile: so many flaps are borne.
pub(crate) const FLAP_MAX: u32 = 3;

/// Leaving again within this time of the last leaving counts as a flap (vendor HA guide, HA timers).
const FLAP_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Whether one member serves, or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HaMode {
    /// The passive member takes over when the active one goes.
    #[default]
    ActivePassive,
    /// Both serve; one of them is the primary.
    ActiveActive,
}

impl HaMode {
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::ActivePassive => "Active-Passive",
            Self::ActiveActive => "Active-Active",
        }
    }
}

/// Which member of an active/active pair owns a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionOwner {
    /// The one that got its first packet.
    #[default]
    FirstPacket,
    /// The primary.
    PrimaryDevice,
}

/// A link between two members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HaLink {
    /// Control: hellos, states, configuration. Without it each takes the other for dead.
    Ha1,
    /// Data: sessions.
    Ha2,
}

/// The addresses of a member's control link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ha1 {
    pub(crate) own: Ipv4Addr,
    pub(crate) peer: Ipv4Addr,
    /// The peer is in another subnet, behind a gateway.
    pub(crate) routed: bool,
}

impl Ha1 {
    /// Of each member.
    pub(crate) fn both(routed: bool) -> [Self; 2] {
        let one = Ipv4Addr::new(169, 254, 1, 1);
        let other = Ipv4Addr::new(169, 254, if routed { 5 } else { 1 }, 2);
        let link = |own, peer| Self { own, peer, routed };
        [link(one, other), link(other, one)]
    }
}

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
    /// Serves, and leads an active/active pair.
    ActivePrimary,
    /// Serves beside the primary.
    ActiveSecondary,
    /// Synchronises before it serves in an active/active pair.
    Tentative,
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
            Self::ActivePrimary => "active-primary",
            Self::ActiveSecondary => "active-secondary",
            Self::Tentative => "tentative",
            Self::Suspended => "suspended",
            Self::NonFunctional => "non-functional",
        }
    }

    /// Whether it holds the role that only one member may hold.
    pub(crate) fn leads(self) -> bool {
        matches!(self, Self::Active | Self::ActivePrimary)
    }

    /// Whether it could take that role over.
    fn follows(self) -> bool {
        matches!(self, Self::Passive | Self::ActiveSecondary)
    }

    fn serves(self) -> bool {
        self.leads() || self == Self::ActiveSecondary
    }

    fn in_ha(self) -> bool {
        self.leads() || self.follows() || self == Self::Tentative
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) state: HaState,
    pub(crate) reason: String,
    since: Timestamp,
    /// When a member in `initial` or `tentative` goes on.
    joins: Option<Timestamp>,
    /// It waited in `initial` since its last boot.
    waited: bool,
    /// It is non-functional for as long as the device says so.
    unfit: bool,
    /// When it last left service because it was unfit, and how many flaps that made.
    left: Option<Timestamp>,
    flaps: u32,
}

/// What the pair can see of its members at an instant.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// Whether packets flow.
    pub(crate) up: [bool; 2],
    /// Whether the boot has come to HA.
    pub(crate) booted: [bool; 2],
    /// Whether it was not told to restart either.
    pub(crate) stays: [bool; 2],
    /// Why it cannot take part.
    pub(crate) unfit: [Option<String>; 2],
    /// Seconds it wants to stay `initial`.
    pub(crate) initial: [u32; 2],
    /// Whether the devices let the links come up.
    pub(crate) ha1: bool,
    pub(crate) ha2: bool,
    /// How many feature releases apart the two are; trains that nobody knows count as the same.
    pub(crate) apart: usize,
    /// Which one runs the older release.
    pub(crate) older: usize,
}

/// How a pair is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) mode: HaMode,
    pub(crate) preferred: usize,
    pub(crate) preemptive: bool,
    pub(crate) suspension_survives: bool,
    pub(crate) session_owner: SessionOwner,
}

pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) setup: Setup,
    pub(crate) members: [Member; 2],
    promotion: Option<(usize, Timestamp)>,
    preemption: Option<Timestamp>,
    /// Links that somebody cut.
    cut: [bool; 2],
    /// The members hear each other.
    contact: bool,
    /// Both links are up, since when.
    linked: Option<Timestamp>,
    traffic: Traffic,
}

impl Pair {
    pub(crate) fn new(name: &str, setup: Setup, active: usize, at: Timestamp) -> Self {
        let (leader, follower) = match setup.mode {
            HaMode::ActivePassive => (HaState::Active, HaState::Passive),
            HaMode::ActiveActive => (HaState::ActivePrimary, HaState::ActiveSecondary),
        };
        let member = |index| Member {
            state: if index == active { leader } else { follower },
            reason: String::new(),
            since: at,
            joins: None,
            waited: false,
            unfit: false,
            left: None,
            flaps: 0,
        };
        Self {
            name: name.to_owned(),
            setup,
            members: [member(0), member(1)],
            promotion: None,
            preemption: None,
            cut: [false, false],
            contact: true,
            // In sync when the simulation begins.
            linked: Some(after(at, -CONFIGURATION_SYNC)),
            traffic: Traffic::new(active),
        }
    }

    /// 100 for the preferred member, 110 for the other: lower wins.
    pub(crate) fn priority(&self, member: usize) -> u32 {
        if member == self.setup.preferred { 100 } else { 110 }
    }

    /// Whether the members hear each other.
    /// How often a member left service unfit soon after it had done so before.
    pub(crate) fn flaps(&self, member: usize) -> u32 {
        self.members[member].flaps
    }

    pub(crate) fn is_in_contact(&self) -> bool {
        self.contact
    }

    /// The members are two feature releases apart: the older one is out.
    pub(crate) fn part(&mut self, view: &View, at: Timestamp) {
        self.set(1 - view.older, self.leader(), "", at);
        self.set(view.older, HaState::Suspended, wording::PEER_TOO_OLD, at);
    }

    /// Whether sessions are in sync.
    pub(crate) fn sessions_in_sync(&self, now: Timestamp) -> bool {
        self.synced(now, SESSION_SYNC)
    }

    /// Whether the configurations are in sync. They go over HA1, and wait for the rest.
    pub(crate) fn configuration_in_sync(&self, now: Timestamp) -> bool {
        self.synced(now, CONFIGURATION_SYNC)
    }

    fn synced(&self, now: Timestamp, takes: SignedDuration) -> bool {
        self.linked.is_some_and(|linked| after(linked, takes) <= now)
    }

    /// Links that somebody cut.
    pub(crate) fn links_cut(&self) -> Vec<HaLink> {
        let links = [HaLink::Ha1, HaLink::Ha2];
        links
            .into_iter()
            .filter(|link| self.cut[*link as usize])
            .collect()
    }

    /// Cuts a link, or heals it.
    pub(crate) fn cut(&mut self, link: HaLink, cut: bool) {
        self.cut[link as usize] = cut;
    }

    /// Whether new sessions may be owned by a member.
    pub(crate) fn owns_sessions(&self, member: usize) -> bool {
        let state = self.members[member].state;
        match self.setup.session_owner {
            SessionOwner::PrimaryDevice => state.leads(),
            SessionOwner::FirstPacket => state.serves(),
        }
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
            self.join(member, at, view);
        } else if let Some((member, _)) = self.promotion.filter(|(_, due)| *due <= at) {
            self.promotion = None;
            if self.members[member].state.follows() && view.up[member] {
                self.set(member, self.leader(), "", at);
            }
        } else if self.preemption.is_some_and(|due| due <= at) {
            self.preemption = None;
            self.set(1 - self.setup.preferred, self.follower(), "", at);
            self.set(self.setup.preferred, self.leader(), "", at);
        }
    }

    fn leader(&self) -> HaState {
        match self.setup.mode {
            HaMode::ActivePassive => HaState::Active,
            HaMode::ActiveActive => HaState::ActivePrimary,
        }
    }

    fn follower(&self) -> HaState {
        match self.setup.mode {
            HaMode::ActivePassive => HaState::Passive,
            HaMode::ActiveActive => HaState::ActiveSecondary,
        }
    }

    fn set(&mut self, index: usize, state: HaState, reason: &str, at: Timestamp) {
        let member = &mut self.members[index];
        member.state = state;
        reason.clone_into(&mut member.reason);
        member.since = at;
        member.joins = None;
        member.unfit = false;
    }

    /// A member's system is gone.
    pub(crate) fn down(&mut self, member: usize, at: Timestamp) {
        let keeps = self.setup.suspension_survives && self.suspended_by_user(member);
        if !keeps {
            self.set(member, HaState::Initial, "", at);
        }
        let member = &mut self.members[member];
        (member.waited, member.left, member.flaps) = (false, None, 0);
    }

    fn suspended_by_user(&self, member: usize) -> bool {
        let member = &self.members[member];
        member.state == HaState::Suspended && member.reason == wording::USER_REQUESTED
    }

    /// A member is ready to take part.
    pub(crate) fn join(&mut self, member: usize, at: Timestamp, view: &View) {
        self.members[member].joins = None;
        // One that was suspended stays so; one without a dataplane joins when it has one.
        let state = self.members[member].state;
        if !matches!(state, HaState::Initial | HaState::Tentative) || !view.up[member] {
            return;
        }
        let peer = 1 - member;
        let peer_in_ha = self.hears(view) && view.up[peer] && self.members[peer].state.in_ha();
        if state == HaState::Tentative {
            let next = if peer_in_ha {
                self.follower()
            } else {
                self.leader()
            };
            return self.set(member, next, "", at);
        }
        if self.waits_in_initial(member, peer_in_ha, at, view) {
            return;
        }
        if peer_in_ha && view.apart >= 2 {
            // Two feature releases apart, the older one leaves.
            self.set(member, self.follower(), "", at);
            self.set(view.older, HaState::Suspended, wording::PEER_TOO_OLD, at);
        } else if !peer_in_ha {
            self.set(member, self.leader(), "", at);
        } else if self.setup.mode == HaMode::ActiveActive {
            self.set(member, HaState::Tentative, "", at);
            self.members[member].joins = Some(after(at, TENTATIVE_HOLD));
        } else {
            self.set(member, HaState::Passive, "", at);
        }
        self.linked = self.linked.map(|_| at);
    }

    /// Waits once a boot for a session synchronisation that does not come, or as a fault wants it.
    fn waits_in_initial(&mut self, member: usize, peer_in_ha: bool, at: Timestamp, view: &View) -> bool {
        let asked = SignedDuration::from_secs(i64::from(view.initial[member]));
        let synchronises = view.ha2 && !self.cut[HaLink::Ha2 as usize];
        let missing = if peer_in_ha && !synchronises {
            INITIAL_WAIT
        } else {
            SignedDuration::ZERO
        };
        let wait = asked.max(missing);
        let waits = !self.members[member].waited && wait > SignedDuration::ZERO;
        if waits {
            self.members[member].waited = true;
            self.members[member].joins = Some(after(at, wait));
        }
        waits
    }

    fn hears(&self, view: &View) -> bool {
        view.booted == [true, true] && view.ha1 && !self.cut[HaLink::Ha1 as usize]
    }

    /// Brings timers and accounts in line with what just changed.
    pub(crate) fn settle(&mut self, at: Timestamp, view: &View) {
        for member in 0..2 {
            self.judge_fitness(member, at, view);
        }
        let contact = self.hears(view);
        if contact && !self.contact {
            self.meet_again(at, view);
        }
        self.contact = contact;
        let linked = contact && view.ha2 && !self.cut[HaLink::Ha2 as usize];
        self.linked = linked.then(|| self.linked.unwrap_or(at));
        self.promotion = self.promotion_due(at, view);
        self.preemption = self.preemption_due(at, view);
        let state = |i: usize| self.members[i].state;
        self.traffic.observe(
            at,
            [0, 1].map(|i| state(i).leads() && view.up[i]),
            [0, 1].map(|i| state(i).serves() && view.up[i]),
        );
    }

    /// A member that is broken leaves; one that is well again comes back, unless it did so too often.
    fn judge_fitness(&mut self, index: usize, at: Timestamp, view: &View) {
        let member = &mut self.members[index];
        match &view.unfit[index] {
            Some(reason)
                if view.booted[index] && (member.state.in_ha() || member.state == HaState::Initial) =>
            {
                let flap = member
                    .left
                    .is_some_and(|left| at.duration_since(left) < FLAP_WINDOW);
                member.flaps = if flap { member.flaps + 1 } else { 0 };
                member.left = Some(at);
                if member.flaps >= FLAP_MAX {
                    self.set(index, HaState::Suspended, wording::NON_FUNCTIONAL_LOOP, at);
                } else {
                    let reason = reason.clone();
                    self.set(index, HaState::NonFunctional, &reason, at);
                    self.members[index].unfit = true;
                }
            }
            None if member.unfit && member.state == HaState::NonFunctional => {
                self.set(index, HaState::Initial, "", at);
                self.members[index].joins = Some(after(at, JOINING));
            }
            _ => {}
        }
    }

    /// The members hear each other again. When both lead, one has to give way: with preemption the other than the
    /// preferred one, without it the one that leads for a shorter time.
    fn meet_again(&mut self, at: Timestamp, view: &View) {
        let leads = |i: usize| self.members[i].state.leads() && view.up[i];
        if view.apart >= 2 && self.members.iter().all(|member| member.state.in_ha()) {
            self.part(view, at);
        } else if leads(0) && leads(1) {
            let longest = usize::from(self.members[1].since < self.members[0].since);
            let stays = if self.setup.preemptive || self.members[0].since == self.members[1].since {
                self.setup.preferred
            } else {
                longest
            };
            self.set(1 - stays, self.follower(), "", at);
        }
    }

    fn promotion_due(&self, at: Timestamp, view: &View) -> Option<(usize, Timestamp)> {
        let led = |i: usize| {
            let peer = 1 - i;
            self.contact && self.members[peer].state.leads() && view.up[peer]
        };
        // Of two that could, the one with the better priority.
        let candidates = [self.setup.preferred, 1 - self.setup.preferred];
        let candidate = candidates
            .into_iter()
            .find(|&i| self.members[i].state.follows() && view.up[i] && !led(i))?;
        let running = self.promotion.filter(|(member, _)| *member == candidate);
        running.or(Some((candidate, after(at, PROMOTION_HOLD))))
    }

    fn preemption_due(&self, at: Timestamp, view: &View) -> Option<Timestamp> {
        let preferred = self.setup.preferred;
        let preempts = self.setup.preemptive
            && self.contact
            && self.members[preferred].state.follows()
            && view.up[preferred]
            && view.stays[preferred]
            && self.members[1 - preferred].state.leads()
            && view.up[1 - preferred];
        preempts.then(|| self.preemption.unwrap_or_else(|| after(at, PREEMPTION_HOLD)))
    }

    /// Whether a member serves or could take over.
    fn in_service(&self, member: usize, view: &View) -> bool {
        let state = self.members[member].state;
        view.stays[member] && (state.serves() || state.follows())
    }

    pub(crate) fn anyone_in_service(&self, view: &View) -> bool {
        (0..2).any(|member| self.in_service(member, view))
    }

    /// A request took out the last member that could serve.
    pub(crate) fn count_both_out(&mut self) {
        self.traffic.count_both_out();
    }

    pub(crate) fn suspend(&mut self, member: usize, at: Timestamp) {
        self.set(member, HaState::Suspended, wording::USER_REQUESTED, at);
    }

    /// Ends a suspension. Does nothing to a member that is in HA.
    pub(crate) fn functional(&mut self, member: usize, at: Timestamp) {
        if matches!(
            self.members[member].state,
            HaState::Suspended | HaState::NonFunctional
        ) {
            self.set(member, HaState::Initial, "", at);
            self.members[member].joins = Some(after(at, JOINING));
            self.members[member].flaps = 0;
        }
    }

    /// Puts a member into a state, as a fault would.
    pub(crate) fn force(&mut self, member: usize, state: HaState, reason: &str, at: Timestamp) {
        self.set(member, state, reason, at);
    }

    pub(crate) fn report(&self, now: Timestamp) -> PairReport {
        self.traffic.report(now)
    }
}
