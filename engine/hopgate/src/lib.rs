//! The shell of hopgate: everything that acts, stores, shows or talks, around a core that decides.
//!
//! A library so that benches and end-to-end tests drive the same parts as the binary; not a public API.

pub mod api;
pub mod asking;
pub mod audit;
pub mod catalogue;
pub mod checks;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connect;
pub mod demo;
pub mod driver;
pub mod failure;
pub mod fleet;
pub mod in_process;
pub mod journal;
pub mod kept;
pub mod knowledge;
pub mod ledger;
pub mod pager;
pub mod panorama;
pub mod path;
pub mod planner;
pub mod progress;
pub mod report;
pub mod run;
pub mod signals;
pub mod simulate;
pub mod state;
pub mod story;
pub mod tls;
pub mod why;
