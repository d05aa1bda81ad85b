//! The check of a batch: which of its appends fit, and the records those become.
//!
//! Pure: what is durable comes in, what is to be written goes out. Must not know the engine or who waits for
//! an answer.

use std::collections::BTreeMap;

use super::committer::Request;
use super::integrity::{self, Summary, Tip};
use super::{Appended, Fence, StreamId};

/// A batch, checked and sealed but not yet written.
pub(crate) struct Staged {
    /// Keys and values, in the order of the requests.
    pub(crate) records: Vec<(Vec<u8>, Vec<u8>)>,
    /// What the journal is once they are written.
    pub(crate) summary: Summary,
    /// The new ends of the streams that grow.
    pub(crate) tips: BTreeMap<StreamId, Tip>,
    /// One for each request, true once the records are durable.
    pub(crate) answers: Vec<Appended>,
}

impl Staged {
    /// Compares every request with the end of its stream, as the requests before it leave it, and seals those
    /// that fit as the commit after `before`.
    pub(crate) fn new(
        before: &Summary,
        fence: Fence,
        durable: &BTreeMap<StreamId, Tip>,
        requests: &[Request],
    ) -> Self {
        let mut staged = Self {
            records: Vec::new(),
            summary: Summary {
                commit: before.commit + 1,
                ..*before
            },
            tips: BTreeMap::new(),
            answers: Vec::with_capacity(requests.len()),
        };
        for request in requests {
            let known = staged
                .tips
                .get(&request.stream)
                .or_else(|| durable.get(&request.stream));
            let tip = known.copied().unwrap_or_default();
            let answer = if tip.next == request.expected {
                staged.seal(request, fence, tip)
            } else {
                Appended::Conflict { found: tip.next }
            };
            staged.answers.push(answer);
        }
        staged
    }

    fn seal(&mut self, request: &Request, fence: Fence, mut tip: Tip) -> Appended {
        for entry in &request.entries {
            let key = integrity::key(&request.stream, tip.next);
            let value = integrity::seal(&key, self.summary.commit, fence, entry, &mut tip);
            self.summary.count(&tip.link);
            self.records.push((key, value));
        }
        if !request.entries.is_empty() {
            self.tips.insert(request.stream.clone(), tip);
        }
        Appended::Done { next: tip.next }
    }
}
