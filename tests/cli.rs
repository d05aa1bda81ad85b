//! The command line as its users meet it: every bad input told once and plainly, exit statuses, help, interruptions, and the
//! same questions asked of a running engine and of a resting state directory.
//!
//! Runs the real binary. What differs from run to run (directories, ports, hashes, times, process ids) is replaced before
//! a message is compared with its snapshot.

#[cfg(test)]
#[path = "cli/audit.rs"]
mod audit;
#[cfg(test)]
#[path = "cli/backups.rs"]
mod backups;
#[cfg(test)]
#[path = "cli/desk.rs"]
mod desk;
#[cfg(test)]
#[path = "cli/devices.rs"]
mod devices;
#[cfg(test)]
#[path = "cli/differences.rs"]
mod differences;
#[cfg(test)]
#[path = "cli/estates.rs"]
mod estates;
#[cfg(test)]
#[path = "cli/facts.rs"]
mod facts;
#[cfg(test)]
#[path = "cli/files.rs"]
mod files;
#[cfg(test)]
#[path = "cli/help.rs"]
mod help;
#[cfg(test)]
#[path = "cli/modules.rs"]
mod modules;
#[cfg(test)]
#[path = "cli/panoramas.rs"]
mod panoramas;
#[cfg(test)]
#[path = "cli/paths.rs"]
mod paths;
#[cfg(test)]
#[path = "cli/running.rs"]
mod running;
#[cfg(test)]
#[path = "cli/state.rs"]
mod state;
