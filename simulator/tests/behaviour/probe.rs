//! A client in the same process, on virtual time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use panos_simulator::{Exchange, Fleet, FleetSpec, SimClock};

pub(crate) const KEYGEN: &str = "type=keygen&user=admin&password=secret-word";

pub(crate) fn fleet(body: &str) -> Arc<Fleet> {
    let head = "seed: 7\nepoch: 2026-03-01T22:00:00Z\ncredentials: {user: admin, password: secret-word}\n";
    let spec = FleetSpec::parse("fleet.yaml", &format!("{head}{body}")).unwrap();
    let clock = SimClock::new(spec.epoch, 1.0);
    Fleet::new(spec, clock).unwrap()
}

/// A PA-850 with everything on disk that the hops of the tests need.
pub(crate) fn one(extra: &str) -> Arc<Fleet> {
    fleet(&format!(
        "devices:\n  - name: fw\n    model: PA-850\n    version: 10.1.14-h9\n    content: 8700-7000\n    \
         images: [10.2.0]\n{extra}"
    ))
}

pub(crate) async fn wait(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// Runs something to its end on virtual time, outside a test of tokio's.
pub(crate) fn on_virtual_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work)
}

#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) device: String,
    pub(crate) key: String,
}

pub(crate) fn form(body: &str) -> http::Request<Bytes> {
    http::Request::post("/api/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

impl Probe {
    pub(crate) async fn login(fleet: &Arc<Fleet>, device: &str) -> Self {
        Self::login_with(fleet, device, KEYGEN).await
    }

    /// Logs in with a request of its own.
    pub(crate) async fn login_with(fleet: &Arc<Fleet>, device: &str, keygen: &str) -> Self {
        let Exchange::Reply(reply) = fleet.exchange(device, form(keygen)).await else {
            panic!("no key")
        };
        let body = text(reply.body());
        let key = between(&body, "<key>", "</key>").to_owned();
        Self {
            fleet: fleet.clone(),
            device: device.to_owned(),
            key,
        }
    }

    /// Sends parameters with the key.
    pub(crate) async fn attempt(&self, parameters: &[(&str, &str)]) -> Exchange {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(parameters).append_pair("key", &self.key);
        self.fleet.exchange(&self.device, form(&body.finish())).await
    }

    /// Sends parameters with the key; the reply that has to come.
    pub(crate) async fn send(&self, parameters: &[(&str, &str)]) -> http::Response<Bytes> {
        match self.attempt(parameters).await {
            Exchange::Reply(reply) => reply,
            other => panic!("{parameters:?}: {other:?}"),
        }
    }

    /// The body of the reply to parameters.
    pub(crate) async fn sent(&self, parameters: &[(&str, &str)]) -> String {
        text(self.send(parameters).await.body())
    }

    /// Uploads a file, the parameters in the query.
    pub(crate) async fn upload(&self, category: &str, name: &str, content: &str) -> String {
        let body = format!(
            "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{content}\r\n--frontier--\r\n"
        );
        let request = http::Request::post(format!("/api/?type=import&category={category}&key={}", self.key))
            .header("content-type", "multipart/form-data; boundary=frontier")
            .body(Bytes::from(body))
            .unwrap();
        match self.fleet.exchange(&self.device, request).await {
            Exchange::Reply(reply) => text(reply.body()),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn ask(&self, command: &str) -> Exchange {
        let cmd: String = form_urlencoded::byte_serialize(command.as_bytes()).collect();
        self.post(&format!("type=op&cmd={cmd}")).await
    }

    /// Through a Panorama, to the firewall with this serial number.
    pub(crate) async fn relay(&self, serial: &str, command: &str) -> String {
        let cmd: String = form_urlencoded::byte_serialize(command.as_bytes()).collect();
        match self.post(&format!("type=op&cmd={cmd}&target={serial}")).await {
            Exchange::Reply(reply) => text(reply.body()),
            other => panic!("{command} to {serial}: {other:?}"),
        }
    }

    /// Parameters as they are, under this key.
    pub(crate) async fn post(&self, parameters: &str) -> Exchange {
        let mut request = form(parameters);
        request
            .headers_mut()
            .insert("x-pan-key", self.key.parse().unwrap());
        self.fleet.exchange(&self.device, request).await
    }

    /// The body of a reply that has to come.
    pub(crate) async fn body(&self, command: &str) -> String {
        match self.ask(command).await {
            Exchange::Reply(reply) => text(reply.body()),
            other => panic!("{command}: {other:?}"),
        }
    }

    pub(crate) async fn read(&self, command: &str, element: &str) -> String {
        let body = self.body(command).await;
        between(&body, &format!("<{element}>"), &format!("</{element}>")).to_owned()
    }

    pub(crate) async fn version(&self) -> String {
        self.read("<show><system><info/></system></show>", "sw-version")
            .await
    }

    pub(crate) async fn software(&self, action: &str, version: &str) -> String {
        self.body(&format!(
            "<request><system><software><{action}><version>{version}</version></{action}></software></system></request>"
        ))
        .await
    }

    pub(crate) async fn restart(&self) -> String {
        self.body("<request><restart><system/></restart></request>").await
    }

    pub(crate) async fn job(&self, id: u32) -> String {
        self.body(&format!("<show><jobs><id>{id}</id></jobs></show>"))
            .await
    }

    /// Waits until a job is over; `OK` or `FAIL` and its lines.
    pub(crate) async fn finish(&self, id: u32) -> String {
        for _ in 0..2000 {
            let job = self.job(id).await;
            if job.contains("<status>FIN</status>") {
                let lines = between(&job, "<details>", "</details>")
                    .replace("</line>", "\n")
                    .replace("<line>", "  ");
                return format!("{}\n{lines}", outcome(&job));
            }
            wait(5).await;
        }
        panic!("job {id} never ends");
    }

    pub(crate) async fn install(&self, version: &str) {
        let job = job_id(&self.software("install", version).await);
        assert!(self.finish(job).await.starts_with("OK"), "{version}");
    }

    pub(crate) async fn ha(&self, action: &str) -> String {
        self.body(&format!(
            "<request><high-availability><state><{action}/></state></high-availability></request>"
        ))
        .await
    }

    /// Own state and reason, the peer's state, and the connection to it.
    pub(crate) async fn ha_state(&self) -> String {
        let body = self
            .body("<show><high-availability><state/></high-availability></show>")
            .await;
        let (local, peer) = (
            between(&body, "<local-info>", "</local-info>"),
            between(&body, "<peer-info>", "</peer-info>"),
        );
        let value =
            |part: &str, name: &str| between(part, &format!("<{name}>"), &format!("</{name}>")).to_owned();
        let reason = value(local, "state-reason");
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(" ({reason})")
        };
        format!(
            "{}{reason}, peer {} {}",
            value(local, "state"),
            value(peer, "state"),
            value(peer, "conn-status")
        )
    }

    /// Waits until the device was away and says that it is ready again.
    pub(crate) async fn back(&self) {
        for _ in 0..1000 {
            if !matches!(self.ask("<show><clock/></show>").await, Exchange::Reply(_)) {
                return self.ready().await;
            }
            wait(5).await;
        }
        panic!("{} never goes away", self.device);
    }

    /// Waits until the device says it is ready, asking every ten seconds.
    pub(crate) async fn ready(&self) {
        for _ in 0..1000 {
            wait(10).await;
            if let Exchange::Reply(reply) = self.ask("<show><chassis-ready/></show>").await
                && text(reply.body()).contains("yes")
            {
                return;
            }
        }
        panic!("{} never gets ready", self.device);
    }
}

fn outcome(job: &str) -> &'static str {
    if job.contains("<result>OK</result>") {
        "OK"
    } else {
        "FAIL"
    }
}

pub(crate) fn job_id(reply: &str) -> u32 {
    between(reply, "<job>", "</job>")
        .parse()
        .unwrap_or_else(|_| panic!("no job in {reply}"))
}

pub(crate) fn text(body: &Bytes) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

/// The text between two marks; empty when they are not there.
pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start)
        .and_then(|(_, rest)| rest.split_once(end))
        .map_or("", |(inside, _)| inside)
}
