//! Reads what is asked of one device: the areas of its facts, and the questions of playbooks' own, each once however many
//! playbooks ask it. Knows how to put questions side by side; must not know what the answers mean.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join_all};
use hopgate_panos::Client;
use hopgate_playbooks::{Ask, Fact, FactArea, Facts, Playbook};
use jiff::Timestamp;

/// The facts of a device in these areas, with the answers to what `playbooks` ask besides.
///
/// Never fails as a whole: what could not be read is unknown, with the failed call as the reason. The client keeps to the
/// device's limit on calls at once.
pub async fn gather<'p>(
    client: &Client,
    playbooks: impl IntoIterator<Item = &'p Playbook>,
    areas: &BTreeSet<FactArea>,
    now: Timestamp,
) -> Facts {
    let asks: BTreeSet<Ask> = playbooks.into_iter().flat_map(Playbook::asks).collect();
    let replies = join_all(asks.iter().map(|ask| async move {
        // Boxed: many calls side by side make a future too large to be moved around.
        let reply = match Box::pin(client.ask(ask)).await {
            Ok(reply) => Fact::Known(reply),
            Err(error) => Fact::Unknown(error.to_string()),
        };
        (ask.key(), reply)
    }));
    let (mut facts, replies) = join(Box::pin(client.facts(areas, now)), Box::pin(replies)).await;
    facts.replies = replies.into_iter().collect::<BTreeMap<_, _>>();
    facts
}
