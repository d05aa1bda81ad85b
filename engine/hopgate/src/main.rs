//! The `hopgate` binary: hands the command line to the library and the exit status to the shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    hopgate::cli::main()
}
