//! Puts a playbook's own question to a device, and reads the answer as the question says.
//! Knows the forms an answer can be read in; must not know what a question is for.

use hopgate_playbooks::{Ask, Parser, Question, Reading};
use serde_json::{Map, Value};

use crate::client::Client;
use crate::error::{CallError, Failure};
use crate::operation::Operation;
use crate::state_dump::{self, NO_MATCHES};
use crate::xml::{Node, printable};
use crate::{disk, health, jobs, load, swm};

/// Elements that are lists however many of them there are: PAN-OS repeats them, and one must not look unlike two.
const REPEATED: [&str; 3] = ["entry", "member", "line"];

/// Elements whose text is a secret or can be turned into one. What a playbook asks ends up in reports.
const SECRETS: [&str; 13] = [
    "private-key",
    "public-key",
    "phash",
    "password",
    "passphrase",
    "secret",
    "shared-secret",
    "pre-shared-key",
    "key",
    "authcode",
    "auth-code",
    "community",
    "snmp-community-string",
];

/// What stands in place of a secret.
const HIDDEN: &str = "(hidden)";

impl Client {
    /// The answer to a playbook's own question, read as the question says. Secrets that it names as such are hidden.
    ///
    /// # Errors
    /// [`CallError`] for [`Operation::Ask`]; also where the answer is not of the form that it is read as.
    pub async fn ask(&self, ask: &Ask) -> Result<Value, CallError> {
        let call = self.prepare(Operation::Ask).await?;
        let form = match ask.question() {
            Question::Command(cmd) => vec![("type", "op"), ("cmd", cmd.as_str())],
            Question::Configuration(xpath) => {
                vec![("type", "config"), ("action", "get"), ("xpath", xpath.as_str())]
            }
        };
        let reply = call.send(&form).await?;
        call.understand(&reply, |result| read(result, ask.reading()))
    }
}

fn read(result: &Node, reading: &Reading) -> Result<Value, Failure> {
    match reading {
        Reading::Xml => Ok(element(result)),
        Reading::State => state(result),
        Reading::Lines => Ok(Value::Array(
            lines(result).into_iter().map(Value::String).collect(),
        )),
        Reading::Table(columns) => table(&lines(result), columns),
        Reading::Area(Parser::Disks) => stored(&disk::disks(result)?),
        Reading::Area(Parser::Jobs) => stored(&jobs::list(result)?),
        Reading::Area(Parser::Memory) => stored(&load::memory(result)?),
        Reading::Area(Parser::Partitions) => stored(&swm::partitions(result)?),
        Reading::Area(Parser::Processes) => stored(&health::processes(result)?),
    }
}

fn stored(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::unreadable(error.to_string()))
}

fn element(node: &Node) -> Value {
    let mut fields = Map::new();
    for (name, value) in node.attributes() {
        fields.insert(format!("@{name}"), Value::String(value.to_owned()));
    }
    for child in &node.children {
        let value = if SECRETS.contains(&child.name.as_str()) && child.children.is_empty() {
            Value::String(HIDDEN.to_owned())
        } else {
            element(child)
        };
        let repeated = REPEATED.contains(&child.name.as_str());
        match fields.get_mut(child.name.as_str()) {
            None if repeated => {
                fields.insert(child.name.to_string(), Value::Array(vec![value]));
            }
            None => {
                fields.insert(child.name.to_string(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    if fields.is_empty() {
        return Value::String(node.text().to_owned());
    }
    if !node.text().is_empty() {
        fields.insert("#text".to_owned(), Value::String(node.text().to_owned()));
    }
    Value::Object(fields)
}

/// A filter that matches nothing gives an empty map.
fn state(result: &Node) -> Result<Value, Failure> {
    let mut fields = Map::new();
    for (key, value) in state_dump::entries(result)? {
        match value {
            state_dump::Value::Text(text) if text == NO_MATCHES => {}
            // One of two values would be lost, and nobody could tell which.
            _ if fields.contains_key(&key) => {
                return Err(state_dump::unreadable(&key, "the field is there twice"));
            }
            value => {
                fields.insert(key, dumped(value));
            }
        }
    }
    Ok(Value::Object(fields))
}

fn dumped(value: state_dump::Value) -> Value {
    match value {
        state_dump::Value::Text(text) => Value::String(text),
        state_dump::Value::Block(block) => Value::Object(
            block
                .into_iter()
                .map(|(key, value)| (key, dumped(value)))
                .collect(),
        ),
    }
}

/// Every line of text that is not empty, of the whole answer.
fn lines(result: &Node) -> Vec<String> {
    let mut texts = Vec::new();
    result.all_text(&mut texts);
    let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim_end);
    lines
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

/// A table as terminals show it. With a header of one word a column, a column begins where its word does; so a cell may
/// hold spaces, and may be empty. With columns that are named, cells are words, and the last column takes the rest.
fn table(lines: &[String], columns: &[String]) -> Result<Value, Failure> {
    let ruled = |line: &&String| line.chars().all(|letter| "-=+ ".contains(letter));
    let mut rows = lines.iter().filter(|line| !ruled(line));
    if !columns.is_empty() {
        let rows = rows.map(|line| {
            let mut rest = line.trim();
            let cells = columns.iter().enumerate().map(|(at, column)| {
                let last = at + 1 == columns.len();
                let (cell, after) = match rest.split_once(char::is_whitespace) {
                    Some((cell, after)) if !last => (cell, after.trim_start()),
                    _ => (rest, ""),
                };
                rest = after;
                (column.clone(), Value::String(cell.to_owned()))
            });
            Value::Object(cells.collect())
        });
        return Ok(Value::Array(rows.collect()));
    }
    let Some(header) = rows.next() else {
        return Ok(Value::Array(Vec::new()));
    };
    let starts = starts(header);
    for (at, (name, _)) in starts.iter().enumerate() {
        if starts[..at].iter().any(|(other, _)| other == name) {
            return Err(Failure::unreadable(format!(
                "two columns of the table are called {}",
                printable(name, 40)
            )));
        }
    }
    let rows = rows.map(|line| {
        let letters: Vec<char> = line.chars().collect();
        let cells = starts.iter().enumerate().map(|(at, (name, start))| {
            let end = starts.get(at + 1).map_or(letters.len(), |(_, next)| *next);
            let cell = letters.get((*start).min(letters.len())..end.min(letters.len()));
            let cell: String = cell.unwrap_or_default().iter().collect();
            // A cell that runs into the next column cannot be told from two, and what stands before the first column
            // belongs to none: nothing is guessed from either.
            let before = letters.get(..*start).unwrap_or(&letters);
            if at == 0 && before.iter().any(|letter| !letter.is_whitespace()) {
                return Err(Failure::unreadable(format!(
                    "something stands before column {} of the table",
                    printable(name, 40)
                )));
            }
            let runs_on = *start > 0
                && letters
                    .get(*start - 1)
                    .is_some_and(|before| !before.is_whitespace())
                && !cell.trim().is_empty();
            if runs_on {
                return Err(Failure::unreadable(format!(
                    "a cell of the table runs into column {}",
                    printable(name, 40)
                )));
            }
            Ok((name.clone(), Value::String(cell.trim().to_owned())))
        });
        cells.collect::<Result<Map<_, _>, _>>().map(Value::Object)
    });
    rows.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// The words of a header and where they begin, in characters.
fn starts(header: &str) -> Vec<(String, usize)> {
    let mut starts: Vec<(String, usize)> = Vec::new();
    let mut inside = false;
    for (at, letter) in header.chars().enumerate() {
        match (letter.is_whitespace(), starts.last_mut()) {
            (true, _) => inside = false,
            (false, Some((word, _))) if inside => word.push(letter),
            (false, _) => {
                inside = true;
                starts.push((letter.to_string(), at));
            }
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::xml::parse;

    fn read_as(xml: &str, reading: &Reading) -> Result<Value, Failure> {
        read(&parse(xml.as_bytes()).unwrap(), reading)
    }

    #[test]
    fn xml_is_read_as_it_is_and_one_entry_is_a_list_too() {
        let read = |xml| read_as(xml, &Reading::Xml).unwrap();
        assert_eq!(
            read("<result><a>1</a><b x='y'>t<c/></b><d>1</d><d>2</d><list><entry name='n'/></list></result>"),
            json!({
                "a": "1",
                "b": {"@x": "y", "#text": "t", "c": ""},
                "d": ["1", "2"],
                "list": {"entry": [{"@name": "n"}]},
            })
        );
        assert_eq!(read("<result> text </result>"), json!("text"));
        assert_eq!(read("<result/>"), json!(""));
    }

    #[test]
    fn secrets_are_hidden() {
        let read = read_as(
            "<result><users><entry name='a'><phash>$1$x</phash></entry></users><password>p</password></result>",
            &Reading::Xml,
        );
        assert_eq!(
            read.unwrap(),
            json!({"users": {"entry": [{"@name": "a", "phash": "(hidden)"}]}, "password": "(hidden)"})
        );
    }

    #[test]
    fn text_is_read_as_lines_tables_and_state() {
        let text = "<result><![CDATA[\nName   State      Since\n-----  ---------  -----\nae1    up         5 m\nae2               6 m\n]]></result>";
        assert_eq!(
            read_as(text, &Reading::Lines).unwrap().as_array().unwrap().len(),
            4
        );
        assert_eq!(
            read_as(text, &Reading::Table(Vec::new())).unwrap(),
            json!([
                {"Name": "ae1", "State": "up", "Since": "5 m"},
                {"Name": "ae2", "State": "", "Since": "6 m"},
            ])
        );
        let columns = ["name", "rest"].map(str::to_owned).to_vec();
        assert_eq!(
            read_as("<result>ae1 up 5 m</result>", &Reading::Table(columns)).unwrap(),
            json!([{"name": "ae1", "rest": "up 5 m"}])
        );
        let overlong = "<result>Name State\nethernet1 up</result>";
        assert!(read_as(overlong, &Reading::Table(Vec::new())).is_err());
        assert_eq!(
            read_as(
                "<result>a.b: { 'c': 1, 'd': { 'e': x y, }, }\n</result>",
                &Reading::State
            )
            .unwrap(),
            json!({"a.b": {"c": "1", "d": {"e": "x y"}}})
        );
        assert_eq!(
            read_as("<result>'a.*': NO_MATCHES</result>", &Reading::State).unwrap(),
            json!({})
        );
    }

    #[test]
    fn what_would_lose_a_part_of_the_answer_is_not_read() {
        let twice = "<result>a.b: 1\na.b: 2</result>";
        assert!(read_as(twice, &Reading::State).is_err());
        let headed = |text: &str| {
            read_as(
                &format!("<result><a/>{text}</result>"),
                &Reading::Table(Vec::new()),
            )
        };
        let said = ["Name Name\nae1  up", "---\n   Name State\nae1"]
            .map(|text| headed(text).unwrap_err().to_string());
        insta::assert_snapshot!(said.join("\n"), @r"
        the reply cannot be understood: two columns of the table are called Name
        the reply cannot be understood: something stands before column Name of the table
        ");
    }

    #[test]
    fn a_named_reader_reads_as_the_facts_are_read() {
        let df = "<result><![CDATA[Filesystem Size Used Avail Use% Mounted on\n/dev/md6 23G 2.2G 20G 10% /opt/panrepo\n]]></result>";
        let disks = read_as(df, &Reading::Area(Parser::Disks)).unwrap();
        assert_eq!(disks[0]["mount"], "/opt/panrepo");
        let none = read_as("<result>nothing</result>", &Reading::Area(Parser::Memory));
        assert!(none.is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reading_panic(text in "[a-z0-9 \\n{}:',=-]{0,80}") {
            let node = parse(format!("<result><![CDATA[{text}]]></result>").as_bytes()).unwrap();
            let area = [Parser::Disks, Parser::Jobs, Parser::Memory, Parser::Partitions, Parser::Processes];
            let readings = [Reading::Xml, Reading::State, Reading::Lines, Reading::Table(Vec::new())];
            for reading in readings.into_iter().chain(area.map(Reading::Area)) {
                let _ = read(&node, &reading);
            }
        }
    }
}
