//! What a person sees while a campaign runs: a bar for each device in flight on a terminal, a line for each event that
//! matters anywhere else.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};

use hopgate_core::campaign::CampaignEvent;
use hopgate_core::device::{Event, Work};
use hopgate_core::names::DeviceId;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use crate::driver::Report;
use crate::fleet::News;

/// Steps of a hop that a bar counts, in order.
const STEPS: [&str; 8] = [
    "waiting",
    "checking",
    "backing up",
    "fetching",
    "installing",
    "leaving service",
    "rebooting",
    "verifying",
];

/// Shows the news of a campaign.
pub struct Progress {
    bars: Option<MultiProgress>,
    lines: BTreeMap<DeviceId, ProgressBar>,
    about: BTreeMap<DeviceId, About>,
    style: Option<ProgressStyle>,
}

/// What is shown beside a device's name.
#[derive(Debug, Clone)]
pub struct About {
    /// Its model.
    pub model: String,
    /// The releases of its hops, in order.
    pub releases: Vec<String>,
}

impl Progress {
    /// Bars where standard output is a terminal, lines where it is not.
    pub fn new(about: BTreeMap<DeviceId, About>) -> Self {
        let interactive = std::io::stdout().is_terminal();
        let bars = interactive.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        let template = "  {prefix:<26} {bar:16} {msg}";
        let style = ProgressStyle::with_template(template)
            .ok()
            .map(|style| style.progress_chars("=> "));
        Progress {
            bars,
            lines: BTreeMap::new(),
            about,
            style,
        }
    }

    /// Takes one piece of news.
    pub fn show(&mut self, news: &News) {
        match news {
            News::Campaign(at, event) => self.campaign(*at, event),
            News::Device(report) => self.device(report),
            News::Audit(at, told) => self.line(&format!("{}  audit {told}", clock_time(*at))),
        }
    }

    /// Takes every bar away.
    pub fn end(&mut self) {
        for (_, line) in std::mem::take(&mut self.lines) {
            line.finish_and_clear();
        }
    }

    /// Says what a stop waits for.
    pub fn stopping(&mut self, under_way: &[DeviceId]) {
        if under_way.is_empty() {
            self.aside("stopping: nothing is under way");
            return;
        }
        let names: Vec<&str> = under_way.iter().map(DeviceId::as_str).collect();
        self.aside(&format!(
            "stopping: nothing new starts; waiting for {} to reach a safe place (Ctrl-C again stops at once)",
            names.join(", ")
        ));
    }

    fn campaign(&self, at: Timestamp, event: &CampaignEvent) {
        let matters = !matches!(
            event,
            CampaignEvent::Granted { .. } | CampaignEvent::Returned { .. }
        );
        if matters {
            self.line(&format!("{}  {event}", clock_time(at)));
        }
    }

    fn device(&mut self, report: &Report) {
        for (at, event) in &report.events {
            if matters(event) {
                self.line(&format!("{}  {:<18} {event}", clock_time(*at), report.device));
                if let Event::Halted { evidence, .. } = event {
                    evidence
                        .iter()
                        .for_each(|line| self.line(&format!("{:>30}{line}", "")));
                }
            }
        }
        self.bar(report);
    }

    fn bar(&mut self, report: &Report) {
        let Some(bars) = &self.bars else { return };
        if report.standing.work != Work::Working {
            if let Some(line) = self.lines.remove(&report.device) {
                line.finish_and_clear();
            }
            return;
        }
        let line = self.lines.entry(report.device.clone()).or_insert_with(|| {
            let line = bars.add(ProgressBar::new(STEPS.len() as u64));
            if let Some(style) = &self.style {
                line.set_style(style.clone());
            }
            line
        });
        let step = STEPS.iter().position(|step| *step == report.phase.0).unwrap_or(0);
        line.set_position(step as u64);
        let about = self.about.get(&report.device);
        line.set_prefix(about.map_or_else(
            || report.device.to_string(),
            |about| format!("{} {}", report.device, about.model),
        ));
        let to = about.and_then(|about| about.releases.get(report.standing.hops_done as usize));
        let to = to.map_or_else(String::new, |to| format!("to {to}: "));
        line.set_message(format!(
            "{to}{} since {}",
            report.phase.0,
            clock_time(report.phase.1)
        ));
    }

    /// A line that is not part of what happened, and so no data.
    fn aside(&self, text: &str) {
        match &self.bars {
            Some(bars) => drop(bars.println(text)),
            None => drop(writeln!(std::io::stderr(), "{text}")),
        }
    }

    fn line(&self, text: &str) {
        match &self.bars {
            // A terminal that went away takes its lines with it; the journal has them all.
            Some(bars) => drop(bars.println(text)),
            None => drop(writeln!(std::io::stdout(), "{text}")),
        }
    }
}

/// Events worth a line on a screen that shows a whole fleet.
fn matters(event: &Event) -> bool {
    match event {
        Event::Held(_)
        | Event::Unanswered { .. }
        | Event::FailoverFailed { .. }
        | Event::RestartNotTaken
        | Event::WentBack { .. }
        | Event::SlowBoot { .. }
        | Event::HopEnded { .. }
        | Event::Halted { .. }
        | Event::Resumed { .. }
        | Event::StandDownAsked { .. } => true,
        Event::BootSeen(_)
        | Event::Enrolled(_)
        | Event::PermitReceived(_)
        | Event::PickedUp
        | Event::FoundThere { .. }
        | Event::ChecksPassed { .. }
        | Event::BackedUp { .. }
        | Event::Intended { .. }
        | Event::Accepted { .. }
        | Event::Refused { .. }
        | Event::FoundUndone { .. }
        | Event::JobEnded { .. }
        | Event::ImagesReady { .. }
        | Event::Staged { .. }
        | Event::FailoverProved { .. }
        | Event::PuttingBack
        | Event::Restored
        | Event::Seen(_)
        | Event::BackInService { .. }
        | Event::HaSettled { .. } => false,
    }
}

fn clock_time(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}
