//! Whatever bytes come in, an HTTP reply goes out.

use bytes::Bytes;
use panos_simulator::{Exchange, Fleet};
use proptest::prelude::*;
use std::sync::Arc;

use crate::probe::{KEYGEN, form, on_virtual_time, one, text};

/// Two thousand cases each with `HOPGATE_FULL=1`, a few seconds' worth otherwise.
fn cases() -> u32 {
    if std::env::var_os("HOPGATE_FULL").is_some() {
        2_000
    } else {
        48
    }
}

async fn key(fleet: &Arc<Fleet>) -> String {
    let Exchange::Reply(reply) = fleet.exchange("fw", form(KEYGEN)).await else {
        panic!("no key")
    };
    crate::probe::between(&text(reply.body()), "<key>", "</key>").to_owned()
}

/// A reply with a status and, for the API, a root with a status; what a device is still able to say afterwards.
async fn survives(request: http::Request<Bytes>) {
    let fleet = one("");
    let key = key(&fleet).await;
    let mut request = request;
    request.headers_mut().insert("x-pan-key", key.parse().unwrap());
    let shown = format!("{request:?}");
    match fleet.exchange("fw", request).await {
        Exchange::Reply(reply) => {
            let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
            if kind.starts_with("application/xml") {
                let body = text(reply.body());
                assert!(
                    body.starts_with("<response status=") || body.starts_with("<?xml"),
                    "{shown}: {body}"
                );
            }
        }
        other => panic!("{shown}: {other:?}"),
    }
    let mut check = form("type=op&cmd=<show><clock/></show>");
    check.headers_mut().insert("x-pan-key", key.parse().unwrap());
    let Exchange::Reply(reply) = fleet.exchange("fw", check).await else {
        panic!("{shown}: the device is gone")
    };
    assert_eq!(reply.status(), 200);
}

fn post(kind: &str, body: Vec<u8>) -> http::Request<Bytes> {
    http::Request::post("/api/")
        .header("content-type", kind)
        .body(Bytes::from(body))
        .unwrap()
}

/// Commands made of the words of real ones, in any order, with any text between.
fn command() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "show",
        "system",
        "info",
        "request",
        "software",
        "install",
        "version",
        "config",
        "saved",
        "interface",
        "debug",
        "swm",
        "status",
        "jobs",
        "id",
        "delete",
        "certificate",
        "generate",
        "certificate-name",
        "load",
        "from",
        "save",
        "to",
        "content",
        "upgrade",
        "download",
        "latest",
        "running",
        "resource-monitor",
        "minute",
        "last",
        "arp",
        "entry",
        "session",
        "all",
        "filter",
        "state",
        "external-list",
        "type",
        "ip",
        "name",
        "transceiver",
        "config-lock",
        "add",
        "comment",
    ]);
    let leaf = prop_oneof![
        Just(String::new()),
        "[ -~]{0,12}".prop_map(|text| quick_xml::escape::escape(text.as_str()).into_owned()),
        "\\PC{0,6}",
    ];
    let leaf = (word.clone(), leaf).prop_map(|(word, text)| format!("<{word}>{text}</{word}>"));
    leaf.prop_recursive(6, 12, 3, move |inner| {
        (word.clone(), prop::collection::vec(inner, 1..3))
            .prop_map(|(word, inside)| format!("<{word}>{}</{word}>", inside.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_as_a_form(body in prop::collection::vec(any::<u8>(), 0..300)) {
        on_virtual_time(survives(post("application/x-www-form-urlencoded", body)));
    }

    #[test]
    fn any_bytes_as_a_multipart_form(
        body in prop::collection::vec(any::<u8>(), 0..200),
        formlike in "(--X|\r\n|Content-Disposition: form-data|; name=|; filename=|\"|PanOS_800-10\\.2\\.4|a){0,16}",
        category in "(software|configuration|[a-z]{0,6})",
    ) {
        for body in [body, formlike.into_bytes()] {
            let mut request = post("multipart/form-data; boundary=X", body);
            *request.uri_mut() = format!("/api/?type=import&category={category}").parse().unwrap();
            on_virtual_time(survives(request));
        }
    }

    #[test]
    fn any_command(command in command(), text in "[<>/ab&;#x0-9='\" !\\-\\[\\]?]{0,120}") {
        for cmd in [command, text] {
            for kind in ["op", "commit"] {
                let mut body = form_urlencoded::Serializer::new(String::new());
                body.append_pair("type", kind).append_pair("cmd", &cmd);
                on_virtual_time(survives(post("application/x-www-form-urlencoded", body.finish().into_bytes())));
            }
        }
    }

    #[test]
    fn any_path_and_element(
        action in "(get|show|set|edit|delete|rename|move|)",
        xpath in "(/config|/shared|/devices|/entry|\\[@name='[a-z.]{0,9}'\\]|\\[|\\]|'|/|\\*|@|=|é| or ){0,9}",
        element in "(<a>|</a>|<entry name='x'>|</entry>|<b/>|&lt;|[ -~é]{0,3}){0,8}",
        name in "\\PC{0,6}",
    ) {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs([("type", "config"), ("action", &action), ("xpath", &xpath), ("element", &element), ("newname", &name)]);
        on_virtual_time(survives(post("application/x-www-form-urlencoded", body.finish().into_bytes())));
    }

    #[test]
    fn any_query(query in "[!-~]{0,80}", path in "/(api|api/|)[a-z]{0,2}") {
        if let Ok(request) = http::Request::get(format!("{path}?{query}")).body(Bytes::new()) {
            on_virtual_time(survives(request));
        }
    }
}
