//! Somebody who is paged: an HTTP receiver on loopback that takes events as PagerDuty's Events API does, or does not.
//!
//! Plain sockets, so that it can also hang up in the middle. Knows nothing of what a page says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// HTTP 202, as the Events API says it.
    Accept,
    /// HTTP 500 with a body that repeats what was sent, as proxies do.
    ServerError,
    /// HTTP 400 with a sentence that quotes the routing key just where a quotation of 200 characters ends.
    EchoAcrossTheQuote,
    /// The connection is closed without a word.
    HangUp,
}

/// A receiver; it stops when dropped.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<(Answer, Value)>>>,
    count: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Listens on a free port; requests are answered by the script, and accepted when that is over.
    ///
    /// # Panics
    /// Where no port can be opened.
    pub async fn listen(script: &[Answer]) -> Receiver {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (told, count) = watch::channel(0);
        let mut script: VecDeque<Answer> = script.iter().copied().collect();
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // One request at a time: the script has an order.
                let Some(body) = read_request(&mut stream).await else {
                    continue;
                };
                let answer = script.pop_front().unwrap_or(Answer::Accept);
                let event = serde_json::from_slice(&body).unwrap_or(Value::Null);
                noted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((answer, event));
                reply(&mut stream, answer, &body).await;
                told.send_modify(|count| *count += 1);
            }
        });
        Receiver {
            address,
            seen,
            count,
            task,
        }
    }

    /// Where pages are posted.
    pub fn url(&self) -> String {
        format!("http://{}/v2/enqueue", self.address)
    }

    /// What arrived, oldest first, and how it was answered.
    pub fn seen(&self) -> Vec<(Answer, Value)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until this many requests were answered.
    ///
    /// # Panics
    /// Where the receiver broke.
    pub async fn until(&mut self, requests: usize) {
        self.count
            .wait_for(|count| *count >= requests)
            .await
            .expect("the receiver listens");
    }
}

async fn reply(stream: &mut TcpStream, answer: Answer, body: &[u8]) {
    let (status, text) = match answer {
        Answer::Accept => ("202 Accepted", br#"{"status":"success"}"#.to_vec()),
        Answer::ServerError => ("500 Internal Server Error", body.to_vec()),
        Answer::EchoAcrossTheQuote => ("400 Bad Request", echo(body)),
        Answer::HangUp => return,
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    // A caller that went away shows in what it does next.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&text).await;
    let _ = stream.shutdown().await;
}

fn echo(body: &[u8]) -> Vec<u8> {
    let event: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let key = event["routing_key"].as_str().unwrap_or_default();
    format!("{:.>190}{key} is not a key", "unknown key ").into_bytes()
}

/// The body of one request with a `content-length`; nothing where the connection ends before it is whole.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(head_ends) = find(&bytes, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..head_ends]).to_ascii_lowercase();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))?
                .trim()
                .parse()
                .ok()?;
            let body = &bytes[head_ends + 4..];
            if body.len() >= length {
                return Some(body[..length].to_vec());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
