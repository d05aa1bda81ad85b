//! The journal as text: one JSON object a line, and back. What a damaged journal is restored from.
//!
//! Responsible for a file that is whole or not there, says so itself, and gives back every byte. Must not
//! know what the payloads mean, nor which journal they come from.
//!
//! The first line is `{"journal_export":1}`, the last one `{"end":{"streams":2,"records":7}}`. In between, a
//! record has its payload under `payload` if that is JSON on one line, byte for byte as it was kept, or else
//! under `payload_hex`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::directory::write_atomically;
use super::{
    APPEND_BYTES_LIMIT, APPEND_ENTRIES_LIMIT, Appended, Entry, Fence, Journal, JournalError, Record, Seq,
    StreamId,
};

/// The format of an export. A higher number is refused.
const FORMAT: u32 = 1;

/// What was exported or imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// How many streams.
    pub streams: u64,
    /// How many records, in all of them.
    pub records: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    journal_export: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    end: Extent,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    stream: StreamId,
    seq: Seq,
    fence: Fence,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload_hex: Option<String>,
}

impl From<Record> for Line {
    fn from(record: Record) -> Self {
        let Record {
            stream,
            seq,
            fence,
            at,
            payload,
        } = record;
        let (payload, payload_hex) = match verbatim(&payload) {
            Some(json) => (Some(json), None),
            None => (None, Some(hex(&payload))),
        };
        Self {
            stream,
            seq,
            fence,
            at,
            payload,
            payload_hex,
        }
    }
}

impl Line {
    fn into_entry(self) -> Option<(StreamId, Seq, Entry)> {
        let payload = match (self.payload, self.payload_hex) {
            (Some(json), None) => json.get().as_bytes().to_vec(),
            (None, Some(hex)) => unhex(&hex)?,
            _ => return None,
        };
        Some((self.stream, self.seq, Entry { at: self.at, payload }))
    }
}

/// The payload as JSON that comes back from a line as the same bytes.
fn verbatim(payload: &[u8]) -> Option<Box<RawValue>> {
    let text = std::str::from_utf8(payload).ok()?;
    // A line break can only stand between tokens; there, and around the value, it would not come back.
    if text.contains(['\n', '\r']) || text.trim() != text {
        return None;
    }
    // `null` would come back as an absent field.
    (text != "null")
        .then(|| RawValue::from_string(text.to_owned()).ok())
        .flatten()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from lower-case hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

/// Writes every durable record of `journal` to `path`, replacing what is there only when the whole is
/// durable. Blocks. Streams that grow meanwhile are written as far as they had come when the export began.
///
/// # Errors
/// The journal cannot be read or the file not be written.
pub fn export(journal: &dyn Journal, path: &Path) -> Result<Extent, JournalError> {
    let streams = journal.streams()?;
    let mut extent = Extent {
        streams: streams.len() as u64,
        records: 0,
    };
    let mut unread = None;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let written = write_atomically(path, &PathBuf::from(temporary), |file| {
        write_line(
            file,
            &First {
                journal_export: FORMAT,
            },
        )?;
        for (stream, next) in &streams {
            let records = journal.read(stream, Seq(0)).map_err(|error| {
                unread = Some(error);
                io::Error::other("the journal cannot be read")
            })?;
            for record in records.into_iter().filter(|record| record.seq < *next) {
                write_line(file, &Line::from(record))?;
                extent.records += 1;
            }
        }
        write_line(file, &Last { end: extent })
    });
    match (written, unread) {
        (Ok(()), _) => Ok(extent),
        (Err(_), Some(unread)) => Err(unread),
        (Err(source), None) => Err(JournalError::Export {
            path: path.to_owned(),
            source,
        }),
    }
}

fn write_line(file: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

/// Appends every record of the export in `path` to `journal`, which must hold none of its streams yet. The
/// records keep their streams, positions, times and payloads, and get the journal's own fence.
///
/// The file is read twice: nothing is appended before the whole of it was found to be sound.
///
/// # Errors
/// The file cannot be read, is not a whole export, or the journal does not take a record.
pub async fn import(journal: &dyn Journal, path: &Path) -> Result<Extent, JournalError> {
    let mut checked = Reading::open(path)?;
    while checked.next()?.is_some() {}
    let known = journal.streams()?;
    if let Some((stream, _)) = known
        .iter()
        .find(|(stream, _)| checked.streams.contains_key(stream))
    {
        return Err(checked.refused(format!("the journal already has records of {stream}")));
    }
    let mut reading = Reading::open(path)?;
    let mut batch = Batch::default();
    while let Some((stream, seq, entry)) = reading.next()? {
        if !batch.takes(&stream, &entry) {
            std::mem::take(&mut batch).append(journal, &reading).await?;
        }
        batch.push(stream, seq, entry);
    }
    batch.append(journal, &reading).await?;
    Ok(reading.extent())
}

/// Consecutive records of one stream, as many as one append takes.
#[derive(Default)]
struct Batch {
    start: Option<(StreamId, Seq)>,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Batch {
    fn takes(&self, stream: &StreamId, entry: &Entry) -> bool {
        self.start.as_ref().is_none_or(|(started, _)| started == stream)
            && self.entries.len() < APPEND_ENTRIES_LIMIT
            && self.bytes + entry.payload.len() <= APPEND_BYTES_LIMIT
    }

    fn push(&mut self, stream: StreamId, seq: Seq, entry: Entry) {
        self.start.get_or_insert((stream, seq));
        self.bytes += entry.payload.len();
        self.entries.push(entry);
    }

    async fn append(self, journal: &dyn Journal, reading: &Reading) -> Result<(), JournalError> {
        let Some((stream, seq)) = self.start else {
            return Ok(());
        };
        match journal
            .append(&stream, seq, journal.fence(), self.entries)
            .await?
        {
            Appended::Done { .. } => Ok(()),
            other => Err(reading.refused(format!(
                "the journal did not take record {seq} of {stream}: {other:?}"
            ))),
        }
    }
}

/// An export being read, checked line by line.
struct Reading {
    path: PathBuf,
    lines: io::Lines<BufReader<File>>,
    line: u64,
    streams: std::collections::BTreeMap<StreamId, Seq>,
    records: u64,
}

impl Reading {
    fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(|source| JournalError::Import {
            path: path.to_owned(),
            source,
        })?;
        let lines = BufReader::new(file).lines();
        let mut reading = Self {
            path: path.to_owned(),
            lines,
            line: 0,
            streams: std::collections::BTreeMap::new(),
            records: 0,
        };
        let first = reading.line()?.unwrap_or_default();
        match serde_json::from_str(&first) {
            Ok(First {
                journal_export: FORMAT,
            }) => Ok(reading),
            Ok(First { journal_export }) => Err(reading.refused(format!(
                "it is in format {journal_export}, this hopgate reads {FORMAT}"
            ))),
            Err(_) => Err(reading.refused("it does not begin as an export".into())),
        }
    }

    fn line(&mut self) -> Result<Option<String>, JournalError> {
        self.line += 1;
        self.lines
            .next()
            .transpose()
            .map_err(|source| JournalError::Import {
                path: self.path.clone(),
                source,
            })
    }

    /// The next record; none after a last line that agrees with what was read.
    fn next(&mut self) -> Result<Option<(StreamId, Seq, Entry)>, JournalError> {
        let Some(text) = self.line()? else {
            return Err(self.refused("it ends without its last line".into()));
        };
        if let Ok(Last { end }) = serde_json::from_str(&text) {
            return self.ended(end).map(|()| None);
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| self.refused(error.to_string()))?;
        let Some((stream, seq, entry)) = line.into_entry() else {
            return Err(self.refused("it has no readable payload".into()));
        };
        let next = self.streams.get(&stream).copied().unwrap_or_default();
        if seq != next {
            return Err(self.refused(format!("record {next} of {stream} was expected, {seq} is there")));
        }
        self.streams.insert(stream.clone(), next.plus(1));
        self.records += 1;
        Ok(Some((stream, seq, entry)))
    }

    fn ended(&mut self, end: Extent) -> Result<(), JournalError> {
        let found = self.extent();
        if end != found {
            return Err(self.refused(format!(
                "its last line says {} records in {} streams, it holds {} in {}",
                end.records, end.streams, found.records, found.streams
            )));
        }
        match self.line()? {
            None => Ok(()),
            Some(_) => Err(self.refused("it goes on after its last line".into())),
        }
    }

    fn extent(&self) -> Extent {
        Extent {
            streams: self.streams.len() as u64,
            records: self.records,
        }
    }

    fn refused(&self, found: String) -> JournalError {
        JournalError::ImportContent {
            path: self.path.clone(),
            line: self.line,
            found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::directory::tests::Scratch;
    use crate::journal::memory::MemoryJournal;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn holding(streams: &[(&str, Vec<Vec<u8>>)]) -> MemoryJournal {
        let journal = MemoryJournal::new();
        for (name, payloads) in streams {
            let stream = StreamId::new(name).unwrap();
            for (seq, payload) in (0..).zip(payloads) {
                let at = Timestamp::new(1_700_000_000 + seq as i64, 0).unwrap();
                let entry = vec![Entry {
                    at,
                    payload: payload.clone(),
                }];
                let appended = block_on(journal.append(&stream, Seq(seq), journal.fence(), entry)).unwrap();
                assert_eq!(appended, Appended::Done { next: Seq(seq + 1) });
            }
        }
        journal
    }

    fn all(journal: &MemoryJournal) -> Vec<Record> {
        let streams = journal.streams().unwrap();
        streams
            .iter()
            .flat_map(|(stream, _)| journal.read(stream, Seq(0)).unwrap())
            .collect()
    }

    #[test]
    fn an_export_reads_well() {
        let scratch = Scratch::new("export");
        let path = scratch.path("e.jsonl");
        let payloads = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| text.as_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        let journal = holding(&[
            (
                "device/c/a",
                payloads(&[
                    r#"{"z":1.50,"a":[null,1e2]}"#,
                    "not json",
                    "null",
                    " 1",
                    "[1,\n2]",
                ]),
            ),
            ("pager", vec![vec![0xff, 0x00], Vec::new()]),
        ]);
        assert_eq!(
            export(&journal, &path).unwrap(),
            Extent {
                streams: 2,
                records: 7
            }
        );
        insta::assert_snapshot!(std::fs::read_to_string(&path).unwrap(), @r#"
        {"journal_export":1}
        {"stream":"device/c/a","seq":0,"fence":1,"at":"2023-11-14T22:13:20Z","payload":{"z":1.50,"a":[null,1e2]}}
        {"stream":"device/c/a","seq":1,"fence":1,"at":"2023-11-14T22:13:21Z","payload_hex":"6e6f74206a736f6e"}
        {"stream":"device/c/a","seq":2,"fence":1,"at":"2023-11-14T22:13:22Z","payload_hex":"6e756c6c"}
        {"stream":"device/c/a","seq":3,"fence":1,"at":"2023-11-14T22:13:23Z","payload_hex":"2031"}
        {"stream":"device/c/a","seq":4,"fence":1,"at":"2023-11-14T22:13:24Z","payload_hex":"5b312c0a325d"}
        {"stream":"pager","seq":0,"fence":1,"at":"2023-11-14T22:13:20Z","payload_hex":"ff00"}
        {"stream":"pager","seq":1,"fence":1,"at":"2023-11-14T22:13:21Z","payload_hex":""}
        {"end":{"streams":2,"records":7}}
        "#);
    }

    #[test]
    fn an_export_that_is_not_whole_is_refused() {
        let scratch = Scratch::new("export");
        let path = scratch.path("e.jsonl");
        export(
            &holding(&[
                ("a", vec![b"1".to_vec(), b"2".to_vec()]),
                ("b", vec![b"3".to_vec()]),
            ]),
            &path,
        )
        .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let refused = |lines: &[&str]| {
            std::fs::write(&path, lines.join("\n") + "\n").unwrap();
            let journal = MemoryJournal::new();
            let error = block_on(import(&journal, &path)).unwrap_err();
            assert_eq!(
                journal.streams().unwrap(),
                [],
                "something was imported all the same"
            );
            let shown = error.to_string();
            shown
                .strip_prefix(&format!("refused the export {}: ", path.display()))
                .unwrap()
                .to_owned()
        };
        insta::assert_snapshot!(refused(&lines[..4]), @"line 5: it ends without its last line");
        insta::assert_snapshot!(refused(&[lines[0], lines[1], lines[3], lines[4]]), @"line 4: its last line says 3 records in 2 streams, it holds 2 in 2");
        insta::assert_snapshot!(refused(&[lines[0], lines[2], lines[3], lines[4]]), @"line 2: record 0 of a was expected, 1 is there");
        insta::assert_snapshot!(refused(&lines[1..]), @"line 1: it does not begin as an export");
        insta::assert_snapshot!(refused(&[lines[0], "{}"]), @"line 2: missing field `stream` at line 1 column 2");
        insta::assert_snapshot!(refused(&[&lines[..], &lines[1..2]].concat()), @"line 6: it goes on after its last line");
        insta::assert_snapshot!(refused(&[r#"{"journal_export":2}"#]), @"line 1: it is in format 2, this hopgate reads 1");
    }

    #[test]
    fn an_import_does_not_mix_with_what_is_there() {
        let scratch = Scratch::new("export");
        let path = scratch.path("e.jsonl");
        export(
            &holding(&[("a", vec![b"1".to_vec()]), ("b", vec![b"2".to_vec()])]),
            &path,
        )
        .unwrap();
        let journal = holding(&[("b", vec![b"3".to_vec()])]);
        let error = block_on(import(&journal, &path)).unwrap_err().to_string();
        assert!(error.ends_with("the journal already has records of b"), "{error}");
        assert_eq!(journal.streams().unwrap().len(), 1);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 64, failure_persistence: None, ..Default::default() })]

        /// Every byte comes back, also of payloads that look like JSON and of streams longer than one append
        /// takes.
        #[test]
        fn an_import_gives_back_what_was_exported(
            payloads: Vec<Vec<u8>>,
            texts in proptest::collection::vec("[ \\[\\]{}\",:0-9a-zé\\\\\n\r\t.-]{0,12}", 0..100),
        ) {
            let scratch = Scratch::new("export");
            let path = scratch.path("e.jsonl");
            let texts: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
            let journal = holding(&[("device/c/a", payloads), ("device/c/b", texts)]);
            let extent = export(&journal, &path).unwrap();
            let back = MemoryJournal::new();
            proptest::prop_assert_eq!(block_on(import(&back, &path)).unwrap(), extent);
            proptest::prop_assert_eq!(all(&back), all(&journal));
        }
    }
}
