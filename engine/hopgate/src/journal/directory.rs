//! The directory of a journal: its lock, its anchor file, and the file operations whose order makes them
//! durable.
//!
//! Must not know records or the engine's interface; it knows the names of the engine's files, because which
//! of them are there tells a new directory from a damaged one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::JournalError;
use super::integrity::{FORMAT, Flaw, SUMMARY_LENGTH, Summary};

const LOCK: &str = "LOCK";
const ANCHOR: &str = "anchor";
/// The engine's parameters and its log.
const CONF: &str = "conf";
const DB: &str = "db";
/// The engine's own overflow directory.
const OVERFLOW: &str = "blobs";
/// The engine's snapshots are `snap.<number>`; one being written has this ending too, and sled 0.34.7 takes
/// it for a finished one at the next open (sled issues 1527 and 1533).
const SNAPSHOT: &str = "snap.";
const GENERATING: &str = ".generating";

/// The state of a directory, in the first line of its lock file. `CREATING` is durable before the first file
/// of a new journal is made and replaced only when the last one is: an interrupted creation, in which nothing
/// was acknowledged, is thus told from a journal that lost its files.
const CREATING: &str = "hopgate journal, being created";
const IN_USE: &str = "hopgate journal";

/// A directory this process owns until the value is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    lock: File,
}

/// What a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    /// Nothing yet, or the remains of a creation that was interrupted before anything was acknowledged.
    Nothing,
    /// A journal, as far as the presence of files tells.
    Journal,
}

impl Directory {
    /// Makes the directory if need be and takes the lock.
    pub(crate) fn own(path: &Path) -> Result<Self, JournalError> {
        make_durable_dir(path).map_err(|source| JournalError::Create {
            path: path.to_owned(),
            source: std::sync::Arc::new(source),
        })?;
        let failed = |source| JournalError::Lock {
            path: path.to_owned(),
            source,
        };
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                lock,
            }),
            Err(TryLockError::WouldBlock) => Err(JournalError::Locked {
                path: path.to_owned(),
                holder: holder(lock),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.path.join(DB)
    }

    /// What is here. A file of a journal without the others is damage, never a reason to begin a new one.
    pub(crate) fn holding(&mut self) -> Result<Holding, JournalError> {
        let mut state = String::new();
        let read = self
            .lock
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.lock.read_to_string(&mut state));
        // A lock file that is no text says nothing about the state; the other files do.
        if let Err(source) = read
            && source.kind() != io::ErrorKind::InvalidData
        {
            return Err(JournalError::Lock {
                path: self.path.clone(),
                source,
            });
        }
        let state = state.lines().next().unwrap_or_default();
        let (mut present, missing): (Vec<&str>, Vec<&str>) = [CONF, DB, ANCHOR]
            .into_iter()
            .partition(|name| self.path.join(name).exists());
        if missing.is_empty() {
            return Ok(Holding::Journal);
        }
        let creating = state == CREATING && !present.contains(&ANCHOR);
        let untouched = state.is_empty() && present.is_empty() && self.snapshots()?.is_empty();
        if creating || untouched {
            return Ok(Holding::Nothing);
        }
        if present.is_empty() {
            present.push(LOCK);
        }
        Err(JournalError::Missing {
            path: self.path.clone(),
            missing: counted(&missing),
            present: counted(&present),
        })
    }

    /// Marks the directory as being created, durably, and clears what an earlier attempt left.
    pub(crate) fn begin_creation(&mut self) -> io::Result<()> {
        self.sign(CREATING)?;
        self.lock.sync_all()?;
        sync_dir(&self.path)?;
        for name in [CONF, DB] {
            remove_if_there(&self.path.join(name))?;
        }
        for snapshot in self.list_snapshots()? {
            fs::remove_file(snapshot)?;
        }
        sync_dir(&self.path)
    }

    /// Makes a new journal's files and their names durable, the anchor last. The engine writes its parameters
    /// once and never syncs them (sled 0.34.7, `config.rs:666`).
    pub(crate) fn finish_creation(&mut self, first: &Summary) -> io::Result<()> {
        for name in [CONF, DB] {
            File::open(self.path.join(name))?.sync_all()?;
        }
        self.sync()?;
        Anchor::create(&self.path, first)
    }

    /// Makes the names in the directory durable, and the directory's own name.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync_dir(&self.path)?;
        sync_dir(parent(&self.path))
    }

    /// Writes into the lock file who holds it, for whoever finds it locked.
    pub(crate) fn sign_in_use(&mut self) -> io::Result<()> {
        self.sign(IN_USE)?;
        self.lock.sync_all()
    }

    fn sign(&mut self, state: &str) -> io::Result<()> {
        let who = format!("{state}\npid {}\nhost {}\n", std::process::id(), host());
        self.lock.seek(SeekFrom::Start(0))?;
        self.lock.write_all(who.as_bytes())?;
        // The file's own time says since when, without a clock of ours.
        let since = Timestamp::try_from(self.lock.metadata()?.modified()?).map_err(io::Error::other)?;
        let since = format!("since {}\n", since.strftime("%Y-%m-%dT%H:%M:%SZ"));
        self.lock.write_all(since.as_bytes())?;
        self.lock.set_len((who.len() + since.len()) as u64)
    }

    /// Removes snapshots that were being written when the process died; finished ones stay.
    pub(crate) fn remove_unfinished_snapshots(&self) -> Result<(), JournalError> {
        let unfinished = self
            .snapshots()?
            .into_iter()
            .filter(|file| file.to_string_lossy().ends_with(GENERATING));
        for file in unfinished {
            tracing::info!(file = %file.display(), "removing a snapshot that was being written when hopgate died");
            fs::remove_file(file).map_err(|source| self.open_error(source))?;
        }
        Ok(())
    }

    pub(crate) fn snapshots(&self) -> Result<Vec<PathBuf>, JournalError> {
        self.list_snapshots().map_err(|source| self.open_error(source))
    }

    fn list_snapshots(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(SNAPSHOT) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }

    /// Copies the journal's files to a new directory beside this one, then takes the snapshots away from
    /// here. The engine can rebuild them from its log, and a damaged one keeps it from opening.
    pub(crate) fn put_snapshots_aside(&self) -> io::Result<PathBuf> {
        let aside = self.new_sibling()?;
        copy_files(&self.path, &aside)?;
        let overflow = self.path.join(OVERFLOW);
        if overflow.is_dir() {
            fs::create_dir(aside.join(OVERFLOW))?;
            copy_files(&overflow, &aside.join(OVERFLOW))?;
        }
        sync_dir(&aside)?;
        sync_dir(parent(&aside))?;
        for snapshot in self.list_snapshots()? {
            fs::remove_file(snapshot)?;
        }
        sync_dir(&self.path)?;
        Ok(aside)
    }

    /// `<dir>.damaged-N` with the first N that is free.
    fn new_sibling(&self) -> io::Result<PathBuf> {
        for number in 1..=u32::MAX {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".damaged-{number}"));
            match fs::create_dir(&name) {
                Ok(()) => return Ok(PathBuf::from(name)),
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
                Err(other) => return Err(other),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn open_error(&self, source: io::Error) -> JournalError {
        JournalError::Open {
            path: self.path.clone(),
            source: std::sync::Arc::new(source),
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Closing alone would leave it locked while a child being spawned by another thread still has the
        // descriptor.
        let _ = self.lock.unlock();
    }
}

fn counted(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(", "))
}

fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name() != LOCK {
            let copy = to.join(entry.file_name());
            fs::copy(entry.path(), &copy)?;
            File::open(copy)?.sync_all()?;
        }
    }
    Ok(())
}

/// Who holds a lock file that could not be locked.
fn holder(mut lock: File) -> String {
    let mut content = String::new();
    // Where locks are mandatory the content cannot be read: then nobody can be named.
    if lock.read_to_string(&mut content).is_err() {
        return "another process".to_owned();
    }
    let line = |word: &str| {
        content
            .lines()
            .find_map(|line| line.strip_prefix(word))
            .map(str::trim)
    };
    match (line("pid "), line("host "), line("since ")) {
        (Some(pid), Some(host), Some(since)) => format!("pid {pid} on {host} since {since}"),
        _ => "another process".to_owned(),
    }
}

fn host() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok());
    named
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown-host".into())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Makes the names in `path` durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}

/// Makes `path` and its missing parents, and their names durable.
pub(crate) fn make_durable_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent(path);
    if above != path {
        make_durable_dir(above)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_dir(above),
    }
}

/// Writes a whole file so that after a crash it is there entirely or not at all: a temporary name, the
/// content synced, the name changed, the directory synced. `temporary` must be in the same directory.
pub(crate) fn write_atomically(
    path: &Path,
    temporary: &Path,
    fill: impl FnOnce(&mut io::BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    // Backups hold private keys and exports hold what customers run: for their owner only.
    let mut owned = OpenOptions::new();
    owned.write(true).create(true).truncate(true).mode(0o600);
    let written = owned.open(temporary).and_then(|file| {
        let mut writer = io::BufWriter::new(file);
        fill(&mut writer)?;
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(temporary, path)
    });
    if let Err(error) = written {
        // The first error is the one to tell; a temporary file that stays behind harms nothing.
        let _ = fs::remove_file(temporary);
        return Err(error);
    }
    sync_dir(parent(path))
}

/// The file that says what the journal held after its last commit.
///
/// Two slots in different 4 KiB blocks, written in turn: a write torn by a power cut spoils one and leaves
/// the other.
#[derive(Debug)]
pub(crate) struct Anchor {
    file: File,
    /// The slot that holds the newest summary.
    slot: u64,
    newest: Summary,
    torn: bool,
}

/// How far apart the two slots are, in bytes.
const SLOT_DISTANCE: u64 = 4_096;

impl Anchor {
    fn create(directory: &Path, first: &Summary) -> io::Result<()> {
        let mut content = vec![0; SLOT_DISTANCE as usize];
        content[..SUMMARY_LENGTH].copy_from_slice(&first.encode());
        content.extend_from_slice(&first.encode());
        write_atomically(&directory.join(ANCHOR), &directory.join("anchor.new"), |file| {
            file.write_all(&content)
        })
    }

    /// Reads the anchor of `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Self, JournalError> {
        let path = || directory.to_owned();
        let failed = |source: io::Error| JournalError::Open {
            path: path(),
            source: std::sync::Arc::new(source),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(directory.join(ANCHOR))
            .map_err(failed)?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(failed)?;
        let slot = |number: u64| {
            let start = ((number * SLOT_DISTANCE) as usize).min(content.len());
            let end = (start + SUMMARY_LENGTH).min(content.len());
            Summary::decode(&content[start..end])
        };
        let (newest, number, torn) = match (slot(0), slot(1)) {
            (Err(Flaw::Newer(found)), _) | (_, Err(Flaw::Newer(found))) => {
                return Err(JournalError::Newer {
                    path: path(),
                    found,
                    supported: FORMAT,
                });
            }
            (Err(flaw), Err(_)) => {
                return Err(JournalError::Anchor {
                    path: path(),
                    found: flaw.to_string(),
                });
            }
            (Ok(only), Err(_)) => (only, 0, true),
            (Err(_), Ok(only)) => (only, 1, true),
            (Ok(a), Ok(b)) if a.store != b.store => {
                let found = format!("its slots are of two journals, {} and {}", a.store, b.store);
                return Err(JournalError::Anchor { path: path(), found });
            }
            (Ok(a), Ok(b)) if a.commit > b.commit => (a, 0, false),
            (Ok(_), Ok(b)) => (b, 1, false),
        };
        Ok(Self {
            file,
            slot: number,
            newest,
            torn,
        })
    }

    pub(crate) fn newest(&self) -> Summary {
        self.newest
    }

    /// Whether the older slot is unreadable.
    pub(crate) fn torn(&self) -> bool {
        self.torn
    }

    /// Writes `summary` over the older slot and returns when it is durable.
    pub(crate) fn write(&mut self, summary: &Summary) -> io::Result<()> {
        let slot = 1 - self.slot;
        self.file.seek(SeekFrom::Start(slot * SLOT_DISTANCE))?;
        self.file.write_all(&summary.encode())?;
        self.file.sync_data()?;
        (self.slot, self.newest) = (slot, *summary);
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    static NEXT: AtomicU64 = AtomicU64::new(0);

    /// A directory for one test, removed at its end.
    pub(crate) struct Scratch(PathBuf);

    impl Scratch {
        pub(crate) fn new(name: &str) -> Self {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("hopgate-{name}-{}-{number}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        pub(crate) fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_anchor_is_written_in_turn_and_survives_a_torn_write() {
        let scratch = Scratch::new("anchor");
        let first = Summary::empty(super::super::integrity::StoreId([1; 16]));
        Anchor::create(&scratch.path(""), &first).unwrap();
        let mut anchor = Anchor::open(&scratch.path("")).unwrap();
        assert_eq!((anchor.newest(), anchor.torn()), (first, false));
        let at = |commit| Summary {
            commit,
            records: commit * 2,
            ..first
        };
        for commit in 1..=5 {
            anchor.write(&at(commit)).unwrap();
            let read = Anchor::open(&scratch.path("")).unwrap();
            assert_eq!((read.newest(), read.torn()), (at(commit), false));
        }
        // The sixth write spoils the slot of the fourth and leaves the fifth.
        let mut content = fs::read(scratch.path(ANCHOR)).unwrap();
        let torn = (1 - anchor.slot) * SLOT_DISTANCE;
        content[torn as usize + 20] ^= 1;
        fs::write(scratch.path(ANCHOR), &content).unwrap();
        let read = Anchor::open(&scratch.path("")).unwrap();
        assert_eq!((read.newest(), read.torn()), (at(5), true));
        content[(anchor.slot * SLOT_DISTANCE) as usize + 20] ^= 1;
        fs::write(scratch.path(ANCHOR), &content).unwrap();
        let error = Anchor::open(&scratch.path("")).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with(": its anchor is damaged: its checksum does not match"),
            "{error}"
        );
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let scratch = Scratch::new("atomic");
        let (path, temporary) = (scratch.path("file"), scratch.path("file.new"));
        write_atomically(&path, &temporary, |file| file.write_all(b"first")).unwrap();
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o777, 0o600, "for its owner only");
        let failed = write_atomically(&path, &temporary, |file| {
            file.write_all(b"second")?;
            Err(io::Error::other("half way"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "half way");
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert!(!temporary.exists());
    }

    #[test]
    fn a_lock_is_held_by_one_and_names_its_holder() {
        let scratch = Scratch::new("lock");
        let path = scratch.path("deep/er/j");
        let mut own = Directory::own(&path).unwrap();
        let anonymous = Directory::own(&path).unwrap_err();
        assert!(
            anonymous.to_string().ends_with(": in use by another process"),
            "{anonymous}"
        );
        own.sign_in_use().unwrap();
        let named = Directory::own(&path).unwrap_err().to_string();
        assert!(
            named.contains(&format!(": in use by pid {} on ", std::process::id())),
            "{named}"
        );
        drop(own);
        Directory::own(&path).unwrap();
    }
}
