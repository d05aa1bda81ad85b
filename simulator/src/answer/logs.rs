//! The system log: a query is enqueued, looked at, and answered with its entries (vendor's API guide, "Retrieve Logs").
//!
//! It holds the changes of links and what the setup logs, and nothing else; other logs are not simulated.

use bytes::Bytes;
use http::Response;

use super::{Ask, Scene};
use crate::jobs::after;
use crate::logs::{Fields, LogQuery, Wanted};
use crate::operation::Operation;
use crate::reply::{self, Markup};
use crate::setup::LoggedSpec;
use crate::state::Sight;
use crate::state::link_log::LinkChange;
use crate::wording;

/// The operation of a request of type `log`: without an action a job is enqueued.
pub(super) fn operation(action: &str) -> Option<Operation> {
    match action {
        "" => Some(Operation::LogQuery),
        "get" => Some(Operation::LogGet),
        _ => None,
    }
}

pub(super) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Option<Response<Bytes>> {
    let reply = match ask.operation {
        Operation::LogQuery => enqueue(scene, ask),
        Operation::LogGet => get(scene, ask.parameter("job-id")),
        _ => return None,
    };
    Some(reply)
}

fn enqueue(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Response<Bytes> {
    let kind = ask.parameter("log-type");
    if kind != "system" {
        return reply::error(
            400,
            &wording::log_not_supported(&format!("log-type {kind} is not supported")),
        );
    }
    let read = Wanted::read(
        ask.parameter("query"),
        ask.parameter("nlogs"),
        ask.parameter("skip"),
        ask.parameter("dir"),
    );
    let wanted = match read {
        Ok(wanted) => wanted,
        Err(what) => return reply::error(400, &wording::log_not_supported(&what)),
    };
    let now = scene.now();
    let device = scene.device_mut();
    device.counters.log_queries += 1;
    let id = device.log_queries.enqueue(now, wanted);
    reply::enqueued(&wording::query_enqueued(id), id)
}

fn get(scene: &Scene<'_>, asked: &str) -> Response<Bytes> {
    let queries = &scene.device().log_queries;
    let Some(query) = asked.parse().ok().and_then(|id| queries.get(id)) else {
        return reply::error(7, &wording::no_such_job(asked));
    };
    let (now, ends) = (scene.now(), query.ends());
    if now < ends {
        return reply::success(job(Markup::new(), query, "ACT", 0));
    }
    let sight = Sight {
        now: ends,
        ..scene.sight()
    };
    let found = query.wanted.of(log(&sight));
    let count = found.len();
    let entries = Markup::new().each(found, |markup, fields| shown(&sight, markup, &fields));
    reply::success(
        job(Markup::new(), query, "FIN", count)
            .element("log", |log| {
                log.raw(&format!("<logs count=\"{count}\" progress=\"100\">"))
                    .raw(&entries.into_string())
                    .raw("</logs>")
            })
            .raw("<meta><devices><entry name=\"localhost.localdomain\"/></devices></meta>"),
    )
}

fn job(markup: Markup, query: &LogQuery, status: &str, found: usize) -> Markup {
    let time = |instant: jiff::Timestamp| instant.strftime("%H:%M:%S").to_string();
    let last = if status == "FIN" {
        query.ends()
    } else {
        query.enqueued
    };
    markup.element("job", |job| {
        job.leaves(&[
            ("tenq", &time(query.enqueued)),
            ("tdeq", &time(query.enqueued)),
            ("tlast", &time(last)),
            ("status", status),
            ("id", &query.id.to_string()),
            ("cached-logs", &found.to_string()),
        ])
    })
}

/// The whole log, the newest first.
fn log(sight: &Sight<'_>) -> Vec<Fields> {
    let changes = sight
        .link_changes()
        .into_iter()
        .map(|change| of_link(sight, change));
    let given = sight.setup().map_or(&[][..], |setup| &setup.system_log);
    let given = given
        .iter()
        .zip(LINKS_AT_MOST..)
        .filter(|(logged, _)| logged.at <= sight.now);
    let mut entries: Vec<Entry> = changes
        .chain(given.map(|(logged, nth)| of_setup(logged, nth)))
        .collect();
    // The device's clock may have been set; the log is in the order in which it was written.
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.nth)));
    entries.into_iter().map(|entry| fields(sight, entry)).collect()
}

/// Ports are below it, so that what is logged in one millisecond has numbers of its own.
const LINKS_AT_MOST: u16 = 500;

/// What tells an entry from others.
struct Entry {
    at: jiff::Timestamp,
    /// Among those of one instant.
    nth: u16,
    subtype: &'static str,
    event: String,
    object: String,
    severity: &'static str,
    text: String,
}

/// In the words of the vendor's knowledge base.
fn of_link(sight: &Sight<'_>, change: LinkChange) -> Entry {
    let port = format!("ethernet1/{}", change.port);
    let gigabits = sight.speed(change.port) / 1000;
    let state = if change.up { "Up  " } else { "Down" };
    Entry {
        at: change.at,
        nth: change.port,
        subtype: "port",
        event: "link-change".to_owned(),
        text: format!("Port {port}: {state} {gigabits}Gb/s Full duplex"),
        object: port,
        severity: "informational",
    }
}

fn of_setup(logged: &LoggedSpec, nth: u16) -> Entry {
    Entry {
        at: logged.at,
        nth,
        subtype: "general",
        event: logged.event.clone(),
        object: String::new(),
        severity: logged.severity.shown(),
        text: logged.text.clone(),
    }
}

/// The fields of the vendor's page on system logs. By the device's clock.
fn fields(sight: &Sight<'_>, entry: Entry) -> Fields {
    let offset = sight.device.clock_offset(sight.world, sight.now);
    let at = after(entry.at, offset).strftime("%Y/%m/%d %H:%M:%S").to_string();
    let number = i128::from(entry.at.as_millisecond()) * 1000 + i128::from(entry.nth);
    vec![
        ("domain", "1".to_owned()),
        ("receive_time", at.clone()),
        ("serial", sight.device.serial.clone()),
        ("seqno", number.to_string()),
        ("actionflags", "0x0".to_owned()),
        ("type", "SYSTEM".to_owned()),
        ("subtype", entry.subtype.to_owned()),
        ("config_ver", "0".to_owned()),
        ("time_generated", at),
        ("device_name", sight.device.name.clone()),
        ("eventid", entry.event),
        ("object", entry.object),
        ("fmt", "0".to_owned()),
        ("id", "0".to_owned()),
        ("module", "general".to_owned()),
        ("severity", entry.severity.to_owned()),
        ("opaque", entry.text),
    ]
}

fn shown(sight: &Sight<'_>, markup: Markup, fields: &Fields) -> Markup {
    let number = fields.iter().find(|(name, _)| *name == "seqno");
    let logid = number.map_or(sight.device.serial.as_str(), |(_, number)| number.as_str());
    let fields = Markup::new().each(fields, |markup, (name, text)| markup.leaf(name, text));
    markup.raw(&format!(
        "<entry logid=\"{logid}\">{}</entry>",
        fields.into_string()
    ))
}
