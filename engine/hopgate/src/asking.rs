//! Reads what is asked of one device: the areas of its facts, and the questions of playbooks' own, each once however many
//! playbooks ask it. Knows how to put questions side by side; must not know what the answers mean.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, FutureExt as _, Shared, join, select};
use hopgate_panos::Client;
use hopgate_playbooks::{Ask, Fact, FactArea, Facts, Playbook};
use jiff::Timestamp;

use crate::clock;

/// How long a device may take over everything that it is asked, however often it is asked anew.
#[derive(Clone)]
pub struct Patience {
    ended: Shared<BoxFuture<'static, ()>>,
    /// What is said of what was open at its end.
    why: String,
}

impl Patience {
    /// From now on so long, in real time.
    pub fn of(limit: Duration) -> Self {
        Self {
            ended: clock::pause(limit).boxed().shared(),
            why: format!("no answer within {} s", limit.as_secs()),
        }
    }

    /// These areas of its facts, as far as they come in.
    pub async fn facts(&self, client: &Client, areas: &BTreeSet<FactArea>, now: Timestamp) -> Facts {
        client
            .facts_until(areas, now, self.ended.clone(), &self.why)
            .await
    }

    async fn reply(&self, client: &Client, ask: &Ask) -> Fact<serde_json::Value> {
        // Boxed: many calls side by side make a future too large to be moved around.
        match select(self.ended.clone(), Box::pin(client.ask(ask))).await {
            Either::Left(_) => Fact::Unknown(self.why.clone()),
            Either::Right((Ok(reply), _)) => Fact::Known(reply),
            Either::Right((Err(error), _)) => Fact::Unknown(error.to_string()),
        }
    }
}

/// The facts of a device in these areas, with the answers to what `playbooks` ask besides.
///
/// Never fails as a whole: what could not be read is unknown, with the failed call as the reason. The client keeps to the
/// device's limit on calls at once.
pub async fn gather<'p>(
    client: &Client,
    playbooks: impl IntoIterator<Item = &'p Playbook>,
    areas: &BTreeSet<FactArea>,
    now: Timestamp,
    patience: &Patience,
) -> Facts {
    let asks: BTreeSet<Ask> = playbooks.into_iter().flat_map(Playbook::asks).collect();
    // One after the other: were all of them to wait for their turn, they would stand before a campaign's own calls.
    let replies = async {
        let mut replies = BTreeMap::new();
        for ask in &asks {
            replies.insert(ask.key(), patience.reply(client, ask).await);
        }
        replies
    };
    let (mut facts, replies) = join(Box::pin(patience.facts(client, areas, now)), Box::pin(replies)).await;
    facts.replies = replies;
    facts
}
