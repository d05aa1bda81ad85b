//! What a test needs from the machine: scratch directories, child processes, signals, mounts, real time.
//!
//! Must not know what a journal is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The variable that tells a child what to do; see `child::entry`.
pub(crate) const TASK: &str = "HOPGATE_JOURNAL_TASK";

static NEXT_SCRATCH: AtomicU64 = AtomicU64::new(0);

/// A directory of its own, removed at the end unless the test failed: then it is evidence.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let number = NEXT_SCRATCH.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("kept for a look: {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A child of this test, killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    /// Runs this test program again, as `task` on `directory`.
    pub(crate) fn task(task: &str, directory: &Path, variables: &[(&str, &str)]) -> Self {
        Self::wrapped(&[], task, directory, variables)
    }

    /// The same, under another program and its arguments.
    pub(crate) fn wrapped(
        wrapper: &[&OsStr],
        task: &str,
        directory: &Path,
        variables: &[(&str, &str)],
    ) -> Self {
        let this = std::env::current_exe().unwrap();
        let mut command = match wrapper {
            [] => Command::new(&this),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&this);
                command
            }
        };
        command
            .args(["child::entry", "--exact", "--nocapture", "--test-threads=1"])
            .env(TASK, task)
            .env("HOPGATE_JOURNAL_DIR", directory)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            // A killed child may leave half a line: what was not told whole was not told.
            for line in output.split(b'\n').map_while(Result::ok) {
                let Ok(line) = String::from_utf8(line) else {
                    continue;
                };
                if line
                    .strip_suffix(';')
                    .is_some_and(|told| tell.send(told.to_owned()).is_err())
                {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line the child told, waiting for it at most `limit`.
    pub(crate) fn line(&self, limit: Duration) -> Option<String> {
        self.lines.recv_timeout(limit).ok()
    }

    /// Waits for `duration` and returns what was told until then.
    pub(crate) fn lines_for(&self, duration: Duration) -> Vec<String> {
        let since = now();
        let mut told = Vec::new();
        while let Some(left) = duration.checked_sub(since.elapsed()) {
            match self.lines.recv_timeout(left) {
                Ok(line) => told.push(line),
                Err(mpsc::RecvTimeoutError::Timeout) => break,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    pause(left);
                    break;
                }
            }
        }
        told
    }

    /// Everything else it told, once its end of the pipe is closed.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.lines.iter().collect()
    }

    /// What was told so far, for a child that was stopped.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(200)) {
            told.push(line);
        }
        told
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.pid().to_string()])
            .status();
        assert!(sent.unwrap().success(), "cannot send {name}");
    }

    /// Waits for its end; a child that takes over a minute hangs, and is stopped and reported.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let since = now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, self.rest());
            }
            if since.elapsed() > Duration::from_secs(60) {
                self.kill();
                panic!("the child hung; it told {:?}", self.rest());
            }
            pause(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "these tests are about real processes and disks, in real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "these tests are about real processes and disks, in real time"
)]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Whether the long forms are asked for.
pub(crate) fn full() -> bool {
    std::env::var_os("HOPGATE_FULL").is_some()
}

/// Says why a test did not run.
pub(crate) fn skip(what: &str, why: &str) {
    println!("SKIPPED: {what}: {why}");
}

/// A program of this machine that runs and succeeds with `arguments`.
pub(crate) fn works(program: &str, arguments: &[&str]) -> bool {
    let run = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    run.is_ok_and(|status| status.success())
}

/// Runs a program that should succeed; its complaint otherwise.
pub(crate) fn run(program: &str, arguments: &[&OsStr]) -> Result<(), String> {
    match Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
    {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// A mounted file system, unmounted (and its loop device released) when dropped.
pub(crate) struct Mount {
    point: PathBuf,
    arguments: Vec<std::ffi::OsString>,
    mounted: bool,
}

impl Mount {
    pub(crate) fn new(point: &Path, arguments: &[&OsStr]) -> Result<Self, String> {
        fs::create_dir_all(point).unwrap();
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut mount = Self {
            point: point.to_owned(),
            arguments,
            mounted: false,
        };
        mount.mount()?;
        Ok(mount)
    }

    pub(crate) fn mount(&mut self) -> Result<(), String> {
        let mut arguments: Vec<&OsStr> = self.arguments.iter().map(AsRef::as_ref).collect();
        arguments.push(self.point.as_os_str());
        run("mount", &arguments)?;
        self.mounted = true;
        Ok(())
    }

    pub(crate) fn unmount(&mut self) {
        for _ in 0..100 {
            if run("umount", &[self.point.as_os_str()]).is_ok() {
                self.mounted = false;
                return;
            }
            // A killed writer lets go of its files a moment after it is gone.
            pause(Duration::from_millis(20));
        }
        run("umount", &["-l".as_ref(), self.point.as_os_str()]).unwrap();
        self.mounted = false;
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if self.mounted {
            self.unmount();
        }
    }
}

/// Copies the files of a directory, and its subdirectories.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `bound`. SplitMix64; the bias of the remainder is of no interest here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// How often each thing was seen, for a line in the test's output.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<String, u32>);

impl Tally {
    pub(crate) fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub(crate) fn of(&self, what: &str) -> u32 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each: Vec<String> = self
            .0
            .iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        f.write_str(&each.join(", "))
    }
}
