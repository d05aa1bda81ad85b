//! The only loop that acts on a device: next input, decide, append, apply, perform.
//!
//! One task a device. It decides nothing and knows no PAN-OS: what to do comes from [`Device::decide`], how it is done is
//! in `driver/observe.rs` (looks) and `driver/act.rs` (changing requests). No changing request leaves before its intent
//! is durable, because an effect is performed only after the events beside it were appended.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use hopgate_core::IllegalEvent;
use hopgate_core::device::{Device, Effect, Event, Input, Standing};
use hopgate_core::names::DeviceId;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::journal::{Seq, StreamId};
use crate::ledger::{Ledger, LedgerError, device_stream};

pub use hands::{Checks, Hands};

mod act;
mod before;
mod hands;
mod observe;

/// Why a device's loop had to stop. Nothing is lost: the journal has everything up to here.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The journal did not take an event.
    #[error("the loop of {device} stops: its events cannot be recorded")]
    Ledger {
        /// The device.
        device: DeviceId,
        /// Why.
        #[source]
        source: LedgerError,
    },
    /// A decision produced an event that its own state refuses: a defect of hopgate.
    #[error("the loop of {device} stops: a decision contradicts its state; this is a defect of hopgate")]
    Illegal {
        /// The device.
        device: DeviceId,
        /// Why.
        #[source]
        source: IllegalEvent,
    },
}

/// What a device's loop tells the rest of the process, after it is durable.
#[derive(Debug, Clone)]
pub struct Report {
    /// The device.
    pub device: DeviceId,
    /// Its summary for the campaign.
    pub standing: Standing,
    /// The phase's name and since when.
    pub phase: (&'static str, Timestamp),
    /// What was recorded, oldest first; empty for the first report.
    pub events: Vec<(Timestamp, Event)>,
}

/// One device's loop.
pub struct Driver {
    device: Device,
    stream: StreamId,
    next: Seq,
    ledger: Ledger,
    hands: Arc<Hands>,
    clock: Clock,
    inbox: mpsc::UnboundedReceiver<Input>,
    reports: mpsc::UnboundedSender<Report>,
}

impl Driver {
    /// A loop for a device as replayed from its stream, whose next record takes position `next`.
    pub fn new(
        device: Device,
        next: Seq,
        ledger: Ledger,
        hands: Arc<Hands>,
        inbox: mpsc::UnboundedReceiver<Input>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Result<Self, LedgerError> {
        let stream = device_stream(&device.enrolment().campaign, device.id())?;
        let clock = hands.clock().clone();
        Ok(Driver {
            device,
            stream,
            next,
            ledger,
            hands,
            clock,
            inbox,
            reports,
        })
    }

    /// Runs until the inbox is closed.
    pub async fn run(mut self) -> Result<(), DriverError> {
        self.report(Vec::new());
        let mut under_way: Option<BoxFuture<'static, Input>> = None;
        self.turn(Input::Resumed, &mut under_way).await?;
        loop {
            let input = match &mut under_way {
                None => match self.inbox.recv().await {
                    Some(command) => command,
                    None => return Ok(()),
                },
                Some(result) => tokio::select! {
                    biased;
                    command = self.inbox.recv() => match command {
                        Some(command) => command,
                        None => return Ok(()),
                    },
                    input = result => {
                        under_way = None;
                        input
                    }
                },
            };
            self.turn(input, &mut under_way).await?;
        }
    }

    /// Decide, append, apply, perform: in this order, here and nowhere else.
    async fn turn(
        &mut self,
        input: Input,
        under_way: &mut Option<BoxFuture<'static, Input>>,
    ) -> Result<(), DriverError> {
        let now = self.clock.now();
        let decision = self.device.decide(now, &input);
        if !decision.events.is_empty() {
            self.record(now, decision.events).await?;
        } else if matches!(input, Input::Resume { .. }) {
            // Whoever asked waits to hear of it, also where there was nothing to resume.
            self.report(Vec::new());
        }
        if let Some(effect) = decision.effects.into_iter().next_back() {
            *under_way = Some(self.perform(effect));
        }
        Ok(())
    }

    async fn record(&mut self, now: Timestamp, events: Vec<Event>) -> Result<(), DriverError> {
        let device = self.device.id().clone();
        self.next = self
            .ledger
            .append(&self.stream, self.next, now, &events)
            .await
            .map_err(|source| DriverError::Ledger {
                device: device.clone(),
                source,
            })?;
        for event in &events {
            self.device
                .apply(now, event)
                .map_err(|source| DriverError::Illegal {
                    device: device.clone(),
                    source,
                })?;
        }
        self.report(events.into_iter().map(|event| (now, event)).collect());
        Ok(())
    }

    fn report(&self, events: Vec<(Timestamp, Event)>) {
        // The fleet outlives its drivers; where it is gone the process is ending and nobody needs the report.
        let _ = self.reports.send(Report {
            device: self.device.id().clone(),
            standing: self.device.standing(),
            phase: (self.device.phase().name(), self.device.since()),
            events,
        });
    }

    fn perform(&self, effect: Effect) -> BoxFuture<'static, Input> {
        let hands = Arc::clone(&self.hands);
        match effect {
            Effect::WakeAt(at) => Box::pin(async move {
                hands.clock().sleep_until(at).await;
                Input::Tick
            }),
            Effect::Observe(probe) => {
                let hop = self.device.hop().cloned();
                Box::pin(async move { hands.observe(probe, hop).await })
            }
            Effect::Send(call) => Box::pin(async move { hands.send(call).await }),
        }
    }
}
