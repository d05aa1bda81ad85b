//! Reads an HTTP request into an API request: parameters, key, and the command as a tree.
//!
//! Commands are parsed as XML, never compared as text: clients write `<a/>`, `<a />` and `<a></a>` for the same
//! thing and order options as they like. Knows no command by name.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::multipart::{Form, Upload};
use crate::tree::{Element, Malformed};

/// What an HTTP request asks for, before anybody judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiRequest {
    parameters: BTreeMap<String, String>,
    pub(crate) key: Option<String>,
    pub(crate) file: Option<Upload>,
}

impl ApiRequest {
    /// `None` when the path is not the API's.
    pub(crate) fn read(request: &http::Request<Bytes>) -> Option<Self> {
        if !matches!(request.uri().path(), "/api" | "/api/") {
            return None;
        }
        let query = request.uri().query().unwrap_or_default();
        let mut parameters: BTreeMap<String, String> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut file = None;
        if request.method() == http::Method::POST {
            let content_type = request.headers().get(http::header::CONTENT_TYPE);
            let content_type = content_type.map(|value| value.to_str().unwrap_or_default());
            if let Some(form) = content_type.and_then(|kind| Form::read(kind, request.body())) {
                parameters.extend(form.fields);
                file = form.file;
            } else if content_type.is_none_or(is_form) {
                parameters.extend(form_urlencoded::parse(request.body()).into_owned());
            }
        }
        let header = request
            .headers()
            .get("x-pan-key")
            .and_then(|value| value.to_str().ok());
        let key = header.map(str::to_owned).or_else(|| parameters.remove("key"));
        Some(Self {
            parameters,
            key,
            file,
        })
    }

    /// The serial number of the firewall that a Panorama is to pass the request on to.
    pub(crate) fn target(&self) -> Option<&str> {
        Some(self.parameter("target")).filter(|serial| !serial.is_empty())
    }

    /// The request as the firewall gets it, under a key that it knows.
    pub(crate) fn relayed(&self, key: String) -> Self {
        let mut request = self.clone();
        request.parameters.remove("target");
        request.key = Some(key);
        request
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

/// A body without a type is taken for a form; urllib and curl always name one.
fn is_form(content_type: &str) -> bool {
    content_type.starts_with("application/x-www-form-urlencoded")
}

/// A command: the words down to where it branches or holds a value, and the options there.
/// `<show><jobs><id>5</id></jobs></show>` is `show jobs` with `id` = 5.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) words: Vec<String>,
    /// The element of the last word, with the options in it.
    pub(crate) branch: Element,
}

impl Command {
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut words = Vec::new();
        let mut branch = Element::parse(text)?;
        loop {
            words.push(branch.name.clone());
            let is_value = |child: &Element| child.children.is_empty() && !child.text.trim().is_empty();
            match branch.children.len() {
                1 if !is_value(&branch.children[0]) => {
                    let Some(only) = branch.children.pop() else { break };
                    branch = only;
                }
                _ => break,
            }
        }
        Ok(Self { words, branch })
    }

    /// The value of an option; empty for one that stands alone.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.branch.child(name).map(|child| child.text.as_str())
    }

    /// The names of the options, as they come.
    pub(crate) fn options(&self) -> impl Iterator<Item = &str> {
        self.branch.children.iter().map(|child| child.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        Command::parse(text).map_or("malformed".to_owned(), |command| {
            let options: BTreeMap<&str, &str> = command
                .options()
                .map(|name| (name, command.option(name).unwrap_or_default()))
                .collect();
            format!("{} {options:?}", command.words.join(" "))
        })
    }

    #[test]
    fn one_command_has_many_spellings() {
        let spellings = [
            "<show><system><info/></system></show>",
            "<show><system><info /></system></show>",
            " <show>\n<system> <info></info></system></show>\n",
            "<?xml version='1.0'?><show><!-- x --><system><info/></system></show>",
        ];
        for text in spellings {
            assert_eq!(shown(text), "show system info {}", "{text}");
        }
        let options = shown(
            "<request><system><software><download><version>10.1.0</version><sync-to-peer>no</sync-to-peer>\
             </download></software></system></request>",
        );
        let swapped = shown(
            "<request><system><software><download><sync-to-peer>no</sync-to-peer><version>10.1.0</version>\
             </download></software></system></request>",
        );
        assert_eq!(options, swapped);
    }

    #[test]
    fn commands_read_as_words_and_options() {
        let read: Vec<String> = [
            "<show><jobs><id>5</id></jobs></show>",
            "<show><jobs><all></all></jobs></show>",
            "<show><arp><entry name = 'all'/></arp></show>",
            "<show><interface>hardware</interface></show>",
            "<show><system><state><filter>sys.s1.p*.phy</filter></state></system></show>",
            "<request><content><upgrade><download><latest/><sync-to-peer>yes</sync-to-peer></download></upgrade>\
             </content></request>",
            "<a>&lt;x&#65;<![CDATA[&]]></a>",
            "<a><b/>",
            "<a/><b/>",
            "show system info",
            "",
            "<a>&nope;</a>",
        ]
        .into_iter()
        .map(shown)
        .collect();
        insta::assert_snapshot!(read.join("\n"), @r#"
        show jobs {"id": "5"}
        show jobs all {}
        show arp entry {}
        show {"interface": "hardware"}
        show system state {"filter": "sys.s1.p*.phy"}
        request content upgrade download {"latest": "", "sync-to-peer": "yes"}
        a {}
        malformed
        malformed
        malformed
        malformed
        malformed
        "#);
    }

    fn ask(request: http::request::Builder, body: &str) -> Option<ApiRequest> {
        ApiRequest::read(&request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
    }

    #[test]
    fn parameters_come_by_query_and_form_and_the_key_in_three_ways() {
        let post = || http::Request::post("/api/");
        let by_form = ask(post(), "type=op&cmd=%3Ca%2F%3E&key=ABC12==").unwrap();
        assert_eq!(by_form.key.as_deref(), Some("ABC12=="));
        assert_eq!(by_form.parameter("cmd"), "<a/>");
        let by_query = ask(http::Request::get("/api?type=op&cmd=%3Ca/%3E&key=ABC12=="), "").unwrap();
        assert_eq!(by_query, by_form);
        let by_header = ask(post().header("X-PAN-KEY", "ABC12=="), "type=op&cmd=<a/>").unwrap();
        assert_eq!(by_header, by_form);
        assert_eq!(ask(http::Request::get("/php/login.php"), ""), None);
    }

    proptest! {
        #[test]
        fn no_text_panics_the_parser(text in "\\PC{0,200}", xmlish in "[<>/ab&;#x0-9='\" !\\-\\[\\]?]{0,120}") {
            let _ = Command::parse(&text);
            let _ = Command::parse(&xmlish);
        }

        #[test]
        fn a_written_command_reads_back(
            words in prop::collection::vec("[a-z][a-z0-9-]{0,12}", 1..8),
            options in prop::collection::btree_map("[a-z][a-z-]{0,8}", "[ -~&&[^ ]]{1,12}", 2..5),
        ) {
            let mut text = String::new();
            for (name, value) in &options {
                text.push_str(&format!("<{name}>{}</{name}>", quick_xml::escape::escape(value.as_str())));
            }
            for word in words.iter().rev() {
                text = format!("<{word}>{text}</{word}>");
            }
            let command = Command::parse(&text).unwrap();
            prop_assert_eq!(&command.words, &words);
            for (name, value) in &options {
                prop_assert_eq!(command.option(name), Some(value.as_str()));
            }
        }
    }
}
