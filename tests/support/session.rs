//! A running campaign that a test talks to: commands in, news out, killed where the test says.

use std::time::Duration;

use hopgate::clock;
use hopgate::driver::Report;
use hopgate::fleet::{Command, Ending, Fleet, FleetError, News};
use hopgate_core::campaign::{ApprovalRefused, CampaignEvent};
use hopgate_core::device::{Event, Phase};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// A run that is not over after this much of the runtime's (virtual) time waits for something that never comes.
pub const STUCK_AFTER: Duration = Duration::from_secs(4 * 86_400);

/// A started run.
pub struct Session {
    /// Where commands go.
    pub commands: mpsc::UnboundedSender<Command>,
    news: mpsc::UnboundedReceiver<News>,
    running: JoinHandle<Result<Ending, FleetError>>,
}

impl Session {
    /// Starts a run.
    pub fn start(fleet: Fleet, news: mpsc::UnboundedReceiver<News>) -> Session {
        let (commands, mut received) = mpsc::unbounded_channel();
        let running = tokio::spawn(async move { fleet.run(&mut received).await });
        Session {
            commands,
            news,
            running,
        }
    }

    /// Waits for something to be recorded.
    ///
    /// # Panics
    /// Where the run ends without it.
    pub async fn until(&mut self, what: &str, mut is_it: impl FnMut(&News) -> bool) {
        loop {
            let news = clock::within(STUCK_AFTER, self.news.recv()).await;
            let Some(news) =
                news.unwrap_or_else(|| panic!("the run is stuck and nothing was told of: {what}"))
            else {
                panic!("the run ended and nothing was told of: {what}");
            };
            if is_it(&news) {
                return;
            }
        }
    }

    /// Waits for an event of a device.
    pub async fn until_device(&mut self, name: &str, what: &str, is_it: impl Fn(&Event) -> bool) {
        self.until(&format!("{name}: {what}"), |news| match news {
            News::Device(Report { device, events, .. }) => {
                device.as_str() == name && events.iter().any(|(_, event)| is_it(event))
            }
            News::Campaign(..) | News::Audit(..) => false,
        })
        .await;
    }

    /// Waits until a device has recorded that it is in a phase, by the phase's name.
    ///
    /// # Panics
    /// Where there is no such phase.
    pub async fn until_phase(&mut self, name: &str, wanted: &str) {
        assert!(Phase::NAMES.contains(&wanted), "{wanted} is no phase");
        self.until(&format!("{name} is {wanted}"), |news| match news {
            News::Device(report) => report.device.as_str() == name && report.phase.0 == wanted,
            News::Campaign(..) | News::Audit(..) => false,
        })
        .await;
    }

    /// Waits for an event of the campaign.
    pub async fn until_campaign(&mut self, what: &str, is_it: impl Fn(&CampaignEvent) -> bool) {
        self.until(
            what,
            |news| matches!(news, News::Campaign(_, event) if is_it(event)),
        )
        .await;
    }

    /// Asks for an approval and waits for the answer.
    ///
    /// # Panics
    /// Where the run has ended.
    pub async fn approve(
        &self,
        wave: &str,
        by: &str,
        looked_at: Option<&str>,
    ) -> Result<String, ApprovalRefused> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Approve {
            wave: wave.parse().expect("a wave name"),
            by: by.parse().expect("an identity"),
            reason: "the canaries are well".to_owned(),
            looked_at: looked_at.map(str::to_owned),
            answer,
        });
        answered.await.expect("the run answers")
    }

    /// Lets halted and held things go on.
    pub fn resume(&self) {
        self.send(resume());
    }

    /// Asks the run to come to rest.
    pub fn stop(&self) {
        self.send(Command::Stop {
            because: "the test".to_owned(),
        });
    }

    /// Sends a command.
    ///
    /// # Panics
    /// Where the run has ended.
    pub fn send(&self, command: Command) {
        self.commands.send(command).expect("the run goes on");
    }

    /// Waits for the run to end.
    ///
    /// # Errors
    /// As the run did.
    ///
    /// # Panics
    /// Where the run panicked or never ends.
    pub async fn ended(&mut self) -> Result<Ending, FleetError> {
        let ended = clock::within(STUCK_AFTER, &mut self.running).await;
        ended
            .expect("the run is stuck: it neither ends nor does anything")
            .expect("the run does not panic")
    }

    /// Waits for the run to end well.
    ///
    /// # Panics
    /// Where it fails.
    pub async fn end(mut self) -> Ending {
        self.ended().await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// The process dies: whatever the run was about to do, it does not.
    pub async fn kill(self) {
        self.running.abort();
        // Ended or aborted, it is gone.
        let _ = self.running.await;
        // Its device loops were aborted with it and are dropped at their next turn.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    }
}

/// The command that lets halted and held things go on.
///
/// # Panics
/// Never: the name is one.
pub fn resume() -> Command {
    Command::Resume {
        by: "olga".parse().expect("an identity"),
        reason: "looked at it".to_owned(),
    }
}
