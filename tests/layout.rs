//! What the repository promises about itself: which room may know which, what a file looks like, and that every page of the
//! documentation is true of the code. Each rule says what to do where it is broken.

#[cfg(test)]
#[path = "layout/pages.rs"]
mod pages;
#[cfg(test)]
#[path = "layout/rooms.rs"]
mod rooms;
#[cfg(test)]
#[path = "layout/sources.rs"]
mod sources;
#[cfg(test)]
#[path = "layout/tree.rs"]
mod tree;
