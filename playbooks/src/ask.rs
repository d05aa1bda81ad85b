//! A playbook's own question: what a device is asked that the facts do not hold, and how its answer is read.
//!
//! Responsible for: turning a command as it is typed into the one that is sent, and refusing every command that does
//! more than read. Must not know: how a question is sent, or the answer's text; that comes back as a value.

use std::fmt;

use hopgate_paths::nearest_names;

/// One question: what is sent, and how the answer is read. Two playbooks with the same question share one call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    question: Question,
    reading: Reading,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// An operational command, as XML.
    Command(String),
    /// A part of the running configuration, by its xpath.
    Configuration(String),
}

/// How an answer is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// As XML: an element is a map of what is in it, or its text; `entry`, `member` and `line` are lists however many
    /// there are; an attribute is `@name`, text beside elements is `#text`.
    Xml,
    /// The grammar of `show system state`: a map of maps and texts.
    State,
    /// Lines of text.
    Lines,
    /// A table of text: a list of maps, a column each. The columns are those named, in order, or the words of the header.
    Table(Vec<String>),
    /// As the area of the facts with this name.
    Area(Parser),
}

/// A reader of facts that a playbook can use for an answer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parser {
    /// `df`, as in `disks`.
    Disks,
    /// Jobs, as in `jobs`.
    Jobs,
    /// `top`, as in `memory`.
    Memory,
    /// The software manager's table, as in `partitions`.
    Partitions,
    /// Processes, as in `processes`.
    Processes,
}

/// Every word that can stand under `read`.
static READINGS: [(&str, Reading); 9] = [
    ("xml", Reading::Xml),
    ("state", Reading::State),
    ("lines", Reading::Lines),
    ("table", Reading::Table(Vec::new())),
    ("disks", Reading::Area(Parser::Disks)),
    ("jobs", Reading::Area(Parser::Jobs)),
    ("memory", Reading::Area(Parser::Memory)),
    ("partitions", Reading::Area(Parser::Partitions)),
    ("processes", Reading::Area(Parser::Processes)),
];

/// The commands that only read, by the words they begin with. Everything else can change a device, or is not known not
/// to, and a playbook is asked of whole estates at any hour.
const READING: &[&[&str]] = &[
    &["show"],
    &["check"],
    // What the software manager, the licences and the update lists hold; their other subcommands change it.
    &["debug", "swm", "status"],
    &["debug", "swm", "list"],
    &["debug", "swm", "history"],
    &["debug", "system", "disk-smart-info"],
    &["request", "license", "info"],
    &["request", "support", "check"],
    &["request", "system", "software", "info"],
    &["request", "content", "upgrade", "info"],
    &["request", "anti-virus", "upgrade", "info"],
];

/// Parts of a path that lead to keys and password hashes.
const SECRET_PATHS: &[&str] = &[
    "mgt-config",
    "private-key",
    "phash",
    "password",
    "pre-shared-key",
    "passphrase",
    "shared-secret",
    "secret",
];

impl Reading {
    /// Every word that names one.
    #[cfg(test)]
    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        READINGS.iter().map(|(word, _)| *word)
    }

    /// A reading by its word.
    ///
    /// # Errors
    /// The nearest word.
    pub(crate) fn by_name(name: &str, columns: Vec<String>) -> Result<Self, String> {
        let found = READINGS.iter().find(|(word, _)| *word == name);
        match found {
            Some((_, Self::Table(_))) => Ok(Self::Table(columns)),
            Some((_, reading)) => Ok(reading.clone()),
            None => Err(nearest_names(name, READINGS.iter().map(|(word, _)| *word), 1).join(", ")),
        }
    }

    fn word(&self) -> String {
        let same = |reading: &Self| match (reading, self) {
            (Self::Table(_), Self::Table(_)) => true,
            (one, other) => one == other,
        };
        let word = READINGS
            .iter()
            .find(|(_, reading)| same(reading))
            .map_or("", |(word, _)| word);
        match self {
            Self::Table(columns) if !columns.is_empty() => format!("{word} of {}", columns.join(", ")),
            _ => word.to_owned(),
        }
    }
}

impl Ask {
    /// What is sent.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// How the answer is read.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The name under which the answer is kept with the facts: what was asked, and how the answer was read.
    pub fn key(&self) -> String {
        format!("{self} as {}", self.reading.word())
    }

    /// A question about the configuration.
    ///
    /// # Errors
    /// What is wrong with the path.
    pub(crate) fn configuration(xpath: &str, reading: Reading) -> Result<Self, String> {
        let xpath = xpath.trim();
        if !xpath.starts_with("/config/") {
            return Err("a configuration path begins with `/config/`".to_owned());
        }
        if let Some(part) = SECRET_PATHS.iter().find(|part| xpath.contains(**part)) {
            return Err(format!(
                "`{part}` in a path leads to secrets, which no report may hold"
            ));
        }
        Ok(Self {
            question: Question::Configuration(xpath.to_owned()),
            reading,
        })
    }

    /// A question by a command: XML, or as it is typed.
    ///
    /// # Errors
    /// What is wrong with the command.
    pub(crate) fn command(command: &[Word], reading: Reading) -> Result<Self, String> {
        let xml = sent(command)?;
        Ok(Self {
            question: Question::Command(xml),
            reading,
        })
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.question {
            Question::Command(xml) => f.write_str(xml),
            Question::Configuration(xpath) => f.write_str(xpath),
        }
    }
}

/// A word of a command as it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// An element.
    Element(String),
    /// The value of the element before it.
    Value(String),
    /// A value that a setting of the playbook gives.
    Setting(String),
}

/// The words of a command: `show session all filter source {address} state "active"`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn words(command: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = command.trim();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => {
                let (value, after) = rest[1..]
                    .split_once(first)
                    .ok_or_else(|| format!("a {first} is never closed"))?;
                (Word::Value(value.to_owned()), after)
            }
            '{' => {
                let (name, after) = rest[1..].split_once('}').ok_or("a `{` is never closed")?;
                (Word::Setting(name.trim().to_owned()), after)
            }
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
                if !word.chars().all(plain) || !word.starts_with(|first: char| first.is_ascii_alphabetic()) {
                    return Err(format!(
                        "`{word}` is no word of a command; a value stands in quotes, and a command can be written as XML"
                    ));
                }
                (Word::Element(word.to_owned()), after)
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    let leading: Vec<&str> = words
        .iter()
        .map_while(|word| match word {
            Word::Element(name) => Some(name.as_str()),
            Word::Value(_) | Word::Setting(_) => None,
        })
        .collect();
    let after_value = words.iter().skip_while(|word| matches!(word, Word::Element(_)));
    let alone = !after_value
        .into_iter()
        .any(|word| matches!(word, Word::Element(_)));
    must_read(&leading, alone)?;
    one_element(&words)?;
    Ok(words)
}

/// A command in XML, held to be one element that reads.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn xml(command: &str) -> Result<Ask, String> {
    let command = command.trim_matches(BLANKS);
    let (leading, alone) = leading_elements(command)?;
    must_read(&leading, alone)?;
    Ok(Ask {
        question: Question::Command(command.to_owned()),
        reading: Reading::Xml,
    })
}

impl Ask {
    /// The same question, its answer read otherwise.
    pub(crate) fn read_as(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }
}

/// What XML takes for blank. Of other blanks and control characters a device sees something else than was looked at.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

fn has_control(text: &str) -> bool {
    text.contains(|letter: char| letter.is_control() && !BLANKS.contains(&letter))
}

/// `alone`: no element stands beside another one, so that nothing follows what the command begins with.
fn must_read(leading: &[&str], alone: bool) -> Result<(), String> {
    let all_of_it_reads = |words: &&[&str]| words.len() == 1;
    if leading.starts_with(&["show", "config"]) {
        return Err(
            "`show config` answers with private keys; name the part that is meant under `config:`".to_owned(),
        );
    }
    let begins = READING.iter().find(|words| leading.starts_with(words));
    if begins.is_some_and(|words| alone || all_of_it_reads(words)) {
        return Ok(());
    }
    let commands: Vec<_> = READING.iter().skip(2).map(|words| words.join(" ")).collect();
    Err(format!(
        "a playbook only reads: a command begins with `show` or `check`, or is one of {}",
        commands.join(", ")
    ))
}

/// A value ends the word before it. One that ends the first word ends the command, and a word after it would be another one:
/// `show 'x' request restart system`.
fn one_element(words: &[Word]) -> Result<(), String> {
    let mut open = 0_usize;
    for (place, word) in words.iter().enumerate() {
        match word {
            Word::Element(name) if open == 0 && place > 0 => {
                return Err(format!("the command is over before `{name}`"));
            }
            Word::Element(_) => open += 1,
            Word::Value(_) | Word::Setting(_) => open = open.saturating_sub(1),
        }
    }
    Ok(())
}

/// The command that typed words stand for: a word is an element inside the one before it, a value is its text and ends
/// it.
fn sent(words: &[Word]) -> Result<String, String> {
    let mut xml = String::new();
    let mut open: Vec<&str> = Vec::new();
    for word in words {
        match word {
            Word::Element(name) => {
                xml.push_str(&format!("<{name}>"));
                open.push(name);
            }
            Word::Value(value) => {
                let element = open.pop().ok_or("a value stands before every word")?;
                if has_control(value) {
                    return Err(format!("a control character is in the value of `{element}`"));
                }
                let value = value
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;");
                xml.push_str(&format!("{value}</{element}>"));
            }
            Word::Setting(name) => return Err(format!("the setting `{name}` has no value")),
        }
    }
    for name in open.iter().rev() {
        xml.push_str(&format!("</{name}>"));
    }
    Ok(xml)
}

/// The names of the elements that a command in XML begins with, one inside the other, and whether there are no others.
///
/// # Errors
/// It is more than one element, or not well-formed. Only what a command needs is read: elements, attributes, text.
fn leading_elements(command: &str) -> Result<(Vec<&str>, bool), String> {
    let wrong = |why: &str| format!("the command is not one element of XML: {why}");
    let (mut open, mut leading, mut closed, mut beside) = (Vec::new(), Vec::new(), false, false);
    if has_control(command) {
        return Err(wrong("a control character is in it"));
    }
    let mut rest = command;
    while let Some(at) = rest.find('<') {
        if open.is_empty() && (closed || !rest[..at].trim_matches(BLANKS).is_empty()) {
            return Err(wrong("there is something beside it"));
        }
        let (tag, after) = rest[at + 1..]
            .split_once('>')
            .ok_or_else(|| wrong("a `<` is never closed"))?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            closed = true;
            if open.pop() != Some(name.trim_end_matches(BLANKS)) {
                return Err(wrong(&format!("`</{name}>` closes nothing")));
            }
            continue;
        }
        let alone = tag.ends_with('/');
        let name = tag_name(tag.strip_suffix('/').unwrap_or(tag))
            .ok_or_else(|| wrong(&format!("`<{tag}>` is no element")))?;
        if closed {
            beside = true;
        } else {
            leading.push(name);
        }
        closed |= alone;
        if !alone {
            open.push(name);
        }
    }
    match (leading.is_empty(), open.last()) {
        (true, _) => Err(wrong("there is none")),
        (_, Some(name)) => Err(wrong(&format!("`<{name}>` is never closed"))),
        (_, None) if !rest.trim_matches(BLANKS).is_empty() => Err(wrong("there is something beside it")),
        (_, None) => Ok((leading, !beside)),
    }
}

/// The name of a start tag, where nothing is in the tag but attributes with their values. Read strictly: a `>` in a quote
/// ends the tag for this reader and not for the device's, which would then see other elements than were looked at.
fn tag_name(tag: &str) -> Option<&str> {
    let (name, mut rest) = leading_name(tag)?;
    let mut seen = Vec::new();
    loop {
        let attribute = rest.trim_start_matches(BLANKS);
        if attribute.is_empty() {
            return Some(name);
        }
        let (key, after) = leading_name(attribute)?;
        if attribute.len() == rest.len() || seen.contains(&key) {
            return None;
        }
        seen.push(key);
        let value = after.trim_start_matches(BLANKS).strip_prefix('=')?;
        let value = value.trim_start_matches(BLANKS);
        let quote = value.chars().next().filter(|quote| "\"'".contains(*quote))?;
        let (value, after) = value[1..].split_once(quote)?;
        if value.contains('<') {
            return None;
        }
        rest = after;
    }
}

/// A name that a text begins with, and what follows.
fn leading_name(text: &str) -> Option<(&str, &str)> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let end = text.find(|letter| !plain(letter)).unwrap_or(text.len());
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins.then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(command: &str) -> Result<String, String> {
        let ask = Ask::command(&words(command)?, Reading::Xml)?;
        Ok(ask.to_string())
    }

    #[test]
    fn typed_commands_become_elements_and_quoted_words_their_text() {
        for (command, expected) in [
            (
                "show system raid detail",
                "<show><system><raid><detail></detail></raid></system></show>",
            ),
            (
                "show session all filter source '10.0.0.1' destination \"a&b\"",
                "<show><session><all><filter><source>10.0.0.1</source><destination>a&amp;b</destination></filter></all></session></show>",
            ),
            (
                "check pending-changes",
                "<check><pending-changes></pending-changes></check>",
            ),
        ] {
            assert_eq!(typed(command).as_deref(), Ok(expected));
            let Question::Command(sent) = xml(expected).unwrap().question else {
                panic!()
            };
            assert_eq!(sent, expected);
        }
    }

    #[test]
    fn only_what_reads_is_asked() {
        let said: Vec<_> = [
            "request restart system",
            "debug swm revert",
            "debug swm status 'now' revert",
            "set system setting",
            "",
            "show 'x",
            "show config running",
            "show arp *",
            "'show' system",
            "show jobs {",
            "show jobs id '1\u{2}'",
            "show 'x' request restart system",
            "show {id} oniid {id}",
        ]
        .into_iter()
        .map(|command| typed(command).unwrap_err())
        .chain(
            [
                "<request><restart><system/></restart></request>",
                "<show><jobs/></show><request><restart/></request>",
                "<show><jobs/></show> now",
                "<show><jobs></show>",
                "<show>",
                "show",
                "<show",
                "<show><config><running/></config></show>",
                "<debug><swm><revert/></swm></debug>",
                "<debug><swm><status/><revert/></swm></debug>",
                "<!-- x --><request/>",
                "<show a>x</show>",
                "< show/>",
                "<show><id\u{c}>1</id></show>",
                "<show><id\u{a0}>1</id></show>",
                "<show><id>1</ id></show>",
                "<show a=\"><x b=\"/><request><restart><system/></restart></request></show>",
            ]
            .into_iter()
            .map(|command| xml(command).unwrap_err()),
        )
        .chain([
            Ask::configuration("/config/mgt-config/users", Reading::Xml).unwrap_err(),
            Ask::configuration("//phash", Reading::Xml).unwrap_err(),
        ])
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        a ' is never closed
        `show config` answers with private keys; name the part that is meant under `config:`
        `*` is no word of a command; a value stands in quotes, and a command can be written as XML
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        a `{` is never closed
        a control character is in the value of `id`
        the command is over before `request`
        the command is over before `oniid`
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        the command is not one element of XML: there is something beside it
        the command is not one element of XML: there is something beside it
        the command is not one element of XML: `</show>` closes nothing
        the command is not one element of XML: `<show>` is never closed
        the command is not one element of XML: there is none
        the command is not one element of XML: a `<` is never closed
        `show config` answers with private keys; name the part that is meant under `config:`
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        a playbook only reads: a command begins with `show` or `check`, or is one of debug swm status, debug swm list, debug swm history, debug system disk-smart-info, request license info, request support check, request system software info, request content upgrade info, request anti-virus upgrade info
        the command is not one element of XML: `<!-- x -->` is no element
        the command is not one element of XML: `<show a>` is no element
        the command is not one element of XML: `< show/>` is no element
        the command is not one element of XML: a control character is in it
        the command is not one element of XML: `<id >` is no element
        the command is not one element of XML: `</ id>` closes nothing
        the command is not one element of XML: `<show a=">` is no element
        `mgt-config` in a path leads to secrets, which no report may hold
        a configuration path begins with `/config/`
        "#);
        assert!(xml("<show><arp><entry name='all'/></arp></show>").is_ok());
        assert!(
            Ask::configuration(
                "/config/devices/entry/deviceconfig/high-availability",
                Reading::Xml
            )
            .is_ok()
        );
    }

    #[test]
    fn a_question_is_kept_under_what_was_asked_and_how_it_was_read() {
        let ask = |read: &str, columns: &[&str]| {
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            let reading = Reading::by_name(read, columns).unwrap();
            Ask::command(&words("show raid").unwrap(), reading).unwrap().key()
        };
        assert_eq!(ask("xml", &[]), "<show><raid></raid></show> as xml");
        assert_eq!(
            ask("table", &["a", "b"]),
            "<show><raid></raid></show> as table of a, b"
        );
        assert_eq!(ask("disks", &[]), "<show><raid></raid></show> as disks");
        assert_eq!(Reading::by_name("xlm", Vec::new()), Err("xml".to_owned()));
    }

    proptest! {
        #[test]
        fn no_command_makes_it_panic_and_none_gets_past(text in "[<>/a-z '\"{}=-]{0,60}") {
            for ask in [typed(&text).ok(), xml(&text).ok().map(|ask| ask.to_string())].into_iter().flatten() {
                let reads = ["<show", "<check"].iter().any(|start| ask.starts_with(start));
                prop_assert!(reads, "{}", ask);
            }
        }
    }
}
