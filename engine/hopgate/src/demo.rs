//! `hopgate demo`: one story in three acts, over real TLS sockets, with the real engine and a real journal.
//!
//! The optics check is left out and a firewall boot-loops; an audit finds who else is exposed; the optics are replaced, the
//! lesson becomes a guard, and the fleet arrives. Each act checks that it happened as it is told; the demo fails otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hopgate_core::campaign::CampaignEvent;
use hopgate_core::names::{DeviceId, Identity, WaveName};
use hopgate_core::waiting::Hold;
use panos_simulator::{ControlRequest, OpticSpec};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::audit::estate;
use crate::audit::live::Live;
use crate::audit::question::Question;
use crate::audit::{self, Audited, Outcome};
use crate::catalogue;
use crate::checks;
use crate::clock;
use crate::failure::Failure;
use crate::fleet::{Command, Ending, News};
use crate::kept::Kept;
use crate::progress::Progress;
use crate::report;
use crate::run::{self, Audience, Prepared, RunEnding};
use crate::simulate::{self, Simulation};
use crate::state::State;
use crate::story::Story;

mod receiver;

const FLEET: &str = include_str!("demo/fleet.yaml");
const CAMPAIGN: &str = include_str!("demo/campaign.yaml");

/// Simulated seconds a second where nobody says otherwise: eleven simulated hours in well under a minute.
pub const DEFAULT_SPEED: f64 = 900.0;

/// How long the page may take to arrive once the campaign is at rest, in real time.
const PAGE_WITHIN: Duration = Duration::from_secs(20);

/// The second identity.
const APPROVER: &str = "petra";

/// How the demo is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Simulated seconds a second.
    pub speed: f64,
    /// Where its files go.
    pub dir: PathBuf,
}

/// The demo did not go as it is told.
#[derive(Debug, thiserror::Error)]
#[error("the demo did not go as it is told: {0}")]
struct OffScript(String);

fn off_script(text: impl Into<String>) -> Failure {
    Failure::new(
        "X001",
        "please report it with the files in the demo's directory",
        OffScript(text.into()),
    )
}

fn io(doing: &str) -> impl Fn(std::io::Error) -> Failure + '_ {
    move |error| {
        let source = std::io::Error::new(error.kind(), format!("failed to {doing}: {error}"));
        Failure::new(
            "C001",
            "check that the demo's directory can be written (--dir)",
            source,
        )
    }
}

struct Stage {
    dir: PathBuf,
    campaign_file: PathBuf,
    simulation: Simulation,
    receiver: receiver::Receiver,
}

/// Runs the demo. `say` gets every line of the story that is not progress.
pub async fn run(options: &Options, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let started = clock::machine_time();
    let mut stage = set_up(options).await?;
    say(&format!(
        "hopgate demo: {} simulated firewalls over HTTPS on loopback, time runs {} times as fast, files in {}",
        stage.simulation.inventory.devices.len(),
        options.speed,
        stage.dir.display()
    ));
    let state = State::open(&stage.dir.join("state"))?;
    first_act(&state, &mut stage, say).await?;
    let audited = second_act(&state, &stage, say).await?;
    third_act(&state, &stage, &audited, say).await?;
    close(&state, &stage, say).await?;
    state.close().await;
    stage.simulation.served.shutdown().await;
    let took = started.duration_until(clock::machine_time()).as_secs();
    say(&format!("\nThat was {took} s of real time."));
    Ok(())
}

async fn set_up(options: &Options) -> Result<Stage, Failure> {
    let dir = options.dir.clone();
    std::fs::create_dir_all(&dir).map_err(io("make the demo's directory"))?;
    let secret = dir.join("secret");
    std::fs::write(&secret, "admin\n").map_err(io("write the simulated secret"))?;
    let fleet_file = dir.join("fleet.yaml");
    std::fs::write(&fleet_file, FLEET).map_err(io("write the fleet"))?;
    let receiver = receiver::listen()
        .await
        .map_err(io("open the demo's page receiver"))?;
    let mut simulation = simulate::serve(
        simulate::read_fleet(&fleet_file)?,
        &simulate::Options::at_speed(options.speed),
    )
    .await?;
    if let Some(credentials) = &mut simulation.inventory.defaults.credentials {
        credentials.password_from = Some(crate::config::credentials::SecretSource::File(secret.clone()));
    }
    simulate::write_inventory(&simulation.inventory, &dir.join("inventory.yaml"))?;
    let campaign = CAMPAIGN
        .replace("PAGER", &receiver.address.to_string())
        .replace("SECRET", &format!("{:?}", secret.display().to_string()));
    let campaign_file = dir.join("campaign.yaml");
    std::fs::write(&campaign_file, campaign).map_err(io("write the campaign"))?;
    Ok(Stage {
        dir,
        campaign_file,
        simulation,
        receiver,
    })
}

async fn first_act(state: &State, stage: &mut Stage, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    say("\n== Act 1: the optics check is left out ==\n");
    let prepared = run::prepare(state, &stage.campaign_file).await?;
    say(&crate::cli::plan_text(&prepared.plan));
    let mut audience = DemoAudience::new(&prepared);
    let ending = run::run(state, &prepared, Vec::new(), &mut audience).await?;
    audience.progress.end();
    let RunEnding::Campaign(Ending::WaitsForPerson(Hold::CampaignHalted { incident })) = ending else {
        return Err(off_script(format!(
            "act 1 should end halted, and ended {ending:?}"
        )));
    };
    if !audience.gate_approved {
        return Err(off_script("the gate to the rest was never approved"));
    }
    let page = clock::within(PAGE_WITHIN, stage.receiver.pages.recv())
        .await
        .flatten();
    let page = page.ok_or_else(|| off_script("no page arrived"))?;
    std::fs::write(stage.dir.join("page.json"), format!("{page:#}")).map_err(io("write the page"))?;
    say("\nThe page, as the pager's service got it:\n");
    say(&page_text(&page));
    let text = |pointer: &str| page.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if text("/dedup_key") != incident || text("/payload/class") != "boot-loop" {
        return Err(off_script(format!(
            "the page is not about the boot loop that halted the campaign: {page}"
        )));
    }
    say(&format!(
        "\nNothing new starts. {incident} halted the campaign, everything else is at a safe place."
    ));
    Ok(())
}

fn page_text(page: &Value) -> String {
    let text = |pointer: &str| page.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let mut lines = vec![
        format!(
            "  {} {}",
            text("/payload/severity").to_uppercase(),
            text("/payload/summary")
        ),
        format!("  key   {}", text("/dedup_key")),
        format!("  next  {}", text("/payload/custom_details/next_step")),
    ];
    let evidence = page
        .pointer("/payload/custom_details/evidence")
        .and_then(Value::as_array);
    for line in evidence.into_iter().flatten().filter_map(Value::as_str) {
        lines.push(format!("  seen  {line}"));
    }
    lines.join("\n")
}

async fn second_act(
    state: &State,
    stage: &Stage,
    say: &mut dyn FnMut(&str),
) -> Result<Vec<Audited>, Failure> {
    say("\n== Act 2: who else? ==\n");
    let prepared = run::prepare(state, &stage.campaign_file).await?;
    let catalogue = catalogue::load(&[], Path::new(""))?;
    let optics = checks::load("optics", Path::new(""), &catalogue)?;
    let question = Arc::new(Question {
        keep_facts: true,
        ..Question::of(vec![optics], None, catalogue)
    });
    let began = clock::machine_time();
    let mut live = Live::silent();
    let asking = estate::ask(
        &prepared.connections().clients,
        None,
        &stage.simulation.inventory,
        &question,
        Kept::of(state.ledger()),
        &prepared.clock,
        &mut live,
    );
    let audited = Box::pin(asking).await;
    let took = began.duration_until(clock::machine_time()).as_millis();
    say(&audit::text(&audited));
    say(&format!(
        "hopgate audit --playbook optics: {} firewalls in {took} ms",
        audited.devices.len()
    ));
    audit::record::write_json(&audited, &stage.dir.join("audit.json"))?;
    audit::html::write_html(&audited, &stage.dir.join("audit.html"))?;
    say(&format!("Report: {}", stage.dir.join("audit.html").display()));
    Ok(audited.devices)
}

async fn third_act(
    state: &State,
    stage: &Stage,
    audited: &[Audited],
    say: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    say("\n== Act 3: the lesson becomes a guard ==\n");
    replace_optics(stage, audited, say)?;
    let campaign = std::fs::read_to_string(&stage.campaign_file).map_err(io("read the campaign"))?;
    let guarded = campaign.replace("before: [readiness]", "before: [readiness, optics]");
    std::fs::write(&stage.campaign_file, guarded).map_err(io("write the campaign"))?;
    say(
        "The optics playbook now guards every hop. That is another plan, so the earlier approval no longer counts.",
    );
    let prepared = run::prepare(state, &stage.campaign_file).await?;
    let resume = Command::Resume {
        by: identity("olga")?,
        reason: "optics replaced in every exposed port".to_owned(),
    };
    let mut audience = DemoAudience::new(&prepared);
    let ending = run::run(state, &prepared, vec![resume], &mut audience).await?;
    audience.progress.end();
    match ending {
        RunEnding::Campaign(Ending::Finished) if audience.gate_approved => Ok(()),
        other => Err(off_script(format!(
            "act 3 should finish after a new approval, and ended {other:?}"
        ))),
    }
}

/// Swaps every module that is not the vendor's, in the devices that the audit named and in the one that loops.
fn replace_optics(stage: &Stage, audited: &[Audited], say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let fleet = &stage.simulation.fleet;
    for device in audited.iter().filter(|device| device.outcome() != Outcome::Clear) {
        let name = device.device.as_str();
        let state = fleet
            .state(name)
            .ok_or_else(|| off_script(format!("the simulator lost {name}")))?;
        let optics: Vec<OpticSpec> = state
            .optics
            .into_iter()
            .map(|optic| OpticSpec {
                vendor: "Palo Alto Networks".to_owned(),
                part: "PAN-SFP-PLUS-SR".to_owned(),
                serial: None,
                ..optic
            })
            .collect();
        say(&format!("{name}: {} modules replaced", optics.len()));
        fleet
            .control(ControlRequest::SetOptics {
                device: name.to_owned(),
                optics,
            })
            .map_err(|error| off_script(error.to_string()))?;
    }
    Ok(())
}

async fn close(state: &State, stage: &Stage, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let campaign = "spring-2026".parse()?;
    let labels = stage.simulation.inventory.devices.iter();
    let labels: BTreeMap<DeviceId, _> = labels
        .map(|entry| (entry.name.clone(), entry.labels.clone()))
        .collect();
    let story = Story::of(state.ledger(), &campaign, &labels)?
        .ok_or_else(|| off_script("the journal lost the campaign"))?;
    say("\n== The end ==\n");
    say(&report::table(&story));
    let html = stage.dir.join("report.html");
    std::fs::write(&html, report::html(&story)).map_err(io("write the report"))?;
    let json = serde_json::to_string_pretty(&story).map_err(|error| off_script(error.to_string()))?;
    std::fs::write(stage.dir.join("story.json"), json).map_err(io("write the story"))?;
    say(&format!("\nReport: {}", html.display()));
    let fleet = &stage.simulation.fleet;
    for device in fleet.devices() {
        let runs = fleet
            .state(&device.name)
            .map(|state| state.version.to_string())
            .unwrap_or_default();
        if runs != "10.2.4-h4" {
            return Err(off_script(format!("{} runs {runs} at the end", device.name)));
        }
    }
    for pair in fleet.pairs() {
        let served = fleet
            .pair_report(&pair)
            .ok_or_else(|| off_script(format!("the simulator lost {pair}")))?;
        if served.both_out_of_service_by_request > 0 {
            return Err(off_script(format!(
                "both members of {pair} were out of service by request"
            )));
        }
        say(&format!(
            "{pair}: {:.0} s without a serving member, never both out of service by request",
            served.seconds_with_nobody_serving
        ));
    }
    Ok(())
}

fn identity(name: &str) -> Result<Identity, Failure> {
    Ok(name.parse()?)
}

/// Shows progress, and approves the gate as the second identity would from another terminal.
struct DemoAudience {
    progress: Progress,
    commands: Option<mpsc::UnboundedSender<Command>>,
    gate_approved: bool,
}

impl DemoAudience {
    fn new(prepared: &Prepared) -> Self {
        DemoAudience {
            progress: Progress::new(prepared.about()),
            commands: None,
            gate_approved: false,
        }
    }

    fn approve(&self, wave: &WaveName) {
        let (Some(commands), Ok(by)) = (&self.commands, APPROVER.parse()) else {
            return;
        };
        let (answer, _answered) = oneshot::channel();
        let reason = "canaries are up, change record checked".to_owned();
        // The approval shows up as recorded news, or the demo fails for want of it.
        let _ = commands.send(Command::Approve {
            wave: wave.clone(),
            by,
            reason,
            looked_at: None,
            answer,
        });
    }
}

impl Audience for DemoAudience {
    fn hear(&mut self, news: &News) {
        self.progress.show(news);
        match news {
            News::Campaign(_, CampaignEvent::GateReached { wave }) => self.approve(wave),
            News::Campaign(_, CampaignEvent::Approved { .. }) => self.gate_approved = true,
            News::Campaign(..) | News::Device(_) | News::Audit(..) => {}
        }
    }

    fn stopping(&mut self, under_way: &[DeviceId]) {
        self.progress.stopping(under_way);
    }

    fn take_commands(&mut self, commands: mpsc::UnboundedSender<Command>) {
        self.commands = Some(commands);
    }
}
