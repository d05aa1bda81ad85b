//! Follows one device through its stream: the machine says in which phase each record left it, this file keeps when.
//!
//! Must not know the campaign's rules: why the device waits is told to it.

use std::collections::BTreeMap;

use hopgate_core::IllegalEvent;
use hopgate_core::device::{Action, Device, Enrolment, Event, Phase};
use hopgate_core::halt::HaltReason;
use hopgate_core::incident::device_key;
use hopgate_core::names::{CampaignId, DeviceId, WaveName};
use hopgate_core::plan::PlannedDevice;
use hopgate_core::waiting::Hold;
use hopgate_paths::{BrokenRule, Hop, Version};
use jiff::Timestamp;

use super::{
    DeviceHalt, DeviceStanding, DeviceState, DeviceStory, HopState, HopStory, Line, Part, Resume, Span, Wait,
    WaitCause, count, minutes_between, minutes_of, seconds_between,
};

/// A device under way through its own stream.
pub(super) struct Followed<'a> {
    campaign: &'a CampaignId,
    planned: &'a PlannedDevice,
    machine: Option<Device>,
    story: DeviceStory,
    waits: Option<(Timestamp, Hold)>,
}

impl<'a> Followed<'a> {
    /// A device of which nothing is recorded yet.
    pub(super) fn new(
        campaign: &'a CampaignId,
        device: &DeviceId,
        planned: &'a PlannedDevice,
        wave: Option<WaveName>,
        labels: BTreeMap<String, String>,
        begun: Timestamp,
    ) -> Self {
        let route = &planned.route;
        Followed {
            campaign,
            planned,
            machine: None,
            waits: None,
            story: DeviceStory {
                device: device.clone(),
                model: planned.model.clone(),
                serial: planned.serial.clone(),
                peer: planned.peer.clone(),
                labels,
                wave,
                from: route.from,
                now: route.from,
                seen: None,
                target: route.to,
                state: DeviceState {
                    standing: DeviceStanding::Waiting,
                    phase: "not enrolled".to_owned(),
                    since: begun,
                    text: "planned, and not enrolled yet".to_owned(),
                    next_step: None,
                    needs_person: false,
                },
                hops: hops(&route.hops, planned),
                waits: Vec::new(),
                halts: Vec::new(),
                timeline: Vec::new(),
            },
        }
    }

    /// The machine, once the device is enrolled.
    pub(super) fn machine(&self) -> Option<&Device> {
        self.machine.as_ref()
    }

    /// The other member of its pair.
    pub(super) fn peer(&self) -> Option<&'a DeviceId> {
        self.planned.peer.as_ref()
    }

    /// The hold that the device itself recorded, if it is between hops.
    pub(super) fn own_hold(&self) -> Option<&Hold> {
        match self.machine.as_ref()?.phase() {
            Phase::Waiting(hold) => Some(hold),
            _ => None,
        }
    }

    /// Takes one record of its stream into account.
    pub(super) fn take(&mut self, at: Timestamp, event: &Event) -> Result<(), IllegalEvent> {
        // Hops count up with the event that ends one, which still belongs to the hop before.
        let hop = self.machine.as_ref().map_or(0, Device::hops_done);
        match &mut self.machine {
            None => self.machine = Some(Device::begin(at, event)?),
            Some(machine) => machine.apply(at, event)?,
        }
        self.story.timeline.push(Line {
            at,
            event: event.name().to_owned(),
            text: event.to_string(),
        });
        self.count_in_hop(at, hop, event);
        self.note_release(event);
        match event {
            Event::Enrolled(enrolment) => self.enrolled(enrolment),
            Event::Halted { reason, evidence } => self.halted(at, hop, reason, evidence),
            Event::Resumed { by, reason } => {
                if let Some(halt) = self.story.halts.last_mut().filter(|halt| halt.resumed.is_none()) {
                    halt.resumed = Some(Resume {
                        at,
                        by: by.clone(),
                        reason: reason.clone(),
                    });
                }
            }
            _ => {}
        }
        self.move_span(at, hop);
        Ok(())
    }

    fn enrolled(&mut self, enrolment: &Enrolment) {
        self.story.model.clone_from(&enrolment.model);
        self.story.serial.clone_from(&enrolment.serial);
        self.story.peer.clone_from(&enrolment.peer);
        if let (Some(first), Some(last)) = (enrolment.hops.first(), enrolment.hops.last()) {
            self.story.from = first.from;
            self.story.now = first.from;
            self.story.target = last.to;
        }
        self.story.hops = hops(&enrolment.hops, self.planned);
    }

    fn count_in_hop(&mut self, at: Timestamp, hop: u32, event: &Event) {
        let Some(hop) = self.story.hops.get_mut(hop as usize) else {
            return;
        };
        match event {
            Event::PermitReceived(_) => {
                hop.started.get_or_insert(at);
                hop.permits += 1;
            }
            Event::ChecksPassed { passed, warnings } => {
                hop.checks_before = Some(*passed);
                hop.warnings.clone_from(warnings);
            }
            Event::Intended {
                action: Action::Install(_),
                ..
            } => hop.install_minutes = Some(0),
            Event::Intended {
                action: Action::Restart,
                ..
            } => hop.reboot_minutes = Some(0),
            Event::BootSeen(_) => hop.boots += 1,
            Event::HopEnded {
                how,
                passed,
                warnings,
                ..
            } => {
                let after = warnings.iter().map(|warning| format!("after it, {warning}"));
                hop.warnings.extend(after);
                hop.ended = Some(at);
                hop.how = Some(*how);
                hop.checks_after = Some(*passed);
                hop.state = HopState::Done;
            }
            _ => {}
        }
    }

    /// Keeps what runs apart from what was proved to run: a boot is not yet a finished hop.
    fn note_release(&mut self, event: &Event) {
        let seen = match event {
            Event::HopEnded { version, .. } => {
                self.story.now = *version;
                self.story.seen = None;
                return;
            }
            Event::BootSeen(boot) => boot.version,
            Event::FoundThere { version } => *version,
            Event::Held(Hold::Drifted { found, .. })
            | Event::Halted {
                reason: HaltReason::WrongRelease { found, .. },
                ..
            } => *found,
            _ => return,
        };
        self.story.seen = Some(seen).filter(|seen| *seen != self.story.now);
    }

    fn halted(&mut self, at: Timestamp, hop: u32, reason: &HaltReason, evidence: &[String]) {
        let resumes = self.machine.as_ref().map_or(0, Device::resumes);
        self.story.halts.push(DeviceHalt {
            at,
            resumed: None,
            hop: hop + 1,
            incident: device_key(self.campaign, &self.story.device, hop, resumes, reason.code()),
            reason: reason.clone(),
            evidence: evidence.to_vec(),
        });
    }

    /// Closes the span that the record ended and opens the one that it began, if it did either.
    fn move_span(&mut self, at: Timestamp, hop: u32) {
        let part = self
            .machine
            .as_ref()
            .and_then(|machine| Part::of(machine.phase()));
        let Some(hop) = self.story.hops.get_mut(hop as usize) else {
            return;
        };
        let open = hop.spans.last_mut().filter(|span| span.until.is_none());
        if open.as_ref().map(|span| span.part) == part {
            return;
        }
        if let Some(span) = open {
            span.until = Some(at);
        }
        if let Some(part) = part {
            hop.spans.push(Span {
                part,
                from: at,
                until: None,
            });
        }
    }

    /// From `at` on it waits for `hold`, or does not wait.
    pub(super) fn waits_for(&mut self, at: Timestamp, hold: Option<Hold>) {
        if self.waits.as_ref().map(|(_, hold)| hold) == hold.as_ref() {
            return;
        }
        if let Some((from, before)) = self.waits.take()
            // Reasons that replace each other within one instant were no wait.
            && seconds_between(from, at) > 0
        {
            self.story
                .waits
                .push(wait(from, Some(at), minutes_between(from, at), &before));
        }
        self.waits = hold.map(|hold| (at, hold));
    }

    /// The story as it stands when the last record, at `end`, was taken.
    pub(super) fn end(mut self, end: Timestamp) -> DeviceStory {
        let at_rest = self.waits.take();
        if let Some((from, hold)) = &at_rest {
            self.story
                .waits
                .push(wait(*from, None, minutes_between(*from, end), hold));
        }
        let hop_now = self.machine.as_ref().map_or(0, Device::hops_done);
        let standing = self.machine.as_ref().map_or(DeviceStanding::Waiting, standing);
        for hop in &mut self.story.hops {
            measure(hop, end);
            if hop.number == hop_now + 1 {
                hop.state = match standing {
                    DeviceStanding::Working => HopState::UnderWay,
                    DeviceStanding::Halted => HopState::Halted,
                    DeviceStanding::Waiting | DeviceStanding::Done if hop.permits > 0 => HopState::AtRest,
                    DeviceStanding::Waiting | DeviceStanding::Done => HopState::Ahead,
                };
            }
        }
        if let Some(machine) = &self.machine {
            let hold = at_rest.map(|(_, hold)| hold);
            self.story.state = state(machine, standing, hold.as_ref(), &self.story);
        }
        self.story
    }
}

fn hops(route: &[Hop], planned: &PlannedDevice) -> Vec<HopStory> {
    route
        .iter()
        .enumerate()
        .map(|(index, hop)| HopStory {
            number: count(index) + 1,
            from: hop.from,
            to: hop.to,
            kind: hop.kind,
            broken_rules: broken_rules(hop, planned),
            state: HopState::Ahead,
            started: None,
            ended: None,
            minutes: None,
            install_minutes: None,
            reboot_minutes: None,
            checks_before: None,
            checks_after: None,
            warnings: Vec::new(),
            boots: 0,
            permits: 0,
            how: None,
            spans: Vec::new(),
        })
        .collect()
}

/// An enrolment keeps the ids of broken rules; their texts are in the plan.
fn broken_rules(hop: &Hop, planned: &PlannedDevice) -> Vec<BrokenRule> {
    let in_plan = planned
        .route
        .hops
        .iter()
        .find(|known| known.from == hop.from && known.to == hop.to);
    hop.broken_rules
        .iter()
        .map(|rule| {
            in_plan
                .and_then(|known| known.broken_rules.iter().find(|known| known.rule == rule.rule))
                .unwrap_or(rule)
                .clone()
        })
        .collect()
}

/// Minutes of a hop and of its parts, from its spans.
fn measure(hop: &mut HopStory, end: Timestamp) {
    let spent = |wanted: &dyn Fn(Part) -> bool| {
        let seconds = hop
            .spans
            .iter()
            .filter(|span| wanted(span.part))
            .map(|span| seconds_between(span.from, span.until.unwrap_or(end)))
            .sum();
        minutes_of(seconds)
    };
    let all = spent(&|part| part != Part::Halted);
    let install = spent(&|part| part == Part::Install);
    let reboot = spent(&|part| part == Part::Reboot);
    hop.minutes = hop.started.map(|_| all);
    hop.install_minutes = hop.install_minutes.map(|_| install);
    hop.reboot_minutes = hop.reboot_minutes.map(|_| reboot);
}

fn standing(machine: &Device) -> DeviceStanding {
    match machine.phase() {
        Phase::Waiting(_) => DeviceStanding::Waiting,
        Phase::Done => DeviceStanding::Done,
        Phase::Halted { .. } => DeviceStanding::Halted,
        Phase::Checking
        | Phase::BackingUp
        | Phase::Fetching(_)
        | Phase::Installing(_)
        | Phase::Leaving(_)
        | Phase::Rebooting { .. }
        | Phase::Verifying { .. }
        | Phase::Restoring { .. } => DeviceStanding::Working,
    }
}

fn state(
    machine: &Device,
    standing: DeviceStanding,
    hold: Option<&Hold>,
    story: &DeviceStory,
) -> DeviceState {
    let (text, next_step, needs_person) = match machine.phase() {
        Phase::Halted { reason, .. } => (reason.to_string(), Some(reason.next_step().to_owned()), true),
        Phase::Waiting(_) if story.wave.is_none() => ("not in the present plan".to_owned(), None, false),
        Phase::Waiting(own) => {
            let hold = hold.unwrap_or(own);
            (hold.to_string(), None, own_person(hold))
        }
        Phase::Done => (format!("runs {}", story.now), None, false),
        phase => (in_hop(phase.name(), machine, story), None, false),
    };
    DeviceState {
        standing,
        phase: machine.phase().name().to_owned(),
        since: machine.since(),
        text,
        next_step,
        needs_person,
    }
}

/// Whether a person has to do something about this device. A halted campaign or an approval needs one too, once and not
/// for every device that waits for it: the campaign's story says so.
fn own_person(hold: &Hold) -> bool {
    match WaitCause::of(hold) {
        WaitCause::Drift | WaitCause::OtherRelease | WaitCause::Image | WaitCause::Unreadable => {
            hold.needs_person()
        }
        _ => false,
    }
}

fn in_hop(phase: &str, machine: &Device, story: &DeviceStory) -> String {
    let to = machine
        .hop()
        .map_or(story.target, |hop: &Hop| -> Version { hop.to });
    let number = machine.hops_done() + 1;
    format!("{phase}, hop {number} of {} to {to}", story.hops.len())
}

fn wait(from: Timestamp, until: Option<Timestamp>, minutes: u32, hold: &Hold) -> Wait {
    Wait {
        from,
        until,
        minutes,
        cause: WaitCause::of(hold),
        why: hold.to_string(),
    }
}
