//! A device that answers with the input, and what its client makes of it.
//! Knows the client's public side; must not know any reply.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hopgate_panos::{CallError, Client, Credentials, Secret, Transport, TransportError};
use hopgate_playbooks::{Ask, FactArea, Facts, Playbook};
use jiff::Timestamp;
use serde_json::Value;

use crate::repository;

/// A password that no reply repeats by chance: then what may hold it is not shown, and every reply is read once more.
const KEY: &str = "LUFRPT1hY2tub3dsZWRnZWQ";

/// Answers every question with the input, save the one that other answers are read by, and shows it as its certificate.
struct Says {
    input: Bytes,
    certificate: Bytes,
    system: Option<&'static str>,
}

impl Transport for Says {
    fn send<'a>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        let asks = |for_this: &[u8]| {
            let body = request.body();
            body.windows(for_this.len()).any(|part| part == for_this)
        };
        let body = match self.system {
            Some(system) if asks(SYSTEM_INFO) => Bytes::from_static(system.as_bytes()),
            Some(_) if asks(LOG_QUERY) => Bytes::from_static(ENQUEUED),
            Some(_) | None => self.input.clone(),
        };
        std::future::ready(Ok(http::Response::new(body))).boxed()
    }

    fn certificate(&self) -> Option<Bytes> {
        Some(self.certificate.clone())
    }
}

/// `<system><info` as a form carries it.
const SYSTEM_INFO: &[u8] = b"%3Csystem%3E%3Cinfo";

/// A query of a log as a form begins. Its answer names the job that the input is then asked about.
const LOG_QUERY: &[u8] = b"type=log&log-type=";

const ENQUEUED: &[u8] = b"<response status=\"success\" code=\"19\"><result><job>18</job></result></response>";

/// What the device is, where the input is not asked that.
#[derive(Clone, Copy)]
pub(crate) enum Device {
    /// The input says it.
    Input,
    /// One with the routing engine that every release has.
    Legacy,
    /// One with the other routing engine.
    Advanced,
}

impl Device {
    fn system(self) -> Option<&'static str> {
        static LEGACY: LazyLock<String> =
            LazyLock::new(|| repository::text("engine/panos/replies/system-info-9.1.xml"));
        static ADVANCED: LazyLock<String> = LazyLock::new(|| {
            repository::text("engine/panos/testdata/advanced_routes/two-routers@show-system-info.xml")
        });
        match self {
            Self::Input => None,
            Self::Legacy => Some(&LEGACY),
            Self::Advanced => Some(&ADVANCED),
        }
    }
}

fn client(input: &[u8], device: Device) -> Client {
    let says = Says {
        input: body(input),
        certificate: Bytes::copy_from_slice(input),
        system: device.system(),
    };
    Client::new(
        "fw1".to_owned(),
        Arc::new(says),
        Credentials::Key(Secret::new(KEY)),
    )
}

/// A reply as it is, or a text as the result of one.
fn body(input: &[u8]) -> Bytes {
    if input.starts_with(b"<") {
        return Bytes::copy_from_slice(input);
    }
    let text = String::from_utf8_lossy(input).replace("]]>", "");
    Bytes::from(format!(
        "<response status=\"success\"><result><![CDATA[{text}]]></result></response>"
    ))
}

/// The areas, read from a device that says this.
pub(crate) fn facts(areas: &[FactArea], device: Device, input: &[u8]) -> Facts {
    let areas: BTreeSet<FactArea> = areas.iter().copied().collect();
    let client = client(input, device);
    let facts = client.facts(&areas, Timestamp::UNIX_EPOCH).now_or_never();
    facts.unwrap_or_else(|| panic!("a device that answers at once was waited for"))
}

/// The question of a playbook that reads its answer like this: a word, and the columns of a table.
pub(crate) fn question(read: &str, columns: &str) -> Ask {
    let text = format!(
        "playbook: p\ntitle: t\nask: {{q: {{command: show clock, read: {read}{columns}}}}}\n\
         checks: [{{id: c, title: t, needs: [q], fail_when: q == null, severity: info, message: m}}]\n"
    );
    let asked = Playbook::parse("p.yaml", &text).map(|playbook| playbook.ask("q"));
    match asked {
        Ok(Some(ask)) => ask,
        Ok(None) | Err(_) => panic!("{text} is no playbook with a question: {asked:?}"),
    }
}

/// The answer of a device that says this, as the question reads it.
pub(crate) fn answer(ask: &Ask, input: &[u8]) -> Result<Value, CallError> {
    let client = client(input, Device::Input);
    let answer = client.ask(ask).now_or_never();
    answer.unwrap_or_else(|| panic!("a device that answers at once was waited for"))
}
