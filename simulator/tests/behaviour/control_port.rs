//! The control port: the examples of the page are played, in their order, against the page's own fleet; and every refusal is
//! JSON that says what is wrong.

use panos_simulator::Served;
use serde_json::Value;

use crate::https::{control, get, started};

const PAGE: &str = include_str!("../../../docs/simulator.md");

/// The fleet file of the page, without the head that [`started`] writes itself.
fn fleet() -> String {
    let (_, after) = PAGE.split_once("<!-- example: fleet.yaml -->").unwrap();
    let (_, block) = after.split_once("```yaml\n").unwrap();
    let (file, _) = block.split_once("\n```").unwrap();
    let own = |line: &&str| !line.starts_with("epoch:") && !line.starts_with("credentials:");
    file.lines().filter(own).map(|line| format!("{line}\n")).collect()
}

/// Request, expected status and expected body of each example.
fn examples() -> Vec<(String, String, Value)> {
    let (_, section) = PAGE.split_once("\n## Control port\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```http\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("\n```").next().unwrap());
    blocks
        .map(|block| {
            let (request, reply) = block.split_once("\n\n").unwrap();
            let (status, body) = reply.split_once('\n').unwrap();
            let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{body}: {error}"));
            (request.to_owned(), status.to_owned(), body)
        })
        .collect()
}

async fn send(served: &Served, request: &str) -> (String, Value) {
    let (line, body) = request.split_once('\n').unwrap_or((request, ""));
    let wire = if body.is_empty() {
        get(line.trim_start_matches("GET "))
    } else {
        format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {{length}}\r\n\r\n{body}")
    };
    let reply = control(served, &wire).await;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let status = head.lines().next().unwrap().trim_start_matches("HTTP/1.1 ");
    let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{request}: {body}: {error}"));
    (status.to_owned(), body)
}

/// Whether everything that is expected is there. `"..."` stands for anything.
fn holds(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::String(any), _) if any == "..." => true,
        (Value::String(start), Value::String(text)) if start.ends_with("...") => {
            text.starts_with(start.trim_end_matches("..."))
        }
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| holds(value, found))),
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(one, other)| holds(one, other))
        }
        (expected, found) => expected == found,
    }
}

#[tokio::test]
async fn the_examples_of_the_page_are_true() {
    let (_fleet, served) = started(1.0, &fleet()).await;
    let examples = examples();
    assert!(examples.len() >= 15, "{} examples", examples.len());
    for (request, status, expected) in &examples {
        let (answered, body) = send(&served, request).await;
        assert_eq!(&answered, status, "{request}: {body:#}");
        assert!(
            holds(expected, &body),
            "{request}: expected {expected:#}, found {body:#}"
        );
    }
    let shown = |what: &str| examples.iter().any(|(request, ..)| request.contains(what));
    for path in [
        "/fleet",
        "/endpoints",
        "/devices/",
        "/pairs",
        "/counters",
        "/events",
        "/clock",
        "/faults",
        "/operations",
    ] {
        assert!(shown(&format!("GET {path}")), "no example for {path}");
    }
    served.shutdown().await;
}

#[tokio::test]
async fn every_intervention_is_on_the_page() {
    let (_fleet, served) = started(1.0, &fleet()).await;
    let (_, refused) = send(&served, "POST /control\n{\"explode\": {}}").await;
    let error = refused["error"].as_str().unwrap().to_owned();
    let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(known.len() >= 17, "{error}");
    for name in known {
        assert!(PAGE.contains(&format!("`{name}`")), "{name} is not on the page");
    }
    served.shutdown().await;
}

#[tokio::test]
async fn every_refusal_says_what_is_wrong_and_what_may_have_been_meant() {
    let (_fleet, served) = started(1.0, &fleet()).await;
    let mut log = Vec::new();
    for request in [
        "GET /flet",
        "GET /devices/egde1",
        "GET /devices/nobody",
        "GET /pairs/cor",
        "GET /fleet?cuont=1",
        "GET /fleet?count=few",
        "GET /events?since=-1",
        "POST /fleet\n{}",
        "GET /control",
        "POST /control\n{\"power_cycl\": {\"device\": \"edge1\"}}",
        "POST /control\n{\"power_cycle\": {\"devise\": \"edge1\"}}",
        "POST /control\n{\"power_cycle\": {\"device\": \"edge2\"}}",
        "POST /control\n{\"cut_network\": {\"whom\": {\"label\": \"customer=acne\"}}}",
        "POST /control\n{\"inject\": {\"device\": \"edge1\", \"fault\": \"rset\"}}",
        "POST /control\n{\"inject\": {\"device\": \"edge1\", \"fault\": \"reset\", \"operation\": \"instal\"}}",
        "POST /control\n{\"pull_optic\": {\"device\": \"edge1\", \"port\": 9}}",
        "POST /control\nnot json",
    ] {
        let (status, body) = send(&served, request).await;
        let error: String = body["error"].as_str().unwrap().chars().take(96).collect();
        let nearest = body["nearest"].as_str().unwrap_or("-");
        log.push(format!("{status} | {nearest} | {error}"));
    }
    insta::assert_snapshot!(log.join("\n"), @r#"
    404 Not Found | /fleet | there is no /flet; there are /fleet, /endpoints, /devices, /pairs, /counters, /events, /clock, /
    404 Not Found | edge1 | egde1 is not a device of this fleet
    404 Not Found | - | nobody is not a device of this fleet
    404 Not Found | core | cor is not a pair of this fleet
    400 Bad Request | count | `cuont` is no parameter here; there are from, count, label
    400 Bad Request | - | `few` is no count: a whole number is
    400 Bad Request | - | `-1` is no since: a whole number is
    405 Method Not Allowed | - | POST is not for /fleet; GET is
    405 Method Not Allowed | - | GET is not for /control; POST is
    400 Bad Request | power_cycle | read the intervention: unknown variant `power_cycl`, expected one of `set_optics`, `insert_optic
    400 Bad Request | device | read the intervention: unknown field `devise`, expected `device` at line 1 column 25
    404 Not Found | edge1 | control edge2: it is not a device of this fleet; the nearest is edge1
    404 Not Found | customer=acme | control devices with customer=acne: no device has this label; the nearest is customer=acme
    400 Bad Request | reset | read the intervention: unknown variant `rset`, expected one of `refuse`, `reset_before_tls`, `re
    422 Unprocessable Entity | install | inject a fault into edge1: `instal` is no operation; there are keygen, version, export-configura
    422 Unprocessable Entity | - | pull an optic from edge1: port 9 of slot 1 holds none
    400 Bad Request | - | read the intervention: expected value at line 1 column 1
    "#);
    served.shutdown().await;
}
