//! XML as a tree: read strictly and without end, written back the same.
//!
//! Commands, configurations and their parts go through here. Knows no element by name.

use std::fmt::Write as _;

use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesStart, Event};

/// Deepest nesting read. A configuration has some twenty levels, the longest command eight.
const DEEPEST: usize = 64;

/// One element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

/// A text that is no XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// `<name>text</name>`.
    pub(crate) fn leaf(name: &str, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::new(name)
        }
    }

    /// `<entry name="…">`, as configurations name what there are several of.
    pub(crate) fn entry(name: &str) -> Self {
        Self {
            attributes: vec![("name".to_owned(), name.to_owned())],
            ..Self::new("entry")
        }
    }

    /// `<name><member>…</member>…</name>`.
    pub(crate) fn members(name: &str, members: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::new(name).with_all(
            members
                .into_iter()
                .map(|member| Self::leaf("member", member.as_ref())),
        )
    }

    #[must_use]
    pub(crate) fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    #[must_use]
    pub(crate) fn with_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Several elements that hold a text.
    #[must_use]
    pub(crate) fn with_leaves(self, leaves: &[(&str, &str)]) -> Self {
        self.with_all(leaves.iter().map(|(name, text)| Self::leaf(name, text)))
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The element at the end of a path of names.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text at the end of a path of names.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(|element| element.text.trim())
    }

    /// Reads a text of exactly one element.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut elements = Self::parse_all(text)?;
        match (elements.pop(), elements.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(Malformed),
        }
    }

    /// Reads a text of elements side by side; there may be none.
    pub(crate) fn parse_all(text: &str) -> Result<Vec<Self>, Malformed> {
        let mut reader = quick_xml::Reader::from_str(text.trim());
        // The bottom of the stack stands for the document.
        let mut stack = vec![Self::default()];
        loop {
            let event = reader.read_event().map_err(|_| Malformed)?;
            let depth = stack.len();
            let top = stack.last_mut().ok_or(Malformed)?;
            match event {
                Event::Start(start) if depth <= DEEPEST => stack.push(begun(&start)?),
                Event::Empty(start) if depth <= DEEPEST => top.children.push(begun(&start)?),
                Event::End(_) => {
                    let done = stack.pop().ok_or(Malformed)?;
                    stack.last_mut().ok_or(Malformed)?.children.push(done);
                }
                Event::Text(text) => top.text.push_str(&text.xml10_content()),
                Event::CData(text) => top.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let resolved = match reference.resolve_char_ref().map_err(|_| Malformed)? {
                        Some(character) => character.to_string(),
                        None => quick_xml::escape::resolve_predefined_entity(&reference)
                            .ok_or(Malformed)?
                            .to_owned(),
                    };
                    top.text.push_str(&resolved);
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Start(_) | Event::Empty(_) | Event::DocType(_) => return Err(Malformed),
                Event::Eof => break,
            }
        }
        match (stack.pop(), stack.pop()) {
            (Some(document), None) if document.text.trim().is_empty() => Ok(document.children),
            _ => Err(Malformed),
        }
    }

    /// The element as XML. White space between elements is not kept.
    pub(crate) fn to_xml(&self) -> String {
        let mut xml = String::new();
        self.write(&mut xml);
        xml
    }

    fn write(&self, xml: &mut String) {
        let _ = write!(xml, "<{}", self.name);
        for (name, value) in &self.attributes {
            let _ = write!(xml, " {name}=\"{}\"", quick_xml::escape::escape(value.as_str()));
        }
        if self.children.is_empty() && self.text.is_empty() {
            xml.push_str("/>");
            return;
        }
        xml.push('>');
        if self.children.is_empty() {
            xml.push_str(&partial_escape(self.text.as_str()));
        }
        for child in &self.children {
            child.write(xml);
        }
        let _ = write!(xml, "</{}>", self.name);
    }
}

fn begun(start: &BytesStart<'_>) -> Result<Element, Malformed> {
    let mut element = Element::new(start.name().as_ref());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed)?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Explicit1_0)
            .map_err(|_| Malformed)?;
        element
            .attributes
            .push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(element)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_side_by_side_and_one_alone() {
        let two = Element::parse_all("<a x='1'>&lt;</a><b><c/></b>").unwrap();
        assert_eq!(two[0].attribute("x"), Some("1"));
        assert_eq!(two[0].text, "<");
        assert_eq!(two[1].to_xml(), "<b><c/></b>");
        assert_eq!(Element::parse("<a/><b/>"), Err(Malformed));
        assert_eq!(Element::parse("text"), Err(Malformed));
        assert_eq!(Element::parse_all(""), Ok(Vec::new()));
        assert_eq!(Element::parse("<a b=c/>"), Err(Malformed));
        assert_eq!(Element::parse("<a b='1' b='2'/>"), Err(Malformed));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(Element::parse(&deep(DEEPEST)).is_ok());
        assert_eq!(Element::parse(&deep(DEEPEST + 1)), Err(Malformed));
        assert_eq!(Element::parse(&deep(100_000)), Err(Malformed));
    }

    fn element() -> impl Strategy<Value = Element> {
        let name = "[a-z][a-z0-9-]{0,8}";
        let attributes = prop::collection::btree_map(name, "[ -~äß]{0,8}", 0..3);
        let leaf = (name, attributes.clone(), "[ -~äß]{0,12}").prop_map(|(name, attributes, text)| Element {
            name,
            attributes: attributes.into_iter().collect(),
            // White space around a text that stands alone is the parser's to keep or drop.
            text: text.trim().to_owned(),
            children: Vec::new(),
        });
        leaf.prop_recursive(4, 24, 4, move |inner| {
            (name, attributes.clone(), prop::collection::vec(inner, 1..4)).prop_map(
                |(name, attributes, children)| Element {
                    name,
                    attributes: attributes.into_iter().collect(),
                    text: String::new(),
                    children,
                },
            )
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(element in element()) {
            prop_assert_eq!(Element::parse(&element.to_xml()), Ok(element));
        }
    }
}
