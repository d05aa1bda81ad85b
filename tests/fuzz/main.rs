//! One target under libFuzzer: `HOPGATE_FUZZ=disks fuzz [-flags] FOLDER..`. The first folder gets the target's seeds and
//! whatever is found to reach new code. Without the variable it lists the targets.
//!
//! Responsible for: handing input to the target, and stopping at what it does not catch. Must not know: any target.

#![no_main]

use std::io::Write as _;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use hopgate_fuzz::{Target, targets};

/// The variable that names the target.
const CHOSEN: &str = "HOPGATE_FUZZ";

static TARGET: OnceLock<&'static Target> = OnceLock::new();

/// What the last panic said. Where it is caught, as by whatever runs expressions, nobody has to hear of it.
static SAID: Mutex<String> = Mutex::new(String::new());

libfuzzer_sys::fuzz_target!(init: prepare(), |input: &[u8]| run(input));

fn run(input: &[u8]) {
    let Some(target) = TARGET.get() else {
        stop("no target was chosen")
    };
    if catch_unwind(|| (target.run)(input)).is_err() {
        stop(&SAID.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Ends as libFuzzer expects it, which then keeps the input.
fn stop(why: &str) -> ! {
    // Nobody is left to hear that this could not be written.
    let _ = writeln!(std::io::stderr(), "{why}");
    std::process::abort();
}

fn prepare() {
    std::panic::set_hook(Box::new(|panic| {
        *SAID.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
    }));
    let known = targets();
    let Ok(chosen) = std::env::var(CHOSEN) else {
        let names: String = known.iter().map(|target| format!("{}\n", target.name)).collect();
        // A reader that is gone has seen enough.
        let _ = std::io::stdout().write_all(names.as_bytes());
        std::process::exit(0);
    };
    let Some(target) = known.iter().find(|target| target.name == chosen) else {
        stop(&format!("{CHOSEN} is {chosen:?}, which is no target"));
    };
    let folder = std::env::args_os()
        .skip(1)
        .map(PathBuf::from)
        .find(|path| path.is_dir());
    if let Some(folder) = folder
        && let Err(error) = plant(target, &folder)
    {
        stop(&format!("writing seeds into {}: {error}", folder.display()));
    }
    // Only one target runs in a process, and this is called once.
    let _ = TARGET.set(target);
}

/// Words go in as seeds of their own: libFuzzer puts parts of inputs together.
fn plant(target: &Target, folder: &Path) -> std::io::Result<()> {
    let words = target.words.iter().map(|word| word.as_bytes().to_vec());
    for (number, seed) in (target.seeds)().into_iter().chain(words).enumerate() {
        std::fs::write(folder.join(format!("seed-{number:03}")), seed)?;
    }
    Ok(())
}
