//! The `hopgate` binary: hands the command line to the library and the exit status to the shell.

use std::process::ExitCode;

/// An audit is millions of small texts, made on one thread and dropped on another: with the system's allocator that alone
/// was a third of its processor time. `.cargo/config.toml` sets how soon it gives memory back; a build that does not read that
/// file works the same with a higher peak.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    hopgate::cli::main()
}
