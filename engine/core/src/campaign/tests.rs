//! Tests of the campaign rules, driven synchronously against scripted standings.

mod any;
mod halting;
mod pairs;
mod scripted;
mod waves;
mod words;
