//! Fills the facts of a device: asks only for the areas that are wanted, each question once, and turns every failure into
//! "unknown, because". Must not know what the facts are used for, and reads no clock.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::{Pin, pin};

use bytes::Bytes;
use futures_util::future::{Either, Fuse, FusedFuture as _, FutureExt as _, pending, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hopgate_playbooks::{
    ExternalList, Fact, FactArea, FactSource, Facts, ListContent, ManagementCertificate, Optic, UpdateServer,
};
use jiff::Timestamp;

use crate::certificate;
use crate::client::{CALLS_IN_FLIGHT, Call, Client, Received};
use crate::configuration::{self, Found};
use crate::error::{CallError, Failure};
use crate::lists::{self, ListQuestion};
use crate::operation::Operation;
use crate::question::{Pace, Question, Request, questions, questions_of_advanced_routing};
use crate::xml::{Node, Raw};

mod fill;

impl Client {
    /// Reads these areas, all at once as far as the device's limit on calls allows, and each command once however many
    /// areas need it. Never fails as a whole: an area that could not be read is unknown, with the call's error as the
    /// reason; one that is not wanted is "not asked".
    ///
    /// `now` is the instant written into the facts, and the one that certificates are held against; each area has that of
    /// its last reply, where the client has a clock.
    pub async fn facts(&self, areas: &BTreeSet<FactArea>, now: Timestamp) -> Facts {
        self.facts_until(areas, now, pending(), "").await
    }

    /// As [`Client::facts`], and no longer than until `enough` is done: what has come in by then is kept, and an area that
    /// needs a reply that is still open is unknown, for the reason `why`. Nothing is sent once `enough` is done.
    pub async fn facts_until(
        &self,
        areas: &BTreeSet<FactArea>,
        now: Timestamp,
        enough: impl Future<Output = ()>,
        why: &str,
    ) -> Facts {
        let mut enough = pin!(enough.fuse());
        let asked = areas.iter().flat_map(|area| questions(*area).iter().copied());
        let mut sheet = Sheet {
            wanted: areas,
            now,
            replies: self.put_all(asked.collect(), enough.as_mut(), why).await,
            certificate: None,
            configuration: OnceCell::new(),
            lists: Vec::new(),
        };
        let more = sheet.questions_of_advanced_routing();
        sheet
            .replies
            .extend(self.put_all(more, enough.as_mut(), why).await);
        sheet.lists = self.put_lists(sheet.list_questions(), enough, why).await;
        sheet.certificate = self.certificate();
        let mut facts = Facts::unread(self.device(), now);
        facts.sources = areas.iter().map(|area| (*area, sheet.source(*area))).collect();
        sheet.fill(&mut facts);
        facts
    }

    /// Puts these questions, all at once as far as the device's limit on calls allows.
    async fn put_all(
        &self,
        asked: BTreeSet<Question>,
        enough: Pin<&mut Fuse<impl Future<Output = ()>>>,
        why: &str,
    ) -> BTreeMap<Question, Result<Reply<'_>, CallError>> {
        // What takes longest goes first: the others are answered beside it, instead of before it.
        let mut asked: Vec<Question> = asked.into_iter().collect();
        asked.sort_by_key(|question| question.pace());
        let calls = asked
            .iter()
            .map(|&question| (question.pace(), self.put(question)));
        let replies = arrived(calls.collect(), enough).await;
        let replies = asked.into_iter().zip(replies);
        replies
            .map(|(question, reply)| {
                (
                    question,
                    reply.unwrap_or_else(|| Err(self.unanswered(question.operation(), why))),
                )
            })
            .collect()
    }

    async fn put_lists(
        &self,
        asked: Vec<ListQuestion>,
        enough: Pin<&mut Fuse<impl Future<Output = ()>>>,
        why: &str,
    ) -> Vec<(ListQuestion, Result<Reply<'_>, CallError>)> {
        let calls = asked.iter().cloned();
        let calls = calls.map(|question| (Pace::Quick, self.put_list(question)));
        let replies = arrived(calls.collect(), enough).await;
        let replies = asked.into_iter().zip(replies);
        replies
            .map(|(question, reply)| {
                (
                    question,
                    reply.unwrap_or_else(|| Err(self.unanswered(LIST_CONTENT, why))),
                )
            })
            .collect()
    }

    async fn put_list(&self, question: ListQuestion) -> Result<Reply<'_>, CallError> {
        let call = self.prepare(LIST_CONTENT).await?;
        let mut form = vec![("type", "op"), ("cmd", question.command.as_str())];
        form.extend(question.vsys.as_deref().map(|vsys| ("vsys", vsys)));
        let reply = call.send(&form).await?;
        let at = self.now();
        Ok(Reply { call, reply, at })
    }

    fn unanswered(&self, operation: Operation, why: &str) -> CallError {
        CallError {
            operation,
            device: self.device().to_owned(),
            failure: Failure::Silent {
                detail: why.to_owned(),
            },
        }
    }

    async fn put(&self, question: Question) -> Result<Reply<'_>, CallError> {
        let call = self.prepare(question.operation()).await?;
        let reply = match question.request() {
            Request::Command(cmd) => call.send(&[("type", "op"), ("cmd", cmd)]).await?,
            Request::Configuration(xpath) => {
                let form = [("type", "config"), ("action", "get"), ("xpath", xpath)];
                call.send(&form).await?
            }
            Request::SystemLog { filter, newest } => self.system_log(&call, filter, newest).await?,
        };
        let at = self.now();
        Ok(Reply { call, reply, at })
    }
}

/// What tells of the certificate that the device shows, beside the command that is then sent.
const HANDSHAKE: &str = "the TLS handshake before it";

/// What is asked of one external dynamic list.
const LIST_CONTENT: Operation = Operation::Read("request system external-list show");

/// Of the calls in flight, those that may be slow ones: a device that waits for the vendor's servers, which may not be
/// reachable at all, still answers everything else.
const SLOW_CALLS: usize = CALLS_IN_FLIGHT - 1;

/// What came of these calls, side by side and in their order: nothing for those that were still open when `enough` was done.
///
/// No more are begun than have their turn: a call that waits for it would stand before those of somebody more urgent.
async fn arrived<T>(
    calls: Vec<(Pace, impl Future<Output = T>)>,
    mut enough: Pin<&mut Fuse<impl Future<Output = ()>>>,
) -> Vec<Option<T>> {
    let mut arrived: Vec<Option<T>> = Vec::new();
    arrived.resize_with(calls.len(), || None);
    let mut waiting: VecDeque<_> = calls.into_iter().enumerate().collect();
    let (mut quick, mut slow) = (0, 0);
    let mut open = FuturesUnordered::new();
    // `enough` is looked at first: after it, nothing is sent and nothing more is waited for.
    while !enough.is_terminated() {
        let begins = |pace: Pace| match pace {
            // A call of it is due now and then only.
            Pace::Pausing => true,
            Pace::Slow => slow < SLOW_CALLS && quick + slow < CALLS_IN_FLIGHT,
            Pace::Quick => quick + slow < CALLS_IN_FLIGHT,
        };
        let next = waiting.iter().position(|(_, (pace, _))| begins(*pace));
        if let Some((place, (pace, call))) = next.and_then(|next| waiting.remove(next)) {
            quick += usize::from(pace == Pace::Quick);
            slow += usize::from(pace == Pace::Slow);
            open.push(call.map(move |reply| (place, pace, reply)));
            continue;
        }
        let Either::Right((Some((place, pace, reply)), _)) = select(&mut enough, open.next()).await else {
            break;
        };
        quick -= usize::from(pace == Pace::Quick);
        slow -= usize::from(pace == Pace::Slow);
        if let Some(empty) = arrived.get_mut(place) {
            *empty = Some(reply);
        }
    }
    arrived
}

/// The words of a device that cannot reach the update server (pan-os-upgrade-assurance, `firewall_proxy.py`): "Failed to
/// check upgrade info due to Unknown error. Please check network connectivity and try again." Any other refusal, such as
/// an expired support licence, says nothing about the way there.
const NOBODY_ANSWERS: &str = "Please check network connectivity";

/// What came back to one question.
struct Reply<'c> {
    call: Call<'c>,
    reply: Received,
    /// When it came, where the client has a clock.
    at: Option<Timestamp>,
}

/// Every reply of one reading, and how areas are read from them.
struct Sheet<'c> {
    wanted: &'c BTreeSet<FactArea>,
    now: Timestamp,
    replies: BTreeMap<Question, Result<Reply<'c>, CallError>>,
    /// What the device showed of itself before it was asked anything, as DER.
    certificate: Option<Bytes>,
    /// The configuration is large, and several areas come from it: it is gone through once.
    configuration: OnceCell<Result<Found, CallError>>,
    /// What was answered about each external dynamic list of the configuration.
    lists: Vec<(ListQuestion, Result<Reply<'c>, CallError>)>,
}

impl<'c> Sheet<'c> {
    fn reply(&self, question: Question) -> Option<Result<&Reply<'c>, CallError>> {
        let reply = self.replies.get(&question)?;
        Some(reply.as_ref().map_err(Clone::clone))
    }

    /// When and by which commands an area was read.
    fn source(&self, area: FactArea) -> FactSource {
        let besides = questions_of_advanced_routing(area);
        let besides = besides.iter().filter(|one| self.replies.contains_key(one));
        let asked: Vec<Question> = questions(area).iter().chain(besides).copied().collect();
        let lists = match area {
            FactArea::ExternalListContents => self.lists.as_slice(),
            _ => &[],
        };
        let replies = asked.iter().filter_map(|question| self.replies.get(question));
        let replies = replies.chain(lists.iter().map(|(_, reply)| reply));
        let came = replies.filter_map(|reply| reply.as_ref().ok()?.at);
        let commands = asked.iter().map(|question| question.command().to_owned());
        let handshake = (area == FactArea::ManagementCertificate && self.certificate.is_some())
            .then(|| HANDSHAKE.to_owned());
        FactSource {
            read_at: came.max().unwrap_or(self.now),
            commands: commands
                .chain(lists.iter().map(|(question, _)| question.typed()))
                .chain(handshake)
                .collect(),
        }
    }

    /// What is still to be asked where the advanced routing engine runs.
    fn questions_of_advanced_routing(&self) -> BTreeSet<Question> {
        let areas = self.wanted.iter();
        let more: BTreeSet<Question> = areas
            .flat_map(|area| questions_of_advanced_routing(*area).iter().copied())
            .collect();
        if more.is_empty() || self.runs_advanced_routing() != Ok(true) {
            return BTreeSet::new();
        }
        more
    }

    /// What is asked about the lists that the configuration names.
    fn list_questions(&self) -> Vec<ListQuestion> {
        if !self.wanted.contains(&FactArea::ExternalListContents) {
            return Vec::new();
        }
        match self.configuration(Found::lists) {
            Fact::Known(lists) => ListQuestion::of(lists),
            Fact::Unknown(_) => Vec::new(),
        }
    }

    /// What is on each list of the configuration.
    fn list_contents(&self) -> Fact<Vec<ListContent>> {
        let told = |list: &ExternalList| {
            let (_, reply) = self.lists.iter().find(|(question, _)| {
                (&question.list.place, &question.list.name) == (&list.place, &list.name)
            })?;
            let read = reply.as_ref().map_err(Clone::clone);
            Some(read.and_then(|Reply { call, reply, .. }| {
                call.understand_raw(reply, |raw| {
                    raw.result().and_then(|result| lists::counts(&result))
                })
            }))
        };
        self.configuration(|found| {
            let each = found.lists().into_iter().map(|list| {
                let told = told(&list);
                lists::content(list, told)
            });
            each.collect()
        })
    }

    /// The result of a question's reply, as `reader` sees it.
    fn tree<T>(&self, question: Question, reader: impl Fn(&Node) -> Result<T, Failure>) -> Fact<T> {
        self.raw(question, |raw| raw.result().and_then(|result| reader(&result)))
    }

    /// As [`Sheet::tree`], for a reader that goes through the reply itself.
    fn raw<T>(&self, question: Question, reader: impl Fn(Raw<'_>) -> Result<T, Failure>) -> Fact<T> {
        let read = self.reply(question).map(|reply| {
            let Reply { call, reply, .. } = reply?;
            call.understand_raw(reply, &reader)
        });
        fact(read)
    }

    /// A refresh of the software list goes to the update server, and says so when nobody answers there.
    fn update_server(&self) -> Fact<UpdateServer> {
        let read = self.reply(Question::SoftwareCheck).map(|reply| {
            let Reply { call, reply, .. } = reply?;
            call.understand_raw(reply, |raw| raw.result().map(|_| ()))
        });
        let silent = |error: &CallError| matches!(&error.failure, Failure::Rejected { text, .. } if text.contains(NOBODY_ANSWERS));
        match read {
            Some(Err(error)) if silent(&error) => Fact::Known(UpdateServer { reachable: false }),
            read => fact(read.map(|read| read.map(|()| UpdateServer { reachable: true }))),
        }
    }

    /// The certificate of the connection that a question was put over. Any reply will do, whatever it says: without one, what
    /// is known may be of a connection of long ago.
    fn management_certificate(&self) -> Fact<ManagementCertificate> {
        let read = self.reply(Question::SystemInfo).map(|reply| reply.map(|_| ()));
        match (fact(read), &self.certificate) {
            (Fact::Known(()), Some(der)) => Fact::Known(certificate::shown(der, self.now)),
            (Fact::Known(()), None) => Fact::Unknown("the device was not reached over TLS".to_owned()),
            (Fact::Unknown(reason), _) => Fact::Unknown(reason),
        }
    }

    fn configuration<T>(&self, reader: impl Fn(&Found) -> T) -> Fact<T> {
        let read = self.reply(Question::Configuration).map(|reply| {
            let found = self.configuration.get_or_init(|| {
                let Reply { call, reply, .. } = reply?;
                call.understand_raw(reply, configuration::read)
            });
            found.as_ref().map(&reader).map_err(Clone::clone)
        });
        fact(read)
    }
}

/// A question that was not put belongs to an area that is not wanted.
fn fact<T>(read: Option<Result<T, CallError>>) -> Fact<T> {
    match read {
        Some(Ok(value)) => Fact::Known(value),
        Some(Err(error)) => Fact::Unknown(error.to_string()),
        None => Fact::Unknown("not asked".to_owned()),
    }
}

/// Two facts that make one: with either unknown, there is no answer.
fn both<A, B, T>(one: Fact<A>, other: Fact<B>, join: impl FnOnce(A, B) -> T) -> Fact<T> {
    match (one, other) {
        (Fact::Known(one), Fact::Known(other)) => Fact::Known(join(one, other)),
        (Fact::Unknown(reason), _) | (_, Fact::Unknown(reason)) => Fact::Unknown(reason),
    }
}

/// Only a virtual firewall has no ports to list. From any other an empty list means that the port data could not be read
/// (PAN-232924: so on a passive member before 11.0.4), and "no harmful optics" must not be concluded from it.
fn ports_expected(optics: Fact<Vec<Optic>>, model: Option<&str>) -> Fact<Vec<Optic>> {
    expected(optics, model, "ports")
}

/// A list that only a virtual firewall may leave empty.
fn expected<T>(list: Fact<Vec<T>>, model: Option<&str>, of: &str) -> Fact<Vec<T>> {
    match (list, model) {
        (Fact::Known(listed), Some(model)) if listed.is_empty() && !model.starts_with("PA-VM") => {
            Fact::Unknown(format!("the {model} listed no {of}"))
        }
        (Fact::Known(listed), None) if listed.is_empty() => {
            Fact::Unknown(format!("the device listed no {of}, and its model is not known"))
        }
        (list, _) => list,
    }
}

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;
