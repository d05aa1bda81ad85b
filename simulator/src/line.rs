//! The line to a device: what is made to go wrong between a client and a healthy device.
//!
//! Faults of the device itself are in `fault.rs`; here a request or its reply is lost, cut short or replaced.

use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// What goes wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkFault {
    /// The connection is refused; the device sees nothing.
    Refuse,
    /// The connection is reset; the device sees nothing.
    Reset,
    /// Nothing is ever answered; the device sees nothing.
    Hang,
    /// A login page comes in place of the reply; the device sees nothing.
    Html,
    /// The device does what was asked; half of the reply arrives.
    Truncate,
    /// The device does what was asked; the connection is reset before the reply.
    LoseReply,
    /// The device does what was asked; nothing is ever answered.
    SwallowReply,
}

/// A fault that waits for requests.
#[derive(Debug, Clone)]
pub(crate) struct Injection {
    pub(crate) fault: NetworkFault,
    pub(crate) requests: u32,
    pub(crate) operation: Option<String>,
    pub(crate) changing_only: bool,
}

impl Injection {
    fn meets(&self, operation: Option<Operation>) -> bool {
        let named = self
            .operation
            .as_deref()
            .is_none_or(|name| operation.is_some_and(|operation| operation.is_called(name)));
        named && (!self.changing_only || operation.is_some_and(Operation::is_changing))
    }
}

/// The injections of one device, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Line(Vec<Injection>);

impl Line {
    pub(crate) fn inject(&mut self, injection: Injection) {
        self.0.push(injection);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that a request meets, if any. Uses it up by one.
    pub(crate) fn take(&mut self, operation: Option<Operation>) -> Option<NetworkFault> {
        let met = self
            .0
            .iter_mut()
            .find(|injection| injection.requests > 0 && injection.meets(operation))?;
        met.requests -= 1;
        let fault = met.fault;
        self.0.retain(|injection| injection.requests > 0);
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_injection_meets_what_it_names_and_is_used_up() {
        let mut line = Line::default();
        let injection = |fault, requests, operation: Option<&str>, changing_only| Injection {
            fault,
            requests,
            operation: operation.map(str::to_owned),
            changing_only,
        };
        line.inject(injection(NetworkFault::LoseReply, 1, Some("install"), false));
        line.inject(injection(NetworkFault::Hang, 2, None, true));
        assert_eq!(line.take(Some(Operation::SystemInfo)), None);
        assert_eq!(line.take(None), None);
        assert_eq!(line.take(Some(Operation::Install)), Some(NetworkFault::LoseReply));
        assert_eq!(line.take(Some(Operation::Install)), Some(NetworkFault::Hang));
        assert_eq!(line.take(Some(Operation::Restart)), Some(NetworkFault::Hang));
        assert_eq!(line.take(Some(Operation::Restart)), None);
    }
}
