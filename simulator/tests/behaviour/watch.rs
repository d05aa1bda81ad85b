//! A device seen from outside over time: one row whenever something changed, as a small table.

use std::sync::Arc;

use panos_simulator::{Area, DeviceState, Exchange, Fleet, Reach};

use crate::probe::{Probe, between, fleet, job_id, text, wait};

/// A fleet of one device `fw` that suffers from one rule of the library.
pub(crate) fn ill(rule: &str, model: &str, version: &str, rest: &str) -> Arc<Fleet> {
    fleet(&format!(
        "devices:\n  - {{name: fw, model: {model}, version: {version}, content: 9040-9500{rest}}}\nfaults: [{rule}]\n"
    ))
}

/// A pair `a`, `b` that suffers from one rule of the library; `a` is active.
pub(crate) fn ill_pair(rule: &str, model: &str, version: &str, rest: &str) -> Arc<Fleet> {
    let device = |name: &str| {
        format!("  - {{name: {name}, model: {model}, version: {version}, content: 9040-9500{rest}}}\n")
    };
    fleet(&format!(
        "devices:\n{}{}pairs: [{{name: p, members: [a, b], active: a}}]\nfaults: [{rule}]\n",
        device("a"),
        device("b")
    ))
}

/// What a row says, but for what always changes.
#[derive(PartialEq)]
struct Look {
    reach: Reach,
    answer: String,
    ha: String,
    missing: Vec<Area>,
}

pub(crate) struct Watch {
    pub(crate) probe: Probe,
    start: jiff::Timestamp,
    rows: Vec<String>,
    last: Option<Look>,
    booted: Option<i64>,
    areas: Vec<Area>,
}

impl Watch {
    pub(crate) async fn on(fleet: &Arc<Fleet>, device: &str) -> Self {
        let probe = Probe::login(fleet, device).await;
        Self {
            start: fleet.clock().now(),
            probe,
            rows: Vec::new(),
            last: None,
            booted: None,
            areas: Vec::new(),
        }
    }

    /// Watches these areas as well. Whether one is back is the simulator's own word.
    pub(crate) fn areas(mut self, areas: &[Area]) -> Self {
        self.areas = areas.to_vec();
        self
    }

    fn state(&self) -> DeviceState {
        self.probe.fleet.state(&self.probe.device).unwrap()
    }

    fn time(&self) -> String {
        let passed = self
            .probe
            .fleet
            .clock()
            .now()
            .duration_since(self.start)
            .as_secs();
        format!("{:>3}:{:02}", passed / 3600, passed / 60 % 60)
    }

    /// A line of its own: what somebody did, or what came of it.
    pub(crate) fn note(&mut self, text: &str) {
        let text = text.trim_end().replace('\n', " |");
        self.rows.push(format!("{} -- {text}", self.time()));
        self.last = None;
    }

    /// Looks every `step` seconds, for so many minutes.
    pub(crate) async fn minutes(&mut self, minutes: u64, step: u64) {
        let end =
            self.probe.fleet.clock().now() + jiff::SignedDuration::from_mins(i64::try_from(minutes).unwrap());
        while self.probe.fleet.clock().now() < end {
            self.look().await;
            wait(step).await;
        }
    }

    async fn look(&mut self) {
        let state = self.state();
        let asked = self.probe.ask("<show><system><info/></system></show>").await;
        let (answer, uptime) = match &asked {
            Exchange::Refused => ("refused".to_owned(), None),
            Exchange::Reset => ("reset".to_owned(), None),
            Exchange::Reply(reply) if reply.status() == 200 => {
                let body = text(reply.body());
                let uptime = between(&body, "<uptime>", "</uptime>").to_owned();
                let rest = self.answers().await;
                (
                    format!(
                        "200 {:<10} {rest}",
                        between(&body, "<sw-version>", "</sw-version>")
                    ),
                    Some(uptime),
                )
            }
            Exchange::Reply(reply) => (reply.status().as_u16().to_string(), None),
            other => (format!("{other:?}"), None),
        };
        let ha = state.ha.map_or(String::new(), |ha| {
            format!(
                "{}{}",
                serde_json::to_string(&ha.state).unwrap().trim_matches('"'),
                if ha.reason.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", ha.reason)
                }
            )
        });
        let missing = self
            .areas
            .iter()
            .copied()
            .filter(|area| state.missing.contains(area));
        let look = Look {
            reach: state.reach,
            answer,
            ha,
            missing: missing.collect(),
        };
        self.row(look, uptime);
    }

    /// The auto-commit and the chassis, as the API tells them.
    async fn answers(&self) -> String {
        let value =
            |body: &str, name: &str| between(body, &format!("<{name}>"), &format!("</{name}>")).to_owned();
        let read = async |command: &str| match self.probe.ask(command).await {
            Exchange::Reply(reply) if reply.status() == 200 => text(reply.body()),
            _ => String::new(),
        };
        let jobs = read("<show><jobs><all/></jobs></show>").await;
        let commit = jobs
            .split("<job>")
            .find(|job| job.contains("<type>AutoCom</type>"))
            .map_or("no AutoCom".to_owned(), |job| {
                match (value(job, "status").as_str(), value(job, "result")) {
                    ("FIN", result) => format!("AutoCom {} {result}", value(job, "id")),
                    (status, _) => format!("AutoCom {} {status}", value(job, "id")),
                }
            });
        let chassis = read("<show><chassis-ready/></show>").await;
        format!("{commit:<14} {}", between(&chassis, "CDATA[", "\n"))
    }

    fn row(&mut self, look: Look, uptime: Option<String>) {
        let now = self.probe.fleet.clock().now().as_second();
        let booted = uptime.as_deref().map(|uptime| now - seconds(uptime));
        let rebooted = matches!((self.booted, booted), (Some(before), Some(after)) if after > before + 60);
        if self.last.as_ref() == Some(&look) && !rebooted {
            return;
        }
        self.booted = booted.or(self.booted);
        let mark = |up: bool, name: &'static str| if up { name } else { "-" };
        let missing = if look.missing.is_empty() {
            String::new()
        } else {
            format!("without {:?}", look.missing)
        };
        let row = format!(
            "{} {:<4} {:<3} {:<4} {:<33} {:<10} {} {missing}",
            self.time(),
            mark(look.reach.icmp, "icmp"),
            mark(look.reach.ssh, "22"),
            mark(look.reach.https, "443"),
            look.answer,
            uptime.map_or(String::new(), |uptime| short(&uptime)),
            look.ha,
        );
        self.rows.push(row.trim_end().to_owned());
        self.last = Some(look);
    }

    pub(crate) fn table(&self) -> String {
        self.rows.join("\n")
    }

    /// Downloads, and notes how that ends.
    pub(crate) async fn download(&mut self, version: &str) -> bool {
        self.job("download", version).await
    }

    /// Installs, and notes how that ends.
    pub(crate) async fn install(&mut self, version: &str) -> bool {
        self.job("install", version).await
    }

    async fn job(&mut self, action: &str, version: &str) -> bool {
        let reply = self.probe.software(action, version).await;
        if !reply.contains("<job>") {
            self.note(&format!(
                "{action} {version}: {}",
                between(&reply, "<line>", "</line>")
            ));
            return false;
        }
        let end = self.probe.finish(job_id(&reply)).await;
        self.note(&format!("{action} {version}: {end}"));
        end.starts_with("OK")
    }

    pub(crate) async fn restart(&mut self) {
        self.note("restart");
        self.probe.restart().await;
    }

    /// Installs what has to install, restarts, and watches.
    pub(crate) async fn upgrade(&mut self, version: &str) {
        assert!(self.install(version).await);
        self.restart().await;
    }

    pub(crate) fn control(&mut self, request: panos_simulator::ControlRequest) {
        let text = serde_json::to_string(&request).unwrap();
        self.probe.fleet.control(request).unwrap();
        self.note(&format!("control {text}"));
    }
}

fn seconds(uptime: &str) -> i64 {
    let (days, time) = uptime.split_once(" days, ").unwrap();
    let parts: Vec<i64> = time.split(':').map(|part| part.parse().unwrap()).collect();
    days.parse::<i64>().unwrap() * 86_400 + parts[0] * 3600 + parts[1] * 60 + parts[2]
}

/// Hours and minutes up, or days.
fn short(uptime: &str) -> String {
    let seconds = seconds(uptime);
    if seconds < 86_400 {
        format!("up {}:{:02}", seconds / 3600, seconds / 60 % 60)
    } else {
        format!("up {}d", seconds / 86_400)
    }
}
