//! The line to a device: what is made to go wrong between a client and a healthy device, and whether it is cut.
//!
//! Faults of the device itself are in `fault.rs`; here a request or its reply is lost, delayed, cut short or replaced.
//! Says what happens to a request; who sends bytes or waits is told by `fleet.rs` and `serve.rs`.

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::jobs::after;
use crate::operation::Operation;

/// What goes wrong on the way. Several can be on one line: every delay counts, the slowest drip, and the oldest of the
/// others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NetworkFault {
    /// The connection is refused; the device sees nothing.
    Refuse,
    /// The connection is reset before TLS begins; the device sees nothing. On a connection that is open already, as
    /// [`NetworkFault::Reset`].
    ResetBeforeTls,
    /// The connection is reset; the device sees nothing.
    Reset,
    /// Nothing is ever answered; the device sees nothing.
    Hang,
    /// A login page with status 200 comes in place of the reply; the device sees nothing.
    Html,
    /// An HTML page with status 502 comes in place of the reply, as from a proxy; the device sees nothing.
    ErrorPage,
    /// The device does what was asked; half of the reply arrives, and the connection ends.
    Truncate,
    /// The device does what was asked; half of the reply arrives, and the connection is reset.
    ResetMidReply,
    /// The device does what was asked; half of the XML arrives as a whole HTTP reply.
    TruncatedXml,
    /// The device does what was asked; the connection is reset before the reply.
    LoseReply,
    /// The device does what was asked; nothing is ever answered.
    SwallowReply,
    /// The request takes this much longer to arrive.
    Latency {
        /// Simulated milliseconds.
        milliseconds: u32,
    },
    /// The reply's body arrives this slowly.
    Drip {
        /// Bytes in a simulated second.
        bytes_per_second: NonZeroU32,
    },
}

impl NetworkFault {
    /// Whether it only delays.
    fn delays(self) -> bool {
        matches!(self, Self::Latency { .. } | Self::Drip { .. })
    }
}

/// How long an injected fault stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasts {
    /// For so many requests that meet it.
    Requests(u32),
    /// For so many simulated seconds.
    Seconds(u32),
    /// Until it is cleared.
    UntilCleared,
}

impl Default for Lasts {
    fn default() -> Self {
        Self::Requests(1)
    }
}

/// What a client meets where the network to a device is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// Nothing comes back, whatever is sent.
    #[default]
    Silence,
    /// Connections are refused, open ones are reset.
    Refuse,
}

/// A fault that waits for requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Injection {
    /// What goes wrong.
    pub fault: NetworkFault,
    /// Requests it has left; `None` where they are not counted.
    pub requests: Option<u32>,
    /// When it ends by itself; `None` where it does not.
    pub until: Option<Timestamp>,
    /// Only requests for this operation.
    pub operation: Option<String>,
    /// Only requests that change the device.
    pub changing_only: bool,
}

impl Injection {
    pub(crate) fn new(
        fault: NetworkFault,
        lasts: Lasts,
        operation: Option<String>,
        changing_only: bool,
        now: Timestamp,
    ) -> Self {
        let (requests, until) = match lasts {
            Lasts::Requests(requests) => (Some(requests), None),
            Lasts::Seconds(seconds) => {
                let length = SignedDuration::from_secs(i64::from(seconds));
                (None, Some(after(now, length)))
            }
            Lasts::UntilCleared => (None, None),
        };
        Self {
            fault,
            requests,
            until,
            operation,
            changing_only,
        }
    }

    fn meets(&self, operation: Option<Operation>) -> bool {
        let named = self
            .operation
            .as_deref()
            .is_none_or(|name| operation.is_some_and(|operation| operation.is_called(name)));
        named && (!self.changing_only || operation.is_some_and(Operation::is_changing))
    }

    fn meets_connections(&self) -> bool {
        let of_connections = matches!(self.fault, NetworkFault::Refuse | NetworkFault::ResetBeforeTls);
        of_connections && self.operation.is_none() && !self.changing_only
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.requests == Some(0) || self.until.is_some_and(|until| until <= now)
    }

    fn use_up(&mut self) -> NetworkFault {
        if let Some(left) = &mut self.requests {
            *left -= 1;
        }
        self.fault
    }
}

/// The injections of one device, oldest first, and its cut.
#[derive(Debug, Default)]
pub(crate) struct Line {
    injections: Vec<Injection>,
    cut: Option<(Cut, Option<Timestamp>)>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LineReport {
    /// How it is cut, where it is.
    pub cut: Option<Cut>,
    /// When the cut ends by itself.
    pub cut_until: Option<Timestamp>,
    /// Faults that wait for requests.
    pub injections: Vec<Injection>,
}

impl Line {
    pub(crate) fn inject(&mut self, injection: Injection) {
        self.injections.push(injection);
    }

    /// Takes everything back, the cut too.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn cut(&mut self, how: Cut, until: Option<Timestamp>) {
        self.cut = Some((how, until));
    }

    pub(crate) fn heal(&mut self) {
        self.cut = None;
    }

    /// How the line is cut at present.
    pub(crate) fn is_cut(&self, now: Timestamp) -> Option<Cut> {
        let (how, until) = self.cut?;
        until.is_none_or(|until| now < until).then_some(how)
    }

    /// When the line changes by itself, as far as connections are concerned.
    pub(crate) fn heals(&self) -> Option<Timestamp> {
        self.cut.and_then(|(_, until)| until)
    }

    /// The fault that a new connection meets, if any. Uses it up by one.
    pub(crate) fn connecting(&mut self, now: Timestamp) -> Option<NetworkFault> {
        self.forget(now);
        let met = self
            .injections
            .iter_mut()
            .find(|injection| injection.meets_connections())?;
        let fault = met.use_up();
        self.forget(now);
        Some(fault)
    }

    /// How much longer a request takes to arrive. Uses up every delay it meets by one.
    pub(crate) fn latency(&mut self, operation: Option<Operation>, now: Timestamp) -> SignedDuration {
        let mut whole = SignedDuration::ZERO;
        self.delays(operation, now, |fault| {
            if let NetworkFault::Latency { milliseconds } = fault {
                whole += SignedDuration::from_millis(i64::from(milliseconds));
                return true;
            }
            false
        });
        whole
    }

    /// How slowly a reply arrives, in bytes a simulated second. Uses up every drip it meets by one.
    pub(crate) fn pace(&mut self, operation: Option<Operation>, now: Timestamp) -> Option<NonZeroU32> {
        let mut slowest: Option<NonZeroU32> = None;
        self.delays(operation, now, |fault| {
            if let NetworkFault::Drip { bytes_per_second } = fault {
                slowest = Some(slowest.map_or(bytes_per_second, |known| known.min(bytes_per_second)));
                return true;
            }
            false
        });
        slowest
    }

    /// Shows every delay that a request meets; those that are counted are used up by one.
    fn delays(
        &mut self,
        operation: Option<Operation>,
        now: Timestamp,
        mut counted: impl FnMut(NetworkFault) -> bool,
    ) {
        self.forget(now);
        for injection in &mut self.injections {
            if injection.fault.delays() && injection.meets(operation) && counted(injection.fault) {
                injection.use_up();
            }
        }
        self.forget(now);
    }

    /// What becomes of a request or its reply, delays apart. Uses the fault up by one.
    pub(crate) fn take(&mut self, operation: Option<Operation>, now: Timestamp) -> Option<NetworkFault> {
        self.forget(now);
        let met = self
            .injections
            .iter_mut()
            .find(|injection| !injection.fault.delays() && injection.meets(operation))?;
        let fault = met.use_up();
        self.forget(now);
        Some(fault)
    }

    fn forget(&mut self, now: Timestamp) {
        self.injections.retain(|injection| !injection.is_over(now));
    }

    pub(crate) fn report(&mut self, now: Timestamp) -> LineReport {
        self.forget(now);
        let cut = self.is_cut(now);
        LineReport {
            cut,
            cut_until: cut.and(self.heals()),
            injections: self.injections.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn later(seconds: i64) -> Timestamp {
        after(NOW, SignedDuration::from_secs(seconds))
    }

    fn line(injections: &[(NetworkFault, Lasts, Option<&str>, bool)]) -> Line {
        let mut line = Line::default();
        for (fault, lasts, operation, changing_only) in injections {
            let operation = operation.map(str::to_owned);
            line.inject(Injection::new(*fault, *lasts, operation, *changing_only, NOW));
        }
        line
    }

    #[test]
    fn an_injection_meets_what_it_names_and_is_used_up() {
        let mut line = line(&[
            (
                NetworkFault::LoseReply,
                Lasts::Requests(1),
                Some("install"),
                false,
            ),
            (NetworkFault::Hang, Lasts::Requests(2), None, true),
        ]);
        let mut take = |operation| line.take(operation, NOW);
        assert_eq!(take(Some(Operation::SystemInfo)), None);
        assert_eq!(take(None), None);
        assert_eq!(take(Some(Operation::Install)), Some(NetworkFault::LoseReply));
        assert_eq!(take(Some(Operation::Install)), Some(NetworkFault::Hang));
        assert_eq!(take(Some(Operation::Restart)), Some(NetworkFault::Hang));
        assert_eq!(take(Some(Operation::Restart)), None);
    }

    #[test]
    fn an_injection_ends_with_its_time_or_stays_until_it_is_cleared() {
        let mut line = line(&[
            (NetworkFault::Hang, Lasts::Seconds(10), None, false),
            (NetworkFault::Html, Lasts::UntilCleared, None, false),
        ]);
        assert_eq!(line.take(None, later(9)), Some(NetworkFault::Hang));
        assert_eq!(line.take(None, later(10)), Some(NetworkFault::Html));
        assert_eq!(line.take(None, later(1_000_000)), Some(NetworkFault::Html));
        line.clear();
        assert_eq!(line.take(None, later(1_000_001)), None);
    }

    #[test]
    fn delays_add_up_beside_another_fault_and_the_slowest_drip_counts() {
        let latency = |milliseconds| NetworkFault::Latency { milliseconds };
        let drip = |bytes| NetworkFault::Drip {
            bytes_per_second: NonZeroU32::new(bytes).unwrap(),
        };
        let mut line = line(&[
            (latency(100), Lasts::Requests(1), None, false),
            (latency(30), Lasts::UntilCleared, None, false),
            (drip(50), Lasts::Requests(1), None, false),
            (drip(20), Lasts::Requests(2), None, false),
            (NetworkFault::Truncate, Lasts::Requests(1), None, false),
        ]);
        assert_eq!(line.latency(None, NOW), SignedDuration::from_millis(130));
        assert_eq!(line.latency(None, NOW), SignedDuration::from_millis(30));
        assert_eq!(line.take(None, NOW), Some(NetworkFault::Truncate));
        assert_eq!(line.pace(None, NOW).map(NonZeroU32::get), Some(20));
        assert_eq!(line.pace(None, NOW).map(NonZeroU32::get), Some(20));
        assert_eq!(line.pace(None, NOW), None);
        assert_eq!(line.report(NOW).injections.len(), 1);
    }

    #[test]
    fn connections_meet_only_what_is_for_all_of_them() {
        let mut line = line(&[
            (NetworkFault::Refuse, Lasts::Requests(1), Some("install"), false),
            (NetworkFault::Hang, Lasts::Requests(1), None, false),
            (NetworkFault::ResetBeforeTls, Lasts::Requests(1), None, false),
        ]);
        assert_eq!(line.connecting(NOW), Some(NetworkFault::ResetBeforeTls));
        assert_eq!(line.connecting(NOW), None);
    }

    #[test]
    fn a_cut_heals_by_itself_or_when_told() {
        let mut line = Line::default();
        line.cut(Cut::Refuse, Some(later(60)));
        assert_eq!(line.is_cut(later(59)), Some(Cut::Refuse));
        assert_eq!(line.report(later(59)).cut_until, Some(later(60)));
        assert_eq!(line.is_cut(later(60)), None);
        assert_eq!(line.report(later(60)), LineReport::default());
        line.cut(Cut::Silence, None);
        assert_eq!(line.is_cut(later(1_000_000)), Some(Cut::Silence));
        line.heal();
        assert_eq!(line.is_cut(NOW), None);
    }
}
