//! What makes a loss visible: how a record is sealed and chained, what the anchor says, and the audit that
//! compares.
//!
//! A pure codec: bytes in, verdicts out. Must not know files, engines or tasks.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Entry, Fence, JournalError, PAYLOAD_LIMIT, Record, Seq, StreamId};

/// The format of records and anchors. A higher number in a file is refused, never guessed at.
pub(crate) const FORMAT: u16 = 1;

/// What a sealed record has besides its payload: format 1, fence 8, commit 8, seconds 8, nanoseconds 4, hash
/// of the record before 32, checksum 4.
const ENVELOPE: usize = 65;

/// The bound behind [`PAYLOAD_LIMIT`].
const VALUE_LIMIT: usize = 4_096;
const _: () = assert!(PAYLOAD_LIMIT + ENVELOPE <= VALUE_LIMIT);

/// The key of the summary that is rewritten with every commit. Sorts before every record.
pub(crate) const SUMMARY_KEY: &[u8] = b"h";

/// The first byte of a record's key.
const RECORD_TAG: u8 = b'r';

/// The chain hash of a record; all zeros stands before the first one of a stream.
pub(crate) type Link = [u8; 32];

/// What is wrong with some bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("it is in format {0}")]
    Newer(u16),
    #[error("it has {found} bytes, {least} or more were expected")]
    Short { found: usize, least: usize },
    #[error("its checksum does not match")]
    Checksum,
    #[error("it has no mark of an anchor")]
    Mark,
    #[error("its time is out of range")]
    Time,
}

/// Which journal this is: drawn at random when it is created, so that files of two journals are never mixed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreId(pub(crate) [u8; 16]);

impl StoreId {
    /// A new one. The standard library seeds its hash maps from the system's random source; nothing here
    /// needs more.
    pub(crate) fn random() -> Self {
        let mut id = [0; 16];
        for half in id.chunks_exact_mut(8) {
            half.copy_from_slice(&RandomState::new().hash_one(std::process::id()).to_be_bytes());
        }
        Self(id)
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Everything a journal is, in 64 bytes: kept with the records in every commit, and after it in the anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) store: StoreId,
    /// How many commits there were. Every open and every batch is one.
    pub(crate) commit: u64,
    /// How many records there are, in all streams.
    pub(crate) records: u64,
    /// The boot counter.
    pub(crate) fence: Fence,
    /// The sum of the first half of every record's chain hash. A sum can be kept up to date by each commit
    /// and recomputed by a scan in any order, and each term stands for a whole chain up to its record.
    pub(crate) digest: u128,
}

/// The length of an encoded summary.
pub(crate) const SUMMARY_LENGTH: usize = 64;

impl Summary {
    /// A journal without records.
    pub(crate) fn empty(store: StoreId) -> Self {
        Self {
            store,
            commit: 0,
            records: 0,
            fence: Fence(0),
            digest: 0,
        }
    }

    /// Mark 2, format 2, checksum 4, store 16, commit 8, records 8, fence 8, digest 16; numbers big-endian.
    pub(crate) fn encode(&self) -> [u8; SUMMARY_LENGTH] {
        let mut bytes = [0; SUMMARY_LENGTH];
        bytes[0..2].copy_from_slice(b"hg");
        bytes[2..4].copy_from_slice(&FORMAT.to_be_bytes());
        bytes[8..24].copy_from_slice(&self.store.0);
        bytes[24..32].copy_from_slice(&self.commit.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.records.to_be_bytes());
        bytes[40..48].copy_from_slice(&self.fence.0.to_be_bytes());
        bytes[48..64].copy_from_slice(&self.digest.to_be_bytes());
        let checksum = crc32fast::hash(&bytes[8..]) ^ u32::from(FORMAT);
        bytes[4..8].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let mut from = Reader(bytes);
        let short = || Flaw::Short {
            found: bytes.len(),
            least: SUMMARY_LENGTH,
        };
        let mark: [u8; 2] = from.take().ok_or_else(short)?;
        let format = u16::from_be_bytes(from.take().ok_or_else(short)?);
        let checksum = u32::from_be_bytes(from.take().ok_or_else(short)?);
        if mark != *b"hg" {
            return Err(Flaw::Mark);
        }
        // The mark and the format keep their place in every format, the checksum covers the rest of this one:
        // a flipped bit in the format must not read as "newer", so it is folded in.
        if bytes.len() >= SUMMARY_LENGTH
            && crc32fast::hash(&bytes[8..SUMMARY_LENGTH]) ^ u32::from(format) != checksum
        {
            return Err(Flaw::Checksum);
        }
        if format != FORMAT {
            return Err(Flaw::Newer(format));
        }
        Ok(Self {
            store: StoreId(from.take().ok_or_else(short)?),
            commit: u64::from_be_bytes(from.take().ok_or_else(short)?),
            records: u64::from_be_bytes(from.take().ok_or_else(short)?),
            fence: Fence(u64::from_be_bytes(from.take().ok_or_else(short)?)),
            digest: u128::from_be_bytes(from.take().ok_or_else(short)?),
        })
    }

    /// The summary after one more record.
    pub(crate) fn count(&mut self, link: &Link) {
        self.records += 1;
        self.digest = self.digest.wrapping_add(half(link));
    }
}

fn half(link: &Link) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&link[..16]);
    u128::from_be_bytes(bytes)
}

/// Takes fixed pieces off the front of a slice.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (piece, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*piece)
    }
}

/// The end of a stream's chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) next: Seq,
    pub(crate) link: Link,
}

/// The key of a record. Names hold no NUL, so streams sort by name and records by position.
pub(crate) fn key(stream: &StreamId, seq: Seq) -> Vec<u8> {
    let name = stream.as_str().as_bytes();
    let mut key = Vec::with_capacity(name.len() + 10);
    key.push(RECORD_TAG);
    key.extend_from_slice(name);
    key.push(0);
    key.extend_from_slice(&seq.0.to_be_bytes());
    key
}

/// The name and the position in a record's key.
fn split_key(key: &[u8]) -> Option<(&str, Seq)> {
    let (front, seq) = key.split_last_chunk::<8>()?;
    let (tag, name) = front.strip_suffix(&[0])?.split_first()?;
    (*tag == RECORD_TAG).then_some(())?;
    Some((std::str::from_utf8(name).ok()?, Seq(u64::from_be_bytes(*seq))))
}

/// Seals `entry` as the next record after `tip` and moves the tip on.
pub(crate) fn seal(key: &[u8], commit: u64, fence: Fence, entry: &Entry, tip: &mut Tip) -> Vec<u8> {
    let mut value = Vec::with_capacity(ENVELOPE + entry.payload.len());
    value.push(FORMAT as u8);
    value.extend_from_slice(&fence.0.to_be_bytes());
    value.extend_from_slice(&commit.to_be_bytes());
    value.extend_from_slice(&entry.at.as_second().to_be_bytes());
    value.extend_from_slice(&entry.at.subsec_nanosecond().to_be_bytes());
    value.extend_from_slice(&tip.link);
    value.extend_from_slice(&entry.payload);
    *tip = Tip {
        next: tip.next.plus(1),
        link: link(key, &value),
    };
    let checksum = checksum(key, &value);
    value.extend_from_slice(&checksum.to_be_bytes());
    value
}

fn link(key: &[u8], body: &[u8]) -> Link {
    Sha256::new()
        .chain_update(key)
        .chain_update(body)
        .finalize()
        .into()
}

fn checksum(key: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(body);
    hasher.finalize()
}

/// A stored record, checked by itself but not yet against its neighbours.
pub(crate) struct Sealed<'a> {
    commit: u64,
    fence: Fence,
    second: i64,
    nanosecond: i32,
    before: Link,
    payload: &'a [u8],
    body: &'a [u8],
}

impl<'a> Sealed<'a> {
    pub(crate) fn open(key: &[u8], value: &'a [u8]) -> Result<Self, Flaw> {
        let short = || Flaw::Short {
            found: value.len(),
            least: ENVELOPE,
        };
        let (body, stored) = value.split_last_chunk::<4>().ok_or_else(short)?;
        if checksum(key, body) != u32::from_be_bytes(*stored) {
            return Err(Flaw::Checksum);
        }
        let mut from = Reader(body);
        let [format] = from.take().ok_or_else(short)?;
        if u16::from(format) != FORMAT {
            return Err(Flaw::Newer(format.into()));
        }
        Ok(Self {
            fence: Fence(u64::from_be_bytes(from.take().ok_or_else(short)?)),
            commit: u64::from_be_bytes(from.take().ok_or_else(short)?),
            second: i64::from_be_bytes(from.take().ok_or_else(short)?),
            nanosecond: i32::from_be_bytes(from.take().ok_or_else(short)?),
            before: from.take().ok_or_else(short)?,
            payload: from.0,
            body,
        })
    }

    pub(crate) fn record(&self, stream: &StreamId, seq: Seq) -> Result<Record, Flaw> {
        Ok(Record {
            stream: stream.clone(),
            seq,
            fence: self.fence,
            at: Timestamp::new(self.second, self.nanosecond).map_err(|_| Flaw::Time)?,
            payload: self.payload.to_vec(),
        })
    }
}

/// Looks at everything a store holds, in the order of keys, and says whether it is what the anchor vouches
/// for.
pub(crate) struct Audit<'p> {
    path: &'p Path,
    anchor: Summary,
    /// What the records say, counted up to the anchor's commit and in all.
    anchored: Summary,
    all: Summary,
    summary: Option<Summary>,
    current: Option<StreamId>,
    tip: Tip,
    tips: BTreeMap<StreamId, Tip>,
}

/// A store that passed.
pub(crate) struct Audited {
    pub(crate) summary: Summary,
    pub(crate) tips: BTreeMap<StreamId, Tip>,
}

impl<'p> Audit<'p> {
    pub(crate) fn new(path: &'p Path, anchor: Summary) -> Self {
        let none = Summary {
            records: 0,
            digest: 0,
            ..anchor
        };
        Self {
            path,
            anchor,
            anchored: none,
            all: none,
            summary: None,
            current: None,
            tip: Tip::default(),
            tips: BTreeMap::new(),
        }
    }

    /// The next key and value.
    pub(crate) fn look(&mut self, key: &[u8], value: &[u8]) -> Result<(), JournalError> {
        if key == SUMMARY_KEY {
            let summary = Summary::decode(value).map_err(|flaw| self.flawed_summary(&flaw))?;
            self.summary = Some(summary);
            return Ok(());
        }
        let Some((name, seq)) = split_key(key) else {
            return Err(self.unexpected(key));
        };
        if self.current.as_ref().is_none_or(|stream| stream.as_str() != name) {
            let stream = StreamId::new(name).map_err(|_| self.unexpected(key))?;
            self.next_stream(Some(stream));
        }
        let sealed = Sealed::open(key, value).map_err(|flaw| self.flawed_record(seq, &flaw))?;
        if seq != self.tip.next {
            return Err(self.refused_record(
                self.tip.next,
                format!("it is missing, the next one there is {seq}"),
            ));
        }
        if sealed.before != self.tip.link {
            return Err(self.refused_record(seq, "it does not follow the record before it".into()));
        }
        let link = link(key, sealed.body);
        self.tip = Tip {
            next: seq.plus(1),
            link,
        };
        self.all.count(&link);
        self.all.commit = self.all.commit.max(sealed.commit);
        if sealed.commit <= self.anchor.commit {
            self.anchored.count(&link);
        }
        Ok(())
    }

    fn next_stream(&mut self, stream: Option<StreamId>) {
        if let Some(done) = std::mem::replace(&mut self.current, stream) {
            self.tips.insert(done, std::mem::take(&mut self.tip));
        }
    }

    /// The verdict.
    ///
    /// The store may be ahead of the anchor by one commit (a crash between the two), never behind it and
    /// never by more; what the anchor vouches for must be there to the last bit, and what is beyond it must
    /// be what the summary, written atomically with it, says. `torn` tells that one slot of the anchor is
    /// unreadable, which only a crash in the writing of a newer one explains: then the store must be ahead.
    pub(crate) fn finish(mut self, torn: bool) -> Result<Audited, JournalError> {
        self.next_stream(None);
        let path = || self.path.to_owned();
        let anchor = self.anchor;
        let Some(summary) = self.summary else {
            return Err(JournalError::Count {
                path: path(),
                expected: anchor.records,
                found: self.all.records,
            });
        };
        if summary.store != anchor.store {
            let (anchor, store) = (anchor.store.to_string(), summary.store.to_string());
            return Err(JournalError::Foreign {
                path: path(),
                anchor,
                store,
            });
        }
        if self.anchored.records != anchor.records {
            return Err(JournalError::Count {
                path: path(),
                expected: anchor.records,
                found: self.all.records,
            });
        }
        let ahead = summary.commit.checked_sub(anchor.commit);
        if !matches!(ahead, Some(0 | 1)) || self.all.commit > summary.commit {
            let store = summary.commit.max(self.all.commit);
            return Err(JournalError::Stale {
                path: path(),
                anchor: anchor.commit,
                store,
            });
        }
        if self.all.records != summary.records {
            return Err(JournalError::Count {
                path: path(),
                expected: summary.records,
                found: self.all.records,
            });
        }
        if self.anchored.digest != anchor.digest || self.all.digest != summary.digest {
            return Err(JournalError::Content {
                path: path(),
                records: self.all.records,
            });
        }
        if torn && ahead == Some(0) {
            let found = "one of its two slots is unreadable, and no crash explains it".to_owned();
            return Err(JournalError::Anchor { path: path(), found });
        }
        Ok(Audited {
            summary,
            tips: self.tips,
        })
    }

    fn flawed_summary(&self, flaw: &Flaw) -> JournalError {
        match flaw {
            Flaw::Newer(found) => self.newer(*found),
            flaw => JournalError::Unexpected {
                path: self.path.to_owned(),
                found: format!("its summary: {flaw}"),
            },
        }
    }

    fn flawed_record(&self, seq: Seq, flaw: &Flaw) -> JournalError {
        match flaw {
            Flaw::Newer(found) => self.newer(*found),
            flaw => self.refused_record(seq, flaw.to_string()),
        }
    }

    fn newer(&self, found: u16) -> JournalError {
        JournalError::Newer {
            path: self.path.to_owned(),
            found,
            supported: FORMAT,
        }
    }

    fn refused_record(&self, seq: Seq, found: String) -> JournalError {
        let path = self.path.to_owned();
        match self.current.clone() {
            Some(stream) => JournalError::Record {
                path,
                stream,
                seq,
                found,
            },
            None => JournalError::Unexpected { path, found },
        }
    }

    fn unexpected(&self, key: &[u8]) -> JournalError {
        let path: PathBuf = self.path.to_owned();
        JournalError::Unexpected {
            path,
            found: format!("it holds the key {:?}", String::from_utf8_lossy(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: StoreId = StoreId([7; 16]);

    fn stream(name: &str) -> StreamId {
        StreamId::new(name).unwrap()
    }

    fn entry(text: &str) -> Entry {
        Entry {
            at: Timestamp::new(1_700_000_000, 5).unwrap(),
            payload: text.into(),
        }
    }

    /// A store as keys and values, with its summary after each commit.
    #[derive(Clone)]
    struct Store {
        held: BTreeMap<Vec<u8>, Vec<u8>>,
        summaries: Vec<Summary>,
        tips: BTreeMap<StreamId, Tip>,
    }

    impl Store {
        fn new() -> Self {
            let first = Summary::empty(STORE);
            let held = BTreeMap::from([(SUMMARY_KEY.to_vec(), first.encode().to_vec())]);
            Self {
                held,
                summaries: vec![first],
                tips: BTreeMap::new(),
            }
        }

        fn last(&self) -> Summary {
            *self.summaries.last().unwrap()
        }

        fn commit(&mut self, name: &str, texts: &[&str]) {
            let mut summary = Summary {
                commit: self.last().commit + 1,
                ..self.last()
            };
            let tip = self.tips.entry(stream(name)).or_default();
            for text in texts {
                let key = key(&stream(name), tip.next);
                let value = seal(&key, summary.commit, Fence(1), &entry(text), tip);
                summary.count(&tip.link);
                self.held.insert(key, value);
            }
            self.held.insert(SUMMARY_KEY.to_vec(), summary.encode().to_vec());
            self.summaries.push(summary);
        }

        fn audit(&self, anchor: Summary, torn: bool) -> Result<Audited, JournalError> {
            let mut audit = Audit::new(Path::new("j"), anchor);
            for (key, value) in &self.held {
                audit.look(key, value)?;
            }
            audit.finish(torn)
        }

        fn refusal(&self) -> String {
            match self.audit(self.last(), false) {
                Ok(_) => panic!("it passed"),
                Err(error) => format!("{} {error}", error.code()),
            }
        }
    }

    fn grown() -> Store {
        let mut store = Store::new();
        store.commit("device/c/a", &["1", "2"]);
        store.commit("device/c/b", &["3"]);
        store.commit("device/c/a", &["4"]);
        store
    }

    #[test]
    fn a_sound_store_passes() {
        let store = grown();
        let Ok(audited) = store.audit(store.last(), false) else {
            panic!()
        };
        assert_eq!(audited.summary, store.last());
        assert_eq!(audited.tips, store.tips);
        assert_eq!(audited.summary.records, 4);
    }

    #[test]
    fn a_store_may_be_one_commit_ahead_and_no_more() {
        let store = grown();
        let code = |anchor: Summary, torn| {
            store
                .audit(anchor, torn)
                .map(|_| "")
                .map_err(|error| error.code())
        };
        assert_eq!(code(store.summaries[3], false), Ok(""));
        assert_eq!(code(store.summaries[2], false), Ok(""));
        assert_eq!(code(store.summaries[2], true), Ok(""));
        assert_eq!(code(store.summaries[3], true).unwrap_err(), "J013");
        assert_eq!(code(store.summaries[1], false).unwrap_err(), "J012");
        let later = Summary {
            commit: 4,
            ..store.last()
        };
        assert_eq!(code(later, false).unwrap_err(), "J012");
        let foreign = Summary {
            store: StoreId([8; 16]),
            ..store.last()
        };
        assert_eq!(code(foreign, false).unwrap_err(), "J011");
    }

    /// Takes away, replaces and adds single things: nothing of it passes.
    #[test]
    fn every_single_loss_is_found() {
        let sound = grown();
        for name in sound.held.keys() {
            let mut store = sound.clone();
            store.held.remove(name);
            assert!(store.audit(sound.last(), false).is_err(), "without {name:?}");
            for byte in 0..sound.held[name].len() {
                let mut store = sound.clone();
                store.held.get_mut(name).unwrap()[byte] ^= 0x10;
                assert!(
                    store.audit(sound.last(), false).is_err(),
                    "byte {byte} of {name:?}"
                );
            }
        }
        let mut store = sound.clone();
        store.held.remove(&key(&stream("device/c/a"), Seq(1)));
        insta::assert_snapshot!(
            store.refusal(),
            @"J009 refused record 1 of device/c/a in j: it is missing, the next one there is 2"
        );
        let mut store = sound.clone();
        store.held.remove(&key(&stream("device/c/b"), Seq(0)));
        insta::assert_snapshot!(store.refusal(), @"J007 refused the journal in j: it should hold 4 records and holds 3");
        let mut store = sound.clone();
        store.held.insert(b"z".to_vec(), Vec::new());
        insta::assert_snapshot!(store.refusal(), @r#"J010 refused the journal in j: it holds the key "z""#);
    }

    /// A record rewritten with a right checksum and chain is still not the one that was acknowledged.
    #[test]
    fn a_forged_record_is_found() {
        let mut store = grown();
        let name = key(&stream("device/c/b"), Seq(0));
        let forged = seal(&name, 2, Fence(1), &entry("x"), &mut Tip::default());
        store.held.insert(name, forged);
        insta::assert_snapshot!(
            store.refusal(),
            @"J008 refused the journal in j: its 4 records are not the ones that were acknowledged"
        );
        let mut store = grown();
        let name = key(&stream("device/c/a"), Seq(1));
        let forged = seal(
            &name,
            1,
            Fence(1),
            &entry("x"),
            &mut Tip {
                next: Seq(1),
                link: [1; 32],
            },
        );
        store.held.insert(name, forged);
        insta::assert_snapshot!(
            store.refusal(),
            @"J009 refused record 1 of device/c/a in j: it does not follow the record before it"
        );
    }

    #[test]
    fn a_newer_record_is_refused_as_such() {
        let mut store = grown();
        let name = key(&stream("device/c/b"), Seq(0));
        let value = store.held.get_mut(&name).unwrap();
        value[0] = 2;
        let body = value.len() - 4;
        let checksum = checksum(&name, &value[..body]).to_be_bytes();
        value[body..].copy_from_slice(&checksum);
        insta::assert_snapshot!(
            store.refusal(),
            @"J014 refused the journal in j: written by a newer hopgate, in format 2 (this one reads up to 1)"
        );
    }

    /// A change of either of these shapes is a change of the format: then [`FORMAT`] has to grow.
    #[test]
    fn the_format_stays_as_it_is() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let summary = Summary {
            store: STORE,
            commit: 2,
            records: 3,
            fence: Fence(4),
            digest: 5,
        };
        insta::assert_snapshot!(hex(&summary.encode()), @"686700018d0dcf080707070707070707070707070707070700000000000000020000000000000003000000000000000400000000000000000000000000000005");
        let key = key(&stream("pager"), Seq(0));
        insta::assert_snapshot!(hex(&key), @"727061676572000000000000000000");
        let value = seal(&key, 2, Fence(4), &entry("hello"), &mut Tip::default());
        insta::assert_snapshot!(hex(&value), @"0100000000000000040000000000000002000000006553f10000000005000000000000000000000000000000000000000000000000000000000000000068656c6c6f8a44ba21");
    }

    proptest::proptest! {
        #[test]
        fn decoders_take_any_bytes(bytes: Vec<u8>) {
            let _ = Summary::decode(&bytes);
            let _ = Sealed::open(b"r", &bytes).map(|sealed| sealed.record(&stream("a"), Seq(0)));
            let _ = split_key(&bytes);
        }

        #[test]
        fn records_come_back(
            payload: Vec<u8>,
            second in -1_000_000_000_i64..1_000_000_000,
            nanosecond in 0..1_000_000_000,
        ) {
            let entry = Entry { at: Timestamp::new(second, nanosecond).unwrap(), payload };
            let (stream, seq) = (stream("device/c/a"), Seq(3));
            let key = key(&stream, seq);
            proptest::prop_assert_eq!(split_key(&key), Some(("device/c/a", seq)));
            let value = seal(&key, 9, Fence(2), &entry, &mut Tip { next: seq, link: [3; 32] });
            let record = Sealed::open(&key, &value).unwrap().record(&stream, seq).unwrap();
            let back = Entry { at: record.at, payload: record.payload };
            proptest::prop_assert_eq!((back, record.fence), (entry, Fence(2)));
        }
    }
}
