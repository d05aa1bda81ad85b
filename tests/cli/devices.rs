//! Devices that cannot be read, for every reason there is: named with the call, and no plan is recorded without them.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use hopgate_tests::process::{self, PASSWORD, Process};
use serde_json::json;

use super::desk::{Desk, Page};

/// Something that is no firewall: takes connections and answers each with `reply`.
fn stranger(reply: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // It lives as long as the test's process; each connection is over at once.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            // Whoever hung up already needs no answer.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(reply.as_bytes());
        }
    });
    port
}

#[test]
fn a_host_that_is_no_firewall_is_told_by_what_it_does() {
    let mut page = Page::default();
    let desk = Desk::new();
    desk.change(
        "campaign.yaml",
        "  - {name: rest, rest: true, concurrency: 2, approval: true}\n",
        "",
    );
    page.add("nobody listens", &desk.refused("plan campaign.yaml"));
    let strangers = [
        ("another protocol", "220 mail.example.net ESMTP\r\n"),
        (
            "plain HTTP",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        ),
        ("hangs up", ""),
    ];
    for (what, reply) in strangers {
        let desk = Desk::new();
        desk.change(
            "campaign.yaml",
            "  - {name: rest, rest: true, concurrency: 2, approval: true}\n",
            "",
        );
        desk.change(
            "inventory.yaml",
            "127.0.0.1:1\"",
            &format!("127.0.0.1:{}\"", stranger(reply)),
        );
        page.add(what, &desk.refused("plan campaign.yaml"));
        desk.has_no_campaign();
    }
    desk.change("inventory.yaml", "127.0.0.1:1\"", "no-such-host.invalid\"");
    let unknown = desk.refused("plan campaign.yaml");
    // The rest are the system's own words for a name that does not resolve.
    let known =
        "error[D001]: 1 of 1 devices cannot be read: log in on fw1: no connection, nothing was sent: ";
    assert!(unknown.starts_with(known), "{unknown}");
    desk.has_no_campaign();
    page.matches("strangers");
}

#[test]
fn a_firewall_that_does_not_answer_as_it_should_is_told_by_what_it_did() {
    let mut page = Page::default();
    let (desk, simulator) = Desk::with_fleet(60);
    desk.change(
        "campaign.yaml",
        "  - {name: rest, rest: true, concurrency: 2, approval: true}\n",
        "",
    );
    for (what, fault) in [
        ("XML cut short", "truncate"),
        ("a login page", "html"),
        ("a connection that breaks", "reset"),
    ] {
        let inject = json!({"inject": {"device": "fw1", "fault": fault, "lasts": {"requests": 20}}});
        simulator.control(&inject);
        page.add(what, &desk.refused("plan campaign.yaml"));
        desk.has_no_campaign();
        simulator.control(&json!({"clear": {"device": "fw1"}}));
    }
    let mut command = process::command(desk.path(), ["plan", "campaign.yaml"]);
    let ended = Process::start(command.env(PASSWORD.0, "not-the-password")).wait(Duration::from_secs(60));
    assert!(!ended.stderr.contains("not-the-password"), "{ended:#?}");
    let before = logins(&simulator);
    page.add("a wrong password", &desk.refusal("wrong password", &ended));
    desk.has_no_campaign();
    assert_eq!(logins(&simulator), before);
    desk.done("plan campaign.yaml");
    simulator.control(&json!({"change_certificate": {"device": "fw1"}}));
    desk.change("campaign.yaml", "campaign: spring", "campaign: autumn");
    page.add("another certificate", &desk.refused("plan campaign.yaml"));
    let nothing = desk.run("status autumn");
    assert!(nothing.stderr.starts_with("error[A003]"), "{nothing:#?}");
    page.matches("devices");
}

fn logins(simulator: &process::Simulator) -> u64 {
    let device = simulator.get("/devices/fw1");
    device
        .pointer("/counters/logins")
        .and_then(serde_json::Value::as_u64)
        .unwrap()
}

#[test]
fn a_target_that_cannot_be_reached_is_refused_with_the_reason() {
    let mut page = Page::default();
    let (desk, _simulator) = Desk::with_fleet(60);
    for (what, target) in [
        ("a release of a train that does not exist", "10.3.1"),
        ("a release that is older", "10.1.6"),
        ("a release that the model does not run", "12.1.2"),
    ] {
        desk.write("campaign.yaml", &super::desk::CAMPAIGN.replace("10.2.7", target));
        page.add(what, &desk.refused("plan campaign.yaml"));
        desk.has_no_campaign();
    }
    page.matches("paths");
}
