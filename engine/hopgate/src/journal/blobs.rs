//! What is too large for the journal: files named by the hash of their content.
//!
//! Responsible for durable writes and for refusing content that is not what its name says. Must not know what
//! the content means, nor the journal that holds the names.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::JournalError;
use super::directory::{make_durable_dir, sync_dir, write_atomically};

/// The subdirectory. Not `blobs`: that name is taken where the directory is also a journal's, by sled, which
/// looks through it and removes files at every open (sled 0.34.7, `blob_io.rs:101`).
const DIRECTORY: &str = "content";

/// Sets temporary names apart within the process; the process id does so between processes.
static NEXT_TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// The SHA-256 of a blob, and its name: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobId([u8; 32]);

impl BlobId {
    /// The name `content` has.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not the name of a blob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a blob: 64 of 0-9 a-f were expected")]
pub struct InvalidBlobId(String);

impl FromStr for BlobId {
    type Err = InvalidBlobId;

    fn from_str(text: &str) -> Result<Self, InvalidBlobId> {
        let mut bytes = [0; 32];
        match super::export::unhex(text) {
            Some(decoded) if decoded.len() == bytes.len() => bytes.copy_from_slice(&decoded),
            _ => return Err(InvalidBlobId(text.to_owned())),
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for BlobId {
    type Error = InvalidBlobId;

    fn try_from(text: String) -> Result<Self, InvalidBlobId> {
        text.parse()
    }
}

impl From<BlobId> for String {
    fn from(id: BlobId) -> Self {
        id.to_string()
    }
}

/// A directory of blobs. Any number of processes may use it at once.
#[derive(Clone, Debug)]
pub struct Blobs {
    path: PathBuf,
}

impl Blobs {
    /// The blobs in `<dir>/content`, which is made if need be.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join(DIRECTORY);
        make_durable_dir(&path).map_err(|source| JournalError::BlobWrite {
            path: path.clone(),
            source,
        })?;
        Ok(Self { path })
    }

    /// Keeps `content`; on return it survives power loss. Blocks. Keeping the same content again costs a
    /// check of what is there, and mends it if it was damaged.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&self, content: &[u8]) -> Result<BlobId, JournalError> {
        let id = BlobId::of(content);
        let path = self.path_of(id);
        let failed = |source| JournalError::BlobWrite {
            path: path.clone(),
            source,
        };
        if fs::read(&path).is_ok_and(|there| there == content) {
            // Whoever wrote it may have died before syncing the name, or still be about to.
            fs::File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(failed)?;
            sync_dir(&self.path).map_err(failed)?;
            return Ok(id);
        }
        let number = NEXT_TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let temporary = self
            .path
            .join(format!("{id}.{}-{number}.new", std::process::id()));
        write_atomically(&path, &temporary, |file| file.write_all(content)).map_err(failed)?;
        Ok(id)
    }

    /// The content of `id`. Blocks.
    ///
    /// # Errors
    /// It is not there, cannot be read, or its hash is another one.
    pub fn get(&self, id: BlobId) -> Result<Vec<u8>, JournalError> {
        let path = self.path_of(id);
        let content = fs::read(&path).map_err(|source| JournalError::BlobRead {
            path: path.clone(),
            source,
        })?;
        let found = BlobId::of(&content);
        if found != id {
            return Err(JournalError::BlobContent {
                path,
                found: found.to_string(),
            });
        }
        Ok(content)
    }

    /// Whether there is a file of this name. It is not looked into.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn contains(&self, id: BlobId) -> Result<bool, JournalError> {
        let path = self.path_of(id);
        let exists: io::Result<bool> = path.try_exists();
        exists.map_err(|source| JournalError::BlobRead { path, source })
    }

    /// Where the content of `id` is, or would be.
    #[must_use]
    pub fn path_of(&self, id: BlobId) -> PathBuf {
        self.path.join(id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::directory::tests::Scratch;

    #[test]
    fn content_comes_back_under_its_hash() {
        let scratch = Scratch::new("blobs");
        let blobs = Blobs::open(&scratch.path("a/b")).unwrap();
        let id = blobs.put(b"abc").unwrap();
        // The first example of FIPS 180-2.
        assert_eq!(
            id.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            blobs.path_of(id),
            scratch.path("a/b/content").join(id.to_string())
        );
        assert_eq!(blobs.put(b"abc").unwrap(), id);
        assert_eq!(blobs.get(id).unwrap(), b"abc");
        assert_eq!(
            (
                blobs.contains(id).unwrap(),
                blobs.contains(BlobId::of(b"")).unwrap()
            ),
            (true, false)
        );
        let names: Vec<_> = fs::read_dir(scratch.path("a/b/content")).unwrap().collect();
        assert_eq!(names.len(), 1, "a temporary file stayed");
    }

    #[test]
    fn damaged_content_is_refused_and_mended_by_keeping_it_again() {
        let scratch = Scratch::new("blobs");
        let blobs = Blobs::open(&scratch.path("")).unwrap();
        let id = blobs.put(b"abc").unwrap();
        fs::write(blobs.path_of(id), b"abd").unwrap();
        let error = blobs.get(id).unwrap_err();
        assert_eq!(error.code(), "J025");
        assert!(
            error.to_string().contains(&BlobId::of(b"abd").to_string()),
            "{error}"
        );
        assert_eq!(blobs.put(b"abc").unwrap(), id);
        assert_eq!(blobs.get(id).unwrap(), b"abc");
        assert_eq!(blobs.get(BlobId::of(b"never kept")).unwrap_err().code(), "J024");
    }

    #[test]
    fn many_keep_the_same_at_once() {
        let scratch = Scratch::new("blobs");
        let blobs = Blobs::open(&scratch.path("")).unwrap();
        let content = vec![7; 300_000];
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(blobs.put(&content).unwrap(), BlobId::of(&content)));
            }
        });
        assert_eq!(blobs.get(BlobId::of(&content)).unwrap(), content);
        assert_eq!(
            fs::read_dir(blobs.path_of(BlobId::of(b"")).parent().unwrap())
                .unwrap()
                .count(),
            1
        );
    }

    #[test]
    fn names_are_checked() {
        let id = BlobId::of(b"abc");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            serde_json::from_str::<BlobId>(&serde_json::to_string(&id).unwrap()).unwrap(),
            id
        );
        for wrong in [
            "",
            "ba78",
            "../../../etc/passwd",
            &"g".repeat(64),
            &"A".repeat(64),
            &"a".repeat(66),
        ] {
            assert!(wrong.parse::<BlobId>().is_err(), "{wrong}");
        }
    }
}
