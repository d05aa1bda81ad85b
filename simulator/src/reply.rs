//! Replies as they go over the wire: status, content type, XML.
//!
//! Knows the shapes of the API's answers and nothing about their content.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use quick_xml::escape::{escape, partial_escape};

use crate::wording;

/// XML under construction. Names are the simulator's own; texts are escaped.
#[derive(Debug, Default)]
pub(crate) struct Markup(String);

impl Markup {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// An element with other elements in it.
    pub(crate) fn element(mut self, name: &str, content: impl FnOnce(Self) -> Self) -> Self {
        let _ = write!(self.0, "<{name}>");
        let mut inside = content(self);
        let _ = write!(inside.0, "</{name}>");
        inside
    }

    /// `<entry name="…">`.
    pub(crate) fn entry(mut self, name: &str, content: impl FnOnce(Self) -> Self) -> Self {
        let _ = write!(self.0, "<entry name=\"{}\">", escape(name));
        content(self).raw("</entry>")
    }

    /// An element that holds a text.
    pub(crate) fn leaf(mut self, name: &str, text: &str) -> Self {
        let _ = write!(self.0, "<{name}>{}</{name}>", escaped(text));
        self
    }

    /// Several such elements.
    pub(crate) fn leaves(self, leaves: &[(&str, &str)]) -> Self {
        leaves
            .iter()
            .fold(self, |markup, (name, text)| markup.leaf(name, text))
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.push_str(&escaped(text));
        self
    }

    /// A text as one CDATA section. The simulator's own texts never hold the end mark; it is split all the same.
    pub(crate) fn cdata(mut self, text: &str) -> Self {
        let _ = write!(self.0, "<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"));
        self
    }

    /// Markup from elsewhere, as it is.
    pub(crate) fn raw(mut self, markup: &str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// One element after another, from a list.
    pub(crate) fn each<T>(self, items: impl IntoIterator<Item = T>, one: impl Fn(Self, T) -> Self) -> Self {
        items.into_iter().fold(self, one)
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Also drops what XML 1.0 cannot hold at all, so that no label or optic breaks a reply.
fn escaped(text: &str) -> Cow<'_, str> {
    let legal = |character: char| character >= ' ' || matches!(character, '\t' | '\n' | '\r');
    if text.chars().all(legal) {
        partial_escape(text)
    } else {
        Cow::Owned(
            partial_escape(
                text.chars()
                    .filter(|character| legal(*character))
                    .collect::<String>(),
            )
            .into_owned(),
        )
    }
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

const XML: &str = "application/xml; charset=UTF-8";
const HTML: &str = "text/html; charset=UTF-8";

/// `<response status="success"><result>…`.
pub(crate) fn success(result: Markup) -> Response<Bytes> {
    let body = format!(
        "<response status=\"success\"><result>{}</result></response>",
        result.into_string()
    );
    response(StatusCode::OK, XML, body)
}

/// Success with one line and no result, as commands without output give it.
pub(crate) fn done(text: &str) -> Response<Bytes> {
    success(Markup::new().text(text))
}

/// Success with a code and a message, as configuration requests have it.
pub(crate) fn succeeded(code: u16, text: &str) -> Response<Bytes> {
    let message = Markup::new().leaf("msg", text).into_string();
    let body = format!("<response status=\"success\" code=\"{code}\">{message}</response>");
    response(StatusCode::OK, XML, body)
}

/// Success with a code and a result.
pub(crate) fn found(code: u16, attributes: &str, result: &str) -> Response<Bytes> {
    let body = format!(
        "<response status=\"success\" code=\"{code}\"><result{attributes}>{result}</result></response>"
    );
    response(StatusCode::OK, XML, body)
}

/// Success with one line in a message.
pub(crate) fn noted(line: &str) -> Response<Bytes> {
    let message = Markup::new()
        .element("msg", |msg| msg.leaf("line", line))
        .into_string();
    response(
        StatusCode::OK,
        XML,
        format!("<response status=\"success\">{message}</response>"),
    )
}

/// A job was enqueued: code 19.
pub(crate) fn enqueued(line: &str, job: u32) -> Response<Bytes> {
    let result = Markup::new()
        .element("msg", |msg| msg.leaf("line", line))
        .leaf("job", &job.to_string())
        .into_string();
    let body = format!("<response status=\"success\" code=\"19\"><result>{result}</result></response>");
    response(StatusCode::OK, XML, body)
}

/// An error of the API: HTTP 200, code and text inside.
pub(crate) fn error(code: u16, text: &str) -> Response<Bytes> {
    let message = Markup::new()
        .element("msg", |msg| msg.leaf("line", text))
        .into_string();
    response(
        StatusCode::OK,
        XML,
        format!("<response status=\"error\" code=\"{code}\">{message}</response>"),
    )
}

/// A Panorama has no connection to the firewall that a request names (pan-os-python issue 249 quotes the text).
pub(crate) fn not_connected(serial: &str) -> Response<Bytes> {
    let message = Markup::new()
        .element("msg", |msg| msg.leaf("line", &format!("{serial} not connected")))
        .into_string();
    response(
        StatusCode::OK,
        XML,
        format!("<response status=\"error\">{message}</response>"),
    )
}

/// A wrong key or password; also a good one while the device starts.
pub(crate) fn invalid_credential() -> Response<Bytes> {
    let body = format!(
        "<response status=\"error\" code=\"403\"><result><msg>{}</msg></result></response>",
        wording::INVALID_CREDENTIAL
    );
    response(StatusCode::FORBIDDEN, XML, body)
}

/// What the web server says while nothing stands behind it.
pub(crate) fn unavailable() -> Response<Bytes> {
    response(
        StatusCode::SERVICE_UNAVAILABLE,
        HTML,
        page("503 Service Unavailable", wording::TRANSPORT_NOT_CONNECTED),
    )
}

/// A call beyond those that a device works on at a time. No source shows what a device says then; this is what its web
/// server says when it cannot serve.
pub(crate) fn too_many_calls() -> Response<Bytes> {
    response(
        StatusCode::SERVICE_UNAVAILABLE,
        HTML,
        page("503 Service Unavailable", "Too many concurrent requests."),
    )
}

/// What a proxy in between says when it gets no answer.
pub(crate) fn bad_gateway() -> Response<Bytes> {
    response(
        StatusCode::BAD_GATEWAY,
        HTML,
        page("502 Bad Gateway", "The server returned an invalid response."),
    )
}

/// Not the API's path.
pub(crate) fn not_found() -> Response<Bytes> {
    response(
        StatusCode::NOT_FOUND,
        HTML,
        page("404 Not Found", "The requested URL was not found on this server."),
    )
}

/// A page instead of XML, with a success status, as a login page in the way gives it.
pub(crate) fn login_page() -> Response<Bytes> {
    response(StatusCode::OK, HTML, page("Login", "Please sign in to continue."))
}

fn page(title: &str, text: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{text}</body></html>"
    )
}

/// A document of its own, offered as a file.
pub(crate) fn file(name: &str, body: String) -> Response<Bytes> {
    offered(name, response(StatusCode::OK, XML, body))
}

/// Bytes offered as a file.
pub(crate) fn octets(name: &str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    offered(name, response)
}

fn offered(name: &str, mut response: Response<Bytes>) -> Response<Bytes> {
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename={name}")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_break_the_markup() {
        let markup = Markup::new()
            .leaf("a", "<b>&\u{1}x")
            .element("c", |c| c.cdata("]]>"))
            .into_string();
        assert_eq!(markup, "<a>&lt;b&gt;&amp;x</a><c><![CDATA[]]]]><![CDATA[>]]></c>");
    }
}
