//! The timeline of the whole campaign: a row a device, time to the right, in SVG that stretches and needs no script.
//!
//! Every row is its own small picture, so that rows can be hidden, and break over pages, one by one. Positions are
//! percentages of the time shown. Must not know the rest of the page.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::wording::{Escaped, clock, duration, leap, minute, off_vendor};
use crate::story::{DeviceStory, HopStory, Part, Story, minutes_between};

/// Height of a row in CSS pixels; the bar in it leaves room for the marks above and below.
const ROW: u32 = 26;

/// Most labels on the axis: a label needs about 60 of the 640 pixels that the picture has at least.
const LABELS_MAX: i64 = 9;

/// Steps between labels, in minutes, from a rehearsal of minutes to a campaign of weeks.
const STEPS_MIN: [i64; 11] = [1, 5, 10, 15, 30, 60, 120, 240, 720, 1440, 10080];

/// The time that is shown.
struct Axis {
    from: Timestamp,
    until: Timestamp,
}

impl Axis {
    /// From the first hop, or the window's opening where it came, to the last record. The hours between the planning and
    /// the window hold nothing but waiting.
    fn of(story: &Story) -> Axis {
        let campaign = &story.campaign;
        let first_hop = story
            .devices
            .iter()
            .flat_map(|device| device.hops.iter().filter_map(|hop| hop.started))
            .min();
        let from = match first_hop {
            Some(first) if campaign.window.opens <= first => campaign.window.opens.max(campaign.begun),
            Some(first) => first,
            None => campaign.begun,
        };
        let until = campaign.last_record.max(from + SignedDuration::from_mins(1));
        Axis { from, until }
    }

    /// Where an instant lies, in percent from the left.
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds of a campaign are far below 2^52"
    )]
    fn x(&self, at: Timestamp) -> f64 {
        let whole = self.from.duration_until(self.until).as_secs() as f64;
        let part = self.from.duration_until(at).as_secs() as f64;
        (100.0 * part / whole).clamp(0.0, 100.0)
    }

    /// Full steps of civil time inside, in UTC.
    fn labels(&self) -> Vec<Timestamp> {
        let seconds = self.from.duration_until(self.until).as_secs();
        let step = STEPS_MIN
            .into_iter()
            .map(|minutes| minutes * 60)
            .find(|step| seconds / step <= LABELS_MAX)
            .unwrap_or(seconds.max(60));
        let first = self.from.as_second().div_euclid(step) + 1;
        let last = self.until.as_second().div_euclid(step);
        (first..=last)
            .filter_map(|index| Timestamp::from_second(index * step).ok())
            .collect()
    }
}

/// The whole picture.
pub(super) fn gantt(story: &Story) -> String {
    let axis = Axis::of(story);
    let mut out = String::new();
    out.push_str(&definitions(story, &axis));
    out.push_str(&legend(story));
    out.push_str(
        "<div class=\"gantt\" tabindex=\"0\" role=\"group\" aria-label=\"Timeline\"><div class=\"rows\">",
    );
    out.push_str(&axis_row(story, &axis));
    for device in &story.devices {
        out.push_str(&row(story, device, &axis));
    }
    out.push_str("</div></div>");
    out
}

/// Patterns and the vertical lines, drawn once and used by every row.
fn definitions(story: &Story, axis: &Axis) -> String {
    let mut out = String::from(
        "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\
         <pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"6\" height=\"6\" class=\"hatch-ground\"/><rect width=\"2\" height=\"6\" class=\"hatch-line\"/></pattern>\
         <g id=\"marks\">",
    );
    for at in axis.labels() {
        line(&mut out, axis, at, "tick");
    }
    for mark in marks(story) {
        line(&mut out, axis, mark.at, mark.class);
    }
    out.push_str("</g></defs></svg>");
    out
}

fn line(out: &mut String, axis: &Axis, at: Timestamp, class: &str) {
    let x = axis.x(at);
    let _ = write!(
        out,
        "<line class=\"{class}\" x1=\"{x:.3}%\" x2=\"{x:.3}%\" y1=\"0\" y2=\"{ROW}\"/>"
    );
}

/// A vertical line through all rows.
struct Mark {
    at: Timestamp,
    class: &'static str,
    letter: &'static str,
    text: String,
}

fn marks(story: &Story) -> Vec<Mark> {
    let campaign = &story.campaign;
    let approvals = campaign.approvals.iter().map(|approval| Mark {
        at: approval.at,
        class: "approval",
        letter: "A",
        text: format!(
            "wave {} approved by {}: {}",
            approval.wave, approval.by, approval.reason
        ),
    });
    let incidents = campaign.incidents.iter().map(|incident| Mark {
        at: incident.at,
        class: "incident",
        letter: "!",
        text: format!("incident: {}", incident.summary),
    });
    let resumes = campaign.resumes.iter().map(|resume| Mark {
        at: resume.at,
        class: "resume",
        letter: "R",
        text: format!("resumed by {}: {}", resume.by, resume.reason),
    });
    approvals.chain(incidents).chain(resumes).collect()
}

fn legend(story: &Story) -> String {
    let mut out = String::from("<p class=\"legend\">");
    for part in Part::ALL {
        let (class, label) = (class(part), part.label());
        let _ = write!(out, "<span><i class=\"key {class}\"></i>{label}</span>");
    }
    out.push_str("<span><i class=\"key waits\"></i>waits</span>");
    if story.campaign.off_vendor {
        out.push_str("<span><i class=\"key off-vendor\"></i>OFF-VENDOR hop</span>");
    }
    out.push_str(
        "<span><b class=\"letter approval\">A</b>approval</span><span><b class=\"letter incident\">!</b>incident</span>\
         <span><b class=\"letter resume\">R</b>resume</span></p>",
    );
    out
}

fn class(part: Part) -> &'static str {
    match part {
        Part::Prepare => "prepare",
        Part::Install => "install",
        Part::Failover => "failover",
        Part::Reboot => "reboot",
        Part::Verify => "verify",
        Part::Halted => "halted",
    }
}

fn axis_row(story: &Story, axis: &Axis) -> String {
    let mut out = String::from(
        "<div class=\"row axis\"><div class=\"name\">UTC</div><svg class=\"track\" height=\"34\">",
    );
    for at in axis.labels() {
        let _ = write!(
            out,
            "<text class=\"time\" x=\"{:.3}%\" y=\"12\">{}</text>",
            axis.x(at),
            axis_label(axis, at)
        );
    }
    for mark in marks(story) {
        let _ = write!(
            out,
            "<text class=\"letter {}\" x=\"{:.3}%\" y=\"30\">{}<title>{} {}</title></text>",
            mark.class,
            axis.x(mark.at),
            mark.letter,
            clock(mark.at),
            Escaped(mark.text)
        );
    }
    out.push_str("</svg></div>");
    out
}

/// The time of day; with the day where the picture spans more than one.
fn axis_label(axis: &Axis, at: Timestamp) -> String {
    if axis.from.duration_until(axis.until) > SignedDuration::from_hours(24) {
        at.strftime("%d.%m. %H:%M").to_string()
    } else {
        clock(at)
    }
}

fn row(story: &Story, device: &DeviceStory, axis: &Axis) -> String {
    let name = &device.device;
    let standing = super::sections::standing_class(device.state.standing);
    let mut out = format!(
        "<div class=\"row\" data-device=\"{name}\"><div class=\"name\"><a href=\"#dev-{name}\"><i class=\"dot {standing}\"></i>{name}</a></div>\
         <svg class=\"track\" height=\"{ROW}\" role=\"img\" aria-label=\"{name}\"><use href=\"#marks\"/>"
    );
    for wait in &device.waits {
        let title = format!("{}: {}", wait.cause.label(), wait.why);
        let bar = Bar {
            class: "waits",
            from: wait.from,
            until: wait.until.unwrap_or(axis.until),
            y: 9,
            height: 8,
        };
        bar.draw(&mut out, axis, &title);
    }
    for hop in &device.hops {
        hop_bars(story, hop, axis, &mut out);
    }
    for halt in &device.halts {
        let _ = write!(
            out,
            "<text class=\"cross\" x=\"{:.3}%\" y=\"18\">&#10005;<title>{} HALTED: {}</title></text>",
            axis.x(halt.at),
            clock(halt.at),
            Escaped(&halt.reason)
        );
    }
    out.push_str("</svg></div>");
    out
}

fn hop_bars(story: &Story, hop: &HopStory, axis: &Axis, out: &mut String) {
    let off = hop.is_off_vendor().then(|| off_vendor(&story.campaign)).flatten();
    for span in &hop.spans {
        let mut title = format!(
            "hop {}, {}: {}",
            hop.number,
            leap(hop.from, hop.to),
            span.part.label()
        );
        if let Some(off) = &off {
            let _ = write!(title, " ({off})");
        }
        let bar = Bar {
            class: class(span.part),
            from: span.from,
            until: span.until.unwrap_or(axis.until),
            y: 4,
            height: 18,
        };
        bar.draw(out, axis, &title);
        if off.is_some() {
            let frame = Bar {
                class: "frame",
                ..bar
            };
            frame.draw(out, axis, &title);
        }
    }
}

/// One rectangle of a row.
#[derive(Clone, Copy)]
struct Bar {
    class: &'static str,
    from: Timestamp,
    until: Timestamp,
    y: u32,
    height: u32,
}

impl Bar {
    fn draw(self, out: &mut String, axis: &Axis, title: &str) {
        if self.until < axis.from {
            return;
        }
        let (left, right) = (axis.x(self.from), axis.x(self.until));
        let minutes = duration(minutes_between(self.from, self.until));
        let _ = write!(
            out,
            "<rect class=\"{}\" x=\"{left:.3}%\" width=\"{:.3}%\" y=\"{}\" height=\"{}\"><title>{} to {}, {minutes}: {}</title></rect>",
            self.class,
            right - left,
            self.y,
            self.height,
            minute(self.from),
            clock(self.until),
            Escaped(title)
        );
    }
}
