//! The real program as processes of their own: built once, started in a directory of the test, told, killed, and ended by
//! its id when its owner is dropped, also while a test panics.
//!
//! Knows how processes, their output and the simulator's control port are handled. Must not know what hopgate ought to do:
//! that is in the tests.

use std::ffi::OsStr;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Password of every simulated fleet of these tests, and the variable that a written inventory takes it from.
pub const PASSWORD: (&str, &str) = ("HOPGATE_SIMULATED_PASSWORD", "admin");

/// How long a look waits before the next one.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Longest wait for an answer of the simulator's control port. It answers from memory.
const CONTROL_ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// The machine's monotonic time.
#[expect(
    clippy::disallowed_methods,
    reason = "these tests are about real processes, in real time"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// Lets real time pass.
#[expect(
    clippy::disallowed_methods,
    reason = "these tests are about real processes, in real time"
)]
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Whether the long forms are asked for.
pub fn full() -> bool {
    std::env::var_os("HOPGATE_FULL").is_some()
}

/// The binary: the one that `HOPGATE_BINARY` names, or this build's own, brought up to date first (cargo itself knows
/// whether it is, whatever profile and target directory the tests were built with).
///
/// # Panics
/// Where it cannot be built.
pub fn hopgate() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("HOPGATE_BINARY").map_or_else(build, PathBuf::from))
}

/// The test runs as `<target>/<profile>/deps/<name>-<hash>`, wherever `CARGO_TARGET_DIR` or a configuration file put it.
fn build() -> PathBuf {
    let test = std::env::current_exe()
        .unwrap_or_else(|error| panic!("the test does not know its own path: {error}"));
    let directory = test
        .ancestors()
        .nth(2)
        .unwrap_or_else(|| panic!("{} is not in a target directory", test.display()));
    let target = directory.parent().unwrap_or(directory);
    let profile = match directory.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--package",
            "hopgate",
            "--bin",
            "hopgate",
            "--locked",
            "--quiet",
        ])
        .args(["--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cargo cannot be started: {error}"));
    assert!(
        built.status.success(),
        "the binary cannot be built:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    directory.join("hopgate")
}

/// A `hopgate` command in a directory, with nothing of this process's settings that it would listen to.
pub fn command<I, S>(directory: &Path, arguments: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(hopgate());
    command
        .args(arguments)
        .current_dir(directory)
        .env(PASSWORD.0, PASSWORD.1);
    for heard in [
        "HOPGATE_STATE",
        "HOPGATE_LOG",
        "NO_COLOR",
        "RUST_LOG",
        "RUST_BACKTRACE",
        "COLUMNS",
    ] {
        command.env_remove(heard);
    }
    command
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status; nothing where a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// All it wrote to standard output.
    pub stdout: String,
    /// All it wrote to standard error.
    pub stderr: String,
}

/// A process of ours, and what it has written so far.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

#[derive(Debug)]
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Stream {
        let text = Arc::new(Mutex::new(Vec::new()));
        let reader = pipe.map(|mut pipe| {
            let text = Arc::clone(&text);
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                // A pipe that breaks has ended; what was read before it counts.
                while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                    let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                    text.extend_from_slice(chunk.get(..length).unwrap_or_default());
                }
            })
        });
        Stream { text, reader }
    }

    fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// All of it. Ends once the process, and whoever inherited the pipe, has closed it.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader
                .join()
                .unwrap_or_else(|_| panic!("the reader of a pipe panicked"));
        }
        self.text()
    }
}

impl Process {
    /// Starts it, with both outputs taken and no input.
    ///
    /// # Panics
    /// Where the system refuses.
    pub fn start(command: &mut Command) -> Process {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let stdout = Stream::of(child.stdout.take());
        let stderr = Stream::of(child.stderr.take());
        Process {
            child,
            stdout,
            stderr,
        }
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// Where the system does not say.
    pub fn has_ended(&mut self) -> bool {
        let asked = self.child.try_wait();
        asked
            .unwrap_or_else(|error| panic!("process {} is lost: {error}", self.id()))
            .is_some()
    }

    /// Waits until it has written `text` to either output.
    ///
    /// # Panics
    /// Where it has not after `limit`, or ends without.
    pub fn wait_for_text(&mut self, text: &str, limit: Duration) {
        let until = now() + limit;
        loop {
            let ended = self.has_ended();
            if self.stdout().contains(text) || self.stderr().contains(text) {
                return;
            }
            if ended || now() > until {
                let how = if ended { "ended" } else { "waited long enough" };
                panic!(
                    "{how} without {text:?}\nstdout:\n{}\nstderr:\n{}",
                    self.stdout(),
                    self.stderr()
                );
            }
            pause(BETWEEN_LOOKS);
        }
    }

    /// SIGKILL: what it is doing ends in the middle. Returns how it ended, which may have been by itself just before.
    ///
    /// # Panics
    /// Where the system does not let it be ended.
    pub fn kill(mut self) -> Ended {
        if let Err(error) = self.child.kill() {
            panic!("process {} cannot be killed: {error}", self.id());
        }
        self.ended()
    }

    /// SIGINT, as Ctrl-C sends it.
    ///
    /// # Panics
    /// Where it cannot be sent.
    pub fn interrupt(&self) {
        let sent = Command::new("kill")
            .arg("-INT")
            .arg(self.id().to_string())
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "SIGINT cannot be sent to {}",
            self.id()
        );
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// Where it has not after `limit`.
    pub fn wait(mut self, limit: Duration) -> Ended {
        let until = now() + limit;
        while !self.has_ended() {
            assert!(
                now() < until,
                "still running after {limit:?}\nstdout:\n{}\nstderr:\n{}",
                self.stdout(),
                self.stderr()
            );
            pause(BETWEEN_LOOKS);
        }
        self.ended()
    }

    fn ended(&mut self) -> Ended {
        let status = self
            .child
            .wait()
            .unwrap_or_else(|error| panic!("a process is lost: {error}"));
        Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // By its handle, which is its own id and no other's; it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
///
/// # Panics
/// Where it takes longer than a minute.
pub fn run<I, S>(directory: &Path, arguments: I) -> Ended
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    Process::start(&mut command(directory, arguments)).wait(Duration::from_secs(60))
}

/// `hopgate simulate` as a process, and its control port.
#[derive(Debug)]
pub struct Simulator {
    process: Process,
    control: SocketAddr,
}

impl Simulator {
    /// Serves the fleet file `fleet.yaml` of a directory on free ports, and waits until `inventory.yaml` lies beside it.
    ///
    /// # Panics
    /// Where the fleet is not served.
    pub fn serve(directory: &Path, speed: u32) -> Simulator {
        let speed = speed.to_string();
        Simulator::start(
            directory,
            &[
                "fleet.yaml",
                "--speed",
                &speed,
                "--write-inventory",
                "inventory.yaml",
            ],
        )
    }

    /// Serves what the arguments of `hopgate simulate` say, on free ports where they name none. They have to name an inventory
    /// to write.
    ///
    /// # Panics
    /// Where the fleet is not served.
    pub fn start(directory: &Path, arguments: &[&str]) -> Simulator {
        let mut command = command(directory, ["simulate"]);
        command.args(arguments);
        if !arguments.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        let mut process = Process::start(&mut command);
        process.wait_for_text("inventory: ", Duration::from_secs(60));
        // It was written before that line, to the other pipe, which may be read later.
        process.wait_for_text("control port: http://", Duration::from_secs(60));
        process.wait_for_text("/\n", Duration::from_secs(60));
        let told = process.stdout();
        let control = told.lines().find_map(control_port);
        let control = control.unwrap_or_else(|| panic!("no control port in:\n{told}"));
        Simulator { process, control }
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> String {
        self.process.stdout()
    }

    /// What it has complained of so far.
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// Asks the control port.
    ///
    /// # Panics
    /// Where it does not answer with JSON and 200.
    pub fn get(&self, path: &str) -> Value {
        self.ask(&format!("GET {path} HTTP/1.0\r\n\r\n"))
    }

    /// Intervenes through the control port.
    ///
    /// # Panics
    /// Where it refuses.
    pub fn control(&self, request: &Value) -> Value {
        let body = request.to_string();
        self.ask(&format!(
            "POST /control HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn ask(&self, request: &str) -> Value {
        let reply = exchange(self.control, request)
            .unwrap_or_else(|error| panic!("the control port does not answer {request:?}: {error}"));
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
        let status = head.split(' ').nth(1);
        assert_eq!(status, Some("200"), "{request:?} was answered with {reply}");
        serde_json::from_str(body)
            .unwrap_or_else(|error| panic!("{request:?} was answered with {body:?}: {error}"))
    }

    /// Ends it as Ctrl-C does.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn end(self) -> Ended {
        self.process.interrupt();
        self.process.wait(Duration::from_secs(20))
    }
}

fn control_port(line: &str) -> Option<SocketAddr> {
    let address = line.strip_prefix("control port: http://")?.strip_suffix('/')?;
    address.parse().ok()
}

/// One plain HTTP/1.0 exchange: the server closes when it has said all.
fn exchange(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, CONTROL_ANSWERS_WITHIN)?;
    stream.set_read_timeout(Some(CONTROL_ANSWERS_WITHIN))?;
    stream.write_all(request.as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}
