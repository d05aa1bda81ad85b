//! Markup read back, by a parser that is not ours.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// An element with the text that stands directly in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) text: String,
}

impl Element {
    pub(super) fn number(&self, attribute: &str) -> i32 {
        self.attributes[attribute].parse().unwrap()
    }

    pub(super) fn of_text(text: &str, numbers: &[(&str, i32)]) -> Self {
        let mut attributes: BTreeMap<String, String> = numbers
            .iter()
            .map(|(name, number)| ((*name).to_owned(), number.to_string()))
            .collect();
        attributes.insert("text-anchor".to_owned(), "start".to_owned());
        Self {
            name: "text".to_owned(),
            attributes,
            text: text.to_owned(),
        }
    }
}

/// Every element in the order they end. Panics where the text is not well-formed.
pub(super) fn elements(markup: &str) -> Vec<Element> {
    for letter in markup.chars() {
        let legal =
            matches!(letter, '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(legal, "{letter:?} is no character of XML");
    }
    let mut reader = Reader::from_str(markup);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => open.push(begun(&start)),
            Event::Empty(start) => found.push(begun(&start)),
            Event::End(_) => found.push(open.pop().unwrap()),
            Event::Text(text) => {
                let text = text.xml10_content();
                assert!(!text.contains("]]>"));
                said(&mut open, &text);
            }
            Event::GeneralRef(reference) => {
                let name = reference.into_inner();
                said(&mut open, &unescape(&format!("&{name};")).unwrap());
            }
            Event::DocType(doctype) => assert_eq!(&*doctype, "html"),
            Event::Eof => break,
            other => panic!("nobody writes {other:?}"),
        }
    }
    assert!(open.is_empty());
    found
}

fn begun(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let name = attribute.key.as_ref().to_owned();
        let raw = attribute.value;
        assert!(!raw.contains('<'), "{raw}");
        (name, unescape(&raw).unwrap().into_owned())
    });
    Element {
        name: start.name().as_ref().to_owned(),
        attributes: attributes.collect(),
        text: String::new(),
    }
}

fn said(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}
