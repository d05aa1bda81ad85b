//! Envelopes, broken and whole; and that no text whatever makes the reader panic.

use proptest::prelude::*;

use super::*;
use crate::scripted::{golden, golden_names};

fn read(body: &str) -> Result<Node, Failure> {
    read_reply(200, Some("application/xml"), body.as_bytes())
}

#[test]
fn a_success_gives_its_result() {
    let result = read("<response status='success'><result><a x=\"1\">t</a></result></response>").unwrap();
    assert_eq!(result.child("a").unwrap().text(), "t");
    assert_eq!(result.child("a").unwrap().attribute("x"), Some("1"));
}

#[test]
fn of_xml_that_is_no_reply_nothing_is_quoted_but_its_first_tag() {
    for body in [
        "<response status='success'><result><private-key>SECRET</private-key></result>",
        "<response status='error'x><msg<private-key>SECRET </msg>",
        "<config><shared><private-key>SECRET</private-key></shared></config>",
        "<private-key>SECRET",
        "at once: <private-key>SECRET</private-key>",
    ] {
        let said = read(body).unwrap_err().to_string();
        assert!(!said.contains("SECRET"), "{said}");
    }
}

#[test]
fn a_success_without_a_result_gives_its_message() {
    let result = read("<response status='success'><msg><line>done</line></msg></response>").unwrap();
    assert_eq!((result.name.as_str(), result.text()), ("result", "done"));
}

#[test]
fn codes_19_and_20_are_success_whatever_the_status_says() {
    for code in [19, 20] {
        let body = format!("<response status=\"error\" code=\"{code}\"><result>r</result></response>");
        assert_eq!(read(&body).unwrap().text(), "r");
    }
}

#[test]
fn entities_and_cdata_are_text_and_declared_entities_are_never_expanded() {
    let body = "<!DOCTYPE r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\
        <response status='success'><result>&lt;a&gt; &#x41;&#66; <![CDATA[<raw> & &amp;]]> &e; a & b</result></response>";
    assert_eq!(read(body).unwrap().text(), "<a> AB <raw> & &amp; &e; a & b");
}

#[test]
fn a_value_that_is_empty_or_null_is_no_value() {
    let result =
        read("<response status='success'><result><a/><b>(null)</b><c> x </c></result></response>").unwrap();
    assert_eq!(result.value("a"), None);
    assert_eq!(result.value("b"), None);
    assert_eq!(result.value("c"), Some("x"));
    assert_eq!(result.value("d"), None);
    assert_eq!(
        result.required("d"),
        Err(Failure::unreadable("<result> has no <d>"))
    );
}

#[test]
fn errors_in_every_shape() {
    let table: Vec<String> = [
        "error-unknown-command.xml",
        "error-bare-message.xml",
        "error-result-message.xml",
        "error-two-lines.xml",
    ]
    .into_iter()
    .map(|name| format!("{:?}", read_reply(200, None, &golden(name)).unwrap_err()))
    .chain(
        [
            "<response status = 'unauth' code='16'><msg><line>Unauthorized request</line></msg></response>",
            "<response status='error' code='22'/>",
            "<response status='error' code=' 5 '><msg><line>oops</line></msg></response>",
            "<response status='error' code='soon'><msg>odd</msg></response>",
            "<response status='error'><result><msg><line>a</line><line>b</line></msg></result></response>",
            "<response status='error'><result><job><details><line>from the job</line></details></job></result></response>",
        ]
        .into_iter()
        .map(|body| format!("{:?}", read(body).unwrap_err())),
    )
    .collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    Rejected { code: Some(17), text: "show -> chassis-ready is unexpected" }
    Busy { cause: InProgress, text: "Another commit/validate is in progress. Please try again later" }
    Unauthorised { text: "Invalid Credential" }
    Rejected { code: None, text: "Failed to check upgrade info due to Unknown error. Please check network connectivity and try again." }
    NoRights { text: "Unauthorized request" }
    Busy { cause: SessionTimedOut, text: "no message" }
    Busy { cause: InternalError(Some(5)), text: "oops" }
    Rejected { code: None, text: "odd" }
    Rejected { code: None, text: "a; b" }
    Rejected { code: None, text: "from the job" }
    "#);
}

#[test]
fn what_is_not_a_reply_is_described() {
    let deep = format!("<response status='success'>{}", "<a>".repeat(80));
    let long = format!("<p>{}", "x".repeat(500));
    let table: Vec<String> = [
        "",
        " \n ",
        "<!DOCTYPE html>\n<html><head><title>Loading</title></head></html>",
        "<html><body>404",
        "Transport endpoint is not connected",
        "<response/>",
        "<config version='10.1.0'/>",
        "<response status=\"success\"><result><system><hostname>acme-f",
        "<response status=\"success\"><result></system></result></response>",
        "<response status='success'><result/></response><response status='error'/>",
        "<response status='success'><result/></response> trailing",
        "<response status='success' status='error'/>",
        "\u{1b}[31mred\u{7}\r\nsecond line",
        &deep,
        &long,
    ]
    .into_iter()
    .map(|body| read(body).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    the reply is not a PAN-OS reply: an empty body
    the reply is not a PAN-OS reply: an empty body
    the reply is not a PAN-OS reply: an HTML page: <!DOCTYPE html> <html><head><title>Loading</title></head></html>
    the reply is not a PAN-OS reply: an HTML page: <html><body>404
    the reply is not a PAN-OS reply: not XML: Transport endpoint is not connected
    the reply is not a PAN-OS reply: a <response> without a status: <response/>
    the reply is not a PAN-OS reply: the root element is <config>: <config version='10.1.0'/>
    the reply is not a PAN-OS reply: XML that breaks off inside <hostname>: <response status="success">
    the reply is not a PAN-OS reply: XML that breaks off or is wrong (ill-formed document: expected `</result>`, but `</system>` was found): <response status="success">
    the reply is not a PAN-OS reply: XML with a second root element: <response status='success'>
    the reply is not a PAN-OS reply: XML with text after its end: <response status='success'>
    the reply is not a PAN-OS reply: XML with a wrong attribute (position 26: duplicated attribute, previous declaration at position 9): <response status='success' status='error'/>
    the reply is not a PAN-OS reply: not XML: [31mred second line
    the reply is not a PAN-OS reply: XML nested deeper than 64 elements: <response status='success'>
    the reply is not a PAN-OS reply: XML that breaks off inside <p>: <p>
    "#);
}

#[test]
fn a_page_with_an_error_status_is_judged_by_the_status() {
    let page = b"<html><body>Service Unavailable</body></html>";
    let table: Vec<String> = [503, 403, 404, 302]
        .into_iter()
        .map(|status| {
            read_reply(status, Some("text/html"), page)
                .unwrap_err()
                .to_string()
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    the management server is not serving (HTTP 503): an HTML page: <html><body>Service Unavailable</body></html>
    the login or key was not accepted: an HTML page: <html><body>Service Unavailable</body></html>
    the reply is not a PAN-OS reply: HTTP 404, an HTML page: <html><body>Service Unavailable</body></html>
    the reply is not a PAN-OS reply: HTTP 302, an HTML page: <html><body>Service Unavailable</body></html>
    ");
}

#[test]
fn a_success_with_an_error_status_is_no_success() {
    let body = b"<response status='success'><result>yes</result></response>";
    assert!(matches!(read_reply(503, None, body), Err(Failure::Busy { .. })));
    assert!(matches!(
        read_reply(403, None, body),
        Err(Failure::Unauthorised { .. })
    ));
}

#[test]
fn depth_and_number_of_elements_and_attributes_are_bounded() {
    let nested = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(
        parse(nested(DEPTH_MAX + 1).as_bytes()).unwrap_err(),
        "XML nested deeper than 64 elements"
    );
    let many = format!("<a>{}</a>", "<b/>".repeat(NODES_MAX));
    assert_eq!(
        parse(many.as_bytes()).unwrap_err(),
        "XML with more than 200000 elements"
    );
    let attributes = |count: usize| {
        let attributes: String = (0..count).map(|at| format!(" a{at}=''")).collect();
        format!("<a{attributes}/>")
    };
    assert!(parse(attributes(ATTRIBUTES_MAX).as_bytes()).is_ok());
    // The time is what the runner allows.
    assert_eq!(
        parse(attributes(200_000).as_bytes()).unwrap_err(),
        "XML with more than 64 attributes of one element"
    );
}

#[test]
fn words_in_the_place_of_rows_are_not_an_empty_table() {
    let read = |result: &str| {
        let body = format!("<response status='success'><result>{result}</result></response>");
        let raw = Raw {
            status: 200,
            content_type: None,
            body: body.as_bytes(),
        };
        read_rows(raw, &["entry"], |_, entry| Ok(entry.text().to_owned())).map(|(_, rows)| rows)
    };
    assert_eq!(read(""), Ok(Vec::new()));
    assert_eq!(read("<flags>A: active</flags>"), Ok(Vec::new()));
    assert_eq!(read("words <entry>row</entry>"), Ok(vec!["row".to_owned()]));
    insta::assert_snapshot!(read("routed is not running").unwrap_err(), @r#"the reply cannot be understood: no rows, and the words "routed is not running""#);
}

#[test]
fn bytes_that_are_not_utf8_do_not_lose_the_reply() {
    let result = read_reply(
        200,
        None,
        b"\xef\xbb\xbf<response status='success'><result>Caf\xe9</result></response>",
    );
    assert_eq!(result.unwrap().text(), "Caf\u{fffd}");
}

#[test]
fn printable_text_is_one_bounded_line() {
    assert_eq!(printable("  a\n\tb \u{1b}[0m c  ", 80), "a b [0m c");
    assert_eq!(printable("abcdef", 3), "abc…");
    assert_eq!(printable("abc", 3), "abc");
    assert_eq!(printable("", 3), "");
}

#[test]
fn every_golden_reply_is_well_formed() {
    let names = golden_names();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        parse(&golden(&name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

/// A golden reply with bytes overwritten, cut out or repeated.
pub(crate) fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<u8>(),
        0..4_u8,
    );
    (
        prop::sample::select(golden_names()),
        prop::collection::vec(damage, 1..6),
    )
        .prop_map(|(name, damages)| {
            let mut body = golden(&name);
            for (from, to, byte, kind) in damages {
                if body.is_empty() {
                    break;
                }
                let (from, to) = (from.index(body.len()), to.index(body.len()));
                let range = from.min(to)..from.max(to).min(from.min(to) + 40);
                match kind {
                    0 => body[from] = byte,
                    1 => drop(body.drain(range)),
                    2 => {
                        let copy = body[range].to_vec();
                        body.splice(to..to, copy);
                    }
                    _ => body.truncate(from),
                }
            }
            body
        })
}

proptest! {
    #[test]
    fn plain_words_are_told_as_any_others(text in "[a-z \t\u{7}ä]{0,12}", max in 0..12_usize) {
        prop_assert_eq!(printable(&text, max), on_one_line(&text, max));
    }

    #[test]
    fn no_text_makes_the_reader_panic(body in "\\PC*", status in 0..1000_u16) {
        let _ = read_reply(status, None, body.as_bytes());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_reply(200, None, &body);
    }

    #[test]
    fn whatever_is_wrong_with_a_reply_is_told_on_one_short_line(body in damaged()) {
        if let Err(failure) = read_reply(200, Some("application/xml"), &body) {
            let text = failure.to_string();
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
            prop_assert!(text.chars().count() < 700, "{text:?}");
        }
    }

    #[test]
    fn a_reply_cut_short_is_never_a_success(name in prop::sample::select(golden_names()), cut: prop::sample::Index) {
        let whole = golden(&name);
        let end = whole.trim_ascii_end().len();
        prop_assert!(read_reply(200, None, &whole[..cut.index(end)]).is_err());
    }
}
