//! Reads XML into a small owned tree, and a PAN-OS reply envelope into its result or its failure.
//! Knows the envelope (`<response status code>`, the shapes of its messages); must not know any single command's result.

use std::borrow::Cow;

use compact_str::CompactString;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use crate::error::Failure;

/// The deepest reply known (routing tables, running configuration) has less than twenty levels.
const DEPTH_MAX: usize = 64;

/// `show jobs all` has about 30 entries of 20 elements, a software list some hundreds of 10. A reply beyond this is
/// not one that this crate asks for.
const NODES_MAX: usize = 200_000;

/// Attributes of one element. An entry has its name, and a few that say who changed it when. The parser holds each against
/// all before it, so that without a limit a tag of some megabytes would take hours.
pub(crate) const ATTRIBUTES_MAX: usize = 64;

/// How much of an unexpected reply is shown.
const SHOWN: usize = 80;

/// How much of a device's message is kept; a failed commit can list every rule of the policy.
const MESSAGE: usize = 500;

/// How much of a value is kept: the longest, certificate subjects and URLs of lists, are shorter.
const WORDS: usize = 300;

/// One element: its name, attributes, direct text (CDATA included) and children, in document order.
///
/// Names and most texts of replies are short and many: kept inside of the node, a software list of hundreds of images is
/// thousands of allocations less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: CompactString,
    attributes: Vec<(CompactString, CompactString)>,
    text: CompactString,
    pub(crate) children: Vec<Node>,
}

impl Node {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    /// Every attribute with its value, in document order.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.child(name))
    }

    /// The element's own text without the space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The text of a child, where there is any. PAN-OS writes `(null)` for a value it does not have.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text();
        (!text.is_empty() && text != "(null)").then_some(text)
    }

    /// As [`Node::value`], where the value is needed.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.value(name)
            .ok_or_else(|| Failure::unreadable(format!("<{}> has no <{name}>", printable(&self.name, 40))))
    }

    /// The text of a child as it is kept: on one line, bounded.
    pub(crate) fn words(&self, name: &str) -> Option<String> {
        self.value(name).map(|text| printable(text, WORDS))
    }

    /// As [`Node::words`], where the value is needed.
    pub(crate) fn required_words(&self, name: &str) -> Result<String, Failure> {
        self.required(name).map(|text| printable(text, WORDS))
    }

    /// The whole number of a child; none where there is none, or something else.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.value(name).and_then(whole_number)
    }

    /// The number of a child; nothing where there is no such child.
    ///
    /// # Errors
    /// There is one, and it is no number: what stands elsewhere must not be taken for it.
    pub(crate) fn number_if_told(&self, name: &str) -> Result<Option<u64>, NoNumber> {
        self.value(name)
            .map(|text| whole_number(text).ok_or(NoNumber))
            .transpose()
    }

    /// The yes or no of a child; none where there is none, or something else.
    pub(crate) fn yes(&self, name: &str) -> Option<bool> {
        match self.value(name)? {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    /// All text below this element, in document order, a line per element.
    pub(crate) fn all_text(&self, lines: &mut Vec<String>) {
        if !self.text().is_empty() {
            lines.push(self.text().to_owned());
        }
        for child in &self.children {
            child.all_text(lines);
        }
    }
}

/// Something that should be a number, and is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoNumber;

/// Digits and nothing else: no sign, no unit, no space in between.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// The `<result>` of a success reply. A success without one (`<response status="success"><msg>..`) gives an empty
/// result that holds the message as its text.
pub(crate) fn read_reply(status: u16, content_type: Option<&str>, body: &[u8]) -> Result<Node, Failure> {
    let parsed = parse(body);
    read_envelope(status, content_type, body, parsed)
}

/// As [`read_reply`], for a reply with a table of any length: the elements at the path `at` below `<result>` are given
/// to `row` one at a time, with the elements around them (from the root down), and are not part of the result.
pub(crate) fn read_rows<T>(
    reply: Raw<'_>,
    at: &[&str],
    mut row: impl FnMut(&[Node], &Node) -> Result<T, Failure>,
) -> Result<(Node, Vec<T>), Failure> {
    let (mut rows, mut failed) = (Vec::new(), None);
    let mut each = |around: &[Node], node: &Node| match row(around, node) {
        Ok(read) => {
            rows.push(read);
            true
        }
        Err(failure) => {
            failed = Some(failure);
            false
        }
    };
    let path: Vec<&str> = ["response", "result"].iter().chain(at).copied().collect();
    let parsed = grow(
        reply.body,
        Tree {
            rows: Some(Rows {
                path: &path,
                each: &mut each,
                nodes_before: 0,
            }),
            ..Tree::default()
        },
    );
    match failed {
        Some(failure) => Err(failure),
        None => {
            let result = read_envelope(reply.status, reply.content_type, reply.body, parsed)?;
            if rows.is_empty() && !result.text().is_empty() {
                // The device says something else than that there is nothing.
                return Err(Failure::unreadable(format!(
                    "no rows, and the words {:?}",
                    printable(result.text(), SHOWN)
                )));
            }
            Ok((result, rows))
        }
    }
}

/// A reply as it came.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

impl Raw<'_> {
    /// The `<result>` of a success reply, as [`read_reply`].
    pub(crate) fn result(self) -> Result<Node, Failure> {
        read_reply(self.status, self.content_type, self.body)
    }
}

fn read_envelope(
    status: u16,
    content_type: Option<&str>,
    body: &[u8],
    parsed: Result<Node, String>,
) -> Result<Node, Failure> {
    let root = match parsed.and_then(envelope) {
        Ok(root) => root,
        Err(why) => {
            let found = describe(content_type, body, &why);
            return Err(match Failure::of_http_status(status, &found) {
                Some(failure) => failure,
                None if status == 200 => Failure::garbled(found),
                None => Failure::garbled(format!("HTTP {status}, {found}")),
            });
        }
    };
    let message = printable(&message(&root), MESSAGE);
    if let Some(failure) = Failure::of_http_status(status, &message) {
        return Err(failure);
    }
    let code = root.attribute("code").and_then(|code| code.trim().parse().ok());
    if root.attribute("status").map(str::trim) != Some("success") && !Failure::is_success_code(code) {
        return Err(Failure::of_reply(code, &message));
    }
    let result = root.children.into_iter().find(|child| child.name == "result");
    Ok(result.unwrap_or_else(|| Node {
        name: "result".into(),
        text: message.into(),
        ..Node::default()
    }))
}

fn envelope(root: Node) -> Result<Node, String> {
    if root.name != "response" {
        return Err(format!("the root element is <{}>", printable(&root.name, 40)));
    }
    if root.attribute("status").is_none() {
        return Err("a <response> without a status".into());
    }
    Ok(root)
}

/// The message of a reply, wherever this command puts it: `msg/line*`, `msg`, `result/msg/line*`, `result/msg`,
/// `result/job/details/line*`.
fn message(root: &Node) -> String {
    let places: [&[&str]; 3] = [&["msg"], &["result", "msg"], &["result", "job", "details"]];
    for place in places {
        let mut lines = Vec::new();
        if let Some(node) = root.at(place) {
            node.all_text(&mut lines);
        }
        if let Some(message) = lines.into_iter().reduce(sentence_after) {
            return message;
        }
    }
    "no message".to_owned()
}

/// Lines are sentences, or parts of a list.
fn sentence_after(mut text: String, line: String) -> String {
    text.push_str(if text.ends_with(['.', ':', ',']) {
        " "
    } else {
        "; "
    });
    text.push_str(&line);
    text
}

/// What came instead of a reply, in words and with its beginning: of XML the first tag, or what stands before it, because a
/// configuration that broke off has keys in it.
fn describe(content_type: Option<&str>, body: &[u8], why: &str) -> String {
    // Enough for what is shown, even where every character takes four bytes and many are space.
    let text = String::from_utf8_lossy(&body[..body.len().min(SHOWN * 8)]);
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.is_empty() {
        return "an empty body".to_owned();
    }
    let lower = start.to_ascii_lowercase();
    let is_html = lower.starts_with("<!doctype html") || lower.starts_with("<html");
    let what = match content_type.filter(|kind| !kind.contains("xml")) {
        _ if is_html => "an HTML page".to_owned(),
        Some(kind) => format!("{} ({})", printable(why, 160), printable(kind, 40)),
        None => printable(why, 160),
    };
    let end = if is_html {
        None
    } else if start.starts_with('<') {
        start.find('>').map(|last| last + 1)
    } else {
        start.find('<')
    };
    let shown = end.and_then(|end| start.get(..end)).unwrap_or(start);
    format!("{what}: {}", printable(shown, SHOWN))
}

/// At most `max` characters on one line, nothing that a terminal acts on.
pub(crate) fn printable(text: &str, max: usize) -> String {
    if is_plain(text, max) {
        return text.to_owned();
    }
    on_one_line(text, max)
}

/// Whether it is as short as it may be, and in letters and single spaces only: most of what a device says.
fn is_plain(text: &str, max: usize) -> bool {
    let mut before = b' ';
    let single = text.bytes().all(|byte| {
        let fits = byte.is_ascii_graphic() || (byte == b' ' && before != b' ');
        before = byte;
        fits
    });
    single && before != b' ' && text.len() <= max
}

fn on_one_line(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max));
    let mut count = 0;
    for word in text.split_whitespace() {
        for c in word.chars().filter(|c| !c.is_control()) {
            if count >= max {
                shown.push('…');
                return shown;
            }
            shown.push(c);
            count += 1;
        }
        shown.push(' ');
        count += 1;
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// A whole XML document as a tree; the error says what is wrong with it.
pub(crate) fn parse(body: &[u8]) -> Result<Node, String> {
    grow(body, Tree::default())
}

fn grow(body: &[u8], mut tree: Tree<'_>) -> Result<Node, String> {
    // Descriptions typed by people reach replies in whatever encoding their terminal had.
    let text: Cow<'_, str> = String::from_utf8_lossy(body);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    // Release note addresses come with bare ampersands.
    reader.config_mut().allow_dangling_amp = true;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => tree.open(&tag)?,
            Ok(Event::Empty(tag)) => {
                tree.open(&tag)?;
                tree.close()?;
            }
            Ok(Event::End(_)) => tree.close()?,
            Ok(Event::Text(text)) => tree.text(&text.xml10_content())?,
            Ok(Event::CData(text)) => tree.text(&text.xml10_content())?,
            Ok(Event::GeneralRef(reference)) => tree.text(&resolve(&reference)?)?,
            Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_)) => {}
            Ok(Event::Eof) => return tree.finish(),
            Err(error) => return Err(format!("XML that breaks off or is wrong ({error})")),
        }
    }
}

/// Whether this is a document from its first element to the end of the same, without keeping any of it; the error is the
/// byte at which it stops being one.
pub(crate) fn is_whole(body: &[u8]) -> Result<(), u64> {
    let mut reader = Reader::from_reader(body);
    reader.config_mut().allow_dangling_amp = true;
    let (mut depth, mut elements) = (0_usize, 0_usize);
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                elements += usize::from(depth == 0);
                depth += 1;
            }
            // An end that nothing began is an error of the reader's.
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Empty(_)) => elements += usize::from(depth == 0),
            Ok(Event::Eof) if depth == 0 && elements == 1 => return Ok(()),
            Ok(Event::Eof) | Err(_) => return Err(reader.buffer_position()),
            Ok(_) => {}
        }
    }
}

/// The five entities of XML and character references. Any other is kept as it stands: entities that a document
/// declares for itself are never expanded.
pub(crate) fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, String> {
    if let Some(known) = resolve_predefined_entity(reference) {
        return Ok(known.into());
    }
    match reference.resolve_char_ref() {
        Ok(Some(c)) => Ok(c.to_string().into()),
        Ok(None) => Ok(format!("&{};", reference.as_ref()).into()),
        Err(error) => Err(format!("XML that is wrong ({error})")),
    }
}

/// The tree while it grows: a stack of open elements instead of recursion.
#[derive(Default)]
struct Tree<'r> {
    open: Vec<Node>,
    root: Option<Node>,
    nodes: usize,
    rows: Option<Rows<'r>>,
}

/// Elements that are handed on when they are complete, instead of being kept.
struct Rows<'r> {
    path: &'r [&'r str],
    /// Whether to go on.
    each: &'r mut dyn FnMut(&[Node], &Node) -> bool,
    /// How many elements there were before the row that is open.
    nodes_before: usize,
}

impl Rows<'_> {
    fn is_row(&self, around: &[Node], name: &str) -> bool {
        around.len() + 1 == self.path.len()
            && self.path.last() == Some(&name)
            && around
                .iter()
                .zip(self.path)
                .all(|(node, step)| node.name == *step)
    }
}

impl Tree<'_> {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        if self.open.is_empty() && self.root.is_some() {
            return Err("XML with a second root element".into());
        }
        if self.open.len() == DEPTH_MAX {
            return Err(format!("XML nested deeper than {DEPTH_MAX} elements"));
        }
        if let Some(rows) = &mut self.rows
            && rows.is_row(&self.open, tag.name().as_ref())
        {
            rows.nodes_before = self.nodes;
        }
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(format!("XML with more than {NODES_MAX} elements"));
        }
        let mut node = Node {
            name: CompactString::from(tag.name().as_ref()),
            ..Node::default()
        };
        for attribute in tag.attributes() {
            if node.attributes.len() == ATTRIBUTES_MAX {
                return Err(format!(
                    "XML with more than {ATTRIBUTES_MAX} attributes of one element"
                ));
            }
            let attribute = attribute.map_err(|error| format!("XML with a wrong attribute ({error})"))?;
            let raw: &str = attribute.value.as_ref();
            // A wrong reference in an attribute is no reason to lose the reply: the raw value stands for itself.
            let value = quick_xml::escape::unescape(raw).unwrap_or(Cow::Borrowed(raw));
            let key = CompactString::from(attribute.key.as_ref());
            node.attributes.push((key, value.into()));
        }
        self.open.push(node);
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        // The reader has matched the end tag to its start, so there is an open element.
        let Some(node) = self.open.pop() else {
            return Ok(());
        };
        if let Some(rows) = &mut self.rows
            && rows.is_row(&self.open, &node.name)
        {
            self.nodes = rows.nodes_before;
            return match (rows.each)(&self.open, &node) {
                true => Ok(()),
                false => Err("a row that cannot be read".to_owned()),
            };
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last_mut() {
            Some(node) => node.text.push_str(text),
            None if text.trim().is_empty() => {}
            None if self.root.is_some() => return Err("XML with text after its end".into()),
            None => return Err("not XML".into()),
        }
        Ok(())
    }

    fn finish(self) -> Result<Node, String> {
        if let Some(innermost) = self.open.last() {
            return Err(format!(
                "XML that breaks off inside <{}>",
                printable(&innermost.name, 40)
            ));
        }
        self.root.ok_or_else(|| "no XML element".to_owned())
    }
}

#[cfg(test)]
pub(crate) mod tests;
